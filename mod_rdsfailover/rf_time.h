/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_TIME_H
#define RF_TIME_H
/**
 * @file rf_time.h
 * @brief The one unit of time: microseconds.
 *
 * Layer: core. A point in time is always the monotonic clock, read once by whoever acts and handed down as `now`; it means
 * the same in every process of this host until the next boot. 0 means "never". Only reports turn it into wall-clock time,
 * by the distance of the two clocks at that moment, so a clock that is set back never makes an outage longer.
 */
#include <stdint.h>

typedef int64_t rf_time;

#define RF_TIME_NEVER INT64_MAX /**< later than everything; where 0 would be the earliest */

#define RF_MS(n) ((rf_time)(n) * 1000)
#define RF_SEC(n) ((rf_time)(n) * 1000000)

#endif /* RF_TIME_H */
