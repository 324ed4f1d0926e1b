/*
 * Rules about orders and supplies: each at its edge, with its evidence and its cause
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

#define RX_OXYCODONE_ER_10 "1049504" /* 12 HR oxycodone hydrochloride 10 MG */

static struct build b;

static int begin(void **state)
{
    static const char *const names[] = { "duplicate-opioid", "multiple-prescribers",
                                         "quantity-limit", "early-refill",
                                         "acute-duration" };

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

/* "a b": the evidence without its types */
static const char *evidence(const struct ow_finding *f)
{
    const char *ret = "";

    for (size_t i = 0; i < f->n_evidence; i++)
        ret = ow_arena_printf(&b.arena, "%s%s%s", ret, i > 0 ? " " : "",
                              strchr(f->evidence[i], '/') + 1);
    return ret;
}

static void cites(const struct ow_finding *f, const char *key)
{
    assert_int_equal(f->n_sources, 1);
    assert_string_equal(f->sources[0], key);
}

/* One tablet four times a day. */
static struct ow_order *taken(const char *id, const char *rxcui, const char *when,
                              int days)
{
    struct ow_order *o = build_order(&b, id, rxcui);
    char quantity[32];

    o->authored = build_time(when);
    build_dose(&b, o, "1", "tablet", 4);
    snprintf(quantity, sizeof quantity, "%d", 4 * days);
    build_supply(o, quantity, days);
    return o;
}

static struct ow_order *dispensed(const char *id, const char *when, int days)
{
    struct ow_order *o = taken(id, RX_OXYCODONE_10, when, days);

    o->kind = OW_DISPENSE;
    o->status = OW_STATUS_COMPLETED;
    o->n_dosages = 0;
    return o;
}

/* ---- duplicate-opioid; the question is of 2026-03-02T08:00:00Z ---- */

static void the_same_opioid_twice_for_seven_days(void **state)
{
    struct ow_order *a = taken("a", RX_OXYCODONE_10, "2026-02-20", 17); /* to 03-09 */
    const struct ow_finding *f;

    (void)state;
    taken("b", RX_OXYCODONE_5, "2026-03-02", 30);
    f = finding("duplicate-opioid");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason,
                        "Oxycodone is ordered twice, and neither order names the other");
    assert_string_equal(evidence(f), "a b");
    assert_string_equal(f->cause, "Oxycodone immediate");
    cites(f, "site-policy");
    build_supply(a, "64", 16); /* to 03-08: six days together */
    assert_null(finding("duplicate-opioid"));
}

static void three_of_one_opioid_are_one_finding(void **state)
{
    const struct ow_verdict *v;
    size_t n = 0;

    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-03-01", 30);
    taken("b", RX_OXYCODONE_5, "2026-03-01", 30);
    taken("c", RX_OXYCODONE_20, "2026-03-01", 30);
    v = build_judge(&b);
    for (size_t i = 0; i < v->n_findings; i++)
        n += ow_streq(v->findings[i].rule, "duplicate-opioid");
    assert_int_equal(n, 1);
    assert_string_equal(evidence(build_finding(v, "duplicate-opioid")), "a b c");
}

static void another_release_or_a_link_is_no_duplicate(void **state)
{
    struct ow_order *o;

    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-03-01", 30);
    o = taken("b", RX_OXYCODONE_ER_10, "2026-03-01", 30);
    assert_null(finding("duplicate-opioid"));
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_OXYCODONE_5, NULL);
    assert_non_null(finding("duplicate-opioid"));
    o->prior = "MedicationRequest/a";
    assert_null(finding("duplicate-opioid"));
    o->prior = NULL;
    o->status = OW_STATUS_STOPPED;
    assert_null(finding("duplicate-opioid"));
    o->status = OW_STATUS_ACTIVE;
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_MORPHINE_15, NULL);
    assert_null(finding("duplicate-opioid"));
}

