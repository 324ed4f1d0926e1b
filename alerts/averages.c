/*
 * The four denominators over one reading of the past.
 */
#include "alerts/averages.h"

#include "alerts/past.h"

struct figures {
    struct ow_ratio total, highest;
    int64_t opioid_days;
};

static bool count_days(void *arg, int64_t first, int64_t until, struct ow_ratio med)
{
    struct figures *f = arg;
    struct ow_ratio sum;

    f->opioid_days += until - first;
    if (ow_ratio_cmp(med, f->highest) > 0)
        f->highest = med;
    return ow_ratio_mul(med, OW_RATIO(until - first, 1), &sum) &&
           ow_ratio_add(f->total, sum, &f->total);
}

static void average_of(struct ow_arena *arena, const struct figures *f,
                       struct ow_average *a, int64_t days)
{
    a->days = days;
    a->has_value = days > 0 && ow_ratio_div(f->total, OW_RATIO(days, 1), &a->value);
    if (a->has_value)
        a->derivation = ow_say(arena, OW_WORD_AVERAGE, ow_say_ratio(arena, f->total),
                               ow_say_int(arena, days), ow_say_ratio(arena, a->value));
}

static void fill(const struct ow_past *p, const struct figures *f,
                 struct ow_averages *ret)
{
    struct ow_arena *arena = p->h.arena;

    ret->list[0].name = "per-supply-day";
    ret->list[1].name = "per-opioid-day";
    ret->list[2].name = "per-window-day";
    ret->list[3].name = "highest-day";
    if (f->opioid_days == 0)
        return;
    ret->basis = p->dispenses ? "dispenses" : "orders";
    average_of(arena, f, &ret->list[0], p->supply_days);
    average_of(arena, f, &ret->list[1], f->opioid_days);
    average_of(arena, f, &ret->list[2], ret->days);
    ret->list[3].days = 1;
    ret->list[3].has_value = true;
    ret->list[3].value = f->highest;
    ret->list[3].derivation = ow_say(arena, OW_WORD_HIGHEST_DAY,
                                     ow_say_ratio(arena, f->highest));
}

void ow_averages_build(struct ow_judge *j)
{
    struct figures f = { OW_ZERO, OW_ZERO, 0 };
    struct ow_averages *ret = &j->v->averages;
    int64_t last = ow_zone_day(j->q->zone, j->q->at);
    int64_t first = last + 1 - j->policy->average_days;
    struct ow_past p;

    ow_past_read(j, first, last,
                 ow_past_any_dispense(j, first, last) ? OW_PAST_DISPENSES : 0, &p);
    ret->window = p.h.window;
    ret->days = j->policy->average_days;
    if (!ow_past_sweep(&p, count_days, &f)) { /* too fine to be added exactly */
        f.opioid_days = 0;
        p.incomplete = true;
    }
    ret->at_least = p.incomplete || j->chart->n_missing > 0;
    fill(&p, &f, ret);
}
