/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_pin.c
 * @brief The program's own getaddrinfo in front of libc's.
 */
#include "rf_io_pin.h"

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static const char *pinned_name, *pinned_address;

void rf_pin_set(const char *name, const char *address)
{
    pinned_name = name;
    pinned_address = address;
}

void rf_pin_clear(void)
{
    pinned_name = pinned_address = NULL;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict req,
                struct addrinfo **restrict pai)
{
    static lookup_fn *real;
    struct addrinfo hints = {0};

    if (!real)
        real = (lookup_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (!real)
        return EAI_SYSTEM;
    if (!name || !pinned_name || strcmp(name, pinned_name) != 0)
        return real(name, service, req, pai);
    if (req)
        hints = *req;
    hints.ai_flags |= AI_NUMERICHOST;
    return real(pinned_address, service, &hints, pai);
}
