/*
 * Doseline: limits, rates and infusions of one line, to the edge of what 64 bits hold
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/doseline.h"
#include "base/text.h"
#include "tests/support/build.h"

#define MOST INT64_MAX
#define BIG  (INT64_C(1) << 62)
#define Q(n, d, u)                                                                       \
    {                                                                                    \
        .has_value = true, .value = { n, d }, .unit = u                                  \
    }
#define N(n, d)                                                                          \
    {                                                                                    \
        true,                                                                            \
        {                                                                                \
            n, d                                                                         \
        }                                                                                \
    }
#define UNDER(n, u)                                                                      \
    {                                                                                    \
        .has_value = true, .value = { n, 1 }, .comparator = "<", .unit = u               \
    }
#define UNSAID(u)                                                                        \
    {                                                                                    \
        .unit = u                                                                        \
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
static const struct ow_product liquid = {
    .rxcui = "2",
    .name = "morphine 10 MG/ML Injectable Solution",
    .ingredient = "Morphine",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG_ML,
    .dose_form = "Injectable Solution",
    .form = OW_FORM_INJECTABLE,
    .has_form = true,
};
static const struct ow_product lozenge = {
    .rxcui = "3",
    .name = "fentanyl 0.2 MG Oral Lozenge",
    .ingredient = "Fentanyl",
    .strength = {1, 5},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Oral Lozenge",
    .form = OW_FORM_ORAL_LOZENGE,
    .has_form = true,
};
static const struct ow_product patch = {
    .rxcui = "4",
    .name = "fentanyl 0.025 MG/HR Transdermal System",
    .ingredient = "Fentanyl",
    .strength = {1, 40},
    .strength_unit = OW_STRENGTH_MG_HR,
    .dose_form = "Transdermal System",
    .form = OW_FORM_TRANSDERMAL,
    .has_form = true,
    .is_patch = true,
};

static struct ow_arena arena;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

/* "high low words" of a line, or why it is refused. */
static const char *line_of(const struct ow_product *p, const struct ow_dosage *d)
{
    const struct ow_order order = { .dosages = d, .n_dosages = 1 };
    const struct ow_dose_context ctx = { .kb = build_knowledge(),
                                         .order = &order,
                                         .product = p,
                                         .basis = ow_product_basis(p),
                                         .arena = &arena };
    struct ow_dose_line l;
    struct ow_err err;
    char high[OW_RATIO_TEXT], low[OW_RATIO_TEXT];

    if (ow_dose_line_read(&ctx, d, &l, &err) != OW_OK)
        return ow_arena_strdup(&arena, err.text);
    assert_true(ow_ratio_cmp(l.low, l.high) <= 0);
    assert_true((l.flags & OW_FLAG_RANGE) != 0 || (l.flags & OW_FLAG_CAPPED) != 0 ||
                ow_ratio_cmp(l.low, l.high) == 0);
    return ow_arena_printf(&arena, "%s %s %s", ow_ratio_format(l.high, 6, high),
                           ow_ratio_format(l.low, 6, low), l.words);
}

/* One doseAndRate, four times a day. */
static struct ow_dosage four(const struct ow_dose_rate *r)
{
    return (struct ow_dosage){
        .doses = r,
        .n_doses = 1,
        .has_timing = true,
        .timing = {.frequency = N(4, 1), .period = N(1, 1), .period_unit = "d"},
    };
}

static void a_line_with_a_modifier_is_never_read(void **state)
{
    const struct ow_dose_rate r = { .has_dose = true, .dose = Q(1, 1, "tablet") };
    struct ow_dosage d = four(&r);

    (void)state;
    assert_string_equal(line_of(&tablet, &d), "40 40 1 tablet x 4/d x 10 mg");
    d.refused = "a modifier";
    assert_string_equal(line_of(&tablet, &d), "a modifier");
}