static void a_draft_has_part_in_a_duplicate_or_there_is_none(void **state)
{
    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-03-01", 30);
    taken("b", RX_OXYCODONE_5, "2026-03-01", 30);
    build_draft(&b, taken("new", RX_MORPHINE_15, "2026-03-02", 30));
    assert_null(finding("duplicate-opioid"));
    build_draft(&b, taken("more", RX_OXYCODONE_20, "2026-03-02", 30));
    assert_string_equal(evidence(finding("duplicate-opioid")), "a b more");
}

/* ---- multiple-prescribers ---- */

static void written_by(const char *id, const char *who, const char *when)
{
    struct ow_order *o = taken(id, RX_OXYCODONE_10, when, 5);

    o->status = OW_STATUS_COMPLETED;
    o->prescriber = who;
}

static void four_prescribers_in_180_days(void **state)
{
    const struct ow_finding *f;

    (void)state;
    written_by("a", "Practitioner/1", "2025-09-03"); /* 180 days ago */
    written_by("b", "Practitioner/2", "2025-12-01");
    written_by("c", "http://ehr.example/fhir/Practitioner/3/_history/2", "2026-01-01");
    written_by("d", "Practitioner/3", "2026-01-20");
    written_by("e", "Practitioner/2", "2026-02-01");
    assert_null(finding("multiple-prescribers"));
    written_by("f", "PractitionerRole/1", "2026-02-10");
    f = finding("multiple-prescribers");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason, "opioids from 4 prescribers in 180 days");
    assert_string_equal(evidence(f), "a b c f");
    assert_string_equal(f->cause, "");
    cites(f, "site-policy");
    b.orders[0].authored = build_time("2025-09-02");
    assert_null(finding("multiple-prescribers"));
}

static void what_was_never_written_by_a_person_does_not_count(void **state)
{
    (void)state;
    written_by("a", "Practitioner/1", "2026-01-01");
    written_by("b", "Practitioner/2", "2026-01-02");
    written_by("c", "Practitioner/3", "2026-01-03");
    written_by("d", "Patient/p1", "2026-01-04");
    assert_null(finding("multiple-prescribers"));
    b.orders[3].prescriber = "Practitioner/4";
    assert_non_null(finding("multiple-prescribers"));
    b.orders[3].status = OW_STATUS_ENTERED_IN_ERROR;
    assert_null(finding("multiple-prescribers"));
    b.orders[3].status = OW_STATUS_COMPLETED;
    b.orders[3].medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_LORAZEPAM_1,
                                                NULL);
    assert_null(finding("multiple-prescribers"));
}

static void two_servers_have_two_first_practitioners(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        written_by(ow_arena_printf(&b.arena, "o%d", i),
                   i % 2 == 0 ? "Practitioner/1" : "Practitioner/2", "2026-01-01");
    for (int i = 0; i < 4; i++)
        b.orders[i].source = i < 2 ? "north" : "south";
    assert_non_null(finding("multiple-prescribers"));
    b.orders[2].source = b.orders[3].source = "north";
    assert_null(finding("multiple-prescribers"));
}

static void four_pharmacies_in_180_days(void **state)
{
    static const char *const shops[] = { "Organization/1", "Organization/2",
                                         "Organization/3", "Organization/4" };
    const struct ow_finding *f;

    (void)state;
    for (size_t i = 0; i < OW_LEN(shops); i++)
        dispensed(shops[i] + 13, "2026-01-01", 3)->performer = shops[i];
    f = finding("multiple-prescribers");
    assert_non_null(f);
    assert_string_equal(f->reason, "opioids from 4 pharmacies in 180 days");
    assert_int_equal(f->n_evidence, 4);
    b.orders[3].performer = shops[0];
    assert_null(finding("multiple-prescribers"));
}

/* ---- quantity-limit ---- */

static void over_two_hundred_units_in_one_supply(void **state)
{
    struct ow_order *o = taken("a", RX_OXYCODONE_10, "2026-03-01", 30);
    const struct ow_finding *f;

    (void)state;
    build_supply(o, "200", 30);
    assert_null(finding("quantity-limit"));
    build_supply(o, "201", 30);
    f = finding("quantity-limit");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_true(ow_starts_with(f->reason, "201 units of oxycodone"));
    assert_string_equal(evidence(f), "a");
    assert_string_equal(f->cause, "MedicationRequest/a");
    cites(f, "site-policy");
    o->supply_quantity.unit = "mL";
    assert_null(finding("quantity-limit"));
    o->supply_quantity.unit = NULL;
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_LORAZEPAM_1, NULL);
    assert_null(finding("quantity-limit"));
}

