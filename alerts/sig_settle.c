/*
 * A draft that holds together
 *
 * What is said for a whole step is spread over its lines, what is left out and may be is
 * filled in, and what does not fit is refused: a dose without a frequency, two doses at
 * one time, a step without a length before another.
 */
#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

static enum ow_code whole(const struct sig_draft *d, const char *why)
{
    return ow_sig_refuse(d, 0, d->text.n > 0 ? d->text.n : 1, why);
}

static bool has_when(const struct sig_draft_line *l)
{
    return l->slots != 0 || l->n_clock > 0;
}

static int bits(unsigned set)
{
    int n = 0;

    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

static bool has_frequency(const struct sig_draft_line *l)
{
    return l->has_rate || has_when(l) || l->meals || l->weekdays != 0;
}

/* Lines [from, return) of one step. */
static size_t step_end(const struct sig_draft *d, size_t from)
{
    size_t i = from;

    while (i < d->n && d->lines[i].step == d->lines[from].step)
        i++;
    return i;
}

static bool once_daily(const struct sig_draft_line *l)
{
    const struct sig_rate *r = &l->rate;

    return l->has_rate && !r->times.range && !r->period.range &&
           ow_ratio_cmp(r->times.low, OW_RATIO(1, 1)) == 0 &&
           ow_ratio_cmp(r->period.low, OW_RATIO(24 / r->hours, 1)) == 0;
}

/* In a taper whose steps say once a day or nothing: a day's dose. */
static void daily_fill(struct sig_draft *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct sig_draft_line *l = &d->lines[i];
        bool bare = !has_frequency(l);

        if ((bare && !l->has_length) || l->prn ||
            (!bare && !(once_daily(l) && !l->meals && !has_when(l) && l->weekdays == 0)))
            return;
    }
    for (size_t i = 0; i < d->n; i++)
        if (!d->lines[i].has_rate) {
            d->lines[i].has_rate = true;
            d->lines[i].rate = (struct sig_rate){
                {OW_RATIO(1,  1), OW_RATIO(1, 1), false},
                { OW_RATIO(1, 1), OW_RATIO(1, 1), false},
                24,
                false,
            };
        }
}

/* Most doses a day. */
static bool rate_most(const struct sig_rate *r, struct ow_ratio *ret)
{
    return ow_ratio_mul(r->times.high, OW_RATIO(24, r->hours), ret) &&
           ow_ratio_div(*ret, r->period.low, ret);
}

/* Most a line gives a day, in its own unit. */
static bool line_most(const struct sig_draft_line *l, struct ow_ratio *ret)
{
    return l->has_rate && rate_most(&l->rate, ret) &&
           ow_ratio_mul(l->dose.n.high, *ret, ret);
}

/*
 * "3 tabs for 3 days, 2 tabs for 3 days, 1 tab for 3 days": three steps or more without a
 * "then" when each but the last has its length, none a time of day, and each gives less a
 * day.
 */
static bool is_taper(const struct sig_draft *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct sig_draft_line *l = &d->lines[i];
        struct ow_ratio before, now;

        if (l->joined || has_when(l) || l->meals || l->weekdays != 0 || l->prn ||
            (i + 1 < d->n && !l->has_length))
            return false;
        if (i > 0 && (l->dose.unit != d->lines[i - 1].dose.unit ||
                      !line_most(&d->lines[i - 1], &before) || !line_most(l, &now) ||
                      ow_ratio_cmp(now, before) >= 0))
            return false;
    }
    return true;
}

/* "one in the morning, then two at bedtime": the steps of one day, in its order. */
static bool is_one_day(const struct sig_draft *d)
{
    unsigned seen = 0;

    for (size_t i = 0; i < d->n; i++) {
        const struct sig_draft_line *l = &d->lines[i];

        if (l->slots == 0 || l->slots <= seen || l->has_rate || l->meals ||
            l->has_length || l->has_count || l->weekdays != 0 || l->n_clock > 0)
            return false;
        seen |= l->slots;
    }
    return true;
}

static void day_join(struct sig_draft *d)
{
    if (d->step == 0 || !is_one_day(d))
        return;
    for (size_t i = 0; i < d->n; i++)
        d->lines[i].step = 0;
    d->step = 0;
}

static void steps_number(struct sig_draft *d)
{
    if (d->step > 0 || d->n < 3 || !is_taper(d))
        return;
    for (size_t i = 0; i < d->n; i++)
        d->lines[i].step = (int)i;
    d->step = (int)d->n - 1;
}

