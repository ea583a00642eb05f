/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html_database.c
 * @brief One database on the page: its state, the queue, where its name leads, its writer, what became of requests.
 *
 * Layer: core.
 */
#include <inttypes.h>

#include "rf_abort.h"
#include "rf_report_html.h"

/** What a state means for visitors, in the order of rf_state_name. */
static const char *const meanings[] = {
    "Nothing certain is known. Requests pass.",
    "The writer answers and takes writes. Requests pass.",
    "Something is wrong, but not yet proven. New requests wait for the writer&#8217;s next answer.",
    "There is no writer. Requests are held until one is verified.",
    "A writer is verified. Held requests are being let go.",
};

static void put_hero(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];
    const rf_snapshot *s = &db->snapshot;
    rf_state_name state = rf_report_state(report, db);
    rf_time since = rf_report_since(report, db);
    rf_report_ordered order;
    int held = rf_report_order(report, db, &order) && order.action == RF_ORDER_HOLD;

    fprintf(out, "<div class=\"part hero\" id=\"db-%u-hero\">\n", i);
    rf_html_icon(out, state);
    fprintf(out, "<div>\n<h2 id=\"db-%u-name\"><bdi>", i);
    rf_html_text_or_dash(out, db->name);
    fprintf(out, "</bdi></h2>\n<p class=\"state\">%s", rf_html_state_title(state));
    if (since) {
        fputs(" <span class=\"for\">for ", out);
        rf_html_since(out, report, since, NULL);
        fputs("</span>", out);
    }
    fprintf(out, "</p>\n<p class=\"meaning\">%s</p>\n</div>\n<ul class=\"tags\">\n",
            held ? "By order new requests wait, whatever the state." : meanings[state]);
    rf_html_order_tags(out, report, db);
    if (since) {
        fputs("<li>Since ", out);
        rf_html_moment(out, report, since);
    }
    fprintf(out, "\n<li>Epoch %" PRIu32 "\n<li>", s->brief.epoch);
    if (s->brief.observed_at) {
        fputs("Looked at ", out);
        rf_html_since(out, report, s->brief.observed_at, "observed");
        fputs(" ago", out);
    } else {
        fputs("Not looked at yet", out);
    }
    fputs("\n</ul>\n</div>\n", out);
}

/** What an operator must know besides the state. */
static void put_notes(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];
    const rf_snapshot *s = &db->snapshot;

    fprintf(out, "<div class=\"part notes\" id=\"db-%u-notes\">\n", i);
    rf_html_order_note(out, report, db);
    if (rf_report_stale(report, db))
        fputs("<p class=\"note\"><strong>The monitor has fallen silent</strong>: what follows is old. "
              "The server&#8217;s error log says why.</p>\n",
              out);
    if (s->probe.last && !s->probe.ok) {
        fputs("<p class=\"note\"><strong>The last probe of ", out);
        rf_html_text(out, s->probe.address.text);
        fprintf(out, " failed (%s)</strong>: ", rf_cause_name((rf_cause)s->probe.cause));
        rf_html_text(out, s->probe.error);
        fprintf(out, "<br>%s</p>\n", rf_cause_advice((rf_cause)s->probe.cause));
    }
    if (!s->dns.ok && s->dns.error[0]) {
        fputs("<p class=\"note\"><strong>The name servers do not help</strong>: ", out);
        rf_html_text(out, s->dns.error);
        fputs("</p>\n", out);
    }
    fputs("</div>\n", out);
}

/** Without a verified writer, the address is the one that was it last. */
static int has_writer(const rf_report *report, const rf_report_database *db)
{
    rf_state_name state = rf_report_state(report, db);

    return state == RF_STATE_AVAILABLE || state == RF_STATE_RECOVERING;
}

