/*
 * The strict reader: what it refuses and where, exact numbers, and the public suite of
 * parsing tests when it is at hand (OW_SHARED, else ../shared beside the source).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "fhir/json.h"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static const cJSON *good(const char *text)
{
    const cJSON *root = NULL;
    struct ow_err err = { "" };

    if (ow_json_parse(text, strlen(text), NULL, &arena, &root, &err) != OW_OK)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void refused(const char *text, size_t n, const char *expected)
{
    const cJSON *root = NULL;
    struct ow_err err = { "" };
    char *exact = malloc(n ? n : 1); /* so that a read past the end is seen */

    memcpy(exact, text, n);
    assert_int_equal(ow_json_parse(exact, n, NULL, &arena, &root, &err), OW_INPUT);
    assert_string_equal(err.text, expected);
    free(exact);
}

static void what_cjson_would_take_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"",                                                                              "line 1, column 1: expected a JSON value, found the end of the text" },
        { "{\"a\":1}}",                                                                   "line 1, column 8: surplus text behind the value"                    },
        { "[1] x",                                                                        "line 1, column 5: surplus text behind the value"                    },
        { "\xef\xbb\xbf{}",
         "line 1, column 1: a byte order mark, which JSON does not allow"                                                                                      },
        { "{\"a\":1,\"b\":{},\"a\":2}",
         "line 1, column 15, at a: a member name occurs twice"                                                                                                 },
        { "{\"a\":1,\"\\u0061\":2}",
         "line 1, column 8, at a: a member name occurs twice"                                                                                                  },
        { "{\"a\": \"x\\u0000y\"}",                                                       "line 1, column 9, at a: \\u0000 in a string"                        },
        { "[\"\\ud800\"]",                                                                "line 1, column 3, at [0]: half of a surrogate pair"                 },
        { "[\"\\udc00\\ud800\"]",                                                         "line 1, column 3, at [0]: half of a surrogate pair"                 },
        { "[\"\\ud800\\u0041\"]",                                                         "line 1, column 3, at [0]: half of a surrogate pair"                 },
        { "[1,\"a\tb\"]",                                                                 "line 1, column 6, at [1]: raw control character in a string"        },
        { "[\"\xc0\xaf\"]",                                                               "line 1, column 3, at [0]: invalid UTF-8 in a string"                },
        { "[\"\xed\xa0\x80\"]",                                                           "line 1, column 3, at [0]: invalid UTF-8 in a string"                },
        { "[012]",                                                                        "line 1, column 2, at [0]: number with a leading zero"               },
        { "[1.]",                                                                         "line 1, column 2, at [0]: expected a digit behind the decimal point"},
        { "[.5]",                                                                         "line 1, column 2, at [0]: expected a JSON value"                    },
        { "[+1]",                                                                         "line 1, column 2, at [0]: expected a JSON value"                    },
        { "[1e]",                                                                         "line 1, column 2, at [0]: expected a digit in the exponent"         },
        { "[NaN]",                                                                        "line 1, column 2, at [0]: expected a JSON value"                    },
        { "[1,]",                                                                         "line 1, column 4, at [1]: expected a JSON value"                    },
        { "{\"a\":1,}",                                                                   "line 1, column 8, at a: expected a member name in quotes"           },
        { "{a:1}",                                                                        "line 1, column 2: expected a member name in quotes"                 },
        { "{\"a\" 1}",                                                                    "line 1, column 6, at a: expected ':'"                               },
        { "[1 2]",                                                                        "line 1, column 4, at [0]: expected ',' or ']'"                      },
        { "[\"\\x\"]",                                                                    "line 1, column 3, at [0]: unknown escape in a string"               },
        { "[\"\\u12G4\"]",
         "line 1, column 3, at [0]: expected four hexadecimal digits behind \\u"                                                                               },
        { "[\"abc",                                                                       "line 1, column 6, at [0]: the text ends inside a string"            },
        { "{\"entry\":[{},\n {\"resource\":{\"dosageInstruction\":[{\"text\": nul}]}}]}",
         "line 2, column 45, at entry[1].resource.dosageInstruction[0].text: expected a "
          "JSON value"                                                                                                                                         },
        { "{\"J\xc3\xb6rg Meier\":{\"a\":}}",
         "line 1, column 20, at ?.a: expected a JSON value"                                                                                                    },
        { "[\"\xc3\xa4\xe2\x82\xac\", x]",
         "line 1, column 8, at [1]: expected a JSON value"                                                                                                     },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        refused(cases[i].text, strlen(cases[i].text), cases[i].expected);
    refused("[1,\0]", 5, "line 1, column 4, at [1]: expected a JSON value");
}

