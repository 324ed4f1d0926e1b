/*
 * Facts out of records and orders of every form: without a date, with half a Period,
 * without a name, told by words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

#define ICD   OW_SYSTEM_ICD10
#define SCT   OW_SYSTEM_SNOMED
#define LOINC OW_SYSTEM_LOINC

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

static struct ow_record *add(const char *type, const char *status, const char *system,
                             const char *code)
{
    struct ow_record *all = OW_NEW_N(&b.arena, struct ow_record, b.chart.n_records + 1);
    struct ow_record *r = &all[b.chart.n_records];

    if (b.chart.n_records > 0)
        memcpy(all, b.chart.records, b.chart.n_records * sizeof *all);
    *r = (struct ow_record){ .type = type, .status = status };
    r->reference = ow_arena_printf(&b.arena, "%s/%zu", type, b.chart.n_records);
    if (code != NULL)
        r->code = build_concept(&b, system, code, NULL);
    b.chart.records = all;
    b.chart.n_records++;
    return r;
}

static void when(struct ow_record *r, const char *from, const char *until)
{
    r->has_when = true;
    r->when.from = from != NULL ? build_time(from).from : OW_TIME_MIN;
    r->when.until = until != NULL ? build_time(until).until : OW_TIME_MAX;
}

static void recorded(struct ow_record *r, const char *of, const char *day)
{
    r->has_recorded = true;
    r->recorded_of = of;
    r->recorded = build_time(day);
}

static const struct ow_fact *fact(const char *name)
{
    const struct ow_verdict *v = build_judge(&b);

    for (size_t i = 0; i < v->n_facts; i++)
        if (ow_streq(v->facts[i].name, name))
            return &v->facts[i];
    fail_msg("no fact %s", name);
    return NULL;
}

static int value(const char *name)
{
    return fact(name)->value;
}

static struct ow_concept *one(const char *system, const char *code, const char *display)
{
    struct ow_concept *c = OW_NEW(&b.arena, struct ow_concept);

    *c = build_concept(&b, system, code, display);
    return c;
}

/* ---- pregnancy: 42 weeks ---- */

static void a_pregnancy_has_a_day_or_counts_as_now(void **state)
{
    struct ow_record *r = add("Condition", "active", ICD, "Z33.1");

    (void)state;
    assert_int_equal(value("pregnancy"), 1); /* without a day */
    when(r, "2025-05-11", NULL);             /* 295 days ago */
    assert_int_equal(value("pregnancy"), 0);
    when(r, NULL, "2025-06-01"); /* no beginning */
    assert_int_equal(value("pregnancy"), 1);
    when(r, "2025-09-01", NULL);
    r = add("Condition", "active", ICD, "Z33.1");
    when(r, "2025-08-01", NULL); /* told before: the later names it */
    assert_string_equal(fact("pregnancy")->evidence[0], "Condition/0");
    r = add("Condition", "active", ICD, "Z33.1");
    when(r, "2025-10-01", NULL);
    assert_string_equal(fact("pregnancy")->evidence[0], "Condition/2");
}

static void a_birth_ends_what_began_before_it(void **state)
{
    struct ow_record *p = add("Condition", "active", ICD, "Z33.1");
    struct ow_record *birth = add("Condition", "resolved", ICD, "O80");

    (void)state;
    when(p, "2025-08-01", NULL);
    assert_int_equal(value("pregnancy"), 0); /* a birth without a day is of now */
    when(birth, "2026-04-01", NULL);         /* expected */
    assert_int_equal(value("pregnancy"), 1);
    when(birth, "2025-01-01", NULL); /* of the one before */
    assert_int_equal(value("pregnancy"), 1);
    when(birth, NULL, "2025-01-01");
    assert_int_equal(value("pregnancy"), 0);
    when(birth, "2026-02-01", NULL);
    assert_int_equal(value("pregnancy"), 0);
    when(add("Condition", "resolved", ICD, "O80"), "2025-07-01", NULL);
    assert_int_equal(value("pregnancy"), 0); /* the later of the two counts */
    when(add("Procedure", "completed", SCT, "11466000"), "2026-02-20", NULL);
    when(p, "2026-02-10", NULL);
    assert_int_equal(value("pregnancy"), 0);
    /* an active birth is no pregnancy */
    b.chart.n_records = 0;
    when(add("Condition", "active", ICD, "O80"), "2026-02-20", NULL);
    assert_int_equal(value("pregnancy"), 0);
}