static void put_queue(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];
    const rf_snapshot *s = &db->snapshot;
    uint32_t allowed = rf_report_allowed(report, db);

    fprintf(out, "<dl class=\"part tiles\" id=\"db-%u-queue\" aria-label=\"The queue now\">\n<div class=\"%s\"><dt>Waiting<dd>", i,
            db->now_held ? "busy" : "idle");
    rf_html_count(out, db->now_held);
    if (report->capacity.requests) {
        fputs("<small>room for ", out);
        rf_html_count(out, report->capacity.requests);
        fputs("</small>", out);
    }
    fputs("</div>\n<div><dt>Oldest<dd>", out);
    if (rf_report_oldest(report, db))
        rf_html_span(out, rf_report_oldest(report, db));
    else
        fputs("&ndash;", out);
    fputs("<small>longest wait</small></div>\n<div><dt>Running<dd>", out);
    rf_html_count(out, db->running);
    if (allowed) {
        fputs("<small>released, of ", out);
        rf_html_count(out, allowed);
        fputs(" allowed</small>", out);
    } else {
        fputs("<small>released</small>", out);
    }
    /* The script counts it; without one there is nothing to say. */
    fprintf(out,
            "</div>\n<div class=\"live\"><dt>Released<dd><span data-rate=\"%u\">&ndash;</span>"
            "<small>per second</small></div>\n<div><dt>Probe<dd>",
            i);
    if (!has_writer(report, db)) {
        fputs("&ndash;<small>no writer&#8217;s answer</small>", out);
    } else {
        fputs("<span data-v=\"writer.rtt_ms\">", out);
        if (s->writer.rtt)
            rf_html_span(out, s->writer.rtt);
        else
            fputs("&ndash;", out);
        fputs("</span><small>round trip, smoothed</small>", out);
    }
    fputs("</div>\n</dl>\n", out);
}

static void put_chain(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];
    const rf_snapshot *s = &db->snapshot;

    fprintf(out, "<section class=\"part card\" id=\"db-%u-chain\">\n"
            "<h3>Where the name leads</h3>\n<ol class=\"chain\">\n<li><span>Endpoint</span> <code id=\"db-%u-endpoint\">", i, i);
    rf_html_text_or_dash(out, db->endpoint);
    fprintf(out, "<wbr>:%u</code>\n", db->port);
    for (unsigned k = 0; k < s->dns.ncnames && k < RF_CNAMES; k++) {
        fputs("<li><span>CNAME</span> <code>", out);
        rf_html_text(out, s->dns.cnames[k]);
        fputs("</code>\n", out);
    }
    for (unsigned k = 0; k < s->dns.naddresses && k < RF_ADDRESSES; k++) {
        int writer = rf_address_equal(&s->dns.addresses[k], &s->brief.writer), now = has_writer(report, db);

        fprintf(out, "<li class=\"%s\"><span>Address</span> <code>", !writer ? "other" : now ? "writer" : "last");
        rf_html_text(out, s->dns.addresses[k].text);
        fputs(!writer ? "</code>\n" : now ? "</code> <b>the writer</b>\n" : "</code> <b>the last writer</b>\n", out);
    }
    fputs("</ol>\n<p class=\"small\">", out);
    if (s->dns.answered_at) {
        fprintf(out, "TTL <span data-v=\"dns.ttl\">%" PRIu32 "</span>&nbsp;s. Answered ", s->dns.ttl);
        rf_html_since(out, report, s->dns.answered_at, "dns.answered");
        fputs(" ago, changed ", out);
        if (s->dns.changed_at) {
            rf_html_since(out, report, s->dns.changed_at, NULL);
            fputs(" ago.", out);
        } else {
            fputs("never.", out);
        }
    } else {
        fputs("No answer yet.", out);
    }
    fputs("</p>\n</section>\n", out);
}

static void put_bytes(FILE *out, uint64_t bytes)
{
    if (!bytes)
        rf_html_text_or_dash(out, NULL);
    else if (bytes >= (uint64_t)1 << 30)
        fprintf(out, "%.4g&nbsp;GiB", (double)bytes / (1 << 30));
    else
        fprintf(out, "%.4g&nbsp;MiB", (double)bytes / (1 << 20));
}

static void put_writer(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];
    const rf_snapshot *s = &db->snapshot;

    fprintf(out, "<section class=\"part card\" id=\"db-%u-writer\">\n"
            "<h3>%s</h3>\n<dl class=\"facts\">\n<dt>Address<dd><code>",
            i, has_writer(report, db) || !s->brief.writer.text[0] ? "Writer" : "The last writer");
    rf_html_text_or_dash(out, s->brief.writer.text);
    fputs("</code>\n<dt>Server name<dd><bdi>", out);
    rf_html_text_or_dash(out, s->writer.server);
    fputs("</bdi>\n<dt>Version<dd><bdi>", out);
    rf_html_text_or_dash(out, s->writer.version);
    fputs("</bdi>\n<dt>Buffer pool<dd>", out);
    put_bytes(out, s->writer.buffer_pool_bytes);
    fputs("\n<dt>Zone, class<dd>", out);
    rf_html_text_or_dash(out, NULL);
    fputs("\n<dt>Verified<dd>", out);
    rf_html_moment(out, report, s->writer.verified_at);
    fputs("\n<dt>Probes<dd><span data-v=\"probe.count\">", out);
    rf_html_count(out, s->probe.count);
    fputs("</span>, of which <span data-v=\"probe.failed\">", out);
    rf_html_count(out, s->probe.failed);
    fputs("</span> failed", out);
    if (s->probe.interval) {
        fputs("; one each ", out);
        rf_html_span(out, s->probe.interval);
    }
    fputs("\n</dl>\n</section>\n", out);
}

