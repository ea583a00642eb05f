/* SPDX-License-Identifier: Apache-2.0 */
/* What the crowd makes of its records: percentiles, orders, how many at once. And its checksum. */
#include "crc.h"
#include "record.h"
#include "tap.h"

#include <stdlib.h>

static void percentiles(void)
{
    int64_t hundred[100];

    for (int i = 0; i < 100; i++) {
        hundred[i] = i + 1;
    }
    is_int(crowd_percentile(hundred, 100, 500), 50, "half of them");
    is_int(crowd_percentile(hundred, 100, 990), 99, "99 %% of them");
    is_int(crowd_percentile(hundred, 100, 1000), 100, "all of them");
    is_int(crowd_percentile(hundred, 1, 10), 1, "one value is every percentile");
    is_int(crowd_percentile(hundred, 0, 500), -1, "of nothing there is none");
}

/* Inversions by the definition, to compare with. */
static uint64_t count_pairs(const crowd_places *places, size_t n)
{
    uint64_t pairs = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            pairs += places[i].came < places[k].came && places[i].went > places[k].went;
        }
    }
    return pairs;
}

static void orders(void)
{
    crowd_places straight[] = {{1, 10}, {2, 20}, {3, 30}}, overtaken[] = {{5, 30}, {100, 20}, {200, 40}, {7, 35}}, random[200];
    crowd_order order;
    uint64_t expected;

    crowd_order_measure(NULL, 0, &order);
    is_int(order.n, 0, "nobody is in no order");
    is_int(order.max, -1, "and nobody displaced");
    crowd_order_measure(straight, 3, &order);
    is_int(order.inversions, 0, "first in, first out");
    is_int(order.max, 0, "displaces nobody");
    /* went: 100, 5, 7, 200. */
    crowd_order_measure(overtaken, 4, &order);
    is_int(order.inversions, 2, "one who overtakes two makes two pairs wrong");
    is_int(order.max, 95, "the first of them came 95 before who overtook it");
    is_int(order.p50, 0, "half of them were not overtaken");
    srand(7);
    for (int i = 0; i < 200; i++) {
        random[i] = (crowd_places){rand() % 1000, 1000 * i};
    }
    expected = count_pairs(random, 200);
    crowd_order_measure(random, 200, &order);
    is_int(order.inversions, expected, "as many as by the definition");
}

static void at_once(void)
{
    crowd_interval one[] = {{5, 9}}, meeting[] = {{20, 30}, {10, 20}, {30, 40}};
    crowd_interval three[] = {{1, 10}, {2, 4}, {3, 20}, {4, 5}, {15, 16}};

    is_int(crowd_at_once(NULL, 0), 0, "nobody");
    is_int(crowd_at_once(one, 1), 1, "one");
    is_int(crowd_at_once(meeting, 3), 1, "who begins when another ends is not beside it");
    is_int(crowd_at_once(three, 5), 3, "three at most");
}

int main(void)
{
    percentiles();
    orders();
    at_once();
    is_int(crowd_crc(0, "123456789", 9), 0xcbf43926, "CRC-32's check value");
    is_int(crowd_crc(crowd_crc(0, "1234", 4), "56789", 5), 0xcbf43926, "in two pieces");
    is_int(crowd_crc(0, "", 0), 0, "of nothing");
    return tap_done();
}
