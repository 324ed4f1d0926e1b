/*
 * The lines of an order put in time. Each line becomes an interval of offsets: bounds
 * with dates where they are, its place in the sequence otherwise, else the whole order.
 * Then the ends of all intervals are sorted, and between two of them the lines in force
 * add up to one step.
 */
#include "alerts/dosage.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/doseline.h"
#include "alerts/dosetext.h"
#include "base/text.h"

enum { LINES_MOST = 100, PATCH_HOURS = 72 };

struct placed {
    struct ow_dose_line line;
    const struct ow_dosage *dosage; /* whose structure it is; NULL: read from text */
    int64_t from, until;            /* offsets in ms */
};

struct plan {
    const struct ow_dose_context *ctx;
    struct placed *lines;
    size_t n, cap;
    bool largest; /* of the sequence numbers in force the largest counts, not the sum */
    bool has_bounds;
    ow_time base;  /* of the offsets, when has_bounds */
    int64_t start; /* offset of the order's own beginning, that of lines without one */
};

static struct placed *line_add(struct plan *p, const struct ow_dose_line *line)
{
    struct placed *l;

    OW_ARENA_GROW(p->ctx->arena, p->lines, p->n, p->cap);
    l = &p->lines[p->n++];
    *l = (struct placed){ .line = *line };
    return l;
}

/* The line of a structure; one whose frequency is the words of its code says so. */
static void structure_add(struct plan *p, struct ow_dose_line *line,
                          const struct ow_dosage *d, bool coded)
{
    if (coded) {
        line->flags |= OW_FLAG_FROM_TEXT;
        line->words = OW_JOIN(p->ctx->arena, "text: ", line->words);
    }
    line_add(p, line)->dosage = d;
}

/* One dosage to its line, or to the lines of its text where it has no whole dose. How
 * often a patch is changed need not be said. */
static enum ow_code dosage_read(struct plan *p, const struct ow_dosage *given,
                                struct ow_err *err)
{
    struct ow_dose_line line, *lines;
    struct ow_err why, no_code;
    size_t n;
    const struct ow_dosage *read = ow_dose_code_read(p->ctx, given, &no_code);
    const struct ow_dosage *d = read != NULL ? read : given;
    bool wanted = ow_dose_text_wanted(p->ctx, d);
    enum ow_code code = ow_dose_line_read(p->ctx, d, &line, err);
    bool whole = code == OW_OK && (!wanted || p->ctx->basis == OW_BASIS_MCG_HOUR);

    if (whole || !wanted) {
        if (code == OW_OK)
            structure_add(p, &line, d, d != given);
        else if (read == NULL && err != NULL && ow_starts_with(err->text, "no frequency"))
            *err = no_code;
        return code;
    }
    if (ow_dose_text_read(p->ctx, d, false, &lines, &n, &why) == OW_OK) {
        for (size_t i = 0; i < n; i++)
            line_add(p, &lines[i]);
        return OW_OK;
    }
    if (code != OW_OK)
        return ow_err_set(err, code, "%s", why.text);
    structure_add(p, &line, d, d != given);
    return OW_OK;
}

/* Say which of several lines it was. */
static enum ow_code line_error(const struct ow_order *o, size_t i, enum ow_code code,
                               struct ow_err *err)
{
    return o->n_dosages > 1 ? ow_err_prefix(err, code, "dosage line %zu", i + 1) : code;
}

static enum ow_code lines_read(const struct ow_dose_context *ctx, struct plan *p,
                               struct ow_err *err)
{
    const struct ow_order *o = ctx->order;
    size_t i;

    if (o->n_dosages == 0)
        return ow_err_set(err, OW_MISSING, "no dosage");
    if (o->n_dosages > LINES_MOST)
        return ow_err_set(err, OW_MISSING, "more than %d dosage lines", LINES_MOST);
    for (i = 0; i < o->n_dosages; i++) /* before anything that the supply may stand for */
        if (o->dosages[i].refused != NULL)
            return line_error(
                o, i, ow_err_set(err, OW_INPUT, "%s", o->dosages[i].refused), err);
    for (i = 0; i < o->n_dosages; i++) {
        enum ow_code code = dosage_read(p, &o->dosages[i], err);

        if (code != OW_OK)
            return line_error(o, i, code, err);
    }
    return OW_OK;
}

