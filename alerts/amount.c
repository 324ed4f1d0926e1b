/*
 * Amount: a quantity and a product to milligrams, micrograms or micrograms an hour
 *
 * A mass is itself; a volume goes with a strength per mL, a spray with one per actuation,
 * a tablet with one per dosage unit; a patch with its rate. A unit that does not belong
 * to the form (a patch of tablets, mL of a capsule, mg of a patch) is refused: somebody
 * picked the wrong product or the wrong unit, and no number says which.
 */
#include <string.h>

#include "alerts/doseline.h"
#include "base/text.h"

/* A number for people: at most 6 places. */
static const char *number(const struct ow_dose_context *ctx, struct ow_ratio v)
{
    char text[OW_RATIO_TEXT];

    return ow_arena_strdup(ctx->arena, ow_ratio_format(v, 6, text));
}

/* "1 tablet", "0.5 tablet", "2 patches", "3 suppositories" */
static const char *counted(const struct ow_dose_context *ctx, struct ow_ratio n,
                           const char *word)
{
    size_t len = strlen(word);

    if (ow_ratio_cmp(n, OW_RATIO(1, 1)) <= 0)
        return OW_JOIN(ctx->arena, number(ctx, n), " ", word);
    if (ow_ends_with(word, "ry"))
        return ow_arena_printf(ctx->arena, "%s %.*sies", number(ctx, n), (int)len - 1,
                               word);
    return OW_JOIN(ctx->arena, number(ctx, n), " ", word,
                   ow_ends_with(word, "ch") ? "es" : "s");
}

/* What one of a product, no patch, is called when the quantity does not say. */
static const char *product_word(const struct ow_product *p)
{
    static const struct {
        const char *in_form, *word;
    } words[] = {
        {"capsule",      "capsule"    },
        { "tablet",      "tablet"     },
        { "film",        "film"       },
        { "suppository", "suppository"},
        { "lozenge",     "lozenge"    },
        { "spray",       "spray"      },
    };
    size_t i;

    if (p->strength_unit == OW_STRENGTH_MG_ACTUAT)
        return "spray";
    for (i = 0; i < OW_LEN(words); i++) {
        if (ow_contains_folded(p->dose_form, words[i].in_form))
            return words[i].word;
    }
    return "unit";
}

/* Strength in the unit of the basis. */
static bool strength_of(const struct ow_dose_context *ctx, struct ow_ratio *ret)
{
    if (ctx->basis == OW_BASIS_MG_DAY) {
        *ret = ctx->product->strength;
        return true;
    }
    return ow_ratio_mul(ctx->product->strength, OW_RATIO(1000, 1), ret);
}

static bool mg_to_basis(const struct ow_dose_context *ctx, struct ow_ratio *v)
{
    return ctx->basis == OW_BASIS_MG_DAY || ow_ratio_mul(*v, OW_RATIO(1000, 1), v);
}

/* How many sprays a pack holds: "{2 (fentanyl 0.6 MG/ACTUAT Mucosal Spray) } Pack". */
static int64_t pack_of(const struct ow_product *p)
{
    if (p->name[0] == '{' && p->name[1] >= '1' && p->name[1] <= '9' && p->name[2] == ' ')
        return p->name[1] - '0';
    return 0;
}

struct reading {
    const struct ow_quantity *q;
    struct ow_unit unit;
    const char *what;
};

static enum ow_code misfit(const struct reading *r, const char *why, struct ow_err *err)
{
    return ow_err_set(err, OW_MISSING, "%s: %s", r->what, why);
}

static enum ow_code out_of_range(const struct reading *r, struct ow_err *err)
{
    return misfit(r, "the number is out of range", err);
}

static enum ow_code finish(const struct ow_dose_context *ctx, const struct reading *r,
                           const char *per, struct ow_amount *ret, struct ow_err *err)
{
    struct ow_ratio strength;

    if (!ow_ratio_positive(ctx->product->strength))
        return misfit(r, "no strength is known, so only an amount in mg can be read",
                      err);
    if (!strength_of(ctx, &strength) || !ow_ratio_mul(ret->value, strength, &ret->value))
        return out_of_range(r, err);
    ret->strength = OW_JOIN(ctx->arena, " x ", number(ctx, strength), " ",
                            ow_basis_unit(ctx->basis), per);
    return OW_OK;
}

