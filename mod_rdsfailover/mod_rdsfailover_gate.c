/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_gate.c
 * @brief Before anything of a protected request is executed: let it pass, or have it wait for a writer.
 *
 * Layer:   glue. rf_hold.c decides; this file asks httpd for the facts and acts on what became of a request.
 * Threads: any number of workers. Nothing is written but counters; while the database is available a request costs one read
 *          of the board, its environment and two additions to a counter of its process, no lock and no system call.
 *
 * An asynchronous wait comes through here twice: the first time fixups answers SUSPENDED, the second time (from
 * mod_rdsfailover_async.c) the verdict is there.
 */
#include "mod_rdsfailover_visit.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>

#include "rf_hold.h"
#include "rf_state.h"

APLOG_USE_MODULE(rdsfailover);

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
    facts.status_page = handler && (!strcmp(handler, "rds-status") || !strcmp(handler, "server-status") || !strcmp(handler, "server-info"));
    facts.regular_file = r->finfo.filetype == APR_REG && r->path_info && !*r->path_info;
    facts.own_handler = (handler && strcmp(handler, "default-handler")) || (!handler && type_is_handler(r->content_type));
    facts.proxied = r->proxyreq != PROXYREQ_NONE || (r->filename && !strncmp(r->filename, "proxy:", 6));
    facts.parsed = (ap_allow_options(r) & OPT_INCLUDES) && r->content_type && !strncmp(r->content_type, "text/html", 9);
    return facts;
}

/* Only called while requests wait, or are let go. @return as rf_hold_request */
static int gate(request_rec *r, const rf_server_conf *conf, const rf_dir_conf *dir, rf_visit *v, rf_brief *brief)
{
    if (conf->dry_run == 1) {
        if (brief->state == RF_STATE_RECOVERING)
            return DECLINED;
        rf_slot_count(conf->database->slot, RF_COUNT_DRY);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0302: dry run: %s would wait for %s", r->uri, conf->database->name);
        return DECLINED;
    }
    /* What was let go goes on through its redirects, unless the writer is lost again. */
    if (v->over || (v->waiter.runs && brief->state == RF_STATE_RECOVERING))
        return DECLINED;
    return rf_hold_request(r, dir, v, brief);
}

/* A visitor who was sent round brings his place along. */
static void take_place(request_rec *r, rf_database *db, const rf_dir_conf *dir)
{
    apr_time_t arrival = rf_round_arrival(r, db, rf_config_longest(dir));

    if (arrival != r->request_time)
        rf_visit_of(r, db)->arrival = arrival;
}

/* It counts as executing before the board is read: whoever publishes a hold, and then sees nothing execute, has missed nobody. */
static rf_visit *admit(request_rec *r, const rf_server_conf *conf, const rf_dir_conf *dir)
{
    rf_visit *v = rf_visit_of(r, conf->database);

    rf_visit_runs(v);
    if (r == v->r)
        rf_replay_arm(v, dir, conf->dry_run == 1);
    return v;
}

int rf_gate_fixups(request_rec *r)
{
    const rf_dir_conf *dir = rf_config_dir(r);
    rf_request_facts facts;
    rf_server_conf *conf;
    rf_brief brief;
    rf_visit *v = NULL;
    int rc = DECLINED;

    if (r->main || r->prev)
        rf_env_clear(r);
    if (dir->enabled != 1)
        return DECLINED;
    conf = rf_config_server(r->server);
    if (!conf->database)
        return DECLINED;
    if (!r->main && !r->prev)
        take_place(r, conf->database, dir);
    facts = facts_of(r);
    if (rf_hold_concerns(&facts) && rf_life_child() >= 0)
        v = admit(r, conf, dir);
    rf_slot_brief(conf->database->slot, &brief);
    if (v && v->suspended && r == v->r)
        rc = rf_hold_settle(r, dir, v, &brief);
    else if (v && dir->hold != 0 && rf_hold_may_queue(&brief) && rf_hold_queues_now(&brief, rf_clock_now()))
        /* As published first: while all is well that spares a look at the clock. */
        rc = gate(r, conf, dir, v, &brief);
    if (rc == DECLINED) {
        const rf_visit *known = r->main ? NULL : rf_visit_known(r);

        rf_env_set(r, conf->database, &brief, known && known->attempts ? known->attempts : 1);
        if (v && v->attempt && r == v->r)
            v->attempt->epoch = brief.epoch;
    }
    return rc;
}

int rf_gate_log_transaction(request_rec *r)
{
    const rf_database *db = rf_config_server(r->server)->database;
    request_rec *last = r;
    const rf_visit *v = rf_visit_known(r);

    while (last->next)
        last = last->next;
    if (v)
        rf_visit_note(last, v);
    if (last->status < HTTP_INTERNAL_SERVER_ERROR || rf_config_dir(r)->enabled != 1 || !db)
        return DECLINED;
    /* One that may run again has asked already: mod_rdsfailover_blame.c. */
    if (!v || !v->attempt)
        rf_life_wake_monitor();
    if (v && v->recovering && !v->over)
        rf_slot_count(db->slot, RF_COUNT_TROUBLED);
    return DECLINED;
}
