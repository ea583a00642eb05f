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
 * leave anything locked. A reader that meets a write which does not end knows nothing, and lets pass what is not held yet.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "rf_order.h"
#include "rf_place.h"
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

/** How a database stood in one second, for the status' strip of the last ten minutes. */
typedef struct rf_history_sample {
    rf_time at;
    uint8_t state;   /**< rf_state_name: the gravest of that second */
    uint32_t held;   /**< most that waited */
    uint32_t rtt_us; /**< the slowest answer of the writer, or the usual one if none was due; 0: it gave none */
} rf_history_sample;

#define RF_HISTORY 600     /**< samples kept for each database */
#define RF_HOLD_BUCKETS 13 /**< of the histogram of hold times, see rf_board_hold_bound */

/** What every request reads. Small, so that reading costs nothing. */
typedef struct rf_brief {
    rf_time observed_at; /**< the monitor's last sign of life; older than `stale_after` reads as unknown */
    rf_time stale_after; /**< 3 × interval + timeout */
    uint32_t state;      /**< rf_state_name */
    uint32_t epoch;      /**< grows by one when an outage ends or the writer's address changes */
    uint32_t dsn_serial; /**< changes when the DSN in the slot does */
    uint32_t armed;      /**< an outage is expected */
    rf_time proved;   /**< when was asked what the writer, and with app=name the resolver, last answered: see rf_replay_blame */
    uint32_t allowed; /**< released requests that may run at once on this host; 0: any number */
    rf_time hold_until; /**< an operator's order: shut until then, whatever the state; 0: none. Each reader judges by his own clock */
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
    rf_time ended;          /**< there was a writer again, for this host too */
    rf_time released;       /**< requests were let go: then, or at the end of an operator's order to hold */
    rf_time drained;        /**< the queue was empty */
    rf_address from, to;
    uint64_t held_before;   /**< the slot's `held` when it started */
    uint64_t held;          /**< requests held during it */
    uint64_t replayed_before; /**< answers the slot had withheld when it started */
    uint64_t replayed;      /**< requests of which an answer was withheld during it, and that ran again */
    rf_time sockets_freed;  /**< the first sockets to `from` were destroyed */
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
    struct {
        uint32_t mode;    /**< rf_abort_mode */
        uint32_t left;    /**< at the last look: were there still, and had to be left alone */
        uint64_t aborted; /**< ever */
    } sockets; /**< of this host, to addresses that lost the writer's role */
    rf_orders orders;
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
    RF_COUNT_TROUBLED,   /**< let go while recovering, and the application failed (5xx): the release does not grow on that */
    RF_COUNT_WITHHELD,         /**< answers that were swallowed, each to be replaced by that of another attempt */
    RF_COUNT_REPLAY_SUCCEEDED, /**< of these, the other attempt was fine */
    RF_COUNT_REPLAY_FAILED,    /**< of these, the other attempt failed too, or never came */
    RF_COUNT_REPLAY_REFUSED,   /**< failed with the database, and must not run again: the answer went out */
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

/** The monitor alone. @return 1 if waiting requests should look again: the caller then wakes every child (rf_board_wake_word) */
int rf_slot_publish(rf_slot *slot, const rf_snapshot *snapshot);
/** The monitor alone: renew `observed_at`, nothing else. */
void rf_slot_beat(rf_slot *slot, rf_time now);
/** The monitor alone, and the parent before the first monitor. */
void rf_slot_set_dsn(rf_slot *slot, const rf_dsn *dsn);

/** @return 1, or 0 if a write has been under way for too long: the brief is all zeroes then, which reads as unknown */
int rf_slot_brief(const rf_slot *slot, rf_brief *ret_brief);
/** Copy out. @return 1, or 0 likewise: the output is untouched then */
int rf_slot_snapshot(const rf_slot *slot, rf_snapshot *ret_snapshot);
int rf_slot_dsn(const rf_slot *slot, rf_dsn *ret_dsn);
/** What signs the places of visitors who are sent round; renewed with the DSN. */
int rf_slot_place_keys(const rf_slot *slot, rf_place_keys *ret_keys);
/** For the next monitor: if the last one died in the middle of a snapshot, at least its brief. @return 0 if there is nothing */
int rf_slot_adopt(const rf_slot *slot, rf_snapshot *ret_snapshot);

/** The state a reader must act on: RF_STATE_UNKNOWN if the brief is stale at `now`. */
rf_state_name rf_brief_state(const rf_brief *brief, rf_time now);

/** @return "available" and so on, as in the status; never NULL */
const char *rf_state_text(rf_state_name state);

/** @name Orders on their way to the monitor. @{ */
/** A child is about to send one. @return its number, later than all before it */
uint32_t rf_slot_order_number(rf_slot *slot);
/** The monitor alone: this one, and all before it, are in force. */
void rf_slot_order_taken(rf_slot *slot, uint32_t number);
/** @return 1 if the order with this number, or a later one, was taken */
int rf_slot_order_is_taken(const rf_slot *slot, uint32_t number);
/** @} */

/** @name What was, for the status. @{ */
/** The monitor alone; once a second. Survives the monitor: the next one goes on where it ended, and leaves a gap in the times. */
void rf_slot_add_history(rf_slot *slot, const rf_history_sample *sample);
/** @return how many there are, at most RF_HISTORY; the oldest first */
unsigned rf_slot_history(const rf_slot *slot, rf_history_sample ret_samples[RF_HISTORY]);

/** @return the longest wait that counts in this bucket: 100 ms, 500 ms, 1 s ... 150 s; RF_TIME_NEVER for the last */
rf_time rf_board_hold_bound(unsigned bucket);
/** A request that waited this long has left the queue, whichever way. */
void rf_slot_add_hold_time(rf_slot *slot, rf_time duration);
/** @param ret_counts each wait is in one bucket, the smallest it fits (Prometheus wants them summed up) @param ret_sum_us of all */
void rf_slot_hold_times(const rf_slot *slot, uint64_t ret_counts[RF_HOLD_BUCKETS], uint64_t *ret_sum_us);
/** @} */

/** @name Counting. @{ */

/** Claim the cell of a child that just started. @return its index, or -1 if there is none: it must not hold requests then */
int rf_board_child_join(rf_board *board, int32_t pid);
/** The child ends, and takes no connection any more. */
void rf_board_child_stops(rf_board *board, int child);
/** The child ends in order, or the parent saw it die: whatever it still held is counted as lost. @return how many that were */
uint64_t rf_board_child_gone(rf_board *board, int32_t pid);

/**
 * Enter the queue if fewer than `limit` requests wait in all and fewer than `child_limit` in this child.
 * @return 1 entered (leave with rf_slot_leave, exactly once); 0 not, and RF_COUNT_REJECTED was counted
 */
int rf_slot_enter(rf_board *board, rf_slot *slot, int child, uint32_t limit, uint32_t child_limit);
void rf_slot_leave(rf_board *board, rf_slot *slot, int child, rf_count how);

/**
 * A worker is about to wait with its request.
 * @return 1 if fewer than `limit` did on this host, and fewer than `child_limit` in this child: end with rf_board_unblock
 */
int rf_board_block(rf_board *board, int child, uint32_t limit, uint32_t child_limit);
void rf_board_unblock(rf_board *board, int child);

/** Count something that is no part of entering or leaving. */
void rf_slot_count(rf_slot *slot, rf_count what);

/** One consistent reading. @param ret_now requests waiting at that moment; the sum of rf_count's comment holds exactly */
void rf_slot_counts(const rf_slot *slot, uint64_t ret_counts[RF_COUNTS], uint64_t *ret_now);
/** Requests that wait on this host, for all databases. */
uint32_t rf_board_waiting(const rf_board *board);
/** @} */

/** @name What runs. A child that dies gives back what it had. @{ */

/** Requests of one database, at this moment. */
typedef enum {
    RF_NOW_RUNNING,   /**< let go, until their handlers have returned: rf_slot_start, rf_slot_finish */
    RF_NOW_INFLIGHT,  /**< protected, and past the gate, whatever the state: they execute. Those that run are among them */
    RF_NOW_REPLAYING, /**< of those in flight, run again after a failure */
    RF_NOWS
} rf_now;

/**
 * One atomic addition to memory that only this child writes, and a fence. A gate that counts a request as in flight first, reads
 * the brief then, and takes the count back if the request has to wait after all, lets none slip past whoever published a hold and
 * then saw nothing in flight.
 */
void rf_slot_more(rf_board *board, const rf_slot *slot, int child, rf_now what);
void rf_slot_less(rf_board *board, const rf_slot *slot, int child, rf_now what);
/**
 * The same if there are fewer than `limit` on this host. However many threads of a child ask at once, they exceed that by none; each
 * further child may by one.
 * @return 1 if it was added
 */
int rf_slot_more_below(rf_board *board, const rf_slot *slot, int child, rf_now what, uint32_t limit);
/** On this host. */
uint32_t rf_slot_now(const rf_slot *slot, rf_now what);

/**
 * Claim the right to run if fewer than `allowed` released requests run on this host (0: any number). Of several that claim the last
 * one at once, all may fail: ask again.
 * @param threads so many of the child's may be taken by released requests of any database; 0: this one will take none (a stream of
 *                HTTP/2 has workers of its own)
 * @return 1 claimed: end with rf_slot_finish, with the same words
 */
int rf_slot_start(rf_board *board, rf_slot *slot, int child, uint32_t allowed, uint32_t threads);
void rf_slot_finish(rf_board *board, rf_slot *slot, int child, int took_thread);
/** Released requests that have ended, ever. */
uint64_t rf_slot_finished(const rf_slot *slot);
/** @return how many of this child's threads released requests have taken */
uint32_t rf_board_threads(const rf_board *board, int child);
/** @return 1 if another child that takes connections has fewer than `limit` threads taken: it has workers for other things */
int rf_board_spared_elsewhere(const rf_board *board, int child, uint32_t limit);

/**
 * Show when the request at the head of this child's queue arrived; RF_TIME_NEVER if nobody waits.
 * @param startable 0: it could not start now, because the child is full of such that run; nobody waits for it then
 */
void rf_slot_show_head(rf_board *board, rf_slot *slot, int child, rf_time arrival, int startable);
/** @param ret_child whose it is, -1 if nobody's; may be NULL @return the oldest startable head of all children but `child` */
rf_time rf_slot_oldest_head(const rf_board *board, const rf_slot *slot, int child, int *ret_child);
/** For the status. @return when the request that has waited longest arrived, startable or not; RF_TIME_NEVER if nobody waits */
rf_time rf_slot_oldest(const rf_slot *slot);

/** Cells that were ever in use: rf_board_wake_word takes 0 to this, exclusive. */
int rf_board_cells(const rf_board *board);
/** Changed and woken (futex(2), shared) when the blocked requests of a child should look again. */
atomic_uint *rf_board_wake_word(rf_board *board, int child);
/** @return 1 if a worker of this child waits with its request */
int rf_board_blocks(const rf_board *board, int child);
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
