/* SPDX-License-Identifier: Apache-2.0 */
/* The board between processes, some of which are killed wherever they happen to be: no torn read, no count that is off. */
#include "rf_board.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS 120
#define READERS 2
#define CHILDREN 4
#define LIMIT 5
#define CHILD_LIMIT 3

typedef struct tally {
    _Atomic uint64_t good, torn, gave_up, control_torn;
    atomic_int stop;
    _Atomic uint32_t inside, most_inside, exceeded;
    unsigned char plain[sizeof(rf_snapshot)]; /* the control: the same bytes without a lock */
} tally;

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        abort();
    return memory;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(long microseconds)
{
    struct timespec t = { 0, microseconds * 1000 };

    nanosleep(&t, NULL);
}

static pid_t start(void (*run)(rf_board *, rf_slot *, tally *, unsigned), rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    pid_t pid = fork();

    if (pid < 0)
        abort();
    if (pid == 0) {
        run(board, slot, t, seed);
        _exit(0);
    }
    return pid;
}

static void reap(pid_t pid, int sig)
{
    if (sig)
        kill(pid, sig);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void write_forever(rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    rf_snapshot s;

    for (unsigned i = seed;; i++) {
        memset(&s, (int)(i % 251), sizeof s);
        rf_slot_publish(slot, &s);
        memcpy(t->plain, &s, sizeof t->plain);
        rf_slot_beat(slot, s.brief.observed_at);
    }
}

static int uniform(const unsigned char *bytes, size_t size)
{
    return size == 0 || !memcmp(bytes, bytes + 1, size - 1);
}

static void read_until_stopped(rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    static rf_snapshot s;
    static unsigned char plain[sizeof s];
    rf_brief brief;

    while (!t->stop) {
        if (rf_slot_brief(slot, &brief))
            t->torn += !uniform((unsigned char *)&brief, sizeof brief);
        if (!rf_slot_snapshot(slot, &s)) {
            t->gave_up++;
        } else {
            /* A beat may have renewed this one word after the snapshot was published. */
            memset(&s.brief.observed_at, ((unsigned char *)&s)[sizeof s - 1], sizeof s.brief.observed_at);
            t->torn += !uniform((unsigned char *)&s, sizeof s);
            t->good++;
        }
        memcpy(plain, t->plain, sizeof plain);
        t->control_torn += !uniform(plain, sizeof plain);
    }
}

static void torn_reads(void)
{
    rf_board *board = rf_board_init(shared(rf_board_size()));
    rf_slot *slot = rf_board_slot(board, 1);
    tally *t = shared(sizeof *t);
    pid_t readers[READERS], writer;
    rf_snapshot in, out;
    unsigned kills = 0, unreadable = 0, orphaned = 0, i;
    double give_up;

    memset(&in, 0, sizeof in);
    rf_slot_publish(slot, &in);
    srand(1);
    for (i = 0; i < READERS; i++)
        readers[i] = start(read_until_stopped, board, slot, t, i);
    /* On one core the control tears only when a process is preempted in its copy: give it time. */
    give_up = seconds() + 60;
    while ((kills < KILLS || !t->control_torn || !t->good || !unreadable) && seconds() < give_up) {
        writer = start(write_forever, board, slot, t, (unsigned)rand());
        nap(50 + rand() % 400);
        reap(writer, SIGKILL);
        kills++;
        unreadable += !rf_slot_snapshot(slot, &out);
        orphaned += !rf_slot_adopt(slot, &out);
    }
    t->stop = 1;
    for (i = 0; i < READERS; i++)
        reap(readers[i], 0);
    ok(kills >= KILLS, "a writer was killed %u times; %u times in the middle of a write", kills, unreadable);
    ok(unreadable > 0, "an unfinished write is not readable");
    is_int(orphaned, 0, "but the next monitor always finds the state, the epoch and the writer");
    ok(t->good > 0, "%" PRIu64 " snapshots were read, %" PRIu64 " readers gave up", t->good, t->gave_up);
    is_int(t->torn, 0, "none of them was torn");
    ok(t->control_torn > 0, "without the lock %" PRIu64 " were", t->control_torn);

    in.brief.state = RF_STATE_OUTAGE;
    ok(rf_slot_publish(slot, &in), "the next monitor takes over whatever was left, and wakes");
    ok(rf_slot_snapshot(slot, &out) && !memcmp(&in, &out, sizeof in), "what it publishes is read");
}

static void come_and_go(rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    static const rf_count ways[] = { RF_COUNT_RELEASED, RF_COUNT_PASSED, RF_COUNT_EXPIRED, RF_COUNT_ABORTED };
    rf_slot *slots[2] = { slot, rf_board_slot(board, 2) };
    rf_slot *in[CHILD_LIMIT];
    int child = rf_board_child_join(board, (int32_t)getpid()), n = 0;

    srand(seed);
    while (!t->stop) {
        rf_slot *s = slots[rand() & 1];
        if (rand() & 1) {
            if (rf_slot_enter(board, s, child, LIMIT, CHILD_LIMIT)) {
                t->exceeded += atomic_fetch_add(&t->inside, 1) >= LIMIT || n >= CHILD_LIMIT;
                in[n++] = s;
            }
        } else if (n) {
            t->inside--;
            rf_slot_leave(board, in[--n], child, ways[(unsigned)rand() % 4]);
        }
    }
    while (n) {
        t->inside--;
        rf_slot_leave(board, in[--n], child, RF_COUNT_RELEASED);
    }
    rf_board_child_gone(board, (int32_t)getpid());
}

/* Does the sum hold, and did no counter go back? */
static int sums_up(const rf_slot *slot, uint64_t last[RF_COUNTS])
{
    uint64_t counts[RF_COUNTS], now, left = 0;
    int good = 1;

    rf_slot_counts(slot, counts, &now);
    for (int i = RF_COUNT_RELEASED; i <= RF_COUNT_LOST; i++)
        left += counts[i];
    good = counts[RF_COUNT_HELD] == left + now;
    for (int i = 0; i < RF_COUNTS; i++) {
        good = good && counts[i] >= last[i];
        last[i] = counts[i];
    }
    return good;
}

static void counts_without_deaths(void)
{
    rf_board *board = rf_board_init(shared(rf_board_size()));
    rf_slot *slot = rf_board_slot(board, 1), *other = rf_board_slot(board, 2);
    tally *t = shared(sizeof *t);
    uint64_t last[RF_COUNTS] = { 0 }, last2[RF_COUNTS] = { 0 };
    pid_t children[CHILDREN];
    unsigned looks = 0, wrong = 0;
    double until = seconds() + 0.5;

    for (unsigned i = 0; i < CHILDREN; i++)
        children[i] = start(come_and_go, board, slot, t, i + 1);
    while (seconds() < until || (!last[RF_COUNT_REJECTED] && seconds() < until + 60)) {
        wrong += !sums_up(slot, last) + !sums_up(other, last2);
        looks++;
    }
    t->stop = 1;
    for (unsigned i = 0; i < CHILDREN; i++)
        reap(children[i], 0);
    wrong += !sums_up(slot, last) + !sums_up(other, last2);
    is_int(wrong, 0, "held = released + ... + now, and nothing went back, in %u looks at %" PRIu64 " entries", looks,
           last[RF_COUNT_HELD] + last2[RF_COUNT_HELD]);
    ok(last[RF_COUNT_REJECTED] > 0, "some were turned away");
    is_int(t->exceeded, 0, "no limit was ever exceeded");
    is_int(rf_board_waiting(board), 0, "nobody waits in the end");
    is_int(last[RF_COUNT_LOST] + last2[RF_COUNT_LOST], 0, "nothing was lost");
}

static void counts_with_deaths(void)
{
    rf_board *board = rf_board_init(shared(rf_board_size()));
    rf_slot *slot = rf_board_slot(board, 1), *other = rf_board_slot(board, 2);
    tally *t = shared(sizeof *t);
    uint64_t last[RF_COUNTS] = { 0 }, last2[RF_COUNTS] = { 0 }, counts[RF_COUNTS], now, lost = 0;
    pid_t children[CHILDREN];
    unsigned wrong = 0, entered = 0;
    int child;

    srand(2);
    for (unsigned i = 0; i < CHILDREN; i++)
        children[i] = start(come_and_go, board, slot, t, i + 1);
    for (unsigned kills = 0; kills < 3 * KILLS; kills++) {
        unsigned k = (unsigned)rand() % CHILDREN;
        nap(50 + rand() % 300);
        reap(children[k], SIGKILL);
        lost += rf_board_child_gone(board, (int32_t)children[k]);
        wrong += !sums_up(slot, last) + !sums_up(other, last2);
        children[k] = start(come_and_go, board, slot, t, kills + 100);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        reap(children[i], SIGKILL);
        lost += rf_board_child_gone(board, (int32_t)children[i]);
    }
    wrong += !sums_up(slot, last) + !sums_up(other, last2);
    is_int(wrong, 0, "the sum holds through %d deaths", 3 * KILLS + CHILDREN);
    is_int(last[RF_COUNT_LOST] + last2[RF_COUNT_LOST], lost, "what the dead held is lost, %" PRIu64 " requests", lost);
    rf_slot_counts(slot, counts, &now);
    is_int(now, 0, "nobody waits for the first database");
    rf_slot_counts(other, counts, &now);
    is_int(now, 0, "nobody waits for the second");
    is_int(rf_board_waiting(board), 0, "nobody waits at all");
    child = rf_board_child_join(board, 1);
    while (entered < 10 * LIMIT && rf_slot_enter(board, slot, child, LIMIT, 1000))
        entered++;
    is_int(entered, LIMIT, "and every place is free");
}

/* Every part of a sample tells its number. */
static rf_history_sample numbered(uint32_t n)
{
    return (rf_history_sample){ (rf_time)n * 1000003, (uint8_t)(n % 5), n, ~n };
}

static int is_numbered(const rf_history_sample *s)
{
    rf_history_sample good = numbered(s->held);

    return s->at == good.at && s->state == good.state && s->rtt_us == good.rtt_us;
}

static void remember_forever(rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    rf_history_sample last[RF_HISTORY];
    unsigned n = rf_slot_history(slot, last);

    for (uint32_t i = n ? last[n - 1].held + 1 : 1;; i++) {
        rf_history_sample s = numbered(i);
        rf_slot_add_history(slot, &s);
    }
}

static void recall_until_stopped(rf_board *board, rf_slot *slot, tally *t, unsigned seed)
{
    static rf_history_sample s[RF_HISTORY];

    while (!t->stop) {
        unsigned n = rf_slot_history(slot, s);
        for (unsigned i = 0; i < n; i++)
            t->torn += !is_numbered(&s[i]) || (i && s[i].held != s[i - 1].held + 1);
        t->good += n;
    }
}

static void history_of_the_killed(void)
{
    static rf_history_sample s[RF_HISTORY];
    rf_board *board = rf_board_init(shared(rf_board_size()));
    rf_slot *slot = rf_board_slot(board, 1);
    tally *t = shared(sizeof *t);
    pid_t readers[READERS], writer;

    srand(3);
    for (unsigned i = 0; i < READERS; i++)
        readers[i] = start(recall_until_stopped, board, slot, t, i);
    for (unsigned kills = 0; kills < KILLS || (!t->good && kills < 100 * KILLS); kills++) {
        writer = start(remember_forever, board, slot, t, kills);
        nap(50 + rand() % 400);
        reap(writer, SIGKILL);
    }
    t->stop = 1;
    for (unsigned i = 0; i < READERS; i++)
        reap(readers[i], 0);
    ok(t->good > 0, "%" PRIu64 " samples of the history were read while its writers were killed", t->good);
    is_int(t->torn, 0, "none was torn, out of order or missing");
    is_int(rf_slot_history(slot, s), RF_HISTORY, "the last ones are all there");
}

int main(void)
{
    torn_reads();
    history_of_the_killed();
    counts_without_deaths();
    counts_with_deaths();
    return tap_done();
}
