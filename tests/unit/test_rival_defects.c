/*
 * Rival defects: what published calculators get wrong, from the FHIR resource on
 *
 * Each test holds the right answer; the comment beside it, what others answer to the same
 * data. "mme" is the published calculation library (3.0.0, factors of 2016 or of its
 * supplement of 2022), "cds" the recommendation service that embeds a copy of it,
 * "claims" a third one that works from quantity and days.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/input.h"
#include "tests/support/build.h"
#include "tests/support/fhirkit.h"

static struct build *b;

static int setup(void **state)
{
    static struct build one;

    build_init(&one);
    b = &one;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    build_done(*state);
    return 0;
}

/* ---- charts in the words of FHIR ---- */

#define PATIENT "'subject':{'reference':'Patient/p'}"
#define RXNORM  "'system':'http://www.nlm.nih.gov/research/umls/rxnorm'"
#define HEAD(id, status)                                                                 \
    "{'resourceType':'MedicationRequest','id':'" id "','status':'" status                \
    "','intent':'order','authoredOn':'2026-03-01'," PATIENT
#define CODED(code)                                                                      \
    ",'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'" code "'}]}"
#define DOSAGE(d)            ",'dosageInstruction':[" d "]"
#define RX(id, code, dosage) HEAD(id, "active") CODED(code) DOSAGE(dosage) "}"

#define TABLETS(n) "'doseAndRate':[{'doseQuantity':{'value':" n ",'unit':'tablet'}}]"
#define AMOUNT(n, unit)                                                                  \
    "'doseAndRate':[{'doseQuantity':{'value':" n ",'unit':'" unit                        \
    "','system':'http://unitsofmeasure.org','code':'" unit "'}}]"
#define REPEAT(r)    "'timing':{'repeat':{" r "}}"
#define DAILY(times) REPEAT("'frequency':" times ",'period':1,'periodUnit':'d'")

#define TRAMADOL_50        "835603"
#define TAPENTADOL_50      "825411"
#define HYDROMORPHONE_2    "897696"
#define TAPENTADOL_LIQUID  "1356315" /* not in the table of October 2020 */
#define BENZHYDROCODONE    "2001358"
#define TWO_SALTS          "637540"
#define BUTALBITAL_CODEINE "993943"
#define SUBSYS_100         "1237055"
#define NASAL_100          "1115573"

static const struct ow_verdict *judge(const char *resources)
{
    const char *text = ow_arena_printf(
        &b->arena, "{'resourceType':'Bundle','type':'collection','entry':[%s]}",
        resources);
    const char *json = kit_json(&b->arena, text);
    struct ow_input in;
    struct ow_err err = { "" };
    const struct ow_verdict *v;

    if (ow_input_read(&b->arena, json, strlen(json), NULL, OW_HOOK_NONE, &in, &err) !=
        OW_OK)
        fail_msg("%s", err.text);
    assert_int_equal(in.n_charts, 1);
    if (ow_evaluate(&in.charts[0], &b->q, &b->arena, &v, &err) != OW_OK)
        fail_msg("%s", err.text);
    return v;
}

#define ONE(resource)      judge("{'resource':" resource "}")
#define TWO(first, second) judge("{'resource':" first "},{'resource':" second "}")

/* MED now as people see it; "-" when nothing was counted. */
static const char *now(const struct ow_verdict *v)
{
    char text[OW_RATIO_TEXT];

    return v->total.has_now
               ? ow_arena_strdup(&b->arena, ow_ratio_format(v->total.now, 2, text))
               : "-";
}

static const char *role(const struct ow_verdict *v)
{
    return ow_role_name(v->lines[0].role);
}

/* ---- 1. no fallback to quantity and days ---- */

