/* SPDX-License-Identifier: Apache-2.0 */
/* The record of failovers. */
#include "rf_timeline.h"
#include "tap.h"

#define A "10.0.0.1"
#define B "10.0.0.2"

static rf_snapshot s;

static void dns(const char *address, rf_time now)
{
    if (strcmp(s.dns.addresses[0].text, address)) {
        snprintf(s.dns.addresses[0].text, sizeof s.dns.addresses[0].text, "%s", address);
        s.dns.naddresses = 1;
        s.dns.changed_at = now;
    }
    rf_timeline_dns(&s, now);
}

static void outage(rf_time started)
{
    rf_failover f = { .cause = RF_CAUSE_LOST, .started = started, .detected = started + 1, .declared = started + 2,
                      .from = s.brief.writer, .held_before = 100 };

    rf_timeline_open(&s, &f);
}

static void end(const char *writer, rf_time now)
{
    snprintf(s.brief.writer.text, sizeof s.brief.writer.text, "%s", writer);
    s.brief.epoch++;
    rf_timeline_end(&s, now);
}

static void begin(void)
{
    memset(&s, 0, sizeof s);
    dns(A, RF_SEC(1));
    snprintf(s.brief.writer.text, sizeof s.brief.writer.text, A);
    s.brief.epoch = 1;
}

static void nothing(void)
{
    memset(&s, 0, sizeof s);
    ok(!rf_timeline_current(&s), "without a record nothing is open");
    rf_timeline_end(&s, 5);
    rf_timeline_drained(&s, 5, 0, 5);
    dns(A, 5);
    is_int(s.nfailovers, 0, "and nothing is recorded");
}

static void one(void)
{
    begin();
    outage(RF_SEC(10));
    ok(rf_timeline_current(&s) == &s.failovers[0], "the newest record is the current one");
    rf_timeline_drained(&s, 150, 0, RF_SEC(11));
    is_int(s.failovers[0].drained, 0, "the queue does not count before the end");
    rf_timeline_released(&s, RF_SEC(12));
    is_int(s.failovers[0].released, 0, "nor is anybody let go");
    end(B, RF_SEC(20));
    ok(!rf_timeline_current(&s), "it ends");
    is_str(s.failovers[0].from.text, A, "from");
    is_str(s.failovers[0].to.text, B, "to");
    is_int(s.failovers[0].epoch, 2, "its epoch");
    is_int(s.failovers[0].verified, RF_SEC(20), "verified at the end if not before");
    rf_timeline_drained(&s, 130, 0, RF_SEC(20));
    is_int(s.failovers[0].drained, 0, "while an order holds requests, an empty queue is not the end of it");
    rf_timeline_released(&s, RF_SEC(20) + 1);
    rf_timeline_released(&s, RF_SEC(40));
    is_int(s.failovers[0].released, RF_SEC(20) + 1, "let go once");
    rf_timeline_drained(&s, 150, 0, RF_SEC(21));
    rf_timeline_drained(&s, 170, 0, RF_SEC(25));
    is_int(s.failovers[0].drained, RF_SEC(21), "drained once");
    is_int(s.failovers[0].held, 50, "requests held during it");
}

static void names_change(void)
{
    begin();
    outage(RF_SEC(10));
    dns(B, RF_SEC(15));
    end(B, RF_SEC(20));
    is_int(s.failovers[0].dns_changed, RF_SEC(15), "DNS moved during the outage");

    begin();
    outage(RF_SEC(10));
    end(B, RF_SEC(20));
    is_int(s.failovers[0].dns_changed, 0, "DNS has not moved yet");
    dns(B, RF_SEC(30));
    dns(A, RF_SEC(31));
    dns(B, RF_SEC(32));
    is_int(s.failovers[0].dns_changed, RF_SEC(30), "DNS moved after it; the first time counts");

    begin();
    outage(RF_SEC(10));
    end(B, RF_SEC(20));
    dns(B, RF_SEC(20) + RF_TIMELINE_DNS_AFTER + 1);
    is_int(s.failovers[0].dns_changed, 0, "much later it is another story");

    begin();
    outage(RF_SEC(10));
    dns("10.0.0.3", RF_SEC(12));
    end(B, RF_SEC(20));
    is_int(s.failovers[0].dns_changed, 0, "a move to a third address does not count");
    dns(A, RF_SEC(22));
    is_int(s.failovers[0].dns_changed, 0, "nor one back to the old writer");
    dns(B, RF_SEC(24));
    is_int(s.failovers[0].dns_changed, RF_SEC(24), "the one to the new writer does");

    begin();
    outage(RF_SEC(10));
    end(A, RF_SEC(20));
    is_int(s.failovers[0].dns_changed, 0, "a restart in place: DNS had named it before");
    dns(A, RF_SEC(21));
    is_int(s.failovers[0].dns_changed, 0, "and naming it still is no change");
}

static void astray(void)
{
    begin();
    outage(RF_SEC(10));
    dns(B, RF_SEC(15));
    end(B, RF_SEC(20));
    dns(A, RF_SEC(30));
    outage(RF_SEC(30));
    rf_timeline_dns(&s, RF_SEC(31));
    is_int(s.failovers[0].dns_changed, 0, "the answer that led astray is not the change that ends it");
    dns(B, RF_SEC(40));
    end(B, RF_SEC(40));
    is_int(s.failovers[0].dns_changed, RF_SEC(40), "the one that leads back is");
}

static void many(void)
{
    int i, sorted = 1;

    begin();
    for (i = 0; i < RF_FAILOVERS + 3; i++) {
        outage(RF_SEC(100 * (i + 1)));
        end(i & 1 ? A : B, RF_SEC(100 * (i + 1) + 50));
    }
    is_int(s.nfailovers, RF_FAILOVERS, "the last %d are kept", RF_FAILOVERS);
    for (i = 1; i < RF_FAILOVERS; i++)
        sorted = sorted && s.failovers[i - 1].epoch == s.failovers[i].epoch + 1;
    ok(sorted, "newest first");
    is_int(s.failovers[0].epoch, RF_FAILOVERS + 4, "the newest is the last");
}

int main(void)
{
    nothing();
    one();
    names_change();
    astray();
    many();
    return tap_done();
}
