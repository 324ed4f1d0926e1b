/*
 * Unexpected screens: what a result says, and which orders explain it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

#define COCAINE       "3397-7"
#define OXYCODONE     "10998-3"
#define OPIATES       "17384-9"
#define CODEINE       "13641-6" /* one opiate */
#define METHADONE     "16199-2"
#define BUPRENORPHINE "16208-1"
#define SAMPLE        "2026-02-05"
#define IN_TIME       "2026-01-20"

static struct build b;

/* Morphine for longer pain, signed after the sample; no other order. */
static void begin(void)
{
    static const char *const only[] = { "uds-unexpected" };
    static bool used;
    struct ow_order *o;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    build_rules(&b, only, 1);
    b.chart.patient.has_birth = true;
    b.chart.patient.birth = build_time("1980-05-05");
    o = build_order(&b, "rx1", RX_MORPHINE_15);
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->authored = build_time("2026-03-01");
}

static struct ow_record *screen(const char *test, const char *text, const char *day)
{
    struct ow_record *all = OW_NEW_N(&b.arena, struct ow_record, b.chart.n_records + 1);
    struct ow_record *r = &all[b.chart.n_records];

    if (b.chart.n_records > 0)
        memcpy(all, b.chart.records, b.chart.n_records * sizeof *all);
    *r = (struct ow_record){ .type = "Observation", .status = "final" };
    r->reference = ow_arena_printf(&b.arena, "Observation/%zu", b.chart.n_records);
    r->code = build_concept(&b, OW_SYSTEM_LOINC, test, NULL);
    r->value.text = text;
    r->has_when = true;
    r->when = build_time(day);
    b.chart.records = all;
    b.chart.n_records++;
    return r;
}

static const struct ow_finding *unexpected(void)
{
    return build_finding(build_judge(&b), "uds-unexpected");
}

