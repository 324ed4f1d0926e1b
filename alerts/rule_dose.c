#include "alerts/history.h"
#include "alerts/rule.h"
#include "alerts/timeline.h"
#include "base/text.h"

/* ---- 1. med-threshold ---- */

enum { TIER_NONE = -1 };

static int tier_of(const struct ow_policy *policy, struct ow_ratio med)
{
    if (ow_ratio_cmp(med, policy->params[OW_PARAM_MED_THRESHOLD_CRITICAL]) >= 0)
        return OW_TIER_CRITICAL;
    return ow_ratio_cmp(med, policy->params[OW_PARAM_MED_THRESHOLD_WARNING]) >= 0
               ? (int)OW_TIER_WARNING
               : (int)TIER_NONE;
}

/* A threshold of the guideline itself? CDC 2022 names 50, CDC 2016 names 50 and 90. */
static bool is_published(const struct ow_policy *policy, struct ow_ratio threshold)
{
    return ow_ratio_cmp(threshold, OW_RATIO(50, 1)) == 0 ||
           (policy->table == OW_TABLE_CDC_2016 &&
            ow_ratio_cmp(threshold, OW_RATIO(90, 1)) == 0);
}

static void cite_threshold(struct ow_pending *p, struct ow_finding *f,
                           struct ow_ratio limit, struct ow_ratio med)
{
    const struct ow_policy *policy = p->j->policy;
    const char *site = is_published(policy, limit) ? NULL : "site-policy";
    bool guideline = ow_ratio_cmp(med, OW_RATIO(50, 1)) >= 0;

    if (!guideline)
        ow_rule_cite(p, f, site, NULL, NULL);
    else if (policy->table == OW_TABLE_CDC_2016)
        ow_rule_cite(p, f, site, "CDC-2016-R5", NULL);
    else
        ow_rule_cite(p, f, site, "CDC-2022-R4", "CDC-2022-R5");
}

static void evidence_counted(struct ow_pending *p, struct ow_finding *f)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);

    f->evidence = list;
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_COUNTED && j->items[i].order->reference != NULL)
            list[f->n_evidence++] = j->items[i].order->reference;
}

/*
 * The exact peak from now reaches a threshold. Orders of `acute-days` or less weigh
 * one tier less, but never below what the other orders reach alone.
 * [CDC-2022-R4, CDC-2022-R5; CDC-2016-R5]
 */
void ow_rule_med_threshold(struct ow_pending *p)
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
    limit = full == OW_TIER_CRITICAL ? j->policy->params[OW_PARAM_MED_THRESHOLD_CRITICAL]
                                     : j->policy->params[OW_PARAM_MED_THRESHOLD_WARNING];
    figure = ow_rule_med_text(j, med);
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
    f = ow_rule_finding(p, (enum ow_tier)tier, reason, summary, "");
    cite_threshold(p, f, limit, med);
    evidence_counted(p, f);
}

/* ---- dose-escalation ---- */

/* The dose ahead and the mean of the days before, of one basis: orders, else what was
 * supplied. False when there was none, or when the mean is only "at least". */
static bool rise_of(struct ow_pending *p, struct ow_ratio *before, struct ow_ratio *after)
{
    struct ow_judge *j = p->j;
    const struct ow_history *h = ow_history_ordered(j);
    const struct ow_total *total = &j->v->total;
    int64_t days = ow_ratio_floor(ow_param(p, OW_PARAM_ESCALATION_DAYS));

    if (ow_history_opioid_days(h, days, 1) == 0) {
        h = ow_history(j);
        total = &j->v->supplied;
    }
    if (!total->has_peak || !ow_history_mean(h, days, 1, before) ||
        !ow_ratio_positive(*before))
        return false;
    for (int64_t d = 1; d <= days; d++)
        if (h->day[d].at_least)
            return false;
    *after = total->peak;
    return ow_history_steady(h, 3);
}

/*
 * MED from now on is half as much again, and 20 MME/d more, than the mean of the 30 days
 * before, in somebody on opioids for long. Undecided while part of the chart is missing:
 * the mean would be too low. [CDC-2022-R5; the figures are the site's]
 */
void ow_rule_escalation(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct ow_ratio before, after, more, share;
    const char *text;
    struct ow_finding *f;

    if (!j->v->total.has_peak || !ow_rule_opioid_asked(p) || j->chart->n_missing > 0 ||
        !rise_of(p, &before, &after) || !ow_ratio_sub(after, before, &more) ||
        !ow_ratio_mul(before, ow_param(p, OW_PARAM_ESCALATION_SHARE), &share) ||
        ow_ratio_cmp(more, share) < 0 ||
        ow_ratio_cmp(more, ow_param(p, OW_PARAM_ESCALATION_MED)) < 0)
        return;
    text = ow_say(j->arena, OW_WORD_ESCALATION, ow_rule_med_text(j, after),
                  ow_say_ratio(j->arena, more), ow_say_ratio(j->arena, before),
                  ow_say_ratio(j->arena, ow_param(p, OW_PARAM_ESCALATION_DAYS)));
    f = ow_rule_finding(p, OW_TIER_WARNING, text, text, "");
    ow_rule_cite_edition(p, f, true, "CDC-2022-R5", NULL);
    evidence_counted(p, f);
}

