/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_monitor.h"

#include <stdio.h>
#include <string.h>

#include "rf_hold.h"
#include "rf_timeline.h"

/* Between the probes that make up `passes`: apart enough to be two answers, near enough not to delay the end of an outage. */
#define CONFIRM_PAUSE RF_MS(20)
/* Requests' suspicions lead to at most this many looks. */
#define LOOK_PAUSE RF_MS(50)
/* The resolver is asked at least this often, whatever TTL it claims: RDS's is 5 s. */
#define DNS_PAUSE_MAX RF_SEC(30)
/* A tick this much too late means that the process did not run (a stopped process, a suspended machine): what was not
 * answered meanwhile proves nothing. Redis Sentinel calls this TILT. */
#define TILT RF_MS(500)
#define LATE_MIN RF_MS(250)
#define LATE_FACTOR 20

static void say(rf_monitor *m, rf_say_level level, int id, const char *text)
{
    m->world.say(m->world.ctx, level, id, text);
}

static int is_writer(const rf_monitor *m, const rf_candidate *c)
{
    return c && rf_address_equal(&c->address, &m->snapshot.brief.writer);
}

static int calm(const rf_monitor *m)
{
    return m->state.name == RF_STATE_AVAILABLE || m->state.name == RF_STATE_UNKNOWN;
}

