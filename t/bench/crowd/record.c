/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles and orders: see record.h. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

int64_t crowd_percentile(const int64_t *sorted, size_t n, int permille)
{
    size_t rank = (n * (size_t)permille + 999) / 1000;

    return n ? sorted[rank ? rank - 1 : 0] : -1;
}

static int by_went(const void *a, const void *b)
{
    const crowd_places *x = a, *y = b;

    return x->went != y->went ? (x->went > y->went) - (x->went < y->went) : (x->came > y->came) - (x->came < y->came);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Merge sort; counts how many pairs it had to turn round. */
static uint64_t sort_counting(int64_t *values, int64_t *space, size_t n)
{
    size_t half = n / 2, left = 0, right = half, at = 0;
    uint64_t turned;

    if (n < 2) {
        return 0;
    }
    turned = sort_counting(values, space, half) + sort_counting(values + half, space, n - half);
    while (left < half && right < n) {
        if (values[right] < values[left]) {
            turned += half - left;
            space[at++] = values[right++];
        } else {
            space[at++] = values[left++];
        }
    }
    memcpy(space + at, values + left, (half - left) * sizeof *values);
    memcpy(values, space, (at + half - left) * sizeof *values);
    return turned;
}

static int by_from(const void *a, const void *b)
{
    const crowd_interval *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

size_t crowd_at_once(crowd_interval *intervals, size_t n)
{
    int64_t *ends = calloc(n ? n : 1, sizeof *ends);
    size_t over = 0, most = 0;

    if (n) {
        qsort(intervals, n, sizeof *intervals, by_from);
    }
    for (size_t i = 0; i < n; i++) {
        ends[i] = intervals[i].to;
    }
    qsort(ends, n, sizeof *ends, by_value);
    for (size_t i = 0; i < n; i++) {
        while (ends[over] <= intervals[i].from && over < i) {
            over++;
        }
        most = i + 1 - over > most ? i + 1 - over : most;
    }
    free(ends);
    return most;
}

void crowd_order_measure(crowd_places *places, size_t n, crowd_order *ret_order)
{
    int64_t *values = calloc(n ? n : 1, sizeof *values), *space = calloc(n ? n : 1, sizeof *space);
    int64_t latest = INT64_MIN;

    if (n) {
        qsort(places, n, sizeof *places, by_went);
    }
    for (size_t i = 0; i < n; i++) {
        latest = places[i].came > latest ? places[i].came : latest;
        values[i] = latest - places[i].came;
    }
    qsort(values, n, sizeof *values, by_value);
    *ret_order = (crowd_order){.n = n, .p50 = crowd_percentile(values, n, 500), .p99 = crowd_percentile(values, n, 990),
                               .max = crowd_percentile(values, n, 1000)};
    for (size_t i = 0; i < n; i++) {
        values[i] = places[i].came;
    }
    ret_order->inversions = sort_counting(values, space, n);
    free(values);
    free(space);
}
