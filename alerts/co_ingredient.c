#include "alerts/co_ingredient.h"

#include <string.h>

#include "alerts/compound.h"
#include "alerts/named.h"
#include "alerts/roles.h"
#include "alerts/timeline.h"
#include "alerts/units.h"
#include "base/text.h"

#define RXCUI_ACETAMINOPHEN "161"

struct found { /* how much of it is in one unit or mL of the product */
    enum ow_named named;
    struct ow_product product; /* strength, strength_unit, form */
    bool combined;             /* beside other drugs */
    bool differs;              /* two names state two strengths */
};

/* ---- where the strength stands ---- */

/* One more name: what it states must be what the others state; one that states no
 * strength ("Tylenol") does not contradict one that does. */
static void see_name(struct found *f, const char *name)
{
    struct ow_product p;
    bool combined;
    enum ow_named named = ow_named_acetaminophen(name, &p, &combined);

    if (named == OW_NAMED_NOT || f->differs)
        return;
    if (f->named == OW_NAMED_READ && named == OW_NAMED_READ) {
        f->differs = ow_ratio_cmp(f->product.strength, p.strength) != 0 ||
                     f->product.strength_unit != p.strength_unit;
        f->named = f->differs ? OW_NAMED_UNREADABLE : OW_NAMED_READ;
        return;
    }
    if (named == OW_NAMED_READ)
        *f = (struct found){ .named = named, .product = p, .combined = combined };
    else if (f->named == OW_NAMED_NOT)
        f->named = named;
}

static bool is_coded(const struct ow_concept *c, const struct ow_knowledge *kb)
{
    for (size_t i = 0; i < c->n_codings; i++)
        if (ow_streq(ow_coding_rxcui(&c->codings[i], kb, NULL), RXCUI_ACETAMINOPHEN))
            return true;
    return false;
}

static struct found see_concept(const struct ow_concept *c, const struct ow_knowledge *kb)
{
    struct found f = { .named = OW_NAMED_NOT };

    see_name(&f, c->text);
    for (size_t i = 0; i < c->n_codings; i++)
        see_name(&f, c->codings[i].display);
    if (f.named == OW_NAMED_NOT && is_coded(c, kb))
        f.named = OW_NAMED_UNREADABLE;
    return f;
}

/* From Medication.ingredient: its ratio, else the name of the ingredient. */
static struct found see_ingredients(const struct ow_medication *m,
                                    const struct ow_knowledge *kb)
{
    struct found f = { .named = OW_NAMED_NOT };
    size_t active = 0;

    for (size_t i = 0; i < m->n_ingredients; i++) {
        const struct ow_ingredient *one = &m->ingredients[i];
        struct found named;

        if (one->inactive)
            continue;
        active++;
        named = see_concept(&one->item, kb);
        if (named.named == OW_NAMED_NOT)
            continue;
        if (f.named != OW_NAMED_NOT) { /* listed twice: which of them? */
            f.named = OW_NAMED_UNREADABLE;
            return f;
        }
        f = named;
        if (!one->has_strength)
            continue;
        ow_compound_form(&m->form, kb, &f.product);
        f.named = ow_compound_strength(&one->strength, &f.product) ? OW_NAMED_READ
                                                                   : OW_NAMED_UNREADABLE;
    }
    f.combined = active > 1;
    return f;
}

static struct found see_medication(const struct ow_medication *m,
                                   const struct ow_knowledge *kb)
{
    struct found f = see_ingredients(m, kb);

    if (f.named == OW_NAMED_READ)
        return f;
    f = see_concept(&m->code, kb);
    see_name(&f, m->display);
    return f;
}

/* The table's "acetaminophen 325 MG; caffeine 30 MG", one of them. */
static struct found see_table(const struct ow_product *p, struct ow_arena *arena)
{
    struct found f = { .named = OW_NAMED_NOT };
    const char *s = p->co_ingredients;

    while (*s != '\0' && f.named == OW_NAMED_NOT) {
        size_t n = strcspn(s, ";");

        see_name(&f, ow_arena_strndup(arena, s, n));
        s += n + (s[n] == ';');
    }
    return f;
}

/* Of an opioid's own product: the unit must be the one that the opioid's strength has. */
static struct found see_opioid(const struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_medication *m = &it->order->medication;
    const struct ow_product *p = it->drug.product;
    struct found f, own;

    if (p == NULL)
        return see_medication(m, j->kb);
    f = see_table(p, j->arena);
    own = f.named == OW_NAMED_READ ? f : see_ingredients(m, j->kb);
    if (own.named != OW_NAMED_NOT) /* a compounded one's table has names only */
        f = own;
    if (f.named == OW_NAMED_READ && f.product.strength_unit != p->strength_unit)
        f.named = OW_NAMED_UNREADABLE;
    return f;
}

/* ---- how much a day ---- */

static const char *number(const struct ow_judge *j, struct ow_ratio v)
{
    char text[OW_RATIO_TEXT];

    return ow_arena_strdup(j->arena, ow_ratio_format(v, 6, text));
}

static void unknown(struct ow_co_ingredient *ret, const char *reason)
{
    *ret = (struct ow_co_ingredient){ .state = OW_CO_UNKNOWN, .reason = reason };
}

static void known(const struct ow_judge *j, struct ow_ratio mg, const char *words,
                  struct ow_co_ingredient *ret)
{
    *ret = (struct ow_co_ingredient){ .state = OW_CO_KNOWN, .mg_day = mg };
    ret->words = OW_JOIN(j->arena, words, " = ", number(j, mg), " mg/d");
}

