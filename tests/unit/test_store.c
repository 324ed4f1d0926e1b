/* Store: every call, in both modes; restart; repeats; order; who may open it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store_schema.h"
#include "tests/support/storekit.h"

static struct storekit kit;
static struct storekit *const k = &kit;

static const ow_time NOW = 1772438400000;

static int setup(void **state)
{
    storekit_init(k, *state != NULL);
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    storekit_done(k);
    return 0;
}

#define CALL_OK(call) assert_int_equal((call), OW_OK)

static int64_t receive(enum ow_event_kind kind, const char *rid, const char *version,
                       const char *body)
{
    struct ow_event ev = storekit_event(kind, rid, version, body);

    CALL_OK(storekit_receive(k, &ev));
    return k->id;
}

static bool is_new(enum ow_event_kind kind, const char *rid, const char *version,
                   const char *body)
{
    receive(kind, rid, version, body);
    return !k->duplicate;
}

/* A verdict about p1 that answers `events` and sends `messages`. */
static enum ow_code judge(const int64_t *events, size_t n_events,
                          const struct ow_message *messages, size_t n_messages)
{
    struct ow_record_of_verdict rec = {
        .events = events,
        .n_events = n_events,
        .source = "ehr",
        .patient = "Patient/p1",
        .verdict_json = "{}",
        .verdict_len = 2,
        .med_text = "120",
        .at = NOW,
        .messages = messages,
        .n_messages = n_messages,
    };

    return storekit_verdict(k, &rec);
}

static void send_one(const char *sink, const char *subject, int priority,
                     const char *identity, const char *body)
{
    struct ow_message m = storekit_message(sink, subject, priority, identity, body);

    CALL_OK(judge(NULL, 0, &m, 1));
}

/* The bodies that are due, in order, joined by spaces. */
static const char *due(const char *sink, ow_time now, const int64_t *in_flight, size_t n)
{
    static char text[512];

    CALL_OK(storekit_due(k, sink, now, 100, in_flight, n));
    text[0] = '\0';
    for (size_t i = 0; i < k->n; i++) {
        size_t at = strlen(text);

        snprintf(text + at, sizeof text - at, "%s%s", at ? " " : "",
                 k->deliveries[i].message.body);
    }
    return text;
}

/* --- settings --- */

static void a_setting_outlives_a_restart(void **state)
{
    (void)state;
    CALL_OK(storekit_get(k, "subscription"));
    assert_null(k->value);
    CALL_OK(storekit_put(k, "subscription", "Subscription/1"));
    CALL_OK(storekit_put(k, "subscription", "Subscription/2"));
    storekit_reopen(k);
    CALL_OK(storekit_get(k, "subscription"));
    assert_string_equal(k->value, "Subscription/2");
    CALL_OK(storekit_put(k, "subscription", NULL));
    CALL_OK(storekit_get(k, "subscription"));
    assert_null(k->value);
}

/* --- inbox --- */

static void an_event_comes_back_as_it_was(void **state)
{
    static const char body[] = "{\"a\":\0\"\xff\"}";
    struct ow_event ev = storekit_event(OW_EVENT_CHANGED, "rx1", "3", NULL);

    (void)state;
    ev.body = body;
    ev.body_len = sizeof body - 1;
    ev.patient = "Patient/p1";
    CALL_OK(storekit_receive(k, &ev));
    storekit_reopen(k);
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 1);
    assert_int_equal(k->events[0].id, k->id);
    assert_string_equal(k->events[0].source, "ehr");
    assert_int_equal(k->events[0].kind, OW_EVENT_CHANGED);
    assert_string_equal(k->events[0].type, "MedicationRequest");
    assert_string_equal(k->events[0].rid, "rx1");
    assert_string_equal(k->events[0].version, "3");
    assert_string_equal(k->events[0].patient, "Patient/p1");
    assert_int_equal(k->events[0].received, ev.received);
    assert_int_equal(k->events[0].body_len, sizeof body - 1);
    assert_memory_equal(k->events[0].body, body, sizeof body - 1);
}

static void the_same_version_is_one_event_for_ever(void **state)
{
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{\"v\":1}");

    (void)state;
    assert_false(k->duplicate);
    assert_int_equal(receive(OW_EVENT_CHANGED, "rx1", "1", "{\"v\":1}"), id);
    assert_true(k->duplicate);
    CALL_OK(judge(&id, 1, NULL, 0));
    storekit_reopen(k);
    assert_int_equal(receive(OW_EVENT_CHANGED, "rx1", "1", NULL), id);
    assert_true(k->duplicate);
}

static void another_key_is_another_event(void **state)
{
    struct ow_event other = storekit_event(OW_EVENT_CHANGED, "rx1", "1", "{}");

    (void)state;
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", "1", "{}"));
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", "2", "{}"));
    assert_true(is_new(OW_EVENT_CHANGED, "rx2", "1", "{}"));
    assert_true(is_new(OW_EVENT_DELETED, "rx1", "1", NULL));
    other.source = "other";
    CALL_OK(storekit_receive(k, &other));
    assert_false(k->duplicate);
    other.type = "MedicationStatement";
    CALL_OK(storekit_receive(k, &other));
    assert_false(k->duplicate);
}

static void without_versions_a_b_a_is_three_events(void **state)
{
    (void)state;
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", NULL, "{\"dose\":1}"));
    assert_false(is_new(OW_EVENT_CHANGED, "rx1", NULL, "{\"dose\":1}"));
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", NULL, "{\"dose\":2}"));
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", NULL, "{\"dose\":1}"));
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 3);
    assert_int_equal(strncmp(k->events[0].version, "h:", 2), 0);
    assert_int_equal(strlen(k->events[0].version), 66);
    assert_string_equal(k->events[0].version, k->events[2].version);
    assert_string_not_equal(k->events[0].version, k->events[1].version);
}

