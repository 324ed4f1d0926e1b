/*
 * Rules: what fires, how strong, with which sources, and what is held back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/facts.h"
#include "base/text.h"
#include "tests/support/build.h"

static struct build *fresh(void)
{
    static struct build b;
    static bool used;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    return &b;
}

static const char *join(struct build *b, const char *const *list, size_t n)
{
    const char *ret = "";

    for (size_t i = 0; i < n; i++)
        ret = ow_arena_printf(&b->arena, "%s%s%s", ret, i > 0 ? " " : "", list[i]);
    return ret;
}

/* ---- med-threshold ---- */

static void the_dose_reaches_its_thresholds_exactly(void **state)
{
    static const struct {
        const char *preset, *tablets; /* of oxycodone 10 mg, four times a day: x 60 */
        int tier;                     /* -1: none */
        const char *reason, *sources;
    } cases[] = {
        {"cdc-2022",  "0.8333", -1,               NULL,                     NULL         }, /* 49.998 prints as 50 */
        { "cdc-2022", "0.84",   OW_TIER_WARNING,  "50.4 MME/d reaches 50",
         "CDC-2022-R4 CDC-2022-R5"                                                       },
        { "cdc-2022", "1.5",    OW_TIER_CRITICAL, "90 MME/d reaches 90",
         "site-policy CDC-2022-R4 CDC-2022-R5"                                           },
        { "cdc-2022", "1.4999", OW_TIER_WARNING,  "89.99 MME/d reaches 50",
         "CDC-2022-R4 CDC-2022-R5"                                                       },
        { "cdc-2016", "1",      OW_TIER_WARNING,  "60 MME/d reaches 50",    "CDC-2016-R5"},
        { "cdc-2016", "2",      OW_TIER_CRITICAL, "120 MME/d reaches 90",   "CDC-2016-R5"},
        { "wa-120",   "1.9",    -1,               NULL,                     NULL         },
        { "wa-120",   "2",      OW_TIER_CRITICAL, "120 MME/d reaches 120",
         "site-policy CDC-2022-R4 CDC-2022-R5"                                           },
        { "ppact",    "2",      OW_TIER_CRITICAL, "120 MME/d reaches 120",
         "site-policy CDC-2022-R4 CDC-2022-R5"                                           },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_finding *f;

        build_preset(b, cases[i].preset);
        build_dose(b, build_order(b, "a", RX_OXYCODONE_10), cases[i].tablets, "tablet",
                   4);
        f = build_finding(build_judge(b), "med-threshold");
        if (cases[i].tier < 0) {
            assert_null(f);
            continue;
        }
        assert_non_null(f);
        assert_int_equal(f->tier, cases[i].tier);
        assert_string_equal(f->reason, cases[i].reason);
        assert_string_equal(join(b, f->sources, f->n_sources), cases[i].sources);
        assert_string_equal(f->evidence[0], "MedicationRequest/a");
    }
}

static void fifty_from_two_orders_is_fifty(void **state)
{
    struct build *b = fresh();

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4); /* 30 */
    build_dose(b, build_order(b, "b", RX_OXYCODONE_10), "1.3333333", "tablet", 1);
    assert_null(build_finding(build_judge(b), "med-threshold")); /* 49.9999995 */
    b = fresh();
    build_dose(b, build_order(b, "a", RX_MORPHINE_15), "1", "tablet", 2);
    build_dose(b, build_order(b, "b", RX_OXYCODONE_20), "0.5", "tablet", 1);
    build_dose(b, build_order(b, "c", RX_MORPHINE_15), "1", "tablet", 1);
    assert_non_null(build_finding(build_judge(b), "med-threshold")); /* 30 + 15 + 15 */
}

