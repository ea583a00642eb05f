/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: what is accepted as one, what is in force after it, and that everything ends by itself. */
#include "rf_order.h"
#include "tap.h"

#define NOW RF_SEC(1000)

static const struct {
    const char *action, *ttl;
    rf_order_action order; /* RF_ORDER_NONE: refused */
    int lasts;             /* seconds */
    const char *says;      /* part of the refusal */
} forms[] = {
    { "arm", NULL, RF_ORDER_ARM, 600, NULL },
    { "hold", NULL, RF_ORDER_HOLD, 120, NULL },
    { "disarm", NULL, RF_ORDER_DISARM, 0, NULL },
    { "release", NULL, RF_ORDER_RELEASE, 0, NULL },
    { "arm", "1", RF_ORDER_ARM, 1, NULL },
    { "hold", "3600", RF_ORDER_HOLD, 3600, NULL },
    { "hold", "0060", RF_ORDER_HOLD, 60, NULL },
    { "hold", "0", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "3601", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "99999999999999999999", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "-1", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "1.5", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "60s", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "hold", "", RF_ORDER_NONE, 0, "from 1 to 3600" },
    { "release", "60", RF_ORDER_NONE, 0, "release is done at once" },
    { "disarm", "60", RF_ORDER_NONE, 0, "disarm is done at once" },
    { "none", NULL, RF_ORDER_NONE, 0, "arm, disarm, hold and release are" },
    { "Hold", NULL, RF_ORDER_NONE, 0, "action=Hold" },
    { "hold ", NULL, RF_ORDER_NONE, 0, "arm, disarm, hold and release are" },
    { "", NULL, RF_ORDER_NONE, 0, "arm, disarm, hold and release are" },
    { NULL, "60", RF_ORDER_NONE, 0, "arm, disarm, hold and release are" },
};

static void reading(void)
{
    char error[200];

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const rf_order_form form = { .action = forms[i].action, .ttl = forms[i].ttl };
        const char *name = forms[i].action ? forms[i].action : "(none)", *ttl = forms[i].ttl ? forms[i].ttl : "(none)";
        rf_order order = { .action = 77 };
        int read = rf_order_read(&form, NOW, &order, error, sizeof error);

        is_int(read, forms[i].order != RF_ORDER_NONE, "action %s, ttl %s: %s", name, ttl, read ? "accepted" : error);
        if (forms[i].says)
            ok(strstr(error, forms[i].says), "and it says \"%s\"", forms[i].says);
        if (!read)
            continue;
        is_int(order.action, forms[i].order, "as what it is");
        is_int(order.until, forms[i].lasts ? NOW + RF_SEC(forms[i].lasts) : 0, "for %d s", forms[i].lasts);
        ok(rf_order_sane(&order), "which is sane");
    }
}

static void fields(void)
{
    rf_order_form form = { 0 };
    char error[200], tiny[5];

    ok(rf_order_field(&form, "action", "hold", error, sizeof error) && rf_order_field(&form, "ttl", "5", error, sizeof error) &&
       rf_order_field(&form, "database", "", error, sizeof error), "three fields");
    is_str(form.action, "hold", "the action");
    is_str(form.ttl, "5", "its time");
    is_str(form.database, "", "an empty one is given all the same");
    ok(!rf_order_field(&form, "ttl", "6", error, sizeof error), "none is given twice");
    is_str(error, "ttl= is given twice", "which is said");
    is_str(form.ttl, "5", "the first stays");
    ok(!rf_order_field(&form, "Action", "arm", error, sizeof error) && strstr(error, "\"Action\""), "another is none of ours");
    ok(!rf_order_field(&form, "a key that is much longer than anything that we would ever repeat to anybody", "", tiny, sizeof tiny),
       "nor a long one");
    is_int(strlen(tiny), sizeof tiny - 1, "and the sentence is cut where its room ends");
}

static rf_order make(rf_order_action action, int lasts, const char *by)
{
    rf_order order = { .action = action, .until = lasts ? NOW + RF_SEC(lasts) : 0 };

    snprintf(order.by, sizeof order.by, "%s", by);
    return order;
}

