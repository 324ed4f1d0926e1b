/*
 * The past is judged by the same machinery as the present: copies of the items, a window
 * that lies before the question, and what has ended since then standing again. Then one
 * sweep over the first and last days, as the timeline does over instants.
 */
#include "alerts/averages.h"

#include <stdlib.h>

#include "alerts/roles.h"
#include "alerts/spans.h"
#include "alerts/timeline.h"
#include "base/text.h"

struct event {
    int64_t day;
    bool start, banded; /* an amount of methadone in mg instead of MME */
    struct ow_ratio value;
};

struct past {
    struct ow_judge h; /* the judge of the past */
    bool dispenses, incomplete;
    int64_t first, last; /* local days of the window, both in it */
    struct event *events;
    size_t n;
    const struct ow_item *methadone;
    struct ow_ratio med, mg; /* running sums */
    struct ow_ratio total, highest;
    int64_t supply_days, opioid_days;
};

/* ---- days ---- */

/* Days that a span takes: a part counts as one, but for the hour of a clock change. */
static int64_t days_in(ow_time from, ow_time until)
{
    int64_t ms;

    if (__builtin_sub_overflow(until, from, &ms))
        ms = INT64_MAX;
    return ms <= OW_DAY ? 1 : (ms - OW_HOUR + OW_DAY - 1) / OW_DAY;
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
static void place_dispense(struct past *p, struct ow_item *it)
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
    else if (it->taken.until == OW_TIME_MAX || it->taken.from == OW_TIME_MIN)
        it->taken = (struct ow_span){ from, ow_time_add(from, OW_DAY) };
}

static void place_order(struct past *p, struct ow_item *it)
{
    bool open = it->taken.until == OW_TIME_MAX;

    if ((it->flags & OW_FLAG_SUPPLY_ENDED) != 0) { /* its supply, not its status */
        it->taken = (struct ow_span){ 0, 0 };
    } else if (open && it->order->status != OW_STATUS_ACTIVE) {
        it->taken = (struct ow_span){ 0, 0 }; /* ended, and nobody says when */
        p->incomplete = true;
    }
}

static void judge_past(struct past *p, struct ow_item *it)
{
    it->stands = true;
    it->role = OW_ROLE_COUNTED;
    ow_judge_read(&p->h, it);
    if (it->order->kind == OW_DISPENSE)
        place_dispense(p, it);
    else
        place_order(p, it);
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

/* Copies of what was there, without what was said or decided about the present. */
static void gather(struct past *p, const struct ow_judge *j)
{
    p->h.items = OW_NEW_N(j->arena, struct ow_item, j->n_all);
    p->h.n_items = 0;
    for (size_t i = 0; i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];

        if (!is_opioid(it) ||
            !(p->dispenses ? was_dispensed(it) : was_ordered(it->order)))
            continue;
        p->h.items[p->h.n_items] = (struct ow_item){ .order = it->order,
                                                     .drug = it->drug };
        judge_past(p, &p->h.items[p->h.n_items++]);
    }
}

/* One dispense told by two servers is one dispense. */
static void drop_repeats(struct past *p)
{
    for (size_t i = 0; i < p->h.n_items; i++)
        for (size_t k = 0; k < i; k++)
            if (p->h.items[k].role == OW_ROLE_COUNTED &&
                ow_roles_same(&p->h.items[k], &p->h.items[i]))
                p->h.items[i].role = OW_ROLE_REPLACED;
}

