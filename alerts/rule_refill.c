/*
 * Early refills: a new supply while much of the old one is left
 *
 * Supplies of one product are its dispenses; where there are none, its orders with their
 * refills. What is being signed is the newest of them. Orders that were stopped are no
 * supply: what is left of them is not meant to be taken.
 */
#include <stdlib.h>

#include "alerts/roles.h"
#include "alerts/rule.h"
#include "base/text.h"

struct supply {
    const struct ow_item *it;
    ow_time from, until;
};

struct supplies {
    struct supply *list;
    size_t n;
};

static bool same_product(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_product *p = a->drug.product, *q = b->drug.product;

    return p != NULL && q != NULL && ow_streq(p->ingredient, q->ingredient) &&
           p->form == q->form && p->strength_unit == q->strength_unit &&
           p->extended_release == q->extended_release && ow_ratio_positive(p->strength) &&
           ow_ratio_cmp(p->strength, q->strength) == 0;
}

static bool is_supply(const struct ow_item *it, bool dispenses)
{
    const struct ow_order *o = it->order;

    if (o->is_draft)
        return o->selected && it->stands;
    if (!o->has_authored || o->authored.from == OW_TIME_MIN)
        return false;
    if (dispenses)
        return o->kind == OW_DISPENSE && o->status == OW_STATUS_COMPLETED;
    return o->kind == OW_REQUEST && !o->do_not_perform &&
           (o->status == OW_STATUS_ACTIVE || o->status == OW_STATUS_COMPLETED) &&
           o->intent != OW_INTENT_PROPOSAL && o->intent != OW_INTENT_PLAN &&
           o->intent != OW_INTENT_OPTION;
}

static void supply_add(const struct ow_judge *j, struct supplies *s,
                       const struct ow_item *it)
{
    const struct ow_order *o = it->order;
    struct ow_ratio days;
    ow_time from = o->has_authored ? o->authored.from : j->q->at;

    if (!ow_supply_days(o, &days) || !ow_ratio_positive(days) ||
        (o->kind == OW_REQUEST && o->has_refills && o->refills > 0 && o->refills < 1000 &&
         !ow_ratio_mul(days, OW_RATIO(o->refills + 1, 1), &days)) ||
        !ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &days))
        return;
    if (o->has_validity && o->validity.from != OW_TIME_MIN)
        from = o->validity.from;
    if (o->is_draft && from < j->q->at)
        from = j->q->at;
    for (size_t i = 0; i < s->n; i++)
        if (ow_roles_same(s->list[i].it, it)) { /* told twice, or signed again */
            if (o->is_draft)
                s->list[i] = (struct supply){ it, from,
                                              ow_time_add(from, ow_ratio_floor(days)) };
            return;
        }
    s->list[s->n++] = (struct supply){ it, from,
                                       ow_time_add(from, ow_ratio_floor(days)) };
}

static int by_from(const void *x, const void *y)
{
    const struct supply *a = x, *b = y;

    return a->from != b->from ? (a->from < b->from ? -1 : 1)
                              : (a->until > b->until) - (a->until < b->until);
}

/* What was given on one day in parts is one supply, one part behind the other. */
static void join_days(const struct ow_judge *j, struct supplies *s)
{
    size_t n = 0;

    qsort(s->list, s->n, sizeof *s->list, by_from);
    for (size_t i = 0; i < s->n; i++) {
        struct supply *last = n > 0 ? &s->list[n - 1] : NULL;

        if (last != NULL && ow_zone_day(j->q->zone, last->from) ==
                                ow_zone_day(j->q->zone, s->list[i].from)) {
            last->until = ow_time_add(last->until, s->list[i].until - s->list[i].from);
            last->it = s->list[i].it->order->is_draft ? s->list[i].it : last->it;
        } else {
            s->list[n++] = s->list[i];
        }
    }
    s->n = n;
}

