/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_async.c
 * @brief Waiting without a worker: a connection whose request is held is parked inside the event MPM.
 *
 * Layer:   glue.
 * Threads: a connection belongs to one worker at a time, or to the MPM while it is parked; the watch and others only write to
 *          its eventfd.
 *
 * The request is suspended at fixups, before anything of it is executed. The connection is then given to the MPM as one that
 * waits for its client (CONN_STATE_ASYNC_WAITIO), but in place of the client's socket the MPM polls an eventfd. A word to that
 * brings the connection to a worker, as if the client had sent something; the hooks that run on suspend and resume change the
 * descriptors before and after. So the MPM never loses the connection: keep-alive, pipelining, TLS, graceful restart and stop
 * work as ever, and there is nothing here that closes or frees.
 *
 *     fixups          SUSPENDED                                                     (rf_async_suspend)
 *     worker          process_connection returns -> ASYNC_WAITIO                    (park)
 *     MPM             suspend_connection: socket -> eventfd; polls                  (rf_async_suspend_connection)
 *     watch           writes to the eventfd                                         (mod_rdsfailover_waiting.c)
 *     MPM             resume_connection: eventfd -> socket                          (rf_async_resume_connection)
 *     worker          process_connection: fixups or another attempt, the handler   (go_on)
 *
 * Before httpd 2.4.63 there is no ASYNC_WAITIO; a connection in WRITE_COMPLETION that wants to read and has "clogging" input
 * filters waits in the same way, which is how mod_http2 does it there (modules/http2/h2_conn.c).
 */
#include "mod_rdsfailover_visit.h"

#include <ap_mpm.h>
#include <apr_portable.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <scoreboard.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <util_filter.h>

#include "rf_state.h"

APLOG_USE_MODULE(rdsfailover);

/* A build for an older httpd can be tried on a newer one. */
#if defined(AP_MPMQ_CAN_WAITIO) && !defined(RF_WITHOUT_WAITIO)
#define HAVE_WAITIO 1
#else
#define HAVE_WAITIO 0
#endif

/* A request that waits is woken this much before the MPM would close its connection for want of activity. */
#define RENEWALS_PER_TIMEOUT 2

typedef struct async_conn {
    request_rec *held;  /* suspended by us, or NULL */
    rf_waiter *waiter;  /* of `held`; or of a request that runs and holds a place; else NULL */
    int inside;         /* the other modules' process_connection is running */
    int parking;        /* the MPM is about to take it */
    int parked;         /* the MPM polls the eventfd in place of `socket` */
    apr_os_sock_t socket;
    unsigned clogging;  /* c->clogging_input_filters as it was */
} async_conn;

static int available, can_waitio;

static async_conn *record_of(conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &rdsfailover_module);
}

static apr_status_t stop_watch(void *unused)
{
    rf_watch_stop();
    return APR_SUCCESS;
}

void rf_async_child_init(apr_pool_t *pchild, server_rec *s)
{
    int is_async = 0;

    ap_mpm_query(AP_MPMQ_IS_ASYNC, &is_async);
#if HAVE_WAITIO
    ap_mpm_query(AP_MPMQ_CAN_WAITIO, &can_waitio);
#endif
    available = is_async && rf_life_child() >= 0;
    if (available)
        apr_pool_pre_cleanup_register(pchild, NULL, stop_watch);
}

/* --- when the request has been read ----------------------------------------------------------------------------------------- */

/* Has the client already sent its next request behind this one? Looking has a side effect that is worth as much: see
 * rf_async_post_read_request. */
static int read_ahead(request_rec *r)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb;
    int more;

    if (apr_table_get(r->headers_in, "Content-Length") || apr_table_get(r->headers_in, "Transfer-Encoding"))
        return 0;
    bb = apr_brigade_create(r->pool, c->bucket_alloc);
    more = ap_get_brigade(c->input_filters, bb, AP_MODE_SPECULATIVE, APR_NONBLOCK_READ, 1) == APR_SUCCESS &&
           !APR_BRIGADE_EMPTY(bb);
    apr_brigade_cleanup(bb);
    return more;
}

