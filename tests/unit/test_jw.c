/* JSON writer: bytes compared whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jw.h"

static void structure_has_its_commas_in_the_right_places(void **state)
{
    struct ow_buf b;
    struct ow_jw w;

    (void)state;
    ow_buf_init(&b, 1 << 16);
    ow_jw_init(&w, &b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "a", "x");
    ow_jw_kstring(&w, "none", NULL);
    ow_jw_kstring_opt(&w, "left", NULL);
    ow_jw_kstring_opt(&w, "out", "");
    ow_jw_kstring_opt(&w, "b", "y");
    ow_jw_karray(&w, "list");
    ow_jw_int(&w, 1);
    ow_jw_array(&w);
    ow_jw_end(&w);
    ow_jw_object(&w);
    ow_jw_end(&w);
    ow_jw_null(&w);
    ow_jw_bool(&w, true);
    ow_jw_raw(&w, "{\"raw\":1}", 9);
    ow_jw_end(&w);
    ow_jw_kobject(&w, "o");
    ow_jw_kint(&w, "i", -5);
    ow_jw_kbool(&w, "f", false);
    ow_jw_kratio(&w, "r", OW_RATIO(45, 2), 2);
    ow_jw_end(&w);
    ow_jw_end(&w);
    assert_int_equal(w.depth, 0);
    assert_string_equal(ow_buf_cstr(&b), "{\"a\":\"x\",\"none\":null,\"b\":\"y\","
                                         "\"list\":[1,[],{},null,true,{\"raw\":1}],"
                                         "\"o\":{\"i\":-5,\"f\":false,\"r\":22.5}}");
    ow_buf_done(&b);
}

static void one(const char *text, size_t n, const char *json)
{
    struct ow_buf b;
    struct ow_jw w;

    ow_buf_init(&b, 1 << 16);
    ow_jw_init(&w, &b);
    ow_jw_string_n(&w, text, n);
    assert_string_equal(ow_buf_cstr(&b), json);
    ow_buf_done(&b);
}

static void strings_are_escaped_and_always_utf8(void **state)
{
    (void)state;
    one("", 0, "\"\"");
    one("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    one("\n\r\t\b\f", 5, "\"\\n\\r\\t\\b\\f\"");
    one("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
    one("\xe2\x82\xac\xf0\x9f\x92\x8a", 7, "\"\xe2\x82\xac\xf0\x9f\x92\x8a\"");
    one("a\xff"
        "b",
        3,
        "\"a\xef\xbf\xbd"
        "b\"");
    one("\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    one("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void integers_reach_their_limits(void **state)
{
    static const struct {
        int64_t v;
        const char *json;
    } cases[] = {
        {0,          "0"                   },
        { -1,        "-1"                  },
        { 10,        "10"                  },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf b;
        struct ow_jw w;

        ow_buf_init(&b, 100);
        ow_jw_init(&w, &b);
        ow_jw_int(&w, cases[i].v);
        assert_string_equal(ow_buf_cstr(&b), cases[i].json);
        ow_buf_done(&b);
    }
}

static void keys_are_escaped_like_strings(void **state)
{
    struct ow_buf b;
    struct ow_jw w;

    (void)state;
    ow_buf_init(&b, 100);
    ow_jw_init(&w, &b);
    ow_jw_object(&w);
    ow_jw_kint(&w, "a\"\n", 1);
    ow_jw_end(&w);
    assert_string_equal(ow_buf_cstr(&b), "{\"a\\\"\\n\":1}");
    ow_buf_done(&b);
}

/* Each of these is a mistake of ours, and has to stop the process. */
static void value_without_key(struct ow_jw *w)
{
    ow_jw_object(w);
    ow_jw_int(w, 1);
}

static void key_in_an_array(struct ow_jw *w)
{
    ow_jw_array(w);
    ow_jw_key(w, "a");
}

static void two_keys(struct ow_jw *w)
{
    ow_jw_object(w);
    ow_jw_key(w, "a");
    ow_jw_key(w, "b");
}

static void key_without_value(struct ow_jw *w)
{
    ow_jw_object(w);
    ow_jw_key(w, "a");
    ow_jw_end(w);
}

static void bracket_too_many(struct ow_jw *w)
{
    ow_jw_end(w);
}

static void two_values(struct ow_jw *w)
{
    ow_jw_int(w, 1);
    ow_jw_int(w, 2);
}

static void too_deep(struct ow_jw *w)
{
    for (int i = 0; i <= OW_JW_DEPTH; i++)
        ow_jw_array(w);
}

static void broken_nesting_stops_the_process(void **state)
{
    static void (*const mistakes[])(struct ow_jw *) = {
        value_without_key, key_in_an_array, two_keys, key_without_value,
        bracket_too_many,  two_values,      too_deep,
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(mistakes); i++) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
            struct ow_buf b;
            struct ow_jw w;

            signal(SIGABRT, SIG_DFL);
            (void)!freopen("/dev/null", "w", stderr);
            ow_buf_init(&b, 1000);
            ow_jw_init(&w, &b);
            mistakes[i](&w);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("mistake %zu went unseen", i);
    }
}

static void the_deepest_nesting_still_works(void **state)
{
    struct ow_buf b;
    struct ow_jw w;

    (void)state;
    ow_buf_init(&b, 1000);
    ow_jw_init(&w, &b);
    for (int i = 0; i < OW_JW_DEPTH; i++)
        ow_jw_array(&w);
    for (int i = 0; i < OW_JW_DEPTH; i++)
        ow_jw_end(&w);
    assert_int_equal(b.len, 2 * OW_JW_DEPTH);
    ow_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_has_its_commas_in_the_right_places),
        cmocka_unit_test(strings_are_escaped_and_always_utf8),
        cmocka_unit_test(integers_reach_their_limits),
        cmocka_unit_test(keys_are_escaped_like_strings),
        cmocka_unit_test(broken_nesting_stops_the_process),
        cmocka_unit_test(the_deepest_nesting_still_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