/* Does the limit of the last line allow all doses of a day, each at a time of its own? */
static bool cap_is_idle(const struct sig_draft *d, size_t from, size_t until)
{
    const struct sig_draft_line *end = &d->lines[until - 1];
    struct ow_ratio sum = OW_ZERO;

    if (!end->has_cap || end->cap_hours != 24 ||
        (end->cap.unit != NULL && end->cap.unit != end->dose.unit))
        return false;
    for (size_t i = from; i < until; i++) {
        const struct sig_draft_line *l = &d->lines[i];
        struct ow_ratio v = OW_RATIO(bits(l->slots) + (int)l->n_clock, 1);

        if (l->dose.unit != end->dose.unit || l->has_rate || !has_when(l) || l->meals ||
            !ow_ratio_mul(v, l->dose.n.high, &v) || !ow_ratio_add(sum, v, &sum))
            return false;
    }
    return ow_ratio_cmp(end->cap.n.low, sum) >= 0;
}

/* A need or a length at the end of a step is one of all its lines. */
static enum ow_code step_spread(struct sig_draft *d, size_t from, size_t until)
{
    struct sig_draft_line *end = &d->lines[until - 1];

    if (until - from > 1 && cap_is_idle(d, from, until))
        end->has_cap = false;

    for (size_t i = from; i + 1 < until; i++) {
        struct sig_draft_line *l = &d->lines[i];

        if (l->has_cap || l->has_times_cap || l->has_count)
            return whole(d, "a limit among several doses");
        if (l->has_length && (!end->has_length || l->length_hours != end->length_hours ||
                              ow_ratio_cmp(l->length.high, end->length.high) != 0))
            return whole(d, "doses of different lengths at once");
        l->prn = l->prn || end->prn;
        l->has_length = end->has_length;
        l->length = end->length;
        l->length_hours = end->length_hours;
    }
    if (until - from > 1 && (end->has_cap || end->has_times_cap || end->has_count))
        return whole(d, "a limit among several doses");
    return OW_OK;
}

/* Doses of one step are taken at different times of day, each said. */
static enum ow_code step_apart(const struct sig_draft *d, size_t from, size_t until)
{
    unsigned seen = 0;
    bool clocks = false, slots = false;

    for (size_t i = from; until - from > 1 && i < until; i++) {
        const struct sig_draft_line *l = &d->lines[i];

        if (!has_when(l) || (l->has_rate && !once_daily(l)) || l->meals ||
            l->weekdays != 0 || (l->slots & seen) != 0)
            return whole(d, "several doses, not all at a time of day of their own");
        clocks = clocks || l->n_clock > 0;
        slots = slots || l->slots != 0;
        for (size_t k = from; k < i; k++)
            for (size_t c = 0; c < l->n_clock * d->lines[k].n_clock; c++)
                if (ow_streq(l->clock[c / d->lines[k].n_clock],
                             d->lines[k].clock[c % d->lines[k].n_clock]))
                    return whole(d, "several doses at one time of day");
        seen |= l->slots;
    }
    return clocks && slots ? whole(d, "times of day of two kinds") : OW_OK;
}

/* "before meals and at bedtime" are four doses, "twice daily with meals" are two, and
 * "four times daily with meals and at bedtime" says the same twice. */
static enum ow_code meals_agree(const struct sig_draft *d, struct sig_draft_line *l)
{
    struct ow_ratio most;

    if (!l->has_rate)
        return l->n_clock > 0 || (l->slots != 0 && l->slots != SIG_BEDTIME)
                   ? whole(d, "meals and times of day")
                   : OW_OK;
    if (l->meals_and) {
        if (l->slots != SIG_BEDTIME || l->n_clock > 0 || l->rate.times.range ||
            l->rate.period.range || !rate_most(&l->rate, &most) ||
            ow_ratio_cmp(most, OW_RATIO(4, 1)) != 0)
            return whole(d, "times of day do not agree with the frequency");
        l->slots = 0;
    }
    l->meals = false;
    return OW_OK;
}

/* A rate and times of day beside it say the same, or the rate is "daily". */
static enum ow_code line_agrees(const struct sig_draft *d, struct sig_draft_line *l)
{
    enum ow_code code = l->meals ? meals_agree(d, l) : OW_OK;
    int places = bits(l->slots) + (int)l->n_clock;
    struct ow_ratio times;

    if (code != OW_OK)
        return code;
    if (l->slots != 0 && l->n_clock > 0)
        return whole(d, "times of day of two kinds");
    /* "three times a week on monday, wednesday and friday" */
    if (l->weekdays != 0 && l->has_rate && l->rate.hours == 168 && !l->rate.times.range &&
        ow_ratio_cmp(l->rate.times.low, OW_RATIO(bits(l->weekdays), 1)) == 0 &&
        ow_ratio_cmp(l->rate.period.high, OW_RATIO(1, 1)) == 0)
        l->has_rate = false;
    if (l->weekdays != 0 && l->has_rate &&
        (!ow_ratio_mul(l->rate.period.high, OW_RATIO(l->rate.hours, 1), &times) ||
         ow_ratio_cmp(times, OW_RATIO(24, 1)) > 0))
        return whole(d, "days of the week beside a frequency");
    if (places == 0 || !l->has_rate || once_daily(l))
        return OW_OK;
    if (l->rate.times.range || l->rate.period.range)
        return whole(d, "times of day beside a range");
    if (!rate_most(&l->rate, &times))
        return whole(d, "a number out of range");
    if (ow_ratio_cmp(times, OW_RATIO(places, 1)) == 0 ||
        (places == 1 && ow_ratio_cmp(times, OW_RATIO(1, 1)) < 0))
        return OW_OK;
    return whole(d, "times of day do not agree with the frequency");
}