static void only_the_quantity_that_is_being_signed_is_told(void **state)
{
    struct ow_order *o = taken("a", RX_OXYCODONE_10, "2026-03-01", 30);

    (void)state;
    build_supply(o, "300", 30);
    build_draft(&b, taken("new", RX_MORPHINE_15, "2026-03-02", 30));
    assert_null(finding("quantity-limit"));
    build_draft(&b, o);
    assert_non_null(finding("quantity-limit"));
}

/* ---- early-refill ---- */

static void a_supply_that_begins_with_much_of_the_old_one_left(void **state)
{
    const struct ow_finding *f;
    struct ow_order *d;

    (void)state;
    dispensed("a", "2026-02-05", 30); /* to 03-07 */
    d = dispensed("b", "2026-03-02", 30);
    f = finding("early-refill");
    assert_non_null(f); /* 5 days of 30 */
    assert_int_equal(f->tier, OW_TIER_INFO);
    assert_string_equal(
        f->reason,
        "oxycodone hydrochloride 10 MG Oral Tablet: new supply with 5 days of the old "
        "one left");
    assert_string_equal(evidence(f), "a b");
    assert_string_equal(f->cause, "MedicationRequest/b");
    cites(f, "site-policy");
    build_supply(&b.orders[0], "112", 28); /* to 03-05: 3 of 28 */
    assert_null(finding("early-refill"));
    build_supply(&b.orders[0], "104", 26); /* to 03-03: one day */
    assert_null(finding("early-refill"));
    b.orders[0].authored = build_time("2026-02-22");
    build_supply(&b.orders[0], "40", 10); /* to 03-04: 2 days of 10 */
    assert_null(finding("early-refill"));
    build_supply(&b.orders[0], "44", 11); /* 3 days of 11 */
    assert_non_null(finding("early-refill"));
    d->status = OW_STATUS_CANCELLED;
    assert_null(finding("early-refill"));
}

static void the_third_early_refill_in_half_a_year_warns(void **state)
{
    const struct ow_finding *f;
    struct ow_order *first;

    (void)state;
    first = dispensed("a", "2025-12-14", 30); /* to 01-13, 01-08, 02-02, 02-27 */
    dispensed("b", "2026-01-08", 30);
    dispensed("c", "2026-02-04", 30); /* 3 days left of 30: not early */
    dispensed("d", "2026-03-01", 30);
    assert_int_equal(finding("early-refill")->tier, OW_TIER_INFO);
    b.orders[2].authored = build_time("2026-02-02");
    b.orders[3].authored = build_time("2026-02-27");
    f = finding("early-refill");
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_non_null(strstr(f->reason, "early 3 times in 180 days"));
    first->authored = build_time("2025-12-13"); /* 4 days left: 13 % */
    build_supply(first, "116", 29);
    assert_int_equal(finding("early-refill")->tier, OW_TIER_INFO);
}

static void a_draft_is_the_newest_supply(void **state)
{
    struct ow_order *draft;

    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-02-10", 30); /* to 03-12 */
    draft = taken("new", RX_OXYCODONE_10, "2026-03-02", 30);
    build_draft(&b, draft);
    assert_string_equal(evidence(finding("early-refill")), "a new");
    draft->has_validity = true;
    draft->validity = build_time("2026-03-10");
    assert_null(finding("early-refill"));
    draft->has_validity = false;
    draft->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_OXYCODONE_5, NULL);
    assert_null(finding("early-refill")); /* another strength: a change of dose */
}

static void an_order_signed_again_is_no_refill_of_itself(void **state)
{
    struct ow_order *draft;

    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-02-10", 30);
    draft = taken("a", RX_OXYCODONE_10, "2026-03-02", 30);
    build_draft(&b, draft);
    assert_null(finding("early-refill"));
}

