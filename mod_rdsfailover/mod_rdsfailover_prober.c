/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_prober.c
 * @brief A child process that is executed, spoken to over a pair of sockets, and killed without ceremony.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover_prober.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBER_FD 3

/* What a resolver, a TLS library or a sanitizer may need; above all, no DATABASE_URL and no RDS_PASSWORD. */
static const char *const handed_down[] = {
    "PATH",         "LANG",        "LC_ALL",      "TZ",           "LD_LIBRARY_PATH", "LD_PRELOAD",   "RES_OPTIONS", "LOCALDOMAIN",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "ASAN_OPTIONS", "UBSAN_OPTIONS",   "LSAN_OPTIONS", NULL
};

static void make_environment(char **ret_env, size_t room)
{
    extern char **environ;
    size_t n = 0;
    char **e;
    int i;

    for (e = environ; *e && n + 1 < room; e++) {
        for (i = 0; handed_down[i]; i++) {
            size_t length = strlen(handed_down[i]);
            if (!strncmp(*e, handed_down[i], length) && (*e)[length] == '=')
                ret_env[n++] = *e;
        }
    }
    ret_env[n] = NULL;
}

/* In the new process: only async-signal-safe calls from here, the parent may have threads one day. */
static void become_prober(int fd, const char *path, const char *name, char **env)
{
    char *argv[] = { (char *)path, (char *)name, NULL };
    int nothing = open("/dev/null", O_RDWR);

    if (fd != PROBER_FD)
        dup2(fd, PROBER_FD);
    else
        fcntl(fd, F_SETFD, 0);
    dup2(nothing, 0);
    dup2(nothing, 1);
    closefrom(PROBER_FD + 1);
    execve(path, argv, env);
    _exit(127);
}

int rf_prober_start(rf_prober *prober, const char *path, const char *name, rf_time now)
{
    char *env[32];
    int pair[2];
    pid_t pid;

    prober->started = now;
    prober->fd = -1;
    prober->pid = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return 0;
    make_environment(env, sizeof env / sizeof env[0]);
    pid = fork();
    if (pid == 0)
        become_prober(pair[1], path, name, env);
    close(pair[1]);
    if (pid < 0) {
        int error = errno;
        close(pair[0]);
        errno = error;
        return 0;
    }
    prober->pid = pid;
    prober->fd = pair[0];
    return 1;
}

void rf_prober_kill(rf_prober *prober)
{
    if (prober->fd >= 0)
        close(prober->fd);
    if (prober->pid > 0) {
        kill(prober->pid, SIGKILL);
        waitpid(prober->pid, NULL, 0);
    }
    prober->fd = -1;
    prober->pid = 0;
}

void rf_prober_send(const rf_prober *prober, const rf_command *command)
{
    if (prober->fd >= 0 && send(prober->fd, command, sizeof *command, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        /* Gone or full: the first is seen by receiving, the second by its silence. */
    }
}

int rf_prober_receive(const rf_prober *prober, rf_sample *ret_sample)
{
    ssize_t n = recv(prober->fd, ret_sample, sizeof *ret_sample, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return n > 0 && rf_sample_sane(ret_sample, (size_t)n) ? 1 : -1;
}
