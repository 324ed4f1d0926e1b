#include "alerts/rules.h"

#include "alerts/facts.h"
#include "alerts/published.h"
#include "alerts/rule.h"
#include "base/text.h"

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

void ow_rule_cite_edition(struct ow_pending *p, struct ow_finding *f, bool site,
                          const char *key_2022, const char *key_2016)
{
    const char *key = p->j->policy->table == OW_TABLE_CDC_2016 ? key_2016 : key_2022;

    ow_rule_cite(p, f, site || key == NULL ? "site-policy" : NULL, key, NULL);
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
    enum ow_word topic;
    void (*run)(struct ow_pending *p);
} rules[] = {
#define RULE(id, name, function, silenced_by, mode)                                      \
    { OW_WORD_TOPIC_##id, ow_rule_##function },
#define PARAM(...)
#include "alerts/rules.def"
#undef RULE
#undef PARAM
};

const char *ow_rule_topic(const struct ow_arena *arena, enum ow_rule rule)
{
    ow_assert((size_t)rule < OW_LEN(rules));
    return ow_word(arena, rules[rule].topic);
}

/* ---- running them ---- */

struct verdict_lists { /* growing arrays of the verdict */
    struct ow_finding *findings;
    size_t n_findings, cap_findings;
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
        ow_judge_note(p->j, ow_word(p->j->arena, OW_WORD_NOTE_INVOLVED));
}

/* The finding goes to where it belongs: an excluded one into `suppressed` only, with
 * every exclusion that holds; one of a rule in shadow into both, by its rank. */
static void keep_one(struct ow_pending *p, struct ow_finding *f, enum ow_rule rule,
                     unsigned held, struct verdict_lists *l)
{
    const struct ow_judge *j = p->j;

    f->rule = ow_rule_name(rule);
    f->id = rule;
    f->shadow = j->policy->rules[rule].mode == OW_MODE_SHADOW;
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        if ((held & 1u << i) != 0)
            ow_judge_suppress(
                p->j, f->rule,
                ow_arena_printf(j->arena, "exclusion:%s", ow_exclusion_name(1u << i)),
                j->excluded_by[i]);
    if (held != 0)
        return;
    OW_ARENA_GROW(j->arena, l->findings, l->n_findings, l->cap_findings);
    l->findings[l->n_findings++] = *f;
}

static void run_ours(struct ow_pending *p, struct verdict_lists *l)
{
    for (size_t i = 0; i < OW_RULE_N; i++) {
        if (p->j->policy->rules[i].mode == OW_MODE_OFF)
            continue;
        rules[i].run(p);
        for (size_t k = 0; k < p->n; k++)
            keep_one(p, &p->list[k], (enum ow_rule)i,
                     p->j->excluded & p->j->policy->rules[i].silenced_by, l);
        p->n = 0;
    }
}

void ow_rules_run(struct ow_judge *j)
{
    struct ow_pending p = { .j = j };
    struct verdict_lists l = { 0 };

    if (j->policy->edition != OW_EDITION_OURS) {
        ow_published_run(ow_published_read(j), &p, keep_one, &l);
    } else {
        see_drafts(&p);
        ow_facts_read(j);
        p.age = j->age;
        run_ours(&p, &l);
    }
    j->findings = l.findings;
    j->v->findings = l.findings;
    j->v->n_findings = l.n_findings;
}
