/*
 * Rules about the product: release, other ingredients, the site's lists
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
    static const char *const names[] = { "er-la-opioid-naive", "acetaminophen-total",
                                         "max-dose", "preferred-drug" };

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

static const struct ow_finding *finding(const char *rule)
{
    return build_finding(build_judge(&b), rule);
}

static struct ow_order *begun(const char *id, const char *rxcui)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    o->authored = build_time("2026-03-02");
    build_dose(&b, o, "1", "tablet", 2);
    build_supply(o, "60", 30);
    return o;
}

/* ---- er-la-opioid-naive ---- */

static void extended_release_to_begin_with_is_told(void **state)
{
    struct ow_order *old;
    const struct ow_finding *f;

    (void)state;
    begun("a", RX_MORPHINE_ER_15);
    f = finding("er-la-opioid-naive");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_int_equal(f->n_evidence, 1);
    assert_string_equal(f->evidence[0], "MedicationRequest/a");
    assert_string_equal(f->cause, "MedicationRequest/a");
    assert_int_equal(f->n_sources, 1);
    assert_string_equal(f->sources[0], "CDC-2022-R3");
    build_preset(&b, "cdc-2016");
    assert_string_equal(finding("er-la-opioid-naive")->sources[0], "CDC-2016-R4");
    old = begun("old", RX_OXYCODONE_5);
    build_supply(old, "10", 3);
    old->status = OW_STATUS_COMPLETED;
    old->authored = build_time("2025-12-02"); /* 90 days ago */
    assert_null(finding("er-la-opioid-naive"));
    old->authored = build_time("2025-11-28");
    assert_non_null(finding("er-la-opioid-naive"));
}

static void it_is_told_for_a_week_after_it_began(void **state)
{
    struct ow_order *o = begun("a", RX_MORPHINE_ER_15), *old;

    (void)state;
    o->authored = build_time("2026-02-23");
    assert_non_null(finding("er-la-opioid-naive"));
    o->authored = build_time("2026-02-22");
    assert_null(finding("er-la-opioid-naive"));
    o->authored = build_time("2026-02-23");
    old = begun("old", RX_OXYCODONE_5);
    build_supply(old, "2", 1);
    old->status = OW_STATUS_COMPLETED;
    old->authored = build_time("2025-11-25"); /* 90 days before it began */
    assert_null(finding("er-la-opioid-naive"));
    old->authored = build_time("2025-11-24");
    assert_non_null(finding("er-la-opioid-naive"));
}

static void methadone_and_the_patch_weigh_more(void **state)
{
    static const struct {
        const char *rxcui;
        int tier;
    } cases[] = {
        {RX_METHADONE_10,     OW_TIER_CRITICAL},
        { RX_FENTANYL_25,     OW_TIER_CRITICAL},
        { RX_MORPHINE_ER_15,  OW_TIER_WARNING },
        { RX_MORPHINE_15,     -1              },
        { RX_BUPRENORPHINE_8, -1              }, /* for opioid use disorder */
        { "904870",           OW_TIER_WARNING }, /* 168 HR patch, for pain */
    };
    struct ow_order *o = begun("a", RX_METHADONE_10);

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_finding *f;

        o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, cases[i].rxcui, NULL);
        f = finding("er-la-opioid-naive");
        assert_int_equal(f != NULL ? (int)f->tier : -1, cases[i].tier);
    }
}

static void only_the_draft_that_is_being_signed_is_told(void **state)
{
    (void)state;
    begun("a", RX_MORPHINE_ER_15);
    build_draft(&b, begun("new", RX_OXYCODONE_5));
    assert_null(finding("er-la-opioid-naive"));
    build_draft(&b, begun("er", RX_METHADONE_10));
    assert_string_equal(finding("er-la-opioid-naive")->evidence[0],
                        "MedicationRequest/er");
}

/* ---- acetaminophen-total ---- */

#define RX_NORCO_5 "857002" /* acetaminophen 325 MG / hydrocodone bitartrate 5 MG */

/* So many tablets of 500 mg a day, of a drug that no table of ours knows. */
static struct ow_order *tylenol(const char *id, int per_day)
{
    struct ow_order *o = build_order(&b, id, NULL);

    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, "198440",
                                       "acetaminophen 500 MG Oral Tablet");
    build_dose(&b, o, "1", "tablet", per_day);
    return o;
}

static struct ow_order *norco(const char *id, int per_day)
{
    struct ow_order *o = build_order(&b, id, RX_NORCO_5);

    build_dose(&b, o, "1", "tablet", per_day);
    return o;
}

