/* SPDX-License-Identifier: Apache-2.0 */
/* To which addresses sockets may be destroyed: each row one address at one moment. */
#include "rf_abort.h"
#include "tap.h"

#define NOW RF_SEC(5000)
#define AGO(s) (NOW - RF_SEC(s))

static const struct {
    const char *name;
    int wanted;
    rf_state_name state;
    int writer, former, failures;
    rf_cause last;
    int failed, verified; /* seconds ago */
} rows[] = {
    /* --- the writer --- */
    { "the writer in an outage", 1, RF_STATE_OUTAGE, 1, 1, 2, RF_CAUSE_TIMEOUT, 0, 900 },
    { "refusing connections is as dead as silence", 1, RF_STATE_OUTAGE, 1, 1, 2, RF_CAUSE_UNREACHABLE, 0, 900 },
    { "the writer, suspect: one late answer is no proof", 0, RF_STATE_SUSPECT, 1, 1, 1, RF_CAUSE_TIMEOUT, 0, 900 },
    { "suspect, however often it failed", 0, RF_STATE_SUSPECT, 1, 1, 9, RF_CAUSE_TIMEOUT, 0, 900 },
    { "nothing is known", 0, RF_STATE_UNKNOWN, 1, 1, 9, RF_CAUSE_TIMEOUT, 0, 900 },
    { "the verified writer that fails for the first time", 0, RF_STATE_AVAILABLE, 1, 1, 1, RF_CAUSE_TIMEOUT, 0, 900 },
    { "the verified writer, whatever is counted", 0, RF_STATE_AVAILABLE, 1, 1, 9, RF_CAUSE_TIMEOUT, 0, 900 },
    { "the verified writer during a release", 0, RF_STATE_RECOVERING, 1, 1, 9, RF_CAUSE_TIMEOUT, 0, 5 },
    { "an outage because the name leads astray: the writer is well", 0, RF_STATE_OUTAGE, 1, 1, 0, RF_CAUSE_NONE, 900, 900 },
    { "the same, and the writer failed once since", 0, RF_STATE_OUTAGE, 1, 1, 1, RF_CAUSE_LOST, 0, 900 },
    { "in an outage it answers again", 0, RF_STATE_OUTAGE, 1, 1, 0, RF_CAUSE_NONE, 1, 900 },
    { "in an outage it has too many connections: it lives", 0, RF_STATE_OUTAGE, 1, 1, 0, RF_CAUSE_BUSY, 1, 900 },
    { "in an outage it refuses our login: it lives", 0, RF_STATE_OUTAGE, 1, 1, 0, RF_CAUSE_REFUSED, 1, 900 },
    { "in an outage it is read-only, and nobody else is there: nobody hangs", 0, RF_STATE_OUTAGE, 1, 1, 5, RF_CAUSE_READ_ONLY, 0, 900 },
    /* --- who was the writer before --- */
    { "the old writer, dead, another is verified", 1, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_TIMEOUT, 0, 30 },
    { "during the release already", 1, RF_STATE_RECOVERING, 0, 1, 2, RF_CAUSE_UNREACHABLE, 0, 1 },
    { "and in the next outage", 1, RF_STATE_OUTAGE, 0, 1, 2, RF_CAUSE_TIMEOUT, 0, 900 },
    { "one failure is no proof", 0, RF_STATE_AVAILABLE, 0, 1, 1, RF_CAUSE_TIMEOUT, 0, 30 },
    { "it answers and takes writes: a name with two good addresses", 0, RF_STATE_AVAILABLE, 0, 1, 0, RF_CAUSE_NONE, 900, 900 },
    { "no verdict yet, because the monitor is new", 0, RF_STATE_AVAILABLE, 0, 1, 0, RF_CAUSE_NONE, 0, 30 },
    { "demoted: it answers, read-only", 1, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 30 },
    { "demoted, during the release", 1, RF_STATE_RECOVERING, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 1 },
    { "demoted, just for long enough", 1, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 60 },
    { "demoted long ago: a reader", 0, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 61 },
    { "demoted, but no writer is verified now", 0, RF_STATE_OUTAGE, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 5 },
    { "demoted, and the new writer is suspect", 0, RF_STATE_SUSPECT, 0, 1, 2, RF_CAUSE_READ_ONLY, 0, 5 },
    { "dead when it was last probed, ten minutes ago", 1, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_TIMEOUT, 600, 630 },
    { "and later than that it may be somebody else's", 0, RF_STATE_AVAILABLE, 0, 1, 2, RF_CAUSE_TIMEOUT, 601, 630 },
    /* --- anybody else --- */
    { "never the writer, dead", 0, RF_STATE_AVAILABLE, 0, 0, 9, RF_CAUSE_TIMEOUT, 0, 30 },
    { "never the writer, dead in an outage: it may be about to take over", 0, RF_STATE_OUTAGE, 0, 0, 9, RF_CAUSE_UNREACHABLE, 0, 900 },
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rf_candidate c = { .writer = rows[i].writer, .former = rows[i].former, .failures = rows[i].failures,
                           .failed = AGO(rows[i].failed), .last = { .kind = RF_SAMPLE_PROBE, .cause = rows[i].last } };

        is_int(rf_abort_wanted(&c, 2, rows[i].state, AGO(rows[i].verified), NOW), rows[i].wanted, "%s", rows[i].name);
    }
    return tap_done();
}
