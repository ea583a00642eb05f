/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_blame.c
 * @brief A request failed: was it the database? The monitor knows, or finds out now.
 *
 * Layer:   glue. rf_replay_blame decides.
 * Threads: workers whose requests have just failed. All who ask at one time wait for the same probe.
 */
#include "mod_rdsfailover_visit.h"

#include <stdatomic.h>

/* How often one who asks looks whether the answer is there. */
#define LOOK RF_MS(2)
/* What the monitor may need beyond a probe's deadline to start one, and to say what came of it. */
#define GRACE RF_MS(100)

/* The monitor's sign of life when it last owed somebody an answer. Until there is another nobody waits for it. */
static _Atomic rf_time deaf;

static rf_time sign_of_life(void)
{
    rf_time beat;
    int32_t pid;
    uint32_t restarts;

    rf_board_monitor(rf_life_board(), &pid, &restarts, &beat);
    return beat;
}

int rf_blame_database(const rf_database *db, uint32_t began)
{
    rf_time failed = rf_clock_now(), now, ends = failed + db->check.policy.timeout + GRACE;
    rf_blame blame;
    rf_brief brief;
    int asked = 0;

    for (;;) {
        now = rf_clock_now();
        if (!rf_slot_brief(db->slot, &brief))
            return 0;
        blame = rf_replay_blame(&brief, began, failed, now);
        if (blame != RF_BLAME_ASK)
            return blame == RF_BLAME_DATABASE;
        if (sign_of_life() == atomic_load(&deaf))
            break;
        if (now >= ends) {
            atomic_store(&deaf, sign_of_life());
            break;
        }
        if (!asked++)
            rf_life_wake_monitor();
        apr_sleep(LOOK);
    }
    return brief.state == RF_STATE_RECOVERING;
}
