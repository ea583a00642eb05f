/* SPDX-License-Identifier: Apache-2.0 */
/* The board in one process: slots, records, staleness, counting. What several processes do to it is in board_processes.c. */
#include "rf_board.h"
#include "tap.h"

#include <stdlib.h>

static rf_board *fresh(void)
{
    void *memory = calloc(1, rf_board_size());

    return memory ? rf_board_init(memory) : NULL;
}

static void layouts(void)
{
    rf_board *board = fresh();
    unsigned char *bytes = (unsigned char *)board;

    ok(board && rf_board_init(board) == board, "a board is found again in its memory");
    bytes[8] ^= 1;
    ok(!rf_board_init(board), "a board of another layout is refused");
    bytes[8] ^= 1;
    bytes[0] ^= 1;
    ok(!rf_board_init(board), "memory of something else is refused");
    free(board);
}

static void slots(void)
{
    rf_board *board = fresh();
    rf_slot *first = rf_board_slot(board, 1000);
    int distinct = 1;

    ok(rf_board_slot(board, 1000) == first, "an endpoint has one slot");
    for (uint64_t key = 1001; key < 1000 + RF_BOARD_SLOTS; key++) {
        rf_slot *slot = rf_board_slot(board, key);
        distinct = distinct && slot && slot != first;
    }
    ok(distinct, "%d endpoints have slots of their own", RF_BOARD_SLOTS);
    ok(!rf_board_slot(board, 5000), "one more has none");
    ok(rf_board_slot(board, 1000) == first, "the first still has its own");
    free(board);
}

static void records(void)
{
    rf_board *board = fresh();
    rf_slot *slot = rf_board_slot(board, 7);
    rf_snapshot in, out;
    rf_brief brief;
    rf_dsn dsn, read;
    rf_place_keys keys, next;

    memset(&in, 0, sizeof in);
    memset(&dsn, 0, sizeof dsn);
    ok(rf_slot_brief(slot, &brief) && brief.state == RF_STATE_UNKNOWN && !brief.observed_at, "a new slot is unknown");
    ok(rf_brief_state(&brief, RF_SEC(1)) == RF_STATE_UNKNOWN, "and stays so");

    in.brief.state = RF_STATE_AVAILABLE;
    in.brief.epoch = 3;
    in.brief.observed_at = RF_SEC(100);
    in.brief.stale_after = RF_MS(2500);
    in.nfailovers = 2;
    ok(rf_slot_publish(slot, &in), "another state wakes");
    in.probe.count++;
    ok(!rf_slot_publish(slot, &in), "other facts do not");
    in.brief.epoch++;
    ok(rf_slot_publish(slot, &in), "another epoch does");
    in.brief.allowed = 32;
    ok(rf_slot_publish(slot, &in), "and another number of requests that may run");
    ok(rf_slot_snapshot(slot, &out) && !memcmp(&in, &out, sizeof in), "what was published is read");

    rf_slot_beat(slot, RF_SEC(101));
    ok(rf_slot_brief(slot, &brief) && brief.observed_at == RF_SEC(101) && brief.epoch == 4, "a beat renews the time, nothing else");
    ok(rf_slot_snapshot(slot, &out) && out.brief.observed_at == RF_SEC(101), "the snapshot has the beat's time");
    ok(rf_brief_state(&brief, RF_SEC(101) + RF_MS(2500)) == RF_STATE_AVAILABLE, "not stale at the limit");
    ok(rf_brief_state(&brief, RF_SEC(101) + RF_MS(2500) + 1) == RF_STATE_UNKNOWN, "stale after it reads as unknown");

    memset(dsn.password, 'x', sizeof dsn.password - 1);
    rf_slot_set_dsn(slot, &dsn);
    ok(rf_slot_dsn(slot, &read) && !memcmp(&dsn, &read, sizeof dsn), "a DSN is read as it was set");
    ok(rf_slot_place_keys(slot, &keys), "with it there is a key");
    memset(dsn.password, 'y', sizeof dsn.password - 1);
    rf_slot_set_dsn(slot, &dsn);
    ok(rf_slot_place_keys(slot, &next) && !memcmp(next.previous, keys.current, sizeof keys.current) &&
       memcmp(next.current, keys.current, sizeof keys.current), "another password has another key, and the one before still counts");
    free(board);
}

