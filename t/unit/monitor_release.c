/* SPDX-License-Identifier: Apache-2.0 */
/* How the monitor lets held requests go: how many at once, what holds it back, and what becomes of it when something happens
 * in the middle. */
#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define C "10.0.0.3"
#define FAILOVER "unknown available suspect outage recovering"
#define RECOVERING (1u << RF_STATE_RECOVERING)

static world w;
static rf_time release; /* when it began */

/* A dies, B takes over; requests wait for `drain` seconds after they were let go. */
static void begin_with(const rf_policy *policy, int drain)
{
    static const w_step steps[] = { SERVER(0, A, W_UP), SERVER(0, B, W_REFUSES), SERVER(0, C, W_REFUSES), DNS(0, A), TTL(0, 0),
                                    SERVER(10100, A, W_REFUSES), SERVER(15000, B, W_UP), DNS(15000, B), { 0 } };

    world_begin(&w, policy);
    w.drain = RF_SEC(drain);
    world_run(&w, steps, 15500);
    release = w.board.failovers[0].ended;
}

static void begin(int drain)
{
    rf_policy policy = world_policy();

    begin_with(&policy, drain);
}

/* Let time pass until `ms` after the release began. */
static void until(int ms)
{
    world_run(&w, NULL, (int)((release - W_START + RF_MS(ms)) / 1000) + 1);
}

static void apply(w_step step)
{
    world_apply(&w, &step);
}

static void is_allowed(uint32_t n, const char *name)
{
    is_int(w.board.brief.allowed, n, "%s: %u at once", name, n);
}

static void unbroken(const char *name)
{
    is_str(w.wrong, "", "%s: nothing was broken on the way", name);
}

/* Milliseconds from the outage's end until the last change of state. */
static double ended_after(void)
{
    return (double)(w.log[w.nlog - 1].at - release) / 1000;
}

static void doubles(void)
{
    rf_policy policy = world_policy();
    uint32_t n = 32;

    begin(1000);
    for (int s = 1; s <= 11; s++) {
        until(1000 * s - 10);
        is_int(w.board.brief.allowed, n, "in second %d: %u at once", s, n);
        n *= 2;
    }
    until(59900);
    is_allowed(RF_PACE_MAX, "after a minute");
    is_str(world_path(&w), FAILOVER, "after a minute: still recovering");
    until(61000);
    is_str(world_path(&w), FAILOVER " available", "then it ends, whoever waits");
    is_allowed(0, "then");
    ok(ended_after() >= 60000 && ended_after() < 60200, "that is after %.0f ms", ended_after());
    is_int(w.said[115], 1, "it is said that requests still wait");
    is_int(w.said[105], 0, "and not that none does");
    is_int(w.said[114], 0, "nothing held it back");
    unbroken("doubling");

    begin(3);
    until(10000);
    ok(ended_after() >= 3000 && ended_after() < 3200, "an empty queue ends it: after %.0f ms", ended_after());
    is_int(w.said[105], 1, "which is said");
    is_int(w.said[115], 0, "once");
    unbroken("an empty queue");

    policy.concurrency = 0;
    begin_with(&policy, 1000);
    is_allowed(1, "concurrency 0");
    until(2010);
    is_allowed(4, "concurrency 0, two seconds later");
    unbroken("concurrency 0");

    policy = world_policy();
    policy.fast = RF_SEC(3);
    policy.interval = RF_SEC(5);
    policy.timeout = RF_SEC(2);
    policy.passes = 1;
    begin_with(&policy, 1000);
    world_run(&w, NULL, 20000);
    release = w.board.failovers[0].ended;
    until(30000);
    ok(w.board.brief.allowed > 256 && w.board.brief.allowed < 32768,
       "probes every 3 s: a second without an answer does not grow, %u at once", w.board.brief.allowed);
    unbroken("probes every 3 s");
}

static void slow(void)
{
    begin(1000);
    until(1010);
    apply((w_step)RTT(0, B, 20));
    until(4010);
    is_allowed(64, "answers take 20 ms, it was 1");
    is_int(w.said[114], 1, "which is said once");
    apply((w_step)RTT(0, B, 1));
    until(5010);
    is_allowed(128, "quick again");
    unbroken("slow answers");

    begin(1000);
    apply((w_step)RTT(0, B, 6));
    until(4010);
    is_allowed(512, "answers take 6 ms, it was 1");
    unbroken("noise");

    begin(1000);
    for (int s = 1; s <= 4; s++) {
        until(1000 * s - 500);
        apply((w_step)RTT(0, B, 200));
        until(1000 * s - 250);
        apply((w_step)RTT(0, B, 1));
    }
    until(4010);
    is_allowed(512, "one slow answer in each second");
    unbroken("a slow answer");

    /* Verified, but the name does not lead there yet: quick until the release begins, and never again. */
    begin(1000);
    until(2000);
    apply((w_step)SERVER(0, B, W_REFUSES));
    apply((w_step)DNS(0, A));
    until(3000);
    apply((w_step)SERVER(0, B, W_UP));
    until(4000);
    apply((w_step)RTT(0, B, 20));
    apply((w_step)DNS(0, B));
    until(7500);
    is_str(world_path(&w), FAILOVER " suspect outage recovering", "slow from the first moment on");
    is_allowed(32, "slow from the first moment on");
    unbroken("slow from the first moment on");
}

