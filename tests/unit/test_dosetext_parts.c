/*
 * Dosetext, part by part: when a text is asked at all, and what may stand beside it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosetext.h"
#include "base/text.h"
#include "tests/support/build.h"

#define Q(n, u)                                                                          \
    {                                                                                    \
        .has_value = true, .value = { n, 1 }, .unit = u                                  \
    }
#define N(n)                                                                             \
    {                                                                                    \
        true,                                                                            \
        {                                                                                \
            n, 1                                                                         \
        }                                                                                \
    }

static struct ow_product oxycodone = {
    .rxcui = "1",
    .name = "oxycodone 5 MG Oral Tablet",
    .ingredient = "Oxycodone",
    .strength = {5, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Oral Tablet",
    .form = OW_FORM_ORAL_SOLID,
    .has_form = true,
};

static struct ow_arena arena;
static struct ow_order order;
static struct ow_dosage dosage;
static struct ow_dose_rate rate;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    oxycodone.co_ingredients = "";
    oxycodone.strength = OW_RATIO(5, 1);
    rate = (struct ow_dose_rate){ .has_dose = false };
    dosage = (struct ow_dosage){ .text = "take 1 tablet daily" };
    order = (struct ow_order){ .dosages = &dosage, .n_dosages = 1 };
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_dose_context context(void)
{
    return (struct ow_dose_context){ .kb = build_knowledge(),
                                     .order = &order,
                                     .product = &oxycodone,
                                     .basis = OW_BASIS_MG_DAY,
                                     .arena = &arena };
}

static bool wanted(void)
{
    struct ow_dose_context ctx = context();

    return ow_dose_text_wanted(&ctx, &dosage);
}

/* "words [high/low]" of every line, or why not. */
static const char *reads(void)
{
    struct ow_dose_context ctx = context();
    struct ow_dose_line *lines;
    struct ow_err err;
    const char *ret = "";
    size_t n = 0;

    if (ow_dose_text_read(&ctx, &dosage, false, &lines, &n, &err) != OW_OK)
        return ow_arena_strdup(&arena, err.text);
    for (size_t i = 0; i < n; i++) {
        char high[OW_RATIO_TEXT], low[OW_RATIO_TEXT];

        ret = ow_arena_printf(&arena, "%s%s%s [%s/%s]%s%s", ret, i > 0 ? "; " : "",
                              lines[i].words, ow_ratio_format(lines[i].high, 6, high),
                              ow_ratio_format(lines[i].low, 6, low),
                              lines[i].flags & OW_FLAG_PRN ? " prn" : "",
                              lines[i].flags & OW_FLAG_TEXT_DIFFERS ? " differs" : "");
    }
    return ret;
}

static void a_text_is_asked_when_dose_or_frequency_is_missing(void **state)
{
    static const char *const days[] = { "mon" }, *const at[] = { "08:00" },
                             *const when[] = { "MORN" };
    static const struct ow_timing often[] = {
        {.frequency = N(1)     },
        { .frequency_max = N(1)},
        { .period = N(1)       },
        { .period_max = N(1)   },
        { .when = when,          .n_when = 1 },
        { .time_of_day = at,                     .n_time_of_day = 1 },
        { .day_of_week = days,.n_day_of_week = 1 },
        { .count = N(1)  },
        { .count_max = N(1)                    },
        { .code = { .text = "BID" }                   },
    };

    (void)state;
    assert_true(wanted());
    dosage.doses = &rate;
    dosage.n_doses = 1;
    dosage.has_timing = true;
    dosage.timing = often[0];
    assert_true(wanted()); /* the doseAndRate says nothing */
    rate.has_dose_range = true;
    assert_false(wanted());
    rate.has_dose_range = false;
    rate.has_dose = true;
    for (size_t i = 0; i < OW_LEN(often); i++) {
        dosage.timing = often[i];
        if (wanted())
            fail_msg("case %zu", i);
    }
    dosage.timing = (struct ow_timing){ .code = { .text = "now and then" } };
    assert_true(wanted());
    dosage.has_timing = false;
    assert_true(wanted());
    dosage.refused = "a modifier"; /* then nothing may stand for it */
    assert_false(wanted());
    dosage.refused = NULL;
    dosage.text = " ";
    assert_false(wanted());
}

static void a_rate_needs_no_text(void **state)
{
    (void)state;
    dosage.doses = &rate;
    dosage.n_doses = 1;
    for (int i = 0; i < 3; i++) {
        rate = (struct ow_dose_rate){ .has_rate = i == 0,
                                      .has_rate_range = i == 1,
                                      .has_rate_ratio = i == 2 };
        assert_false(wanted());
    }
}

