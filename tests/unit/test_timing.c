/*
 * Timing: how often and how long, at the edges of what can be written
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/timing.h"
#include "base/text.h"
#include "tests/support/build.h"

#define N(n, d)                                                                          \
    {                                                                                    \
        true,                                                                            \
        {                                                                                \
            n, d                                                                         \
        }                                                                                \
    } /* a number that is there */
#define MOST INT64_MAX
#define BIG  (INT64_C(1) << 62)

static void rate_is(const char *name, const struct ow_timing *t, struct ow_ratio high,
                    struct ow_ratio low)
{
    struct ow_rate r;
    struct ow_err err;

    if (ow_timing_rate(build_knowledge(), t, &r, &err) != OW_OK)
        fail_msg("%s: %s", name, err.text);
    if (ow_ratio_cmp(r.high, high) != 0 || ow_ratio_cmp(r.low, low) != 0)
        fail_msg("%s: %lld/%lld to %lld/%lld", name, (long long)r.low.num,
                 (long long)r.low.den, (long long)r.high.num, (long long)r.high.den);
}

static void rate_is_refused(const char *name, const struct ow_timing *t, const char *why)
{
    struct ow_rate r;
    struct ow_err err;

    if (ow_timing_rate(build_knowledge(), t, &r, &err) != OW_MISSING)
        fail_msg("%s was read", name);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s: %s", name, err.text);
}

