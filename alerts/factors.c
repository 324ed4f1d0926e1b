/*
 * Factors: which row of mme_factors.tsv goes with a product
 *
 * A row belongs to one ingredient and a set of form classes; methadone has one row for
 * each band of its total daily dose, low end exclusive, high end inclusive. Loading
 * refuses tables in which a dose could find two factors or fall between two bands, a
 * factor nobody verified, and a basis that dosage.c does not compute.
 */
#include <stdio.h>
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum {
    F_INGREDIENT,
    F_RXCUI,
    F_FORM,
    F_CLASSES,
    F_BASIS,
    F_LOW,
    F_HIGH,
    F_2016,
    F_2022,
    F_VERIFIED_2016,
    F_VERIFIED_2022,
    F_SOURCE_2016,
    F_SOURCE_2022,
    F_N,
    ROWS_MOST = 2000,
};

static const char *const factor_columns[F_N] = {
    "ingredient",  "ingredient_rxcui", "form_or_route",    "form_classes",
    "unit_basis",  "dose_low_mg_day",  "dose_high_mg_day", "factor_2016",
    "factor_2022", "verified_2016",    "verified_2022",    "source_2016",
    "source_2022",
};

static bool classes_read(struct ow_tsv *t, struct kb_factor *f)
{
    const char *s = ow_tsv_field(t, F_CLASSES);

    while (*s != '\0') {
        size_t n = strcspn(s, ",");
        enum ow_form form = kb_form_read(s, n);

        if (form == OW_FORM_UNKNOWN) {
            ow_tsv_fault(t, F_CLASSES, "%.*s is not a form class", (int)(n % 64), s);
            return false;
        }
        f->forms |= 1u << form;
        s += n;
        s += *s == ',';
    }
    return true;
}

static bool basis_read(struct ow_tsv *t, struct kb_factor *f)
{
    const char *s = ow_tsv_field(t, F_BASIS);

    if (ow_streq(s, "mg") || s[0] == '\0')
        f->basis = OW_BASIS_MG_DAY;
    else if (ow_streq(s, "mcg"))
        f->basis = OW_BASIS_MCG_DAY;
    else if (ow_streq(s, "mcg/h"))
        f->basis = OW_BASIS_MCG_HOUR;
    else if (!f->claims) {
        ow_tsv_fault(t, F_BASIS, "mg, mcg or mcg/h was expected");
        return false;
    }
    return true;
}

/* Would dosage.c count this ingredient and form in that unit? A factor per microgram on
 * a dose in milligrams would be wrong a thousandfold, and silently. */
static bool basis_fits(const struct kb_factor *f)
{
    bool patch = f->forms == 1u << OW_FORM_TRANSDERMAL;
    bool fentanyl = ow_strcaseeq(f->ingredient, "fentanyl");

    if (f->basis == OW_BASIS_MCG_HOUR)
        return patch;
    return fentanyl == (f->basis == OW_BASIS_MCG_DAY) &&
           (f->forms & 1u << OW_FORM_TRANSDERMAL) == 0;
}

static bool band_end(struct ow_tsv *t, size_t column, struct ow_ratio *ret)
{
    const char *s = ow_tsv_field(t, column);

    if (!ow_ratio_parse(s, strlen(s), ret) || ret->num < 0) {
        ow_tsv_fault(t, column, "mg a day, zero or more, were expected");
        return false;
    }
    return true;
}

static bool band_read(struct ow_tsv *t, struct kb_factor *f)
{
    f->low = OW_ZERO;
    f->has_high = ow_tsv_field(t, F_HIGH)[0] != '\0';
    f->banded = f->has_high || ow_tsv_field(t, F_LOW)[0] != '\0';
    if (!f->banded)
        return true;
    if (!band_end(t, F_LOW, &f->low) || (f->has_high && !band_end(t, F_HIGH, &f->high)))
        return false;
    if (f->has_high && ow_ratio_cmp(f->high, f->low) <= 0) {
        ow_tsv_fault(t, F_HIGH, "the band ends before it begins");
        return false;
    }
    return true;
}

