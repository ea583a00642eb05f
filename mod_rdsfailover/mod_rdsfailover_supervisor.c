/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_supervisor.c
 * @brief The monitor process: gives every database's rf_monitor its world, and sleeps until something happens.
 *
 * Layer:   glue.
 * Threads: one process, one thread, never a blocking call. It parses nothing that came from the network: probers do, and what
 *          they say is a checked struct.
 */
#include "mod_rdsfailover.h"

#include <errno.h>
#include <http_log.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "mod_rdsfailover_notify.h"
#include "mod_rdsfailover_prober.h"
#include "mod_rdsfailover_secrets.h"
#include "mod_rdsfailover_sockets.h"
#include "rf_io_futex.h"
#include "rf_monitor.h"

APLOG_USE_MODULE(rdsfailover);

/* A prober that ends by itself without having said anything is restarted ever more rarely, between these. */
#define PROBER_PAUSE RF_SEC(1)
#define PROBER_PAUSE_MAX RF_SEC(60)
/* Samples of one prober taken in one turn, so that one that talks without end delays nobody. */
#define SAMPLES_AT_ONCE 32
/* A restart takes seconds; if no monitor was started a minute after the parent forgot this one, the module is gone. */
#define FORGOTTEN_FOR RF_SEC(60)

typedef struct watch {
    const rf_database *db;
    const char *prober_path;
    rf_sockets *sockets;
    rf_prober prober;
    rf_time prober_due;   /* when to start one, while none runs */
    rf_time prober_pause; /* between two starts */
    rf_monitor monitor;
    rf_brief told; /* as published last, and so told by RDSFailoverNotify */
    rf_time due;
    rf_time second_ends; /* for the history */
    rf_secrets secrets;
} watch;

/* --- the world of rf_monitor ------------------------------------------------------------------------------------------------ */

static void configure_prober(watch *w)
{
    rf_command command;

    memset(&command, 0, sizeof command);
    command.kind = RF_COMMAND_CONFIGURE;
    command.dsn = w->secrets.dsn;
    command.nresolvers = w->db->nresolvers;
    memcpy(command.resolvers, w->db->resolvers, sizeof command.resolvers);
    rf_prober_send(&w->prober, &command);
    rf_dsn_wipe(&command.dsn);
}

static void start_prober(watch *w, rf_time now)
{
    w->prober_due = now + w->prober_pause;
    if (rf_prober_start(&w->prober, w->prober_path, w->db->name, now))
        configure_prober(w);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, w->db->server, "RF0216: %s: the prober cannot be started", w->db->name);
}

static void ask_probe(void *ctx, const rf_address *address, uint32_t ticket, rf_time timeout)
{
    rf_command command;

    memset(&command, 0, sizeof command);
    command.kind = RF_COMMAND_PROBE;
    command.ticket = ticket;
    command.timeout = timeout;
    command.address = *address;
    rf_prober_send(&((watch *)ctx)->prober, &command);
}

static void ask_dns(void *ctx, uint32_t ticket, rf_time timeout)
{
    rf_command command;

    memset(&command, 0, sizeof command);
    command.kind = RF_COMMAND_RESOLVE;
    command.ticket = ticket;
    command.timeout = timeout;
    rf_prober_send(&((watch *)ctx)->prober, &command);
}

static void replace_prober(void *ctx)
{
    watch *w = ctx;

    rf_prober_kill(&w->prober);
    rf_sockets_hear(w->sockets, NULL, rf_clock_now());
    start_prober(w, rf_clock_now());
}

static void say(void *ctx, rf_say_level level, int id, const char *text)
{
    static const int levels[] = { APLOG_INFO, APLOG_NOTICE, APLOG_WARNING, APLOG_ERR };
    const watch *w = ctx;

    ap_log_error(APLOG_MARK, levels[level], 0, w->db->server, "RF%04d: %s: %s", id, w->db->name, text);
}

/* Those who wait without a worker look at the board by themselves; the others sleep. */
static void wake_waiters(void)
{
    rf_board *board = rf_life_board();
    int i;

    for (i = 0; i < rf_board_cells(board); i++) {
        if (rf_board_blocks(board, i))
            rf_io_futex_wake(rf_board_wake_word(board, i));
    }
}

