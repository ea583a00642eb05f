/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor lets through of what its prober says. */
#include "rf_sample.h"
#include "tap.h"

static rf_sample good(rf_sample_kind kind)
{
    rf_sample sample;

    memset(&sample, 0, sizeof sample);
    sample.kind = kind;
    if (kind == RF_SAMPLE_DNS || kind == RF_SAMPLE_DNS_HOST) {
        sample.naddresses = 2;
        strcpy(sample.addresses[0].text, "10.0.1.17");
        strcpy(sample.addresses[1].text, "2001:db8::17");
        sample.ncnames = 1;
        strcpy(sample.cnames[0], "a.shop.test");
    } else if (kind == RF_SAMPLE_SOCKETS) {
        sample.nsockets = RF_SOCKETS;
    } else {
        strcpy(sample.address.text, "10.0.1.17");
    }
    if (kind == RF_SAMPLE_IDLE_LOST)
        sample.cause = RF_CAUSE_LOST;
    return sample;
}

static int sane(rf_sample sample)
{
    return rf_sample_sane(&sample, sizeof sample);
}

static void shape(void)
{
    rf_sample sample = good(RF_SAMPLE_PROBE);
    int kind;

    for (kind = RF_SAMPLE_PROBE; kind <= RF_SAMPLE_SOCKETS; kind++)
        ok(sane(good((rf_sample_kind)kind)), "a good sample of kind %d", kind);
    ok(!rf_sample_sane(&sample, sizeof sample - 1), "too short");
    ok(!rf_sample_sane(&sample, sizeof sample + 1), "too long");
    ok(!rf_sample_sane(&sample, 0), "empty");
    sample.kind = (rf_sample_kind)0;
    ok(!sane(sample), "kind 0");
    sample.kind = (rf_sample_kind)6;
    ok(!sane(sample), "kind 6");
    sample.kind = (rf_sample_kind)-1;
    ok(!sane(sample), "kind -1");
    sample = good(RF_SAMPLE_PROBE);
    sample.cause = (rf_cause)(RF_CAUSE_OTHER + 1);
    ok(!sane(sample), "a cause beyond the last");
    sample.cause = (rf_cause)-1;
    ok(!sane(sample), "a cause before the first");
    sample = good(RF_SAMPLE_SOCKETS);
    sample.nsockets = RF_SOCKETS + 1;
    ok(!sane(sample), "more sockets than there is room for");
    sample = good(RF_SAMPLE_PROBE);
    sample.nsockets = 1;
    ok(!sane(sample), "a probe with sockets");
    sample = good(RF_SAMPLE_PROBE);
    sample.rtt = -1;
    ok(!sane(sample), "a round trip into the past");
}

static void contradictions(void)
{
    rf_sample sample = good(RF_SAMPLE_PROBE);

    sample.read_only = 1;
    ok(!sane(sample), "read-only and yet good");
    sample.cause = RF_CAUSE_READ_ONLY;
    ok(sane(sample), "read-only and the cause says so");
    sample = good(RF_SAMPLE_IDLE_LOST);
    sample.cause = RF_CAUSE_NONE;
    ok(!sane(sample), "lost without a cause");
    sample = good(RF_SAMPLE_DNS);
    sample.cause = RF_CAUSE_NAME;
    ok(!sane(sample), "a failed lookup with addresses");
    sample.naddresses = 0;
    ok(sane(sample), "a failed lookup without");
    sample.cause = RF_CAUSE_NONE;
    ok(!sane(sample), "a good lookup without addresses");
    sample = good(RF_SAMPLE_DNS);
    sample.naddresses = RF_ADDRESSES + 1;
    ok(!sane(sample), "more addresses than there is room for");
    sample = good(RF_SAMPLE_DNS);
    sample.ncnames = RF_CNAMES + 1;
    ok(!sane(sample), "more links than there is room for");
    sample = good(RF_SAMPLE_PROBE);
    sample.naddresses = 1;
    ok(!sane(sample), "a probe with a lookup in it");
}

static void addresses(void)
{
    static const char *const wrong[] = {"", "shop.test", "10.0.1", "10.0.1.256", "10.0.1.17 ", "\"><script>", "::g", "[::1]"};
    unsigned i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rf_sample sample = good(RF_SAMPLE_PROBE);

        strcpy(sample.address.text, wrong[i]);
        ok(!sane(sample), "\"%s\" is no address of a probe", wrong[i]);
        sample = good(RF_SAMPLE_DNS);
        strcpy(sample.addresses[1].text, wrong[i]);
        ok(!sane(sample), "nor of a lookup");
    }
    ok(rf_address_equal(&(rf_address){"10.0.1.17"}, &(rf_address){"10.0.1.17"}), "the same IPv4 address");
    ok(!rf_address_equal(&(rf_address){"10.0.1.17"}, &(rf_address){"10.0.1.18"}), "another");
    ok(rf_address_equal(&(rf_address){"2001:DB8:0::17"}, &(rf_address){"2001:db8::17"}), "the same IPv6 address, spelled otherwise");
    ok(!rf_address_equal(&(rf_address){"2001:db8::17"}, &(rf_address){"2001:db8::18"}), "another");
    ok(rf_address_equal(&(rf_address){""}, &(rf_address){""}), "none is none");
    ok(!rf_address_equal(&(rf_address){""}, &(rf_address){"::"}), "and nothing else");
}

static void strings(void)
{
    rf_sample sample = good(RF_SAMPLE_PROBE);
    size_t i;

    memset(sample.text, 'x', sizeof sample.text);
    strcpy(sample.server, "db\n\033[31m\x7f\xc3\xa9");
    memcpy(sample.version, "8\0secret", 9);
    sample.pending = 7;
    ok(rf_sample_sane(&sample, sizeof sample), "odd strings are let through");
    is_int(strlen(sample.text), sizeof sample.text - 1, "with an end");
    is_str(sample.server, "db??[31m???", "without what a terminal or a page would act on");
    is_str(sample.version, "8", "up to the first NUL");
    for (i = 1; i < sizeof sample.version && !sample.version[i]; i++)
        ;
    is_int(i, sizeof sample.version, "and nothing behind it");
    is_int(sample.pending, 1, "a flag is 0 or 1");
}

int main(void)
{
    shape();
    contradictions();
    addresses();
    strings();
    return tap_done();
}