static void text_and_the_same_instruction_are_one(void **state)
{
    (void)state;
    assert_string_equal(reads(), "text: 1 tablet x 1/d x 5 mg [5/5]");
    dosage.patient_instruction = dosage.text;
    assert_string_equal(reads(), "text: 1 tablet x 1/d x 5 mg [5/5]");
    dosage.text = NULL;
    assert_string_equal(reads(), "text: 1 tablet x 1/d x 5 mg [5/5]");
}

static void a_need_of_the_structure_is_one_of_the_text(void **state)
{
    (void)state;
    dosage.as_needed = true;
    assert_string_equal(reads(), "text: 1 tablet x 1/d x 5 mg [5/5] prn");
    dosage.as_needed = false;
    dosage.text = "take 1 tablet daily as needed";
    assert_string_equal(reads(), "text: 1 tablet x 1/d x 5 mg [5/5] prn");
}

static void several_doses_stand_beside_no_part_of_one(void **state)
{
    (void)state;
    dosage.text = "take 1 tablet in the morning and 2 tablets at bedtime";
    assert_string_equal(
        reads(),
        "text: 1 tablet x 1/d x 5 mg [5/5]; text: 2 tablets x 1/d x 5 mg [10/10]");
    dosage.has_timing = true;
    dosage.timing.frequency = (struct ow_number)N(2);
    assert_string_equal(reads(),
                        "free text: several doses beside a part of a structured one");
    dosage.has_timing = false;
    dosage.doses = &rate;
    dosage.n_doses = 1;
    rate = (struct ow_dose_rate){ .has_dose = true, .dose = Q(1, "tablet") };
    assert_string_equal(reads(),
                        "free text: several doses beside a part of a structured one");
}

static void steps_of_a_text_have_no_place_in_bounds_or_among_lines(void **state)
{
    (void)state;
    dosage.text = "take 2 tablets daily for 3 days, then 1 tablet daily for 3 days";
    assert_string_equal(
        reads(),
        "text: 2 tablets x 1/d x 5 mg [10/10]; text: 1 tablet x 1/d x 5 mg [5/5]");
    order.n_dosages = 2;
    assert_string_equal(reads(), "free text: several steps in one dosage line");
    order.n_dosages = 1;
    dosage.has_timing = true;
    dosage.timing.bounds = OW_BOUNDS_DURATION;
    dosage.timing.bounds_duration = (struct ow_quantity)Q(6, "d");
    assert_string_equal(reads(), "free text: several steps in one dosage line");
}

static void a_text_with_the_frequency_of_the_structure(void **state)
{
    (void)state;
    dosage.text = "take 1 tablet daily for 5 days";
    dosage.has_timing = true;
    dosage.timing = (struct ow_timing){ .frequency = N(2),
                                        .period = N(1),
                                        .period_unit = "d",
                                        .bounds = OW_BOUNDS_DURATION,
                                        .bounds_duration = Q(10, "d") };
    assert_string_equal(reads(), "text: 1 tablet x 2/d x 5 mg (or text: 1 tablet x 1/d x "
                                 "5 mg) [10/5] differs");
    dosage.timing.bounds = OW_BOUNDS_NONE;
    assert_string_equal(reads(), "text: 1 tablet x 2/d x 5 mg (or text: 1 tablet x 1/d x "
                                 "5 mg) [10/5] differs");
    dosage.timing.period_unit = "lap"; /* a part that is wrong is not passed over */
    assert_string_equal(reads(), "free text: timing.periodUnit is none of s, min, h, d, "
                                 "wk, mo, a");
}