static bool value_read(struct ow_tsv *t, struct kb_factor *f, enum ow_table table)
{
    bool y22 = table == OW_TABLE_CDC_2022;
    size_t column = y22 ? F_2022 : F_2016;
    const char *s = ow_tsv_field(t, column);
    const char *seen = ow_tsv_field(t, y22 ? F_VERIFIED_2022 : F_VERIFIED_2016);

    f->excluded = f->excluded || ow_streq(seen, "excluded");
    f->in[table].source = ow_tsv_field(t, y22 ? F_SOURCE_2022 : F_SOURCE_2016);
    if (s[0] == '\0')
        return true;
    if (!ow_ratio_parse(s, strlen(s), &f->in[table].value) ||
        !ow_ratio_positive(f->in[table].value)) {
        ow_tsv_fault(t, column, "a factor above zero, or nothing, was expected");
        return false;
    }
    if (!ow_streq(seen, "doc") && !ow_streq(seen, "code") &&
        !ow_streq(seen, "doc+code") && !ow_streq(seen, "derived")) {
        ow_tsv_fault(t, y22 ? F_VERIFIED_2022 : F_VERIFIED_2016,
                     "doc, code, doc+code or derived goes with a factor");
        return false;
    }
    f->in[table].has = true;
    return true;
}

static bool factor_read(struct ow_tsv *t, struct kb_factor *f)
{
    bool good;

    f->line = t->line;
    f->ingredient = ow_tsv_field(t, F_INGREDIENT);
    f->rxcui = ow_tsv_field(t, F_RXCUI);
    f->form = ow_tsv_field(t, F_FORM);
    f->claims = strstr(f->form, "dispensed-quantity") != NULL ||
                strstr(f->form, "research files") != NULL;
    if (f->ingredient[0] == '\0') {
        ow_tsv_fault(t, F_INGREDIENT, "must not be empty");
        return false;
    }
    good = classes_read(t, f) && basis_read(t, f) && band_read(t, f) &&
           value_read(t, f, OW_TABLE_CDC_2016) && value_read(t, f, OW_TABLE_CDC_2022);
    if (!good || f->claims)
        return good;
    if ((f->in[0].has || f->in[1].has) && !basis_fits(f)) {
        ow_tsv_fault(t, F_BASIS,
                     "a factor is per mcg/h for patches, per mcg for other fentanyl, "
                     "else per mg");
        return false;
    }
    return true;
}

static bool same_ingredient(const struct kb_factor *a, const struct kb_factor *b)
{
    if (a->rxcui[0] != '\0' && b->rxcui[0] != '\0')
        return ow_streq(a->rxcui, b->rxcui);
    return ow_strcaseeq(a->ingredient, b->ingredient);
}

static bool same_drug(const struct kb_factor *a, const struct kb_factor *b, int table)
{
    return !a->claims && !b->claims && a->in[table].has && b->in[table].has &&
           same_ingredient(a, b) &&
           ((a->forms & b->forms) != 0 || a->forms == 0 || b->forms == 0);
}

static bool bands_meet(const struct kb_factor *a, const struct kb_factor *b)
{
    if (!a->banded || !b->banded)
        return true;
    return (!a->has_high || ow_ratio_cmp(b->low, a->high) < 0) &&
           (!b->has_high || ow_ratio_cmp(a->low, b->high) < 0);
}

/* Every band but the first begins where another ends, and every band but the last ends
 * where another begins. */
static bool band_joins(const struct ow_knowledge *kb, const struct kb_factor *f,
                       int table)
{
    bool below = f->low.num == 0, above = !f->has_high;
    size_t i;

    for (i = 0; i < kb->n_factors; i++) {
        const struct kb_factor *o = &kb->factors[i];

        if (o == f || !o->banded || !same_drug(f, o, table))
            continue;
        below = below || (o->has_high && ow_ratio_cmp(o->high, f->low) == 0);
        above = above || ow_ratio_cmp(o->low, f->high) == 0;
    }
    return below && above;
}

static void factors_check(const struct ow_knowledge *kb, struct ow_tsv *t)
{
    size_t i, k;
    int table;

    for (i = 0; i < kb->n_factors; i++) {
        const struct kb_factor *f = &kb->factors[i];

        t->line = f->line;
        t->columns[t->map[F_LOW]] = 1;
        t->columns[t->map[F_INGREDIENT]] = 1;
        for (table = 0; table < 2; table++) {
            if (f->banded && !f->claims && f->in[table].has && !band_joins(kb, f, table))
                ow_tsv_fault(t, F_LOW, "the band does not join its neighbour");
            for (k = 0; k < i; k++) {
                if (same_drug(f, &kb->factors[k], table) &&
                    bands_meet(f, &kb->factors[k]))
                    ow_tsv_fault(t, F_INGREDIENT,
                                 "the same doses as line %u have a factor",
                                 kb->factors[k].line);
            }
        }
    }
}

