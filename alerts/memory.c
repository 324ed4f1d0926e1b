/*
 * Of all that was told, the latest to this prescriber about the same rule and cause
 * decides; what came before it was settled then.
 */
#include "alerts/memory.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/judge.h"
#include "base/text.h"

enum { SNOOZE_DAYS_MOST = 2 * 366 };

/* ---- sets of names: sorted, joined by blanks ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *names_join(struct ow_arena *arena, const char **list, size_t n)
{
    const char **parts = OW_NEW_N(arena, const char *, 2 * n + 1);
    size_t k = 0;

    if (n > 1)
        qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(list[i], list[i - 1]) == 0)
            continue;
        if (k > 0)
            parts[k++] = " ";
        parts[k++] = list[i];
    }
    return ow_arena_join(arena, parts, k);
}

static bool names_hold(const char *names, const char *name, size_t len)
{
    for (const char *at = names; *at != '\0'; at += *at == ' ') {
        size_t n = strcspn(at, " ");

        if (n == len && strncmp(at, name, n) == 0)
            return true;
        at += n;
    }
    return false;
}

/* Is there a name in `now` that was not in `then`? Not known then: nothing is new. */
static bool names_new(const char *now, const char *then)
{
    if (then == NULL)
        return false;
    for (const char *at = now; *at != '\0'; at += *at == ' ') {
        size_t n = strcspn(at, " ");

        if (!names_hold(then, at, n))
            return true;
        at += n;
    }
    return false;
}

/* Sedatives that alert, beside the opioids. */
static const char *classes_of(struct ow_judge *j)
{
    const char **list = OW_NEW_N(j->arena, const char *, j->v->n_sedatives);
    size_t n = 0;

    for (size_t i = 0; i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];

        if (s->tier <= 2 && s->overlap_days > 0)
            list[n++] = s->cls;
    }
    return names_join(j->arena, list, n);
}

/* Who signs a draft is who asks, whatever the draft says of it. */
static const char *prescribers_of(struct ow_judge *j)
{
    const char **list = OW_NEW_N(j->arena, const char *, j->n_items);
    size_t n = 0;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *who = it->order->prescriber;

        if (it->order->is_draft && j->q->prescriber != NULL)
            who = j->q->prescriber;
        if (who != NULL && strchr(who, ' ') == NULL && ow_item_opioid(it))
            list[n++] = who;
    }
    return names_join(j->arena, list, n);
}

/* ---- what ends a silence early ---- */

static bool dose_rose(const struct ow_judge *j, const struct ow_told *t)
{
    const struct ow_total *total = &j->v->total;
    struct ow_ratio limit;

    if (!total->has_peak)
        return false;
    if (!t->has_med || !ow_ratio_mul(t->med, j->policy->memory_rise, &limit) ||
        !ow_ratio_add(t->med, limit, &limit))
        return true;
    return ow_ratio_cmp(total->peak, limit) > 0;
}

static bool something_new(const struct ow_judge *j, const struct ow_finding *f,
                          const struct ow_told *t)
{
    return f->tier > t->tier || dose_rose(j, t) || names_new(j->v->classes, t->classes) ||
           names_new(j->v->prescribers, t->prescribers);
}

/* ---- snooze ---- */

static int64_t number(const char **at)
{
    int64_t n = 0;

    for (; **at >= '0' && **at <= '9' && n < 10000; ++*at)
        n = n * 10 + (**at - '0');
    return n;
}

/* The end of the local day that is so many months later; the last of a shorter month. */
static ow_time months_later(const struct ow_zone *zone, ow_time from, int64_t months)
{
    struct ow_civil c = ow_zone_local(zone, from);
    int64_t month = c.month - 1 + months;
    struct ow_civil day = { .year = c.year + (int)(month / 12),
                            .month = (int)(month % 12) + 1,
                            .day = c.day };

    while (!ow_date_valid(day.year, day.month, day.day))
        day.day--;
    return ow_zone_day_start(zone, ow_zone_to_utc(zone, &day));
}

