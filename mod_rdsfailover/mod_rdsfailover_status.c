/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_status.c
 * @brief SetHandler rds-status: which report a client wants, and copying from the board what the report needs.
 *
 * Layer: glue. rf_report*.c renders.
 */
#include "mod_rdsfailover_status.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { FORMAT_HTML, FORMAT_JSON, FORMAT_AUTO, FORMAT_METRICS, FORMAT_HEALTH, FORMAT_HEALTH_DB, FORMAT_WRONG } format;

static format format_named(const char *name)
{
    static const struct {
        const char *name;
        format format;
    } known[] = {
        { "html", FORMAT_HTML },     { "json", FORMAT_JSON },           { "auto", FORMAT_AUTO },
        { "metrics", FORMAT_METRICS }, { "health", FORMAT_HEALTH },     { "health=db", FORMAT_HEALTH_DB },
        { "health/db", FORMAT_HEALTH_DB },
    };
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(name, known[i].name))
            return known[i].format;
    }
    return FORMAT_WRONG;
}

/* What the last one or two parts of the path name: "json", "health/db". Behind <Location /rds-status> no file exists, so what is
 * below it is told by the URI alone. */
static format format_below(const request_rec *r)
{
    const char *at = r->uri + strlen(r->uri);
    int parts;

    for (parts = 0; parts < 2; parts++) {
        format f;

        while (at > r->uri && at[-1] != '/')
            at--;
        if ((f = format_named(at)) != FORMAT_WRONG)
            return f;
        if (at > r->uri)
            at--;
    }
    return FORMAT_WRONG;
}

/* The path below the handler, then the query, then what the client accepts. */
static format format_wanted(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    format f = format_below(r);

    if (f != FORMAT_WRONG)
        return f;
    if (r->args && *r->args)
        return format_named(apr_pstrmemdup(r->pool, r->args, strcspn(r->args, "&")));
    if (accept && strstr(accept, "application/json") && !strstr(accept, "text/html"))
        return FORMAT_JSON;
    return FORMAT_HTML;
}

/* How long requests wait and waited, and with `history` how all was in the last ten minutes. */
static void fill_waits(request_rec *r, const rf_database *db, rf_report_database *ret, int history)
{
    rf_time oldest = rf_slot_oldest(db->slot);

    ret->oldest = oldest == RF_TIME_NEVER ? 0 : oldest;
    rf_slot_hold_times(db->slot, ret->hold_times, &ret->hold_sum);
    if (history) {
        rf_history_sample *samples = apr_palloc(r->pool, RF_HISTORY * sizeof *samples);

        ret->nhistory = rf_slot_history(db->slot, samples);
        ret->history = samples;
    }
}

void rf_status_fill(request_rec *r, rf_report *report, int history)
{
    const apr_array_header_t *databases = rf_life_databases();
    char host[256] = "";
    rf_report_database *list;
    int i;

    gethostname(host, sizeof host - 1);
    memset(report, 0, sizeof *report);
    report->module = RF_VERSION;
    report->host = apr_pstrdup(r->pool, host);
    report->mpm = ap_show_mpm();
    report->pid = (int32_t)getpid();
    report->now = rf_clock_now();
    report->wall = apr_time_now();
    report->capacity = *rf_limits_capacity();
    if (rf_life_board())
        rf_board_monitor(rf_life_board(), &report->monitor_pid, &report->monitor_restarts, &report->monitor_beat);
    if (!databases)
        return;
    report->ndatabases = (unsigned)databases->nelts;
    report->databases = list = apr_pcalloc(r->pool, (apr_size_t)(databases->nelts + 1) * sizeof *list);
    for (i = 0; i < databases->nelts; i++) {
        const rf_database *db = APR_ARRAY_IDX(databases, i, rf_database *);
        list[i].name = db->name;
        list[i].endpoint = db->dsn.host;
        list[i].port = db->dsn.port;
        list[i].known = rf_slot_snapshot(db->slot, &list[i].snapshot) && list[i].snapshot.brief.observed_at;
        rf_slot_counts(db->slot, list[i].counts, &list[i].now_held);
        list[i].running = rf_slot_now(db->slot, RF_NOW_RUNNING);
        list[i].inflight = rf_slot_now(db->slot, RF_NOW_INFLIGHT);
        fill_waits(r, db, &list[i], history);
    }
}

static int send_health(request_rec *r, const rf_report *report, int strict)
{
    int status = rf_report_health(report, strict);

    r->status = status;
    ap_set_content_type(r, "text/plain; charset=utf-8");
    if (!r->header_only)
        ap_rputs(status == HTTP_OK ? "ok\n" : strict ? "no verified writer, or the queue is full\n" : "the queue is full\n", r);
    return OK;
}

static int send_text(request_rec *r, const char *type, char *text)
{
    if (!text)
        return HTTP_INTERNAL_SERVER_ERROR;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)strlen(text));
    if (!r->header_only)
        ap_rputs(text, r);
    free(text);
    return OK;
}

static int send_page(request_rec *r, const rf_report *report)
{
    char *policy = rf_report_html_policy();

    if (!policy)
        return HTTP_INTERNAL_SERVER_ERROR;
    apr_table_set(r->headers_out, "Content-Security-Policy", policy);
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    free(policy);
    return send_text(r, "text/html; charset=utf-8", rf_report_html(report));
}

int rf_status_handler(request_rec *r)
{
    rf_report report;
    format wanted;

    if (!r->handler || strcmp(r->handler, "rds-status"))
        return DECLINED;
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (rf_config_dir(r)->control == 1) {
        ap_allow_standard_methods(r, MERGE_ALLOW, M_POST, -1);
        if (r->method_number == M_POST)
            return rf_control_post(r);
    }
    if (r->method_number != M_GET)
        return HTTP_METHOD_NOT_ALLOWED;
    wanted = format_wanted(r);
    if (wanted == FORMAT_WRONG) {
        r->status = HTTP_NOT_FOUND;
        return send_text(r, "text/plain; charset=utf-8",
                         strdup("Not a format of the status: html, json, auto, metrics, health, health=db\n"));
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    rf_status_fill(r, &report, wanted == FORMAT_HTML);
    report.control = rf_control_permits(r);
    report.below = format_below(r) != FORMAT_WRONG;
    switch (wanted) {
    case FORMAT_JSON:
        return send_text(r, "application/json", rf_report_json(&report));
    case FORMAT_AUTO:
        return send_text(r, "text/plain; charset=utf-8", rf_report_auto(&report));
    case FORMAT_METRICS:
        return send_text(r, "text/plain; version=0.0.4; charset=utf-8", rf_report_metrics(&report));
    case FORMAT_HEALTH:
    case FORMAT_HEALTH_DB:
        return send_health(r, &report, wanted == FORMAT_HEALTH_DB);
    default:
        return send_page(r, &report);
    }
}
