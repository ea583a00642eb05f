/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mod_rdsfailover_life.c
 * @brief The life of the board and of the monitor process across start, graceful restart and stop.
 *
 * Layer: glue.
 *
 * The board, the wake-up descriptor and the pipe for orders are made once, in the process pool, and inherited by every process. The monitor is
 * forked by the parent in post_config. At a graceful restart the new one is started first and the old one killed then: the
 * gap is a few milliseconds. If it dies it is started again. It dies with the parent (PR_SET_PDEATHSIG).
 *
 * Three rules that cost others days:
 * - Callbacks of ours may be registered in pconf only. The process pool outlives this module's code, which httpd unloads.
 * - An apr_proc_t that APR knows about must never hold pid 0 or -1: destroying its pool would signal every process. NO_PID
 *   stands for "none".
 * - APR may take a stopped child for a dead one, so it is killed here, by hand, and not left to a pool.
 */
#include "mod_rdsfailover.h"

#include <ap_listen.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <http_core.h>
#include <http_log.h>
#include <limits.h>
#include <mpm_common.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rf_io_caps.h"

APLOG_USE_MODULE(rdsfailover);

#define NO_PID INT_MAX
#define LIFE_KEY "mod_rdsfailover:life:2" /* the number changes with struct life */
/* A monitor that dies at once is not started more often than this. */
#define RESTART_PAUSE RF_SEC(1)

/* In the process pool: what survives restarts. */
struct life {
    void *memory;
    int wake_fd;
    int order_fds[2];
    apr_proc_t monitor;
    rf_time started; /* when `monitor` was */
};

static struct life *life;
static server_rec *main_server;
static rf_board *board;
static apr_array_header_t *databases;
static const char *prober_path;
static int child_cell = -1;

rf_board *rf_life_board(void)
{
    return board;
}

int rf_life_child(void)
{
    return child_cell;
}

const apr_array_header_t *rf_life_databases(void)
{
    return databases;
}

void rf_life_wake_monitor(void)
{
    uint64_t one = 1;

    if (life && write(life->wake_fd, &one, sizeof one) < 0) {
        /* The counter is full: the monitor has been told often enough. */
    }
}

int rf_life_send_order(const rf_order *order)
{
    /* As small as this it is written whole or not at all. */
    _Static_assert(sizeof *order <= _POSIX_PIPE_BUF, "an order must be written in one piece");
    if (!life || write(life->order_fds[1], order, sizeof *order) != (ssize_t)sizeof *order)
        return 0;
    rf_life_wake_monitor();
    return 1;
}

int rf_life_receive_order(rf_order *ret_order)
{
    return read(life->order_fds[0], ret_order, sizeof *ret_order) == (ssize_t)sizeof *ret_order && rf_order_sane(ret_order);
}

static rf_board *map_board(server_rec *s)
{
    void *memory = mmap(NULL, rf_board_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, errno, s, "RF0202: no shared memory for the board (%" APR_SIZE_T_FMT " bytes). Requests are not protected",
                     rf_board_size());
        return NULL;
    }
    life->memory = memory;
    return rf_board_init(memory);
}

static int take_board(server_rec *s)
{
    apr_pool_t *process = s->process->pool;
    void *data = NULL;

    apr_pool_userdata_get(&data, LIFE_KEY, process);
    life = data;
    if (!life) {
        life = apr_pcalloc(process, sizeof *life);
        life->monitor.pid = NO_PID;
        life->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (life->wake_fd < 0 || pipe2(life->order_fds, O_NONBLOCK | O_CLOEXEC) != 0) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, errno, s, "RF0203: no descriptor to reach the monitor. Requests are not protected");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        /* Not _setn: it would keep the address of a key that goes when httpd unloads this module. */
        apr_pool_userdata_set(life, LIFE_KEY, apr_pool_cleanup_null, process);
        apr_pool_note_subprocess(process, &life->monitor, APR_KILL_ALWAYS);
    }
    board = life->memory ? rf_board_init(life->memory) : NULL;
    if (!board)
        board = map_board(s);
    return board ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* The prober is installed beside the module; its folder is asked of the loader, so that a staged copy finds its own. */
static const char *find_prober(apr_pool_t *p, server_rec *s)
{
    Dl_info self;
    char *path, *slash;

    if (!dladdr(&rdsfailover_module, &self) || !self.dli_fname)
        return NULL;
    path = apr_pstrdup(p, self.dli_fname);
    slash = strrchr(path, '/');
    path = apr_pstrcat(p, slash ? apr_pstrmemdup(p, path, (apr_size_t)(slash - path + 1)) : "", "rdsfailover-prober", NULL);
    if (access(path, X_OK) != 0)
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, s,
                     "RF0204: the prober %s cannot be executed; until it can, the state stays unknown and requests pass", path);
    return path;
}

/* --- in the new process ------------------------------------------------------------------------------------------------- */

static void close_listeners(void)
{
    int fd, most = (int)sysconf(_SC_OPEN_MAX), listens;
    socklen_t size;

    /* Not only ap_listeners: other modules' too. Log descriptors stay open. */
    for (fd = 3; fd < (most > 0 && most < 4096 ? most : 4096); fd++) {
        size = sizeof listens;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
            close(fd);
    }
    ap_close_listeners();
}

static void end_quietly(int sig)
{
    _exit(0);
}

