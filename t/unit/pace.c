/* SPDX-License-Identifier: Apache-2.0 */
/* How many released requests may run at once, second by second. */
#include <stdlib.h>

#include "rf_board.h"
#include "rf_pace.h"
#include "tap.h"

#define START RF_SEC(100)
#define BASE 500 /* microseconds */

/* One letter a second. g: ten quick answers  G: ten times as many  s: ten slow ones  h: half of them slow  m: more than half
 * q: twice as slow, but still within what counts as noise  n: no answer  f: quick answers, and a request fails
 * b: busy, then quick answers  B: busy ten times, 100 ms apart  d: a suspicion, then quick answers */
static const struct {
    const char *name;
    const char *seen;
    uint32_t from, to;
    rf_pace_verdict last;
} stories[] = {
    { "nothing against it: twice as many", "g", 32, 64, RF_PACE_GREW },
    { "each second", "gggg", 32, 512, RF_PACE_GREW },
    { "more answers do not make it faster", "GG", 32, 128, RF_PACE_GREW },
    { "up to a limit", "gggggggggggggggggggggggggggggggggggggggg", 1, RF_PACE_MAX, RF_PACE_GREW },
    { "which is met from below", "gg", RF_PACE_MAX / 2 + 1, RF_PACE_MAX, RF_PACE_GREW },
    { "one that was configured beyond it stays", "gg", RF_PACE_MAX + 5, RF_PACE_MAX + 5, RF_PACE_GREW },
    { "0 counts as 1", "g", 0, 2, RF_PACE_GREW },
    { "slow answers", "ggs", 32, 128, RF_PACE_SLOW },
    { "for long", "gsssss", 32, 64, RF_PACE_SLOW },
    { "quick again", "gssg", 32, 128, RF_PACE_GREW },
    { "half of them slow are noise", "gh", 32, 128, RF_PACE_GREW },
    { "more than half are not", "gm", 32, 64, RF_PACE_SLOW },
    { "some milliseconds are noise", "gqqq", 32, 512, RF_PACE_GREW },
    { "no answer at all", "gn", 32, 64, RF_PACE_SILENT },
    { "a late one", "gd", 32, 64, RF_PACE_SILENT },
    { "and then in time", "gdg", 32, 128, RF_PACE_GREW },
    { "a request fails", "gf", 32, 64, RF_PACE_FAILING },
    { "failures of an earlier second are forgotten", "gfg", 32, 128, RF_PACE_GREW },
    { "busy: half as many", "ggb", 32, 64, RF_PACE_BUSY },
    { "busy ten times in a second: half as many", "ggB", 32, 64, RF_PACE_BUSY },
    { "busy for long: never none", "bbbbbbbbbbbb", 32, 1, RF_PACE_BUSY },
    { "from where it grows again", "bbbbbbbbbbbbggg", 32, 8, RF_PACE_GREW },
    { "an odd number", "b", 5, 2, RF_PACE_BUSY },
};

static void answers(rf_pace *pace, int n, int slow)
{
    for (int i = 0; i < n; i++)
        rf_pace_answered(pace, i < slow ? 20 * BASE : BASE);
}

static void second(rf_pace *pace, char what, uint64_t *troubled, rf_time now)
{
    switch (what) {
    case 'g': answers(pace, 10, 0); break;
    case 'G': answers(pace, 100, 0); break;
    case 's': answers(pace, 10, 10); break;
    case 'h': answers(pace, 10, 5); break;
    case 'm': answers(pace, 10, 6); break;
    case 'q': for (int i = 0; i < 10; i++) rf_pace_answered(pace, 2 * BASE + RF_PACE_NOISE); break;
    case 'n': break;
    case 'f': answers(pace, 10, 0); ++*troubled; break;
    case 'b': rf_pace_busy(pace, now); answers(pace, 10, 0); break;
    case 'B': for (int i = 0; i < 10; i++) rf_pace_busy(pace, now + RF_MS(100 * i)); answers(pace, 10, 0); break;
    case 'd': rf_pace_doubted(pace); answers(pace, 10, 0); break;
    default: abort();
    }
}

static const rf_pace_counts none;

static void tell(void)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        rf_pace pace;
        rf_pace_verdict verdict = RF_PACE_NOT_YET;
        uint64_t troubled = 7;
        rf_time now = START;

        rf_pace_begin(&pace, stories[i].from, BASE, &(rf_pace_counts){ .troubled = troubled }, now);
        for (const char *p = stories[i].seen; *p; p++) {
            second(&pace, *p, &troubled, now);
            now += RF_SEC(1);
            verdict = rf_pace_tick(&pace, &(rf_pace_counts){ .troubled = troubled }, now);
        }
        is_int(pace.allowed, stories[i].to, "%s: from %u", stories[i].name, stories[i].from);
        is_int(verdict, stories[i].last, "%s: verdict", stories[i].name);
        ok(pace.most >= pace.allowed && pace.most >= stories[i].from, "%s: the most there were", stories[i].name);
    }
}

static void time_passes(void)
{
    rf_pace pace;
    int i;

    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1) - 1), RF_PACE_NOT_YET, "a step takes a second");
    is_int(pace.allowed, 32, "nothing changes before");
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1)), RF_PACE_GREW, "then it is judged");
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(30)), RF_PACE_GREW, "half a minute later, once");
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(30)), RF_PACE_NOT_YET, "not once for every second missed");
    is_int(pace.allowed, 128, "two steps in all");

    rf_pace_begin(&pace, 32, BASE, &none, START);
    ok(rf_pace_busy(&pace, START + RF_MS(900)), "busy counts at once");
    ok(!rf_pace_busy(&pace, START + RF_MS(1800)), "but once a second, whatever steps lie between");
    rf_pace_tick(&pace, &none, START + RF_MS(1850));
    ok(!rf_pace_busy(&pace, START + RF_MS(1890)), "and");
    ok(rf_pace_busy(&pace, START + RF_MS(1900)), "then again");
    is_int(pace.allowed, 8, "which is a quarter");
    for (i = 0; i < 20; i++)
        rf_pace_busy(&pace, START + RF_SEC(3 + i));
    is_int(pace.allowed, 1, "never less than 1");
    ok(!rf_pace_busy(&pace, START + RF_SEC(60)), "which is no change");
}