static void publish(void *ctx, const rf_snapshot *snapshot)
{
    watch *w = ctx;

    if (rf_slot_publish(w->db->slot, snapshot))
        wake_waiters();
    rf_notify_published(w->db, &w->told, snapshot, snapshot->brief.observed_at);
}

static void beat(void *ctx, rf_time now)
{
    rf_slot_beat(((watch *)ctx)->db->slot, now);
}

static void queue(void *ctx, rf_crowd *ret_crowd)
{
    const rf_slot *slot = ((watch *)ctx)->db->slot;
    uint64_t counts[RF_COUNTS];

    rf_slot_counts(slot, counts, &ret_crowd->waiting);
    ret_crowd->held = counts[RF_COUNT_HELD];
    ret_crowd->withheld = counts[RF_COUNT_WITHHELD];
    ret_crowd->running = rf_slot_now(slot, RF_NOW_RUNNING);
    ret_crowd->inflight = rf_slot_now(slot, RF_NOW_INFLIGHT);
    ret_crowd->finished = rf_slot_finished(slot);
    ret_crowd->troubled = counts[RF_COUNT_TROUBLED];
}

static void abort_sockets(void *ctx, const rf_address *addresses, unsigned n, int destroy)
{
    rf_sockets_ask(((watch *)ctx)->sockets, addresses, n, destroy, rf_clock_now());
}

/* --- orders ------------------------------------------------------------------------------------------------------------------- */

static void take_orders(watch *watches, int n, rf_time now)
{
    rf_order order;
    int i;

    while (rf_life_receive_order(&order)) {
        for (i = 0; i < n; i++) {
            watch *w = &watches[i];
            if (rf_dsn_key(&w->db->dsn) != order.key)
                continue;
            rf_monitor_order(&w->monitor, &order, now);
            rf_slot_order_taken(w->db->slot, order.number);
            w->due = now;
        }
    }
}

/* --- the loop ---------------------------------------------------------------------------------------------------------------- */

static void tell_dsn(watch *w)
{
    rf_slot_set_dsn(w->db->slot, &w->secrets.dsn);
    w->monitor.snapshot.brief.dsn_serial++;
    w->monitor.changed = 1;
}

static void begin(watch *w, const rf_database *db, const char *prober_path, rf_time now)
{
    const rf_world world = { w, ask_probe, ask_dns, replace_prober, say, publish, beat, queue, abort_sockets };
    rf_policy policy = db->check.policy;
    rf_snapshot seen;
    rf_dsn dsn;

    w->db = db;
    w->prober_path = prober_path;
    w->prober.fd = -1;
    w->prober_pause = PROBER_PAUSE;
    rf_secrets_begin(&w->secrets, db, now);
    policy.abort = rf_sockets_mode(db);
    rf_monitor_init(&w->monitor, &world, &policy, db->dns_timeout, db->nresolvers > 0,
                    rf_slot_adopt(db->slot, &seen) ? &seen : NULL, now);
    if (!w->monitor.snapshot.brief.dsn_serial || !rf_slot_dsn(db->slot, &dsn) || memcmp(&dsn, &w->secrets.dsn, sizeof dsn))
        tell_dsn(w);
    rf_dsn_wipe(&dsn);
    w->told = w->monitor.snapshot.brief;
    start_prober(w, now);
}

static void hear_prober(watch *w, rf_time now)
{
    rf_sample sample;
    int got = 0, n;

    for (n = 0; n < SAMPLES_AT_ONCE && (got = rf_prober_receive(&w->prober, &sample)) > 0; n++) {
        w->prober_pause = PROBER_PAUSE;
        if (sample.kind == RF_SAMPLE_SOCKETS)
            rf_sockets_hear(w->sockets, &sample, now);
        else
            rf_monitor_sample(&w->monitor, &sample, now);
    }
    if (got >= 0)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, w->db->server, "RF0219: %s: the prober ended by itself; another starts within %d s",
                 w->db->name, (int)(w->prober_pause / RF_SEC(1)));
    rf_prober_kill(&w->prober);
    rf_sockets_hear(w->sockets, NULL, now);
    w->prober_due = now + w->prober_pause;
    if (w->prober_pause < PROBER_PAUSE_MAX)
        w->prober_pause *= 2;
}