static void acetaminophen_of_all_products_is_added(void **state)
{
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    tylenol("t", 6);
    assert_null(finding("acetaminophen-total")); /* 3000 */
    o = norco("n", 1);
    f = finding("acetaminophen-total"); /* 3325 */
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_INFO);
    assert_string_equal(f->reason,
                        "3000 + 325 = 3325 mg/d of acetaminophen from all products, over "
                        "3000");
    assert_string_equal(f->summary,
                        "3325 mg/d of acetaminophen from all products, over 3000");
    assert_int_equal(f->n_evidence, 2);
    assert_string_equal(f->cause, "");
    assert_string_equal(f->sources[0], "site-policy");
    o->n_dosages = 0;
    build_dose(&b, o, "1", "tablet", 3); /* 3975 */
    assert_int_equal(finding("acetaminophen-total")->tier, OW_TIER_INFO);
    o->n_dosages = 0;
    build_dose(&b, o, "1", "tablet", 4); /* 4300 */
    f = finding("acetaminophen-total");
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason,
                        "3000 + 1300 = 4300 mg/d of acetaminophen from all products, "
                        "over 4000");
    b.policy.params[OW_PARAM_ACETAMINOPHEN_WARNING] = OW_RATIO(4300, 1);
    assert_int_equal(finding("acetaminophen-total")->tier, OW_TIER_INFO);
}

static void acetaminophen_to_come_is_told_with_its_day(void **state)
{
    struct ow_order *o;

    (void)state;
    tylenol("t", 8);
    o = norco("n", 1);
    o->has_validity = true;
    o->validity = build_time("2026-03-10");
    assert_string_equal(finding("acetaminophen-total")->reason,
                        "4000 + 325 = 4325 mg/d of acetaminophen from all products, over "
                        "4000, from 2026-03-10");
}

static void a_draft_with_none_of_it_is_not_about_it(void **state)
{
    (void)state;
    tylenol("t", 9);
    build_draft(&b, begun("o", RX_OXYCODONE_5));
    assert_null(finding("acetaminophen-total"));
    build_draft(&b, norco("n", 1));
    assert_non_null(finding("acetaminophen-total"));
}

/* ---- max-dose ---- */

#define RX_TRAMADOL_50      "835603"
#define RX_TRAMADOL_ER_100  "833709"
#define RX_TAPENTADOL_100   "825409"
#define RX_TAPENTADOL_ER_50 "1148809"
#define RX_CODEINE_60       "997296"

static struct ow_order *daily(const char *id, const char *rxcui, const char *tablets)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    build_dose(&b, o, tablets, "tablet", 1);
    return o;
}

static void over_the_highest_dose_of_the_drug(void **state)
{
    static const struct {
        const char *rxcui, *most, *more; /* tablets a day */
    } cases[] = {
        {RX_TRAMADOL_50,       "8",  "8.1" },
        { RX_TRAMADOL_ER_100,  "3",  "3.1" },
        { RX_TAPENTADOL_100,   "6",  "6.1" },
        { RX_TAPENTADOL_ER_50, "10", "10.1"},
        { RX_CODEINE_60,       "6",  "6.1" },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o;

        b.chart.n_orders = 0;
        memset(b.orders, 0, sizeof *b.orders);
        o = daily("a", cases[i].rxcui, cases[i].most);
        assert_null(finding("max-dose"));
        o->n_dosages = 0;
        build_dose(&b, o, cases[i].more, "tablet", 1);
        assert_int_equal(finding("max-dose")->tier, OW_TIER_WARNING);
    }
}

static void the_highest_dose_is_of_all_orders_of_the_drug(void **state)
{
    const struct ow_finding *f;

    (void)state;
    daily("a", RX_TRAMADOL_50, "5");
    daily("b", "836466", "3"); /* the capsule */
    assert_null(finding("max-dose"));
    daily("c", RX_TRAMADOL_ER_100, "1");
    f = finding("max-dose");
    assert_string_equal(f->reason, "500 mg/d of Tramadol, over its highest daily dose of "
                                   "400 (FDA label of Ultram)");
    assert_int_equal(f->n_evidence, 3);
    assert_string_equal(f->cause, "Tramadol");
    assert_string_equal(f->sources[0], "site-policy");
}

static void over_75_years_the_highest_dose_is_less(void **state)
{
    (void)state;
    daily("a", RX_TRAMADOL_50, "7");
    assert_null(finding("max-dose"));
    b.chart.patient.has_birth = true;
    b.chart.patient.birth = build_time("1950-03-03"); /* 75 */
    assert_null(finding("max-dose"));
    b.chart.patient.birth = build_time("1950-03-02"); /* 76 */
    assert_non_null(finding("max-dose"));
    b.orders[0].n_dosages = 0;
    build_dose(&b, &b.orders[0], "6", "tablet", 1);
    assert_null(finding("max-dose"));
}

static void nothing_is_preferred_until_the_site_says_so(void **state)
{
    (void)state;
    daily("a", RX_TRAMADOL_50, "1");
    assert_null(finding("preferred-drug"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(extended_release_to_begin_with_is_told),
        TEST(it_is_told_for_a_week_after_it_began),
        TEST(methadone_and_the_patch_weigh_more),
        TEST(acetaminophen_of_all_products_is_added),
        TEST(acetaminophen_to_come_is_told_with_its_day),
        TEST(a_draft_with_none_of_it_is_not_about_it),
        TEST(over_the_highest_dose_of_the_drug),
        TEST(the_highest_dose_is_of_all_orders_of_the_drug),
        TEST(over_75_years_the_highest_dose_is_less),
        TEST(nothing_is_preferred_until_the_site_says_so),
        TEST(only_the_draft_that_is_being_signed_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
