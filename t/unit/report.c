/* SPDX-License-Identifier: Apache-2.0 */
/* rf_report: one moment in three formats, what is unknown, what is hostile, and health. */
#include <jansson.h>
#include <stdlib.h>

#include "rf_abort.h"
#include "rf_report.h"
#include "tap.h"

#define NOW RF_SEC(5000)

static rf_report_database db;
static rf_report report;
static const rf_capacity capacity = {.requests = 500, .per_process = 250, .blocking = 75, .at_once = 20, .limited_by = RF_LIMIT_FACTOR,
                                     .advice = "AsyncRequestWorkerFactor 334"};

/** 2026-11-22T18:10:00.250Z, 30 s after a failover from 10.0.1.17 to 10.0.2.23 that lasted 20 s. */
static void set_up(void)
{
    rf_snapshot *s = &db.snapshot;
    rf_failover *f = &s->failovers[0];

    memset(&db, 0, sizeof(db));
    memset(&report, 0, sizeof(report));
    report = (rf_report){.module = "0.1.0", .host = "web1", .mpm = "event", .pid = 77, .monitor_pid = 78, .monitor_restarts = 1,
                         .monitor_beat = NOW - RF_MS(120), .now = NOW, .wall = 1795371000250000, .capacity = capacity,
                         .ndatabases = 1, .databases = &db};
    db.name = "shop";
    db.endpoint = "shop.example";
    db.port = 3306;
    db.known = 1;
    db.now_held = 3;
    db.running = 32;
    for (unsigned i = 0; i < RF_COUNTS; i++)
        db.counts[i] = 100 + i;
    db.counts[RF_COUNT_HELD] = 250;
    s->brief = (rf_brief){.observed_at = NOW - RF_MS(10), .stale_after = RF_MS(2500), .state = RF_STATE_AVAILABLE, .epoch = 4};
    strcpy(s->brief.writer.text, "10.0.2.23");
    s->since = NOW - RF_SEC(8);
    strcpy(s->writer.server, "ip-10-0-2-23");
    strcpy(s->writer.version, "8.0.36");
    s->writer.rtt = 412;
    s->writer.buffer_pool_bytes = 134217728;
    s->writer.verified_at = NOW - RF_SEC(10);
    s->dns.ncnames = 1;
    strcpy(s->dns.cnames[0], "ec2-1.example");
    s->dns.naddresses = 1;
    strcpy(s->dns.addresses[0].text, "10.0.2.23");
    s->dns.ttl = 5;
    s->dns.answered_at = NOW - RF_SEC(2);
    s->dns.changed_at = NOW - RF_SEC(9);
    s->dns.ok = 1;
    s->probe.last = NOW - RF_MS(10);
    s->probe.ok = 1;
    s->probe.interval = RF_MS(500);
    s->probe.late = RF_MS(250);
    s->probe.count = 1000;
    s->probe.failed = 12;
    s->nfailovers = 1;
    *f = (rf_failover){.epoch = 4, .cause = RF_CAUSE_SHUTDOWN, .started = NOW - RF_SEC(30), .detected = NOW - RF_SEC(30) + RF_MS(4),
                       .declared = NOW - RF_SEC(29), .dns_changed = NOW - RF_SEC(9), .verified = NOW - RF_SEC(10),
                       .ended = NOW - RF_SEC(9), .released = NOW - RF_SEC(8), .drained = NOW - RF_SEC(5), .held_before = 40, .held = 200, .replayed = 7};
    strcpy(f->from.text, "10.0.1.17");
    strcpy(f->to.text, "10.0.2.23");
}

/** Find a value by its path in ?auto. @return its text, or NULL if there is no such line */
static const char *line(const char *path)
{
    static char value[2048];
    char *text = rf_report_auto(&report), *rest = text, *each;
    size_t n = strlen(path);
    const char *found = NULL;

    while (!found && (each = strsep(&rest, "\n"))) {
        if (strncmp(each, path, n) == 0 && strncmp(each + n, ": ", 2) == 0) {
            snprintf(value, sizeof(value), "%s", each + n + 2);
            found = value;
        }
    }
    free(text);
    return found;
}

