/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "prober.h"
#include "rf_hold.h"

#define DNS_TIMEOUT RF_MS(500)

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
    int holds = rf_state_holds(state) || rf_hold_ordered(b, w->now);

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
    if (w->board.brief.allowed && snapshot->brief.allowed > w->board.brief.allowed)
        w->grown_at = w->now;
    w->board = *snapshot;
    note(w, rf_brief_state(&w->board.brief, w->now));
}

static void beat(void *ctx, rf_time now)
{
    world *w = ctx;

    w->board.brief.observed_at = now;
    note(w, rf_brief_state(&w->board.brief, w->now));
}

static void queue(void *ctx, rf_crowd *ret_crowd)
{
    world *w = ctx;
    uint64_t now_held = w->holding_since ? (uint64_t)(w->now - w->holding_since) / 10000 : 0;
    uint64_t waiting = w->holding_since ? now_held : w->released_at && w->now - w->released_at < w->drain ? 1 : 0;
    uint64_t running = waiting ? w->board.brief.allowed : 0;

    if (w->workers && running > w->workers)
        running = w->workers;
    w->finished += running * (uint64_t)(w->now - w->counted) / 1000;
    w->counted = w->now;
    *ret_crowd = (rf_crowd){ .held = w->held + now_held, .waiting = waiting, .running = running, .inflight = w->inflight,
                             .finished = w->finished, .troubled = w->troubled };
}

/* The probers answer a millisecond later. */
static void abort_sockets(void *ctx, const rf_address *addresses, unsigned n, int destroy)
{
    world *w = ctx;

    memcpy(w->abort_list, addresses, n * sizeof addresses[0]);
    w->nabort = n;
    w->abort_destroys = destroy;
    w->abort_ends = w->now + RF_MS(1);
}

static void end_abort(world *w)
{
    rf_abort_pass pass = { .address = w->abort_list[0], .refused = w->abort_destroys && w->forbidden };
    unsigned i;

    w->abort_ends = 0;
    for (i = 0; i < w->nabort; i++) {
        if (!rf_monitor_aborts(&w->monitor, &w->abort_list[i], w->now))
            return;
    }
    w->aborts++;
    for (i = 0; i < w->nabort; i++) {
        w_server *s = prober_server(w, w->abort_list[i].text);
        unsigned room = RF_ABORT_AT_ONCE - pass.aborted, n = s->sockets < room ? s->sockets : room;

        world_check_abort(w, &w->abort_list[i]);
        if (w->abort_destroys && !w->forbidden && n) {
            s->sockets -= n;
            s->aborted_at = w->now;
            pass.aborted += n;
        }
        pass.left += s->sockets < RF_ABORT_AT_ONCE ? s->sockets : RF_ABORT_AT_ONCE;
    }
    rf_monitor_aborted(&w->monitor, &pass, w->now);
    w->due = w->now;
}

/* --- time ------------------------------------------------------------------------------------------------------------------- */

rf_policy world_policy(void)
{
    const rf_policy policy = { .interval = RF_MS(500), .fast = RF_MS(100), .timeout = RF_SEC(1), .late = RF_LATE_AUTO, .fails = 2,
                               .passes = 2, .writable = 1, .former = 1, .app_name = 1, .concurrency = 32 };
    return policy;
}

static void start_monitor(world *w, const rf_snapshot *seen)
{
    const rf_world functions = { w, prober_ask, prober_resolve_name, prober_replace, say, publish, beat, queue, abort_sockets };

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
        s->lost_at = w->now + RF_MS(1);
}

static void apply_order(world *w, const w_step *step)
{
    rf_order order = { .action = (uint32_t)step->how };
    int lasts = step->how == RF_ORDER_ARM || step->how == RF_ORDER_HOLD;

    if (w->down_until) /* nobody takes it */
        return;
    order.until = lasts ? w->now + RF_SEC(step->arg) : 0;
    snprintf(order.by, sizeof order.by, "%s", step->who);
    if (step->how == RF_ORDER_HOLD || step->how == RF_ORDER_RELEASE)
        w->hold_until = order.until;
    rf_monitor_order(&w->monitor, &order, w->now);
    w->due = w->now;
}

void world_apply(world *w, const w_step *step)
{
    switch (step->what) {
    case W_SERVER:
        apply_server(w, prober_server(w, step->who), step);
        break;
    case W_RTT:
        prober_server(w, step->who)->rtt = RF_MS(step->arg);
        break;
    case W_PROVEN:
        prober_server(w, step->who)->proven = step->arg;
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
        prober_resolve(w, &w->dns);
        break;
    case W_PROBER:
        w->prober = (w_prober)step->how;
        prober_forget_all(w);
        if (w->prober == W_ABSENT)
            w->prober_back = w->now + RF_SEC(1);
        break;
    case W_KILL:
        w->dead = 1;
        w->abort_ends = 0;
        if (step->how) {
            rf_brief brief = w->board.brief;
            memset(&w->board, 0, sizeof w->board);
            w->board.brief = brief;
        }
        prober_forget_all(w);
        w->down_until = w->now + RF_MS(step->arg);
        break;
    case W_STOP:
        w->down_until = w->now + RF_MS(step->arg);
        break;
    case W_LOOK:
        rf_monitor_look(&w->monitor, w->now);
        w->due = w->now;
        break;
    case W_SOCKETS:
        prober_server(w, step->who)->sockets += (unsigned)step->arg;
        break;
    case W_FORBID:
        w->forbidden = 1;
        break;
    case W_ORDER:
        apply_order(w, step);
        break;
    case W_RUNS:
        w->inflight = (uint64_t)step->arg;
        break;
    case W_TROUBLE:
        w->troubled += (uint64_t)step->arg;
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

typedef enum { NOTHING, STEP, ATTEMPT, LOST, RESOLVED, ABORTED, PROBER_BACK, REVIVED, TICK } event_kind;

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
        rf_time ends = s->attempt ? prober_attempt_ends(s) : NEVER;
        if (s->attempt)
            sooner(&e, ends <= s->deadline ? ends : s->deadline, ATTEMPT, s);
        if (s->lost_at)
            sooner(&e, s->lost_at, LOST, s);
    }
    if (w->dns_due && !w->down_until)
        sooner(&e, w->dns_due, RESOLVED, NULL);
    if (w->abort_ends && !w->down_until && w->prober == W_WORKS)
        sooner(&e, w->abort_ends, ABORTED, NULL);
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
            prober_end_attempt(w, e.server);
            break;
        case LOST:
            prober_notice_lost(w, e.server);
            break;
        case RESOLVED:
            prober_answer_resolvers(w);
            break;
        case ABORTED:
            end_abort(w);
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
