/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_TAP_H
#define RF_TAP_H
/**
 * @file tap.h
 * @brief The few calls a unit test needs to speak TAP.
 *
 * Layer:     tests. Include once, in the file that has main().
 * Ownership: nothing.
 * Threads:   one.
 *
 * A test is: checks, then `return tap_done();`. The plan comes last, so a program that dies early fails.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

#define TAP_MAYBE __attribute__((unused))

/** One check with a printf-style name; @return cond, so that a caller can stop when the rest makes no sense. */
#define ok(cond, ...) tap_ok((cond) ? 1 : 0, __FILE__, __LINE__, __VA_ARGS__)
/** Two integers; both are shown when they differ. */
#define is_int(got, want, ...) tap_is_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, __VA_ARGS__)
/** Two strings, either may be NULL. */
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)

static void tap_name(int good, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void tap_name(int good, const char *fmt, va_list ap)
{
    char name[512];

    vsnprintf(name, sizeof(name), fmt, ap);
    for (char *p = name; *p; p++) {
        if (*p == '#' || *p == '\n') {
            *p = ' ';
        }
    }
    tap_failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, name);
}

static int tap_ok(int good, const char *file, int line, const char *fmt, ...) TAP_MAYBE
    __attribute__((format(printf, 4, 5)));
static int tap_ok(int good, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tap_name(good, fmt, ap);
    va_end(ap);
    if (!good) {
        printf("# failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}

static int tap_is_int(intmax_t got, intmax_t want, const char *file, int line, const char *fmt, ...) TAP_MAYBE
    __attribute__((format(printf, 5, 6)));
static int tap_is_int(intmax_t got, intmax_t want, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tap_name(got == want, fmt, ap);
    va_end(ap);
    if (got != want) {
        printf("# failed at %s:%d: got %" PRIdMAX ", expected %" PRIdMAX "\n", file, line, got, want);
    }
    fflush(stdout);
    return got == want;
}

static int tap_is_str(const char *got, const char *want, const char *file, int line, const char *fmt, ...) TAP_MAYBE
    __attribute__((format(printf, 5, 6)));
static int tap_is_str(const char *got, const char *want, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    int same = got && want ? strcmp(got, want) == 0 : got == want;

    va_start(ap, fmt);
    tap_name(same, fmt, ap);
    va_end(ap);
    if (!same) {
        printf("# failed at %s:%d\n#      got: %s\n# expected: %s\n", file, line, got ? got : "(null)",
               want ? want : "(null)");
    }
    fflush(stdout);
    return same;
}

/** Print the plan; @return main's exit status */
static int tap_done(void) TAP_MAYBE;
static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif /* RF_TAP_H */
