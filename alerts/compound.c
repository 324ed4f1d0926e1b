#include "alerts/compound.h"

#include "alerts/identify.h"
#include "alerts/units.h"
#include "base/text.h"

#define SOLIDS                                                                           \
    (1u << OW_FORM_ORAL_SOLID | 1u << OW_FORM_RECTAL | 1u << OW_FORM_BUCCAL_TABLET |     \
     1u << OW_FORM_BUCCAL_FILM | 1u << OW_FORM_SUBLINGUAL_TABLET |                       \
     1u << OW_FORM_SUBLINGUAL_FILM | 1u << OW_FORM_ORAL_LOZENGE)
#define SPRAYS (1u << OW_FORM_MUCOSAL_SPRAY | 1u << OW_FORM_NASAL)

struct opioid { /* what the codings of one concept amount to */
    const char *rxcui, *ingredient;
};

static bool opioid_of(const struct ow_concept *c, const struct ow_knowledge *kb,
                      struct opioid *ret)
{
    for (size_t i = 0; i < c->n_codings; i++) {
        const char *rxcui = ow_coding_rxcui(&c->codings[i], kb, NULL);
        const char *name = ow_knowledge_ingredient(kb, rxcui);

        if (name != NULL) {
            *ret = (struct opioid){ rxcui, name };
            return true;
        }
    }
    return false;
}

/*
 * The one opioid of the medication, and the ingredient that has it (NULL: its own code).
 * False when there is none or more than one, or when a further ingredient looks like one.
 */
static bool opioid_find(const struct ow_medication *m, const struct ow_knowledge *kb,
                        struct opioid *ret, const struct ow_ingredient **by)
{
    bool found = opioid_of(&m->code, kb, ret);

    *by = NULL;
    for (size_t i = 0; i < m->n_ingredients; i++) {
        const struct ow_ingredient *it = &m->ingredients[i];
        struct opioid o;

        if (it->inactive)
            continue;
        if (!opioid_of(&it->item, kb, &o)) {
            if (ow_knowledge_opioid_like(kb, &it->item) != NULL)
                return false;
            continue;
        }
        if (*by != NULL || (found && !ow_streq(o.ingredient, ret->ingredient)))
            return false;
        *ret = o;
        *by = it;
        found = true;
    }
    return found;
}

/* --- dose form --- */

static bool says(const struct ow_concept *c, const char *const *words, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (c->text != NULL && ow_contains_folded(c->text, words[k]))
            return true;
        for (size_t i = 0; i < c->n_codings; i++)
            if (c->codings[i].display != NULL &&
                ow_contains_folded(c->codings[i].display, words[k]))
                return true;
    }
    return false;
}

static const struct ow_dose_form *form_exact(const struct ow_concept *c,
                                             const struct ow_knowledge *kb)
{
    const struct ow_dose_form *ret = ow_knowledge_dose_form(kb, c->text);

    for (size_t i = 0; ret == NULL && i < c->n_codings; i++)
        ret = ow_knowledge_dose_form(kb, c->codings[i].display);
    return ret;
}

enum said {
    SAID_NOTHING, /* or nothing that tells a form */
    SAID_SOLID,   /* something solid that is swallowed or melts: a form of a component */
    SAID_FORM,    /* a dose form of the table */
};

static enum said form_read(const struct ow_concept *c, const struct ow_knowledge *kb,
                           struct ow_product *p)
{
    static const char *const lasting[] = { "extended",  "prolonged", "modified",
                                           "sustained", "12 hr",     "24 hr" };
    static const char *const solid[] = { "tablet", "capsule", "caplet" };
    static const char *const other[] = { "inject", "infus",   "vaginal", "implant",
                                         "nasal",  "inhal",   "topical", "patch",
                                         "transd", "solution" };
    const struct ow_dose_form *exact = form_exact(c, kb);

    p->extended_release = says(c, lasting, OW_LEN(lasting));
    p->dose_form = p->form_class = "";
    if (exact != NULL) {
        p->dose_form = exact->name;
        p->form_class = exact->form_class;
        p->form = exact->form;
        p->has_form = true;
        return SAID_FORM;
    }
    if (!says(c, solid, OW_LEN(solid)) || says(c, other, OW_LEN(other)))
        return SAID_NOTHING;
    return SAID_SOLID;
}

void ow_compound_form(const struct ow_concept *form, const struct ow_knowledge *kb,
                      struct ow_product *p)
{
    (void)form_read(form, kb, p);
}

/* --- strength --- */