static void state_names(void)
{
    static const char *const names[] = { "unknown", "available", "suspect", "outage", "recovering" };

    for (unsigned i = 0; i < 5; i++)
        is_str(rf_state_text((rf_state_name)i), names[i], "state %u is called %s", i, names[i]);
    is_str(rf_state_text((rf_state_name)77), "unknown", "a state that does not exist is unknown");
}

static uint64_t in_queue(const rf_slot *slot, uint64_t ret_counts[RF_COUNTS])
{
    uint64_t now;

    rf_slot_counts(slot, ret_counts, &now);
    return now;
}

static void counting(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502);
    uint64_t counts[RF_COUNTS];

    ok(one >= 0 && two >= 0 && one != two, "two children have cells of their own");
    ok(rf_slot_enter(board, a, one, 3, 2) && rf_slot_enter(board, b, one, 3, 2), "two requests enter");
    ok(!rf_slot_enter(board, a, one, 3, 2), "a third exceeds the child's limit, whatever the database");
    ok(rf_slot_enter(board, a, two, 3, 2), "another child has a place left");
    ok(!rf_slot_enter(board, a, two, 3, 2), "but not more than all may hold together");
    is_int(rf_board_waiting(board), 3, "three wait");
    is_int(in_queue(a, counts), 2, "two of them for the first database");
    is_int(counts[RF_COUNT_HELD], 2, "two were held");
    is_int(counts[RF_COUNT_REJECTED], 2, "two were turned away");
    is_int(counts[RF_COUNT_PEAK], 2, "at most two waited at once");
    ok(!rf_slot_enter(board, a, -1, 3, 2), "a child without a cell holds nothing");
    ok(!rf_slot_enter(board, a, two, 0, 2) && !rf_slot_enter(board, a, two, 9, 0), "a limit of 0 lets nobody in");

    rf_slot_leave(board, a, one, RF_COUNT_RELEASED);
    is_int(in_queue(a, counts), 1, "one has left");
    is_int(counts[RF_COUNT_RELEASED], 1, "released");
    is_int(counts[RF_COUNT_PEAK], 2, "the peak stays");
    ok(rf_slot_enter(board, a, one, 3, 2), "its place is free again");
    is_int(rf_board_child_gone(board, 501), 2, "a child dies with two");
    is_int(in_queue(a, counts), 1, "the other child's request still waits");
    is_int(counts[RF_COUNT_LOST], 1, "one of each database is lost");
    in_queue(b, counts);
    is_int(counts[RF_COUNT_LOST], 1, "the other one too");
    is_int(rf_board_waiting(board), 1, "their places are free");
    is_int(rf_board_child_gone(board, 501), 0, "dying twice changes nothing");
    is_int(rf_board_child_gone(board, 999), 0, "nor does a stranger's death");
    is_int(rf_board_child_join(board, 503), one, "the cell is free for the next child");
    ok(rf_slot_enter(board, a, one, 9, 9), "which holds a request");
    is_int(rf_board_child_join(board, 503), one, "a process number that comes again is another process");
    is_int(in_queue(a, counts), 1, "what its forerunner held is lost");
    is_int(counts[RF_COUNT_LOST], 2, "and counted so");
    rf_slot_count(a, RF_COUNT_DRY);
    in_queue(a, counts);
    is_int(counts[RF_COUNT_DRY], 1, "a dry run is counted");
    free(board);
}

