/* SPDX-License-Identifier: Apache-2.0 */
/* A request that failed: whose fault it is, and whether it may run again. */
#include "rf_replay.h"
#include "tap.h"

#define SEEN RF_SEC(1000)
#define STALE RF_MS(2500)
#define FAILED (SEEN + RF_SEC(1))
#define EPOCH 7
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct {
    const char *value;
    rf_outcome outcome;
} outcomes[] = {
    { NULL, RF_OUTCOME_NONE },
    { "not-executed", RF_OUTCOME_NOT_EXECUTED },
    { "unknown", RF_OUTCOME_UNKNOWN },
    { "", RF_OUTCOME_UNKNOWN },
    { "executed", RF_OUTCOME_UNKNOWN },
    { "not-executed ", RF_OUTCOME_UNKNOWN },
    { "Not-Executed", RF_OUTCOME_UNKNOWN },
    { "not-executed, unknown", RF_OUTCOME_UNKNOWN },
    { "not-executed, not-executed", RF_OUTCOME_UNKNOWN },
};

static void words(void)
{
    for (size_t i = 0; i < COUNT(outcomes); i++)
        is_int(rf_replay_outcome(outcomes[i].value), outcomes[i].outcome, "the word '%s'",
               outcomes[i].value ? outcomes[i].value : "(none)");
    is_str(rf_replay_outcome_text(RF_OUTCOME_NONE), "", "no word has no text");
    for (int o = RF_OUTCOME_NOT_EXECUTED; o <= RF_OUTCOME_UNKNOWN; o++)
        is_int(rf_replay_outcome(rf_replay_outcome_text((rf_outcome)o)), o, "the text of a word is that word");
}

static void failures(void)
{
    static const int fail[] = { 500, 502, 503, 504 };

    for (int status = 100; status < 600; status++) {
        int want = 0;
        for (size_t i = 0; i < COUNT(fail); i++)
            want |= status == fail[i];
        if (rf_replay_fails(status, RF_OUTCOME_NONE) != want)
            ok(0, "%d is%s a failure", status, want ? "" : " not");
        if (!rf_replay_fails(status, RF_OUTCOME_UNKNOWN) || !rf_replay_fails(status, RF_OUTCOME_NOT_EXECUTED))
            ok(0, "%d with a word of the application is a failure", status);
    }
    ok(rf_replay_fails(500, RF_OUTCOME_NONE) && !rf_replay_fails(501, RF_OUTCOME_NONE), "500, 502, 503 and 504 fail, and 501 does not");
    ok(rf_replay_fails(200, RF_OUTCOME_UNKNOWN) && !rf_replay_fails(200, RF_OUTCOME_NONE), "200 fails only if the application says so");
}

static const struct {
    const char *name;
    rf_state_name state;
    uint32_t epoch;
    rf_time proved, now;
    rf_blame blame;
} blames[] = {
    { "suspicion", RF_STATE_SUSPECT, EPOCH, 0, FAILED, RF_BLAME_DATABASE },
    { "an outage", RF_STATE_OUTAGE, EPOCH, 0, FAILED, RF_BLAME_DATABASE },
    { "a recovery", RF_STATE_RECOVERING, EPOCH + 1, 0, FAILED, RF_BLAME_DATABASE },
    { "begun in a recovery: it may be over again", RF_STATE_RECOVERING, EPOCH, FAILED - 1, FAILED, RF_BLAME_ASK },
    { "begun in a recovery, which goes on", RF_STATE_RECOVERING, EPOCH, FAILED, FAILED, RF_BLAME_DATABASE },
    { "an outage, whatever was proved", RF_STATE_OUTAGE, EPOCH, FAILED + 1, FAILED, RF_BLAME_DATABASE },
    { "over already: the epoch moved", RF_STATE_AVAILABLE, EPOCH + 1, FAILED + 1, FAILED + 1, RF_BLAME_DATABASE },
    { "the epoch has wrapped", RF_STATE_AVAILABLE, 0, FAILED + 1, FAILED + 1, RF_BLAME_DATABASE },
    { "a probe before the failure went well, which proves nothing", RF_STATE_AVAILABLE, EPOCH, FAILED - 1, FAILED, RF_BLAME_ASK },
    { "no probe ever", RF_STATE_AVAILABLE, EPOCH, 0, FAILED, RF_BLAME_ASK },
    { "a probe asked at the failure went well", RF_STATE_AVAILABLE, EPOCH, FAILED, FAILED, RF_BLAME_OTHERS },
    { "a probe asked after it went well", RF_STATE_AVAILABLE, EPOCH, FAILED + 1, FAILED + 2, RF_BLAME_OTHERS },
    { "nobody knows", RF_STATE_UNKNOWN, EPOCH, 0, FAILED, RF_BLAME_OTHERS },
    { "nobody knows, and the epoch moved", RF_STATE_UNKNOWN, EPOCH + 1, 0, FAILED, RF_BLAME_OTHERS },
    { "a board that last said outage, gone stale", RF_STATE_OUTAGE, EPOCH, 0, SEEN + STALE + 1, RF_BLAME_OTHERS },
};

