/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_SIDE_H
#define CROWD_SIDE_H
/**
 * @file side.h
 * @brief A visitor beside the crowd who asks for a file at a steady pace, in a thread of his own: how is everybody else served?
 *
 * Layer:     sockets, a thread.
 * Ownership: the side owns its samples until crowd_side_free.
 * Threads:   samples may be read after crowd_side_stop.
 */
#include "options.h"

/** Counted from the moment it was due, so that a server that stalls is not asked less. */
typedef struct {
    int64_t due, done; /**< microseconds since 1970; done 0: no right answer came */
} crowd_sample;

typedef struct crowd_side crowd_side;

/** @return NULL if it cannot be started */
crowd_side *crowd_side_start(const crowd_options *options);
/** Ask no more, wait a little for what is under way. */
void crowd_side_stop(crowd_side *side);
const crowd_sample *crowd_side_samples(const crowd_side *side, size_t *ret_n);
void crowd_side_free(crowd_side *side);

#endif /* CROWD_SIDE_H */
