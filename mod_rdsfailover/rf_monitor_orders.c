/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_orders.c
 * @brief What operators order: to expect an outage, and to hold requests for a while.
 *
 * A hold is for a planned switch: new requests wait, those that run come to their end, and then nothing uses the database. It ends
 * when it is released or its time is over, whatever became of the database meanwhile, and what waited leaves as after an outage.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include <stdio.h>

#include "rf_monitor_parts.h"
#include "rf_timeline.h"

/* Probes at the new pace from now on. */
static void look_soon(rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        rf_candidate *c = &m->candidates.list[i];
        if (!c->asked && c->due > now + m->policy.fast)
            c->due = now + m->policy.fast;
    }
}

static void let_go(rf_monitor *m, rf_time now)
{
    const rf_candidate none = { 0 }, *writer = rf_candidates_find(&m->candidates, &m->snapshot.brief.writer);
    rf_state_name before = m->state.name;

    rf_state_resumed(&m->state, now);
    rf_timeline_released(&m->snapshot, now);
    if (m->state.release)
        rf_monitor_release_begin(m, writer ? writer : &none, now);
    rf_monitor_moved(m, before, now);
}

static void hold(rf_monitor *m, const rf_order *order, rf_time now)
{
    char text[200];

    rf_state_halted(&m->state);
    m->emptied = 0;
    snprintf(text, sizeof text, "By order of %s requests are held for %.0f s at most; those that run now come to their end", order->by,
             (double)(order->until - now) / 1e6);
    rf_monitor_say(m, RF_SAY_NOTICE, 119, text);
}

void rf_monitor_order(rf_monitor *m, const rf_order *order, rf_time now)
{
    rf_orders *orders = &m->snapshot.orders;
    int held = orders->hold_until != 0, armed = orders->armed_until != 0;
    char text[200];

    rf_orders_take(orders, order, now);
    m->changed = 1;
    switch (order->action) {
    case RF_ORDER_HOLD:
        hold(m, order, now);
        break;
    case RF_ORDER_RELEASE:
        if (held) {
            snprintf(text, sizeof text, "By order of %s held requests go on, if there is a writer", order->by);
            rf_monitor_say(m, RF_SAY_NOTICE, 120, text);
            let_go(m, now);
        }
        break;
    case RF_ORDER_ARM:
        snprintf(text, sizeof text, "By order of %s an outage is expected within %.0f s; the writer is probed at the fast pace", order->by,
                 (double)(order->until - now) / 1e6);
        rf_monitor_say(m, RF_SAY_NOTICE, 123, text);
        break;
    case RF_ORDER_DISARM:
        if (armed) {
            snprintf(text, sizeof text, "By order of %s no outage is expected any more", order->by);
            rf_monitor_say(m, RF_SAY_NOTICE, 124, text);
        }
        break;
    default:
        break;
    }
    look_soon(m, now);
    rf_monitor_publish(m, now);
}

void rf_monitor_orders_tick(rf_monitor *m, const rf_crowd *crowd, rf_time now)
{
    rf_order_action over;

    while ((over = rf_orders_expire(&m->snapshot.orders, now)) != RF_ORDER_NONE) {
        m->changed = 1;
        if (over == RF_ORDER_HOLD) {
            rf_monitor_say(m, RF_SAY_WARNING, 121, "The time of the ordered hold is over; held requests go on, if there is a writer");
            let_go(m, now);
        } else {
            rf_monitor_say(m, RF_SAY_NOTICE, 125, "No longer armed: that time is over");
        }
    }
    if (m->state.halted && !m->emptied && crowd->inflight == 0) {
        m->emptied = 1;
        rf_monitor_say(m, RF_SAY_NOTICE, 122, "No protected request runs on this host any more");
    }
}

rf_time rf_monitor_orders_end(const rf_monitor *m)
{
    const rf_orders *orders = &m->snapshot.orders;
    rf_time end = RF_TIME_NEVER;

    if (orders->hold_until)
        end = orders->hold_until;
    if (orders->armed_until && orders->armed_until < end)
        end = orders->armed_until;
    return end;
}
