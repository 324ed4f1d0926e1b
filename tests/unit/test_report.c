/*
 * Report: the published object to the byte, with nulls where nothing is known, and the
 * text for a terminal, which nothing from outside can steer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "fhir/report.h"
#include "tests/support/fhirkit.h"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

enum { NOON = 12 * OW_HOUR };
#define MARCH_1 ((ow_time)1772323200000) /* 2026-03-01T00:00:00Z */

static const struct ow_order orders[] = {
    { .reference = "MedicationRequest/rx9" },
    { .reference = "MedicationRequest/rx7" },
    { .reference = "MedicationRequest/rx5" },
};
static const char *const evidence[] = { "MedicationRequest/rx7" };
static const char *const sources[] = { "site-policy", "CDC-2022-R4" };

static struct ow_verdict verdict(void)
{
    struct ow_line *lines = OW_NEW_N(&arena, struct ow_line, 3);
    struct ow_sedation *sedation = OW_NEW(&arena, struct ow_sedation);
    struct ow_finding *finding = OW_NEW(&arena, struct ow_finding);
    struct ow_suppression *held = OW_NEW(&arena, struct ow_suppression);
    struct ow_fact *facts = OW_NEW_N(&arena, struct ow_fact, 2);
    struct ow_card *card = OW_NEW(&arena, struct ow_card);

    lines[0] = (struct ow_line){
        .order = &orders[0],
        .role = OW_ROLE_COUNTED,
        .drug = "oxycodone 20 MG",
        .rxcui = "1049686",
        .ingredient = "Oxycodone",
        .has_dose = true,
        .daily_dose = {80,       1                    },
        .dose_unit = "mg",
        .has_med = true,
        .factor = { 3,       2                    },
        .med = { 20001,   167                  }, /* 119.766... */
        .med_low = { 60,      1                    },
        .span = { MARCH_1, MARCH_1 + 30 * OW_DAY},
        .table = "cdc-2022",
        .row = "Oxycodone, oral",
        .flags = OW_FLAG_PRN | OW_FLAG_RANGE,
        .derivation = "1 tablet x 4/d x 20 mg x 1.5 = 120 MME/d",
    };
    lines[1] = (struct ow_line){
        .order = &orders[1],
        .role = OW_ROLE_NOT_OPIOID,
        .drug = "lorazepam 1 MG",
        .span = {OW_TIME_MIN, OW_TIME_MAX}
    };
    lines[2] = (struct ow_line){
        .order = &orders[2],
        .role = OW_ROLE_UNREADABLE,
        .drug = "\033[2Jmorphine\xe2\x80\xae"
                "x",
        .span = {MARCH_1, OW_TIME_MAX},
        .reason = "no frequency"
    };
    *sedation = (struct ow_sedation){ .line = &lines[1],
                                      .cls = "benzodiazepine",
                                      .drug = "lorazepam 1 MG",
                                      .overlap_days = 29 };
    *finding = (struct ow_finding){ .rule = "med-threshold",
                                    .tier = OW_TIER_CRITICAL,
                                    .reason = "120 MME/d reaches 90",
                                    .sources = sources,
                                    .n_sources = 2 };
    *held = (struct ow_suppression){ .rule = "naloxone-offer", .by = "rank" };
    facts[0] = (struct ow_fact){ "opioid-naive", 0, evidence, 1 };
    facts[1] = (struct ow_fact){ "adult", -1, NULL, 0 };
    *card = (struct ow_card){ .key = "k", .summary = "s", .indicator = OW_TIER_CRITICAL };
    return (struct ow_verdict){
        .patient = "Patient/p1",
        .at = MARCH_1 + NOON,
        .hook = OW_HOOK_ORDER_SIGN,
        .table = "cdc-2022",
        .policy = "cdc-2022",
        .products = "2025-02",
        .sha256 = "abcdef0123456789",
        .written = {true,              true,       { 120, 1 },  { 165, 1 }},
        .total = {                                                     true,             true, { 120, 1 }, { 1321, 8 }         },
        .has_peak_at = true,
        .peak_at = MARCH_1 + 3 * OW_DAY,
        .sum_now = "75 + 45 = 120 MME/d",
        .at_least = true,
        .averages = { .window = { MARCH_1 - 89 * OW_DAY, MARCH_1 + OW_DAY },
                    .days = 90,
                    .basis = "orders",
                    .at_least = true,
                    .list = { { "per-supply-day",
                                  true,
                                  { 1805, 15 },
                                  15,
                                  "1805 MME / 15 d = 120.33 MME/d" },
                                { .name = "highest-day" } } },
        .lines = lines,
        .n_lines = 3,
        .facts = facts,
        .n_facts = 2,
        .sedatives = sedation,
        .n_sedatives = 1,
        .findings = finding,
        .n_findings = 1,
        .suppressed = held,
        .n_suppressed = 1,
        .cards = card,
        .n_cards = 1
    };
}

