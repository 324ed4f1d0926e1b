/*
 * Published: each recommendation of both editions fires, does not one step below each
 * edge, and is silenced by each of its exclusions and by no other
 *
 * A case is a chart, written as FHIR, and what comes out: "1 2 10a" are the
 * recommendations that fire (10a a screen that is due, 10b an unexpected result), and
 * "3!end-of-life" one that is held back. @90 is the date 90 days before the question,
 * which is asked on 2026-03-02 at noon; 12 months before is day 365. All patients are
 * invented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/published.h"
#include "base/buf.h"
#include "base/text.h"
#include "tests/support/build.h"
#include "tests/support/fhirkit.h"

/* ---- resources ---- */

#define SCT                  "http://snomed.info/sct"
#define ICD                  "http://hl7.org/fhir/sid/icd-10-cm"
#define LOINC                "http://loinc.org"
#define CODING(system, code) "{'coding':[{'system':'" system "','code':'" code "'}]}"
#define RXNORM(code)         CODING("http://www.nlm.nih.gov/research/umls/rxnorm", code)
#define PATIENT(born)        "{'resourceType':'Patient','id':'p','birthDate':'" born "'}"
#define ADULT                PATIENT("1970-01-01")
#define SUBJECT              "'subject':{'reference':'Patient/p'}"
#define CATEGORY(code)                                                                   \
    "'category':[" CODING(                                                               \
        "http://terminology.hl7.org/CodeSystem/medicationrequest-category", code) "]"
#define SUPPLY(value, unit)                                                              \
    "'dispenseRequest':{'expectedSupplyDuration':{'value':" value ",'code':'" unit "'}}"
#define TABLETS(times, dose)                                                             \
    "'dosageInstruction':[{'timing':{'repeat':{'frequency':" times                       \
    ",'period':1,'periodUnit':'d'}},'doseAndRate':[" dose "]}]"
#define ONE "{'doseQuantity':{'value':1,'unit':'tablet'}}"

/* id, status, drug, day written, supply in days, whatever else */
#define ORDER_OF(id, status, category, code, day, supply, more)                          \
    "{'resourceType':'MedicationRequest','id':'" id "','status':'" status                \
    "','intent':'order'," CATEGORY(category) "," SUBJECT                                 \
                                             ",'medicationCodeableConcept':" RXNORM(     \
                                                 code) ",'authoredOn':'" day             \
                                                       "'," supply more "}"
#define ORDER(id, code, day, days)                                                       \
    ORDER_OF(id, "active", "community", code, day, SUPPLY(days, "d"),                    \
             "," TABLETS("4", ONE))
#define DRAFT(code, days)                                                                \
    ORDER_OF("d", "draft", "community", code, "@0", SUPPLY(days, "d"),                   \
             "," TABLETS("4", ONE))
#define DRAFT_BY(code, days, who)                                                        \
    ORDER_OF("d", "draft", "community", code, "@0", SUPPLY(days, "d"),                   \
             ",'recorder':{'reference':'" who "'}," TABLETS("4", ONE))
#define DISPENSE(status, code, day)                                                      \
    "{'resourceType':'MedicationDispense','id':'md','status':'" status "'," SUBJECT      \
    ",'medicationCodeableConcept':" RXNORM(code) ",'whenHandedOver':'" day "'}"

#define CONDITION_OF(id, system, code, category, status, more)                           \
    "{'resourceType':'Condition','id':'" id "'," SUBJECT                                 \
    ",'code':" CODING(system, code) ",'category':[{'coding':[{'system':" category        \
                                    "'}]}],'clinicalStatus':"                            \
                                    "{'coding':[{'code':'" status "'}]}" more "}"
#define KIND_PROBLEM                                                                     \
    "'http://terminology.hl7.org/CodeSystem/condition-category','code':'problem-list-item"
#define KIND_DIAGNOSIS                                                                   \
    "'http://terminology.hl7.org/CodeSystem/condition-category','code':'encounter-"      \
    "diagnosis"
#define KIND_CONCERN                                                                     \
    "'http://hl7.org/fhir/us/core/CodeSystem/condition-category','code':'health-concern"
#define KIND_OTHER "'urn:x','code':'y"
#define CONDITION(system, code, status)                                                  \
    CONDITION_OF("c", system, code, KIND_PROBLEM, status, "")
#define PROCEDURE(code, status, more)                                                    \
    "{'resourceType':'Procedure','id':'pr','status':'" status "'," SUBJECT               \
    ",'code':" CODING(SCT, code) "," more "}"
#define PERIOD(from, to) "{'start':'" from "','end':'" to "'}"
#define REQUEST(code, status, intent, more)                                              \
    "{'resourceType':'ServiceRequest','id':'sr','status':'" status "','intent':'" intent \
    "'," SUBJECT ",'code':" CODING(SCT, code) "," more "}"
#define VISIT(id, code, day, more)                                                       \
    "{'resourceType':'Encounter','id':'" id "','status':'finished','class':{'code':"     \
    "'AMB'}," SUBJECT                                                                    \
    ",'type':[" CODING(SCT, code) "],'period':" PERIOD(day "T09:00:"                     \
                                                           "00Z",                        \
                                                       day "T09:30:00Z") more "}"
#define SCREEN(id, code, day, result)                                                    \
    "{'resourceType':'Observation','id':'" id "','status':'final','category':[" CODING(  \
        "http://terminology.hl7.org/CodeSystem/observation-category",                    \
        "laboratory") "]," SUBJECT                                                       \
                      ",'code':" CODING(LOINC, code) ",'effectiveDateTime':'" day        \
                                                     "','valueString'"                   \
                                                     ":'" result "'}"

#define OXY_5          "1049621" /* 30 MME/d, four a day */
#define OXY_10         "1049683"
#define MORPHINE       "892582"
#define ER             "891881"
#define BUP            "351265"
#define TRAMADOL       "835603"
#define LORAZEPAM      "197901"
#define PHENTERMINE    "803348"  /* in the published set of CNS depressants */
#define NALOXONE       "1010600" /* with buprenorphine: in both sets */
#define COMPONENT_2016 "1010601"
#define ONLY_2022      "1236214"
#define VISIT_CODE     "185463005"
#define COCAINE        "14314-9"
#define OXYCODONE      "10998-3"
#define PCP            "14310-7"
#define OPIATES        "18390-5"
#define CANNABIS       "101181-6"

/* ---- judging ---- */

enum { YEAR = 2026, MONTH = 3, DAY = 2 };

/* @90 and @-1 to dates. */
static const char *dated(struct ow_arena *a, const char *text)
{
    static const struct ow_civil today = { YEAR, MONTH, DAY, 0, 0, 0, 0 };
    struct ow_buf b;
    const char *ret;

    ow_buf_init(&b, 1 << 20);
    while (*text != '\0') {
        if (text[0] == '@' && (isdigit((unsigned char)text[1]) || text[1] == '-')) {
            char *end, date[OW_TIME_TEXT];
            long ago = strtol(text + 1, &end, 10);

            ow_time_format_date(ow_civil_to_utc(&today) - ago * OW_DAY, NULL, date);
            ow_buf_printf(&b, "%s", date);
            text = end;
        } else {
            ow_buf_printf(&b, "%c", *text++);
        }
    }
    ret = ow_arena_strdup(a, ow_buf_cstr(&b));
    ow_buf_done(&b);
    return ret;
}

static const cJSON *bundle(struct ow_arena *a, const char *resources)
{
    struct ow_buf b;
    const char *text = dated(a, resources);
    const cJSON *ret;
    unsigned n = 0;

    /* a resource begins at the outermost brace; there may be none */
    ow_buf_init(&b, 1 << 20);
    ow_buf_printf(&b, "{'resourceType':'Bundle','type':'collection','entry':[");
    for (int depth = 0; *text != '\0'; text++) {
        if (*text == ',' && depth == 0)
            continue;
        if (*text == '{' && depth++ == 0)
            ow_buf_printf(&b, "%s{'resource':", n++ > 0 ? "," : "");
        ow_buf_printf(&b, "%c", *text);
        if (*text == '}' && --depth == 0)
            ow_buf_printf(&b, "}");
    }
    ow_buf_printf(&b, "]}");
    ret = kit_parse(a, ow_arena_strdup(a, ow_buf_cstr(&b)));
    ow_buf_done(&b);
    return ret;
}

static const struct ow_verdict *judge(struct build *b, const char *preset,
                                      enum ow_hook hook, const char *chart,
                                      const char *drafts)
{
    struct ow_reader_options opt = { .patient = "Patient/p", .hook = hook };
    struct ow_reader *r = ow_reader_new(&b->arena, &opt);
    const struct ow_chart *charts;
    struct ow_err err = { "" };
    size_t n;

    build_preset(b, preset);
    build_at(b, "2026-03-02T12:00:00Z");
    if (ow_reader_add(r, bundle(&b->arena, chart), &err) != OW_OK)
        fail_msg("%s", err.text);
    if (drafts != NULL &&
        ow_reader_add_drafts(r, bundle(&b->arena, drafts), NULL, &err) != OW_OK)
        fail_msg("%s", err.text);
    if (ow_reader_charts(r, &charts, &n, &err) != OW_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 1);
    b->chart = charts[0];
    return build_judge(b);
}

/* "10a" of CDC-2022-R10 and uds-due */
static void tell_number(struct ow_buf *out, const char *rule, const char *source)
{
    ow_buf_printf(out, "%s%s%s", out->len > 0 ? " " : "", strrchr(source, 'R') + 1,
                  ow_streq(rule, "uds-due")          ? "a"
                  : ow_streq(rule, "uds-unexpected") ? "b"
                                                     : "");
}

static const char *tell(struct build *b, const struct ow_verdict *v)
{
    struct ow_buf out;
    const char *ret;

    ow_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < v->n_findings; i++) {
        assert_int_equal(v->findings[i].tier, OW_TIER_WARNING);
        tell_number(&out, v->findings[i].rule, v->findings[i].sources[0]);
    }
    for (size_t i = 0; i < v->n_suppressed; i++)
        ow_buf_printf(&out, "%s%s!%s", out.len > 0 ? " " : "", v->suppressed[i].rule,
                      ow_starts_with(v->suppressed[i].by, "exclusion:")
                          ? v->suppressed[i].by + strlen("exclusion:")
                          : v->suppressed[i].by);
    assert_int_equal(v->n_cards, v->n_findings); /* a card for each */
    ret = ow_arena_strdup(&b->arena, ow_buf_cstr(&out));
    ow_buf_done(&out);
    return ret;
}

struct chart_case {
    const char *chart, *drafts; /* besides the adult patient */
    const char *expect;
};

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

static void expect_at(const char *preset, enum ow_hook hook, const char *chart,
                      const char *drafts, const char *expect, size_t row)
{
    struct build *b = fresh();
    const char *got = tell(b, judge(b, preset, hook, chart, drafts));

    if (strcmp(got, expect) != 0)
        fail_msg("%s, row %zu: expected '%s', got '%s'", preset, row, expect, got);
}