static void an_order_without_a_dose_takes_quantity_over_days(void **state)
{
    const struct ow_verdict *v = TWO(
        "{'resourceType':'Medication','id':'m','code':{'coding':[{" RXNORM
        ",'code':'1049683'}]}}",
        HEAD("a", "active") ",'medicationReference':{'reference':'Medication/m'}"
                            ",'dosageInstruction':[{'timing':{'event':['2026-03-01']}}]"
                            ",'dispenseRequest':{'quantity':{'value':60,'unit':'tablet'},"
                            "'expectedSupplyDuration':{'value':30,'unit':'d','code':'d',"
                            "'system':'http://unitsofmeasure.org'}}}");

    (void)state;
    assert_string_equal(now(v), "30"); /* 60 x 10 mg / 30 d x 1.5; mme, cds: null */
    assert_true((v->lines[0].flags & OW_FLAG_FROM_SUPPLY) != 0);
}

/* ---- 2. silent zero, silent omission ---- */

static void a_dose_without_timing_is_no_zero(void **state)
{
    const struct ow_verdict *v = ONE(RX("a", RX_OXYCODONE_10, "{" TABLETS("1") "}"));

    (void)state;
    assert_string_equal(role(v), "unreadable"); /* mme: 0 MME/d, and a total of 0 */
    assert_string_equal(now(v), "-");
    assert_true(v->at_least);
    assert_non_null(build_finding(v, "unreadable-dose"));
}

static void an_opioid_without_a_factor_is_not_left_out(void **state)
{
    const struct ow_verdict *v =
        TWO(RX("a", RX_LEVORPHANOL_2, "{" TABLETS("1") "," DAILY("3") "}"),
            RX("b", RX_OXYCODONE_10, "{" TABLETS("1") "," DAILY("4") "}"));

    (void)state;
    assert_string_equal(now(v), "60"); /* mme: 60 too, and nothing says what is missing */
    assert_string_equal(role(v), "unreadable");
    assert_true(v->at_least);
}

/* ---- 3. parts of Timing and Dosage that are not read ---- */

static void all_of_timing_is_read(void **state)
{
    static const struct {
        const char *what, *dosage, *now;
    } cases[] = {
        {"BID",               "{" TABLETS("1") ",'timing':{'code':{'coding':[{'code':'BID'}]}}}",
         "30"                                                                                                                                                                                                         }, /* mme: 0 */
        { "Q6H",              "{" TABLETS("1") ",'timing':{'code':{'coding':[{'code':'Q6H'}]}}}",
         "60"                                                                                                                                                                                                         }, /* mme: 0 */
        { "code in words",    "{" TABLETS("1") ",'timing':{'code':{'text':'TID'}}}",
         "45"                                                                                                                                                                                                         }, /* mme: 0 */
        { "morning, bedtime", "{" TABLETS("1") "," REPEAT("'when':['MORN','HS']") "}",
         "30"                                                                                                                                                                                                         }, /* mme: 0 */
        { "every 4 to 6 h",
         "{" TABLETS("1") "," REPEAT(
              "'frequency':1,'period':4,'periodMax':6,'periodUnit':'h'") "}",
         "90"                                                                                                                                                                                                         }, /* mme: 90 */
        { "on three days",
         "{" TABLETS("1") "," REPEAT(
              "'frequency':1,'period':1,'periodUnit':'d','dayOfWeek':['mon','wed','fri']") "}",
         "6.43"                                                                                                                                                                                                       }, /* mme: 15 */
        { "at most 2 a day",
         "{" TABLETS("1") "," REPEAT(
              "'frequency':1,'period':4,'periodUnit':'h'") ",'maxDosePerPeriod':{'numerator':{'value':2,'unit':'tablet'},'denominator':{'value':1,'unit':'d','code':'d','system':'http://unitsofmeasure.org'}}}",
         "30"                                                                                                                                                                                                         }, /* mme: 90 */
        { "text only",        "{'text':'take 1 tablet every 6 hours'}",                                                                                                                                           "60"}, /* mme: null */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_verdict *v = judge(ow_arena_printf(
            &b->arena, "{'resource':%s}",
            ow_arena_printf(&b->arena,
                            HEAD("a", "active")
                                CODED(RX_OXYCODONE_10) ",'dosageInstruction':[%s]}",
                            cases[i].dosage)));

        if (strcmp(now(v), cases[i].now) != 0)
            fail_msg("%s: %s (%s)", cases[i].what, now(v), v->lines[0].reason);
    }
}

