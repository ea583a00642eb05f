/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a Cookie header, as a place and as a request's target: nothing crashes, no place is left for the application, nothing
 * else is lost, nobody but the holder of a key writes a good one, and the way back leads to this host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rf_place.h"

#define NOW INT64_C(1790000000000)
#define LONGEST 150000
/* Of GET /. The corpus has values that this key signed. */
#define NAME "rds-place-20d8a3ed2123c164"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static rf_place_keys keys_of(unsigned char first, unsigned char second)
{
    rf_place_keys keys = { .npasswords = 2 };

    memset(keys.current, first, sizeof keys.current);
    memset(keys.previous, second, sizeof keys.previous);
    return keys;
}

static int is_place(const char *pair)
{
    return !strncmp(pair, RF_PLACE_PREFIX, sizeof RF_PLACE_PREFIX - 1);
}

/* The next pair of a header, without the blanks before it; NULL at the end. */
static const char *next_pair(const char *pair)
{
    pair += strcspn(pair, ";,");
    return *pair ? pair + 1 + strspn(pair + 1, " \t") : NULL;
}

static void check_header(const char *text)
{
    rf_place_keys keys = keys_of(1, 2);
    char *left = strdup(text), *again;
    const char *had = text + strspn(text, " \t"), *has;
    int places = 0;

    rf_place_take(left, &keys, NAME, LONGEST, NOW);
    again = strdup(left);
    has = left + strspn(left, " \t");
    for (; had; had = next_pair(had)) {
        size_t n = strcspn(had, ";,");
        if (is_place(had)) {
            places++;
        } else {
            check(has && !is_place(has) && strcspn(has, ";,") == n && !memcmp(had, has, n));
            has = next_pair(has);
        }
    }
    check(!has || !*left);
    check(places || !strcmp(text, left));
    check(rf_place_take(again, &keys, NAME, LONGEST, NOW) == 0 && !strcmp(again, left));
    free(left);
    free(again);
}

static void check_value(const uint8_t *data, size_t size)
{
    rf_place_keys good = keys_of(1, 2), other = keys_of(3, 4);
    int64_t arrival = rf_place_read(&good, NAME, (const char *)data, size, LONGEST, NOW), sent;
    char value[RF_PLACE_VALUE_MAX];
    size_t at;
    int same = 0;

    check(rf_place_read(&other, NAME, (const char *)data, size, LONGEST, NOW) == 0);
    if (!arrival)
        return;
    for (sent = NOW - RF_PLACE_LIFETIME_MS; sent <= NOW + RF_PLACE_SLACK_MS; sent++) {
        if (sent >= arrival && rf_place_write(&good, NAME, arrival, sent, value) && !memcmp(value, data, 13))
            break;
    }
    /* What is good has a signature that we wrote. */
    for (at = 13; at < size; at += 20)
        same |= !memcmp(data + at, value + 13, 20) || !memcmp(data + at, value + 33, 20);
    check(same && (size == 33 || size == 53));
}

static void check_target(const char *text)
{
    size_t size = RF_PLACE_URL_MAX(strlen(text));
    char *url = malloc(size), *again = malloc(RF_PLACE_URL_MAX(size)), *path = malloc(size);

    rf_place_url(text, url, size);
    check(url[0] == '/' && url[1] != '/');
    for (const char *c = url; *c; c++)
        check(*c > 0x20 && *c < 0x7f && *c != '\\' && *c != '#');
    rf_place_url(url, again, RF_PLACE_URL_MAX(size));
    check(!strcmp(url, again));
    rf_place_path(url, path, size);
    check(path[0] == '/' && !strpbrk(path, "?;,\"") && (!path[1] || !strncmp(path, url, strlen(path))));
    free(url);
    free(again);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_header(text);
    check_value(data, size);
    check_target(text);
    free(text);
    return 0;
}