/* httpd splits each line off what it has read even if nothing is left behind it, and that nothing keeps the read buffer, 8 KB,
 * until somebody reads again (apr_brigade_split_line, and the first lines of ap_core_input_filter). Read now, the buffer is
 * free before the request needs more than the first 8 KB of its pool, and becomes the next. */
int rf_async_post_read_request(request_rec *r)
{
    conn_rec *c = r->connection;
    const rf_database *db = rf_config_server(r->server)->database;
    rf_brief brief;

    if (db && available && !r->main && !r->prev && !c->master && c->cs && rf_slot_brief(db->slot, &brief) &&
        rf_hold_may_queue(&brief))
        read_ahead(r);
    return DECLINED;
}

/* --- at fixups -------------------------------------------------------------------------------------------------------------- */

int rf_async_prepare(request_rec *r, rf_waiter *w)
{
    conn_rec *c = r->connection;
    async_conn *a = available && !r->main && !r->prev && !c->master && c->cs ? record_of(c) : NULL;

    w->wake_fd = -1;
    w->renew = 0;
    if (!a || !a->inside || a->held || !rf_watch_start())
        return 0;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* The MPM counts by the first virtual host of the address, or by the request's own if that sets KeepAliveTimeout
     * (server/mpm/event, event_post_read_request). */
    w->renew = (r->server->timeout < c->base_server->timeout ? r->server->timeout : c->base_server->timeout) / RENEWALS_PER_TIMEOUT;
    return w->wake_fd >= 0;
}

int rf_async_suspend(request_rec *r, rf_waiter *w)
{
    async_conn *a = record_of(r->connection);

    a->held = r;
    a->waiter = w;
    return SUSPENDED;
}

void rf_async_started(request_rec *r, rf_waiter *w)
{
    conn_rec *c = r->connection;
    async_conn *a = available && !c->master ? record_of(c) : NULL;

    if (a && a->inside)
        a->waiter = w;
}

/* --- the descriptors -------------------------------------------------------------------------------------------------------- */

static int lingers(const conn_rec *c)
{
    return c->cs->state == CONN_STATE_LINGER || c->cs->state == CONN_STATE_LINGER_NORMAL ||
           c->cs->state == CONN_STATE_LINGER_SHORT;
}

static void give_eventfd(conn_rec *c, async_conn *a)
{
    apr_socket_t *socket = ap_get_conn_socket(c);
    apr_os_sock_t wake_fd = a->waiter->wake_fd;

    apr_os_sock_get(&a->socket, socket);
    rf_watch_add(a->waiter, a->socket);
    apr_os_sock_put(&socket, &wake_fd, c->pool);
    a->parked = 1;
}

static void give_socket_back(conn_rec *c, async_conn *a)
{
    apr_socket_t *socket = ap_get_conn_socket(c);

    rf_watch_remove(a->waiter, a->socket);
    apr_os_sock_put(&socket, &a->socket, c->pool);
    a->parked = 0;
}

void rf_async_suspend_connection(conn_rec *c, request_rec *r)
{
    async_conn *a = c->master ? NULL : record_of(c);

    if (a && a->parking && a->held && !a->parked && !lingers(c))
        give_eventfd(c, a);
    if (a)
        a->parking = 0;
}

/* Also called when the MPM gives a connection up. After a Timeout it closes whatever descriptor the socket has then. But if its
 * pollset failed, it has closed the eventfd already, and whose that number is now nobody knows. */
void rf_async_resume_connection(conn_rec *c, request_rec *r)
{
    async_conn *a = c->master ? NULL : record_of(c);
    apr_os_sock_t fd = -1;
    uint64_t words;

    if (!a || !a->parked)
        return;
    if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS || fd != a->waiter->wake_fd) {
        rf_watch_remove(a->waiter, a->socket);
        close(a->socket);
        a->waiter->wake_fd = -1;
        a->parked = 0;
        return;
    }
    give_socket_back(c, a);
    if (read(a->waiter->wake_fd, &words, sizeof words) < 0) {
        /* Nobody woke it: the MPM gives the connection up, and the request's pool will go with it. */
    }
}

