#include "alerts/lines.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/rules.h"
#include "base/text.h"

/* ---- lines ---- */

static struct ow_span clip(struct ow_span s, struct ow_span in)
{
    if (s.from < in.from)
        s.from = in.from;
    if (s.until > in.until)
        s.until = in.until;
    return s;
}

static const char *derive_step(struct ow_judge *j, const struct ow_item *it,
                               const struct ow_dose_step *st)
{
    struct ow_ratio med;
    const char *words = st->words != NULL ? st->words : "?";

    if (!ow_ratio_mul(st->high, it->factor.value, &med))
        med = it->med;
    return ow_say(j->arena, OW_WORD_DERIVATION, words,
                  ow_say_ratio(j->arena, it->factor.value), ow_say_ratio(j->arena, med));
}

/* The step in force first, then the ones that follow. */
static const char *derive(struct ow_judge *j, const struct ow_item *it)
{
    const char *ret = derive_step(j, it, &it->dose.steps[it->step]);

    if (it->unplaced)
        return ret;
    for (size_t i = it->step + 1; i < it->dose.n_steps; i++) {
        ow_time from = ow_time_add(it->span.from, it->dose.steps[i].from_ms);

        ret = ow_say(j->arena, OW_WORD_DERIVATION_THEN, ret,
                     ow_say_date(j->arena, from, j->q->zone),
                     derive_step(j, it, &it->dose.steps[i]));
    }
    return ret;
}

static void line_steps(struct ow_judge *j, const struct ow_item *it, struct ow_line *l)
{
    struct ow_step *steps;

    if (it->dose.n_steps < 2 || it->unplaced)
        return;
    steps = OW_NEW_N(j->arena, struct ow_step, it->dose.n_steps);
    for (size_t i = 0; i < it->dose.n_steps; i++) {
        const struct ow_dose_step *st = &it->dose.steps[i];
        struct ow_span span = { ow_time_add(it->span.from, st->from_ms), OW_TIME_MAX };

        if (st->until_ms != INT64_MAX)
            span.until = ow_time_add(it->span.from, st->until_ms);
        steps[i].span = clip(span, it->span);
        if (!ow_ratio_mul(st->high, it->factor.value, &steps[i].med))
            steps[i].med = it->med;
    }
    l->steps = steps;
    l->n_steps = it->dose.n_steps;
}

static void line_counted(struct ow_judge *j, const struct ow_item *it, struct ow_line *l)
{
    l->has_dose = l->has_med = true;
    l->daily_dose = it->amount;
    l->dose_unit = it->dose.unit;
    l->factor = it->factor.value;
    l->med = it->med;
    l->med_low = it->med_low;
    l->has_supplied = it->has_supplied;
    l->med_supplied = it->med_supplied;
    l->table = ow_table_name(it->factor.table);
    l->row = it->factor.row;
    l->derivation = derive(j, it);
    line_steps(j, it, l);
    if (l->reason == NULL && it->span.from > j->window.from)
        l->reason = ow_say(j->arena, OW_WORD_STARTS,
                           ow_say_date(j->arena, it->span.from, j->q->zone));
}

/* Directions and supply are told apart by more than a share and an amount. What lies
 * between the lowest and the highest dose that the directions allow agrees with them. */
static bool mismatched(const struct ow_policy *p, const struct ow_item *it)
{
    struct ow_ratio off, share;

    if (!it->has_supplied || (it->flags & OW_FLAG_FROM_SUPPLY) != 0)
        return false;
    if (ow_ratio_cmp(it->med_supplied, it->med) > 0) {
        if (!ow_ratio_sub(it->med_supplied, it->med, &off))
            return false;
    } else if (ow_ratio_cmp(it->med_supplied, it->med_low) >= 0 ||
               !ow_ratio_sub(it->med_low, it->med_supplied, &off)) {
        return false;
    }
    return ow_ratio_cmp(off, p->mismatch_med) > 0 &&
           ow_ratio_mul(it->med, p->mismatch_share, &share) &&
           ow_ratio_cmp(off, share) > 0;
}

static void line_flags(const struct ow_judge *j, struct ow_item *it)
{
    if (it->order->is_draft)
        it->flags |= OW_FLAG_DRAFT;
    if (it->role != OW_ROLE_COUNTED)
        return;
    if (it->factor.older)
        it->flags |= OW_FLAG_OLDER_FACTOR;
    if (it->drug.product->form == OW_FORM_RECTAL)
        it->flags |= OW_FLAG_RECTAL;
    if (it->dose.n_steps < 2 && mismatched(j->policy, it))
        it->flags |= OW_FLAG_SUPPLY_MISMATCH;
}