static json_t *json_db(json_t **ret_root)
{
    char *text = rf_report_json(&report);
    json_error_t error;

    *ret_root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!*ret_root)
        printf("# %s at %d\n", error.text, error.position);
    free(text);
    return json_array_get(json_object_get(*ret_root, "databases"), 0);
}

/** The names that users and tests rely on, whatever their values. */
static void names_are_there(const char *story)
{
    static const char *const names[][16] = {
        {"", "name", "endpoint", "port", "state", "since", "epoch", "armed", "writer", "dns", "probe", "hold", "sockets", "replay", "aws", "failovers"},
        {"writer", "address", "server", "version", "read_only", "rtt_ms", "buffer_pool_bytes"},
        {"dns", "cnames", "addresses", "ttl", "changed"},
        {"probe", "last", "ok", "error", "interval_ms", "count", "failed"},
        {"hold", "now", "peak", "held", "released", "passed", "redirected", "expired", "aborted", "lost", "rejected", "running", "inflight", "allowed", "troubled"},
        {"failovers", "epoch", "cause", "started", "detected_ms", "from", "to", "dns_changed_ms", "outage_ms", "drained_ms", "held", "replayed",
         "sockets_freed_ms", "sockets_aborted"},
    };
    json_t *root, *o = json_db(&root);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *part = names[i][0][0] ? json_object_get(o, names[i][0]) : o;

        if (json_is_array(part) && json_array_size(part) == 0)
            continue;
        if (json_is_array(part))
            part = json_array_get(part, 0);
        for (size_t k = 1; k < 16 && names[i][k]; k++)
            ok(json_object_get(part, names[i][k]), "%s: %s.%s is there", story, names[i][0], names[i][k]);
    }
    json_decref(root);
}

static void values(void)
{
    static const char *const rows[][2] = {
        {"module", "0.1.0"},
        {"generated", "2026-11-22T18:10:00.250Z"},
        {"host", "web1"},
        {"mpm", "event"},
        {"pid", "77"},
        {"monitor.pid", "78"},
        {"monitor.age_ms", "120"},
        {"monitor.restarts", "1"},
        {"capacity.requests", "500"},
        {"capacity.per_process", "250"},
        {"capacity.blocking", "75"},
        {"capacity.at_once_per_process", "20"},
        {"capacity.limited_by", "AsyncRequestWorkerFactor"},
        {"capacity.advice", "AsyncRequestWorkerFactor 334"},
        {"databases[0].name", "shop"},
        {"databases[0].port", "3306"},
        {"databases[0].state", "available"},
        {"databases[0].since", "2026-11-22T18:09:52.250Z"},
        {"databases[0].epoch", "4"},
        {"databases[0].armed", "false"},
        {"databases[0].stale", "false"},
        {"databases[0].writer.address", "10.0.2.23"},
        {"databases[0].writer.read_only", "false"},
        {"databases[0].writer.rtt_ms", "0.412"},
        {"databases[0].writer.buffer_pool_bytes", "134217728"},
        {"databases[0].dns.cnames[0]", "ec2-1.example"},
        {"databases[0].dns.addresses[0]", "10.0.2.23"},
        {"databases[0].dns.ttl", "5"},
        {"databases[0].dns.changed", "2026-11-22T18:09:51.250Z"},
        {"databases[0].dns.error", NULL},
        {"databases[0].probe.last", "2026-11-22T18:10:00.240Z"},
        {"databases[0].probe.ok", "true"},
        {"databases[0].probe.error", NULL},
        {"databases[0].probe.interval_ms", "500"},
        {"databases[0].probe.late_ms", "250"},
        {"databases[0].probe.failed", "12"},
        {"databases[0].hold.now", "3"},
        {"databases[0].hold.held", "250"},
        {"databases[0].hold.released", "101"},
        {"databases[0].hold.rejected", "107"},
        {"databases[0].hold.troubled", "109"},
        {"databases[0].replay.withheld", "110"},
        {"databases[0].replay.succeeded", "111"},
        {"databases[0].replay.failed", "112"},
        {"databases[0].replay.refused", "113"},
        {"databases[0].hold.peak", "114"},
        {"databases[0].hold.running", "32"},
        {"databases[0].hold.allowed", NULL},
        {"databases[0].hold.capacity", "500"},
        {"databases[0].failovers[0].epoch", "4"},
        {"databases[0].failovers[0].cause", "shutdown"},
        {"databases[0].failovers[0].started", "2026-11-22T18:09:30.250Z"},
        {"databases[0].failovers[0].detected_ms", "4"},
        {"databases[0].failovers[0].declared_ms", "1000"},
        {"databases[0].failovers[0].outage_ms", "20000"},
        {"databases[0].failovers[0].released_ms", "22000"},
        {"databases[0].failovers[0].dns_changed_ms", "21000"},
        {"databases[0].failovers[0].drained_ms", "25000"},
        {"databases[0].failovers[0].held", "200"},
        {"databases[0].failovers[0].replayed", "7"},
        {"databases[0].failovers[0].sockets_aborted", NULL},
    };
    char *page;

    set_up();
    names_are_there("a failover ago");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_str(line(rows[i][0]), rows[i][1], "%s", rows[i][0]);
    page = rf_report_html(&report);
    ok(strstr(page, "s-available") && strstr(page, ">Available") && strstr(page, "10.0.1.17") && strstr(page, "20.0&nbsp;s"), "the page tells of it too");
    ok(strstr(page, "500 requests at once; AsyncRequestWorkerFactor allows no more") && strstr(page, "AsyncRequestWorkerFactor 334"),
       "the page tells how many can wait");
    free(page);
}

