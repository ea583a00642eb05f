/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine alone. A story is what is seen, one letter each, a second apart; its table is the machine's whole law. */
#include "rf_state.h"
#include "tap.h"

#define TEN "wwwwwwwwww"
#define MINUTE TEN TEN TEN TEN TEN "wwwwwwwww" /* 59 s of it */

/* a answered  f failed  s suspected  d astray  v verified
 * h held by order  g by order let go
 * w time passes, requests wait  . time passes, none waits  b time passes, blind */
static const struct {
    const char *name;
    const char *seen;
    int fails;
    rf_state_name state;
    int since; /* second in which it was entered */
} stories[] = {
    { "nothing seen", "", 2, RF_STATE_UNKNOWN, 0 },
    { "failures of one that never was a writer", "ffffffff", 2, RF_STATE_UNKNOWN, 0 },
    { "suspicion of one that never was a writer", "ss", 2, RF_STATE_UNKNOWN, 0 },
    { "answers do not make a writer, verification does", "aaaa", 2, RF_STATE_UNKNOWN, 0 },
    { "the first writer", "v", 2, RF_STATE_AVAILABLE, 1 },
    { "one lost probe is only suspicion", "vaf", 2, RF_STATE_SUSPECT, 3 },
    { "the next answer ends it", "vafa", 2, RF_STATE_AVAILABLE, 4 },
    { "failures must be in a row", "vfafafa", 2, RF_STATE_AVAILABLE, 7 },
    { "two in a row are an outage", "vff", 2, RF_STATE_OUTAGE, 3 },
    { "fails=1: one is", "vf", 1, RF_STATE_OUTAGE, 2 },
    { "fails=4: three are not", "vfff", 4, RF_STATE_SUSPECT, 2 },
    { "fails=4: four are", "vffff", 4, RF_STATE_OUTAGE, 5 },
    { "a late answer is suspicion", "vs", 2, RF_STATE_SUSPECT, 2 },
    { "suspicion is no failure", "vssss", 2, RF_STATE_SUSPECT, 2 },
    { "suspicion, then failures", "vsff", 2, RF_STATE_OUTAGE, 4 },
    { "fails=1 after suspicion", "vsf", 1, RF_STATE_OUTAGE, 3 },
    { "an answer does not end an outage", "vffaaaa", 2, RF_STATE_OUTAGE, 3 },
    { "nor does time", "vff....wwww", 2, RF_STATE_OUTAGE, 3 },
    { "nor does suspicion", "vffss", 2, RF_STATE_OUTAGE, 3 },
    { "verification does", "vffv", 2, RF_STATE_RECOVERING, 4 },
    { "recovering ends with the queue", "vffvww.", 2, RF_STATE_AVAILABLE, 7 },
    { "recovering lasts while requests wait", "vffvwwww", 2, RF_STATE_RECOVERING, 4 },
    { "but 60 s at most", "vffv" MINUTE "w", 2, RF_STATE_AVAILABLE, 64 },
    { "another writer while recovering", "vffvwv", 2, RF_STATE_RECOVERING, 4 },
    { "a failure while recovering", "vffvf", 2, RF_STATE_SUSPECT, 5 },
    { "an outage while recovering", "vffvff", 2, RF_STATE_OUTAGE, 6 },
    { "a late answer while recovering", "vffvs", 2, RF_STATE_SUSPECT, 5 },
    { "a suspicion while recovering goes back there", "vffvwsa", 2, RF_STATE_RECOVERING, 7 },
    { "and so does a failure", "vffvwfa", 2, RF_STATE_RECOVERING, 7 },
    { "though nobody waits any more: that is seen when time passes", "vffvwsa.", 2, RF_STATE_AVAILABLE, 8 },
    { "and it does not outlive the suspicion", "vffvwsa.sa", 2, RF_STATE_AVAILABLE, 10 },
    { "60 s at most, counted from the first entry", "vffvwsawwwsa" MINUTE, 2, RF_STATE_AVAILABLE, 64 },
    { "after 60 s a suspicion ends as usual", "vffvs" MINUTE "saw", 2, RF_STATE_AVAILABLE, 67 },
    { "an outage while recovering: its end has 60 s again", "vffvwwwwwwwwwwffvw", 2, RF_STATE_RECOVERING, 17 },
    { "and they are not over before",
      "vffvwwwwwwwwwwffv" MINUTE, 2, RF_STATE_RECOVERING, 17 },
    { "another writer while suspect and recovering", "vffvwsv", 2, RF_STATE_RECOVERING, 7 },
    { "many waited for a slow answer: they go at once", "vwwsa", 2, RF_STATE_AVAILABLE, 5 },
    { "astray while available", "vd", 2, RF_STATE_OUTAGE, 2 },
    { "astray while recovering", "vffvd", 2, RF_STATE_OUTAGE, 5 },
    { "astray while suspect: the next answer decides", "vsd", 2, RF_STATE_SUSPECT, 2 },
    { "astray in an outage", "vffd", 2, RF_STATE_OUTAGE, 3 },
    { "astray, nothing known", "d", 2, RF_STATE_UNKNOWN, 0 },
    { "answers of a writer that is not reached do not help", "vdaaa", 2, RF_STATE_OUTAGE, 2 },
    { "its verification does", "vdav", 2, RF_STATE_RECOVERING, 4 },
    { "another writer while suspect", "vsv", 2, RF_STATE_AVAILABLE, 3 },
    { "another writer while available", "vvv", 2, RF_STATE_AVAILABLE, 1 },
    { "blind while available", "vb", 2, RF_STATE_UNKNOWN, 2 },
    { "blind while suspect", "vsb", 2, RF_STATE_UNKNOWN, 3 },
    { "blind in an outage", "vffb", 2, RF_STATE_UNKNOWN, 4 },
    { "blind while recovering", "vffvb", 2, RF_STATE_UNKNOWN, 5 },
    { "blind, then a writer", "vffbv", 2, RF_STATE_AVAILABLE, 5 },
    { "blind, then failures of a known writer: an outage", "vbff", 2, RF_STATE_OUTAGE, 4 },
    { "blind, then one failure is nothing yet", "vbf", 2, RF_STATE_UNKNOWN, 2 },
    { "failures are forgotten by an answer in between", "vbfaf", 2, RF_STATE_UNKNOWN, 2 },
    { "held by order: the state stays what it is", "vhwww", 2, RF_STATE_AVAILABLE, 1 },
    { "let go by order: as after an outage", "vhwwg", 2, RF_STATE_RECOVERING, 5 },
    { "until nobody waits", "vhwwgw.", 2, RF_STATE_AVAILABLE, 7 },
    { "or for 60 s", "vhwwg" MINUTE "w", 2, RF_STATE_AVAILABLE, 65 },
    { "held by order, an outage, its end: nobody is let go", "vhffv..ww", 2, RF_STATE_RECOVERING, 5 },
    { "not even after 60 s", "vhffv" MINUTE TEN, 2, RF_STATE_RECOVERING, 5 },
    { "and then they have 60 s", "vhffv" MINUTE TEN "g" MINUTE, 2, RF_STATE_RECOVERING, 5 },
    { "and no more", "vhffv" MINUTE TEN "g" MINUTE "w", 2, RF_STATE_AVAILABLE, 135 },
    { "held by order during a release", "vffvh..www", 2, RF_STATE_RECOVERING, 4 },
    { "and let go again", "vffvh..wwwg.", 2, RF_STATE_AVAILABLE, 12 },
    { "let go by order in a suspicion: after it", "vhsga", 2, RF_STATE_RECOVERING, 5 },
    { "let go by order in an outage: after it", "vhffgv", 2, RF_STATE_RECOVERING, 6 },
    { "let go by order, nothing known", "hg", 2, RF_STATE_UNKNOWN, 0 },
    { "held by order, blind, a writer, let go", "vhbvg", 2, RF_STATE_RECOVERING, 5 },
    { "an available writer and time", "v....", 2, RF_STATE_AVAILABLE, 1 },
};