static void bounds_and_count_end_an_order(void **state)
{
    const struct ow_verdict *v =
        ONE(RX("a", RX_OXYCODONE_10,
               "{" TABLETS("1") "," REPEAT(
                   "'frequency':4,'period':1,'periodUnit':'d',"
                   "'boundsPeriod':{'start':'2026-01-01','end':'2026-02-01'}") "}"));

    (void)state;
    assert_string_equal(role(v), "inactive"); /* mme: 60 for ever */
    v = ONE(RX("a", RX_OXYCODONE_10,
               "{" TABLETS("1") "," REPEAT(
                   "'frequency':4,'period':1,'periodUnit':'d','count':4") "}"));
    assert_string_equal(role(v),
                        "inactive"); /* four doses, all taken on 1 March; mme: 60 */
}

static void as_needed_for_a_reason_is_as_needed(void **state)
{
    const struct ow_verdict *v = ONE(RX(
        "a", RX_OXYCODONE_10,
        "{" TABLETS("1") "," DAILY("4") ",'asNeededCodeableConcept':{'text':'pain'}}"));

    (void)state;
    assert_string_equal(now(v), "60");
    assert_true((v->lines[0].flags & OW_FLAG_PRN) != 0); /* mme: isPRN false */
}

/* ---- 4. micrograms, ranges, several lines ---- */

static void micrograms_are_not_milligrams(void **state)
{
    (void)state;
    /* 2 mg three times a day, x 5; mme 2022: 30,000 */
    assert_string_equal(
        now(ONE(RX("a", HYDROMORPHONE_2, "{" AMOUNT("2000", "ug") "," DAILY("3") "}"))),
        "30");
}

static void a_range_counts_its_upper_end_and_shows_the_lower(void **state)
{
    const struct ow_verdict *v =
        ONE(RX("a", RX_OXYCODONE_10,
               "{'doseAndRate':[{'doseRange':{'low':{'value':1,'unit':'tablet'},"
               "'high':{'value':2,'unit':'tablet'}}}]," DAILY("2") "}"));

    (void)state;
    assert_string_equal(now(v), "60"); /* mme: 60; cds: null, and it is gone */
    assert_int_equal(ow_ratio_cmp(v->lines[0].med_low, OW_RATIO(30, 1)), 0);
}

static void two_dosage_lines_add_up_and_break_nothing(void **state)
{
    const struct ow_verdict *v =
        TWO(RX("a", RX_OXYCODONE_10,
               "{" TABLETS("1") "," DAILY("2") "},{" TABLETS("2") "," DAILY("1") "}"),
            RX("b", RX_MORPHINE_15, "{" TABLETS("1") "," DAILY("2") "}"));

    (void)state;
    assert_string_equal(now(v),
                        "90"); /* 30 + 30 + 30; mme: an error for the whole list */
}

/* ---- 5. methadone ---- */

static void methadone_has_the_band_of_its_whole_day(void **state)
{
    (void)state;
    build_preset(b, "cdc-2016");
    /* mme: 80 + 40 = 120 */
    assert_string_equal(
        now(TWO(RX("a", RX_METHADONE_10, "{" TABLETS("2") "," DAILY("1") "}"),
                RX("b", RX_METHADONE_10, "{" TABLETS("1") "," DAILY("1") "}"))),
        "240");
    /* between the printed bands of 20 and 21; mme: null */
    assert_string_equal(
        now(ONE(RX("a", RX_METHADONE_10, "{" AMOUNT("20.5", "mg") "," DAILY("1") "}"))),
        "164");
    /* below the lowest printed; mme: null */
    assert_string_equal(
        now(ONE(RX("a", RX_METHADONE_10, "{" AMOUNT("0.5", "mg") "," DAILY("1") "}"))),
        "2");
}

