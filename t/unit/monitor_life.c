/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor makes of its own troubles: killed in each state, stopped, without a prober; and of a server that is busy. */
#include <stdlib.h>

#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define PAIR SERVER(0, A, W_UP), SERVER(0, B, W_REFUSES), PROVEN(0, A, 1), PROVEN(0, B, 1), DNS(0, A), TTL(0, 1)
#define CRASH SERVER(10100, A, W_REFUSES), DNS(15000, B)

static world w;

static void run(const w_step *steps, int until)
{
    rf_policy policy = world_policy();

    world_begin(&w, &policy);
    world_run(&w, steps, until);
}

static void unbroken(const char *name)
{
    is_str(w.wrong, "", "%s: nothing was broken on the way", name);
}

static void killed(void)
{
    static const struct {
        const char *name;
        w_step steps[12];
        const char *path;
        const char *writer;
        unsigned epoch, failovers;
        double after, open;
    } stories[] = {
        { "killed while available", { PAIR, KILL(10000, 400) }, "unknown available", A, 1, 0, 10000, 1 },
        { "killed while suspect", { PAIR, RTT(10000, A, 900), KILL(10450, 400), RTT(10700, A, 1) },
          "unknown available suspect available", A, 1, 0, 10850, 100 },
        { "killed in an outage", { PAIR, CRASH, KILL(12000, 400), SERVER(20000, B, W_UP) },
          "unknown available suspect outage recovering available", B, 2, 1, 20000, 130 },
        { "killed in mid-write in an outage", { PAIR, CRASH, TEAR(12000, 400), SERVER(20000, B, W_UP) },
          "unknown available suspect outage recovering available", B, 2, 1, 20000, 130 },
        { "killed in mid-write while available, and DNS is gone too", { PAIR, TEAR(10000, 400), DNS(9000, "") }, "unknown available", A, 1, 0,
          10400, 130 },
        { "killed in an outage that ends meanwhile", { PAIR, CRASH, SERVER(17000, B, W_UP), KILL(16900, 1000) },
          "unknown available suspect outage recovering available", B, 2, 1, 17900, 130 },
        { "killed in an outage, for longer than readers trust the board",
          { PAIR, CRASH, KILL(16000, 4000), SERVER(25000, B, W_UP) },
          "unknown available suspect outage unknown outage recovering available", B, 2, 1, 25000, 130 },
        { "killed in an outage for so long that waiting requests went on: it is known again when the writer answers",
          { PAIR, CRASH, KILL(16000, 20000), SERVER(30000, B, W_UP) },
          "unknown available suspect outage unknown available", B, 2, 1, 36000, 130 },
        { "killed for so long, and the outage lasts: one record of one outage",
          { PAIR, CRASH, KILL(16000, 20000), SERVER(50000, B, W_UP) },
          "unknown available suspect outage unknown outage recovering available", B, 2, 1, 50000, 130 },
        { "killed for long while all is well: the application sees no change", { PAIR, KILL(10000, 20000) },
          "unknown available unknown available", A, 1, 0, 30000, 130 },
        { "the writer changes while nobody watches", { PAIR, KILL(10000, 20000), SERVER(11000, A, W_REFUSES), SERVER(12000, B, W_UP), DNS(13000, B) },
          "unknown available unknown available", B, 2, 0, 30000, 130 },
    };
    static w_step sorted[12];

    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        /* The table reads better unsorted. */
        memcpy(sorted, stories[i].steps, sizeof sorted);
        for (int k = 1; k < 12 && sorted[k].what != W_END; k++)
            for (int j = k; j > 0 && sorted[j].at < sorted[j - 1].at; j--) {
                w_step swap = sorted[j];
                sorted[j] = sorted[j - 1];
                sorted[j - 1] = swap;
            }
        run(sorted, 70000);
        is_str(world_path(&w), stories[i].path, "%s: states", stories[i].name);
        is_str(w.board.brief.writer.text, stories[i].writer, "%s: writer", stories[i].name);
        is_int(w.board.brief.epoch, stories[i].epoch, "%s: epoch", stories[i].name);
        is_int(w.board.nfailovers, stories[i].failovers, "%s: records", stories[i].name);
        ok(world_when(&w, W_OPEN, stories[i].after) >= 0 && world_when(&w, W_OPEN, stories[i].after) <= stories[i].open,
           "%s: goes on after %g ms", stories[i].name, world_when(&w, W_OPEN, stories[i].after));
        unbroken(stories[i].name);
    }
}

