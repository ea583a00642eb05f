/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_abort.h"

int rf_abort_wanted(const rf_candidate *c, int fails, rf_state_name state, rf_time verified, rf_time now)
{
    int open = state == RF_STATE_AVAILABLE || state == RF_STATE_RECOVERING;

    if (!open && state != RF_STATE_OUTAGE)
        return 0;
    if (!c->former || c->failures < fails || now - c->failed > RF_ABORT_EVIDENCE)
        return 0;
    if (c->writer && open)
        return 0;
    /* It answers, so nobody hangs on it; while there is no other writer it is at least good for reading. */
    if (c->last.cause == RF_CAUSE_READ_ONLY)
        return open && now - verified <= RF_ABORT_DEMOTED;
    return 1;
}