static void supplies_of(struct ow_judge *j, const struct ow_item *it, struct supplies *s)
{
    bool dispenses = false;

    for (size_t i = 0; i < j->n_all; i++)
        dispenses |= j->all[i].order->kind == OW_DISPENSE &&
                     is_supply(&j->all[i], true) && same_product(&j->all[i], it);
    s->n = 0;
    for (size_t i = 0; i < j->n_all; i++)
        if (is_supply(&j->all[i], dispenses) && same_product(&j->all[i], it))
            supply_add(j, s, &j->all[i]);
    join_days(j, s);
}

static bool is_early(const struct ow_pending *p, const struct supply *old,
                     const struct supply *new)
{
    struct ow_ratio share = ow_param(p, OW_PARAM_EARLY_REFILL_SHARE), left;
    int64_t days = ow_ratio_ceil(ow_param(p, OW_PARAM_EARLY_REFILL_DAYS));

    return old->until != OW_TIME_MAX &&
           old->until - new->from + OW_HOUR >=
               days *OW_DAY &&ow_ratio_make(old->until - new->from,
                                            old->until - old->from, &left) &&
           ow_ratio_cmp(left, share) > 0;
}

static void refill_finding(struct ow_pending *p, const struct supplies *s, int64_t times)
{
    struct ow_judge *j = p->j;
    const struct supply *old = &s->list[s->n - 2], *new = &s->list[s->n - 1];
    int64_t days = (old->until - new->from + OW_HOUR) / OW_DAY;
    bool often = times >= ow_ratio_ceil(ow_param(p, OW_PARAM_EARLY_REFILL_TIMES));
    const char *text = ow_say(j->arena, OW_WORD_EARLY_REFILL, new->it->drug.name,
                              ow_say_int(j->arena, days));
    const char **list = ow_rule_references(j, 2);
    struct ow_finding *f;

    if (often)
        text = ow_say(j->arena, OW_WORD_EARLY_REFILL_AGAIN, text,
                      ow_say_int(j->arena, times),
                      ow_say_ratio(j->arena, ow_param(p, OW_PARAM_EARLY_REFILL_WINDOW)));
    f = ow_rule_finding(p, often ? OW_TIER_WARNING : OW_TIER_INFO, text, text,
                        new->it->order->reference);
    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    ow_rule_also(f, list, old->it->order);
    ow_rule_also(f, list, new->it->order);
}

static void refill_product(struct ow_pending *p, const struct ow_item *it,
                           struct supplies *s)
{
    const struct ow_judge *j = p->j;
    int64_t window = ow_ratio_floor(ow_param(p, OW_PARAM_EARLY_REFILL_WINDOW));
    ow_time since = ow_days_ago(j, window, 0).from;
    const struct supply *old, *new;
    int64_t times = 0;

    supplies_of(p->j, it, s);
    if (s->n < 2)
        return;
    old = &s->list[s->n - 2];
    new = &s->list[s->n - 1];
    if (!ow_rule_is_asked(p, new->it) || old->until <= j->q->at || !is_early(p, old, new))
        return;
    for (size_t i = 1; i < s->n; i++)
        times += s->list[i].from >= since && is_early(p, &s->list[i - 1], &s->list[i]);
    refill_finding(p, s, times);
}

/* Told while the old supply would still last, once for each product. */
void ow_rule_early_refill(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct supplies s = { NULL, 0 };

    if (!ow_rule_opioid_asked(p))
        return;
    for (size_t i = 0; i < j->n_all; i++) {
        bool first = j->all[i].drug.kind == OW_DRUG_OPIOID;

        for (size_t k = 0; first && k < i; k++)
            first = !same_product(&j->all[k], &j->all[i]);
        if (!first)
            continue;
        if (s.list == NULL)
            s.list = OW_NEW_N(j->arena, struct supply, j->n_all);
        refill_product(p, &j->all[i], &s);
    }
}
