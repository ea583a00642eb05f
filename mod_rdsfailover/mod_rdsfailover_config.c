/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_config.c
 * @brief What is configured: its defaults, and how virtual hosts and sections inherit it.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover.h"

#include <apr_strings.h>
#include <string.h>

#include "rf_leg.h"

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
    conf->abort_stale = -1;
    conf->queue = -1;
    conf->concurrency = -1;
    return conf;
}

/* One member of rf_policy for each key of RDSFailoverCheck. */
#define INHERIT(bit, member)                                            \
    do {                                                                \
        if (!(conf->check.set & (1u << (bit))))                         \
            conf->check.policy.member = outer->check.policy.member;     \
    } while (0)

void *rf_config_merge_server(apr_pool_t *p, void *outer_conf, void *inner_conf)
{
    const rf_server_conf *outer = outer_conf, *inner = inner_conf;
    rf_server_conf *conf = apr_pmemdup(p, inner, sizeof *conf);

    if (!conf->dsn)
        conf->dsn = outer->dsn;
    INHERIT(RF_CHECK_INTERVAL, interval);
    INHERIT(RF_CHECK_FAST, fast);
    INHERIT(RF_CHECK_TIMEOUT, timeout);
    INHERIT(RF_CHECK_FAILS, fails);
    INHERIT(RF_CHECK_PASSES, passes);
    INHERIT(RF_CHECK_LATE, late);
    INHERIT(RF_CHECK_WRITABLE, writable);
    INHERIT(RF_CHECK_CANDIDATES, former);
    INHERIT(RF_CHECK_APP, app_name);
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
    if (!conf->notify_set) {
        conf->notify_set = outer->notify_set;
        conf->notify = outer->notify;
    }
    if (conf->abort_stale < 0)
        conf->abort_stale = outer->abort_stale;
    conf->queue = outer->queue;
    conf->concurrency = outer->concurrency;
    return conf;
}

void *rf_config_create_dir(apr_pool_t *p, char *path)
{
    rf_dir_conf *conf = apr_pcalloc(p, sizeof *conf);

    conf->enabled = -1;
    conf->hold = RF_HOLD_UNSET;
    conf->front = RF_HOLD_UNSET;
    conf->margin = RF_HOLD_UNSET;
    conf->replay = RF_REPLAY_UNSET;
    conf->body = RF_BODY_UNSET;
    conf->control = -1;
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
    if (conf->front == RF_HOLD_UNSET)
        conf->front = outer->front;
    if (conf->margin == RF_HOLD_UNSET)
        conf->margin = outer->margin;
    if (conf->ending == RF_ENDING_UNSET)
        conf->ending = outer->ending;
    if (conf->replay == RF_REPLAY_UNSET)
        conf->replay = outer->replay;
    if (!conf->attempts)
        conf->attempts = outer->attempts;
    if (conf->body == RF_BODY_UNSET)
        conf->body = outer->body;
    if (conf->control < 0)
        conf->control = outer->control;
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

rf_time rf_config_leg(const rf_dir_conf *dir)
{
    rf_time front = dir->front == RF_HOLD_UNSET ? RF_FRONT_DEFAULT : dir->front;

    return rf_leg(front, dir->margin == RF_HOLD_UNSET ? RF_MARGIN_UNSET : dir->margin);
}

rf_time rf_config_longest(const rf_dir_conf *dir)
{
    return dir->hold == RF_HOLD_UNSET ? RF_HOLD_DEFAULT : dir->hold;
}
