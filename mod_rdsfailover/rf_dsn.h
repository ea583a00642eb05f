/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_DSN_H
#define RF_DSN_H
/**
 * @file rf_dsn.h
 * @brief The database's address and credentials as one URL: mysql://user:pass@host:3306/db?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path
 *
 * Layer:     core. No I/O, no allocation.
 * Ownership: a rf_dsn is plain bytes without pointers; it may be copied, kept in shared memory and sent through a socket.
 */
#include <stddef.h>
#include <stdint.h>

/** MySQL's own five modes; the first is what its client does when nothing is said. */
typedef enum {
    RF_TLS_PREFERRED,
    RF_TLS_DISABLED,
    RF_TLS_REQUIRED,
    RF_TLS_VERIFY_CA,
    RF_TLS_VERIFY_IDENTITY /**< the certificate must name `host`: the only mode that proves an address's identity */
} rf_tls_mode;

typedef struct rf_dsn {
    char scheme[12]; /**< as it came, for the application, which may know no other; empty: mysql */
    char host[256]; /**< name or address, IPv6 without brackets, lower case; never empty in a parsed DSN */
    uint16_t port;  /**< 3306 unless given */
    rf_tls_mode tls;
    char user[97];
    char password[1025]; /**< decoded; room for an IAM token */
    char database[193];  /**< decoded; may be empty */
    char tls_ca[513];    /**< file of certificate authorities; may be empty */
    char extra[513];     /**< the query's other parameters, as they came, for the application alone */
} rf_dsn;

/**
 * Read a URL. Schemes: mysql, mysql2, mariadb, pdo-mysql. User, password, database and query values are percent-encoded.
 * @return NULL, or what is wrong and what is accepted, as a sentence that holds nothing of the URL itself (it may have a
 *         password in it); `ret_dsn` is then untouched
 */
const char *rf_dsn_parse(const char *url, rf_dsn *ret_dsn);

/** Set one part from its own variable (RDS_PORT and the like), with the same limits as in a URL. @return as rf_dsn_parse */
const char *rf_dsn_set_host(rf_dsn *dsn, const char *value);
const char *rf_dsn_set_port(rf_dsn *dsn, const char *value);
const char *rf_dsn_set_user(rf_dsn *dsn, const char *value);
const char *rf_dsn_set_password(rf_dsn *dsn, const char *value);
const char *rf_dsn_set_database(rf_dsn *dsn, const char *value);

/**
 * Write the URL with the password, as the application gets it: every reserved byte percent-encoded, IPv6 in brackets, port
 * always present. Parsing the result gives the same rf_dsn.
 * @return bytes written without the final NUL, or 0 if `size` is too small (RF_DSN_URL_MAX always suffices)
 */
size_t rf_dsn_print(const rf_dsn *dsn, char *ret_url, size_t size);
#define RF_DSN_URL_MAX 6400

/** Take any URL-like text, valid or not, and write it without whatever could be a password, for messages about bad input. */
void rf_dsn_redact_text(const char *url, char *ret_text, size_t size);

/** Overwrite a rf_dsn so that the compiler cannot leave it out. */
void rf_dsn_wipe(rf_dsn *dsn);

/** @return identity of what is watched: equal for DSNs that differ in nothing but the password, which may be rotated; never 0 */
uint64_t rf_dsn_key(const rf_dsn *dsn);

/** @return the mode's name as MySQL spells it, "VERIFY_IDENTITY"; never NULL */
const char *rf_tls_mode_name(rf_tls_mode mode);

#endif /* RF_DSN_H */
