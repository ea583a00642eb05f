/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_modstatus.c
 * @brief The report in brief, as a section of mod_status: HTML for its page, `Key: value` lines for its ?auto.
 *
 * Layer: core.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "rf_report_html.h"

static void put_cell(FILE *out, const char *text)
{
    fputs("<td>", out);
    rf_html_text_or_dash(out, text);
    fputs("</td>", out);
}

static void put_html(FILE *out, const rf_report *report)
{
    fputs("<hr />\n<h2>Databases (mod_rdsfailover)</h2>\n<table border=\"0\">\n<tr><th>Database</th><th>State</th><th>For</th>"
          "<th>Writer</th><th>Waiting</th><th>Oldest</th><th>Running</th><th>Held</th><th>Released</th>"
          "<th>Failovers seen</th></tr>\n",
          out);
    for (unsigned i = 0; i < report->ndatabases; i++) {
        const rf_report_database *db = &report->databases[i];

        fputs("<tr>", out);
        put_cell(out, db->name);
        fprintf(out, "<td>%s%s</td><td>", rf_state_text(rf_report_state(report, db)),
                rf_report_stale(report, db) ? " (monitor silent)" : "");
        rf_html_since(out, report, rf_report_since(report, db), NULL);
        fputs("</td>", out);
        put_cell(out, db->snapshot.brief.writer.text);
        fprintf(out, "<td>%" PRIu64 "</td><td>", db->now_held);
        rf_html_span(out, rf_report_oldest(report, db));
        fprintf(out, "</td><td>%" PRIu32 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu32 "</td></tr>\n", db->running,
                db->counts[RF_COUNT_HELD], db->counts[RF_COUNT_RELEASED],
                db->snapshot.nfailovers < RF_FAILOVERS ? db->snapshot.nfailovers : RF_FAILOVERS);
    }
    fputs("</table>\n", out);
}

static void put_line(FILE *out, unsigned i, const char *key, const char *text)
{
    char clean[RF_REPORT_TEXT_MAX];

    rf_report_clean(text ? text : "", clean);
    fprintf(out, "RDSFailover[%u]%s: %s\n", i, key, clean);
}

static void put_number(FILE *out, unsigned i, const char *key, uint64_t n)
{
    fprintf(out, "RDSFailover[%u]%s: %" PRIu64 "\n", i, key, n);
}

static void put_lines(FILE *out, const rf_report *report)
{
    fprintf(out, "RDSFailoverDatabases: %u\n", report->ndatabases);
    for (unsigned i = 0; i < report->ndatabases; i++) {
        const rf_report_database *db = &report->databases[i];

        put_line(out, i, "Name", db->name);
        put_line(out, i, "State", rf_state_text(rf_report_state(report, db)));
        put_line(out, i, "Writer", db->snapshot.brief.writer.text);
        put_number(out, i, "Epoch", db->snapshot.brief.epoch);
        put_number(out, i, "Waiting", db->now_held);
        put_number(out, i, "OldestMs", (uint64_t)rf_report_oldest(report, db) / 1000);
        put_number(out, i, "Running", db->running);
        put_number(out, i, "Held", db->counts[RF_COUNT_HELD]);
        put_number(out, i, "Released", db->counts[RF_COUNT_RELEASED]);
    }
}

char *rf_report_modstatus(const rf_report *report, int brief)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int failed;

    if (!out)
        return NULL;
    if (brief)
        put_lines(out, report);
    else
        put_html(out, report);
    failed = ferror(out);
    failed |= fclose(out) != 0;
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}
