/* SPDX-License-Identifier: Apache-2.0 */
/* rf_io_sockets and rf_io_caps: real sockets in a network of their own, destroyed under real processes that wait in them. */
#include "rf_io_caps.h"
#include "rf_io_sockets.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 100
#define CROWD 20

static rf_address address(const char *text)
{
    rf_address a;

    snprintf(a.text, sizeof a.text, "%s", text);
    return a;
}

/* --- sockets ------------------------------------------------------------------------------------------------------------------ */

static void give_up(const char *what)
{
    ok(0, "%s: %s", what, strerror(errno));
    exit(1);
}

/* @param text an IPv6 address, mapped ones included, or an IPv4 address */
static socklen_t fill(struct sockaddr_storage *where, const char *text, uint16_t port)
{
    struct sockaddr_in *four = (struct sockaddr_in *)where;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)where;

    memset(where, 0, sizeof *where);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

/* @param port 0: any; then that @return the listening socket */
static int listen_at(const char *text, uint16_t *port, int backlog)
{
    struct sockaddr_storage where;
    socklen_t length = fill(&where, text, *port);
    int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&where, length) < 0 || listen(fd, backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)&where, &length) < 0)
        give_up(text);
    *port = ntohs(((struct sockaddr_in *)&where)->sin_port);
    return fd;
}

static int connect_to(const char *text, uint16_t port, int flags)
{
    struct sockaddr_storage where;
    socklen_t length = fill(&where, text, port);
    int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0 || (connect(fd, (struct sockaddr *)&where, length) < 0 && errno != EINPROGRESS))
        give_up(text);
    return fd;
}

static int state_of(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -1;
}

