/*
 * The order of the steps is the whole design: each order by itself (drug, standing, dose,
 * span), then orders against each other (replacement), then the sums, then what people
 * see (lines, findings, cards). A later step never reaches back, but for one: an order
 * whose figures cannot be added exactly is made unreadable before anything is summed.
 */
#include "alerts/evaluate.h"

#include "alerts/averages.h"
#include "alerts/card.h"
#include "alerts/judge.h"
#include "alerts/lines.h"
#include "alerts/memory.h"
#include "alerts/roles.h"
#include "alerts/rules.h"
#include "alerts/spans.h"
#include "alerts/timeline.h"
#include "alerts/trace.h"
#include "base/text.h"

void ow_judge_note(struct ow_judge *j, const char *text)
{
    OW_ARENA_GROW(j->arena, j->notes, j->n_notes, j->cap_notes);
    j->notes[j->n_notes++] = text;
}

void ow_judge_suppress(struct ow_judge *j, const char *rule, const char *by,
                       const char *resource)
{
    OW_ARENA_GROW(j->arena, j->suppressed, j->n_suppressed, j->cap_suppressed);
    j->suppressed[j->n_suppressed++] = (struct ow_suppression){ rule, by, resource };
    j->v->suppressed = j->suppressed;
    j->v->n_suppressed = j->n_suppressed;
}

/* ---- dose of one order ---- */

static void unreadable(struct ow_item *it, const char *reason)
{
    it->role = OW_ROLE_UNREADABLE;
    it->reason = reason;
    it->has_dose = false;
}

static bool has_zero_step(const struct ow_dose *d)
{
    for (size_t i = 0; i < d->n_steps; i++)
        if (!ow_ratio_positive(d->steps[i].high))
            return true;
    return d->n_steps == 0;
}

/* Directions; quantity over days where there are none that can be read. */
static bool read_dose(struct ow_judge *j, struct ow_item *it,
                      const struct ow_order *supply)
{
    const struct ow_product *p = it->drug.product;
    struct ow_err why, why_supply;
    struct ow_dose supplied;
    enum ow_code code;

    it->has_supplied = ow_dosage_from_supply(j->kb, supply, p, j->arena, &supplied,
                                             &why_supply) == OW_OK &&
                       !has_zero_step(&supplied);
    if (it->has_supplied)
        it->supplied = supplied.steps[0].high;
    code = ow_dosage_read(j->kb, it->order, p, j->arena, &it->dose, &why);
    if (code == OW_OK) {
        it->has_dose = true;
        it->flags |= it->dose.flags;
        if (it->has_supplied && supplied.basis != it->dose.basis)
            it->has_supplied = false;
        return true;
    }
    if (code != OW_MISSING) { /* not understood: nothing may stand in for it */
        unreadable(it, ow_arena_strdup(j->arena, why.text));
        return false;
    }
    if (it->has_supplied) {
        it->dose = supplied;
        it->has_dose = true;
        it->flags |= supplied.flags | OW_FLAG_FROM_SUPPLY;
        return true;
    }
    if (it->order->n_dosages == 0 && !supply->supply_quantity.has_value)
        unreadable(it, ow_word(j->arena, OW_WORD_NO_DOSE));
    else
        unreadable(it, ow_say(j->arena, OW_WORD_WHY_BOTH, why.text, why_supply.text));
    return false;
}

/* Daily mg of methadone, for the band that the order alone would be in. */
static struct ow_ratio highest_step(const struct ow_dose *d)
{
    struct ow_ratio ret = OW_ZERO;

    for (size_t i = 0; i < d->n_steps; i++)
        if (ow_ratio_cmp(d->steps[i].high, ret) > 0)
            ret = d->steps[i].high;
    return ret;
}

static void read_amount(struct ow_judge *j, struct ow_item *it,
                        const struct ow_order *supply)
{
    struct ow_err why;

    if (!read_dose(j, it, supply))
        return;
    if (has_zero_step(&it->dose)) {
        unreadable(it, ow_word(j->arena, OW_WORD_ZERO_DOSE));
        return;
    }
    if (ow_knowledge_factor(j->kb, j->policy->table, j->policy->older_factor,
                            it->drug.product, highest_step(&it->dose), &it->factor,
                            &why) != OW_OK) {
        unreadable(it, ow_arena_strdup(j->arena, why.text));
        it->has_dose = true; /* it says how long the supply lasts, all the same */
    } else if (it->factor.basis != it->dose.basis)
        unreadable(it, ow_say(j->arena, OW_WORD_BASIS, it->dose.unit, it->factor.row));
    else if (!ow_ratio_positive(it->factor.value))
        unreadable(it, ow_word(j->arena, OW_WORD_ZERO_DOSE));
}

/* ---- dispenses ---- */

static bool same_reference(const char *const *list, size_t n, const char *reference)
{
    for (size_t i = 0; i < n; i++)
        if (ow_streq(list[i], reference))
            return true;
    return false;
}

