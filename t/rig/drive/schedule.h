/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_SCHEDULE_H
#define DRIVE_SCHEDULE_H
/**
 * @file schedule.h
 * @brief When each request is due and which kind it is: a function of its number alone.
 *
 * The loop is open: nothing that happens to a request moves another one. Two runs with the same
 * seed, rate and mix send the same requests in the same order at the same distances.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: plain values.
 * Threads:   any.
 */
#include "mix.h"

#include <stdint.h>

/** Times are microseconds of whichever clock `start` was read from. */
typedef struct {
    int64_t start;
    double rate;   /**< requests per second; above 0 */
    int64_t count; /**< requests in all */
    uint64_t seed;
} drive_schedule;

/** @return when request n (from 0) is due */
int64_t drive_schedule_due(const drive_schedule *schedule, int64_t n);

/** @return how many requests are due at `now`: the number of the next one that is not; at most `count` */
int64_t drive_schedule_due_by(const drive_schedule *schedule, int64_t now);

/** @return the number that decides everything random about request n */
uint64_t drive_schedule_draw(const drive_schedule *schedule, int64_t n);

/** @return the index of the kind that a draw stands for */
int drive_schedule_kind(const drive_mix *mix, uint64_t draw);

/** @return the next number of a well-mixed sequence (splitmix64) */
uint64_t drive_schedule_scramble(uint64_t value);

#endif /* DRIVE_SCHEDULE_H */
