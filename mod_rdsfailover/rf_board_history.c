/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_board_history.c
 * @brief The board's memory of what was: a sample for each second, and how long requests waited.
 *
 * Layer: core. See rf_board.h.
 */
#include "rf_board_layout.h"

/* The count says that a sample is whole: it grows after the sample is written, and before the next one is begun. Whoever sees
 * anything of the next one therefore sees a count that says so (the fences are those of record_write in rf_board.c). A monitor
 * that is killed in the middle leaves a sample that was never counted; the next one writes over it. */
void rf_slot_add_history(rf_slot *slot, const rf_history_sample *sample)
{
    uint64_t n = atomic_load_explicit(&slot->nhistory, memory_order_relaxed);
    history_cell *cell = &slot->history[n % HISTORY_ROOM];

    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&cell->at, sample->at, memory_order_relaxed);
    atomic_store_explicit(&cell->held_rtt, (uint64_t)sample->held << 32 | sample->rtt_us, memory_order_relaxed);
    atomic_store_explicit(&cell->state, sample->state, memory_order_relaxed);
    atomic_store_explicit(&slot->nhistory, n + 1, memory_order_release);
}

unsigned rf_slot_history(const rf_slot *slot, rf_history_sample ret_samples[RF_HISTORY])
{
    uint64_t end = atomic_load_explicit(&slot->nhistory, memory_order_acquire), i;
    uint64_t first = end > RF_HISTORY ? end - RF_HISTORY : 0, after, whole;
    unsigned n = 0;

    for (i = first; i < end; i++) {
        const history_cell *cell = &slot->history[i % HISTORY_ROOM];
        uint64_t held_rtt = atomic_load_explicit(&cell->held_rtt, memory_order_relaxed);
        ret_samples[i - first] = (rf_history_sample){
            .at = atomic_load_explicit(&cell->at, memory_order_relaxed),
            .state = (uint8_t)atomic_load_explicit(&cell->state, memory_order_relaxed),
            .held = (uint32_t)(held_rtt >> 32),
            .rtt_us = (uint32_t)held_rtt,
        };
    }
    atomic_thread_fence(memory_order_acquire);
    /* Meanwhile the oldest may have been written over: a reader that was not running for a while. */
    after = atomic_load_explicit(&slot->nhistory, memory_order_relaxed);
    whole = after >= HISTORY_ROOM ? after - HISTORY_ROOM + 1 : 0;
    for (i = whole > first ? whole : first; i < end; i++)
        ret_samples[n++] = ret_samples[i - first];
    return n;
}

rf_time rf_board_hold_bound(unsigned bucket)
{
    static const rf_time bounds[RF_HOLD_BUCKETS] = {
        RF_MS(100), RF_MS(500), RF_SEC(1),  RF_SEC(2),   RF_SEC(5),   RF_SEC(10),    RF_SEC(20),
        RF_SEC(30), RF_SEC(60), RF_SEC(90), RF_SEC(120), RF_SEC(150), RF_TIME_NEVER,
    };

    return bounds[bucket < RF_HOLD_BUCKETS ? bucket : RF_HOLD_BUCKETS - 1];
}

void rf_slot_add_hold_time(rf_slot *slot, rf_time duration)
{
    unsigned bucket = 0;

    if (duration < 0)
        duration = 0;
    while (duration > rf_board_hold_bound(bucket))
        bucket++;
    atomic_fetch_add_explicit(&slot->hold_sum, (uint64_t)duration, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->hold_times[bucket], 1, memory_order_relaxed);
}

void rf_slot_hold_times(const rf_slot *slot, uint64_t ret_counts[RF_HOLD_BUCKETS], uint64_t *ret_sum_us)
{
    unsigned i;

    for (i = 0; i < RF_HOLD_BUCKETS; i++)
        ret_counts[i] = atomic_load_explicit(&slot->hold_times[i], memory_order_relaxed);
    *ret_sum_us = atomic_load_explicit(&slot->hold_sum, memory_order_relaxed);
}
