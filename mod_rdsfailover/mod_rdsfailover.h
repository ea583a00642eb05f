/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_H
#define MOD_RDSFAILOVER_H
/**
 * @file mod_rdsfailover.h
 * @brief What the glue files share: configuration, the databases, the life of the board and its monitor.
 *
 * Layer:     glue. Includes httpd; nothing below this layer does.
 * Ownership: configuration lives in pconf and is never written after post_config (any child may be forked from it). The board
 *            lives in the process pool, so that it survives graceful restarts under requests that still wait.
 */
#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>
#include <ap_mpm.h>

#include "rf_board.h"
#include "rf_capacity.h"
#include "rf_policy.h"
#include "rf_source.h"

extern module AP_MODULE_DECLARE_DATA rdsfailover_module;

/** The keys of RDSFailoverCheck, in the order in which its setter lists them. */
enum {
    RF_CHECK_INTERVAL, RF_CHECK_FAST, RF_CHECK_TIMEOUT, RF_CHECK_FAILS, RF_CHECK_PASSES, RF_CHECK_LATE, RF_CHECK_WRITABLE,
    RF_CHECK_CANDIDATES, RF_CHECK_APP
};

/** RDSFailoverCheck with a mark for every key that was written. */
typedef struct rf_check {
    rf_policy policy;
    unsigned set; /**< bit per RF_CHECK_ */
} rf_check;

/** One database that is watched, built in post_config, the same for all virtual hosts with this DSN. */
typedef struct rf_database {
    int index;
    const char *name;     /**< the endpoint's first label, for people */
    server_rec *server;   /**< the first virtual host that names it: its log is used */
    rf_source source;     /**< how to read the DSN again */
    rf_dsn dsn;           /**< as read at start */
    rf_check check;
    unsigned nresolvers;
    char resolvers[RF_RESOLVERS][64];
    rf_time dns_timeout;
    int abort_stale;      /**< RDSFailoverAbortStale */
    char *const *notify;  /**< RDSFailoverNotify: the command and its arguments, ended by NULL; NULL: none */
    int dry_run;          /**< RDSFailoverDryRun, of every virtual host */
    rf_slot *slot;
} rf_database;

typedef struct rf_server_conf {
    const char *dsn; /**< RDSFailoverDSN, or NULL */
    rf_check check;
    int resolver_set;
    unsigned nresolvers;
    char resolvers[RF_RESOLVERS][64];
    int dns_timeout_set;
    rf_time dns_timeout;
    int dry_run;     /**< -1 unset */
    int abort_stale; /**< -1 unset */
    int notify_set;
    char *const *notify; /**< as in rf_database */
    int queue;       /**< -1 unset; main server only */
    int concurrency; /**< -1 unset; main server only */
    rf_database *database; /**< NULL: this virtual host has none */
} rf_server_conf;

typedef enum { RF_ENDING_UNSET, RF_ENDING_ERROR, RF_ENDING_PASS } rf_ending;

#define RF_HOLD_UNSET ((rf_time)-1)
#define RF_FRONT_NONE ((rf_time)0)
#define RF_EXPOSE_ALL (~0u)
#define RF_REPLAY_UNSET (-1)
#define RF_BODY_UNSET (-1)

typedef struct rf_dir_conf {
    int enabled;      /**< -1 unset */
    rf_time hold;     /**< longest hold; 0 off; RF_HOLD_UNSET */
    rf_time front;    /**< what stands in front gives up after this long; RF_FRONT_NONE; RF_HOLD_UNSET */
    rf_time margin;   /**< with less than this of it left a request is not started; RF_HOLD_UNSET */
    rf_ending ending;
    int replay;       /**< rf_replay_mode; RF_REPLAY_UNSET */
    unsigned attempts; /**< executions in all; 0 unset */
    int body;         /**< bytes kept of a request's body; RF_BODY_UNSET */
    int control;      /**< RDSFailoverControl; -1 unset */
    int expose_set;
    unsigned expose;  /**< bit per variable, see mod_rdsfailover_env.c */
} rf_dir_conf;

/** Defaults that several files need. */
#define RF_HOLD_DEFAULT RF_SEC(150)
#define RF_QUEUE_DEFAULT 10000
#define RF_CONCURRENCY_DEFAULT 32
#define RF_FRONT_DEFAULT RF_SEC(60)
#define RF_ATTEMPTS_DEFAULT 2
#define RF_BODY_DEFAULT 65536

/* mod_rdsfailover_directives.c */
extern const command_rec rf_directives[];

/* mod_rdsfailover_config.c */
void *rf_config_create_server(apr_pool_t *p, server_rec *s);
void *rf_config_merge_server(apr_pool_t *p, void *outer, void *inner);
void *rf_config_create_dir(apr_pool_t *p, char *path);
void *rf_config_merge_dir(apr_pool_t *p, void *outer, void *inner);
rf_server_conf *rf_config_server(const server_rec *s);
rf_dir_conf *rf_config_dir(const request_rec *r);

/** How long after its arrival a request may still be started: what stands in front waits for the answer. 0: any time */
rf_time rf_config_leg(const rf_dir_conf *dir);
/** The longest hold, all legs together; 0: none */
rf_time rf_config_longest(const rf_dir_conf *dir);

/* mod_rdsfailover_databases.c */
/** check_config: what only the whole configuration shows. @return OK, or HTTP_INTERNAL_SERVER_ERROR after saying why */
int rf_databases_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
/** Read every DSN and give each virtual host its database. What cannot be read, or has no place on the board, is said and left
 *  out. @return NULL if the configuration contradicts itself */
