/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_BOARD_H
#define RF_BOARD_H
/**
 * @file rf_board.h
 * @brief The board: the shared memory in which the monitor says what it knows and requests count what became of them.
 *
 * Layer:     core. The caller provides the memory (zeroed, shared by all processes, never moved); no pointers are in it.
 * Ownership: one block for the life of the httpd parent. Slots are keyed by what is watched (rf_dsn_key) and kept until the parent ends, so that
 *            requests of an older generation go on reading what the newer generation's monitor writes.
 * Threads:   brief, full and dsn of a slot are written by the monitor alone, each under its own sequence lock; counters are
 *            atomic and written by whoever counts; a child's cell is written by that child, and by the parent once it is dead.
 *
 * Why a sequence lock: a request must never wait for the monitor, and a monitor killed in the middle of a write must not
 * leave anything locked. A reader that meets an unfinished write uses its last good copy, which then grows stale.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "rf_sample.h"
#include "rf_time.h"

#define RF_BOARD_SLOTS 64      /**< databases one server may watch */
#define RF_BOARD_CHILDREN 4096 /**< httpd children that may hold requests at one time */
#define RF_FAILOVERS 8         /**< failovers remembered for each database */

/** Where a database stands. The order is stable: append, never reorder. */
typedef enum {
    RF_STATE_UNKNOWN,    /**< nothing is known (just started, monitor gone, snapshot stale): requests pass */
    RF_STATE_AVAILABLE,  /**< the writer answers and takes writes */
    RF_STATE_SUSPECT,    /**< something is wrong, not yet proven: new requests wait for the next answer */
    RF_STATE_OUTAGE,     /**< no writer: requests are held */
    RF_STATE_RECOVERING  /**< a writer is verified; held requests are leaving */
} rf_state_name;

/** What every request reads. Small, so that reading costs nothing. */
typedef struct rf_brief {
    rf_time observed_at; /**< the monitor's last sign of life; older than `stale_after` reads as unknown */
    rf_time stale_after; /**< 3 × interval + timeout */
    uint32_t state;      /**< rf_state_name */
    uint32_t epoch;      /**< grows by one when an outage ends or the writer's address changes */
    uint32_t dsn_serial; /**< changes when the DSN in the slot does */
    uint32_t armed;
    rf_address writer; /**< empty if none was ever verified */
} rf_brief;

/** One failover, as it happened. Times are 0 while they have not come. */
typedef struct rf_failover {
    uint32_t epoch;         /**< the epoch it ended with; 0 while it lasts */
    uint32_t cause;         /**< rf_cause of the first failed evidence */
    rf_time started;        /**< first failed evidence */
    rf_time detected;       /**< the first moment from which requests were held */
    rf_time declared;       /**< state became outage; 0 if it ended as a suspicion with a new writer */
    rf_time dns_changed;    /**< the resolver's answer first named the new writer */
    rf_time verified;       /**< the new writer had passed often enough */
    uint32_t awaited;       /**< and that it waits for the resolver was said */
    rf_time ended;          /**< requests were let go */
    rf_time drained;        /**< the queue was empty */
    rf_address from, to;
    uint64_t held_before;   /**< the slot's `held` when it started */
    uint64_t held;          /**< requests held during it */
    uint64_t replayed;
    uint64_t sockets_aborted;
} rf_failover;

/** All the monitor knows of one database, for the status. */
typedef struct rf_snapshot {
    rf_brief brief;
    rf_time since; /**< when the state was entered */
    struct {
        char server[64];
        char version[64];
        int32_t read_only;  /**< 0 writable, 1 read-only, -1 not known */
        rf_time rtt;        /**< smoothed */
        uint64_t buffer_pool_bytes;
        rf_time verified_at;
    } writer;
    struct {
        uint32_t ncnames, naddresses;
        char cnames[RF_CNAMES][256];
        rf_address addresses[RF_ADDRESSES];
        uint32_t ttl;
        rf_time answered_at, changed_at;
        uint32_t ok;     /**< the last question was answered */
        char error[256]; /**< why not */
    } dns;
    struct {
        rf_time last; /**< when the last verdict came */
        uint32_t ok;
        uint32_t cause, code;
        rf_address address; /**< of the last verdict */
        char error[256];
        rf_time interval, late;
        uint64_t count, failed;
    } probe;
    uint32_t nfailovers; /**< newest first */
    rf_failover failovers[RF_FAILOVERS];
} rf_snapshot;

/**
 * What became of requests. `held` counts entries into the queue; each held request leaves by exactly one of released, passed,
 * redirected, expired, aborted, lost. `rejected` never entered. Those still waiting are `held` minus the rest.
 */
