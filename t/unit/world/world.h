/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_WORLD_H
#define RF_WORLD_H
/**
 * @file world.h
 * @brief A scripted world for rf_monitor: database servers, resolvers, a prober and a clock that jumps to the next event.
 *
 * Layer:     tests.
 * Ownership: a world is plain memory of its test; strings of a step must outlive it.
 * Threads:   one.
 *
 * The prober behaves as rf_sample.h says: one attempt per address, a verdict at its deadline, a login that got through to the
 * server stays pending. After every event the world checks what must hold whatever happens; world.wrong has the first breach.
 */
#include "rf_monitor.h"

/** How a server behaves towards the prober. */
typedef enum {
    W_REFUSES,   /**< nothing listens; connections that were open break at once */
    W_UP,        /**< logs in and takes writes */
    W_READ_ONLY, /**< logs in, takes no writes */
    W_SILENT,    /**< a black hole: packets vanish */
    W_HANGS,     /**< the kernel accepts, the server is stopped */
    W_LEAVES,    /**< says 1053 to open connections, then nothing listens */
    W_ERROR      /**< answers logins with an error number; connections that are open still work */
} w_how;

typedef enum {
    W_END,      /**< ends a story */
    W_SERVER,   /**< `who` behaves like `how` from now on; `arg` is the error number */
    W_RTT,      /**< a question to `who` takes `arg` milliseconds */
    W_PROVEN,   /**< the certificate of `who` names the endpoint, if `arg` */
    W_DNS,      /**< the zone names the addresses in `who`, separated by blanks; nothing: it does not answer */
    W_HOST_DNS, /**< the same for the host's own resolver where it is another one */
    W_TTL,      /**< of answers from now on, seconds */
    W_PRIME,    /**< the resolver asks the zone now, whatever it has cached */
    W_PROBER,   /**< `how`: a w_prober */
    W_STOP,     /**< the monitor's process stands still for `arg` milliseconds */
    W_LOOK,     /**< a request suspects something */
    W_SOCKETS,  /**< this host has `arg` more sockets to `who` */
    W_FORBID,   /**< sockets may not be destroyed any more */
    W_ORDER,    /**< `how`: an rf_order_action, for `arg` seconds, by `who`; lost if the monitor does not run */
    W_RUNS,     /**< `arg` requests are past the gate */
    W_TROUBLE,  /**< the application fails with `arg` requests that were let go while recovering */
    W_KILL      /**< the monitor dies and is started anew `arg` milliseconds later; `how`: in mid-write, only the brief is left */
} w_what;

typedef enum { W_WORKS, W_STUCK /**< until it is replaced */, W_USELESS /**< however often it is replaced */, W_ABSENT /**< dies at once */ } w_prober;

typedef struct w_step {
    int at; /**< milliseconds */
    w_what what;
    const char *who;
    int how;
    int arg;
} w_step;

#define SERVER(at, who, how) { at, W_SERVER, who, how, 0 }
#define FAULT(at, who, code) { at, W_SERVER, who, W_ERROR, code }
#define RTT(at, who, ms) { at, W_RTT, who, 0, ms }
#define PROVEN(at, who, yes) { at, W_PROVEN, who, 0, yes }
#define DNS(at, names) { at, W_DNS, names, 0, 0 }
#define HOST_DNS(at, names) { at, W_HOST_DNS, names, 0, 0 }
#define TTL(at, seconds) { at, W_TTL, "", 0, seconds }
#define PRIME(at) { at, W_PRIME, "", 0, 0 }
#define PROBER(at, how) { at, W_PROBER, "", how, 0 }
#define STOP(at, ms) { at, W_STOP, "", 0, ms }
#define LOOK(at) { at, W_LOOK, "", 0, 0 }
#define SOCKETS(at, who, n) { at, W_SOCKETS, who, 0, n }
#define FORBID(at) { at, W_FORBID, "", 0, 0 }
#define ORDER(at, action, seconds) { at, W_ORDER, "alice", action, seconds }
#define RUNS(at, n) { at, W_RUNS, "", 0, n }
#define TROUBLE(at, n) { at, W_TROUBLE, "", 0, n }
#define KILL(at, ms) { at, W_KILL, "", 0, ms }
#define TEAR(at, ms) { at, W_KILL, "", 1, ms }

