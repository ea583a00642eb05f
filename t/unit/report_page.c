/* SPDX-License-Identifier: Apache-2.0 */
/* rf_report: a failover from its beginning to its end, and what else may be seen at three in the morning, in every format.
 *
 * usage: report_page [FOLDER]   writes each moment's page, JSON, lines, metrics and mod_status section to files there;
 *                               t/unit/report_formats.t has other programs look at them */
#include <jansson.h>
#include <stdlib.h>

#include "rf_report.h"
#include "tap.h"

#define NOW RF_SEC(500000)
#define ENDPOINT "shop-production.cx2k5lq0rs1t.eu-central-1.rds.amazonaws.com"

static rf_report_database dbs[4];
static rf_history_sample history[4][600];
static rf_report report;

/** A good ten minutes: a database that answers in half a millisecond. */
static void calm(unsigned i, const char *name, const char *endpoint, const char *address)
{
    rf_report_database *db = &dbs[i];
    rf_snapshot *s = &db->snapshot;

    memset(db, 0, sizeof(*db));
    db->name = name;
    db->endpoint = endpoint;
    db->port = 3306;
    db->known = 1;
    s->brief = (rf_brief){.observed_at = NOW - RF_MS(80), .stale_after = RF_MS(2500), .state = RF_STATE_AVAILABLE, .epoch = 7};
    strcpy(s->brief.writer.text, address);
    s->since = NOW - RF_SEC(93784);
    snprintf(s->writer.server, sizeof(s->writer.server), "ip-%s", address);
    strcpy(s->writer.version, "8.0.39");
    s->writer.rtt = 412 + 37 * i;
    s->writer.buffer_pool_bytes = 5905580032;
    s->writer.verified_at = NOW - RF_SEC(93785);
    s->dns.ncnames = 1;
    snprintf(s->dns.cnames[0], sizeof(s->dns.cnames[0]), "ec2-52-59-%u-17.eu-central-1.compute.amazonaws.com", 10 + i);
    s->dns.naddresses = 1;
    strcpy(s->dns.addresses[0].text, address);
    s->dns.ttl = 5;
    s->dns.answered_at = NOW - RF_MS(2300);
    s->dns.changed_at = NOW - RF_SEC(93780);
    s->dns.ok = 1;
    s->probe.last = NOW - RF_MS(80);
    s->probe.ok = 1;
    s->probe.interval = RF_MS(500);
    s->probe.late = RF_MS(250);
    s->probe.count = 187560 + i;
    s->probe.failed = 14;
    strcpy(s->probe.address.text, address);
    for (unsigned k = 0; k < 600; k++)
        history[i][k] = (rf_history_sample){.at = NOW - RF_MS(300) - RF_SEC(599 - (int)k), .state = RF_STATE_AVAILABLE,
                                            .rtt_us = 380 + (k * 7919 + i * 13) % 97 + (k % 61 == 7 ? 900 : 0)};
    db->history = history[i];
    db->nhistory = 600;
}

static void set_up(unsigned n)
{
    static const rf_capacity capacity = {.requests = 10000, .per_process = 6666, .blocking = 37, .at_once = 20,
                                         .limited_by = RF_LIMIT_QUEUE,
                                         .advice = "RDSFailoverRelease queue=20000, AsyncRequestWorkerFactor 2000"};

    report = (rf_report){.module = "0.1.0", .host = "web1.example.net", .mpm = "event", .pid = 41733, .monitor_pid = 41702,
                         .monitor_beat = NOW - RF_MS(60), .now = NOW, .wall = 1795371000250000, .capacity = capacity,
                         .ndatabases = n, .databases = dbs};
    calm(0, "shop-production", ENDPOINT, "10.0.2.23");
    calm(1, "sessions", "sessions.cx2k5lq0rs1t.eu-central-1.rds.amazonaws.com", "10.0.2.61");
    calm(2, "archive", "archive.cx2k5lq0rs1t.eu-central-1.rds.amazonaws.com", "10.0.3.9");
    calm(3, "search", "search.example.net", "2001:db8::2:19");
}

