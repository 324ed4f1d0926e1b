/* Buffer: grows up to its ceiling, fails once and stays failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void bytes_add_up_and_end_with_a_nul(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 1 << 20);
    assert_string_equal(ow_buf_cstr(&b), "");
    ow_buf_str(&b, "ab");
    ow_buf_char(&b, 'c');
    ow_buf_add(&b, "d\0e", 3);
    ow_buf_add(&b, NULL, 0);
    ow_buf_printf(&b, "%d", 42);
    assert_int_equal(b.len, 8);
    assert_memory_equal(b.data, "abcd\0e42", 9);
    for (int i = 0; i < 100000; i++)
        ow_buf_char(&b, 'x');
    assert_int_equal(b.len, 100008);
    assert_int_equal(strlen(b.data + 6), 100002);
    assert_false(b.failed);
    ow_buf_done(&b);
    assert_string_equal(ow_buf_cstr(&b), "");
}

static void the_ceiling_itself_fits_and_one_more_does_not(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        ow_buf_char(&b, 'x');
    assert_false(b.failed);
    assert_true(b.cap <= 1001);
    ow_buf_char(&b, 'y');
    assert_true(b.failed);
    assert_int_equal(b.len, 1000);
    ow_buf_done(&b);
}

static void failure_sticks_and_writes_nothing_more(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 4);
    ow_buf_str(&b, "ab");
    ow_buf_str(&b, "cde");
    assert_true(b.failed);
    ow_buf_str(&b, "c"); /* would fit: a gap in the middle must not go unseen */
    ow_buf_printf(&b, "%s", "c");
    assert_string_equal(ow_buf_cstr(&b), "ab");
    ow_buf_reset(&b);
    assert_false(b.failed);
    ow_buf_str(&b, "abcd");
    assert_string_equal(ow_buf_cstr(&b), "abcd");
    ow_buf_done(&b);
}

static void long_prints_grow_the_buffer_or_fail_whole(void **state)
{
    char text[1000];
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 1100);
    for (size_t n = 250; n < 262; n++) {
        ow_buf_reset(&b);
        memset(text, 'x', n);
        text[n] = '\0';
        ow_buf_printf(&b, "<%s>", text);
        assert_int_equal(b.len, n + 2);
        assert_int_equal(b.data[n + 1], '>');
        assert_int_equal(b.data[n + 2], '\0');
    }
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ow_buf_printf(&b, "%s", text);
    assert_true(b.failed);
    assert_int_equal(b.len, 263);
    ow_buf_done(&b);
}

static void taken_bytes_belong_to_the_taker(void **state)
{
    struct ow_buf b;
    size_t n = 9;
    char *taken;

    (void)state;
    ow_buf_init(&b, 100);
    ow_buf_str(&b, "abc");
    taken = ow_buf_take(&b, &n);
    assert_string_equal(taken, "abc");
    assert_int_equal(n, 3);
    assert_int_equal(b.len, 0);
    free(taken);
    taken = ow_buf_take(&b, &n); /* an empty buffer gives an empty string, not NULL */
    assert_string_equal(taken, "");
    assert_int_equal(n, 0);
    free(taken);
    ow_buf_str(&b, "again");
    taken = ow_buf_take(&b, NULL);
    assert_string_equal(taken, "again");
    free(taken);
    ow_buf_done(&b);
}

static void sizes_near_the_end_of_memory_fail_cleanly(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, SIZE_MAX);
    ow_buf_str(&b, "abc");
    ow_buf_add(&b, "x", SIZE_MAX - 2);
    assert_true(b.failed);
    assert_string_equal(ow_buf_cstr(&b), "abc");
    ow_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_add_up_and_end_with_a_nul),
        cmocka_unit_test(the_ceiling_itself_fits_and_one_more_does_not),
        cmocka_unit_test(failure_sticks_and_writes_nothing_more),
        cmocka_unit_test(long_prints_grow_the_buffer_or_fail_whole),
        cmocka_unit_test(taken_bytes_belong_to_the_taker),
        cmocka_unit_test(sizes_near_the_end_of_memory_fail_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
