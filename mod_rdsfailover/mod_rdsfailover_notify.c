/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_notify.c
 * @brief Running RDSFailoverNotify's commands. See mod_rdsfailover_notify.h.
 *
 * Layer: glue. rf_notify.c says what is told, and how.
 *
 * Each command leads a process group of its own, and is reaped by its number: a process that has ended keeps that number until then, so
 * that what it left behind can be killed by group without hitting anybody else. If the monitor is replaced meanwhile (a graceful
 * restart), nobody looks after the command any more; an alarm that outlives the exec ends it then.
 */
#include "mod_rdsfailover_notify.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <errno.h>
#include <fcntl.h>
#include <http_log.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rf_notify.h"

APLOG_USE_MODULE(rdsfailover);

#define LOOK RF_MS(250)

typedef struct command {
    pid_t pid; /* 0: this place is free */
    rf_time ends;
    const rf_database *db;
} command;

static command commands[RF_NOTIFY_AT_ONCE];

/* In the new process: only async-signal-safe calls. */
static void become_command(char *const *argv, char *const *env)
{
    int nothing = open("/dev/null", O_RDWR), sig;
    sigset_t none;

    setpgid(0, 0);
    for (sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(nothing, 0);
    dup2(2, 1);
    closefrom(3);
    alarm((unsigned)(RF_NOTIFY_PATIENCE / RF_SEC(1)) + 1);
    execve(argv[0], argv, env);
    _exit(127);
}

static void run(command *c, const rf_database *db, rf_notify_env *env, rf_time now)
{
    char *envp[RF_NOTIFY_VARIABLES + 2], path[4096];
    const char *inherited = getenv("PATH");
    unsigned i;

    for (i = 0; i < env->n; i++)
        envp[i] = env->variables[i];
    apr_snprintf(path, sizeof path, "PATH=%s", inherited ? inherited : "/usr/local/bin:/usr/bin:/bin");
    envp[i++] = path;
    envp[i] = NULL;

    c->pid = fork();
    if (c->pid == 0)
        become_command(db->notify, envp);
    if (c->pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, db->server, "RF0304: %s: %s cannot be started", db->name, db->notify[0]);
        c->pid = 0;
        return;
    }
    /* Here as well: it may be killed before it has come to that itself. */
    setpgid(c->pid, c->pid);
    c->db = db;
    c->ends = now + RF_NOTIFY_PATIENCE;
}

static command *free_place(void)
{
    int i;

    for (i = 0; i < RF_NOTIFY_AT_ONCE; i++) {
        if (!commands[i].pid)
            return &commands[i];
    }
    return NULL;
}

void rf_notify_published(const rf_database *db, rf_brief *told, const rf_snapshot *snapshot, rf_time now)
{
    rf_notify_facts facts = { .event = rf_notify_event_of(told, &snapshot->brief), .from = (rf_state_name)told->state };
    char host[256] = "";
    rf_notify_env env;
    command *c;

    *told = snapshot->brief;
    if (facts.event == RF_NOTIFY_NOTHING || !db->notify)
        return;
    rf_notify_tick(now);
    c = free_place();
    if (!c) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, db->server, "RF0307: %s: %d commands of RDSFailoverNotify still run; that the state is %s "
                     "is told to nobody", db->name, RF_NOTIFY_AT_ONCE, rf_state_text((rf_state_name)snapshot->brief.state));
        return;
    }
    gethostname(host, sizeof host - 1);
    facts.database = db->name;
    facts.endpoint = db->dsn.host;
    facts.port = db->dsn.port;
    facts.host = host;
    facts.snapshot = snapshot;
    facts.wall = apr_time_now();
    rf_notify_environment(&facts, &env);
    run(c, db, &env, now);
}

static void say_end(const command *c, const siginfo_t *end, int late)
{
    const char *path = c->db->notify[0];

    if (late)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->db->server, "RF0306: %s: %s did not end within %d s and was killed", c->db->name, path,
                     (int)(RF_NOTIFY_PATIENCE / RF_SEC(1)));
    else if (end->si_code != CLD_EXITED || end->si_status != 0)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->db->server, "RF0305: %s: %s %s %d%s", c->db->name, path,
                     end->si_code == CLD_EXITED ? "ended with status" : "was ended by signal", end->si_status,
                     end->si_code == CLD_EXITED && end->si_status == 127 ? ": it, or something it runs, cannot be executed" : "");
}

rf_time rf_notify_tick(rf_time now)
{
    rf_time next = RF_TIME_NEVER;
    int i;

    for (i = 0; i < RF_NOTIFY_AT_ONCE; i++) {
        command *c = &commands[i];
        siginfo_t end = { 0 };
        int late = now >= c->ends;

        if (!c->pid)
            continue;
        if (late)
            kill(-c->pid, SIGKILL);
        if (waitid(P_PID, (id_t)c->pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid == c->pid) {
            kill(-c->pid, SIGKILL);
            waitpid(c->pid, NULL, WNOHANG);
            say_end(c, &end, late);
            c->pid = 0;
        } else {
            next = now + LOOK;
        }
    }
    return next;
}
