/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_WORLD_PROBER_H
#define RF_WORLD_PROBER_H
/**
 * @file prober.h
 * @brief The scripted servers and resolvers as the prober sees them: when a question is answered, and how.
 *
 * Layer: tests. For world.c.
 */
#include "world.h"

#define NEVER INT64_MAX

/** Find or make. */
w_server *prober_server(world *w, const char *name);

/** @name What the monitor asks for (rf_world). @{ */
void prober_ask(void *ctx, const rf_address *address, uint32_t ticket, rf_time timeout);
void prober_resolve_name(void *ctx, uint32_t ticket, rf_time timeout);
void prober_replace(void *ctx);
/** @} */

/** @return when the attempt ends by an answer or an error; NEVER if only its deadline ends it */
rf_time prober_attempt_ends(const w_server *s);

/** @name What is due now is reported to the monitor. @{ */
void prober_end_attempt(world *w, w_server *s);
void prober_notice_lost(world *w, w_server *s);
void prober_answer_resolvers(world *w);
/** @} */

/** Connections and questions of a prober that is gone. */
void prober_forget_all(world *w);
/** Ask a resolver, which asks the zone if its cache is too old. */
const char *prober_resolve(world *w, w_resolver *r);

#endif /* RF_WORLD_PROBER_H */
