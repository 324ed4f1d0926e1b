/*
 * The facts of a chart: each is true, one day outside its window it is not, and where
 * nobody looked it is undecided.
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
#define DAY_0   "2026-03-02"
#define DAY_1   "2026-03-01"
#define DAY_90  "2025-12-02"
#define DAY_91  "2025-12-01"
#define DAY_365 "2025-03-02"
#define DAY_366 "2025-03-01"
#define DAY_730 "2024-03-02"
#define DAY_731 "2024-03-01"
#define DAY_294 "2025-05-12"
#define DAY_295 "2025-05-11"

struct one { /* a record that decides a fact */
    const char *fact, *type, *status, *system, *code, *day;
    bool more, by_value, recorded;
    int value; /* expected */
};

static struct ow_record *add(struct build *b, const char *type, const char *id)
{
    struct ow_record *all = OW_NEW_N(&b->arena, struct ow_record, b->chart.n_records + 1);
    struct ow_record *r = &all[b->chart.n_records];

    if (b->chart.n_records > 0)
        memcpy(all, b->chart.records, b->chart.n_records * sizeof *all);
    *r = (struct ow_record){ .type = type };
    r->reference = ow_arena_printf(&b->arena, "%s/%s", type, id);
    b->chart.records = all;
    b->chart.n_records++;
    return r;
}

static struct ow_record *coded(struct build *b, const char *type, const char *id,
                               const char *system, const char *code)
{
    struct ow_record *r = add(b, type, id);

    r->code = build_concept(b, system, code, NULL);
    return r;
}

static void dated(struct ow_record *r, const char *day)
{
    r->has_when = true;
    r->when = build_time(day);
}

static const struct ow_concept *concept_new(struct build *b, const char *system,
                                            const char *code, const char *display)
{
    struct ow_concept *c = OW_NEW(&b->arena, struct ow_concept);

    *c = build_concept(b, system, code, display);
    return c;
}

static const struct ow_fact *fact(const struct ow_verdict *v, const char *name)
{
    for (size_t i = 0; i < v->n_facts; i++)
        if (ow_streq(v->facts[i].name, name))
            return &v->facts[i];
    fail_msg("no fact %s", name);
    return NULL;
}

static int value_of(struct build *b, const char *name)
{
    return fact(build_judge(b), name)->value;
}

#define ICD   OW_SYSTEM_ICD10
#define SCT   OW_SYSTEM_SNOMED
#define LOINC OW_SYSTEM_LOINC