static void expect_all(const char *preset, enum ow_hook hook,
                       const struct chart_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ow_arena a;

        ow_arena_init(&a, (size_t)1 << 24);
        expect_at(preset, hook, ow_arena_printf(&a, "%s,%s", ADULT, cases[i].chart),
                  cases[i].drafts, cases[i].expect, i);
        ow_arena_done(&a);
    }
}

#define SIGN_22(cases)                                                                   \
    expect_all("cdc-2022-as-published", OW_HOOK_ORDER_SIGN, cases, OW_LEN(cases))
#define VIEW_22(cases)                                                                   \
    expect_all("cdc-2022-as-published", OW_HOOK_PATIENT_VIEW, cases, OW_LEN(cases))
#define SELECT_22(cases)                                                                 \
    expect_all("cdc-2022-as-published", OW_HOOK_ORDER_SELECT, cases, OW_LEN(cases))
#define SIGN_16(cases)                                                                   \
    expect_all("cdc-2016-as-published", OW_HOOK_ORDER_SIGN, cases, OW_LEN(cases))
#define VIEW_16(cases)                                                                   \
    expect_all("cdc-2016-as-published", OW_HOOK_PATIENT_VIEW, cases, OW_LEN(cases))
#define SELECT_16(cases)                                                                 \
    expect_all("cdc-2016-as-published", OW_HOOK_ORDER_SELECT, cases, OW_LEN(cases))

/* A renewal takes the place of an order that has no factor in the table. */
static void a_replaced_order_without_a_factor_has_no_figure(void **state)
{
    static const char chart[] = ADULT "," ORDER("a", "197873", "@10", "30") "," ORDER_OF(
        "b", "active", "community", "197873", "@5", SUPPLY("30", "d"),
        ",'priorPrescription':{'reference':'MedicationRequest/a'}," TABLETS("4", ONE));

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;

        (void)judge(b, "cdc-2022-as-published", OW_HOOK_PATIENT_VIEW, chart, NULL);
        b->policy.older_factor = false;
        b->chart.hook = i == 0 ? OW_HOOK_PATIENT_VIEW : OW_HOOK_NONE;
        v = build_judge(b);
        assert_int_equal(build_line(v, "a")->role, OW_ROLE_REPLACED);
        assert_int_equal(build_line(v, "b")->role, OW_ROLE_UNREADABLE);
        assert_null(build_finding(v, "med-threshold"));
    }
}

/* one row a case */
/* clang-format off */

/* ---- 2022 ---- */

