/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_MYSQL_H
#define RF_IO_MYSQL_H
/**
 * @file rf_io_mysql.h
 * @brief One connection to one address of the database: login, the question whether it takes writes, and the watch between.
 *
 * Layer:     I/O. Nothing here blocks and nothing reads a clock: deadlines belong to the caller.
 * Ownership: a link belongs to who opened it, the DSN to the caller and must outlive the link.
 * Threads:   one.
 */
#include <poll.h>

#include "rf_sample.h"

typedef enum {
    RF_LINK_CONNECTING, /**< TCP is not there yet: giving up costs nothing */
    RF_LINK_LOGIN,      /**< half a login: giving up may count towards 1129 on the server */
    RF_LINK_ASKING,     /**< logged in, an answer is outstanding */
    RF_LINK_IDLE,       /**< logged in, being watched */
    RF_LINK_CLOSED      /**< over; the last news says why */
} rf_link_phase;

typedef struct rf_link rf_link;

/** Start to log in and to ask. There may be news at once. @return NULL if memory is exhausted */
rf_link *rf_link_open(const rf_dsn *dsn, const rf_address *address);

rf_link_phase rf_link_where(const rf_link *link);

/** @return 1 if this attempt failed after the server's greeting, which the server holds against this host (1129) */
int rf_link_spoiled(const rf_link *link);

/** Ask again on an idle link. */
void rf_link_ask(rf_link *link);

/** What to poll for; fd is -1 if the link is closed. */
struct pollfd rf_link_poll(const rf_link *link);

/** Go on after poll. */
void rf_link_ready(rf_link *link, int revents);

/**
 * What happened since the last call: a sample of kind PROBE (the verdict of one question) or IDLE_LOST, with ticket, rtt and
 * pending left 0. Valid until the next call for this link.
 * @return NULL if nothing did
 */
const rf_sample *rf_link_news(rf_link *link);

/** Take leave properly if the link is idle, with RST in any other phase. NULL is fine. */
void rf_link_close(rf_link *link);

#endif /* RF_IO_MYSQL_H */
