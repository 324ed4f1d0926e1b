/*
 * Phrases to a draft
 *
 * The words are read from left to right, the longest phrase first. A phrase adds to the
 * line that is open; a further dose opens the next line, "then" the next step. Words of
 * no phrase are refused, but for one place: what a medicine is for, at the end of a
 * sentence, may be any words that are on none of the lists and that cannot speak of the
 * dose.
 */
#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

enum { QUOTE_MOST = 60 };

enum ow_code ow_sig_refuse(const struct sig_draft *d, size_t from, size_t until,
                           const char *why)
{
    const struct sig_token *t = d->text.t;
    size_t a = t[from].from, b = t[until - 1].until;
    char quote[QUOTE_MOST + 4];
    size_t n = 0;

    while (a < b && n < QUOTE_MOST) {
        size_t len = ow_utf8_len(&d->text.text[a], b - a);

        ow_assert(len > 0); /* it was checked as a whole */
        if (n + len > QUOTE_MOST)
            break;
        if (len == 1 && (unsigned char)d->text.text[a] < ' ')
            quote[n++] = ' ';
        else
            memcpy(&quote[n], &d->text.text[a], len);
        n += len - (len == 1 && (unsigned char)d->text.text[a] < ' ');
        a += len;
    }
    quote[n] = '\0';
    return ow_err_set(d->err, OW_MISSING, "%s: \"%s%s\"", why, quote, a < b ? "..." : "");
}

struct sig_draft_line *ow_sig_line_add(struct sig_draft *d)
{
    struct sig_draft_line *l;

    if (d->n == SIG_LINES)
        return NULL;
    if (d->then)
        d->step++;
    l = &d->lines[d->n++];
    *l = (struct sig_draft_line){ .step = d->step, .joined = d->and_ };
    d->then = false;
    return l;
}

struct sig_draft_line *ow_sig_line(struct sig_draft *d)
{
    return d->n > 0 ? &d->lines[d->n - 1] : ow_sig_line_add(d);
}

/* The line for a when or how often: behind "then" the next step, with the dose of the
 * step before; the next line where whens come before doses. */
static struct sig_draft_line *timed_line(struct sig_draft *d)
{
    struct sig_draft_line *l = ow_sig_line(d), *next;

    if (d->then) {
        bool one = d->n < 2 || l[-1].step != l->step;

        next = l->has_dose && one ? ow_sig_line_add(d) : NULL;
        if (next == NULL)
            return NULL;
        next->has_dose = true;
        next->dose = l->dose;
        memcpy(next->also, l->also, sizeof l->also);
        next->n_also = l->n_also;
        return next;
    }
    if (l->lead && (d->and_ || d->sep)) /* it has its dose */
        return ow_sig_line_add(d);
    return l;
}

static bool number_same(const struct sig_number *a, const struct sig_number *b)
{
    return ow_ratio_cmp(a->low, b->low) == 0 && ow_ratio_cmp(a->high, b->high) == 0;
}

/* Times a day, most and least, of a rate; false when out of range. */
static bool rate_daily(const struct sig_rate *r, struct ow_ratio *high,
                       struct ow_ratio *low)
{
    struct ow_ratio day = OW_RATIO(24, r->hours);

    return ow_ratio_mul(r->times.high, day, high) &&
           ow_ratio_div(*high, r->period.low, high) &&
           ow_ratio_mul(r->times.low, day, low) &&
           ow_ratio_div(*low, r->period.high, low);
}

static bool rate_same(const struct sig_rate *a, const struct sig_rate *b)
{
    struct ow_ratio ah, al, bh, bl;

    if (number_same(&a->times, &b->times) && number_same(&a->period, &b->period) &&
        a->hours == b->hours)
        return true;
    return rate_daily(a, &ah, &al) && rate_daily(b, &bh, &bl) &&
           ow_ratio_cmp(ah, bh) == 0 && ow_ratio_cmp(al, bl) == 0;
}

static const struct sig_number one = {
    {1,  1},
    { 1, 1},
    false
};

static struct sig_number number_of(const struct sig_match *m)
{
    struct ow_ratio a = OW_RATIO(m->phrase->a, 1);

    return m->has_number ? m->number : (struct sig_number){ a, a, false };
}

static enum ow_code mismatch(const struct sig_draft *d, const struct sig_match *m)
{
    return ow_sig_refuse(d, d->at, d->at + m->used, "does not agree with the rest");
}

