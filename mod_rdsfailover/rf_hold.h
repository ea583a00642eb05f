/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_HOLD_H
#define RF_HOLD_H
/**
 * @file rf_hold.h
 * @brief Which requests wait, and what becomes of one that does.
 *
 * Layer: core. Decides; mod_rdsfailover_gate.c acts.
 */
#include "rf_board.h"

/** After the board went stale, requests that already wait give a new monitor this long to adopt it. */
#define RF_HOLD_STALE_GRACE RF_SEC(5)

/** What the gate knows about a request before its handler runs. */
typedef struct rf_request_facts {
    int subrequest;
    int executed;     /**< something of it may have been executed before it was redirected here */
    int exempt;       /**< no-rdsfailover is set */
    int status_page;  /**< its handler is rds-status or server-status */
    int regular_file; /**< it maps to an existing regular file */
    int own_handler;  /**< some handler other than the default one will serve it, or its type is a handler's name */
    int proxied;
    int parsed;       /**< server-side includes may run in it */
} rf_request_facts;

/** @return 1 if this request may execute code that uses the database */
int rf_hold_concerns(const rf_request_facts *facts);

/** What becomes of a waiting request. */
typedef enum {
    RF_HOLD_WAIT,
    RF_HOLD_RELEASE, /**< a writer is there */
    RF_HOLD_PASS,    /**< nobody knows any more: let it try */
    RF_HOLD_EXPIRE   /**< its time is over */
} rf_hold_verdict;

/**
 * @param brief  the slot's brief as last read
 * @param expires when this request's hold ends
 * @param ret_look_again not later than this, even if nothing wakes it; written for RF_HOLD_WAIT only
 */
rf_hold_verdict rf_hold_judge(const rf_brief *brief, rf_time expires, rf_time now, rf_time *ret_look_again);

/**
 * How many requests blocking holds may keep: three quarters of the server's workers, so that static files, the status page
 * and health checks always find a free one; never more than `queue`. A single process may be full of them: it then accepts no
 * connections, and others do.
 */
uint32_t rf_hold_capacity(uint32_t workers, uint32_t queue);

#endif /* RF_HOLD_H */
