/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_STATUS_H
#define MOD_RDSFAILOVER_STATUS_H
/**
 * @file mod_rdsfailover_status.h
 * @brief What the status handler, the orders it takes and mod_status's section share.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover.h"
#include "rf_report.h"

/** Copy from the board what a report needs, into r->pool. No lock, no system call that waits, nothing for each request held.
 *  @param history 1: with the last ten minutes */
void rf_status_fill(request_rec *r, rf_report *ret_report, int history);

/* mod_rdsfailover_control.c */
/** @return 1 if whoever asks may give orders here: RDSFailoverControl, and an authenticated user */
int rf_control_permits(const request_rec *r);
/** A POST at the status handler, where RDSFailoverControl is on. @return what the handler returns */
int rf_control_post(request_rec *r);

/* mod_rdsfailover_modstatus.c */
/** Have a section in mod_status, if that is loaded. */
void rf_modstatus_register(apr_pool_t *p);

#endif /* MOD_RDSFAILOVER_STATUS_H */
