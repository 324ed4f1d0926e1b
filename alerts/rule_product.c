/*
 * Rules about the product: its release, what else is in it, what the site prefers.
 */
#include "alerts/history.h"
#include "alerts/rule.h"

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

/*
 * An extended-release or long-acting opioid, begun in these days by somebody who had none
 * in the 90 days before. Methadone and the patch weigh more: what they do in the first
 * days is hard to foresee. Buprenorphine, and methadone that treats opioid use disorder,
 * are not meant. [CDC-2022-R3; CDC-2016-R4]
 */
void ow_rule_er_la_naive(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool worse = it->drug.methadone || is_patch(it);
        const char *text;
        struct ow_finding *f;

        if ((it->role != OW_ROLE_COUNTED && it->role != OW_ROLE_UNREADABLE) ||
            !is_long_acting(it) || !ow_rule_is_asked(p, it) ||
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

void ow_rule_acetaminophen(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_preferred(struct ow_pending *p)
{
    (void)p;
}
