/*
 * One heap of events. A timer and a call of the core are events with a way back: stopping
 * or cancelling takes the way back away and leaves the event to pass unseen, so the heap
 * never needs a search. A request that left goes on arriving even when its sender lost
 * interest or died; that is what makes an outcome unknown.
 */
#include "tests/support/simworld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { TRACE_MAX = 1 << 30, BODY_MAX = 64 << 20, LATENCY_MS = 40, LATE_MS = 30000 };

struct sim_event {
    int64_t at;
    uint64_t seq;
    void (*run)(struct simworld *w, struct sim_event *e);
};

struct ow_timer {
    struct sim_event event; /* first */
    ow_timer_fn *fn;        /* NULL: stopped */
    void *arg;
    int64_t set_ms;
};

struct ow_call {
    struct sim_event event; /* first; either its arrival or its answer */
    int64_t number, deadline;
    enum sim_fault fault;
    ow_reply_fn *fn; /* NULL: cancelled */
    void *arg;
    struct ow_request req;
    char *bytes; /* what req's strings point into */
    struct ow_header headers[8];
    struct sim_response resp;
    bool answered; /* resp is what the peer said */
};

struct own_event {
    struct sim_event event; /* first */
    sim_fn *fn;
    void *arg;
    int64_t number;
};

static const char *const fault_names[SIM_FAULT_N] = {
    "fine",        "refuse", "lose-answer", "unavailable", "too-many", "error",
    "error-acted", "deny",   "slow",        "late",        "garbage",
};

const char *sim_fault_name(enum sim_fault f)
{
    return fault_names[f];
}

/* --- chance: xoroshiro128+, good enough and the same everywhere --- */

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t draw(uint64_t s[2])
{
    uint64_t a = s[0], b = s[1], sum = a + b;

    b ^= a;
    s[0] = rotate(a, 24) ^ b ^ b << 16;
    s[1] = rotate(b, 37);
    return sum;
}

uint64_t simworld_chance(struct simworld *w, uint64_t n)
{
    return draw(w->chance) % n;
}

bool simworld_odds(struct simworld *w, unsigned per_mille)
{
    return per_mille && simworld_chance(w, 1000) < per_mille;
}

/* --- the heap --- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void heap_push(struct simworld *w, struct sim_event *e)
{
    size_t i = w->n_events++;

    if (w->n_events > w->cap_events) {
        w->cap_events = w->cap_events ? w->cap_events * 2 : 64;
        w->heap = ow_realloc(w->heap, w->cap_events * sizeof *w->heap);
    }
    for (; i > 0 && before(e, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
}

static struct sim_event *heap_pop(struct simworld *w)
{
    struct sim_event *top = w->heap[0], *last = w->heap[--w->n_events];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < w->n_events; i = child) {
        if (child + 1 < w->n_events && before(w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

static void schedule(struct simworld *w, struct sim_event *e, int64_t after_ms,
                     void (*run)(struct simworld *w, struct sim_event *e))
{
    ow_assert(after_ms >= 0);
    e->at = w->mono + after_ms;
    e->seq = w->seq++;
    e->run = run;
    heap_push(w, e);
}

void simworld_note(struct simworld *w, const char *fmt, ...)
{
    va_list ap;

    ow_buf_printf(&w->trace, "%lld ", (long long)w->mono);
    va_start(ap, fmt);
    ow_buf_vprintf(&w->trace, fmt, ap);
    va_end(ap);
    ow_buf_char(&w->trace, '\n');
}

/* Every call of the core passes here: the place of an exact crash. */
static void op(struct simworld *w)
{
    if (++w->ops == w->kill_at && w->kill)
        w->kill(w->kill_arg);
}

/* --- clock and chance --- */

static ow_time world_now_utc(struct ow_world *world)
{
    struct simworld *w = (struct simworld *)world;

    return w->start + w->mono;
}

static int64_t world_now_mono(struct ow_world *world)
{
    return ((struct simworld *)world)->mono;
}

static uint64_t world_random(struct ow_world *world)
{
    return draw(((struct simworld *)world)->rng);
}

/* --- timers --- */