static const char *json(const struct ow_verdict *v)
{
    const char *text;
    struct ow_buf b;

    ow_buf_init(&b, 1 << 20);
    ow_report_json(v, &b);
    assert_false(b.failed);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return text;
}

static const char *text_of(const struct ow_verdict *v, bool colour)
{
    const char *text;
    struct ow_buf b;

    ow_buf_init(&b, 1 << 20);
    ow_report_text(v, colour, &b);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return text;
}

static void the_object_is_as_published(void **state)
{
    struct ow_verdict v = verdict();
    const char *expected =
        "{'patient':'Patient/p1','at':'2026-03-01T12:00:00Z','hook':'order-sign',"
        "'knowledge':{'factors':'cdc-2022','products':'2025-02','sha256':"
        "'abcdef0123456789'},'policy':{'name':'cdc-2022','version':null,'sha256':null,"
        "'clinic':null},'med':{'now':120,'peak':165.13,'peakAt':"
        "'2026-03-04T00:00:00Z','derivation':'75 + 45 = 120 MME/d','peakDerivation':null,"
        "'atLeast':true,'asWritten':{'now':120,'peak':165},"
        "'asSupplied':null},'averages':[{'name':'per-supply-day','value':120.33,"
        "'atLeast':true,'basis':'orders','estimate':true,'window':{'from':'2025-12-02',"
        "'until':'2026-03-02'},'derivation':'1805 MME / 15 d = 120.33 MME/d'},{'name':"
        "'highest-day','value':null,'atLeast':true,'basis':'orders','estimate':true,"
        "'window':{'from':'2025-12-02','until':'2026-03-02'},'derivation':null}],'orders':[{'reference':'MedicationRequest/rx9','role':"
        "'counted','drug':'oxycodone 20 MG','rxcui':'1049686','ingredient':'Oxycodone',"
        "'dailyDose':{'value':80,'unit':'mg'},'factor':1.5,'med':119.77,'from':"
        "'2026-03-01','until':'2026-03-31','prn':true,'medLow':60,'table':'cdc-2022','tableRow':'Oxycodone, oral',"
        "'flags':['prn','range'],'derivation':'1 tablet x 4/d x 20 mg x 1.5 = 120 MME/d',"
        "'reason':null},{'reference':'MedicationRequest/rx7','role':'not-opioid','drug':"
        "'lorazepam 1 MG','rxcui':null,'ingredient':null,'dailyDose':null,'factor':null,"
        "'med':null,'from':null,'until':null,'prn':false,'medLow':null,'table':null,'tableRow':null,"
        "'flags':[],'derivation':null,'reason':null},{'reference':'MedicationRequest/rx5',"
        "'role':'unreadable','drug':'\\u001b[2Jmorphine\xe2\x80\xaex','rxcui':null,"
        "'ingredient':null,'dailyDose':null,'factor':null,'med':null,'from':'2026-03-01',"
        "'until':null,'prn':false,'medLow':null,'table':null,'tableRow':null,'flags':[],'derivation':null,"
        "'reason':'no frequency'}],'facts':[{'name':'opioid-naive','value':false,"
        "'evidence':['MedicationRequest/rx7']},{'name':'adult','value':null,'evidence':"
        "[]}],'sedatives':[{'reference':'MedicationRequest/rx7','class':'benzodiazepine',"
        "'drug':'lorazepam 1 MG','overlapDays':29}],'findings':[{'rule':'med-threshold',"
        "'tier':'critical','reason':'120 MME/d reaches 90','sources':['site-policy',"
        "'CDC-2022-R4']}],'suppressed':[{'rule':'naloxone-offer','by':'rank','resource':"
        "null}],'cards':[{'uuid':'25835bf9-ea0b-5e48-9a5a-027584fdc684','summary':'s','indicator':'critical','source':"
        "{'label':'opiward'}}]}";

    (void)state;
    assert_string_equal(json(&v), kit_json(&arena, expected));
    kit_parse(&arena, json(&v));
}

