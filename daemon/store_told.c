/*
 * What was told, and what people answered to it
 *
 * Answers are kept by card, whatever they belong to: one may come before the row that
 * says what the card was about, and the next telling of the same card starts anew. They
 * meet when a patient's rows are read.
 */
#include "daemon/store_calls.h"

enum { OLD_AT_ONCE = 50, JOINED_MOST = 4000 };

/* --- feedback --- */

struct feedback_call {
    struct ow_store_call call;
    struct ow_feedback *f;
    struct ow_feedback_joined *joined;
    size_t n;
    ow_store_feedback_fn *fn;
    void *arg;
};

static enum ow_code put_feedback(struct ow_store_db *db, const struct ow_feedback *f,
                                 struct ow_feedback_joined *ret, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_FEEDBACK_ADD);

    ow_bind_text(&q, f->card);
    ow_bind_text(&q, f->outcome);
    ow_bind_int(&q, f->at);
    ow_bind_text(&q, f->reason_code);
    ow_bind_text(&q, f->reason_system);
    ow_bind_text(&q, f->suggestions);
    ow_bind_int(&q, f->received);
    ow_run(&q);
    db->now.feedback += q.changed;
    ret->fresh = q.changed > 0;
    return ow_query_end(&q, err);
}

static enum ow_code join_card(struct ow_store_db *db, const char *card,
                              struct ow_arena *arena, struct ow_feedback_joined *ret,
                              struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_FEEDBACK_CARD);

    ow_bind_text(&q, card);
    if (ow_row(&q)) {
        ret->patient = ow_col_text(&q, 0, arena);
        ret->rule = ow_col_text(&q, 1, arena);
    }
    return ow_query_end(&q, err);
}

static enum ow_code feedback_run(struct ow_store_db *db, struct ow_store_call *call,
                                 struct ow_err *err)
{
    struct feedback_call *c = (struct feedback_call *)call;

    for (size_t i = 0; i < c->n; i++) {
        enum ow_code code;

        c->joined[i] = (struct ow_feedback_joined){ .fresh = true };
        if (!c->f[i].card)
            continue;
        code = put_feedback(db, &c->f[i], &c->joined[i], err);
        if (code == OW_OK)
            code = join_card(db, c->f[i].card, &call->arena, &c->joined[i], err);
        if (code != OW_OK)
            return code;
    }
    return OW_OK;
}

static void feedback_done(struct ow_store_call *call)
{
    struct feedback_call *c = (struct feedback_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->joined : NULL, ok ? c->n : 0, &call->err);
}

static const struct ow_store_op feedback_op = { "feedback", true, false, feedback_run,
                                                feedback_done };

void ow_store_feedback(struct ow_store *s, const struct ow_feedback *f, size_t n,
                       ow_store_feedback_fn *fn, void *arg)
{
    struct feedback_call *c = OW_STORE_CALL(struct feedback_call, &feedback_op);
    struct ow_arena *arena = &c->call.arena;

    c->fn = fn;
    c->arg = arg;
    c->f = OW_NEW_N(arena, struct ow_feedback, n);
    c->joined = OW_NEW_N(arena, struct ow_feedback_joined, n);
    c->n = n;
    for (size_t i = 0; i < n; i++) {
        c->f[i] = f[i];
        c->f[i].card = ow_arena_strdup(arena, f[i].card);
        c->f[i].outcome = ow_arena_strdup(arena, f[i].outcome);
        c->f[i].reason_code = ow_arena_strdup(arena, f[i].reason_code);
        c->f[i].reason_system = ow_arena_strdup(arena, f[i].reason_system);
        c->f[i].suggestions = ow_arena_strdup(arena, f[i].suggestions);
    }
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- tell --- */

struct tell_call {
    struct ow_plain_call plain;
    struct ow_telling t;
};

static enum ow_code put_verdict(struct ow_store_db *db, const struct ow_telling *t,
                                int64_t *ret, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_VERDICT_ADD);
    enum ow_code code;

    ow_bind_text(&q, t->source);
    ow_bind_text(&q, t->patient);
    ow_bind_int(&q, t->at);
    ow_bind_text(&q, t->med_text);
    ow_bind_blob(&q, t->verdict_json, t->verdict_len);
    ow_run(&q);
    code = ow_query_end(&q, err);
    *ret = sqlite3_last_insert_rowid(db->conn);
    return code;
}

