/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_report_html_control.c
 * @brief What operators have ordered, and the buttons for those who may. The buttons need the script, which sends the header that
 * an order must carry; without it they are not shown.
 *
 * Layer: core.
 */
#include <inttypes.h>

#include "rf_report_html.h"

static void put_until(FILE *out, const rf_report *report, const rf_report_ordered *order)
{
    fputs(" by <bdi>", out);
    rf_html_text_or_dash(out, order->by);
    fputs("</bdi> until ", out);
    rf_html_moment(out, report, order->until);
}

void rf_html_order_tags(FILE *out, const rf_report *report, const rf_report_database *db)
{
    rf_report_ordered order;
    int ordered = rf_report_order(report, db, &order);

    if (ordered && order.action == RF_ORDER_HOLD) {
        fputs("<li class=\"armed\">On hold", out);
        put_until(out, report, &order);
        putc('\n', out);
    }
    fputs(db->snapshot.brief.armed ? "<li class=\"armed\">Armed: an outage is expected" : "<li>Not armed", out);
    if (ordered && order.action == RF_ORDER_ARM) {
        fputs(",", out);
        put_until(out, report, &order);
    }
    putc('\n', out);
}

void rf_html_order_note(FILE *out, const rf_report *report, const rf_report_database *db)
{
    rf_report_ordered order;

    if (!rf_report_order(report, db, &order) || order.action != RF_ORDER_HOLD)
        return;
    fprintf(out, "<p class=\"note %s\"><strong>Requests are held by order</strong>, whatever the state. ",
            order.drained ? "drained" : "order");
    if (order.drained) {
        fputs("<strong>Nothing runs any more</strong> on this host.</p>\n", out);
        return;
    }
    fputs("Still running on this host: <span data-v=\"hold.inflight\">", out);
    rf_html_count(out, db->inflight);
    fputs("</span>.</p>\n", out);
}

static void put_button(FILE *out, rf_order_action action, const char *name, const char *question)
{
    fprintf(out, "<button name=\"action\" value=\"%s\" data-question=\"%s\">%s</button>", rf_order_text(action), question, name);
}

/** Each kind of order has a form of its own: they end by themselves, after different times. */
static void begin_form(FILE *out, const rf_report *report, const rf_report_database *db)
{
    fprintf(out, "<form method=\"post\" action=\"%shtml\"><input type=\"hidden\" name=\"database\" value=\"", rf_html_ask(report));
    rf_html_text(out, db->name);
    fputs("\">", out);
}

static void put_times(FILE *out, const char *options)
{
    fprintf(out, "<label>for <select name=\"ttl\">%s</select></label>", options);
}

void rf_html_control(FILE *out, const rf_report *report, unsigned i)
{
    const rf_report_database *db = &report->databases[i];

    if (!report->control)
        return;
    fprintf(out, "<section class=\"part card control\" id=\"db-%u-control\">\n<h3>Control</h3>\n<div>\n", i);
    begin_form(out, report, db);
    put_button(out, RF_ORDER_ARM, "Arm", "Expect an outage? The database is then probed at the fast pace; no request is held for it.");
    put_times(out, "<option value=\"300\">5 min<option value=\"600\" selected>10 min<option value=\"3600\">1 h");
    put_button(out, RF_ORDER_DISARM, "Disarm", "Expect no outage any more?");
    fputs("</form>\n", out);
    begin_form(out, report, db);
    put_button(out, RF_ORDER_HOLD, "Hold", "Hold all protected requests on this host? Visitors wait until you release them, or the time is over.");
    put_times(out, "<option value=\"30\">30 s<option value=\"60\">1 min<option value=\"120\" selected>2 min<option value=\"600\">10 min");
    put_button(out, RF_ORDER_RELEASE, "Release", "Release what is held by order?");
    fputs("</form>\n</div>\n<p class=\"small\">On hold, new requests wait while those that run finish; they go on by themselves after that "
          "time. Every order is logged with your name, and counts for this host.</p>\n</section>\n",
          out);
}
