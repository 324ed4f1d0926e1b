#include "alerts/timing.h"

#include <string.h>

#include "alerts/dosage.h"
#include "alerts/units.h"
#include "base/text.h"

/* A repeat as numbers a day, before it is put together. */
struct repeat {
    bool has_freq, has_period;
    struct ow_ratio freq_high, freq_low;
    struct ow_ratio period_high, period_low; /* days: the shorter, the longer */
    int64_t slots;                           /* doses placed on a day; 0: none placed */
    int64_t slots_once; /* the same with C, AC, PC taken as one event */
    int64_t days;       /* of the week, 1 to 7; 0: none named */
};

static bool starts_before_dot(const char *code, const char *base)
{
    size_t n = strlen(base);

    return strncmp(code, base, n) == 0 && (code[n] == '\0' || code[n] == '.');
}

/* Events a day of a `when` code, 0 for one that is not known. [FHIR R4 event-timing] */
static int when_events(const char *code)
{
    static const char *const meals[] = { "C", "AC", "PC" };
    static const char *const single[] = {
        "MORN", "NOON", "AFT", "EVE", "NIGHT", "PHS", "HS",  "WAKE", "CM",
        "CD",   "CV",   "ACM", "ACD", "ACV",   "PCM", "PCD", "PCV",  "IMD",
    };
    size_t i;

    for (i = 0; i < OW_LEN(meals); i++) {
        if (ow_streq(code, meals[i]))
            return 3;
    }
    for (i = 0; i < OW_LEN(single); i++) {
        if (starts_before_dot(code, single[i]))
            return 1;
    }
    return 0;
}

static enum ow_code slots_read(const struct ow_timing *t, struct repeat *r,
                               struct ow_err *err)
{
    int64_t slots = 0, once = 0;
    size_t i;

    for (i = 0; i < t->n_when; i++) {
        int n = when_events(t->when[i]);

        if (n == 0)
            return ow_err_set(err, OW_MISSING,
                              "timing.when has a code that is not known");
        slots += n;
        once++;
    }
    r->slots = (int64_t)t->n_time_of_day > slots ? (int64_t)t->n_time_of_day : slots;
    r->slots_once = (int64_t)t->n_time_of_day > once ? (int64_t)t->n_time_of_day : once;
    return OW_OK;
}

static enum ow_code days_read(const struct ow_timing *t, struct repeat *r,
                              struct ow_err *err)
{
    static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    unsigned seen = 0;
    size_t i, d;

    for (i = 0; i < t->n_day_of_week; i++) {
        for (d = 0; d < 7 && !ow_strcaseeq(t->day_of_week[i], days[d]); d++)
            ;
        if (d == 7)
            return ow_err_set(err, OW_MISSING,
                              "timing.dayOfWeek has a code that is not known");
        r->days += (seen & 1u << d) == 0;
        seen |= 1u << d;
    }
    return OW_OK;
}

static enum ow_code overflow(struct ow_err *err)
{
    return ow_err_set(err, OW_MISSING, "the numbers of the timing are out of range");
}

/* Frequency, or 1 where the standard lets it be left out beside a period. */
static enum ow_code frequency_read(const struct ow_timing *t, struct repeat *r,
                                   struct ow_err *err)
{
    const struct ow_number *low = &t->frequency, *high = &t->frequency_max;

    if ((low->has_value && !ow_ratio_positive(low->value)) ||
        (high->has_value && !ow_ratio_positive(high->value)))
        return ow_err_set(err, OW_MISSING, "timing.frequency is not above zero");
    if (low->has_value && high->has_value && ow_ratio_cmp(high->value, low->value) < 0)
        return ow_err_set(err, OW_MISSING, "timing.frequencyMax is below frequency");
    r->has_freq = low->has_value || high->has_value;
    r->freq_low = low->has_value ? low->value : OW_RATIO(1, 1);
    if (high->has_value && ow_ratio_cmp(high->value, r->freq_low) < 0)
        r->freq_low = high->value;
    r->freq_high = high->has_value ? high->value : r->freq_low;
    return OW_OK;
}

