/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule of an open loop: see schedule.h. */
#include "schedule.h"

int64_t drive_schedule_due(const drive_schedule *schedule, int64_t n)
{
    /* From the start each time, never from the request before: rounding must not add up. */
    return schedule->start + (int64_t)((double)n * 1e6 / schedule->rate);
}

int64_t drive_schedule_due_by(const drive_schedule *schedule, int64_t now)
{
    int64_t n;

    if (now < schedule->start) {
        return 0;
    }
    n = (int64_t)((double)(now - schedule->start) * schedule->rate / 1e6);
    if (n > schedule->count) {
        n = schedule->count;
    }
    /* Division and multiplication round differently; the due times decide. */
    while (n > 0 && drive_schedule_due(schedule, n - 1) > now) {
        n--;
    }
    while (n < schedule->count && drive_schedule_due(schedule, n) <= now) {
        n++;
    }
    return n;
}

uint64_t drive_schedule_scramble(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint64_t drive_schedule_draw(const drive_schedule *schedule, int64_t n)
{
    return drive_schedule_scramble(drive_schedule_scramble(schedule->seed) + (uint64_t)n);
}

int drive_schedule_kind(const drive_mix *mix, uint64_t draw)
{
    long at = (long)(draw % (uint64_t)mix->weights);
    int kind = 0;

    while (at >= mix->kinds[kind].weight) {
        at -= mix->kinds[kind++].weight;
    }
    return kind;
}
