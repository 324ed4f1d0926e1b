/*
 * Two lists under one lock: `waiting` for the worker, `back` for the loop. The worker
 * holds the lock only to move whole lists, so a call that is being made never waits for a
 * disk. A call that is refused (queue full, closing) travels through both lists like any
 * other, because callbacks come in call order and never inside the call.
 */
#include "daemon/store_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/clock.h"

enum { IDLE_MS = 20 };

void ow_store_list_init(struct ow_store_list *l)
{
    l->first = NULL;
    l->end = &l->first;
    l->n = 0;
}

void ow_store_list_add(struct ow_store_list *l, struct ow_store_call *call)
{
    call->next = NULL;
    *l->end = call;
    l->end = &call->next;
    l->n++;
}

static void list_move(struct ow_store_list *to, struct ow_store_list *from)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->n += from->n;
    ow_store_list_init(from);
}

static void call_free(struct ow_store_call *call)
{
    ow_arena_done(&call->arena);
    free(call);
}

/* Move what waits into `batch`. The lock is held. */
static void take(struct ow_store_queue *q, struct ow_store_list *batch)
{
    ow_store_list_init(batch);
    list_move(batch, &q->waiting);
    q->n_waiting = 0;
}

static void hand_back(struct ow_store_queue *q, struct ow_store_list *batch)
{
    bool first;

    pthread_mutex_lock(&q->lock);
    first = !q->back.first;
    list_move(&q->back, batch);
    pthread_mutex_unlock(&q->lock);
    if (first && q->opt.wake)
        q->opt.wake(q->opt.wake_arg);
}

static struct timespec idle_deadline(void)
{
    int64_t us = ow_clock_mono_us() + IDLE_MS * 1000;

    return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

/* Wait for work. False: `restless`, and nothing came for a while. The lock is held. */
static bool wait_for_work(struct ow_store_queue *q, bool restless)
{
    struct timespec until = idle_deadline();

    while (!q->waiting.first && !q->stopping) {
        if (!restless)
            pthread_cond_wait(&q->changed, &q->lock);
        else if (pthread_cond_timedwait(&q->changed, &q->lock, &until) == ETIMEDOUT)
            return q->waiting.first || q->stopping;
    }
    return true;
}

static void *worker(void *arg)
{
    struct ow_store_queue *q = arg;
    bool restless = false;

    pthread_mutex_lock(&q->lock);
    for (;;) {
        struct ow_store_list batch;
        bool work = wait_for_work(q, restless);

        if (work && !q->waiting.first)
            break;
        take(q, &batch);
        pthread_mutex_unlock(&q->lock);
        if (batch.first) {
            q->opt.work(q->opt.arg, &batch);
            hand_back(q, &batch);
        }
        restless = q->opt.rest(q->opt.arg, !work) && work;
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

enum ow_code ow_store_queue_init(struct ow_store_queue *q,
                                 const struct ow_store_queue_options *opt,
                                 struct ow_err *err)
{
    pthread_condattr_t attr;
    int rc;

    *q = (struct ow_store_queue){ .opt = *opt };
    ow_store_list_init(&q->waiting);
    ow_store_list_init(&q->back);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (!opt->threaded)
        return OW_OK;
    rc = pthread_create(&q->thread, NULL, worker, q);
    if (rc != 0)
        return ow_err_set(err, OW_AGAIN, "the store's thread cannot start: %s",
                          strerror(rc));
    q->started = true;
    return OW_OK;
}

static void refuse(struct ow_store_call *call, enum ow_code code, const char *why)
{
    call->refused = true;
    call->code = ow_err_set(&call->err, code, "%s", why);
    ow_arena_done(&call->arena);
}

void ow_store_queue_post(struct ow_store_queue *q, struct ow_store_call *call)
{
    bool first;

    pthread_mutex_lock(&q->lock);
    if (q->stopping)
        refuse(call, OW_CANCELED, "the store is closing");
    else if (q->n_waiting >= q->opt.max)
        refuse(call, OW_AGAIN, "the store is busy: too many calls wait");
    else
        q->n_waiting++;
    first = !q->waiting.first;
    ow_store_list_add(&q->waiting, call);
    if (q->started && first && !q->polling)
        pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (!q->started && first && q->opt.wake)
        q->opt.wake(q->opt.wake_arg);
}

/* Without a thread: the same batch, here and now. */
static void work_inline(struct ow_store_queue *q)
{
    struct ow_store_list batch;

    take(q, &batch);
    if (!batch.first)
        return;
    q->opt.work(q->opt.arg, &batch);
    list_move(&q->back, &batch);
}

static void call_back(struct ow_store_list *done)
{
    struct ow_store_call *call, *next;

    for (call = done->first; call; call = next) {
        next = call->next;
        call->op->done(call);
        call_free(call);
    }
}

void ow_store_queue_poll(struct ow_store_queue *q)
{
    struct ow_store_list done;

    ow_assert(!q->polling);
    if (!q->started)
        work_inline(q);
    ow_store_list_init(&done);
    pthread_mutex_lock(&q->lock);
    list_move(&done, &q->back);
    q->polling = true;
    pthread_mutex_unlock(&q->lock);

    call_back(&done);

    pthread_mutex_lock(&q->lock);
    q->polling = false;
    if (q->started && q->waiting.first)
        pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (!q->started && done.first)
        q->opt.rest(q->opt.arg, !q->waiting.first);
}

void ow_store_queue_done(struct ow_store_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (q->started)
        pthread_join(q->thread, NULL);
    q->started = false; /* what comes now is worked off here */
    do
        ow_store_queue_poll(q);
    while (q->waiting.first || q->back.first);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
}
