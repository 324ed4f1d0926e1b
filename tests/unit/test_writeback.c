/*
 * Write-back: the same alert gives the same bytes, a repeat is harmless, and what each
 * reply of a server means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fhir/writeback.h"
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

static const char *const implicated[] = { "MedicationRequest/rx9",
                                          "MedicationRequest at entry[3].resource",
                                          "urn:uuid:1" };

static struct ow_writeback alert(void)
{
    return (struct ow_writeback){
        .identifier_system = "urn:oid:2.999.7",
        .key = "9f2c41",
        .patient = "Patient/p1",
        .rule = "med-threshold",
        .tier = OW_TIER_CRITICAL,
        .summary = "122 MME/day",
        .detail = "threshold 90",
        .implicated = implicated,
        .n_implicated = 3,
        .identified = 1772438407000,
        .owner = "Organization/pharmacy",
        .policy = "cdc-2022",
        .policy_version = "1",
        .knowledge_sha256 = "abc",
    };
}

static const char *bytes(const struct ow_writeback *w)
{
    const char *text;
    struct ow_buf b;

    ow_buf_init(&b, 1 << 20);
    ow_writeback_bundle(w, &b);
    assert_false(b.failed);
    text = ow_arena_strndup(&arena, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return text;
}

static void a_first_alert_creates_issue_and_task_unless_they_are_there(void **state)
{
    struct ow_writeback w = alert();
    const char *expected =
        "{'resourceType':'Bundle','type':'transaction','entry':[{'fullUrl':'urn:uuid:"
        "220f7423-3828-5ae5-b8a6-2941cfdc9812','request':{'method':'POST','url':'DetectedIssue','ifNoneExist':"
        "'identifier=urn%3Aoid%3A2.999.7%7C9f2c41'},'resource':{'resourceType':"
        "'DetectedIssue','identifier':[{'system':'urn:oid:2.999.7','value':'9f2c41'}],"
        "'status':'final','code':{'coding':[{'system':"
        "'http://terminology.hl7.org/CodeSystem/v3-ActCode','code':'DOSEHIND'}],'text':"
        "'med-threshold'},'severity':'high','patient':{'reference':'Patient/p1'},"
        "'identifiedDateTime':'2026-03-02T08:00:07Z','implicated':[{'reference':"
        "'MedicationRequest/rx9'}],'evidence':[{'code':[{'text':'policy cdc-2022 1, "
        "knowledge abc'}]}],'detail':'122 MME/day\\n\\nthreshold 90'}},{'fullUrl':"
        "'urn:uuid:b3a12001-8ef5-5c70-bf94-8a932fa91173','request':{'method':'POST','url':'Task','ifNoneExist':"
        "'identifier=urn%3Aoid%3A2.999.7%7Ctask-9f2c41'},'resource':{'resourceType':"
        "'Task','identifier':[{'system':'urn:oid:2.999.7','value':'task-9f2c41'}],"
        "'status':'requested','intent':'order','priority':'urgent','code':{'text':'Review "
        "an opioid safety alert'},'description':'122 MME/day','focus':{'reference':"
        "'urn:uuid:220f7423-3828-5ae5-b8a6-2941cfdc9812'},'for':{'reference':'Patient/p1'},'authoredOn':"
        "'2026-03-02T08:00:07Z','lastModified':'2026-03-02T08:00:07Z','owner':"
        "{'reference':'Organization/pharmacy'}}}]}";

    (void)state;
    assert_string_equal(bytes(&w), kit_json(&arena, expected));
    assert_string_equal(bytes(&w), bytes(&w));
}

static const cJSON *entry(const char *text, int i)
{
    return cJSON_GetArrayItem(ow_json_array(kit_parse(&arena, text), "entry"), i);
}

static const char *at(const cJSON *node, const char *a, const char *b)
{
    return ow_json_string(ow_json_object(node, a), b);
}

static void a_later_revision_updates_and_leaves_a_task_taken_up_alone(void **state)
{
    struct ow_writeback w = alert();
    const cJSON *issue, *task;

    (void)state;
    w.revision = 1;
    issue = entry(bytes(&w), 0);
    task = entry(bytes(&w), 1);
    assert_string_equal(at(issue, "request", "method"), "PUT");
    assert_string_equal(at(issue, "request", "url"),
                        "DetectedIssue?identifier=urn%3Aoid%3A2.999.7%7C9f2c41");
    assert_null(at(issue, "request", "ifNoneExist"));
    assert_string_equal(at(issue, "resource", "status"), "amended");
    assert_string_equal(at(task, "request", "method"), "POST");
    assert_non_null(at(task, "request", "ifNoneExist"));
}

static void a_resolved_alert_amends_the_issue_and_cancels_the_task(void **state)
{
    struct ow_writeback w = alert();
    const cJSON *issue, *task;

    (void)state;
    w.revision = 2;
    w.resolved = true;
    w.owner = NULL;
    issue = entry(bytes(&w), 0);
    task = entry(bytes(&w), 1);
    assert_string_equal(at(issue, "request", "method"), "PUT");
    assert_non_null(ow_json_array(ow_json_object(issue, "resource"), "mitigation"));
    assert_string_equal(at(task, "request", "method"), "PUT");
    assert_string_equal(at(task, "request", "url"),
                        "Task?identifier=urn%3Aoid%3A2.999.7%7Ctask-9f2c41");
    assert_string_equal(at(task, "resource", "status"), "cancelled");
    assert_non_null(at(ow_json_object(task, "resource"), "statusReason", "text"));
    assert_null(ow_json_object(ow_json_object(task, "resource"), "owner"));
}

static void rules_and_tiers_have_their_codes(void **state)
{
    static const struct {
        const char *rule, *code;
        enum ow_tier tier;
        const char *severity, *priority;
    } cases[] = {
        {"med-threshold",           "DOSEHIND", OW_TIER_CRITICAL, "high",     "urgent" },
        { "sedative-coprescribing", "DRG",      OW_TIER_WARNING,  "moderate", "routine"},
        { "duplicate-opioid",       "DUPTHPY",  OW_TIER_INFO,     "low",      "routine"},
        { "unreadable-dose",        NULL,       OW_TIER_WARNING,  "moderate", "routine"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_writeback w = alert();
        const cJSON *issue, *coding;

        w.rule = cases[i].rule;
        w.tier = cases[i].tier;
        issue = ow_json_object(entry(bytes(&w), 0), "resource");
        coding = ow_json_array(ow_json_object(issue, "code"), "coding");
        assert_true(ow_streq(coding ? ow_json_string(coding->child, "code") : NULL,
                             cases[i].code));
        assert_string_equal(ow_json_string(issue, "severity"), cases[i].severity);
        assert_string_equal(at(entry(bytes(&w), 1), "resource", "priority"),
                            cases[i].priority);
    }
}

static void keys_and_uuids_are_stable_and_apart(void **state)
{
    char a[33], b[33], uuid[37], hex[65];

    (void)state;
    ow_alert_key("site", "Patient/p", "rule", "", 1, a);
    ow_alert_key("site", "Patient/p", "rule", "", 1, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 32);
    ow_alert_key("site", "Patient/p", "rule", "", 2, b);
    assert_string_not_equal(a, b);
    ow_alert_key("site", "Patient/pr", "ule", "", 1, b);
    assert_string_not_equal(a, b);
    ow_uuid_of("k1", uuid);
    assert_string_equal(uuid,
                        "15f3dd74-e945-5666-950b-8993d596abd0"); /* version 5, checked by
                                                                    another program */
    ow_sha256_hex("abc", 3, hex); /* FIPS 180-4, example B.1 */
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void every_reply_has_its_meaning(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum ow_reply reply;
        const char *text;
    } cases[] = {
        {200,  "",                                                                    OW_REPLY_DONE,    ""                                                    },
        { 201,
         "{'resourceType':'Bundle','entry':[{'response':{'status':'201 Created'}}]}", OW_REPLY_DONE,    ""                                                    },
        { 204, "",                                                                    OW_REPLY_DONE,    ""                                                    },
        { 200, "ok",                                                                  OW_REPLY_DONE,    ""                                                    },
        { 200, " <html>",                                                             OW_REPLY_RETRY,
         "the server answered with markup, perhaps a page of a proxy"                                                                                         },
        { 200,
         "{'resourceType':'Bundle','entry':[{'response':{'status':'201'}},"
          "{'response':{'status':'422 Unprocessable'}}]}",                            OW_REPLY_REFUSED, "the server answered 200 with an entry of 422"        },
        { 200, "{'entry':[{'response':{'status':'503'}}]}",                           OW_REPLY_RETRY,
         "the server answered 200 with an entry of 503"                                                                                                       },
        { 0,   "",                                                                    OW_REPLY_RETRY,   "no answer"                                           },
        { 302, "",                                                                    OW_REPLY_REFUSED, "the server answered 302"                             },
        { 400, "",                                                                    OW_REPLY_REFUSED, "the server answered 400"                             },
        { 401, "",                                                                    OW_REPLY_DENIED,  "the server answered 401"                             },
        { 403, "",                                                                    OW_REPLY_DENIED,  "the server answered 403"                             },
        { 404, "",                                                                    OW_REPLY_REFUSED, "the server answered 404"                             },
        { 408, "",                                                                    OW_REPLY_RETRY,   "the server answered 408"                             },
        { 409, "",                                                                    OW_REPLY_RETRY,   "the server answered 409"                             },
        { 410, "",                                                                    OW_REPLY_REFUSED, "the server answered 410"                             },
        { 412, "",                                                                    OW_REPLY_RETRY,   "the server answered 412"                             },
        { 422,
         "{'resourceType':'OperationOutcome','issue':[{'severity':'error','code':"
          "'invalid','diagnostics':'Jane Doe','details':{'text':'Jane Doe'},"
          "'expression':['Task.owner']}]}",                                           OW_REPLY_REFUSED, "the server answered 422: error/invalid at Task.owner"},
        { 428, "",                                                                    OW_REPLY_REFUSED, "the server answered 428"                             },
        { 429, "",                                                                    OW_REPLY_RETRY,   "the server answered 429"                             },
        { 500, "<html>",                                                              OW_REPLY_RETRY,   "the server answered 500"                             },
        { 501, "",                                                                    OW_REPLY_REFUSED, "the server answered 501"                             },
        { 503, "",                                                                    OW_REPLY_RETRY,   "the server answered 503"                             },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body), *text;
        struct ow_response resp = { .status = cases[i].status,
                                    .body = body,
                                    .body_len = strlen(body) };

        assert_int_equal(ow_writeback_reply(&arena, &resp, &text), cases[i].reply);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_probe_asks_afresh_and_is_answered(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum ow_code code;
        bool found;
    } cases[] = {
        {200,  "{'resourceType':'Bundle','total':0}",                                               OW_OK,     false},
        { 200,
         "{'resourceType':'Bundle','entry':[{'resource':{'resourceType':"
          "'DetectedIssue','id':'17','identifier':[{'system':'urn:oid:2.999.7','value':'9f'}]}}]}",
         OW_OK,                                                                                                true },
        { 200, "{'resourceType':'OperationOutcome'}",                                               OW_AGAIN,  false},
        { 200, "<html>",                                                                            OW_AGAIN,  false},
        { 200, "{",                                                                                 OW_INPUT,  false},
        { 401, "",                                                                                  OW_DENIED, false},
        { 503, "",                                                                                  OW_AGAIN,  false},
        { 400, "",                                                                                  OW_INPUT,  false},
    };
    struct ow_request req;

    (void)state;
    ow_writeback_probe(&arena, "https://ehr.test/fhir", "urn:oid:2.999.7", "9f",
                       "Bearer t", &req);
    assert_string_equal(req.method, "GET");
    assert_string_equal(
        req.url,
        "https://ehr.test/fhir/DetectedIssue?identifier=urn%3Aoid%3A2.999.7%7C9f");
    assert_string_equal(ow_header_get(req.headers, req.n_headers, "cache-control"),
                        "no-cache");
    assert_string_equal(ow_header_get(req.headers, req.n_headers, "authorization"),
                        "Bearer t");
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body);
        struct ow_response resp = { .status = cases[i].status,
                                    .body = body,
                                    .body_len = strlen(body) };
        struct ow_writeback_found found = { 0 };

        assert_int_equal(ow_writeback_lookup_answer(&arena, &resp, "urn:oid:2.999.7",
                                                    "9f", &found, NULL),
                         cases[i].code);
        assert_int_equal(found.issue != NULL, cases[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_alert_creates_issue_and_task_unless_they_are_there),
        cmocka_unit_test(a_later_revision_updates_and_leaves_a_task_taken_up_alone),
        cmocka_unit_test(a_resolved_alert_amends_the_issue_and_cancels_the_task),
        cmocka_unit_test(rules_and_tiers_have_their_codes),
        cmocka_unit_test(keys_and_uuids_are_stable_and_apart),
        cmocka_unit_test(every_reply_has_its_meaning),
        cmocka_unit_test(a_probe_asks_afresh_and_is_answered),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
