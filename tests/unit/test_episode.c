/*
 * Episodes: told once when it begins, again when its tier changes, once more when it ends
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/episode.h"
#include "base/text.h"

static struct ow_arena arena;

struct plan {
    const struct ow_episode *list;
    size_t n, unchanged;
};

static struct plan plan(const struct ow_episode *known, size_t n_known,
                        const struct ow_finding *f, size_t n, bool at_least,
                        bool incomplete)
{
    struct ow_verdict v = { .findings = f, .n_findings = n, .at_least = at_least };
    struct plan ret;

    ow_episodes_plan(known, n_known, &v, incomplete, &arena, &ret.list, &ret.n,
                     &ret.unchanged);
    return ret;
}

static const struct ow_finding high = {
    .rule = "med-threshold", .cause = "", .tier = OW_TIER_CRITICAL, .reason = "120 MME/d"
};
static const struct ow_episode open_one = { .rule = "med-threshold",
                                            .cause = "",
                                            .number = 1,
                                            .tier = OW_TIER_CRITICAL,
                                            .open = true };

static void a_finding_begins_an_episode_and_is_told_once(void **state)
{
    struct plan p = plan(NULL, 0, &high, 1, false, false);

    (void)state;
    assert_int_equal(p.n, 1);
    assert_int_equal(p.list[0].number, 1);
    assert_int_equal(p.list[0].revision, 0);
    assert_true(p.list[0].open);
    p = plan(&open_one, 1, &high, 1, false, false);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.unchanged, 1);
}

static void another_tier_is_told_and_a_return_is_the_next_episode(void **state)
{
    struct ow_finding lower = high;
    struct ow_episode over = open_one;
    struct plan p;

    (void)state;
    lower.tier = OW_TIER_WARNING;
    p = plan(&open_one, 1, &lower, 1, false, false);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.list[0].revision, 1);
    assert_int_equal(p.list[0].number, 1);
    over.open = false;
    p = plan(&over, 1, &high, 1, false, false);
    assert_int_equal(p.list[0].number, 2);
    assert_int_equal(p.list[0].revision, 0);
}

static void what_is_gone_is_resolved_and_a_doubt_resolves_nothing(void **state)
{
    struct plan p = plan(&open_one, 1, NULL, 0, false, false);

    (void)state;
    assert_int_equal(p.n, 1);
    assert_false(p.list[0].open);
    assert_null(p.list[0].finding);
    assert_int_equal(plan(&open_one, 1, NULL, 0, true, false).n, 0);
    assert_int_equal(plan(&open_one, 1, NULL, 0, false, true).n, 0);
}

static void what_nobody_is_told_opens_nothing_and_closes_nothing(void **state)
{
    struct ow_finding f = high;

    (void)state;
    f.silent = "shadow";
    assert_int_equal(plan(NULL, 0, &f, 1, false, false).n, 0);
    assert_int_equal(plan(&open_one, 1, &f, 1, false, false).n, 0);
    f.silent = NULL;
    f.tier = OW_TIER_INFO;
    assert_int_equal(plan(NULL, 0, &f, 1, false, false).n, 0);
}

static void another_cause_is_another_alert(void **state)
{
    static const struct ow_finding f[] = {
        {.rule = "duplicate-opioid",
         .cause = "Codeine",
         .tier = OW_TIER_WARNING,
         .reason = "twice"},
    };
    struct ow_episode known[] = {
        {.rule = "duplicate-opioid", .cause = "Oxycodone", .number = 3, .open = true},
        { .rule = "early-refill",    .cause = "Codeine",   .number = 3, .open = true},
    };
    struct plan p = plan(known, 2, f, 1, false, false);

    (void)state;
    assert_int_equal(p.n, 3); /* one begins, two are over */
    assert_int_equal(p.list[0].number, 1);
    assert_true(p.list[0].open);
    for (size_t i = 1; i < 3; i++) {
        assert_false(p.list[i].open);
        assert_int_equal(p.list[i].revision, 1);
        assert_int_equal(p.list[i].number, 3);
    }
    /* an order that cannot be read leaves the dose open, and that alone */
    assert_int_equal(plan(known, 2, NULL, 0, true, false).n, 2);
}

static void the_next_episode_follows_the_last_of_them(void **state)
{
    struct ow_episode known[] = { open_one, open_one, open_one };
    struct plan p;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        known[i].open = false;
    known[0].number = 2;
    known[1].number = 3;
    p = plan(known, 3, &high, 1, false, false);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.list[0].number, 4);
    /* what was told as a warning and is an info now is over */
    p = plan(&open_one, 1, &(struct ow_finding){ .rule = "med-threshold", .cause = "" },
             1, false, false);
    assert_int_equal(p.n, 1);
    assert_false(p.list[0].open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_begins_an_episode_and_is_told_once),
        cmocka_unit_test(another_tier_is_told_and_a_return_is_the_next_episode),
        cmocka_unit_test(what_is_gone_is_resolved_and_a_doubt_resolves_nothing),
        cmocka_unit_test(another_cause_is_another_alert),
        cmocka_unit_test(the_next_episode_follows_the_last_of_them),
        cmocka_unit_test(what_nobody_is_told_opens_nothing_and_closes_nothing),
    };
    int failed;

    ow_arena_init(&arena, 1 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    ow_arena_done(&arena);
    return failed;
}
