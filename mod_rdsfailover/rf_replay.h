/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_REPLAY_H
#define RF_REPLAY_H
/**
 * @file rf_replay.h
 * @brief A request has run and failed: was it the database, and may it run again?
 *
 * Layer: core. Decides; mod_rdsfailover_withhold.c and mod_rdsfailover_replay.c act.
 */
#include "rf_board.h"

/** The application's word, RDS-Failover-Outcome. */
typedef enum {
    RF_OUTCOME_NONE,         /**< it said nothing */
    RF_OUTCOME_NOT_EXECUTED, /**< nothing was done that the database kept */
    RF_OUTCOME_UNKNOWN       /**< a write or a COMMIT may have happened */
} rf_outcome;

/** @param value of the header, NULL if there is none; what nobody defined reads as unknown, which never allows anything */
rf_outcome rf_replay_outcome(const char *value);
/** @return "not-executed" and so on, "" for none; never NULL */
const char *rf_replay_outcome_text(rf_outcome outcome);

/** @return 1 if this may be the database's failure: 500, 502, 503, 504, or the application says that it lost its database */
int rf_replay_fails(int status, rf_outcome outcome);

/** Whose fault it is. */
typedef enum {
    RF_BLAME_OTHERS,   /**< the database was there afterwards, or nobody knows: the answer is the application's own */
    RF_BLAME_DATABASE,
    RF_BLAME_ASK       /**< not known yet: no probe that was asked after the failure has been answered */
} rf_blame;

/**
 * That a probe went well after the request had begun proves nothing: the outage may have come after the probe. While recovering a
 * failure is the database's in any case, and still it is asked first: what runs again at once would meet the same, if what failed is
 * a new outage.
 * @param brief  as read after the failure
 * @param began  the epoch in which the request began
 * @param failed when it failed
 */
rf_blame rf_replay_blame(const rf_brief *brief, uint32_t began, rf_time failed, rf_time now);

/** RDSFailoverReplay. */
typedef enum { RF_REPLAY_OFF, RF_REPLAY_SAFE, RF_REPLAY_IDEMPOTENT, RF_REPLAY_ALL } rf_replay_mode;

/** RFC 9110 sections 9.2.1 and 9.2.2, of the methods that are worth it. */
typedef enum {
    RF_METHOD_SAFE,       /**< GET, HEAD, OPTIONS */
    RF_METHOD_IDEMPOTENT, /**< PUT, DELETE */
    RF_METHOD_OTHER
} rf_method;

/** What is known of a request that failed because of the database. */
typedef struct rf_replay_facts {
    rf_replay_mode mode;
    rf_method method;
    rf_outcome outcome;
    int body_kept;      /**< all of its body that was read is still there */
    unsigned attempts;  /**< executions, this one included */
    unsigned most;      /**< allowed in all */
} rf_replay_facts;

typedef enum {
    RF_REPLAY_AGAIN,
    RF_REPLAY_NOT_WANTED,  /**< RDSFailoverReplay off */
    RF_REPLAY_UNKNOWN,     /**< a write may have happened */
    RF_REPLAY_UNSAFE,      /**< its method may write, and the application did not say that it wrote nothing */
    RF_REPLAY_BODY,        /**< its body was too large to be kept */
    RF_REPLAY_EXHAUSTED,   /**< it has had its attempts */
    RF_REPLAY_OVER_BUDGET
} rf_replay_verdict;

/** @return not RF_REPLAY_OVER_BUDGET, which is for the caller to find out: rf_replay_budget */
rf_replay_verdict rf_replay_decide(const rf_replay_facts *facts);
/** How many second attempts may run at once on a host outside an outage: ten, or a fifth of the protected requests that run, whichever
 *  is more. So an application that fails for reasons of its own right after a failover is not executed twice for all its visitors. */
uint32_t rf_replay_budget(uint32_t inflight);
/** Why not, for a log line: goes on "... is not repeated: ". Never NULL. */
const char *rf_replay_reason(rf_replay_verdict verdict);

#endif /* RF_REPLAY_H */
