/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_io_caps.h"

#include <cap-ng.h>
#include <sys/prctl.h>

void rf_io_caps_before(int net_admin)
{
    /* Whoever is not root may not, and has nothing that could come back. */
    capng_clear(CAPNG_SELECT_BOUNDS);
    capng_apply(CAPNG_SELECT_BOUNDS);
    prctl(PR_SET_KEEPCAPS, net_admin, 0, 0, 0);
}

int rf_io_caps_after(int net_admin)
{
    int kept;

    capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
    kept = net_admin && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN) == 0 &&
           capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) == 0;
    if (!kept) {
        capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
        capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
    }
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    return kept;
}
