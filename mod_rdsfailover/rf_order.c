/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const actions[] = { "none", "arm", "disarm", "hold", "release" };

#define ACTIONS (sizeof actions / sizeof actions[0])

const char *rf_order_text(rf_order_action action)
{
    return (size_t)action < ACTIONS ? actions[action] : actions[RF_ORDER_NONE];
}

int rf_order_field(rf_order_form *form, const char *key, const char *value, char *ret_error, size_t size)
{
    const char **field = !strcmp(key, "action")     ? &form->action
                         : !strcmp(key, "ttl")      ? &form->ttl
                         : !strcmp(key, "database") ? &form->database
                                                    : NULL;

    if (!field) {
        snprintf(ret_error, size, "\"%.40s\" is not a field of an order; action=, ttl= and database= are", key);
        return 0;
    }
    if (*field) {
        snprintf(ret_error, size, "%s= is given twice", key);
        return 0;
    }
    *field = value;
    return 1;
}

static rf_order_action action_named(const char *name)
{
    size_t i;

    for (i = RF_ORDER_ARM; name && i < ACTIONS; i++) {
        if (!strcmp(name, actions[i]))
            return (rf_order_action)i;
    }
    return RF_ORDER_NONE;
}

/* @return seconds, or 0 if it is no number of them */
static int seconds(const char *text)
{
    size_t length = strlen(text);
    int n = length && length <= 5 && strspn(text, "0123456789") == length ? atoi(text) : 0;

    return n <= RF_ORDER_TTL_MAX ? n : 0;
}

int rf_order_read(const rf_order_form *form, rf_time now, rf_order *ret_order, char *ret_error, size_t size)
{
    rf_order_action action = action_named(form->action);
    int lasts = action == RF_ORDER_ARM || action == RF_ORDER_HOLD;
    int ttl = action == RF_ORDER_ARM ? RF_ORDER_TTL_ARM : RF_ORDER_TTL_HOLD;

    if (action == RF_ORDER_NONE) {
        snprintf(ret_error, size, "action=%.40s is not an order; arm, disarm, hold and release are", form->action ? form->action : "");
        return 0;
    }
    if (form->ttl && !lasts) {
        snprintf(ret_error, size, "ttl= says how long arm or hold lasts; %s is done at once", actions[action]);
        return 0;
    }
    if (form->ttl && !(ttl = seconds(form->ttl))) {
        snprintf(ret_error, size, "ttl=%.40s is not accepted; a whole number of seconds from 1 to %d is", form->ttl, RF_ORDER_TTL_MAX);
        return 0;
    }
    memset(ret_order, 0, sizeof *ret_order);
    ret_order->action = action;
    ret_order->until = lasts ? now + RF_SEC(ttl) : 0;
    return 1;
}

int rf_order_sane(const rf_order *order)
{
    return order->action > RF_ORDER_NONE && order->action < ACTIONS && order->until >= 0 && memchr(order->by, 0, sizeof order->by);
}

void rf_orders_take(rf_orders *orders, const rf_order *order, rf_time now)
{
    switch (order->action) {
    case RF_ORDER_ARM:
        orders->armed_until = order->until;
        memcpy(orders->armed_by, order->by, sizeof orders->armed_by);
        break;
    case RF_ORDER_DISARM:
        orders->armed_until = 0;
        break;
    case RF_ORDER_HOLD:
        orders->hold_until = order->until;
        memcpy(orders->hold_by, order->by, sizeof orders->hold_by);
        break;
    case RF_ORDER_RELEASE:
        if (orders->hold_until)
            orders->hold_ended = now;
        orders->hold_until = 0;
        break;
    default:
        break;
    }
}

rf_order_action rf_orders_expire(rf_orders *orders, rf_time now)
{
    if (orders->hold_until && orders->hold_until <= now) {
        orders->hold_until = 0;
        orders->hold_ended = now;
        return RF_ORDER_HOLD;
    }
    if (orders->armed_until && orders->armed_until <= now) {
        orders->armed_until = 0;
        return RF_ORDER_ARM;
    }
    return RF_ORDER_NONE;
}

rf_order_action rf_orders_shown(const rf_orders *orders, rf_time now, rf_time *ret_until, const char **ret_by)
{
    int held = orders->hold_until > now;

    if (!held && orders->armed_until <= now)
        return RF_ORDER_NONE;
    *ret_until = held ? orders->hold_until : orders->armed_until;
    *ret_by = held ? orders->hold_by : orders->armed_by;
    return held ? RF_ORDER_HOLD : RF_ORDER_ARM;
}
