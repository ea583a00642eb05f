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
    rf_time expires, now;
    rf_hold_verdict verdict;
    rf_time look_again;
} waits[] = {
    { "a writer is there", RF_STATE_AVAILABLE, SEEN + RF_SEC(150), SEEN + RF_SEC(1), RF_HOLD_RELEASE, 0 },
    { "held requests leave", RF_STATE_RECOVERING, SEEN + RF_SEC(150), SEEN + RF_SEC(1), RF_HOLD_RELEASE, 0 },
    { "nobody knows", RF_STATE_UNKNOWN, SEEN + RF_SEC(150), SEEN + RF_SEC(1), RF_HOLD_PASS, 0 },
    { "an outage", RF_STATE_OUTAGE, SEEN + RF_SEC(150), SEEN + RF_SEC(1), RF_HOLD_WAIT, GIVES_UP },
    { "suspicion", RF_STATE_SUSPECT, SEEN + RF_SEC(150), SEEN + RF_SEC(1), RF_HOLD_WAIT, GIVES_UP },
    { "the hold ends before the board is given up", RF_STATE_OUTAGE, SEEN + RF_SEC(2), SEEN + RF_SEC(1), RF_HOLD_WAIT, SEEN + RF_SEC(2) },
    { "the hold is over", RF_STATE_OUTAGE, SEEN + RF_SEC(1), SEEN + RF_SEC(1), RF_HOLD_EXPIRE, 0 },
    { "the hold is over, and a writer is there", RF_STATE_AVAILABLE, SEEN + RF_SEC(1), SEEN + RF_SEC(2), RF_HOLD_RELEASE, 0 },
    { "a stale board, as long as a new monitor may come", RF_STATE_OUTAGE, SEEN + RF_SEC(150), GIVES_UP - 1, RF_HOLD_WAIT, GIVES_UP },
    { "a stale board, given up", RF_STATE_OUTAGE, SEEN + RF_SEC(150), GIVES_UP, RF_HOLD_PASS, 0 },
    { "a stale board that last said available", RF_STATE_AVAILABLE, SEEN + RF_SEC(150), GIVES_UP + RF_SEC(9), RF_HOLD_RELEASE, 0 },
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

int main(void)
{
    rf_brief never = { 0 };
    rf_time look = 0;
    unsigned workers, greedy = 0, empty = 0;

    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        rf_brief brief = { .observed_at = SEEN, .stale_after = STALE, .state = waits[i].state };
        rf_time again = 0;
        is_int(rf_hold_judge(&brief, waits[i].expires, waits[i].now, &again), waits[i].verdict, "%s", waits[i].name);
        is_int(again, waits[i].look_again, "%s: looks again", waits[i].name);
        if (waits[i].verdict == RF_HOLD_WAIT)
            ok(again > waits[i].now, "%s: later", waits[i].name);
    }
    is_int(rf_hold_judge(&never, RF_SEC(1), RF_SEC(2), &look), RF_HOLD_PASS, "a board nobody ever wrote lets pass");

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        is_int(rf_hold_concerns(&requests[i].facts), requests[i].waits, "%s", requests[i].name);

    for (workers = 1; workers < 5000; workers++) {
        greedy += rf_hold_capacity(workers, 10000) >= workers;
        empty += workers > 1 && !rf_hold_capacity(workers, 10000);
    }
    is_int(greedy, 0, "a worker is always left");
    is_int(empty, 0, "two workers are enough to hold one request");
    is_int(rf_hold_capacity(400, 10000), 300, "three quarters of the workers");
    is_int(rf_hold_capacity(400, 20), 20, "never more than queue=");
    is_int(rf_hold_capacity(1, 10000), 0, "a single worker cannot be spared");
    is_int(rf_hold_capacity(0, 10000), 0, "no worker, no place");
    return tap_done();
}
