#include "alerts/trace.h"

#include "alerts/timeline.h"
#include "base/text.h"

/* ---- one order ---- */

struct row {
    struct ow_judge *j;
    struct ow_trace *list;
    size_t n;
};

enum { FIXED_STEPS = 6 }; /* all but dose and med of each step of a taper */

static void add(struct row *r, struct ow_trace t)
{
    r->list[r->n++] = t;
}

/* "rxnorm 1049686", "urn:local 77", or the words. */
static const char *drug_words(struct ow_judge *j, const struct ow_medication *m)
{
    const char *ret = NULL;

    for (size_t i = 0; i < m->code.n_codings; i++) {
        const struct ow_coding *c = &m->code.codings[i];
        const char *one = ow_arena_printf(j->arena, "%s %s",
                                          ow_streq(c->system, OW_SYSTEM_RXNORM) ? "rxnorm"
                                          : c->system != NULL ? c->system
                                                              : "?",
                                          c->code != NULL ? c->code : "?");

        ret = ret == NULL ? one : ow_say(j->arena, OW_WORD_LIST, ret, one);
    }
    if (ret == NULL)
        ret = m->code.text != NULL   ? m->code.text
              : m->display != NULL   ? m->display
              : m->reference != NULL ? m->reference
                                     : ow_word(j->arena, OW_WORD_NOTHING);
    return ret;
}

static void add_drug(struct row *r, const struct ow_item *it)
{
    const struct ow_product *p = it->drug.product;
    const struct ow_sedative *s = it->drug.sedative;
    struct ow_trace t = { .step = "drug",
                          .in = drug_words(r->j, &it->order->medication),
                          .out = it->drug.name };

    if (p != NULL || s != NULL) {
        t.table = ow_arena_printf(r->j->arena, "%s %s",
                                  p != NULL ? "opioid_products" : "sedatives",
                                  ow_knowledge_version(r->j->kb));
        t.row = p != NULL ? p->rxcui : s->rxcui;
        t.source = p != NULL ? p->source : s->source;
    }
    add(r, t);
}

static const char *status_words(struct ow_judge *j, const struct ow_order *o)
{
    static const char *const statuses[] = {
        [OW_STATUS_NONE] = "absent",
        [OW_STATUS_ACTIVE] = "active",
        [OW_STATUS_ON_HOLD] = "on-hold",
        [OW_STATUS_DRAFT] = "draft",
        [OW_STATUS_COMPLETED] = "completed",
        [OW_STATUS_STOPPED] = "stopped",
        [OW_STATUS_CANCELLED] = "cancelled",
        [OW_STATUS_ENTERED_IN_ERROR] = "entered-in-error",
        [OW_STATUS_UNKNOWN] = "unknown",
        [OW_STATUS_OTHER] = "?",
    };
    static const char *const intents[] = {
        [OW_INTENT_NONE] = "absent",
        [OW_INTENT_ORDER] = "order",
        [OW_INTENT_ORIGINAL_ORDER] = "original-order",
        [OW_INTENT_REFLEX_ORDER] = "reflex-order",
        [OW_INTENT_FILLER_ORDER] = "filler-order",
        [OW_INTENT_INSTANCE_ORDER] = "instance-order",
        [OW_INTENT_PROPOSAL] = "proposal",
        [OW_INTENT_PLAN] = "plan",
        [OW_INTENT_OPTION] = "option",
        [OW_INTENT_OTHER] = "?",
    };
    const char *status = o->status == OW_STATUS_OTHER && o->status_text != NULL
                             ? o->status_text
                             : statuses[o->status];

    return ow_arena_printf(j->arena, "status %s, intent %s%s", status, intents[o->intent],
                           o->is_draft         ? ", being signed"
                           : o->do_not_perform ? ", not to be given"
                                               : "");
}

/* The order's own words, where it has any. */
static const char *dosage_words(struct ow_judge *j, const struct ow_order *o)
{
    const char *ret = NULL;

    for (size_t i = 0; i < o->n_dosages; i++) {
        const char *one = o->dosages[i].text != NULL ? o->dosages[i].text
                                                     : o->dosages[i].patient_instruction;

        if (one != NULL)
            ret = ret == NULL ? one : ow_say(j->arena, OW_WORD_LIST, ret, one);
    }
    return ret != NULL ? ret : ow_word(j->arena, OW_WORD_TRACE_STRUCTURED);
}

