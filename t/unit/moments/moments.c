/* SPDX-License-Identifier: Apache-2.0 */
#include "moments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rf_abort.h"

#define NOW RF_SEC(500000)
#define ENDPOINT "shop-production.cx2k5lq0rs1t.eu-central-1.rds.amazonaws.com"

rf_report report;
rf_report_database dbs[MOMENT_DATABASES];
static rf_history_sample history[MOMENT_DATABASES][600];

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
    f->ended = f->released = f->started + RF_MS(61300);
    f->drained = f->started + RF_MS(72480);
    f->held = 4312;
    f->sockets_freed = f->started + RF_MS(330);
    f->sockets_aborted = 23;
    s->sockets.mode = RF_ABORT_DESTROY;
    s->sockets.aborted += 23;
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
    f->dns_changed = f->verified = f->ended = f->released = f->drained = 0;
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
                       .ended = NOW - RF_MS(8700), .released = NOW - RF_MS(8700), .held_before = 4312, .sockets_freed = NOW - RF_MS(69680), .sockets_aborted = 23};
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
    s->dns.ncnames = s->dns.naddresses = s->nfailovers = s->sockets.mode = UINT32_MAX;
    s->sockets.aborted = UINT64_MAX;
    s->failovers[0].sockets_freed = -7;
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

const moment moments[] = {
    {"calm", calm_moment, "Available"},
    {"armed", armed_moment, "Available"},
    {"held", held_moment, "Available"},
    {"suspect", suspect_moment, "Suspect"},
    {"outage", outage_moment, "Outage"},
    {"release", release_moment, "Recovering"},
    {"after", after_moment, "Available"},
    {"silent", silent_moment, "Unknown"},
    {"start", start_moment, "Unknown"},
    {"several", several_moment, "Available"},
    {"none", none_moment, NULL},
    {"hostile", hostile_moment, "Unknown"},
    {NULL, NULL, NULL},
};

void moment_begin(const char *name)
{
    const moment *m = moments;

    while (m->name && strcmp(m->name, name))
        m++;
    if (!m->name) {
        fprintf(stderr, "there is no moment \"%s\"\n", name);
        exit(2);
    }
    m->make();
}
