/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file monitor.c
 * @brief Stands in for the monitor: runs a prober, turns lines on stdin into commands and samples into lines on stdout.
 *
 *     configure URL [RESOLVER...] | probe ADDRESS TICKET MS | resolve TICKET MS | forget ADDRESS | sockets TICKET
 *
 * First line out: "started pid=N". Each sample: "kind=… at=… …" with `at` in microseconds of the monotonic clock and `text=`
 * last. "gone" when the prober closed its end. End of input closes ours and waits for the prober.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rf_sample.h"

static const char *const kinds[] = {"", "probe", "idle-lost", "dns", "dns-host", "sockets"};

static void print_sample(rf_sample *sample)
{
    struct timespec t;
    unsigned i;

    clock_gettime(CLOCK_MONOTONIC, &t);
    printf("kind=%s at=%lld ticket=%u address=%s cause=%s code=%u pending=%d rtt=%lld login=%d proven=%d ro=%d server=%s "
           "version=%s pool=%llu ttl=%u cnames=",
           kinds[sample->kind], (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000, sample->ticket, sample->address.text,
           rf_cause_name(sample->cause), sample->code, sample->pending, (long long)sample->rtt, sample->was_login,
           sample->proven, sample->read_only, sample->server, sample->version, (unsigned long long)sample->buffer_pool_bytes,
           sample->ttl);
    for (i = 0; i < sample->ncnames; i++)
        printf("%s%s", i ? "," : "", sample->cnames[i]);
    printf(" addresses=");
    for (i = 0; i < sample->naddresses; i++)
        printf("%s%s", i ? "," : "", sample->addresses[i].text);
    printf(" sockets=");
    for (i = 0; i < sample->nsockets; i++)
        printf("%s%u", i ? "," : "", sample->sockets[i]);
    printf(" text=%s\n", sample->text);
}

static const char *read_command(char *line, rf_command *ret_command)
{
    char *save = NULL, *word = strtok_r(line, " \n", &save), *argument = strtok_r(NULL, " \n", &save);

    memset(ret_command, 0, sizeof *ret_command);
    if (!word || !argument)
        return "a command and its arguments are needed";
    if (strcmp(word, "configure") == 0) {
        const char *wrong = rf_dsn_parse(argument, &ret_command->dsn);

        ret_command->kind = RF_COMMAND_CONFIGURE;
        while ((word = strtok_r(NULL, " \n", &save)) && ret_command->nresolvers < RF_RESOLVERS)
            snprintf(ret_command->resolvers[ret_command->nresolvers++], sizeof ret_command->resolvers[0], "%s", word);
        return wrong;
    }
    if (strcmp(word, "resolve") == 0) {
        ret_command->kind = RF_COMMAND_RESOLVE;
    } else if (strcmp(word, "sockets") == 0) {
        ret_command->kind = RF_COMMAND_SOCKETS;
    } else {
        ret_command->kind = strcmp(word, "probe") == 0 ? RF_COMMAND_PROBE : RF_COMMAND_FORGET;
        snprintf(ret_command->address.text, sizeof ret_command->address.text, "%s", argument);
        argument = strtok_r(NULL, " \n", &save);
    }
    if (argument) {
        ret_command->ticket = (uint32_t)strtoul(argument, NULL, 10);
        word = strtok_r(NULL, " \n", &save);
        ret_command->timeout = RF_MS(word ? strtol(word, NULL, 10) : 1000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int ends[2], status = 0, gone = 0;
    pid_t pid;
    char line[8192];

    if (argc < 2 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return 64;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(ends[1], 3);
        fcntl(3, F_SETFD, 0);
        argv[argc] = NULL;
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    close(ends[1]);
    printf("started pid=%d\n", (int)pid);
    for (;;) {
        struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = gone ? -1 : ends[0], .events = POLLIN}};
        rf_sample sample;
        rf_command command;

        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            ssize_t n = recv(ends[0], &sample, sizeof sample, 0);

            if (n <= 0) {
                printf("gone\n");
                gone = 1;
            } else if (rf_sample_sane(&sample, (size_t)n)) {
                print_sample(&sample);
            } else {
                printf("insane size=%zd\n", n);
            }
        }
        if (fds[0].revents) {
            const char *wrong;

            if (!fgets(line, sizeof line, stdin))
                break;
            wrong = read_command(line, &command);
            if (wrong)
                printf("wrong %s\n", wrong);
            else if (send(ends[0], &command, sizeof command, MSG_NOSIGNAL) < 0)
                printf("unsent\n");
        }
    }
    close(ends[0]);
    waitpid(pid, &status, 0);
    printf("ended status=%d\n", status);
    return 0;
}