/** The seconds from..to ago were like this. */
static void was(unsigned i, int from, int to, rf_state_name state, uint32_t held_first, uint32_t held_last)
{
    for (int ago = from; ago > to; ago--) {
        rf_history_sample *h = &history[i][599 - ago];

        h->state = (uint8_t)state;
        h->held = held_first + (uint32_t)((int64_t)(from - ago) * ((int64_t)held_last - held_first) / (from - to));
        if (state == RF_STATE_SUSPECT || state == RF_STATE_OUTAGE)
            h->rtt_us = 0;
        else if (state == RF_STATE_RECOVERING)
            h->rtt_us = 1500 + 40 * (uint32_t)(ago % 20);
    }
}

/** `ago` seconds ago the writer died; the stages that are not yet over are left out by setting them to 0. */
static rf_failover *failover(unsigned i, int ago)
{
    rf_snapshot *s = &dbs[i].snapshot;
    rf_failover *f = &s->failovers[0];

    memmove(f + 1, f, sizeof(*f) * (RF_FAILOVERS - 1));
    s->nfailovers += s->nfailovers < RF_FAILOVERS;
    *f = (rf_failover){.epoch = 8, .cause = RF_CAUSE_LOST, .started = NOW - RF_SEC(ago)};
    f->detected = f->started + RF_MS(4);
    f->declared = f->started + RF_MS(310);
    f->dns_changed = f->started + RF_MS(58700);
    f->verified = f->started + RF_MS(61240);
    f->ended = f->started + RF_MS(61300);
    f->drained = f->started + RF_MS(72480);
    f->held = 4312;
    strcpy(f->from.text, "10.0.1.17");
    strcpy(f->to.text, "10.0.2.23");
    return f;
}

static void an_outage(unsigned i)
{
    rf_report_database *db = &dbs[i];
    rf_snapshot *s = &db->snapshot;
    rf_failover *f;

    f = failover(i, 93846);
    f->epoch = 7;
    f = failover(i, 43);
    f->epoch = 0;
    f->dns_changed = f->verified = f->ended = f->drained = 0;
    f->to.text[0] = '\0';
    was(i, 43, 42, RF_STATE_SUSPECT, 3, 40);
    was(i, 42, -1, RF_STATE_OUTAGE, 40, 3120);
    s->brief.state = RF_STATE_OUTAGE;
    s->brief.armed = 1;
    s->since = NOW - RF_MS(42690);
    db->now_held = 3127;
    db->oldest = f->detected + RF_MS(9);
    db->counts[RF_COUNT_HELD] = 7439;
    db->counts[RF_COUNT_RELEASED] = 4300;
    db->counts[RF_COUNT_ABORTED] = 12;
    db->counts[RF_COUNT_PEAK] = 3127;
    f->held_before = 4312;
    s->probe.ok = 0;
    s->probe.interval = RF_MS(100);
    s->probe.cause = RF_CAUSE_UNREACHABLE;
    s->probe.code = 2003;
    strcpy(s->probe.error, "Can't connect to MySQL server on '10.0.2.23' (111)");
}

static void a_release(unsigned i)
{
    rf_report_database *db = &dbs[i];
    rf_snapshot *s = &db->snapshot;
    rf_failover *f;

    an_outage(i);
    f = &s->failovers[0];
    *f = (rf_failover){.epoch = 8, .cause = RF_CAUSE_LOST, .started = NOW - RF_SEC(70), .detected = NOW - RF_SEC(70) + RF_MS(4),
                       .declared = NOW - RF_MS(69690), .dns_changed = NOW - RF_MS(9300), .verified = NOW - RF_MS(8760),
                       .ended = NOW - RF_MS(8700), .held_before = 4312};
    strcpy(f->from.text, "10.0.2.23");
    strcpy(f->to.text, "10.0.1.17");
    was(i, 70, 69, RF_STATE_SUSPECT, 3, 40);
    was(i, 69, 9, RF_STATE_OUTAGE, 40, 4870);
    was(i, 9, -1, RF_STATE_RECOVERING, 4870, 1204);
    s->brief.state = RF_STATE_RECOVERING;
    s->brief.armed = 0;
    s->brief.epoch = 8;
    s->brief.allowed = 256;
    strcpy(s->brief.writer.text, "10.0.1.17");
    strcpy(s->dns.addresses[0].text, "10.0.1.17");
    s->since = f->ended;
    s->dns.changed_at = f->dns_changed;
    s->writer.buffer_pool_bytes = 12884901888;
    s->writer.verified_at = f->verified;
    s->probe.ok = 1;
    db->now_held = 1204;
    db->running = 243;
    db->oldest = NOW - RF_MS(61900);
    db->counts[RF_COUNT_HELD] = 9312;
    db->counts[RF_COUNT_RELEASED] = 8096;
    db->counts[RF_COUNT_PEAK] = 4870;
    for (unsigned k = 0; k < RF_HOLD_BUCKETS; k++)
        db->hold_times[k] = k < 9 ? 37 * k : 0;
    db->hold_sum = 81234567890;
}

