/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds: anything may happen at any time, in any order, under any policy. What must hold always is checked after every
 * event (world/checks.c); and whenever the world comes to rest, the monitor must find the writer that is there. */
#include <stdlib.h>

#include "tap.h"
#include "world/world.h"

#define STEPS 100000
#define STEPS_PER_WORLD 250

static uint64_t seed;

static unsigned dice(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *const addresses[] = {
    "10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1", "2001:db8::2", "10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5",
    "10.0.1.6", "10.0.1.7", "10.0.1.8", "10.0.1.9", "10.0.1.10", "10.0.1.11", "10.0.1.12", "10.0.1.13", "10.0.1.14", "10.0.1.15",
};
#define ADDRESSES (sizeof addresses / sizeof addresses[0])

/* Mostly the first few; some worlds crowd the table. */
static const char *any_address(int crowd)
{
    return addresses[dice(crowd ? ADDRESSES : 4)];
}

static const char *any_names(int crowd)
{
    static char list[800];
    unsigned n = dice(8) == 0 ? 0 : 1 + dice(crowd ? 18 : 2);
    size_t used = 0;

    list[0] = 0;
    while (n--)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? " " : "", any_address(crowd));
    return list;
}

static rf_policy any_policy(void)
{
    static const rf_time lates[] = { RF_LATE_AUTO, RF_LATE_AUTO, RF_LATE_OFF, RF_MS(50), RF_SEC(3) };
    rf_policy policy = world_policy();

    policy.interval = RF_MS(dice(4) ? 500 : 100 + dice(8000));
    policy.fast = RF_MS(dice(4) ? 100 : 20 + dice(100));
    policy.timeout = RF_MS(dice(4) ? 1000 : 100 + dice(3000));
    policy.late = lates[dice(5)];
    policy.fails = 1 + (int)dice(4);
    policy.passes = 1 + (int)dice(4);
    policy.writable = dice(5) > 0;
    policy.former = (int)dice(2);
    policy.app_name = (int)dice(2);
    policy.abort = (int)dice(3);
    return policy;
}

static w_step any_step(int crowd)
{
    static const unsigned errors[] = { 1040, 1045, 1049, 1129, 1053, 1205, 2026, 2012 };
    w_step step = { 0, W_SERVER, any_address(crowd), (int)dice(7), (int)errors[dice(8)] };

    switch (dice(16)) {
    case 0:
        return (w_step)RTT(0, any_address(crowd), 1 + (int)dice(dice(3) ? 20 : 2000));
    case 1:
        return (w_step)PROVEN(0, any_address(crowd), (int)dice(2));
    case 2:
    case 3:
    case 4:
        return (w_step)DNS(0, any_names(crowd));
    case 5:
        return (w_step)HOST_DNS(0, any_names(crowd));
    case 6:
        return (w_step)TTL(0, (int)dice(dice(4) ? 6 : 20));
    case 7:
        return (w_step)LOOK(0);
    case 8:
        return dice(6) ? step : (w_step)PROBER(0, (int)dice(4));
    case 9:
        return dice(4) ? step : (w_step)STOP(0, 1 + (int)dice(15000));
    case 10:
        return dice(4) ? step : (w_step)KILL(0, 1 + (int)dice(dice(2) ? 1000 : 15000));
    case 11:
        return dice(2) ? step : (w_step)SOCKETS(0, any_address(crowd), 1 + (int)dice(1500));
    case 12:
        return dice(2) ? step : (w_step)ORDER(0, RF_ORDER_ARM + (int)dice(4), 1 + (int)dice(dice(2) ? 5 : 200));
    default:
        return step;
    }
}

/* Nothing more happens: one server takes writes and DNS names it, or none does. */
static void rest(world *w, int alive)
{
    unsigned i;

    if (w->prober != W_WORKS)
        world_apply(w, &(w_step)PROBER(0, W_WORKS));
    for (i = 0; i < w->nservers; i++) {
        world_apply(w, &(w_step)SERVER(0, w->servers[i].address.text, W_SILENT));
        world_apply(w, &(w_step)RTT(0, w->servers[i].address.text, 1));
    }
    world_apply(w, &(w_step)TTL(0, 1));
    if (w->down_until)
        world_run(w, NULL, (int)((w->down_until - W_START) / 1000) + 1);
    world_apply(w, &(w_step)ORDER(0, RF_ORDER_RELEASE, 0));
    world_apply(w, &(w_step)DNS(0, addresses[1]));
    world_apply(w, &(w_step)HOST_DNS(0, addresses[1]));
    world_apply(w, &(w_step)SERVER(0, addresses[1], alive ? W_UP : W_REFUSES));
    /* What a cache still holds, up to 20 s; then a look at every pace, and the end of a recovery after 60 s. */
    world_run(w, NULL, (int)((w->now - W_START) / 1000) + 90000);
    w->longest = 0;
    if (alive) {
        world_blame(w, w->board.brief.state != RF_STATE_AVAILABLE, "a writer is there and not found");
        world_blame(w, strcmp(w->board.brief.writer.text, addresses[1]) != 0, "another address is taken for the writer");
    } else {
        world_blame(w, w->board.brief.state != (w->monitor.state.ever ? RF_STATE_OUTAGE : RF_STATE_UNKNOWN),
                    "no writer is there, and that is not said");
    }
}

int main(void)
{
    static world w;
    const char *given = getenv("RF_SEED");
    uint64_t first = given ? strtoull(given, NULL, 0) : 20261122;
    unsigned steps = 0, worlds = 0, broken = 0, outages = 0, events = 0;

    while (steps < STEPS && broken < 5) {
        uint64_t this_seed = first + worlds;
        rf_policy policy;
        int crowd, ms = 0;

        seed = this_seed * 0x9e3779b97f4a7c15u + 1;
        policy = any_policy();
        crowd = dice(5) == 0;
        w.own_resolver = (int)dice(2);
        world_begin(&w, &policy);
        w.drain = RF_MS(dice(3) ? 0 : dice(90000));
        for (unsigned i = 0; i < STEPS_PER_WORLD && !w.wrong[0]; i++, steps++) {
            w_step step = any_step(crowd);
            if (!w.down_until || step.what == W_SERVER || step.what == W_DNS)
                world_apply(&w, &step);
            ms += (int)dice(dice(3) ? 300 : 10000);
            world_run(&w, NULL, ms);
            if (i % 125 == 124) {
                rest(&w, (int)dice(4));
                ms = (int)((w.now - W_START) / 1000);
            }
        }
        if (w.wrong[0]) {
            broken++;
            ok(0, "seed %" PRIu64 ": %s", this_seed, w.wrong);
        }
        outages += w.said[103];
        events += w.probes + w.verdicts;
        worlds++;
    }
    ok(!broken, "%u random steps in %u worlds (%u probes and verdicts, %u outages); the first seed was %" PRIu64
       ", RF_SEED repeats one", steps, worlds, events, outages, first);
    ok(outages > worlds, "outages did happen");
    return tap_done();
}
