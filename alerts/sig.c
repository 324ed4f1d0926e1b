/*
 * A settled draft to dosages, and back to words
 *
 * The happy path is lex, parse, settle, write. Every room may refuse, and then nothing of
 * the text is used.
 */
#include "alerts/sig.h"

#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

static struct ow_quantity quantity(struct ow_ratio v, const char *unit)
{
    return (struct ow_quantity){ .has_value = true, .value = v, .unit = unit };
}

static struct ow_number number(struct ow_ratio v)
{
    return (struct ow_number){ .has_value = true, .value = v };
}

static const char *unit_of(const struct sig_amount *a)
{
    return a->unit != NULL ? a->unit->unit : NULL;
}

static void dose_write(const struct sig_draft_line *l, struct ow_arena *arena,
                       struct ow_sig_line *ret)
{
    struct ow_dose_rate *r = OW_NEW(arena, struct ow_dose_rate);
    const char *unit = unit_of(&l->dose);

    if (l->dose.n.range || l->dose.up_to) {
        r->has_dose_range = true;
        r->dose_range.high = quantity(l->dose.n.high, unit);
        if (!l->dose.up_to)
            r->dose_range.low = quantity(l->dose.n.low, unit);
    } else {
        r->has_dose = true;
        r->dose = quantity(l->dose.n.low, unit);
    }
    ret->dosage.doses = r;
    ret->dosage.n_doses = 1;
    for (size_t i = 0; i < l->n_also; i++) {
        const struct sig_amount *a = &l->also[i];

        ret->also[i].low = quantity(a->n.low, unit_of(a));
        ret->also[i].high = quantity(a->n.high, unit_of(a));
    }
    ret->n_also = l->n_also;
}

static const char *period_unit(int hours)
{
    return hours == 1 ? "h" : hours == 24 ? "d" : hours == 168 ? "wk" : "mo";
}

static void rate_write(const struct sig_rate *r, struct ow_timing *t)
{
    if (r->up_to) {
        t->frequency_max = number(r->times.high);
    } else {
        t->frequency = number(r->times.low);
        if (r->times.range)
            t->frequency_max = number(r->times.high);
    }
    t->period = number(r->period.low);
    if (r->period.range)
        t->period_max = number(r->period.high);
    t->period_unit = period_unit(r->hours);
}

static const struct {
    unsigned slot;
    const char *when, *words;
} slots[] = {
    {SIG_MORNING,    "MORN", "in the morning"  },
    { SIG_NOON,      "NOON", "at noon"         },
    { SIG_AFTERNOON, "AFT",  "in the afternoon"},
    { SIG_EVENING,   "EVE",  "in the evening"  },
    { SIG_BEDTIME,   "HS",   "at bedtime"      },
};

static const struct {
    const char *code, *word;
} weekdays[] = {
    {"mon",  "monday"   },
    { "tue", "tuesday"  },
    { "wed", "wednesday"},
    { "thu", "thursday" },
    { "fri", "friday"   },
    { "sat", "saturday" },
    { "sun", "sunday"   },
};

static void places_write(const struct sig_draft_line *l, struct ow_arena *arena,
                         struct ow_timing *t)
{
    const char **when = OW_NEW_N(arena, const char *, OW_LEN(slots) + 1);
    const char **days = OW_NEW_N(arena, const char *, OW_LEN(weekdays));
    const char **clock = OW_NEW_N(arena, const char *, OW_LEN(l->clock));

    if (l->meals)
        when[t->n_when++] = "C";
    for (size_t i = 0; i < OW_LEN(slots); i++)
        if ((l->slots & slots[i].slot) != 0)
            when[t->n_when++] = slots[i].when;
    for (size_t i = 0; i < OW_LEN(weekdays); i++)
        if ((l->weekdays & 1u << i) != 0)
            days[t->n_day_of_week++] = weekdays[i].code;
    for (size_t i = 0; i < l->n_clock; i++)
        clock[i] = l->clock[i];
    t->n_time_of_day = l->n_clock;
    t->when = when;
    t->day_of_week = days;
    t->time_of_day = clock;
}

