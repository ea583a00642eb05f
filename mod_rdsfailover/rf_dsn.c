/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_dsn.c
 * @brief Reads a DSN. See rf_dsn.h.
 *
 * Layer: core. Every way into a rf_dsn goes through take(), which alone knows what a part may hold.
 */
#include "rf_dsn.h"

#include <arpa/inet.h>
#include <string.h>

#include "rf_dsn_text.h"

#define ERROR_SCHEME "the URL must begin with mysql:// (mysql2://, mariadb:// and pdo-mysql:// are accepted too)"
#define ERROR_HOST_MISSING "the host is missing; write mysql://user:password@host:3306/database"
#define ERROR_HOST_LONG "the host is longer than 255 bytes"
#define ERROR_HOST \
    "the host is neither a name (letters, digits, '-', '_' and dots) nor an IPv4 address nor an IPv6 address in " \
    "brackets; a port is no part of it"
#define ERROR_BRACKETS "the IPv6 address is not valid; write it in brackets, as [2001:db8::1]"
#define ERROR_AFTER_BRACKET "only a port may follow the ']' of an IPv6 address, as [2001:db8::1]:3306"
#define ERROR_PORT "the port is not a number from 1 to 65535"
#define ERROR_RAW_AT "there is more than one '@'; in the user and the password write '@' as %40"
#define ERROR_LATE_AT \
    "there is an '@' behind the host; in the user and the password write '/' as %2F, '?' as %3F and '@' as %40, " \
    "elsewhere '@' as %40"
#define ERROR_RAW_HASH "there is a raw '#'; write it as %23"
#define ERROR_PERCENT "there is a '%' without two hexadecimal digits; write '%' itself as %25"
#define ERROR_CONTROL \
    "there is a control character (below %20, or %7F), which is accepted neither raw nor percent-encoded"
#define ERROR_USER_LONG "the user is longer than 96 bytes"
#define ERROR_PASSWORD_LONG "the password is longer than 1024 bytes"
#define ERROR_DATABASE_LONG "the name of the database is longer than 192 bytes"
#define ERROR_DATABASE_SLASH "there is more than one '/' behind the host; in the database's name write '/' as %2F"
#define ERROR_CA_LONG "ssl-ca is longer than 512 bytes"
#define ERROR_CA_RELATIVE "ssl-ca does not begin with '/'; give the file's absolute path"
#define ERROR_CA_TWICE "ssl-ca is there twice with different values; give it once"
#define ERROR_MODE "ssl-mode is unknown; accepted are DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY"
#define ERROR_MODE_TWICE "ssl-mode is there twice with different values; give it once"
#define ERROR_EXTRA_LONG "the parameters besides ssl-mode and ssl-ca are longer than 512 bytes"

