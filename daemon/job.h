/*
 * Job: one patient's events from the inbox to a recorded verdict
 *
 * A state machine with a declared table of moves. Callbacks keep the outcome and turn the
 * crank; a move that is not in the table is a bug and asserts.
 */
#pragma once

#include "alerts/episode.h"
#include "daemon/intake.h"
#include "fhir/search.h"

enum job_state {
    JOB_NEW,       /* has events, knows maybe not the patient */
    JOB_RESOLVING, /* asks whose order it is */
    JOB_FETCHING,  /* reads the patient's medication state back */
    JOB_LOADING,   /* reads what was told before */
    JOB_MARKING,   /* counts the attempt, after a crash */
    JOB_DECIDING,  /* judges */
    JOB_RECORDING, /* verdict, alerts and deliveries in one transaction */
    JOB_PARKING,   /* gives the events to a person */
    JOB_BACKOFF,   /* waits to try again */
    JOB_DONE,
    JOB_N,
};

struct job;

/* What a job reports to its intake. */
struct job_owner {
    struct ow_core *core;
    void (*done)(struct job_owner *o, struct job *j);
    /* The patient became known: true when another job took the events over. */
    bool (*known)(struct job_owner *o, struct job *j);
    void (*recorded)(struct job_owner *o, const struct ow_verdict *v); /* durable */
    /* Are events older than those of `j` still being judged? */
    bool (*older)(struct job_owner *o, const struct job *j);
};

struct job {
    struct job *next;
    struct job_owner *owner;
    enum job_state state;
    char *source, *patient; /* patient NULL while not known */
    char *type, *rid;       /* of the first event, to ask whose it is */
    bool deleted;
    int64_t *ids, *later; /* events of this round; events that came meanwhile */
    size_t n_ids, cap_ids, n_later, cap_later;
    unsigned attempts; /* most crashes any of its events has met */
    bool recovered;    /* holds events from before the start */
    unsigned failures;
    unsigned unreadable; /* answers of this round that nobody could read */

    struct ow_arena arena; /* of the round */
    struct ow_search *search;
    bool asked_rest;        /* the kinds that matter beside an opioid */
    bool orders_only;       /* the rest did not fit into memory */
    unsigned answered;      /* OW_KIND_* of all its searches */
    struct job_call *calls; /* open ones */
    struct ow_timer *timer;
    int64_t retry_after_ms;
    bool waiting_store; /* a store callback will come: do not free */
    const struct ow_episode *known_episodes;
    size_t n_known;
    const struct ow_verdict *verdict; /* of the round, while it is recorded */
    struct ow_err err;
};

struct job *job_new(struct job_owner *owner, const struct ow_event *ev);
void job_add_event(struct job *j, const struct ow_event *ev);
/* Take the events of `from`, which is then empty. */
void job_take_events(struct job *j, struct job *from);
/* The oldest event it holds. */
int64_t job_oldest(const struct job *j);
void job_start(struct job *j);
/* Cancel what waits; freed by its owner when `waiting_store` is false. */
void job_cancel(struct job *j);
void job_free(struct job *j);