static void a_supply_of_28_days_divides_acute_from_longer_pain(void **state)
{
#define DRAFT_FOR(value, unit)                                                           \
    ORDER_OF("d", "draft", "community", OXY_5, "@0", SUPPLY(value, unit), "")
#define DRAFT_VALID(from, to)                                                            \
    ORDER_OF("d", "draft", "community", OXY_5, "@0",                                     \
             "'dispenseRequest':{'expectedSupplyDuration':{'value':5,'code':'d'},"       \
             "'validityPeriod':" PERIOD(from, to) "}",                                   \
             "")
    static const struct chart_case cases[] = {
        { "", DRAFT_FOR("7", "d"), "1" },
        { "", DRAFT_FOR("7.01", "d"), "1 6" },
        { "", DRAFT_FOR("27.99", "d"), "1 6" },
        { "", DRAFT_FOR("28", "d"), "2 8 9 10a" },
        { "", DRAFT_FOR("4", "wk"), "2 8 9 10a" },
        { "", DRAFT_FOR("3", "wk"), "1 6" },
        { "", DRAFT_FOR("1", "mo"), "2 8 9 10a" },
        { "", DRAFT_FOR("1", "a"), "2 8 9 10a" },
        { "", DRAFT_FOR("672", "h"), "2 8 9 10a" },
        { "", DRAFT_FOR("671", "h"), "1 6" },
        { "", DRAFT_FOR("40319", "min"), "1 6" },
        { "", DRAFT_FOR("40320", "min"), "2 8 9 10a" },
        { "", DRAFT_FOR("2419200", "s"), "2 8 9 10a" },
        { "", DRAFT_FOR("30", "days"), "" }, /* a unit they do not know */
        { "", DRAFT_VALID("@0", "@-27"), "1" },
        { "", DRAFT_VALID("@0", "@-28"), "1 2 8 9 10a" },
        { "", DRAFT_VALID("@0T08:00:00Z", "@-28T07:59:59Z"), "1" },
        { "", DRAFT_VALID("@0T08:00:00Z", "@-28T08:00:00Z"), "1 2 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void only_opioids_of_the_community_that_are_drafts_trigger(void **state)
{
    static const struct chart_case cases[] = {
        { "", ORDER_OF("d", "active", "community", OXY_5, "@0", SUPPLY("30", "d"), ""),
          "2 8 9 10a" }, /* the status of a draft is not read */
        { "", ORDER_OF("d", "draft", "outpatient", OXY_5, "@0", SUPPLY("30", "d"), ""),
          "" },
        { "", ORDER_OF("d", "draft", "inpatient", OXY_5, "@0", SUPPLY("30", "d"), ""),
          "" },
        { "", DRAFT(LORAZEPAM, "30"), "" },
        { "", DRAFT(COMPONENT_2016, "30"), "" },
        { "", DRAFT(ONLY_2022, "30"), "2 8 9 10a" },
        { ORDER("a", OXY_5, "@200", "30"), NULL, "" },
    };
    static const struct chart_case cases_16[] = {
        { "", ORDER_OF("d", "active", "community", OXY_5, "@0", SUPPLY("30", "d"), ""),
          "1 2 3 9 10a" },
        { "", ORDER_OF("d", "draft", "outpatient", OXY_5, "@0", SUPPLY("30", "d"), ""),
          "" },
        { "", DRAFT(COMPONENT_2016, "30"), "1 2 3 9 10a" },
        { "", DRAFT(ONLY_2022, "30"), "" },
    };

    (void)state;
    SIGN_22(cases);
    SIGN_16(cases_16);
}

static void an_opioid_of_days_90_to_1_ends_naivety(void **state)
{
#define PAST(status, category, day)                                                      \
    ORDER_OF("a", status, category, OXY_5, day, SUPPLY("5", "d"), "")
    static const struct chart_case cases[] = {
        { PAST("active", "community", "@91"), DRAFT(OXY_5, "5"), "1" },
        { PAST("active", "community", "@90"), DRAFT(OXY_5, "5"), "" },
        { PAST("active", "community", "@1T23:59:00Z"), DRAFT(OXY_5, "5"), "" },
        { PAST("active", "community", "@0"), DRAFT(OXY_5, "5"), "1" },
        { PAST("stopped", "community", "@30"), DRAFT(OXY_5, "5"), "1" },
        { PAST("completed", "community", "@30"), DRAFT(OXY_5, "5"), "1" },
        { PAST("active", "inpatient", "@30"), DRAFT(OXY_5, "5"), "1" },
        { DISPENSE("completed", OXY_5, "@91"), DRAFT(OXY_5, "5"), "1" },
        { DISPENSE("completed", OXY_5, "@90"), DRAFT(OXY_5, "5"), "" },
        { DISPENSE("completed", OXY_5, "@1"), DRAFT(OXY_5, "5"), "" },
        { DISPENSE("completed", OXY_5, "@0"), DRAFT(OXY_5, "5"), "1" },
        { DISPENSE("in-progress", OXY_5, "@30"), DRAFT(OXY_5, "5"), "1" },
        { DISPENSE("completed", LORAZEPAM, "@30"), DRAFT(OXY_5, "5"), "1" },
    };

    (void)state;
    SIGN_22(cases);
}

static void a_plan_of_the_recorder_within_90_days_meets_the_second(void **state)
{
#define PLAN(status, author, times)                                                      \
    "{'resourceType':'CarePlan','id':'cp','status':'" status "','intent':'plan',"        \
    SUBJECT ",'category':[" CODING(LOINC, "80764-4") "],'author':{'reference':'" author  \
    "'}," times "}"
#define PAIN(times)                                                                      \
    PROCEDURE("408957008", "completed",                                                  \
              times ",'performer':[{'actor':{'reference':'Practitioner/w'}}]")
#define MINE DRAFT_BY(OXY_5, "30", "Practitioner/w")
    static const struct chart_case cases[] = {
        { PLAN("active", "Practitioner/w", "'created':'@90'"), MINE, "8 9 10a" },
        { PLAN("active", "Practitioner/w", "'created':'@91'"), MINE, "2 8 9 10a" },
        { PLAN("completed", "Practitioner/w", "'created':'@0'"), MINE, "8 9 10a" },
        { PLAN("revoked", "Practitioner/w", "'created':'@9'"), MINE, "2 8 9 10a" },
        { PLAN("active", "Practitioner/v", "'created':'@9'"), MINE, "2 8 9 10a" },
        { PLAN("active", "Practitioner/w", "'period':{'start':'@9'}"), MINE, "2 8 9 10a" },
        { PLAN("active", "Practitioner/w",
               "'created':'@300','meta':{'lastUpdated':'@90T00:00:00Z'}"), MINE,
          "8 9 10a" },
        { PLAN("active", "Practitioner/w", "'created':'@9'"), DRAFT(OXY_5, "30"),
          "2 8 9 10a" }, /* nobody recorded the order */
        { PAIN("'performedDateTime':'@90'"), MINE, "8 9 10a" },
        { PAIN("'performedDateTime':'@91'"), MINE, "2 8 9 10a" },
        { PAIN("'performedPeriod':" PERIOD("@9", "@9")), MINE, "2 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void extended_release_is_asked_of_longer_supplies_only(void **state)
{
    static const struct chart_case cases[] = {
        { "", DRAFT(ER, "28"), "2 3 4 8 9 10a" },
        { "", DRAFT(ER, "27"), "1 6" },
        { DISPENSE("completed", OXY_5, "@1"), DRAFT(ER, "28"), "4 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void the_dose_is_that_of_longer_orders_with_equal_figures_once(void **state)
{
#define TWO_OF(code, status, days)                                                       \
    ORDER_OF("a", status, "community", code, "@200", SUPPLY(days, "d"),                  \
             "," TABLETS("2", ONE))
#define RANGE                                                                            \
    "{'doseRange':{'low':{'value':1,'unit':'tablet'},'high':{'value':2,'unit':'tablet'}}}"
    static const struct chart_case cases[] = {
        /* oxycodone 5 mg four a day: 30; morphine 15 mg two a day: 30, one: 15 */
        { "", DRAFT(OXY_10, "30"), "2 4 8 9 10a" },
        { TWO_OF(OXY_10, "active", "30"), DRAFT(OXY_5, "30"), "2 8 9 10a" }, /* 30, 30 */
        { ORDER_OF("a", "active", "community", OXY_5, "@200", SUPPLY("30", "d"),
                   "," TABLETS("3", ONE)), DRAFT(OXY_5, "30"), "2 4 8 9 10a" }, /* 22.5 */
        { ORDER_OF("a", "active", "community", OXY_5, "@200", SUPPLY("27", "d"),
                   "," TABLETS("3", ONE)), DRAFT(OXY_5, "30"), "2 8 9 10a" },
        { ORDER_OF("a", "completed", "community", OXY_5, "@200", SUPPLY("30", "d"),
                   "," TABLETS("3", ONE)), DRAFT(OXY_5, "30"), "2 8 9 10a" },
        { ORDER_OF("a", "active", "community", OXY_5, "@730", SUPPLY("30", "d"),
                   "," TABLETS("3", ONE)), DRAFT(OXY_5, "30"), "2 4 8 9 10a" },
        { ORDER_OF("a", "active", "community", OXY_5, "@731", SUPPLY("30", "d"),
                   "," TABLETS("3", ONE)), DRAFT(OXY_5, "30"), "2 8 9 10a" },
        { "", ORDER_OF("d", "draft", "community", MORPHINE, "@0", SUPPLY("30", "d"),
                       ",'dosageInstruction':[{'timing':{'repeat':{'frequency':1,'period'"
                       ":1,'periodUnit':'d'}},'doseAndRate':[{'doseQuantity':{'value':"
                       "50,'unit':'mg','system':'http://unitsofmeasure.org','code':'mg'}"
                       "}]}]"), "2 4 8 9 10a" },
        { "", ORDER_OF("d", "draft", "community", MORPHINE, "@0", SUPPLY("30", "d"),
                       ",'dosageInstruction':[{'timing':{'repeat':{'frequency':1,'period'"
                       ":1,'periodUnit':'d'}},'doseAndRate':[{'doseQuantity':{'value':"
                       "49.99,'unit':'mg','system':'http://unitsofmeasure.org','code':"
                       "'mg'}}]}]"), "2 8 9 10a" },
        { "", ORDER_OF("d", "draft", "community", OXY_10, "@0", SUPPLY("30", "d"),
                       "," TABLETS("4", RANGE)), "2 8 9 10a" }, /* they lose ranges */
        { "", ORDER_OF("d", "draft", "community", TRAMADOL, "@0", SUPPLY("30", "d"),
                       "," TABLETS("8", ONE)), "2 8 9 10a" }, /* and tramadol */
        { "", DRAFT(OXY_10, "5"), "1" },
    };

    (void)state;
    SIGN_22(cases);
}

static void reassessment_is_asked_of_who_was_on_opioids(void **state)
{
    /* days on opioids without ending naivety: completed orders count here only */
#define HAD(id, day, days)                                                               \
    ORDER_OF(id, "completed", "inpatient", OXY_5, day, SUPPLY(days, "d"), "")
#define SEEN VISIT("v", VISIT_CODE, "@30", "")
#define LONG DRAFT(OXY_5, "30")
    static const struct chart_case cases[] = {
        { HAD("a", "@7", "7") "," SEEN, LONG, "2 7 8 9 10a" },
        { HAD("a", "@6", "30") "," SEEN, LONG, "2 8 9 10a" },
        { HAD("a", "@10", "3") "," HAD("b", "@6", "3") "," SEEN, LONG, "2 7 8 9 10a" },
        { HAD("a", "@10", "3") "," HAD("b", "@5", "3") "," SEEN, LONG, "2 8 9 10a" },
        { HAD("a", "@7", "7"), LONG, "2 8 9 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", VISIT_CODE, "@2", ""), LONG, "2 7 8 9 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", VISIT_CODE, "@1", ""), LONG, "2 8 9 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", VISIT_CODE, "@365", ""), LONG,
          "2 7 8 9 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", VISIT_CODE, "@366", ""), LONG, "2 8 9 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", "1", "@30", ""), LONG, "2 8 9 10a" },
        { ORDER_OF("a", "completed", "inpatient", OXY_5, "@7", SUPPLY("168", "h"), "") ","
          SEEN, LONG, "2 7 8 9 10a" },
        { ORDER_OF("a", "completed", "inpatient", OXY_5, "@7", SUPPLY("167", "h"), "") ","
          SEEN, LONG, "2 8 9 10a" },
        /* months end on days 90, 59, 28 and 0 */
        { HAD("a", "@90", "90"), LONG, "2 7 8 9 10a" },
        { HAD("a", "@90", "21") "," HAD("b", "@59", "21") "," HAD("c", "@28", "21"), LONG,
          "2 7 8 9 10a" },
        { HAD("a", "@90", "21") "," HAD("b", "@59", "21") "," HAD("c", "@28", "20"), LONG,
          "2 8 9 10a" },
        { HAD("a", "@90", "20") "," HAD("b", "@59", "21") "," HAD("c", "@28", "21"), LONG,
          "2 8 9 10a" },
        { HAD("a", "@90", "90") "," PROCEDURE("454281000124100", "completed",
                                              "'performedPeriod':" PERIOD("@91", "@91")),
          LONG, "2 8 9 10a" },
        { HAD("a", "@90", "90") "," PROCEDURE("454281000124100", "completed",
                                              "'performedPeriod':" PERIOD("@92", "@91")),
          LONG, "2 7 8 9 10a" },
        { HAD("a", "@90", "90") "," PROCEDURE("454281000124100", "completed",
                                              "'performedPeriod':" PERIOD("@1", "@0")),
          LONG, "2 8 9 10a" },
        { HAD("a", "@90", "90") "," PROCEDURE("454281000124100", "completed",
                                              "'performedPeriod':" PERIOD("@0", "@0")),
          LONG, "2 7 8 9 10a" },
        { HAD("a", "@90", "90") "," PROCEDURE("454281000124100", "completed",
                                              "'performedDateTime':'@30'"),
          LONG, "2 7 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void a_review_of_monitoring_data_has_its_days_and_forms(void **state)
{
#define REVIEW(status, when) PROCEDURE("461621000124108", status, when)
#define FINDING(status, when)                                                            \
    "{'resourceType':'Observation','id':'o','status':'" status "'," SUBJECT              \
    ",'code':" CODING(SCT, "461651000124104") "," when "}"
    static const struct chart_case cases[] = {
        { REVIEW("completed", "'performedPeriod':" PERIOD("@89", "@89")), LONG, "2 8 10a" },
        { REVIEW("completed", "'performedPeriod':" PERIOD("@90", "@89")), LONG,
          "2 8 9 10a" },
        { REVIEW("completed", "'performedPeriod':" PERIOD("@1", "@1")), LONG, "2 8 10a" },
        { REVIEW("completed", "'performedPeriod':" PERIOD("@1", "@0")), LONG, "2 8 9 10a" },
        { REVIEW("completed", "'performedPeriod':{'start':'@9'}"), LONG, "2 8 9 10a" },
        { REVIEW("completed", "'performedDateTime':'@9'"), LONG, "2 8 9 10a" },
        { REVIEW("in-progress", "'performedPeriod':" PERIOD("@9", "@9")), LONG,
          "2 8 9 10a" },
        { FINDING("final", "'effectiveDateTime':'@90'"), LONG, "2 8 10a" },
        { FINDING("final", "'effectiveDateTime':'@91'"), LONG, "2 8 9 10a" },
        { FINDING("amended", "'effectiveDateTime':'@0'"), LONG, "2 8 10a" },
        { FINDING("final", "'effectivePeriod':" PERIOD("@90", "@0")), LONG, "2 8 10a" },
        { FINDING("preliminary", "'effectiveDateTime':'@9'"), LONG, "2 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void screens_of_a_year_and_a_day_are_compared_with_orders(void **state)
{
#define TOOK(status, category, day)                                                      \
    ORDER_OF("a", status, category, OXY_5, day, SUPPLY("5", "d"), "")
    static const struct chart_case cases[] = {
        { SCREEN("s", COCAINE, "@366", "NEGATIVE"), LONG, "2 8 9" },
        { SCREEN("s", COCAINE, "@367", "Negative"), LONG, "2 8 9 10a" },
        { SCREEN("s", COCAINE, "@0", "Negative"), LONG, "2 8 9" },
        { SCREEN("s", COCAINE, "@366", "Positive"), LONG, "2 8 9 10b" },
        { SCREEN("s", COCAINE, "@40", "detected, positive"), LONG, "2 8 9" },
        { SCREEN("s", CANNABIS, "@40", "POS"), LONG, "2 8 9" }, /* switched off */
        { SCREEN("s", OXYCODONE, "@40", "pos"), LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("stopped", "community", "@41"),
          LONG, "2 8 9" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("stopped", "community", "@40"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("completed", "community", "@71"),
          LONG, "2 8 9" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("completed", "community", "@72"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("cancelled", "community", "@50"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "pos") "," TOOK("completed", "inpatient", "@50"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "neg") "," TOOK("completed", "community", "@50"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", OXYCODONE, "@40", "neg"), LONG, "2 8 9" },
        { SCREEN("s", OXYCODONE, "@366", "pos") "," TOOK("completed", "community", "@396"),
          LONG, "2 8 9" },
        { SCREEN("s", OXYCODONE, "@366", "pos") "," TOOK("completed", "community", "@397"),
          LONG, "2 8 9 10b" },
        { SCREEN("s", COCAINE, "@40", "pos"), DRAFT(OXY_5, "5"), "1" },
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'effectiveDateTime':'@40','valueCodeable"
          "Concept':{'text':'Positive'}}", LONG, "2 8 9" },
        { "{'resourceType':'Observation','id':'o','status':'cancelled'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'effectiveDateTime':'@40','valueString'"
          ":'Positive'}", LONG, "2 8 9 10a" },
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'effectivePeriod':" PERIOD("@40", "@40")
          ",'valueString':'Positive'}", LONG, "2 8 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
}

static void an_unexpected_result_is_named(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v = judge(
        b, "cdc-2022-as-published", OW_HOOK_ORDER_SIGN,
        ADULT "," SCREEN("s", PCP, "@40", "pos") "," SCREEN("t", OXYCODONE, "@50", "neg") ","
            ORDER_OF("a", "completed", "community", OXY_5, "@60", SUPPLY("5", "d"), ""),
        LONG);
    const struct ow_finding *f = build_finding(v, "uds-unexpected");

    (void)state;
    assert_non_null(f);
    assert_string_equal(f->reason,
                        "urine drug screens: phencyclidine (PCP) positive on 2026-01-21; "
                        "oxycodone negative on 2026-01-11 although ordered");
    assert_int_equal(f->n_evidence, 2);
    assert_string_equal(f->evidence[1], "Observation/t");
    assert_string_equal(v->cards[v->n_cards - 1].summary,
                        "Patient May Have Unexpected Toxicology Test Results");
}

static void opioid_and_sedative_together_2022(void **state)
{
    static const struct chart_case cases[] = {
        { ORDER("a", LORAZEPAM, "@30", "30"), DRAFT(OXY_5, "5"), "11" },
        { ORDER("a", OXY_5, "@30", "30"), DRAFT(LORAZEPAM, "5"), "11" },
        { "", DRAFT(OXY_5, "5") "," ORDER_OF("e", "draft", "community", LORAZEPAM, "@0",
                                            SUPPLY("5", "d"), ""), "" },
        { ORDER("a", LORAZEPAM, "@730", "30"), DRAFT(OXY_5, "5"), "11" },
        { ORDER("a", LORAZEPAM, "@731", "30"), DRAFT(OXY_5, "5"), "" },
        { ORDER("a", PHENTERMINE, "@731", "30"), DRAFT(OXY_5, "5"), "11" }, /* any date */
        { ORDER_OF("a", "active", "inpatient", PHENTERMINE, "@9", SUPPLY("30", "d"), ""),
          DRAFT(OXY_5, "5"), "" },
        { ORDER_OF("a", "stopped", "community", LORAZEPAM, "@9", SUPPLY("30", "d"), ""),
          DRAFT(OXY_5, "5"), "" },
        { ORDER("a", RX_GABAPENTIN_300, "@9", "30"), DRAFT(OXY_5, "5"), "" },
        { ORDER("a", RX_CARISOPRODOL, "@9", "30"), DRAFT(OXY_5, "5"), "" },
        /* a benzodiazepine being ordered is of any category */
        { ORDER("a", OXY_5, "@30", "30"),
          ORDER_OF("d", "draft", "inpatient", LORAZEPAM, "@0", SUPPLY("5", "d"), ""),
          "11" },
        { ORDER("a", OXY_5, "@30", "30"),
          ORDER_OF("d", "draft", "inpatient", PHENTERMINE, "@0", SUPPLY("5", "d"), ""),
          "" },
    };
    static const struct chart_case views[] = {
        { ORDER("a", LORAZEPAM, "@30", "5") "," ORDER("b", OXY_5, "@30", "5"), NULL, "11" },
        { ORDER("a", LORAZEPAM, "@30", "5") "," ORDER("b", OXY_5, "@731", "5"), NULL, "" },
        { ORDER("a", LORAZEPAM, "@30", "5"), NULL, "" },
        { ORDER("b", OXY_5, "@30", "30"), NULL, "10a" },
        { ORDER("b", OXY_5, "@30", "27"), NULL, "" },
        { ORDER("b", OXY_5, "@30", "30") "," SCREEN("s", COCAINE, "@9", "pos"), NULL,
          "10b" },
    };

    (void)state;
    SELECT_22(cases);
    VIEW_22(views);
}

static void opioid_use_disorder_without_a_treatment_order(void **state)
{
#define OUD(code, kind, status, more) CONDITION_OF("c", ICD, code, kind, status, more)
#define TODAY ",'recordedDate':'@0'"
#define TREATED(status, day)                                                             \
    ORDER_OF("a", status, "inpatient", BUP, day, SUPPLY("5", "d"), "")
    static const struct chart_case cases[] = {
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY), NULL, "12" },
        { OUD("F11.20", KIND_CONCERN, "active", ",'recordedDate':'@90'"), NULL, "12" },
        { OUD("F11.20", KIND_PROBLEM, "active", ",'recordedDate':'@91'"), NULL, "" },
        { OUD("F11.20", KIND_PROBLEM, "active", ",'meta':{'lastUpdated':'@0T00:00:00Z'}"),
          NULL, "" },
        { OUD("F11.20", KIND_OTHER, "active", TODAY), NULL, "" },
        { OUD("F11.20", KIND_PROBLEM, "resolved", TODAY), NULL, "" },
        { OUD("F11.21", KIND_PROBLEM, "active", TODAY), NULL, "12" }, /* remission */
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," TREATED("active", "@90"), NULL,
          "" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," TREATED("active", "@91"), NULL,
          "12" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," TREATED("completed", "@0"),
          NULL, "" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," TREATED("stopped", "@9"), NULL,
          "12" },
        /* no general inclusion: neither cancer nor the end of life silences it */
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," CONDITION_OF(
              "k", ICD, "C25.0", KIND_PROBLEM, "active", ""), NULL, "12" },
        { CONDITION_OF("c", SCT, "191865004", KIND_PROBLEM, "active", TODAY), NULL, "" },
    };
    static const struct chart_case cases_16[] = {
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY), NULL, "12" },
        { CONDITION_OF("c", SCT, "191865004", KIND_PROBLEM, "active", TODAY), NULL, "12" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," TREATED("active", "@90"), NULL,
          "" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," PROCEDURE(
              "313071005", "completed", "'performedDateTime':'@90'"), NULL, "" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," PROCEDURE(
              "313071005", "completed", "'performedPeriod':" PERIOD("@91", "@0")), NULL,
          "12" },
        { OUD("F11.20", KIND_PROBLEM, "active", TODAY) "," PROCEDURE(
              "313071005", "in-progress", "'performedDateTime':'@9'"), NULL, "12" },
    };

    (void)state;
    VIEW_22(cases);
    VIEW_16(cases_16);
    expect_at("cdc-2022-as-published", OW_HOOK_PATIENT_VIEW,
              PATIENT("2008-03-03") "," OUD("F11.20", KIND_PROBLEM, "active", TODAY), NULL,
              "opioid-use-disorder!age-under-18", 0);
}

static void the_general_criteria_of_2022_exclude(void **state)
{
#define SILENT(by) "nonopioid-first!" by
#define OF_VISIT(id, visit)                                                              \
    CONDITION_OF(id, ICD, "C50", KIND_DIAGNOSIS, "resolved",                             \
                 ",'encounter':{'reference':'Encounter/" visit "'}")
#define TWO_VISITS(a, b) VISIT("v1", "1", a, "") "," VISIT("w2", "1", b, "")
#define SHORT DRAFT(OXY_5, "5")
    static const struct chart_case cases[] = {
        { CONDITION(ICD, "D57.0", "resolved"), SHORT, SILENT("sickle-cell") },
        { CONDITION(ICD, "D57.1", "active"), SHORT, "1" }, /* missing in their set */
        { CONDITION_OF("c", ICD, "D57.0", KIND_OTHER, "active", ""), SHORT, "1" },
        { CONDITION(ICD, "C50", "active"), SHORT, SILENT("active-cancer-treatment") },
        { CONDITION(ICD, "C50", "resolved"), SHORT, "1" },
        { CONDITION_OF("c", ICD, "C50", KIND_DIAGNOSIS, "active", ""), SHORT, "1" },
        { TWO_VISITS("@365", "@1") "," OF_VISIT("c", "v1") "," OF_VISIT("k", "w2"), SHORT,
          SILENT("active-cancer-treatment") },
        { TWO_VISITS("@366", "@1") "," OF_VISIT("c", "v1") "," OF_VISIT("k", "w2"), SHORT,
          "1" },
        { TWO_VISITS("@9", "@0") "," OF_VISIT("c", "v1") "," OF_VISIT("k", "w2"), SHORT,
          "1" },
        { TWO_VISITS("@9", "@8") "," OF_VISIT("c", "v1"), SHORT, "1" },
        { CONDITION(ICD, "C25.0", "resolved"), SHORT, SILENT("end-of-life") },
        { CONDITION(SCT, "162607003", "active"), SHORT, "1" }, /* limited life: not here */
        { REQUEST("103735009", "active", "order", "'authoredOn':'@9'"), SHORT, "1" },
    };

    (void)state;
    SIGN_22(cases);
    expect_at("cdc-2022-as-published", OW_HOOK_ORDER_SIGN, PATIENT("2008-03-03"), SHORT,
              SILENT("age-under-18"), 0);
    expect_at("cdc-2022-as-published", OW_HOOK_ORDER_SIGN, PATIENT("2008-03-02"), SHORT,
              "1", 1);
    expect_at("cdc-2022-as-published", OW_HOOK_ORDER_SIGN,
              "{'resourceType':'Patient','id':'p'}", SHORT, "", 2);
}

static void the_end_of_life_of_2022_excludes_some(void **state)
{
#define HOSPICE(status, day)                                                             \
    "{'resourceType':'Encounter','id':'h','status':'" status "','class':{'code':'IMP'}," \
    SUBJECT ",'period':" PERIOD(day, day) ",'hospitalization':{'dischargeDisposition':"  \
    CODING(SCT, "385763009") "}}"
#define EOL_22                                                                           \
    "2 8 9 10a er-la-opioid-naive!end-of-life med-threshold!end-of-life"
    static const struct chart_case cases[] = {
        { CONDITION(SCT, "162607003", "active"), DRAFT(ER, "30"), EOL_22 },
        { CONDITION(SCT, "162607003", "resolved"), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { HOSPICE("finished", "@365"), DRAFT(ER, "30"), EOL_22 },
        { HOSPICE("finished", "@366"), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { HOSPICE("cancelled", "@9"), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { PROCEDURE("183919006", "completed", "'performedDateTime':'@9'"), DRAFT(ER, "30"),
          "2 3 4 8 9 10a" }, /* a procedure of 2016 */
        { HOSPICE("finished", "@9") "," HAD("a", "@90", "90"), LONG,
          "2 8 9 10a reassess!end-of-life" },
    };
    static const struct chart_case views[] = {
        { HOSPICE("finished", "@9") "," ORDER("a", OXY_5, "@9", "30"), NULL,
          "uds-due!end-of-life" },
        { HOSPICE("finished", "@9") "," ORDER("a", OXY_5, "@9", "30") "," SCREEN(
              "s", COCAINE, "@9", "pos"), NULL, "uds-unexpected!end-of-life" },
        { HOSPICE("finished", "@9") "," ORDER("a", OXY_5, "@9", "5") "," ORDER(
              "b", LORAZEPAM, "@9", "5"), NULL, "sedative-coprescribing!end-of-life" },
    };

    (void)state;
    SIGN_22(cases);
    VIEW_22(views);
}

/* ---- 2016 ---- */

static void chronic_of_2016_is_28_days_of_supply_and_nothing_else(void **state)
{
    static const struct chart_case cases[] = {
        { "", DRAFT_FOR("28", "d"), "1 2 3 9 10a" },
        { "", DRAFT_FOR("27", "d"), "6" },
        { "", DRAFT_FOR("7", "d"), "" },
        { "", DRAFT_FOR("8", "d"), "6" },
        { "", DRAFT_VALID("@0", "@-90"), "" },
        { "", ORDER_OF("d", "draft", "community", ER, "@0", SUPPLY("3", "d"), ""), "6" },
        { "", DRAFT(ER, "30"), "1 2 3 4 5 8 9 10a" },
        { DISPENSE("completed", OXY_5, "@1"), DRAFT(ER, "30"), "3 5 8 9 10a" },
        { DISPENSE("completed", OXY_5, "@0"), LONG, "1 2 3 9 10a" },
        { PLAN("active", "Practitioner/w", "'created':'@90'"), MINE, "1 3 9 10a" },
        { PAIN("'performedDateTime':'@90'"), MINE, "1 3 9 10a" },
        { PAIN("'performedPeriod':" PERIOD("@9", "@9")), MINE, "1 2 3 9 10a" },
    };

    (void)state;
    SIGN_16(cases);
}

static void counselling_and_reviews_of_2016(void **state)
{
#define COUNSEL(status, when) PROCEDURE("460831000124102", status, when)
#define TALK(when) REQUEST("460831000124102", "revoked", "order", when)
    static const struct chart_case cases[] = {
        { COUNSEL("completed", "'performedPeriod':" PERIOD("@90", "@90")), LONG,
          "1 2 9 10a" },
        { COUNSEL("completed", "'performedPeriod':" PERIOD("@91", "@90")), LONG,
          "1 2 3 9 10a" },
        { COUNSEL("completed", "'performedPeriod':" PERIOD("@1", "@0")), LONG,
          "1 2 3 9 10a" },
        { COUNSEL("completed", "'performedDateTime':'@9'"), LONG, "1 2 3 9 10a" },
        { COUNSEL("in-progress", "'performedPeriod':" PERIOD("@9", "@9")), LONG,
          "1 2 3 9 10a" },
        { TALK("'occurrencePeriod':" PERIOD("@1", "@1")), LONG, "1 2 9 10a" },
        { TALK("'authoredOn':'@9'"), LONG, "1 2 3 9 10a" },
        { REVIEW("completed", "'performedPeriod':" PERIOD("@89", "@1")), LONG,
          "1 2 3 10a" },
        { REVIEW("completed", "'performedPeriod':" PERIOD("@90", "@1")), LONG,
          "1 2 3 9 10a" },
        { FINDING("final", "'effectiveDateTime':'@0'"), LONG, "1 2 3 10a" },
        { HAD("a", "@7", "7") "," VISIT("v", VISIT_CODE, "@2", ""), LONG,
          "1 2 3 7 9 10a" },
        { HAD("a", "@7", "7") ",{'resourceType':'Encounter','id':'e','status':'finished',"
          "'class':{'code':'AMB'}," SUBJECT ",'type':[" CODING(
              "http://www.ama-assn.org/go/cpt", "99203") "],'period':" PERIOD("@30", "@30")
          "}", LONG, "1 2 3 7 9 10a" },
    };

    (void)state;
    SIGN_16(cases);
}

static void risks_of_2016_ask_for_naloxone(void **state)
{
#define MISUSE(code, status) CONDITION(ICD, code, status)
    static const struct chart_case cases[] = {
        { "", LONG, "1 2 3 9 10a" },
        { ORDER_OF("a", "active", "community", OXY_5, "@200", SUPPLY("5", "d"),
                   "," TABLETS("3", ONE)), LONG, "1 2 3 8 9 10a" }, /* 22.5, acute */
        { ORDER_OF("a", "active", "community", OXY_5, "@200", SUPPLY("28", "d"),
                   "," TABLETS("3", ONE)), LONG, "1 2 3 5 8 9 10a" },
        { ORDER("a", LORAZEPAM, "@9", "5"), LONG, "1 2 3 8 9 10a" },
        { MISUSE("F10", "resolved"), LONG, "1 2 3 8 9 10a" },
        { PROCEDURE("313071005", "not-done", "'performedDateTime':'@2000'"), LONG,
          "1 2 3 8 9 10a" },
        { ORDER("a", LORAZEPAM, "@9", "5") "," ORDER("n", NALOXONE, "@200", "5"), LONG,
          "1 2 3 9 10a" },
        { ORDER("a", LORAZEPAM, "@9", "5") "," ORDER("n", NALOXONE, "@731", "5"), LONG,
          "1 2 3 8 9 10a" },
        { ORDER("a", LORAZEPAM, "@9", "5"), DRAFT(OXY_5, "5"), "" },
    };
    static const struct chart_case selects[] = {
        { MISUSE("F10", "active"), LONG, "8 10a" },
        { ORDER("a", LORAZEPAM, "@9", "5"), LONG, "8 10a 11" },
        { ORDER("a", PHENTERMINE, "@9", "5"), DRAFT(OXY_5, "5"), "" },
        { ORDER("a", OXY_5, "@200", "5"), DRAFT(LORAZEPAM, "5"), "11" },
        { ORDER("a", OXY_5, "@200", "5"),
          ORDER_OF("d", "draft", "inpatient", LORAZEPAM, "@0", SUPPLY("5", "d"), ""), "" },
    };

    (void)state;
    SIGN_16(cases);
    SELECT_16(selects);
}

static void screens_of_2016(void **state)
{
    static const struct chart_case cases[] = {
        { SCREEN("s", COCAINE, "@366", "neg"), LONG, "1 2 3 9" },
        { SCREEN("s", COCAINE, "@367", "neg"), LONG, "1 2 3 9 10a" },
        { SCREEN("s", COCAINE, "@0", "neg"), LONG, "1 2 3 9 10a" },
        { SCREEN("s", OXYCODONE, "@1", "neg"), LONG, "1 2 3 9" },
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'effectiveDateTime':'@40','valueString'"
          ":'Positive'}", LONG, "1 2 3 9 10a" }, /* no laboratory */
        { SCREEN("s", COCAINE, "@366", "Positive"), NULL, "10b" },
        { SCREEN("s", PCP, "@1", "POSITIVE"), NULL, "10b" },
        { SCREEN("s", OPIATES, "@9", "pos") "," ORDER("a", OXY_5, "@30", "30"), NULL,
          "10b" }, /* what is ordered does not silence it */
        { SCREEN("s", CANNABIS, "@9", "pos"), NULL, "" },
        { SCREEN("s", COCAINE, "@0", "pos"), NULL, "" },
        { SCREEN("s", COCAINE, "@9", "pos") "," CONDITION(ICD, "C25.0", "active"), NULL,
          "10b" },
    };
    static const struct chart_case views[] = {
        { ORDER("a", OXY_5, "@9", "30"), NULL, "10a" },
        { ORDER("a", ER, "@100", "30"), NULL, "4 10a" },
        { ORDER("a", ER, "@90", "30"), NULL, "10a" },
        { ORDER("a", ER, "@100", "27"), NULL, "" },
        { ORDER("a", OXY_5, "@9", "5") "," ORDER("b", LORAZEPAM, "@9", "5"), NULL, "11" },
        { ORDER("a", OXY_5, "@9", "5") "," ORDER("b", PHENTERMINE, "@9", "5"), NULL, "" },
    };

    (void)state;
    SIGN_16(cases);
    VIEW_16(views);
    expect_at("cdc-2016-as-published", OW_HOOK_PATIENT_VIEW,
              "{'resourceType':'Patient','id':'p'}," SCREEN("s", PCP, "@1", "positive"),
              NULL, "10b", 0); /* nor is an age asked for */
}

static void the_general_criteria_of_2016_exclude(void **state)
{
#define SILENT_6(by) "acute-duration!" by
#define EIGHT DRAFT(OXY_5, "8")
#define CARE(status, intent, day)                                                        \
    REQUEST("103735009", status, intent, "'authoredOn':'" day "'")
#define NAMES ",'diagnosis':[{'condition':{'reference':'Condition/c'}}]"
#define ONCOLOGIST                                                                       \
    ",'participant':[{'type':[" CODING("http://nucc.org/provider-taxonomy",              \
                                       "163WP0218X") "]}]"
#define VISITS(a, b, more)                                                               \
    VISIT("v", VISIT_CODE, a, more) "," VISIT("w", VISIT_CODE, b, more)
#define CANCER CONDITION_OF("c", ICD, "C50", KIND_PROBLEM, "resolved", "")
    static const struct chart_case cases[] = {
        { CONDITION(ICD, "D57.0", "active"), EIGHT, "6" }, /* no test of sickle cells */
        { CONDITION(ICD, "C25.0", "active"), EIGHT, SILENT_6("end-of-life") },
        { CONDITION(ICD, "C25.0", "resolved"), EIGHT, "6" },
        { CONDITION(ICD, "C25.0", "recurrence"), EIGHT, "6" },
        { CONDITION(ICD, "Z51.5", "active"), EIGHT, "6" }, /* a code of 2022 */
        { CONDITION(SCT, "162607003", "active"), EIGHT, SILENT_6("end-of-life") },
        { CARE("active", "order", "@90"), EIGHT, SILENT_6("palliative-care") },
        { CARE("completed", "proposal", "@0"), EIGHT, SILENT_6("palliative-care") },
        { CARE("active", "order", "@91"), EIGHT, "6" },
        { CARE("revoked", "order", "@9"), EIGHT, "6" },
        { CARE("active", "plan", "@9"), EIGHT, "6" }, /* misspelt there */
        { CARE("active", "option", "@9"), EIGHT, "6" },
        { CANCER "," VISITS("@365", "@1", NAMES), EIGHT,
          SILENT_6("active-cancer-treatment") },
        { CANCER "," VISITS("@366", "@1", NAMES), EIGHT, "6" },
        { CANCER "," VISITS("@9", "@0", NAMES), EIGHT, "6" },
        { CANCER "," VISITS("@9", "@8", ""), EIGHT, "6" },
        { VISITS("@9", "@8", ONCOLOGIST), EIGHT, SILENT_6("active-cancer-treatment") },
        { CANCER "," VISIT("v", "1", "@9", NAMES) "," VISIT("w", "1", "@8", NAMES), EIGHT,
          "6" }, /* no office visits */
        { CONDITION(ICD, "C50", "active"), EIGHT, "6" }, /* a list alone is no treatment */
    };

    (void)state;
    SIGN_16(cases);
    expect_at("cdc-2016-as-published", OW_HOOK_ORDER_SIGN, PATIENT("2008-03-03"), EIGHT,
              SILENT_6("age-under-18"), 0);
    expect_at("cdc-2016-as-published", OW_HOOK_ORDER_SIGN,
              "{'resourceType':'Patient','id':'p'}", EIGHT, "", 1);
}

static void the_end_of_life_of_2016_excludes_some(void **state)
{
#define EOL_16                                                                           \
    "1 2 3 9 er-la-opioid-naive!end-of-life med-threshold!end-of-life "                  \
    "naloxone-offer!end-of-life uds-due!end-of-life"
    static const struct chart_case cases[] = {
        { HOSPICE("finished", "@365"), DRAFT(ER, "30"), EOL_16 },
        { HOSPICE("finished", "@366"), DRAFT(ER, "30"), "1 2 3 4 5 8 9 10a" },
        { PROCEDURE("183919006", "completed", "'performedDateTime':'@4000'"),
          DRAFT(ER, "30"), EOL_16 },
        { PROCEDURE("183919006", "stopped", "'performedDateTime':'@9'"), DRAFT(ER, "30"),
          "1 2 3 4 5 8 9 10a" },
        { REQUEST("183919006", "active", "plan", "'authoredOn':'@4000'"), DRAFT(ER, "30"),
          EOL_16 },
        { HOSPICE("finished", "@9") "," HAD("a", "@90", "90"), LONG,
          "1 2 3 9 reassess!end-of-life uds-due!end-of-life" },
    };

    (void)state;
    SIGN_16(cases);
}

/* ---- both ---- */

static void without_a_hook_every_rule_is_asked_once(void **state)
{
    static const struct chart_case cases[] = {
        { ORDER("a", ER, "@0", "30") "," ORDER("b", LORAZEPAM, "@0", "30"), NULL,
          "2 3 4 8 9 10a 11" },
    };
    static const struct chart_case cases_16[] = {
        { ORDER("a", ER, "@0", "30") "," ORDER("b", LORAZEPAM, "@0", "30"), NULL,
          "1 2 3 4 5 8 9 10a 11" },
    };

    (void)state;
    expect_all("cdc-2022-as-published", OW_HOOK_NONE, cases, 1);
    expect_all("cdc-2016-as-published", OW_HOOK_NONE, cases_16, 1);
}

static void facts_are_those_of_the_edition(void **state)
{
    static const struct {
        const char *preset, *chart, *name, *by;
        int value;
    } cases[] = {
        { "cdc-2016-as-published", ORDER("a", OXY_5, "@9", "5"), "opioid-naive",
          "MedicationRequest/a", 0 },
        { "cdc-2016-as-published", ORDER("a", OXY_5, "@9", "5"), "opioid-order-90-days",
          "MedicationRequest/a", 1 },
        { "cdc-2016-as-published", DISPENSE("completed", OXY_5, "@9"),
          "opioid-dispense-90-days", "MedicationDispense/md", 1 },
        { "cdc-2016-as-published", CONDITION(ICD, "C25.0", "active"), "terminal-condition",
          "Condition/c", 1 },
        { "cdc-2016-as-published", CONDITION(ICD, "C25.0", "active"),
          "end-of-life-condition", NULL, 0 },
        { "cdc-2022-as-published", CONDITION(ICD, "C25.0", "active"),
          "end-of-life-condition", "Condition/c", 1 },
        { "cdc-2022-as-published", CONDITION(ICD, "C25.0", "inactive"),
          "terminal-condition", "Condition/c", 1 },
        { "cdc-2016-as-published", CARE("active", "order", "@9"),
          "palliative-care-order-90-days", "ServiceRequest/sr", 1 },
        { "cdc-2022-as-published", CARE("active", "order", "@9"),
          "palliative-care-order-90-days", NULL, -1 },
        { "cdc-2016-as-published", CANCER "," VISITS("@9", "@8", NAMES),
          "two-cancer-encounters-12-months", "Encounter/v", 1 },
        { "cdc-2022-as-published", CANCER "," VISITS("@9", "@8", NAMES),
          "active-cancer-treatment", NULL, 0 },
        { "cdc-2022-as-published", CONDITION(ICD, "D57.0", "active"), "sickle-cell",
          "Condition/c", 1 },
        { "cdc-2016-as-published", CONDITION(ICD, "D57.0", "active"), "sickle-cell", NULL,
          -1 },
        { "cdc-2022-as-published", HOSPICE("finished", "@9"), "hospice", "Encounter/h", 1 },
        { "cdc-2022-as-published", HOSPICE("finished", "@9"), "adult", "Patient/p", 1 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v = judge(
            b, cases[i].preset, OW_HOOK_NONE,
            ow_arena_printf(&b->arena, "%s,%s", ADULT, cases[i].chart), NULL);
        const struct ow_fact *f = NULL;

        for (size_t k = 0; k < v->n_facts; k++)
            if (ow_streq(v->facts[k].name, cases[i].name))
                f = &v->facts[k];
        assert_non_null(f);
        if (f->value != cases[i].value)
            fail_msg("row %zu: %s is %d", i, cases[i].name, f->value);
        assert_int_equal(f->n_evidence > 0, cases[i].by != NULL);
        if (cases[i].by != NULL)
            assert_string_equal(f->evidence[0], cases[i].by);
    }
}

static void a_medication_by_reference_is_seen_only_as_a_resource_of_its_own(void **state)
{
#define REFERS(how)                                                                      \
    "{'resourceType':'MedicationRequest','id':'d','status':'draft','intent':'order',"    \
    CATEGORY("community") "," SUBJECT "," how ",'authoredOn':'@0'," SUPPLY("30", "d") "}"
#define OF_ITS_OWN                                                                       \
    "{'resourceType':'Medication','id':'m','code':" RXNORM(OXY_5) "}"
    static const struct chart_case cases[] = {
        { OF_ITS_OWN, REFERS("'medicationReference':{'reference':'Medication/m'}"),
          "2 8 9 10a" },
        { "", REFERS("'medicationReference':{'reference':'#m'},'contained':[" OF_ITS_OWN
                     "]"), "" },
        { "", REFERS("'medicationReference':{'reference':'Medication/m'}"), "" },
    };

    (void)state;
    SIGN_22(cases);
}

/* ---- what is missing, of another kind, or not known to the day ---- */

static void a_time_that_is_missing_or_vague_is_not_seen(void **state)
{
#define BARE(status, category, code, more)                                               \
    "{'resourceType':'MedicationRequest','id':'a','status':'" status                     \
    "','intent':'order'," CATEGORY(category) "," SUBJECT                                 \
    ",'medicationCodeableConcept':" RXNORM(code) "," more "}"
#define UNDATED(type, id, status, more)                                                  \
    "{'resourceType':'" type "','id':'" id "','status':'" status "'," SUBJECT more "}"
#define REVIEWED ",'code':" CODING(SCT, "461651000124104")
#define ASSESSED(when) PROCEDURE("454281000124100", "completed", when)
    static const struct chart_case cases[] = {
        /* naivety */
        { BARE("active", "community", OXY_5, SUPPLY("5", "d")), DRAFT(OXY_5, "5"), "1" },
        { PAST("active", "community", "2026"), DRAFT(OXY_5, "5"), "1" },
        { PAST("active", "community", "2026-02"), DRAFT(OXY_5, "5"), "1" },
        { PAST("active", "community", "@-1"), DRAFT(OXY_5, "5"), "1" },
        { "{'resourceType':'MedicationDispense','id':'md','status':'completed'," SUBJECT
          ",'medicationCodeableConcept':" RXNORM(OXY_5) "}", DRAFT(OXY_5, "5"), "1" },
        { "{'resourceType':'MedicationDispense','id':'md','status':'completed'," SUBJECT
          ",'medicationReference':{'reference':'Medication/m'},'whenHandedOver':'@9'},"
          "{'resourceType':'Medication','id':'m','code':" RXNORM(OXY_5) "}",
          DRAFT(OXY_5, "5"), "1" },
        { DISPENSE("completed", "99999999", "@9"), DRAFT(OXY_5, "5"), "1" },
        { "{'resourceType':'MedicationStatement','id':'ms','status':'active'," SUBJECT
          ",'medicationCodeableConcept':" RXNORM(OXY_5) ",'effectiveDateTime':'@9'}",
          DRAFT(OXY_5, "5"), "1" },
        /* validity without one of its ends */
        { "", ORDER_OF("d", "draft", "community", OXY_5, "@0",
                       "'dispenseRequest':{'validityPeriod':{'start':'@0'}}", ""), "" },
        { "", ORDER_OF("d", "draft", "community", OXY_5, "@0",
                       "'dispenseRequest':{'validityPeriod':{'end':'@-90'}}", ""), "" },
        /* plans */
        { "{'resourceType':'CarePlan','id':'cp','status':'active','intent':'plan',"
          SUBJECT ",'category':[" CODING(LOINC, "80764-4") "],'created':'@9'}", MINE,
          "2 8 9 10a" }, /* of nobody */
        { PLAN("active", "Practitioner/w", "'title':'t'"), MINE, "2 8 9 10a" },
        { PLAN("active", "Practitioner/w", "'created':'2026-02'"), MINE, "2 8 9 10a" },
        { PLAN("active", "Practitioner/w", "'meta':{'lastUpdated':'@91T00:00:00Z'}"), MINE,
          "2 8 9 10a" },
        { PLAN("active", "Practitioner/w", "'meta':{'lastUpdated':'2026-02'}"), MINE,
          "2 8 9 10a" },
        { PLAN("active", "Practitioner/w", "'meta':{'lastUpdated':'@9T00:00:00Z'}"), MINE,
          "8 9 10a" },
        { "{'resourceType':'CarePlan','id':'cp','status':'active','intent':'plan',"
          SUBJECT ",'author':{'reference':'Practitioner/w'},'created':'@9'}", MINE,
          "2 8 9 10a" }, /* of no kind */
        { PROCEDURE("408957008", "completed", "'performedDateTime':'@9'"), MINE,
          "2 8 9 10a" },
        { PROCEDURE("408957008", "completed",
                    "'performer':[{'actor':{'reference':'Practitioner/w'}}]"), MINE,
          "2 8 9 10a" },
        { PROCEDURE("408957008", "completed",
                    "'performedDateTime':'@9','performer':[{'actor':{'reference':"
                    "'Practitioner/v'}},{'actor':{'reference':'Practitioner/w'}}]"), MINE,
          "8 9 10a" },
        { PROCEDURE("408957008", "completed",
                    "'performedDateTime':'2026-02','performer':[{'actor':{'reference':"
                    "'Practitioner/w'}}]"), MINE, "2 8 9 10a" },
        /* reviews */
        { UNDATED("Observation", "o", "final", REVIEWED), LONG, "2 8 9 10a" },
        { FINDING("final", "'effectiveDateTime':'2026-02'"), LONG, "2 8 9 10a" },
        { FINDING("final", "'effectivePeriod':{'end':'@9'}"), LONG, "2 8 9 10a" },
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT ",'code':"
          CODING(LOINC, "1") ",'effectiveDateTime':'@9','component':[{'code':" CODING(
              SCT, "461651000124104") "}]}", LONG, "2 8 9 10a" }, /* a part of another */
        /* assessments, days on opioids and visits */
        { HAD("a", "@90", "90") "," UNDATED("Procedure", "pr", "completed",
                                            ",'code':" CODING(SCT, "454281000124100")),
          LONG, "2 7 8 9 10a" },
        { HAD("a", "@90", "90") "," ASSESSED("'performedPeriod':{'end':'@9'}"), LONG,
          "2 7 8 9 10a" },
        { BARE("completed", "inpatient", OXY_5, SUPPLY("90", "d")), LONG, "2 8 9 10a" },
        { BARE("completed", "inpatient", OXY_5, "'authoredOn':'@90'"), LONG, "2 8 9 10a" },
        { "{'resourceType':'MedicationRequest','id':'a','status':'completed','intent':"
          "'order'," SUBJECT ",'medicationReference':{'reference':'Medication/m'},"
          "'authoredOn':'@90'," SUPPLY("90", "d") "},{'resourceType':'Medication','id':"
          "'m','code':" RXNORM(OXY_5) "}", LONG, "2 8 9 10a" },
        { HAD("a", "@7", "7") ",{'resourceType':'Encounter','id':'v','status':'finished',"
          "'class':{'code':'AMB'}," SUBJECT ",'type':[" CODING(SCT, VISIT_CODE) "]}", LONG,
          "2 8 9 10a" },
        { HAD("a", "@7", "7") ",{'resourceType':'Encounter','id':'v','status':'finished',"
          "'class':{'code':'AMB'}," SUBJECT ",'type':[" CODING(SCT, VISIT_CODE)
          "],'period':{'start':'@30'}}", LONG, "2 8 9 10a" },
        /* screens */
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'valueString':'Positive'}", LONG,
          "2 8 9 10a" },
        { SCREEN("s", COCAINE, "2026-02", "pos"), LONG, "2 8 9 10a" },
        { "{'resourceType':'Observation','id':'o','status':'unknown'," SUBJECT
          ",'code':" CODING(LOINC, COCAINE) ",'effectiveDateTime':'@9','valueString':"
          "'pos'}", LONG, "2 8 9 10a" },
        { "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT
          ",'code':" CODING(LOINC, "1") ",'effectiveDateTime':'@9','component':[{'code':"
          CODING(LOINC, COCAINE) ",'valueString':'pos'}]}", LONG, "2 8 9 10a" },
    };

    (void)state;
    static const struct chart_case views[] = {
        { ORDER("b", OXY_5, "@30", "30") "," DISPENSE("completed", "99999999", "@9"), NULL,
          "10a" },
    };

    SIGN_22(cases);
    VIEW_22(views);
    expect_at("cdc-2022-as-published", OW_HOOK_ORDER_SIGN, PATIENT("2008"),
              DRAFT(OXY_5, "5"), "", 0); /* 17 or 18 */
}

static void an_exclusion_without_its_time_or_link_is_none(void **state)
{
#define NO_PERIOD(id, more)                                                              \
    "{'resourceType':'Encounter','id':'" id "','status':'finished','class':{'code':"     \
    "'AMB'}," SUBJECT ",'type':[" CODING(SCT, VISIT_CODE) "]" more "}"
#define GONE(when)                                                                       \
    "{'resourceType':'Encounter','id':'h','status':'finished','class':{'code':'IMP'},"   \
    SUBJECT when "'hospitalization':{'dischargeDisposition':" CODING(SCT, "385763009")   \
    "}}"
    static const struct chart_case cases[] = {
        { NO_PERIOD("v1", "") "," NO_PERIOD("w2", "") "," OF_VISIT("c", "v1") ","
          OF_VISIT("k", "w2"), SHORT, "1" },
        { NO_PERIOD("v1", ",'period':{'end':'@9'}") ","
          NO_PERIOD("w2", ",'period':{'end':'@8'}") "," OF_VISIT("c", "v1") ","
          OF_VISIT("k", "w2"), SHORT, "1" },
        { NO_PERIOD("v1", ",'occurrenceDateTime':'@9'") ","
          NO_PERIOD("w2", ",'occurrenceDateTime':'@8'") "," OF_VISIT("c", "v1") ","
          OF_VISIT("k", "w2"), SHORT, "1" },
        { TWO_VISITS("@9", "@8") "," CONDITION_OF("c", ICD, "C50", KIND_DIAGNOSIS,
                                                  "resolved", ""), SHORT, "1" },
        { GONE(","), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { GONE(",'period':{'end':'@9'},"), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { HOSPICE("finished", "@-1"), DRAFT(ER, "30"), "2 3 4 8 9 10a" },
        { "", DRAFT("825409", "30"), "2 8 9 10a" }, /* tapentadol has no figure there */
    };
    static const struct chart_case cases_16[] = {
        { CANCER "," NO_PERIOD("v", NAMES) "," NO_PERIOD("w", NAMES), EIGHT, "6" },
        { CANCER "," NO_PERIOD("v", NAMES ",'occurrenceDateTime':'@9'") ","
          NO_PERIOD("w", NAMES ",'occurrenceDateTime':'@8'"), EIGHT, "6" },
        { CANCER "," NO_PERIOD("v", NAMES ",'period':{'end':'@9'}") ","
          NO_PERIOD("w", NAMES ",'period':{'end':'@8'}"), EIGHT, "6" },
        { CANCER "," VISITS("@9", "@8", ",'diagnosis':[{'condition':{'reference':"
                                        "'Condition/x'}},{'condition':{'reference':"
                                        "'Procedure/c'}}]"), EIGHT, "6" },
        { REQUEST("103735009", "active", "order", "'priority':'routine'"), EIGHT, "6" },
        { REQUEST("103735009", "active", "order", "'meta':{'lastUpdated':"
                                                  "'@9T00:00:00Z'}"), EIGHT, "6" },
        { CARE("active", "order", "2026-02"), EIGHT, "6" },
        { TALK("'occurrencePeriod':" PERIOD("@91", "@1")), LONG, "1 2 3 9 10a" },
        { SCREEN("s", COCAINE, "2026-02", "neg"), LONG, "1 2 3 9 10a" },
    };

    (void)state;
    SIGN_22(cases);
    SIGN_16(cases_16);
}

/* The reader lets no mistaken record through; one that came another way is none. */
static void a_mistaken_screen_is_none(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v = judge(b, "cdc-2022-as-published", OW_HOOK_ORDER_SIGN,
                                       ADULT "," SCREEN("s", COCAINE, "@9", "pos"), LONG);

    (void)state;
    assert_non_null(build_finding(v, "uds-unexpected"));
    ((struct ow_record *)b->chart.records)[0].status = "entered-in-error";
    v = build_judge(b);
    assert_null(build_finding(v, "uds-unexpected"));
    assert_non_null(build_finding(v, "uds-due"));
}

/* The same chart with nothing that could be named: the same findings, and no evidence. */
static void a_resource_without_a_name_decides_all_the_same(void **state)
{
    static const struct {
        const char *preset, *chart, *drafts, *expect;
    } cases[] = {
        { "cdc-2022-as-published", CONDITION(ICD, "D57.0", "active"), SHORT,
          SILENT("sickle-cell") },
        { "cdc-2022-as-published",
          TWO_VISITS("@9", "@8") "," OF_VISIT("c", "v1") "," OF_VISIT("k", "w2"), SHORT,
          "1" }, /* what is named by nobody cannot be joined */
        { "cdc-2016-as-published", CANCER "," VISITS("@9", "@8", NAMES), EIGHT, "6" },
        { "cdc-2022-as-published", ORDER("a", OXY_5, "@9", "5"), LONG, "8 9 10a" },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = fresh();
        const struct ow_verdict *v;
        const char *got;

        (void)judge(b, cases[i].preset, OW_HOOK_ORDER_SIGN,
                    ow_arena_printf(&b->arena, "%s,%s", ADULT, cases[i].chart),
                    cases[i].drafts);
        for (size_t k = 0; k < b->chart.n_records; k++)
            ((struct ow_record *)b->chart.records)[k].reference = NULL;
        for (size_t k = 0; k < b->chart.n_orders; k++)
            ((struct ow_order *)b->chart.orders)[k].reference = NULL;
        v = build_judge(b);
        got = tell(b, v);
        if (strcmp(got, cases[i].expect) != 0)
            fail_msg("row %zu: expected '%s', got '%s'", i, cases[i].expect, got);
        for (size_t k = 0; k < v->n_findings; k++)
            assert_int_equal(v->findings[k].n_evidence, 0);
    }
}

/* Without authoredOn an order has the day of its latest event, else of its bounds. */
static void an_order_beside_a_screen_has_the_day_of_its_doses(void **state)
{
#define TIMED(status, intent, timing)                                                    \
    "{'resourceType':'MedicationRequest','id':'a','status':'" status "','intent':'"      \
    intent "'," CATEGORY("community") "," SUBJECT ",'medicationCodeableConcept':"        \
    RXNORM(OXY_5) ",'dosageInstruction':[" timing "]}"
#define EVENTS(list) "{'timing':{'event':[" list "]}}"
#define BOUNDS(period) "{'timing':{'repeat':{'boundsPeriod':" period "}}}"
#define POSITIVE SCREEN("s", OXYCODONE, "@40", "pos") ","
    static const struct chart_case cases[] = {
        { POSITIVE TIMED("completed", "order", EVENTS("'@41'")), LONG, "2 8 9" },
        { POSITIVE TIMED("completed", "order", EVENTS("'@41','@60'")), LONG, "2 8 9" },
        { POSITIVE TIMED("completed", "order", EVENTS("'@90','@60'")), LONG, "2 8 9" },
        { POSITIVE TIMED("completed", "order", EVENTS("'@60','@40'")), LONG,
          "2 8 9 10b" }, /* the latest is that of the sample */
        { POSITIVE TIMED("completed", "order", EVENTS("'2026-01'")), LONG, "2 8 9 10b" },
        { POSITIVE TIMED("completed", "order", BOUNDS(PERIOD("@71", "@50"))), LONG,
          "2 8 9" },
        { POSITIVE TIMED("completed", "order", BOUNDS(PERIOD("@72", "@50"))), LONG,
          "2 8 9 10b" },
        { POSITIVE TIMED("completed", "order", BOUNDS("{'end':'@50'}")), LONG,
          "2 8 9 10b" },
        { POSITIVE TIMED("completed", "order",
                         BOUNDS(PERIOD("@60", "@50")) "," BOUNDS(PERIOD("@90", "@70"))),
          LONG, "2 8 9" },
        { POSITIVE TIMED("completed", "order",
                         BOUNDS(PERIOD("@90", "@70")) "," BOUNDS(PERIOD("@60", "@50"))),
          LONG, "2 8 9" },
        { POSITIVE TIMED("completed", "order", "{'text':'as told'}"), LONG, "2 8 9 10b" },
        { POSITIVE TIMED("completed", "plan", EVENTS("'@41'")), LONG, "2 8 9 10b" },
        { POSITIVE TIMED("active", "order", EVENTS("'@41'")), LONG, "2 8 9" },
        { POSITIVE TIMED("on-hold", "order", EVENTS("'@41'")), LONG, "2 8 9 10b" },
        { POSITIVE DISPENSE("completed", OXY_5, "@41"), LONG, "8 9 10b" },
    };

    (void)state;
    SIGN_22(cases);
}

static void several_drafts_are_each_evidence(void **state)
{
    static const struct {
        const char *preset, *drafts, *rule;
    } cases[] = {
#define SECOND(code, days)                                                               \
    "," ORDER_OF("e", "draft", "community", code, "@0", SUPPLY(days, "d"), "")
        { "cdc-2022-as-published", DRAFT(OXY_5, "8") SECOND(ER, "9"), "acute-duration" },
        { "cdc-2022-as-published", DRAFT(ER, "30") SECOND(ER, "60"), "er-la-opioid-naive" },
        { "cdc-2016-as-published", DRAFT(OXY_5, "8") SECOND(ER, "9"), "acute-duration" },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_finding *f = build_finding(
            judge(fresh(), cases[i].preset, OW_HOOK_ORDER_SIGN, ADULT, cases[i].drafts),
            cases[i].rule);

        assert_non_null(f);
        assert_int_equal(f->n_evidence, 2);
    }
}

static void what_is_of_another_kind_does_not_stand_beside_an_opioid(void **state)
{
    static const struct chart_case selects[] = {
        { ORDER("a", OXY_5, "@30", "30"), DRAFT(PHENTERMINE, "5"), "11" },
        { DISPENSE("completed", LORAZEPAM, "@9"), DRAFT(OXY_5, "5"), "" },
        /* a draft that carries the id of what it changes is named once */
        { ORDER("d", LORAZEPAM, "@9", "5"), DRAFT(OXY_5, "5"), "11" },
    };
    static const struct chart_case selects_16[] = {
        { ORDER("a", OXY_5, "@200", "5") "," ORDER("b", LORAZEPAM, "@9", "5"),
          DRAFT(PHENTERMINE, "5"), "" },
    };

    (void)state;
    SELECT_22(selects);
    SELECT_16(selects_16);
}

static void treatment_of_use_disorder_is_an_order_by_code_and_day(void **state)
{
#define ILL OUD("F11.20", KIND_PROBLEM, "active", TODAY) ","
    static const struct chart_case cases[] = {
        { ILL DISPENSE("completed", BUP, "@9"), NULL, "12" },
        { ILL BARE("active", "inpatient", BUP, "'reasonCode':[{'text':'x'}]"), NULL, "12" },
        { ILL ORDER_OF("a", "active", "inpatient", BUP, "2026", SUPPLY("5", "d"), ""),
          NULL, "12" },
        { ILL "{'resourceType':'MedicationRequest','id':'a','status':'active','intent':"
          "'order'," SUBJECT ",'medicationReference':{'reference':'Medication/m'},"
          "'authoredOn':'@9'},{'resourceType':'Medication','id':'m','code':" RXNORM(BUP)
          "}", NULL, "12" },
        { ILL ORDER_OF("a", "active", "inpatient", LORAZEPAM, "@9", SUPPLY("5", "d"), ""),
          NULL, "12" },
        { OUD("F11.20", KIND_PROBLEM, "active", ""), NULL, "" },
        { OUD("F11.20", KIND_PROBLEM, "active", ",'recordedDate':'2026'"), NULL, "" },
        { OUD("F11.20", KIND_DIAGNOSIS, "active", TODAY), NULL, "12" },
    };

    (void)state;
    VIEW_22(cases);
    /* a draft treats nobody yet */
    expect_at("cdc-2022-as-published", OW_HOOK_NONE,
              ADULT "," OUD("F11.20", KIND_PROBLEM, "active", TODAY),
              ORDER_OF("d", "active", "inpatient", BUP, "@9", SUPPLY("5", "d"), ""), "12",
              0);
    expect_at("cdc-2016-as-published", OW_HOOK_PATIENT_VIEW,
              ADULT "," OUD("F11.20", KIND_PROBLEM, "active", TODAY) ","
              PROCEDURE("313071005", "completed", "'performedPeriod':" PERIOD("@90", "@0")),
              NULL, "", 1);
    expect_at("cdc-2016-as-published", OW_HOOK_PATIENT_VIEW,
              ADULT "," OUD("F11.20", KIND_PROBLEM, "active", TODAY) ","
              PROCEDURE("313071005", "completed", "'performedDateTime':'@91'"), NULL, "12",
              2);
}

static void without_a_hook_drafts_and_active_orders_trigger(void **state)
{
    static const struct chart_case cases[] = {
        { "", DRAFT(OXY_5, "5"), "1" },
        { ORDER_OF("a", "draft", "community", OXY_5, "@0", SUPPLY("5", "d"), ""), NULL,
          "1" },
        { ORDER_OF("a", "stopped", "community", OXY_5, "@0", SUPPLY("5", "d"), ""), NULL,
          "" },
    };

    (void)state;
    expect_all("cdc-2022-as-published", OW_HOOK_NONE, cases, OW_LEN(cases));
}

static void the_dose_adds_only_what_has_a_figure(void **state)
{
#define FIRST(code, more) ORDER_OF("a", "active", "community", code, "@9",               \
                                   SUPPLY("30", "d"), more)
#define ONCE(id, status, code, value, more)                                              \
    ORDER_OF(id, status, "community", code, "@9", SUPPLY("30", "d"),                     \
             ",'dosageInstruction':[{'timing':{'repeat':{'frequency':1,'period':1,"      \
             "'periodUnit':'d'}},'doseAndRate':[{'doseQuantity':{'value':" value         \
             ",'unit':'mg','system':'http://unitsofmeasure.org','code':'mg'}}]}]" more)
#define AFTER(id) ",'priorPrescription':{'reference':'MedicationRequest/" id "'}"
    static const struct chart_case views[] = {
        /* not to be given, unreadable, excluded: no figure of their own */
        { FIRST(OXY_10, ",'doNotPerform':true," TABLETS("4", ONE)), NULL, "10a" },
        { FIRST(OXY_10, ",'dosageInstruction':[{'text':'as told'}]"), NULL, "10a" },
        { FIRST("993837", "," TABLETS("4", ONE)), NULL, "10a" },
    };
    static const struct chart_case cases[] = {
        { ONCE("b", "active", MORPHINE, "49", ""), NULL, "8 9 10a" },
        { ONCE("b", "active", MORPHINE, "50", ""), NULL, "4 8 9 10a" },
        { ONCE("b", "active", MORPHINE, "25", "") ","
          ONCE("a", "active", MORPHINE, "26", AFTER("b")), NULL, "4 8 9 10a" },
        { FIRST("1049621", ",'doNotPerform':true," TABLETS("4", ONE)) ","
          ONCE("b", "active", MORPHINE, "49", ""), NULL, "8 9 10a" },
        /* replaced ones whose figure, or whose sum, fits no number */
        { ONCE("b", "active", OXY_5, "9000000000000000000", "") ","
          ONCE("a", "active", OXY_5, "20", AFTER("b")), NULL, "8 9 10a" },
        { ONCE("b", "active", MORPHINE, "9000000000000000000", "") ","
          ONCE("c", "active", MORPHINE, "9000000000000000001", AFTER("b")) ","
          ONCE("a", "active", MORPHINE, "60", AFTER("c")), NULL, "8 9 10a" },
        /* one that is over by its own dates: its highest step */
        { FIRST(MORPHINE, ",'dosageInstruction':["
                "{'sequence':1,'timing':{'repeat':{'boundsPeriod':" PERIOD("@9", "@5")
                ",'frequency':4,'period':1,'periodUnit':'d'}},'doseAndRate':[" ONE "]},"
                "{'sequence':2,'timing':{'repeat':{'boundsPeriod':" PERIOD("@4", "@2")
                ",'frequency':1,'period':1,'periodUnit':'d'}},'doseAndRate':[" ONE "]}]"),
          NULL, "4 8 9 10a" },
    };

    (void)state;
    VIEW_22(views);
    expect_all("cdc-2022-as-published", OW_HOOK_NONE, cases, OW_LEN(cases));
}

static void days_and_months_are_those_of_the_calendar(void **state)
{
    static const struct {
        const char *today;
        int months;
        const char *expect;
    } cases[] = {
        { "2026-03-31", 1, "2026-02-28" },
        { "2024-03-31", 1, "2024-02-29" },
        { "2026-01-31", 2, "2025-11-30" },
        { "2026-03-02", 12, "2025-03-02" },
        { "2024-02-29", 24, "2022-02-28" },
    };
    static const struct {
        struct ow_span span;
        bool known;
    } spans[] = {
        { { OW_TIME_MIN, 5 * OW_DAY }, false },
        { { 0, OW_TIME_MAX }, false },
        { { OW_DAY, OW_DAY }, false },
        { { 0, OW_DAY + 1 }, false },
        { { 0, OW_DAY }, true },
        { { OW_HOUR, OW_HOUR + 1 }, true },
    };
    struct ow_question q = { .at = 0 };
    struct ow_judge j = { .q = &q };
    struct ow_pub u = { .j = &j };
    int64_t day = -1;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        u.today = build_time(cases[i].today).from / OW_DAY;
        assert_int_equal(ow_pub_months_ago(&u, cases[i].months),
                         build_time(cases[i].expect).from / OW_DAY);
    }
    for (size_t i = 0; i < OW_LEN(spans); i++)
        assert_int_equal(ow_pub_day(&u, spans[i].span, &day), spans[i].known);
    assert_int_equal(day, 0);
    assert_true(ow_pub_refers("https://e.org/Condition/c", "Condition/c"));
    assert_true(ow_pub_refers("urn:uuid:1", "urn:uuid:1")); /* no type before it */
    assert_false(ow_pub_refers("Condition/c", "Condition/d"));
    assert_false(ow_pub_refers(NULL, "Condition/c"));
    assert_false(ow_pub_refers("Condition/c", NULL));
}

static void a_rule_that_is_off_or_in_shadow_obeys(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    judge(b, "cdc-2022-as-published", OW_HOOK_ORDER_SIGN, ADULT, LONG);
    b->policy.rules[OW_RULE_PDMP].mode = OW_MODE_OFF;
    b->policy.rules[OW_RULE_NALOXONE].mode = OW_MODE_SHADOW;
    v = build_judge(b);
    assert_null(build_finding(v, "pdmp-due"));
    assert_true(build_finding(v, "naloxone-offer")->shadow);
    assert_int_equal(v->n_cards, 2);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_order_without_a_factor_has_no_figure),
        cmocka_unit_test(a_supply_of_28_days_divides_acute_from_longer_pain),
        cmocka_unit_test(only_opioids_of_the_community_that_are_drafts_trigger),
        cmocka_unit_test(an_opioid_of_days_90_to_1_ends_naivety),
        cmocka_unit_test(a_plan_of_the_recorder_within_90_days_meets_the_second),
        cmocka_unit_test(extended_release_is_asked_of_longer_supplies_only),
        cmocka_unit_test(the_dose_is_that_of_longer_orders_with_equal_figures_once),
        cmocka_unit_test(reassessment_is_asked_of_who_was_on_opioids),
        cmocka_unit_test(a_review_of_monitoring_data_has_its_days_and_forms),
        cmocka_unit_test(screens_of_a_year_and_a_day_are_compared_with_orders),
        cmocka_unit_test(an_unexpected_result_is_named),
        cmocka_unit_test(opioid_and_sedative_together_2022),
        cmocka_unit_test(opioid_use_disorder_without_a_treatment_order),
        cmocka_unit_test(the_general_criteria_of_2022_exclude),
        cmocka_unit_test(the_end_of_life_of_2022_excludes_some),
        cmocka_unit_test(chronic_of_2016_is_28_days_of_supply_and_nothing_else),
        cmocka_unit_test(counselling_and_reviews_of_2016),
        cmocka_unit_test(risks_of_2016_ask_for_naloxone),
        cmocka_unit_test(screens_of_2016),
        cmocka_unit_test(the_general_criteria_of_2016_exclude),
        cmocka_unit_test(the_end_of_life_of_2016_excludes_some),
        cmocka_unit_test(without_a_hook_every_rule_is_asked_once),
        cmocka_unit_test(facts_are_those_of_the_edition),
        cmocka_unit_test(a_medication_by_reference_is_seen_only_as_a_resource_of_its_own),
        cmocka_unit_test(a_time_that_is_missing_or_vague_is_not_seen),
        cmocka_unit_test(an_exclusion_without_its_time_or_link_is_none),
        cmocka_unit_test(a_mistaken_screen_is_none),
        cmocka_unit_test(a_resource_without_a_name_decides_all_the_same),
        cmocka_unit_test(an_order_beside_a_screen_has_the_day_of_its_doses),
        cmocka_unit_test(several_drafts_are_each_evidence),
        cmocka_unit_test(what_is_of_another_kind_does_not_stand_beside_an_opioid),
        cmocka_unit_test(treatment_of_use_disorder_is_an_order_by_code_and_day),
        cmocka_unit_test(without_a_hook_drafts_and_active_orders_trigger),
        cmocka_unit_test(the_dose_adds_only_what_has_a_figure),
        cmocka_unit_test(days_and_months_are_those_of_the_calendar),
        cmocka_unit_test(a_rule_that_is_off_or_in_shadow_obeys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
