/*
 * What the published rules ask of a chart. Where they compare times of unlike precision,
 * or read one form of a choice of types only, what they see is what counts: a dateTime
 * where they look for a Period is not there.
 */
#include "alerts/published.h"

#include <stdlib.h>

#include "base/text.h"

/* ---- value sets of the edition ---- */

/* Sets whose contents differ between the editions; the plain name is that of 2022. */
static const struct differing {
    enum ow_set set, only_2016, only_2022; /* OW_SET_N: no such codes */
} differing[] = {
#define BOTH(name)                                                                       \
    {                                                                                    \
        OW_SET_##name, OW_SET_ONLY_2016_##name, OW_SET_ONLY_2022_##name                  \
    }
    BOTH(OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL),
    BOTH(EXTENDED_RELEASE_OPIOID_WITH_AMBULATORY_MISUSE_POTENTIAL),
    BOTH(BENZODIAZEPINE_MEDICATIONS),
    BOTH(NALOXONE_MEDICATIONS),
    BOTH(BUPRENORPHINE_AND_METHADONE_MEDICATIONS),
    BOTH(CONDITIONS_DOCUMENTING_SUBSTANCE_MISUSE),
    BOTH(COCAINE_URINE_DRUG_SCREENING_TESTS),
    BOTH(OPIOID_MISUSE_DISORDERS),
    BOTH(NON_OPIOID_URINE_DRUG_SCREENING),
    {OW_SET_OPIOID_URINE_DRUG_SCREENING,                        OW_SET_N,
                      OW_SET_ONLY_2022_OPIOID_URINE_DRUG_SCREENING                                                      },
    { OW_SET_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING, OW_SET_N,
                      OW_SET_ONLY_2022_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING                                },
    { OW_SET_OFFICE_VISIT,                                      OW_SET_ONLY_2016_OFFICE_VISIT, OW_SET_N},
#undef BOTH
};

static void set_put(struct ow_sets *s, enum ow_set set, bool on)
{
    uint64_t bit = (uint64_t)1 << set % 64;

    s->w[set / 64] = on ? s->w[set / 64] | bit : s->w[set / 64] & ~bit;
}

static struct ow_sets sets_of_2016(struct ow_sets s)
{
    for (size_t i = 0; i < OW_LEN(differing); i++) {
        const struct differing *d = &differing[i];

        if (d->only_2022 != OW_SET_N && ow_sets_has(&s, d->only_2022))
            set_put(&s, d->set, false);
        if (d->only_2016 != OW_SET_N && ow_sets_has(&s, d->only_2016))
            set_put(&s, d->set, true);
    }
    return s;
}

struct ow_sets ow_pub_sets(const struct ow_pub *u, const struct ow_concept *c)
{
    bool of_2016 = u->j->policy->edition == OW_EDITION_PUBLISHED_2016;
    struct ow_sets ret = { { 0 } };

    for (size_t i = 0; i < c->n_codings; i++) {
        struct ow_sets s = ow_knowledge_sets(u->j->kb, c->codings[i].system,
                                             c->codings[i].code);

        ow_sets_join(&ret, of_2016 ? sets_of_2016(s) : s);
    }
    return ret;
}

bool ow_pub_in(const struct ow_pub *u, const struct ow_concept *c, enum ow_set set)
{
    struct ow_sets s = ow_pub_sets(u, c);

    return ow_sets_has(&s, set);
}

bool ow_pub_more_in(const struct ow_pub *u, const struct ow_record *r, const char *of,
                    enum ow_set set)
{
    for (size_t i = 0; i < r->n_more; i++)
        if (ow_streq(r->more_of[i], of) && ow_pub_in(u, &r->more[i], set))
            return true;
    return false;
}

/* ---- days ---- */

bool ow_pub_day(const struct ow_pub *u, struct ow_span s, int64_t *ret)
{
    const struct ow_zone *zone = u->j->q->zone;
    int64_t day;

    if (s.from == OW_TIME_MIN || s.until == OW_TIME_MAX || s.until <= s.from)
        return false;
    day = ow_zone_day(zone, s.from);
    if (ow_zone_day(zone, s.until - 1) != day)
        return false;
    *ret = day;
    return true;
}