static void blame(void)
{
    for (size_t i = 0; i < COUNT(blames); i++) {
        rf_brief brief = { .observed_at = SEEN, .stale_after = STALE, .state = blames[i].state, .epoch = blames[i].epoch,
                           .proved = blames[i].proved };
        is_int(rf_replay_blame(&brief, EPOCH, FAILED, blames[i].now), blames[i].blame, "%s", blames[i].name);
    }
}

#define YES RF_REPLAY_AGAIN
#define OFF RF_REPLAY_NOT_WANTED
#define MAY RF_REPLAY_UNKNOWN
#define WR RF_REPLAY_UNSAFE

/* By mode, method (safe, idempotent, other) and word (none, not-executed, unknown): all there are. */
static const rf_replay_verdict permitted[4][3][3] = {
    [RF_REPLAY_OFF] = { { OFF, OFF, OFF }, { OFF, OFF, OFF }, { OFF, OFF, OFF } },
    [RF_REPLAY_SAFE] = { { YES, YES, MAY }, { WR, YES, MAY }, { WR, YES, MAY } },
    [RF_REPLAY_IDEMPOTENT] = { { YES, YES, YES }, { YES, YES, YES }, { WR, YES, MAY } },
    [RF_REPLAY_ALL] = { { YES, YES, YES }, { YES, YES, YES }, { YES, YES, YES } },
};

static void modes(void)
{
    static const char *const mode_names[] = { "off", "safe", "idempotent", "all" };
    static const char *const method_names[] = { "a safe method", "an idempotent one", "another" };
    static const char *const word_names[] = { "said nothing", "said not-executed", "said unknown" };

    for (int mode = 0; mode < 4; mode++) {
        for (int method = 0; method < 3; method++) {
            for (int word = 0; word < 3; word++) {
                rf_replay_facts facts = { .mode = (rf_replay_mode)mode, .method = (rf_method)method, .outcome = (rf_outcome)word,
                                          .body_kept = 1, .attempts = 1, .most = 2 };
                is_int(rf_replay_decide(&facts), permitted[mode][method][word], "%s: %s that %s", mode_names[mode],
                       method_names[method], word_names[word]);
            }
        }
    }
}

static const struct {
    const char *name;
    int body_kept;
    unsigned attempts, most;
    rf_replay_verdict verdict;
} limits[] = {
    { "its body is not there any more", 0, 1, 2, RF_REPLAY_BODY },
    { "the last attempt that may be repeated", 1, 3, 4, RF_REPLAY_AGAIN },
    { "it has had its attempts", 1, 4, 4, RF_REPLAY_EXHAUSTED },
    { "and more than that: its hold has ended", 1, 5, 4, RF_REPLAY_EXHAUSTED },
    { "one attempt is none to repeat", 1, 1, 1, RF_REPLAY_EXHAUSTED },
    { "the body before the attempts", 0, 9, 2, RF_REPLAY_BODY },
};

static const struct {
    uint32_t inflight, budget;
} budgets[] = { { 0, 10 }, { 1, 10 }, { 54, 10 }, { 55, 11 }, { 200, 40 }, { UINT32_MAX, UINT32_MAX / 5 } };

static void bounds(void)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        rf_replay_facts facts = { .mode = RF_REPLAY_SAFE, .body_kept = limits[i].body_kept, .attempts = limits[i].attempts,
                                  .most = limits[i].most };
        is_int(rf_replay_decide(&facts), limits[i].verdict, "%s", limits[i].name);
        facts.mode = RF_REPLAY_OFF;
        is_int(rf_replay_decide(&facts), RF_REPLAY_NOT_WANTED, "%s: off is off", limits[i].name);
    }
    for (size_t i = 0; i < COUNT(budgets); i++)
        is_int(rf_replay_budget(budgets[i].inflight), budgets[i].budget, "%u run: %u of them again", budgets[i].inflight,
               budgets[i].budget);
    for (int v = RF_REPLAY_NOT_WANTED; v <= RF_REPLAY_OVER_BUDGET; v++)
        ok(*rf_replay_reason((rf_replay_verdict)v), "each refusal has a reason: %s", rf_replay_reason((rf_replay_verdict)v));
}

int main(void)
{
    words();
    failures();
    blame();
    modes();
    bounds();
    return tap_done();
}
