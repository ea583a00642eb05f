/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_PLACE_H
#define RF_PLACE_H
/**
 * @file rf_place.h
 * @brief The place in the queue that a visitor carries in a cookie while it is sent round by 307.
 *
 * Layer: core. libcrypto for hashes, nothing else of it.
 *
 * A cookie's name is a hash of method and URL, so that it stands for one request. Its value holds when the visitor first arrived
 * and when it was sent round, signed with a key that every host with the same password derives for itself:
 *
 *     rds-place-0123456789abcdef=1AAAAAAAAAAAAmmmmmmmmmmmmmmmmmmmmnnnnnnnnnnnnnnnnnnnn
 *                                ^            ^                   ^
 *                                version,     with the current    with the previous one,
 *                                both times   key                 if there was one
 *
 * Two signatures, because a password is rotated on one host after the other: a value is good if either key of its writer is
 * either key of its reader, whichever of the two took the new password first. (A host that started after the rotation knows
 * no previous key, and does not agree with one that has not heard of it yet.)
 *
 * Times are the wall clock in milliseconds since 1970, the one clock that the hosts of a fleet share, more or less.
 */
#include <stddef.h>
#include <stdint.h>

#define RF_PLACE_PREFIX "rds-place-"
#define RF_PLACE_NAME_MAX 27  /**< a name with its NUL */
#define RF_PLACE_VALUE_MAX 54 /**< a value with its NUL */

/** A place is good for this long after it was sent; a client that follows a redirect needs a round trip. What comes later, a page
 *  that is reloaded after a minute, say, is a new arrival and must not inherit the deadline of the old one. */
#define RF_PLACE_LIFETIME_MS 30000
/** How far the clocks of a fleet may lie apart, and how much later than its deadline a request may be sent round. */
#define RF_PLACE_SLACK_MS 5000

/** What places are signed with. Plain bytes; all zero: no key yet. */
typedef struct rf_place_keys {
    unsigned char current[32], previous[32];
    uint32_t npasswords; /**< keys that are set: 0, 1 (the current one) or 2 */
} rf_place_keys;

/**
 * Take a password: if it is not the current one, its key becomes the current and the current becomes the previous. The key is
 * derived slowly (some ten milliseconds), because whoever waits can get a signature and try passwords against it at home.
 */
void rf_place_keys_renew(rf_place_keys *keys, const char *password);

/**
 * The URL that leads a client back here, from a request's target as it was sent: path and query, never a host.
 *
 * Of an absolute target scheme and authority are left out, and any fragment. Leading slashes and backslashes, which browsers read
 * as slashes, become one slash, or the path of //evil.example would be another site. What may not stand in a header, and the
 * backslash, is percent-encoded; nothing else is touched, so the result of a result is the same.
 * @param size at least RF_PLACE_URL_MAX(strlen(target))
 */
void rf_place_url(const char *target, char *ret_url, size_t size);
#define RF_PLACE_URL_MAX(length) (3 * (length) + 2)

/**
 * The Path that a cookie for this URL is given: the URL's own path, so that of many places a client brings only the one that
 * counts; "/" if that cannot be written in a cookie.
 * @param url from rf_place_url
 * @param size at least strlen(url) + 1
 */
void rf_place_path(const char *url, char *ret_path, size_t size);

/** The cookie's name for a request. @param url from rf_place_url @return 1, or 0 if memory is full; the name is then empty */
int rf_place_name(const char *method, const char *url, char ret_name[RF_PLACE_NAME_MAX]);

/** Write a value, of letters, digits, '+' and '/'. @return 1, or 0 if there is no key, memory is full, or one of the times is
 *  negative or before the other, or they lie more than four hours apart; the value is then empty */
int rf_place_write(const rf_place_keys *keys, const char *name, int64_t arrival, int64_t sent,
                   char ret_value[RF_PLACE_VALUE_MAX]);

/**
 * Read the value of the cookie `name`.
 * @param length of the value, which need not end with a NUL
 * @param longest how long a request may wait in all, in milliseconds: no place is older when it is sent
 * @return the arrival, or 0 if the value is not exactly what rf_place_write makes, signed by nobody we know, too old, or from
 *         a future that no clock's error explains
 */
int64_t rf_place_read(const rf_place_keys *keys, const char *name, const char *value, size_t length, int64_t longest, int64_t now);

/**
 * Cut every place cookie out of a Cookie header, ours for this request or not, with the separator before it (or, for the first,
 * behind it); every other byte stays. Pairs are separated by ';' as browsers do it, or by ',' as httpd does when it joins
 * several headers.
 * @param cookies changed in place; empty if nothing else was in it
 * @param name    the cookie of this request; empty: just cut
 * @return the arrival that the first good cookie of that name tells (see rf_place_read), or 0
 */
int64_t rf_place_take(char *cookies, const rf_place_keys *keys, const char *name, int64_t longest, int64_t now);

#endif /* RF_PLACE_H */
