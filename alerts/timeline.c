/*
 * One sweep over the starts and ends of all dose steps in the window. Between two events
 * nothing changes, so the sums need a look only behind each group of simultaneous events;
 * a rising sum is remembered as the peak.
 *
 * Exactness: every amount is admitted against a common denominator of at most 2^34 and a
 * grand total of at most 2^20 MME/d (or mg methadone), so any partial sum is a fraction
 * of two 64-bit integers and adding or taking away cannot overflow.
 */
#include "alerts/timeline.h"

#include <stdlib.h>

#define MAX_DENOMINATOR (INT64_C(1) << 34)
#define MAX_TOTAL       (INT64_C(1) << 20)

enum sum { SUM_TOTAL, SUM_WRITTEN, SUM_SUPPLIED, SUM_LASTING, SUM_N };

struct event {
    ow_time at;
    bool start;
    unsigned sums;         /* set of the sums it belongs to */
    bool banded;           /* an amount of methadone in mg instead of MME */
    struct ow_ratio value; /* MME/d, or mg/d */
};

struct running {
    struct ow_ratio med, banded;
    int n, n_banded;
};

/* ---- admission ---- */

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;

        a = b;
        b = r;
    }
    return a;
}

struct ledger { /* what has been admitted so far */
    int64_t denominator;
    struct ow_ratio total;
};

static bool admit(struct ledger *l, struct ow_ratio v)
{
    int64_t step = v.den / gcd(l->denominator, v.den);
    struct ow_ratio total;

    if (l->denominator > MAX_DENOMINATOR / step ||
        ow_ratio_cmp(v, OW_RATIO(MAX_TOTAL, 1)) > 0 ||
        !ow_ratio_add(l->total, v, &total) ||
        ow_ratio_cmp(total, OW_RATIO(MAX_TOTAL, 1)) > 0)
        return false;
    l->denominator *= step;
    l->total = total;
    return true;
}

/* MME/d of an amount in units of the dose; for methadone before banding. */
static bool to_med(const struct ow_item *it, struct ow_ratio amount, struct ow_ratio *ret)
{
    return ow_ratio_mul(amount, it->factor.value, ret);
}

static bool admit_item(struct ledger *l, const struct ow_item *it)
{
    struct ledger trial = *l;
    struct ow_ratio highest = OW_ZERO, med;

    for (size_t i = 0; i < it->dose.n_steps; i++) {
        struct ow_ratio high = it->dose.steps[i].high;
        struct ledger one = { trial.denominator, OW_ZERO };

        /* denominators of every step count, of the amounts only the highest */
        if (!to_med(it, high, &med) || !admit(&one, med) || !admit(&one, high))
            return false;
        trial.denominator = one.denominator;
        if (ow_ratio_cmp(med, highest) > 0)
            highest = med;
    }
    if (!admit(&trial, highest))
        return false;
    *l = trial;
    return true;
}

void ow_timeline_admit(struct ow_judge *j)
{
    struct ledger l = { 10, OW_ZERO }; /* factors of methadone have one decimal */

    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_item *it = &j->items[i];
        struct ledger trial;
        struct ow_ratio med;

        if (it->role != OW_ROLE_COUNTED)
            continue;
        if (!admit_item(&l, it)) {
            it->role = OW_ROLE_UNREADABLE;
            it->reason = ow_word(j->arena, OW_WORD_TOO_LARGE);
            continue;
        }
        trial = l;
        if (it->has_supplied && to_med(it, it->supplied, &med) && admit(&trial, med) &&
            admit(&trial, it->supplied))
            l.denominator = trial.denominator;
        else
            it->has_supplied = false;
    }
}

/* ---- sums ---- */

static void must(bool fits)
{
    ow_assert(fits); /* ow_timeline_admit has seen to it */
}

struct ow_ratio ow_timeline_banded(const struct ow_judge *j, const struct ow_item *it,
                                   struct ow_ratio mg)
{
    struct ow_factor f = it->factor;

    if (ow_knowledge_factor(j->kb, j->policy->table, j->policy->older_factor,
                            it->drug.product, mg, &f, NULL) != OW_OK)
        return it->factor.value;
    return f.value;
}

struct sweep {
    struct ow_judge *j;
    const struct ow_item *methadone; /* any of them; NULL when there is none */
    struct event *events;
    size_t n;
    struct running run[SUM_N];
    struct ow_ratio band_mg, band_factor; /* the last one asked for */
};

