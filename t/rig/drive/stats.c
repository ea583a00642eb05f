/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over records: see stats.h. */
#include "stats.h"

#include <stdlib.h>

const int64_t drive_stats_bounds[] = {1000,    2000,    5000,    10000,    20000,    50000,    100000,   200000,   500000,
                                      1000000, 2000000, 5000000, 10000000, 20000000, 30000000, 60000000, INT64_MAX};

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t drive_stats_percentile(const int64_t *sorted, size_t n, int permille)
{
    size_t rank = (n * (size_t)permille + 999) / 1000;

    return sorted[rank ? rank - 1 : 0];
}

void drive_stats_sum(const drive_log *log, size_t from, size_t to, int kind, drive_sum *ret_sum)
{
    drive_sum sum = {.p50 = -1, .p90 = -1, .p99 = -1, .p999 = -1, .max = -1, .mean = -1};
    int64_t *latencies = malloc((to - from + 1) * sizeof *latencies);
    int64_t total = 0;
    size_t n = 0;

    for (size_t i = from; i < to; i++) {
        const drive_record *record = &log->records[i];
        if (kind != DRIVE_ANY_KIND && record->kind != kind) {
            continue;
        }
        sum.sent++;
        sum.ok += record->outcome == DRIVE_OK;
        sum.wrong += record->outcome == DRIVE_WRONG;
        sum.unsent += record->outcome == DRIVE_UNSENT;
        sum.unknown += record->outcome == DRIVE_UNKNOWN;
        sum.redirected += record->redirects > 0;
        sum.redirects += record->redirects;
        sum.most_redirects = record->redirects > sum.most_redirects ? record->redirects : sum.most_redirects;
        if (record->outcome == DRIVE_PENDING) {
            sum.pending++;
            continue;
        }
        latencies[n++] = drive_record_latency(record);
        total += latencies[n - 1];
    }
    sum.failed = sum.wrong + sum.unsent + sum.unknown;
    if (n) {
        qsort(latencies, n, sizeof *latencies, ascending);
        sum.p50 = drive_stats_percentile(latencies, n, 500);
        sum.p90 = drive_stats_percentile(latencies, n, 900);
        sum.p99 = drive_stats_percentile(latencies, n, 990);
        sum.p999 = drive_stats_percentile(latencies, n, 999);
        sum.max = latencies[n - 1];
        sum.mean = total / (int64_t)n;
    }
    free(latencies);
    *ret_sum = sum;
}

static size_t second_of(int64_t start, int64_t when)
{
    return when > start ? (size_t)((when - start) / 1000000) : 0;
}

drive_second *drive_stats_seconds(const drive_log *log, int64_t start, size_t *ret_n)
{
    drive_second *seconds;
    size_t n = 0, from = 0;

    for (size_t i = 0; i < log->n; i++) {
        const drive_record *record = &log->records[i];
        size_t last = second_of(start, record->done > record->due ? record->done : record->due);
        n = last + 1 > n ? last + 1 : n;
    }
    seconds = calloc(n ? n : 1, sizeof *seconds);
    for (size_t s = 0; s < n; s++) {
        size_t to = from;
        while (to < log->n && second_of(start, log->records[to].due) == s) {
            to++;
        }
        drive_stats_sum(log, from, to, DRIVE_ANY_KIND, &seconds[s].sum);
        from = to;
    }
    for (size_t i = 0; i < log->n; i++) {
        const drive_record *record = &log->records[i];
        size_t end = record->outcome == DRIVE_PENDING ? n : second_of(start, record->done);
        for (size_t s = second_of(start, record->due); s < end; s++) {
            seconds[s].in_flight++;
        }
    }
    *ret_n = n;
    return seconds;
}

void drive_stats_histogram(const drive_log *log, int64_t *ret_counts)
{
    size_t buckets = sizeof drive_stats_bounds / sizeof *drive_stats_bounds;

    for (size_t b = 0; b < buckets; b++) {
        ret_counts[b] = 0;
    }
    for (size_t i = 0; i < log->n; i++) {
        size_t b = 0;
        if (log->records[i].outcome == DRIVE_PENDING) {
            continue;
        }
        while (drive_record_latency(&log->records[i]) > drive_stats_bounds[b]) {
            b++;
        }
        ret_counts[b]++;
    }
}
