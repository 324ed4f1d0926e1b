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

struct ow_question {
    const struct ow_knowledge *knowledge;
    const struct ow_policy *policy;
    const struct ow_zone *zone; /* the site's; NULL: UTC */
    ow_time at;                 /* the instant at which the question is asked */
    bool trace;                 /* every line tells its steps */
    bool drafts_count;          /* a plain Bundle: draft orders count like active ones */
};

/*
 * Judge `chart`. The verdict lives in `arena` and borrows from chart and knowledge. Fails
 * only when the arena's ceiling is passed (OW_INPUT); an order that cannot be computed is
 * an answer, never a failure and never a zero: an active opioid order that ends with
 * neither a dose above zero nor a reason trips an assertion in every build.
 */
OW_MUST_USE enum ow_code ow_evaluate(const struct ow_chart *chart,
                                     const struct ow_question *q, struct ow_arena *arena,
                                     const struct ow_verdict **ret, struct ow_err *err);
