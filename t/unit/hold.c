/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests wait, and what becomes of one that does. */
#include "rf_hold.h"
#include "tap.h"

#define SEEN RF_SEC(1000)
#define STALE RF_MS(2500)
#define GIVES_UP (SEEN + STALE + RF_HOLD_STALE_GRACE)

static const struct {
    const char *name;
    rf_state_name state;
    rf_time now;
    rf_gate gate;
} gates[] = {
    { "a writer is there", RF_STATE_AVAILABLE, SEEN + RF_SEC(1), RF_GATE_OPEN },
    { "held requests leave", RF_STATE_RECOVERING, SEEN + RF_SEC(1), RF_GATE_OPEN },
    { "nobody knows", RF_STATE_UNKNOWN, SEEN + RF_SEC(1), RF_GATE_GIVEN_UP },
    { "an outage", RF_STATE_OUTAGE, SEEN + RF_SEC(1), RF_GATE_SHUT },
    { "suspicion", RF_STATE_SUSPECT, SEEN + RF_SEC(1), RF_GATE_SHUT },
    { "a stale board, as long as a new monitor may come", RF_STATE_OUTAGE, GIVES_UP - 1, RF_GATE_SHUT },
    { "a stale board, given up", RF_STATE_OUTAGE, GIVES_UP, RF_GATE_GIVEN_UP },
    { "a stale board that last said available", RF_STATE_AVAILABLE, GIVES_UP + RF_SEC(9), RF_GATE_OPEN },
};

static const struct {
    const char *name;
    rf_terms terms;
    rf_time now;
    rf_hold_verdict verdict;
} waits[] = {
    { "no front: only the whole hold ends", { RF_TIME_NEVER, RF_SEC(150), 1 }, RF_SEC(150) - 1, RF_HOLD_WAIT },
    { "and it does", { RF_TIME_NEVER, RF_SEC(150), 1 }, RF_SEC(150), RF_HOLD_EXPIRE },
    { "within the leg", { RF_SEC(50), RF_SEC(150), 1 }, RF_SEC(50) - 1, RF_HOLD_WAIT },
    { "the leg is over", { RF_SEC(50), RF_SEC(150), 1 }, RF_SEC(50), RF_HOLD_REDIRECT },
    { "the leg is over, and it cannot be sent round", { RF_SEC(50), RF_SEC(150), 0 }, RF_SEC(50), RF_HOLD_EXPIRE },
    { "both are over", { RF_SEC(50), RF_SEC(40), 1 }, RF_SEC(60), RF_HOLD_EXPIRE },
};

static const struct {
    const char *name;
    rf_time ours, elsewhere, denied_since, now;
    int turn;
} turns[] = {
    { "nobody else waits", RF_SEC(9), RF_TIME_NEVER, 0, RF_SEC(10), 1 },
    { "ours is older", RF_SEC(8), RF_SEC(9), 0, RF_SEC(10), 1 },
    { "as good as the same age", RF_SEC(9) + RF_TURN_SLACK, RF_SEC(9), 0, RF_SEC(10), 1 },
    { "another is older", RF_SEC(9) + RF_TURN_SLACK + 1, RF_SEC(9), 0, RF_SEC(10), 0 },
    { "and has not come yet", RF_SEC(9), RF_SEC(8), RF_SEC(10), RF_SEC(10) + RF_TURN_PATIENCE - 1, 0 },
    { "and does not come", RF_SEC(9), RF_SEC(8), RF_SEC(10), RF_SEC(10) + RF_TURN_PATIENCE, 1 },
};

