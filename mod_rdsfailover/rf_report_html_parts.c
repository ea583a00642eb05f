/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html_parts.c
 * @brief Text, numbers, times and the states' shapes, as the page writes them.
 *
 * Layer: core.
 */
#include <inttypes.h>

#include "rf_report_html.h"

#define DASH "<span class=\"none\">not known</span>"

void rf_html_text(FILE *out, const char *text)
{
    char clean[RF_REPORT_TEXT_MAX];

    rf_report_clean(text ? text : "", clean);
    for (const char *c = clean; *c; c++) {
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*c, out);
        }
    }
}

void rf_html_text_or_dash(FILE *out, const char *text)
{
    if (text && text[0])
        rf_html_text(out, text);
    else
        fputs(DASH, out);
}

void rf_html_count(FILE *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

    /* Four digits are read at a glance; more are not. */
    for (int i = 0; i < len; i++) {
        if (i && len > 4 && (len - i) % 3 == 0)
            fputs("&#8239;", out);
        putc(digits[i], out);
    }
}

void rf_html_span(FILE *out, rf_time span)
{
    int64_t s = span / 1000000;

    if (span < 0)
        span = s = 0;
    if (span < RF_MS(10))
        fprintf(out, "%.3g&nbsp;ms", (double)span / 1000);
    else if (span < RF_SEC(1))
        fprintf(out, "%" PRId64 "&nbsp;ms", span / 1000);
    else if (s < 10)
        fprintf(out, "%.2f&nbsp;s", (double)span / 1000000);
    else if (s < 60)
        fprintf(out, "%.1f&nbsp;s", (double)span / 1000000);
    else if (s < 3600)
        fprintf(out, "%" PRId64 "&nbsp;min %" PRId64 "&nbsp;s", s / 60, s % 60);
    else if (s < 86400)
        fprintf(out, "%" PRId64 "&nbsp;h %" PRId64 "&nbsp;min", s / 3600, s % 3600 / 60);
    else
        fprintf(out, "%" PRId64 "&nbsp;d %" PRId64 "&nbsp;h", s / 86400, s % 86400 / 3600);
}

void rf_html_moment(FILE *out, const rf_report *report, rf_time t)
{
    char moment[RF_REPORT_WHEN_MAX];

    if (rf_report_when(report, t, moment))
        fprintf(out, "<time datetime=\"%s\">%.10s %.8s&nbsp;UTC</time>", moment, moment, moment + 11);
    else
        fputs(DASH, out);
}

void rf_html_since(FILE *out, const rf_report *report, rf_time t, const char *path)
{
    char moment[RF_REPORT_WHEN_MAX];
    rf_time span = report->now - t;

    if (!rf_report_when(report, t, moment)) {
        fputs(DASH, out);
        return;
    }
    /* Whole seconds: the script counts on from here. */
    if (span > 0 && span < RF_SEC(60))
        span -= span % RF_SEC(1);
    fprintf(out, "<span class=\"since\" data-since=\"%s\"", moment);
    if (path)
        fprintf(out, " data-at=\"%s\"", path);
    putc('>', out);
    if (span < RF_SEC(60))
        fprintf(out, "%" PRId64 "&nbsp;s", span > 0 ? span / RF_SEC(1) : 0);
    else
        rf_html_span(out, span);
    fputs("</span>", out);
}

/** In the order of rf_state_name: shape, the sign in it, its colour on a light ground, the word. */
static const struct {
    const char *shape, *sign, *colour, *title;
} states[] = {
    {"M12 1 16 4 20.5 3.5 20 8 23 12 20 16 20.5 20.5 16 20 12 23 8 20 3.5 20.5 4 16 1 12 4 8 3.5 3.5 8 4z",
     "M9.2 9.3c.2-3.7 5.8-3.3 5.6.2-.1 2-2.8 2.2-2.8 4.7M12 17.2v.2", "57606a", "Unknown"},
    {"M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22z", "m7 12.4 3.4 3.4L17.2 8.6", "1a7f37", "Available"},
    {"M12 1.5a1.8 1.8 0 0 1 1.5.9l10 17.6A1.8 1.8 0 0 1 22 22.7H2A1.8 1.8 0 0 1 .5 20l10-17.6a1.8 1.8 0 0 1 1.5-.9z",
     "M12 8.5v6M12 18.3v.2", "8a5a00", "Suspect"},
    {"M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z", "m8 8 8 8M16 8l-8 8", "b3261e", "Outage"},
    {"M4 1h16a3 3 0 0 1 3 3v16a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V4a3 3 0 0 1 3-3z",
     "M12 18V6.5M7 11.3l5-5 5 5", "0b5cc4", "Recovering"},
};

const char *rf_html_ask(const rf_report *report)
{
    return report->below ? "" : "?";
}

void rf_html_icon(FILE *out, rf_state_name state)
{
    fprintf(out,
            "<svg class=\"icon\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" aria-hidden=\"true\">"
            "<path class=\"shape\" d=\"%s\"/><path class=\"sign\" d=\"%s\"/></svg>",
            states[state].shape, states[state].sign);
}

void rf_html_icon_url(FILE *out, rf_state_name state)
{
    fprintf(out,
            "data:image/svg+xml,%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%%3E"
            "%%3Cpath fill='%%23%s' d='%s'/%%3E"
            "%%3Cpath fill='none' stroke='white' stroke-width='2.5' stroke-linecap='round' d='%s'/%%3E%%3C/svg%%3E",
            states[state].colour, states[state].shape, states[state].sign);
}

const char *rf_html_state_title(rf_state_name state)
{
    return states[state].title;
}