static void killed_while_recovering(void)
{
    static const w_step steps[] = { PAIR, SERVER(10100, A, W_REFUSES), DNS(12000, B), SERVER(15000, B, W_UP), KILL(16000, 400), { 0 } };
    rf_policy policy = world_policy();

    world_begin(&w, &policy);
    w.drain = RF_SEC(5);
    world_run(&w, steps, 40000);
    is_str(world_path(&w), "unknown available suspect outage recovering available", "killed while recovering: states");
    is_int(w.board.brief.epoch, 2, "killed while recovering: epoch");
    ok(w.board.nfailovers == 1 && w.board.failovers[0].drained - w.board.failovers[0].ended >= RF_SEC(5),
       "killed while recovering: the queue was empty when it was");
    ok(w.board.failovers[0].held > 400, "killed while recovering: %" PRIu64 " requests were held, about 100 in each second",
       w.board.failovers[0].held);
    unbroken("killed while recovering");

    world_begin(&w, &policy);
    w.drain = RF_SEC(1000);
    world_run(&w, steps, 120000);
    is_str(world_path(&w), "unknown available suspect outage recovering available", "a queue that never empties: recovering ends");
    ok(world_when(&w, 1u << RF_STATE_AVAILABLE, 15100) > 59000 && world_when(&w, 1u << RF_STATE_AVAILABLE, 15100) < 62000,
       "a queue that never empties: after 60 s");
    unbroken("a queue that never empties");
}

static void record_of_a_failover(void)
{
    static const w_step steps[] = { PAIR, SERVER(10100, A, W_SILENT), DNS(13000, B), SERVER(20000, B, W_UP), { 0 } };
    const rf_failover *f = &w.board.failovers[0];

    run(steps, 40000);
    is_int(w.board.nfailovers, 1, "one failover has one record");
    is_int(f->cause, RF_CAUSE_TIMEOUT, "its cause");
    is_str(f->from.text, A, "from");
    is_str(f->to.text, B, "to");
    ok(f->dns_changed - W_START >= RF_MS(13000) && f->dns_changed - W_START < RF_MS(14200), "DNS changed when it did");
    ok(f->verified == f->ended && f->ended - W_START < RF_MS(21200), "verified and ended");
    is_int(f->epoch, 2, "its epoch");
    unbroken("a record");
}

static void record_after_a_false_start(void)
{
    static const w_step steps[] = { PAIR, KILL(10000, 20000), SERVER(29000, A, W_REFUSES), FAULT(30100, A, 1045), SERVER(60000, A, W_REFUSES),
                                    SERVER(65000, A, W_UP), { 0 } };

    run(steps, 80000);
    is_int(w.board.nfailovers, 1, "a failure, an alarm, and an outage half a minute later: one record");
    ok(w.board.failovers[0].started >= W_START + RF_MS(59000), "it starts with the outage, not with the first failure");
    unbroken("a false start");
}

