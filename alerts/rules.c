#include "alerts/rules.h"

#include <string.h>

#include "base/text.h"

enum { /* exclusions, a set */
       EXCLUDE_MINOR = 1 << 0,
};

struct pending { /* findings of the rule that runs */
    struct ow_judge *j;
    struct ow_finding *list;
    size_t n, cap;
    bool selected_opioid, selected_sedative; /* a selected draft is one */
    bool anything; /* no hook with drafts: everything has part in it */
    int age;       /* at least; -1 unknown */
};

/* ---- age ---- */

static int years_between(struct ow_civil from, struct ow_civil to)
{
    int years = to.year - from.year;

    if (to.month < from.month || (to.month == from.month && to.day < from.day))
        years--;
    return years;
}

bool ow_age_years(const struct ow_patient *p, const struct ow_zone *zone, ow_time at,
                  int *least, int *most)
{
    struct ow_civil now = ow_zone_local(zone, at);

    if (!p->has_birth || p->birth.from == OW_TIME_MIN || p->birth.until == OW_TIME_MAX ||
        p->birth.from >= p->birth.until)
        return false;
    *most = years_between(ow_zone_local(zone, p->birth.from), now);
    *least = years_between(ow_zone_local(zone, p->birth.until - 1), now);
    return true;
}

/* ---- building findings ---- */

static struct ow_finding *finding_add(struct pending *p, enum ow_tier tier,
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

static const char **references(struct ow_judge *j, size_t n)
{
    return OW_NEW_N(j->arena, const char *, n);
}

static void cite(struct pending *p, struct ow_finding *f, const char *a, const char *b,
                 const char *c)
{
    const char **list = OW_NEW_N(p->j->arena, const char *, 3);
    const char *all[] = { a, b, c };

    f->sources = list;
    for (size_t i = 0; i < OW_LEN(all); i++)
        if (all[i] != NULL)
            list[f->n_sources++] = all[i];
}

static bool has_part(const struct pending *p, const struct ow_item *it)
{
    return p->anything || p->selected_opioid || p->selected_sedative ||
           (it->order->is_draft && it->order->selected);
}

static void evidence_one(struct pending *p, struct ow_finding *f,
                         const struct ow_item *it)
{
    const char **list;

    if (it->order->reference == NULL)
        return;
    list = references(p->j, 1);
    list[0] = it->order->reference;
    f->evidence = list;
    f->n_evidence = 1;
}

static const char *med_text(struct ow_judge *j, struct ow_ratio med)
{
    const char *text = ow_say_ratio(j->arena, med);

    return j->v->at_least ? ow_say(j->arena, OW_WORD_AT_LEAST, text) : text;
}

/* ---- 1. med-threshold ---- */

enum { TIER_NONE = -1 };

static int tier_of(const struct ow_policy *policy, struct ow_ratio med)
{
    if (ow_ratio_cmp(med, policy->med_critical) >= 0)
        return OW_TIER_CRITICAL;
    return ow_ratio_cmp(med, policy->med_warning) >= 0 ? (int)OW_TIER_WARNING
                                                       : (int)TIER_NONE;
}

/* A threshold of the guideline itself? CDC 2022 names 50, CDC 2016 names 50 and 90. */
static bool is_published(const struct ow_policy *policy, struct ow_ratio threshold)
{
    return ow_ratio_cmp(threshold, OW_RATIO(50, 1)) == 0 ||
           (policy->table == OW_TABLE_CDC_2016 &&
            ow_ratio_cmp(threshold, OW_RATIO(90, 1)) == 0);
}

static void cite_threshold(struct pending *p, struct ow_finding *f, struct ow_ratio limit,
                           struct ow_ratio med)
{
    const struct ow_policy *policy = p->j->policy;
    const char *site = is_published(policy, limit) ? NULL : "site-policy";
    bool guideline = ow_ratio_cmp(med, OW_RATIO(50, 1)) >= 0;

    if (!guideline)
        cite(p, f, site, NULL, NULL);
    else if (policy->table == OW_TABLE_CDC_2016)
        cite(p, f, site, "CDC-2016-R5", NULL);
    else
        cite(p, f, site, "CDC-2022-R4", "CDC-2022-R5");
}

static void evidence_counted(struct pending *p, struct ow_finding *f)
{
    struct ow_judge *j = p->j;
    const char **list = references(j, j->n_items);

    f->evidence = list;
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_COUNTED && j->items[i].order->reference != NULL)
            list[f->n_evidence++] = j->items[i].order->reference;
}

/*
 * The exact peak from now reaches a threshold. Orders of policy.acute_days or less weigh
 * one tier less, but never below what the other orders reach alone.
 * [CDC-2022-R4, CDC-2022-R5; CDC-2016-R5]
 */
