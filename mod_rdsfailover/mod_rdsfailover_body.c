/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_body.c
 * @brief Keeps what an attempt reads of the request's body, and gives it to the next one.
 *
 * Layer:   glue.
 * Threads: the worker that has the request.
 *
 * Only what is read is kept: a body that nobody read is still on the connection, whatever its size. If more is read than may be
 * kept, the request cannot run again, and nothing is kept at all: half a body is worth less than none.
 */
#include "mod_rdsfailover_visit.h"

#include <string.h>

#define ROOM_AT_FIRST 4096

typedef enum { KEEPING, FORGETTING, LOST } keeping;

struct rf_body {
    apr_pool_t *pool;
    char *data;
    apr_size_t length, room, most;
    apr_size_t given;    /* of it, to the present attempt */
    int ended;           /* all of the body is in `data` */
    keeping keeping;
};

rf_body *rf_body_create(apr_pool_t *p, apr_size_t most)
{
    rf_body *body = apr_pcalloc(p, sizeof *body);

    body->pool = p;
    body->most = most;
    return body;
}

void rf_body_rewind(rf_body *body)
{
    body->given = 0;
}

void rf_body_forget(rf_body *body)
{
    /* What was not given yet is still to be read, if only to be thrown away. */
    if (body->keeping == KEEPING)
        body->keeping = FORGETTING;
}

int rf_body_kept(const rf_body *body)
{
    return body->keeping == KEEPING;
}

static void keep(rf_body *body, const char *data, apr_size_t n)
{
    if (body->length + n > body->most) {
        body->keeping = LOST;
        return;
    }
    if (body->length + n > body->room) {
        char *larger;

        while (body->room < body->length + n)
            body->room = body->room ? 2 * body->room : ROOM_AT_FIRST;
        larger = apr_palloc(body->pool, body->room);
        if (body->length)
            memcpy(larger, body->data, body->length);
        body->data = larger;
    }
    memcpy(body->data + body->length, data, n);
    body->length += n;
    body->given = body->length;
}

static void keep_brigade(rf_body *body, apr_bucket_brigade *bb)
{
    apr_bucket *b;
    const char *data;
    apr_size_t n;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && body->keeping == KEEPING; b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b))
            body->ended = 1;
        else if (APR_BUCKET_IS_METADATA(b))
            continue;
        else if (apr_bucket_read(b, &data, &n, APR_BLOCK_READ) == APR_SUCCESS)
            keep(body, data, n);
        else
            body->keeping = LOST;
    }
}

/* From what is kept. */
static void give(rf_body *body, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_off_t readbytes)
{
    const char *from = body->data + body->given;
    apr_size_t n = body->length - body->given;

    if (mode == AP_MODE_GETLINE) {
        const char *lf = memchr(from, '\n', n);
        if (lf)
            n = (apr_size_t)(lf - from) + 1;
    } else if (mode != AP_MODE_EXHAUSTIVE && readbytes > 0 && (apr_off_t)n > readbytes) {
        n = (apr_size_t)readbytes;
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(from, n, NULL, bb->bucket_alloc));
    if (mode != AP_MODE_SPECULATIVE)
        body->given += n;
}

static apr_status_t give_end(apr_bucket_brigade *bb)
{
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return APR_SUCCESS;
}

/* HTTP_IN keeps its state in the pool of the request, and that state lives longer than the attempt; it reads the trailers of a
 * chunked body through the filters of the request, that is through this one, and they are no part of the body. */
static apr_status_t read_on(ap_filter_t *f, rf_attempt *a, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t readbytes)
{
    apr_pool_t *pool = f->r->pool;
    apr_status_t rv;

    f->r->pool = a->own;
    a->reading = 1;
    rv = ap_get_brigade(f->next, bb, mode, block, readbytes);
    a->reading = 0;
    f->r->pool = pool;
    if (a->body->keeping != KEEPING || mode == AP_MODE_SPECULATIVE || mode == AP_MODE_INIT)
        return rv;
    if (rv == APR_SUCCESS)
        keep_brigade(a->body, bb);
    else if (!APR_STATUS_IS_EAGAIN(rv))
        a->body->keeping = LOST;
    return rv;
}

apr_status_t rf_body_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t readbytes)
{
    rf_visit *v = rf_visit_known(f->r);
    rf_attempt *a = v ? v->attempt : NULL;

    if (!a || a->reading || mode == AP_MODE_INIT)
        return ap_get_brigade(f->next, bb, mode, block, readbytes);
    /* httpd reads what a failed attempt left before it unwinds; that is the next one's. */
    if (a->answer == RF_ANSWER_WITHHELD)
        return give_end(bb);
    if (a->body->given < a->body->length && a->body->keeping != LOST) {
        give(a->body, bb, mode, readbytes);
        return APR_SUCCESS;
    }
    if (a->body->ended)
        return give_end(bb);
    return read_on(f, a, bb, mode, block, readbytes);
}
