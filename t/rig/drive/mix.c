/* SPDX-License-Identifier: Apache-2.0 */
/* The mix of requests: see mix.h. */
#include "mix.h"
#include "schedule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};

/* Take the next word off *p. Quotes may begin anywhere in it, so that marker="two words" is one word. */
static char *next_word(const char **p, bool *ret_unclosed)
{
    const char *s = *p;
    char *word, *out;
    bool quoted = false;

    while (isspace((unsigned char)*s)) {
        s++;
    }
    if (!*s) {
        *p = s;
        return NULL;
    }
    word = out = malloc(strlen(s) + 1);
    for (; *s && (quoted || !isspace((unsigned char)*s)); s++) {
        if (*s == '"') {
            quoted = !quoted;
        }
        else if (quoted && *s == '\\' && s[1]) {
            *out++ = *++s;
        }
        else {
            *out++ = *s;
        }
    }
    *out = '\0';
    *p = s;
    *ret_unclosed = quoted;
    return word;
}

/* Read "{A-B}" at s. Returns its length, or 0 when this is no range. */
static size_t range_at(const char *s, unsigned long *ret_low, unsigned long *ret_high)
{
    int length = 0;

    if (!isdigit((unsigned char)s[1]) || sscanf(s, "{%9lu-%9lu}%n", ret_low, ret_high, &length) != 2) {
        return 0;
    }
    return (size_t)length;
}

static const char *check_template(drive_mix *mix, const char *name, const char *text, bool *writes)
{
    unsigned long low, high;
    size_t length;

    for (const char *p = text; (p = strchr(p, '{')) != NULL; p++) {
        if (strncmp(p, "{token}", 7) == 0) {
            *writes = true;
        }
        else if ((length = range_at(p, &low, &high)) > 0 && high < low) {
            snprintf(mix->error, sizeof mix->error, "kind \"%s\": the range %.*s ends before it begins", name, (int)length, p);
            return mix->error;
        }
    }
    return NULL;
}

static const char *parse_expect(drive_mix *mix, drive_kind *kind, const char *value)
{
    const char *p = value;

    kind->n_expect = 0;
    for (;;) {
        char *end;
        long status = strtol(p, &end, 10);
        if (end == p || (*end && *end != ',') || status < 100 || status > 599 || kind->n_expect == DRIVE_EXPECT_MAX) {
            snprintf(mix->error, sizeof mix->error, "kind \"%s\": expect=%s: 1 to %d statuses from 100 to 599, separated by commas, are accepted",
                     kind->name, value, DRIVE_EXPECT_MAX);
            return mix->error;
        }
        kind->expect[kind->n_expect++] = (int)status;
        if (!*end) {
            return NULL;
        }
        p = end + 1;
    }
}

static const char *parse_setting(drive_mix *mix, drive_kind *kind, const char *word)
{
    char **slot = strncmp(word, "marker=", 7) == 0 ? &kind->marker : strncmp(word, "body=", 5) == 0 ? &kind->body : NULL;

    if (strncmp(word, "expect=", 7) == 0) {
        return parse_expect(mix, kind, word + 7);
    }
    if (!slot) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": \"%s\" is not known: expect=, marker= and body= are accepted", kind->name, word);
        return mix->error;
    }
    if (*slot) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": \"%s\" repeats a setting", kind->name, word);
        return mix->error;
    }
    *slot = strdup(strchr(word, '=') + 1);
    return NULL;
}

static const char *check_kind(drive_mix *mix, drive_kind *kind, const char *weight)
{
    char *end;
    long value = strtol(weight, &end, 10);
    int i = 0;

    if (*end || value < 1 || value > 1000000) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": weight \"%s\": a whole number from 1 to 1000000 is accepted", kind->name, weight);
        return mix->error;
    }
    kind->weight = (int)value;
    while (methods[i] && strcmp(methods[i], kind->method) != 0) {
        i++;
    }
    if (!methods[i]) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": method \"%s\": GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are accepted",
                 kind->name, kind->method);
        return mix->error;
    }
    if (kind->url[0] != '/' && strncmp(kind->url, "http://", 7) != 0 && strncmp(kind->url, "https://", 8) != 0) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": URL \"%s\": a path beginning with /, or http://... or https://..., is accepted",
                 kind->name, kind->url);
        return mix->error;
    }
    for (i = 0; i < mix->n; i++) {
        if (strcmp(mix->kinds[i].name, kind->name) == 0) {
            snprintf(mix->error, sizeof mix->error, "kind \"%s\" is given twice", kind->name);
            return mix->error;
        }
    }
    return NULL;
}

static void free_kind(drive_kind *kind)
{
    free(kind->name);
    free(kind->method);
    free(kind->url);
    free(kind->body);
    free(kind->marker);
}

const char *drive_mix_add(drive_mix *mix, const char *line)
{
    drive_kind kind = {.expect = {200}, .n_expect = 1};
    const char *p = line, *error = NULL;
    bool unclosed = false;
    char *weight, *word;

    kind.name = next_word(&p, &unclosed);
    weight = next_word(&p, &unclosed);
    kind.method = next_word(&p, &unclosed);
    kind.url = next_word(&p, &unclosed);
    if (!kind.url) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": NAME WEIGHT METHOD URL are needed", line);
        error = mix->error;
    }
    else {
        error = check_kind(mix, &kind, weight);
    }
    while (!error && (word = next_word(&p, &unclosed)) != NULL) {
        error = parse_setting(mix, &kind, word);
        free(word);
    }
    if (!error && unclosed) {
        snprintf(mix->error, sizeof mix->error, "kind \"%s\": a double quote is not closed", kind.name);
        error = mix->error;
    }
    if (!error) {
        error = check_template(mix, kind.name, kind.url, &kind.writes);
    }
    if (!error && kind.body) {
        error = check_template(mix, kind.name, kind.body, &kind.writes);
    }
    free(weight);
    if (error) {
        free_kind(&kind);
        return error;
    }
    mix->kinds = realloc(mix->kinds, (size_t)(mix->n + 1) * sizeof *mix->kinds);
    mix->kinds[mix->n++] = kind;
    mix->weights += kind.weight;
    return NULL;
}

const char *drive_mix_add_text(drive_mix *mix, const char *text)
{
    const char *error = NULL;

    while (*text && !error) {
        size_t length = strcspn(text, "\n");
        size_t blank = strspn(text, " \t\r");
        if (blank < length && text[blank] != '#') {
            char *line = strndup(text, length);
            error = drive_mix_add(mix, line);
            free(line);
        }
        text += length + (text[length] == '\n');
    }
    return error;
}

char *drive_mix_render(const char *template, const char *token, uint64_t draw)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (const char *p = template; *p;) {
        unsigned long low, high;
        size_t length = 0;
        if (strncmp(p, "{token}", 7) == 0) {
            fputs(token, out);
            length = 7;
        }
        else if (*p == '{' && (length = range_at(p, &low, &high)) > 0) {
            draw = drive_schedule_scramble(draw);
            fprintf(out, "%lu", low + (unsigned long)(draw % (high - low + 1)));
        }
        else {
            fputc(*p, out);
            length = 1;
        }
        p += length;
    }
    fclose(out);
    return text;
}

bool drive_mix_expects(const drive_kind *kind, int status)
{
    for (int i = 0; i < kind->n_expect; i++) {
        if (kind->expect[i] == status) {
            return true;
        }
    }
    return false;
}

void drive_mix_free(drive_mix *mix)
{
    for (int i = 0; i < mix->n; i++) {
        free_kind(&mix->kinds[i]);
    }
    free(mix->kinds);
    *mix = (drive_mix){0};
}
