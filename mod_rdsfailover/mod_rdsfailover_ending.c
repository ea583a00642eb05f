/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_ending.c
 * @brief What a visitor gets whose hold has ended without a writer: 503, when to come back, and a page that does so by itself.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

#define RETRY_AFTER "5"

/* The visitor asked with a safe method: the page may ask again by itself. A form must be sent by hand. */
static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
static const char page_style[] =
    "<title>One moment, please</title>\n"
    "<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;"
    "place-content:center;padding:1rem}main{max-width:30rem}h1{font-size:1.5rem}</style>\n</head>\n<body>\n<main>\n"
    "<h1>One moment, please</h1>\n";

/* Clients of an API ask for JSON and not for HTML. */
static int wants_json(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && (strstr(accept, "application/problem+json") || strstr(accept, "application/json")) &&
           !strstr(accept, "text/html");
}

int rf_ending_send(request_rec *r, int kept_nothing)
{
    int safe = r->method_number == M_GET;

    /* With this status httpd reads no body that is left: it closes the connection behind the answer, and lingers
     * (ap_status_drops_connection). */
    r->status = HTTP_SERVICE_UNAVAILABLE;
    r->no_cache = 1;
    apr_table_setn(r->headers_out, "Retry-After", RETRY_AFTER);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    /* Headers that are to be on every answer (Header always) are on this one. */
    ap_run_insert_error_filter(r);
    if (wants_json(r)) {
        ap_set_content_type(r, "application/problem+json");
        ap_rputs("{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                 "\"detail\":\"The database is changing over. ", r);
        ap_rputs(kept_nothing ? "The request was not executed; repeat it after " RETRY_AFTER " seconds.\"}\n"
                              : "Whether the request was carried out is not known.\"}\n", r);
    } else {
        ap_set_content_type(r, "text/html; charset=utf-8");
        ap_rvputs(r, page_head, safe ? "<meta http-equiv=\"refresh\" content=\"" RETRY_AFTER "\">\n" : "", page_style,
                  safe ? "<p>The database behind this site is changing over. This page comes back by itself.</p>\n"
                  : kept_nothing ? "<p>The database behind this site is changing over. What you sent was <strong>not</strong> carried "
                                   "out. Go back and send it again in a moment.</p>\n"
                                 : "<p>The database behind this site is changing over. Whether what you sent was carried out is not "
                                   "known; look before you send it again.</p>\n",
                  "</main>\n</body>\n</html>\n", NULL);
    }
    return DONE;
}
