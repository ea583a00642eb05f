/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_greeting.c
 * @brief Packets of the MySQL protocol: three bytes of length, one of sequence, then the body.
 *
 * Layer: core.
 */
#include "rf_greeting.h"

#include <string.h>

#define HEADER 4
#define VERSION_10 10
#define IS_ERROR 255
#define CLIENT_SSL 0x0800 /* in the low half of the capabilities */

static size_t packet_size(const unsigned char *said)
{
    return HEADER + (said[0] | (size_t)said[1] << 8 | (size_t)said[2] << 16);
}

rf_greeting rf_greeting_read(const unsigned char *said, size_t size, size_t *ret_need)
{
    const unsigned char *end;
    size_t length, at;

    if (size < HEADER + 1) {
        *ret_need = HEADER + 1;
        return RF_GREETING_MORE;
    }
    length = packet_size(said);
    if (said[3] != 0 || (said[4] != VERSION_10 && said[4] != IS_ERROR) || length > RF_GREETING_MAX || length < HEADER + 3)
        return RF_GREETING_STRANGER;
    if (size < length) {
        *ret_need = length;
        return RF_GREETING_MORE;
    }
    if (said[4] == IS_ERROR)
        return RF_GREETING_ERROR;
    end = memchr(said + HEADER + 1, '\0', length - HEADER - 1);
    if (!end)
        return RF_GREETING_STRANGER;
    /* Behind the version: its NUL, the thread's id, half a scramble, a filler. */
    at = (size_t)(end - said) + 1 + 4 + 8 + 1;
    if (at + 2 > length)
        return RF_GREETING_STRANGER;
    return (said[at] | said[at + 1] << 8) & CLIENT_SSL ? RF_GREETING_TLS : RF_GREETING_PLAIN;
}

static char printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7f ? (char)c : '.';
}

void rf_greeting_quote(const unsigned char *said, size_t size, char *ret_text, size_t text_size)
{
    size_t i;

    for (i = 0; i < size && i + 1 < text_size && said[i] != '\r' && said[i] != '\n'; i++)
        ret_text[i] = printable(said[i]);
    ret_text[i] = '\0';
}

unsigned rf_farewell_read(const unsigned char *said, size_t size, char *ret_text, size_t text_size)
{
    size_t at = HEADER + 3, end, i;

    if (size < at || said[4] != IS_ERROR)
        return 0;
    end = packet_size(said) < size ? packet_size(said) : size;
    if (end >= at + 6 && said[at] == '#') /* and five bytes of SQLSTATE */
        at += 6;
    for (i = 0; at + i < end && i + 1 < text_size; i++)
        ret_text[i] = printable(said[at + i]);
    ret_text[i] = '\0';
    return said[5] | (unsigned)said[6] << 8;
}
