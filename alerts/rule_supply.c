/*
 * Rules about orders and supplies: the same opioid twice, several hands, large amounts,
 * short courses that are long.
 */
#include <string.h>

#include "alerts/facts.h"
#include "alerts/history.h"
#include "alerts/roles.h"
#include "alerts/rule.h"
#include "base/text.h"

/* ---- duplicate-opioid ---- */

static bool same_kind(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_product *p = a->drug.product, *q = b->drug.product;

    return p != NULL && q != NULL && p->extended_release == q->extended_release &&
           p->is_patch == q->is_patch && ow_streq(a->drug.ingredient, b->drug.ingredient);
}

static bool is_linked(const struct ow_item *a, const struct ow_item *b)
{
    return a->next == b || b->next == a || ow_roles_follows(a, b) ||
           ow_roles_follows(b, a) ||
           (a->order->group != NULL && ow_streq(a->order->group, b->order->group));
}

/* Whole days that both are taken; the hour that a clock change may take is forgiven. */
static int64_t days_shared(const struct ow_judge *j, const struct ow_item *a,
                           const struct ow_item *b)
{
    ow_time from = a->taken.from > b->taken.from ? a->taken.from : b->taken.from;
    ow_time until = a->taken.until < b->taken.until ? a->taken.until : b->taken.until;

    if (from >= until || until <= j->window.from)
        return 0;
    if (from == OW_TIME_MIN || until == OW_TIME_MAX)
        return INT64_MAX;
    return (until - from + OW_HOUR) / OW_DAY;
}

static bool is_duplicate(const struct ow_pending *p, const struct ow_item *a,
                         const struct ow_item *b)
{
    return a != b && ow_item_opioid(b) && same_kind(a, b) && !is_linked(a, b) &&
           days_shared(p->j, a, b) >= ow_ratio_ceil(ow_param(p, OW_PARAM_DUPLICATE_DAYS));
}

/* Does any other order double this one? */
static bool is_doubled(const struct ow_pending *p, const struct ow_item *a)
{
    for (size_t i = 0; i < p->j->n_items; i++)
        if (is_duplicate(p, a, &p->j->items[i]))
            return true;
    return false;
}

static void duplicate_finding(struct ow_pending *p, const struct ow_item *a)
{
    struct ow_judge *j = p->j;
    const char **list = ow_rule_references(j, j->n_items);
    const struct ow_product *product = a->drug.product;
    bool asked = false;
    struct ow_finding *f;
    const char *text;

    text = ow_say(j->arena,
                  product->is_patch           ? OW_WORD_DUPLICATE_PATCH
                  : product->extended_release ? OW_WORD_DUPLICATE_EXTENDED
                                              : OW_WORD_DUPLICATE,
                  a->drug.ingredient);
    f = ow_rule_finding(p, OW_TIER_WARNING, text, text,
                        ow_arena_printf(j->arena, "%s %s", a->drug.ingredient,
                                        product->is_patch           ? "patch"
                                        : product->extended_release ? "extended"
                                                                    : "immediate"));
    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (!ow_item_opioid(it) || !same_kind(a, it) || !is_doubled(p, it))
            continue;
        ow_rule_also(f, list, it->order);
        asked |= ow_rule_is_asked(p, it);
    }
    p->n -= !asked;
}

/*
 * Two standing orders of one ingredient and one kind of release overlap, and neither says
 * that it stands for the other. One finding for each ingredient and release.
 */
void ow_rule_duplicate(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *a = &j->items[i];
        bool told = !ow_item_opioid(a) || !is_doubled(p, a);

        for (size_t k = 0; !told && k < i; k++)
            told = ow_item_opioid(&j->items[k]) && same_kind(a, &j->items[k]) &&
                   is_doubled(p, &j->items[k]);
        if (!told)
            duplicate_finding(p, a);
    }
}

/* ---- multiple-prescribers ---- */

struct hands { /* people or pharmacies, and the first order of each */
    struct hand {
        const char *name; /* Type/id */
        size_t len;
        const char *source;
        const struct ow_order *order;
    } * list;
    size_t n;
};

