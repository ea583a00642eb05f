/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_blocking.c
 * @brief Waiting with a worker: on an MPM that cannot do without, in a stream of HTTP/2, behind an internal redirect.
 *
 * Layer:   glue.
 * Threads: the worker that has the request. It sleeps on a word of the board, which the monitor and others change.
 */
#include "mod_rdsfailover_waiting.h"

#include <apr_portable.h>
#include <http_core.h>
#include <poll.h>

#include "rf_io_futex.h"

/* Is the client still there? One that closed its sending side counts as gone, as in nginx. */
static int client_left(request_rec *r)
{
    conn_rec *c = r->connection->master ? r->connection->master : r->connection;
    apr_socket_t *socket = ap_get_conn_socket(c);
    struct pollfd look = { .events = POLLRDHUP };

    /* A stream of HTTP/2 is reset by itself; its master lives on. */
    if (c->aborted || r->connection->aborted)
        return 1;
    if (!socket || apr_os_sock_get(&look.fd, socket) != APR_SUCCESS)
        return 0;
    /* The worker MPM closes its workers' sockets when it stops, and waits for them. */
    return look.fd < 0 || (poll(&look, 1, 0) == 1 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

rf_hold_verdict rf_waiting_block(rf_waiter *w, request_rec *r)
{
    atomic_uint *word = rf_board_wake_word(rf_life_board(), rf_life_child());

    for (;;) {
        unsigned seen = atomic_load_explicit(word, memory_order_acquire);
        rf_time next;
        rf_hold_verdict verdict = rf_waiting_look(w, rf_clock_now(), &next);

        if (verdict != RF_HOLD_WAIT)
            return verdict;
        if (client_left(r))
            rf_waiting_abort(w);
        else
            rf_io_futex_wait(word, seen, next);
    }
}
