/*
 * Store on a failing disk: what was acknowledged is there, whatever fails and when
 *
 * A reference scenario is run once for every call that reaches the disk, with that call
 * failing once, or failing from then on, or being the last before the process dies, or
 * before the power goes. Each time:
 *  - whatever was answered OW_OK is found afterwards, in the running store once the disk
 *    is well again, and after a restart;
 *  - a verdict is there whole or not at all;
 *  - making the same calls again ends in the same content as if nothing had failed, with
 *    each message once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/faultfs.h"
#include "tests/support/storekit.h"

static const ow_time NOW = 1772438400000;

enum { EVENTS = 6, BIG = 1500 * 4096 };

/* Every call is a point; with sanitizers, which are slow, every fifth. */
#if defined(__SANITIZE_ADDRESS__)
enum { STRIDE = 5 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif
#else
enum { STRIDE = 1 };
#endif

static struct storekit kit;
static struct storekit *const k = &kit;
static char *reference[2]; /* content after the scenario without faults: small, big */
static char *big_body;

/* What was answered OW_OK. */
static struct {
    bool event[EVENTS], setting, parked, verdict[2], sent, feedback;
} acked;

/* --- the scenario --- */

struct answer {
    bool *acked;
    unsigned *open, *failed;
};

static void note(struct answer *a, enum ow_code code)
{
    --*a->open;
    if (code == OW_OK)
        *a->acked = true;
    else
        ++*a->failed;
    assert_true(code == OW_OK || code == OW_AGAIN);
}

static void on_done(void *arg, enum ow_code code, const struct ow_err *err)
{
    if (code != OW_OK)
        assert_true(strlen(err->text) > 0);
    note(arg, code);
}

static void on_received(void *arg, enum ow_code code, int64_t id, bool duplicate,
                        const struct ow_err *err)
{
    (void)duplicate;
    (void)err;
    assert_true((code == OW_OK) == (id > 0));
    note(arg, code);
}

static struct ow_event event(int i, bool big)
{
    static char rid[EVENTS][8];
    struct ow_event ev;

    snprintf(rid[i], sizeof rid[i], "rx%d", i);
    ev = storekit_event(i == 2 ? OW_EVENT_DELETED : OW_EVENT_CHANGED, rid[i], "1",
                        "{\"body\":1}");
    if (big && i == 3) {
        ev.body = big_body;
        ev.body_len = BIG;
    }
    return ev;
}

/* Events in two bursts, so that both share commits. How many failed. */
static unsigned receive_all(bool big)
{
    unsigned open = 0, failed = 0;
    struct answer a[EVENTS];

    for (int i = 0; i < EVENTS; i++) {
        struct ow_event ev = event(i, big);

        a[i] = (struct answer){ &acked.event[i], &open, &failed };
        open++;
        ow_store_receive(k->store, &ev, on_received, &a[i]);
        if (i == 2 || i == EVENTS - 1)
            while (open > 0)
                ow_store_poll(k->store);
    }
    return failed;
}

static int64_t id_of(int i)
{
    struct ow_event ev = event(i, false);

    return storekit_receive(k, &ev) == OW_OK && k->duplicate ? k->id : 0;
}

static enum ow_code judge(int which, int64_t id)
{
    struct ow_alert a = { .key = which ? "k1" : "k0",
                          .rule = "med-threshold",
                          .cause = "oxycodone",
                          .episode = which + 1,
                          .opened = NOW,
                          .changed = NOW };
    struct ow_message m[2] = {
        storekit_message("fhir", a.key, 2, which ? "k1-0" : "k0-0", "transaction"),
        storekit_message("webhook", a.key, 2, which ? "k1-0" : "k0-0", "card"),
    };
    const char *order = "MedicationRequest/rx0";
    struct ow_record_of_verdict rec = {
        .events = &id,
        .n_events = 1,
        .source = "ehr",
        .patient = "Patient/p1",
        .orders = &order,
        .n_orders = 1,
        .verdict_json = "{\"verdict\":1}",
        .verdict_len = 13,
        .med_text = "120",
        .at = NOW,
        .alerts = &a,
        .n_alerts = 1,
        .messages = m,
        .n_messages = 2,
    };