static void sweep_add(struct sweep *s, struct ow_span span, unsigned sums, bool banded,
                      struct ow_ratio value)
{
    const struct ow_span *w = &s->j->window;
    ow_time from = span.from > w->from ? span.from : w->from;
    ow_time until = span.until < w->until ? span.until : w->until;

    if (from >= until)
        return;
    s->events[s->n++] = (struct event){ from, true, sums, banded, value };
    if (until < w->until)
        s->events[s->n++] = (struct event){ until, false, sums, banded, value };
}

struct ow_span ow_timeline_step(const struct ow_item *it, size_t i)
{
    const struct ow_dose_step *st = &it->dose.steps[i];
    struct ow_span ret = it->taken;

    if (it->dose.n_steps < 2 && st->from_ms == 0)
        return ret;
    if (it->unplaced) /* nobody knows how far it has come: the highest */
        return i == it->step ? ret : (struct ow_span){ 0, 0 };
    ret.from = ow_time_add(it->span.from, st->from_ms);
    if (ret.from < it->taken.from)
        ret.from = it->taken.from;
    if (st->until_ms != INT64_MAX && ow_time_add(it->span.from, st->until_ms) < ret.until)
        ret.until = ow_time_add(it->span.from, st->until_ms);
    return ret;
}

/* An order that is over within `acute-days` of med-threshold, and was never meant to
 * last. */
static bool is_acute(const struct ow_judge *j, const struct ow_item *it)
{
    return it->has_length && (it->flags & OW_FLAG_SUPPLY_ENDED) == 0 &&
           it->span.from != OW_TIME_MIN &&
           it->span.until <=
               ow_time_add(
                   it->span.from,
                   ow_ratio_floor(j->policy->params[OW_PARAM_MED_THRESHOLD_ACUTE_DAYS]) *
                       OW_DAY);
}

static void sweep_item(struct sweep *s, const struct ow_item *it)
{
    bool banded = it->drug.methadone;
    bool from_supply = (it->flags & OW_FLAG_FROM_SUPPLY) != 0;
    unsigned sums = 1U << SUM_TOTAL;
    struct ow_ratio v;

    sums |= from_supply ? 0 : 1U << SUM_WRITTEN;
    sums |= is_acute(s->j, it) ? 0 : 1U << SUM_LASTING;
    for (size_t i = 0; i < it->dose.n_steps; i++) {
        v = it->dose.steps[i].high;
        if (!banded)
            must(to_med(it, v, &v));
        sweep_add(s, ow_timeline_step(it, i), sums, banded, v);
    }
    if (!it->has_supplied)
        return;
    v = it->supplied;
    if (!banded)
        must(to_med(it, v, &v));
    sweep_add(s, it->taken, 1U << SUM_SUPPLIED, banded, v);
}

static void run_event(struct sweep *s, const struct event *e)
{
    for (unsigned k = 0; k < SUM_N; k++) {
        struct running *r = &s->run[k];
        struct ow_ratio *v = e->banded ? &r->banded : &r->med;

        if ((e->sums & 1U << k) == 0)
            continue;
        must(e->start ? ow_ratio_add(*v, e->value, v) : ow_ratio_sub(*v, e->value, v));
        r->n += e->start ? 1 : -1;
        r->n_banded += !e->banded ? 0 : e->start ? 1 : -1;
    }
}

static struct ow_ratio run_value(struct sweep *s, const struct running *r)
{
    struct ow_ratio ret = r->med, med;

    if (r->n_banded == 0)
        return ret;
    if (ow_ratio_cmp(r->banded, s->band_mg) != 0) {
        s->band_mg = r->banded;
        s->band_factor = ow_timeline_banded(s->j, s->methadone, r->banded);
    }
    must(ow_ratio_mul(r->banded, s->band_factor, &med));
    must(ow_ratio_add(ret, med, &ret));
    return ret;
}

static void look(struct sweep *s, ow_time at)
{
    struct ow_verdict *v = s->j->v;
    struct ow_total *totals[] = { &v->total, &v->written, &v->supplied };

    for (unsigned k = 0; k < SUM_N; k++) {
        struct ow_ratio value;
        struct ow_total *t = k < OW_LEN(totals) ? totals[k] : NULL;

        if (s->run[k].n == 0)
            continue;
        value = run_value(s, &s->run[k]);
        if (t == NULL) {
            if (!s->j->has_lasting || ow_ratio_cmp(value, s->j->lasting_peak) > 0)
                s->j->lasting_peak = value;
            s->j->has_lasting = true;
            continue;
        }
        if (at == s->j->window.from) {
            t->has_now = true;
            t->now = value;
        }
        if (t->has_peak && ow_ratio_cmp(value, t->peak) <= 0)
            continue;
        t->has_peak = true;
        t->peak = value;
        if (k == SUM_TOTAL) {
            v->has_peak_at = true;
            v->peak_at = at;
        }
    }
}