static enum ow_code put_line(struct ow_store_db *db, const struct ow_telling *t,
                             const struct ow_telling_line *l, int64_t verdict,
                             struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_TOLD_ADD);

    ow_bind_text(&q, t->patient);
    ow_bind_int(&q, t->at);
    ow_bind_text(&q, l->rule);
    ow_bind_text(&q, l->cause);
    ow_bind_int(&q, l->tier);
    ow_bind_int(&q, l->lead);
    ow_bind_text(&q, l->card);
    ow_bind_text(&q, t->med);
    ow_bind_text(&q, t->prescriber);
    ow_bind_text(&q, t->encounter);
    ow_bind_text(&q, t->prescribers);
    ow_bind_text(&q, t->classes);
    ow_bind_int(&q, t->hook);
    ow_bind_text(&q, t->instance);
    ow_bind_int(&q, verdict);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static enum ow_code trim(struct ow_store_db *db, const struct ow_telling *t,
                         struct ow_err *err)
{
    static const enum ow_sql of_patient[] = { OW_SQL_TOLD_TRIM_VERDICTS,
                                              OW_SQL_TOLD_TRIM };
    static const enum ow_sql old[] = { OW_SQL_TOLD_OLD_VERDICTS, OW_SQL_TOLD_OLD };
    enum ow_code code = OW_OK;

    for (size_t i = 0; i < OW_LEN(of_patient) && code == OW_OK; i++) {
        struct ow_query q = ow_query(db, of_patient[i]);

        ow_bind_text(&q, t->patient);
        ow_bind_int(&q, OW_TOLD_MOST);
        ow_run(&q);
        code = ow_query_end(&q, err);
    }
    for (size_t i = 0; i < OW_LEN(old) && code == OW_OK; i++) {
        struct ow_query q = ow_query(db, old[i]);

        ow_bind_int(&q, ow_time_add(t->at, -OW_TOLD_DAYS * OW_DAY));
        ow_bind_int(&q, OLD_AT_ONCE);
        ow_run(&q);
        code = ow_query_end(&q, err);
    }
    return code;
}

static enum ow_code tell_run(struct ow_store_db *db, struct ow_store_call *call,
                             struct ow_err *err)
{
    const struct ow_telling *t = &((struct tell_call *)call)->t;
    int64_t verdict = 0;
    enum ow_code code = put_verdict(db, t, &verdict, err);

    for (size_t i = 0; i < t->n_lines && code == OW_OK; i++)
        code = put_line(db, t, &t->lines[i], verdict, err);
    return code == OW_OK ? trim(db, t, err) : code;
}

static const struct ow_store_op tell_op = { "tell", true, false, tell_run,
                                            ow_store_plain_done };

static const struct ow_telling_line *
copy_lines(struct ow_arena *arena, const struct ow_telling_line *from, size_t n)
{
    struct ow_telling_line *l = OW_NEW_N(arena, struct ow_telling_line, n);

    for (size_t i = 0; i < n; i++) {
        l[i] = from[i];
        l[i].rule = ow_arena_strdup(arena, from[i].rule);
        l[i].cause = ow_arena_strdup(arena, from[i].cause);
        l[i].card = ow_arena_strdup(arena, from[i].card);
    }
    return l;
}

void ow_store_tell(struct ow_store *s, const struct ow_telling *t, ow_store_fn *fn,
                   void *arg)
{
    struct tell_call *c = OW_STORE_CALL(struct tell_call, &tell_op);
    struct ow_arena *arena = &c->plain.call.arena;

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->t = *t;
    c->t.source = ow_arena_strdup(arena, t->source);
    c->t.patient = ow_arena_strdup(arena, t->patient);
    c->t.prescriber = ow_arena_strdup(arena, t->prescriber);
    c->t.encounter = ow_arena_strdup(arena, t->encounter);
    c->t.instance = ow_arena_strdup(arena, t->instance);
    c->t.prescribers = ow_arena_strdup(arena, t->prescribers);
    c->t.classes = ow_arena_strdup(arena, t->classes);
    c->t.med = ow_arena_strdup(arena, t->med);
    c->t.med_text = ow_arena_strdup(arena, t->med_text);
    c->t.verdict_json = ow_store_bytes(arena, t->verdict_json, t->verdict_len);
    c->t.lines = copy_lines(arena, t->lines, t->n_lines);
    ow_store_queue_post(&s->queue, &c->plain.call);
}

