/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_replay.c
 * @brief Running a request again, as if it had never run: each execution is an attempt with a pool of its own.
 *
 * Layer:   glue. rf_replay.c decides, mod_rdsfailover_withhold.c asks it.
 * Threads: the worker that has the request.
 *
 *     insert_filter   the request as it is now is remembered; headers, notes, environment become copies    (begin)
 *     handler         the handlers run inside ours; the filter on top of the protocol's decides             (rf_replay_handler)
 *       withheld      the request is put back as it was, the attempt's pool goes, with all that was in it   (again)
 *       waits         with all the others: SUSPENDED, or this worker blocks                                 (rf_hold_again)
 *     handler         ap_invoke_handler once more, from insert_filter on
 *
 * The attempt starts from the request that the client sent, wherever it failed: in a front controller it was rewritten to, in an
 * ErrorDocument. What ran before insert_filter (access, authentication, fixups) is not repeated; its results are remembered.
 *
 * Why a pool: modules keep things in the pool of the request under names of their own. mod_proxy_fcgi finds a body there that it
 * had read for a connection it did not get, and would send it a second time. What an attempt opened (CGI processes, connections)
 * is closed with the pool, before the next attempt begins. The first attempt has one as well, because mod_php takes a request
 * whose pool is still there for one that encloses the next.
 */
#include "mod_rdsfailover_visit.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

typedef struct saved_filter {
    ap_filter_t *at, was;
} saved_filter;

/* Where every attempt starts from. */
typedef struct snapshot {
    request_rec r;
    ap_conn_keepalive_e keepalive;
    apr_array_header_t *output, *input; /* of saved_filter, those of the request */
} snapshot;

static ap_filter_rec_t *withhold_handle, *early_handle, *body_handle;

/* mod_cache is there, and would have stored an answer before the filter above the protocol's swallows it. */
static int caching;

static void look_for_cache(apr_pool_t *p, server_rec *s)
{
    caching = ap_find_linked_module("mod_cache.c") != NULL;
}

void rf_replay_register(apr_pool_t *p)
{
    ap_hook_child_init(look_for_cache, NULL, NULL, APR_HOOK_MIDDLE);
    early_handle = ap_register_output_filter("RDSFAILOVER_WITHHOLD_EARLY", rf_withhold_filter, NULL, AP_FTYPE_RESOURCE);
    withhold_handle = ap_register_output_filter("RDSFAILOVER_WITHHOLD", rf_withhold_filter, NULL, AP_FTYPE_PROTOCOL);
    body_handle = ap_register_input_filter("RDSFAILOVER_BODY", rf_body_filter, NULL, AP_FTYPE_PROTOCOL);
}

/*
 * Before http's own filters, so that ours is the first of the protocol's: an internal redirect and an error answer take the filters
 * of content away, never these, and nothing of an answer has been turned into bytes yet.
 */
int rf_replay_create_request(request_rec *r)
{
    const apr_array_header_t *databases = rf_life_databases();

    if (!r->main && !r->prev && databases && databases->nelts) {
        ap_add_output_filter_handle(withhold_handle, NULL, r, r->connection);
        ap_add_input_filter_handle(body_handle, NULL, r, r->connection);
    }
    return OK;
}

void rf_replay_arm(rf_visit *v, const rf_dir_conf *dir, int dry)
{
    rf_attempt *a;

    /* Who does not wait for a writer would only fail again at once. */
    if (v->attempt || dir->replay == RF_REPLAY_OFF || dir->hold == 0 || v->r->assbackwards)
        return;
    a = v->attempt = apr_pcalloc(v->r->pool, sizeof *a);
    a->own = v->r->pool;
    a->mode = dir->replay == RF_REPLAY_UNSET ? RF_REPLAY_SAFE : (rf_replay_mode)dir->replay;
    a->most = dir->attempts ? dir->attempts : RF_ATTEMPTS_DEFAULT;
    a->dry = dry;
    a->body = rf_body_create(a->own, dir->body == RF_BODY_UNSET ? RF_BODY_DEFAULT : (apr_size_t)dir->body);
}

/* --- an attempt --------------------------------------------------------------------------------------------------------------- */

static apr_array_header_t *save_filters(apr_pool_t *p, ap_filter_t *f)
{
    apr_array_header_t *saved = apr_array_make(p, 8, sizeof(saved_filter));

    for (; f && f->frec->ftype < AP_FTYPE_CONNECTION; f = f->next) {
        saved_filter *s = apr_array_push(saved);
        s->at = f;
        s->was = *f;
    }
    return saved;
}

static snapshot *take_snapshot(const rf_attempt *a, const request_rec *r)
{
    snapshot *s = apr_palloc(a->own, sizeof *s);

    s->r = *r;
    s->output = save_filters(a->own, r->output_filters);
    s->input = save_filters(a->own, r->input_filters);
    return s;
}

