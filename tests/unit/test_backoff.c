/* Back-off: bounds for every random number, and the server's own wish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/backoff.h"

static const struct ow_backoff ordinary = { 1000, 60000 };

static void waits_double_from_the_first_up_to_the_cap(void **state)
{
    static const int64_t most[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

    (void)state;
    for (unsigned i = 0; i < OW_LEN(most); i++) {
        int64_t low = INT64_MAX, high = 0;

        for (uint64_t r = 0; r <= 60000; r++) {
            int64_t wait = ow_backoff_ms(&ordinary, i + 1, 0, r);

            low = wait < low ? wait : low;
            high = wait > high ? wait : high;
        }
        assert_int_equal(low, most[i] / 2); /* equal jitter: half is certain */
        assert_int_equal(high, most[i]);
    }
}

static void any_number_of_failures_stays_at_the_cap(void **state)
{
    const struct ow_backoff huge = { 3, INT64_MAX };

    (void)state;
    assert_int_equal(ow_backoff_ms(&ordinary, 1000000, 0, 0), 30000);
    assert_int_equal(ow_backoff_ms(&ordinary, UINT32_MAX, 0, 30000), 60000);
    assert_true(ow_backoff_ms(&huge, UINT32_MAX, 0, UINT64_MAX) > INT64_MAX / 2 - 1);
    assert_int_equal(ow_backoff_ms(&(struct ow_backoff){ 1, 1 }, 5, 0, 7), 1);
}

static void the_servers_wish_is_a_lower_bound_within_reason(void **state)
{
    (void)state;
    for (uint64_t r = 0; r < 5000; r++) {
        int64_t wait = ow_backoff_ms(&ordinary, 1, 30000, r);

        assert_in_range(wait, 30000, 33000);
        wait = ow_backoff_ms(&ordinary, 1, INT64_MAX, r * 1000003);
        assert_in_range(wait, 300000, 330000); /* five minutes is the most */
        assert_in_range(ow_backoff_ms(&ordinary, 3, 5, r), 2000, 4000);
        assert_in_range(ow_backoff_ms(&ordinary, 3, -5, r), 2000, 4000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_from_the_first_up_to_the_cap),
        cmocka_unit_test(any_number_of_failures_stays_at_the_cap),
        cmocka_unit_test(the_servers_wish_is_a_lower_bound_within_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