/* "Methadone, oral, over 20 to 40 mg/d"; the band is left out where all have one factor.
 */
static const char *row_words(struct ow_knowledge *kb, const struct kb_factor *f,
                             int table)
{
    char low[OW_RATIO_TEXT], high[OW_RATIO_TEXT];
    bool flat = true;
    size_t i;

    for (i = 0; i < kb->n_factors; i++) {
        if (same_drug(f, &kb->factors[i], table) &&
            ow_ratio_cmp(f->in[table].value, kb->factors[i].in[table].value) != 0)
            flat = false;
    }
    if (!f->banded || flat)
        return ow_arena_printf(&kb->arena, "%s, %s", f->ingredient, f->form);
    ow_ratio_format(f->low, 6, low);
    if (!f->has_high)
        return ow_arena_printf(&kb->arena, "%s, %s, over %s mg/d", f->ingredient, f->form,
                               low);
    ow_ratio_format(f->high, 6, high);
    return ow_arena_printf(&kb->arena, "%s, %s, over %s to %s mg/d", f->ingredient,
                           f->form, low, high);
}

void kb_factors_load(struct ow_knowledge *kb, const struct ow_knowledge_file *file,
                     struct ow_tsv_log *log)
{
    struct ow_tsv t;
    size_t cap = 0, i;

