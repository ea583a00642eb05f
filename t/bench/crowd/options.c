/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: see options.h. */
#include "options.h"
#include "crc.h"

#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: rds-crowd [options] URL\n"
    "\n"
    "Many clients ask at the same time; each must get exactly one right answer to each request. A right one has\n"
    "status 200 and the body \"ok PID CRC LENGTH TOKEN\" of mod_crowd, for this request's body and header X-Crowd.\n"
    "\n"
    "  --clients N         connections (100)\n"
    "  --connect-rate N    begun a second (2000)\n"
    "  --each K            requests of each client, one after the other (1)\n"
    "  --pipeline K        K requests of each client, written at once\n"
    "  --method M          GET, or POST with a body\n"
    "  --post BYTES        a random body of this length; the answer must have its checksum\n"
    "    --body-late TIME  the body follows its head after this\n"
    "    --chunked         in chunks\n"
    "    --expect          Expect: 100-continue: the body is sent when the server asks for it\n"
    "  --header 'N: V'     one more header; may be repeated\n"
    "  --close             say Connection: close with the last request\n"
    "  --follow            follow 307 and 308 with the same method and body, cookies kept\n"
    "  --leave F           this share of the clients (0 to 1) leaves without an answer,\n"
    "    --leave-after T   the first of them so long after READY (1s),\n"
    "    --leave-over T    the last so much later (1s),\n"
    "    --reset           with RST instead of FIN\n"
    "  --any-body          a right answer is any 200\n"
    "  --timeout TIME      of a request (120s)\n"
    "  --linger TIME       how long a connection is watched for more than was asked for (200ms)\n"
    "  --settle TIME       say READY at the latest so long after the last connection was begun (30s)\n"
    "  --side URL          somebody else asks for this file all the while, on a connection of its own each time,\n"
    "    --side-every TIME so often (10ms),\n"
    "    --before TIME     first alone for so long (1s)\n"
    "  --out FILE          the results, as JSON (standard output)\n"
    "\n"
    "TIME = a number with ms or s; s when bare. An https URL is asked over TLS, its certificate is not verified.\n"
    "Standard output says \"BEGUN\" before the first connection, \"READY n\" when all are connected and have sent what they\n"
    "can, \"LEFT n\" when those that leave have left. TERM ends the run: who still waits has no answer.\n"
    "\n"
    "Exit: 0 the run took place, 1 it could not, 2 bad usage, 3 somebody did not get what was due.\n";

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "rds-crowd: %s%s%s; --help tells more\n", what, value ? ": " : "", value ? value : "");
    return 2;
}

static bool number(const char *text, double least, double most, double *ret)
{
    char *end;

    *ret = strtod(text, &end);
    return end != text && !*end && *ret >= least && *ret <= most;
}

static bool duration(const char *text, int64_t *ret)
{
    char *end;
    double value = strtod(text, &end);
    double unit = strcmp(end, "ms") == 0 ? 1e3 : strcmp(end, "s") == 0 || !*end ? 1e6 : 0;

    *ret = (int64_t)(value * unit);
    return end != text && unit > 0 && value >= 0 && value < 1e6;
}

static bool parse_url(const char *text, crowd_url *url)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    const char *host, *slash;
    char name[256], *colon;

    url->tls = strncmp(text, "https://", 8) == 0;
    if (!url->tls && strncmp(text, "http://", 7) != 0) {
        return false;
    }
    host = text + (url->tls ? 8 : 7);
    slash = host + strcspn(host, "/");
    if (slash == host || (size_t)(slash - host) >= sizeof name) {
        return false;
    }
    url->host = strndup(host, (size_t)(slash - host));
    url->path = strdup(*slash ? slash : "/");
    memcpy(name, host, (size_t)(slash - host));
    name[slash - host] = '\0';
    colon = strchr(name, ':');
    if (colon) {
        *colon = '\0';
    }
    if (getaddrinfo(name, colon ? colon + 1 : url->tls ? "443" : "80", &hints, &found) != 0) {
        return false;
    }
    memcpy(&url->address, found->ai_addr, sizeof url->address);
    freeaddrinfo(found);
    return true;
}

static void make_bodies(crowd_options *options)
{
    uint64_t state = 88172645463325252u;

    options->bodies = malloc(options->body + CROWD_BODIES);
    for (size_t i = 0; i < options->body + CROWD_BODIES; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        options->bodies[i] = (char)(state >> 32);
    }
    for (int i = 0; i < CROWD_BODIES; i++) {
        options->crc[i] = crowd_crc(0, options->bodies + i, options->body);
    }
}

/* What does not go together. @return NULL if all is well */
static const char *contradiction(const crowd_options *options)
{
    if (!options->body && (options->chunked || options->expect || options->body_late)) {
        return "--chunked, --expect and --body-late need --post";
    }
    if (options->expect && options->body_late) {
        return "--expect and --body-late exclude each other";
    }
    if (options->pipeline && (options->expect || options->body_late || options->follow)) {
        return "--pipeline goes with none of --expect, --body-late, --follow";
    }
    return options->has_side && options->side.tls ? "--side is asked without TLS" : NULL;
}