static rf_time pace(const rf_monitor *m)
{
    return calm(m) && !m->snapshot.brief.armed ? m->policy.interval : m->policy.fast;
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

/* Busy servers raise the threshold quickly and lower it slowly: being slow for long is not being late. */
static void smooth(rf_monitor *m, const rf_sample *sample)
{
    if (sample->was_login)
        return;
    if (m->rtt == 0)
        m->rtt = sample->rtt;
    else if (sample->rtt > m->rtt)
        m->rtt += (sample->rtt - m->rtt) / 2;
    else
        m->rtt -= (m->rtt - sample->rtt) / 8;
}

static void publish(rf_monitor *m, rf_time now)
{
    rf_snapshot *s = &m->snapshot;

    s->brief.observed_at = now;
    s->brief.stale_after = rf_policy_stale_after(&m->policy);
    s->brief.state = m->state.name;
    s->since = m->state.since;
    s->writer.rtt = m->rtt;
    s->probe.interval = pace(m);
    s->probe.late = rf_monitor_late(m);
    m->world.publish(m->world.ctx, s);
    m->changed = 0;
}

/* Every way into the state machine ends here: say what changed and keep the record. */
static void moved(rf_monitor *m, rf_state_name before, rf_time now)
{
    uint64_t held, waiting;
    char text[400];

    m->changed = 1;
    if (m->state.name == before)
        return;
    m->world.queue(m->world.ctx, &held, &waiting);
    switch (m->state.name) {
    case RF_STATE_SUSPECT:
        m->draft.detected = now;
        say(m, RF_SAY_INFO, 102, "The database is suspect; new requests wait for its next answer");
        break;
    case RF_STATE_OUTAGE:
        if (!m->draft.detected)
            m->draft.detected = now;
        m->draft.declared = now;
        rf_timeline_open(&m->snapshot, &m->draft);
        snprintf(text, sizeof text, "Outage: the writer %s failed %d times in a row (%s%s%.160s); requests are held",
                 m->snapshot.brief.writer.text, m->state.failures, rf_cause_name((rf_cause)m->draft.cause),
                 m->snapshot.probe.error[0] ? ": " : "", m->snapshot.probe.error);
        say(m, RF_SAY_ERROR, 103, text);
        break;
    case RF_STATE_AVAILABLE:
        rf_timeline_drained(&m->snapshot, held, now);
        if (before == RF_STATE_RECOVERING) {
            say(m, RF_SAY_NOTICE, 105, "Recovered: every held request has left");
        } else if (before == RF_STATE_SUSPECT) {
            say(m, RF_SAY_INFO, 106, "The writer answers again; it was only slow");
        }
        m->drafting = 0;
        break;
    case RF_STATE_UNKNOWN:
        m->drafting = 0;
        say(m, RF_SAY_ERROR, 108, "No verdict on the database for 5 s; requests pass until there is one. Is the prober installed and running?");
        break;
    case RF_STATE_RECOVERING:
        break;
    }
}

/* The first evidence against the writer opens the draft of a failover's record. */
static void doubt(rf_monitor *m, rf_cause cause, rf_time started)
{
    uint64_t held, waiting;

    if (m->drafting)
        return;
    m->world.queue(m->world.ctx, &held, &waiting);
    memset(&m->draft, 0, sizeof m->draft);
    m->draft.cause = cause;
    m->draft.started = started;
    m->draft.from = m->snapshot.brief.writer;
    m->draft.held_before = held;
    m->drafting = 1;
}

static int host_resolves(const rf_monitor *m, const rf_address *address)
{
    unsigned i;

    for (i = 0; i < m->nhost_addresses; i++) {
        if (rf_address_equal(&m->host_addresses[i], address))
            return 1;
    }
    return 0;
}

static void take_facts(rf_monitor *m, const rf_candidate *c)
{
    rf_snapshot *s = &m->snapshot;

    memcpy(s->writer.server, c->last.server, sizeof s->writer.server);
    memcpy(s->writer.version, c->last.version, sizeof s->writer.version);
    s->writer.read_only = c->last.read_only;
    s->writer.buffer_pool_bytes = c->last.buffer_pool_bytes;
}

/* This address is the writer from now on. */
static void become(rf_monitor *m, rf_candidate *c, rf_time now)
{
    rf_state_name before = m->state.name;
    rf_address from = m->snapshot.brief.writer;
    char text[400];

    rf_state_verified(&m->state, now);
    /* Nothing was seen for a while, and the writer is who it was: to the application nothing has changed. */
    if (before != RF_STATE_UNKNOWN || !rf_address_equal(&from, &c->address))
        m->snapshot.brief.epoch++;
    m->snapshot.brief.writer = c->address;
    m->snapshot.writer.verified_at = now;
    if (!rf_address_equal(&from, &c->address))
        m->rtt = 0;
    c->former = 1;
    take_facts(m, c);
    if (before == RF_STATE_OUTAGE) {
        rf_timeline_end(&m->snapshot, now);
        snprintf(text, sizeof text, "Outage over after %.1f s: the writer is %s (%s, %s), it was %s; held requests go on",
                 (double)(now - m->draft.started) / 1e6, c->address.text, c->last.server, c->last.version,
                 from.text[0] ? from.text : "not known");
        say(m, RF_SAY_NOTICE, 104, text);
        m->drafting = 0;
    } else {
        snprintf(text, sizeof text, "The writer is %s (%s, %s)", c->address.text, c->last.server, c->last.version);
        say(m, RF_SAY_NOTICE, 101, text);
    }
    moved(m, before, now);
}

/* Is there a writer to be had, or another one than before? */
static void weigh(rf_monitor *m, rf_time now)
{
    const rf_address *current = &m->snapshot.brief.writer;
    int passes = m->state.name == RF_STATE_UNKNOWN ? 1 : m->policy.passes;
    rf_candidate *c = rf_candidates_writer(&m->candidates, &m->policy, current, passes);
    rf_failover *open = m->state.name == RF_STATE_OUTAGE ? rf_timeline_current(&m->snapshot) : NULL;
    rf_candidate *now_writer;

    if (open && !c)
        open->verified = 0;
    if (!c)
        return;
    switch (m->state.name) {
    case RF_STATE_UNKNOWN:
        become(m, c, now);
        break;
    case RF_STATE_AVAILABLE:
    case RF_STATE_RECOVERING:
        now_writer = rf_candidates_find(&m->candidates, current);
        if (!is_writer(m, c) && c->named && !(now_writer && now_writer->named))
            become(m, c, now);
        break;
    case RF_STATE_OUTAGE:
        if (open && (!open->verified || !rf_address_equal(&open->to, &c->address))) {
            open->verified = now;
            open->to = c->address;
            m->changed = 1;
        }
        if (m->policy.app_name && !host_resolves(m, &c->address))
            break;
        become(m, c, now);
        break;
    case RF_STATE_SUSPECT:
        break;
    }
}

static void fail_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now)
{
    rf_state_name before = m->state.name;

    doubt(m, cause, started);
    rf_state_failed(&m->state, &m->policy, now);
    moved(m, before, now);
}

