/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_place.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define VERSION '1'
#define TIMES 12 /* characters: 6 bytes arrival, 3 bytes from arrival to sending */
#define MAC 20   /* characters: 120 bits */
#define HEAD (1 + TIMES)
#define WAIT_MAX 0xffffff

#define DERIVATION "mod_rdsfailover place 1"
#define ROUNDS 50000

#define PREFIX_LENGTH (sizeof RF_PLACE_PREFIX - 1)
#define PATH_MAX_LENGTH 1000 /* browsers ignore an attribute longer than 1024 */

_Static_assert(HEAD + 2 * MAC + 1 == RF_PLACE_VALUE_MAX, "a value's length");
_Static_assert(PREFIX_LENGTH + 16 + 1 == RF_PLACE_NAME_MAX, "a name's length");

/* --- keys ----------------------------------------------------------------------------------------------------------------- */

void rf_place_keys_renew(rf_place_keys *keys, const char *password)
{
    unsigned char key[sizeof keys->current];

    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)DERIVATION, sizeof DERIVATION - 1, ROUNDS,
                          EVP_sha256(), sizeof key, key) == 1 &&
        (!keys->npasswords || CRYPTO_memcmp(key, keys->current, sizeof key) != 0)) {
        if (keys->npasswords) {
            memcpy(keys->previous, keys->current, sizeof key);
            keys->npasswords = 1;
        }
        memcpy(keys->current, key, sizeof key);
        keys->npasswords++;
    }
    OPENSSL_cleanse(key, sizeof key);
}

/* --- URLs ----------------------------------------------------------------------------------------------------------------- */

/* Behind "scheme://authority", or the target itself if it does not begin with that. */
static const char *behind_authority(const char *target)
{
    size_t n = strcspn(target, ":/\\?#");

    return n && !strncmp(target + n, "://", 3) ? target + n + 3 + strcspn(target + n + 3, "/?#") : target;
}

void rf_place_url(const char *target, char *ret_url, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *c = behind_authority(target);
    char *to = ret_url, *end = ret_url + size;

    c += strspn(c, "/\\");
    *to++ = '/';
    for (; *c && *c != '#' && end - to > 3; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte > ' ' && byte < 0x7f && byte != '\\') {
            *to++ = *c;
        } else {
            *to++ = '%';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    *to = '\0';
}

void rf_place_path(const char *url, char *ret_path, size_t size)
{
    size_t length = strcspn(url, "?");

    if (length > PATH_MAX_LENGTH || length >= size || strcspn(url, ";,\"") < length)
        length = 1;
    memcpy(ret_path, url, length);
    ret_path[length] = '\0';
}

int rf_place_name(const char *method, const char *url, char ret_name[RF_PLACE_NAME_MAX])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int i, good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && EVP_DigestUpdate(md, method, strlen(method) + 1) &&
                  EVP_DigestUpdate(md, url, strlen(url)) && EVP_DigestFinal_ex(md, hash, NULL);
    char *to = ret_name + PREFIX_LENGTH;

    EVP_MD_CTX_free(md);
    ret_name[0] = '\0';
    if (!good)
        return 0;
    memcpy(ret_name, RF_PLACE_PREFIX, PREFIX_LENGTH);
    for (i = 0; i < 8; i++) {
        *to++ = hex[hash[i] >> 4];
        *to++ = hex[hash[i] & 15];
    }
    *to = '\0';
    return 1;
}

/* --- values --------------------------------------------------------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Base64 of a multiple of three bytes: nothing to pad, and one way to write each. No NUL. */
static void encode(const unsigned char *bytes, size_t n, char *ret_text)
{
    for (; n; n -= 3, bytes += 3) {
        *ret_text++ = digits[bytes[0] >> 2];
        *ret_text++ = digits[(bytes[0] << 4 | bytes[1] >> 4) & 63];
        *ret_text++ = digits[(bytes[1] << 2 | bytes[2] >> 6) & 63];
        *ret_text++ = digits[bytes[2] & 63];
    }
}

/* @return a number of n digits, or -1 if one is none */
static int64_t decode(const char *text, size_t n)
{
    int64_t value = 0;

    for (; n; n--, text++) {
        const char *digit = *text ? strchr(digits, *text) : NULL;
        if (!digit)
            return -1;
        value = value << 6 | (digit - digits);
    }
    return value;
}

