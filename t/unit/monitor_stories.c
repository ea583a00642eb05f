/* SPDX-License-Identifier: Apache-2.0 */
/* Whole failovers in virtual time: what happens to the servers and to DNS, and what requests must see of it. */
#include "tap.h"
#include "world/world.h"

#define A "10.0.0.1"
#define B "10.0.0.2"
#define C "10.0.0.3"
#define A6 "2001:db8::1"
#define B6 "2001:db8::2"

/* A good probe after the writer accepts, its confirmation, and the round trips of both. */
#define SOON (100 + 20 + 10)

typedef struct story {
    const char *name;
    struct {
        int interval, timeout, fails, passes; /* 0: the default */
        rf_time late;                         /* 0: auto; -1: off */
        int dns_only, address, any;           /* candidates=dns, app=address, writable=off */
        int own_resolver;
    } with;
    w_step steps[16];
    int until;
    const char *path;
    const char *writer;
    unsigned epoch;
    double fault, held, declared; /* after the fault: holding within, outage within */
    double heal, open;            /* after the healing: requests go on within */
    double longest;               /* no request is held longer; 0: not asked */
} story;

#define FAILOVER "unknown available suspect outage recovering available"
#define ASTRAY "unknown available outage recovering available"
#define SUSPICION "unknown available suspect available"
/* A is the writer, B its standby, and both have a certificate for the name. */
#define PAIR SERVER(0, A, W_UP), SERVER(0, B, W_REFUSES), PROVEN(0, A, 1), PROVEN(0, B, 1), DNS(0, A)
/* The one dies, the other takes over, DNS follows. */
#define MOVE(to) SERVER(10100, A, W_REFUSES), SERVER(15000, to, W_UP), DNS(15000, to)

