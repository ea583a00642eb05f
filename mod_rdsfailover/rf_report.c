/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report.c
 * @brief Health, and what the report's formats share. See rf_report.h and rf_report_parts.h.
 *
 * Layer: core.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rf_report_parts.h"

int rf_report_stale(const rf_report *report, const rf_report_database *db)
{
    const rf_brief *brief = &db->snapshot.brief;

    return db->known && brief->state != RF_STATE_UNKNOWN && rf_brief_state(brief, report->now) == RF_STATE_UNKNOWN;
}

rf_state_name rf_report_state(const rf_report *report, const rf_report_database *db)
{
    rf_state_name state = db->known ? rf_brief_state(&db->snapshot.brief, report->now) : RF_STATE_UNKNOWN;

    return state <= RF_STATE_RECOVERING ? state : RF_STATE_UNKNOWN;
}

rf_time rf_report_since(const rf_report *report, const rf_report_database *db)
{
    const rf_brief *brief = &db->snapshot.brief;

    if (rf_report_stale(report, db))
        return brief->observed_at + brief->stale_after;
    return db->known ? db->snapshot.since : 0;
}

static int grown(uint64_t before, uint64_t after, uint64_t *ret_n)
{
    if (after < before)
        return 0;
    *ret_n = after - before;
    return 1;
}

int rf_report_failover_held(const rf_report_database *db, unsigned i, uint64_t *ret_held)
{
    const rf_failover *f = &db->snapshot.failovers[i];

    /* The queue was not yet empty: count up to now, or to where the next failover began. */
    return f->drained ? grown(0, f->held, ret_held)
                      : grown(f->held_before, i == 0 ? db->counts[RF_COUNT_HELD] : f[-1].held_before, ret_held);
}

int rf_report_failover_replayed(const rf_report_database *db, unsigned i, uint64_t *ret_replayed)
{
    const rf_failover *f = &db->snapshot.failovers[i];

    return f->drained ? grown(0, f->replayed, ret_replayed)
                      : grown(f->replayed_before, i == 0 ? db->counts[RF_COUNT_WITHHELD] : f[-1].replayed_before, ret_replayed);
}

int rf_report_order(const rf_report *report, const rf_report_database *db, rf_report_ordered *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->action = rf_orders_shown(&db->snapshot.orders, report->now, &ret->until, &ret->by);
    /* A monitor that fell silent has told nobody to wait. */
    if (!db->known || rf_report_stale(report, db))
        ret->action = RF_ORDER_NONE;
    ret->drained = ret->action == RF_ORDER_HOLD && db->inflight == 0;
    return ret->action != RF_ORDER_NONE;
}

uint32_t rf_report_allowed(const rf_report *report, const rf_report_database *db)
{
    rf_report_ordered order;

    if (rf_report_order(report, db, &order) && order.action == RF_ORDER_HOLD)
        return 0;
    return rf_report_state(report, db) == RF_STATE_RECOVERING ? db->snapshot.brief.allowed : 0;
}

rf_time rf_report_oldest(const rf_report *report, const rf_report_database *db)
{
    return db->now_held && db->oldest && db->oldest < report->now ? report->now - db->oldest : 0;
}

int rf_report_when(const rf_report *report, rf_time t, char ret_text[RF_REPORT_WHEN_MAX])
{
    int64_t ago, wall;
    time_t seconds;
    struct tm utc;

    ret_text[0] = '\0';
    if (t == 0 || __builtin_sub_overflow(report->now, t, &ago) || __builtin_sub_overflow(report->wall, ago, &wall) || wall < 0)
        return 0;
    seconds = (time_t)(wall / 1000000);
    if (!gmtime_r(&seconds, &utc) || utc.tm_year > 9999 - 1900)
        return 0;
    strftime(ret_text, RF_REPORT_WHEN_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text + strlen(ret_text), sizeof(".000Z"), ".%03uZ", (unsigned)(wall / 1000 % 1000));
    return 1;
}

/** @return length of the valid UTF-8 sequence at `s` (RFC 3629: no surrogates, nothing overlong), or 0 */
static size_t utf8_length(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < n; i++) {
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

/** U+0000 to U+001F, U+007F to U+009F: terminals act on them. */
static int is_control(const unsigned char *s)
{
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

void rf_report_clean(const char *text, char ret_text[RF_REPORT_TEXT_MAX])
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *s = (const unsigned char *)text;
    size_t len = 0;

    while (*s) {
        size_t n = utf8_length(s);
        int bad = n == 0 || is_control(s);
        size_t out = bad ? 3 : n;

        if (len + out >= RF_REPORT_TEXT_MAX)
            break;
        memcpy(ret_text + len, bad ? (const void *)replacement : s, out);
        len += out;
        s += n ? n : 1;
    }
    ret_text[len] = '\0';
}

int rf_report_health(const rf_report *report, int strict)
{
    uint64_t held = 0;
    int writers = report->ndatabases > 0;

    for (unsigned i = 0; i < report->ndatabases; i++) {
        rf_state_name state = rf_report_state(report, &report->databases[i]);

        held += report->databases[i].now_held;
        if (state != RF_STATE_AVAILABLE && state != RF_STATE_RECOVERING)
            writers = 0;
    }
    if (strict && !writers)
        return 503;
    return report->capacity.requests && held >= report->capacity.requests ? 503 : 200;
}
