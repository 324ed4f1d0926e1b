#include "alerts/dosetext.h"

#include <string.h>

#include "alerts/sig.h"
#include "base/text.h"

static bool says(const char *text)
{
    return text != NULL && text[strspn(text, " \t\r\n")] != '\0';
}

bool ow_dose_text_says(const struct ow_dosage *d)
{
    return says(d->text) || says(d->patient_instruction);
}

/* An amount; with a rate no text is asked. */
static bool has_dose(const struct ow_dosage *d)
{
    for (size_t i = 0; i < d->n_doses; i++)
        if (d->doses[i].has_dose || d->doses[i].has_dose_range)
            return true;
    return false;
}

/* A code that nobody knows says nothing; a bad number does. */
static bool has_frequency(const struct ow_dose_context *ctx, const struct ow_dosage *d)
{
    const struct ow_timing *t = &d->timing;
    struct ow_rate rate;

    if (!d->has_timing)
        return false;
    return t->frequency.has_value || t->frequency_max.has_value || t->period.has_value ||
           t->period_max.has_value || t->n_when > 0 || t->n_time_of_day > 0 ||
           t->n_day_of_week > 0 || t->count.has_value || t->count_max.has_value ||
           ow_timing_rate(ctx->kb, t, &rate, NULL) == OW_OK;
}

static bool has_rate(const struct ow_dosage *d)
{
    for (size_t i = 0; i < d->n_doses; i++)
        if (d->doses[i].has_rate || d->doses[i].has_rate_range ||
            d->doses[i].has_rate_ratio)
            return true;
    return false;
}

bool ow_dose_text_wanted(const struct ow_dose_context *ctx, const struct ow_dosage *d)
{
    return d->refused == NULL && ow_dose_text_says(d) && !has_rate(d) &&
           (!has_dose(d) || !has_frequency(ctx, d));
}

/* ---- the texts ---- */

/* Text and instruction to one reading. One that speaks of no amount stands aside; both
 * together may say what one alone does not, such as a limit. */
static enum ow_code texts_read(const struct ow_dose_context *ctx,
                               const struct ow_dosage *d, struct ow_sig *ret,
                               struct ow_err *err)
{
    const char *a = says(d->text) ? d->text : NULL;
    const char *b = says(d->patient_instruction) ? d->patient_instruction : NULL;
    struct ow_sig other;

    if (a == NULL || b == NULL || ow_streq(a, b))
        return ow_sig_read(a != NULL ? a : b, ctx->arena, ret, err);
    if (!ow_sig_speaks(b, ctx->arena))
        return ow_sig_read(a, ctx->arena, ret, err);
    if (!ow_sig_speaks(a, ctx->arena))
        return ow_sig_read(b, ctx->arena, ret, err);
    if (ow_sig_read(a, ctx->arena, ret, err) == OW_OK &&
        ow_sig_read(b, ctx->arena, &other, err) == OW_OK) {
        if (ow_streq(ow_sig_print(ret, ctx->arena), ow_sig_print(&other, ctx->arena)))
            return OW_OK;
        return ow_err_set(err, OW_MISSING, "text and patientInstruction differ");
    }
    return ow_sig_read(ow_arena_printf(ctx->arena, "%s. %s", a, b), ctx->arena, ret, err);
}

/* ---- the product ---- */

static bool is_combination(const struct ow_product *p)
{
    return p->co_ingredients != NULL && p->co_ingredients[0] != '\0';
}

static bool is_mass(const struct ow_quantity *q)
{
    struct ow_unit u;

    return ow_unit_read(q, &u, NULL) == OW_OK && u.kind == OW_UNIT_MASS;
}

static const struct ow_quantity *dose_end(const struct ow_dosage *d, bool high)
{
    const struct ow_dose_rate *r = &d->doses[0];

    if (r->has_dose)
        return &r->dose;
    return high || !r->dose_range.low.has_value ? &r->dose_range.high
                                                : &r->dose_range.low;
}

static bool amount(const struct ow_dose_context *ctx, const struct ow_quantity *q,
                   struct ow_ratio *ret)
{
    struct ow_amount a;

    if (ow_amount_read(ctx, q, 0, "dose", &a, NULL) != OW_OK)
        return false;
    *ret = a.value;
    return true;
}

/* "2 tablets (5 mg)": of one tablet, not of both? */
static bool is_each(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                    const struct ow_sig_also *also)
{
    struct ow_quantity one = {
        .has_value = true, .value = {1, 1}
    };
    struct ow_ratio each, said;

    return !is_mass(dose_end(d, true)) && amount(ctx, &one, &each) &&
           ow_ratio_cmp(also->low.value, also->high.value) == 0 &&
           amount(ctx, &also->low, &said) && ow_ratio_cmp(each, said) == 0;
}

/* "5-325 mg", "300-30 mg": the strengths of a combination, one of them ours. */
static bool is_both_strengths(const struct ow_dose_context *ctx,
                              const struct ow_sig_also *also)
{
    struct ow_quantity one = {
        .has_value = true, .value = {1, 1}
    };
    struct ow_ratio each, low, share;

    return is_combination(ctx->product) && amount(ctx, &one, &each) &&
           ow_ratio_div(also->high.value, also->low.value, &share) &&
           ow_ratio_cmp(share, OW_RATIO(10, 1)) >= 0 && amount(ctx, &also->low, &low) &&
           ow_ratio_cmp(each, low) == 0;
}