/* Where the order itself says that it begins. */
static bool order_start(const struct ow_order *o, ow_time *ret)
{
    if (o->has_validity && o->validity.from != OW_TIME_MIN)
        *ret = o->validity.from;
    else if (o->has_authored && o->authored.from != OW_TIME_MIN)
        *ret = o->authored.from;
    else
        return false;
    return true;
}

/* Has the one line a count or length beside a period without a beginning? Then it runs
 * from the order's. */
static bool counts_from_start(const struct plan *p, ow_time *start)
{
    const struct ow_extent *e = &p->lines[0].line.extent;

    return e->has_length && order_start(p->ctx->order, start) && *start < e->bounds.until;
}

/*
 * The instant that offsets count from when lines have dates: the earliest beginning. A
 * line that says none begins with the order, whose own date it needs if its period ends;
 * otherwise it may do with the earliest of the others.
 */
static enum ow_code base_find(struct plan *p, struct ow_err *err)
{
    ow_time first = OW_TIME_MAX, start;
    bool open = false, undated = false;
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct ow_extent *e = &p->lines[i].line.extent;

        undated = undated || !e->has_bounds;
        if (!e->has_bounds)
            continue;
        p->has_bounds = true;
        open = open || e->bounds.from == OW_TIME_MIN;
        if (e->bounds.from != OW_TIME_MIN && e->bounds.from < first)
            first = e->bounds.from;
    }
    p->base = first;
    if (!p->has_bounds || (!open && !undated))
        return OW_OK;
    if (p->n == 1 && !counts_from_start(p, &start)) {
        p->base = OW_TIME_MIN;
        return OW_OK;
    }
    if (!order_start(p->ctx->order, &start)) {
        if (!open)
            return OW_OK;
        return ow_err_set(err, OW_MISSING,
                          "a dosage line's period has no beginning, nor has the order");
    }
    p->base = start < first ? start : first;
    if (__builtin_sub_overflow(start, p->base, &p->start))
        p->start = 0;
    return OW_OK;
}

/* `t` as an offset; open stays open, and what does not fit is as good as open. */
static int64_t offset_of(const struct plan *p, ow_time t)
{
    int64_t ret;

    if (t == OW_TIME_MAX || p->base == OW_TIME_MIN ||
        __builtin_sub_overflow(t, p->base, &ret))
        return INT64_MAX;
    return ret > 0 ? ret : 0;
}

static void line_place(const struct plan *p, struct placed *l, int64_t start)
{
    const struct ow_extent *e = &l->line.extent;

    if (e->has_bounds) {
        l->from = e->bounds.from == OW_TIME_MIN ? p->start : offset_of(p, e->bounds.from);
        l->until = offset_of(p, e->bounds.until);
        if (e->has_length) { /* a count within bounds */
            int64_t end = ow_time_add(l->from, e->length_ms);

            l->until = end < l->until ? end : l->until;
        }
        return;
    }
    l->from = start;
    l->until = e->has_length ? ow_time_add(start, e->length_ms) : INT64_MAX;
}

/* The sequence number that follows `after`; false behind the last one. */
static bool sequence_next(const struct plan *p, bool first, int64_t after, int64_t *ret)
{
    bool found = false;
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct ow_dose_line *l = &p->lines[i].line;

        if (!l->has_sequence || (!first && l->sequence <= after))
            continue;
        if (!found || l->sequence < *ret)
            *ret = l->sequence;
        found = true;
    }
    return found;
}

