/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_fiber.c
 * @brief Fibers on ucontext, each stack with a guard page below it.
 */
#include "rf_io_fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

/* The client library runs on a further stack that it brings itself; this one carries its callbacks and our own code. */
#define RF_FIBER_STACK (256 * 1024)
#define RF_FIBER_GUARD (64 * 1024) /* a multiple of every page size */

struct rf_fiber {
    ucontext_t inside, outside;
    void (*body)(void *);
    void *arg;
    void *stack;
    int done;
};

static rf_fiber *running;

/* makecontext passes ints only: a pointer travels in two halves */
static void enter(unsigned high, unsigned low)
{
    rf_fiber *fiber = (rf_fiber *)(uintptr_t)((uint64_t)high << 32 | low);

    fiber->body(fiber->arg);
    fiber->done = 1;
}

static void prepare(rf_fiber *fiber)
{
    uint64_t self = (uint64_t)(uintptr_t)fiber;

    getcontext(&fiber->inside);
    fiber->inside.uc_stack.ss_sp = (char *)fiber->stack + RF_FIBER_GUARD;
    fiber->inside.uc_stack.ss_size = RF_FIBER_STACK;
    fiber->inside.uc_link = &fiber->outside;
    makecontext(&fiber->inside, (void (*)(void))enter, 2, (unsigned)(self >> 32), (unsigned)self);
}

rf_fiber *rf_fiber_new(void (*body)(void *arg), void *arg)
{
    rf_fiber *fiber = calloc(1, sizeof *fiber);

    if (!fiber)
        return NULL;
    fiber->stack = mmap(NULL, RF_FIBER_GUARD + RF_FIBER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fiber->stack == MAP_FAILED) {
        free(fiber);
        return NULL;
    }
    mprotect(fiber->stack, RF_FIBER_GUARD, PROT_NONE);
    fiber->body = body;
    fiber->arg = arg;
    prepare(fiber);
    return fiber;
}

int rf_fiber_run(rf_fiber *fiber)
{
    if (fiber->done)
        return 0;
    running = fiber;
    swapcontext(&fiber->outside, &fiber->inside);
    running = NULL;
    return !fiber->done;
}

void rf_fiber_pause(void)
{
    rf_fiber *self = running;

    swapcontext(&self->inside, &self->outside);
}

void *rf_fiber_self(void)
{
    return running ? running->arg : NULL;
}

void rf_fiber_free(rf_fiber *fiber)
{
    if (!fiber)
        return;
    munmap(fiber->stack, RF_FIBER_GUARD + RF_FIBER_STACK);
    free(fiber);
}
