/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_databases.c
 * @brief From the virtual hosts' settings to the list of databases to watch.
 *
 * Layer: glue.
 *
 * A wrong directive stops the start. A DSN that the environment or a mounted file gives wrongly does not: at a graceful
 * restart that would take down a site that works, so it is said and that database is left unwatched.
 */
#include "mod_rdsfailover.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

#include "rf_io_file.h"

APLOG_USE_MODULE(rdsfailover);

static const char *server_text(apr_pool_t *p, const server_rec *s)
{
    if (s->is_virtual)
        return apr_psprintf(p, "virtual host %s (%s:%u)", s->server_hostname ? s->server_hostname : "without a name",
                            s->defn_name ? s->defn_name : "?", s->defn_line_number);
    return "the main server";
}

/* @return NULL, or what contradicts itself in these settings */
static const char *contradiction(const rf_policy *policy)
{
    if (policy->fast > policy->interval)
        return "fast= is longer than interval=; it is the pace while something is wrong";
    if (policy->late > policy->timeout)
        return "late= is longer than timeout=; an answer that late has already failed";
    return NULL;
}

/* Numeric addresses have no first label worth showing. */
static const char *short_name(apr_pool_t *p, const char *host)
{
    const char *dot = strchr(host, '.');

    if (!dot || strchr(host, ':') || strspn(host, "0123456789.") == strlen(host))
        return host;
    return apr_pstrmemdup(p, host, (apr_size_t)(dot - host));
}

static int same_resolvers(const rf_database *db, const rf_server_conf *conf)
{
    return db->nresolvers == conf->nresolvers && db->dns_timeout == conf->dns_timeout &&
           !memcmp(db->resolvers, conf->resolvers, sizeof db->resolvers);
}

static int same_policy(const rf_policy *a, const rf_policy *b)
{
    return a->interval == b->interval && a->fast == b->fast && a->timeout == b->timeout && a->late == b->late &&
           a->fails == b->fails && a->passes == b->passes && a->writable == b->writable && a->former == b->former &&
           a->app_name == b->app_name;
}

static int same_command(char *const *a, char *const *b)
{
    if (!a || !b)
        return a == b;
    while (*a && *b && !strcmp(*a, *b)) {
        a++;
        b++;
    }
    return !*a && !*b;
}

/* @return 1, or 0 after saying which two settings contradict each other */
static int may_join(apr_pool_t *ptemp, rf_database *db, server_rec *s, const rf_dsn *dsn)
{
    const rf_server_conf *conf = rf_config_server(s);

    if (strcmp(db->dsn.password, dsn->password)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "RF0222: %s and %s watch the same database (%s) as the same user with different "
                     "passwords", server_text(ptemp, db->server), server_text(ptemp, s), db->name);
        return 0;
    }
    if (!same_policy(&db->check.policy, &conf->check.policy) || !same_resolvers(db, conf) || db->abort_stale != (conf->abort_stale == 1) ||
        !same_command(db->notify, conf->notify)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "RF0211: %s and %s watch the same database (%s) with different settings in RDSFailoverCheck, "
                     "RDSFailoverResolver, RDSFailoverAbortStale or RDSFailoverNotify; set them once, outside of both",
                     server_text(ptemp, db->server), server_text(ptemp, s), db->name);
        return 0;
    }
    return 1;
}

static apr_status_t wipe(void *data)
{
    rf_database *db = data;

    rf_dsn_wipe(&db->dsn);
    explicit_bzero(&db->source, sizeof db->source);
    return APR_SUCCESS;
}

