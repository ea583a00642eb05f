/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_hold.c
 * @brief One request waits for a writer: on what terms, in which of the two ways, and what it gets in the end.
 *
 * Layer:   glue. rf_hold.c decides, mod_rdsfailover_waiting.c keeps the queue.
 * Threads: the worker that has the request.
 *
 * The body of a request that has not run stays unread, so it can be of any size. An asynchronous wait leaves from here with
 * SUSPENDED and comes back through rf_hold_settle; a blocking one does both in one call.
 */
#include "mod_rdsfailover_visit.h"

#include <http_log.h>

#include "rf_state.h"

APLOG_USE_MODULE(rdsfailover);

/* The hold ended without a writer. @return what fixups returns: DECLINED to go on, DONE if the request is answered */
static int end(request_rec *r, const rf_dir_conf *dir, rf_visit *v)
{
    v->over = 1;
    return dir->ending == RF_ENDING_PASS ? DECLINED : rf_ending_send(r, v->outcome != RF_OUTCOME_UNKNOWN);
}

static int leave_for_client(request_rec *r)
{
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    r->status = RF_STATUS_CLIENT_LEFT;
    return DONE;
}

static int act_on(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_hold_verdict verdict)
{
    switch (verdict) {
    case RF_HOLD_ABORT:
        return leave_for_client(r);
    case RF_HOLD_EXPIRE:
        return end(r, dir, v);
    case RF_HOLD_REDIRECT:
        return rf_round_send(r, v->db, v->arrival);
    case RF_HOLD_PASS:
        v->over = 1;
        return DECLINED;
    default:
        return DECLINED;
    }
}

/* It counts as executing before the board is read, as in the gate. The wait may have taken minutes. */
static int settle(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_hold_verdict verdict, rf_brief *brief)
{
    int rc;

    rf_visit_runs(v);
    rf_slot_brief(v->db->slot, brief);
    v->held += v->waiter.left - v->waiter.began;
    v->recovering = brief->state == RF_STATE_RECOVERING;
    rc = act_on(r, dir, v, verdict);
    if (rc != DECLINED)
        rf_visit_rests(v);
    return rc;
}

/* The visitor's times are of the wall clock, which other hosts share; waiting is by the monotonic one, which nobody sets. */
static void set_terms(request_rec *r, const rf_dir_conf *dir, rf_visit *v)
{
    rf_time ago = apr_time_now() - r->request_time, came = apr_time_now() - v->arrival, now = rf_clock_now();
    rf_time leg = rf_config_leg(dir);
    rf_waiter *w = &v->waiter;

    /* A host that was started a minute ago may have a visitor who came before. */
    w->ticket.arrival = now > came ? now - came : 1;
    w->terms.ends = now - came + rf_config_longest(dir);
    w->terms.leg_ends = leg ? now - ago + leg : RF_TIME_NEVER;
    w->terms.roundable = rf_round_possible(r);
    w->then_pass = dir->ending == RF_ENDING_PASS;
}

int rf_hold_request(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_brief *brief)
{
    rf_waiter *w = &v->waiter;
    rf_time now = rf_clock_now();
    rf_state_name state = rf_brief_state(brief, now);
    int ordered = rf_hold_ordered(brief, now);
    rf_joined joined;

    /* It may have run until now, and be held again for what it was redirected to. */
    rf_visit_wait_is_over(v);
    w->db = v->db;
    w->is_stream = r->connection->master != NULL;
    if (state == RF_STATE_RECOVERING && !ordered && rf_waiting_start(w, brief)) {
        v->recovering = 1;
        rf_async_started(r, w);
        return DECLINED;
    }
    set_terms(r, dir, v);
    v->suspended = rf_async_prepare(r, w);
    joined = rf_waiting_join(w);
    if (joined != RF_JOINED) {
        rf_async_over(r, w);
        v->suspended = 0;
        if (joined == RF_JOINED_NO_MEMORY)
            return DECLINED;
        /* While the database may well answer nobody is turned away: it is slow for a moment, or busy with others, as without us.
         * An operator who has ordered a hold wants nothing to run. */
        if (state != RF_STATE_OUTAGE && !ordered)
            return DECLINED;
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0301: no place left to wait for %s; see capacity in the status", v->db->name);
        return end(r, dir, v);
    }
    v->was_held = 1;
    rf_visit_rests(v);
    if (v->suspended)
        return rf_async_suspend(r, w);
    return settle(r, dir, v, rf_waiting_block(w, r), brief);
}

int rf_hold_settle(request_rec *r, const rf_dir_conf *dir, rf_visit *v, rf_brief *brief)
{
    v->suspended = 0;
    return settle(r, dir, v, rf_waiting_verdict(&v->waiter), brief);
}

int rf_hold_again(request_rec *r, const rf_dir_conf *dir, rf_visit *v)
{
    rf_time now = rf_clock_now();
    rf_brief brief;

    if (!rf_slot_brief(v->db->slot, &brief))
        return DECLINED;
    if (dir->hold != 0 && rf_hold_queues_now(&brief, now))
        return rf_hold_request(r, dir, v, &brief);
    rf_visit_wait_is_over(v);
    /* A writer is there; but it may have failed so late that what stands in front would not see its second answer. */
    set_terms(r, dir, v);
    return rf_hold_judge(&v->waiter.terms, now) == RF_HOLD_REDIRECT ? rf_round_send(r, v->db, v->arrival) : DECLINED;
}
