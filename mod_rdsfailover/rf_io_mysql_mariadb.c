/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_mysql_mariadb.c
 * @brief MariaDB Connector/C 3.1 and later.
 *
 * TLS: VERIFY_CA checks the chain and not the name, if a CA file is given. From 3.4 on the library has one switch for both,
 * and without a CA file no way to tell them apart either: there VERIFY_CA is as strict as VERIFY_IDENTITY.
 */
#include "rf_io_mysql_vendor.h"

#ifdef MARIADB_PACKAGE_VERSION_ID

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What a server may ask us to prove the password with. "dialog" would talk to a terminal; the password goes in clear text
 * only where TLS is certain. */
#define METHODS "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec"

/* How long the library waits for its own polls is not its business but rf_mysql_wait's. */
static int library_polls(my_socket fd, my_bool is_read, int timeout)
{
    if (rf_mysql_wait(fd, is_read ? POLLIN : POLLOUT))
        return 1;
    errno = ECONNABORTED;
    return -1;
}

static int wait_for(MYSQL *mysql, int wanted)
{
    int events = (wanted & MYSQL_WAIT_READ ? POLLIN : 0) | (wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
                 (wanted & MYSQL_WAIT_EXCEPT ? POLLPRI : 0);
    int came = rf_mysql_wait(mysql_get_socket(mysql), events);
    int happened = (came & POLLIN ? MYSQL_WAIT_READ : 0) | (came & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
                   (came & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);

    /* An error, and a socket that was aborted, shows itself when the library tries again. */
    return happened ? happened : wanted & ~MYSQL_WAIT_TIMEOUT;
}

/* Where no certificate is checked, the library still reads every authority this host trusts, at each login: 20 ms of work. */
static void skip_authorities(int skip)
{
    static const char *const names[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};
    static char *kept[2];
    static int skipped;
    int i;

    for (i = 0; i < 2 && skip != skipped; i++) {
        if (skip) {
            kept[i] = getenv(names[i]) ? strdup(getenv(names[i])) : NULL;
            setenv(names[i], "/dev/null", 1);
        } else {
            if (kept[i])
                setenv(names[i], kept[i], 1);
            else
                unsetenv(names[i]);
            free(kept[i]);
        }
    }
    skipped = skip;
}

static int checks_chain_alone(void)
{
    return mysql_get_client_version() < 30400;
}

void rf_vendor_options(MYSQL *mysql, const rf_dsn *dsn, int *ret_by_name)
{
    int by_name = dsn->tls == RF_TLS_VERIFY_IDENTITY ||
                  (dsn->tls == RF_TLS_VERIFY_CA && !(dsn->tls_ca[0] && checks_chain_alone()));
    my_bool use = dsn->tls != RF_TLS_DISABLED, verify = by_name != 0, no = 0;
    size_t stack = 256 * 1024;

    mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, &stack);
    mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, library_polls);
    mysql_optionsv(mysql, MYSQL_OPT_RECONNECT, &no);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &use);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (dsn->tls >= RF_TLS_VERIFY_CA && dsn->tls_ca[0])
        mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, dsn->tls_ca);
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH,
                   dsn->tls >= RF_TLS_REQUIRED ? METHODS ",mysql_clear_password" : METHODS);
    skip_authorities(dsn->tls < RF_TLS_VERIFY_CA);
    *ret_by_name = by_name;
}

int rf_vendor_connect(MYSQL *mysql, const char *host, const rf_dsn *dsn)
{
    MYSQL *result = NULL;
    int wanted = mysql_real_connect_start(&result, mysql, host, dsn->user, dsn->password, dsn->database[0] ? dsn->database : NULL,
                                          dsn->port, NULL, 0);

    while (wanted)
        wanted = mysql_real_connect_cont(&result, mysql, wait_for(mysql, wanted));
    return result != NULL;
}

MYSQL_RES *rf_vendor_query(MYSQL *mysql, const char *sql)
{
    MYSQL_RES *result = NULL;
    int failed = 0;
    int wanted = mysql_real_query_start(&failed, mysql, sql, strlen(sql));

    while (wanted)
        wanted = mysql_real_query_cont(&failed, mysql, wait_for(mysql, wanted));
    if (failed || mysql_field_count(mysql) == 0)
        return NULL;
    wanted = mysql_store_result_start(&result, mysql);
    while (wanted)
        wanted = mysql_store_result_cont(&result, mysql, wait_for(mysql, wanted));
    return result;
}

int rf_vendor_socket(MYSQL *mysql)
{
    return mysql_get_socket(mysql);
}

#endif /* MARIADB_PACKAGE_VERSION_ID */