/* Sign the head of a value, and with it the name. @return 1, or 0 if libcrypto has no memory */
static int sign(const unsigned char key[32], const char *name, const char *head, char ret_mac[MAC])
{
    unsigned char text[RF_PLACE_NAME_MAX + HEAD] = { 0 }, mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    /* Names are of one length: what is signed can be read in one way only. */
    if (strlen(name) != RF_PLACE_NAME_MAX - 1)
        return 0;
    memcpy(text, name, RF_PLACE_NAME_MAX);
    memcpy(text + RF_PLACE_NAME_MAX, head, HEAD);
    if (!HMAC(EVP_sha256(), key, 32, text, sizeof text, mac, &n))
        return 0;
    encode(mac, MAC / 4 * 3, ret_mac);
    return 1;
}

int rf_place_write(const rf_place_keys *keys, const char *name, int64_t arrival, int64_t sent, char ret_value[RF_PLACE_VALUE_MAX])
{
    unsigned char times[TIMES / 4 * 3];
    char *end = ret_value + HEAD;
    int i;

    ret_value[0] = '\0';
    if (!keys->npasswords || arrival < 0 || arrival >> 48 || sent < arrival || sent - arrival > WAIT_MAX)
        return 0;
    for (i = 0; i < 6; i++)
        times[i] = (unsigned char)(arrival >> (40 - 8 * i));
    for (i = 0; i < 3; i++)
        times[6 + i] = (unsigned char)((sent - arrival) >> (16 - 8 * i));
    encode(times, sizeof times, ret_value + 1);
    ret_value[0] = VERSION;
    if (!sign(keys->current, name, ret_value, end) ||
        (keys->npasswords > 1 && !sign(keys->previous, name, ret_value, end + MAC))) {
        ret_value[0] = '\0';
        return 0;
    }
    end[keys->npasswords > 1 ? 2 * MAC : MAC] = '\0';
    return 1;
}

static int signed_with(const unsigned char key[32], const char *name, const char *value, size_t length)
{
    char mac[MAC];
    size_t at;
    int same = 0;

    if (!sign(key, name, value, mac))
        return 0;
    for (at = HEAD; at < length; at += MAC)
        same |= CRYPTO_memcmp(mac, value + at, MAC) == 0;
    return same;
}

int64_t rf_place_read(const rf_place_keys *keys, const char *name, const char *value, size_t length, int64_t longest, int64_t now)
{
    int64_t arrival, wait, sent;

    if ((length != HEAD + MAC && length != HEAD + 2 * MAC) || value[0] != VERSION)
        return 0;
    arrival = decode(value + 1, 8);
    wait = decode(value + 9, 4);
    if (arrival <= 0 || wait < 0 || wait > longest + RF_PLACE_SLACK_MS)
        return 0;
    sent = arrival + wait;
    if (sent < now - RF_PLACE_LIFETIME_MS || sent > now + RF_PLACE_SLACK_MS)
        return 0;
    if ((keys->npasswords > 0 && signed_with(keys->current, name, value, length)) ||
        (keys->npasswords > 1 && signed_with(keys->previous, name, value, length)))
        return arrival;
    return 0;
}

/* --- the Cookie header ------------------------------------------------------------------------------------------------------ */

/* The arrival that this pair tells, if it is the request's own and good. */
static int64_t read_pair(const char *pair, size_t length, const rf_place_keys *keys, const char *name, int64_t longest, int64_t now)
{
    size_t n = strlen(name);

    while (length && (pair[length - 1] == ' ' || pair[length - 1] == '\t'))
        length--;
    if (!n || length <= n || strncmp(pair, name, n) != 0 || pair[n] != '=')
        return 0;
    return rf_place_read(keys, name, pair + n + 1, length - n - 1, longest, now);
}

int64_t rf_place_take(char *cookies, const rf_place_keys *keys, const char *name, int64_t longest, int64_t now)
{
    const char *from = cookies; /* a separator, or the beginning */
    char *to = cookies;         /* <= from; what is kept lies before it */
    int64_t arrival = 0;
    int bare = 0; /* what stays next stands behind nothing, and needs no separator */

    while (*from) {
        int separated = *from == ';' || *from == ',';
        const char *pair = from + separated, *end;
        pair += strspn(pair, " \t");
        end = pair + strcspn(pair, ";,");
        if (strncmp(pair, RF_PLACE_PREFIX, PREFIX_LENGTH) != 0) {
            if (bare)
                from = pair;
            memmove(to, from, (size_t)(end - from));
            to += end - from;
            bare = 0;
        } else {
            bare |= !separated;
            if (!arrival)
                arrival = read_pair(pair, (size_t)(end - pair), keys, name, longest, now);
        }
        from = end;
    }
    *to = '\0';
    return arrival;
}
