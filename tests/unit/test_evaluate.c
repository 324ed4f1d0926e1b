/*
 * Evaluate: one chart in, one verdict out. Roles, drugs, statuses, spans, sums of whole
 * charts with the shipped tables.
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

static void assert_ratio(struct ow_ratio got, const char *want)
{
    char text[OW_RATIO_TEXT];

    assert_string_equal(ow_ratio_format(got, 2, text), want);
}

static void assert_role(const struct ow_verdict *v, const char *id, const char *role)
{
    assert_string_equal(ow_role_name(build_line(v, id)->role), role);
}

/* ---- sums ---- */

static void one_order_shows_its_arithmetic(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;
    const struct ow_line *l;

    build_dose(b, build_order(b, "rx9", RX_OXYCODONE_20), "1", "tablet", 4);
    v = build_judge(b);
    l = build_line(v, "rx9");
    assert_string_equal(l->derivation, "1 tablet x 4/d x 20 mg x 1.5 = 120 MME/d");
    assert_ratio(v->total.now, "120");
    assert_ratio(v->total.peak, "120");
    assert_true(v->peak_at == v->at);
    assert_ratio(v->written.now, "120");
    assert_false(v->supplied.has_now);
    assert_false(v->at_least);
    assert_string_equal(l->ingredient, "Oxycodone");
    assert_string_equal(l->table, "cdc-2022");
    assert_true((l->flags & OW_FLAG_OPEN_ENDED) != 0);
    assert_null(l->reason);
}

static void two_equal_orders_both_count(void **state)
{
    struct build *b = *state;

    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    build_dose(b, build_order(b, "b", RX_OXYCODONE_5), "1", "tablet", 4);
    assert_ratio(build_judge(b)->total.now, "60");
}

static void no_orders_give_null_and_not_zero(void **state)
{
    const struct ow_verdict *v = build_judge(*state);

    assert_false(v->total.has_now);
    assert_false(v->total.has_peak);
    assert_false(v->at_least);
    assert_int_equal(v->n_findings, 0);
    assert_int_equal(v->n_cards, 0);
}

static void an_unreadable_dose_makes_the_total_at_least(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    build_order(b, "b", RX_MORPHINE_15);
    v = build_judge(b);
    assert_role(v, "b", "unreadable");
    assert_string_equal(build_line(v, "b")->reason, "no dosage and no supply");
    assert_true(v->at_least);
    assert_ratio(v->total.now, "30");
    assert_non_null(build_finding(v, "unreadable-dose"));
    assert_false(build_line(v, "b")->has_med);
}

static void an_order_whose_figures_do_not_fit_is_unreadable(void **state)
{
    static const char *const values[] = { "9000000", "0.123456789012345",
                                          "922337203685477580" };

    for (size_t i = 0; i < OW_LEN(values); i++) {
        struct build *b = *state;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders * 2);
        build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
        build_dose(b, build_order(b, "b", RX_OXYCODONE_5), values[i], "tablet", 3);
        v = build_judge(b);
        assert_role(v, "b", "unreadable");
        assert_ratio(v->total.now, "30");
        assert_true(v->at_least);
    }
}

static void supply_is_the_fallback_when_there_are_no_directions(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;
    const struct ow_line *l;

    build_supply(build_order(b, "a", RX_OXYCODONE_10), "120", 30);
    v = build_judge(b);
    l = build_line(v, "a");
    assert_ratio(v->total.now, "60");
    assert_false(v->written.has_now);
    assert_ratio(v->supplied.now, "60");
    assert_true((l->flags & OW_FLAG_FROM_SUPPLY) != 0);
    assert_false((l->flags & OW_FLAG_OPEN_ENDED) != 0);
}

static void directions_decide_over_supply_and_the_difference_is_said(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "60", 30);
    v = build_judge(b);
    assert_ratio(v->total.now, "60");
    assert_ratio(v->supplied.now, "30");
    assert_non_null(build_finding(v, "supply-mismatch"));
    assert_true((build_line(v, "a")->flags & OW_FLAG_SUPPLY_MISMATCH) != 0);
}

static void a_small_difference_between_directions_and_supply_is_none(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "1", "tablet", 2);
    build_supply(o, "30", 30); /* 15 against 7.5: half, but less than 10 MME */
    assert_null(build_finding(build_judge(b), "supply-mismatch"));
}

/* ---- methadone ---- */

static void methadone_takes_the_band_of_its_total(void **state)
{
    static const struct {
        const char *preset;
        const char *total;
    } cases[] = {
        {"cdc-2016",  "240"},
        { "cdc-2022", "141"}
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders * 2);
        build_preset(b, cases[i].preset);
        build_dose(b, build_order(b, "a", RX_METHADONE_10), "1", "tablet", 2);
        build_dose(b, build_order(b, "b", RX_METHADONE_10), "0.5", "tablet", 2);
        v = build_judge(b);
        assert_ratio(v->total.now, cases[i].total);
        assert_ratio(build_line(v, "a")->factor, i == 0 ? "8" : "4.7");
    }
}

static void methadone_band_follows_the_instant(void **state)
{
    struct build *b = *state;
    struct ow_order *later;
    const struct ow_verdict *v;

    build_preset(b, "cdc-2016");
    build_dose(b, build_order(b, "a", RX_METHADONE_10), "1", "tablet", 2);
    later = build_order(b, "b", RX_METHADONE_10);
    build_dose(b, later, "1", "tablet", 1);
    later->authored = build_time("2026-03-10");
    v = build_judge(b);
    assert_ratio(v->total.now, "80");
    assert_ratio(v->total.peak, "240");
    assert_true(v->peak_at == build_time("2026-03-10").from);
    assert_ratio(build_line(v, "a")->med, "80");
    assert_ratio(build_line(v, "b")->med, "80");
}

static void methadone_for_opioid_use_disorder_is_excluded_and_named(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_METHADONE_10);
    struct ow_concept *reason = OW_NEW(&b->arena, struct ow_concept);
    const struct ow_verdict *v;

    build_dose(b, o, "6", "tablet", 1);
    *reason = build_concept(b, OW_SYSTEM_ICD10, "F11.20", NULL);
    o->reasons = reason;
    o->n_reasons = 1;
    v = build_judge(b);
    assert_role(v, "a", "excluded");
    assert_false(v->total.has_now);
    assert_false(v->at_least);

    *reason = (struct ow_concept){ .text = "Opioid Use Disorder, severe" };
    assert_role(build_judge(b), "a", "excluded");
    *reason = (struct ow_concept){ .text = "chronic low back pain" };
    assert_role(build_judge(b), "a", "counted");
}

static void buprenorphine_is_excluded_without_making_the_total_at_least(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_BUPRENORPHINE_8), "1", "tablet", 2);
    build_dose(b, build_order(b, "b", RX_OXYCODONE_5), "1", "tablet", 2);
    v = build_judge(b);
    assert_role(v, "a", "excluded");
    assert_ratio(v->total.now, "15");
    assert_false(v->at_least);
}

static void a_form_the_table_lacks_takes_the_older_factor_only_by_policy(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_LEVORPHANOL_2), "1", "tablet", 3);
    v = build_judge(b);
    assert_role(v, "a", "unreadable");
    assert_non_null(strstr(v->lines[0].reason, "cdc-2022"));
    b->policy.older_factor = true;
    v = build_judge(b);
    assert_ratio(v->total.now, "66");
    assert_string_equal(v->lines[0].table, "cdc-2016");
    assert_true((v->lines[0].flags & OW_FLAG_OLDER_FACTOR) != 0);
    assert_non_null(strstr(v->cards[0].detail, "factor of cdc-2016"));
}

