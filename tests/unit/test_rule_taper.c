/*
 * Rules about a dose that falls or rises: each at its edge, with evidence and cause
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
    static const char *const names[] = { "abrupt-stop", "fast-taper", "dose-escalation" };

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

static const char *join(const char *const *list, size_t n)
{
    const char *ret = "";

    for (size_t i = 0; i < n; i++)
        ret = ow_arena_printf(&b.arena, "%s%s%s", ret, i > 0 ? " " : "", list[i]);
    return ret;
}

static const char *evidence(const struct ow_finding *f)
{
    return join(f->evidence, f->n_evidence);
}

static const char *sources(const struct ow_finding *f)
{
    return join(f->sources, f->n_sources);
}

/* Oxycodone 10 mg, so many tablets four times a day: 60 MME/d each. Runs for `days`. */
static struct ow_order *taken(const char *id, const char *tablets, const char *when,
                              int days)
{
    struct ow_order *o = build_order(&b, id, RX_OXYCODONE_10);

    o->authored = build_time(when);
    build_dose(&b, o, tablets, "tablet", 4);
    o->supply_duration = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(days, 1), .unit = "d", .code = "d"
    };
    return o;
}

/* ---- abrupt-stop; the question is of 2026-03-02T08:00:00Z ---- */

/* 60 MME/d from 2026-01-01 on, 60 days before the question, meant to last on. */
static struct ow_order *stopped(void)
{
    struct ow_order *o = taken("a", "1", "2026-01-01", 90);

    o->status = OW_STATUS_STOPPED;
    return o;
}

static void long_therapy_ends_and_nothing_goes_on(void **state)
{
    struct ow_order *o = stopped();
    const struct ow_finding *f = finding("abrupt-stop");

    (void)state;
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_CRITICAL);
    assert_string_equal(f->reason, "50 MME/d or more on 60 of the last 90 days, stopped, "
                                   "and no opioid order goes on");
    assert_string_equal(evidence(f), "MedicationRequest/a");
    assert_string_equal(f->cause, "");
    assert_string_equal(sources(f), "site-policy CDC-2022-R5");
    o->authored = build_time("2026-01-02"); /* 59 days */
    assert_null(finding("abrupt-stop"));
    build_preset(&b, "cdc-2016");
    o->authored = build_time("2026-01-01");
    assert_string_equal(sources(finding("abrupt-stop")), "site-policy");
}

static void less_than_50_is_not_meant(void **state)
{
    struct ow_order *o = stopped();

    (void)state;
    o->n_dosages = 0;
    build_dose(&b, o, "0.84", "tablet", 4); /* 50.4 */
    assert_non_null(finding("abrupt-stop"));
    o->n_dosages = 0;
    build_dose(&b, o, "0.83", "tablet", 4); /* 49.8 */
    assert_null(finding("abrupt-stop"));
}

static void an_order_that_goes_on_within_seven_days_is_no_stop(void **state)
{
    struct ow_order *o;

    (void)state;
    stopped();
    o = taken("b", "1", "2026-03-01", 30);
    assert_null(finding("abrupt-stop"));
    o->has_validity = true;
    o->validity = build_time("2026-03-09");
    assert_null(finding("abrupt-stop"));
    o->validity = build_time("2026-03-10"); /* over seven days without */
    assert_non_null(finding("abrupt-stop"));
    o->has_validity = false;
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_BUPRENORPHINE_8, NULL);
    assert_null(finding("abrupt-stop")); /* turned over to treatment */
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_LORAZEPAM_1, NULL);
    assert_non_null(finding("abrupt-stop"));
}

static void an_order_that_was_over_anyway_was_not_stopped(void **state)
{
    struct ow_order *o = stopped();

    (void)state;
    o->status = OW_STATUS_COMPLETED;
    assert_null(finding("abrupt-stop"));
    o->status = OW_STATUS_STOPPED;
    o->supply_duration.value = OW_RATIO(60, 1); /* to 2026-03-02 */
    assert_null(finding("abrupt-stop"));
    o->supply_duration.value = OW_RATIO(61, 1);
    assert_non_null(finding("abrupt-stop"));
}

static void a_cancelled_renewal_is_a_stop(void **state)
{
    struct ow_order *o = taken("a", "1", "2025-12-02", 89); /* to 2026-03-01 */

    (void)state;
    o->status = OW_STATUS_COMPLETED;
    assert_null(finding("abrupt-stop"));
    taken("b", "1", "2026-03-01", 30)->status = OW_STATUS_CANCELLED;
    assert_string_equal(evidence(finding("abrupt-stop")), "MedicationRequest/b");
    o->supply_duration.value = OW_RATIO(75, 1); /* out of it for two weeks */
    assert_null(finding("abrupt-stop"));
}

