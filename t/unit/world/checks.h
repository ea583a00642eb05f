/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_WORLD_CHECKS_H
#define RF_WORLD_CHECKS_H
/**
 * @file checks.h
 * @brief What must hold after every event in a world, whatever happens in it. The first breach is kept in world.wrong.
 *
 * Layer: tests.
 */
#include "world.h"

/** After a sample was taken in. */
void world_check(world *w);
/** After a tick. */
void world_check_tick(world *w);
/** When `snapshot` is about to replace world.board. */
void world_check_publish(world *w, const rf_snapshot *snapshot);
/** When the sockets to this address are about to be destroyed, or counted. */
void world_check_abort(world *w, const rf_address *address);

#endif /* RF_WORLD_CHECKS_H */