int64_t ow_pub_months_ago(const struct ow_pub *u, int months)
{
    struct ow_civil c = ow_civil_from_utc(u->today * OW_DAY);
    int n = c.year * 12 + c.month - 1 - months;

    c.year = n / 12;
    c.month = n % 12 + 1;
    while (!ow_date_valid(c.year, c.month, c.day))
        c.day--; /* the last day of a shorter month */
    return ow_civil_to_utc(&c) / OW_DAY;
}

bool ow_pub_days(const struct ow_pub *u, int64_t day, int64_t first, int64_t last)
{
    return day >= u->today - first && day <= u->today - last;
}

bool ow_pub_on(const struct ow_pub *u, const struct ow_record *r, int64_t first,
               int64_t last)
{
    int64_t day;

    return r->has_when && ow_ends_with(r->when_of, "DateTime") &&
           ow_pub_day(u, r->when, &day) && ow_pub_days(u, day, first, last);
}

static bool is_period(const struct ow_record *r)
{
    return r->has_when &&
           (ow_ends_with(r->when_of, "Period") || ow_streq(r->when_of, "period"));
}

/* First and last day of a Period that has both ends. */
static bool period_days(const struct ow_pub *u, const struct ow_record *r, int64_t *first,
                        int64_t *last)
{
    const struct ow_zone *zone = u->j->q->zone;

    if (!is_period(r) || r->when.from == OW_TIME_MIN || r->when.until == OW_TIME_MAX)
        return false;
    *first = ow_zone_day(zone, r->when.from);
    *last = ow_zone_day(zone, r->when.until - 1);
    return true;
}

bool ow_pub_within(const struct ow_pub *u, const struct ow_record *r, int64_t first,
                   int64_t last)
{
    int64_t from, to;

    return period_days(u, r, &from, &to) && ow_pub_days(u, from, first, last) &&
           ow_pub_days(u, to, first, last);
}

/* ---- records ---- */

const struct ow_record *ow_pub_record(const struct ow_pub *u,
                                      const struct ow_record *after, const char *type,
                                      enum ow_set set)
{
    const struct ow_record *r = after;

    while ((r = ow_record_next(u->j, r, type, NULL)) != NULL)
        if (!r->component && ow_pub_in(u, &r->code, set))
            return r;
    return NULL;
}

bool ow_pub_category(const struct ow_pub *u, const struct ow_record *r, enum ow_set set)
{
    for (size_t i = 0; i < r->n_categories; i++)
        if (ow_pub_in(u, &r->categories[i], set))
            return true;
    return false;
}

const struct ow_record *ow_pub_condition(const struct ow_pub *u,
                                         const struct ow_record *after, enum ow_set set,
                                         bool active)
{
    const struct ow_record *r = after;

    while ((r = ow_pub_record(u, r, "Condition", set)) != NULL)
        if ((ow_pub_category(u, r, OW_SET_CONDITION_ENCOUNTER_DIAGNOSIS_CATEGORY) ||
             ow_pub_category(u, r, OW_SET_CONDITION_PROBLEM_LIST_CATEGORY) ||
             ow_pub_category(u, r, OW_SET_CONDITION_US_CORE_HEALTH_CONCERN_CATEGORY)) &&
            (!active || ow_streq(r->status, "active")))
            return r;
    return NULL;
}

/* Began within a year, today included; discharged to hospice. */
bool ow_pub_hospice_encounter(const struct ow_pub *u, const struct ow_record *r)
{
    static const char *const standing[] = { "planned", "arrived", "in-progress",
                                            "finished", "onleave" };
    bool stands = false;
    int64_t day;

    for (size_t i = 0; i < OW_LEN(standing); i++)
        stands |= ow_streq(r->status, standing[i]);
    if (!stands || !is_period(r) || r->when.from == OW_TIME_MIN)
        return false;
    day = ow_zone_day(u->j->q->zone, r->when.from);
    return day >= ow_pub_months_ago(u, 12) && day <= u->today &&
           ow_pub_more_in(u, r, "dischargeDisposition", OW_SET_HOSPICE_DISPOSITION);
}

/* ---- orders ---- */

