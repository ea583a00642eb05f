/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_text.c
 * @brief The report as `Key: value` lines. A key is the value's path in the JSON, so there is one list of names.
 *
 * Layer: core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rf_report_parts.h"

/** What is null or empty has no line. */
static void print(FILE *out, const char *path, json_t *value)
{
    char inner[256];
    const char *key;
    json_t *member;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach(value, key, member) {
            snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] ? "." : "", key);
            print(out, inner, member);
        }
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, member) {
            snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
            print(out, inner, member);
        }
        break;
    case JSON_STRING:
        fprintf(out, "%s: %s\n", path, json_string_value(value));
        break;
    case JSON_NULL:
        break;
    default:
        fprintf(out, "%s: ", path);
        json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
        putc('\n', out);
    }
}

char *rf_report_auto(const rf_report *report)
{
    json_t *root = rf_report_tree(report);
    char *text = NULL;
    size_t size;
    FILE *out = root ? open_memstream(&text, &size) : NULL;
    int failed = !out;

    if (out) {
        print(out, "", root);
        failed = ferror(out);
        failed |= fclose(out) != 0;
    }
    json_decref(root);
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}
