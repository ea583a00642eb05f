/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_mysql.c
 * @brief A link lives on one fiber from its first packet to its last, so its life can be read in run().
 *
 * The library sees nothing of the server before its greeting is complete and sane: until then we only peek. A web server on
 * that port is named as one, and a server without TLS never gets to see a login that demands it.
 */
#include "rf_io_mysql.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <errmsg.h>

#include "rf_greeting.h"
#include "rf_io_fiber.h"
#include "rf_io_mysql_vendor.h"
#include "rf_io_pin.h"

struct rf_link {
    const rf_dsn *dsn;
    rf_address address;
    rf_fiber *fiber;
    MYSQL *mysql;
    rf_link_phase phase;
    int fd;
    int events, revents;
    int asked;     /* idle: a question is wanted */
    int unasked;   /* asking: nobody wants to know unless it fails */
    int aborted;
    int waits;     /* since aborted */
    int greeted;
    int spoiled;
    int has_super; /* the server knows super_read_only */
    int tls;
    int was_login;
    int news;
    rf_sample sample;
};

static void blame(rf_link *link, rf_cause cause, unsigned code, const char *text)
{
    link->sample.cause = cause;
    link->sample.code = code;
    snprintf(link->sample.text, sizeof link->sample.text, "%.*s", (int)sizeof link->sample.text - 1, text);
}

static void blame_library(rf_link *link, const char *otherwise)
{
    unsigned code = mysql_errno(link->mysql);
    const char *text = mysql_error(link->mysql);

#ifdef CR_PLUGIN_NOT_ALLOWED
    if (code == CR_PLUGIN_NOT_ALLOWED) { /* the library's sentence has bytes of the login in it */
        blame(link, RF_CAUSE_REFUSED, code, "the server asks for the password in a way that is not allowed on this connection");
        return;
    }
#endif
    /* The library found nothing to complain about and yet failed: what came was no answer. */
    blame(link, code ? rf_classify_code(code) : RF_CAUSE_PROTOCOL, code, code && *text ? text : otherwise);
    if (link->sample.cause == RF_CAUSE_UNREACHABLE && strstr(text, "(110)"))
        link->sample.cause = RF_CAUSE_TIMEOUT;
}

static void begin_sample(rf_link *link)
{
    memset(&link->sample, 0, sizeof link->sample);
    link->sample.kind = RF_SAMPLE_PROBE;
    link->sample.address = link->address;
}

/* --- waiting --------------------------------------------------------------------------------------------------------- */

static int pause_for(rf_link *link, int events)
{
    link->events = events;
    link->revents = 0;
    rf_fiber_pause();
    return link->aborted ? 0 : link->revents;
}

/* Closes the connection with RST and leaves the descriptor to the library, whose calls fail from here on. With RST the server
 * has nothing to accept any more when it wakes up, and so does not count a broken handshake. */
static void cut(rf_link *link)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    link->aborted = 1;
    if (link->fd >= 0)
        connect(link->fd, &nowhere, sizeof nowhere);
}

/* libmariadb thinks of its socket as blocking while it shakes hands for TLS, and OpenSSL then sleeps in read(). We cannot be
 * there before the first of these reads, so it gets the shortest time-out there is (one tick of the kernel); from the first
 * wait on the socket does not block, whatever the library thinks. */
static void never_block(int fd)
{
    static const struct timeval at_once = {.tv_usec = 1};
    int flags = fcntl(fd, F_GETFL);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof at_once);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &at_once, sizeof at_once);
    if (flags >= 0 && !(flags & O_NONBLOCK))
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void set_linger(int fd, int on)
{
    struct linger linger = {.l_onoff = on, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void refuse(rf_link *link, rf_cause cause, unsigned code, const char *text)
{
    blame(link, cause, code, text);
    cut(link);
}

static int peer_is(int fd, const rf_address *address)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    rf_address got = {""};

    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return errno == ENOTCONN; /* gone already: the library will say so */
    if (peer.ss_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, got.text, sizeof got.text);
    else if (peer.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&peer)->sin6_addr, got.text, sizeof got.text);
    return rf_address_equal(&got, address);
}

static void refuse_stranger(rf_link *link, const unsigned char *said, size_t n)
{
    char begins[33], text[128];

    rf_greeting_quote(said, n, begins, sizeof begins);
    snprintf(text, sizeof text, "this is not a MySQL server: it begins with \"%s\"", begins);
    refuse(link, RF_CAUSE_PROTOCOL, 0, text);
}

/**
 * Wait for the greeting without taking it. SO_RCVLOWAT keeps us asleep while it trickles in.
 * @return when it is complete, when the peer closed, or when the link was cut
 */
