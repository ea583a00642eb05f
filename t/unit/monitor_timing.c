/* SPDX-License-Identifier: Apache-2.0 */
/* The promises in figures, under many policies and at many phases of the probing: when holding begins, when an outage is
 * declared, when it ends, and what a request can lose to a false alarm. */
#include <stdlib.h>

#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define TRIALS 300

static world w;

typedef struct worst {
    double value; /* the largest part of its promise that was used up */
    double took, promised;
    unsigned broken;
} worst;

/* A promise plus the few milliseconds that the scripted network takes. */
static void hold_to(worst *sum, double took, double promised)
{
    const double network = 5;
    double used = took < 0 ? 1e9 : took / (promised + network);

    sum->broken += used > 1;
    if (used > sum->value)
        *sum = (worst){ used, took, promised, sum->broken };
}

static void report(const worst *sum, const char *what)
{
    ok(!sum->broken && sum->value > 0, "%s: at worst %.1f ms where %.1f ms are promised, in %d trials", what, sum->took, sum->promised, TRIALS);
    if (sum->broken)
        printf("# %u trials took too long\n", sum->broken);
}

static double in_ms(rf_time t)
{
    return (double)t / 1000;
}

static rf_policy any_policy(void)
{
    rf_policy policy = world_policy();

    if (rand() % 3) {
        policy.interval = RF_MS(100 + rand() % 2000);
        policy.fast = RF_MS(20 + rand() % 80);
        policy.timeout = RF_MS(200 + rand() % 3000);
        policy.fails = 1 + rand() % 5;
        policy.passes = 1 + rand() % 4;
        policy.late = rand() % 2 ? RF_LATE_AUTO : RF_MS(20 + rand() % 150);
    }
    return policy;
}

/* A writer that has been well for a while, at any phase of its probing. @return the moment, in milliseconds */
static int well(const rf_policy *policy)
{
    int now = 20000 + rand() % 3000;

    world_begin(&w, policy);
    w.ttl = 1;
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_apply(&w, &(w_step)SERVER(0, B, W_REFUSES));
    world_apply(&w, &(w_step)DNS(0, A));
    world_run(&w, NULL, now);
    return now;
}

/* The fault happens now; the new writer accepts a while later, and DNS has named it before. @return when it accepts */
static int fault(int now, w_how how, w_how standby)
{
    int healed = now + 30000 + rand() % 1000;

    world_apply(&w, &(w_step)SERVER(0, A, (int)how));
    world_apply(&w, &(w_step)SERVER(0, B, (int)standby));
    world_run(&w, NULL, now + 25000);
    world_apply(&w, &(w_step)DNS(0, B));
    world_run(&w, NULL, healed);
    world_apply(&w, &(w_step)SERVER(0, B, W_UP));
    world_run(&w, NULL, healed + 20000);
    return healed;
}

static void play(w_how how, w_how standby, const char *name)
{
    worst holds = { 0 }, declared = { 0 }, ends = { 0 };
    unsigned wrong = 0, i;
    char what[100];

    for (i = 0; i < TRIALS; i++) {
        rf_policy policy = any_policy();
        int now = well(&policy), healed;
        double late = in_ms(rf_monitor_late(&w.monitor)), confirm = 20.0 + 2;
        int quick = how == W_REFUSES || how == W_LEAVES;

        healed = fault(now, how, standby);
        hold_to(&holds, world_when(&w, W_HOLDING, now), quick ? 1 : how == W_READ_ONLY ? in_ms(policy.interval) : in_ms(policy.interval) + late);
        /* The first failure is confirmed at once, the others come at the pace. */
        hold_to(&declared, world_when(&w, 1u << RF_STATE_OUTAGE, now),
                quick || how == W_READ_ONLY
                    ? (quick ? 0 : in_ms(policy.interval)) + (policy.fails > 2 ? (policy.fails - 2) * (in_ms(policy.fast) + 1) : 0)
                    : in_ms(policy.interval) + in_ms(policy.timeout) * policy.fails);
        hold_to(&ends, world_when(&w, W_OPEN, healed),
                (standby == W_SILENT ? in_ms(policy.timeout) : in_ms(policy.fast)) + (policy.passes - 1) * confirm + 2);
        if (w.wrong[0] && !wrong++)
            printf("# %s\n", w.wrong);
    }
    snprintf(what, sizeof what, "%s: holds", name);
    report(&holds, what);
    snprintf(what, sizeof what, "%s: outage declared", name);
    report(&declared, what);
    snprintf(what, sizeof what, "%s: ends after the new writer accepts", name);
    report(&ends, what);
    is_int(wrong, 0, "%s: nothing was broken on the way", name);
}

/* A server that answers slowly, but answers: what does suspicion cost a request? */
static void false_alarms(void)
{
    worst sum = { 0 };
    unsigned outages = 0, i;

    for (i = 0; i < TRIALS; i++) {
        rf_policy policy = any_policy();
        int now = well(&policy), rtt = 1 + rand() % (int)(policy.timeout / 1000 - 2);
        double late = in_ms(rf_monitor_late(&w.monitor));

        world_apply(&w, &(w_step)RTT(0, A, rtt));
        world_run(&w, NULL, now + 10000);
        outages += w.board.nfailovers;
        hold_to(&sum, in_ms(w.longest), rtt > late ? rtt - late : 0);
    }
    is_int(outages, 0, "a slow answer is never an outage");
    report(&sum, "a slow answer: requests wait no longer than the probe");
}

int main(void)
{
    srand(4);
    play(W_REFUSES, W_REFUSES, "crash");
    play(W_LEAVES, W_REFUSES, "shutdown");
    play(W_SILENT, W_REFUSES, "black hole");
    play(W_SILENT, W_SILENT, "black hole, the standby too");
    play(W_HANGS, W_REFUSES, "hang");
    play(W_READ_ONLY, W_READ_ONLY, "read-only, the standby too");
    false_alarms();
    return tap_done();
}
