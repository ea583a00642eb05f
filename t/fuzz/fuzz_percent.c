/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a percent-encoded password: what decodes is encoded again by printing, and decodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rf_dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char before[] = "mysql://u:", after[] = "@h";
    char *url = malloc(sizeof(before) + size + sizeof(after)), printed[RF_DSN_URL_MAX];
    rf_dsn dsn, again;
    size_t len = 0;

    /* These end a password. */
    if (!url || memchr(data, '\0', size) || memchr(data, '@', size)) {
        free(url);
        return 0;
    }
    memcpy(url, before, sizeof(before) - 1);
    len += sizeof(before) - 1;
    memcpy(url + len, data, size);
    memcpy(url + len + size, after, sizeof(after));
    if (rf_dsn_parse(url, &dsn) == NULL) {
        check(strlen(dsn.password) <= size);
        check(rf_dsn_print(&dsn, printed, sizeof(printed)) > 0);
        check(rf_dsn_parse(printed, &again) == NULL);
        check(strcmp(dsn.password, again.password) == 0);
        /* Printing leaves nothing to decode but %XX. */
        for (const char *c = printed + sizeof(before) - 1; dsn.password[0] && *c != '@'; c++)
            check(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%", *c) != NULL);
    }
    free(url);
    return 0;
}