/* At whole seconds of the clock, so that they do not drift, and every monitor's are the same. */
static void remember(watch *w, rf_time now)
{
    rf_history_sample second;

    if (now < w->second_ends)
        return;
    second = rf_monitor_second(&w->monitor, now);
    if (w->second_ends)
        rf_slot_add_history(w->db->slot, &second);
    w->second_ends = now - now % RF_SEC(1) + RF_SEC(1);
}

static rf_time sooner(rf_time a, rf_time b)
{
    return a < b ? a : b;
}

static rf_time run_due(watch *w, rf_time now)
{
    rf_time next;

    if (rf_secrets_look(&w->secrets, now)) {
        tell_dsn(w);
        configure_prober(w);
        rf_monitor_prober_replaced(&w->monitor, now);
    }
    if (w->prober.fd < 0 && now >= w->prober_due) {
        start_prober(w, now);
        rf_monitor_prober_replaced(&w->monitor, now);
    }
    if (now >= w->due)
        w->due = rf_monitor_tick(&w->monitor, now);
    remember(w, now);
    next = sooner(w->due, w->second_ends);
    return w->prober.fd < 0 ? sooner(next, w->prober_due) : next;
}

void rf_supervisor_run(server_rec *s, rf_board *board, const apr_array_header_t *databases, const char *prober_path, int wake_fd)
{
    int n = databases->nelts, i;
    watch *watches = apr_pcalloc(s->process->pool, (apr_size_t)n * sizeof *watches);
    rf_sockets *sockets = apr_pcalloc(s->process->pool, (apr_size_t)n * sizeof *sockets);
    struct pollfd *fds = apr_pcalloc(s->process->pool, ((apr_size_t)n + 1) * sizeof *fds);

    for (i = 0; i < n; i++) {
        watches[i].sockets = &sockets[i];
        sockets[i] = (rf_sockets){ .all = sockets, .nall = n, .db = APR_ARRAY_IDX(databases, i, const rf_database *),
                                   .monitor = &watches[i].monitor, .prober = &watches[i].prober };
    }
    for (i = 0; i < n; i++)
        begin(&watches[i], APR_ARRAY_IDX(databases, i, const rf_database *), prober_path, rf_clock_now());

    for (;;) {
        rf_time now = rf_clock_now(), next = now + RF_SEC(1);
        struct timespec wait;
        uint64_t looks;

        if (rf_board_monitor_forgotten_at(board) && now - rf_board_monitor_forgotten_at(board) > FORGOTTEN_FOR)
            return;
        rf_board_monitor_beat(board, now);
        take_orders(watches, n, now);
        for (i = 0; i < n; i++) {
            next = sooner(next, run_due(&watches[i], now));
            fds[i + 1] = (struct pollfd){ .fd = watches[i].prober.fd, .events = POLLIN };
        }
        next = sooner(next, rf_notify_tick(now));
        fds[0] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
        now = rf_clock_now();
        wait.tv_sec = next > now ? (next - now) / 1000000 : 0;
        wait.tv_nsec = next > now ? (next - now) % 1000000 * 1000 : 0;
        if (ppoll(fds, (nfds_t)n + 1, &wait, NULL) < 0 && errno != EINTR) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, errno, s, "RF0220: the monitor cannot wait");
            return;
        }
        now = rf_clock_now();
        for (i = 0; i < n; i++) {
            if (fds[i + 1].revents) {
                hear_prober(&watches[i], now);
                watches[i].due = now;
            }
        }
        if ((fds[0].revents & POLLIN) && read(wake_fd, &looks, sizeof looks) == sizeof looks) {
            for (i = 0; i < n; i++) {
                rf_monitor_look(&watches[i].monitor, now);
                watches[i].due = now;
            }
        }
    }
}
