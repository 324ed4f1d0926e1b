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

/* Sanitizers take several times as long: fewer points of each sweep then. With
 * OW_SIM_SEEDS every sweep is whole. */
#if defined(__SANITIZE_ADDRESS__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 1
#endif
#endif
#ifndef SLOW
#define SLOW 0
#endif

static bool full(void)
{
    return getenv("OW_SIM_SEEDS") != NULL;
}

/* In place of the server's: an exchange here belongs to the simulated core. */
void ow_exchange_reply(struct ow_exchange *x, const struct ow_response *resp)
{
    simcore_reply(x, resp);
}

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

/* Log lines stand in the trace as they are; patients and orders have telling names. */
static void assert_logs_name_nobody(const struct simcore *s)
{
    const char *line = ow_buf_cstr(&s->w->trace), *end;
    size_t logged = 0;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        size_t n = (size_t)(end - line);

        if (*line != '{')
            continue;
        logged++;
        assert_null(memmem(line, n, "Patient/", 8));
        assert_null(memmem(line, n, "MedicationRequest/", 18));
        assert_null(memmem(line, n, "oxycodone", 9));
    }
    assert_true(logged > 1000);
}

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
    assert_logs_name_nobody(s);
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
    const unsigned odds[SIM_FAULT_N] = {
        [SIM_REFUSE] = 20,
        [SIM_LOSE_ANSWER] = 20,
        [SIM_UNAVAILABLE] = 20,
        [SIM_TOO_MANY] = 10,
        [SIM_ERROR] = 20,
        [SIM_ERROR_ACTED] = 20,
        [SIM_LATE] = seed % 3 == 0 ? 0 : 10,
        [SIM_DENY] = 5,
        [SIM_SLOW] = 10,
        [SIM_GARBAGE] = 5,
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
    uint64_t n = SLOW ? 8 : 25, from = 1;
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

/* --- the n-th call, each in its turn --- */

#define OXYCODONE20                                                                      \
    .rxcui = "1049686", .drug = "oxycodone hydrochloride 20 MG Oral Tablet"
#define LORAZEPAM .rxcui = "197901", .drug = "lorazepam 1 MG Oral Tablet"

static void put(struct simcore *s, const char *id, const char *patient, unsigned tablets)
{
    simehr_order(s->ehr, &(struct sim_order){ .id = id,
                                              .patient = patient,
                                              OXYCODONE20,
                                              .tablets = tablets,
                                              .per_day = 1,
                                              .active = tablets > 0,
                                              .authored = SIM_MORNING });
}

static void put_sedative(struct simcore *s, const char *id, const char *patient)
{
    simehr_order(s->ehr, &(struct sim_order){ .id = id,
                                              .patient = patient,
                                              LORAZEPAM,
                                              .tablets = 1,
                                              .per_day = 1,
                                              .active = true,
                                              .authored = SIM_MORNING });
}

/* Opened, changed, joined by a second alert, moved away, deleted. */
static void on_story(void *arg, int64_t step)
{
    struct simcore *s = arg;

    switch (step) {
    case 0:
        put(s, "rx1", "p1", 2);
        break;
    case 1:
        put(s, "rx1", "p1", 6);
        break;
    case 2:
        put_sedative(s, "rx2", "p1");
        break;
    case 3:
        put(s, "rx1", "p2", 6);
        break;
    case 4:
        simehr_delete(s->ehr, "rx1");
        break;
    default:
        put(s, "rx3", "p2", 3);
        break;
    }
}

static struct simcore *story_new(void)
{
    struct simcore *s = simcore_new(1);

    simehr_patient(s->ehr, "p1", "1944-11-30");
    simehr_patient(s->ehr, "p2", "1971-05-09");
    simehr_settings(s->ehr)->ignores_conditions = true;
    for (int64_t step = 0; step < 6; step++)
        simworld_after(s->w, 20 * OW_SECOND + 7 * OW_SECOND * step, on_story, s, step);
    return s;
}

/* Live through the rest; how it went is told when it went wrong. */
static void story_end(struct simcore *s, const char *what, int64_t n)
{
    bool settled;

    simcore_run(s, 3 * OW_MINUTE);
    simcore_no_crash(s);
    settled = simcore_settle(s, 2 * OW_HOUR);
    if (!settled || simcore_differences(s) || simehr_duplicates(s->ehr) ||
        simcore_count(s)->parked || s->counts.dead) {
        fprintf(stderr, "%s at %lld\n", what, (long long)n);
        if (getenv("OW_SIM_TRACE"))
            fwrite(s->w->trace.data, 1, s->w->trace.len, stderr);
    }
    assert_true(settled);
    assert_well(s);
    simcore_free(s);
}

static void the_nth_request_fails_in_every_way(void **state)
{
    struct simcore *s = story_new();
    int64_t requests;

    (void)state;
    simcore_start(s);
    simcore_run(s, 3 * OW_MINUTE);
    requests = s->w->requests;
    story_end(s, "no fault", 0);
    for (enum sim_fault kind = SIM_REFUSE; kind < SIM_FAULT_N; kind++) {
        for (int64_t n = 1; n <= requests; n += SLOW && !full() ? 3 : 1) {
            s = story_new();
            s->w->fault_at = n;
            s->w->fault_kind = kind;
            /* Against what comes after we looked only the server's conditions help. */
            simehr_settings(s->ehr)->ignores_conditions = kind != SIM_LATE;
            simcore_start(s);
            story_end(s, sim_fault_name(kind), n);
        }
    }
    print_message("    %lld requests, each in %d ways\n", (long long)requests,
                  SIM_FAULT_N - 1);
}

static void power_goes_at_every_call_into_the_world(void **state)
{
    struct simcore *s = story_new();
    int64_t ops;

    (void)state;
    simcore_start(s);
    simcore_run(s, 2 * OW_MINUTE);
    ops = s->w->ops;
    story_end(s, "no crash", 0);
    for (int64_t n = 1; n <= ops; n += SLOW && !full() ? 3 : 1) {
        s = story_new();
        simcore_crash_at_op(s, n);
        simcore_start(s);
        story_end(s, "crash at call", n);
    }
    print_message("    %lld calls\n", (long long)ops);
}

static void power_goes_in_the_middle_of_the_disks_work(void **state)
{
    unsigned calls = 0, step = full() ? 1 : SLOW ? 37 : 11;

    (void)state;
    for (unsigned n = 1;; n += step) {
        struct simcore *s = story_new();
        unsigned starts;

        simcore_start(s);
        simcore_crash_at_disk(s, n);
        simcore_run(s, 2 * OW_MINUTE);
        starts = s->starts;
        story_end(s, "crash at disk call", n);
        if (starts == 1)
            break;
        calls = n;
    }
    assert_true(calls > 300);
    print_message("    every %u of %u calls of the disk\n", step, calls);
}

/* --- the EHR is down --- */

struct sends {
    size_t n;
    int64_t first, last, least_gap;
};

/* The requests in the trace that begin with `what`, sent in [from, until). */
static struct sends sends_of(const struct simcore *s, const char *what, int64_t from,
                             int64_t until)
{
    struct sends r = { .least_gap = INT64_MAX };
    const char *at = ow_buf_cstr(&s->w->trace);

    for (; (at = strstr(at, " send ")); at++) {
        const char *line = at, *rest = strchr(at + 6, ' ');
        int64_t t;

        while (line > s->w->trace.data && line[-1] != '\n')
            line--;
        t = strtoll(line, NULL, 10);
        if (strncmp(rest + 1, what, strlen(what)) != 0 || t < from || t >= until)
            continue;
        if (r.n++ == 0)
            r.first = t;
        else if (t - r.last < r.least_gap)
            r.least_gap = t - r.last;
        r.last = t;
    }
    return r;
}

static struct simcore *twenty_patients(unsigned jobs)
{
    struct simcore *s = simcore_new(3);

    s->config.intake_jobs_max = (struct ow_config_number){ true, OW_RATIO(jobs, 1) };
    for (int i = 0; i < 20; i++) {
        char id[16];

        snprintf(id, sizeof id, "p%02d", i);
        simehr_patient(s->ehr, id, "1971-05-09");
    }
    simcore_start(s);
    simcore_run(s, OW_MINUTE);
    return s;
}

static void change_all(struct simcore *s, unsigned round)
{
    for (unsigned i = 0; i < 20; i++) {
        char id[16], patient[16];

        snprintf(id, sizeof id, "rx%02u", i);
        snprintf(patient, sizeof patient, "p%02u", i);
        put(s, id, patient, (i % 2 ? 4 : 2) + round); /* 120, 60 MME/d */
    }
}

static void after_an_hour_of_silence_critical_alerts_leave_first(void **state)
{
    struct simcore *s = twenty_patients(64);
    struct sends during;
    int64_t up;

    (void)state;
    s->config.outbox_in_flight = (struct ow_config_number){ true, OW_RATIO(1, 1) };
    s->config.outbox_retry_cap = s->config.outbox_first_retry;
    s->w->down_method = "POST";
    s->w->down_from = s->w->mono;
    up = s->w->down_until = s->w->mono + OW_HOUR;
    change_all(s, 0);
    simcore_run(s, OW_HOUR);
    assert_int_equal(simehr_n_issues(s->ehr), 0);
    during = sends_of(s, "POST", s->w->down_from, up);
    assert_in_range(during.n, 100, 5 + OW_HOUR / s->config.outbox_breaker_pause);
    during = sends_of(s, "POST", s->w->down_from + OW_MINUTE, up);
    assert_true(during.least_gap >= s->config.outbox_breaker_pause);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    assert_int_equal(simehr_n_issues(s->ehr), 20);
    for (size_t i = 0; i < 20; i++)
        assert_string_equal(simehr_issue(s->ehr, i)->severity,
                            i < 10 ? "high" : "moderate");
    simcore_free(s);
}

static void while_the_ehr_is_down_memory_is_bounded_and_nothing_is_lost(void **state)
{
    struct simcore *s = twenty_patients(4);

    (void)state;
    s->jobs_most = 0;
    s->w->down_from = s->w->mono;
    s->w->down_until = s->w->mono + OW_HOUR;
    for (unsigned round = 0; round < 30; round++) {
        change_all(s, round % 3);
        simcore_run(s, OW_MINUTE);
    }
    assert_int_equal(s->jobs_most, 4);
    assert_true(simcore_settle(s, 3 * OW_HOUR));
    assert_int_equal(s->jobs_most, 4);
    assert_well(s);
    simcore_free(s);
}

static void retry_after_is_kept(void **state)
{
    enum sim_fault kinds[] = { SIM_UNAVAILABLE, SIM_TOO_MANY };

    (void)state;
    for (size_t i = 0; i < OW_LEN(kinds); i++) {
        struct simcore *s = twenty_patients(64);
        int64_t begin = s->w->mono;
        struct sends posts;

        s->w->retry_after_s = 120;
        s->w->fault_at = s->w->requests + 12; /* eleven reads, then the alert */
        s->w->fault_kind = kinds[i];
        put(s, "rx1", "p01", 4);
        simcore_run(s, 5 * OW_MINUTE);
        posts = sends_of(s, "POST", begin, INT64_MAX);
        assert_int_equal(posts.n, 2);
        assert_in_range(posts.least_gap, 120 * OW_SECOND, 133 * OW_SECOND);
        assert_true(simcore_settle(s, OW_HOUR));
        assert_well(s);
        simcore_free(s);
    }
}

static void retry_after_is_kept_when_reading(void **state)
{
    struct simcore *s = twenty_patients(64);
    int64_t begin = s->w->mono;
    struct sends reads;

    (void)state;
    s->w->retry_after_s = 120;
    s->w->fault_at = s->w->requests + 1;
    s->w->fault_kind = SIM_UNAVAILABLE;
    put(s, "rx1", "p01", 4);
    simcore_run(s, 5 * OW_MINUTE);
    reads = sends_of(s, "GET " SIM_BASE "/MedicationRequest?patient", begin, INT64_MAX);
    assert_int_equal(reads.n, 2);
    assert_in_range(reads.least_gap, 120 * OW_SECOND, 133 * OW_SECOND);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    simcore_free(s);
}

/* The wall clock is set back, or forward, by a day while a delivery waits. */
static void a_clock_that_is_set_holds_nothing_up(void **state)
{
    (void)state;
    for (int way = -1; way <= 1; way += 2) {
        struct simcore *s = twenty_patients(64);

        s->w->fault_at = s->w->requests + 12; /* eleven reads, then the alert */
        s->w->fault_kind = SIM_UNAVAILABLE;
        put(s, "rx1", "p01", 4);
        simcore_run(s, 2 * OW_SECOND);
        assert_int_equal(simehr_n_issues(s->ehr), 0);
        s->w->start += way * OW_DAY;
        simcore_run(s, 3 * OW_MINUTE);
        assert_int_equal(simehr_n_issues(s->ehr), 1);
        simcore_free(s);
    }
}

static void what_is_refused_becomes_a_dead_letter_and_the_rest_flows(void **state)
{
    int statuses[] = { 400, 422 };

    (void)state;
    for (size_t i = 0; i < OW_LEN(statuses); i++) {
        struct simcore *s = twenty_patients(64);

        simehr_refuse(s->ehr, "Patient/p07", statuses[i]);
        change_all(s, 0);
        assert_true(simcore_settle(s, OW_HOUR));
        assert_int_equal(s->counts.dead, 1);
        assert_int_equal(s->counts.parked, 0);
        assert_int_equal(simehr_n_issues(s->ehr), 19);
        simehr_refuse(s->ehr, NULL, 0);
        put(s, "rx07", "p07", 2); /* warning now: an update creates what is missing */
        assert_true(simcore_settle(s, OW_HOUR));
        assert_int_equal(simcore_differences(s), 0);
        simcore_free(s);
    }
}

/* --- one patient's job --- */

static struct simcore *one_patient(enum sim_form form)
{
    struct simcore *s = simcore_new(5);

    simehr_patient(s->ehr, "p1", "1944-11-30");
    simehr_patient(s->ehr, "p2", "1944-11-30");
    simehr_settings(s->ehr)->form = form;
    simcore_start(s);
    simcore_run(s, OW_MINUTE);
    s->n_verdicts = 0;
    return s;
}

static void a_burst_of_one_patient_is_judged_once_or_twice(void **state)
{
    struct simcore *s = one_patient(SIM_FORM_PUT);

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        put(s, "rx1", "p1", 1 + i % 5);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_in_range(s->n_verdicts, 1, 4);
    assert_int_equal(s->counts.judged, 30);
    assert_well(s);
    simcore_free(s);
}

/* The second change comes at every instant of the first one's round. */
static void a_change_during_a_round_is_answered_by_the_next(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 400; ms += 7) {
        struct simcore *s = one_patient(SIM_FORM_PUT);

        put(s, "rx1", "p1", 2);
        simcore_run(s, ms);
        put(s, "rx1", "p1", 6);
        assert_true(simcore_settle(s, OW_HOUR));
        assert_well(s);
        assert_int_equal(simehr_n_issues(s->ehr), 1);
        assert_string_equal(simehr_issue(s->ehr, 0)->severity, "high");
        simcore_free(s);
    }
}

