/* SPDX-License-Identifier: Apache-2.0 */
/* What operators order, and what becomes of an order when something else happens: every hold ends, and what it held leaves at a
 * pace. world/checks.c watches that throughout. */
#include "rf_hold.h"
#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define CALM "unknown available"

static world w;

static void begin(void)
{
    static const w_step steps[] = { SERVER(0, A, W_UP), SERVER(0, B, W_REFUSES), DNS(0, A), TTL(0, 0), { 0 } };
    rf_policy policy = world_policy();

    world_begin(&w, &policy);
    w.drain = RF_MS(300);
    world_run(&w, steps, 5000);
}

static void unbroken(const char *name)
{
    is_str(w.wrong, "", "%s: nothing was broken on the way", name);
}

static rf_gate gate(void)
{
    return rf_hold_gate(&w.board.brief, w.now);
}

static void arming(void)
{
    static const w_step arm[] = { ORDER(5000, RF_ORDER_ARM, 10), { 0 } };
    static const w_step disarm[] = { ORDER(16000, RF_ORDER_ARM, 10), ORDER(18000, RF_ORDER_DISARM, 0), { 0 } };
    unsigned before;

    begin();
    before = w.probes;
    world_run(&w, NULL, 10000);
    ok(w.probes - before <= 11, "at first %u probes in 5 s", w.probes - before);
    begin();
    before = w.probes;
    world_run(&w, arm, 10000);
    ok(w.board.brief.armed, "armed");
    is_int(w.board.probe.interval, w.policy.fast, "the pace is the fast one");
    ok(w.probes - before >= 45, "armed %u", w.probes - before);
    is_int(gate(), RF_GATE_OPEN, "armed: requests pass");
    world_run(&w, NULL, 15100);
    ok(!w.board.brief.armed, "it ends by itself");
    is_int(w.said[123] * 10 + w.said[125], 11, "both are said");
    before = w.probes;
    world_run(&w, disarm, 17900);
    ok(w.board.brief.armed, "armed again");
    world_run(&w, disarm + 1, 18000);
    ok(!w.board.brief.armed && w.said[124] == 1, "until disarmed");
    is_str(world_path(&w), CALM, "which is no state");
    unbroken("arming");
}

static void holding(void)
{
    static const w_step hold[] = { RUNS(5000, 3), ORDER(5000, RF_ORDER_HOLD, 30), RUNS(7000, 1), RUNS(8000, 0), { 0 } };
    static const w_step release[] = { ORDER(15000, RF_ORDER_RELEASE, 0), { 0 } };

    begin();
    world_run(&w, hold, 5000);
    is_int(gate(), RF_GATE_SHUT, "on hold at once");
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "while the database is available");
    is_int(w.said[119], 1, "which is said");
    world_run(&w, hold + 2, 7900);
    is_int(w.said[122], 0, "while a request runs it is not said that none does");
    world_run(&w, hold + 3, 8200);
    is_int(w.said[122], 1, "then it is");
    world_run(&w, NULL, 14900);
    is_int(w.said[122], 1, "once");
    is_int(gate(), RF_GATE_SHUT, "still on hold");
    world_run(&w, release, 15000);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "released: recovering");
    is_int(w.board.brief.allowed, 32, "at a pace");
    is_int(w.said[120] * 10 + w.said[121], 10, "which is said");
    world_run(&w, NULL, 16000);
    is_str(world_path(&w), CALM " recovering available", "until all have left");
    is_int(w.board.nfailovers, 0, "that was no failover");
    is_int(w.board.brief.epoch, 1, "nor another writer");
    world_run(&w, release + 1, 17000);
    unbroken("a hold");
}

static void time_is_over(void)
{
    static const w_step hold[] = { ORDER(5000, RF_ORDER_HOLD, 10), { 0 } };
    static const w_step longer[] = { ORDER(5000, RF_ORDER_HOLD, 10), ORDER(9000, RF_ORDER_HOLD, 60), { 0 } };
    static const w_step twice[] = { ORDER(5000, RF_ORDER_RELEASE, 0), ORDER(5100, RF_ORDER_HOLD, 10), ORDER(6000, RF_ORDER_RELEASE, 0),
                                    ORDER(6000, RF_ORDER_RELEASE, 0), { 0 } };

    begin();
    world_run(&w, hold, 14999);
    is_int(gate(), RF_GATE_SHUT, "a hold lasts as long as was ordered");
    world_run(&w, NULL, 15001);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "and no longer");
    is_int(w.said[121], 1, "which is said");
    world_run(&w, NULL, 20000);
    unbroken("a hold that nobody releases");

    begin();
    world_run(&w, longer, 60000);
    is_int(gate(), RF_GATE_SHUT, "a second order is the one that counts");
    world_run(&w, NULL, 70000);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "until its end");
    unbroken("a longer one");

    begin();
    world_run(&w, twice, 8000);
    is_int(w.said[120], 1, "only what is held is released");
    is_str(world_path(&w), CALM " recovering available", "a release of nothing is nothing");
    unbroken("releases of nothing");
}

