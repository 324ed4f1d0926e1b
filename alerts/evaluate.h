/*
 * Evaluate: the front door of the judgement
 *
 * Same chart, knowledge, policy, zone and instant in, same verdict out, byte for byte. No
 * I/O, no clock, no globals.
 */
#pragma once

#include "alerts/knowledge.h"
#include "alerts/policy.h"
#include "alerts/verdict.h"
#include "base/arena.h"

/*
 * A finding that people were told before: shown in a hook's answer or posted, and what
 * they said to it. The latest of each rule and cause decides.
 */
enum ow_answer {
    OW_ANSWER_NONE,
    OW_ANSWER_ACCEPTED,
    OW_ANSWER_OVERRIDDEN,
};

struct ow_told {
    const char *rule, *cause;
    enum ow_tier tier;
    ow_time at;
    bool has_med;
    struct ow_ratio med;     /* MME/d, the peak at that time */
    const char *prescriber;  /* whom it was told, Practitioner/x; NULL: the pharmacy */
    const char *encounter;   /* NULL: none */
    const char *prescribers; /* of the opioids then, sorted, joined by blanks */
    const char *classes;     /* of the sedatives then, likewise */
    enum ow_hook hook;       /* that told it */
    const char *instance;    /* hookInstance of the call that told it; NULL */
    enum ow_answer answer;
    const char *answer_code; /* coded reason, "snooze-3-months"; NULL */
    bool has_until;
    ow_time until;    /* snoozed until */
    const char *card; /* uuid */
};

struct ow_question {
    const struct ow_knowledge *knowledge;
    const struct ow_policy *policy;
    const struct ow_zone *zone; /* the site's; NULL: UTC */
    ow_time at;                 /* the instant at which the question is asked */
    bool trace;                 /* every line tells its steps */
    const struct ow_told *told; /* of this patient, latest first */
    size_t n_told;
    const char *prescriber; /* who asks, Practitioner/x; NULL: nobody, an event */
    const char *encounter;  /* of the hook; NULL */
    const char *instance;   /* hookInstance; NULL */
    bool drafts_count;      /* a plain Bundle: draft orders count like active ones */
};

/*
 * Judge `chart`. The verdict lives in `arena` and borrows from chart, knowledge and
 * policy. Fails only when the arena's ceiling is passed (OW_INPUT); an order that cannot
 * be computed is an answer, never a failure and never a zero: an active opioid order that
 * ends with neither a dose above zero nor a reason trips an assertion in every build.
 */
OW_MUST_USE enum ow_code ow_evaluate(const struct ow_chart *chart,
                                     const struct ow_question *q, struct ow_arena *arena,
                                     const struct ow_verdict **ret, struct ow_err *err);
