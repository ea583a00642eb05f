/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_FILE_H
#define RF_IO_FILE_H
/**
 * @file rf_io_file.h
 * @brief The real environment and the real files behind rf_source_world, and whether a file has changed since.
 *
 * Layer:     adapter (system calls only; no library).
 * Ownership: the caller owns every struct.
 * Threads:   none of its own; getenv needs an environment that nobody changes meanwhile.
 */
#include <sys/types.h>
#include <time.h>

#include "rf_source.h"

/** What rf_io_file_world needs to live as long as the world it fills. */
typedef struct rf_io_file {
    char error[160]; /**< the last sentence of rf_source_world.file */
} rf_io_file;

/** Fill a world whose env is getenv(3) and whose file reads regular files. */
void rf_io_file_world(rf_io_file *file, rf_source_world *ret_world);

/** A file's identity at one moment. Start from all zeroes, which stands for a file that is not there. */
typedef struct rf_io_file_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
    struct timespec ctime; /**< a chmod that makes a file readable counts as a change */
} rf_io_file_stamp;

/**
 * Compare a file with what it was, and remember what it is. Costs one stat(2). Take the stamp before reading the
 * file: a change in between is then seen the next time.
 * @return 1 if it changed, came or went
 */
int rf_io_file_changed(const char *path, rf_io_file_stamp *stamp);

#endif /* RF_IO_FILE_H */