static void methadone_of_2022_has_one_factor(void **state)
{
    (void)state;
    /* cds: 8 x 30 = 240, in bands of 2016, while its pages print 4.7 */
    assert_string_equal(
        now(ONE(RX("a", RX_METHADONE_10, "{" TABLETS("1") "," DAILY("3") "}"))), "141");
}

/* ---- 6. injections ---- */

static void an_injection_does_not_take_the_oral_factor(void **state)
{
    const struct ow_verdict *v = ONE(
        RX("a", RX_MORPHINE_INJ,
           "{" AMOUNT("1",
                      "mL") "," REPEAT("'frequency':1,'period':4,'periodUnit':'h'") "}"));

    (void)state;
    assert_string_equal(role(v), "unreadable"); /* mme: 60 */
    assert_true(v->at_least);
}

/* ---- 7. and the factors of fentanyl ---- */

static void a_mucosal_spray_is_no_nasal_spray(void **state)
{
    (void)state;
    build_preset(b, "cdc-2016");
    /* 400 ug x 0.18; others: x 0.16 = 64 */
    assert_string_equal(
        now(ONE(RX("a", SUBSYS_100, "{" AMOUNT("400", "ug") "," DAILY("1") "}"))), "72");
}

static void a_nasal_spray_is_no_patch(void **state)
{
    (void)state;
    build_preset(b, "cdc-2016");
    /* 0.4 mg three times a day, x 0.16 per ug; mme 2022: 0.1 */
    assert_string_equal(
        now(ONE(RX("a", NASAL_100, "{" AMOUNT("0.4", "mg") "," DAILY("3") "}"))), "192");
}

/* ---- 8. rounding ---- */

static void sums_are_rounded_once(void **state)
{
    const char *all = "";
    const struct ow_verdict *v;

    (void)state;
    for (int i = 0; i < 7; i++) /* 5 mg a week each */
        all = ow_arena_printf(
            &b->arena, "%s%s{'resource':%s", all, i > 0 ? "," : "",
            ow_arena_printf(
                &b->arena,
                "{'resourceType':'MedicationRequest','id':"
                "'w%d','status':'active','intent':'order'," PATIENT CODED(RX_OXYCODONE_5)
                    DOSAGE("{" TABLETS("1") "," REPEAT(
                        "'frequency':1,"
                        "'period':1,'periodUnit':'wk'") "}") "}}",
                i));
    v = judge(all);
    assert_string_equal(now(v), "7.5"); /* mme: 7 x 1.1 = 7.7 */
}

/* ---- 9. codings ---- */

static void every_coding_is_looked_at(void **state)
{
    const struct ow_verdict *v = ONE(HEAD(
        "a",
        "active") ",'medicationCodeableConcept':{'coding':[{'system':'urn:local','code':'OXY'},{" RXNORM
                  ",'code':'7804'},{" RXNORM
                  ",'code':'1049683'}]}" DOSAGE("{" TABLETS("1") "," DAILY("4") "}") "}");

    (void)state;
    assert_string_equal(now(v), "60"); /* the most specific one */
    v = ONE(HEAD("a", "active") ",'medicationCodeableConcept':{'coding':[{" RXNORM
                                ",'code':'1049683'},{" RXNORM ",'code':'" RX_MORPHINE_15
                                "'}]}" DOSAGE("{" TABLETS("1") "," DAILY("4") "}") "}");
    assert_int_equal(v->n_notes, 1); /* mme: the first one, without a word */
}

static void a_code_of_another_system_is_not_nothing(void **state)
{
    const struct ow_verdict *v = ONE(HEAD(
        "a",
        "active") ",'medicationCodeableConcept':{'coding':[{'system':'http://hl7.org/fhir/sid/ndc',"
                  "'code':'00000-0000-00','display':'oxycodone 10 mg tablet'}]}" DOSAGE(
                      "{" TABLETS("1") "," DAILY("4") "}") "}");

    (void)state;
    assert_string_equal(role(v), "unknown"); /* mme, cds: no opioid at all */
    assert_true(v->at_least);
    assert_int_equal(build_finding(v, "unknown-drug")->tier, OW_TIER_WARNING);
}