static void release(void)
{
    char *page;

    set_up();
    db.snapshot.brief.allowed = 64;
    is_str(line("databases[0].hold.allowed"), NULL, "a rest of the last release means nothing");
    db.snapshot.brief.state = RF_STATE_RECOVERING;
    is_str(line("databases[0].hold.allowed"), "64", "the release's bound");
    page = rf_report_html(&report);
    ok(strstr(page, ">32<small>released, of 64 allowed<"), "the page has it");
    free(page);
    db.snapshot.brief.observed_at = NOW - RF_SEC(60);
    is_str(line("databases[0].hold.allowed"), NULL, "unknown is no release");
    db.snapshot.brief.observed_at = NOW;
    db.snapshot.brief.allowed = 0;
    is_str(line("databases[0].hold.allowed"), NULL, "a release without a bound");
}

static void sockets(void)
{
    char *text;

    set_up();
    ok(!line("databases[0].sockets.aborted"), "RDSFailoverAbortStale off: nothing about sockets");
    text = rf_report_metrics(&report);
    ok(!strstr(text, "rdsfailover_sockets_aborted_total{") && !strstr(text, "rdsfailover_sockets_left{"), "nor in the metrics");
    free(text);

    db.snapshot.sockets.mode = RF_ABORT_DESTROY;
    is_str(line("databases[0].failovers[0].sockets_aborted"), "0", "on: that there were none is known");
    db.snapshot.sockets.aborted = 17;
    is_str(line("databases[0].failovers[0].sockets_freed_ms"), NULL, "and has no time");
    db.snapshot.failovers[0].sockets_aborted = 12;
    db.snapshot.failovers[0].sockets_freed = db.snapshot.failovers[0].started + RF_MS(1030);
    is_str(line("databases[0].sockets.destroys"), "true", "they are destroyed");
    is_str(line("databases[0].sockets.aborted"), "17", "so many ever");
    is_str(line("databases[0].failovers[0].sockets_aborted"), "12", "so many in this failover");
    is_str(line("databases[0].failovers[0].sockets_freed_ms"), "1030", "when it began");
    text = rf_report_metrics(&report);
    ok(strstr(text, "rdsfailover_sockets_aborted_total{database=\"shop\"} 17\n"), "as the metric has it");
    free(text);

    db.snapshot.sockets.mode = RF_ABORT_COUNT;
    db.snapshot.sockets.left = 5;
    db.snapshot.failovers[0].sockets_aborted = 0;
    is_str(line("databases[0].sockets.destroys"), "false", "counted only");
    is_str(line("databases[0].sockets.left"), "5", "so many are there");
    is_str(line("databases[0].failovers[0].sockets_aborted"), NULL, "and a failover's are not known");
    db.snapshot.failovers[0].sockets_aborted = 3;
    db.snapshot.sockets.mode = RF_ABORT_OFF;
    is_str(line("databases[0].failovers[0].sockets_aborted"), "3", "switched off, the record stays");
}

