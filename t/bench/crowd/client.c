/* SPDX-License-Identifier: Apache-2.0 */
/* One client: see client.h. */
#include "client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOPS_MAX 50
/* From one address to one port there are some 28,000 connections, those just closed included. */
#define SOURCES 200
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* What an attempt to read or write came to, when it is no number of bytes. */
enum { AGAIN = -1, BROKEN = -2 };

void crowd_client_init(crowd_client *client, crowd_shared *all, size_t number)
{
    size_t n = number + 1;

    memset(client, 0, sizeof *client);
    client->all = all;
    client->fd = -1;
    client->request.client = number;
    /* Evenly among the others. */
    client->leaves = (size_t)((double)n * all->options->leave) > (size_t)((double)number * all->options->leave);
}

static unsigned each(const crowd_client *client) { return client->all->options->each; }

static crowd_record *record(const crowd_client *client, unsigned number)
{
    return &client->all->records[client->request.client * each(client) + number];
}

static void disconnect(crowd_client *client, bool reset)
{
    struct linger linger = {1, 0};

    if (client->ssl) {
        SSL_free(client->ssl);
        client->ssl = NULL;
    }
    if (client->fd >= 0) {
        if (reset) {
            setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        close(client->fd);
        client->fd = -1;
    }
    client->npiece = 0;
    client->body_waits = client->wants_out = false;
    client->body_at = 0;
}

static void has_sent(crowd_client *client)
{
    if (!client->has_sent) {
        client->has_sent = true;
        client->all->sent++;
    }
}

static void over(crowd_client *client, crowd_outcome outcome, crowd_reason reason, bool reset)
{
    if (client->phase == CROWD_OVER) {
        return;
    }
    for (unsigned i = client->done; i < each(client); i++) {
        record(client, i)->outcome = outcome;
        record(client, i)->reason = reason;
    }
    disconnect(client, reset);
    crowd_request_free(&client->request);
    client->phase = CROWD_OVER;
    client->all->living--;
    client->all->leavers_left += client->leaves;
    has_sent(client);
}

void crowd_client_over(crowd_client *client, crowd_reason reason) { over(client, CROWD_NONE, reason, false); }

void crowd_client_leave_at(crowd_client *client, int64_t at) { client->leave_at = at; }

static void want(crowd_client *client, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = client};

    if (client->wants_out != out) {
        epoll_ctl(client->all->epoll, EPOLL_CTL_MOD, client->fd, &event);
        client->wants_out = out;
    }
}