/* ---- drugs ---- */

static void drugs_get_their_role(void **state)
{
    static const struct {
        const char *system, *code, *display;
        const char *role;
        bool at_least;
    } cases[] = {
        {OW_SYSTEM_RXNORM,  RX_OXYCODONE_5,  NULL,                      "counted",    false},
        { OW_SYSTEM_RXNORM, RX_OXYCODONE,    "oxycodone",               "unreadable", true },
        { OW_SYSTEM_RXNORM, "1819",          "buprenorphine",           "excluded",   false},
        { OW_SYSTEM_RXNORM, RX_MORPHINE_INJ, NULL,                      "unreadable", true },
        { OW_SYSTEM_RXNORM, RX_LORAZEPAM_1,  NULL,                      "not-opioid", false},
        { OW_SYSTEM_RXNORM, RX_PHENTERMINE,  NULL,                      "not-opioid", false},
        { OW_SYSTEM_RXNORM, RX_LISINOPRIL,   "lisinopril 10 MG",        "unknown",    false},
        { OW_SYSTEM_RXNORM, "99999999",      "oxycodone 7 MG",          "unknown",    true },
        { OW_SYSTEM_NDC,    "00000000000",   "oxycodone 7 MG",          "unknown",    true },
        { "urn:local",      "77",            "Paracetamol",             "unknown",    false},
        { "urn:local",      "78",            "Study drug (Opioid arm)", "unknown",    true },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", NULL);
        o->medication.code = build_concept(b, cases[i].system, cases[i].code,
                                           cases[i].display);
        build_dose(b, o, "1", ow_streq(cases[i].code, RX_MORPHINE_INJ) ? "mL" : "tablet",
                   2);
        v = build_judge(b);
        if (strcmp(ow_role_name(v->lines[0].role), cases[i].role) != 0)
            fail_msg("case %zu: %s, wanted %s (%s)", i, ow_role_name(v->lines[0].role),
                     cases[i].role, v->lines[0].reason);
        assert_int_equal(v->at_least, cases[i].at_least);
        if (v->lines[0].role == OW_ROLE_UNKNOWN)
            assert_non_null(build_finding(v, "unknown-drug"));
    }
}

static void an_unknown_drug_warns_only_when_it_may_be_an_opioid(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_LISINOPRIL);

    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_LISINOPRIL, "lisinopril");
    assert_int_equal(build_finding(build_judge(b), "unknown-drug")->tier, OW_TIER_INFO);
    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999", "Oxycodone 7");
    assert_int_equal(build_finding(build_judge(b), "unknown-drug")->tier,
                     OW_TIER_WARNING);
    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999", NULL);
    assert_int_equal(build_finding(build_judge(b), "unknown-drug")->tier,
                     OW_TIER_WARNING);
}

/* Its period is no end of it: the drug that looks like an opioid is still to come. */
static void an_unknown_drug_that_ends_before_it_begins_still_warns(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", "99999999");
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 4);

    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999", "Oxycodone 7");
    o->authored = build_time("2026-03-22");
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ OW_TIME_MIN,
                                                build_time("2026-02-15").until };
    assert_role(build_judge(b), "a", "unknown");
    assert_true(build_judge(b)->at_least);
    o->authored = build_time("2026-02-01"); /* in joint, and over */
    assert_role(build_judge(b), "a", "inactive");
    assert_false(build_judge(b)->at_least);
}

static void a_medication_that_is_not_in_the_data_is_unknown(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", NULL);
    const struct ow_verdict *v;

    o->medication.reference = "Medication/m1";
    o->medication.unresolved = true;
    o->medication.display = "Oxycodone 10 mg tablets";
    v = build_judge(b);
    assert_role(v, "a", "unknown");
    assert_true(v->at_least);
    assert_non_null(strstr(v->lines[0].reason, "Medication/m1"));
    assert_non_null(strstr(build_finding(v, "unknown-drug")->reason, "not in the data"));

    o->medication.display = "Lisinopril 10 mg";
    assert_false(build_judge(b)->at_least);
}

static void the_most_specific_coding_decides_and_disagreement_is_noted(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", NULL);
    struct ow_coding *c = OW_NEW_N(&b->arena, struct ow_coding, 3);
    const struct ow_verdict *v;

    c[0] = (struct ow_coding){ "urn:local", "OXY", "oxy" };
    c[1] = (struct ow_coding){ OW_SYSTEM_RXNORM, RX_OXYCODONE, "oxycodone" };
    c[2] = (struct ow_coding){ OW_SYSTEM_RXNORM, RX_OXYCODONE_10, NULL };
    o->medication.code = (struct ow_concept){ .codings = c, .n_codings = 3 };
    build_dose(b, o, "1", "tablet", 4);
    v = build_judge(b);
    assert_ratio(v->total.now, "60");
    assert_string_equal(v->lines[0].rxcui, RX_OXYCODONE_10);
    assert_int_equal(v->n_notes, 0);

    c[1].code = RX_MORPHINE_15;
    v = build_judge(b);
    assert_string_equal(v->lines[0].rxcui, RX_MORPHINE_15);
    assert_int_equal(v->n_notes, 1);
}

static void the_ingredients_of_a_medication_name_the_opioid(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", NULL);
    struct ow_ingredient *in = OW_NEW(&b->arena, struct ow_ingredient);

    in->item = build_concept(b, OW_SYSTEM_RXNORM, RX_OXYCODONE, "oxycodone");
    o->medication.code = build_concept(b, "urn:local", "77", "House mixture");
    o->medication.ingredients = in;
    o->medication.n_ingredients = 1;
    assert_role(build_judge(b), "a", "unreadable");
    in->inactive = true;
    assert_role(build_judge(b), "a", "unknown");
}

/* ---- status and intent ---- */

