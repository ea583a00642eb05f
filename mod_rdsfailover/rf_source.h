/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_SOURCE_H
#define RF_SOURCE_H
/**
 * @file rf_source.h
 * @brief Where the DSN comes from. First match wins: the directive, DATABASE_URL, RDS_HOSTNAME with its companions; any
 *        variable as NAME_FILE naming a file that holds the value.
 *
 * Layer: core. The environment and the files are asked through rf_source_world, so nothing here does I/O.
 */
#include "rf_dsn.h"

/** The largest value a NAME_FILE may hold, without its final NUL. */
#define RF_SOURCE_VALUE_MAX 8192

typedef struct rf_source_world {
    void *ctx;
    /** @return the variable's value, owned by the world, or NULL if it is not set */
    const char *(*env)(void *ctx, const char *name);
    /**
     * Read a whole file into `buf` and end it with NUL; a trailing newline (CR LF too) is removed.
     * @return NULL, or why it cannot be used ("is empty", "cannot be read: Permission denied", "is larger than 8192 bytes")
     */
    const char *(*file)(void *ctx, const char *path, char *buf, size_t size);
} rf_source_world;

/** Where a DSN was found; what must be read again when one of the files changes. Plain bytes, no pointers. */
typedef struct rf_source {
    char url[RF_DSN_URL_MAX]; /**< the directive's value; empty if the environment is asked */
    unsigned nfiles;
    char files[6][256]; /**< the NAME_FILEs that took part */
} rf_source;

/**
 * Find and read the DSN.
 * @param directive the value of RDSFailoverDSN, or NULL
 * @param ret_error on failure: a sentence that names the variable or file, what is wrong and what is accepted, without secrets;
 *                  empty if there is no DSN anywhere
 * @return 1 found; 0 not found or wrong (then only `ret_error` is written)
 */
int rf_source_read(const rf_source_world *world, const char *directive, rf_dsn *ret_dsn, rf_source *ret_source,
                   char *ret_error, size_t error_size);

#endif /* RF_SOURCE_H */
