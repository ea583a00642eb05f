/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file main.c
 * @brief rds-crowd: thousands of clients that wait at the same time, each of which must get exactly one right answer.
 *
 * options -> clients (an epoll loop) -> records; a side visitor beside them; report.
 */
#include "clock.h"
#include "report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* How much of the side visitor's life is after the last client. */
#define AFTER 1000000

static volatile sig_atomic_t stop;

static void on_signal(int number) { stop = 1; }

static void raise_files(size_t clients)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < clients + 1100) {
        limit.rlim_max = clients + 1100;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < clients + 100) {
        fprintf(stderr, "rds-crowd: the limit of open files, %llu, is too low for %zu clients\n",
                (unsigned long long)limit.rlim_cur, clients);
    }
}

static SSL_CTX *tls_new(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    return tls;
}

static void set_leaving(crowd_client *clients, const crowd_options *options, int64_t ready)
{
    size_t leaving = 0, n = 0;

    for (size_t i = 0; i < options->clients; i++) {
        leaving += clients[i].leaves;
    }
    for (size_t i = 0; i < options->clients; i++) {
        if (clients[i].leaves) {
            crowd_client_leave_at(&clients[i],
                                  ready + options->leave_after + options->leave_over * (int64_t)n++ / (int64_t)leaving);
        }
    }
}

/* What is said while it goes on, and when it was. */
typedef struct {
    crowd_times times;
    size_t leaving;
    bool left_said;
} progress;

static void tell(progress *p, crowd_client *clients, const crowd_shared *all, bool settled, int64_t now)
{
    const crowd_options *options = all->options;

    if (!p->times.ready && (all->sent == options->clients || settled)) {
        p->times.ready = now;
        p->times.sent = all->sent;
        set_leaving(clients, options, now);
        printf("READY %zu\n", all->sent);
        fflush(stdout);
    }
    if (p->times.ready && p->leaving && !p->left_said && all->leavers_left == p->leaving) {
        p->left_said = true;
        printf("LEFT %zu\n", p->leaving);
        fflush(stdout);
    }
}

static void loop(crowd_client *clients, crowd_shared *all, progress *p)
{
    const crowd_options *options = all->options;
    int64_t start = crowd_clock(), look = 0;
    int64_t all_begun = start + (int64_t)((double)options->clients * 1e6 / options->connect_rate);
    size_t opened = 0;
    struct epoll_event events[256];

    p->times.first_connect = start;
    puts("BEGUN");
    fflush(stdout);
    while (all->living && !stop) {
        int64_t now = crowd_clock(), wait;
        bool settled;
        int n;

        while (opened < options->clients && start + (int64_t)((double)opened * 1e6 / options->connect_rate) <= now) {
            crowd_client_open(&clients[opened++], now);
        }
        if (now >= look) {
            look = INT64_MAX;
            for (size_t i = 0; i < opened; i++) {
                int64_t next = crowd_client_tick(&clients[i], now);

                look = next < look ? next : look;
            }
        }
        settled = opened == options->clients && now > all_begun + options->settle;
        tell(p, clients, all, settled, now);
        /* An event may set an earlier time than the last look found; a look costs a walk over all of them. */
        look = look < now + 20000 ? look < now + 5000 ? now + 5000 : look : now + 20000;
        wait = opened < options->clients ? 1 : (look - now + 999) / 1000;
        n = epoll_wait(all->epoll, events, 256, (int)wait);
        now = crowd_clock();
        for (int i = 0; i < n; i++) {
            crowd_client_event(events[i].data.ptr, events[i].events, now);
        }
    }
    tell(p, clients, all, true, crowd_clock());
}

static int run(const crowd_options *options)
{
    crowd_shared all = {.options = options, .living = options->clients, .epoll = epoll_create1(EPOLL_CLOEXEC),
                        .source = (unsigned)getpid()};
    crowd_client *clients = calloc(options->clients, sizeof *clients);
    crowd_side *side = NULL;
    progress p = {.times.began = crowd_clock()};
    bool written;

    all.records = calloc(options->clients * options->each, sizeof *all.records);
    all.tls = options->url.tls ? tls_new() : NULL;
    if (!clients || !all.records || all.epoll < 0) {
        fputs("rds-crowd: no memory for so many clients\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < options->clients; i++) {
        crowd_client_init(&clients[i], &all, i);
        p.leaving += clients[i].leaves;
    }
    if (options->has_side) {
        side = crowd_side_start(options);
        usleep((useconds_t)options->before);
    }
    loop(clients, &all, &p);
    if (side) {
        usleep(stop ? 0 : AFTER);
    }
    p.times.ended = crowd_clock();
    for (size_t i = 0; i < options->clients; i++) {
        crowd_client_over(&clients[i], CROWD_ENDED);
    }
    if (side) {
        crowd_side_stop(side);
    }
    written = crowd_report_write(&all, &p.times, side);
    if (side) {
        crowd_side_free(side);
    }
    written = written && crowd_report_good(&all);
    free(clients);
    free(all.records);
    SSL_CTX_free(all.tls);
    close(all.epoll);
    return written ? 0 : 3;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    crowd_options options;
    int result = crowd_options_parse(&options, argc, argv);

    if (result) {
        return result == 1 ? 0 : result;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_files(options.clients);
    result = run(&options);
    crowd_options_free(&options);
    return result;
}
