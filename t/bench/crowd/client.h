/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_CLIENT_H
#define CROWD_CLIENT_H
/**
 * @file client.h
 * @brief One client: its connection, its requests, what it got.
 *
 * Layer:     sockets, OpenSSL, epoll.
 * Ownership: clients belong to the crowd, which must not move them; crowd_client_over releases what one holds.
 * Threads:   one.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "options.h"
#include "record.h"
#include "request.h"

/** What all clients share. */
typedef struct {
    const crowd_options *options;
    crowd_record *records; /**< client c's request k is records[c * each + k] */
    SSL_CTX *tls;
    int epoll;
    unsigned source;       /**< chooses the loopback addresses that connections come from */
    uint64_t connections, redirects, repeats, extra;
    size_t living;         /**< clients that are not over */
    size_t sent;           /**< clients that have sent what they could, or are over */
    size_t leavers_left;   /**< leaving clients that have left, or are over */
} crowd_shared;

typedef enum { CROWD_IDLE, CROWD_CONNECTING, CROWD_HANDSHAKE, CROWD_TALKING, CROWD_LINGERING, CROWD_OVER } crowd_phase;

typedef struct {
    crowd_shared *all;
    crowd_phase phase;
    int fd;
    SSL *ssl;
    crowd_request request; /**< the one being written, or written last */
    crowd_answer answer;
    const char *piece;     /**< of the request, still to be written */
    size_t npiece;
    unsigned written;      /**< requests begun on this connection or answered before it */
    unsigned done;         /**< requests that have their final answer */
    unsigned hops;         /**< redirects of the current request */
    unsigned answers;      /**< on this connection, interim ones not counted */
    bool leaves;
    bool body_waits;       /**< the head is written, the body must not follow yet */
    bool has_sent, wants_out;
    int64_t body_at, give_up_at, leave_at, close_at; /**< 0: never */
} crowd_client;

void crowd_client_init(crowd_client *client, crowd_shared *all, size_t number);
void crowd_client_open(crowd_client *client, int64_t now);
/** epoll said something about its connection. */
void crowd_client_event(crowd_client *client, uint32_t events, int64_t now);
/** Time has passed. @return when to call this again; INT64_MAX: not before an event */
int64_t crowd_client_tick(crowd_client *client, int64_t now);
/** Whoever leaves, leaves at this time. */
void crowd_client_leave_at(crowd_client *client, int64_t at);
/** The run ends: whatever is not answered stays so, for this reason. */
void crowd_client_over(crowd_client *client, crowd_reason reason);

#endif /* CROWD_CLIENT_H */
