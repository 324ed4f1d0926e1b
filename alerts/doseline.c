#include "alerts/doseline.h"

#include <string.h>

#include "base/text.h"

static const char *number(const struct ow_dose_context *ctx, struct ow_ratio v)
{
    char text[OW_RATIO_TEXT];

    return ow_arena_strdup(ctx->arena, ow_ratio_format(v, 6, text));
}

/* "4/d", "0.5/d", and "2 in 7 d" where a decimal would be rounded. */
static const char *rate_words(const struct ow_dose_context *ctx, struct ow_ratio r)
{
    if (100 % r.den == 0)
        return OW_JOIN(ctx->arena, number(ctx, r), "/d");
    return ow_arena_printf(ctx->arena, "%lld in %lld d", (long long)r.num,
                           (long long)r.den);
}

static enum ow_code out_of_range(struct ow_err *err)
{
    return ow_err_set(err, OW_MISSING, "the dose is out of range");
}

/* The one doseAndRate that was ordered: the only one, else the only one that says
 * `ordered` or does not say what it is. */
static enum ow_code dose_pick(const struct ow_dosage *d, const struct ow_dose_rate **ret,
                              struct ow_err *err)
{
    const struct ow_dose_rate *found = NULL;
    size_t i, n = 0;

    *ret = NULL;
    if (d->n_doses <= 1) {
        *ret = d->n_doses == 1 ? &d->doses[0] : NULL;
        return OW_OK;
    }
    for (i = 0; i < d->n_doses; i++) {
        if (d->doses[i].type == NULL || ow_strcaseeq(d->doses[i].type, "ordered")) {
            found = &d->doses[i];
            n++;
        }
    }
    if (n != 1)
        return ow_err_set(err, OW_MISSING,
                          "%zu of %zu doseAndRate could be the ordered one", n,
                          d->n_doses);
    *ret = found;
    return OW_OK;
}

/* An amount per administration, from the least to the most. */
struct per_dose {
    struct ow_amount high;
    struct ow_ratio low;
    bool range, capped;
};

static enum ow_code dose_read(const struct ow_dose_context *ctx,
                              const struct ow_dose_rate *r, struct per_dose *ret,
                              struct ow_err *err)
{
    struct ow_amount low;
    enum ow_code code;

    if (r->has_dose) {
        code = ow_amount_read(ctx, &r->dose, 0, "dose", &ret->high, err);
        if (code == OW_OK)
            ret->low = ret->high.value;
        return code;
    }
    code = ow_amount_read(ctx, &r->dose_range.high, 0, "upper end of the dose range",
                          &ret->high, err);
    if (code != OW_OK)
        return code;
    ret->range = true;
    ret->low = ret->high.value;
    if (!r->dose_range.low.has_value)
        return OW_OK;
    code = ow_amount_read(ctx, &r->dose_range.low, OW_AMOUNT_ZERO,
                          "lower end of the dose range", &low, err);
    if (code != OW_OK)
        return code;
    if (ow_ratio_cmp(low.value, ret->high.value) > 0)
        return ow_err_set(err, OW_MISSING, "the dose range ends below its beginning");
    ret->low = low.value;
    return OW_OK;
}

/* maxDosePerAdministration */
static enum ow_code dose_cap(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                             struct per_dose *dose, struct ow_err *err)
{
    struct ow_amount cap;
    enum ow_code code;

    if (!d->has_max_per_administration)
        return OW_OK;
    code = ow_amount_read(ctx, &d->max_per_administration, 0, "maxDosePerAdministration",
                          &cap, err);
    if (code != OW_OK || ow_ratio_cmp(cap.value, dose->high.value) >= 0)
        return code;
    dose->high = cap;
    dose->capped = true;
    if (ow_ratio_cmp(dose->low, cap.value) > 0)
        dose->low = cap.value;
    return OW_OK;
}

/* The smallest of maxDosePerPeriod, per day. */
static enum ow_code period_cap(const struct ow_dose_context *ctx,
                               const struct ow_dosage *d, bool *has, struct ow_ratio *ret,
                               struct ow_err *err)
{
    size_t i;

