/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_env.c
 * @brief The environment that requests get: the DSN under every name applications look for, the verified address, the state.
 *
 * Layer:   glue.
 * Threads: the texts made of a DSN are built once per child and DSN and then only read. When a mounted secret changes, the
 *          first request that sees the new serial number builds them anew; the ones before are wiped when the next come,
 *          which no running request outlives: a secret is rotated in hours, a request lasts minutes.
 */
#include "mod_rdsfailover.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    VAR_DATABASE_URL,
    VAR_HOSTNAME,
    VAR_PORT,
    VAR_DB_NAME,
    VAR_USERNAME,
    VAR_PASSWORD,
    VAR_OF_DSN, /* those above come from the DSN, those below from the board */
    VAR_HOSTADDR = VAR_OF_DSN,
    VAR_STATE,
    VAR_EPOCH,
    VAR_ATTEMPT,
    VARS
};

static const char *const names[VARS] = {
    [VAR_DATABASE_URL] = "DATABASE_URL", [VAR_HOSTNAME] = "RDS_HOSTNAME",       [VAR_PORT] = "RDS_PORT",
    [VAR_DB_NAME] = "RDS_DB_NAME",       [VAR_USERNAME] = "RDS_USERNAME",       [VAR_PASSWORD] = "RDS_PASSWORD",
    [VAR_HOSTADDR] = "RDS_HOSTADDR",     [VAR_STATE] = "RDSFAILOVER_STATE",     [VAR_EPOCH] = "RDSFAILOVER_EPOCH",
    [VAR_ATTEMPT] = "RDSFAILOVER_ATTEMPT",
};

/* The texts of one DSN, one after another with their NULs: one copy gives all of them to a request. */
typedef struct texts {
    uint32_t serial;
    struct texts *before; /* wiped with the next change */
    size_t at[VAR_OF_DSN], size;
    char block[RF_DSN_URL_MAX + sizeof(rf_dsn) + 8];
} texts;

static _Atomic(texts *) current[RF_BOARD_SLOTS];
static apr_thread_mutex_t *building;

const char *rf_env_expose(const char *name, unsigned *ret_bit)
{
    int i;

    for (i = 0; i < VARS; i++) {
        if (!strcmp(names[i], name)) {
            *ret_bit = 1u << i;
            return NULL;
        }
    }
    return "is none of DATABASE_URL, RDS_HOSTNAME, RDS_PORT, RDS_DB_NAME, RDS_USERNAME, RDS_PASSWORD, RDS_HOSTADDR, "
           "RDSFAILOVER_STATE, RDSFAILOVER_EPOCH, RDSFAILOVER_ATTEMPT";
}

void rf_env_child_init(apr_pool_t *pchild)
{
    apr_thread_mutex_create(&building, APR_THREAD_MUTEX_DEFAULT, pchild);
}

static void forget(texts *old)
{
    if (old) {
        explicit_bzero(old, sizeof *old);
        free(old);
    }
}

static void append(texts *t, int var, const char *text)
{
    size_t n = strlen(text) + 1;

    t->at[var] = t->size;
    memcpy(t->block + t->size, text, n);
    t->size += n;
}

static void lay_out(texts *t, const rf_dsn *dsn)
{
    char url[RF_DSN_URL_MAX], port[6];

    rf_dsn_print(dsn, url, sizeof url);
    apr_snprintf(port, sizeof port, "%u", dsn->port);
    append(t, VAR_DATABASE_URL, url);
    append(t, VAR_HOSTNAME, dsn->host);
    append(t, VAR_PORT, port);
    append(t, VAR_DB_NAME, dsn->database);
    append(t, VAR_USERNAME, dsn->user);
    append(t, VAR_PASSWORD, dsn->password);
    explicit_bzero(url, sizeof url);
}

/* A request that read its brief just before a change must not bring the old DSN back; one that could not read it knows of none. */
static int newer(uint32_t serial, const texts *t)
{
    return (int32_t)(serial - t->serial) > 0;
}

static texts *build(rf_database *db, uint32_t serial)
{
    texts *old, *fresh;
    rf_dsn dsn;

    apr_thread_mutex_lock(building);
    old = atomic_load(&current[db->index]);
    if (old && !newer(serial, old)) {
        apr_thread_mutex_unlock(building);
        return old;
    }
    fresh = calloc(1, sizeof *fresh);
    if (fresh) {
        /* Until the first monitor has written it, the DSN is the one read at start. */
        if (!serial || !rf_slot_dsn(db->slot, &dsn))
            dsn = db->dsn;
        fresh->serial = serial;
        lay_out(fresh, &dsn);
        rf_dsn_wipe(&dsn);
        if (old) {
            forget(old->before);
            old->before = NULL;
        }
        fresh->before = old;
        atomic_store(&current[db->index], fresh);
    }
    apr_thread_mutex_unlock(building);
    return fresh ? fresh : old;
}

static void set(request_rec *r, unsigned exposed, int var, const char *value)
{
    if (exposed & (1u << var))
        apr_table_setn(r->subprocess_env, names[var], value);
}

void rf_env_clear(request_rec *r)
{
    int i;

    for (i = 0; i < VARS; i++) {
        if (i != VAR_STATE)
            apr_table_unset(r->subprocess_env, names[i]);
    }
}

void rf_env_set(request_rec *r, rf_database *db, const rf_brief *brief, unsigned attempt)
{
    const rf_dir_conf *dir = rf_config_dir(r);
    texts *t = atomic_load_explicit(&current[db->index], memory_order_acquire);

    if (!t || newer(brief->dsn_serial, t))
        t = build(db, brief->dsn_serial);
    if (t && dir->expose & ((1u << VAR_OF_DSN) - 1)) {
        const char *own = apr_pmemdup(r->pool, t->block, t->size);
        int var;

        for (var = 0; var < VAR_OF_DSN; var++)
            set(r, dir->expose, var, own + t->at[var]);
    }
    if (brief->writer.text[0])
        set(r, dir->expose, VAR_HOSTADDR, apr_pstrdup(r->pool, brief->writer.text));
    apr_table_setn(r->subprocess_env, names[VAR_STATE], rf_state_text(rf_brief_state(brief, rf_clock_now())));
    set(r, dir->expose, VAR_EPOCH, apr_ltoa(r->pool, (long)brief->epoch));
    set(r, dir->expose, VAR_ATTEMPT, attempt == 1 ? "1" : apr_psprintf(r->pool, "%u", attempt));
}

int rf_env_post_read_request(request_rec *r)
{
    rf_database *db = rf_config_server(r->server)->database;
    rf_brief brief;

    int i;

    /* An internal redirect hands the environment on under these names. */
    for (i = 0; r->prev && i < VARS; i++)
        apr_table_unset(r->subprocess_env, apr_pstrcat(r->pool, "REDIRECT_", names[i], NULL));
    if (db)
        apr_table_setn(r->subprocess_env, names[VAR_STATE],
                       rf_slot_brief(db->slot, &brief) ? rf_state_text(rf_brief_state(&brief, rf_clock_now())) : "unknown");
    return DECLINED;
}