/* "https://x/fhir/Practitioner/1/_history/2" is "Practitioner/1". */
static const char *short_name(const char *s, size_t *len)
{
    const char *end = strstr(s, "/_history/"), *from;
    int slashes = 0;

    if (end == NULL)
        end = s + strlen(s);
    for (from = end; from > s; from--)
        if (from[-1] == '/' && ++slashes == 2)
            break;
    *len = (size_t)(end - from);
    return from;
}

static bool is_person(const char *name)
{
    return !ow_starts_with(name, "Patient/") && !ow_starts_with(name, "RelatedPerson/") &&
           !ow_starts_with(name, "Device/");
}

/* The same name on two servers is not the same person. */
static void hand_add(struct hands *h, const char *reference, const struct ow_order *o)
{
    size_t len;
    const char *name;

    if (reference == NULL)
        return;
    name = short_name(reference, &len);
    if (!is_person(name))
        return;
    for (size_t i = 0; i < h->n; i++) {
        const struct hand *k = &h->list[i];

        if (k->len == len && memcmp(k->name, name, len) == 0 &&
            (k->source == NULL || o->source == NULL || ow_streq(k->source, o->source)))
            return;
    }
    h->list[h->n++] = (struct hand){ name, len, o->source, o };
}

static bool was_written(const struct ow_order *o)
{
    if (o->do_not_perform || o->intent == OW_INTENT_PROPOSAL ||
        o->intent == OW_INTENT_PLAN || o->intent == OW_INTENT_OPTION)
        return false;
    if (o->is_draft)
        return o->selected;
    return o->status == OW_STATUS_ACTIVE || o->status == OW_STATUS_COMPLETED ||
           o->status == OW_STATUS_STOPPED || o->status == OW_STATUS_ON_HOLD;
}

static void hands_read(struct ow_pending *p, struct hands *prescribers,
                       struct hands *pharmacies)
{
    struct ow_judge *j = p->j;
    struct ow_span within =
        ow_days_ago(j, ow_ratio_floor(ow_param(p, OW_PARAM_PRESCRIBERS_DAYS)), 0);

    for (size_t i = 0; i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];
        const struct ow_order *o = it->order;

        if ((it->drug.kind != OW_DRUG_OPIOID && it->drug.kind != OW_DRUG_BARE) ||
            (!o->is_draft && (!o->has_authored || !ow_span_meets(o->authored, within))))
            continue;
        if (o->kind == OW_REQUEST && was_written(o))
            hand_add(prescribers, o->prescriber, o);
        else if (o->kind == OW_DISPENSE && o->status == OW_STATUS_COMPLETED)
            hand_add(pharmacies, o->performer, o);
    }
}

/* Opioids from several prescribers, or from several pharmacies. */
void ow_rule_prescribers(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct hands who = { OW_NEW_N(j->arena, struct hand, j->n_all), 0 };
    struct hands where = { OW_NEW_N(j->arena, struct hand, j->n_all), 0 };
    const char *days = ow_say_ratio(j->arena, ow_param(p, OW_PARAM_PRESCRIBERS_DAYS));
    const char *reason, *by = NULL, *at = NULL, **list;
    struct ow_finding *f;

    if (!ow_rule_opioid_asked(p))
        return;
    hands_read(p, &who, &where);
    if ((int64_t)who.n >= ow_ratio_ceil(ow_param(p, OW_PARAM_PRESCRIBERS_PRESCRIBERS)))
        by = ow_say(j->arena, OW_WORD_PRESCRIBERS, ow_say_int(j->arena, (int64_t)who.n),
                    days);
    if ((int64_t)where.n >= ow_ratio_ceil(ow_param(p, OW_PARAM_PRESCRIBERS_PHARMACIES)))
        at = ow_say(j->arena, OW_WORD_PHARMACIES, ow_say_int(j->arena, (int64_t)where.n),
                    days);
    if (by == NULL && at == NULL)
        return;
    reason = by == NULL ? at : at == NULL ? by : ow_say(j->arena, OW_WORD_LIST, by, at);
    f = ow_rule_finding(p, OW_TIER_WARNING, reason, reason, "");
    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    list = ow_rule_references(j, who.n + where.n);
    for (size_t i = 0; by != NULL && i < who.n; i++)
        ow_rule_also(f, list, who.list[i].order);
    for (size_t i = 0; at != NULL && i < where.n; i++)
        ow_rule_also(f, list, where.list[i].order);
}