static void stopped(void)
{
    static const w_step well[] = { PAIR, STOP(10000, 10000), { 0 } };
    static const w_step asked[] = { PAIR, RTT(9990, A, 400), STOP(10300, 10000), RTT(10900, A, 1), { 0 } };
    static const w_step hung[] = { PAIR, SERVER(10100, A, W_HANGS), STOP(12800, 20000), SERVER(40000, A, W_UP), { 0 } };
    static const w_step gone[] = { PAIR, STOP(10300, 10000), PROBER(10350, W_USELESS), { 0 } };
    unsigned bad = 0;

    run(well, 40000);
    is_str(world_path(&w), "unknown available unknown available", "stopped for 10 s: stale meanwhile, no alarm after");
    ok(world_when(&w, 1u << RF_STATE_AVAILABLE, 20000) <= 10, "stopped: known again at once");
    is_int(w.replaced, 0, "stopped: the prober is not blamed");
    unbroken("stopped");
    for (int ms = 10001; ms < 10900; ms += 7) {
        w_step steps[sizeof asked / sizeof asked[0]];
        memcpy(steps, asked, sizeof steps);
        steps[7].at = ms;
        run(steps, 40000);
        bad += w.wrong[0] || w.replaced || w.board.nfailovers || w.board.brief.state != RF_STATE_AVAILABLE;
    }
    is_int(bad, 0, "stopped at any moment, with a question open or not: no outage, and the prober is not blamed");
    run(hung, 60000);
    is_str(world_path(&w), "unknown available suspect outage unknown outage recovering available", "stopped in an outage: it goes on");
    is_int(w.board.nfailovers, 1, "stopped in an outage: one record");
    unbroken("stopped in an outage");

    run(gone, 60000);
    ok(world_when(&w, 1u << RF_STATE_UNKNOWN, 20400) >= 4000 && world_when(&w, 1u << RF_STATE_UNKNOWN, 20400) <= 8000,
       "stopped, and the prober is gone afterwards: unknown after %g ms", world_when(&w, 1u << RF_STATE_UNKNOWN, 20400));
    unbroken("stopped, prober gone");
}

static void probers(void)
{
    static const w_step stuck[] = { PAIR, PROBER(10000, W_STUCK), { 0 } };
    static const w_step absent[] = { PAIR, PROBER(10000, W_ABSENT), PROBER(40000, W_WORKS), { 0 } };
    static const w_step useless[] = { PAIR, PROBER(10000, W_USELESS), PROBER(40000, W_WORKS), { 0 } };
    static const w_step never[] = { PROBER(0, W_ABSENT), SERVER(0, A, W_UP), DNS(0, A), { 0 } };
    static const w_step outage[] = { PAIR, CRASH, PROBER(16000, W_USELESS), PROBER(40000, W_WORKS), SERVER(50000, B, W_UP), { 0 } };
    static const w_step ended[] = { PAIR, CRASH, PROBER(16000, W_USELESS), SERVER(30000, B, W_UP), PROBER(40000, W_WORKS), { 0 } };
    static const w_step same[] = { PAIR, SERVER(10100, A, W_REFUSES), PROBER(16000, W_USELESS), SERVER(30000, A, W_UP),
                                   PROBER(40000, W_WORKS), { 0 } };
    const double blind = RF_BLIND_AFTER / 1000;

    run(stuck, 30000);
    is_int(w.replaced, 1, "a prober that hangs is replaced");
    is_int(w.said[111], 1, "and that is said");
    is_str(world_path(&w), "unknown available suspect available", "a prober that hangs: requests wait for the next one");
    ok(w.longest < RF_SEC(2), "a prober that hangs: for %g s", (double)w.longest / 1e6);
    unbroken("a prober that hangs");

    run(absent, 60000);
    is_str(world_path(&w), "unknown available suspect unknown available", "no prober: unknown until there is one");
    ok(world_when(&w, 1u << RF_STATE_UNKNOWN, 10000) <= blind + 10, "no prober: after %g ms", world_when(&w, 1u << RF_STATE_UNKNOWN, 10000));
    is_int(w.said[108], 1, "no prober: said once");
    is_int(w.board.brief.epoch, 1, "no prober: the application sees no change");
    unbroken("no prober");

    run(useless, 60000);
    is_str(world_path(&w), "unknown available suspect unknown available", "probers that all hang: the same");
    ok(w.said[111] <= 3, "probers that all hang: said %u times in half a minute", w.said[111]);
    unbroken("probers that all hang");

    run(never, 60000);
    is_str(world_path(&w), "unknown", "no prober from the start: nothing is held");
    unbroken("no prober from the start");

    run(outage, 70000);
    is_str(world_path(&w), "unknown available suspect outage unknown outage recovering available", "the prober fails in an outage");
    is_int(w.board.nfailovers, 1, "the prober fails in an outage: one record");
    is_int(w.board.brief.epoch, 2, "the prober fails in an outage: epoch");
    unbroken("the prober fails in an outage");

    run(ended, 70000);
    is_str(world_path(&w), "unknown available suspect outage unknown outage recovering available", "nobody saw the outage end");
    ok(w.board.nfailovers == 1 && w.board.failovers[0].ended && w.board.failovers[0].epoch == 2, "nobody saw the outage end: its record does");
    unbroken("nobody saw the outage end");

    run(same, 70000);
    is_int(w.board.brief.epoch, 2, "nobody saw the outage end, the writer is the same: the epoch grows");
    unbroken("nobody saw a restart in place end");
}

