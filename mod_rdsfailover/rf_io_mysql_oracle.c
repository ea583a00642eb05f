/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_mysql_oracle.c
 * @brief Oracle's client library, 8.0.16 and later. Written from its documentation and never run.
 *
 * Its calls do not say what they wait for. What they write is small enough for any socket buffer, so after TCP is there it
 * is always the server's turn; the library looks for itself whenever it is called.
 */
#include "rf_io_mysql_vendor.h"

#ifndef MARIADB_PACKAGE_VERSION_ID

#include <poll.h>
#include <string.h>

#if MYSQL_VERSION_ID < 80016
#error "Oracle's client library must be 8.0.16 or later"
#endif

void rf_vendor_options(MYSQL *mysql, const rf_dsn *dsn, int *ret_by_name)
{
    static const unsigned modes[] = {
        [RF_TLS_PREFERRED] = SSL_MODE_PREFERRED,
        [RF_TLS_DISABLED] = SSL_MODE_DISABLED,
        [RF_TLS_REQUIRED] = SSL_MODE_REQUIRED,
        [RF_TLS_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [RF_TLS_VERIFY_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
    };
    unsigned mode = modes[dsn->tls];
    bool clear = dsn->tls >= RF_TLS_REQUIRED, fetch_key = true;

    if (dsn->tls >= RF_TLS_VERIFY_CA && dsn->tls_ca[0])
        mysql_options(mysql, MYSQL_OPT_SSL_CA, dsn->tls_ca);
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode); /* after the CA, which would set it */
    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &clear);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &fetch_key);
    *ret_by_name = dsn->tls == RF_TLS_VERIFY_IDENTITY;
}

/* net.fd is set only when TCP is there; the transport begins with its socket from the start. */
int rf_vendor_socket(MYSQL *mysql)
{
    return mysql->net.vio ? *(const int *)(const void *)mysql->net.vio : -1;
}

/* @return 0 if there is nothing to wait for any more */
static int wait_for(MYSQL *mysql, int events)
{
    return rf_mysql_wait(rf_vendor_socket(mysql), events);
}

int rf_vendor_connect(MYSQL *mysql, const char *host, const rf_dsn *dsn)
{
    enum net_async_status status;
    int events = POLLOUT;

    while ((status = mysql_real_connect_nonblocking(mysql, host, dsn->user, dsn->password,
                                                    dsn->database[0] ? dsn->database : NULL, dsn->port, NULL, 0)) ==
           NET_ASYNC_NOT_READY) {
        if (!wait_for(mysql, events))
            return 0;
        events = POLLIN;
    }
    return status == NET_ASYNC_COMPLETE;
}

MYSQL_RES *rf_vendor_query(MYSQL *mysql, const char *sql)
{
    MYSQL_RES *result = NULL;
    enum net_async_status status;

    while ((status = mysql_real_query_nonblocking(mysql, sql, strlen(sql))) == NET_ASYNC_NOT_READY)
        if (!wait_for(mysql, POLLIN))
            return NULL;
    if (status != NET_ASYNC_COMPLETE || mysql_field_count(mysql) == 0)
        return NULL;
    while (mysql_store_result_nonblocking(mysql, &result) == NET_ASYNC_NOT_READY)
        if (!wait_for(mysql, POLLIN))
            return NULL;
    return result;
}

#endif /* !MARIADB_PACKAGE_VERSION_ID */
