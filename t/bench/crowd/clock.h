/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_CLOCK_H
#define CROWD_CLOCK_H
/**
 * @file clock.h
 * @brief The time of day, which the servers' headers have too.
 *
 * Layer: the system's clock.
 */
#include <stdint.h>
#include <time.h>

/** @return microseconds since 1970 */
static inline int64_t crowd_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif /* CROWD_CLOCK_H */