/* ---- quantity-limit ---- */

/* A number of tablets, films, patches: not of millilitres or milligrams. */
static bool is_count(const struct ow_item *it)
{
    static const char *const measures[] = {
        "ml", "mL", "l", "L", "mg", "g", "ug", "mcg"
    };
    const struct ow_quantity *q = &it->order->supply_quantity;
    const struct ow_product *product = it->drug.product;

    for (size_t i = 0; i < OW_LEN(measures); i++)
        if (ow_streq(q->code, measures[i]) ||
            (q->code == NULL && ow_streq(q->unit, measures[i])))
            return false;
    return product == NULL || (product->strength_unit != OW_STRENGTH_MG_ML &&
                               product->strength_unit != OW_STRENGTH_MG_ACTUAT);
}

/* More dosage units in one supply than the site wants to see. */
void ow_rule_quantity(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct ow_ratio limit = ow_param(p, OW_PARAM_QUANTITY_UNITS);

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const struct ow_quantity *q = &it->order->supply_quantity;
        const char *text;
        struct ow_finding *f;

        if (!ow_item_opioid(it) || !q->has_value || !is_count(it) ||
            ow_ratio_cmp(q->value, limit) <= 0 || !ow_rule_is_asked(p, it))
            continue;
        text = ow_say(j->arena, OW_WORD_QUANTITY, ow_say_ratio(j->arena, q->value),
                      it->drug.name, ow_say_ratio(j->arena, limit));
        f = ow_rule_finding(p, OW_TIER_WARNING, text, text, it->order->reference);
        ow_rule_cite(p, f, "site-policy", NULL, NULL);
        ow_rule_evidence(p, f, it);
    }
}

/* ---- acute-duration ---- */

static int64_t days_of(const struct ow_item *it)
{
    ow_time ms;

    if (__builtin_sub_overflow(it->span.until, it->span.from, &ms))
        ms = INT64_MAX - OW_DAY;

    return ms <= OW_DAY ? 1 : (ms - OW_HOUR + OW_DAY - 1) / OW_DAY;
}

/*
 * A supply, refills and all, over 7 and under 28 days, in somebody who is not on opioids
 * for long already. [CDC-2022-R6; CDC-2016-R6]
 */
void ow_rule_acute_duration(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *text;
        struct ow_finding *f;
        bool naive;

        if ((it->role != OW_ROLE_COUNTED && it->role != OW_ROLE_UNREADABLE) ||
            !it->has_length || it->unplaced || (it->flags & OW_FLAG_SUPPLY_ENDED) != 0 ||
            !ow_rule_is_asked(p, it) ||
            days_of(it) <= ow_ratio_floor(ow_param(p, OW_PARAM_ACUTE_DURATION_OVER)) ||
            days_of(it) >= ow_ratio_ceil(ow_param(p, OW_PARAM_ACUTE_DURATION_UNDER)) ||
            ow_fact(j, OW_FACT_CHRONIC) == 1)
            continue;
        text = ow_say(j->arena, OW_WORD_ACUTE_DURATION, it->drug.name,
                      ow_say_int(j->arena, days_of(it)));
        naive = ow_rule_naive_before(p, it) == 1;
        if (naive)
            text = ow_say(j->arena, OW_WORD_ACUTE_NAIVE, text);
        f = ow_rule_finding(p, naive ? OW_TIER_WARNING : OW_TIER_INFO, text, text,
                            it->order->reference);
        ow_rule_cite_edition(p, f, false, "CDC-2022-R6", "CDC-2016-R6");
        ow_rule_evidence(p, f, it);
    }
}
