/*
 * Links: which orders are one and the same by what they say of each other, and which are
 * taken for strangers, at the edges of identifiers, sources and references
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static struct build b;

static int begin(void **state)
{
    (void)state;
    build_init(&b);
    return 0;
}

static int end(void **state)
{
    (void)state;
    build_done(&b);
    return 0;
}

static const char *const one[] = { "urn:rx|1" };
static const char *const two[] = { "urn:rx|2" };

static void names(struct ow_order *o, const char *const *identifiers)
{
    o->identifiers = identifiers;
    o->n_identifiers = 1;
}

/* 60 MME a day, from that day on, without an end. */
static struct ow_order *oxycodone(const char *id, const char *day)
{
    struct ow_order *o = build_order(&b, id, RX_OXYCODONE_10);

    build_dose(&b, o, "1", "tablet", 4);
    o->authored = build_time(day);
    return o;
}

/* Thirty days of some drug, from that day on. */
static struct ow_order *month(const char *id, const char *rxcui, const char *day)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    build_dose(&b, o, "1", "tablet", 2);
    build_supply(o, "60", 30);
    o->authored = build_time(day);
    return o;
}

static void now_is(const char *med)
{
    char text[OW_RATIO_TEXT];

    assert_string_equal(ow_ratio_format(build_judge(&b)->total.now, 2, text), med);
}

static const char *reason_of(const char *id)
{
    const char *ret = build_line(build_judge(&b), id)->reason;

    return ret != NULL ? ret : "";
}

static bool replaced(const char *id)
{
    return strstr(reason_of(id), "replaced by") != NULL;
}

/* ---- one order, told twice ---- */

static void an_order_told_twice_in_the_same_words_counts_once(void **state)
{
    (void)state;
    oxycodone("a", "2026-03-01");
    oxycodone("a", "2026-03-01");
    now_is("60");
    b.orders[0].source = "south"; /* what a hook prefetched has no source */
    now_is("60");
    build_draft(&b, &b.orders[1]); /* nor has what is being signed */
    now_is("60");
    b.orders[0].source = NULL;
    b.orders[1].source = "south";
    now_is("60");
}

static void of_two_copies_of_a_taper_the_higher_one_stays(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        struct ow_order *o = build_order(&b, "t", RX_OXYCODONE_10);

        names(o, one);
        o->source = copy == 0 ? "north" : "south";
        for (int step = 0; step < 2; step++) {
            struct ow_dosage *d = build_dose(&b, o, "1", "tablet", 6 - 2 * step - copy);

            d->has_sequence = true;
            d->sequence = step + 1;
            d->timing.bounds = OW_BOUNDS_DURATION;
            d->timing.bounds_duration = (struct ow_quantity){
                .has_value = true, .value = OW_RATIO(7, 1), .unit = "d", .code = "d"
            };
        }
    }
    now_is("90");
}

static void an_identifier_of_the_one_alone_links_nothing(void **state)
{
    (void)state;
    oxycodone("a", "2026-03-01");
    oxycodone("b", "2026-03-02");
    names(&b.orders[0], one);
    now_is("120");
    names(&b.orders[1], two);
    now_is("120");
    names(&b.orders[1], one);
    now_is("60");
}

static void a_renewal_is_one_of_the_copies_too(void **state)
{
    static const char *const servers[][2] = {
        {"north",  "south"},
        { "south", "north"},
    };

    (void)state;
    oxycodone("a", "2026-02-01");
    oxycodone("b", "2026-02-01"); /* the same, as another server tells it */
    oxycodone("c", "2026-02-20")->prior = "MedicationRequest/a";
    for (size_t i = 0; i < OW_LEN(servers); i++) {
        b.orders[0].source = b.orders[2].source = servers[i][0];
        b.orders[1].source = servers[i][1];
        names(&b.orders[0], one);
        names(&b.orders[1], one);
        now_is("60");
        names(&b.orders[1], two); /* no copy of it */
        now_is("120");
    }
    names(&b.orders[1], one);
    b.orders[0].status = OW_STATUS_COMPLETED; /* the other server does not know yet */
    now_is("60");
    b.orders[1].medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_MORPHINE_15,
                                                NULL);
    now_is("120"); /* 60 and 60: a number given twice makes no copy of another drug */
}

static void an_order_told_again_after_its_renewal_is_renewed(void **state)
{
    (void)state;
    oxycodone("a", "2026-02-01");
    oxycodone("c", "2026-02-20")->prior = "MedicationRequest/a";
    oxycodone("b", "2026-02-25");
    names(&b.orders[0], one);
    names(&b.orders[2], one);
    now_is("60");
    assert_true(replaced("a"));
    assert_true(replaced("b"));
}