static void limits_cut_the_most_and_never_raise_the_least(void **state)
{
    struct ow_dose_rate r = { .has_dose_range = true };
    struct ow_fraction caps[2] = {
        {.numerator = Q(5,   1, "tablet"), .denominator = Q(1, 1, "d") },
        { .numerator = Q(42, 1, "tablet"), .denominator = Q(1, 1, "wk")},
    };
    struct ow_dosage d = four(&r);

    (void)state;
    r.dose_range.low = (struct ow_quantity)Q(2, 1, "tablet");
    r.dose_range.high = (struct ow_quantity)Q(3, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "120 80 up to 3 tablets x 4/d x 10 mg");

    d.has_max_per_administration = true;
    d.max_per_administration = (struct ow_quantity)Q(1, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "40 40 up to 1 tablet x 4/d x 10 mg");
    d.max_per_administration = (struct ow_quantity)Q(25, 1, "mg");
    assert_string_equal(line_of(&tablet, &d), "100 80 up to 25 mg x 4/d");
    d.max_per_administration = (struct ow_quantity)Q(4, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "120 80 up to 3 tablets x 4/d x 10 mg");
    d.max_per_administration = (struct ow_quantity)Q(1, 1, "patch");
    assert_string_equal(line_of(&tablet, &d), "maxDosePerAdministration: its unit does "
                                              "not go with the form of the product");
    d.has_max_per_administration = false;

    d.max_per_period = caps;
    d.n_max_per_period = 2; /* the smaller a day, wherever it stands */
    assert_string_equal(line_of(&tablet, &d),
                        "50 50 up to 3 tablets x 4/d x 10 mg, at most 50 mg/d");
    caps[0].numerator = (struct ow_quantity)Q(7, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d),
                        "60 60 up to 3 tablets x 4/d x 10 mg, at most 60 mg/d");
    caps[0].numerator = (struct ow_quantity)Q(MOST, 1, "mg");
    caps[0].denominator = (struct ow_quantity)Q(1, 1, "s");
    assert_string_equal(line_of(&tablet, &d), "the dose is out of range");
    caps[0].numerator = (struct ow_quantity)Q(1, MOST, "mg");
    caps[0].denominator = (struct ow_quantity)Q(MOST / 1000, 1, "s");
    assert_string_equal(line_of(&tablet, &d), "the dose is out of range");
    caps[0].denominator = (struct ow_quantity)Q(1, MOST, "s"); /* a day of it: too much */
    assert_string_equal(line_of(&tablet, &d), "the dose is out of range");
    d.n_max_per_period = 0;

    d.has_max_per_lifetime = true;
    d.max_per_lifetime = (struct ow_quantity)Q(10, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "100 80 up to 3 tablets x 4/d x 10 mg, at "
                                              "most 100 mg in all");
    d.max_per_lifetime = (struct ow_quantity)Q(5, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "50 50 up to 3 tablets x 4/d x 10 mg, at "
                                              "most 50 mg in all");
    d.max_per_lifetime = (struct ow_quantity)Q(500, 1, "tablet");
    assert_string_equal(line_of(&tablet, &d), "120 80 up to 3 tablets x 4/d x 10 mg");
    d.max_per_lifetime = (struct ow_quantity)Q(500, 1, "patch");
    assert_string_equal(line_of(&tablet, &d), "maxDosePerLifetime: its unit does not go "
                                              "with the form of the product");
}

static void a_lifetime_says_nothing_of_patches_worn(void **state)
{
    const struct ow_dose_rate r = { .has_dose = true, .dose = Q(2, 1, "patch") };
    struct ow_dosage d = { .doses = &r, .n_doses = 1 };

    (void)state;
    d.has_max_per_lifetime = true;
    d.max_per_lifetime = (struct ow_quantity)Q(1, 1, "patch");
    assert_string_equal(line_of(&patch, &d), "50 50 2 patches x 25 ug/h");
}

