/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_RECORD_H
#define DRIVE_RECORD_H
/**
 * @file record.h
 * @brief What became of each request, and the list of all of them.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: a drive_log owns its records; pointers into it die with the next drive_log_add.
 * Threads:   one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a request ended. The visitor sees a failure in the last three. */
typedef enum {
    DRIVE_PENDING, /**< still under way, or the run was cut short before it ended */
    DRIVE_OK,      /**< expected status, marker found */
    DRIVE_WRONG,   /**< a complete answer, but not the right one */
    DRIVE_UNSENT,  /**< no connection: the server never saw it */
    DRIVE_UNKNOWN  /**< no complete answer: the server may have acted on it */
} drive_outcome;

/** One request. Times are microseconds since the Unix epoch. */
typedef struct {
    int64_t due;
    int64_t sent; /**< when the driver got to it; later than `due` by the driver's own delay */
    int64_t done; /**< when the answer was complete or given up; 0 while pending */
    int64_t bytes;
    int kind;   /**< index into the mix */
    int status; /**< HTTP status, 0 without one */
    int curl;   /**< CURLcode */
    int redirects;
    drive_outcome outcome;
} drive_record;

/** Records by request number. Start from all zeroes. */
typedef struct {
    drive_record *records;
    size_t n;
    size_t room;
} drive_log;

/** @return the new last record, all zeroes */
drive_record *drive_log_add(drive_log *log);

void drive_log_free(drive_log *log);

bool drive_record_failed(const drive_record *record);

/** @return microseconds from due to done; meaningless while pending */
int64_t drive_record_latency(const drive_record *record);

/** @return the stable, lower-case name used in output: pending, ok, wrong, unsent, unknown */
const char *drive_outcome_name(drive_outcome outcome);

/** @return what an outcome says about a write: acknowledged, failed or unknown */
const char *drive_outcome_write(drive_outcome outcome);

#endif /* DRIVE_RECORD_H */
