/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as bytes: see request.h. */
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHUNK 3000

void crowd_request_begin(crowd_request *request, unsigned number)
{
    request->number = number;
    request->stage = CROWD_AT_HEAD;
    request->body_at = 0;
}

static size_t token(char *space, size_t size, size_t client, unsigned number)
{
    return (size_t)snprintf(space, size, "%zu-%u", client, number);
}

/* Appends to request->space, which grows. */
static void add(crowd_request *request, size_t *length, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(crowd_request *request, size_t *length, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (*length + (size_t)n + 1 > request->size) {
        request->size = 2 * (*length + (size_t)n + 256);
        request->space = realloc(request->space, request->size);
    }
    va_start(list, format);
    vsnprintf(request->space + *length, request->size - *length, format, list);
    va_end(list);
    *length += (size_t)n;
}

static size_t head(crowd_request *request, const crowd_options *options)
{
    char name[64];
    size_t length = 0;

    token(name, sizeof name, request->client, request->number);
    add(request, &length, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: rds-crowd\r\nX-Crowd: %s\r\n", options->method,
        request->path ? request->path : options->url.path, options->url.host, name);
    for (int i = 0; i < options->nheaders; i++) {
        add(request, &length, "%s\r\n", options->headers[i]);
    }
    if (request->cookies) {
        add(request, &length, "Cookie: %s\r\n", request->cookies);
    }
    if (options->body) {
        add(request, &length, "Content-Type: application/octet-stream\r\n");
        add(request, &length, options->chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: %zu\r\n", options->body);
    }
    add(request, &length, "%s%s\r\n", options->expect ? "Expect: 100-continue\r\n" : "",
        options->close && request->number + 1 == options->each ? "Connection: close\r\n" : "");
    return length;
}

static const char *body(const crowd_request *request, unsigned number, const crowd_options *options)
{
    return options->bodies + (request->client + number) % CROWD_BODIES;
}

static size_t chunk(crowd_request *request, const crowd_options *options)
{
    size_t left = options->body - request->body_at, n = left < CHUNK ? left : CHUNK, length = 0;

    add(request, &length, "%zx\r\n", n);
    if (length + n + 16 > request->size) {
        request->size = length + n + 16;
        request->space = realloc(request->space, request->size);
    }
    memcpy(request->space + length, body(request, request->number, options) + request->body_at, n);
    length += n;
    request->body_at += n;
    add(request, &length, request->body_at == options->body ? "\r\n0\r\n\r\n" : "\r\n");
    return length;
}

size_t crowd_request_next(crowd_request *request, const crowd_options *options, const char **ret_piece)
{
    size_t length;

    if (request->stage == CROWD_AT_END) {
        return 0;
    }
    if (request->stage == CROWD_AT_HEAD) {
        length = head(request, options);
        request->stage = options->body ? CROWD_AT_BODY : CROWD_AT_END;
        *ret_piece = request->space;
        return length;
    }
    if (options->chunked) {
        length = chunk(request, options);
        *ret_piece = request->space;
    } else {
        length = options->body;
        *ret_piece = body(request, request->number, options);
        request->body_at = options->body;
    }
    request->stage = request->body_at == options->body ? CROWD_AT_END : CROWD_AT_BODY;
    return length;
}

bool crowd_request_right(const crowd_request *request, unsigned number, const crowd_options *options, const crowd_answer *answer)
{
    char name[64], got_name[65];
    unsigned crc, length;
    int end = 0;

    if (answer->status != 200 || options->any_body) {
        return answer->status == 200;
    }
    token(name, sizeof name, request->client, number);
    return sscanf(answer->body, "ok %*d %x %u %64[0-9-]%n", &crc, &length, got_name, &end) == 3
        && strcmp(answer->body + end, "\n") == 0 && answer->length == answer->nbody && strcmp(got_name, name) == 0
        && length == options->body && crc == (options->body ? options->crc[(request->client + number) % CROWD_BODIES] : 0);
}

/* Cookies are few: one string, "a=1; b=2". */
static void forget(char *cookies, const char *name, size_t length)
{
    for (char *at = cookies, *next; at && *at; at = next) {
        char *end = strchr(at, ';');

        next = end ? end + 2 : NULL;
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            if (next) {
                memmove(at, next, strlen(next) + 1);
            } else {
                at[at > cookies ? -2 : 0] = '\0';
            }
            return;
        }
    }
}

void crowd_request_cookies(crowd_request *request, const crowd_answer *answer)
{
    char line[1024];

    for (int i = 0; crowd_answer_header(answer, "Set-Cookie", i, line, sizeof line); i++) {
        size_t pair = strcspn(line, ";"), name = strcspn(line, "=");
        size_t had = request->cookies ? strlen(request->cookies) : 0;
        bool gone = strcasestr(line + pair, "Max-Age=0") != NULL;

        if (name >= pair) {
            continue;
        }
        if (had) {
            forget(request->cookies, line, name);
            had = strlen(request->cookies);
        }
        if (!gone) {
            request->cookies = realloc(request->cookies, had + pair + 3);
            sprintf(request->cookies + had, "%s%.*s", had ? "; " : "", (int)pair, line);
        } else if (request->cookies && !*request->cookies) {
            free(request->cookies);
            request->cookies = NULL;
        }
    }
}

bool crowd_request_follow(crowd_request *request, const crowd_answer *answer)
{
    char where[2048], *path = where;

    if ((answer->status != 307 && answer->status != 308) || !crowd_answer_header(answer, "Location", 0, where, sizeof where)) {
        return false;
    }
    if (strncmp(where, "http", 4) == 0 && strstr(where, "://")) {
        path = strchr(strstr(where, "://") + 3, '/');
    }
    if (!path || *path != '/') {
        return false;
    }
    free(request->path);
    request->path = strdup(path);
    return true;
}

void crowd_request_free(crowd_request *request)
{
    free(request->path);
    free(request->cookies);
    free(request->space);
}
