/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_MOMENTS_H
#define RF_MOMENTS_H
/**
 * @file moments.h
 * @brief A failover from its beginning to its end, and what else may be seen at three in the morning, as the status would be given it.
 *
 * Layer: tests.
 */
#include "rf_report.h"

#define MOMENT_DATABASES 4

/** The present moment. A test may change it after moment_begin(). */
extern rf_report report;
extern rf_report_database dbs[MOMENT_DATABASES];

typedef struct moment {
    const char *name;
    void (*make)(void);
    const char *state; /**< of the first database, as the page says it; NULL: there is none */
} moment;

/** All of them; ends with one without a name. */
extern const moment moments[];

/** Make the moment of this name the present one. Ends the program if there is none. */
void moment_begin(const char *name);

#endif /* RF_MOMENTS_H */
