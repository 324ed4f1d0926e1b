#include "alerts/rules.h"

#include "alerts/facts.h"
#include "alerts/rule.h"
#include "base/text.h"

enum { /* exclusions, a set */
       EXCLUDE_MINOR = 1 << 0,
};

/* ---- building findings ---- */

struct ow_finding *ow_rule_finding(struct ow_pending *p, enum ow_tier tier,
                                   const char *reason, const char *summary,
                                   const char *cause)
{
    OW_ARENA_GROW(p->j->arena, p->list, p->n, p->cap);
    p->list[p->n] = (struct ow_finding){
        .tier = tier,
        .reason = reason,
        .summary = summary,
        .cause = cause != NULL ? cause : "",
    };
    return &p->list[p->n++];
}

const char **ow_rule_references(struct ow_judge *j, size_t n)
{
    return OW_NEW_N(j->arena, const char *, n);
}

void ow_rule_cite(struct ow_pending *p, struct ow_finding *f, const char *a,
                  const char *b, const char *c)
{
    const char **list = OW_NEW_N(p->j->arena, const char *, 3);
    const char *all[] = { a, b, c };

    f->sources = list;
    for (size_t i = 0; i < OW_LEN(all); i++)
        if (all[i] != NULL)
            list[f->n_sources++] = all[i];
}

bool ow_rule_has_part(const struct ow_pending *p, const struct ow_item *it)
{
    return p->anything || p->selected_opioid || p->selected_sedative ||
           (it->order->is_draft && it->order->selected);
}

void ow_rule_evidence(struct ow_pending *p, struct ow_finding *f,
                      const struct ow_item *it)
{
    const char **list;

    if (it->order->reference == NULL)
        return;
    list = ow_rule_references(p->j, 1);
    list[0] = it->order->reference;
    f->evidence = list;
    f->n_evidence = 1;
}

const char *ow_rule_med_text(struct ow_judge *j, struct ow_ratio med)
{
    const char *text = ow_say_ratio(j->arena, med);

    return j->v->at_least ? ow_say(j->arena, OW_WORD_AT_LEAST, text) : text;
}

/* ---- the table ---- */

static const struct rule {
    unsigned number; /* as in the comments above */
    const char *name;
    enum ow_word topic;
    size_t policy_switch; /* offset of a bool in struct ow_policy */
    unsigned silenced_by; /* exclusions */
    void (*run)(struct ow_pending *p);
} rules[] = {
#define RULE(number, name, topic, on, silenced_by, run)                                  \
    {                                                                                    \
        number, name, OW_WORD_TOPIC_##topic, offsetof(struct ow_policy, on),             \
            silenced_by, ow_rule_##run                                                   \
    }
    RULE(1, "med-threshold", MED, med_threshold_on, EXCLUDE_MINOR, med_threshold),
    RULE(2, "sedative-coprescribing", SEDATIVE, sedative_on, EXCLUDE_MINOR, sedative),
    RULE(3, "unreadable-dose", UNREADABLE, unreadable_on, 0, unreadable),
    RULE(4, "unknown-drug", UNKNOWN, unknown_on, 0, unknown),
    RULE(5, "stale-order", STALE, stale_on, 0, stale),
    RULE(6, "supply-mismatch", MISMATCH, unreadable_on, 0, mismatch),
#undef RULE
};

size_t ow_rule_number(const char *rule)
{
    size_t i = 0;

    while (i < OW_LEN(rules) && !ow_streq(rules[i].name, rule))
        i++;
    ow_assert(i < OW_LEN(rules));
    return i + 1;
}

const char *ow_rule_topic(const char *rule)
{
    return ow_word(rules[ow_rule_number(rule) - 1].topic);
}

/* ---- running them ---- */

struct verdict_lists { /* growing arrays of the verdict */
    struct ow_finding *findings;
    size_t n_findings, cap_findings;
    struct ow_suppression *suppressed;
    size_t n_suppressed, cap_suppressed;
};

static void see_drafts(struct ow_pending *p)
{
    enum ow_hook hook = p->j->chart->hook;

    for (size_t i = 0; i < p->j->n_items; i++) {
        const struct ow_item *it = &p->j->items[i];

        if (!it->order->is_draft || !it->order->selected)
            continue;
        p->selected_opioid |= ow_item_opioid(it);
        p->selected_sedative |= ow_item_sedative(it);
    }
    p->anything = !p->j->has_drafts ||
                  (hook != OW_HOOK_ORDER_SELECT && hook != OW_HOOK_ORDER_SIGN);
    if (!p->anything && !p->selected_opioid && !p->selected_sedative)
        ow_judge_note(p->j, ow_word(OW_WORD_NOTE_INVOLVED));
}

/* adult: 18 years or more at the asked instant. Undecided without a birth date, or with
 * one that is too coarse. */
static unsigned fact_adult(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct ow_fact *fact = OW_NEW(j->arena, struct ow_fact);
    const char **list = ow_rule_references(j, 1);
    int least = -1, most = -1;

    fact->name = "adult";
    fact->value = -1;
    p->age = -1;
    if (ow_age_years(&j->chart->patient, j->q->zone, j->q->at, &least, &most)) {
        fact->value = least >= 18 ? 1 : most < 18 ? 0 : -1;
        p->age = least;
    }
    if (j->chart->patient.reference != NULL) {
        list[0] = j->chart->patient.reference;
        fact->evidence = list;
        fact->n_evidence = 1;
    }
    j->v->facts = fact;
    j->v->n_facts = 1;
    return fact->value == 0 ? EXCLUDE_MINOR : 0;
}

static void keep(struct ow_pending *p, const struct rule *r, unsigned exclusions,
                 struct verdict_lists *l)
{
    struct ow_arena *arena = p->j->arena;

    for (size_t i = 0; i < p->n; i++) {
        p->list[i].rule = r->name;
        if ((exclusions & r->silenced_by) == 0) {
            OW_ARENA_GROW(arena, l->findings, l->n_findings, l->cap_findings);
            l->findings[l->n_findings++] = p->list[i];
            continue;
        }
        OW_ARENA_GROW(arena, l->suppressed, l->n_suppressed, l->cap_suppressed);
        l->suppressed[l->n_suppressed++] = (struct ow_suppression){
            r->name, "exclusion:age-under-18", p->j->chart->patient.reference
        };
    }
    p->n = 0;
}

void ow_rules_run(struct ow_judge *j)
{
    struct ow_pending p = { .j = j };
    struct verdict_lists l = { 0 };
    unsigned exclusions;

    see_drafts(&p);
    exclusions = fact_adult(&p);
    for (size_t i = 0; i < OW_LEN(rules); i++) {
        const char *policy = (const char *)j->policy;

        if (!*(const bool *)(policy + rules[i].policy_switch))
            continue;
        rules[i].run(&p);
        keep(&p, &rules[i], exclusions, &l);
    }
    j->v->findings = l.findings;
    j->v->n_findings = l.n_findings;
    j->v->suppressed = l.suppressed;
    j->v->n_suppressed = l.n_suppressed;
}
