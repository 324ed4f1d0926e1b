/*
 * Rules about an opioid dose that falls: at once to nothing, or faster than is safe
 *
 * They carry the rank of a high dose: sudden stops and fast falls harm those who have
 * taken opioids for long. Nothing here asks for a dose to go up; it asks for a look.
 * [CDC-2022-R5]
 *
 * A patient under treatment of opioid use disorder, or turned over to it, has MME that
 * mean nothing here; then these rules say nothing.
 */
#include <stdlib.h>

#include "alerts/history.h"
#include "alerts/rule.h"
#include "alerts/timeline.h"

/* ---- abrupt-stop ---- */

/* Was the order to go on from now, and did somebody end it? */
static bool was_ended(struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_order *o = it->order;
    struct ow_item own = {
        .order = o, .drug = it->drug, .stands = true, .role = OW_ROLE_COUNTED
    };

    if (o->kind != OW_REQUEST || o->is_draft || o->do_not_perform ||
        (o->status != OW_STATUS_STOPPED && o->status != OW_STATUS_CANCELLED) ||
        o->intent == OW_INTENT_PROPOSAL || o->intent == OW_INTENT_PLAN ||
        o->intent == OW_INTENT_OPTION ||
        (it->drug.kind != OW_DRUG_OPIOID && it->drug.kind != OW_DRUG_BARE))
        return false;
    ow_judge_read(j, &own);
    return own.span.until > j->q->at && own.span.from <= j->q->at;
}

/* Does anything that is, or may be, an opioid go on within these days? */
static bool goes_on(const struct ow_judge *j, int64_t days)
{
    ow_time until = ow_time_add(j->q->at, days * OW_DAY);

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool maybe = ow_item_opioid(it) || (it->role == OW_ROLE_UNKNOWN &&
                                            (it->drug.like != NULL || it->drug.nameless));

        if (maybe &&
            (it->role == OW_ROLE_UNREADABLE || it->taken.until > it->taken.from) &&
            it->taken.from < until)
            return true;
    }
    return false;
}

/*
 * 50 MME/d or more on 60 of the last 90 days, an order that was to go on is stopped or
 * cancelled, and no opioid order goes on within 7 days. Undecided while orders are
 * missing: another one may go on.
 */
void ow_rule_abrupt_stop(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    const char **list = NULL;
    struct ow_finding *f;
    const char *days, *med, *text;
    size_t n = 0;
    int64_t had;

    if (!ow_rule_opioid_asked(p) || j->chart->n_missing > 0)
        return;
    for (size_t i = 0; i < j->n_all; i++) {
        if (!was_ended(j, &j->all[i]))
            continue;
        if (list == NULL)
            list = ow_rule_references(j, j->n_all);
        if (j->all[i].order->reference != NULL)
            list[n++] = j->all[i].order->reference;
    }
    if (list == NULL ||
        goes_on(j, ow_ratio_floor(ow_param(p, OW_PARAM_ABRUPT_STOP_AHEAD))))
        return;
    had = ow_history_days_of(ow_history(j), 90, 1, ow_param(p, OW_PARAM_ABRUPT_STOP_MED));
    if (had < ow_ratio_ceil(ow_param(p, OW_PARAM_ABRUPT_STOP_DAYS)) ||
        ow_history_opioid_days(ow_history(j), 7, 0) == 0)
        return;
    days = ow_say_int(j->arena, had);
    med = ow_say_ratio(j->arena, ow_param(p, OW_PARAM_ABRUPT_STOP_MED));
    text = ow_say(j->arena, OW_WORD_ABRUPT_STOP, med, days);
    f = ow_rule_finding(p, OW_TIER_CRITICAL, text,
                        ow_say(j->arena, OW_WORD_SUMMARY_ABRUPT_STOP, med, days), "");
    ow_rule_cite_edition(p, f, true, "CDC-2022-R5", NULL);
    f->evidence = list;
    f->n_evidence = n;
}

/* ---- fast-taper ---- */

struct fall {
    struct ow_ratio before, after; /* MME/d */
    struct ow_ratio share;
    bool at_once; /* over the share that is critical, from one day to the next */
    bool planned;
    ow_time at; /* of a planned one */
};

