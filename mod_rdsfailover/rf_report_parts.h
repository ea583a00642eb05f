/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_REPORT_PARTS_H
#define RF_REPORT_PARTS_H
/**
 * @file rf_report_parts.h
 * @brief What the report's formats share, so that they cannot tell different stories. For rf_report*.c only.
 *
 * Layer: core.
 */
#include <jansson.h>

#include "rf_report.h"

/** The state to show: unknown if nothing was published or the snapshot is stale. */
rf_state_name rf_report_state(const rf_report *report, const rf_report_database *db);

/** @return 1 if the monitor published once and then fell silent */
int rf_report_stale(const rf_report *report, const rf_report_database *db);

/** @return when the shown state began; 0 not known */
rf_time rf_report_since(const rf_report *report, const rf_report_database *db);

/** Requests held during the failover `i` places back. @return 0 if it is not known */
int rf_report_failover_held(const rf_report_database *db, unsigned i, uint64_t *ret_held);
/** The same for requests of which an answer was withheld, and that ran again. */
int rf_report_failover_replayed(const rf_report_database *db, unsigned i, uint64_t *ret_replayed);

/** What an operator has ordered, if that is in force. */
typedef struct rf_report_ordered {
    rf_order_action action; /**< RF_ORDER_HOLD, RF_ORDER_ARM; RF_ORDER_NONE */
    rf_time until;
    const char *by;
    int drained; /**< held, and nothing runs any more */
} rf_report_ordered;

/** @return 1 if there is one: a hold before being armed */
int rf_report_order(const rf_report *report, const rf_report_database *db, rf_report_ordered *ret_order);

/** @return released requests that may run at once now; 0: any number, or none because of an order to hold */
uint32_t rf_report_allowed(const rf_report *report, const rf_report_database *db);

/** @return how long the request has waited that has waited longest; 0 if none waits, or it is not known */
rf_time rf_report_oldest(const rf_report *report, const rf_report_database *db);

#define RF_REPORT_WHEN_MAX 32
/** Write a moment as "2026-11-22T18:09:04.100Z". @return 0, with an empty text, for 0 (never) */
int rf_report_when(const rf_report *report, rf_time t, char ret_text[RF_REPORT_WHEN_MAX]);

#define RF_REPORT_TEXT_MAX 1024
/**
 * Make a text that came from the network harmless: valid UTF-8 without control characters; what is not becomes U+FFFD.
 * Cuts what does not fit.
 */
void rf_report_clean(const char *text, char ret_text[RF_REPORT_TEXT_MAX]);

/** The whole report as a tree that the caller releases. @return NULL if memory is exhausted */
json_t *rf_report_tree(const rf_report *report);

#endif /* RF_REPORT_PARTS_H */