static void a_deletion_without_version_is_a_repeat_only_while_it_waits(void **state)
{
    int64_t id = receive(OW_EVENT_DELETED, "rx1", NULL, NULL);

    (void)state;
    assert_false(is_new(OW_EVENT_DELETED, "rx1", NULL, NULL));
    CALL_OK(storekit_attempt(k, &id, 1));
    assert_true(is_new(OW_EVENT_DELETED, "rx1", NULL, NULL));
    CALL_OK(judge(&k->id, 1, NULL, 0));
    assert_true(is_new(OW_EVENT_DELETED, "rx1", NULL, NULL));
    assert_true(is_new(OW_EVENT_CHANGED, "rx1", NULL, "{}"));
    assert_true(is_new(OW_EVENT_DELETED, "rx1", NULL, NULL));
}

static void a_hint_is_a_repeat_only_while_the_same_one_waits(void **state)
{
    struct ow_event ev = storekit_event(OW_EVENT_HINT, NULL, NULL, NULL);
    int64_t first;

    (void)state;
    CALL_OK(storekit_receive(k, &ev));
    first = k->id;
    CALL_OK(storekit_receive(k, &ev));
    assert_true(k->duplicate);
    assert_int_equal(k->id, first);
    ev.patient = "Patient/p1";
    CALL_OK(storekit_receive(k, &ev));
    assert_false(k->duplicate);
    ev.patient = NULL;
    CALL_OK(storekit_attempt(k, &first, 1));
    CALL_OK(storekit_receive(k, &ev));
    assert_false(k->duplicate);
    CALL_OK(judge(&first, 1, NULL, 0));
    CALL_OK(judge(&k->id, 1, NULL, 0));
    CALL_OK(storekit_receive(k, &ev));
    assert_false(k->duplicate);
}

static void an_event_without_a_resource_is_refused(void **state)
{
    struct ow_event ev = storekit_event(OW_EVENT_CHANGED, NULL, "1", "{}");

    (void)state;
    assert_int_equal(storekit_receive(k, &ev), OW_INPUT);
    assert_true(strlen(k->err.text) > 0);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.waiting, 0);
}

static void waiting_events_come_in_order_and_in_pages(void **state)
{
    int64_t ids[5];
    char rid[16];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(rid, sizeof rid, "rx%d", i);
        ids[i] = receive(OW_EVENT_CHANGED, rid, "1", "{}");
        assert_true(i == 0 || ids[i] > ids[i - 1]);
    }
    CALL_OK(judge(&ids[1], 1, NULL, 0));
    CALL_OK(storekit_waiting(k, 0, 2));
    assert_int_equal(k->n, 2);
    assert_int_equal(k->events[0].id, ids[0]);
    assert_int_equal(k->events[1].id, ids[2]);
    CALL_OK(storekit_waiting(k, ids[2], 10));
    assert_int_equal(k->n, 2);
    assert_int_equal(k->events[0].id, ids[3]);
}

static void attempts_are_counted_through_a_restart(void **state)
{
    int64_t ids[2], missing = 99;

    (void)state;
    ids[0] = receive(OW_EVENT_CHANGED, "rx1", "1", "{}");
    ids[1] = receive(OW_EVENT_CHANGED, "rx2", "1", "{}");
    CALL_OK(storekit_attempt(k, ids, 2));
    CALL_OK(storekit_attempt(k, ids, 1));
    storekit_reopen(k);
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->events[0].attempts, 2);
    assert_int_equal(k->events[1].attempts, 1);
    assert_int_equal(storekit_attempt(k, &missing, 1), OW_MISSING);
}

static void a_parked_event_waits_no_longer_and_keeps_its_body(void **state)
{
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{\"keep\":1}");

    (void)state;
    CALL_OK(storekit_park(k, &id, 1));
    CALL_OK(storekit_park(k, &id, 1));
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 0);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.parked, 1);
    assert_int_equal(k->counts.waiting, 0);
}

/* --- patients and verdicts --- */

static struct ow_alert alert(const char *key, const char *rule, int64_t episode,
                             enum ow_alert_state alert_state)
{
    return (struct ow_alert){
        .key = key,
        .rule = rule,
        .cause = "oxycodone",
        .episode = episode,
        .tier = 2,
        .revision = 1,
        .state = alert_state,
        .opened = NOW,
        .changed = NOW + 5,
        .reason = "120 MME/d reaches 90",
    };
}

static void a_verdict_is_remembered_whole(void **state)
{
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{}");
    struct ow_alert a = alert("k1", "med-threshold", 1, OW_ALERT_OPEN);
    struct ow_message m = storekit_message("fhir", "k1", 2, "k1-0", "card");
    const char *orders[] = { "MedicationRequest/rx1", "MedicationRequest/rx2" };
    struct ow_record_of_verdict rec = {
        .events = &id,
        .n_events = 1,
        .source = "ehr",
        .patient = "Patient/p1",
        .orders = orders,
        .n_orders = 2,
        .verdict_json = "{}",
        .verdict_len = 2,
        .med_text = "120",
        .at = NOW,
        .alerts = &a,
        .n_alerts = 1,
        .messages = &m,
        .n_messages = 1,
    };

    (void)state;
    CALL_OK(storekit_patient(k, "Patient/p1"));
    assert_int_equal(k->patient.judged, 0);
    assert_int_equal(k->patient.n_alerts, 0);
    CALL_OK(storekit_verdict(k, &rec));
    storekit_reopen(k);
    CALL_OK(storekit_patient(k, "Patient/p1"));
    assert_string_equal(k->patient.med_text, "120");
    assert_int_equal(k->patient.judged, NOW);
    assert_int_equal(k->patient.n_alerts, 1);
    assert_string_equal(k->patient.alerts[0].key, "k1");
    assert_string_equal(k->patient.alerts[0].rule, "med-threshold");
    assert_string_equal(k->patient.alerts[0].cause, "oxycodone");
    assert_int_equal(k->patient.alerts[0].tier, 2);
    assert_int_equal(k->patient.alerts[0].revision, 1);
    assert_int_equal(k->patient.alerts[0].opened, NOW);
    assert_int_equal(k->patient.alerts[0].changed, NOW + 5);
    assert_string_equal(k->patient.alerts[0].reason, a.reason);
    CALL_OK(storekit_order(k, "ehr", "MedicationRequest/rx2"));
    assert_string_equal(k->value, "Patient/p1");
    CALL_OK(storekit_order(k, "other", "MedicationRequest/rx2"));
    assert_null(k->value);
    assert_string_equal(due("fhir", NOW, NULL, 0), "card");
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 0);
}

