/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html_strip.c
 * @brief The last minutes, ten at most, as a strip of three lanes: states, waiting requests, the probe's round trip.
 *
 * Layer: core. The history is shared memory's: nothing in it is believed to be in order or in range.
 */
#include <inttypes.h>
#include <string.h>

#include "rf_report_html.h"

/* Samples come each second; further apart than this, nobody looked. */
#define GAP RF_SEC(3)
/* The lanes' own units. Whole numbers: twelve hundred of them are written for each database. */
#define WIDTH 6000
#define HEIGHT 1000

/** How far back a strip goes: no further than it must, so that one of a server that was just started is not mostly empty. */
static const struct window {
    rf_time length;
    const char *words, *axis[4];
} windows[] = {
    {RF_SEC(120), "two", {"2 min ago", "1:30", "1 min", "0:30"}},
    {RF_SEC(300), "five", {"5 min ago", "3:45", "2:30", "1:15"}},
    {RF_SEC(600), "ten", {"10 min ago", "7:30", "5 min", "2:30"}},
};
#define LONGEST (&windows[2])

/** A state's height in its lane, in percent: who cannot tell the colours sees the shape. In the order of rf_state_name. */
static const int heights[] = {12, 34, 60, 100, 80};

typedef struct strip {
    const rf_report *report;
    const struct window *window;
    const rf_history_sample *samples;
    unsigned n;
    uint32_t held_max, rtt_max;
    unsigned seconds[5]; /* by state */
} strip;

static rf_state_name state_of(const rf_history_sample *h)
{
    return h->state <= RF_STATE_RECOVERING ? (rf_state_name)h->state : RF_STATE_UNKNOWN;
}

/** @return where a moment lies, 0 to WIDTH */
static int x_of(const strip *p, rf_time t)
{
    rf_time ago = p->report->now - t;

    return ago <= 0 ? WIDTH : ago >= p->window->length ? 0 : WIDTH - (int)(ago * WIDTH / p->window->length);
}

/** @return where a value lies below the top, if `most` is the highest */
static int y_of(uint32_t value, uint32_t most)
{
    return most ? HEIGHT - (int)((uint64_t)value * (HEIGHT - 40) / most) : HEIGHT;
}

/** @return until when the sample `i` speaks */
static rf_time end_of(const strip *p, unsigned i)
{
    rf_time next = i + 1 < p->n ? p->samples[i + 1].at : p->report->now;

    return next > p->samples[i].at && next - p->samples[i].at <= GAP ? next : p->samples[i].at + RF_SEC(1);
}

static int follows(const strip *p, unsigned i)
{
    return i > 0 && p->samples[i].at > p->samples[i - 1].at && p->samples[i].at - p->samples[i - 1].at <= GAP;
}

static void measure(strip *p, const rf_report *report, const rf_report_database *db)
{
    memset(p, 0, sizeof(*p));
    p->report = report;
    p->samples = db->history;
    p->n = db->history ? db->nhistory : 0;
    /* Only what the strip shows. */
    while (p->n && p->samples->at < report->now - LONGEST->length) {
        p->samples++;
        p->n--;
    }
    p->window = p->n ? windows : LONGEST;
    while (p->window < LONGEST && p->samples->at < report->now - p->window->length)
        p->window++;
    for (unsigned i = 0; i < p->n; i++) {
        const rf_history_sample *h = &p->samples[i];

        p->seconds[state_of(h)]++;
        p->held_max = h->held > p->held_max ? h->held : p->held_max;
        p->rtt_max = h->rtt_us > p->rtt_max ? h->rtt_us : p->rtt_max;
    }
}

static void put_states(FILE *out, const strip *p)
{
    char moment[RF_REPORT_WHEN_MAX];

    fputs("<svg class=\"lane states\" aria-hidden=\"true\">\n", out);
    for (unsigned i = 0, k; i < p->n; i = k) {
        rf_state_name state = state_of(&p->samples[i]);
        double from = x_of(p, p->samples[i].at) * 100.0 / WIDTH, to;

        for (k = i + 1; k < p->n && follows(p, k) && state_of(&p->samples[k]) == state; k++)
            continue;
        to = x_of(p, end_of(p, k - 1)) * 100.0 / WIDTH;
        /* A second that matters is seen: a screen's pixel is about as wide. */
        fprintf(out, "<rect class=\"f-%s\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d%%\" height=\"%d%%\"><title>%s from ",
                rf_state_text(state), from, to - from > 0.35 ? to - from : 0.35, 100 - heights[state], heights[state],
                rf_html_state_title(state));
        rf_report_when(p->report, p->samples[i].at, moment);
        fprintf(out, "%.8s UTC, ", moment[0] ? moment + 11 : "");
        rf_html_span(out, end_of(p, k - 1) - p->samples[i].at);
        fputs("</title></rect>\n", out);
    }
    fputs("</svg>\n", out);
}