/* Is the dispense `d` a supply of the request `r`? By name, else by the same drug. */
static bool supplies(const struct ow_item *d, const struct ow_item *r)
{
    const struct ow_order *o = d->order;

    if (o->n_authorizing > 0)
        return same_reference(o->authorizing, o->n_authorizing, r->order->reference);
    if (d->drug.ingredient == NULL || !ow_streq(d->drug.ingredient, r->drug.ingredient))
        return d->drug.kind == OW_DRUG_OTHER && /* which has its number */
               ow_streq(d->drug.rxcui, r->drug.rxcui);
    return true;
}

/* The latest dispense of a request, or the request itself. */
static const struct ow_order *supply_of(const struct ow_judge *j, const struct ow_item *r)
{
    const struct ow_item *all = j->all;
    size_t n = j->n_all;
    const struct ow_order *ret = NULL;

    if (!j->has_dispenses)
        return r->order;
    for (size_t i = 0; i < n; i++) {
        const struct ow_order *o = all[i].order;

        if (o->kind != OW_DISPENSE || !all[i].stands || !supplies(&all[i], r) ||
            !o->supply_quantity.has_value || !o->supply_duration.has_value ||
            (o->has_authored && o->authored.from > j->q->at)) /* not handed over yet */
            continue;
        if (ret == NULL || (o->has_authored && (!ret->has_authored ||
                                                o->authored.from > ret->authored.from)))
            ret = o;
    }
    return ret != NULL ? ret : r->order;
}

/* ---- which orders become lines ---- */

/* A dispense whose request is there is that one's supply, and no line of its own. */
static bool is_supply(struct ow_judge *j, const struct ow_item *d,
                      const struct ow_item *all, size_t n)
{
    for (size_t i = 0; d->order->kind == OW_DISPENSE && i < n; i++)
        if (all[i].order->kind == OW_REQUEST && supplies(d, &all[i])) {
            ow_judge_note(j, ow_say(j->arena, OW_WORD_NOTE_DISPENSE, d->order->reference,
                                    all[i].order->reference));
            return true;
        }
    return false;
}

/* Statements, administrations and dispenses matter for opioids and sedatives only. */
static bool is_line(struct ow_judge *j, const struct ow_item *it,
                    const struct ow_item *all, size_t n)
{
    if (it->order->kind == OW_REQUEST)
        return true;
    return it->drug.kind != OW_DRUG_UNKNOWN &&
           (it->drug.kind != OW_DRUG_OTHER || it->drug.sedative != NULL) &&
           !is_supply(j, it, all, n);
}

/* What the item says of its amount, read now, or by an item of the same order before:
 * nothing in it depends on the window. */
static const struct ow_reading *reading_of(struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_reading **at = &j->readings[it->order - j->chart->orders];
    struct ow_item own = { .order = it->order, .drug = it->drug, .role = it->role };
    struct ow_reading *r;

    if (*at != NULL)
        return *at;
    read_amount(j, &own, it->order->kind == OW_DISPENSE ? it->order : supply_of(j, it));
    r = OW_NEW(j->arena, struct ow_reading);
    *r = (struct ow_reading){ .unreadable = own.reason,
                              .flags = own.flags,
                              .has_dose = own.has_dose,
                              .has_supplied = own.has_supplied,
                              .dose = own.dose,
                              .supplied = own.supplied,
                              .factor = own.factor };
    *at = r;
    return r;
}

static void take_reading(struct ow_item *it, const struct ow_reading *r)
{
    it->flags |= r->flags;
    it->has_dose = r->has_dose;
    it->dose = r->dose;
    it->has_supplied = r->has_supplied;
    it->supplied = r->supplied;
    it->factor = r->factor;
    if (r->unreadable != NULL) {
        it->role = OW_ROLE_UNREADABLE;
        it->reason = r->unreadable;
    }
}

void ow_judge_read(struct ow_judge *j, struct ow_item *it)
{
    ow_role_assign(j, it);
    if (it->role == OW_ROLE_COUNTED)
        take_reading(it, reading_of(j, it));
    ow_span_read(j, it);
}

static void judge_item(struct ow_judge *j, struct ow_item *it)
{
    if (it->drug.other != NULL)
        ow_judge_note(j, ow_say(j->arena, OW_WORD_NOTE_CODINGS, it->order->reference,
                                it->drug.name, it->drug.other));
    if (it->stands && it->drug.mapped != NULL && it->drug.kind != OW_DRUG_OTHER)
        ow_judge_note(j, ow_say(j->arena, OW_WORD_NOTE_MAPPED, it->order->reference,
                                it->drug.mapped->code, it->drug.mapped->rxcui,
                                it->drug.mapped->source));
    if (it->stands)
        ow_judge_read(j, it);
}