static void short_orders_weigh_one_tier_less_but_never_hide_long_ones(void **state)
{
    static const struct {
        const char *what;
        const char *long_tablets; /* oxycodone 10 mg x 4: x 60; NULL for none */
        const char *short_tablets;
        int days;
        int tier;
    } cases[] = {
        {"short alone, over 50",      NULL,  "1",   7, OW_TIER_INFO    },
        { "short alone, over 90",     NULL,  "2",   7, OW_TIER_WARNING },
        { "eight days are not short", NULL,  "1",   8, OW_TIER_WARNING },
        { "long alone would warn",    "1",   "0.5", 5, OW_TIER_WARNING },
        { "long alone is critical",   "1.5", "1",   5, OW_TIER_CRITICAL},
        { "both together reach 50",   "0.5", "0.5", 5, OW_TIER_INFO    },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        struct ow_order *o;
        const struct ow_finding *f;

        if (cases[i].long_tablets != NULL)
            build_dose(b, build_order(b, "a", RX_OXYCODONE_10), cases[i].long_tablets,
                       "tablet", 4);
        o = build_order(b, "b", RX_OXYCODONE_10);
        build_dose(b, o, cases[i].short_tablets, "tablet", 4);
        build_supply(o, "28", cases[i].days);
        f = build_finding(build_judge(b), "med-threshold");
        if (f == NULL || (int)f->tier != cases[i].tier)
            fail_msg("%s: %s", cases[i].what,
                     f != NULL ? ow_tier_name(f->tier) : "nothing");
    }
}

static void at_least_is_said_when_something_is_missing(void **state)
{
    static const char *const missing[] = { "medications: server answered 503" };
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    b->chart.missing = missing;
    b->chart.n_missing = 1;
    v = build_judge(b);
    assert_true(v->at_least);
    assert_string_equal(build_finding(v, "med-threshold")->reason,
                        "at least 120 MME/d reaches 90");
    assert_non_null(strstr(v->cards[0].detail, "server answered 503"));
    assert_true(ow_starts_with(v->cards[0].summary, "At least 120 MME/day"));
    assert_string_equal(v->cards[0].med_text, "at least 120");
}

static const char *const all_missing[] = { "medications: server answered 503",
                                           "entry[1]: not readable", "a", "b" };

static void what_could_not_be_had_is_a_finding_when_it_may_matter(void **state)
{
    static const struct {
        const char *what, *draft, *active, *finding;
    } cases[] = {
        {"an event, an opioid",            NULL,           RX_OXYCODONE_5,    "missing"              },
        { "an event, no orders",           NULL,           NULL,              NULL                   },
        { "an event, lisinopril",          NULL,           RX_LISINOPRIL,     NULL                   },
        { "an event, a sedative",          NULL,           RX_LORAZEPAM_1,    "missing"              },
        { "an event, a weak sedative",     NULL,           RX_HYDROXYZINE_10, NULL                   },
        { "an opioid draft",               RX_OXYCODONE_5, NULL,              "missing"              },
        { "a sedative draft",              RX_LORAZEPAM_1, NULL,              "missing"              },
        { "an unknown draft, opioid name", "99999999",     NULL,              "missing"              },
        { "a lisinopril draft",            RX_LISINOPRIL,  NULL,              NULL                   },
        { "lisinopril beside an opioid",   RX_LISINOPRIL,  RX_OXYCODONE_5,    NULL                   },
        { "unreadable leads",              RX_OXYCODONE,   NULL,              "MedicationRequest/new"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;
        const struct ow_finding *f;
        struct ow_order *o;

        if (cases[i].active != NULL)
            build_dose(b, build_order(b, "old", cases[i].active), "1", "tablet", 1);
        if (cases[i].draft != NULL) {
            o = build_order(b, "new", cases[i].draft);
            if (ow_streq(cases[i].draft, "99999999"))
                o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999",
                                                   "oxycodone 7 MG");
            build_dose(b, o, "1", "tablet", 1);
            build_draft(b, o);
        }
        b->chart.missing = all_missing;
        b->chart.n_missing = 1;
        v = build_judge(b);
        f = build_finding(v, "unreadable-dose");
        if ((f != NULL) != (cases[i].finding != NULL))
            fail_msg("%s: %s", cases[i].what, f != NULL ? f->reason : "nothing");
        if (f == NULL) {
            assert_int_equal(v->n_cards, 0);
            continue;
        }
        assert_string_equal(f->cause, cases[i].finding);
        assert_int_equal(f->tier, OW_TIER_WARNING);
        assert_int_equal(v->n_cards, 1);
        assert_non_null(strstr(v->cards[0].detail, "server answered 503"));
        b->chart.n_missing = 0;
        f = build_finding(build_judge(b), "unreadable-dose");
        assert_true(f == NULL || !ow_streq(f->cause, "missing"));
    }
}

