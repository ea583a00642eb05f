/* SPDX-License-Identifier: Apache-2.0 */
/* rf_io_file: what counts as a readable value, and what as a change. */
#include "rf_io_file.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[256], other[256];

static void write_file(const char *to, const char *bytes, size_t n)
{
    FILE *f = fopen(to, "w");

    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        ok(0, "writing %s", to);
        exit(1);
    }
}

static void contents(const rf_source_world *world)
{
    static char most[RF_SOURCE_VALUE_MAX + 2];
    static const struct {
        const char *bytes;
        size_t n;
        const char *value, *problem;
    } rows[] = {
        {"value", 5, "value", NULL},
        {"value\n", 6, "value", NULL},
        {"value\r\n", 7, "value", NULL},
        {"value\n\n", 7, "value\n", NULL},
        {" a b ", 5, " a b ", NULL},
        {"", 0, NULL, "is empty"},
        {"\n", 1, NULL, "is empty"},
        {"a\0b", 3, NULL, "holds a NUL byte"},
    };
    char value[RF_SOURCE_VALUE_MAX + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *problem;

        write_file(path, rows[i].bytes, rows[i].n);
        problem = world->file(world->ctx, path, value, sizeof(value));
        is_str(problem, rows[i].problem, "row %zu", i);
        if (!problem)
            is_str(value, rows[i].value, " its value");
    }
    memset(most, 'x', sizeof(most));
    write_file(path, most, RF_SOURCE_VALUE_MAX);
    is_str(world->file(world->ctx, path, value, sizeof(value)), NULL, "the largest value");
    is_int(strlen(value), RF_SOURCE_VALUE_MAX, " is whole");
    write_file(path, most, RF_SOURCE_VALUE_MAX + 1);
    is_str(world->file(world->ctx, path, value, sizeof(value)), "is larger than 8192 bytes", "one byte more");
    is_str(value, "", " leaves nothing behind");
}

static void kinds(const rf_source_world *world)
{
    char value[64];

    is_str(world->file(world->ctx, "/dev/zero", value, sizeof(value)), "is not a regular file", "a device");
    is_str(world->file(world->ctx, "/", value, sizeof(value)), "is not a regular file", "a folder");
    unlink(path);
    is_str(world->file(world->ctx, path, value, sizeof(value)), "cannot be read: No such file or directory", "no file");
    ok(mkfifo(path, 0600) == 0, "a FIFO without a writer");
    is_str(world->file(world->ctx, path, value, sizeof(value)), "is not a regular file", " does not hang");
    unlink(path);
    write_file(other, "linked", 6);
    ok(symlink(other, path) == 0, "a link");
    is_str(world->file(world->ctx, path, value, sizeof(value)), NULL, " is followed");
    is_str(value, "linked", " to its value");
    unlink(path);
}

static void changes(void)
{
    rf_io_file_stamp stamp = {0};

    ok(!rf_io_file_changed(path, &stamp), "a file that is not there stays so");
    write_file(path, "one", 3);
    ok(rf_io_file_changed(path, &stamp), "it came");
    ok(!rf_io_file_changed(path, &stamp), "it is the same");
    write_file(path, "three", 5);
    ok(rf_io_file_changed(path, &stamp), "it was written");
    chmod(path, 0400);
    usleep(20000); /* the clock of a file system is coarse: without a pause one tick could hold both */
    chmod(path, 0600);
    ok(rf_io_file_changed(path, &stamp), "its mode was changed");
    write_file(other, "three", 5);
    rename(other, path);
    ok(rf_io_file_changed(path, &stamp), "it was replaced by one of the same size");
    unlink(path);
    ok(rf_io_file_changed(path, &stamp), "it went");
    ok(!rf_io_file_changed(path, &stamp), "it is still gone");
}

int main(void)
{
    char dir[] = "/tmp/rf-file-XXXXXX";
    rf_source_world world;
    rf_io_file file;

    if (!mkdtemp(dir)) {
        ok(0, "a folder to work in");
        return tap_done();
    }
    snprintf(path, sizeof(path), "%s/value", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    rf_io_file_world(&file, &world);
    setenv("RF_TEST_VARIABLE", "seen", 1);
    is_str(world.env(world.ctx, "RF_TEST_VARIABLE"), "seen", "the environment");
    is_str(world.env(world.ctx, "RF_TEST_NO_VARIABLE"), NULL, "what is not in it");
    contents(&world);
    kinds(&world);
    changes();
    unlink(path);
    unlink(other);
    rmdir(dir);
    return tap_done();
}
