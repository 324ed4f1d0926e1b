/*
 * Later revisions of an alert: looked up first, then aimed at what was found
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "fhir/json.h"
#include "fhir/writeback.h"

#define SYSTEM "urn:opiward:alert"
#define KEY    "00112233445566778899aabbccddeeff"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_writeback alert(int64_t revision, bool resolved)
{
    return (struct ow_writeback){
        .identifier_system = SYSTEM,
        .key = KEY,
        .revision = revision,
        .resolved = resolved,
        .patient = "Patient/p1",
        .rule = "med-threshold",
        .tier = OW_TIER_CRITICAL,
        .summary = "\"method\":\"PUT\",\"url\":\"Task?identifier=x\"",
        .detail = "\"resourceType\":\"DetectedIssue\",",
        .identified = 1772438400000,
    };
}

static enum ow_code answer(const char *body, struct ow_writeback_found *found)
{
    struct ow_header type = { "Content-Type", "application/fhir+json" };
    struct ow_response resp = { .status = 200,
                                .headers = &type,
                                .n_headers = 1,
                                .body = body,
                                .body_len = strlen(body) };
    struct ow_err err;

    return ow_writeback_lookup_answer(&arena, &resp, SYSTEM, KEY, found, &err);
}

#define ISSUE(id, key)                                                                   \
    "{\"resource\":{\"resourceType\":\"DetectedIssue\",\"id\":\"" id                     \
    "\",\"identifier\":[{\"system\":\"" SYSTEM "\",\"value\":\"" key "\"}]}}"
#define TASK(id, key)                                                                    \
    "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"" id                              \
    "\",\"identifier\":[{\"system\":\"" SYSTEM "\",\"value\":\"task-" key "\"}]}}"
#define TASK_IN(status)                                                                  \
    "{\"resource\":{\"resourceType\":\"Task\",\"id\":\"t-4\",\"status\":\"" status       \
    "\",\"identifier\":[{\"system\":\"" SYSTEM "\",\"value\":\"task-" KEY "\"}]}}"
#define BUNDLE(entries)                                                                  \
    "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[" entries "]}"

static void only_what_carries_the_identifier_is_found(void **state)
{
    struct ow_writeback_found found;

    (void)state;
    assert_int_equal(answer(BUNDLE(ISSUE("5", "other")), &found), OW_OK);
    assert_null(found.issue);
    assert_int_equal(
        answer("{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}", &found), OW_OK);
    assert_null(found.issue);
    assert_int_equal(answer(BUNDLE(ISSUE("5", KEY)), &found), OW_OK);
    assert_string_equal(found.issue, "5");
    assert_null(found.task);
}

static void of_twins_the_lowest_number_is_meant(void **state)
{
    struct ow_writeback_found found;

    (void)state;
    assert_int_equal(answer(BUNDLE(ISSUE("10", KEY) "," ISSUE("9", KEY) "," ISSUE(
                                "11", KEY) "," TASK("7", KEY) "," TASK("3", "other")),
                            &found),
                     OW_OK);
    assert_string_equal(found.issue, "9");
    assert_string_equal(found.task, "7");
    assert_int_equal(found.n_issues, 3);
}

static void an_error_is_not_taken_for_nothing_found(void **state)
{
    struct ow_writeback_found found = { .issue = "kept" };

    (void)state;
    assert_int_not_equal(answer("<html>proxy</html>", &found), OW_OK);
    assert_int_not_equal(answer("{\"resourceType\":\"OperationOutcome\"}", &found),
                         OW_OK);
    assert_string_equal(found.issue, "kept");
}

static const cJSON *entry(const struct ow_buf *b, int i)
{
    const cJSON *root;

    assert_int_equal(ow_json_parse(b->data, b->len, NULL, &arena, &root, NULL), OW_OK);
    return cJSON_GetArrayItem(ow_json_array(root, "entry"), i);
}

static void check(const struct ow_buf *b, int i, const char *url, const char *id)
{
    const cJSON *e = entry(b, i);

    assert_string_equal(ow_json_string(ow_json_object(e, "request"), "url"), url);
    if (id)
        assert_string_equal(ow_json_string(ow_json_object(e, "resource"), "id"), id);
    else
        assert_null(ow_json_string(ow_json_object(e, "resource"), "id"));
}

static void an_update_names_what_was_found(void **state)
{
    struct ow_writeback w = alert(2, true);
    struct ow_writeback_found found = {
        .issue = "17", .task = "t-4", .n_issues = 1, .task_untouched = true
    };
    struct ow_buf body, out;

    (void)state;
    ow_buf_init(&body, 1 << 16);
    ow_buf_init(&out, 1 << 16);
    ow_writeback_bundle(&w, &body);
    ow_writeback_aim(body.data, body.len, &found, &out);
    check(&out, 0, "DetectedIssue/17", "17");
    check(&out, 1, "Task/t-4", "t-4");
    assert_string_equal(
        ow_json_string(ow_json_object(entry(&out, 1), "resource"), "description"),
        w.summary);
    ow_buf_done(&body);
    ow_buf_done(&out);
}

static void an_update_is_of_the_version_that_was_seen(void **state)
{
    struct ow_writeback w = alert(2, true);
    struct ow_writeback_found found;
    struct ow_buf body, out;
    char page[1024];

    (void)state;
    snprintf(page, sizeof page,
             "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
             "\"DetectedIssue\",\"id\":\"17\",\"meta\":{\"versionId\":\"3\"},"
             "\"identifier\":[{\"system\":\"%s\",\"value\":\"%s\"}]}}]}",
             w.identifier_system, w.key);
    assert_int_equal(answer(page, &found), OW_OK);
    assert_string_equal(found.issue_version, "3");
    ow_buf_init(&body, 1 << 16);
    ow_buf_init(&out, 1 << 16);
    ow_writeback_bundle(&w, &body);
    ow_writeback_aim(body.data, body.len, &found, &out);
    check(&out, 0, "DetectedIssue/17", "17");
    assert_string_equal(
        ow_json_string(ow_json_object(entry(&out, 0), "request"), "ifMatch"), "W/\"3\"");
    assert_null(ow_json_string(ow_json_object(entry(&out, 1), "request"), "ifMatch"));
    ow_buf_done(&body);
    ow_buf_done(&out);
}

static void what_was_not_found_stays_conditional(void **state)
{
    struct ow_writeback w = alert(1, false);
    struct ow_writeback_found found = {
        .issue = "17", .task = "t-4", .n_issues = 1, .task_untouched = true
    };
    struct ow_buf body, out;

    (void)state;
    ow_buf_init(&body, 1 << 16);
    ow_buf_init(&out, 1 << 16);
    ow_writeback_bundle(&w, &body);
    ow_writeback_aim(body.data, body.len, &found, &out);
    check(&out, 0, "DetectedIssue/17", "17");
    check(&out, 1, "Task", NULL); /* created where it is missing, never overwritten */
    found = (struct ow_writeback_found){ 0 };
    ow_writeback_aim(body.data, body.len, &found, &out);
    assert_int_equal(out.len, body.len);
    assert_memory_equal(out.data, body.data, body.len);
    ow_buf_done(&body);
    ow_buf_done(&out);
}