static void events_that_concern_nobody_are_answered(void **state)
{
    struct ow_event hint = storekit_event(OW_EVENT_HINT, NULL, NULL, NULL);
    struct ow_record_of_verdict rec = { .n_events = 1, .source = "ehr", .at = NOW };

    (void)state;
    CALL_OK(storekit_receive(k, &hint));
    rec.events = &k->id;
    CALL_OK(storekit_verdict(k, &rec));
    storekit_reopen(k);
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 0);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.judged, 1);
    assert_int_equal(k->counts.patients, 0);
}

static void an_order_that_moved_has_its_former_patient_judged_again(void **state)
{
    const char *orders[] = { "MedicationRequest/rx1" };
    struct ow_record_of_verdict rec = {
        .source = "ehr",
        .patient = "Patient/p1",
        .orders = orders,
        .n_orders = 1,
        .verdict_json = "{}",
        .verdict_len = 2,
        .at = NOW,
    };

    (void)state;
    CALL_OK(storekit_verdict(k, &rec));
    CALL_OK(storekit_verdict(k, &rec));
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 0);
    rec.patient = "Patient/p2";
    CALL_OK(storekit_verdict(k, &rec));
    CALL_OK(storekit_waiting(k, 0, 10));
    assert_int_equal(k->n, 1);
    assert_string_equal(k->events[0].type, "MedicationRequest");
    assert_string_equal(k->events[0].rid, "rx1");
    assert_string_equal(k->events[0].patient, "Patient/p1");
    assert_int_equal(k->events[0].kind, OW_EVENT_CHANGED);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.waiting, 1);
    CALL_OK(judge(&k->events[0].id, 1, NULL, 0));
    CALL_OK(storekit_order(k, "ehr", "MedicationRequest/rx1"));
    assert_string_equal(k->value, "Patient/p2");
}

static void of_resolved_alerts_only_the_last_episode_is_told(void **state)
{
    struct ow_alert alerts[] = {
        alert("a1", "med-threshold", 1, OW_ALERT_RESOLVED),
        alert("a2", "med-threshold", 2, OW_ALERT_RESOLVED),
        alert("b1", "sedative-coprescribing", 1, OW_ALERT_RESOLVED),
        alert("b2", "sedative-coprescribing", 2, OW_ALERT_OPEN),
    };
    struct ow_record_of_verdict rec = {
        .source = "ehr",
        .patient = "Patient/p1",
        .verdict_json = "{}",
        .verdict_len = 2,
        .at = NOW,
        .alerts = alerts,
        .n_alerts = 4,
    };

    (void)state;
    CALL_OK(storekit_verdict(k, &rec));
    CALL_OK(storekit_patient(k, "Patient/p1"));
    assert_null(k->patient.med_text);
    assert_int_equal(k->patient.n_alerts, 2);
    assert_string_equal(k->patient.alerts[0].key, "a2");
    assert_string_equal(k->patient.alerts[1].key, "b2");
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.open_alerts, 1);
    alerts[3].state = OW_ALERT_RESOLVED;
    CALL_OK(storekit_verdict(k, &rec));
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.open_alerts, 0);
    assert_int_equal(k->counts.patients, 1);
}

static void a_verdict_told_twice_sends_once(void **state)
{
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{}");
    struct ow_message m = storekit_message("fhir", "k1", 2, "k1-0", "card");

    (void)state;
    CALL_OK(judge(&id, 1, &m, 1));
    CALL_OK(judge(&id, 1, &m, 1));
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.due, 1);
    assert_int_equal(k->counts.judged, 1);
    assert_int_equal(k->counts.waiting, 0);
}

static void a_message_that_differs_is_sent_whatever_its_identity(void **state)
{
    (void)state;
    send_one("fhir", "k1", 2, "k1-0", "A");
    send_one("fhir", "k2", 2, "k1-0", "B");
    send_one("fhir", "k3", 2, "k1-0", "A");
    send_one("webhook", "k1", 2, "k1-0", "A");
    send_one("fhir", "k4", 2, NULL, "A");
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.due, 5);
}

static void a_verdict_that_cannot_be_kept_whole_is_not_kept_at_all(void **state)
{
    int64_t ids[2] = { 0, 99 };
    struct ow_message m = storekit_message("fhir", "k1", 2, "k1-0", "card");

    (void)state;
    ids[0] = receive(OW_EVENT_CHANGED, "rx1", "1", "{}");
    assert_int_equal(judge(ids, 2, &m, 1), OW_MISSING);
    assert_string_equal(k->err.text, "there is no event 99");
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.waiting, 1);
    assert_int_equal(k->counts.judged, 0);
    assert_int_equal(k->counts.due, 0);
    assert_int_equal(k->counts.patients, 0);
    storekit_reopen(k);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.waiting, 1);
    assert_int_equal(k->counts.patients, 0);
}

static void the_body_of_a_judged_event_is_gone_from_the_file(void **state)
{
    static char file[1 << 20];
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{\"marker\":\"zebra-4711\"}");
    FILE *f;
    size_t n;

    (void)state;
    CALL_OK(judge(&id, 1, NULL, 0));
    storekit_close(k);
    f = fopen(storekit_path(k, "opiward.db"), "rb");
    assert_non_null(f);
    n = fread(file, 1, sizeof file, f);
    fclose(f);
    assert_true(n > 4096);
    assert_null(memmem(file, n, "zebra-4711", 10));
}

/* --- outbox --- */

static void higher_priority_leaves_first_then_older(void **state)
{
    (void)state;
    send_one("fhir", "k1", 0, "i1", "info1");
    send_one("fhir", "k2", 2, "i2", "critical1");
    send_one("fhir", "k3", 1, "i3", "warning");
    send_one("fhir", "k4", 2, "i4", "critical2");
    send_one("webhook", "k5", 2, "i5", "elsewhere");
    assert_string_equal(due("fhir", NOW, NULL, 0), "critical1 critical2 warning info1");
    assert_int_equal(k->next_due, OW_TIME_MAX);
    assert_string_equal(due("fhir", NOW - 1, NULL, 0), "");
    assert_int_equal(k->next_due, NOW);
    CALL_OK(storekit_due(k, "fhir", NOW, 3, NULL, 0));
    assert_int_equal(k->n, 3);
    assert_int_equal(k->next_due, NOW);
    assert_string_equal(due("nowhere", NOW, NULL, 0), "");
    assert_int_equal(k->next_due, OW_TIME_MAX);
}