static void another_answer_about_pregnancy_says_nothing(void **state)
{
    struct ow_record *p = add("Condition", "active", ICD, "Z33.1");
    struct ow_record *o = add("Observation", "final", LOINC, "82810-3");

    (void)state;
    when(p, "2025-08-01", NULL);
    when(o, "2026-02-01", "2026-02-01");
    o->value = build_concept(&b, SCT, "261665006", NULL); /* unknown */
    assert_int_equal(value("pregnancy"), 1);
}

/* ---- conditions ---- */

static void use_disorder_has_the_day_it_was_recorded(void **state)
{
    static const char *const only[] = { "opioid-use-disorder" };
    struct ow_record *r = add("Condition", "active", ICD, "F11.20");

    (void)state;
    build_rules(&b, only, 1);
    b.chart.patient.has_birth = true;
    b.chart.patient.birth = build_time("1980-01-01");
    assert_int_equal(value("opioid-use-disorder"), 1);
    assert_null(build_finding(build_judge(&b), only[0])); /* nobody says when */
    recorded(r, "recordedDate", "2026-02-01");
    assert_non_null(build_finding(build_judge(&b), only[0]));
    recorded(r, "lastUpdated", "2026-02-01"); /* of the server, not of the patient */
    assert_null(build_finding(build_judge(&b), only[0]));
    when(r, "2026-02-01", NULL); /* its onset */
    assert_non_null(build_finding(build_judge(&b), only[0]));
    when(r, "2024-02-01", NULL);
    assert_null(build_finding(build_judge(&b), only[0]));
    when(r, NULL, "2026-02-01");
    assert_null(build_finding(build_judge(&b), only[0]));
    when(r, NULL, NULL);
    assert_null(build_finding(build_judge(&b), only[0]));
}

static void a_terminal_condition_is_one_while_it_is_active(void **state)
{
    struct ow_record *r = add("Condition", "active", ICD, "C25");

    (void)state;
    assert_int_equal(value("terminal-condition"), 1);
    r->status = "resolved";
    assert_int_equal(value("terminal-condition"), 0);
    /* two reasons, one exclusion, named by the first */
    r->status = "active";
    add("Condition", "active", SCT, "162607003");
    assert_int_equal(value("end-of-life-condition"), 1);
    assert_int_equal(value("terminal-condition"), 1);
}

static void what_cost_tolerance_counts_for_a_year(void **state)
{
    struct ow_record *r = add("Condition", "active", ICD, "Z65.2");

    (void)state;
    assert_int_equal(value("lost-tolerance"), 1); /* without a day it may be now */
    when(r, "2025-03-02", NULL);
    assert_int_equal(value("lost-tolerance"), 1);
    when(r, "2025-03-01", NULL);
    assert_int_equal(value("lost-tolerance"), 0);
}

static void cancer_of_a_visit_is_treatment_by_its_category(void **state)
{
    static const struct {
        const char *a, *b;
        int value;
    } cases[] = {
        {"encounter-diagnosis",  NULL,                0},
        { "encounter-diagnosis", "problem-list-item", 1},
        { "encounter-diagnosis", "health-concern",    1},
        { "problem-list-item",   NULL,                1},
        { "other",               NULL,                1},
    };
    struct ow_record *r = add("Condition", "active", ICD, "C50.911");
    struct ow_concept both[2];

    (void)state;
    r->categories = both;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        both[0] = *one("urn:kind", cases[i].a, NULL);
        r->n_categories = 1;
        if (cases[i].b != NULL)
            both[r->n_categories++] = *one("urn:kind", cases[i].b, NULL);
        assert_int_equal(value("active-cancer-treatment"), cases[i].value);
    }
}

/* ---- visits ---- */

static struct ow_record *visit(const char *day, const char *const *links)
{
    struct ow_record *r = add("Encounter", "finished", NULL, NULL);

    when(r, day, day);
    r->links = links;
    r->n_links = 1;
    return r;
}

static void two_visits_of_several_cancers_and_one_role(void **state)
{
    static const char *const first[] = { "Condition/0" };
    static const char *const second[] = { "Condition/1" };
    static const char *const role[] = { "PractitionerRole/2" };
    static const char *const other[] = { "Location/9" };
    struct ow_record *r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        r = add("Condition", "resolved", ICD, "C50.911");
        r->links = other; /* no visit */
        r->n_links = 1;
    }
    r = add("PractitionerRole", NULL, NULL, NULL);
    r->more = one("http://nucc.org/provider-taxonomy", "207RX0202X", NULL);
    r->n_more = 1;
    visit("2026-01-05", other);
    visit("2026-01-06", second);
    assert_int_equal(value("two-cancer-encounters-12-months"), 0);
    visit("2026-01-07", role);
    assert_int_equal(value("two-cancer-encounters-12-months"), 1);
    visit("2026-01-08", first);
    visit("2026-01-09", first);
    assert_int_equal(fact("two-cancer-encounters-12-months")->n_evidence, 2);
}

