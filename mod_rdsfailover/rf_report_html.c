/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html.c
 * @brief The report as a page that needs no script and no other file.
 *
 * Layer: core. Everything that is not a literal of this file goes through put_text().
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rf_report_parts.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"refresh\" content=\"2\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark;--line:#8886;--soft:#8882}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.3rem}h2{font-size:1.15rem;margin-top:2.5rem}h3{font-size:1rem;margin:1.5rem 0 .3rem}\n"
    ".state{display:inline-block;padding:.1rem .7rem;border-radius:1rem;color:#fff;background:#666}\n"
    ".available{background:#1a7f37}.suspect{background:#9a6700}.outage{background:#b3261e}.recovering{"
    "background:#0b62c4}\n"
    ".note{border-left:4px solid #b3261e;background:var(--soft);padding:.5rem .8rem}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .8rem .25rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top;font-variant-numeric:tabular-nums}\n"
    "td.n,th.n{text-align:right}td.n,td:first-child{white-space:nowrap}th[scope]{width:9rem}\n"
    ".scroll{overflow-x:auto}footer{margin-top:3rem;opacity:.7;font-size:.9em}\n"
    "</style>\n</head>\n<body>\n";

/** What a state means for visitors, in the order of rf_state_name. */
static const char *const meanings[] = {
    "Nothing certain is known. Requests pass.",
    "The writer answers and takes writes. Requests pass.",
    "Something is wrong, but not yet proven. New requests wait for the writer's next answer.",
    "There is no writer. Requests are held until one is verified.",
    "A writer is verified. Held requests are being let go.",
};

static void put_text(FILE *out, const char *text)
{
    char clean[RF_REPORT_TEXT_MAX];

    rf_report_clean(text ? text : "", clean);
    for (const char *c = clean; *c; c++) {
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*c, out);
        }
    }
}

static void put_row(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<tr><th scope=\"row\">%s<td>", name);
    put_text(out, value && value[0] ? value : "not known");
    putc('\n', out);
}

static void put_time_row(FILE *out, const rf_report *report, const char *name, rf_time t)
{
    char moment[RF_REPORT_WHEN_MAX];

    put_row(out, name, rf_report_when(report, t, moment) ? moment : NULL);
}

/** A duration as people say it; `since` 0 is a dash. */
static void put_ms(FILE *out, rf_time since, rf_time t)
{
    int64_t ms = (t - since) / 1000;

    if (!t || !since)
        fputs("<td class=\"n\">&ndash;", out);
    else if (ms < 10000)
        fprintf(out, "<td class=\"n\">%" PRId64 "&nbsp;ms", ms);
    else
        fprintf(out, "<td class=\"n\">%" PRId64 ".%" PRId64 "&nbsp;s", ms / 1000, ms % 1000 / 100);
}

static void put_chain(FILE *out, const rf_report *report, const rf_report_database *db)
{
    const rf_snapshot *s = &db->snapshot;

    fputs("<h3>Where the name leads</h3>\n<div class=\"scroll\"><table>\n", out);
    put_row(out, "Endpoint", db->endpoint);
    for (unsigned i = 0; i < s->dns.ncnames && i < RF_CNAMES; i++)
        put_row(out, "CNAME", s->dns.cnames[i]);
    for (unsigned i = 0; i < s->dns.naddresses && i < RF_ADDRESSES; i++) {
        fputs("<tr><th scope=\"row\">Address<td>", out);
        put_text(out, s->dns.addresses[i].text);
        if (rf_address_equal(&s->dns.addresses[i], &s->brief.writer))
            fputs(" (the writer)", out);
        putc('\n', out);
    }
    put_time_row(out, report, "Changed", s->dns.changed_at);
    if (!s->dns.ok && s->dns.error[0])
        put_row(out, "Error", s->dns.error);
    fputs("</table></div>\n", out);
}

static void put_writer(FILE *out, const rf_report *report, const rf_report_database *db)
{
    const rf_snapshot *s = &db->snapshot;
    char text[64] = "";

    fputs("<h3>Writer</h3>\n<div class=\"scroll\"><table>\n", out);
    put_row(out, "Address", s->brief.writer.text);
    put_row(out, "Server", s->writer.server);
    put_row(out, "Version", s->writer.version);
    if (s->writer.rtt)
        snprintf(text, sizeof(text), "%" PRId64 ".%03d ms", s->writer.rtt / 1000, (int)(s->writer.rtt % 1000));
    put_row(out, "Round trip", text);
    text[0] = '\0';
    if (s->writer.buffer_pool_bytes)
        snprintf(text, sizeof(text), "%" PRIu64 " MiB", s->writer.buffer_pool_bytes >> 20);
    put_row(out, "Buffer pool", text);
    put_time_row(out, report, "Verified", s->writer.verified_at);
    snprintf(text, sizeof(text), "%" PRIu64 ", of which failed %" PRIu64, s->probe.count, s->probe.failed);
    put_row(out, "Probes", text);
    put_time_row(out, report, "Last probe", s->probe.last);
    fputs("</table></div>\n", out);
}

