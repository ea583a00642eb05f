/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests a host can hold, by which limit, and whether the advice given is enough. */
#include <stdlib.h>

#include "rf_capacity.h"
#include "tap.h"

#define GB ((uint64_t)1 << 30)

/* Two children of 25 threads, tuned to hold 10,000. */
static const rf_limits tuned = { .async = 1, .daemons = 2, .slots = 4, .threads = 25, .worker_factor = 1000,
                                 .descriptors = 20200, .memory = 4 * GB, .queue = 10000 };

static const struct {
    const char *name;
    rf_limits limits;
    uint32_t requests, per_process, blocking, at_once;
    rf_limit by;
    const char *advice;
} hosts[] = {
    { "tuned", { 1, 2, 4, 25, 1250, 20200, 4 * GB, 10000 }, 10000, 10000, 38, 20, RF_LIMIT_QUEUE,
      "RDSFailoverRelease queue=10038" },
    { "event as it comes", { 1, 16, 16, 25, 2, 1024, 4 * GB, 10000 }, 432, 75, 300, 20, RF_LIMIT_FACTOR,
      "AsyncRequestWorkerFactor 157, LimitNOFILE 20200" },
    { "few descriptors", { 1, 2, 4, 25, 1250, 1024, 4 * GB, 10000 }, 618, 412, 38, 20, RF_LIMIT_DESCRIPTORS, "LimitNOFILE 20200" },
    { "hardly any descriptors", { 1, 1, 2, 25, 1000, 100, 4 * GB, 10000 }, 25, 25, 19, 20, RF_LIMIT_DESCRIPTORS,
      "AsyncRequestWorkerFactor 2500, LimitNOFILE 20200" },
    { "little memory", { 1, 2, 4, 25, 1250, 20200, GB / 2, 10000 }, 4096, 4096, 38, 20, RF_LIMIT_MEMORY,
      "1250 MB of memory to be free" },
    { "limits that are not known", { 1, 2, 4, 25, 1250, 0, 0, 10000 }, 10000, 10000, 38, 20, RF_LIMIT_QUEUE,
      "RDSFailoverRelease queue=10038" },
    { "a short queue", { 1, 2, 4, 25, 1250, 20200, 4 * GB, 20 }, 20, 20, 20, 20, RF_LIMIT_QUEUE, "RDSFailoverRelease queue=10038" },
    { "no queue", { 1, 2, 4, 25, 1250, 20200, 4 * GB, 0 }, 0, 0, 0, 20, RF_LIMIT_QUEUE, "RDSFailoverRelease queue=10038" },
    { "all limits equal", { 0, 40, 40, 10, 2, 1024, GB, 300 }, 300, 10, 300, 8, RF_LIMIT_QUEUE,
      "a larger RDSFailoverRelease queue=" },
    { "event with one thread", { 1, 1, 2, 1, 50, 1024, 4 * GB, 10000 }, 1, 1, 0, 1, RF_LIMIT_FACTOR,
      "ThreadsPerChild 25 and AsyncRequestWorkerFactor 2500, LimitNOFILE 20200" },
    { "event with two threads", { 1, 1, 2, 2, 1, 1024, 4 * GB, 10000 }, 2, 2, 1, 1, RF_LIMIT_FACTOR,
      "ThreadsPerChild 25 and AsyncRequestWorkerFactor 2500, LimitNOFILE 20200" },
    { "worker", { 0, 16, 16, 25, 2, 1024, 4 * GB, 10000 }, 300, 25, 300, 20, RF_LIMIT_WORKERS,
      "MaxRequestWorkers 13334 (or the event MPM, where waiting takes no worker)" },
    { "prefork", { 0, 256, 256, 0, 2, 1024, 4 * GB, 10000 }, 192, 1, 192, 1, RF_LIMIT_WORKERS,
      "MaxRequestWorkers 13334 (or the event MPM, where waiting takes no worker)" },
    { "prefork with a short queue", { 0, 256, 256, 1, 2, 1024, 4 * GB, 20 }, 20, 1, 20, 1, RF_LIMIT_QUEUE,
      "RDSFailoverRelease queue=192" },
    { "a single worker cannot be spared", { 0, 1, 1, 1, 2, 1024, 4 * GB, 10000 }, 0, 0, 0, 1, RF_LIMIT_WORKERS,
      "MaxRequestWorkers 13334 (or the event MPM, where waiting takes no worker)" },
};

