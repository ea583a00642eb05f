/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_prober.c
 * @brief rdsfailover-prober: looks at one database for the monitor. Everything that parses what the network sends happens here,
 *        in a process that has no rights and can be killed at any moment.
 *
 * Started as `rdsfailover-prober NAME` with one end of a SOCK_SEQPACKET pair as descriptor 3; each packet is one rf_command or
 * one rf_sample (rf_sample.h). NAME is for ps alone. Ends when the other end is closed.
 *
 * Layer:   prober, above the I/O adapters.
 * Threads: one, which waits in ppoll and nowhere else.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rf_io_dns.h"
#include "rf_io_mysql.h"
#include "rf_io_sockets.h"
#include "rf_prober_target.h"

#define RF_MONITOR_FD 3
#define RF_TARGETS 32 /* twice what one endpoint may have: former writers are probed too */

typedef struct rf_question {
    rf_sample_kind kind;
    rf_lookup *lookup; /* NULL: nothing is asked */
    uint32_t ticket;
    rf_time deadline, timeout;
} rf_question;

static struct {
    int configured;
    rf_dsn dsn;
    char servers[RF_RESOLVERS * sizeof((rf_command *)0)->resolvers[0] + 1]; /* comma-separated; empty: the system's */
    rf_target targets[RF_TARGETS];
    rf_question questions[2];
} prober = {.questions = {{.kind = RF_SAMPLE_DNS}, {.kind = RF_SAMPLE_DNS_HOST}}};

static void leave(int status)
{
    unsigned i;

    for (i = 0; i < RF_TARGETS; i++)
        rf_target_forget(&prober.targets[i]);
    for (i = 0; i < 2; i++)
        rf_lookup_close(prober.questions[i].lookup);
    rf_dsn_wipe(&prober.dsn);
    exit(status);
}

static void say(const rf_sample *sample)
{
    ssize_t n;

    /* A monitor that is stopped for a while finds everything when it goes on. */
    while ((n = send(RF_MONITOR_FD, sample, sizeof *sample, MSG_NOSIGNAL)) < 0 && (errno == EAGAIN || errno == EINTR))
        poll(&(struct pollfd){.fd = RF_MONITOR_FD, .events = POLLOUT}, 1, -1);
    if (n < 0)
        _exit(0); /* from wherever this is called; what is open closes itself */
}

/* --- the name -------------------------------------------------------------------------------------------------------------- */

static void question_ask(rf_question *question, const char *servers, const rf_command *command, rf_time now)
{
    question->ticket = command->ticket;
    if (question->lookup)
        return;
    question->timeout = command->timeout;
    question->deadline = now + command->timeout;
    question->lookup = rf_lookup_open(prober.dsn.host, servers);
}

static void question_tick(rf_question *question, rf_time now)
{
    rf_sample sample;

    if (!question->lookup)
        return;
    if (rf_lookup_answer(question->lookup)) {
        sample = *rf_lookup_answer(question->lookup);
    } else if (now >= question->deadline) {
        memset(&sample, 0, sizeof sample);
        sample.cause = RF_CAUSE_NAME;
        snprintf(sample.text, sizeof sample.text, "no name server answered within %lld ms",
                 (long long)(question->timeout / RF_MS(1)));
    } else {
        return;
    }
    sample.kind = question->kind;
    sample.ticket = question->ticket;
    rf_lookup_close(question->lookup);
    question->lookup = NULL;
    say(&sample);
}

/* --- commands ---------------------------------------------------------------------------------------------------------------- */

static rf_target *target_known(const rf_address *address)
{
    unsigned i;

    for (i = 0; i < RF_TARGETS; i++)
        if (prober.targets[i].address.text[0] && rf_address_equal(&prober.targets[i].address, address))
            return &prober.targets[i];
    return NULL;
}

static rf_target *target_find(const rf_address *address)
{
    rf_target *oldest = target_known(address);
    unsigned i;

    if (oldest)
        return oldest;
    for (i = 0; i < RF_TARGETS; i++) {
        rf_target *target = &prober.targets[i];

        if (!oldest || target->used < oldest->used)
            oldest = target;
    }
    rf_target_forget(oldest);
    oldest->address = *address;
    return oldest;
}

static void configure(const rf_command *command)
{
    unsigned i;

    for (i = 0; i < RF_TARGETS; i++)
        rf_target_forget(&prober.targets[i]);
    for (i = 0; i < 2; i++) {
        rf_lookup_close(prober.questions[i].lookup);
        prober.questions[i].lookup = NULL;
    }
    rf_dsn_wipe(&prober.dsn);
    prober.dsn = command->dsn;
    prober.servers[0] = '\0';
    for (i = 0; i < command->nresolvers && i < RF_RESOLVERS; i++) {
        if (i > 0)
            strcat(prober.servers, ",");
        strncat(prober.servers, command->resolvers[i], sizeof command->resolvers[i] - 1);
    }
    prober.configured = 1;
}