static void numbers_keep_every_digit(void **state)
{
    static const struct {
        const char *text;
        bool fits;
        struct ow_ratio value;
    } cases[] = {
        {"0.10",                                                                         true,  { 1, 10 }                },
        { "5.00",                                                                        true,  { 5, 1 }                 },
        { "123456789012345678",                                                          true,  { 123456789012345678, 1 }},
        { "-0",                                                                          true,  { 0, 1 }                 },
        { "1e-3",                                                                        true,  { 1, 1000 }              },
        { "1e400",                                                                       false, { 0, 1 }                 },
        { "0.1000000000000000000000000000000000000000000000000000000000000000000000001",
         false,                                                                                 { 0, 1 }                 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        char text[200];
        struct ow_ratio r;
        const cJSON *root;

        snprintf(text, sizeof text, "{\"s\":\"1\",\"n\":[true,{\"v\":%s}],\"z\":7}",
                 cases[i].text);
        root = good(text);
        root = ow_json_get(ow_json_array(root, "n")->child->next, "v");
        assert_string_equal(root->valuestring, cases[i].text);
        assert_int_equal(ow_json_value_ratio(root, &r), cases[i].fits);
        if (cases[i].fits) {
            assert_int_equal(r.num, cases[i].value.num);
            assert_int_equal(r.den, cases[i].value.den);
        }
    }
}

static void members_are_found_by_type_and_by_case(void **state)
{
    const cJSON *o = good("{\"Code\":\"a\",\"code\":\"b\",\"n\":2.5,\"i\":7,\"t\":true,"
                          "\"l\":[1],\"o\":{},\"z\":null}");
    struct ow_ratio r;
    int64_t i;
    bool b;

    (void)state;
    assert_string_equal(ow_json_string(o, "code"), "b");
    assert_null(ow_json_string(o, "CODE"));
    assert_null(ow_json_string(o, "n"));
    assert_null(ow_json_string(o, "z"));
    assert_null(ow_json_string(NULL, "z"));
    assert_non_null(ow_json_get(o, "z"));
    assert_true(ow_json_ratio(o, "n", &r) && r.num == 5 && r.den == 2);
    assert_false(ow_json_int(o, "n", &i));
    assert_true(ow_json_int(o, "i", &i) && i == 7);
    assert_true(ow_json_bool(o, "t", &b) && b);
    assert_false(ow_json_bool(o, "i", &b));
    assert_non_null(ow_json_array(o, "l"));
    assert_null(ow_json_object(o, "l"));
}

/* n copies of `part` between `head` and `tail` */
static const char *repeat(const char *head, const char *part, size_t n, const char *tail,
                          size_t *len)
{
    struct ow_buf b;
    char *text;

    ow_buf_init(&b, (size_t)64 << 20);
    ow_buf_str(&b, head);
    for (size_t i = 0; i < n; i++)
        ow_buf_printf(&b, "%s", part);
    ow_buf_str(&b, tail);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    *len = b.len;
    ow_buf_done(&b);
    return text;
}

static void depth_count_and_size_are_bounded(void **state)
{
    struct ow_json_limits lim = { .nodes = 100 };
    const cJSON *root;
    struct ow_err err;
    const char *text;
    size_t n;

    (void)state;
    text = repeat("", "[", 100000, "", &n);
    assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_INPUT);
    assert_true(ow_ends_with(err.text, ": nested too deeply"));
    text = repeat("", "[", 64, "", &n);
    text = repeat(text, "]", 64, "", &n);
    assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_OK);
    text = repeat("", "[", 65, "", &n);
    text = repeat(text, "]", 65, "", &n);
    assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_INPUT);
    text = repeat("[0", ",0", 98, "]", &n);
    assert_int_equal(ow_json_parse(text, n, &lim, &arena, &root, &err), OW_OK);
    text = repeat("[0", ",0", 99, "]", &n);
    assert_int_equal(ow_json_parse(text, n, &lim, &arena, &root, &err), OW_INPUT);
    lim.bytes = n - 1;
    assert_int_equal(ow_json_parse(text, n, &lim, &arena, &root, &err), OW_INPUT);
    assert_string_equal(err.text, "201 bytes of JSON, more than the limit of 200");
}