    if (!ow_tsv_open(&t, file, factor_columns, F_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct kb_factor f = { 0 };

        if (!factor_read(&t, &f))
            continue;
        if (kb->n_factors == ROWS_MOST) {
            ow_tsv_fault(&t, F_INGREDIENT, "more than %d rows", ROWS_MOST);
            return;
        }
        OW_ARENA_GROW(&kb->arena, kb->factors, kb->n_factors, cap);
        kb->factors[kb->n_factors++] = f;
    }
    factors_check(kb, &t);
    for (i = 0; i < kb->n_factors; i++) {
        kb->factors[i].in[0].row = row_words(kb, &kb->factors[i], 0);
        kb->factors[i].in[1].row = row_words(kb, &kb->factors[i], 1);
    }
}

static bool row_is_for(const struct kb_factor *f, const struct ow_product *p)
{
    if (f->rxcui[0] != '\0' && p->ingredient_rxcui[0] != '\0')
        return ow_streq(f->rxcui, p->ingredient_rxcui);
    return ow_strcaseeq(f->ingredient, p->ingredient);
}

bool ow_knowledge_excluded(const struct ow_knowledge *kb, const struct ow_product *p)
{
    size_t i;

    for (i = 0; i < kb->n_factors; i++) {
        if (kb->factors[i].excluded && row_is_for(&kb->factors[i], p))
            return true;
    }
    return false;
}

/* The forms a product may have: its own; for a component those of its strength. */
static unsigned forms_of(const struct ow_product *p)
{
    static const unsigned forms[] = {
        [OW_STRENGTH_MG] = 1u << OW_FORM_ORAL_SOLID | 1u << OW_FORM_RECTAL |
                           1u << OW_FORM_BUCCAL_TABLET | 1u << OW_FORM_BUCCAL_FILM |
                           1u << OW_FORM_SUBLINGUAL_TABLET |
                           1u << OW_FORM_SUBLINGUAL_FILM | 1u << OW_FORM_ORAL_LOZENGE,
        [OW_STRENGTH_MG_ML] = 1u << OW_FORM_ORAL_LIQUID,
        [OW_STRENGTH_MG_HR] = 1u << OW_FORM_TRANSDERMAL,
        [OW_STRENGTH_MG_ACTUAT] = 1u << OW_FORM_MUCOSAL_SPRAY | 1u << OW_FORM_NASAL,
    };

    return p->has_form ? 1u << p->form : forms[p->strength_unit];
}

/* "nasal fentanyl", "injectable morphine", "fentanyl without a dose form" */
static const char *drug_words(const struct ow_product *p, char *ret, size_t size)
{
    char name[64], form[64];
    size_t i;

    (void)ow_copy(name, sizeof name, p->ingredient);
    (void)ow_copy(form, sizeof form, p->form_class);
    for (i = 0; name[i] != '\0'; i++)
        name[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    for (i = 0; form[i] != '\0'; i++)
        form[i] = form[i] == '_' ? ' ' : form[i];
    if (!p->has_form)
        (void)snprintf(ret, size, "%s without a dose form", name);
    else if (p->form == OW_FORM_ORAL_SOLID || p->form == OW_FORM_ORAL_LIQUID)
        (void)snprintf(ret, size, "oral %s", name);
    else
        (void)snprintf(ret, size, "%s %s", form, name);
    return ret;
}

enum found {
    FOUND_NONE,
    FOUND_ONE,
    FOUND_SEVERAL, /* the form decides, or the band */
};

static bool band_holds(const struct kb_factor *f, struct ow_ratio total)
{
    return !f->banded || (ow_ratio_cmp(total, f->low) > 0 &&
                          (!f->has_high || ow_ratio_cmp(total, f->high) <= 0));
}

/*
 * The one factor of `p` in `table`. Rows whose band does not hold `total` are left out,
 * unless all bands have the same factor, when the total does not matter.
 */
static enum found factor_find(const struct ow_knowledge *kb, enum ow_table table,
                              const struct ow_product *p, const struct ow_ratio *total,
                              const struct kb_factor **ret)
{
    enum found found = FOUND_NONE;
    unsigned forms = forms_of(p);
    size_t i;

    for (i = 0; i < kb->n_factors; i++) {
        const struct kb_factor *f = &kb->factors[i];

        if (f->claims || !f->in[table].has || !row_is_for(f, p) ||
            (f->forms != 0 && (f->forms & forms) == 0))
            continue;
        if (total != NULL && !band_holds(f, *total))
            continue;
        if (found != FOUND_NONE &&
            (f->basis != (*ret)->basis ||
             ow_ratio_cmp(f->in[table].value, (*ret)->in[table].value) != 0))
            return FOUND_SEVERAL;
        if (found == FOUND_NONE)
            *ret = f;
        found = FOUND_ONE;
    }
    return found;
}

static enum ow_code factor_missing(enum found found, enum ow_table table,
                                   const struct ow_product *p, bool banded,
                                   struct ow_err *err)
{
    char words[160];

    drug_words(p, words, sizeof words);
    if (banded)
        return ow_err_set(err, OW_MISSING,
                          "the factor of %s in %s follows the total daily dose, which is "
                          "not above zero",
                          words, ow_table_name(table));
    if (found == FOUND_SEVERAL)
        return ow_err_set(err, OW_MISSING, "the factor in %s of %s depends on the form",
                          ow_table_name(table), words);
    return ow_err_set(err, OW_MISSING, "no factor in %s for %s", ow_table_name(table),
                      words);
}

enum ow_code ow_knowledge_factor(const struct ow_knowledge *kb, enum ow_table table,
                                 bool older, const struct ow_product *p,
                                 struct ow_ratio total_mg_day, struct ow_factor *ret,
                                 struct ow_err *err)
{
    const struct kb_factor *f = NULL;
    enum ow_table in = table;
    enum found found;
    bool banded;

    if (ow_knowledge_excluded(kb, p)) {
        char words[160];

        return ow_err_set(err, OW_MISSING, "%s is excluded from MME totals",
                          drug_words(p, words, sizeof words));
    }
    found = factor_find(kb, in, p, NULL, &f);
    if (found == FOUND_NONE && older && table == OW_TABLE_CDC_2022) {
        in = OW_TABLE_CDC_2016;
        found = factor_find(kb, in, p, NULL, &f);
    }
    banded = found == FOUND_SEVERAL && f->banded;
    if (found == FOUND_SEVERAL)
        found = factor_find(kb, in, p, &total_mg_day, &f);
    if (found != FOUND_ONE)
        return factor_missing(found, found == FOUND_NONE ? table : in, p,
                              banded && found == FOUND_NONE, err);
    *ret = (struct ow_factor){
        .value = f->in[in].value,
        .basis = f->basis,
        .table = in,
        .older = in != table,
        .row = f->in[in].row,
        .source = f->in[in].source,
    };
    return OW_OK;
}
