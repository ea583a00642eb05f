/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor.c
 * @brief Keeps time: what is asked when, and what to make of no answer.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include "rf_monitor.h"

#include <string.h>

#include "rf_hold.h"
#include "rf_monitor_parts.h"
#include "rf_timeline.h"

/* Requests' suspicions lead to a look no sooner than this after the last one. */
#define LOOK_PAUSE RF_MS(20)
/* A tick this much too late means that the process did not run (a stopped process, a suspended machine): what was not
 * answered meanwhile proves nothing. Redis Sentinel calls this TILT. */
#define TILT RF_MS(500)
#define LATE_MIN RF_MS(250)
#define LATE_FACTOR 20

int rf_monitor_calm(const rf_monitor *m)
{
    return m->state.name == RF_STATE_AVAILABLE || m->state.name == RF_STATE_UNKNOWN;
}

rf_time rf_monitor_pace(const rf_monitor *m)
{
    const rf_orders *orders = &m->snapshot.orders;

    return rf_monitor_calm(m) && !orders->armed_until && !orders->hold_until ? m->policy.interval : m->policy.fast;
}

rf_time rf_monitor_late(const rf_monitor *m)
{
    rf_time late = m->policy.late;

    if (late == RF_LATE_AUTO) {
        late = LATE_FACTOR * m->rtt;
        if (late < LATE_MIN)
            late = LATE_MIN;
    }
    return late > m->policy.timeout ? m->policy.timeout : late;
}

void rf_monitor_publish(rf_monitor *m, rf_time now)
{
    rf_snapshot *s = &m->snapshot;

    s->brief.observed_at = now;
    s->brief.stale_after = rf_policy_stale_after(&m->policy);
    s->brief.state = m->state.name;
    s->brief.allowed = rf_monitor_release_allowed(m);
    s->brief.armed = s->orders.armed_until != 0;
    s->brief.hold_until = s->orders.hold_until;
    s->since = m->state.since;
    s->writer.rtt = m->rtt;
    s->probe.interval = rf_monitor_pace(m);
    s->probe.late = rf_monitor_late(m);
    m->world.publish(m->world.ctx, s);
    m->changed = 0;
}

static rf_time earlier(rf_time a, rf_time b)
{
    return a < b ? a : b;
}

static rf_time later(rf_time a, rf_time b)
{
    return a > b ? a : b;
}

/* Forget what was asked of a prober that is gone. */
static void ask_anew(rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        m->candidates.list[i].asked = 0;
        m->candidates.list[i].due = now;
    }
    m->dns_asked = 0;
    m->next_dns = now;
}

void rf_monitor_prober_replaced(rf_monitor *m, rf_time now)
{
    ask_anew(m, now);
}

void rf_monitor_look(rf_monitor *m, rf_time now)
{
    rf_candidate *c = rf_candidates_find(&m->candidates, &m->snapshot.brief.writer);

    /* A host that is blocked does not become less so by knocking. */
    if (!c || c->last.cause == RF_CAUSE_BLOCKED)
        return;
    if (c->asked)
        c->again = 1;
    else
        c->due = earlier(c->due, later(now, m->snapshot.probe.last + LOOK_PAUSE));
    if (!rf_monitor_needs_name(m))
        return;
    if (m->dns_asked)
        m->dns_again = 1;
    else
        m->next_dns = earlier(m->next_dns, later(now, m->named + LOOK_PAUSE));
}

/* What did not answer while this very process stood still is not late. */
static void forgive(rf_monitor *m, rf_time gap, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        rf_candidate *c = &m->candidates.list[i];
        if (c->asked)
            c->asked = earlier(c->asked + gap, now);
    }
    if (m->dns_asked)
        m->dns_asked = earlier(m->dns_asked + gap, now);
    m->last_verdict = earlier(m->last_verdict + gap, now);
}

/* A slow policy is not blindness. */
static int blind(const rf_monitor *m, rf_time now)
{
    rf_time patience = rf_policy_stale_after(&m->policy);

    return now - m->last_verdict > (patience > RF_BLIND_AFTER ? patience : RF_BLIND_AFTER);
}

static int prober_hangs(const rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        const rf_candidate *c = &m->candidates.list[i];
        if (c->asked && now - c->asked > m->policy.timeout + RF_PROBER_GRACE)
            return 1;
    }
    return m->dns_asked && now - m->dns_asked > m->dns_timeout + RF_PROBER_GRACE;
}

/* While all is well only what DNS names is looked at: former writers would cost a failing connect each. With candidates=dns
 * they are never looked at: their addresses may be somebody else's by now. */
static int worth_asking(const rf_monitor *m, const rf_candidate *c)
{
    return c->named || c->writer || (m->policy.former && c->former && m->state.name != RF_STATE_AVAILABLE);
}

static void ask(rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        rf_candidate *c = &m->candidates.list[i];
        if (!worth_asking(m, c))
            c->passes = c->strikes = 0; /* it may be anything by the time it is looked at again */
        if (c->asked || c->due > now || !worth_asking(m, c))
            continue;
        c->asked = c->first_asked = now;
        m->world.ask_probe(m->world.ctx, &c->address, ++m->ticket, m->policy.timeout);
    }
    if (!m->dns_asked && m->next_dns <= now) {
        m->dns_asked = now;
        m->world.ask_dns(m->world.ctx, ++m->ticket, m->dns_timeout);
    }
}

