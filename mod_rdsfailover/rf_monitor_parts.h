/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_MONITOR_PARTS_H
#define RF_MONITOR_PARTS_H
/**
 * @file rf_monitor_parts.h
 * @brief What the files of the monitor share with each other and with nobody else.
 *
 * rf_monitor_samples.c weighs what is seen, rf_monitor_moves.c moves the state and names the writer, rf_monitor_release.c says how
 * many held requests may go on at once, rf_monitor_orders.c does what operators order, rf_monitor_history.c remembers what each
 * second was like, rf_monitor_abort.c has stale sockets destroyed, rf_monitor.c keeps time.
 *
 * Layer: loop.
 */
#include "rf_monitor.h"

/* rf_monitor.c */
/** @return 1 while nothing is wrong, or nothing is known */
int rf_monitor_calm(const rf_monitor *m);
/** @return the pause between two probes, as things stand */
rf_time rf_monitor_pace(const rf_monitor *m);
void rf_monitor_publish(rf_monitor *m, rf_time now);

/* rf_monitor_moves.c */
void rf_monitor_say(rf_monitor *m, rf_say_level level, int id, const char *text);
rf_crowd rf_monitor_crowd(const rf_monitor *m);
/** @param c may be NULL */
int rf_monitor_is_writer(const rf_monitor *m, const rf_candidate *c);
/** After every step of the state machine: if the state is another than `before`, say so and keep the record. */
void rf_monitor_moved(rf_monitor *m, rf_state_name before, rf_time now);
/** An earlier monitor saw the outage begin; if its record was lost, it gets one now. */
void rf_monitor_adopt_outage(rf_monitor *m, rf_time now);
/** The server that DNS names answers but refuses us: the application may well be let in. Nobody is held for our login. */
void rf_monitor_give_up(rf_monitor *m, rf_time now);
/** @return 1 if this host's own resolver gives this address, as far as known */
int rf_monitor_host_gives(const rf_monitor *m, const rf_address *address);
/** @return 1 if what the host's resolver says decides where requests go, and the monitor can ask it (samples) */
int rf_monitor_needs_name(const rf_monitor *m);
/** @return 1 if applications connect by name, and not to the writer: this host's resolver gives other addresses, and them only */
int rf_monitor_strays(const rf_monitor *m);
/** If what the name leads to fails, whoever else is well: an outage. */
void rf_monitor_check_name(rf_monitor *m, rf_time now);
/** Is there a writer to be had, or another one than before? After every good probe and every answer of a resolver. */
void rf_monitor_weigh(rf_monitor *m, rf_time now);
/** Show what the candidate's last good probe told of the writer. */
void rf_monitor_take_facts(rf_monitor *m, const rf_candidate *c);

/** @name A verdict on the writer. `started`: when the question was asked that had no good answer. @{ */
void rf_monitor_fail_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now);
void rf_monitor_suspect_writer(rf_monitor *m, rf_cause cause, rf_time started, rf_time now);
void rf_monitor_answer_writer(rf_monitor *m, rf_time now);
/** @} */

/* rf_monitor_orders.c */
/** Time passed: orders end. */
void rf_monitor_orders_tick(rf_monitor *m, const rf_crowd *crowd, rf_time now);
/** @return when the next one ends; RF_TIME_NEVER */
rf_time rf_monitor_orders_end(const rf_monitor *m);

/* rf_monitor_history.c */
/** The state, or the queue's length, may have changed: what was the worst of this second? */
void rf_monitor_history_state(rf_monitor *m, uint64_t waiting);
/** The writer answered. */
void rf_monitor_history_answered(rf_monitor *m, rf_time rtt);

/* rf_monitor_release.c: each does nothing where no release is under way, unless it says otherwise. */
/** A release begins: an outage ended, or during a release another address, of which nothing is known, became the writer. */
void rf_monitor_release_begin(rf_monitor *m, const rf_candidate *writer, rf_time now);
/** An earlier monitor saw the release begin, and m->state is as it left it: go on with what it had reached. */
void rf_monitor_release_adopt(rf_monitor *m, rf_time now);
/** A good answer of the writer. */
void rf_monitor_release_answered(rf_monitor *m, const rf_sample *sample);
/** The writer said that it has too many connections. */
void rf_monitor_release_busy(rf_monitor *m, rf_time now);
/** The writer became suspect. */
void rf_monitor_release_doubted(rf_monitor *m);
/** Time passed. */
void rf_monitor_release_tick(rf_monitor *m, const rf_crowd *crowd, rf_time now);
/** @return how many released requests may run at once; 0: any number */
uint32_t rf_monitor_release_allowed(const rf_monitor *m);

/* rf_monitor_abort.c */
/** Time passed, or something was seen: have the sockets destroyed to addresses that lost the writer's role, if that is configured. */
void rf_monitor_abort_tick(rf_monitor *m, rf_time now);

#endif /* RF_MONITOR_PARTS_H */
