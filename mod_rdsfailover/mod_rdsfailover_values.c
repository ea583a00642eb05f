/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_values.c
 * @brief See mod_rdsfailover_values.h.
 *
 * Layer: glue.
 */
#include "mod_rdsfailover_values.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

const char *rf_value_duration(apr_pool_t *p, const char *what, const char *value, rf_time least, const char *least_text,
                              rf_time most, const char *most_text, rf_time *ret_duration)
{
    apr_interval_time_t t = 0;

    /* ap_timeout_parameter_parse takes signs and blanks, and its product may overflow: keep both out. */
    if (!apr_isdigit(*value) || strlen(value) > 12 || strspn(value, "0123456789") > 9 ||
        ap_timeout_parameter_parse(value, &t, "s") != APR_SUCCESS || t < least || t > most)
        return apr_psprintf(p, "%s: \"%s\" is not a duration from %s to %s (units ms, s, min; seconds if none is given)", what,
                            value, least_text, most_text);
    *ret_duration = t;
    return NULL;
}

const char *rf_value_number(apr_pool_t *p, const char *what, const char *value, int least, int most, int *ret_number)
{
    size_t digits = strspn(value, "0123456789");
    long n = digits && digits <= 9 && !value[digits] ? strtol(value, NULL, 10) : -1;

    if (n < least || n > most)
        return apr_psprintf(p, "%s: \"%s\" is not a number from %d to %d", what, value, least, most);
    *ret_number = (int)n;
    return NULL;
}

const char *rf_value_size(apr_pool_t *p, const char *what, const char *value, int most, const char *most_text, int *ret_bytes)
{
    size_t digits = strspn(value, "0123456789");
    const char *unit = value + digits;
    long long n = digits && digits <= 9 ? strtoll(value, NULL, 10) : -1;

    if (!ap_cstr_casecmp(unit, "k"))
        n *= 1024;
    else if (!ap_cstr_casecmp(unit, "m"))
        n *= 1024 * 1024;
    else if (*unit)
        n = -1;
    if (n < 0 || n > most)
        return apr_psprintf(p, "%s: \"%s\" is not a number of bytes from 0 to %s (units k, m)", what, value, most_text);
    *ret_bytes = (int)n;
    return NULL;
}

const char *rf_value_choice(apr_pool_t *p, const char *what, const char *value, const char *yes, const char *no, int *ret_choice)
{
    if (!ap_cstr_casecmp(value, yes))
        *ret_choice = 1;
    else if (!ap_cstr_casecmp(value, no))
        *ret_choice = 0;
    else
        return apr_psprintf(p, "%s: \"%s\" is neither \"%s\" nor \"%s\"", what, value, yes, no);
    return NULL;
}

const char *rf_value_split(cmd_parms *cmd, const char *arg, const char *const *keys, unsigned *seen, int *ret_key,
                           const char **ret_value)
{
    const char *equals = strchr(arg, '=');
    const char *all = "";
    int i;

    for (i = 0; keys[i]; i++) {
        size_t n = strlen(keys[i]);
        all = apr_pstrcat(cmd->temp_pool, all, i ? ", " : "", keys[i], "=", NULL);
        if (!equals || (size_t)(equals - arg) != n || ap_cstr_casecmpn(arg, keys[i], n))
            continue;
        if (*seen & (1u << i))
            return apr_psprintf(cmd->pool, "%s: %s= is given twice", cmd->cmd->name, keys[i]);
        if (!equals[1])
            return apr_psprintf(cmd->pool, "%s: %s= has no value", cmd->cmd->name, keys[i]);
        *seen |= 1u << i;
        *ret_key = i;
        *ret_value = equals + 1;
        return NULL;
    }
    return apr_psprintf(cmd->pool, "%s: \"%s\" is not known; accepted are %s", cmd->cmd->name, arg, all);
}

int rf_value_is_resolver(apr_pool_t *p, const char *text)
{
    char *host = NULL, *scope = NULL;
    apr_port_t port = 0;
    unsigned char address[16];
    int bare_ipv6 = *text != '[' && strchr(text, ':') != strrchr(text, ':');

    if (strlen(text) >= 64 || strspn(text, "0123456789abcdefABCDEF.:[]") != strlen(text))
        return 0;
    if (bare_ipv6)
        text = apr_pstrcat(p, "[", text, "]", NULL);
    return apr_parse_addr_port(&host, &scope, &port, text, p) == APR_SUCCESS && host &&
           (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1);
}