static rf_database *make_database(apr_pool_t *p, apr_array_header_t *all, server_rec *s, const rf_dsn *dsn, const rf_source *source)
{
    const rf_server_conf *conf = rf_config_server(s);
    rf_database *db = apr_pcalloc(p, sizeof *db);
    int i;

    db->index = all->nelts;
    db->name = short_name(p, apr_pstrdup(p, dsn->host));
    for (i = 0; i < all->nelts; i++) {
        /* Two schemas, or two users, on one server: the endpoint alone would not tell them apart. */
        if (!strcmp(APR_ARRAY_IDX(all, i, rf_database *)->name, db->name)) {
            db->name = apr_psprintf(p, "%s/%s#%d", db->name, dsn->database, db->index);
            break;
        }
    }
    db->server = s;
    db->source = *source;
    db->dsn = *dsn;
    apr_pool_cleanup_register(p, db, wipe, apr_pool_cleanup_null);
    db->check = conf->check;
    db->nresolvers = conf->nresolvers;
    memcpy(db->resolvers, conf->resolvers, sizeof db->resolvers);
    db->dns_timeout = conf->dns_timeout;
    db->abort_stale = conf->abort_stale == 1;
    db->notify = conf->notify;
    db->dry_run = 1;
    APR_ARRAY_PUSH(all, rf_database *) = db;
    return db;
}

/* Group virtual hosts by what they watch. @param say also what is wrong in the environment @return NULL after saying that two
 * settings contradict each other */
static apr_array_header_t *group(apr_pool_t *p, apr_pool_t *ptemp, server_rec *main_server, int say)
{
    apr_array_header_t *all = apr_array_make(p, 4, sizeof(rf_database *));
    int environment_said = 0, i;
    rf_source_world world;
    rf_io_file file;
    server_rec *s;

    rf_io_file_world(&file, &world);
    for (s = main_server; s; s = s->next) {
        rf_server_conf *conf = rf_config_server(s);
        rf_database *db = NULL;
        char error[400];
        rf_source source;
        rf_dsn dsn;

        conf->database = NULL;
        if (!rf_source_read(&world, conf->dsn, &dsn, &source, error, sizeof error)) {
            /* Every virtual host without a directive of its own would repeat the same sentence. */
            if (say && error[0] && (conf->dsn || !environment_said++))
                ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "RF0201: %s. Requests are not protected", error);
            continue;
        }
        for (i = 0; i < all->nelts && !db; i++) {
            rf_database *known = APR_ARRAY_IDX(all, i, rf_database *);
            if (rf_dsn_key(&known->dsn) == rf_dsn_key(&dsn))
                db = known;
        }
        if (db && !may_join(ptemp, db, s, &dsn))
            return NULL;
        conf->database = db ? db : make_database(p, all, s, &dsn, &source);
        conf->database->dry_run &= conf->dry_run == 1;
        rf_dsn_wipe(&dsn);
    }
    return all;
}

int rf_databases_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    apr_array_header_t *all;
    server_rec *s;

    for (s = main_server; s; s = s->next) {
        const char *wrong = contradiction(&rf_config_server(s)->check.policy);
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "RF0210: RDSFailoverCheck of %s: %s", server_text(ptemp, s), wrong);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    all = group(ptemp, ptemp, main_server, 0);
    if (all && all->nelts > RF_BOARD_SLOTS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server, "RF0212: %d databases; at most %d are watched", all->nelts, RF_BOARD_SLOTS);
        all = NULL;
    }
    for (s = main_server; s; s = s->next)
        rf_config_server(s)->database = NULL;
    return all ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

apr_array_header_t *rf_databases_build(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *main_server, rf_board *board)
{
    apr_array_header_t *all = group(pconf, ptemp, main_server, 1);
    int concurrency = rf_config_server(main_server)->concurrency;
    server_rec *s;
    int i;

    for (i = 0; all && i < all->nelts; i++) {
        rf_database *db = APR_ARRAY_IDX(all, i, rf_database *);
        db->check.policy.concurrency = concurrency < 0 ? RF_CONCURRENCY_DEFAULT : (uint32_t)concurrency;
        db->slot = rf_board_slot(board, rf_dsn_key(&db->dsn));
        if (db->slot)
            continue;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, db->server, "RF0223: since the server started there were more than %d databases; %s "
                     "and those after it are not watched. A full restart forgets those no longer used", RF_BOARD_SLOTS, db->name);
        for (s = main_server; s; s = s->next) {
            if (rf_config_server(s)->database && rf_config_server(s)->database->index >= i)
                rf_config_server(s)->database = NULL;
        }
        all->nelts = i;
    }
    return all;
}