static const char *per_day(struct ow_judge *j, struct ow_ratio v, const char *unit)
{
    return ow_arena_printf(j->arena, "%s %s%s", ow_say_ratio(j->arena, v), unit,
                           ow_streq(unit, "ug/h") ? "" : "/d");
}

static void add_dose(struct row *r, const struct ow_item *it)
{
    struct ow_judge *j = r->j;
    bool supply = (it->flags & OW_FLAG_FROM_SUPPLY) != 0;

    for (size_t i = 0; i < it->dose.n_steps; i++) {
        const struct ow_dose_step *st = &it->dose.steps[i];

        add(r, (struct ow_trace){
                   .step = supply ? "supply" : "dose",
                   .in = supply ? ow_word(j->arena, OW_WORD_TRACE_SUPPLY)
                                : dosage_words(j, it->order),
                   .out = ow_arena_printf(j->arena, "%s = %s", st->words,
                                          per_day(j, st->high, it->dose.unit)),
                   .rule = ow_word(j->arena, supply ? OW_WORD_TRACE_RULE_SUPPLY
                                                    : OW_WORD_TRACE_RULE_HIGHEST) });
    }
    if (it->has_supplied && !supply)
        add(r, (struct ow_trace){ .step = "supply",
                                  .in = ow_word(j->arena, OW_WORD_TRACE_SUPPLY),
                                  .out = per_day(j, it->supplied, it->dose.unit),
                                  .rule = ow_word(j->arena, OW_WORD_TRACE_RULE_SUPPLY) });
}

static void add_med(struct row *r, const struct ow_item *it)
{
    struct ow_judge *j = r->j;
    char factor[OW_RATIO_TEXT];
    const char *text = ow_arena_strdup(j->arena,
                                       ow_ratio_format(it->factor.value, 6, factor));

    add(r,
        (struct ow_trace){
            .step = "factor",
            .in = ow_arena_printf(j->arena, "%s, %s", it->drug.ingredient,
                                  it->drug.product->form_class),
            .out = text,
            .rule = it->factor.older ? ow_word(j->arena, OW_WORD_TRACE_RULE_OLDER) : NULL,
            .table = ow_table_name(it->factor.table),
            .row = it->factor.row,
            .source = it->factor.source });
    for (size_t i = 0; i < it->dose.n_steps; i++) {
        struct ow_ratio high = it->dose.steps[i].high, med = it->med;

        ow_assert(ow_ratio_mul(high, it->factor.value, &med)); /* it was admitted */
        add(r, (struct ow_trace){ .step = "med",
                                  .in = ow_arena_printf(j->arena, "%s x %s",
                                                        per_day(j, high, it->dose.unit),
                                                        text),
                                  .out = ow_arena_printf(j->arena, "%s MME/d",
                                                         ow_say_ratio(j->arena, med)) });
    }
}

static const char *span_source(const struct ow_judge *j, const struct ow_item *it)
{
    return ow_word(j->arena, (it->flags & OW_FLAG_OPEN_ENDED) != 0
                                 ? OW_WORD_TRACE_SPAN_OPEN
                             : it->bounded ? OW_WORD_TRACE_SPAN_BOUNDS
                                           : OW_WORD_TRACE_SPAN_SUPPLY);
}

static const char *span_end(struct ow_judge *j, ow_time t)
{
    return t == OW_TIME_MIN || t == OW_TIME_MAX ? "open"
                                                : ow_say_date(j->arena, t, j->q->zone);
}