/* The orders that become lines, in the order of the chart. Mostly that is all of them. */
static void keep_lines(struct ow_judge *j, struct ow_item *all, size_t n)
{
    bool *kept = OW_NEW_N(j->arena, bool, n);

    for (size_t i = 0; i < n; i++) {
        kept[i] = is_line(j, &all[i], all, n);
        j->n_items += kept[i];
    }
    j->items = all;
    if (j->n_items == n)
        return;
    j->items = OW_NEW_N(j->arena, struct ow_item, j->n_items);
    for (size_t i = 0, k = 0; i < n; i++)
        if (kept[i])
            j->items[k++] = all[i];
}

static void judge_items(struct ow_judge *j)
{
    size_t n = j->chart->n_orders;
    struct ow_item *all = OW_NEW_N(j->arena, struct ow_item, n);

    for (size_t i = 0; i < n; i++) {
        all[i].order = &j->chart->orders[i];
        j->has_drafts |= all[i].order->is_draft;
        j->has_dispenses |= all[i].order->kind == OW_DISPENSE;
    }
    for (size_t i = 0; i < n; i++) {
        ow_identify(&all[i].order->medication, j->kb, j->arena, &all[i].drug);
        ow_role_stand(j, &all[i]);
    }
    j->all = all;
    j->n_all = n;
    j->readings = OW_NEW_N(j->arena, const struct ow_reading *, n);
    keep_lines(j, all, n);
    for (size_t i = 0; i < j->n_items && !ow_arena_full(j->arena); i++)
        judge_item(j, &j->items[i]);
}

/* ---- the whole ---- */

static bool is_at_least(const struct ow_judge *j)
{
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_UNREADABLE ||
            (j->items[i].role == OW_ROLE_UNKNOWN && j->items[i].drug.like != NULL))
            return true;
    return j->chart->n_missing > 0;
}

/*
 * Never silently zero: an opioid in force is counted above zero, or there is a reason for
 * every other answer. A failure here is a bug of ours, and no verdict is better than a
 * wrong silence.
 */
static void assert_nothing_silent(const struct ow_judge *j)
{
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (it->drug.kind != OW_DRUG_OPIOID && it->drug.kind != OW_DRUG_BARE)
            continue;
        ow_assert(it->role != OW_ROLE_NOT_OPIOID && it->role != OW_ROLE_UNKNOWN);
        ow_assert(it->role == OW_ROLE_COUNTED ? ow_ratio_positive(it->med)
                                              : it->reason != NULL);
    }
}

static void fill_header(struct ow_judge *j)
{
    struct ow_verdict *v = j->v;

    v->patient = j->chart->patient.reference;
    v->at = j->q->at;
    v->zone = j->q->zone;
    v->hook = j->chart->hook;
    v->prescriber = j->q->prescriber;
    v->encounter = j->q->encounter;
    v->table = ow_table_name(j->policy->table);
    v->policy = j->policy->name;
    v->policy_version = j->policy->version;
    v->policy_sha256 = j->policy->sha256;
    v->policy_clinic = j->policy->clinic;
    v->texts = j->policy->words != NULL ? j->policy->words->name : NULL;
    v->products = ow_knowledge_version(j->kb);
    v->sha256 = ow_knowledge_sha256(j->kb);
    for (size_t i = 0; i < j->chart->n_notes; i++)
        ow_judge_note(j, j->chart->notes[i]);
}

static enum ow_code evaluate(const struct ow_chart *chart, const struct ow_question *q,
                             struct ow_arena *arena, const struct ow_verdict **ret,
                             struct ow_err *err)
{
    struct ow_judge j = {
        .chart = chart,
        .q = q,
        .kb = q->knowledge,
        .policy = q->policy,
        .arena = arena,
        .window = {q->at, ow_time_add(q->at, q->policy->horizon_days * OW_DAY)},
        .v = OW_NEW(arena, struct ow_verdict),
    };

    fill_header(&j);
    judge_items(&j);
    if (ow_arena_full(arena))
        return ow_err_set(err, OW_INPUT, "more orders than fit into memory");
    ow_roles_replace(&j);
    ow_timeline_admit(&j);
    ow_timeline_sum(&j);
    assert_nothing_silent(&j);
    ow_averages_build(&j);
    ow_lines_build(&j);
    ow_lines_sedatives(&j);
    ow_trace_sums(&j);
    ow_trace_build(&j);
    j.v->at_least = is_at_least(&j);
    ow_rules_run(&j);
    ow_memory_apply(&j);
    ow_cards_build(&j);
    j.v->notes = j.notes;
    j.v->n_notes = j.n_notes;
    if (ow_arena_full(arena))
        return ow_err_set(err, OW_INPUT, "more orders than fit into memory");
    *ret = j.v;
    return OW_OK;
}

enum ow_code ow_evaluate(const struct ow_chart *chart, const struct ow_question *q,
                         struct ow_arena *arena, const struct ow_verdict **ret,
                         struct ow_err *err)
{
    enum ow_code code;

    arena->texts = q->policy->words;
    code = evaluate(chart, q, arena, ret, err);
    arena->texts = NULL; /* the next question on this arena brings its own */
    return code;
}