static const char *why_no_opioid(const struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_sedative *s = it->drug.sedative;

    if (s == NULL || s->cls == OW_SEDATIVE_NOT)
        return ow_word(j->arena, OW_WORD_NO_OPIOID);
    return ow_say(j->arena, OW_WORD_NO_OPIOID_SEDATIVE,
                  ow_rule_class_words(j->arena, ow_sedative_class_name(s->cls)));
}

void ow_lines_build(struct ow_judge *j)
{
    struct ow_line *lines = OW_NEW_N(j->arena, struct ow_line, j->n_items);

    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_item *it = &j->items[i];
        struct ow_line *l = &lines[i];

        line_flags(j, it);
        it->line = l;
        *l = (struct ow_line){
            .order = it->order,
            .role = it->role,
            .drug = it->drug.name,
            .rxcui = it->drug.rxcui,
            .ingredient = it->drug.ingredient,
            .span = it->span,
            .flags = it->flags,
            .reason = it->reason,
            .sedative = it->drug.sedative != NULL &&
                        it->drug.sedative->cls != OW_SEDATIVE_NOT,
        };
        if (it->role == OW_ROLE_COUNTED)
            line_counted(j, it, l);
        else if (l->reason == NULL)
            l->reason = why_no_opioid(j, it);
    }
    j->v->lines = lines;
    j->v->n_lines = j->n_items;
}

/* ---- sedatives ---- */

static int by_from(const void *x, const void *y)
{
    const struct ow_span *a = x, *b = y;

    return a->from != b->from ? (a->from < b->from ? -1 : 1)
                              : (a->until > b->until) - (a->until < b->until);
}

/* Spans of all opioids in the window, in order. */
static size_t opioid_spans(const struct ow_judge *j, struct ow_span *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_span s = clip(j->items[i].taken, j->window);

        if (ow_item_opioid(&j->items[i]) && s.from < s.until)
            ret[n++] = s;
    }
    qsort(ret, n, sizeof *ret, by_from);
    return n;
}

/*
 * Days that `own` shares with any of `spans` (sorted), overlaps counted once. What is
 * left of a day counts as one, but for the hour that a clock change puts in or takes out.
 */
static int64_t days_together(struct ow_span own, const struct ow_span *spans, size_t n)
{
    int64_t ms = 0;
    ow_time seen = own.from;

    for (size_t i = 0; i < n; i++) {
        struct ow_span both = clip(spans[i], (struct ow_span){ seen, own.until });

        if (both.from >= both.until)
            continue;
        ms += both.until - both.from;
        seen = both.until;
    }
    if (ms <= OW_DAY)
        return ms > 0 ? 1 : 0;
    return (ms - OW_HOUR + OW_DAY - 1) / OW_DAY;
}

int64_t ow_lines_opioid_days(struct ow_judge *j, struct ow_span own)
{
    struct ow_span *spans = OW_NEW_N(j->arena, struct ow_span, j->n_items);
    size_t n = opioid_spans(j, spans);

    own = clip(own, j->window);
    return own.from < own.until ? days_together(own, spans, n) : 0;
}

void ow_lines_sedatives(struct ow_judge *j)
{
    struct ow_span *spans;
    struct ow_sedation *list;
    size_t n_spans, n = 0;

    for (size_t i = 0; i < j->n_items; i++)
        n += ow_item_sedative(&j->items[i]);
    if (n == 0)
        return;
    spans = OW_NEW_N(j->arena, struct ow_span, j->n_items);
    list = OW_NEW_N(j->arena, struct ow_sedation, n);
    n_spans = opioid_spans(j, spans);
    n = 0;
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (!ow_item_sedative(it))
            continue;
        list[n++] = (struct ow_sedation){
            .line = it->line,
            .cls = ow_sedative_class_name(it->drug.sedative->cls),
            .tier = it->drug.sedative->tier,
            .drug = it->drug.name,
            .overlap_days = days_together(clip(it->taken, j->window), spans, n_spans),
        };
    }
    j->v->sedatives = list;
    j->v->n_sedatives = n;
}
