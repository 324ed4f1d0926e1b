/*
 * Scope: the orders that a rule of care speaks of
 *
 * Opioids in force or being signed, not for a stay in hospital only; in a hook with
 * drafts the selected drafts alone. Subacute and chronic ("lasting") is an order of 28
 * days and more with all its refills, one whose end nobody tells, and every order of a
 * patient on long-term therapy. [CDC-2022: acute is under one month]
 */
#pragma once

#include "alerts/rule.h"

enum { OW_SCOPE_LASTING_DAYS = 28 };

/* The first of each; NULL when there is none. */
struct ow_scope {
    const struct ow_item *any;     /* treatment of opioid use disorder too */
    const struct ow_item *pain;    /* any but that */
    const struct ow_item *acute;   /* of those for pain */
    const struct ow_item *lasting; /* of those for pain */
};

struct ow_scope ow_scope_read(const struct ow_pending *p);

/* Is the order taken now or later, and is it a draft that the user selected? */
bool ow_scope_taken(const struct ow_item *it);
bool ow_scope_selected(const struct ow_item *it);

/* A window or an age of the policy, in whole days or years. */
int64_t ow_param_whole(const struct ow_pending *p, enum ow_param param);

/* What is due: 1, 0, or -1 after a note that nobody looked. */
int ow_scope_due(struct ow_pending *p, enum ow_rule rule, enum ow_event e,
                 enum ow_param days);
/* A fact in the same way. */
int ow_scope_fact(struct ow_pending *p, enum ow_rule rule, enum ow_fact_id fact);

/* A finding that cites the key of the edition in force. */
struct ow_finding *ow_scope_finding(struct ow_pending *p, enum ow_tier tier,
                                    const char *reason, const char *summary,
                                    const char *cause, const char *in_2022,
                                    const char *in_2016);
/* Its evidence: an order (or NULL) and what decides a fact. */
void ow_scope_evidence(struct ow_pending *p, struct ow_finding *f,
                       const struct ow_item *it, const char *by);
