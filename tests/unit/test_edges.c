/*
 * Edges: what charts hold seldom, and must not trip over
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

#define RX_MORPHINE_RECTAL "892603" /* 20 MG */
#define RX_MORPHINE_LIQUID "892589" /* 2 MG/ML */

static int setup(void **state)
{
    static struct build b;

    build_init(&b);
    b.q.trace = true;
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    build_done(*state);
    return 0;
}

static void assert_ratio(struct ow_ratio got, const char *want)
{
    char text[OW_RATIO_TEXT];

    assert_string_equal(ow_ratio_format(got, 2, text), want);
}

static void bounded(struct ow_dosage *d, ow_time from, ow_time until)
{
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ from, until };
}

/* ---- no dates, no names ---- */

static void an_order_without_a_beginning_counts_to_its_end(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 4);
    const struct ow_verdict *v;

    o->has_authored = false;
    bounded(d, OW_TIME_MIN, build_time("2026-01-31").until);
    v = build_judge(b);
    assert_string_equal(ow_role_name(v->lines[0].role), "inactive");
    assert_ratio(v->averages.list[1].value, "60"); /* it was taken until then */
    assert_int_equal(v->averages.list[1].days, 60);
    bounded(d, OW_TIME_MIN, build_time("2026-03-31").until);
    v = build_judge(b);
    assert_ratio(v->total.now, "60");
    assert_int_equal(v->averages.list[1].days, 90);
}

static void a_taper_without_a_beginning_counts_its_highest_step(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "t", RX_OXYCODONE_20);
    const struct ow_verdict *v;

    o->has_authored = false;
    for (int i = 1; i <= 3; i++) {
        struct ow_dosage *d = build_dose(b, o, "1", "tablet", i == 2 ? 4 : i);

        d->has_sequence = true;
        d->sequence = i;
        if (i == 3)
            continue; /* the last one goes on */
        d->timing.bounds = OW_BOUNDS_DURATION;
        d->timing.bounds_duration = (struct ow_quantity){
            .has_value = true, .value = OW_RATIO(7, 1), .unit = "d", .code = "d"
        };
    }
    v = build_judge(b);
    assert_ratio(v->total.now, "120");
    assert_int_equal(v->lines[0].n_steps, 0);
    o->has_authored = true;
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_true(v->lines[0].steps[2].span.until == OW_TIME_MAX);
}

static void what_has_no_reference_is_judged_all_the_same(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;

    b->chart.patient.reference = NULL;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_supply(build_order(b, "s", RX_LORAZEPAM_1), "30", 30);
    b->orders[0].reference = b->orders[1].reference = NULL;
    v = build_judge(b);
    assert_ratio(v->total.now, "120");
    assert_int_equal(build_finding(v, "med-threshold")->n_evidence, 0);
    assert_int_equal(build_finding(v, "sedative-coprescribing")->n_evidence, 0);
    assert_int_equal(v->cards[0].n_related, 0);
    assert_non_null(strstr(v->cards[0].detail, "(?)"));
    assert_true(ow_starts_with(v->cards[0].key, "|med-threshold|"));
}

/* ---- lengths ---- */

static void quantities_give_days_for_every_form_that_can_be_counted(void **state)
{
    static const struct {
        const char *rxcui, *dose, *unit;
        int per_day;
        const char *quantity, *quantity_unit, *code;
        int days; /* 0: cannot be told */
    } cases[] = {
        {RX_FENTANYL_25,      "1", "patch",  1, "10",  NULL,     NULL, 30},
        { RX_FENTANYL_25,     "2", "patch",  1, "10",  NULL,     NULL, 15},
        { RX_MORPHINE_LIQUID, "5", "mL",     4, "200", "mL",     NULL, 10},
        { RX_MORPHINE_LIQUID, "5", "mL",     4, "200", NULL,     "mL", 10},
        { RX_MORPHINE_LIQUID, "5", "mL",     4, "1",   "bottle", NULL, 0 },
        { RX_OXYCODONE_5,     "1", "tablet", 4, "0",   NULL,     NULL, 0 },
        { RX_OXYCODONE_5,     "1", "tablet", 4, "20",  NULL,     NULL, 5 },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        const struct ow_line *l;
        struct ow_order *o;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", cases[i].rxcui);
        build_dose(b, o, cases[i].dose, cases[i].unit, cases[i].per_day);
        o->supply_quantity =
            (struct ow_quantity){ .has_value = true,
                                  .value = build_ratio(cases[i].quantity),
                                  .unit = cases[i].quantity_unit,
                                  .code = cases[i].code };
        l = &build_judge(b)->lines[0];
        if (l->span.until !=
            (cases[i].days == 0 ? OW_TIME_MAX : l->span.from + cases[i].days * OW_DAY))
            fail_msg("case %zu: %lld days (%s)", i,
                     (long long)((l->span.until - l->span.from) / OW_DAY),
                     l->reason != NULL ? l->reason : "-");
    }
}

