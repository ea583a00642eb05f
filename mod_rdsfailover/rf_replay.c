/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_replay.h"

#include <string.h>

#include "rf_state.h"

#define BUDGET_AT_LEAST 10

rf_outcome rf_replay_outcome(const char *value)
{
    if (!value)
        return RF_OUTCOME_NONE;
    return strcmp(value, "not-executed") ? RF_OUTCOME_UNKNOWN : RF_OUTCOME_NOT_EXECUTED;
}

const char *rf_replay_outcome_text(rf_outcome outcome)
{
    static const char *const texts[] = {
        [RF_OUTCOME_NONE] = "", [RF_OUTCOME_NOT_EXECUTED] = "not-executed", [RF_OUTCOME_UNKNOWN] = "unknown"
    };

    return texts[outcome];
}

int rf_replay_fails(int status, rf_outcome outcome)
{
    return outcome != RF_OUTCOME_NONE || status == 500 || (status >= 502 && status <= 504);
}

rf_blame rf_replay_blame(const rf_brief *brief, uint32_t began, rf_time failed, rf_time now)
{
    rf_state_name state = rf_brief_state(brief, now);

    if (state == RF_STATE_UNKNOWN)
        return RF_BLAME_OTHERS;
    if ((state != RF_STATE_AVAILABLE && state != RF_STATE_RECOVERING) || brief->epoch != began)
        return RF_BLAME_DATABASE;
    if (brief->proved < failed)
        return RF_BLAME_ASK;
    return state == RF_STATE_RECOVERING ? RF_BLAME_DATABASE : RF_BLAME_OTHERS;
}

static rf_replay_verdict permits(const rf_replay_facts *f)
{
    int by_mode = f->mode == RF_REPLAY_ALL || (f->mode == RF_REPLAY_IDEMPOTENT && f->method != RF_METHOD_OTHER);

    if (f->mode == RF_REPLAY_OFF)
        return RF_REPLAY_NOT_WANTED;
    if (f->outcome == RF_OUTCOME_NOT_EXECUTED || by_mode)
        return RF_REPLAY_AGAIN;
    if (f->outcome == RF_OUTCOME_UNKNOWN)
        return RF_REPLAY_UNKNOWN;
    return f->method == RF_METHOD_SAFE ? RF_REPLAY_AGAIN : RF_REPLAY_UNSAFE;
}

rf_replay_verdict rf_replay_decide(const rf_replay_facts *f)
{
    rf_replay_verdict verdict = permits(f);

    if (verdict != RF_REPLAY_AGAIN)
        return verdict;
    if (!f->body_kept)
        return RF_REPLAY_BODY;
    return f->attempts < f->most ? RF_REPLAY_AGAIN : RF_REPLAY_EXHAUSTED;
}

uint32_t rf_replay_budget(uint32_t inflight)
{
    return inflight / 5 > BUDGET_AT_LEAST ? inflight / 5 : BUDGET_AT_LEAST;
}

const char *rf_replay_reason(rf_replay_verdict verdict)
{
    static const char *const reasons[] = {
        [RF_REPLAY_AGAIN] = "",
        [RF_REPLAY_NOT_WANTED] = "RDSFailoverReplay is off here",
        [RF_REPLAY_UNKNOWN] = "the application says that a write may have happened",
        [RF_REPLAY_UNSAFE] = "its method may write, and the application did not say that nothing was written",
        [RF_REPLAY_BODY] = "its body is larger than what is kept (body= of RDSFailoverReplay)",
        [RF_REPLAY_EXHAUSTED] = "it has had its attempts (attempts= of RDSFailoverReplay)",
        [RF_REPLAY_OVER_BUDGET] = "a fifth of all requests are being repeated already, without an outage",
    };

    return reasons[verdict];
}