static enum ow_code rate_add(struct sig_draft *d, const struct sig_match *m)
{
    const struct sig_token *last = &d->text.t[d->at + m->used - 1];
    struct sig_rate r = { one, one, m->phrase->b, false };
    struct sig_draft_line *l = timed_line(d);

    if (l == NULL)
        return mismatch(d, m);
    /* "every hours": a number got lost */
    if (m->phrase->kind == SIG_EVERY && !m->has_number &&
        (d->text.text[last->until - 1] | 32) == 's')
        return ow_sig_refuse(d, d->at, d->at + m->used, "a number is missing");
    if (m->phrase->kind == SIG_EVERY)
        r.period = number_of(m);
    else
        r.times = number_of(m);
    if (!ow_ratio_positive(r.period.low) || !ow_ratio_positive(r.times.low))
        return mismatch(d, m);
    if (l->has_rate && !rate_same(&l->rate, &r))
        return mismatch(d, m);
    l->has_rate = true;
    l->rate = r;
    return OW_OK;
}

/* "up to 4 times a day": how often, or a limit to how often. */
static enum ow_code up_to_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = timed_line(d);
    struct sig_number n = number_of(m);

    if (l == NULL || n.range || n.high.den != 1 || n.high.num < 1 || l->has_times_cap ||
        l->has_cap)
        return mismatch(d, m);
    l->has_times_cap = true;
    l->times_cap = n.high;
    l->times_cap_hours = m->phrase->b;
    return OW_OK;
}

static enum ow_code when_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = timed_line(d);

    if (l == NULL || (l->meals && !l->has_rate && !d->and_) ||
        ((l->slots & (unsigned)m->phrase->a) != 0 && l->has_dose && (d->and_ || d->sep)))
        return mismatch(d, m);
    l->meals_and = l->meals_and || (l->meals && d->and_ && l->slots == 0);
    l->slots |= (unsigned)m->phrase->a;
    return OW_OK;
}

/* "before meals and at bedtime" are four; "at bedtime after meals" is one. */
static enum ow_code meals_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = timed_line(d);

    if (l == NULL || (l->slots != 0 && !d->and_ && d->sep))
        return mismatch(d, m);
    l->meals = l->slots == 0 || d->and_;
    l->meals_and = l->slots != 0 && d->and_;
    return OW_OK;
}

static enum ow_code clock_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = timed_line(d);
    struct ow_ratio v = m->number.low;
    const char *text;

    if (l == NULL || m->number.range || v.den != 1 || v.num < 1 || v.num > 12 ||
        l->n_clock == OW_LEN(l->clock))
        return mismatch(d, m);
    text = ow_arena_printf(d->text.arena, "%02d:00:00", (int)(v.num % 12) + m->phrase->a);
    for (size_t i = 0; i < l->n_clock; i++)
        if (ow_streq(l->clock[i], text))
            return mismatch(d, m);
    l->clock[l->n_clock++] = text;
    return OW_OK;
}

static bool under_a_day(const struct sig_rate *r)
{
    struct ow_ratio hours;

    return ow_ratio_mul(r->period.high, OW_RATIO(r->hours, 1), &hours) &&
           ow_ratio_cmp(hours, OW_RATIO(24, 1)) <= 0;
}

static enum ow_code length_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = ow_sig_line(d);
    struct sig_number n = number_of(m);

    if (d->then) { /* "then for 3 days": of what? */
        l = timed_line(d);
        if (l == NULL)
            return mismatch(d, m);
    }
    if (!m->has_number)
        n = one;
    /* "(3 days)" behind "every 72 hours" is no length */
    if (m->phrase->words[0] == '#' && !(l->has_rate && under_a_day(&l->rate)))
        return mismatch(d, m);
    if (!ow_ratio_positive(n.low) || (l->has_length && (!number_same(&l->length, &n) ||
                                                        l->length_hours != m->phrase->b)))
        return mismatch(d, m);
    l->has_length = true;
    l->length = n;
    l->length_hours = m->phrase->b;
    return OW_OK;
}

static enum ow_code count_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = ow_sig_line(d);

    if (d->then || l->has_count || !l->has_dose || m->number.range ||
        !ow_ratio_positive(m->number.low))
        return mismatch(d, m);
    l->has_count = true;
    l->count = m->number.low;
    return OW_OK;
}

static enum ow_code weekday_add(struct sig_draft *d, const struct sig_match *m)
{
    struct sig_draft_line *l = timed_line(d);

    if (l == NULL)
        return mismatch(d, m);
    l->weekdays |= (unsigned)m->phrase->a;
    return OW_OK;
}

