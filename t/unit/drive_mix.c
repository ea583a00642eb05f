/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's mix: what a line means, what it refuses, how templates are filled in, markers in pieces. */
#include "marker.h"
#include "mix.h"
#include "tap.h"

#include <stdlib.h>

static void good_lines(void)
{
    drive_mix mix = {0};
    const char *error = drive_mix_add_text(&mix, "# comment\n\n  page  3 GET  /a{1-9}\n"
                                                 "\twrite 1 POST /w expect=200,303 marker=\"two \\\"words\\\"\" body=t={token}&x=\r\n");

    is_str(error, NULL, "a file with comments and empty lines is taken");
    if (!is_int(mix.n, 2, "it holds two kinds")) {
        return;
    }
    is_int(mix.weights, 4, "weights are summed up");
    is_str(mix.kinds[0].url, "/a{1-9}", "the URL is kept as a template");
    ok(!mix.kinds[0].writes, "a kind without a token is no write");
    ok(drive_mix_expects(&mix.kinds[0], 200) && !drive_mix_expects(&mix.kinds[0], 303), "200 is expected when nothing is said");
    is_str(mix.kinds[1].marker, "two \"words\"", "quotes hold spaces, a backslash holds a quote");
    is_str(mix.kinds[1].body, "t={token}&x=", "the body ends before the line's end");
    ok(mix.kinds[1].writes, "a token makes a write");
    ok(drive_mix_expects(&mix.kinds[1], 303) && !drive_mix_expects(&mix.kinds[1], 500), "expect= lists what is right");
    drive_mix_free(&mix);
}

static void bad_lines(void)
{
    static const struct {
        const char *line, *says;
    } bad[] = {
        {"", "NAME WEIGHT METHOD URL are needed"},
        {"a 1 GET", "NAME WEIGHT METHOD URL are needed"},
        {"a 0 GET /", "from 1 to 1000000"},
        {"a x GET /", "from 1 to 1000000"},
        {"a 99999999999999999999 GET /", "from 1 to 1000000"},
        {"a 1 get /", "GET, HEAD, POST"},
        {"a 1 GET page", "a path beginning with /"},
        {"a 1 GET / expect=20", "statuses from 100 to 599"},
        {"a 1 GET / expect=200,", "statuses from 100 to 599"},
        {"a 1 GET / expect=200,201,202,203,204", "1 to 4 statuses"},
        {"a 1 GET / markr=x", "expect=, marker= and body= are accepted"},
        {"a 1 GET / marker=x marker=y", "repeats"},
        {"a 1 GET / marker=\"x", "not closed"},
        {"a 1 GET /{9-1}", "ends before it begins"},
        {"taken 1 GET /", "given twice"},
    };
    drive_mix mix = {0};

    drive_mix_add(&mix, "taken 1 GET /");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *error = drive_mix_add(&mix, bad[i].line);
        ok(error && strstr(error, bad[i].says), "'%s' is refused: %s", bad[i].line, error ? error : "(it was taken)");
    }
    is_int(mix.n, 1, "nothing refused is kept");
    drive_mix_free(&mix);
}

static void rendered(const char *template, uint64_t draw, const char *want)
{
    char *text = drive_mix_render(template, "T-1", draw);

    is_str(text, want, "'%s' becomes '%s'", template, want);
    free(text);
}

static void templates(void)
{
    int outside = 0, low = 0, high = 0;

    rendered("/plain?x=1", 5, "/plain?x=1");
    rendered("a={token}&b={token}", 5, "a=T-1&b=T-1");
    rendered("{}{a-b}{7}{7-", 5, "{}{a-b}{7}{7-");
    rendered("/{4-4}", 5, "/4");
    for (uint64_t draw = 0; draw < 1000; draw++) {
        char *text = drive_mix_render("{3-5}", "", draw);
        int value = atoi(text);
        outside += value < 3 || value > 5;
        low += value == 3;
        high += value == 5;
        free(text);
    }
    is_int(outside, 0, "a range is never left");
    ok(low > 200 && high > 200, "both of its ends occur");
}

static size_t feed(const char *marker, const char *text, size_t piece)
{
    drive_marker m;
    size_t at = 0, found;

    drive_marker_init(&m, marker);
    for (size_t i = 0; i < strlen(text); i += piece) {
        size_t left = strlen(text) - i;
        at = drive_marker_feed(&m, at, text + i, left < piece ? left : piece);
    }
    found = at == m.length;
    drive_marker_free(&m);
    return found;
}

static void markers(void)
{
    for (size_t piece = 1; piece <= 12; piece++) {
        ok(feed("RIG-OK", "<p>RIG-RIG-OK</p>", piece), "a marker after a false start is found in pieces of %zu", piece);
        ok(feed("aab", "aaaaab", piece), "a marker that overlaps itself is found in pieces of %zu", piece);
        ok(!feed("RIG-OK", "RIG-O K RIG_OK", piece), "what only resembles it is not found in pieces of %zu", piece);
    }
}

int main(void)
{
    good_lines();
    bad_lines();
    templates();
    markers();
    return tap_done();
}
