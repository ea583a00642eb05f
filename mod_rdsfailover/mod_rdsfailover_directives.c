/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_directives.c
 * @brief The directives: one table at the end, and what each accepts.
 *
 * Layer: glue. Setters return NULL or the sentence that stops the server; httpd puts file and line before it.
 */
#include "mod_rdsfailover_values.h"

#include <apr_strings.h>
#include <http_core.h>
#include <string.h>

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
    /* mod_info shows the tree of directives to whoever may see it; httpd reads the file anew at each restart. */
    rf_dsn_redact_text(value, redacted, sizeof redacted);
    ((ap_directive_t *)cmd->directive)->args = apr_pstrdup(cmd->pool, redacted);
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
        const char *value = NULL, *what, *wrong = rf_value_split(cmd, argv[i], keys, &seen, &key, &value);
        if (wrong)
            return wrong;
        what = apr_pstrcat(cmd->temp_pool, "RDSFailoverCheck ", keys[key], NULL);
        switch (key) {
        case RF_CHECK_INTERVAL:
            wrong = rf_value_duration(cmd->pool, what, value, RF_MS(50), "50ms", RF_SEC(60), "60s", &policy->interval);
            break;
        case RF_CHECK_FAST:
            wrong = rf_value_duration(cmd->pool, what, value, RF_MS(20), "20ms", RF_SEC(60), "60s", &policy->fast);
            break;
        case RF_CHECK_TIMEOUT:
            wrong = rf_value_duration(cmd->pool, what, value, RF_MS(50), "50ms", RF_SEC(30), "30s", &policy->timeout);
            break;
        case RF_CHECK_FAILS:
            wrong = rf_value_number(cmd->pool, what, value, 1, 100, &policy->fails);
            break;
        case RF_CHECK_PASSES:
            wrong = rf_value_number(cmd->pool, what, value, 1, 100, &policy->passes);
            break;
        case RF_CHECK_LATE:
            if (!ap_cstr_casecmp(value, "auto"))
                policy->late = RF_LATE_AUTO;
            else if (!ap_cstr_casecmp(value, "off"))
                policy->late = RF_LATE_OFF;
            else if (rf_value_duration(cmd->pool, what, value, RF_MS(1), "1ms", RF_SEC(30), "30s", &policy->late))
                wrong = apr_psprintf(cmd->pool, "%s: \"%s\" is neither \"auto\" nor \"off\" nor a duration from 1ms to 30s", what,
                                     value);
            break;
        case RF_CHECK_WRITABLE:
            wrong = rf_value_choice(cmd->pool, what, value, "on", "off", &policy->writable);
            break;
        case RF_CHECK_CANDIDATES:
            wrong = rf_value_choice(cmd->pool, what, value, "auto", "dns", &policy->former);
            break;
        case RF_CHECK_APP:
            wrong = rf_value_choice(cmd->pool, what, value, "name", "address", &policy->app_name);
            break;
        }
        if (wrong)
            return wrong;
    }
    check->set |= seen;
    return NULL;
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
            wrong = rf_value_split(cmd, argv[i], keys, &seen, &key, &value);
            if (!wrong)
                wrong = rf_value_duration(cmd->pool, "RDSFailoverResolver timeout", value, RF_MS(20), "20ms", RF_SEC(30), "30s",
                                       &conf->dns_timeout);
            if (wrong)
                return wrong;
            conf->dns_timeout_set = 1;
        } else if (!ap_cstr_casecmp(argv[i], "system")) {
            use_system = 1;
        } else if (!rf_value_is_resolver(cmd->temp_pool, argv[i])) {
            return apr_psprintf(cmd->pool, "RDSFailoverResolver: \"%s\" is neither \"system\" nor a numeric address with or "
                                "without port, like 10.0.0.2 or [fd00::2]:53", argv[i]);
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

enum { KEY_FRONT, KEY_MARGIN, KEY_THEN };

/* One key of RDSFailoverHold. */
static const char *set_hold_key(cmd_parms *cmd, rf_dir_conf *conf, int key, const char *value)
{
    const char *wrong = NULL;
    int error = 0;

    switch (key) {
    case KEY_FRONT:
        conf->front = RF_FRONT_NONE;
        if (ap_cstr_casecmp(value, "none") &&
            rf_value_duration(cmd->pool, "", value, RF_SEC(15), "", RF_SEC(3600), "", &conf->front))
            wrong = apr_psprintf(cmd->pool, "RDSFailoverHold front: \"%s\" is neither \"none\" nor a duration from 15s to 60min "
                                 "(units ms, s, min; seconds if none is given)", value);
        break;
    case KEY_MARGIN:
        wrong = rf_value_duration(cmd->pool, "RDSFailoverHold margin", value, RF_SEC(1), "1s", RF_SEC(3600), "60min",
                                  &conf->margin);
        break;
    case KEY_THEN:
        wrong = rf_value_choice(cmd->pool, "RDSFailoverHold then", value, "error", "pass", &error);
        conf->ending = error ? RF_ENDING_ERROR : RF_ENDING_PASS;
        break;
    }
    return wrong;
}

static const char *set_hold(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    static const char *const keys[] = { "front", "margin", "then", NULL };
    rf_dir_conf *conf = dir;
    unsigned seen = 0;
    int i, key = 0, longest_set = 0;
    const char *value = NULL, *wrong;
    rf_time front;

    for (i = 0; i < argc; i++) {
        if (strchr(argv[i], '=')) {
            wrong = rf_value_split(cmd, argv[i], keys, &seen, &key, &value);
            if (!wrong)
                wrong = set_hold_key(cmd, conf, key, value);
            if (wrong)
                return wrong;
        } else if (longest_set++) {
            return apr_psprintf(cmd->pool, "RDSFailoverHold: \"%s\" is one duration too many", argv[i]);
        } else if (!ap_cstr_casecmp(argv[i], "off")) {
            conf->hold = 0;
        } else if (rf_value_duration(cmd->pool, "RDSFailoverHold", argv[i], RF_SEC(1), "1s", RF_SEC(3600), "60min", &conf->hold)) {
            return apr_psprintf(cmd->pool, "RDSFailoverHold: \"%s\" is neither \"off\" nor a duration from 1s to 60min (units "
                                "ms, s, min; seconds if none is given)", argv[i]);
        }
    }
    /* What an outer section says is not known yet, unless there is none; rf_config_leg copes with the rest. */
    front = conf->front != RF_HOLD_UNSET || cmd->path || cmd->server->is_virtual ? conf->front : RF_FRONT_DEFAULT;
    if (front != RF_HOLD_UNSET && front != RF_FRONT_NONE && conf->margin >= front)
        return apr_psprintf(cmd->pool, "RDSFailoverHold margin: %" APR_TIME_T_FMT "s leaves nothing of front=%" APR_TIME_T_FMT "s; "
                            "it must be shorter", apr_time_sec(conf->margin), apr_time_sec(front));
    return argc ? NULL : "RDSFailoverHold needs \"off\", a duration, front=, margin= or then=error|pass";
}

static const char *set_replay(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    enum { KEY_ATTEMPTS, KEY_BODY };
    static const char *const keys[] = { "attempts", "body", NULL };
    static const char *const modes[] = { "off", "safe", "idempotent", "all" }; /* in the order of rf_replay_mode */
    rf_dir_conf *conf = dir;
    unsigned seen = 0;
    int i, mode, key = 0, modes_set = 0, attempts = 0;
    const char *value = NULL, *wrong = NULL;

    for (i = 0; !wrong && i < argc; i++) {
        if (strchr(argv[i], '=')) {
            wrong = rf_value_split(cmd, argv[i], keys, &seen, &key, &value);
            if (!wrong && key == KEY_BODY)
                wrong = rf_value_size(cmd->pool, "RDSFailoverReplay body", value, 16 * 1024 * 1024, "16m", &conf->body);
            else if (!wrong)
                wrong = rf_value_number(cmd->pool, "RDSFailoverReplay attempts", value, 1, 10, &attempts);
            continue;
        }
        if (modes_set++)
            return apr_psprintf(cmd->pool, "RDSFailoverReplay: \"%s\" is one word too many", argv[i]);
        for (mode = 0; mode < 4 && ap_cstr_casecmp(argv[i], modes[mode]); mode++)
            ;
        if (mode == 4)
            return apr_psprintf(cmd->pool, "RDSFailoverReplay: \"%s\" is none of \"off\", \"safe\", \"idempotent\", \"all\"",
                                argv[i]);
        conf->replay = mode;
    }
    if (attempts)
        conf->attempts = (unsigned)attempts;
    return wrong || argc ? wrong : "RDSFailoverReplay needs \"off\", \"safe\", \"idempotent\", \"all\", attempts=n or body=n";
}

static const char *set_release(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    enum { KEY_CONCURRENCY, KEY_QUEUE };
    static const char *const keys[] = { "concurrency", "queue", NULL };
    rf_server_conf *conf = rf_config_server(cmd->server);
    unsigned seen = 0;
    int i, key = 0;
    const char *value = NULL, *wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST | NOT_IN_DIR_CONTEXT);

    if (!wrong && argc == 0)
        wrong = "RDSFailoverRelease needs concurrency=n or queue=n";
    for (i = 0; !wrong && i < argc; i++) {
        wrong = rf_value_split(cmd, argv[i], keys, &seen, &key, &value);
        if (!wrong && key == KEY_CONCURRENCY)
            wrong = rf_value_number(cmd->pool, "RDSFailoverRelease concurrency", value, 1, 10000, &conf->concurrency);
        else if (!wrong)
            wrong = rf_value_number(cmd->pool, "RDSFailoverRelease queue", value, 0, 1000000, &conf->queue);
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

static const char *set_notify(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    rf_server_conf *conf = rf_config_server(cmd->server);
    const char *path = argc ? ap_server_root_relative(cmd->pool, argv[0]) : NULL;
    apr_finfo_t file;
    char **command;
    int i;

    if (argc == 0)
        return "RDSFailoverNotify needs a command with its path, or \"none\"";
    conf->notify_set = 1;
    conf->notify = NULL;
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "none"))
        return NULL;
    if (!path || apr_stat(&file, path, APR_FINFO_TYPE | APR_FINFO_PROT, cmd->temp_pool) != APR_SUCCESS || file.filetype != APR_REG ||
        !(file.protection & (APR_FPROT_UEXECUTE | APR_FPROT_GEXECUTE | APR_FPROT_WEXECUTE)))
        return apr_psprintf(cmd->pool, "RDSFailoverNotify: \"%s\" is no file that can be executed; the path of a program or script is "
                            "accepted, with its arguments, or \"none\"", argv[0]);
    command = apr_pcalloc(cmd->pool, ((apr_size_t)argc + 1) * sizeof *command);
    command[0] = apr_pstrdup(cmd->pool, path);
    for (i = 1; i < argc; i++)
        command[i] = apr_pstrdup(cmd->pool, argv[i]);
    conf->notify = command;
    return NULL;
}

