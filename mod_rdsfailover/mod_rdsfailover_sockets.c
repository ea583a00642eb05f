/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_sockets.c
 * @brief RDSFailoverAbortStale in the monitor process: what it may, and one pass over this host's sockets to an address.
 *
 * Layer: glue. Which addresses is rf_abort.h's and rf_monitor_abort.c's affair.
 *
 * Whose sockets they are is told by inode, in /proc: a prober needs no right and no word of its own for that, and cannot have
 * anybody else's spared. What it holds open to a dead address is worth having: a login that is pending there is what notices first
 * that a stopped server goes on.
 */
#include "mod_rdsfailover.h"

#include <errno.h>
#include <http_log.h>
#include <string.h>

#include "rf_io_sockets.h"
#include "rf_monitor.h"

APLOG_USE_MODULE(rdsfailover);

static int unable; /* and that was said */

int rf_sockets_wanted(const apr_array_header_t *databases)
{
    int i;

    for (i = 0; i < databases->nelts; i++) {
        const rf_database *db = APR_ARRAY_IDX(databases, i, const rf_database *);
        if (db->abort_stale && !db->dry_run)
            return 1;
    }
    return 0;
}

static const char *reason(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return "the monitor has no CAP_NET_ADMIN: httpd must be started as root, with that capability in its bounding set";
    case EOPNOTSUPP:
        return "the kernel cannot (CONFIG_INET_DIAG_DESTROY)";
    default:
        return strerror(error);
    }
}

static void say_unable(server_rec *s, int error)
{
    if (!unable)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "RF0117: RDSFailoverAbortStale: stale sockets cannot be destroyed and are only "
                     "counted: %s", reason(error));
    unable = 1;
}

void rf_sockets_begin(server_rec *s, const apr_array_header_t *databases, int right)
{
    int error;

    if (!rf_sockets_wanted(databases))
        return;
    error = rf_io_sockets_able();
    if (!error && !right)
        error = EPERM;
    if (error)
        say_unable(s, error);
}

int rf_sockets_mode(const rf_database *db)
{
    if (!db->abort_stale)
        return RF_ABORT_OFF;
    return unable || db->dry_run ? RF_ABORT_COUNT : RF_ABORT_DESTROY;
}

/* The next pass may well find what this one lacked. */
static int passes_by(int error)
{
    return error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE || error == EINTR || error == EAGAIN;
}

void rf_sockets_pass(const rf_database *db, const rf_address *address, const pid_t *own, unsigned nown, int destroy,
                     rf_abort_pass *ret_pass)
{
    rf_io_sockets_pass pass;
    int error = rf_io_sockets_abort(address, db->dsn.port, own, nown, RF_ABORT_AT_ONCE, destroy, &pass);

    ret_pass->aborted = pass.destroyed;
    ret_pass->left = pass.found - pass.destroyed - pass.gone;
    if (!error)
        error = pass.refused;
    if (!error || passes_by(error))
        return;
    say_unable(db->server, error);
    ret_pass->refused = 1;
}
