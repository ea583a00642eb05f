/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_WAITING_H
#define MOD_RDSFAILOVER_WAITING_H
/**
 * @file mod_rdsfailover_waiting.h
 * @brief Requests that wait in this process: what the gate, the asynchronous connections and the watch share.
 *
 * Layer: glue.
 *
 * mod_rdsfailover_gate.c decides which requests wait, mod_rdsfailover_waiting.c keeps the queues and lets them go,
 * mod_rdsfailover_blocking.c has a worker sleep, mod_rdsfailover_async.c parks a connection without one, mod_rdsfailover_watch.c is the
 * thread that wakes those.
 */
#include "mod_rdsfailover.h"
#include "rf_hold.h"
#include "rf_queue.h"

/** nginx's number for a client that left; the access log of either server then reads the same. */
#define RF_STATUS_CLIENT_LEFT 499

/** One visitor's place. In the pool of the request as the client sent it; over when rf_waiting_over has returned. */
typedef struct rf_waiter {
    rf_ticket ticket; /**< first: the queue knows no more of it */
    rf_terms terms;
    const rf_database *db;
    int then_pass;    /**< RDSFailoverHold then=pass */
    int wake_fd;      /**< asynchronous: an eventfd of its own; -1: it keeps a worker */
    rf_time renew;    /**< asynchronous: woken at least this often, so that the MPM's Timeout begins anew */
    rf_time began;
    rf_time left;     /**< when its verdict came */
    rf_hold_verdict verdict; /**< under the lock */
    int runs;         /**< holds one of the places to run; under the lock */
    int is_stream;    /**< of HTTP/2: keeps, and runs in, a worker of that module's and not the MPM's */
    int watch;        /**< its place in the watch's table; -1 none */
} rf_waiter;

/* mod_rdsfailover_waiting.c */
typedef enum {
    RF_JOINED,
    RF_JOINED_FULL,     /**< no place is left: counted as rejected */
    RF_JOINED_NO_MEMORY /**< counted as passed */
} rf_joined;
/** Join the queue; db, terms, ticket.arrival, wake_fd, renew and is_stream are set. */
rf_joined rf_waiting_join(rf_waiter *w);
/** See to all who wait for its database. @param ret_next sleep no longer than that @return as rf_waiting_verdict */
rf_hold_verdict rf_waiting_look(rf_waiter *w, rf_time now, rf_time *ret_next);
/** @return RF_HOLD_WAIT while it waits */
rf_hold_verdict rf_waiting_verdict(rf_waiter *w);
/** The client left: leave the queue, if still in it. */
void rf_waiting_abort(rf_waiter *w);
/** While others are being released: go on at once, if nobody waits and there is a place to run. @return 1 if so */
int rf_waiting_start(rf_waiter *w, const rf_brief *brief);
/** Its handler has returned: give back the place to run, if it had one. */
void rf_waiting_finish(rf_waiter *w);
/** The request is gone: abort and finish, whichever is still to do. */
void rf_waiting_over(rf_waiter *w);
/** See to everyone in this process. @return how long until it should be called again; RF_TIME_NEVER if nobody waits */
rf_time rf_waiting_tick(rf_time now);

/* mod_rdsfailover_blocking.c */
/** Keep this worker until there is a verdict. `r`: whose client is looked after. */
rf_hold_verdict rf_waiting_block(rf_waiter *w, request_rec *r);

/* mod_rdsfailover_async.c */
/** @return 1 if this request can wait without a worker; w->wake_fd and w->renew are then set */
int rf_async_prepare(request_rec *r, rf_waiter *w);
/** The request has joined the queue. @return SUSPENDED, for fixups to return */
int rf_async_suspend(request_rec *r, rf_waiter *w);
/** The request runs without having waited: its place is given back when the handler has returned. */
void rf_async_started(request_rec *r, rf_waiter *w);
/** The request is gone. */
void rf_async_over(request_rec *r, rf_waiter *w);

/* mod_rdsfailover_watch.c */
/** Start this child's thread, once. @return 0 if that failed before or now */
int rf_watch_start(void);
/** Someone waits: the thread must keep time. */
void rf_watch_poke(void);
/** Look after this client: when it leaves, rf_waiting_abort(w) is called and the eventfd written. */
void rf_watch_add(rf_waiter *w, int client_fd);
/** Before the descriptor goes back to the MPM, and before w goes. */
void rf_watch_remove(rf_waiter *w, int client_fd);
/** End and join the thread, before the child's pool goes. */
void rf_watch_stop(void);

#endif /* MOD_RDSFAILOVER_WAITING_H */
