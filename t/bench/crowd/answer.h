/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_ANSWER_H
#define CROWD_ANSWER_H
/**
 * @file answer.h
 * @brief Reads HTTP/1.1 answers that arrive in pieces, and knows exactly where each ends.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: plain bytes; start from crowd_answer_reset.
 * Threads:   none of its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_HEAD_MAX 4096
#define CROWD_BODY_MAX 256

typedef enum {
    CROWD_MORE,    /**< not whole yet */
    CROWD_INTERIM, /**< a 1xx; the answer itself is still to come */
    CROWD_WHOLE,
    CROWD_BAD      /**< no HTTP, or cut off */
} crowd_fed;

typedef struct {
    enum { CROWD_IN_HEAD, CROWD_IN_BODY, CROWD_IN_CHUNK_SIZE, CROWD_IN_CHUNK, CROWD_IN_CHUNK_END, CROWD_IN_TRAILER } at;
    int status;
    bool close;        /**< the server will close, and has read nothing behind this request */
    bool until_end;    /**< the body ends with the connection */
    uint64_t left;     /**< of the body or chunk */
    uint64_t length;   /**< of the body so far */
    size_t nhead, nbody, nline;
    char line[64];     /**< of a chunk's size or a trailer */
    char head[CROWD_HEAD_MAX + 1]; /**< with its last empty line, then 0 */
    char body[CROWD_BODY_MAX + 1]; /**< how it begins, then 0 */
} crowd_answer;

void crowd_answer_reset(crowd_answer *answer);

/**
 * Take from the next piece what belongs to this answer. After CROWD_INTERIM feed the rest; after CROWD_WHOLE reset first.
 *
 * @param ret_used  how much of it was taken
 */
crowd_fed crowd_answer_feed(crowd_answer *answer, const char *piece, size_t length, size_t *ret_used);

/** The connection ended. @return CROWD_WHOLE or CROWD_BAD */
crowd_fed crowd_answer_end(const crowd_answer *answer);

/** @return true if a part of an answer has come */
bool crowd_answer_begun(const crowd_answer *answer);

/**
 * The nth (from 0) header of this name, in any case, once the answer is whole.
 *
 * @return false if there is none, or its value needs more than `size` bytes
 */
bool crowd_answer_header(const crowd_answer *answer, const char *name, int nth, char *space, size_t size);

/** @return the value of a header that is a number, 0 if there is none */
int64_t crowd_answer_number(const crowd_answer *answer, const char *name);

#endif /* CROWD_ANSWER_H */