static void status_and_intent_decide_what_counts(void **state)
{
    static const struct {
        const char *what;
        enum ow_status status;
        enum ow_intent intent;
        bool do_not, drafts;
        const char *role;
    } cases[] = {
        {"active",       OW_STATUS_ACTIVE,           OW_INTENT_ORDER,          false, false, "counted"   },
        { "original",    OW_STATUS_ACTIVE,           OW_INTENT_ORIGINAL_ORDER, false, false,
         "counted"                                                                                       },
        { "reflex",      OW_STATUS_ACTIVE,           OW_INTENT_REFLEX_ORDER,   false, false, "counted"   },
        { "filler",      OW_STATUS_ACTIVE,           OW_INTENT_FILLER_ORDER,   false, false, "counted"   },
        { "no intent",   OW_STATUS_ACTIVE,           OW_INTENT_NONE,           false, false, "counted"   },
        { "proposal",    OW_STATUS_ACTIVE,           OW_INTENT_PROPOSAL,       false, false, "inactive"  },
        { "plan",        OW_STATUS_ACTIVE,           OW_INTENT_PLAN,           false, false, "inactive"  },
        { "option",      OW_STATUS_ACTIVE,           OW_INTENT_OPTION,         false, false, "inactive"  },
        { "not to do",   OW_STATUS_ACTIVE,           OW_INTENT_ORDER,          true,  false, "inactive"  },
        { "on hold",     OW_STATUS_ON_HOLD,          OW_INTENT_ORDER,          false, false, "inactive"  },
        { "completed",   OW_STATUS_COMPLETED,        OW_INTENT_ORDER,          false, false, "inactive"  },
        { "stopped",     OW_STATUS_STOPPED,          OW_INTENT_ORDER,          false, false, "inactive"  },
        { "cancelled",   OW_STATUS_CANCELLED,        OW_INTENT_ORDER,          false, false, "inactive"  },
        { "in error",    OW_STATUS_ENTERED_IN_ERROR, OW_INTENT_ORDER,          false, false,
         "inactive"                                                                                      },
        { "unknown",     OW_STATUS_UNKNOWN,          OW_INTENT_ORDER,          false, false, "inactive"  },
        { "absent",      OW_STATUS_NONE,             OW_INTENT_ORDER,          false, false, "unreadable"},
        { "odd",         OW_STATUS_OTHER,            OW_INTENT_ORDER,          false, false, "unreadable"},
        { "draft aside", OW_STATUS_DRAFT,            OW_INTENT_ORDER,          false, false, "inactive"  },
        { "draft",       OW_STATUS_DRAFT,            OW_INTENT_ORDER,          false, true,  "counted"   },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", RX_OXYCODONE_5);
        build_dose(b, o, "1", "tablet", 4);
        o->status = cases[i].status;
        o->intent = cases[i].intent;
        o->do_not_perform = cases[i].do_not;
        b->q.drafts_count = cases[i].drafts;
        v = build_judge(b);
        if (strcmp(ow_role_name(v->lines[0].role), cases[i].role) != 0)
            fail_msg("%s: %s", cases[i].what, ow_role_name(v->lines[0].role));
        assert_int_equal(v->total.has_now, v->lines[0].role == OW_ROLE_COUNTED);
        if (v->lines[0].role != OW_ROLE_COUNTED)
            assert_non_null(v->lines[0].reason);
    }
}

static void a_modifier_nobody_understands_makes_the_dose_unreadable(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "1", "tablet", 4);
    o->refused = "modifierExtension http://example.org/x";
    assert_role(build_judge(b), "a", "unreadable");
}

static void drafts_of_a_hook_count_whatever_their_status(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    o->status = OW_STATUS_UNKNOWN;
    o->intent = OW_INTENT_PROPOSAL;
    o->authored = build_time("2020-01-01");
    v = build_judge(b);
    assert_role(v, "a", "counted");
    assert_true(v->lines[0].span.from == v->at);
    assert_true((v->lines[0].flags & OW_FLAG_DRAFT) != 0);
    o->status = OW_STATUS_CANCELLED;
    assert_role(build_judge(b), "a", "inactive");
}

/* ---- time ---- */

static void bounds_that_ended_put_an_order_out_of_force(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 4);
    const struct ow_verdict *v;

    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-01-01").from,
                                                build_time("2026-02-01").from };
    v = build_judge(b);
    assert_role(v, "a", "inactive");
    assert_string_equal(v->lines[0].reason, "ended 2026-02-01");
    d->timing.bounds_period.until = v->at; /* half-open: over at its own end */
    assert_role(build_judge(b), "a", "inactive");
    d->timing.bounds_period.until = v->at + 1;
    assert_role(build_judge(b), "a", "counted");
}

static void bounds_in_the_wrong_order_are_not_taken_for_an_end(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 4);
    const struct ow_verdict *v;

    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-12-01").from,
                                                build_time("2026-02-01").from };
    v = build_judge(b);
    assert_role(v, "a", "unreadable");
    assert_non_null(strstr(v->lines[0].reason, "ends before it begins"));
    build_draft(b, o); /* a draft with directions of the past is being signed */
    d->timing.bounds_period.from = build_time("2026-01-01").from;
    v = build_judge(b);
    assert_role(v, "a", "unreadable");
    assert_string_equal(v->lines[0].reason,
                        "its directions ended 2026-02-01, before it is signed");
}

/* A period that names no beginning does not hide that the count is used up. */
static void a_count_ends_beside_a_period_without_a_beginning(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 2);

    o->authored = build_time("2026-01-26");
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ OW_TIME_MIN,
                                                build_time("2026-03-26").until };
    assert_role(build_judge(b), "a", "counted");
    d->timing.count = (struct ow_number){ true, OW_RATIO(55, 1) };
    assert_role(build_judge(b), "a", "inactive");
    d->timing.count.value = OW_RATIO(100, 1);
    assert_role(build_judge(b), "a", "counted");
    o->has_authored = false; /* counted from when? */
    assert_role(build_judge(b), "a", "counted");
}

/* One line is over; the other ends before the order, which is to come, begins. Neither
 * says what is taken now, and the end of the second is no end of the first. */
static void a_line_that_ends_before_it_begins_prolongs_no_other(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_dosage *d = build_dose(b, o, "3", "tablet", 4);

    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-01-18").from,
                                                build_time("2026-02-10").until };
    d = build_dose(b, o, "1", "tablet", 6);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ OW_TIME_MIN,
                                                build_time("2026-03-11").until };
    o->authored = build_time("2026-03-17");
    assert_role(build_judge(b), "a", "unreadable");
    assert_string_equal(build_judge(b)->lines[0].reason,
                        "its directions end before they start");
    o->authored = build_time("2026-02-20"); /* in joint: the second line is in force */
    assert_role(build_judge(b), "a", "counted");
    assert_ratio(build_judge(b)->lines[0].med, "45");
    d->timing.bounds_period.until = build_time("2026-02-12").until; /* past, both */
    assert_role(build_judge(b), "a", "inactive");
}

/* One line goes on, the other ends before the order, which is to come, begins; and the
 * supply is over. The line that goes on is taken still. */
static void a_supply_that_ended_makes_no_line_backwards(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_dosage *d = build_dose(b, o, "3", "tablet", 4);

    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-01-12").from,
                                                OW_TIME_MAX };
    d = build_dose(b, o, "1", "tablet", 6);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ OW_TIME_MIN,
                                                build_time("2026-02-13").until };
    o->authored = build_time("2026-03-23");
    build_supply(o, "90", 28);
    assert_role(build_judge(b), "a", "counted");
    assert_ratio(build_judge(b)->lines[0].med, "90");
}

static void an_order_that_starts_later_counts_for_the_peak_only(void **state)
{
    struct build *b = *state;
    struct ow_order *o;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 2);
    o = build_order(b, "b", RX_OXYCODONE_20);
    build_dose(b, o, "1", "tablet", 1);
    o->authored = build_time("2026-03-04");
    v = build_judge(b);
    assert_ratio(v->total.now, "60");
    assert_ratio(v->total.peak, "90");
    assert_true(v->peak_at == build_time("2026-03-04").from);
    assert_string_equal(build_line(v, "b")->reason, "starts 2026-03-04");
    assert_string_equal(build_finding(v, "med-threshold")->reason,
                        "90 MME/d from 2026-03-04 reaches 90");
    assert_int_equal(build_finding(v, "med-threshold")->tier, OW_TIER_CRITICAL);
}

static void what_starts_behind_the_horizon_is_not_in_the_peak(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_20);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    o->authored = build_time("2026-05-31T08:00:00Z"); /* 90 days on */
    v = build_judge(b);
    assert_false(v->total.has_peak);
    o->authored.from--;
    assert_true(build_judge(b)->total.has_peak);
}