static void timer_run(struct simworld *w, struct sim_event *e)
{
    struct ow_timer *t = (struct ow_timer *)e;
    ow_timer_fn *fn = t->fn;
    void *arg = t->arg;

    if (!fn) {
        free(t);
        return;
    }
    simworld_note(w, "timer %lld", (long long)t->set_ms);
    w->n_timers--;
    free(t);
    fn(arg);
}

static struct ow_timer *world_timer_start(struct ow_world *world, int64_t after_ms,
                                          ow_timer_fn *fn, void *arg)
{
    struct simworld *w = (struct simworld *)world;
    struct ow_timer *t = ow_alloc_zero(sizeof *t);

    op(w);
    t->fn = fn;
    t->arg = arg;
    t->set_ms = after_ms;
    w->n_timers++;
    schedule(w, &t->event, after_ms < 0 ? 0 : after_ms, timer_run);
    return t;
}

static void world_timer_stop(struct ow_world *world, struct ow_timer *t)
{
    struct simworld *w = (struct simworld *)world;

    ow_assert(t->fn);
    t->fn = NULL;
    w->n_timers--;
}

/* --- requests --- */

void sim_response_header(struct sim_response *r, const char *name, const char *value)
{
    for (size_t i = 0; i < OW_LEN(r->headers); i++) {
        if (*r->headers[i][0])
            continue;
        ow_copy(r->headers[i][0], sizeof r->headers[i][0], name);
        ow_copy(r->headers[i][1], sizeof r->headers[i][1], value);
        return;
    }
    ow_assert_failed("a header too many for the model", __FILE__, __LINE__);
}

static void call_free(struct ow_call *c)
{
    ow_buf_done(&c->resp.body);
    free(c->bytes);
    free(c);
}

static void response_as_wire(const struct sim_response *from, struct ow_header *headers,
                             struct ow_response *ret)
{
    size_t n = 0;

    for (; n < OW_LEN(from->headers) && *from->headers[n][0]; n++)
        headers[n] = (struct ow_header){ from->headers[n][0], from->headers[n][1] };
    *ret = (struct ow_response){ .status = from->status,
                                 .headers = headers,
                                 .n_headers = n,
                                 .body = ow_buf_cstr(&from->body),
                                 .body_len = from->body.len };
}

/* The end of a call at its sender. */
static void call_answer_run(struct simworld *w, struct sim_event *e)
{
    struct ow_call *c = (struct ow_call *)e;
    struct ow_header headers[4];
    struct ow_response resp;
    struct ow_err err = { "" };

    if (!c->fn) {
        call_free(c);
        return;
    }
    w->n_calls--;
    simworld_note(w, "answer %lld %d", (long long)c->number,
                  c->answered ? c->resp.status : 0);
    if (c->answered) {
        response_as_wire(&c->resp, headers, &resp);
        c->fn(c->arg, OW_OK, &resp, true, &err);
    } else {
        bool sent = c->fault != SIM_REFUSE;

        ow_err_set(&err, OW_AGAIN, sent ? "no answer" : "connection refused");
        c->fn(c->arg, OW_AGAIN, NULL, sent, &err);
    }
    call_free(c);
}

static void call_answer_in(struct simworld *w, struct ow_call *c, int64_t ms)
{
    if (w->mono + ms > c->deadline) {
        c->answered = false;
        ms = c->deadline - w->mono;
    }
    schedule(w, &c->event, ms, call_answer_run);
}

static void canned(struct simworld *w, struct sim_response *r, int status)
{
    char seconds[24];

    r->status = status;
    if (status == 503 || status == 429) {
        snprintf(seconds, sizeof seconds, "%lld", (long long)w->retry_after_s);
        sim_response_header(r, "Retry-After", seconds);
    }
}

static bool fault_acts(enum sim_fault f)
{
    return f == SIM_FINE || f == SIM_LOSE_ANSWER || f == SIM_ERROR_ACTED ||
           f == SIM_SLOW || f == SIM_GARBAGE;
}