static void rule_med_threshold(struct pending *p)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    int tier, lasting, full;
    bool now;
    struct ow_ratio limit, med;
    const char *reason, *summary, *figure, *limit_text;
    struct ow_finding *f;

    if (!t->has_peak || !(p->anything || p->selected_opioid))
        return;
    full = tier = tier_of(j->policy, t->peak);
    if (full == TIER_NONE)
        return;
    lasting = j->has_lasting ? tier_of(j->policy, j->lasting_peak) : (int)TIER_NONE;
    if (lasting < full)
        tier = full - 1;
    now = t->has_now && tier_of(j->policy, t->now) == full;
    med = now ? t->now : t->peak;
    limit = full == OW_TIER_CRITICAL ? j->policy->med_critical : j->policy->med_warning;
    figure = med_text(j, med);
    limit_text = ow_say_ratio(j->arena, limit);
    if (now) {
        reason = ow_say(j->arena, OW_WORD_REACHES, figure, limit_text);
        summary = ow_say(j->arena, OW_WORD_SUMMARY_MED, figure, limit_text);
    } else {
        const char *day = ow_say_date(j->arena, j->v->peak_at, j->q->zone);

        reason = ow_say(j->arena, OW_WORD_REACHES_FROM, figure, day, limit_text);
        summary = ow_say(j->arena, OW_WORD_SUMMARY_MED_FROM, figure, day, limit_text);
    }
    if (tier < full)
        reason = ow_say(j->arena, OW_WORD_REACHES_ACUTE, reason);
    if (p->selected_opioid)
        summary = ow_say(j->arena, OW_WORD_SUMMARY_WITH_ORDER, summary);
    f = finding_add(p, (enum ow_tier)tier, reason, summary, "");
    cite_threshold(p, f, limit, med);
    evidence_counted(p, f);
}

/* ---- 2. sedative-coprescribing ---- */

static void evidence_sedatives(struct pending *p, struct ow_finding *f, const char *cls)
{
    struct ow_judge *j = p->j;
    const char **list = references(j, j->n_items);

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
                  s->drug, days, med_text(j, j->v->total.peak));
}

const char *ow_rule_class_words(struct ow_arena *arena, const char *cls)
{
    char *ret = ow_arena_strdup(arena, cls);

    for (char *c = ret; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : *c;
    return ret;
}

static void sedative_finding(struct pending *p, const struct ow_sedation *s)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    const char *days = ow_say_int(j->arena, s->overlap_days);
    const char *reason = ow_say(
        j->arena, s->overlap_days == 1 ? OW_WORD_SEDATIVE_ONE_DAY : OW_WORD_SEDATIVE_ONE,
        s->drug, s->cls, days);
    enum ow_tier tier = OW_TIER_WARNING;
    struct ow_finding *f;

    if (t->has_peak && ow_ratio_cmp(t->peak, j->policy->sedative_med) >= 0) {
        tier = OW_TIER_CRITICAL;
        reason = ow_say(j->arena, OW_WORD_SEDATIVE_MED, reason, med_text(j, t->peak));
    }
    if (p->age >= j->policy->sedative_age) {
        tier = OW_TIER_CRITICAL;
        reason = ow_say(j->arena, OW_WORD_SEDATIVE_AGE, reason,
                        ow_say_int(j->arena, p->age));
    }
    f = finding_add(p, tier, reason, sedative_summary(j, s, days), s->cls);
    cite(p, f, j->policy->table == OW_TABLE_CDC_2016 ? "CDC-2016-R11" : "CDC-2022-R11",
         NULL, NULL);
    evidence_sedatives(p, f, s->cls);
}

/*
 * An opioid, counted or not, and a sedative of tier 1 or 2 share a day or more: one
 * finding for each class, told by the member with the most days.
 * [CDC-2022-R11; CDC-2016-R11]
 */
static void rule_sedative(struct pending *p)
{
    const struct ow_sedation *best[OW_SEDATIVE_N] = { NULL };
    bool part[OW_SEDATIVE_N] = { false };
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
    for (unsigned k = 0; k < OW_SEDATIVE_N; k++)
        if (best[k] != NULL && part[k])
            sedative_finding(p, best[k]);
}

/* ---- 3. unreadable-dose: an opioid whose dose cannot be had. Never silently zero. ----
 */

static void rule_unreadable(struct pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const struct ow_total *t = &j->v->total;
        const char *summary;

        if (it->role != OW_ROLE_UNREADABLE || !has_part(p, it))
            continue;
        summary = t->has_peak
                      ? ow_say(j->arena, OW_WORD_SUMMARY_UNREADABLE, it->drug.name,
                               med_text(j, t->has_now ? t->now : t->peak))
                      : ow_say(j->arena, OW_WORD_SUMMARY_UNREADABLE_BARE, it->drug.name);
        evidence_one(
            p,
            finding_add(p, OW_TIER_WARNING,
                        ow_say(j->arena, OW_WORD_UNREADABLE, it->drug.name, it->reason),
                        summary, it->order->reference),
            it);
    }
}