/* ---- 10. products newer than the table of strengths ---- */

static void a_newer_product_has_its_strength(void **state)
{
    const struct ow_verdict *v =
        ONE(RX("a", TAPENTADOL_LIQUID, "{" AMOUNT("5", "mL") "," DAILY("2") "}"));

    (void)state;
    assert_string_equal(now(v), "80"); /* 200 mg x 0.4; cds: null, no strength is known */
    v = ONE(RX("a", BENZHYDROCODONE, "{" TABLETS("1") "," DAILY("2") "}"));
    assert_string_equal(role(v), "unreadable"); /* no factor; cds: fires rules, no MME */
    assert_true(v->at_least);
}

/* ---- 11. to 13. ---- */

static void two_salts_of_one_opioid_are_one_strength(void **state)
{
    (void)state;
    assert_string_equal(now(ONE(RX("a", TWO_SALTS, "{" TABLETS("1") "," DAILY("1") "}"))),
                        "7.32"); /* 4.88 mg x 1.5; mme: the same, rounded to 7.3 */
}

static void codeine_in_a_combination_has_the_factor_of_codeine(void **state)
{
    (void)state;
    /* 30 mg four times a day, x 0.15; claims: x 1.22 = 146.4 */
    assert_string_equal(
        now(ONE(
            RX("a", BUTALBITAL_CODEINE,
               "{'doseAndRate':[{'doseQuantity':{'value':1,'unit':'capsule'}}]," DAILY(
                   "4") "}"))),
        "18");
}

static void a_patch_counts_what_is_worn_however_often_it_is_changed(void **state)
{
    static const char *const hours[] = { "48", "72", "168" };

    (void)state;
    /* claims: quantity / days x 25 x 7.2, so 90 when changed every 48 h, 25.7 weekly */
    for (size_t i = 0; i < OW_LEN(hours); i++)
        assert_string_equal(
            now(judge(ow_arena_printf(
                &b->arena,
                "{'resource':" HEAD("a", "active") CODED(
                    RX_FENTANYL_25) ",'dosageInstruction':[{'doseAndRate':[{'doseQuantity':{'value':1,'unit':"
                                    "'patch'}}],'timing':{'repeat':{'frequency':1,'period':%s,'periodUnit':"
                                    "'h'}}}]}}",
                hours[i]))),
            "60");
}

static void two_equal_orders_are_two(void **state)
{
    (void)state;
    /* mme: 30, since equal rows are one row */
    assert_string_equal(
        now(TWO(RX("a", RX_OXYCODONE_5, "{" TABLETS("1") "," DAILY("4") "}"),
                RX("b", RX_OXYCODONE_5, "{" TABLETS("1") "," DAILY("4") "}"))),
        "60");
}

/* ---- 14. the rest of the set that no peer passes ---- */

static void tramadol_and_tapentadol_are_in_the_total(void **state)
{
    (void)state;
    /* 50 mg x 4 x 0.2 and x 0.4; cds: null, and they vanish from the total */
    assert_string_equal(
        now(ONE(RX("a", TRAMADOL_50, "{" TABLETS("1") "," DAILY("4") "}"))), "40");
    assert_string_equal(
        now(ONE(RX("a", TAPENTADOL_50, "{" TABLETS("1") "," DAILY("4") "}"))), "80");
}

static void only_orders_in_force_count(void **state)
{
    static const char *const statuses[] = { "stopped", "cancelled", "entered-in-error",
                                            "completed" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(statuses); i++) /* mme: 60 each */
        assert_string_equal(
            role(judge(ow_arena_printf(
                &b->arena,
                "{'resource':{'resourceType':'MedicationRequest','id':'a',"
                "'status':'%s','intent':'order'," PATIENT CODED(RX_OXYCODONE_10)
                    DOSAGE("{" TABLETS("1") "," DAILY("4") "}") "}}",
                statuses[i]))),
            "inactive");
}

