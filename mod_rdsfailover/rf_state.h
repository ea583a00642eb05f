/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_STATE_H
#define RF_STATE_H
/**
 * @file rf_state.h
 * @brief The five states of a database and what moves it from one to another.
 *
 *                  answer of the writer
 *     unknown ───────────────────────────► available ◄───────────────────┐
 *        ▲ │                            late, │  ▲                       │
 *        │ │ `fails` failures,    1st failure ▼  │ any answer            │ queue empty, or 60 s
 *        │ │ if a writer was                suspect                      │ after it began
 *        │ │ ever known                       │ `fails` failures         │
 *        │ └───────────────────┐              │                          │
 *        │                     ▼              │                          │
 *        └──── no verdicts ── outage ◄────────┴─── astray                │
 *              for 5 s          │                                        │
 *                               └─── a writer is verified ──► recovering ┘
 *                                                        any answer ▲ │ late, 1st failure
 *                                                                   │ ▼
 *                                                                 suspect ── `fails` failures ──► outage
 *
 * Astray, from available and recovering: the writer is well, but the application connects by name, and whatever the name leads
 * to on this host fails.
 *
 * A suspicion that ends leads back to where it came from. During a release that is `recovering`: who still waits there waits
 * because of the outage, and all of them at once would be the stampede. Otherwise it is `available`, however many wait: they
 * came within the second or two that the writer took to answer, and without us would have waited for that answer inside it.
 *
 * An operator's order to hold is no state: the database is what it is, and requests wait all the same. When the order ends, those
 * who waited for that leave as after an outage: from `available` to `recovering`.
 *
 * Layer:   core. No I/O, no clock, no allocation.
 * Threads: one writer (the monitor).
 *
 * A database that never answered is never in an outage: a wrong name or password in our configuration must not hold the
 * requests of a site that works.
 */
#include "rf_board.h"
#include "rf_policy.h"

/** Longest time from an outage's end until nobody is held back any more, whatever the queue, suspicions included. */
#define RF_RECOVERING_MAX RF_SEC(60)

/** Start from all zeroes. */
typedef struct rf_state {
    rf_state_name name;
    rf_time since;   /**< when `name` was entered */
    rf_time release; /**< when the release under way began, in `recovering` and in a suspicion in the middle of it; 0: none is */
    int failures;    /**< of the writer, in a row */
    int ever;        /**< a writer was known at some time */
    int halted;      /**< by order nothing is let go: `recovering` does not end */
} rf_state;

/** The writer answered: it takes writes, or (`neutral`) it is alive but does not say. Ends suspicion, never an outage. */
void rf_state_answered(rf_state *state, rf_time now);
/** A probe of the writer failed. */
void rf_state_failed(rf_state *state, const rf_policy *policy, rf_time now);
/** The writer's answer is late, or its idle connection broke: hold new requests until the next verdict. */
void rf_state_suspected(rf_state *state, rf_time now);
/** The writer is well, but applications that connect by name do not reach it, nor anything else that works. */
void rf_state_astray(rf_state *state, rf_time now);
/** A writer is verified, whichever it is: ends everything but `available`. */
void rf_state_verified(rf_state *state, rf_time now);
/** Whatever is there does not let us in, so we cannot tell: as if no writer had ever been known. */
void rf_state_given_up(rf_state *state, rf_time now);
/** An operator has requests held, whatever the state. */
void rf_state_halted(rf_state *state);
/** He does not any more: a release begins, if there is a writer. */
void rf_state_resumed(rf_state *state, rf_time now);
/** Time passed. @param waiting requests still in the queue @param blind no verdict of any kind came for too long */
void rf_state_passed(rf_state *state, uint64_t waiting, int blind, rf_time now);

/** @return 1 if new requests wait in this state */
int rf_state_holds(rf_state_name name);

#endif /* RF_STATE_H */
