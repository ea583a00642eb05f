/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_config.c
 * @brief The directives: one table at the end, what each accepts, and how sections inherit.
 *
 * Layer: glue. Setters return NULL or the sentence that stops the server; httpd puts file and line before it.
 */
#include "mod_rdsfailover.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <http_core.h>
#include <stdlib.h>
#include <string.h>

/* --- creating and merging ------------------------------------------------------------------------------------------- */

static const rf_policy default_policy = {
    .interval = RF_MS(500),
    .fast = RF_MS(100),
    .timeout = RF_SEC(1),
    .late = RF_LATE_AUTO,
    .fails = 2,
    .passes = 2,
    .writable = 1,
    .former = 1,
    .app_name = 1,
};

void *rf_config_create_server(apr_pool_t *p, server_rec *s)
{
    rf_server_conf *conf = apr_pcalloc(p, sizeof *conf);

    conf->check.policy = default_policy;
    conf->dns_timeout = RF_MS(500);
    conf->dry_run = -1;
    conf->queue = -1;
    return conf;
}

/* One member of rf_policy for each key of RDSFailoverCheck. */
#define INHERIT(bit, member)                                            \
    do {                                                                \
        if (!(conf->check.set & (1u << (bit))))                         \
            conf->check.policy.member = outer->check.policy.member;     \
    } while (0)

enum { KEY_INTERVAL, KEY_FAST, KEY_TIMEOUT, KEY_FAILS, KEY_PASSES, KEY_LATE, KEY_WRITABLE, KEY_CANDIDATES, KEY_APP };

void *rf_config_merge_server(apr_pool_t *p, void *outer_conf, void *inner_conf)
{
    const rf_server_conf *outer = outer_conf, *inner = inner_conf;
    rf_server_conf *conf = apr_pmemdup(p, inner, sizeof *conf);

    if (!conf->dsn)
        conf->dsn = outer->dsn;
    INHERIT(KEY_INTERVAL, interval);
    INHERIT(KEY_FAST, fast);
    INHERIT(KEY_TIMEOUT, timeout);
    INHERIT(KEY_FAILS, fails);
    INHERIT(KEY_PASSES, passes);
    INHERIT(KEY_LATE, late);
    INHERIT(KEY_WRITABLE, writable);
    INHERIT(KEY_CANDIDATES, former);
    INHERIT(KEY_APP, app_name);
    conf->check.set |= outer->check.set;
    if (!conf->resolver_set) {
        conf->resolver_set = outer->resolver_set;
        conf->nresolvers = outer->nresolvers;
        memcpy(conf->resolvers, outer->resolvers, sizeof conf->resolvers);
    }
    if (!conf->dns_timeout_set) {
        conf->dns_timeout_set = outer->dns_timeout_set;
        conf->dns_timeout = outer->dns_timeout;
    }
    if (conf->dry_run < 0)
        conf->dry_run = outer->dry_run;
    conf->queue = outer->queue;
    return conf;
}

void *rf_config_create_dir(apr_pool_t *p, char *path)
{
    rf_dir_conf *conf = apr_pcalloc(p, sizeof *conf);

    conf->enabled = -1;
    conf->hold = RF_HOLD_UNSET;
    conf->expose = RF_EXPOSE_ALL;
    return conf;
}

void *rf_config_merge_dir(apr_pool_t *p, void *outer_conf, void *inner_conf)
{
    const rf_dir_conf *outer = outer_conf, *inner = inner_conf;
    rf_dir_conf *conf = apr_pmemdup(p, inner, sizeof *conf);

    if (conf->enabled < 0)
        conf->enabled = outer->enabled;
    if (conf->hold == RF_HOLD_UNSET)
        conf->hold = outer->hold;
    if (conf->ending == RF_ENDING_UNSET)
        conf->ending = outer->ending;
    if (!conf->expose_set) {
        conf->expose_set = outer->expose_set;
        conf->expose = outer->expose;
    }
    return conf;
}

rf_server_conf *rf_config_server(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &rdsfailover_module);
}

rf_dir_conf *rf_config_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &rdsfailover_module);
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

