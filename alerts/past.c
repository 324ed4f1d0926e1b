/*
 * The past is judged by the same machinery as the present: copies of the items, a window
 * that lies before the question, and what has ended since then standing again. Then one
 * sweep over the first and last days, as the timeline does over instants.
 */
#include "alerts/past.h"

#include <stdlib.h>

#include "alerts/roles.h"
#include "alerts/spans.h"
#include "alerts/timeline.h"
#include "base/text.h"

struct past_event {
    int64_t day;
    bool start, banded; /* an amount of methadone in mg instead of MME */
    struct ow_ratio value;
};

/* ---- days ---- */

/* Days that a span takes: a part counts as one, but for the hour of a clock change. */
static int64_t days_in(ow_time from, ow_time until)
{
    int64_t ms;

    if (__builtin_sub_overflow(until, from, &ms))
        ms = INT64_MAX;
    return ms <= OW_DAY ? 1 : (ms - OW_HOUR - 1) / OW_DAY + 1;
}

/* ---- who was there ---- */

static bool is_opioid(const struct ow_item *it)
{
    return it->drug.kind == OW_DRUG_OPIOID || it->drug.kind == OW_DRUG_BARE;
}

static bool was_ordered(const struct ow_order *o)
{
    if (o->kind != OW_REQUEST || o->is_draft || o->do_not_perform ||
        o->intent == OW_INTENT_PROPOSAL || o->intent == OW_INTENT_PLAN ||
        o->intent == OW_INTENT_OPTION)
        return false;
    return o->status == OW_STATUS_ACTIVE || o->status == OW_STATUS_COMPLETED ||
           o->status == OW_STATUS_STOPPED;
}

static bool was_dispensed(const struct ow_item *it)
{
    return it->order->kind == OW_DISPENSE && it->order->status == OW_STATUS_COMPLETED &&
           is_opioid(it);
}

/* From its hand-over as long as its days' supply, else as its directions say. */
static void place_dispense(struct ow_past *p, struct ow_item *it)
{
    const struct ow_order *o = it->order;
    struct ow_ratio days, ms;
    ow_time from = o->has_authored ? o->authored.from : OW_TIME_MIN;

    if (from == OW_TIME_MIN) {
        it->taken = (struct ow_span){ 0, 0 };
        p->incomplete = true;
        return;
    }
    if (ow_supply_days(o, &days) && ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &ms))
        it->span = it->taken = (struct ow_span){ from,
                                                 ow_time_add(from, ow_ratio_ceil(ms)) };
    else if (it->taken.until == OW_TIME_MAX)
        it->taken = (struct ow_span){ from, ow_time_add(from, OW_DAY) };
}

static void place_order(struct ow_past *p, struct ow_item *it)
{
    bool open = it->taken.until == OW_TIME_MAX;

    if ((it->flags & OW_FLAG_SUPPLY_ENDED) != 0) { /* its supply, not its status */
        it->taken = (struct ow_span){ 0, 0 };
    } else if (open && it->order->status != OW_STATUS_ACTIVE) {
        it->taken = (struct ow_span){ 0, 0 }; /* ended, and nobody says when */
        p->incomplete = true;
    }
}

static void judge_past(struct ow_past *p, struct ow_item *it)
{
    it->stands = true;
    it->role = OW_ROLE_COUNTED;
    ow_judge_read(&p->h, it);
    if (it->order->kind == OW_DISPENSE)
        place_dispense(p, it);
    else
        place_order(p, it);
    if (p->placed && it->taken.from == OW_TIME_MIN) {
        it->taken = (struct ow_span){ 0, 0 };
        p->incomplete = true;
    }
}

/* An opioid of the window whose dose cannot be had, or not be added exactly. */
static bool any_unreadable(const struct ow_judge *h)
{
    for (size_t i = 0; i < h->n_items; i++)
        if (h->items[i].role == OW_ROLE_UNREADABLE &&
            h->items[i].taken.from < h->window.until &&
            h->items[i].taken.until > h->window.from)
            return true;
    return false;
}

