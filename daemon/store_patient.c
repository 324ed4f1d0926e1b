/*
 * Patients: what was alerted before, and verdicts
 *
 * A verdict is one transaction: its record, the events it answers, what is now known of
 * the patient, the alerts it opened or changed and the messages they cause. Making it
 * twice is making it once: events that are judged stay judged, alerts are replaced by
 * key, and a message whose identity and bytes equal the latest of that identity is the
 * one that is there.
 */
#include "daemon/store_calls.h"

enum { NO_VERDICT = -1 };

/* --- patient --- */

struct patient_call {
    struct ow_store_call call;
    char *patient;
    struct ow_patient_state state;
    struct ow_alert *alerts;
    size_t n, cap;
    ow_store_patient_fn *fn;
    void *arg;
};

static enum ow_code read_patient(struct ow_store_db *db, struct patient_call *c,
                                 struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_PATIENT_GET);

    c->state = (struct ow_patient_state){ .patient = c->patient };
    ow_bind_text(&q, c->patient);
    if (ow_row(&q)) {
        c->state.med_text = ow_col_text(&q, 0, &c->call.arena);
        c->state.judged = ow_col_int(&q, 1);
    }
    return ow_query_end(&q, err);
}

static void read_alert(struct ow_query *q, struct ow_arena *arena, struct ow_alert *a)
{
    a->key = ow_col_text(q, 0, arena);
    a->rule = ow_col_text(q, 1, arena);
    a->cause = ow_col_text(q, 2, arena);
    a->episode = ow_col_int(q, 3);
    a->tier = (int)ow_col_int(q, 4);
    a->revision = ow_col_int(q, 5);
    a->state = (enum ow_alert_state)ow_col_int(q, 6);
    a->opened = ow_col_int(q, 7);
    a->changed = ow_col_int(q, 8);
    a->reason = ow_col_text(q, 9, arena);
}

static enum ow_code patient_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    struct patient_call *c = (struct patient_call *)call;
    enum ow_code code = read_patient(db, c, err);
    struct ow_query q;

    if (code != OW_OK)
        return code;
    q = ow_query(db, OW_SQL_ALERTS_OF);
    ow_bind_text(&q, c->patient);
    c->n = 0;
    while (ow_row(&q)) {
        OW_ARENA_GROW(&call->arena, c->alerts, c->n, c->cap);
        read_alert(&q, &call->arena, &c->alerts[c->n++]);
    }
    c->state.alerts = c->alerts;
    c->state.n_alerts = c->n;
    return ow_query_end(&q, err);
}

static void patient_done(struct ow_store_call *call)
{
    struct patient_call *c = (struct patient_call *)call;

    c->fn(c->arg, call->code, call->code == OW_OK ? &c->state : NULL, &call->err);
}

static const struct ow_store_op patient_op = { "patient", false, false, patient_run,
                                               patient_done };