static void reset_signals(const sigset_t *mask)
{
    int sig;

    for (sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    signal(SIGTERM, end_quietly);
    signal(SIGINT, end_quietly);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGWINCH, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

static int is_there(pid_t pid)
{
    return pid != NO_PID && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* A sequence lock has one writer: the parent is about to kill and reap the monitor before this one. If it does not come to that, this
 * one goes, the other goes on, and the parent starts a new one once it is itself again. @return 1 if `before` has ended */
static int await_end(pid_t before)
{
    int ms;

    for (ms = 0; ms < 2000 && is_there(before); ms++)
        apr_sleep(RF_MS(1));
    return !is_there(before);
}

static void be_monitor(apr_pool_t *pconf, server_rec *s, const sigset_t *mask, pid_t parent, pid_t before, rf_time pause)
{
    reset_signals(mask);
    close_listeners();
    if (pause)
        apr_sleep(pause);
    prctl(PR_SET_NAME, "rds-monitor");
    rf_io_caps_before(rf_sockets_wanted(databases));
    if (ap_run_drop_privileges(pconf, s) != 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "RF0205: the monitor cannot drop its privileges");
        _exit(1);
    }
    rf_sockets_begin(s, databases, rf_io_caps_after(rf_sockets_wanted(databases)));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* After the change of user, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    if (!await_end(before))
        _exit(1);
    rf_supervisor_run(s, board, databases, prober_path, life->wake_fd);
    _exit(0);
}

/* --- in the parent -------------------------------------------------------------------------------------------------------- */

static void maintain(int reason, void *data, apr_wait_t status);

/* @param before the monitor that runs until this one takes over, or NO_PID @param again the one before died @return 1 if it runs */
static int start_monitor(apr_pool_t *pconf, server_rec *s, pid_t before, int again)
{
    rf_time now = rf_clock_now();
    rf_time pause = again && now - life->started < RF_SEC(2) ? RESTART_PAUSE : 0;
    pid_t parent = getpid(), pid;
    sigset_t all, mask;

    /* Between fork and reset the MPM's handlers would run in the new process and swallow a SIGTERM meant for it. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    pid = fork();
    if (pid == 0)
        be_monitor(pconf, s, &mask, parent, before, pause);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, s, "RF0206: the monitor cannot be started; trying again");
        return 0;
    }
    life->started = now;
    life->monitor.pid = pid;
    rf_board_monitor_started(board, (int32_t)pid, again);
    apr_proc_other_child_register(&life->monitor, maintain, life, NULL, pconf);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "RF0207: monitor started, pid %d", (int)pid);
    return 1;
}

static void maintain(int reason, void *data, apr_wait_t status)
{
    server_rec *s = main_server;
    int mpm_state = AP_MPMQ_STARTING;

    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        apr_proc_other_child_unregister(data);
        life->monitor.pid = NO_PID;
        if (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state) == APR_SUCCESS && mpm_state == AP_MPMQ_STOPPING)
            return;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "RF0208: the monitor died (wait status %d); starting another", (int)status);
        start_monitor(s->process->pconf, s, NO_PID, 1);
        break;
    case APR_OC_REASON_RESTART:
        /* It goes on watching until the new generation's monitor takes over in post_config. */
        apr_proc_other_child_unregister(data);
        break;
    case APR_OC_REASON_UNREGISTER:
        /* The configuration is read again; unregistering above ends here too. If this module is not in it any more, nobody will
         * end the monitor. */
        rf_board_monitor_forgotten(board, rf_clock_now());
        break;
    default:
        break;
    }
}

static void end_monitor(pid_t pid)
{
    /* If it is no child of ours any more, the number may be somebody else's by now. */
    if (pid != NO_PID && waitpid(pid, NULL, WNOHANG) == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

int rf_life_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    pid_t old;

    /* httpd reads its configuration twice at start. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    /* Without shared memory the site is as good as without this module, and that is better than no site. */
    if (take_board(s) != OK)
        return OK;
    main_server = s;
    databases = rf_databases_build(pconf, ptemp, s, board);
    if (!databases)
        return HTTP_INTERNAL_SERVER_ERROR;
    old = life->monitor.pid;
    if (databases->nelts == 0) {
        end_monitor(old);
        life->monitor.pid = NO_PID;
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "RF0213: no database to watch: set RDSFailoverDSN, DATABASE_URL or RDS_HOSTNAME. Requests are not protected");
        return OK;
    }
    rf_limits_read(s);
    prober_path = find_prober(pconf, s);
    if (start_monitor(pconf, s, old, 0)) {
        end_monitor(old);
    } else if (old != NO_PID) {
        /* An old monitor is better than none. */
        rf_board_monitor_forgotten(board, 0);
        apr_proc_other_child_register(&life->monitor, maintain, life, NULL, pconf);
    }
    return OK;
}

int rf_life_monitor(apr_pool_t *p, server_rec *s)
{
    if (life && databases && databases->nelts && life->monitor.pid == NO_PID)
        start_monitor(s->process->pconf, main_server, NO_PID, 1);
    return DECLINED;
}

/* --- in the children ------------------------------------------------------------------------------------------------------- */

void rf_life_child_init(apr_pool_t *pchild, server_rec *s)
{
    if (!board)
        return;
    child_cell = rf_board_child_join(board, (int32_t)getpid());
    if (child_cell < 0)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "RF0214: more than %d processes; this one holds no requests",
                     RF_BOARD_CHILDREN);
}

void rf_life_child_stopping(apr_pool_t *pchild, int graceful)
{
    if (board && child_cell >= 0)
        rf_board_child_stops(board, child_cell);
}

/* In the parent. */
void rf_life_child_status(server_rec *s, pid_t pid, ap_generation_t gen, int slot, mpm_child_status state)
{
    uint64_t lost;

    if (!board || state != MPM_CHILD_EXITED)
        return;
    lost = rf_board_child_gone(board, (int32_t)pid);
    if (lost)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "RF0215: process %d ended with %" APR_UINT64_T_FMT " requests waiting",
                     (int)pid, (apr_uint64_t)lost);
}