struct taper {
    struct ow_judge *j;
    struct ow_ratio month, at_once; /* shares */
    const struct ow_history *h;
    int64_t days;         /* over which a fall is measured: a month or a week */
    struct ow_ratio base; /* what the last 60 days had mostly */
    struct fall worst;
    bool any;
};

static int by_value(const void *x, const void *y)
{
    return ow_ratio_cmp(*(const struct ow_ratio *)x, *(const struct ow_ratio *)y);
}

enum { BASE_DAYS = 60, WEEK = 7 };

/* The middle one of the days: what one supply too early or too late does not move. */
static struct ow_ratio median(const struct ow_history *h, int64_t most, int64_t least)
{
    struct ow_ratio all[BASE_DAYS];
    size_t n = 0;

    ow_assert(most - least < BASE_DAYS);
    for (int64_t d = least; d <= most; d++)
        all[n++] = h->day[d].med;
    qsort(all, n, sizeof *all, by_value);
    return all[(n - 1) / 2];
}

static struct ow_ratio lesser(struct ow_ratio a, struct ow_ratio b)
{
    return ow_ratio_cmp(a, b) < 0 ? a : b;
}

/* By what share `after` is below `before`; zero when it is not. */
static struct ow_ratio share_of(struct ow_ratio before, struct ow_ratio after)
{
    struct ow_ratio ret;

    if (ow_ratio_cmp(after, before) >= 0 || !ow_ratio_sub(before, after, &ret) ||
        !ow_ratio_div(ret, before, &ret))
        return OW_ZERO;
    return ret;
}

static void keep_worst(struct taper *t, struct fall f)
{
    if (ow_ratio_cmp(f.share, t->month) <= 0 ||
        (t->any && f.at_once <= t->worst.at_once &&
         (f.at_once < t->worst.at_once || ow_ratio_cmp(f.share, t->worst.share) <= 0)))
        return;
    t->worst = f;
    t->any = true;
}

/* ---- what has come about ---- */

static bool fell_at_once(const struct taper *t, struct ow_ratio before,
                         struct ow_ratio now)
{
    struct ow_ratio least, later = now;

    if (!ow_ratio_mul(before, t->at_once, &least))
        return false;
    for (int64_t d = 1; d <= t->days; d++) {
        struct ow_ratio drop;

        if (ow_ratio_sub(lesser(t->h->day[d].med, before), later, &drop) &&
            ow_ratio_cmp(drop, least) > 0)
            return true;
        later = t->h->day[d].med;
    }
    return false;
}

static void look_back(struct taper *t, struct ow_ratio now)
{
    struct ow_ratio before = lesser(median(t->h, t->days + WEEK / 2, t->days - WEEK / 2),
                                    t->base);

    if (ow_ratio_positive(before))
        keep_worst(t, (struct fall){ .before = before,
                                     .after = now,
                                     .share = share_of(before, now),
                                     .at_once = fell_at_once(t, before, now) });
}

/* ---- what is planned ---- */

/* MME/d of an order at an instant. The end of a supply is no plan to take less: what
 * nothing takes the place of goes on as it last was. */
static struct ow_ratio item_at(const struct ow_item *it, ow_time at)
{
    struct ow_ratio ret = OW_ZERO;
    size_t n = it->dose.n_steps;

    if (it->role != OW_ROLE_COUNTED || at < it->taken.from ||
        (it->next != NULL && at >= it->taken.until))
        return ret;
    if (n < 2 || it->unplaced)
        return it->med;
    for (size_t i = 0; i < n; i++)
        if (ow_timeline_step(it, i).from <= at &&
            !ow_ratio_mul(it->dose.steps[i].high, it->factor.value, &ret))
            return it->med;
    return ret;
}

static bool total_at(const struct ow_judge *j, ow_time at, struct ow_ratio *ret)
{
    *ret = OW_ZERO;
    for (size_t i = 0; i < j->n_items; i++)
        if (!ow_ratio_add(*ret, item_at(&j->items[i], at), ret))
            return false;
    return true;
}