static void fails(void)
{
    begin(1000);
    until(500);
    apply((w_step)TROUBLE(0, 2000));
    until(1010);
    is_allowed(32, "one in sixteen failed");
    until(2010);
    is_allowed(64, "and then none");
    until(2500);
    apply((w_step)TROUBLE(0, 10000));
    until(3010);
    is_allowed(64, "many failed");
    is_int(w.said[114], 1, "said once");
    unbroken("failing requests");
}

static void busy(void)
{
    begin(1000);
    until(3500);
    is_allowed(256, "before it is busy");
    /* Connections that are open still work: what says "too many" is a login. */
    apply((w_step)SERVER(0, B, W_LEAVES));
    apply((w_step)FAULT(0, B, 1040));
    until(3600);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "busy: the release goes on");
    is_allowed(128, "busy");
    is_int(w.said[114], 1, "busy: said at once");
    until(4480);
    is_allowed(128, "busy, within the same second");
    until(30000);
    is_allowed(1, "busy for half a minute");
    is_int(w.said[103], 1, "busy: no other outage than the first");
    is_int(w.said[114], 1, "busy: said once");
    apply((w_step)SERVER(0, B, W_UP));
    until(34500);
    ok(w.board.brief.allowed >= 8 && w.board.brief.allowed <= 16, "not busy any more: %u at once after four seconds",
       w.board.brief.allowed);
    unbroken("busy");

    begin(1000);
    w.workers = 50;
    until(3500);
    apply((w_step)SERVER(0, B, W_LEAVES));
    apply((w_step)FAULT(0, B, 1040));
    until(3600);
    is_allowed(25, "busy with fifty running, though more are allowed");

    begin(1000);
    apply((w_step)FAULT(0, A, 1040));
    until(3010);
    is_allowed(256, "another server than the writer is busy");
    unbroken("another is busy");
}

static void suspected(void)
{
    begin(1000);
    until(2100);
    apply((w_step)RTT(0, B, 600));
    until(2600);
    is_int(w.board.brief.state, RF_STATE_SUSPECT, "a late answer in the middle: suspect");
    until(3300);
    is_str(world_path(&w), FAILOVER " suspect recovering", "when it comes, requests still wait: recovering");
    is_allowed(128, "as many as before");
    apply((w_step)RTT(0, B, 1));
    until(3990);
    is_allowed(128, "and no more in that second");
    until(5990);
    ok(w.board.brief.allowed >= 256, "then it goes on: %u at once", w.board.brief.allowed);
    until(59900);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "a minute is counted from the outage's end");
    until(60100);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "and then it is over");
    is_int(w.board.nfailovers, 1, "one record");
    ok(w.board.failovers[0].drained - release >= RF_SEC(60), "the record ends when it was over");
    is_int(w.board.brief.epoch, 2, "the application sees no change");
    unbroken("suspicion in the middle");

    begin(1);
    until(500);
    apply((w_step)RTT(0, B, 600));
    until(1000);
    apply((w_step)LOOK(0));
    until(8000);
    apply((w_step)RTT(0, B, 1));
    until(20000);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "a suspicion, and nobody waits after it: available");
    is_int(w.board.brief.allowed, 0, "any number at once");
    unbroken("suspicion at the end");

    begin(1000);
    until(3500);
    apply((w_step)SERVER(0, B, W_REFUSES));
    until(6000);
    apply((w_step)SERVER(0, B, W_UP));
    until(6500);
    is_str(world_path(&w), FAILOVER " suspect outage recovering", "another outage in the middle");
    is_allowed(32, "begins anew");
    until(62000);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "and so does the minute");
    until(68000);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "which ends as well");
    is_int(w.board.nfailovers, 2, "two records");
    unbroken("another outage in the middle");
}

static void another_writer(void)
{
    begin(1000);
    until(3500);
    apply((w_step)SERVER(0, C, W_UP));
    apply((w_step)DNS(0, C));
    until(4400);
    is_str(w.board.brief.writer.text, C, "another writer in the middle");
    is_allowed(32, "nothing is known of it");
    until(60100);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "but the minute is the same");
    unbroken("another writer");
}