static void rates_are_amounts_in_a_time_and_nothing_else(void **state)
{
    static const struct {
        const struct ow_product *p;
        struct ow_quantity rate;
        const char *want;
    } cases[] = {
        {&liquid,          Q(2,                                1,                                       "mg/h"), "48 48 2 mg/h x 24 h/d"                             },
        { &liquid,         Q(1,                                2,                                       "mL/h"), "120 120 5 mg/h x 24 h/d"                           },
        { &lozenge,        Q(1,                                1,                                       "mg/d"), "1000 1000 41.666667 ug/h x 24 h/d"                 },
        { &patch,          Q(25,                               1,                                       "ug/h"), "25 25 25 ug/h"                                     },
        { &liquid,         Q(-1,                               1,                                       "mg/h"), "rate: a value above zero was expected"             },
        { &liquid,         Q(0,                                1,                                       "mg/h"), "rate: a value above zero was expected"             },
        { &liquid,         UNSAID("mg/h"),                     "rate: a value above zero was expected"},
        { &liquid,         UNDER(1,    "mg/h"),                                       "rate: a value above zero was expected"       },
        { &liquid, Q(1, 1,                                       "mg/fortnight"),
         "rate: the unit \"mg/fortnight\" is not a known one"                                                    },
        { &liquid,           Q(1,     1,                                           "mg"),                                       "rate: an amount in a time was expected"                                           },
        { &tablet,         Q(1,   1,                                         "mL/h"),"rate: an amount in a time was expected"                          },
        { &liquid,          Q(MOST,                  1,                                                        "g/h"),                                       "the dose is out of range"},
        { &liquid,         Q(MOST,                 1,                                                       "mL/h"),"the dose is out of range"                                                  },
        { &liquid,         Q(MOST,                 1,                                                       "mg/h"),                                       "the dose is out of range"                                        },
        { &patch,         Q(MOST,                 1,                                                       "mg/h"),"the dose is out of range"                           },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_dose_rate r = { .has_rate = true, .rate = cases[i].rate };
        const struct ow_dosage d = { .doses = &r, .n_doses = 1 };

        assert_string_equal(line_of(cases[i].p, &d), cases[i].want);
    }
}

static void rate_ranges_run_from_low_to_high(void **state)
{
    struct ow_dose_rate r = { .has_rate_range = true };
    const struct ow_dosage d = { .doses = &r, .n_doses = 1 };

    (void)state;
    r.rate_range.low = (struct ow_quantity)Q(0, 1, "mg/h");
    r.rate_range.high = (struct ow_quantity)Q(2, 1, "mg/h");
    assert_string_equal(line_of(&liquid, &d), "48 0 2 mg/h x 24 h/d");
    r.rate_range.low = (struct ow_quantity)Q(3, 1, "mg/h");
    assert_string_equal(line_of(&liquid, &d), "the rate range ends below its beginning");
    r.rate_range.low = (struct ow_quantity)Q(3, 1, "mg");
    assert_string_equal(line_of(&liquid, &d), "rate: an amount in a time was expected");
    r.rate_range.low.has_value = false;
    assert_string_equal(line_of(&liquid, &d), "48 48 2 mg/h x 24 h/d");
    r.rate_range.high.has_value = false;
    assert_string_equal(line_of(&liquid, &d), "rate: a value above zero was expected");
}