void ow_store_patient(struct ow_store *s, const char *patient, ow_store_patient_fn *fn,
                      void *arg)
{
    struct patient_call *c = OW_STORE_CALL(struct patient_call, &patient_op);

    c->patient = ow_arena_strdup(&c->call.arena, patient);
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- whose order --- */

struct order_call {
    struct ow_store_call call;
    char *source, *reference, *patient;
    ow_store_value_fn *fn;
    void *arg;
};

static enum ow_code order_run(struct ow_store_db *db, struct ow_store_call *call,
                              struct ow_err *err)
{
    struct order_call *c = (struct order_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_ORDER_GET);

    c->patient = NULL;
    ow_bind_text(&q, c->source);
    ow_bind_text(&q, c->reference);
    if (ow_row(&q))
        c->patient = ow_col_text(&q, 0, &call->arena);
    return ow_query_end(&q, err);
}

static void order_done(struct ow_store_call *call)
{
    struct order_call *c = (struct order_call *)call;

    c->fn(c->arg, call->code, call->code == OW_OK ? c->patient : NULL, &call->err);
}

static const struct ow_store_op order_op = { "order", false, false, order_run,
                                             order_done };

void ow_store_order_patient(struct ow_store *s, const char *source, const char *reference,
                            ow_store_value_fn *fn, void *arg)
{
    struct order_call *c = OW_STORE_CALL(struct order_call, &order_op);

    c->source = ow_arena_strdup(&c->call.arena, source);
    c->reference = ow_arena_strdup(&c->call.arena, reference);
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- verdict --- */

struct verdict_call {
    struct ow_plain_call plain;
    struct ow_record_of_verdict rec;
};

static enum ow_code put_record(struct ow_store_db *db,
                               const struct ow_record_of_verdict *rec, int64_t *ret,
                               struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_VERDICT_ADD);
    enum ow_code code;

    ow_bind_text(&q, rec->source);
    ow_bind_text(&q, rec->patient);
    ow_bind_int(&q, rec->at);
    ow_bind_text(&q, rec->med_text);
    ow_bind_blob(&q, rec->verdict_json, rec->verdict_len);
    ow_run(&q);
    code = ow_query_end(&q, err);
    *ret = sqlite3_last_insert_rowid(db->conn);
    return code;
}

/* The body has served: what it said is in the verdict, and it is patient data. */
static enum ow_code put_judged(struct ow_store_db *db, int64_t event, int64_t verdict,
                               struct ow_err *err)
{
    enum ow_event_state state;
    enum ow_code code = ow_store_event_state(db, event, &state, err);
    struct ow_query q;

    if (code != OW_OK || state == OW_EVENT_JUDGED)
        return code;
    q = ow_query(db, OW_SQL_EVENT_JUDGED);
    if (verdict == NO_VERDICT)
        ow_bind_text(&q, NULL);
    else
        ow_bind_int(&q, verdict);
    ow_bind_int(&q, event);
    ow_run(&q);
    *(state == OW_EVENT_WAITING ? &db->now.waiting : &db->now.parked) -= 1;
    db->now.judged++;
    return ow_query_end(&q, err);
}

static enum ow_code put_patient(struct ow_store_db *db,
                                const struct ow_record_of_verdict *rec,
                                struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_PATIENT_ADD);
    enum ow_code code;

    ow_bind_text(&q, rec->patient);
    ow_bind_text(&q, rec->source);
    ow_bind_text(&q, rec->med_text);
    ow_bind_int(&q, rec->at);
    ow_run(&q);
    code = ow_query_end(&q, err);
    if (code != OW_OK)
        return code;
    db->now.patients += q.changed;
    if (q.changed)
        return OW_OK;
    q = ow_query(db, OW_SQL_PATIENT_SET);
    ow_bind_text(&q, rec->source);
    ow_bind_text(&q, rec->med_text);
    ow_bind_int(&q, rec->at);
    ow_bind_text(&q, rec->patient);
    ow_run(&q);
    return ow_query_end(&q, err);
}

/* An order that another patient had at its last verdict: that one must be judged again,
 * and no server will say so. The event waits in the inbox from this same transaction. */
static enum ow_code put_moved(struct ow_store_db *db,
                              const struct ow_record_of_verdict *rec, const char *order,
                              int64_t verdict, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_ORDER_MOVED);
    enum ow_code code;

    ow_bind_int(&q, verdict);
    ow_bind_int(&q, rec->at);
    ow_bind_text(&q, rec->source);
    ow_bind_text(&q, order);
    ow_bind_text(&q, rec->patient);
    ow_run(&q);
    code = ow_query_end(&q, err);
    db->now.waiting += q.changed;
    return code;
}

static enum ow_code put_order(struct ow_store_db *db,
                              const struct ow_record_of_verdict *rec, const char *order,
                              int64_t verdict, struct ow_err *err)
{
    enum ow_code code = put_moved(db, rec, order, verdict, err);
    struct ow_query q;

    if (code != OW_OK)
        return code;
    q = ow_query(db, OW_SQL_ORDER_PUT);
    ow_bind_text(&q, rec->source);
    ow_bind_text(&q, order);
    ow_bind_text(&q, rec->patient);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static enum ow_code was_open(struct ow_store_db *db, const char *key, bool *ret,
                             struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_ALERT_STATE);

    ow_bind_text(&q, key);
    *ret = ow_row(&q) && ow_col_int(&q, 0) == OW_ALERT_OPEN;
    return ow_query_end(&q, err);
}

static enum ow_code put_alert(struct ow_store_db *db, const char *patient,
                              const struct ow_alert *a, struct ow_err *err)
{
    bool open;
    enum ow_code code = was_open(db, a->key, &open, err);
    struct ow_query q;

    if (code != OW_OK)
        return code;
    q = ow_query(db, OW_SQL_ALERT_PUT);
    ow_bind_text(&q, a->key);
    ow_bind_text(&q, patient);
    ow_bind_text(&q, a->rule);
    ow_bind_text(&q, a->cause);
    ow_bind_int(&q, a->episode);
    ow_bind_int(&q, a->tier);
    ow_bind_int(&q, a->revision);
    ow_bind_int(&q, (int64_t)a->state);
    ow_bind_int(&q, a->opened);
    ow_bind_int(&q, a->changed);
    ow_bind_text(&q, a->reason);
    ow_run(&q);
    db->now.open_alerts += (a->state == OW_ALERT_OPEN) - open;
    return ow_query_end(&q, err);
}