static void a_supply_that_ended_counts_on_and_is_stale_after_14_days(void **state)
{
    static const struct {
        const char *authored;
        bool stale, ended;
    } cases[] = {
        {"2026-02-15T08:00:00Z",  false, false},
        { "2026-01-31T08:00:00Z", false, true }, /* ends at the asked instant */
        { "2026-01-17T08:00:00Z", false, true }, /* 14 days ago */
        { "2026-01-17T07:59:59Z", true,  true },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        b->policy.count_stale = true;
        o = build_order(b, "a", RX_OXYCODONE_20);
        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "120", 30);
        o->authored = build_time(cases[i].authored);
        v = build_judge(b);
        assert_ratio(v->total.now, "120");
        assert_int_equal((v->lines[0].flags & OW_FLAG_STALE_ACTIVE) != 0, cases[i].stale);
        assert_int_equal((v->lines[0].flags & OW_FLAG_SUPPLY_ENDED) != 0, cases[i].ended);
        assert_int_equal(build_finding(v, "stale-order") != NULL, cases[i].stale);
        b->policy.count_stale = false;
        assert_role(build_judge(b), "a", cases[i].stale ? "inactive" : "counted");
    }
}

static void refills_lengthen_the_supply(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->has_refills = true;
    o->refills = 2;
    assert_true(build_judge(b)->lines[0].span.until ==
                build_time("2026-03-01").from + 90 * OW_DAY);
}

static void quantity_over_daily_units_gives_the_days(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    build_dose(b, o, "2", "tablet", 4);
    build_supply(o, "80", 30);
    o->supply_duration.has_value = false;
    assert_true(build_judge(b)->lines[0].span.until ==
                build_time("2026-03-01").from + 10 * OW_DAY);
}

static void a_date_without_a_day_starts_early_and_ends_late(void **state)
{
    static const struct {
        const char *authored, *from, *last_start;
    } cases[] = {
        {"2026-02-10",            "2026-02-10",           "2026-02-10"          },
        { "2026-02",              "2026-02-01",           "2026-02-28"          },
        { "2025",                 "2025-01-01",           "2025-12-31"          },
        { "2026-02-10T20:00:00Z", "2026-02-10T20:00:00Z", "2026-02-10T20:00:00Z"},
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;
        struct ow_dosage *d;
        ow_time until = build_time(cases[i].last_start).from + 30 * OW_DAY;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        build_at(b, "2026-01-15T08:00:00Z");
        o = build_order(b, "a", RX_OXYCODONE_5);
        o->authored = build_time(cases[i].authored);
        d = build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "120", 30);
        v = build_judge(b);
        assert_true(v->lines[0].span.from == build_time(cases[i].from).from);
        assert_true(v->lines[0].span.until == until);
        d->timing.bounds = OW_BOUNDS_DURATION; /* the same by the directions */
        d->timing.bounds_duration = o->supply_duration;
        v = build_judge(b);
        assert_true(v->lines[0].span.until == until);
        assert_role(v, "a", "counted");
    }
}

static void a_date_of_bounds_holds_to_the_end_of_its_day(void **state)
{
    struct build *b = *state;
    struct ow_dosage *d = build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1",
                                     "tablet", 4);

    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-02").from,
                                                build_time("2026-03").until };
    build_at(b, "2026-03-31T23:59:59Z");
    assert_role(build_judge(b), "a", "counted");
    build_at(b, "2026-04-01T00:00:00Z");
    assert_role(build_judge(b), "a", "inactive");
    build_at(b, "2026-02-01T00:00:00Z");
    assert_true(build_judge(b)->total.has_now);
    build_at(b, "2026-01-31T23:59:59Z");
    assert_false(build_judge(b)->total.has_now);
}

static void a_validity_tells_the_start_and_not_the_end(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    o->has_validity = true; /* when it may be dispensed, not how long it is taken */
    o->validity = (struct ow_span){ build_time("2026-02-20").from,
                                    build_time("2026-02-25").until };
    build_supply(o, "120", 30);
    v = build_judge(b);
    assert_true(v->lines[0].span.from == build_time("2026-02-20").from);
    assert_true(v->lines[0].span.until == build_time("2026-03-22").from);
}

static void a_dispense_tells_the_end_that_its_order_does_not(void **state)
{
    static const char *const authorizing[] = { "MedicationRequest/a" };
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5), *d;
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    o->authored = build_time("2025-12-01");
    d = build_order(b, "d", RX_OXYCODONE_5);
    d->kind = OW_DISPENSE;
    d->status = OW_STATUS_COMPLETED;
    d->authored = build_time("2025-12-20");
    d->authorizing = authorizing;
    d->n_authorizing = 1;
    build_supply(d, "120", 30);
    v = build_judge(b);
    assert_true(v->lines[0].span.until == build_time("2026-01-19").from);
    assert_true((v->lines[0].flags & OW_FLAG_STALE_ACTIVE) != 0);
    assert_ratio(v->total.now, "30");
    b->policy.count_stale = false;
    assert_role(build_judge(b), "a", "inactive");
    b->policy.count_stale = true;
    build_supply(o, "20", 5); /* its own supply ends before that of the dispense */
    assert_true(build_judge(b)->lines[0].span.until == build_time("2026-01-19").from);
    build_supply(o, "400", 100);
    assert_true(build_judge(b)->lines[0].span.until == build_time("2026-03-11").from);
    o->supply_duration.has_value = o->supply_quantity.has_value = false;
    d->n_authorizing = 0; /* of the same drug, but nobody says for which order */
    assert_true(build_judge(b)->lines[0].span.until == OW_TIME_MAX);
    d->n_authorizing = 1;
    d->status = OW_STATUS_CANCELLED;
    assert_true(build_judge(b)->lines[0].span.until == OW_TIME_MAX);
}

static void what_is_handed_over_later_is_not_yet_the_supply(void **state)
{
    static const char *const authorizing[] = { "MedicationRequest/a" };
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5), *d;

    build_dose(b, o, "1", "tablet", 4);
    for (int i = 0; i < 2; i++) {
        d = build_order(b, i == 0 ? "d" : "e", RX_OXYCODONE_5);
        d->kind = OW_DISPENSE;
        d->status = OW_STATUS_COMPLETED;
        d->authored = build_time(i == 0 ? "2026-03-01" : "2026-03-20");
        d->authorizing = authorizing;
        d->n_authorizing = 1;
        build_supply(d, i == 0 ? "120" : "240", 30);
    }
    assert_ratio(build_judge(b)->supplied.now, "30");
    build_at(b, "2026-03-20T08:00:00Z");
    assert_ratio(build_judge(b)->supplied.now, "60");
}

static void the_stale_days_are_the_site_s(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_20);

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->authored = build_time("2026-01-01"); /* ended 2026-01-31, 30 days ago */
    b->policy.stale_days = 31;
    assert_null(build_finding(build_judge(b), "stale-order"));
    b->policy.count_stale = false;
    assert_role(build_judge(b), "a", "counted");
    b->policy.stale_days = 30;
    assert_role(build_judge(b), "a", "inactive");
    assert_string_equal(build_judge(b)->lines[0].reason, "supply ended 2026-01-31");
    b->policy.count_stale = true;
    assert_non_null(build_finding(build_judge(b), "stale-order"));
}