static void take(rf_orders *orders, rf_order_action action, int lasts, const char *by, rf_time now)
{
    rf_order order = make(action, lasts, by);

    rf_orders_take(orders, &order, now);
}

/* What is shown, as "hold alice 60". */
static const char *shown(const rf_orders *orders, rf_time now)
{
    static char text[120];
    const char *by = "";
    rf_time until = 0;
    rf_order_action action = rf_orders_shown(orders, now, &until, &by);

    snprintf(text, sizeof text, "%s", rf_order_text(action));
    if (action != RF_ORDER_NONE)
        snprintf(text, sizeof text, "%s %s %d", rf_order_text(action), by, (int)((until - NOW) / 1000000));
    return text;
}

static void in_force(void)
{
    rf_orders orders = { 0 };

    is_str(shown(&orders, NOW), "none", "nothing is ordered");
    is_int(rf_orders_expire(&orders, NOW), RF_ORDER_NONE, "nothing ends");
    take(&orders, RF_ORDER_RELEASE, 0, "eve", NOW);
    is_int(orders.hold_ended, 0, "what was not held is not let go");
    take(&orders, RF_ORDER_ARM, 600, "alice", NOW);
    is_str(shown(&orders, NOW), "arm alice 600", "armed");
    take(&orders, RF_ORDER_HOLD, 60, "bob", NOW);
    is_str(shown(&orders, NOW), "hold bob 60", "a hold is shown before that");
    take(&orders, RF_ORDER_HOLD, 30, "carol", NOW);
    is_str(shown(&orders, NOW), "hold carol 30", "the later hold counts, shorter or not");
    is_str(shown(&orders, NOW + RF_SEC(30)), "arm alice 600", "its time is over by whoever's clock");
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(30) - 1), RF_ORDER_NONE, "not before it is over");
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(30)), RF_ORDER_HOLD, "the hold ends");
    is_int(orders.hold_ended, NOW + RF_SEC(30), "then");
    is_int(orders.hold_until, 0, "for good");
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(30)), RF_ORDER_NONE, "once");
    take(&orders, RF_ORDER_HOLD, 60, "bob", NOW);
    take(&orders, RF_ORDER_RELEASE, 0, "bob", NOW + RF_SEC(40));
    is_int(orders.hold_ended, NOW + RF_SEC(40), "a release ends it too");
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(61)), RF_ORDER_NONE, "it does not end again");
    is_str(shown(&orders, NOW + RF_SEC(61)), "arm alice 600", "still armed: a release is no disarming");
    take(&orders, RF_ORDER_DISARM, 0, "bob", NOW);
    is_str(shown(&orders, NOW), "none", "disarmed");
    take(&orders, RF_ORDER_ARM, 10, "alice", NOW);
    take(&orders, RF_ORDER_HOLD, 10, "alice", NOW);
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(10)), RF_ORDER_HOLD, "both end at once: one");
    is_int(rf_orders_expire(&orders, NOW + RF_SEC(10)), RF_ORDER_ARM, "and the other");
    take(&orders, RF_ORDER_NONE, 10, "alice", NOW);
    is_str(shown(&orders, NOW), "none", "no order changes nothing");
}

static void sanity(void)
{
    rf_order order = make(RF_ORDER_HOLD, 60, "alice");

    ok(rf_order_sane(&order), "an order");
    order.action = 5;
    ok(!rf_order_sane(&order), "of no kind that is known");
    order.action = RF_ORDER_NONE;
    ok(!rf_order_sane(&order), "or of none");
    order = make(RF_ORDER_HOLD, 60, "alice");
    order.until = -1;
    ok(!rf_order_sane(&order), "that ends before all time");
    order = make(RF_ORDER_HOLD, 60, "alice");
    memset(order.by, 'x', sizeof order.by);
    ok(!rf_order_sane(&order), "by somebody without an end");
    is_str(rf_order_text((rf_order_action)99), "none", "an action that does not exist has a name");
}

int main(void)
{
    reading();
    fields();
    in_force();
    sanity();
    return tap_done();
}
