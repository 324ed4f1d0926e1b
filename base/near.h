/*
 * Near: how far a misspelt name is from one that exists
 */
#pragma once

#include "base/base.h"

enum { OW_NEAR_BYTES = 40 }; /* anything longer is that far from everything */

/* Letters to change, add, take away or swap with their neighbour (optimal string
 * alignment). */
unsigned ow_near_distance(const char *a, const char *b);
/* Is that near enough to ask "did you mean"? A third of the letters may differ. */
bool ow_near(unsigned distance, const char *name);

/* The nearest of names[0..n), or NULL when none is near. */
const char *ow_nearest(const char *name, const char *const *names, size_t n);
