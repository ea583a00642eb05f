/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_VISIT_H
#define MOD_RDSFAILOVER_VISIT_H
/**
 * @file mod_rdsfailover_visit.h
 * @brief What a visitor's request has been through: waiting, running, failing, running again.
 *
 * Layer:     glue.
 * Ownership: in the pool of the request as the client sent it, kept across internal redirects and attempts; a request that nobody
 *            protects has none.
 *
 * mod_rdsfailover_gate.c decides which requests have one, mod_rdsfailover_hold.c has them wait, mod_rdsfailover_replay.c runs them
 * again, mod_rdsfailover_withhold.c and mod_rdsfailover_body.c are the filters it needs for that.
 */
#include <util_filter.h>

#include "mod_rdsfailover_waiting.h"
#include "rf_replay.h"

typedef struct rf_attempt rf_attempt;

typedef struct rf_visit {
    request_rec *r;     /**< as the client sent it */
    rf_database *db;
    apr_time_t arrival; /**< of the visitor: before the request if he was sent round */
    rf_time held;       /**< here, in all */
    int was_held;
    int suspended;      /**< waits without a worker, or did until now */
    int over;           /**< its hold ended without a writer: it is not held again, whatever it is redirected to */
    int recovering;     /**< let go while others were */
    int inflight;       /**< counted as executing */
    unsigned attempts;  /**< executions begun */
    rf_outcome outcome; /**< the application's last word */
    rf_attempt *attempt; /**< NULL: it runs once, whatever comes of it */
    rf_waiter waiter;
} rf_visit;

/* mod_rdsfailover_visit.c */
/** The request that the client sent, behind any internal redirects. */
request_rec *rf_visit_as_sent(const request_rec *r);
/** @return NULL if nothing has happened to it yet */
rf_visit *rf_visit_known(const request_rec *r);
/** The same, made if it must be. */
rf_visit *rf_visit_of(request_rec *r, rf_database *db);
/** It executes from now on / not any more. Either may be said twice. */
void rf_visit_runs(rf_visit *v);
void rf_visit_rests(rf_visit *v);
/** It leaves the queue, or gives back its place to run, whichever it has. */
void rf_visit_wait_is_over(rf_visit *v);
/** For LogFormat: the notes of the request that was served in the end. */
void rf_visit_note(request_rec *last, const rf_visit *v);

/* mod_rdsfailover_hold.c */
/** A request that may use the database meets a database that has no writer, or whose queue is being let go.
 *  @return what fixups returns: DECLINED go on, SUSPENDED it waits without a worker, DONE answered, 307 sent round */
int rf_hold_request(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_brief *brief);
/** The wait without a worker has ended. @return as rf_hold_request */
int rf_hold_settle(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_brief *brief);
/** It ran, failed, and may run again: now, or after the outage with all the others. @return as rf_hold_request; DECLINED: run it */
int rf_hold_again(request_rec *r, const rf_dir_conf *dir, rf_visit *v);

/* mod_rdsfailover_replay.c */
/** fixups: this one may have to run again. Harmless if that was known. @param dry say so, and run it once */
void rf_replay_arm(rf_visit *v, const rf_dir_conf *dir, int dry);
/** A connection comes back whose request waited between two attempts. @return as ap_run_fixups, for the handler to be invoked */
int rf_replay_resume(request_rec *r);
/** What became of an answer that was withheld, if one was: another took its place, or none does. */
void rf_replay_result(rf_visit *v, int failed);
/** The request ends: it does not run again, if it was to. */
void rf_replay_end(rf_visit *v);

/* mod_rdsfailover_withhold.c */
typedef enum {
    RF_ANSWER_OPEN,    /**< nothing of it was seen yet */
    RF_ANSWER_PASSED,  /**< it goes out, or has */
    RF_ANSWER_WITHHELD /**< it is swallowed, and the request runs again */
} rf_answer;
/**
 * The moment of decision: the first of the answer comes by, or the handler returned and nothing did. May ask the monitor, and block
 * for that (rf_blame_database).
 * @param last   the request that was served in the end
 * @param status of the answer
 * @return not RF_ANSWER_OPEN
 */
rf_answer rf_withhold_judge(rf_visit *v, const request_rec *last, int status);
/** The handlers of `last` returned this. Judges if nothing of the answer has come by, and nothing more will. */
void rf_withhold_returned(rf_visit *v, const request_rec *last, int rc);
apr_status_t rf_withhold_filter(ap_filter_t *f, apr_bucket_brigade *bb);

/* mod_rdsfailover_body.c */
typedef struct rf_body rf_body;
/** @param most bytes kept of it */
rf_body *rf_body_create(apr_pool_t *p, apr_size_t most);
/** From its beginning, for the next attempt. */
void rf_body_rewind(rf_body *body);
/** Nobody will want it again: keep no more. */
void rf_body_forget(rf_body *body);
/** @return 0 if some of what was read is not there any more */
int rf_body_kept(const rf_body *body);
apr_status_t rf_body_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t readbytes);

/** All of it in the pool of the request; what an attempt allocates is in `pool` and goes with it. */
struct rf_attempt {
    apr_pool_t *pool;  /**< of the attempt that runs; NULL between two */
    apr_pool_t *own;   /**< the request's */
    const request_rec *as_sent; /**< the request as every attempt finds it; NULL before the first */
    rf_answer answer;
    uint32_t epoch;    /**< in which the attempt began */
    int running;       /**< inside the handlers of the request that the client sent */
    request_rec *inside; /**< whose handlers run; of nested redirects the innermost */
    int has_place;     /**< among the second attempts, kept for the next one */
    int owed;          /**< an answer was withheld, and no other has taken its place yet */
    int reading;       /**< the body from the connection */
    rf_body *body;
    unsigned most;     /**< attempts */
    rf_replay_mode mode;
    int dry;           /**< RDSFailoverDryRun */
    void *snapshot;    /**< mod_rdsfailover_replay.c */
};

/* mod_rdsfailover_blame.c */
/** A protected request just failed that began in this epoch: ask the monitor. Blocks, at most for the deadline of a probe.
 *  @return 1 if it was the database */
int rf_blame_database(const rf_database *db, uint32_t began);

#endif /* MOD_RDSFAILOVER_VISIT_H */
