/*
 * Rules of care, screens and risks: each fires, does not one step below its edge, is held
 * back by the exclusions it has and names their resource, and says nothing where nobody
 * looked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

/* asked at 2026-03-02T08:00:00Z, in UTC: day 0 is 2026-03-02 */
#define DAY_1   "2026-03-01"
#define DAY_90  "2025-12-02"
#define DAY_91  "2025-12-01"
#define DAY_365 "2025-03-02"
#define DAY_366 "2025-03-01"
#define DAY_731 "2024-03-01"

#define RX_NALOXONE    "1725059"
#define RX_NALTREXONE  "1483744"
#define RX_TRAMADOL_50 "835603"
#define RX_TRIAZOLAM   "198317"
#define ICD            OW_SYSTEM_ICD10
#define SCT            OW_SYSTEM_SNOMED
#define LOINC          OW_SYSTEM_LOINC

static struct ow_record *record(struct build *b, const char *type, const char *id,
                                const char *system, const char *code, const char *day)
{
    struct ow_record *all = OW_NEW_N(&b->arena, struct ow_record, b->chart.n_records + 1);
    struct ow_record *r = &all[b->chart.n_records];

    if (b->chart.n_records > 0)
        memcpy(all, b->chart.records, b->chart.n_records * sizeof *all);
    *r = (struct ow_record){ .type = type };
    r->reference = ow_arena_printf(&b->arena, "%s/%s", type, id);
    r->code = build_concept(b, system, code, NULL);
    r->status = ow_streq(type, "Condition")     ? "active"
                : ow_streq(type, "Observation") ? "final"
                                                : "completed";
    if (day != NULL) {
        r->has_when = true;
        r->when = build_time(day);
    }
    b->chart.records = all;
    b->chart.n_records++;
    return r;
}

static struct ow_order *opioid(struct build *b, const char *rx, int per_day, int days)
{
    struct ow_order *o = build_order(b, "rx1", rx);

    build_dose(b, o, "1", "tablet", per_day);
    build_supply(o, ow_arena_printf(&b->arena, "%d", per_day * days), days);
    return o;
}

static void begin(struct build *b, const char *rule)
{
    build_init(b);
    build_rules(b, &rule, 1);
    b->chart.patient.has_birth = true;
    b->chart.patient.birth = build_time("1980-05-05");
}

static bool fires(struct build *b, const char *rule)
{
    return build_finding(build_judge(b), rule) != NULL;
}

static const struct ow_suppression *held(const struct ow_verdict *v, const char *by)
{
    for (size_t i = 0; i < v->n_suppressed; i++)
        if (ow_streq(v->suppressed[i].by, by))
            return &v->suppressed[i];
    return NULL;
}

static bool noted(const struct ow_verdict *v, const char *words)
{
    for (size_t i = 0; i < v->n_notes; i++)
        if (strstr(v->notes[i], words) != NULL)
            return true;
    return false;
}

/* ---- what is due: by rule, the event that settles it, and its last day ---- */

static const struct due {
    const char *rule, *key_2022, *key_2016;
    int days; /* supply of the order that asks for it */
    const char *type, *system, *code, *within, *before;
    unsigned kinds;
} dues[] = {
    {"pdmp-due",         "CDC-2022-R9",  "CDC-2016-R9",  30, "Procedure",   SCT,   "461621000124108",
     DAY_90,                                                                                                   DAY_91,  OW_KIND_PROCEDURE  },
    { "uds-due",         "CDC-2022-R10", "CDC-2016-R10", 30, "Observation", LOINC, "3397-7",
     DAY_365,                                                                                                  DAY_366, OW_KIND_OBSERVATION},
    { "risk-discussion", "site-policy",  "CDC-2016-R3",  30, "Procedure",   SCT,
     "460831000124102",                                                                               DAY_90,  DAY_91,  OW_KIND_PROCEDURE  },
    { "treatment-goals", "CDC-2022-R2",  "CDC-2016-R2",  30, "Procedure",   SCT,   "408957008",
     DAY_90,                                                                                                   DAY_91,  OW_KIND_CARE_PLAN  },
    { "agreement-due",   "site-policy",  "site-policy",  90, "Procedure",
     "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",                    "G9578",           DAY_365,
     DAY_366,                                                                                                           OW_KIND_CONSENT    },
};

