/* SPDX-License-Identifier: Apache-2.0 */
/* rf_report: the metrics of each moment of a failover. t/unit/report_formats.t has promtool look at them. */
#include <stdlib.h>

#include "moments/moments.h"
#include "tap.h"

/** @return the number behind `series ` in the metrics, -1 if there is no such line */
static double metric(const char *series)
{
    char *text = rf_report_metrics(&report), *rest = text, *each;
    size_t n = strlen(series);
    double found = -1;

    while ((each = strsep(&rest, "\n"))) {
        if (strncmp(each, series, n) == 0 && each[n] == ' ')
            found = atof(each + n + 1);
    }
    free(text);
    return found;
}

int main(void)
{
    moment_begin("release");
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"recovering\"}"), 1, "the state is");
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"available\"}"), 0, "and is not");
    is_int(metric("rdsfailover_requests_waiting{database=\"shop-production\"}"), 1204, "waiting");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), 256, "allowed");
    is_int(1000 * metric("rdsfailover_oldest_waiting_seconds{database=\"shop-production\"}"), 61900, "the oldest");
    is_int(metric("rdsfailover_requests_left_total{database=\"shop-production\",outcome=\"released\"}"), 8096, "released");
    is_int(metric("rdsfailover_writer_buffer_pool_bytes{database=\"shop-production\"}"), 12884901888, "bytes");
    is_int(metric("rdsfailover_state_since_timestamp_seconds{database=\"shop-production\"}"), 1795370991, "a moment is since 1970");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"0.1\"}"), 0, "no wait was so short");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"1\"}"), 111, "buckets add up");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"+Inf\"}"), 37 * 36, "to all");
    is_int(metric("rdsfailover_hold_duration_seconds_count{database=\"shop-production\"}"), 37 * 36, "which is the count");
    is_int(metric("rdsfailover_hold_duration_seconds_sum{database=\"shop-production\"}"), 81234, "and their sum");
    moment_begin("held");
    is_int(metric("rdsfailover_hold_ordered{database=\"shop-production\"}"), 1, "held by order");
    is_int(metric("rdsfailover_requests_inflight{database=\"shop-production\"}"), 3, "some run");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), -1, "none may be let go");
    moment_begin("after");
    is_int(metric("rdsfailover_hold_ordered{database=\"shop-production\"}"), 0, "not held by order");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), -1, "nothing is bounded, no line");
    is_int(1000 * metric("rdsfailover_last_failover_outage_seconds{database=\"shop-production\"}"), 61240, "the last failover");
    moment_begin("several");
    is_int(metric("rdsfailover_requests_waiting{database=\"sessions\"}"), 3127, "one of two of the same name");
    is_int(metric("rdsfailover_requests_waiting{database=\"sessions:2\"}"), 0, "and the other");
    moment_begin("silent");
    is_int(metric("rdsfailover_stale{database=\"shop-production\"}"), 1, "a silent monitor");
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"unknown\"}"), 1, "means unknown");
    return tap_done();
}
