/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_ORDER_H
#define RF_ORDER_H
/**
 * @file rf_order.h
 * @brief What an operator orders by POST at the status handler (RDSFailoverControl): how it is read, what is in force, when it ends.
 *
 * Layer:   core. No I/O, no clock, no allocation.
 *
 * An order goes from the child that got it to the monitor, which alone keeps what is in force and publishes it. Every order ends by
 * itself: `until` is judged by whoever reads it, by his own clock, so that a hold ends even if the monitor is gone.
 */
#include <stddef.h>
#include <stdint.h>

#include "rf_time.h"

#define RF_ORDER_TTL_MAX 3600 /**< seconds */
#define RF_ORDER_TTL_ARM 600  /**< if none is given */
#define RF_ORDER_TTL_HOLD 120 /**< if none is given: shorter than the default of RDSFailoverHold */
#define RF_ORDER_BY 64        /**< room for a user's name; a longer one is cut */

typedef enum { RF_ORDER_NONE, RF_ORDER_ARM, RF_ORDER_DISARM, RF_ORDER_HOLD, RF_ORDER_RELEASE } rf_order_action;

/** One order, as it travels. Less than PIPE_BUF, so that a pipe carries it whole. */
typedef struct rf_order {
    uint64_t key;    /**< of the database: rf_dsn_key */
    uint32_t number; /**< rf_slot_order_number: the monitor says it when it is done */
    uint32_t action; /**< rf_order_action */
    rf_time until;   /**< arm and hold */
    char by[RF_ORDER_BY];
} rf_order;

/** What is in force. Start from all zeroes. */
typedef struct rf_orders {
    rf_time armed_until; /**< 0: not armed */
    rf_time hold_until;  /**< 0: not held by order */
    rf_time hold_ended;  /**< when the last one ended */
    char armed_by[RF_ORDER_BY];
    char hold_by[RF_ORDER_BY];
} rf_orders;

/** What was posted, decoded; NULL what was not. */
typedef struct rf_order_form {
    const char *action;
    const char *ttl;
    const char *database;
} rf_order_form;

/** Take in one field of the form. The strings are kept, not copied. @return 1, or 0 and why not in `ret_error` */
int rf_order_field(rf_order_form *form, const char *key, const char *value, char *ret_error, size_t size);

/**
 * Make an order of it: action and until; key, number and by are the caller's.
 * @return 1, or 0 and a sentence in `ret_error` that names what is accepted
 */
int rf_order_read(const rf_order_form *form, rf_time now, rf_order *ret_order, char *ret_error, size_t size);

/** @return 1 if it is one of ours and whole: what came through the pipe */
int rf_order_sane(const rf_order *order);

/** @return "arm" and so on; "none" */
const char *rf_order_text(rf_order_action action);

/** The order is in force from now on, instead of one of its kind. `release` and `disarm` end one. */
void rf_orders_take(rf_orders *orders, const rf_order *order, rf_time now);

/** Let end what has lasted long enough. @return RF_ORDER_ARM or RF_ORDER_HOLD if that ended just now (ask again), else RF_ORDER_NONE */
rf_order_action rf_orders_expire(rf_orders *orders, rf_time now);

/** The one to show: a hold before being armed. @return RF_ORDER_HOLD, RF_ORDER_ARM or RF_ORDER_NONE, with its end and who gave it */
rf_order_action rf_orders_shown(const rf_orders *orders, rf_time now, rf_time *ret_until, const char **ret_by);

#endif /* RF_ORDER_H */
