/*
 * Timeline: sums at instants, steps of a taper, the peak and its instant
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static struct build *fresh(void)
{
    static struct build b;
    static bool used;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    return &b;
}

static void assert_ratio(struct ow_ratio got, const char *want)
{
    char text[OW_RATIO_TEXT];

    assert_string_equal(ow_ratio_format(got, 2, text), want);
}

static void lasts(struct ow_dosage *d, int64_t sequence, int days)
{
    d->has_sequence = true;
    d->sequence = sequence;
    if (days == 0)
        return;
    d->timing.bounds = OW_BOUNDS_DURATION;
    d->timing.bounds_duration = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(days, 1), .unit = "d", .code = "d"
    };
}

/* 4, then 2, then 1 tablet of 20 mg a day, a week each, from 1 March on. */
static struct ow_order *build_taper(struct build *b, bool up)
{
    struct ow_order *o = build_order(b, "t", RX_OXYCODONE_20);

    lasts(build_dose(b, o, "1", "tablet", up ? 1 : 4), 1, 7);
    lasts(build_dose(b, o, "1", "tablet", 2), 2, 7);
    lasts(build_dose(b, o, "1", "tablet", up ? 4 : 1), 3, 7);
    return o;
}

static void a_taper_counts_the_step_in_force(void **state)
{
    static const struct {
        const char *at, *now, *peak;
    } cases[] = {
        {"2026-03-01T00:00:00Z",  "120", "120"},
        { "2026-03-07T23:59:59Z", "120", "120"},
        { "2026-03-08T00:00:00Z", "60",  "60" },
        { "2026-03-15T00:00:00Z", "30",  "30" },
        { "2026-03-21T23:59:59Z", "30",  "30" },
        { "2026-03-22T00:00:00Z", NULL,  NULL },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;

        build_at(b, cases[i].at);
        build_taper(b, false);
        v = build_judge(b);
        assert_int_equal(v->total.has_now, cases[i].now != NULL);
        if (cases[i].now == NULL) {
            assert_string_equal(ow_role_name(v->lines[0].role), "inactive");
            continue;
        }
        assert_ratio(v->total.now, cases[i].now);
        assert_ratio(v->total.peak, cases[i].peak);
        assert_ratio(v->lines[0].med, cases[i].now);
        assert_int_equal(v->lines[0].n_steps, 3);
    }
}

static void an_upward_titration_peaks_at_its_last_step(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_taper(b, true);
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_ratio(v->total.peak, "120");
    assert_true(v->peak_at == build_time("2026-03-15").from);
    assert_non_null(strstr(v->lines[0].derivation, "; from 2026-03-15: "));
}

static void lines_without_a_sequence_add_up(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);

    (void)state;
    build_dose(b, o, "1", "tablet", 4);
    build_dose(b, o, "2", "tablet", 1);
    assert_ratio(build_judge(b)->total.now, "90");
}

static void the_peak_is_where_spans_overlap(void **state)
{
    struct build *b = fresh();
    struct ow_order *o;
    const struct ow_verdict *v;

    (void)state;
    o = build_order(b, "a", RX_OXYCODONE_10); /* 60, 1 to 10 March */
    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "40", 10);
    o = build_order(b, "b", RX_MORPHINE_15); /* 45, 11 to 20 March: never together */
    build_dose(b, o, "1", "tablet", 3);
    build_supply(o, "30", 10);
    o->authored = build_time("2026-03-11");
    o = build_order(b, "c", RX_OXYCODONE_5); /* 30, 12 March on */
    build_dose(b, o, "1", "tablet", 4);
    o->authored = build_time("2026-03-12");
    v = build_judge(b);
    assert_ratio(v->total.now, "60");
    assert_ratio(v->total.peak, "75");
    assert_true(v->peak_at == build_time("2026-03-12").from);
}

static void one_that_ends_as_another_starts_does_not_overlap(void **state)
{
    struct build *b = fresh();
    struct ow_dosage *d;
    const struct ow_verdict *v;

    (void)state;
    d = build_dose(b, build_order(b, "a", RX_OXYCODONE_10), "1", "tablet", 4);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-03-01").from,
                                                build_time("2026-03-10").from };
    d = build_dose(b, build_order(b, "b", RX_OXYCODONE_10), "1", "tablet", 4);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-03-10").from,
                                                build_time("2026-03-20").from };
    v = build_judge(b);
    assert_ratio(v->total.peak, "60");
    assert_true(v->peak_at == v->at);
}