static void refills_that_do_not_fit_are_no_refills(void **state)
{
    static const int64_t refills[] = { 0, -1, INT64_MAX };

    for (size_t i = 0; i < OW_LEN(refills); i++) {
        struct build *b = *state;
        struct ow_order *o;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", RX_OXYCODONE_5);
        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "120", 30);
        o->has_refills = true;
        o->refills = refills[i];
        assert_true(build_judge(b)->lines[0].span.until == build_time("2026-03-31").from);
    }
}

static void a_supply_too_fine_to_add_leaves_the_directions(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120.123456789012", 30);
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_false(v->supplied.has_now);
    assert_false(v->lines[0].has_supplied);
}

static void a_rectal_form_takes_the_oral_factor_and_says_so(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_MORPHINE_RECTAL), "1", "suppository", 4);
    v = build_judge(b);
    assert_ratio(v->total.now, "80");
    assert_true((v->lines[0].flags & OW_FLAG_RECTAL) != 0);
    assert_non_null(strstr(v->cards[0].detail, "rectal, oral factor"));
}

static void notes_of_the_chart_come_first(void **state)
{
    static const char *const notes[] = { "1 resource of another patient" };
    struct build *b = *state;
    const struct ow_verdict *v;

    b->chart.notes = notes;
    b->chart.n_notes = 1;
    v = build_judge(b);
    assert_int_equal(v->n_notes, 1);
    assert_string_equal(v->notes[0], notes[0]);
}

static void a_supply_longer_than_time_is_open(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->supply_duration.value = OW_RATIO(INT64_MAX / 2, 1);
    o->supply_quantity.has_value = false;
    assert_true(build_judge(b)->lines[0].span.until == OW_TIME_MAX);
    o->has_refills = true;
    o->refills = INT64_MAX - 1;
    assert_true(build_judge(b)->lines[0].span.until == OW_TIME_MAX);
}

static void a_supply_as_long_as_time_fills_every_day_of_the_past(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "1", "tablet", 4);
    o->authored = build_time("1900"); /* and nobody knows the day */
    o->supply_duration = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(INT64_C(106751991167), 1), .code = "d"
    };
    assert_true(build_judge(b)->lines[0].span.until > OW_TIME_MAX - 100 * 366 * OW_DAY);
    assert_ratio(build_judge(b)->averages.list[1].value, "30");
    assert_int_equal(build_judge(b)->averages.list[1].days, 90);
}

static void a_dose_too_fine_to_divide_by_tells_no_length(void **state)
{
    static const struct {
        const char *rxcui, *dose, *unit;
        int per_day;
        const char *quantity;
    } cases[] = {
        {RX_OXYCODONE_10, "1e-17", "tablet", 4, "6000"}, /* 1.5E20 days */
        { RX_FENTANYL_25, "1e-17", "patch",  1, "40"  }, /* 4E18 times 3 */
        { RX_OXYCODONE_5, "1e-12", "tablet", 1, "60"  }, /* days, but not in ms */
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        const struct ow_line *l;
        struct ow_order *o;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", cases[i].rxcui);
        build_dose(b, o, cases[i].dose, cases[i].unit, cases[i].per_day);
        o->supply_quantity = (struct ow_quantity){
            .has_value = true, .value = build_ratio(cases[i].quantity)
        };
        l = build_line(build_judge(b), "a");
        if (l->span.until != OW_TIME_MAX)
            fail_msg("case %zu", i);
        assert_int_equal(l->role, OW_ROLE_UNREADABLE);
    }
}

static void a_dose_taken_from_a_dispense_tells_no_length_of_the_order(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    const struct ow_line *l;

    o->supply_quantity = (struct ow_quantity){ .has_value = true,
                                               .value = OW_RATIO(60, 1) };
    o = build_order(b, "d", RX_OXYCODONE_10);
    o->kind = OW_DISPENSE;
    o->status = OW_STATUS_COMPLETED;
    build_supply(o, "60", 30);
    l = build_line(build_judge(b), "a");
    assert_ratio(l->med, "30");
    assert_true(l->span.until == OW_TIME_MAX);
}

/* ---- thresholds of a site ---- */

static void a_threshold_below_the_guideline_cites_the_site_only(void **state)
{
    struct build *b = *state;
    const struct ow_finding *f;

    b->policy.params[OW_PARAM_MED_THRESHOLD_WARNING] = OW_RATIO(20, 1);
    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    f = build_finding(build_judge(b), "med-threshold");
    assert_int_equal(f->n_sources, 1);
    assert_string_equal(f->sources[0], "site-policy");
    build_preset(b, "cdc-2016");
    b->policy.params[OW_PARAM_MED_THRESHOLD_WARNING] = OW_RATIO(70, 1);
    build_dose(b, build_order(b, "b", RX_OXYCODONE_10), "1", "tablet", 3);
    f = build_finding(build_judge(b), "med-threshold");
    assert_int_equal(f->n_sources, 2);
    assert_string_equal(f->sources[0], "site-policy");
    assert_string_equal(f->sources[1], "CDC-2016-R5");
}

/* ---- sleep apnoea ---- */

