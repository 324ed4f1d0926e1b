/*
 * Fuzz: an order built from bytes, read as dosage and as supply
 *
 * Each field takes its value from the next byte or two, among values that matter. What
 * comes out is a dose above zero with its words and steps in order, or a reason.
 */
#include <string.h>

#include "alerts/dosage.h"
#include "tests/support/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at, *end;
};

enum { LINES = 4 };

static unsigned take(struct bytes *b, unsigned n)
{
    return b->at < b->end ? *b->at++ % n : 0;
}

static const char *text(struct bytes *b)
{
    static const char *const words[] = {
        NULL,       "",          "mg",      "ug",        "mcg",
        "{tablet}", "tab(s)",    "mL",      "{mL}",      "patch",
        "ug/h",     "mg/(24.h)", "1",       "{actuat}",  "[drp]",
        "mg/kg",    "d",         "h",       "wk",        "mo",
        "days",     "s",         "BID",     "Q6H",       "Q0H",
        "Q99H",     "MORN",      "C",       "HS",        "mon",
        "sun",      "x",         "ordered", "oral",      "IV",
        "{pack}",   "(s)",       "{}",      "\xC2\xB5g", "tablet, ER",
        "/",        "g/",        "/h",      "mg/()",     "film coated tablet",
        "08:00:00", "<",         ">",
    };

    return words[take(b, OW_LEN(words))];
}

static struct ow_ratio value(struct bytes *b)
{
    static const struct ow_ratio values[] = {
        {1,          1         },
        { 2,         1         },
        { 0,         1         },
        { -1,        1         },
        { 1,         2         },
        { 4,         1         },
        { 6,         1         },
        { 24,        1         },
        { 72,        1         },
        { 1,         1000000000},
        { 30,        1         },
        { 120,       1         },
        { INT64_MAX, 1         },
        { INT64_MIN, 1         },
        { 1,         INT64_MAX },
        { 7,         3         },
    };

    return values[take(b, OW_LEN(values))];
}

static struct ow_quantity quantity(struct bytes *b)
{
    struct ow_quantity q = { .has_value = take(b, 8) != 0, .value = value(b) };

    q.unit = text(b);
    q.code = take(b, 2) ? text(b) : NULL;
    q.system = take(b, 2) ? OW_SYSTEM_UCUM : NULL;
    q.comparator = take(b, 16) == 1 ? "<" : NULL;
    return q;
}

static struct ow_number maybe(struct bytes *b)
{
    struct ow_number n = { .has_value = take(b, 2) == 1 };

    n.value = n.has_value ? value(b) : OW_ZERO;
    return n;
}

static ow_time moment(struct bytes *b)
{
    static const ow_time times[] = { 0,     OW_TIME_MIN, OW_TIME_MAX,   1000,
                                     -1000, 86400000,    INT64_MIN + 1, INT64_MAX - 1 };

    return times[take(b, OW_LEN(times))];
}

static const char *const *list(struct bytes *b, struct ow_arena *a, size_t *n)
{
    const char **ret = OW_NEW_N(a, const char *, 3);
    size_t i;

    *n = take(b, 4);
    for (i = 0; i < *n; i++) {
        const char *s = text(b);

        ret[i] = s != NULL ? s : "";
    }
    return ret;
}

static void timing(struct bytes *b, struct ow_arena *a, struct ow_timing *t)
{
    t->frequency = maybe(b);
    t->frequency_max = maybe(b);
    t->period = maybe(b);
    t->period_max = maybe(b);
    t->period_unit = text(b);
    t->count = maybe(b);
    t->count_max = maybe(b);
    t->duration = maybe(b);
    t->duration_max = maybe(b);
    t->duration_unit = text(b);
    t->bounds = (enum ow_bounds)take(b, 4);
    t->bounds_duration = quantity(b);
    t->bounds_range.high = quantity(b);
    t->bounds_period.from = moment(b);
    t->bounds_period.until = moment(b);
    t->code.text = text(b);
    t->when = list(b, a, &t->n_when);
    t->day_of_week = list(b, a, &t->n_day_of_week);
    t->time_of_day = list(b, a, &t->n_time_of_day);
}