static void what_is_due_ends_with_the_day_it_was_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(dues); i++) {
        const struct due *d = &dues[i];
        const struct ow_finding *f;
        struct ow_record *r;
        struct build b;

        begin(&b, d->rule);
        opioid(&b, RX_OXYCODONE_5, 4, d->days)->authored = build_time("2026-03-02");
        f = build_finding(build_judge(&b), d->rule);
        if (f == NULL)
            fail_msg("%s does not fire", d->rule);
        assert_int_equal(f->tier, OW_TIER_INFO);
        assert_string_equal(f->sources[0], d->key_2022);
        assert_string_equal(f->evidence[0], "MedicationRequest/rx1");
        r = record(&b, d->type, "r", d->system, d->code, d->before);
        assert_true(fires(&b, d->rule));
        r->when = build_time(d->within);
        if (fires(&b, d->rule))
            fail_msg("%s fires though done on %s", d->rule, d->within);
        build_done(&b);
    }
}

static void the_other_edition_has_its_own_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(dues); i++) {
        struct build b;

        begin(&b, dues[i].rule);
        build_preset(&b, "cdc-2016");
        build_rules(&b, &dues[i].rule, 1);
        opioid(&b, RX_OXYCODONE_5, 4, dues[i].days)->authored = build_time("2026-03-02");
        assert_string_equal(build_finding(build_judge(&b), dues[i].rule)->sources[0],
                            dues[i].key_2016);
        build_done(&b);
    }
}

static void what_nobody_looked_for_is_not_due_but_noted(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(dues); i++) {
        const struct ow_verdict *v;
        struct build b;

        begin(&b, dues[i].rule);
        opioid(&b, RX_OXYCODONE_5, 4, dues[i].days)->authored = build_time("2026-03-02");
        b.chart.not_asked = dues[i].kinds;
        v = build_judge(&b);
        assert_null(build_finding(v, dues[i].rule));
        assert_true(noted(v, dues[i].rule));
        build_done(&b);
    }
}

static void nothing_is_due_without_an_opioid(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(dues); i++) {
        struct build b;
        struct ow_order *o;

        begin(&b, dues[i].rule);
        o = opioid(&b, RX_LORAZEPAM_1, 4, dues[i].days);
        assert_false(fires(&b, dues[i].rule));
        build_draft(&b, o); /* a draft that is none, beside an opioid in force */
        o = build_order(&b, "rx2", RX_OXYCODONE_5);
        build_dose(&b, o, "1", "tablet", 4);
        build_supply(o, "360", 90);
        assert_false(fires(&b, dues[i].rule));
        build_done(&b);
    }
}

static void acute_orders_ask_for_the_programme_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(dues); i++) {
        struct build b;
        struct ow_order *o;

        begin(&b, dues[i].rule);
        o = opioid(&b, RX_OXYCODONE_5, 4, 27);
        o->authored = build_time("2026-03-02");
        assert_int_equal(fires(&b, dues[i].rule), i == 0);
        build_supply(o, "112", 28);
        assert_int_equal(fires(&b, dues[i].rule),
                         !ow_streq(dues[i].rule, "agreement-due"));
        o->categories = OW_CATEGORY_INPATIENT;
        assert_false(fires(&b, dues[i].rule));
        build_done(&b);
    }
}

/* ---- exclusions ---- */