static const struct one ones[] = {
  /* conditions by what they are */
    {"end-of-life-condition",          "Condition",      "active",                        SCT,                              "300936002",                                                               NULL,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "end-of-life-condition",         "Condition",      "resolved",                      SCT,                              "300936002",                                                               NULL,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "sickle-cell",                   "Condition",      "active",                        ICD,                              "D57.1",                                                                   NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "sickle-cell",                   "Condition",      "inactive",                      ICD,                              "D57.20",                                                                  NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "sickle-cell",                   "Condition",      "active",                        ICD,                              "D57.3",                                                                   NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "opioid-use-disorder",           "Condition",      "active",                        ICD,                              "F11.20",                                                                  NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "opioid-use-disorder",           "Condition",      "remission",                     ICD,                              "F11.20",                                                                  NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "opioid-use-disorder",           "Condition",      "active",                        ICD,                              "F11.21",                                                                  NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "opioid-use-disorder",           "Condition",      "active",                        ICD,                              "F11.11",                                                                  NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "opioid-use-disorder",           "Condition",      "active",                        SCT,                              "295174006",                                                               NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "opioid-overdose",               "Condition",      "resolved",                      SCT,                              "295174006",                                                               NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "opioid-overdose",               "Condition",      "active",                        ICD,                              "F11.20",                                                                  NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "substance-misuse",              "Condition",      "resolved",                      ICD,                              "F14.11",                                                                  NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "substance-misuse",              "Procedure",      "completed",                     SCT,                              "60112009",                                                                NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "substance-misuse",              "Procedure",      "not-done",                      SCT,                              "60112009",                                                                NULL,                                                                                                                                                          .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "sleep-disordered-breathing",    "Condition",      "active",                        ICD,                              "G47.33",                                                                  NULL,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "sleep-disordered-breathing",    "Condition",      "resolved",                      ICD,                              "G47.33",                                                                  NULL,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "renal-or-hepatic-disease",      "Condition",      "active",                        ICD,                              "N18.6",                                                                   NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "obesity",                       "Condition",      "active",                        ICD,                              "E66.01",                                                                  NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "severe-lung-disease",           "Condition",      "active",                        ICD,                              "E84.0",                                                                   NULL,                                                                                                                                                          .value = 1                                                                                                                                                                                                                                                                                                                            },
    { "active-cancer-treatment",       "Condition",      "active",                        ICD,                              "C50.911",                                                                 NULL,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "active-cancer-treatment",       "Condition",      "resolved",                      ICD,                              "C50.911",                                                                 NULL,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
 /* windows, to the day */
    { "pdmp-review-90-days",           "Procedure",      "completed",                     SCT,                              "461621000124108",                                                         DAY_90,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "pdmp-review-90-days",           "Procedure",      "completed",                     SCT,                              "461621000124108",                                                         DAY_91,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "pdmp-review-90-days",           "Procedure",      "completed",                     SCT,                              "461621000124108",                                                         DAY_0,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "pdmp-review-90-days",           "Procedure",      "completed",                     SCT,                              "461621000124108",
     "2026-03-03",                                                                                                                                                                                                                                                                                                                                                    .value = 0                                                                                                                                                                                                                                                                                                                            },
    { "pdmp-review-90-days",           "Procedure",      "not-done",                      SCT,                              "461621000124108",                                                         DAY_1,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "pdmp-review-90-days",           "Observation",    "final",                         SCT,                              "461651000124104",                                                         DAY_90,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "pdmp-review-90-days",           "Observation",    "cancelled",                     SCT,                              "461651000124104",                                                         DAY_90,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "drug-screen-12-months",         "Observation",    "final",                         LOINC,                            "3397-7",                                                                  DAY_365,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "drug-screen-12-months",         "Observation",    "final",                         LOINC,                            "3397-7",                                                                  DAY_366,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "drug-screen-12-months",         "Observation",    "final",                         LOINC,                            "4548-4",                                                                  DAY_1,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    { "palliative-care-order-90-days", "ServiceRequest", "active",                        SCT,                              "103735009",
     DAY_90,                                                                                                                                                                                                                                                                                                                                                          .recorded = true,                                                                                                                                                                                                                                                                                                                       .value = 1 },
    { "palliative-care-order-90-days",                               "ServiceRequest",                "active", SCT,          "103735009",
     DAY_91,                                                                                                                                                                                                                         .recorded = true,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  .value = 0 },
    { "palliative-care-order-90-days",                      "ServiceRequest",                                     "revoked",                                     SCT,                                "103735009",
     DAY_1,                                                                                                                                                                                  .recorded = true,.value = 0 },
    { "hospice",                "Condition",                      "active",                                                    SCT,                                                                           "170935008",                                                                                                                          NULL,                                                                         .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            },
    { "hospice",                            "Condition",                                  "resolved",                                                                SCT,                                                                                       "170935008", NULL,                                           .value = 0},
    { "hospice",                            "Procedure",                                  "completed",                                                                SCT,                                                                                       "305336008",                                                                                                                          DAY_365,                                                                                                                                                                                                 .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  },
    { "hospice",                         "Procedure",                               "completed",                                                             SCT,                                                                                    "305336008", DAY_366,.value = 0},
    { "hospice",                         "ServiceRequest",                               "active",                                                             SCT,                                                                                    "306205009",                                                                                                                     DAY_1,                                                                                                                                                                                                                                                                                                                        .recorded = true,
     .value = 1 },
    { "hospice",                           "Encounter",                           "finished",                                                                          SCT,                                                                                                         "385763009",                                                                                                                                                                         DAY_365,                                                                                                                                                                                                                                                                                                 .more = true,
     .value = 1 },
    { "hospice",                     "Encounter",                              "finished",                                                 SCT,                                                                                                            "385763009",                                                                                                                                                                                    DAY_366,                                                                                                                                                                                                                                                                                                                                        .more = true,
     .value = 0 },
    { "hospice",                             "Encounter",                                  "cancelled",          SCT,"385763009",                                                                                                                                                                                       DAY_1,                                                                                                                                                                                                                                                                                                                                                   .more = true,
     .value = 0 },
    { "hospice",                     "Encounter", "finished",
     "http://terminology.hl7.org/CodeSystem/discharge-disposition",                                                                                                                     "hosp",DAY_1,
     .more = true,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           .value = 1 },
    { "lost-tolerance", "Procedure",       "completed",                       SCT,"874903005",      DAY_730,                                                                                                                                                                                                                                                                                                                                                    .value = 1},
    { "lost-tolerance",                "Procedure",                     "completed",                                   SCT,                                          "874903005",                                                                                                                                                                            DAY_731,                                                                                                                                                                                                                                                                                                                             .value = 0                                                                                                                                                                                                                                                                                                     },
    { "lost-tolerance",                "Condition",      "active",      ICD, "Z65.2",                      DAY_365, .value = 1},
    { "lost-tolerance",                "Condition",      "active",                        ICD,                                                "Z65.2",                                                                                                                  DAY_366,                                                                                                                                                                                                                                                   .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              },
    { "pregnancy",                "Condition",      "active",                        ICD,                              "Z33.1",                                                 DAY_294,                                                                                      .value = 1                                                                                                                                                               },
    { "pregnancy",                     "Condition",           "active",                             ICD,                                   "Z33.1",                                                                        DAY_295,                                                                                                                                                                              .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                    },
    { "pregnancy",                     "Condition",      "resolved",                   ICD,                    "Z33.1",                                                    DAY_1,                                                                                                                                   .value = 0                                                                                                                                                                                                                                                                                 },
    { "pregnancy",                     "Observation",      "final",                      LOINC,                                 "82810-3",                                                                                DAY_294,                                                                                                                                                                                     .by_value = true,
     .value = 1 },
    { "pregnancy",                     "Observation",    "final",                       LOINC,                             "82810-3",                                                             DAY_295,                                                                                                                                    .by_value = true,
     .value = 0 },
    { "agreement-12-months",                               "Procedure",                                    "completed",
     "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",                                                        "G9578",                                                                                                      DAY_365,
     .value = 1                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                },
    { "agreement-12-months",                       "Procedure",                                      "completed",
     "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",                                       "G9578",                                                                  DAY_366,
     .value = 0                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              },
};

static struct ow_record *add_one(struct build *b, const struct one *o)
{
    struct ow_record *r;

    if (o->more) {
        r = add(b, o->type, "r");
        r->more = concept_new(b, o->system, o->code, NULL);
        r->n_more = 1;
    } else {
        r = coded(b, o->type, "r", o->system, o->code);
    }
    r->status = o->status;
    if (o->by_value)
        r->value = build_concept(b, SCT, "77386006", NULL);
    if (o->day != NULL && o->recorded) {
        r->has_recorded = true;
        r->recorded_of = "authoredOn";
        r->recorded = build_time(o->day);
    } else if (o->day != NULL) {
        dated(r, o->day);
    }
    return r;
}

static void a_record_decides_a_fact_and_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(ones); i++) {
        struct build b;
        const struct ow_fact *f;
        const struct ow_record *r;

        build_init(&b);
        r = add_one(&b, &ones[i]);
        f = fact(build_judge(&b), ones[i].fact);
        if (f->value != ones[i].value)
            fail_msg("%s by %s %s %s: %d", ones[i].fact, ones[i].type, ones[i].code,
                     ones[i].day != NULL ? ones[i].day : "-", f->value);
        if (ones[i].value == 1)
            assert_string_equal(f->evidence[0], r->reference);
        build_done(&b);
    }
}