static const struct {
    const char *name;
    rf_request_facts facts;
    int waits;
} requests[] = {
    { "no file: a front controller, say", { 0 }, 1 },
    { "a plain file", { .regular_file = 1 }, 0 },
    { "a file with a handler: a script", { .regular_file = 1, .own_handler = 1 }, 1 },
    { "a file that is proxied: PHP-FPM", { .regular_file = 1, .proxied = 1 }, 1 },
    { "a file with server-side includes", { .regular_file = 1, .parsed = 1 }, 1 },
    { "a proxied URL", { .proxied = 1 }, 1 },
    { "a subrequest", { .subrequest = 1, .own_handler = 1 }, 0 },
    { "a redirect of what has executed: an ErrorDocument", { .executed = 1, .own_handler = 1 }, 0 },
    { "an exempt request", { .exempt = 1, .own_handler = 1 }, 0 },
    { "the status page", { .status_page = 1, .own_handler = 1 }, 0 },
};

/* An order to hold, which ends by the reader's clock. */
static void orders(void)
{
    static const rf_state_name all[] = { RF_STATE_UNKNOWN, RF_STATE_AVAILABLE, RF_STATE_SUSPECT, RF_STATE_OUTAGE, RF_STATE_RECOVERING };
    const rf_time until = SEEN + STALE;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *state = rf_state_text(all[i]);
        rf_brief brief = { .observed_at = SEEN, .stale_after = STALE, .state = all[i], .hold_until = until }, free = brief;

        free.hold_until = 0;
        ok(rf_hold_may_queue(&brief), "%s, held by order: a request may have to wait", state);
        is_int(rf_hold_may_queue(&free), rf_hold_queues(all[i]), "%s, no order: as the state is", state);
        ok(rf_hold_ordered(&brief, until - 1) && !rf_hold_ordered(&brief, until), "%s: the order ends by itself", state);
        ok(rf_hold_queues_now(&brief, until - 1), "%s, held by order: it waits", state);
        is_int(rf_hold_queues_now(&brief, until), rf_hold_queues(all[i]), "%s, the order is over: as the state is", state);
        is_int(rf_hold_gate(&brief, until - 1), RF_GATE_SHUT, "%s, held by order: shut", state);
        is_int(rf_hold_gate(&brief, until), rf_hold_gate(&free, until), "%s, the order is over: as the state is", state);
        brief.hold_until = SEEN + RF_SEC(3600);
        ok(!rf_hold_queues_now(&brief, SEEN + STALE + 1), "%s, held by order: nobody begins to wait for a monitor that is gone", state);
        is_int(rf_hold_gate(&brief, SEEN + STALE + RF_HOLD_STALE_GRACE), RF_GATE_GIVEN_UP, "%s: nor waits for long", state);
    }
}

int main(void)
{
    rf_brief never = { 0 };

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        rf_brief brief = { .observed_at = SEEN, .stale_after = STALE, .state = gates[i].state };
        is_int(rf_hold_gate(&brief, gates[i].now), gates[i].gate, "%s", gates[i].name);
    }
    is_int(rf_hold_gate(&never, RF_SEC(2)), RF_GATE_GIVEN_UP, "a board nobody ever wrote lets pass");

    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        is_int(rf_hold_judge(&waits[i].terms, waits[i].now), waits[i].verdict, "%s", waits[i].name);
        ok(waits[i].verdict == RF_HOLD_WAIT ? rf_hold_due(&waits[i].terms) > waits[i].now
                                            : rf_hold_due(&waits[i].terms) <= waits[i].now, "%s: and it was due", waits[i].name);
    }

    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++)
        is_int(rf_hold_turn(turns[i].ours, turns[i].elsewhere, turns[i].denied_since, turns[i].now), turns[i].turn, "%s",
               turns[i].name);

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        is_int(rf_hold_concerns(&requests[i].facts), requests[i].waits, "%s", requests[i].name);
    ok(rf_hold_queues(RF_STATE_RECOVERING) && rf_hold_queues(RF_STATE_OUTAGE) && rf_hold_queues(RF_STATE_SUSPECT),
       "new requests queue while there is no writer, and while those who waited leave");
    ok(!rf_hold_queues(RF_STATE_AVAILABLE) && !rf_hold_queues(RF_STATE_UNKNOWN), "and at no other time");
    orders();
    return tap_done();
}
