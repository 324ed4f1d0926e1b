/*
 * CDS Hooks: what a request must hold, prefetch under any key, cards that obey the rules
 * of the specification, feedback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/jw.h"
#include "base/text.h"
#include "fhir/hooks.h"
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

#define INSTANCE        "'hookInstance':'d1577c69-dfbe-44ad-ba6d-3e05e953b2ea'"
#define CONTEXT(more)   "'context':{'userId':'Practitioner/d','patientId':'p'" more "}"
#define DRAFTS(entries) ",'draftOrders':{'resourceType':'Bundle','entry':[" entries "]}"
#define DRAFT(id)                                                                        \
    "{'resource':{'resourceType':'MedicationRequest','id':'" id                          \
    "','status':'draft','intent':'order','subject':{'reference':'Patient/p'},"           \
    "'medicationCodeableConcept':{'text':'x'}}}"
#define PATIENT "'resourceType':'Patient','id':'p'"
#define RX(id)                                                                           \
    "'resourceType':'MedicationRequest','id':'" id                                       \
    "','status':'active','subject':{'reference':'Patient/p'},"                           \
    "'medicationCodeableConcept':{'text':'x'}"

static enum ow_code read_as(const char *json, const char *service, bool allow_http,
                            struct ow_hooks_request *req, struct ow_err *err)
{
    const char *text = kit_json(&arena, json);

    return ow_hooks_read(&arena, text, strlen(text), service, allow_http, NULL, req, err);
}

static void a_request_without_what_it_needs_is_refused_in_words(void **state)
{
    static const struct {
        const char *json, *service, *error;
    } cases[] = {
        {"[]",                                                                                                NULL,                 "expected a CDS Hooks request, a JSON object"     },
        { "{" INSTANCE "," CONTEXT("") "}",                                                                   NULL,                 "hook: expected a string"                         },
        { "{'hook':'order-review'," INSTANCE "," CONTEXT("") "}",                                             NULL,
         "hook: expected patient-view, order-select or order-sign"                                                                                                                    },
        { "{'hook':'patient-view'," INSTANCE "," CONTEXT("") "}",                                             "opiward-order-sign",
         "hook: not the hook of this service"                                                                                                                                         },
        { "{'hook':'patient-view'," CONTEXT("") "}",                                                          NULL,
         "hookInstance: expected a UUID"                                                                                                                                              },
        { "{'hook':'patient-view','hookInstance':'1'," CONTEXT("") "}",                                       NULL,
         "hookInstance: expected a UUID"                                                                                                                                              },
        { "{'hook':'patient-view'," INSTANCE "}",                                                             NULL,                 "context: expected an object"                     },
        { "{'hook':'patient-view'," INSTANCE ",'context':{}}",                                                NULL,
         "context.patientId: expected a string"                                                                                                                                       },
        { "{'hook':'patient-view'," INSTANCE ",'context':{'patientId':'a/../b'}}",                            NULL,
         "context.patientId: expected a FHIR id"                                                                                                                                      },
        { "{'hook':'patient-view'," INSTANCE ",'context':{'patientId':'Group/1'}}",                           NULL,
         "context.patientId: expected a FHIR id"                                                                                                                                      },
        { "{'hook':'order-sign'," INSTANCE "," CONTEXT("") "}",                                               NULL,
         "context.draftOrders: expected a Bundle of draft orders"                                                                                                                     },
        { "{'hook':'order-select'," INSTANCE "," CONTEXT(DRAFTS("")) "}",                                     NULL,
         "context.selections: expected an array of references"                                                                                                                        },
        { "{'hook':'patient-view'," INSTANCE "," CONTEXT("") ",'prefetch':[]}",                               NULL,
         "prefetch: expected an object"                                                                                                                                               },
        { "{'hook':'patient-view'," INSTANCE "," CONTEXT("") ",'fhirServer':5}",                              NULL,
         "fhirServer: expected a URL"                                                                                                                                                 },
        { "{'hook':'patient-view'," INSTANCE
          "," CONTEXT("") ",'fhirServer':'http://x.test/fhir'}",
         NULL,                                                                                                                      "fhirServer: expected an https URL"               },
        { "{'hook':'patient-view'," INSTANCE
          "," CONTEXT("") ",'fhirServer':'file:///etc/passwd'}",
         NULL,                                                                                                                      "fhirServer: expected an https URL"               },
        { "{'hook':'patient-view'," INSTANCE
          "," CONTEXT("") ",'fhirAuthorization':{'access_token':'t'}}",
         NULL,                                                                                                                      "fhirServer: required with fhirAuthorization"     },
        { "{'hook':'patient-view'," INSTANCE "," CONTEXT(
              "") ",'fhirServer':'https://x.test','fhirAuthorization':{'access_token':'a\\r\\nb'}}",
         NULL,                                                                                                                      "fhirAuthorization.access_token: expected a token"},
        { "{'hook':'patient-view'," INSTANCE "," CONTEXT(
              "") ",'fhirServer':'https://x.test','fhirAuthorization':{'access_token':'t',"
                  "'token_type':'MAC'}}",                                                            NULL,                 "fhirAuthorization.token_type: expected Bearer"   },
        { "{'hook':'order-sign'," INSTANCE
          "," CONTEXT(DRAFTS("{'resource':{'resourceType':'MedicationOrder'}}")) "}",
         NULL,                                                                                                                      "context.draftOrders: entry[0].resource: MedicationOrder is FHIR DSTU2; FHIR R4, "
          "R4B or R5 expected"                                                                                                                                          },
        { "{'hook':'patient-view'}}",                                                                         NULL,
         "line 1, column 24: surplus text behind the value"                                                                                                                           },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_hooks_request req;
        struct ow_err err = { "" };

        assert_int_equal(read_as(cases[i].json, cases[i].service, false, &req, &err),
                         OW_INPUT);
        assert_string_equal(err.text, cases[i].error);
    }
}

static void a_whole_request_is_read(void **state)
{
    struct ow_hooks_request req;
    const struct ow_chart *charts;
    struct ow_err err = { "" };
    size_t n;

    (void)state;
    assert_int_equal(
        read_as(
            "{'hook':'order-select'," INSTANCE ",'extension':{'x':1},'future':[],"
            "'fhirServer':'http://ehr.test/fhir','fhirAuthorization':{'access_token':"
            "'tok','token_type':'bearer','expires_in':300}," CONTEXT(
                ",'encounterId':'e','selections':['MedicationRequest/2']" DRAFTS(
                    DRAFT("1") "," DRAFT(
                        "2") ",{'resource':{'resourceType':"
                             "'NutritionOrder','id':'n','patient':{'reference':'Patient/p'"
                             "}}}")) ",'prefetch':{'whatever':{" PATIENT
                                     "},'item7':{'resourceType':'Bundle',"
                                     "'entry':[{'resource':{" RX("9") "}}]}}}",
            "opiward-order-select", true, &req, &err),
        OW_OK);
    assert_int_equal(req.hook, OW_HOOK_ORDER_SELECT);
    assert_string_equal(req.patient, "Patient/p");
    assert_string_equal(req.user, "Practitioner/d");
    assert_string_equal(req.encounter, "e");
    assert_string_equal(req.authorization, "Bearer tok");
    assert_false(req.lacks_orders || req.lacks_patient || req.no_prefetch);
    assert_int_equal(ow_reader_charts(req.reader, &charts, &n, &err), OW_OK);
    assert_int_equal(charts[0].hook, OW_HOOK_ORDER_SELECT);
    assert_string_equal(kit_tell(&arena, charts, n),
                        "Patient/p\n"
                        "order MedicationRequest/9 active/- 'x'\n"
                        "order MedicationRequest/1 draft/order draft 'x'\n"
                        "order MedicationRequest/2 draft/order draft selected 'x'\n"
                        "record NutritionOrder/n\n");
}

static void prefetch_tells_absent_from_empty_from_failed(void **state)
{
    static const struct {
        const char *prefetch;
        bool lacks_orders, lacks_patient;
        size_t pages, missing;
    } cases[] = {
        {"",                                                                                 true,  true,  0, 0},
        { ",'prefetch':{}",                                                                  true,  true,  0, 0},
        { ",'prefetch':null",                                                                true,  true,  0, 0},
        { ",'prefetch':{'patient':{" PATIENT "}}",                                           true,  false, 0, 0},
        { ",'prefetch':{'patient':{" PATIENT "},'rx':null}",                                 false, false, 0, 0},
        { ",'prefetch':{'patient':{" PATIENT "},'item2':{'resourceType':'Bundle'}}",
         false,                                                                                     false, 0, 0},
        { ",'prefetch':{'patient':{" PATIENT "},'conditions':null}",                         true,  false, 0, 0},
        { ",'prefetch':{'item1':{'resourceType':'Bundle','link':[{'relation':'self',"
          "'url':'https://x.test/Condition?patient=p'}]}}",                         true,  true,  0, 0},
        { ",'prefetch':{'conditions':{'resourceType':'Bundle','link':[{'relation':'self',"
          "'url':'https://x.test/MedicationRequest?patient=p'}]}}",                 false, true,  0, 0},
        { ",'prefetch':{'rx':{'resourceType':'OperationOutcome','issue':[{'severity':"
          "'error','code':'exception'}]}}",                                         true,  true,  0, 1},
        { ",'prefetch':{'rx':{'resourceType':'Bundle','entry':[{'resource':{" RX(
              "1") "}},{'resource':{'resourceType':'OperationOutcome','issue':[{'severity':'error',"
                   "'code':'exception'}]}}]}}",                                     true,  true,  0, 1},
        { ",'prefetch':{'a':{" RX("1") "},'cond':{'resourceType':'OperationOutcome'}}",
         false,                                                                                     true,  0, 1},
        { ",'prefetch':{'rx':{'resourceType':'Bundle','entry':[{'resource':{" RX(
              "1") "}}],'link':[{'relation':'next','url':'https://x.test?p=2'}]}}",
         true,                                                                                      true,  1, 0},
        { ",'prefetch':{'rx':{'response':{'status':'200'},'resource':{" RX("1") "}}}",
         false,                                                                                     true,  0, 0},
        { ",'prefetch':{'rx':[{" RX("1") "},{" PATIENT "}]}",                                false, false, 0, 0},
        { ",'prefetch':{'rx':'MedicationRequest/1'}",                                        true,  true,  0, 1},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *json = ow_arena_printf(
            &arena, "{'hook':'patient-view'," INSTANCE "," CONTEXT("") "%s}",
            cases[i].prefetch);
        struct ow_hooks_request req;
        struct ow_err err = { "" };

        if (read_as(json, NULL, false, &req, &err) != OW_OK)
            fail_msg("%s: %s", json, err.text);
        if (req.lacks_orders != cases[i].lacks_orders ||
            req.lacks_patient != cases[i].lacks_patient ||
            req.n_next_pages != cases[i].pages ||
            ow_reader_n_missing(req.reader) != cases[i].missing)
            fail_msg("%s: orders %d patient %d pages %zu missing %zu", json,
                     req.lacks_orders, req.lacks_patient, req.n_next_pages,
                     ow_reader_n_missing(req.reader));
    }
}

/* Which kinds of resources somebody looked for, as the prefetch shows. */
static void the_prefetch_shows_what_was_looked_for(void **state)
{
    static const struct {
        const char *prefetch;
        unsigned asked;
    } cases[] = {
        {"'a':{" PATIENT "}",                                      0                },
        { "'a':{" PATIENT "},'conditions':null",                   OW_KIND_CONDITION},
        { "'dispenses':{},'labs':{'resourceType':'Bundle'}",
         OW_KIND_DISPENSE | OW_KIND_OBSERVATION                                     },
        { "'item5':null",                                          OW_KIND_ALL      },
        { "'medications':null",                                    0                },
        { "'x':{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Encounter',"
          "'id':'1'}}]}",                                 OW_KIND_ENCOUNTER},
        { "'x':{'resourceType':'Bundle','link':[{'relation':'self','url':"
          "'https://e.test/fhir/Procedure?patient=p'}]}", OW_KIND_PROCEDURE},
        { "'x':{'resourceType':'Condition','id':'1'}",             OW_KIND_CONDITION},
        { "'conditions':{'resourceType':'OperationOutcome','issue':[{'severity':'error',"
          "'code':'exception'}]}",                        0                },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_hooks_request req;
        struct ow_err err = { "" };
        const char *json = ow_arena_printf(&arena,
                                           "{'hook':'patient-view'," INSTANCE
                                           "," CONTEXT("") ",'prefetch':{%s}}",
                                           cases[i].prefetch);

        assert_int_equal(read_as(json, NULL, false, &req, &err), OW_OK);
        if (req.asked != cases[i].asked)
            fail_msg("%s: %#x", cases[i].prefetch, req.asked);
        if (cases[i].asked != OW_KIND_ALL && i != 4)
            assert_true(req.lacks_orders); /* none of them was the search for orders */
    }
}

