/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_metrics.c
 * @brief The report as Prometheus text, version 0.0.4. The names are in docs/status.md; they are added to, never changed.
 *
 * Layer: core. Base units: seconds, bytes. What is not known has no line. A counter never shrinks while the server runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rf_abort.h"
#include "rf_report_parts.h"

/** One family after the other, each with all its databases: that is the format's order. */
typedef struct {
    FILE *out;
    const rf_report *report;
    const char *name;
} writer;

static void family(writer *w, const char *name, const char *type, const char *help)
{
    w->name = name;
    fprintf(w->out, "# HELP rdsfailover_%s %s\n# TYPE rdsfailover_%s %s\n", name, help, name, type);
}

/** A label's value: cleaned, with \ and " escaped. There is no newline in a cleaned text. */
static void put_value(FILE *out, const char *text)
{
    char clean[RF_REPORT_TEXT_MAX];

    rf_report_clean(text ? text : "", clean);
    for (const char *c = clean; *c; c++) {
        if (*c == '\\' || *c == '"')
            putc('\\', out);
        putc(*c, out);
    }
}

/** @return how many databases before this one have its name: names of two endpoints may be equal, series may not */
static unsigned namesakes(const rf_report *report, unsigned i)
{
    const char *name = report->databases[i].name ? report->databases[i].name : "";
    unsigned n = 0;

    for (unsigned k = 0; k < i; k++)
        n += strcmp(report->databases[k].name ? report->databases[k].name : "", name) == 0;
    return n;
}

/** The start of a line: name and the database's label; more labels and the value are the caller's. */
static void open_labels(writer *w, const char *suffix, unsigned i)
{
    unsigned n = namesakes(w->report, i);

    fprintf(w->out, "rdsfailover_%s%s{database=\"", w->name, suffix);
    put_value(w->out, w->report->databases[i].name);
    if (n)
        fprintf(w->out, ":%u", n + 1);
    putc('"', w->out);
}

static void label(writer *w, const char *name, const char *value)
{
    fprintf(w->out, ",%s=\"", name);
    put_value(w->out, value);
    putc('"', w->out);
}

static void integer(writer *w, unsigned i, uint64_t value)
{
    open_labels(w, "", i);
    fprintf(w->out, "} %" PRIu64 "\n", value);
}

static void put_seconds(FILE *out, rf_time span)
{
    fprintf(out, "%.6f\n", (double)span / 1000000);
}

static void seconds(writer *w, unsigned i, rf_time span)
{
    open_labels(w, "", i);
    fputs("} ", w->out);
    put_seconds(w->out, span);
}

/** A moment as seconds since 1970; no line for 0. */
static void moment(writer *w, unsigned i, rf_time t)
{
    if (t)
        seconds(w, i, w->report->wall - (w->report->now - t));
}

#define EACH(i) for (unsigned i = 0; i < r->ndatabases; i++)

static void put_server(writer *w)
{
    const rf_report *r = w->report;

    family(w, "info", "gauge", "The module's version and the MPM, as labels.");
    fputs("rdsfailover_info{version=\"", w->out);
    put_value(w->out, r->module);
    fputs("\",mpm=\"", w->out);
    put_value(w->out, r->mpm);
    fputs("\"} 1\n", w->out);
    if (r->monitor_beat) {
        family(w, "monitor_heartbeat_timestamp_seconds", "gauge", "The monitor's last sign of life.");
        fputs("rdsfailover_monitor_heartbeat_timestamp_seconds ", w->out);
        put_seconds(w->out, r->wall - (r->now - r->monitor_beat));
    }
    family(w, "monitor_restarts_total", "counter", "How often the monitor died and was started again.");
    fprintf(w->out, "rdsfailover_monitor_restarts_total %" PRIu32 "\n", r->monitor_restarts);
    if (r->capacity.advice[0]) {
        family(w, "capacity_requests", "gauge", "Requests that can wait at once on this host, for all databases.");
        fprintf(w->out, "rdsfailover_capacity_requests %" PRIu32 "\n", r->capacity.requests);
    }
}

