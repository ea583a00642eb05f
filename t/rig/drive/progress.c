/* SPDX-License-Identifier: Apache-2.0 */
/* The live line: see progress.h. */
#include "progress.h"
#include "stats.h"

#include <stdio.h>
#include <unistd.h>

/* Requests that are younger than this may well be on their way: not worth the word "waiting". */
#define SLACK 200000

void drive_progress_start(drive_progress *progress, int64_t asked, int64_t now)
{
    progress->in_place = isatty(STDERR_FILENO);
    progress->every = asked >= 0 ? asked : progress->in_place ? 1000000 : 5000000;
    progress->shown = now;
    progress->from = 0;
}

static void print_ms(const char *name, int64_t us)
{
    if (us < 0) {
        fprintf(stderr, "  %s    -   ", name);
    }
    else {
        fprintf(stderr, "  %s %5.0f ms", name, (double)us / 1e3);
    }
}

void drive_progress_show(drive_progress *progress, const drive_log *log, size_t in_flight, int64_t started, int64_t now)
{
    size_t to = log->n;
    drive_sum all, last;

    if (progress->every == 0 || now - progress->shown < progress->every - SLACK) {
        return;
    }
    drive_stats_sum(log, 0, log->n, DRIVE_ANY_KIND, &all);
    drive_stats_sum(log, progress->from, to, DRIVE_ANY_KIND, &last);
    fprintf(stderr, "%s%5.0f s  sent %lld  ok %lld  failed %lld  under way %zu  | since the last line: failed %lld", progress->in_place ? "\r" : "",
            (double)(now - started) / 1e6, (long long)all.sent, (long long)all.ok, (long long)all.failed, in_flight, (long long)last.failed);
    print_ms("p50", last.p50);
    print_ms("max", last.max);
    fputs(progress->in_place ? "\033[K" : "\n", stderr);
    fflush(stderr);
    progress->shown = now;
    progress->from = to;
}

void drive_progress_end(const drive_progress *progress)
{
    if (progress->every && progress->in_place) {
        fputc('\n', stderr);
    }
}