static void exclusions_hold_back_and_name_their_resource(void **state)
{
    static const struct {
        const char *by, *type, *system, *code;
    } cases[] = {
        {"exclusion:active-cancer-treatment", "Condition",      ICD, "C50.911"  },
        { "exclusion:end-of-life",            "Condition",      SCT, "300936002"},
        { "exclusion:end-of-life",            "Procedure",      SCT, "305336008"},
        { "exclusion:palliative-care",        "ServiceRequest", SCT, "103735009"},
        { "exclusion:sickle-cell",            "Condition",      ICD, "D57.1"    },
    };
    static const char *const rules[] = { "pdmp-due",        "uds-due",
                                         "risk-discussion", "treatment-goals",
                                         "naloxone-offer",  "nonopioid-first" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases) * OW_LEN(rules); i++) {
        size_t c = i / OW_LEN(rules);
        const char *rule = rules[i % OW_LEN(rules)];
        const struct ow_suppression *s;
        const struct ow_record *r;
        const struct ow_verdict *v;
        struct build b;

        begin(&b, rule);
        opioid(&b, RX_OXYCODONE_20, 4, 30)->authored = build_time("2026-03-02");
        assert_true(fires(&b, rule));
        r = record(&b, cases[c].type, "why", cases[c].system, cases[c].code, DAY_1);
        v = build_judge(&b);
        assert_null(build_finding(v, rule));
        s = held(v, cases[c].by);
        assert_non_null(s);
        assert_string_equal(s->resource, r->reference);
        build_done(&b);
    }
}

static void under_18_the_rules_for_adults_are_silent(void **state)
{
    const struct ow_verdict *v;
    struct build b;

    (void)state;
    begin(&b, "naloxone-offer");
    opioid(&b, RX_OXYCODONE_20, 4, 30);
    b.chart.patient.birth = build_time("2008-03-02");
    assert_true(fires(&b, "naloxone-offer"));
    b.chart.patient.birth = build_time("2008-03-03");
    v = build_judge(&b);
    assert_null(build_finding(v, "naloxone-offer"));
    assert_string_equal(held(v, "exclusion:age-under-18")->resource, "Patient/p1");
    build_done(&b);
}

/* ---- naloxone-offer ---- */

static void naloxone_is_offered_from_50(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    begin(&b, "naloxone-offer");
    o = build_order(&b, "rx1", RX_MORPHINE_15);
    build_dose(&b, o, "3.33", "tablet", 1); /* 49.95 */
    assert_false(fires(&b, "naloxone-offer"));
    o->n_dosages = 0;
    build_dose(&b, o, "10", "mg", 5);
    assert_true(fires(&b, "naloxone-offer"));
    o = build_order(&b, "rx2", RX_NALOXONE);
    assert_false(fires(&b, "naloxone-offer"));
    o->status = OW_STATUS_COMPLETED;
    o->authored = build_time(DAY_731);
    assert_true(fires(&b, "naloxone-offer"));
    build_done(&b);
}

static void naloxone_is_offered_for_what_raises_the_risk(void **state)
{
    static const struct {
        const char *type, *code, *birth;
        bool fires;
    } cases[] = {
        {"Condition",  "F11.20",    "1980-05-05", true },
        { "Condition", "F14.11",    "1980-05-05", true },
        { "Condition", "G47.33",    "1980-05-05", true },
        { "Condition", "N18.6",     "1961-03-02", true }, /* 65 today */
        { "Condition", "N18.6",     "1961-03-03", false},
        { "Condition", "I10",       "1950-05-05", false},
        { "Procedure", "874903005", "1980-05-05", true },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build b;

        begin(&b, "naloxone-offer");
        opioid(&b, RX_OXYCODONE_5, 1, 30);
        b.chart.patient.birth = build_time(cases[i].birth);
        assert_false(fires(&b, "naloxone-offer"));
        record(&b, cases[i].type, "c", ow_streq(cases[i].type, "Condition") ? ICD : SCT,
               cases[i].code, DAY_1);
        if (fires(&b, "naloxone-offer") != cases[i].fires)
            fail_msg("%s %s", cases[i].code, cases[i].birth);
        build_done(&b);
    }
}