static void extent_write(const struct sig_draft_line *l, struct ow_timing *t)
{
    const char *unit = period_unit(l->length_hours);

    if (l->has_count)
        t->count = number(l->count);
    if (!l->has_length)
        return;
    if (l->length.range) {
        t->bounds = OW_BOUNDS_RANGE;
        t->bounds_range.low = quantity(l->length.low, unit);
        t->bounds_range.high = quantity(l->length.high, unit);
    } else {
        t->bounds = OW_BOUNDS_DURATION;
        t->bounds_duration = quantity(l->length.low, unit);
    }
}

/* The most in a period; so many doses are so many times the largest dose. */
static bool cap_write(const struct sig_draft_line *l, struct ow_arena *arena,
                      struct ow_dosage *d)
{
    struct ow_fraction *f = OW_NEW_N(arena, struct ow_fraction, 2);
    struct ow_ratio v;

    if (l->has_cap) {
        f[d->n_max_per_period].numerator = quantity(l->cap.n.low, unit_of(&l->cap));
        f[d->n_max_per_period++].denominator = quantity(OW_RATIO(l->cap_hours, 1), "h");
    }
    if (l->has_times_cap) {
        if (!ow_ratio_mul(l->times_cap, l->dose.n.high, &v))
            return false;
        f[d->n_max_per_period].numerator = quantity(v, unit_of(&l->dose));
        f[d->n_max_per_period++].denominator = quantity(OW_RATIO(l->times_cap_hours, 1),
                                                        "h");
    }
    d->max_per_period = f;
    return true;
}

static bool line_write(const struct sig_draft *x, const struct sig_draft_line *l,
                       struct ow_sig_line *ret)
{
    struct ow_arena *arena = x->text.arena;
    struct ow_dosage *d = &ret->dosage;
    struct ow_timing *t = &d->timing;

    dose_write(l, arena, ret);
    d->as_needed = l->prn;
    d->has_sequence = x->step > 0;
    d->sequence = l->step + 1;
    d->has_timing = t->has_repeat = true;
    if (l->has_rate)
        rate_write(&l->rate, t);
    places_write(l, arena, t);
    extent_write(l, t);
    return cap_write(l, arena, d);
}

enum ow_code ow_sig_read(const char *text, struct ow_arena *arena, struct ow_sig *ret,
                         struct ow_err *err)
{
    struct sig_draft d = { .n = 0, .err = err };
    struct ow_sig_line *lines;
    enum ow_code code = ow_sig_lex(text, arena, &d.text, err);

    if (code == OW_OK)
        code = ow_sig_parse(&d);
    if (code == OW_OK)
        code = ow_sig_settle(&d);
    if (code != OW_OK)
        return code;
    lines = OW_NEW_N(arena, struct ow_sig_line, d.n);
    for (size_t i = 0; i < d.n; i++)
        if (!line_write(&d, &d.lines[i], &lines[i]))
            return ow_err_set(err, OW_MISSING, "a number out of range");
    *ret = (struct ow_sig){ lines, d.n };
    return OW_OK;
}

/* Small words of a sentence, which say nothing by themselves. */
static bool is_small(const struct sig_token *t)
{
    static const char *const words[] = {
        "a",  "and", "as",    "at",      "before", "after", "by", "do", "for",  "if",
        "in", "no",  "not",   "of",      "on",     "or",    "to", "up", "when", "with",
        "th", "the", "until", "without", "(",      ")",     "-",  "/",
    };

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (ow_sig_is(t, words[i]))
            return true;
    return false;
}

/* Phrases that tell neither how much nor how often. */
static bool is_silent(enum sig_kind k)
{
    return k == SIG_SKIP || k == SIG_VERB || k == SIG_ROUTE || k == SIG_PRN ||
           k == SIG_FOR || k == SIG_REASON || k == SIG_AND || k == SIG_SEP ||
           k == SIG_DIRECTED;
}

