/* Ratio: exactness, overflow and the text on the card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/ratio.h"

__extension__ typedef __int128 wide;

static uint64_t seed = 0x9e3779b97f4a7c15;

/* splitmix64: the same numbers on every machine, so a failure can be run again. */
static uint64_t next_random(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Numbers of every size, so that small, large and limit cases all meet. */
static int64_t any_int(void)
{
    uint64_t v = next_random() >> next_random() % 64;

    return next_random() % 2 ? (int64_t)v : (int64_t)(0 - v);
}

static struct ow_ratio any_ratio(void)
{
    struct ow_ratio r;
    int64_t den;

    do
        den = any_int();
    while (!ow_ratio_make(any_int(), den, &r));
    return r;
}

static struct ow_ratio small_ratio(void)
{
    struct ow_ratio r;

    assert_true(ow_ratio_make((int64_t)(next_random() % 20001) - 10000,
                              (int64_t)(next_random() % 1000) + 1, &r));
    return r;
}

static wide gcd_slow(wide a, wide b)
{
    a = a < 0 ? -a : a;
    while (b != 0) {
        wide t = a % b;

        a = b;
        b = t;
    }
    return a;
}

/* What an operation must answer, from a fraction that is known to be right. */
static void check(bool ok, struct ow_ratio got, wide num, wide den)
{
    wide g = gcd_slow(num, den);
    bool fits;

    num /= g;
    den /= g;
    fits = num <= INT64_MAX && num >= INT64_MIN && den <= INT64_MAX;
    assert_int_equal(ok, fits);
    if (fits) {
        assert_int_equal(got.num, (int64_t)num);
        assert_int_equal(got.den, (int64_t)den);
    }
}

static void every_operation_is_exact_or_reports_overflow(void **state)
{
    unsigned n_ok = 0, n_over = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct ow_ratio a = i % 3 ? any_ratio() : small_ratio();
        struct ow_ratio b = i % 2 ? any_ratio() : small_ratio(), r = OW_ZERO;
        int64_t g = (int64_t)gcd_slow(a.den, b.den);
        wide den = (wide)(a.den / g) * b.den;
        wide left = (wide)a.num * (b.den / g), right = (wide)b.num * (a.den / g);
        bool ok = ow_ratio_add(a, b, &r);

        check(ok, r, left + right, den);
        n_ok += ok;
        n_over += !ok;
        ok = ow_ratio_sub(a, b, &r);
        check(ok, r, left - right, den);
        ok = ow_ratio_mul(a, b, &r);
        check(ok, r, (wide)a.num * b.num, (wide)a.den * b.den);
        ok = ow_ratio_div(a, b, &r);
        if (b.num == 0)
            assert_false(ok);
        else if (b.num < 0)
            check(ok, r, -(wide)a.num * b.den, -(wide)a.den * b.num);
        else
            check(ok, r, (wide)a.num * b.den, (wide)a.den * b.num);
    }
    assert_true(n_ok > 10000 && n_over > 10000); /* both sides were really met */
}

static void addition_and_multiplication_commute_and_undo(void **state)
{
    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct ow_ratio a = small_ratio(), b = small_ratio(), x, y;

        assert_true(ow_ratio_add(a, b, &x));
        assert_true(ow_ratio_add(b, a, &y));
        assert_int_equal(ow_ratio_cmp(x, y), 0);
        assert_true(ow_ratio_sub(x, b, &y));
        assert_int_equal(ow_ratio_cmp(y, a), 0);
        assert_true(ow_ratio_mul(a, b, &x));
        assert_true(ow_ratio_mul(b, a, &y));
        assert_int_equal(ow_ratio_cmp(x, y), 0);
        if (b.num != 0) {
            assert_true(ow_ratio_div(x, b, &y));
            assert_int_equal(ow_ratio_cmp(y, a), 0);
        }
    }
}

static void comparison_is_exact_at_any_size(void **state)
{
    const int64_t big = INT64_MAX;

    (void)state;
    assert_true(ow_ratio_cmp(OW_RATIO(big - 1, big), OW_RATIO(big - 2, big - 1)) > 0);
    assert_true(ow_ratio_cmp(OW_RATIO(INT64_MIN, 1), OW_RATIO(INT64_MIN, big)) < 0);
    assert_true(ow_ratio_cmp(OW_RATIO(1, 3), OW_RATIO(333333333, 1000000000)) > 0);
    for (int i = 0; i < 100000; i++) {
        struct ow_ratio a = any_ratio(), b = any_ratio(), d;

        assert_int_equal(ow_ratio_cmp(a, b), -ow_ratio_cmp(b, a));
        assert_int_equal(ow_ratio_cmp(a, a), 0);
        if (ow_ratio_sub(a, b, &d))
            assert_int_equal(ow_ratio_cmp(a, b), (d.num > 0) - (d.num < 0));
    }
}

