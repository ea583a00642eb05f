/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: see options.h. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: rds-drive [options] BASE-URL\n"
    "\n"
    "Sends requests at a constant rate, whatever becomes of those before (an open loop), and counts\n"
    "each one's latency from the moment it was due: a stalled server cannot slow its own measurement.\n"
    "\n"
    "What to send (each line of a mix is one kind of request; without any: GET BASE-URL/):\n"
    "  --mix FILE        kinds, one a line; # begins a comment line\n"
    "  --kind LINE       one more kind; may be repeated\n"
    "      LINE = NAME WEIGHT METHOD URL [expect=STATUS[,...]] [marker=TEXT] [body=TEXT]\n"
    "      URL is a path below BASE-URL or absolute. expect: statuses of a right answer (200).\n"
    "      marker: text a right answer contains. In URL and body {token} becomes a text no other\n"
    "      request has, {A-B} a number between A and B. \"Double quotes\" hold spaces.\n"
    "      A kind with {token} is a write: its outcome goes to --tokens.\n"
    "\n"
    "How:\n"
    "  --rate N          requests a second (30)\n"
    "  --duration TIME   how long requests are sent (60s); the last ones are then waited for\n"
    "  --timeout TIME    when a request is given up (60s)\n"
    "  --keep-alive      reuse connections; otherwise each request opens its own\n"
    "  --follow          follow redirects, each request with cookies of its own, as browsers do: 307 with\n"
    "                    method and body. The latency is that of all legs; their number is recorded.\n"
    "                    Without it a redirect is the answer, right only if expect= names it\n"
    "  --seed N          another order of kinds and numbers (1); equal seeds send equal requests\n"
    "  --token-prefix T  tokens are T-0, T-1, ... (made from the start time)\n"
    "      TIME = a number with ms, s or min; s when bare.\n"
    "\n"
    "Results:\n"
    "  --out FILE        everything as JSON: totals, kinds, seconds, histogram, each failed request\n"
    "                    (- is standard output)\n"
    "  --jsonl FILE      a line of JSON for each request as it ends\n"
    "  --tokens FILE     a line for each write: token, acknowledged|failed|unknown, due, done,\n"
    "                    status, kind; separated by tabs, times in seconds since 1970\n"
    "  --progress TIME   a line on standard error this often; 0 = none\n"
    "                    (each second on a terminal, in place; otherwise every 5 s)\n"
    "\n"
    "Signals: TERM sends no more and waits for what is under way; INT (Ctrl-C) ends at once.\n"
    "Both write all results; requests cut short by INT are counted as pending.\n"
    "\n"
    "Exit: 0 the run took place (whatever was answered), 1 results could not be written, 2 bad usage.\n";

const char *drive_options_help(void)
{
    return help;
}

static const char *fail(drive_options *options, const char *name, const char *value, const char *accepted)
{
    snprintf(options->error, sizeof options->error, "%s: \"%s\": %s", name, value, accepted);
    return options->error;
}

static const char *parse_time(drive_options *options, const char *name, const char *value, int64_t least, int64_t *ret_time)
{
    char *end;
    double number = strtod(value, &end);
    double unit = strcmp(end, "ms") == 0 ? 1e3 : strcmp(end, "min") == 0 ? 60e6 : strcmp(end, "s") == 0 || !*end ? 1e6 : 0;

    if (end == value || unit == 0 || !(number >= 0) || number * unit > 86400e6 || (int64_t)(number * unit) < least) {
        return fail(options, name, value,
                    least ? "a time above 0 and up to 1440min is accepted, such as 500ms, 60s or 2min" : "0 or a time up to 1440min is accepted");
    }
    *ret_time = (int64_t)(number * unit);
    return NULL;
}

static const char *parse_rate(drive_options *options, const char *name, const char *value)
{
    char *end;
    double rate = strtod(value, &end);

    if (end == value || *end || !(rate >= 0.01) || rate > 100000) {
        return fail(options, name, value, "a number from 0.01 to 100000 is accepted");
    }
    options->rate = rate;
    return NULL;
}

