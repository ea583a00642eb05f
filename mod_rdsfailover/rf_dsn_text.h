/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_DSN_TEXT_H
#define RF_DSN_TEXT_H
/**
 * @file rf_dsn_text.h
 * @brief Pieces of text and classes of bytes, as reading and writing a DSN both need them. For rf_dsn*.c only.
 *
 * Layer: core.
 */
#include <string.h>

/** Part of a text. */
typedef struct {
    const char *at;
    size_t len;
} span;

static inline span span_of(const char *text)
{
    return (span){text, strlen(text)};
}

/**
 * Cut `s` at the first byte out of `set`: what is before it is returned, `s` keeps what is behind it; *ret_at is that
 * byte, or 0.
 */
static inline span cut(span *s, const char *set, char *ret_at)
{
    span head = *s;

    *ret_at = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (s->at[i] != '\0' && strchr(set, s->at[i])) {
            head.len = i;
            *ret_at = s->at[i];
            *s = (span){s->at + i + 1, s->len - i - 1};
            return head;
        }
    }
    *s = (span){"", 0};
    return head;
}

/* The C library's ctype functions follow the locale. */
static inline int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline int is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline int is_unreserved(unsigned char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/** A parameter's or a mode's name, as "sslmode" for ssl-mode, ssl_mode, sslMode. @return 1 if `s` is `plain` so read */
static inline int same_word(span s, const char *plain)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '-' || s.at[i] == '_')
            continue;
        if (*plain == '\0' || lower(s.at[i]) != *plain++)
            return 0;
    }
    return *plain == '\0';
}

#endif /* RF_DSN_TEXT_H */