static void deliveries_of_one_subject_leave_in_order(void **state)
{
    int64_t first;

    (void)state;
    send_one("fhir", "k1", 0, "i1", "opened");
    send_one("fhir", "k1", 2, "i2", "worse");
    send_one("fhir", "k1", 0, "i3", "resolved");
    assert_string_equal(due("fhir", NOW, NULL, 0), "opened");
    first = k->deliveries[0].id;
    assert_string_equal(due("fhir", NOW, &first, 1), "");
    assert_int_equal(k->next_due, OW_TIME_MAX);
    CALL_OK(storekit_outcome(k, first, OW_DELIVERY_DUE, NOW + 60000, "503"));
    assert_string_equal(due("fhir", NOW, NULL, 0), "");
    assert_int_equal(k->next_due, NOW + 60000);
    assert_string_equal(due("fhir", NOW + 60000, NULL, 0), "opened");
    assert_int_equal(k->deliveries[0].attempts, 1);
    assert_string_equal(k->deliveries[0].last_error, "503");
    CALL_OK(storekit_outcome(k, first, OW_DELIVERY_SENT, 0, NULL));
    assert_string_equal(due("fhir", NOW, NULL, 0), "worse");
}

static void a_dead_letter_does_not_hold_up_what_came_after_it(void **state)
{
    int64_t first;

    (void)state;
    send_one("fhir", "k1", 0, "i1", "opened");
    send_one("fhir", "k1", 0, "i2", "worse");
    assert_string_equal(due("fhir", NOW, NULL, 0), "opened");
    first = k->deliveries[0].id;
    CALL_OK(storekit_outcome(k, first, OW_DELIVERY_DEAD, 0, "422"));
    assert_string_equal(due("fhir", NOW, NULL, 0), "worse");
    CALL_OK(storekit_list(k, OW_DELIVERY_DEAD));
    assert_int_equal(k->n, 1);
    assert_int_equal(k->deliveries[0].id, first);
    assert_string_equal(k->deliveries[0].last_error, "422");
    CALL_OK(storekit_retry(k, first, NOW + 1));
    assert_string_equal(due("fhir", NOW, NULL, 0), "");
    assert_string_equal(due("fhir", NOW + 1, NULL, 0), "opened");
    assert_int_equal(k->deliveries[0].attempts, 0);
    CALL_OK(storekit_outcome(k, first, OW_DELIVERY_SENT, 0, NULL));
    assert_string_equal(due("fhir", NOW, NULL, 0), "worse");
    assert_int_equal(storekit_retry(k, first, NOW), OW_MISSING);
    assert_int_equal(storekit_retry(k, 99, NOW), OW_MISSING);
}

static void messages_without_a_subject_do_not_wait_for_each_other(void **state)
{
    (void)state;
    send_one("fhir", NULL, 0, "i1", "one");
    send_one("fhir", NULL, 0, "i2", "two");
    assert_string_equal(due("fhir", NOW, NULL, 0), "one two");
    CALL_OK(storekit_outcome(k, k->deliveries[0].id, OW_DELIVERY_DEAD, 0, "no"));
    assert_string_equal(due("fhir", NOW, NULL, 0), "two");
    CALL_OK(storekit_list(k, OW_DELIVERY_DEAD));
    CALL_OK(storekit_retry(k, k->deliveries[0].id, NOW));
    assert_string_equal(due("fhir", NOW, NULL, 0), "one two");
}

static void an_end_told_twice_is_one_and_no_end_is_taken_back(void **state)
{
    int64_t id;

    (void)state;
    send_one("fhir", "k1", 0, "i1", "card");
    due("fhir", NOW, NULL, 0);
    id = k->deliveries[0].id;
    CALL_OK(storekit_outcome(k, id, OW_DELIVERY_SENT, 0, NULL));
    CALL_OK(storekit_outcome(k, id, OW_DELIVERY_SENT, 0, NULL));
    assert_int_equal(storekit_outcome(k, id, OW_DELIVERY_DUE, NOW, "x"), OW_MISSING);
    assert_int_equal(storekit_outcome(k, id, OW_DELIVERY_DEAD, 0, "x"), OW_MISSING);
    assert_int_equal(storekit_outcome(k, 99, OW_DELIVERY_SENT, 0, NULL), OW_MISSING);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.sent, 1);
    assert_int_equal(k->counts.due, 0);
    assert_int_equal(k->counts.oldest_due, 0);
}

static void after_a_start_every_due_delivery_may_have_been_sent(void **state)
{
    (void)state;
    send_one("fhir", "k1", 0, "i1", "one");
    send_one("fhir", "k2", 0, "i2", "two");
    due("fhir", NOW, NULL, 0);
    assert_false(k->deliveries[0].unknown);
    storekit_reopen(k);
    CALL_OK(storekit_distrust(k));
    assert_string_equal(due("fhir", NOW, NULL, 0), "one two");
    assert_true(k->deliveries[0].unknown);
    assert_true(k->deliveries[1].unknown);
    assert_string_equal(k->deliveries[1].message.identity, "i2");
    assert_string_equal(k->deliveries[1].message.alert_key, "k2");
}

/* --- feedback and figures --- */

static void the_same_feedback_twice_is_one(void **state)
{
    struct ow_feedback f[] = {
        {.card = "c1",  .outcome = "accepted",   .at = NOW, .received = NOW    },
        { .card = "c1", .outcome = "accepted",   .at = NOW, .received = NOW + 9},
        { .card = "c1", .outcome = "overridden", .at = NOW, .reason_code = "x" },
    };

    (void)state;
    CALL_OK(storekit_feedback(k, f, 3));
    CALL_OK(storekit_feedback(k, f, 3));
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.feedback, 2);
}

static const struct ow_telling_line on_card[] = {
    {"med-threshold",   "", "card-1", 2, true },
    { "naloxone-offer", "", "card-1", 1, false},
};

