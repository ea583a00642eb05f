/* SPDX-License-Identifier: Apache-2.0 */
#include "mod_rdsfailover_secrets.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

APLOG_USE_MODULE(rdsfailover);

/* How often files are looked at. */
#define LOOK RF_SEC(1)

/* @return 1 if a file changed since the last look */
static int changed(rf_secrets *secrets)
{
    const rf_source *source = &secrets->db->source;
    unsigned i;
    int any = 0;

    for (i = 0; i < source->nfiles; i++)
        any |= rf_io_file_changed(source->files[i], &secrets->stamps[i]);
    return any;
}

/* Read the DSN from where it came from. @return 0 after saying why not, once for each reason */
static int read_again(rf_secrets *secrets, rf_dsn *ret_dsn)
{
    const rf_database *db = secrets->db;
    const char *directive = db->source.url[0] ? db->source.url : NULL;
    rf_source_world world;
    rf_source source;
    rf_io_file file;
    char error[sizeof secrets->error];

    rf_io_file_world(&file, &world);
    if (rf_source_read(&world, directive, ret_dsn, &source, error, sizeof error)) {
        secrets->error[0] = 0;
        return 1;
    }
    if (strcmp(error, secrets->error))
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, db->server, "RF0217: %s: %s; the DSN read before stays in use", db->name, error);
    apr_cpystrn(secrets->error, error, sizeof secrets->error);
    return 0;
}

int rf_secrets_look(rf_secrets *secrets, rf_time now)
{
    const rf_database *db = secrets->db;
    rf_dsn dsn;
    int is_new = 0;

    if (!db->source.nfiles || now < secrets->due)
        return 0;
    secrets->due = now + LOOK;
    if (!changed(secrets) || !read_again(secrets, &dsn))
        return 0;
    if (strcmp(dsn.host, secrets->dsn.host) || dsn.port != secrets->dsn.port) {
        /* The slot, its history and the verified address are the old endpoint's. */
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, db->server, "RF0221: %s: the DSN now names another endpoint, which takes a "
                     "graceful restart; the DSN read before stays in use", db->name);
    } else if (memcmp(&dsn, &secrets->dsn, sizeof dsn)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, db->server, "RF0218: %s: the DSN has changed and is in use from now on", db->name);
        secrets->dsn = dsn;
        is_new = 1;
    }
    rf_dsn_wipe(&dsn);
    return is_new;
}

void rf_secrets_begin(rf_secrets *secrets, const rf_database *db, rf_time now)
{
    secrets->db = db;
    secrets->dsn = db->dsn;
    rf_secrets_look(secrets, now);
}