static void results_at_the_limits_fit_or_are_refused(void **state)
{
    const int64_t big = INT64_MAX;
    struct ow_ratio r = OW_RATIO(7, 9);

    (void)state;
    assert_false(ow_ratio_add(OW_RATIO(big, 1), OW_RATIO(1, 1), &r));
    assert_false(ow_ratio_sub(OW_RATIO(INT64_MIN, 1), OW_RATIO(1, 1), &r));
    assert_false(ow_ratio_mul(OW_RATIO(big, 1), OW_RATIO(2, 1), &r));
    assert_false(ow_ratio_div(OW_RATIO(1, big), OW_RATIO(2, 1), &r));
    assert_false(ow_ratio_div(OW_RATIO(1, 2), OW_ZERO, &r));
    assert_false(ow_ratio_make(1, 0, &r));
    assert_false(ow_ratio_make(INT64_MIN, -1, &r));
    assert_false(ow_ratio_make(1, INT64_MIN, &r));
    assert_false(ow_ratio_sub(OW_ZERO, OW_RATIO(INT64_MIN, 1), &r));
    assert_int_equal(r.num, 7); /* untouched on failure */
    assert_int_equal(r.den, 9);

    assert_true(ow_ratio_mul(OW_RATIO(big, 2), OW_RATIO(2, 1), &r));
    assert_int_equal(r.num, big);
    assert_true(ow_ratio_make(INT64_MIN, INT64_MIN, &r));
    assert_int_equal(r.num, 1);
    assert_int_equal(r.den, 1);
    assert_true(ow_ratio_sub(OW_RATIO(-1, 1), OW_RATIO(big, 1), &r));
    assert_true(r.num == INT64_MIN);
    assert_true(ow_ratio_add(OW_RATIO(1, big), OW_RATIO(-1, big), &r));
    assert_int_equal(r.num, 0);
    assert_int_equal(r.den, 1);
    assert_true(ow_ratio_make(-6, -4, &r));
    assert_int_equal(r.num, 3);
    assert_int_equal(r.den, 2);
}

static const struct {
    const char *text;
    bool ok;
    int64_t num, den;
} parse_cases[] = {
    {"10",                                                                 true,  10,                 1                  },
    { "0",                                                                 true,  0,                  1                  },
    { "-0",                                                                true,  0,                  1                  },
    { "0.0e5",                                                             true,  0,                  1                  },
    { "0.5",                                                               true,  1,                  2                  },
    { "1e-3",                                                              true,  1,                  1000               },
    { "-2.50",                                                             true,  -5,                 2                  },
    { "1E+2",                                                              true,  100,                1                  },
    { "0.1",                                                               true,  1,                  10                 },
    { "100.00",                                                            true,  100,                1                  },
    { "0.000000000000000001",                                              true,  1,                  1000000000000000000},
    { "9223372036854775807",                                               true,  INT64_MAX,          1                  },
    { "-9223372036854775808",                                              true,  INT64_MIN,          1                  },
    { "0.00000000000000000000000000000100e30",                             true,  1,                  1                  },
    { "100000000000000000000000000000000000000000000000e-30",              true,  100000000000000000,
     1                                                                                                                   },
    { "5.000000000000000000000000000000000000000000000000000000",          true,  5,                  1                  },
    { "1.125",                                                             true,  9,                  8                  },
    { "0.0000000000000000002168404344971008868014905601739883422851562e0", false, 0,                  0                  },
    { "9223372036854775808",                                               false, 0,                  0                  },
    { "-9223372036854775809",                                              false, 0,                  0                  },
    { "0.0000000000000000000001",                                          false, 0,                  0                  },
    { "1e31",                                                              false, 0,                  0                  },
    { "0e31",                                                              false, 0,                  0                  },
    { "1e-31",                                                             false, 0,                  0                  },
    { "1e99999999999999999999",                                            false, 0,                  0                  },
    { "123456789012345678901234567890123456789012",                        false, 0,                  0                  },
    { "",                                                                  false, 0,                  0                  },
    { "-",                                                                 false, 0,                  0                  },
    { "+1",                                                                false, 0,                  0                  },
    { "01",                                                                false, 0,                  0                  },
    { ".5",                                                                false, 0,                  0                  },
    { "5.",                                                                false, 0,                  0                  },
    { "1e",                                                                false, 0,                  0                  },
    { "1e+",                                                               false, 0,                  0                  },
    { "1 ",                                                                false, 0,                  0                  },
    { " 1",                                                                false, 0,                  0                  },
    { "1,5",                                                               false, 0,                  0                  },
    { "0x10",                                                              false, 0,                  0                  },
    { "NaN",                                                               false, 0,                  0                  },
    { "1.2.3",                                                             false, 0,                  0                  },
};

static void decimals_are_read_exactly_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(parse_cases); i++) {
        struct ow_ratio r = OW_RATIO(7, 9);
        const char *text = parse_cases[i].text;
        bool ok = ow_ratio_parse(text, strlen(text), &r);

        if (ok != parse_cases[i].ok)
            fail_msg("%s: %d", text, ok);
        if (!ok) {
            assert_int_equal(r.num, 7);
            continue;
        }
        if (r.num != parse_cases[i].num || r.den != parse_cases[i].den)
            fail_msg("%s: %lld/%lld", text, (long long)r.num, (long long)r.den);
    }
}

