/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_monitor_moves.c
 * @brief Who the writer is, and every change of state: said, recorded, made known.
 *
 * Layer: loop. See rf_monitor.h.
 */
#include <stdio.h>
#include <string.h>

#include "rf_monitor_parts.h"
#include "rf_timeline.h"

void rf_monitor_say(rf_monitor *m, rf_say_level level, int id, const char *text)
{
    m->world.say(m->world.ctx, level, id, text);
}

rf_crowd rf_monitor_crowd(const rf_monitor *m)
{
    rf_crowd crowd;

    m->world.queue(m->world.ctx, &crowd);
    return crowd;
}

int rf_monitor_is_writer(const rf_monitor *m, const rf_candidate *c)
{
    return c && rf_address_equal(&c->address, &m->snapshot.brief.writer);
}

/* What was seen of the addresses until now proves nothing any more, and the next answers of all and of the resolver matter. */
static void look_anew(rf_monitor *m, rf_time now)
{
    rf_candidates_look_anew(&m->candidates, now);
    if (m->next_dns > now)
        m->next_dns = now;
}

static void say_outage(rf_monitor *m)
{
    const char *writer = m->snapshot.brief.writer.text;
    char text[400];

    if (m->state.failures > 0) {
        snprintf(text, sizeof text, "Outage: the writer %s failed %d times in a row (%s%s%.160s); requests are held", writer,
                 m->state.failures, rf_cause_name((rf_cause)m->draft.cause), m->snapshot.probe.error[0] ? ": " : "",
                 m->snapshot.probe.error);
        rf_monitor_say(m, RF_SAY_ERROR, 103, text);
    } else {
        snprintf(text, sizeof text, "Outage: the writer %s is well, but this host's resolver gives %.45s, which fails (%s); "
                 "requests are held until it gives the writer. Applications that use RDS_HOSTADDR need not wait: app=address", writer,
                 m->host_addresses[0].text, rf_cause_name((rf_cause)m->draft.cause));
        rf_monitor_say(m, RF_SAY_ERROR, 116, text);
    }
}

static void say_drained(rf_monitor *m, const rf_crowd *crowd)
{
    char text[200];

    if (crowd->waiting == 0) {
        snprintf(text, sizeof text, "Recovered: every held request has left; at most %u were allowed to run at once", m->pace.most);
        rf_monitor_say(m, RF_SAY_NOTICE, 105, text);
    } else {
        snprintf(text, sizeof text, "The release takes too long; %llu requests still wait and go on now, any number at once "
                 "(until now %u)", (unsigned long long)crowd->waiting, m->pace.allowed);
        rf_monitor_say(m, RF_SAY_WARNING, 115, text);
    }
}

/* Every way into the state machine ends here: say what changed and keep the record. */
void rf_monitor_moved(rf_monitor *m, rf_state_name before, rf_time now)
{
    rf_crowd crowd;

    m->changed = 1;
    if (m->state.name == before)
        return;
    crowd = rf_monitor_crowd(m);
    rf_monitor_history_state(m, crowd.waiting);
    if (before == RF_STATE_SUSPECT && (m->state.name == RF_STATE_AVAILABLE || m->state.name == RF_STATE_RECOVERING))
        rf_monitor_say(m, RF_SAY_INFO, 106, "The writer answers again; it was only slow");
    switch (m->state.name) {
    case RF_STATE_SUSPECT:
        m->draft.detected = now;
        rf_monitor_release_doubted(m);
        rf_monitor_say(m, RF_SAY_INFO, 102, "The database is suspect; new requests wait for its next answer");
        break;
    case RF_STATE_OUTAGE:
        if (!m->draft.detected)
            m->draft.detected = now;
        m->draft.declared = now;
        /* One that was open when the prober fell silent goes on. */
        if (!rf_timeline_current(&m->snapshot))
            rf_timeline_open(&m->snapshot, &m->draft);
        look_anew(m, now);
        say_outage(m);
        break;
    case RF_STATE_AVAILABLE:
        rf_timeline_drained(&m->snapshot, crowd.held, crowd.withheld, now);
        if (before == RF_STATE_RECOVERING)
            say_drained(m, &crowd);
        m->drafting = 0;
        break;
    case RF_STATE_UNKNOWN:
        m->drafting = 0;
        look_anew(m, now);
        rf_monitor_say(m, RF_SAY_ERROR, 108, "No verdict on the database for too long; requests pass until there is one. Is the prober installed and running?");
        break;
    case RF_STATE_RECOVERING:
        break;
    }
}

