/*
 * Told set: which patients anybody was told of, eight to sixteen bytes each
 *
 * Keyed hashes of 64 bits: a patient taken for another costs one read of the store and
 * changes no answer. Beyond OW_TOLD_SET_MOST it gives up, and says that anybody may be in
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OW_TOLD_SET_MOST = 1000000 }; /* then 16 MiB */

struct ow_told_set {
    uint64_t *slots; /* 0: free */
    size_t n, cap;   /* cap is 0 or a power of two */
    bool gave_up;
};

void ow_told_set_add(struct ow_told_set *s, uint64_t hash);
/* False: surely not. */
bool ow_told_set_may_have(const struct ow_told_set *s, uint64_t hash);
void ow_told_set_done(struct ow_told_set *s);
