/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_NOTIFY_H
#define RF_NOTIFY_H
/**
 * @file rf_notify.h
 * @brief What is worth telling by RDSFailoverNotify, and how: the environment of the command.
 *
 * Layer: core. No I/O, no clock, no allocation. Texts that a server or a user chose are left out: a command may be a shell script.
 */
#include "rf_board.h"

#define RF_NOTIFY_VARIABLES 12
#define RF_NOTIFY_VARIABLE_MAX 320

/** The gravest of what changed. */
typedef enum { RF_NOTIFY_NOTHING, RF_NOTIFY_ORDER, RF_NOTIFY_WRITER, RF_NOTIFY_STATE } rf_notify_event;

/** @return what changed between two publications; an order's new end is nothing */
rf_notify_event rf_notify_event_of(const rf_brief *before, const rf_brief *after);

typedef struct rf_notify_facts {
    rf_notify_event event;
    const char *database; /**< its name */
    const char *endpoint;
    uint16_t port;
    const char *host; /**< this one */
    rf_state_name from;
    const rf_snapshot *snapshot; /**< as published now */
    int64_t wall;                /**< microseconds since 1970 */
} rf_notify_facts;

/** Room for an environment: each variable is "NAME=value". */
typedef struct rf_notify_env {
    unsigned n;
    char variables[RF_NOTIFY_VARIABLES][RF_NOTIFY_VARIABLE_MAX];
} rf_notify_env;

/** What is not known is empty. A value that is too long is cut. */
void rf_notify_environment(const rf_notify_facts *facts, rf_notify_env *ret_env);

#endif /* RF_NOTIFY_H */
