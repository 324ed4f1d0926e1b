#include "alerts/history.h"

#include "alerts/past.h"

static const struct ow_history_day nothing[OW_HISTORY_DAYS + 1] = {
    [0 ... OW_HISTORY_DAYS] = { .med = { 0, 1 } },
};

struct writing {
    struct ow_history_day *days; /* [0] is the day of the question */
    int64_t today;
};

static bool write_med(void *arg, int64_t first, int64_t until, struct ow_ratio med)
{
    const struct writing *w = arg;

    for (int64_t d = first; d < until; d++)
        w->days[w->today - d].med = med;
    return true;
}

static void mark_days(const struct writing *w, const struct ow_past *p)
{
    for (size_t i = 0; i < p->h.n_items; i++) {
        const struct ow_item *it = &p->h.items[i];
        int64_t first, until;

        if (!ow_item_opioid(it))
            continue;
        ow_past_days(p, it->taken, &first, &until);
        for (int64_t d = first; d < until; d++) {
            w->days[w->today - d].opioid = true;
            w->days[w->today - d].at_least |= it->role == OW_ROLE_UNREADABLE;
        }
    }
}

/* The first day that a dispense of the past stands on; after the last when none does. */
static int64_t first_day(const struct ow_past *p)
{
    int64_t ret = p->last + 1;

    for (size_t i = 0; i < p->h.n_items; i++) {
        int64_t first, until;

        ow_past_days(p, p->h.items[i].taken, &first, &until);
        if (first < until && first < ret)
            ret = first;
    }
    return ret;
}

static void write_past(struct writing *w, struct ow_past *p, struct ow_history *h)
{
    mark_days(w, p);
    if (!ow_past_sweep(p, write_med, w)) {
        for (int64_t d = 0; d <= OW_HISTORY_DAYS; d++)
            w->days[d].at_least = true;
        h->incomplete = true;
    }
    h->incomplete |= p->incomplete;
}

static bool any_past(const struct ow_judge *j)
{
    for (size_t i = 0; i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];

        if ((it->drug.kind == OW_DRUG_OPIOID || it->drug.kind == OW_DRUG_BARE) &&
            !it->order->is_draft)
            return true;
    }
    return false;
}

static struct ow_history *build(struct ow_judge *j, bool dispenses)
{
    struct ow_history *ret = OW_NEW(j->arena, struct ow_history);
    struct writing w = { .today = ow_zone_day(j->q->zone, j->q->at) };
    int64_t first = w.today - OW_HISTORY_DAYS, until = w.today;
    struct ow_past p;

    *ret = (struct ow_history){ .day = nothing, .incomplete = j->chart->n_missing > 0 };
    if (!any_past(j))
        return ret;
    w.days = OW_NEW_N(j->arena, struct ow_history_day, OW_HISTORY_DAYS + 1);
    for (int64_t i = 0; i <= OW_HISTORY_DAYS; i++)
        w.days[i].med = OW_ZERO;
    if (dispenses) {
        ow_past_read(j, first, w.today, OW_PAST_DISPENSES | OW_PAST_PLACED, &p);
        until = first_day(&p) - 1;
        write_past(&w, &p, ret);
    }
    if (first <= until) {
        ow_past_read(j, first, until, OW_PAST_PLACED, &p);
        write_past(&w, &p, ret);
    }
    ret->day = w.days;
    if (ow_history_opioid_days(ret, OW_HISTORY_DAYS, 0) > 0)
        ret->basis = dispenses ? "dispenses" : "orders";
    return ret;
}

const struct ow_history *ow_history_ordered(struct ow_judge *j)
{
    if (j->ordered == NULL)
        j->ordered = build(j, false);
    return j->ordered;
}

const struct ow_history *ow_history(struct ow_judge *j)
{
    int64_t today = ow_zone_day(j->q->zone, j->q->at);

    if (j->history == NULL)
        j->history = ow_past_any_dispense(j, today + 1 - j->policy->average_days, today)
                         ? build(j, true)
                         : ow_history_ordered(j);
    return j->history;
}

int64_t ow_history_opioid_days(const struct ow_history *h, int64_t most, int64_t least)
{
    int64_t ret = 0;

    ow_assert(0 <= least && most <= OW_HISTORY_DAYS);
    for (int64_t d = least; d <= most; d++)
        ret += h->day[d].opioid;
    return ret;
}

int64_t ow_history_days_of(const struct ow_history *h, int64_t most, int64_t least,
                           struct ow_ratio med)
{
    int64_t ret = 0;

    ow_assert(0 <= least && most <= OW_HISTORY_DAYS);
    for (int64_t d = least; d <= most; d++)
        ret += h->day[d].opioid && ow_ratio_cmp(h->day[d].med, med) >= 0;
    return ret;
}

bool ow_history_mean(const struct ow_history *h, int64_t most, int64_t least,
                     struct ow_ratio *ret)
{
    struct ow_ratio sum = OW_ZERO;

    ow_assert(0 <= least && least <= most && most <= OW_HISTORY_DAYS);
    for (int64_t d = least; d <= most; d++)
        if (h->day[d].opioid && !ow_ratio_add(sum, h->day[d].med, &sum))
            return false;
    return ow_history_opioid_days(h, most, least) > 0 &&
           ow_ratio_div(sum, OW_RATIO(most - least + 1, 1), ret);
}

bool ow_history_steady(const struct ow_history *h, int months)
{
    ow_assert(months >= 1 && months <= 12);
    for (int64_t m = 0; m < months; m++)
        if (ow_history_opioid_days(h, 30 * m + 30, 30 * m + 1) < 21)
            return false;
    return true;
}