static void put_hold(FILE *out, const rf_report *report, const rf_report_database *db)
{
    static const struct {
        const char *name;
        rf_count count;
    } columns[] = {
        {"Held", RF_COUNT_HELD},       {"Released", RF_COUNT_RELEASED}, {"Passed", RF_COUNT_PASSED},
        {"Expired", RF_COUNT_EXPIRED}, {"Aborted", RF_COUNT_ABORTED},   {"Lost", RF_COUNT_LOST},
        {"Rejected", RF_COUNT_REJECTED}, {"Peak", RF_COUNT_PEAK},
    };
    size_t n = sizeof(columns) / sizeof(columns[0]);

    fputs("<h3>Held requests</h3>\n<div class=\"scroll\"><table>\n<tr><th class=\"n\">Now", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "<th class=\"n\">%s", columns[i].name);
    fprintf(out, "\n<tr><td class=\"n\"><b>%" PRIu64 "</b>", db->now_held);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "<td class=\"n\">%" PRIu64, db->counts[columns[i].count]);
    fputs("\n</table></div>\n", out);
    if (report->hold_capacity)
        fprintf(out, "<p>This server can hold %" PRIu32 " requests at once.</p>\n", report->hold_capacity);
}

static void put_failovers(FILE *out, const rf_report *report, const rf_report_database *db)
{
    const rf_snapshot *s = &db->snapshot;

    fputs("<h3>Failovers</h3>\n", out);
    if (s->nfailovers == 0) {
        fputs("<p>None seen.</p>\n", out);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n<tr><th>Started<th>Cause<th>From<th>To<th class=\"n\">Holding after"
          "<th class=\"n\">DNS changed after<th class=\"n\">Outage"
          "<th class=\"n\">Queue empty after<th class=\"n\">Held\n", out);
    for (unsigned i = 0; i < s->nfailovers && i < RF_FAILOVERS; i++) {
        const rf_failover *f = &s->failovers[i];
        char moment[RF_REPORT_WHEN_MAX];
        uint64_t held;

        rf_report_when(report, f->started, moment);
        fprintf(out, "<tr><td>%s<td>%s<td>", moment, rf_cause_name((rf_cause)f->cause));
        put_text(out, f->from.text);
        fputs("<td>", out);
        put_text(out, f->ended ? f->to.text : "lasting");
        put_ms(out, f->started, f->detected);
        put_ms(out, f->started, f->dns_changed);
        put_ms(out, f->started, f->verified);
        put_ms(out, f->started, f->drained);
        if (rf_report_failover_held(db, i, &held))
            fprintf(out, "<td class=\"n\">%" PRIu64 "\n", held);
        else
            fputs("<td class=\"n\">&ndash;\n", out);
    }
    fputs("</table></div>\n", out);
}

static void put_database(FILE *out, const rf_report *report, const rf_report_database *db)
{
    const rf_snapshot *s = &db->snapshot;
    rf_state_name state = rf_report_state(report, db);
    char since[RF_REPORT_WHEN_MAX];

    fputs("<section>\n<h2>", out);
    put_text(out, db->name);
    fprintf(out, " <span class=\"state %s\">%s</span></h2>\n<p>%s", rf_state_text(state),
            rf_state_text(state), meanings[state]);
    if (rf_report_when(report, rf_report_since(report, db), since))
        fprintf(out, " Since %s, epoch %" PRIu32 ".", since, s->brief.epoch);
    fputs("</p>\n", out);
    if (rf_report_stale(report, db))
        fputs("<p class=\"note\">The monitor has fallen silent: what follows is old. "
              "The server's error log says why.</p>\n", out);
    if (s->probe.last && !s->probe.ok) {
        fputs("<p class=\"note\">Last probe of ", out);
        put_text(out, s->probe.address.text);
        fprintf(out, " failed (%s): ", rf_cause_name((rf_cause)s->probe.cause));
        put_text(out, s->probe.error);
        fprintf(out, "<br>%s</p>\n", rf_cause_advice((rf_cause)s->probe.cause));
    }
    put_chain(out, report, db);
    put_writer(out, report, db);
    put_hold(out, report, db);
    put_failovers(out, report, db);
    fputs("</section>\n", out);
}

static void put_page(FILE *out, const rf_report *report)
{
    char moment[RF_REPORT_WHEN_MAX];

    fputs(head, out);
    if (report->ndatabases) {
        put_text(out, rf_state_text(rf_report_state(report, &report->databases[0])));
        fputs(" &ndash; ", out);
    }
    fputs("databases of ", out);
    put_text(out, report->host);
    fputs(style, out);
    fputs("<h1>Databases of ", out);
    put_text(out, report->host);
    fputs("</h1>\n", out);
    if (report->ndatabases == 0)
        fputs("<p>No database is configured. See RDSFailoverDSN.</p>\n", out);
    for (unsigned i = 0; i < report->ndatabases; i++)
        put_database(out, report, &report->databases[i]);
    rf_report_when(report, report->now, moment);
    fprintf(out, "<footer>%s, mod_rdsfailover ", moment);
    put_text(out, report->module);
    fputs(", MPM ", out);
    put_text(out, report->mpm);
    fprintf(out, ", process %" PRId32, report->pid);
    if (report->monitor_pid)
        fprintf(out, ", monitor %" PRId32 " (restarted %" PRIu32 " times)", report->monitor_pid,
                report->monitor_restarts);
    else
        fputs(", no monitor", out);
    fputs("</footer>\n</body>\n</html>\n", out);
}

char *rf_report_html(const rf_report *report)
{
    char *page = NULL;
    size_t size;
    FILE *out = open_memstream(&page, &size);
    int failed;

    if (!out)
        return NULL;
    put_page(out, report);
    failed = ferror(out);
    failed |= fclose(out) != 0;
    if (failed) {
        free(page);
        return NULL;
    }
    return page;
}