/* The first evidence against the writer opens the draft of a failover's record. */
static void doubt(rf_monitor *m, rf_cause cause, rf_time started)
{
    rf_crowd crowd;

    if (m->drafting)
        return;
    crowd = rf_monitor_crowd(m);
    memset(&m->draft, 0, sizeof m->draft);
    m->draft.cause = cause;
    m->draft.started = started;
    m->draft.from = m->snapshot.brief.writer;
    m->draft.held_before = crowd.held;
    m->draft.replayed_before = crowd.withheld;
    m->drafting = 1;
}

void rf_monitor_adopt_outage(rf_monitor *m, rf_time now)
{
    const rf_failover *open = rf_timeline_current(&m->snapshot);

    doubt(m, RF_CAUSE_NONE, now);
    m->draft.detected = m->draft.declared = now;
    if (open)
        m->draft = *open;
    else
        rf_timeline_open(&m->snapshot, &m->draft);
}

void rf_monitor_give_up(rf_monitor *m, rf_time now)
{
    m->drafting = 0;
    m->snapshot.brief.epoch++;
    memset(&m->snapshot.brief.writer, 0, sizeof m->snapshot.brief.writer);
    rf_candidates_elect(&m->candidates, NULL);
    rf_state_given_up(&m->state, now);
    rf_monitor_say(m, RF_SAY_ERROR, 112, "The server that DNS names answers, but refuses our login; whether it takes writes is not known. "
                   "Requests pass until it lets us in");
    m->changed = 1;
}

int rf_monitor_host_gives(const rf_monitor *m, const rf_address *address)
{
    unsigned i;

    for (i = 0; i < m->nhost_addresses; i++) {
        if (rf_address_equal(&m->host_addresses[i], address))
            return 1;
    }
    return 0;
}

int rf_monitor_strays(const rf_monitor *m)
{
    return m->policy.app_name && m->nhost_addresses && !rf_monitor_host_gives(m, &m->snapshot.brief.writer);
}

void rf_monitor_check_name(rf_monitor *m, rf_time now)
{
    rf_state_name before = m->state.name;
    const rf_candidate *c;

    if ((before != RF_STATE_AVAILABLE && before != RF_STATE_RECOVERING) || !rf_monitor_strays(m))
        return;
    c = rf_candidates_all_fail(&m->candidates, m->host_addresses, m->nhost_addresses, m->policy.fails);
    if (!c)
        return;
    doubt(m, c->last.cause, c->struck);
    rf_state_astray(&m->state, now);
    rf_monitor_moved(m, before, now);
}

void rf_monitor_take_facts(rf_monitor *m, const rf_candidate *c)
{
    rf_snapshot *s = &m->snapshot;

    memcpy(s->writer.server, c->last.server, sizeof s->writer.server);
    memcpy(s->writer.version, c->last.version, sizeof s->writer.version);
    s->writer.read_only = c->last.read_only;
    s->writer.buffer_pool_bytes = c->last.buffer_pool_bytes;
}

/* Said once: this is what a person must know who wonders why a verified writer does not end the outage. */
static void await_name(rf_monitor *m, const rf_candidate *c, rf_failover *open)
{
    char text[300];

    if (!open || open->awaited)
        return;
    open->awaited = 1;
    m->changed = 1;
    snprintf(text, sizeof text, "%.45s takes writes; requests wait until this host's resolver gives that address too (now %.45s). "
             "Applications that use RDS_HOSTADDR need not: app=address", c->address.text,
             m->nhost_addresses ? m->host_addresses[0].text : "none");
    rf_monitor_say(m, RF_SAY_INFO, 113, text);
}