static enum ow_code period_read(const struct ow_timing *t, struct repeat *r,
                                struct ow_err *err)
{
    const struct ow_number *low = &t->period, *high = &t->period_max;
    struct ow_ratio days;
    int64_t ms;

    if (!low->has_value) {
        if (high->has_value)
            return ow_err_set(err, OW_MISSING, "timing.periodMax without a period");
        return OW_OK;
    }
    if (!ow_ratio_positive(low->value) ||
        (high->has_value && !ow_ratio_positive(high->value)))
        return ow_err_set(err, OW_MISSING, "timing.period is not above zero");
    if (high->has_value && ow_ratio_cmp(high->value, low->value) < 0)
        return ow_err_set(err, OW_MISSING, "timing.periodMax is below period");
    if (!ow_unit_time(t->period_unit, &ms))
        return ow_err_set(err, OW_MISSING,
                          "timing.periodUnit is none of s, min, h, d, wk, mo, a");
    days = OW_RATIO(ms, OW_DAY);
    if (!ow_ratio_mul(low->value, days, &r->period_high) ||
        !ow_ratio_mul(high->has_value ? high->value : low->value, days, &r->period_low))
        return overflow(err);
    r->has_period = true;
    return OW_OK;
}

static struct ow_ratio larger(struct ow_ratio a, struct ow_ratio b)
{
    return ow_ratio_cmp(a, b) >= 0 ? a : b;
}

static struct ow_ratio smaller(struct ow_ratio a, struct ow_ratio b)
{
    return ow_ratio_cmp(a, b) <= 0 ? a : b;
}

static int64_t at_least_one(int64_t n)
{
    return n > 0 ? n : 1;
}

/* Only places and days: 3 times of day on 2 days of the week are 6/7 a day. */
static enum ow_code placed_rate(const struct repeat *r, struct ow_rate *ret)
{
    bool ok = ow_ratio_make(at_least_one(r->slots) * (r->days > 0 ? r->days : 7), 7,
                            &ret->high);

    ow_assert(ok);
    ret->low = ret->high;
    return OW_OK;
}

/*
 * A frequency and the doses placed beside it, on so many days: the frequency stands
 * unless the places are surely more (for the high rate) or surely fewer (for the low
 * one). "With meals" may be one place or three. Without a frequency the places count.
 */
static struct ow_ratio with_slots(const struct repeat *r, struct ow_ratio freq,
                                  int64_t days, bool high)
{
    struct ow_ratio most = OW_RATIO(at_least_one(r->slots) * days, 1);
    struct ow_ratio least = OW_RATIO(at_least_one(r->slots_once) * days, 1);

    if (!r->has_freq)
        return most;
    return high ? larger(freq, least) : smaller(freq, most);
}

/* Frequency and period, with what is placed beside them: see the header. */
static enum ow_code period_rate(const struct repeat *r, struct ow_rate *ret,
                                struct ow_err *err)
{
    static const struct ow_ratio day = { 1, 1 }, week = { 7, 1 };
    struct ow_ratio high = r->freq_high, low = r->freq_low, share = OW_RATIO(1, 1);