static void while_it_lasts(void)
{
    rf_snapshot *s = &db.snapshot;

    set_up();
    s->brief.state = RF_STATE_OUTAGE;
    s->probe.ok = 0;
    s->probe.cause = RF_CAUSE_UNREACHABLE;
    s->probe.code = 2003;
    strcpy(s->probe.error, "Can't connect");
    s->failovers[1] = s->failovers[0];
    s->failovers[1].drained = 0;
    s->failovers[0] = (rf_failover){.cause = RF_CAUSE_LOST, .started = NOW - RF_SEC(1), .detected = NOW - RF_SEC(1), .held_before = 230};
    s->nfailovers = 2;
    names_are_there("in an outage");
    is_str(line("databases[0].state"), "outage", "an outage");
    is_str(line("databases[0].probe.error"), "Can't connect", "its error");
    is_str(line("databases[0].probe.cause"), "unreachable", "its cause");
    is_str(line("databases[0].probe.code"), "2003", "its number");
    ok(line("databases[0].probe.advice"), "and advice");
    is_str(line("databases[0].failovers[0].epoch"), NULL, "no epoch yet");
    is_str(line("databases[0].failovers[0].to"), NULL, "no new writer yet");
    is_str(line("databases[0].failovers[0].outage_ms"), NULL, "no length yet");
    is_str(line("databases[0].failovers[0].detected_ms"), "0", "held from the first moment");
    is_str(line("databases[0].failovers[0].held"), "20", "held so far");
    is_str(line("databases[0].failovers[1].held"), "190", "held in the one before, whose queue never emptied");
    db.counts[RF_COUNT_HELD] = 0;
    is_str(line("databases[0].failovers[0].held"), NULL, "counts that do not fit are not told");
}

static void unknown(void)
{
    char *page;

    memset(&db, 0, sizeof(db));
    memset(&report, 0, sizeof(report));
    db.endpoint = "shop.example";
    db.snapshot.writer.read_only = -1;
    report = (rf_report){.module = "0.1.0", .now = NOW, .wall = 1795371000250000, .ndatabases = 1, .databases = &db};
    names_are_there("at the start");
    is_str(line("monitor.pid"), NULL, "no monitor");
    is_str(line("monitor.age_ms"), NULL, " has no age");
    is_str(line("databases[0].state"), "unknown", "state");
    is_str(line("databases[0].since"), NULL, "since");
    is_str(line("databases[0].name"), NULL, "name");
    is_str(line("databases[0].writer.address"), NULL, "writer");
    is_str(line("databases[0].writer.read_only"), NULL, "read_only");
    is_str(line("databases[0].writer.rtt_ms"), NULL, "round trip");
    is_str(line("databases[0].dns.ttl"), NULL, "TTL");
    is_str(line("databases[0].probe.ok"), NULL, "probe");
    is_str(line("databases[0].hold.capacity"), NULL, "capacity");
    is_str(line("capacity.requests"), NULL, "capacity as a whole");
    is_str(line("capacity.limited_by"), NULL, "its limit");
    page = rf_report_html(&report);
    ok(page && strstr(page, "not known"), "a page without facts");
    free(page);
    report.ndatabases = 0;
    page = rf_report_html(&report);
    ok(page && strstr(page, "No database is configured"), "a page without databases");
    free(page);
}

