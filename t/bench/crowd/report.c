/* SPDX-License-Identifier: Apache-2.0 */
/* The results as JSON: see report.h. */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static size_t requests(const crowd_shared *all) { return all->options->clients * all->options->each; }

static size_t count(const crowd_shared *all, crowd_outcome outcome)
{
    size_t n = 0;

    for (size_t i = 0; i < requests(all); i++) {
        n += all->records[i].outcome == outcome;
    }
    return n;
}

bool crowd_report_good(const crowd_shared *all)
{
    return count(all, CROWD_OK) + count(all, CROWD_LEFT) == requests(all) && !all->extra;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static json_t *milliseconds(int64_t us) { return us < 0 ? json_null() : json_real((double)us / 1000); }
static json_t *seconds(int64_t us) { return us ? json_real((double)us / 1e6) : json_null(); }

/* Sorts the values. */
static json_t *percentiles(int64_t *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return json_pack("{s:o,s:o,s:o,s:o}", "p50", milliseconds(crowd_percentile(values, n, 500)), "p90",
                     milliseconds(crowd_percentile(values, n, 900)), "p99", milliseconds(crowd_percentile(values, n, 990)), "max",
                     milliseconds(crowd_percentile(values, n, 1000)));
}

static void set_count(json_t *object, const char *name, uint64_t n)
{
    json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void one_more(json_t *object, const char *name)
{
    set_count(object, name, (uint64_t)json_integer_value(json_object_get(object, name)) + 1);
}

static json_t *counts(const crowd_shared *all)
{
    json_t *object = json_object();

    set_count(object, "ok", count(all, CROWD_OK));
    set_count(object, "wrong", count(all, CROWD_WRONG));
    set_count(object, "none", count(all, CROWD_NONE) + count(all, CROWD_WAITS));
    set_count(object, "left", count(all, CROWD_LEFT));
    set_count(object, "extra", all->extra);
    set_count(object, "redirects", all->redirects);
    set_count(object, "repeats", all->repeats);
    set_count(object, "connections", all->connections);
    return object;
}

static json_t *statuses(const crowd_shared *all)
{
    json_t *object = json_object();
    char name[16];

    for (size_t i = 0; i < requests(all); i++) {
        if (all->records[i].status) {
            snprintf(name, sizeof name, "%d", all->records[i].status);
            one_more(object, name);
        }
    }
    return object;
}

static json_t *reasons(const crowd_shared *all)
{
    static const char *const names[] = {"", "refused", "closed", "broken", "garbage", "timeout", "ended"};
    json_t *object = json_object();

    for (size_t i = 0; i < requests(all); i++) {
        const crowd_record *r = &all->records[i];

        if (r->outcome == CROWD_NONE) {
            one_more(object, names[r->reason]);
        }
    }
    return object;
}

/* The first and the last right answer, 0 if there was none. */
static void answers(const crowd_shared *all, int64_t *ret_first, int64_t *ret_last)
{
    *ret_first = *ret_last = 0;
    for (size_t i = 0; i < requests(all); i++) {
        int64_t at = all->records[i].answered;

        if (all->records[i].outcome == CROWD_OK) {
            *ret_first = !*ret_first || at < *ret_first ? at : *ret_first;
            *ret_last = at > *ret_last ? at : *ret_last;
        }
    }
}

typedef int64_t figure(const crowd_record *r, int64_t base);
static int64_t latency(const crowd_record *r, int64_t base) { return r->answered - r->sent; }
static int64_t since(const crowd_record *r, int64_t base) { return r->answered - base; }

static json_t *of_answers(const crowd_shared *all, figure *value, int64_t base)
{
    int64_t *values = calloc(requests(all), sizeof *values);
    size_t n = 0;
    json_t *json;

    for (size_t i = 0; i < requests(all); i++) {
        if (all->records[i].answered) {
            values[n++] = value(&all->records[i], base);
        }
    }
    json = percentiles(values, n);
    free(values);
    return json;
}

static size_t at_once(const crowd_shared *all)
{
    crowd_interval *intervals = calloc(requests(all), sizeof *intervals);
    size_t n = 0, most;

    for (size_t i = 0; i < requests(all); i++) {
        if (all->records[i].ended) {
            intervals[n++] = (crowd_interval){all->records[i].started, all->records[i].ended};
        }
    }
    most = crowd_at_once(intervals, n);
    free(intervals);
    return most;
}

/* @param server  by the server's headers, otherwise by what the clients saw; @param pid  of one process, 0: of all */
static json_t *order(const crowd_shared *all, bool server, int pid)
{
    crowd_places *places = calloc(requests(all), sizeof *places);
    crowd_order o;
    size_t n = 0;

    for (size_t i = 0; i < requests(all); i++) {
        const crowd_record *r = &all->records[i];

        if (r->outcome == CROWD_OK && (!pid || r->pid == pid) && (!server || (r->started && r->arrived))) {
            places[n++] = (crowd_places){server ? r->arrived : r->sent, server ? r->started : r->answered};
        }
    }
    crowd_order_measure(places, n, &o);
    free(places);
    return json_pack("{s:I,s:I,s:o,s:o,s:o}", "n", (json_int_t)n, "inversions", (json_int_t)o.inversions,
                     "p50_ms", milliseconds(o.p50), "p99_ms", milliseconds(o.p99), "max_ms", milliseconds(o.max));
}

static json_t *orders(const crowd_shared *all)
{
    json_t *processes = json_object();
    char name[16];

    for (size_t i = 0; i < requests(all); i++) {
        int pid = all->records[i].pid;

        snprintf(name, sizeof name, "%d", pid);
        if (pid && !json_object_get(processes, name)) {
            json_object_set_new(processes, name, order(all, true, pid));
        }
    }
    return json_pack("{s:o,s:o,s:o}", "clients", order(all, false, 0), "server", order(all, true, 0), "processes", processes);
}

/* Of the samples that were due in this span. Who was not answered counts with the time it was waited for, or longer. */
static json_t *span(const crowd_side *side, int64_t from, int64_t to)
{
    size_t n, all = 0, failed = 0;
    const crowd_sample *samples = crowd_side_samples(side, &n);
    int64_t *values = calloc(n ? n : 1, sizeof *values);
    json_t *json;

    for (size_t i = 0; i < n; i++) {
        if (from && samples[i].due >= from && samples[i].due < to) {
            failed += !samples[i].done;
            values[all++] = samples[i].done ? samples[i].done - samples[i].due : INT64_C(10000000);
        }
    }
    json = percentiles(values, all);
    json_object_set_new(json, "n", json_integer((json_int_t)all));
    json_object_set_new(json, "failed", json_integer((json_int_t)failed));
    free(values);
    return json;
}

static json_t *all_times(const crowd_times *times, int64_t first, int64_t last)
{
    json_t *object = json_object();

    json_object_set_new(object, "began", seconds(times->began));
    json_object_set_new(object, "first_connect", seconds(times->first_connect));
    json_object_set_new(object, "ready", seconds(times->ready));
    json_object_set_new(object, "first_answer", seconds(first));
    json_object_set_new(object, "last_answer", seconds(last));
    json_object_set_new(object, "ended", seconds(times->ended));
    return object;
}

static json_t *spans(const crowd_side *side, const crowd_times *times, int64_t first, int64_t last)
{
    int64_t drain = first > times->ready ? first : times->ready;
    json_t *object = json_object();

    json_object_set_new(object, "before", span(side, times->began, times->first_connect));
    json_object_set_new(object, "arriving", span(side, times->first_connect, times->ready));
    json_object_set_new(object, "hold", span(side, times->ready, drain));
    json_object_set_new(object, "drain", span(side, drain, last));
    json_object_set_new(object, "after", span(side, last, times->ended));
    return object;
}

static json_t *document(const crowd_shared *all, const crowd_times *times, const crowd_side *side)
{
    json_t *object = json_object();
    int64_t first, last;

    answers(all, &first, &last);
    set_count(object, "clients", all->options->clients);
    set_count(object, "requests", requests(all));
    set_count(object, "sent_at_ready", times->sent);
    set_count(object, "at_once", at_once(all));
    json_object_set_new(object, "counts", counts(all));
    json_object_set_new(object, "statuses", statuses(all));
    json_object_set_new(object, "reasons", reasons(all));
    json_object_set_new(object, "latency_ms", of_answers(all, latency, 0));
    json_object_set_new(object, "after_first_ms", of_answers(all, since, first));
    json_object_set_new(object, "order", orders(all));
    json_object_set_new(object, "times", all_times(times, first, last));
    if (side) {
        json_object_set_new(object, "side", spans(side, times, first, last));
    }
    return object;
}

bool crowd_report_write(const crowd_shared *all, const crowd_times *times, const crowd_side *side)
{
    const char *path = all->options->out;
    FILE *out = path ? fopen(path, "we") : stdout;
    json_t *json;
    bool good;

    if (!out) {
        fprintf(stderr, "rds-crowd: %s: %s\n", path, strerror(errno));
        return false;
    }
    json = document(all, times, side);
    good = json_dumpf(json, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0 && fputc('\n', out) != EOF;
    json_decref(json);
    if ((path ? fclose(out) : fflush(out)) != 0 || !good) {
        fprintf(stderr, "rds-crowd: %s: could not be written in full\n", path ? path : "standard output");
        return false;
    }
    return true;
}
