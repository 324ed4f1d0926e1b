/* Text: strings, UTF-8, hexadecimal and the keyed hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void equality_knows_null_and_folds_ascii_only(void **state)
{
    (void)state;
    assert_true(ow_streq("a", "a"));
    assert_true(ow_streq(NULL, NULL));
    assert_false(ow_streq("a", NULL));
    assert_false(ow_streq(NULL, ""));
    assert_false(ow_streq("a", "A"));
    assert_true(ow_strcaseeq("Oxycodone 5 MG", "oxycodone 5 mg"));
    assert_true(ow_strcaseeq(NULL, NULL));
    assert_false(ow_strcaseeq("", NULL));
    assert_false(ow_strcaseeq("oxy", "oxycodone"));
    assert_false(ow_strcaseeq("oxycodone", "oxy"));
    assert_false(ow_strcaseeq("\xc3\x84", "\xc3\xa4")); /* A and a with diaeresis */
    assert_false(ow_strcaseeq("[", "{"));               /* differ in the case bit */
}

static void prefixes_suffixes_and_words_are_found(void **state)
{
    (void)state;
    assert_true(ow_starts_with("Patient/p1", "Patient/"));
    assert_true(ow_starts_with("x", ""));
    assert_false(ow_starts_with("Pat", "Patient"));
    assert_true(ow_ends_with("a.json", ".json"));
    assert_true(ow_ends_with("x", ""));
    assert_false(ow_ends_with("json", ".json"));
    assert_true(ow_contains_folded("Take 1 TABLET daily", "tablet"));
    assert_true(ow_contains_folded("aab", "AB"));
    assert_true(ow_contains_folded("", ""));
    assert_true(ow_contains_folded("end", "END"));
    assert_false(ow_contains_folded("table", "tablet"));
    assert_false(ow_contains_folded("", "x"));
}

static void copies_end_on_a_character(void **state)
{
    char dst[8];

    (void)state;
    assert_int_equal(ow_copy(dst, sizeof dst, "1234567"), 7);
    assert_string_equal(dst, "1234567");
    assert_int_equal(ow_copy(dst, sizeof dst, "12345678"), 7);
    assert_string_equal(dst, "1234567");
    assert_int_equal(ow_copy(dst, sizeof dst, "12345\xe2\x82\xac"), 5); /* euro sign */
    assert_string_equal(dst, "12345");
    assert_int_equal(ow_copy(dst, sizeof dst, "1234\xe2\x82\xac"), 7);
    assert_string_equal(dst, "1234\xe2\x82\xac");
    assert_int_equal(ow_copy(dst, 1, "x"), 0);
    assert_string_equal(dst, "");
}

static void numbers_are_whole_strings_within_bounds(void **state)
{
    static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1x", "0x1", "1.0" };
    uint64_t u = 7;
    int64_t i = 7;

    (void)state;
    for (size_t k = 0; k < OW_LEN(bad); k++) {
        assert_false(ow_parse_u64(bad[k], &u));
        assert_false(ow_parse_i64(bad[k], &i));
    }
    assert_false(ow_parse_u64(NULL, &u));
    assert_false(ow_parse_i64(NULL, &i));
    assert_false(ow_parse_u64("-1", &u));
    assert_false(ow_parse_u64("18446744073709551616", &u));
    assert_false(ow_parse_i64("9223372036854775808", &i));
    assert_false(ow_parse_i64("-9223372036854775809", &i));
    assert_true(u == 7 && i == 7);
    assert_true(ow_parse_u64("18446744073709551615", &u) && u == UINT64_MAX);
    assert_true(ow_parse_u64("007", &u) && u == 7);
    assert_true(ow_parse_i64("9223372036854775807", &i) && i == INT64_MAX);
    assert_true(ow_parse_i64("-9223372036854775808", &i) && i == INT64_MIN);
    assert_true(ow_parse_i64("-0", &i) && i == 0);
}

/* First and last of every row of table 3-7 of the Unicode Standard, and the neighbours
 * just outside. */
