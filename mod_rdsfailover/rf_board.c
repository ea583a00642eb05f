/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_board.h"

#include <string.h>

#define BOARD_MAGIC 0x7264736661696c31u /* "rdsfail1" */
#define BOARD_LAYOUT 2u                 /* grows with every change of a struct below or in rf_board.h, rf_sample.h, rf_dsn.h */

#define WORDS(type) ((sizeof(type) + 7) / 8)
/* A writer holds the lock for about a microsecond; a reader that fails this often met a writer that died in the middle. */
#define READ_TRIES 1000

/* One value under a sequence lock: odd while it is written. */
#define RECORD(type)                       \
    struct {                               \
        _Atomic uint32_t seq;              \
        _Atomic uint64_t words[WORDS(type)]; \
    }

struct rf_slot {
    _Atomic uint64_t key; /* 0: free */
    atomic_uint wake;
    RECORD(rf_brief) brief;
    RECORD(rf_snapshot) full;
    RECORD(rf_dsn) dsn;
    _Atomic uint64_t counts[RF_COUNTS]; /* what no cell counts: rejected, dry, peak */
    uint32_t index;
};

/* A child may be killed between any two instructions. So entering is one step, and leaving is one step: a counter of its cell;
 * who waits is the difference. The counters are never set back, not even for the cell's next owner. */
typedef struct child_cell {
    _Atomic int32_t pid;      /* 0: free */
    _Atomic uint32_t waiting; /* for the limits alone: may be off by one until a child that was killed is cleared away */
    _Atomic uint32_t counts[RF_BOARD_SLOTS][RF_COUNT_LOST + 1];
} child_cell;

struct rf_board {
    uint64_t magic;
    uint64_t layout;
    _Atomic int32_t monitor_pid;
    _Atomic uint32_t monitor_restarts;
    _Atomic int64_t monitor_beat;
    _Atomic int64_t monitor_forgotten;
    _Atomic int32_t cells; /* ever in use: no other need be read */
    rf_slot slots[RF_BOARD_SLOTS];
    child_cell children[RF_BOARD_CHILDREN];
};

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
    int changed = torn || before.state != snapshot->brief.state || before.epoch != snapshot->brief.epoch;

    /* One of the two must be whole at any time, however often a monitor is killed: rf_slot_adopt. */
    if (torn)
        WRITE(slot->brief, &snapshot->brief);
    WRITE(slot->full, snapshot);
    WRITE(slot->brief, &snapshot->brief);
    if (changed)
        atomic_fetch_add_explicit(&slot->wake, 1, memory_order_release);
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
    WRITE(slot->dsn, dsn);
}

int rf_slot_brief(const rf_slot *slot, rf_brief *ret_brief)
{
    return READ(slot->brief, ret_brief);
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

atomic_uint *rf_slot_wake_word(rf_slot *slot)
{
    return &slot->wake;
}

static uint32_t cell_left(const child_cell *cell, uint32_t slot)
{
    uint32_t left = 0;
    int i;

    for (i = RF_COUNT_RELEASED; i <= RF_COUNT_LOST; i++)
        left += atomic_load(&cell->counts[slot][i]);
    return left;
}

int rf_board_child_join(rf_board *board, int32_t pid)
{
    int32_t cells, nobody;
    int i;

    rf_board_child_gone(board, pid);
    for (i = 0; i < RF_BOARD_CHILDREN; i++) {
        nobody = 0;
        if (!atomic_compare_exchange_strong(&board->children[i].pid, &nobody, pid))
            continue;
        cells = atomic_load(&board->cells);
        while (cells <= i && !atomic_compare_exchange_weak(&board->cells, &cells, i + 1))
            ;
        return i;
    }
    return -1;
}

uint64_t rf_board_child_gone(rf_board *board, int32_t pid)
{
    uint64_t lost = 0;
    int i, s;

    for (i = 0; i < atomic_load(&board->cells); i++) {
        child_cell *cell = &board->children[i];
        if (atomic_load(&cell->pid) != pid)
            continue;
        for (s = 0; s < RF_BOARD_SLOTS; s++) {
            uint32_t n = atomic_load(&cell->counts[s][RF_COUNT_HELD]) - cell_left(cell, (uint32_t)s);
            if (n)
                atomic_fetch_add(&cell->counts[s][RF_COUNT_LOST], n);
            lost += n;
        }
        atomic_store(&cell->waiting, 0);
        atomic_store(&cell->pid, 0);
        break;
    }
    return lost;
}

int rf_slot_enter(rf_board *board, rf_slot *slot, int child, uint32_t limit, uint32_t child_limit)
{
    child_cell *cell = child < 0 ? NULL : &board->children[child];
    uint64_t counts[RF_COUNTS], now, peak;

    /* First stand in line, then look at its length: of those who come at once all may be turned away, but never all let in. */
    if (!cell || atomic_fetch_add(&cell->waiting, 1) >= child_limit || rf_board_waiting(board) > limit) {
        if (cell)
            atomic_fetch_sub(&cell->waiting, 1);
        rf_slot_count(slot, RF_COUNT_REJECTED);
        return 0;
    }
    atomic_fetch_add(&cell->counts[slot->index][RF_COUNT_HELD], 1);

    rf_slot_counts(slot, counts, &now);
    peak = counts[RF_COUNT_PEAK];
    while (now > peak && !atomic_compare_exchange_weak(&slot->counts[RF_COUNT_PEAK], &peak, now))
        ;
    return 1;
}

void rf_slot_leave(rf_board *board, rf_slot *slot, int child, rf_count how)
{
    child_cell *cell = &board->children[child];

    atomic_fetch_add(&cell->counts[slot->index][how], 1);
    atomic_fetch_sub(&cell->waiting, 1);
}

void rf_slot_count(rf_slot *slot, rf_count what)
{
    atomic_fetch_add(&slot->counts[what], 1);
}

void rf_slot_counts(const rf_slot *slot, uint64_t ret_counts[RF_COUNTS], uint64_t *ret_now)
{
    const rf_board *board = (const rf_board *)(const void *)((const char *)(slot - slot->index) - offsetof(rf_board, slots));
    uint64_t now = 0;
    int i, k;

    for (k = 0; k < RF_COUNTS; k++)
        ret_counts[k] = atomic_load(&slot->counts[k]);
    for (i = 0; i < atomic_load(&board->cells); i++) {
        const child_cell *cell = &board->children[i];
        /* Exits first, then entries: a request that enters meanwhile counts as waiting, and the difference is never negative. */
        for (k = RF_COUNT_LOST; k >= 0; k--) {
            uint32_t n = atomic_load(&cell->counts[slot->index][k]);
            ret_counts[k] += n;
            now += k == RF_COUNT_HELD ? n : -(uint64_t)n;
        }
    }
    *ret_now = now;
}

uint32_t rf_board_waiting(const rf_board *board)
{
    uint32_t waiting = 0;
    int i;

    for (i = 0; i < atomic_load(&board->cells); i++)
        waiting += atomic_load(&board->children[i].waiting);
    return waiting;
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