    if (ow_ratio_cmp(r->period_high, day) <= 0) {
        /* A day or shorter: the days of the week thin it out, the places are a second
         * opinion on the frequency. */
        struct ow_rate daily;

        if (r->days > 0)
            share = OW_RATIO(r->days, 7);
        if (!ow_ratio_div(high, r->period_high, &daily.high) ||
            !ow_ratio_div(low, r->period_low, &daily.low))
            return overflow(err);
        if (r->slots > 0) {
            daily.high = with_slots(r, daily.high, 1, true);
            daily.low = with_slots(r, daily.low, 1, false);
        }
        return ow_ratio_mul(daily.high, share, &ret->high) &&
                       ow_ratio_mul(daily.low, share, &ret->low)
                   ? OW_OK
                   : overflow(err);
    }
    if (r->days > 0 && ow_ratio_cmp(r->period_high, week) < 0)
        return ow_err_set(err, OW_MISSING,
                          "timing.dayOfWeek with a period between a day and a week");
    if (r->slots > 0 || r->days > 0) {
        high = with_slots(r, high, at_least_one(r->days), true);
        low = with_slots(r, low, at_least_one(r->days), false);
    }
    return ow_ratio_div(high, r->period_high, &ret->high) &&
                   ow_ratio_div(low, r->period_low, &ret->low)
               ? OW_OK
               : overflow(err);
}

/* *has stays false when the repeat says nothing of how often. */
static enum ow_code repeat_rate(const struct ow_timing *t, bool *has, struct ow_rate *ret,
                                struct ow_err *err)
{
    struct repeat r = { 0 };
    enum ow_code code = slots_read(t, &r, err);

    if (code == OW_OK)
        code = days_read(t, &r, err);
    if (code == OW_OK)
        code = frequency_read(t, &r, err);
    if (code == OW_OK)
        code = period_read(t, &r, err);
    if (code != OW_OK)
        return code;
    *has = r.has_period || r.slots > 0 || (r.days > 0 && !r.has_freq);
    if (!r.has_period && r.slots > 0 && r.has_freq) {
        r.period_high = r.period_low = OW_RATIO(1, 1); /* places are places of a day */
        r.has_period = true;
    }
    if (r.has_period)
        return period_rate(&r, ret, err);
    if (*has)
        return placed_rate(&r, ret);
    if (r.has_freq)
        return ow_err_set(err, OW_MISSING, "timing.frequency without a period");
    return OW_OK;
}

static const struct {
    const char *code;
    int64_t num, den;
    bool placed;
} abbreviations[] = {
    {"BID",    2, 1,  false},
    { "TID",   3, 1,  false},
    { "QID",   4, 1,  false},
    { "QD",    1, 1,  false},
    { "AM",    1, 1,  true },
    { "PM",    1, 1,  true },
    { "BED",   1, 1,  true },
    { "QOD",   1, 2,  false},
    { "WK",    1, 7,  false},
    { "MO",    1, 30, false},
    { "DAILY", 1, 1,  false},
    { "QAM",   1, 1,  true },
    { "QPM",   1, 1,  true },
    { "QHS",   1, 1,  true },
    { "HS",    1, 1,  true },
};

/* "Q6H": every so many hours, 1 to 72. */
static bool every_hours(const char *s, struct ow_ratio *ret)
{
    int64_t n = 0;
    bool ok;

    if ((*s != 'Q' && *s != 'q') || s[1] < '1' || s[1] > '9')
        return false;
    for (s++; *s >= '0' && *s <= '9' && n <= 72; s++)
        n = n * 10 + (*s - '0');
    if (n > 72 || (*s != 'H' && *s != 'h') || s[1] != '\0')
        return false;
    ok = ow_ratio_make(24, n, ret);
    ow_assert(ok);
    return true;
}

static bool abbreviation_rate(const char *s, struct ow_ratio *ret, bool *placed)
{
    size_t i;

    *placed = false;
    if (s == NULL)
        return false;
    if (every_hours(s, ret))
        return true;
    for (i = 0; i < OW_LEN(abbreviations); i++) {
        if (ow_strcaseeq(s, abbreviations[i].code)) {
            *placed = abbreviations[i].placed;
            *ret = OW_RATIO(abbreviations[i].num, abbreviations[i].den);
            return true;
        }
    }
    return false;
}

static bool is_gts(const char *system)
{
    return system == NULL ||
           ow_streq(system, "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation") ||
           ow_streq(system, "http://hl7.org/fhir/v3/GTSAbbreviation") ||
           ow_streq(system, "urn:oid:2.16.840.1.113883.5.139");
}

