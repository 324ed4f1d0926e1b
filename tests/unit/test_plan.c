/*
 * Plan: lines of one order put in time, at the edges of numbers and of time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosage.h"
#include "base/text.h"
#include "tests/support/build.h"

#define MOST INT64_MAX
#define N(n)                                                                             \
    {                                                                                    \
        true,                                                                            \
        {                                                                                \
            n, 1                                                                         \
        }                                                                                \
    }

static const struct ow_product tablet = {
    .rxcui = "1",
    .name = "morphine 10 MG Oral Tablet",
    .ingredient = "Morphine",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Oral Tablet",
    .form = OW_FORM_ORAL_SOLID,
    .has_form = true,
};
static const struct ow_product patch = {
    .rxcui = "2",
    .name = "fentanyl 0.025 MG/HR Transdermal System",
    .ingredient = "Fentanyl",
    .strength = {1, 40},
    .strength_unit = OW_STRENGTH_MG_HR,
    .dose_form = "Transdermal System",
    .form = OW_FORM_TRANSDERMAL,
    .has_form = true,
    .is_patch = true,
};

enum { LINES = 120 };

static struct ow_arena arena;
static struct ow_dosage lines[LINES];
static struct ow_dose_rate rates[LINES];
static struct ow_order order;
static struct ow_dose dose;
static struct ow_err err;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    memset(lines, 0, sizeof lines);
    memset(rates, 0, sizeof rates);
    order = (struct ow_order){ .dosages = lines };
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_quantity quantity(int64_t num, int64_t den, const char *unit)
{
    return (struct ow_quantity){
        .has_value = true, .value = {num, den},
             .unit = unit
    };
}

/* One line more: so many tablets a day. */
static struct ow_dosage *line(int64_t tablets)
{
    struct ow_dosage *d = &lines[order.n_dosages];
    struct ow_dose_rate *r = &rates[order.n_dosages++];

    *r = (struct ow_dose_rate){ .has_dose = true, .dose = quantity(1, 1, "tablet") };
    *d = (struct ow_dosage){ .doses = r, .n_doses = 1, .has_timing = true };
    d->timing.frequency = (struct ow_number)N(tablets);
    d->timing.period = (struct ow_number)N(1);
    d->timing.period_unit = "d";
    return d;
}

/* The same from so many mg to so many, once a day. */
static struct ow_dosage *range(struct ow_ratio low, struct ow_ratio high)
{
    struct ow_dosage *d = line(1);
    struct ow_dose_rate *r = &rates[order.n_dosages - 1];

    r->has_dose = false;
    r->has_dose_range = true;
    r->dose_range.low = quantity(low.num, low.den, "mg");
    r->dose_range.high = quantity(high.num, high.den, "mg");
    return d;
}

static void sequence(struct ow_dosage *d, int64_t number)
{
    d->has_sequence = true;
    d->sequence = number;
}

static void for_days(struct ow_dosage *d, int days)
{
    d->timing.bounds = OW_BOUNDS_DURATION;
    d->timing.bounds_duration = quantity(days, 1, "d");
}

static void between(struct ow_dosage *d, ow_time from, ow_time until)
{
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ from, until };
}

static void authored(ow_time at)
{
    order.has_authored = true;
    order.authored = (struct ow_span){ at, at + 1 };
}

/* "0-3: 40 to 40; 3-: 20 to 20" in days and mg, or why it is refused. */
static const char *plan_of(const struct ow_product *p)
{
    const char *ret = "";

    if (ow_dosage_read(build_knowledge(), &order, p, &arena, &dose, &err) != OW_OK)
        return err.text;
    for (size_t i = 0; i < dose.n_steps; i++) {
        const struct ow_dose_step *s = &dose.steps[i];
        char low[OW_RATIO_TEXT], high[OW_RATIO_TEXT], until[24] = "";

        if (s->until_ms != INT64_MAX)
            (void)snprintf(until, sizeof until, "%g",
                           (double)s->until_ms / (double)OW_DAY);
        ret = ow_arena_printf(&arena, "%s%s%g-%s: %s to %s", ret, i > 0 ? "; " : "",
                              (double)s->from_ms / (double)OW_DAY, until,
                              ow_ratio_format(s->low, 6, low),
                              ow_ratio_format(s->high, 6, high));
        assert_true(s->from_ms < s->until_ms);
    }
    return ret;
}

