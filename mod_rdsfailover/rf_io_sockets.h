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

typedef struct rf_io_sockets_pass {
    unsigned found;     /**< sockets to there that a process holds, `most` at most; those of `own` are left out */
    unsigned destroyed; /**< of these */
    unsigned gone;      /**< of these, went by themselves meanwhile */
    int refused;        /**< errno of the first that could not be destroyed, else 0 */
} rf_io_sockets_pass;

/**
 * One pass over the sockets to `address`:`port`, connecting, connected or closing, over IPv4, IPv6, or IPv4 in an IPv6 socket.
 * @param own     processes whose sockets are left alone; one that has ended has none
 * @param most    look at no more than so many
 * @param destroy 0: count them only, which takes no right
 * @return 0; else an errno: nothing was touched, because the sockets cannot be listed or `own` cannot be told from others. With
 *         destroy, `refused` is EPERM (EACCES of SELinux) without CAP_NET_ADMIN in the user namespace that owns the network
 *         namespace. What the kernel is able to is not seen here: rf_io_sockets_able
 */
int rf_io_sockets_abort(const rf_address *address, uint16_t port, const pid_t *own, unsigned nown, unsigned most, int destroy,
                        rf_io_sockets_pass *ret_pass);

/**
 * Ask the kernel to destroy a socket that cannot be. Takes no right, so it says nothing of rights.
 * @return 0 if it knows how to; EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY; else why it cannot be asked
 */
int rf_io_sockets_able(void);

#endif /* RF_IO_SOCKETS_H */