static enum ow_code patch_amount(const struct ow_dose_context *ctx,
                                 const struct reading *r, struct ow_amount *ret,
                                 struct ow_err *err)
{
    ret->value = r->q->value;
    ret->strength = "";
    if (r->unit.kind == OW_UNIT_MASS_RATE) {
        if (!ow_ratio_mul(ret->value, r->unit.scale, &ret->value) ||
            !mg_to_basis(ctx, &ret->value))
            return out_of_range(r, err);
        ret->count = ow_arena_printf(ctx->arena, "%s ug/h", number(ctx, ret->value));
        return OW_OK;
    }
    if (r->unit.kind != OW_UNIT_COUNT ||
        (r->unit.forms != 0 && (r->unit.forms & 1u << OW_FORM_TRANSDERMAL) == 0))
        return misfit(r, "a number of patches or a rate was expected for a patch", err);
    ret->count = counted(ctx, ret->value, "patch");
    return finish(ctx, r, "", ret, err);
}

static enum ow_code mass_amount(const struct ow_dose_context *ctx,
                                const struct reading *r, struct ow_amount *ret,
                                struct ow_err *err)
{
    if (!ow_ratio_mul(r->q->value, r->unit.scale, &ret->value) ||
        !mg_to_basis(ctx, &ret->value))
        return out_of_range(r, err);
    ret->count = ow_arena_printf(ctx->arena, "%s %s", number(ctx, ret->value),
                                 ow_basis_unit(ctx->basis));
    ret->strength = "";
    return OW_OK;
}

static enum ow_code volume_amount(const struct ow_dose_context *ctx,
                                  const struct reading *r, struct ow_amount *ret,
                                  struct ow_err *err)
{
    if (ctx->product->strength_unit != OW_STRENGTH_MG_ML)
        return misfit(r, "a volume, but the strength of the product is not per mL", err);
    if (!ow_ratio_mul(r->q->value, r->unit.scale, &ret->value))
        return out_of_range(r, err);
    ret->count = ow_arena_printf(ctx->arena, "%s mL", number(ctx, ret->value));
    return finish(ctx, r, "/mL", ret, err);
}

/* Does the word that counts belong to the form of the product? A component may have any
 * form that has the oral factor. */
static bool word_fits(const struct ow_product *p, unsigned forms)
{
    const unsigned component = 1u << OW_FORM_ORAL_SOLID | 1u << OW_FORM_RECTAL |
                               1u << OW_FORM_BUCCAL_TABLET | 1u << OW_FORM_BUCCAL_FILM |
                               1u << OW_FORM_SUBLINGUAL_TABLET |
                               1u << OW_FORM_SUBLINGUAL_FILM | 1u << OW_FORM_ORAL_LOZENGE;
    unsigned mine = 1u << p->form;

    if (!p->has_form)
        mine = p->strength_unit == OW_STRENGTH_MG_ACTUAT
                   ? 1u << OW_FORM_MUCOSAL_SPRAY | 1u << OW_FORM_NASAL
                   : component;
    return forms == 0 || (forms & mine) != 0;
}

static enum ow_code count_amount(const struct ow_dose_context *ctx,
                                 const struct reading *r, struct ow_amount *ret,
                                 struct ow_err *err)
{
    const struct ow_product *p = ctx->product;
    const char *word = r->unit.word != NULL ? r->unit.word : product_word(p);
    int64_t sprays = 1;

    if (p->strength_unit == OW_STRENGTH_MG_ML)
        return misfit(r, "mL or mg were expected for a product with a strength per mL",
                      err);
    if (!word_fits(p, r->unit.forms))
        return misfit(r, "its unit does not go with the form of the product", err);
    if (p->form == OW_FORM_PACK) {
        if (r->unit.word == NULL)
            return misfit(r, "packs or sprays? no unit is said", err);
        sprays = ow_streq(r->unit.word, "pack") ? pack_of(p) : 1;
        if (sprays == 0)
            return misfit(r, "what a pack holds is not known", err);
    }
    if (!ow_ratio_mul(r->q->value, OW_RATIO(sprays, 1), &ret->value))
        return out_of_range(r, err);
    ret->count = counted(ctx, r->q->value, word);
    if (sprays > 1)
        ret->count = ow_arena_printf(ctx->arena, "%s x %d sprays", ret->count,
                                     (int)sprays);
    return finish(ctx, r, "", ret, err);
}

static bool has_no_unit(const struct ow_quantity *q)
{
    return (q->unit == NULL || q->unit[0] == '\0') &&
           (q->code == NULL || q->code[0] == '\0' || ow_streq(q->code, "1"));
}

enum ow_code ow_amount_read(const struct ow_dose_context *ctx,
                            const struct ow_quantity *q, unsigned flags, const char *what,
                            struct ow_amount *ret, struct ow_err *err)
{
    struct reading r = { .q = q, .what = what };
    struct ow_amount a = { .value = OW_ZERO };
    enum ow_code code;

