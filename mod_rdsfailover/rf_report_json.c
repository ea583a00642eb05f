/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_json.c
 * @brief The report as a tree, and as JSON. The names are in docs/status.md; they are added to, never changed.
 *
 * Layer: core.
 */
#include "rf_abort.h"
#include "rf_report_parts.h"

/** An object under construction; a lack of memory is remembered until the end. */
typedef struct {
    const rf_report *report;
    int failed;
} builder;

static void add(builder *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        b->failed = 1;
}

static json_t *text(const char *value)
{
    char clean[RF_REPORT_TEXT_MAX];

    if (!value || !value[0])
        return json_null();
    rf_report_clean(value, clean);
    return json_string(clean);
}

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)(value <= INT64_MAX ? value : INT64_MAX));
}

static json_t *count_or_null(uint64_t value)
{
    return value ? count(value) : json_null();
}

static json_t *when(const builder *b, rf_time t)
{
    char moment[RF_REPORT_WHEN_MAX];

    return rf_report_when(b->report, t, moment) ? json_string(moment) : json_null();
}

static json_t *ms(rf_time duration)
{
    return json_integer(duration / 1000);
}

/** From the failover's start. */
static json_t *ms_after(rf_time start, rf_time t)
{
    return t ? ms(t - start) : json_null();
}

static json_t *writer_object(builder *b, const rf_snapshot *s)
{
    json_t *o = json_object();

    add(b, o, "address", text(s->brief.writer.text));
    add(b, o, "server", text(s->writer.server));
    add(b, o, "version", text(s->writer.version));
    add(b, o, "read_only",
        s->writer.verified_at && s->writer.read_only >= 0 ? json_boolean(s->writer.read_only) : json_null());
    add(b, o, "rtt_ms", s->writer.rtt ? json_real((double)s->writer.rtt / 1000) : json_null());
    add(b, o, "buffer_pool_bytes", count_or_null(s->writer.buffer_pool_bytes));
    add(b, o, "verified", when(b, s->writer.verified_at));
    return o;
}

static json_t *dns_object(builder *b, const rf_snapshot *s)
{
    json_t *o = json_object(), *cnames = json_array(), *addresses = json_array();
    int asked = s->dns.answered_at || s->dns.error[0];

    for (unsigned i = 0; i < s->dns.ncnames && i < RF_CNAMES; i++)
        b->failed |= json_array_append_new(cnames, text(s->dns.cnames[i])) != 0;
    for (unsigned i = 0; i < s->dns.naddresses && i < RF_ADDRESSES; i++)
        b->failed |= json_array_append_new(addresses, text(s->dns.addresses[i].text)) != 0;
    add(b, o, "cnames", cnames);
    add(b, o, "addresses", addresses);
    add(b, o, "ttl", s->dns.answered_at ? count(s->dns.ttl) : json_null());
    add(b, o, "changed", when(b, s->dns.changed_at));
    add(b, o, "answered", when(b, s->dns.answered_at));
    add(b, o, "ok", asked ? json_boolean(s->dns.ok) : json_null());
    add(b, o, "error", s->dns.ok ? json_null() : text(s->dns.error));
    return o;
}

static json_t *probe_object(builder *b, const rf_snapshot *s)
{
    json_t *o = json_object();
    int failed = s->probe.last && !s->probe.ok;
    rf_cause cause = (rf_cause)s->probe.cause;

    add(b, o, "last", when(b, s->probe.last));
    add(b, o, "ok", s->probe.last ? json_boolean(s->probe.ok) : json_null());
    add(b, o, "error", failed ? text(s->probe.error) : json_null());
    add(b, o, "interval_ms", s->probe.interval ? ms(s->probe.interval) : json_null());
    add(b, o, "count", count(s->probe.count));
    add(b, o, "failed", count(s->probe.failed));
    add(b, o, "address", text(s->probe.address.text));
    add(b, o, "cause", failed ? json_string(rf_cause_name(cause)) : json_null());
    add(b, o, "code", failed ? count_or_null(s->probe.code) : json_null());
    add(b, o, "advice", failed ? json_string(rf_cause_advice(cause)) : json_null());
    add(b, o, "late_ms", s->probe.late ? ms(s->probe.late) : json_null());
    return o;
}