static void a_deletion_during_a_round_is_not_lost(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 400; ms += 7) {
        struct simcore *s = one_patient(SIM_FORM_PUT);

        put(s, "rx1", "p1", 6);
        simcore_run(s, ms);
        simehr_delete(s->ehr, "rx1");
        assert_true(simcore_settle(s, OW_HOUR));
        if (simcore_differences(s))
            fprintf(stderr, "deleted after %lld ms\n", (long long)ms);
        assert_well(s);
        simcore_free(s);
    }
}

static void a_move_has_both_patients_judged(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 400; ms += 7) {
        struct simcore *s = one_patient(SIM_FORM_PUT);

        put(s, "rx1", "p1", 6);
        simcore_run(s, ms);
        put(s, "rx1", "p2", 6);
        simcore_run(s, 10 * OW_SECOND); /* well before the search on schedule */
        if (simcore_differences(s))
            fprintf(stderr, "moved after %lld ms\n", (long long)ms);
        assert_int_equal(simcore_differences(s), 0);
        assert_true(simcore_settle(s, OW_HOUR));
        assert_well(s);
        simcore_free(s);
    }
}

static void whose_order_it_is_can_be_asked(void **state)
{
    struct simcore *s = one_patient(SIM_FORM_ID);

    (void)state;
    put(s, "rx1", "p1", 6);
    put(s, "rx2", "p1", 1);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    assert_int_equal(simehr_n_issues(s->ehr), 1);
    simehr_delete(s->ehr, "rx1");
    simehr_delete(s->ehr, "rx9");
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    assert_false(simehr_issue(s->ehr, 0)->open);
    simcore_free(s);
}

