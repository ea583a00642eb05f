/* SPDX-License-Identifier: Apache-2.0 */
/* Results on paper: see json.h. */
#include "json.h"
#include "stats.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *seconds_of(int64_t us)
{
    return json_real((double)us / 1e6);
}

/* Latencies in milliseconds with three digits; null where there is none. */
static json_t *millis_of(int64_t us)
{
    return us < 0 ? json_null() : json_real((double)us / 1e3);
}

const char *drive_json_reason(const drive_run *run, const drive_record *record, char *space, size_t size)
{
    if (record->outcome == DRIVE_PENDING) {
        return "cut short by the end of the run";
    }
    if (record->curl != CURLE_OK) {
        return curl_easy_strerror((CURLcode)record->curl);
    }
    if (drive_mix_expects(&run->options->mix.kinds[record->kind], record->status)) {
        snprintf(space, size, "status %d without its marker", record->status);
    }
    else {
        snprintf(space, size, "status %d", record->status);
    }
    return space;
}

static json_t *request_of(const drive_run *run, const drive_log *log, size_t n)
{
    const drive_record *record = &log->records[n];
    const drive_kind *kind = &run->options->mix.kinds[record->kind];
    json_t *request = json_object();
    char space[80];

    json_object_set_new(request, "n", json_integer((json_int_t)n));
    json_object_set_new(request, "kind", json_string(kind->name));
    json_object_set_new(request, "due", seconds_of(record->due));
    json_object_set_new(request, "latency_ms", record->done ? millis_of(drive_record_latency(record)) : json_null());
    json_object_set_new(request, "outcome", json_string(drive_outcome_name(record->outcome)));
    json_object_set_new(request, "status", record->status ? json_integer(record->status) : json_null());
    if (record->outcome != DRIVE_OK) {
        json_object_set_new(request, "reason", json_string(drive_json_reason(run, record, space, sizeof space)));
        json_object_set_new(request, "curl", json_integer(record->curl));
    }
    if (record->redirects) {
        json_object_set_new(request, "redirects", json_integer(record->redirects));
    }
    if (kind->writes) {
        snprintf(space, sizeof space, "%s-%zu", run->prefix, n);
        json_object_set_new(request, "token", json_string(space));
    }
    return request;
}

static json_t *sum_of(const drive_sum *sum)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "sent", (json_int_t)sum->sent, "ok",
                     (json_int_t)sum->ok, "failed", (json_int_t)sum->failed, "wrong", (json_int_t)sum->wrong, "unsent",
                     (json_int_t)sum->unsent, "unknown", (json_int_t)sum->unknown, "pending", (json_int_t)sum->pending,
                     "redirected", (json_int_t)sum->redirected, "redirects", (json_int_t)sum->redirects, "most_redirects",
                     (json_int_t)sum->most_redirects, "p50_ms", millis_of(sum->p50), "p90_ms", millis_of(sum->p90), "p99_ms",
                     millis_of(sum->p99), "p999_ms", millis_of(sum->p999), "max_ms", millis_of(sum->max), "mean_ms",
                     millis_of(sum->mean));
}

static json_t *options_of(const drive_run *run)
{
    const drive_options *options = run->options;
    json_t *mix = json_array();

    for (int i = 0; i < options->mix.n; i++) {
        const drive_kind *kind = &options->mix.kinds[i];
        json_array_append_new(mix, json_pack("{s:s,s:i,s:s,s:s,s:s?,s:s?}", "name", kind->name, "weight", kind->weight, "method", kind->method,
                                             "url", kind->url, "body", kind->body, "marker", kind->marker));
    }
    return json_pack("{s:s,s:f,s:f,s:f,s:I,s:b,s:b,s:s,s:i,s:o}", "base", options->base, "rate", options->rate, "duration_s",
                     (double)options->duration / 1e6, "timeout_s", (double)options->timeout / 1e6, "seed", (json_int_t)options->seed,
                     "keep_alive", options->keep_alive, "follow", options->follow, "token_prefix", run->prefix, "open_files", (int)run->files,
                     "mix", mix);
}

static json_t *kinds_of(const drive_run *run, const drive_log *log)
{
    json_t *kinds = json_object();

    for (int i = 0; i < run->options->mix.n; i++) {
        drive_sum sum;
        drive_stats_sum(log, 0, log->n, i, &sum);
        json_object_set_new(kinds, run->options->mix.kinds[i].name, sum_of(&sum));
    }
    return kinds;
}

static json_t *histogram_of(const drive_log *log)
{
    json_t *histogram = json_array();
    int64_t counts[32];

    drive_stats_histogram(log, counts);
    for (size_t b = 0;; b++) {
        bool last = drive_stats_bounds[b] == INT64_MAX;
        json_array_append_new(histogram, json_pack("{s:o,s:I}", "up_to_ms", last ? json_null() : millis_of(drive_stats_bounds[b]), "requests",
                                                   (json_int_t)counts[b]));
        if (last) {
            return histogram;
        }
    }
}

