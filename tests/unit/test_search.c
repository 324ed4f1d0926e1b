/*
 * Search: a scripted server answers by URL; what was asked and what the chart became is
 * compared as text. Paging traps, refusals, and what must be tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fhir/search.h"
#include "fhir/url.h"
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
#define RX_URL                                                                           \
    BASE "/MedicationRequest?patient=Patient/p&_include=MedicationRequest:medication"    \
         "&_count=200"
#define RX_PLAIN BASE "/MedicationRequest?patient=Patient/p&_count=200"
#define ENTRY(id, more)                                                                  \
    "{'resource':{'resourceType':'MedicationRequest','id':'" id                          \
    "','status':'active','subject':{'reference':'Patient/p'}," more "}}"
#define X       "'medicationCodeableConcept':{'text':'x'}"
#define REF(id) "'medicationReference':{'reference':'Medication/" id "'}"
#define PAGE(entries, next)                                                                  \
    "{'resourceType':'Bundle','type':'searchset','link':[{'relation':'self','url':'x'}" next \
    "],'entry':[" entries "]}"
#define NEXT(url) ",{'relation':'next','url':'" url "'}"
#define GONE                                                                             \
    "{'resourceType':'OperationOutcome','issue':[{'severity':'error','code':'x'}]}"

struct reply {
    const char *url;
    int status;
    const char *body;
};

struct search_case {
    const char *name;
    struct reply replies[8]; /* anything else: an empty page, or a Patient */
    enum ow_code code;
    const char *error;
    const char *told;
    unsigned asked;
};

static struct ow_response answer(const struct search_case *c, const char *url)
{
    struct ow_response r = { .status = 200 };

    r.body = strcmp(url, BASE "/Patient/p") == 0
                 ? "{'resourceType':'Patient','id':'p'}"
                 : "{'resourceType':'Bundle','type':'searchset'}";
    for (size_t i = 0; i < OW_LEN(c->replies) && c->replies[i].url; i++) {
        if (strcmp(c->replies[i].url, url) == 0) {
            r.status = c->replies[i].status;
            r.body = c->replies[i].body;
        }
    }
    r.body = kit_json(&arena, r.body);
    r.body_len = strlen(r.body);
    return r;
}

static enum ow_code play(const struct search_case *c, struct ow_search *s, bool backwards,
                         unsigned *asked, struct ow_err *err)
{
    while (!ow_search_complete(s)) {
        struct ow_request reqs[32];
        unsigned tags[32], n = 0;

        while (n < 32 && ow_search_next(s, &reqs[n], &tags[n]))
            n++;
        if (n == 0)
            fail_msg("%s: not complete and nothing to ask", c->name);
        *asked += n;
        for (unsigned i = 0; i < n; i++) {
            unsigned k = backwards ? n - 1 - i : i;
            struct ow_response resp = answer(c, reqs[k].url);
            int64_t after = 0;
            enum ow_code code = ow_search_feed(s, tags[k], &resp, &after, err);

            assert_string_equal(
                ow_header_get(reqs[k].headers, reqs[k].n_headers, "Cache-Control"),
                "no-cache");
            if (code != OW_OK)
                return code;
        }
    }
    return OW_OK;
}

static void check(const struct search_case *c, bool backwards)
{
    struct ow_search_options opt = { .base_url = BASE,
                                     .patient = "Patient/p",
                                     .authorization = "Bearer t",
                                     .max_pages = 3,
                                     .want_orders = true,
                                     .want_patient = true };
    struct ow_search *s = ow_search_new(&arena, &opt, NULL);
    const struct ow_chart *charts;
    struct ow_err err = { "" };
    unsigned asked = 0;
    size_t n;
    enum ow_code code = play(c, s, backwards, &asked, &err);

    if (code != c->code || !ow_streq(err.text, c->error ? c->error : ""))
        fail_msg("%s: %s '%s'", c->name, ow_code_name(code), err.text);
    if (code != OW_OK)
        return;
    assert_int_equal(ow_reader_charts(ow_search_reader(s), &charts, &n, NULL), OW_OK);
    if (!backwards && strcmp(kit_tell(&arena, charts, n), c->told) != 0)
        fail_msg("%s:\n%s", c->name, kit_tell(&arena, charts, n));
    if (asked != c->asked)
        fail_msg("%s: asked %u times", c->name, asked);
}

