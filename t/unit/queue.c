/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a process: order of arrival, order of deadlines, and both again after anything is taken out of the middle. */
#include "rf_queue.h"

#include <stdlib.h>

#include "tap.h"

#define MANY 5000

static rf_ticket tickets[MANY];

/* The same numbers every time. */
static uint32_t random_state = 42;
static uint32_t some(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Every member knows its places, and none is before the one above it. */
static int sound(const rf_queue *queue)
{
    uint32_t i;

    for (i = 0; i < queue->length; i++) {
        const rf_ticket *t = queue->heap[RF_BY_ARRIVAL][i], *d = queue->heap[RF_BY_DUE][i];
        if (t->at[RF_BY_ARRIVAL] != i + 1 || d->at[RF_BY_DUE] != i + 1 || !rf_ticket_waits(t))
            return 0;
        if (i && queue->heap[RF_BY_ARRIVAL][(i + 1) / 2 - 1]->arrival > t->arrival)
            return 0;
        if (i && queue->heap[RF_BY_DUE][(i + 1) / 2 - 1]->due > d->due)
            return 0;
    }
    return 1;
}

static void leaves_in_order(void)
{
    rf_queue queue = { 0 };
    rf_time last = 0;
    int i, ordered = 1;

    for (i = 0; i < MANY; i++) {
        tickets[i] = (rf_ticket){ .arrival = 1 + some(1000), .due = 1 + some(1000000) };
        if (!rf_queue_join(&queue, &tickets[i]))
            break;
    }
    is_int(i, MANY, "all join");
    ok(sound(&queue), "and stand where they know");
    while (queue.length) {
        rf_ticket *t = rf_queue_first(&queue, RF_BY_ARRIVAL);
        static uint64_t number;
        if (t->arrival < last || (t->arrival == last && t->number < number))
            ordered = 0;
        last = t->arrival;
        number = t->number;
        rf_queue_remove(&queue, t);
    }
    ok(ordered, "who came first leaves first; of those who came at once, who joined first");
    ok(!rf_queue_first(&queue, RF_BY_DUE) && !queue.room, "an empty queue keeps no memory");
}

static void anyone_may_leave(void)
{
    rf_queue queue = { 0 };
    int i, good = 1;

    for (i = 0; i < 500; i++) {
        tickets[i] = (rf_ticket){ .arrival = 1 + some(1000), .due = 1 + some(1000) };
        rf_queue_join(&queue, &tickets[i]);
    }
    for (i = 0; i < 2000 && good; i++) {
        rf_ticket *t = &tickets[some(500)];
        switch (some(3)) {
        case 0:
            rf_queue_remove(&queue, t);
            break;
        case 1:
            if (!rf_ticket_waits(t))
                rf_queue_join(&queue, t);
            break;
        default:
            if (rf_ticket_waits(t))
                rf_queue_postpone(&queue, t, 1 + some(1000));
        }
        good = sound(&queue);
    }
    ok(good, "leaving, coming back and waiting longer, two thousand times");
    for (i = 0; i < 500; i++)
        rf_queue_remove(&queue, &tickets[i]);
    is_int(queue.length, 0, "removing twice does no harm");
}

static void who_comes_round_goes_first(void)
{
    rf_queue queue = { 0 };
    rf_ticket early = { .arrival = 100, .due = 500 }, late = { .arrival = 200, .due = 400 };

    rf_queue_join(&queue, &late);
    rf_queue_join(&queue, &early);
    ok(rf_queue_first(&queue, RF_BY_ARRIVAL) == &early, "the place in the queue is the visitor's, not the request's");
    ok(rf_queue_first(&queue, RF_BY_DUE) == &late, "the deadline is the request's");
    rf_queue_postpone(&queue, &late, 600);
    ok(rf_queue_first(&queue, RF_BY_DUE) == &early, "until it is given more time");
    rf_queue_remove(&queue, &early);
    rf_queue_remove(&queue, &late);
}

int main(void)
{
    leaves_in_order();
    anyone_may_leave();
    who_comes_round_goes_first();
    return tap_done();
}