bool ow_sig_speaks(const char *text, struct ow_arena *arena)
{
    struct sig_text x;

    if (ow_sig_lex(text, arena, &x, NULL) != OW_OK)
        return true;
    for (size_t i = 0; i < x.n; i++) {
        struct sig_match m = ow_sig_match(&x.t[i]);

        if (x.t[i].word == NULL || (m.used > 0 && !is_silent(m.phrase->kind)))
            return true;
        if (m.used == 0 && x.t[i].known && !is_small(&x.t[i]))
            return true;
        i += m.used > 0 ? m.used - 1 : 0;
    }
    return false;
}

/* ---- words ---- */

static const char *exact(struct ow_ratio v, struct ow_arena *arena)
{
    char text[OW_RATIO_TEXT];

    if (1000000 % v.den == 0)
        return ow_arena_strdup(arena, ow_ratio_format(v, 6, text));
    if (v.num > v.den)
        return ow_arena_printf(arena, "%lld %lld/%lld", (long long)(v.num / v.den),
                               (long long)(v.num % v.den), (long long)v.den);
    return ow_arena_printf(arena, "%lld/%lld", (long long)v.num, (long long)v.den);
}

static const char *ends(const struct ow_quantity *low, const struct ow_quantity *high,
                        struct ow_arena *arena)
{
    const char *unit = high->unit != NULL ? high->unit : "";

    if (ow_streq(unit, "ug/h"))
        unit = "ug/hour";
    if (!low->has_value || ow_ratio_cmp(low->value, high->value) == 0)
        return ow_arena_printf(arena, "%s%s%s", exact(high->value, arena),
                               *unit != '\0' ? " " : "", unit);
    return ow_arena_printf(arena, "%s-%s%s%s", exact(low->value, arena),
                           exact(high->value, arena), *unit != '\0' ? " " : "", unit);
}

static const char *dose_words(const struct ow_sig_line *l, struct ow_arena *arena)
{
    const struct ow_dose_rate *r = &l->dosage.doses[0];
    const char *s;

    if (r->has_dose)
        s = ends(&r->dose, &r->dose, arena);
    else
        s = ow_arena_printf(arena, "%s%s", r->dose_range.low.has_value ? "" : "up to ",
                            ends(&r->dose_range.low, &r->dose_range.high, arena));
    for (size_t i = 0; i < l->n_also; i++)
        s = ow_arena_printf(arena, "%s = %s", s,
                            ends(&l->also[i].low, &l->also[i].high, arena));
    return s;
}

static const char *unit_word(const char *unit)
{
    return ow_streq(unit, "h")    ? "hour"
           : ow_streq(unit, "d")  ? "day"
           : ow_streq(unit, "wk") ? "week"
                                  : "month";
}

static const char *span_words(const struct ow_number *low, const struct ow_number *high,
                              struct ow_arena *arena)
{
    if (high->has_value)
        return ow_arena_printf(arena, "%s-%s", exact(low->value, arena),
                               exact(high->value, arena));
    return exact(low->value, arena);
}

static const char *rate_words(const struct ow_timing *t, struct ow_arena *arena)
{
    const char *unit = t->period_unit != NULL ? unit_word(t->period_unit) : "";
    bool one = t->period.has_value && ow_ratio_cmp(t->period.value, OW_RATIO(1, 1)) == 0;

    if (!t->period.has_value)
        return "";
    if (!t->frequency.has_value && one)
        return ow_arena_printf(arena, "; up to %s times per %s",
                               exact(t->frequency_max.value, arena), unit);
    if (!t->frequency.has_value)
        return ow_arena_printf(arena, "; up to %s times in %s %s",
                               exact(t->frequency_max.value, arena),
                               exact(t->period.value, arena), unit);
    if (!t->frequency_max.has_value &&
        ow_ratio_cmp(t->frequency.value, OW_RATIO(1, 1)) == 0)
        return one && !t->period_max.has_value && !ow_streq(unit, "hour")
                   ? ow_arena_printf(arena, "; every %s", unit)
                   : ow_arena_printf(arena, "; every %s %s",
                                     span_words(&t->period, &t->period_max, arena), unit);
    return ow_arena_printf(arena, "; %s times per %s",
                           span_words(&t->frequency, &t->frequency_max, arena), unit);
}

