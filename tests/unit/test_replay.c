/*
 * Replay: a token is new once, for as long as it lives, and no issuer takes another's
 * room
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/replay.h"

#define NOW ((ow_time)1772438400 * OW_SECOND)

static enum ow_replay_result add(struct ow_replay *r, const char *issuer, const char *jti,
                                 ow_time until, ow_time now)
{
    struct ow_token t = { .issuer = issuer, .until = until };

    ow_replay_digest(issuer, jti, t.digest);
    return ow_replay_add(r, &t, now);
}

static void a_token_is_new_once_and_of_its_issuer(void **state)
{
    struct ow_replay *r = ow_replay_new(10);

    (void)state;
    assert_int_equal(add(r, "a", "1", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(add(r, "a", "1", NOW + OW_HOUR, NOW), OW_REPLAY_SEEN);
    assert_int_equal(add(r, "a", "1", NOW + OW_HOUR, NOW + OW_HOUR), OW_REPLAY_SEEN);
    assert_int_equal(add(r, "b", "1", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(add(r, "a", "2", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(add(r, "ab", "", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(add(r, "", "ab", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(ow_replay_count(r), 5);
    ow_replay_free(r);
}

static void what_is_over_makes_room_and_nothing_else_does(void **state)
{
    struct ow_replay *r = ow_replay_new(3);
    char jti[8];

    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(jti, sizeof jti, "%d", i);
        assert_int_equal(add(r, "a", jti, NOW + i * OW_SECOND, NOW), OW_REPLAY_NEW);
    }
    assert_int_equal(add(r, "a", "new", NOW + OW_HOUR, NOW), OW_REPLAY_FULL);
    assert_int_equal(add(r, "b", "new", NOW + OW_HOUR, NOW), OW_REPLAY_NEW);
    assert_int_equal(add(r, "a", "0", NOW, NOW), OW_REPLAY_SEEN);
    /* two seconds later two of the three are over */
    assert_int_equal(add(r, "a", "x", NOW + OW_HOUR, NOW + 2 * OW_SECOND), OW_REPLAY_NEW);
    assert_int_equal(add(r, "a", "y", NOW + OW_HOUR, NOW + 2 * OW_SECOND), OW_REPLAY_NEW);
    assert_int_equal(add(r, "a", "z", NOW + OW_HOUR, NOW + 2 * OW_SECOND),
                     OW_REPLAY_FULL);
    assert_int_equal(add(r, "a", "2", NOW + OW_HOUR, NOW + 2 * OW_SECOND),
                     OW_REPLAY_SEEN);
    ow_replay_free(r);
}

static void what_is_over_goes_by_itself(void **state)
{
    struct ow_replay *r = ow_replay_new(1000);
    char jti[8];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(jti, sizeof jti, "%d", i);
        assert_int_equal(add(r, "a", jti, NOW + OW_MINUTE, NOW), OW_REPLAY_NEW);
    }
    assert_int_equal(add(r, "a", "new", NOW + OW_HOUR, NOW + 2 * OW_MINUTE),
                     OW_REPLAY_NEW);
    assert_int_equal(ow_replay_count(r), 1);
    ow_replay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_new_once_and_of_its_issuer),
        cmocka_unit_test(what_is_over_makes_room_and_nothing_else_does),
        cmocka_unit_test(what_is_over_goes_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
