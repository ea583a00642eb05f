/* SPDX-License-Identifier: Apache-2.0 */
/* The place in the queue: who signs it, who believes it, and what is left of a Cookie header without it. */
#include <stdlib.h>

#include "rf_place.h"
#include "tap.h"

#define NOW INT64_C(1790000000000)
#define ARRIVAL (NOW - 50000)
#define LONGEST 150000

static rf_place_keys keys_of(const char *first, const char *then)
{
    rf_place_keys keys = { 0 };

    rf_place_keys_renew(&keys, first);
    if (then)
        rf_place_keys_renew(&keys, then);
    return keys;
}

static char name[RF_PLACE_NAME_MAX];

static int64_t reads(const rf_place_keys *keys, const char *value, int64_t now)
{
    return rf_place_read(keys, name, value, strlen(value), LONGEST, now);
}

static void keys(void)
{
    static const rf_place_keys none;
    rf_place_keys keys = keys_of("secret", NULL), again = keys_of("secret", NULL), empty = keys_of("", NULL), kept;
    char value[RF_PLACE_VALUE_MAX];

    is_int(keys.npasswords, 1, "one password");
    ok(!memcmp(&keys, &again, sizeof keys), "every host derives the same key");
    rf_place_keys_renew(&keys, "secret");
    ok(!memcmp(&keys, &again, sizeof keys), "the same password again changes nothing");
    rf_place_keys_renew(&keys, "changed");
    is_int(keys.npasswords, 2, "another one is the second");
    ok(!memcmp(keys.previous, again.current, sizeof keys.previous), "what was current is previous");
    ok(memcmp(keys.current, again.current, sizeof keys.current), "and the current one is another");
    kept = keys;
    rf_place_keys_renew(&keys, "third");
    is_int(keys.npasswords, 2, "a third replaces the first");
    ok(!memcmp(keys.previous, kept.current, sizeof keys.previous), "the second is previous now");
    ok(!memmem(&keys, sizeof keys, "third", 5) && !memmem(&again, sizeof again, "secret", 6), "no password is in the keys");

    ok(!rf_place_write(&none, name, ARRIVAL, NOW, value) && !value[0], "without a key nothing is written");
    rf_place_write(&again, name, ARRIVAL, NOW, value);
    is_int(reads(&none, value, NOW), 0, "without a key nothing is believed");
    ok(rf_place_write(&empty, name, ARRIVAL, NOW, value) && reads(&empty, value, NOW) == ARRIVAL, "an empty password is one");
}

/* A fleet in the middle of a rotation: whoever wrote, whoever reads. */
static void rotation(void)
{
    const struct {
        const char *name;
        rf_place_keys keys;
    } hosts[] = {
        { "not yet rotated", keys_of("old", NULL) },
        { "rotated", keys_of("old", "new") },
        { "rotated twice before", keys_of("oldest", "old") },
    };
    rf_place_keys stranger = keys_of("other", "another"), fresh = keys_of("new", NULL);
    char value[RF_PLACE_VALUE_MAX];

    for (size_t w = 0; w < 3; w++) {
        ok(rf_place_write(&hosts[w].keys, name, ARRIVAL, NOW, value), "a host that has %s writes", hosts[w].name);
        for (size_t r = 0; r < 3; r++)
            is_int(reads(&hosts[r].keys, value, NOW), ARRIVAL, "one that has %s believes it", hosts[r].name);
        is_int(reads(&stranger, value, NOW), 0, "one with other passwords does not");
    }
    rf_place_write(&hosts[1].keys, name, ARRIVAL, NOW, value);
    is_int(reads(&fresh, value, NOW), ARRIVAL, "a host that started after the rotation believes one that has seen it");
    rf_place_write(&fresh, name, ARRIVAL, NOW, value);
    is_int(reads(&hosts[1].keys, value, NOW), ARRIVAL, "and the other way round");
}

