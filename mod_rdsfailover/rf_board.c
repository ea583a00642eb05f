/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_board_layout.h"

#include <sched.h>
#include <string.h>

#define BOARD_MAGIC 0x7264736661696c31u /* "rdsfail1" */
#define BOARD_LAYOUT 9u                 /* grows with every change of a struct in rf_board_layout.h, or of what its records hold */

/* A writer holds the lock for one or two microseconds, unless it is preempted: then it wants a processor, and a reader yields. After
 * so many times, of a microsecond each at least, it met a writer that died in the middle. */
#define READ_TRIES 1000
#define READ_YIELDS 10 /* from this one on */

/* The words are copied one by one with relaxed atomics, between fences: Boehm, "Can seqlocks get along with programming
 * language memory models?" (2012), the variant that is free of data races. */
static void record_write(_Atomic uint32_t *seq, _Atomic uint64_t *words, const void *value, size_t size)
{
    const char *from = value;
    /* |1 and not +1: the next monitor takes over a record that a killed one left odd. */
    uint32_t odd = atomic_load_explicit(seq, memory_order_relaxed) | 1u;
    size_t i;

    atomic_store_explicit(seq, odd, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (i = 0; i * 8 < size; i++) {
        uint64_t word = 0;
        memcpy(&word, from + i * 8, size - i * 8 < 8 ? size - i * 8 : 8);
        atomic_store_explicit(&words[i], word, memory_order_relaxed);
    }
    atomic_store_explicit(seq, odd + 1, memory_order_release);
}

static int record_read(const _Atomic uint32_t *seq, const _Atomic uint64_t *words, void *ret_value, size_t size)
{
    uint64_t copy[WORDS(rf_snapshot)];
    size_t i, n = (size + 7) / 8;
    int tries;

    for (tries = 0; tries < READ_TRIES; tries++) {
        uint32_t before = atomic_load_explicit(seq, memory_order_acquire);
        if (tries >= READ_YIELDS)
            sched_yield();
        if (before & 1u)
            continue;
        for (i = 0; i < n; i++)
            copy[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(seq, memory_order_relaxed) == before) {
            memcpy(ret_value, copy, size);
            return 1;
        }
    }
    return 0;
}

_Static_assert(sizeof(rf_dsn) <= sizeof(rf_snapshot), "record_read's copy must hold the largest record");

#define WRITE(record, value) record_write(&(record).seq, (record).words, (value), sizeof *(value))
#define READ(record, ret_value) record_read(&(record).seq, (record).words, (ret_value), sizeof *(ret_value))

size_t rf_board_size(void)
{
    return sizeof(rf_board);
}

rf_board *rf_board_init(void *memory)
{
    rf_board *board = memory;

    if (board->magic == 0) {
        board->magic = BOARD_MAGIC;
        board->layout = BOARD_LAYOUT << 24 | (uint64_t)sizeof(rf_board);
    }
    return board->magic == BOARD_MAGIC && board->layout == (BOARD_LAYOUT << 24 | (uint64_t)sizeof(rf_board)) ? board : NULL;
}

rf_slot *rf_board_slot(rf_board *board, uint64_t key)
{
    rf_slot *free_slot = NULL;
    int i;

    for (i = 0; i < RF_BOARD_SLOTS; i++) {
        uint64_t k = atomic_load_explicit(&board->slots[i].key, memory_order_relaxed);
        if (k == key)
            return &board->slots[i];
        if (k == 0 && !free_slot)
            free_slot = &board->slots[i];
    }
    if (free_slot) {
        free_slot->index = (uint32_t)(free_slot - board->slots);
        atomic_store_explicit(&free_slot->key, key, memory_order_relaxed);
    }
    return free_slot;
}

int rf_slot_publish(rf_slot *slot, const rf_snapshot *snapshot)
{
    rf_brief before;
    int torn = !READ(slot->brief, &before);
    int changed = torn || before.state != snapshot->brief.state || before.epoch != snapshot->brief.epoch ||
                  before.allowed != snapshot->brief.allowed || before.hold_until != snapshot->brief.hold_until;

    /* One of the two must be whole at any time, however often a monitor is killed: rf_slot_adopt. */
    if (torn)
        WRITE(slot->brief, &snapshot->brief);
    WRITE(slot->full, snapshot);
    WRITE(slot->brief, &snapshot->brief);
    /* What is counted as in flight from now on was let pass by this brief, or was counted before: rf_slot_more. */
    atomic_thread_fence(memory_order_seq_cst);
    return changed;
}

void rf_slot_beat(rf_slot *slot, rf_time now)
{
    rf_brief brief;

    if (READ(slot->brief, &brief)) {
        brief.observed_at = now;
        WRITE(slot->brief, &brief);
    }
}

void rf_slot_set_dsn(rf_slot *slot, const rf_dsn *dsn)
{
    rf_place_keys keys;

    if (!READ(slot->place_keys, &keys))
        memset(&keys, 0, sizeof keys);
    rf_place_keys_renew(&keys, dsn->password);
    WRITE(slot->place_keys, &keys);
    explicit_bzero(&keys, sizeof keys);
    WRITE(slot->dsn, dsn);
}

int rf_slot_place_keys(const rf_slot *slot, rf_place_keys *ret_keys)
{
    return READ(slot->place_keys, ret_keys);
}

int rf_slot_brief(const rf_slot *slot, rf_brief *ret_brief)
{
    if (READ(slot->brief, ret_brief))
        return 1;
    memset(ret_brief, 0, sizeof *ret_brief);
    return 0;
}

int rf_slot_snapshot(const rf_slot *slot, rf_snapshot *ret_snapshot)
{
    rf_brief brief;

    if (!READ(slot->full, ret_snapshot))
        return 0;
    if (READ(slot->brief, &brief))
        ret_snapshot->brief.observed_at = brief.observed_at;
    return 1;
}

int rf_slot_adopt(const rf_slot *slot, rf_snapshot *ret_snapshot)
{
    rf_snapshot seen;

    if (rf_slot_snapshot(slot, ret_snapshot))
        return 1;
    memset(&seen, 0, sizeof seen);
    seen.writer.read_only = -1;
    /* The two are written one after the other, so at most one is unfinished. */
    if (!rf_slot_brief(slot, &seen.brief))
        return 0;
    *ret_snapshot = seen;
    return 1;
}

uint32_t rf_slot_order_number(rf_slot *slot)
{
    return atomic_fetch_add(&slot->orders_given, 1) + 1;
}

void rf_slot_order_taken(rf_slot *slot, uint32_t number)
{
    if (!rf_slot_order_is_taken(slot, number))
        atomic_store(&slot->orders_taken, number);
}

int rf_slot_order_is_taken(const rf_slot *slot, uint32_t number)
{
    return (int32_t)(atomic_load(&slot->orders_taken) - number) >= 0;
}

int rf_slot_dsn(const rf_slot *slot, rf_dsn *ret_dsn)
{
    return READ(slot->dsn, ret_dsn);
}

rf_state_name rf_brief_state(const rf_brief *brief, rf_time now)
{
    return now - brief->observed_at > brief->stale_after ? RF_STATE_UNKNOWN : (rf_state_name)brief->state;
}

const char *rf_state_text(rf_state_name state)
{
    switch (state) {
    case RF_STATE_AVAILABLE:
        return "available";
    case RF_STATE_SUSPECT:
        return "suspect";
    case RF_STATE_OUTAGE:
        return "outage";
    case RF_STATE_RECOVERING:
        return "recovering";
    case RF_STATE_UNKNOWN:
        break;
    }
    return "unknown";
}

void rf_board_monitor_started(rf_board *board, int32_t pid, int again)
{
    atomic_store(&board->monitor_pid, pid);
    atomic_store(&board->monitor_forgotten, 0);
    if (again)
        atomic_fetch_add(&board->monitor_restarts, 1);
}

void rf_board_monitor_forgotten(rf_board *board, rf_time when)
{
    atomic_store(&board->monitor_forgotten, when);
}

rf_time rf_board_monitor_forgotten_at(const rf_board *board)
{
    return atomic_load(&board->monitor_forgotten);
}

void rf_board_monitor_beat(rf_board *board, rf_time now)
{
    atomic_store(&board->monitor_beat, now);
}

void rf_board_monitor(const rf_board *board, int32_t *ret_pid, uint32_t *ret_restarts, rf_time *ret_beat)
{
    *ret_pid = atomic_load(&board->monitor_pid);
    *ret_restarts = atomic_load(&board->monitor_restarts);
    *ret_beat = atomic_load(&board->monitor_beat);
}