static void at_least_reads_well_beside_a_sedative(void **state)
{
    struct build *b = fresh();

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_supply(build_order(b, "s", RX_LORAZEPAM_1), "30", 30);
    b->chart.missing = all_missing;
    b->chart.n_missing = 1;
    assert_string_equal(build_finding(build_judge(b), "sedative-coprescribing")->reason,
                        "opioid and lorazepam 1 MG Oral Tablet (benzodiazepine) together "
                        "for 29 days, at least 120 MME/d");
}

static void the_finding_names_what_could_not_be_had(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;
    const struct ow_finding *f;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 1);
    b->chart.missing = all_missing;
    b->chart.n_missing = 2;
    v = build_judge(b);
    f = build_finding(v, "unreadable-dose");
    assert_string_equal(f->reason,
                        "not all of the chart could be had, and what is in it was not "
                        "counted: medications: server answered 503; entry[1]: not "
                        "readable");
    assert_string_equal(join(b, f->evidence, f->n_evidence), "MedicationRequest/a");
    assert_string_equal(v->cards[0].summary,
                        "Not all orders could be had; total at least 7.5 MME/day");
    b->chart.n_missing = 4;
    assert_true(ow_starts_with(
        strstr(build_finding(build_judge(b), "unreadable-dose")->reason, "; a; and"),
        "; a; and 1 more"));
    b->orders[0].reference = NULL;
    b->orders[0].status = OW_STATUS_NONE; /* perhaps not in force: no total, but said */
    v = build_judge(b);
    assert_false(v->total.has_peak);
    assert_string_equal(v->findings[1].summary,
                        "Not all orders could be had; no total MME/day");
    assert_int_equal(v->findings[1].n_evidence, 0);
}

/* ---- sedative-coprescribing ---- */

static void sedatives_beside_an_opioid(void **state)
{
    static const struct {
        const char *what, *sedative, *opioid, *tablets, *birth;
        int tier;
        const char *cls;
    } cases[] = {
        {"benzodiazepine",               RX_LORAZEPAM_1,    RX_OXYCODONE_5,     "1", NULL,         OW_TIER_WARNING,
         "benzodiazepine"                                                                                                },
        { "gabapentinoid",               RX_GABAPENTIN_300, RX_OXYCODONE_5,     "1", NULL,         OW_TIER_WARNING,
         NULL                                                                                                            },
        { "muscle relaxant",             RX_CARISOPRODOL,   RX_OXYCODONE_5,     "1", NULL,         OW_TIER_WARNING,
         NULL                                                                                                            },
        { "at 50 MME",                   RX_LORAZEPAM_1,    RX_OXYCODONE_10,    "1", NULL,         OW_TIER_CRITICAL,
         NULL                                                                                                            },
        { "at 65 years",                 RX_LORAZEPAM_1,    RX_OXYCODONE_5,     "1", "1961-03-02",
         OW_TIER_CRITICAL,                                                                                           NULL},
        { "65 tomorrow",                 RX_LORAZEPAM_1,    RX_OXYCODONE_5,     "1", "1961-03-03",
         OW_TIER_WARNING,                                                                                            NULL},
        { "beside buprenorphine",        RX_LORAZEPAM_1,    RX_BUPRENORPHINE_8, "1", NULL,
         OW_TIER_WARNING,                                                                                            NULL},
        { "beside an unreadable opioid", RX_LORAZEPAM_1,    RX_OXYCODONE,       "1", NULL,
         OW_TIER_WARNING,                                                                                            NULL},
        { "tier 3",                      RX_HYDROXYZINE_10, RX_OXYCODONE_5,     "1", NULL,         -1,               NULL},
        { "tier 9",                      RX_PHENTERMINE,    RX_OXYCODONE_5,     "1", NULL,         -1,               NULL},
        { "no opioid",                   RX_LORAZEPAM_1,    RX_LISINOPRIL,      "1", NULL,         -1,               NULL},
        { "both in one product",         RX_LISINOPRIL,     RX_CODEINE_SOMA,    "1", NULL,
         OW_TIER_WARNING,                                                                                            NULL},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_finding *f;

        build_dose(b, build_order(b, "a", cases[i].opioid), cases[i].tablets, "tablet",
                   4);
        build_dose(b, build_order(b, "s", cases[i].sedative), "1", "tablet", 1);
        if (cases[i].birth != NULL) {
            b->chart.patient.has_birth = true;
            b->chart.patient.birth = build_time(cases[i].birth);
        }
        f = build_finding(build_judge(b), "sedative-coprescribing");
        if ((f != NULL ? (int)f->tier : -1) != cases[i].tier)
            fail_msg("%s: %s", cases[i].what,
                     f != NULL ? ow_tier_name(f->tier) : "nothing");
        if (f != NULL) {
            assert_string_equal(join(b, f->sources, f->n_sources), "CDC-2022-R11");
            assert_string_not_equal(f->cause, "");
        }
        if (cases[i].cls != NULL)
            assert_string_equal(f->cause, cases[i].cls);
    }
}

