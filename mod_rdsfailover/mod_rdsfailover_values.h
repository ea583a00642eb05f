/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_RDSFAILOVER_VALUES_H
#define MOD_RDSFAILOVER_VALUES_H
/**
 * @file mod_rdsfailover_values.h
 * @brief Reading what stands behind a directive: durations, numbers, words, key=value.
 *
 * Layer: glue. Each function returns NULL, or the sentence that stops the server: it names the directive and the value and says
 * what is accepted. `what` is "RDSFailoverCheck interval" or the like. Results are written only if the value is right.
 */
#include "mod_rdsfailover.h"

/** @param least_text, most_text the bounds as people write them */
const char *rf_value_duration(apr_pool_t *p, const char *what, const char *value, rf_time least, const char *least_text,
                              rf_time most, const char *most_text, rf_time *ret_duration);

const char *rf_value_number(apr_pool_t *p, const char *what, const char *value, int least, int most, int *ret_number);

/** Bytes, "k" and "m" for 1024 and 1024 times that. */
const char *rf_value_size(apr_pool_t *p, const char *what, const char *value, int most, const char *most_text, int *ret_bytes);

/** One of two words: `yes` gives 1, `no` gives 0. */
const char *rf_value_choice(apr_pool_t *p, const char *what, const char *value, const char *yes, const char *no, int *ret_choice);

/**
 * Which of `keys` (NULL at the end) begins "key=value"? Rejects unknown, repeated and empty ones.
 * @param seen a bit for each key that was read, in the order of `keys`
 */
const char *rf_value_split(cmd_parms *cmd, const char *arg, const char *const *keys, unsigned *seen, int *ret_key,
                           const char **ret_value);

/** @return 1 if `text` is a numeric address, with or without a port */
int rf_value_is_resolver(apr_pool_t *p, const char *text);

#endif /* MOD_RDSFAILOVER_VALUES_H */
