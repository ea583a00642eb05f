/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_control.c
 * @brief POST at the status handler: who may give an order, what he orders, and that the monitor carries it out.
 *
 * Layer:   glue. rf_order.c reads the form, the monitor keeps what is in force.
 * Threads: any number of workers; one that has sent an order waits for the monitor, COMMAND_PATIENCE at most.
 *
 * Who may is decided by httpd: whoever it has authenticated. Nobody is trusted for where he comes from. A browser sends a user's
 * credentials along with whatever some other site's page asks for; but no page may set a header of its own on a request to another
 * site without that site's consent, which is never given here. So an order must carry one.
 */
#include "mod_rdsfailover_status.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include <util_filter.h>

APLOG_USE_MODULE(rdsfailover);

#define HEADER "X-RDSFailover-Control"
#define BODY_MAX 4096
#define FORM "application/x-www-form-urlencoded"
/* How long the monitor may take: one that died is replaced within a second or two. */
#define COMMAND_PATIENCE RF_SEC(5)
#define COMMAND_LOOK RF_MS(5)

int rf_control_permits(const request_rec *r)
{
    return rf_config_dir(r)->control == 1 && r->user && *r->user;
}

static int answer(request_rec *r, int status, const char *text)
{
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rvputs(r, text, "\n", NULL);
    return OK;
}

/* @return NULL, or why this is nobody who may give orders */
static const char *stranger(const request_rec *r)
{
    const char *proof = apr_table_get(r->headers_in, HEADER), *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");

    if (!rf_control_permits(r))
        return "Orders are taken from authenticated users only: this section needs AuthType and Require valid-user, or the like";
    if (!proof || strcmp(proof, "1"))
        return "An order must carry the header " HEADER ": 1, which proves that no other site's page sent it";
    if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
        return "An order of another site's page is not taken";
    return NULL;
}

/* The parameters of a content type are of no interest. */
static int is_form(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    size_t length = sizeof FORM - 1;

    return type && !ap_cstr_casecmpn(type, FORM, length) && strchr("; \t", type[length]);
}

/* @return OK, or the status of a wrong form, which `ret_error` explains */
static int read_form(request_rec *r, rf_order_form *ret_form, char *ret_error, size_t size)
{
    apr_array_header_t *pairs = NULL;
    int rc = ap_parse_form_data(r, NULL, &pairs, (apr_size_t)-1, BODY_MAX), i;

    memset(ret_form, 0, sizeof *ret_form);
    if (rc != OK) {
        apr_snprintf(ret_error, size, rc == HTTP_REQUEST_ENTITY_TOO_LARGE ? "An order is at most %d bytes" : "The order cannot be read", BODY_MAX);
        return ap_is_HTTP_ERROR(rc) ? rc : HTTP_BAD_REQUEST;
    }
    for (i = 0; pairs && i < pairs->nelts; i++) {
        const ap_form_pair_t *pair = &APR_ARRAY_IDX(pairs, i, ap_form_pair_t);
        char *value = NULL;
        apr_size_t length = 0;

        if (apr_brigade_pflatten(pair->value, &value, &length, r->pool) != APR_SUCCESS) {
            apr_snprintf(ret_error, size, "The order cannot be read");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        if (memchr(value, 0, length)) {
            apr_snprintf(ret_error, size, "a NUL character is not accepted");
            return HTTP_BAD_REQUEST;
        }
        if (!rf_order_field(ret_form, pair->name, apr_pstrmemdup(r->pool, value, length), ret_error, size))
            return HTTP_BAD_REQUEST;
    }
    return OK;
}

/* @return NULL after saying which there are */
static rf_database *find_database(const char *name, char *ret_error, size_t size)
{
    const apr_array_header_t *all = rf_life_databases();
    size_t used;
    int i;

    for (i = 0; all && i < all->nelts; i++) {
        rf_database *db = APR_ARRAY_IDX(all, i, rf_database *);
        if (name ? !strcmp(name, db->name) : all->nelts == 1)
            return db;
    }
    apr_cpystrn(ret_error, all && all->nelts ? "database= is needed, one of:" : "there is no database", size);
    for (i = 0; all && i < all->nelts; i++) {
        used = strlen(ret_error);
        apr_snprintf(ret_error + used, size - used, " %s", APR_ARRAY_IDX(all, i, rf_database *)->name);
    }
    return NULL;
}

static int is_carried_out(const rf_database *db, uint32_t number)
{
    rf_time began = rf_clock_now();

    while (!rf_slot_order_is_taken(db->slot, number)) {
        if (rf_clock_now() - began > COMMAND_PATIENCE)
            return 0;
        apr_sleep(COMMAND_LOOK);
    }
    return 1;
}

static int carry_out(request_rec *r, const rf_database *db, rf_order *order, rf_time now)
{
    const char *what = rf_order_text((rf_order_action)order->action);
    int seconds = order->until ? (int)((order->until - now) / RF_SEC(1)) : 0;
    const char *lasts = seconds ? apr_psprintf(r->pool, " for %d s", seconds) : "";

    order->key = rf_dsn_key(&db->dsn);
    order->number = rf_slot_order_number(db->slot);
    apr_cpystrn(order->by, r->user, sizeof order->by);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "RF0225: %s: %s orders: %s%s", db->name, r->user, what, lasts);
    if (!rf_life_send_order(order) || !is_carried_out(db, order->number)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "RF0227: %s: the monitor did not take the order of %s: %s", db->name, r->user, what);
        return answer(r, HTTP_SERVICE_UNAVAILABLE, "The monitor does not take the order; the error log may say why. If it is only late, "
                                                   "the order counts then: look at the status");
    }
    return answer(r, HTTP_OK, apr_pstrcat(r->pool, db->name, ": ", what, lasts, NULL));
}

int rf_control_post(request_rec *r)
{
    const char *wrong = stranger(r);
    char error[RF_BOARD_SLOTS * 64];
    rf_order_form form;
    rf_order order;
    rf_database *db;
    rf_time now;
    int status;

    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "RF0226: an order is refused: %s", wrong);
        return answer(r, HTTP_FORBIDDEN, wrong);
    }
    if (!is_form(r))
        return answer(r, HTTP_UNSUPPORTED_MEDIA_TYPE, "An order is a form: Content-Type: " FORM);
    if ((status = read_form(r, &form, error, sizeof error)) != OK)
        return answer(r, status, error);
    now = rf_clock_now();
    if (!rf_order_read(&form, now, &order, error, sizeof error) || !(db = find_database(form.database, error, sizeof error)))
        return answer(r, HTTP_BAD_REQUEST, error);
    return carry_out(r, db, &order, now);
}