static void rate_ratios_are_so_much_in_such_a_time(void **state)
{
    static const struct {
        const struct ow_product *p;
        struct ow_fraction f;
        const char *want;
    } cases[] = {
        {&liquid,  { Q(2, 1, "mg"), Q(1, 1, "h") },       "48 48 2 mg/h x 24 h/d"   },
        { &liquid, { Q(2, 1, "mg"), UNSAID("h") },        "48 48 2 mg/h x 24 h/d"   },
        { &liquid,
         { Q(2, 1, "mg"), Q(1, 1, "mL") },
         "rate: its time is no length of time"                                      },
        { &liquid,
         { Q(2, 1, "patch"), Q(1, 1, "h") },
         "rate: mL or mg were expected for a product with a strength per mL"        },
        { &liquid,
         { Q(1, 1, "mg"), Q(1, MOST / 1000, "s") },
         "the dose is out of range"                                                 },
        { &liquid, { Q(1, MOST, "mg"), Q(7, 1, "d") },    "the dose is out of range"},
        { &liquid, { Q(MOST, 1, "mg"), Q(1, 1, "h") },    "the dose is out of range"},
        { &patch,  { Q(25, 1, "ug"), Q(1, 1, "h") },      "25 25 25 ug/h"           },
        { &patch,
         { UNSAID("ug"), Q(1, 1, "h") },
         "rate: a mass above zero was expected"                                     },
        { &patch,
         { UNDER(1, "ug"), Q(1, 1, "h") },
         "rate: a mass above zero was expected"                                     },
        { &patch,
         { Q(0, 1, "ug"), Q(1, 1, "h") },
         "rate: a mass above zero was expected"                                     },
        { &patch,
         { Q(1, 1, "blob"), Q(1, 1, "h") },
         "rate: a mass above zero was expected"                                     },
        { &patch,
         { Q(1, 1, "mL"), Q(1, 1, "h") },
         "rate: a mass above zero was expected"                                     },
        { &patch,  { Q(MOST, 1, "g"), Q(1, 1, "h") },     "the dose is out of range"},
        { &patch,  { Q(MOST, 1, "mg"), Q(1, 1, "h") },    "the dose is out of range"},
        { &patch,  { Q(1, 1, "mg"), Q(1, MOST, "s") },    "the dose is out of range"},
        { &patch,
         { Q(MOST, 1, "ng"), Q(1, MOST / 3600000, "h") },
         "the dose is out of range"                                                 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_dose_rate r = { .has_rate_ratio = true,
                                        .rate_ratio = cases[i].f };
        const struct ow_dosage d = { .doses = &r, .n_doses = 1 };
        const char *got = line_of(cases[i].p, &d);

        if (!ow_streq(got, cases[i].want))
            fail_msg("case %zu: %s", i, got);
    }
}

static void an_infusion_runs_for_its_duration(void **state)
{
    static const struct {
        struct ow_timing t;
        const char *want;
    } cases[] = {
        {{ .duration = N(6, 1), .duration_unit = "h" },                                 "12 12 2 mg/h x 6 h/d"    },
        { { .duration = N(6, 1), .duration_max = N(8, 1), .duration_unit = "h" },
         "16 12 2 mg/h x 8 h/d"                                                                                   },
        { { .duration_max = N(8, 1), .duration_unit = "h" },                            "16 16 2 mg/h x 8 h/d"    },
        { { .duration = N(6, 1),
            .duration_unit = "h",
            .frequency = N(2, 1),
            .period = N(1, 1),
            .period_unit = "d" },
         "24 24 2 mg/h x 12 h/d"                                                                                  },
        { { .duration = N(48, 1), .duration_unit = "h" },                               "48 48 2 mg/h x 24 h/d"   },
        { { .duration = N(0, 1), .duration_unit = "h" },
         "timing.duration is no length of time"                                                                   },
        { { .duration = N(0, 1), .duration_max = N(1, 1), .duration_unit = "h" },
         "timing.duration is no length of time"                                                                   },
        { { .duration = N(2, 1), .duration_max = N(1, 1), .duration_unit = "h" },
         "timing.duration is no length of time"                                                                   },
        { { .duration = N(2, 1), .duration_unit = "lap" },
         "timing.duration is no length of time"                                                                   },
        { { .duration = N(MOST, 1), .duration_unit = "a" },                             "the dose is out of range"},
        { { .duration = N(1, BIG + 1), .duration_unit = "h" },
         "the dose is out of range"                                                                               },
        { { .duration = N(1, MOST / OW_DAY),
            .duration_unit = "s",
            .frequency = N(1, 7),
            .period = N(1, 1),
            .period_unit = "a" },
         "the dose is out of range"                                                                               },
        { { .duration = N(1, BIG + 1), .duration_max = N(1, 1), .duration_unit = "h" },
         "the dose is out of range"                                                                               },
        { { .duration = N(MOST, MOST - 1),
            .duration_max = N(2, 1),
            .duration_unit = "h" },
         "the dose is out of range"                                                                               },
        { { .duration = N(1, 1),
            .duration_unit = "h",
            .frequency = N(1, BIG),
            .frequency_max = N(1, 1),
            .period = N(1, 1),
            .period_unit = "d" },
         "the dose is out of range"                                                                               },
    };
    const struct ow_dose_rate r = { .has_rate = true, .rate = Q(2, 1, "mg/h") };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_dosage d = {
            .doses = &r, .n_doses = 1, .has_timing = true, .timing = cases[i].t
        };
        const char *got = line_of(&liquid, &d);

        if (!ow_streq(got, cases[i].want))
            fail_msg("case %zu: %s", i, got);
    }
}

static void what_is_shown_of_an_infusion_fits_or_it_is_refused(void **state)
{
    struct ow_dose_rate r = { .has_rate_range = true };
    struct ow_dosage d = { .doses = &r, .n_doses = 1, .has_timing = true };

    (void)state;
    r.rate_range.low = (struct ow_quantity)Q(1, BIG, "mg/h");
    r.rate_range.high = (struct ow_quantity)Q(2, 1, "mg/h");
    d.timing.duration = (struct ow_number)N(1, 1);
    d.timing.duration_unit = "s";
    assert_string_equal(line_of(&liquid, &d), "the dose is out of range");

    r = (struct ow_dose_rate){ .has_rate = true, .rate = Q(1, MOST - 2, "mg/h") };
    d.timing.duration_unit = "d"; /* hours a day are no decimal of 64 bits */
    d.timing.frequency = (struct ow_number)N(MOST - 2, MOST);
    d.timing.period = (struct ow_number)N(1, 1);
    d.timing.period_unit = "d";
    assert_string_equal(line_of(&liquid, &d), "the dose is out of range");

    r = (struct ow_dose_rate){ .has_rate_ratio = true };
    r.rate_ratio.numerator = (struct ow_quantity)Q(1, MOST, "mg");
    r.rate_ratio.denominator = (struct ow_quantity)Q(1, 1, "d");
    d.has_timing = false; /* nor is the amount in an hour */
    assert_string_equal(line_of(&liquid, &d), "the dose is out of range");
}

