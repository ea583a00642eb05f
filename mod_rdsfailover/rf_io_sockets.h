/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_SOCKETS_H
#define RF_IO_SOCKETS_H
/**
 * @file rf_io_sockets.h
 * @brief This host's TCP sockets to one address and port: found, and destroyed, by the kernel's socket diagnostics (sock_diag(7)).
 *
 * A destroyed socket gives whoever waits in it ECONNABORTED at once: PHP returns from connect() with 2002, from a query with 2006.
 * The other end gets a RST, if it is there.
 *
 * Layer:   adapter (system calls only; no library).
 * Threads: none of its own. Every call is answered by the kernel before it returns: nothing waits for the network. Only sockets of
 *          this network namespace are seen; PHP in a container with one of its own is out of reach.
 */
#include <stdint.h>
#include <sys/types.h>

#include "rf_sample.h"

/** What was found and not spared. */
typedef struct rf_io_sockets rf_io_sockets;

typedef struct rf_io_sockets_end {
    unsigned destroyed;
    unsigned gone;   /**< went by themselves meanwhile */
    int refused;     /**< errno of the first that could not be destroyed, else 0; the rest was not tried */
} rf_io_sockets_end;

/** @param most that can be listed @return NULL without memory; free with rf_io_sockets_free */
rf_io_sockets *rf_io_sockets_new(unsigned most);
/** NULL is fine. */
void rf_io_sockets_free(rf_io_sockets *list);

/**
 * Add the sockets to `address`:`port` that a process holds: connecting, connected or closing, over IPv4, IPv6, or IPv4 in an IPv6
 * socket. Takes no right. When the list is full the rest is left out.
 * @return 0, or an errno if they cannot be listed
 */
int rf_io_sockets_add(rf_io_sockets *list, const rf_address *address, uint16_t port);

/** Take this one off the list, if it is on it. */
void rf_io_sockets_spare(rf_io_sockets *list, uint32_t inode);

/** @return how many are listed */
unsigned rf_io_sockets_count(const rf_io_sockets *list);

/**
 * Destroy all that are listed; one whose number was given to another socket meanwhile is not.
 * @return 0, or an errno if the kernel could not be asked. `refused` is EPERM (EACCES of SELinux) without CAP_NET_ADMIN in the user
 *         namespace that owns the network namespace. What the kernel is able to is not seen here: rf_io_sockets_able
 */
int rf_io_sockets_destroy(const rf_io_sockets *list, rf_io_sockets_end *ret_end);

/**
 * Ask the kernel to destroy a socket that cannot be. Takes no right, so it says nothing of rights.
 * @return 0 if it knows how to; EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY; else why it cannot be asked
 */
int rf_io_sockets_able(void);

/** The inodes of this very process's sockets, of all kinds. @return how many; more than `room` if there are more; -1 with errno */
int rf_io_sockets_own(uint32_t *ret_inodes, unsigned room);

#endif /* RF_IO_SOCKETS_H */