/* --- told --- */

struct told_call {
    struct ow_store_call call;
    char *patient;
    struct ow_told_row *rows;
    size_t n, cap;
    ow_store_told_fn *fn;
    void *arg;
};

static void read_row(struct ow_query *q, struct ow_arena *arena, struct ow_told_row *r)
{
    *r = (struct ow_told_row){
        .rule = ow_col_text(q, 1, arena),
        .cause = ow_col_text(q, 2, arena),
        .tier = (int)ow_col_int(q, 3),
        .at = ow_col_int(q, 4),
        .med = ow_col_text(q, 5, arena),
        .prescriber = ow_col_text(q, 6, arena),
        .encounter = ow_col_text(q, 7, arena),
        .prescribers = ow_col_text(q, 8, arena),
        .classes = ow_col_text(q, 9, arena),
        .hook = (int)ow_col_int(q, 10),
        .instance = ow_col_text(q, 11, arena),
        .card = ow_col_text(q, 12, arena),
        .outcome = ow_col_text(q, 13, arena),
        .reason_code = ow_col_text(q, 14, arena),
        .answered = ow_col_int(q, 15),
    };
}

static enum ow_code told_run(struct ow_store_db *db, struct ow_store_call *call,
                             struct ow_err *err)
{
    struct told_call *c = (struct told_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_TOLD_OF);
    int64_t last = -1;

    c->n = 0;
    ow_bind_text(&q, c->patient);
    ow_bind_int(&q, JOINED_MOST);
    while (ow_row(&q)) {
        int64_t id = ow_col_int(&q, 0);

        if (id == last)
            continue; /* an earlier answer to the same card */
        last = id;
        OW_ARENA_GROW(&call->arena, c->rows, c->n, c->cap);
        read_row(&q, &call->arena, &c->rows[c->n++]);
    }
    return ow_query_end(&q, err);
}

static void told_done(struct ow_store_call *call)
{
    struct told_call *c = (struct told_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->rows : NULL, ok ? c->n : 0, &call->err);
}

static const struct ow_store_op told_op = { "told", false, false, told_run, told_done };

void ow_store_told(struct ow_store *s, const char *patient, ow_store_told_fn *fn,
                   void *arg)
{
    struct told_call *c = OW_STORE_CALL(struct told_call, &told_op);

    c->patient = ow_arena_strdup(&c->call.arena, patient);
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- who was told of --- */

struct patients_call {
    struct ow_store_call call;
    char *after;
    const char **patients;
    size_t n;
    ow_store_told_patients_fn *fn;
    void *arg;
};

static enum ow_code patients_run(struct ow_store_db *db, struct ow_store_call *call,
                                 struct ow_err *err)
{
    struct patients_call *c = (struct patients_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_TOLD_PATIENTS);

    c->n = 0;
    c->patients = OW_NEW_N(&call->arena, const char *, OW_TOLD_PATIENTS_PAGE);
    ow_bind_text(&q, c->after);
    ow_bind_int(&q, OW_TOLD_PATIENTS_PAGE);
    while (ow_row(&q))
        c->patients[c->n++] = ow_col_text(&q, 0, &call->arena);
    return ow_query_end(&q, err);
}

static void patients_done(struct ow_store_call *call)
{
    struct patients_call *c = (struct patients_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->patients : NULL, ok ? c->n : 0, &call->err);
}

static const struct ow_store_op patients_op = { "told-patients", false, false,
                                                patients_run, patients_done };

void ow_store_told_patients(struct ow_store *s, const char *after,
                            ow_store_told_patients_fn *fn, void *arg)
{
    struct patients_call *c = OW_STORE_CALL(struct patients_call, &patients_op);

    c->after = ow_arena_strdup(&c->call.arena, after);
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}
