/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_REPORT_H
#define CROWD_REPORT_H
/**
 * @file report.h
 * @brief The results as one JSON document.
 *
 * Layer: jansson; writes a file.
 */
#include <stdbool.h>

#include "client.h"
#include "side.h"

/** When what happened; microseconds since 1970, 0: never. */
typedef struct {
    int64_t began, first_connect, ready, ended;
    size_t sent; /**< clients that had sent when READY was said */
} crowd_times;

/** @param side  NULL if there was none  @return false after saying why it could not be written */
bool crowd_report_write(const crowd_shared *all, const crowd_times *times, const crowd_side *side);

/** @return true if every request of who did not leave was answered right, and nobody got more */
bool crowd_report_good(const crowd_shared *all);

#endif /* CROWD_REPORT_H */