static enum ow_code tell_at(ow_time at, const char *instance)
{
    struct ow_telling t = { .source = "hook:order-sign",
                            .patient = "Patient/p1",
                            .at = at,
                            .hook = 3,
                            .prescriber = "Practitioner/d",
                            .encounter = "e",
                            .instance = instance,
                            .prescribers = "Practitioner/d",
                            .classes = "",
                            .med = "241/2",
                            .med_text = "120.5",
                            .verdict_json = "{}",
                            .verdict_len = 2,
                            .lines = on_card,
                            .n_lines = 2 };

    return storekit_tell(k, &t);
}

static void what_was_told_comes_back_with_the_answer_to_its_card(void **state)
{
    struct ow_feedback f = { .card = "card-1",
                             .outcome = "overridden",
                             .reason_code = "snooze-3-months",
                             .at = NOW - 5000, /* their clock is behind */
                             .received = NOW + 1000 };

    (void)state;
    CALL_OK(tell_at(NOW, "i1"));
    CALL_OK(storekit_feedback(k, &f, 1));
    assert_true(k->joined[0].fresh);
    assert_string_equal(k->joined[0].patient, "Patient/p1");
    assert_string_equal(k->joined[0].rule, "med-threshold");
    CALL_OK(storekit_feedback(k, &f, 1));
    assert_false(k->joined[0].fresh);
    storekit_reopen(k);
    CALL_OK(storekit_told(k, "Patient/p1"));
    assert_int_equal(k->n, 2);
    assert_string_equal(k->told[0].rule, "naloxone-offer");
    assert_null(k->told[0].outcome); /* the card is about the other */
    assert_string_equal(k->told[1].rule, "med-threshold");
    assert_string_equal(k->told[1].med, "241/2");
    assert_string_equal(k->told[1].prescriber, "Practitioner/d");
    assert_string_equal(k->told[1].outcome, "overridden");
    assert_string_equal(k->told[1].reason_code, "snooze-3-months");
    assert_int_equal(k->told[1].answered, NOW + 1000);
    CALL_OK(storekit_told(k, "Patient/p2"));
    assert_int_equal(k->n, 0);
}

static void an_answer_is_to_what_was_told_before_it(void **state)
{
    struct ow_feedback f[] = {
        {.card = "card-1",  .outcome = "overridden", .at = NOW + 1, .received = NOW + 1},
        { .card = "card-1", .outcome = "accepted",   .at = NOW + 2, .received = NOW + 2},
    };

    (void)state;
    CALL_OK(storekit_feedback(k, f, 2)); /* before the row, after the card */
    assert_null(k->joined[0].patient);
    CALL_OK(tell_at(NOW, "i1"));
    CALL_OK(tell_at(NOW + 1000, "i2")); /* the same card once more */
    CALL_OK(storekit_told(k, "Patient/p1"));
    assert_int_equal(k->n, 4);
    assert_int_equal(k->told[1].at, NOW + 1000);
    assert_null(k->told[1].outcome);
    assert_string_equal(k->told[3].rule, "med-threshold");
    assert_string_equal(k->told[3].outcome, "accepted"); /* the latest of two */
}

static void feedback_without_a_card_or_to_a_stranger_is_no_error(void **state)
{
    struct ow_feedback f[] = {
        {.outcome = "accepted",    .at = NOW, .received = NOW},
        { .card = "nobody's", .outcome = "overridden", .at = NOW, .received = NOW },
    };

    (void)state;
    CALL_OK(storekit_feedback(k, f, 2));
    assert_null(k->joined[0].patient);
    assert_null(k->joined[1].patient);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.feedback, 1);
}

static int one_number(sqlite3 *conn, const char *text);

static int count_in_file(const char *text)
{
    sqlite3 *conn;
    int n;

    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    n = one_number(conn, text);
    sqlite3_close(conn);
    return n;
}

static void of_one_patient_the_latest_are_kept_with_their_records(void **state)
{
    (void)state;
    for (int i = 0; i < OW_TOLD_MOST / 2 + 10; i++)
        CALL_OK(tell_at(NOW + i, "i"));
    CALL_OK(storekit_told(k, "Patient/p1"));
    assert_int_equal(k->n, OW_TOLD_MOST);
    assert_int_equal(k->told[0].at, NOW + OW_TOLD_MOST / 2 + 9);
    assert_int_equal(count_in_file("SELECT count(*) FROM verdict"), OW_TOLD_MOST / 2);
    CALL_OK(tell_at(NOW + (OW_TOLD_DAYS + 1) * OW_DAY, "i")); /* old ones go in shares */
    CALL_OK(storekit_told(k, "Patient/p1"));
    assert_int_equal(k->n, OW_TOLD_MOST - 50);
}

static void figures_are_the_same_after_a_restart(void **state)
{
    struct ow_store_counts before;
    int64_t id = receive(OW_EVENT_CHANGED, "rx1", "1", "{}");

    (void)state;
    receive(OW_EVENT_CHANGED, "rx2", "1", "{}");
    CALL_OK(judge(&id, 1, NULL, 0));
    id = receive(OW_EVENT_CHANGED, "rx3", "1", "{}");
    CALL_OK(storekit_park(k, &id, 1));
    send_one("fhir", "k1", 0, "i1", "one");
    send_one("fhir", "k2", 0, "i2", "two");
    send_one("fhir", "k3", 0, "i3", "three");
    due("fhir", NOW, NULL, 0);
    CALL_OK(storekit_outcome(k, k->deliveries[0].id, OW_DELIVERY_SENT, 0, NULL));
    CALL_OK(storekit_outcome(k, k->deliveries[1].id, OW_DELIVERY_DEAD, 0, "no"));
    CALL_OK(storekit_count(k));
    before = k->counts;
    assert_int_equal(before.waiting, 1);
    assert_int_equal(before.judged, 1);
    assert_int_equal(before.parked, 1);
    assert_int_equal(before.due, 1);
    assert_int_equal(before.sent, 1);
    assert_int_equal(before.dead, 1);
    assert_int_equal(before.oldest_due, NOW);
    assert_true(before.commits > 0 && before.batched >= before.commits);
    storekit_reopen(k);
    CALL_OK(storekit_count(k));
    before.commits = before.batched = 0;
    before.last_sync_us = 0;
    assert_memory_equal(&k->counts, &before, sizeof before);
}