static void silence(void)
{
    set_up();
    db.snapshot.brief.observed_at = NOW - RF_SEC(60);
    is_str(line("databases[0].state"), "unknown", "a snapshot that is too old says nothing");
    is_str(line("databases[0].stale"), "true", " and is called stale");
    is_str(line("databases[0].since"), "2026-11-22T18:09:02.750Z", " since it became too old");
    is_str(line("databases[0].writer.address"), "10.0.2.23", " the last writer is still told");
    set_up();
    report.now = 0;
    report.wall = 0;
    is_str(line("generated"), NULL, "no clock, no time");
    set_up();
    report.wall = INT64_MAX;
    ok(!line("generated"), "a clock beyond the year 9999");
    report.wall = -1;
    ok(!line("generated"), "a clock before 1970");
}

static void hostile(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"caf\xc3\xa9 \xf0\x9f\x90\xac", "caf\xc3\xa9 \xf0\x9f\x90\xac"},
        {"a\xff" "b", "a\xef\xbf\xbd" "b"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                     /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},     /* surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"a\nState: available\x1b[2J\x7f", "a\xef\xbf\xbdState: available\xef\xbf\xbd[2J\xef\xbf\xbd"},
        {"\xc2\x9b" "31m", "\xef\xbf\xbd" "31m"}, /* C1 */
    };
    const char *attack = "<script>alert('x\"&')</script>";
    rf_snapshot *s = &db.snapshot;
    json_t *root;
    char *page;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up();
        strcpy(s->writer.version, rows[i].in);
        is_str(line("databases[0].writer.version"), rows[i].out, "bytes of a server, row %zu", i);
        is_str(json_string_value(json_object_get(json_object_get(json_db(&root), "writer"), "version")), rows[i].out, " in JSON");
        json_decref(root);
    }
    set_up();
    db.name = db.endpoint = report.host = report.mpm = report.module = attack;
    strcpy(s->writer.server, attack);
    strcpy(s->writer.version, attack);
    strcpy(s->probe.error, attack);
    strcpy(s->probe.address.text, attack);
    strcpy(s->dns.error, attack);
    strcpy(s->dns.cnames[0], attack);
    strcpy(s->dns.addresses[0].text, attack);
    strcpy(s->brief.writer.text, attack);
    strcpy(s->failovers[0].from.text, attack);
    strcpy(s->failovers[0].to.text, attack);
    s->probe.ok = s->dns.ok = 0;
    page = rf_report_html(&report);
    ok(!strstr(page, "<script>alert") && strstr(page, "&lt;script&gt;alert(&#39;x&quot;&amp;&#39;)"), "the page escapes everything");
    free(page);

    set_up();
    s->brief.state = 99;
    s->probe.cause = s->failovers[0].cause = 99;
    s->dns.ncnames = s->dns.naddresses = s->nfailovers = 99;
    s->probe.ok = 0;
    memset(s->dns.cnames, 0xff, sizeof(s->dns.cnames));
    for (unsigned i = 0; i < RF_CNAMES; i++)
        s->dns.cnames[i][255] = '\0';
    names_are_there("numbers out of range");
    is_str(line("databases[0].state"), "unknown", "a state out of range");
    page = rf_report_html(&report);
    ok(page != NULL, "makes a page");
    free(page);
}

