/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_CANDIDATES_H
#define RF_CANDIDATES_H
/**
 * @file rf_candidates.h
 * @brief The addresses that are, were or may become the writer, and which of them it is.
 *
 * Each address is judged by itself: a full login and a writability check. DNS only says which addresses belong to the
 * endpoint. An address DNS does not name counts only if it was the writer before and its certificate proves the name.
 *
 * Layer:   core. No I/O, no clock, no allocation.
 * Threads: one writer (the monitor).
 */
#include "rf_policy.h"
#include "rf_sample.h"

typedef struct rf_candidate {
    rf_address address;
    int named;          /**< the last answer of the resolver has it */
    int former;         /**< it was the writer at some time */
    int writer;         /**< it is the writer; never evicted */
    int proven;         /**< at the last good probe its certificate named the endpoint */
    int passes;         /**< good probes in a row */
    rf_time due;        /**< when to probe it next */
    rf_time asked;      /**< when the outstanding probe was asked, or its last interim verdict came; 0: none outstanding */
    rf_time first_asked; /**< when the outstanding probe was asked */
    int again;          /**< ask again when the outstanding verdict is there: it was asked before something was suspected */
    rf_time seen;       /**< last time it was named or answered; the oldest is evicted first */
    rf_sample last;     /**< the last verdict; kind 0: none yet */
    rf_cause alarmed;   /**< what the last alarm about this address was about */
    rf_time refused;    /**< since when it answers and refuses us, without a pause; 0: it does not */
    rf_time quickest;   /**< smallest round trip on an open connection since it last failed; 0: none was seen */
    int strikes;        /**< failures in a row of probes that were asked since this host's own resolver gives this address */
    rf_time struck;     /**< when the first of them was asked */
    int failures;       /**< failures in a row, whoever gives the address; anything else it says ends them */
    rf_time failed;     /**< when the last of them was seen */
} rf_candidate;

/** Start from all zeroes. */
typedef struct rf_candidates {
    unsigned n;
    rf_candidate list[RF_ADDRESSES];
} rf_candidates;

/** @return the candidate with this address, or NULL */
rf_candidate *rf_candidates_find(rf_candidates *candidates, const rf_address *address);

/**
 * Find or add. If the table is full, the one unseen for longest makes room, unless it is named, the writer, or owes a verdict.
 * @return NULL if none can
 */
rf_candidate *rf_candidates_add(rf_candidates *candidates, const rf_address *address, rf_time now);

/** Take over what the resolver says now: these addresses and no others are named. New ones are due at once. */
void rf_candidates_name(rf_candidates *candidates, const rf_address *addresses, unsigned n, rf_time now);

/** This one is the writer from now on; NULL: nobody is. */
void rf_candidates_elect(rf_candidates *candidates, rf_candidate *writer);

/** Something is wrong: what passed until now proves nothing any more, and everyone is due. */
void rf_candidates_look_anew(rf_candidates *candidates, rf_time now);

/** @return 1 if an address that DNS names has been answering and refusing us for `patience` */
int rf_candidates_refuse(const rf_candidates *candidates, rf_time patience, rf_time now);

/**
 * Does whatever connects to one of these addresses fail?
 * @param addresses what this host's own resolver gives
 * @param fails     strikes in a row that each of them must have
 * @return the one that was found out last if all of them fail, else NULL; NULL too if there are none, or if one is not looked at
 */
const rf_candidate *rf_candidates_all_fail(rf_candidates *candidates, const rf_address *addresses, unsigned n, int fails);

/**
 * The writer, by the evidence so far.
 * @param current the address that was the writer until now; it stays so while it passes, unless DNS has moved on
 * @param passes  good probes in a row that are asked for
 * @return NULL if nobody qualifies
 */
rf_candidate *rf_candidates_writer(rf_candidates *candidates, const rf_policy *policy, const rf_address *current, int passes);

#endif /* RF_CANDIDATES_H */
