/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_TIMELINE_H
#define RF_TIMELINE_H
/**
 * @file rf_timeline.h
 * @brief The record of failovers in a snapshot: what happened when, newest first.
 *
 * Layer: core. Every function works on the newest record and does nothing where it does not apply.
 */
#include "rf_board.h"

/** DNS that follows the end of an outage this soon still belongs to it. */
#define RF_TIMELINE_DNS_AFTER RF_SEC(120)

/** Put a new record in front; the oldest falls out. */
void rf_timeline_open(rf_snapshot *snapshot, const rf_failover *failover);

/** @return the record of the failover in progress, or NULL */
rf_failover *rf_timeline_current(rf_snapshot *snapshot);

/** A writer is verified: snapshot->brief has its address and epoch already. */
void rf_timeline_end(rf_snapshot *snapshot, rf_time now);

/** No order holds requests any more: those of a failover that has ended were let go now, if they were not before. */
void rf_timeline_released(rf_snapshot *snapshot, rf_time now);

/** The resolver answered: note the first answer that names the new writer and did not name it before. */
void rf_timeline_dns(rf_snapshot *snapshot, rf_time now);

/** The queue is empty, or nobody is held back any more. @param held the slot's count of held requests by now */
void rf_timeline_drained(rf_snapshot *snapshot, uint64_t held, uint64_t withheld, rf_time now);

#endif /* RF_TIMELINE_H */