/* Place the lines with this number at `start`; gives where the next begin. */
static int64_t group_place(struct plan *p, int64_t sequence, int64_t start)
{
    int64_t end = start;
    size_t i;

    for (i = 0; i < p->n; i++) {
        struct placed *l = &p->lines[i];

        if (!l->line.has_sequence || l->line.sequence != sequence)
            continue;
        line_place(p, l, start);
        end = l->until > end ? l->until : end;
    }
    return end;
}

/* Are the steps really the doses of one day: morning, noon and bedtime? */
static bool steps_of_a_day(const struct plan *p)
{
    size_t i, k;

    for (i = 0; i < p->n; i++) {
        const struct ow_dose_line *a = &p->lines[i].line;

        for (k = 0; k < i; k++) {
            const struct ow_dose_line *b = &p->lines[k].line;

            if (a->has_sequence && b->has_sequence && a->sequence != b->sequence &&
                (a->timing == NULL || b->timing == NULL ||
                 !ow_timing_apart(p->ctx->kb, a->timing, b->timing)))
                return false;
        }
    }
    return true;
}

/*
 * The step `sequence`, which is not the last, has a line without an end: see the header.
 * It is in force as long as its other lines last; from then on it may be the lines of it
 * that have no end, or any later step.
 */
static void this_or_later(struct plan *p, int64_t sequence, int64_t settled)
{
    size_t i;

    if (steps_of_a_day(p)) {
        for (i = 0; i < p->n; i++)
            line_place(p, &p->lines[i], p->start);
        return;
    }
    for (i = 0; i < p->n; i++) {
        const struct placed *l = &p->lines[i];

        if (l->line.has_sequence && l->line.sequence == sequence &&
            l->until != INT64_MAX && l->until > settled)
            settled = l->until;
    }
    for (i = 0; i < p->n; i++) {
        struct placed *l = &p->lines[i];

        if (l->line.has_sequence && l->line.sequence > sequence) {
            l->from = settled;
            l->until = INT64_MAX;
        }
    }
    p->largest = true;
}

static void lines_place(struct plan *p)
{
    int64_t sequence = 0, next = 0, start = p->start, end = start;
    bool first = true;
    size_t i;

    for (i = 0; i < p->n; i++) {
        if (!p->lines[i].line.has_sequence)
            line_place(p, &p->lines[i], p->start);
    }
    while (sequence_next(p, first, sequence, &next)) {
        if (end == INT64_MAX) {
            this_or_later(p, sequence, start);
            return;
        }
        start = end;
        end = group_place(p, next, start);
        sequence = next;
        first = false;
    }
}

static int cmp_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static struct ow_ratio pick(struct ow_ratio a, struct ow_ratio b, bool larger)
{
    return (ow_ratio_cmp(a, b) >= 0) == larger ? a : b;
}

static bool step_add(const struct plan *p, struct ow_dose_step *s, struct ow_ratio high,
                     struct ow_ratio low, const char *words)
{
    if (s->words == NULL) {
        s->high = high;
        s->low = low;
        s->words = words;
        return true;
    }
    s->words = ow_arena_printf(p->ctx->arena, "%s + %s", s->words, words);
    return ow_ratio_add(s->high, high, &s->high) && ow_ratio_add(s->low, low, &s->low);
}

/* Add up the lines in force that have this sequence number, or none. */
static bool step_sum(const struct plan *p, const int64_t *sequence,
                     struct ow_dose_step *s)
{
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct placed *l = &p->lines[i];
        bool mine = sequence == NULL
                        ? !l->line.has_sequence
                        : l->line.has_sequence && l->line.sequence == *sequence;

        if (mine && l->from <= s->from_ms && l->until >= s->until_ms &&
            !step_add(p, s, l->line.high, l->line.low, l->line.words))
            return false;
    }
    return true;
}

