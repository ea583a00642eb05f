/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_samples.c
 * @brief What the prober saw, and what it is evidence of.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include <stdio.h>
#include <string.h>

#include "rf_monitor_parts.h"
#include "rf_timeline.h"

/* Between the probes that make up `passes`: apart enough to be two answers, near enough not to delay the end of an outage. */
#define CONFIRM_PAUSE RF_MS(20)
/* The resolver is asked at least this often, whatever TTL it claims: RDS's is 5 s. */
#define DNS_PAUSE_MAX RF_SEC(30)

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

/* A server that lives but refuses us needs a person. Said once, until something else happens. */
static void alarm_once(rf_monitor *m, rf_cause *alarmed, const rf_sample *sample)
{
    char text[500];

    if (*alarmed == sample->cause)
        return;
    *alarmed = sample->cause;
    snprintf(text, sizeof text, "%.45s: %.200s. %.200s", sample->address.text[0] ? sample->address.text : "the endpoint's name",
             sample->text, rf_cause_advice(sample->cause));
    rf_monitor_say(m, RF_SAY_WARNING, 107, text);
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

/* An address that the application may connect to instead of the writer's. What was asked before the name led there says nothing
 * about it: a server that is about to take over refuses until it does. */
static void strike(const rf_monitor *m, rf_candidate *c, rf_time asked)
{
    if (!asked || asked < m->host_since || !rf_monitor_host_gives(m, &c->address))
        return;
    if (c->strikes++ == 0)
        c->struck = asked;
}

/* A first failure is confirmed at once; a timeout has already waited. Only then the pace is kept, or a port that is closed for a
 * moment would use up any number of `fails`. */
static int first_failure(const rf_monitor *m, const rf_candidate *c, int writer)
{
    return writer ? m->state.name == RF_STATE_SUSPECT && m->state.failures == 1 : c->strikes == 1 && rf_monitor_strays(m);
}

int rf_monitor_needs_name(const rf_monitor *m)
{
    return m->policy.app_name && !m->own_resolver;
}

/* The name leads past the writer, to a server that fails, or of which nothing is known yet. */
static int leads_astray(rf_monitor *m, rf_time now)
{
    unsigned i;

    for (i = 0; rf_monitor_strays(m) && i < m->nhost_addresses; i++) {
        const rf_candidate *c = rf_candidates_find(&m->candidates, &m->host_addresses[i]);
        if (c && (c->strikes || c->asked || c->due <= now))
            return 1;
    }
    return 0;
}

/* A request that failed has met the writer or, by the name, another server. The database is innocent of it if the writer answered
 * and the name led to it, both asked after the failure. */
static void prove(rf_monitor *m, rf_time now)
{
    rf_time *proved = &m->snapshot.brief.proved;

    if (!rf_monitor_needs_name(m))
        *proved = m->answered;
    else if (!leads_astray(m, now))
        *proved = m->answered < m->named ? m->answered : m->named;
}

static void take_probe(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_candidate *c = rf_candidates_find(&m->candidates, &sample->address);
    rf_evidence evidence = weigh_cause(m, sample->cause);
    rf_time started, asked;
    int writer = rf_monitor_is_writer(m, c);

    if (!c)
        return;
    asked = c->first_asked;
    started = asked ? asked : now;
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
        c->strikes = c->failures = 0;
        c->proven = sample->proven;
        c->seen = now;
        if (!sample->was_login && (!c->quickest || sample->rtt < c->quickest))
            c->quickest = sample->rtt;
        c->due = now + (m->state.name == RF_STATE_OUTAGE && c->passes < m->policy.passes ? CONFIRM_PAUSE : rf_monitor_pace(m));
        c->alarmed = RF_CAUSE_NONE;
        c->refused = 0;
        if (writer) {
            smooth(m, sample);
            rf_monitor_history_answered(m, sample->rtt);
            rf_monitor_release_answered(m, sample);
            rf_monitor_take_facts(m, c);
            rf_monitor_answer_writer(m, now);
        }
        break;
    case RF_EVIDENCE_FAILED:
        c->passes = 0;
        c->refused = c->quickest = 0;
        c->failures++;
        c->failed = now;
        strike(m, c, asked);
        if (writer)
            rf_monitor_fail_writer(m, sample->cause, started, now);
        c->due = first_failure(m, c, writer) || sample->cause == RF_CAUSE_TIMEOUT ? now : now + rf_monitor_pace(m);
        break;
    case RF_EVIDENCE_NEUTRAL:
        c->passes = c->strikes = c->failures = 0;
        c->due = now + m->policy.interval;
        if (sample->cause == RF_CAUSE_BUSY)
            c->refused = 0;
        else if (!c->refused)
            c->refused = now;
        alarm_once(m, &c->alarmed, sample);
        if (writer && sample->cause == RF_CAUSE_BUSY)
            rf_monitor_release_busy(m, now);
        if (writer)
            rf_monitor_answer_writer(m, now);
        break;
    }
    if (evidence == RF_EVIDENCE_FAILED && !m->state.ever)
        alarm_once(m, &c->alarmed, sample);
    if (writer && evidence != RF_EVIDENCE_FAILED)
        m->answered = started;
    prove(m, now);
    if (c->again && !c->asked) {
        c->again = 0;
        rf_monitor_look(m, now);
    }
    m->changed = 1;
    rf_monitor_weigh(m, now);
}

