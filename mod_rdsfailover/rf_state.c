/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_state.h"

static void enter(rf_state *state, rf_state_name name, rf_time now)
{
    if (state->name == name)
        return;
    state->name = name;
    state->since = now;
    if (name == RF_STATE_RECOVERING)
        state->release = state->release ? state->release : now;
    else if (name != RF_STATE_SUSPECT)
        state->release = 0;
}

void rf_state_answered(rf_state *state, rf_time now)
{
    if (state->name == RF_STATE_OUTAGE)
        return;
    state->failures = 0;
    if (state->name == RF_STATE_SUSPECT)
        enter(state, state->release ? RF_STATE_RECOVERING : RF_STATE_AVAILABLE, now);
}

void rf_state_failed(rf_state *state, const rf_policy *policy, rf_time now)
{
    state->failures++;
    if (state->name == RF_STATE_OUTAGE || !state->ever)
        return;
    if (state->failures >= policy->fails)
        enter(state, RF_STATE_OUTAGE, now);
    else if (state->name != RF_STATE_UNKNOWN)
        enter(state, RF_STATE_SUSPECT, now);
}

void rf_state_suspected(rf_state *state, rf_time now)
{
    if (state->name == RF_STATE_AVAILABLE || state->name == RF_STATE_RECOVERING)
        enter(state, RF_STATE_SUSPECT, now);
}

void rf_state_astray(rf_state *state, rf_time now)
{
    if (state->name == RF_STATE_AVAILABLE || state->name == RF_STATE_RECOVERING)
        enter(state, RF_STATE_OUTAGE, now);
}

void rf_state_verified(rf_state *state, rf_time now)
{
    state->failures = 0;
    state->ever = 1;
    enter(state, state->name == RF_STATE_OUTAGE || state->release ? RF_STATE_RECOVERING : RF_STATE_AVAILABLE, now);
}

void rf_state_given_up(rf_state *state, rf_time now)
{
    state->ever = 0;
    state->failures = 0;
    enter(state, RF_STATE_UNKNOWN, now);
}

void rf_state_halted(rf_state *state)
{
    state->halted = 1;
}

void rf_state_resumed(rf_state *state, rf_time now)
{
    state->halted = 0;
    /* A suspicion leads to the release when it is over; an outage's end begins one by itself. */
    if (state->name == RF_STATE_AVAILABLE || state->name == RF_STATE_RECOVERING || state->name == RF_STATE_SUSPECT)
        state->release = now;
    if (state->name == RF_STATE_AVAILABLE)
        enter(state, RF_STATE_RECOVERING, now);
}

void rf_state_passed(rf_state *state, uint64_t waiting, int blind, rf_time now)
{
    if (blind)
        enter(state, RF_STATE_UNKNOWN, now);
    else if (state->name == RF_STATE_RECOVERING && !state->halted && (waiting == 0 || now - state->release >= RF_RECOVERING_MAX))
        enter(state, RF_STATE_AVAILABLE, now);
}

int rf_state_holds(rf_state_name name)
{
    return name == RF_STATE_SUSPECT || name == RF_STATE_OUTAGE;
}
