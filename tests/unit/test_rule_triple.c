/*
 * Opioid, benzodiazepine and muscle relaxant: all three together, or nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static struct build b;

static int begin(void **state)
{
    static const char *const names[] = { "triple-combination" };

    (void)state;
    build_init(&b);
    build_rules(&b, names, OW_LEN(names));
    return 0;
}

static int end(void **state)
{
    (void)state;
    build_done(&b);
    return 0;
}

static const struct ow_finding *finding(void)
{
    return build_finding(build_judge(&b), "triple-combination");
}

static struct ow_order *taken(const char *id, const char *rxcui, const char *when,
                              int days)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    o->authored = build_time(when);
    build_dose(&b, o, "1", "tablet", 2);
    build_supply(o, "1000", days);
    return o;
}

static void three(void)
{
    taken("o", RX_OXYCODONE_10, "2026-03-01", 30);
    taken("b", RX_LORAZEPAM_1, "2026-03-01", 10);
    taken("r", RX_CARISOPRODOL, "2026-03-01", 20);
}

static void the_three_together_are_critical(void **state)
{
    const struct ow_finding *f;

    (void)state;
    three();
    f = finding();
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_CRITICAL);
    assert_non_null(strstr(f->reason, "together for 9 days"));
    assert_int_equal(f->n_evidence, 3);
    assert_string_equal(f->evidence[0], "MedicationRequest/o");
    assert_string_equal(f->evidence[1], "MedicationRequest/b");
    assert_string_equal(f->evidence[2], "MedicationRequest/r");
    assert_string_equal(f->cause, "");
    assert_int_equal(f->n_sources, 1);
    assert_string_equal(f->sources[0], "CDC-2022-R11");
    build_preset(&b, "cdc-2016");
    assert_string_equal(finding()->sources[0], "site-policy");
}

static void two_of_the_three_are_not_meant(void **state)
{
    (void)state;
    three();
    for (size_t i = 0; i < 3; i++) {
        b.orders[i].status = OW_STATUS_STOPPED;
        assert_null(finding());
        b.orders[i].status = OW_STATUS_ACTIVE;
    }
    b.orders[2].medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_GABAPENTIN_300,
                                                NULL);
    assert_null(finding());
}

static void each_pair_meeting_is_not_all_three_meeting(void **state)
{
    struct ow_order *r;

    (void)state;
    /* the benzodiazepine meets the first opioid, the relaxant the second */
    taken("o1", RX_OXYCODONE_10, "2026-03-02", 5)->has_refills = false;
    taken("b", RX_LORAZEPAM_1, "2026-03-02", 5);
    taken("o2", RX_MORPHINE_15, "2026-03-10", 5);
    r = taken("r", RX_CARISOPRODOL, "2026-03-10", 5);
    assert_null(finding());
    r->authored = build_time("2026-03-06"); /* the last day of the other two */
    assert_non_null(finding());
    assert_non_null(strstr(finding()->reason, "together for 1 day"));
    r->authored = build_time("2026-03-07");
    assert_null(finding());
}

static void one_product_may_be_two_of_them(void **state)
{
    (void)state;
    taken("o", RX_CODEINE_SOMA, "2026-03-01", 30);
    assert_null(finding());
    taken("b", RX_LORAZEPAM_1, "2026-03-01", 10);
    assert_int_equal(finding()->n_evidence, 2);
}

static void a_draft_has_part_in_it_or_there_is_none(void **state)
{
    struct ow_order *o;

    (void)state;
    three();
    o = taken("new", RX_GABAPENTIN_300, "2026-03-02", 30);
    build_draft(&b, o);
    assert_null(finding());
    o->selected = false;
    b.orders[2].is_draft = b.orders[2].selected = true;
    b.orders[2].status = OW_STATUS_DRAFT;
    assert_non_null(finding());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_three_together_are_critical),
        TEST(two_of_the_three_are_not_meant),
        TEST(each_pair_meeting_is_not_all_three_meeting),
        TEST(one_product_may_be_two_of_them),
        TEST(a_draft_has_part_in_it_or_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