static void suspect_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now)
{
    rf_state_name before = m->state.name;

    doubt(m, cause, started);
    rf_state_suspected(&m->state, now);
    moved(m, before, now);
}

static void answer_writer(rf_monitor *m, rf_time now)
{
    rf_state_name before = m->state.name;

    rf_state_answered(&m->state, now);
    moved(m, before, now);
}

/* A server that lives but refuses us needs a person. Said once, until something else happens. */
static void alarm_once(rf_monitor *m, const rf_sample *sample)
{
    char text[500];

    if (m->alarmed == (uint32_t)sample->cause)
        return;
    m->alarmed = (uint32_t)sample->cause;
    if (sample->cause == RF_CAUSE_NONE)
        return;
    snprintf(text, sizeof text, "%s: %.200s. %.200s", sample->address.text, sample->text, rf_cause_advice(sample->cause));
    say(m, RF_SAY_WARNING, 107, text);
}

static void count_verdict(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_snapshot *s = &m->snapshot;

    s->probe.last = now;
    s->probe.ok = sample->cause == RF_CAUSE_NONE;
    s->probe.cause = sample->cause;
    s->probe.code = sample->code;
    s->probe.address = sample->address;
    memcpy(s->probe.error, sample->text, sizeof s->probe.error);
    s->probe.count++;
    if (sample->cause != RF_CAUSE_NONE)
        s->probe.failed++;
}

static rf_evidence weigh_cause(const rf_monitor *m, rf_cause cause)
{
    if (cause == RF_CAUSE_READ_ONLY && !m->policy.writable)
        return RF_EVIDENCE_GOOD;
    return rf_classify_evidence(cause);
}

static void take_probe(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_candidate *c = rf_candidates_find(&m->candidates, &sample->address);
    rf_evidence evidence = weigh_cause(m, sample->cause);
    rf_time started;
    int writer = is_writer(m, c);

    if (!c)
        return;
    started = c->first_asked ? c->first_asked : now;
    c->last = *sample;
    c->asked = sample->pending ? now : 0;
    if (!sample->pending)
        c->first_asked = 0;
    /* The status shows the writer's probe; while there is none, whatever was seen last. */
    if (writer || m->state.name == RF_STATE_OUTAGE || !m->state.ever)
        count_verdict(m, sample, now);

    switch (evidence) {
    case RF_EVIDENCE_GOOD:
        c->passes++;
        c->proven = sample->proven;
        c->seen = now;
        c->due = now + (m->state.name == RF_STATE_OUTAGE && c->passes < m->policy.passes ? CONFIRM_PAUSE : pace(m));
        m->alarmed = RF_CAUSE_NONE;
        if (writer) {
            smooth(m, sample);
            take_facts(m, c);
            answer_writer(m, now);
        }
        break;
    case RF_EVIDENCE_FAILED:
        c->passes = 0;
        if (writer)
            fail_writer(m, sample->cause, started, now);
        /* Confirm a first failure at once; a timeout has already waited. Only then keep the pace. */
        c->due = (writer && m->state.name == RF_STATE_SUSPECT) || sample->cause == RF_CAUSE_TIMEOUT ? now : now + pace(m);
        break;
    case RF_EVIDENCE_NEUTRAL:
        c->passes = 0;
        c->due = now + m->policy.interval;
        alarm_once(m, sample);
        if (writer)
            answer_writer(m, now);
        break;
    }
    if (evidence == RF_EVIDENCE_FAILED && !m->state.ever)
        alarm_once(m, sample);
    m->changed = 1;
    weigh(m, now);
}

