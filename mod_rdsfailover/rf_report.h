/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_REPORT_H
#define RF_REPORT_H
/**
 * @file rf_report.h
 * @brief What the status handler says: JSON, `Key: value` lines, Prometheus text, a page; and mod_status's section.
 *
 * Layer:     core. Gets a copy of everything, renders into memory; knows neither httpd nor the board's locks.
 * Ownership: the result is malloc'ed and belongs to the caller (free). Secrets are not in rf_report, so they cannot leak from it.
 */
#include "rf_board.h"
#include "rf_capacity.h"

/** One database, copied from its slot in one go. */
typedef struct rf_report_database {
    const char *name;     /**< the endpoint's first label, or the virtual host's choice */
    const char *endpoint; /**< host of the DSN */
    uint16_t port;
    int known;             /**< 0: the monitor has not published yet */
    rf_snapshot snapshot;
    uint64_t counts[RF_COUNTS];
    uint64_t now_held;
    uint32_t running;  /**< released requests that run now */
    uint32_t inflight; /**< protected requests that run now, those among them */
    rf_time oldest;   /**< when the request that has waited longest began to; 0: not known, or nobody waits */
    const rf_history_sample *history; /**< oldest first; NULL: none */
    unsigned nhistory;
    uint64_t hold_times[RF_HOLD_BUCKETS]; /**< waits that are over, by their length (rf_board_hold_bound): each is in one */
    uint64_t hold_sum;                    /**< of these, in microseconds */
} rf_report_database;

typedef struct rf_report {
    const char *module; /**< version of this module, "1.0.0-dev" */
    const char *host;
    const char *mpm;
    int32_t pid;       /**< of the process that answers */
    int32_t monitor_pid; /**< 0: none was ever started */
    uint32_t monitor_restarts;
    rf_time monitor_beat; /**< 0: never */
    rf_time now;          /**< monotonic */
    int64_t wall;         /**< microseconds since 1970 at `now` */
    rf_capacity capacity; /**< what this host can hold; all 0: not known */
    unsigned ndatabases;
    const rf_report_database *databases;
    int control; /**< whoever asked may arm and hold (RDSFailoverControl): the page has buttons */
    int below; /**< formats are asked for by path: a link to JSON is "json", not "?json" */
} rf_report;

/** JSON as in docs/status.md. @return NULL only if memory is exhausted */
char *rf_report_json(const rf_report *report);
/** `Key: value` lines, as mod_status's ?auto. */
char *rf_report_auto(const rf_report *report);
/** A page that needs no other file, and no script either. Its Content-Security-Policy is rf_report_html_policy's. */
char *rf_report_html(const rf_report *report);
/** @return what the page may do, for the header Content-Security-Policy: its own style and script, and asking this server */
char *rf_report_html_policy(void);
/** Prometheus text, version 0.0.4. */
char *rf_report_metrics(const rf_report *report);
/** A section of mod_status. @param brief its ?auto */
char *rf_report_modstatus(const rf_report *report, int brief);

/** Is this server fit to serve or to hold? 200 or 503, see docs/status.md; `strict` asks for a verified writer. */
int rf_report_health(const rf_report *report, int strict);

#endif /* RF_REPORT_H */