static bool was_there(const struct ow_past *p, const struct ow_item *it)
{
    return is_opioid(it) && (p->dispenses ? was_dispensed(it) : was_ordered(it->order));
}

/* Copies of what was there, without what was said or decided about the present. */
static void gather(struct ow_past *p, const struct ow_judge *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n_all; i++)
        n += was_there(p, &j->all[i]);
    p->h.items = OW_NEW_N(j->arena, struct ow_item, n);
    p->h.n_items = 0;
    for (size_t i = 0; n > 0 && i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];

        if (!was_there(p, it))
            continue;
        p->h.items[p->h.n_items] = (struct ow_item){ .order = it->order,
                                                     .drug = it->drug };
        judge_past(p, &p->h.items[p->h.n_items++]);
    }
}

static bool same_ingredient(const struct ow_item *a, const struct ow_item *b)
{
    return a->drug.ingredient != NULL && ow_streq(a->drug.ingredient, b->drug.ingredient);
}

/* Nobody says when an order was stopped: at the latest, here, when another order of the
 * same ingredient began after it. */
static void cut_stopped(struct ow_past *p)
{
    for (size_t i = 0; i < p->h.n_items; i++) {
        struct ow_item *a = &p->h.items[i];

        for (size_t k = 0; a->order->status == OW_STATUS_STOPPED && k < p->h.n_items;
             k++) {
            const struct ow_item *b = &p->h.items[k];

            if (b->taken.until > b->taken.from && b->span.from > a->span.from &&
                b->span.from < a->taken.until && same_ingredient(a, b))
                a->taken.until = b->span.from;
        }
    }
}

/* One dispense told by two servers is one dispense. */
static void drop_repeats(struct ow_past *p)
{
    for (size_t i = 0; i < p->h.n_items; i++)
        for (size_t k = 0; k < i; k++)
            if (p->h.items[k].role == OW_ROLE_COUNTED &&
                ow_roles_same(&p->h.items[k], &p->h.items[i]))
                p->h.items[i].role = OW_ROLE_REPLACED;
}

bool ow_past_any_dispense(const struct ow_judge *j, int64_t first, int64_t last)
{
    struct ow_span window = { ow_zone_day_at(j->q->zone, first),
                              ow_zone_day_at(j->q->zone, last + 1) };

    for (size_t i = 0; j->has_dispenses && i < j->n_all; i++) {
        const struct ow_order *o = j->all[i].order;
        struct ow_ratio days;
        int64_t ms = OW_DAY;

        if (!was_dispensed(&j->all[i]) || !o->has_authored)
            continue;
        if (ow_supply_days(o, &days) && ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &days))
            ms = ow_ratio_ceil(days);
        if (o->authored.from < window.until &&
            ow_time_add(o->authored.from, ms) > window.from)
            return true;
    }
    return false;
}

/* ---- the sweep ---- */

void ow_past_days(const struct ow_past *p, struct ow_span s, int64_t *first,
                  int64_t *until)
{
    const struct ow_zone *zone = p->h.q->zone;

    *first = *until = p->first;
    if (s.from >= s.until)
        return;
    *until = p->last + 1;
    if (s.from != OW_TIME_MIN) {
        *first = ow_zone_day(zone, s.from);
        if (s.until != OW_TIME_MAX && *first + days_in(s.from, s.until) < *until)
            *until = *first + days_in(s.from, s.until);
    } else if (s.until != OW_TIME_MAX && ow_zone_day(zone, s.until - 1) + 1 < *until) {
        *until = ow_zone_day(zone, s.until - 1) + 1;
    }
    *first = *first > p->first ? *first : p->first;
}

static void add_days(struct ow_past *p, const struct ow_item *it, struct ow_span s,
                     struct ow_ratio amount)
{
    int64_t from, until;
    struct ow_ratio value = amount;