#define W_SERVERS 32
#define W_LOG 4096
#define W_START RF_SEC(1000)

typedef struct w_server {
    rf_address address;
    w_how how;
    unsigned code;
    rf_time since, rtt;
    int proven;
    unsigned asked;
    int kept;             /* a connection is open */
    rf_time lost_at;      /* when the prober will notice that it broke; 0: it did not */
    int attempt, login, connected;
    uint32_t ticket;
    rf_time began, deadline, timeout;
    unsigned sockets;     /* of this host's applications */
    rf_time aborted_at;   /* when some of them were last destroyed */
} w_server;

typedef struct w_resolver {
    char zone[800];      /* what a fresh question gets */
    char cached[800];
    rf_time expires;     /* of `cached` */
    int own;             /* has a zone of its own */
} w_resolver;

/** One published change of state, epoch or writer. */
typedef struct w_entry {
    rf_time at;
    rf_state_name state;
    uint32_t epoch;
    rf_address writer;
} w_entry;

typedef struct world {
    rf_time now;
    rf_monitor monitor;
    rf_policy policy;
    int own_resolver;
    w_prober prober;
    rf_time prober_back;  /* a dead prober is started again then */
    rf_time down_until;   /* the monitor's process does not run */
    int dead;             /* ... because it was killed */
    rf_time due;

    w_server servers[W_SERVERS];
    unsigned nservers;
    w_resolver dns, host;
    uint32_t ttl;
    rf_time dns_due;      /* an answer is on its way; 0 none */
    rf_time dns_deadline;

    rf_snapshot board;    /* as published */
    rf_time drain;        /* the queue is empty this long after a hold ended */
    rf_time holding_since, released_at;
    uint64_t held;        /* 100 requests a second arrive */
    uint64_t inflight;
    uint64_t workers;     /* so many released requests run at most; 0: as many as may */
    uint64_t troubled, finished; /* a thousand a second end of each that runs */
    rf_time counted;      /* until when */
    rf_time grown_at;     /* brief.allowed */
    rf_time hold_until;   /* as ordered, and not released; 0 none */

    w_entry log[W_LOG];
    unsigned nlog;
    unsigned said[256];   /* how often each message was, by id */
    unsigned probes, replaced, verdicts;
    int forbidden;        /* to destroy sockets */
    unsigned aborts;      /* passes over sockets */
    rf_address abort_list[RF_ADDRESSES]; /* the one under way ... */
    unsigned nabort;
    int abort_destroys;
    rf_time abort_ends;   /* ... until then; 0: none is */
    rf_time longest;      /* that requests were held without a break */
    int outage_open;      /* since the epoch grew */
    char wrong[400];
} world;

/** RDSFailoverCheck without arguments. */
rf_policy world_policy(void);

void world_begin(world *w, const rf_policy *policy);
void world_apply(world *w, const w_step *step);
/** Let time pass until `ms` after the start; steps up to then are applied when their time comes. @param steps may be NULL */
void world_run(world *w, const w_step *steps, int ms);

/** Milliseconds after `since` until a reader of the board first saw one of these states (a mask of 1 << state); -1 never. */
double world_when(const world *w, unsigned states, double since);
#define W_HOLDING (1u << RF_STATE_SUSPECT | 1u << RF_STATE_OUTAGE)
#define W_OPEN (1u << RF_STATE_AVAILABLE | 1u << RF_STATE_RECOVERING)

/** How often this address was asked. */
unsigned world_asked(const world *w, const char *address);

/** The states in order, as "unknown available suspect". */
const char *world_path(const world *w);
/** @return 1 and fill world.wrong if `cond` does not hold */
int world_blame(world *w, int bad, const char *what);

#endif /* RF_WORLD_H */