static const struct ow_trace *trace_line(struct ow_judge *j, const struct ow_item *it,
                                         size_t *n)
{
    struct row r = {
        j, OW_NEW_N(j->arena, struct ow_trace, FIXED_STEPS + 2 * it->dose.n_steps), 0
    };

    add_drug(&r, it);
    add(&r, (struct ow_trace){
                .step = "standing",
                .in = status_words(j, it->order),
                .out = ow_word(j->arena, it->stands ? OW_WORD_TRACE_STANDS
                                                    : OW_WORD_TRACE_STANDS_NOT) });
    if (it->role == OW_ROLE_COUNTED) {
        add_dose(&r, it);
        add_med(&r, it);
    }
    if (it->span.from < it->span.until)
        add(&r, (struct ow_trace){ .step = "span",
                                   .in = span_source(j, it),
                                   .out = ow_arena_printf(j->arena, "%s to %s",
                                                          span_end(j, it->span.from),
                                                          span_end(j, it->span.until)) });
    add(&r, (struct ow_trace){ .step = "role",
                               .in = it->next != NULL ? it->next->order->reference : NULL,
                               .out = ow_role_name(it->role),
                               .rule = it->line->reason });
    *n = r.n;
    return r.list;
}

void ow_trace_build(struct ow_judge *j)
{
    for (size_t i = 0; j->q->trace && i < j->n_items; i++)
        j->items[i].line->trace = trace_line(j, &j->items[i], &j->items[i].line->n_trace);
}

/* ---- sums ---- */

struct sum {
    const char *text; /* "120 + 45" */
    struct ow_ratio exact, rounded;
    unsigned n;
    bool fits;
};

/* What the item gives at an instant, in units of its dose. */
static struct ow_ratio amount_at(const struct ow_item *it, ow_time at)
{
    struct ow_ratio ret = OW_ZERO;

    for (size_t i = 0; it->role == OW_ROLE_COUNTED && i < it->dose.n_steps; i++) {
        struct ow_span s = ow_timeline_step(it, i);

        if (s.from <= at && at < s.until)
            ret = it->dose.steps[i].high; /* steps do not overlap */
    }
    return ret;
}

/* A value as people see it: two places, half up. */
static bool as_shown(struct ow_ratio v, struct ow_ratio *ret)
{
    struct ow_ratio hundredths;

    return ow_ratio_mul(v, OW_RATIO(100, 1), &hundredths) &&
           ow_ratio_add(hundredths, OW_RATIO(1, 2), &hundredths) &&
           ow_ratio_make(ow_ratio_floor(hundredths), 100, ret);
}

static void sum_add(struct ow_judge *j, struct sum *s, struct ow_ratio med)
{
    const char *text = ow_say_ratio(j->arena, med);
    struct ow_ratio shown = OW_ZERO;

    s->text = s->text == NULL ? text : ow_say(j->arena, OW_WORD_PLUS, s->text, text);
    s->n++;
    s->fits = s->fits && ow_ratio_add(s->exact, med, &s->exact) &&
              as_shown(med, &shown) && ow_ratio_add(s->rounded, shown, &s->rounded);
}

/* "120 + 45 = 165 MME/d"; says so when the figures shown do not add up by rounding. */
static const char *sum_at(struct ow_judge *j, ow_time at, struct ow_ratio total)
{
    struct sum s = { .exact = OW_ZERO, .rounded = OW_ZERO, .fits = true };
    struct ow_ratio methadone = OW_ZERO, shown = OW_ZERO;

    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].drug.methadone)
            ow_assert(ow_ratio_add(methadone, amount_at(&j->items[i], at), &methadone));
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        struct ow_ratio amount = amount_at(it, at), factor = it->factor.value;

        if (!ow_ratio_positive(amount))
            continue;
        if (it->drug.methadone)
            factor = ow_timeline_banded(j, it, methadone);
        ow_assert(ow_ratio_mul(amount, factor, &amount)); /* it was admitted */
        sum_add(j, &s, amount);
    }
    ow_assert(s.n > 0 && (!s.fits || ow_ratio_cmp(s.exact, total) == 0));
    if (s.n == 1)
        return ow_say(j->arena, OW_WORD_SUM_ONE, s.text);
    return ow_say(j->arena,
                  as_shown(total, &shown) && s.fits && ow_ratio_cmp(shown, s.rounded) == 0
                      ? OW_WORD_SUM
                      : OW_WORD_SUM_ROUNDED,
                  s.text, ow_say_ratio(j->arena, total));
}

void ow_trace_sums(struct ow_judge *j)
{
    struct ow_verdict *v = j->v;

    if (v->total.has_now)
        v->sum_now = sum_at(j, j->window.from, v->total.now);
    if (v->has_peak_at)
        v->sum_peak = sum_at(j, v->peak_at, v->total.peak);
}
