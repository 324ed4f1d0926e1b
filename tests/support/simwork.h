/*
 * Simulated work: a day of prescribing, drawn from a seed
 *
 * Which order changes when and how is settled before the day begins, so that the same
 * day can be lived through with and without faults. Orders are started, changed, stopped,
 * deleted, written so that nobody can read them and put right again, and moved to another
 * patient. At the end of the day every order can be read.
 */
#pragma once

#include "tests/support/simcore.h"

struct simwork_options {
    uint64_t seed;
    size_t patients, changes;
    int64_t length_ms;
    bool deletes, moves;
};

/* Put the patients into the EHR and the changes on the world's queue. */
struct simwork *simwork_new(struct simcore *s, const struct simwork_options *opt);
void simwork_free(struct simwork *wk);