static void await_greeting(rf_link *link, int fd)
{
    unsigned char said[RF_GREETING_MAX];
    rf_greeting heard = RF_GREETING_MORE;
    char text[sizeof link->sample.text];
    unsigned code;
    size_t need = 1;
    ssize_t n;
    int low;

    do {
        low = (int)need;
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
        if (!pause_for(link, POLLIN | POLLRDHUP))
            return;
        n = recv(fd, said, sizeof said, MSG_PEEK | MSG_DONTWAIT);
        if (n > 0)
            heard = rf_greeting_read(said, (size_t)n, &need);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            break;
    } while (heard == RF_GREETING_MORE && !(link->revents & (POLLRDHUP | POLLHUP | POLLERR)));

    if (heard == RF_GREETING_STRANGER) {
        refuse_stranger(link, said, (size_t)n);
    } else if (heard == RF_GREETING_ERROR) {
        /* 1040 and 1129 come like this. The library would call them a failed connection, because TLS has not begun. */
        code = rf_farewell_read(said, (size_t)n, text, sizeof text);
        refuse(link, rf_classify_code(code), code, text);
    } else if (heard == RF_GREETING_PLAIN && link->dsn->tls >= RF_TLS_REQUIRED) {
        link->spoiled = 1;
        refuse(link, RF_CAUSE_TLS, CR_SSL_CONNECTION_ERROR, "TLS is demanded, but the server does not offer it");
    }
    low = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

int rf_mysql_wait(int fd, int events)
{
    rf_link *link = rf_fiber_self();

    if (!link || fd < 0)
        return 0;
    if (link->aborted) {
        /* Every call on a cut socket fails at once; a library that does not notice would never come back. */
        if (++link->waits > 1000)
            _exit(70);
        return 0;
    }
    link->fd = fd;
    never_block(fd);
    if (link->phase == RF_LINK_CONNECTING) {
        int come;

        set_linger(fd, 1);
        come = pause_for(link, POLLOUT);
        if (!come || (come & (POLLERR | POLLHUP)))
            return come ? come | events : 0;
        link->phase = RF_LINK_LOGIN;
        if (!peer_is(fd, &link->address)) {
            refuse(link, RF_CAUSE_OTHER, 0, "the client library dialled another address than it was given");
            return 0;
        }
        await_greeting(link, fd);
        link->greeted = 1;
        return link->aborted ? 0 : come;
    }
    return pause_for(link, events);
}

/* --- dialogue -------------------------------------------------------------------------------------------------------- */

static int login(rf_link *link)
{
    const rf_dsn *dsn = link->dsn;
    int by_name = 0, ok;

    link->mysql = mysql_init(NULL);
    if (!link->mysql) {
        blame(link, RF_CAUSE_OTHER, 0, "out of memory");
        return 0;
    }
    rf_vendor_options(link->mysql, dsn, &by_name);
    mysql_options(link->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(link->mysql, MYSQL_OPT_LOCAL_INFILE, &(unsigned){0});
    mysql_options4(link->mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "rdsfailover-prober");

    if (by_name)
        rf_pin_set(dsn->host, link->address.text);
    ok = rf_vendor_connect(link->mysql, by_name ? dsn->host : link->address.text, dsn);
    if (!ok) {
        if (link->sample.cause == RF_CAUSE_NONE)
            blame_library(link, "the server's answer to the login makes no sense");
        link->spoiled |= link->greeted && link->sample.cause == RF_CAUSE_TLS;
        return 0;
    }
    link->fd = rf_vendor_socket(link->mysql);
    never_block(link->fd); /* at the end of a login the library sets its own time-outs: none */
    link->phase = RF_LINK_ASKING;
    set_linger(link->fd, 0);
    link->tls = mysql_get_ssl_cipher(link->mysql) != NULL;
    if (!link->tls && dsn->tls >= RF_TLS_REQUIRED) {
        blame(link, RF_CAUSE_TLS, CR_SSL_CONNECTION_ERROR, "TLS is demanded, but the server logged us in without it");
        return 0;
    }
    return 1;
}

static void settle(rf_link *link)
{
    MYSQL_RES *result;

    /* A short global wait_timeout must not look like a server that dies. */
    mysql_free_result(rf_vendor_query(link->mysql, "SET SESSION wait_timeout = GREATEST(@@session.wait_timeout, 600)"));
    result = rf_vendor_query(link->mysql, "SELECT @@global.super_read_only");
    link->has_super = result != NULL;
    mysql_free_result(result);
}

static int is_on(const char *value)
{
    return value && strcmp(value, "0") != 0 && strcmp(value, "OFF") != 0;
}

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%.*s", (int)size - 1, from ? from : "");
}

/* @return 1 if the server answered, whatever it said */
static int question(rf_link *link)
{
    rf_sample *sample = &link->sample;
    MYSQL_RES *result = rf_vendor_query(link->mysql,
                                        link->has_super ? "SELECT @@global.read_only, @@global.innodb_read_only, @@hostname, "
                                                          "@@version, @@innodb_buffer_pool_size, @@global.super_read_only"
                                                        : "SELECT @@global.read_only, @@global.innodb_read_only, @@hostname, "
                                                          "@@version, @@innodb_buffer_pool_size");
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    unsigned columns = link->has_super ? 6 : 5;

    if (!row || mysql_num_fields(result) != columns) {
        blame_library(link, "the server's answer is not what was asked for");
        mysql_free_result(result);
        return 0;
    }
    sample->read_only = is_on(row[0]) || is_on(row[1]) || (columns > 5 && is_on(row[5]));
    copy(sample->server, sizeof sample->server, row[2]);
    copy(sample->version, sizeof sample->version, row[3]);
    sample->buffer_pool_bytes = row[4] ? strtoull(row[4], NULL, 10) : 0;
    if (sample->read_only)
        blame(link, RF_CAUSE_READ_ONLY, 0,
              is_on(row[0]) ? "read_only is on" : is_on(row[1]) ? "innodb_read_only is on" : "super_read_only is on");
    mysql_free_result(result);
    return 1;
}

/* What the server's last words were, if they can be read without its key. */
static void blame_farewell(rf_link *link)
{
    unsigned char said[512];
    char text[sizeof link->sample.text];
    ssize_t n = recv(link->fd, said, sizeof said, MSG_PEEK | MSG_DONTWAIT);
    int error = errno;
    unsigned code = n > 0 && !link->tls ? rf_farewell_read(said, (size_t)n, text, sizeof text) : 0;

    if (code)
        blame(link, rf_classify_code(code), code, text);
    else if (n < 0 && error != EAGAIN)
        blame(link, RF_CAUSE_LOST, CR_SERVER_LOST, strerror(error));
    else
        blame(link, RF_CAUSE_LOST, CR_SERVER_LOST, "the server closed the idle connection");
}

/* @return 1 when there is something to ask, 0 when the link is over */
static int idle(rf_link *link)
{
    int come;

    link->phase = RF_LINK_IDLE;
    come = pause_for(link, POLLIN | POLLRDHUP);
    if (link->aborted)
        return 0;
    begin_sample(link);
    link->unasked = 0;
    if (link->asked) {
        link->asked = 0;
    } else if (link->tls && !(come & (POLLRDHUP | POLLHUP | POLLERR))) {
        link->unasked = 1; /* a session ticket, a new key, or an error: the library has to read it to know */
    } else {
        blame_farewell(link);
        link->sample.kind = RF_SAMPLE_IDLE_LOST;
        link->news = 1;
        cut(link);
        return 0;
    }
    link->phase = RF_LINK_ASKING;
    return 1;
}

static void run(void *arg)
{
    rf_link *link = arg;

    begin_sample(link);
    if (login(link)) {
        int answered;

        settle(link);
        link->was_login = 1;
        do {
            answered = question(link);
            link->sample.was_login = link->was_login;
            link->was_login = 0;
            link->sample.proven = link->tls && link->dsn->tls == RF_TLS_VERIFY_IDENTITY && link->dsn->tls_ca[0];
            if (link->unasked && !answered)
                link->sample.kind = RF_SAMPLE_IDLE_LOST;
            link->news = !link->unasked || !answered;
        } while (answered && idle(link));
    } else {
        link->news = 1;
    }
    mysql_close(link->mysql);
    link->mysql = NULL;
    link->fd = -1;
    link->phase = RF_LINK_CLOSED;
}

/* The pin is for the one lookup that the library does before it first waits. */
static void go(rf_link *link)
{
    rf_fiber_run(link->fiber);
    rf_pin_clear();
}

/* --- what the prober sees ------------------------------------------------------------------------------------------------ */

rf_link *rf_link_open(const rf_dsn *dsn, const rf_address *address)
{
    rf_link *link = calloc(1, sizeof *link);

    if (!link)
        return NULL;
    link->dsn = dsn;
    link->address = *address;
    link->fd = -1;
    link->fiber = rf_fiber_new(run, link);
    if (!link->fiber) {
        free(link);
        return NULL;
    }
    go(link);
    return link;
}

rf_link_phase rf_link_where(const rf_link *link)
{
    return link->phase;
}

int rf_link_spoiled(const rf_link *link)
{
    return link->spoiled;
}

void rf_link_ask(rf_link *link)
{
    link->unasked = 0;
    if (link->phase != RF_LINK_IDLE)
        return;
    link->asked = 1;
    go(link);
}

struct pollfd rf_link_poll(const rf_link *link)
{
    return (struct pollfd){.fd = link->fd, .events = (short)link->events};
}

void rf_link_ready(rf_link *link, int revents)
{
    if (link->phase == RF_LINK_CLOSED)
        return;
    link->revents = revents;
    go(link);
}

const rf_sample *rf_link_news(rf_link *link)
{
    if (!link->news)
        return NULL;
    link->news = 0;
    return &link->sample;
}

void rf_link_close(rf_link *link)
{
    if (!link)
        return;
    if (link->phase == RF_LINK_IDLE) {
        link->aborted = 1; /* the library takes leave on a connection that still works */
        go(link);
    } else if (link->phase != RF_LINK_CLOSED) {
        cut(link);
        go(link);
    }
    rf_fiber_free(link->fiber);
    free(link);
}
