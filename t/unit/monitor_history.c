/* SPDX-License-Identifier: Apache-2.0 */
/* What the board's history says of each second: the worst of it. */
#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"

static world w;

/* The second that ends `ms` after the start. */
static rf_history_sample second_at(const w_step *steps, int ms)
{
    rf_policy policy = world_policy();

    world_begin(&w, &policy);
    world_run(&w, steps, ms - 1000);
    rf_monitor_second(&w.monitor, w.now);
    while (steps->what != W_END && steps->at <= ms - 1000)
        steps++;
    world_run(&w, steps, ms);
    return rf_monitor_second(&w.monitor, w.now);
}

static void seconds(void)
{
    static const struct {
        const char *name;
        w_step steps[8];
        int ms;
        rf_state_name state;
        int held;   /* some, none */
        int rtt_ms; /* at least, and not twice as long; 0 none */
    } cases[] = {
        { "all is well", { SERVER(0, A, W_UP), DNS(0, A) }, 20000, RF_STATE_AVAILABLE, 0, 1 },
        { "the slowest answer of the second", { SERVER(0, A, W_UP), DNS(0, A), RTT(19100, A, 40), RTT(19600, A, 1) }, 20000,
          RF_STATE_AVAILABLE, 0, 40 },
        { "a suspicion that is over", { SERVER(0, A, W_UP), DNS(0, A), RTT(19000, A, 400) }, 20000,
          RF_STATE_SUSPECT, 1, 400 },
        { "an outage", { SERVER(0, A, W_UP), DNS(0, A), SERVER(15000, A, W_REFUSES) }, 20000, RF_STATE_OUTAGE, 1, 0 },
        { "the second in which it ends", { SERVER(0, A, W_UP), DNS(0, A), SERVER(15000, A, W_REFUSES), SERVER(19500, A, W_UP) }, 20000,
          RF_STATE_OUTAGE, 1, 1 },
        { "nothing is known", { SERVER(0, A, W_REFUSES), DNS(0, A) }, 20000, RF_STATE_UNKNOWN, 0, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rf_history_sample s = second_at(cases[i].steps, cases[i].ms);
        is_str(rf_state_text((rf_state_name)s.state), rf_state_text(cases[i].state), "%s: the state", cases[i].name);
        is_int(s.held > 0, cases[i].held, "%s: %u waited", cases[i].name, s.held);
        ok((int)s.rtt_us / 1000 >= cases[i].rtt_ms && (int)s.rtt_us / 1000 <= 2 * cases[i].rtt_ms, "%s: an answer within %u us",
           cases[i].name, s.rtt_us);
        ok(s.at == w.now, "%s: the time", cases[i].name);
        s = rf_monitor_second(&w.monitor, w.now);
        is_int(s.state, w.monitor.state.name, "%s: the next second begins as this one ended", cases[i].name);
    }
}

int main(void)
{
    seconds();
    return tap_done();
}
