/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_PROBER_H
#define MOD_RDSFAILOVER_PROBER_H
/**
 * @file mod_rdsfailover_prober.h
 * @brief The monitor's end of a prober process: start it, talk to it, kill it.
 *
 * Layer:     glue; knows rf_sample.h, not httpd.
 * Ownership: one rf_prober for each database, in the monitor process alone.
 *
 * A prober may hang in a library, crash on a strange answer or be killed; whatever happens, it is replaced, and no other
 * database waits for it.
 */
#include <sys/types.h>

#include "rf_sample.h"

typedef struct rf_prober {
    pid_t pid; /**< 0: none runs */
    int fd;    /**< -1: none; readable when a sample has come or the prober is gone */
    rf_time started;
} rf_prober;

/** Start a prober. It sees a small environment without secrets, and no descriptor but its socket and the error log. @return 1, or 0 with errno */
int rf_prober_start(rf_prober *prober, const char *path, const char *name, rf_time now);

/** Kill it and reap it, whatever it is doing. */
void rf_prober_kill(rf_prober *prober);

/** Send without waiting. A prober whose socket is full hangs, and will be found out. */
void rf_prober_send(const rf_prober *prober, const rf_command *command);

/** @return 1 a sample, 0 nothing there, -1 the prober is gone or talks nonsense */
int rf_prober_receive(const rf_prober *prober, rf_sample *ret_sample);

#endif /* MOD_RDSFAILOVER_PROBER_H */