static void times(void)
{
    static const struct {
        const char *name;
        int64_t arrival, sent, now;
        int good;
    } cases[] = {
        { "at once", ARRIVAL, NOW, NOW, 1 },
        { "sent when it arrived", NOW, NOW, NOW, 1 },
        { "after 30 s", ARRIVAL, NOW, NOW + RF_PLACE_LIFETIME_MS, 1 },
        { "after more", ARRIVAL, NOW, NOW + RF_PLACE_LIFETIME_MS + 1, 0 },
        { "from a clock that is 5 s ahead", ARRIVAL, NOW, NOW - RF_PLACE_SLACK_MS, 1 },
        { "from the future", ARRIVAL, NOW, NOW - RF_PLACE_SLACK_MS - 1, 0 },
        { "after the longest hold", NOW - LONGEST - RF_PLACE_SLACK_MS, NOW, NOW, 1 },
        { "after more than that", NOW - LONGEST - RF_PLACE_SLACK_MS - 1, NOW, NOW, 0 },
    };
    rf_place_keys keys = keys_of("secret", NULL);
    char value[RF_PLACE_VALUE_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ok(rf_place_write(&keys, name, cases[i].arrival, cases[i].sent, value), "%s: written", cases[i].name);
        is_int(reads(&keys, value, cases[i].now), cases[i].good ? cases[i].arrival : 0, "%s", cases[i].name);
    }
    ok(!rf_place_write(&keys, name, NOW, NOW - 1, value), "sent before it arrived");
    ok(!rf_place_write(&keys, name, -1, NOW, value), "a negative arrival");
    ok(!rf_place_write(&keys, name, INT64_C(1) << 48, INT64_C(1) << 48, value), "an arrival that has no room");
    ok(rf_place_write(&keys, name, NOW, NOW + 0xffffff, value), "four hours and a half");
    ok(!rf_place_write(&keys, name, NOW, NOW + 0x1000000, value), "more");
}

