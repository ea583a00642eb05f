/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_RECORD_H
#define CROWD_RECORD_H
/**
 * @file record.h
 * @brief What became of each request, and what is made of that: percentiles, how far the order of answers was from that of
 *        arrival, how many ran at once.
 *
 * Layer: pure. No I/O, no clock. Times are microseconds since 1970; 0: it did not happen.
 */
#include <stddef.h>
#include <stdint.h>

typedef enum { CROWD_WAITS, CROWD_OK, CROWD_WRONG, CROWD_NONE, CROWD_LEFT, CROWD_OUTCOMES } crowd_outcome;

/** Why there was no answer. */
typedef enum { CROWD_NO_REASON, CROWD_REFUSED, CROWD_CLOSED, CROWD_BROKEN, CROWD_GARBAGE, CROWD_LATE, CROWD_ENDED } crowd_reason;

typedef struct {
    int64_t sent;     /**< the first time, all of it that could be sent without waiting */
    int64_t answered; /**< the final answer was whole */
    int64_t arrived;  /**< as the server says: X-Arrived, X-Started, X-Ended */
    int64_t started, ended;
    int pid;          /**< of the server's process; 0 unknown */
    short status;     /**< of the final answer; 0 none */
    unsigned char outcome, reason;
} crowd_record;

/** @param permille  @return that percentile of values in ascending order, the largest for 1000; -1 if there are none */
int64_t crowd_percentile(const int64_t *sorted, size_t n, int permille);

/** How far two orders differ. A request is displaced by the time that the latest of those who went before it came after it. */
typedef struct {
    size_t n;
    uint64_t inversions; /**< pairs in the wrong order */
    int64_t p50, p99, max; /**< displacement, microseconds; -1 if n is 0 */
} crowd_order;

/** One request's places in two orders. */
typedef struct {
    int64_t came, went;
} crowd_places;

/** @param places  sorted by this call by when they went */
void crowd_order_measure(crowd_places *places, size_t n, crowd_order *ret_order);

/** What is `from` before `to`. */
typedef struct {
    int64_t from, to;
} crowd_interval;

/**
 * @param intervals  sorted by this call
 * @return how many of them overlap at most; one that begins when another ends does not overlap it
 */
size_t crowd_at_once(crowd_interval *intervals, size_t n);

#endif /* CROWD_RECORD_H */
