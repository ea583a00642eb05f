/* SPDX-License-Identifier: Apache-2.0 */
/* The crowd's reader of answers: it must know exactly where one ends, however the bytes arrive. */
#include "answer.h"
#include "tap.h"

#include <string.h>

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static crowd_answer answer;

/* All bytes in pieces of this size. @return what the last piece came to; *ret_used: how many bytes the answer has */
static crowd_fed feed(const char *text, size_t piece, size_t *ret_used)
{
    size_t at = 0, length = strlen(text), used;
    crowd_fed fed = CROWD_MORE;

    crowd_answer_reset(&answer);
    while (at < length && (fed == CROWD_MORE || fed == CROWD_INTERIM)) {
        fed = crowd_answer_feed(&answer, text + at, piece < length - at ? piece : length - at, &used);
        at += used;
    }
    *ret_used = at;
    return fed;
}

static void whole(const char *head, const char *body, const char *extra, const char *what)
{
    char text[512];
    size_t used, bad = 0;

    snprintf(text, sizeof text, "%s%s%s", head, body, extra);
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        bad += feed(text, piece, &used) != CROWD_WHOLE || used != strlen(head) + strlen(body);
    }
    is_int(bad, 0, "%s: ends where it ends, in pieces of any size", what);
}

static void ends(void)
{
    static const char next[] = "HTTP/1.1 200 OK\r\n";

    whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", "", "a length");
    is_str(answer.body, "hello", "the body is kept");
    is_int(answer.length, 5, "and counted");
    whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello", next, "a length with the next answer behind it");
    whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", next, "no body");
    whole("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", next, "a status without a body");
    whole(CHUNKED, "5\r\nhello\r\n3;x=y\r\nyou\r\n0\r\n\r\n", next, "chunks");
    is_str(answer.body, "helloyou", "chunks are put together");
    whole(CHUNKED, "1\r\na\r\n0\r\nTrailer: x\r\n\r\n", next, "chunks with a trailer");
    whole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n", "x", next, "an interim answer before");
    is_int(answer.status, 201, "the status is that of the final one");
}

static void by_end_of_connection(void)
{
    size_t used;

    is_int(feed("HTTP/1.1 200 OK\r\n\r\nhel", 4, &used), CROWD_MORE, "without a length the body ends with the connection");
    is_int(crowd_answer_end(&answer), CROWD_WHOLE, "which makes it whole");
    ok(answer.close, "and there will be no next one");
    is_int(feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 4, &used), CROWD_MORE, "three bytes of five");
    is_int(crowd_answer_end(&answer), CROWD_BAD, "are no answer");
    is_int(feed(CHUNKED "5\r\nhello\r\n", 9, &used), CROWD_MORE, "chunks without the last");
    is_int(crowd_answer_end(&answer), CROWD_BAD, "are none either");
    crowd_answer_reset(&answer);
    ok(!crowd_answer_begun(&answer), "nothing has come");
    is_int(crowd_answer_end(&answer), CROWD_BAD, "and nothing is no answer");
    feed("H", 1, &used);
    ok(crowd_answer_begun(&answer), "a byte is a beginning");
}

static void garbage(void)
{
    static const char *const texts[] = {
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2xx OK\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        CHUNKED "xyz\r\n", CHUNKED "\r\n",
        CHUNKED "1\r\nab\r\n",
    };
    char endless[CROWD_HEAD_MAX + 100];
    size_t used;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        is_int(feed(texts[i], 1, &used), CROWD_BAD, "no answer: text %zu", i);
    }
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "HTTP/1.1 200 OK\r\nX: ", 20);
    endless[sizeof endless - 1] = '\0';
    is_int(feed(endless, 100, &used), CROWD_BAD, "a head without an end is refused");
}

static void headers(void)
{
    char text[32];
    size_t used;

    feed("HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX-Pid:42\r\nSet-Cookie:  b=2\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", 7,
         &used);
    ok(crowd_answer_header(&answer, "Set-Cookie", 0, text, sizeof text), "a header is found in any case");
    is_str(text, "a=1", "with its value");
    ok(crowd_answer_header(&answer, "Set-Cookie", 1, text, sizeof text), "the second of that name, too");
    is_str(text, "b=2", "without the blanks before it");
    ok(!crowd_answer_header(&answer, "Set-Cookie", 2, text, sizeof text), "there is no third");
    ok(!crowd_answer_header(&answer, "Cookie", 0, text, sizeof text), "a name's end is not a name");
    ok(!crowd_answer_header(&answer, "Set-Cookie", 0, text, 3), "a value that does not fit is not cut");
    is_int(crowd_answer_number(&answer, "X-Pid"), 42, "a number");
    is_int(crowd_answer_number(&answer, "X-Nothing"), 0, "no number is 0");
    ok(answer.close, "the server will close");
    feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 7, &used);
    ok(answer.close, "as one of HTTP/1.0 does");
    feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 7, &used);
    ok(!answer.close, "and others do not");
}

int main(void)
{
    ends();
    by_end_of_connection();
    garbage();
    headers();
    return tap_done();
}
