/* SPDX-License-Identifier: Apache-2.0 */
/* rf_source: which variable wins, NAME_FILE, and what is said when something is wrong. */
#include "rf_source.h"
#include "tap.h"

/** A world made of "NAME=value" and "/path=content" pairs, ended by NULL. A content that begins with '!' is a problem. */
static const char *look_up(void *ctx, const char *name)
{
    for (const char **pair = ctx; *pair; pair++) {
        size_t n = strlen(name);

        if (strncmp(*pair, name, n) == 0 && (*pair)[n] == '=')
            return *pair + n + 1;
    }
    return NULL;
}

static const char *read_file(void *ctx, const char *path, char *buf, size_t size)
{
    const char *content = look_up(ctx, path);

    if (!content)
        return "cannot be read: No such file or directory";
    if (content[0] == '!')
        return content + 1;
    snprintf(buf, size, "%s", content);
    return NULL;
}

static const struct {
    const char *story, *directive;
    const char *world[8];
    const char *url;    /**< what is found, printed */
    const char *files;  /**< that took part */
    const char *says[3]; /**< or parts of what is wrong */
} rows[] = {
    {"nothing anywhere", NULL, {NULL}, NULL, NULL, {""}},
    {"the directive", "mysql://u:p@h/d", {"DATABASE_URL=mysql://x", "RDS_HOSTNAME=y"}, "mysql://u:p@h:3306/d", "", {NULL}},
    {"a wrong directive does not fall back", "mysql://u:secret@h:70000", {"DATABASE_URL=mysql://x"}, NULL, NULL, {"RDSFailoverDSN: ", "1 to 65535"}},
    {"an empty directive", "", {"DATABASE_URL=mysql://x"}, NULL, NULL, {"RDSFailoverDSN: ", "must begin with"}},
    {"DATABASE_URL", NULL, {"DATABASE_URL=mysql://u:p@h/d", "RDS_HOSTNAME=y", "RDS_PORT=1"}, "mysql://u:p@h:3306/d", "", {NULL}},
    {"DATABASE_URL is wrong", NULL, {"DATABASE_URL=mysql://u:sec@ret@h/d", "RDS_HOSTNAME=y"}, NULL, NULL, {"DATABASE_URL: ", "%40"}},
    {"DATABASE_URL_FILE", NULL, {"DATABASE_URL_FILE=/s/url", "/s/url=mysql://u:p@h/d"}, "mysql://u:p@h:3306/d", "/s/url ", {NULL}},
    {"the variable before its file", NULL, {"DATABASE_URL=mysql://h", "DATABASE_URL_FILE=/s/url", "/s/url=mysql://x"}, "mysql://h:3306", "", {NULL}},
    {"an empty variable is not set", NULL, {"DATABASE_URL=", "DATABASE_URL_FILE=", "RDS_HOSTNAME=h", "RDS_PORT="}, "mysql://h:3306", "", {NULL}},
    {"the five variables", NULL, {"RDS_HOSTNAME=h.example", "RDS_PORT=3307", "RDS_DB_NAME=a/b", "RDS_USERNAME=u@x", "RDS_PASSWORD=p%40/"},
     "mysql://u%40x:p%2540%2F@h.example:3307/a%2Fb", "", {NULL}},
    {"the host alone", NULL, {"RDS_HOSTNAME=2001:db8::1"}, "mysql://[2001:db8::1]:3306", "", {NULL}},
    {"the host is missing", NULL, {"RDS_PORT=3306", "RDS_PASSWORD=secret"}, NULL, NULL, {""}},
    {"some from files", NULL,
     {"RDS_HOSTNAME_FILE=/s/h", "/s/h=h", "RDS_USERNAME=u", "RDS_PASSWORD_FILE=/s/p", "/s/p=secret"}, "mysql://u:secret@h:3306", "/s/h /s/p ", {NULL}},
    {"a file is missing", NULL, {"RDS_HOSTNAME=h", "RDS_PASSWORD_FILE=/s/p"}, NULL, NULL,
     {"RDS_PASSWORD_FILE /s/p cannot be read: No such file", "1 to 8192 bytes"}},
    {"a file is empty", NULL, {"RDS_HOSTNAME=h", "RDS_PASSWORD_FILE=/s/p", "/s/p=!is empty"}, NULL, NULL, {"RDS_PASSWORD_FILE /s/p is empty"}},
    {"a file is large", NULL, {"DATABASE_URL_FILE=/s/p", "/s/p=!is larger than 8192 bytes"}, NULL, NULL, {"DATABASE_URL_FILE /s/p is larger than 8192"}},
    {"a file holds something wrong", NULL, {"RDS_HOSTNAME=h", "RDS_PORT_FILE=/s/p", "/s/p=secret"}, NULL, NULL, {"RDS_PORT_FILE /s/p: ", "1 to 65535"}},
    {"a file holds two lines", NULL, {"RDS_HOSTNAME=h", "RDS_PASSWORD_FILE=/s/p", "/s/p=secret\nsecret"}, NULL, NULL, {"RDS_PASSWORD_FILE", "control character"}},
    {"a relative path", NULL, {"RDS_HOSTNAME=h", "RDS_PASSWORD_FILE=secret"}, NULL, NULL, {"RDS_PASSWORD_FILE", "absolute path"}},
    {"a path that would break a log line", NULL, {"DATABASE_URL_FILE=/s/\n[error]"}, NULL, NULL, {"/s/?[error] cannot be read"}},
    {"a wrong host", NULL, {"RDS_HOSTNAME=h:3306"}, NULL, NULL, {"RDS_HOSTNAME: ", "a port is no part of it"}},
    {"a wrong port", NULL, {"RDS_HOSTNAME=h", "RDS_PORT=70000"}, NULL, NULL, {"RDS_PORT: ", "1 to 65535"}},
};

