/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_MYSQL_VENDOR_H
#define RF_IO_MYSQL_VENDOR_H
/**
 * @file rf_io_mysql_vendor.h
 * @brief Where MariaDB's and Oracle's client libraries differ. One of rf_io_mysql_mariadb.c and rf_io_mysql_oracle.c is built
 *        in, decided by the header that <mysql.h> is.
 *
 * Layer: I/O, below rf_io_mysql.c. Every function that waits is called on a connection's fiber and waits through rf_mysql_wait.
 */
#include <mysql.h>

#include "rf_dsn.h"

/** Implemented by rf_io_mysql.c: pause until `fd` is ready. @return the events that came, 0 if the connection was given up */
int rf_mysql_wait(int fd, int events);

/**
 * Options that hold for every login, TLS above all.
 * @param ret_by_name 1: the library checks the certificate's name, so it must be given the endpoint's, not the address
 */
void rf_vendor_options(MYSQL *mysql, const rf_dsn *dsn, int *ret_by_name);

/** Log in. @return 1, or 0 and mysql_errno says why */
int rf_vendor_connect(MYSQL *mysql, const char *host, const rf_dsn *dsn);

/** Ask, and fetch the whole answer. @return NULL if it failed or has no rows; mysql_errno tells the two apart */
MYSQL_RES *rf_vendor_query(MYSQL *mysql, const char *sql);

/** @return the connection's socket, -1 while there is none */
int rf_vendor_socket(MYSQL *mysql);

#endif /* RF_IO_MYSQL_VENDOR_H */
