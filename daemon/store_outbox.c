/*
 * Outbox: deliveries that were intended together with the verdict that caused them
 *
 * Of each sink and subject only the oldest delivery that is still due may leave; it is
 * marked as the head. The mark moves on when a delivery is sent or given up, so a dead
 * letter does not hold up what came after it. A dead letter that is taken up again is the
 * oldest once more and becomes the head.
 */
#include "base/text.h"
#include "daemon/store_calls.h"

/* --- what a verdict adds --- */

static int64_t digest_of(const struct ow_message *m)
{
    static const uint8_t key[16] = "opiward delivery";
    uint64_t hash = ow_siphash(key, m->body, m->body_len);

    return (int64_t)(hash >> 1); /* a column has 63 bits without a sign */
}

/* Is the latest message of this identity the same? Then this one is there already. */
static enum ow_code has_twin(struct ow_store_db *db, const struct ow_message *m,
                             bool *ret, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_TWIN);

    ow_bind_text(&q, m->identity);
    ow_bind_text(&q, m->sink);
    *ret = ow_row(&q) && ow_col_int(&q, 0) == digest_of(m);
    return ow_query_end(&q, err);
}

enum ow_code ow_store_add_message(struct ow_store_db *db, const struct ow_message *m,
                                  ow_time at, int64_t verdict, struct ow_err *err)
{
    struct ow_query q;
    bool twin = false;
    enum ow_code code = m->identity ? has_twin(db, m, &twin, err) : OW_OK;

    if (code != OW_OK || twin)
        return code;
    q = ow_query(db, OW_SQL_DELIVERY_ADD);
    ow_bind_text(&q, m->sink);
    ow_bind_text(&q, m->subject);
    ow_bind_text(&q, m->alert_key);
    ow_bind_int(&q, m->priority);
    ow_bind_text(&q, m->identity);
    ow_bind_int(&q, digest_of(m));
    ow_bind_int(&q, at);
    ow_bind_int(&q, verdict);
    ow_bind_blob(&q, m->body, m->body_len);
    ow_run(&q);
    db->now.due++;
    return ow_query_end(&q, err);
}

/* --- due and list --- */

struct due_call {
    struct ow_store_call call;
    char *sink;
    ow_time now;
    size_t limit;
    int64_t *in_flight;
    size_t n_in_flight;
    enum ow_delivery_state state; /* list: which, and after which id */
    int64_t after;
    struct ow_delivery *deliveries;
    size_t n, cap;
    ow_time next_due;
    ow_store_deliveries_fn *fn;
    void *arg;
};

static void read_delivery(struct ow_query *q, struct ow_arena *arena,
                          struct ow_delivery *d)
{
    *d = (struct ow_delivery){
        .id = ow_col_int(q, 0),
        .message = {.sink = ow_col_text(q, 1, arena),
                    .subject = ow_col_text(q, 2, arena),
                    .alert_key = ow_col_text(q, 3, arena),
                    .priority = (int)ow_col_int(q, 4),
                    .identity = ow_col_text(q, 5, arena)},
        .state = (enum ow_delivery_state)ow_col_int(q, 6),
        .attempts = (unsigned)ow_col_int(q, 7),
        .created = ow_col_int(q, 8),
        .due = ow_col_int(q, 9),
        .unknown = ow_col_int(q, 10) != 0,
        .last_error = ow_col_text(q, 11, arena),
    };
    d->message.body = ow_col_blob(q, 12, arena, &d->message.body_len);
}

static bool in_flight(const struct due_call *c, int64_t id)
{
    for (size_t i = 0; i < c->n_in_flight; i++)
        if (c->in_flight[i] == id)
            return true;
    return false;
}

static bool chosen(const struct due_call *c, int64_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->deliveries[i].id == id)
            return true;
    return false;
}

static int64_t row_limit(size_t a, size_t b)
{
    return a < INT32_MAX && b < INT32_MAX - a ? (int64_t)(a + b) : INT32_MAX;
}

static enum ow_code read_ready(struct ow_store_db *db, struct due_call *c,
                               struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_READY);

    ow_bind_text(&q, c->sink);
    ow_bind_int(&q, c->now);
    ow_bind_int(&q, row_limit(c->limit, c->n_in_flight));
    c->n = 0;
    while (c->n < c->limit && ow_row(&q)) {
        if (in_flight(c, ow_col_int(&q, 0)))
            continue;
        OW_ARENA_GROW(&c->call.arena, c->deliveries, c->n, c->cap);
        read_delivery(&q, &c->call.arena, &c->deliveries[c->n++]);
    }
    return ow_query_end(&q, err);
}