static void days_together_count_from_now_to_the_horizon(void **state)
{
    static const struct {
        const char *from, *until; /* of the sedative */
        const char *opioid_until;
        int64_t days;
    } cases[] = {
        {"2026-03-01",            "2026-12-31", "2026-03-31", 29}, /* 2 to 30 March */
        { "2026-01-01",           "2026-03-03", "2026-12-31", 1 }, /* today only */
        { "2026-03-31",           "2026-04-30", "2026-03-31", 0 }, /* one ends as one starts */
        { "2026-03-30T23:00:00Z", "2026-04-30", "2026-03-31", 1 },
        { "2026-01-01",           "2026-12-31", "2026-12-31", 90}, /* up to the horizon */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        struct ow_dosage *d;
        const struct ow_verdict *v;

        d = build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
        d->timing.bounds = OW_BOUNDS_PERIOD;
        d->timing.bounds_period = (struct ow_span){
            build_time("2026-03-01").from, build_time(cases[i].opioid_until).from
        };
        d = build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
        d->timing.bounds = OW_BOUNDS_PERIOD;
        d->timing.bounds_period = (struct ow_span){ build_time(cases[i].from).from,
                                                    build_time(cases[i].until).from };
        v = build_judge(b);
        assert_int_equal(v->n_sedatives, 1);
        assert_int_equal(v->sedatives[0].overlap_days, cases[i].days);
        assert_int_equal(build_finding(v, "sedative-coprescribing") != NULL,
                         cases[i].days > 0);
    }
}

static void days_are_counted_once_under_several_opioids(void **state)
{
    struct build *b = fresh();

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ow_order *o = build_order(b,
                                         i == 0   ? "a"
                                         : i == 1 ? "b"
                                                  : "c",
                                         RX_OXYCODONE_5);

        build_dose(b, o, "1", "tablet", 4);
        build_supply(o, "80", 20);
        o->authored.from += i * 8 * OW_DAY;
        o->authored.until += i * 8 * OW_DAY;
    }
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    /* 1 March + 36 days, from 2 March on */
    assert_int_equal(build_judge(b)->sedatives[0].overlap_days, 35);
}

static void an_old_sedative_order_that_was_renewed_is_one_sedative(void **state)
{
    struct build *b = fresh();
    struct ow_order *o;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    o = build_order(b, "s1", RX_LORAZEPAM_1);
    build_supply(o, "30", 30);
    o->authored = build_time("2026-01-30");
    o = build_order(b, "s2", RX_LORAZEPAM_1);
    build_supply(o, "30", 30);
    assert_int_equal(build_judge(b)->n_sedatives, 1);
}

static void a_sedative_known_by_its_name_only_still_warns(void **state)
{
    static const struct {
        const char *name, *cls;
    } cases[] = {
        {"Lorazepam 1 mg tab",       "benzodiazepine"          },
        { "ATIVAN",                  "benzodiazepine"          },
        { "carisoprodol (Soma) 350", "skeletal_muscle_relaxant"},
        { "chlorazepam",             NULL                      },
        { "Lamictal 25 mg",          NULL                      },
        { "hydroxyzine 25 mg",       NULL                      }, /* tier 3 */
        { "lisinopril",              NULL                      },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        struct ow_order *o = build_order(b, "s", NULL);
        const struct ow_finding *f;
        const struct ow_verdict *v;

        build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
        o->medication.code.text = cases[i].name;
        v = build_judge(b);
        assert_int_equal(build_line(v, "s")->role, OW_ROLE_UNKNOWN);
        f = build_finding(v, "sedative-coprescribing");
        assert_int_equal(f != NULL, cases[i].cls != NULL);
        if (f != NULL)
            assert_string_equal(f->cause, cases[i].cls);
    }
}

