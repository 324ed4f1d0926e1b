#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "daemon/metrics.h"
#include "tests/support/simwork.h"

#define DAY_SETTLES (3 * OW_HOUR)

/* What is open at the EHR, a line each, in order of the text. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *visible(const struct simehr *e)
{
    size_t n = simehr_n_issues(e), lines = 0;
    char **list = ow_alloc_zero((n + 1) * sizeof *list);
    struct ow_buf b;

    for (size_t i = 0; i < n; i++) {
        const struct sim_issue *issue = simehr_issue(e, i);
        char line[160];

        if (!issue->open)
            continue;
        snprintf(line, sizeof line, "%s %s %s\n", issue->patient, issue->rule,
                 issue->severity);
        list[lines++] = ow_strdup(line);
    }
    qsort(list, lines, sizeof *list, by_text);
    ow_buf_init(&b, 1 << 24);
    for (size_t i = 0; i < lines; i++) {
        ow_buf_str(&b, list[i]);
        free(list[i]);
    }
    free(list);
    ow_buf_char(&b, '\n');
    return ow_buf_take(&b, &n);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void assert_well(struct simcore *s)
{
    assert_int_equal(simcore_differences(s), 0);
    assert_int_equal(simehr_duplicates(s->ehr), 0);
    assert_int_equal(simehr_bad_requests(s->ehr), 0);
    assert_int_equal(simcore_count(s)->parked, 0);
    assert_int_equal(s->counts.dead, 0);
}

/* --- a day --- */

static char *live_a_day(uint64_t seed, size_t *len)
{
    struct simwork_options opt = { .seed = seed,
                                   .patients = 200,
                                   .changes = 2000,
                                   .length_ms = OW_DAY,
                                   .deletes = true,
                                   .moves = true };
    struct simcore *s = simcore_new(seed);
    struct simwork *wk;
    char *trace;

    simcore_start(s);
    simcore_run(s, OW_MINUTE);
    wk = simwork_new(s, &opt);
    simcore_run(s, OW_DAY);
    assert_true(simcore_settle(s, DAY_SETTLES));
    assert_well(s);
    assert_true(simehr_n_issues(s->ehr) > 100);
    print_message("    %zu issues, %llu verdicts, %lld requests, trace %zu bytes\n",
                  simehr_n_issues(s->ehr), (unsigned long long)s->n_verdicts,
                  (long long)s->w->requests, s->w->trace.len);
    simcore_stop(s);
    trace = ow_buf_take(&s->w->trace, len);
    simcore_free(s);
    simwork_free(wk);
    return trace;
}

static void first_difference(const char *a, const char *b)
{
    size_t i = 0, line = 0;

    for (; a[i] && a[i] == b[i]; i++) {
        if (a[i] == '\n')
            line = i + 1;
    }
    fprintf(stderr, "one:   %.300s\nother: %.300s\n", a + line, b + line);
}

static void a_day_passes_in_seconds_and_the_same_seed_gives_the_same_bytes(void **state)
{
    size_t n, m;
    double begin = seconds(), took;
    char *one = live_a_day(7, &n), *other;

    (void)state;
    took = seconds() - begin;
    print_message("    a day in %.2f s\n", took);
    other = live_a_day(7, &m);
    if (n != m || memcmp(one, other, n) != 0)
        first_difference(one, other);
    assert_int_equal(n, m);
    assert_memory_equal(one, other, n);
    free(one);
    free(other);
}

/* --- storms --- */

static const struct simwork_options storm_work = {
    .patients = 12,
    .changes = 120,
    .length_ms = 2 * OW_HOUR,
    .deletes = true,
    .moves = true,
};

static char *calm_day(uint64_t seed)
{
    struct simwork_options opt = storm_work;
    struct simcore *s = simcore_new(seed);
    struct simwork *wk;
    char *seen;

    opt.seed = seed;
    simcore_start(s);
    simcore_run(s, OW_MINUTE);
    wk = simwork_new(s, &opt);
    simcore_run(s, opt.length_ms);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    seen = visible(s->ehr);
    simcore_free(s);
    simwork_free(wk);
    return seen;
}