/* When to ask again: the earliest head that is neither in flight nor given out now. */
static enum ow_code read_next(struct ow_store_db *db, struct due_call *c,
                              struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_NEXT);

    ow_bind_text(&q, c->sink);
    ow_bind_int(&q, row_limit(c->n + 1, c->n_in_flight));
    c->next_due = OW_TIME_MAX;
    while (c->next_due == OW_TIME_MAX && ow_row(&q)) {
        int64_t id = ow_col_int(&q, 0);

        if (!in_flight(c, id) && !chosen(c, id))
            c->next_due = ow_col_int(&q, 1);
    }
    return ow_query_end(&q, err);
}

static enum ow_code due_run(struct ow_store_db *db, struct ow_store_call *call,
                            struct ow_err *err)
{
    struct due_call *c = (struct due_call *)call;
    enum ow_code code = read_ready(db, c, err);

    return code == OW_OK ? read_next(db, c, err) : code;
}

static enum ow_code list_run(struct ow_store_db *db, struct ow_store_call *call,
                             struct ow_err *err)
{
    struct due_call *c = (struct due_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_LIST);

    ow_bind_int(&q, (int64_t)c->state);
    ow_bind_int(&q, c->after);
    ow_bind_int(&q, row_limit(c->limit, 0));
    c->n = 0;
    c->next_due = OW_TIME_MAX;
    while (ow_row(&q)) {
        OW_ARENA_GROW(&call->arena, c->deliveries, c->n, c->cap);
        read_delivery(&q, &call->arena, &c->deliveries[c->n++]);
    }
    return ow_query_end(&q, err);
}

static void due_done(struct ow_store_call *call)
{
    struct due_call *c = (struct due_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->deliveries : NULL, ok ? c->n : 0,
          ok ? c->next_due : OW_TIME_MAX, &call->err);
}

static const struct ow_store_op due_op = { "due", false, false, due_run, due_done };
static const struct ow_store_op list_op = { "list", false, false, list_run, due_done };

void ow_store_due(struct ow_store *s, const char *sink, ow_time now, size_t limit,
                  const int64_t * not, size_t n_not, ow_store_deliveries_fn *fn,
                  void *arg)
{
    struct due_call *c = OW_STORE_CALL(struct due_call, &due_op);

    c->sink = ow_arena_strdup(&c->call.arena, sink);
    c->now = now;
    c->limit = limit;
    c->in_flight = ow_store_ids(&c->call.arena, not, n_not);
    c->n_in_flight = n_not;
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

void ow_store_list(struct ow_store *s, enum ow_delivery_state state, int64_t after,
                   size_t limit, ow_store_deliveries_fn *fn, void *arg)
{
    struct due_call *c = OW_STORE_CALL(struct due_call, &list_op);

    c->state = state;
    c->after = after;
    c->limit = limit;
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- outcome --- */

struct outcome_call {
    struct ow_plain_call plain;
    int64_t id;
    enum ow_delivery_state state;
    ow_time due, at;
    bool unknown;
    char *error;
};

struct found {
    enum ow_delivery_state state;
    char *sink, *subject;
};

static enum ow_code find(struct ow_store_db *db, int64_t id, struct ow_arena *arena,
                         struct found *ret, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_STATE);
    enum ow_code code;
    bool row;

    ow_bind_int(&q, id);
    row = ow_row(&q);
    if (row) {
        ret->state = (enum ow_delivery_state)ow_col_int(&q, 0);
        ret->sink = ow_col_text(&q, 1, arena);
        ret->subject = ow_col_text(&q, 2, arena);
    }
    code = ow_query_end(&q, err);
    if (code == OW_OK && !row)
        return ow_err_set(err, OW_MISSING, "there is no delivery %lld", (long long)id);
    return code;
}

static enum ow_code put_again(struct ow_store_db *db, const struct outcome_call *c,
                              struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_AGAIN);

    ow_bind_int(&q, c->due);
    ow_bind_int(&q, c->unknown);
    ow_bind_text(&q, c->error);
    ow_bind_int(&q, c->id);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static enum ow_code put_end(struct ow_store_db *db, const struct outcome_call *c,
                            struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_END);

    ow_bind_int(&q, (int64_t)c->state);
    ow_bind_int(&q, c->unknown);
    ow_bind_text(&q, c->error);
    ow_bind_int(&q, c->at);
    ow_bind_int(&q, c->id);
    ow_run(&q);
    db->now.due--;
    *(c->state == OW_DELIVERY_SENT ? &db->now.sent : &db->now.dead) += 1;
    return ow_query_end(&q, err);
}