static void an_order_has_at_most_a_hundred_lines(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        for_days(line(1), 1);
    assert_string_equal(plan_of(&tablet), "0-1: 1000 to 1000");
    ow_dosage_extent(build_knowledge(), &order, &arena, &dose);
    assert_true(dose.has_length);
    for_days(line(1), 1);
    assert_string_equal(plan_of(&tablet), "more than 100 dosage lines");
    ow_dosage_extent(build_knowledge(), &order, &arena, &dose);
    assert_false(dose.has_length);
}

static void a_sum_that_leaves_64_bits_is_refused(void **state)
{
    const struct ow_ratio one = { 1, 1 }, a = { 1, MOST }, b = { 1, MOST - 1 };

    (void)state;
    range(a, a);
    range(b, b);
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
    order.n_dosages = 0; /* only the least of them */
    range(a, one);
    range(b, one);
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
    sequence(&lines[0], 1); /* one after the other there is nothing to add */
    sequence(&lines[1], 2);
    for_days(&lines[0], 1);
    for_days(&lines[1], 1);
    assert_string_equal(plan_of(&tablet), "0-1: <0.000001 to 1; 1-2: <0.000001 to 1");
    lines[1].sequence = 1; /* in one place of the sequence there is */
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
}

static void a_sum_of_the_largest_step_is_refused_alike(void **state)
{
    const struct ow_ratio a = { 1, MOST }, b = { 1, MOST - 1 };

    (void)state;
    sequence(range(a, a), 1); /* without an end */
    sequence(range(b, b), 1);
    sequence(line(2), 2);
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
    order.n_dosages = 0;
    sequence(range(a, a), 1);
    sequence(range(a, a), 2);
    assert_string_equal(plan_of(&tablet), "0-: <0.000001 to <0.000001");
    range(b, b); /* beside them */
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
}

static void a_line_beside_steps_may_begin_before_them(void **state)
{
    (void)state;
    authored(10 * OW_DAY);
    sequence(line(2), 1);
    sequence(line(4), 2);
    between(line(1), 5 * OW_DAY, 15 * OW_DAY);
    assert_string_equal(plan_of(&tablet), "0-5: 10 to 10; 5-10: 30 to 50; 10-: 20 to 40");
}

static void steps_that_end_before_the_order_begins_cover_no_time(void **state)
{
    (void)state;
    authored(100 * OW_DAY);
    between(line(1), OW_TIME_MIN, 10 * OW_DAY);
    between(line(2), OW_TIME_MIN, 20 * OW_DAY);
    assert_string_equal(plan_of(&tablet), "the dosage covers no time");
}

static void a_period_farther_than_64_bits_is_open(void **state)
{
    (void)state;
    between(line(1), INT64_MIN + 1, INT64_MIN + 1 + OW_DAY);
    between(line(2), INT64_MAX - 2, INT64_MAX - 1);
    assert_string_equal(plan_of(&tablet), "0-1: 10 to 10");
    assert_int_equal(dose.last_ms, OW_DAY);
}

static void steps_without_a_timing_are_not_those_of_one_day(void **state)
{
    static const char *const morning[] = { "MORN" };

    (void)state;
    for (int i = 0; i < 3; i++) {
        order.n_dosages = 0;
        for (int k = 0; k < 2; k++) {
            struct ow_dosage *d = line(1);

            rates[k].dose = quantity(k + 1, 1, "patch");
            sequence(d, k);
            d->has_timing = i != k;
            d->timing = (struct ow_timing){ .when = morning, .n_when = 1 };
        }
        assert_string_equal(plan_of(&patch), "0-: 25 to 50");
    }
}

/* ---- text beside the structure ---- */