static void after(unsigned i)
{
    rf_report_database *db = &dbs[i];
    rf_snapshot *s = &db->snapshot;

    failover(i, 1300000)->epoch = 5;
    failover(i, 93846)->cause = RF_CAUSE_SHUTDOWN;
    failover(i, 250);
    was(i, 250, 249, RF_STATE_SUSPECT, 3, 40);
    was(i, 249, 189, RF_STATE_OUTAGE, 40, 4312);
    was(i, 189, 177, RF_STATE_RECOVERING, 4312, 0);
    s->since = s->failovers[0].drained;
    s->brief.epoch = 8;
    s->writer.verified_at = s->failovers[0].verified;
    s->dns.changed_at = s->failovers[0].dns_changed;
    db->counts[RF_COUNT_HELD] = 8624;
    db->counts[RF_COUNT_RELEASED] = 8590;
    db->counts[RF_COUNT_ABORTED] = 34;
    db->counts[RF_COUNT_PEAK] = 4312;
    db->hold_times[9] = 8624;
    db->hold_sum = 200000000000;
}

static void calm_moment(void) { set_up(1); }

static void armed_moment(void)
{
    set_up(1);
    after(0);
    dbs[0].snapshot.brief.armed = 1;
    dbs[0].snapshot.probe.interval = RF_MS(100);
    dbs[0].snapshot.orders.armed_until = NOW + RF_SEC(540);
    strcpy(dbs[0].snapshot.orders.armed_by, "alice");
    report.control = 1;
}

/* A planned switch: nothing is wrong, and requests wait. */
static void held_moment(void)
{
    rf_snapshot *s = &dbs[0].snapshot;

    armed_moment();
    was(0, 20, -1, RF_STATE_AVAILABLE, 0, 1480);
    s->orders.hold_until = s->brief.hold_until = NOW + RF_SEC(100);
    s->brief.allowed = 32;
    strcpy(s->orders.hold_by, "bob");
    dbs[0].now_held = 1480;
    dbs[0].counts[RF_COUNT_HELD] = 10104;
    dbs[0].oldest = NOW - RF_SEC(20);
    dbs[0].inflight = 3;
}

static void outage_moment(void) { set_up(1); an_outage(0); }
static void release_moment(void) { set_up(1); a_release(0); }
static void after_moment(void) { set_up(1); after(0); }

static void suspect_moment(void)
{
    set_up(1);
    was(0, 1, -1, RF_STATE_SUSPECT, 4, 61);
    dbs[0].snapshot.brief.state = RF_STATE_SUSPECT;
    dbs[0].snapshot.since = NOW - RF_MS(900);
    dbs[0].now_held = 61;
    dbs[0].counts[RF_COUNT_HELD] = 61;
    dbs[0].oldest = NOW - RF_MS(897);
}

static void silent_moment(void)
{
    set_up(1);
    after(0);
    report.monitor_beat = NOW - RF_SEC(75);
    dbs[0].snapshot.brief.observed_at = NOW - RF_SEC(75);
    dbs[0].nhistory = 525;
}

static void start_moment(void)
{
    set_up(1);
    memset(&dbs[0], 0, sizeof(dbs[0]));
    dbs[0].name = "shop-production";
    dbs[0].endpoint = ENDPOINT;
    dbs[0].port = 3306;
    dbs[0].snapshot.writer.read_only = -1;
    report.monitor_beat = 0;
}

static void several_moment(void)
{
    set_up(4);
    after(0);
    an_outage(1);
    a_release(2);
    dbs[3].name = "sessions"; /* of another endpoint */
}

static void none_moment(void) { set_up(0); report.monitor_pid = 0; }

