/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_limits.c
 * @brief What the MPM, the configuration and the system allow, asked once at start; rf_capacity.c works out how many can wait.
 *
 * Layer: glue. Written in post_config, before any child is forked; constant after that.
 */
#include "mod_rdsfailover.h"

#include <apr_strings.h>
#include <http_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

APLOG_USE_MODULE(rdsfailover);

/* The event MPM's default and the scale in which it keeps the factor before it takes the whole part. */
#define FACTOR_DEFAULT 2
#define FACTOR_SCALE 16

static rf_capacity capacity;

const rf_capacity *rf_limits_capacity(void)
{
    return &capacity;
}

static uint32_t mpm_number(int query, int otherwise)
{
    int n = 0;

    return ap_mpm_query(query, &n) == APR_SUCCESS && n > 0 ? (uint32_t)n : (uint32_t)otherwise;
}

/* For what ap_mpm_query does not tell. <IfModule>, Include and the like are dissolved in the tree, the last one counts.
 * @return NULL if it is not there */
static const char *first_word_of(apr_pool_t *p, const char *directive)
{
    const ap_directive_t *each, *last = NULL;
    const char *args;

    for (each = ap_conftree; each; each = each->next) {
        if (!ap_cstr_casecmp(each->directive, directive))
            last = each;
    }
    if (!last || !last->args)
        return NULL;
    args = last->args;
    return ap_getword_conf(p, &args);
}

static uint32_t worker_factor(apr_pool_t *p)
{
    const char *word = first_word_of(p, "AsyncRequestWorkerFactor");
    double factor;

    if (!word)
        return FACTOR_DEFAULT;
    factor = strtod(word, NULL) * FACTOR_SCALE;
    if (factor < FACTOR_SCALE)
        return 1;
    return factor > INT32_MAX ? INT32_MAX / FACTOR_SCALE : (uint32_t)factor / FACTOR_SCALE;
}

static uint32_t stream_workers(apr_pool_t *p)
{
    const char *word = first_word_of(p, "H2MaxWorkers");
    long n = word ? strtol(word, NULL, 10) : 0;

    return n > 0 ? (uint32_t)n : 0;
}

/* As ap_duplicate_listeners (server/listen.c) counts its buckets. */
static int own_sockets(apr_pool_t *p)
{
    const char *word = first_word_of(p, "ListenCoresBucketsRatio");
    long ratio = word ? strtol(word, NULL, 10) : 0;

    return ratio > 0 && sysconf(_SC_NPROCESSORS_ONLN) / ratio > 1;
}

static uint64_t descriptors(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : 0;
}

/* The number behind `key` ("" if it is all there is) in a file of the kernel's. @return 0 if there is none, "max" for example */
static uint64_t number_in(const char *path, const char *key)
{
    char line[256];
    uint64_t n = 0;
    FILE *in = fopen(path, "re");

    if (!in)
        return 0;
    while (!n && fgets(line, sizeof line, in)) {
        if (!strncmp(line, key, strlen(key)))
            n = strtoull(line + strlen(key), NULL, 10);
    }
    fclose(in);
    return n;
}

/* In a container or a service with MemoryMax the host's memory is not ours. A limit above us binds us too. */
static uint64_t group_memory(apr_pool_t *p)
{
    char line[1024], *path = NULL, *slash;
    uint64_t least = 0;
    FILE *in = fopen("/proc/self/cgroup", "re");

    while (in && !path && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "0::/", 4) && !strstr(line, "/.."))
            path = line + 3;
    }
    if (in)
        fclose(in);
    while (path) {
        uint64_t n = number_in(apr_pstrcat(p, "/sys/fs/cgroup", path, "/memory.max", NULL), "");
        if (n && (!least || n < least))
            least = n;
        slash = strrchr(path, '/');
        if (!slash)
            break;
        *slash = 0;
    }
    return least;
}

static uint64_t memory(apr_pool_t *p)
{
    uint64_t host = number_in("/proc/meminfo", "MemAvailable:") * 1024, group = group_memory(p);

    return group && (!host || group < host) ? group : host;
}

void rf_limits_read(server_rec *s)
{
    const rf_server_conf *conf = rf_config_server(s);
    rf_limits limits = { 0 };
    int async = 0;
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    limits.async = ap_mpm_query(AP_MPMQ_IS_ASYNC, &async) == APR_SUCCESS && async > 0;
    limits.daemons = mpm_number(AP_MPMQ_MAX_DAEMONS, 1);
    limits.slots = mpm_number(AP_MPMQ_HARD_LIMIT_DAEMONS, 1);
    limits.threads = mpm_number(AP_MPMQ_MAX_THREADS, 1);
    limits.worker_factor = worker_factor(p);
    limits.own_sockets = own_sockets(p);
    limits.stream_workers = stream_workers(p);
    limits.descriptors = descriptors();
    limits.memory = memory(p);
    limits.queue = (uint32_t)(conf->queue < 0 ? RF_QUEUE_DEFAULT : conf->queue);
    apr_pool_destroy(p);
    rf_capacity_work_out(&limits, &capacity);

    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                 "RF0209: up to %u requests can wait on this host, %u of them with a worker each (%s, %u x %u workers); %s allows "
                 "no more. To hold more: %s", capacity.requests, capacity.blocking, ap_show_mpm(), limits.daemons,
                 limits.threads, rf_limit_name(capacity.limited_by), capacity.advice);
    if (!capacity.spare)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "RF0224: ServerLimit %u leaves no place beside the %u processes that MaxRequestWorkers allows: after a "
                     "graceful restart while requests wait, no new process serves until they have left. Set ServerLimit %u",
                     limits.slots, limits.daemons, capacity.slots);
}
