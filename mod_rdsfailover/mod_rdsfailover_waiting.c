/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_waiting.c
 * @brief The queues of this process: joining, and being let go in the order of arrival, not more at once than allowed.
 *
 * Layer:   glue. rf_queue.c keeps the order, rf_hold.c decides; this file reads the clock and the board, and wakes.
 * Threads: one lock for all queues of the process, never held over anything that blocks. Whoever comes by drives them: the watch
 *          (mod_rdsfailover_watch.c), workers that wait, and workers whose request is done.
 *
 * Only static memory and the waiters' own: requests may wait while the child's pools go.
 */
#include "mod_rdsfailover_waiting.h"

#include <apr_portable.h>
#include <http_core.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rf_state.h"

/* How often a worker that waits looks whether its client is still there, and for its turn while others are let go. */
#define CLIENT_LOOK RF_MS(250)
#define TURN_LOOK RF_MS(20)
/* How often the watch comes by: while nothing may go, and while requests leave. */
#define TICK_SHUT RF_MS(5)
#define TICK_OPEN RF_MS(1)

/* One for each database. */
typedef struct line {
    rf_queue queue;
    uint32_t running;     /* released requests of this process */
    rf_time shown;        /* what the board says of our head */
    int shown_startable;
    rf_time denied_since; /* since when a place to run was free and it was not our turn */
} line;

static line lines[RF_BOARD_SLOTS];
static uint32_t waiting, waiting_without_worker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void wake(atomic_uint *word)
{
    atomic_fetch_add(word, 1);
    /* Not FUTEX_PRIVATE: the board is shared by all processes. */
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void nudge(const rf_waiter *w)
{
    uint64_t one = 1;

    if (w->wake_fd < 0)
        wake(rf_board_wake_word(rf_life_board(), rf_life_child()));
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

/* How many may run in this process, the next of which would be w. Workers that already keep a request are not spared by letting it
 * wait longer. Children take connections as they come: the one that got more would be the last to be done. */
static uint32_t most_at_once(const line *l, const rf_waiter *w)
{
    const rf_capacity *capacity = rf_limits_capacity();

    if (w->wake_fd < 0)
        return UINT32_MAX;
    return l->running >= capacity->at_once &&
           rf_slot_spared_elsewhere(rf_life_board(), w->db->slot, rf_life_child(), capacity->at_once)
        ? capacity->at_most : capacity->at_once;
}

static int claim(line *l, rf_waiter *w, uint32_t allowed, uint32_t child_limit)
{
    if (l->running >= child_limit || !rf_slot_start(rf_life_board(), w->db->slot, rf_life_child(), allowed, UINT32_MAX))
        return 0;
    w->runs = 1;
    l->running++;
    return 1;
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
            claim(l, w, 0, UINT32_MAX);
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

    if (allowed && rf_slot_running(slot) >= allowed) {
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
    return claim(l, w, allowed, most_at_once(l, w));
}

static void show_head(line *l, rf_slot *slot)
{
    const rf_waiter *w = (const rf_waiter *)rf_queue_first(&l->queue, RF_BY_ARRIVAL);
    rf_time head = w ? w->ticket.arrival : RF_TIME_NEVER;
    int startable = w && l->running < most_at_once(l, w);

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

    if (!l->queue.length || !rf_slot_brief(slot, &brief)) {
        show_head(l, slot);
        return l->queue.length ? TICK_SHUT : RF_TIME_NEVER;
    }
    gate = rf_hold_gate(&brief, now);
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

/* With the lock held. @return 0 if there is no room, which is counted */
static int enter(line *l, rf_waiter *w)
{
    const rf_capacity *capacity = rf_limits_capacity();
    rf_board *board = rf_life_board();
    int child = rf_life_child(), blocks = w->wake_fd < 0;

    if (blocks && !rf_board_block(board, child, capacity->blocking)) {
        rf_slot_count(w->db->slot, RF_COUNT_REJECTED);
        return 0;
    }
    if (rf_slot_enter(board, w->db->slot, child, capacity->requests, capacity->per_process)) {
        if (rf_queue_join(&l->queue, &w->ticket))
            return 1;
        rf_slot_leave(board, w->db->slot, child, RF_COUNT_PASSED);
    }
    if (blocks)
        rf_board_unblock(board, child);
    return 0;
}

int rf_waiting_join(rf_waiter *w)
{
    line *l = &lines[w->db->index];
    int first = 0, joined; /* first of those that the watch must see to */

    w->began = rf_clock_now();
    w->verdict = RF_HOLD_WAIT;
    w->ticket.due = rf_hold_due(&w->terms);
    if (w->wake_fd >= 0 && w->began + w->renew < w->ticket.due)
        w->ticket.due = w->began + w->renew;
    pthread_mutex_lock(&lock);
    joined = enter(l, w);
    if (joined) {
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
             claim(l, w, brief->allowed, rf_limits_capacity()->at_once);
    pthread_mutex_unlock(&lock);
    return starts;
}

/* A place to run is free, and this process has nobody who may take it: tell the one whose turn it is, if it cannot see. */
static void pass_on(const rf_slot *slot)
{
    int whose;

    rf_slot_oldest_head(rf_life_board(), slot, rf_life_child(), &whose);
    if (whose >= 0 && rf_board_blocks(rf_life_board(), whose))
        wake(rf_board_wake_word(rf_life_board(), whose));
}

void rf_waiting_finish(rf_waiter *w)
{
    line *l = &lines[w->db->index];
    int finished;

    pthread_mutex_lock(&lock);
    finished = w->runs;
    if (finished) {
        w->runs = 0;
        l->running--;
        rf_slot_finish(rf_life_board(), w->db->slot, rf_life_child());
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

/* Is the client still there? One that closed its sending side counts as gone, as in nginx. */
static int client_left(request_rec *r)
{
    conn_rec *c = r->connection->master ? r->connection->master : r->connection;
    apr_socket_t *socket = ap_get_conn_socket(c);
    struct pollfd look = { .events = POLLRDHUP };

    /* A stream of HTTP/2 is reset by itself; its master lives on. */
    if (c->aborted || r->connection->aborted)
        return 1;
    if (!socket || apr_os_sock_get(&look.fd, socket) != APR_SUCCESS)
        return 0;
    /* The worker MPM closes its workers' sockets when it stops, and waits for them. */
    return look.fd < 0 || (poll(&look, 1, 0) == 1 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

static void sleep_on(atomic_uint *word, unsigned seen, rf_time duration)
{
    struct timespec t = { .tv_sec = duration / 1000000, .tv_nsec = duration % 1000000 * 1000 };

    syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}

rf_hold_verdict rf_waiting_block(rf_waiter *w, request_rec *r)
{
    line *l = &lines[w->db->index];
    atomic_uint *word = rf_board_wake_word(rf_life_board(), rf_life_child());

    for (;;) {
        unsigned seen = atomic_load_explicit(word, memory_order_acquire);
        rf_time now = rf_clock_now(), look;
        rf_hold_verdict verdict;

        pthread_mutex_lock(&lock);
        look = drive(l, w->db->slot, now) == TICK_OPEN ? TURN_LOOK : CLIENT_LOOK;
        verdict = w->verdict;
        if (w->ticket.due - now < look)
            look = w->ticket.due - now;
        pthread_mutex_unlock(&lock);
        if (verdict != RF_HOLD_WAIT)
            return verdict;
        if (client_left(r))
            rf_waiting_abort(w);
        else
            sleep_on(word, seen, look);
    }
}