/* What modules leave in the pool of the request for others to find at another stage: modules/mappers/mod_rewrite.c, END of a rule,
 * which its next look at the request heeds; modules/cache/cache_util.h, what is stale and goes out in place of httpd's own errors,
 * and a lock. There is no asking a pool what was left in it. */
static const char *const left_in_pools[] = { "rewrite_really_last", "mod_cache-ctx", "mod_cache-lockfile" };

static void hand_over(apr_pool_t *from, apr_pool_t *to)
{
    size_t i;

    for (i = 0; i < sizeof left_in_pools / sizeof *left_in_pools; i++) {
        void *left = NULL;
        apr_pool_userdata_get(&left, left_in_pools[i], from);
        if (left)
            apr_pool_userdata_setn(left, left_in_pools[i], NULL, to);
    }
}

/* Other modules find what they noted before; what they note from now on is gone with the attempt. */
static ap_conf_vector_t *copy_config(apr_pool_t *p, const ap_conf_vector_t *config)
{
    ap_conf_vector_t *copy = ap_create_request_config(p);
    module *m;

    for (m = ap_top_module; m; m = m->next) {
        void *of_module = ap_get_module_config(config, m);
        if (of_module && m == &core_module)
            of_module = apr_pmemdup(p, of_module, sizeof(core_request_config));
        ap_set_module_config(copy, m, of_module);
    }
    return copy;
}

static void fresh_environment(request_rec *r, const rf_visit *v)
{
    rf_brief brief;

    if (!rf_slot_brief(v->db->slot, &brief))
        return;
    v->attempt->epoch = brief.epoch;
    rf_env_clear(r);
    rf_env_set(r, v->db, &brief, v->attempts);
}

/* The request ends before our handler could run it: httpd could not set up a filter, for example. What goes is the attempt's pool,
 * in the place of the request's own, which stays until the connection ends; so the counts must not wait for that. */
static apr_status_t never_ran(void *visit)
{
    rf_visit_wait_is_over(visit);
    rf_visit_rests(visit);
    return APR_SUCCESS;
}

static void begin(rf_visit *v)
{
    request_rec *r = v->r;
    rf_attempt *a = v->attempt;
    snapshot *s = a->snapshot;
    apr_pool_t *p;

    if (!s) {
        s = a->snapshot = take_snapshot(a, r);
        a->as_sent = &s->r;
    }
    /* A connection that came back after a wait is to be closed, which was not so at first. */
    s->keepalive = r->connection->keepalive;
    apr_pool_create(&a->pool, a->own);
    apr_pool_tag(a->pool, "rdsfailover attempt");
    apr_pool_cleanup_register(a->pool, v, never_ran, apr_pool_cleanup_null);
    hand_over(a->own, a->pool);
    p = r->pool = a->pool;
    r->headers_in = apr_table_copy(p, s->r.headers_in);
    r->headers_out = apr_table_copy(p, s->r.headers_out);
    r->err_headers_out = apr_table_copy(p, s->r.err_headers_out);
    r->subprocess_env = apr_table_copy(p, s->r.subprocess_env);
    r->notes = apr_table_copy(p, s->r.notes);
    r->trailers_in = apr_table_copy(p, s->r.trailers_in);
    r->trailers_out = apr_table_copy(p, s->r.trailers_out);
    if (r->content_languages)
        r->content_languages = apr_array_copy(p, s->r.content_languages);
    r->request_config = copy_config(p, s->r.request_config);
    a->answer = RF_ANSWER_OPEN;
    v->attempts++;
    v->outcome = RF_OUTCOME_NONE;
    /* The first has what fixups gave. */
    if (v->attempts > 1)
        fresh_environment(r, v);
    rf_body_rewind(a->body);
}

static void restore_filters(const apr_array_header_t *saved, ap_filter_t *of_connection, int with_ctx)
{
    int i;

    for (i = 0; i < saved->nelts; i++) {
        const saved_filter *s = &APR_ARRAY_IDX(saved, i, saved_filter);
        void *ctx = s->at->ctx;

        *s->at = s->was;
        if (!with_ctx)
            s->at->ctx = ctx;
        /* Those of the connection may have changed meanwhile. */
        if (i == saved->nelts - 1)
            s->at->next = of_connection;
    }
}

static void restore(request_rec *r, const snapshot *s)
{
    int expecting_100 = r->expecting_100;

    *r = s->r;
    /* The client was told to go on, once. */
    r->expecting_100 = expecting_100;
    restore_filters(s->output, r->connection->output_filters, 1);
    /* What HTTP_IN knows of the body is how much of it was read from the connection, by whichever attempt. */
    restore_filters(s->input, r->connection->input_filters, 0);
    r->connection->keepalive = s->keepalive;
}

