/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file standalone.c
 * @brief main() for a fuzz target without libFuzzer: replays t/fuzz/corpus/<target>/, one TAP test a file.
 *
 * Layer:     tests.
 * Ownership: each input is copied into a block of exactly its size, so that a sanitizer sees a read past the end.
 * Threads:   one.
 *
 * The folder is named by the program (fuzz_dsn: corpus/dsn), below $RF_SRCDIR/t/fuzz or the file arguments.
 * An empty or missing corpus is a failure. Besides each file as it is, its prefixes are played: a parser's bugs
 * like to sit where the input ends.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_LIMIT = 1 << 20, PREFIX_LIMIT = 4096 };

static int count;

static void play(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (copy) {
        memcpy(copy, data, size);
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
}

static int replay(const char *path)
{
    static uint8_t data[INPUT_LIMIT];
    FILE *f = fopen(path, "rb");
    size_t size;

    if (!f) {
        printf("not ok %d - %s: %s\n", ++count, path, strerror(errno));
        return 1;
    }
    size = fread(data, 1, sizeof(data), f);
    fclose(f);
    play(data, size);
    for (size_t n = 0; n < size && n < PREFIX_LIMIT; n++) {
        play(data, n);
    }
    printf("ok %d - %s\n", ++count, path);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    const char *srcdir = getenv("RF_SRCDIR");
    char dir[2048], path[4096];
    struct dirent *entry;
    DIR *d;
    int failed = 0;

    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            failed |= replay(argv[i]);
        }
        printf("1..%d\n", count);
        return failed;
    }
    if (strncmp(name, "lt-", 3) == 0) {
        name += 3;
    }
    if (strncmp(name, "fuzz_", 5) == 0) {
        name += 5;
    }
    snprintf(dir, sizeof(dir), "%s/t/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
    d = opendir(dir);
    if (!d) {
        printf("Bail out! no corpus %s: %s\n", dir, strerror(errno));
        return 1;
    }
    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
            failed |= replay(path);
        }
    }
    closedir(d);
    if (count == 0) {
        printf("not ok %d - the corpus %s has files\n", ++count, dir);
        failed = 1;
    }
    printf("1..%d\n", count);
    return failed;
}
