/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVE_MARKER_H
#define DRIVE_MARKER_H
/**
 * @file marker.h
 * @brief Finds a text in an answer that arrives in pieces, keeping nothing of the answer.
 *
 * Layer:     pure. No I/O, no clock.
 * Ownership: drive_marker_init allocates, drive_marker_free releases; the text stays the caller's.
 * Threads:   a drive_marker is constant after init; each answer has its own position.
 */
#include <stddef.h>

/** A text prepared for searching (Knuth, Morris, Pratt). */
typedef struct {
    const char *text;
    size_t length;
    size_t *fallback; /**< position to go on from when the next byte does not fit */
} drive_marker;

/** @param text not empty; must outlive the marker */
void drive_marker_init(drive_marker *marker, const char *text);

void drive_marker_free(drive_marker *marker);

/**
 * Look at the next piece of an answer.
 *
 * @param at  0 before the first piece, then what the previous call returned
 * @return the new position; marker->length once the text was found, and from then on
 */
size_t drive_marker_feed(const drive_marker *marker, size_t at, const char *piece, size_t length);

#endif /* DRIVE_MARKER_H */
