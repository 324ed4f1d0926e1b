/*
 * Tsv: the ceilings of a table file, and what is taken off its beginning
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/tsv.h"
#include "base/buf.h"
#include "base/text.h"

static const char *const wanted[] = { "a" };

static struct ow_arena arena;
static struct ow_tsv_log faults;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 64 << 20);
    faults = (struct ow_tsv_log){ .report = NULL };
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static bool opens(struct ow_tsv *t, const char *text)
{
    const struct ow_knowledge_file f = { "t", text, strlen(text) };

    return ow_tsv_open(t, &f, wanted, 1, &faults, &arena);
}

static void a_byte_order_mark_is_no_part_of_the_header(void **state)
{
    struct ow_tsv t;

    (void)state;
    assert_true(opens(&t, "\xEF\xBB\xBF"
                          "a\nx\n"));
    assert_true(ow_tsv_next(&t));
    assert_string_equal(ow_tsv_field(&t, 0), "x");
    assert_false(ow_tsv_next(&t));
    assert_true(opens(&t, "a")); /* too short for one */
    assert_false(ow_tsv_next(&t));
    assert_int_equal(faults.errors, 0);
}

static void a_table_that_is_not_there_or_too_large_is_refused(void **state)
{
    struct ow_knowledge_file f = { "t", NULL, 0 };
    struct ow_tsv t;

    (void)state;
    assert_false(ow_tsv_open(&t, &f, wanted, 1, &faults, &arena));
    assert_string_equal(faults.first, "t:1:1: no such table");
    faults.errors = 0;
    f = (struct ow_knowledge_file){ "t", "a\n", OW_TSV_BYTES + 1 };
    assert_false(ow_tsv_open(&t, &f, wanted, 1, &faults, &arena));
    assert_string_equal(faults.first, "t:1:1: larger than any table");
}

static void a_header_is_text_of_a_few_columns(void **state)
{
    char many[4 * OW_TSV_COLUMNS] = "a";
    struct ow_tsv t;

    (void)state;
    assert_false(opens(&t, "a\t\xff\n"));
    assert_string_equal(faults.first, "t:1:3: not UTF-8 text");
    faults.errors = 0;
    for (int i = 1; i < OW_TSV_COLUMNS; i++)
        memcpy(many + strlen(many), "\tb", 3);
    assert_true(opens(&t, many));
    memcpy(many + strlen(many), "\tb", 3);
    assert_false(opens(&t, many));
    assert_int_equal(faults.errors, 1);
    assert_true(ow_contains_folded(faults.first, "columns; at most"));
}

static void a_field_longer_than_its_ceiling_is_passed_over(void **state)
{
    struct ow_buf text;
    struct ow_tsv t;

    (void)state;
    ow_buf_init(&text, 1 << 20);
    ow_buf_str(&text, "a\n");
    for (int i = 0; i < OW_TSV_FIELD; i++)
        ow_buf_str(&text, "x");
    ow_buf_str(&text, "\nx");
    for (int i = 0; i < OW_TSV_FIELD; i++)
        ow_buf_str(&text, "x");
    ow_buf_str(&text, "\ny\n");
    assert_true(opens(&t, ow_buf_cstr(&text)));
    assert_true(ow_tsv_next(&t));
    assert_int_equal(strlen(ow_tsv_field(&t, 0)), OW_TSV_FIELD);
    assert_true(ow_tsv_next(&t));
    assert_string_equal(ow_tsv_field(&t, 0), "y");
    assert_string_equal(faults.first, "t:3:1: field longer than 4096 bytes");
    ow_buf_done(&text);
}

static void reading_ends_at_the_most_lines_a_table_can_have(void **state)
{
    const size_t lines = OW_TSV_LINES + 10;
    char *text = ow_alloc(2 * lines + 1);
    struct ow_tsv t;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < lines; i++) {
        text[2 * i] = i == 0 ? 'a' : 'x';
        text[2 * i + 1] = '\n';
    }
    text[2 * lines] = '\0';
    assert_true(opens(&t, text));
    while (ow_tsv_next(&t))
        n++;
    assert_int_equal(n, OW_TSV_LINES - 1); /* and the header */
    assert_string_equal(faults.first, "t:2000001:1: more than 2000000 lines");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_byte_order_mark_is_no_part_of_the_header, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_table_that_is_not_there_or_too_large_is_refused,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_header_is_text_of_a_few_columns, begin, end),
        cmocka_unit_test_setup_teardown(a_field_longer_than_its_ceiling_is_passed_over,
                                        begin, end),
        cmocka_unit_test_setup_teardown(reading_ends_at_the_most_lines_a_table_can_have,
                                        begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