static const story stories[] = {
    { .name = "all is well", .steps = { PAIR }, .until = 60000, .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "crash, DNS first: the end waits for the new writer",
      .steps = { PAIR, SERVER(10100, A, W_REFUSES), DNS(15000, B), SERVER(25030, B, W_UP) }, .until = 40000, .path = FAILOVER,
      .writer = B, .epoch = 2, .fault = 10100, .held = 5, .declared = 50, .heal = 25030, .open = SOON },
    { .name = "crash, DNS last: an application that connects by name waits for the resolver",
      .steps = { PAIR, SERVER(10100, A, W_REFUSES), SERVER(15030, B, W_UP), DNS(25000, B), TTL(10000, 0) }, .until = 40000,
      .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5, .declared = 50, .heal = 25000, .open = 5000 + 250 },
    { .name = "crash three seconds before DNS moves, behind a resolver that another program keeps fresh",
      .steps = { PAIR, TTL(0, 5), PRIME(9000), SERVER(10100, A, W_REFUSES), SERVER(10900, B, W_UP), DNS(11000, B) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5, .declared = 50, .heal = 15010,
      .open = 250 },
    { .name = "an outage after which the server refuses our login: nobody is held for that",
      .steps = { PAIR, SERVER(10100, A, W_REFUSES), FAULT(15000, A, 1045) }, .until = 40000,
      .path = "unknown available suspect outage unknown", .writer = "", .epoch = 2, .fault = 10100, .held = 5, .declared = 50 },
    { .name = "and when it lets us in at last, all is well",
      .steps = { PAIR, SERVER(10100, A, W_REFUSES), FAULT(15000, A, 1045), SERVER(30000, A, W_UP) }, .until = 40000,
      .path = "unknown available suspect outage unknown available", .writer = A, .epoch = 3, .fault = 10100, .held = 5, .declared = 50 },
    { .name = "a long TTL does not delay the first look after a fault",
      .steps = { PAIR, TTL(0, 30), SERVER(10100, A, W_REFUSES), SERVER(11500, B, W_UP), DNS(11600, B), PRIME(11600) },
      .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5, .declared = 50, .heal = 11600,
      .open = 250 },
    { .name = "black hole: suspicion comes before failure", .steps = { PAIR, SERVER(10100, A, W_SILENT), DNS(15000, B), SERVER(25030, B, W_UP) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 500 + 250, .declared = 500 + 2000 + 10,
      .heal = 25030, .open = SOON },
    { .name = "hang: the same", .steps = { PAIR, SERVER(10100, A, W_HANGS), DNS(15000, B), SERVER(25030, B, W_UP) }, .until = 40000,
      .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 500 + 250, .declared = 500 + 2000 + 10, .heal = 25030,
      .open = SOON },
    { .name = "hang that ends by itself: the pending login notices", .steps = { PAIR, SERVER(10100, A, W_HANGS), SERVER(17000, A, W_UP) },
      .until = 30000, .path = FAILOVER, .writer = A, .epoch = 2, .fault = 10100, .held = 750, .declared = 2510, .heal = 17000,
      .open = 50 },
    { .name = "graceful: the server says goodbye", .steps = { PAIR, SERVER(10100, A, W_LEAVES), DNS(14000, B), SERVER(16000, B, W_UP) },
      .until = 30000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5, .declared = 50, .heal = 19000,
      .open = SOON },
    { .name = "read-only: answers, but is no writer", .steps = { PAIR, SERVER(10100, A, W_READ_ONLY), DNS(12000, B), SERVER(14000, B, W_UP) },
      .until = 30000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 510, .declared = 520, .heal = 17000,
      .open = SOON },
    { .name = "writable=off: read-only is good enough", .with = { .any = 1 }, .steps = { PAIR, SERVER(10100, A, W_READ_ONLY) },
      .until = 30000, .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "a restart in place", .steps = { PAIR, SERVER(10100, A, W_LEAVES), SERVER(13010, A, W_UP) }, .until = 30000, .path = FAILOVER,
      .writer = A, .epoch = 2, .fault = 10100, .held = 5, .heal = 13010, .open = SOON },
    { .name = "app=address with proof: DNS need not move", .with = { .address = 1 },
      .steps = { PAIR, SERVER(500, B, W_UP), DNS(1000, B), SERVER(20000, B, W_REFUSES), SERVER(25030, A, W_UP) }, .until = 60000,
      .path = FAILOVER, .writer = A, .epoch = 3, .fault = 20000, .held = 5, .declared = 50, .heal = 25030, .open = SOON },
    { .name = "without proof an address DNS does not name never ends an outage", .with = { .address = 1 },
      .steps = { PAIR, PROVEN(0, A, 0), SERVER(500, B, W_UP), DNS(1000, B), SERVER(20000, B, W_REFUSES), SERVER(25000, A, W_UP) },
      .until = 60000, .path = "unknown available suspect outage", .writer = B, .epoch = 2 },
    { .name = "candidates=dns: nor does a proven one", .with = { .address = 1, .dns_only = 1 },
      .steps = { PAIR, SERVER(500, B, W_UP), DNS(1000, B), SERVER(20000, B, W_REFUSES), SERVER(25000, A, W_UP) }, .until = 60000,
      .path = "unknown available suspect outage", .writer = B, .epoch = 2 },
    { .name = "DNS moves to a server that takes writes, without any fault",
      .steps = { PAIR, SERVER(9000, B, W_UP), DNS(10000, B) }, .until = 30000, .path = "unknown available", .writer = B, .epoch = 2 },
    { .name = "DNS moves to a server that refuses: applications that have the address do not notice", .with = { .address = 1 },
      .steps = { PAIR, DNS(10000, B) }, .until = 30000, .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "DNS moves to a read-only server and back: applications that have the address do not notice", .with = { .address = 1 },
      .steps = { PAIR, SERVER(9000, B, W_READ_ONLY), DNS(10000, B), DNS(20000, A) }, .until = 40000, .path = "unknown available",
      .writer = A, .epoch = 1 },
    { .name = "DNS moves to a server that refuses: applications that connect by name would be refused", .steps = { PAIR, TTL(0, 0),
                 DNS(10000, B), DNS(20000, A) }, .until = 40000, .path = ASTRAY, .writer = A, .epoch = 2, .fault = 10000,
      .declared = 510, .heal = 20000, .open = 250 },
    { .name = "DNS moves to a server that takes over a moment later", .steps = { PAIR, TTL(0, 0), DNS(10000, B), SERVER(10700, B, W_UP) },
      .until = 40000, .path = ASTRAY, .writer = B, .epoch = 2, .fault = 10000, .declared = 510, .heal = 10700, .open = SOON },
    { .name = "DNS flaps during an outage", .steps = { PAIR, TTL(0, 0), SERVER(10100, A, W_REFUSES), DNS(12000, B), DNS(13000, A), DNS(14000, B),
                 DNS(15000, A), SERVER(15030, B, W_UP), DNS(16000, B), DNS(16050, A), DNS(17000, B) }, .until = 40000,
      .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5, .heal = 17000, .open = 250 },
    { .name = "DNS flaps after it, app=address: the new writer stays", .with = { .address = 1 },
      .steps = { PAIR, TTL(0, 0), SERVER(10100, A, W_REFUSES), SERVER(15030, B, W_UP), DNS(16000, B), DNS(17000, A), DNS(18000, B),
                 DNS(19000, A), DNS(20000, B) }, .until = 40000, .path = FAILOVER,
      .writer = B, .epoch = 2, .fault = 10100, .held = 5, .heal = 16000, .open = 250 },
    { .name = "DNS flaps after it: requests go on while the name leads to the writer", .steps = { PAIR, TTL(0, 0),
                 SERVER(10100, A, W_REFUSES), SERVER(15030, B, W_UP), DNS(16000, B), DNS(17000, A), DNS(18000, B), DNS(19000, A),
                 DNS(20000, B) }, .until = 40000, .path = FAILOVER " outage recovering available outage recovering available",
      .writer = B, .epoch = 4, .fault = 19000, .declared = 510, .heal = 20000, .open = 250 },
    { .name = "DNS goes back to the dead side for ten seconds", .steps = { PAIR, TTL(0, 0), MOVE(B), DNS(25000, A), DNS(35000, B) },
      .until = 60000, .path = FAILOVER " outage recovering available", .writer = B, .epoch = 3, .fault = 25000, .declared = 510,
      .heal = 35000, .open = 250 },
    { .name = "DNS goes back to the dead side, from a cache: noticed when the cache is", .steps = { PAIR, MOVE(B), DNS(25000, A), DNS(35000, B) },
      .until = 60000, .path = FAILOVER " outage recovering available", .writer = B, .epoch = 3, .fault = 25000, .declared = 5510,
      .heal = 35000, .open = 5250 },
    { .name = "DNS goes back to a silent side", .steps = { PAIR, TTL(0, 0), MOVE(B), SERVER(20000, A, W_SILENT), DNS(25000, A), DNS(35000, B) },
      .until = 60000, .path = FAILOVER " outage recovering available", .writer = B, .epoch = 3, .fault = 25000,
      .declared = 500 + 2000 + 10, .heal = 35000, .open = 250 },
    { .name = "DNS goes back to the old side, which is alive again: it is the writer", .steps = { PAIR, TTL(0, 0), MOVE(B),
                 SERVER(20000, A, W_UP), DNS(25000, A) }, .until = 60000, .path = FAILOVER, .writer = A, .epoch = 3 },
    { .name = "DNS goes back to a side that refuses our login: that says nothing", .steps = { PAIR, TTL(0, 0), MOVE(B),
                 FAULT(20000, A, 1045), DNS(25000, A) }, .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2 },
    { .name = "DNS goes back and stops answering: what it said last counts", .steps = { PAIR, TTL(0, 0), MOVE(B), DNS(25000, A),
                 DNS(26000, ""), DNS(35000, B) }, .until = 60000, .path = FAILOVER " outage recovering available", .writer = B,
      .epoch = 3, .fault = 25000, .declared = 510, .heal = 35000, .open = 250 },
    { .name = "DNS names the dead side beside the writer: that is for the client library", .steps = { PAIR, TTL(0, 0), MOVE(B),
                 DNS(25000, A " " B) }, .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2 },
    { .name = "DNS goes back to two sides, one of them dead: no verdict on the other, no outage", .steps = { PAIR, TTL(0, 0), MOVE(B),
                 FAULT(20000, C, 1045), DNS(25000, A " " C) }, .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2 },
    { .name = "DNS goes back to two sides, both dead", .steps = { PAIR, TTL(0, 0), SERVER(0, C, W_SILENT), MOVE(B), DNS(25000, A " " C),
                 DNS(35000, B) }, .until = 60000, .path = FAILOVER " outage recovering available", .writer = B, .epoch = 3,
      .fault = 25000, .declared = 500 + 2000 + 10, .heal = 35000, .open = 250 },
    { .name = "the old side is dead, and the writer dies as well: one outage", .steps = { PAIR, TTL(0, 0), MOVE(B), DNS(25000, A),
                 SERVER(26000, B, W_REFUSES), SERVER(35000, A, W_UP) }, .until = 60000, .path = FAILOVER " outage recovering available",
      .writer = A, .epoch = 3, .fault = 25000, .declared = 510, .heal = 35000, .open = SOON },
    { .name = "a name with two addresses: the writer does not change at every answer",
      .steps = { PAIR, SERVER(0, B, W_UP), TTL(0, 0), DNS(0, A " " B), DNS(10000, B " " A), DNS(20000, A " " B) }, .until = 40000,
      .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "a name with two addresses: the other one takes over", .steps = { PAIR, SERVER(0, B, W_UP), TTL(0, 0), DNS(0, A " " B),
                 SERVER(10100, A, W_REFUSES) }, .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 5,
      .heal = 10100, .open = SOON + 50 },
    { .name = "a name with two addresses that die together: the other's last good answer is no proof",
      .steps = { PAIR, SERVER(0, B, W_UP), TTL(0, 0), DNS(0, A " " B), SERVER(10100, A, W_REFUSES), SERVER(10100, B, W_SILENT),
                 SERVER(20000, A, W_UP) }, .until = 40000, .path = FAILOVER, .writer = A, .epoch = 2, .fault = 10100, .held = 5,
      .heal = 20000, .open = SOON },
    { .name = "IPv6", .steps = { SERVER(0, A6, W_UP), SERVER(0, B6, W_REFUSES), DNS(0, A6), SERVER(10100, A6, W_SILENT), DNS(15000, B6),
                 SERVER(25030, B6, W_UP) }, .until = 40000, .path = FAILOVER, .writer = B6, .epoch = 2, .fault = 10100, .held = 750,
      .declared = 2510, .heal = 25030, .open = SOON },
    { .name = "a name with IPv4 and IPv6 of one server: one address is the writer",
      .steps = { SERVER(0, A, W_UP), SERVER(0, A6, W_UP), DNS(0, A " " A6), RTT(0, A, 3), SERVER(10100, A6, W_SILENT) },
      .until = 40000, .path = FAILOVER, .writer = A, .epoch = 2, .fault = 10100, .held = 750, .declared = 2510 },
    { .name = "another failover 30 s later in the other direction",
      .steps = { PAIR, SERVER(10100, A, W_SILENT), DNS(15000, B), SERVER(25030, B, W_UP), SERVER(45000, A, W_REFUSES),
                 SERVER(55000, B, W_REFUSES), DNS(60000, A), SERVER(65000, A, W_UP) }, .until = 90000,
      .path = FAILOVER " suspect outage recovering available", .writer = A, .epoch = 3, .fault = 55000, .held = 5, .declared = 50,
      .heal = 65000, .open = SOON },
    { .name = "a slow answer: suspect, never out", .steps = { PAIR, RTT(10100, A, 600), RTT(11200, A, 1) }, .until = 30000,
      .path = SUSPICION, .writer = A, .epoch = 1, .longest = 360 },
    { .name = "late=off: a slow answer is no suspicion", .with = { .late = -1 }, .steps = { PAIR, RTT(10100, A, 900), RTT(11500, A, 1) },
      .until = 30000, .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "late=off: a hang is suspect when its first deadline has passed", .with = { .late = -1 },
      .steps = { PAIR, SERVER(10100, A, W_HANGS), DNS(15000, B), SERVER(25030, B, W_UP) }, .until = 40000, .path = FAILOVER,
      .writer = B, .epoch = 2, .fault = 10100, .held = 500 + 1000 + 10, .declared = 2510, .heal = 25030, .open = SOON },
    { .name = "late=50ms", .with = { .late = RF_MS(50) }, .steps = { PAIR, SERVER(10100, A, W_HANGS), SERVER(10700, A, W_UP) }, .until = 30000,
      .path = SUSPICION, .writer = A, .epoch = 1, .fault = 10100, .held = 550 },
    { .name = "fails=1", .with = { .fails = 1 }, .steps = { PAIR, SERVER(10100, A, W_SILENT), SERVER(20000, B, W_UP), DNS(18000, B) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 750, .declared = 500 + 1000 + 10 },
    { .name = "fails=5: a black hole", .with = { .fails = 5 }, .steps = { PAIR, SERVER(10100, A, W_SILENT), SERVER(30000, B, W_UP), DNS(24900, B) },
      .until = 50000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 750, .declared = 500 + 5000 + 10 },
    { .name = "fails=5: a port that is closed for 300 ms is only suspicion", .with = { .fails = 5 },
      .steps = { PAIR, SERVER(10100, A, W_REFUSES), SERVER(10400, A, W_UP) }, .until = 20000, .path = SUSPICION, .writer = A,
      .epoch = 1, .fault = 10100, .held = 5, .heal = 10400, .open = 110 },
    { .name = "passes=1", .with = { .passes = 1 }, .steps = { PAIR, SERVER(10100, A, W_REFUSES), DNS(12000, B), SERVER(20030, B, W_UP) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .heal = 20030, .open = 110 },
    { .name = "passes=5", .with = { .passes = 5 }, .steps = { PAIR, SERVER(10100, A, W_REFUSES), DNS(12000, B), SERVER(20030, B, W_UP) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .heal = 20030, .open = 100 + 4 * 22 + 10 },
    { .name = "our idle connection is killed by an administrator", .steps = { PAIR, SERVER(10100, A, W_LEAVES), SERVER(10101, A, W_UP) },
      .until = 20000, .path = SUSPICION, .writer = A, .epoch = 1, .fault = 10100, .held = 5, .longest = 20 },
    { .name = "a wrong password from the start: unknown, nothing is held", .steps = { FAULT(0, A, 1045), DNS(0, A) }, .until = 60000,
      .path = "unknown" },
    { .name = "nothing listens from the start: unknown, nothing is held", .steps = { SERVER(0, A, W_REFUSES), DNS(0, A) }, .until = 60000,
      .path = "unknown" },
    { .name = "a black hole from the start: the same", .steps = { SERVER(0, A, W_SILENT), DNS(0, A) }, .until = 60000, .path = "unknown" },
    { .name = "a name that does not resolve: the same", .steps = { SERVER(0, A, W_UP), DNS(0, "") }, .until = 60000, .path = "unknown" },
    { .name = "a read replica from the start: the same", .steps = { SERVER(0, A, W_READ_ONLY), DNS(0, A) }, .until = 60000, .path = "unknown" },
    { .name = "the password changes: an alarm, no outage", .steps = { PAIR, SERVER(10000, A, W_LEAVES), FAULT(10001, A, 1045) }, .until = 60000,
      .path = SUSPICION, .writer = A, .epoch = 1, .longest = 20 },
    { .name = "too many connections: no outage", .steps = { PAIR, SERVER(10000, A, W_LEAVES), FAULT(10001, A, 1040), SERVER(20000, A, W_UP) },
      .until = 60000, .path = SUSPICION, .writer = A, .epoch = 1, .longest = 20 },
    { .name = "too many connections right after a failover: no new outage",
      .steps = { PAIR, SERVER(10100, A, W_SILENT), DNS(15000, B), SERVER(20000, B, W_UP), FAULT(20200, B, 1040), SERVER(26000, B, W_UP) },
      .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2 },
    { .name = "blocked host: an alarm, no outage", .steps = { PAIR, SERVER(10000, A, W_LEAVES), FAULT(10001, A, 1129) }, .until = 60000,
      .path = SUSPICION, .writer = A, .epoch = 1, .longest = 20 },
    { .name = "a new writer that is busy at first", .steps = { PAIR, SERVER(10100, A, W_SILENT), DNS(15000, B), FAULT(20000, B, 1040),
                 SERVER(22000, B, W_UP) }, .until = 60000, .path = FAILOVER, .writer = B, .epoch = 2, .heal = 22000, .open = 500 + 50 },
    { .name = "the resolver fails for minutes: the database does not", .steps = { PAIR, DNS(10000, ""), DNS(250000, A) }, .until = 300000,
      .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "the resolver fails during an outage; a restart in place ends it, the host's last answer still names it",
      .steps = { PAIR, DNS(10000, ""), SERVER(30100, A, W_REFUSES), SERVER(60000, A, W_UP) }, .until = 90000, .path = FAILOVER,
      .writer = A, .epoch = 2, .fault = 30100, .held = 5, .heal = 60000, .open = SOON },
    { .name = "own resolver: released when this host's resolver follows", .with = { .own_resolver = 1 },
      .steps = { PAIR, TTL(0, 0), HOST_DNS(0, A), SERVER(10100, A, W_SILENT), DNS(12000, B), SERVER(15000, B, W_UP), HOST_DNS(20000, B) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .fault = 10100, .held = 750, .heal = 20000, .open = 250 },
    { .name = "own resolver, app=address: this host's resolver does not matter", .with = { .own_resolver = 1, .address = 1 },
      .steps = { PAIR, TTL(0, 0), HOST_DNS(0, A), SERVER(10100, A, W_SILENT), DNS(12000, B), SERVER(15000, B, W_UP) }, .until = 40000,
      .path = FAILOVER, .writer = B, .epoch = 2, .heal = 15000, .open = 1000 + SOON },
    { .name = "own resolver: this host's resolver never names the writer, but something we do not look at", .with = { .own_resolver = 1 },
      .steps = { PAIR, TTL(0, 0), HOST_DNS(0, C) }, .until = 60000, .path = "unknown available", .writer = A, .epoch = 1 },
    { .name = "own resolver: this host's resolver goes back to what is not looked at any more", .with = { .own_resolver = 1 },
      .steps = { PAIR, TTL(0, 0), HOST_DNS(0, A), MOVE(B), HOST_DNS(15000, B), HOST_DNS(25000, A) }, .until = 60000, .path = FAILOVER,
      .writer = B, .epoch = 2 },
    { .name = "own resolver: both go back", .with = { .own_resolver = 1 },
      .steps = { PAIR, TTL(0, 0), HOST_DNS(0, A), MOVE(B), HOST_DNS(15000, B), HOST_DNS(25000, A), DNS(25000, A), HOST_DNS(35000, B),
                 DNS(36000, B) }, .until = 60000, .path = FAILOVER " outage recovering available",
      .writer = B, .epoch = 3, .fault = 25000, .declared = 510, .heal = 35000, .open = 250 },
    { .name = "own resolver: two addresses pass, this host's resolver names the second",
      .with = { .own_resolver = 1 },
      .steps = { PAIR, TTL(0, 0), SERVER(0, B, W_UP), DNS(0, A " " B), HOST_DNS(0, A), SERVER(10000, A, W_LEAVES),
                 HOST_DNS(11000, B), SERVER(12000, A, W_UP) },
      .until = 40000, .path = FAILOVER, .writer = B, .epoch = 2, .heal = 11000, .open = 250 },
    { .name = "a DNS answer without the writer that is forgotten again does not forget the writer",
      .steps = { PAIR, TTL(0, 0), DNS(10000, "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5 10.0.1.6 10.0.1.7 10.0.1.8 10.0.1.9 10.0.1.10 "
                 "10.0.1.11 10.0.1.12 10.0.1.13 10.0.1.14 10.0.1.15 10.0.1.16 10.0.1.17"), DNS(20000, A) },
      .until = 40000, .path = "unknown available", .writer = A, .epoch = 1 },
};

static void play(world *w, const story *s)
{
    rf_policy policy = world_policy();

    if (s->with.interval)
        policy.interval = RF_MS(s->with.interval);
    if (s->with.timeout)
        policy.timeout = RF_MS(s->with.timeout);
    if (s->with.fails)
        policy.fails = s->with.fails;
    if (s->with.passes)
        policy.passes = s->with.passes;
    if (s->with.late)
        policy.late = s->with.late < 0 ? RF_LATE_OFF : s->with.late;
    policy.former = !s->with.dns_only;
    policy.app_name = !s->with.address;
    policy.writable = !s->with.any;
    w->own_resolver = s->with.own_resolver;
    world_begin(w, &policy);
    world_run(w, s->steps, s->until);
}

static void within(const world *w, const char *name, unsigned states, double since, double limit, const char *what)
{
    double took = world_when(w, states, since);

    if (limit > 0 && !ok(took >= 0 && took <= limit, "%s: %s within %g ms", name, what, limit))
        printf("# took %g ms\n", took);
}

int main(void)
{
    static world w;
    size_t i;

    for (i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        const story *s = &stories[i];
        play(&w, s);
        is_str(world_path(&w), s->path, "%s: states", s->name);
        is_str(w.board.brief.writer.text, s->writer ? s->writer : "", "%s: writer", s->name);
        is_int(w.board.brief.epoch, s->epoch, "%s: epoch", s->name);
        within(&w, s->name, W_HOLDING, s->fault, s->held, "holds");
        within(&w, s->name, 1u << RF_STATE_OUTAGE, s->fault, s->declared, "declared");
        within(&w, s->name, W_OPEN, s->heal, s->open, "goes on");
        if (s->longest > 0 && !ok(w.longest <= RF_MS(s->longest), "%s: held for %g ms at most", s->name, s->longest))
            printf("# held for %.1f ms\n", (double)w.longest / 1000);
        is_str(w.wrong[0] ? w.wrong : "", "", "%s: nothing was broken on the way", s->name);
    }
    return tap_done();
}