static void memory_past_the_ceiling_is_refused(void **state)
{
    struct ow_arena small;
    const cJSON *root;
    struct ow_err err;
    const char *text;
    size_t n;

    (void)state;
    ow_arena_init(&small, 64 * 1024);
    text = repeat("[0", ",0", 5000, "]", &n);
    assert_int_equal(ow_json_parse(text, n, NULL, &small, &root, &err), OW_INPUT);
    assert_string_equal(err.text, "the JSON needs more memory than the limit");
    ow_arena_done(&small);
}

static const char *many_keys(size_t n, const char *last, size_t *len)
{
    struct ow_buf b;
    char *text;

    ow_buf_init(&b, (size_t)64 << 20);
    ow_buf_char(&b, '{');
    for (size_t i = 0; i < n; i++)
        ow_buf_printf(&b, "\"longishKey%zu\":%zu,", i, i);
    ow_buf_printf(&b, "\"%s\":0}", last);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    *len = b.len;
    ow_buf_done(&b);
    return text;
}

static void duplicate_keys_are_found_in_large_objects(void **state)
{
    static const size_t sizes[] = { 1, 15, 16, 17, 200, 100000 };
    const cJSON *root;
    struct ow_err err;
    size_t n;

    (void)state;
    for (size_t i = 0; i < OW_LEN(sizes); i++) {
        const char *text = many_keys(sizes[i], "longishKey0", &n);

        assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_INPUT);
        assert_true(ow_contains_folded(err.text, "occurs twice"));
        assert_true(ow_contains_folded(err.text, "at longishKey0:"));
        text = many_keys(sizes[i], "another", &n);
        assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_OK);
    }
    good("{\"abcdefgh\":1,\"abcdefghi\":2,\"abcdefg\":3,\"\":4}");
}

static void values_are_read_one_after_another(void **state)
{
    const char *text = "  {\"a\":1} \n {\"a\":2}\n\n[3]";
    size_t n = strlen(text), used, at = 0;
    const cJSON *root;
    int64_t v;

    (void)state;
    assert_int_equal(ow_json_parse_next(text, n, NULL, &arena, &root, &used, NULL),
                     OW_OK);
    at += used;
    assert_int_equal(text[at], '{');
    assert_int_equal(
        ow_json_parse_next(text + at, n - at, NULL, &arena, &root, &used, NULL), OW_OK);
    assert_true(ow_json_int(root, "a", &v) && v == 2);
    at += used;
    assert_int_equal(
        ow_json_parse_next(text + at, n - at, NULL, &arena, &root, &used, NULL), OW_OK);
    assert_int_equal(at + used, n);
}

static void other_users_of_cjson_notice_nothing(void **state)
{
    cJSON *own, *before = cJSON_Parse("{\"a\":[1,2]}");
    char *text;

    (void)state;
    good("{\"x\":1}");
    own = cJSON_Parse("{\"b\":\"c\"}");
    cJSON_AddItemToObject(own, "a", before);
    text = cJSON_PrintUnformatted(own);
    assert_string_equal(text, "{\"b\":\"c\",\"a\":{\"a\":[1,2]}}");
    cJSON_free(text);
    cJSON_Delete(own);
}

