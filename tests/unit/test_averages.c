/*
 * Averages: four denominators over the days before, from dispenses or, as an estimate,
 * from orders
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static int setup(void **state)
{
    static struct build b;

    build_init(&b);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    build_done(*state);
    return 0;
}

/* "60 45 7.5 90": the four, "-" for none. */
static const char *four(struct build *b)
{
    const struct ow_averages *a = &build_judge(b)->averages;
    const char *ret = "";
    char text[OW_RATIO_TEXT];

    for (size_t i = 0; i < OW_AVERAGES; i++)
        ret = ow_arena_printf(
            &b->arena, "%s%s%s", ret, i > 0 ? " " : "",
            a->list[i].has_value ? ow_ratio_format(a->list[i].value, 2, text) : "-");
    return ret;
}

static struct ow_order *supplied(struct build *b, const char *id, const char *rxcui,
                                 const char *when, const char *quantity, int days)
{
    struct ow_order *o = build_order(b, id, rxcui);

    o->authored = build_time(when);
    build_supply(o, quantity, days);
    return o;
}

static struct ow_order *dispense(struct build *b, const char *id, const char *rxcui,
                                 const char *when, const char *quantity, int days)
{
    struct ow_order *o = supplied(b, id, rxcui, when, quantity, days);

    o->kind = OW_DISPENSE;
    o->status = OW_STATUS_COMPLETED;
    o->reference = ow_arena_printf(&b->arena, "MedicationDispense/%s", id);
    return o;
}

/* The asked instant is 2026-03-02 08:00, so the window is 2025-12-03 to 2026-03-02. */

static void no_opioid_gives_null_and_not_zero(void **state)
{
    struct build *b = *state;
    const struct ow_averages *a = &build_judge(b)->averages;

    assert_string_equal(four(b), "- - - -");
    assert_null(a->basis);
    assert_false(a->at_least);
    assert_int_equal(a->days, 90);
    assert_true(a->window.from == build_time("2025-12-03").from);
    assert_true(a->window.until == build_time("2026-03-03").from);
    assert_string_equal(a->list[0].name, "per-supply-day");
    assert_string_equal(a->list[1].name, "per-opioid-day");
    assert_string_equal(a->list[2].name, "per-window-day");
    assert_string_equal(a->list[3].name, "highest-day");
}