/* ---- sedatives, which have no ingredient in the table ---- */

static void two_sedatives_that_share_a_name_are_two(void **state)
{
    (void)state;
    month("a", RX_LORAZEPAM_1, "2026-03-01");
    month("b", RX_GABAPENTIN_300, "2026-03-02");
    names(&b.orders[0], one);
    names(&b.orders[1], one);
    assert_false(replaced("a"));
    assert_false(replaced("b"));
    b.orders[1].medication.code = b.orders[0].medication.code;
    assert_true(replaced("a"));
}

static void sedatives_without_a_code_are_never_one(void **state)
{
    (void)state;
    month("a", NULL, "2026-02-10")->medication.code.text = "lorazepam 1 mg tablet";
    month("b", NULL, "2026-03-01")->medication.code.text = "lorazepam 1 mg tablet";
    assert_false(replaced("a"));
    names(&b.orders[0], one);
    names(&b.orders[1], one);
    assert_false(replaced("a"));
}

static void a_second_sedative_is_no_refill_of_another(void **state)
{
    (void)state;
    month("a", RX_LORAZEPAM_1, "2026-02-10");
    month("b", RX_GABAPENTIN_300, "2026-03-01")->group = "urn:g|1";
    assert_false(replaced("a"));
    b.orders[1].medication.code = b.orders[0].medication.code;
    assert_true(replaced("a"));
}

static void another_form_of_an_opioid_is_no_refill(void **state)
{
    (void)state;
    month("a", RX_MORPHINE_15, "2026-02-10");
    month("b", RX_MORPHINE_INJ, "2026-03-01")->group = "urn:g|1";
    assert_false(replaced("a"));
    b.chart.n_orders = 0;
    memset(b.orders, 0, 2 * sizeof *b.orders);
    month("a", "1014598", "2026-02-10"); /* oxycodone 10 MG, and no form */
    month("b", "1049718", "2026-03-01")->group = "urn:g|1"; /* 10 MG/ML */
    assert_false(replaced("a"));
    b.orders[1].medication.code = b.orders[0].medication.code;
    assert_true(replaced("a"));
}

/* ---- references ---- */

static void an_order_based_on_something_else_goes_beside(void **state)
{
    static const char *const other[] = { "CarePlan/1" };
    static const char *const first[] = { "MedicationRequest/a" };

    (void)state;
    oxycodone("a", "2026-03-01");
    oxycodone("b", "2026-03-02");
    b.orders[1].based_on = other;
    b.orders[1].n_based_on = 1;
    now_is("120");
    b.orders[1].based_on = first;
    now_is("60");
    b.orders[0].reference = NULL; /* nothing can be based on what has no name */
    now_is("120");
}

/* ---- a refill, and a later link ---- */

static void a_refill_takes_over_before_a_link_that_begins_later(void **state)
{
    const struct ow_line *l;

    (void)state;
    month("a", RX_OXYCODONE_10, "2026-02-14");
    month("b", RX_OXYCODONE_10, "2026-03-05");
    month("c", RX_OXYCODONE_20, "2026-03-12")->prior = "MedicationRequest/a";
    l = build_line(build_judge(&b), "a");
    assert_int_equal(l->role, OW_ROLE_COUNTED);
    assert_string_equal(l->reason, "until 2026-03-05, then MedicationRequest/b");
}

static void a_link_goes_before_a_refill_of_the_same_instant(void **state)
{
    (void)state;
    month("a", RX_OXYCODONE_10, "2026-02-14");
    month("b", RX_OXYCODONE_10, "2026-03-05");
    month("c", RX_OXYCODONE_20, "2026-03-05")->prior = "MedicationRequest/a";
    assert_string_equal(reason_of("a"), "until 2026-03-05, then MedicationRequest/c");
}

static void of_what_has_begun_a_link_goes_before_a_refill(void **state)
{
    (void)state;
    month("a", RX_OXYCODONE_10, "2026-02-10");
    month("b", RX_OXYCODONE_10, "2026-02-27");
    month("c", RX_OXYCODONE_20, "2026-03-01")->prior = "MedicationRequest/a";
    assert_string_equal(reason_of("a"), "replaced by MedicationRequest/c");
}

/* ---- dispenses ---- */

static struct ow_order *dispense(const char *id, const char *rxcui, const char *day,
                                 const char *quantity)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    o->kind = OW_DISPENSE;
    o->status = OW_STATUS_COMPLETED;
    o->has_authored = day != NULL;
    if (day != NULL)
        o->authored = build_time(day);
    build_supply(o, quantity, 30);
    return o;
}

