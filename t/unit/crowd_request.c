/* SPDX-License-Identifier: Apache-2.0 */
/* The crowd's requests: their bytes, whether an answer is theirs, cookies and redirects. */
#include "crc.h"
#include "request.h"
#include "tap.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define URL "http://127.0.0.1:8080/work?ms=1"

static crowd_options options;
static char text[20000];

static void parse(const char *line)
{
    char *copy = strdup(line), *words[8] = {(char *)"rds-crowd"}, *state;
    int n = 1;

    for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
        words[n++] = word;
    }
    crowd_options_free(&options);
    optind = 0; /* glibc: begin anew */
    is_int(crowd_options_parse(&options, n, words), 0, "the options are accepted");
    free(copy);
}

static const char *all_of(crowd_request *request)
{
    const char *piece;
    size_t n, at = 0;

    while ((n = crowd_request_next(request, &options, &piece)) > 0) {
        memcpy(text + at, piece, n);
        at += n;
    }
    text[at] = '\0';
    return text;
}

static void answer_is(crowd_answer *answer, const char *bytes)
{
    size_t used;

    crowd_answer_reset(answer);
    is_int(crowd_answer_feed(answer, bytes, strlen(bytes), &used), CROWD_WHOLE, "an answer");
}

static int right(const crowd_request *request, unsigned number, const char *status, const char *body)
{
    crowd_answer answer;
    char bytes[512];

    snprintf(bytes, sizeof bytes, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
    answer_is(&answer, bytes);
    return crowd_request_right(request, number, &options, &answer);
}

static void get(void)
{
    crowd_request request = {.client = 7};

    parse("--close " URL);
    crowd_request_begin(&request, 0);
    is_str(all_of(&request), "GET /work?ms=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: rds-crowd\r\nX-Crowd: 7-0\r\n"
           "Connection: close\r\n\r\n", "a GET");
    is_int(request.stage, CROWD_AT_END, "is all of it");
    ok(right(&request, 0, "200 OK", "ok 123 00000000 0 7-0\n"), "its answer");
    ok(!right(&request, 1, "200 OK", "ok 123 00000000 0 7-0\n"), "is not that of the next request");
    ok(!right(&request, 0, "200 OK", "ok 123 00000000 0 8-0\n"), "another client's answer is wrong");
    ok(!right(&request, 0, "200 OK", "ok 123 00000000 0 7-0\nok"), "more than that is wrong");
    ok(!right(&request, 0, "200 OK", "ok 123 00000001 0 7-0\n"), "a checksum of nothing is 0");
    ok(!right(&request, 0, "503 No", "ok 123 00000000 0 7-0\n"), "another status is wrong");
    crowd_request_free(&request);
}

static void post(void)
{
    crowd_request request = {.client = 3};
    char body[64];
    const char *sent;

    parse("--post 5000 --chunked " URL);
    crowd_request_begin(&request, 0);
    sent = strstr(all_of(&request), "\r\n\r\n") + 4;
    ok(strstr(text, "Transfer-Encoding: chunked\r\n"), "a body in chunks");
    ok(strncmp(sent, "bb8\r\n", 5) == 0, "of 3000 bytes");
    ok(memcmp(sent + 5, options.bodies + 3, 3000) == 0, "its own");
    ok(memcmp(sent + 3005, "\r\n7d0\r\n", 7) == 0, "and 2000");
    is_str(sent + 3005 + 7 + 2000, "\r\n0\r\n\r\n", "and an end");
    snprintf(body, sizeof body, "ok 1 %08x 5000 3-0\n", crowd_crc(0, options.bodies + 3, 5000));
    ok(right(&request, 0, "200 OK", body), "the answer has its checksum");
    snprintf(body, sizeof body, "ok 1 %08x 5000 3-0\n", crowd_crc(0, options.bodies + 4, 5000));
    ok(!right(&request, 0, "200 OK", body), "and no other");
    crowd_request_free(&request);
}

static void round_trip(void)
{
    crowd_request request = {.client = 1};
    crowd_answer answer;

    parse("--follow " URL);
    answer_is(&answer, "HTTP/1.1 307 Go\r\nLocation: /elsewhere?x\r\nSet-Cookie: p=1; Path=/; Max-Age=80\r\n"
                       "Set-Cookie: q=2\r\nContent-Length: 0\r\n\r\n");
    crowd_request_cookies(&request, &answer);
    ok(crowd_request_follow(&request, &answer), "a 307 is followed");
    crowd_request_begin(&request, 0);
    ok(strncmp(all_of(&request), "GET /elsewhere?x HTTP/1.1\r\n", 27) == 0, "to where it leads");
    ok(strstr(text, "Cookie: p=1; q=2\r\n"), "with the cookies");
    answer_is(&answer, "HTTP/1.1 200 OK\r\nSet-Cookie: p=3\r\nContent-Length: 0\r\n\r\n");
    crowd_request_cookies(&request, &answer);
    is_str(request.cookies, "q=2; p=3", "a new value takes the place of the old one");
    answer_is(&answer, "HTTP/1.1 200 OK\r\nSet-Cookie: p=; Max-Age=0\r\nContent-Length: 0\r\n\r\n");
    crowd_request_cookies(&request, &answer);
    is_str(request.cookies, "q=2", "one that is over is forgotten");
    answer_is(&answer, "HTTP/1.1 200 OK\r\nSet-Cookie: q=; Max-Age=0\r\nContent-Length: 0\r\n\r\n");
    crowd_request_cookies(&request, &answer);
    is_str(request.cookies, NULL, "the last one, too");
    ok(!crowd_request_follow(&request, &answer), "a 200 is not followed");
    answer_is(&answer, "HTTP/1.1 308 Go\r\nLocation: http://127.0.0.1:8080/there\r\nContent-Length: 0\r\n\r\n");
    ok(crowd_request_follow(&request, &answer), "a whole URL is followed");
    is_str(request.path, "/there", "on the same server");
    answer_is(&answer, "HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    ok(!crowd_request_follow(&request, &answer), "a 302 is an answer");
    crowd_request_free(&request);
}

int main(void)
{
    get();
    post();
    round_trip();
    crowd_options_free(&options);
    return tap_done();
}
