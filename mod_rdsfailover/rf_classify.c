/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_classify.c
 * @brief The table of error numbers, and what each cause means.
 *
 * Layer: core.
 */
#include "rf_classify.h"

#include <stddef.h>

/** By number. What is not here is RF_CAUSE_OTHER: a server that can complain about a statement is alive. */
static const struct {
    unsigned code;
    rf_cause cause;
} codes[] = {
    {1040, RF_CAUSE_BUSY},        /* too many connections */
    {1041, RF_CAUSE_BUSY},        /* out of memory or file handles */
    {1043, RF_CAUSE_PROTOCOL},    /* bad handshake */
    {1044, RF_CAUSE_REFUSED},     /* no rights on the database */
    {1045, RF_CAUSE_REFUSED},     /* access denied */
    {1047, RF_CAUSE_SHUTDOWN},    /* Galera: this node is not ready for application use */
    {1049, RF_CAUSE_REFUSED},     /* unknown database */
    {1053, RF_CAUSE_SHUTDOWN},    /* server shutdown in progress: the earliest clean signal of a failover */
    {1129, RF_CAUSE_BLOCKED},     /* host is blocked because of many connection errors */
    {1130, RF_CAUSE_REFUSED},     /* host is not allowed to connect */
    {1135, RF_CAUSE_BUSY},        /* cannot create a new thread */
    {1152, RF_CAUSE_LOST},        /* aborted connection */
    {1158, RF_CAUSE_LOST},        /* error reading packets */
    {1159, RF_CAUSE_LOST},        /* timeout reading packets */
    {1160, RF_CAUSE_LOST},        /* error writing packets */
    {1161, RF_CAUSE_LOST},        /* timeout writing packets */
    {1184, RF_CAUSE_LOST},        /* aborted connection, with details */
    {1203, RF_CAUSE_BUSY},        /* max_user_connections */
    {1226, RF_CAUSE_BUSY},        /* a user's resource limit */
    {1227, RF_CAUSE_REFUSED},     /* a privilege is missing */
    {1251, RF_CAUSE_REFUSED},     /* client does not support the authentication protocol */
    {1290, RF_CAUSE_READ_ONLY},   /* --read-only, --super-read-only */
    {1317, RF_CAUSE_SHUTDOWN},    /* query interrupted: sessions are killed first when a server stops */
    {1698, RF_CAUSE_REFUSED},     /* access denied, no password used */
    {1792, RF_CAUSE_READ_ONLY},   /* read-only transaction */
    {1820, RF_CAUSE_REFUSED},     /* password must be changed first */
    {1836, RF_CAUSE_READ_ONLY},   /* running in read-only mode */
    {1862, RF_CAUSE_REFUSED},     /* password has expired */
    {1874, RF_CAUSE_READ_ONLY},   /* InnoDB is in read-only mode */
    {1927, RF_CAUSE_SHUTDOWN},    /* connection was killed */
    {2002, RF_CAUSE_UNREACHABLE}, /* cannot connect: refused, timed out, no route */
    {2003, RF_CAUSE_UNREACHABLE}, /* the same over TCP */
    {2005, RF_CAUSE_NAME},        /* unknown host */
    {2006, RF_CAUSE_LOST},        /* gone away: an idle connection had died */
    {2007, RF_CAUSE_PROTOCOL},    /* protocol version mismatch */
    {2012, RF_CAUSE_PROTOCOL},    /* error in the handshake */
    {2013, RF_CAUSE_LOST},        /* lost during a query or a handshake */
    {2026, RF_CAUSE_TLS},         /* TLS: handshake, certificate or name */
    {2027, RF_CAUSE_PROTOCOL},    /* malformed packet */
    {2047, RF_CAUSE_PROTOCOL},    /* unknown protocol */
    {2049, RF_CAUSE_REFUSED},     /* the server asks for a password format that is too old */
    {2054, RF_CAUSE_PROTOCOL},    /* not implemented; mysqlnd: unknown character set or authentication */
    {2055, RF_CAUSE_LOST},        /* lost, with the system's error */
    {2059, RF_CAUSE_REFUSED},     /* authentication plugin cannot be loaded */
    {2061, RF_CAUSE_REFUSED},     /* authentication plugin reported an error */
    {3032, RF_CAUSE_SHUTDOWN},    /* offline mode */
    {3118, RF_CAUSE_REFUSED},     /* account is locked */
    {3159, RF_CAUSE_TLS},         /* require_secure_transport is on */
    {3168, RF_CAUSE_SHUTDOWN},    /* server is not available */
    {3169, RF_CAUSE_SHUTDOWN},    /* session was killed */
    {4151, RF_CAUSE_REFUSED},     /* MariaDB: account is locked */
    {5013, RF_CAUSE_LOST},        /* MariaDB client: error reading from the network */
    {5014, RF_CAUSE_LOST},        /* MariaDB client: error writing to the network */
};

