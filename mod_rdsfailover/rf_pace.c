/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_pace.h"

#include <string.h>

void rf_pace_begin(rf_pace *pace, uint32_t allowed, rf_time base, const rf_pace_counts *counts, rf_time now)
{
    memset(pace, 0, sizeof *pace);
    pace->allowed = pace->most = allowed ? allowed : 1;
    pace->base = base;
    pace->finished = counts->finished;
    pace->troubled = counts->troubled;
    pace->next = now + RF_PACE_STEP;
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

/* Requests take their time: those of a doubling end in the same step or in the next. So two doublings in a row are asked for, and
 * the steps compared differ by one of them, whichever. */
static int brought_nothing(const rf_pace *pace, uint64_t ended)
{
    return pace->doubled >= 2 && pace->ended >= RF_PACE_LEAST && 4 * ended < 5 * pace->ended;
}

static rf_pace_verdict judge(rf_pace *pace, uint64_t troubled, uint64_t ended)
{
    int used = pace->running > pace->allowed / 2;
    unsigned n = pace->answers < RF_PACE_ANSWERS ? pace->answers : RF_PACE_ANSWERS;

    if (pace->busy)
        return RF_PACE_BUSY;
    if ((troubled - pace->troubled) * RF_PACE_TROUBLE > ended)
        return RF_PACE_FAILING;
    if (pace->doubted || !n)
        return RF_PACE_SILENT;
    pace->typical = median(pace->rtts, n);
    if (pace->typical > RF_PACE_FACTOR * pace->base + RF_PACE_NOISE)
        return RF_PACE_SLOW;
    if (pace->full || (used && brought_nothing(pace, ended)))
        return RF_PACE_FULL;
    return used && !ended ? RF_PACE_STUCK : RF_PACE_GREW;
}

rf_pace_verdict rf_pace_tick(rf_pace *pace, const rf_pace_counts *counts, rf_time now)
{
    uint64_t ended = counts->finished - pace->finished;
    rf_pace_verdict verdict;

    if (counts->running > pace->running)
        pace->running = counts->running;
    if (now < pace->next)
        return RF_PACE_NOT_YET;
    verdict = judge(pace, counts->troubled, ended);
    pace->doubled = verdict == RF_PACE_GREW ? pace->doubled + 1 : 0;
    if (verdict == RF_PACE_FULL && !pace->full) {
        pace->full = 1;
        pace->allowed /= 2;
    }
    /* One that was configured beyond the maximum stays where it is. */
    if (verdict == RF_PACE_GREW && pace->allowed < RF_PACE_MAX)
        pace->allowed = pace->allowed < RF_PACE_MAX / 2 ? 2 * pace->allowed : RF_PACE_MAX;
    if (pace->allowed > pace->most)
        pace->most = pace->allowed;
    pace->next = now + RF_PACE_STEP;
    pace->running = counts->running;
    pace->finished = counts->finished;
    pace->troubled = counts->troubled;
    pace->ended = ended;
    pace->answers = 0;
    pace->busy = pace->doubted = 0;
    return verdict;
}