static enum ow_code max_add(struct sig_draft *d, const struct sig_match *m)
{
    size_t used, start = d->at;
    enum ow_code code;

    d->at += m->used;
    if (m->phrase->kind == SIG_AT_MOST && (d->then || !ow_sig_line(d)->has_dose)) {
        d->verb = true;
        code = ow_sig_dose(d, true, &used);
    } else {
        code = ow_sig_limit(d, m->phrase->a == 1, &used);
        if (m->phrase->kind == SIG_AT_MOST && code == OW_OK && used > 0)
            ow_sig_line(d)->cap.up_to = true;
    }
    if (code == OW_OK && used == 0)
        return ow_sig_refuse(d, start, d->at + 1, "a limit that cannot be read");
    d->at += used;
    return code;
}

/* ---- reasons ---- */

static bool ends_reason(const struct sig_token *t)
{
    return ow_sig_is(t, "") || ow_sig_is(t, ".") || ow_sig_is(t, ";") ||
           ow_sig_is(t, ",") || ow_sig_is(t, "(");
}

static bool links_reason(const struct sig_token *t)
{
    return ow_sig_is(t, "and") || ow_sig_is(t, "or") || ow_sig_is(t, "to") ||
           ow_sig_is(t, "/") || ow_sig_is(t, "of") || ow_sig_is(t, "the") ||
           ow_sig_is(t, "a") || ow_sig_is(t, "in") || ow_sig_is(t, "-");
}

/* Words of no list up to the end of a sentence: how many, 0 when they will not do. */
static size_t free_reason(const struct sig_token *t)
{
    enum { MOST = 8 };
    size_t n = 0;
    bool link = false;

    for (; !ends_reason(&t[n]); n++) {
        struct sig_match m = ow_sig_match(&t[n]);

        if (n == MOST || t[n].word == NULL)
            return 0;
        link = links_reason(&t[n]);
        if (link || (m.used == 1 && m.phrase->kind == SIG_REASON))
            continue;
        if (t[n].known || m.used > 0 || ow_sig_is_loaded(t[n].word))
            return 0;
    }
    return link ? 0 : n;
}

/* Behind "for", "as needed" or a reason: known reasons and what links them. */
static size_t known_reason(const struct sig_token *t)
{
    size_t n = 0;

    for (;;) {
        size_t link = n;
        struct sig_match m;

        while (n > 0 && links_reason(&t[link]))
            link++;
        m = ow_sig_match(&t[link]);
        if (m.used == 0 || m.phrase->kind != SIG_REASON)
            return n;
        n = link + m.used;
    }
}

static size_t reason_at(const struct sig_token *t, bool told)
{
    size_t n = known_reason(t), more;

    if (n > 0 && !links_reason(&t[n]) && (t[n].known || t[n].word == NULL))
        return n;
    if (!told && n == 0)
        return 0;
    more = free_reason(&t[n]);
    return n + more;
}

/* "(moderate to severe)" */
static size_t reason_in_brackets(const struct sig_token *t)
{
    size_t n = ow_sig_is(t, "(") ? known_reason(&t[1]) : 0;

    return n > 0 && ow_sig_is(&t[n + 1], ")") ? n + 2 : 0;
}

/* "for", or "as needed" with or without it; "as needed (pain)". */
static void reason_skip(struct sig_draft *d, bool told)
{
    size_t n = reason_in_brackets(&d->text.t[d->at]);

    d->at += n > 0 ? n : reason_at(&d->text.t[d->at], told);
    d->at += reason_in_brackets(&d->text.t[d->at]);
}

/* ---- one phrase ---- */

static void then_add(struct sig_draft *d)
{
    d->then = d->n > 0;
}

static enum ow_code phrase_add(struct sig_draft *d, const struct sig_match *m)
{
    enum ow_code code = OW_OK;
    size_t before;