/* @return NULL, or the sentence. `what` is "RDSFailoverCheck interval" or the like. */
static const char *parse_duration(apr_pool_t *p, const char *what, const char *value, rf_time least, const char *least_text,
                                  rf_time most, const char *most_text, rf_time *ret_duration)
{
    apr_interval_time_t t = 0;

    /* ap_timeout_parameter_parse takes signs and blanks, and its product may overflow: keep both out. */
    if (!apr_isdigit(*value) || strlen(value) > 12 || strspn(value, "0123456789") > 9 ||
        ap_timeout_parameter_parse(value, &t, "s") != APR_SUCCESS || t < least || t > most)
        return apr_psprintf(p, "%s: \"%s\" is not a duration from %s to %s (units ms, s, min; seconds if none is given)", what,
                            value, least_text, most_text);
    *ret_duration = t;
    return NULL;
}

static const char *parse_number(apr_pool_t *p, const char *what, const char *value, int least, int most, int *ret_number)
{
    size_t digits = strspn(value, "0123456789");
    long n = digits && digits <= 9 && !value[digits] ? strtol(value, NULL, 10) : -1;

    if (n < least || n > most)
        return apr_psprintf(p, "%s: \"%s\" is not a number from %d to %d", what, value, least, most);
    *ret_number = (int)n;
    return NULL;
}

/* One of two words: `yes` gives 1, `no` gives 0. */
static const char *parse_choice(apr_pool_t *p, const char *what, const char *value, const char *yes, const char *no,
                                int *ret_choice)
{
    if (!ap_cstr_casecmp(value, yes))
        *ret_choice = 1;
    else if (!ap_cstr_casecmp(value, no))
        *ret_choice = 0;
    else
        return apr_psprintf(p, "%s: \"%s\" is neither \"%s\" nor \"%s\"", what, value, yes, no);
    return NULL;
}

/* Which of `keys` (NULL at the end) begins "key=value"? Rejects unknown, repeated and empty ones. */
static const char *split_key(cmd_parms *cmd, const char *arg, const char *const *keys, unsigned *seen, int *ret_key,
                             const char **ret_value)
{
    const char *equals = strchr(arg, '=');
    const char *all = "";
    int i;

    for (i = 0; keys[i]; i++) {
        size_t n = strlen(keys[i]);
        all = apr_pstrcat(cmd->temp_pool, all, i ? ", " : "", keys[i], "=", NULL);
        if (!equals || (size_t)(equals - arg) != n || ap_cstr_casecmpn(arg, keys[i], n))
            continue;
        if (*seen & (1u << i))
            return apr_psprintf(cmd->pool, "%s: %s= is given twice", cmd->cmd->name, keys[i]);
        if (!equals[1])
            return apr_psprintf(cmd->pool, "%s: %s= has no value", cmd->cmd->name, keys[i]);
        *seen |= 1u << i;
        *ret_key = i;
        *ret_value = equals + 1;
        return NULL;
    }
    return apr_psprintf(cmd->pool, "%s: \"%s\" is not known; accepted are %s", cmd->cmd->name, arg, all);
}

/* --- setters ---------------------------------------------------------------------------------------------------------- */

static const char *set_enabled(cmd_parms *cmd, void *dir, int on)
{
    ((rf_dir_conf *)dir)->enabled = on;
    return NULL;
}

static const char *set_dsn(cmd_parms *cmd, void *dummy, const char *value)
{
    rf_dsn dsn;
    const char *wrong = rf_dsn_parse(value, &dsn);
    char redacted[512];

    if (wrong) {
        rf_dsn_redact_text(value, redacted, sizeof redacted);
        return apr_psprintf(cmd->pool, "RDSFailoverDSN: \"%s\": %s", redacted, wrong);
    }
    rf_dsn_wipe(&dsn);
    rf_config_server(cmd->server)->dsn = value;
    return NULL;
}

