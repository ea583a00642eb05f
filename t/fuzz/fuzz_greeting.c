/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a server's first and last words: read within bounds, asks for more only where more can help, prints cleanly. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rf_greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text, size_t size)
{
    const char *c;

    check(memchr(text, '\0', size) != NULL);
    for (c = text; *c; c++)
        check(*c >= 0x20 && *c < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *said = malloc(size ? size : 1); /* of exactly this size, so that reading on is noticed */
    char text[40];
    size_t need = 0;

    if (!said)
        return 0;
    memcpy(said, data, size);
    if (rf_greeting_read(said, size, &need) == RF_GREETING_MORE)
        check(need > size && need <= RF_GREETING_MAX);
    rf_greeting_quote(said, size, text, sizeof text);
    check_text(text, sizeof text);
    if (rf_farewell_read(said, size, text, sizeof text))
        check_text(text, sizeof text);
    free(said);
    return 0;
}
