/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_SOCKETS_H
#define MOD_RDSFAILOVER_SOCKETS_H
/**
 * @file mod_rdsfailover_sockets.h
 * @brief RDSFailoverAbortStale in the monitor process: one pass over this host's sockets to dead or demoted addresses.
 *
 * Layer:     glue.
 * Ownership: one rf_sockets for each database, in the monitor process alone.
 *
 * A pass has three steps. The sockets are listed. Every prober is asked which are its own, and those are spared: a login that is
 * pending at a stopped server is what notices first that it goes on. When the last has answered, the rest is destroyed.
 *
 * In this order nothing can slip in between: what a prober opens after the list was made is not on it, and what is on it was open
 * when the prober was asked. The monitor cannot look by itself: a prober holds the password, so /proc is closed to its own user.
 * A prober that says nothing stops the pass, and is replaced soon. One that lies can have sockets spared, never destroyed.
 */
#include "mod_rdsfailover.h"
#include "mod_rdsfailover_prober.h"

#include "rf_io_sockets.h"
#include "rf_monitor.h"

typedef struct rf_sockets {
    struct rf_sockets *all; /**< every database's, this one's among them */
    int nall;
    const rf_database *db;
    rf_monitor *monitor;
    const rf_prober *prober;

    rf_io_sockets *list; /**< NULL: no pass is under way */
    uint64_t awaited;    /**< bit per database whose prober has not answered */
    uint32_t ticket;     /**< of the question */
    unsigned n;
    rf_address addresses[RF_ADDRESSES];
    int destroy;
} rf_sockets;

/** @return rf_abort_mode: what is done about this database's stale sockets */
int rf_sockets_mode(const rf_database *db);

/** rf_world.abort_sockets: list them and ask the probers. The monitor is told the end, by rf_monitor_aborted. */
void rf_sockets_ask(rf_sockets *s, const rf_address *addresses, unsigned n, int destroy, rf_time now);

/** The prober of this database has answered (RF_SAMPLE_SOCKETS), or (NULL) is gone, and its sockets with it. */
void rf_sockets_hear(const rf_sockets *s, const rf_sample *sample, rf_time now);

#endif /* MOD_RDSFAILOVER_SOCKETS_H */