apr_array_header_t *rf_databases_build(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *main_server, rf_board *board);

/* mod_rdsfailover_life.c */
int rf_life_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
/** The parent's maintenance, every ten seconds or so: a monitor that could not be started is tried again. */
int rf_life_monitor(apr_pool_t *p, server_rec *s);
void rf_life_child_init(apr_pool_t *pchild, server_rec *s);
/** The child takes no connection any more. */
void rf_life_child_stopping(apr_pool_t *pchild, int graceful);
void rf_life_child_status(server_rec *s, pid_t pid, ap_generation_t gen, int slot, mpm_child_status state);
rf_board *rf_life_board(void);
/** This child's cell of the board, -1 if it has none. */
int rf_life_child(void);
/** rf_database * in order of index. */
const apr_array_header_t *rf_life_databases(void);
/** Ask the monitor to look at once. Never blocks. */
void rf_life_wake_monitor(void);
/** Have the monitor carry out an order. Never blocks. @return 0 if it could not be sent */
int rf_life_send_order(const rf_order *order);
/** In the monitor: the next order, also one that was sent to the monitor before. @return 0 if there is none */
int rf_life_receive_order(rf_order *ret_order);

/* mod_rdsfailover_limits.c */
/** post_config: ask the MPM and the system how much this host can hold, and say it. */
void rf_limits_read(server_rec *s);
/** As read then, for every process. All 0 before. */
const rf_capacity *rf_limits_capacity(void);

/* mod_rdsfailover_supervisor.c */
/** The monitor process: returns when it is of no use any more. `wake_fd` is readable when a request suspects something. */
void rf_supervisor_run(server_rec *s, rf_board *board, const apr_array_header_t *databases, const char *prober_path, int wake_fd);

/* mod_rdsfailover_sockets.c: in the monitor process; the rest is in its header */
/** @return 1 if sockets are to be destroyed for one of them: the process then needs CAP_NET_ADMIN */
int rf_sockets_wanted(const apr_array_header_t *databases);
/** Find out, before the first pass, what the kernel and the rights allow, and say what they do not. @param right CAP_NET_ADMIN is there */
void rf_sockets_begin(server_rec *s, const apr_array_header_t *databases, int right);

/* mod_rdsfailover_env.c */
int rf_env_post_read_request(request_rec *r);
/** Take away what an outer request or the one before a redirect was given: this section decides for itself. */
void rf_env_clear(request_rec *r);
/** Give the request its variables as of `brief`. @param attempt of how many executions this is */
void rf_env_set(request_rec *r, rf_database *db, const rf_brief *brief, unsigned attempt);
/** @return NULL, or what is wrong with a name given to RDSFailoverExpose */
const char *rf_env_expose(const char *name, unsigned *ret_bit);
void rf_env_child_init(apr_pool_t *pchild);

/* mod_rdsfailover_gate.c */
int rf_gate_fixups(request_rec *r);
/** A protected request has failed: the monitor looks at once, before its next turn. */
int rf_gate_log_transaction(request_rec *r);

/* mod_rdsfailover_replay.c */
void rf_replay_register(apr_pool_t *p);
int rf_replay_create_request(request_rec *r);
void rf_replay_insert_filter(request_rec *r);
/** Around all other handlers of a request that may have to run again. */
int rf_replay_handler(request_rec *r);

/* mod_rdsfailover_async.c */
void rf_async_child_init(apr_pool_t *pchild, server_rec *s);
/** A request that may be held gives its read buffer back first: 4 KB less for each that waits. */
int rf_async_post_read_request(request_rec *r);
/** Around every other module's: a connection whose request is held is parked, and goes on when it comes back. */
int rf_async_process_connection(conn_rec *c);
void rf_async_suspend_connection(conn_rec *c, request_rec *r);
void rf_async_resume_connection(conn_rec *c, request_rec *r);

/* mod_rdsfailover_round.c */
/**
 * Take the place cookies out of the request, all of them, so that the application never sees one. To be called for every request
 * of a section with `RDSFailover on`, also while all is well: the visitor who comes back may find a writer. Costs one look at the
 * Cookie header if there is none. A second call for the same request finds nothing any more: keep what the first returned.
 * @param longest how long a request may wait here in all
 * @return when the visitor first arrived, on the clock of r->request_time: earlier than that if he brought a good place of this
 *         method and URL, else r->request_time itself: one that is missing, forged, for another request, older than `longest`
 *         allows, or was sent more than 30 s ago (a reload must not inherit the deadline of the first try)
 */
apr_time_t rf_round_arrival(request_rec *r, const rf_database *db, rf_time longest);
/** @return 1 if this request may be sent round by 307: not HTTP/1.0, no OPTIONS, CONNECT or TRACE, no upgrade, and as the client
 *          sent it, not what it was redirected to inside */
int rf_round_possible(const request_rec *r);
/** Make the 307 that brings the visitor back to the place of `arrival`, which rf_round_arrival gave. The body must be unread.
 *  @return HTTP_TEMPORARY_REDIRECT, for fixups to return or ap_die to take */
int rf_round_send(request_rec *r, const rf_database *db, apr_time_t arrival);

/* mod_rdsfailover_ending.c */
/** Answer 503 with Retry-After, a page or a problem document. @param kept_nothing nothing of the request was done that lasts; 0:
 *  nobody knows @return DONE */
int rf_ending_send(request_rec *r, int kept_nothing);

/* mod_rdsfailover_status.c */
int rf_status_handler(request_rec *r);

/** The monotonic clock, as rf_time. */
rf_time rf_clock_now(void);

#endif /* MOD_RDSFAILOVER_H */