/* ---- replacement ---- */

static void one_order_told_by_two_servers_counts_once(void **state)
{
    static const char *const identifiers[] = { "urn:rx|77" };
    static const char *const others[] = { "urn:rx|78" };
    struct build *b = *state;
    struct ow_order *o[2];
    const struct ow_verdict *v;
    char text[OW_RATIO_TEXT];

    for (int i = 0; i < 2; i++) {
        o[i] = build_order(b, "a", RX_OXYCODONE_5); /* the same id by chance */
        build_dose(b, o[i], i == 0 ? "2" : "1", "tablet", 4);
        o[i]->source = i == 0 ? "south" : "north";
        o[i]->identifiers = identifiers;
        o[i]->n_identifiers = 1;
    }
    v = build_judge(b);
    assert_ratio(v->total.now, "60"); /* the copies differ: the larger one */
    assert_string_equal(ow_role_name(v->lines[1].role), "replaced");
    assert_string_equal(v->lines[1].reason, "replaced by MedicationRequest/a");
    o[1]->source = "south"; /* or one server told it twice */
    assert_ratio(build_judge(b)->total.now, "60");
    o[1]->source = "north";
    o[1]->identifiers = others;
    assert_ratio(build_judge(b)->total.now, "90"); /* two orders with one id */
    o[1]->prior = "MedicationRequest/a"; /* of its own server, which is another one */
    assert_string_equal(ow_ratio_format(build_judge(b)->total.now, 2, text), "90");
}

static void a_draft_of_the_same_order_takes_its_place(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, o, "2", "tablet", 4);
    o = build_order(b, "a", RX_OXYCODONE_5); /* signed again, with half of the dose */
    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    assert_ratio(v->total.peak, "30");
    assert_string_equal(ow_role_name(v->lines[0].role), "replaced");
    o->id = "b"; /* another order: both, until half of the first one's supply has run */
    assert_ratio(build_judge(b)->total.now, "90");
}

static void every_order_has_a_role_and_all_but_counted_ones_a_reason(void **state)
{
    static const char *const drugs[] = { RX_OXYCODONE_5,  RX_OXYCODONE,
                                         RX_LORAZEPAM_1,  RX_BUPRENORPHINE_8,
                                         RX_LISINOPRIL,   RX_PHENTERMINE,
                                         RX_CODEINE_SOMA, RX_MORPHINE_INJ };
    struct build *b = *state;
    const struct ow_verdict *v;

    for (size_t i = 0; i < OW_LEN(drugs); i++)
        build_dose(b, build_order(b, drugs[i], drugs[i]), "1", "tablet", 2);
    v = build_judge(b);
    assert_int_equal(v->n_lines, OW_LEN(drugs));
    for (size_t i = 0; i < v->n_lines; i++)
        assert_true(v->lines[i].role == OW_ROLE_COUNTED || v->lines[i].reason != NULL);
    assert_string_equal(build_line(v, RX_LORAZEPAM_1)->reason,
                        "no opioid; a sedative (benzodiazepine)");
    assert_string_equal(build_line(v, RX_PHENTERMINE)->reason, "no opioid");
}

static void a_mismatch_is_more_than_a_quarter_and_more_than_ten(void **state)
{
    static const struct {
        const char *tablets, *quantity; /* oxycodone 10 mg, 1 tablet is 15 MME */
        bool found;
    } cases[] = {
        {"4",  "120", false},
        { "4", "90",  false}, /* 60 against 45: a quarter, not more */
        { "4", "89",  true }, /* 15.5 */
        { "4", "151", true },
        { "4", "150", false}, /* 75: a quarter more */
        { "2", "40",  false}, /* 30 against 20: 10, not more */
        { "2", "39",  true },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders);
        o = build_order(b, "a", RX_OXYCODONE_10);
        build_dose(b, o, "1", "tablet", cases[i].tablets[0] - '0');
        build_supply(o, cases[i].quantity, 30);
        if ((build_finding(build_judge(b), "supply-mismatch") != NULL) != cases[i].found)
            fail_msg("case %zu", i);
    }
}

static void sixteen_refills_left_active_are_one_current_order(void **state)
{
    struct build *b = *state;
    const struct ow_verdict *v;
    unsigned counted = 0;
    char id[16];

    for (int i = 0; i < 16; i++) {
        struct ow_order *o;

        (void)snprintf(id, sizeof id, "rx%d", i);
        o = build_order(b, id, RX_OXYCODONE_5);
        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "120", 30);
        o->authored.from -= (15 - i) * 29 * OW_DAY;
        o->authored.until -= (15 - i) * 29 * OW_DAY;
    }
    v = build_judge(b);
    for (size_t i = 0; i < v->n_lines; i++)
        counted += v->lines[i].role == OW_ROLE_COUNTED;
    assert_int_equal(counted, 1);
    assert_ratio(v->total.now, "30");
    assert_role(v, "rx15", "counted");
    assert_string_equal(
        build_line(v, "rx14")->reason,
        "replaced by MedicationRequest/rx15, which goes on with the same drug");
}

static void a_second_order_replaces_only_after_half_of_the_supply(void **state)
{
    static const struct {
        const char *start, *role;
    } cases[] = {
        {"2026-02-16",  "replaced"}, /* half of 28 days from 2026-02-02 */
        { "2026-02-15", "counted" },
    };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *o;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders * 2);
        o = build_order(b, "a", RX_OXYCODONE_5);
        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "112", 28);
        o->authored = build_time("2026-02-02");
        o = build_order(b, "b", RX_OXYCODONE_5);
        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "112", 28);
        o->authored = build_time(cases[i].start);
        assert_role(build_judge(b), "a", cases[i].role);
        o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_OXYCODONE_10, NULL);
        assert_role(build_judge(b), "a", "counted"); /* another strength */
    }
}

static void a_refill_that_starts_later_cuts_the_first_one_short_only_then(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o = build_order(b, "b", RX_OXYCODONE_5);
    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->authored = build_time("2026-03-28");
    v = build_judge(b);
    assert_role(v, "a", "counted");
    assert_role(v, "b", "counted");
    assert_ratio(v->total.now, "30");
    assert_ratio(v->total.peak, "30");
    assert_non_null(strstr(build_line(v, "a")->reason, "until 2026-03-28"));
}