static void put_held(FILE *out, const strip *p)
{
    fputs("<svg class=\"lane held\" viewBox=\"0 0 6000 1000\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"", out);
    for (unsigned i = 0; i < p->n; i++) {
        const rf_history_sample *h = &p->samples[i];

        if (!follows(p, i))
            fprintf(out, "M%d %d", x_of(p, h->at), HEIGHT);
        if (!follows(p, i) || h->held != p->samples[i - 1].held)
            fprintf(out, "H%dV%d", x_of(p, h->at), y_of(h->held, p->held_max));
        if (i + 1 == p->n || !follows(p, i + 1))
            fprintf(out, "H%dV%dz", x_of(p, end_of(p, i)), HEIGHT);
    }
    fputs("\"/></svg>\n", out);
}

static void put_rtt(FILE *out, const strip *p)
{
    int drawing = 0;

    fputs("<svg class=\"lane rtt\" viewBox=\"0 0 6000 1000\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"", out);
    for (unsigned i = 0; i < p->n; i++) {
        const rf_history_sample *h = &p->samples[i];

        /* 0: no answer, no time. */
        if (!h->rtt_us) {
            drawing = 0;
            continue;
        }
        if (!follows(p, i))
            drawing = 0;
        fprintf(out, "%c%d %d", drawing ? 'L' : 'M', x_of(p, h->at), y_of(h->rtt_us, p->rtt_max));
        drawing = 1;
    }
    fputs("\"/></svg>\n", out);
}

static void put_whole(FILE *out, unsigned seconds)
{
    if (seconds < 60)
        fprintf(out, "%u&nbsp;s", seconds);
    else
        rf_html_span(out, RF_SEC(seconds));
}

/** The strip in words. */
static void put_words(FILE *out, const strip *p)
{
    static const rf_state_name order[] = {RF_STATE_OUTAGE, RF_STATE_SUSPECT, RF_STATE_RECOVERING, RF_STATE_UNKNOWN,
                                          RF_STATE_AVAILABLE};

    if (!p->n) {
        fputs("No history yet.", out);
        return;
    }
    fputs("<ul class=\"legend\">\n", out);
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        if (!p->seconds[order[k]])
            continue;
        fprintf(out, "<li class=\"s-%s\">", rf_state_text(order[k]));
        rf_html_icon(out, order[k]);
        fprintf(out, "%s ", rf_html_state_title(order[k]));
        put_whole(out, p->seconds[order[k]]);
        putc('\n', out);
    }
    fputs("<li>At most ", out);
    rf_html_count(out, p->held_max);
    fputs(" waiting\n", out);
    if (p->rtt_max) {
        fputs("<li>Probe at most ", out);
        rf_html_span(out, p->rtt_max);
    }
    fputs("</ul>", out);
}

void rf_html_strip(FILE *out, const rf_report *report, unsigned i)
{
    strip p;

    measure(&p, report, &report->databases[i]);
    fprintf(out, "<figure class=\"part card strip\" id=\"db-%u-strip\" aria-labelledby=\"db-%u-strip-title\">\n"
            "<h3 id=\"db-%u-strip-title\">The last %s minutes</h3>\n<div class=\"lanes\">\n<span>State</span>\n", i, i, i,
            p.window->words);
    put_states(out, &p);
    fputs("<span>Waiting <b>max ", out);
    rf_html_count(out, p.held_max);
    fputs("</b></span>\n", out);
    put_held(out, &p);
    fputs("<span>Probe <b>max ", out);
    if (p.rtt_max)
        rf_html_span(out, p.rtt_max);
    else
        fputs("&ndash;", out);
    fputs("</b></span>\n", out);
    put_rtt(out, &p);
    fputs("<span></span>\n<div class=\"axis\" aria-hidden=\"true\">", out);
    for (size_t k = 0; k < sizeof(p.window->axis) / sizeof(p.window->axis[0]); k++)
        fprintf(out, "<span>%s</span>", p.window->axis[k]);
    fputs("<span>now</span></div>\n</div>\n<figcaption>", out);
    put_words(out, &p);
    fputs("</figcaption>\n</figure>\n", out);
}
