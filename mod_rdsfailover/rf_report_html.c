/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html.c
 * @brief The page as a whole: its head, what the server is, one section for each database. One file, and whole without its script.
 *
 * Layer: core. The script (rf_report_page.js) draws nothing: it asks for the JSON each second, and for this page when that has
 * changed, and exchanges what differs. So there is one place that says how things look, and it works without a script too.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "rf_report_html.h"

/** The state of the database that needs attention most. */
static rf_state_name worst(const rf_report *report)
{
    static const int rank[] = {[RF_STATE_AVAILABLE] = 0, [RF_STATE_RECOVERING] = 1, [RF_STATE_UNKNOWN] = 2,
                               [RF_STATE_SUSPECT] = 3,   [RF_STATE_OUTAGE] = 4};
    rf_state_name state = report->ndatabases ? RF_STATE_AVAILABLE : RF_STATE_UNKNOWN;

    for (unsigned i = 0; i < report->ndatabases; i++) {
        rf_state_name each = rf_report_state(report, &report->databases[i]);

        if (rank[each] > rank[state])
            state = each;
    }
    return state;
}

static void put_head(FILE *out, const rf_report *report)
{
    rf_state_name state = worst(report);

    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n"
          "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n<title>",
          out);
    fputs(report->ndatabases ? rf_html_state_title(state) : "No database", out);
    if (report->ndatabases == 1) {
        fputs(" &ndash; ", out);
        rf_html_text(out, report->databases[0].name);
    }
    fputs(" &ndash; ", out);
    rf_html_text(out, report->host);
    fputs("</title>\n<link rel=\"icon\" id=\"icon\" href=\"", out);
    rf_html_icon_url(out, state);
    fprintf(out, "\">\n<style>\n%s</style>\n</head>\n", rf_report_page_css);
}

static void put_top(FILE *out, const rf_report *report)
{
    char moment[RF_REPORT_WHEN_MAX];

    fprintf(out, "<body data-json=\"%1$sjson\" data-html=\"%1$shtml\">\n<header>\n<h1><span>Databases of</span> ",
            rf_html_ask(report));
    rf_html_text(out, report->host);
    rf_report_when(report, report->now, moment);
    fprintf(out, "</h1>\n<p id=\"asof\" data-generated=\"%s\"><span class=\"dot\"></span><span id=\"age\">As of ", moment);
    rf_html_moment(out, report, report->now);
    fputs("</span></p>\n</header>\n<div id=\"notices\">\n<p id=\"lost\" class=\"note\" role=\"alert\" hidden></p>\n"
          "<p id=\"answer\" class=\"note\" role=\"status\" hidden></p>\n</div>\n"
          "<p id=\"said\" class=\"unseen\" role=\"status\"></p>\n",
          out);
}

/** With several databases, all of them at a glance. */
static void put_overview(FILE *out, const rf_report *report)
{
    fputs("<nav class=\"part overview\" id=\"overview\" aria-label=\"Databases\">\n<ul>\n", out);
    for (unsigned i = 0; i < report->ndatabases; i++) {
        const rf_report_database *db = &report->databases[i];
        rf_state_name state = rf_report_state(report, db);

        fprintf(out, "<li class=\"s-%s\"><a href=\"#db-%u\">", rf_state_text(state), i);
        rf_html_icon(out, state);
        fputs("<span><b>", out);
        rf_html_text_or_dash(out, db->name);
        fprintf(out, "</b> <span class=\"state\">%s</span> ", rf_html_state_title(state));
        if (db->now_held) {
            fputs("<span class=\"held\">", out);
            rf_html_count(out, db->now_held);
            fputs(" waiting</span>", out);
        }
        fputs("</span></a>\n", out);
    }
    fputs("</ul>\n</nav>\n", out);
}

static void put_monitor(FILE *out, const rf_report *report)
{
    fputs("<dt>Monitor<dd>", out);
    if (!report->monitor_pid) {
        fputs("none was started\n", out);
        return;
    }
    fprintf(out, "process %" PRId32 ", last sign of life ", report->monitor_pid);
    if (report->monitor_beat) {
        rf_html_since(out, report, report->monitor_beat, "monitor");
        fputs(" ago", out);
    } else {
        fputs("never", out);
    }
    fprintf(out, ", started again %" PRIu32 "&nbsp;times\n", report->monitor_restarts);
}

static void put_server(FILE *out, const rf_report *report)
{
    const rf_capacity *c = &report->capacity;

    fputs("<section class=\"part card server\" id=\"server\" aria-labelledby=\"server-title\">\n"
          "<h2 id=\"server-title\">This server</h2>\n<dl class=\"facts\">\n",
          out);
    put_monitor(out, report);
    if (c->advice[0]) {
        fputs("<dt>Can hold<dd>", out);
        rf_html_count(out, c->requests);
        fprintf(out, " requests at once; %s allows no more\n<dt>For more<dd>", rf_limit_name(c->limited_by));
        rf_html_text(out, c->advice);
    }
    fputs("\n<dt>httpd<dd>MPM ", out);
    rf_html_text_or_dash(out, report->mpm);
    fprintf(out, ", answered by process %" PRId32 "\n<dt>Module<dd>mod_rdsfailover ", report->pid);
    rf_html_text(out, report->module);
    fputs("\n</dl>\n</section>\n", out);
}

static void put_page(FILE *out, const rf_report *report)
{
    put_head(out, report);
    put_top(out, report);
    fputs("<main id=\"main\">\n", out);
    if (report->ndatabases == 0)
        fputs("<p class=\"card\">No database is configured. See RDSFailoverDSN.</p>\n", out);
    if (report->ndatabases > 1)
        put_overview(out, report);
    for (unsigned i = 0; i < report->ndatabases; i++)
        rf_html_database(out, report, i);
    put_server(out, report);
    fprintf(out,
            "</main>\n<footer>\n<p>The same for programs: <a href=\"%1$sjson\">JSON</a>, <a href=\"%1$sauto\">lines</a>, "
            "<a href=\"%1$smetrics\">Prometheus</a>, <a href=\"%1$shealth\">health</a></p>\n</footer>\n",
            rf_html_ask(report));
    fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", rf_report_page_js);
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

/** What a browser compares with the text between the tags. @return 1 */
static int put_hash(FILE *out, const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];
    unsigned len;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && EVP_DigestUpdate(md, "\n", 1) &&
               EVP_DigestUpdate(md, text, strlen(text)) && EVP_DigestFinal_ex(md, digest, &len);

    EVP_MD_CTX_free(md);
    if (good) {
        EVP_EncodeBlock(base64, digest, (int)len);
        fprintf(out, " 'sha256-%s'", (const char *)base64);
    }
    return good;
}

char *rf_report_html_policy(void)
{
    char *policy = NULL;
    size_t size;
    FILE *out = open_memstream(&policy, &size);
    int failed;

    if (!out)
        return NULL;
    /* Whatever name a server gives itself: nothing that is not ours runs, and nothing is asked of anybody else. */
    fputs("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; connect-src 'self'; img-src data:; "
          "style-src",
          out);
    failed = !put_hash(out, rf_report_page_css);
    fputs("; script-src", out);
    failed |= !put_hash(out, rf_report_page_js);
    failed |= ferror(out);
    failed |= fclose(out) != 0;
    if (failed) {
        free(policy);
        return NULL;
    }
    return policy;
}
