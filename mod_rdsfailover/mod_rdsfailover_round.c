/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_round.c
 * @brief Sending a waiting visitor round by 307 before what stands in front gives up, and knowing him again when he comes back.
 *
 * Layer:   glue. rf_place.c signs and reads the cookie.
 * Threads: any number of workers; nothing is kept but in the request.
 */
#include "mod_rdsfailover.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

/* A body of this size has mostly arrived anyway, and httpd reads it before the answer is sent, so that the connection can be
 * used again. What is larger would keep a worker busy for no use. */
#define BODY_DRAINED (64 * 1024)

/* What the request's name is made of, and what leads back to it. */
static char *url_of(const request_rec *r)
{
    size_t size = RF_PLACE_URL_MAX(strlen(r->unparsed_uri));
    char *url = apr_palloc(r->pool, size);

    rf_place_url(r->unparsed_uri, url, size);
    return url;
}

apr_time_t rf_round_arrival(request_rec *r, const rf_database *db, rf_time longest)
{
    const char *cookies = apr_table_getm(r->pool, r->headers_in, "Cookie");
    char name[RF_PLACE_NAME_MAX], *left;
    rf_place_keys keys = { 0 };
    apr_time_t arrival;

    if (!cookies || !strstr(cookies, RF_PLACE_PREFIX))
        return r->request_time;
    left = apr_pstrdup(r->pool, cookies);
    if (!rf_slot_place_keys(db->slot, &keys) || !rf_place_name(r->method, url_of(r), name))
        name[0] = '\0';
    arrival = rf_place_take(left, &keys, name, longest / 1000, apr_time_as_msec(r->request_time)) * 1000;
    explicit_bzero(&keys, sizeof keys);
    if (*left)
        apr_table_setn(r->headers_in, "Cookie", left);
    else
        apr_table_unset(r->headers_in, "Cookie");
    /* Another host's clock may be ahead of ours. */
    return arrival && arrival < r->request_time ? arrival : r->request_time;
}

int rf_round_possible(const request_rec *r)
{
    return r->proto_num >= HTTP_VERSION(1, 1) && r->method_number != M_OPTIONS && r->method_number != M_CONNECT &&
           r->method_number != M_TRACE && !r->main && !r->prev && !apr_table_get(r->headers_in, "Upgrade");
}

/*
 * Nobody has read the body, and nobody will. httpd reads what is left of one before it ends an answer, however long that
 * takes, unless the connection is to be closed: then it says so, sends the answer at once and lingers (event MPM: without a
 * worker) until the client, which may still be sending, has read it. A client that waits for "100 Continue" sends its body
 * only if it likes, so there is no telling what comes next on that connection. A stream of HTTP/2 has no connection of its
 * own; its body is cut off by a reset of the stream after the answer.
 */
static void leave_body(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t n = 0;
    char *end = NULL;

    if (r->connection->master)
        return;
    if (!apr_table_get(r->headers_in, "Transfer-Encoding")) {
        if (!length)
            return;
        if (apr_strtoff(&n, length, &end, 10) == APR_SUCCESS && !*end && n >= 0 && n <= (r->expecting_100 ? 0 : BODY_DRAINED))
            return;
    }
    r->connection->keepalive = AP_CONN_CLOSE;
}

/*
 * No SameSite attribute: a payment page that posts to us from its own site must bring its place along, and browsers send a
 * cookie without the attribute, if it is younger than two minutes, with such a top-level POST ("Lax-allowing-unsafe").
 * An explicit Lax would not be sent, None would have to be Secure.
 */
static void set_cookie(request_rec *r, const char *url, const char *name, const char *value)
{
    size_t size = strlen(url) + 1;
    char *path = apr_palloc(r->pool, size);
    int tls = !strcmp(ap_http_scheme(r), "https");

    rf_place_path(url, path, size);
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_psprintf(r->pool, "%s=%s; Path=%s; Max-Age=%d; HttpOnly%s", name, value, path,
                                RF_PLACE_LIFETIME_MS / 1000, tls ? "; Secure" : ""));
}

int rf_round_send(request_rec *r, const rf_database *db, apr_time_t arrival)
{
    char *url = url_of(r), name[RF_PLACE_NAME_MAX], value[RF_PLACE_VALUE_MAX];
    rf_place_keys keys = { 0 };

    /* Without a key (no monitor has ever run), the visitor comes back as a new one. */
    if (rf_slot_place_keys(db->slot, &keys) && rf_place_name(r->method, url, name) &&
        rf_place_write(&keys, name, apr_time_as_msec(arrival), apr_time_as_msec(apr_time_now()), value))
        set_cookie(r, url, name, value);
    explicit_bzero(&keys, sizeof keys);
    /* Of headers_out, httpd's own page keeps Location alone. */
    apr_table_setn(r->headers_out, "Location", url);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    r->no_cache = 1;
    leave_body(r);
    return HTTP_TEMPORARY_REDIRECT;
}
