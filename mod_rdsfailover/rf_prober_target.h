/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_PROBER_TARGET_H
#define RF_PROBER_TARGET_H
/**
 * @file rf_prober_target.h
 * @brief One address that is probed: its link, the question that is open, and when the verdict on it is due.
 *
 * Layer:     prober, above the I/O adapters.
 * Ownership: targets are the prober's; samples go out through rf_say and are not kept.
 */
#include "rf_io_mysql.h"

/** Tell the monitor. */
typedef void rf_say(const rf_sample *sample);

/** The prober's one clock. */
rf_time rf_prober_now(void);

typedef struct rf_target {
    rf_address address; /**< empty: the place is free */
    rf_link *link;      /**< NULL: nothing is open */
    int asked;          /**< a verdict is owed for `ticket` */
    int kept;           /**< it was asked on a connection that was open already */
    uint32_t ticket;
    rf_time timeout, began, deadline;
    rf_time used;       /**< last asked for */
    unsigned spoiled;   /**< logins in a row that failed in a way the server counts towards 1129 */
    rf_time rest_until; /**< until then their verdict is repeated and the server left alone */
    rf_sample last;
} rf_target;

/** Ask, on the open connection if there is one. A question that is still open only takes the new ticket. */
void rf_target_probe(rf_target *target, const rf_dsn *dsn, uint32_t ticket, rf_time timeout, rf_time now, rf_say *say);

/** Go on after poll found `revents` on the link's socket. */
void rf_target_ready(rf_target *target, int revents, rf_time now, rf_say *say);

/** Give the verdict "timeout" if it is due. */
void rf_target_tick(rf_target *target, rf_time now, rf_say *say);

/** Close whatever is open and free the place. */
void rf_target_forget(rf_target *target);

#endif /* RF_PROBER_TARGET_H */
