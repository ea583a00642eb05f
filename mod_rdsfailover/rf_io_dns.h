/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_DNS_H
#define RF_IO_DNS_H
/**
 * @file rf_io_dns.h
 * @brief One lookup of the endpoint: CNAME chain, addresses of both families, the smallest TTL.
 *
 * Layer:     I/O (c-ares). Nothing here blocks; the deadline belongs to the caller.
 * Ownership: a lookup belongs to who started it. Every lookup has a channel of its own, so a changed resolv.conf counts at
 *            once and one slow answer holds up nothing.
 * Threads:   one.
 */
#include <poll.h>

#include "rf_sample.h"

#define RF_LOOKUP_SOCKETS 16

typedef struct rf_lookup rf_lookup;

/** Once per program. @return NULL or what is wrong */
const char *rf_dns_start(void);

/**
 * @param host     must live as long as the lookup
 * @param servers  name servers, comma-separated as in "127.0.0.1:5353,[::1]:53": the name is asked as it is, of them alone.
 *                 NULL: as this host's programs resolve it, /etc/hosts and search list included
 * @return NULL if memory is exhausted
 */
rf_lookup *rf_lookup_open(const char *host, const char *servers);

/** @return how many of `ret_fds` (RF_LOOKUP_SOCKETS) were written */
unsigned rf_lookup_poll(const rf_lookup *lookup, struct pollfd *ret_fds);

/** @return how long poll may sleep for this lookup's sake, -1 if for ever */
rf_time rf_lookup_patience(const rf_lookup *lookup);

/** Go on after poll, whether it found something or not. */
void rf_lookup_ready(rf_lookup *lookup, const struct pollfd *fds, unsigned n);

/** @return the answer, with kind and ticket left 0, or NULL while there is none; it lives as long as the lookup */
const rf_sample *rf_lookup_answer(const rf_lookup *lookup);

/** Also before the answer. NULL is fine. */
void rf_lookup_close(rf_lookup *lookup);

#endif /* RF_IO_DNS_H */
