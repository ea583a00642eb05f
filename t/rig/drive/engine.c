/* SPDX-License-Identifier: Apache-2.0 */
/* The open loop on libcurl and epoll: see engine.h. */
#include "engine.h"
#include "marker.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256

/* One request under way. Kept for the next one when it ends: a curl handle is costly to make. */
typedef struct flight {
    drive_engine *engine;
    CURL *curl;
    char *body;
    size_t record;
    size_t marker_at;
    struct flight *next, *previous; /* among those under way; `next` also among the idle ones */
} flight;

struct drive_engine {
    const drive_options *options;
    const char *prefix;
    drive_log *log;
    drive_listener listener;
    drive_marker *markers; /* one per kind; unused where the kind has none */
    CURLM *multi;
    int epoll;
    int64_t curl_due; /* when libcurl wants to be called, or -1 */
    size_t in_flight;
    flight *flying;
    flight *idle;
};

int64_t drive_engine_now(void)
{
    static int64_t offset;
    struct timespec ts;

    if (!offset) {
        struct timespec wall;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        clock_gettime(CLOCK_REALTIME, &wall);
        offset = (wall.tv_sec - ts.tv_sec) * INT64_C(1000000) + (wall.tv_nsec - ts.tv_nsec) / 1000;
    }
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000 + offset;
}

long drive_engine_raise_files(void)
{
    struct rlimit limit;
    rlim_t wanted = 65536;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return -1;
    }
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = {wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
            raised = (struct rlimit){limit.rlim_max < wanted ? limit.rlim_max : wanted, limit.rlim_max};
            setrlimit(RLIMIT_NOFILE, &raised);
        }
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur > 1000000000 ? 1000000000 : (long)limit.rlim_cur;
}

/* ---- libcurl's side: which sockets, and when to call next ---- */

static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *known)
{
    drive_engine *engine = context;
    struct epoll_event event = {.data.fd = fd};

    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(engine->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (epoll_ctl(engine->epoll, EPOLL_CTL_MOD, fd, &event) != 0) {
        epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event);
    }
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *context)
{
    drive_engine *engine = context;

    engine->curl_due = ms < 0 ? -1 : drive_engine_now() + ms * 1000;
    return 0;
}

static size_t take_body(char *piece, size_t size, size_t count, void *context)
{
    flight *f = context;
    drive_engine *engine = f->engine;
    drive_record *record = &engine->log->records[f->record];

    record->bytes += (int64_t)(size * count);
    if (engine->options->mix.kinds[record->kind].marker) {
        f->marker_at = drive_marker_feed(&engine->markers[record->kind], f->marker_at, piece, size * count);
    }
    return size * count;
}

/* ---- one request ---- */

static flight *take_flight(drive_engine *engine)
{
    flight *f = engine->idle;

    if (f) {
        engine->idle = f->next;
    }
    else {
        f = calloc(1, sizeof *f);
        f->engine = engine;
        f->curl = curl_easy_init();
    }
    f->previous = NULL;
    f->next = engine->flying;
    if (f->next) {
        f->next->previous = f;
    }
    engine->flying = f;
    engine->in_flight++;
    return f;
}

static void give_back(drive_engine *engine, flight *f)
{
    curl_multi_remove_handle(engine->multi, f->curl);
    free(f->body);
    f->body = NULL;
    if (f->previous) {
        f->previous->next = f->next;
    }
    else {
        engine->flying = f->next;
    }
    if (f->next) {
        f->next->previous = f->previous;
    }
    f->next = engine->idle;
    engine->idle = f;
    engine->in_flight--;
}

static void set_method(flight *f, const drive_kind *kind)
{
    if (f->body) {
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, f->body);
    }
    if (strcmp(kind->method, "HEAD") == 0) {
        curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
    }
    else if (strcmp(kind->method, "POST") == 0) {
        curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
        if (!f->body) {
            curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, "");
        }
    }
    else if (f->body || strcmp(kind->method, "GET") != 0) {
        curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, kind->method);
    }
}

static void set_url(drive_engine *engine, flight *f, const drive_kind *kind, const char *token, uint64_t draw)
{
    char *url = drive_mix_render(kind->url, token, draw);

    if (*url == '/') {
        const char *base = engine->options->base;
        size_t length = strlen(base);
        char *joined = malloc(length + strlen(url) + 1);
        length -= length > 0 && base[length - 1] == '/';
        memcpy(joined, base, length);
        strcpy(joined + length, url);
        free(url);
        url = joined;
    }
    curl_easy_setopt(f->curl, CURLOPT_URL, url);
    free(url);
}

static void send_request(drive_engine *engine, const drive_schedule *schedule, int64_t n)
{
    const drive_options *options = engine->options;
    uint64_t draw = drive_schedule_draw(schedule, n);
    drive_record *record = drive_log_add(engine->log);
    flight *f = take_flight(engine);
    const drive_kind *kind;
    char token[80];

    record->kind = drive_schedule_kind(&options->mix, draw);
    record->due = drive_schedule_due(schedule, n);
    record->sent = drive_engine_now();
    kind = &options->mix.kinds[record->kind];
    f->record = (size_t)n;
    f->marker_at = 0;
    snprintf(token, sizeof token, "%s-%lld", engine->prefix, (long long)n);
    f->body = kind->body ? drive_mix_render(kind->body, token, draw) : NULL;
    curl_easy_reset(f->curl);
    set_url(engine, f, kind, token, draw);
    set_method(f, kind);
    curl_easy_setopt(f->curl, CURLOPT_PRIVATE, (char *)f);
    curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, (long)(options->timeout / 1000));
    if (!options->keep_alive) {
        curl_easy_setopt(f->curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(f->curl, CURLOPT_FORBID_REUSE, 1L);
    }
    if (options->follow) {
        curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(f->curl, CURLOPT_MAXREDIRS, 20L);
        curl_easy_setopt(f->curl, CURLOPT_COOKIEFILE, "");
        curl_easy_setopt(f->curl, CURLOPT_COOKIELIST, "ALL");
    }
    curl_multi_add_handle(engine->multi, f->curl);
}