static void reading_stops_at_the_given_length(void **state)
{
    struct ow_ratio r;

    (void)state;
    assert_true(ow_ratio_parse("12345", 2, &r));
    assert_int_equal(r.num, 12);
    assert_false(ow_ratio_parse("1.5", 2, &r));
    assert_false(ow_ratio_parse("1", 0, &r));
    assert_false(ow_ratio_parse(NULL, 0, &r));
}

static const struct {
    struct ow_ratio value;
    int places;
    const char *text, *json;
} format_cases[] = {
    {{ 120, 1 },                    2, "120",                     "120"                 },
    { { 45, 2 },                    2, "22.5",                    "22.5"                },
    { { 20, 7 },                    2, "2.86",                    "2.86"                },
    { { 0, 1 },                     2, "0",                       "0"                   },
    { { 1, 200 },                   2, "0.01",                    "0.01"                },
    { { -1, 200 },                  2, "-0.01",                   "-0.01"               },
    { { 1, 201 },                   2, "<0.01",                   "0.005"               },
    { { -1, 201 },                  2, ">-0.01",                  "-0.005"              },
    { { 1, 1000 },                  2, "<0.01",                   "0.001"               },
    { { 1, 3 },                     0, "<1",                      "0.3"                 },
    { { 1, 2 },                     0, "1",                       "1"                   },
    { { -1, 2 },                    0, "-1",                      "-1"                  },
    { { 5, 2 },                     0, "3",                       "3"                   },
    { { 8999, 100 },                2, "89.99",                   "89.99"               },
    { { 89995, 1000 },              2, "90",                      "90"                  },
    { { 1005, 1000 },               2, "1.01",                    "1.01"                },
    { { 1001, 1000 },               2, "1",                       "1"                   },
    { { 101, 10 },                  2, "10.1",                    "10.1"                },
    { { 100, 1 },                   6, "100",                     "100"                 },
    { { INT64_MAX, 1 },             6, "9223372036854775807",     "9223372036854775807" },
    { { INT64_MIN, 1 },             2, "-9223372036854775808",    "-9223372036854775808"},
    { { INT64_MIN, 3 },             2, "-3074457345618258602.67", "-3074457345618258603"},
    { { 1, INT64_MAX },             2, "<0.01",                   "0.000000000001"      },
    { { INT64_MAX, INT64_MAX - 1 }, 6, "1",                       "1"                   },
    { { 292400000001183017, 8000 }, 6, "36550000000147.877125",   "36550000000147.87713"},
};

static void doses_are_written_rounded_half_up_and_never_as_a_false_zero(void **state)
{
    char text[OW_RATIO_TEXT];

    (void)state;
    for (size_t i = 0; i < OW_LEN(format_cases); i++) {
        struct ow_ratio v = format_cases[i].value;
        int places = format_cases[i].places;

        assert_string_equal(ow_ratio_format(v, places, text), format_cases[i].text);
        assert_string_equal(ow_ratio_json(v, places, text), format_cases[i].json);
    }
}

static void a_written_decimal_reads_back_as_itself(void **state)
{
    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct ow_ratio a, b;
        char text[OW_RATIO_TEXT];

        assert_true(ow_ratio_make(any_int() / 4, 1000000, &a));
        ow_ratio_json(a, 6, text);
        assert_true(ow_ratio_parse(text, strlen(text), &b));
        assert_int_equal(ow_ratio_cmp(a, b), 0);
    }
}

static void floor_and_ceiling_enclose_the_value(void **state)
{
    (void)state;
    assert_int_equal(ow_ratio_floor(OW_RATIO(-1, 2)), -1);
    assert_int_equal(ow_ratio_ceil(OW_RATIO(-1, 2)), 0);
    assert_int_equal(ow_ratio_floor(OW_RATIO(7, 2)), 3);
    assert_int_equal(ow_ratio_ceil(OW_RATIO(7, 2)), 4);
    for (int i = 0; i < 50000; i++) {
        struct ow_ratio a = any_ratio();
        int64_t low = ow_ratio_floor(a), high = ow_ratio_ceil(a);

        assert_true(ow_ratio_cmp(OW_RATIO(low, 1), a) <= 0);
        assert_true(ow_ratio_cmp(OW_RATIO(high, 1), a) >= 0);
        assert_int_equal(high - low, a.den != 1);
    }
    assert_true(ow_ratio_positive(OW_RATIO(1, INT64_MAX)));
    assert_false(ow_ratio_positive(OW_ZERO));
    assert_false(ow_ratio_positive(OW_RATIO(-1, 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_exact_or_reports_overflow),
        cmocka_unit_test(addition_and_multiplication_commute_and_undo),
        cmocka_unit_test(comparison_is_exact_at_any_size),
        cmocka_unit_test(results_at_the_limits_fit_or_are_refused),
        cmocka_unit_test(decimals_are_read_exactly_or_refused),
        cmocka_unit_test(reading_stops_at_the_given_length),
        cmocka_unit_test(doses_are_written_rounded_half_up_and_never_as_a_false_zero),
        cmocka_unit_test(a_written_decimal_reads_back_as_itself),
        cmocka_unit_test(floor_and_ceiling_enclose_the_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