/* The planned switch itself, longer and shorter than the hold. */
static void outage_meanwhile(void)
{
    static const w_step within[] = { ORDER(5000, RF_ORDER_HOLD, 120), SERVER(10000, A, W_REFUSES), SERVER(30000, B, W_UP),
                                     DNS(30000, B), { 0 } };
    static const w_step release[] = { ORDER(100000, RF_ORDER_RELEASE, 0), { 0 } };
    static const w_step beyond[] = { ORDER(5000, RF_ORDER_HOLD, 10), SERVER(8000, A, W_REFUSES), SERVER(30000, B, W_UP),
                                     DNS(30000, B), { 0 } };

    begin();
    world_run(&w, within, 99900);
    is_str(world_path(&w), CALM " suspect outage recovering", "a failover within the hold");
    is_int(gate(), RF_GATE_SHUT, "after a minute and more nobody was let go");
    ok(w.longest > RF_SEC(94), "not for a moment");
    world_run(&w, release, 100000);
    is_int(gate(), RF_GATE_OPEN, "released, they go");
    is_int(w.board.brief.allowed, 32, "at a pace");
    world_run(&w, NULL, 110000);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "as ever");
    is_int(w.board.nfailovers, 1, "one failover");
    ok(w.board.failovers[0].ended < W_START + RF_SEC(40), "which was over long before");
    is_int(w.board.failovers[0].released - W_START, RF_SEC(100), "whose requests were let go by the release");
    ok(w.board.failovers[0].drained >= W_START + RF_SEC(100), "and whose queue was empty then");
    unbroken("a failover within the hold");

    begin();
    world_run(&w, beyond, 20000);
    is_int(gate(), RF_GATE_SHUT, "a hold ends in an outage: they wait for a writer");
    is_int(w.board.brief.state, RF_STATE_OUTAGE, "there is none");
    world_run(&w, beyond + 2, 40000);
    is_str(world_path(&w), CALM " suspect outage recovering available", "then all is as ever");
    unbroken("a failover beyond the hold");
}

static void suspicion_meanwhile(void)
{
    static const w_step steps[] = { ORDER(5000, RF_ORDER_HOLD, 60), RTT(6000, A, 900), ORDER(6700, RF_ORDER_RELEASE, 0), RTT(6800, A, 1), { 0 } };

    begin();
    world_run(&w, steps, 6700);
    is_int(w.board.brief.state, RF_STATE_SUSPECT, "released in a suspicion");
    is_int(gate(), RF_GATE_SHUT, "that is waited for");
    world_run(&w, steps + 3, 10000);
    is_str(world_path(&w), CALM " suspect recovering available", "then they leave at a pace");
    unbroken("a suspicion at the release");
}

static void monitor_dies(void)
{
    static const w_step killed[] = { ORDER(5000, RF_ORDER_HOLD, 60), ORDER(5000, RF_ORDER_ARM, 600), KILL(10000, 500), { 0 } };
    static const w_step torn[] = { ORDER(5000, RF_ORDER_HOLD, 60), TEAR(10000, 500), { 0 } };
    static const w_step away[] = { ORDER(5000, RF_ORDER_HOLD, 6), KILL(10000, 3000), { 0 } };
    static const w_step gone[] = { ORDER(5000, RF_ORDER_HOLD, 60), KILL(10000, 50000), { 0 } };
    static const w_step later[] = { ORDER(5000, RF_ORDER_HOLD, 10), KILL(15200, 100), { 0 } };

    begin();
    world_run(&w, killed, 50000);
    is_int(gate(), RF_GATE_SHUT, "the next monitor keeps the order");
    ok(w.board.brief.armed && !strcmp(w.board.orders.hold_by, "alice"), "and who gave it, and the other one");
    world_run(&w, NULL, 66000);
    is_int(gate(), RF_GATE_OPEN, "until it ends");
    unbroken("a monitor that is killed");

    begin();
    world_run(&w, torn, 50000);
    is_int(gate(), RF_GATE_SHUT, "killed in mid-write: the order is kept");
    world_run(&w, NULL, 66000);
    is_int(gate(), RF_GATE_OPEN, "until it ends");
    unbroken("a monitor that is killed in mid-write");

    begin();
    w.drain = RF_SEC(5);
    world_run(&w, away, 11001);
    is_int(gate(), RF_GATE_OPEN, "without a monitor it ends all the same");
    is_int(w.board.brief.allowed, 32, "and those who go are paced");
    world_run(&w, NULL, 20000);
    is_str(world_path(&w), CALM " unknown recovering available", "the next monitor lets the rest go");
    unbroken("a hold that ends without a monitor");

    begin();
    world_run(&w, gone, 18000);
    is_int(gate(), RF_GATE_GIVEN_UP, "without a monitor for long nobody waits, order or not");
    unbroken("no monitor");

    begin();
    w.drain = RF_SEC(600);
    world_run(&w, later, 74900);
    is_int(w.board.brief.state, RF_STATE_RECOVERING, "killed in the release after a hold: it goes on");
    world_run(&w, NULL, 75300);
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "for a minute in all");
    unbroken("killed in the release");
}

static void nothing_known(void)
{
    static const w_step steps[] = { SERVER(0, A, W_REFUSES), DNS(0, A), ORDER(5000, RF_ORDER_HOLD, 10), { 0 } };
    rf_policy policy = world_policy();

    world_begin(&w, &policy);
    world_run(&w, steps, 10000);
    is_int(gate(), RF_GATE_SHUT, "an order counts whatever is known");
    world_run(&w, NULL, 15001);
    is_int(gate(), RF_GATE_GIVEN_UP, "and then requests pass as before");
    unbroken("nothing known");
}

int main(void)
{
    arming();
    holding();
    time_is_over();
    outage_meanwhile();
    suspicion_meanwhile();
    monitor_dies();
    nothing_known();
    return tap_done();
}