/* How many requests ended with each HTTP status; without --follow, redirects are among them. */
static json_t *statuses_of(const drive_log *log)
{
    json_t *statuses = json_object();
    int counts[1000] = {0};
    char name[8];

    for (size_t i = 0; i < log->n; i++) {
        int status = log->records[i].status;
        counts[status > 0 && status < 1000 ? status : 0]++;
    }
    for (int status = 1; status < 1000; status++) {
        if (counts[status]) {
            snprintf(name, sizeof name, "%d", status);
            json_object_set_new(statuses, name, json_integer(counts[status]));
        }
    }
    return statuses;
}

/* Also counts the seconds in which a request failed and the most requests under way. */
static json_t *series_of(const drive_run *run, const drive_log *log, json_int_t *ret_bad, json_int_t *ret_peak)
{
    size_t n;
    drive_second *seconds = drive_stats_seconds(log, run->started, &n);
    json_t *series = json_array();

    *ret_bad = *ret_peak = 0;
    for (size_t s = 0; s < n; s++) {
        json_t *row = sum_of(&seconds[s].sum);
        json_object_set_new(row, "second", json_integer((json_int_t)s));
        json_object_set_new(row, "in_flight", json_integer((json_int_t)seconds[s].in_flight));
        json_array_append_new(series, row);
        *ret_bad += seconds[s].sum.failed > 0;
        *ret_peak = seconds[s].in_flight > *ret_peak ? seconds[s].in_flight : *ret_peak;
    }
    free(seconds);
    return series;
}

static void add_requests(json_t *all, const drive_run *run, const drive_log *log)
{
    json_t *failed = json_array(), *pending = json_array(), *reasons = json_object();
    char space[80];

    for (size_t i = 0; i < log->n; i++) {
        if (log->records[i].outcome == DRIVE_PENDING) {
            json_array_append_new(pending, request_of(run, log, i));
        }
        else if (drive_record_failed(&log->records[i])) {
            const char *reason = drive_json_reason(run, &log->records[i], space, sizeof space);
            json_int_t before = json_integer_value(json_object_get(reasons, reason));
            json_object_set_new(reasons, reason, json_integer(before + 1));
            json_array_append_new(failed, request_of(run, log, i));
        }
    }
    json_object_set_new(all, "reasons", reasons);
    json_object_set_new(all, "failed", failed);
    json_object_set_new(all, "pending", pending);
}

static json_t *all_of(const drive_run *run, const drive_log *log)
{
    json_int_t bad, peak;
    json_t *all = json_object(), *total, *series = series_of(run, log, &bad, &peak);
    int64_t late = 0;
    drive_sum sum;

    for (size_t i = 0; i < log->n; i++) {
        int64_t lag = log->records[i].sent - log->records[i].due;
        late = lag > late ? lag : late;
    }
    drive_stats_sum(log, 0, log->n, DRIVE_ANY_KIND, &sum);
    total = sum_of(&sum);
    json_object_set_new(total, "seconds_with_failure", json_integer(bad));
    json_object_set_new(total, "in_flight_peak", json_integer(peak));
    json_object_set_new(total, "driver_late_max_ms", millis_of(late));
    json_object_set_new(all, "program", json_string("rds-drive"));
    json_object_set_new(all, "started", seconds_of(run->started));
    json_object_set_new(all, "ended", seconds_of(run->ended));
    json_object_set_new(all, "planned", json_integer((json_int_t)run->planned));
    json_object_set_new(all, "stopped", run->stopped ? json_string(run->stopped) : json_null());
    json_object_set_new(all, "options", options_of(run));
    json_object_set_new(all, "total", total);
    json_object_set_new(all, "statuses", statuses_of(log));
    json_object_set_new(all, "kinds", kinds_of(run, log));
    json_object_set_new(all, "seconds", series);
    json_object_set_new(all, "histogram", histogram_of(log));
    add_requests(all, run, log);
    return all;
}

bool drive_json_write(const char *path, const drive_run *run, const drive_log *log)
{
    bool standard = strcmp(path, "-") == 0, good;
    size_t room = strlen(path) + 5;
    char *draft = malloc(room);
    FILE *out;
    json_t *all;

    snprintf(draft, room, "%s.new", path);
    out = standard ? stdout : fopen(draft, "w");
    if (!out) {
        fprintf(stderr, "rds-drive: %s: %s\n", draft, strerror(errno));
        free(draft);
        return false;
    }
    all = all_of(run, log);
    good = json_dumpf(all, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15)) == 0 && fputc('\n', out) != EOF && fflush(out) == 0;
    json_decref(all);
    if (!standard) {
        good = fclose(out) == 0 && good;
        good = good && rename(draft, path) == 0;
    }
    if (!good) {
        fprintf(stderr, "rds-drive: %s: %s\n", path, strerror(errno));
    }
    free(draft);
    return good;
}

void drive_json_line(FILE *out, const drive_run *run, const drive_log *log, size_t n)
{
    json_t *request = request_of(run, log, n);

    json_dumpf(request, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    fputc('\n', out);
    fflush(out);
    json_decref(request);
}

void drive_json_token(FILE *out, const drive_run *run, const drive_log *log, size_t n)
{
    const drive_record *record = &log->records[n];

    fprintf(out, "%s-%zu\t%s\t%.6f\t%.6f\t%d\t%s\n", run->prefix, n, drive_outcome_write(record->outcome), (double)record->due / 1e6,
            (double)record->done / 1e6, record->status, run->options->mix.kinds[record->kind].name);
}
