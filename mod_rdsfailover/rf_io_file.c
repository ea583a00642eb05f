/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rf_io_file.c
 * @brief Reads NAME_FILE files. See rf_io_file.h.
 *
 * Layer: adapter.
 */
#include "rf_io_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *get_env(void *ctx, const char *name)
{
    return getenv(name);
}

static const char *fail(rf_io_file *file, int error)
{
    snprintf(file->error, sizeof(file->error), "cannot be read: %s", strerror(error));
    return file->error;
}

/** Read up to `size` bytes. @return how many, or -1 with errno */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = read(fd, buf + n, size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static const char *read_open(rf_io_file *file, int fd, char *buf, size_t size)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return fail(file, errno);
    if (!S_ISREG(st.st_mode))
        return "is not a regular file";
    if ((n = read_all(fd, buf, size)) < 0)
        return fail(file, errno);
    if ((size_t)n == size) {
        snprintf(file->error, sizeof(file->error), "is larger than %zu bytes", size - 1);
        return file->error;
    }
    if (n > 0 && buf[n - 1] == '\n')
        n--;
    if (n > 0 && buf[n - 1] == '\r')
        n--;
    if (n == 0)
        return "is empty";
    if (memchr(buf, '\0', (size_t)n))
        return "holds a NUL byte";
    buf[n] = '\0';
    return NULL;
}

static const char *read_file(void *ctx, const char *path, char *buf, size_t size)
{
    rf_io_file *file = ctx;
    /* O_NONBLOCK: a FIFO without a writer must not stop the server's start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *error;

    if (fd < 0)
        return fail(file, errno);
    error = read_open(file, fd, buf, size);
    if (error)
        explicit_bzero(buf, size);
    close(fd);
    return error;
}

void rf_io_file_world(rf_io_file *file, rf_source_world *ret_world)
{
    file->error[0] = '\0';
    *ret_world = (rf_source_world){.ctx = file, .env = get_env, .file = read_file};
}

static int same_moment(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int rf_io_file_changed(const char *path, rf_io_file_stamp *stamp)
{
    rf_io_file_stamp now = {0};
    struct stat st;
    int same;

    if (stat(path, &st) == 0) {
        now.dev = st.st_dev;
        now.ino = st.st_ino;
        now.size = st.st_size;
        now.mtime = st.st_mtim;
        now.ctime = st.st_ctim;
    }
    same = now.dev == stamp->dev && now.ino == stamp->ino && now.size == stamp->size &&
           same_moment(&now.mtime, &stamp->mtime) && same_moment(&now.ctime, &stamp->ctime);
    *stamp = now;
    return !same;
}
