/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_modstatus.c
 * @brief A section of its own in mod_status, through its optional hook.
 *
 * Layer: glue. rf_report_modstatus.c renders.
 */
#include "mod_rdsfailover_status.h"

#include <apr_optional_hooks.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <stdlib.h>

static int status_hook(request_rec *r, int flags)
{
    rf_report report;
    char *text;

    if (!rf_life_databases() || r->header_only)
        return DECLINED;
    rf_status_fill(r, &report, 0);
    text = rf_report_modstatus(&report, (flags & AP_STATUS_SHORT) != 0);
    if (!text)
        return DECLINED;
    ap_rputs(text, r);
    free(text);
    return OK;
}

void rf_modstatus_register(apr_pool_t *p)
{
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}
