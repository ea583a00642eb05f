/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_MIX_H
#define DRIVE_MIX_H
/**
 * @file mix.h
 * @brief What the driver asks for: kinds of requests, their weights, and what a right answer is.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: a drive_mix owns its kinds; drive_mix_free releases them.
 * Threads:   none; filled before the run, constant during it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRIVE_EXPECT_MAX 4

/** One kind of request. */
typedef struct {
    char *name;
    int weight; /**< share of all requests, relative to the sum of weights; at least 1 */
    char *method;
    char *url;    /**< template; absolute, or a path below the base URL */
    char *body;   /**< template, or NULL */
    char *marker; /**< text a right answer contains, or NULL */
    int expect[DRIVE_EXPECT_MAX];
    int n_expect;
    bool writes; /**< url or body hold {token}: the request leaves something that can be counted */
} drive_kind;

/** All kinds of one run. Start from all zeroes. */
typedef struct {
    drive_kind *kinds;
    int n;
    long weights;    /**< sum */
    char error[320]; /**< the last sentence returned */
} drive_mix;

/**
 * Add the kind that one line describes:
 *   NAME WEIGHT METHOD URL [expect=STATUS[,STATUS...]] [marker=TEXT] [body=TEXT]
 * A value with spaces stands in double quotes, where a backslash takes the next character as it is.
 * In URL and body, {token} becomes a text no other request has and {A-B} a number between A and B.
 *
 * @return NULL, or a sentence for the operator, valid until the next call
 */
const char *drive_mix_add(drive_mix *mix, const char *line);

/** As drive_mix_add for each line of a file's text; empty lines and those beginning with # are skipped. */
const char *drive_mix_add_text(drive_mix *mix, const char *text);

/**
 * Fill in a template.
 *
 * @param draw  decides the numbers of {A-B}; the same draw gives the same text
 * @return a string the caller frees
 */
char *drive_mix_render(const char *template, const char *token, uint64_t draw);

/** @return whether the kind takes this HTTP status for a success */
bool drive_mix_expects(const drive_kind *kind, int status);

void drive_mix_free(drive_mix *mix);

#endif /* DRIVE_MIX_H */
