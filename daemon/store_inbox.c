/*
 * Inbox: events from arrival to judgement
 *
 * When is an event a repeat? To take a repeat for news costs one more judgement; to take
 * news for a repeat costs an alert. So, when in doubt, it is news:
 *  - With a version, the key decides: source, type, id, version and kind, for ever.
 *  - Without one, a change is a repeat only when the latest event of that resource has
 *    the same bytes: A, B, A are three events.
 *  - A deletion without a version, and a change without version and body, say nothing
 *    that tells two of them apart: they are repeats while the same one waits, and no
 *    judgement of it was begun (which may have read the server before this one).
 *  - The same holds for hints.
 */
#include <openssl/sha.h>
#include <string.h>

#include "base/text.h"
#include "daemon/store_calls.h"

enum { DIGEST_TEXT = 2 + 2 * SHA256_DIGEST_LENGTH + 1 }; /* h:... */

/* --- receive --- */

struct receive_call {
    struct ow_store_call call;
    struct ow_event ev;
    ow_store_receive_fn *fn;
    void *arg;
    int64_t id;
    bool duplicate, hashed;
    unsigned char digest[SHA256_DIGEST_LENGTH];
};

static enum ow_code find_hint(struct ow_store_db *db, struct receive_call *c,
                              struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_EVENT_HINT);

    ow_bind_text(&q, c->ev.source);
    ow_bind_text(&q, c->ev.type);
    ow_bind_text(&q, c->ev.rid);
    ow_bind_text(&q, c->ev.patient);
    if (ow_row(&q)) {
        c->id = ow_col_int(&q, 0);
        c->duplicate = true;
    }
    return ow_query_end(&q, err);
}

/* Columns: id, kind, no version, digest, waits untouched. */
static bool repeats(struct ow_query *q, const struct receive_call *c)
{
    bool same_kind = ow_col_int(q, 1) == (int64_t)c->ev.kind;
    bool unversioned = ow_col_int(q, 2) != 0;
    bool untouched = ow_col_int(q, 4) != 0;
    int n = sqlite3_column_bytes(q->st, 3);

    if (!same_kind || !unversioned)
        return false;
    if (c->ev.kind == OW_EVENT_DELETED)
        return untouched;
    if (!c->hashed)
        return untouched && n == 0;
    return n == SHA256_DIGEST_LENGTH &&
           memcmp(sqlite3_column_blob(q->st, 3), c->digest, (size_t)n) == 0;
}

static enum ow_code find_unversioned(struct ow_store_db *db, struct receive_call *c,
                                     struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_EVENT_LATEST);

    ow_bind_text(&q, c->ev.source);
    ow_bind_text(&q, c->ev.type);
    ow_bind_text(&q, c->ev.rid);
    if (ow_row(&q) && repeats(&q, c)) {
        c->id = ow_col_int(&q, 0);
        c->duplicate = true;
    }
    return ow_query_end(&q, err);
}

static enum ow_code find_same(struct ow_store_db *db, struct receive_call *c,
                              struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_EVENT_SAME);
    enum ow_code code;

    ow_bind_text(&q, c->ev.source);
    ow_bind_text(&q, c->ev.type);
    ow_bind_text(&q, c->ev.rid);
    ow_bind_text(&q, c->ev.version);
    ow_bind_int(&q, (int64_t)c->ev.kind);
    if (ow_row(&q)) {
        c->id = ow_col_int(&q, 0);
        c->duplicate = true;
    }
    code = ow_query_end(&q, err);
    if (code == OW_OK && !c->duplicate)
        return ow_err_set(err, OW_INPUT,
                          "the event was refused, and no other has its key");
    return code;
}

static enum ow_code add(struct ow_store_db *db, struct receive_call *c,
                        struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_EVENT_ADD);
    const struct ow_event *ev = &c->ev;
    enum ow_code code;

    ow_bind_text(&q, ev->source);
    ow_bind_int(&q, (int64_t)ev->kind);
    ow_bind_text(&q, ev->type);
    ow_bind_text(&q, ev->rid);
    ow_bind_text(&q, ev->version);
    ow_bind_blob(&q, c->hashed ? c->digest : NULL, sizeof c->digest);
    ow_bind_text(&q, ev->patient);
    ow_bind_int(&q, ev->received);
    ow_bind_blob(&q, ev->body, ev->body_len);
    ow_run(&q);
    code = ow_query_end(&q, err);
    if (code != OW_OK)
        return code;
    if (q.changed == 0)
        return find_same(db, c, err);
    c->id = sqlite3_last_insert_rowid(db->conn);
    db->now.waiting++;
    return OW_OK;
}