/* Types, names, texts and links of two trees; numbers by their value. */
static void same_tree(const cJSON *a, const cJSON *b)
{
    const cJSON *x = a->child, *y = b->child;

    assert_int_equal(a->type, b->type);
    assert_true(ow_streq(a->string, b->string));
    if (cJSON_IsNumber(a))
        assert_true(strtod(a->valuestring, NULL) == b->valuedouble);
    else
        assert_true(ow_streq(a->valuestring, b->valuestring));
    if (x)
        assert_true(x->prev && y && y->prev && !x->prev->next);
    for (; x && y; x = x->next, y = y->next) {
        same_tree(x, y);
        assert_true(!x->next || x->next->prev == x);
    }
    assert_true(!x && !y);
}

static void the_tree_is_the_one_that_cjson_builds(void **state)
{
    static const char *const texts[] = {
        "null",
        " [ ] ",
        "{}",
        "-0.5e3",
        "\"\"",
        "[1,-2,3.25,[],{},[[]],true,false,null]",
        "{\"a\":{\"b\":[{\"c\":\"d\"},{\"\":\"\"}]},\"e\\u00e9\\n\":\"\\ud83d\\ude00\\\"\\/\"}",
        "{\"m\xc3\xbcller\":[\"\xf0\x9f\x98\x80\",1e2,0],\"long name of a member\":1}",
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(texts); i++) {
        cJSON *other = cJSON_Parse(texts[i]);

        assert_non_null(other);
        same_tree(good(texts[i]), other);
        cJSON_Delete(other);
    }
}

static void equal_values_are_told_from_different_ones(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"{\"a\":[1,{\"b\":\"c\"}]}", "{ \"a\" : [1, {\"b\":\"c\"}] }", true },
        { "[1,2]",                    "[1]",                            false},
        { "[1]",                      "[1,2]",                          false},
        { "1.0",                      "1.00",                           false},
        { "{\"a\":1}",                "{\"b\":1}",                      false},
        { "[true]",                   "[false]",                        false},
        { "null",                     "{}",                             false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        assert_int_equal(ow_json_same(good(cases[i].a), good(cases[i].b)), cases[i].same);
}

/* --- the public suite --- */

/* Beyond the grammar: refused here on purpose, although RFC 8259 lets them pass. */
static const char *const policy_refused[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",
    "y_string_null_escape.json",
};

/* What the RFC leaves open, decided: numbers of any size are read (their use decides),
 * everything that is not Unicode, and deep nesting, is refused. */
static const struct {
    const char *name;
    bool accepted;
} open_cases[] = {
    {"i_number_double_huge_neg_exp.json",                    true },
    { "i_number_huge_exp.json",                              true },
    { "i_number_neg_int_huge_exp.json",                      true },
    { "i_number_pos_double_huge_exp.json",                   true },
    { "i_number_real_neg_overflow.json",                     true },
    { "i_number_real_pos_overflow.json",                     true },
    { "i_number_real_underflow.json",                        true },
    { "i_number_too_big_neg_int.json",                       true },
    { "i_number_too_big_pos_int.json",                       true },
    { "i_number_very_big_negative_int.json",                 true },
    { "i_object_key_lone_2nd_surrogate.json",                false},
    { "i_string_1st_surrogate_but_2nd_missing.json",         false},
    { "i_string_1st_valid_surrogate_2nd_invalid.json",       false},
    { "i_string_UTF-16LE_with_BOM.json",                     false},
    { "i_string_UTF-8_invalid_sequence.json",                false},
    { "i_string_UTF8_surrogate_U+D800.json",                 false},
    { "i_string_incomplete_surrogate_and_escape_valid.json", false},
    { "i_string_incomplete_surrogate_pair.json",             false},
    { "i_string_incomplete_surrogates_escape_valid.json",    false},
    { "i_string_invalid_lonely_surrogate.json",              false},
    { "i_string_invalid_surrogate.json",                     false},
    { "i_string_invalid_utf-8.json",                         false},
    { "i_string_inverted_surrogates_U+1D11E.json",           false},
    { "i_string_iso_latin_1.json",                           false},
    { "i_string_lone_second_surrogate.json",                 false},
    { "i_string_lone_utf8_continuation_byte.json",           false},
    { "i_string_not_in_unicode_range.json",                  false},
    { "i_string_overlong_sequence_2_bytes.json",             false},
    { "i_string_overlong_sequence_6_bytes.json",             false},
    { "i_string_overlong_sequence_6_bytes_null.json",        false},
    { "i_string_truncated-utf-8.json",                       false},
    { "i_string_utf16BE_no_BOM.json",                        false},
    { "i_string_utf16LE_no_BOM.json",                        false},
    { "i_structure_500_nested_arrays.json",                  false},
    { "i_structure_UTF-8_BOM_empty_object.json",             false},
};