/* ---- max-dose ---- */

/* The row that holds at this age: of one ingredient and release the highest reached. */
static bool is_superseded(const struct ow_max_dose *rows, size_t n, size_t i, int age)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && ow_streq(rows[k].ingredient, rows[i].ingredient) &&
            rows[k].release == rows[i].release && rows[k].age_from > rows[i].age_from &&
            rows[k].age_from <= age)
            return true;
    return false;
}

static bool is_limited(const struct ow_item *it, const struct ow_max_dose *m)
{
    return it->role == OW_ROLE_COUNTED && ow_streq(it->drug.ingredient, m->ingredient) &&
           ow_release_is(m->release, it->drug.product);
}

/* Milligrams a day of one order at an instant. */
static bool mg_at(const struct ow_item *it, ow_time at, struct ow_ratio *ret)
{
    *ret = OW_ZERO;
    for (size_t i = 0; i < it->dose.n_steps; i++) {
        struct ow_span s = ow_timeline_step(it, i);

        if (s.from <= at && at < s.until &&
            !ow_ratio_add(*ret, it->dose.steps[i].high, ret))
            return false;
    }
    if (it->dose.basis == OW_BASIS_MG_DAY)
        return true;
    return ow_ratio_mul(
        *ret, it->dose.basis == OW_BASIS_MCG_HOUR ? OW_RATIO(3, 125) : OW_RATIO(1, 1000),
        ret);
}

static struct ow_ratio total_at(const struct ow_judge *j, const struct ow_max_dose *m,
                                ow_time at)
{
    struct ow_ratio ret = OW_ZERO, mg;

    for (size_t i = 0; i < j->n_items; i++)
        if (is_limited(&j->items[i], m) && mg_at(&j->items[i], at, &mg) &&
            !ow_ratio_add(ret, mg, &ret))
            return OW_ZERO;
    return ret;
}

/* The highest from now on: it can only rise where a step of an order begins. */
static struct ow_ratio most_of(const struct ow_judge *j, const struct ow_max_dose *m)
{
    struct ow_ratio ret = total_at(j, m, j->q->at), mg;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        for (size_t k = 0; is_limited(it, m) && k < it->dose.n_steps; k++) {
            ow_time at = ow_timeline_step(it, k).from;

            if (at <= j->q->at || at >= j->window.until)
                continue;
            mg = total_at(j, m, at);
            if (ow_ratio_cmp(mg, ret) > 0)
                ret = mg;
        }
    }
    return ret;
}

static void max_dose_finding(struct ow_pending *p, const struct ow_max_dose *m,
                             struct ow_ratio mg)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);
    bool asked = p->anything;
    struct ow_finding *f;
    const char *text = ow_say(j->arena, OW_WORD_MAX_DOSE, ow_say_ratio(j->arena, mg),
                              m->ingredient, ow_say_ratio(j->arena, m->mg_day),
                              m->source);

    f = ow_rule_finding(p, OW_TIER_WARNING, text, text, m->ingredient);
    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    for (size_t i = 0; i < j->n_items; i++)
        if (is_limited(&j->items[i], m)) {
            ow_rule_also(f, list, j->items[i].order);
            asked |= ow_rule_is_asked(p, &j->items[i]);
        }
    p->n -= !asked;
}

/*
 * More a day of one drug, over all its orders, than its row of the site's table allows.
 * One finding for each ingredient: the first row that is passed. [max_doses.tsv]
 */
void ow_rule_max_dose(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    size_t n;
    const struct ow_max_dose *rows = ow_knowledge_max_doses(j->kb, &n);

    for (size_t i = 0; i < n; i++) {
        bool told = rows[i].age_from > (p->age > 0 ? p->age : 0) ||
                    is_superseded(rows, n, i, p->age);
        struct ow_ratio mg;

        for (size_t k = 0; !told && k < p->n; k++)
            told = ow_streq(p->list[k].cause, rows[i].ingredient);
        if (told)
            continue;
        mg = most_of(j, &rows[i]);
        if (ow_ratio_cmp(mg, rows[i].mg_day) > 0)
            max_dose_finding(p, &rows[i], mg);
    }
}
