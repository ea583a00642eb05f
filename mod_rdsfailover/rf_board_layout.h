/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_BOARD_LAYOUT_H
#define RF_BOARD_LAYOUT_H
/**
 * @file rf_board_layout.h
 * @brief What the board's memory looks like: for rf_board.c, which keeps the records, rf_board_children.c, which
 * counts, and rf_board_history.c, which remembers.
 *
 * Layer: core. Whoever changes a struct here lets BOARD_LAYOUT (rf_board.c) grow.
 */
#include "rf_board.h"

#define WORDS(type) ((sizeof(type) + 7) / 8)
/* One value under a sequence lock: odd while it is written. */
#define RECORD(type)                       \
    struct {                               \
        _Atomic uint32_t seq;              \
        _Atomic uint64_t words[WORDS(type)]; \
    }

/* One more than are read: that one may be in the middle of being written. */
#define HISTORY_ROOM (RF_HISTORY + 1)
typedef struct history_cell {
    _Atomic int64_t at;
    _Atomic uint64_t held_rtt; /* held << 32 | rtt_us */
    _Atomic uint32_t state;
} history_cell;

struct rf_slot {
    _Atomic uint64_t key; /* 0: free */
    RECORD(rf_brief) brief;
    RECORD(rf_snapshot) full;
    RECORD(rf_dsn) dsn;
    RECORD(rf_place_keys) place_keys;
    _Atomic uint64_t counts[RF_COUNTS]; /* what no cell counts: rejected, dry, troubled, peak */
    uint32_t index;
    _Atomic uint32_t orders_given, orders_taken; /* numbers; they wrap */
    _Atomic uint64_t hold_times[RF_HOLD_BUCKETS];
    _Atomic uint64_t hold_sum;
    _Atomic uint64_t nhistory; /* ever written; the next one goes to nhistory % HISTORY_ROOM */
    history_cell history[HISTORY_ROOM];
};

/* A child may be killed between any two instructions. So entering is one step, and leaving is one step: a counter of its cell;
 * who waits is the difference. The counters are never set back, not even for the cell's next owner. */
typedef struct child_cell {
    _Atomic int32_t pid;      /* 0: free */
    _Atomic uint32_t waiting; /* for the limits alone: may be off by one until a child that was killed is cleared away */
    _Atomic uint32_t blocked; /* of these, how many keep a worker; likewise */
    _Atomic uint32_t threads; /* taken by released requests of all databases */
    _Atomic uint32_t accepts; /* connections: 0 from when it begins to end */
    atomic_uint wake;
    _Atomic int64_t head[RF_BOARD_SLOTS]; /* 0: none, as in zeroed memory; else arrival + 1, negative if it could not start */
    _Atomic uint32_t now[RF_BOARD_SLOTS][RF_NOWS]; /* in the middle of the cell: no other process writes these lines of the cache */
    _Atomic uint64_t finished[RF_BOARD_SLOTS]; /* of those that ran; never set back */
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

#endif /* RF_BOARD_LAYOUT_H */