    ow_past_days(p, s, &from, &until);
    if (from >= until)
        return;
    /* ow_timeline_admit has seen to it that this fits */
    ow_assert(it->drug.methadone || ow_ratio_mul(amount, it->factor.value, &value));
    p->supply_days += until - from;
    p->events[p->n++] = (struct past_event){ from, true, it->drug.methadone, value };
    p->events[p->n++] = (struct past_event){ until, false, it->drug.methadone, value };
}

static void add_item(struct ow_past *p, const struct ow_item *it)
{
    if (it->drug.methadone)
        p->methadone = it;
    if (p->dispenses && it->has_supplied) {
        add_days(p, it, it->taken, it->supplied);
        return;
    }
    for (size_t i = 0; i < it->dose.n_steps; i++)
        add_days(p, it, ow_timeline_step(it, i), it->dose.steps[i].high);
}

static int by_day(const void *x, const void *y)
{
    const struct past_event *a = x, *b = y;

    return a->day != b->day ? (a->day < b->day ? -1 : 1) : (int)a->start - (int)b->start;
}

struct sums {
    struct ow_ratio med, mg;
};

/* MME of a day with these sums. */
static bool day_value(const struct ow_past *p, const struct sums *s, struct ow_ratio *ret)
{
    struct ow_ratio factor, med;

    *ret = s->med;
    if (!ow_ratio_positive(s->mg))
        return true;
    factor = ow_timeline_banded(&p->h, p->methadone, s->mg);
    return ow_ratio_mul(s->mg, factor, &med) && ow_ratio_add(*ret, med, ret);
}

bool ow_past_sweep(struct ow_past *p, ow_past_fn *fn, void *arg)
{
    struct sums s = { OW_ZERO, OW_ZERO };

    if (p->n > 0)
        qsort(p->events, p->n, sizeof *p->events, by_day);
    for (size_t i = 0; i < p->n; i++) {
        const struct past_event *e = &p->events[i];
        struct ow_ratio *sum = e->banded ? &s.mg : &s.med, value;

        if (!(e->start ? ow_ratio_add(*sum, e->value, sum)
                       : ow_ratio_sub(*sum, e->value, sum)))
            return false;
        if (i + 1 == p->n || p->events[i + 1].day == e->day)
            continue;
        if (!day_value(p, &s, &value) ||
            (ow_ratio_positive(value) && !fn(arg, e->day, p->events[i + 1].day, value)))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

void ow_past_read(struct ow_judge *j, int64_t first, int64_t last, unsigned how,
                  struct ow_past *ret)
{
    struct ow_past *p = ret;
    size_t most = 0;

    *p = (struct ow_past){
        .h = *j,
        .dispenses = (how & OW_PAST_DISPENSES) != 0,
        .placed = (how & OW_PAST_PLACED) != 0,
        .first = first,
        .last = last,
    };
    p->h.window = (struct ow_span){ ow_zone_day_at(j->q->zone, first),
                                    ow_zone_day_at(j->q->zone, last + 1) };
    p->h.notes = NULL;
    p->h.n_notes = p->h.cap_notes = 0;
    gather(p, j);
    if (p->h.n_items == 0)
        return;
    if (p->dispenses)
        drop_repeats(p);
    else
        ow_roles_replace(&p->h);
    if (p->placed && !p->dispenses)
        cut_stopped(p);
    ow_timeline_admit(&p->h);
    p->incomplete |= any_unreadable(&p->h);
    for (size_t i = 0; i < p->h.n_items; i++)
        most += p->h.items[i].role == OW_ROLE_COUNTED ? 2 * p->h.items[i].dose.n_steps + 2
                                                      : 0;
    p->events = OW_NEW_N(j->arena, struct past_event, most);
    for (size_t i = 0; i < p->h.n_items; i++)
        if (p->h.items[i].role == OW_ROLE_COUNTED)
            add_item(p, &p->h.items[i]);
}
