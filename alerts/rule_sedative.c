#include "alerts/facts.h"
#include "alerts/lines.h"
#include "alerts/rule.h"
#include "alerts/rules.h"
#include "base/text.h"

/* ---- 2. sedative-coprescribing ---- */

static void evidence_sedatives(struct ow_pending *p, struct ow_finding *f,
                               const char *cls)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);

    f->evidence = list;
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool sedative = ow_item_sedative(it) &&
                        ow_streq(ow_sedative_class_name(it->drug.sedative->cls), cls);

        if ((sedative || ow_item_opioid(it)) && it->order->reference != NULL)
            list[f->n_evidence++] = it->order->reference;
    }
}

static const char *sedative_summary(struct ow_judge *j, const struct ow_sedation *s,
                                    const char *days)
{
    bool one = s->overlap_days == 1;

    if (!j->v->total.has_peak)
        return ow_say(j->arena,
                      one ? OW_WORD_SUMMARY_SEDATIVE_BARE_DAY
                          : OW_WORD_SUMMARY_SEDATIVE_BARE,
                      s->drug, days);
    return ow_say(j->arena, one ? OW_WORD_SUMMARY_SEDATIVE_DAY : OW_WORD_SUMMARY_SEDATIVE,
                  s->drug, days, ow_rule_med_text(j, j->v->total.peak));
}

const char *ow_rule_class_words(struct ow_arena *arena, const char *cls)
{
    char *ret = ow_arena_strdup(arena, cls);

    for (char *c = ret; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : *c;
    return ret;
}

static void sedative_finding(struct ow_pending *p, const struct ow_sedation *s,
                             bool apnoea)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    const char *days = ow_say_int(j->arena, s->overlap_days);
    const char *reason = ow_say(
        j->arena, s->overlap_days == 1 ? OW_WORD_SEDATIVE_ONE_DAY : OW_WORD_SEDATIVE_ONE,
        s->drug, ow_rule_class_words(j->arena, s->cls), days);
    enum ow_tier tier = OW_TIER_WARNING;
    struct ow_finding *f;

    if (t->has_peak && ow_ratio_cmp(t->peak, ow_param(p, OW_PARAM_SEDATIVE_MED)) >= 0) {
        tier = OW_TIER_CRITICAL;
        reason = ow_say(j->arena, OW_WORD_SEDATIVE_MED, reason,
                        ow_rule_med_text(j, t->peak));
    }
    if (p->age >= 0 &&
        ow_ratio_cmp(OW_RATIO(p->age, 1), ow_param(p, OW_PARAM_SEDATIVE_AGE)) >= 0) {
        tier = OW_TIER_CRITICAL;
        reason = ow_say(j->arena, OW_WORD_SEDATIVE_AGE, reason,
                        ow_say_int(j->arena, p->age));
    }
    if (apnoea) {
        tier = OW_TIER_CRITICAL;
        reason = ow_say(j->arena, OW_WORD_SEDATIVE_APNOEA, reason);
    }
    f = ow_rule_finding(p, tier, reason, sedative_summary(j, s, days), s->cls);
    ow_rule_cite(p, f,
                 j->policy->table == OW_TABLE_CDC_2016 ? "CDC-2016-R11" : "CDC-2022-R11",
                 NULL, NULL);
    evidence_sedatives(p, f, s->cls);
}

/*
 * An opioid, counted or not, and a sedative of tier 1 or 2 share a day or more: one
 * finding for each class, told by the member with the most days.
 * [CDC-2022-R11; CDC-2016-R11]
 */
void ow_rule_sedative(struct ow_pending *p)
{
    const struct ow_sedation *best[OW_SEDATIVE_N] = { NULL };
    bool part[OW_SEDATIVE_N] = { false }, apnoea = false;
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];
        unsigned k;

        if (s->tier > 2 || s->overlap_days < 1)
            continue;
        for (k = 0; k < OW_SEDATIVE_N; k++)
            if (ow_streq(s->cls, ow_sedative_class_name((enum ow_sedative_class)k)))
                break;
        ow_assert(k < OW_SEDATIVE_N);
        part[k] |= p->anything || p->selected_opioid ||
                   (s->line->order->is_draft && s->line->order->selected);
        if (best[k] == NULL || s->overlap_days > best[k]->overlap_days)
            best[k] = s;
    }
    for (unsigned k = 0; k < OW_SEDATIVE_N; k++) {
        if (best[k] == NULL || !part[k])
            continue;
        apnoea = apnoea ||
                 ow_fact_condition(
                     j, "conditions-documenting-sleep-disordered-breathing") != NULL;
        sedative_finding(p, best[k], apnoea);
    }
}

/* ---- triple-combination ---- */

static bool is_class(const struct ow_item *it, enum ow_sedative_class cls)
{
    return ow_item_sedative(it) && it->drug.sedative->cls == cls;
}

static struct ow_span both(struct ow_span a, struct ow_span b)
{
    return (struct ow_span){ a.from > b.from ? a.from : b.from,
                             a.until < b.until ? a.until : b.until };
}

struct triple { /* the pair that meets opioids longest, and all orders in any */
    const struct ow_item *benzodiazepine, *relaxant;
    int64_t days;
    bool *in; /* of the judge's items */
};

static void meet(struct ow_pending *p, struct triple *t, size_t b, size_t r)
{
    struct ow_judge *j = p->j;
    int64_t days = ow_lines_opioid_days(j, both(j->items[b].taken, j->items[r].taken));

    if (days < 1)
        return;
    t->in[b] = t->in[r] = true;
    if (days <= t->days)
        return;
    t->days = days;
    t->benzodiazepine = &j->items[b];
    t->relaxant = &j->items[r];
}

static void triple_finding(struct ow_pending *p, const struct triple *t)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);
    const char *days = ow_say_int(j->arena, t->days);
    bool asked = p->anything || p->selected_opioid;
    struct ow_finding *f;

    for (size_t i = 0; i < j->n_items; i++)
        asked |= t->in[i] && ow_rule_is_asked(p, &j->items[i]);
    if (!asked)
        return;
    f = ow_rule_finding(
        p, OW_TIER_CRITICAL,
        ow_say(j->arena, t->days == 1 ? OW_WORD_TRIPLE_DAY : OW_WORD_TRIPLE,
               t->benzodiazepine->drug.name, t->relaxant->drug.name, days),
        ow_say(j->arena,
               t->days == 1 ? OW_WORD_SUMMARY_TRIPLE_DAY : OW_WORD_SUMMARY_TRIPLE,
               t->benzodiazepine->drug.name, t->relaxant->drug.name, days),
        "");
    ow_rule_cite_edition(p, f, false, "CDC-2022-R11", NULL);
    for (size_t i = 0; i < j->n_items; i++)
        if (t->in[i] || ow_item_opioid(&j->items[i]))
            ow_rule_also(f, list, j->items[i].order);
}

/*
 * An opioid, a benzodiazepine and a skeletal muscle relaxant share a day or more, all
 * three together. One product may be two of them. [CDC-2022-R11]
 */
void ow_rule_triple(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct triple t = { NULL, NULL, 0, NULL };

    for (size_t b = 0; b < j->n_items; b++) {
        if (!is_class(&j->items[b], OW_SEDATIVE_BENZODIAZEPINE))
            continue;
        if (t.in == NULL)
            t.in = OW_NEW_N(j->arena, bool, j->n_items);
        for (size_t r = 0; r < j->n_items; r++)
            if (is_class(&j->items[r], OW_SEDATIVE_MUSCLE_RELAXANT))
                meet(p, &t, b, r);
    }
    if (t.days > 0)
        triple_finding(p, &t);
}