static drive_outcome judge(const drive_kind *kind, const drive_marker *marker, const flight *f, CURLcode result, const drive_record *record)
{
    switch (result) {
    case CURLE_OK:
        return drive_mix_expects(kind, record->status) && (!kind->marker || f->marker_at == marker->length) ? DRIVE_OK : DRIVE_WRONG;
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        /* After a redirect, an earlier leg was executed. */
        return record->redirects ? DRIVE_UNKNOWN : DRIVE_UNSENT;
    case CURLE_TOO_MANY_REDIRECTS:
        return DRIVE_WRONG;
    case CURLE_OPERATION_TIMEDOUT: {
        /* The same code stands for a timeout while connecting, when nothing was sent. */
        curl_off_t connected = 0;
        curl_easy_getinfo(f->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
        return connected || record->redirects ? DRIVE_UNKNOWN : DRIVE_UNSENT;
    }
    default:
        return DRIVE_UNKNOWN;
    }
}

static void collect_ended(drive_engine *engine)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        CURLcode result = message->data.result;
        long status = 0, redirects = 0;
        drive_record *record;
        char *private;
        flight *f;
        size_t n;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        f = (flight *)(void *)private;
        n = f->record;
        curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(f->curl, CURLINFO_REDIRECT_COUNT, &redirects);
        record = &engine->log->records[n];
        record->done = drive_engine_now();
        record->status = (int)status;
        record->curl = (int)result;
        record->redirects = (int)redirects;
        record->outcome = judge(&engine->options->mix.kinds[record->kind], &engine->markers[record->kind], f, result, record);
        give_back(engine, f);
        engine->listener.ended(engine->listener.context, n);
    }
}

/* ---- the loop ---- */

static void wait_until(drive_engine *engine, int64_t when, const sigset_t *waiting)
{
    int64_t left = when - drive_engine_now();
    struct timespec ts = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    struct pollfd wait = {.fd = engine->epoll, .events = POLLIN};

    /* epoll_wait counts milliseconds; a request due in 300 us must not wait for 1000. */
    ppoll(&wait, 1, left > 0 ? &ts : &(struct timespec){0}, waiting);
}

static void serve_sockets(drive_engine *engine)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(engine->epoll, events, EVENTS_AT_ONCE, 0), running;

    for (int i = 0; i < n; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(engine->multi, events[i].data.fd, what, &running);
    }
    if (engine->curl_due >= 0 && engine->curl_due <= drive_engine_now()) {
        engine->curl_due = -1;
        curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_ended(engine);
}

void drive_engine_run(drive_engine *engine, const drive_schedule *schedule, const drive_stop *stop, const sigset_t *waiting)
{
    int64_t next = 0, count = schedule->count, tick = schedule->start + 1000000;

    while (!stop->abort && (next < count || engine->in_flight > 0)) {
        int64_t now = drive_engine_now(), wake = tick, due = drive_schedule_due_by(schedule, now);

        if (stop->drain) {
            count = next;
        }
        while (next < due && next < count) {
            send_request(engine, schedule, next++);
        }
        if (now >= tick) {
            engine->listener.tick(engine->listener.context);
            tick += 1000000;
        }
        if (next < count && drive_schedule_due(schedule, next) < wake) {
            wake = drive_schedule_due(schedule, next);
        }
        if (engine->curl_due >= 0 && engine->curl_due < wake) {
            wake = engine->curl_due;
        }
        wait_until(engine, wake, waiting);
        serve_sockets(engine);
    }
}

size_t drive_engine_in_flight(const drive_engine *engine)
{
    return engine->in_flight;
}

drive_engine *drive_engine_new(const drive_options *options, const char *prefix, drive_log *log, const drive_listener *listener)
{
    drive_engine *engine = calloc(1, sizeof *engine);

    *engine = (drive_engine){.options = options, .prefix = prefix, .log = log, .listener = *listener, .curl_due = -1};
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (engine->epoll < 0 || curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK || !(engine->multi = curl_multi_init())) {
        fprintf(stderr, "rds-drive: cannot start: %s\n", engine->epoll < 0 ? strerror(errno) : "libcurl refuses");
        drive_engine_free(engine);
        return NULL;
    }
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    engine->markers = calloc((size_t)options->mix.n, sizeof *engine->markers);
    for (int i = 0; i < options->mix.n; i++) {
        if (options->mix.kinds[i].marker) {
            drive_marker_init(&engine->markers[i], options->mix.kinds[i].marker);
        }
    }
    return engine;
}

void drive_engine_free(drive_engine *engine)
{
    flight *f;

    while (engine->flying) {
        give_back(engine, engine->flying);
    }
    while ((f = engine->idle) != NULL) {
        engine->idle = f->next;
        curl_easy_cleanup(f->curl);
        free(f);
    }
    for (int i = 0; engine->markers && i < engine->options->mix.n; i++) {
        drive_marker_free(&engine->markers[i]);
    }
    free(engine->markers);
    curl_multi_cleanup(engine->multi);
    if (engine->epoll >= 0) {
        close(engine->epoll);
    }
    curl_global_cleanup();
    free(engine);
}