static void the_same_supply_gives_four_answers(void **state)
{
    struct build *b = *state;
    const struct ow_averages *a;

    /* 60 MME/d for 30 days, and 45 MME/d for 15 of the same days: 1800 + 675 */
    dispense(b, "a", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    dispense(b, "b", RX_MORPHINE_15, "2026-01-11", "45", 15);
    assert_string_equal(four(b), "55 82.5 27.5 105");
    a = &build_judge(b)->averages;
    assert_string_equal(a->basis, "dispenses");
    assert_string_equal(a->list[0].derivation, "2475 MME / 45 d = 55 MME/d");
    assert_string_equal(a->list[1].derivation, "2475 MME / 30 d = 82.5 MME/d");
    assert_string_equal(a->list[2].derivation, "2475 MME / 90 d = 27.5 MME/d");
    assert_string_equal(a->list[3].derivation, "highest day: 105 MME");
}

static void orders_stand_in_where_nothing_was_dispensed(void **state)
{
    struct build *b = *state;
    struct ow_order *o = supplied(b, "a", RX_OXYCODONE_10, "2026-02-01", "60", 15);

    build_dose(b, o, "1", "tablet", 4);
    o->status = OW_STATUS_COMPLETED; /* no longer taken, but it was */
    assert_string_equal(four(b), "60 60 10 60");
    assert_string_equal(build_judge(b)->averages.basis, "orders");
    o->status = OW_STATUS_STOPPED; /* nobody says when: to the end of its supply */
    assert_string_equal(four(b), "60 60 10 60");
    o->status = OW_STATUS_ACTIVE;
    assert_string_equal(four(b), "60 60 10 60");
    dispense(b, "d", RX_OXYCODONE_10, "2026-02-01", "30", 15);
    assert_string_equal(four(b), "30 30 5 30");
    assert_string_equal(build_judge(b)->averages.basis, "dispenses");
    b->orders[1].status = OW_STATUS_CANCELLED; /* did not take place */
    assert_string_equal(build_judge(b)->averages.basis, "orders");
}

static void what_was_never_taken_is_not_in_them(void **state)
{
    static const enum ow_status statuses[] = {
        OW_STATUS_CANCELLED, OW_STATUS_ENTERED_IN_ERROR, OW_STATUS_DRAFT,
        OW_STATUS_ON_HOLD,   OW_STATUS_UNKNOWN,
    };
    static const enum ow_intent intents[] = { OW_INTENT_PROPOSAL, OW_INTENT_PLAN,
                                              OW_INTENT_OPTION };
    struct build *b = *state;
    struct ow_order *o = supplied(b, "a", RX_OXYCODONE_10, "2026-02-01", "60", 15);

    build_dose(b, o, "1", "tablet", 4);
    for (size_t i = 0; i < OW_LEN(statuses); i++) {
        o->status = statuses[i];
        assert_string_equal(four(b), "- - - -");
    }
    o->status = OW_STATUS_ACTIVE;
    for (size_t i = 0; i < OW_LEN(intents); i++) {
        o->intent = intents[i];
        assert_string_equal(four(b), "- - - -");
    }
    o->intent = OW_INTENT_ORDER;
    o->do_not_perform = true;
    assert_string_equal(four(b), "- - - -");
    o->do_not_perform = false;
    build_draft(b, o);
    assert_string_equal(four(b), "- - - -");
}

static void only_the_part_in_the_window_counts(void **state)
{
    struct build *b = *state;

    dispense(b, "a", RX_OXYCODONE_10, "2025-11-18", "120", 30); /* 15 days in it */
    assert_string_equal(four(b), "60 60 10 60");
    dispense(b, "b", RX_OXYCODONE_10, "2026-03-02", "120", 30); /* today */
    assert_string_equal(build_judge(b)->averages.list[0].derivation,
                        "960 MME / 16 d = 60 MME/d");
    b->policy.average_days = 30;
    assert_string_equal(four(b), "60 60 2 60");
}

static void a_supply_that_ended_before_the_window_is_over(void **state)
{
    struct build *b = *state;
    struct ow_order *o = supplied(b, "a", RX_OXYCODONE_10, "2025-10-01", "120", 30);

    build_dose(b, o, "1", "tablet", 4); /* still active: stale now, no supply since */
    assert_string_equal(four(b), "- - - -");
    assert_true(build_judge(b)->total.has_now);
    dispense(b, "d", RX_OXYCODONE_10, "2025-10-01", "120", 30);
    assert_string_equal(four(b), "- - - -");
}

static void an_order_without_an_end_counts_until_today_while_it_is_active(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);

    o->authored = build_time("2026-02-01");
    build_dose(b, o, "1", "tablet", 4);
    assert_string_equal(build_judge(b)->averages.list[0].derivation,
                        "1800 MME / 30 d = 60 MME/d");
    o->has_authored = false; /* since ever, as far as anyone knows */
    assert_string_equal(four(b), "60 60 60 60");
    o->status = OW_STATUS_COMPLETED; /* it ended, and nobody says when */
    assert_string_equal(four(b), "- - - -");
    assert_true(build_judge(b)->averages.at_least);
}