static void refills_are_part_of_the_old_supply(void **state)
{
    struct ow_order *o = taken("a", RX_OXYCODONE_10, "2026-01-01", 30);

    (void)state;
    o->has_refills = true;
    o->refills = 1; /* 60 days, to 03-02 */
    taken("b", RX_OXYCODONE_10, "2026-02-25", 30);
    assert_null(finding("early-refill"));
    o->refills = 2; /* 90 days, to 04-01: 35 left */
    assert_non_null(finding("early-refill"));
}

/* ---- acute-duration ---- */

static void over_seven_and_under_28_days(void **state)
{
    struct ow_order *o = taken("a", RX_OXYCODONE_10, "2026-03-01", 8);
    const struct ow_finding *f = finding("acute-duration");

    (void)state;
    assert_non_null(f);
    assert_true(ow_starts_with(f->reason, "oxycodone hydrochloride 10 MG Oral Tablet: "
                                          "supply of 8 days"));
    assert_string_equal(evidence(f), "a");
    assert_string_equal(f->cause, "MedicationRequest/a");
    cites(f, "CDC-2022-R6");
    build_supply(o, "28", 7);
    assert_null(finding("acute-duration"));
    build_supply(o, "108", 27);
    assert_non_null(finding("acute-duration"));
    build_supply(o, "112", 28);
    assert_null(finding("acute-duration"));
    build_supply(o, "56", 14);
    o->has_refills = true;
    o->refills = 1; /* 28 days in all */
    assert_null(finding("acute-duration"));
    build_preset(&b, "cdc-2016");
    o->refills = 0;
    cites(finding("acute-duration"), "CDC-2016-R6");
}

static void a_long_first_supply_weighs_more(void **state)
{
    struct ow_order *old;
    const struct ow_finding *f;

    (void)state;
    taken("a", RX_OXYCODONE_10, "2026-03-02", 10);
    f = finding("acute-duration");
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason,
                        "oxycodone hydrochloride 10 MG Oral Tablet: supply of 10 days, "
                        "and no opioid was given in the 90 days before");
    old = taken("old", RX_MORPHINE_15, "2025-12-02", 3); /* 90 days ago */
    old->status = OW_STATUS_COMPLETED;
    assert_int_equal(finding("acute-duration")->tier, OW_TIER_INFO);
    old->authored = build_time("2025-11-20");
    assert_int_equal(finding("acute-duration")->tier, OW_TIER_WARNING);
}

static void on_opioids_for_long_no_order_is_acute(void **state)
{
    (void)state;
    taken("old", RX_MORPHINE_15, "2025-12-02", 92);
    taken("a", RX_OXYCODONE_10, "2026-03-01", 10);
    assert_null(finding("acute-duration"));
    b.orders[0].authored = build_time("2026-01-02");
    build_supply(&b.orders[0], "240", 60);
    assert_non_null(finding("acute-duration"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_opioid_twice_for_seven_days),
        TEST(three_of_one_opioid_are_one_finding),
        TEST(another_release_or_a_link_is_no_duplicate),
        TEST(a_draft_has_part_in_a_duplicate_or_there_is_none),
        TEST(four_prescribers_in_180_days),
        TEST(what_was_never_written_by_a_person_does_not_count),
        TEST(two_servers_have_two_first_practitioners),
        TEST(four_pharmacies_in_180_days),
        TEST(over_two_hundred_units_in_one_supply),
        TEST(only_the_quantity_that_is_being_signed_is_told),
        TEST(a_supply_that_begins_with_much_of_the_old_one_left),
        TEST(the_third_early_refill_in_half_a_year_warns),
        TEST(a_draft_is_the_newest_supply),
        TEST(an_order_signed_again_is_no_refill_of_itself),
        TEST(refills_are_part_of_the_old_supply),
        TEST(over_seven_and_under_28_days),
        TEST(a_long_first_supply_weighs_more),
        TEST(on_opioids_for_long_no_order_is_acute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