/* The oldest of the subject that is still due becomes the head; perhaps there is none. */
static enum ow_code put_head(struct ow_store_db *db, const struct found *f,
                             struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_HEAD);

    ow_bind_text(&q, f->sink);
    ow_bind_text(&q, f->subject);
    ow_run(&q);
    return ow_query_end(&q, err);
}

/* The same end told twice is one: the first answer may not have arrived. */
static enum ow_code outcome_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    struct outcome_call *c = (struct outcome_call *)call;
    struct found f = { 0 };
    enum ow_code code = find(db, c->id, &call->arena, &f, err);

    if (code != OW_OK)
        return code;
    if (f.state != OW_DELIVERY_DUE && f.state == c->state)
        return OW_OK;
    if (f.state != OW_DELIVERY_DUE)
        return ow_err_set(err, OW_MISSING, "delivery %lld has ended already",
                          (long long)c->id);
    if (c->state == OW_DELIVERY_DUE)
        return put_again(db, c, err);
    code = put_end(db, c, err);
    return code == OW_OK ? put_head(db, &f, err) : code;
}

static const struct ow_store_op outcome_op = { "delivery", true, false, outcome_run,
                                               ow_store_plain_done };

void ow_store_delivery(struct ow_store *s, int64_t id, enum ow_delivery_state state,
                       ow_time due, bool unknown, const char *error, ow_time at,
                       ow_store_fn *fn, void *arg)
{
    struct outcome_call *c = OW_STORE_CALL(struct outcome_call, &outcome_op);

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->id = id;
    c->state = state;
    c->due = due;
    c->at = at;
    c->unknown = unknown;
    c->error = ow_arena_strdup(&c->plain.call.arena, error);
    ow_store_queue_post(&s->queue, &c->plain.call);
}

/* --- distrust --- */

static enum ow_code distrust_run(struct ow_store_db *db, struct ow_store_call *call,
                                 struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_DISTRUST);

    (void)call;
    ow_run(&q);
    return ow_query_end(&q, err);
}

static const struct ow_store_op distrust_op = { "distrust", true, true, distrust_run,
                                                ow_store_plain_done };

void ow_store_distrust(struct ow_store *s, ow_store_fn *fn, void *arg)
{
    struct ow_plain_call *c = OW_STORE_CALL(struct ow_plain_call, &distrust_op);

    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- retry --- */

static enum ow_code behead(struct ow_store_db *db, const struct found *f,
                           struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_BEHEAD);

    ow_bind_text(&q, f->sink);
    ow_bind_text(&q, f->subject);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static enum ow_code revive(struct ow_store_db *db, const struct outcome_call *c,
                           struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_REVIVE);

    ow_bind_int(&q, c->due);
    ow_bind_int(&q, c->id);
    ow_run(&q);
    db->now.dead--;
    db->now.due++;
    return ow_query_end(&q, err);
}

static enum ow_code retry_run(struct ow_store_db *db, struct ow_store_call *call,
                              struct ow_err *err)
{
    struct outcome_call *c = (struct outcome_call *)call;
    struct found f = { 0 };
    enum ow_code code = find(db, c->id, &call->arena, &f, err);

    if (code == OW_OK && f.state != OW_DELIVERY_DEAD)
        code = ow_err_set(err, OW_MISSING, "delivery %lld is no dead letter",
                          (long long)c->id);
    if (code == OW_OK)
        code = revive(db, c, err);
    if (code == OW_OK)
        code = behead(db, &f, err);
    return code == OW_OK ? put_head(db, &f, err) : code;
}

static const struct ow_store_op retry_op = { "retry", true, false, retry_run,
                                             ow_store_plain_done };

void ow_store_retry(struct ow_store *s, int64_t id, ow_time due, ow_store_fn *fn,
                    void *arg)
{
    struct outcome_call *c = OW_STORE_CALL(struct outcome_call, &retry_op);

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->id = id;
    c->due = due;
    ow_store_queue_post(&s->queue, &c->plain.call);
}