/* What is there counts; what is not there says nothing when nobody looked. */
static void what_nobody_looked_for_is_undecided(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(ones); i++) {
        struct build b;

        build_init(&b);
        b.chart.not_asked = ~0u;
        assert_int_equal(value_of(&b, ones[i].fact), -1);
        add_one(&b, &ones[i]);
        assert_int_equal(value_of(&b, ones[i].fact), ones[i].value == 1 ? 1 : -1);
        build_done(&b);
    }
}

static void a_refuted_condition_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(ones); i++) {
        struct build b;

        if (!ow_streq(ones[i].type, "Condition"))
            continue;
        build_init(&b);
        add_one(&b, &ones[i])->verification = i % 2 ? "refuted" : "entered-in-error";
        assert_int_equal(value_of(&b, ones[i].fact), 0);
        build_done(&b);
    }
}

/* A Period counts by its end, one without end by its start. */
static void both_forms_of_date_count(void **state)
{
    struct build b;
    struct ow_record *r;

    (void)state;
    build_init(&b);
    r = coded(&b, "Procedure", "p", SCT, "461621000124108");
    r->status = "completed";
    r->has_when = true;
    r->when = (struct ow_span){ build_time("2025-11-01").from, build_time(DAY_90).until };
    assert_int_equal(value_of(&b, "pdmp-review-90-days"), 1);
    r->when.until = build_time(DAY_91).until;
    assert_int_equal(value_of(&b, "pdmp-review-90-days"), 0);
    r->when.until = OW_TIME_MAX;
    assert_int_equal(value_of(&b, "pdmp-review-90-days"), 0);
    r->when.from = build_time(DAY_90).from;
    assert_int_equal(value_of(&b, "pdmp-review-90-days"), 1);
    r->has_when = false; /* done, and nobody says when */
    assert_int_equal(value_of(&b, "pdmp-review-90-days"), 1);
    build_done(&b);
}

