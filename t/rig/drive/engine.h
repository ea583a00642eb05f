/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_ENGINE_H
#define DRIVE_ENGINE_H
/**
 * @file engine.h
 * @brief Sends the requests when they are due and records what becomes of them.
 *
 * Layer:     libcurl on epoll, clocks, signals.
 * Ownership: keeps a pointer to the options and the log given at creation; both must outlive it.
 * Threads:   one (libcurl may start others to resolve names).
 */
#include "options.h"
#include "record.h"
#include "schedule.h"

#include <signal.h>

typedef struct drive_engine drive_engine;

/** What the engine reports while it runs. */
typedef struct {
    void (*ended)(void *context, size_t n); /**< request n ended; its record is final */
    void (*tick)(void *context);            /**< a second of the run has passed */
    void *context;
} drive_listener;

/**
 * @param prefix  begins every token
 * @return NULL when libcurl or epoll refuse, after saying so on standard error
 */
drive_engine *drive_engine_new(const drive_options *options, const char *prefix, drive_log *log, const drive_listener *listener);

/** What a signal handler sets to end a run. */
typedef struct {
    volatile sig_atomic_t drain; /**< send no more, wait for what is under way */
    volatile sig_atomic_t abort; /**< leave what is under way pending */
} drive_stop;

/**
 * Run the whole schedule. Signals stay blocked save while it waits, so that none is missed.
 *
 * @param schedule  `start` in microseconds since the epoch, from drive_engine_now
 */
void drive_engine_run(drive_engine *engine, const drive_schedule *schedule, const drive_stop *stop, const sigset_t *waiting);

/** @return requests under way */
size_t drive_engine_in_flight(const drive_engine *engine);

/** @return microseconds since the epoch, by a clock that was set once at start and never steps back */
int64_t drive_engine_now(void);

/** Raise the limit of open files as far as allowed. @return the limit now in force */
long drive_engine_raise_files(void);

void drive_engine_free(drive_engine *engine);

#endif /* DRIVE_ENGINE_H */