bool ow_memory_snooze(const char *code, const struct ow_zone *zone, ow_time from,
                      ow_time *until)
{
    static const struct {
        const char *name;
        int64_t days, months;
    } units[] = {
        {"day",    1, 0 },
        { "week",  7, 0 },
        { "month", 0, 1 },
        { "year",  0, 12},
    };
    const char *at = code != NULL ? code : "";
    int64_t n;

    if (!ow_starts_with(at, "snooze-"))
        return false;
    at += strlen("snooze-");
    n = number(&at);
    if (n == 0 || *at++ != '-')
        return false;
    for (size_t i = 0; i < OW_LEN(units); i++) {
        size_t len = strlen(units[i].name);

        if (strncmp(at, units[i].name, len) != 0 || strcmp(at + len, n == 1 ? "" : "s"))
            continue;
        if (n * (units[i].days + units[i].months * 30) > SNOOZE_DAYS_MOST)
            return false;
        *until = units[i].days
                     ? ow_zone_day_at(zone, ow_zone_day(zone, from) + n * units[i].days)
                     : months_later(zone, from, n * units[i].months);
        return true;
    }
    return false;
}

/* ---- one finding ---- */

static bool is_same_call(const struct ow_question *q, const struct ow_told *t)
{
    return q->instance != NULL && ow_streq(q->instance, t->instance);
}

/* The latest that this prescriber was told of it, by another call. */
static const struct ow_told *told_last(const struct ow_judge *j,
                                       const struct ow_finding *f)
{
    const struct ow_question *q = j->q;

    for (size_t i = 0; i < q->n_told; i++) {
        const struct ow_told *t = &q->told[i];

        if (ow_streq(t->rule, f->rule) && ow_streq(t->cause, f->cause) &&
            ow_streq(t->prescriber, q->prescriber) && !is_same_call(q, t) &&
            t->at <= q->at)
            return t;
    }
    return NULL;
}

static bool is_recent(const struct ow_judge *j, const struct ow_told *t, int64_t days)
{
    return j->q->at < ow_time_add(t->at, days * OW_DAY);
}

static bool is_repeat(const struct ow_judge *j, const struct ow_finding *f,
                      const struct ow_told *t)
{
    const struct ow_policy *p = j->policy;

    if (t->tier != f->tier)
        return false;
    if (t->encounter != NULL && ow_streq(t->encounter, j->q->encounter))
        return true;
    return is_recent(
        j, t, f->tier == OW_TIER_CRITICAL ? p->memory_critical_days : p->memory_days);
}

static bool is_overridden(const struct ow_judge *j, const struct ow_finding *f,
                          const struct ow_told *t)
{
    const struct ow_policy *p = j->policy;

    return t->answer == OW_ANSWER_OVERRIDDEN && t->answer_code != NULL &&
           is_recent(j, t,
                     f->tier == OW_TIER_CRITICAL ? p->memory_days
                                                 : p->memory_override_days);
}

const char *ow_memory_holds(struct ow_judge *j, const struct ow_finding *f,
                            const struct ow_told **by)
{
    const struct ow_told *t = j->q->prescriber != NULL ? told_last(j, f) : NULL;

    *by = t;
    if (t == NULL || something_new(j, f, t))
        return NULL;
    if (t->has_until && j->q->at < t->until)
        return ow_arena_printf(j->arena, "snooze:%s",
                               ow_say_date(j->arena, t->until, j->q->zone));
    if (t->hook == OW_HOOK_ORDER_SELECT && j->chart->hook == OW_HOOK_ORDER_SIGN)
        return NULL;
    if (!t->has_until && is_overridden(j, f, t))
        return ow_arena_printf(j->arena, "override:%s", t->answer_code);
    return !t->has_until && is_repeat(j, f, t) ? "repeat" : NULL;
}

/* ---- all of them ---- */

void ow_memory_apply(struct ow_judge *j)
{
    struct ow_verdict *v = j->v;
    struct ow_finding *kept = OW_NEW_N(j->arena, struct ow_finding, v->n_findings);
    size_t n = 0;

    v->classes = classes_of(j);
    v->prescribers = prescribers_of(j);
    if (j->q->n_told == 0)
        return;
    for (size_t i = 0; i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];
        const struct ow_told *by = NULL;
        const char *why = f->shadow ? NULL : ow_memory_holds(j, f, &by);

        if (why != NULL)
            ow_judge_suppress(j, f->rule, why, by->card);
        if (why != NULL && ow_starts_with(why, "snooze:"))
            continue;
        kept[n] = *f;
        kept[n++].held = why;
    }
    v->findings = j->findings = kept;
    v->n_findings = n;
}
