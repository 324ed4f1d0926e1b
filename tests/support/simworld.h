/*
 * Simulated world: a virtual clock, chance from a seed, and a network of models
 *
 * The ow_world of the simulation tests. Time passes only between events, events run in
 * order of their instant and then of their making, and every one of them is a line of the
 * trace: the same seed gives the same bytes. A request reaches its peer (a C model) after
 * a random latency and the answer comes back after another; faults are drawn by
 * probability, or hit the n-th request exactly.
 *
 * A crash is `simworld_kill`, from within any event: from then on nothing the daemon asks
 * for leaves. Its objects are stopped and freed before the next event, which takes its
 * timers and answers away, but requests that had left still arrive; `simworld_revive`
 * begins anew.
 */
#pragma once

#include "base/buf.h"
#include "daemon/world.h"

enum sim_fault {
    SIM_FINE,
    SIM_REFUSE,      /* no connection: nothing was sent */
    SIM_LOSE_ANSWER, /* the peer acts, the connection breaks before its answer */
    SIM_UNAVAILABLE, /* 503 with Retry-After, without acting */
    SIM_TOO_MANY,    /* 429 with Retry-After, without acting */
    SIM_ERROR,       /* 500, without acting */
    SIM_ERROR_ACTED, /* 502 of a proxy whose server has acted */
    SIM_DENY,        /* 401 */
    SIM_SLOW,        /* acts, and the answer comes after our patience ended */
    SIM_LATE,        /* acts only after our patience ended */
    SIM_GARBAGE,     /* acts, and 200 with a page of a proxy, or a body cut short */
    SIM_FAULT_N,
};
const char *sim_fault_name(enum sim_fault f);

struct sim_response {
    int status;
    char headers[4][2][128]; /* name, value; empty name: none */
    struct ow_buf body;
};
void sim_response_header(struct sim_response *r, const char *name, const char *value);

/* A peer: answers a request that has arrived. */
typedef void sim_peer_fn(void *arg, const struct ow_request *req,
                         struct sim_response *ret);

struct simworld {
    struct ow_world world; /* first: the core knows it by this */
    int64_t mono;          /* ms since the world began */
    ow_time start;         /* wall clock at mono 0; a test may move it */
    uint64_t rng[2];       /* for the core's random */
    uint64_t chance[2];    /* for latencies and faults: apart, so that one more draw of
                              the core moves nothing else */
    uint64_t seq;
    struct sim_event **heap;
    size_t n_events, cap_events;
    struct ow_buf trace;
    bool dead;

    sim_peer_fn *peer;
    void *peer_arg;
    unsigned per_mille[SIM_FAULT_N]; /* probability of each fault */
    int64_t fault_at;                /* 0, or the number of the request to hit */
    enum sim_fault fault_kind;       /* ... and how */
    int64_t requests;                /* sent so far */
    int64_t down_from, down_until;   /* mono: connections refused ... */
    const char *down_method;         /* ... of this method, NULL: every one */
    int64_t retry_after_s;           /* of 503 and 429 */
    int64_t latency_max;             /* one way, ms */

    /* Calls of the core into the world; at number `kill_at` `kill` is called. */
    int64_t ops, kill_at;
    void (*kill)(void *arg);
    void *kill_arg;
    size_t n_timers, n_calls; /* the core's, alive */
};

struct simworld *simworld_new(uint64_t seed, ow_time start);
void simworld_free(struct simworld *w);

/* A number below `n`, from the stream of latencies and faults. */
uint64_t simworld_chance(struct simworld *w, uint64_t n);
bool simworld_odds(struct simworld *w, unsigned per_mille);

typedef void sim_fn(void *arg, int64_t number);
/* Call `fn` in `after_ms`. Such events are the test's: they survive a kill. */
void simworld_after(struct simworld *w, int64_t after_ms, sim_fn *fn, void *arg,
                    int64_t number);

/* Run one event; false when there is none before `until` (mono). */
bool simworld_step(struct simworld *w, int64_t until);
/* The clock moves on to `until` with nothing happening. */
void simworld_idle_until(struct simworld *w, int64_t until);

/* One line of the trace, in front of it the instant. */
void simworld_note(struct simworld *w, const char *fmt, ...) OW_PRINTF(2, 3);

void simworld_kill(struct simworld *w);
/* Everything of the dead daemon must have been stopped. */
void simworld_revive(struct simworld *w);
