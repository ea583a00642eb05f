/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_NOTIFY_H
#define MOD_RDSFAILOVER_NOTIFY_H
/**
 * @file mod_rdsfailover_notify.h
 * @brief RDSFailoverNotify in the monitor process: a command for each change, bounded in number and time.
 *
 * Layer:   glue.
 * Threads: the monitor's one. Nothing here waits for a command.
 */
#include "mod_rdsfailover.h"

#define RF_NOTIFY_AT_ONCE 4          /**< commands of all databases; one more is left out, and that is said */
#define RF_NOTIFY_PATIENCE RF_SEC(30) /**< then it and what it started are killed */

/**
 * Something was published: run the database's command if that is worth telling.
 * @param told what was published before; updated
 */
void rf_notify_published(const rf_database *db, rf_brief *told, const rf_snapshot *snapshot, rf_time now);

/** See to the commands that run. @return when to be called again; RF_TIME_NEVER if none runs */
rf_time rf_notify_tick(rf_time now);

#endif /* MOD_RDSFAILOVER_NOTIFY_H */