    *has = false;
    for (i = 0; i < d->n_max_per_period; i++) {
        const struct ow_fraction *f = &d->max_per_period[i];
        struct ow_amount a;
        struct ow_ratio ms, day;
        enum ow_code code = ow_amount_read(ctx, &f->numerator, 0, "maxDosePerPeriod", &a,
                                           err);

        if (code != OW_OK)
            return code;
        if (!ow_duration_exact(&f->denominator, &ms))
            return ow_err_set(err, OW_MISSING,
                              "maxDosePerPeriod: its period is no length of time");
        if (!ow_ratio_div(OW_RATIO(OW_DAY, 1), ms, &day) ||
            !ow_ratio_mul(a.value, day, &day))
            return out_of_range(err);
        if (!*has || ow_ratio_cmp(day, *ret) < 0)
            *ret = day;
        *has = true;
    }
    return OW_OK;
}

/* Let maxDosePerPeriod cut the line. */
static enum ow_code line_cap(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                             struct ow_dose_line *line, struct ow_err *err)
{
    struct ow_ratio cap;
    bool has;
    enum ow_code code = period_cap(ctx, d, &has, &cap, err);

    if (code != OW_OK || !has || ow_ratio_cmp(cap, line->high) >= 0)
        return code;
    line->high = cap;
    if (ow_ratio_cmp(line->low, cap) > 0)
        line->low = cap;
    line->flags |= OW_FLAG_CAPPED;
    line->words = ow_arena_printf(ctx->arena, "%s, at most %s %s/d", line->words,
                                  number(ctx, cap), ow_basis_unit(ctx->basis));
    return OW_OK;
}

/* No frequency, but a most per period: that much a day is allowed. */
static enum ow_code cap_alone(const struct ow_dose_context *ctx,
                              const struct ow_dosage *d, enum ow_code why,
                              struct ow_dose_line *line)
{
    struct ow_err other; /* `why` has its sentence already */
    struct ow_ratio cap;
    bool has;

    if (period_cap(ctx, d, &has, &cap, &other) != OW_OK || !has)
        return why;
    line->high = line->low = cap;
    line->flags |= OW_FLAG_CAPPED;
    line->words = ow_arena_printf(ctx->arena, "at most %s %s/d", number(ctx, cap),
                                  ow_basis_unit(ctx->basis));
    return OW_OK;
}

static enum ow_code scheduled(const struct ow_dose_context *ctx,
                              const struct ow_dosage *d, const struct per_dose *dose,
                              const struct ow_rate *rate, struct ow_dose_line *line,
                              struct ow_err *err)
{
    bool range = dose->range || ow_ratio_cmp(rate->high, rate->low) != 0;

    if (!ow_ratio_mul(dose->high.value, rate->high, &line->high) ||
        !ow_ratio_mul(dose->low, rate->low, &line->low))
        return out_of_range(err);
    line->flags |= range ? OW_FLAG_RANGE : 0;
    line->words = OW_JOIN(ctx->arena, range ? "up to " : "", dose->high.count, " x ",
                          rate_words(ctx, rate->high), dose->high.strength);
    return line_cap(ctx, d, line, err);
}

static enum ow_code worn(const struct ow_dose_context *ctx, const struct per_dose *dose,
                         struct ow_dose_line *line)
{
    line->high = dose->high.value;
    line->low = dose->low;
    line->flags |= dose->range ? OW_FLAG_RANGE : 0;
    line->words = ow_arena_printf(ctx->arena, "%s%s%s", dose->range ? "up to " : "",
                                  dose->high.count, dose->high.strength);
    return OW_OK;
}

/* One end of a rate in the unit of the basis: per day, for a patch per hour. */
static enum ow_code rate_amount(const struct ow_dose_context *ctx,
                                const struct ow_quantity *q, bool zero,
                                struct ow_ratio *ret, struct ow_err *err)
{
    bool patch = ctx->basis == OW_BASIS_MCG_HOUR;
    struct ow_ratio v = OW_ZERO;
    struct ow_unit u;
    enum ow_code code;