/* The lines of one number after the other; `best` is the largest of them. */
static bool step_largest(const struct plan *p, struct ow_dose_step *best)
{
    int64_t sequence = 0, next = 0;
    bool first = true;
    int n = 0;

    while (sequence_next(p, first, sequence, &next)) {
        struct ow_dose_step s = { .from_ms = best->from_ms, .until_ms = best->until_ms };

        if (!step_sum(p, &next, &s))
            return false;
        sequence = next;
        first = false;
        if (s.words == NULL)
            continue;
        n++;
        if (best->words == NULL || ow_ratio_cmp(s.high, best->high) > 0)
            best->words = s.words;
        else
            s.high = best->high;
        best->low = best->high.den == 0 ? s.low : pick(s.low, best->low, false);
        best->high = s.high;
    }
    if (n > 1)
        best->words = ow_arena_printf(p->ctx->arena, "largest step: %s", best->words);
    return true;
}

static bool step_build(const struct plan *p, struct ow_dose_step *s)
{
    struct ow_dose_step best = { .from_ms = s->from_ms, .until_ms = s->until_ms };
    int64_t sequence = 0, next = 0;
    bool first = true;

    s->words = NULL;
    if (!step_sum(p, NULL, s))
        return false;
    if (p->largest)
        return step_largest(p, &best) &&
               (best.words == NULL || step_add(p, s, best.high, best.low, best.words));
    while (sequence_next(p, first, sequence, &next)) {
        if (!step_sum(p, &next, s))
            return false;
        sequence = next;
        first = false;
    }
    return true;
}

static enum ow_code steps_build(const struct plan *p, struct ow_dose *ret,
                                struct ow_err *err)
{
    int64_t *ends = OW_NEW_N(p->ctx->arena, int64_t, p->n * 2);
    struct ow_dose_step *steps = OW_NEW_N(p->ctx->arena, struct ow_dose_step, p->n * 2);
    size_t i, n = 0;

    for (i = 0; i < p->n; i++) {
        ends[i * 2] = p->lines[i].from;
        ends[i * 2 + 1] = p->lines[i].until;
    }
    qsort(ends, p->n * 2, sizeof *ends, cmp_i64);
    for (i = 0; i + 1 < p->n * 2; i++) {
        struct ow_dose_step s = { .from_ms = ends[i], .until_ms = ends[i + 1] };

        if (s.from_ms == s.until_ms)
            continue;
        if (!step_build(p, &s))
            return ow_err_set(err, OW_MISSING, "the dose is out of range");
        if (s.words != NULL)
            steps[n++] = s;
    }
    if (n == 0)
        return ow_err_set(err, OW_MISSING, "the dosage covers no time");
    ret->steps = steps;
    ret->n_steps = n;
    return OW_OK;
}

static bool is_backwards(const struct placed *l)
{
    return l->until <= l->from && l->from > 0;
}

/* What the order as a whole says of its length. A line that ends before it begins says
 * nothing of that; the one that all offsets count from never does. */
static void ends_set(const struct plan *p, struct ow_dose *ret)
{
    int64_t until = 0;
    size_t i;

    for (i = 0; i < p->n; i++) {
        const struct placed *l = &p->lines[i];

        ret->flags |= l->line.flags;
        if (is_backwards(l)) {
            ret->backwards_ms = l->from > ret->backwards_ms ? l->from : ret->backwards_ms;
            continue;
        }
        until = l->until > until ? l->until : until;
        if (l->from > ret->last_ms)
            ret->last_ms = l->from;
        if (l->until != INT64_MAX && l->until > ret->last_ms)
            ret->last_ms = l->until;
    }
    ret->flags |= p->largest ? OW_FLAG_RANGE : 0;
    ret->has_length = until != INT64_MAX;
    ret->length_ms = ret->has_length ? until : 0;
    if (!p->has_bounds)
        return;
    ret->has_bounds = true;
    ret->bounds.from = p->base;
    if (p->base == OW_TIME_MIN)
        ret->bounds.until = p->lines[0].line.extent.bounds.until;
    else
        ret->bounds.until = until == INT64_MAX ? OW_TIME_MAX
                                               : ow_time_add(p->base, until);
}

static enum ow_code plan_build(struct plan *p, struct ow_dose *ret, struct ow_err *err)
{
    enum ow_code code = base_find(p, err);

