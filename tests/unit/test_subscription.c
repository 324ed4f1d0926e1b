/*
 * Subscription: requests and answers, every form of delivery that servers are known to
 * send, and the pages of a catch-up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fhir/subscription.h"
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

#define BASE "https://ehr.test/fhir"

static const struct ow_subscription_options options = {
    .base_url = BASE,
    .endpoint = "https://mme.test/notify/7f3c",
    .criteria = "MedicationRequest?",
    .authorization = "Bearer t",
    .header = "Authorization: Bearer k",
};

static const char *header(const struct ow_request *r, const char *name)
{
    return ow_header_get(r->headers, r->n_headers, name);
}

static void requests_say_what_the_server_needs(void **state)
{
    struct ow_subscription s = { .id = "9", .version = "3" };
    struct ow_request r;

    (void)state;
    ow_subscription_find(&arena, &options, &r);
    assert_string_equal(r.url, BASE "/Subscription?url=https%3A%2F%2Fmme.test%2Fnotify%2F"
                                    "7f3c&_count=50");
    ow_subscription_create(&arena, &options, &r);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, BASE "/Subscription");
    assert_string_equal(
        r.body,
        kit_json(&arena,
                 "{'resourceType':'Subscription','status':'requested','reason':'opioid "
                 "dose surveillance','criteria':'MedicationRequest?','channel':"
                 "{'extension':[{'url':'http://hapifhir.io/fhir/StructureDefinition/"
                 "subscription-send-delete-messages','valueBoolean':true}],'type':"
                 "'rest-hook','endpoint':'https://mme.test/notify/7f3c','payload':"
                 "'application/fhir+json','header':['Authorization: Bearer k']}}"));
    assert_int_equal(r.body_len, strlen(r.body));
    assert_string_equal(header(&r, "Content-Type"), "application/fhir+json");
    assert_string_equal(header(&r, "Authorization"), "Bearer t");
    ow_subscription_revive(&arena, &options, &s, &r);
    assert_string_equal(r.method, "PUT");
    assert_string_equal(r.url, BASE "/Subscription/9");
    assert_string_equal(header(&r, "If-Match"), "W/\"3\"");
    assert_string_equal(ow_json_string(kit_parse(&arena, r.body), "id"), "9");
    ow_subscription_read(&arena, &options, "9", &r);
    assert_string_equal(r.method, "GET");
    assert_string_equal(header(&r, "Cache-Control"), "no-cache");
    ow_subscription_delete(&arena, &options, "9", &r);
    assert_string_equal(r.method, "DELETE");
    assert_string_equal(r.url, BASE "/Subscription/9");
}

#define OURS(id, status)                                                                 \
    "{'resourceType':'Subscription','id':'" id "','status':'" status                     \
    "','criteria':'MedicationRequest?','error':'e','meta':{'versionId':'2'},'channel':"  \
    "{'endpoint':'https://mme.test/notify/7f3c'}}"
#define FOUND(list) "{'resourceType':'Bundle','entry':[" list "]}"

static void answers_tell_the_state(void **state)
{
    static const struct {
        int status;
        const char *location, *body;
        enum ow_code code;
        enum ow_subscription_status found;
        const char *id;
    } cases[] = {
        {200,                    NULL,                              OURS("1",                                     "active"),                                              OW_OK,                                                                                                                                                                               OW_SUBSCRIPTION_ACTIVE,                                                                                                                                                         "1" },
        { 201,                     NULL,                                                   OURS("1",                                                                       "requested"),                                                                   OW_OK,                                                                                                                                                                    OW_SUBSCRIPTION_REQUESTED,                                                                                                                                                                                                                                                                           "1" },
        { 200,                   NULL,                                                   OURS("1",                                                                                            "error"),                                                                                                                            OW_OK,                                                                                                                                                                                                                                                     OW_SUBSCRIPTION_ERROR,                                                      "1" },
        { 200, NULL,                               OURS("1",                                                                          "off"),                                                                                                                             OW_OK,                                                        OW_SUBSCRIPTION_OFF,                                                                                                                                           "1" },
        { 200,                 NULL,                               FOUND(""),                                                                        OW_OK, OW_SUBSCRIPTION_NONE,                                                                                                                          NULL                                                                                                                                         },
        { 200,                 NULL,
         FOUND("{'resource':" OURS("1","error") "},{'resource':" OURS(
              "2",                                                    "active") "},{'resource':" OURS("3",                                                                                                           "active") "}"),
         OW_OK, OW_SUBSCRIPTION_ACTIVE, "2" },
        { 200,      NULL,
         FOUND(
              "{'resource':{'resourceType':'Subscription','id':'8','status':'active',"
              "'criteria':'Patient?','channel':{'endpoint':"
              "'https://mme.test/notify/7f3c'}}},{'resource':{'resourceType':"
              "'Subscription','id':'9','status':'active','criteria':'MedicationRequest?'"
              ",'channel':{'endpoint':'https://other.test'}}}"),
         OW_OK,                                                                                                                                                           OW_SUBSCRIPTION_NONE,                                                                                                                                                                                                                                                                                                                        NULL                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  },
        { 201,                   BASE "/Subscription/5/_history/1",                                           "",                                                  OW_OK,                                                                                                                                                           OW_SUBSCRIPTION_REQUESTED,
         "5"                  },
        { 201,                   "Subscription/5", "", OW_OK, OW_SUBSCRIPTION_REQUESTED, "5"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 },
        { 201,                   NULL,                  "",                                                            OW_INPUT,                                                                                                             OW_SUBSCRIPTION_NONE,                                                                                                                                                                                                                                                                       NULL                                                                                                                                                                                                                                                                                                                                                                                                                                                 },
        { 404,                   NULL,                              "",                                                       OW_OK,                                          OW_SUBSCRIPTION_NONE,                                                                                             NULL},
        { 410,                   NULL,                              "",                                           OW_OK,                                      OW_SUBSCRIPTION_NONE,                                                                                                                                                            NULL                                                                                                                                                                                                                                         },
        { 401,                   NULL,                              "",                                           OW_DENIED,                                                  OW_SUBSCRIPTION_NONE,                                                                                                                                                                            NULL                                                                                                                                                                                          },
        { 503,                   NULL,                              "",                                           OW_AGAIN,                                              OW_SUBSCRIPTION_NONE,                                                                                                                                                            NULL                                                                                                                                                          },
        { 422,                   NULL,                              "",                                           OW_INPUT,                                               OW_SUBSCRIPTION_NONE,                                                                                                                                                                 NULL                                                                                                                                                                               },
        { 200,                   NULL,                              "<html>",                                           OW_AGAIN,                                               OW_SUBSCRIPTION_NONE,                                                                                                                                                                NULL                                                                                                                                                                         },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body);
        struct ow_header h = { "Location", cases[i].location };
        struct ow_response resp = { .status = cases[i].status,
                                    .headers = &h,
                                    .n_headers = cases[i].location ? 1 : 0,
                                    .body = body,
                                    .body_len = strlen(body) };
        struct ow_subscription s = { 0 };

        assert_int_equal(ow_subscription_answer(&arena, &options, &resp, &s, NULL),
                         cases[i].code);
        if (cases[i].code != OW_OK)
            continue;
        assert_int_equal(s.status, cases[i].found);
        assert_true(ow_streq(s.id, cases[i].id));
    }
}

static const char *tell(const struct ow_notice *list, size_t n)
{
    const char *text = "";

    for (size_t i = 0; i < n; i++) {
        const struct ow_notice *k = &list[i];

        text = ow_arena_printf(&arena, "%s%s%s%s%s%s%s%s%s%s%s\n", text,
                               k->type ? k->type : "", k->type ? "/" : "",
                               k->id ? k->id : "", k->version ? " v" : "",
                               k->version ? k->version : "", k->patient ? " of " : "",
                               k->patient ? k->patient : "", k->deleted ? " deleted" : "",
                               k->hint ? "hint" : "", k->ignored ? " ignored" : "");
    }
    return text;
}

#define RX                                                                               \
    "{'resourceType':'MedicationRequest','id':'rx9','meta':{'versionId':'4'},'subject':" \
    "{'reference':'Patient/p1'}}"
#define EVENT                                                                            \
    "{'name':'notification-event','part':[{'name':'event-number','valueString':'23'},"   \
    "{'name':'focus','valueReference':{'reference':"                                     \
    "'https://ehr.test/fhir/MedicationRequest/rx9'}}]}"
#define STATUS_R4(type, events)                                                               \
    "{'resource':{'resourceType':'Parameters','parameter':[{'name':'type','valueCode':'" type \
    "'}" events "]},'request':{'method':'GET','url':'Subscription/1/$status'}}"

static void every_known_form_of_delivery_is_understood(void **state)
{
    static const struct {
        const char *name, *method, *rest;
        struct ow_header headers[2];
        const char *body, *told, *error;
    } cases[] = {
        {"HAPI, create and update",
         "PUT",                                                                      "/MedicationRequest/rx9",
         { { "If-Match", "\"4\"" } },
         RX,                                                                                                                    "MedicationRequest/rx9 v4 of Patient/p1\n",
         NULL                                                                                                                                                                                                              },
        { "version from If-Match",
         "PUT",                                                                      "/MedicationRequest/rx9",
         { { "If-Match", "W/\"7\"" } },
         "{'resourceType':'MedicationRequest','id':'rx9'}",                                                                     "MedicationRequest/rx9 v7\n",
         NULL                                                                                                                                                                                                              },
        { "body without id",
         "PUT",                                                                      "/MedicationRequest/rx9",
         { { 0 } },
         "{'resourceType':'MedicationRequest'}",                                                                                "MedicationRequest/rx9\n",
         NULL                                                                                                                                                                                                              },
        { "HAPI, delete",
         "DELETE",                                                                   "/MedicationRequest/rx9",
         { { 0 } },
         "",                                                                                                                    "MedicationRequest/rx9 deleted\n",
         NULL                                                                                                                                                                                                              },
        { "HAPI, no payload",                                                "POST", "",                       { { 0 } }, "",   "hint\n",                                                         NULL                     },
        { "Medplum",
         "POST",                                                                     "/",
         { { "X-Medplum-Interaction", "update" } },
         RX,                                                                                                                    "MedicationRequest/rx9 v4 of Patient/p1\n",
         NULL                                                                                                                                                                                                              },
        { "Medplum, delete",
         "POST",                                                                     "",
         { { "X-Medplum-Interaction", "delete" },
            { "X-Medplum-Deleted-Resource", "MedicationRequest/rx9" } },
         "{}",                                                                                                                  "MedicationRequest/rx9 deleted\n",
         NULL                                                                                                                                                                                                              },
        { "Medplum, delete of it knows not what",
         "POST",                                                                     "",
         { { "X-Medplum-Interaction", "delete" } },
         "{}",                                                                                                                  "hint\n",
         NULL                                                                                                                                                                                                              },
        { "an empty object",                                                 "POST", "",                       { { 0 } }, "{}", "hint\n",                                                         NULL                     },
        { "HAPI, transaction Bundle",
         "POST",                                                                     "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'transaction','entry':[{'resource':" RX
          ",'request':{'method':'PUT','url':'MedicationRequest/rx9'}},{'resource':"
          "{'resourceType':'Medication','id':'m'}}]}",                                                                          "MedicationRequest/rx9 v4 of Patient/p1\nMedication/m ignored\n",
         NULL                                                                                                                                                                                                              },
        { "backport R4, id-only",
         "POST",                                                                     "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'history','entry':[" STATUS_R4(
              "event-notification",                                                                                             "," EVENT) ",{'fullUrl':'https://ehr.test/fhir/"
                         "MedicationRequest/rx9','request':{'method':'PUT','url':"
                         "'MedicationRequest/rx9'},'response':{'status':'200'}}]}",                                                                            "MedicationRequest/rx9\n",
         NULL },
        { "backport R4, empty",
         "POST",                                                   "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'history','entry':[" STATUS_R4(
              "event-notification",                                                                                                             "") "]}",
         "hint\n",                                                                    NULL },
        { "handshake",
         "POST",                                                                   "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'history','entry':[" STATUS_R4("handshake",
         "") "]}",
         "",                                                                                                                                        NULL },
        { "heartbeat of R5",
         "POST",                                                                   "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'subscription-notification','entry':[{"
          "'resource':{'resourceType':'SubscriptionStatus','type':'heartbeat'}}]}",                                                                                                                "",
         NULL                                                                                                                                                                                                         },
        { "R5, two events, full resource, old HAPI focus",
         "POST",                                                                       "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'subscription-notification','entry':[{"
          "'resource':" RX "},{'resource':{'resourceType':'SubscriptionStatus','type':"
          "'event-notification','notificationEvent':[{'eventNumber':'1','focus':"
          "{'reference':'MedicationRequest/rx9'}},{'eventNumber':'2','focus':{'reference':"
          "'MedicationRequest/MedicationRequest/rx8'}}]}}]}",                                                                                                                "MedicationRequest/rx9 v4 of Patient/p1\nMedicationRequest/rx8\n",
         NULL                                                                                                                                                                                                         },
        { "delete in a history",
         "POST",                                                                       "",
         { { 0 } },
         "{'resourceType':'Bundle','type':'history','entry':[{'request':{'method':"
          "'DELETE','url':'MedicationRequest/rx9'}}]}",                                                                                                                "MedicationRequest/rx9 deleted\n",
         NULL                                                                                                                                                                                                         },
        { "an empty Bundle",
         "POST",                                                                       "",
         { { 0 } },
         "{'resourceType':'Bundle'}",                                                                                                                "hint\n",
         NULL                                                                                                                                                                                                         },
        { "another type",
         "PUT",                                                                       "/Observation/1",
         { { 0 } },
         "{'resourceType':'Observation','id':'1'}",                                                                                                                 "Observation/1 ignored\n",
         NULL                                                                                                                                                                                                         },
        { "a patient",
         "PUT",                                                                       "/Patient/p1",
         { { 0 } },
         "{'resourceType':'Patient','id':'p1'}",                                                                                                                 "Patient/p1 of Patient/p1\n",
         NULL                                                                                                                                                                                                         },
        { "no id anywhere",
         "POST",                                                                       "",
         { { 0 } },
         "{'resourceType':'MedicationRequest'}",                                                                                                                "MedicationRequest/hint\n",
         NULL                                                                                                                                                                                                         },
        { "ids differ",
         "PUT",                                                                       "/MedicationRequest/other",
         { { 0 } },
         RX,                                                                                                                 NULL,
         "the path names another resource than the body"                                                                                                                                                                                                         },
        { "types differ",
         "PUT",                            "/Patient/rx9",
         { { 0 } },
         RX,                                                                                                                 NULL,
         "the path names another resource than the body"                                                                                                                                                                                                         },
        { "a path that climbs",
         "PUT",                            "/../rx9",
         { { 0 } },
         RX,                                                                                                                 NULL,
         "expected /Type/id behind the channel"                                                                                                                                                                                                         },
        { "too long a path",
         "PUT",                                     "/x/MedicationRequest/rx9",
         { { 0 } },
         RX,                                                                                                                 NULL,
         "expected /Type/id behind the channel"                                                                                                                                                                                                         },
        { "delete of nothing",
         "DELETE",                                     "",
         { { 0 } },
         "",                                                                                                              NULL,
         "expected /Type/id behind the channel"                                                                                                                                                                                                         },
        { "no JSON",
         "POST",                                     "",
         { { 0 } },
         "<xml/>",                                                                                                                NULL,
         "line 1, column 1: expected a JSON value"                                                                                                                                                                                                         },
        { "no resource",
         "POST",                                  "",
         { { 0 } },
         "{'a':1}",                                                                                                                NULL,
         "expected a resource with its resourceType"                                                                                                                                                                                                         },
        { "an array",
         "POST",                                "",
         { { 0 } },
         "[]",                                                                                                                NULL,
         "expected a FHIR resource, a JSON object"                                                                                                                                                                                                         },
        { "an id that is none",
         "POST",                                  "",
         { { 0 } },
         "{'resourceType':'MedicationRequest','id':'a/b'}",                                                                                                                NULL,
         "id: expected a FHIR id"                                                                                                                                                                                                         },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body);
        struct ow_request req = { .method = cases[i].method,
                                  .headers = cases[i].headers,
                                  .body = body,
                                  .body_len = strlen(body) };
        struct ow_notification said = { .n = 0 };
        struct ow_err err = { "" };
        enum ow_code code;

        while (req.n_headers < 2 && cases[i].headers[req.n_headers].name)
            req.n_headers++;
        code = ow_notification_read(&arena, &req, cases[i].rest, &said, &err);
        if (code != (cases[i].error ? OW_INPUT : OW_OK) ||
            strcmp(err.text, cases[i].error ? cases[i].error : "") != 0)
            fail_msg("%s: '%s'", cases[i].name, err.text);
        if (cases[i].told && strcmp(tell(said.notices, said.n), cases[i].told) != 0)
            fail_msg("%s: %s", cases[i].name, tell(said.notices, said.n));
        assert_int_equal(said.bundle,
                         code == OW_OK &&
                             strstr(body, "\"resourceType\":\"Bundle\"") == body + 1);
    }
}

static void a_catch_up_asks_by_time_and_reads_its_pages(void **state)
{
    const char *body = kit_json(
        &arena,
        "{'resourceType':'Bundle','type':'searchset','link':[{'relation':'next','url':"
        "'?page=2'}],'entry':[{'resource':{'resourceType':'MedicationRequest','id':'1',"
        "'meta':{'versionId':'1','lastUpdated':'2026-03-02T08:00:05Z'},'subject':"
        "{'reference':'Patient/p'}}},{'resource':{'resourceType':'MedicationRequest','id':"
        "'2','meta':{'lastUpdated':'2026-03-02T08:00:04.120Z'}}},{'resource':"
        "{'resourceType':'Medication','id':'m'},'search':{'mode':'include'}}]}");
    struct ow_response resp = { .status = 200, .body = body, .body_len = strlen(body) };
    const struct ow_notice *list;
    const char *next;
    struct ow_request req;
    ow_time newest = OW_TIME_MIN;
    size_t n;

    (void)state;
    ow_catchup_request(&arena, &options, 1772438400000, 100, &req);
    assert_string_equal(req.url,
                        BASE "/MedicationRequest?_lastUpdated=ge2026-03-02T08:00:00Z"
                             "&_sort=_lastUpdated&_count=100");
    assert_string_equal(header(&req, "Cache-Control"), "no-cache");
    ow_catchup_request(&arena, &options, OW_TIME_MIN, 0, &req);
    assert_string_equal(req.url, BASE "/MedicationRequest?_sort=_lastUpdated&_count=200");
    assert_int_equal(
        ow_catchup_answer(&arena, &options, &resp, &list, &n, &newest, &next, NULL),
        OW_OK);
    assert_string_equal(tell(list, n), "MedicationRequest/1 v1 of Patient/p\n"
                                       "MedicationRequest/2\nMedication/m ignored\n");
    assert_int_equal(newest, 1772438405000);
    assert_string_equal(next, BASE "?page=2");
}

static void a_catch_up_page_that_is_not_whole_does_not_count(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum ow_code code;
    } cases[] = {
        {200,
         "{'resourceType':'Bundle','link':[{'relation':'next','url':"
          "'https://evil.test/'}]}",                                                     OW_INPUT  },
        { 200,
         "{'resourceType':'Bundle','entry':[{'search':{'mode':'outcome'},'resource':"
          "{'resourceType':'OperationOutcome','issue':[{'severity':'error'}]}}]}",       OW_AGAIN  },
        { 200,
         "{'resourceType':'Bundle','entry':[{'search':{'mode':'outcome'},'resource':"
          "{'resourceType':'OperationOutcome','issue':[{'severity':'information'}]}}]}", OW_OK     },
        { 200, "{'resourceType':'OperationOutcome'}",                                    OW_AGAIN  },
        { 410, "",                                                                       OW_MISSING},
        { 429, "",                                                                       OW_AGAIN  },
        { 403, "",                                                                       OW_DENIED },
        { 200, "{'resourceType':'Bundle'",                                               OW_INPUT  },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body), *next = NULL;
        struct ow_response resp = { .status = cases[i].status,
                                    .body = body,
                                    .body_len = strlen(body) };
        const struct ow_notice *list;
        ow_time newest = 5;
        size_t n;

        assert_int_equal(
            ow_catchup_answer(&arena, &options, &resp, &list, &n, &newest, &next, NULL),
            cases[i].code);
        assert_int_equal(newest, 5);
    }
}

static void the_reply_to_a_bundle_is_fhir(void **state)
{
    (void)state;
    assert_string_equal(
        ow_json_string(kit_parse(&arena, ow_notification_reply), "resourceType"),
        "Bundle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_say_what_the_server_needs),
        cmocka_unit_test(answers_tell_the_state),
        cmocka_unit_test(every_known_form_of_delivery_is_understood),
        cmocka_unit_test(a_catch_up_asks_by_time_and_reads_its_pages),
        cmocka_unit_test(a_catch_up_page_that_is_not_whole_does_not_count),
        cmocka_unit_test(the_reply_to_a_bundle_is_fhir),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
