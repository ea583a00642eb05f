/* SPDX-License-Identifier: Apache-2.0 */
/* rf_report_html: the page in each moment of a failover.
 *
 * usage: report_page [FOLDER]   writes each moment's page, JSON, lines, metrics and mod_status section to files there;
 *                               t/unit/report_formats.t and report_browser.t have other programs look at them */
#include <stdlib.h>

#include "moments/moments.h"
#include "rf_abort.h"
#include "tap.h"

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

static void write_moment(const char *folder, const moment *m)
{
    const struct {
        const char *suffix;
        char *text;
    } formats[] = {
        {"html", rf_report_html(&report)},
        {"json", rf_report_json(&report)},
        {"auto", rf_report_auto(&report)},
        {"metrics", rf_report_metrics(&report)},
        {"modstatus", rf_report_modstatus(&report, 0)},
        {"modstatus-auto", rf_report_modstatus(&report, 1)},
        {"policy", rf_report_html_policy()},
    };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        write_file(folder, m->name, formats[i].suffix, formats[i].text);
        free(formats[i].text);
    }
}

static char *page;

/** The page of the present moment, as it is after whatever a test has changed in it. */
static void draw(void)
{
    free(page);
    page = rf_report_html(&report);
}

static void draw_moment(const char *name)
{
    moment_begin(name);
    draw();
}

static int shows(const char *what)
{
    return strstr(page, what) != NULL;
}

