# SPDX-License-Identifier: Apache-2.0

# RF_PKG(VARIABLE, MODULES, DEBIAN-PACKAGES, AMAZON-LINUX-PACKAGES)
# A library that must be there, or an error that can be pasted into a shell.
AC_DEFUN([RF_PKG], [
PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 not found: $[]$1[]_PKG_ERRORS
  Debian, Ubuntu: apt-get install $3. Amazon Linux 2023: dnf install $4.])])
])

# RF_MYSQL_VENDOR
# Debian ships a mysqlclient.pc that is MariaDB's library, so a macro of the header decides, never the package's name.
AC_DEFUN([RF_MYSQL_VENDOR], [
rf_save_CPPFLAGS=$CPPFLAGS
CPPFLAGS="$CPPFLAGS $MYSQL_CFLAGS"
AC_CHECK_DECL([MARIADB_PACKAGE_VERSION_ID], [rf_mysql_vendor=MariaDB], [rf_mysql_vendor=MySQL], [[#include <mysql.h>]])
CPPFLAGS=$rf_save_CPPFLAGS
MYSQL_VERSION=`$PKG_CONFIG --modversion libmariadb 2>/dev/null || $PKG_CONFIG --modversion mariadb 2>/dev/null ||
               $PKG_CONFIG --modversion mysqlclient 2>/dev/null`
AS_IF([test "$rf_mysql_vendor" = MariaDB], [MYSQL_CFLAGS="$MYSQL_CFLAGS -DRF_CLIENT_MARIADB=1"])
AC_SUBST([MYSQL_CFLAGS])
])