/* In whatever order. */
static int same_addresses(const rf_address *known, unsigned n, const rf_sample *sample)
{
    unsigned i, k;

    if (n != sample->naddresses)
        return 0;
    for (i = 0; i < n; i++) {
        for (k = 0; k < n && !rf_address_equal(&known[k], &sample->addresses[i]); k++)
            ;
        if (k == n)
            return 0;
    }
    return 1;
}

static void take_host_addresses(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    unsigned i;

    if (same_addresses(m->host_addresses, m->nhost_addresses, sample))
        return;
    m->nhost_addresses = sample->naddresses;
    memcpy(m->host_addresses, sample->addresses, sizeof m->host_addresses);
    m->host_since = now;
    for (i = 0; i < m->candidates.n; i++) {
        rf_candidate *c = &m->candidates.list[i];
        c->strikes = 0;
        if (rf_monitor_strays(m) && rf_monitor_host_gives(m, &c->address))
            c->due = c->due < now ? c->due : now;
    }
}

static void take_dns(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_snapshot *s = &m->snapshot;
    rf_time pause = RF_SEC(sample->ttl) < DNS_PAUSE_MAX ? RF_SEC(sample->ttl) : DNS_PAUSE_MAX;
    char text[400];

    m->named = m->dns_asked;
    m->dns_asked = 0;
    /* While something is wrong the cache in between is asked again and again: the first moment it moves on matters. */
    m->next_dns = now + (rf_monitor_calm(m) && pause > rf_monitor_pace(m) ? pause : rf_monitor_pace(m));
    if (m->dns_again)
        m->next_dns = now;
    m->dns_again = 0;
    m->changed = 1;
    memcpy(s->dns.error, sample->text, sizeof s->dns.error);
    if (s->dns.ok && sample->cause != RF_CAUSE_NONE) {
        snprintf(text, sizeof text, "The resolver has no answer (%.200s); the addresses known so far are kept", sample->text);
        rf_monitor_say(m, RF_SAY_WARNING, 109, text);
    }
    if (!m->state.ever && sample->cause != RF_CAUSE_NONE)
        alarm_once(m, &m->dns_alarmed, sample);
    s->dns.ok = sample->cause == RF_CAUSE_NONE;
    if (!s->dns.ok) {
        prove(m, now);
        return;
    }
    m->dns_alarmed = RF_CAUSE_NONE;

    s->dns.answered_at = now;
    s->dns.ttl = sample->ttl;
    s->dns.ncnames = sample->ncnames;
    memcpy(s->dns.cnames, sample->cnames, sizeof s->dns.cnames);
    if (!same_addresses(s->dns.addresses, s->dns.naddresses, sample)) {
        s->dns.naddresses = sample->naddresses;
        memcpy(s->dns.addresses, sample->addresses, sizeof s->dns.addresses);
        s->dns.changed_at = now;
        snprintf(text, sizeof text, "The endpoint resolves to %.45s%s", sample->addresses[0].text,
                 sample->naddresses > 1 ? " and others" : "");
        rf_monitor_say(m, RF_SAY_INFO, 110, text);
    }
    rf_candidates_name(&m->candidates, sample->addresses, sample->naddresses, now);
    if (!m->own_resolver)
        take_host_addresses(m, sample, now);
    rf_timeline_dns(s, now);
    prove(m, now);
    rf_monitor_weigh(m, now);
}

void rf_monitor_sample(rf_monitor *m, const rf_sample *sample, rf_time now)
{
    rf_candidate *c;

    switch (sample->kind) {
    case RF_SAMPLE_PROBE:
        m->last_verdict = now;
        take_probe(m, sample, now);
        break;
    case RF_SAMPLE_IDLE_LOST:
        c = rf_candidates_find(&m->candidates, &sample->address);
        if (c) {
            c->passes = 0;
            c->due = now;
        }
        if (rf_monitor_is_writer(m, c))
            rf_monitor_suspect_writer(m, sample->cause, now, now);
        break;
    case RF_SAMPLE_DNS:
        take_dns(m, sample, now);
        break;
    case RF_SAMPLE_DNS_HOST:
        if (sample->cause == RF_CAUSE_NONE)
            take_host_addresses(m, sample, now);
        rf_monitor_weigh(m, now);
        break;
    case RF_SAMPLE_SOCKETS: /* whoever asked has taken it */
        break;
    }
    if (m->changed)
        rf_monitor_publish(m, now);
}
