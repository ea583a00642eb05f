/* SPDX-License-Identifier: Apache-2.0 */
#include "rf_io_sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closing ones too: whoever closes with SO_LINGER, or still reads, waits in them. */
#define STATES (1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT | \
                1u << TCP_LAST_ACK | 1u << TCP_CLOSING)
#define ANSWER_ROOM 32768

typedef struct target {
    uint8_t family;
    uint8_t length; /* of the address */
    uint8_t address[16];
    uint16_t port;
} target;

typedef struct held_socket {
    struct inet_diag_sockid id; /* with the cookie: a number that is reused meanwhile is another socket */
    uint8_t family;
    uint32_t inode;
} held_socket;

struct rf_io_sockets {
    unsigned n, room;
    held_socket sockets[];
};

static int open_diag(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* @return bytes of an answer, which is the kernel's; or -errno */
static ssize_t receive(int fd, void *room, size_t size)
{
    struct sockaddr_nl from = { 0 };
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, room, size, MSG_DONTWAIT, (struct sockaddr *)&from, &length);

    if (n < 0)
        return -errno;
    return from.nl_pid == 0 ? n : -EPROTO;
}

/* The kernel walks all sockets of the host; this little program lets it answer with those to one address and port. */
static int ask_list(int fd, const target *t)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
        struct nlattr attribute;
        unsigned char program[sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond) + 16];
    } ask;
    struct inet_diag_bc_op op = { .code = INET_DIAG_BC_D_COND };
    struct inet_diag_hostcond cond = { .family = t->family, .prefix_len = (uint8_t)(t->length * 8), .port = t->port };
    size_t length = sizeof op + sizeof cond + t->length;

    memset(&ask, 0, sizeof ask);
    op.yes = (unsigned char)length;
    op.no = (unsigned short)(length + 4); /* past the end: not this one */
    memcpy(ask.program, &op, sizeof op);
    memcpy(ask.program + sizeof op, &cond, sizeof cond);
    memcpy(ask.program + sizeof op + sizeof cond, t->address, t->length);
    ask.attribute.nla_type = INET_DIAG_REQ_BYTECODE;
    ask.attribute.nla_len = (uint16_t)(sizeof ask.attribute + length);
    ask.request.sdiag_family = t->family;
    ask.request.sdiag_protocol = IPPROTO_TCP;
    ask.request.idiag_states = STATES;
    ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    ask.head.nlmsg_len = (uint32_t)(sizeof ask.head + sizeof ask.request + sizeof ask.attribute + length);
    return send(fd, &ask, ask.head.nlmsg_len, 0) < 0 ? errno : 0;
}

/* The kernel has filtered already; what is destroyed by mistake is worth a second look. */
static int leads_to(const struct inet_diag_msg *m, const target *t)
{
    return m->idiag_family == t->family && m->id.idiag_dport == htons(t->port) && !memcmp(m->id.idiag_dst, t->address, t->length);
}

static void take(rf_io_sockets *list, const struct inet_diag_msg *m)
{
    /* Closed by its process, or that has ended: nobody waits in it. The kernel gets rid of it. */
    if (!m->idiag_inode || list->n == list->room)
        return;
    list->sockets[list->n++] = (held_socket){ .id = m->id, .family = m->idiag_family, .inode = m->idiag_inode };
}

/* @return 0 with what was found added, or an errno */
static int list_sockets(const target *t, rf_io_sockets *list)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_ROOM];
    int fd = open_diag(), error;

    if (fd < 0)
        return errno;
    error = ask_list(fd, t);
    while (!error && list->n < list->room) {
        ssize_t n = receive(fd, answer, sizeof answer);
        const struct nlmsghdr *h = (const struct nlmsghdr *)answer;

        if (n <= 0) {
            error = n ? (int)-n : EPROTO;
            break;
        }
        for (; NLMSG_OK(h, n) && h->nlmsg_type == SOCK_DIAG_BY_FAMILY; h = NLMSG_NEXT(h, n)) {
            const struct inet_diag_msg *m = NLMSG_DATA(h);
            if (h->nlmsg_len >= NLMSG_LENGTH(sizeof *m) && leads_to(m, t))
                take(list, m);
        }
        if (!NLMSG_OK(h, n))
            continue;
        if (h->nlmsg_type == NLMSG_ERROR)
            error = h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) ? -((const struct nlmsgerr *)NLMSG_DATA(h))->error : EPROTO;
        break;
    }
    close(fd);
    return error;
}