static int by_time(const void *x, const void *y)
{
    const struct event *a = x, *b = y;

    return a->at != b->at ? (a->at < b->at ? -1 : 1) : (int)a->start - (int)b->start;
}

/* The step that speaks for the order: in force now, else the next; the highest when
 * nobody knows how far a taper has come. */
static size_t speaking_step(const struct ow_judge *j, const struct ow_item *it)
{
    size_t best = 0;

    if (it->dose.n_steps < 2)
        return 0;
    for (size_t i = 0; i < it->dose.n_steps; i++) {
        const struct ow_dose_step *st = &it->dose.steps[i];

        if (!it->unplaced) {
            best = i;
            if (st->until_ms == INT64_MAX ||
                ow_time_add(it->span.from, st->until_ms) > j->window.from)
                break;
        } else if (ow_ratio_cmp(st->high, it->dose.steps[best].high) > 0) {
            best = i;
        }
    }
    return best;
}

/* The least of step `i`; of all steps when nobody knows how far a taper has come. */
static struct ow_ratio least_of(const struct ow_item *it, size_t i)
{
    struct ow_ratio ret = it->dose.steps[i].low;

    for (size_t k = 0; it->unplaced && k < it->dose.n_steps; k++)
        if (ow_ratio_cmp(it->dose.steps[k].low, ret) < 0)
            ret = it->dose.steps[k].low;
    return ret;
}

/* Methadone that is taken together with `it`, in mg a day: the most or the least. */
static struct ow_ratio methadone_beside(const struct ow_judge *j,
                                        const struct ow_item *it, bool high)
{
    ow_time from = ow_timeline_step(it, it->step).from;
    ow_time at = from > j->window.from ? from : j->window.from;
    struct ow_ratio ret = OW_ZERO;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *o = &j->items[i];

        if (o->role != OW_ROLE_COUNTED || !o->drug.methadone)
            continue;
        for (size_t k = 0; k < o->dose.n_steps; k++) {
            struct ow_span span = ow_timeline_step(o, k);

            if (span.from <= at && at < span.until)
                must(ow_ratio_add(ret, high ? o->dose.steps[k].high : least_of(o, k),
                                  &ret));
        }
    }
    return ret;
}

static void item_figures(const struct ow_judge *j, struct ow_item *it)
{
    const struct ow_dose_step *st = &it->dose.steps[it->step];
    struct ow_ratio low = it->factor.value;

    if (it->drug.methadone) { /* the least has its own band */
        struct ow_ratio mg = methadone_beside(j, it, true);
        struct ow_factor f;

        if (ow_ratio_positive(mg) &&
            ow_knowledge_factor(j->kb, j->policy->table, j->policy->older_factor,
                                it->drug.product, mg, &f, NULL) == OW_OK)
            it->factor = f;
        mg = methadone_beside(j, it, false);
        low = ow_ratio_positive(mg) ? ow_timeline_banded(j, it, mg) : it->factor.value;
    }
    it->amount = st->high;
    must(to_med(it, st->high, &it->med));
    if (!ow_ratio_mul(least_of(it, it->step), low, &it->med_low))
        it->med_low = it->med;
    if (it->has_supplied)
        must(to_med(it, it->supplied, &it->med_supplied));
}

void ow_timeline_sum(struct ow_judge *j)
{
    struct sweep s = { .j = j, .band_mg = OW_ZERO, .band_factor = OW_ZERO };
    size_t most = 0;

    for (unsigned k = 0; k < SUM_N; k++)
        s.run[k] = (struct running){ OW_ZERO, OW_ZERO, 0, 0 };
    for (size_t i = 0; i < j->n_items; i++) {
        struct ow_item *it = &j->items[i];

        if (it->role != OW_ROLE_COUNTED)
            continue;
        it->step = speaking_step(j, it);
        most += 2 * it->dose.n_steps + 2;
        if (it->drug.methadone)
            s.methadone = it;
    }
    s.events = OW_NEW_N(j->arena, struct event, most);
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_COUNTED) {
            item_figures(j, &j->items[i]);
            sweep_item(&s, &j->items[i]);
        }
    qsort(s.events, s.n, sizeof *s.events, by_time);
    for (size_t i = 0; i < s.n; i++) {
        run_event(&s, &s.events[i]);
        if (i + 1 == s.n || s.events[i + 1].at != s.events[i].at)
            look(&s, s.events[i].at);
    }
}
