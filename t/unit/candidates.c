/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are looked at, and which of them is the writer. */
#include "rf_candidates.h"
#include "tap.h"

static rf_address address(int i)
{
    rf_address a;

    snprintf(a.text, sizeof a.text, "10.0.0.%d", i);
    return a;
}

static void name(rf_candidates *all, int from, int n, rf_time now)
{
    rf_address list[RF_ADDRESSES];

    for (int i = 0; i < n; i++)
        list[i] = address(from + i);
    rf_candidates_name(all, list, (unsigned)n, now);
}

/* One letter an attribute: n named, f former, p proven, c current writer, 1-9 passes. */
static const struct {
    const char *name;
    const char *first, *second, *third;
    int former; /* candidates=auto */
    int passes;
    int writer; /* 0 nobody, or which */
} elections[] = {
    { "named and passing", "n2", "", "", 1, 2, 1 },
    { "not often enough", "n1", "", "", 1, 2, 0 },
    { "former and proven", "fp2", "", "", 1, 2, 1 },
    { "former without proof", "f2", "", "", 1, 2, 0 },
    { "proven, but never the writer", "p9", "", "", 1, 2, 0 },
    { "candidates=dns: former and proven do not count", "fp2", "", "", 0, 2, 0 },
    { "candidates=dns: named counts", "n2", "", "", 0, 2, 1 },
    { "of two that pass the one DNS names wins", "fp9", "n2", "", 1, 2, 2 },
    { "even against the present writer", "cfp9", "n2", "", 1, 2, 2 },
    { "but only when it passes", "cfp9", "n1", "", 1, 2, 1 },
    { "the present writer stays among the named", "n2", "nc2", "n2", 1, 2, 2 },
    { "the present writer stays among the former", "fp9", "cfp2", "fp3", 1, 2, 2 },
    { "the present writer without proof is no candidate for a new start", "cf9", "", "", 1, 2, 0 },
    { "no matter how many passes another has", "n9", "nc2", "", 1, 2, 2 },
    { "read-only or dead: nobody", "nc", "n", "fp", 1, 1, 0 },
};

static void add(rf_candidates *all, int i, const char *what, rf_address *current)
{
    rf_address a = address(i);
    rf_candidate *c = *what ? rf_candidates_add(all, &a, 1) : NULL;

    for (; *what; what++) {
        c->named |= *what == 'n';
        c->former |= *what == 'f';
        c->proven |= *what == 'p';
        if (*what == 'c')
            *current = a;
        if (*what >= '0' && *what <= '9')
            c->passes = *what - '0';
    }
}

static void elect(void)
{
    for (size_t i = 0; i < sizeof elections / sizeof elections[0]; i++) {
        rf_policy policy = { .former = elections[i].former };
        rf_candidates all = { 0 };
        rf_address current = { "" }, expected = address(elections[i].writer);
        rf_candidate *c;

        add(&all, 1, elections[i].first, &current);
        add(&all, 2, elections[i].second, &current);
        add(&all, 3, elections[i].third, &current);
        c = rf_candidates_writer(&all, &policy, &current, elections[i].passes);
        is_str(c ? c->address.text : "nobody", elections[i].writer ? expected.text : "nobody", "%s", elections[i].name);
    }
}

static void names(void)
{
    rf_candidates all = { 0 };
    rf_address a = address(1), b = address(2), v6 = { "2001:db8::1" }, same = { "2001:0db8:0:0::1" };
    rf_candidate *c;

    name(&all, 1, 2, 10);
    is_int(all.n, 2, "two addresses");
    c = rf_candidates_find(&all, &a);
    ok(c && c->named && c->due == 10, "a new one is due at once");
    c->passes = 5;
    c->due = 99;
    name(&all, 1, 2, 20);
    c = rf_candidates_find(&all, &a);
    ok(c && c->passes == 5 && c->due == 99 && c->seen == 20, "naming it again changes nothing of it");
    name(&all, 2, 1, 30);
    ok(!rf_candidates_find(&all, &a), "DNS drops it and it never was the writer: it is forgotten");
    rf_candidates_elect(&all, rf_candidates_find(&all, &b));
    name(&all, 1, 1, 40);
    c = rf_candidates_find(&all, &b);
    ok(c && !c->named && c->former, "a former writer is not");
    c = rf_candidates_find(&all, &a);
    c->asked = 41;
    name(&all, 3, 1, 50);
    ok(rf_candidates_find(&all, &a), "nor one whose verdict is due");
    name(&all, 3, 0, 60);
    is_int(rf_candidates_find(&all, &a)->named, 0, "an answer without addresses names none");

    memset(&all, 0, sizeof all);
    rf_candidates_add(&all, &v6, 1);
    ok(rf_candidates_find(&all, &same), "IPv6 is the same in any spelling");
}

