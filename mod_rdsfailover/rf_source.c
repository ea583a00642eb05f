/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_source.c
 * @brief Finds the DSN. See rf_source.h.
 *
 * Layer: core.
 */
#include "rf_source.h"

#include <stdio.h>
#include <string.h>

/** One search: where to ask, what was found so far, where to complain. */
typedef struct {
    const rf_source_world *world;
    rf_source source;
    rf_dsn dsn;
    char value[RF_SOURCE_VALUE_MAX + 1];
    char from[320]; /**< of `value`, for messages: "RDS_PORT", "RDS_PORT_FILE /run/secrets/port" */
    char error[512];
} search;

/** A variable that is set but empty is not set: deployment tools write an unused one so. */
static const char *get_env(search *s, const char *name)
{
    const char *value = s->world->env(s->world->ctx, name);

    return value && value[0] ? value : NULL;
}

/** A path goes into messages; a log line must stay one line. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static int read_file(search *s, const char *name, const char *path)
{
    const char *problem;

    if (path[0] != '/') {
        snprintf(s->error, sizeof(s->error), "%s must be the absolute path of the file that holds the value", name);
        return -1;
    }
    if (strlen(path) >= sizeof(s->source.files[0])) {
        snprintf(s->error, sizeof(s->error), "%s is a path of more than %zu bytes", name,
                 sizeof(s->source.files[0]) - 1);
        return -1;
    }
    snprintf(s->from, sizeof(s->from), "%s %s", name, path);
    make_printable(s->from);
    problem = s->world->file(s->world->ctx, path, s->value, sizeof(s->value));
    if (problem) {
        snprintf(s->error, sizeof(s->error),
                 "%s %s; a readable file of 1 to %d bytes is accepted, holding the value and nothing else",
                 s->from, problem, RF_SOURCE_VALUE_MAX);
        return -1;
    }
    strcpy(s->source.files[s->source.nfiles++], path);
    return 1;
}

/** Get NAME or what NAME_FILE names into s->value. @return 1 found, 0 not set, -1 with s->error */
static int get(search *s, const char *name)
{
    char file_name[64];
    const char *value = get_env(s, name), *path;

    snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    if (value) {
        snprintf(s->from, sizeof(s->from), "%s", name);
        if (strlen(value) >= sizeof(s->value)) {
            snprintf(s->error, sizeof(s->error), "%s is longer than %d bytes", name, RF_SOURCE_VALUE_MAX);
            return -1;
        }
        strcpy(s->value, value);
        return 1;
    }
    path = get_env(s, file_name);
    return path ? read_file(s, file_name, path) : 0;
}

static int check(search *s, const char *problem)
{
    if (!problem)
        return 1;
    snprintf(s->error, sizeof(s->error), "%s: %s", s->from, problem);
    return -1;
}

static const char *set_host(rf_dsn *dsn, const char *value)
{
    memset(dsn, 0, sizeof(*dsn));
    dsn->port = 3306;
    return rf_dsn_set_host(dsn, value);
}

static int read_environment(search *s)
{
    static const struct {
        const char *name;
        const char *(*set)(rf_dsn *dsn, const char *value);
    } parts[] = {
        {"RDS_HOSTNAME", set_host},
        {"RDS_PORT", rf_dsn_set_port},
        {"RDS_DB_NAME", rf_dsn_set_database},
        {"RDS_USERNAME", rf_dsn_set_user},
        {"RDS_PASSWORD", rf_dsn_set_password},
    };
    int found = get(s, "DATABASE_URL");

    if (found != 0)
        return found < 0 ? -1 : check(s, rf_dsn_parse(s->value, &s->dsn));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        found = get(s, parts[i].name);
        if (found > 0)
            found = check(s, parts[i].set(&s->dsn, s->value));
        if (found < 0)
            return -1;
        /* Without a host the others mean nothing. */
        if (found == 0 && i == 0)
            return 0;
    }
    return 1;
}

static int read_directive(search *s, const char *directive)
{
    snprintf(s->from, sizeof(s->from), "RDSFailoverDSN");
    if (strlen(directive) >= sizeof(s->source.url)) {
        snprintf(s->error, sizeof(s->error), "RDSFailoverDSN is longer than %zu bytes", sizeof(s->source.url) - 1);
        return -1;
    }
    strcpy(s->source.url, directive);
    return check(s, rf_dsn_parse(directive, &s->dsn));
}

int rf_source_read(const rf_source_world *world, const char *directive, rf_dsn *ret_dsn, rf_source *ret_source,
                   char *ret_error, size_t error_size)
{
    search s;
    int found;

    memset(&s, 0, sizeof(s));
    s.world = world;
    found = directive ? read_directive(&s, directive) : read_environment(&s);
    if (found > 0) {
        *ret_dsn = s.dsn;
        *ret_source = s.source;
    } else {
        snprintf(ret_error, error_size, "%s", s.error);
    }
    explicit_bzero(&s, sizeof(s));
    return found > 0;
}
