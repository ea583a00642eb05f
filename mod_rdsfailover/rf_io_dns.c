/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_dns.c
 * @brief Lookups with c-ares 1.16 and later.
 */
#include "rf_io_dns.h"

#include <arpa/inet.h>
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The caller's deadline ends a lookup; within it, one lost packet is asked again. */
#define RF_ASK_AGAIN_MS 150
#define RF_ASK_TRIES 4

struct rf_lookup {
    ares_channel channel;
    const char *host;
    int done;
    rf_sample answer;
};

const char *rf_dns_start(void)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    return status == ARES_SUCCESS ? NULL : ares_strerror(status);
}

static void fail(rf_sample *answer, const char *text)
{
    answer->cause = RF_CAUSE_NAME;
    snprintf(answer->text, sizeof answer->text, "%s", text);
}

static const char *explain(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "the name server says that there is no such name (NXDOMAIN)";
    case ARES_ENODATA:
        return "the name exists but has no address";
    case ARES_ESERVFAIL:
    case ARES_ECONNREFUSED:
        return "no name server gives an answer (SERVFAIL, REFUSED, or nothing listens there)";
    case ARES_ETIMEOUT:
        return "no name server answers in time";
    case ARES_EBADRESP:
        return "the name server's answer cannot be read";
    case ARES_EBADNAME:
        return "this cannot be a host name";
    default:
        return ares_strerror(status);
    }
}

static void lower_ttl(rf_sample *answer, int *found, int ttl)
{
    uint32_t seconds = ttl > 0 ? (uint32_t)ttl : 0;

    if (!*found || seconds < answer->ttl)
        answer->ttl = seconds;
    *found = 1;
}

static void take(rf_sample *answer, const char *host, const struct ares_addrinfo *info)
{
    const struct ares_addrinfo_cname *cname;
    const struct ares_addrinfo_node *node;
    int found = 0;

    for (cname = info->cnames; cname; cname = cname->next) {
        if (cname->name && strcasecmp(cname->name, host) != 0 && answer->ncnames < RF_CNAMES)
            snprintf(answer->cnames[answer->ncnames++], sizeof answer->cnames[0], "%s", cname->name);
        lower_ttl(answer, &found, cname->ttl);
    }
    for (node = info->nodes; node && answer->naddresses < RF_ADDRESSES; node = node->ai_next) {
        const void *bytes = node->ai_family == AF_INET
                                ? (const void *)&((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr
                                : &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr;
        rf_address address = {""};
        unsigned i;

        if ((node->ai_family != AF_INET && node->ai_family != AF_INET6) ||
            !inet_ntop(node->ai_family, bytes, address.text, sizeof address.text))
            continue;
        lower_ttl(answer, &found, node->ai_ttl);
        for (i = 0; i < answer->naddresses && !rf_address_equal(&address, &answer->addresses[i]); i++)
            ;
        if (i == answer->naddresses)
            answer->addresses[answer->naddresses++] = address;
    }
    if (answer->naddresses == 0)
        fail(answer, explain(ARES_ENODATA));
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    rf_lookup *lookup = arg;

    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
        return;
    lookup->done = 1;
    if (status == ARES_SUCCESS && info)
        take(&lookup->answer, lookup->host, info);
    else
        fail(&lookup->answer, explain(status));
    ares_freeaddrinfo(info);
}

static int is_numeric(const char *host, rf_sample *answer)
{
    unsigned char bytes[16];
    int family = inet_pton(AF_INET, host, bytes) == 1 ? AF_INET : inet_pton(AF_INET6, host, bytes) == 1 ? AF_INET6 : 0;

    if (family == 0)
        return 0;
    inet_ntop(family, bytes, answer->addresses[0].text, sizeof answer->addresses[0].text);
    answer->naddresses = 1;
    return 1;
}

rf_lookup *rf_lookup_open(const char *host, const char *servers)
{
    rf_lookup *lookup = calloc(1, sizeof *lookup);
    struct ares_options options = {.timeout = RF_ASK_AGAIN_MS, .tries = RF_ASK_TRIES};
    struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT | ARES_AI_CANONNAME, .ai_socktype = SOCK_STREAM};
    char every_source[] = "fb", dns_alone[] = "b";
    int status;

    if (!lookup)
        return NULL;
    if (is_numeric(host, &lookup->answer)) {
        lookup->done = 1;
        return lookup;
    }
    lookup->host = host;
    options.lookups = servers ? dns_alone : every_source;
    options.flags = servers ? ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES : 0;
    status = ares_init_options(&lookup->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | (servers ? ARES_OPT_FLAGS : 0));
    if (status == ARES_SUCCESS && servers)
        status = ares_set_servers_ports_csv(lookup->channel, servers);
    if (status != ARES_SUCCESS) {
        lookup->done = 1;
        fail(&lookup->answer, ares_strerror(status));
        return lookup;
    }
    ares_getaddrinfo(lookup->channel, host, NULL, &hints, answered, lookup);
    return lookup;
}

unsigned rf_lookup_poll(const rf_lookup *lookup, struct pollfd *ret_fds)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned n = 0, bits, i;

    if (lookup->done)
        return 0;
    bits = (unsigned)ares_getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
    /* What the library's own macros say, without their shift into the sign. */
    for (i = 0; i < ARES_GETSOCK_MAXNUM && n < RF_LOOKUP_SOCKETS; i++) {
        short events = (short)((bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

        if (events)
            ret_fds[n++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    return n;
}

rf_time rf_lookup_patience(const rf_lookup *lookup)
{
    struct timeval left;
    rf_time us;

    if (lookup->done || !ares_timeout(lookup->channel, NULL, &left))
        return -1;
    us = RF_SEC(left.tv_sec) + left.tv_usec;
    /* The library counts in milliseconds and says 0 during the last one: without a floor this would spin. */
    return us < RF_MS(1) ? RF_MS(1) : us;
}

void rf_lookup_ready(rf_lookup *lookup, const struct pollfd *fds, unsigned n)
{
    unsigned i;

    for (i = 0; i < n && !lookup->done; i++)
        if (fds[i].revents)
            ares_process_fd(lookup->channel, fds[i].revents & (POLLIN | POLLERR | POLLHUP) ? fds[i].fd : ARES_SOCKET_BAD,
                            fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
    if (!lookup->done)
        ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

const rf_sample *rf_lookup_answer(const rf_lookup *lookup)
{
    return lookup->done ? &lookup->answer : NULL;
}

void rf_lookup_close(rf_lookup *lookup)
{
    if (!lookup)
        return;
    if (lookup->channel)
        ares_destroy(lookup->channel);
    free(lookup);
}
