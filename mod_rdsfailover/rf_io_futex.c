/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_io_futex.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Not FUTEX_PRIVATE_FLAG in either: the memory is shared by processes. */

void rf_io_futex_wake(atomic_uint *word)
{
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void rf_io_futex_wait(atomic_uint *word, unsigned seen, rf_time duration)
{
    struct timespec t = { .tv_sec = duration / 1000000, .tv_nsec = duration % 1000000 * 1000 };

    if (duration > 0)
        syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}