/* @return 0 while the socket is as it was, else the error that whoever uses it gets */
static int error_of(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static int await_state(int fd, int state)
{
    int ms;

    for (ms = 0; ms < 10000 && state_of(fd) != state; ms++)
        usleep(1000);
    return state_of(fd) == state;
}

/* What the last pass found, and what came of it. */
static struct {
    unsigned found, destroyed, gone;
    int refused;
} pass;

/* @param spared inodes that are left alone @return 0 or an errno */
static int abort_some(const char *text, uint16_t port, unsigned most, const uint32_t *spared, int nspared, int destroy)
{
    rf_address a = address(text);
    rf_io_sockets *list = rf_io_sockets_new(most);
    rf_io_sockets_end end = { 0 };
    int error = list ? rf_io_sockets_add(list, &a, port) : ENOMEM;

    memset(&pass, 0, sizeof pass);
    while (!error && nspared-- > 0)
        rf_io_sockets_spare(list, spared[nspared]);
    if (!error)
        pass.found = rf_io_sockets_count(list);
    if (!error && destroy)
        error = rf_io_sockets_destroy(list, &end);
    pass.destroyed = end.destroyed;
    pass.gone = end.gone;
    pass.refused = end.refused;
    rf_io_sockets_free(list);
    return error;
}

static int abort_all(const char *text, uint16_t port, int destroy)
{
    return abort_some(text, port, MOST, NULL, 0, destroy);
}

/* --- processes ------------------------------------------------------------------------------------------------------------------ */

static uint32_t theirs[64];
static int ntheirs;

/* A process that connects and waits for an answer that never comes. @return its pid, when it is connected and `theirs` are the
 * sockets it says it has; it exits with the errno */
static pid_t waiting_process(const char *text, uint16_t port)
{
    int ready[2], fd;
    char byte;
    pid_t pid;

    fflush(stdout);
    if (pipe(ready) < 0 || (pid = fork()) < 0)
        give_up("fork");
    if (pid == 0) {
        alarm(60);
        fd = connect_to(text, port, 0);
        ntheirs = rf_io_sockets_own(theirs, 64);
        if (write(ready[1], &ntheirs, sizeof ntheirs) != sizeof ntheirs || write(ready[1], theirs, sizeof theirs) != sizeof theirs)
            _exit(255);
        _exit(recv(fd, &byte, 1, 0) < 0 ? errno : 254);
    }
    if (read(ready[0], &ntheirs, sizeof ntheirs) != sizeof ntheirs || read(ready[0], theirs, sizeof theirs) != sizeof theirs)
        give_up("the process that connects");
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static int exit_code(pid_t pid)
{
    int status = 0;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- tests ------------------------------------------------------------------------------------------------------------------------ */

static void each_family(void)
{
    static const struct {
        const char *name, *server, *client, *target;
    } rows[] = {
        { "IPv4", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
        { "IPv6", "::1", "::1", "::1" },
        { "IPv4 in an IPv6 socket", "127.0.0.3", "::ffff:127.0.0.3", "127.0.0.3" },
        { "an address that is written as a mapped one", "127.0.0.4", "127.0.0.4", "::ffff:127.0.0.4" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t port = 0, other_port = 0;
        int server = listen_at(rows[i].server, &port, 10), other = listen_at(rows[i].server, &other_port, 10);
        int clients[3], elsewhere = connect_to(rows[i].client, other_port, 0), k;
        pid_t waits = waiting_process(rows[i].client, port);

        for (k = 0; k < 3; k++)
            clients[k] = connect_to(rows[i].client, port, 0);
        is_int(abort_all(rows[i].target, port, 0), 0, "%s: counting works", rows[i].name);
        ok(pass.found == 4 && pass.destroyed == 0 && error_of(clients[0]) == 0, "%s: and counts, no more (%u)", rows[i].name, pass.found);
        is_int(abort_all(rows[i].target, port, 1), 0, "%s: destroying works", rows[i].name);
        ok(pass.found == 4 && pass.destroyed == 4 && !pass.refused, "%s: all of them (%u of %u, %s)", rows[i].name, pass.destroyed,
           pass.found, strerror(pass.refused));
        is_int(error_of(clients[1]), ECONNABORTED, "%s: a socket says so", rows[i].name);
        is_int(exit_code(waits), ECONNABORTED, "%s: a process that waits in one returns", rows[i].name);
        ok(state_of(elsewhere) == TCP_ESTABLISHED && error_of(elsewhere) == 0, "%s: another port is left alone", rows[i].name);
        abort_all(rows[i].target, port, 1);
        is_int(pass.found, 0, "%s: nothing is left to find", rows[i].name);
        for (k = 0; k < 3; k++)
            close(clients[k]);
        close(elsewhere);
        close(server);
        close(other);
    }
}

static void other_addresses(void)
{
    uint16_t port = 0;
    int here = listen_at("127.0.0.5", &port, 10), there = listen_at("127.0.0.6", &port, 10);
    int client = connect_to("127.0.0.6", port, 0), accepted = accept(there, NULL, NULL);

    abort_all("127.0.0.5", port, 1);
    is_int(pass.found, 0, "the same port of another address is not found");
    /* To the server's own side of a connection the client is the other end. */
    abort_all("127.0.0.6", port, 1);
    is_int(pass.destroyed, 1, "only the client's end is taken");
    ok(accepted >= 0 && state_of(here) == TCP_LISTEN && state_of(there) == TCP_LISTEN, "the servers go on");
    close(client);
    close(accepted);
    close(here);
    close(there);
}

/* The queue of a server that accepts nothing is soon full; then the kernel drops what comes. */
static void connecting(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.7", &port, 0), clients[CROWD], k;
    unsigned connecting = 0, aborted = 0;

    for (k = 0; k < CROWD; k++)
        clients[k] = connect_to("127.0.0.7", port, SOCK_NONBLOCK);
    for (k = 0; k < CROWD; k++)
        connecting += state_of(clients[k]) == TCP_SYN_SENT;
    ok(connecting > 0, "%u sockets are still connecting", connecting);
    abort_all("127.0.0.7", port, 1);
    is_int(pass.destroyed, CROWD, "connected or connecting, all are destroyed");
    for (k = 0; k < CROWD; k++)
        aborted += error_of(clients[k]) == ECONNABORTED;
    is_int(aborted, CROWD, "and say so");
    for (k = 0; k < CROWD; k++)
        close(clients[k]);
    close(server);
}

static void closing(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.8", &port, 10), left = connect_to("127.0.0.8", port, 0), accepted = accept(server, NULL, NULL);
    int orphan, size = 1, filled;
    char bytes[65536] = { 0 };

    close(accepted);
    ok(await_state(left, TCP_CLOSE_WAIT), "the server has closed its end");
    abort_all("127.0.0.8", port, 1);
    is_int(pass.destroyed, 1, "a socket that waits to be closed is destroyed");
    close(left);

    /* Nobody reads at the other end, so what is sent last stays in the way of the close. */
    orphan = connect_to("127.0.0.8", port, SOCK_NONBLOCK);
    accepted = accept(server, NULL, NULL);
    setsockopt(accepted, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (filled = 0; send(orphan, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; filled++)
        ;
    ok(filled > 0 && errno == EAGAIN, "a connection is full");
    close(orphan);
    abort_all("127.0.0.8", port, 0);
    is_int(pass.found, 0, "one that its process has closed is nobody's, and is not found");
    close(accepted);
    close(server);
}

static void own(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.9", &port, 10), client;
    pid_t spared = waiting_process("127.0.0.9", port);
    uint32_t few[1];

    /* Only now: whoever is forked has what was open. */
    client = connect_to("127.0.0.9", port, 0);
    is_int(ntheirs, 2, "a process knows its sockets: the server's, which it was born with, and its own");
    ok(rf_io_sockets_own(few, 1) > 1, "and says that there are more than there is room for");
    is_int(abort_some("127.0.0.9", port, MOST, theirs, ntheirs, 1), 0, "a pass that spares them");
    ok(pass.found == 1 && pass.destroyed == 1, "one socket is found, the spared process has the other (%u, %u)", pass.found, pass.destroyed);
    is_int(error_of(client), ECONNABORTED, "ours is gone");
    abort_some("127.0.0.9", port, MOST, theirs, ntheirs, 0);
    is_int(pass.found, 0, "looking again finds none but the spared one");
    abort_all("127.0.0.9", port, 1);
    is_int(pass.destroyed, 1, "which was alive until nobody spared it");
    is_int(exit_code(spared), ECONNABORTED, "now it is gone too");
    close(client);
    close(server);
}

static void at_most(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.10", &port, 10), clients[5], k;

    for (k = 0; k < 5; k++)
        clients[k] = connect_to("127.0.0.10", port, 0);
    abort_some("127.0.0.10", port, 2, NULL, 0, 1);
    is_int(pass.destroyed, 2, "no more than asked for");
    abort_some("127.0.0.10", port, 2, NULL, 0, 1);
    abort_some("127.0.0.10", port, 2, NULL, 0, 1);
    is_int(pass.destroyed, 1, "the third pass takes the rest");
    is_int(abort_all("writer.test", port, 1), EINVAL, "a name is no address");
    for (k = 0; k < 5; k++)
        close(clients[k]);
    close(server);
}

/* --- rights ----------------------------------------------------------------------------------------------------------------------- */

static uint64_t right(const char *file, const char *set)
{
    char line[256];
    uint64_t value = UINT64_MAX;
    FILE *f = fopen(file, "r");

    while (f && fgets(line, sizeof line, f)) {
        if (!strncmp(line, set, strlen(set)))
            value = strtoull(line + strlen(set), NULL, 16);
    }
    if (f)
        fclose(f);
    return value;
}

#define NET_ADMIN (UINT64_C(1) << 12)

/* In a process of its own, because rights do not come back. */
static int keep_one(uint16_t port)
{
    int to_child[2], bad = 0;
    char status[64];
    pid_t pid;

    rf_io_caps_before(1);
    bad |= rf_io_caps_after(1) != 1;
    bad |= (right("/proc/self/status", "CapEff:") != NET_ADMIN || right("/proc/self/status", "CapPrm:") != NET_ADMIN) << 1;
    bad |= (right("/proc/self/status", "CapInh:") || right("/proc/self/status", "CapBnd:") || right("/proc/self/status", "CapAmb:")) << 2;
    bad |= (abort_all("127.0.0.11", port, 1) || pass.destroyed != 1) << 3;
    /* What it executes, until it is killed. */
    if (pipe(to_child) < 0 || (pid = fork()) < 0)
        return 255;
    if (pid == 0) {
        dup2(to_child[0], 0);
        close(to_child[1]);
        execl("/bin/cat", "cat", (char *)NULL);
        _exit(1);
    }
    close(to_child[0]);
    /* When cat has read its input to the end it is gone; while it waits it has been executed. */
    snprintf(status, sizeof status, "/proc/%d/comm", (int)pid);
    for (int ms = 0; ms < 10000; ms++) {
        char name[32] = "";
        FILE *f = fopen(status, "r");
        if (f && fgets(name, sizeof name, f) && !strcmp(name, "cat\n"))
            ms = 10000;
        if (f)
            fclose(f);
        usleep(1000);
    }
    snprintf(status, sizeof status, "/proc/%d/status", (int)pid);
    bad |= (right(status, "CapEff:") || right(status, "CapPrm:") || right(status, "CapBnd:")) << 4;
    close(to_child[1]);
    waitpid(pid, NULL, 0);
    return bad;
}

static int keep_none(uint16_t port)
{
    int bad = 0;

    rf_io_caps_before(0);
    bad |= rf_io_caps_after(0) != 0;
    bad |= (right("/proc/self/status", "CapEff:") || right("/proc/self/status", "CapPrm:")) << 1;
    bad |= (abort_all("127.0.0.11", port, 0) || pass.found != 1) << 2;
    bad |= (abort_all("127.0.0.11", port, 1) || pass.found != 1 || pass.destroyed || pass.refused != EPERM) << 3;
    bad |= (rf_io_sockets_able() != 0) << 4;
    return bad;
}

static int in_process(int (*test)(uint16_t), uint16_t port)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(test(port));
    }
    return exit_code(pid);
}

static void rights(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.11", &port, 10), client = connect_to("127.0.0.11", port, 0);

    is_int(in_process(keep_none, port), 0, "without a right sockets are counted, and destroying is refused (bits tell what is wrong)");
    is_int(error_of(client), 0, "they are all there");
    is_int(in_process(keep_one, port), 0, "with CAP_NET_ADMIN alone they are destroyed, and what is executed has nothing (bits)");
    is_int(error_of(client), ECONNABORTED, "they are gone");
    close(client);
    close(server);
}

/* --- a network of its own ------------------------------------------------------------------------------------------------------------ */

static int private_network(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int fd, done;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return 0;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    done = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return done;
}

/* Nobody may make a network here: then what must hold is that sockets are counted, and that destroying them is refused. */
static void counted_only(void)
{
    uint16_t port = 0;
    int server = listen_at("127.0.0.11", &port, 10), client = connect_to("127.0.0.11", port, 0);

    is_int(in_process(keep_none, port), 0, "without a right sockets are counted, and destroying is refused (bits tell what is wrong)");
    is_int(error_of(client), 0, "they are all there");
    close(client);
    close(server);
}

int main(void)
{
    is_int(rf_io_sockets_able(), 0, "the kernel can destroy sockets");
    if (!private_network()) {
        printf("# no network of its own could be made (%s): what takes CAP_NET_ADMIN is not tested\n", strerror(errno));
        counted_only();
        return tap_done();
    }
    each_family();
    other_addresses();
    connecting();
    closing();
    own();
    at_most();
    rights();
    return tap_done();
}
