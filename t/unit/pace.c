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
 * b: busy, then quick answers  B: busy ten times, 100 ms apart  d: a suspicion, then quick answers
 * As many run as may, and take 10 ms. */
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
    case 'f': answers(pace, 10, 0); *troubled += 100 * pace->allowed / RF_PACE_TROUBLE + 1; break;
    case 'b': rf_pace_busy(pace, now); answers(pace, 10, 0); break;
    case 'B': for (int i = 0; i < 10; i++) rf_pace_busy(pace, now + RF_MS(100 * i)); answers(pace, 10, 0); break;
    case 'd': rf_pace_doubted(pace); answers(pace, 10, 0); break;
    default: abort();
    }
}

static void tell(void)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        rf_pace pace;
        rf_pace_verdict verdict = RF_PACE_NOT_YET;
        rf_pace_counts counts = { .troubled = 7 };
        rf_time now = START;

        rf_pace_begin(&pace, stories[i].from, BASE, &counts, now);
        for (const char *p = stories[i].seen; *p; p++) {
            counts.running = pace.allowed;
            rf_pace_tick(&pace, &counts, now);
            second(&pace, *p, &counts.troubled, now);
            counts.finished += 100 * counts.running;
            now += RF_SEC(1);
            verdict = rf_pace_tick(&pace, &counts, now);
        }
        is_int(pace.allowed, stories[i].to, "%s: from %u", stories[i].name, stories[i].from);
        is_int(verdict, stories[i].last, "%s: verdict", stories[i].name);
        ok(pace.most >= pace.allowed && pace.most >= stories[i].from, "%s: the most there were", stories[i].name);
    }
}

static const rf_pace_counts none;

/* Since the beginning, as many running as may, which take 10 ms. */
static const rf_pace_counts *brisk(const rf_pace *pace, rf_pace_counts *counts)
{
    counts->running = pace->allowed;
    counts->finished += 100 * counts->running;
    return counts;
}

static void time_passes(void)
{
    rf_pace_counts counts = none;
    rf_pace pace;
    int i;

    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 10, 0);
    is_int(rf_pace_tick(&pace, brisk(&pace, &counts), START + RF_SEC(1) - 1), RF_PACE_NOT_YET, "a step takes a second");
    is_int(pace.allowed, 32, "nothing changes before");
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(1)), RF_PACE_GREW, "then it is judged");
    answers(&pace, 10, 0);
    counts.finished += 29 * 6400;
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(30)), RF_PACE_GREW, "half a minute later, once");
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(30)), RF_PACE_NOT_YET, "not once for every second missed");
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
}

static void base(void)
{
    const rf_pace_counts counts = { .running = 32, .finished = 3200 };
    rf_pace pace;

    rf_pace_begin(&pace, 32, 0, &none, START);
    answers(&pace, 10, 9);
    is_int(rf_pace_tick(&pace, &none, START + RF_SEC(1)), RF_PACE_SLOW, "without a base, the quickest answer is");
    is_int(pace.base, BASE, "the base");
    is_int(pace.typical, 20 * BASE, "and what it was compared with");

    rf_pace_begin(&pace, 32, 100 * BASE, &none, START);
    for (int i = 0; i < 10; i++)
        rf_pace_answered(&pace, 150 * BASE);
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(1)), RF_PACE_GREW, "far away, half as much again is noise");

    /* The ring: a hundred slow ones, then thirty-two quick ones. */
    rf_pace_begin(&pace, 32, BASE, &none, START);
    answers(&pace, 100, 100);
    answers(&pace, RF_PACE_ANSWERS, 0);
    is_int(rf_pace_tick(&pace, &counts, START + RF_SEC(1)), RF_PACE_GREW, "of many answers the last count");
}

/* A queue without end before a site: as many run as may, a worker for each up to `workers`. Alone a request takes `takes`; the
 * database ends at most `from` a second, after `warm` seconds `to`. What is allowed after `seconds`, and the most before. */
static const struct {
    const char *name;
    rf_time takes;
    double from, to, warm;
    int workers, seconds;
    uint32_t allowed, most;
} sites[] = {
    { "room for all", RF_MS(20), 1e9, 1e9, 1, 9999, 6, 2048, 2048 },
    { "full beyond 100 at once", RF_MS(50), 2000, 2000, 1, 9999, 12, 128, 256 },
    { "full from the beginning", RF_MS(50), 400, 400, 1, 9999, 12, 32, 64 },
    { "full, and requests take half a second", RF_MS(500), 40, 40, 1, 9999, 30, 32, 64 },
    { "cold, and never good for more than 90 a second", RF_MS(100), 45, 90, 8, 9999, 20, 64, 128 },
    { "requests that take a second", RF_SEC(1), 1e9, 1e9, 1, 9999, 12, 2048, 2048 },
    { "requests that take five", RF_SEC(5), 1e9, 1e9, 1, 9999, 30, 256, 256 },
    { "workers for 50", RF_MS(20), 1e9, 1e9, 1, 50, 30, 128, 128 },
    { "workers for 10", RF_MS(20), 1e9, 1e9, 1, 10, 30, 32, 32 },
    { "one that hangs", RF_MS(20), 0, 0, 1, 9999, 30, 32, 32 },
};

#define TURN RF_MS(10)

static void drain(void)
{
    static double done[10000]; /* how much of each running request */

    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        rf_pace_counts counts = { 0 };
        rf_pace pace;
        rf_time now;

        rf_pace_begin(&pace, 32, BASE, &counts, START);
        for (now = START + TURN; now <= START + RF_SEC(sites[i].seconds); now += TURN) {
            double passed = (double)(now - START) / RF_SEC(1), warm = passed < sites[i].warm ? passed / sites[i].warm : 1;
            double most = (sites[i].from + (sites[i].to - sites[i].from) * warm) * TURN / RF_SEC(1), each;
            uint64_t may = pace.allowed < (uint32_t)sites[i].workers ? pace.allowed : (uint32_t)sites[i].workers, k;

            for (; counts.running < may; counts.running++)
                done[counts.running] = 0;
            each = (double)TURN / sites[i].takes;
            if (each * counts.running > most)
                each = most / counts.running;
            for (k = 0; k < counts.running; k++) {
                done[k] += each;
                if (done[k] < 0.9999)
                    continue;
                counts.finished++;
                done[k] = counts.running > may ? done[--counts.running] : 0;
            }
            answers(&pace, 1, 0);
            rf_pace_tick(&pace, &counts, now);
        }
        is_int(pace.allowed, sites[i].allowed, "%s: after %d s", sites[i].name, sites[i].seconds);
        is_int(pace.most, sites[i].most, "%s: the most", sites[i].name);
    }
}

static void trouble(void)
{
    rf_pace_counts counts = { .running = 32, .finished = 1000, .troubled = 50 };
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
    drain();
    trouble();
    base();
    woken();
    return tap_done();
}
