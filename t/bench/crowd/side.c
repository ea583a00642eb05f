/* SPDX-License-Identifier: Apache-2.0 */
/* A visitor beside the crowd: see side.h. */
#include "side.h"
#include "clock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a server that answers nobody no more is asked. */
#define UNDER_WAY_MAX 1000
#define GIVE_UP INT64_C(10000000)
#define LAST_WAIT INT64_C(1000000)

typedef struct {
    int fd; /* -1: free */
    size_t sample;
    bool asked, right;
} visit;

struct crowd_side {
    const crowd_options *options;
    crowd_sample *samples;
    size_t n, room;
    visit links[UNDER_WAY_MAX];
    size_t under_way;
    int epoll;
    unsigned source;
    atomic_bool stop;
    pthread_t thread;
};

static void drop(crowd_side *side, visit *l)
{
    close(l->fd);
    l->fd = -1;
    side->under_way--;
}

static void ask(crowd_side *side, int64_t due)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    const struct sockaddr_in *to = &side->options->side.address;
    visit *l = side->links;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int one = 1;

    if (side->n == side->room) {
        side->room = side->room ? 2 * side->room : 4096;
        side->samples = realloc(side->samples, side->room * sizeof *side->samples);
    }
    side->samples[side->n++] = (crowd_sample){.due = due};
    while (l < side->links + UNDER_WAY_MAX && l->fd >= 0) {
        l++;
    }
    if (l == side->links + UNDER_WAY_MAX) {
        return;
    }
    *l = (visit){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .sample = side->n - 1};
    if (l->fd < 0) {
        return;
    }
    side->under_way++;
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (ntohl(to->sin_addr.s_addr) >> 24 == 127) {
        from.sin_addr.s_addr = htonl(0x7f600001u + (side->source++ % 50 << 8));
        setsockopt(l->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
        bind(l->fd, (struct sockaddr *)&from, sizeof from);
    }
    event.data.ptr = l;
    epoll_ctl(side->epoll, EPOLL_CTL_ADD, l->fd, &event);
    if (connect(l->fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS) {
        drop(side, l);
    }
}

static void hear(crowd_side *side, visit *l, uint32_t events)
{
    char space[16384];
    ssize_t n;

    if (!l->asked && (events & EPOLLOUT)) {
        int length = snprintf(space, sizeof space, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                              side->options->side.path, side->options->side.host);

        l->asked = send(l->fd, space, (size_t)length, MSG_NOSIGNAL) == length;
    }
    while ((n = recv(l->fd, space, sizeof space, 0)) > 0) {
        /* The first piece has the status; a small file's answer comes in one. */
        l->right = l->right || (n > 12 && memcmp(space, "HTTP/1.1 200", 12) == 0);
    }
    if (n < 0 && errno == EAGAIN && !(events & EPOLLERR)) {
        return;
    }
    side->samples[l->sample].done = n == 0 && l->right ? crowd_clock() : 0;
    drop(side, l);
}

static void give_up(crowd_side *side, int64_t now)
{
    for (visit *l = side->links; l < side->links + UNDER_WAY_MAX; l++) {
        if (l->fd >= 0 && side->samples[l->sample].due + GIVE_UP < now) {
            drop(side, l);
        }
    }
}

static void *live(void *context)
{
    crowd_side *side = context;
    struct epoll_event events[64];
    int64_t next = crowd_clock(), stopped = 0;

    for (;;) {
        int64_t now = crowd_clock(), wait;
        int n;

        if (!stopped && atomic_load(&side->stop)) {
            stopped = now;
        }
        if (stopped && (!side->under_way || now > stopped + LAST_WAIT)) {
            return NULL;
        }
        for (; !stopped && next <= now; next += side->options->side_every) {
            ask(side, next);
        }
        give_up(side, now);
        wait = stopped ? 50 : (next - now + 999) / 1000;
        n = epoll_wait(side->epoll, events, 64, (int)(wait > 0 ? wait : 0));
        for (int i = 0; i < n; i++) {
            hear(side, events[i].data.ptr, events[i].events);
        }
    }
}

crowd_side *crowd_side_start(const crowd_options *options)
{
    crowd_side *side = calloc(1, sizeof *side);

    side->options = options;
    for (int i = 0; i < UNDER_WAY_MAX; i++) {
        side->links[i].fd = -1;
    }
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (side->epoll < 0 || pthread_create(&side->thread, NULL, live, side) != 0) {
        free(side);
        return NULL;
    }
    return side;
}

void crowd_side_stop(crowd_side *side)
{
    atomic_store(&side->stop, true);
    pthread_join(side->thread, NULL);
    for (int i = 0; i < UNDER_WAY_MAX; i++) {
        if (side->links[i].fd >= 0) {
            drop(side, &side->links[i]);
        }
    }
    close(side->epoll);
}

const crowd_sample *crowd_side_samples(const crowd_side *side, size_t *ret_n)
{
    *ret_n = side->n;
    return side->samples;
}

void crowd_side_free(crowd_side *side)
{
    free(side->samples);
    free(side);
}