static const char *clock_words(const char *clock, struct ow_arena *arena)
{
    int h = (clock[0] - '0') * 10 + (clock[1] - '0');

    return ow_arena_printf(arena, "; at %d %s", h % 12 == 0 ? 12 : h % 12,
                           h < 12 ? "am" : "pm");
}

static const char *place_words(const struct ow_timing *t, struct ow_arena *arena)
{
    const char *s = "";

    for (size_t i = 0; i < t->n_day_of_week; i++)
        for (size_t k = 0; k < OW_LEN(weekdays); k++)
            if (ow_streq(t->day_of_week[i], weekdays[k].code))
                s = ow_arena_printf(arena, "%s; on %s", s, weekdays[k].word);
    for (size_t i = 0; i < t->n_when; i++) {
        if (ow_streq(t->when[i], "C"))
            s = ow_arena_printf(arena, "%s; with meals", s);
        for (size_t k = 0; k < OW_LEN(slots); k++)
            if (ow_streq(t->when[i], slots[k].when))
                s = ow_arena_printf(arena, "%s%s%s", s,
                                    i > 0 && ow_streq(t->when[0], "C") ? " and " : "; ",
                                    slots[k].words);
    }
    for (size_t i = 0; i < t->n_time_of_day; i++)
        s = ow_arena_printf(arena, "%s%s", s, clock_words(t->time_of_day[i], arena));
    return s;
}

static const char *limit_words(const struct ow_dosage *d, struct ow_arena *arena)
{
    const char *s = d->as_needed ? "; prn" : "";

    for (size_t i = 0; i < d->n_max_per_period; i++) {
        const struct ow_fraction *f = &d->max_per_period[i];
        const char *amount = ends(&f->numerator, &f->numerator, arena);

        s = ow_ratio_cmp(f->denominator.value, OW_RATIO(24, 1)) == 0
                ? ow_arena_printf(arena, "%s; max %s per day", s, amount)
                : ow_arena_printf(arena, "%s; max %s in %s hours", s, amount,
                                  exact(f->denominator.value, arena));
    }
    return s;
}

static const char *extent_words(const struct ow_timing *t, struct ow_arena *arena)
{
    if (t->count.has_value)
        return ow_arena_printf(arena, "; for %s doses", exact(t->count.value, arena));
    if (t->bounds == OW_BOUNDS_RANGE)
        return ow_arena_printf(arena, "; for %s-%s %s",
                               exact(t->bounds_range.low.value, arena),
                               exact(t->bounds_range.high.value, arena),
                               unit_word(t->bounds_range.high.unit));
    if (t->bounds == OW_BOUNDS_DURATION)
        return ow_arena_printf(arena, "; for %s %s",
                               exact(t->bounds_duration.value, arena),
                               unit_word(t->bounds_duration.unit));
    return "";
}

const char *ow_sig_print(const struct ow_sig *sig, struct ow_arena *arena)
{
    const char *s = "";

    for (size_t i = 0; i < sig->n; i++) {
        const struct ow_sig_line *l = &sig->lines[i];
        const struct ow_timing *t = &l->dosage.timing;
        const char *link = "";

        if (i > 0)
            link = l->dosage.sequence != sig->lines[i - 1].dosage.sequence ? "; then "
                                                                           : "; and ";
        s = ow_arena_printf(arena, "%s%s%s%s%s%s%s", s, link, dose_words(l, arena),
                            rate_words(t, arena), place_words(t, arena),
                            limit_words(&l->dosage, arena), extent_words(t, arena));
    }
    return s;
}