static void data_of_another_patient_is_dropped_and_told(void **state)
{
    struct ow_hooks_request req;
    const struct ow_chart *charts;
    size_t n;

    (void)state;
    assert_int_equal(
        read_as(
            "{'hook':'patient-view'," INSTANCE "," CONTEXT(
                "") ",'prefetch':{'p':{" PATIENT
                    "},'rx':{'resourceType':'Bundle','entry':["
                    "{'resource':{'resourceType':'MedicationRequest','id':'x','status':"
                    "'active','subject':{'reference':'Patient/q'},'medicationCodeableConcept':"
                    "{'text':'x'}}}]}}}",
            NULL, false, &req, NULL),
        OW_OK);
    assert_int_equal(ow_reader_charts(req.reader, &charts, &n, NULL), OW_OK);
    assert_string_equal(kit_tell(&arena, charts, n),
                        "Patient/p\nnote: 1 resource of another subject left out\n");
}

/* --- cards --- */

static const struct ow_coding reasons[] = {
    {"https://x.test/override",  "palliative", "Palliative care"},
    { "https://x.test/override", "no-display", NULL             },
};
static const struct ow_action actions[] = {
    {.type = OW_ACTION_DELETE, .resource_id = "MedicationRequest/d"}
};
static const struct ow_suggestion suggestions[] = {
    {"Remove this draft", actions, 1, true },
    { "Keep it",          NULL,    0, false},
};
static const struct ow_link links[] = {
    {"Guideline", "https://x.test/g"}
};
static const char *const related[] = { "MedicationRequest/d", "MedicationRequest/9" };

