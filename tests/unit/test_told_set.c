/*
 * Told set: who is in it is said to be, and beyond its ceiling everybody may be
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/told_set.h"

/* Distinct for distinct `i`, and spread: multiplication by an odd number. */
static uint64_t hash(uint64_t i)
{
    return i * UINT64_C(0x9e3779b97f4a7c15);
}

static void an_empty_set_has_nobody(void **state)
{
    struct ow_told_set s = { 0 };

    (void)state;
    assert_false(ow_told_set_may_have(&s, 0));
    assert_false(ow_told_set_may_have(&s, hash(1)));
    ow_told_set_done(&s);
}

static void who_was_added_is_there_and_nobody_else(void **state)
{
    struct ow_told_set s = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 20000; i += 2) {
        ow_told_set_add(&s, hash(i));
        ow_told_set_add(&s, hash(i));
    }
    assert_int_equal(s.n, 10000);
    for (uint64_t i = 0; i < 20000; i++)
        assert_int_equal(ow_told_set_may_have(&s, hash(i)), i % 2 == 0);
    ow_told_set_done(&s);
}

static void hashes_that_fall_on_one_place_are_all_kept(void **state)
{
    struct ow_told_set s = { 0 };

    (void)state;
    for (uint64_t i = 1; i <= 100; i++)
        ow_told_set_add(&s, i << 40 | 255);
    for (uint64_t i = 1; i <= 100; i++)
        assert_true(ow_told_set_may_have(&s, i << 40 | 255));
    assert_false(ow_told_set_may_have(&s, UINT64_C(101) << 40 | 255));
    ow_told_set_done(&s);
}

static void beyond_the_ceiling_anybody_may_be_in_it(void **state)
{
    struct ow_told_set s = { 0 };

    (void)state;
    for (uint64_t i = 1; i <= OW_TOLD_SET_MOST; i++)
        ow_told_set_add(&s, hash(i));
    assert_int_equal(s.n, OW_TOLD_SET_MOST);
    assert_int_equal(s.cap * sizeof *s.slots, 16 << 20);
    assert_false(ow_told_set_may_have(&s, hash(OW_TOLD_SET_MOST + 1)));
    ow_told_set_add(&s, hash(7)); /* one of them: no more than before */
    assert_false(ow_told_set_may_have(&s, hash(OW_TOLD_SET_MOST + 1)));
    ow_told_set_add(&s, hash(OW_TOLD_SET_MOST + 1));
    assert_true(ow_told_set_may_have(&s, hash(OW_TOLD_SET_MOST + 2)));
    assert_null(s.slots);
    ow_told_set_add(&s, hash(3));
    assert_null(s.slots);
    ow_told_set_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nobody),
        cmocka_unit_test(who_was_added_is_there_and_nobody_else),
        cmocka_unit_test(hashes_that_fall_on_one_place_are_all_kept),
        cmocka_unit_test(beyond_the_ceiling_anybody_may_be_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