/* --- the queue --- */

static void append(void *arg, enum ow_code code, int64_t id, bool duplicate,
                   const struct ow_err *err)
{
    char *trace = arg;
    size_t at = strlen(trace);

    (void)err;
    snprintf(trace + at, 4096 - at, "%d/%lld%s ", (int)code, (long long)id,
             duplicate ? "d" : "");
}

static void on_put(void *arg, enum ow_code code, const struct ow_err *err)
{
    append(arg, code, -1, false, err);
}

/* Many calls at once, one of them bad in the middle; what came back, in order. */
static void burst(char trace[4096])
{
    struct ow_event ev;
    char rid[16];
    int64_t bad[2] = { 1, 1000 };

    trace[0] = '\0';
    for (int i = 0; i < 40; i++) {
        snprintf(rid, sizeof rid, "rx%d", i % 25);
        ev = storekit_event(OW_EVENT_CHANGED, rid, "1", "{}");
        ow_store_receive(k->store, &ev, append, trace);
        if (i == 20)
            ow_store_attempt(k->store, bad, 2, on_put, trace);
    }
    storekit_count(k);
}

static void a_failing_call_does_not_fail_the_others_of_its_batch(void **state)
{
    char trace[4096];

    (void)state;
    burst(trace);
    assert_non_null(strstr(trace, "0/21 5/-1 0/22 "));
    assert_non_null(strstr(trace, "0/25 0/1d 0/2d "));
    assert_int_equal(k->counts.waiting, 25);
    CALL_OK(storekit_count(k));
    assert_int_equal(k->counts.commits, 1);
    assert_int_equal(k->counts.batched, 41);
    CALL_OK(storekit_waiting(k, 0, 1));
    assert_int_equal(k->events[0].attempts, 0);
}

static void with_and_without_a_thread_the_answers_are_the_same(void **state)
{
    char first[4096], second[4096];

    (void)state;
    burst(first);
    storekit_done(k);
    storekit_init(k, true);
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    burst(second);
    assert_string_equal(first, second);
}

static void beyond_its_ceiling_the_queue_refuses_in_order(void **state)
{
    struct ow_store_options opt = { .queue_max = 4, .threaded = false };
    char trace[4096] = "";

    (void)state;
    storekit_close(k);
    opt.directory = k->directory;
    assert_int_equal(ow_store_open(&opt, &k->store, &k->err), OW_STORE_OPENED);
    for (int i = 0; i < 6; i++)
        ow_store_put(k->store, "a", "b", on_put, trace);
    assert_string_equal(trace, ""); /* never inside the call */
    ow_store_poll(k->store);
    assert_string_equal(trace, "0/-1 0/-1 0/-1 0/-1 1/-1 1/-1 ");
    ow_store_put(k->store, "a", "b", on_put, trace);
    ow_store_poll(k->store);
    assert_string_equal(trace, "0/-1 0/-1 0/-1 0/-1 1/-1 1/-1 0/-1 ");
}

static void put_again(void *arg, enum ow_code code, const struct ow_err *err)
{
    on_put(arg, code, err);
    ow_store_put(k->store, "late", "x", on_put, arg);
}

static void closing_finishes_what_waits_and_cancels_what_comes_after(void **state)
{
    char trace[4096] = "";

    (void)state;
    ow_store_put(k->store, "a", "1", on_put, trace);
    ow_store_put(k->store, "a", "2", put_again, trace);
    storekit_close(k);
    assert_string_equal(trace, "0/-1 0/-1 6/-1 ");
    storekit_reopen(k);
    CALL_OK(storekit_get(k, "a"));
    assert_string_equal(k->value, "2");
    CALL_OK(storekit_get(k, "late"));
    assert_null(k->value);
}

static void the_log_stays_bounded_while_calls_keep_coming(void **state)
{
    enum { N = 90, SIZE = 512 * 1024 };
    char *value = ow_alloc_zero(SIZE + 1), *path = storekit_path(k, "opiward.db-wal");
    struct stat st;
    off_t most = 0;

    (void)state;
    for (int i = 0; i < N; i++) { /* 45 MB in all */
        memset(value, 'a' + i % 2, SIZE);
        CALL_OK(storekit_put(k, "a", value));
        assert_int_equal(stat(path, &st), 0);
        most = st.st_size > most ? st.st_size : most;
    }
    free(value);
    assert_true(most > 1 << 20);
    assert_true(most < 40 << 20); /* 8000 pages and the batch that passed them */
}

/* --- who may open it --- */

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void directory_and_files_are_private(void **state)
{
    (void)state;
    CALL_OK(storekit_put(k, "a", "b"));
    assert_int_equal(mode_of(storekit_path(k, "opiward.db")), 0600);
    assert_int_equal(mode_of(storekit_path(k, "opiward.db-wal")), 0600);
    assert_int_equal(mode_of(storekit_path(k, "opiward.db-shm")), 0600);
    assert_int_equal(mode_of(storekit_path(k, "lock")), 0600);
    storekit_close(k);
    assert_int_equal(access(storekit_path(k, "opiward.db-wal"), F_OK), -1);
    unlink(storekit_path(k, "opiward.db"));
    unlink(storekit_path(k, "lock"));
    assert_int_equal(rmdir(k->directory), 0);
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    assert_int_equal(mode_of(k->directory), 0700);
}

static void a_second_daemon_on_the_directory_is_told_who_has_it(void **state)
{
    struct storekit second = *k;
    char pid[32];

    (void)state;
    second.store = NULL;
    assert_int_equal(storekit_open(&second), OW_STORE_BUSY);
    assert_null(second.store);
    snprintf(pid, sizeof pid, "process %ld:", (long)getpid());
    assert_non_null(strstr(second.err.text, k->directory));
    assert_non_null(strstr(second.err.text, pid));
    CALL_OK(storekit_put(k, "a", "b"));
    storekit_close(k);
    assert_int_equal(storekit_open(&second), OW_STORE_OPENED);
    storekit_close(&second);
}