    switch (m->phrase->kind) {
    case SIG_EVERY:
    case SIG_TIMES:
        code = rate_add(d, m);
        break;
    case SIG_UP_TO:
        code = up_to_add(d, m);
        break;
    case SIG_WHEN:
        code = when_add(d, m);
        break;
    case SIG_CLOCK:
        code = clock_add(d, m);
        break;
    case SIG_MEALS:
        code = meals_add(d, m);
        break;
    case SIG_WEEKDAY:
        code = weekday_add(d, m);
        break;
    case SIG_LENGTH:
        code = length_add(d, m);
        break;
    case SIG_DOSES:
        code = count_add(d, m);
        break;
    case SIG_MAX:
    case SIG_AT_MOST:
        return max_add(d, m);
    case SIG_PRN:
        ow_sig_line(d)->prn = true;
        d->at += m->used;
        reason_skip(d, false);
        return OW_OK;
    case SIG_FOR:
        d->at += m->used;
        before = d->at;
        reason_skip(d, true);
        if (d->at == before)
            return ow_sig_refuse(d, before - m->used, before + 1, "not understood");
        return OW_OK;
    case SIG_REASON:
        if (!d->reasons)
            return ow_sig_refuse(d, d->at, d->at + m->used, "not understood");
        reason_skip(d, true);
        return OW_OK;
    case SIG_THEN:
        then_add(d);
        break;
    case SIG_END:
        d->ended = true;
        d->then = false;
        break;
    case SIG_STOP:
        return ow_sig_refuse(d, d->at, d->at + m->used, "not understood");
    case SIG_SKIP:
    case SIG_VERB:
    case SIG_ROUTE:
    case SIG_AND:
    case SIG_SEP:
    case SIG_DIRECTED: /* what is missing beside it is refused anyway */
        break;
    }
    d->at += m->used;
    return code;
}

/* What was just read, for the phrase that follows. */
static void context_set(struct sig_draft *d, const struct sig_match *m)
{
    enum sig_kind k = m->phrase->kind;

    d->verb = k == SIG_VERB || (d->verb && (k == SIG_ROUTE || k == SIG_SEP));
    d->reasons = k == SIG_PRN || (d->reasons && k == SIG_ROUTE); /* "prn po pain" */
    d->and_ = k == SIG_AND || (d->and_ && (k == SIG_VERB || k == SIG_SEP));
    d->sep = k == SIG_SEP || (d->sep && (k == SIG_VERB || k == SIG_AND));
}

/* Words nobody knows, up to a phrase that is known and no reason to refuse. */
static enum ow_code unknown(const struct sig_draft *d)
{
    const struct sig_token *t = d->text.t;
    size_t until = d->at + 1;

    for (; until < d->text.n && until < d->at + 6 && t[until].word != NULL; until++) {
        struct sig_match m = ow_sig_match(&t[until]);

        if (m.used > 0 && m.phrase->kind == SIG_STOP)
            return ow_sig_refuse(d, d->at, until + m.used, "not understood");
        if (m.used > 0)
            break;
    }
    return ow_sig_refuse(d, d->at, until, "not understood");
}

static enum ow_code dose_add(struct sig_draft *d, size_t *used)
{
    enum ow_code code = ow_sig_dose(d, false, used);

    if (code == OW_OK && *used > 0) {
        d->at += *used;
        d->verb = d->and_ = d->sep = d->reasons = false;
    }
    return code;
}

/* "once every morning", "once every 2 weeks": the "once" of a when. */
static bool is_plain_once(const struct sig_token *t)
{
    struct sig_match m;

    if (t[0].word != NULL || ow_ratio_cmp(t[0].num, OW_RATIO(1, 1)) != 0 ||
        !ow_sig_is(&t[1], "time"))
        return false;
    m = ow_sig_match(&t[2]);
    return m.used > 0 && (m.phrase->kind == SIG_WHEN || m.phrase->kind == SIG_EVERY);
}

enum ow_code ow_sig_parse(struct sig_draft *d)
{
    while (d->at < d->text.n) {
        struct sig_match m = ow_sig_match(&d->text.t[d->at]);

        if (m.used == 0 && is_plain_once(&d->text.t[d->at])) {
            d->at += 2;
            m = ow_sig_match(&d->text.t[d->at]);
        }
        enum ow_code code = OW_OK;
        size_t used = 0;

        if (d->ended && m.used > 0 && m.phrase->kind != SIG_SEP &&
            m.phrase->kind != SIG_SKIP)
            return ow_sig_refuse(d, d->at, d->at + m.used, "more after the end");
        if (m.used < 2 || !m.has_number) {
            if (m.used == 0 || ow_sig_is(&d->text.t[d->at], "a"))
                code = dose_add(d, &used);
            if (code != OW_OK)
                return code;
            if (used > 0)
                continue;
        }
        if (m.used == 0)
            return unknown(d);
        code = phrase_add(d, &m);
        if (code != OW_OK)
            return code;
        context_set(d, &m);
    }
    if (d->then || d->and_) /* the rest got lost: "1 tablet in the morning and" */
        return ow_sig_refuse(d, d->text.n - 1, d->text.n, "nothing follows");
    return OW_OK;
}