static const struct {
    const char *bytes;
    size_t len;
} utf8_cases[] = {
    {"\x01",              1},
    { "\x7f",             1},
    { "\xc2\x80",         2},
    { "\xdf\xbf",         2},
    { "\xe0\xa0\x80",     3},
    { "\xe0\xbf\xbf",     3},
    { "\xe1\x80\x80",     3},
    { "\xec\xbf\xbf",     3},
    { "\xed\x80\x80",     3},
    { "\xed\x9f\xbf",     3},
    { "\xee\x80\x80",     3},
    { "\xef\xbf\xbf",     3},
    { "\xf0\x90\x80\x80", 4},
    { "\xf3\xbf\xbf\xbf", 4},
    { "\xf4\x80\x80\x80", 4},
    { "\xf4\x8f\xbf\xbf", 4},
    { "\x80",             0},
    { "\xbf",             0},
    { "\xc0\x80",         0}, /* overlong NUL */
    { "\xc1\xbf",         0}, /* overlong */
    { "\xc2",             0}, /* cut short */
    { "\xc2\x7f",         0},
    { "\xc2\xc0",         0},
    { "\xe0\x9f\xbf",     0}, /* overlong */
    { "\xe0\xa0",         0}, /* cut short */
    { "\xe1\x80\x7f",     0},
    { "\xed\xa0\x80",     0}, /* surrogate */
    { "\xed\xbf\xbf",     0}, /* surrogate */
    { "\xf0\x8f\xbf\xbf", 0}, /* overlong */
    { "\xf0\x90\x80",     0}, /* cut short */
    { "\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
    { "\xf5\x80\x80\x80", 0},
    { "\xf0\x90\x80\xc0", 0},
    { "\xff",             0},
    { "\xfe",             0},
};

static void utf8_is_well_formed_or_has_no_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(utf8_cases); i++) {
        size_t n = strlen(utf8_cases[i].bytes);
        char *exact = malloc(n); /* a read past the end shows under a sanitizer */

        assert_non_null(exact);
        memcpy(exact, utf8_cases[i].bytes, n);
        if (ow_utf8_len(exact, n) != utf8_cases[i].len)
            fail_msg("case %zu", i);
        assert_int_equal(ow_utf8_valid(exact, n), utf8_cases[i].len > 0);
        free(exact);
    }
    assert_int_equal(ow_utf8_len("", 0), 0);
    assert_int_equal(ow_utf8_len("\0", 1), 1);
    assert_true(ow_utf8_valid("", 0));
    assert_true(ow_utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x8a", 10));
    assert_false(ow_utf8_valid("a\xc3\xa4\xe2\x82", 5));
}

static void every_code_point_and_no_other_is_valid(void **state)
{
    (void)state;
    for (uint32_t c = 0x10000; c <= 0x13ffff; c++) {
        unsigned char u[4] = { (unsigned char)(0xf0 | c >> 18),
                               (unsigned char)(0x80 | (c >> 12 & 63)),
                               (unsigned char)(0x80 | (c >> 6 & 63)),
                               (unsigned char)(0x80 | (c & 63)) };

        if (ow_utf8_len((char *)u, 4) != (c <= 0x10ffff ? 4u : 0u))
            fail_msg("U+%X", c);
    }
    for (uint32_t c = 0; c <= 0xffff; c++) {
        unsigned char u[3] = { (unsigned char)(0xe0 | c >> 12),
                               (unsigned char)(0x80 | (c >> 6 & 63)),
                               (unsigned char)(0x80 | (c & 63)) };
        bool ok = c >= 0x800 && (c < 0xd800 || c > 0xdfff);

        if (ow_utf8_len((char *)u, 3) != (ok ? 3u : 0u))
            fail_msg("U+%X", c);
    }
}

static void hexadecimal_goes_there_and_back(void **state)
{
    uint8_t all[256], back[256];
    char text[513];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    ow_hex(all, sizeof all, text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text + 2 * 0xab, "abacad", 6);
    assert_true(ow_unhex(text, sizeof back, back));
    assert_memory_equal(all, back, sizeof all);
    assert_true(ow_unhex("DeadBEEF", 4, back));
    assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
    assert_false(ow_unhex("de", 2, back)); /* too short: stops at the NUL */
    assert_false(ow_unhex("0g", 1, back));
    assert_false(ow_unhex(" 0", 1, back));
    ow_hex("", 0, text);
    assert_string_equal(text, "");
}

/* Key 00..0f, message 00..n-1: the published SipHash-2-4 vectors, bytes as printed. */
static void siphash_meets_its_published_vectors(void **state)
{
    static const struct {
        size_t n;
        const char *hash;
    } cases[] = {
        {0,   "310e0edd47db6f72"},
        { 1,  "fd67dc93c539f874"},
        { 2,  "5a4fa9d909806c0d"},
        { 3,  "2d7efbd796666785"},
        { 4,  "b7877127e09427cf"},
        { 5,  "8da699cd64557618"},
        { 6,  "cee3fe586e46c9cb"},
        { 7,  "37d1018bf50002ab"},
        { 8,  "6224939a79f5f593"},
        { 9,  "b0e4a90bdf82009e"},
        { 15, "e545be4961ca29a1"},
        { 16, "db9bc2577fcc2a3f"},
        { 31, "42c341d8fa92d832"},
        { 63, "724506eb4c328a95"},
    };
    uint8_t key[16], message[64];

    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        uint64_t hash = ow_siphash(key, message, cases[i].n);
        uint8_t bytes[8];
        char text[17];

        for (int k = 0; k < 8; k++)
            bytes[k] = (uint8_t)(hash >> (8 * k));
        ow_hex(bytes, sizeof bytes, text);
        assert_string_equal(text, cases[i].hash);
    }
    assert_true(ow_siphash(key, message, 15) == 0xa129ca6149be45e5); /* the paper's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_knows_null_and_folds_ascii_only),
        cmocka_unit_test(prefixes_suffixes_and_words_are_found),
        cmocka_unit_test(copies_end_on_a_character),
        cmocka_unit_test(numbers_are_whole_strings_within_bounds),
        cmocka_unit_test(utf8_is_well_formed_or_has_no_length),
        cmocka_unit_test(every_code_point_and_no_other_is_valid),
        cmocka_unit_test(hexadecimal_goes_there_and_back),
        cmocka_unit_test(siphash_meets_its_published_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