    if (!q->has_value || q->comparator != NULL || q->value.num < 0 ||
        (q->value.num == 0 && !zero))
        return ow_err_set(err, OW_MISSING, "rate: a value above zero was expected");
    code = ow_unit_read(q, &u, err);
    if (code != OW_OK)
        return ow_err_prefix(err, code, "rate");
    if (u.kind != OW_UNIT_MASS_RATE && (u.kind != OW_UNIT_VOLUME_RATE ||
                                        ctx->product->strength_unit != OW_STRENGTH_MG_ML))
        return ow_err_set(err, OW_MISSING, "rate: an amount in a time was expected");
    if (!ow_ratio_mul(q->value, u.scale, &v) ||
        (u.kind == OW_UNIT_VOLUME_RATE && !ow_ratio_mul(v, ctx->product->strength, &v)) ||
        (ctx->basis != OW_BASIS_MG_DAY && !ow_ratio_mul(v, OW_RATIO(1000, 1), &v)) ||
        (!patch && !ow_ratio_mul(v, OW_RATIO(24, 1), &v)))
        return out_of_range(err);
    *ret = v;
    return OW_OK;
}

/* rateRatio: so much in such a time. */
static enum ow_code ratio_amount(const struct ow_dose_context *ctx,
                                 const struct ow_fraction *f, struct ow_ratio *ret,
                                 struct ow_err *err)
{
    struct ow_quantity per = f->denominator;
    struct ow_amount a;
    struct ow_ratio ms, times;
    enum ow_code code;

    if (!per.has_value) { /* "mg / h" */
        per.has_value = true;
        per.value = OW_RATIO(1, 1);
    }
    if (!ow_duration_exact(&per, &ms))
        return ow_err_set(err, OW_MISSING, "rate: its time is no length of time");
    if (ctx->basis == OW_BASIS_MCG_HOUR) {
        struct ow_unit u;

        if (!f->numerator.has_value || f->numerator.comparator != NULL ||
            !ow_ratio_positive(f->numerator.value) ||
            ow_unit_read(&f->numerator, &u, err) != OW_OK || u.kind != OW_UNIT_MASS)
            return ow_err_set(err, OW_MISSING, "rate: a mass above zero was expected");
        if (!ow_ratio_mul(f->numerator.value, u.scale, &a.value) ||
            !ow_ratio_mul(a.value, OW_RATIO(1000, 1), &a.value) ||
            !ow_ratio_div(OW_RATIO(OW_HOUR, 1), ms, &times))
            return out_of_range(err);
    } else {
        code = ow_amount_read(ctx, &f->numerator, 0, "rate", &a, err);
        if (code != OW_OK)
            return code;
        if (!ow_ratio_div(OW_RATIO(OW_DAY, 1), ms, &times))
            return out_of_range(err);
    }
    return ow_ratio_mul(a.value, times, ret) ? OW_OK : out_of_range(err);
}

static enum ow_code rates_read(const struct ow_dose_context *ctx,
                               const struct ow_dose_rate *r, struct ow_rate *ret,
                               struct ow_err *err)
{
    enum ow_code code;

    if (r->has_rate_ratio || r->has_rate) {
        code = r->has_rate ? rate_amount(ctx, &r->rate, false, &ret->high, err)
                           : ratio_amount(ctx, &r->rate_ratio, &ret->high, err);
        ret->low = ret->high;
        return code;
    }
    code = rate_amount(ctx, &r->rate_range.high, false, &ret->high, err);
    if (code != OW_OK)
        return code;
    ret->low = ret->high;
    if (r->rate_range.low.has_value)
        code = rate_amount(ctx, &r->rate_range.low, true, &ret->low, err);
    if (code == OW_OK && ow_ratio_cmp(ret->low, ret->high) > 0)
        return ow_err_set(err, OW_MISSING, "the rate range ends below its beginning");
    return code;
}

