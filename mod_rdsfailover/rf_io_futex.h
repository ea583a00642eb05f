/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_FUTEX_H
#define RF_IO_FUTEX_H
/**
 * @file rf_io_futex.h
 * @brief Sleeping on a word of shared memory, and waking all who do, in whichever process.
 *
 * Layer: adapter (futex(2); no library).
 */
#include <stdatomic.h>

#include "rf_time.h"

/** Change the word, and wake all who sleep on it. */
void rf_io_futex_wake(atomic_uint *word);

/** Sleep until the word is not `seen` any more, for `duration` at most; may return at any time. */
void rf_io_futex_wait(atomic_uint *word, unsigned seen, rf_time duration);

#endif /* RF_IO_FUTEX_H */