/* The dose said twice must be one dose. */
static enum ow_code also_check(const struct ow_dose_context *ctx,
                               const struct ow_sig_line *l, struct ow_err *err)
{
    for (size_t i = 0; i < l->n_also; i++) {
        const struct ow_sig_also *a = &l->also[i];
        struct ow_ratio low, high, also_low, also_high;

        if (amount(ctx, dose_end(&l->dosage, false), &low) &&
            amount(ctx, dose_end(&l->dosage, true), &high) &&
            amount(ctx, &a->low, &also_low) && amount(ctx, &a->high, &also_high) &&
            ow_ratio_cmp(low, also_low) == 0 && ow_ratio_cmp(high, also_high) == 0)
            continue;
        if (is_each(ctx, &l->dosage, a) || is_both_strengths(ctx, a))
            continue;
        return ow_err_set(err, OW_MISSING,
                          "the dose is said in two ways that do not agree");
    }
    return OW_OK;
}

/* A mass of a combination may be that of the other drug. */
static enum ow_code mass_check(const struct ow_dose_context *ctx,
                               const struct ow_sig_line *l, struct ow_err *err)
{
    if (l->n_also == 0 && is_combination(ctx->product) &&
        is_mass(dose_end(&l->dosage, true)))
        return ow_err_set(err, OW_MISSING, "a mass, of which drug of the combination?");
    return OW_OK;
}

/* ---- with the structure ---- */

/* Limits of the text and of the structure; of a combination, none that is a mass. */
static void caps_join(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                      struct ow_dosage *t)
{
    struct ow_fraction *f = OW_NEW_N(ctx->arena, struct ow_fraction,
                                     t->n_max_per_period + d->n_max_per_period + 1);
    size_t n = 0;

    for (size_t i = 0; i < t->n_max_per_period; i++)
        if (!is_combination(ctx->product) || !is_mass(&t->max_per_period[i].numerator))
            f[n++] = t->max_per_period[i];
    for (size_t i = 0; i < d->n_max_per_period; i++)
        f[n++] = d->max_per_period[i];
    t->max_per_period = f;
    t->n_max_per_period = n;
    t->has_max_per_administration = d->has_max_per_administration;
    t->max_per_administration = d->max_per_administration;
}

static void bounds_join(const struct ow_dosage *d, struct ow_timing *t)
{
    if (!d->has_timing || d->timing.bounds == OW_BOUNDS_NONE)
        return;
    t->bounds = d->timing.bounds;
    t->bounds_duration = d->timing.bounds_duration;
    t->bounds_range = d->timing.bounds_range;
    t->bounds_period = d->timing.bounds_period;
}

/* How often from the structure, how long from wherever it is said. */
static void timing_join(const struct ow_dosage *d, struct ow_timing *t)
{
    struct ow_timing text = *t;

    *t = d->timing;
    if (d->timing.bounds != OW_BOUNDS_NONE)
        return;
    t->bounds = text.bounds;
    t->bounds_duration = text.bounds_duration;
    t->bounds_range = text.bounds_range;
}

static enum ow_code line_read(const struct ow_dose_context *ctx,
                              const struct ow_dosage *d, struct ow_dose_line *ret,
                              struct ow_err *err)
{
    enum ow_code code = ow_dose_line_read(ctx, d, ret, err);

    if (code == OW_OK) {
        ret->flags |= OW_FLAG_FROM_TEXT;
        ret->words = ow_arena_printf(ctx->arena, "text: %s", ret->words);
    }
    return code;
}

/* Two readings of one line to the widest. */
static void widen(const struct ow_dose_context *ctx, struct ow_dose_line *a,
                  const struct ow_dose_line *b)
{
    int c = ow_ratio_cmp(b->high, a->high);

    if (c != 0) {
        a->flags |= OW_FLAG_TEXT_DIFFERS;
        a->words = ow_arena_printf(ctx->arena, "%s (or %s)", c > 0 ? b->words : a->words,
                                   c > 0 ? a->words : b->words);
    }
    if (c > 0)
        a->high = b->high;
    if (ow_ratio_cmp(b->low, a->low) < 0)
        a->low = b->low;
    a->flags |= ow_ratio_cmp(a->low, a->high) != 0 ? OW_FLAG_RANGE : 0;
}

/* The one line of a text, with the dose or the frequency that the structure has. */
static enum ow_code line_join(const struct ow_dose_context *ctx,
                              const struct ow_dosage *d, const struct ow_dosage *text,
                              struct ow_dose_line *ret, struct ow_err *err)
{
    struct ow_dosage *both = OW_NEW(ctx->arena, struct ow_dosage);
    struct ow_dose_line line;
    enum ow_code code = line_read(ctx, text, ret, err);

