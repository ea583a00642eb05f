/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_waiting.c
 * @brief The queues of this process: joining, and being let go in the order of arrival, not more at once than allowed.
 *
 * Layer:   glue. rf_queue.c keeps the order, rf_hold.c decides; this file reads the clock and the board, and wakes.
 * Threads: one lock for all queues of the process, never held over anything that blocks. Whoever comes by drives them: the watch
 *          (mod_rdsfailover_watch.c), workers that wait (mod_rdsfailover_blocking.c), and workers whose request is done.
 *
 * Only static memory and the waiters' own: requests may wait while the child's pools go.
 */
#include "mod_rdsfailover_waiting.h"

#include <pthread.h>
#include <unistd.h>

#include "rf_io_futex.h"

/* How often a worker that waits looks whether its client is still there, and for its turn while others are let go. */
#define CLIENT_LOOK RF_MS(250)
#define TURN_LOOK RF_MS(20)
/* How often the watch comes by: while nothing may go, and while requests leave. */
#define TICK_SHUT RF_MS(5)
#define TICK_OPEN RF_MS(1)

/* One for each database. */
typedef struct line {
    rf_queue queue;
    rf_time shown;        /* what the board says of our head */
    int shown_startable;
    rf_time denied_since; /* since when a place to run was free and it was not our turn */
} line;

static line lines[RF_BOARD_SLOTS];
static uint32_t waiting, waiting_without_worker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void nudge(const rf_waiter *w)
{
    uint64_t one = 1;

    if (w->wake_fd < 0)
        rf_io_futex_wake(rf_board_wake_word(rf_life_board(), rf_life_child()));
    else if (write(w->wake_fd, &one, sizeof one) < 0) {
        /* The counter is full: it has been told often enough. */
    }
}

static void deliver(line *l, rf_waiter *w, rf_hold_verdict verdict, rf_time now)
{
    static const rf_count counts[] = {
        [RF_HOLD_RELEASE] = RF_COUNT_RELEASED, [RF_HOLD_PASS] = RF_COUNT_PASSED,   [RF_HOLD_REDIRECT] = RF_COUNT_REDIRECTED,
        [RF_HOLD_EXPIRE] = RF_COUNT_EXPIRED,   [RF_HOLD_ABORT] = RF_COUNT_ABORTED,
    };
    rf_count how = verdict == RF_HOLD_EXPIRE && w->then_pass ? RF_COUNT_PASSED : counts[verdict];

    rf_queue_remove(&l->queue, &w->ticket);
    waiting--;
    waiting_without_worker -= w->wake_fd >= 0;
    w->verdict = verdict;
    w->left = now;
    rf_slot_leave(rf_life_board(), w->db->slot, rf_life_child(), how);
    rf_slot_add_hold_time(w->db->slot, now - w->began);
    if (w->wake_fd < 0)
        rf_board_unblock(rf_life_board(), rf_life_child());
    nudge(w);
}

/* How many threads of this process may be taken if w is to take one; 0: it takes none. Workers that already keep a request are not
 * spared by letting it wait longer. Children take connections as they come: the one that got more would be the last to be done. */
static uint32_t most_threads(const rf_waiter *w)
{
    const rf_capacity *capacity = rf_limits_capacity();
    const rf_board *board = rf_life_board();
    int child = rf_life_child();

    if (w->is_stream)
        return 0;
    if (w->wake_fd < 0)
        return UINT32_MAX;
    return rf_board_threads(board, child) >= capacity->at_once && rf_board_spared_elsewhere(board, child, capacity->at_once)
        ? capacity->at_most : capacity->at_once;
}

static int claim(rf_waiter *w, uint32_t allowed, uint32_t threads)
{
    w->runs = rf_slot_start(rf_life_board(), w->db->slot, rf_life_child(), allowed, threads);
    return w->runs;
}

