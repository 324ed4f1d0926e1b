/*
 * Rules about the product: its release, what else is in it, what the site prefers.
 */
#include "alerts/co_ingredient.h"
#include "alerts/history.h"
#include "alerts/rule.h"
#include "alerts/timeline.h"
#include "base/text.h"

/* ---- er-la-opioid-naive ---- */

/* Whole local days since the order began; negative for one that is to begin. */
static int64_t days_old(const struct ow_judge *j, const struct ow_item *it)
{
    if (it->span.from == OW_TIME_MIN)
        return INT64_MAX;
    return ow_zone_day(j->q->zone, j->q->at) - ow_zone_day(j->q->zone, it->span.from);
}

int ow_rule_naive_before(struct ow_pending *p, const struct ow_item *it)
{
    struct ow_judge *j = p->j;
    int64_t days = days_old(j, it);

    if (it->order->is_draft || days <= 0)
        return ow_fact(j, OW_FACT_NAIVE);
    if (days > OW_HISTORY_DAYS - 90)
        return -1;
    if (ow_history_opioid_days(ow_history(j), days + 90, days + 1) > 0)
        return 0;
    return j->chart->n_missing > 0 ? -1 : 1;
}

static bool is_patch(const struct ow_item *it)
{
    return it->drug.product != NULL && it->drug.product->is_patch;
}

static bool is_long_acting(const struct ow_item *it)
{
    return it->drug.methadone || is_patch(it) ||
           (it->drug.product != NULL && it->drug.product->extended_release);
}

/* What carries no MME is meant too where it is a patch, which is for pain; all else of
 * buprenorphine, and methadone with such a reason, treats opioid use disorder. */
static bool may_begin_for_pain(const struct ow_item *it)
{
    return it->role == OW_ROLE_COUNTED || it->role == OW_ROLE_UNREADABLE ||
           (it->role == OW_ROLE_EXCLUDED && is_patch(it));
}

/*
 * An extended-release or long-acting opioid, begun in these days by somebody who had none
 * in the 90 days before. Methadone and the patch of fentanyl weigh more: what they do in
 * the first days is hard to foresee. Treatment of opioid use disorder is not meant.
 * [CDC-2022-R3; CDC-2016-R4; CLINICAL decision: buprenorphine]
 */
void ow_rule_er_la_naive(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool worse = it->drug.methadone || (is_patch(it) && !it->drug.buprenorphine);
        const char *text;
        struct ow_finding *f;

        if (!may_begin_for_pain(it) || !is_long_acting(it) || !ow_rule_is_asked(p, it) ||
            days_old(j, it) > ow_ratio_floor(ow_param(p, OW_PARAM_ER_LA_NAIVE_DAYS)) ||
            ow_rule_naive_before(p, it) != 1)
            continue;
        text = ow_say(j->arena, OW_WORD_ER_LA_NAIVE, it->drug.name);
        f = ow_rule_finding(p, worse ? OW_TIER_CRITICAL : OW_TIER_WARNING, text, text,
                            it->order->reference);
        ow_rule_cite_edition(p, f, false, "CDC-2022-R3", "CDC-2016-R4");
        ow_rule_evidence(p, f, it);
    }
}

/* ---- acetaminophen-total ---- */

enum { SUM_PARTS = 8 }; /* products whose shares are written out */

struct total {
    struct ow_ratio mg;
    bool any, at_least;
    ow_time at;
};

static struct total acetaminophen_at(const struct ow_judge *j, ow_time at)
{
    struct total ret = { .mg = OW_ZERO, .at = at };

    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_co_ingredient c;

        ow_acetaminophen_at(j, &j->items[i], at, &c);
        if (c.state == OW_CO_KNOWN && ow_ratio_add(ret.mg, c.mg_day, &ret.mg))
            ret.any = true;
        else if (c.state != OW_CO_NONE)
            ret.at_least = true;
    }
    return ret;
}

/* The highest total from now on: it can only rise where something begins. */
static struct total acetaminophen_peak(const struct ow_judge *j)
{
    struct total ret = acetaminophen_at(j, j->q->at);

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        for (size_t k = 0; k == 0 || k < it->dose.n_steps; k++) {
            ow_time at = k == 0 ? it->taken.from : ow_timeline_step(it, k).from;
            struct total t;

            if (it->taken.until <= it->taken.from || at <= j->q->at ||
                at >= j->window.until)
                continue;
            t = acetaminophen_at(j, at);
            if (t.any && (!ret.any || ow_ratio_cmp(t.mg, ret.mg) > 0))
                ret = t;
        }
    }
    return ret;
}