static enum ow_code receive_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    struct receive_call *c = (struct receive_call *)call;
    const struct ow_event *ev = &c->ev;
    enum ow_code code = OW_OK;

    c->id = 0;
    c->duplicate = false;
    if (!ev->source || (ev->kind != OW_EVENT_HINT && (!ev->type || !ev->rid)))
        return ow_err_set(err, OW_INPUT, "an event needs its source, type and id");
    if (ev->kind == OW_EVENT_HINT)
        code = find_hint(db, c, err);
    else if (!ev->version)
        code = find_unversioned(db, c, err);
    if (code != OW_OK || c->duplicate)
        return code;
    return add(db, c, err);
}

static void receive_done(struct ow_store_call *call)
{
    struct receive_call *c = (struct receive_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->id : 0, ok && c->duplicate, &call->err);
}

static const struct ow_store_op receive_op = { "receive", true, true, receive_run,
                                               receive_done };

void ow_store_receive(struct ow_store *s, const struct ow_event *ev,
                      ow_store_receive_fn *fn, void *arg)
{
    struct receive_call *c = OW_STORE_CALL(struct receive_call, &receive_op);
    struct ow_arena *arena = &c->call.arena;
    bool hint = ev->kind == OW_EVENT_HINT;

    c->fn = fn;
    c->arg = arg;
    c->ev = *ev;
    c->ev.source = ow_arena_strdup(arena, ev->source);
    c->ev.type = ow_arena_strdup(arena, ev->type);
    c->ev.rid = ow_arena_strdup(arena, ev->rid);
    c->ev.version = ev->version && *ev->version && !hint
                        ? ow_arena_strdup(arena, ev->version)
                        : NULL;
    c->ev.patient = ow_arena_strdup(arena, ev->patient);
    c->ev.body = ow_store_bytes(arena, ev->body, ev->body_len);
    c->hashed = !hint && !c->ev.version && ev->body && ev->body_len > 0;
    if (c->hashed)
        SHA256((const unsigned char *)ev->body, ev->body_len, c->digest);
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- waiting --- */

struct waiting_call {
    struct ow_store_call call;
    int64_t after;
    size_t limit;
    struct ow_event *events;
    size_t n, cap;
    ow_store_events_fn *fn;
    void *arg;
};

static const char *digest_text(struct ow_query *q, int column, struct ow_arena *arena)
{
    char text[DIGEST_TEXT] = "h:";

    if (sqlite3_column_bytes(q->st, column) != SHA256_DIGEST_LENGTH)
        return NULL;
    ow_hex(sqlite3_column_blob(q->st, column), SHA256_DIGEST_LENGTH, text + 2);
    return ow_arena_strdup(arena, text);
}

static void read_event(struct ow_query *q, struct ow_arena *arena, struct ow_event *ev)
{
    ev->id = ow_col_int(q, 0);
    ev->source = ow_col_text(q, 1, arena);
    ev->kind = (enum ow_event_kind)ow_col_int(q, 2);
    ev->type = ow_col_text(q, 3, arena);
    ev->rid = ow_col_text(q, 4, arena);
    ev->version = ow_col_text(q, 5, arena);
    if (!ev->version)
        ev->version = digest_text(q, 6, arena);
    ev->patient = ow_col_text(q, 7, arena);
    ev->received = ow_col_int(q, 8);
    ev->attempts = (unsigned)ow_col_int(q, 9);
    ev->body = ow_col_blob(q, 10, arena, &ev->body_len);
}

static int64_t row_limit(size_t limit)
{
    return limit < INT32_MAX ? (int64_t)limit : INT32_MAX;
}

static enum ow_code waiting_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    struct waiting_call *c = (struct waiting_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_EVENT_WAITING);

    c->n = 0;
    ow_bind_int(&q, c->after);
    ow_bind_int(&q, row_limit(c->limit));
    while (ow_row(&q)) {
        OW_ARENA_GROW(&call->arena, c->events, c->n, c->cap);
        read_event(&q, &call->arena, &c->events[c->n++]);
    }
    return ow_query_end(&q, err);
}

