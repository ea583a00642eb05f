/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_hold.h"

#include "rf_state.h"

int rf_hold_concerns(const rf_request_facts *facts)
{
    if (facts->subrequest || facts->executed || facts->exempt || facts->status_page)
        return 0;
    return !facts->regular_file || facts->own_handler || facts->proxied || facts->parsed;
}

int rf_hold_queues(rf_state_name state)
{
    return rf_state_holds(state) || state == RF_STATE_RECOVERING;
}

int rf_hold_ordered(const rf_brief *brief, rf_time now)
{
    return brief->hold_until > now;
}

int rf_hold_may_queue(const rf_brief *brief)
{
    return brief->hold_until || rf_hold_queues((rf_state_name)brief->state);
}

int rf_hold_queues_now(const rf_brief *brief, rf_time now)
{
    if (now - brief->observed_at > brief->stale_after)
        return 0;
    return rf_hold_ordered(brief, now) || rf_hold_queues((rf_state_name)brief->state);
}

rf_gate rf_hold_gate(const rf_brief *brief, rf_time now)
{
    if (!rf_hold_ordered(brief, now)) {
        if (brief->state == RF_STATE_UNKNOWN)
            return RF_GATE_GIVEN_UP;
        if (!rf_state_holds((rf_state_name)brief->state))
            return RF_GATE_OPEN;
    }
    return now - brief->observed_at >= brief->stale_after + RF_HOLD_STALE_GRACE ? RF_GATE_GIVEN_UP : RF_GATE_SHUT;
}

rf_hold_verdict rf_hold_judge(const rf_terms *terms, rf_time now)
{
    if (now >= terms->ends)
        return RF_HOLD_EXPIRE;
    if (now < terms->leg_ends)
        return RF_HOLD_WAIT;
    /* The front gives up soon and tells the client nothing; the ending says that nothing was executed. */
    return terms->roundable ? RF_HOLD_REDIRECT : RF_HOLD_EXPIRE;
}

rf_time rf_hold_due(const rf_terms *terms)
{
    return terms->leg_ends < terms->ends ? terms->leg_ends : terms->ends;
}

int rf_hold_turn(rf_time ours, rf_time elsewhere, rf_time denied_since, rf_time now)
{
    return elsewhere == RF_TIME_NEVER || ours <= elsewhere + RF_TURN_SLACK ||
           (denied_since && now - denied_since >= RF_TURN_PATIENCE);
}