/* A code of the table of frequencies, as hours between doses. */
static bool table_rate(const struct ow_knowledge *kb, const struct ow_coding *c,
                       struct ow_rate *ret)
{
    const struct ow_timing_code *row = ow_knowledge_timing(kb, c->system, c->code);

    return row != NULL && ow_ratio_div(OW_RATIO(24, 1), row->shorter, &ret->high) &&
           ow_ratio_div(OW_RATIO(24, 1), row->longer, &ret->low);
}

static bool code_rate(const struct ow_knowledge *kb, const struct ow_concept *c,
                      struct ow_rate *ret, bool *placed)
{
    size_t i;

    *placed = false;
    for (i = 0; i < c->n_codings; i++) {
        if (table_rate(kb, &c->codings[i], ret))
            return true;
        if (is_gts(c->codings[i].system) &&
            abbreviation_rate(c->codings[i].code, &ret->high, placed)) {
            ret->low = ret->high;
            return true;
        }
    }
    if (!abbreviation_rate(c->text, &ret->high, placed))
        return false;
    ret->low = ret->high;
    return true;
}

/* Is every dose put at a stated time of day: timeOfDay, a `when` code of one event, AM,
 * PM, BED? */
static bool timing_placed(const struct ow_knowledge *kb, const struct ow_timing *t)
{
    struct ow_rate rate;
    bool placed = false;
    size_t i;

    if (t->n_time_of_day > 0)
        return true;
    for (i = 0; i < t->n_when; i++) {
        if (when_events(t->when[i]) != 1)
            return false;
    }
    if (t->n_when > 0)
        return true;
    return code_rate(kb, &t->code, &rate, &placed) && placed;
}

static bool lists_meet(const char *const *a, size_t n, const char *const *b, size_t m)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < m; k++) {
            if (ow_streq(a[i], b[k]))
                return true;
        }
    }
    return false;
}

static const char *code_word(const struct ow_timing *t)
{
    return t->code.n_codings > 0 ? t->code.codings[0].code : t->code.text;
}

/* Does the code of `a` mean one of the events of `b`? */
static bool code_meets(const struct ow_timing *a, const struct ow_timing *b)
{
    static const char *const pairs[][2] = {
        {"AM",   "MORN"},
        { "PM",  "AFT" },
        { "BED", "HS"  }
    };
    const char *x = code_word(a);

    for (size_t i = 0; x != NULL && i < OW_LEN(pairs); i++)
        if (ow_strcaseeq(x, pairs[i][0]) &&
            lists_meet(&pairs[i][1], 1, b->when, b->n_when))
            return true;
    return false;
}

bool ow_timing_apart(const struct ow_knowledge *kb, const struct ow_timing *a,
                     const struct ow_timing *b)
{
    const char *x = code_word(a), *y = code_word(b);

    return timing_placed(kb, a) && timing_placed(kb, b) &&
           !lists_meet(a->time_of_day, a->n_time_of_day, b->time_of_day,
                       b->n_time_of_day) &&
           !lists_meet(a->when, a->n_when, b->when, b->n_when) && !code_meets(a, b) &&
           !code_meets(b, a) && (x == NULL || y == NULL || !ow_strcaseeq(x, y));
}

static enum ow_code count_read(const struct ow_timing *t, bool *has, struct ow_ratio *ret,
                               struct ow_err *err)
{
    const struct ow_number *n = t->count_max.has_value ? &t->count_max : &t->count;

    *has = n->has_value;
    if (*has && !ow_ratio_positive(n->value))
        return ow_err_set(err, OW_MISSING, "timing.count is not above zero");
    *ret = n->value;
    return OW_OK;
}

static enum ow_code rate_missing(const struct ow_timing *t, struct ow_err *err)
{
    const char *why = "timing has neither repeat nor a known code";