/* The monitor destroys nothing before it knows them, so what cannot be told is not told. */
static void tell_sockets(uint32_t ticket)
{
    rf_sample sample;
    int n;

    memset(&sample, 0, sizeof sample);
    sample.kind = RF_SAMPLE_SOCKETS;
    sample.ticket = ticket;
    n = rf_io_sockets_own(sample.sockets, RF_SOCKETS);
    if (n < 0 || n > RF_SOCKETS)
        return;
    sample.nsockets = (unsigned)n;
    say(&sample);
}

static void obey(const rf_command *command, rf_time now)
{
    rf_target *target;

    if (command->kind == RF_COMMAND_CONFIGURE) {
        configure(command);
        return;
    }
    if (command->kind == RF_COMMAND_SOCKETS) {
        tell_sockets(command->ticket);
        return;
    }
    if (!prober.configured)
        return;
    switch (command->kind) {
    case RF_COMMAND_PROBE:
        target = target_find(&command->address);
        rf_target_probe(target, &prober.dsn, command->ticket, command->timeout, now, say);
        break;
    case RF_COMMAND_RESOLVE:
        question_ask(&prober.questions[0], prober.servers[0] ? prober.servers : NULL, command, now);
        if (prober.servers[0])
            question_ask(&prober.questions[1], NULL, command, now);
        break;
    case RF_COMMAND_FORGET:
        target = target_known(&command->address);
        if (target)
            rf_target_forget(target);
        break;
    default:
        break;
    }
}

static void read_commands(rf_time now)
{
    rf_command command;
    ssize_t n;

    while ((n = recv(RF_MONITOR_FD, &command, sizeof command, MSG_DONTWAIT)) == (ssize_t)sizeof command)
        obey(&command, now);
    rf_dsn_wipe(&command.dsn);
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        leave(0);
}

/* --- the loop ---------------------------------------------------------------------------------------------------------------- */

static void sooner(rf_time *at, rf_time other)
{
    if (*at == 0 || other < *at)
        *at = other;
}

static rf_time next_deadline(rf_time now)
{
    rf_time at = 0;
    unsigned i;

    for (i = 0; i < RF_TARGETS; i++)
        if (prober.targets[i].asked)
            sooner(&at, prober.targets[i].deadline);
    for (i = 0; i < 2; i++)
        if (prober.questions[i].lookup) {
            rf_time patience = rf_lookup_patience(prober.questions[i].lookup);

            sooner(&at, prober.questions[i].deadline);
            if (patience >= 0)
                sooner(&at, now + patience);
        }
    return at;
}

static void turn(void)
{
    struct pollfd fds[1 + RF_TARGETS + 2 * RF_LOOKUP_SOCKETS];
    unsigned n = 0, of_question[2], i, at;
    rf_time now = rf_prober_now(), until = next_deadline(now), left = until > now ? until - now : 0;
    struct timespec patience = {.tv_sec = left / RF_SEC(1), .tv_nsec = left % RF_SEC(1) * 1000};

    fds[n++] = (struct pollfd){.fd = RF_MONITOR_FD, .events = POLLIN};
    for (i = 0; i < RF_TARGETS; i++)
        fds[n++] = prober.targets[i].link ? rf_link_poll(prober.targets[i].link) : (struct pollfd){.fd = -1};
    for (i = 0; i < 2; i++) {
        of_question[i] = prober.questions[i].lookup ? rf_lookup_poll(prober.questions[i].lookup, fds + n) : 0;
        n += of_question[i];
    }
    if (ppoll(fds, n, until ? &patience : NULL, NULL) < 0)
        memset(fds, 0, sizeof fds);
    now = rf_prober_now();

    /* Answers before deadlines: what arrived in time was in time, however late we were woken. */
    for (i = 0; i < RF_TARGETS; i++)
        if (fds[1 + i].revents)
            rf_target_ready(&prober.targets[i], fds[1 + i].revents, now, say);
    for (i = 0, at = 1 + RF_TARGETS; i < 2; at += of_question[i++])
        if (prober.questions[i].lookup)
            rf_lookup_ready(prober.questions[i].lookup, fds + at, of_question[i]);
    if (fds[0].revents)
        read_commands(now);
    for (i = 0; i < RF_TARGETS; i++)
        rf_target_tick(&prober.targets[i], now, say);
    for (i = 0; i < 2; i++)
        question_tick(&prober.questions[i], now);
}

int main(int argc, char **argv)
{
    int type = 0;
    socklen_t size = sizeof type;
    const char *wrong;

    if (argc != 2 || getsockopt(RF_MONITOR_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        fprintf(stderr, "%s is started by mod_rdsfailover and is of no use by itself\n", argv[0]);
        return 64;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0); /* a script of the same user could read the password otherwise */
    signal(SIGPIPE, SIG_IGN);
    /* Settings that would weaken what the DSN asks for. */
    unsetenv("MARIADB_TLS_DISABLE_PEER_VERIFICATION");
    unsetenv("LIBMARIADB_PLUGIN_DIR");

    wrong = rf_dns_start();
    if (wrong) {
        fprintf(stderr, "rdsfailover-prober: the DNS library does not start: %s\n", wrong);
        return 70;
    }
    for (;;)
        turn();
}