static void sleep_apnoea_makes_a_sedative_critical(void **state)
{
    static const struct {
        const char *type, *status, *verification, *code;
        enum ow_tier tier;
    } cases[] = {
        {"Condition",    "active",   "confirmed", "G47.33",  OW_TIER_CRITICAL},
        { "Condition",   NULL,       NULL,        "G47.33",  OW_TIER_CRITICAL},
        { "Condition",   "resolved", NULL,        "G47.33",  OW_TIER_WARNING },
        { "Condition",   "active",   "refuted",   "G47.33",  OW_TIER_WARNING },
        { "Condition",   "active",   NULL,        "J45.909", OW_TIER_WARNING },
        { "Observation", "active",   NULL,        "G47.33",  OW_TIER_WARNING },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        struct ow_record r = { .type = cases[i].type,
                               .status = cases[i].status,
                               .verification = cases[i].verification };

        r.code = build_concept(b, OW_SYSTEM_ICD10, cases[i].code, NULL);
        b->chart.records = &r;
        b->chart.n_records = 1;
        build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
        build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
        assert_int_equal(build_finding(build_judge(b), "sedative-coprescribing")->tier,
                         cases[i].tier);
    }
}

/* ---- exclusions, hooks, switches ---- */

static void rules_of_adults_are_held_back_under_eighteen(void **state)
{
    static const struct {
        const char *birth;
        int adult;
        bool fires;
    } cases[] = {
        {"2008-03-02",  1,  true },
        { "2008-03-03", 0,  false},
        { "2008",       -1, true },
        { "1980",       1,  true },
        { "2020-05",    0,  false},
        { NULL,         -1, true },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;

        build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
        build_order(b, "b", RX_MORPHINE_15);
        if (cases[i].birth != NULL) {
            b->chart.patient.has_birth = true;
            b->chart.patient.birth = build_time(cases[i].birth);
        }
        v = build_judge(b);
        assert_string_equal(v->facts[0].name, "adult");
        assert_int_equal(v->facts[0].value, cases[i].adult);
        assert_int_equal(build_finding(v, "med-threshold") != NULL, cases[i].fires);
        assert_non_null(build_finding(v, "unreadable-dose"));
        if (!cases[i].fires) {
            assert_string_equal(v->suppressed[0].rule, "med-threshold");
            assert_string_equal(v->suppressed[0].by, "exclusion:age-under-18");
            assert_string_equal(v->suppressed[0].resource, "Patient/p1");
        }
    }
}

static void a_leap_day_birthday_comes_on_the_first_of_march(void **state)
{
    struct ow_patient p = { .has_birth = true, .birth = build_time("2008-02-29") };
    int least = -1, most = -1;

    (void)state;
    assert_true(ow_age_years(&p, NULL, build_time("2026-02-28").from, &least, &most));
    assert_int_equal(least, 17);
    assert_true(ow_age_years(&p, NULL, build_time("2026-03-01").from, &least, &most));
    assert_int_equal(least, 18);
    assert_int_equal(most, 18);
}

