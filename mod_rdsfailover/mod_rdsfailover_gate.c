/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_gate.c
 * @brief Before anything of a protected request is executed: let it pass, or have it wait for a writer.
 *
 * Layer:   glue. rf_hold.c decides; this file asks httpd for the facts and waits.
 * Threads: any number of workers. Nothing is written but counters; while the database is available a request costs one read
 *          of the board and its environment, no lock and no system call.
 *
 * The body of a waiting request stays unread, so it can be of any size and nothing of it can have been done twice.
 */
#include "mod_rdsfailover.h"

#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rf_hold.h"
#include "rf_state.h"

APLOG_USE_MODULE(rdsfailover);

/* How often a waiting request looks whether its client is still there. */
#define CLIENT_LOOK RF_MS(250)

/* nginx's number for a client that left; the access log of either server then reads the same. */
#define STATUS_CLIENT_LEFT 499

/* What a visitor's request has been through, kept across internal redirects (per-directory rewrites, ErrorDocument). */
typedef struct visit {
    rf_time began; /* when it was first held; 0: never */
    rf_time held;  /* in all */
    int over;      /* its hold ended without a writer: it is not held again, whatever it is redirected to */
} visit;

static visit *visit_of(request_rec *r)
{
    request_rec *q = r;
    visit *v;

    while (q->prev)
        q = q->prev;
    v = ap_get_module_config(q->request_config, &rdsfailover_module);
    if (!v) {
        v = apr_pcalloc(q->pool, sizeof *v);
        ap_set_module_config(q->request_config, &rdsfailover_module, v);
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

/* Is the client still there? One that closed its sending side counts as gone, as in nginx. */
static int client_left(request_rec *r)
{
    conn_rec *c = r->connection->master ? r->connection->master : r->connection;
    apr_socket_t *socket = ap_get_conn_socket(c);
    struct pollfd look = { .events = POLLRDHUP };

    /* A stream of HTTP/2 is reset by itself; its master lives on. */
    if (c->aborted || r->connection->aborted)
        return 1;
    return socket && apr_os_sock_get(&look.fd, socket) == APR_SUCCESS && poll(&look, 1, 0) == 1 &&
           (look.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void sleep_on(atomic_uint *word, unsigned seen, rf_time duration)
{
    struct timespec t = { .tv_sec = duration / 1000000, .tv_nsec = duration % 1000000 * 1000 };

    /* Not FUTEX_PRIVATE: the monitor that wakes us is another process. */
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}

/* Wait in the queue. `brief` is as last read when this returns. @return how the request left it */
static rf_count wait_for_writer(request_rec *r, rf_database *db, rf_brief *brief, rf_time expires)
{
    atomic_uint *word = rf_slot_wake_word(db->slot);

    for (;;) {
        unsigned seen = atomic_load_explicit(word, memory_order_acquire);
        rf_time now, look_again = 0;

        rf_slot_brief(db->slot, brief);
        now = rf_clock_now();
        switch (rf_hold_judge(brief, expires, now, &look_again)) {
        case RF_HOLD_RELEASE:
            return RF_COUNT_RELEASED;
        case RF_HOLD_PASS:
            return RF_COUNT_PASSED;
        case RF_HOLD_EXPIRE:
            return RF_COUNT_EXPIRED;
        case RF_HOLD_WAIT:
            break;
        }
        if (client_left(r))
            return RF_COUNT_ABORTED;
        sleep_on(word, seen, look_again - now < CLIENT_LOOK ? look_again - now : CLIENT_LOOK);
    }
}

/* The hold ended without a writer. @return what fixups returns: DECLINED to go on, DONE if the request is answered */
static int end(request_rec *r, rf_database *db, rf_ending ending, visit *v)
{
    v->over = 1;
    return ending == RF_ENDING_PASS ? DECLINED : rf_ending_send(r, db);
}

static int leave_for_client(request_rec *r)
{
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    r->status = STATUS_CLIENT_LEFT;
    return DONE;
}

static int hold(request_rec *r, rf_database *db, const rf_dir_conf *dir, visit *v, rf_brief *brief)
{
    rf_ending ending = dir->ending == RF_ENDING_PASS ? RF_ENDING_PASS : RF_ENDING_ERROR;
    rf_time longest = dir->hold == RF_HOLD_UNSET ? RF_HOLD_DEFAULT : dir->hold;
    rf_time began = rf_clock_now();
    rf_count how;

    if (rf_life_child() < 0)
        return DECLINED;
    if (!rf_slot_enter(rf_life_board(), db->slot, rf_life_child(), rf_life_capacity(), rf_life_child_capacity())) {
        /* On a mere suspicion nobody is turned away: the database may be slow for a moment, as without us. */
        if (rf_brief_state(brief, began) == RF_STATE_SUSPECT)
            return DECLINED;
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0301: no place left to wait for %s; see hold.capacity in the status",
                      db->name);
        return end(r, db, ending, v);
    }
    if (!v->began)
        v->began = began;
    how = wait_for_writer(r, db, brief, v->began + longest);
    if (how == RF_COUNT_EXPIRED && ending == RF_ENDING_PASS)
        how = RF_COUNT_PASSED;
    rf_slot_leave(rf_life_board(), db->slot, rf_life_child(), how);
    v->held += rf_clock_now() - began;

    switch (how) {
    case RF_COUNT_ABORTED:
        return leave_for_client(r);
    case RF_COUNT_EXPIRED:
        return end(r, db, ending, v);
    case RF_COUNT_PASSED:
        v->over = 1;
        return DECLINED;
    default:
        return DECLINED;
    }
}

/* Only called while requests wait. @return as hold */
static int gate(request_rec *r, rf_server_conf *conf, const rf_dir_conf *dir, rf_brief *brief)
{
    rf_request_facts facts = facts_of(r);
    visit *v;

    if (!rf_hold_concerns(&facts))
        return DECLINED;
    if (conf->dry_run == 1) {
        rf_slot_count(conf->database->slot, RF_COUNT_DRY);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "RF0302: dry run: %s would wait for %s", r->uri, conf->database->name);
        return DECLINED;
    }
    v = visit_of(r);
    return v->over ? DECLINED : hold(r, conf->database, dir, v, brief);
}

/* mod_log_config reads notes of the request that was served in the end, which a redirect may have made anew. */
static void note_hold(request_rec *r)
{
    const request_rec *q = r;
    const visit *v;

    while (q->prev)
        q = q->prev;
    v = ap_get_module_config(q->request_config, &rdsfailover_module);
    if (v && v->began)
        apr_table_setn(r->notes, "rdsfailover-held", apr_psprintf(r->pool, "%" APR_INT64_T_FMT, v->held / 1000));
}

int rf_gate_fixups(request_rec *r)
{
    const rf_dir_conf *dir = rf_config_dir(r);
    rf_server_conf *conf;
    rf_brief brief;
    int rc = DECLINED;

    if (r->main || r->prev)
        rf_env_clear(r);
    if (dir->enabled != 1)
        return DECLINED;
    conf = rf_config_server(r->server);
    if (!conf->database || !rf_slot_brief(conf->database->slot, &brief))
        return DECLINED;

    /* As published first: while all is well that spares a look at the clock. */
    if (dir->hold != 0 && rf_state_holds((rf_state_name)brief.state) &&
        rf_state_holds(rf_brief_state(&brief, rf_clock_now())))
        rc = gate(r, conf, dir, &brief);
    note_hold(r);
    if (rc == DECLINED)
        rf_env_set(r, conf->database, &brief);
    return rc;
}

int rf_gate_log_transaction(request_rec *r)
{
    const request_rec *last = r;

    while (last->next)
        last = last->next;
    if (last->status >= HTTP_INTERNAL_SERVER_ERROR && rf_config_dir(r)->enabled == 1 && rf_config_server(r->server)->database)
        rf_life_wake_monitor();
    return DECLINED;
}