/*
 * Every number of a line in turn and in pairs at the edge of 64 bits, for every kind of
 * product: refused in words, or a line whose least is not above its most.
 */
static void a_line_at_the_edge_is_refused_or_in_order(void **state)
{
    static const struct ow_product *const products[] = { &tablet, &liquid, &lozenge,
                                                         &patch };
    static const char *const units[] = { NULL, "mg", "mL", "patch", "mg/h", "mL/h", "g" };
    static const struct ow_ratio edges[] = {
        {MOST,           1            },
        { 1,             MOST         },
        { BIG,           3            },
        { 3,             BIG          },
        { MOST / 1000,   1            },
        { 1,             MOST / 1000  },
        { MOST,          MOST - 1     },
        { MOST / OW_DAY, 1            },
        { 1,             MOST / OW_DAY},
    };
    size_t n = 0, read = 0;

    (void)state;
    for (size_t p = 0; p < OW_LEN(products); p++)
        for (size_t u = 0; u < OW_LEN(units); u++)
            for (size_t e = 0; e < OW_LEN(edges) * OW_LEN(edges); e++)
                for (int form = 0; form < 4; form++)
                    for (size_t k = 0; k < 36; k++) {
                        struct ow_quantity one = Q(1, 1, units[u]);
                        struct ow_fraction cap = { Q(1, 1, units[u]), Q(1, 1, "d") };
                        struct ow_dose_rate r = { .dose = one, .rate = one };
                        struct ow_dosage d = four(&r);
                        struct ow_ratio *at[] = {
                            &r.dose.value,
                            &r.dose_range.high.value,
                            &r.rate_range.high.value,
                            &r.rate_ratio.denominator.value,
                            &d.timing.frequency.value,
                            &d.timing.duration.value,
                        };
                        const char *got;

                        r.dose_range.low = r.dose_range.high = one;
                        r.rate_range.low = r.rate_range.high = one;
                        r.rate_ratio.numerator = one;
                        r.rate_ratio.denominator = (struct ow_quantity)Q(1, 1, "h");
                        d.timing.duration = (struct ow_number)N(1, 1);
                        d.timing.duration_unit = "h";
                        d.max_per_period = &cap;
                        d.n_max_per_period = k % 5 == 0;
                        r.has_dose = form == 0;
                        r.has_dose_range = form == 1;
                        r.has_rate_range = form == 2;
                        r.has_rate_ratio = form == 3;
                        *at[k % 6] = edges[e % OW_LEN(edges)];
                        *at[k / 6] = edges[e / OW_LEN(edges)];
                        r.rate = r.rate_range.high;
                        got = line_of(products[p], &d);
                        n++;
                        read += got[0] >= '0' && got[0] <= '9';
                        assert_true(got[0] != '\0');
                        if (n % 1000 == 0)
                            ow_arena_reset(&arena);
                    }
    assert_true(read > 0 && read < n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_with_a_modifier_is_never_read, begin, end),
        cmocka_unit_test_setup_teardown(limits_cut_the_most_and_never_raise_the_least,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_lifetime_says_nothing_of_patches_worn, begin,
                                        end),
        cmocka_unit_test_setup_teardown(rates_are_amounts_in_a_time_and_nothing_else,
                                        begin, end),
        cmocka_unit_test_setup_teardown(rate_ranges_run_from_low_to_high, begin, end),
        cmocka_unit_test_setup_teardown(rate_ratios_are_so_much_in_such_a_time, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_infusion_runs_for_its_duration, begin, end),
        cmocka_unit_test_setup_teardown(
            what_is_shown_of_an_infusion_fits_or_it_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_line_at_the_edge_is_refused_or_in_order, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
