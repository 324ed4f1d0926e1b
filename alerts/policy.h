/*
 * Policy: what a site decided, as numbers
 *
 * Filled by daemon/ from the configuration and a preset; the judgement takes it as an
 * argument. Defaults and their sources: the table of rules in the manual.
 */
#pragma once

#include "alerts/knowledge.h"

struct ow_policy {
    const char *name;    /* preset, "cdc-2022" */
    const char *version; /* of the policy, printed on cards */
    enum ow_table table;
    bool
        older_factor; /* a form the table lacks takes the older factor, else unreadable */

    bool med_threshold_on, sedative_on, unreadable_on, unknown_on, stale_on;
    struct ow_ratio med_warning;  /* MME/d, 50 [CDC-2022-R4, -R5] */
    struct ow_ratio med_critical; /* MME/d, 90 [site-policy under cdc-2022] */
    int64_t acute_days;           /* orders this short alert one tier lower: 7 */
    int sedative_age;             /* from this age on critical: 65 */
    struct ow_ratio sedative_med; /* MME/d from which a sedative is critical: 50 */

    int64_t stale_days;   /* an order active this long after its supply ended: 14 */
    bool count_stale;     /* true: it still counts, flagged */
    int64_t horizon_days; /* the peak is looked for this far ahead: 90 */
    int64_t average_days; /* window of the averages: 90, at most 366 */
    struct ow_ratio mismatch_share; /* supply-mismatch: 0.25 and */
    struct ow_ratio mismatch_med;   /* 10 MME/d */

    const char *source_label, *source_url; /* card.source of the site */
    const char *topic_system;              /* card.source.topic.system */
    const char *override_system;           /* overrideReasons system */
};

/* The named preset, or false when there is none of that name. */
OW_MUST_USE bool ow_policy_preset(const char *name, struct ow_policy *ret);
/* Names of all presets, in order; NULL behind the last. */
const char *ow_policy_preset_name(size_t i);
