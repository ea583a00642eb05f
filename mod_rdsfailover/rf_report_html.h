/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_REPORT_HTML_H
#define RF_REPORT_HTML_H
/**
 * @file rf_report_html.h
 * @brief What the files that make the page share. For rf_report_html*.c only.
 *
 * Layer: core. Everything that is not a literal goes through rf_html_text().
 *
 * An element with the class "part" and an id is what the page's script exchanges when it has changed.
 */
#include <stdio.h>

#include "rf_report_parts.h"

/** The page's style and script; made of rf_report_page.css and rf_report_page.js when the module is built. */
extern const char rf_report_page_css[];
extern const char rf_report_page_js[];

/** Text that came from anywhere: cleaned and escaped, for an element or a quoted attribute. NULL: nothing. */
void rf_html_text(FILE *out, const char *text);
/** The same, or a dash for what is not known. */
void rf_html_text_or_dash(FILE *out, const char *text);

/** 12 345 */
void rf_html_count(FILE *out, uint64_t n);
/** How long something lasts: "0.412 ms", "20.1 s", "3 min 20 s", "5 h 12 min". */
void rf_html_span(FILE *out, rf_time span);
/** A time element, "2026-11-22 18:09:52 UTC"; a dash for 0. */
void rf_html_moment(FILE *out, const rf_report *report, rf_time t);
/** How long ago; the script counts on. @param path where the JSON has the moment, if it changes all the time; or NULL */
void rf_html_since(FILE *out, const rf_report *report, rf_time t, const char *path);

/** The state's own shape, so that nobody needs its colour. */
void rf_html_icon(FILE *out, rf_state_name state);
/** The same as the address of a picture: a data URL, safe in a quoted attribute. */
void rf_html_icon_url(FILE *out, rf_state_name state);
/** "Available" */
const char *rf_html_state_title(rf_state_name state);

/** @return what a link to another format begins with: they work below a path and behind a `?` alike */
const char *rf_html_ask(const rf_report *report);

/** One database, `i` in the report. */
void rf_html_database(FILE *out, const rf_report *report, unsigned i);
/** The last ten minutes: states, waiting requests, the probe's round trip. */
void rf_html_strip(FILE *out, const rf_report *report, unsigned i);
/** What is ordered, for the list of small facts. */
void rf_html_order_tags(FILE *out, const rf_report *report, const rf_report_database *db);
/** That requests are held by order, and what still runs; nothing if they are not. */
void rf_html_order_note(FILE *out, const rf_report *report, const rf_report_database *db);
/** Buttons, for those who may. */
void rf_html_control(FILE *out, const rf_report *report, unsigned i);
/** Each failover as a timeline, newest first. */
void rf_html_failovers(FILE *out, const rf_report *report, unsigned i);

#endif /* RF_REPORT_HTML_H */