static void forgeries(void)
{
    rf_place_keys one = keys_of("secret", NULL), two = keys_of("before", "secret");
    char good[RF_PLACE_VALUE_MAX], value[RF_PLACE_VALUE_MAX + 1], other[RF_PLACE_NAME_MAX];
    unsigned believed = 0;
    size_t length;

    for (const rf_place_keys *keys = &one; keys; keys = keys == &one ? &two : NULL) {
        rf_place_write(keys, name, ARRIVAL, NOW, good);
        length = strlen(good);
        is_int(strspn(good, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), length,
               "%u keys: a value needs no quotes: %s", keys->npasswords, good);
        believed = 0;
        for (size_t n = 0; n < length; n++)
            believed += n != length - 20 && rf_place_read(keys, name, good, n, LONGEST, NOW) != 0;
        is_int(believed, 0, "no prefix of it counts, but one with a whole signature");
        for (size_t mac = 13; mac < length; mac += 20) {
            strcpy(value, good);
            memset(value + 13, 'A', length - 13);
            memcpy(value + mac, good + mac, 20);
            is_int(reads(keys, value, NOW), ARRIVAL, "one good signature is enough");
            for (size_t i = 0; i < 33; i++) {
                char *c = value + (i < 13 ? i : mac + i - 13);
                for (int bit = 0; bit < 8; bit++) {
                    *c = (char)(*c ^ 1 << bit);
                    believed += rf_place_read(keys, name, value, length, LONGEST, NOW) != 0;
                    *c = (char)(*c ^ 1 << bit);
                }
            }
        }
        is_int(believed, 0, "no bit of it can be changed");
        snprintf(value, sizeof value, "%sA", good);
        is_int(reads(keys, value, NOW), 0, "nothing can follow it");
    }
    is_int(reads(&one, "", NOW), 0, "nothing");
    is_int(reads(&one, "1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NOW), 0, "zeros");
    rf_place_name("GET", "/other", other);
    rf_place_write(&one, other, ARRIVAL, NOW, good);
    is_int(reads(&one, good, NOW), 0, "the place of another request");
}

static void names(void)
{
    static const char *const requests[][2] = {
        { "GET", "/" }, { "POST", "/" }, { "GET", "/?" }, { "GET", "/a" }, { "GET", "/a?b" }, { "GE", "T/" }, { "get", "/" },
    };
    enum { N = sizeof requests / sizeof requests[0] };
    char all[N][RF_PLACE_NAME_MAX], again[RF_PLACE_NAME_MAX];
    unsigned same = 0;

    for (size_t i = 0; i < N; i++) {
        ok(rf_place_name(requests[i][0], requests[i][1], all[i]), "%s %s: %s", requests[i][0], requests[i][1], all[i]);
        ok(!strncmp(all[i], RF_PLACE_PREFIX, 10) && strlen(all[i]) == 26 && strspn(all[i] + 10, "0123456789abcdef") == 16,
           "is of the form that others can match");
        for (size_t k = 0; k < i; k++)
            same += !strcmp(all[i], all[k]);
    }
    is_int(same, 0, "each method and URL has a name of its own");
    rf_place_name("GET", "/", again);
    is_str(again, all[0], "and always the same");
}

static void urls(void)
{
    static const struct {
        const char *target, *url, *path;
    } cases[] = {
        { "/", "/", "/" },
        { "/a/b?c=d&e", "/a/b?c=d&e", "/a/b" },
        { "//evil.example/x", "/evil.example/x", "/evil.example/x" },
        { "/\\evil.example", "/evil.example", "/evil.example" },
        { "\\\\evil.example", "/evil.example", "/evil.example" },
        { "/\\/\\//evil.example//b", "/evil.example//b", "/evil.example//b" },
        { "/\t/evil.example", "/%09/evil.example", "/%09/evil.example" },
        { "http://host:80/a?b", "/a?b", "/a" },
        { "HTTPS://user@host//evil.example/a", "/evil.example/a", "/evil.example/a" },
        { "http://host", "/", "/" },
        { "http://host?a", "/?a", "/" },
        { "http://host/?http://other/", "/?http://other/", "/" },
        { "//http://host/", "/http://host/", "/http://host/" },
        { "/a\\b", "/a%5Cb", "/a%5Cb" },
        { "/a%2Fb%00?%3f", "/a%2Fb%00?%3f", "/a%2Fb%00" },
        { "/\xc3\xa9?\xff", "/%C3%A9?%FF", "/%C3%A9" },
        { "/a b\r\nSet-Cookie: x", "/a%20b%0D%0ASet-Cookie:%20x", "/a%20b%0D%0ASet-Cookie:%20x" },
        { "/a#b", "/a", "/a" },
        { "/a;b?c", "/a;b?c", "/" },
        { "/a,b", "/a,b", "/" },
        { "/a?b;c,d", "/a?b;c,d", "/a" },
        { "/\"a\"", "/\"a\"", "/" },
        { "javascript:alert(1)", "/javascript:alert(1)", "/javascript:alert(1)" },
        { "", "/", "/" },
    };
    char url[256], again[256], path[256], longest[1200], longest_url[RF_PLACE_URL_MAX(1200)], longest_path[1200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rf_place_url(cases[i].target, url, RF_PLACE_URL_MAX(strlen(cases[i].target)));
        is_str(url, cases[i].url, "the way back to %zu", i);
        rf_place_url(url, again, sizeof again);
        is_str(again, url, "is itself the next time");
        rf_place_path(url, path, sizeof path);
        is_str(path, cases[i].path, "its cookie's path");
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    longest[1100] = '\0';
    rf_place_url(longest, longest_url, sizeof longest_url);
    is_str(longest_url, longest, "a long one");
    rf_place_path(longest_url, longest_path, sizeof longest_path);
    is_str(longest_path, "/", "has a path longer than browsers take");
}

static void cookies(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "", "" },
        { "a=1", "a=1" },
        { "a=1; b=2,c ;; d", "a=1; b=2,c ;; d" },
        { "rds-place-x=1", "" },
        { "rds-place-x=1; ", "" },
        { "rds-place-", "" },
        { "rds-place-x", "" },
        { " rds-place-x = 1 ;", "" },
        { "rds-place-x=1; a=1", "a=1" },
        { "a=1; rds-place-x=1", "a=1" },
        { "a=1; rds-place-x=1; b=2", "a=1; b=2" },
        { "a=1;rds-place-x=1;b=2", "a=1;b=2" },
        { "a=1, rds-place-x=1; b=2", "a=1; b=2" },
        { "rds-place-x=1, a=1;\trds-place-y", "a=1" },
        { "rds-place-x=1;rds-place-y=2,rds-place-z=3;a=1", "a=1" },
        { "a=\"b c\"; rds-place-x=\"1\"; d", "a=\"b c\"; d" },
        { "a=rds-place-x", "a=rds-place-x" },
        { "xrds-place-x=1", "xrds-place-x=1" },
        { "RDS-PLACE-x=1", "RDS-PLACE-x=1" },
        { "rds-plac=1", "rds-plac=1" },
        { "a=\"1; rds-place-x\"", "a=\"1" },
        { ";;rds-place-x=1;;a", ";;;a" },
    };
    rf_place_keys keys = keys_of("secret", NULL);
    char text[256], good[RF_PLACE_VALUE_MAX], stale[RF_PLACE_VALUE_MAX], *many = calloc(1, 100000), *to = many;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        strcpy(text, cases[i].before);
        is_int(rf_place_take(text, &keys, name, LONGEST, NOW), 0, "%s: no place", cases[i].before);
        is_str(text, cases[i].after, "%s: what is left", cases[i].before);
    }
    rf_place_write(&keys, name, ARRIVAL, NOW, good);
    rf_place_write(&keys, name, ARRIVAL - 60000, NOW - 60000, stale);
    snprintf(text, sizeof text, "a=1; %s=%s; b=2", name, good);
    is_int(rf_place_take(text, &keys, name, LONGEST, NOW), ARRIVAL, "a good place among others");
    is_str(text, "a=1; b=2", "is gone");
    is_int(rf_place_take(text, &keys, name, LONGEST, NOW), 0, "and not found again");
    snprintf(text, sizeof text, "%s=%s ,a=1", name, good);
    is_int(rf_place_take(text, &keys, name, LONGEST, NOW), ARRIVAL, "blanks behind it");
    snprintf(text, sizeof text, "%s=%s;%s=%s", name, stale, name, good);
    is_int(rf_place_take(text, &keys, name, LONGEST, NOW), ARRIVAL, "the good one of two");
    snprintf(text, sizeof text, "%s=%s; c", name, good);
    is_int(rf_place_take(text, &keys, "", LONGEST, NOW), 0, "nobody asked for a place");
    is_str(text, "c", "it is cut all the same");
    snprintf(text, sizeof text, "%s=\"%s\"", name, good);
    is_int(rf_place_take(text, &keys, name, LONGEST, NOW), 0, "in quotes it is not as it was sent");

    for (int i = 0; i < 1000; i++)
        to += sprintf(to, "a%d=%d; rds-place-%016d=%s; ", i, i, i, good);
    sprintf(to, "%s=%s", name, good);
    is_int(rf_place_take(many, &keys, name, LONGEST, NOW), ARRIVAL, "a place behind a thousand others");
    ok(!strstr(many, RF_PLACE_PREFIX) && strstr(many, "a0=0; a1=1;") == many && strstr(many, "; a999=999"),
       "only the others are left");
    free(many);
}

int main(void)
{
    rf_place_name("GET", "/", name);
    keys();
    rotation();
    times();
    forgeries();
    names();
    urls();
    cookies();
    return tap_done();
}
