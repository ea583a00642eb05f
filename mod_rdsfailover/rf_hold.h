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

/** @return 1 if new requests join a queue in this state: there is no writer, or those who waited for it are being let go */
int rf_hold_queues(rf_state_name state);

/** @return 1 if an operator's order to hold is in force */
int rf_hold_ordered(const rf_brief *brief, rf_time now);

/** As published: might new requests wait? Asks no clock, so it comes first while all is well. */
int rf_hold_may_queue(const rf_brief *brief);
/** Do new requests wait now? Not if the board is stale. */
int rf_hold_queues_now(const rf_brief *brief, rf_time now);

/** What the board says to all who wait for one database. */
typedef enum {
    RF_GATE_SHUT,    /**< no writer, as far as is known */
    RF_GATE_OPEN,    /**< a writer: go, as many at once as `allowed` of the brief */
    RF_GATE_GIVEN_UP /**< nobody knows any more: go without one */
} rf_gate;

/** As last published, stale or not: a monitor that was killed is replaced within RF_HOLD_STALE_GRACE. */
rf_gate rf_hold_gate(const rf_brief *brief, rf_time now);

/** How one request waits. */
typedef struct rf_terms {
    rf_time leg_ends; /**< what stands in front loses its patience soon after this; RF_TIME_NEVER */
    rf_time ends;     /**< the whole hold, all legs together */
    int roundable;    /**< may be sent round by 307 */
} rf_terms;

/** What becomes of a waiting request. */
typedef enum {
    RF_HOLD_WAIT,
    RF_HOLD_RELEASE,  /**< a writer is there */
    RF_HOLD_PASS,     /**< nobody knows any more: let it try */
    RF_HOLD_REDIRECT, /**< its leg is over: wait on in the old place */
    RF_HOLD_EXPIRE,   /**< its time is over, or its leg and it cannot be sent round */
    RF_HOLD_ABORT     /**< the client left */
} rf_hold_verdict;

/** By its own clock alone. @return RF_HOLD_WAIT, RF_HOLD_REDIRECT or RF_HOLD_EXPIRE */
rf_hold_verdict rf_hold_judge(const rf_terms *terms, rf_time now);
/** When rf_hold_judge will say something else than wait. */
rf_time rf_hold_due(const rf_terms *terms);

/** Heads of two processes' queues that arrived this near each other count as one. */
#define RF_TURN_SLACK RF_MS(10)
/** A process whose turn it is and that does not take it within this (it is stopped, or starved) is passed over. */
#define RF_TURN_PATIENCE RF_MS(5)

/**
 * Across processes the oldest goes first, as nearly as that allows without one waiting for another.
 * @param ours,elsewhere arrival of the head of our queue, and of the oldest of all others
 * @param denied_since   since when a place to run was free and not ours; 0: it was not
 */
int rf_hold_turn(rf_time ours, rf_time elsewhere, rf_time denied_since, rf_time now);

#endif /* RF_HOLD_H */