static void running(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502);
    int i;

    ok(rf_slot_start(board, a, one, 3, 2) && rf_slot_start(board, a, one, 3, 2), "two start");
    ok(!rf_slot_start(board, a, one, 3, 2), "a third is too many for the child");
    ok(rf_board_spared_elsewhere(board, one, 1), "another child has workers to spare");
    ok(rf_slot_start(board, a, two, 3, 2), "another child may");
    ok(!rf_board_spared_elsewhere(board, one, 1) && rf_board_spared_elsewhere(board, one, 2), "as long as it runs fewer than that");
    ok(!rf_slot_start(board, a, two, 3, 2), "but no more than allowed on the host");
    ok(rf_slot_start(board, b, two, 3, 2), "the other database has places of its own");
    is_int(rf_board_threads(board, two), 2, "threads are the child's, whichever database");
    ok(!rf_slot_start(board, b, two, 3, 2), "and so there is none left");
    ok(rf_slot_start(board, b, two, 3, 0), "but a stream takes none");
    rf_slot_finish(board, b, two, 0);
    is_int(rf_slot_now(a, RF_NOW_RUNNING), 3, "three run");
    rf_slot_finish(board, a, two, 1);
    ok(rf_slot_start(board, a, two, 3, 2), "one is done, the next may start");
    rf_board_child_gone(board, 501);
    is_int(rf_slot_now(a, RF_NOW_RUNNING), 1, "a child that dies gives back what it had");
    for (i = 0; i < 1000 && rf_slot_start(board, a, two, 0, 5000); i++)
        ;
    is_int(i, 1000, "0 allows any number");
    one = rf_board_child_join(board, 503);
    ok(rf_board_spared_elsewhere(board, two, 1), "a child that has begun has workers to spare");
    rf_board_child_stops(board, one);
    ok(!rf_board_spared_elsewhere(board, two, 1), "not one that ends: nobody can come to it");
    free(board);
}

static void in_flight(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502);

    is_int(rf_slot_now(a, RF_NOW_INFLIGHT), 0, "nothing executes");
    rf_slot_more(board, a, one, RF_NOW_INFLIGHT);
    rf_slot_more(board, a, one, RF_NOW_INFLIGHT);
    rf_slot_more(board, a, two, RF_NOW_INFLIGHT);
    rf_slot_more(board, b, two, RF_NOW_INFLIGHT);
    is_int(rf_slot_now(a, RF_NOW_INFLIGHT), 3, "three execute, in two children");
    is_int(rf_slot_now(b, RF_NOW_INFLIGHT), 1, "the other database's is counted by itself");
    is_int(rf_slot_now(a, RF_NOW_RUNNING), 0, "none of them was let go after a hold");
    rf_slot_less(board, a, one, RF_NOW_INFLIGHT);
    is_int(rf_slot_now(a, RF_NOW_INFLIGHT), 2, "one is done");
    rf_board_child_gone(board, 501);
    is_int(rf_slot_now(a, RF_NOW_INFLIGHT), 1, "a child that dies executes nothing any more");
    is_int(rf_board_child_join(board, 503), one, "the next child has its cell");
    rf_slot_more(board, a, one, RF_NOW_INFLIGHT);
    is_int(rf_slot_now(a, RF_NOW_INFLIGHT), 2, "and begins with none");
    free(board);
}

static void no_more_than(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502);

    ok(rf_slot_more_below(board, a, one, RF_NOW_REPLAYING, 2) && rf_slot_more_below(board, a, two, RF_NOW_REPLAYING, 2),
       "two may run again, in two children");
    ok(!rf_slot_more_below(board, a, one, RF_NOW_REPLAYING, 2) && !rf_slot_more_below(board, a, two, RF_NOW_REPLAYING, 2),
       "a third may not, in either");
    is_int(rf_slot_now(a, RF_NOW_REPLAYING), 2, "and is not counted");
    ok(rf_slot_more_below(board, b, one, RF_NOW_REPLAYING, 1), "the other database's are counted by themselves");
    ok(!rf_slot_more_below(board, a, one, RF_NOW_INFLIGHT, 0), "of none, none");
    rf_slot_less(board, a, one, RF_NOW_REPLAYING);
    ok(rf_slot_more_below(board, a, two, RF_NOW_REPLAYING, 2), "one is done: another may, in whichever child");
    free(board);
}

