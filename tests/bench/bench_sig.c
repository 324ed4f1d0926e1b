/*
 * Sigs read a second: the corpus of tests/sig, and what is read of it
 *
 * `bench_sig TIMES` reads it so often: for counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alerts/sig.h"

enum { SIGS_MOST = 8192 };

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t load(struct ow_arena *arena, const char **texts)
{
    FILE *f = fopen("tests/sig/corpus.tsv", "r");
    char line[4096];
    size_t n = 0;

    while (f != NULL && n < SIGS_MOST && fgets(line, sizeof line, f) != NULL) {
        char *text = strchr(line, '\t'), *end;

        if (line[0] == '#' || text == NULL || (end = strchr(text + 1, '\t')) == NULL)
            continue;
        texts[n++] = ow_arena_strndup(arena, text + 1, (size_t)(end - text - 1));
    }
    if (f != NULL)
        (void)fclose(f);
    return n;
}

int main(int argc, char **argv)
{
    static const char *texts[SIGS_MOST];
    struct ow_arena keep, scratch;
    struct ow_sig sig;
    int64_t best = INT64_MAX;
    size_t n, read = 0, used = 0;
    int rounds = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 20;

    ow_arena_init(&keep, (size_t)16 << 20);
    ow_arena_init(&scratch, (size_t)16 << 20);
    n = load(&keep, texts);
    if (n == 0) {
        (void)fputs("run it in the source directory: tests/sig/corpus.tsv\n", stderr);
        return 1;
    }
    for (int round = 0; round < rounds; round++) {
        int64_t start = now_ns(), took;

        read = 0;
        for (size_t i = 0; i < n; i++) {
            struct ow_err err;

            ow_arena_reset(&scratch);
            read += ow_sig_read(texts[i], &scratch, &sig, &err) == OW_OK;
            used = scratch.used > used ? scratch.used : used;
        }
        took = now_ns() - start;
        best = took < best ? took : best;
    }
    printf("%zu sigs, %zu read: %.2f us each, %.0f a second, %zu bytes at most\n", n,
           read, (double)best / 1000.0 / (double)n, (double)n * 1e9 / (double)best, used);
    ow_arena_done(&scratch);
    ow_arena_done(&keep);
    return 0;
}
