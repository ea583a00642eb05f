/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_watch.c
 * @brief The watch: one thread per child, started with its first asynchronous hold, that keeps time for those who wait without a
 *        worker and notices when a client leaves.
 *
 * Layer:   glue.
 * Threads: the table has a lock of its own, taken before that of mod_rdsfailover_waiting.c. While the watch holds it, no waiter
 *          in the table can go: rf_watch_remove waits.
 *
 * A place in the table is named by its number and a generation, never by address: events that were fetched before a client was
 * removed, and its place given to another, then find nobody. All signals are blocked here: the handler of an httpd child's
 * SIGTERM ends the process at once, and it belongs to the main thread.
 */
#include "mod_rdsfailover_waiting.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 128
#define POKE UINT64_MAX

typedef struct place {
    rf_waiter *waiter;
    uint32_t generation;
    int next_free;
} place;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static place *table;
static int places, first_free = -1;
static pthread_t thread;
static enum { NOT_STARTED, RUNS, CANNOT } started;
static atomic_int stopping;
static int epoll_fd = -1, poke_fd = -1;

static void left(uint64_t name)
{
    uint32_t number = (uint32_t)name, generation = (uint32_t)(name >> 32);

    pthread_mutex_lock(&lock);
    if ((int)number < places && table[number].waiter && table[number].generation == generation)
        rf_waiting_abort(table[number].waiter);
    pthread_mutex_unlock(&lock);
}

static void *watch(void *unused)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t pokes;
    int i, n;

    while (!atomic_load(&stopping)) {
        rf_time next = rf_waiting_tick(rf_clock_now());

        n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, next == RF_TIME_NEVER ? -1 : (int)(next / RF_MS(1)));
        for (i = 0; i < n; i++) {
            if (events[i].data.u64 != POKE)
                left(events[i].data.u64);
            else if (read(poke_fd, &pokes, sizeof pokes) < 0) {
                /* Somebody was faster; being awake is all it is about. */
            }
        }
    }
    return NULL;
}

static int start(void)
{
    struct epoll_event poke = { .events = EPOLLIN, .data.u64 = POKE };
    sigset_t all, mask;
    int failed;

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    poke_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (epoll_fd < 0 || poke_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, poke_fd, &poke) != 0)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &mask);
    failed = pthread_create(&thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return !failed;
}

int rf_watch_start(void)
{
    int runs;

    pthread_mutex_lock(&lock);
    if (started == NOT_STARTED)
        started = start() ? RUNS : CANNOT;
    runs = started == RUNS;
    pthread_mutex_unlock(&lock);
    return runs;
}

void rf_watch_poke(void)
{
    uint64_t one = 1;

    if (write(poke_fd, &one, sizeof one) < 0) {
        /* It has been told often enough. */
    }
}

void rf_watch_stop(void)
{
    if (started != RUNS)
        return;
    atomic_store(&stopping, 1);
    rf_watch_poke();
    pthread_join(thread, NULL);
    started = CANNOT;
}

/* With the lock held. @return a free place, or -1 */
static int take_place(void)
{
    int i, more = places ? 2 * places : 64;
    place *larger;

    if (first_free < 0) {
        larger = realloc(table, (size_t)more * sizeof *table);
        if (!larger)
            return -1;
        table = larger;
        for (i = more - 1; i >= places; i--) {
            table[i] = (place){ .next_free = first_free };
            first_free = i;
        }
        places = more;
    }
    i = first_free;
    first_free = table[i].next_free;
    return i;
}

/* If it fails the client's leaving is noticed when its leg ends, no sooner. */
void rf_watch_add(rf_waiter *w, int client_fd)
{
    struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT };
    int i;

    pthread_mutex_lock(&lock);
    i = w->watch = take_place();
    if (i >= 0) {
        table[i].waiter = w;
        event.data.u64 = (uint64_t)table[i].generation << 32 | (uint32_t)i;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client_fd, &event);
    }
    pthread_mutex_unlock(&lock);
}

void rf_watch_remove(rf_waiter *w, int client_fd)
{
    pthread_mutex_lock(&lock);
    if (w->watch >= 0) {
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, client_fd, NULL);
        table[w->watch].waiter = NULL;
        table[w->watch].generation++;
        table[w->watch].next_free = first_free;
        first_free = w->watch;
        w->watch = -1;
    }
    pthread_mutex_unlock(&lock);
}