    if (code != OW_OK || (!has_dose(d) && !has_frequency(ctx, d)))
        return code;
    *both = *text;
    if (has_dose(d)) {
        both->doses = d->doses;
        both->n_doses = d->n_doses;
    }
    if (has_frequency(ctx, d))
        timing_join(d, &both->timing);
    code = line_read(ctx, both, &line, err);
    if (code != OW_OK)
        return code;
    widen(ctx, &line, ret);
    *ret = line;
    return OW_OK;
}

/* May several lines of a text stand for `d`? Not beside a part of a dose, nor several
 * steps in a place of a sequence. */
static enum ow_code several_check(const struct ow_dose_context *ctx,
                                  const struct ow_dosage *d, const struct ow_sig *sig,
                                  struct ow_err *err)
{
    if (sig->n == 1)
        return OW_OK;
    if (has_dose(d) || has_frequency(ctx, d))
        return ow_err_set(err, OW_MISSING,
                          "several doses beside a part of a structured one");
    if (sig->lines[0].dosage.has_sequence &&
        (ctx->order->n_dosages > 1 || d->timing.bounds != OW_BOUNDS_NONE))
        return ow_err_set(err, OW_MISSING, "several steps in one dosage line");
    return OW_OK;
}

enum ow_code ow_dose_text_read(const struct ow_dose_context *ctx,
                               const struct ow_dosage *d, bool alone,
                               struct ow_dose_line **ret, size_t *n, struct ow_err *err)
{
    const struct ow_dosage nothing = { .has_sequence = false };
    const struct ow_dosage *beside = alone ? &nothing : d;
    struct ow_dose_line *lines;
    struct ow_sig sig = { .n = 0 };
    enum ow_code code = texts_read(ctx, d, &sig, err);

    if (code == OW_OK)
        code = several_check(ctx, beside, &sig, err);
    lines = OW_NEW_N(ctx->arena, struct ow_dose_line, sig.n + 1);
    for (size_t i = 0; i < sig.n && code == OW_OK; i++) {
        struct ow_dosage *t = OW_NEW(ctx->arena, struct ow_dosage);

        *t = sig.lines[i].dosage;
        caps_join(ctx, beside, t);
        bounds_join(beside, &t->timing);
        t->as_needed = t->as_needed || d->as_needed;
        if (!t->has_sequence) {
            t->has_sequence = d->has_sequence;
            t->sequence = d->sequence;
        }
        code = also_check(ctx, &sig.lines[i], err);
        if (code == OW_OK)
            code = mass_check(ctx, &sig.lines[i], err);
        if (code == OW_OK)
            code = line_join(ctx, beside, t, &lines[i], err);
    }
    if (code != OW_OK)
        return ow_err_prefix(err, code, "free text");
    *ret = lines;
    *n = sig.n;
    return OW_OK;
}

/* ---- the text of a timing code ---- */

static bool repeats(const struct ow_timing *t)
{
    return t->frequency.has_value || t->frequency_max.has_value || t->period.has_value ||
           t->period_max.has_value || t->n_when > 0 || t->n_time_of_day > 0 ||
           t->n_day_of_week > 0;
}

/* Directions that lack only the dose, of which one stands in for it. */
static bool code_words(const char *text, struct ow_arena *arena, struct ow_dosage *ret)
{
    struct ow_sig sig;
    const struct ow_sig_line *l;

    if (ow_sig_read(text, arena, &sig, NULL) == OW_OK) /* with a dose of its own */
        return false;
    if (ow_sig_read(OW_JOIN(arena, "1 tablet ", text), arena, &sig, NULL) != OW_OK ||
        sig.n != 1)
        return false;
    l = &sig.lines[0];
    if (l->n_also > 0 || l->dosage.n_max_per_period > 0 || !l->dosage.doses[0].has_dose ||
        ow_ratio_cmp(l->dosage.doses[0].dose.value, OW_RATIO(1, 1)) != 0)
        return false;
    *ret = l->dosage;
    return true;
}

const struct ow_dosage *ow_dose_code_read(const struct ow_dose_context *ctx,
                                          const struct ow_dosage *d, struct ow_err *err)
{
    const struct ow_timing *t = &d->timing;
    struct ow_dosage text, *ret;
    struct ow_rate rate;
    char head[80];

    if (!d->has_timing || !says(t->code.text) || repeats(t) ||
        ow_timing_rate(ctx->kb, t, &rate, NULL) == OW_OK)
        return d;
    if (!code_words(t->code.text, ctx->arena, &text)) {
        ow_copy(head, sizeof head, t->code.text);
        (void)ow_err_set(err, OW_MISSING, "no frequency: the timing code says \"%s\"",
                         head);
        return NULL;
    }
    ret = OW_NEW(ctx->arena, struct ow_dosage);
    *ret = *d;
    ret->as_needed = d->as_needed || text.as_needed;
    ret->timing = text.timing;
    bounds_join(d, &ret->timing);
    ret->timing.count = t->count;
    ret->timing.count_max = t->count_max;
    ret->timing.duration = t->duration;
    ret->timing.duration_max = t->duration_max;
    ret->timing.duration_unit = t->duration_unit;
    return ret;
}