    if (!q->has_value)
        return misfit(&r, "no value", err);
    if (q->comparator != NULL)
        return misfit(&r, "\"less than\" or \"more than\" is no amount", err);
    if (q->value.num < 0 || (q->value.num == 0 && (flags & OW_AMOUNT_ZERO) == 0))
        return misfit(&r, "not above zero", err);
    code = ow_unit_read(q, &r.unit, err);
    if (code != OW_OK)
        return ow_err_prefix(err, code, "%s", what);
    if ((flags & OW_AMOUNT_SUPPLY) != 0 && has_no_unit(q) &&
        ctx->product->strength_unit == OW_STRENGTH_MG_ML) {
        r.unit.kind = OW_UNIT_VOLUME;
        r.unit.scale = OW_RATIO(1, 1);
    }
    if (ctx->product->strength_unit == OW_STRENGTH_MG_HR)
        code = patch_amount(ctx, &r, &a, err);
    else if (r.unit.kind == OW_UNIT_MASS)
        code = mass_amount(ctx, &r, &a, err);
    else if (r.unit.kind == OW_UNIT_VOLUME)
        code = volume_amount(ctx, &r, &a, err);
    else if (r.unit.kind == OW_UNIT_COUNT)
        code = count_amount(ctx, &r, &a, err);
    else
        code = misfit(&r, "a rate where an amount was expected", err);
    if (code == OW_OK)
        *ret = a;
    return code;
}

/* Does one of the words stand in the concept? With `whole` as whole words. */
static bool concept_says(const struct ow_concept *c, const char *const *stems, size_t n)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        if (c->text != NULL && ow_contains_folded(c->text, stems[i]))
            return true;
        for (k = 0; k < c->n_codings; k++) {
            if (c->codings[k].display != NULL &&
                ow_contains_folded(c->codings[k].display, stems[i]))
                return true;
        }
    }
    return false;
}

/* Short words of routes, compared whole: as code, display or text. */
static bool concept_is(const struct ow_concept *c, const char *const *words, size_t n)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        if (c->text != NULL && ow_strcaseeq(c->text, words[i]))
            return true;
        for (k = 0; k < c->n_codings; k++) {
            if ((c->codings[k].code != NULL &&
                 ow_strcaseeq(c->codings[k].code, words[i])) ||
                (c->codings[k].display != NULL &&
                 ow_strcaseeq(c->codings[k].display, words[i])))
                return true;
        }
    }
    return false;
}

static bool says_not_oral(const struct ow_concept *c)
{
    static const char *const stems[] = {
        "intra", "subcut", "inject",  "epidural",  "parenteral", "nasal",      "inhal",
        "nebul", "infus",  "topical", "transderm", "implant",    "perineural",
    };
    static const char *const words[] = { "iv",   "im",  "sc",   "sq",
                                         "subq", "ivp", "ivpb", "pca" };

    return concept_says(c, stems, OW_LEN(stems)) || concept_is(c, words, OW_LEN(words));
}

/* Is a coded route a member of the set? A coding without a system is taken for one. */
static bool coded_oral(const struct ow_knowledge *kb, const struct ow_concept *c)
{
    for (size_t i = 0; i < c->n_codings; i++) {
        const struct ow_coding *k = &c->codings[i];

        if (ow_knowledge_in_set(kb, "oral-route",
                                k->system != NULL ? k->system : OW_SYSTEM_SNOMED,
                                k->code))
            return true;
    }
    return false;
}

static bool says_oral(const struct ow_knowledge *kb, const struct ow_concept *c)
{
    static const char *const stems[] = { "oral", "mouth", "per os", "enteral" };
    static const char *const words[] = { "po" };

    if (says_not_oral(c))
        return false;
    return concept_says(c, stems, OW_LEN(stems)) || concept_is(c, words, OW_LEN(words)) ||
           coded_oral(kb, c);
}

enum ow_code ow_component_check(const struct ow_dose_context *ctx, struct ow_err *err)
{
    const struct ow_order *o = ctx->order;
    bool against = says_not_oral(&o->medication.form);
    bool oral = says_oral(ctx->kb, &o->medication.form);
    size_t i;

    if (ctx->product->has_form || ctx->product->strength_unit == OW_STRENGTH_MG_HR ||
        ctx->product->strength_unit == OW_STRENGTH_MG_ACTUAT)
        return OW_OK;
    for (i = 0; i < o->n_dosages; i++) {
        against = against || says_not_oral(&o->dosages[i].route);
        oral = oral || says_oral(ctx->kb, &o->dosages[i].route);
    }
    if (against)
        return ow_err_set(
            err, OW_MISSING,
            "a drug component without a dose form, and the order's route or "
            "form is not oral");
    if (!oral && ctx->product->strength_unit == OW_STRENGTH_MG_ML)
        return ow_err_set(
            err, OW_MISSING,
            "a drug component with a strength per mL, and neither route nor "
            "form say that it is oral");
    return OW_OK;
}