static void dose(struct bytes *b, struct ow_dose_rate *r)
{
    r->type = text(b);
    r->has_dose = take(b, 2);
    r->has_dose_range = take(b, 2);
    r->has_rate = take(b, 2);
    r->has_rate_range = take(b, 2);
    r->has_rate_ratio = take(b, 2);
    r->dose = quantity(b);
    r->dose_range.low = quantity(b);
    r->dose_range.high = quantity(b);
    r->rate = quantity(b);
    r->rate_range.low = quantity(b);
    r->rate_range.high = quantity(b);
    r->rate_ratio.numerator = quantity(b);
    r->rate_ratio.denominator = quantity(b);
}

static void line(struct bytes *b, struct ow_arena *a, struct ow_dosage *d)
{
    struct ow_dose_rate *doses = OW_NEW_N(a, struct ow_dose_rate, 2);
    struct ow_fraction *max = OW_NEW(a, struct ow_fraction);
    size_t i;

    d->has_sequence = take(b, 2);
    d->sequence = take(b, 3);
    d->text = text(b);
    d->as_needed = take(b, 2);
    d->has_timing = take(b, 8) != 1;
    timing(b, a, &d->timing);
    d->route.text = text(b);
    d->doses = doses;
    d->n_doses = take(b, 3);
    for (i = 0; i < d->n_doses; i++)
        dose(b, &doses[i]);
    max->numerator = quantity(b);
    max->denominator = quantity(b);
    d->max_per_period = max;
    d->n_max_per_period = take(b, 4) == 1;
    d->has_max_per_administration = take(b, 4) == 1;
    d->max_per_administration = quantity(b);
    d->refused = take(b, 32) == 1 ? "a modifier" : NULL;
}

static void product(struct bytes *b, struct ow_product *p)
{
    static const char *const names[] = { "Fentanyl", "Oxycodone" };

    *p = (struct ow_product){ .rxcui = "1",
                              .tty = "SCD",
                              .name = "{2 (x)",
                              .source = "",
                              .ingredient_rxcui = "",
                              .dose_form = "Oral Tablet",
                              .form_class = "",
                              .co_ingredients = "" };
    p->ingredient = names[take(b, 2)];
    p->strength = take(b, 4) ? OW_RATIO(1, 40) : OW_RATIO(INT64_MAX, 7);
    p->strength_unit = (enum ow_strength_unit)take(b, 4);
    p->form = (enum ow_form)take(b, OW_FORM_OTHER + 1);
    p->has_form = p->form != OW_FORM_UNKNOWN;
    p->is_patch = p->strength_unit == OW_STRENGTH_MG_HR;
    p->patch_hours = (int)take(b, 2) * 168;
}

static void check(enum ow_code code, const struct ow_dose *d, const struct ow_err *err)
{
    size_t i;

    if (code != OW_OK) {
        ow_assert(code == OW_MISSING || code == OW_INPUT);
        ow_assert(err->text[0] != '\0');
        return;
    }
    ow_assert(d->n_steps > 0);
    for (i = 0; i < d->n_steps; i++) {
        const struct ow_dose_step *s = &d->steps[i];

        ow_assert(s->from_ms >= 0 && s->from_ms < s->until_ms);
        ow_assert(i == 0 || d->steps[i - 1].until_ms <= s->from_ms);
        ow_assert(ow_ratio_positive(s->high) && s->low.num >= 0);
        ow_assert(ow_ratio_cmp(s->low, s->high) <= 0);
        ow_assert(s->words != NULL && s->words[0] != '\0');
    }
    ow_assert(!d->has_length || d->length_ms > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = { data, data + size };
    struct ow_dosage lines[LINES];
    struct ow_order o = { .dosages = lines };
    struct ow_product p;
    struct ow_dose d;
    struct ow_err err = { "" };
    struct ow_arena a;
    enum ow_code code;
    size_t i;

    memset(lines, 0, sizeof lines);
    ow_arena_init(&a, 1 << 22);
    product(&b, &p);
    o.kind = (enum ow_order_kind)take(&b, 4);
    o.has_authored = take(&b, 2);
    o.authored.from = moment(&b);
    o.supply_quantity = quantity(&b);
    o.supply_duration = quantity(&b);
    o.medication.form.text = text(&b);
    o.n_dosages = take(&b, LINES + 1);
    for (i = 0; i < o.n_dosages; i++)
        line(&b, &a, &lines[i]);
    code = ow_dosage_read(build_knowledge(), &o, &p, &a, &d, &err);
    check(code, &d, &err);
    err.text[0] = '\0';
    code = ow_dosage_from_supply(build_knowledge(), &o, &p, &a, &d, &err);
    check(code, &d, &err);
    ow_arena_done(&a);
    return 0;
}