/* expectedSupplyDuration in days; a unit that they do not know is no duration. */
static bool days_of(const struct ow_quantity *q, struct ow_ratio *ret)
{
    static const struct {
        const char *code;
        int64_t num, den; /* days in one */
    } units[] = {
        {"a",    365, 1       },
        { "mo",  30,  1       },
        { "wk",  7,   1       },
        { "d",   1,   1       },
        { "h",   1,   24      },
        { "min", 1,   1440    },
        { "s",   1,   86400   },
        { "ms",  1,   86400000},
    };

    for (size_t i = 0; q->has_value && i < OW_LEN(units); i++)
        if (ow_streq(q->code, units[i].code))
            return ow_ratio_mul(q->value, OW_RATIO(units[i].num, units[i].den), ret);
    return false;
}

static const struct ow_item *item_of(const struct ow_judge *j, const struct ow_order *o,
                                     size_t *at)
{
    if (*at < j->n_items && j->items[*at].order == o)
        return &j->items[(*at)++];
    return NULL; /* items stand in the order of the chart */
}

void ow_pub_orders_read(struct ow_pub *u)
{
    const struct ow_chart *chart = u->j->chart;
    struct ow_pub_order *list = OW_NEW_N(u->j->arena, struct ow_pub_order,
                                         chart->n_orders);
    size_t at = 0;

    for (size_t i = 0; i < chart->n_orders; i++) {
        const struct ow_order *o = &chart->orders[i];
        const struct ow_item *item = item_of(u->j, o, &at);
        struct ow_pub_order *x;

        if (o->kind != OW_REQUEST && o->kind != OW_DISPENSE)
            continue;
        x = &list[u->n_orders++];
        *x = (struct ow_pub_order){ .order = o, .item = item };
        x->by_code = o->medication.reference == NULL;
        /* they look for a Medication resource of that id, never inside the order */
        if (x->by_code || o->medication.reference[0] != '#')
            x->drug = ow_pub_sets(u, &o->medication.code);
        x->community = (o->categories & OW_CATEGORY_COMMUNITY) != 0;
        x->dated = o->has_authored && ow_pub_day(u, o->authored, &x->day);
        x->has_days = days_of(&o->supply_duration, &x->days);
    }
    u->orders = list;
}

static bool is_in(const struct ow_pub_order *x, enum ow_set set)
{
    return ow_sets_has(&x->drug, set);
}

bool ow_pub_active(const struct ow_pub *u, const struct ow_pub_order *x)
{
    return x->order->kind == OW_REQUEST && !x->order->is_draft && x->community &&
           x->order->status == OW_STATUS_ACTIVE && x->dated && x->day <= u->today &&
           x->day >= ow_pub_months_ago(u, 24);
}

const struct ow_pub_order *
ow_pub_active_next(const struct ow_pub *u, const struct ow_pub_order *x, enum ow_set set)
{
    for (x = x != NULL ? x + 1 : u->orders; x != u->orders + u->n_orders; x++)
        if (is_in(x, set) && ow_pub_active(u, x))
            return x;
    return NULL;
}

bool ow_pub_triggers(const struct ow_pub *u, const struct ow_pub_order *x)
{
    const struct ow_order *o = x->order;

    if (o->kind != OW_REQUEST)
        return false;
    if (u->view)
        return ow_pub_active(u, x);
    if (u->j->chart->hook != OW_HOOK_NONE)
        return o->is_draft;
    return o->is_draft || o->status == OW_STATUS_DRAFT || ow_pub_active(u, x);
}

const struct ow_pub_order *ow_pub_prescribed(const struct ow_pub *u,
                                             const struct ow_pub_order *x)
{
    for (x = x != NULL ? x + 1 : u->orders; x != u->orders + u->n_orders; x++)
        if (is_in(x, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL) &&
            x->community && ow_pub_triggers(u, x))
            return x;
    return NULL;
}

bool ow_pub_supply_28(const struct ow_pub_order *x)
{
    return x->has_days && ow_ratio_cmp(x->days, OW_RATIO(28, 1)) >= 0;
}

bool ow_pub_supply_below_28(const struct ow_pub_order *x)
{
    return x->has_days && ow_ratio_cmp(x->days, OW_RATIO(28, 1)) < 0;
}