static void adopted(void)
{
    static const int tears[] = { 0, 1 };

    for (size_t i = 0; i < sizeof tears / sizeof tears[0]; i++) {
        const char *name = tears[i] ? "killed in mid-write" : "killed";

        begin(1000);
        until(2500);
        apply((w_step){ 0, W_KILL, "", tears[i], 300 });
        until(2790);
        is_allowed(128, name);
        until(2900);
        ok(!w.dead, "%s: there is another monitor", name);
        is_allowed(128, name);
        until(3790);
        is_allowed(128, name);
        until(4810);
        is_allowed(512, name);
        if (!tears[i]) {
            until(59900);
            is_int(w.board.brief.state, RF_STATE_RECOVERING, "%s: a minute is counted from the outage's end", name);
            until(60100);
        } else {
            until(63000);
        }
        is_int(w.board.brief.state, RF_STATE_AVAILABLE, "%s: then it is over", name);
        unbroken(name);
    }

    begin(1000);
    until(2100);
    apply((w_step)RTT(0, B, 600));
    until(2600);
    is_int(w.board.brief.state, RF_STATE_SUSPECT, "killed in a suspicion in the middle");
    apply((w_step)KILL(0, 300));
    apply((w_step)RTT(0, B, 1));
    until(3500);
    is_str(world_path(&w), FAILOVER " suspect recovering", "killed in a suspicion: the release is remembered");
    is_allowed(32, "killed in a suspicion: from the beginning");
    until(60100);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "killed in a suspicion: over after a minute");
    unbroken("killed in a suspicion");

    begin(1000);
    until(5100);
    apply((w_step)RTT(0, B, 600));
    until(6200);
    apply((w_step)RTT(0, B, 1));
    until(9000);
    is_str(world_path(&w), FAILOVER " suspect recovering", "killed after a suspicion in the middle");
    apply((w_step)KILL(0, 300));
    until(59900);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "killed after a suspicion: not over before a minute");
    until(60100);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "killed after a suspicion: over a minute after the outage's end");
    unbroken("killed after a suspicion");
}

/* An address is no evidence of what the name leads to by what was asked of it before the name did. */
static void astray(void)
{
    rf_policy policy = world_policy();
    double took;

    policy.fails = 1;
    begin_with(&policy, 1000);
    apply((w_step)SERVER(0, A, W_SILENT));
    until(5000);
    for (int ms = 5000; ms < 8000 && !w.servers[0].attempt; ms += 10)
        until(ms);
    is_str(w.servers[0].address.text, A, "a former writer is looked at while recovering");
    ok(w.servers[0].attempt, "and a question is open");
    apply((w_step)DNS(0, A));
    took = (double)(w.now - W_START) / 1000;
    world_run(&w, NULL, (int)took + 5000);
    took = world_when(&w, 1u << RF_STATE_OUTAGE, took);
    ok(took >= 1000 && took <= 2200, "DNS goes back to it: an outage when a question asked after that has failed, in %g ms", took);
    is_str(world_path(&w), FAILOVER " outage", "which was no suspicion of the writer");
    is_int(w.said[116], 1, "said");
    is_int(w.said[103], 1, "and not that the writer failed");
    is_int(w.board.failovers[0].cause, RF_CAUSE_TIMEOUT, "the record has the cause");
    is_str(w.board.failovers[0].from.text, B, "and the writer");
    apply((w_step)DNS(0, B));
    took = (double)(w.now - W_START) / 1000;
    world_run(&w, NULL, (int)took + 1000);
    ok(world_when(&w, RECOVERING, took) <= 250, "DNS comes back: requests go on");
    is_str(w.board.failovers[0].to.text, B, "the record ends with the same writer");
    ok(w.board.failovers[0].dns_changed - W_START >= RF_MS(took), "DNS changed when it came back, not when it went");
    is_int(w.board.nfailovers, 2, "two records");
    unbroken("astray");
}

/* What the name leads to fails, but not often enough in a row. */
static void now_and_then(w_step between, const char *name)
{
    rf_policy policy = world_policy();

    policy.fails = 5;
    policy.passes = 10;
    begin_with(&policy, 0);
    until(5000);
    apply((w_step)DNS(0, A));
    for (int ms = 6000; ms < 20000; ms += 1800) {
        until(ms);
        apply(between);
        until(ms + 600);
        apply((w_step)SERVER(0, A, W_REFUSES));
    }
    is_str(world_path(&w), FAILOVER " available", "DNS goes back to a side that %s now and then: no outage", name);
    until(30000);
    is_str(world_path(&w), FAILOVER " available outage", "and when it does not any more: an outage");
    unbroken(name);
}

int main(void)
{
    now_and_then((w_step)FAULT(0, A, 1045), "refuses our login");
    now_and_then((w_step)SERVER(0, A, W_UP), "takes writes");
    doubles();
    slow();
    fails();
    busy();
    suspected();
    another_writer();
    adopted();
    astray();
    return tap_done();
}