void rf_async_over(request_rec *r, rf_waiter *w)
{
    async_conn *a = r->connection->master ? NULL : record_of(r->connection);

    if (a && a->waiter == w && a->parked)
        give_socket_back(r->connection, a);
    if (a && a->held == r)
        a->held = NULL;
    if (a && a->waiter == w)
        a->waiter = NULL;
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    w->wake_fd = -1;
}

/* --- in a worker ------------------------------------------------------------------------------------------------------------ */

static void park(conn_rec *c, async_conn *a)
{
    a->parking = 1;
    c->cs->sense = CONN_SENSE_WANT_READ;
#if HAVE_WAITIO
    if (can_waitio) {
        c->cs->state = CONN_STATE_ASYNC_WAITIO;
        return;
    }
#endif
    a->clogging = c->clogging_input_filters;
    c->clogging_input_filters = 1;
    c->cs->state = CONN_STATE_WRITE_COMPLETION;
}

/* As ap_process_async_request (modules/http/http_request.c) goes on after the hooks before fixups. */
static int go_on(conn_rec *c, async_conn *a, request_rec *r)
{
    int rc;

    c->cs->state = CONN_STATE_HANDLER;
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (ap_extended_status)
        ap_time_process_request(c->sbh, START_PREQUEST);
    /* Thousands of connections that stay open after a release are closed by their clients at once, while no worker is idle:
     * httpd 2.4.71 was seen to crash then (server/mpm/event, the chain of deferred closes). */
    if (!read_ahead(r))
        c->keepalive = AP_CONN_CLOSE;

    apr_thread_mutex_lock(r->invoke_mtx);
    a->inside = 1;
    rc = rf_replay_resume(r);
    if (rc == OK)
        rc = ap_invoke_handler(r);
    a->inside = 0;
    apr_thread_mutex_unlock(r->invoke_mtx);
    if (rc == SUSPENDED) {
        c->cs->state = CONN_STATE_SUSPENDED;
        if (a->held)
            park(c, a);
        return OK;
    }
    /* What the answer still needs is the client's time, not the database's. */
    if (a->waiter)
        rf_waiting_finish(a->waiter);
    if (rc != OK && rc != DONE)
        r->status = HTTP_OK;
    ap_die(rc, r);
    ap_process_request_after_handler(r);
    /* The request and its pool are gone. */
    if (c->cs->state != CONN_STATE_WRITE_COMPLETION && c->cs->state != CONN_STATE_SUSPENDED)
        c->cs->state = CONN_STATE_LINGER;
    return OK;
}

/* The MPM brought a parked connection back. */
static int resume(conn_rec *c, async_conn *a)
{
    request_rec *r = a->held;

    if (!HAVE_WAITIO || !can_waitio)
        c->clogging_input_filters = a->clogging;
    if (rf_waiting_verdict(a->waiter) == RF_HOLD_WAIT) {
        park(c, a);
        return OK;
    }
    a->held = NULL;
    return go_on(c, a, r);
}

int rf_async_process_connection(conn_rec *c)
{
    async_conn *a;
    int rc;

    if (!available || c->master || !c->cs)
        return DECLINED;
    a = record_of(c);
    if (!a) {
        a = apr_pcalloc(c->pool, sizeof *a);
        ap_set_module_config(c->conn_config, &rdsfailover_module, a);
    }
    if (a->inside)
        return DECLINED;
    if (a->held)
        return resume(c, a);
    a->inside = 1;
    rc = ap_run_process_connection(c);
    a->inside = 0;
    if (a->held && c->cs->state == CONN_STATE_SUSPENDED)
        park(c, a);
    else if (a->waiter && !a->held)
        rf_waiting_finish(a->waiter);
    return rc;
}