static void waiting_done(struct ow_store_call *call)
{
    struct waiting_call *c = (struct waiting_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->events : NULL, ok ? c->n : 0, &call->err);
}

static const struct ow_store_op waiting_op = { "waiting", false, false, waiting_run,
                                               waiting_done };

void ow_store_waiting(struct ow_store *s, int64_t after, size_t limit,
                      ow_store_events_fn *fn, void *arg)
{
    struct waiting_call *c = OW_STORE_CALL(struct waiting_call, &waiting_op);

    c->after = after;
    c->limit = limit;
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

/* --- attempt and park --- */

struct ids_call {
    struct ow_plain_call plain;
    int64_t *ids;
    size_t n;
    char *reason;
    ow_time at;
};

enum ow_code ow_store_event_state(struct ow_store_db *db, int64_t id,
                                  enum ow_event_state *ret, struct ow_err *err)
{
    struct ow_query q = ow_query(db, OW_SQL_EVENT_STATE);
    enum ow_code code;
    bool found;

    ow_bind_int(&q, id);
    found = ow_row(&q);
    if (found)
        *ret = (enum ow_event_state)ow_col_int(&q, 0);
    code = ow_query_end(&q, err);
    if (code == OW_OK && !found)
        return ow_err_set(err, OW_MISSING, "there is no event %lld", (long long)id);
    return code;
}

/* Judged ones stay as they are: whoever asks again has not heard that they are done. */
static enum ow_code attempt_run(struct ow_store_db *db, struct ow_store_call *call,
                                struct ow_err *err)
{
    struct ids_call *c = (struct ids_call *)call;

    for (size_t i = 0; i < c->n; i++) {
        enum ow_event_state state;
        enum ow_code code = ow_store_event_state(db, c->ids[i], &state, err);

        if (code == OW_OK && state == OW_EVENT_WAITING) {
            struct ow_query q = ow_query(db, OW_SQL_EVENT_ATTEMPT);

            ow_bind_int(&q, c->ids[i]);
            ow_run(&q);
            code = ow_query_end(&q, err);
        }
        if (code != OW_OK)
            return code;
    }
    return OW_OK;
}

static enum ow_code park_run(struct ow_store_db *db, struct ow_store_call *call,
                             struct ow_err *err)
{
    struct ids_call *c = (struct ids_call *)call;

    for (size_t i = 0; i < c->n; i++) {
        enum ow_event_state state;
        enum ow_code code = ow_store_event_state(db, c->ids[i], &state, err);

        if (code == OW_OK && state == OW_EVENT_WAITING) {
            struct ow_query q = ow_query(db, OW_SQL_EVENT_PARK);

            ow_bind_text(&q, c->reason);
            ow_bind_int(&q, c->at);
            ow_bind_int(&q, c->ids[i]);
            ow_run(&q);
            code = ow_query_end(&q, err);
            db->now.waiting--;
            db->now.parked++;
        }
        if (code != OW_OK)
            return code;
    }
    return OW_OK;
}

static const struct ow_store_op attempt_op = { "attempt", true, false, attempt_run,
                                               ow_store_plain_done };
static const struct ow_store_op park_op = { "park", true, false, park_run,
                                            ow_store_plain_done };

static struct ids_call *ids_call(const struct ow_store_op *op, const int64_t *ids,
                                 size_t n, ow_store_fn *fn, void *arg)
{
    struct ids_call *c = OW_STORE_CALL(struct ids_call, op);

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->ids = ow_store_ids(&c->plain.call.arena, ids, n);
    c->n = n;
    return c;
}

void ow_store_attempt(struct ow_store *s, const int64_t *ids, size_t n, ow_store_fn *fn,
                      void *arg)
{
    struct ids_call *c = ids_call(&attempt_op, ids, n, fn, arg);

    ow_store_queue_post(&s->queue, &c->plain.call);
}

void ow_store_park(struct ow_store *s, const int64_t *ids, size_t n, const char *reason,
                   ow_time at, ow_store_fn *fn, void *arg)
{
    struct ids_call *c = ids_call(&park_op, ids, n, fn, arg);

    c->reason = ow_arena_strdup(&c->plain.call.arena, reason);
    c->at = at;
    ow_store_queue_post(&s->queue, &c->plain.call);
}