#define RX1 "order MedicationRequest/1 active/- 'x'\n"
#define RX2 "order MedicationRequest/2 active/- 'x'\n"

static void a_chart_is_fetched_whole_or_says_what_is_missing(void **state)
{
    static const struct search_case cases[] = {
        {"one page",
         { { RX_URL, 200, PAGE(ENTRY("1", X), "") } },
         OW_OK,      NULL,
         "Patient/p\n" RX1,
         4                                                                                                  },
        { "three pages, absolute, relative and query only",
         { { RX_URL, 200, PAGE(ENTRY("1", X), NEXT(BASE "?page=2")) },
            { BASE "?page=2", 200, PAGE(ENTRY("2", X), NEXT("/fhir/more?p=3")) },
            { "https://ehr.test/fhir/more?p=3", 200, PAGE(ENTRY("3", X), "") } },
         OW_OK,      NULL,
         "Patient/p\n" RX1 RX2 "order MedicationRequest/3 active/- 'x'\n",
         6                                                                                                  },
        { "next on another server",
         { { RX_URL, 200, PAGE(ENTRY("1", X), NEXT("https://evil.test/fhir?page=2")) } },
         OW_OK,      NULL,
         "Patient/p\n" RX1 "missing: medication orders: the next page is on another "
          "server, not followed\n",                                                                        4},
        { "next to itself",
         { { RX_URL, 200, PAGE(ENTRY("1", X), NEXT(RX_URL)) } },
         OW_OK,      NULL,
         "Patient/p\n" RX1 "missing: medication orders: the pages run in a circle\n",
         4                                                                                                  },
        { "endless pages",
         { { RX_URL, 200, PAGE(ENTRY("1", X), NEXT(BASE "?p=2")) },
            { BASE "?p=2", 200, PAGE(ENTRY("2", X), NEXT(BASE "?p=3")) },
            { BASE "?p=3", 200, PAGE(ENTRY("2", X), NEXT(BASE "?p=4")) } },
         OW_OK,      NULL,
         "Patient/p\n" RX1 RX2 "missing: medication orders: more than 3 pages\n",
         6                                                                                                  },
        { "a next link has expired",
         { { RX_URL, 200, PAGE(ENTRY("1", X), NEXT(BASE "?p=2")) },
            { BASE "?p=2", 410, GONE } },
         OW_AGAIN,   "medication orders: a next link has expired: the server answered 410: error/x",
         NULL,                                                                                             0},
        { "no _include here",
         { { RX_URL, 400, GONE }, { RX_PLAIN, 200, PAGE(ENTRY("1", X), "") } },
         OW_OK,      NULL,
         "Patient/p\n" RX1,
         5                                                                                                  },
        { "neither with nor without",
         { { RX_URL, 400, GONE }, { RX_PLAIN, 400, GONE } },
         OW_INPUT,   "medication orders: the server answered 400: error/x",
         NULL,                                                                                             0},
        { "medications one by one",
         { { RX_URL, 200,
              PAGE(ENTRY("1", REF("a")) "," ENTRY("2", REF("a")) "," ENTRY("3", REF("b")),
                   "") },
            { BASE "/Medication/a", 200,
              "{'resourceType':'Medication','id':'a','code':{'text':'oxy'}}" },
            { BASE "/Medication/b", 404, GONE } },
         OW_OK,      NULL,
         "Patient/p\norder MedicationRequest/1 active/- 'oxy'\n"
          "order MedicationRequest/2 active/- 'oxy'\n"
          "order MedicationRequest/3 active/- unresolved Medication/b\n"
          "missing: a medication: the server answered 404\n",                                              6},
        { "conditions are not known here",
         { { BASE "/Condition?patient=Patient/p&_count=200", 404, GONE },
            { BASE "/MedicationDispense?patient=Patient/p&_count=200", 403, "" } },
         OW_OK,      NULL,
         "Patient/p\nnote: conditions: the server answered 404\n"
          "note: dispenses: the server answered 403\n",                                                    4},
        { "merged",
         { { BASE "/Patient/p", 200,
              "{'resourceType':'Patient','id':'p','link':[{'type':'replaces',"
              "'other':{'reference':'Patient/old'}}]}" },
            { BASE "/MedicationRequest?patient=Patient/old"
                   "&_include=MedicationRequest:medication&_count=200",
              200,
              PAGE("{'resource':{'resourceType':'MedicationRequest','id':'1',"
                   "'status':'active','subject':{'reference':'Patient/old'}," X "}}",
                   "") } },
         OW_OK,      NULL,
         "Patient/p\n" RX1,
         5                                                                                                  },
        { "patient gone",
         { { BASE "/Patient/p", 410, GONE } },
         OW_MISSING, "the patient is gone",
         NULL,                                                                                             0},
        { "busy",
         { { RX_URL, 503, "" } },
         OW_AGAIN,   "medication orders: the server answered 503",
         NULL,                                                                                             0},
        { "no answer",
         { { RX_URL, 0, "" } },
         OW_AGAIN,   "medication orders: no answer",
         NULL,                                                                                             0},
        { "credentials",
         { { RX_URL, 401, "" } },
         OW_DENIED,  "medication orders: the server answered 401",
         NULL,                                                                                             0},
        { "a page of a proxy",
         { { RX_URL, 200, "<html>" } },
         OW_AGAIN,   "medication orders: the server answered 200 with markup instead of JSON",
         NULL,                                                                                             0},
        { "broken JSON",
         { { RX_URL, 200, "{'resourceType':" } },
         OW_INPUT,   "medication orders: the server's answer: line 1, column 17, at resourceType: "
          "expected a JSON value, found the end of the text",                      NULL,
         0                                                                                                  },
        { "another resource",
         { { RX_URL, 200, "{'resourceType':'Patient','id':'p'}" } },
         OW_INPUT,   "medication orders: the server sent another kind of resource",
         NULL,                                                                                             0},
        { "200 with an outcome",
         { { RX_URL, 200, GONE } },
         OW_OK,      NULL,
         "Patient/p\nmissing: the server says error/x\n",                                                  4},
        { "other patients in the answer",
         { { RX_URL, 200,
              PAGE(ENTRY("1", X) ",{'resource':{'resourceType':'MedicationRequest','id':"
                                 "'9','subject':{'reference':'Patient/q'}," X "}}",
                   "") } },
         OW_OK,      NULL,
         "Patient/p\n" RX1 "note: 1 resource of another subject left out\n",
         4                                                                                                  },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        check(&cases[i], false);
        if (cases[i].code == OW_OK)
            check(&cases[i], true);
    }
}

