/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_capacity.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Nothing here may overflow, whatever somebody wrote in a configuration. */
#define NO_LIMIT UINT64_MAX

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static uint32_t fit(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

const char *rf_limit_name(rf_limit limit)
{
    switch (limit) {
    case RF_LIMIT_QUEUE:
        return "RDSFailoverRelease";
    case RF_LIMIT_WORKERS:
        return "MaxRequestWorkers";
    case RF_LIMIT_FACTOR:
        return "AsyncRequestWorkerFactor";
    case RF_LIMIT_DESCRIPTORS:
        return "LimitNOFILE";
    case RF_LIMIT_MEMORY:
        return "memory";
    }
    return "memory";
}

/* Of one worker nothing can be spared; of two, one. */
static uint64_t three_quarters(uint64_t workers)
{
    uint64_t share = workers - workers / 4;

    if (share == workers)
        share = workers ? workers - 1 : 0;
    return share;
}

#define LEAST_RESERVE 2u

/* Threads of a child that run no released request: a fifth, and two if that is possible. Of a single one a moment's work makes none,
 * and then the MPM stops accepting. */
static uint32_t reserve(uint32_t threads)
{
    uint32_t fifth = threads / 5;

    if (threads < 4)
        return threads > 1;
    return fifth > LEAST_RESERVE ? fifth : LEAST_RESERVE;
}

/* A child that has stopped accepting, for which a moment without an idle thread is enough, begins again with one idle thread less
 * than it takes to go on (connections_above_limit in server/mpm/event/event.c). */
static uint32_t idle_in_drain(uint32_t threads)
{
    return reserve(threads) > 1 ? reserve(threads) - 1 : 0;
}

/* The bounds of this host, in requests: by each limit alone. */
typedef struct bounds {
    uint64_t by[RF_LIMIT_MEMORY + 1];
} bounds;

static uint64_t descriptor_bound(uint64_t descriptors)
{
    if (!descriptors)
        return NO_LIMIT;
    return (descriptors - least(RF_CAPACITY_DESCRIPTORS, descriptors / 2)) / 2;
}

/* Children take connections as they come, not evenly: 56 to 44 of a hundred was measured between two. One that is full of
 * descriptors turns visitors away while others have room, so of what all could hold together three quarters count. */
static uint64_t uneven(uint64_t together, uint64_t daemons)
{
    return together == NO_LIMIT || daemons == 1 ? together : together - together / 4;
}

static uint64_t memory_bound(uint64_t memory)
{
    return memory ? memory / 2 / RF_CAPACITY_BYTES : NO_LIMIT;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? NO_LIMIT : product;
}

/* What the MPM's own rule lets a child have while it releases, less what is left to others. */
static uint64_t accepted(const rf_limits *l)
{
    return l->threads - l->threads / 4 + (uint64_t)idle_in_drain(l->threads) * l->worker_factor;
}

static void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;

    if (used && used + 2 < size) {
        strcpy(text + used, ", ");
        used += 2;
    }
    va_start(values, format);
    vsnprintf(text + used, size - used, format, values);
    va_end(values);
}

/* Everything that must be raised to hold what queue= asks for, at once: an admin restarts once, not once for each. */
static void advise(const rf_limits *l, const bounds *b, rf_capacity *c)
{
    uint64_t share = divide_up(l->queue, l->daemons), idle = idle_in_drain(l->threads), room = NO_LIMIT;
    char *text = c->advice;
    size_t size = sizeof c->advice;
    int i;

    if (b->by[RF_LIMIT_WORKERS] < l->queue)
        add(text, size, "MaxRequestWorkers %" PRIu64 " (or the event MPM, where waiting takes no worker)",
            divide_up((uint64_t)l->queue * 4, 3));
    if (b->by[RF_LIMIT_FACTOR] < l->queue && idle)
        add(text, size, "AsyncRequestWorkerFactor %" PRIu64, divide_up(share, idle));
    else if (b->by[RF_LIMIT_FACTOR] < l->queue)
        add(text, size, "ThreadsPerChild 25 and AsyncRequestWorkerFactor %" PRIu64, divide_up(share, idle_in_drain(25)));
    if (b->by[RF_LIMIT_DESCRIPTORS] < l->queue)
        add(text, size, "LimitNOFILE %" PRIu64, (uint64_t)l->queue * 2 + RF_CAPACITY_DESCRIPTORS);
    if (b->by[RF_LIMIT_MEMORY] < l->queue)
        add(text, size, "%" PRIu64 " MB of memory to be free", divide_up((uint64_t)l->queue * 2 * RF_CAPACITY_BYTES, 1 << 20));
    if (text[0])
        return;
    for (i = RF_LIMIT_QUEUE + 1; i <= RF_LIMIT_MEMORY; i++)
        room = least(room, b->by[i]);
    if (room > l->queue)
        add(text, size, "RDSFailoverRelease queue=%" PRIu64, least(room, 1000000));
    else
        add(text, size, "a larger RDSFailoverRelease queue=");
}

void rf_capacity_work_out(const rf_limits *limits, rf_capacity *c)
{
    rf_limits l = *limits;
    uint64_t workers, child, requests;
    bounds b;
    int i;

    l.daemons = l.daemons ? l.daemons : 1;
    l.threads = l.threads ? l.threads : 1;
    l.worker_factor = l.worker_factor ? l.worker_factor : 1;
    workers = (uint64_t)l.daemons * l.threads;
    b.by[RF_LIMIT_QUEUE] = l.queue;
    b.by[RF_LIMIT_WORKERS] = l.async ? NO_LIMIT : three_quarters(workers);
    b.by[RF_LIMIT_FACTOR] = l.async ? times(accepted(&l), l.daemons) : NO_LIMIT;
    b.by[RF_LIMIT_DESCRIPTORS] = l.async ? uneven(times(descriptor_bound(l.descriptors), l.daemons), l.daemons) : NO_LIMIT;
    b.by[RF_LIMIT_MEMORY] = l.async ? memory_bound(l.memory) : NO_LIMIT;

    memset(c, 0, sizeof *c);
    requests = b.by[RF_LIMIT_QUEUE];
    c->limited_by = RF_LIMIT_QUEUE;
    for (i = RF_LIMIT_QUEUE + 1; i <= RF_LIMIT_MEMORY; i++) {
        if (b.by[i] < requests) {
            requests = b.by[i];
            c->limited_by = (rf_limit)i;
        }
    }
    child = l.threads;
    /* While all its threads are idle the MPM lets a child have this many. */
    if (l.async)
        child = least(child + (uint64_t)l.threads * l.worker_factor, descriptor_bound(l.descriptors));
    c->requests = fit(requests);
    c->per_process = fit(least(child, requests));
    c->blocking = fit(least(three_quarters(workers), requests));
    c->streams = fit(three_quarters(l.stream_workers ? l.stream_workers : (uint64_t)l.threads * 3 / 2));
    c->at_once = l.threads - reserve(l.threads);
    /* A child that runs that many may stop accepting. Where no other accepts for it, whoever comes to its socket would wait. */
    c->at_most = l.own_sockets ? c->at_once : l.threads - (uint32_t)least(reserve(l.threads), LEAST_RESERVE);
    c->spare = !l.async || l.slots > l.daemons;
    c->slots = fit((uint64_t)l.daemons * 2);
    advise(&l, &b, c);
}