static bool takes(const char *text, size_t n, bool grammar_only)
{
    struct ow_json_limits lim = { .grammar_only = grammar_only };
    const cJSON *root;

    return ow_json_parse(text, n, &lim, &arena, &root, NULL) == OW_OK;
}

static bool is_policy(const char *name)
{
    for (size_t i = 0; i < OW_LEN(policy_refused); i++) {
        if (strcmp(name, policy_refused[i]) == 0)
            return true;
    }
    return false;
}

static void suite_file(const char *name, const char *text, size_t n, unsigned count[3])
{
    bool strict = takes(text, n, false);

    if (name[0] == 'y') {
        count[0]++;
        if (!takes(text, n, true) || strict == is_policy(name))
            fail_msg("%s", name);
    } else if (name[0] == 'n') {
        count[1]++;
        if (strict || takes(text, n, true))
            fail_msg("%s was accepted", name);
    } else {
        bool listed = false;

        count[2]++;
        for (size_t i = 0; i < OW_LEN(open_cases); i++) {
            if (strcmp(name, open_cases[i].name) == 0) {
                listed = true;
                if (strict != open_cases[i].accepted)
                    fail_msg("%s: not as decided", name);
            }
        }
        if (!listed)
            fail_msg("%s is not in the table", name);
    }
}

static void suite_dir(const char *path)
{
    unsigned count[3] = { 0, 0, 0 };
    DIR *dir = opendir(path);
    struct dirent *e;

    if (!dir) {
        print_message("no JSONTestSuite in %s: set OW_SHARED\n", path);
        skip();
    }
    while ((e = readdir(dir))) {
        char file[2048], *text;
        size_t n;
        FILE *f;

        if (!strstr(e->d_name, ".json"))
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        f = fopen(file, "rb");
        assert_non_null(f);
        text = malloc(1 << 20);
        n = fread(text, 1, 1 << 20, f);
        fclose(f);
        text = realloc(text, n ? n : 1);
        suite_file(e->d_name, text, n, count);
        free(text);
    }
    closedir(dir);
    print_message("JSONTestSuite: %u y_, %u n_, %u i_\n", count[0], count[1], count[2]);
    assert_true(count[0] >= 95 && count[1] >= 188 && count[2] >= 35);
}

static void the_public_suite_is_met(void **state)
{
    const char *shared = getenv("OW_SHARED"), *source = getenv("OW_SOURCE_DIR");
    char path[900];

    (void)state;
    if (shared)
        snprintf(path, sizeof path, "%s/vectors/jsontestsuite", shared);
    else
        snprintf(path, sizeof path, "%s/../shared/vectors/jsontestsuite",
                 source ? source : ".");
    suite_dir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cjson_would_take_is_refused_with_its_place),
        cmocka_unit_test(numbers_keep_every_digit),
        cmocka_unit_test(members_are_found_by_type_and_by_case),
        cmocka_unit_test(depth_count_and_size_are_bounded),
        cmocka_unit_test(memory_past_the_ceiling_is_refused),
        cmocka_unit_test(duplicate_keys_are_found_in_large_objects),
        cmocka_unit_test(values_are_read_one_after_another),
        cmocka_unit_test(other_users_of_cjson_notice_nothing),
        cmocka_unit_test(the_tree_is_the_one_that_cjson_builds),
        cmocka_unit_test(equal_values_are_told_from_different_ones),
        cmocka_unit_test(the_public_suite_is_met),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
