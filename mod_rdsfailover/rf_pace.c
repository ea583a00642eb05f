/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_pace.h"

#include <string.h>

static void begin_step(rf_pace *pace, const rf_pace_counts *counts, rf_time now)
{
    pace->next = now + RF_PACE_STEP;
    pace->running = counts->running;
    pace->finished = counts->finished;
    pace->troubled = counts->troubled;
    pace->answers = 0;
    pace->busy = pace->doubted = 0;
}

static void begin_round(rf_pace *pace, uint64_t finished, rf_time now)
{
    pace->round = now;
    pace->round_finished = finished;
    pace->most_ran = 0;
}

void rf_pace_begin(rf_pace *pace, uint32_t allowed, rf_time base, const rf_pace_counts *counts, rf_time now)
{
    memset(pace, 0, sizeof *pace);
    pace->allowed = pace->most = allowed ? allowed : 1;
    pace->base = base;
    begin_step(pace, counts, now);
    begin_round(pace, counts->finished, now);
}

void rf_pace_answered(rf_pace *pace, rf_time rtt)
{
    if (!pace->base || rtt < pace->base)
        pace->base = rtt;
    pace->rtts[pace->answers++ % RF_PACE_ANSWERS] = rtt;
}

int rf_pace_busy(rf_pace *pace, rf_time now)
{
    uint32_t from = pace->running && pace->running < pace->allowed ? (uint32_t)pace->running : pace->allowed;

    pace->busy = 1;
    if (pace->allowed == 1 || (pace->halved && now - pace->halved < RF_PACE_STEP))
        return 0;
    pace->allowed = from > 1 ? from / 2 : 1;
    pace->halved = now;
    return 1;
}

void rf_pace_doubted(rf_pace *pace)
{
    pace->doubted = 1;
}

/* Of an even number the smaller of the two in the middle, so that it exceeds a limit only if more than half do. */
static rf_time median(const rf_time *values, unsigned n)
{
    rf_time sorted[RF_PACE_ANSWERS];
    unsigned i, k;

    for (i = 0; i < n; i++) {
        for (k = i; k > 0 && sorted[k - 1] > values[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = values[i];
    }
    return sorted[(n - 1) / 2];
}

/* By Little's law requests take (how many run) × (time) / (how many ended). Those that still run were begun too: counting them as
 * ended gives the least that it can come to, which is enough to give up a level that is too high before it did its harm. */
static rf_pace_verdict judge_round(rf_pace *pace, uint64_t finished, rf_time now)
{
    uint64_t ended = finished - pace->round_finished, ran = pace->most_ran;
    rf_time work = (rf_time)ran * (now - pace->round), limit = pace->quickest * RF_PACE_WORTH / 100 + RF_PACE_NOISE;

    if (2 * ran < pace->allowed)
        return RF_PACE_UNUSED;
    pace->takes = work / (rf_time)(ended + ran);
    if (pace->quickest && pace->takes > limit)
        return RF_PACE_FULL;
    if (!ended)
        return RF_PACE_STUCK;
    if (ended < 2 * ran || ended < RF_PACE_LEAST)
        return RF_PACE_YOUNG;
    pace->takes = work / (rf_time)ended;
    if (pace->quickest && pace->takes > limit) /* perhaps, but not surely */
        return RF_PACE_YOUNG;
    if (!pace->quickest || pace->takes < pace->quickest)
        pace->quickest = pace->takes;
    return RF_PACE_GREW;
}

static rf_pace_verdict judge(rf_pace *pace, const rf_pace_counts *counts, rf_time now)
{
    unsigned n = pace->answers < RF_PACE_ANSWERS ? pace->answers : RF_PACE_ANSWERS;

    if (pace->busy)
        return RF_PACE_BUSY;
    if ((counts->troubled - pace->troubled) * RF_PACE_TROUBLE > counts->finished - pace->finished)
        return RF_PACE_FAILING;
    if (pace->doubted || !n)
        return RF_PACE_SILENT;
    pace->typical = median(pace->rtts, n);
    if (pace->typical > RF_PACE_FACTOR * pace->base + RF_PACE_NOISE)
        return RF_PACE_SLOW;
    return pace->full ? RF_PACE_FULL : judge_round(pace, counts->finished, now);
}

rf_pace_verdict rf_pace_tick(rf_pace *pace, const rf_pace_counts *counts, rf_time now)
{
    rf_pace_verdict verdict;

    if (counts->running > pace->running)
        pace->running = counts->running;
    if (now < pace->next)
        return RF_PACE_NOT_YET;
    if (pace->running > pace->most_ran)
        pace->most_ran = pace->running;
    verdict = judge(pace, counts, now);
    if (verdict == RF_PACE_FULL && pace->doubled) {
        pace->full = 1;
        pace->allowed /= 2;
    }
    if (verdict != RF_PACE_YOUNG && verdict != RF_PACE_STUCK) {
        /* One that was configured beyond the maximum stays where it is. */
        pace->doubled = verdict == RF_PACE_GREW && pace->allowed < RF_PACE_MAX;
        if (pace->doubled)
            pace->allowed = pace->allowed < RF_PACE_MAX / 2 ? 2 * pace->allowed : RF_PACE_MAX;
        begin_round(pace, counts->finished, now);
    }
    if (pace->allowed > pace->most)
        pace->most = pace->allowed;
    begin_step(pace, counts, now);
    return verdict;
}