static const char *response(const struct ow_card *cards, size_t n)
{
    struct ow_verdict v = { .cards = cards, .n_cards = n };
    const char *text;
    struct ow_buf b;

    ow_buf_init(&b, 1 << 20);
    ow_hooks_response(&v, &b);
    assert_false(b.failed);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return text;
}

/* CDS Hooks forbids null, "", [] and {} but for cards. */
static void scan_empty(const cJSON *node)
{
    assert_false(cJSON_IsNull(node));
    if (cJSON_IsString(node))
        assert_true(*node->valuestring != '\0');
    if ((cJSON_IsObject(node) || cJSON_IsArray(node)) && !ow_streq(node->string, "cards"))
        assert_non_null(node->child);
    for (const cJSON *c = node->child; c; c = c->next)
        scan_empty(c);
}

static void a_card_says_all_it_has_and_nothing_empty(void **state)
{
    struct ow_card full = {
        .key = "k1",
        .summary = "122 MME/day",
        .detail = "| a |",
        .indicator = OW_TIER_CRITICAL,
        .source_label = "Stewardship",
        .source_url = "https://x.test",
        .topic = {"https://x.test/t", "med-threshold", "High"},
        .suggestions = suggestions,
        .n_suggestions = 2,
        .override_reasons = reasons,
        .n_override_reasons = 2,
        .links = links,
        .n_links = 1,
        .related = related,
        .n_related = 2,
        .med_text = "at least 122"
    };
    struct ow_card bare = { .key = "k2", .summary = "x", .detail = "" };
    const char *text;

    (void)state;
    assert_string_equal(response(NULL, 0), "{\"cards\":[]}");
    text = response(&full, 1);
    scan_empty(kit_parse(&arena, text));
    assert_string_equal(
        text,
        kit_json(
            &arena,
            "{'cards':[{'uuid':'15f3dd74-e945-5666-950b-8993d596abd0','summary':'122 "
            "MME/day','indicator':'critical','detail':'| a |','source':{'label':"
            "'Stewardship','url':'https://x.test','topic':{'system':'https://x.test/t',"
            "'code':'med-threshold','display':'High'}},'suggestions':[{'label':'Remove "
            "this draft','uuid':'985fe38d-a1d2-5cb4-a978-63f07bfd8189','isRecommended':true,'actions':[{'type':'delete',"
            "'description':'Remove this draft','resourceId':'MedicationRequest/d'}]},"
            "{'label':'Keep it','uuid':'37d140ec-bdde-5dfd-80c6-d6d8b0595b55'}],'selectionBehavior':'at-most-one',"
            "'overrideReasons':[{'system':'https://x.test/override','code':'palliative',"
            "'display':'Palliative care'},{'system':'https://x.test/override','code':"
            "'no-display','display':'no-display'}],'links':[{'label':'Guideline','url':"
            "'https://x.test/g','type':'absolute'}],'extension':{'org.opiward.orders':"
            "{'relatedOrders':['MedicationRequest/d','MedicationRequest/9'],'medPerDay':"
            "'at least 122'}}}]}"));
    text = response(&bare, 1);
    scan_empty(kit_parse(&arena, text));
}

