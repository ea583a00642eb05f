/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_STATS_H
#define DRIVE_STATS_H
/**
 * @file stats.h
 * @brief Sums up records: totals, exact percentiles, one row for each second.
 *
 * A request counts in the second in which it was due, whenever it ended, so a stall shows where
 * visitors met it. Percentiles are over every request that ended, failed ones included.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: plain values; drive_stats_seconds returns an array the caller frees.
 * Threads:   any.
 */
#include "record.h"

/** A sum over some requests. Latencies are microseconds, -1 when no request ended. */
typedef struct {
    int64_t sent, ok, failed, pending;
    int64_t wrong, unsent, unknown; /**< the parts of failed */
    int64_t redirected;             /**< requests that were sent elsewhere, or round again, at least once and followed */
    int64_t redirects, most_redirects; /**< how often in all, and the one that was sent most often */
    int64_t p50, p90, p99, p999, max, mean;
} drive_sum;

/** One second of the run. */
typedef struct {
    drive_sum sum;
    int64_t in_flight; /**< requests under way at the end of this second */
} drive_second;

#define DRIVE_ANY_KIND (-1)

/** Sum up records[from..to) of one kind, or of all with DRIVE_ANY_KIND. */
void drive_stats_sum(const drive_log *log, size_t from, size_t to, int kind, drive_sum *ret_sum);

/** @return rows for the seconds from `start` to the last one that anything happened in; free() it */
drive_second *drive_stats_seconds(const drive_log *log, int64_t start, size_t *ret_n);

/**
 * The value below which `permille` of the values lie (nearest rank: always one of the values).
 * @param sorted ascending; n at least 1
 */
int64_t drive_stats_percentile(const int64_t *sorted, size_t n, int permille);

/** Upper bounds of the histogram's buckets in microseconds, ascending; the last one is INT64_MAX. */
extern const int64_t drive_stats_bounds[];

/** Count latencies of ended requests into buckets. @param ret_counts as many as there are bounds */
void drive_stats_histogram(const drive_log *log, int64_t *ret_counts);

#endif /* DRIVE_STATS_H */