/*
 * ---- 4. unknown-drug ----
 *
 * A name that looks like an opioid, or no name at all, is a warning for that order. All
 * others are one finding of tier info: the tables know opioids and sedatives, so nearly
 * every other drug of a patient is unknown to them, and a warning each would be noise.
 */
static void unknown_one(struct pending *p, const struct ow_item *it)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    const char *summary =
        t->has_peak ? ow_say(j->arena, OW_WORD_SUMMARY_UNKNOWN, it->drug.name,
                             med_text(j, t->has_now ? t->now : t->peak))
                    : ow_say(j->arena, OW_WORD_SUMMARY_UNKNOWN_BARE, it->drug.name);

    evidence_one(
        p,
        finding_add(p, OW_TIER_WARNING,
                    ow_say(j->arena, OW_WORD_UNKNOWN_ONE, it->drug.name, it->drug.reason),
                    summary, it->order->reference),
        it);
}

static bool is_doubtful(const struct ow_item *it)
{
    return it->drug.like != NULL || it->drug.nameless;
}

static void rule_unknown(struct pending *p)
{
    struct ow_judge *j = p->j;
    const char **list = NULL;
    size_t n = 0;
    struct ow_finding *f;
    const char *reason;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (it->role != OW_ROLE_UNKNOWN || !has_part(p, it))
            continue;
        if (is_doubtful(it)) {
            unknown_one(p, it);
            continue;
        }
        if (list == NULL)
            list = references(j, j->n_items);
        list[n++] = it->order->reference != NULL ? it->order->reference : "";
    }
    if (n == 0)
        return;
    reason = n == 1 ? ow_word(OW_WORD_UNKNOWN_MANY_ONE)
                    : ow_say(j->arena, OW_WORD_UNKNOWN_MANY,
                             ow_say_int(j->arena, (int64_t)n));
    f = finding_add(p, OW_TIER_INFO, reason, reason, "unrecognised");
    f->evidence = list;
    f->n_evidence = n;
}

/* ---- 5. stale-order: active long after its supply ended ---- */

static void rule_stale(struct pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool sedative = it->drug.sedative != NULL && it->drug.sedative->tier <= 2;
        const char *text;

        if ((it->flags & OW_FLAG_STALE_ACTIVE) == 0 || it->role == OW_ROLE_REPLACED ||
            !has_part(p, it) || (it->drug.ingredient == NULL && !sedative))
            continue;
        if (it->role == OW_ROLE_NOT_OPIOID && it->next != NULL)
            continue; /* a sedative that another order goes on with */
        text = ow_say(j->arena, OW_WORD_STALE, it->drug.name,
                      ow_say_date(j->arena, it->span.until, j->q->zone));
        evidence_one(p, finding_add(p, OW_TIER_INFO, text, text, it->order->reference),
                     it);
    }
}

/* ---- 6. supply-mismatch: directions and supply tell different doses ---- */

static void rule_mismatch(struct pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *text;

        if ((it->flags & OW_FLAG_SUPPLY_MISMATCH) == 0 || !has_part(p, it))
            continue;
        text = ow_say(j->arena, OW_WORD_MISMATCH, it->drug.name,
                      ow_say_ratio(j->arena, it->med),
                      ow_say_ratio(j->arena, it->med_supplied));
        evidence_one(p, finding_add(p, OW_TIER_INFO, text, text, it->order->reference),
                     it);
    }
}

/* ---- the table ---- */

static const struct rule {
    unsigned number; /* as in the comments above */
    const char *name;
    enum ow_word topic;
    size_t policy_switch; /* offset of a bool in struct ow_policy */
    unsigned silenced_by; /* exclusions */
    void (*run)(struct pending *p);
} rules[] = {
#define RULE(number, name, topic, on, silenced_by, run)                                  \
    {                                                                                    \
        number, name, OW_WORD_TOPIC_##topic, offsetof(struct ow_policy, on),             \
            silenced_by, rule_##run                                                      \
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

static void see_drafts(struct pending *p)
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
static unsigned fact_adult(struct pending *p)
{
    struct ow_judge *j = p->j;
    struct ow_fact *fact = OW_NEW(j->arena, struct ow_fact);
    const char **list = references(j, 1);
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

static void keep(struct pending *p, const struct rule *r, unsigned exclusions,
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
    struct pending p = { .j = j };
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
