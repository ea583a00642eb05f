/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_visit.c
 * @brief The record of a visitor's request.
 *
 * Layer:   glue. See mod_rdsfailover_visit.h.
 * Threads: of the worker that has the request.
 */
#include "mod_rdsfailover_visit.h"

#include <apr_strings.h>

request_rec *rf_visit_as_sent(const request_rec *r)
{
    while (r->prev)
        r = r->prev;
    return (request_rec *)r;
}

rf_visit *rf_visit_known(const request_rec *r)
{
    return ap_get_module_config(rf_visit_as_sent(r)->request_config, &rdsfailover_module);
}

void rf_visit_runs(rf_visit *v)
{
    if (!v->inflight)
        rf_slot_more(rf_life_board(), v->db->slot, rf_life_child(), RF_NOW_INFLIGHT);
    v->inflight = 1;
}

void rf_visit_rests(rf_visit *v)
{
    if (v->inflight)
        rf_slot_less(rf_life_board(), v->db->slot, rf_life_child(), RF_NOW_INFLIGHT);
    v->inflight = 0;
}

void rf_visit_wait_is_over(rf_visit *v)
{
    if (v->waiter.db) {
        rf_waiting_over(&v->waiter);
        rf_async_over(v->r, &v->waiter);
    }
}

static apr_status_t ends(void *data)
{
    rf_visit *v = data;

    rf_visit_wait_is_over(v);
    rf_visit_rests(v);
    rf_replay_end(v);
    return APR_SUCCESS;
}

rf_visit *rf_visit_of(request_rec *r, rf_database *db)
{
    rf_visit *v = rf_visit_known(r);

    if (!v) {
        r = rf_visit_as_sent(r);
        v = apr_pcalloc(r->pool, sizeof *v);
        v->r = r;
        v->db = db;
        v->arrival = r->request_time;
        v->waiter.wake_fd = v->waiter.watch = -1;
        ap_set_module_config(r->request_config, &rdsfailover_module, v);
        /* Before its own pools: what is below may be gone by then. */
        apr_pool_pre_cleanup_register(r->pool, v, ends);
    }
    return v;
}

void rf_visit_note(request_rec *last, const rf_visit *v)
{
    if (v->was_held)
        apr_table_setn(last->notes, "rdsfailover-held", apr_psprintf(last->pool, "%" APR_INT64_T_FMT, v->held / 1000));
    if (v->attempts)
        apr_table_setn(last->notes, "rdsfailover-attempts", v->attempts == 1 ? "1" : apr_psprintf(last->pool, "%u", v->attempts));
    if (v->outcome != RF_OUTCOME_NONE)
        apr_table_setn(last->notes, "rdsfailover-outcome", rf_replay_outcome_text(v->outcome));
}