static void a_role_that_is_not_of_oncology_is_none(void **state)
{
    static const char *const role[] = { "PractitionerRole/0" };
    struct ow_record *r = add("PractitionerRole", NULL, NULL, NULL);

    (void)state;
    r->more = one("http://nucc.org/provider-taxonomy", "1", NULL);
    r->n_more = 1;
    visit("2026-01-05", role);
    visit("2026-01-06", role);
    assert_int_equal(value("two-cancer-encounters-12-months"), 0);
}

static void visits_that_nobody_can_name_or_date_are_not_joined(void **state)
{
    static const char *const link[] = { "Encounter/1" };
    struct ow_record *c = add("Condition", "resolved", ICD, "C50.911"), *e;

    (void)state;
    c->links = link;
    c->n_links = 1;
    e = visit("2026-01-05", link);
    e->reference = NULL;
    e = visit("2026-01-06", link);
    e->has_when = false;
    e = visit(NULL, link);
    assert_int_equal(value("two-cancer-encounters-12-months"), 0);
    ((struct ow_record *)b.chart.records)[0].reference = NULL;
    assert_int_equal(value("two-cancer-encounters-12-months"), 0);
}

static void hospice_is_a_discharge_of_the_year(void **state)
{
    struct ow_record *e = add("Encounter", "finished", NULL, NULL);

    (void)state;
    e->more = one("http://terminology.hl7.org/CodeSystem/discharge-disposition", "hosp",
                  NULL);
    e->n_more = 1;
    assert_int_equal(value("hospice"), 1); /* without a day */
    when(e, NULL, "2026-01-01");
    assert_int_equal(value("hospice"), 1);
    when(e, "2026-03-03", NULL); /* planned */
    assert_int_equal(value("hospice"), 0);
    when(e, "2024-03-03", NULL);
    assert_int_equal(value("hospice"), 0);
    when(e, "2026-01-01", NULL);
    e->status = "entered-in-error";
    assert_int_equal(value("hospice"), 0);
    e->status = "cancelled";
    assert_int_equal(value("hospice"), 0);
}

/* ---- what was done or ordered ---- */

static void requests_count_by_when_they_were_written(void **state)
{
    struct ow_record *r = add("ServiceRequest", "active", SCT, "103735009");

    (void)state;
    recorded(r, "authoredOn", "2026-02-01");
    assert_int_equal(value("palliative-care-order-90-days"), 1);
    r->intent = "proposal";
    assert_int_equal(value("palliative-care-order-90-days"), 0);
    r->intent = "option";
    assert_int_equal(value("palliative-care-order-90-days"), 0);
    r->intent = "order";
    recorded(r, "authoredOn", "2025-01-01");
    assert_int_equal(value("palliative-care-order-90-days"), 0);
    recorded(r, "lastUpdated", "2025-01-01");
    assert_int_equal(value("palliative-care-order-90-days"), 1); /* nobody says when */
    r->has_recorded = false;
    assert_int_equal(value("palliative-care-order-90-days"), 1);
    r->code = build_concept(&b, SCT, "306205009", NULL); /* hospice */
    assert_int_equal(value("hospice"), 1);
    recorded(r, "authoredOn", "2024-01-01");
    assert_int_equal(value("hospice"), 0);
}

static void the_later_of_two_events_counts(void **state)
{
    (void)state;
    when(add("Procedure", "completed", SCT, "461621000124108"), "2026-02-01",
         "2026-02-01");
    when(add("Procedure", "completed", SCT, "461621000124108"), "2026-01-01",
         "2026-01-01");
    assert_string_equal(fact("pdmp-review-90-days")->evidence[0], "Procedure/0");
    b.chart.n_records = 0;
    when(add("Procedure", "completed", SCT, "461621000124108"), NULL, "2026-01-01");
    assert_int_equal(value("pdmp-review-90-days"), 1); /* its end is known */
}

