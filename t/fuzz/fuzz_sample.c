/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a sample: what is let through has its enums and counts in range and printable strings that end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rf_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text, size_t size)
{
    const char *c;

    check(memchr(text, '\0', size) != NULL);
    for (c = text; *c; c++)
        check(*c >= 0x20 && *c < 0x7f);
}

/* The first byte is how much is missing at the end; the rest lies over a good sample, so that short inputs get somewhere. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rf_sample sample;
    unsigned i;

    memset(&sample, 0, sizeof sample);
    sample.kind = RF_SAMPLE_PROBE;
    strcpy(sample.address.text, "10.0.1.17");
    if (size == 0)
        return 0;
    if (data[0] & 1) {
        sample.kind = RF_SAMPLE_DNS;
        sample.naddresses = 1;
        strcpy(sample.addresses[0].text, "::1");
    }
    /* Pairs of a place and a byte. */
    for (i = 1; i + 2 < size; i += 3)
        ((uint8_t *)&sample)[(data[i] << 8 | data[i + 1]) % sizeof sample] = data[i + 2];
    if (!rf_sample_sane(&sample, sizeof sample - (data[0] >> 7)))
        return 0;
    check(data[0] >> 7 == 0);
    check(sample.kind >= RF_SAMPLE_PROBE && sample.kind <= RF_SAMPLE_SOCKETS);
    check(sample.ncnames <= RF_CNAMES && sample.naddresses <= RF_ADDRESSES && sample.nsockets <= RF_SOCKETS && sample.rtt >= 0);
    check(rf_cause_name(sample.cause) != NULL);
    check_text(sample.address.text, sizeof sample.address.text);
    check_text(sample.text, sizeof sample.text);
    check_text(sample.server, sizeof sample.server);
    check_text(sample.version, sizeof sample.version);
    for (i = 0; i < RF_CNAMES; i++)
        check_text(sample.cnames[i], sizeof sample.cnames[i]);
    for (i = 0; i < RF_ADDRESSES; i++)
        check_text(sample.addresses[i].text, sizeof sample.addresses[i].text);
    return 0;
}
