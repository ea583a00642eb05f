/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_SAMPLE_H
#define RF_SAMPLE_H
/**
 * @file rf_sample.h
 * @brief The words between the monitor and its prober: what to look at, and what was seen.
 *
 * Layer:   core. Plain bytes, no pointers, one message per packet of a SOCK_SEQPACKET pair, both ends built from this header.
 * Threads: none. A receiver checks size and kind and treats every string as untrusted bytes that are NUL-terminated
 *          (rf_sample_sane): they come from a process that parses what the network sends.
 */
#include "rf_classify.h"
#include "rf_dsn.h"
#include "rf_time.h"

#define RF_ADDRESSES 16 /**< addresses of one endpoint that are looked at; further ones are left out */
#define RF_CNAMES 8     /**< links of a CNAME chain that are kept */
#define RF_RESOLVERS 4  /**< name servers that may be configured */
#define RF_SOCKETS 128  /**< sockets that a prober may have open when it is asked; twice what it ever needs */

/** A numeric address, "10.0.1.17" or "2001:db8::1"; empty means none. */
typedef struct rf_address {
    char text[46];
} rf_address;

typedef enum {
    RF_COMMAND_CONFIGURE = 1, /**< always first, and again when the DSN changes */
    RF_COMMAND_PROBE,         /**< log in (or use the kept connection) and ask whether this address takes writes */
    RF_COMMAND_RESOLVE,       /**< ask for the endpoint's CNAME chain and addresses */
    RF_COMMAND_FORGET,        /**< close whatever is open to this address */
    RF_COMMAND_SOCKETS        /**< tell which sockets are open; answered at once, whatever else is under way */
} rf_command_kind;

/** Monitor to prober. */
typedef struct rf_command {
    rf_command_kind kind;
    uint32_t ticket;    /**< PROBE, RESOLVE, SOCKETS: comes back in the sample */
    rf_time timeout;    /**< PROBE, RESOLVE: when to give the verdict "timeout", from receipt */
    rf_address address; /**< PROBE, FORGET */
    rf_dsn dsn;         /**< CONFIGURE */
    unsigned nresolvers; /**< CONFIGURE: 0 asks the system's */
    char resolvers[RF_RESOLVERS][64]; /**< CONFIGURE: "127.0.0.1:5353", "[::1]:53" */
} rf_command;

typedef enum {
    RF_SAMPLE_PROBE = 1,  /**< the verdict on one address */
    RF_SAMPLE_IDLE_LOST,  /**< the kept connection to this address broke or was closed by the server, between two probes */
    RF_SAMPLE_DNS,        /**< an answer of the configured resolver */
    RF_SAMPLE_DNS_HOST,   /**< an answer of this host's own resolver; sent only if another one is configured */
    RF_SAMPLE_SOCKETS     /**< the sockets that the prober has open */
} rf_sample_kind;

/** Prober to monitor. */
typedef struct rf_sample {
    rf_sample_kind kind;
    uint32_t ticket;     /**< of the command that asked; 0 for IDLE_LOST */
    rf_address address;  /**< PROBE, IDLE_LOST */
    rf_cause cause;      /**< RF_CAUSE_NONE: good (PROBE: logged in and writable; DNS: at least one address) */
    uint32_t code;       /**< the MySQL error number, or 0 */
    char text[256];      /**< what went wrong, in the library's or the resolver's words; empty if nothing did. Never a secret */
    /** PROBE with cause TIMEOUT: the attempt goes on in the background and will still report; it may say so again, once per
     *  further timeout, each of which counts as one more failure. */
    int pending;
    rf_time rtt;         /**< PROBE: how long the question took on an open connection, or login included if it was new */
    int was_login;       /**< PROBE: a new login was part of `rtt` */
    /** PROBE: this connection's certificate named the endpoint (verified against tls_ca, VERIFY_IDENTITY) */
    int proven;
    int read_only;       /**< PROBE: the server's own answer; with it set, cause is RF_CAUSE_READ_ONLY */
    char server[64];     /**< PROBE: @@hostname */
    char version[64];    /**< PROBE: @@version */
    uint64_t buffer_pool_bytes; /**< PROBE */
    unsigned ncnames;    /**< DNS */
    char cnames[RF_CNAMES][256]; /**< DNS: in order, the endpoint itself left out */
    unsigned naddresses; /**< DNS: 0 unless cause is NONE */
    rf_address addresses[RF_ADDRESSES];
    uint32_t ttl;        /**< DNS: the smallest of the chain and the addresses, seconds */
    unsigned nsockets;   /**< SOCKETS */
    uint32_t sockets[RF_SOCKETS]; /**< SOCKETS: inodes, of all kinds of sockets */
} rf_sample;

/** @return 1 if a received packet of `size` bytes is a sample whose counts and enums are in range; ends its strings with NUL */
int rf_sample_sane(rf_sample *sample, size_t size);

/** @return 1 if both are the same address */
int rf_address_equal(const rf_address *a, const rf_address *b);

#endif /* RF_SAMPLE_H */
