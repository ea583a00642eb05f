/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_GREETING_H
#define RF_GREETING_H
/**
 * @file rf_greeting.h
 * @brief A server's first and last words, read from bytes that were only peeked at: enough to tell a MySQL server from another
 *        one, whether it offers TLS, and why it says goodbye. Everything else is the client library's business.
 *
 * Layer: core.
 */
#include <stddef.h>

#define RF_GREETING_MAX 1024 /**< longer first packets are no greeting; real ones have about 100 bytes */

typedef enum {
    RF_GREETING_MORE,    /**< fine so far; more bytes are needed */
    RF_GREETING_TLS,     /**< a MySQL server that offers TLS */
    RF_GREETING_PLAIN,   /**< a MySQL server that does not */
    RF_GREETING_ERROR,   /**< a MySQL server that refuses at once: 1040, 1129, 1130 */
    RF_GREETING_STRANGER /**< not a MySQL server we understand */
} rf_greeting;

/** @param ret_need on RF_GREETING_MORE: how many bytes there must be before it is worth asking again, at most RF_GREETING_MAX */
rf_greeting rf_greeting_read(const unsigned char *said, size_t size, size_t *ret_need);

/** The first line of what a stranger said, printable, cut to fit. */
void rf_greeting_quote(const unsigned char *said, size_t size, char *ret_text, size_t text_size);

/**
 * The error packet that a server sends unasked before it closes a connection.
 * @return the error number, or 0 if the bytes are none; `ret_text` is then untouched
 */
unsigned rf_farewell_read(const unsigned char *said, size_t size, char *ret_text, size_t text_size);

#endif /* RF_GREETING_H */