static void text_widens_each_line_for_its_own_time(void **state)
{
    struct ow_dosage *a = line(3), *b = line(6);

    (void)state;
    between(a, 0, 10 * OW_DAY);
    between(b, 10 * OW_DAY, 20 * OW_DAY);
    a->text = "Take 1 tablet in the morning and 2 tablets at bedtime";
    b->text = "Take 2 tablets in the morning and 4 tablets at bedtime";
    assert_string_equal(plan_of(&tablet), "0-10: 30 to 30; 10-20: 60 to 60");
    assert_false(dose.flags & OW_FLAG_TEXT_DIFFERS);
    b->text = "Take 2 tablets in the morning and 5 tablets at bedtime";
    assert_string_equal(plan_of(&tablet), "0-10: 30 to 30; 10-20: 60 to 70");
    assert_true(dose.flags & OW_FLAG_TEXT_DIFFERS);
    b->text = "Take 2 tablets in the morning and 5 tablets at bedtime for 3 days";
    assert_string_equal(plan_of(&tablet), "0-10: 30 to 30; 10-13: 60 to 70; 13-20: 60 to "
                                          "60");
    between(line(2), 20 * OW_DAY, 30 * OW_DAY); /* a text may end before its line does */
    lines[2].text = "Take 2 tablets daily";
    assert_string_equal(plan_of(&tablet), "0-10: 30 to 30; 10-13: 60 to 70; 13-20: 60 to "
                                          "60; 20-30: 20 to 20");
    order.n_dosages = 2;
    b->text = "as he likes it"; /* what cannot be read changes nothing */
    assert_string_equal(plan_of(&tablet), "0-10: 30 to 30; 10-20: 60 to 60");
}

static void text_of_lines_in_sequence_goes_with_each_step(void **state)
{
    struct ow_dosage *a = line(3), *b = line(1);

    (void)state;
    sequence(a, 1);
    sequence(b, 2);
    for_days(a, 5);
    for_days(b, 5);
    a->text = "Take 1 tablet in the morning and 2 tablets at bedtime";
    b->text = "Take 1 tablet once daily";
    assert_string_equal(plan_of(&tablet), "0-5: 30 to 30; 5-10: 10 to 10");
}

static void a_taper_in_the_text_of_one_line_is_compared_step_by_step(void **state)
{
    struct ow_dosage *a = line(1);

    (void)state;
    for_days(a, 10);
    a->text = "Take 3 tablets daily for 3 days, then 2 tablets daily for 3 days";
    assert_string_equal(plan_of(&tablet), "0-3: 10 to 30; 3-6: 10 to 20; 6-10: 10 to 10");
    assert_true(dose.flags & OW_FLAG_TEXT_DIFFERS);
    sequence(a, 1);
    assert_string_equal(plan_of(&tablet), "0-3: 10 to 30; 3-6: 10 to 20; 6-10: 10 to 10");
    a->timing.bounds = OW_BOUNDS_NONE;
    a->text = "Take 3 tablets daily for 3 days, then 1 tablet daily";
    assert_string_equal(plan_of(&tablet), "0-3: 10 to 30; 3-: 10 to 10");
}

static void one_text_on_every_line_is_that_of_the_order(void **state)
{
    struct ow_dosage *a = line(1), *b = line(2);

    (void)state;
    a->text = b->text = "Take 1 tablet in the morning and 2 tablets at bedtime";
    assert_string_equal(plan_of(&tablet), "0-: 30 to 30");
    assert_false(dose.flags & OW_FLAG_TEXT_DIFFERS);
    a->text = b->text = "Take 4 tablets daily";
    assert_string_equal(plan_of(&tablet), "0-: 30 to 40");
    b->patient_instruction = "with water"; /* no longer one: 4 and 4 */
    assert_string_equal(plan_of(&tablet), "0-: 30 to 80");
}

static void a_text_whose_lines_cannot_be_placed_changes_nothing(void **state)
{
    struct ow_dosage *a = line(1), *b = range(OW_RATIO(1, MOST), OW_RATIO(1, 1));

    (void)state;
    a->text = "Take 1 tablet daily";
    assert_string_equal(plan_of(&tablet), "the dose is out of range");
    rates[0] = rates[1]; /* with itself it adds up */
    a->text = NULL;
    assert_string_equal(plan_of(&tablet), "0-: <0.000001 to 2");
    b->text = "Take 0.001 mg daily"; /* and with this it does not */
    assert_string_equal(plan_of(&tablet), "0-: <0.000001 to 2");
    assert_false(dose.flags & OW_FLAG_TEXT_DIFFERS);
    rates[0] = (struct ow_dose_rate){ .has_dose = true,
                                      .dose = quantity(1, 1, "tablet") };
    a->text = "Take 1 tablet daily";
    rates[1].dose_range.low.has_value = false;
    rates[1].dose_range.high = quantity(10, 1, "mg");
    b->text = "Take 2 tablets daily";
    assert_string_equal(plan_of(&tablet), "0-: 20 to 30");
}

