#include "tests/support/storekit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void storekit_init(struct storekit *k, bool threaded)
{
    const char *tmp = getenv("TMPDIR");

    *k = (struct storekit){ .threaded = threaded };
    ow_arena_init(&k->arena, SIZE_MAX);
    snprintf(k->directory, sizeof k->directory, "%s/opiward-store-XXXXXX",
             tmp ? tmp : "/tmp");
    ow_assert(mkdtemp(k->directory) != NULL);
}

void storekit_remove(const char *directory)
{
    DIR *d = opendir(directory);
    struct dirent *e;
    char path[1024];

    while (d && (e = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(directory);
}

void storekit_done(struct storekit *k)
{
    storekit_close(k);
    ow_arena_done(&k->arena);
    storekit_remove(k->directory);
}

enum ow_open_result storekit_open(struct storekit *k)
{
    struct ow_store_options opt = {
        .directory = k->directory,
        .threaded = k->threaded,
        .vfs = k->vfs,
    };

    k->err.text[0] = '\0';
    return ow_store_open(&opt, &k->store, &k->err);
}

void storekit_close(struct storekit *k)
{
    ow_store_close(k->store);
    k->store = NULL;
}

void storekit_reopen(struct storekit *k)
{
    storekit_close(k);
    if (storekit_open(k) != OW_STORE_OPENED)
        fprintf(stderr, "%s\n", k->err.text);
    ow_assert(k->store != NULL);
}

void storekit_wait(struct storekit *k)
{
    while (!k->called) {
        ow_store_poll(k->store);
        if (!k->called)
            usleep(50);
    }
}

char *storekit_path(struct storekit *k, const char *name)
{
    return ow_arena_printf(&k->arena, "%s/%s", k->directory, name);
}

struct ow_event storekit_event(enum ow_event_kind kind, const char *rid,
                               const char *version, const char *body)
{
    return (struct ow_event){
        .source = "ehr",
        .kind = kind,
        .type = rid ? "MedicationRequest" : NULL,
        .rid = rid,
        .version = version,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .received = 1772438400000,
    };
}

struct ow_message storekit_message(const char *sink, const char *subject, int priority,
                                   const char *identity, const char *body)
{
    return (struct ow_message){
        .sink = sink,
        .subject = subject,
        .alert_key = subject,
        .priority = priority,
        .body = body,
        .body_len = strlen(body),
        .identity = identity,
    };
}

/* --- callbacks: keep what came --- */

static void keep(struct storekit *k, enum ow_code code, const struct ow_err *err)
{
    ow_assert(!k->called);
    k->called = true;
    k->code = code;
    k->err = *err;
}

static void on_plain(void *arg, enum ow_code code, const struct ow_err *err)
{
    keep(arg, code, err);
}

static void on_value(void *arg, enum ow_code code, const char *value,
                     const struct ow_err *err)
{
    struct storekit *k = arg;

    keep(k, code, err);
    k->value = ow_arena_strdup(&k->arena, value);
}

static void on_receive(void *arg, enum ow_code code, int64_t id, bool duplicate,
                       const struct ow_err *err)
{
    struct storekit *k = arg;

    keep(k, code, err);
    k->id = id;
    k->duplicate = duplicate;
}

static void on_events(void *arg, enum ow_code code, const struct ow_event *events,
                      size_t n, const struct ow_err *err)
{
    struct storekit *k = arg;

    keep(k, code, err);
    k->n = n;
    k->events = OW_NEW_N(&k->arena, struct ow_event, n);
    for (size_t i = 0; i < n; i++) {
        struct ow_event *ev = &k->events[i];

        *ev = events[i];
        ev->source = ow_arena_strdup(&k->arena, ev->source);
        ev->type = ow_arena_strdup(&k->arena, ev->type);
        ev->rid = ow_arena_strdup(&k->arena, ev->rid);
        ev->version = ow_arena_strdup(&k->arena, ev->version);
        ev->patient = ow_arena_strdup(&k->arena, ev->patient);
        if (ev->body)
            ev->body = memcpy(ow_arena_alloc(&k->arena, ev->body_len), ev->body,
                              ev->body_len);
    }
}

static void on_deliveries(void *arg, enum ow_code code, const struct ow_delivery *d,
                          size_t n, ow_time next_due, const struct ow_err *err)
{
    struct storekit *k = arg;

    keep(k, code, err);
    k->n = n;
    k->next_due = next_due;
    k->deliveries = OW_NEW_N(&k->arena, struct ow_delivery, n);
    for (size_t i = 0; i < n; i++) {
        struct ow_delivery *to = &k->deliveries[i];

        *to = d[i];
        to->message.sink = ow_arena_strdup(&k->arena, d[i].message.sink);
        to->message.subject = ow_arena_strdup(&k->arena, d[i].message.subject);
        to->message.alert_key = ow_arena_strdup(&k->arena, d[i].message.alert_key);
        to->message.identity = ow_arena_strdup(&k->arena, d[i].message.identity);
        to->message.body = ow_arena_strndup(&k->arena, d[i].message.body,
                                            d[i].message.body_len);
        to->last_error = ow_arena_strdup(&k->arena, d[i].last_error);
    }
}

static void on_patient(void *arg, enum ow_code code, const struct ow_patient_state *state,
                       const struct ow_err *err)
{
    struct storekit *k = arg;
    struct ow_alert *a;

    keep(k, code, err);
    if (!state)
        return;
    k->patient = *state;
    k->patient.patient = ow_arena_strdup(&k->arena, state->patient);
    k->patient.med_text = ow_arena_strdup(&k->arena, state->med_text);
    k->patient.alerts = a = OW_NEW_N(&k->arena, struct ow_alert, state->n_alerts);
    for (size_t i = 0; i < state->n_alerts; i++) {
        a[i] = state->alerts[i];
        a[i].key = ow_arena_strdup(&k->arena, a[i].key);
        a[i].rule = ow_arena_strdup(&k->arena, a[i].rule);
        a[i].cause = ow_arena_strdup(&k->arena, a[i].cause);
        a[i].reason = ow_arena_strdup(&k->arena, a[i].reason);
    }
}

static void on_counts(void *arg, enum ow_code code, const struct ow_store_counts *c,
                      const struct ow_err *err)
{
    struct storekit *k = arg;

    keep(k, code, err);
    if (c)
        k->counts = *c;
}

/* --- calls --- */

/* Make a call, wait for its answer, return its code. */
#define ASK(k, ...)                                                                      \
    do {                                                                                 \
        (k)->called = false;                                                             \
        __VA_ARGS__;                                                                     \
        storekit_wait(k);                                                                \
        return (k)->code;                                                                \
    } while (0)

enum ow_code storekit_get(struct storekit *k, const char *key)
{
    ASK(k, ow_store_get(k->store, key, on_value, k));
}

enum ow_code storekit_put(struct storekit *k, const char *key, const char *value)
{
    ASK(k, ow_store_put(k->store, key, value, on_plain, k));
}

enum ow_code storekit_receive(struct storekit *k, const struct ow_event *ev)
{
    ASK(k, ow_store_receive(k->store, ev, on_receive, k));
}

enum ow_code storekit_waiting(struct storekit *k, int64_t after, size_t limit)
{
    ASK(k, ow_store_waiting(k->store, after, limit, on_events, k));
}

enum ow_code storekit_attempt(struct storekit *k, const int64_t *ids, size_t n)
{
    ASK(k, ow_store_attempt(k->store, ids, n, on_plain, k));
}

enum ow_code storekit_park(struct storekit *k, const int64_t *ids, size_t n)
{
    ASK(k,
        ow_store_park(k->store, ids, n, "met two crashes", 1772438401000, on_plain, k));
}

enum ow_code storekit_patient(struct storekit *k, const char *patient)
{
    ASK(k, ow_store_patient(k->store, patient, on_patient, k));
}

enum ow_code storekit_order(struct storekit *k, const char *source, const char *reference)
{
    ASK(k, ow_store_order_patient(k->store, source, reference, on_value, k));
}

enum ow_code storekit_verdict(struct storekit *k, const struct ow_record_of_verdict *rec)
{
    ASK(k, ow_store_verdict(k->store, rec, on_plain, k));
}

enum ow_code storekit_due(struct storekit *k, const char *sink, ow_time now, size_t limit,
                          const int64_t *in_flight, size_t n)
{
    ASK(k, ow_store_due(k->store, sink, now, limit, in_flight, n, on_deliveries, k));
}

enum ow_code storekit_list(struct storekit *k, enum ow_delivery_state state)
{
    ASK(k, ow_store_list(k->store, state, 0, 1000, on_deliveries, k));
}

enum ow_code storekit_outcome(struct storekit *k, int64_t id,
                              enum ow_delivery_state state, ow_time due,
                              const char *error)
{
    ASK(k, ow_store_delivery(k->store, id, state, due, false, error, 1772438402000,
                             on_plain, k));
}

enum ow_code storekit_distrust(struct storekit *k)
{
    ASK(k, ow_store_distrust(k->store, on_plain, k));
}

enum ow_code storekit_retry(struct storekit *k, int64_t id, ow_time due)
{
    ASK(k, ow_store_retry(k->store, id, due, on_plain, k));
}

static void on_joined(void *arg, enum ow_code code,
                      const struct ow_feedback_joined *joined, size_t n,
                      const struct ow_err *err)
{
    struct storekit *k = arg;
    struct ow_feedback_joined *copy = OW_NEW_N(&k->arena, struct ow_feedback_joined, n);

    for (size_t i = 0; i < n; i++)
        copy[i] = (struct ow_feedback_joined){
            joined[i].fresh,
            ow_arena_strdup(&k->arena, joined[i].patient),
            ow_arena_strdup(&k->arena, joined[i].rule),
        };
    k->joined = copy;
    k->n = n;
    on_plain(k, code, err);
}

enum ow_code storekit_feedback(struct storekit *k, const struct ow_feedback *f, size_t n)
{
    ASK(k, ow_store_feedback(k->store, f, n, on_joined, k));
}

enum ow_code storekit_tell(struct storekit *k, const struct ow_telling *t)
{
    ASK(k, ow_store_tell(k->store, t, on_plain, k));
}

static void on_told(void *arg, enum ow_code code, const struct ow_told_row *rows,
                    size_t n, const struct ow_err *err)
{
    struct storekit *k = arg;
    struct ow_told_row *copy = OW_NEW_N(&k->arena, struct ow_told_row, n);

    for (size_t i = 0; i < n; i++) {
        copy[i] = rows[i];
        copy[i].rule = ow_arena_strdup(&k->arena, rows[i].rule);
        copy[i].cause = ow_arena_strdup(&k->arena, rows[i].cause);
        copy[i].card = ow_arena_strdup(&k->arena, rows[i].card);
        copy[i].med = ow_arena_strdup(&k->arena, rows[i].med);
        copy[i].prescriber = ow_arena_strdup(&k->arena, rows[i].prescriber);
        copy[i].encounter = ow_arena_strdup(&k->arena, rows[i].encounter);
        copy[i].instance = ow_arena_strdup(&k->arena, rows[i].instance);
        copy[i].prescribers = ow_arena_strdup(&k->arena, rows[i].prescribers);
        copy[i].classes = ow_arena_strdup(&k->arena, rows[i].classes);
        copy[i].outcome = ow_arena_strdup(&k->arena, rows[i].outcome);
        copy[i].reason_code = ow_arena_strdup(&k->arena, rows[i].reason_code);
    }
    k->told = copy;
    k->n = n;
    on_plain(k, code, err);
}

enum ow_code storekit_told(struct storekit *k, const char *patient)
{
    ASK(k, ow_store_told(k->store, patient, on_told, k));
}

enum ow_code storekit_count(struct storekit *k)
{
    ASK(k, ow_store_count(k->store, on_counts, k));
}
