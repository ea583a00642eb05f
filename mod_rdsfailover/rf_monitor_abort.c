/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_abort.c
 * @brief Has this host's sockets to addresses that lost the writer's role destroyed, and counts them.
 *
 * Layer: loop. See rf_monitor.h; which addresses, and why not others, is in rf_abort.h.
 */
#include <stdio.h>

#include "rf_monitor_parts.h"

/* New connections trickle in as long as applications try: the status counts each, the log tells of the first and then rarely. */
#define SAY_PAUSE RF_SEC(60)

static int wanted(const rf_monitor *m, const rf_candidate *c, rf_time now)
{
    return rf_abort_wanted(c, m->policy.fails, m->state.name, m->snapshot.writer.verified_at, now);
}

int rf_monitor_aborts(const rf_monitor *m, const rf_address *address, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        if (rf_address_equal(&m->candidates.list[i].address, address))
            return wanted(m, &m->candidates.list[i], now);
    }
    return 0;
}

static void say(rf_monitor *m, const rf_abort_pass *pass, rf_time now)
{
    unsigned n = pass->aborted ? pass->aborted : pass->left;
    char text[200];

    if (!n || (m->abort_said && now - m->abort_said < SAY_PAUSE))
        return;
    m->abort_said = now;
    snprintf(text, sizeof text, "%.45s has lost the writer's role: this host's sockets to it %s destroyed, %u at first",
             pass->address.text, pass->aborted ? "are" : "would be", n);
    rf_monitor_say(m, RF_SAY_NOTICE, 118, text);
}

void rf_monitor_aborted(rf_monitor *m, const rf_abort_pass *pass, rf_time now)
{
    rf_snapshot *s = &m->snapshot;

    say(m, pass, now);
    if (pass->refused) {
        m->policy.abort = RF_ABORT_COUNT;
        s->sockets.mode = RF_ABORT_COUNT;
    }
    s->sockets.left = pass->left;
    s->sockets.aborted += pass->aborted;
    /* The newest, ended or not: stragglers belong to the failover that made them so. */
    if (s->nfailovers && pass->aborted) {
        s->failovers[0].sockets_aborted += pass->aborted;
        if (!s->failovers[0].sockets_freed)
            s->failovers[0].sockets_freed = now;
    }
    if (pass->left && m->policy.abort == RF_ABORT_DESTROY && m->abort_due > now + RF_ABORT_PAUSE)
        m->abort_due = now + RF_ABORT_PAUSE;
    rf_monitor_publish(m, now);
}

void rf_monitor_abort_tick(rf_monitor *m, rf_time now)
{
    rf_address addresses[RF_ADDRESSES];
    unsigned i, n = 0;

    if (m->policy.abort == RF_ABORT_OFF)
        return;
    for (i = 0; i < m->candidates.n; i++) {
        if (wanted(m, &m->candidates.list[i], now))
            addresses[n++] = m->candidates.list[i].address;
    }
    if (!n && m->snapshot.sockets.left) {
        m->snapshot.sockets.left = 0;
        m->changed = 1;
    }
    /* The first pass is made at once, unless the last one was just now. */
    if (n && now >= (m->aborting ? m->abort_due : m->abort_soonest)) {
        m->abort_due = now + m->policy.interval;
        m->abort_soonest = now + RF_ABORT_PAUSE;
        m->aborting = 1;
        m->world.abort_sockets(m->world.ctx, addresses, n, m->policy.abort == RF_ABORT_DESTROY);
    }
    if (!n)
        m->aborting = 0;
}