static void links_replace_an_order(void **state)
{
    static const struct {
        const char *what, *other_rx, *role;
    } cases[] = {
        {"prior",       RX_OXYCODONE_10, "replaced"},
        { "prior",      RX_MORPHINE_15,  "replaced"}, /* a rotation */
        { "prior",      RX_LORAZEPAM_1,  "counted" }, /* no opioid stands for one */
        { "based-on",   RX_OXYCODONE_10, "replaced"},
        { "based-on",   RX_MORPHINE_15,  "counted" },
        { "identifier", RX_OXYCODONE_10, "replaced"},
        { "identifier", RX_MORPHINE_15,  "counted" },
        { "id",         RX_OXYCODONE_5,  "replaced"},
        { "id",         RX_MORPHINE_15,  "counted" },
        { "group",      RX_OXYCODONE_5,  "replaced"},
        { "none",       RX_OXYCODONE_10, "counted" },
    };
    static const char *const refs[] = { "MedicationRequest/a" };
    static const char *const identifiers[] = { "urn:x|1" };

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = *state;
        struct ow_order *a, *o;
        const struct ow_verdict *v;

        b->chart.n_orders = 0;
        memset(b->orders, 0, sizeof *b->orders * 2);
        a = build_order(b, "a", RX_OXYCODONE_5);
        build_dose(b, a, "1", "tablet", 4);
        o = build_order(b, "b", cases[i].other_rx);
        build_dose(b, o, "1", "tablet", 1);
        o->authored = build_time("2026-03-01T12:00:00Z");
        if (ow_streq(cases[i].what, "prior"))
            o->prior = refs[0];
        if (ow_streq(cases[i].what, "based-on")) {
            o->based_on = refs;
            o->n_based_on = 1;
        }
        if (ow_streq(cases[i].what, "identifier")) {
            o->identifiers = a->identifiers = identifiers;
            o->n_identifiers = a->n_identifiers = 1;
        }
        if (ow_streq(cases[i].what, "id"))
            o->id = a->id;
        if (ow_streq(cases[i].what, "group")) {
            o->group = a->group = "urn:g|1";
            o->intent = OW_INTENT_FILLER_ORDER;
        }
        v = build_judge(b);
        if (strcmp(ow_role_name(v->lines[0].role), cases[i].role) != 0)
            fail_msg("case %zu, %s: %s", i, cases[i].what,
                     ow_role_name(v->lines[0].role));
        assert_int_not_equal(v->lines[1].role, OW_ROLE_REPLACED);
    }
}

static void links_in_a_circle_leave_one_order_counted(void **state)
{
    struct build *b = *state;
    struct ow_order *a = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_order *o = build_order(b, "b", RX_OXYCODONE_5);
    const struct ow_verdict *v;

    build_dose(b, a, "1", "tablet", 4);
    build_dose(b, o, "1", "tablet", 4);
    a->prior = o->reference;
    o->prior = a->reference;
    v = build_judge(b);
    assert_ratio(v->total.now, "30");
    a->prior = a->reference; /* nor does anything replace itself */
    o->prior = o->reference;
    assert_ratio(build_judge(b)->total.now, "60");
}

static void a_cancelled_order_replaces_nothing(void **state)
{
    struct build *b = *state;
    struct ow_order *a = build_order(b, "a", RX_OXYCODONE_5);
    struct ow_order *o = build_order(b, "b", RX_OXYCODONE_5);

    build_dose(b, a, "1", "tablet", 4);
    build_dose(b, o, "1", "tablet", 4);
    o->prior = a->reference;
    o->status = OW_STATUS_CANCELLED;
    assert_role(build_judge(b), "a", "counted");
}

static void a_draft_that_renews_an_active_order_counts_once(void **state)
{
    struct build *b = *state;
    struct ow_order *a = build_order(b, "a", RX_OXYCODONE_20);
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_20);
    const struct ow_verdict *v;

    build_dose(b, a, "1", "tablet", 2);
    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    v = build_judge(b);
    assert_int_equal(v->lines[0].role, OW_ROLE_REPLACED);
    assert_int_equal(v->lines[1].role, OW_ROLE_COUNTED);
    assert_ratio(v->total.now, "120");
}

/* ---- dispenses ---- */

static void a_dispense_is_the_supply_of_its_order(void **state)
{
    static const char *const refs[] = { "MedicationRequest/a" };
    struct build *b = *state;
    struct ow_order *o;
    const struct ow_verdict *v;

    build_dose(b, build_order(b, "a", RX_OXYCODONE_10), "1", "tablet", 4);
    o = build_order(b, "d", RX_OXYCODONE_10);
    o->kind = OW_DISPENSE;
    o->reference = "MedicationDispense/d";
    o->status = OW_STATUS_COMPLETED;
    o->authorizing = refs;
    o->n_authorizing = 1;
    build_supply(o, "60", 30);
    v = build_judge(b);
    assert_int_equal(v->n_lines, 1);
    assert_ratio(v->total.now, "60");
    assert_ratio(v->supplied.now, "30");
}

static void a_dispense_without_its_order_counts_by_itself(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "d", RX_OXYCODONE_10);
    const struct ow_verdict *v;

    o->kind = OW_DISPENSE;
    o->reference = "MedicationDispense/d";
    o->status = OW_STATUS_COMPLETED;
    build_supply(o, "60", 30);
    v = build_judge(b);
    assert_role(v, "d", "counted");
    assert_ratio(v->total.now, "30");
    o->authored = build_time("2025-12-01");
    assert_role(build_judge(b), "d", "inactive");
}

static void what_a_patient_reports_is_named_and_not_counted(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "s", RX_OXYCODONE_10);
    const struct ow_verdict *v;

    build_dose(b, o, "1", "tablet", 4);
    o->kind = OW_STATEMENT;
    o = build_order(b, "l", RX_LISINOPRIL);
    o->kind = OW_STATEMENT;
    v = build_judge(b);
    assert_int_equal(v->n_lines, 1);
    assert_role(v, "s", "inactive");
    assert_string_equal(v->lines[0].reason, "a statement, not an order");
    assert_false(v->total.has_peak);
}

static void a_plain_draft_beside_the_drafts_of_a_hook_is_not_signed(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_10);

    build_dose(b, o, "1", "tablet", 4);
    o->status = OW_STATUS_DRAFT;
    b->q.drafts_count = true;
    assert_role(build_judge(b), "a", "counted");
    o = build_order(b, "d", RX_MORPHINE_15);
    build_dose(b, o, "1", "tablet", 2);
    build_draft(b, o);
    assert_role(build_judge(b), "a", "inactive");
    assert_ratio(build_judge(b)->total.now, "30");
}

/* ---- properties ---- */

static uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void random_chart(struct build *b, uint64_t *seed, unsigned n)
{
    static const char *const drugs[] = {
        RX_OXYCODONE_5, RX_OXYCODONE_10,    RX_MORPHINE_15, RX_METHADONE_10,
        RX_LORAZEPAM_1, RX_BUPRENORPHINE_8, RX_LISINOPRIL,  RX_CODEINE_SOMA,
    };
    char id[16];

    for (unsigned i = 0; i < n; i++) {
        struct ow_order *o;

        (void)snprintf(id, sizeof id, "rx%u", i);
        o = build_order(b, id, drugs[chance(seed) % OW_LEN(drugs)]);
        o->authored.from += ((int64_t)(chance(seed) % 120) - 60) * OW_DAY;
        o->authored.until = o->authored.from + OW_DAY;
        if (chance(seed) % 5 != 0)
            build_dose(b, o, chance(seed) % 2 != 0 ? "1" : "0.5", "tablet",
                       1 + (int)(chance(seed) % 4));
        if (chance(seed) % 3 != 0)
            build_supply(o, "60", 5 + (int)(chance(seed) % 40));
        if (chance(seed) % 4 == 0)
            o->status = OW_STATUS_STOPPED;
    }
}

static void assert_same_totals(const struct ow_verdict *x, const struct ow_verdict *y)
{
    assert_int_equal(x->total.has_now, y->total.has_now);
    assert_int_equal(x->total.has_peak, y->total.has_peak);
    if (x->total.has_now)
        assert_int_equal(ow_ratio_cmp(x->total.now, y->total.now), 0);
    if (x->total.has_peak)
        assert_int_equal(ow_ratio_cmp(x->total.peak, y->total.peak), 0);
    assert_int_equal(x->at_least, y->at_least);
    assert_int_equal(x->n_findings, y->n_findings);
}