/** Names that want to be markup, and numbers that nobody would write. */
static void hostile_moment(void)
{
    static const char attack[] = "</style><script>alert(\"1\")</script>'\\\n\x1b[2J\xff{}";
    rf_snapshot *s = &dbs[0].snapshot;

    set_up(2);
    after(0);
    dbs[0].name = dbs[0].endpoint = dbs[1].name = report.host = report.mpm = report.module = attack;
    s->probe.ok = s->dns.ok = 0;
    strcpy(s->writer.server, attack);
    strcpy(s->writer.version, attack);
    strcpy(s->probe.error, attack);
    strcpy(s->probe.address.text, "<script>");
    strcpy(s->dns.error, attack);
    strcpy(s->dns.cnames[0], attack);
    strcpy(s->dns.addresses[0].text, "\"onload=\"x");
    strcpy(s->brief.writer.text, "'<script>\n");
    strcpy(s->failovers[0].from.text, "<script>");
    strcpy(s->failovers[0].to.text, "<script>");
    s->brief.state = 99;
    s->failovers[0].cause = 99;
    s->failovers[1].verified = -5;
    s->failovers[2].detected = INT64_MAX / 2;
    s->dns.ncnames = s->dns.naddresses = s->nfailovers = UINT32_MAX;
    history[0][7].state = 255;
    history[0][8].at = 0;
    history[0][9].at = NOW + RF_SEC(5);
    history[0][10].held = history[0][11].rtt_us = UINT32_MAX;
    history[0][12].at = NOW - RF_SEC(1000);
    dbs[0].counts[RF_COUNT_HELD] = UINT64_MAX;
    dbs[0].snapshot.brief.observed_at = NOW;
    dbs[0].snapshot.orders.hold_until = INT64_MAX;
    memset(dbs[0].snapshot.orders.hold_by, '<', sizeof dbs[0].snapshot.orders.hold_by - 1);
    memcpy(dbs[0].snapshot.orders.hold_by, "\"'&</script>\x01\xff", 14);
}

static const struct moment {
    const char *name;
    void (*make)(void);
    const char *state; /* of the first database */
} moments[] = {
    {"calm", calm_moment, "Available"},       {"armed", armed_moment, "Available"},     {"held", held_moment, "Available"}, {"suspect", suspect_moment, "Suspect"},
    {"outage", outage_moment, "Outage"},      {"release", release_moment, "Recovering"}, {"after", after_moment, "Available"},
    {"silent", silent_moment, "Unknown"},     {"start", start_moment, "Unknown"},       {"several", several_moment, "Available"},
    {"none", none_moment, NULL},              {"hostile", hostile_moment, "Unknown"},
};

/** For eyes and for other programs: the page, whole. */
static void write_file(const char *folder, const char *name, const char *suffix, const char *text)
{
    char path[4096];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
    out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        perror(path);
        exit(2);
    }
}

static void write_all(const char *folder)
{
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        const struct {
            const char *suffix;
            char *text;
        } formats[] = {
            {"html", (moments[i].make(), rf_report_html(&report))},
            {"json", rf_report_json(&report)}, {"auto", rf_report_auto(&report)},
            {"metrics", rf_report_metrics(&report)}, {"modstatus", rf_report_modstatus(&report, 0)},
            {"modstatus-auto", rf_report_modstatus(&report, 1)}, {"policy", rf_report_html_policy()},
        };

        for (size_t k = 0; k < sizeof(formats) / sizeof(formats[0]); k++) {
            write_file(folder, moments[i].name, formats[k].suffix, formats[k].text);
            free(formats[k].text);
        }
    }
}

/* --- what is looked at here; t/unit/report_formats.t has others look ------------------------------------------------ */

static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/** @return the number behind `series ` in the metrics, -1 if there is no such line */
static double metric(const char *series)
{
    char *text = rf_report_metrics(&report), *rest = text, *each;
    size_t n = strlen(series);
    double found = -1;

    while ((each = strsep(&rest, "\n"))) {
        if (strncmp(each, series, n) == 0 && each[n] == ' ')
            found = atof(each + n + 1);
    }
    free(text);
    return found;
}