static void look_at(struct taper *t, ow_time at)
{
    ow_time since = ow_time_add(at, -t->days * OW_DAY);
    struct ow_ratio before, just_before, after;

    if (at <= t->j->q->at || at >= t->j->window.until)
        return;
    if (since < t->j->q->at)
        since = t->j->q->at;
    if (!total_at(t->j, since, &before) || !total_at(t->j, at - 1, &just_before) ||
        !total_at(t->j, at, &after))
        return;
    before = lesser(before, t->base);
    just_before = lesser(just_before, t->base);
    if (ow_ratio_positive(before))
        keep_worst(t, (struct fall){ .before = before,
                                     .after = after,
                                     .share = share_of(before, after),
                                     .at_once = ow_ratio_cmp(share_of(just_before, after),
                                                             t->at_once) > 0,
                                     .planned = true,
                                     .at = at });
}

static void look_ahead(struct taper *t)
{
    const struct ow_judge *j = t->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (it->role != OW_ROLE_COUNTED)
            continue;
        look_at(t, it->taken.from);
        for (size_t k = 1; !it->unplaced && k < it->dose.n_steps; k++)
            look_at(t, ow_timeline_step(it, k).from);
    }
}

/* ---- the rule ---- */

static bool is_treated(const struct ow_judge *j)
{
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_EXCLUDED)
            return true;
    return ow_fact(j, OW_FACT_OUD_TREATMENT) == 1;
}

/* What the present can be compared with: orders with orders, else supplies with
 * supplies. */
static const struct ow_history *comparable(struct ow_judge *j, struct ow_ratio *now)
{
    const struct ow_history *h = ow_history_ordered(j);
    const struct ow_total *total = &j->v->total;

    if (ow_history_opioid_days(h, BASE_DAYS, 1) == 0) {
        h = ow_history(j);
        total = &j->v->supplied;
    }
    if (!total->has_now || ow_history_opioid_days(h, BASE_DAYS, 1) == 0)
        return NULL;
    *now = total->now;
    return h;
}

static void taper_finding(struct ow_pending *p, const struct taper *t)
{
    struct ow_judge *j = p->j;
    const struct fall *w = &t->worst;
    const char **list = ow_rule_references(j, j->n_items);
    const char *before = ow_say_ratio(j->arena, w->before);
    const char *after = ow_say_ratio(j->arena, w->after);
    const char *days = ow_say_int(j->arena, t->days), *text, *percent;
    struct ow_ratio hundred;
    struct ow_finding *f;

    if (!ow_ratio_mul(w->share, OW_RATIO(100, 1), &hundred))
        hundred = OW_ZERO;
    percent = ow_say_ratio(j->arena, hundred);
    text = w->planned ? ow_say(j->arena, OW_WORD_TAPER_PLANNED, before, after, percent,
                               days, ow_say_date(j->arena, w->at, j->q->zone))
                      : ow_say(j->arena, OW_WORD_TAPER, before, after, percent, days);
    f = ow_rule_finding(p, w->at_once ? OW_TIER_CRITICAL : OW_TIER_WARNING, text, text,
                        "");
    ow_rule_cite_edition(p, f, w->at_once, "CDC-2022-R5", NULL);
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_COUNTED)
            ow_rule_also(f, list, j->items[i].order);
}

/*
 * A fall of over 10 %, in a month after a year or more of therapy, else in a week: over
 * 25 % at once is critical. Planned by the steps of the orders ahead, or come about since
 * the dose of a month (a week) ago. Measured against what the last 60 days had mostly
 * where that is less, so that the end of a short course on top is no fall.
 */
void ow_rule_fast_taper(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct taper t = { .j = j,
                       .month = ow_param(p, OW_PARAM_FAST_TAPER_SHARE),
                       .at_once = ow_param(p, OW_PARAM_FAST_TAPER_AT_ONCE) };
    struct ow_ratio now;

    if (!ow_rule_opioid_asked(p) || j->v->at_least || is_treated(j))
        return;
    t.h = comparable(j, &now);
    if (t.h == NULL || !ow_history_steady(t.h, 3))
        return;
    t.days = ow_history_steady(t.h, 12) ? 30 : WEEK;
    t.base = median(t.h, BASE_DAYS, 1);
    look_back(&t, now);
    look_ahead(&t);
    if (t.any)
        taper_finding(p, &t);
}