static void the_order_of_the_orders_changes_nothing(void **state)
{
    uint64_t seed = 88172645463325252U;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct build b;
        const struct ow_verdict *before;

        build_init(&b);
        build_preset(&b, round % 2 == 0 ? "cdc-2022" : "cdc-2016");
        random_chart(&b, &seed, 1 + (unsigned)(chance(&seed) % 12));
        before = build_judge(&b);
        for (size_t i = b.chart.n_orders; i > 1; i--) {
            size_t k = chance(&seed) % i;
            struct ow_order swap = b.orders[i - 1];

            b.orders[i - 1] = b.orders[k];
            b.orders[k] = swap;
        }
        assert_same_totals(before, build_judge(&b));
        build_done(&b);
    }
}

static void an_inactive_order_changes_no_total(void **state)
{
    uint64_t seed = 1234567891011U;

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct build b;
        const struct ow_verdict *before;
        struct ow_order *o;

        build_init(&b);
        random_chart(&b, &seed, (unsigned)(chance(&seed) % 10));
        before = build_judge(&b);
        o = build_order(&b, "late", RX_METHADONE_10);
        build_dose(&b, o, "4", "tablet", 3);
        o->status = OW_STATUS_STOPPED;
        assert_same_totals(before, build_judge(&b));
        build_done(&b);
    }
}

static void dates_and_the_asked_instant_shift_together(void **state)
{
    uint64_t seed = 42424242424242U;

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct build b;
        const struct ow_verdict *before, *after;
        int64_t shift = ((int64_t)(chance(&seed) % 4000) - 2000) * OW_DAY;

        build_init(&b);
        random_chart(&b, &seed, 1 + (unsigned)(chance(&seed) % 10));
        before = build_judge(&b);
        for (size_t i = 0; i < b.chart.n_orders; i++) {
            b.orders[i].authored.from += shift;
            b.orders[i].authored.until += shift;
        }
        b.q.at += shift;
        after = build_judge(&b);
        assert_same_totals(before, after);
        if (before->has_peak_at)
            assert_true(after->peak_at - before->peak_at == shift);
        build_done(&b);
    }
}

static void no_opioid_in_force_is_ever_silently_zero(void **state)
{
    uint64_t seed = 777777777U;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct build b;
        const struct ow_verdict *v;

        build_init(&b);
        random_chart(&b, &seed, 1 + (unsigned)(chance(&seed) % 15));
        v = build_judge(&b);
        for (size_t i = 0; i < v->n_lines; i++) {
            const struct ow_line *l = &v->lines[i];

            if (l->ingredient == NULL)
                continue;
            assert_true(l->role == OW_ROLE_COUNTED ? ow_ratio_positive(l->med)
                                                   : l->reason != NULL);
        }
        build_done(&b);
    }
}

/* ---- anything goes ---- */

static struct ow_ratio wild_number(uint64_t *seed)
{
    static const char *const values[] = {
        "0",     "1",       "2",        "0.5",
        "-1",    "1000000", "0.000001", "922337203685477580",
        "0.33",  "7.5",     "1e18",     "0.123456",
        "1e-12", "14",      "30",       "99999",
    };

    return build_ratio(values[chance(seed) % OW_LEN(values)]);
}

static ow_time wild_time(uint64_t *seed)
{
    switch (chance(seed) % 8) {
    case 0:
        return OW_TIME_MIN;
    case 1:
        return OW_TIME_MAX;
    case 2:
        return (ow_time)chance(seed);
    default:
        return build_time("2026-03-02").from +
               ((int64_t)(chance(seed) % 200) - 100) * OW_DAY;
    }
}

static const char *wild_text(uint64_t *seed)
{
    static const char *const texts[] = {
        NULL,
        "",
        "x",
        "MedicationRequest/w1",
        "MedicationRequest/w2",
        "tablet",
        "mL",
        "{patch}",
        "oxycodone",
        "\n|*",
        "d",
        "wk",
        "h",
    };

    return texts[chance(seed) % OW_LEN(texts)];
}

static struct ow_quantity wild_quantity(uint64_t *seed)
{
    return (struct ow_quantity){ .has_value = chance(seed) % 5 != 0,
                                 .value = wild_number(seed),
                                 .unit = wild_text(seed),
                                 .code = wild_text(seed) };
}

static void wild_dosage(struct build *b, struct ow_order *o, uint64_t *seed)
{
    struct ow_dosage *d = build_dose(b, o, "1", "tablet", 1);
    struct ow_dose_rate *rate = OW_NEW(&b->arena, struct ow_dose_rate);

    rate->has_dose = chance(seed) % 4 != 0;
    rate->dose = wild_quantity(seed);
    rate->has_dose_range = chance(seed) % 6 == 0;
    rate->dose_range = (struct ow_range){ wild_quantity(seed), wild_quantity(seed) };
    d->doses = rate;
    d->has_sequence = chance(seed) % 2 == 0;
    d->sequence = (int64_t)(chance(seed) % 4);
    d->timing.bounds = (enum ow_bounds)(chance(seed) % 4);
    d->timing.bounds_duration = wild_quantity(seed);
    d->timing.bounds_range = (struct ow_range){ wild_quantity(seed),
                                                wild_quantity(seed) };
    d->timing.bounds_period = (struct ow_span){ wild_time(seed), wild_time(seed) };
    d->timing.frequency = (struct ow_number){ chance(seed) % 5 != 0, wild_number(seed) };
    d->timing.frequency_max = (struct ow_number){ chance(seed) % 5 == 0,
                                                  wild_number(seed) };
    d->timing.period = (struct ow_number){ chance(seed) % 5 != 0, wild_number(seed) };
    d->timing.period_unit = wild_text(seed);
    d->as_needed = chance(seed) % 3 == 0;
    if (chance(seed) % 20 == 0)
        d->refused = "modifierExtension x";
}

static void wild_order(struct build *b, unsigned i, uint64_t *seed)
{
    static const char *const drugs[] = {
        RX_OXYCODONE_5,  RX_METHADONE_10,    RX_FENTANYL_25, RX_LORAZEPAM_1,
        RX_METHADONE_10, RX_BUPRENORPHINE_8, RX_OXYCODONE,   RX_MORPHINE_INJ,
        RX_LISINOPRIL,   RX_CODEINE_SOMA,    "99999999",
    };
    char id[16];
    struct ow_order *o;

    (void)snprintf(id, sizeof id, "w%u", (unsigned)(chance(seed) % (i + 1)));
    o = build_order(b, id, drugs[chance(seed) % OW_LEN(drugs)]);
    if (chance(seed) % 12 == 0)
        o->id = o->reference = NULL;
    if (chance(seed) % 12 == 0)
        o->medication = (struct ow_medication){ .unresolved = true };
    o->kind = chance(seed) % 6 == 0 ? (enum ow_order_kind)(chance(seed) % 4) : OW_REQUEST;
    o->status = chance(seed) % 2 == 0 ? OW_STATUS_ACTIVE
                                      : (enum ow_status)(chance(seed) % 10);
    o->intent = chance(seed) % 2 == 0 ? OW_INTENT_ORDER
                                      : (enum ow_intent)(chance(seed) % 10);
    o->is_draft = chance(seed) % 6 == 0;
    o->selected = chance(seed) % 2 == 0;
    o->has_authored = chance(seed) % 6 != 0;
    o->authored = (struct ow_span){ wild_time(seed), wild_time(seed) };
    o->has_validity = chance(seed) % 6 == 0;
    o->validity = (struct ow_span){ wild_time(seed), wild_time(seed) };
    o->supply_quantity = wild_quantity(seed);
    o->supply_duration = wild_quantity(seed);
    o->has_refills = chance(seed) % 3 == 0;
    o->refills = (int64_t)chance(seed);
    o->prior = wild_text(seed);
    o->group = wild_text(seed);
    for (uint64_t k = chance(seed) % 4; k > 0; k--)
        wild_dosage(b, o, seed);
}

