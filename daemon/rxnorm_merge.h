/*
 * RxNorm merge: a release laid over the tables there are
 *
 * A row that the release confirms takes its names and source from it; one it does not
 * have stays as it is, with a note, since orders stay in a record for years. Strength and
 * form class of a row that is there are never changed by an import: where the release
 * says otherwise, that is told and the old value kept, for a pharmacist to decide.
 * Curated columns (extended release, membership in value sets, class of a sedative) are
 * kept.
 */
#pragma once

#include "daemon/rxnorm_rows.h"
#include "daemon/sheet.h"

struct ow_rx_count {
    size_t old, added, renewed, kept; /* kept: not in the release */
    size_t left_out, moved;
};

struct ow_rx_merge {
    struct ow_rxnorm *g;
    const char *source; /* "rxnorm-2025-03" */
    struct ow_arena arena;
    struct ow_sheet products, sedatives, ndcs; /* the old ones, then the new */
    struct ow_rx_count counts[3];              /* in that order */
    void (*tell)(void *arg, const char *text); /* what a person has to look at */
    void *arg;
};

/* The ingredients that the tables speak of, for ow_rxnorm_read. */
struct ow_rx_ingredient *ow_rx_wanted(struct ow_rx_merge *m,
                                      const struct ow_sheet *factors, size_t *n);

void ow_rx_merge_products(struct ow_rx_merge *m);
void ow_rx_merge_sedatives(struct ow_rx_merge *m);
/* After the two others: an NDC must belong to a row of theirs. */
void ow_rx_merge_ndcs(struct ow_rx_merge *m);
