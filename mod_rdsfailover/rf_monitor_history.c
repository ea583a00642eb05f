/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_history.c
 * @brief What each second was like: the worst of it, so that a suspicion of 200 ms is seen on a strip of ten minutes.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include "rf_monitor_parts.h"

static int gravity(unsigned state)
{
    switch (state) {
    case RF_STATE_OUTAGE:
        return 4;
    case RF_STATE_SUSPECT:
        return 3;
    case RF_STATE_RECOVERING:
        return 2;
    case RF_STATE_UNKNOWN:
        return 1;
    default:
        return 0;
    }
}

void rf_monitor_history_state(rf_monitor *m, uint64_t waiting)
{
    if (gravity(m->state.name) > gravity(m->second.state))
        m->second.state = (uint8_t)m->state.name;
    if (waiting > m->second.held)
        m->second.held = waiting < UINT32_MAX ? (uint32_t)waiting : UINT32_MAX;
}

void rf_monitor_history_answered(rf_monitor *m, rf_time rtt)
{
    if (rtt > m->second.rtt_us)
        m->second.rtt_us = rtt < UINT32_MAX ? (uint32_t)rtt : UINT32_MAX;
}

rf_history_sample rf_monitor_second(rf_monitor *m, rf_time now)
{
    rf_crowd crowd = rf_monitor_crowd(m);
    rf_history_sample second;

    rf_monitor_history_state(m, crowd.waiting);
    /* Slow policies ask more rarely than once a second. */
    if (!m->second.rtt_us && m->second.state == RF_STATE_AVAILABLE)
        rf_monitor_history_answered(m, m->rtt);
    second = m->second;
    second.at = now;
    m->second = (rf_history_sample){ .state = (uint8_t)m->state.name };
    rf_monitor_history_state(m, crowd.waiting);
    return second;
}
