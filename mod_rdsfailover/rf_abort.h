/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_ABORT_H
#define RF_ABORT_H
/**
 * @file rf_abort.h
 * @brief Which address has lost the writer's role for certain, so that this host's sockets to it may be destroyed.
 *
 * A process that waits for a silent server waits for minutes; a socket that is destroyed wakes it at once. A wrong verdict breaks
 * statements that run, on a server that notices only when it answers. So what is asked here is proof, not doubt:
 *
 * - never while the state is `suspect`: one late answer makes that, and most suspicions end with the next one;
 * - never while it is `unknown`: nothing is known then;
 * - a writer is dead when its outage is declared, not before, and a server that answers at all, whatever it says, is not dead;
 * - who was never the writer is none of our business.
 *
 * Layer: core. No I/O, no clock, no allocation.
 */
#include "rf_board.h"
#include "rf_candidates.h"

/** RDSFailoverAbortStale, and what the system allows. */
typedef enum {
    RF_ABORT_OFF,
    RF_ABORT_COUNT,  /**< look, but destroy nothing: the right or the kernel is lacking, or RDSFailoverDryRun is on */
    RF_ABORT_DESTROY
} rf_abort_mode;

/** Failures prove nothing any more after this long. An address that DNS has dropped is not probed once the state is `available`, and
 *  may be given to somebody else one day. RDS keeps its own for the standby, and its name's TTL is 5 s. */
#define RF_ABORT_EVIDENCE RF_SEC(600)
/** A server that answers and is read-only is left alone this long after another was verified: who connects to it then may want to
 *  read (Aurora and Multi-AZ clusters make a reader of the old writer). Until then it was taken for the writer: names alternate for
 *  up to 30 s after a failover. */
#define RF_ABORT_DEMOTED RF_SEC(60)
/** Sockets destroyed in one pass: 25 µs each, so that the monitor's clock does not stand still for more than 25 ms. */
#define RF_ABORT_AT_ONCE 1000
/** The next pass after one that was full. Otherwise there is one each `interval`, because new connections are made. */
#define RF_ABORT_PAUSE RF_MS(100)

/**
 * @param fails    failures in a row that prove something (rf_policy)
 * @param state    of the database, as of this moment
 * @param verified when the present writer was verified
 * @return 1 if sockets to this address may be destroyed
 */
int rf_abort_wanted(const rf_candidate *c, int fails, rf_state_name state, rf_time verified, rf_time now);

#endif /* RF_ABORT_H */