static void call_spoil(struct simworld *w, struct ow_call *c)
{
    switch (c->fault) {
    case SIM_UNAVAILABLE:
        canned(w, &c->resp, 503);
        break;
    case SIM_TOO_MANY:
        canned(w, &c->resp, 429);
        break;
    case SIM_ERROR:
        canned(w, &c->resp, 500);
        break;
    case SIM_DENY:
        canned(w, &c->resp, 401);
        break;
    case SIM_ERROR_ACTED:
        ow_buf_reset(&c->resp.body);
        memset(c->resp.headers, 0, sizeof c->resp.headers);
        canned(w, &c->resp, 502);
        break;
    case SIM_GARBAGE:
        ow_buf_reset(&c->resp.body);
        ow_buf_str(&c->resp.body, c->number % 2 ? "<html>please wait" : "{\"entry\":[{");
        c->resp.status = 200;
        break;
    default:
        break;
    }
}

static char *keep(char **at, const char *s, size_t n)
{
    char *copy = *at;

    memcpy(copy, s, n);
    copy[n] = '\0';
    *at += n + 1;
    return copy;
}

static void call_copy(struct ow_call *c, const struct ow_request *req)
{
    size_t n = strlen(req->method) + strlen(req->url) + req->body_len + 3;
    char *at;

    ow_assert(req->n_headers <= OW_LEN(c->headers));
    for (size_t i = 0; i < req->n_headers; i++)
        n += strlen(req->headers[i].name) + strlen(req->headers[i].value) + 2;
    at = c->bytes = ow_alloc(n);
    c->req =
        (struct ow_request){ .method = keep(&at, req->method, strlen(req->method)),
                             .url = keep(&at, req->url, strlen(req->url)),
                             .body = keep(&at, req->body ? req->body : "", req->body_len),
                             .body_len = req->body_len,
                             .headers = c->headers,
                             .n_headers = req->n_headers };
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct ow_header *h = &req->headers[i];

        c->headers[i].name = keep(&at, h->name, strlen(h->name));
        c->headers[i].value = keep(&at, h->value, strlen(h->value));
    }
}

static void call_arrive_run(struct simworld *w, struct sim_event *e);

/* A request that stood in a queue while its sender gave up. Nobody hears the answer. */
static void call_act_late(struct simworld *w, const struct ow_call *c)
{
    struct ow_call *ghost = ow_alloc_zero(sizeof *ghost);

    ghost->number = c->number;
    ghost->deadline = INT64_MAX;
    ow_buf_init(&ghost->resp.body, BODY_MAX);
    call_copy(ghost, &c->req);
    schedule(w, &ghost->event,
             c->deadline - w->mono + (int64_t)simworld_chance(w, LATE_MS),
             call_arrive_run);
}

/* A request arrives at its peer. */
static void call_arrive_run(struct simworld *w, struct sim_event *e)
{
    struct ow_call *c = (struct ow_call *)e;
    int64_t back = 1 + (int64_t)simworld_chance(w, (uint64_t)w->latency_max);
    bool slow;

    simworld_note(w, "arrive %lld %s", (long long)c->number, sim_fault_name(c->fault));
    c->answered = c->fault != SIM_LOSE_ANSWER && c->fault != SIM_REFUSE;
    if (c->fault == SIM_LATE)
        call_act_late(w, c);
    if (fault_acts(c->fault))
        w->peer(w->peer_arg, &c->req, &c->resp);
    call_spoil(w, c);
    slow = c->fault == SIM_SLOW || c->fault == SIM_LATE;
    call_answer_in(w, c, slow ? c->deadline - w->mono + 1 : back);
}

static bool is_down(const struct simworld *w, const struct ow_request *req)
{
    return w->mono >= w->down_from && w->mono < w->down_until &&
           (!w->down_method || ow_streq(w->down_method, req->method));
}

static enum sim_fault pick_fault(struct simworld *w, const struct ow_request *req)
{
    uint64_t dice = simworld_chance(w, 1000), sum = 0;

    if (is_down(w, req))
        return SIM_REFUSE;
    if (w->fault_at)
        return w->requests == w->fault_at ? w->fault_kind : SIM_FINE;
    for (enum sim_fault f = SIM_REFUSE; f < SIM_FAULT_N; f++) {
        sum += w->per_mille[f];
        if (dice < sum)
            return f;
    }
    return SIM_FINE;
}

