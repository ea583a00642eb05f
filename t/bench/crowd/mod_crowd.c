/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_crowd.c
 * @brief An application for benches and tests, inside httpd: it takes its time, checks what it was sent and counts who is inside.
 *
 * Layer: httpd. Built beside the module, never installed.
 *
 *   LoadModule crowd_module .../mod_crowd.so
 *   <Location "/work">
 *   SetHandler crowd-work
 *   </Location>
 *
 * The query says what to do, with & between the words:
 *   ms=20     sleep that long (20)
 *   stats     tell "running N max N total N hang N", sleep not
 *   reset     as stats, and count max and total from here on
 *   hang=1    as stats, and from now on nobody is answered until hang=0
 *
 * Everybody else is answered "ok PID CRC LENGTH TOKEN": the checksum and length of the request's body, and its header X-Crowd.
 * The response says X-Arrived (the request line was read), X-Started and X-Ended (the handler), in microseconds since 1970.
 * Wherever the module is loaded each response names its process in X-Pid.
 */
#include <httpd.h>

#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include <unistd.h>

#include "crc.h"

#define HANG_MAX apr_time_from_sec(600)

/* Of all children, old generations included. */
typedef struct {
    volatile apr_uint32_t running, max, total, hang;
} crowd_counters;

module AP_MODULE_DECLARE_DATA crowd_module;

static crowd_counters *counters;

static void enter(void)
{
    apr_uint32_t now = apr_atomic_inc32(&counters->running) + 1;
    apr_uint32_t max;

    apr_atomic_inc32(&counters->total);
    while ((max = apr_atomic_read32(&counters->max)) < now && apr_atomic_cas32(&counters->max, now, max) != max) {
    }
}

/* @return the value of a word of the query, "" if it has none, NULL if the word is not there */
static const char *word(request_rec *r, const char *name)
{
    char *args = apr_pstrdup(r->pool, r->args ? r->args : ""), *state;
    size_t length = strlen(name);

    for (char *at = apr_strtok(args, "&", &state); at; at = apr_strtok(NULL, "&", &state)) {
        if (strncmp(at, name, length) == 0 && (!at[length] || at[length] == '=')) {
            return at[length] ? at + length + 1 : "";
        }
    }
    return NULL;
}

static int tell(request_rec *r)
{
    const char *hang = word(r, "hang");

    if (hang) {
        apr_atomic_set32(&counters->hang, *hang == '1');
    }
    if (word(r, "reset")) {
        apr_atomic_set32(&counters->max, apr_atomic_read32(&counters->running));
        apr_atomic_set32(&counters->total, 0);
    }
    ap_rprintf(r, "running %u max %u total %u hang %u\n", apr_atomic_read32(&counters->running), apr_atomic_read32(&counters->max),
               apr_atomic_read32(&counters->total), apr_atomic_read32(&counters->hang));
    return OK;
}

/* @return OK or a status */
static int read_body(request_rec *r, apr_uint32_t *ret_crc, apr_off_t *ret_length)
{
    char buffer[8192];
    long n;
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);

    *ret_crc = 0;
    *ret_length = 0;
    if (status != OK || !ap_should_client_block(r)) {
        return status;
    }
    while ((n = ap_get_client_block(r, buffer, sizeof buffer)) > 0) {
        *ret_crc = crowd_crc(*ret_crc, buffer, (size_t)n);
        *ret_length += n;
    }
    return n < 0 ? HTTP_BAD_REQUEST : OK;
}

static const char *token(request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "X-Crowd");

    return text && *text && strlen(text) <= 64 && !text[strspn(text, "0123456789.-")] ? text : "-";
}

static void say_time(request_rec *r, const char *name, apr_time_t at)
{
    apr_table_setn(r->headers_out, name, apr_psprintf(r->pool, "%" APR_TIME_T_FMT, at));
}

static int work(request_rec *r)
{
    const char *ms = word(r, "ms");
    apr_time_t started = apr_time_now(), ended;
    apr_uint32_t crc;
    apr_off_t length;
    int status;

    enter();
    status = read_body(r, &crc, &length);
    if (status == OK) {
        apr_sleep(apr_time_from_msec(ms && *ms ? atoi(ms) : 20));
        while (apr_atomic_read32(&counters->hang) && apr_time_now() - started < HANG_MAX) {
            apr_sleep(apr_time_from_msec(2));
        }
    }
    ended = apr_time_now();
    apr_atomic_dec32(&counters->running);
    if (status != OK) {
        return status;
    }
    say_time(r, "X-Arrived", r->request_time);
    say_time(r, "X-Started", started);
    say_time(r, "X-Ended", ended);
    ap_rprintf(r, "ok %d %08x %" APR_OFF_T_FMT " %s\n", (int)getpid(), crc, length, token(r));
    return OK;
}

static int handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, "crowd-work") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return word(r, "stats") || word(r, "reset") || word(r, "hang") ? tell(r) : work(r);
}

static int fixups(request_rec *r)
{
    apr_table_set(r->err_headers_out, "X-Pid", apr_itoa(r->pool, (int)getpid()));
    return DECLINED;
}

/* Kept over restarts: who is inside meanwhile must come out again. */
static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    static const char key[] = "mod_crowd";
    crowd_counters **kept = ap_retained_data_get(key);
    apr_shm_t *shm;

    if (!kept) {
        if (apr_shm_create(&shm, sizeof **kept, NULL, s->process->pool) != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "mod_crowd: no shared memory");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        kept = ap_retained_data_create(key, sizeof *kept);
        *kept = apr_shm_baseaddr_get(shm);
        memset(*kept, 0, sizeof **kept);
    }
    counters = *kept;
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(crowd) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE};
