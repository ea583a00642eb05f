/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 answers: see answer.h. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void crowd_answer_reset(crowd_answer *answer)
{
    /* Not the buffers: ten thousand clients have one each. */
    memset(answer, 0, offsetof(crowd_answer, line));
    answer->head[0] = answer->body[0] = '\0';
}

bool crowd_answer_begun(const crowd_answer *answer)
{
    return answer->at != CROWD_IN_HEAD || answer->nhead > 0;
}

bool crowd_answer_header(const crowd_answer *answer, const char *name, int nth, char *space, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = strstr(answer->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
        const char *value = line + 2 + length, *end;

        if (strncasecmp(line + 2, name, length) != 0 || *value != ':' || nth-- > 0) {
            continue;
        }
        value += 1 + strspn(value + 1, " \t");
        end = strstr(value, "\r\n");
        if (!end || (size_t)(end - value) >= size) {
            return false;
        }
        memcpy(space, value, (size_t)(end - value));
        space[end - value] = '\0';
        return true;
    }
    return false;
}

int64_t crowd_answer_number(const crowd_answer *answer, const char *name)
{
    char text[32];

    return crowd_answer_header(answer, name, 0, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
}

static crowd_fed whole_head(crowd_answer *answer)
{
    char text[64], *end;
    bool old = strncmp(answer->head, "HTTP/1.0 ", 9) == 0;

    if (!old && strncmp(answer->head, "HTTP/1.1 ", 9) != 0) {
        return CROWD_BAD;
    }
    answer->status = (int)strtol(answer->head + 9, &end, 10);
    if (end != answer->head + 12 || answer->status < 100) {
        return CROWD_BAD;
    }
    if (answer->status < 200) {
        crowd_answer_reset(answer);
        return CROWD_INTERIM;
    }
    answer->close = crowd_answer_header(answer, "Connection", 0, text, sizeof text) ? strcasestr(text, "close") != NULL : old;
    if (answer->status == 204 || answer->status == 304) {
        return CROWD_WHOLE;
    }
    if (crowd_answer_header(answer, "Transfer-Encoding", 0, text, sizeof text)) {
        answer->at = CROWD_IN_CHUNK_SIZE;
        return strcasecmp(text, "chunked") == 0 ? CROWD_MORE : CROWD_BAD;
    }
    answer->at = CROWD_IN_BODY;
    if (!crowd_answer_header(answer, "Content-Length", 0, text, sizeof text)) {
        answer->until_end = answer->close = true;
        return CROWD_MORE;
    }
    answer->left = strtoull(text, &end, 10);
    return end == text || *end ? CROWD_BAD : answer->left ? CROWD_MORE : CROWD_WHOLE;
}

/* @return true when a line is whole in answer->line, without its end */
static bool take_line(crowd_answer *answer, char c, bool *ret_bad)
{
    if (c == '\n') {
        if (answer->nline && answer->line[answer->nline - 1] == '\r') {
            answer->nline--;
        }
        answer->line[answer->nline] = '\0';
        return true;
    }
    if (answer->nline + 1 >= sizeof answer->line) {
        *ret_bad = true;
        return false;
    }
    answer->line[answer->nline++] = c;
    return false;
}

static crowd_fed whole_line(crowd_answer *answer)
{
    char *end;
    bool empty = answer->nline == 0;

    answer->nline = 0;
    switch (answer->at) {
    case CROWD_IN_CHUNK_SIZE:
        answer->left = strtoull(answer->line, &end, 16);
        if (empty || (*end && *end != ';')) {
            return CROWD_BAD;
        }
        answer->at = answer->left ? CROWD_IN_CHUNK : CROWD_IN_TRAILER;
        return CROWD_MORE;
    case CROWD_IN_CHUNK_END:
        answer->at = CROWD_IN_CHUNK_SIZE;
        return empty ? CROWD_MORE : CROWD_BAD;
    default:
        return empty ? CROWD_WHOLE : CROWD_MORE;
    }
}

static size_t take_body(crowd_answer *answer, const char *piece, size_t length)
{
    size_t n = answer->until_end || length < answer->left ? length : (size_t)answer->left;
    size_t keep = n < CROWD_BODY_MAX - answer->nbody ? n : CROWD_BODY_MAX - answer->nbody;

    memcpy(answer->body + answer->nbody, piece, keep);
    answer->nbody += keep;
    answer->body[answer->nbody] = '\0';
    answer->length += n;
    answer->left -= answer->until_end ? 0 : n;
    return n;
}

static crowd_fed take_head(crowd_answer *answer, char c)
{
    if (answer->nhead == CROWD_HEAD_MAX) {
        return CROWD_BAD;
    }
    answer->head[answer->nhead++] = c;
    answer->head[answer->nhead] = '\0';
    if (c == '\n' && answer->nhead >= 4 && memcmp(answer->head + answer->nhead - 4, "\r\n\r\n", 4) == 0) {
        return whole_head(answer);
    }
    return CROWD_MORE;
}

crowd_fed crowd_answer_feed(crowd_answer *answer, const char *piece, size_t length, size_t *ret_used)
{
    size_t at = 0;
    crowd_fed fed = CROWD_MORE;
    bool bad = false;

    while (fed == CROWD_MORE && at < length) {
        if (answer->at == CROWD_IN_HEAD) {
            fed = take_head(answer, piece[at++]);
        } else if (answer->at == CROWD_IN_BODY || answer->at == CROWD_IN_CHUNK) {
            at += take_body(answer, piece + at, length - at);
            if (!answer->left && !answer->until_end) {
                fed = answer->at == CROWD_IN_BODY ? CROWD_WHOLE : CROWD_MORE;
                answer->at = answer->at == CROWD_IN_CHUNK ? CROWD_IN_CHUNK_END : answer->at;
            }
        } else if (take_line(answer, piece[at++], &bad)) {
            fed = whole_line(answer);
        } else if (bad) {
            fed = CROWD_BAD;
        }
    }
    *ret_used = at;
    return fed;
}

crowd_fed crowd_answer_end(const crowd_answer *answer)
{
    return answer->at == CROWD_IN_BODY && answer->until_end ? CROWD_WHOLE : CROWD_BAD;
}