/* Do what the advice says. @return how many can wait then */
static uint32_t follow(rf_limits limits, const char *advice)
{
    rf_capacity c;
    unsigned long n;
    const char *at;

    if ((at = strstr(advice, "ThreadsPerChild ")) && sscanf(at, "ThreadsPerChild %lu", &n) == 1)
        limits.threads = (uint32_t)n;
    if ((at = strstr(advice, "AsyncRequestWorkerFactor ")) && sscanf(at, "AsyncRequestWorkerFactor %lu", &n) == 1)
        limits.worker_factor = (uint32_t)n;
    if ((at = strstr(advice, "LimitNOFILE ")) && sscanf(at, "LimitNOFILE %lu", &n) == 1)
        limits.descriptors = n;
    if ((at = strstr(advice, "MaxRequestWorkers ")) && sscanf(at, "MaxRequestWorkers %lu", &n) == 1)
        limits.daemons = (uint32_t)((n + limits.threads - 1) / (limits.threads ? limits.threads : 1));
    if (sscanf(advice, "RDSFailoverRelease queue=%lu", &n) == 1)
        limits.queue = (uint32_t)n;
    if ((at = strstr(advice, " MB of memory")) != NULL) {
        while (at > advice && at[-1] >= '0' && at[-1] <= '9')
            at--;
        limits.memory = strtoul(at, NULL, 10) << 20;
    }
    rf_capacity_work_out(&limits, &c);
    return c.requests == limits.queue ? limits.queue : 0;
}

/* What must hold whatever the limits are. */
static void rules(void)
{
    static const uint64_t numbers[] = { 0, 1, 2, 3, 4, 5, 7, 25, 64, 500, 10000, UINT32_MAX };
    static const uint64_t large[] = { 0, 1, 199, 200, 201, 1024, 65536, UINT64_MAX };
    size_t n = sizeof numbers / sizeof numbers[0], m = sizeof large / sizeof large[0];
    unsigned greedy = 0, uneven = 0, idle = 0, silent = 0, starved = 0;

    for (size_t i = 0; i < 2 * n * n * n * n * m; i++) {
        rf_limits l = { .async = (int)(i % 2), .daemons = (uint32_t)numbers[i / 2 % n], .slots = 4,
                        .threads = (uint32_t)numbers[i / 2 / n % n], .worker_factor = (uint32_t)numbers[i / 2 / n / n % n],
                        .queue = (uint32_t)numbers[i / 2 / n / n / n % n], .descriptors = large[i / 2 / n / n / n / n % m],
                        .memory = large[(i + 3) % m] };
        uint64_t threads = l.threads ? l.threads : 1, workers = threads * (l.daemons ? l.daemons : 1);
        rf_capacity c;

        rf_capacity_work_out(&l, &c);
        greedy += c.requests > l.queue || c.blocking > c.requests || c.blocking >= workers;
        uneven += c.per_process > c.requests || (c.requests && l.descriptors > 1 && !c.per_process);
        idle += c.at_once < 1 || c.at_most < c.at_once || c.at_most > threads || (threads > 1 && c.at_most == threads);
        silent += !c.advice[0] || strlen(c.advice) > sizeof c.advice - 2;
        starved += !l.async && workers > 1 && l.queue && !c.requests;
    }
    is_int(greedy, 0, "never more than queue=, never every worker");
    is_int(uneven, 0, "one child holds some, but not more than the host");
    is_int(idle, 0, "a child releases at least one at once, and keeps a thread for others");
    is_int(silent, 0, "there is advice, and it fits");
    is_int(starved, 0, "two workers are enough to hold one request");
}

int main(void)
{
    rf_limits limits = tuned;
    rf_capacity c;

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        rf_capacity_work_out(&hosts[i].limits, &c);
        is_int(c.requests, hosts[i].requests, "%s: requests", hosts[i].name);
        is_int(c.per_process, hosts[i].per_process, "%s: in one process", hosts[i].name);
        is_int(c.blocking, hosts[i].blocking, "%s: with a worker each", hosts[i].name);
        is_int(c.at_once, hosts[i].at_once, "%s: run at once in one process", hosts[i].name);
        is_str(rf_limit_name(c.limited_by), rf_limit_name(hosts[i].by), "%s: the limit", hosts[i].name);
        is_str(c.advice, hosts[i].advice, "%s: the advice", hosts[i].name);
        if (strcmp(c.advice, "a larger RDSFailoverRelease queue="))
            ok(follow(hosts[i].limits, c.advice), "%s: is enough", hosts[i].name);
    }
    rules();

    rf_capacity_work_out(&limits, &c);
    ok(c.spare, "two generations find room");
    is_int(c.at_most, 23, "a child may release with all but two of its threads while another accepts");
    limits.own_sockets = 1;
    rf_capacity_work_out(&limits, &c);
    is_int(c.at_most, c.at_once, " unless nobody else accepts from its socket");
    limits.slots = 2;
    rf_capacity_work_out(&limits, &c);
    ok(!c.spare, "ServerLimit equal to the children leaves no room for the next generation");
    is_int(c.slots, 4, " so twice as many");
    limits.async = 0;
    rf_capacity_work_out(&limits, &c);
    ok(c.spare, " which does not matter where requests do not outlive their generation for long");
    return tap_done();
}