/* "2600 + 1500 = 4100", so that it can be checked; of one product the figure alone. */
static const char *acetaminophen_sum(const struct ow_judge *j, const struct total *t)
{
    const char *mg = ow_say_ratio(j->arena, t->mg), *sum = NULL;
    size_t n = 0;

    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_co_ingredient c;

        ow_acetaminophen_at(j, &j->items[i], t->at, &c);
        if (c.state != OW_CO_KNOWN || n++ >= SUM_PARTS)
            continue;
        sum = sum == NULL ? ow_say_ratio(j->arena, c.mg_day)
                          : ow_arena_printf(j->arena, "%s + %s", sum,
                                            ow_say_ratio(j->arena, c.mg_day));
    }
    return n > 1 && n <= SUM_PARTS ? ow_arena_printf(j->arena, "%s = %s", sum, mg) : mg;
}

static const char *acetaminophen_text(const struct ow_judge *j, const struct total *t,
                                      const char *mg, struct ow_ratio limit)
{
    const char *text;

    if (t->at_least)
        mg = ow_say(j->arena, OW_WORD_AT_LEAST, mg);
    text = ow_say(j->arena, OW_WORD_ACETAMINOPHEN, mg, ow_say_ratio(j->arena, limit));
    if (t->at > j->q->at)
        text = ow_say(j->arena, OW_WORD_ACETAMINOPHEN_FROM, text,
                      ow_say_date(j->arena, t->at, j->q->zone));
    return text;
}

static void acetaminophen_finding(struct ow_pending *p, const struct total *t,
                                  enum ow_tier tier, struct ow_ratio limit)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);
    bool asked = p->anything;
    struct ow_finding *f = ow_rule_finding(
        p, tier, acetaminophen_text(j, t, acetaminophen_sum(j, t), limit),
        acetaminophen_text(j, t, ow_say_ratio(j->arena, t->mg), limit), "");

    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_co_ingredient c;

        ow_acetaminophen_at(j, &j->items[i], t->at, &c);
        if (c.state == OW_CO_NONE)
            continue;
        ow_rule_also(f, list, j->items[i].order);
        asked |= ow_rule_is_asked(p, &j->items[i]);
    }
    p->n -= !asked;
}

/*
 * Acetaminophen a day from all products together, with an opioid and without. What cannot
 * be told makes it "at least". Nothing that silences other rules silences this one.
 */
void ow_rule_acetaminophen(struct ow_pending *p)
{
    struct total t = acetaminophen_peak(p->j);
    struct ow_ratio warning = ow_param(p, OW_PARAM_ACETAMINOPHEN_WARNING);
    struct ow_ratio info = ow_param(p, OW_PARAM_ACETAMINOPHEN_INFO);

    if (t.any && ow_ratio_cmp(t.mg, warning) > 0)
        acetaminophen_finding(p, &t, OW_TIER_WARNING, warning);
    else if (t.any && ow_ratio_cmp(t.mg, info) > 0)
        acetaminophen_finding(p, &t, OW_TIER_INFO, info);
}

/* ---- preferred-drug ---- */

static bool is_meant(const struct ow_item *it, const struct ow_preferred *row)
{
    const struct ow_product *product = it->drug.product;

    return ow_streq(row->rxcui, it->drug.rxcui) ||
           (product != NULL && ow_streq(row->rxcui, product->ingredient_rxcui) &&
            ow_release_is(row->release, product));
}

/* A drug in whose place the site prefers another. [preferred_drugs.tsv] */
void ow_rule_preferred(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    size_t n, k;
    const struct ow_preferred *rows = ow_knowledge_preferred(j->kb, &n);

    for (size_t i = 0; n > 0 && i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *text;
        struct ow_finding *f;

        for (k = 0; k < n && !is_meant(it, &rows[k]); k++)
            continue;
        if (k == n || !ow_item_opioid(it) || !ow_rule_is_asked(p, it))
            continue;
        text = ow_say(j->arena, OW_WORD_PREFERRED, it->drug.name, rows[k].preferred);
        f = ow_rule_finding(p, OW_TIER_INFO, text, text, it->order->reference);
        ow_rule_cite(p, f, "site-policy", NULL, NULL);
        ow_rule_evidence(p, f, it);
    }
}
