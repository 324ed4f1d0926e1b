/* Arena: zeroed, aligned, bounded, and one free for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

static bool all_zero(const char *p, size_t n)
{
    while (n > 0 && p[n - 1] == 0)
        n--;
    return n == 0;
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    struct ow_arena a;
    char *p[400];

    (void)state;
    ow_arena_init(&a, 1 << 20);
    for (size_t i = 0; i < OW_LEN(p); i++) {
        p[i] = ow_arena_alloc(&a, i);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        assert_true(all_zero(p[i], i));
        memset(p[i], (int)i, i);
    }
    for (size_t i = 0; i < OW_LEN(p); i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal((unsigned char)p[i][k], i & 255);
    assert_ptr_not_equal(p[0], p[1]); /* nothing has an address of its own, too */
    ow_arena_done(&a);
}

static void a_reset_arena_starts_over_with_zeroed_memory(void **state)
{
    struct ow_arena a;
    char *first;

    (void)state;
    ow_arena_init(&a, 1 << 20);
    ow_arena_reset(&a); /* an empty one, too */
    first = ow_arena_alloc(&a, 100);
    for (int round = 0; round < 5; round++) {
        char *p;

        ow_arena_reset(&a);
        assert_int_equal(a.used, 0);
        p = ow_arena_alloc(&a, 100);
        assert_true(round > 1 || p == first); /* nothing was needed beyond one block */
        assert_true(all_zero(p, 100));
        memset(p, 0xff, 100);
        for (int i = 0; i < round * 300; i++) {
            p = ow_arena_alloc(&a, 200);
            assert_true(all_zero(p, 200));
            memset(p, 0xff, 200);
        }
    }
    ow_arena_done(&a);
    ow_arena_done(&a);
}

static void a_round_as_large_as_the_last_finds_its_memory(void **state)
{
    struct ow_arena a;
    char *before = NULL;

    (void)state;
    ow_arena_init(&a, (size_t)64 << 20);
    for (int round = 0; round < 8; round++) {
        char *p;

        ow_arena_reset(&a);
        p = ow_arena_alloc(&a, 100);
        assert_true(round < 4 || p == before);
        before = p;
        for (int i = 0; i < 1000; i++) {
            p = ow_arena_alloc(&a, 100);
            assert_true(all_zero(p, 100));
            memset(p, 0xff, 100);
        }
    }
    (void)ow_arena_alloc(&a, 4 << 20); /* a block of its own: not kept */
    ow_arena_reset(&a);
    assert_true(a.end - a.at < 1 << 20);
    assert_true(all_zero(ow_arena_alloc(&a, 1000), 1000));
    ow_arena_done(&a);
}

static void the_ceiling_is_noted_and_memory_still_comes(void **state)
{
    struct ow_arena a;

    (void)state;
    ow_arena_init(&a, 1024);
    assert_non_null(ow_arena_alloc(&a, 1024));
    assert_false(ow_arena_full(&a));
    assert_non_null(ow_arena_alloc(&a, 1));
    assert_true(ow_arena_full(&a));
    assert_non_null(ow_arena_alloc(&a, 1 << 20)); /* larger than any block */
    ow_arena_reset(&a);
    assert_false(ow_arena_full(&a));
    ow_arena_done(&a);
}

static void strings_are_copied_and_printed(void **state)
{
    char long_text[1000];
    struct ow_arena a;

    (void)state;
    ow_arena_init(&a, 1 << 20);
    assert_null(ow_arena_strdup(&a, NULL));
    assert_null(ow_arena_strndup(&a, NULL, 5));
    assert_string_equal(ow_arena_strdup(&a, "morphine"), "morphine");
    assert_string_equal(ow_arena_strdup(&a, ""), "");
    assert_string_equal(ow_arena_strndup(&a, "morphine", 5), "morph");
    assert_string_equal(ow_arena_strndup(&a, "ab", 5), "ab");
    assert_string_equal(ow_arena_printf(&a, "%d %s", 42, "MME"), "42 MME");
    for (size_t n = 250; n < 260; n++) { /* round the size of the first try */
        memset(long_text, 'x', n);
        long_text[n] = '\0';
        assert_string_equal(ow_arena_printf(&a, "%s", long_text), long_text);
    }
    ow_arena_done(&a);
}

static void growing_arrays_keep_what_they_hold(void **state)
{
    struct ow_arena a;
    size_t cap = 0, n = 0;
    int *items = NULL;

    (void)state;
    ow_arena_init(&a, 1 << 20);
    for (; n < 1000; n++) {
        OW_ARENA_GROW(&a, items, n, cap);
        assert_true(cap > n);
        items[n] = (int)n;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(items[i], i);
    assert_true(cap < 2100);
    ow_arena_done(&a);
}

static void typed_helpers_give_the_right_size(void **state)
{
    struct pair {
        int64_t a, b;
    };
    struct ow_arena a;
    struct pair *one, *many;

    (void)state;
    ow_arena_init(&a, 1 << 20);
    one = OW_NEW(&a, struct pair);
    many = OW_NEW_N(&a, struct pair, 10);
    one->b = 1;
    many[9].b = 2;
    assert_true(a.used == 11 * sizeof(struct pair));
    ow_arena_done(&a);
}

static void texts_are_joined_in_their_order(void **state)
{
    struct ow_arena a;

    (void)state;
    ow_arena_init(&a, 1 << 20);
    assert_string_equal(OW_JOIN(&a, "2 tablets", " x ", "", "4/d"), "2 tablets x 4/d");
    assert_string_equal(OW_JOIN(&a, ""), "");
    ow_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_joined_in_their_order),
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(a_reset_arena_starts_over_with_zeroed_memory),
        cmocka_unit_test(a_round_as_large_as_the_last_finds_its_memory),
        cmocka_unit_test(the_ceiling_is_noted_and_memory_still_comes),
        cmocka_unit_test(strings_are_copied_and_printed),
        cmocka_unit_test(growing_arrays_keep_what_they_hold),
        cmocka_unit_test(typed_helpers_give_the_right_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