    if (code != OW_OK)
        return code;
    lines_place(p);
    code = steps_build(p, ret, err);
    if (code == OW_OK)
        ends_set(p, ret);
    return code;
}

/* ---- structure against text ---- */

/* Do all dosages carry the same text, which is then that of the whole order? */
static bool one_text(const struct ow_order *o)
{
    for (size_t i = 1; i < o->n_dosages; i++)
        if (!ow_streq(o->dosages[i].text, o->dosages[0].text) ||
            !ow_streq(o->dosages[i].patient_instruction,
                      o->dosages[0].patient_instruction))
            return false;
    return o->n_dosages > 1;
}

/* Are the lines of a text doses of one time, as those of the morning and of bedtime? Not
 * the steps of a taper. */
static bool side_by_side(const struct ow_dose_line *lines, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (lines[i].sequence != lines[0].sequence)
            return false;
    return true;
}

/* The lines of the text in the place and for the time of the structured one: a line alone
 * for just as long, doses beside each other unless they say for how long themselves. */
static void text_lines_add(struct plan *t, const struct placed *l,
                           struct ow_dose_line *lines, size_t n, bool own)
{
    own = own && side_by_side(lines, n);
    for (size_t i = 0; i < n; i++) {
        struct ow_extent *e = &lines[i].extent;

        if (own && (n == 1 || !e->has_length)) {
            *e = l->line.extent;
        } else if (own) { /* so long, from where the structured one begins */
            e->has_bounds = l->line.extent.has_bounds;
            e->bounds = l->line.extent.bounds;
        }
        if (own && n == 1)
            lines[i].timing = l->line.timing;
        line_add(t, &lines[i]);
    }
}

/* The plan with texts in place of structures; false when no text can be read. */
static bool text_plan(const struct plan *p, struct plan *t)
{
    const struct ow_order *o = p->ctx->order;
    bool any = false, once = one_text(o);

    for (size_t i = 0; i < p->n; i++) {
        const struct placed *l = &p->lines[i];
        struct ow_dose_line *lines;
        size_t n;

        if (l->dosage == NULL || !ow_dose_text_says(l->dosage) ||
            ow_dose_text_read(p->ctx, l->dosage, true, &lines, &n, NULL) != OW_OK) {
            line_add(t, &l->line);
            continue;
        }
        any = true;
        text_lines_add(t, l, lines, n, !once);
        if (once)
            return true;
    }
    return any;
}

static const struct ow_dose_step *step_at(const struct ow_dose *d, int64_t at)
{
    for (size_t i = 0; i < d->n_steps; i++)
        if (d->steps[i].from_ms <= at && at < d->steps[i].until_ms)
            return &d->steps[i];
    return NULL;
}

/* Where a step of either begins or ends behind `at`. */
static int64_t edge_after(const struct ow_dose *a, int64_t at, int64_t until)
{
    for (size_t i = 0; i < a->n_steps; i++) {
        if (a->steps[i].from_ms > at && a->steps[i].from_ms < until)
            until = a->steps[i].from_ms;
        if (a->steps[i].until_ms > at && a->steps[i].until_ms < until)
            until = a->steps[i].until_ms;
    }
    return until;
}

static bool step_widen(const struct plan *p, struct ow_dose_step *s,
                       const struct ow_dose_step *text)
{
    int c = ow_ratio_cmp(text->high, s->high);

    s->low = pick(s->low, text->low, false);
    s->high = pick(s->high, text->high, true);
    if (c > 0)
        s->words = ow_arena_printf(p->ctx->arena, "%s (structure: %s)", text->words,
                                   s->words);
    else if (c < 0)
        s->words = ow_arena_printf(p->ctx->arena, "%s (%s)", s->words, text->words);
    return c != 0;
}

/*
 * Let the text widen what the structure says: the higher is high, the lower low. It does
 * not change how long the order lasts, and one that cannot be read changes nothing.
 */
