/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

#define DNS_TAKES RF_MS(1)
#define PENDING_MAX RF_SEC(10)

w_server *prober_server(world *w, const char *name)
{
    unsigned i;
    w_server *s;

    for (i = 0; i < w->nservers; i++) {
        if (!strcmp(w->servers[i].address.text, name))
            return &w->servers[i];
    }
    if (w->nservers == W_SERVERS)
        abort();
    s = &w->servers[w->nservers++];
    memset(s, 0, sizeof *s);
    snprintf(s->address.text, sizeof s->address.text, "%s", name);
    s->rtt = RF_MS(1);
    s->since = w->now;
    return s;
}

/* --- the prober ----------------------------------------------------------------------------------------------------------- */

static rf_sample verdict(const w_server *s, rf_sample_kind kind, rf_cause cause)
{
    rf_sample sample;

    memset(&sample, 0, sizeof sample);
    sample.kind = kind;
    sample.address = s->address;
    sample.cause = cause;
    if (cause != RF_CAUSE_NONE)
        snprintf(sample.text, sizeof sample.text, "scripted: %s", rf_cause_name(cause));
    return sample;
}

/* When the attempt ends by an answer or an error; NEVER if only its deadline ends it. */
rf_time prober_attempt_ends(const w_server *s)
{
    rf_time from = s->began > s->since ? s->began : s->since, syn;

    switch (s->how) {
    case W_SILENT:
    case W_HANGS:
        return NEVER;
    case W_REFUSES:
    case W_LEAVES:
        return from + RF_MS(1) / 5;
    default:
        break;
    }
    /* A SYN that was lost is sent again after 1, 3 and 7 s. */
    if (s->login && !s->connected && s->since > s->began) {
        for (syn = RF_SEC(1); s->began + syn < s->since; syn = 2 * syn + RF_SEC(1))
            ;
        from = s->began + syn;
    }
    return from + s->rtt * (s->login ? 2 : 1);
}

static void begin_attempt(world *w, w_server *s, rf_time timeout)
{
    s->attempt = 1;
    s->login = !s->kept;
    s->connected = s->kept || (s->how != W_SILENT && s->how != W_REFUSES && s->how != W_LEAVES);
    s->began = w->now;
    s->timeout = timeout;
    s->deadline = w->now + timeout;
}

void prober_ask(void *ctx, const rf_address *address, uint32_t ticket, rf_time timeout)
{
    world *w = ctx;
    w_server *s = prober_server(w, address->text);

    w->probes++;
    s->asked++;
    if (w->prober != W_WORKS)
        return;
    world_blame(w, s->attempt, "two probes are outstanding for one address");
    if (!s->attempt)
        begin_attempt(w, s, timeout);
    s->ticket = ticket;
}

static void hear(world *w, rf_sample *sample)
{
    if (!rf_sample_sane(sample, sizeof *sample))
        abort();
    w->verdicts++;
    rf_monitor_sample(&w->monitor, sample, w->now);
    /* As the supervisor does: something was heard, so a tick is due. */
    w->due = w->now;
    world_check(w);
}

void prober_end_attempt(world *w, w_server *s)
{
    rf_sample sample;

    if (w->now < prober_attempt_ends(s)) { /* the deadline */
        sample = verdict(s, RF_SAMPLE_PROBE, RF_CAUSE_TIMEOUT);
        sample.pending = s->login && s->connected && w->now - s->began < PENDING_MAX;
        s->deadline += s->timeout;
        if (!sample.pending)
            s->attempt = s->kept = 0;
    } else if (s->how == W_REFUSES || s->how == W_LEAVES) {
        sample = verdict(s, RF_SAMPLE_PROBE, s->connected ? RF_CAUSE_LOST : RF_CAUSE_UNREACHABLE);
        s->attempt = s->kept = 0;
    } else if (s->how == W_ERROR && s->login) {
        sample = verdict(s, RF_SAMPLE_PROBE, rf_classify_code(s->code));
        sample.code = s->code;
        s->attempt = 0;
    } else {
        sample = verdict(s, RF_SAMPLE_PROBE, s->how == W_READ_ONLY ? RF_CAUSE_READ_ONLY : RF_CAUSE_NONE);
        sample.read_only = s->how == W_READ_ONLY;
        sample.rtt = w->now - s->began;
        sample.was_login = s->login;
        sample.proven = s->proven;
        snprintf(sample.server, sizeof sample.server, "db-%.40s", s->address.text);
        s->attempt = 0;
        s->kept = 1;
    }
    sample.ticket = s->ticket;
    hear(w, &sample);
}

void prober_notice_lost(world *w, w_server *s)
{
    rf_sample sample = verdict(s, RF_SAMPLE_IDLE_LOST, s->how == W_LEAVES ? RF_CAUSE_SHUTDOWN : RF_CAUSE_LOST);

    s->lost_at = 0;
    s->kept = 0;
    hear(w, &sample);
}

void prober_forget_all(world *w)
{
    unsigned i;

    for (i = 0; i < w->nservers; i++) {
        w->servers[i].attempt = w->servers[i].kept = 0;
        w->servers[i].lost_at = 0;
    }
    w->dns_due = w->dns_deadline = 0;
}

void prober_replace(void *ctx)
{
    world *w = ctx;

    w->replaced++;
    prober_forget_all(w);
    if (w->prober == W_STUCK)
        w->prober = W_WORKS;
}

/* --- the resolvers -------------------------------------------------------------------------------------------------------- */

void prober_resolve_name(void *ctx, uint32_t ticket, rf_time timeout)
{
    world *w = ctx;

    if (w->prober != W_WORKS)
        return;
    world_blame(w, w->dns_due != 0, "two questions to the resolver are outstanding");
    w->dns_due = w->now + DNS_TAKES;
    w->dns_deadline = w->now + timeout;
}

const char *prober_resolve(world *w, w_resolver *r)
{
    if (w->now >= r->expires || !r->cached[0]) {
        memcpy(r->cached, r->zone, sizeof r->cached);
        r->expires = w->now + RF_SEC(w->ttl);
    }
    return r->cached;
}

static void answer_dns(world *w, w_resolver *r, rf_sample_kind kind)
{
    char list[800], *word, *rest = list;
    rf_sample sample;

    memset(&sample, 0, sizeof sample);
    sample.kind = kind;
    snprintf(list, sizeof list, "%s", prober_resolve(w, r));
    while (sample.naddresses < RF_ADDRESSES && (word = strtok_r(rest, " ", &rest)))
        snprintf(sample.addresses[sample.naddresses++].text, sizeof sample.addresses[0].text, "%s", word);
    sample.ttl = r->expires > w->now ? (uint32_t)((r->expires - w->now) / RF_SEC(1)) : 0;
    if (!sample.naddresses) {
        sample.cause = RF_CAUSE_NAME;
        snprintf(sample.text, sizeof sample.text, "scripted: no answer");
    }
    hear(w, &sample);
}

void prober_answer_resolvers(world *w)
{
    /* A resolver that does not answer is given up at the deadline. */
    if (!prober_resolve(w, &w->dns)[0] && w->now < w->dns_deadline) {
        w->dns_due = w->dns_deadline;
        return;
    }
    w->dns_due = 0;
    answer_dns(w, &w->dns, RF_SAMPLE_DNS);
    if (w->own_resolver)
        answer_dns(w, w->host.own ? &w->host : &w->dns, RF_SAMPLE_DNS_HOST);
}