static void numbers_that_leave_64_bits_are_refused(void **state)
{
    static const struct {
        const char *name;
        struct ow_timing t;
    } cases[] = {
        {"period",                                                   { .period = N(MOST, 1), .period_unit = "wk" }},
        { "longest period",
         { .period = N(1, 1), .period_max = N(MOST, 1), .period_unit = "wk" }                                     },
        { "frequency by a short period",
         { .frequency = N(MOST, 1), .period = N(1, 1), .period_unit = "h" }                                       },
        { "frequency by a long period",
         { .frequency = N(1, BIG), .period = N(3, 1), .period_unit = "d" }                                        },
        { "least frequency by a longest period",
         { .frequency = N(1, BIG),
            .frequency_max = N(1, 1),
            .period = N(1, 1),
            .period_max = N(3, 1),
            .period_unit = "d" }                                                                                  },
        { "least frequency by a longest period, of more than a day",
         { .frequency = N(1, BIG),
            .frequency_max = N(1, 1),
            .period = N(2, 1),
            .period_max = N(3, 1),
            .period_unit = "d" }                                                                                  },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        rate_is_refused(cases[i].name, &cases[i].t,
                        "the numbers of the timing are out of range");
}

static void days_of_the_week_thin_out_exactly_or_not_at_all(void **state)
{
    static const char *const days[] = { "mon", "wed", "fri" };
    struct ow_timing t = { .frequency = N(2, 1),
                           .period = N(1, 1),
                           .period_unit = "d",
                           .day_of_week = days,
                           .n_day_of_week = 3 };

    (void)state;
    rate_is("two on three days", &t, OW_RATIO(6, 7), OW_RATIO(6, 7));
    t.frequency.value = OW_RATIO(1, BIG);
    rate_is_refused("a part of nothing on three days", &t, "out of range");
    t.frequency_max = (struct ow_number)N(1, 1);
    rate_is_refused("at least a part of nothing on three days", &t, "out of range");
}

static void a_frequency_beside_days_needs_its_period(void **state)
{
    static const char *const days[] = { "mon", "wed" };
    struct ow_timing t = { .frequency = N(2, 1),
                           .day_of_week = days,
                           .n_day_of_week = 2 };

    (void)state;
    rate_is_refused("2 on Monday and Wednesday", &t, "timing.frequency without a period");
    t.frequency.has_value = false;
    rate_is("on Monday and Wednesday", &t, OW_RATIO(2, 7), OW_RATIO(2, 7));
}

static void a_code_of_an_event_is_compared_whole(void **state)
{
    const char *when[] = { "MORN.early" };
    struct ow_timing t = { .when = when, .n_when = 1 };

    (void)state;
    rate_is("early in the morning", &t, OW_RATIO(1, 1), OW_RATIO(1, 1));
    when[0] = "MORNING";
    rate_is_refused("no code", &t, "timing.when has a code that is not known");
}

static void every_so_many_hours_is_from_1_to_72(void **state)
{
    static const struct {
        const char *code;
        int hours; /* 0: not known */
    } cases[] = {
        {"Q1H",                      1 },
        { "q6h",                     6 },
        { "Q72H",                    72},
        { "Q73H",                    0 },
        { "Q720H",                   0 },
        { "Q999999999999999999999H", 0 },
        { "Q6",                      0 },
        { "Q6D",                     0 },
        { "Q6HR",                    0 },
        { "Q6:",                     0 },
        { "Q6A",                     0 },
        { "Q6a",                     0 },
        { "Q6h",                     6 },
        { "Q:H",                     0 },
        { "Q0H",                     0 },
        { "6H",                      0 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_timing t = { .code.text = cases[i].code };

        if (cases[i].hours == 0)
            rate_is_refused(cases[i].code, &t, "the timing code is not a known one");
        else
            rate_is(cases[i].code, &t, OW_RATIO(24, cases[i].hours),
                    OW_RATIO(24, cases[i].hours));
    }
}

static void a_code_counts_in_the_systems_that_define_it(void **state)
{
    static const struct {
        const char *system;
        bool known;
    } cases[] = {
        {"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", true },
        { "http://hl7.org/fhir/v3/GTSAbbreviation",                  true },
        { "urn:oid:2.16.840.1.113883.5.139",                         true },
        { NULL,                                                      true },
        { "urn:site",                                                false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_coding c = { cases[i].system, "TID", NULL };
        struct ow_timing t = {
            .code = {.codings = &c, .n_codings = 1}
        };

        if (cases[i].known)
            rate_is("TID", &t, OW_RATIO(3, 1), OW_RATIO(3, 1));
        else
            rate_is_refused("TID of a site", &t, "the timing code is not a known one");
    }
}

static void a_count_alone_is_no_frequency(void **state)
{
    struct ow_timing t = { .count_max = N(10, 1) };

    (void)state;
    rate_is_refused("up to ten", &t, "timing has a count and nothing else");
    t.count_max.value = OW_ZERO;
    rate_is_refused("none", &t, "timing.count is not above zero");
}

static struct ow_extent extent(const struct ow_timing *t, const struct ow_rate *rate)
{
    struct ow_extent e = { 0 };
    struct ow_err err;

    if (ow_timing_extent(t, rate, &e, &err) != OW_OK)
        fail_msg("%s", err.text);
    return e;
}

static void the_shorter_of_count_and_bounds_is_the_length(void **state)
{
    const struct ow_rate two = { OW_RATIO(2, 1), OW_RATIO(2, 1) };
    struct ow_timing t = {
        .bounds = OW_BOUNDS_DURATION,
        .bounds_duration = {.has_value = true, .value = { 10, 1 }, .code = "d"},
        .count = N(8, 1),
    };

    (void)state;
    assert_int_equal(extent(&t, &two).length_ms, 4 * OW_DAY);
    t.count.value = OW_RATIO(60, 1);
    assert_int_equal(extent(&t, &two).length_ms, 10 * OW_DAY);
    t.count.value = OW_RATIO(1, 1); /* a day at least */
    assert_int_equal(extent(&t, &two).length_ms, OW_DAY);
    t.bounds_duration.comparator = ">";
    assert_int_equal(extent(&t, &two).length_ms, OW_DAY);
    t.bounds_duration.comparator = "<";
    t.count.has_value = false;
    assert_int_equal(extent(&t, &two).length_ms, 10 * OW_DAY);
    t.bounds_duration.comparator = ">=";
    assert_false(extent(&t, &two).has_length);
}

static void a_count_too_large_for_any_length_is_refused(void **state)
{
    const struct ow_rate slow = { OW_RATIO(1, 7), OW_RATIO(1, 7) };
    struct ow_timing t = { .count = N(MOST, 1) };
    struct ow_extent e;
    struct ow_err err;

    (void)state;
    assert_int_equal(ow_timing_extent(&t, &slow, &e, &err), OW_MISSING);
    assert_string_equal(err.text, "the numbers of the timing are out of range");
    t.count.value = OW_RATIO(MOST / 8, 1); /* as days it fits, in milliseconds not */
    assert_int_equal(ow_timing_extent(&t, &slow, &e, &err), OW_MISSING);
    assert_string_equal(err.text, "the numbers of the timing are out of range");
}

/* ---- times of one day ---- */

static void apart(const char *name, const struct ow_timing *a, const struct ow_timing *b,
                  bool want)
{
    if (ow_timing_apart(build_knowledge(), a, b) != want ||
        ow_timing_apart(build_knowledge(), b, a) != want)
        fail_msg("%s: %s", name, want ? "not apart" : "apart");
}

static void timings_are_apart_when_they_share_no_time_of_day(void **state)
{
    static const char *const at8[] = { "08:00" }, *const at20[] = { "20:00" };
    static const char *const morning[] = { "MORN" }, *const bed[] = { "HS" };
    static const char *const meals[] = { "MORN", "C" };
    const struct ow_timing eight = { .time_of_day = at8, .n_time_of_day = 1 };
    const struct ow_timing twenty = { .time_of_day = at20, .n_time_of_day = 1 };
    const struct ow_timing early = { .when = morning, .n_when = 1 };
    const struct ow_timing late = { .when = bed, .n_when = 1 };
    const struct ow_timing eating = { .when = meals, .n_when = 2 };
    const struct ow_timing am = { .code.text = "AM" }, pm = { .code.text = "pm" };
    const struct ow_coding bed_code = { NULL, "BED", NULL };
    const struct ow_timing at_bed = {
        .code = {.codings = &bed_code, .n_codings = 1}
    };
    const struct ow_timing bid = { .code.text = "BID" }, nothing = { .count = N(1, 1) };

    (void)state;
    apart("8 and 20", &eight, &twenty, true);
    apart("8 and 8", &eight, &eight, false);
    apart("morning and bedtime", &early, &late, true);
    apart("morning and morning", &early, &early, false);
    apart("bedtime and three meals", &late, &eating, false);
    apart("AM and PM", &am, &pm, true);
    apart("AM and AM", &am, &am, false);
    apart("AM and twice a day", &am, &bid, false);
    apart("8 and twice a day", &eight, &bid, false);
    apart("8 and nothing", &eight, &nothing, false);
    apart("8 and bedtime", &eight, &late, true);
    apart("AM and bedtime", &am, &late, true);
    apart("AM and BED", &am, &at_bed, true);
    apart("BED and bedtime", &at_bed, &late, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_leave_64_bits_are_refused),
        cmocka_unit_test(days_of_the_week_thin_out_exactly_or_not_at_all),
        cmocka_unit_test(a_frequency_beside_days_needs_its_period),
        cmocka_unit_test(a_code_of_an_event_is_compared_whole),
        cmocka_unit_test(every_so_many_hours_is_from_1_to_72),
        cmocka_unit_test(a_code_counts_in_the_systems_that_define_it),
        cmocka_unit_test(a_count_alone_is_no_frequency),
        cmocka_unit_test(the_shorter_of_count_and_bounds_is_the_length),
        cmocka_unit_test(a_count_too_large_for_any_length_is_refused),
        cmocka_unit_test(timings_are_apart_when_they_share_no_time_of_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