static void an_empty_notification_is_a_hint_to_search(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 300; ms += 7) {
        struct simcore *s = one_patient(SIM_FORM_EMPTY);

        put(s, "rx1", "p1", 6);
        simcore_run(s, ms);
        put(s, "rx2", "p2", 2);
        simcore_run(s, 10 * OW_SECOND); /* well before the search on schedule */
        assert_int_equal(simcore_differences(s), 0);
        assert_true(simcore_settle(s, OW_HOUR));
        assert_well(s);
        simcore_free(s);
    }
}

static void unreadable_answers_park_the_events_and_later_ones_are_judged(void **state)
{
    struct simcore *s = one_patient(SIM_FORM_PUT);

    (void)state;
    s->w->per_mille[SIM_GARBAGE] = 1000;
    put(s, "rx1", "p1", 6);
    simcore_run(s, 10 * OW_MINUTE);
    assert_int_equal(simcore_count(s)->parked, 1);
    assert_int_equal(s->counts.waiting, 0);
    s->w->per_mille[SIM_GARBAGE] = 0;
    put(s, "rx2", "p1", 1);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_int_equal(simcore_differences(s), 0);
    assert_int_equal(s->counts.parked, 1);
    simcore_free(s);
}

/* --- the Subscription --- */

static void a_subscription_that_is_gone_or_off_comes_back(void **state)
{
    const char *words[] = { "off", "error", NULL };

    (void)state;
    for (size_t i = 0; i < OW_LEN(words); i++) {
        struct simcore *s = one_patient(SIM_FORM_PUT);

        if (words[i])
            simehr_subscription_status(s->ehr, words[i]);
        else
            simehr_subscription_remove(s->ehr);
        put(s, "rx1", "p1", 6); /* nobody tells */
        simcore_run(s, 2 * OW_MINUTE);
        assert_int_equal(simehr_n_subscriptions(s->ehr), 1);
        assert_string_equal(ow_feed_state(s->feed), "active");
        assert_int_equal(simcore_differences(s), 0);
        simcore_free(s);
    }
}