static void running(void)
{
    rf_pace pace;

    rf_pace_begin(&pace, 4096, BASE, &none, START);
    rf_pace_tick(&pace, &(rf_pace_counts){ .running = 60 }, START + RF_MS(100));
    rf_pace_tick(&pace, &(rf_pace_counts){ .running = 20 }, START + RF_MS(200));
    ok(rf_pace_busy(&pace, START + RF_MS(300)), "busy while far fewer run than are allowed");
    is_int(pace.allowed, 30, "half of those that run");
    answers(&pace, 10, 0);
    rf_pace_tick(&pace, &(rf_pace_counts){ .running = 50 }, START + RF_SEC(1));
    rf_pace_busy(&pace, START + RF_MS(1300));
    is_int(pace.allowed, 15, "then half of those that are allowed, though more run still");
    rf_pace_tick(&pace, &(rf_pace_counts){ .running = 1 }, START + RF_SEC(2));
    rf_pace_busy(&pace, START + RF_MS(2300));
    is_int(pace.allowed, 1, "one runs, and it is too many");

    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, &(rf_pace_counts){ .running = 3 }, START + RF_SEC(1)), RF_PACE_GREW, "few that run do not keep it from growing");
}

static void base(void)
{
    rf_pace pace;

    rf_pace_begin(&pace, 32, 0, &none, START);
    answers(&pace, 10, 9);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1)), RF_PACE_SLOW, "without a base, the quickest answer is");
    is_int(pace.base, BASE, "the base");
    is_int(pace.typical, 20 * BASE, "and what it was compared with");

    rf_pace_begin(&pace, 32, 100 * BASE, &none, START);
    for (int i = 0; i < 10; i++)
        rf_pace_answered(&pace, 150 * BASE);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1)), RF_PACE_GREW, "far away, half as much again is noise");

    /* The ring: a hundred slow ones, then thirty-two quick ones. */
    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 100, 100);
    answers(&pace, RF_PACE_ANSWERS, 0);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1)), RF_PACE_GREW, "of many answers the last count");
}

/* What ends in each second, as many as may always running; and what becomes of that. */
static const struct {
    const char *name;
    uint64_t ended[6];
    uint32_t allowed[6];
} yields[] = {
    { "twice as many bring twice as much", { 100, 200, 400, 800, 1600, 3200 }, { 64, 128, 256, 512, 1024, 2048 } },
    { "half as much again is still something", { 100, 150, 225, 338, 507, 760 }, { 64, 128, 256, 512, 1024, 2048 } },
    { "a database that is full", { 100, 200, 210, 210, 210, 210 }, { 64, 128, 64, 64, 64, 64 } },
    { "full from the beginning", { 100, 100, 100, 100, 100, 100 }, { 64, 128, 64, 64, 64, 64 } },
    { "requests that take a second: nothing ends in the first", { 0, 32, 32, 64, 128, 256 }, { 32, 64, 128, 256, 512, 1024 } },
    { "too few to tell", { 3, 3, 3, 3, 3, 3 }, { 64, 128, 256, 512, 1024, 2048 } },
    { "one that hangs", { 0, 0, 0, 0, 0, 0 }, { 32, 32, 32, 32, 32, 32 } },
};

static void yield(void)
{
    for (size_t i = 0; i < sizeof yields / sizeof yields[0]; i++) {
        rf_pace_counts counts = { 0 };
        rf_pace pace;

        rf_pace_begin(&pace, 32, BASE, &counts, START);
        for (int k = 0; k < 6; k++) {
            answers(&pace, 10, 0);
            counts.running = pace.allowed;
            counts.finished += yields[i].ended[k];
            rf_pace_tick(&pace, &counts, START + RF_SEC(k + 1));
            is_int(pace.allowed, yields[i].allowed[k], "%s: after %d s", yields[i].name, k + 1);
        }
    }
}

static void trouble(void)
{
    rf_pace_counts counts = { .running = 10, .finished = 1000, .troubled = 50 };
    rf_pace pace;

    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(1)), RF_PACE_GREW, "one failure in twenty is everyday life");
    counts.finished += 1000;
    counts.troubled += 51;
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(2)), RF_PACE_FAILING, "more is not");
}

/* Who waits must hear of it. */
static void woken(void)
{
    rf_board *board = calloc(1, rf_board_size());
    rf_slot *slot = rf_board_slot(rf_board_init(board), 5);
    rf_snapshot s;

    memset(&s, 0, sizeof s);
    s.brief.state = RF_STATE_RECOVERING;
    s.brief.allowed = 32;
    rf_slot_publish(slot, &s);
    ok(!rf_slot_publish(slot, &s), "published again, nothing changed: nobody is woken");
    s.brief.allowed = 64;
    ok(rf_slot_publish(slot, &s), "more may run: those who wait look again");
    s.brief.observed_at = 5;
    ok(!rf_slot_publish(slot, &s), "another time is no reason");
    free(board);
}

int main(void)
{
    tell();
    time_passes();
    running();
    yield();
    trouble();
    base();
    woken();
    return tap_done();
}