static void a_review_or_an_agreement_may_be_an_observation(void **state)
{
    struct ow_record *r = add("Observation", "final",
                              "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
                              "G9578");

    (void)state;
    when(r, "2026-01-01", "2026-01-01");
    assert_int_equal(value("agreement-12-months"), 1);
    r->status = "preliminary";
    assert_int_equal(value("agreement-12-months"), 0);
    r->code = build_concept(&b, LOINC, "4548-4", NULL);
    r->status = "corrected";
    r->value = build_concept(&b, SCT, "461651000124104", NULL);
    assert_int_equal(value("pdmp-review-90-days"), 1);
    r->status = NULL; /* nobody says */
    assert_int_equal(value("pdmp-review-90-days"), 1);
}

static void an_agreement_has_words_of_both_kinds(void **state)
{
    static const struct {
        const char *words;
        int value;
    } cases[] = {
        {"Pain contract",                   1},
        { "Opioid agreement",               1},
        { "Controlled substances contract", 1},
        { "Rental contract",                0},
        { "Pain diary",                     0},
        { NULL,                             0},
    };
    struct ow_record *r = add("Consent", "active", NULL, NULL);

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_concept text = { .text = cases[i].words };

        r->code = *one("urn:site", "x", cases[i].words);
        assert_int_equal(value("agreement-12-months"), cases[i].value);
        r->code = text;
        assert_int_equal(value("agreement-12-months"), cases[i].value);
    }
    r->code = *one("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "G9578",
                   NULL);
    assert_int_equal(value("agreement-12-months"), 1);
}

static void a_plan_of_pain_treatment_meets_the_goals(void **state)
{
    static const char *const only[] = { "treatment-goals", "nonopioid-first" };
    struct ow_order *o = build_order(&b, "rx", RX_OXYCODONE_5);
    struct ow_record *r;

    (void)state;
    build_rules(&b, only, 2);
    b.chart.patient.has_birth = true;
    b.chart.patient.birth = build_time("1980-01-01");
    o->authored = build_time("2026-03-02");
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    assert_non_null(build_finding(build_judge(&b), only[0]));
    r = add("CarePlan", "active", LOINC, "1");
    recorded(r, "created", "2026-02-01");
    assert_non_null(build_finding(build_judge(&b), only[0])); /* of something else */
    assert_non_null(build_finding(build_judge(&b), only[1]));
    r->categories = one(LOINC, "80764-4", NULL);
    r->n_categories = 1;
    assert_null(build_finding(build_judge(&b), only[0]));
    assert_null(build_finding(build_judge(&b), only[1]));
    r->status = "revoked";
    assert_non_null(build_finding(build_judge(&b), only[0]));
    add("Basic", NULL, LOINC, "80764-4"); /* of a type that nobody reads */
    assert_non_null(build_finding(build_judge(&b), only[0]));
}

/* ---- orders ---- */

static struct ow_order *named(const char *name)
{
    struct ow_order *o = build_order(&b, "rx", NULL);

    o->medication.code = build_concept(&b, "urn:site", "x", name);
    return o;
}

static void naloxone_shows_by_name_or_by_list(void **state)
{
    static const struct {
        const char *name;
        int value;
    } cases[] = {
        {"Narcan 4 mg spray",    1},
        { "ZIMHI",               1},
        { "buprenorphine thing", 0},
        { "salt",                0},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o;

        b.chart.n_orders = 0;
        memset(b.orders, 0, sizeof *b.orders);
        o = named(cases[i].name);
        if (value("naloxone-2-years") != cases[i].value)
            fail_msg("%s", cases[i].name);
        o->has_authored = false; /* in force, nobody says since when */
        assert_int_equal(value("naloxone-2-years"), cases[i].value);
        o->kind = OW_ADMINISTRATION; /* given once is not at hand */
        assert_int_equal(value("naloxone-2-years"), 0);
    }
}

static void a_draft_of_naloxone_is_at_hand(void **state)
{
    struct ow_order *o = build_order(&b, "d", "1725059");

    (void)state;
    o->authored = build_time("2020-01-01");
    build_draft(&b, o);
    assert_int_equal(value("naloxone-2-years"), 1);
}

