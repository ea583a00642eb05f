/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file main.c
 * @brief rds-drive: an open-loop traffic driver that counts every request from the moment it was due.
 *
 * options -> mix; schedule + engine -> records (a drive_log); stats + json -> results.
 */
#include "engine.h"
#include "json.h"
#include "progress.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static drive_stop stop;

/* Everything the engine's listener needs. */
typedef struct {
    drive_run run;
    drive_log log;
    drive_progress progress;
    drive_engine *engine;
    FILE *jsonl;
    FILE *tokens;
} session;

static void on_signal(int number)
{
    if (number == SIGINT) {
        stop.abort = 1;
    }
    stop.drain = 1;
}

static void on_ended(void *context, size_t n)
{
    session *s = context;

    if (s->jsonl) {
        drive_json_line(s->jsonl, &s->run, &s->log, n);
    }
    if (s->tokens && s->run.options->mix.kinds[s->log.records[n].kind].writes) {
        drive_json_token(s->tokens, &s->run, &s->log, n);
    }
}

static void on_tick(void *context)
{
    session *s = context;

    drive_progress_show(&s->progress, &s->log, drive_engine_in_flight(s->engine), s->run.started, drive_engine_now());
}

static bool open_file(const char *path, FILE **ret_file)
{
    if (!path) {
        return true;
    }
    *ret_file = fopen(path, "we");
    if (!*ret_file) {
        fprintf(stderr, "rds-drive: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static bool close_file(FILE *file, const char *path)
{
    if (!file) {
        return true;
    }
    if (ferror(file) | (fclose(file) != 0)) {
        fprintf(stderr, "rds-drive: %s: could not be written in full\n", path);
        return false;
    }
    return true;
}

static void catch_signals(sigset_t *ret_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, ret_waiting);
    sigdelset(ret_waiting, SIGINT);
    sigdelset(ret_waiting, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool finish(session *s)
{
    const drive_options *options = s->run.options;
    bool good;

    s->run.ended = drive_engine_now();
    s->run.stopped = stop.abort ? "SIGINT" : stop.drain ? "SIGTERM" : NULL;
    drive_progress_end(&s->progress);
    for (size_t i = 0; i < s->log.n; i++) {
        /* What was cut short is not in the lines yet. */
        if (s->log.records[i].outcome == DRIVE_PENDING) {
            on_ended(s, i);
        }
    }
    good = close_file(s->jsonl, options->jsonl);
    good = close_file(s->tokens, options->tokens) && good;
    return (!options->out || drive_json_write(options->out, &s->run, &s->log)) && good;
}

static int run(const drive_options *options)
{
    session s = {.run = {.options = options, .prefix = options->token_prefix}};
    drive_listener listener = {on_ended, on_tick, &s};
    drive_schedule schedule = {.rate = options->rate, .seed = options->seed};
    char prefix[24];
    sigset_t waiting;
    bool good;

    if (!open_file(options->jsonl, &s.jsonl) || !open_file(options->tokens, &s.tokens)) {
        return 1;
    }
    s.run.files = drive_engine_raise_files();
    if (!s.run.prefix) {
        snprintf(prefix, sizeof prefix, "%llx", (unsigned long long)drive_engine_now());
        s.run.prefix = prefix;
    }
    s.engine = drive_engine_new(options, s.run.prefix, &s.log, &listener);
    if (!s.engine) {
        return 1;
    }
    catch_signals(&waiting);
    schedule.count = (int64_t)(options->rate * (double)options->duration / 1e6 + 0.5);
    schedule.start = drive_engine_now();
    s.run.planned = schedule.count;
    s.run.started = schedule.start;
    drive_progress_start(&s.progress, options->progress, schedule.start);
    drive_engine_run(s.engine, &schedule, &stop, &waiting);
    good = finish(&s);
    drive_engine_free(s.engine);
    drive_log_free(&s.log);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    drive_options options;
    const char *error = drive_options_parse(&options, argc, argv);
    int status = 2;

    if (error) {
        fprintf(stderr, "rds-drive: %s\n", error);
    }
    else if (options.help) {
        fputs(drive_options_help(), stdout);
        status = 0;
    }
    else {
        status = run(&options);
    }
    drive_options_free(&options);
    return status;
}