static const char *set_abort_stale(cmd_parms *cmd, void *dummy, int on)
{
    rf_config_server(cmd->server)->abort_stale = on;
    return NULL;
}

static const char *set_control(cmd_parms *cmd, void *dir, int on)
{
    ((rf_dir_conf *)dir)->control = on;
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
const command_rec rf_directives[] = {
    AP_INIT_FLAG("RDSFailover", set_enabled, NULL, D, "on: protect requests here; off: leave them alone"),
    AP_INIT_FLAG("RDSFailoverAbortStale", set_abort_stale, NULL, S, "on: destroy sockets to an address that lost the writer's role"),
    AP_INIT_TAKE_ARGV("RDSFailoverCheck", set_check, NULL, S,
                      "[interval=500ms] [fast=100ms] [timeout=1s] [fails=2] [passes=2] [late=auto] [writable=on] "
                      "[candidates=auto] [app=name]"),
    AP_INIT_FLAG("RDSFailoverControl", set_control, NULL, D, "on: accept orders at the status handler, of authenticated users"),
    AP_INIT_TAKE1("RDSFailoverDSN", set_dsn, NULL, S, "the database, mysql://user:pass@host:3306/db"),
    AP_INIT_FLAG("RDSFailoverDryRun", set_dry_run, NULL, S, "on: decide, count and log, but hold nothing"),
    AP_INIT_TAKE_ARGV("RDSFailoverExpose", set_expose, NULL, D, "on, off, or the variables that requests get"),
    AP_INIT_TAKE_ARGV("RDSFailoverHold", set_hold, NULL, D, "off or the longest hold, [front=60s] [margin=10s] [then=error]"),
    AP_INIT_TAKE_ARGV("RDSFailoverNotify", set_notify, NULL, S, "a command with its arguments, run at each change; or none"),
    AP_INIT_TAKE_ARGV("RDSFailoverRelease", set_release, NULL, S, "[concurrency=32] [queue=10000]"),
    AP_INIT_TAKE_ARGV("RDSFailoverReplay", set_replay, NULL, D, "off, safe, idempotent or all, [attempts=2] [body=64k]"),
    AP_INIT_TAKE_ARGV("RDSFailoverResolver", set_resolver, NULL, S, "system, or up to four addresses; [timeout=500ms]"),
    { NULL }
};