static bool any_dispense(const struct ow_judge *j, struct ow_span window)
{
    for (size_t i = 0; i < j->n_all; i++) {
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

static void add_days(struct past *p, const struct ow_item *it, struct ow_span s,
                     struct ow_ratio amount)
{
    int64_t from = p->first, until = p->last + 1;
    struct ow_ratio value = amount;

    if (s.from >= s.until)
        return;
    if (s.from != OW_TIME_MIN) {
        from = ow_zone_day(p->h.q->zone, s.from);
        if (s.until != OW_TIME_MAX && from + days_in(s.from, s.until) < until)
            until = from + days_in(s.from, s.until);
    } else if (s.until != OW_TIME_MAX &&
               ow_zone_day(p->h.q->zone, s.until - 1) + 1 < until) {
        until = ow_zone_day(p->h.q->zone, s.until - 1) + 1;
    }
    from = from > p->first ? from : p->first;
    if (from >= until)
        return;
    /* ow_timeline_admit has seen to it that this fits */
    ow_assert(it->drug.methadone || ow_ratio_mul(amount, it->factor.value, &value));
    p->supply_days += until - from;
    p->events[p->n++] = (struct event){ from, true, it->drug.methadone, value };
    p->events[p->n++] = (struct event){ until, false, it->drug.methadone, value };
}

static void add_item(struct past *p, const struct ow_item *it)
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
    const struct event *a = x, *b = y;

    return a->day != b->day ? (a->day < b->day ? -1 : 1) : (int)a->start - (int)b->start;
}

/* MME of a day with these sums. */
static bool day_value(const struct past *p, struct ow_ratio *ret)
{
    struct ow_ratio factor, med;

    *ret = p->med;
    if (!ow_ratio_positive(p->mg))
        return true;
    factor = ow_timeline_banded(&p->h, p->methadone, p->mg);
    return ow_ratio_mul(p->mg, factor, &med) && ow_ratio_add(*ret, med, ret);
}

static bool count_days(struct past *p, int64_t days)
{
    struct ow_ratio value, sum;

    if (!day_value(p, &value))
        return false;
    if (!ow_ratio_positive(value))
        return true;
    p->opioid_days += days;
    if (ow_ratio_cmp(value, p->highest) > 0)
        p->highest = value;
    return ow_ratio_mul(value, OW_RATIO(days, 1), &sum) &&
           ow_ratio_add(p->total, sum, &p->total);
}

static bool sweep(struct past *p)
{
    qsort(p->events, p->n, sizeof *p->events, by_day);
    for (size_t i = 0; i < p->n; i++) {
        const struct event *e = &p->events[i];
        struct ow_ratio *sum = e->banded ? &p->mg : &p->med;

        if (!(e->start ? ow_ratio_add(*sum, e->value, sum)
                       : ow_ratio_sub(*sum, e->value, sum)))
            return false;
        if (i + 1 < p->n && p->events[i + 1].day > e->day &&
            !count_days(p, p->events[i + 1].day - e->day))
            return false;
    }
    return true;
}

/* ---- the four ---- */

static void average_of(const struct past *p, struct ow_average *a, int64_t days)
{
    struct ow_arena *arena = p->h.arena;

    a->days = days;
    a->has_value = days > 0 && ow_ratio_div(p->total, OW_RATIO(days, 1), &a->value);
    if (a->has_value)
        a->derivation = ow_say(arena, OW_WORD_AVERAGE, ow_say_ratio(arena, p->total),
                               ow_say_int(arena, days), ow_say_ratio(arena, a->value));
}

static void fill(struct past *p, struct ow_averages *ret)
{
    ret->list[0].name = "per-supply-day";
    ret->list[1].name = "per-opioid-day";
    ret->list[2].name = "per-window-day";
    ret->list[3].name = "highest-day";
    if (p->opioid_days == 0)
        return;
    ret->basis = p->dispenses ? "dispenses" : "orders";
    average_of(p, &ret->list[0], p->supply_days);
    average_of(p, &ret->list[1], p->opioid_days);
    average_of(p, &ret->list[2], p->last + 1 - p->first);
    ret->list[3].days = 1;
    ret->list[3].has_value = true;
    ret->list[3].value = p->highest;
    ret->list[3].derivation = ow_say(p->h.arena, OW_WORD_HIGHEST_DAY,
                                     ow_say_ratio(p->h.arena, p->highest));
}

void ow_averages_build(struct ow_judge *j)
{
    const struct ow_zone *zone = j->q->zone;
    struct past p = {
        .h = *j, .med = OW_ZERO, .mg = OW_ZERO, .total = OW_ZERO, .highest = OW_ZERO
    };
    struct ow_averages *ret = &j->v->averages;
    size_t most = 0;

    p.last = ow_zone_day(zone, j->q->at);
    p.first = p.last + 1 - j->policy->average_days;
    p.h.window = (struct ow_span){ ow_zone_day_at(zone, p.first),
                                   ow_zone_day_at(zone, p.last + 1) };
    p.h.notes = NULL;
    p.h.n_notes = p.h.cap_notes = 0;
    p.dispenses = any_dispense(j, p.h.window);
    gather(&p, j);
    if (p.dispenses)
        drop_repeats(&p);
    else
        ow_roles_replace(&p.h);
    ow_timeline_admit(&p.h);
    p.incomplete |= any_unreadable(&p.h);
    for (size_t i = 0; i < p.h.n_items; i++)
        most += p.h.items[i].role == OW_ROLE_COUNTED ? 2 * p.h.items[i].dose.n_steps + 2
                                                     : 0;
    p.events = OW_NEW_N(j->arena, struct event, most);
    for (size_t i = 0; i < p.h.n_items; i++)
        if (p.h.items[i].role == OW_ROLE_COUNTED)
            add_item(&p, &p.h.items[i]);
    ret->window = p.h.window;
    ret->days = j->policy->average_days;
    if (!sweep(&p)) { /* too fine to be added exactly */
        p.opioid_days = 0;
        p.incomplete = true;
    }
    ret->at_least = p.incomplete || j->chart->n_missing > 0;
    fill(&p, ret);
}
