/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's sums: exact percentiles, seconds by due time, outcomes kept apart. */
#include "stats.h"
#include "tap.h"

#include <stdlib.h>

#define START INT64_C(1000000000)

static void add(drive_log *log, int64_t due_ms, int64_t latency_ms, drive_outcome outcome)
{
    drive_record *r = drive_log_add(log);

    r->due = START + due_ms * 1000;
    r->done = outcome == DRIVE_PENDING ? 0 : r->due + latency_ms * 1000;
    r->outcome = outcome;
}

static void percentiles(void)
{
    int64_t hundred[100], one[] = {7}, two[] = {1, 9};

    for (int i = 0; i < 100; i++) {
        hundred[i] = i + 1;
    }
    is_int(drive_stats_percentile(hundred, 100, 500), 50, "half of 1..100 lie at or below 50");
    is_int(drive_stats_percentile(hundred, 100, 990), 99, "99 %% lie at or below 99");
    is_int(drive_stats_percentile(hundred, 100, 999), 100, "99.9 %% of a hundred is the largest");
    is_int(drive_stats_percentile(hundred, 100, 1000), 100, "all is the largest");
    is_int(drive_stats_percentile(one, 1, 10), 7, "one value is every percentile");
    is_int(drive_stats_percentile(two, 2, 500), 1, "a percentile is always one of the values");
}

static void sums(void)
{
    drive_log log = {0};
    drive_sum sum;

    drive_stats_sum(&log, 0, 0, DRIVE_ANY_KIND, &sum);
    is_int(sum.sent, 0, "nothing sums up to nothing");
    is_int(sum.p50, -1, "and has no percentile");
    add(&log, 0, 10, DRIVE_OK);
    add(&log, 10, 20, DRIVE_WRONG);
    add(&log, 20, 30, DRIVE_UNSENT);
    add(&log, 30, 60000, DRIVE_UNKNOWN);
    add(&log, 40, 0, DRIVE_PENDING);
    log.records[1].kind = 1;
    log.records[1].redirects = 3;
    log.records[3].redirects = 1;
    drive_stats_sum(&log, 0, log.n, DRIVE_ANY_KIND, &sum);
    is_int(sum.sent, 5, "all are sent");
    is_int(sum.ok, 1, "one is ok");
    is_int(sum.failed, 3, "wrong, unsent and unknown are failures");
    is_int(sum.pending, 1, "one never ended");
    is_int(sum.max, 60000000, "the longest counts though it failed");
    is_int(sum.redirected, 2, "two were redirected");
    is_int(sum.redirects, 4, "four times in all");
    is_int(sum.most_redirects, 3, "one of them three times");
    drive_stats_sum(&log, 0, log.n, 1, &sum);
    is_int(sum.sent, 1, "one kind alone can be summed up");
    is_int(sum.p99, 20000, "with its own latency");
    drive_log_free(&log);
}

static void series(void)
{
    drive_log log = {0};
    drive_second *seconds;
    size_t n;

    add(&log, 0, 5, DRIVE_OK);
    add(&log, 999, 2500, DRIVE_OK);
    add(&log, 1000, 1, DRIVE_WRONG);
    add(&log, 1500, 0, DRIVE_PENDING);
    seconds = drive_stats_seconds(&log, START, &n);
    is_int(n, 4, "the series ends with the last answer");
    is_int(seconds[0].sum.sent, 2, "a request counts in the second it was due in");
    is_int(seconds[0].sum.max, 2500000, "however late it ended");
    is_int(seconds[1].sum.failed, 1, "a failure too");
    is_int(seconds[3].sum.sent, 0, "a second may have none");
    is_int(seconds[0].in_flight, 1, "one under way after the first second");
    is_int(seconds[1].in_flight, 2, "two after the second one");
    is_int(seconds[2].in_flight, 2, "and after the third");
    is_int(seconds[3].in_flight, 1, "what never ended stays under way");
    free(seconds);
    drive_log_free(&log);
}

static void histogram(void)
{
    drive_log log = {0};
    int64_t counts[32], total = 0;

    add(&log, 0, 1, DRIVE_OK);
    add(&log, 0, 2, DRIVE_OK);
    add(&log, 0, 70000, DRIVE_UNKNOWN);
    add(&log, 0, 0, DRIVE_PENDING);
    drive_stats_histogram(&log, counts);
    is_int(counts[0], 1, "a bound belongs to its bucket");
    is_int(counts[1], 1, "the next one to the next");
    for (size_t b = 0;; b++) {
        total += counts[b];
        if (drive_stats_bounds[b] == INT64_MAX) {
            is_int(counts[b], 1, "what exceeds all bounds is in the last bucket");
            break;
        }
    }
    is_int(total, 3, "all that ended are in it");
    drive_log_free(&log);
}

int main(void)
{
    percentiles();
    sums();
    series();
    histogram();
    is_str(drive_outcome_write(DRIVE_OK), "acknowledged", "an expected answer acknowledges a write");
    is_str(drive_outcome_write(DRIVE_WRONG), "failed", "another answer denies it");
    is_str(drive_outcome_write(DRIVE_UNSENT), "failed", "no connection denies it");
    is_str(drive_outcome_write(DRIVE_UNKNOWN), "unknown", "no answer leaves it open");
    return tap_done();
}
