/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_REQUEST_H
#define CROWD_REQUEST_H
/**
 * @file request.h
 * @brief A request as pieces of bytes, and whether an answer is the right one for it.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: start from all zeroes; crowd_request_free releases what is kept over redirects.
 * Threads:   none of its own.
 */
#include "answer.h"
#include "options.h"

typedef enum { CROWD_AT_HEAD, CROWD_AT_BODY, CROWD_AT_END } crowd_stage;

/** What one client asks for now, and what it remembers. */
typedef struct {
    size_t client;
    unsigned number;    /**< of the client's requests, from 0 */
    crowd_stage stage;
    size_t body_at;     /**< of the body, so much was given out */
    char *path;         /**< where a redirect led, or NULL */
    char *cookies;      /**< value of Cookie, or NULL */
    char *space;        /**< of the piece given out last */
    size_t size;
} crowd_request;

/** Begin it, or begin it again. */
void crowd_request_begin(crowd_request *request, unsigned number);

/**
 * The next piece; after the head come those of the body. At CROWD_AT_END there is none.
 *
 * @param ret_piece  good until the next call
 * @return its length, or 0 at the end
 */
size_t crowd_request_next(crowd_request *request, const crowd_options *options, const char **ret_piece);

/** @return true if this whole answer is the right one to request `number` */
bool crowd_request_right(const crowd_request *request, unsigned number, const crowd_options *options, const crowd_answer *answer);

/** Keep an answer's cookies. */
void crowd_request_cookies(crowd_request *request, const crowd_answer *answer);

/** @return true if the answer leads elsewhere, on the same server; the request's path is then that */
bool crowd_request_follow(crowd_request *request, const crowd_answer *answer);

void crowd_request_free(crowd_request *request);

#endif /* CROWD_REQUEST_H */
