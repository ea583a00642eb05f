/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_CLASSIFY_H
#define RF_CLASSIFY_H
/**
 * @file rf_classify.h
 * @brief What an error number of the MySQL server or client says about the database. One const table, nothing else decides.
 *
 * Layer: core.
 */

/** The first value is the harmless one. The names are stable: they appear in the status and in logs. */
typedef enum {
    RF_CAUSE_NONE,        /**< no error */
    RF_CAUSE_UNREACHABLE, /**< nothing accepts connections there, or no route: 2002, 2003 */
    RF_CAUSE_TIMEOUT,     /**< no answer in time: silence, a black hole, a stopped process */
    RF_CAUSE_LOST,        /**< an established connection broke: 2006, 2013, 2055 */
    RF_CAUSE_SHUTDOWN,    /**< the server says it is going: 1053, 1927, 3032, 3168 */
    RF_CAUSE_READ_ONLY,   /**< answers, but takes no writes: 1290, 1836, or @@read_only */
    RF_CAUSE_NAME,        /**< the endpoint's name does not resolve: 2005, or the resolver's answer */
    RF_CAUSE_BUSY,        /**< too many connections or threads: 1040, 1203, 1226, 1135. Slows a release, never an outage */
    RF_CAUSE_BLOCKED,     /**< this host is blocked: 1129. An alarm, and a reason not to probe faster */
    RF_CAUSE_REFUSED,     /**< wrong user, password, database or rights: 1045, 1049, 1044. An alarm, never an outage */
    RF_CAUSE_TLS,         /**< no TLS, a wrong certificate or a wrong name: 2026 */
    RF_CAUSE_PROTOCOL,    /**< something answers that is not a MySQL server we understand: 2007, 2012, 2027 */
    RF_CAUSE_OTHER        /**< any other error of a server that does answer */
} rf_cause;

/** What a probe's cause is worth to the state machine. */
typedef enum {
    RF_EVIDENCE_GOOD,    /**< the server logged us in and takes writes */
    RF_EVIDENCE_FAILED,  /**< argues for an outage */
    RF_EVIDENCE_NEUTRAL  /**< the server is alive but says nothing about the writer: no outage starts and none ends */
} rf_evidence;

/** @return the cause of an error number of the server (1xxx-5xxx) or the client library (2xxx); 0 gives RF_CAUSE_NONE */
rf_cause rf_classify_code(unsigned code);

rf_evidence rf_classify_evidence(rf_cause cause);

/** @return stable lower-case name, "unreachable", "read-only"; never NULL */
const char *rf_cause_name(rf_cause cause);

/** @return a sentence for the operator: what it means and what to do; never NULL */
const char *rf_cause_advice(rf_cause cause);

#endif /* RF_CLASSIFY_H */