static const char *set_check(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    static const char *const keys[] = { "interval", "fast", "timeout", "fails", "passes", "late", "writable", "candidates",
                                        "app", NULL };
    rf_check *check = &rf_config_server(cmd->server)->check;
    rf_policy *policy = &check->policy;
    unsigned seen = 0;
    int i, key = 0;

    if (argc == 0)
        return "RDSFailoverCheck needs at least one key=value";
    for (i = 0; i < argc; i++) {
        const char *value = NULL, *what, *wrong = split_key(cmd, argv[i], keys, &seen, &key, &value);
        if (wrong)
            return wrong;
        what = apr_pstrcat(cmd->temp_pool, "RDSFailoverCheck ", keys[key], NULL);
        switch (key) {
        case KEY_INTERVAL:
            wrong = parse_duration(cmd->pool, what, value, RF_MS(50), "50ms", RF_SEC(60), "60s", &policy->interval);
            break;
        case KEY_FAST:
            wrong = parse_duration(cmd->pool, what, value, RF_MS(20), "20ms", RF_SEC(60), "60s", &policy->fast);
            break;
        case KEY_TIMEOUT:
            wrong = parse_duration(cmd->pool, what, value, RF_MS(50), "50ms", RF_SEC(30), "30s", &policy->timeout);
            break;
        case KEY_FAILS:
            wrong = parse_number(cmd->pool, what, value, 1, 100, &policy->fails);
            break;
        case KEY_PASSES:
            wrong = parse_number(cmd->pool, what, value, 1, 100, &policy->passes);
            break;
        case KEY_LATE:
            if (!ap_cstr_casecmp(value, "auto"))
                policy->late = RF_LATE_AUTO;
            else if (!ap_cstr_casecmp(value, "off"))
                policy->late = RF_LATE_OFF;
            else if (parse_duration(cmd->pool, what, value, RF_MS(1), "1ms", RF_SEC(30), "30s", &policy->late))
                wrong = apr_psprintf(cmd->pool, "%s: \"%s\" is neither \"auto\" nor \"off\" nor a duration from 1ms to 30s", what,
                                     value);
            break;
        case KEY_WRITABLE:
            wrong = parse_choice(cmd->pool, what, value, "on", "off", &policy->writable);
            break;
        case KEY_CANDIDATES:
            wrong = parse_choice(cmd->pool, what, value, "auto", "dns", &policy->former);
            break;
        case KEY_APP:
            wrong = parse_choice(cmd->pool, what, value, "name", "address", &policy->app_name);
            break;
        }
        if (wrong)
            return wrong;
    }
    check->set |= seen;
    return NULL;
}

/* @return 1 if `text` is a numeric address, with or without a port */
static int is_resolver(apr_pool_t *p, const char *text)
{
    char *host = NULL, *scope = NULL;
    apr_port_t port = 0;
    unsigned char address[16];
    int bare_ipv6 = *text != '[' && strchr(text, ':') != strrchr(text, ':');

    if (strlen(text) >= 64 || strspn(text, "0123456789abcdefABCDEF.:[]") != strlen(text))
        return 0;
    if (bare_ipv6)
        text = apr_pstrcat(p, "[", text, "]", NULL);
    return apr_parse_addr_port(&host, &scope, &port, text, p) == APR_SUCCESS && host &&
           (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1);
}

static const char *set_resolver(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    static const char *const keys[] = { "timeout", NULL };
    rf_server_conf *conf = rf_config_server(cmd->server);
    unsigned seen = 0;
    int i, key = 0, use_system = 0;
    const char *value = NULL, *wrong;

    conf->nresolvers = 0;
    memset(conf->resolvers, 0, sizeof conf->resolvers);
    for (i = 0; i < argc; i++) {
        if (strchr(argv[i], '=')) {
            wrong = split_key(cmd, argv[i], keys, &seen, &key, &value);
            if (!wrong)
                wrong = parse_duration(cmd->pool, "RDSFailoverResolver timeout", value, RF_MS(20), "20ms", RF_SEC(30), "30s",
                                       &conf->dns_timeout);
            if (wrong)
                return wrong;
            conf->dns_timeout_set = 1;
        } else if (!ap_cstr_casecmp(argv[i], "system")) {
            use_system = 1;
        } else if (!is_resolver(cmd->temp_pool, argv[i])) {
            return apr_psprintf(cmd->pool, "RDSFailoverResolver: \"%s\" is neither \"system\" nor a numeric address with or without "
                                "port, like 10.0.0.2 or [fd00::2]:53", argv[i]);
        } else if (conf->nresolvers == RF_RESOLVERS) {
            return apr_psprintf(cmd->pool, "RDSFailoverResolver: more than %d name servers", RF_RESOLVERS);
        } else {
            apr_cpystrn(conf->resolvers[conf->nresolvers++], argv[i], sizeof conf->resolvers[0]);
        }
    }
    if (use_system && conf->nresolvers)
        return "RDSFailoverResolver: \"system\" and addresses exclude each other";
    if (!use_system && !conf->nresolvers)
        return "RDSFailoverResolver: neither \"system\" nor an address is given";
    conf->resolver_set = 1;
    return NULL;
}