static void a_stop_is_undecided_while_orders_are_missing(void **state)
{
    static const char *const missing[] = { "medications: server answered 503" };

    (void)state;
    stopped();
    b.chart.missing = missing;
    b.chart.n_missing = 1;
    assert_null(finding("abrupt-stop"));
}

/* ---- fast-taper ---- */

/* The order before: 60 MME/d, four months long, up to the one that follows. */
static void before(const char *from)
{
    taken("old", "1", from, 700);
}

static struct ow_order *after(const char *tablets, const char *when)
{
    struct ow_order *o = taken("new", tablets, when, 30);

    o->prior = "MedicationRequest/old";
    return o;
}

static void over_a_tenth_less_in_a_week(void **state)
{
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    before("2025-11-01");
    o = after("0.9", "2026-03-01"); /* 54 of 60 */
    assert_null(finding("fast-taper"));
    o->n_dosages = 0;
    build_dose(&b, o, "0.89", "tablet", 4);
    f = finding("fast-taper");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason, "from 60 to 53.4 MME/d within 7 days, 11 % less");
    assert_string_equal(evidence(f), "MedicationRequest/new");
    assert_string_equal(f->cause, "");
    assert_string_equal(sources(f), "CDC-2022-R5");
    o->authored = build_time("2026-02-15"); /* two weeks ago */
    assert_null(finding("fast-taper"));
}

static void over_a_quarter_at_once_is_critical(void **state)
{
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    before("2025-11-01");
    o = after("0.75", "2026-03-01");
    assert_int_equal(finding("fast-taper")->tier, OW_TIER_WARNING);
    o->n_dosages = 0;
    build_dose(&b, o, "0.74", "tablet", 4);
    f = finding("fast-taper");
    assert_int_equal(f->tier, OW_TIER_CRITICAL);
    assert_string_equal(sources(f), "site-policy CDC-2022-R5");
}

static void after_a_year_of_therapy_it_is_a_month(void **state)
{
    struct ow_order *o;

    (void)state;
    before("2025-03-01");            /* 366 days */
    o = after("0.89", "2026-02-08"); /* three weeks ago */
    assert_string_equal(finding("fast-taper")->reason,
                        "from 60 to 53.4 MME/d within 30 days, 11 % less");
    o->n_dosages = 0;
    build_dose(&b, o, "0.9", "tablet", 4);
    assert_null(finding("fast-taper"));
    o->n_dosages = 0;
    build_dose(&b, o, "0.89", "tablet", 4);
    b.orders[0].authored = build_time("2025-06-01"); /* under a year: the last week */
    assert_null(finding("fast-taper"));
}

static void one_who_has_not_taken_it_for_long_does_not_taper(void **state)
{
    (void)state;
    before("2026-01-10");
    after("0.5", "2026-03-01");
    assert_null(finding("fast-taper"));
}

static void the_end_of_a_short_course_on_top_is_no_taper(void **state)
{
    (void)state;
    before("2025-11-01");
    taken("top", "2", "2026-02-20", 8)->status = OW_STATUS_COMPLETED;
    assert_null(finding("fast-taper"));
}

static void step(struct ow_order *o, int number, const char *tablets, int days)
{
    struct ow_dosage *d = build_dose(&b, o, tablets, "tablet", 4);

    d->has_sequence = true;
    d->sequence = number;
    d->timing.bounds = OW_BOUNDS_DURATION;
    d->timing.bounds_duration = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(days, 1), .unit = "d", .code = "d"
    };
}

static void steps_ahead_are_a_planned_taper(void **state)
{
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    before("2025-11-01");
    o = after("1", "2026-03-01");
    o->n_dosages = 0;
    step(o, 1, "1", 10);
    step(o, 2, "0.9", 7);
    step(o, 3, "0.81", 7);
    assert_null(finding("fast-taper"));
    o->n_dosages = 0;
    step(o, 1, "1", 10);
    step(o, 2, "0.89", 7);
    f = finding("fast-taper");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason,
                        "from 60 to 53.4 MME/d within 7 days by 2026-03-11, 11 % less");
    o->n_dosages = 0;
    step(o, 1, "1", 10);
    step(o, 2, "0.5", 7);
    assert_int_equal(finding("fast-taper")->tier, OW_TIER_CRITICAL);
}