    return storekit_verdict(k, &rec);
}

static unsigned judge_one(int which)
{
    int64_t id = id_of(which);

    if (id == 0 || judge(which, id) != OW_OK)
        return 1;
    acked.verdict[which] = true;
    return 0;
}

static unsigned park_one(void)
{
    int64_t id = id_of(5);

    if (id == 0 || storekit_park(k, &id, 1) != OW_OK)
        return 1;
    acked.parked = true;
    return 0;
}

/* The delivery k0-0 towards `fhir` among those that the last call gave; 0: none. */
static int64_t first_delivery(void)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->deliveries[i].message.identity, "k0-0") == 0 &&
            strcmp(k->deliveries[i].message.sink, "fhir") == 0)
            return k->deliveries[i].id;
    return 0;
}

/* An outcome that was answered OW_AGAIN may be there all the same; then it is not due. */
static unsigned send_one(void)
{
    int64_t id;

    if (storekit_due(k, "fhir", NOW, 10, NULL, 0) != OW_OK)
        return 1;
    id = first_delivery();
    if (id == 0 && (storekit_list(k, OW_DELIVERY_SENT) != OW_OK || !first_delivery()))
        return 1;
    if (id != 0 && storekit_outcome(k, id, OW_DELIVERY_SENT, 0, NULL) != OW_OK)
        return 1;
    acked.sent = true;
    return 0;
}

static unsigned other_calls(void)
{
    struct ow_feedback f = { .card = "c", .outcome = "accepted", .at = NOW };
    unsigned failed = 0;

    if (storekit_put(k, "secret", "s3") == OW_OK)
        acked.setting = true;
    else
        failed++;
    if (storekit_feedback(k, &f, 1) == OW_OK)
        acked.feedback = true;
    else
        failed++;
    failed += storekit_patient(k, "Patient/p1") != OW_OK;
    failed += storekit_waiting(k, 0, 100) != OW_OK;
    failed += storekit_count(k) != OW_OK;
    return failed;
}

/* One pass; each step up to `tries` times. False: something stayed undone. */
static bool pass(bool big, unsigned tries)
{
    unsigned failed;

#define STEP(call)                                                                       \
    failed = 1;                                                                          \
    for (unsigned i = 0; i < tries && failed; i++)                                       \
        failed = (call);                                                                 \
    if (failed)                                                                          \
    return false
    STEP(receive_all(big));
    STEP(judge_one(0));
    STEP(judge_one(1));
    STEP(park_one());
    STEP(send_one());
    STEP(other_calls());
#undef STEP
    return true;
}

/* --- what must hold afterwards --- */

static int64_t number(sqlite3 *conn, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;

    assert_int_equal(sqlite3_prepare_v2(conn, sql, -1, &st, NULL), SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static void check_verdict(sqlite3 *conn, int which)
{
    char sql[256];
    int64_t alerts, messages, events;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM alert WHERE key = 'k%d'", which);
    alerts = number(conn, sql);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM delivery WHERE identity = 'k%d-0'",
             which);
    messages = number(conn, sql);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM event WHERE rid = 'rx%d' AND state = 1"
             " AND body IS NULL AND verdict IS NOT NULL",
             which);
    events = number(conn, sql);
    assert_int_equal(messages, 2 * alerts);
    assert_int_equal(events, alerts);
    if (acked.verdict[which])
        assert_int_equal(alerts, 1);
}

/* With a connection of its own, beside the store's. */
static void check_acked(void)
{
    sqlite3 *conn;
    char sql[128];

    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE rid = 'rx%d'", i);
        if (acked.event[i])
            assert_int_equal(number(conn, sql), 1);
    }
    check_verdict(conn, 0);
    check_verdict(conn, 1);
    if (acked.setting)
        assert_int_equal(number(conn, "SELECT count(*) FROM setting WHERE value = 's3'"),
                         1);
    if (acked.parked)
        assert_int_equal(number(conn, "SELECT count(*) FROM event WHERE state = 2"), 1);
    if (acked.sent)
        assert_int_equal(number(conn, "SELECT count(*) FROM delivery WHERE state = 1"),
                         1);
    if (acked.feedback)
        assert_int_equal(number(conn, "SELECT count(*) FROM feedback"), 1);
    sqlite3_close(conn);
}