static void starting_again_finds_the_subscription_that_is_there(void **state)
{
    struct simcore *s = one_patient(SIM_FORM_PUT);

    (void)state;
    for (int i = 0; i < 5; i++) {
        simcore_stop(s);
        simcore_start(s);
        simcore_run(s, OW_MINUTE);
    }
    assert_int_equal(simehr_n_subscriptions(s->ehr), 1);
    simcore_free(s);
}

static void with_first_load_new_the_past_is_left_alone_and_a_gap_is_not(void **state)
{
    struct simcore *s = simcore_new(5);

    (void)state;
    s->config.fhir_first_load = "new";
    simehr_patient(s->ehr, "p1", "1944-11-30");
    simehr_patient(s->ehr, "p2", "1944-11-30");
    put(s, "rx1", "p1", 6);
    simcore_run(s, OW_HOUR);
    simcore_start(s);
    simcore_run(s, 20 * OW_MINUTE);
    assert_int_equal(simehr_n_issues(s->ehr), 0);
    simcore_stop(s);
    simehr_settings(s->ehr)->drop = 1000;
    put(s, "rx2", "p2", 6);
    simcore_run(s, OW_HOUR);
    simcore_start(s);
    simcore_run(s, 20 * OW_MINUTE);
    assert_int_equal(simehr_n_issues(s->ehr), 1);
    assert_string_equal(simehr_issue(s->ehr, 0)->patient, "Patient/p2");
    simcore_free(s);
}

