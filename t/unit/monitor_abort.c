/* SPDX-License-Identifier: Apache-2.0 */
/* Failovers in virtual time, and what becomes of the sockets that applications have open to the old writer. */
#include "tap.h"
#include "world/prober.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define PAIR SERVER(0, A, W_UP), SERVER(0, B, W_REFUSES), PROVEN(0, A, 1), PROVEN(0, B, 1), DNS(0, A), TTL(0, 1)
#define MOVE(at) SERVER(at, B, W_UP), DNS(at, B)

static world w;

static void run(int mode, const w_step *steps, int until)
{
    rf_policy policy = world_policy();

    policy.abort = mode;
    world_begin(&w, &policy);
    world_run(&w, steps, until);
    is_str(w.wrong, "", "nothing was broken on the way");
}

static double ms_at(const char *address)
{
    rf_time at = prober_server(&w, address)->aborted_at;

    return at ? (double)(at - W_START) / 1000 : -1;
}

static void silent_writer(void)
{
    static const w_step steps[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_SILENT), SOCKETS(13000, A, 3), MOVE(20000),
                                    SOCKETS(25000, A, 2), SOCKETS(25000, B, 50), { .what = W_END } };
    double declared;

    run(RF_ABORT_DESTROY, steps, 12900);
    declared = world_when(&w, 1u << RF_STATE_OUTAGE, 0);
    ok(declared > 0 && ms_at(A) >= declared && ms_at(A) <= declared + 1, "destroyed in the moment the outage is declared (%g, %g)", ms_at(A), declared);
    is_int(w.board.sockets.aborted, 20, "all of them");
    is_int(w.board.failovers[0].sockets_aborted, 20, "and on the record");
    is_int(w.board.failovers[0].sockets_freed - W_START, prober_server(&w, A)->aborted_at - W_START, "with the time");
    is_int(w.said[118], 1, "said");

    run(RF_ABORT_DESTROY, steps, 19000);
    ok(ms_at(A) >= 13000 && ms_at(A) <= 13000 + 500, "what comes later goes within an interval (%g)", ms_at(A));
    is_int(w.said[118], 1, "without a word");

    run(RF_ABORT_DESTROY, steps, 40000);
    is_str(w.board.brief.writer.text, B, "the writer moves");
    ok(ms_at(A) >= 25000 && ms_at(A) <= 25000 + 500, "stragglers at the old one go too (%g)", ms_at(A));
    is_int(w.board.failovers[0].sockets_aborted, 25, "and count for the failover that made them so");
    ok(w.board.failovers[0].sockets_freed < w.board.failovers[0].verified, "whose time is that of the first");
    is_int(prober_server(&w, B)->sockets, 50, "the new writer's are all there");
    ok(world_asked(&w, B) > 0 && ms_at(B) < 0, "and none was ever touched");
}

static void false_alarms(void)
{
    static const w_step slow[] = { PAIR, SOCKETS(9000, A, 20), RTT(10000, A, 900), RTT(12000, A, 1), { .what = W_END } };
    static const w_step busy[] = { PAIR, SOCKETS(9000, A, 20), FAULT(10000, A, 1040), { .what = W_END } };
    static const w_step refused[] = { PAIR, SOCKETS(9000, A, 20), FAULT(10000, A, 1045), { .what = W_END } };
    static const w_step read_only[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_READ_ONLY), { .what = W_END } };
    static const struct {
        const char *name;
        const w_step *steps;
    } stories[] = { { "suspect, but only slow", slow }, { "too many connections", busy }, { "our login is refused", refused },
                    { "read-only, and no other writer", read_only } };

    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        run(RF_ABORT_DESTROY, stories[i].steps, 30000);
        is_int(prober_server(&w, A)->sockets, 20, "%s: no socket is touched", stories[i].name);
        is_int(w.aborts, 0, "%s: nor looked at", stories[i].name);
    }
}

static void hung_and_back(void)
{
    static const w_step steps[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_HANGS), SERVER(20000, A, W_UP), SOCKETS(20300, A, 7),
                                    { .what = W_END } };

    run(RF_ABORT_DESTROY, steps, 40000);
    is_str(w.board.brief.writer.text, A, "a hung server goes on and stays the writer");
    is_int(w.board.sockets.aborted, 20, "what hung was destroyed");
    is_int(prober_server(&w, A)->sockets, 7, "what came after it went on is left alone");
}

