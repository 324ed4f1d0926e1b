#include <stdlib.h>
#include <sys/random.h>

#include "daemon/clock.h"
#include "daemon/world.h"

struct world_uv {
    struct ow_world world; /* first */
    uv_loop_t *loop;
    struct ow_client *client;
    uv_idle_t anchor; /* only to have a close callback when there is no timer */
    unsigned timers;  /* started and neither run nor stopped */
    unsigned handles; /* on the loop */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct ow_timer {
    uv_timer_t timer;
    struct world_uv *world;
    ow_timer_fn *fn;
    void *arg;
};

static ow_time uv_now_utc(struct ow_world *w)
{
    (void)w;
    return ow_clock_utc();
}

static int64_t uv_now_mono(struct ow_world *w)
{
    return (int64_t)uv_now(((struct world_uv *)w)->loop);
}

static uint64_t uv_random64(struct ow_world *w)
{
    uint64_t ret;

    (void)w;
    ow_assert(getrandom(&ret, sizeof ret, 0) == (ssize_t)sizeof ret);
    return ret;
}

static void handle_gone(struct world_uv *w)
{
    void (*closed)(void *arg) = w->closed;
    void *arg = w->closed_arg;

    if (--w->handles > 0)
        return;
    free(w);
    if (closed)
        closed(arg);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct ow_timer *t = h->data;
    struct world_uv *w = t->world;

    free(t);
    handle_gone(w);
}

static void timer_end(struct ow_timer *t)
{
    ow_assert(!uv_is_closing((uv_handle_t *)&t->timer));
    t->world->timers--;
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

static void on_timer(uv_timer_t *h)
{
    struct ow_timer *t = h->data;
    ow_timer_fn *fn = t->fn;
    void *arg = t->arg;

    timer_end(t); /* before `fn`, which may start the next or close the world */
    fn(arg);
}

static struct ow_timer *uv_timer_begin(struct ow_world *world, int64_t after_ms,
                                       ow_timer_fn *fn, void *arg)
{
    struct world_uv *w = (struct world_uv *)world;
    struct ow_timer *t = ow_alloc_zero(sizeof *t);

    ow_assert(!w->closed);
    ow_assert(uv_timer_init(w->loop, &t->timer) == 0);
    t->timer.data = t;
    t->world = w;
    t->fn = fn;
    t->arg = arg;
    w->timers++;
    w->handles++;
    uv_timer_start(&t->timer, on_timer, after_ms > 0 ? (uint64_t)after_ms : 0, 0);
    return t;
}

static void uv_timer_end(struct ow_world *world, struct ow_timer *t)
{
    (void)world;
    timer_end(t);
}

static struct ow_call *uv_send(struct ow_world *w, const struct ow_request *req,
                               int64_t timeout_ms, ow_reply_fn *fn, void *arg)
{
    return ow_client_send(((struct world_uv *)w)->client, req, timeout_ms, fn, arg);
}

static void uv_send_cancel(struct ow_world *w, struct ow_call *call)
{
    ow_client_cancel(((struct world_uv *)w)->client, call);
}

static const struct ow_world_ops uv_ops = {
    .now_utc = uv_now_utc,
    .now_mono = uv_now_mono,
    .random = uv_random64,
    .timer_start = uv_timer_begin,
    .timer_stop = uv_timer_end,
    .send = uv_send,
    .send_cancel = uv_send_cancel,
};

struct ow_world *ow_world_uv_new(uv_loop_t *loop, struct ow_client *client)
{
    struct world_uv *w = ow_alloc_zero(sizeof *w);

    w->world.ops = &uv_ops;
    w->loop = loop;
    w->client = client;
    ow_assert(uv_idle_init(loop, &w->anchor) == 0);
    w->anchor.data = w;
    w->handles = 1;
    return &w->world;
}

static void on_anchor_closed(uv_handle_t *h)
{
    handle_gone(h->data);
}

void ow_world_uv_close(struct ow_world *world, void (*closed)(void *arg), void *arg)
{
    struct world_uv *w = (struct world_uv *)world;

    ow_assert(w->timers == 0);
    w->closed = closed;
    w->closed_arg = arg;
    uv_close((uv_handle_t *)&w->anchor, on_anchor_closed);
}