static int is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static int hex_value(unsigned char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Copy `s` to a field of `size` bytes, decoded if asked for, and zero its rest; after a problem it is as it was. */
static const char *take(span s, int decode, char *field, size_t size, const char *too_long)
{
    char value[1025];
    const char *error = NULL;
    size_t n = 0;

    for (size_t i = 0; i < s.len && !error; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (decode && c == '%') {
            int high = i + 2 < s.len ? hex_value((unsigned char)s.at[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_value((unsigned char)s.at[i + 2]) : -1;

            if (high < 0 || low < 0) {
                error = ERROR_PERCENT;
                break;
            }
            c = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (is_control(c))
            error = ERROR_CONTROL;
        else if (n + 1 >= size || n + 1 >= sizeof(value))
            error = too_long;
        else
            value[n++] = (char)c;
    }
    if (!error) {
        explicit_bzero(field, size);
        memcpy(field, value, n);
    }
    explicit_bzero(value, sizeof(value));
    return error;
}

static int is_name(span s)
{
    size_t label = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        int edge = i == 0 || s.at[i - 1] == '.' || i + 1 == s.len || s.at[i + 1] == '.';

        if (c == '.') {
            if (label == 0)
                return 0;
            label = 0;
            continue;
        }
        if (!is_letter(c) && !is_digit(c) && c != '_' && !(c == '-' && !edge))
            return 0;
        if (++label > 63)
            return 0;
    }
    return label > 0;
}

/** @param bracketed the host stood in brackets, so only IPv6 will do */
static const char *take_host(span s, int bracketed, rf_dsn *dsn)
{
    struct in6_addr ipv6;
    char host[sizeof(dsn->host)];
    const char *error;

    if (s.len == 0)
        return ERROR_HOST_MISSING;
    /* "name." is the same name, but no certificate spells it so. */
    if (!bracketed && s.len > 1 && s.at[s.len - 1] == '.')
        s.len--;
    if ((error = take(s, 0, host, sizeof(host), ERROR_HOST_LONG)))
        return error;
    if (inet_pton(AF_INET6, host, &ipv6) == 1) {
        /* One spelling for each address: rf_dsn_key compares bytes. */
        memset(host, 0, sizeof(host));
        inet_ntop(AF_INET6, &ipv6, host, sizeof(host));
    } else if (bracketed) {
        return ERROR_BRACKETS;
    } else if (!is_name(s)) {
        return ERROR_HOST;
    }
    for (char *c = host; *c; c++)
        *c = lower(*c);
    memcpy(dsn->host, host, sizeof(host));
    return NULL;
}

static const char *take_port(span s, rf_dsn *dsn)
{
    unsigned long port = 0;

    if (s.len == 0 || s.len > 5)
        return ERROR_PORT;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit((unsigned char)s.at[i]))
            return ERROR_PORT;
        port = port * 10 + (unsigned long)(s.at[i] - '0');
    }
    if (port < 1 || port > 65535)
        return ERROR_PORT;
    dsn->port = (uint16_t)port;
    return NULL;
}

static const char *take_authority(span s, rf_dsn *dsn)
{
    span login = {"", 0}, host;
    const char *error;
    char at;
    int bracketed = 0;

    if (memchr(s.at, '@', s.len)) {
        span user = cut(&s, "@", &at);

        if (memchr(s.at, '@', s.len))
            return ERROR_RAW_AT;
        login = user;
        user = cut(&login, ":", &at);
        if ((error = take(user, 1, dsn->user, sizeof(dsn->user), ERROR_USER_LONG)) ||
            (error = take(login, 1, dsn->password, sizeof(dsn->password), ERROR_PASSWORD_LONG)))
            return error;
    }
    if (s.len > 0 && s.at[0] == '[') {
        bracketed = 1;
        s = (span){s.at + 1, s.len - 1};
        host = cut(&s, "]", &at);
        if (at != ']')
            return ERROR_BRACKETS;
        if (s.len > 0 && s.at[0] != ':')
            return ERROR_AFTER_BRACKET;
        if (s.len > 0)
            s = (span){s.at + 1, s.len - 1};
    } else {
        host = cut(&s, ":", &at);
        if (memchr(s.at, ':', s.len))
            return ERROR_BRACKETS;
    }
    if ((error = take_host(host, bracketed, dsn)))
        return error;
    return s.len > 0 ? take_port(s, dsn) : NULL;
}

static int same_text(span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

static const char *take_mode(span value, rf_tls_mode *ret_mode)
{
    static const char *const plain[] = {"preferred", "disabled", "required", "verifyca", "verifyidentity"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (same_word(value, plain[i])) {
            *ret_mode = (rf_tls_mode)i;
            return NULL;
        }
    }
    return ERROR_MODE;
}

static const char *take_ca(span value, char *field, size_t size)
{
    const char *error = take(value, 1, field, size, ERROR_CA_LONG);

    return !error && field[0] != '/' ? ERROR_CA_RELATIVE : error;
}

/**
 * What a framework spells its own way (ssl_mode, sslca, …) is read, and also kept as it came: the application that
 * wrote it so must find it again.
 */
static const char *take_query(span query, rf_dsn *dsn)
{
    char extra[sizeof(dsn->extra)] = "";
    size_t n = 0;
    int has_mode = 0;
    const char *error;
    char at;

    while (query.len > 0) {
        span whole = cut(&query, "&", &at), value = whole, name = cut(&value, "=", &at);

        if (whole.len == 0)
            continue;
        if (same_word(name, "sslmode")) {
            rf_tls_mode mode = RF_TLS_PREFERRED;

            if ((error = take_mode(value, &mode)))
                return error;
            if (has_mode && mode != dsn->tls)
                return ERROR_MODE_TWICE;
            dsn->tls = mode;
            has_mode = 1;
            if (same_text(name, "ssl-mode"))
                continue;
        } else if (same_word(name, "sslca")) {
            char ca[sizeof(dsn->tls_ca)];

            if (value.len == 0)
                continue;
            if ((error = take_ca(value, ca, sizeof(ca))))
                return error;
            if (dsn->tls_ca[0] && strcmp(dsn->tls_ca, ca) != 0)
                return ERROR_CA_TWICE;
            memcpy(dsn->tls_ca, ca, sizeof(ca));
            if (same_text(name, "ssl-ca"))
                continue;
        }
        if (n + (n > 0) + whole.len >= sizeof(extra))
            return ERROR_EXTRA_LONG;
        if (n > 0)
            extra[n++] = '&';
        memcpy(extra + n, whole.at, whole.len);
        n += whole.len;
    }
    /* As MySQL's own client: whoever names the authorities wants them asked. */
    if (!has_mode && dsn->tls_ca[0])
        dsn->tls = RF_TLS_VERIFY_CA;
    return take((span){extra, n}, 0, dsn->extra, sizeof(dsn->extra), ERROR_EXTRA_LONG);
}

/** @return what follows "scheme://", or a NULL span if that is missing or unknown */
static span take_scheme(const char *url, rf_dsn *dsn)
{
    static const char *const schemes[] = {"mysql", "mysql2", "mariadb", "pdo-mysql"};
    const char *colon = strstr(url, "://");

    for (size_t i = 0; colon && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = 0;

        while (schemes[i][n] && url + n < colon && lower(url[n]) == schemes[i][n])
            n++;
        if (!schemes[i][n] && url + n == colon) {
            if (i > 0)
                memcpy(dsn->scheme, schemes[i], n + 1);
            return span_of(colon + 3);
        }
    }
    return (span){NULL, 0};
}

static const char *parse(const char *url, rf_dsn *dsn)
{
    span rest = take_scheme(url, dsn), authority, path;
    const char *error;
    char at;

    if (!rest.at)
        return ERROR_SCHEME;
    if (memchr(rest.at, '#', rest.len))
        return ERROR_RAW_HASH;
    authority = cut(&rest, "/?", &at);
    if (rest.len > 0 && memchr(rest.at, '@', rest.len))
        return ERROR_LATE_AT;
    dsn->port = 3306;
    if ((error = take_authority(authority, dsn)))
        return error;
    if (at == '/') {
        path = cut(&rest, "?", &at);
        if (memchr(path.at, '/', path.len))
            return ERROR_DATABASE_SLASH;
        if ((error = take(path, 1, dsn->database, sizeof(dsn->database), ERROR_DATABASE_LONG)))
            return error;
    }
    return take_query(rest, dsn);
}

void rf_dsn_wipe(rf_dsn *dsn)
{
    explicit_bzero(dsn, sizeof(*dsn));
}

const char *rf_dsn_parse(const char *url, rf_dsn *ret_dsn)
{
    rf_dsn dsn;
    const char *error;

    memset(&dsn, 0, sizeof(dsn));
    error = parse(url, &dsn);
    if (!error)
        *ret_dsn = dsn;
    rf_dsn_wipe(&dsn);
    return error;
}

const char *rf_dsn_set_host(rf_dsn *dsn, const char *value)
{
    span s = span_of(value);
    int bracketed = s.len > 1 && value[0] == '[' && value[s.len - 1] == ']';

    return take_host(bracketed ? (span){value + 1, s.len - 2} : s, bracketed, dsn);
}

const char *rf_dsn_set_port(rf_dsn *dsn, const char *value)
{
    return take_port(span_of(value), dsn);
}

const char *rf_dsn_set_user(rf_dsn *dsn, const char *value)
{
    return take(span_of(value), 0, dsn->user, sizeof(dsn->user), ERROR_USER_LONG);
}

const char *rf_dsn_set_password(rf_dsn *dsn, const char *value)
{
    return take(span_of(value), 0, dsn->password, sizeof(dsn->password), ERROR_PASSWORD_LONG);
}

const char *rf_dsn_set_database(rf_dsn *dsn, const char *value)
{
    return take(span_of(value), 0, dsn->database, sizeof(dsn->database), ERROR_DATABASE_LONG);
}
