/*
 * Episode: which findings are news
 *
 * A finding stays the same alert for as long as it lasts: it is told once when it begins,
 * again when its tier changes, and once more when its cause is gone. A cause that comes
 * back later is the next episode. Findings of tier info are not alerted, nor are those
 * that nobody is told (a rule in shadow, one that a stronger one says better); what was
 * alerted before stays open while such a finding lasts.
 *
 * A doubt never closes an alert: with data missing nothing is resolved, and with an order
 * that cannot be read the dose rules are not.
 */
#pragma once

#include "alerts/verdict.h"
#include "base/arena.h"

struct ow_episode {
    const char *rule, *cause;
    int64_t number;   /* 1, 2, ... for the same patient, rule and cause */
    int64_t revision; /* 0 when it begins, up by one with each change */
    enum ow_tier tier;
    bool open;
    const char *reason;
    ow_time opened; /* of a known one */
    const struct ow_finding
        *finding; /* of a change: what it says now; NULL when resolved */
};

/*
 * What changes between the episodes known so far (open ones, and the last of each that is
 * over) and this verdict. The changes live in `arena`, in the order of the findings, then
 * the resolved ones in the order of `known`. `n_unchanged` counts findings that were told
 * before and are held back for that reason.
 */
void ow_episodes_plan(const struct ow_episode *known, size_t n_known,
                      const struct ow_verdict *v, bool incomplete, struct ow_arena *arena,
                      const struct ow_episode **ret, size_t *n, size_t *n_unchanged);
