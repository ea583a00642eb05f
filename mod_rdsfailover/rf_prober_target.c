/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_prober_target.c
 * @brief When to give a verdict and when to give up, which are not the same.
 *
 * A login that a server took up and does not finish is left pending beyond its verdict: aborted logins get this host blocked
 * for the application too (1129), and the one that is pending is answered the moment a stopped server goes on. What was never
 * taken up (no TCP yet) and a question on a kept connection is aborted at once.
 */
#include "rf_prober_target.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* By then the server's side of it has been given up by everybody else as well. */
#define RF_PENDING_MAX RF_SEC(10)
/* Servers block a host after 100 such logins in a row unless told otherwise; with these a day has fewer than 3000, and the
 * application's successful logins set the count back. */
#define RF_SPOILED_FREE 3
#define RF_REST_MAX RF_SEC(30)

rf_time rf_prober_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return RF_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

static void drop(rf_target *target)
{
    rf_link_close(target->link);
    target->link = NULL;
    target->asked = 0;
}

static void count_spoiled(rf_target *target, const rf_sample *sample, rf_time now)
{
    unsigned over;

    if (sample->was_login)
        target->spoiled = 0;
    if (!rf_link_spoiled(target->link))
        return;
    target->spoiled++;
    if (target->spoiled <= RF_SPOILED_FREE)
        return;
    over = target->spoiled - RF_SPOILED_FREE;
    target->rest_until = now + (over < 5 ? RF_SEC(1u << over) : RF_REST_MAX);
    target->last = *sample;
}

static void pass_on(rf_target *target, rf_time now, rf_say *say)
{
    const rf_sample *news = rf_link_news(target->link);
    rf_sample sample;

    if (news) {
        sample = *news;
        if (sample.kind == RF_SAMPLE_PROBE) {
            count_spoiled(target, &sample, now);
            sample.ticket = target->ticket;
            sample.rtt = rf_prober_now() - target->began;
        } else if (target->asked) {
            sample.kind = RF_SAMPLE_PROBE; /* it broke while we asked: one verdict says both */
            sample.ticket = target->ticket;
            sample.rtt = rf_prober_now() - target->began;
        }
        target->asked = 0;
        say(&sample);
    }
    if (rf_link_where(target->link) == RF_LINK_CLOSED)
        drop(target);
}

static void verdict(const rf_target *target, rf_cause cause, const char *text, int pending, rf_say *say)
{
    rf_sample sample;

    memset(&sample, 0, sizeof sample);
    sample.kind = RF_SAMPLE_PROBE;
    sample.ticket = target->ticket;
    sample.address = target->address;
    sample.cause = cause;
    sample.pending = pending;
    snprintf(sample.text, sizeof sample.text, "%s", text);
    say(&sample);
}

void rf_target_probe(rf_target *target, const rf_dsn *dsn, uint32_t ticket, rf_time timeout, rf_time now, rf_say *say)
{
    target->used = now;
    target->ticket = ticket;
    if (target->asked)
        return;
    if (!target->link && now < target->rest_until) {
        target->last.ticket = ticket;
        say(&target->last);
        return;
    }
    target->asked = 1;
    target->timeout = timeout;
    target->began = rf_prober_now();
    target->deadline = now + timeout;
    target->kept = target->link != NULL;
    if (target->link)
        rf_link_ask(target->link);
    else
        target->link = rf_link_open(dsn, &target->address);
    if (target->link) {
        pass_on(target, now, say);
    } else {
        target->asked = 0;
        verdict(target, RF_CAUSE_OTHER, "the prober is out of memory", 0, say);
    }
}

void rf_target_ready(rf_target *target, int revents, rf_time now, rf_say *say)
{
    rf_link_ready(target->link, revents);
    pass_on(target, now, say);
}

void rf_target_tick(rf_target *target, rf_time now, rf_say *say)
{
    const char *text = "no answer to the connection request";
    int pending = 0;

    if (!target->asked || now < target->deadline)
        return;
    if (rf_link_where(target->link) != RF_LINK_CONNECTING) {
        text = rf_link_where(target->link) == RF_LINK_LOGIN ? "connected, but the server does not get on with the login"
                                                            : "logged in, but the server does not answer a question";
        /* A new login is seen through to its answer: a server that goes on is slow at first. */
        pending = !target->kept && now - target->began < RF_PENDING_MAX;
    }
    verdict(target, RF_CAUSE_TIMEOUT, text, pending, say);
    if (!pending) {
        drop(target);
        return;
    }
    target->deadline += target->timeout;
    if (target->deadline <= now)
        target->deadline = now + target->timeout;
}

void rf_target_forget(rf_target *target)
{
    drop(target);
    memset(target, 0, sizeof *target);
}