static void busy(void)
{
    rf_policy policy = world_policy();
    unsigned changes;

    srand(3);
    world_begin(&w, &policy);
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_apply(&w, &(w_step)DNS(0, A));
    world_run(&w, NULL, 20000);
    /* A minute of saturation: 100 to 900 ms for a trivial question. */
    for (int ms = 20000; ms < 80000; ms += 100) {
        world_apply(&w, &(w_step)RTT(0, A, 100 + rand() % 800));
        world_run(&w, NULL, ms);
    }
    changes = w.nlog;
    ok(world_when(&w, 1u << RF_STATE_OUTAGE, 0) < 0, "a busy server: never an outage");
    ok(w.longest <= RF_MS(650), "a busy server: no request waits longer than the probe took beyond late=, %g ms", (double)w.longest / 1000);
    ok(changes <= 2 + 2 * 3, "a busy server: it is suspect at most thrice until the threshold has followed; %u changes", changes);
    world_run(&w, NULL, 200000);
    unbroken("a busy server");

    policy.interval = RF_SEC(20);
    policy.timeout = RF_SEC(10);
    world_begin(&w, &policy);
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_apply(&w, &(w_step)DNS(0, A));
    world_apply(&w, &(w_step)TTL(0, 60));
    world_run(&w, NULL, 600000);
    is_str(world_path(&w), "unknown available", "interval=20s: a slow pace is not blindness");
    unbroken("interval=20s");
}

static void courtesy(void)
{
    static const w_step former[] = { PAIR, SERVER(9000, B, W_UP), DNS(10000, B), SERVER(20000, A, W_READ_ONLY), TTL(30000, 0), DNS(30000, A),
                                     DNS(30600, B), { 0 } };
    static const w_step refused[] = { SERVER(0, A, W_UP), SERVER(0, B, W_UP), DNS(0, A " " B), TTL(0, 1), FAULT(10000, B, 1045),
                                      PROBER(10001, W_WORKS), { 0 } };
    static const w_step leave_b[] = { PAIR, SERVER(9000, B, W_UP), DNS(10000, B), SERVER(40000, B, W_REFUSES), { 0 } };
    rf_policy policy = world_policy();
    unsigned before;

    policy.app_name = 0;
    world_begin(&w, &policy);
    world_run(&w, former, 60000);
    is_str(w.board.brief.writer.text, B, "a former writer that DNS names for a moment is looked at anew before it counts");
    is_int(w.board.brief.epoch, 2, "and the writer stays");
    unbroken("a former writer");

    run(refused, 60000);
    is_int(w.said[107], 1, "an alarm about one of two addresses is said once");
    unbroken("an alarm");

    policy = world_policy();
    policy.former = 0;
    world_begin(&w, &policy);
    world_run(&w, leave_b, 30000);
    before = world_asked(&w, A);
    world_run(&w, leave_b + 9, 80000);
    is_int(world_asked(&w, A), before, "candidates=dns: a former writer is never contacted");
    unbroken("candidates=dns");
}