static enum ow_code put_parts(struct ow_store_db *db,
                              const struct ow_record_of_verdict *rec, int64_t verdict,
                              struct ow_err *err)
{
    enum ow_code code = OW_OK;

    for (size_t i = 0; i < rec->n_events && code == OW_OK; i++)
        code = put_judged(db, rec->events[i], verdict, err);
    for (size_t i = 0; i < rec->n_orders && code == OW_OK; i++)
        code = put_order(db, rec, rec->orders[i], verdict, err);
    for (size_t i = 0; i < rec->n_alerts && code == OW_OK; i++)
        code = put_alert(db, rec->patient, &rec->alerts[i], err);
    for (size_t i = 0; i < rec->n_messages && code == OW_OK; i++)
        code = ow_store_add_message(db, &rec->messages[i], rec->at, verdict, err);
    return code;
}

/* Events that concern no patient: answered, and nothing to record. */
static enum ow_code put_answered(struct ow_store_db *db,
                                 const struct ow_record_of_verdict *rec,
                                 struct ow_err *err)
{
    enum ow_code code = OW_OK;

    for (size_t i = 0; i < rec->n_events && code == OW_OK; i++)
        code = put_judged(db, rec->events[i], NO_VERDICT, err);
    return code;
}

static enum ow_code verdict_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    const struct ow_record_of_verdict *rec = &((struct verdict_call *)call)->rec;
    int64_t verdict = 0;
    enum ow_code code;

    if (!rec->patient)
        return put_answered(db, rec, err);
    code = put_record(db, rec, &verdict, err);
    if (code == OW_OK)
        code = put_patient(db, rec, err);
    if (code == OW_OK)
        code = put_parts(db, rec, verdict, err);
    return code;
}

static const struct ow_store_op verdict_op = { "verdict", true, false, verdict_run,
                                               ow_store_plain_done };

static const struct ow_alert *copy_alerts(struct ow_arena *arena,
                                          const struct ow_alert *from, size_t n)
{
    struct ow_alert *a = OW_NEW_N(arena, struct ow_alert, n);

    for (size_t i = 0; i < n; i++) {
        a[i] = from[i];
        a[i].key = ow_arena_strdup(arena, from[i].key);
        a[i].rule = ow_arena_strdup(arena, from[i].rule);
        a[i].cause = ow_arena_strdup(arena, from[i].cause);
        a[i].reason = ow_arena_strdup(arena, from[i].reason);
    }
    return a;
}

static const struct ow_message *copy_messages(struct ow_arena *arena,
                                              const struct ow_message *from, size_t n)
{
    struct ow_message *m = OW_NEW_N(arena, struct ow_message, n);

    for (size_t i = 0; i < n; i++) {
        m[i] = from[i];
        m[i].sink = ow_arena_strdup(arena, from[i].sink);
        m[i].subject = ow_arena_strdup(arena, from[i].subject);
        m[i].alert_key = ow_arena_strdup(arena, from[i].alert_key);
        m[i].identity = ow_arena_strdup(arena, from[i].identity);
        m[i].body = ow_store_bytes(arena, from[i].body, from[i].body_len);
    }
    return m;
}

static const char *const *copy_strings(struct ow_arena *arena, const char *const *from,
                                       size_t n)
{
    const char **copy = OW_NEW_N(arena, const char *, n);

    for (size_t i = 0; i < n; i++)
        copy[i] = ow_arena_strdup(arena, from[i]);
    return copy;
}

void ow_store_verdict(struct ow_store *s, const struct ow_record_of_verdict *rec,
                      ow_store_fn *fn, void *arg)
{
    struct verdict_call *c = OW_STORE_CALL(struct verdict_call, &verdict_op);
    struct ow_arena *arena = &c->plain.call.arena;

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->rec = *rec;
    c->rec.events = ow_store_ids(arena, rec->events, rec->n_events);
    c->rec.source = ow_arena_strdup(arena, rec->source);
    c->rec.patient = ow_arena_strdup(arena, rec->patient);
    c->rec.orders = copy_strings(arena, rec->orders, rec->n_orders);
    c->rec.verdict_json = ow_store_bytes(arena, rec->verdict_json, rec->verdict_len);
    c->rec.med_text = ow_arena_strdup(arena, rec->med_text);
    c->rec.alerts = copy_alerts(arena, rec->alerts, rec->n_alerts);
    c->rec.messages = copy_messages(arena, rec->messages, rec->n_messages);
    ow_store_queue_post(&s->queue, &c->plain.call);
}
