/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_SECRETS_H
#define MOD_RDSFAILOVER_SECRETS_H
/**
 * @file mod_rdsfailover_secrets.h
 * @brief The DSN in the monitor process, read again when a mounted secret has been rotated.
 *
 * Layer:     glue.
 * Ownership: one rf_secrets for each database, in the monitor process alone.
 */
#include "mod_rdsfailover.h"

#include "rf_io_file.h"

typedef struct rf_secrets {
    const rf_database *db;
    rf_dsn dsn; /**< the one in use */
    rf_io_file_stamp stamps[6];
    rf_time due;
    char error[400]; /**< the last that was said */
} rf_secrets;

/** `secrets` is all zeroes. Files are looked at at once: the parent read them when it started, which may be a month ago. */
void rf_secrets_begin(rf_secrets *secrets, const rf_database *db, rf_time now);

/**
 * Look at the files, at most once a second. A DSN that cannot be read, or that names another endpoint, is said and not used.
 * @return 1 if `dsn` is a new one
 */
int rf_secrets_look(rf_secrets *secrets, rf_time now);

#endif /* MOD_RDSFAILOVER_SECRETS_H */
