/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_board_children.c
 * @brief The children's part of the board: who waits, who runs, whose turn it is, and what remains of a child that died.
 *
 * Layer: core. See rf_board.h.
 */
#include "rf_board_layout.h"

static uint32_t cell_left(const child_cell *cell, uint32_t slot)
{
    uint32_t left = 0;
    int i;

    for (i = RF_COUNT_RELEASED; i <= RF_COUNT_LOST; i++)
        left += atomic_load(&cell->counts[slot][i]);
    return left;
}

/* Over all cells, of a member that is given in the first. */
static uint32_t sum(const rf_board *board, const _Atomic uint32_t *first)
{
    ptrdiff_t at = (const char *)first - (const char *)board->children;
    uint32_t all = 0;
    int i;

    for (i = 0; i < atomic_load(&board->cells); i++)
        all += atomic_load((const _Atomic uint32_t *)(const void *)((const char *)&board->children[i] + at));
    return all;
}

int rf_board_child_join(rf_board *board, int32_t pid)
{
    int32_t cells, nobody;
    int i;

    rf_board_child_gone(board, pid);
    for (i = 0; i < RF_BOARD_CHILDREN; i++) {
        nobody = 0;
        if (!atomic_compare_exchange_strong(&board->children[i].pid, &nobody, pid))
            continue;
        atomic_store(&board->children[i].accepts, 1);
        cells = atomic_load(&board->cells);
        while (cells <= i && !atomic_compare_exchange_weak(&board->cells, &cells, i + 1))
            ;
        return i;
    }
    return -1;
}

void rf_board_child_stops(rf_board *board, int child)
{
    atomic_store(&board->children[child].accepts, 0);
}

uint64_t rf_board_child_gone(rf_board *board, int32_t pid)
{
    uint64_t lost = 0;
    int i, s, k;

    for (i = 0; i < atomic_load(&board->cells); i++) {
        child_cell *cell = &board->children[i];
        if (atomic_load(&cell->pid) != pid)
            continue;
        for (s = 0; s < RF_BOARD_SLOTS; s++) {
            uint32_t n = atomic_load(&cell->counts[s][RF_COUNT_HELD]) - cell_left(cell, (uint32_t)s);
            if (n)
                atomic_fetch_add(&cell->counts[s][RF_COUNT_LOST], n);
            lost += n;
        }
        for (s = 0; s < RF_BOARD_SLOTS; s++) {
            atomic_store(&cell->head[s], 0);
            for (k = 0; k < RF_NOWS; k++)
                atomic_store(&cell->now[s][k], 0);
        }
        atomic_store(&cell->waiting, 0);
        atomic_store(&cell->blocked, 0);
        atomic_store(&cell->threads, 0);
        atomic_store(&cell->accepts, 0);
        atomic_store(&cell->pid, 0);
        break;
    }
    return lost;
}

int rf_slot_enter(rf_board *board, rf_slot *slot, int child, uint32_t limit, uint32_t child_limit)
{
    child_cell *cell = child < 0 ? NULL : &board->children[child];
    uint64_t counts[RF_COUNTS], now, peak;

    /* First stand in line, then look at its length: of those who come at once all may be turned away, but never all let in. */
    if (!cell || atomic_fetch_add(&cell->waiting, 1) >= child_limit || rf_board_waiting(board) > limit) {
        if (cell)
            atomic_fetch_sub(&cell->waiting, 1);
        rf_slot_count(slot, RF_COUNT_REJECTED);
        return 0;
    }
    atomic_fetch_add(&cell->counts[slot->index][RF_COUNT_HELD], 1);

    rf_slot_counts(slot, counts, &now);
    peak = counts[RF_COUNT_PEAK];
    while (now > peak && !atomic_compare_exchange_weak(&slot->counts[RF_COUNT_PEAK], &peak, now))
        ;
    return 1;
}

void rf_slot_leave(rf_board *board, rf_slot *slot, int child, rf_count how)
{
    child_cell *cell = &board->children[child];

    atomic_fetch_add(&cell->counts[slot->index][how], 1);
    atomic_fetch_sub(&cell->waiting, 1);
}

/* As in rf_slot_enter: first take, then look, so that never more than `limit` have taken. */
int rf_board_block(rf_board *board, int child, uint32_t limit, uint32_t child_limit)
{
    if (atomic_fetch_add(&board->children[child].blocked, 1) < child_limit && sum(board, &board->children[0].blocked) <= limit)
        return 1;
    atomic_fetch_sub(&board->children[child].blocked, 1);
    return 0;
}

void rf_board_unblock(rf_board *board, int child)
{
    atomic_fetch_sub(&board->children[child].blocked, 1);
}

int rf_board_blocks(const rf_board *board, int child)
{
    return atomic_load(&board->children[child].blocked) > 0;
}

void rf_slot_count(rf_slot *slot, rf_count what)
{
    atomic_fetch_add(&slot->counts[what], 1);
}

static const rf_board *board_of(const rf_slot *slot)
{
    return (const rf_board *)(const void *)((const char *)(slot - slot->index) - offsetof(rf_board, slots));
}

