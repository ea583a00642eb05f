/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_POLICY_H
#define RF_POLICY_H
/**
 * @file rf_policy.h
 * @brief How patient to be with one database: RDSFailoverCheck, as numbers.
 *
 * Layer: core. Filled from the directive, constant while a monitor lives.
 */
#include <stdint.h>

#include "rf_time.h"

#define RF_LATE_OFF ((rf_time)0)
#define RF_LATE_AUTO ((rf_time)-1)

typedef struct rf_policy {
    rf_time interval;    /**< between two probes of the writer while all is well */
    rf_time fast;        /**< between two probes while armed, suspect or in an outage */
    rf_time timeout;     /**< a probe's verdict comes after this at the latest */
    rf_time late;        /**< an answer slower than this makes the state suspect; RF_LATE_OFF, RF_LATE_AUTO */
    int fails;           /**< failures in a row that make an outage; at least 1 */
    int passes;          /**< successes in a row on one address that end it; at least 1 */
    int writable;        /**< a read-only server is no writer */
    int former;          /**< candidates=auto: addresses that were the writer before are looked at too */
    int app_name;        /**< app=name: wait until this host's resolver gives the verified address */
    int abort;           /**< RDSFailoverAbortStale: rf_abort_mode */
    uint32_t concurrency; /**< released requests that may run at once when a release begins (RDSFailoverRelease); at least 1 */
} rf_policy;

/** @return the longest a reader may trust a snapshot that was not renewed */
static inline rf_time rf_policy_stale_after(const rf_policy *policy)
{
    return 3 * policy->interval + policy->timeout;
}

#endif /* RF_POLICY_H */
