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

static void say(rf_monitor *m, const rf_address *address, const rf_abort_pass *pass, rf_time now)
{
    char text[200];

    if ((!pass->aborted && !pass->left) || (m->abort_said && now - m->abort_said < SAY_PAUSE))
        return;
    m->abort_said = now;
    if (pass->aborted)
        snprintf(text, sizeof text, "%.45s has lost the writer's role: %u sockets of this host to it are destroyed", address->text,
                 pass->aborted);
    else
        snprintf(text, sizeof text, "%.45s has lost the writer's role: %u sockets of this host to it would be destroyed",
                 address->text, pass->left);
    rf_monitor_say(m, RF_SAY_NOTICE, 118, text);
}

static void count(rf_monitor *m, uint32_t aborted, uint32_t left)
{
    rf_snapshot *s = &m->snapshot;

    if (s->sockets.left != left || aborted)
        m->changed = 1;
    s->sockets.left = left;
    s->sockets.aborted += aborted;
    /* The newest, ended or not: stragglers belong to the failover that made them so. */
    if (s->nfailovers)
        s->failovers[0].sockets_aborted += aborted;
}

void rf_monitor_abort_tick(rf_monitor *m, rf_time now)
{
    uint32_t aborted = 0, left = 0;
    int refused = 0;
    unsigned i, n = 0;

    if (m->policy.abort == RF_ABORT_OFF || (m->aborting && now < m->abort_due))
        return;
    for (i = 0; i < m->candidates.n; i++) {
        const rf_candidate *c = &m->candidates.list[i];
        rf_abort_pass pass = { 0 };

        if (!wanted(m, c, now))
            continue;
        m->world.abort_sockets(m->world.ctx, &c->address, m->policy.abort == RF_ABORT_DESTROY, &pass);
        say(m, &c->address, &pass, now);
        aborted += pass.aborted;
        left += pass.left;
        refused |= pass.refused;
        n++;
    }
    if (refused) {
        m->policy.abort = RF_ABORT_COUNT;
        m->snapshot.sockets.mode = RF_ABORT_COUNT;
        m->changed = 1;
    }
    if (n || m->aborting)
        count(m, aborted, left);
    m->aborting = n;
    m->abort_due = now + (left && m->policy.abort == RF_ABORT_DESTROY ? RF_ABORT_PAUSE : m->policy.interval);
}