static void take_host_addresses(rf_monitor *m, const rf_sample *sample)
{
    m->nhost_addresses = sample->naddresses;
    memcpy(m->host_addresses, sample->addresses, sizeof m->host_addresses);
}

static int same_addresses(const rf_snapshot *s, const rf_sample *sample)
{
    unsigned i, k;

    if (s->dns.naddresses != sample->naddresses)
        return 0;
    for (i = 0; i < sample->naddresses; i++) {
        for (k = 0; k < s->dns.naddresses && !rf_address_equal(&s->dns.addresses[k], &sample->addresses[i]); k++)
            ;
        if (k == s->dns.naddresses)
            return 0;
    }
    return 1;
}

static void take_dns(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_snapshot *s = &m->snapshot;
    rf_time pause = RF_SEC(sample->ttl) < DNS_PAUSE_MAX ? RF_SEC(sample->ttl) : DNS_PAUSE_MAX;
    char text[400];

    m->dns_asked = 0;
    /* While something is wrong the cache in between is asked again and again: the first moment it moves on matters. */
    m->next_dns = now + (calm(m) && pause > pace(m) ? pause : pace(m));
    m->changed = 1;
    memcpy(s->dns.error, sample->text, sizeof s->dns.error);
    if (s->dns.ok && sample->cause != RF_CAUSE_NONE) {
        snprintf(text, sizeof text, "The resolver has no answer (%.200s); the addresses known so far are kept", sample->text);
        say(m, RF_SAY_WARNING, 109, text);
    }
    if (!m->state.ever && sample->cause != RF_CAUSE_NONE)
        alarm_once(m, sample);
    s->dns.ok = sample->cause == RF_CAUSE_NONE;
    if (!s->dns.ok)
        return;

    s->dns.answered_at = now;
    s->dns.ttl = sample->ttl;
    s->dns.ncnames = sample->ncnames;
    memcpy(s->dns.cnames, sample->cnames, sizeof s->dns.cnames);
    if (!same_addresses(s, sample)) {
        s->dns.naddresses = sample->naddresses;
        memcpy(s->dns.addresses, sample->addresses, sizeof s->dns.addresses);
        s->dns.changed_at = now;
        snprintf(text, sizeof text, "The endpoint resolves to %.45s%s", sample->addresses[0].text,
                 sample->naddresses > 1 ? " and others" : "");
        say(m, RF_SAY_INFO, 110, text);
    }
    rf_candidates_name(&m->candidates, sample->addresses, sample->naddresses, now);
    if (!m->own_resolver)
        take_host_addresses(m, sample);
    rf_timeline_dns(s, now);
    weigh(m, now);
}

void rf_monitor_sample(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_candidate *c;

    m->last_verdict = now;
    switch (sample->kind) {
    case RF_SAMPLE_PROBE:
        take_probe(m, sample, now);
        break;
    case RF_SAMPLE_IDLE_LOST:
        c = rf_candidates_find(&m->candidates, &sample->address);
        if (c) {
            c->passes = 0;
            c->due = now;
        }
        if (is_writer(m, c))
            suspect_writer(m, sample->cause, now, now);
        break;
    case RF_SAMPLE_DNS:
        take_dns(m, sample, now);
        break;
    case RF_SAMPLE_DNS_HOST:
        if (sample->cause == RF_CAUSE_NONE)
            take_host_addresses(m, sample);
        weigh(m, now);
        break;
    }
    if (m->changed)
        publish(m, now);
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

    if (c && !c->asked && now - m->snapshot.probe.last >= LOOK_PAUSE)
        c->due = now;
}