static void wild_charts_always_get_an_answer(void **state)
{
    static const char *const presets[] = { "cdc-2022", "cdc-2016" };
    uint64_t seed = 20260302;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct build b;
        const struct ow_verdict *v;
        unsigned n = (unsigned)(chance(&seed) % 9);

        build_init(&b);
        build_preset(&b, presets[round % 2]);
        b.q.trace = round % 2 == 0;
        b.policy.older_factor = round % 3 == 0;
        b.policy.count_stale = round % 5 != 0;
        b.chart.hook = (enum ow_hook)(chance(&seed) % 4);
        b.q.drafts_count = chance(&seed) % 2 == 0;
        b.chart.patient.has_birth = chance(&seed) % 2 == 0;
        b.chart.patient.birth = (struct ow_span){ wild_time(&seed), wild_time(&seed) };
        for (unsigned i = 0; i < n; i++)
            wild_order(&b, i, &seed);
        v = build_judge(&b);
        assert_true(v->n_cards <= 1);
        assert_int_equal(v->total.has_now && !v->total.has_peak, 0);
        for (size_t i = 0; i < v->n_lines; i++) {
            const struct ow_line *l = &v->lines[i];

            assert_non_null(l->drug);
            if (l->role == OW_ROLE_COUNTED)
                assert_true(ow_ratio_positive(l->med) && l->derivation != NULL);
            if (l->role == OW_ROLE_UNREADABLE)
                assert_true(v->at_least && l->reason != NULL);
        }
        build_done(&b);
    }
}

static void a_chart_that_does_not_fit_is_an_error_and_no_verdict(void **state)
{
    struct build *b = *state;
    struct ow_arena small;
    const struct ow_verdict *v = NULL;
    struct ow_err err;
    char id[16];

    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "rx%d", i);
        build_dose(b, build_order(b, id, RX_OXYCODONE_5), "1", "tablet", 4);
    }
    for (size_t ceiling = 1024; ceiling < (size_t)1 << 20; ceiling *= 2) {
        enum ow_code code;

        ow_arena_init(&small, ceiling);
        code = ow_evaluate(&b->chart, &b->q, &small, &v, &err);
        assert_true(code == OW_OK || (code == OW_INPUT && v == NULL));
        if (ceiling < 65536)
            assert_int_equal(code, OW_INPUT);
        ow_arena_done(&small);
        v = NULL;
    }
}

static void the_same_question_gets_the_same_answer(void **state)
{
    struct build *b = *state;
    uint64_t seed = 5;
    const struct ow_verdict *x, *y;

    random_chart(b, &seed, 12);
    x = build_judge(b);
    y = build_judge(b);
    assert_int_equal(x->n_cards, 1);
    assert_string_equal(x->cards[0].detail, y->cards[0].detail);
    assert_string_equal(x->cards[0].summary, y->cards[0].summary);
    assert_string_equal(x->cards[0].key, y->cards[0].key);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(one_order_shows_its_arithmetic),
        T(two_equal_orders_both_count),
        T(no_orders_give_null_and_not_zero),
        T(an_unreadable_dose_makes_the_total_at_least),
        T(an_order_whose_figures_do_not_fit_is_unreadable),
        T(supply_is_the_fallback_when_there_are_no_directions),
        T(directions_decide_over_supply_and_the_difference_is_said),
        T(a_small_difference_between_directions_and_supply_is_none),
        T(methadone_takes_the_band_of_its_total),
        T(methadone_band_follows_the_instant),
        T(methadone_for_opioid_use_disorder_is_excluded_and_named),
        T(buprenorphine_is_excluded_without_making_the_total_at_least),
        T(a_form_the_table_lacks_takes_the_older_factor_only_by_policy),
        T(drugs_get_their_role),
        T(an_unknown_drug_warns_only_when_it_may_be_an_opioid),
        T(an_unknown_drug_that_ends_before_it_begins_still_warns),
        T(a_medication_that_is_not_in_the_data_is_unknown),
        T(the_most_specific_coding_decides_and_disagreement_is_noted),
        T(the_ingredients_of_a_medication_name_the_opioid),
        T(status_and_intent_decide_what_counts),
        T(a_modifier_nobody_understands_makes_the_dose_unreadable),
        T(drafts_of_a_hook_count_whatever_their_status),
        T(bounds_that_ended_put_an_order_out_of_force),
        T(bounds_in_the_wrong_order_are_not_taken_for_an_end),
        T(a_count_ends_beside_a_period_without_a_beginning),
        T(a_line_that_ends_before_it_begins_prolongs_no_other),
        T(a_supply_that_ended_makes_no_line_backwards),
        T(an_order_that_starts_later_counts_for_the_peak_only),
        T(what_starts_behind_the_horizon_is_not_in_the_peak),
        T(a_supply_that_ended_counts_on_and_is_stale_after_14_days),
        T(a_date_without_a_day_starts_early_and_ends_late),
        T(a_date_of_bounds_holds_to_the_end_of_its_day),
        T(a_validity_tells_the_start_and_not_the_end),
        T(a_dispense_tells_the_end_that_its_order_does_not),
        T(what_is_handed_over_later_is_not_yet_the_supply),
        T(the_stale_days_are_the_site_s),
        T(one_order_told_by_two_servers_counts_once),
        T(a_draft_of_the_same_order_takes_its_place),
        T(every_order_has_a_role_and_all_but_counted_ones_a_reason),
        T(a_mismatch_is_more_than_a_quarter_and_more_than_ten),
        T(refills_lengthen_the_supply),
        T(quantity_over_daily_units_gives_the_days),
        T(sixteen_refills_left_active_are_one_current_order),
        T(a_second_order_replaces_only_after_half_of_the_supply),
        T(a_refill_that_starts_later_cuts_the_first_one_short_only_then),
        T(links_replace_an_order),
        T(links_in_a_circle_leave_one_order_counted),
        T(a_cancelled_order_replaces_nothing),
        T(a_draft_that_renews_an_active_order_counts_once),
        T(a_dispense_is_the_supply_of_its_order),
        T(a_dispense_without_its_order_counts_by_itself),
        T(what_a_patient_reports_is_named_and_not_counted),
        T(a_plain_draft_beside_the_drafts_of_a_hook_is_not_signed),
        T(the_order_of_the_orders_changes_nothing),
        T(an_inactive_order_changes_no_total),
        T(dates_and_the_asked_instant_shift_together),
        T(no_opioid_in_force_is_ever_silently_zero),
        T(wild_charts_always_get_an_answer),
        T(a_chart_that_does_not_fit_is_an_error_and_no_verdict),
        T(the_same_question_gets_the_same_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