/* A limit alone is how often: "up to 4 times a day". */
static void up_to_settle(struct sig_draft_line *l)
{
    if (!l->has_times_cap || has_frequency(l))
        return;
    l->has_times_cap = false;
    l->has_rate = true;
    l->rate = (struct sig_rate){
        {l->times_cap, l->times_cap, false},
        { OW_RATIO(1, 1),            OW_RATIO(1, 1), false },
        24,
        true,
    };
    if (l->times_cap_hours % 24 == 0) {
        l->rate.hours = 24;
        l->rate.period.low = l->rate.period.high = OW_RATIO(l->times_cap_hours / 24, 1);
    } else {
        l->rate.hours = 1;
        l->rate.period.low = l->rate.period.high = OW_RATIO(l->times_cap_hours, 1);
    }
}

/* A limit is in the unit of the dose, or in one that the product turns into it. */
static enum ow_code cap_settle(const struct sig_draft *d, struct sig_draft_line *l)
{
    enum sig_measure dose = l->dose.unit != NULL ? l->dose.unit->measure : SIG_COUNT;
    struct ow_ratio most;

    if (!l->has_cap)
        return OW_OK;
    if (l->cap.up_to && line_most(l, &most) &&
        (l->cap.unit == NULL || l->cap.unit == l->dose.unit) &&
        ow_ratio_cmp(l->cap.n.low, most) > 0)
        return whole(d, "an \"up to\" above the rest");
    if (l->cap.unit == NULL) {
        if (dose != SIG_COUNT)
            return whole(d, "a limit without a unit");
        l->cap.unit = l->dose.unit;
        return OW_OK;
    }
    if (l->cap.unit->measure == SIG_COUNT &&
        (dose != SIG_COUNT || (l->dose.unit != NULL && l->dose.unit != l->cap.unit)))
        return whole(d, "a limit in another unit");
    if (l->cap.unit->measure == SIG_VOLUME && dose != SIG_VOLUME)
        return whole(d, "a limit in another unit");
    if (l->cap.unit->measure == SIG_RATE)
        return whole(d, "a limit in another unit");
    return OW_OK;
}

/* A mass from 5 to 325 mg is two strengths, no range. */
static bool wide(const struct sig_number *n)
{
    struct ow_ratio share;

    return n->range && (!ow_ratio_div(n->high, n->low, &share) ||
                        ow_ratio_cmp(share, OW_RATIO(4, 1)) > 0);
}

/* "for 3 days every week" is a pattern, and no dose a week that ends in 3 days. */
static bool is_cut_short(const struct sig_draft_line *l)
{
    struct ow_ratio length, period;

    return l->has_rate && l->has_length &&
           (!ow_ratio_mul(l->length.high, OW_RATIO(l->length_hours, 1), &length) ||
            !ow_ratio_mul(l->rate.period.high, OW_RATIO(l->rate.hours, 1), &period) ||
            ow_ratio_cmp(length, period) < 0);
}

static enum ow_code line_settle(const struct sig_draft *d, struct sig_draft_line *l)
{
    enum ow_code code;

    if (!l->has_dose)
        return whole(d, "no dose");
    if (wide(&l->dose.n))
        return whole(d, "a dose range too wide");
    up_to_settle(l);
    if (!has_frequency(l) && !(l->has_cap && d->n == 1))
        return whole(d, "no frequency");
    if (l->has_count && l->has_length)
        return whole(d, "a number of doses and a length");
    if (is_cut_short(l))
        return whole(d, "a length shorter than the time between doses");
    code = line_agrees(d, l);
    return code == OW_OK ? cap_settle(d, l) : code;
}

enum ow_code ow_sig_settle(struct sig_draft *d)
{
    enum ow_code code = OW_OK;

    if (d->n == 0)
        return whole(d, "no dose");
    for (size_t i = 0; i < d->n; i++)
        if (!d->lines[i].has_dose)
            return line_settle(d, &d->lines[i]);
    if (d->n > 1)
        daily_fill(d);
    day_join(d);
    steps_number(d);
    for (size_t i = 0, end; i < d->n && code == OW_OK; i = end) {
        end = step_end(d, i);
        code = step_spread(d, i, end);
        if (code == OW_OK)
            code = step_apart(d, i, end);
        if (code == OW_OK && end < d->n && !d->lines[i].has_length &&
            !d->lines[i].has_count)
            code = whole(d, "a step without a length");
    }
    for (size_t i = 0; i < d->n && code == OW_OK; i++)
        code = line_settle(d, &d->lines[i]);
    return code;
}