typedef enum {
    RF_COUNT_HELD,       /**< from here to LOST counted by child */
    RF_COUNT_RELEASED,   /**< a writer was there: went on */
    RF_COUNT_PASSED,     /**< went on without one: ending `pass`, stale board */
    RF_COUNT_REDIRECTED, /**< sent round by 307 */
    RF_COUNT_EXPIRED,    /**< the hold's time was over: got the ending */
    RF_COUNT_ABORTED,    /**< the client left */
    RF_COUNT_LOST,       /**< its child died */
    RF_COUNT_REJECTED,   /**< the queue was full: got the ending at once */
    RF_COUNT_DRY,        /**< RDSFailoverDryRun: would have been held */
    RF_COUNT_PEAK,       /**< most that waited at once; not a sum */
    RF_COUNTS
} rf_count;

typedef struct rf_slot rf_slot;
typedef struct rf_board rf_board;

/** @return bytes a board needs */
size_t rf_board_size(void);

/**
 * Make a board of zeroed memory, or find that the memory already is one of this very layout.
 * @return NULL if the memory holds a board of another layout (a module of another version made it); the caller then makes a
 *         new one and lets the old generation keep the old, which grows stale and lets requests pass
 */
rf_board *rf_board_init(void *memory);

/** Find the slot of a DSN (rf_dsn_key) or take a free one. Only the parent calls this, in post_config. @return NULL if full */
rf_slot *rf_board_slot(rf_board *board, uint64_t key);

/** The monitor alone. If the state changed, the wake word did too, and the caller wakes its waiters. @return 1 if so */
int rf_slot_publish(rf_slot *slot, const rf_snapshot *snapshot);
/** The monitor alone: renew `observed_at`, nothing else. */
void rf_slot_beat(rf_slot *slot, rf_time now);
/** The monitor alone, and the parent before the first monitor. */
void rf_slot_set_dsn(rf_slot *slot, const rf_dsn *dsn);

/** Copy out. @return 1, or 0 if a write was under way for too long (then the output is untouched: use the last good copy) */
int rf_slot_brief(const rf_slot *slot, rf_brief *ret_brief);
int rf_slot_snapshot(const rf_slot *slot, rf_snapshot *ret_snapshot);
int rf_slot_dsn(const rf_slot *slot, rf_dsn *ret_dsn);
/** For the next monitor: if the last one died in the middle of a snapshot, at least its brief. @return 0 if there is nothing */
int rf_slot_adopt(const rf_slot *slot, rf_snapshot *ret_snapshot);

/** The state a reader must act on: RF_STATE_UNKNOWN if the brief is stale at `now`. */
rf_state_name rf_brief_state(const rf_brief *brief, rf_time now);

/** @return "available" and so on, as in the status; never NULL */
const char *rf_state_text(rf_state_name state);

/** A word that changes whenever waiting requests should look again; made for futex(2). */
atomic_uint *rf_slot_wake_word(rf_slot *slot);

/** @name Counting. @{ */

/** Claim the cell of a child that just started. @return its index, or -1 if there is none: it must not hold requests then */
int rf_board_child_join(rf_board *board, int32_t pid);
/** The child ends in order, or the parent saw it die: whatever it still held is counted as lost. @return how many that were */
uint64_t rf_board_child_gone(rf_board *board, int32_t pid);

/**
 * Enter the queue if fewer than `limit` requests wait in all and fewer than `child_limit` in this child.
 * @return 1 entered (leave with rf_slot_leave, exactly once); 0 not, and RF_COUNT_REJECTED was counted
 */
int rf_slot_enter(rf_board *board, rf_slot *slot, int child, uint32_t limit, uint32_t child_limit);
void rf_slot_leave(rf_board *board, rf_slot *slot, int child, rf_count how);

/** Count something that is no part of entering or leaving. */
void rf_slot_count(rf_slot *slot, rf_count what);

/** One consistent reading. @param ret_now requests waiting at that moment; the sum of rf_count's comment holds exactly */
void rf_slot_counts(const rf_slot *slot, uint64_t ret_counts[RF_COUNTS], uint64_t *ret_now);
/** Requests that wait on this host, for all databases. */
uint32_t rf_board_waiting(const rf_board *board);
/** @} */

/** @name The monitor's own sign of life, for the status. @{ */
/** @param again the one before died; a planned handover is no restart */
void rf_board_monitor_started(rf_board *board, int32_t pid, int again);
/**
 * The parent forgets its monitor because it reads its configuration again; starting one (or this with 0) ends that. If the module
 * was taken out of the configuration, nothing does, and the monitor must end by itself.
 */
void rf_board_monitor_forgotten(rf_board *board, rf_time when);
/** @return when it was forgotten, 0 if it is not */
rf_time rf_board_monitor_forgotten_at(const rf_board *board);
void rf_board_monitor_beat(rf_board *board, rf_time now);
void rf_board_monitor(const rf_board *board, int32_t *ret_pid, uint32_t *ret_restarts, rf_time *ret_beat);
/** @} */

#endif /* RF_BOARD_H */
