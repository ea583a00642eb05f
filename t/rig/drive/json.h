/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_JSON_H
#define DRIVE_JSON_H
/**
 * @file json.h
 * @brief The results as JSON, and one line for each request or write.
 *
 * Layer:     writes files.
 * Ownership: keeps nothing.
 * Threads:   one.
 */
#include "options.h"
#include "record.h"

#include <stdio.h>

/** What the results say beside the records. Times are microseconds since the epoch. */
typedef struct {
    const drive_options *options;
    const char *prefix;
    int64_t started;
    int64_t ended;
    int64_t planned; /**< requests that the options ask for */
    long files;      /**< limit of open files */
    const char *stopped; /**< signal that ended the run early, or NULL */
} drive_run;

/** Write everything to `path`, complete or not at all. @return false after saying why on standard error */
bool drive_json_write(const char *path, const drive_run *run, const drive_log *log);

/** Write one request as a line of JSON. */
void drive_json_line(FILE *out, const drive_run *run, const drive_log *log, size_t n);

/** Write one write as a line of the token file. */
void drive_json_token(FILE *out, const drive_run *run, const drive_log *log, size_t n);

/** @return the sentence for a failed request, such as "status 500" or "Timeout was reached"; in `space` or constant */
const char *drive_json_reason(const drive_run *run, const drive_record *record, char *space, size_t size);

#endif /* DRIVE_JSON_H */