/** A histogram: how many waited at most `le_ms`, and longer than the bound before it. */
static json_t *times_object(builder *b, const rf_report_database *db)
{
    json_t *o = json_object(), *bounds = json_array(), *counts = json_array();

    for (unsigned i = 0; i < RF_HOLD_BUCKETS; i++) {
        rf_time bound = rf_board_hold_bound(i);

        b->failed |= json_array_append_new(bounds, bound == RF_TIME_NEVER ? json_null() : ms(bound)) != 0;
        b->failed |= json_array_append_new(counts, count(db->hold_times[i])) != 0;
    }
    add(b, o, "le_ms", bounds);
    add(b, o, "counts", counts);
    add(b, o, "sum_ms", count(db->hold_sum / 1000));
    return o;
}

static json_t *hold_object(builder *b, const rf_report_database *db)
{
    static const struct {
        const char *key;
        rf_count count;
    } counts[] = {
        {"peak", RF_COUNT_PEAK},         {"held", RF_COUNT_HELD},
        {"released", RF_COUNT_RELEASED}, {"passed", RF_COUNT_PASSED},
        {"redirected", RF_COUNT_REDIRECTED}, {"expired", RF_COUNT_EXPIRED},
        {"aborted", RF_COUNT_ABORTED},   {"lost", RF_COUNT_LOST},
        {"rejected", RF_COUNT_REJECTED}, {"dry", RF_COUNT_DRY},
        {"troubled", RF_COUNT_TROUBLED},
    };
    json_t *o = json_object();

    add(b, o, "now", count(db->now_held));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        add(b, o, counts[i].key, count(db->counts[counts[i].count]));
    add(b, o, "running", count(db->running));
    add(b, o, "inflight", count(db->inflight));
    add(b, o, "allowed", count_or_null(rf_report_allowed(b->report, db)));
    add(b, o, "capacity", count_or_null(b->report->capacity.requests));
    add(b, o, "oldest_ms", db->now_held && db->oldest ? ms(rf_report_oldest(b->report, db)) : json_null());
    add(b, o, "times", times_object(b, db));
    return o;
}

static json_t *replay_object(builder *b, const rf_report_database *db)
{
    json_t *o = json_object();

    add(b, o, "withheld", count(db->counts[RF_COUNT_WITHHELD]));
    add(b, o, "succeeded", count(db->counts[RF_COUNT_REPLAY_SUCCEEDED]));
    add(b, o, "failed", count(db->counts[RF_COUNT_REPLAY_FAILED]));
    add(b, o, "refused", count(db->counts[RF_COUNT_REPLAY_REFUSED]));
    return o;
}

/** Null where RDSFailoverAbortStale is off. */
static json_t *sockets_object(builder *b, const rf_snapshot *s)
{
    json_t *o;

    if (s->sockets.mode == RF_ABORT_OFF)
        return json_null();
    o = json_object();
    add(b, o, "destroys", json_boolean(s->sockets.mode == RF_ABORT_DESTROY));
    add(b, o, "aborted", count(s->sockets.aborted));
    add(b, o, "left", count(s->sockets.left));
    return o;
}

static json_t *failover_object(builder *b, const rf_report_database *db, unsigned i)
{
    const rf_failover *f = &db->snapshot.failovers[i];
    json_t *o = json_object();
    uint64_t held, replayed;

    add(b, o, "epoch", count_or_null(f->epoch));
    add(b, o, "cause", json_string(rf_cause_name((rf_cause)f->cause)));
    add(b, o, "started", when(b, f->started));
    add(b, o, "detected_ms", ms_after(f->started, f->detected));
    add(b, o, "declared_ms", ms_after(f->started, f->declared));
    add(b, o, "from", text(f->from.text));
    add(b, o, "to", text(f->to.text));
    add(b, o, "dns_changed_ms", ms_after(f->started, f->dns_changed));
    add(b, o, "outage_ms", ms_after(f->started, f->verified));
    add(b, o, "released_ms", ms_after(f->started, f->released));
    add(b, o, "drained_ms", ms_after(f->started, f->drained));
    add(b, o, "held", rf_report_failover_held(db, i, &held) ? count(held) : json_null());
    add(b, o, "replayed", rf_report_failover_replayed(db, i, &replayed) ? count(replayed) : json_null());
    add(b, o, "sockets_freed_ms", ms_after(f->started, f->sockets_freed));
    add(b, o, "sockets_aborted", f->sockets_aborted || db->snapshot.sockets.mode == RF_ABORT_DESTROY ? count(f->sockets_aborted) : json_null());
    return o;
}