int main(void)
{
    static char long_path[400], long_value[RF_SOURCE_VALUE_MAX + 100], long_url[RF_DSN_URL_MAX + 1];
    static rf_source source, before;
    const char *extreme[] = {long_path, NULL};
    rf_source_world world = {NULL, look_up, read_file};
    char error[600];
    rf_dsn dsn;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[RF_DSN_URL_MAX] = "", files[1600] = "";
        int found;

        memset(&source, 0x5a, sizeof(source));
        before = source;
        memcpy(world.ctx = (const char *[9]){NULL}, rows[i].world, sizeof(rows[i].world));
        strcpy(error, "untouched");
        found = rf_source_read(&world, rows[i].directive, &dsn, &source, error, sizeof(error));
        is_int(found, rows[i].url != NULL, "%s: %s", rows[i].story, error);
        if (found) {
            rf_dsn_print(&dsn, url, sizeof(url));
            is_str(url, rows[i].url, " the DSN");
            for (unsigned k = 0; k < source.nfiles; k++) {
                strcat(files, source.files[k]);
                strcat(files, " ");
            }
            is_str(files, rows[i].files, " files to watch");
            is_str(source.url, rows[i].directive ? rows[i].directive : "", " the directive is kept");
            is_str(error, "untouched", " no error");
            continue;
        }
        if (rows[i].says[0] && !rows[i].says[0][0])
            is_str(error, "", " nothing to say");
        for (size_t k = 0; k < 3 && rows[i].says[k]; k++)
            ok(strstr(error, rows[i].says[k]), " says %s", rows[i].says[k]);
        ok(!strstr(error, "secret"), " without the secret");
        ok(memcmp(&source, &before, sizeof(source)) == 0, " and the output is untouched");
    }

    world.ctx = extreme;
    memset(long_path, 'x', sizeof(long_path) - 1);
    memcpy(long_path, "DATABASE_URL_FILE=/", 19);
    ok(!rf_source_read(&world, NULL, &dsn, &source, error, sizeof(error)) && strstr(error, "more than 255 bytes"), "a long path: %s", error);
    extreme[0] = long_value;
    memset(long_value, 'x', sizeof(long_value) - 1);
    memcpy(long_value, "DATABASE_URL=", 13);
    ok(!rf_source_read(&world, NULL, &dsn, &source, error, sizeof(error)) && strstr(error, "longer than 8192 bytes"), "a long value: %s", error);
    memset(long_url, 'x', sizeof(long_url) - 1);
    ok(!rf_source_read(&world, long_url, &dsn, &source, error, sizeof(error)) && strstr(error, "RDSFailoverDSN is longer"), "a long directive: %s", error);
    ok(!rf_source_read(&world, long_url, &dsn, &source, error, 10) && strlen(error) == 9, "a message that does not fit is cut");
    return tap_done();
}
