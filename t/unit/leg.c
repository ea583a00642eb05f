/* SPDX-License-Identifier: Apache-2.0 */
/* How long one leg of a wait lasts. */
#include "rf_leg.h"
#include "tap.h"

static const struct {
    const char *name;
    rf_time front, margin, leg;
} rows[] = {
    { "the default", RF_SEC(60), RF_MARGIN_UNSET, RF_SEC(50) },
    { "a patient front", RF_SEC(300), RF_MARGIN_UNSET, RF_SEC(290) },
    { "50 s, where ten seconds are 20 %", RF_SEC(50), RF_MARGIN_UNSET, RF_SEC(40) },
    { "below that, 20 % are left", RF_SEC(30), RF_MARGIN_UNSET, RF_SEC(24) },
    { "the least", RF_SEC(15), RF_MARGIN_UNSET, RF_SEC(12) },
    { "a margin that was written counts as written", RF_SEC(30), RF_SEC(10), RF_SEC(20) },
    { "also a small one", RF_SEC(60), RF_SEC(1), RF_SEC(59) },
    { "as far as a fifth of the front", RF_SEC(15), RF_SEC(12), RF_SEC(3) },
    { "but not further", RF_SEC(15), RF_SEC(14), RF_SEC(3) },
    { "a margin from an outer section, as long as the front", RF_SEC(20), RF_SEC(20), RF_SEC(4) },
    { "and longer", RF_SEC(20), RF_SEC(50), RF_SEC(4) },
    { "nothing in front", 0, RF_MARGIN_UNSET, 0 },
    { "nothing in front, and a margin", 0, RF_SEC(10), 0 },
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_int(rf_leg(rows[i].front, rows[i].margin), rows[i].leg, "%s", rows[i].name);
    return tap_done();
}