static void a_renewal_and_a_copy_are_not_summed(void **state)
{
    static const char *const identifiers[] = { "urn:x|1" };
    struct build *b = *state;
    struct ow_order *o = supplied(b, "a", RX_OXYCODONE_10, "2026-01-01", "120", 30);

    build_dose(b, o, "1", "tablet", 4);
    o->status = OW_STATUS_COMPLETED;
    o = supplied(b, "b", RX_OXYCODONE_10, "2026-01-28", "120", 30); /* 3 days early */
    build_dose(b, o, "1", "tablet", 4);
    assert_string_equal(build_judge(b)->averages.list[0].derivation,
                        "3420 MME / 57 d = 60 MME/d");
    assert_string_equal(four(b), "60 60 38 60");
    o = dispense(b, "d", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    o->identifiers = identifiers;
    o->n_identifiers = 1;
    o->source = "north";
    o = dispense(b, "e", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    o->identifiers = identifiers;
    o->n_identifiers = 1;
    o->source = "south";
    assert_string_equal(four(b), "60 60 20 60");
    o->n_identifiers = 0; /* nothing says that it is the same one */
    assert_string_equal(four(b), "60 120 40 120");
    o->id = b->orders[2].id; /* an id is a server's own */
    assert_string_equal(four(b), "60 120 40 120");
    o->source = "north";
    assert_string_equal(four(b), "60 60 20 60");
}

static void methadone_takes_the_band_of_the_day(void **state)
{
    struct build *b = *state;

    build_preset(b, "cdc-2016");
    dispense(b, "a", RX_METHADONE_10, "2026-01-01", "20", 10); /* 20 mg/d: 80 */
    dispense(b, "b", RX_METHADONE_10, "2026-01-06", "5", 5);   /* 30 mg/d: 240 */
    assert_string_equal(four(b), "106.67 160 17.78 240");
}

static void a_taper_is_followed_step_by_step(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "t", RX_OXYCODONE_20);

    o->authored = build_time("2026-02-01");
    for (int i = 1; i <= 2; i++) {
        struct ow_dosage *d = build_dose(b, o, "1", "tablet", i == 1 ? 4 : 2);

        d->has_sequence = true;
        d->sequence = i;
        d->timing.bounds = OW_BOUNDS_DURATION;
        d->timing.bounds_duration = (struct ow_quantity){
            .has_value = true, .value = OW_RATIO(7, 1), .unit = "d", .code = "d"
        };
    }
    assert_string_equal(four(b), "90 90 14 120");
}

static void what_cannot_be_computed_or_placed_makes_them_at_least(void **state)
{
    static const char *const missing[] = { "pages" };
    struct build *b = *state;
    struct ow_order *o;

    dispense(b, "a", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    assert_false(build_judge(b)->averages.at_least);
    b->chart.missing = missing;
    b->chart.n_missing = 1;
    assert_true(build_judge(b)->averages.at_least);
    b->chart.n_missing = 0;
    o = dispense(b, "b", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    o->has_authored = false;
    assert_true(build_judge(b)->averages.at_least);
    assert_string_equal(four(b), "60 60 20 60");
    o->has_authored = true;
    o->supply_quantity.has_value = false;
    assert_true(build_judge(b)->averages.at_least);
    o->authored = build_time("2020-01-01"); /* no part in the window */
    assert_false(build_judge(b)->averages.at_least);
}

static void a_dispense_without_days_takes_them_from_its_directions(void **state)
{
    struct build *b = *state;
    struct ow_order *o = dispense(b, "a", RX_OXYCODONE_10, "2026-01-01", "120", 30);

    o->supply_duration.has_value = false;
    build_dose(b, o, "1", "tablet", 4);
    assert_string_equal(four(b), "60 60 20 60");
    o->supply_quantity.has_value = false; /* nor a quantity: the day it was given */
    assert_string_equal(four(b), "60 60 0.67 60");
}

static void days_are_local_and_a_clock_change_takes_none_away(void **state)
{
    struct build *b = *state;
    struct ow_order *o = dispense(b, "a", RX_OXYCODONE_10, "2026-01-01T20:00:00Z", "120",
                                  30);

    assert_string_equal(build_judge(b)->averages.list[0].derivation,
                        "1800 MME / 30 d = 60 MME/d");
    o->authored = build_time("2026-03-02T09:00:00Z"); /* later today */
    assert_string_equal(build_judge(b)->averages.list[0].derivation,
                        "60 MME / 1 d = 60 MME/d");
    o->authored = build_time("2026-03-03T00:00:00Z");
    assert_string_equal(four(b), "- - - -");
}

static void sums_too_fine_to_be_exact_have_no_average(void **state)
{
    struct build *b = *state;

    dispense(b, "a", RX_OXYCODONE_10, "2026-01-01", "0.123456789012345", 17);
    dispense(b, "b", RX_OXYCODONE_10, "2026-01-01", "120", 30);
    assert_string_equal(four(b), "60 60 20 60");
    assert_true(build_judge(b)->averages.at_least);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(no_opioid_gives_null_and_not_zero),
        T(the_same_supply_gives_four_answers),
        T(orders_stand_in_where_nothing_was_dispensed),
        T(what_was_never_taken_is_not_in_them),
        T(only_the_part_in_the_window_counts),
        T(a_supply_that_ended_before_the_window_is_over),
        T(an_order_without_an_end_counts_until_today_while_it_is_active),
        T(a_renewal_and_a_copy_are_not_summed),
        T(methadone_takes_the_band_of_the_day),
        T(a_taper_is_followed_step_by_step),
        T(what_cannot_be_computed_or_placed_makes_them_at_least),
        T(a_dispense_without_days_takes_them_from_its_directions),
        T(days_are_local_and_a_clock_change_takes_none_away),
        T(sums_too_fine_to_be_exact_have_no_average),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