static void put_state(writer *w)
{
    const rf_report *r = w->report;

    family(w, "state", "gauge", "1 for the state the database is in, 0 for the others.");
    EACH(i) {
        rf_state_name is = rf_report_state(r, &r->databases[i]);

        for (rf_state_name s = RF_STATE_UNKNOWN; s <= RF_STATE_RECOVERING; s++) {
            open_labels(w, "", i);
            label(w, "state", rf_state_text(s));
            fprintf(w->out, "} %d\n", s == is);
        }
    }
    family(w, "state_since_timestamp_seconds", "gauge", "When the state began.");
    EACH(i)
        moment(w, i, rf_report_since(r, &r->databases[i]));
    family(w, "epoch", "gauge", "Grows by one when an outage ends or the writer's address changes.");
    EACH(i)
        integer(w, i, r->databases[i].snapshot.brief.epoch);
    family(w, "hold_ordered", "gauge", "1 while requests are held by order of an operator.");
    EACH(i) {
        rf_report_ordered order;

        integer(w, i, rf_report_order(r, &r->databases[i], &order) && order.action == RF_ORDER_HOLD);
    }
    family(w, "armed", "gauge", "1 while an outage is expected.");
    EACH(i)
        integer(w, i, r->databases[i].snapshot.brief.armed != 0);
    family(w, "stale", "gauge", "1 while the monitor is silent, and all else is old.");
    EACH(i)
        integer(w, i, rf_report_stale(r, &r->databases[i]) != 0);
}

static void put_writer(writer *w)
{
    const rf_report *r = w->report;

    family(w, "writer_info", "gauge", "Who the writer is, as labels.");
    EACH(i) {
        const rf_snapshot *s = &r->databases[i].snapshot;

        if (!s->brief.writer.text[0])
            continue;
        open_labels(w, "", i);
        label(w, "endpoint", r->databases[i].endpoint);
        label(w, "address", s->brief.writer.text);
        label(w, "server", s->writer.server);
        label(w, "version", s->writer.version);
        fputs("} 1\n", w->out);
    }
    family(w, "writer_buffer_pool_bytes", "gauge", "The writer's InnoDB buffer pool.");
    EACH(i)
        if (r->databases[i].snapshot.writer.buffer_pool_bytes)
            integer(w, i, r->databases[i].snapshot.writer.buffer_pool_bytes);
    family(w, "probe_round_trip_seconds", "gauge", "Smoothed time of a probe of the writer.");
    EACH(i)
        if (r->databases[i].snapshot.writer.rtt)
            seconds(w, i, r->databases[i].snapshot.writer.rtt);
    family(w, "probe_success", "gauge", "1 if the last verdict of a probe was good.");
    EACH(i)
        if (r->databases[i].snapshot.probe.last)
            integer(w, i, r->databases[i].snapshot.probe.ok != 0);
    family(w, "probe_last_timestamp_seconds", "gauge", "When the last verdict came.");
    EACH(i)
        moment(w, i, r->databases[i].snapshot.probe.last);
    family(w, "probes_total", "counter", "Verdicts of probes.");
    EACH(i)
        integer(w, i, r->databases[i].snapshot.probe.count);
    family(w, "probe_failures_total", "counter", "Verdicts that were not good.");
    EACH(i)
        integer(w, i, r->databases[i].snapshot.probe.failed);
    family(w, "dns_success", "gauge", "1 if the name servers answered the last question.");
    EACH(i)
        if (r->databases[i].snapshot.dns.answered_at || r->databases[i].snapshot.dns.error[0])
            integer(w, i, r->databases[i].snapshot.dns.ok != 0);
    family(w, "dns_changed_timestamp_seconds", "gauge", "When the endpoint's addresses last changed.");
    EACH(i)
        moment(w, i, r->databases[i].snapshot.dns.changed_at);
}