/* ---- supply ---- */

static const char *supply_of(const struct ow_product *p)
{
    char text[OW_RATIO_TEXT];

    if (ow_dosage_from_supply(build_knowledge(), &order, p, &arena, &dose, &err) != OW_OK)
        return err.text;
    return ow_arena_printf(&arena, "%s: %s", dose.steps[0].words,
                           ow_ratio_format(dose.steps[0].high, 6, text));
}

static void days_of_supply_are_a_positive_length(void **state)
{
    const char *none = "the days' supply is no length of time";

    (void)state;
    order.supply_quantity = quantity(30, 1, "tablet");
    order.supply_duration = quantity(10, 1, "d");
    assert_string_equal(supply_of(&tablet), "30 tablets / 10 d x 10 mg: 30");
    order.supply_duration = quantity(10, 1, NULL);
    assert_string_equal(supply_of(&tablet), none);
    order.kind = OW_DISPENSE; /* daysSupply: the name is the unit */
    assert_string_equal(supply_of(&tablet), "30 tablets / 10 d x 10 mg: 30");
    order.supply_duration.unit = order.supply_duration.code = "";
    assert_string_equal(supply_of(&tablet), "30 tablets / 10 d x 10 mg: 30");
    order.supply_duration.comparator = "<";
    assert_string_equal(supply_of(&tablet), none);
    order.supply_duration = quantity(0, 1, NULL);
    assert_string_equal(supply_of(&tablet), none);
    order.supply_duration = quantity(-3, 1, NULL);
    assert_string_equal(supply_of(&tablet), none);
    order.supply_duration = quantity(1, MOST, "s");
    assert_string_equal(supply_of(&tablet), none);
    order.supply_duration = quantity(2, 1, NULL);
    order.supply_duration.code = "wk";
    assert_string_equal(supply_of(&tablet), "30 tablets / 14 d x 10 mg: 21.428571");
    order.supply_duration.code = "d";
    order.supply_quantity = quantity(1, MOST, "mg");
    order.supply_duration = quantity(7, 1, "d");
    assert_string_equal(supply_of(&tablet), "the quantity supplied is out of range");
}

static void patches_supplied_are_counted_not_weighed(void **state)
{
    struct ow_ratio all;
    struct ow_product weekly = patch;

    (void)state;
    order.supply_quantity = quantity(10, 1, "patch");
    order.supply_duration = quantity(30, 1, "d");
    assert_string_equal(supply_of(&patch), "10 patches x 72 h / 30 d x 25 ug/h: 25");
    weekly.patch_hours = 168;
    assert_string_equal(supply_of(&weekly),
                        "10 patches x 168 h / 30 d x 25 ug/h: 58.333333");
    assert_true(ow_supply_amount(build_knowledge(), &order, &patch, &arena, &all));
    order.supply_quantity = quantity(10, 1, "ug/h");
    assert_string_equal(supply_of(&patch), "quantity supplied: no number of patches");
    assert_false(ow_supply_amount(build_knowledge(), &order, &patch, &arena, &all));
    order.supply_quantity = quantity(MOST / 25, 1, "patch");
    assert_string_equal(supply_of(&patch), "the quantity supplied is out of range");
    order.supply_quantity = quantity(1, MOST / 1000, "patch");
    order.supply_duration = quantity(MOST / OW_DAY, 7, "d");
    assert_string_equal(supply_of(&patch), "the quantity supplied is out of range");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_order_has_at_most_a_hundred_lines),
        TEST(a_sum_that_leaves_64_bits_is_refused),
        TEST(a_sum_of_the_largest_step_is_refused_alike),
        TEST(a_line_beside_steps_may_begin_before_them),
        TEST(steps_that_end_before_the_order_begins_cover_no_time),
        TEST(a_period_farther_than_64_bits_is_open),
        TEST(steps_without_a_timing_are_not_those_of_one_day),
        TEST(text_widens_each_line_for_its_own_time),
        TEST(text_of_lines_in_sequence_goes_with_each_step),
        TEST(a_taper_in_the_text_of_one_line_is_compared_step_by_step),
        TEST(one_text_on_every_line_is_that_of_the_order),
        TEST(a_text_whose_lines_cannot_be_placed_changes_nothing),
        TEST(days_of_supply_are_a_positive_length),
        TEST(patches_supplied_are_counted_not_weighed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