static void each_moment(void)
{
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        const struct moment *m = &moments[i];
        char *page, state[64];

        m->make();
        page = rf_report_html(&report);
        is_int(times(page, "<script"), 1, "%s: one script", m->name);
        is_int(times(page, "</script"), 1, "%s: which ends once", m->name);
        is_int(times(page, "</style"), 1, "%s: one style", m->name);
        is_int(times(page, "://"), times(page, "xmlns='http://www.w3.org/2000/svg'"), "%s: no other address in it", m->name);
        is_int(times(page, " style="), 0, "%s: nothing that its policy forbids", m->name);
        is_int(times(page, "<section class=\"db "), report.ndatabases, "%s: a section for each database", m->name);
        snprintf(state, sizeof(state), "<p class=\"state\">%s", m->state ? m->state : "");
        ok(!m->state || strstr(page, state), "%s: says %s", m->name, m->state ? m->state : "nothing");
        ok(!report.ndatabases || times(page, "<svg class=\"icon\""), "%s: and has a shape for it", m->name);
        free(page);
    }
}

static void queue(void)
{
    char *page;

    release_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "<dt>Waiting<dd>1204<small>room for 10&#8239;000<"), "the queue: how many, of how many");
    ok(strstr(page, "<dt>Oldest<dd>1&nbsp;min 1&nbsp;s<"), "the oldest");
    ok(strstr(page, "<dt>Running<dd>243<small>released, of 256 allowed<"), "the release");
    ok(strstr(page, "class=\"writer\"><span>Address</span> <code>10.0.1.17</code> <b>the writer<"), "the chain ends at the writer");
    free(page);
    outage_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "<b>the last writer<") && !strstr(page, "<b>the writer<"), "in an outage nothing is called the writer");
    ok(strstr(page, "Armed: an outage is expected"), "armed");
    free(page);
    dbs[0].now_held = 0;
    page = rf_report_html(&report);
    ok(strstr(page, "<dt>Oldest<dd>&ndash;<"), "nobody waits, nobody is the oldest");
    free(page);
}

static void strip(void)
{
    char *page;

    after_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "Outage 1&nbsp;min 0&nbsp;s"), "the strip in words: outage");
    ok(strstr(page, "Suspect 1&nbsp;s") && strstr(page, "Recovering 12&nbsp;s"), "and the rest");
    ok(strstr(page, "At most 4312 waiting"), "the most that waited");
    ok(strstr(page, "<title>Outage from 18:05:50 UTC, 1&nbsp;min 0&nbsp;s</title>"), "when the outage was");
    is_int(times(page, "<rect class=\"f-outage\" x=\"58."), 1, "and where it is drawn");
    free(page);
    silent_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "Unknown") && strstr(page, "has fallen silent"), "a silent monitor is told");
    /* Its last sample speaks for a second, and then there is nothing. */
    ok(strstr(page, "H5257V1000z"), "and the strip ends where it fell silent");
    free(page);
    dbs[0].history = NULL;
    page = rf_report_html(&report);
    ok(strstr(page, "No history yet."), "without a history");
    free(page);
}

static void timelines(void)
{
    char *page;

    release_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "<tr class=\"came\"><th scope=\"row\">Detected"), "detected");
    ok(strstr(page, "<tr class=\"never\"><th scope=\"row\">Sockets freed"), "nothing frees sockets yet");
    ok(strstr(page, "<tr class=\"lasting\"><th scope=\"row\">Queue empty"), "the queue is what it waits for");
    ok(strstr(page, "61.2&nbsp;s without a writer"), "how long it took");
    ok(strstr(page, "5000 requests held"), "and how many waited");
    free(page);
    outage_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "<tr class=\"lasting\"><th scope=\"row\">Writer verified"), "a writer is what it waits for");
    ok(strstr(page, "<tr class=\"never\"><th scope=\"row\">Queue empty"), "and not yet for the queue");
    ok(strstr(page, "43.0&nbsp;s so far"), "so far");
    free(page);
    /* One that another overtook, and that never came to an end. */
    dbs[0].snapshot.failovers[1].drained = dbs[0].snapshot.failovers[1].verified = dbs[0].snapshot.failovers[1].ended = 0;
    page = rf_report_html(&report);
    is_int(times(page, "<tr class=\"lasting\">"), 2, "an old one waits for nothing");
    ok(strstr(page, "ended without a new writer"), "and has an end");
    free(page);
}