static void only_what_is_still_needed_is_asked(void **state)
{
    static const struct search_case empty = { .name = "narrow" };
    struct ow_search_options opt = { .base_url = BASE, .patient = "Patient/p" };
    struct ow_search *s = ow_search_new(&arena, &opt, NULL);
    struct ow_request req;
    unsigned tag, asked = 0;

    (void)state;
    assert_true(ow_search_complete(s));
    assert_false(ow_search_next(s, &req, &tag));
    opt.want_patient = true;
    s = ow_search_new(&arena, &opt, NULL);
    assert_int_equal(play(&empty, s, false, &asked, NULL), OW_OK);
    assert_int_equal(asked, 1);
    assert_true(ow_reader_has(ow_search_reader(s), "Patient"));
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {"120",                            120000},
        { "0",                             0     },
        { "soon",                          0     },
        { "-1",                            0     },
        { "99999999999999999999",          0     },
        { "Mon, 02 Mar 2026 08:00:30 GMT", 30000 },
        { "Mon, 02 Mar 2026 07:59:00 GMT", 0     },
        { "Mon, 02 Mar 2026 08:00:30 CET", 0     },
        { "Mon, 32 Mar 2026 08:00:30 GMT", 0     },
        { "Mon, 02 Foo 2026 08:00:30 GMT", 0     },
    };
    struct ow_header h = { "retry-after", NULL };
    struct ow_response resp = { .status = 503, .headers = &h, .n_headers = 1 };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        h.value = cases[i].value;
        assert_int_equal(ow_retry_after_ms(&resp, 1772438400000), cases[i].ms);
    }
    resp.n_headers = 0;
    assert_int_equal(ow_retry_after_ms(&resp, 0), 0);
}