static struct ow_ratio whole_day_at_most(struct ow_ratio share)
{
    return ow_ratio_cmp(share, OW_RATIO(1, 1)) > 0 ? OW_RATIO(1, 1) : share;
}

/* The share of a day an infusion runs: its duration times how often, at most all of it;
 * all of it where no duration is said. */
static enum ow_code running(const struct ow_knowledge *kb, const struct ow_timing *t,
                            struct ow_rate *ret, struct ow_err *err)
{
    struct ow_rate rate = { OW_RATIO(1, 1), OW_RATIO(1, 1) };
    struct ow_err ignored;
    struct ow_ratio high, low;
    int64_t ms;

    ret->high = ret->low = OW_RATIO(1, 1);
    if (t == NULL || (!t->duration.has_value && !t->duration_max.has_value))
        return OW_OK;
    high = t->duration_max.has_value ? t->duration_max.value : t->duration.value;
    low = t->duration.has_value ? t->duration.value : high;
    if (!ow_ratio_positive(high) || !ow_ratio_positive(low) ||
        ow_ratio_cmp(low, high) > 0 || !ow_unit_time(t->duration_unit, &ms))
        return ow_err_set(err, OW_MISSING, "timing.duration is no length of time");
    if (ow_timing_rate(kb, t, &rate, &ignored) != OW_OK)
        rate = (struct ow_rate){ OW_RATIO(1, 1), OW_RATIO(1, 1) }; /* once */
    if (!ow_ratio_mul(high, OW_RATIO(ms, 1), &high) ||
        !ow_ratio_div(high, OW_RATIO(OW_DAY, 1), &high) ||
        !ow_ratio_mul(high, rate.high, &high) ||
        !ow_ratio_mul(low, OW_RATIO(ms, 1), &low) ||
        !ow_ratio_div(low, OW_RATIO(OW_DAY, 1), &low) ||
        !ow_ratio_mul(low, rate.low, &low))
        return out_of_range(err);
    ret->high = whole_day_at_most(high);
    ret->low = whole_day_at_most(low);
    return OW_OK;
}

static enum ow_code infused(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                            const struct ow_dose_rate *r, struct ow_dose_line *line,
                            struct ow_err *err)
{
    const char *unit = ow_basis_unit(ctx->basis);
    struct ow_rate rate, share;
    struct ow_ratio hours, hourly;
    enum ow_code code = rates_read(ctx, r, &rate, err);

    if (code != OW_OK)
        return code;
    if (ctx->basis == OW_BASIS_MCG_HOUR) {
        line->high = rate.high;
        line->low = rate.low;
        line->words = ow_arena_printf(ctx->arena, "%s %s", number(ctx, rate.high), unit);
    } else {
        code = running(ctx->kb, d->has_timing ? &d->timing : NULL, &share, err);
        if (code != OW_OK)
            return code;
        if (!ow_ratio_mul(rate.high, share.high, &line->high) ||
            !ow_ratio_mul(rate.low, share.low, &line->low) ||
            !ow_ratio_mul(share.high, OW_RATIO(24, 1), &hours) ||
            !ow_ratio_div(rate.high, OW_RATIO(24, 1), &hourly))
            return out_of_range(err);
        line->words = ow_arena_printf(ctx->arena, "%s %s/h x %s h/d", number(ctx, hourly),
                                      unit, number(ctx, hours));
    }
    line->flags |= ow_ratio_cmp(line->high, line->low) != 0 ? OW_FLAG_RANGE : 0;
    return ctx->basis == OW_BASIS_MCG_HOUR ? OW_OK : line_cap(ctx, d, line, err);
}

static enum ow_code no_dose(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                            struct ow_dose_line *line, struct ow_err *err)
{
    enum ow_code code = ow_err_set(err, OW_MISSING, "no dose");

    return ctx->basis == OW_BASIS_MCG_HOUR ? code : cap_alone(ctx, d, code, line);
}

