/*
 * How much: doses and limits
 *
 * "1-2 tablets", "1 tablet to 2 tablets", "one 25 mcg/hr patch", "1 (10 mg) tablet",
 * "10 mg (0.5 mL)". What is said twice in two units is kept as the dose and the same dose
 * again; whether they agree is decided where the product is known.
 */
#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

/* Behind an amount: the words that describe a form. */
static size_t described(const struct sig_token *t)
{
    size_t n = 0;

    while (ow_sig_describes(&t[n]))
        n++;
    return n;
}

static const struct sig_unit *rate_unit(void)
{
    static const struct sig_unit unit = { "ug/hour", "ug/h", SIG_RATE };

    return &unit;
}

/* A unit at `t`, words of description before it: tokens, 0 for none. */
static size_t unit_at(const struct sig_token *t, const struct sig_unit **ret)
{
    size_t n = described(t);
    const struct sig_unit *u = ow_sig_unit(&t[n]);

    if (u == NULL || (n > 0 && u->measure != SIG_COUNT))
        return 0;
    *ret = u;
    n++;
    if (u->measure == SIG_MASS && (ow_sig_is(&t[n], "/") || ow_sig_is(&t[n], "per"))) {
        size_t k = ow_sig_is(&t[n + 1], "hour") ? 2 : 0;

        if (k == 0 || !ow_streq(u->word, "ug"))
            return k == 0 && ow_sig_is(&t[n + 1], "day") ? n : 0;
        *ret = rate_unit();
        n += k;
    }
    if (u->measure == SIG_COUNT) {
        while (ow_sig_is(&t[n], "er") || ow_sig_is(&t[n], "xr") ||
               ow_sig_is(&t[n], "ir") || ow_sig_is(&t[n], "sr") || ow_sig_is(&t[n], "cr"))
            n++;
    }
    return n;
}

/* A number and its unit, or "a tablet"; tokens, 0 for none. */
static size_t amount_at(const struct sig_token *t, struct sig_amount *ret)
{
    struct sig_amount a = { .n = { OW_RATIO(1, 1), OW_RATIO(1, 1), false } }, b;
    size_t n = ow_sig_number(t, &a.n), k;

    if (n == 0 && ow_sig_is(t, "a"))
        n = 1;
    if (n == 0)
        return 0;
    k = unit_at(&t[n], &a.unit);
    if (k == 0)
        return 0;
    n += k;
    *ret = a;
    /* "1 tablet to 2 tablets" */
    if (a.n.range ||
        !(ow_sig_is(&t[n], "to") || ow_sig_is(&t[n], "or") || ow_sig_is(&t[n], "-")))
        return n;
    k = ow_sig_number(&t[n + 1], &b.n);
    if (k == 0 || b.n.range || ow_ratio_cmp(b.n.low, a.n.low) <= 0)
        return n;
    n += 1 + k;
    k = unit_at(&t[n], &b.unit);
    if (k == 0 || b.unit != a.unit)
        return 0;
    ret->n = (struct sig_number){ a.n.low, b.n.low, true };
    return n + k;
}

/* The same dose in another unit: "(5 mg total)", "= 5 mg", "5 mg". */
static size_t again_at(const struct sig_token *t, const struct sig_amount *dose,
                       struct sig_amount *ret)
{
    size_t open = ow_sig_is(t, "(") || ow_sig_is(t, "=") ? 1 : 0, n = open, k;

    if (open == 1 && ow_sig_is(&t[n], "="))
        n++;
    k = amount_at(&t[n], ret);
    if (k == 0 || ret->unit == dose->unit ||
        (ret->unit->measure == SIG_COUNT && dose->unit->measure == SIG_COUNT))
        return 0;
    n += k;
    if (ow_sig_is(&t[n], "total") || ow_sig_is(&t[n], "dose") || ow_sig_is(&t[n], "each"))
        n++;
    if (ow_sig_is(t, "(")) {
        if (!ow_sig_is(&t[n], ")"))
            return 0;
        n++;
    }
    return n;
}