static void looks(void)
{
    static const w_step blocked[] = { PAIR, SERVER(10000, A, W_LEAVES), FAULT(10001, A, 1129), { 0 } };
    rf_policy policy = world_policy();
    unsigned before;

    run(blocked, 20000);
    before = w.probes;
    for (int ms = 20000; ms < 21000; ms++) {
        world_apply(&w, &(w_step)LOOK(0));
        world_run(&w, NULL, ms);
    }
    ok(w.probes - before <= 3, "where this host is blocked, suspicions make no probes: %u", w.probes - before);
    unbroken("blocked");

    policy.interval = RF_SEC(10);
    world_begin(&w, &policy);
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_apply(&w, &(w_step)DNS(0, A));
    world_run(&w, NULL, 21000);
    world_apply(&w, &(w_step)SERVER(0, A, W_HANGS));
    for (int ms = 22000; ms < 23000; ms++) {
        world_apply(&w, &(w_step)LOOK(0));
        world_run(&w, NULL, ms);
    }
    ok(world_when(&w, W_HOLDING, 22000) <= 260, "a request's suspicion makes the monitor look at once: holds after %g ms",
       world_when(&w, W_HOLDING, 22000));
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_run(&w, NULL, 60000);
    before = w.probes;
    for (int ms = 60000; ms < 61000; ms++) {
        world_apply(&w, &(w_step)LOOK(0));
        world_run(&w, NULL, ms);
    }
    ok(w.probes - before <= 51, "a thousand suspicions in a second make %u probes", w.probes - before);
    unbroken("suspicions");
}

/* The resolver goes back to a dead server, and before the monitor asks it again a request that connects by the name fails. */
static void astray(void)
{
    rf_policy policy = world_policy();
    rf_time failed;

    policy.app_name = 1;
    policy.interval = RF_SEC(10);
    world_begin(&w, &policy);
    world_apply(&w, &(w_step)SERVER(0, A, W_UP));
    world_apply(&w, &(w_step)SERVER(0, B, W_REFUSES));
    world_apply(&w, &(w_step)TTL(0, 0));
    world_apply(&w, &(w_step)DNS(0, A));
    world_run(&w, NULL, 21000);
    failed = w.now;
    world_apply(&w, &(w_step)LOOK(0));
    world_run(&w, NULL, 21100);
    ok(w.board.brief.proved >= failed, "the name leads to the writer, which answers: the database is innocent");

    world_apply(&w, &(w_step)DNS(0, B));
    world_run(&w, NULL, 22000);
    failed = w.now;
    is_int(w.board.brief.state, RF_STATE_AVAILABLE, "the name leads elsewhere, which nobody knows yet");
    world_apply(&w, &(w_step)LOOK(0));
    for (int ms = 22000; ms < 22200 && w.board.brief.state == RF_STATE_AVAILABLE; ms++) {
        world_run(&w, NULL, ms);
        if (w.board.brief.proved >= failed)
            break;
    }
    ok(w.board.brief.proved < failed, "a request that fails then is not told that the writer is well");
    is_int(w.board.brief.state, RF_STATE_OUTAGE, "but that there is an outage, %g ms later", (double)(w.now - failed) / 1000);
    unbroken("astray");
}

int main(void)
{
    killed();
    killed_while_recovering();
    record_of_a_failover();
    record_after_a_false_start();
    stopped();
    probers();
    busy();
    courtesy();
    looks();
    astray();
    return tap_done();
}