static void sql(const char *path, const char *text)
{
    sqlite3 *conn;

    assert_int_equal(sqlite3_open(path, &conn), SQLITE_OK);
    assert_int_equal(sqlite3_exec(conn, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(conn);
}

static void a_newer_schema_is_left_alone(void **state)
{
    (void)state;
    storekit_close(k);
    sql(storekit_path(k, "opiward.db"), "PRAGMA user_version = 4000");
    assert_int_equal(storekit_open(k), OW_STORE_NEWER);
    assert_non_null(strstr(k->err.text, "4000"));
    assert_non_null(strstr(k->err.text, "version 3:"));
    assert_int_equal(ow_store_schema(), 3);
    sql(storekit_path(k, "opiward.db"), "PRAGMA user_version = 3");
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
}

static void a_file_of_another_program_is_left_alone(void **state)
{
    FILE *f;

    (void)state;
    storekit_close(k);
    unlink(storekit_path(k, "opiward.db"));
    sql(storekit_path(k, "opiward.db"), "CREATE TABLE t(x)");
    assert_int_equal(storekit_open(k), OW_STORE_FAILED);
    assert_non_null(strstr(k->err.text, "another program"));
    f = fopen(storekit_path(k, "opiward.db"), "wb");
    for (int i = 0; i < 1000; i++)
        fputs("This is no database. ", f);
    fclose(f);
    assert_int_equal(storekit_open(k), OW_STORE_FAILED);
    assert_non_null(strstr(k->err.text, "opiward.db"));
}

static void a_directory_that_cannot_be_is_an_error(void **state)
{
    struct ow_store_options opt = { .directory = "/proc/nowhere/opiward" };
    struct ow_store *s = NULL;
    struct ow_err err;

    (void)state;
    assert_int_equal(ow_store_open(&opt, &s, &err), OW_STORE_FAILED);
    assert_non_null(strstr(err.text, "/proc/nowhere/opiward"));
    assert_null(s);
}

/* --- migrations --- */

static const struct ow_store_step two_steps[] = {
    { "CREATE TABLE t(a INTEGER) STRICT; INSERT INTO t VALUES(1)" },
    { "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7; UPDATE t SET a = a + 1" },
};
static const struct ow_store_step bad_second[] = {
    { "CREATE TABLE t(a INTEGER) STRICT; INSERT INTO t VALUES(1)" },
    { "UPDATE t SET a = 99; UPDATE missing SET a = 1" },
};

static int one_number(sqlite3 *conn, const char *text)
{
    sqlite3_stmt *st;
    int n;

    assert_int_equal(sqlite3_prepare_v2(conn, text, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

static void migration_takes_each_step_once_and_in_order(void **state)
{
    struct ow_err err;
    sqlite3 *conn;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &conn), SQLITE_OK);
    CALL_OK(ow_store_migrate(conn, two_steps, 1, &err));
    assert_int_equal(one_number(conn, "PRAGMA user_version"), 1);
    CALL_OK(ow_store_migrate(conn, two_steps, 2, &err));
    CALL_OK(ow_store_migrate(conn, two_steps, 2, &err));
    assert_int_equal(one_number(conn, "PRAGMA user_version"), 2);
    assert_int_equal(one_number(conn, "PRAGMA application_id"), OW_STORE_APPLICATION_ID);
    assert_int_equal(one_number(conn, "SELECT a FROM t"), 2);
    assert_int_equal(one_number(conn, "SELECT b FROM t"), 7);
    sqlite3_close(conn);
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
    struct ow_err err;
    sqlite3 *conn;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &conn), SQLITE_OK);
    assert_int_equal(ow_store_migrate(conn, bad_second, 2, &err), OW_AGAIN);
    assert_non_null(strstr(err.text, "version 2"));
    assert_int_equal(one_number(conn, "PRAGMA user_version"), 1);
    assert_int_equal(one_number(conn, "SELECT a FROM t"), 1);
    sqlite3_close(conn);
}

static void a_file_of_version_0_becomes_current(void **state)
{
    (void)state;
    storekit_close(k);
    unlink(storekit_path(k, "opiward.db"));
    sql(storekit_path(k, "opiward.db"), "PRAGMA application_id = 0x6f706977");
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    CALL_OK(storekit_put(k, "a", "b"));
    storekit_close(k);
    unlink(storekit_path(k, "opiward.db"));
    fclose(fopen(storekit_path(k, "opiward.db"), "wb"));
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    CALL_OK(storekit_put(k, "a", "b"));
}

static void a_file_of_version_1_becomes_current_and_keeps_what_it_has(void **state)
{
    sqlite3 *conn;
    struct ow_err err;

    (void)state;
    storekit_close(k);
    unlink(storekit_path(k, "opiward.db"));
    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    CALL_OK(ow_store_migrate(conn, ow_store_steps, 1, &err));
    sqlite3_close(conn);
    sql(storekit_path(k, "opiward.db"),
        "INSERT INTO feedback(card, outcome, at, received) VALUES('card-1', 'accepted',"
        " 1772438400500, 1772438400500); INSERT INTO setting VALUES('a', 'b')");
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    CALL_OK(storekit_get(k, "a"));
    assert_string_equal(k->value, "b");
    CALL_OK(tell_at(NOW, "i"));
    CALL_OK(storekit_told(k, "Patient/p1"));
    assert_string_equal(k->told[1].outcome, "accepted");
}

/* --- tokens --- */

struct tokens {
    size_t n;
    char digests[8];
    ow_time until;
};

static void on_tokens(void *arg, enum ow_code code, const struct ow_token *t, size_t n,
                      const struct ow_err *err)
{
    struct tokens *got = arg;

    (void)err;
    assert_int_equal(code, OW_OK);
    got->n = n;
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(t[i].issuer, "https://ehr.example.org");
        got->digests[i] = (char)t[i].digest[0];
        got->until = t[i].until;
    }
}

static void token(char name, ow_time until, ow_time now)
{
    struct ow_token t = { .issuer = "https://ehr.example.org", .until = until };

    t.digest[0] = (uint8_t)name;
    ow_store_token(k->store, &t, now, NULL, NULL);
}

static struct tokens tokens_at(ow_time now)
{
    struct tokens got = { .n = SIZE_MAX };

    ow_store_tokens(k->store, now, on_tokens, &got);
    CALL_OK(storekit_get(k, "a")); /* answers come in order */
    return got;
}