/* "1 (10 mg) tablet", "one 25 mcg/hr patch": the strength stands before the word. */
static size_t strength_first(const struct sig_token *t, struct sig_amount *dose,
                             struct sig_amount *also)
{
    size_t n = ow_sig_number(t, &dose->n), k, open;

    if (n == 0 && ow_sig_is(t, "a")) {
        dose->n = (struct sig_number){ OW_RATIO(1, 1), OW_RATIO(1, 1), false };
        n = 1;
    }
    if (n == 0)
        return 0;
    open = ow_sig_is(&t[n], "(") ? 1 : 0;
    k = amount_at(&t[n + open], also);
    if (k == 0 || (also->unit->measure != SIG_MASS && also->unit->measure != SIG_RATE))
        return 0;
    n += open + k;
    if (open == 1 && !ow_sig_is(&t[n++], ")"))
        return 0;
    k = unit_at(&t[n], &dose->unit);
    return k > 0 && dose->unit->measure == SIG_COUNT ? n + k : 0;
}

static bool is_patch(const struct sig_unit *u)
{
    return ow_streq(u->word, "patch");
}

/* A patch's micrograms are micrograms an hour. */
static void mass_of_patch(struct sig_amount *a)
{
    if (ow_streq(a->unit->word, "ug"))
        a->unit = rate_unit();
}

/* "10 mg tablet", "25 mcg patch"; but "2-5 mg tablets" may be two of 5 mg. */
static size_t form_behind(const struct sig_token *t, struct sig_amount *dose)
{
    const struct sig_unit *form;
    size_t n;

    if (dose->unit->measure != SIG_MASS && dose->unit->measure != SIG_RATE)
        return 0;
    n = unit_at(t, &form);
    if (n == 0 || form->measure != SIG_COUNT || dose->n.range)
        return 0;
    if (is_patch(form))
        mass_of_patch(dose);
    return n;
}

static bool bare_may_stand(const struct sig_draft *d)
{
    const struct sig_draft_line *l = d->n > 0 ? &d->lines[d->n - 1] : NULL;

    return d->at == 0 || d->verb || d->and_ || d->then ||
           (d->sep && l != NULL && l->has_dose && l->slots != 0);
}

/* What the dose is and how many tokens it takes. */
static size_t dose_at(const struct sig_draft *d, const struct sig_token *t,
                      struct sig_draft_line *l)
{
    size_t n, k;

    l->n_also = 1;
    n = strength_first(t, &l->dose, &l->also[0]);
    if (n > 0) {
        if (is_patch(l->dose.unit))
            mass_of_patch(&l->also[0]);
        return n;
    }
    l->n_also = 0;
    n = amount_at(t, &l->dose);
    if (n == 0) {
        n = bare_may_stand(d) ? ow_sig_number(t, &l->dose.n) : 0;
        l->dose.unit = NULL;
        return n;
    }
    n += form_behind(&t[n], &l->dose);
    while (l->n_also < 2 && (k = again_at(&t[n], &l->dose, &l->also[l->n_also])) > 0) {
        if (is_patch(l->dose.unit))
            mass_of_patch(&l->also[l->n_also]);
        n += k;
        l->n_also++;
    }
    return n;
}

enum ow_code ow_sig_dose(struct sig_draft *d, bool up_to, size_t *used)
{
    const struct sig_token *t = &d->text.t[d->at];
    struct sig_draft_line read = { .has_dose = false }, *l;

    *used = dose_at(d, t, &read);
    if (*used == 0)
        return OW_OK;
    if (!ow_ratio_positive(read.dose.n.low))
        return ow_sig_refuse(d, d->at, d->at + *used, "a dose of zero");
    l = ow_sig_line(d);
    if (l->has_dose || d->then) {
        if (l->has_dose && !l->has_rate && l->slots == 0 && l->n_clock == 0 &&
            !l->meals && !l->has_length && l->weekdays == 0)
            return ow_sig_refuse(d, d->at, d->at + *used,
                                 "a second dose before a frequency");
        l = ow_sig_line_add(d);
        if (l == NULL)
            return ow_sig_refuse(d, d->at, d->at + *used, "too many doses");
    }
    /* "one tablet in the morning and two at bedtime" */
    if (read.dose.unit == NULL && l > d->lines)
        read.dose.unit = l[-1].dose.unit;
    l->lead = l->has_rate || l->slots != 0 || l->n_clock > 0 || l->weekdays != 0;
    l->has_dose = true;
    l->dose = read.dose;
    l->dose.up_to = up_to;
    memcpy(l->also, read.also, sizeof l->also);
    l->n_also = read.n_also;
    return OW_OK;
}