/* What did not answer while this very process stood still is not late. */
static void forgive(rf_monitor *m, rf_time gap)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        if (m->candidates.list[i].asked)
            m->candidates.list[i].asked += gap;
    }
    if (m->dns_asked)
        m->dns_asked += gap;
    m->last_verdict += gap;
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

/* While all is well only what DNS names is looked at: former writers would cost a failing connect each. */
static int worth_asking(const rf_monitor *m, const rf_candidate *c)
{
    return m->state.name != RF_STATE_AVAILABLE || c->named || is_writer(m, c);
}

static void ask(rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; i < m->candidates.n; i++) {
        rf_candidate *c = &m->candidates.list[i];
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

static rf_time earlier(rf_time a, rf_time b)
{
    return a < b ? a : b;
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
            if (late && is_writer(m, c) && (m->state.name == RF_STATE_AVAILABLE || m->state.name == RF_STATE_RECOVERING))
                next = earlier(next, c->asked + late);
        } else if (worth_asking(m, c)) {
            next = earlier(next, c->due);
        }
    }
    if (!m->dns_asked)
        next = earlier(next, m->next_dns);
    if (m->state.name == RF_STATE_RECOVERING)
        next = earlier(next, now + m->policy.fast);
    return next > now ? next : now + RF_MS(1);
}

rf_time rf_monitor_tick(rf_monitor *m, rf_time now)
{
    rf_state_name before = m->state.name;
    rf_candidate *writer;
    rf_time late = rf_monitor_late(m);
    uint64_t held, waiting;

    if (m->planned && now - m->planned > TILT)
        forgive(m, now - m->planned);

    if (prober_hangs(m, now)) {
        say(m, RF_SAY_WARNING, 111, "The prober gave no verdict in time; it is replaced");
        m->world.replace_prober(m->world.ctx);
        ask_anew(m, now);
    }

    writer = rf_candidates_find(&m->candidates, &m->snapshot.brief.writer);
    if (writer && writer->asked && late && now - writer->asked >= late && before != RF_STATE_SUSPECT &&
        before != RF_STATE_OUTAGE)
        suspect_writer(m, RF_CAUSE_TIMEOUT, writer->first_asked, now);

    m->world.queue(m->world.ctx, &held, &waiting);
    before = m->state.name;
    rf_state_passed(&m->state, waiting, now - m->last_verdict > RF_BLIND_AFTER, now);
    if (m->state.name != before)
        moved(m, before, now);

    ask(m, now);
    if (m->changed)
        publish(m, now);
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
    if (!seen || !seen->brief.observed_at)
        return;

    m->snapshot = *seen;
    m->rtt = seen->writer.rtt;
    m->state.ever = seen->brief.writer.text[0] != 0;
    /* For as long as waiting requests give a new monitor. A state that is older is worth nothing; the addresses still are. */
    m->state.name = rf_brief_state(&seen->brief, now - RF_HOLD_STALE_GRACE);
    m->state.since = m->state.name == (rf_state_name)seen->brief.state ? seen->since : now;
    for (i = 0; i < seen->dns.naddresses; i++)
        rf_candidates_add(&m->candidates, &seen->dns.addresses[i], now)->named = 1;
    for (i = 0; i < seen->nfailovers; i++) {
        const rf_failover *f = &seen->failovers[i];
        rf_candidate *c = f->to.text[0] && f->ended ? rf_candidates_add(&m->candidates, &f->to, now) : NULL;
        if (c)
            c->former = 1;
        c = f->from.text[0] ? rf_candidates_add(&m->candidates, &f->from, now) : NULL;
        if (c)
            c->former = 1;
    }
    if (m->state.ever) {
        rf_candidate *c = rf_candidates_add(&m->candidates, &seen->brief.writer, now);
        if (c)
            c->former = 1;
    }
    if (m->state.name == RF_STATE_OUTAGE && rf_timeline_current(&m->snapshot)) {
        m->draft = *rf_timeline_current(&m->snapshot);
        m->drafting = 1;
    }
    m->changed = 1;
}
