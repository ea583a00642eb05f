/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_MONITOR_H
#define RF_MONITOR_H
/**
 * @file rf_monitor.h
 * @brief Watches one database: asks, weighs what is seen, moves the state, keeps the record of failovers, publishes.
 *
 * Layer:     loop. The world is a struct of functions and `now` an argument, so whole failovers are played in a microsecond.
 * Ownership: a rf_monitor is plain memory of its owner; it keeps the world's pointers, nothing else.
 * Threads:   one.
 *
 * Nothing here waits. The owner calls rf_monitor_tick() when the time it returned has come, and the other functions when
 * something arrives, each followed by rf_monitor_tick(): only a tick asks new questions.
 */
#include "rf_abort.h"
#include "rf_board.h"
#include "rf_candidates.h"
#include "rf_pace.h"
#include "rf_policy.h"
#include "rf_state.h"

/** A prober that has given no verdict this long after it was due is replaced. */
#define RF_PROBER_GRACE RF_SEC(1)
/** In an outage: after this long with a server that DNS names, that answers and refuses us, we are the ones who are wrong. */
#define RF_REFUSED_FOR RF_SEC(10)
/** After this long without any verdict on an address nothing is known any more; later if the policy probes more slowly. */
#define RF_BLIND_AFTER RF_SEC(5)

typedef enum { RF_SAY_INFO, RF_SAY_NOTICE, RF_SAY_WARNING, RF_SAY_ERROR } rf_say_level;

/** The requests of this host that need the database. */
typedef struct rf_crowd {
    uint64_t held;     /**< ever */
    uint64_t withheld; /**< answers, ever */
    uint64_t waiting;  /**< now */
    uint64_t running;  /**< let go, and not done yet */
    uint64_t inflight; /**< past the gate, held before or not, and not done yet */
    uint64_t finished; /**< let go, and done, ever */
    uint64_t troubled; /**< ever let go while recovering, and the application failed */
} rf_crowd;

/** What came of one pass over this host's sockets to some addresses. */
typedef struct rf_abort_pass {
    rf_address address; /**< one of them */
    uint32_t aborted;   /**< were destroyed */
    uint32_t left;      /**< are there, and were left: not to be destroyed, or too many for a pass */
    int refused;        /**< the system does not allow it and will not, and why was said */
} rf_abort_pass;

typedef struct rf_world {
    void *ctx;
    /** Send a PROBE, answered by rf_monitor_sample some time later, or never if the prober dies. */
    void (*ask_probe)(void *ctx, const rf_address *address, uint32_t ticket, rf_time timeout);
    /** Send a RESOLVE. */
    void (*ask_dns)(void *ctx, uint32_t ticket, rf_time timeout);
    /** Kill the prober and start another; outstanding questions are forgotten. */
    void (*replace_prober)(void *ctx);
    /** A log line. `id` is stable and listed in docs/messages.md. */
    void (*say)(void *ctx, rf_say_level level, int id, const char *text);
    void (*publish)(void *ctx, const rf_snapshot *snapshot);
    void (*beat)(void *ctx, rf_time now);
    /** Count the requests. */
    void (*queue)(void *ctx, rf_crowd *ret_crowd);
    /** Destroy this host's sockets to these addresses, or only count them; never the probers' own. Answered by rf_monitor_aborted
     *  soon after, or never; the pass before, if it is not over, is given up. Not called with RF_ABORT_OFF. */
    void (*abort_sockets)(void *ctx, const rf_address *addresses, unsigned n, int destroy);
} rf_world;

typedef struct rf_monitor {
    rf_world world;
    rf_policy policy;
    rf_time dns_timeout;
    int own_resolver; /**< a resolver other than the host's is configured; the host's answer then comes by itself */

    rf_state state;
    rf_candidates candidates;
    rf_snapshot snapshot; /**< the working copy of what is published */
    int changed;          /**< since it was published */

    rf_time planned;      /**< when the next tick was due */
    rf_time last_verdict; /**< on any address */
    rf_time next_dns, dns_asked;
    int dns_again;    /**< a request's suspicion came while the question was under way */
    rf_time answered; /**< when the last probe was asked that the writer answered */
    rf_time named;    /**< when the last question was asked that this host's resolver answered, or failed to */
    uint32_t ticket;
    rf_time rtt; /**< of a question on an open connection, smoothed; 0 not known */
    rf_address host_addresses[RF_ADDRESSES]; /**< what this host's own resolver gives */
    unsigned nhost_addresses;
    rf_time host_since;   /**< when it first gave just these */
    rf_cause dns_alarmed; /**< what the last alarm about the name was about */

    rf_failover draft; /**< the failover in progress; listed in the snapshot once it is more than a suspicion */
    int drafting;

    rf_pace pace;   /**< while state.release */
    int pace_said;  /**< why it does not grow */

    rf_time abort_due;      /**< when to look at sockets again, while `aborting` */
    rf_time abort_soonest;  /**< the same for the first look of a series */
    int aborting;           /**< a series of looks is under way */
    rf_time abort_said;     /**< when it was last said that there were any */
    int emptied;    /**< during the hold that is ordered now: it was said that nothing runs any more */

    rf_history_sample second; /**< the one that lasts, so far; `at` is not used */
} rf_monitor;

/**
 * @param seen what the board holds from an earlier monitor, or NULL: state, writer, epoch, addresses and record are adopted
 */
void rf_monitor_init(rf_monitor *m, const rf_world *world, const rf_policy *policy, rf_time dns_timeout, int own_resolver,
                     const rf_snapshot *seen, rf_time now);

/** Do what is due. @return when to be called again, later than `now` */
rf_time rf_monitor_tick(rf_monitor *m, rf_time now);

/** The prober reports. The sample must be sane (rf_sample_sane). */
void rf_monitor_sample(rf_monitor *m, const rf_sample *sample, rf_time now);

/** The prober ended by itself and another one was started. */
void rf_monitor_prober_replaced(rf_monitor *m, rf_time now);

/** An operator's order. Takes effect, and is published, at once. */
void rf_monitor_order(rf_monitor *m, const rf_order *order, rf_time now);

/** A request suspects something: look now. Harmless at any rate. */
void rf_monitor_look(rf_monitor *m, rf_time now);

/** How this second was, for the board's history; the next one begins. To be called once a second. */
rf_history_sample rf_monitor_second(rf_monitor *m, rf_time now);

/** @return 1 if this host's sockets to the address may be destroyed, as far as this database is concerned (rf_abort_wanted) */
int rf_monitor_aborts(const rf_monitor *m, const rf_address *address, rf_time now);
/** A pass over sockets is over. */
void rf_monitor_aborted(rf_monitor *m, const rf_abort_pass *pass, rf_time now);

/** @return the answer time above which the state becomes suspect, by the policy and the round trips seen; 0 if off */
rf_time rf_monitor_late(const rf_monitor *m);

#endif /* RF_MONITOR_H */
