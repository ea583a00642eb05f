/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_dsn_print.c
 * @brief Writes a DSN: whole for the application, without its secrets for everybody else. See rf_dsn.h.
 *
 * Layer: core.
 */
#include "rf_dsn.h"

#include <string.h>

#include "rf_dsn_text.h"

#define REDACTED "***"

static const char *const modes[] = {"PREFERRED", "DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"};

/** A text that grows up to `size`; `len` goes on counting, so that a first pass can measure. */
typedef struct {
    char *at;
    size_t size, len;
} sink;

static void put(sink *out, char c)
{
    if (out->len + 1 < out->size)
        out->at[out->len] = c;
    out->len++;
}

static void put_text(sink *out, const char *text)
{
    while (*text)
        put(out, *text++);
}

static void put_encoded(sink *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_unreserved(c)) {
            put(out, *text);
        } else {
            put(out, '%');
            put(out, hex[c >> 4]);
            put(out, hex[c & 15]);
        }
    }
}

static void put_scheme(sink *out, const rf_dsn *dsn)
{
    put_text(out, dsn->scheme[0] ? dsn->scheme : "mysql");
    put_text(out, "://");
}

static void put_endpoint(sink *out, const rf_dsn *dsn)
{
    const char *open = strchr(dsn->host, ':') ? "[" : "", *close = *open ? "]" : "";
    char digits[6] = "";
    size_t i = sizeof(digits) - 1;

    for (unsigned port = dsn->port; port || i == sizeof(digits) - 1; port /= 10)
        digits[--i] = (char)('0' + port % 10);
    put_text(out, open);
    put_text(out, dsn->host);
    put_text(out, close);
    put(out, ':');
    put_text(out, digits + i);
}

static void put_database(sink *out, const rf_dsn *dsn)
{
    if (dsn->database[0]) {
        put(out, '/');
        put_encoded(out, dsn->database);
    }
}

/** @return 1 if `extra` has this parameter under a name of its own */
static int has_alias(const rf_dsn *dsn, const char *plain)
{
    span rest = span_of(dsn->extra);
    char at;

    while (rest.len > 0) {
        span value = cut(&rest, "&", &at), name = cut(&value, "=", &at);

        if (same_word(name, plain))
            return 1;
    }
    return 0;
}

static void put_query(sink *out, const rf_dsn *dsn)
{
    char separator = '?';

    if ((dsn->tls != RF_TLS_PREFERRED || dsn->tls_ca[0]) && !has_alias(dsn, "sslmode")) {
        put(out, separator);
        put_text(out, "ssl-mode=");
        put_text(out, rf_tls_mode_name(dsn->tls));
        separator = '&';
    }
    if (dsn->tls_ca[0] && !has_alias(dsn, "sslca")) {
        put(out, separator);
        put_text(out, "ssl-ca=");
        put_encoded(out, dsn->tls_ca);
        separator = '&';
    }
    if (dsn->extra[0]) {
        put(out, separator);
        put_text(out, dsn->extra);
    }
}

static size_t print(const rf_dsn *dsn, char *text, size_t size)
{
    sink out = {text, size, 0};

    put_scheme(&out, dsn);
    if (dsn->user[0] || dsn->password[0]) {
        put_encoded(&out, dsn->user);
        if (dsn->password[0]) {
            put(&out, ':');
            put_encoded(&out, dsn->password);
        }
        put(&out, '@');
    }
    put_endpoint(&out, dsn);
    put_database(&out, dsn);
    put_query(&out, dsn);
    return out.len;
}

size_t rf_dsn_print(const rf_dsn *dsn, char *ret_url, size_t size)
{
    size_t len = print(dsn, NULL, 0);

    if (len >= size)
        return 0;
    print(dsn, ret_url, size);
    ret_url[len] = '\0';
    return len;
}

static void end_text(sink *out)
{
    if (out->size > 0)
        out->at[out->len < out->size ? out->len : out->size - 1] = '\0';
}

static void put_printable(sink *out, span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        put(out, c > 0x20 && c < 0x7f ? s.at[i] : '?');
    }
}

static int is_plain(span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_unreserved((unsigned char)s.at[i]) && s.at[i] != '%')
            return 0;
    }
    return 1;
}

/**
 * Nobody knows what a wrong text means, so this keeps only what no reading makes a password: the scheme, the first word
 * of a login that has a ':', and what follows the last '@'. Without an '@', a ':' may stand before a password whose
 * host was forgotten.
 */
void rf_dsn_redact_text(const char *url, char *ret_text, size_t size)
{
    sink out = {ret_text, size, 0};
    const char *colon = strstr(url, "://");
    span rest, login = {"", 0};
    int has_login;
    char at;

    if (!colon || colon == url || colon - url > 16 || !is_plain((span){url, (size_t)(colon - url)})) {
        put_text(&out, REDACTED);
        end_text(&out);
        return;
    }
    put_printable(&out, (span){url, (size_t)(colon - url) + 3});
    rest = span_of(colon + 3);
    has_login = strrchr(rest.at, '@') != NULL;
    if (has_login) {
        const char *last = strrchr(rest.at, '@');
        span user;

        login = (span){rest.at, (size_t)(last - rest.at)};
        rest = span_of(last + 1);
        user = cut(&login, ":", &at);
        if (at && is_plain(user)) {
            put_printable(&out, user);
            put(&out, ':');
        }
        put_text(&out, REDACTED "@");
    }
    rest = cut(&rest, "?#", &at);
    if (has_login) {
        put_printable(&out, rest);
    } else {
        put_printable(&out, cut(&rest, ":", &at));
        if (at)
            put_text(&out, ":" REDACTED);
    }
    end_text(&out);
}

uint64_t rf_dsn_key(const rf_dsn *dsn)
{
    char text[RF_DSN_URL_MAX];
    rf_dsn bare = *dsn;
    size_t len;
    uint64_t key = 14695981039346656037u; /* FNV-1a */

    explicit_bzero(bare.password, sizeof(bare.password));
    len = print(&bare, text, sizeof(text));
    for (size_t i = 0; i < len; i++)
        key = (key ^ (unsigned char)text[i]) * 1099511628211u;
    return key ? key : 1;
}

const char *rf_tls_mode_name(rf_tls_mode mode)
{
    return (size_t)mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : modes[RF_TLS_PREFERRED];
}