/* ---- cancer ---- */

static void cancer_case(const char *first, const char *second, int link, int expected)
{
    struct build b;
    struct ow_record *c, *e;
    const char *days[] = { first, second };

    build_init(&b);
    c = coded(&b, "Condition", "c", ICD, "C50.911");
    c->status = "active";
    c->categories =
        concept_new(&b, "http://terminology.hl7.org/CodeSystem/condition-category",
                    "encounter-diagnosis", NULL);
    c->n_categories = 1;
    if (link == 0) { /* the Condition names its encounters */
        static const char *const both[] = { "Encounter/e0", "Encounter/e1" };

        c->links = both;
        c->n_links = 2;
    }
    for (int i = 0; i < 2; i++) {
        static const char *const condition[] = { "Condition/c" };

        e = add(&b, "Encounter", i == 0 ? "e0" : "e1");
        e->status = "finished";
        dated(e, days[i]);
        if (link == 1) {
            e->links = condition;
            e->n_links = 1;
        } else if (link == 2) {
            e->more = concept_new(&b, "http://nucc.org/provider-taxonomy", "207RX0202X",
                                  NULL);
            e->n_more = 1;
        }
    }
    assert_int_equal(value_of(&b, "active-cancer-treatment"), expected);
    assert_int_equal(value_of(&b, "two-cancer-encounters-12-months"), expected);
    build_done(&b);
}

static void two_visits_for_cancer_in_a_year_are_treatment(void **state)
{
    (void)state;
    for (int link = 0; link < 3; link++) {
        cancer_case(DAY_1, DAY_365, link, 1);
        cancer_case(DAY_1, DAY_366, link, 0);
        cancer_case(DAY_0, DAY_365, link, 0); /* today's is not one of them */
    }
    cancer_case(DAY_1, DAY_365, 3, 0); /* visits for something else */
}

/* ---- pregnancy ---- */

static void a_birth_or_a_no_after_it_ends_a_pregnancy(void **state)
{
    struct build b;
    struct ow_record *r;

    (void)state;
    build_init(&b);
    r = coded(&b, "Condition", "c", ICD, "Z33.1");
    r->status = "active";
    dated(r, "2025-08-01");
    assert_int_equal(value_of(&b, "pregnancy"), 1);
    r = coded(&b, "Observation", "o", LOINC, "82810-3");
    r->status = "final";
    r->value = build_concept(&b, SCT, "60001007", NULL);
    dated(r, "2025-07-01"); /* before it */
    assert_int_equal(value_of(&b, "pregnancy"), 1);
    dated(r, "2026-02-01");
    assert_int_equal(value_of(&b, "pregnancy"), 0);
    r->status = "entered-in-error";
    assert_int_equal(value_of(&b, "pregnancy"), 1);
    r = coded(&b, "Procedure", "p", SCT, "11466000");
    r->status = "completed";
    dated(r, "2026-02-20");
    assert_int_equal(value_of(&b, "pregnancy"), 0);
    build_done(&b);
}

/* ---- agreements ---- */

static void an_agreement_shows_by_code_or_words(void **state)
{
    struct build b;
    struct ow_record *r;

    (void)state;
    build_init(&b);
    r = add(&b, "DocumentReference", "d");
    r->status = "current";
    r->more = concept_new(&b, "urn:site", "x", "Controlled Substance Agreement");
    r->n_more = 1;
    dated(r, DAY_365);
    assert_int_equal(value_of(&b, "agreement-12-months"), 1);
    dated(r, DAY_366);
    assert_int_equal(value_of(&b, "agreement-12-months"), 0);
    dated(r, DAY_1);
    r->status = "superseded";
    assert_int_equal(value_of(&b, "agreement-12-months"), 0);
    r->status = "current";
    r->more = concept_new(&b, "urn:site", "x", "Agreement to share records");
    assert_int_equal(value_of(&b, "agreement-12-months"), 0);
    r = add(&b, "Consent", "c");
    r->status = "active";
    r->categories = concept_new(&b, "urn:site", "y", "Opioid treatment agreement");
    r->n_categories = 1;
    dated(r, DAY_1);
    assert_int_equal(value_of(&b, "agreement-12-months"), 1);
    build_done(&b);
}