static unsigned times(const char *what)
{
    unsigned n = 0;

    for (const char *at = page; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void each_moment(void)
{
    for (const moment *m = moments; m->name; m++) {
        char state[64];

        draw_moment(m->name);
        is_int(times("<script"), 1, "%s: one script", m->name);
        is_int(times("</script"), 1, "%s: which ends once", m->name);
        is_int(times("</style"), 1, "%s: one style", m->name);
        is_int(times("://"), times("xmlns='http://www.w3.org/2000/svg'"), "%s: no other address in it", m->name);
        is_int(times(" style="), 0, "%s: nothing that its policy forbids", m->name);
        is_int(times("<section class=\"db "), report.ndatabases, "%s: a section for each database", m->name);
        snprintf(state, sizeof(state), "<p class=\"state\">%s", m->state ? m->state : "");
        ok(!m->state || shows(state), "%s: says %s", m->name, m->state ? m->state : "nothing");
        ok(!report.ndatabases || times("<svg class=\"icon\""), "%s: and has a shape for it", m->name);
    }
}

static void queue(void)
{
    draw_moment("release");
    ok(shows("<dt>Waiting<dd>1204<small>room for 10&#8239;000<"), "the queue: how many, of how many");
    ok(shows("<dt>Oldest<dd>1&nbsp;min 1&nbsp;s<"), "the oldest");
    ok(shows("<dt>Running<dd>243<small>released, of 256 allowed<"), "the release");
    ok(shows("<dt>Probe<dd><span data-v=\"writer.rtt_ms\">0.412&nbsp;ms<"), "the round trip");
    ok(shows("class=\"writer\"><span>Address</span> <code>10.0.1.17</code> <b>the writer<"), "the chain ends at the writer");
    draw_moment("start");
    ok(!shows("The last writer"), "who was never seen is not the last");
    draw_moment("outage");
    ok(shows("<h3>The last writer"), "who is gone is");
    ok(shows("<b>the last writer<") && !shows("<b>the writer<"), "in an outage nothing is called the writer");
    ok(shows("<dt>Probe<dd>&ndash;<"), "nor has it a round trip");
    ok(shows("Armed: an outage is expected"), "armed");
    dbs[0].now_held = 0;
    draw();
    ok(shows("<dt>Oldest<dd>&ndash;<"), "nobody waits, nobody is the oldest");
}

static void strip(void)
{
    draw_moment("after");
    ok(shows("Outage 1&nbsp;min 0&nbsp;s"), "the strip in words: outage");
    ok(shows("Suspect 1&nbsp;s") && shows("Recovering 12&nbsp;s"), "and the rest");
    ok(shows("At most 4312 waiting"), "the most that waited");
    ok(shows("<title>Outage from 18:05:50 UTC, 1&nbsp;min 0&nbsp;s</title>"), "when the outage was");
    is_int(times("<rect class=\"f-outage\" x=\"58."), 1, "and where it is drawn");
    draw_moment("silent");
    ok(shows("Unknown") && shows("has fallen silent"), "a silent monitor is told");
    /* Its last sample speaks for a second, and then there is nothing. */
    ok(shows("H5257V1000z"), "and the strip ends where it fell silent");
    dbs[0].history = NULL;
    draw();
    ok(shows("No history yet."), "without a history");
    draw_moment("after");
    ok(shows("The last ten minutes"), "ten minutes");
    dbs[0].history += 600 - 299;
    dbs[0].nhistory = 299;
    draw();
    ok(shows("The last five minutes") && shows("<span>5 min ago</span>"), "five, where there was nothing before");
    is_int(times("<rect class=\"f-outage\" x=\"16."), 1, "and it is drawn where it was");
    dbs[0].history += 299 - 20;
    dbs[0].nhistory = 20;
    draw();
    ok(shows("The last two minutes") && shows("<rect class=\"f-available\" x=\"83."), "two at least");
}

static void timelines(void)
{
    draw_moment("release");
    ok(shows("<tr class=\"came\"><th scope=\"row\">Detected"), "detected");
    ok(shows("<tr class=\"lasting\"><th scope=\"row\">Queue empty"), "the queue is what it waits for");
    ok(shows("61.2&nbsp;s without a writer"), "how long it took");
    ok(shows("5000 requests held"), "and how many waited");
    draw_moment("outage");
    ok(shows("<tr class=\"lasting\"><th scope=\"row\">Writer verified"), "a writer is what it waits for");
    ok(shows("<tr class=\"never\"><th scope=\"row\">Queue empty"), "and not yet for the queue");
    ok(shows("43.0&nbsp;s so far"), "so far");
    /* One that another overtook, and that never came to an end. */
    dbs[0].snapshot.failovers[1].drained = dbs[0].snapshot.failovers[1].verified = 0;
    dbs[0].snapshot.failovers[1].ended = dbs[0].snapshot.failovers[1].released = 0;
    draw();
    is_int(times("<tr class=\"lasting\">"), 2, "an old one waits for nothing");
    ok(shows("ended without a new writer"), "and has an end");
}

static void sockets(void)
{
    rf_snapshot *s = &dbs[0].snapshot;

    draw_moment("release");
    ok(shows("<tr class=\"came\"><th scope=\"row\">Sockets freed"), "sockets: when they were freed");
    ok(shows(", 23 sockets freed"), "how many");
    s->failovers[0].sockets_aborted = 1;
    draw();
    ok(shows(", 1 socket freed"), "or one");
    ok(shows("<dt>Destroyed<dd>46<"), "and in all");
    is_int(times("<dt>Left alone<dd>"), 1, "and what was left");
    s->failovers[0].sockets_freed = 0;
    s->failovers[0].sockets_aborted = 0;
    draw();
    ok(shows("<tr class=\"never\"><th scope=\"row\">Sockets freed"), "none was there to be freed: not waited for");
    is_int(times("<tr class=\"lasting\"><th scope=\"row\">Sockets freed"), 0, "whatever else is");
    s->sockets.mode = RF_ABORT_COUNT;
    s->sockets.left = 7;
    draw();
    ok(shows("<dt>Left alone<dd>7<") && shows("they are only counted"), "where they may not be destroyed, that is said");
    draw_moment("calm");
    ok(!shows("<dt>Destroyed<dd>"), "nothing of it where it is off");
    ok(!shows("sockets freed"), "nor in a failover");
}

static void replays(void)
{
    moment_begin("after");
    dbs[0].counts[RF_COUNT_WITHHELD] = 31;
    dbs[0].counts[RF_COUNT_REPLAY_SUCCEEDED] = 29;
    dbs[0].counts[RF_COUNT_REPLAY_FAILED] = 2;
    dbs[0].counts[RF_COUNT_REPLAY_REFUSED] = 5;
    draw();
    ok(shows("<dt>Withheld<dd>31<") && shows("<dt>Replayed<dd>29<") && shows("<dt>Failed again<dd>2<") && shows("<dt>Refused<dd>5<"),
       "what became of failed answers");
}

static void control(void)
{
    draw_moment("calm");
    ok(!shows("<form"), "no buttons for who may not");
    report.control = 1;
    draw();
    is_int(times("<form method=\"post\" action=\"?html\">"), 2, "buttons for who may");
    is_int(times("name=\"action\" value=\""), 4, "arm, disarm, hold, release");
    is_int(times("name=\"database\" value=\"shop-production\""), 2, "of this database");
    is_int(times("data-question=\""), 4, "each asks before it is done");
    moment_begin("hostile");
    report.control = report.below = 1;
    draw();
    ok(shows("action=\"html\"><input type=\"hidden\" name=\"database\" value=\"&lt;/style&gt;"),
       "whatever it is called, below a path");
}

static void orders(void)
{
    draw_moment("armed");
    ok(shows("Armed: an outage is expected, by <bdi>alice</bdi> until <time"), "who armed, and until when");
    draw_moment("held");
    ok(shows(">On hold by <bdi>bob</bdi> until <time datetime=\"2026-11-22T18:11:40.250Z\""), "who holds, and until when");
    ok(shows("Still running on this host: <span data-v=\"hold.inflight\">3<"), "what still runs");
    ok(!shows("allowed<"), "nothing may be let go");
    ok(!shows("Requests pass."), "and it is not said that requests pass");
    dbs[0].inflight = 0;
    draw();
    ok(shows("Nothing runs any more"), "or that nothing does");
    report.now += RF_SEC(101);
    dbs[0].snapshot.brief.observed_at += RF_SEC(101);
    draw();
    ok(!shows("On hold by") && !shows("Nothing runs"), "and nothing of it when its time is over");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (const moment *m = moments; m->name; m++) {
            m->make();
            write_moment(argv[1], m);
        }
        return 0;
    }
    each_moment();
    queue();
    strip();
    timelines();
    sockets();
    replays();
    control();
    orders();
    free(page);
    return tap_done();
}