const struct ow_pub_order *ow_pub_chronic(const struct ow_pub *u,
                                          const struct ow_pub_order *after)
{
    const struct ow_pub_edition *e = ow_pub_edition(u->j);

    while ((after = ow_pub_prescribed(u, after)) != NULL)
        if (e->chronic(u, after))
            return after;
    return NULL;
}

/* ---- naive ---- */

const struct ow_pub_order *ow_pub_past_order(const struct ow_pub *u,
                                             const struct ow_pub_order *after)
{
    while ((after = ow_pub_active_next(
                u, after, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL)) !=
           NULL)
        if (ow_pub_days(u, after->day, 90, 1))
            return after;
    return NULL;
}

const struct ow_pub_order *ow_pub_past_dispense(const struct ow_pub *u,
                                                const struct ow_pub_order *x)
{
    for (x = x != NULL ? x + 1 : u->orders; x != u->orders + u->n_orders; x++)
        if (x->order->kind == OW_DISPENSE && x->by_code && x->dated &&
            x->order->status == OW_STATUS_COMPLETED &&
            is_in(x, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL) &&
            ow_pub_days(u, x->day, 90, 1))
            return x;
    return NULL;
}

bool ow_pub_naive(const struct ow_pub *u)
{
    return ow_pub_past_order(u, NULL) == NULL && ow_pub_past_dispense(u, NULL) == NULL;
}

/* ---- days on opioids ---- */

struct days { /* both ends in it */
    int64_t from, to;
};

static int days_order(const void *pa, const void *pb)
{
    const struct days *a = pa, *b = pb;

    return (a->from > b->from) - (a->from < b->from);
}

/* Orders of any status, category and age, by code, from their day for as many whole days
 * as they supply. A draft is none of them. */
static size_t supplies_of(const struct ow_pub *u, struct days *list, struct days within)
{
    size_t n = 0;

    for (size_t i = 0; i < u->n_orders; i++) {
        const struct ow_pub_order *x = &u->orders[i];
        struct days d;

        if (x->order->kind != OW_REQUEST || x->order->is_draft || !x->by_code ||
            !x->dated || !x->has_days ||
            !is_in(x, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL))
            continue;
        d.from = x->day > within.from ? x->day : within.from;
        d.to = x->day + ow_ratio_floor(x->days);
        d.to = d.to < within.to ? d.to : within.to;
        if (d.from <= d.to)
            list[n++] = d;
    }
    return n;
}

/* Overlapping and adjoining ones made one; of each its last day less its first: seven
 * days of supply count as seven, a single day as none. */
static int64_t days_on_opioids(const struct ow_pub *u, int64_t from, int64_t to)
{
    struct days *list = OW_NEW_N(u->j->arena, struct days, u->n_orders);
    size_t n = supplies_of(u, list, (struct days){ from, to });
    int64_t ret = 0;

    qsort(list, n, sizeof *list, days_order);
    for (size_t i = 0; i < n;) {
        struct days d = list[i++];

        for (; i < n && list[i].from <= d.to + 1; i++)
            d.to = list[i].to > d.to ? list[i].to : d.to;
        ret += d.to - d.from;
    }
    return ret;
}

/* A visit that began after the day 12 months and a day ago and ended before yesterday:
 * they compare instants with days, which decides nothing on the days themselves. */
static bool office_visit(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;
    int64_t from, to, edge = ow_pub_months_ago(u, 12) - 1;

    while ((r = ow_record_next(u->j, r, "Encounter", NULL)) != NULL)
        if (ow_pub_more_in(u, r, "type", OW_SET_OFFICE_VISIT) &&
            period_days(u, r, &from, &to) && from > edge && to < u->today - 1)
            return true;
    return false;
}

bool ow_pub_on_opioids(const struct ow_pub *u)
{
    if (days_on_opioids(u, u->today - 10, u->today) >= 7 && office_visit(u))
        return true;
    for (int month = 3; month > 0; month--)
        if (days_on_opioids(u, ow_pub_months_ago(u, month),
                            ow_pub_months_ago(u, month - 1)) < 21)
            return false;
    return true;
}