void rf_replay_insert_filter(request_rec *r)
{
    rf_visit *v = r->main ? NULL : rf_visit_known(r);
    rf_attempt *a = v ? v->attempt : NULL;

    if (!a)
        return;
    if (r == v->r && !a->pool)
        begin(v);
    if (caching && a->answer == RF_ANSWER_OPEN)
        ap_add_output_filter_handle(early_handle, NULL, r, r->connection);
}

/* --- the handlers ----------------------------------------------------------------------------------------------------------- */

static int run_handlers(rf_attempt *a, request_rec *r)
{
    request_rec *outer = a->inside;
    int rc;

    a->inside = r;
    rc = ap_run_handler(r);
    a->inside = outer;
    return rc;
}

/* Something the request was redirected to inside. DONE unwinds to the request that the client sent. */
static int run_redirected(rf_visit *v, request_rec *r)
{
    rf_attempt *a = v->attempt;
    int rc;

    /* As an ErrorDocument it stands for a failure that can be judged before it runs. */
    if (a->answer == RF_ANSWER_OPEN && rf_replay_fails(r->prev->status, RF_OUTCOME_NONE))
        rf_withhold_judge(v, r->prev, r->prev->status);
    if (a->answer == RF_ANSWER_WITHHELD)
        return DONE;
    rc = run_handlers(a, r);
    rf_withhold_returned(v, r, rc);
    return a->answer == RF_ANSWER_WITHHELD ? DONE : rc;
}

/* @return as ap_invoke_handler */
static int again(rf_visit *v)
{
    request_rec *r = v->r;
    rf_attempt *a = v->attempt;
    apr_pool_t *failed = a->pool;
    int rc;

    restore(r, a->snapshot);
    a->pool = NULL;
    apr_pool_destroy(failed);
    rc = rf_hold_again(r, rf_config_dir(r), v);
    if (rc == DECLINED)
        return ap_invoke_handler(r);
    if (rc != SUSPENDED)
        a->answer = RF_ANSWER_PASSED;
    return rc;
}

static int run_as_sent(rf_visit *v)
{
    request_rec *r = v->r;
    rf_attempt *a = v->attempt;
    int repeats = v->attempts > 1, rc;

    apr_pool_cleanup_kill(a->pool, v, never_ran);
    rf_visit_runs(v);
    if (repeats && !a->has_place)
        rf_slot_more(rf_life_board(), v->db->slot, rf_life_child(), RF_NOW_REPLAYING);
    a->has_place = 0;
    a->running = 1;
    rc = run_handlers(a, r);
    rf_withhold_returned(v, r, rc);
    if (a->answer == RF_ANSWER_OPEN && rc != SUSPENDED && ap_is_HTTP_ERROR(rc)) {
        /* Its ErrorDocument may be a page of the application, and then belongs to the attempt. As in ap_process_async_request: to
         * ap_die a status that a handler has set looks like an ErrorDocument that fails. */
        r->status = HTTP_OK;
        ap_die(rc, r);
        rc = DONE;
        rf_withhold_returned(v, r, rc);
    }
    a->running = 0;
    if (repeats && !a->has_place)
        rf_slot_less(rf_life_board(), v->db->slot, rf_life_child(), RF_NOW_REPLAYING);
    rf_visit_rests(v);
    if (a->answer == RF_ANSWER_WITHHELD)
        return again(v);
    rf_replay_result(v, 0);
    a->answer = RF_ANSWER_PASSED;
    rf_body_forget(a->body);
    /* The end of the answer destroys r->pool, and with that the attempt's. */
    hand_over(a->pool, a->own);
    r->pool = a->own;
    return rc;
}

int rf_replay_handler(request_rec *r)
{
    rf_visit *v = r->main ? NULL : rf_visit_known(r);
    rf_attempt *a = v ? v->attempt : NULL;

    if (!a || a->inside == r)
        return DECLINED;
    if (r != v->r)
        return a->running ? run_redirected(v, r) : DECLINED;
    return a->pool && a->answer == RF_ANSWER_OPEN ? run_as_sent(v) : DECLINED;
}

int rf_replay_resume(request_rec *r)
{
    rf_visit *v = rf_visit_known(r);
    rf_brief brief;
    int rc;

    if (!v->attempts)
        return ap_run_fixups(r);
    rc = rf_hold_settle(r, rf_config_dir(r), v, &brief);
    if (rc == DECLINED)
        return OK;
    v->attempt->answer = RF_ANSWER_PASSED;
    return rc;
}

void rf_replay_result(rf_visit *v, int failed)
{
    rf_attempt *a = v->attempt;

    if (a && a->owed)
        rf_slot_count(v->db->slot, failed ? RF_COUNT_REPLAY_FAILED : RF_COUNT_REPLAY_SUCCEEDED);
    if (a)
        a->owed = 0;
}

void rf_replay_end(rf_visit *v)
{
    rf_replay_result(v, 1);
    if (v->attempt && v->attempt->has_place)
        rf_slot_less(rf_life_board(), v->db->slot, rf_life_child(), RF_NOW_REPLAYING);
}
