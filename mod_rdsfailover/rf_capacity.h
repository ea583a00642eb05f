/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_CAPACITY_H
#define RF_CAPACITY_H
/**
 * @file rf_capacity.h
 * @brief How many requests this host can hold, by which limit, and what to raise for more.
 *
 * Layer: core. mod_rdsfailover_limits.c asks the MPM and the system for the limits.
 */
#include <stdint.h>

/** Memory that one held request is counted with, in bytes. Measured were 21 KB without and 50 KB with TLS. */
#define RF_CAPACITY_BYTES 65536u
/** Descriptors of a child that are not for held requests: listeners, logs, connections to PHP-FPM. A held one takes two. */
#define RF_CAPACITY_DESCRIPTORS 200u

/** What bounds a host. All of it may be any number, 0 included. */
typedef struct rf_limits {
    int async;              /**< the MPM keeps a waiting connection without a thread (event) */
    uint32_t daemons;       /**< children that run at most: MaxRequestWorkers / ThreadsPerChild */
    uint32_t slots;         /**< children of all generations together: ServerLimit */
    uint32_t threads;       /**< of a child; 1 on prefork */
    uint32_t worker_factor; /**< AsyncRequestWorkerFactor as the MPM counts it: a whole number, at least 1 */
    uint64_t descriptors;   /**< of a child (RLIMIT_NOFILE); 0: no limit known */
    uint64_t memory;        /**< bytes this host could still use; 0: not known */
    uint32_t queue;         /**< RDSFailoverRelease queue= */
    uint32_t stream_workers; /**< of a child, for HTTP/2 (H2MaxWorkers); 0: mod_http2's own, one and a half times its threads */
    int own_sockets;        /**< not every child accepts from the same socket (ListenCoresBucketsRatio) */
} rf_limits;

typedef enum {
    RF_LIMIT_QUEUE,
    RF_LIMIT_WORKERS,
    RF_LIMIT_FACTOR,
    RF_LIMIT_DESCRIPTORS,
    RF_LIMIT_MEMORY
} rf_limit;

typedef struct rf_capacity {
    uint32_t requests;    /**< that may wait at once on this host */
    uint32_t per_process; /**< and in one child; usually more than an even share, because children are not chosen evenly */
    uint32_t blocking;    /**< of these, how many may keep a worker while they wait, on this host */
    uint32_t streams;     /**< and how many streams of HTTP/2 in one child: mod_http2's workers are few, and serve files too */
    uint32_t at_once;     /**< released requests that one child runs at once; at least 1 */
    uint32_t at_most;     /**< and while another child takes connections and has workers to spare for everything else */
    rf_limit limited_by;  /**< the tightest limit */
    int spare;            /**< 1 if a new generation of children finds room beside one that still holds (ServerLimit) */
    uint32_t slots;       /**< what ServerLimit should be for that */
    char advice[320];     /**< what to set to hold more: "AsyncRequestWorkerFactor 334, LimitNOFILE 20200"; never empty */
} rf_capacity;

/**
 * On an async MPM a child accepts connections while those it has are fewer than its threads + idle threads × worker_factor. Held
 * ones count, and while they are released only the reserve (threads - at_once) is idle, of which one is lost to a child that had to
 * stop accepting; a quarter of the threads' connections is left to what is not held. `requests` is kept below that, so that files,
 * status and health are served then too; a child may hold more than its even share and then accepts nothing for a while, but others
 * do.
 *
 * Elsewhere a held request keeps its worker, and three quarters of all workers may be kept. A child may be full of them.
 */
void rf_capacity_work_out(const rf_limits *limits, rf_capacity *ret_capacity);

/** @return what this limit is set with: "AsyncRequestWorkerFactor" and so on; never NULL */
const char *rf_limit_name(rf_limit limit);

#endif /* RF_CAPACITY_H */