static void nothing_counted_is_null_and_not_zero(void **state)
{
    struct ow_verdict v = { .patient = "Patient/p", .at = MARCH_1, .table = "cdc-2022" };

    (void)state;
    assert_string_equal(
        json(&v),
        kit_json(
            &arena,
            "{'patient':'Patient/p','at':'2026-03-01T00:00:00Z','hook':null,"
            "'knowledge':{'factors':'cdc-2022','products':null,'sha256':null},'policy':{'name':null,'version':null,'sha256':null,'clinic':null},'med':"
            "{'now':null,'peak':null,'peakAt':null,'derivation':null,"
            "'peakDerivation':null,'atLeast':false,'asWritten':{'now':"
            "null,'peak':null},'asSupplied':null},'averages':[],'orders':[],'facts':[],'sedatives':"
            "[],'findings':[],'suppressed':[],'cards':[]}"));
    assert_true(ow_contains_folded(text_of(&v, false), "MED: nothing counted\n"));
    v.at_least = true;
    assert_true(ow_contains_folded(text_of(&v, false), "not everything could be read"));
    v.supplied = (struct ow_total){
        .has_now = true, .now = {1, 1000}
    };
    assert_true(
        ow_contains_folded(json(&v), "\"asSupplied\":{\"now\":0.001,\"peak\":null}"));
}

/* A completed order covers no time from now on: no day is made up for it. */
static void an_order_that_never_counts_has_no_days(void **state)
{
    struct ow_line line = { .order = &orders[0], .role = OW_ROLE_INACTIVE };
    struct ow_verdict v = { .at = MARCH_1, .lines = &line, .n_lines = 1 };

    (void)state;
    assert_true(ow_contains_folded(json(&v), "\"from\":null,\"until\":null"));
    line.span = (struct ow_span){ MARCH_1, MARCH_1 };
    assert_true(ow_contains_folded(json(&v), "\"from\":\"2026-03-01\""));
}

static void the_text_tells_the_same_to_a_person(void **state)
{
    struct ow_verdict v = verdict();

    (void)state;
    assert_string_equal(
        text_of(&v, false),
        "Patient/p1  at 2026-03-01T12:00:00Z  order-sign\n"
        "MED: at least 120 MME/day now, at least 165.13 at the peak "
        "(2026-03-04T00:00:00Z)\n"
        "     now: 75 + 45 = 120 MME/d\n"
        "averages of 2025-12-02 to 2026-03-01, estimated from orders:\n"
        "  per-supply-day  at least 120.33 MME/day  (1805 MME / 15 d = 120.33 MME/d)\n"
        "\n"
        "Orders\n"
        "  role           MME/day  drug\n"
        "  counted         119.77  oxycodone 20 MG\n"
        "                          1 tablet x 4/d x 20 mg x 1.5 = 120 MME/d\n"
        "                          MedicationRequest/rx9, 2026-03-01 to 2026-03-31, factor "
        "of cdc-2022 (Oxycodone, oral), prn, range\n"
        "  not-opioid           -  lorazepam 1 MG\n"
        "                          MedicationRequest/rx7\n"
        "  unreadable           -  ?[2Jmorphine?x\n"
        "                          no frequency\n"
        "                          MedicationRequest/rx5\n"
        "\n"
        "Sedatives\n"
        "  lorazepam 1 MG (benzodiazepine), 29 days beside an opioid, "
        "MedicationRequest/rx7\n"
        "\n"
        "Findings\n"
        "  critical  med-threshold: 120 MME/d reaches 90  [site-policy, CDC-2022-R4]\n"
        "\n"
        "Held back\n"
        "  naloxone-offer by rank\n"
        "\n"
        "Cards\n"
        "  [critical] s\n"
        "\n"
        "factors cdc-2022, products 2025-02, tables abcdef012345, policy cdc-2022\n");
    assert_null(strchr(text_of(&v, false), '\033'));
    assert_non_null(strstr(text_of(&v, true), "\033[1;31mcritical"));
    assert_null(strstr(text_of(&v, true), "\033[2J"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_object_is_as_published),
        cmocka_unit_test(nothing_counted_is_null_and_not_zero),
        cmocka_unit_test(an_order_that_never_counts_has_no_days),
        cmocka_unit_test(the_text_tells_the_same_to_a_person),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