/* What the strength is per: mL, an hour, a spray, one of a countable form. */
static bool per_read(const struct ow_quantity *q, struct ow_product *p,
                     struct ow_ratio *ret)
{
    const char *unit = q->code != NULL && q->code[0] != '\0' ? q->code : q->unit;
    struct ow_unit u;
    int64_t ms;

    if (!q->has_value || q->comparator != NULL || !ow_ratio_positive(q->value))
        return false;
    if (unit != NULL && p->form == OW_FORM_TRANSDERMAL) {
        p->strength_unit = OW_STRENGTH_MG_HR;
        p->is_patch = true;
        return ow_unit_time(unit, &ms) &&
               ow_ratio_mul(q->value, OW_RATIO(ms, OW_HOUR), ret);
    }
    if (ow_unit_read(q, &u, NULL) != OW_OK)
        return false;
    if (u.kind == OW_UNIT_VOLUME) {
        p->strength_unit = OW_STRENGTH_MG_ML;
        return ow_ratio_mul(q->value, u.scale, ret);
    }
    if (u.kind != OW_UNIT_COUNT)
        return false;
    p->strength_unit = (u.forms & SPRAYS) != 0 ? OW_STRENGTH_MG_ACTUAT : OW_STRENGTH_MG;
    *ret = q->value;
    return u.forms == 0 || !p->has_form || (u.forms & 1u << p->form) != 0;
}

/* Does the strength go with the form? A liquid has one per mL, a tablet has not. */
static bool strength_fits(const struct ow_product *p)
{
    static const unsigned forms[] = {
        [OW_STRENGTH_MG] = SOLIDS,
        [OW_STRENGTH_MG_ML] = ~(SOLIDS | SPRAYS | 1u << OW_FORM_TRANSDERMAL),
        [OW_STRENGTH_MG_HR] = 1u << OW_FORM_TRANSDERMAL,
        [OW_STRENGTH_MG_ACTUAT] = SPRAYS,
    };

    return !p->has_form || (1u << p->form & forms[p->strength_unit]) != 0;
}

bool ow_compound_strength(const struct ow_fraction *f, struct ow_product *p)
{
    struct ow_ratio amount, per;
    struct ow_unit u;

    if (!f->numerator.has_value || f->numerator.comparator != NULL ||
        !ow_ratio_positive(f->numerator.value) ||
        ow_unit_read(&f->numerator, &u, NULL) != OW_OK || u.kind != OW_UNIT_MASS)
        return false;
    return per_read(&f->denominator, p, &per) &&
           ow_ratio_mul(f->numerator.value, u.scale, &amount) &&
           ow_ratio_div(amount, per, &p->strength) && strength_fits(p);
}

/* --- the rest --- */

static const char *name_of(const struct ow_concept *c)
{
    if (c->text != NULL)
        return c->text;
    for (size_t i = 0; i < c->n_codings; i++)
        if (c->codings[i].display != NULL)
            return c->codings[i].display;
    return "another ingredient";
}

/* Names of the active ingredients beside the opioid. */
static const char *others(const struct ow_medication *m, const struct ow_ingredient *by,
                          struct ow_arena *arena)
{
    const char *ret = "";

    for (size_t i = 0; i < m->n_ingredients; i++) {
        const struct ow_ingredient *it = &m->ingredients[i];

        if (it != by && !it->inactive)
            ret = OW_JOIN(arena, ret, ret[0] != '\0' ? "; " : "", name_of(&it->item));
    }
    return ret;
}

const struct ow_product *ow_compound_product(const struct ow_medication *m,
                                             const struct ow_knowledge *kb,
                                             const char *name, struct ow_arena *arena)
{
    struct ow_product p = { .tty = "", .co_ingredients = "", .strength = OW_ZERO };
    const struct ow_ingredient *by;
    struct ow_product *ret;
    struct opioid o;
    enum said said;

    if (!opioid_find(m, kb, &o, &by))
        return NULL;
    said = form_read(&m->form, kb, &p);
    if (by != NULL && by->has_strength) {
        if (!ow_compound_strength(&by->strength, &p))
            return NULL;
        p.source = "Medication.ingredient of the order";
    } else {
        if (said == SAID_NOTHING || p.form == OW_FORM_TRANSDERMAL)
            return NULL;
        p.source = "ingredient and dose form of the order";
    }
    p.rxcui = p.ingredient_rxcui = o.rxcui;
    p.ingredient = o.ingredient;
    p.name = name;
    p.co_ingredients = others(m, by, arena);
    ret = OW_NEW(arena, struct ow_product);
    *ret = p;
    return ret;
}