static void a_task_that_somebody_has_touched_is_left_alone(void **state)
{
    static const char *const answers[] = {
        BUNDLE(ISSUE("17", KEY) "," TASK_IN("accepted")),
        BUNDLE(ISSUE("17", KEY) "," TASK_IN("completed")),
        BUNDLE(ISSUE("17", KEY) "," TASK_IN("in-progress")),
        BUNDLE(ISSUE("17", KEY) "," TASK("t-4", KEY)), /* does not say */
        BUNDLE(ISSUE("17", KEY)),
    };
    struct ow_writeback w = alert(2, true);
    struct ow_writeback_found found;
    struct ow_buf body, out;

    (void)state;
    ow_buf_init(&body, 1 << 16);
    ow_buf_init(&out, 1 << 16);
    ow_writeback_bundle(&w, &body);
    for (size_t i = 0; i < OW_LEN(answers); i++) {
        assert_int_equal(answer(answers[i], &found), OW_OK);
        ow_writeback_aim(body.data, body.len, &found, &out);
        check(&out, 0, "DetectedIssue/17", "17");
        assert_null(entry(&out, 1));
    }
    assert_int_equal(answer(BUNDLE(TASK_IN("requested") "," ISSUE("17", KEY)), &found),
                     OW_OK);
    ow_writeback_aim(body.data, body.len, &found, &out);
    check(&out, 1, "Task/t-4", "t-4");
    ow_buf_done(&body);
    ow_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_carries_the_identifier_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(of_twins_the_lowest_number_is_meant, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_error_is_not_taken_for_nothing_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_update_names_what_was_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_update_is_of_the_version_that_was_seen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_not_found_stays_conditional, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_task_that_somebody_has_touched_is_left_alone,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
