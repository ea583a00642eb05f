/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_queue.h"

#include <stdlib.h>

#define ROOM_MIN 64

static int before(const rf_ticket *a, const rf_ticket *b, rf_queue_order order)
{
    rf_time x = order == RF_BY_DUE ? a->due : a->arrival;
    rf_time y = order == RF_BY_DUE ? b->due : b->arrival;

    return x != y ? x < y : a->number < b->number;
}

static void put(rf_queue *queue, rf_queue_order order, uint32_t i, rf_ticket *ticket)
{
    queue->heap[order][i - 1] = ticket;
    ticket->at[order] = i;
}

/* Places are counted from 1: the children of i are 2i and 2i + 1. */
static void settle(rf_queue *queue, rf_queue_order order, uint32_t i)
{
    rf_ticket **heap = queue->heap[order], *ticket = heap[i - 1];

    while (i > 1 && before(ticket, heap[i / 2 - 1], order)) {
        put(queue, order, i, heap[i / 2 - 1]);
        i /= 2;
    }
    for (;;) {
        uint32_t child = 2 * i;
        if (child > queue->length)
            break;
        if (child < queue->length && before(heap[child], heap[child - 1], order))
            child++;
        if (!before(heap[child - 1], ticket, order))
            break;
        put(queue, order, i, heap[child - 1]);
        i = child;
    }
    put(queue, order, i, ticket);
}

static int make_room(rf_queue *queue)
{
    uint32_t room = queue->room ? 2 * queue->room : ROOM_MIN;
    int order;

    if (queue->length < queue->room)
        return 1;
    for (order = 0; order < RF_ORDERS; order++) {
        rf_ticket **heap = realloc(queue->heap[order], room * sizeof *heap);
        if (!heap)
            return 0;
        queue->heap[order] = heap;
    }
    queue->room = room;
    return 1;
}

int rf_queue_join(rf_queue *queue, rf_ticket *ticket)
{
    int order;

    if (!make_room(queue))
        return 0;
    queue->length++;
    ticket->number = queue->joined++;
    for (order = 0; order < RF_ORDERS; order++) {
        put(queue, order, queue->length, ticket);
        settle(queue, order, queue->length);
    }
    return 1;
}

void rf_queue_remove(rf_queue *queue, rf_ticket *ticket)
{
    int order;

    if (!rf_ticket_waits(ticket))
        return;
    queue->length--;
    for (order = 0; order < RF_ORDERS; order++) {
        uint32_t i = ticket->at[order];
        rf_ticket *last = queue->heap[order][queue->length];
        ticket->at[order] = 0;
        if (last == ticket)
            continue;
        put(queue, order, i, last);
        settle(queue, order, i);
    }
    if (!queue->length) {
        /* What an outage needed is not kept for the next one. */
        for (order = 0; order < RF_ORDERS; order++) {
            free(queue->heap[order]);
            queue->heap[order] = NULL;
        }
        queue->room = 0;
    }
}

void rf_queue_postpone(rf_queue *queue, rf_ticket *ticket, rf_time due)
{
    ticket->due = due;
    settle(queue, RF_BY_DUE, ticket->at[RF_BY_DUE]);
}

rf_ticket *rf_queue_first(const rf_queue *queue, rf_queue_order order)
{
    return queue->length ? queue->heap[order][0] : NULL;
}
