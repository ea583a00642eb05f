/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's command line: defaults, units, and a sentence for whatever is wrong. */
#include "options.h"
#include "tap.h"

static drive_options options;

/* Parse a command line given as one string, words separated by single spaces. */
static const char *parse(const char *line)
{
    static char copy[256];
    char *argv[32] = {(char *)"rds-drive"};
    int argc = 1;

    drive_options_free(&options);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && argc < 31; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    return drive_options_parse(&options, argc, argv);
}

static void accepted(void)
{
    is_str(parse("http://h"), NULL, "a URL is enough");
    ok(options.rate == 30 && options.duration == 60000000 && options.timeout == 60000000, "defaults: 30/s for 60 s, 60 s each");
    is_int(options.mix.n, 1, "without a mix one page is asked for");
    ok(!options.keep_alive && !options.follow, "new connections, no redirects");
    is_str(parse("--rate 2.5 --duration 90 --timeout 500ms --progress 0 --keep-alive --follow http://h --seed 7"), NULL, "options may surround the URL");
    ok(options.rate == 2.5 && options.duration == 90000000 && options.timeout == 500000 && options.progress == 0, "values are read in their units");
    ok(options.keep_alive && options.follow && options.seed == 7, "switches too");
    is_str(parse("--duration 2min http://h"), NULL, "minutes are known");
    is_int(options.duration, 120000000, "and are sixty seconds");
    is_str(parse("--help"), NULL, "--help needs nothing else");
    ok(options.help && strstr(drive_options_help(), "--rate"), "and is noticed");
}

static void refused(void)
{
    static const struct {
        const char *line, *option, *says;
    } bad[] = {
        {"", "BASE-URL", "missing"},
        {"--rate 30", "BASE-URL", "missing"},
        {"ftp://h", "BASE-URL", "http://"},
        {"http://a http://b", "BASE-URL", "twice"},
        {"--rate 0 http://h", "--rate", "0.01 to 100000"},
        {"--rate -1 http://h", "--rate", "0.01 to 100000"},
        {"--rate nan http://h", "--rate", "0.01 to 100000"},
        {"--rate 30x http://h", "--rate", "0.01 to 100000"},
        {"--rate", "--rate", "0.01 to 100000"},
        {"--duration 0 http://h", "--duration", "above 0"},
        {"--duration 1h http://h", "--duration", "500ms, 60s or 2min"},
        {"--duration nan http://h", "--duration", "above 0"},
        {"--duration 1e300 http://h", "--duration", "above 0"},
        {"--timeout ms http://h", "--timeout", "above 0"},
        {"--progress -1 http://h", "--progress", "0 or a time"},
        {"--seed 1.5 http://h", "--seed", "whole number"},
        {"--seed 99999999999999999999 http://h", "--seed", "whole number"},
        {"--token-prefix a&b http://h", "--token-prefix", "letters, digits"},
        {"--out", "--out", "file name"},
        {"--mix /nonexistent/mix http://h", "--mix", "No such file"},
        {"--mix /dev/null http://h", "--mix", "empty"},
        {"--nonsense http://h", "--nonsense", "not known"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *error = parse(bad[i].line);
        ok(error && strstr(error, bad[i].option) && strstr(error, bad[i].says), "'%s' is refused: %s", bad[i].line, error ? error : "(it was taken)");
    }
}

int main(void)
{
    accepted();
    refused();
    drive_options_free(&options);
    return tap_done();
}
