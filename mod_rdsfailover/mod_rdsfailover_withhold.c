/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_withhold.c
 * @brief The moment at which an answer is let out or swallowed.
 *
 * Layer:   glue. rf_replay.c decides; this file collects the facts.
 * Threads: the worker that has the request.
 *
 * There are three such moments, the first that comes counts: the first brigade of the answer reaches our filter; a handler returns
 * an error, or nothing at all, and none has (PHP-FPM is gone; it gave an empty 500: then the end of the answer comes too late,
 * from outside the handlers).
 *
 * A swallowed answer is read to its end, so that the application's connection stays usable.
 */
#include "mod_rdsfailover_visit.h"

#include <http_log.h>
#include <http_protocol.h>

APLOG_USE_MODULE(rdsfailover);

#define OUTCOME "RDS-Failover-Outcome"

/* CGI and FastCGI headers land in err_headers_out, those of PHP inside httpd and of proxied servers in headers_out. */
static void take_from(apr_pool_t *p, apr_table_t *headers, rf_outcome *outcome)
{
    const char *value = apr_table_getm(p, headers, OUTCOME);

    if (!value)
        return;
    if (*outcome != RF_OUTCOME_UNKNOWN)
        *outcome = rf_replay_outcome(value);
    apr_table_unset(headers, OUTCOME);
}

/* The application's word, of whatever ran for this request; it never reaches the client. */
static rf_outcome take_outcome(const request_rec *last)
{
    rf_outcome outcome = RF_OUTCOME_NONE;
    const request_rec *r;

    for (r = last; r; r = r->prev) {
        take_from(last->pool, r->headers_out, &outcome);
        take_from(last->pool, r->err_headers_out, &outcome);
    }
    return outcome;
}

static int has_outcome(const request_rec *last)
{
    const request_rec *r;

    for (r = last; r; r = r->prev) {
        if (apr_table_get(r->headers_out, OUTCOME) || apr_table_get(r->err_headers_out, OUTCOME))
            return 1;
    }
    return 0;
}

/* An ErrorDocument may answer 200 for the failure it stands for. */
static int failing_status(const request_rec *last, int status)
{
    const request_rec *r;

    for (r = last; r && !rf_replay_fails(status, RF_OUTCOME_NONE); r = r->prev) {
        if (rf_replay_fails(r->status, RF_OUTCOME_NONE))
            status = r->status;
    }
    return status;
}

static rf_method method_of(const request_rec *r)
{
    switch (r->method_number) {
    case M_GET:
    case M_OPTIONS:
        return RF_METHOD_SAFE;
    case M_PUT:
    case M_DELETE:
        return RF_METHOD_IDEMPOTENT;
    default:
        return RF_METHOD_OTHER;
    }
}

static rf_replay_verdict decide(const rf_visit *v, rf_outcome outcome)
{
    const rf_attempt *a = v->attempt;
    rf_replay_facts facts = { 0 };

    facts.mode = a->mode;
    /* An ErrorDocument is a GET, whatever it stands for. */
    facts.method = method_of(a->as_sent);
    facts.outcome = outcome;
    facts.body_kept = rf_body_kept(a->body);
    facts.attempts = v->attempts;
    facts.most = v->over ? v->attempts : a->most;
    return rf_replay_decide(&facts);
}

/* In an outage it waits with all the others, and is let go as they are. @return 0: too many run again already */
static int has_place(rf_visit *v)
{
    rf_attempt *a = v->attempt;
    rf_slot *slot = v->db->slot;
    uint32_t budget = rf_replay_budget(rf_slot_now(slot, RF_NOW_INFLIGHT));
    rf_brief brief;

    if (!rf_slot_brief(slot, &brief) || brief.state != RF_STATE_AVAILABLE)
        return 1;
    /* A second attempt has one, and hands it to the third. */
    a->has_place = v->attempts > 1 || rf_slot_more_below(rf_life_board(), slot, rf_life_child(), RF_NOW_REPLAYING, budget);
    return a->has_place;
}

rf_answer rf_withhold_judge(rf_visit *v, const request_rec *last, int status)
{
    rf_attempt *a = v->attempt;
    rf_outcome outcome = take_outcome(last);
    rf_replay_verdict verdict;

    v->outcome = outcome;
    status = failing_status(last, status);
    rf_replay_result(v, rf_replay_fails(status, outcome));
    if (!rf_replay_fails(status, outcome) || v->r->connection->aborted || !rf_blame_database(v->db, a->epoch))
        return a->answer = RF_ANSWER_PASSED;

    verdict = decide(v, outcome);
    if (a->dry) {
        rf_slot_count(v->db->slot, RF_COUNT_DRY);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, last, "RF0310: dry run: the answer %d of %s would %s", status, v->r->unparsed_uri,
                      verdict == RF_REPLAY_AGAIN ? "be withheld and the request repeated" : "go out");
        return a->answer = RF_ANSWER_PASSED;
    }
    if (verdict == RF_REPLAY_AGAIN && !has_place(v))
        verdict = RF_REPLAY_OVER_BUDGET;
    if (verdict != RF_REPLAY_AGAIN) {
        rf_slot_count(v->db->slot, RF_COUNT_REPLAY_REFUSED);
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, last, "RF0311: %s %s failed with its database (%d) and is not repeated: %s",
                      a->as_sent->method, v->r->unparsed_uri, status, rf_replay_reason(verdict));
        return a->answer = RF_ANSWER_PASSED;
    }
    rf_slot_count(v->db->slot, RF_COUNT_WITHHELD);
    if (v->recovering)
        rf_slot_count(v->db->slot, RF_COUNT_TROUBLED);
    a->owed = 1;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, last, "RF0312: %s %s failed with its database (%d); its answer is withheld, it runs again",
                  a->as_sent->method, v->r->unparsed_uri, status);
    return a->answer = RF_ANSWER_WITHHELD;
}

void rf_withhold_returned(rf_visit *v, const request_rec *last, int rc)
{
    int status;

    while (last->next)
        last = last->next;
    status = ap_is_HTTP_VALID_RESPONSE(rc) ? rc : last->status;
    if (v->attempt->answer != RF_ANSWER_OPEN || rc == SUSPENDED)
        return;
    /* An error of another kind may still get its ErrorDocument. */
    if (rf_replay_fails(failing_status(last, status), RF_OUTCOME_NONE) || has_outcome(last))
        rf_withhold_judge(v, last, status);
}

/* An error bucket stands for an answer whose headers were fine and whose body did not come. */
static int status_of(const request_rec *r, const apr_bucket_brigade *bb)
{
    const apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (AP_BUCKET_IS_ERROR(b))
            return ((const ap_bucket_error *)b->data)->status;
    }
    return r->status;
}

apr_status_t rf_withhold_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    rf_visit *v = rf_visit_known(f->r);
    rf_attempt *a = v ? v->attempt : NULL;

    if (a && a->running && a->answer == RF_ANSWER_OPEN)
        rf_withhold_judge(v, f->r, status_of(f->r, bb));
    if (a && a->running && a->answer == RF_ANSWER_WITHHELD) {
        apr_brigade_cleanup(bb);
        return APR_SUCCESS;
    }
    take_outcome(f->r);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}
