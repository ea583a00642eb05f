/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's schedule: due times that do not drift, a mix that keeps its weights, equal seeds alike. */
#include "schedule.h"
#include "tap.h"

static void due_times(void)
{
    drive_schedule s = {.start = 1000000, .rate = 30, .count = 1000000};

    is_int(drive_schedule_due(&s, 0), 1000000, "the first request is due at the start");
    is_int(drive_schedule_due(&s, 30), 2000000, "after one second as many are due as the rate says");
    is_int(drive_schedule_due(&s, 30 * 86400), INT64_C(1000000) * 86401, "a day later nothing has drifted");
    is_int(drive_schedule_due_by(&s, 999999), 0, "none is due before the start");
    is_int(drive_schedule_due_by(&s, 1000000), 1, "one is due at the start");
    is_int(drive_schedule_due_by(&s, 1999999), 30, "just before the second ends");
    is_int(drive_schedule_due_by(&s, 2000000), 31, "when the second ends");
    is_int(drive_schedule_due_by(&s, INT64_C(1) << 60), s.count, "never more than there are");
}

static void agreement(double rate)
{
    drive_schedule s = {.start = 1795386687869552, .rate = rate, .count = 5000};
    int wrong = 0;

    for (int64_t n = 0; n < s.count; n++) {
        int64_t due = drive_schedule_due(&s, n);
        wrong += drive_schedule_due_by(&s, due) <= n;
        wrong += drive_schedule_due_by(&s, due - 1) > n;
    }
    is_int(wrong, 0, "at %g/s both directions agree for every request", rate);
}

static void kinds(void)
{
    drive_schedule s = {.rate = 1, .seed = 1}, same = {.rate = 300, .seed = 1, .start = 77}, other = {.rate = 1, .seed = 2};
    drive_mix mix = {0};
    int counts[3] = {0}, alike = 0, alike_other = 0;

    drive_mix_add(&mix, "a 60 GET /");
    drive_mix_add(&mix, "b 30 GET /");
    drive_mix_add(&mix, "c 10 GET /");
    for (int64_t n = 0; n < 100000; n++) {
        int kind = drive_schedule_kind(&mix, drive_schedule_draw(&s, n));
        counts[kind]++;
        alike += kind == drive_schedule_kind(&mix, drive_schedule_draw(&same, n));
        alike_other += kind == drive_schedule_kind(&mix, drive_schedule_draw(&other, n));
    }
    ok(counts[0] > 59000 && counts[0] < 61000, "60 of 100 are the first kind (%d of 100000)", counts[0]);
    ok(counts[1] > 29000 && counts[1] < 31000, "30 of 100 are the second kind (%d of 100000)", counts[1]);
    ok(counts[2] > 9500 && counts[2] < 10500, "10 of 100 are the third kind (%d of 100000)", counts[2]);
    is_int(alike, 100000, "equal seeds give equal requests at any rate and start");
    ok(alike_other < 60000, "another seed gives other requests");
    drive_mix_free(&mix);
}

int main(void)
{
    due_times();
    agreement(30);
    agreement(7);
    agreement(333.3);
    agreement(0.7);
    kinds();
    return tap_done();
}
