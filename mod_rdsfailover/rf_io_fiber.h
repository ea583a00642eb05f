/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_FIBER_H
#define RF_IO_FIBER_H
/**
 * @file rf_io_fiber.h
 * @brief Straight-line code that waits without blocking the program: a function with a stack of its own.
 *
 * Layer:   I/O. One thread; a fiber runs only while rf_fiber_run is on the main stack below it.
 *
 * Why: libmariadb's non-blocking calls do block while they shake hands for TLS (they poll by themselves, through a hook). On
 * a stack of its own that poll can be turned into a wait like any other, and the dialogue with the server reads top to bottom.
 */
typedef struct rf_fiber rf_fiber;

/** Nothing runs yet. @return NULL if memory is exhausted */
rf_fiber *rf_fiber_new(void (*body)(void *arg), void *arg);

/** Run until the body pauses or returns. @return 1 if it paused; 0 if it has returned, now or earlier */
int rf_fiber_run(rf_fiber *fiber);

/** From inside: give the thread back to rf_fiber_run. Returns when the fiber is run again. */
void rf_fiber_pause(void);

/** @return the `arg` of the fiber that runs, or NULL on the main stack */
void *rf_fiber_self(void);

/** Not from inside. A body that has not returned is dropped where it stands. NULL is fine. */
void rf_fiber_free(rf_fiber *fiber);

#endif /* RF_IO_FIBER_H */
