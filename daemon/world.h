/*
 * World: the only way to clock, chance and network
 *
 * The daemon's core (intake, job, outbox, feed) sees the outside through these calls and
 * through store.h. The real world is libuv and libcurl (world_uv.c); the tests' world is
 * a queue of events with a virtual clock, in which a day passes in milliseconds, any call
 * can be made to fail, and the same seed gives the same bytes.
 */
#pragma once

#include "base/time.h"
#include "daemon/client.h"

struct ow_world;
struct ow_timer;

typedef void ow_timer_fn(void *arg);

struct ow_world_ops {
    ow_time (*now_utc)(struct ow_world *w);  /* wall clock, for protocol fields only */
    int64_t (*now_mono)(struct ow_world *w); /* ms, never goes back: for waiting */
    uint64_t (*random)(struct ow_world *w);
    /* One shot; `fn` runs on the loop, never inside the call. Stopping after it ran is a
     * bug. */
    struct ow_timer *(*timer_start)(struct ow_world *w, int64_t after_ms, ow_timer_fn *fn,
                                    void *arg);
    void (*timer_stop)(struct ow_world *w, struct ow_timer *t);
    struct ow_call *(*send)(struct ow_world *w, const struct ow_request *req,
                            int64_t timeout_ms, ow_reply_fn *fn, void *arg);
    void (*send_cancel)(struct ow_world *w, struct ow_call *call);
};

struct ow_world {
    const struct ow_world_ops *ops;
};

static inline ow_time ow_now_utc(struct ow_world *w)
{
    return w->ops->now_utc(w);
}

static inline int64_t ow_now_mono(struct ow_world *w)
{
    return w->ops->now_mono(w);
}

static inline uint64_t ow_random(struct ow_world *w)
{
    return w->ops->random(w);
}

/* The real one. `client` is borrowed. */
struct ow_world *ow_world_uv_new(uv_loop_t *loop, struct ow_client *client);
/* All timers must have been stopped. `closed` when nothing is left on the loop. */
void ow_world_uv_close(struct ow_world *w, void (*closed)(void *arg), void *arg);