/* Each request's own time, which does not depend on the state of anything. */
static void see_to_due(line *l, rf_gate gate, rf_time now)
{
    rf_ticket *t;

    while ((t = rf_queue_first(&l->queue, RF_BY_DUE)) && t->due <= now) {
        rf_waiter *w = (rf_waiter *)t;
        rf_hold_verdict verdict = rf_hold_judge(&w->terms, now);
        rf_time due = rf_hold_due(&w->terms);

        if (verdict == RF_HOLD_WAIT) {
            rf_queue_postpone(&l->queue, t, w->renew && now + w->renew < due ? now + w->renew : due);
            nudge(w);
        } else if (verdict == RF_HOLD_EXPIRE && gate == RF_GATE_OPEN) {
            /* With a writer there, nobody is turned away for having waited for his turn. */
            claim(w, 0, w->is_stream ? 0 : UINT32_MAX);
            deliver(l, w, RF_HOLD_RELEASE, now);
        } else {
            deliver(l, w, verdict, now);
        }
    }
}

/* May the oldest of this process go now? Claims its place to run. */
static int may_go(line *l, rf_waiter *w, uint32_t allowed, rf_time now)
{
    const rf_slot *slot = w->db->slot;

    if (allowed && rf_slot_now(slot, RF_NOW_RUNNING) >= allowed) {
        l->denied_since = 0;
        return 0;
    }
    if (allowed && !rf_hold_turn(w->ticket.arrival, rf_slot_oldest_head(rf_life_board(), slot, rf_life_child(), NULL),
                                 l->denied_since, now)) {
        if (!l->denied_since)
            l->denied_since = now;
        return 0;
    }
    l->denied_since = 0;
    return claim(w, allowed, most_threads(w));
}

static void show_head(line *l, rf_slot *slot)
{
    const rf_waiter *w = (const rf_waiter *)rf_queue_first(&l->queue, RF_BY_ARRIVAL);
    rf_time head = w ? w->ticket.arrival : RF_TIME_NEVER;
    int startable = w && (w->is_stream || rf_board_threads(rf_life_board(), rf_life_child()) < most_threads(w));

    if (head != l->shown || startable != l->shown_startable) {
        rf_slot_show_head(rf_life_board(), slot, rf_life_child(), head, startable);
        l->shown = head;
        l->shown_startable = startable;
    }
}

/* Let go whoever may. @return as rf_waiting_tick */
static rf_time drive(line *l, rf_slot *slot, rf_time now)
{
    rf_brief brief;
    rf_gate gate;
    rf_waiter *w;

    if (!l->queue.length) {
        show_head(l, slot);
        return RF_TIME_NEVER;
    }
    gate = rf_slot_brief(slot, &brief) ? rf_hold_gate(&brief, now) : RF_GATE_SHUT;
    see_to_due(l, gate, now);
    while (gate != RF_GATE_SHUT && (w = (rf_waiter *)rf_queue_first(&l->queue, RF_BY_ARRIVAL)) &&
           may_go(l, w, gate == RF_GATE_OPEN ? brief.allowed : 0, now))
        deliver(l, w, gate == RF_GATE_OPEN ? RF_HOLD_RELEASE : RF_HOLD_PASS, now);
    show_head(l, slot);
    if (!l->queue.length)
        return RF_TIME_NEVER;
    return gate == RF_GATE_SHUT ? TICK_SHUT : TICK_OPEN;
}

rf_time rf_waiting_tick(rf_time now)
{
    const apr_array_header_t *databases = rf_life_databases();
    rf_time next = RF_TIME_NEVER;
    int i;

    pthread_mutex_lock(&lock);
    for (i = 0; waiting && i < databases->nelts; i++) {
        const rf_database *db = APR_ARRAY_IDX(databases, i, const rf_database *);
        rf_time again = drive(&lines[db->index], db->slot, now);
        if (again < next)
            next = again;
    }
    pthread_mutex_unlock(&lock);
    return next;
}

