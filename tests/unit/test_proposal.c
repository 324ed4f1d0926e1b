/*
 * Proposals: whole resources for the suggestions of a card
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/proposal.h"
#include "tests/support/fhirkit.h"

static struct ow_arena arena;

static const char *text_of(struct ow_buf *b)
{
    const char *ret = ow_arena_strndup(&arena, ow_buf_cstr(b), b->len);

    ow_buf_done(b);
    return ret;
}

static const char *shortened(const char *draft, int64_t days, int64_t quantity)
{
    struct ow_buf b;
    struct ow_jw w;

    ow_buf_init(&b, 1 << 20);
    ow_jw_init(&w, &b);
    ow_proposal_shorten(&w, kit_parse(&arena, kit_json(&arena, draft)), days, quantity);
    return text_of(&b);
}

static void a_shortened_draft_keeps_every_other_member_and_digit(void **state)
{
    (void)state;
    assert_string_equal(
        shortened("{'resourceType':'MedicationRequest','id':'d','status':'draft',"
                  "'extension':[{'url':'u','valueDecimal':5.00}],"
                  "'dispenseRequest':{'validityPeriod':{'start':'2026-03-02'},"
                  "'quantity':{'value':60.0,'unit':'tablet','code':'{tbl}'},"
                  "'expectedSupplyDuration':{'value':2,'unit':'weeks','code':'wk'}},"
                  "'note':[{'text':'a \\\"b\\\"'}]}",
                  7, 30),
        kit_json(&arena, "{'resourceType':'MedicationRequest','id':'d','status':'draft',"
                         "'extension':[{'url':'u','valueDecimal':5.00}],"
                         "'dispenseRequest':{'validityPeriod':{'start':'2026-03-02'},"
                         "'quantity':{'value':30,'unit':'tablet','code':'{tbl}'},"
                         "'expectedSupplyDuration':{'value':7,'unit':'days','system':"
                         "'http://unitsofmeasure.org','code':'d'}},"
                         "'note':[{'text':'a \\\"b\\\"'}]}"));
}

/* Members of every kind come back, and a primitive's extensions with its value go. */
static void a_shortened_draft_gives_back_what_nobody_reads(void **state)
{
    (void)state;
    assert_string_equal(
        shortened("{'a':true,'b':false,'c':null,'d':[1,[]],'dispenseRequest':{"
                  "'quantity':{'value':60,'_value':{'id':'x'},'unit':'tablet'}}}",
                  1, 9),
        kit_json(&arena, "{'a':true,'b':false,'c':null,'d':[1,[]],'dispenseRequest':{"
                         "'quantity':{'value':9,'unit':'tablet'},"
                         "'expectedSupplyDuration':{'value':1,'unit':'day','system':"
                         "'http://unitsofmeasure.org','code':'d'}}}"));
}

static const char *created(const struct ow_proposal *p, const char *prescriber)
{
    struct ow_verdict v = { .patient = "Patient/p1",
                            .prescriber = prescriber,
                            .encounter = "Encounter/e1" };
    struct ow_buf b;
    struct ow_jw w;

    ow_buf_init(&b, 1 << 20);
    ow_jw_init(&w, &b);
    ow_proposal_create(&w, &v, p);
    return text_of(&b);
}

static void a_new_order_is_a_whole_draft(void **state)
{
    struct ow_proposal p = {
        .type = "MedicationRequest",
        .code = {"http://www.nlm.nih.gov/research/umls/rxnorm", "1725059",
                 "naloxone hydrochloride 40 MG/ML Nasal Spray"},
        .text = "Order naloxone",
        .reason = "Naloxone",
        .directions = "One spray",
        .quantity = 2,
    };
    const cJSON *o = kit_parse(&arena, created(&p, "Practitioner/d1"));

    (void)state;
    assert_string_equal(ow_json_string(o, "status"), "draft");
    assert_string_equal(ow_json_string(o, "intent"), "order");
    assert_string_equal(ow_json_string(ow_json_object(o, "subject"), "reference"),
                        "Patient/p1");
    assert_string_equal(ow_json_string(ow_json_object(o, "requester"), "reference"),
                        "Practitioner/d1");
    assert_non_null(ow_json_object(o, "medicationCodeableConcept"));
    assert_non_null(ow_json_string(o, "authoredOn"));
    o = kit_parse(&arena, created(&p, "Patient/p1"));
    assert_null(ow_json_get(o, "requester")); /* a patient orders nothing */
}

static void a_service_is_ordered_by_its_code(void **state)
{
    struct ow_proposal p = {
        .type = "ServiceRequest",
        .code = {"http://snomed.info/sct", "310627008", "Screen"},
        .text = "Order a screen",
        .reason = "Screen due"
    };
    const cJSON *o = kit_parse(&arena, created(&p, "PractitionerRole/r"));

    (void)state;
    assert_string_equal(ow_json_string(o, "intent"), "order");
    assert_string_equal(ow_json_string(ow_json_object(o, "code"), "text"), "Screen");
    assert_string_equal(ow_json_string(ow_json_object(o, "requester"), "reference"),
                        "PractitionerRole/r");
    assert_null(ow_json_get(o, "medicationCodeableConcept"));
}

static void a_task_says_what_it_is_about(void **state)
{
    struct ow_proposal p = { .type = "Task",
                             .text = "Ask the pharmacy",
                             .reason = "Opioid dose cannot be computed",
                             .focus = "MedicationRequest/d" };
    const cJSON *o = kit_parse(&arena, created(&p, NULL));

    (void)state;
    assert_string_equal(ow_json_string(o, "intent"), "proposal");
    assert_string_equal(ow_json_string(ow_json_object(o, "focus"), "reference"),
                        "MedicationRequest/d");
    assert_string_equal(ow_json_string(ow_json_object(o, "for"), "reference"),
                        "Patient/p1");
    assert_null(ow_json_get(o, "subject"));
    assert_null(ow_json_get(o, "code"));
    p.focus = NULL;
    assert_null(ow_json_get(kit_parse(&arena, created(&p, NULL)), "focus"));
    p.focus = "";
    assert_null(ow_json_get(kit_parse(&arena, created(&p, NULL)), "focus"));
}

static void what_nests_too_deep_is_not_given_back(void **state)
{
    char deep[512] = "";
    size_t n = 0;

    (void)state;
    for (int i = 0; i < OW_PROPOSAL_DEPTH; i++)
        deep[n++] = '[';
    for (int i = 0; i < OW_PROPOSAL_DEPTH; i++)
        deep[n++] = ']';
    deep[n] = '\0';
    assert_true(ow_proposal_fits(kit_parse(&arena, deep)));
    assert_false(
        ow_proposal_fits(kit_parse(&arena, ow_arena_printf(&arena, "[%s]", deep))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shortened_draft_keeps_every_other_member_and_digit),
        cmocka_unit_test(a_new_order_is_a_whole_draft),
        cmocka_unit_test(a_shortened_draft_gives_back_what_nobody_reads),
        cmocka_unit_test(a_service_is_ordered_by_its_code),
        cmocka_unit_test(a_task_says_what_it_is_about),
        cmocka_unit_test(what_nests_too_deep_is_not_given_back),
    };
    int failed;

    ow_arena_init(&arena, (size_t)16 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    ow_arena_done(&arena);
    return failed;
}