static void text_compare(const struct plan *p, struct ow_dose *dose)
{
    struct plan t = { .ctx = p->ctx };
    struct ow_dose text = *dose;
    struct ow_dose_step *steps;
    size_t n = 0;
    bool differs = false;

    if (!text_plan(p, &t) || plan_build(&t, &text, NULL) != OW_OK)
        return;
    steps = OW_NEW_N(p->ctx->arena, struct ow_dose_step,
                     dose->n_steps + 2 * text.n_steps);
    for (size_t i = 0; i < dose->n_steps; i++) {
        int64_t at = dose->steps[i].from_ms;

        while (at < dose->steps[i].until_ms) {
            const struct ow_dose_step *other = step_at(&text, at);
            struct ow_dose_step s = dose->steps[i];

            s.from_ms = at;
            s.until_ms = edge_after(&text, at, s.until_ms);
            at = s.until_ms;
            if (other != NULL && step_widen(p, &s, other))
                differs = true;
            if (ow_ratio_cmp(s.high, s.low) != 0)
                dose->flags |= OW_FLAG_RANGE;
            steps[n++] = s;
        }
    }
    if (differs)
        dose->flags |= OW_FLAG_TEXT_DIFFERS;
    dose->steps = steps;
    dose->n_steps = n;
}

enum ow_code ow_dosage_read(const struct ow_knowledge *kb, const struct ow_order *order,
                            const struct ow_product *product, struct ow_arena *arena,
                            struct ow_dose *ret, struct ow_err *err)
{
    struct ow_dose_context ctx = { kb, order, product, ow_product_basis(product), arena };
    struct ow_dose dose = { .basis = ctx.basis, .unit = ow_basis_unit(ctx.basis) };
    struct plan p = { .ctx = &ctx };
    enum ow_code code = lines_read(&ctx, &p, err);

    if (code == OW_OK)
        code = ow_component_check(&ctx, err);
    if (code == OW_OK)
        code = plan_build(&p, &dose, err);
    if (code != OW_OK)
        return code;
    text_compare(&p, &dose);
    *ret = dose;
    return OW_OK;
}

void ow_dosage_extent(const struct ow_knowledge *kb, const struct ow_order *order,
                      struct ow_arena *arena, struct ow_dose *ret)
{
    struct ow_dose_context ctx = { .kb = kb, .order = order, .arena = arena };
    struct plan p = { .ctx = &ctx };
    struct ow_err ignored;
    size_t i;

    *ret = (struct ow_dose){ .n_steps = 0 };
    if (order->n_dosages == 0 || order->n_dosages > LINES_MOST)
        return;
    p.n = order->n_dosages;
    p.lines = OW_NEW_N(arena, struct placed, p.n);
    for (i = 0; i < p.n; i++) {
        const struct ow_dosage *d = ow_dose_code_read(&ctx, &order->dosages[i], NULL);
        struct ow_dose_line *l = &p.lines[i].line;
        struct ow_rate rate;
        bool has_rate;

        d = d != NULL ? d : &order->dosages[i];

        *l = (struct ow_dose_line){ .has_sequence = d->has_sequence,
                                    .sequence = d->sequence,
                                    .timing = d->has_timing ? &d->timing : NULL };
        if (!d->has_timing)
            continue;
        has_rate = ow_timing_rate(kb, &d->timing, &rate, &ignored) == OW_OK;
        if (ow_timing_extent(&d->timing, has_rate ? &rate : NULL, &l->extent, &ignored) !=
            OW_OK)
            l->extent = (struct ow_extent){ .has_length = false };
    }
    if (base_find(&p, &ignored) != OW_OK)
        return;
    lines_place(&p);
    ends_set(&p, ret);
}