static void health(void)
{
    static const struct {
        const char *story;
        rf_state_name state;
        uint64_t held;
        int plain, strict;
    } rows[] = {
        {"available", RF_STATE_AVAILABLE, 0, 200, 200},
        {"recovering", RF_STATE_RECOVERING, 100, 200, 200},
        {"suspect", RF_STATE_SUSPECT, 1, 200, 503},
        {"outage", RF_STATE_OUTAGE, 499, 200, 503},
        {"unknown", RF_STATE_UNKNOWN, 0, 200, 503},
        {"the queue is full", RF_STATE_OUTAGE, 500, 503, 503},
        {"the queue is full, but leaves", RF_STATE_RECOVERING, 500, 503, 503},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up();
        db.snapshot.brief.state = rows[i].state;
        db.now_held = rows[i].held;
        is_int(rf_report_health(&report, 0), rows[i].plain, "health, %s", rows[i].story);
        is_int(rf_report_health(&report, 1), rows[i].strict, "health=db, %s", rows[i].story);
    }
    set_up();
    db.snapshot.brief.observed_at = NOW - RF_SEC(60);
    is_int(rf_report_health(&report, 0), 200, "health, monitor gone");
    is_int(rf_report_health(&report, 1), 503, "health=db, monitor gone");
    report.capacity.requests = 0;
    db.now_held = 1000000;
    is_int(rf_report_health(&report, 0), 200, "health, capacity not known");
    report.ndatabases = 0;
    is_int(rf_report_health(&report, 0), 200, "health, no database");
    is_int(rf_report_health(&report, 1), 503, "health=db, no database");
}

static void ordered(void)
{
    rf_orders *orders = &db.snapshot.orders;

    set_up();
    db.inflight = 5;
    is_str(line("databases[0].order.action"), NULL, "nothing is ordered");
    is_str(line("databases[0].hold.inflight"), "5", "what runs is told all the same");
    orders->armed_until = NOW + RF_SEC(60);
    db.snapshot.brief.armed = 1;
    strcpy(orders->armed_by, "alice\n\xc3\xa4");
    is_str(line("databases[0].order.action"), "arm", "armed");
    is_str(line("databases[0].order.by"), "alice\xef\xbf\xbd\xc3\xa4", "by whom, without control characters");
    is_str(line("databases[0].order.until"), "2026-11-22T18:11:00.250Z", "until when");
    is_str(line("databases[0].order.drained"), NULL, "which drains nothing");
    orders->hold_until = NOW + RF_SEC(30);
    strcpy(orders->hold_by, "bob");
    is_str(line("databases[0].order.action"), "hold", "a hold comes first");
    is_str(line("databases[0].armed"), "true", "still armed");
    is_str(line("databases[0].order.drained"), "false", "five run");
    db.inflight = 0;
    is_str(line("databases[0].order.drained"), "true", "none does");
    db.snapshot.brief.state = RF_STATE_RECOVERING;
    db.snapshot.brief.allowed = 32;
    is_str(line("databases[0].hold.allowed"), NULL, "held by order, nobody may be let go");
    report.now = NOW + RF_SEC(30);
    db.snapshot.brief.observed_at = report.now;
    is_str(line("databases[0].order.action"), "arm", "its time is over");
    db.snapshot.brief.observed_at = report.now - RF_SEC(3);
    is_str(line("databases[0].order.action"), NULL, "a silent monitor orders nothing");
}

static void many(void)
{
    static rf_report_database dbs[RF_BOARD_SLOTS];
    json_t *root;

    set_up();
    for (unsigned i = 0; i < RF_BOARD_SLOTS; i++)
        dbs[i] = db;
    dbs[63].snapshot.brief.state = RF_STATE_OUTAGE;
    report.databases = dbs;
    report.ndatabases = RF_BOARD_SLOTS;
    json_db(&root);
    is_int(json_array_size(json_object_get(root, "databases")), RF_BOARD_SLOTS, "as many databases as there may be");
    json_decref(root);
    is_str(line("databases[63].state"), "outage", " the last one");
    is_int(rf_report_health(&report, 1), 503, "health=db asks for each");
    is_int(rf_report_health(&report, 0), 200, "health adds their queues");
    report.capacity.requests = 3 * RF_BOARD_SLOTS;
    is_int(rf_report_health(&report, 0), 503, " up to the capacity");
}

int main(void)
{
    values();
    sockets();
    while_it_lasts();
    release();
    unknown();
    silence();
    hostile();
    health();
    many();
    ordered();
    return tap_done();
}
