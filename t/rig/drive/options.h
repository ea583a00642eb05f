/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_OPTIONS_H
#define DRIVE_OPTIONS_H
/**
 * @file options.h
 * @brief The command line of rds-drive.
 *
 * Layer:     reads mix files, nothing else.
 * Ownership: a drive_options owns its mix; other strings belong to argv.
 * Threads:   none; constant during the run.
 */
#include "mix.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *base; /**< URL that paths of the mix are put behind, without a slash at its end */
    drive_mix mix;
    double rate;
    int64_t duration; /**< microseconds */
    int64_t timeout;  /**< microseconds, for each request */
    int64_t progress; /**< microseconds between two progress lines; 0 = none, -1 = as fits stderr */
    uint64_t seed;
    bool keep_alive;
    bool follow;
    bool help;
    const char *out;          /**< JSON goes here; NULL = nowhere, "-" = standard output */
    const char *jsonl;        /**< one line per request, or NULL */
    const char *tokens;       /**< one line per write, or NULL */
    const char *token_prefix; /**< NULL = made from the start time */
    char error[320];
} drive_options;

/**
 * Read argv; what is not given has its default.
 *
 * @return NULL, or a sentence naming option, value and what is accepted
 */
const char *drive_options_parse(drive_options *options, int argc, char **argv);

/** @return the text of --help */
const char *drive_options_help(void);

void drive_options_free(drive_options *options);

#endif /* DRIVE_OPTIONS_H */