/* Everything but ids and the audit records, as text. The caller frees. */
static char *content(void)
{
    static const char sql[] =
        "SELECT group_concat(line, char(10)) FROM ("
        " SELECT 'event ' || rid || kind || state || attempts || ' ' ||"
        "  ifnull(length(body), '-') AS line FROM event"
        " UNION ALL SELECT 'setting ' || key || value FROM setting"
        " UNION ALL SELECT 'patient ' || patient || med_text || judged FROM patient"
        " UNION ALL SELECT 'alert ' || key || episode || state FROM alert"
        " UNION ALL SELECT 'order ' || reference || patient FROM order_patient"
        " UNION ALL SELECT 'delivery ' || sink || identity || state || head || attempts"
        "  || CAST(body AS TEXT) FROM delivery"
        " UNION ALL SELECT 'feedback ' || card || outcome FROM feedback ORDER BY 1)";
    sqlite3 *conn;
    sqlite3_stmt *st;
    char *text;

    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(conn, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    text = ow_strdup((const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    assert_int_equal(number(conn, "SELECT count(*) FROM pragma_integrity_check()"
                                  " WHERE integrity_check = 'ok'"),
                     1);
    sqlite3_close(conn);
    return text;
}

static void check_content(bool big)
{
    char *text = content();

    assert_string_equal(text, reference[big]);
    free(text);
}

static void begin(void)
{
    memset(&acked, 0, sizeof acked);
    storekit_init(k, false);
    k->vfs = FAULTFS_NAME;
    faultfs_forget();
}

static void end(bool big)
{
    struct ow_store_counts c;

    assert_int_equal(storekit_count(k), OW_OK);
    c = k->counts;
    check_content(big);
    storekit_reopen(k);
    check_acked();
    check_content(big);
    assert_int_equal(storekit_count(k), OW_OK); /* kept figures equal counted ones */
    assert_int_equal(c.waiting, k->counts.waiting);
    assert_int_equal(c.judged, k->counts.judged);
    assert_int_equal(c.parked, k->counts.parked);
    assert_int_equal(c.due, k->counts.due);
    assert_int_equal(c.sent, k->counts.sent);
    assert_int_equal(c.open_alerts, k->counts.open_alerts);
    assert_int_equal(c.patients, k->counts.patients);
    assert_int_equal(c.feedback, k->counts.feedback);
    storekit_done(k);
}

/* The scenario with one fault planned. True when the fault was met. */
static bool run(enum faultfs_kind kind, unsigned nth, bool lasting, bool big)
{
    bool whole = false, hit;

    begin();
    faultfs_plan(kind, nth, lasting);
    if (storekit_open(k) == OW_STORE_OPENED)
        whole = pass(big, lasting ? 1 : 3);
    hit = faultfs_hit();
    faultfs_clear();
    if (!k->store)
        storekit_reopen(k);
    else if (!lasting)
        assert_true(whole); /* three tries get past a fault that happens once */
    /* The disk is well: the very next call works and nothing acknowledged is missing. */
    assert_int_equal(storekit_count(k), OW_OK);
    check_acked();
    assert_true(pass(big, 1));
    end(big);
    return hit;
}

/*
 * The n-th sync fails once. The kernel forgets what it should have saved, the store goes
 * on and acknowledges the rest, and then the power goes.
 */
static bool lose_then_cut(unsigned nth, bool lasting)
{
    bool hit;

    begin();
    faultfs_plan(FAULTFS_SYNC, nth, lasting);
    if (storekit_open(k) == OW_STORE_OPENED)
        (void)pass(false, lasting ? 1 : 3);
    hit = faultfs_hit();
    faultfs_clear();
    if (!k->store)
        storekit_reopen(k);
    assert_true(pass(false, 1));
    faultfs_plan(FAULTFS_STOP, 1, true);
    storekit_close(k);
    faultfs_clear();
    faultfs_cut();
    storekit_reopen(k);
    check_acked();
    assert_true(acked.event[0] && acked.verdict[1] && acked.sent && acked.feedback);
    end(false);
    return hit;
}

/* The process dies at the n-th call; with `power`, unsynced writes are lost as well. */
static bool die(unsigned nth, bool power, bool big)
{
    bool hit;

    begin();
    faultfs_plan(FAULTFS_STOP, nth, true);
    if (storekit_open(k) == OW_STORE_OPENED)
        (void)pass(big, 1);
    hit = faultfs_hit();
    storekit_close(k);
    faultfs_clear();
    if (power)
        faultfs_cut();
    storekit_reopen(k);
    check_acked();
    assert_true(pass(big, 1));
    end(big);
    return hit;
}

static int setup(void **state)
{
    (void)state;
    /* This layer does not sync, so the files need no disk: memory is quicker. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    faultfs_install();
    big_body = ow_alloc(BIG);
    memset(big_body, 'x', BIG);
    for (int big = 0; big < 2; big++) {
        begin();
        faultfs_plan(FAULTFS_NONE, 0, false);
        assert_int_equal(storekit_open(k), OW_STORE_OPENED);
        assert_true(pass(big != 0, 1));
        print_message("scenario %d: %u calls to the disk\n", big, faultfs_calls());
        reference[big] = content();
        storekit_done(k);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(reference[0]);
    free(reference[1]);
    free(big_body);
    faultfs_forget();
    return 0;
}

/* Every call in turn, until the scenario ends before the fault is met. */
static void sweep(enum faultfs_kind kind, bool lasting)
{
    unsigned stride = kind == FAULTFS_SYNC ? 1 : STRIDE;
    unsigned n = 0, points = 0, missed = 0;

    while (missed < 3) {
        bool hit = run(kind, n += stride, lasting, false);

        points += hit;
        missed = hit || n < 3 ? 0 : missed + 1;
        if (kind == FAULTFS_FULL && !hit && faultfs_calls() > n)
            missed = 0; /* a call that needs no space */
    }
    print_message("%u points\n", points);
    assert_true(points > (kind == FAULTFS_SYNC ? 5 : 100 / stride));
}

static void any_call_fails_once(void **state)
{
    (void)state;
    sweep(FAULTFS_EIO, false);
}

static void any_call_fails_and_all_after_it(void **state)
{
    (void)state;
    sweep(FAULTFS_EIO, true);
}

static void any_sync_fails_once(void **state)
{
    (void)state;
    sweep(FAULTFS_SYNC, false);
}

static void any_sync_fails_and_all_after_it(void **state)
{
    (void)state;
    sweep(FAULTFS_SYNC, true);
}

static void the_disk_is_full_for_a_moment(void **state)
{
    (void)state;
    sweep(FAULTFS_FULL, false);
}

static void the_disk_is_full_from_then_on(void **state)
{
    (void)state;
    sweep(FAULTFS_FULL, true);
}

static void any_write_stops_half_way(void **state)
{
    (void)state;
    sweep(FAULTFS_SHORT, false);
}

static void the_process_dies_at_any_call(void **state)
{
    unsigned n = 0;

    (void)state;
    while (die(n += STRIDE, false, false))
        ;
    print_message("%u points\n", n / STRIDE - 1);
    assert_true(n > 100);
}

static void the_power_goes_at_any_call(void **state)
{
    unsigned n = 0;

    (void)state;
    while (die(n += STRIDE, true, false))
        ;
    print_message("%u points\n", n / STRIDE - 1);
    assert_true(n > 100);
}

static void
a_failed_sync_loses_nothing_acknowledged_even_when_the_power_goes(void **state)
{
    unsigned n = 0, m = 0;

    (void)state;
    while (lose_then_cut(++n, false))
        ;
    while (lose_then_cut(++m, true))
        ;
    print_message("%u points\n", n + m - 2);
    assert_true(n > 5 && m > 5);
}

/* Long enough for a checkpoint between batches; only some of its many calls. */
static void faults_in_a_long_log_and_its_checkpoint(void **state)
{
    unsigned points = 0;
    bool hit = true;

    (void)state;
    for (unsigned n = 450; hit; n += 661 * STRIDE) {
        hit = run(FAULTFS_EIO, n, false, true);
        points += hit;
        (void)run(FAULTFS_EIO, n + 50, true, true);
        (void)run(FAULTFS_FULL, n + 100, true, true);
        (void)die(n + 150, true, true);
    }
    print_message("%u points\n", 4 * points);
    assert_true(points > 5 / STRIDE);
}

/* After a failed sync the reads that shared its batch are not answered either. */
static void a_failed_commit_acknowledges_nothing(void **state)
{
    unsigned open = 3, failed = 0;
    bool ok[3] = { false, false, false };
    struct answer a[3] = {
        {&ok[0],  &open, &failed},
        { &ok[1], &open, &failed},
        { &ok[2], &open, &failed}
    };
    struct ow_event ev = storekit_event(OW_EVENT_CHANGED, "rx0", "1", "{}");

    (void)state;
    begin();
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    assert_int_equal(storekit_put(k, "a", "b"), OW_OK);
    faultfs_plan(FAULTFS_SYNC, 1, true);
    ow_store_put(k->store, "a", "c", on_done, &a[0]);
    ow_store_receive(k->store, &ev, on_received, &a[1]);
    ow_store_put(k->store, "a", "d", on_done, &a[2]);
    ow_store_poll(k->store);
    assert_int_equal(open, 0);
    assert_int_equal(failed, 3);
    /* While syncs fail nothing is answered, not even what only reads. */
    assert_int_equal(storekit_get(k, "a"), OW_AGAIN);
    assert_int_equal(storekit_put(k, "a", "e"), OW_AGAIN);
    assert_true(strlen(k->err.text) > 0);
    faultfs_clear();
    assert_int_equal(storekit_put(k, "a", "f"), OW_OK);
    assert_int_equal(storekit_get(k, "a"), OW_OK);
    assert_string_equal(k->value, "f");
    storekit_done(k);
}

/* Reads and what was stored stay available on a full disk. */
static void a_full_disk_still_answers_reads(void **state)
{
    struct ow_event ev = storekit_event(OW_EVENT_CHANGED, "rx0", "1", "{}");

    (void)state;
    begin();
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    assert_true(pass(false, 1));
    faultfs_plan(FAULTFS_FULL, 1, true);
    ev.rid = "another";
    assert_int_equal(storekit_receive(k, &ev), OW_AGAIN);
    assert_string_equal(k->err.text, "the disk of the store is full");
    assert_int_equal(storekit_due(k, "webhook", NOW, 10, NULL, 0), OW_OK);
    assert_int_equal(k->n, 2);
    faultfs_clear();
    assert_int_equal(storekit_receive(k, &ev), OW_OK);
    storekit_done(k);
}

/* A page that opening alone would never look at. */
static void damage(const char *table)
{
    char page[4096], sql[128];
    sqlite3 *conn;
    int64_t root;
    FILE *f;

    snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'",
             table);
    assert_int_equal(sqlite3_open_v2(storekit_path(k, "opiward.db"), &conn,
                                     SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    root = number(conn, sql);
    sqlite3_close(conn);
    memset(page, 0x5a, sizeof page);
    f = fopen(storekit_path(k, "opiward.db"), "r+b");
    assert_non_null(f);
    fseek(f, (long)(root - 1) * 4096, SEEK_SET);
    assert_int_equal(fwrite(page, sizeof page, 1, f), 1);
    fclose(f);
}

static void damage_that_a_crash_left_is_found_on_open(void **state)
{
    (void)state;
    begin();
    assert_int_equal(storekit_open(k), OW_STORE_OPENED);
    assert_true(pass(false, 1));
    storekit_reopen(k); /* all of it is in the database now */
    assert_int_equal(storekit_put(k, "a", "b"), OW_OK);
    faultfs_plan(FAULTFS_STOP, 1, true); /* leaves its log */
    storekit_close(k);
    faultfs_clear();
    damage("verdict");
    for (int i = 0; i < 2; i++) { /* and again the next time */
        assert_int_equal(storekit_open(k), OW_STORE_FAILED);
        assert_non_null(strstr(k->err.text, "opiward.db is damaged"));
    }
    storekit_done(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_commit_acknowledges_nothing),
        cmocka_unit_test(a_full_disk_still_answers_reads),
        cmocka_unit_test(damage_that_a_crash_left_is_found_on_open),
        cmocka_unit_test(any_sync_fails_once),
        cmocka_unit_test(any_sync_fails_and_all_after_it),
        cmocka_unit_test(
            a_failed_sync_loses_nothing_acknowledged_even_when_the_power_goes),
        cmocka_unit_test(any_call_fails_once),
        cmocka_unit_test(any_call_fails_and_all_after_it),
        cmocka_unit_test(the_disk_is_full_for_a_moment),
        cmocka_unit_test(the_disk_is_full_from_then_on),
        cmocka_unit_test(any_write_stops_half_way),
        cmocka_unit_test(the_process_dies_at_any_call),
        cmocka_unit_test(the_power_goes_at_any_call),
        cmocka_unit_test(faults_in_a_long_log_and_its_checkpoint),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