static void a_contained_medication_is_read(void **state)
{
    const struct ow_verdict *v = ONE(HEAD(
        "a",
        "active") ",'contained':[{'resourceType':'Medication','id':'m','code':{'coding':[{" RXNORM
                  ",'code':'1049683'}]}}],'medicationReference':{'reference':'#m'}" DOSAGE(
                      "{" TABLETS("1") "," DAILY("4") "}") "}");

    (void)state;
    assert_string_equal(now(v), "60"); /* mme: null */
}

static void an_unknown_code_is_said(void **state)
{
    const struct ow_verdict *v = ONE(
        HEAD("a", "active") ",'medicationCodeableConcept':{'coding':[{" RXNORM
                            ",'code':'99999999','display':"
                            "'oxycodone 7 MG Oral Tablet'}]}" DOSAGE(
                                "{" TABLETS("1") "," DAILY("4") "}") "}");

    (void)state;
    assert_string_equal(role(v), "unknown"); /* mme: left out of the total */
    assert_true(v->at_least);
    assert_non_null(build_finding(v, "unknown-drug"));
}

/* ---- faults of the published rules that concern the dose ---- */

static void a_medication_that_was_not_sent_is_said(void **state)
{
    const struct ow_verdict *v = ONE(
        HEAD("a", "active") ",'medicationReference':{'reference':'Medication/gone','display':'oxycodone 10 mg'}" DOSAGE(
            "{" TABLETS("1") "," DAILY("4") "}") "}");

    (void)state;
    assert_string_equal(role(v), "unknown"); /* cds: not an opioid, no card */
    assert_true(v->at_least);
    assert_int_equal(v->n_cards, 1);
}

static void a_short_order_on_top_of_a_long_one_is_seen(void **state)
{
    const struct ow_verdict *v = TWO(
        RX("a", RX_OXYCODONE_10, "{" TABLETS("1") "," DAILY("3") "}"),
        HEAD("b", "active") CODED(RX_OXYCODONE_10) DOSAGE("{" TABLETS("1") "," DAILY(
            "4") "}") ",'dispenseRequest':{'expectedSupplyDuration':{'value':5,'unit':'d','code':'d',"
                      "'system':'http://unitsofmeasure.org'}}}");

    (void)state;
    assert_string_equal(now(v),
                        "105"); /* cds: 45, for it adds up 28 days and more only */
    assert_non_null(build_finding(v, "med-threshold"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_order_without_a_dose_takes_quantity_over_days),
        T(a_dose_without_timing_is_no_zero),
        T(an_opioid_without_a_factor_is_not_left_out),
        T(all_of_timing_is_read),
        T(bounds_and_count_end_an_order),
        T(as_needed_for_a_reason_is_as_needed),
        T(micrograms_are_not_milligrams),
        T(a_range_counts_its_upper_end_and_shows_the_lower),
        T(two_dosage_lines_add_up_and_break_nothing),
        T(methadone_has_the_band_of_its_whole_day),
        T(methadone_of_2022_has_one_factor),
        T(an_injection_does_not_take_the_oral_factor),
        T(a_mucosal_spray_is_no_nasal_spray),
        T(a_nasal_spray_is_no_patch),
        T(sums_are_rounded_once),
        T(every_coding_is_looked_at),
        T(a_code_of_another_system_is_not_nothing),
        T(a_newer_product_has_its_strength),
        T(two_salts_of_one_opioid_are_one_strength),
        T(codeine_in_a_combination_has_the_factor_of_codeine),
        T(a_patch_counts_what_is_worn_however_often_it_is_changed),
        T(two_equal_orders_are_two),
        T(tramadol_and_tapentadol_are_in_the_total),
        T(only_orders_in_force_count),
        T(a_contained_medication_is_read),
        T(an_unknown_code_is_said),
        T(a_medication_that_was_not_sent_is_said),
        T(a_short_order_on_top_of_a_long_one_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