/* ---- nonopioid-first ---- */

static void nonopioid_first_is_for_the_naive(void **state)
{
    struct build b;
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    begin(&b, "nonopioid-first");
    o = opioid(&b, RX_OXYCODONE_5, 4, 27);
    o->authored = build_time("2026-03-02");
    f = build_finding(build_judge(&b), "nonopioid-first");
    assert_string_equal(f->sources[0], "CDC-2022-R1");
    build_supply(o, "112", 28);
    f = build_finding(build_judge(&b), "nonopioid-first");
    assert_string_equal(f->sources[0], "CDC-2022-R2");
    o = build_order(&b, "rx0", RX_OXYCODONE_5);
    o->status = OW_STATUS_STOPPED;
    o->authored = build_time(DAY_91);
    assert_true(fires(&b, "nonopioid-first"));
    o->authored = build_time(DAY_90);
    assert_false(fires(&b, "nonopioid-first"));
    build_done(&b);
}

/* ---- reassess ---- */

static void reassessment_is_due_once_therapy_has_begun(void **state)
{
    struct build b;
    struct ow_order *o;
    struct ow_record *r;

    (void)state;
    begin(&b, "reassess");
    o = opioid(&b, RX_OXYCODONE_5, 4, 30);
    o->authored = build_time("2026-02-24"); /* six days before today */
    assert_false(fires(&b, "reassess"));
    o->authored = build_time("2026-02-23");
    assert_true(fires(&b, "reassess"));
    r = record(&b, "Procedure", "a", SCT, "454281000124100", DAY_91);
    assert_true(fires(&b, "reassess"));
    r->when = build_time(DAY_90);
    assert_false(fires(&b, "reassess"));
    build_done(&b);
}

/* ---- uds-unexpected ---- */

