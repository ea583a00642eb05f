/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_LEG_H
#define RF_LEG_H
/**
 * @file rf_leg.h
 * @brief How long one leg of a wait lasts, by the patience of what stands in front of httpd.
 *
 * Layer: core.
 */
#include "rf_time.h"

#define RF_MARGIN_DEFAULT RF_SEC(10)
#define RF_MARGIN_UNSET ((rf_time)-1)

/**
 * @param front  the front gives up this long after a request arrived; 0: there is none
 * @param margin what is left for the answer; RF_MARGIN_UNSET: the default, or 20 % of a `front` below 50 s
 * @return how long after its arrival a request may still be started; 0: any time. At least a fifth of `front`: sections inherit
 *         each key by itself, so a margin may meet a `front` that it was not written for, and legs of nothing would send visitors
 *         round all the time
 */
static inline rf_time rf_leg(rf_time front, rf_time margin)
{
    rf_time fifth = front / 5;

    if (margin == RF_MARGIN_UNSET)
        margin = fifth < RF_MARGIN_DEFAULT ? fifth : RF_MARGIN_DEFAULT;
    return front - margin > fifth ? front - margin : fifth;
}

#endif /* RF_LEG_H */