static void patches_worn_at_once_count_by_their_rate(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_dose(b, build_order(b, "a", RX_FENTANYL_25), "2", "patch", 1);
    v = build_judge(b);
    assert_ratio(v->total.now, "120");
    assert_ratio(v->lines[0].factor, "2.4");
    assert_string_equal(v->lines[0].dose_unit, "ug/h");
}

static void sums_are_exact_and_rounded_at_the_very_end(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;
    char id[16];

    (void)state;
    for (int i = 0; i < 7; i++) { /* seven sevenths of 5 mg a day */
        struct ow_order *o;
        struct ow_dosage *d;

        (void)snprintf(id, sizeof id, "w%d", i);
        o = build_order(b, id, RX_OXYCODONE_5);
        d = build_dose(b, o, "1", "tablet", 1);
        d->timing.period_unit = "wk";
    }
    v = build_judge(b);
    assert_int_equal(ow_ratio_cmp(v->total.now, OW_RATIO(15, 2)), 0);
}

static void as_needed_counts_in_full_and_the_low_dose_is_told(void **state)
{
    struct build *b = fresh();
    struct ow_dosage *d = build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1",
                                     "tablet", 2);
    const struct ow_verdict *v;

    (void)state;
    d->as_needed = true;
    d->timing.frequency_max = (struct ow_number){ true, OW_RATIO(4, 1) };
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_ratio(v->lines[0].med, "30");
    assert_ratio(v->lines[0].med_low, "15");
    assert_true((v->lines[0].flags & OW_FLAG_PRN) != 0);
    assert_true((v->lines[0].flags & OW_FLAG_RANGE) != 0);
}

static void dated(struct ow_dosage *d, const char *from, const char *until)
{
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time(from).from,
                                                build_time(until).from };
}

static void a_line_without_dates_begins_with_the_order(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10); /* of 1 March */

    (void)state;
    build_dose(b, o, "1", "tablet", 2);
    dated(build_dose(b, o, "1", "tablet", 4), "2026-03-10", "2026-03-20");
    assert_ratio(build_judge(b)->total.now, "30");
    assert_ratio(build_judge(b)->total.peak, "90");
}

static void a_line_that_begins_later_is_not_there_before(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    const struct ow_verdict *v;

    (void)state;
    dated(build_dose(b, o, "1", "tablet", 2), "2026-02-20", "2026-02-25");
    dated(build_dose(b, o, "1", "tablet", 4), "2026-03-10", "2026-03-20");
    v = build_judge(b);
    assert_false(v->total.has_now);
    assert_ratio(v->total.peak, "60");
    assert_ratio(v->lines[0].med, "60"); /* the next one speaks, not the last one */
}

static void a_supply_does_not_cut_directions_that_go_on(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    const struct ow_verdict *v;

    (void)state;
    lasts(build_dose(b, o, "1", "tablet", 2), 1, 14);
    lasts(build_dose(b, o, "1", "tablet", 4), 2, 0);
    build_supply(o, "14", 7); /* a first fill */
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_ratio(v->total.peak, "60");
}

static void the_least_methadone_has_its_own_band(void **state)
{
    struct build *b = fresh();
    struct ow_dosage *d;

    (void)state;
    build_preset(b, "cdc-2016");
    d = build_dose(b, build_order(b, "a", RX_METHADONE_10), "1", "tablet", 2); /* 10 mg */
    d->timing.frequency_max = (struct ow_number){ true, OW_RATIO(4, 1) };
    assert_ratio(build_judge(b)->lines[0].med, "320");    /* 40 mg x 8 */
    assert_ratio(build_judge(b)->lines[0].med_low, "80"); /* 20 mg x 4 */
}

static void no_day_has_more_than_a_lifetime(void **state)
{
    struct build *b = fresh();
    struct ow_dosage *d = build_dose(b, build_order(b, "a", RX_OXYCODONE_10), "2",
                                     "tablet", 4);

    (void)state;
    d->has_max_per_lifetime = true;
    d->max_per_lifetime = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(5, 1), .unit = "tablet", .code = "{tablet}"
    };
    assert_ratio(build_judge(b)->total.now, "75");
    assert_string_equal(build_judge(b)->lines[0].derivation,
                        "2 tablets x 4/d x 10 mg, at most 50 mg in all x 1.5 = 75 MME/d");
}