static void turns(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502), whose;

    ok(rf_slot_oldest_head(board, a, one, &whose) == RF_TIME_NEVER && whose == -1, "nobody waits");
    rf_slot_show_head(board, a, one, 500, 1);
    rf_slot_show_head(board, a, two, 400, 1);
    ok(rf_slot_oldest_head(board, a, one, &whose) == 400 && whose == two, "the other one's head is older");
    ok(rf_slot_oldest_head(board, a, two, &whose) == 500 && whose == one, "its own does not count");
    ok(rf_slot_oldest_head(board, a, -1, &whose) == 400 && whose == two, "of all");
    ok(rf_slot_oldest_head(board, b, -1, NULL) == RF_TIME_NEVER, "another database is another queue");
    rf_slot_show_head(board, a, two, 400, 0);
    ok(rf_slot_oldest_head(board, a, one, NULL) == RF_TIME_NEVER, "who cannot start now keeps nobody waiting");
    ok(rf_slot_oldest(a) == 400, "but has waited longest all the same");
    ok(rf_slot_oldest(b) == RF_TIME_NEVER, "in its own queue");
    rf_slot_show_head(board, a, two, 0, 1);
    ok(rf_slot_oldest_head(board, a, one, NULL) == 0, "0 is a time like any other");
    rf_board_child_gone(board, 502);
    ok(rf_slot_oldest_head(board, a, one, NULL) == RF_TIME_NEVER, "nor does who is dead");
    free(board);
}

static void orders(void)
{
    rf_board *board = fresh();
    rf_slot *a = rf_board_slot(board, 1), *b = rf_board_slot(board, 2);
    rf_snapshot s;
    uint32_t first = rf_slot_order_number(a), second = rf_slot_order_number(a), other = rf_slot_order_number(b), i, wrong = 0;

    ok(!rf_slot_order_is_taken(a, first), "an order is not taken when it is given");
    rf_slot_order_taken(a, first);
    ok(rf_slot_order_is_taken(a, first) && !rf_slot_order_is_taken(a, second), "the first is taken, the second not yet");
    ok(!rf_slot_order_is_taken(b, other), "nor that of another database");
    rf_slot_order_taken(a, second);
    rf_slot_order_taken(a, first);
    ok(rf_slot_order_is_taken(a, second), "an old one that comes late takes nothing back");
    for (i = 0; i < 70; i++) {
        uint32_t number = rf_slot_order_number(b) + i * 0x10000000u;
        rf_slot_order_taken(b, number);
        wrong += !rf_slot_order_is_taken(b, number) || rf_slot_order_is_taken(b, number + 1);
    }
    is_int(wrong, 0, "numbers may wrap");

    memset(&s, 0, sizeof s);
    rf_slot_publish(a, &s);
    s.brief.hold_until = RF_SEC(60);
    ok(rf_slot_publish(a, &s), "a hold wakes");
    s.brief.hold_until = 0;
    ok(rf_slot_publish(a, &s), "and so does its end");
    free(board);
}

static void history(void)
{
    static rf_history_sample out[RF_HISTORY];
    rf_board *board = fresh();
    rf_slot *slot = rf_board_slot(board, 1);
    unsigned i, k, n, wrong = 0;

    is_int(rf_slot_history(slot, out), 0, "nothing was");
    for (i = 1; i <= 3 * RF_HISTORY; i++) {
        rf_history_sample in = { RF_SEC(i), (uint8_t)(i % 5), i, UINT32_MAX - i };
        rf_slot_add_history(slot, &in);
        n = rf_slot_history(slot, out);
        wrong += n != (i < RF_HISTORY ? i : RF_HISTORY);
        for (k = 0; k < n; k += n > 9 ? n / 9 : 1) {
            unsigned then = i - n + 1 + k;
            wrong += out[k].at != RF_SEC(then) || out[k].state != then % 5 || out[k].held != then || out[k].rtt_us != UINT32_MAX - then;
        }
    }
    is_int(wrong, 0, "the last %d samples, the oldest first", RF_HISTORY);
    is_int(rf_slot_history(rf_board_slot(board, 2), out), 0, "another database has its own");
    free(board);
}

