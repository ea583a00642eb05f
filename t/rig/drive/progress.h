/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_PROGRESS_H
#define DRIVE_PROGRESS_H
/**
 * @file progress.h
 * @brief The line that says how the run is going.
 *
 * Layer:     writes standard error.
 * Ownership: keeps nothing.
 * Threads:   one.
 */
#include "record.h"

/** Start from zeroes and set the first two. */
typedef struct {
    int64_t every; /**< microseconds between lines; 0 = none */
    bool in_place; /**< overwrite the line before (a terminal) */
    int64_t shown; /**< when the last line was written */
    size_t from;   /**< first request of the seconds that the next line tells of */
} drive_progress;

/** Settle `every` and `in_place` for this standard error. @param asked  -1 to have it chosen */
void drive_progress_start(drive_progress *progress, int64_t asked, int64_t now);

/** Show a line if it is time for one. */
void drive_progress_show(drive_progress *progress, const drive_log *log, size_t in_flight, int64_t started, int64_t now);

/** End the line that was overwritten so far. */
void drive_progress_end(const drive_progress *progress);

#endif /* DRIVE_PROGRESS_H */
