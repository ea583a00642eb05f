/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

#define NEVER INT64_MAX
#define DNS_TIMEOUT RF_MS(500)
#define DNS_TAKES RF_MS(1)
#define NOTICE_TAKES RF_MS(1)
#define PENDING_MAX RF_SEC(10)

static w_server *server(world *w, const char *name)
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
static rf_time attempt_ends(const w_server *s)
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

static void ask_probe(void *ctx, const rf_address *address, uint32_t ticket, rf_time timeout)
{
    world *w = ctx;
    w_server *s = server(w, address->text);

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

static void end_attempt(world *w, w_server *s)
{
    rf_sample sample;

    if (w->now < attempt_ends(s)) { /* the deadline */
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

static void notice_lost(world *w, w_server *s)
{
    rf_sample sample = verdict(s, RF_SAMPLE_IDLE_LOST, s->how == W_LEAVES ? RF_CAUSE_SHUTDOWN : RF_CAUSE_LOST);

    s->lost_at = 0;
    s->kept = 0;
    hear(w, &sample);
}

static void forget_all(world *w)
{
    unsigned i;

    for (i = 0; i < w->nservers; i++) {
        w->servers[i].attempt = w->servers[i].kept = 0;
        w->servers[i].lost_at = 0;
    }
    w->dns_due = w->dns_deadline = 0;
}

static void replace_prober(void *ctx)
{
    world *w = ctx;

    w->replaced++;
    forget_all(w);
    if (w->prober == W_STUCK)
        w->prober = W_WORKS;
}

/* --- the resolvers -------------------------------------------------------------------------------------------------------- */

static void ask_dns(void *ctx, uint32_t ticket, rf_time timeout)
{
    world *w = ctx;

    if (w->prober != W_WORKS)
        return;
    world_blame(w, w->dns_due != 0, "two questions to the resolver are outstanding");
    w->dns_due = w->now + DNS_TAKES;
    w->dns_deadline = w->now + timeout;
}

static const char *resolve(world *w, w_resolver *r)
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
    snprintf(list, sizeof list, "%s", resolve(w, r));
    while (sample.naddresses < RF_ADDRESSES && (word = strtok_r(rest, " ", &rest)))
        snprintf(sample.addresses[sample.naddresses++].text, sizeof sample.addresses[0].text, "%s", word);
    sample.ttl = r->expires > w->now ? (uint32_t)((r->expires - w->now) / RF_SEC(1)) : 0;
    if (!sample.naddresses) {
        sample.cause = RF_CAUSE_NAME;
        snprintf(sample.text, sizeof sample.text, "scripted: no answer");
    }
    hear(w, &sample);
}

static void answer_resolvers(world *w)
{
    /* A resolver that does not answer is given up at the deadline. */
    if (!resolve(w, &w->dns)[0] && w->now < w->dns_deadline) {
        w->dns_due = w->dns_deadline;
        return;
    }
    w->dns_due = 0;
    answer_dns(w, &w->dns, RF_SAMPLE_DNS);
    if (w->own_resolver)
        answer_dns(w, w->host.own ? &w->host : &w->dns, RF_SAMPLE_DNS_HOST);
}

/* --- the board and the log ------------------------------------------------------------------------------------------------ */

static void say(void *ctx, rf_say_level level, int id, const char *text)
{
    world *w = ctx;

    world_blame(w, id < 100 || id >= 256 || !text[0], "a message without an id or a text");
    w->said[id & 255]++;
    if (getenv("WORLD_VERBOSE"))
        printf("# %9.1f  RF%04d %s\n", (double)(w->now - W_START) / 1000, id, text);
}

static void note(world *w, rf_state_name state)
{
    const rf_brief *b = &w->board.brief;
    const w_entry *last = w->nlog ? &w->log[w->nlog - 1] : NULL;
    int holds = rf_state_holds(state);

    if (!w->holding_since && holds)
        w->holding_since = w->now;
    if (w->holding_since && !holds) {
        w->held += (uint64_t)(w->now - w->holding_since) / 10000;
        w->released_at = w->now;
        w->holding_since = 0;
    }
    if (w->holding_since && w->now - w->holding_since > w->longest)
        w->longest = w->now - w->holding_since;
    if (last && last->state == state && last->epoch == b->epoch && rf_address_equal(&last->writer, &b->writer))
        return;
    if (w->nlog == W_LOG)
        memmove(w->log, w->log + W_LOG / 2, sizeof w->log / 2), w->nlog = W_LOG / 2;
    w->log[w->nlog++] = (w_entry){ w->now, state, b->epoch, b->writer };
}

static void publish(void *ctx, const rf_snapshot *snapshot)
{
    world *w = ctx;

    world_check_publish(w, snapshot);
    w->board = *snapshot;
    note(w, rf_brief_state(&w->board.brief, w->now));
}

static void beat(void *ctx, rf_time now)
{
    world *w = ctx;

    w->board.brief.observed_at = now;
    note(w, rf_brief_state(&w->board.brief, w->now));
}

static void queue(void *ctx, uint64_t *ret_held, uint64_t *ret_waiting)
{
    const world *w = ctx;
    uint64_t now_held = w->holding_since ? (uint64_t)(w->now - w->holding_since) / 10000 : 0;

    *ret_held = w->held + now_held;
    *ret_waiting = w->holding_since ? now_held : w->released_at && w->now - w->released_at < w->drain ? 1 : 0;
}

/* --- time ------------------------------------------------------------------------------------------------------------------- */

rf_policy world_policy(void)
{
    const rf_policy policy = { .interval = RF_MS(500), .fast = RF_MS(100), .timeout = RF_SEC(1), .late = RF_LATE_AUTO, .fails = 2,
                               .passes = 2, .writable = 1, .former = 1, .app_name = 1 };
    return policy;
}

static void start_monitor(world *w, const rf_snapshot *seen)
{
    const rf_world functions = { w, ask_probe, ask_dns, replace_prober, say, publish, beat, queue };

    rf_monitor_init(&w->monitor, &functions, &w->policy, DNS_TIMEOUT, w->own_resolver, seen, w->now);
    w->due = w->now;
    w->down_until = 0;
    w->dead = 0;
}

void world_begin(world *w, const rf_policy *policy)
{
    int own_resolver = w->own_resolver;

    memset(w, 0, sizeof *w);
    w->now = W_START;
    w->policy = *policy;
    w->own_resolver = own_resolver;
    w->ttl = 5;
    w->prober = W_WORKS;
    start_monitor(w, NULL);
}

static void apply_server(world *w, w_server *s, const w_step *step)
{
    s->how = (w_how)step->how;
    s->code = (unsigned)step->arg;
    s->since = w->now;
    if (s->attempt && (s->how == W_HANGS || s->how == W_UP) && !s->login)
        s->connected = 1;
    if (s->kept && !s->attempt && (s->how == W_REFUSES || s->how == W_LEAVES))
        s->lost_at = w->now + NOTICE_TAKES;
}

void world_apply(world *w, const w_step *step)
{
    switch (step->what) {
    case W_SERVER:
        apply_server(w, server(w, step->who), step);
        break;
    case W_RTT:
        server(w, step->who)->rtt = RF_MS(step->arg);
        break;
    case W_PROVEN:
        server(w, step->who)->proven = step->arg;
        break;
    case W_DNS:
        snprintf(w->dns.zone, sizeof w->dns.zone, "%s", step->who);
        break;
    case W_HOST_DNS:
        w->host.own = 1;
        snprintf(w->host.zone, sizeof w->host.zone, "%s", step->who);
        break;
    case W_TTL:
        w->ttl = (uint32_t)step->arg;
        break;
    case W_PRIME:
        w->dns.expires = 0;
        resolve(w, &w->dns);
        break;
    case W_PROBER:
        w->prober = (w_prober)step->how;
        forget_all(w);
        if (w->prober == W_ABSENT)
            w->prober_back = w->now + RF_SEC(1);
        break;
    case W_KILL:
        w->dead = 1;
        forget_all(w);
        w->down_until = w->now + RF_MS(step->arg);
        break;
    case W_STOP:
        w->down_until = w->now + RF_MS(step->arg);
        break;
    case W_LOOK:
        rf_monitor_look(&w->monitor, w->now);
        w->due = w->now;
        break;
    case W_END:
        break;
    }
}

unsigned world_asked(const world *w, const char *address)
{
    unsigned i;

    for (i = 0; i < w->nservers; i++) {
        if (!strcmp(w->servers[i].address.text, address))
            return w->servers[i].asked;
    }
    return 0;
}

typedef enum { NOTHING, STEP, ATTEMPT, LOST, RESOLVED, PROBER_BACK, REVIVED, TICK } event_kind;

typedef struct event {
    rf_time at;
    event_kind kind;
    w_server *server;
} event;

static void sooner(event *e, rf_time at, event_kind kind, w_server *s)
{
    if (at < e->at)
        *e = (event){ at, kind, s };
}

static event next_event(world *w, const w_step *steps)
{
    event e = { NEVER, NOTHING, NULL };
    unsigned i;

    if (steps && steps->what != W_END)
        sooner(&e, W_START + RF_MS(steps->at), STEP, NULL);
    if (w->down_until)
        sooner(&e, w->down_until, REVIVED, NULL);
    for (i = 0; i < w->nservers && !w->down_until && w->prober == W_WORKS; i++) {
        w_server *s = &w->servers[i];
        rf_time ends = s->attempt ? attempt_ends(s) : NEVER;
        if (s->attempt)
            sooner(&e, ends <= s->deadline ? ends : s->deadline, ATTEMPT, s);
        if (s->lost_at)
            sooner(&e, s->lost_at, LOST, s);
    }
    if (w->dns_due && !w->down_until)
        sooner(&e, w->dns_due, RESOLVED, NULL);
    if (w->prober == W_ABSENT && !w->down_until)
        sooner(&e, w->prober_back, PROBER_BACK, NULL);
    if (!w->down_until)
        sooner(&e, w->due, TICK, NULL);
    return e;
}

static void tick(world *w)
{
    w->due = rf_monitor_tick(&w->monitor, w->now);
    world_check_tick(w);
}

void world_run(world *w, const w_step *steps, int ms)
{
    rf_time until = W_START + RF_MS(ms);
    event e;

    while ((e = next_event(w, steps)).kind != NOTHING && e.at <= until) {
        if (e.at > w->now)
            w->now = e.at;
        /* A reader looks all the time: staleness is seen without the monitor. */
        note(w, rf_brief_state(&w->board.brief, w->now));
        switch (e.kind) {
        case STEP:
            world_apply(w, steps++);
            break;
        case ATTEMPT:
            end_attempt(w, e.server);
            break;
        case LOST:
            notice_lost(w, e.server);
            break;
        case RESOLVED:
            answer_resolvers(w);
            break;
        case PROBER_BACK:
            w->prober_back = w->now + RF_SEC(1);
            rf_monitor_prober_replaced(&w->monitor, w->now);
            break;
        case REVIVED:
            w->down_until = 0;
            if (w->dead)
                start_monitor(w, w->board.brief.observed_at ? &w->board : NULL);
            break;
        case TICK:
            tick(w);
            break;
        case NOTHING:
            break;
        }
    }
    w->now = until;
    note(w, rf_brief_state(&w->board.brief, w->now));
}