static const char *set_hold(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const char *const keys[] = { "then", NULL };
    rf_dir_conf *conf = dir;
    unsigned seen = 0;
    int i, key, longest_set = 0, error = 0;
    const char *value, *wrong;

    for (i = 0; i < argc; i++) {
        if (strchr(argv[i], '=')) {
            wrong = split_key(cmd, argv[i], keys, &seen, &key, &value);
            if (!wrong)
                wrong = parse_choice(cmd->pool, "RDSFailoverHold then", value, "error", "pass", &error);
            if (wrong)
                return wrong;
            conf->ending = error ? RF_ENDING_ERROR : RF_ENDING_PASS;
        } else if (longest_set++) {
            return apr_psprintf(cmd->pool, "RDSFailoverHold: \"%s\" is one duration too many", argv[i]);
        } else if (!ap_cstr_casecmp(argv[i], "off")) {
            conf->hold = 0;
        } else if (parse_duration(cmd->pool, "RDSFailoverHold", argv[i], RF_SEC(1), "1s", RF_SEC(3600), "60min", &conf->hold)) {
            return apr_psprintf(cmd->pool, "RDSFailoverHold: \"%s\" is neither \"off\" nor a duration from 1s to 60min (units ms, s, "
                                "min; seconds if none is given)", argv[i]);
        }
    }
    return argc ? NULL : "RDSFailoverHold needs \"off\", a duration, or then=error|pass";
}

static const char *set_release(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    static const char *const keys[] = { "queue", NULL };
    unsigned seen = 0;
    int i, key = 0;
    const char *value = NULL, *wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST | NOT_IN_DIR_CONTEXT);

    if (!wrong && argc == 0)
        wrong = "RDSFailoverRelease needs queue=n";
    for (i = 0; !wrong && i < argc; i++) {
        wrong = split_key(cmd, argv[i], keys, &seen, &key, &value);
        if (!wrong)
            wrong = parse_number(cmd->pool, "RDSFailoverRelease queue", value, 0, 1000000, &rf_config_server(cmd->server)->queue);
    }
    return wrong;
}

static const char *set_expose(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    rf_dir_conf *conf = dir;
    unsigned bits = 0, bit = 0;
    int i;

    if (argc == 0)
        return "RDSFailoverExpose needs \"on\", \"off\" or names of variables";
    conf->expose_set = 1;
    if (argc == 1 && (!ap_cstr_casecmp(argv[0], "on") || !ap_cstr_casecmp(argv[0], "off"))) {
        conf->expose = ap_cstr_casecmp(argv[0], "on") ? 0 : RF_EXPOSE_ALL;
        return NULL;
    }
    for (i = 0; i < argc; i++) {
        const char *wrong = rf_env_expose(argv[i], &bit);
        if (wrong)
            return apr_psprintf(cmd->pool, "RDSFailoverExpose: \"%s\" %s", argv[i], wrong);
        bits |= bit;
    }
    conf->expose = bits;
    return NULL;
}

static const char *set_dry_run(cmd_parms *cmd, void *dummy, int on)
{
    rf_config_server(cmd->server)->dry_run = on;
    return NULL;
}

/* Where a directive may stand: server config and virtual hosts; D also in sections, never in .htaccess. */
#define S RSRC_CONF
#define D (RSRC_CONF | ACCESS_CONF)

/* httpd prints the last column in its own errors ("X must be On or Off"); docs/directives.md has the rest. */
const command_rec rf_config_commands[] = {
    AP_INIT_FLAG("RDSFailover", set_enabled, NULL, D, "on: protect requests here; off: leave them alone"),
    AP_INIT_TAKE_ARGV("RDSFailoverCheck", set_check, NULL, S,
                      "[interval=500ms] [fast=100ms] [timeout=1s] [fails=2] [passes=2] [late=auto] [writable=on] "
                      "[candidates=auto] [app=name]"),
    AP_INIT_TAKE1("RDSFailoverDSN", set_dsn, NULL, S, "the database, mysql://user:pass@host:3306/db"),
    AP_INIT_FLAG("RDSFailoverDryRun", set_dry_run, NULL, S, "on: decide, count and log, but hold nothing"),
    AP_INIT_TAKE_ARGV("RDSFailoverExpose", set_expose, NULL, D, "on, off, or the variables that requests get"),
    AP_INIT_TAKE_ARGV("RDSFailoverHold", set_hold, NULL, D, "off or the longest hold, [then=error|pass]"),
    AP_INIT_TAKE_ARGV("RDSFailoverRelease", set_release, NULL, S, "[queue=10000]"),
    AP_INIT_TAKE_ARGV("RDSFailoverResolver", set_resolver, NULL, S, "system, or up to four addresses; [timeout=500ms]"),
    { NULL }
};