static void storm_begin(struct simcore *s, uint64_t seed)
{
    static const unsigned odds[SIM_FAULT_N] = {
        [SIM_REFUSE] = 20,   [SIM_LOSE_ANSWER] = 20, [SIM_UNAVAILABLE] = 20,
        [SIM_TOO_MANY] = 10, [SIM_ERROR] = 20,       [SIM_ERROR_ACTED] = 20,
        [SIM_DENY] = 5,      [SIM_SLOW] = 10,        [SIM_GARBAGE] = 5,
    };
    struct simehr_options *ehr = simehr_settings(s->ehr);

    memcpy(s->w->per_mille, odds, sizeof odds);
    ehr->drop = 100;
    ehr->twice = 100;
    ehr->late = 100;
    ehr->form = (enum sim_form)(seed % 2);
    ehr->skew_ms = ((int64_t)(seed % 5) - 2) * 20 * OW_SECOND;
    ehr->page_most = 3;
    ehr->ignores_conditions = seed % 3 == 0;
    if (seed % 4 == 0)
        s->queue_max = 6; /* the store is often too busy */
    if (seed % 3 == 1)
        s->config.sinks_webhook_url = SIM_HOOK;
}

static void storm_crash(struct simcore *s)
{
    switch (simworld_chance(s->w, 3)) {
    case 0:
        simcore_crash(s);
        break;
    case 1:
        simcore_crash_at_op(s, 1 + (int64_t)simworld_chance(s->w, 40));
        break;
    default:
        simcore_crash_at_disk(s, 1 + (unsigned)simworld_chance(s->w, 60));
        break;
    }
}

static void storm_end(struct simcore *s)
{
    memset(s->w->per_mille, 0, sizeof s->w->per_mille);
    simehr_settings(s->ehr)->drop = 0;
    simcore_no_crash(s);
    s->queue_max = 0;
}

static void storm(uint64_t seed)
{
    char *calm = calm_day(seed), *seen;
    struct simwork_options opt = storm_work;
    struct simcore *s = simcore_new(seed);
    struct simwork *wk;
    bool settled;

    opt.seed = seed;
    storm_begin(s, seed);
    simcore_start(s);
    wk = simwork_new(s, &opt);
    for (int i = 0; i < 8; i++) {
        simcore_run(s, (int64_t)simworld_chance(s->w, (uint64_t)opt.length_ms / 5));
        storm_crash(s);
    }
    simcore_run(s, opt.length_ms);
    storm_end(s);
    settled = simcore_settle(s, DAY_SETTLES);
    seen = visible(s->ehr);
    if (!settled || simcore_differences(s) || !ow_streq(seen, calm) ||
        simehr_duplicates(s->ehr) || simcore_count(s)->parked) {
        fprintf(stderr, "seed %llu: settled %d, waiting %lld, due %lld, duplicates %zu\n",
                (unsigned long long)seed, settled, (long long)simcore_count(s)->waiting,
                (long long)s->counts.due, simehr_duplicates(s->ehr));
        fprintf(stderr, "calm:\n%sseen:\n%s", calm, seen);
        if (getenv("OW_SIM_TRACE"))
            fwrite(s->w->trace.data, 1, s->w->trace.len, stderr);
    }
    assert_true(settled);
    assert_string_equal(seen, calm);
    assert_well(s);
    simcore_free(s);
    simwork_free(wk);
    free(calm);
    free(seen);
}

static void storms_lose_nothing_and_show_nothing_twice(void **state)
{
    const char *text = getenv("OW_SIM_SEEDS"), *first = getenv("OW_SIM_FIRST");
    uint64_t n = 40, from = 1;
    double begin = seconds();

    (void)state;
    if (text && !ow_parse_u64(text, &n))
        fail_msg("OW_SIM_SEEDS is not a number");
    if (first && !ow_parse_u64(first, &from))
        fail_msg("OW_SIM_FIRST is not a number");
    for (uint64_t seed = from; seed < from + n; seed++)
        storm(seed);
    print_message("    %llu seeds in %.1f s\n", (unsigned long long)n, seconds() - begin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_passes_in_seconds_and_the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(storms_lose_nothing_and_show_nothing_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
