/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_gate.c
 * @brief Before anything of a protected request is executed: let it pass, or have it wait for a writer.
 *
 * Layer:   glue. rf_hold.c decides; this file asks httpd for the facts and acts on what became of a request.
 * Threads: any number of workers. Nothing is written but counters; while the database is available a request costs one read
 *          of the board and its environment, no lock and no system call.
 *
 * The body of a waiting request stays unread, so it can be of any size and nothing of it can have been done twice.
 *
 * An asynchronous wait comes through here twice: the first time fixups answers SUSPENDED, the second time (from
 * mod_rdsfailover_async.c) the verdict is there. A blocking wait does both in one call.
 */
#include "mod_rdsfailover_waiting.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>

#include "rf_hold.h"
#include "rf_state.h"

APLOG_USE_MODULE(rdsfailover);

/* What a visitor's request has been through, kept across internal redirects (per-directory rewrites, ErrorDocument). */
typedef struct visit {
    request_rec *r;     /* as the client sent it */
    apr_time_t arrival; /* of the visitor: before the request if he was sent round */
    rf_time held;       /* here, in all */
    int was_held;
    int suspended;      /* waits without a worker, or did until now */
    int over;           /* its hold ended without a writer: it is not held again, whatever it is redirected to */
    int recovering;     /* let go while others were */
    rf_waiter waiter;
} visit;

static const request_rec *as_sent(const request_rec *r)
{
    while (r->prev)
        r = r->prev;
    return r;
}

/* @return NULL if nothing has happened to it yet */
static visit *visit_known(const request_rec *r)
{
    return ap_get_module_config(as_sent(r)->request_config, &rdsfailover_module);
}

static void wait_is_over(visit *v)
{
    if (v->waiter.db) {
        rf_waiting_over(&v->waiter);
        rf_async_over(v->r, &v->waiter);
    }
}

static apr_status_t visit_ends(void *data)
{
    wait_is_over(data);
    return APR_SUCCESS;
}

static visit *visit_of(request_rec *r)
{
    visit *v = visit_known(r);

    if (!v) {
        while (r->prev)
            r = r->prev;
        v = apr_pcalloc(r->pool, sizeof *v);
        v->r = r;
        v->arrival = r->request_time;
        v->waiter.wake_fd = v->waiter.watch = -1;
        ap_set_module_config(r->request_config, &rdsfailover_module, v);
        /* Before its own pools: what is below may be gone by then. */
        apr_pool_pre_cleanup_register(r->pool, v, visit_ends);
    }
    return v;
}

/* Set for the request as the client sent it, the variable counts for whatever it is redirected to. "*" is httpd talking to
 * itself (OPTIONS * wakes idle children) or asks about the server as a whole. */
static int is_exempt(const request_rec *r)
{
    const request_rec *q;

    for (q = r; q; q = q->prev) {
        if (apr_table_get(q->subprocess_env, "no-rdsfailover") || !strcmp(q->uri, "*"))
            return 1;
    }
    return 0;
}

/* Only mod_rewrite's rules for a directory redirect before anything has run. An ErrorDocument, or a script's own redirect, comes
 * after: that request has executed. */
static int has_executed(const request_rec *r)
{
    const request_rec *q;

    for (q = r->prev; q; q = q->prev) {
        if (!q->handler || strcmp(q->handler, "redirect-handler"))
            return 1;
    }
    return 0;
}

/* Handlers are also found by content type: AddType application/x-httpd-php is how many sites enable PHP. */
static int type_is_handler(const char *type)
{
    return type && !strncmp(type, "application/x-httpd-", 20);
}

static rf_request_facts facts_of(request_rec *r)
{
    rf_request_facts facts = { 0 };
    const char *handler = r->handler;

    facts.subrequest = r->main != NULL;
    facts.executed = has_executed(r);
    facts.exempt = is_exempt(r);
    facts.status_page = handler && (!strcmp(handler, "rds-status") || !strcmp(handler, "server-status"));
    facts.regular_file = r->finfo.filetype == APR_REG && r->path_info && !*r->path_info;
    facts.own_handler = (handler && strcmp(handler, "default-handler")) || (!handler && type_is_handler(r->content_type));
    facts.proxied = r->proxyreq != PROXYREQ_NONE || (r->filename && !strncmp(r->filename, "proxy:", 6));
    facts.parsed = (ap_allow_options(r) & OPT_INCLUDES) && r->content_type && !strncmp(r->content_type, "text/html", 9);
    return facts;
}

/* The hold ended without a writer. @return what fixups returns: DECLINED to go on, DONE if the request is answered */
static int end(request_rec *r, rf_database *db, const rf_dir_conf *dir, visit *v)
{
    v->over = 1;
    return dir->ending == RF_ENDING_PASS ? DECLINED : rf_ending_send(r, db);
}

static int leave_for_client(request_rec *r)
{
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    r->status = RF_STATUS_CLIENT_LEFT;
    return DONE;
}

