/* SPDX-License-Identifier: Apache-2.0 */
/* Search in a stream: see marker.h. */
#include "marker.h"

#include <stdlib.h>
#include <string.h>

void drive_marker_init(drive_marker *marker, const char *text)
{
    size_t at = 0;

    marker->text = text;
    marker->length = strlen(text);
    marker->fallback = calloc(marker->length, sizeof *marker->fallback);
    for (size_t i = 1; i < marker->length; i++) {
        while (at > 0 && text[i] != text[at]) {
            at = marker->fallback[at - 1];
        }
        at += text[i] == text[at];
        marker->fallback[i] = at;
    }
}

void drive_marker_free(drive_marker *marker)
{
    free(marker->fallback);
    *marker = (drive_marker){0};
}

size_t drive_marker_feed(const drive_marker *marker, size_t at, const char *piece, size_t length)
{
    for (size_t i = 0; i < length && at < marker->length; i++) {
        while (at > 0 && piece[i] != marker->text[at]) {
            at = marker->fallback[at - 1];
        }
        at += piece[i] == marker->text[at];
    }
    return at;
}