/* Dose and frequency to an amount; `rate` is filled when there is one. */
static enum ow_code taken(const struct ow_dose_context *ctx, const struct ow_dosage *d,
                          const struct ow_dose_rate *r, struct ow_rate *rate,
                          bool *has_rate, struct ow_dose_line *line, struct ow_err *err)
{
    struct per_dose dose = { .range = false };
    enum ow_code code = dose_read(ctx, r, &dose, err);

    if (code == OW_OK)
        code = dose_cap(ctx, d, &dose, err);
    if (code != OW_OK)
        return code;
    line->flags |= dose.capped ? OW_FLAG_CAPPED : 0;
    if (d->has_timing)
        code = ow_timing_rate(ctx->kb, &d->timing, rate, err);
    else
        code = ow_err_set(err, OW_MISSING, "no frequency: no timing");
    *has_rate = code == OW_OK;
    if (ctx->basis == OW_BASIS_MCG_HOUR)
        return worn(ctx, &dose, line);
    if (code != OW_OK)
        return cap_alone(ctx, d, code, line);
    return scheduled(ctx, d, &dose, rate, line, err);
}

/* maxDosePerLifetime: no day has more than all days together. Patches have a rate. */
static enum ow_code lifetime_cap(const struct ow_dose_context *ctx,
                                 const struct ow_dosage *d, struct ow_dose_line *line,
                                 struct ow_err *err)
{
    struct ow_amount cap;
    enum ow_code code;

    if (!d->has_max_per_lifetime || ctx->basis == OW_BASIS_MCG_HOUR)
        return OW_OK;
    code = ow_amount_read(ctx, &d->max_per_lifetime, 0, "maxDosePerLifetime", &cap, err);
    if (code != OW_OK || ow_ratio_cmp(cap.value, line->high) >= 0)
        return code;
    line->high = cap.value;
    if (ow_ratio_cmp(line->low, cap.value) > 0)
        line->low = cap.value;
    line->flags |= OW_FLAG_CAPPED;
    line->words = ow_arena_printf(ctx->arena, "%s, at most %s %s in all", line->words,
                                  number(ctx, cap.value), ow_basis_unit(ctx->basis));
    return OW_OK;
}

enum ow_code ow_dose_line_read(const struct ow_dose_context *ctx,
                               const struct ow_dosage *d, struct ow_dose_line *ret,
                               struct ow_err *err)
{
    struct ow_dose_line line = { .flags = d->as_needed ? OW_FLAG_PRN : 0,
                                 .has_sequence = d->has_sequence,
                                 .sequence = d->sequence };
    const struct ow_dose_rate *r;
    struct ow_rate rate;
    bool has_rate = false;
    enum ow_code code;

    if (d->refused != NULL)
        return ow_err_set(err, OW_INPUT, "%s", d->refused);
    code = dose_pick(d, &r, err);
    if (code != OW_OK)
        return code;
    if (r != NULL && (r->has_dose || r->has_dose_range))
        code = taken(ctx, d, r, &rate, &has_rate, &line, err);
    else if (r != NULL && (r->has_rate || r->has_rate_range || r->has_rate_ratio))
        code = infused(ctx, d, r, &line, err);
    else
        code = no_dose(ctx, d, &line, err);
    if (code == OW_OK)
        code = lifetime_cap(ctx, d, &line, err);
    if (code == OW_OK && d->has_timing) {
        struct ow_err ignored;

        line.timing = &d->timing;
        if (!has_rate) /* of an infusion: its count is one of times, too */
            has_rate = ow_timing_rate(ctx->kb, &d->timing, &rate, &ignored) == OW_OK;
        code = ow_timing_extent(&d->timing, has_rate ? &rate : NULL, &line.extent, err);
    }
    if (code != OW_OK)
        return code;
    if (!ow_ratio_positive(line.high))
        return ow_err_set(err, OW_MISSING, "the dose is not above zero");
    *ret = line;
    return OW_OK;
}