void crowd_client_open(crowd_client *client, int64_t now)
{
    const struct sockaddr_in *to = &client->all->options->url.address;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
    int one = 1;

    crowd_answer_reset(&client->answer);
    client->answers = 0;
    client->written = client->done;
    client->give_up_at = now + client->all->options->timeout;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        over(client, CROWD_NONE, CROWD_REFUSED, false);
        return;
    }
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (ntohl(to->sin_addr.s_addr) >> 24 == 127) {
        struct sockaddr_in from = {.sin_family = AF_INET};

        from.sin_addr.s_addr = htonl(0x7f400000u + (client->all->source++ % SOURCES << 8) + 1);
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        bind(client->fd, (struct sockaddr *)&from, sizeof from);
    }
    client->all->connections++;
    client->phase = CROWD_CONNECTING;
    client->wants_out = true;
    if ((connect(client->fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS)
        || epoll_ctl(client->all->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0) {
        over(client, CROWD_NONE, CROWD_REFUSED, false);
    }
}

static long tls_result(crowd_client *client, int n)
{
    int error = SSL_get_error(client->ssl, n);

    if (error == SSL_ERROR_WANT_WRITE) {
        want(client, true);
    }
    return n > 0 ? n
         : error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? AGAIN
         : error == SSL_ERROR_ZERO_RETURN ? 0 : BROKEN;
}

static long receive(crowd_client *client, char *space, size_t size)
{
    ssize_t n;

    if (client->ssl) {
        ERR_clear_error();
        return tls_result(client, SSL_read(client->ssl, space, (int)size));
    }
    n = recv(client->fd, space, size, 0);
    return n >= 0 ? n : errno == EAGAIN ? AGAIN : BROKEN;
}

static long transmit(crowd_client *client, const char *piece, size_t length)
{
    ssize_t n;

    if (client->ssl) {
        ERR_clear_error();
        return tls_result(client, SSL_write(client->ssl, piece, length < 16384 ? (int)length : 16384));
    }
    n = send(client->fd, piece, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
        want(client, true);
    }
    return n >= 0 ? n : errno == EAGAIN ? AGAIN : BROKEN;
}

/* All of the current request that can be sent without waiting has been. */
static void mark_sent(crowd_client *client, int64_t now)
{
    crowd_record *r = record(client, client->request.number);

    if (!r->sent) {
        r->sent = now;
    }
    if (client->written == (client->all->options->pipeline ? each(client) : client->done + 1)) {
        has_sent(client);
    }
}

static void begin_body(crowd_client *client)
{
    client->body_waits = false;
    client->body_at = 0;
}

/* Write as much as there is to write now. @return false if the connection takes no more, ever */
static bool talk(crowd_client *client, int64_t now)
{
    const crowd_options *options = client->all->options;

    for (;;) {
        unsigned limit = options->pipeline ? each(client) : client->done + 1 < each(client) ? client->done + 1 : each(client);

        while (client->npiece) {
            long n = transmit(client, client->piece, client->npiece);

            if (n == AGAIN) {
                return true;
            }
            if (n == BROKEN) {
                return false;
            }
            client->piece += n;
            client->npiece -= (size_t)n;
            if (!client->npiece && client->request.stage == CROWD_AT_END) {
                mark_sent(client, now);
            } else if (!client->npiece && client->request.body_at == 0 && (options->expect || options->body_late)) {
                client->body_waits = true;
                client->body_at = options->body_late ? now + options->body_late : 0;
                mark_sent(client, now);
            }
        }
        if (client->body_waits) {
            break;
        }
        client->npiece = client->written > client->done ? crowd_request_next(&client->request, options, &client->piece) : 0;
        if (!client->npiece) {
            if (client->written >= limit) {
                break;
            }
            crowd_request_begin(&client->request, client->written++);
            client->give_up_at = now + options->timeout;
        }
    }
    want(client, false);
    return true;
}

static bool whole_request_written(const crowd_client *client)
{
    return client->request.stage == CROWD_AT_END && !client->npiece;
}

/* The connection is of no use any more; who still wants something comes back. */
static void come_back(crowd_client *client, int64_t now)
{
    disconnect(client, false);
    crowd_client_open(client, now);
}

static void final_answer(crowd_client *client, int64_t now)
{
    crowd_record *r = record(client, client->done);
    const crowd_answer *answer = &client->answer;

    r->answered = now;
    r->status = (short)answer->status;
    r->pid = (int)crowd_answer_number(answer, "X-Pid");
    r->arrived = crowd_answer_number(answer, "X-Arrived");
    r->started = crowd_answer_number(answer, "X-Started");
    r->ended = crowd_answer_number(answer, "X-Ended");
    r->outcome = crowd_request_right(&client->request, client->done, client->all->options, answer) ? CROWD_OK : CROWD_WRONG;
    client->done++;
    client->hops = 0;
    free(client->request.path);
    client->request.path = NULL;
}

/* An answer is whole. @return false if the connection was left */
static bool answered(crowd_client *client, int64_t now)
{
    bool close = client->answer.close || !(client->written > client->done + 1 || whole_request_written(client));

    client->answers++;
    crowd_request_cookies(&client->request, &client->answer);
    if (client->all->options->follow && client->hops < HOPS_MAX && crowd_request_follow(&client->request, &client->answer)) {
        client->hops++;
        client->all->redirects++;
        client->written = client->done;
        client->npiece = 0;
        begin_body(client);
    } else {
        final_answer(client, now);
    }
    crowd_answer_reset(&client->answer);
    if (client->done == each(client)) {
        client->phase = CROWD_LINGERING;
        client->close_at = now + (close ? 2000000 : client->all->options->linger);
        client->give_up_at = 0;
        want(client, false);
        return true;
    }
    if (close) {
        /* Nothing behind this request was read, as the server has said. */
        client->all->repeats += client->written - client->done;
        come_back(client, now);
        return false;
    }
    client->give_up_at = now + client->all->options->timeout;
    return true;
}

/* @return false if the connection was left */
static bool heard(crowd_client *client, const char *piece, size_t length, int64_t now)
{
    while (length) {
        size_t used;
        crowd_fed fed;

        if (client->phase == CROWD_LINGERING || client->written == client->done) {
            client->all->extra++;
            over(client, CROWD_NONE, CROWD_GARBAGE, false);
            return false;
        }
        fed = crowd_answer_feed(&client->answer, piece, length, &used);
        piece += used;
        length -= used;
        if (fed == CROWD_BAD) {
            over(client, CROWD_NONE, CROWD_GARBAGE, false);
            return false;
        }
        if (fed == CROWD_INTERIM && client->body_waits && client->all->options->expect) {
            begin_body(client);
        }
        if (fed == CROWD_WHOLE && !answered(client, now)) {
            return false;
        }
    }
    return true;
}

/* A server may close a connection that it thinks idle just when the next request comes; then that may be asked again. */
static bool crossed(const crowd_client *client)
{
    return client->answers && !crowd_answer_begun(&client->answer) && strcmp(client->all->options->method, "POST") != 0;
}

static void connection_ended(crowd_client *client, bool broken, int64_t now)
{
    crowd_reason reason = broken ? CROWD_BROKEN : CROWD_CLOSED;

    if (client->phase == CROWD_LINGERING) {
        over(client, CROWD_OK, CROWD_NO_REASON, false);
    } else if (!broken && crowd_answer_end(&client->answer) == CROWD_WHOLE) {
        if (answered(client, now)) {
            over(client, CROWD_OK, CROWD_NO_REASON, false);
        }
    } else if (crossed(client)) {
        client->all->repeats += client->written - client->done;
        come_back(client, now);
    } else {
        over(client, CROWD_NONE, reason, false);
    }
}

/* @return false if the connection is not usable yet, or not any more */
static bool connected(crowd_client *client)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (client->phase == CROWD_CONNECTING) {
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            over(client, CROWD_NONE, CROWD_REFUSED, false);
            return false;
        }
        client->phase = CROWD_TALKING;
        if (client->all->tls) {
            client->ssl = SSL_new(client->all->tls);
            SSL_set_fd(client->ssl, client->fd);
            client->phase = CROWD_HANDSHAKE;
        }
    }
    if (client->phase == CROWD_HANDSHAKE) {
        long n;

        ERR_clear_error();
        want(client, false);
        n = tls_result(client, SSL_connect(client->ssl));
        if (n == BROKEN || n == 0) {
            over(client, CROWD_NONE, CROWD_REFUSED, false);
        }
        if (n <= 0) {
            return false;
        }
        client->phase = CROWD_TALKING;
    }
    return true;
}