static void an_opioid_without_a_factor_ends_with_its_count(void **state)
{
    struct build *b = fresh();
    struct ow_dosage *d = build_dose(b, build_order(b, "a", RX_LEVORPHANOL_2), "1",
                                     "tablet", 2);
    const struct ow_verdict *v;

    (void)state;
    build_at(b, "2026-03-20T08:00:00Z");
    d->timing.count = (struct ow_number){ true, OW_RATIO(10, 1) };
    v = build_judge(b);
    assert_string_equal(ow_role_name(v->lines[0].role), "inactive");
    assert_false(v->at_least);
}

static void a_supply_in_a_foreign_unit_tells_no_length(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);

    (void)state;
    build_dose(b, o, "1", "tablet", 4);
    o->supply_quantity = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(8, 1), .unit = "patch", .code = "{patch}"
    };
    assert_true(build_judge(b)->lines[0].span.until == OW_TIME_MAX);
}

static void a_taper_of_some_day_of_a_month_counts_its_largest_step(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_taper(b, false);
    const struct ow_verdict *v;

    (void)state;
    o->authored = build_time("2026-02"); /* it may have begun on the 28th */
    v = build_judge(b);
    assert_ratio(v->total.now, "120");
    assert_ratio(v->lines[0].med_low, "30");
}

/* ---- the ceilings of exact sums ---- */

static void what_is_too_large_to_add_is_unreadable_and_says_so(void **state)
{
    static const struct {
        const char *rxcui, *tablets;
        bool fits;
    } cases[] = {
  /* MME and mg together stay below 2^20 */
        {RX_OXYCODONE_10,  "41943",               true }, /* 629145 and 419430 */
        { RX_OXYCODONE_10, "41944",               false},
        { RX_OXYCODONE_5,  "1800000000000000000", false}, /* 9E18 mg, times 1.5 */
        { RX_CODEINE_SOMA, "56987",               true }, /* 136768.8 and 911792 */
        { RX_CODEINE_SOMA, "56988",               false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_line *l;

        build_dose(b, build_order(b, "a", cases[i].rxcui), cases[i].tablets, "tablet", 1);
        l = build_line(build_judge(b), "a");
        if ((l->role == OW_ROLE_COUNTED) != cases[i].fits)
            fail_msg("case %zu: %s (%s)", i, ow_role_name(l->role), l->reason);
        if (!cases[i].fits)
            assert_true(ow_starts_with(l->reason, "its figures are too large"));
    }
}

static void orders_are_added_as_long_as_their_sum_fits(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_10), "40000", "tablet", 1);
    build_dose(b, build_order(b, "b", RX_OXYCODONE_10), "40000", "tablet", 1);
    v = build_judge(b);
    assert_ratio(v->total.now, "600000");
    assert_int_equal(build_line(v, "b")->role, OW_ROLE_UNREADABLE);
    assert_true(v->at_least);
}

static void a_supply_too_large_to_add_leaves_the_directions(void **state)
{
    static const struct {
        const char *rxcui, *quantity, *med;
    } cases[] = {
        {RX_OXYCODONE_5,   "1800000000000000000", "7.5"}, /* 9E18 mg, times 1.5 */
        { RX_CODEINE_SOMA, "66000",               "2.4"}, /* its mg do not, its MME would */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        struct ow_order *o = build_order(b, "a", cases[i].rxcui);
        const struct ow_verdict *v;

        build_dose(b, o, "1", "tablet", 1);
        build_supply(o, cases[i].quantity, 1);
        v = build_judge(b);
        assert_ratio(v->total.now, cases[i].med);
        assert_false(build_line(v, "a")->has_supplied);
    }
}

static void a_least_dose_too_fine_to_multiply_is_told_as_the_highest(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    struct ow_dosage *d = build_dose(b, o, "10", "mg", 1);
    struct ow_dose_rate *r = OW_NEW(&b->arena, struct ow_dose_rate);
    const struct ow_verdict *v;

    (void)state;
    *r = (struct ow_dose_rate){ .has_dose_range = true };
    r->dose_range.low = r->dose_range.high = d->doses[0].dose;
    r->dose_range.low.value = build_ratio("7.234567890123456789"); /* times 1.5? */
    d->doses = r;
    v = build_judge(b);
    assert_ratio(build_line(v, "a")->med, "15");
    assert_ratio(build_line(v, "a")->med_low, "15");
}