static void hold_times(void)
{
    static const struct {
        rf_time duration;
        unsigned bucket;
    } waits[] = { { -5, 0 }, { 0, 0 }, { RF_MS(100), 0 }, { RF_MS(100) + 1, 1 }, { RF_MS(500), 1 }, { RF_SEC(1), 2 }, { RF_SEC(61), 9 },
                  { RF_SEC(150), 11 }, { RF_SEC(150) + 1, 12 }, { RF_SEC(3600), 12 } };
    rf_board *board = fresh();
    rf_slot *slot = rf_board_slot(board, 1);
    uint64_t before[RF_HOLD_BUCKETS], after[RF_HOLD_BUCKETS], sum, sum_before;
    unsigned i;

    for (i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        rf_slot_hold_times(slot, before, &sum_before);
        rf_slot_add_hold_time(slot, waits[i].duration);
        rf_slot_hold_times(slot, after, &sum);
        before[waits[i].bucket]++;
        ok(!memcmp(before, after, sizeof after), "%lld us are in bucket %u alone", (long long)waits[i].duration, waits[i].bucket);
        is_int(sum - sum_before, waits[i].duration > 0 ? waits[i].duration : 0, "and in the sum");
    }
    ok(rf_board_hold_bound(RF_HOLD_BUCKETS - 1) == RF_TIME_NEVER && rf_board_hold_bound(99) == RF_TIME_NEVER, "the last has no bound");
    for (i = 1; i < RF_HOLD_BUCKETS; i++)
        ok(rf_board_hold_bound(i) > rf_board_hold_bound(i - 1), "bounds grow");
    free(board);
}

static void blocking(void)
{
    rf_board *board = fresh();
    int one = rf_board_child_join(board, 501), two = rf_board_child_join(board, 502);

    ok(rf_board_block(board, one, 2, 9) && rf_board_block(board, two, 2, 9), "two workers wait");
    ok(!rf_board_block(board, two, 2, 9), "a third is one too many");
    ok(rf_board_blocks(board, one) && rf_board_blocks(board, two), "both children have somebody to wake");
    rf_board_unblock(board, one);
    ok(!rf_board_blocks(board, one) && rf_board_block(board, two, 2, 9), "one goes, another may wait");
    ok(!rf_board_block(board, one, 9, 0) && rf_board_block(board, one, 9, 1) && !rf_board_block(board, one, 9, 1), "or more than a child may have");
    rf_board_child_gone(board, 502);
    ok(!rf_board_blocks(board, two), "the dead wait for nothing");
    free(board);
}

static void cells_run_out(void)
{
    rf_board *board = fresh();
    int i, last = 0;

    for (i = 0; i < RF_BOARD_CHILDREN; i++)
        last = rf_board_child_join(board, 1000 + i);
    ok(last >= 0, "%d children have cells", RF_BOARD_CHILDREN);
    is_int(rf_board_child_join(board, 99999), -1, "one more has none");
    rf_board_child_gone(board, 1500);
    ok(rf_board_child_join(board, 99999) >= 0, "until another ends");
    free(board);
}

static void monitors(void)
{
    rf_board *board = fresh();
    int32_t pid;
    uint32_t restarts;
    rf_time beat;

    rf_board_monitor_started(board, 10, 0);
    rf_board_monitor_started(board, 11, 1);
    rf_board_monitor_started(board, 12, 0);
    rf_board_monitor_beat(board, RF_SEC(5));
    rf_board_monitor(board, &pid, &restarts, &beat);
    is_int(pid, 12, "the monitor's process");
    is_int(restarts, 1, "a handover is no restart");
    is_int(beat, RF_SEC(5), "its last sign of life");
    rf_board_monitor_forgotten(board, RF_SEC(6));
    is_int(rf_board_monitor_forgotten_at(board), RF_SEC(6), "forgotten at a restart");
    rf_board_monitor_started(board, 13, 0);
    is_int(rf_board_monitor_forgotten_at(board), 0, "until another is started");
    free(board);
}

int main(void)
{
    layouts();
    slots();
    records();
    state_names();
    counting();
    cells_run_out();
    running();
    in_flight();
    no_more_than();
    turns();
    orders();
    history();
    hold_times();
    blocking();
    monitors();
    return tap_done();
}