/* The step of `dose` at an instant; the highest where nobody knows how far it has come.
 */
static const struct ow_dose_step *step_at(const struct ow_item *it,
                                          const struct ow_dose *dose, ow_time at)
{
    struct ow_item copy = *it;

    copy.dose = *dose;
    copy.step = 0;
    for (size_t i = 1; i < dose->n_steps; i++)
        if (ow_ratio_cmp(dose->steps[i].high, dose->steps[copy.step].high) > 0)
            copy.step = i;
    for (size_t i = 0; i < dose->n_steps; i++) {
        struct ow_span span = ow_timeline_step(&copy, i);

        if (span.from <= at && at < span.until)
            return &dose->steps[i];
    }
    return NULL;
}

static void of_opioid(const struct ow_judge *j, const struct ow_item *it, ow_time at,
                      struct ow_co_ingredient *ret)
{
    const struct ow_product *p = it->drug.product;
    struct found f = see_opioid(j, it);
    const struct ow_dose_step *step;
    struct ow_ratio high, mg;

    if (f.named == OW_NAMED_NOT)
        return;
    if (f.named == OW_NAMED_UNREADABLE) {
        unknown(ret, ow_word(j->arena, OW_WORD_CO_STRENGTH));
        return;
    }
    if (!it->has_dose) {
        unknown(ret, it->reason);
        return;
    }
    step = step_at(it, &it->dose, at);
    if (step == NULL)
        return;
    high = step->high; /* of a patch none is in the strength's unit */
    if ((it->dose.basis == OW_BASIS_MCG_DAY &&
         !ow_ratio_div(high, OW_RATIO(1000, 1), &high)) ||
        !ow_ratio_mul(high, f.product.strength, &mg) ||
        !ow_ratio_div(mg, p->strength, &mg)) {
        unknown(ret, ow_word(j->arena, OW_WORD_TOO_LARGE));
        return;
    }
    known(j, mg,
          OW_JOIN(j->arena, number(j, high), " mg/d, ", number(j, f.product.strength),
                  " mg for each ", number(j, p->strength), " mg"),
          ret);
}

static bool is_mass(const struct ow_quantity *q)
{
    struct ow_unit u;

    return q->has_value && ow_unit_read(q, &u, NULL) == OW_OK && u.kind == OW_UNIT_MASS;
}

/* A dose in mg of a combination may be that of the other drug. */
static bool has_mass(const struct ow_order *o)
{
    for (size_t i = 0; i < o->n_dosages; i++)
        for (size_t k = 0; k < o->dosages[i].n_doses; k++) {
            const struct ow_dose_rate *r = &o->dosages[i].doses[k];

            if (is_mass(&r->dose) || is_mass(&r->dose_range.low) ||
                is_mass(&r->dose_range.high))
                return true;
        }
    return is_mass(&o->supply_quantity);
}

/* The directions of another drug, read as those of an opioid are. */
static void of_other(const struct ow_judge *j, const struct ow_item *it, ow_time at,
                     struct ow_co_ingredient *ret)
{
    struct found f = see_medication(&it->order->medication, j->kb);
    const struct ow_dose_step *step;
    struct ow_dose dose;
    struct ow_err why, ignored;
    enum ow_code code;

    if (f.named == OW_NAMED_NOT)
        return;
    if (f.named == OW_NAMED_UNREADABLE || (f.combined && has_mass(it->order))) {
        unknown(ret, ow_word(j->arena, OW_WORD_CO_STRENGTH));
        return;
    }
    f.product.rxcui = f.product.ingredient_rxcui = RXCUI_ACETAMINOPHEN;
    f.product.ingredient = f.product.name = "acetaminophen";
    f.product.tty = f.product.source = "";
    f.product.dose_form = f.product.form_class = "";
    f.product.co_ingredients = f.combined ? "other drugs" : "";
    code = it->order->refused != NULL
               ? ow_err_set(&why, OW_INPUT, "%s", it->order->refused)
               : ow_dosage_read(j->kb, it->order, &f.product, j->arena, &dose, &why);
    if (code == OW_MISSING)
        code = ow_dosage_from_supply(j->kb, it->order, &f.product, j->arena, &dose,
                                     &ignored);
    if (code != OW_OK) {
        unknown(ret, ow_arena_strdup(j->arena, why.text));
        return;
    }
    step = step_at(it, &dose, at);
    if (step != NULL)
        known(j, step->high, step->words, ret);
}

/* Has another order of the chart taken its place by then? Opioids have that settled. */
static bool is_followed(const struct ow_judge *j, const struct ow_item *it, ow_time at)
{
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *b = &j->items[i];

        if (b != it && b->order->kind == it->order->kind && b->taken.from <= at &&
            at < b->taken.until && ow_roles_follows(it, b) && !ow_roles_follows(b, it))
            return true;
    }
    return false;
}

void ow_acetaminophen_at(const struct ow_judge *j, const struct ow_item *it, ow_time at,
                         struct ow_co_ingredient *ret)
{
    *ret = (struct ow_co_ingredient){ .state = OW_CO_NONE };
    if (at < it->taken.from || at >= it->taken.until)
        return;
    if (it->drug.kind == OW_DRUG_OPIOID || it->drug.kind == OW_DRUG_BARE)
        of_opioid(j, it, at, ret);
    else if (!is_followed(j, it, at))
        of_other(j, it, at, ret);
}