static size_t utf16_units(const char *s)
{
    size_t units = 0;

    for (; *s; s++) {
        if (((unsigned char)*s & 0xc0) != 0x80)
            units += ((unsigned char)*s & 0xf8) == 0xf0 ? 2 : 1;
    }
    return units;
}

static void a_summary_is_never_too_long(void **state)
{
    static const char *const pieces[] = { "a", "\xc3\xa4", "\xe2\x82\xac",
                                          "\xf0\x9f\x98\x80", "x\xf0\x9f\x98\x80y" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(pieces); i++) {
        for (int n = 60; n < 150; n++) {
            struct ow_card c = { .key = "k" };
            struct ow_buf b;
            const char *got;

            ow_buf_init(&b, 4096);
            for (int k = 0; k < n; k++)
                ow_buf_str(&b, pieces[i]);
            c.summary = ow_buf_cstr(&b);
            got = ow_json_string(
                ow_json_array(kit_parse(&arena, response(&c, 1)), "cards")->child,
                "summary");
            assert_true(utf16_units(got) <= 139);
            assert_true(ow_utf8_valid(got, strlen(got)));
            if (utf16_units(c.summary) <= 139)
                assert_string_equal(got, c.summary);
            else
                assert_true(utf16_units(got) >= 138 - 1 &&
                            ow_ends_with(got, "\xe2\x80\xa6"));
            ow_buf_done(&b);
        }
    }
}

