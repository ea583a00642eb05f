/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html_failovers.c
 * @brief Each failover as a timeline: one line for each thing that had to happen, from what it waited for until it came.
 *
 * Layer: core.
 */
#include <inttypes.h>

#include "rf_report_html.h"

#define STEPS 6

/** One line of a timeline. */
typedef struct step {
    const char *name, *class;
    rf_time from, at; /* `at` 0: has not come */
    int awaited;      /* 0: may never come, and nothing waits for it */
} step;

/** What waited for what. A step that came at once, or before the one it is shown after, is a dot. */
static void steps_of(const rf_failover *f, step ret_steps[STEPS])
{
    rf_time holding = f->detected ? f->detected : f->started;

    ret_steps[0] = (step){"Detected", "suspect", f->started, f->detected, 1};
    ret_steps[1] = (step){"Sockets freed", "suspect", holding, f->sockets_freed, 0};
    ret_steps[2] = (step){"DNS moved", "dns", holding, f->dns_changed, 1};
    ret_steps[3] = (step){"Writer verified", "outage", holding, f->verified, 1};
    ret_steps[4] = (step){"Requests let go", "outage", f->verified, f->released, 1};
    ret_steps[5] = (step){"Queue empty", "recovering", f->released, f->drained, 1};
}

/** Is it what the newest failover waits for now? Once requests are let go, the queue alone. */
static int awaited(const rf_failover *f, const step *s)
{
    return s->awaited && s->from && !f->drained && (!f->released || s->from == f->released);
}

static void put_seconds(FILE *out, rf_time span)
{
    fprintf(out, "%.*f&nbsp;s", span < RF_SEC(1) ? 3 : span < RF_SEC(10) ? 2 : 1, (double)(span > 0 ? span : 0) / 1000000);
}

/** @param until where the timeline ends */
static void put_step(FILE *out, const rf_failover *f, const step *s, int newest, rf_time until)
{
    int lasting = newest && !s->at && awaited(f, s);
    rf_time end = s->at ? s->at : until, length = until > f->started ? until - f->started : 1;
    double from = s->from ? (double)(s->from - f->started) * 100 / (double)length : 0;
    double to = (double)(end - f->started) * 100 / (double)length;

    from = from < 0 ? 0 : from > 100 ? 100 : from;
    to = to < from ? from : to > 100 ? 100 : to;
    fprintf(out, "<tr class=\"%s\"><th scope=\"row\">%s<td><svg class=\"bar\" aria-hidden=\"true\">"
            "<line class=\"rail\" x1=\"0%%\" x2=\"100%%\" y1=\"50%%\" y2=\"50%%\"/>",
            s->at ? "came" : lasting ? "lasting" : "never", s->name);
    if (s->at || lasting)
        fprintf(out, "<rect class=\"f-%s\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"25%%\" height=\"50%%\" rx=\"3\"/>", s->class, from,
                to - from);
    if (s->at)
        fprintf(out, "<circle class=\"f-%s\" cx=\"%.2f%%\" cy=\"50%%\" r=\"5\"/>", s->class, to);
    fputs("</svg><td>", out);
    if (s->at)
        put_seconds(out, s->at - f->started);
    else if (lasting)
        fputs("<i>waiting</i>", out);
    else
        fputs("<span class=\"none\">&ndash;</span>", out);
    putc('\n', out);
}

static void put_outage(FILE *out, const rf_report *report, const rf_failover *f, int newest)
{
    if (f->verified) {
        put_seconds(out, f->verified - f->started);
        fputs(" without a writer", out);
    } else if (f->ended || f->drained || !newest) {
        fputs("ended without a new writer", out);
    } else {
        put_seconds(out, report->now - f->started);
        fputs(" so far", out);
    }
}

static void put_number_of(FILE *out, uint64_t n, const char *what, const char *became)
{
    rf_html_count(out, n);
    fprintf(out, " %s%s %s", what, n == 1 ? "" : "s", became);
}

static void put_failover(FILE *out, const rf_report *report, unsigned i, unsigned k)
{
    const rf_report_database *db = &report->databases[i];
    const rf_failover *f = &db->snapshot.failovers[k];
    rf_time until = f->drained || k ? f->started : report->now;
    char moment[RF_REPORT_WHEN_MAX];
    uint64_t held;
    step steps[STEPS];

    steps_of(f, steps);
    /* The name may move after all else is over; and what came before the newest failover has no `now`. */
    for (unsigned n = 0; n < STEPS; n++)
        until = steps[n].at > until ? steps[n].at : until;
    rf_report_when(report, f->started, moment);
    fprintf(out, "<details class=\"part failover\" id=\"db-%u-failover-%s\"%s>\n<summary><span class=\"when\">", i, moment,
            k == 0 ? " open" : "");
    rf_html_moment(out, report, f->started);
    fprintf(out, "</span> <span class=\"cause\">%s</span> <span class=\"move\"><code>", rf_cause_name((rf_cause)f->cause));
    rf_html_text_or_dash(out, f->from.text);
    fputs("</code> <span aria-hidden=\"true\">&rarr;</span><span class=\"unseen\">to</span> ", out);
    if (f->to.text[0] && (f->ended || f->verified)) {
        fputs("<code>", out);
        rf_html_text(out, f->to.text);
        fputs("</code>", out);
    } else {
        fputs(k ? "<i>not known</i>" : "<i>not over</i>", out);
    }
    fputs("</span> <strong>", out);
    put_outage(out, report, f, k == 0);
    fputs("</strong></summary>\n<table aria-label=\"Seconds after the first failure\">\n", out);
    for (unsigned n = 0; n < STEPS; n++)
        put_step(out, f, &steps[n], k == 0, until);
    fputs("</table>\n<p class=\"small\">", out);
    if (rf_report_failover_held(db, k, &held)) {
        put_number_of(out, held, "request", "held");
    } else {
        fputs("Requests held: not known", out);
    }
    if (rf_report_failover_replayed(db, k, &held)) {
        fputs(", ", out);
        rf_html_count(out, held);
        fputs(" replayed", out);
    }
    if (f->sockets_aborted) {
        fputs(", ", out);
        put_number_of(out, f->sockets_aborted, "socket", "freed");
    }
    if (f->epoch)
        fprintf(out, "; epoch %" PRIu32 " began", f->epoch);
    fputs(".</p>\n</details>\n", out);
}

void rf_html_failovers(FILE *out, const rf_report *report, unsigned i)
{
    const rf_snapshot *s = &report->databases[i].snapshot;

    fprintf(out, "<section class=\"card failovers\" id=\"db-%u-failovers\">\n<h3>Failovers</h3>\n", i);
    fprintf(out, "<div class=\"part-list\" id=\"db-%u-failover-list\">\n", i);
    if (s->nfailovers == 0)
        fputs("<p>None seen.</p>\n", out);
    for (unsigned k = 0; k < s->nfailovers && k < RF_FAILOVERS; k++)
        put_failover(out, report, i, k);
    fputs("</div>\n</section>\n", out);
}
