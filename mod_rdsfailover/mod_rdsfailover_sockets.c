/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_sockets.c
 * @brief RDSFailoverAbortStale in the monitor process: what it may, and one pass over this host's sockets to an address.
 *
 * Layer: glue. Which addresses is rf_abort.h's and rf_monitor_abort.c's affair.
 */
#include "mod_rdsfailover_sockets.h"

#include <errno.h>
#include <http_log.h>
#include <string.h>

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

/* Said unless the next pass may well find what this one lacked. @return 1 if it was */
static int is_refusal(server_rec *s, int error)
{
    if (!error || error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE || error == EINTR || error == EAGAIN)
        return 0;
    say_unable(s, error);
    return 1;
}

static void drop(rf_sockets *s)
{
    rf_io_sockets_free(s->list);
    s->list = NULL;
    s->awaited = 0;
}

/* Two databases may be on one server, or an address may have been given to another: who uses it well keeps it. */
static int is_anothers_writer(const rf_sockets *s, const rf_address *address, rf_time now)
{
    int i;

    for (i = 0; i < s->nall; i++) {
        const rf_sockets *other = &s->all[i];
        if (other != s && other->db->dsn.port == s->db->dsn.port &&
            rf_address_equal(&other->monitor->snapshot.brief.writer, address) && !rf_monitor_aborts(other->monitor, address, now))
            return 1;
    }
    return 0;
}

static void end(rf_sockets *s, rf_time now)
{
    rf_abort_pass pass = { .address = s->addresses[0] };
    rf_io_sockets_end done = { 0 };
    int error = 0;
    unsigned i;

    /* Much may have been seen since it began. */
    for (i = 0; i < s->n; i++) {
        if (!rf_monitor_aborts(s->monitor, &s->addresses[i], now) || is_anothers_writer(s, &s->addresses[i], now)) {
            drop(s);
            return;
        }
    }
    if (s->destroy)
        error = rf_io_sockets_destroy(s->list, &done);
    pass.aborted = done.destroyed;
    pass.left = rf_io_sockets_count(s->list) - done.destroyed - done.gone;
    pass.refused = is_refusal(s->db->server, error ? error : done.refused);
    drop(s);
    rf_monitor_aborted(s->monitor, &pass, now);
}

/* @return 0 with the sockets to all of them listed, or an errno */
static int list(rf_sockets *s, const rf_address *addresses, unsigned n, rf_time now)
{
    int error = 0;
    unsigned i;

    s->list = rf_io_sockets_new(RF_ABORT_AT_ONCE);
    s->n = 0;
    if (!s->list)
        return ENOMEM;
    for (i = 0; !error && i < n; i++) {
        if (is_anothers_writer(s, &addresses[i], now))
            continue;
        s->addresses[s->n++] = addresses[i];
        error = rf_io_sockets_add(s->list, &addresses[i], s->db->dsn.port);
    }
    return error;
}

void rf_sockets_ask(rf_sockets *s, const rf_address *addresses, unsigned n, int destroy, rf_time now)
{
    static uint32_t ticket;
    rf_command command;
    int error, i;

    drop(s);
    error = list(s, addresses, n, now);
    if (error || !rf_io_sockets_count(s->list)) {
        rf_abort_pass none = { .refused = is_refusal(s->db->server, error) };
        drop(s);
        rf_monitor_aborted(s->monitor, &none, now);
        return;
    }
    s->destroy = destroy;
    s->ticket = ++ticket;
    memset(&command, 0, sizeof command);
    command.kind = RF_COMMAND_SOCKETS;
    command.ticket = s->ticket;
    for (i = 0; i < s->nall; i++) {
        if (s->all[i].prober->fd < 0)
            continue;
        s->awaited |= UINT64_C(1) << i;
        rf_prober_send(s->all[i].prober, &command);
    }
    if (!s->awaited)
        end(s, now);
}

void rf_sockets_hear(const rf_sockets *s, const rf_sample *sample, rf_time now)
{
    uint64_t bit = UINT64_C(1) << (s - s->all);
    unsigned k;
    int i;

    for (i = 0; i < s->nall; i++) {
        rf_sockets *each = &s->all[i];
        if (!(each->awaited & bit) || (sample && sample->ticket != each->ticket))
            continue;
        for (k = 0; sample && k < sample->nsockets; k++)
            rf_io_sockets_spare(each->list, sample->sockets[k]);
        each->awaited &= ~bit;
        if (!each->awaited)
            end(each, now);
    }
}