static void see(rf_state *state, const rf_policy *policy, char what, rf_time now)
{
    switch (what) {
    case 'a': rf_state_answered(state, now); break;
    case 'f': rf_state_failed(state, policy, now); break;
    case 's': rf_state_suspected(state, now); break;
    case 'd': rf_state_astray(state, now); break;
    case 'v': rf_state_verified(state, now); break;
    case 'h': rf_state_halted(state); break;
    case 'g': rf_state_resumed(state, now); break;
    case 'w': rf_state_passed(state, 5, 0, now); break;
    case '.': rf_state_passed(state, 0, 0, now); break;
    case 'b': rf_state_passed(state, 0, 1, now); break;
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        rf_policy policy = { .fails = stories[i].fails, .passes = 2 };
        rf_state state = { 0 };

        for (int k = 0; stories[i].seen[k]; k++)
            see(&state, &policy, stories[i].seen[k], RF_SEC(k + 1));
        is_str(rf_state_text(state.name), rf_state_text(stories[i].state), "%s", stories[i].name);
        is_int(state.since / RF_SEC(1), stories[i].since, "%s: since", stories[i].name);
    }
    for (int s = RF_STATE_UNKNOWN; s <= RF_STATE_RECOVERING; s++)
        is_int(rf_state_holds((rf_state_name)s), s == RF_STATE_SUSPECT || s == RF_STATE_OUTAGE, "%s: holds or not",
               rf_state_text((rf_state_name)s));
    return tap_done();
}
