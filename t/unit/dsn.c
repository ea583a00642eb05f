/* SPDX-License-Identifier: Apache-2.0 */
/* rf_dsn: what is accepted, what is refused and how it is said, that printing and parsing agree, and that nothing leaks. */
#include "rf_dsn.h"
#include "tap.h"

static const char *repeat(const char *before, char c, size_t n, const char *after)
{
    static char text[2][8192];
    static int turn;
    char *out = text[turn ^= 1];
    size_t len = strlen(before);

    memcpy(out, before, len);
    memset(out + len, c, n);
    strcpy(out + len + n, after);
    return out;
}

static void good(void)
{
    static const struct {
        const char *url, *host;
        unsigned port;
        const char *user, *password, *database;
        rf_tls_mode tls;
        const char *tls_ca, *extra;
    } rows[] = {
        {"mysql://shop:secret@db.example:3307/drupal", "db.example", 3307, "shop", "secret", "drupal", RF_TLS_PREFERRED, "", ""},
        {"mysql://db.example", "db.example", 3306, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://db.example/", "db.example", 3306, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://db.example:/x", "db.example", 3306, "", "", "x", RF_TLS_PREFERRED, "", ""},
        {"mysql://DB.Example./x", "db.example", 3306, "", "", "x", RF_TLS_PREFERRED, "", ""},
        {"mysql://db_1.ex-ample:65535", "db_1.ex-ample", 65535, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://h:00080", "h", 80, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql2://u@h/d", "h", 3306, "u", "", "d", RF_TLS_PREFERRED, "", ""},
        {"MariaDB://u:@h/d", "h", 3306, "u", "", "d", RF_TLS_PREFERRED, "", ""},
        {"pdo-mysql://:p@h/d", "h", 3306, "", "p", "d", RF_TLS_PREFERRED, "", ""},
        {"mysql://u:a:b:c@h", "h", 3306, "u", "a:b:c", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://u%3A%40:%2f%3F%23%5B%25%40%20@h/a%2Fb%3f", "h", 3306, "u:@", "/?#[%@ ", "a/b?", RF_TLS_PREFERRED, "", ""},
        {"mysql://u:+&=;'\"\\`$! @h", "h", 3306, "u", "+&=;'\"\\`$! ", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://u:\xc3\xa9%C3%A9@h", "h", 3306, "u", "\xc3\xa9\xc3\xa9", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://u:p@10.0.1.17:3306/d", "10.0.1.17", 3306, "u", "p", "d", RF_TLS_PREFERRED, "", ""},
        {"mysql://u:p@[2001:DB8:0::1]:33/d", "2001:db8::1", 33, "u", "p", "d", RF_TLS_PREFERRED, "", ""},
        {"mysql://[::1]", "::1", 3306, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://[::ffff:10.0.0.1]?", "::ffff:10.0.0.1", 3306, "", "", "", RF_TLS_PREFERRED, "", ""},
        {"mysql://h?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/ca.pem", "h", 3306, "", "", "", RF_TLS_VERIFY_IDENTITY, "/etc/ca.pem", ""},
        {"mysql://h/d?ssl-mode=verify_ca", "h", 3306, "", "", "d", RF_TLS_VERIFY_CA, "", ""},
        {"mysql://h/d?ssl-mode=Verify-Identity", "h", 3306, "", "", "d", RF_TLS_VERIFY_IDENTITY, "", ""},
        {"mysql://h/d?ssl-mode=disabled", "h", 3306, "", "", "d", RF_TLS_DISABLED, "", ""},
        {"mysql://h/d?ssl-ca=%2Fa%20b%26c", "h", 3306, "", "", "d", RF_TLS_VERIFY_CA, "/a b&c", ""},
        {"mysql://h/d?ssl-ca=/a&ssl-mode=preferred", "h", 3306, "", "", "d", RF_TLS_PREFERRED, "/a", ""},
        {"mysql://h/d?ssl-ca=&ssl-mode=required", "h", 3306, "", "", "d", RF_TLS_REQUIRED, "", ""},
        {"mysql://h/d?sslMode=REQUIRED", "h", 3306, "", "", "d", RF_TLS_REQUIRED, "", "sslMode=REQUIRED"},
        {"mysql://h/d?ssl_mode=required&sslca=/a", "h", 3306, "", "", "d", RF_TLS_REQUIRED, "/a", "ssl_mode=required&sslca=/a"},
        {"mysql://h/d?ssl-mode=required&sslmode=REQUIRED", "h", 3306, "", "", "d", RF_TLS_REQUIRED, "", "sslmode=REQUIRED"},
        {"mysql://h/d?charset=utf8mb4&&ssl-mode=REQUIRED&serverVersion=8.0.36&flag", "h", 3306, "", "", "d", RF_TLS_REQUIRED, "",
         "charset=utf8mb4&serverVersion=8.0.36&flag"},
        {"mysql://h?x=%zz", "h", 3306, "", "", "", RF_TLS_PREFERRED, "", "x=%zz"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[RF_DSN_URL_MAX];
        rf_dsn dsn, again;
        const char *error = rf_dsn_parse(rows[i].url, &dsn);

        is_str(error, NULL, "accepted: %s", rows[i].url);
        if (error)
            continue;
        is_str(dsn.host, rows[i].host, " host");
        is_int(dsn.port, rows[i].port, " port");
        is_str(dsn.user, rows[i].user, " user");
        is_str(dsn.password, rows[i].password, " password");
        is_str(dsn.database, rows[i].database, " database");
        is_str(rf_tls_mode_name(dsn.tls), rf_tls_mode_name(rows[i].tls), " ssl-mode");
        is_str(dsn.tls_ca, rows[i].tls_ca, " ssl-ca");
        is_str(dsn.extra, rows[i].extra, " other parameters");
        ok(rf_dsn_print(&dsn, url, sizeof(url)) == strlen(url), " prints");
        is_str(rf_dsn_parse(url, &again), NULL, " and parses again: %s", url);
        ok(memcmp(&dsn, &again, sizeof(dsn)) == 0, " to the same");
    }
}

static void bad(void)
{
    const struct {
        const char *url, *says;
    } rows[] = {
        {"", "must begin with mysql://"},
        {"secret", "must begin with mysql://"},
        {"postgres://u:secret@h/d", "must begin with mysql://"},
        {"mysql:u:secret@h", "must begin with mysql://"},
        {"mysql:/u:secret@h", "must begin with mysql://"},
        {" mysql://u:secret@h", "must begin with mysql://"},
        {"mysql2x://u:secret@h", "must begin with mysql://"},
        {"mysql://", "host is missing"},
        {"mysql://u:secret@", "host is missing"},
        {"mysql://u:secret@/d", "host is missing"},
        {"mysql://u:secret@:3306/d", "host is missing"},
        {"mysql://u:sec@ret@h/d", "write '@' as %40"},
        {"mysql://u:sec/ret@h/d", "'/' as %2F"},
        {"mysql://u:sec?ret@h/d", "'?' as %3F"},
        {"mysql://u:sec#ret@h/d", "write it as %23"},
        {"mysql://u:secret@h/d#x", "write it as %23"},
        {"mysql://u:secret%@h", "write '%' itself as %25"},
        {"mysql://u:secret%4@h", "write '%' itself as %25"},
        {"mysql://u:secret%zz@h", "write '%' itself as %25"},
        {"mysql://u:secret%00@h", "control character"},
        {"mysql://u:secret%0a@h", "control character"},
        {"mysql://u:secret\n@h", "control character"},
        {"mysql://u%7f:secret@h", "control character"},
        {"mysql://u:secret@h/d%1b", "control character"},
        {"mysql://u:secret@h\t/d", "control character"},
        {"mysql://h?x=\x1b[2J", "control character"},
        {"mysql://h?ssl-ca=/a%00", "control character"},
        {"mysql://u:secret@h:70000/d", "from 1 to 65535"},
        {"mysql://u:secret@h:65536", "from 1 to 65535"},
        {"mysql://u:secret@h:0", "from 1 to 65535"},
        {"mysql://u:secret@h:-1", "from 1 to 65535"},
        {"mysql://u:secret@h:+80", "from 1 to 65535"},
        {"mysql://u:secret@h: 80", "from 1 to 65535"},
        {"mysql://u:secret@h:33x", "from 1 to 65535"},
        {"mysql://u:secret@h:4294970602", "from 1 to 65535"},
        {"mysql://user:secret", "from 1 to 65535"},
        {"mysql://u:secret@-h", "neither a name"},
        {"mysql://u:secret@h-.x", "neither a name"},
        {"mysql://u:secret@a..b", "neither a name"},
        {"mysql://u:secret@.", "neither a name"},
        {"mysql://u:secret@h h", "neither a name"},
        {"mysql://u:secret@h%2e", "neither a name"},
        {"mysql://u:secret@h\xc3\xa4", "neither a name"},
        {"mysql://u:secret@2001:db8::1/d", "in brackets"},
        {"mysql://u:secret@[2001:db8::1/d", "in brackets"},
        {"mysql://u:secret@[db.example]/d", "in brackets"},
        {"mysql://u:secret@[1::2::3]/d", "in brackets"},
        {"mysql://u:secret@[fe80::1%25eth0]/d", "in brackets"},
        {"mysql://u:secret@[::1]3306", "only a port may follow"},
        {"mysql://u:secret@h/d/e", "'/' as %2F"},
        {"mysql://h?ssl-mode=", "accepted are DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY"},
        {"mysql://h?ssl-mode", "accepted are DISABLED"},
        {"mysql://h?ssl-mode=on", "accepted are DISABLED"},
        {"mysql://h?ssl-mode=required&sslmode=disabled", "ssl-mode is there twice"},
        {"mysql://h?ssl-ca=ca.pem", "absolute path"},
        {"mysql://h?ssl-ca=/a&ssl_ca=/b", "ssl-ca is there twice"},
    };
    static const struct {
        const char *before;
        char fill;
        size_t most;
        const char *after, *says;
    } limits[] = {
        {"mysql://", 'u', 96, ":p@h", "the user is longer than 96 bytes"},
        {"mysql://u:", 'p', 1024, "@h", "the password is longer than 1024 bytes"},
        {"mysql://u:p@h/", 'd', 192, "", "the name of the database is longer than 192 bytes"},
        {"mysql://h?ssl-ca=/", 'c', 511, "", "ssl-ca is longer than 512 bytes"},
        {"mysql://h?x=", 'x', 510, "", "longer than 512 bytes"},
        {"mysql://", 'h', 63, ".example", "neither a name"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rf_dsn dsn, before;
        char shown[256];
        const char *error;

        memset(&dsn, 0x5a, sizeof(dsn));
        before = dsn;
        error = rf_dsn_parse(rows[i].url, &dsn);
        ok(error && strstr(error, rows[i].says), "refused: %s: %s", rows[i].url, error ? error : "(accepted)");
        ok(memcmp(&dsn, &before, sizeof(dsn)) == 0, " and the output is untouched");
        rf_dsn_redact_text(rows[i].url, shown, sizeof(shown));
        ok(!strstr(shown, "sec") && !strstr(shown, "ret"), " shown as %s", shown);
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        rf_dsn dsn;
        const char *error;

        is_str(rf_dsn_parse(repeat(limits[i].before, limits[i].fill, limits[i].most, limits[i].after), &dsn), NULL, "%s... of the greatest length",
               limits[i].before);
        error = rf_dsn_parse(repeat(limits[i].before, limits[i].fill, limits[i].most + 1, limits[i].after), &dsn);
        ok(error && strstr(error, limits[i].says), "one more: %s", error ? error : "(accepted)");
    }
    {
        rf_dsn dsn;
        const char *labels = repeat("mysql://", 'h', 250, "");
        char url[300];

        strcpy(url, labels);
        for (size_t i = 8 + 60; i < 250; i += 60)
            url[i] = '.';
        strcat(url, ".abcde");
        is_str(rf_dsn_parse(url, &dsn), "the host is longer than 255 bytes", "a host of 256 bytes");
        url[strlen(url) - 1] = '\0';
        is_str(rf_dsn_parse(url, &dsn), NULL, "a host of 255 bytes");
    }
}

static void setters(void)
{
    rf_dsn dsn;

    rf_dsn_parse("mysql://old:old@old:1/old", &dsn);
    is_str(rf_dsn_set_host(&dsn, "New.Example"), NULL, "a host on its own");
    is_str(dsn.host, "new.example", " is in lower case");
    is_str(rf_dsn_set_host(&dsn, "2001:DB8::1"), NULL, "IPv6 without brackets");
    is_str(rf_dsn_set_host(&dsn, "[2001:DB8::2]"), NULL, "IPv6 with brackets");
    is_str(dsn.host, "2001:db8::2", " is kept without");
    ok(strstr(rf_dsn_set_host(&dsn, "h:3306"), "a port is no part of it"), "a host with a port is refused");
    ok(rf_dsn_set_host(&dsn, "") && rf_dsn_set_host(&dsn, "a/b") && rf_dsn_set_host(&dsn, "[x]"), "no host, wrong hosts");
    is_str(dsn.host, "2001:db8::2", " leave the old one");
    is_str(rf_dsn_set_port(&dsn, "3307"), NULL, "a port");
    ok(rf_dsn_set_port(&dsn, "70000") && rf_dsn_set_port(&dsn, "") && rf_dsn_set_port(&dsn, "33 "), "wrong ports");
    is_int(dsn.port, 3307, " leave the old one");
    is_str(rf_dsn_set_user(&dsn, "a%40b@"), NULL, "a user");
    is_str(dsn.user, "a%40b@", " is not decoded");
    is_str(rf_dsn_set_password(&dsn, repeat("", '%', 1024, "")), NULL, "the longest password");
    ok(rf_dsn_set_password(&dsn, repeat("", '%', 1025, "")), "a longer one");
    ok(rf_dsn_set_password(&dsn, "a\nb"), "a line break in a password");
    is_int(strlen(dsn.password), 1024, " both leave the old one");
    is_str(rf_dsn_set_database(&dsn, "a/b"), NULL, "a database");
    is_str(dsn.database, "a/b", " is not decoded");
    ok(rf_dsn_set_user(&dsn, repeat("", 'u', 97, "")) && rf_dsn_set_database(&dsn, repeat("", 'd', 193, "")), "too long ones");
}

static void printing(void)
{
    char url[RF_DSN_URL_MAX], small[40];
    rf_dsn dsn, again;
    size_t len;

    memset(&dsn, 0, sizeof(dsn));
    memset(dsn.host, 'h', sizeof(dsn.host) - 1);
    for (size_t i = 50; i < sizeof(dsn.host) - 2; i += 51)
        dsn.host[i] = '.';
    dsn.port = 65535;
    dsn.tls = RF_TLS_VERIFY_IDENTITY;
    memset(dsn.user, '@', sizeof(dsn.user) - 1);
    memset(dsn.password, '%', sizeof(dsn.password) - 1);
    memset(dsn.database, '/', sizeof(dsn.database) - 1);
    memset(dsn.tls_ca, '/', sizeof(dsn.tls_ca) - 1);
    memset(dsn.extra, 'x', sizeof(dsn.extra) - 1);
    len = rf_dsn_print(&dsn, url, sizeof(url));
    ok(len > 0, "RF_DSN_URL_MAX holds the longest URL, %zu bytes", len);
    is_str(rf_dsn_parse(url, &again), NULL, "which parses");
    ok(memcmp(&dsn, &again, sizeof(dsn)) == 0, " to the same");

    rf_dsn_parse("mysql://u:p%40ss@[::1]/d?ssl-ca=/a&x=1", &dsn);
    rf_dsn_print(&dsn, url, sizeof(url));
    is_str(url, "mysql://u:p%40ss@[::1]:3306/d?ssl-mode=VERIFY_CA&ssl-ca=%2Fa&x=1", "brackets, port and mode are written out");
    rf_dsn_parse("mysql://h?sslca=/a&x=1", &dsn);
    rf_dsn_print(&dsn, url, sizeof(url));
    is_str(url, "mysql://h:3306?ssl-mode=VERIFY_CA&sslca=/a&x=1", "a framework's own spelling stays");

    rf_dsn_parse("mysql://u:p@h/d", &dsn);
    strcpy(small, "as it was");
    is_int(rf_dsn_print(&dsn, small, 20), 0, "one byte too few");
    is_str(small, "as it was", " writes nothing");
    is_int(rf_dsn_print(&dsn, small, 21), 20, "just enough");
    is_str(small, "mysql://u:p@h:3306/d", " writes all");

    is_str(rf_dsn_parse("PDO-MySQL://h/d", &dsn), NULL, "another scheme");
    rf_dsn_print(&dsn, url, sizeof(url));
    is_str(url, "pdo-mysql://h:3306/d", "the application gets the scheme that came in");
}

static void redaction(void)
{
    static const char *const text[][2] = {
        {"mysql://u:secret@h:70000/d", "mysql://u:***@h:70000/d"},
        {"mysql://u:sec@ret@h/d", "mysql://u:***@h/d"},
        {"mysql://secret@h/d", "mysql://***@h/d"},
        {"mysql://user:secret", "mysql://user:***"},
        {"mysql://user:12345", "mysql://user:***"},
        {"mysql://u:se/cr?et@h/d?p=secret", "mysql://u:***@h/d"},
        {"mysql://h/d?password=secret", "mysql://h/d"},
        {"mysql://h/d#secret", "mysql://h/d"},
        {"mysql://u:secret@h\n\x1b[2J/\xff", "mysql://u:***@h??[2J/?"},
        {"postgres://u:secret@h/d", "postgres://u:***@h/d"},
        {"u:secret@tcp(h:3306)/d", "***"},
        {"mysql:host=h;password=secret", "***"},
        {"secret", "***"},
        {"sec ret://h", "***"},
        {"://secret@h", "***"},
        {"mysql://sec ret:x@h", "mysql://***@h"},
        {"", "***"},
        {"mysql://", "mysql://"},
        {"mysql://@", "mysql://***@"},
    };
    char shown[128], tiny[4];
    rf_dsn dsn;

    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        rf_dsn_redact_text(text[i][0], shown, sizeof(shown));
        is_str(shown, text[i][1], "%s in a message", text[i][0]);
    }
    rf_dsn_redact_text("mysql://u:secret@h", tiny, sizeof(tiny));
    is_str(tiny, "mys", "what does not fit is cut");
    rf_dsn_redact_text("mysql://u:secret@h", tiny, 0);
    rf_dsn_parse("mysql://u:secret@h", &dsn);
    rf_dsn_wipe(&dsn);
    ok(dsn.password[0] == '\0' && dsn.port == 0, "wiped");
}

static void keys(void)
{
    static const struct {
        const char *a, *b;
        int same;
    } rows[] = {
        {"mysql://u:p@h/d", "mysql://u:q@H.:3306/d", 1}, {"mysql://h", "mysql://h:3307", 0}, {"mysql://h1", "mysql://h", 0},
        {"mysql://u:p@h/d", "mysql://v:p@h/d", 0}, {"mysql://u:p@h/d", "mysql://u:p@h/e", 0}, {"mysql://h/d", "mysql://h/d?x=1", 0},
        {"mysql://h/d", "mysql://h/d?ssl-mode=REQUIRED", 0},
        {"mysql://[::1]", "mysql://[0:0::1]:3306", 1},        {"mysql://[::1]", "mysql://[::2]", 0}, {"mysql://h1:306", "mysql://h:1306", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rf_dsn a, b;

        rf_dsn_parse(rows[i].a, &a);
        rf_dsn_parse(rows[i].b, &b);
        is_int(rf_dsn_key(&a) == rf_dsn_key(&b), rows[i].same, "%s and %s are %s to watch", rows[i].a, rows[i].b, rows[i].same ? "one" : "not one");
        ok(rf_dsn_key(&a) != 0, " never 0");
    }
}

int main(void)
{
    good();
    bad();
    setters();
    printing();
    redaction();
    keys();
    is_str(rf_tls_mode_name((rf_tls_mode)99), "PREFERRED", "an unknown mode has a name");
    return tap_done();
}
