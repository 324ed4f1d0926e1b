/*
 * Store queue: calls go in on the loop, are worked off in batches, come back in order
 *
 * With a thread, the thread takes everything that waits, works it as one batch and hands
 * it back; calls that arrive meanwhile become the next batch (group commit). Without one
 * the same happens inside ow_store_queue_poll, so that both run the same code in the same
 * order. Knows nothing of databases.
 *
 * Calls made inside callbacks are given to the thread together, when the poll ends.
 */
#pragma once

#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"

struct ow_store_call;
struct ow_store_db;

/* What a kind of call does. One constant of these for each call of store.h. */
struct ow_store_op {
    const char *name;
    bool writes; /* needs a transaction */
    bool single; /* at most one statement that changes anything: atomic by itself */
    /* On the worker. May run twice when a batch is split; results are overwritten. */
    enum ow_code (*run)(struct ow_store_db *db, struct ow_store_call *call,
                        struct ow_err *err);
    void (*done)(struct ow_store_call *call); /* on the loop: the caller's callback */
};

/* First member of every call; copied arguments and results live in its arena. */
struct ow_store_call {
    struct ow_store_call *next;
    const struct ow_store_op *op;
    struct ow_arena arena;
    enum ow_code code;
    bool refused; /* never reaches the worker: keeps its place, carries its code */
    struct ow_err err;
};

struct ow_store_list {
    struct ow_store_call *first, **end;
    size_t n;
};

struct ow_store_queue_options {
    bool threaded;
    size_t max; /* calls waiting for the worker */
    void (*wake)(void *arg);
    void *wake_arg;
    /* Work off a batch: set code and err of each call that is not refused. */
    void (*work)(void *arg, struct ow_store_list *batch);
    /* After a batch went back. `idle`: nothing came for a while. True: call me when idle.
     */
    bool (*rest)(void *arg, bool idle);
    void *arg;
};

struct ow_store_queue {
    struct ow_store_queue_options opt;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool stopping, polling, started;
    struct ow_store_list waiting, back;
    size_t n_waiting; /* not refused */
};

void ow_store_list_init(struct ow_store_list *l);
void ow_store_list_add(struct ow_store_list *l, struct ow_store_call *call);

OW_MUST_USE enum ow_code ow_store_queue_init(struct ow_store_queue *q,
                                             const struct ow_store_queue_options *opt,
                                             struct ow_err *err);
/* Works off what waits, calls back, ends the thread. Calls made by those callbacks are
 * called back with OW_CANCELED. */
void ow_store_queue_done(struct ow_store_queue *q);

/* Owns `call` from here on; it came from ow_alloc_zero and is freed after its callback.
 */
void ow_store_queue_post(struct ow_store_queue *q, struct ow_store_call *call);
void ow_store_queue_poll(struct ow_store_queue *q);