/** One figure of a list. */
static void put_count(FILE *out, const char *name, uint64_t n, const char *meaning)
{
    fprintf(out, "<div class=\"%s\"><dt>%s<dd>", n ? "some" : "zero", name);
    rf_html_count(out, n);
    fprintf(out, "<small>%s</small></div>\n", meaning);
}

/** Only where RDSFailoverAbortStale is on. */
static void put_sockets(FILE *out, const rf_report *report, unsigned i)
{
    const rf_snapshot *s = &report->databases[i].snapshot;

    if (s->sockets.mode == RF_ABORT_OFF)
        return;
    fprintf(out, "<section class=\"part card\" id=\"db-%u-sockets\">\n"
            "<h3>Sockets to addresses that lost the writer&#8217;s role</h3>\n<dl class=\"counts\">\n", i);
    put_count(out, "Destroyed", s->sockets.aborted, "since the start");
    put_count(out, "Left alone", s->sockets.left,
              s->sockets.mode == RF_ABORT_DESTROY ? "at the last look" : "at the last look; they are only counted");
    fputs("</dl>\n</section>\n", out);
}

static void put_counts(FILE *out, const rf_report *report, unsigned i)
{
    static const struct {
        const char *name, *meaning;
        rf_count count;
    } rows[] = {
        {"Held", "began to wait", RF_COUNT_HELD},
        {"Released", "went on with a writer", RF_COUNT_RELEASED},
        {"Passed", "went on without one", RF_COUNT_PASSED},
        {"Sent round", "came back to their place", RF_COUNT_REDIRECTED},
        {"Expired", "waited too long: 503", RF_COUNT_EXPIRED},
        {"Aborted", "visitor left", RF_COUNT_ABORTED},
        {"Lost", "their process died", RF_COUNT_LOST},
        {"Rejected", "no place to wait: 503", RF_COUNT_REJECTED},
        {"Peak", "most that waited at once", RF_COUNT_PEAK},
        {"Troubled", "failed after the release", RF_COUNT_TROUBLED},
        {"Withheld", "failed answers, to run again", RF_COUNT_WITHHELD},
        {"Replayed", "ran again, did not fail", RF_COUNT_REPLAY_SUCCEEDED},
        {"Failed again", "or never ran again", RF_COUNT_REPLAY_FAILED},
        {"Refused", "failed, and must not run again", RF_COUNT_REPLAY_REFUSED},
    };
    const rf_report_database *db = &report->databases[i];

    fprintf(out, "<section class=\"part card\" id=\"db-%u-counts\">\n"
            "<h3>Requests since the start</h3>\n<dl class=\"counts\">\n", i);
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
        put_count(out, rows[k].name, db->counts[rows[k].count], rows[k].meaning);
    fputs("</dl>\n</section>\n", out);
}

void rf_html_database(FILE *out, const rf_report *report, unsigned i)
{
    const char *state = rf_state_text(rf_report_state(report, &report->databases[i]));

    fprintf(out, "<section class=\"db s-%s\" id=\"db-%u\" data-state=\"%s\" aria-labelledby=\"db-%u-name db-%u-endpoint\">\n",
            state, i, state, i, i);
    put_hero(out, report, i);
    put_notes(out, report, i);
    put_queue(out, report, i);
    rf_html_control(out, report, i);
    rf_html_strip(out, report, i);
    rf_html_failovers(out, report, i);
    fputs("<div class=\"pair\">\n", out);
    put_chain(out, report, i);
    put_writer(out, report, i);
    fputs("</div>\n", out);
    put_counts(out, report, i);
    put_sockets(out, report, i);
    fputs("</section>\n", out);
}