static void a_token_is_kept_once_until_it_is_of_no_interest(void **state)
{
    struct tokens got;

    (void)state;
    token('a', NOW + 10, NOW);
    token('b', NOW + 20, NOW);
    token('a', NOW + 30, NOW); /* the first says until when */
    got = tokens_at(NOW);
    assert_int_equal(got.n, 2);
    assert_memory_equal(got.digests, "ab", 2);
    assert_int_equal(got.until, NOW + 20);
    storekit_reopen(k);
    assert_int_equal(tokens_at(NOW + 10).n, 2);
    assert_int_equal(tokens_at(NOW + 11).n, 1);
    token('c', NOW + 50, NOW + 15); /* takes the first away */
    got = tokens_at(NOW);
    assert_int_equal(got.n, 2);
    assert_memory_equal(got.digests, "bc", 2);
}

static void a_file_of_version_2_becomes_current_and_keeps_what_it_has(void **state)
{
    sqlite3 *conn;
    struct ow_err err;

    (void)state;
    storekit_close(k);
    unlink(storekit_path(k, "opiward.db"));
    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    CALL_OK(ow_store_migrate(conn, ow_store_steps, 2, &err));
    sqlite3_close(conn);
    sql(storekit_path(k, "opiward.db"), "INSERT INTO setting VALUES('a', 'b')");
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    CALL_OK(storekit_get(k, "a"));
    assert_string_equal(k->value, "b");
    token('a', NOW + 10, NOW);
    assert_int_equal(tokens_at(NOW).n, 1);
}

/* --- statements --- */

static void no_statement_reads_a_whole_table(void **state)
{
    static const char *const texts[] = {
#define OW_SQL(name, text) (text),
#include "daemon/store_sql.def"
#undef OW_SQL
    };
    char explain[2048];
    sqlite3 *conn;
    sqlite3_stmt *st;
    struct ow_err err;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &conn), SQLITE_OK);
    CALL_OK(ow_store_migrate(conn, ow_store_steps, ow_store_n_steps, &err));
    for (size_t i = 0; i < OW_LEN(texts); i++) {
        snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", texts[i]);
        assert_int_equal(sqlite3_prepare_v2(conn, explain, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(st, 3);

            /* An index over some rows may be read in its order, nothing else whole. */
            if (strncmp(detail, "SCAN", 4) == 0 && !strstr(detail, "event_waiting") &&
                !strstr(detail, "CONSTANT ROW"))
                fail_msg("%s: %s", texts[i], detail);
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(conn);
}

static char threaded; /* its address says: with a thread */

#define BOTH(f)                                                                          \
    { #f, f, setup, teardown, NULL },                                                    \
    {                                                                                    \
#f " (thread)", f, setup, teardown, &threaded                                    \
    }
#define THREAD(f)                                                                        \
    {                                                                                    \
#f, f, setup, teardown, &threaded                                                \
    }
#define ONCE(f)                                                                          \
    {                                                                                    \
#f, f, setup, teardown, NULL                                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_setting_outlives_a_restart),
        BOTH(an_event_comes_back_as_it_was),
        BOTH(the_same_version_is_one_event_for_ever),
        BOTH(another_key_is_another_event),
        BOTH(without_versions_a_b_a_is_three_events),
        BOTH(a_deletion_without_version_is_a_repeat_only_while_it_waits),
        BOTH(a_hint_is_a_repeat_only_while_the_same_one_waits),
        BOTH(an_event_without_a_resource_is_refused),
        BOTH(waiting_events_come_in_order_and_in_pages),
        BOTH(attempts_are_counted_through_a_restart),
        BOTH(a_parked_event_waits_no_longer_and_keeps_its_body),
        BOTH(a_verdict_is_remembered_whole),
        BOTH(events_that_concern_nobody_are_answered),
        BOTH(an_order_that_moved_has_its_former_patient_judged_again),
        BOTH(of_resolved_alerts_only_the_last_episode_is_told),
        BOTH(a_verdict_told_twice_sends_once),
        BOTH(a_message_that_differs_is_sent_whatever_its_identity),
        BOTH(a_verdict_that_cannot_be_kept_whole_is_not_kept_at_all),
        BOTH(the_body_of_a_judged_event_is_gone_from_the_file),
        BOTH(higher_priority_leaves_first_then_older),
        BOTH(deliveries_of_one_subject_leave_in_order),
        BOTH(a_dead_letter_does_not_hold_up_what_came_after_it),
        BOTH(messages_without_a_subject_do_not_wait_for_each_other),
        BOTH(an_end_told_twice_is_one_and_no_end_is_taken_back),
        BOTH(after_a_start_every_due_delivery_may_have_been_sent),
        BOTH(the_same_feedback_twice_is_one),
        BOTH(what_was_told_comes_back_with_the_answer_to_its_card),
        BOTH(an_answer_is_to_what_was_told_before_it),
        BOTH(feedback_without_a_card_or_to_a_stranger_is_no_error),
        BOTH(of_one_patient_the_latest_are_kept_with_their_records),
        BOTH(figures_are_the_same_after_a_restart),
        ONCE(a_failing_call_does_not_fail_the_others_of_its_batch),
        ONCE(with_and_without_a_thread_the_answers_are_the_same),
        ONCE(beyond_its_ceiling_the_queue_refuses_in_order),
        BOTH(closing_finishes_what_waits_and_cancels_what_comes_after),
        THREAD(the_log_stays_bounded_while_calls_keep_coming),
        BOTH(directory_and_files_are_private),
        BOTH(a_second_daemon_on_the_directory_is_told_who_has_it),
        BOTH(a_newer_schema_is_left_alone),
        ONCE(a_file_of_another_program_is_left_alone),
        ONCE(a_directory_that_cannot_be_is_an_error),
        ONCE(no_statement_reads_a_whole_table),
        ONCE(migration_takes_each_step_once_and_in_order),
        ONCE(a_step_that_fails_leaves_the_version_before_it),
        ONCE(a_file_of_version_0_becomes_current),
        ONCE(a_file_of_version_1_becomes_current_and_keeps_what_it_has),
        ONCE(a_file_of_version_2_becomes_current_and_keeps_what_it_has),
        BOTH(a_token_is_kept_once_until_it_is_of_no_interest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
