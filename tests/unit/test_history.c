/*
 * History: day by day what there was, from dispenses or from orders
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/history.h"
#include "alerts/roles.h"
#include "base/text.h"
#include "tests/support/build.h"

static struct build b;
static struct ow_judge j;

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

static const struct ow_history *history(void)
{
    size_t n = b.chart.n_orders;
    struct ow_item *all = OW_NEW_N(&b.arena, struct ow_item, n);

    j = (struct ow_judge){
        .chart = &b.chart,
        .q = &b.q,
        .kb = b.q.knowledge,
        .policy = b.q.policy,
        .arena = &b.arena,
        .window = {b.q.at, ow_time_add(b.q.at, 90 * OW_DAY)},
        .v = OW_NEW(&b.arena, struct ow_verdict),
        .all = all,
        .n_all = n,
        .readings = OW_NEW_N(&b.arena, const struct ow_reading *, n),
    };
    for (size_t i = 0; i < n; i++) {
        all[i].order = &b.chart.orders[i];
        j.has_dispenses |= all[i].order->kind == OW_DISPENSE;
        ow_identify(&b.chart.orders[i].medication, j.kb, j.arena, &all[i].drug);
        ow_role_stand(&j, &all[i]);
    }
    return ow_history(&j);
}

static struct ow_order *supplied(const char *id, const char *rxcui, const char *when,
                                 const char *quantity, int days)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    o->authored = build_time(when);
    build_supply(o, quantity, days);
    return o;
}

static struct ow_order *dispense(const char *id, const char *rxcui, const char *when,
                                 const char *quantity, int days)
{
    struct ow_order *o = supplied(id, rxcui, when, quantity, days);

    o->kind = OW_DISPENSE;
    o->status = OW_STATUS_COMPLETED;
    return o;
}

static void is_med(const struct ow_history *h, int ago, const char *med)
{
    assert_int_equal(ow_ratio_cmp(h->day[ago].med, build_ratio(med)), 0);
}

/* The question is of 2026-03-02: 2026-02-02 is 28 days ago. */

static void a_chart_without_a_past_has_no_day(void **state)
{
    const struct ow_history *h = history();
    struct ow_ratio mean;

    (void)state;
    assert_null(h->basis);
    assert_false(h->incomplete);
    assert_int_equal(ow_history_opioid_days(h, OW_HISTORY_DAYS, 0), 0);
    assert_int_equal(ow_history_days_of(h, OW_HISTORY_DAYS, 0, OW_ZERO), 0);
    assert_false(ow_history_mean(h, 30, 1, &mean));
    assert_false(ow_history_steady(h, 1));
    assert_ptr_equal(ow_history(&j), h); /* read once */
    build_draft(&b, supplied("new", RX_OXYCODONE_10, "2026-02-02", "60", 30));
    build_order(&b, "other", RX_LISINOPRIL);
    assert_null(history()->basis);
}

static void an_order_fills_the_days_of_its_supply(void **state)
{
    const struct ow_history *h;
    struct ow_ratio mean;

    (void)state;
    supplied("a", RX_OXYCODONE_10, "2026-02-02", "40", 10)->status = OW_STATUS_COMPLETED;
    h = history();
    assert_string_equal(h->basis, "orders");
    assert_false(h->day[29].opioid);
    assert_true(h->day[28].opioid);
    is_med(h, 28, "60");
    is_med(h, 19, "60");
    assert_false(h->day[18].opioid);
    assert_int_equal(ow_history_opioid_days(h, 90, 1), 10);
    assert_int_equal(ow_history_days_of(h, 90, 1, OW_RATIO(60, 1)), 10);
    assert_int_equal(ow_history_days_of(h, 90, 1, OW_RATIO(601, 10)), 0);
    assert_true(ow_history_mean(h, 30, 1, &mean));
    assert_int_equal(ow_ratio_cmp(mean, OW_RATIO(20, 1)), 0);
}

static void what_was_dispensed_goes_before_what_was_ordered(void **state)
{
    const struct ow_history *h;
    struct ow_order *o;

    (void)state;
    o = supplied("a", RX_OXYCODONE_10, "2026-01-03", "120", 30);
    o->status = OW_STATUS_COMPLETED;
    build_dose(&b, o, "1", "tablet", 4);
    o = supplied("b", RX_OXYCODONE_10, "2026-02-02", "120", 30);
    build_dose(&b, o, "1", "tablet", 4);
    dispense("d", RX_OXYCODONE_10, "2026-02-04", "60", 30);
    h = history();
    assert_string_equal(h->basis, "dispenses");
    is_med(h, 26, "30");
    is_med(h, 28, "60"); /* before the first dispense the orders speak */
    is_med(h, 58, "60");
    assert_false(h->day[59].opioid);
    is_med(ow_history_ordered(&j), 26, "60");
    b.orders[2].authored = build_time("2025-10-01"); /* too long ago to be the basis */
    h = history();
    assert_string_equal(h->basis, "orders");
    is_med(h, 26, "60");
    assert_ptr_equal(ow_history_ordered(&j), h);
}