enum {
    CLIENTS = 256, RATE, EACH, PIPELINE, METHOD, POST, LATE, CHUNKED, EXPECT, HEADER, CLOSE, FOLLOW, LEAVE, LEAVE_AFTER, LEAVE_OVER,
    RESET, ANY_BODY, TIMEOUT, LINGER, SETTLE, SIDE, SIDE_EVERY, BEFORE, OUT, HELP
};

static const struct option names[] = {
    {"clients", 1, NULL, CLIENTS}, {"connect-rate", 1, NULL, RATE}, {"each", 1, NULL, EACH}, {"pipeline", 1, NULL, PIPELINE},
    {"method", 1, NULL, METHOD}, {"post", 1, NULL, POST}, {"body-late", 1, NULL, LATE}, {"chunked", 0, NULL, CHUNKED},
    {"expect", 0, NULL, EXPECT}, {"header", 1, NULL, HEADER}, {"close", 0, NULL, CLOSE}, {"follow", 0, NULL, FOLLOW},
    {"leave", 1, NULL, LEAVE}, {"leave-after", 1, NULL, LEAVE_AFTER}, {"leave-over", 1, NULL, LEAVE_OVER},
    {"reset", 0, NULL, RESET},
    {"any-body", 0, NULL, ANY_BODY}, {"timeout", 1, NULL, TIMEOUT}, {"linger", 1, NULL, LINGER}, {"settle", 1, NULL, SETTLE},
    {"side", 1, NULL, SIDE}, {"side-every", 1, NULL, SIDE_EVERY}, {"before", 1, NULL, BEFORE},
    {"out", 1, NULL, OUT}, {"help", 0, NULL, HELP}, {NULL, 0, NULL, 0},
};

static bool flag(bool *flag)
{
    *flag = true;
    return true;
}

static bool add_header(crowd_options *o, const char *text)
{
    if (o->nheaders == CROWD_HEADERS_MAX || !strchr(text, ':')) {
        return false;
    }
    o->headers[o->nheaders++] = text;
    return true;
}

/* @return false if the value is not accepted */
static bool take(crowd_options *o, int name, const char *value)
{
    double n = 0;
    bool good = true;

    switch (name) {
    case CLIENTS: good = number(value, 1, 1e6, &n); o->clients = (size_t)n; return good;
    case RATE: return number(value, 1, 1e6, &o->connect_rate);
    case EACH: case PIPELINE: o->pipeline = name == PIPELINE; good = number(value, 1, 1e6, &n); o->each = (unsigned)n; return good;
    case METHOD: o->method = value; return *value != '\0';
    case POST: good = number(value, 1, 1e9, &n); o->body = (size_t)n; return good;
    case LATE: return duration(value, &o->body_late);
    case CHUNKED: return flag(&o->chunked);
    case EXPECT: return flag(&o->expect);
    case HEADER: return add_header(o, value);
    case CLOSE: return flag(&o->close);
    case FOLLOW: return flag(&o->follow);
    case LEAVE: return number(value, 0, 1, &o->leave);
    case LEAVE_AFTER: return duration(value, &o->leave_after);
    case LEAVE_OVER: return duration(value, &o->leave_over);
    case RESET: return flag(&o->reset);
    case ANY_BODY: return flag(&o->any_body);
    case TIMEOUT: return duration(value, &o->timeout);
    case LINGER: return duration(value, &o->linger);
    case SETTLE: return duration(value, &o->settle);
    case SIDE: o->has_side = true; return parse_url(value, &o->side);
    case SIDE_EVERY: return duration(value, &o->side_every) && o->side_every > 0;
    case BEFORE: return duration(value, &o->before);
    case OUT: o->out = value; return true;
    default: return false;
    }
}

int crowd_options_parse(crowd_options *options, int argc, char **argv)
{
    const char *wrong;
    int name, index = 0;

    *options = (crowd_options){.clients = 100, .each = 1, .connect_rate = 2000, .leave_after = 1000000, .leave_over = 1000000,
                               .timeout = 120000000, .settle = 30000000, .linger = 200000, .side_every = 10000, .before = 1000000};
    while ((name = getopt_long(argc, argv, "", names, &index)) != -1) {
        if (name == HELP) {
            fputs(help, stdout);
            return 1;
        }
        if (name == '?' || !take(options, name, optarg)) {
            return name == '?' ? 2 : complain(names[index].name, optarg);
        }
    }
    if (optind != argc - 1 || !parse_url(argv[optind], &options->url)) {
        return complain("one URL is needed, http://host:port/path", optind < argc ? argv[optind] : NULL);
    }
    wrong = contradiction(options);
    if (wrong) {
        return complain(wrong, NULL);
    }
    options->method = options->method ? options->method : options->body ? "POST" : "GET";
    make_bodies(options);
    return 0;
}

void crowd_options_free(crowd_options *options)
{
    free(options->url.host);
    free(options->url.path);
    free(options->side.host);
    free(options->side.path);
    free(options->bodies);
}
