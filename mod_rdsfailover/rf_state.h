/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_STATE_H
#define RF_STATE_H
/**
 * @file rf_state.h
 * @brief The five states of a database and what moves it from one to another.
 *
 *                  answer of the writer
 *     unknown ───────────────────────────► available ◄──────────────┐
 *        ▲ │                                │     ▲                  │ queue empty, or 60 s
 *        │ │ `fails` failures,        late, │     │ any answer       │
 *        │ │ if a writer was    1st failure ▼     │ of the writer    │
 *        │ └───ever known───────┐         suspect ┘                  │
 *        │                      ▼             │ `fails` failures     │
 *        └──── no verdicts ── outage ◄────────┘                      │
 *              for 5 s          │                                    │
 *                               └─── a writer is verified ──► recovering ── late, failure ──► suspect
 *
 * Layer:   core. No I/O, no clock, no allocation.
 * Threads: one writer (the monitor).
 *
 * A database that never answered is never in an outage: a wrong name or password in our configuration must not hold the
 * requests of a site that works.
 */
#include "rf_board.h"
#include "rf_policy.h"

/** Longest time in RF_STATE_RECOVERING, whatever the queue. */
#define RF_RECOVERING_MAX RF_SEC(60)

/** Start from all zeroes. */
typedef struct rf_state {
    rf_state_name name;
    rf_time since; /**< when `name` was entered */
    int failures;  /**< of the writer, in a row */
    int ever;      /**< a writer was known at some time */
} rf_state;

/** The writer answered: it takes writes, or (`neutral`) it is alive but does not say. Ends suspicion, never an outage. */
void rf_state_answered(rf_state *state, rf_time now);
/** A probe of the writer failed. */
void rf_state_failed(rf_state *state, const rf_policy *policy, rf_time now);
/** The writer's answer is late, or its idle connection broke: hold new requests until the next verdict. */
void rf_state_suspected(rf_state *state, rf_time now);
/** A writer is verified, whichever it is: ends everything but `available`. */
void rf_state_verified(rf_state *state, rf_time now);
/** Whatever is there does not let us in, so we cannot tell: as if no writer had ever been known. */
void rf_state_given_up(rf_state *state, rf_time now);
/** Time passed. @param waiting requests still in the queue @param blind no verdict of any kind came for too long */
void rf_state_passed(rf_state *state, uint64_t waiting, int blind, rf_time now);

/** @return 1 if new requests wait in this state */
int rf_state_holds(rf_state_name name);

#endif /* RF_STATE_H */