void rf_slot_counts(const rf_slot *slot, uint64_t ret_counts[RF_COUNTS], uint64_t *ret_now)
{
    const rf_board *board = board_of(slot);
    uint64_t now = 0;
    int i, k;

    for (k = 0; k < RF_COUNTS; k++)
        ret_counts[k] = atomic_load(&slot->counts[k]);
    for (i = 0; i < atomic_load(&board->cells); i++) {
        const child_cell *cell = &board->children[i];
        /* Exits first, then entries: a request that enters meanwhile counts as waiting, and the difference is never negative. */
        for (k = RF_COUNT_LOST; k >= 0; k--) {
            uint32_t n = atomic_load(&cell->counts[slot->index][k]);
            ret_counts[k] += n;
            now += k == RF_COUNT_HELD ? n : -(uint64_t)n;
        }
    }
    *ret_now = now;
}

uint32_t rf_board_waiting(const rf_board *board)
{
    return sum(board, &board->children[0].waiting);
}

/* The fence keeps what follows, a look at the brief, behind the addition: on ARM that is not in the nature of an atomic one. */
void rf_slot_more(rf_board *board, const rf_slot *slot, int child, rf_now what)
{
    atomic_fetch_add(&board->children[child].now[slot->index][what], 1);
    atomic_thread_fence(memory_order_seq_cst);
}

void rf_slot_less(rf_board *board, const rf_slot *slot, int child, rf_now what)
{
    atomic_fetch_sub(&board->children[child].now[slot->index][what], 1);
}

/* Not as in rf_slot_start: there those who are turned away ask again, and of several who come at once all may be. */
int rf_slot_more_below(rf_board *board, const rf_slot *slot, int child, rf_now what, uint32_t limit)
{
    _Atomic uint32_t *ours = &board->children[child].now[slot->index][what];
    uint32_t before = atomic_load(ours);

    do {
        if (rf_slot_now(slot, what) >= limit)
            return 0;
    } while (!atomic_compare_exchange_weak(ours, &before, before + 1));
    return 1;
}

uint32_t rf_slot_now(const rf_slot *slot, rf_now what)
{
    const rf_board *board = board_of(slot);

    return sum(board, &board->children[0].now[slot->index][what]);
}

int rf_slot_start(rf_board *board, rf_slot *slot, int child, uint32_t allowed, uint32_t threads)
{
    child_cell *cell = &board->children[child];

    if (threads && atomic_fetch_add(&cell->threads, 1) >= threads) {
        atomic_fetch_sub(&cell->threads, 1);
        return 0;
    }
    rf_slot_more(board, slot, child, RF_NOW_RUNNING);
    if (!allowed || rf_slot_now(slot, RF_NOW_RUNNING) <= allowed)
        return 1;
    rf_slot_less(board, slot, child, RF_NOW_RUNNING);
    if (threads)
        atomic_fetch_sub(&cell->threads, 1);
    return 0;
}

void rf_slot_finish(rf_board *board, rf_slot *slot, int child, int took_thread)
{
    if (took_thread)
        atomic_fetch_sub(&board->children[child].threads, 1);
    rf_slot_less(board, slot, child, RF_NOW_RUNNING);
    atomic_fetch_add(&board->children[child].finished[slot->index], 1);
}

uint64_t rf_slot_finished(const rf_slot *slot)
{
    const rf_board *board = board_of(slot);
    uint64_t finished = 0;
    int i;

    for (i = 0; i < atomic_load(&board->cells); i++)
        finished += atomic_load(&board->children[i].finished[slot->index]);
    return finished;
}

uint32_t rf_board_threads(const rf_board *board, int child)
{
    return atomic_load(&board->children[child].threads);
}

int rf_board_spared_elsewhere(const rf_board *board, int child, uint32_t limit)
{
    int i;

    for (i = 0; i < atomic_load(&board->cells); i++) {
        if (i != child && atomic_load(&board->children[i].accepts) && rf_board_threads(board, i) < limit)
            return 1;
    }
    return 0;
}

void rf_slot_show_head(rf_board *board, rf_slot *slot, int child, rf_time arrival, int startable)
{
    int64_t head = arrival == RF_TIME_NEVER ? 0 : arrival + 1;

    atomic_store(&board->children[child].head[slot->index], startable ? head : -head);
}

rf_time rf_slot_oldest_head(const rf_board *board, const rf_slot *slot, int child, int *ret_child)
{
    rf_time oldest = RF_TIME_NEVER;
    int i, whose = -1;

    for (i = 0; i < atomic_load(&board->cells); i++) {
        int64_t head = i == child ? 0 : atomic_load(&board->children[i].head[slot->index]);
        if (head > 0 && head - 1 < oldest) {
            oldest = head - 1;
            whose = i;
        }
    }
    if (ret_child)
        *ret_child = whose;
    return oldest;
}

rf_time rf_slot_oldest(const rf_slot *slot)
{
    const rf_board *board = board_of(slot);
    rf_time oldest = RF_TIME_NEVER;
    int i;

    for (i = 0; i < atomic_load(&board->cells); i++) {
        int64_t head = atomic_load(&board->children[i].head[slot->index]);
        rf_time arrival = (head < 0 ? -head : head) - 1;
        if (head && arrival < oldest)
            oldest = arrival;
    }
    return oldest;
}

int rf_board_cells(const rf_board *board)
{
    return atomic_load(&board->cells);
}

atomic_uint *rf_board_wake_word(rf_board *board, int child)
{
    return &board->children[child].wake;
}