void crowd_client_event(crowd_client *client, uint32_t events, int64_t now)
{
    char space[16384];
    long n;

    /* Before this, an event may have been told of a connection that was left meanwhile. */
    if (client->phase == CROWD_IDLE || client->phase == CROWD_OVER || client->fd < 0) {
        return;
    }
    if (client->phase == CROWD_CONNECTING && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        return;
    }
    if (!connected(client)) {
        return;
    }
    /* A server that answers early and closes: its answer is read all the same. */
    if (client->phase == CROWD_TALKING && !talk(client, now)) {
        client->npiece = 0;
    }
    while ((n = receive(client, space, sizeof space)) > 0) {
        if (!heard(client, space, (size_t)n, now)) {
            return;
        }
    }
    if (n != AGAIN) {
        connection_ended(client, n == BROKEN, now);
    } else if (client->phase == CROWD_TALKING) {
        talk(client, now);
    }
}

int64_t crowd_client_tick(crowd_client *client, int64_t now)
{
    int64_t due[] = {client->body_at, client->give_up_at, client->leave_at, client->close_at}, first = INT64_MAX;

    if (client->phase == CROWD_IDLE || client->phase == CROWD_OVER) {
        return INT64_MAX;
    }
    if (client->close_at && client->close_at <= now) {
        over(client, CROWD_OK, CROWD_NO_REASON, false);
    } else if (client->leave_at && client->leave_at <= now) {
        over(client, CROWD_LEFT, CROWD_NO_REASON, client->all->options->reset);
    } else if (client->give_up_at && client->give_up_at <= now) {
        over(client, CROWD_NONE, client->phase == CROWD_CONNECTING ? CROWD_REFUSED : CROWD_LATE, false);
    } else if (client->body_at && client->body_at <= now) {
        begin_body(client);
        talk(client, now);
    }
    if (client->phase == CROWD_OVER) {
        return INT64_MAX;
    }
    for (int i = 0; i < 4; i++) {
        first = due[i] > now && due[i] < first ? due[i] : first;
    }
    return first;
}