static void a_hook_speaks_only_of_what_is_being_ordered(void **state)
{
    static const struct {
        enum ow_hook hook;
        const char *draft;
        bool selected;
        bool med, sedative;
    } cases[] = {
        {OW_HOOK_ORDER_SIGN,    RX_OXYCODONE_20, true,  true,  true },
        { OW_HOOK_ORDER_SIGN,   RX_LORAZEPAM_1,  true,  false, true },
        { OW_HOOK_ORDER_SIGN,   RX_LISINOPRIL,   true,  false, false},
        { OW_HOOK_ORDER_SELECT, RX_OXYCODONE_20, true,  true,  true },
        { OW_HOOK_ORDER_SELECT, RX_OXYCODONE_20, false, false, false},
        { OW_HOOK_ORDER_SELECT, RX_LORAZEPAM_1,  true,  false, true },
        { OW_HOOK_PATIENT_VIEW, NULL,            false, true,  true },
        { OW_HOOK_ORDER_SIGN,   NULL,            false, true,  true }, /* nothing says what is signed */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;

        b->chart.hook = cases[i].hook;
        build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
        build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
        if (cases[i].draft != NULL) {
            struct ow_order *o = build_order(b, "d", cases[i].draft);

            build_dose(b, o, "1", "tablet", 1);
            build_draft(b, o);
            o->selected = cases[i].selected;
        }
        v = build_judge(b);
        if ((build_finding(v, "med-threshold") != NULL) != cases[i].med ||
            (build_finding(v, "sedative-coprescribing") != NULL) != cases[i].sedative)
            fail_msg("case %zu", i);
        assert_int_equal(v->n_cards, cases[i].med || cases[i].sedative);
    }
}

static void unselected_drafts_are_still_part_of_the_sum(void **state)
{
    struct build *b = fresh();
    struct ow_order *o;

    (void)state;
    b->chart.hook = OW_HOOK_ORDER_SELECT;
    o = build_order(b, "d1", RX_OXYCODONE_10);
    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    o = build_order(b, "d2", RX_MORPHINE_15);
    build_dose(b, o, "1", "tablet", 2);
    build_draft(b, o);
    o->selected = false;
    assert_string_equal(build_finding(build_judge(b), "med-threshold")->reason,
                        "90 MME/d reaches 90");
}

static void a_rule_that_is_switched_off_finds_nothing(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_order(b, "b", RX_MORPHINE_15);
    build_order(b, "c", RX_LISINOPRIL);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    for (size_t i = 0; i < OW_RULE_N; i++)
        b->policy.rules[i].mode = OW_MODE_OFF;
    v = build_judge(b);
    assert_int_equal(v->n_findings, 0);
    assert_int_equal(v->n_cards, 0);
    assert_true(v->at_least);
}

static void every_unreadable_order_has_its_own_cause(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;
    unsigned n = 0;

    (void)state;
    build_order(b, "a", RX_MORPHINE_15);
    build_order(b, "b", RX_OXYCODONE_5);
    v = build_judge(b);
    for (size_t i = 0; i < v->n_findings; i++)
        if (ow_streq(v->findings[i].rule, "unreadable-dose")) {
            assert_string_equal(v->findings[i].cause,
                                n == 0 ? "MedicationRequest/a" : "MedicationRequest/b");
            assert_int_equal(v->findings[i].tier, OW_TIER_WARNING);
            n++;
        }
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dose_reaches_its_thresholds_exactly),
        cmocka_unit_test(fifty_from_two_orders_is_fifty),
        cmocka_unit_test(short_orders_weigh_one_tier_less_but_never_hide_long_ones),
        cmocka_unit_test(at_least_is_said_when_something_is_missing),
        cmocka_unit_test(what_could_not_be_had_is_a_finding_when_it_may_matter),
        cmocka_unit_test(the_finding_names_what_could_not_be_had),
        cmocka_unit_test(at_least_reads_well_beside_a_sedative),
        cmocka_unit_test(sedatives_beside_an_opioid),
        cmocka_unit_test(days_together_count_from_now_to_the_horizon),
        cmocka_unit_test(days_are_counted_once_under_several_opioids),
        cmocka_unit_test(an_old_sedative_order_that_was_renewed_is_one_sedative),
        cmocka_unit_test(a_sedative_known_by_its_name_only_still_warns),
        cmocka_unit_test(sleep_apnoea_makes_a_sedative_critical),
        cmocka_unit_test(rules_of_adults_are_held_back_under_eighteen),
        cmocka_unit_test(a_leap_day_birthday_comes_on_the_first_of_march),
        cmocka_unit_test(a_hook_speaks_only_of_what_is_being_ordered),
        cmocka_unit_test(unselected_drafts_are_still_part_of_the_sum),
        cmocka_unit_test(a_rule_that_is_switched_off_finds_nothing),
        cmocka_unit_test(every_unreadable_order_has_its_own_cause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
