/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_timeline.h"

#include <string.h>

void rf_timeline_open(rf_snapshot *snapshot, const rf_failover *failover)
{
    memmove(&snapshot->failovers[1], &snapshot->failovers[0], sizeof snapshot->failovers - sizeof snapshot->failovers[0]);
    snapshot->failovers[0] = *failover;
    if (snapshot->nfailovers < RF_FAILOVERS)
        snapshot->nfailovers++;
}

rf_failover *rf_timeline_current(rf_snapshot *snapshot)
{
    return snapshot->nfailovers && !snapshot->failovers[0].ended ? &snapshot->failovers[0] : NULL;
}

static int names(const rf_snapshot *snapshot, const rf_address *address)
{
    unsigned i;

    for (i = 0; i < snapshot->dns.naddresses; i++) {
        if (rf_address_equal(&snapshot->dns.addresses[i], address))
            return 1;
    }
    return 0;
}

void rf_timeline_end(rf_snapshot *snapshot, rf_time now)
{
    rf_failover *f = rf_timeline_current(snapshot);

    if (!f)
        return;
    f->epoch = snapshot->brief.epoch;
    f->to = snapshot->brief.writer;
    if (!f->verified)
        f->verified = now;
    f->ended = now;
    if (!names(snapshot, &f->to))
        f->dns_changed = 0;
}

void rf_timeline_released(rf_snapshot *snapshot, rf_time now)
{
    rf_failover *f = snapshot->nfailovers ? &snapshot->failovers[0] : NULL;

    if (f && f->ended && !f->released)
        f->released = now;
}

void rf_timeline_dns(rf_snapshot *snapshot, rf_time now)
{
    rf_failover *f = snapshot->nfailovers ? &snapshot->failovers[0] : NULL;

    /* The very answer that led astray is no step towards the new writer. */
    if (!f || f->dns_changed || snapshot->dns.changed_at <= f->started)
        return;
    /* While nobody is verified any change may be the one; the end of the outage tells. */
    if (f->ended && !names(snapshot, &f->to))
        return;
    if (!f->ended || now - f->ended <= RF_TIMELINE_DNS_AFTER)
        f->dns_changed = snapshot->dns.changed_at;
}

void rf_timeline_drained(rf_snapshot *snapshot, uint64_t held, uint64_t withheld, rf_time now)
{
    rf_failover *f = snapshot->nfailovers ? &snapshot->failovers[0] : NULL;

    if (!f || !f->released || f->drained)
        return;
    f->drained = now;
    f->held = held - f->held_before;
    f->replayed = withheld - f->replayed_before;
}