static void control(void)
{
    char *page;

    calm_moment();
    page = rf_report_html(&report);
    ok(!strstr(page, "<form"), "no buttons for who may not");
    free(page);
    report.control = 1;
    page = rf_report_html(&report);
    is_int(times(page, "<form method=\"post\" action=\"?html\">"), 2, "buttons for who may");
    is_int(times(page, "name=\"action\" value=\""), 4, "arm, disarm, hold, release");
    is_int(times(page, "name=\"database\" value=\"shop-production\""), 2, "of this database");
    is_int(times(page, "data-question=\""), 4, "each asks before it is done");
    free(page);
    armed_moment();
    page = rf_report_html(&report);
    ok(strstr(page, "Armed: an outage is expected, by <bdi>alice</bdi> until <time"), "who armed, and until when");
    free(page);
    held_moment();
    page = rf_report_html(&report);
    ok(strstr(page, ">On hold by <bdi>bob</bdi> until <time datetime=\"2026-11-22T18:11:40.250Z\""), "who holds, and until when");
    ok(strstr(page, "Still running on this host: <span data-v=\"hold.inflight\">3<"), "what still runs");
    ok(!strstr(page, "allowed<"), "nothing may be let go");
    ok(!strstr(page, "Requests pass."), "and it is not said that requests pass");
    free(page);
    dbs[0].inflight = 0;
    page = rf_report_html(&report);
    ok(strstr(page, "Nothing runs any more"), "or that nothing does");
    free(page);
    report.now += RF_SEC(101);
    dbs[0].snapshot.brief.observed_at += RF_SEC(101);
    page = rf_report_html(&report);
    ok(!strstr(page, "On hold by") && !strstr(page, "Nothing runs"), "and nothing of it when its time is over");
    free(page);
    hostile_moment();
    report.control = report.below = 1;
    page = rf_report_html(&report);
    ok(strstr(page, "action=\"html\"><input type=\"hidden\" name=\"database\" value=\"&lt;/style&gt;"),
       "whatever it is called, below a path");
    free(page);
}

static void metrics(void)
{
    release_moment();
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"recovering\"}"), 1, "the state is");
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"available\"}"), 0, "and is not");
    is_int(metric("rdsfailover_requests_waiting{database=\"shop-production\"}"), 1204, "waiting");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), 256, "allowed");
    is_int(1000 * metric("rdsfailover_oldest_waiting_seconds{database=\"shop-production\"}"), 61900, "the oldest");
    is_int(metric("rdsfailover_requests_left_total{database=\"shop-production\",outcome=\"released\"}"), 8096, "released");
    is_int(metric("rdsfailover_writer_buffer_pool_bytes{database=\"shop-production\"}"), 12884901888, "bytes");
    is_int(metric("rdsfailover_state_since_timestamp_seconds{database=\"shop-production\"}"), 1795370991, "a moment is since 1970");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"0.1\"}"), 0, "no wait was so short");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"1\"}"), 111, "buckets add up");
    is_int(metric("rdsfailover_hold_duration_seconds_bucket{database=\"shop-production\",le=\"+Inf\"}"), 37 * 36, "to all");
    is_int(metric("rdsfailover_hold_duration_seconds_count{database=\"shop-production\"}"), 37 * 36, "which is the count");
    is_int(metric("rdsfailover_hold_duration_seconds_sum{database=\"shop-production\"}"), 81234, "and their sum");
    held_moment();
    is_int(metric("rdsfailover_hold_ordered{database=\"shop-production\"}"), 1, "held by order");
    is_int(metric("rdsfailover_requests_inflight{database=\"shop-production\"}"), 3, "some run");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), -1, "none may be let go");
    after_moment();
    is_int(metric("rdsfailover_hold_ordered{database=\"shop-production\"}"), 0, "not held by order");
    is_int(metric("rdsfailover_requests_allowed{database=\"shop-production\"}"), -1, "nothing is bounded, no line");
    is_int(1000 * metric("rdsfailover_last_failover_outage_seconds{database=\"shop-production\"}"), 61240, "the last failover");
    several_moment();
    is_int(metric("rdsfailover_requests_waiting{database=\"sessions\"}"), 3127, "one of two of the same name");
    is_int(metric("rdsfailover_requests_waiting{database=\"sessions:2\"}"), 0, "and the other");
    silent_moment();
    is_int(metric("rdsfailover_stale{database=\"shop-production\"}"), 1, "a silent monitor");
    is_int(metric("rdsfailover_state{database=\"shop-production\",state=\"unknown\"}"), 1, "means unknown");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        write_all(argv[1]);
        return 0;
    }
    each_moment();
    queue();
    strip();
    timelines();
    control();
    metrics();
    return tap_done();
}