static const char *parse_seed(drive_options *options, const char *name, const char *value)
{
    char *end;

    errno = 0;
    options->seed = strtoull(value, &end, 10);
    return end == value || *end || errno || *value == '-' ? fail(options, name, value, "a whole number from 0 is accepted") : NULL;
}

static const char *parse_prefix(drive_options *options, const char *name, const char *value)
{
    static const char accepted[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

    /* Tokens go into URLs and forms unescaped. */
    if (!*value || value[strspn(value, accepted)] || strlen(value) > 40) {
        return fail(options, name, value, "1 to 40 letters, digits, - _ or . are accepted");
    }
    options->token_prefix = value;
    return NULL;
}

static const char *read_mix(drive_options *options, const char *name, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    const char *error;

    if (!file) {
        return fail(options, name, path, strerror(errno));
    }
    if (getdelim(&text, &size, '\0', file) < 0) {
        error = fail(options, name, path, ferror(file) ? strerror(errno) : "the file is empty");
    }
    else {
        error = drive_mix_add_text(&options->mix, text);
        if (!error && options->mix.n == 0) {
            error = fail(options, name, path, "the file holds no kind of request");
        }
    }
    free(text);
    fclose(file);
    return error;
}

static const char *parse_base(drive_options *options, const char *value)
{
    if (*value == '-') {
        return fail(options, "option", value, "it is not known; see --help");
    }
    if (options->base) {
        return fail(options, "BASE-URL", value, "it is given twice; one is accepted");
    }
    if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0) {
        return fail(options, "BASE-URL", value, "http://... or https://... is accepted");
    }
    options->base = value;
    return NULL;
}

/* An option with a value. Returns false when `name` is none of them. */
static bool parse_valued(drive_options *options, const char *name, const char *value, const char **ret_error)
{
    const char *error = NULL;
    const char **text = strcmp(name, "--out") == 0      ? &options->out
                        : strcmp(name, "--jsonl") == 0  ? &options->jsonl
                        : strcmp(name, "--tokens") == 0 ? &options->tokens
                                                        : NULL;

    if (!value) {
        value = "";
    }
    if (text) {
        *text = value;
        error = *value ? NULL : fail(options, name, value, "a file name is needed");
    }
    else if (strcmp(name, "--rate") == 0) {
        error = parse_rate(options, name, value);
    }
    else if (strcmp(name, "--duration") == 0) {
        error = parse_time(options, name, value, 1, &options->duration);
    }
    else if (strcmp(name, "--timeout") == 0) {
        error = parse_time(options, name, value, 1000, &options->timeout);
    }
    else if (strcmp(name, "--progress") == 0) {
        error = parse_time(options, name, value, 0, &options->progress);
    }
    else if (strcmp(name, "--seed") == 0) {
        error = parse_seed(options, name, value);
    }
    else if (strcmp(name, "--token-prefix") == 0) {
        error = parse_prefix(options, name, value);
    }
    else if (strcmp(name, "--mix") == 0) {
        error = read_mix(options, name, value);
    }
    else if (strcmp(name, "--kind") == 0) {
        error = drive_mix_add(&options->mix, value);
    }
    else {
        return false;
    }
    *ret_error = error;
    return true;
}

const char *drive_options_parse(drive_options *options, int argc, char **argv)
{
    *options = (drive_options){.rate = 30, .duration = 60000000, .timeout = 60000000, .progress = -1, .seed = 1};
    for (int i = 1; i < argc; i++) {
        const char *error = NULL;
        if (strcmp(argv[i], "--help") == 0) {
            options->help = true;
            return NULL;
        }
        if (strcmp(argv[i], "--keep-alive") == 0) {
            options->keep_alive = true;
        }
        else if (strcmp(argv[i], "--follow") == 0) {
            options->follow = true;
        }
        else if (parse_valued(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &error)) {
            i++;
        }
        else {
            error = parse_base(options, argv[i]);
        }
        if (error) {
            return error;
        }
    }
    if (!options->base) {
        return fail(options, "BASE-URL", "", "it is missing; http://... or https://... is accepted");
    }
    return options->mix.n ? NULL : drive_mix_add(&options->mix, "page 1 GET /");
}

void drive_options_free(drive_options *options)
{
    drive_mix_free(&options->mix);
}
