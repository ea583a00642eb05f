/* SPDX-License-Identifier: Apache-2.0 */
/* A server's first and last words. */
#include "rf_greeting.h"
#include "tap.h"

static size_t packet(unsigned char *ret_bytes, const void *body, size_t size)
{
    ret_bytes[0] = (unsigned char)size;
    ret_bytes[1] = (unsigned char)(size >> 8);
    ret_bytes[2] = (unsigned char)(size >> 16);
    ret_bytes[3] = 0;
    memcpy(ret_bytes + 4, body, size);
    return size + 4;
}

/* Version 10, thread 7, scramble, filler, the low capabilities, and some more that nobody reads. */
static size_t greeting(unsigned char *ret_bytes, unsigned capabilities)
{
    char body[] = "\x0a" "8.0.39\0\7\0\0\0saltsalt\0..\x2d\2\0\0\0";

    body[21] = (char)(capabilities & 255);
    body[22] = (char)(capabilities >> 8);
    return packet(ret_bytes, body, sizeof body - 1);
}

static void complete(void)
{
    unsigned char said[RF_GREETING_MAX];
    size_t need = 0, size = greeting(said, 0x0800), i, more = 0;

    is_int(rf_greeting_read(said, size, &need), RF_GREETING_TLS, "offers TLS");
    is_int(rf_greeting_read(said, size + 20, &need), RF_GREETING_TLS, "whatever follows");
    greeting(said, 0xf7ff);
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_PLAIN, "offers everything but TLS");
    for (i = 0; i < size; i++)
        more += rf_greeting_read(said, i, &need) == RF_GREETING_MORE && need > i && need <= size;
    is_int(more, size, "each shorter part asks for more, and not for too much");
    size = packet(said, "\xff\x69\x04Host is blocked", 18);
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_ERROR, "an error instead");
}

static void strangers(void)
{
    static const char *const others[] = {"HTTP/1.1 400 Bad Request\r\n", "220 mail ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "-ERR unknown\r\n"};
    unsigned char said[RF_GREETING_MAX];
    char text[16];
    size_t need, size, i;

    for (i = 0; i < sizeof others / sizeof others[0]; i++)
        is_int(rf_greeting_read((const unsigned char *)others[i], strlen(others[i]), &need), RF_GREETING_STRANGER, "%.10s", others[i]);
    rf_greeting_quote((const unsigned char *)others[0], strlen(others[0]), text, sizeof text);
    is_str(text, "HTTP/1.1 400 Ba", "is quoted as far as there is room");
    rf_greeting_quote((const unsigned char *)"\1\2ab\r\ncd", 8, text, sizeof text);
    is_str(text, "..ab", "one line, printable");
    rf_greeting_quote((const unsigned char *)"", 0, text, sizeof text);
    is_str(text, "", "nothing");
    size = greeting(said, 0x0800);
    said[3] = 1;
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "a packet that is not the first");
    greeting(said, 0x0800);
    said[4] = 9;
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "protocol version 9");
    greeting(said, 0x0800);
    said[1] = 8;
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "a packet of two kilobytes");
    memset(said, 'x', sizeof said);
    size = packet(said, "\x0a" "8.0.39", 7);
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "a version without an end");
    size = packet(said, "\x0a" "8.0.39\0\7\0\0\0saltsalt\0.", 22);
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "an end before the capabilities");
    size = packet(said, "\x0a", 1);
    is_int(rf_greeting_read(said, size, &need), RF_GREETING_STRANGER, "nothing but a version of the protocol");
}

static void farewells(void)
{
    unsigned char said[RF_GREETING_MAX];
    char text[64] = "untouched";
    size_t size = packet(said, "\xff\x1d\x04#08S01Server shutdown in progress", 36);

    is_int(rf_farewell_read((const unsigned char *)"\7\0\0\1\0\0\0\2\0\0\0", 11, text, sizeof text), 0, "an answer is no farewell");
    is_str(text, "untouched", "and says nothing");
    is_int(rf_farewell_read(said, size, text, sizeof text), 1053, "the number");
    is_str(text, "Server shutdown in progress", "the words");
    is_int(rf_farewell_read(said, 20, text, sizeof text), 1053, "cut short");
    is_str(text, "Server ", "what there is");
    is_int(rf_farewell_read(said, size, text, 4), 1053, "little room");
    is_str(text, "Ser", "what fits");
    is_int(rf_farewell_read(said, 6, text, sizeof text), 0, "too short for a number");
    size = packet(said, "\xff\x1d\x04gone\n\x1b", 9);
    is_int(rf_farewell_read(said, size, text, sizeof text), 1053, "without SQLSTATE");
    is_str(text, "gone..", "printable");
}

int main(void)
{
    complete();
    strangers();
    farewells();
    return tap_done();
}