/* With the lock held. */
static rf_joined enter(line *l, rf_waiter *w)
{
    const rf_capacity *capacity = rf_limits_capacity();
    rf_board *board = rf_life_board();
    int child = rf_life_child(), blocks = w->wake_fd < 0;
    rf_joined joined = RF_JOINED_FULL;

    if (blocks && !rf_board_block(board, child, capacity->blocking, w->is_stream ? capacity->streams : UINT32_MAX)) {
        rf_slot_count(w->db->slot, RF_COUNT_REJECTED);
        return joined;
    }
    if (rf_slot_enter(board, w->db->slot, child, capacity->requests, capacity->per_process)) {
        if (rf_queue_join(&l->queue, &w->ticket))
            return RF_JOINED;
        rf_slot_leave(board, w->db->slot, child, RF_COUNT_PASSED);
        joined = RF_JOINED_NO_MEMORY;
    }
    if (blocks)
        rf_board_unblock(board, child);
    return joined;
}

rf_joined rf_waiting_join(rf_waiter *w)
{
    line *l = &lines[w->db->index];
    int first = 0; /* of those that the watch must see to */
    rf_joined joined;

    w->began = rf_clock_now();
    w->verdict = RF_HOLD_WAIT;
    w->ticket.due = rf_hold_due(&w->terms);
    if (w->wake_fd >= 0 && w->began + w->renew < w->ticket.due)
        w->ticket.due = w->began + w->renew;
    pthread_mutex_lock(&lock);
    joined = enter(l, w);
    if (joined == RF_JOINED) {
        waiting++;
        first = w->wake_fd >= 0 && waiting_without_worker++ == 0;
        show_head(l, w->db->slot);
    }
    pthread_mutex_unlock(&lock);
    if (first)
        rf_watch_poke();
    return joined;
}

rf_hold_verdict rf_waiting_verdict(rf_waiter *w)
{
    rf_hold_verdict verdict;

    pthread_mutex_lock(&lock);
    verdict = w->verdict;
    pthread_mutex_unlock(&lock);
    return verdict;
}

void rf_waiting_abort(rf_waiter *w)
{
    line *l = &lines[w->db->index];

    pthread_mutex_lock(&lock);
    if (rf_ticket_waits(&w->ticket)) {
        deliver(l, w, RF_HOLD_ABORT, rf_clock_now());
        show_head(l, w->db->slot);
    }
    pthread_mutex_unlock(&lock);
}

int rf_waiting_start(rf_waiter *w, const rf_brief *brief)
{
    line *l = &lines[w->db->index];
    int starts;

    pthread_mutex_lock(&lock);
    starts = !l->queue.length &&
             rf_slot_oldest_head(rf_life_board(), w->db->slot, rf_life_child(), NULL) == RF_TIME_NEVER &&
             claim(w, brief->allowed, w->is_stream ? 0 : rf_limits_capacity()->at_once);
    pthread_mutex_unlock(&lock);
    return starts;
}

/* A place to run is free, and this process has nobody who may take it: tell the one whose turn it is, if it cannot see. */
static void pass_on(const rf_slot *slot)
{
    int whose;

    rf_slot_oldest_head(rf_life_board(), slot, rf_life_child(), &whose);
    if (whose >= 0 && rf_board_blocks(rf_life_board(), whose))
        rf_io_futex_wake(rf_board_wake_word(rf_life_board(), whose));
}

void rf_waiting_finish(rf_waiter *w)
{
    line *l = &lines[w->db->index];
    int finished;

    pthread_mutex_lock(&lock);
    finished = w->runs;
    if (finished) {
        w->runs = 0;
        rf_slot_finish(rf_life_board(), w->db->slot, rf_life_child(), !w->is_stream);
        drive(l, w->db->slot, rf_clock_now());
    }
    pthread_mutex_unlock(&lock);
    if (finished)
        pass_on(w->db->slot);
}

void rf_waiting_over(rf_waiter *w)
{
    rf_waiting_abort(w);
    rf_waiting_finish(w);
}

rf_hold_verdict rf_waiting_look(rf_waiter *w, rf_time now, rf_time *ret_next)
{
    line *l = &lines[w->db->index];
    rf_hold_verdict verdict;

    pthread_mutex_lock(&lock);
    *ret_next = drive(l, w->db->slot, now) == TICK_OPEN ? TURN_LOOK : CLIENT_LOOK;
    if (w->ticket.due - now < *ret_next)
        *ret_next = w->ticket.due - now;
    verdict = w->verdict;
    pthread_mutex_unlock(&lock);
    return verdict;
}