static void full_table(void)
{
    rf_candidates all = { 0 };
    rf_address writer = address(99), asked = address(98), old = address(97), more = address(96), first = address(1);
    rf_candidate *c;

    rf_candidates_elect(&all, rf_candidates_add(&all, &writer, 1));
    rf_candidates_add(&all, &asked, 2)->asked = 2;
    rf_candidates_add(&all, &old, 3)->former = 1;
    name(&all, 1, RF_ADDRESSES - 3, 100);
    is_int(all.n, RF_ADDRESSES, "the table is full");
    c = rf_candidates_add(&all, &more, 200);
    ok(c && !rf_candidates_find(&all, &old), "the one unseen for longest makes room");
    ok(rf_candidates_find(&all, &writer) && rf_candidates_find(&all, &asked), "neither the writer nor one whose verdict is due");
    c->named = 1;
    ok(!rf_candidates_add(&all, &old, 300), "where all are needed, none does");

    memset(&all, 0, sizeof all);
    rf_candidates_elect(&all, rf_candidates_add(&all, &writer, 1));
    name(&all, 1, RF_ADDRESSES, 100);
    is_int(all.n, RF_ADDRESSES, "DNS names as many as there is room for");
    ok(rf_candidates_find(&all, &writer), "the writer keeps its place");
    rf_candidates_find(&all, &first)->passes = 3;
    name(&all, 1 - 8, RF_ADDRESSES, 200);
    ok(rf_candidates_find(&all, &first) && rf_candidates_find(&all, &first)->passes == 3,
       "a new address never takes the place of one that is named as well");
}

static void look_anew(void)
{
    rf_candidates all = { 0 };

    name(&all, 1, 3, 10);
    all.list[0].due = 500;
    all.list[1].due = 50;
    all.list[0].passes = all.list[1].passes = 4;
    rf_candidates_look_anew(&all, 100);
    is_int(all.list[0].due, 100, "what was due later is due now");
    is_int(all.list[1].due, 50, "what is overdue stays so");
    is_int(all.list[0].passes + all.list[1].passes, 0, "what passed before proves nothing");
    rf_candidates_elect(&all, &all.list[1]);
    rf_candidates_elect(&all, &all.list[2]);
    ok(!all.list[1].writer && all.list[1].former && all.list[2].writer, "there is one writer, and one that was");
}

static void all_fail(void)
{
    rf_candidates all = { 0 };
    rf_address list[3] = { address(1), address(2), address(9) };

    name(&all, 1, 3, 10);
    ok(!rf_candidates_all_fail(&all, list, 0, 1), "of no address nothing is known");
    ok(!rf_candidates_all_fail(&all, list, 2, 1), "nor of those that were not looked at");
    all.list[0].strikes = 2;
    all.list[0].struck = 20;
    ok(rf_candidates_all_fail(&all, list, 1, 2) == &all.list[0], "one address, and it fails");
    ok(!rf_candidates_all_fail(&all, list, 1, 3), "not often enough");
    ok(!rf_candidates_all_fail(&all, list, 2, 2), "another does not");
    all.list[1].strikes = 3;
    all.list[1].struck = 15;
    ok(rf_candidates_all_fail(&all, list, 2, 2) == &all.list[0], "both do: from when the last one did");
    ok(!rf_candidates_all_fail(&all, list, 3, 2), "one that is no candidate");
    rf_candidates_look_anew(&all, 100);
    ok(!rf_candidates_all_fail(&all, list, 2, 1), "a look at all begins anew");
}

int main(void)
{
    all_fail();
    elect();
    names();
    full_table();
    look_anew();
    return tap_done();
}