static void put_requests(writer *w)
{
    static const struct {
        const char *outcome;
        rf_count count;
    } outcomes[] = {
        {"released", RF_COUNT_RELEASED}, {"passed", RF_COUNT_PASSED},   {"redirected", RF_COUNT_REDIRECTED},
        {"expired", RF_COUNT_EXPIRED},   {"aborted", RF_COUNT_ABORTED}, {"lost", RF_COUNT_LOST},
    };
    static const struct {
        const char *name, *help;
        rf_count count;
    } counters[] = {
        {"requests_held_total", "Requests that began to wait.", RF_COUNT_HELD},
        {"requests_rejected_total", "Requests that found no place left to wait.", RF_COUNT_REJECTED},
        {"requests_dry_total", "Requests that would have waited, but for RDSFailoverDryRun.", RF_COUNT_DRY},
        {"requests_troubled_total", "Requests let go while recovering that failed in the application.", RF_COUNT_TROUBLED},
        {"answers_withheld_total", "Failed answers that were swallowed, for the request to run again.", RF_COUNT_WITHHELD},
        {"replays_succeeded_total", "Of these, those whose request ran again and did not fail.", RF_COUNT_REPLAY_SUCCEEDED},
        {"replays_failed_total", "Of these, those whose request failed again, or never ran again.", RF_COUNT_REPLAY_FAILED},
        {"replays_refused_total", "Answers that failed with the database and went out, as repeating was not safe.", RF_COUNT_REPLAY_REFUSED},
    };
    const rf_report *r = w->report;

    family(w, "requests_waiting", "gauge", "Requests that wait now.");
    EACH(i)
        integer(w, i, r->databases[i].now_held);
    family(w, "requests_waiting_peak", "gauge", "Most that waited at once since the start.");
    EACH(i)
        integer(w, i, r->databases[i].counts[RF_COUNT_PEAK]);
    family(w, "oldest_waiting_seconds", "gauge", "How long the oldest of them has waited; 0 if none waits.");
    EACH(i)
        seconds(w, i, rf_report_oldest(r, &r->databases[i]));
    family(w, "requests_running", "gauge", "Released requests that run now.");
    EACH(i)
        integer(w, i, r->databases[i].running);
    family(w, "requests_inflight", "gauge", "Protected requests that run now, released ones among them.");
    EACH(i)
        integer(w, i, r->databases[i].inflight);
    family(w, "requests_allowed", "gauge", "Released requests that may run at once; no line while any number may.");
    EACH(i)
        if (rf_report_allowed(r, &r->databases[i]))
            integer(w, i, rf_report_allowed(r, &r->databases[i]));
    for (size_t k = 0; k < sizeof(counters) / sizeof(counters[0]); k++) {
        family(w, counters[k].name, "counter", counters[k].help);
        EACH(i)
            integer(w, i, r->databases[i].counts[counters[k].count]);
    }
    family(w, "requests_left_total", "counter", "Requests that wait no more, by what became of them.");
    EACH(i) {
        for (size_t k = 0; k < sizeof(outcomes) / sizeof(outcomes[0]); k++) {
            open_labels(w, "", i);
            label(w, "outcome", outcomes[k].outcome);
            fprintf(w->out, "} %" PRIu64 "\n", r->databases[i].counts[outcomes[k].count]);
        }
    }
}

static void put_hold_times(writer *w)
{
    const rf_report *r = w->report;

    family(w, "hold_duration_seconds", "histogram", "How long requests waited that wait no more.");
    EACH(i) {
        uint64_t sum = 0;

        for (unsigned k = 0; k < RF_HOLD_BUCKETS; k++) {
            rf_time bound = rf_board_hold_bound(k);

            sum += r->databases[i].hold_times[k];
            open_labels(w, "_bucket", i);
            if (bound == RF_TIME_NEVER)
                fprintf(w->out, ",le=\"+Inf\"} %" PRIu64 "\n", sum);
            else
                fprintf(w->out, ",le=\"%.15g\"} %" PRIu64 "\n", (double)bound / 1000000, sum);
        }
        open_labels(w, "_sum", i);
        fputs("} ", w->out);
        put_seconds(w->out, (rf_time)r->databases[i].hold_sum);
        open_labels(w, "_count", i);
        fprintf(w->out, "} %" PRIu64 "\n", sum);
    }
}

/* No line where RDSFailoverAbortStale is off and always was. */
static void put_sockets(writer *w)
{
    const rf_report *r = w->report;

    family(w, "sockets_aborted_total", "counter", "Sockets to addresses that lost the writer's role that were destroyed.");
    EACH(i) {
        const rf_snapshot *s = &r->databases[i].snapshot;

        if (s->sockets.mode != RF_ABORT_OFF || s->sockets.aborted)
            integer(w, i, s->sockets.aborted);
    }
    family(w, "sockets_left", "gauge", "Such sockets that are there, but may not be destroyed.");
    EACH(i)
        if (r->databases[i].snapshot.sockets.mode != RF_ABORT_OFF)
            integer(w, i, r->databases[i].snapshot.sockets.left);
}

static void put_failovers(writer *w)
{
    const rf_report *r = w->report;

    family(w, "last_failover_timestamp_seconds", "gauge", "When the last failover's first failure was seen.");
    EACH(i)
        if (r->databases[i].snapshot.nfailovers)
            moment(w, i, r->databases[i].snapshot.failovers[0].started);
    family(w, "last_failover_outage_seconds", "gauge", "From then until a writer was verified; no line while there is none.");
    EACH(i) {
        const rf_failover *f = &r->databases[i].snapshot.failovers[0];

        if (r->databases[i].snapshot.nfailovers && f->verified)
            seconds(w, i, f->verified - f->started);
    }
}

char *rf_report_metrics(const rf_report *report)
{
    char *text = NULL;
    size_t size;
    writer w = {open_memstream(&text, &size), report, NULL};
    int failed;

    if (!w.out)
        return NULL;
    put_server(&w);
    if (report->ndatabases) {
        put_state(&w);
        put_writer(&w);
        put_requests(&w);
        put_hold_times(&w);
        put_sockets(&w);
        put_failovers(&w);
    }
    failed = ferror(w.out);
    failed |= fclose(w.out) != 0;
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}