static void only_a_condition_that_holds_sharpens_a_sedative(void **state)
{
    static const struct {
        const char *type, *status, *verification;
        bool holds;
    } cases[] = {
        {"Condition",    "active",     "confirmed",        true },
        { "Condition",   "recurrence", NULL,               true },
        { "Condition",   "relapse",    NULL,               true },
        { "Condition",   NULL,         NULL,               true },
        { "Condition",   "resolved",   NULL,               false},
        { "Condition",   "inactive",   NULL,               false},
        { "Condition",   "active",     "refuted",          false},
        { "Condition",   "active",     "entered-in-error", false},
        { "Observation", "active",     NULL,               false},
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_record *r = OW_NEW(&b->arena, struct ow_record);
        struct ow_coding *c = OW_NEW_N(&b->arena, struct ow_coding, 3);
        const struct ow_finding *f;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders * 2);
        c[0] = (struct ow_coding){ NULL, "G47.33", NULL };
        c[1] = (struct ow_coding){ OW_SYSTEM_ICD10, NULL, NULL };
        c[2] = (struct ow_coding){ OW_SYSTEM_ICD10, "G47.33", NULL };
        r->type = cases[i].type;
        r->status = cases[i].status;
        r->verification = cases[i].verification;
        r->reference = i == 0 ? NULL : "Condition/c";
        r->code = (struct ow_concept){ .codings = c, .n_codings = 3 };
        b->chart.records = r;
        b->chart.n_records = 1;
        build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 2);
        build_supply(build_order(b, "s", RX_LORAZEPAM_1), "30", 30);
        f = build_finding(build_judge(b), "sedative-coprescribing");
        if ((f->tier == OW_TIER_CRITICAL) != cases[i].holds)
            fail_msg("case %zu: %s", i, f->reason);
        c[2].code = "Z00.0";
        assert_int_equal(build_finding(build_judge(b), "sedative-coprescribing")->tier,
                         OW_TIER_WARNING);
    }
}

static void a_reason_that_says_nothing_excludes_no_methadone(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_METHADONE_10);
    struct ow_coding c[3] = {
        {NULL,             "F11.20", NULL},
        { OW_SYSTEM_ICD10, NULL,     NULL},
        { OW_SYSTEM_ICD10, "M54.5",  NULL}
    };
    struct ow_concept reason = { .codings = c, .n_codings = 3 };

    build_dose(b, o, "1", "tablet", 3);
    o->reasons = &reason;
    o->n_reasons = 1;
    assert_ratio(build_judge(b)->total.now, "141");
}

/* ---- supplies by drug ---- */

static void a_dispense_of_another_drug_is_no_supply(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5), *d;
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    d = build_order(b, "d", RX_MORPHINE_15);
    d->kind = OW_DISPENSE;
    d->status = OW_STATUS_COMPLETED;
    build_supply(d, "90", 30);
    v = build_judge(b);
    assert_int_equal(v->n_lines, 2); /* a line of its own */
    assert_ratio(v->supplied.now, "45");
    d->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_OXYCODONE_5, NULL);
    v = build_judge(b);
    assert_int_equal(v->n_lines, 1);
    assert_ratio(v->supplied.now, "22.5");
    d->supply_duration.has_value = false; /* says nothing of a day */
    build_supply(o, "120", 30);
    assert_ratio(build_judge(b)->supplied.now, "30");
    d->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_LISINOPRIL, NULL);
    assert_int_equal(build_judge(b)->n_lines, 1); /* nobody knows what it is */
}

static void a_sedative_that_was_dispensed_belongs_to_its_order(void **state)
{
    struct build *b = *state;
    struct ow_order *d;

    build_supply(build_order(b, "s", RX_LORAZEPAM_1), "30", 30);
    d = build_order(b, "d", RX_LORAZEPAM_1);
    d->kind = OW_DISPENSE;
    d->status = OW_STATUS_COMPLETED;
    build_supply(d, "30", 30);
    assert_int_equal(build_judge(b)->n_sedatives, 1);
    d->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_GABAPENTIN_300, NULL);
    assert_int_equal(build_judge(b)->n_sedatives, 2);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_order_without_a_beginning_counts_to_its_end),
        T(a_taper_without_a_beginning_counts_its_highest_step),
        T(what_has_no_reference_is_judged_all_the_same),
        T(quantities_give_days_for_every_form_that_can_be_counted),
        T(refills_that_do_not_fit_are_no_refills),
        T(a_supply_too_fine_to_add_leaves_the_directions),
        T(a_rectal_form_takes_the_oral_factor_and_says_so),
        T(notes_of_the_chart_come_first),
        T(a_supply_longer_than_time_is_open),
        T(a_supply_as_long_as_time_fills_every_day_of_the_past),
        T(a_dose_too_fine_to_divide_by_tells_no_length),
        T(a_dose_taken_from_a_dispense_tells_no_length_of_the_order),
        T(a_threshold_below_the_guideline_cites_the_site_only),
        T(only_a_condition_that_holds_sharpens_a_sedative),
        T(a_reason_that_says_nothing_excludes_no_methadone),
        T(a_dispense_of_another_drug_is_no_supply),
        T(a_sedative_that_was_dispensed_belongs_to_its_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