static struct ow_call *world_send(struct ow_world *world, const struct ow_request *req,
                                  int64_t timeout_ms, ow_reply_fn *fn, void *arg)
{
    static const uint8_t no_key[16];
    struct simworld *w = (struct simworld *)world;
    struct ow_call *c = ow_alloc_zero(sizeof *c);
    int64_t there = 1 + (int64_t)simworld_chance(w, (uint64_t)w->latency_max);

    op(w);
    c->fn = fn;
    c->arg = arg;
    c->deadline = w->mono + timeout_ms;
    ow_buf_init(&c->resp.body, BODY_MAX);
    w->n_calls++;
    call_copy(c, req);
    if (w->dead) { /* it never leaves */
        c->deadline = INT64_MAX;
        schedule(w, &c->event, 0, call_answer_run);
        return c;
    }
    c->number = ++w->requests;
    c->fault = pick_fault(w, req);
    simworld_note(w, "send %lld %s %s %zu %016llx", (long long)c->number, req->method,
                  req->url, req->body_len,
                  (unsigned long long)ow_siphash(no_key, c->req.body, req->body_len));
    schedule(w, &c->event, there,
             c->fault == SIM_REFUSE ? call_answer_run : call_arrive_run);
    return c;
}

static void world_send_cancel(struct ow_world *world, struct ow_call *c)
{
    struct simworld *w = (struct simworld *)world;

    ow_assert(c->fn);
    c->fn = NULL;
    w->n_calls--;
}

/* --- the test's own events --- */

static void own_run(struct simworld *w, struct sim_event *e)
{
    struct own_event *o = (struct own_event *)e;
    struct own_event copy = *o;

    (void)w;
    free(o);
    copy.fn(copy.arg, copy.number);
}

void simworld_after(struct simworld *w, int64_t after_ms, sim_fn *fn, void *arg,
                    int64_t number)
{
    struct own_event *o = ow_alloc_zero(sizeof *o);

    o->fn = fn;
    o->arg = arg;
    o->number = number;
    schedule(w, &o->event, after_ms, own_run);
}

/* --- running --- */

bool simworld_step(struct simworld *w, int64_t until)
{
    struct sim_event *e;

    ow_assert(!w->dead);
    if (w->n_events == 0 || w->heap[0]->at > until)
        return false;
    e = heap_pop(w);
    w->mono = e->at;
    e->run(w, e);
    return true;
}

void simworld_idle_until(struct simworld *w, int64_t until)
{
    ow_assert(w->n_events == 0 || w->heap[0]->at >= until);
    if (until > w->mono)
        w->mono = until;
}

void simworld_kill(struct simworld *w)
{
    simworld_note(w, "killed");
    w->dead = true;
}

void simworld_revive(struct simworld *w)
{
    ow_assert(w->n_timers == 0 && w->n_calls == 0);
    w->dead = false;
}

/* --- life --- */

static const struct ow_world_ops ops = {
    .now_utc = world_now_utc,
    .now_mono = world_now_mono,
    .random = world_random,
    .timer_start = world_timer_start,
    .timer_stop = world_timer_stop,
    .send = world_send,
    .send_cancel = world_send_cancel,
};

struct simworld *simworld_new(uint64_t seed, ow_time start)
{
    struct simworld *w = ow_alloc_zero(sizeof *w);

    w->world.ops = &ops;
    w->start = start;
    w->retry_after_s = 7;
    w->latency_max = LATENCY_MS;
    w->rng[0] = splitmix(&seed);
    w->rng[1] = splitmix(&seed);
    w->chance[0] = splitmix(&seed);
    w->chance[1] = splitmix(&seed);
    ow_buf_init(&w->trace, TRACE_MAX);
    return w;
}

/* What is left may only be what nobody waits for. */
static void event_free(struct sim_event *e)
{
    if (e->run == call_arrive_run || e->run == call_answer_run)
        call_free((struct ow_call *)e);
    else
        free(e);
}

void simworld_free(struct simworld *w)
{
    if (!w)
        return;
    ow_assert(w->n_timers == 0 && w->n_calls == 0);
    while (w->n_events)
        event_free(heap_pop(w));
    free(w->heap);
    ow_buf_done(&w->trace);
    free(w);
}
