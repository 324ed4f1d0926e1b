/*
 * Rule: what one rule is made of
 *
 * A rule is a function over the judge that adds findings to `pending`. Only the rules and
 * their table include this.
 */
#pragma once

#include "alerts/facts.h"
#include "alerts/judge.h"
#include "alerts/words.h"

struct ow_pending { /* findings of the rule that runs */
    struct ow_judge *j;
    struct ow_finding *list;
    size_t n, cap;
    bool selected_opioid, selected_sedative; /* a selected draft is one */
    bool anything; /* no hook with drafts: everything has part in it */
    int age;       /* at least; -1 unknown */
};

/* One function a rule. */
#define RULE(id, name, function, silenced_by, mode)                                      \
    void ow_rule_##function(struct ow_pending *p);
#define PARAM(...)
#include "alerts/rules.def"
#undef RULE
#undef PARAM

/* A number of the policy in force. */
static inline struct ow_ratio ow_param(const struct ow_pending *p, enum ow_param param)
{
    return p->j->policy->params[param];
}

/* One finding more. `cause` NULL is "". */
struct ow_finding *ow_rule_finding(struct ow_pending *p, enum ow_tier tier,
                                   const char *reason, const char *summary,
                                   const char *cause);
/* Its sources, up to three keys; NULL is left out. */
void ow_rule_cite(struct ow_pending *p, struct ow_finding *f, const char *a,
                  const char *b, const char *c);
/* The same under the edition in force: its key, behind "site-policy" where the number is
 * not the guideline's; an edition without such a recommendation gives that alone. */
void ow_rule_cite_edition(struct ow_pending *p, struct ow_finding *f, bool site,
                          const char *key_2022, const char *key_2016);
/* Its evidence: the one order. */
void ow_rule_evidence(struct ow_pending *p, struct ow_finding *f,
                      const struct ow_item *it);
const char **ow_rule_references(struct ow_judge *j, size_t n);

/* Has this order part in what the user of a hook is doing? */
bool ow_rule_has_part(const struct ow_pending *p, const struct ow_item *it);

/* Is it the order that the user of a hook is writing? Outside of one, always. For what
 * is about this one order, whatever the others are. */
static inline bool ow_rule_is_asked(const struct ow_pending *p, const struct ow_item *it)
{
    return p->anything || (it->order->is_draft && it->order->selected);
}

/* Is what the user of a hook is writing an opioid? Outside of one, always. */
static inline bool ow_rule_opioid_asked(const struct ow_pending *p)
{
    return p->anything || p->selected_opioid;
}

/* Was the patient opioid-naive when this order began? 1, 0, or -1 for undecided. For one
 * that begins today or later that is the fact; for an older one, that the 90 days before
 * it had none, so that the answer does not turn at midnight. */
int ow_rule_naive_before(struct ow_pending *p, const struct ow_item *it);

/* One order more of the evidence; `list` has room for it and is that of `f`. */
static inline void ow_rule_also(struct ow_finding *f, const char **list,
                                const struct ow_order *o)
{
    f->evidence = list;
    if (o->reference != NULL)
        list[f->n_evidence++] = o->reference;
}

/* "120", or "at least 120" */
const char *ow_rule_med_text(struct ow_judge *j, struct ow_ratio med);