/* @return 0, or the errno that the kernel answered */
static int destroy_one(int fd, const held_socket *s)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
    } ask = { .head = { .nlmsg_len = sizeof ask, .nlmsg_type = SOCK_DESTROY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
              .request = { .sdiag_family = s->family, .sdiag_protocol = IPPROTO_TCP, .id = s->id } };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    ssize_t n;

    if (send(fd, &ask, sizeof ask, 0) < 0)
        return errno;
    n = receive(fd, &answer, sizeof answer);
    if (n < 0)
        return (int)-n;
    if ((size_t)n < NLMSG_LENGTH(sizeof answer.error) || answer.head.nlmsg_type != NLMSG_ERROR)
        return EPROTO;
    return -answer.error.error;
}

static unsigned make_targets(const rf_address *address, uint16_t port, target ret_targets[2])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    target four = { .family = AF_INET, .length = 4, .port = port }, six = { .family = AF_INET6, .length = 16, .port = port };

    if (inet_pton(AF_INET, address->text, four.address) == 1) {
        memcpy(six.address, mapped, sizeof mapped);
        memcpy(six.address + 12, four.address, 4);
    } else if (inet_pton(AF_INET6, address->text, six.address) != 1) {
        return 0;
    } else if (memcmp(six.address, mapped, sizeof mapped)) {
        ret_targets[0] = six;
        return 1;
    } else {
        memcpy(four.address, six.address + 12, 4);
    }
    ret_targets[0] = four;
    ret_targets[1] = six;
    return 2;
}

rf_io_sockets *rf_io_sockets_new(unsigned most)
{
    rf_io_sockets *list = malloc(sizeof *list + most * sizeof list->sockets[0]);

    if (list) {
        list->n = 0;
        list->room = most;
    }
    return list;
}

void rf_io_sockets_free(rf_io_sockets *list)
{
    free(list);
}

int rf_io_sockets_add(rf_io_sockets *list, const rf_address *address, uint16_t port)
{
    target targets[2];
    unsigned ntargets = make_targets(address, port, targets), i;
    int error = ntargets ? 0 : EINVAL;

    for (i = 0; !error && i < ntargets; i++) {
        error = list_sockets(&targets[i], list);
        /* A kernel without IPv6 has no sockets of that kind either. */
        if (error == ENOENT && i == 1)
            error = 0;
    }
    return error;
}

void rf_io_sockets_spare(rf_io_sockets *list, uint32_t inode)
{
    unsigned i;

    for (i = 0; i < list->n; i++) {
        if (list->sockets[i].inode == inode)
            list->sockets[i--] = list->sockets[--list->n];
    }
}

unsigned rf_io_sockets_count(const rf_io_sockets *list)
{
    return list->n;
}

int rf_io_sockets_destroy(const rf_io_sockets *list, rf_io_sockets_end *ret_end)
{
    int fd = open_diag();
    unsigned i;

    memset(ret_end, 0, sizeof *ret_end);
    if (fd < 0)
        return errno;
    for (i = 0; i < list->n && !ret_end->refused; i++) {
        int error = destroy_one(fd, &list->sockets[i]);

        if (!error)
            ret_end->destroyed++;
        else if (error == ENOENT || error == EOPNOTSUPP) /* the second of one in TIME_WAIT */
            ret_end->gone++;
        else
            ret_end->refused = error;
    }
    close(fd);
    return 0;
}

int rf_io_sockets_able(void)
{
    /* From nowhere to nowhere. A kernel that can answers that there is no such socket. */
    const held_socket nowhere = { .family = AF_INET };
    int fd = open_diag(), error;

    if (fd < 0)
        return errno;
    error = destroy_one(fd, &nowhere);
    close(fd);
    return error == ENOENT ? 0 : error;
}

int rf_io_sockets_own(uint32_t *ret_inodes, unsigned room)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    unsigned n = 0;

    if (!dir)
        return -1;
    while ((entry = readdir(dir))) {
        struct stat status;

        if (fstat(atoi(entry->d_name), &status) == 0 && S_ISSOCK(status.st_mode) && entry->d_name[0] != '.' && n++ < room)
            ret_inodes[n - 1] = (uint32_t)status.st_ino;
    }
    closedir(dir);
    return (int)n;
}
