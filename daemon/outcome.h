/*
 * Outcome: a verdict and what was told before, to one store transaction
 *
 * Plans the episodes, gives each alert its key, builds the messages of every sink that is
 * on, and lays all of it out as the row the store commits at once.
 */
#pragma once

#include "alerts/episode.h"
#include "daemon/core.h"

struct ow_outcome {
    /* in */
    const char *source, *patient;
    const int64_t *events;
    size_t n_events;
    const struct ow_chart *chart;
    const struct ow_verdict *verdict;
    const struct ow_episode *known;
    size_t n_known;
    /* out */
    struct ow_record_of_verdict row;
    size_t opened, changed, resolved, unchanged;
    bool too_long; /* a message or the record passed its ceiling */
};

/* Everything lives in `arena`. OW_INPUT when the verdict is longer than may be kept and
 * sent: nothing of `row` is to be used then. */
OW_MUST_USE enum ow_code ow_outcome_plan(struct ow_outcome *o, const struct ow_core *core,
                                         struct ow_arena *arena, struct ow_err *err);

/* What the store knows of a patient, as episodes. */
const struct ow_episode *ow_outcome_known(struct ow_arena *arena,
                                          const struct ow_patient_state *st);