static json_t *order_object(builder *b, const rf_report_database *db)
{
    rf_report_ordered order;
    json_t *o;

    if (!rf_report_order(b->report, db, &order))
        return json_null();
    o = json_object();
    add(b, o, "action", json_string(rf_order_text(order.action)));
    add(b, o, "by", text(order.by));
    add(b, o, "until", when(b, order.until));
    add(b, o, "drained", order.action == RF_ORDER_HOLD ? json_boolean(order.drained) : json_null());
    return o;
}

static json_t *database_object(builder *b, const rf_report_database *db)
{
    const rf_snapshot *s = &db->snapshot;
    json_t *o = json_object(), *failovers = json_array();

    add(b, o, "name", text(db->name));
    add(b, o, "endpoint", text(db->endpoint));
    add(b, o, "port", json_integer(db->port));
    add(b, o, "state", json_string(rf_state_text(rf_report_state(b->report, db))));
    add(b, o, "since", when(b, rf_report_since(b->report, db)));
    add(b, o, "epoch", count(s->brief.epoch));
    add(b, o, "armed", json_boolean(s->brief.armed));
    add(b, o, "order", order_object(b, db));
    add(b, o, "stale", json_boolean(rf_report_stale(b->report, db)));
    add(b, o, "observed", when(b, s->brief.observed_at));
    add(b, o, "writer", writer_object(b, s));
    add(b, o, "dns", dns_object(b, s));
    add(b, o, "probe", probe_object(b, s));
    add(b, o, "hold", hold_object(b, db));
    add(b, o, "sockets", sockets_object(b, s));
    add(b, o, "replay", replay_object(b, db));
    add(b, o, "aws", json_null());
    for (unsigned i = 0; i < s->nfailovers && i < RF_FAILOVERS; i++)
        b->failed |= json_array_append_new(failovers, failover_object(b, db, i)) != 0;
    add(b, o, "failovers", failovers);
    return o;
}

static json_t *monitor_object(builder *b)
{
    const rf_report *r = b->report;
    json_t *o = json_object();

    add(b, o, "pid", r->monitor_pid ? json_integer(r->monitor_pid) : json_null());
    add(b, o, "age_ms", r->monitor_beat ? ms(r->now - r->monitor_beat) : json_null());
    add(b, o, "restarts", count(r->monitor_restarts));
    return o;
}

static json_t *capacity_object(builder *b)
{
    const rf_capacity *c = &b->report->capacity;
    /* Of a host that was asked something is always known, even if it can hold nothing. */
    int known = c->advice[0] != '\0';
    json_t *o = json_object();

    add(b, o, "requests", known ? count(c->requests) : json_null());
    add(b, o, "per_process", known ? count(c->per_process) : json_null());
    add(b, o, "blocking", known ? count(c->blocking) : json_null());
    add(b, o, "at_once_per_process", known ? count(c->at_once) : json_null());
    add(b, o, "limited_by", known ? json_string(rf_limit_name(c->limited_by)) : json_null());
    add(b, o, "advice", text(c->advice));
    return o;
}

json_t *rf_report_tree(const rf_report *report)
{
    builder b = {report, 0};
    json_t *root = json_object(), *databases = json_array();

    add(&b, root, "module", text(report->module));
    add(&b, root, "generated", when(&b, report->now));
    add(&b, root, "host", text(report->host));
    add(&b, root, "mpm", text(report->mpm));
    add(&b, root, "pid", json_integer(report->pid));
    add(&b, root, "monitor", monitor_object(&b));
    add(&b, root, "capacity", capacity_object(&b));
    for (unsigned i = 0; i < report->ndatabases; i++)
        b.failed |= json_array_append_new(databases, database_object(&b, &report->databases[i])) != 0;
    add(&b, root, "databases", databases);
    if (b.failed) {
        json_decref(root);
        return NULL;
    }
    return root;
}

char *rf_report_json(const rf_report *report)
{
    json_t *root = rf_report_tree(report);
    char *json = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;

    json_decref(root);
    return json;
}