/* This address is the writer from now on. */
static void become(rf_monitor *m, rf_candidate *c, rf_time now)
{
    rf_state_name before = m->state.name;
    rf_address from = m->snapshot.brief.writer;
    /* An outage that the prober did not see the end of, or another monitor began, ends as well. */
    const rf_failover *open = rf_timeline_current(&m->snapshot);
    char text[400];

    rf_state_verified(&m->state, now);
    /* If nothing was seen for a while and the writer is who it was, nothing has changed for the application. */
    if (open || before == RF_STATE_OUTAGE || !rf_address_equal(&from, &c->address))
        m->snapshot.brief.epoch++;
    m->snapshot.brief.writer = c->address;
    m->snapshot.writer.verified_at = now;
    if (!rf_address_equal(&from, &c->address))
        m->rtt = 0;
    rf_candidates_elect(&m->candidates, c);
    rf_monitor_take_facts(m, c);
    if (m->state.name == RF_STATE_RECOVERING)
        rf_monitor_release_begin(m, c, now);
    if (open) {
        rf_timeline_end(&m->snapshot, now);
        if (!m->state.halted)
            rf_timeline_released(&m->snapshot, now);
        snprintf(text, sizeof text, "Outage over after %.1f s: the writer is %s (%s, %s), it was %s; held requests go on",
                 (double)(now - open->started) / 1e6, c->address.text, c->last.server, c->last.version,
                 from.text[0] ? from.text : "not known");
        rf_monitor_say(m, RF_SAY_NOTICE, 104, text);
        m->drafting = 0;
    } else {
        snprintf(text, sizeof text, "The writer is %s (%s, %s)", c->address.text, c->last.server, c->last.version);
        rf_monitor_say(m, RF_SAY_NOTICE, 101, text);
    }
    rf_monitor_moved(m, before, now);
}

/* Is there a writer to be had, or another one than before? */
void rf_monitor_weigh(rf_monitor *m, rf_time now)
{
    const rf_address *current = &m->snapshot.brief.writer;
    int passes = m->state.name == RF_STATE_UNKNOWN ? 1 : m->policy.passes;
    rf_candidate *c = rf_candidates_writer(&m->candidates, &m->policy, current, passes);
    rf_failover *open = m->state.name == RF_STATE_OUTAGE ? rf_timeline_current(&m->snapshot) : NULL;
    rf_candidate *now_writer;

    if (open && !c)
        open->verified = 0;
    if (!c)
        return;
    switch (m->state.name) {
    case RF_STATE_UNKNOWN:
        become(m, c, now);
        break;
    case RF_STATE_AVAILABLE:
    case RF_STATE_RECOVERING:
        now_writer = rf_candidates_find(&m->candidates, current);
        if (!rf_monitor_is_writer(m, c) && c->named && !(now_writer && now_writer->named))
            become(m, c, now);
        break;
    case RF_STATE_OUTAGE:
        if (open && (!open->verified || !rf_address_equal(&open->to, &c->address))) {
            open->verified = now;
            open->to = c->address;
            m->changed = 1;
        }
        if (m->policy.app_name && !rf_monitor_host_gives(m, &c->address)) {
            await_name(m, c, open);
            break;
        }
        become(m, c, now);
        break;
    case RF_STATE_SUSPECT:
        break;
    }
}

void rf_monitor_fail_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now)
{
    rf_state_name before = m->state.name;

    doubt(m, cause, started);
    rf_state_failed(&m->state, &m->policy, now);
    rf_monitor_moved(m, before, now);
}

void rf_monitor_suspect_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now)
{
    rf_state_name before = m->state.name;

    doubt(m, cause, started);
    rf_state_suspected(&m->state, now);
    rf_monitor_moved(m, before, now);
}

void rf_monitor_answer_writer(rf_monitor *m, rf_time now)
{
    rf_state_name before = m->state.name;

    rf_state_answered(&m->state, now);
    rf_monitor_moved(m, before, now);
    if (m->state.name != RF_STATE_OUTAGE)
        m->drafting = 0;
}
