/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_OPTIONS_H
#define CROWD_OPTIONS_H
/**
 * @file options.h
 * @brief The command line of rds-crowd.
 *
 * Layer:     getopt; resolves the server's name.
 * Ownership: strings are argv's or crowd_options_free's.
 * Threads:   none; constant after parsing.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_HEADERS_MAX 8
/** Bodies differ from client to client, in so many ways. */
#define CROWD_BODIES 64

typedef struct {
    struct sockaddr_in address;
    char *host;  /**< with its port, as in the Host header */
    char *path;  /**< with its query */
    bool tls;
} crowd_url;

typedef struct {
    crowd_url url, side;
    bool has_side;
    const char *method;
    size_t clients;
    unsigned each;        /**< requests of each client, at least 1 */
    bool pipeline;        /**< all of them written at once */
    double connect_rate;  /**< connections begun a second */
    size_t body;          /**< bytes */
    bool chunked, expect, close, follow, reset, any_body;
    int64_t body_late;    /**< microseconds from a request's head to its body; all times here are in microseconds */
    double leave;         /**< the share of clients that leave, 0 to 1 */
    int64_t leave_after, leave_over; /**< counted from READY: the first leaves then, the last so much later */
    int64_t timeout;      /**< of a request */
    int64_t settle;       /**< READY is said at the latest so long after the last connection was begun */
    int64_t linger;       /**< how long an idle connection is watched for bytes nobody asked for */
    int64_t side_every, before; /**< how long the side visitor is alone */
    const char *headers[CROWD_HEADERS_MAX];
    int nheaders;
    const char *out;      /**< file for the results; NULL: standard output */
    char *bodies;         /**< random; body n begins at byte n and is `body` long */
    uint32_t crc[CROWD_BODIES];
} crowd_options;

/** @return 0; otherwise what to exit with, after help (1: 0 was meant) or a complaint */
int crowd_options_parse(crowd_options *options, int argc, char **argv);
void crowd_options_free(crowd_options *options);

#endif /* CROWD_OPTIONS_H */
