/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <stdio.h>
#include <string.h>

int world_blame(world *w, int bad, const char *what)
{
    if (bad && !w->wrong[0])
        snprintf(w->wrong, sizeof w->wrong, "at %.1f ms: %.300s", (double)(w->now - W_START) / 1000, what);
    return bad;
}

static int in_order(rf_time before, rf_time after)
{
    return !before || !after || before <= after;
}

static void check_record(world *w, const rf_failover *f, int newest)
{
    world_blame(w, !f->started || !f->detected || !f->declared, "a failover was opened without its first three times");
    world_blame(w, !in_order(f->started, f->detected), "a failover was detected before it started");
    world_blame(w, !in_order(f->detected, f->declared), "a failover was declared before it was detected");
    world_blame(w, !in_order(f->declared, f->verified), "a writer was verified before the outage was declared");
    world_blame(w, !in_order(f->verified, f->ended), "a failover ended before its writer was verified");
    world_blame(w, !in_order(f->ended, f->released), "requests were let go before the failover ended");
    world_blame(w, !in_order(f->released, f->drained) || (f->drained && !f->released), "the queue was empty before requests were let go");
    world_blame(w, !in_order(f->started, f->dns_changed), "DNS changed before the failover started");
    world_blame(w, !f->ended && !newest, "an older failover never ended");
    world_blame(w, !f->ended != !f->epoch, "a failover has an epoch exactly when it ended");
    world_blame(w, f->ended && !f->to.text[0], "a failover ended without a writer");
    world_blame(w, f->held > w->held + 100000, "a failover held more requests than there were");
}

static void check_records(world *w, const rf_snapshot *s)
{
    unsigned i;

    world_blame(w, s->nfailovers > RF_FAILOVERS, "too many failovers are kept");
    for (i = 0; i < s->nfailovers; i++) {
        const rf_failover *f = &s->failovers[i];
        check_record(w, f, i == 0);
        if (i && f[-1].epoch)
            world_blame(w, f->epoch >= f[-1].epoch, "failovers are not in the order of their epochs");
        if (i)
            world_blame(w, f->declared > f[-1].declared, "failovers are not newest first");
    }
    world_blame(w, s->brief.state == RF_STATE_OUTAGE && (!s->nfailovers || s->failovers[0].ended),
                "an outage has no open record");
    world_blame(w, s->nfailovers && !s->failovers[0].ended &&
                       (s->brief.state == RF_STATE_AVAILABLE || s->brief.state == RF_STATE_RECOVERING ||
                        s->brief.state == RF_STATE_SUSPECT),
                "a record is open although there is a writer");
}

static void check_pace(world *w, const rf_brief *was, const rf_brief *is)
{
    world_blame(w, (is->state == RF_STATE_RECOVERING || is->hold_until) != (is->allowed != 0),
                "paced when neither recovering nor on hold, or either without a pace");
    world_blame(w, was->hold_until && !is->hold_until && is->state == RF_STATE_AVAILABLE && w->released_at && w->now - w->released_at < w->drain,
                "what was held by order was not let go at a pace");
    world_blame(w, is->hold_until ? is->hold_until != w->hold_until : w->hold_until > w->now, "the hold is not as ordered");
    /* An order's end begins anew. */
    if (was->hold_until && !is->hold_until)
        return;
    /* Of another writer nothing is known: it is begun anew. */
    if (!was->allowed || is->allowed <= was->allowed || is->epoch != was->epoch)
        return;
    world_blame(w, is->allowed > 2 * was->allowed, "the release more than doubled");
    world_blame(w, w->now - w->grown_at < RF_SEC(1), "the release grew twice within a second");
}

void world_check_publish(world *w, const rf_snapshot *s)
{
    const rf_brief *was = &w->board.brief, *is = &s->brief;
    int other = !rf_address_equal(&was->writer, &is->writer);
    int ended = w->outage_open && (is->state == RF_STATE_AVAILABLE || is->state == RF_STATE_RECOVERING);

    world_blame(w, is->observed_at != w->now, "published with another time than now");
    world_blame(w, is->stale_after != 3 * w->policy.interval + w->policy.timeout, "stale_after is wrong");
    world_blame(w, rf_state_holds((rf_state_name)is->state) && !is->writer.text[0], "held although no writer was ever known");
    world_blame(w, (is->state == RF_STATE_AVAILABLE || is->state == RF_STATE_RECOVERING) && !is->writer.text[0],
                "open without a writer");
    world_blame(w, is->epoch != was->epoch && is->epoch != was->epoch + 1, "the epoch jumped");
    world_blame(w, is->epoch != was->epoch && !other && !ended, "the epoch grew without an outage that ended or another writer");
    world_blame(w, is->epoch == was->epoch && (other || ended), "the epoch did not grow");
    world_blame(w, s->since > w->now, "a state was entered in the future");
    check_pace(w, was, is);
    if (is->epoch != was->epoch)
        w->outage_open = 0;
    if (is->state == RF_STATE_OUTAGE)
        w->outage_open = 1;
    check_records(w, s);
}