static void an_opioid_without_mme_makes_a_day_without_mme(void **state)
{
    const struct ow_history *h;

    (void)state;
    supplied("a", RX_BUPRENORPHINE_8, "2026-02-02", "20", 10);
    h = history();
    assert_true(h->day[28].opioid);
    assert_false(h->day[28].at_least);
    is_med(h, 28, "0");
    build_order(&b, "b", RX_OXYCODONE)->authored = build_time("2026-02-27");
    h = history();
    assert_true(h->day[3].opioid && h->day[3].at_least);
    assert_false(h->day[4].opioid);
}

static void what_has_no_date_is_on_no_day(void **state)
{
    struct ow_order *o = supplied("a", RX_OXYCODONE_10, "2026-02-02", "40", 10);

    (void)state;
    o->has_authored = false;
    assert_null(history()->basis);
    assert_true(history()->incomplete);
    o->has_authored = true;
    o->status = OW_STATUS_STOPPED;
    o->supply_duration.has_value = o->supply_quantity.has_value = false;
    build_dose(&b, o, "1", "tablet", 4);
    assert_null(history()->basis); /* stopped, and nobody says when */
    assert_true(history()->incomplete);
}

static void a_year_back_is_the_last_day_told(void **state)
{
    const struct ow_history *h;

    (void)state;
    dispense("a", RX_OXYCODONE_10, "2025-02-28", "8", 2);
    dispense("b", RX_OXYCODONE_10, "2026-02-28", "8", 2);
    h = history();
    is_med(h, 366, "60"); /* the second day of the first; its first is out of sight */
    assert_false(h->day[365].opioid);
    is_med(h, 1, "60");
    assert_false(h->day[0].opioid);
}

static void steady_is_21_days_of_30_in_each_month(void **state)
{
    (void)state;
    dispense("a", RX_OXYCODONE_10, "2025-12-02", "84", 21); /* 90 to 70 days ago */
    dispense("b", RX_OXYCODONE_10, "2026-01-01", "84", 21);
    dispense("c", RX_OXYCODONE_10, "2026-01-31", "84", 21);
    assert_true(ow_history_steady(history(), 3));
    assert_false(ow_history_steady(history(), 4));
    build_supply(&b.orders[1], "80", 20);
    assert_false(ow_history_steady(history(), 3));
    assert_true(ow_history_steady(history(), 1));
}

static void a_dispense_for_longer_than_time_is_on_its_day(void **state)
{
    struct ow_order *o = dispense("a", RX_OXYCODONE_10, "2026-02-02", "8", 2);
    const struct ow_history *h;

    (void)state;
    build_dose(&b, o, "1", "tablet", 4);
    o->supply_duration.value = OW_RATIO(INT64_MAX / 4, 1);
    o->supply_duration.unit = o->supply_duration.code = NULL;
    h = history();
    is_med(h, 28, "60");
    assert_false(h->day[29].opioid);
    o->authored = build_time("2026-03-02"); /* of the days of an average too */
    assert_string_equal(history()->basis, "dispenses");
}

/* Nobody says which opioid it is, so no other order ends it. */
static void what_was_stopped_ends_with_the_next_of_its_own_only(void **state)
{
    struct ow_order *o = supplied("a", RX_OXYCODONE_10, "2026-02-02", "80", 20);

    (void)state;
    build_dose(&b, o, "1", "tablet", 4);
    o->status = OW_STATUS_STOPPED;
    o = supplied("b", RX_OXYCODONE_20, "2026-02-07", "20", 10);
    build_dose(&b, o, "1", "tablet", 2);
    is_med(history(), 24, "60");
    is_med(history(), 22, "60"); /* of the second one alone */
    b.orders[0].medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_OXYCODONE, NULL);
    assert_true(history()->day[22].at_least); /* the first one still */
    assert_true(history()->day[10].at_least);
}

/* A taper whose directions began before it was handed over, and say no end. */
static void a_dispense_counts_from_its_hand_over(void **state)
{
    struct ow_order *o = dispense("a", RX_OXYCODONE_20, "2026-02-02", "1", 1);
    const struct ow_history *h;

    (void)state;
    o->supply_quantity.has_value = o->supply_duration.has_value = false;
    for (int i = 0; i < 2; i++) {
        struct ow_dosage *d = build_dose(&b, o, "1", "tablet", i == 0 ? 4 : 2);

        d->timing.bounds = OW_BOUNDS_PERIOD;
        d->timing.bounds_period =
            (struct ow_span){ build_time(i == 0 ? "2026-01-20" : "2026-01-30").from,
                              i == 0 ? build_time("2026-01-29").until : OW_TIME_MAX };
    }
    h = history();
    is_med(h, 28, "60");
    assert_false(h->day[29].opioid);
    assert_false(h->day[27].opioid);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chart_without_a_past_has_no_day),
        TEST(an_order_fills_the_days_of_its_supply),
        TEST(what_was_dispensed_goes_before_what_was_ordered),
        TEST(an_opioid_without_mme_makes_a_day_without_mme),
        TEST(what_has_no_date_is_on_no_day),
        TEST(a_year_back_is_the_last_day_told),
        TEST(steady_is_21_days_of_30_in_each_month),
        TEST(a_dispense_for_longer_than_time_is_on_its_day),
        TEST(what_was_stopped_ends_with_the_next_of_its_own_only),
        TEST(a_dispense_counts_from_its_hand_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
