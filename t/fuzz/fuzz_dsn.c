/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a DSN: nothing crashes, what parses prints and parses again to the same, nothing shows a password. */
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

static void check_parsed(const rf_dsn *dsn)
{
    char url[RF_DSN_URL_MAX], shown[1024];
    rf_dsn again, other = *dsn;

    check(dsn->host[0] != '\0' && dsn->port != 0 && rf_dsn_key(dsn) != 0);
    check(rf_dsn_print(dsn, url, sizeof(url)) == strlen(url));
    check(rf_dsn_parse(url, &again) == NULL);
    check(memcmp(dsn, &again, sizeof(again)) == 0);
    /* The password alone may not change what is shown. */
    if (dsn->password[0]) {
        char changed[1024];

        check(rf_dsn_set_password(&other, "another") == NULL);
        rf_dsn_print(&other, url, sizeof(url));
        rf_dsn_redact_text(url, changed, sizeof(changed));
        rf_dsn_print(dsn, url, sizeof(url));
        rf_dsn_redact_text(url, shown, sizeof(shown));
        check(strcmp(shown, changed) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), shown[64];
    rf_dsn dsn;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    rf_dsn_redact_text(text, shown, sizeof(shown));
    for (const char *c = shown; *c; c++)
        check(*c > 0x20 && *c < 0x7f);
    if (rf_dsn_parse(text, &dsn) == NULL)
        check_parsed(&dsn);
    memset(&dsn, 0, sizeof(dsn));
    if (rf_dsn_set_host(&dsn, text) == NULL && rf_dsn_set_port(&dsn, "1") == NULL) {
        rf_dsn_set_user(&dsn, text);
        rf_dsn_set_database(&dsn, text);
        check_parsed(&dsn);
    }
    free(text);
    return 0;
}