/* ---- orders ---- */

static struct ow_order *past(struct build *b, const char *rx, enum ow_status status,
                             const char *day)
{
    struct ow_order *o = build_order(b, "rx", rx);

    o->status = status;
    o->authored = build_time(day);
    return o;
}

static void an_order_of_day_90_to_yesterday_ends_naivety(void **state)
{
    static const struct {
        enum ow_status status;
        const char *day;
        int naive, order;
    } cases[] = {
        {OW_STATUS_COMPLETED,         DAY_90, 0, 1},
        { OW_STATUS_STOPPED,          DAY_1,  0, 1},
        { OW_STATUS_COMPLETED,        DAY_91, 1, 0},
        { OW_STATUS_COMPLETED,        DAY_0,  1, 0},
        { OW_STATUS_CANCELLED,        DAY_1,  1, 0},
        { OW_STATUS_ENTERED_IN_ERROR, DAY_1,  1, 0},
        { OW_STATUS_ACTIVE,           DAY_0,  1, 0},
        { OW_STATUS_ACTIVE,           DAY_1,  0, 1},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build b;
        const struct ow_verdict *v;

        build_init(&b);
        past(&b, RX_OXYCODONE_5, cases[i].status, cases[i].day);
        v = build_judge(&b);
        assert_int_equal(fact(v, "opioid-naive")->value, cases[i].naive);
        assert_int_equal(fact(v, "opioid-order-90-days")->value, cases[i].order);
        if (cases[i].order)
            assert_string_equal(fact(v, "opioid-naive")->evidence[0],
                                "MedicationRequest/rx");
        build_done(&b);
    }
}

static void a_supply_that_reaches_into_the_window_ends_naivety(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    build_init(&b);
    o = past(&b, RX_OXYCODONE_5, OW_STATUS_COMPLETED, "2025-11-01");
    build_supply(o, "120", 32); /* to 2025-12-02, day 90, exclusive of its end */
    assert_int_equal(value_of(&b, "opioid-naive"), 0);
    build_supply(o, "120", 31);
    assert_int_equal(value_of(&b, "opioid-naive"), 1);
    o->has_refills = true;
    o->refills = 1;
    assert_int_equal(value_of(&b, "opioid-naive"), 0);
    o->categories = OW_CATEGORY_INPATIENT;
    assert_int_equal(value_of(&b, "opioid-naive"), 1);
    build_done(&b);
}

static void a_dispense_ends_naivety_and_its_absence_may_be_unknown(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    build_init(&b);
    o = past(&b, RX_OXYCODONE_5, OW_STATUS_COMPLETED, DAY_90);
    o->kind = OW_DISPENSE;
    assert_int_equal(value_of(&b, "opioid-dispense-90-days"), 1);
    assert_int_equal(value_of(&b, "opioid-naive"), 0);
    o->authored = build_time(DAY_91);
    assert_int_equal(value_of(&b, "opioid-dispense-90-days"), 0);
    assert_int_equal(value_of(&b, "opioid-naive"), 1);
    b.chart.not_asked = OW_KIND_DISPENSE;
    assert_int_equal(value_of(&b, "opioid-dispense-90-days"), -1);
    assert_int_equal(value_of(&b, "opioid-naive"), 1); /* by orders */
    b.chart.n_missing = 1;
    b.chart.missing = (const char *const[]){ "medication orders: 503" };
    assert_int_equal(value_of(&b, "opioid-naive"), -1);
    build_done(&b);
}

static void long_therapy_is_21_of_30_days_three_times(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    build_init(&b);
    for (int i = 0; i < 3; i++) {
        static const char *const starts[] = { "2025-12-02", "2026-01-01", "2026-01-31" };

        o = past(&b, RX_OXYCODONE_5, OW_STATUS_COMPLETED, starts[i]);
        o->reference = o->id = ow_arena_printf(&b.arena, "MedicationRequest/rx%d", i);
        build_dose(&b, o, "1", "tablet", 4);
        build_supply(o, "84", 21);
    }
    assert_int_equal(value_of(&b, "chronic-opioid-therapy"), 1);
    build_supply(o, "80", 20);
    assert_int_equal(value_of(&b, "chronic-opioid-therapy"), 0);
    build_done(&b);
}

