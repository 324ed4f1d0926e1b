/* Errors: one clean line, whatever goes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

static void setting_an_error_returns_its_code(void **state)
{
    struct ow_err err;

    (void)state;
    assert_int_equal(ow_err_set(&err, OW_INPUT, "%s: %d", "line", 4), OW_INPUT);
    assert_string_equal(err.text, "line: 4");
    assert_int_equal(ow_err_set(NULL, OW_AGAIN, "x"), OW_AGAIN);
    assert_int_equal(ow_err_prefix(NULL, OW_AGAIN, "x"), OW_AGAIN);
}

static void prefixes_pile_up_in_front(void **state)
{
    struct ow_err err;

    (void)state;
    (void)ow_err_set(&err, OW_INPUT, "expected a number");
    assert_int_equal(ow_err_prefix(&err, OW_INPUT, "dose[%d]", 0), OW_INPUT);
    assert_int_equal(ow_err_prefix(&err, OW_CONFIG, "order %s", "mr-7"), OW_CONFIG);
    assert_string_equal(err.text, "order mr-7: dose[0]: expected a number");
}

static void an_error_may_quote_itself(void **state)
{
    struct ow_err err;

    (void)state;
    (void)ow_err_set(&err, OW_INPUT, "inner");
    (void)ow_err_set(&err, OW_INPUT, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void a_sentence_is_one_line_of_utf8(void **state)
{
    struct ow_err err;

    (void)state;
    (void)ow_err_set(&err, OW_INPUT, "a\nb\r\tc\x7f\x1b[31m");
    assert_string_equal(err.text, "a b  c  [31m");
    (void)ow_err_set(&err, OW_INPUT, "%s", "\xff\xc3\xa4\xe2\x82");
    assert_string_equal(err.text, "?\xc3\xa4??");
}

static void a_long_sentence_is_cut_between_characters(void **state)
{
    char text[2 * OW_ERR_SIZE + 4];
    struct ow_err err;

    (void)state;
    for (size_t lead = 0; lead < 6; lead++) {
        size_t n = lead;

        memset(text, 'a', lead);
        for (; n + 3 < sizeof text; n += 3)
            memcpy(text + n, "\xe2\x82\xac", 3);
        text[n] = '\0';
        (void)ow_err_set(&err, OW_INPUT, "%s", text);
        assert_in_range(strlen(err.text), OW_ERR_SIZE - 4, OW_ERR_SIZE - 1);
        assert_true(ow_utf8_valid(err.text, strlen(err.text)));
        assert_null(strchr(err.text, '?'));
        (void)ow_err_prefix(&err, OW_INPUT, "%s", text);
        assert_true(ow_utf8_valid(err.text, strlen(err.text)));
        assert_true(strlen(err.text) < OW_ERR_SIZE);
    }
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(ow_code_name(OW_OK), "ok");
    assert_string_equal(ow_code_name(OW_CANCELED), "canceled");
    for (int i = OW_OK; i <= OW_CANCELED; i++)
        assert_string_not_equal(ow_code_name((enum ow_code)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_returns_its_code),
        cmocka_unit_test(prefixes_pile_up_in_front),
        cmocka_unit_test(an_error_may_quote_itself),
        cmocka_unit_test(a_sentence_is_one_line_of_utf8),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
        cmocka_unit_test(every_code_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
