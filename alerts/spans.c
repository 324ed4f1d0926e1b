#include "alerts/spans.h"

#include "base/text.h"

struct bounds { /* what the directions say about the beginning and the end */
    bool has_span;
    struct ow_span span;
    bool has_length;
    int64_t length_ms;
    int64_t last_ms;      /* the last time they name */
    int64_t backwards_ms; /* where one begins that ends before; 0: none does */
};

static struct bounds bounds_of(const struct ow_judge *j, const struct ow_item *it)
{
    struct ow_dose dose = it->dose;

    if (!it->has_dose || (it->flags & OW_FLAG_FROM_SUPPLY) != 0)
        ow_dosage_extent(j->kb, it->order, j->arena, &dose);
    return (struct bounds){ .has_span = dose.has_bounds,
                            .span = dose.bounds,
                            .has_length = dose.has_length,
                            .length_ms = dose.length_ms,
                            .last_ms = dose.last_ms,
                            .backwards_ms = dose.backwards_ms };
}

/* Days from quantity over daily units, for countable forms and liquids. */
static bool days_of_quantity(const struct ow_judge *j, const struct ow_item *it,
                             struct ow_ratio *ret)
{
    const struct ow_product *p = it->drug.product;
    struct ow_ratio all;

    if (p == NULL || !it->has_dose || it->dose.n_steps != 1 ||
        (it->flags & OW_FLAG_FROM_SUPPLY) != 0 ||
        p->strength_unit == OW_STRENGTH_MG_ACTUAT ||
        !ow_supply_amount(j->kb, it->order, p, j->arena, &all) ||
        !ow_ratio_div(all, it->dose.steps[0].high, ret))
        return false;
    return it->dose.basis != OW_BASIS_MCG_HOUR ||
           ow_ratio_mul(*ret, OW_RATIO(ow_patch_hours(p), 24), ret);
}

/* Milliseconds that the whole supply lasts, refills included. */
static bool supply_ms(const struct ow_judge *j, const struct ow_item *it, int64_t *ret)
{
    const struct ow_order *o = it->order;
    struct ow_ratio days, ms;

    if (!ow_supply_days(o, &days) && !days_of_quantity(j, it, &days))
        return false;
    if (o->has_refills && o->refills > 0 && o->refills < INT64_MAX &&
        !ow_ratio_mul(days, OW_RATIO(o->refills + 1, 1), &days))
        return false;
    if (!ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &ms)) /* all of it above zero */
        return false;
    *ret = ow_ratio_floor(ms);
    return true;
}

static ow_time start_of(const struct ow_judge *j, const struct ow_order *o,
                        const struct bounds *b)
{
    ow_time at = j->window.from;
    ow_time own = b->has_span && b->span.from != OW_TIME_MIN           ? b->span.from
                  : o->has_validity && o->validity.from != OW_TIME_MIN ? o->validity.from
                                                                       : OW_TIME_MIN;

    if (o->is_draft)
        return own > at ? own : at;
    if (own != OW_TIME_MIN)
        return own;
    return o->has_authored ? o->authored.from : OW_TIME_MIN;
}

static void span_out(struct ow_item *it, const char *reason)
{
    it->taken = (struct ow_span){ 0, 0 };
    it->stands = false;
    it->reason = reason;
    if (it->role != OW_ROLE_NOT_OPIOID)
        it->role = OW_ROLE_INACTIVE;
}

/* The directions say when it ends, and it has: out of force, or a draft out of joint. */
static void span_over(const struct ow_judge *j, struct ow_item *it)
{
    const char *day = ow_say_date(j->arena, it->span.until, j->q->zone);

    if (it->order->is_draft) { /* it is being signed all the same */
        it->taken = (struct ow_span){ j->window.from, OW_TIME_MAX };
        if (it->role != OW_ROLE_COUNTED)
            return;
        it->role = OW_ROLE_UNREADABLE;
        it->reason = ow_say(j->arena, OW_WORD_DRAFT_ENDED, day);
        return;
    }
    span_out(it, ow_say(j->arena, OW_WORD_ENDED, day));
}

/* The supply has ended and nobody ended the order. */
static void span_outlived(const struct ow_judge *j, struct ow_item *it)
{
    ow_time stale = ow_time_add(it->span.until, j->policy->stale_days * OW_DAY);

    it->flags |= OW_FLAG_SUPPLY_ENDED;
    it->taken.until = OW_TIME_MAX;
    if (j->window.from <= stale)
        return;
    it->flags |= OW_FLAG_STALE_ACTIVE;
    if (j->policy->count_stale)
        return;
    span_out(it, ow_say(j->arena, OW_WORD_SUPPLY_ENDED,
                        ow_say_date(j->arena, it->span.until, j->q->zone)));
}