static void demoted(void)
{
    static const w_step steps[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_READ_ONLY), MOVE(15000), SOCKETS(30000, A, 3),
                                    SOCKETS(120000, A, 5), { .what = W_END } };

    run(RF_ABORT_DESTROY, steps, 14900);
    is_int(prober_server(&w, A)->sockets, 20, "read-only: left alone while there is no other");
    run(RF_ABORT_DESTROY, steps, 29000);
    is_int(prober_server(&w, A)->sockets, 0, "destroyed once another is verified");
    is_int(w.board.failovers[0].sockets_aborted, 20, "on the record");
    run(RF_ABORT_DESTROY, steps, 150000);
    is_int(prober_server(&w, A)->sockets, 5, "who connects to it two minutes later wants to read");
}

static void back_again(void)
{
    static const w_step steps[] = { PAIR, SERVER(10100, A, W_SILENT), MOVE(15000), SERVER(30000, B, W_SILENT), SERVER(34000, A, W_UP),
                                    DNS(34000, A), SOCKETS(36000, A, 9), SOCKETS(36000, B, 4), { .what = W_END } };

    run(RF_ABORT_DESTROY, steps, 60000);
    is_str(w.board.brief.writer.text, A, "there and back within half a minute");
    is_int(prober_server(&w, A)->sockets, 9, "the first writer's sockets are left alone when it is the writer again");
    is_int(prober_server(&w, B)->sockets, 0, "the other's are not");
    is_int(w.board.nfailovers, 2, "two failovers");
}

static void many(void)
{
    static const w_step steps[] = { PAIR, SOCKETS(9000, A, 2500), SERVER(10100, A, W_REFUSES), { .what = W_END } };

    run(RF_ABORT_DESTROY, steps, 10200);
    is_int(prober_server(&w, A)->sockets, 1500, "so many at once");
    run(RF_ABORT_DESTROY, steps, 10500);
    is_int(prober_server(&w, A)->sockets, 0, "the rest soon after, and not an interval later");
    is_int(w.board.sockets.aborted, 2500, "counted");
    is_int(w.board.sockets.left, 0, "none is left");
}

static void counted_only(void)
{
    static const w_step steps[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_REFUSES), MOVE(15000), { .what = W_END } };
    static const w_step refused[] = { PAIR, SOCKETS(9000, A, 20), FORBID(9000), SERVER(10100, A, W_REFUSES), { .what = W_END } };
    static const w_step killed[] = { PAIR, SOCKETS(9000, A, 20), SERVER(10100, A, W_SILENT), KILL(14000, 400), SOCKETS(14100, A, 6),
                                     { .what = W_END } };
    unsigned passes;

    run(RF_ABORT_COUNT, steps, 12000);
    is_int(w.board.sockets.left, 20, "counted, because it is configured so");
    is_int(w.board.sockets.aborted, 0, "not destroyed");
    is_int(w.said[118], 1, "said once");
    is_int(w.board.sockets.mode, RF_ABORT_COUNT, "and shown");

    run(RF_ABORT_DESTROY, refused, 12000);
    is_int(w.board.sockets.left, 20, "counted, because the system refuses");
    is_int(w.board.sockets.mode, RF_ABORT_COUNT, "which is shown");
    passes = w.aborts;
    world_run(&w, NULL, 14000);
    ok(w.aborts - passes >= 3 && w.aborts - passes <= 5, "the count is renewed each interval, not more often (%u)", w.aborts - passes);

    run(RF_ABORT_OFF, steps, 40000);
    is_int(w.aborts, 0, "off: nothing is even looked at");
    is_int(w.board.sockets.mode, RF_ABORT_OFF, "and shown so");

    run(RF_ABORT_DESTROY, killed, 20000);
    is_int(w.board.sockets.aborted, 26, "the next monitor goes on, and goes on counting");
}

int main(void)
{
    silent_writer();
    false_alarms();
    hung_and_back();
    demoted();
    back_again();
    many();
    counted_only();
    return tap_done();
}