static rf_time next_tick(const rf_monitor *m, rf_time now)
{
    rf_time next = now + m->policy.interval;
    rf_time late = rf_monitor_late(m);
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        const rf_candidate *c = &m->candidates.list[i];
        if (c->asked) {
            next = earlier(next, c->asked + m->policy.timeout + RF_PROBER_GRACE + RF_MS(1));
            if (late && rf_monitor_is_writer(m, c) && (m->state.name == RF_STATE_AVAILABLE || m->state.name == RF_STATE_RECOVERING))
                next = earlier(next, c->asked + late);
        } else if (worth_asking(m, c)) {
            next = earlier(next, c->due);
        }
    }
    if (!m->dns_asked)
        next = earlier(next, m->next_dns);
    if (m->state.name == RF_STATE_RECOVERING && !m->state.halted)
        next = earlier(next, earlier(m->pace.next, now + m->policy.fast));
    if (m->aborting)
        next = earlier(next, m->abort_due);
    if (m->state.halted) /* is nothing running any more? */
        next = earlier(next, now + m->policy.fast);
    next = earlier(next, rf_monitor_orders_end(m));
    return next > now ? next : now + RF_MS(1);
}

rf_time rf_monitor_tick(rf_monitor *m, rf_time now)
{
    rf_state_name before = m->state.name;
    rf_candidate *writer;
    rf_time late = rf_monitor_late(m);
    rf_crowd crowd;

    if (m->planned && now - m->planned > TILT)
        forgive(m, now - m->planned, now);

    if (prober_hangs(m, now)) {
        if (!blind(m, now)) /* that was said by then */
            rf_monitor_say(m, RF_SAY_WARNING, 111, "The prober gave no verdict in time; it is replaced");
        m->world.replace_prober(m->world.ctx);
        ask_anew(m, now);
    }

    writer = rf_candidates_find(&m->candidates, &m->snapshot.brief.writer);
    if (writer && writer->asked && late && now - writer->asked >= late &&
        (before == RF_STATE_AVAILABLE || before == RF_STATE_RECOVERING))
        rf_monitor_suspect_writer(m, RF_CAUSE_TIMEOUT, writer->first_asked, now);

    if (m->state.name == RF_STATE_OUTAGE && rf_candidates_refuse(&m->candidates, RF_REFUSED_FOR, now))
        rf_monitor_give_up(m, now);
    rf_monitor_check_name(m, now);

    crowd = rf_monitor_crowd(m);
    rf_monitor_orders_tick(m, &crowd, now);
    before = m->state.name;
    rf_state_passed(&m->state, crowd.waiting, blind(m, now), now);
    if (m->state.name != before)
        rf_monitor_moved(m, before, now);
    rf_monitor_release_tick(m, &crowd, now);
    rf_monitor_history_state(m, crowd.waiting);
    rf_monitor_abort_tick(m, now);

    ask(m, now);
    if (m->changed)
        rf_monitor_publish(m, now);
    else
        m->world.beat(m->world.ctx, now);
    m->planned = next_tick(m, now);
    return m->planned;
}

void rf_monitor_init(rf_monitor *m, const rf_world *world, const rf_policy *policy, rf_time dns_timeout, int own_resolver,
                     const rf_snapshot *seen, rf_time now)
{
    unsigned i;

    memset(m, 0, sizeof *m);
    m->world = *world;
    m->policy = *policy;
    m->dns_timeout = dns_timeout;
    m->own_resolver = own_resolver;
    m->last_verdict = now;
    m->next_dns = now;
    m->state.since = now;
    m->snapshot.writer.read_only = -1;
    /* Whoever died in the middle of a publication left it unreadable. */
    m->changed = 1;
    m->second.state = RF_STATE_AVAILABLE; /* nothing worse was seen yet */
    m->snapshot.sockets.mode = (uint32_t)policy->abort;
    if (!seen || !seen->brief.observed_at)
        return;

    m->snapshot = *seen;
    m->snapshot.sockets.mode = (uint32_t)policy->abort;
    m->snapshot.sockets.left = 0;
    /* Of a monitor that was killed in mid-write the brief is left. */
    m->snapshot.orders.hold_until = seen->brief.hold_until;
    m->state.halted = seen->brief.hold_until != 0;
    m->rtt = seen->writer.rtt;
    m->state.ever = seen->brief.writer.text[0] != 0;
    /* For as long as waiting requests give a new monitor. A state that is older is worth nothing; the addresses still are. */
    m->state.name = rf_brief_state(&seen->brief, now - RF_HOLD_STALE_GRACE);
    m->state.since = m->state.name == (rf_state_name)seen->brief.state && seen->since ? seen->since : now;
    if (m->state.ever)
        rf_candidates_elect(&m->candidates, rf_candidates_add(&m->candidates, &seen->brief.writer, now));
    rf_candidates_name(&m->candidates, seen->dns.addresses, seen->dns.naddresses, now);
    for (i = 0; i < seen->nfailovers; i++) {
        const rf_failover *f = &seen->failovers[i];
        rf_candidate *c = f->to.text[0] && f->ended ? rf_candidates_add(&m->candidates, &f->to, now) : NULL;
        if (c)
            c->former = 1;
        c = f->from.text[0] ? rf_candidates_add(&m->candidates, &f->from, now) : NULL;
        if (c)
            c->former = 1;
    }
    if (m->state.name == RF_STATE_OUTAGE)
        rf_monitor_adopt_outage(m, now);
    rf_monitor_release_adopt(m, now);
}