/* The wait is over. `brief` is read again, because that may have taken minutes. */
static int settle(request_rec *r, rf_database *db, const rf_dir_conf *dir, visit *v, rf_hold_verdict verdict, rf_brief *brief)
{
    rf_slot_brief(db->slot, brief);
    v->held += v->waiter.left - v->waiter.began;
    v->recovering = brief->state == RF_STATE_RECOVERING;
    switch (verdict) {
    case RF_HOLD_ABORT:
        return leave_for_client(r);
    case RF_HOLD_EXPIRE:
        return end(r, db, dir, v);
    case RF_HOLD_REDIRECT:
        return rf_round_send(r, db, v->arrival);
    case RF_HOLD_PASS:
        v->over = 1;
        return DECLINED;
    default:
        return DECLINED;
    }
}

/* The visitor's times are of the wall clock, which other hosts share; waiting is by the monotonic one, which nobody sets. */
static void set_terms(request_rec *r, const rf_dir_conf *dir, visit *v)
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

static int hold(request_rec *r, rf_database *db, const rf_dir_conf *dir, visit *v, rf_brief *brief)
{
    rf_waiter *w = &v->waiter;
    rf_state_name state = rf_brief_state(brief, rf_clock_now());

    /* It may have run until now, and be held again for what it was redirected to. */
    wait_is_over(v);
    w->db = db;
    if (state == RF_STATE_RECOVERING && rf_waiting_start(w, brief)) {
        v->recovering = 1;
        rf_async_started(r, w);
        return DECLINED;
    }
    set_terms(r, dir, v);
    v->suspended = rf_async_prepare(r, w);
    if (!rf_waiting_join(w)) {
        rf_async_over(r, w);
        v->suspended = 0;
        /* While the database may well answer nobody is turned away: it is slow for a moment, or busy with others, as without us. */
        if (state != RF_STATE_OUTAGE)
            return DECLINED;
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0301: no place left to wait for %s; see capacity in the status", db->name);
        return end(r, db, dir, v);
    }
    v->was_held = 1;
    if (v->suspended)
        return rf_async_suspend(r, w);
    return settle(r, db, dir, v, rf_waiting_block(w, r), brief);
}

/* Only called while requests wait, or are let go. @return as hold */
static int gate(request_rec *r, rf_server_conf *conf, const rf_dir_conf *dir, visit *v, rf_brief *brief)
{
    rf_request_facts facts = facts_of(r);

    if (!rf_hold_concerns(&facts) || rf_life_child() < 0)
        return DECLINED;
    if (conf->dry_run == 1) {
        if (brief->state == RF_STATE_RECOVERING)
            return DECLINED;
        rf_slot_count(conf->database->slot, RF_COUNT_DRY);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0302: dry run: %s would wait for %s", r->uri, conf->database->name);
        return DECLINED;
    }
    if (!v)
        v = visit_of(r);
    /* What was let go goes on through its redirects, unless the writer is lost again. */
    if (v->over || (v->waiter.runs && brief->state == RF_STATE_RECOVERING))
        return DECLINED;
    return hold(r, conf->database, dir, v, brief);
}

/* mod_log_config reads notes of the request that was served in the end, which a redirect may have made anew. */
static void note_hold(request_rec *r, const visit *v)
{
    if (v && v->was_held)
        apr_table_setn(r->notes, "rdsfailover-held", apr_psprintf(r->pool, "%" APR_INT64_T_FMT, v->held / 1000));
}

/* A visitor who was sent round brings his place along. */
static visit *take_place(request_rec *r, rf_database *db, const rf_dir_conf *dir)
{
    apr_time_t arrival = rf_round_arrival(r, db, rf_config_longest(dir));
    visit *v;

    if (arrival == r->request_time)
        return NULL;
    v = visit_of(r);
    v->arrival = arrival;
    return v;
}

int rf_gate_fixups(request_rec *r)
{
    const rf_dir_conf *dir = rf_config_dir(r);
    rf_server_conf *conf;
    rf_brief brief;
    visit *v;
    int rc = DECLINED;

    if (r->main || r->prev)
        rf_env_clear(r);
    if (dir->enabled != 1)
        return DECLINED;
    conf = rf_config_server(r->server);
    if (!conf->database || !rf_slot_brief(conf->database->slot, &brief))
        return DECLINED;

    v = visit_known(r);
    if (!v && !r->main && !r->prev)
        v = take_place(r, conf->database, dir);
    if (v && v->suspended && r == v->r) {
        v->suspended = 0;
        rc = settle(r, conf->database, dir, v, rf_waiting_verdict(&v->waiter), &brief);
    } else if (dir->hold != 0 && rf_hold_queues((rf_state_name)brief.state) &&
               rf_hold_queues(rf_brief_state(&brief, rf_clock_now()))) {
        /* As published first: while all is well that spares a look at the clock. */
        rc = gate(r, conf, dir, v, &brief);
        v = visit_known(r);
    }
    note_hold(r, v);
    if (rc == DECLINED)
        rf_env_set(r, conf->database, &brief);
    return rc;
}

int rf_gate_log_transaction(request_rec *r)
{
    const rf_database *db = rf_config_server(r->server)->database;
    const request_rec *last = r;
    const visit *v;

    while (last->next)
        last = last->next;
    if (last->status < HTTP_INTERNAL_SERVER_ERROR || rf_config_dir(r)->enabled != 1 || !db)
        return DECLINED;
    rf_life_wake_monitor();
    v = visit_known(r);
    if (v && v->recovering && !v->over)
        rf_slot_count(db->slot, RF_COUNT_TROUBLED);
    return DECLINED;
}