static void discovery_names_the_three_services(void **state)
{
    static const char *const ids[] = { "opiward-patient-view", "opiward-order-select",
                                       "opiward-order-sign" };
    const cJSON *services, *c;
    struct ow_buf b;
    size_t i = 0;

    (void)state;
    ow_buf_init(&b, 1 << 16);
    ow_hooks_discovery(&b);
    services = ow_json_array(kit_parse(&arena, ow_buf_cstr(&b)), "services");
    scan_empty(services);
    cJSON_ArrayForEach(c, services)
    {
        const char *id = ow_json_string(c, "id");

        assert_string_equal(id, ids[i++]);
        assert_string_equal(ow_hook_name(ow_hooks_service(id)),
                            ow_json_string(c, "hook"));
        assert_non_null(ow_json_string(c, "description"));
        assert_non_null(ow_json_string(ow_json_object(c, "prefetch"), "patient"));
    }
    assert_int_equal(i, 3);
    assert_int_equal(ow_hooks_service("opiward"), OW_HOOK_NONE);
    ow_buf_done(&b);
}

static void feedback_is_read_liberally_and_checked(void **state)
{
    static const struct {
        const char *json, *error;
        size_t n;
    } cases[] = {
        {"{'feedback':[]}",                                                   NULL,                              0},
        { "{'feedback':[{'card':'c','outcome':'accepted','acceptedSuggestions':[{'id':"
          "'a'},{'id':'b'}],'outcomeTimestamp':'2026-03-02T08:00:00Z'},{'outcome':"
          "'overridden','overrideReason':{'reason':{'code':'x','system':'s'},"
          "'userComment':'Jane'}}]}",                                NULL,                              2},
        { "{'feedback':[{'outcome':'overridden'}]}",                          NULL,                              1},
        { "{}",                                                               "feedback: expected an array",     0},
        { "{'feedback':[1]}",                                                 "feedback[0]: expected an object", 0},
        { "{'feedback':[{'outcome':'overridden'},{'outcome':'liked'}]}",
         "feedback[1].outcome: expected accepted or overridden",                                                 0},
        { "{'feedback':[{'outcome':'accepted'}]}",
         "feedback[0].acceptedSuggestions: required with accepted",                                              0},
        { "{'feedback':[{'outcome':'overridden','overrideReason':{}}]}",
         "feedback[0].overrideReason: expected a reason or a comment",                                           0},
        { "{'feedback':[{'outcome':'overridden','outcomeTimestamp':'now'}]}",
         "feedback[0].outcomeTimestamp: expected a time",                                                        0},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *json = kit_json(&arena, cases[i].json);
        const struct ow_hooks_feedback *f;
        struct ow_err err = { "" };
        size_t n = 0;
        enum ow_code code = ow_hooks_read_feedback(&arena, json, strlen(json), &f, &n,
                                                   &err);

        assert_int_equal(code, cases[i].error ? OW_INPUT : OW_OK);
        assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
        assert_int_equal(n, cases[i].n);
        if (n != 2)
            continue;
        assert_string_equal(f[0].card, "c");
        assert_string_equal(f[0].suggestions, "a,b");
        assert_true(f[0].has_at && !f[1].has_at);
        assert_null(f[1].card);
        assert_string_equal(f[1].reason_code, "x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_what_it_needs_is_refused_in_words),
        cmocka_unit_test(a_whole_request_is_read),
        cmocka_unit_test(prefetch_tells_absent_from_empty_from_failed),
        cmocka_unit_test(the_prefetch_shows_what_was_looked_for),
        cmocka_unit_test(data_of_another_patient_is_dropped_and_told),
        cmocka_unit_test(a_card_says_all_it_has_and_nothing_empty),
        cmocka_unit_test(a_summary_is_never_too_long),
        cmocka_unit_test(discovery_names_the_three_services),
        cmocka_unit_test(feedback_is_read_liberally_and_checked),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
