/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_candidates.h"

#include <string.h>

rf_candidate *rf_candidates_find(rf_candidates *candidates, const rf_address *address)
{
    unsigned i;

    for (i = 0; i < candidates->n; i++) {
        if (rf_address_equal(&candidates->list[i].address, address))
            return &candidates->list[i];
    }
    return NULL;
}

static rf_candidate *make_room(rf_candidates *candidates)
{
    rf_candidate *oldest = NULL;
    unsigned i;

    if (candidates->n < RF_ADDRESSES)
        return &candidates->list[candidates->n++];
    for (i = 0; i < candidates->n; i++) {
        rf_candidate *c = &candidates->list[i];
        if (!c->named && !c->writer && !c->asked && (!oldest || c->seen < oldest->seen))
            oldest = c;
    }
    return oldest;
}

rf_candidate *rf_candidates_add(rf_candidates *candidates, const rf_address *address, rf_time now)
{
    rf_candidate *c = rf_candidates_find(candidates, address);

    if (!c && (c = make_room(candidates))) {
        memset(c, 0, sizeof *c);
        c->address = *address;
        c->due = now;
    }
    if (c)
        c->seen = now;
    return c;
}

void rf_candidates_name(rf_candidates *candidates, const rf_address *addresses, unsigned n, rf_time now)
{
    rf_candidate *c;
    unsigned i;

    for (i = 0; i < candidates->n; i++)
        candidates->list[i].named = 0;
    /* Those already known first: a new one must not take the place of one that is named as well. */
    for (i = 0; i < n; i++) {
        if ((c = rf_candidates_find(candidates, &addresses[i])))
            c->named = 1;
    }
    for (i = 0; i < n; i++) {
        if ((c = rf_candidates_add(candidates, &addresses[i], now)))
            c->named = 1;
    }
    /* An address that DNS gave once and that never was the writer means nothing once DNS has dropped it. */
    for (i = 0; i < candidates->n;) {
        c = &candidates->list[i];
        if (c->named || c->former || c->asked)
            i++;
        else
            *c = candidates->list[--candidates->n];
    }
}

void rf_candidates_elect(rf_candidates *candidates, rf_candidate *writer)
{
    unsigned i;

    for (i = 0; i < candidates->n; i++)
        candidates->list[i].writer = 0;
    if (writer)
        writer->writer = writer->former = 1;
}

void rf_candidates_look_anew(rf_candidates *candidates, rf_time now)
{
    unsigned i;

    for (i = 0; i < candidates->n; i++) {
        rf_candidate *c = &candidates->list[i];
        if (c->due > now)
            c->due = now;
        c->passes = c->strikes = 0;
        /* The writer's are what is wrong. */
        if (!c->writer)
            c->failures = 0;
    }
}

int rf_candidates_refuse(const rf_candidates *candidates, rf_time patience, rf_time now)
{
    unsigned i;

    for (i = 0; i < candidates->n; i++) {
        const rf_candidate *c = &candidates->list[i];
        if (c->named && c->refused && now - c->refused >= patience)
            return 1;
    }
    return 0;
}

const rf_candidate *rf_candidates_all_fail(rf_candidates *candidates, const rf_address *addresses, unsigned n, int fails)
{
    const rf_candidate *last = NULL;
    unsigned i;

    for (i = 0; i < n; i++) {
        const rf_candidate *c = rf_candidates_find(candidates, &addresses[i]);
        if (!c || c->strikes < fails)
            return NULL;
        if (!last || c->struck > last->struck)
            last = c;
    }
    return last;
}

rf_candidate *rf_candidates_writer(rf_candidates *candidates, const rf_policy *policy, const rf_address *current, int passes)
{
    rf_candidate *best = NULL;
    int best_rank = 0;
    unsigned i;

    for (i = 0; i < candidates->n; i++) {
        rf_candidate *c = &candidates->list[i];
        int rank = c->named ? 2 : policy->former && c->former && c->proven ? 1 : 0;

        if (rank == 0 || c->passes < passes)
            continue;
        /* Among equals the present writer stays: a name with two addresses must not make it change at every answer. */
        rank = 2 * rank + rf_address_equal(&c->address, current);
        if (rank > best_rank) {
            best = c;
            best_rank = rank;
        }
    }
    return best;
}
