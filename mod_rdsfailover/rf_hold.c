/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_hold.h"

#include "rf_state.h"

int rf_hold_concerns(const rf_request_facts *facts)
{
    if (facts->subrequest || facts->executed || facts->exempt || facts->status_page)
        return 0;
    return !facts->regular_file || facts->own_handler || facts->proxied || facts->parsed;
}

rf_hold_verdict rf_hold_judge(const rf_brief *brief, rf_time expires, rf_time now, rf_time *ret_look_again)
{
    rf_time stale_at = brief->observed_at + brief->stale_after;
    rf_time gives_up = stale_at + RF_HOLD_STALE_GRACE;

    /* The state as last published, stale or not: a monitor that was killed is replaced within a second. */
    if (!rf_state_holds((rf_state_name)brief->state))
        return brief->state == RF_STATE_UNKNOWN ? RF_HOLD_PASS : RF_HOLD_RELEASE;
    if (now >= expires)
        return RF_HOLD_EXPIRE;
    if (now >= gives_up)
        return RF_HOLD_PASS;
    *ret_look_again = expires < gives_up ? expires : gives_up;
    return RF_HOLD_WAIT;
}

uint32_t rf_hold_capacity(uint32_t workers, uint32_t queue)
{
    uint32_t share = workers - workers / 4;

    /* Of one worker nothing can be spared; of two, one. */
    if (share == workers)
        share = workers ? workers - 1 : 0;
    return share < queue ? share : queue;
}
