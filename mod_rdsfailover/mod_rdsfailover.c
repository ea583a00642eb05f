/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover.c
 * @brief The module's record and its hooks, in the order in which a request meets them.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover_status.h"

#include <http_protocol.h>
#include <http_connection.h>
#include <http_request.h>
#include <mpm_common.h>
#include <time.h>

rf_time rf_clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return RF_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    rf_env_child_init(pchild);
    rf_life_child_init(pchild, s);
    rf_async_child_init(pchild, s);
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const caches[] = { "mod_cache.c", NULL };

    ap_hook_check_config(rf_databases_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(rf_life_post_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
    ap_hook_child_stopping(rf_life_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
#endif
    ap_hook_monitor(rf_life_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(rf_life_child_status, NULL, NULL, APR_HOOK_MIDDLE);

    /* First of all, so that <If> and mod_rewrite see the state. */
    ap_hook_post_read_request(rf_env_post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(rf_async_post_read_request, NULL, NULL, APR_HOOK_FIRST);
    /* Before mod_rewrite's per-directory rules: they turn the request into another one. */
    ap_hook_fixups(rf_gate_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(rf_status_handler, NULL, NULL, APR_HOOK_MIDDLE);
    /* What a cache answers, as a handler, is part of an attempt like any other answer. */
    ap_hook_handler(rf_replay_handler, NULL, caches, APR_HOOK_REALLY_FIRST);
    rf_modstatus_register(p);
    /* Before http's own, which adds its filters there, REALLY_LAST. */
    ap_hook_create_request(rf_replay_create_request, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_filter(rf_replay_insert_filter, NULL, NULL, APR_HOOK_REALLY_FIRST);
    rf_replay_register(p);
    ap_hook_process_connection(rf_async_process_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(rf_async_suspend_connection, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_resume_connection(rf_async_resume_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before the access log, which reads our notes. */
    ap_hook_log_transaction(rf_gate_log_transaction, NULL, NULL, APR_HOOK_FIRST);
}

/* AP_DECLARE_MODULE does not make the record visible where the compiler hides everything by default. */
__attribute__((visibility("default"))) AP_DECLARE_MODULE(rdsfailover) = {
    STANDARD20_MODULE_STUFF,
    rf_config_create_dir,
    rf_config_merge_dir,
    rf_config_create_server,
    rf_config_merge_server,
    rf_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