/* ---- steps ---- */

static void the_last_step_of_a_taper_may_have_no_end(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "t", RX_OXYCODONE_20);
    const struct ow_verdict *v;

    (void)state;
    lasts(build_dose(b, o, "1", "tablet", 4), 1, 7);
    lasts(build_dose(b, o, "1", "tablet", 1), 2, 0);
    build_at(b, "2026-04-20T08:00:00Z");
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_ratio(v->lines[0].med, "30");
}

static void within(struct ow_dosage *d, const char *from, const char *until)
{
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time(from).from,
                                                build_time(until).until };
}

static void the_one_step_left_begins_where_it_says(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    struct ow_dosage *d;
    const struct ow_verdict *v;

    (void)state;
    o->authored = build_time("2026-03-05");
    within(build_dose(b, o, "1", "tablet", 4), "2026-03-10", "2026-03-20");
    d = build_dose(b, o, "9", "tablet", 4); /* over before the order was written */
    within(d, "2026-03-01", "2026-03-01");
    d->timing.bounds_period.from = OW_TIME_MIN;
    v = build_judge(b);
    assert_false(v->total.has_now);
    assert_ratio(v->total.peak, "60");
    assert_true(v->peak_at == build_time("2026-03-10").from);
}

static void methadone_cut_before_its_next_step_keeps_its_own_band(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_METHADONE_10);
    const struct ow_verdict *v;

    (void)state;
    build_preset(b, "cdc-2016");
    within(build_dose(b, o, "1", "tablet", 2), "2026-02-01", "2026-02-20");
    within(build_dose(b, o, "1", "tablet", 3), "2026-03-20", "2026-03-30");
    o = build_order(b, "b", RX_OXYCODONE_10);
    build_dose(b, o, "1", "tablet", 4);
    o->prior = "MedicationRequest/a";
    o->authored = build_time("2026-03-10"); /* between the steps of the first */
    v = build_judge(b);
    assert_int_equal(build_line(v, "a")->role, OW_ROLE_COUNTED);
    assert_ratio(build_line(v, "a")->med, "240");
    assert_ratio(build_line(v, "a")->med_low, "240");
    assert_false(v->total.has_now);
    assert_ratio(v->total.peak, "60"); /* what is never reached adds nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taper_counts_the_step_in_force),
        cmocka_unit_test(an_upward_titration_peaks_at_its_last_step),
        cmocka_unit_test(lines_without_a_sequence_add_up),
        cmocka_unit_test(the_peak_is_where_spans_overlap),
        cmocka_unit_test(one_that_ends_as_another_starts_does_not_overlap),
        cmocka_unit_test(patches_worn_at_once_count_by_their_rate),
        cmocka_unit_test(sums_are_exact_and_rounded_at_the_very_end),
        cmocka_unit_test(as_needed_counts_in_full_and_the_low_dose_is_told),
        cmocka_unit_test(a_line_without_dates_begins_with_the_order),
        cmocka_unit_test(a_line_that_begins_later_is_not_there_before),
        cmocka_unit_test(a_supply_does_not_cut_directions_that_go_on),
        cmocka_unit_test(the_least_methadone_has_its_own_band),
        cmocka_unit_test(no_day_has_more_than_a_lifetime),
        cmocka_unit_test(an_opioid_without_a_factor_ends_with_its_count),
        cmocka_unit_test(a_supply_in_a_foreign_unit_tells_no_length),
        cmocka_unit_test(a_taper_of_some_day_of_a_month_counts_its_largest_step),
        cmocka_unit_test(what_is_too_large_to_add_is_unreadable_and_says_so),
        cmocka_unit_test(orders_are_added_as_long_as_their_sum_fits),
        cmocka_unit_test(a_supply_too_large_to_add_leaves_the_directions),
        cmocka_unit_test(a_least_dose_too_fine_to_multiply_is_told_as_the_highest),
        cmocka_unit_test(the_last_step_of_a_taper_may_have_no_end),
        cmocka_unit_test(the_one_step_left_begins_where_it_says),
        cmocka_unit_test(methadone_cut_before_its_next_step_keeps_its_own_band),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
