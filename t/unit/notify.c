/* SPDX-License-Identifier: Apache-2.0 */
/* What RDSFailoverNotify tells: which changes, in which words, and nothing that a server or a user chose. */
#include "rf_notify.h"
#include "tap.h"

static rf_brief brief(rf_state_name state, const char *writer)
{
    rf_brief b = { .state = state, .epoch = 3 };

    snprintf(b.writer.text, sizeof b.writer.text, "%s", writer);
    return b;
}

static void events(void)
{
    rf_brief before = brief(RF_STATE_AVAILABLE, "10.0.0.1"), after = before;

    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_NOTHING, "nothing changed");
    after.observed_at = after.allowed = after.epoch = after.dsn_serial = 77;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_NOTHING, "nothing worth telling");
    after.armed = 1;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_ORDER, "armed");
    after.hold_until = RF_SEC(60);
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_ORDER, "held by order");
    before.hold_until = RF_SEC(30);
    before.armed = 1;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_NOTHING, "a longer hold is the same");
    after.hold_until = 0;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_ORDER, "released");
    after.writer = brief(RF_STATE_AVAILABLE, "10.0.0.2").writer;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_WRITER, "another writer is more than an order");
    after.state = RF_STATE_RECOVERING;
    is_int(rf_notify_event_of(&before, &after), RF_NOTIFY_STATE, "another state is more than that");
}

/* @return the value of a variable, or NULL */
static const char *value(const rf_notify_env *env, const char *name)
{
    size_t length = strlen(name);

    for (unsigned i = 0; i < env->n; i++) {
        if (!strncmp(env->variables[i], name, length) && env->variables[i][length] == '=')
            return env->variables[i] + length + 1;
    }
    return NULL;
}

static void variables(void)
{
    static const char *const rows[][2] = {
        { "RDSFAILOVER_EVENT", "state" },       { "RDSFAILOVER_DATABASE", "shop" }, { "RDSFAILOVER_ENDPOINT", "shop.example:3306" },
        { "RDSFAILOVER_HOST", "web1" },         { "RDSFAILOVER_FROM", "suspect" },  { "RDSFAILOVER_STATE", "outage" },
        { "RDSFAILOVER_CAUSE", "shutdown" },    { "RDSFAILOVER_EPOCH", "3" },       { "RDSFAILOVER_WRITER", "10.0.0.1" },
        { "RDSFAILOVER_ORDER", "none" },        { "RDSFAILOVER_TIME", "2026-11-22T18:10:00.250Z" },
    };
    rf_snapshot s = { .brief = brief(RF_STATE_OUTAGE, "10.0.0.1"), .nfailovers = 1 };
    rf_notify_facts facts = { .event = RF_NOTIFY_STATE, .database = "shop", .endpoint = "shop.example", .port = 3306, .host = "web1",
                              .from = RF_STATE_SUSPECT, .snapshot = &s, .wall = 1795371000250000 };
    char long_name[1000];
    rf_notify_env env;
    unsigned i;

    s.failovers[0].cause = RF_CAUSE_SHUTDOWN;
    s.probe.last = 1;
    s.probe.cause = RF_CAUSE_UNREACHABLE;
    snprintf(s.probe.error, sizeof s.probe.error, "`reboot`");
    snprintf(s.writer.server, sizeof s.writer.server, "$(reboot)");
    snprintf(s.orders.hold_by, sizeof s.orders.hold_by, "; reboot");
    rf_notify_environment(&facts, &env);
    is_int(env.n, sizeof rows / sizeof rows[0], "that many variables");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_str(value(&env, rows[i][0]), rows[i][1], "%s", rows[i][0]);
    for (i = 0; i < env.n; i++)
        ok(!strstr(env.variables[i], "reboot"), "%.30s: no text of others", env.variables[i]);

    s.brief.state = RF_STATE_SUSPECT;
    s.failovers[0].ended = 1;
    rf_notify_environment(&facts, &env);
    is_str(value(&env, "RDSFAILOVER_CAUSE"), "unreachable", "suspect: the last probe's cause");
    s.probe.ok = 1;
    rf_notify_environment(&facts, &env);
    is_str(value(&env, "RDSFAILOVER_CAUSE"), "", "or none, if it is only late");
    s.probe.ok = 0;
    s.brief = brief(RF_STATE_AVAILABLE, "");
    s.brief.armed = 1;
    rf_notify_environment(&facts, &env);
    is_str(value(&env, "RDSFAILOVER_CAUSE"), "", "available: no cause");
    is_str(value(&env, "RDSFAILOVER_WRITER"), "", "no writer is empty");
    is_str(value(&env, "RDSFAILOVER_ORDER"), "arm", "armed");
    s.brief.hold_until = 1;
    rf_notify_environment(&facts, &env);
    is_str(value(&env, "RDSFAILOVER_ORDER"), "hold", "a hold comes first");

    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    facts.endpoint = facts.database = facts.host = long_name;
    rf_notify_environment(&facts, &env);
    is_int(strlen(env.variables[2]), RF_NOTIFY_VARIABLE_MAX - 1, "what is too long is cut");
    ok(env.n <= RF_NOTIFY_VARIABLES, "and all have room");
}

int main(void)
{
    events();
    variables();
    return tap_done();
}
