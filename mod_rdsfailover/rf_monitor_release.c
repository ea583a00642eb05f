/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_release.c
 * @brief How many of the held requests may go on at once: rf_pace, fed with what the monitor sees.
 *
 * A suspicion in the middle of a release keeps the pace that was reached. Until then it was found good, while the suspicion lasts
 * nothing is let go, and if it ends with an answer, the answer was only late. What deserves to begin anew is an outage.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include <stdio.h>

#include "rf_monitor_parts.h"

static rf_pace_counts counts_of(const rf_crowd *crowd)
{
    return (rf_pace_counts){ .running = crowd->running, .finished = crowd->finished, .troubled = crowd->troubled };
}

static void begin(rf_monitor *m, uint32_t allowed, rf_time quickest, rf_time now)
{
    rf_crowd crowd = rf_monitor_crowd(m);
    rf_pace_counts counts = counts_of(&crowd);

    rf_pace_begin(&m->pace, allowed, quickest, &counts, now);
    m->pace_said = 0;
}

void rf_monitor_release_begin(rf_monitor *m, const rf_candidate *writer, rf_time now)
{
    begin(m, m->policy.concurrency, writer->quickest, now);
}

void rf_monitor_release_adopt(rf_monitor *m, rf_time now)
{
    const rf_snapshot *s = &m->snapshot;
    const rf_failover *last = s->nfailovers ? &s->failovers[0] : NULL;
    rf_time ended = last && last->ended && !last->drained ? last->ended : 0;

    /* What waited for an order's end was let go then. */
    if (s->orders.hold_ended > ended && now - s->orders.hold_ended < RF_RECOVERING_MAX)
        ended = s->orders.hold_ended;
    if (m->state.name == RF_STATE_RECOVERING)
        m->state.release = ended ? ended : m->state.since;
    else if (m->state.name == RF_STATE_SUSPECT && ended)
        m->state.release = ended;
    else
        return;
    /* In a suspicion the board does not say how far the release was. */
    begin(m, s->brief.allowed ? s->brief.allowed : m->policy.concurrency, 0, now);
}

/* Once in a release: what a person must know who wonders why it takes so long. */
static void say_why(rf_monitor *m, rf_pace_verdict why)
{
    char reason[100], text[200];

    if (m->pace_said)
        return;
    switch (why) {
    case RF_PACE_BUSY:
        snprintf(reason, sizeof reason, "the database has too many connections");
        break;
    case RF_PACE_FAILING:
        snprintf(reason, sizeof reason, "released requests fail in the application");
        break;
    case RF_PACE_SILENT:
        snprintf(reason, sizeof reason, "the database did not answer in time");
        break;
    case RF_PACE_SLOW:
        snprintf(reason, sizeof reason, "the database takes %.1f ms for an answer, it took %.1f ms", (double)m->pace.typical / 1000,
                 (double)m->pace.base / 1000);
        break;
    case RF_PACE_STUCK:
        snprintf(reason, sizeof reason, "not one of them came to an end within a second");
        break;
    case RF_PACE_FULL:
        snprintf(reason, sizeof reason, "released requests take %.0f ms, they took %.0f ms", (double)m->pace.takes / 1000,
                 (double)m->pace.quickest / 1000);
        break;
    default:
        return;
    }
    m->pace_said = 1;
    snprintf(text, sizeof text, "The release does not grow beyond %u requests at once for now: %s", m->pace.allowed, reason);
    rf_monitor_say(m, RF_SAY_NOTICE, 114, text);
}

void rf_monitor_release_answered(rf_monitor *m, const rf_sample *sample)
{
    if (m->state.release && !sample->was_login)
        rf_pace_answered(&m->pace, sample->rtt);
}

void rf_monitor_release_busy(rf_monitor *m, rf_time now)
{
    if (!m->state.release)
        return;
    m->changed |= rf_pace_busy(&m->pace, now);
    say_why(m, RF_PACE_BUSY);
}

void rf_monitor_release_doubted(rf_monitor *m)
{
    if (m->state.release)
        rf_pace_doubted(&m->pace);
}

void rf_monitor_release_tick(rf_monitor *m, const rf_crowd *crowd, rf_time now)
{
    rf_pace_counts counts = counts_of(crowd);
    uint32_t before = m->pace.allowed;
    rf_pace_verdict verdict;

    /* In a suspicion the step goes on until it is over. */
    if (m->state.name != RF_STATE_RECOVERING || m->state.halted)
        return;
    verdict = rf_pace_tick(&m->pace, &counts, now);
    m->changed |= m->pace.allowed != before;
    say_why(m, verdict);
}

uint32_t rf_monitor_release_allowed(const rf_monitor *m)
{
    /* Requests see by their own clock that an order has ended, before this monitor begins the release. */
    if (m->state.halted)
        return m->policy.concurrency ? m->policy.concurrency : 1;
    return m->state.name == RF_STATE_RECOVERING ? m->pace.allowed : 0;
}
