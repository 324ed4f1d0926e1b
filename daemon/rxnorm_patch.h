/*
 * RxNorm patch: rows of a sheet, changed by a release
 *
 * What the merging of products, sedatives and NDCs shares: words of a row by the name of
 * their column, remarks in `note`, the order of numbers, what becomes of the rest.
 */
#pragma once

#include "daemon/rxnorm_merge.h"

/* Something that a person has to look at. */
void ow_rx_tell(struct ow_rx_merge *m, const char *fmt, ...) OW_PRINTF(2, 3);
/* Tell of a concept that it cannot be a row, and count it. */
void ow_rx_left_out(struct ow_rx_merge *m, struct ow_rx_count *n, size_t concept,
                    const char *why);

/* A word of a row; a column that the sheet has not is passed over, or "". */
void ow_rx_set(const struct ow_sheet *s, const char **row, const char *column,
               const char *word);
const char *ow_rx_get(const struct ow_sheet *s, const char *const *row,
                      const char *column);
/* A copy of a row, or an empty one for NULL. */
const char **ow_rx_row_new(struct ow_rx_merge *m, const struct ow_sheet *s,
                           const char *const *old);
const char *ow_rx_number(struct ow_rx_merge *m, uint64_t n); /* "" for 0 */
void ow_rx_note_add(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row,
                    const char *text);
/* It is in the release again: what was said of its absence goes. */
void ow_rx_note_back(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row);

/* The first of `n` rows with that word, and where it stands; NULL, SIZE_MAX. */
const char **ow_rx_find(const struct ow_sheet *s, size_t n, const char *column,
                        const char *word);
size_t ow_rx_place(const struct ow_sheet *s, size_t n, const char *const *row);
size_t ow_rx_concept_of(const struct ow_rxnorm *g, const char *rxcui);

/* Room for the old rows, copied, and `more`. */
void ow_rx_rows_grow(struct ow_rx_merge *m, struct ow_sheet *s, size_t more);
/* Count, and note where `ours` says so (NULL: always), the old rows not `seen`. */
void ow_rx_note_rest(struct ow_rx_merge *m, struct ow_sheet *s, const bool *seen,
                     size_t n_old, bool ours(struct ow_rx_merge *, const char *const *),
                     struct ow_rx_count *n);

int ow_rx_number_order(const char *a, const char *b); /* decimal, without leading zeros */
void ow_rx_sort(struct ow_sheet *s, int order(const void *, const void *, void *));