static void screens_are_read_beside_the_orders(void **state)
{
    static const struct {
        const char *test, *text, *system, *code;
        const char *order, *written;
        bool fires;
    } cases[] = {
        {"3397-7",  "Positive",     NULL,  NULL,       NULL,           NULL,         true }, /* cocaine */
        { "3397-7", "pos",          NULL,  NULL,       NULL,           NULL,         true },
        { "3397-7", "Negative",     NULL,  NULL,       NULL,           NULL,         false},
        { "3397-7", "see comment",  NULL,  NULL,       NULL,           NULL,         false},
        { "3397-7", NULL,           SCT,   "10828004", NULL,           NULL,         true },
        { "3397-7", NULL,           LOINC, "LA6577-6", NULL,           NULL,         false},
        { "3390-2", "Positive",     NULL,  NULL,       NULL,           NULL,         true }, /* benzodiazepine */
        { "3390-2", "Positive",     NULL,  NULL,       RX_LORAZEPAM_1, "2026-01-20", false},
        { "3390-2", "Positive",     NULL,  NULL,       RX_LORAZEPAM_1, "2026-01-05", false},
        { "3390-2", "Positive",     NULL,  NULL,       RX_LORAZEPAM_1, "2026-01-04",
         true                                                                             }, /* 32 days */
        { "3390-2", "Positive",     NULL,  NULL,       RX_LORAZEPAM_1, "2026-02-05",
         true                                                                             }, /* that day */
        { "3390-2", "Not detected", NULL,  NULL,       RX_LORAZEPAM_1, "2026-01-20", true },
        { "3390-2", "Not detected", NULL,  NULL,       NULL,           NULL,         false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build b;
        struct ow_record *r;

        begin(&b, "uds-unexpected");
        opioid(&b, RX_OXYCODONE_5, 4, 30);
        if (cases[i].order != NULL) {
            struct ow_order *o = build_order(&b, "rx2", cases[i].order);

            o->authored = build_time(cases[i].written);
        }
        r = record(&b, "Observation", "o", LOINC, cases[i].test, "2026-02-05");
        if (cases[i].code != NULL)
            r->value = build_concept(&b, cases[i].system, cases[i].code, NULL);
        r->value.text = cases[i].text;
        if (fires(&b, "uds-unexpected") != cases[i].fires)
            fail_msg("case %zu", i);
        r->status = "preliminary";
        assert_false(fires(&b, "uds-unexpected"));
        build_done(&b);
    }
}

static void a_screen_counts_for_a_year_and_is_named(void **state)
{
    const struct ow_finding *f;
    struct ow_record *r;
    struct build b;

    (void)state;
    begin(&b, "uds-unexpected");
    opioid(&b, RX_OXYCODONE_5, 4, 30);
    r = record(&b, "Observation", "o", LOINC, "3397-7", DAY_365);
    r->value_quantity = (struct ow_quantity){ .has_value = true,
                                              .value = OW_RATIO(900, 1) };
    assert_false(fires(&b, "uds-unexpected")); /* an amount alone says neither */
    r->more = &r->value;
    r->value = build_concept(
        &b, "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS",
        NULL);
    r->n_more = 1;
    f = build_finding(build_judge(&b), "uds-unexpected");
    assert_non_null(strstr(f->reason, "cocaine positive (2025-03-02)"));
    assert_string_equal(f->evidence[0], "Observation/o");
    assert_int_equal(f->tier, OW_TIER_WARNING);
    r->when = build_time(DAY_366);
    assert_false(fires(&b, "uds-unexpected"));
    build_done(&b);
}

/* ---- opioid use disorder ---- */

/* Refills that no pharmacy gives: neither a crash nor a supply without end. */
static void refills_out_of_range_are_none(void **state)
{
    static const struct {
        int64_t refills;
        bool fires;
    } cases[] = {
        {0,          true },
        { -1,        true }, /* 30 days before the end of the first supply
  */
        { INT64_MIN, true },
        { INT64_MAX, true },
        { 1000,      true },
        { 4,         false}, /* 5 x 30 days reach the sample */
        { 999,       false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o;
        struct ow_record *r;
        struct build b;

        begin(&b, "uds-unexpected");
        opioid(&b, RX_MORPHINE_15, 4, 30);
        o = build_order(&b, "old", RX_OXYCODONE_5);
        build_supply(o, "120", 30);
        o->status = OW_STATUS_COMPLETED;
        o->authored = build_time("2025-10-01");
        o->has_refills = true;
        o->refills = cases[i].refills;
        r = record(&b, "Observation", "u", LOINC, "10998-3", "2026-02-15");
        r->value.text = "positive";
        if (fires(&b, "uds-unexpected") != cases[i].fires)
            fail_msg("case %zu", i);
        build_done(&b);
    }
}

static void a_full_agonist_beside_treatment_is_critical(void **state)
{
    static const struct {
        const char *treatment, *other;
        bool fires;
    } cases[] = {
        {RX_BUPRENORPHINE_8,  RX_OXYCODONE_5,     true },
        { RX_NALTREXONE,      RX_OXYCODONE_5,     true },
        { "1551474",          RX_OXYCODONE_5,     true }, /* with bupropion */
        { RX_NALTREXONE,      RX_METHADONE_10,    true },
        { RX_BUPRENORPHINE_8, RX_BUPRENORPHINE_8, false},
        { RX_BUPRENORPHINE_8, RX_LORAZEPAM_1,     false},
        { RX_NALOXONE,        RX_OXYCODONE_5,     false},
        { RX_METHADONE_10,    RX_OXYCODONE_5,     false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_finding *f;
        struct build b;

        begin(&b, "oud-treatment-conflict");
        build_order(&b, "rx1", cases[i].treatment);
        opioid(&b, cases[i].other, 4, 30)->id = "rx2";
        f = build_finding(build_judge(&b), "oud-treatment-conflict");
        if ((f != NULL) != cases[i].fires)
            fail_msg("%s %s", cases[i].treatment, cases[i].other);
        if (f != NULL)
            assert_int_equal(f->tier, OW_TIER_CRITICAL);
        record(&b, "Condition", "c", SCT, "300936002", NULL); /* no exclusion holds it */
        assert_int_equal(fires(&b, "oud-treatment-conflict"), cases[i].fires);
        build_done(&b);
    }
}

/* Of the mixed kind: neither blocked nor thrown out as a full agonist is. */
static void a_mixed_agonist_beside_treatment_is_no_conflict(void **state)
{
    struct build b;

    (void)state;
    begin(&b, "oud-treatment-conflict");
    build_order(&b, "t", RX_BUPRENORPHINE_8);
    build_order(&b, "m", "886622"); /* butorphanol */
    assert_false(fires(&b, "oud-treatment-conflict"));
    build_order(&b, "f", RX_MORPHINE_15);
    assert_true(fires(&b, "oud-treatment-conflict"));
    build_done(&b);
}

static void treatment_that_is_over_conflicts_with_nothing(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    begin(&b, "oud-treatment-conflict");
    o = build_order(&b, "rx1", RX_BUPRENORPHINE_8);
    opioid(&b, RX_OXYCODONE_5, 4, 30)->id = "rx2";
    assert_true(fires(&b, "oud-treatment-conflict"));
    o->status = OW_STATUS_STOPPED;
    assert_false(fires(&b, "oud-treatment-conflict"));
    build_done(&b);
}

static void a_use_disorder_of_90_days_without_treatment_is_told(void **state)
{
    struct build b;
    struct ow_record *r;
    struct ow_order *o;

    (void)state;
    begin(&b, "opioid-use-disorder");
    r = record(&b, "Condition", "c", ICD, "F11.20", NULL);
    r->has_recorded = true;
    r->recorded_of = "recordedDate";
    r->recorded = build_time(DAY_90);
    assert_true(fires(&b, "opioid-use-disorder"));
    r->recorded = build_time(DAY_91);
    assert_false(fires(&b, "opioid-use-disorder"));
    r->recorded = build_time(DAY_1);
    r->recorded_of = "lastUpdated"; /* when a server wrote it */
    assert_false(fires(&b, "opioid-use-disorder"));
    r->recorded_of = "recordedDate";
    o = build_order(&b, "rx1", RX_BUPRENORPHINE_8);
    assert_false(fires(&b, "opioid-use-disorder"));
    o->status = OW_STATUS_COMPLETED;
    o->authored = build_time(DAY_91);
    assert_true(fires(&b, "opioid-use-disorder"));
    r->code = build_concept(&b, ICD, "F11.21", NULL);
    assert_false(fires(&b, "opioid-use-disorder"));
    build_done(&b);
}

/* ---- pregnancy, ppact ---- */

static void an_opioid_in_pregnancy_is_told_with_words_for_treatment(void **state)
{
    struct build b;
    const struct ow_finding *f;

    (void)state;
    begin(&b, "pregnancy");
    build_order(&b, "rx1", RX_BUPRENORPHINE_8);
    assert_false(fires(&b, "pregnancy"));
    record(&b, "Condition", "c", ICD, "Z33.1", "2026-01-01");
    f = build_finding(build_judge(&b), "pregnancy");
    assert_int_equal(f->tier, OW_TIER_WARNING);
    assert_non_null(strstr(f->reason, "treatment"));
    assert_string_equal(f->evidence[1], "Condition/c");
    build_done(&b);
}

static void ppact_lists_from_120_or_with_a_benzodiazepine(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    begin(&b, "ppact-priority");
    o = opioid(&b, RX_MORPHINE_15, 8, 90); /* 120 */
    assert_true(fires(&b, "ppact-priority"));
    o->n_dosages = 0;
    build_dose(&b, o, "119.9", "mg", 1);
    assert_false(fires(&b, "ppact-priority"));
    o->n_dosages = 0;
    build_dose(&b, o, "40", "mg", 1);
    build_dose(&b, build_order(&b, "rx2", RX_LORAZEPAM_1), "1", "tablet", 1);
    assert_true(fires(&b, "ppact-priority"));
    build_supply(o, "89", 89); /* no long-term therapy */
    assert_false(fires(&b, "ppact-priority"));
    build_done(&b);
}

/* ---- children ---- */

static void ppact_counts_visits_of_a_year_when_told_to(void **state)
{
    static const struct {
        const char *cls, *status, *day;
        bool counts;
    } cases[] = {
        {"AMB",    "finished",         DAY_365,      true },
        { "AMB",   "finished",         DAY_366,      false},
        { "AMB",   "in-progress",      "2026-03-02", true },
        { "AMB",   "planned",          "2026-03-01", false},
        { "AMB",   "cancelled",        "2026-03-01", false},
        { "AMB",   "entered-in-error", "2026-03-01", false},
        { "AMB",   "finished",         "2026-03-03", false},
        { "AMB",   "finished",         NULL,         false},
        { "IMP",   "finished",         "2026-03-01", false},
        { "ACUTE", "finished",         "2026-03-01", false},
        { "NONAC", "finished",         "2026-03-01", false},
        { NULL,    "finished",         "2026-03-01", true },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_concept cls;
        struct ow_record *r;
        struct build b;

        begin(&b, "ppact-priority");
        opioid(&b, RX_OXYCODONE_5, 4, 90);
        r = record(&b, "Encounter", "e", SCT, "185463005", cases[i].day);
        r->status = cases[i].status;
        if (cases[i].cls != NULL) {
            cls = build_concept(&b, "urn:class", cases[i].cls, NULL);
            r->categories = &cls;
            r->n_categories = 1;
        }
        assert_false(fires(&b, "ppact-priority")); /* not counted by default */
        b.policy.params[OW_PARAM_PPACT_VISITS] = build_ratio("1");
        if (fires(&b, "ppact-priority") != cases[i].counts)
            fail_msg("case %zu", i);
        b.policy.params[OW_PARAM_PPACT_VISITS] = build_ratio("2");
        assert_false(fires(&b, "ppact-priority"));
        build_done(&b);
    }
}

static void codeine_and_tramadol_are_told_by_age_and_condition(void **state)
{
    static const struct {
        const char *rx, *birth, *type, *system, *code, *day;
        int tier; /* -1: nothing */
    } cases[] = {
        {RX_TRAMADOL_50,   "2014-03-03", NULL,        NULL, NULL,        NULL,
         OW_TIER_CRITICAL                                                                        }, /* 11 */
        { RX_CODEINE_SOMA, "2014-03-03", NULL,        NULL, NULL,        NULL,   OW_TIER_CRITICAL},
        { RX_TRAMADOL_50,  "2014-03-02", NULL,        NULL, NULL,        NULL,   -1              }, /* 12 */
        { RX_OXYCODONE_5,  "2014-03-03", NULL,        NULL, NULL,        NULL,   -1              },
        { RX_TRAMADOL_50,  "2010-03-02", "Procedure", SCT,  "173422009", DAY_90,
         OW_TIER_CRITICAL                                                                        },
        { RX_TRAMADOL_50,  "2010-03-02", "Procedure", SCT,  "173422009", DAY_91, -1              },
        { RX_TRAMADOL_50,  "2010-03-02", "Condition", ICD,  "E66.01",    NULL,
         OW_TIER_WARNING                                                                         },
        { RX_TRAMADOL_50,  "2010-03-02", "Condition", ICD,  "G47.33",    NULL,
         OW_TIER_WARNING                                                                         },
        { RX_TRAMADOL_50,  "2010-03-02", "Condition", ICD,  "E84.0",     NULL,
         OW_TIER_WARNING                                                                         },
        { RX_TRAMADOL_50,  "2008-03-03", "Condition", ICD,  "E66.01",    NULL,
         OW_TIER_WARNING                                                                         }, /* 17 */
        { RX_TRAMADOL_50,  "2008-03-02", "Condition", ICD,  "E66.01",    NULL,   -1              }, /* 18 */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_finding *f;
        struct build b;

        begin(&b, "paediatric-contraindicated");
        b.chart.patient.birth = build_time(cases[i].birth);
        build_order(&b, "rx1", cases[i].rx);
        if (cases[i].type != NULL)
            record(&b, cases[i].type, "why", cases[i].system, cases[i].code,
                   cases[i].day);
        f = build_finding(build_judge(&b), "paediatric-contraindicated");
        if ((f != NULL ? (int)f->tier : -1) != cases[i].tier)
            fail_msg("case %zu", i);
        build_done(&b);
    }
}

/* Told once for each drug, however many orders stand between. */
static void a_child_is_told_once_of_each_drug(void **state)
{
    static const char *const rx[] = { "993837", RX_TRAMADOL_50, "993837",
                                      RX_TRAMADOL_50 };
    const struct ow_verdict *v;
    struct build b;

    (void)state;
    begin(&b, "paediatric-contraindicated");
    b.chart.patient.birth = build_time("2018-03-02");
    for (size_t i = 0; i < OW_LEN(rx); i++)
        build_order(&b, ow_arena_printf(&b.arena, "rx%zu", i), rx[i]);
    v = build_judge(&b);
    assert_int_equal(v->n_findings, 2);
    assert_string_equal(v->findings[0].cause, "Codeine");
    assert_string_equal(v->findings[1].cause, "Tramadol");
    build_done(&b);
}

static void an_unknown_age_says_nothing_of_children(void **state)
{
    struct build b;

    (void)state;
    begin(&b, "paediatric-contraindicated");
    b.chart.patient.has_birth = false;
    build_order(&b, "rx1", RX_TRAMADOL_50);
    assert_false(fires(&b, "paediatric-contraindicated"));
    build_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_ends_with_the_day_it_was_done),
        cmocka_unit_test(the_other_edition_has_its_own_keys),
        cmocka_unit_test(what_nobody_looked_for_is_not_due_but_noted),
        cmocka_unit_test(nothing_is_due_without_an_opioid),
        cmocka_unit_test(acute_orders_ask_for_the_programme_only),
        cmocka_unit_test(exclusions_hold_back_and_name_their_resource),
        cmocka_unit_test(under_18_the_rules_for_adults_are_silent),
        cmocka_unit_test(naloxone_is_offered_from_50),
        cmocka_unit_test(naloxone_is_offered_for_what_raises_the_risk),
        cmocka_unit_test(nonopioid_first_is_for_the_naive),
        cmocka_unit_test(reassessment_is_due_once_therapy_has_begun),
        cmocka_unit_test(screens_are_read_beside_the_orders),
        cmocka_unit_test(a_screen_counts_for_a_year_and_is_named),
        cmocka_unit_test(refills_out_of_range_are_none),
        cmocka_unit_test(a_full_agonist_beside_treatment_is_critical),
        cmocka_unit_test(a_mixed_agonist_beside_treatment_is_no_conflict),
        cmocka_unit_test(treatment_that_is_over_conflicts_with_nothing),
        cmocka_unit_test(a_use_disorder_of_90_days_without_treatment_is_told),
        cmocka_unit_test(an_opioid_in_pregnancy_is_told_with_words_for_treatment),
        cmocka_unit_test(ppact_lists_from_120_or_with_a_benzodiazepine),
        cmocka_unit_test(ppact_counts_visits_of_a_year_when_told_to),
        cmocka_unit_test(codeine_and_tramadol_are_told_by_age_and_condition),
        cmocka_unit_test(a_child_is_told_once_of_each_drug),
        cmocka_unit_test(an_unknown_age_says_nothing_of_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