/**
 * In the order of rf_cause. TLS and PROTOCOL are neutral: something lives at that address, and the application may well
 * understand what this probe does not. NAME is neutral because DNS alone neither starts nor ends an outage.
 */
static const struct {
    const char *name;
    rf_evidence evidence;
    const char *advice;
} causes[] = {
    [RF_CAUSE_NONE] = {"none", RF_EVIDENCE_GOOD,
        "The database answers and takes writes."},
    [RF_CAUSE_UNREACHABLE] = {"unreachable", RF_EVIDENCE_FAILED,
        "Nothing accepts connections at this address. If it stays so, check that the database runs, that the "
        "port is right and that security groups and routes let this host through."},
    [RF_CAUSE_TIMEOUT] = {"timeout", RF_EVIDENCE_FAILED,
        "The database did not answer in time. If it stays so, check security groups and routes (a firewall that "
        "drops packets looks like this) and whether the database is overloaded."},
    [RF_CAUSE_LOST] = {"lost", RF_EVIDENCE_FAILED,
        "An established connection broke. The database stopped or its host went away."},
    [RF_CAUSE_SHUTDOWN] = {"shutdown", RF_EVIDENCE_FAILED,
        "The database says that it is shutting down or not serving."},
    [RF_CAUSE_READ_ONLY] = {"read-only", RF_EVIDENCE_FAILED,
        "The database answers but takes no writes. If it stays so, the endpoint names a replica: use the "
        "writer's endpoint, or set writable=off in RDSFailoverCheck."},
    [RF_CAUSE_NAME] = {"name", RF_EVIDENCE_NEUTRAL,
        "The endpoint's name does not resolve. Check its spelling, this host's name servers and "
        "RDSFailoverResolver."},
    [RF_CAUSE_BUSY] = {"busy", RF_EVIDENCE_NEUTRAL,
        "The database has too many connections or threads. It is up; raise max_connections or lower the number "
        "of workers."},
    [RF_CAUSE_BLOCKED] = {"blocked", RF_EVIDENCE_NEUTRAL,
        "The database blocks this host because of many broken connections. Run mysqladmin flush-hosts, find what "
        "breaks off its logins, and raise max_connect_errors."},
    [RF_CAUSE_REFUSED] = {"refused", RF_EVIDENCE_NEUTRAL,
        "The database refuses the login. Check user, password, database name and rights in the DSN; after a "
        "rotation of the password check that the new one has arrived."},
    [RF_CAUSE_TLS] = {"tls", RF_EVIDENCE_NEUTRAL,
        "TLS failed. Check ssl-mode and ssl-ca in the DSN, that the certificate names the endpoint, and whether "
        "the database demands TLS."},
    [RF_CAUSE_PROTOCOL] = {"protocol", RF_EVIDENCE_NEUTRAL,
        "What answers at this address does not speak MySQL's protocol as expected. Check the port, and what "
        "stands between."},
    [RF_CAUSE_OTHER] = {"other", RF_EVIDENCE_NEUTRAL,
        "The database answers with an error that says nothing about its being up. See its text."},
};

/* A cause may come from another process; one out of range must not be read past the table. */
static size_t cause_index(rf_cause cause)
{
    size_t i = (size_t)cause;

    return i < sizeof(causes) / sizeof(causes[0]) ? i : RF_CAUSE_OTHER;
}

rf_cause rf_classify_code(unsigned code)
{
    if (code == 0)
        return RF_CAUSE_NONE;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code)
            return codes[i].cause;
    }
    return RF_CAUSE_OTHER;
}

rf_evidence rf_classify_evidence(rf_cause cause)
{
    return causes[cause_index(cause)].evidence;
}

const char *rf_cause_name(rf_cause cause)
{
    return causes[cause_index(cause)].name;
}

const char *rf_cause_advice(rf_cause cause)
{
    return causes[cause_index(cause)].advice;
}
