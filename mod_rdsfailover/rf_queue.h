/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_QUEUE_H
#define RF_QUEUE_H
/**
 * @file rf_queue.h
 * @brief The waiting requests of one process and one database: who came first, and whose time is over first.
 *
 * Layer:     core. Ten thousand wait, and a visitor who was sent round comes back to a place in the middle; so two heaps and no list.
 * Ownership: tickets are their owners' and must not move or go while they are in a queue. The queue owns its two arrays; start
 *            from all zeroes.
 * Threads:   none of its own: the caller locks.
 */
#include <stdint.h>

#include "rf_time.h"

typedef enum { RF_BY_ARRIVAL, RF_BY_DUE, RF_ORDERS } rf_queue_order;

typedef struct rf_ticket {
    rf_time arrival;         /**< the visitor's first, over all legs */
    rf_time due;             /**< look at this one then, whatever else happens */
    uint64_t number;         /**< written by the queue: of two that arrived at once, who joined first goes first */
    uint32_t at[RF_ORDERS];  /**< written by the queue: place in either heap, from 1; 0 while in none */
} rf_ticket;

typedef struct rf_queue {
    rf_ticket **heap[RF_ORDERS];
    uint32_t length, room;
    uint64_t joined;
} rf_queue;

/** @return 1, or 0 if memory is exhausted: nothing changed */
int rf_queue_join(rf_queue *queue, rf_ticket *ticket);
/** Harmless for a ticket that is in no queue. */
void rf_queue_remove(rf_queue *queue, rf_ticket *ticket);
/** A ticket in the queue is to be looked at at another time. */
void rf_queue_postpone(rf_queue *queue, rf_ticket *ticket, rf_time due);
/** @return who came first, or who is due first; NULL if the queue is empty */
rf_ticket *rf_queue_first(const rf_queue *queue, rf_queue_order order);

static inline int rf_ticket_waits(const rf_ticket *ticket)
{
    return ticket->at[RF_BY_ARRIVAL] != 0;
}

#endif /* RF_QUEUE_H */