static void a_dispense_of_another_order_is_none_of_this_one(void **state)
{
    static const char *const others[] = { "MedicationRequest/z", "MedicationRequest/y" };
    static const char *const both[] = { "MedicationRequest/z", "MedicationRequest/a" };
    const struct ow_verdict *v;
    struct ow_order *o;

    (void)state;
    oxycodone("a", "2026-03-01");
    o = dispense("d", RX_OXYCODONE_10, "2026-03-01", "60");
    o->authorizing = others;
    o->n_authorizing = 2;
    v = build_judge(&b);
    assert_int_equal(v->n_lines, 2); /* of an order that is not in the chart */
    assert_false(build_line(v, "a")->has_supplied);
    assert_true(build_line(v, "a")->span.until == OW_TIME_MAX);
    o->authorizing = both;
    v = build_judge(&b);
    assert_int_equal(v->n_lines, 1);
    assert_true(build_line(v, "a")->has_supplied);
    assert_true(build_line(v, "a")->span.until == build_time("2026-03-31").from);
}

static void the_latest_dispense_is_the_supply(void **state)
{
    static const struct {
        const char *first, *second; /* the days of 60 and of 90 tablets */
        const char *supplied;
    } cases[] = {
        {"2026-02-01",  "2026-03-01", "45"},
        { "2026-03-01", "2026-02-01", "30"},
        { "2026-03-01", NULL,         "30"}, /* nobody knows when */
        { NULL,         "2026-03-01", "45"},
        { NULL,         NULL,         "30"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        char text[OW_RATIO_TEXT];
        const struct ow_line *l;

        b.chart.n_orders = 0;
        memset(b.orders, 0, 3 * sizeof *b.orders);
        oxycodone("a", "2026-01-01");
        dispense("d", RX_OXYCODONE_10, cases[i].first, "60");
        dispense("e", RX_OXYCODONE_10, cases[i].second, "90");
        l = build_line(build_judge(&b), "a");
        assert_true(l->has_supplied);
        assert_string_equal(ow_ratio_format(l->med_supplied, 2, text), cases[i].supplied);
    }
}

static void the_end_is_that_of_the_dispense_that_lasts_longest(void **state)
{
    static const char *const first[] = { "MedicationRequest/a" };
    struct ow_order *o[3];

    (void)state;
    oxycodone("a", "2026-02-01");
    o[0] = dispense("d", RX_OXYCODONE_10, "2026-02-20", "60");
    o[1] = dispense("e", RX_OXYCODONE_10, "2026-02-01", "60");
    o[2] = dispense("f", RX_OXYCODONE_10, "2026-03-01", "60"); /* for how long? */
    for (int i = 0; i < 3; i++) {
        o[i]->authorizing = first;
        o[i]->n_authorizing = 1;
    }
    o[2]->supply_duration = (struct ow_quantity){ .has_value = false };
    assert_true(build_line(build_judge(&b), "a")->span.until ==
                build_time("2026-03-22").from);
    o[2]->supply_duration = o[0]->supply_duration; /* longer than time can say */
    o[2]->supply_duration.value = OW_RATIO(INT64_MAX / 4, 1);
    o[2]->supply_duration.unit = o[2]->supply_duration.code = NULL;
    assert_true(build_line(build_judge(&b), "a")->span.until ==
                build_time("2026-03-22").from);
    b.orders[0].has_authored = false; /* when it began nobody says */
    assert_true(build_line(build_judge(&b), "a")->span.until ==
                build_time("2026-03-22").from);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_order_told_twice_in_the_same_words_counts_once),
        TEST(of_two_copies_of_a_taper_the_higher_one_stays),
        TEST(an_identifier_of_the_one_alone_links_nothing),
        TEST(a_renewal_is_one_of_the_copies_too),
        TEST(an_order_told_again_after_its_renewal_is_renewed),
        TEST(two_sedatives_that_share_a_name_are_two),
        TEST(sedatives_without_a_code_are_never_one),
        TEST(a_second_sedative_is_no_refill_of_another),
        TEST(another_form_of_an_opioid_is_no_refill),
        TEST(an_order_based_on_something_else_goes_beside),
        TEST(a_refill_takes_over_before_a_link_that_begins_later),
        TEST(a_link_goes_before_a_refill_of_the_same_instant),
        TEST(of_what_has_begun_a_link_goes_before_a_refill),
        TEST(a_dispense_of_another_order_is_none_of_this_one),
        TEST(the_latest_dispense_is_the_supply),
        TEST(the_end_is_that_of_the_dispense_that_lasts_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
