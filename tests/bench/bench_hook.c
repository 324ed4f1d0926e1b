/*
 * One CDS Hooks call in memory, stage by stage: where the time of an answer goes
 *
 *     bench_hook FILE...
 *
 * CPU time, best of many short rounds, and the mean of them all, which on a machine that
 * others use is what a server under load is to be compared with. Stages are timed as
 * differences: parse alone; parse and read; those and the charts; those and the
 * judgement; those and the response.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "fhir/hooks.h"
#include "fhir/json.h"
#include "tests/support/build.h"

enum { ROUNDS = 30, CALLS = 100, STAGES = 5, FILE_MAX = 1 << 20 };

static const char *const names[STAGES] = { "json", "read", "chart", "judge", "answer" };
static char *text;
static size_t len;
static struct ow_arena arena;
static struct ow_buf out;
static struct ow_policy policy;
static struct ow_question question;

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void must(bool ok, const struct ow_err *err)
{
    if (!ok) {
        fprintf(stderr, "bench_hook: %s\n", err->text);
        exit(65);
    }
}

/* The call up to and with stage `last`; the number of cards. */
static size_t call(int last)
{
    struct ow_hooks_request req;
    const struct ow_chart *charts;
    const struct ow_verdict *v;
    struct ow_chart chart;
    struct ow_err err = { "" };
    const cJSON *root;
    size_t n;

    ow_arena_reset(&arena);
    if (last == 0) {
        must(ow_json_parse(text, len, NULL, &arena, &root, &err) == OW_OK, &err);
        return 0;
    }
    must(ow_hooks_read(&arena, text, len, NULL, true, NULL, &req, &err) == OW_OK, &err);
    if (last == 1)
        return 0;
    must(ow_reader_charts(req.reader, &charts, &n, &err) == OW_OK && n == 1, &err);
    if (last == 2)
        return 0;
    chart = charts[0];
    chart.hook = req.hook;
    must(ow_evaluate(&chart, &question, &arena, &v, &err) == OW_OK, &err);
    if (last == 3)
        return 0;
    ow_buf_reset(&out);
    ow_hooks_response(v, &out);
    return v->n_cards;
}

static void slurp(const char *path)
{
    FILE *f = fopen(path, "rb");

    len = f ? fread(text, 1, FILE_MAX, f) : 0;
    if (f)
        fclose(f);
}

static void run(const char *path)
{
    int64_t best[STAGES], before = 0, all = 0;
    size_t cards = 0;

    slurp(path);
    for (int k = 0; k < STAGES; k++)
        best[k] = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < STAGES; k++) {
            int64_t took = cpu_ns();

            for (int c = 0; c < CALLS; c++)
                cards = call(k);
            took = (cpu_ns() - took) / CALLS;
            best[k] = took < best[k] ? took : best[k];
            all += k == STAGES - 1 ? took : 0;
        }
    }
    printf("hook %s %zu bytes, %zu cards: %.1f us, mean %.1f us", path, len, cards,
           (double)best[STAGES - 1] / 1000, (double)all / ROUNDS / 1000);
    for (int k = 0; k < STAGES; k++) {
        printf("%s %s %.1f", k ? "," : " =", names[k], (double)(best[k] - before) / 1000);
        before = best[k];
    }
    printf(" (arena %zu bytes)\n", arena.used);
}

int main(int argc, char **argv)
{
    struct timespec now;

    text = ow_alloc(FILE_MAX);
    ow_arena_init(&arena, (size_t)64 << 20);
    ow_buf_init(&out, 4 << 20);
    clock_gettime(CLOCK_REALTIME, &now);
    ow_policy_default(&policy);
    question = (struct ow_question){ .knowledge = build_knowledge(),
                                     .policy = &policy,
                                     .at = (ow_time)now.tv_sec * 1000 };
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    ow_arena_done(&arena);
    ow_buf_done(&out);
    free(text);
    return argc > 1 ? 0 : 64;
}
