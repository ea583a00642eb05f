/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static rf_order_action ordered(const rf_brief *brief)
{
    return brief->hold_until ? RF_ORDER_HOLD : brief->armed ? RF_ORDER_ARM : RF_ORDER_NONE;
}

rf_notify_event rf_notify_event_of(const rf_brief *before, const rf_brief *after)
{
    if (before->state != after->state)
        return RF_NOTIFY_STATE;
    if (!rf_address_equal(&before->writer, &after->writer))
        return RF_NOTIFY_WRITER;
    return ordered(before) != ordered(after) ? RF_NOTIFY_ORDER : RF_NOTIFY_NOTHING;
}

__attribute__((format(printf, 2, 3))) static void add(rf_notify_env *env, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(env->variables[env->n++], RF_NOTIFY_VARIABLE_MAX, format, arguments);
    va_end(arguments);
}

/* Why there is no good answer; empty while there is one. */
static const char *cause_of(const rf_snapshot *s)
{
    if (s->brief.state == RF_STATE_OUTAGE && s->nfailovers && !s->failovers[0].ended)
        return rf_cause_name((rf_cause)s->failovers[0].cause);
    if (s->brief.state != RF_STATE_SUSPECT && s->brief.state != RF_STATE_OUTAGE)
        return "";
    return s->probe.last && !s->probe.ok ? rf_cause_name((rf_cause)s->probe.cause) : "";
}

void rf_notify_environment(const rf_notify_facts *facts, rf_notify_env *ret_env)
{
    static const char *const events[] = { "none", "order", "writer", "state" };
    const rf_snapshot *s = facts->snapshot;
    time_t seconds = (time_t)(facts->wall / 1000000);
    struct tm utc;
    char moment[32] = "";

    if (gmtime_r(&seconds, &utc))
        strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S", &utc);
    ret_env->n = 0;
    add(ret_env, "RDSFAILOVER_EVENT=%s", events[facts->event]);
    add(ret_env, "RDSFAILOVER_DATABASE=%s", facts->database);
    add(ret_env, "RDSFAILOVER_ENDPOINT=%s:%u", facts->endpoint, facts->port);
    add(ret_env, "RDSFAILOVER_HOST=%s", facts->host);
    add(ret_env, "RDSFAILOVER_FROM=%s", rf_state_text(facts->from));
    add(ret_env, "RDSFAILOVER_STATE=%s", rf_state_text((rf_state_name)s->brief.state));
    add(ret_env, "RDSFAILOVER_CAUSE=%s", cause_of(s));
    add(ret_env, "RDSFAILOVER_EPOCH=%" PRIu32, s->brief.epoch);
    add(ret_env, "RDSFAILOVER_WRITER=%s", s->brief.writer.text);
    add(ret_env, "RDSFAILOVER_ORDER=%s", rf_order_text(ordered(&s->brief)));
    add(ret_env, "RDSFAILOVER_TIME=%s.%03dZ", moment, (int)(facts->wall / 1000 % 1000));
}