static void a_dose_said_twice_is_one_dose_or_refused(void **state)
{
    static const struct {
        const char *text, *co, *want;
    } cases[] = {
        {"take 2 tablets (10 mg) daily",        "",                     "text: 2 tablets x 1/d x 5 mg [10/10]"},
        { "take 1-2 tablets (5-10 mg) daily",   "",
         "text: up to 2 tablets x 1/d x 5 mg [10/5]"                                                          },
        { "take 1-2 tablets (5-15 mg) daily",   "",                     NULL                                  },
        { "take 1 tablet (5-325 mg) daily",     "Acetaminophen 325 MG",
         "text: 1 tablet x 1/d x 5 mg [5/5]"                                                                  },
        { "take 1 tablet (5-325 mg) daily",     "",                     NULL                                  },
        { "take 1 tablet (5-10 mg) daily",      "Ibuprofen 10 MG",      NULL                                  },
        { "take 1 tablet (30-300 mg) daily",    "Acetaminophen 300 MG", NULL                                  },
        { "take 1 tablet (5 mL) daily",         "",                     NULL                                  },
        { "take 10 mg (2 tablets) daily",       "",                     "text: 10 mg x 1/d [10/10]"           },
        { "take 10 mg (1 tablet) daily",        "",                     NULL                                  },
        { "take 1 tablet (1-15 mL) daily",      "Acetaminophen 325 MG", NULL                                  },
        { "take up to 2 tablets (10 mg) daily", "",
         "text: up to 2 tablets x 1/d x 5 mg [10/10]"                                                         },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *got;

        dosage.text = cases[i].text;
        oxycodone.co_ingredients = cases[i].co;
        got = reads();
        if (!ow_streq(got, cases[i].want != NULL
                               ? cases[i].want
                               : "free text: the dose is said in two ways that do not "
                                 "agree"))
            fail_msg("%s: %s", cases[i].text, got);
    }
}

static void without_a_strength_the_words_are_not_compared(void **state)
{
    (void)state;
    oxycodone.strength = OW_ZERO; /* of an order's own product */
    oxycodone.co_ingredients = "Acetaminophen 325 MG";
    dosage.text = "take 1 tablet (5-325 mg) daily";
    assert_string_equal(reads(),
                        "free text: the dose is said in two ways that do not agree");
    oxycodone.co_ingredients = NULL;
    dosage.text = "take 10 mg daily";
    assert_string_equal(reads(), "text: 10 mg x 1/d [10/10]");
}

static void a_limit_in_mg_of_a_combination_is_of_either_drug(void **state)
{
    (void)state;
    dosage.text = "take 1 tablet every 4 hours, max 20 mg/day";
    assert_string_equal(reads(), "text: 1 tablet x 6/d x 5 mg, at most 20 mg/d [20/20]");
    oxycodone.co_ingredients = "Acetaminophen 325 MG";
    assert_string_equal(reads(), "text: 1 tablet x 6/d x 5 mg [30/30]");
    dosage.text = "take 1 tablet every 4 hours, max 4 tablets/day";
    assert_string_equal(reads(), "text: 1 tablet x 6/d x 5 mg, at most 20 mg/d [20/20]");
}

/* Words of a timing code stand in for a frequency that the structure does not say. */
static void what_the_structure_repeats_is_not_read_from_words(void **state)
{
    static const char *const parts[] = { "mon" };
    struct ow_timing *t = &dosage.timing;
    struct ow_dose_context ctx = context();
    const struct ow_dosage *got;
    struct ow_err err;

    (void)state;
    dosage.has_timing = true;
    for (int i = 0; i <= 7; i++) {
        *t = (struct ow_timing){ .code.text = "every 6 hours" };
        t->frequency.has_value = i == 0;
        t->frequency_max.has_value = i == 1;
        t->period.has_value = i == 2;
        t->period_max.has_value = i == 3;
        t->when = t->time_of_day = t->day_of_week = parts;
        t->n_when = i == 4;
        t->n_time_of_day = i == 5;
        t->n_day_of_week = i == 6;
        got = ow_dose_code_read(&ctx, &dosage, &err);
        assert_true((got == &dosage) == (i < 7));
    }
    assert_int_equal(got->timing.frequency.value.num, 1);
    assert_false(got->as_needed);
    dosage.as_needed = true;
    assert_true(ow_dose_code_read(&ctx, &dosage, &err)->as_needed);
    dosage.as_needed = false;
    t->code.text = "every 6 hours as needed";
    assert_true(ow_dose_code_read(&ctx, &dosage, &err)->as_needed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_text_is_asked_when_dose_or_frequency_is_missing),
        TEST(a_rate_needs_no_text),
        TEST(what_the_structure_repeats_is_not_read_from_words),
        TEST(text_and_the_same_instruction_are_one),
        TEST(a_need_of_the_structure_is_one_of_the_text),
        TEST(several_doses_stand_beside_no_part_of_one),
        TEST(steps_of_a_text_have_no_place_in_bounds_or_among_lines),
        TEST(a_text_with_the_frequency_of_the_structure),
        TEST(a_dose_said_twice_is_one_dose_or_refused),
        TEST(without_a_strength_the_words_are_not_compared),
        TEST(a_limit_in_mg_of_a_combination_is_of_either_drug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