static void long_therapy_is_an_order_of_90_days(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    build_init(&b);
    o = build_order(&b, "rx", RX_OXYCODONE_5);
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "360", 90);
    assert_int_equal(value_of(&b, "chronic-opioid-therapy"), 1);
    build_supply(o, "356", 89);
    assert_int_equal(value_of(&b, "chronic-opioid-therapy"), 0);
    build_done(&b);
}

static void naloxone_counts_for_two_years_and_not_within_buprenorphine(void **state)
{
    struct build b;
    struct ow_order *o;

    (void)state;
    build_init(&b);
    o = past(&b, "1725059", OW_STATUS_COMPLETED, DAY_730);
    assert_int_equal(value_of(&b, "naloxone-2-years"), 1);
    o->kind = OW_DISPENSE;
    assert_int_equal(value_of(&b, "naloxone-2-years"), 1);
    o->authored = build_time(DAY_731);
    assert_int_equal(value_of(&b, "naloxone-2-years"), 0);
    o->kind = OW_REQUEST;
    o->authored = build_time(DAY_1);
    o->categories = OW_CATEGORY_INPATIENT;
    assert_int_equal(value_of(&b, "naloxone-2-years"), 0);
    o->categories = OW_CATEGORY_COMMUNITY;
    o->status = OW_STATUS_CANCELLED;
    assert_int_equal(value_of(&b, "naloxone-2-years"), 0);
    o->status = OW_STATUS_ACTIVE;
    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, "351267", NULL);
    assert_int_equal(value_of(&b, "naloxone-2-years"), 0);
    build_done(&b);
}

static void treatment_of_use_disorder_shows_by_drug_form_and_reason(void **state)
{
    static const struct {
        const char *rx, *reason;
        int treats;
    } cases[] = {
        {RX_BUPRENORPHINE_8,  NULL,                   1},
        { RX_BUPRENORPHINE_8, "chronic pain",         0},
        { "351267",           NULL,                   1}, /* with naloxone */
        { RX_METHADONE_10,    NULL,                   0},
        { RX_METHADONE_10,    "opioid use disorder",  1},
        { "1483744",          NULL,                   1}, /* naltrexone */
        { "1483744",          "alcohol use disorder", 0},
        { "1483746",          NULL,                   1}, /* its brand */
        { "1551468",          NULL,                   0}, /* with bupropion, by code alone */
        { RX_OXYCODONE_5,     "opioid use disorder",  0},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build b;
        struct ow_order *o;
        struct ow_concept reason = { .text = cases[i].reason };

        build_init(&b);
        o = build_order(&b, "rx", cases[i].rx);
        if (cases[i].reason != NULL) {
            o->reasons = &reason;
            o->n_reasons = 1;
        }
        assert_int_equal(value_of(&b, "oud-treatment"), cases[i].treats);
        o->status = OW_STATUS_COMPLETED;
        o->authored = build_time(DAY_90);
        assert_int_equal(value_of(&b, "oud-treatment"), cases[i].treats);
        o->authored = build_time(DAY_91);
        assert_int_equal(value_of(&b, "oud-treatment"), 0);
        build_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_decides_a_fact_and_is_named),
        cmocka_unit_test(what_nobody_looked_for_is_undecided),
        cmocka_unit_test(a_refuted_condition_is_none),
        cmocka_unit_test(both_forms_of_date_count),
        cmocka_unit_test(two_visits_for_cancer_in_a_year_are_treatment),
        cmocka_unit_test(a_birth_or_a_no_after_it_ends_a_pregnancy),
        cmocka_unit_test(an_agreement_shows_by_code_or_words),
        cmocka_unit_test(an_order_of_day_90_to_yesterday_ends_naivety),
        cmocka_unit_test(a_supply_that_reaches_into_the_window_ends_naivety),
        cmocka_unit_test(a_dispense_ends_naivety_and_its_absence_may_be_unknown),
        cmocka_unit_test(long_therapy_is_21_of_30_days_three_times),
        cmocka_unit_test(long_therapy_is_an_order_of_90_days),
        cmocka_unit_test(naloxone_counts_for_two_years_and_not_within_buprenorphine),
        cmocka_unit_test(treatment_of_use_disorder_shows_by_drug_form_and_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
