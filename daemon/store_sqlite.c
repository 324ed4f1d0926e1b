/*
 * The store on SQLite: opening and closing, and the calls that belong to no other file
 *
 *     store_queue   calls, batches, the thread       store_inbox    events
 *     store_db      connection, commit, failures     store_patient  alerts and verdicts
 *     store_sql     statements                       store_outbox   deliveries
 *     store_schema  tables and migrations            store_lock     one daemon a
 * directory
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store_calls.h"
#include "daemon/store_lock.h"
#include "daemon/store_schema.h"

enum { QUEUE_MAX = 4096 };

void *ow_store_call_new(const struct ow_store_op *op, size_t size)
{
    struct ow_store_call *call = ow_alloc_zero(size);

    call->op = op;
    ow_arena_init(&call->arena, SIZE_MAX);
    return call;
}

void ow_store_plain_done(struct ow_store_call *call)
{
    struct ow_plain_call *p = (struct ow_plain_call *)call;

    if (p->fn)
        p->fn(p->arg, call->code, &call->err);
}

char *ow_store_bytes(struct ow_arena *arena, const void *data, size_t n)
{
    char *copy = data ? ow_arena_alloc(arena, n + 1) : NULL; /* may hold NULs inside */

    if (copy && n)
        memcpy(copy, data, n);
    return copy;
}

int64_t *ow_store_ids(struct ow_arena *arena, const int64_t *ids, size_t n)
{
    int64_t *copy = OW_NEW_N(arena, int64_t, n);

    if (n)
        memcpy(copy, ids, n * sizeof *ids);
    return copy;
}

/* --- opening and closing --- */

static void work(void *arg, struct ow_store_list *batch)
{
    struct ow_store *s = arg;

    ow_store_db_work(&s->db, batch);
}

static bool rest(void *arg, bool idle)
{
    struct ow_store *s = arg;

    return ow_store_db_rest(&s->db, idle);
}

static enum ow_open_result
open_parts(struct ow_store *s, const struct ow_store_options *opt, struct ow_err *err)
{
    struct ow_store_queue_options queue = {
        .threaded = opt->threaded,
        .max = opt->queue_max ? opt->queue_max : QUEUE_MAX,
        .wake = opt->wake,
        .wake_arg = opt->wake_arg,
        .work = work,
        .rest = rest,
        .arg = s,
    };
    enum ow_open_result result;

    result = ow_store_db_init(&s->db, opt->directory, opt->vfs, err);
    if (result != OW_STORE_OPENED)
        return result;
    s->db.timed = opt->threaded;
    if (ow_store_queue_init(&s->queue, &queue, err) == OW_OK)
        return OW_STORE_OPENED;
    return OW_STORE_FAILED;
}

enum ow_open_result ow_store_open(const struct ow_store_options *opt,
                                  struct ow_store **ret, struct ow_err *err)
{
    struct ow_store *s;
    enum ow_open_result result;
    enum ow_code code;
    int lock = -1;

    code = ow_store_lock(opt->directory, &lock, err);
    if (code != OW_OK)
        return code == OW_AGAIN ? OW_STORE_BUSY : OW_STORE_FAILED;
    s = ow_alloc_zero(sizeof *s);
    s->lock = lock;
    result = open_parts(s, opt, err);
    if (result == OW_STORE_OPENED) {
        *ret = s;
        return result;
    }
    ow_store_db_done(&s->db);
    close(s->lock);
    free(s);
    return result;
}

void ow_store_close(struct ow_store *s)
{
    if (!s)
        return;
    ow_store_queue_done(&s->queue);
    ow_store_db_done(&s->db);
    close(s->lock);
    free(s);
}

void ow_store_poll(struct ow_store *s)
{
    ow_store_queue_poll(&s->queue);
}

unsigned ow_store_schema(void)
{
    return ow_store_n_steps;
}

/* --- settings --- */

struct get_call {
    struct ow_store_call call;
    char *key, *value;
    ow_store_value_fn *fn;
    void *arg;
};

static enum ow_code get_run(struct ow_store_db *db, struct ow_store_call *call,
                            struct ow_err *err)
{
    struct get_call *c = (struct get_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_SETTING_GET);

    c->value = NULL;
    ow_bind_text(&q, c->key);
    if (ow_row(&q))
        c->value = ow_col_text(&q, 0, &call->arena);
    return ow_query_end(&q, err);
}

static void get_done(struct ow_store_call *call)
{
    struct get_call *c = (struct get_call *)call;

    c->fn(c->arg, call->code, call->code == OW_OK ? c->value : NULL, &call->err);
}

static const struct ow_store_op get_op = { "get", false, false, get_run, get_done };

void ow_store_get(struct ow_store *s, const char *key, ow_store_value_fn *fn, void *arg)
{
    struct get_call *c = OW_STORE_CALL(struct get_call, &get_op);

    c->key = ow_arena_strdup(&c->call.arena, key);
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}

struct put_call {
    struct ow_plain_call plain;
    char *key, *value;
};

static enum ow_code put_run(struct ow_store_db *db, struct ow_store_call *call,
                            struct ow_err *err)
{
    struct put_call *c = (struct put_call *)call;
    struct ow_query q = ow_query(db, c->value ? OW_SQL_SETTING_PUT : OW_SQL_SETTING_DROP);

    ow_bind_text(&q, c->key);
    if (c->value)
        ow_bind_text(&q, c->value);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static const struct ow_store_op put_op = { "put", true, true, put_run,
                                           ow_store_plain_done };

void ow_store_put(struct ow_store *s, const char *key, const char *value, ow_store_fn *fn,
                  void *arg)
{
    struct put_call *c = OW_STORE_CALL(struct put_call, &put_op);

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->key = ow_arena_strdup(&c->plain.call.arena, key);
    c->value = ow_arena_strdup(&c->plain.call.arena, value);
    ow_store_queue_post(&s->queue, &c->plain.call);
}

/* --- figures --- */

struct count_call {
    struct ow_store_call call;
    struct ow_store_counts counts;
    ow_store_counts_fn *fn;
    void *arg;
};

static enum ow_code count_run(struct ow_store_db *db, struct ow_store_call *call,
                              struct ow_err *err)
{
    struct count_call *c = (struct count_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_DELIVERY_OLDEST);
    const struct ow_store_tally *t = &db->now;

    c->counts = (struct ow_store_counts){
        .waiting = t->waiting,
        .parked = t->parked,
        .judged = t->judged,
        .due = t->due,
        .dead = t->dead,
        .sent = t->sent,
        .open_alerts = t->open_alerts,
        .patients = t->patients,
        .feedback = t->feedback,
        .commits = db->commits,
        .batched = db->batched,
        .last_sync_us = db->last_sync_us,
    };
    if (ow_row(&q))
        c->counts.oldest_due = ow_col_int(&q, 0);
    return ow_query_end(&q, err);
}

static void count_done(struct ow_store_call *call)
{
    struct count_call *c = (struct count_call *)call;

    c->fn(c->arg, call->code, call->code == OW_OK ? &c->counts : NULL, &call->err);
}

static const struct ow_store_op count_op = { "count", false, false, count_run,
                                             count_done };

void ow_store_count(struct ow_store *s, ow_store_counts_fn *fn, void *arg)
{
    struct count_call *c = OW_STORE_CALL(struct count_call, &count_op);

    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}
