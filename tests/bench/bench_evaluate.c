/*
 * Microseconds of CPU per evaluation of charts held in memory: 1, 10 and 50 orders
 *
 * Best of many short rounds: the machine may be shared. No parsing: charts are structs.
 * All rules of cdc-2022 run. `bench_evaluate ORDERS TIMES` evaluates one chart so often
 * and no more: for counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/build.h"

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const char *const drugs[] = {
    RX_OXYCODONE_5,  RX_LISINOPRIL,  RX_MORPHINE_15,    RX_LORAZEPAM_1,
    RX_METHADONE_10, RX_FENTANYL_25, RX_GABAPENTIN_300, RX_BUPRENORPHINE_8,
    RX_OXYCODONE_10, RX_LISINOPRIL,
};

static void fill(struct build *b, unsigned n, bool with_dispense)
{
    char id[32];

    for (unsigned i = 0; i < n; i++) {
        const char *rx = drugs[i % OW_LEN(drugs)];
        bool patch = rx == drugs[5];
        struct ow_order *o;

        (void)snprintf(id, sizeof id, "rx%u", i);
        o = build_order(b, id, rx);
        build_dose(b, o, "1", patch ? "patch" : "tablet", patch ? 1 : 1 + (int)(i % 3));
        build_supply(o, "60", 30 + (int)(i % 7));
        o->authored = build_time(i % 2 == 0 ? "2026-03-01" : "2026-02-20");
        if (with_dispense && i % 5 == 4)
            o->status = OW_STATUS_COMPLETED;
    }
}

static void run(unsigned n, int tries, int rounds)
{
    struct build b;
    struct ow_arena scratch;
    const struct ow_verdict *v = NULL;
    struct ow_err err;
    int64_t best = INT64_MAX, start, took;

    build_init(&b);
    build_preset(&b, "cdc-2022");
    fill(&b, n, true);
    ow_arena_init(&scratch, (size_t)16 << 20);
    for (int k = 0; k < tries; k++) {
        start = now_ns();
        for (int i = 0; i < rounds; i++) {
            ow_arena_reset(&scratch);
            if (ow_evaluate(&b.chart, &b.q, &scratch, &v, &err) != OW_OK)
                return;
        }
        took = now_ns() - start;
        if (took < best)
            best = took;
    }
    printf("%3u orders: %6.1f us per evaluation, %zu bytes, %zu findings\n", n,
           (double)best / 1000.0 / rounds, scratch.used, v->n_findings);
    ow_arena_done(&scratch);
    build_done(&b);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = { 1, 10, 50 };

    if (argc == 3) {
        run((unsigned)strtoul(argv[1], NULL, 10), 1, (int)strtol(argv[2], NULL, 10));
        return 0;
    }
    for (size_t i = 0; i < OW_LEN(sizes); i++)
        run(sizes[i], 25, 200);
    return 0;
}
