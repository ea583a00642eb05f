/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_CAPS_H
#define RF_IO_CAPS_H
/**
 * @file rf_io_caps.h
 * @brief What is left of root's rights in a process that becomes httpd's user: nothing, or CAP_NET_ADMIN alone.
 *
 * Layer:   adapter (libcap-ng).
 * Threads: for a process with one thread, before and after it changes its user.
 *
 * What such a process executes gets nothing: nothing is inheritable or ambient, and the bounding set is emptied where that is
 * allowed, so that neither file capabilities nor user 0 (in a user namespace) bring it back.
 */

/** Before the change of user. @param net_admin CAP_NET_ADMIN may be kept over it */
void rf_io_caps_before(int net_admin);
/** After it. @return 1 if CAP_NET_ADMIN was asked for and is there; 0 with no right at all (httpd was not started as root) */
int rf_io_caps_after(int net_admin);

#endif /* RF_IO_CAPS_H */
