/*
 * Kinds: which parts of a chart beside the orders the server answers, remembered
 *
 * A server that does not offer a kind of resource says so to every patient's search. It
 * is logged once, and the search is left out for a while; a kind that gave no answer
 * several times in a row is left out for a short while, so that what hangs does not hold
 * each patient. What is left out counts as not asked: rules that need it stay undecided.
 *
 * Only of searches under our own authorization: what a caller's token may not read says
 * nothing about the server.
 */
#pragma once

#include "fhir/search.h"

enum { OW_KINDS_TYPES = 32 };

struct ow_kinds {
    struct ow_kind_memory {
        int64_t skip_until; /* of the monotonic clock, ms */
        unsigned lost;      /* in a row */
        bool refused;       /* and said so in the log */
    } of[OW_KINDS_TYPES];
};

/* Types to leave out now, for ow_search_options.skip. */
uint32_t ow_kinds_skip(const struct ow_kinds *k, int64_t now_mono);
/* What came of a search that is done. */
void ow_kinds_note(struct ow_kinds *k, const struct ow_search *s, int64_t now_mono);
