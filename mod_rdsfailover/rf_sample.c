/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_sample.c
 * @brief Trust nothing that the prober says but its shape, and see to the shape.
 *
 * Layer: core.
 */
#include "rf_sample.h"

#include <arpa/inet.h>
#include <string.h>

/* Printable ASCII up to the first NUL: what goes to logs, JSON and pages needs no further thought. */
static void tidy(char *text, size_t size)
{
    size_t i;

    text[size - 1] = '\0';
    for (i = 0; text[i]; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
    memset(text + i, 0, size - i);
}

static int is_address(rf_address *address)
{
    unsigned char bytes[16];

    tidy(address->text, sizeof address->text);
    return inet_pton(AF_INET, address->text, bytes) == 1 || inet_pton(AF_INET6, address->text, bytes) == 1;
}

int rf_sample_sane(rf_sample *sample, size_t size)
{
    int is_dns, is_sockets;
    unsigned i;

    if (size != sizeof *sample)
        return 0;
    if (sample->kind < RF_SAMPLE_PROBE || sample->kind > RF_SAMPLE_SOCKETS || (unsigned)sample->cause > RF_CAUSE_OTHER)
        return 0;
    is_dns = sample->kind == RF_SAMPLE_DNS || sample->kind == RF_SAMPLE_DNS_HOST;
    is_sockets = sample->kind == RF_SAMPLE_SOCKETS;
    if (is_sockets ? sample->nsockets > RF_SOCKETS || sample->cause != RF_CAUSE_NONE : sample->nsockets != 0)
        return 0;
    if (sample->ncnames > RF_CNAMES || sample->naddresses > RF_ADDRESSES || sample->rtt < 0)
        return 0;
    if (is_dns ? (sample->cause == RF_CAUSE_NONE) != (sample->naddresses > 0) : !is_sockets && !is_address(&sample->address))
        return 0;
    if (!is_dns && (sample->naddresses > 0 || sample->ncnames > 0))
        return 0;
    if (sample->kind == RF_SAMPLE_PROBE && sample->read_only && sample->cause != RF_CAUSE_READ_ONLY)
        return 0;
    if (sample->kind == RF_SAMPLE_IDLE_LOST && sample->cause == RF_CAUSE_NONE)
        return 0;
    for (i = 0; i < sample->naddresses; i++)
        if (!is_address(&sample->addresses[i]))
            return 0;
    tidy(sample->address.text, sizeof sample->address.text);
    for (i = 0; i < RF_CNAMES; i++)
        tidy(sample->cnames[i], sizeof sample->cnames[i]);
    for (i = 0; i < RF_ADDRESSES; i++)
        tidy(sample->addresses[i].text, sizeof sample->addresses[i].text);
    tidy(sample->text, sizeof sample->text);
    tidy(sample->server, sizeof sample->server);
    tidy(sample->version, sizeof sample->version);
    sample->pending = sample->pending != 0;
    sample->was_login = sample->was_login != 0;
    sample->proven = sample->proven != 0;
    sample->read_only = sample->read_only != 0;
    return 1;
}

int rf_address_equal(const rf_address *a, const rf_address *b)
{
    unsigned char left[16], right[16];

    if (strcmp(a->text, b->text) == 0)
        return 1;
    return inet_pton(AF_INET6, a->text, left) == 1 && inet_pton(AF_INET6, b->text, right) == 1 &&
           memcmp(left, right, sizeof left) == 0;
}