static void a_draft_that_lowers_the_dose_is_a_planned_taper(void **state)
{
    struct ow_order *o;

    (void)state;
    before("2025-11-01");
    o = after("0.5", "2026-03-02");
    build_draft(&b, o);
    assert_int_equal(finding("fast-taper")->tier, OW_TIER_CRITICAL);
    o->has_validity = true;
    o->validity = build_time("2026-03-20");
    assert_non_null(strstr(finding("fast-taper")->reason, "by 2026-03-20, 50 % less"));
    o->n_dosages = 0;
    build_dose(&b, o, "1", "tablet", 4);
    assert_null(finding("fast-taper"));
}

static void under_treatment_a_fall_of_mme_means_nothing(void **state)
{
    struct ow_order *o;

    (void)state;
    before("2025-11-01");
    after("0.5", "2026-03-01");
    o = build_order(&b, "bup", RX_BUPRENORPHINE_8);
    assert_null(finding("fast-taper"));
    o->status = OW_STATUS_STOPPED; /* a treatment of these days, all the same */
    assert_null(finding("fast-taper"));
    o->authored = build_time("2025-11-01");
    assert_non_null(finding("fast-taper"));
}

/* ---- dose-escalation ---- */

static void half_as_much_again_and_twenty_more(void **state)
{
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    before("2025-11-01");
    o = after("1.5", "2026-03-02"); /* 90 of 60 */
    f = finding("dose-escalation");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_string_equal(f->reason,
                        "90 MME/d, 30 above the mean of the 30 days before (60)");
    assert_string_equal(evidence(f), "MedicationRequest/new");
    assert_string_equal(f->cause, "");
    assert_string_equal(sources(f), "site-policy CDC-2022-R5");
    o->n_dosages = 0;
    build_dose(&b, o, "1.49", "tablet", 4);
    assert_null(finding("dose-escalation"));
}

static void a_small_dose_may_double_below_twenty_more(void **state)
{
    struct ow_order *o;

    (void)state;
    taken("old", "0.3", "2025-11-01", 700); /* 18 */
    o = after("0.63", "2026-03-02");        /* 37.8: 19.8 more */
    assert_null(finding("dose-escalation"));
    o->n_dosages = 0;
    build_dose(&b, o, "0.64", "tablet", 4); /* 38.4 */
    assert_non_null(finding("dose-escalation"));
}

static void one_who_has_not_taken_it_for_long_does_not_escalate(void **state)
{
    (void)state;
    before("2025-12-02"); /* 90 days */
    after("2", "2026-03-02");
    assert_non_null(finding("dose-escalation"));
    b.orders[0].authored = build_time("2025-12-12"); /* 20 days in the first month */
    assert_null(finding("dose-escalation"));
}

static void a_mean_that_is_only_at_least_decides_nothing(void **state)
{
    static const char *const missing[] = { "medications: server answered 503" };
    struct ow_order *o;

    (void)state;
    before("2025-11-01");
    after("2", "2026-03-02");
    assert_non_null(finding("dose-escalation"));
    o = build_order(&b, "bare", RX_OXYCODONE);
    o->authored = build_time("2026-02-10");
    assert_null(finding("dose-escalation"));
    o->authored = build_time("2026-03-02");
    assert_non_null(finding("dose-escalation"));
    b.chart.missing = missing;
    b.chart.n_missing = 1;
    assert_null(finding("dose-escalation"));
}

static void a_draft_of_another_kind_is_not_about_the_dose(void **state)
{
    (void)state;
    before("2025-11-01");
    after("2", "2026-03-02");
    build_draft(&b, build_order(&b, "lorazepam", RX_LORAZEPAM_1));
    assert_null(finding("dose-escalation"));
    assert_null(finding("fast-taper"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(long_therapy_ends_and_nothing_goes_on),
        TEST(less_than_50_is_not_meant),
        TEST(an_order_that_goes_on_within_seven_days_is_no_stop),
        TEST(an_order_that_was_over_anyway_was_not_stopped),
        TEST(a_cancelled_renewal_is_a_stop),
        TEST(a_stop_is_undecided_while_orders_are_missing),
        TEST(over_a_tenth_less_in_a_week),
        TEST(over_a_quarter_at_once_is_critical),
        TEST(after_a_year_of_therapy_it_is_a_month),
        TEST(one_who_has_not_taken_it_for_long_does_not_taper),
        TEST(the_end_of_a_short_course_on_top_is_no_taper),
        TEST(steps_ahead_are_a_planned_taper),
        TEST(a_draft_that_lowers_the_dose_is_a_planned_taper),
        TEST(under_treatment_a_fall_of_mme_means_nothing),
        TEST(half_as_much_again_and_twenty_more),
        TEST(a_small_dose_may_double_below_twenty_more),
        TEST(one_who_has_not_taken_it_for_long_does_not_escalate),
        TEST(a_mean_that_is_only_at_least_decides_nothing),
        TEST(a_draft_of_another_kind_is_not_about_the_dose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