/* "/ day", "in 24 hours", "daily", "per 12 hours": hours, and tokens. */
static size_t period_at(const struct sig_token *t, int *hours)
{
    size_t n = 0;
    struct sig_number num;
    size_t k;

    *hours = 24;
    if (ow_sig_is(t, "daily"))
        return 1;
    if (ow_sig_is(t, "/") || ow_sig_is(t, "per") || ow_sig_is(t, "each") ||
        ow_sig_is(t, "every") || ow_sig_is(t, "al") || ow_sig_is(t, "por"))
        n = 1;
    else if (ow_sig_is(t, "in") || ow_sig_is(t, "within") || ow_sig_is(t, "during"))
        n = 1;
    if (n > 0 && ow_sig_is(&t[n], "any"))
        n++;
    if (ow_sig_is(&t[n], "a"))
        n++;
    if (n == 0)
        return 0;
    if (ow_sig_is(&t[n], "day"))
        return n + 1;
    k = ow_sig_number(&t[n], &num);
    if (k == 0 || num.range || num.low.den != 1 || num.low.num < 1 || num.low.num > 168)
        return 0;
    n += k;
    *hours = (int)num.low.num;
    if (ow_sig_is(&t[n], "day") && num.low.num <= 7)
        *hours *= 24;
    else if (!ow_sig_is(&t[n], "hour"))
        return 0;
    n++;
    return n + (ow_sig_is(&t[n], "period") ? 1 : 0);
}

/* "of acetaminophen": a limit of another drug limits nothing here. */
static size_t other_drug_at(const struct sig_token *t)
{
    size_t n = ow_sig_is(t, "of") || ow_sig_is(t, "de") || ow_sig_is(t, "from") ? 1 : 0;

    return ow_sig_other_drug(&t[n]) ? n + 1 : 0;
}

/* "4 doses", "4 times" */
static bool counts_doses(const struct sig_token *t)
{
    return ow_sig_is(t, "dose") || ow_sig_is(t, "time");
}

enum ow_code ow_sig_limit(struct sig_draft *d, bool daily, size_t *used)
{
    const struct sig_token *t = &d->text.t[d->at];
    struct sig_draft_line *l = ow_sig_line(d);
    struct sig_amount a = { .unit = NULL };
    size_t n = amount_at(t, &a), k, other;
    bool doses = false;
    int hours = 24;

    *used = 0;
    if (n == 0) {
        n = ow_sig_number(t, &a.n);
        doses = n > 0 && counts_doses(&t[n]);
        n += doses;
    }
    if (n == 0 || a.n.range || !ow_ratio_positive(a.n.low) || (doses && a.n.low.den != 1))
        return OW_OK;
    other = other_drug_at(&t[n]);
    n += other;
    k = period_at(&t[n], &hours);
    if (k == 0 && !daily && other == 0)
        return OW_OK;
    n += k;
    if (other == 0)
        n += (other = other_drug_at(&t[n]));
    *used = n;
    if (other > 0)
        return OW_OK;
    if (l->has_cap && !doses && l->cap_hours == hours && l->cap.unit == a.unit &&
        ow_ratio_cmp(l->cap.n.low, a.n.low) == 0)
        return OW_OK; /* the same again */
    if (l->has_cap || l->has_times_cap)
        return ow_sig_refuse(d, d->at, d->at + n, "a second limit");
    if (hours < 24) /* "2 tablets in 6 hours" may be a dose */
        return ow_sig_refuse(d, d->at, d->at + n, "a limit of less than a day");
    if (doses) {
        l->has_times_cap = true;
        l->times_cap = a.n.low;
        l->times_cap_hours = hours;
        return OW_OK;
    }
    l->has_cap = true;
    l->cap = a;
    l->cap_hours = hours;
    return OW_OK;
}