static void naltrexone_treats_unless_it_is_for_something_else(void **state)
{
    static const struct {
        const char *name, *reason;
        int value;
    } cases[] = {
        {"Vivitrol",                NULL,                1},
        { "naltrexone 50 mg",       "opioid dependence", 1},
        { "naltrexone 50 mg",       "alcohol",           0},
        { "methylnaltrexone 12 mg", NULL,                0},
        { "naltrexone / bupropion", NULL,                0},
        { "Contrave",               NULL,                0},
        { "salt",                   NULL,                0},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        for (int coded = 0; coded < 2; coded++) {
            struct ow_concept reason = { .text = coded ? NULL : cases[i].reason };
            struct ow_order *o;

            b.chart.n_orders = 0;
            memset(b.orders, 0, sizeof *b.orders);
            o = named(cases[i].name);
            if (coded)
                reason = *one("urn:site", "r", cases[i].reason);
            o->reasons = &reason;
            o->n_reasons = 1;
            if (value("oud-treatment") != cases[i].value)
                fail_msg("%s, %d", cases[i].name, coded);
        }
}

static void buprenorphine_is_for_pain_by_form_or_reason(void **state)
{
    static const struct {
        const char *rx;
        int treats;
    } cases[] = {
        {"351265",  1}, /* 8 mg sublingual tablet */
        { "238129", 0}, /* 0.3 mg/mL injection */
        { "904870", 0}, /* patch */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o;

        b.chart.n_orders = 0;
        memset(b.orders, 0, sizeof *b.orders);
        o = build_order(&b, "rx", cases[i].rx);
        if (value("oud-treatment") != cases[i].treats)
            fail_msg("%s", cases[i].rx);
        o->reasons = one(ICD, "F45.41", NULL); /* a list of chronic pain */
        o->n_reasons = 1;
        assert_int_equal(value("oud-treatment"), 0);
        o->reasons = one(ICD, "F11.20", NULL);
        assert_int_equal(value("oud-treatment"), 1);
    }
}

static void a_supply_beyond_reason_ends_no_naivety(void **state)
{
    struct ow_order *o = build_order(&b, "rx", RX_OXYCODONE_5);

    (void)state;
    o->status = OW_STATUS_COMPLETED;
    o->authored = build_time("2025-10-01");
    build_supply(o, "120", 30);
    o->has_refills = true;
    o->refills = 1000;
    assert_int_equal(value("opioid-naive"), 1);
    o->refills = 999;
    assert_int_equal(value("opioid-naive"), 0);
    o->supply_duration.value = build_ratio("900000000000000000");
    assert_int_equal(value("opioid-naive"), 1); /* fits no number */
}

static void an_inpatient_order_makes_nobody_used_to_it(void **state)
{
    struct ow_order *o = build_order(&b, "rx", RX_OXYCODONE_5);

    (void)state;
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "400", 100);
    assert_int_equal(value("chronic-opioid-therapy"), 1);
    assert_int_equal(value("opioid-naive"), 0);
    o->categories = OW_CATEGORY_INPATIENT;
    assert_int_equal(value("chronic-opioid-therapy"), 0);
    assert_int_equal(value("opioid-naive"), 1);
    o->kind = OW_DISPENSE;
    o->categories = 0;
    o->status = OW_STATUS_COMPLETED;
    o->authored = build_time("2026-01-10");
    assert_int_equal(value("opioid-naive"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_pregnancy_has_a_day_or_counts_as_now),
        TEST(a_birth_ends_what_began_before_it),
        TEST(another_answer_about_pregnancy_says_nothing),
        TEST(use_disorder_has_the_day_it_was_recorded),
        TEST(a_terminal_condition_is_one_while_it_is_active),
        TEST(what_cost_tolerance_counts_for_a_year),
        TEST(cancer_of_a_visit_is_treatment_by_its_category),
        TEST(two_visits_of_several_cancers_and_one_role),
        TEST(a_role_that_is_not_of_oncology_is_none),
        TEST(visits_that_nobody_can_name_or_date_are_not_joined),
        TEST(hospice_is_a_discharge_of_the_year),
        TEST(requests_count_by_when_they_were_written),
        TEST(the_later_of_two_events_counts),
        TEST(a_review_or_an_agreement_may_be_an_observation),
        TEST(an_agreement_has_words_of_both_kinds),
        TEST(a_plan_of_pain_treatment_meets_the_goals),
        TEST(naloxone_shows_by_name_or_by_list),
        TEST(a_draft_of_naloxone_is_at_hand),
        TEST(naltrexone_treats_unless_it_is_for_something_else),
        TEST(buprenorphine_is_for_pain_by_form_or_reason),
        TEST(a_supply_beyond_reason_ends_no_naivety),
        TEST(an_inpatient_order_makes_nobody_used_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