bool ow_supply_days(const struct ow_order *order, struct ow_ratio *ret)
{
    const struct ow_quantity *q = &order->supply_duration;
    struct ow_ratio ms;
    bool bare = (q->unit == NULL || q->unit[0] == '\0') &&
                (q->code == NULL || q->code[0] == '\0');

    /* daysSupply of a dispense: the name is the unit */
    if (order->kind == OW_DISPENSE && bare) {
        if (!q->has_value || q->comparator != NULL || !ow_ratio_positive(q->value))
            return false;
        *ret = q->value;
        return true;
    }
    return ow_duration_exact(q, &ms) && ow_ratio_div(ms, OW_RATIO(OW_DAY, 1), ret);
}

bool ow_supply_amount(const struct ow_knowledge *kb, const struct ow_order *order,
                      const struct ow_product *product, struct ow_arena *arena,
                      struct ow_ratio *ret)
{
    struct ow_dose_context ctx = { kb, order, product, ow_product_basis(product), arena };
    struct ow_amount a;
    struct ow_err ignored;

    if (!order->supply_quantity.has_value ||
        ow_amount_read(&ctx, &order->supply_quantity, OW_AMOUNT_SUPPLY, "supply", &a,
                       &ignored) != OW_OK ||
        (ctx.basis == OW_BASIS_MCG_HOUR && a.strength[0] == '\0'))
        return false;
    *ret = a.value;
    return true;
}

int ow_patch_hours(const struct ow_product *p)
{
    return p->patch_hours > 0 ? p->patch_hours : PATCH_HOURS;
}

/* Patches worn at once: quantity x hours of wear / hours supplied. */
static bool patches_worn(const struct ow_product *p, struct ow_ratio total,
                         struct ow_ratio days, struct ow_ratio *ret, int *hours)
{
    *hours = ow_patch_hours(p);
    return ow_ratio_mul(total, OW_RATIO(*hours, 24), &total) &&
           ow_ratio_div(total, days, ret);
}

enum ow_code ow_dosage_from_supply(const struct ow_knowledge *kb,
                                   const struct ow_order *order,
                                   const struct ow_product *product,
                                   struct ow_arena *arena, struct ow_dose *ret,
                                   struct ow_err *err)
{
    struct ow_dose_context ctx = { kb, order, product, ow_product_basis(product), arena };
    struct ow_dose_step *s = OW_NEW(arena, struct ow_dose_step);
    struct ow_ratio days;
    struct ow_amount a;
    char text[OW_RATIO_TEXT];
    enum ow_code code = ow_component_check(&ctx, err);
    int hours = 0;
    bool ok;

    if (code != OW_OK)
        return code;
    if (!order->supply_quantity.has_value)
        return ow_err_set(err, OW_MISSING, "no quantity supplied");
    if (!order->supply_duration.has_value)
        return ow_err_set(err, OW_MISSING, "no days' supply");
    if (!ow_supply_days(order, &days))
        return ow_err_set(err, OW_MISSING, "the days' supply is no length of time");
    code = ow_amount_read(&ctx, &order->supply_quantity, OW_AMOUNT_SUPPLY,
                          "quantity supplied", &a, err);
    if (code != OW_OK)
        return code;
    ow_ratio_format(days, 2, text);
    if (ctx.basis == OW_BASIS_MCG_HOUR) {
        if (a.strength[0] == '\0')
            return ow_err_set(err, OW_MISSING, "quantity supplied: no number of patches");
        ok = patches_worn(product, a.value, days, &s->high, &hours);
        s->words = ow_arena_printf(arena, "%s x %d h / %s d%s", a.count, hours, text,
                                   a.strength);
    } else {
        ok = ow_ratio_div(a.value, days, &s->high);
        s->words = OW_JOIN(arena, a.count, " / ", text, " d", a.strength);
    }
    if (!ok)
        return ow_err_set(err, OW_MISSING, "the quantity supplied is out of range");
    s->low = s->high;
    s->until_ms = INT64_MAX;
    *ret = (struct ow_dose){ .basis = ctx.basis,
                             .unit = ow_basis_unit(ctx.basis),
                             .steps = s,
                             .n_steps = 1,
                             .flags = OW_FLAG_FROM_SUPPLY };
    return OW_OK;
}