/* A load of one instant: more pages than pages_max, all with the same lastUpdated. */
static void a_load_of_one_instant_is_read_to_its_end(void **state)
{
    struct simcore *s = simcore_new(5);

    (void)state;
    s->config.fhir_pages_max = (struct ow_config_number){ true, OW_RATIO(3, 1) };
    simehr_settings(s->ehr)->page_most = 4;
    for (int i = 0; i < 40; i++) {
        char patient[16], id[16];

        snprintf(patient, sizeof patient, "p%d", i);
        snprintf(id, sizeof id, "rx%d", i);
        simehr_patient(s->ehr, patient, "1971-05-09");
        put(s, id, patient, 4);
    }
    simcore_start(s);
    assert_true(simcore_settle(s, OW_HOUR));
    assert_well(s);
    assert_int_equal(simehr_n_issues(s->ehr), 40);
    simcore_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_of_one_patient_is_judged_once_or_twice),
        cmocka_unit_test(a_change_during_a_round_is_answered_by_the_next),
        cmocka_unit_test(a_deletion_during_a_round_is_not_lost),
        cmocka_unit_test(a_move_has_both_patients_judged),
        cmocka_unit_test(whose_order_it_is_can_be_asked),
        cmocka_unit_test(an_empty_notification_is_a_hint_to_search),
        cmocka_unit_test(unreadable_answers_park_the_events_and_later_ones_are_judged),
        cmocka_unit_test(a_subscription_that_is_gone_or_off_comes_back),
        cmocka_unit_test(starting_again_finds_the_subscription_that_is_there),
        cmocka_unit_test(with_first_load_new_the_past_is_left_alone_and_a_gap_is_not),
        cmocka_unit_test(a_load_of_one_instant_is_read_to_its_end),
        cmocka_unit_test(after_an_hour_of_silence_critical_alerts_leave_first),
        cmocka_unit_test(while_the_ehr_is_down_memory_is_bounded_and_nothing_is_lost),
        cmocka_unit_test(retry_after_is_kept),
        cmocka_unit_test(retry_after_is_kept_when_reading),
        cmocka_unit_test(a_clock_that_is_set_holds_nothing_up),
        cmocka_unit_test(what_is_refused_becomes_a_dead_letter_and_the_rest_flows),
        cmocka_unit_test(the_nth_request_fails_in_every_way),
        cmocka_unit_test(power_goes_at_every_call_into_the_world),
        cmocka_unit_test(power_goes_in_the_middle_of_the_disks_work),
        cmocka_unit_test(a_day_passes_in_seconds_and_the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(storms_lose_nothing_and_show_nothing_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