static void a_result_says_positive_or_negative_or_neither(void **state)
{
    static const struct {
        const char *text;
        bool positive, negative;
    } cases[] = {
        {"  POSITIVE",     true,  false},
        { "Detected",      true,  false},
        { "none detected", false, true },
        { "Not Detected",  false, true },
        { "Neg.",          false, true },
        { "not done",      false, false},
        { "po",            false, false},
        { "",              false, false},
        { "none",          false, false},
        { "9 ng/mL",       false, false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o;

        begin();
        screen(COCAINE, cases[i].text, SAMPLE);
        if ((unexpected() != NULL) != cases[i].positive)
            fail_msg("'%s', not ordered", cases[i].text);
        begin();
        o = build_order(&b, "o", RX_OXYCODONE_5);
        o->authored = build_time(IN_TIME);
        screen(OXYCODONE, cases[i].text, SAMPLE);
        if ((unexpected() != NULL) != cases[i].negative)
            fail_msg("'%s', ordered", cases[i].text);
    }
}

/* What is said both ways says nothing; a code goes before words. */
static void a_result_said_both_ways_is_none(void **state)
{
    struct ow_concept more;
    struct ow_record *r;

    (void)state;
    begin();
    r = screen(COCAINE, "Negative", SAMPLE);
    r->value = build_concept(&b, OW_SYSTEM_SNOMED, "10828004", NULL);
    r->value.text = "Negative";
    assert_non_null(unexpected());
    more = build_concept(&b, OW_SYSTEM_LOINC, "LA6577-6", NULL);
    r->more = &more;
    r->n_more = 1;
    assert_null(unexpected());
}

static void only_final_results_of_the_window_count(void **state)
{
    static const struct {
        const char *status, *type, *day;
        bool counts;
    } cases[] = {
        {"final",       "Observation", SAMPLE,       true },
        { "amended",    "Observation", SAMPLE,       true },
        { "corrected",  "Observation", SAMPLE,       true },
        { NULL,         "Observation", SAMPLE,       true },
        { "registered", "Observation", SAMPLE,       false},
        { "final",      "Procedure",   SAMPLE,       false},
        { "final",      "Observation", NULL,         false},
        { "final",      "Observation", "2026-03-03", false},
        { "final",      "Observation", "2025-03-01", false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_record *r;

        begin();
        r = screen(COCAINE, "positive", SAMPLE);
        r->status = cases[i].status;
        r->type = cases[i].type;
        r->has_when = cases[i].day != NULL;
        if (cases[i].day != NULL)
            r->when = build_time(cases[i].day);
        if ((unexpected() != NULL) != cases[i].counts)
            fail_msg("case %zu", i);
    }
}

static void orders_explain_by_status_and_time(void **state)
{
    static const struct {
        enum ow_status status;
        bool explains, promises; /* a positive; a negative goes against it */
    } cases[] = {
        {OW_STATUS_ACTIVE,     true,  true },
        { OW_STATUS_COMPLETED, true,  true },
        { OW_STATUS_STOPPED,   true,  false}, /* it may have been stopped before */
        { OW_STATUS_ON_HOLD,   false, false},
        { OW_STATUS_CANCELLED, false, false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        for (int negative = 0; negative < 2; negative++) {
            struct ow_order *o;

            begin();
            o = build_order(&b, "o", RX_OXYCODONE_5);
            o->authored = build_time(IN_TIME);
            o->status = cases[i].status;
            screen(OXYCODONE, negative ? "negative" : "positive", SAMPLE);
            if ((unexpected() != NULL) !=
                (negative ? cases[i].promises : !cases[i].explains))
                fail_msg("case %zu, %d", i, negative);
        }
}

static void what_was_not_ordered_explains_nothing(void **state)
{
    enum { DRAFT, NOT_TO_BE, UNDATED, BEGUN_UNKNOWN, UNCODED, ANOTHER, N };

    (void)state;
    for (int i = 0; i < N; i++) {
        struct ow_order *o;

        begin();
        o = build_order(&b, "o", i == ANOTHER ? RX_LORAZEPAM_1 : RX_OXYCODONE_5);
        o->authored = build_time(IN_TIME);
        if (i == DRAFT)
            o->is_draft = true; /* not selected: it is not what is signed */
        if (i == NOT_TO_BE)
            o->do_not_perform = true;
        if (i == UNDATED)
            o->has_authored = false;
        if (i == BEGUN_UNKNOWN)
            o->authored.from = OW_TIME_MIN;
        if (i == UNCODED)
            o->medication.code = build_concept(&b, "urn:site", "x", "a tablet");
        screen(OXYCODONE, "positive", SAMPLE);
        if (unexpected() == NULL)
            fail_msg("case %d", i);
    }
}

static void each_drug_explains_its_own_tests(void **state)
{
    static const struct {
        const char *test, *rx;
        bool explains, promises;
    } cases[] = {
        {METHADONE,      RX_METHADONE_10,    true,  true },
        { BUPRENORPHINE, RX_BUPRENORPHINE_8, true,  true },
        { METHADONE,     RX_OXYCODONE_5,     false, false},
        { BUPRENORPHINE, RX_METHADONE_10,    false, false},
        { METHADONE,     RX_BUPRENORPHINE_8, false, false},
        { OPIATES,       RX_MORPHINE_15,     true,  true },
        { OPIATES,       RX_OXYCODONE_5,     true,  false}, /* the tests miss it */
        { CODEINE,       RX_MORPHINE_15,     true,  true }, /* one list of opiates */
        { COCAINE,       RX_MORPHINE_15,     false, false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        for (int negative = 0; negative < 2; negative++) {
            struct ow_order *o;

            begin();
            o = build_order(&b, "o", cases[i].rx);
            o->authored = build_time(IN_TIME);
            screen(cases[i].test, negative ? "negative" : "positive", SAMPLE);
            if ((unexpected() != NULL) !=
                (negative ? cases[i].promises : !cases[i].explains))
                fail_msg("case %zu, %d", i, negative);
        }
}

static void the_latest_of_each_substance_is_told_and_five_at_most(void **state)
{
    static const char *const tests[] = { COCAINE,   OXYCODONE, METHADONE, BUPRENORPHINE,
                                         "12331-5", "14316-4", "11071-8" };
    const struct ow_finding *f;

    (void)state;
    begin();
    screen(COCAINE, "positive", "2026-01-05");
    screen(COCAINE, "positive", SAMPLE);
    screen(COCAINE, "positive", "2026-01-20");
    f = unexpected();
    assert_non_null(strstr(f->reason, "cocaine positive (2026-02-05)"));
    assert_int_equal(f->n_evidence, 1);
    assert_string_equal(f->evidence[0], "Observation/1");
    begin();
    for (size_t i = 0; i < OW_LEN(tests); i++)
        screen(tests[i], "positive", SAMPLE)->reference = i == 0 ? NULL : "Observation/x";
    f = unexpected();
    assert_int_equal(f->n_evidence, 6); /* one has no name */
    assert_non_null(strstr(f->reason, "benzodiazepine"));
    assert_null(strstr(f->reason, "oxycodone")); /* the sixth of the list */
    assert_int_equal(build_judge(&b)->n_findings, 1);
}

static void an_order_without_a_name_is_no_evidence(void **state)
{
    struct ow_order *o;

    (void)state;
    begin();
    o = build_order(&b, "o", RX_OXYCODONE_5);
    o->authored = build_time(IN_TIME);
    screen(OXYCODONE, "negative", SAMPLE);
    assert_int_equal(unexpected()->n_evidence, 2);
    o->reference = NULL;
    assert_int_equal(unexpected()->n_evidence, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_says_positive_or_negative_or_neither),
        cmocka_unit_test(a_result_said_both_ways_is_none),
        cmocka_unit_test(only_final_results_of_the_window_count),
        cmocka_unit_test(orders_explain_by_status_and_time),
        cmocka_unit_test(what_was_not_ordered_explains_nothing),
        cmocka_unit_test(each_drug_explains_its_own_tests),
        cmocka_unit_test(the_latest_of_each_substance_is_told_and_five_at_most),
        cmocka_unit_test(an_order_without_a_name_is_no_evidence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