    if (t->code.n_codings > 0 || t->code.text != NULL)
        why = "the timing code is not a known one";
    else if (t->count.has_value || t->count_max.has_value)
        why = "timing has a count and nothing else";
    else if (t->n_events > 0)
        why = "timing.event names moments only";
    return ow_err_set(err, OW_MISSING, "no frequency: %s", why);
}

enum ow_code ow_timing_rate(const struct ow_knowledge *kb, const struct ow_timing *t,
                            struct ow_rate *ret, struct ow_err *err)
{
    struct ow_rate r = { OW_ZERO, OW_ZERO };
    struct ow_rate by_code;
    struct ow_ratio count = OW_ZERO;
    bool has = false, has_count, placed;
    enum ow_code code = repeat_rate(t, &has, &r, err);

    if (code == OW_OK)
        code = count_read(t, &has_count, &count, err);
    if (code != OW_OK)
        return code;
    if (code_rate(kb, &t->code, &by_code, &placed)) {
        r.high = has ? larger(r.high, by_code.high) : by_code.high;
        r.low = has ? smaller(r.low, by_code.low) : by_code.low;
        has = true;
    }
    if (!has)
        return rate_missing(t, err);
    if (has_count) { /* no day can hold more doses than there are */
        r.high = smaller(r.high, count);
        r.low = smaller(r.low, count);
    }
    *ret = r;
    return OW_OK;
}

static void length_cut(struct ow_extent *e, int64_t ms)
{
    if (!e->has_length || ms < e->length_ms)
        e->length_ms = ms;
    e->has_length = true;
}

/* A count lasts as long as its slowest taking, and a day at least. */
static enum ow_code count_length(struct ow_ratio count, const struct ow_rate *rate,
                                 struct ow_extent *e, struct ow_err *err)
{
    struct ow_ratio days, ms;
    int64_t n;

    if (!ow_ratio_div(count, rate->low, &days) ||
        !ow_ratio_mul(days, OW_RATIO(OW_DAY, 1), &ms))
        return overflow(err);
    n = ow_ratio_ceil(ms);
    length_cut(e, n < OW_DAY ? OW_DAY : n);
    return OW_OK;
}

static enum ow_code bounds_read(const struct ow_timing *t, struct ow_extent *e,
                                struct ow_err *err)
{
    const struct ow_quantity *q = t->bounds == OW_BOUNDS_DURATION ? &t->bounds_duration
                                                                  : &t->bounds_range.high;
    struct ow_quantity plain;
    int64_t ms;

    if (t->bounds == OW_BOUNDS_PERIOD) {
        if (t->bounds_period.until <= t->bounds_period.from)
            return ow_err_set(err, OW_MISSING, "timing.bounds ends before it begins");
        e->has_bounds = true;
        e->bounds = t->bounds_period;
        return OW_OK;
    }
    /* A range without an upper end, or a length of "more than": open. */
    if (t->bounds == OW_BOUNDS_NONE || !q->has_value ||
        (q->comparator != NULL && q->comparator[0] == '>'))
        return OW_OK;
    plain = *q;
    plain.comparator = NULL;
    if (!ow_duration_ms(&plain, &ms))
        return ow_err_set(err, OW_MISSING, "timing.bounds is no length of time");
    length_cut(e, ms);
    return OW_OK;
}

enum ow_code ow_timing_extent(const struct ow_timing *t, const struct ow_rate *rate,
                              struct ow_extent *ret, struct ow_err *err)
{
    struct ow_extent e = { 0 };
    struct ow_ratio count;
    bool has_count;
    enum ow_code code = bounds_read(t, &e, err);

    if (code == OW_OK)
        code = count_read(t, &has_count, &count, err);
    if (code == OW_OK && has_count && rate != NULL)
        code = count_length(count, rate, &e, err);
    if (code == OW_OK)
        *ret = e;
    return code;
}