static void check_candidates(world *w)
{
    const rf_candidates *all = &w->monitor.candidates;
    int writer = 0;
    unsigned i, k;

    world_blame(w, all->n > RF_ADDRESSES, "too many candidates");
    for (i = 0; i < all->n; i++) {
        const rf_candidate *c = &all->list[i];
        for (k = 0; k < i; k++)
            world_blame(w, rf_address_equal(&c->address, &all->list[k].address), "an address is a candidate twice");
        writer |= rf_address_equal(&c->address, &w->monitor.snapshot.brief.writer);
        world_blame(w, c->asked > w->now, "a probe was asked in the future");
    }
    world_blame(w, w->monitor.state.ever && !writer, "the writer is no candidate");
}

void world_check(world *w)
{
    world_blame(w, w->monitor.changed, "a change was not published");
    world_blame(w, w->board.brief.state != (uint32_t)w->monitor.state.name, "the published state is not the monitor's");
    check_candidates(w);
}

void world_check_tick(world *w)
{
    world_check(w);
    world_blame(w, w->due <= w->now, "the next tick is not later than now");
    world_blame(w, w->board.brief.hold_until && w->board.brief.hold_until <= w->now, "a hold outlives its time");
    world_blame(w, w->board.brief.hold_until && w->due > w->board.brief.hold_until, "the end of a hold is slept through");
    world_blame(w, w->due > w->now + w->policy.interval, "the next tick is more than an interval away");
    world_blame(w, w->now - w->board.brief.observed_at > w->board.brief.stale_after, "stale although the monitor runs");
    world_blame(w, w->monitor.last_verdict > w->now, "the last verdict came in the future");
}

void world_check_abort(world *w, const rf_address *address)
{
    const rf_monitor *m = &w->monitor;
    const rf_candidate *c = NULL;
    unsigned i;

    for (i = 0; i < m->candidates.n && !c; i++) {
        if (rf_address_equal(&m->candidates.list[i].address, address))
            c = &m->candidates.list[i];
    }
    world_blame(w, m->policy.abort == RF_ABORT_OFF, "sockets were looked at with RDSFailoverAbortStale off");
    world_blame(w, m->state.name == RF_STATE_SUSPECT || m->state.name == RF_STATE_UNKNOWN, "sockets were destroyed on a suspicion");
    world_blame(w, m->state.name != RF_STATE_OUTAGE && rf_address_equal(&m->snapshot.brief.writer, address),
                "sockets to the verified writer were destroyed");
    world_blame(w, !c || !c->former, "sockets were destroyed to an address that never was the writer");
    world_blame(w, c && rf_classify_evidence(c->last.cause) != RF_EVIDENCE_FAILED, "sockets were destroyed to a server that answers");
}

double world_when(const world *w, unsigned states, double since)
{
    rf_time from = W_START + (rf_time)(since * 1000);
    unsigned i;

    for (i = 0; i < w->nlog; i++) {
        rf_time until = i + 1 < w->nlog ? w->log[i + 1].at : w->now;
        if (until <= from || !(states >> w->log[i].state & 1))
            continue;
        return w->log[i].at <= from ? 0 : (double)(w->log[i].at - from) / 1000;
    }
    return -1;
}

const char *world_path(const world *w)
{
    static char path[2000];
    size_t used = 0;
    unsigned i;

    path[0] = 0;
    for (i = 0; i < w->nlog && used < sizeof path - 16; i++) {
        if (i && w->log[i].state == w->log[i - 1].state)
            continue;
        used += (size_t)snprintf(path + used, sizeof path - used, "%s%s", used ? " " : "", rf_state_text(w->log[i].state));
    }
    return path;
}
