/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_PACE_H
#define RF_PACE_H
/**
 * @file rf_pace.h
 * @brief How many released requests may run at once: what is tried next on a database that has just come back.
 *
 * A release begins with RDSFailoverRelease's `concurrency` and is judged once a second. As soon as enough requests have ended to
 * tell how long they take, a second that gave no reason against it doubles the number, if as many did run: what the processes have
 * workers for is their own limit, and a number that nobody uses says nothing of the database. BUSY halves it, at once. A doubling
 * that made requests take clearly longer is taken back, and was the last one: beyond that point they only wait inside the
 * application for each other. The question of a probe does not show that, because a server whose processor is full still answers a
 * trivial one at once.
 *
 * Layer:   core. No I/O, no clock, no allocation.
 * Threads: one writer (the monitor).
 */
#include <stdint.h>

#include "rf_time.h"

/** Between two steps up, and at least between two steps down. */
#define RF_PACE_STEP RF_SEC(1)
/** Growth ends here. Still a number and not "any", so that a database that becomes busy can halve it. */
#define RF_PACE_MAX 65536u
/** Answers of one step that are kept, the last ones. */
#define RF_PACE_ANSWERS 32

/**
 * Latency has grown if more than half of a step's answers took longer than FACTOR × the quickest answer of this writer + NOISE.
 * More than half, because single answers are late for reasons of their own, most of all on a web host whose processors the
 * release itself has just filled. A factor, because what is much depends on how far the database is away: of 40 ms across
 * regions, 20 ms are jitter. A constant, because on the local network a question takes 0.2 ms, and then any interrupt multiplies
 * it; a process that competes for a processor waits some milliseconds for it. A saturated database takes tens of milliseconds.
 */
#define RF_PACE_FACTOR 2
#define RF_PACE_NOISE RF_MS(5)

/** A round, the time at one level, is long enough when twice as many have ended as ran, so that at least half of them were begun in
 *  it, and LEAST. */
#define RF_PACE_LEAST 8
/** Requests of a round may take so many percent of the quickest round's (+ NOISE). Of a database that is full, twice as many at once
 *  take 200, because no more of them end in a second than before; 150 are a third more that end. */
#define RF_PACE_WORTH 150

/** One failed request in so many is the application's everyday life: a page that always fails must not hold a release back. */
#define RF_PACE_TROUBLE 20

/** What was counted on this host. */
typedef struct rf_pace_counts {
    uint64_t running;  /**< released requests that run now */
    uint64_t finished; /**< that have ended, until now */
    uint64_t troubled; /**< that have failed in the application, until now */
} rf_pace_counts;

/** What a step came to. */
typedef enum {
    RF_PACE_NOT_YET, /**< the step is not over */
    RF_PACE_GREW,    /**< or is at RF_PACE_MAX */
    RF_PACE_BUSY,    /**< the database said "too many connections" */
    RF_PACE_FAILING, /**< too many released requests failed in the application */
    RF_PACE_SILENT,  /**< an answer was late, or none came at all */
    RF_PACE_SLOW,    /**< latency has grown: `typical` over `base` */
    RF_PACE_UNUSED,  /**< fewer than half ran of those that might */
    RF_PACE_STUCK,   /**< as many ran as might, and none of them has ended */
    RF_PACE_YOUNG,   /**< too few have ended to tell how long they take */
    RF_PACE_FULL     /**< requests take longer than they did: `takes` over `quickest`. After a doubling it went back, and stays */
} rf_pace_verdict;

typedef struct rf_pace {
    uint32_t allowed;  /**< at once, on this host; at least 1 */
    uint32_t most;     /**< largest `allowed` of this release */
    rf_time next;      /**< when the step is over */
    rf_time base;      /**< the quickest answer of this writer; 0: none seen yet */
    rf_time typical;   /**< the median answer of the step before */
    rf_time halved;    /**< when BUSY last did so; 0: never */
    uint64_t running;  /**< most that were seen running in this step; 0: none */
    uint64_t finished, troubled; /**< the counts when the step began */
    rf_time round;     /**< when the round began */
    uint64_t round_finished; /**< the count then */
    uint64_t most_ran; /**< most that were seen running in this round, until this step */
    rf_time takes;     /**< what requests of the last round took, at least */
    rf_time quickest;  /**< the least that requests of a round took; 0: not known yet */
    int doubled;       /**< the round began with that */
    int full;          /**< never grows again */
    int busy, doubted; /**< in this step */
    unsigned answers;  /**< in this step; `rtts` is a ring */
    rf_time rtts[RF_PACE_ANSWERS];
} rf_pace;

/**
 * A release begins, or is taken over from an earlier monitor.
 * @param allowed  at once to begin with; 0 counts as 1
 * @param base     the quickest answer of this writer so far, 0 if there was none
 */
void rf_pace_begin(rf_pace *pace, uint32_t allowed, rf_time base, const rf_pace_counts *counts, rf_time now);

/** The writer answered a question on an open connection within `rtt` (a login takes long for reasons of its own). */
void rf_pace_answered(rf_pace *pace, rf_time rtt);

/**
 * The writer said that it has too many connections: half as many as were seen running, which may be far fewer than are allowed;
 * at most once in RF_PACE_STEP. @return 1 if `allowed` changed
 */
int rf_pace_busy(rf_pace *pace, rf_time now);

/** The writer became suspect: this step does not grow. It does not shrink either: meanwhile nothing was let go. */
void rf_pace_doubted(rf_pace *pace);

/** Time passed: if the step is over, judge it and begin the next. A caller that comes late has missed steps, not saved them up. */
rf_pace_verdict rf_pace_tick(rf_pace *pace, const rf_pace_counts *counts, rf_time now);

#endif /* RF_PACE_H */
