/*
 * Store calls: the inside of the store, shared by the files that implement store.h
 *
 * A call is a struct that begins with struct ow_store_call, holds copies of the arguments
 * and room for the results. Each has a `run` that works on the database and a `done` that
 * calls back.
 */
#pragma once

#include "daemon/store.h"
#include "daemon/store_db.h"
#include "daemon/store_queue.h"
#include "daemon/store_sql.h"

struct ow_store {
    struct ow_store_queue queue;
    struct ow_store_db db;
    int lock;
};

/* A call with no more to tell than its code. */
struct ow_plain_call {
    struct ow_store_call call;
    ow_store_fn *fn;
    void *arg;
};

void *ow_store_call_new(const struct ow_store_op *op, size_t size);
void ow_store_plain_done(struct ow_store_call *call);
int64_t *ow_store_ids(struct ow_arena *arena, const int64_t *ids, size_t n);
char *ow_store_bytes(struct ow_arena *arena, const void *data, size_t n);

/* Part of a verdict's transaction. */
enum ow_code ow_store_add_message(struct ow_store_db *db, const struct ow_message *m,
                                  ow_time at, int64_t verdict, struct ow_err *err);
/* OW_MISSING when there is none. */
enum ow_code ow_store_event_state(struct ow_store_db *db, int64_t id,
                                  enum ow_event_state *ret, struct ow_err *err);

#define OW_STORE_CALL(type, op) ((type *)ow_store_call_new((op), sizeof(type)))