static void a_search_tells_how_long_to_wait(void **state)
{
    struct ow_search_options opt = { .base_url = BASE,
                                     .patient = "Patient/p",
                                     .want_orders = true };
    struct ow_search *s = ow_search_new(&arena, &opt, NULL);
    struct ow_header h[] = {
        {"Date",         "Mon, 02 Mar 2026 08:00:00 GMT"},
        { "Retry-After", "Mon, 02 Mar 2026 08:00:07 GMT"}
    };
    struct ow_response resp = {
        .status = 429, .headers = h, .n_headers = 2, .body = "", .body_len = 0
    };
    struct ow_request req;
    int64_t after = 0;
    unsigned tag;

    (void)state;
    assert_true(ow_search_next(s, &req, &tag));
    assert_int_equal(ow_search_feed(s, tag, &resp, &after, NULL), OW_AGAIN);
    assert_int_equal(after, 7000);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const struct {
        const char *url;
        bool same;
    } cases[] = {
        {"https://ehr.test/fhir?x",        true },
        { "https://EHR.test:443/other",    true },
        { "HTTPS://ehr.test",              true },
        { "/fhir?x",                       true },
        { "?page=2",                       true },
        { "Bundle?x=https://evil.test",    true },
        { "http://ehr.test/fhir",          false},
        { "https://ehr.test:8443/fhir",    false},
        { "https://ehr.test.evil.test/",   false},
        { "https://ehr.test@evil.test/",   false},
        { "https://user:pw@ehr.test/",     false},
        { "//evil.test/x",                 false},
        { "\\\\evil.test",                 false},
        { "/\\evil.test",                  false},
        { "https://ehr.test\\@evil.test/", false},
        { "file:///etc/passwd",            false},
        { "javascript:x",                  false},
        { "http://169.254.169.254/",       false},
        { "https://ehr.test/a b",          false},
        { "https://ehr.test/\r\nHost: x",  false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        if (ow_url_same_origin("https://ehr.test/fhir", cases[i].url) != cases[i].same)
            fail_msg("%s", cases[i].url);
    }
}

static void an_order_tells_whose_it_is(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum ow_code code;
        const char *patient;
    } cases[] = {
        {200,
         "{'resourceType':'MedicationRequest','subject':{'reference':"
          "'https://x/Patient/p'}}",                                                     OW_OK,      "Patient/p"},
        { 200, "{'resourceType':'MedicationRequest','subject':{'reference':'Group/g'}}",
         OW_OK,                                                                                      NULL       },
        { 200, "{'resourceType':'MedicationRequest'}",                                   OW_OK,      NULL       },
        { 410, "",                                                                       OW_MISSING, NULL       },
        { 503, "",                                                                       OW_AGAIN,   NULL       },
        { 401, "",                                                                       OW_DENIED,  NULL       },
        { 200, "{'status':'ok'}",                                                        OW_INPUT,   NULL       },
        { 200, "{'resourceType':'Bundle'}",                                              OW_INPUT,   NULL       },
        { 200, "{'resourceType':'OperationOutcome'}",                                    OW_AGAIN,   NULL       },
        { 200, "[",                                                                      OW_INPUT,   NULL       },
    };
    struct ow_request req;

    (void)state;
    ow_order_read_request(&arena, BASE, NULL, "MedicationRequest", "1", &req);
    assert_string_equal(req.url, BASE "/MedicationRequest/1");
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *body = kit_json(&arena, cases[i].body), *patient = NULL;
        struct ow_response resp = { .status = cases[i].status,
                                    .body = body,
                                    .body_len = strlen(body) };

        assert_int_equal(ow_order_subject(&arena, &resp, &patient, NULL), cases[i].code);
        assert_true(ow_streq(patient, cases[i].patient));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chart_is_fetched_whole_or_says_what_is_missing),
        cmocka_unit_test(only_what_is_still_needed_is_asked),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(a_search_tells_how_long_to_wait),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(an_order_tells_whose_it_is),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