/* The latest instant at which an order begins that begins at `from` or later: its last
 * day, when all that is known is a month or a year. */
static ow_time latest_start(const struct ow_order *o, ow_time from)
{
    const struct ow_span *a = &o->authored;

    if (from == OW_TIME_MIN || !o->has_authored || a->from != from ||
        (o->has_validity && o->validity.from == from) || a->until == OW_TIME_MAX ||
        a->until <= ow_time_add(a->from, OW_DAY + OW_HOUR))
        return from;
    return a->until - OW_DAY;
}

static bool authorizes(const struct ow_order *request, const struct ow_order *dispense)
{
    for (size_t i = 0; i < dispense->n_authorizing; i++)
        if (ow_streq(dispense->authorizing[i], request->reference))
            return true;
    return false;
}

/* Where the last of the dispenses that name the order runs out. */
static bool dispensed_until(const struct ow_judge *j, const struct ow_order *r,
                            ow_time *ret)
{
    bool found = false;

    for (size_t i = 0; j->has_dispenses && i < j->n_all; i++) {
        const struct ow_order *d = j->all[i].order;
        struct ow_ratio days, ms;
        ow_time end;

        if (d->kind != OW_DISPENSE || d->status != OW_STATUS_COMPLETED ||
            !d->has_authored || !authorizes(r, d) || !ow_supply_days(d, &days) ||
            !ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &ms))
            continue;
        end = ow_time_add(latest_start(d, d->authored.from), ow_ratio_floor(ms));
        *ret = !found || end > *ret ? end : *ret;
        found = true;
    }
    return found;
}

/* The end of the supply: what was ordered, or what was dispensed when that lasts longer.
 */
static ow_time supply_until(const struct ow_judge *j, const struct ow_item *it,
                            ow_time first)
{
    int64_t ms = 0;
    ow_time until = OW_TIME_MAX, end = OW_TIME_MAX;
    bool ordered = first != OW_TIME_MIN && supply_ms(j, it, &ms);

    if (ordered)
        until = ow_time_add(first, ms);
    if (it->order->kind == OW_REQUEST && dispensed_until(j, it->order, &end) &&
        (!ordered || end > until))
        until = end;
    return until;
}

/* Do the directions end before a beginning that is still to come: as a whole, or all that
 * is not over of them? A supply that ended is no end of directions that go on. */
static bool is_backwards(const struct ow_judge *j, const struct bounds *b, bool bounded,
                         struct ow_span span)
{
    return (span.until <= span.from && span.from > j->window.from) ||
           (bounded && b->backwards_ms > 0 && span.until <= j->window.from && /* a span */
            ow_time_add(b->span.from, b->backwards_ms) > j->window.from);
}

void ow_span_read(const struct ow_judge *j, struct ow_item *it)
{
    struct bounds b = bounds_of(j, it);
    ow_time from = start_of(j, it->order, &b), until = OW_TIME_MAX;
    ow_time first = latest_start(it->order, from);

    it->unplaced = from == OW_TIME_MIN || first != from;

    if (b.has_span && b.span.until != OW_TIME_MAX) {
        until = b.span.until;
        it->bounded = true;
    } else if (b.has_length && first != OW_TIME_MIN) {
        until = ow_time_add(first, b.length_ms);
        it->bounded = true;
    } else {
        until = supply_until(j, it, first);
        if (until != OW_TIME_MAX && first != OW_TIME_MIN &&
            until <= ow_time_add(first, b.last_ms))
            until = OW_TIME_MAX; /* directions that name that time or a later one last
                                    longer */
    }
    if (is_backwards(j, &b, it->bounded, (struct ow_span){ from, until }) &&
        !it->order->is_draft) {
        until = OW_TIME_MAX;
        it->bounded = false;
        if (it->role == OW_ROLE_COUNTED) {
            it->role = OW_ROLE_UNREADABLE;
            it->reason = ow_word(j->arena, OW_WORD_BACKWARDS);
        }
    }
    it->has_length = until != OW_TIME_MAX;
    if (!it->has_length)
        it->flags |= OW_FLAG_OPEN_ENDED;
    it->span = it->taken = (struct ow_span){ from, until };
    if (until > j->window.from)
        return;
    if (it->bounded || it->order->kind == OW_DISPENSE)
        span_over(j, it); /* what was dispensed has been taken */
    else
        span_outlived(j, it);
}
