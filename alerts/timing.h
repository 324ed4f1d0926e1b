/*
 * Timing: how often a day, and for how long
 *
 * FHIR R4 Timing, structured. The high rate takes frequencyMax and the shorter period,
 * the low one frequency and periodMax. Times of day, `when` codes and days of the week
 * are counted; where they and the frequency differ, the higher is the high rate and the
 * lower the low one. C, AC and PC are all three meals unless a frequency says otherwise.
 * A code counts when it is one of v3-GTSAbbreviation (or its text spells one, or qNh) or
 * a row of timing_codes.tsv; beside a repeat that says otherwise it widens the range in
 * the same way.
 */
#pragma once

#include "alerts/knowledge.h"
#include "base/err.h"

struct ow_rate { /* times a day */
    struct ow_ratio high, low;
};

/* OW_MISSING with the reason when the timing tells no frequency or a bad one. */
OW_MUST_USE enum ow_code ow_timing_rate(const struct ow_knowledge *kb,
                                        const struct ow_timing *t, struct ow_rate *ret,
                                        struct ow_err *err);

struct ow_extent { /* how long a dosage line lasts */
    bool has_length;
    int64_t length_ms;
    bool has_bounds;
    struct ow_span bounds;
};

/*
 * Bounds and count; `rate` (or NULL) is what a count is divided by. A range of lengths
 * counts with its longer end. OW_MISSING when what is there makes no sense.
 */
OW_MUST_USE enum ow_code ow_timing_extent(const struct ow_timing *t,
                                          const struct ow_rate *rate,
                                          struct ow_extent *ret, struct ow_err *err);

/* Are two timings put at stated times of day (timeOfDay, a `when` code of one event, AM,
 * PM, BED) that have none in common, so that they may belong to one day? */
bool ow_timing_apart(const struct ow_knowledge *kb, const struct ow_timing *a,
                     const struct ow_timing *b);
