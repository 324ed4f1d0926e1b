/*
 * The tables of drugs: opioid products and sedatives, row by row into structs. What one
 * row says is checked here; a row with a fault is reported and left out, and any fault
 * fails the load.
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum {
    P_RXCUI,
    P_TTY,
    P_NAME,
    P_INGREDIENT_RXCUI,
    P_INGREDIENT,
    P_STRENGTH,
    P_UNIT,
    P_DOSE_FORM,
    P_FORM_CLASS,
    P_IS_PATCH,
    P_PATCH_HOURS,
    P_ER_LA,
    P_CO_INGREDIENTS,
    P_SOURCE,
    P_N,
};

static const char *const product_columns[P_N] = {
    "rxcui",           "tty",
    "drug_name",       "ingredient_rxcui",
    "ingredient_name", "strength_value",
    "strength_unit",   "dose_form",
    "form_class",      "is_patch",
    "patch_hours",     "er_la",
    "co_ingredients",  "source",
};

enum {
    S_RXCUI,
    S_NAME,
    S_CLASS,
    S_TIER,
    S_INGREDIENTS,
    S_SOURCE,
    S_N,
};

static const char *const sedative_columns[S_N] = {
    "rxcui", "name", "class", "tier", "ingredients", "source",
};

static const struct {
    const char *word;
    enum ow_form form;
} form_words[] = {
    {"oral_solid",                 OW_FORM_ORAL_SOLID       },
    { "oral_liquid",               OW_FORM_ORAL_LIQUID      },
    { "rectal",                    OW_FORM_RECTAL           },
    { "transdermal",               OW_FORM_TRANSDERMAL      },
    { "buccal_tablet",             OW_FORM_BUCCAL_TABLET    },
    { "buccal_film",               OW_FORM_BUCCAL_FILM      },
    { "sublingual_tablet",         OW_FORM_SUBLINGUAL_TABLET},
    { "sublingual_film",           OW_FORM_SUBLINGUAL_FILM  },
    { "oral_lozenge",              OW_FORM_ORAL_LOZENGE     },
    { "mucosal_spray",             OW_FORM_MUCOSAL_SPRAY    },
    { "nasal",                     OW_FORM_NASAL            },
    { "injectable",                OW_FORM_INJECTABLE       },
    { "pack",                      OW_FORM_PACK             },
    { "implant",                   OW_FORM_OTHER            },
    { "topical",                   OW_FORM_OTHER            },
    { "transdermal_iontophoretic", OW_FORM_OTHER            },
    { "inhaled",                   OW_FORM_OTHER            },
};

static const char *const strength_units[] = {
    [OW_STRENGTH_MG] = "MG",
    [OW_STRENGTH_MG_ML] = "MG/ML",
    [OW_STRENGTH_MG_HR] = "MG/HR",
    [OW_STRENGTH_MG_ACTUAT] = "MG/ACTUAT",
};

static const char *const sedative_classes[OW_SEDATIVE_N] = {
    [OW_SEDATIVE_BENZODIAZEPINE] = "benzodiazepine",
    [OW_SEDATIVE_Z_HYPNOTIC] = "z_hypnotic",
    [OW_SEDATIVE_MUSCLE_RELAXANT] = "skeletal_muscle_relaxant",
    [OW_SEDATIVE_GABAPENTINOID] = "gabapentinoid",
    [OW_SEDATIVE_BARBITURATE] = "barbiturate",
    [OW_SEDATIVE_OTHER_HYPNOTIC] = "other_hypnotic",
    [OW_SEDATIVE_OTHER_DEPRESSANT] = "other_cns_depressant",
    [OW_SEDATIVE_SIDE_EFFECT] = "sedating_side_effect",
    [OW_SEDATIVE_NOT] = "not_sedative_in_published_set",
};

const char *ow_sedative_class_name(enum ow_sedative_class c)
{
    ow_assert(c < OW_SEDATIVE_N);
    return sedative_classes[c];
}

enum ow_form kb_form_read(const char *word, size_t n)
{
    size_t i;

    for (i = 0; i < OW_LEN(form_words); i++) {
        if (strlen(form_words[i].word) == n && memcmp(form_words[i].word, word, n) == 0)
            return form_words[i].form;
    }
    return OW_FORM_UNKNOWN;
}

bool kb_rxcui_valid(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n >= 1 && n <= 10 && s[n] == '\0' && s[0] != '0';
}

static bool strength_read(struct ow_tsv *t, struct ow_product *p)
{
    const char *s = ow_tsv_field(t, P_STRENGTH), *unit = ow_tsv_field(t, P_UNIT);
    size_t i;

    if (!ow_ratio_parse(s, strlen(s), &p->strength) || !ow_ratio_positive(p->strength)) {
        ow_tsv_fault(t, P_STRENGTH, "a decimal above zero was expected");
        return false;
    }
    for (i = 0; i < OW_LEN(strength_units); i++) {
        if (ow_streq(unit, strength_units[i])) {
            p->strength_unit = (enum ow_strength_unit)i;
            return true;
        }
    }
    ow_tsv_fault(t, P_UNIT, "MG, MG/ML, MG/HR or MG/ACTUAT was expected");
    return false;
}

static bool form_read(struct ow_tsv *t, struct ow_product *p)
{
    p->dose_form = ow_tsv_field(t, P_DOSE_FORM);
    p->form_class = ow_tsv_field(t, P_FORM_CLASS);
    p->has_form = p->form_class[0] != '\0';
    p->form = kb_form_read(p->form_class, strlen(p->form_class));
    if (p->has_form && p->form == OW_FORM_UNKNOWN) {
        ow_tsv_fault(t, P_FORM_CLASS, "not a form class");
        return false;
    }
    return true;
}

/* Patches: is_patch, hours of wear, and the rate that must go with them. */
static bool patch_read(struct ow_tsv *t, struct ow_product *p)
{
    const char *is = ow_tsv_field(t, P_IS_PATCH), *hours = ow_tsv_field(t, P_PATCH_HOURS);
    uint64_t h = 0;

    if (!ow_streq(is, "0") && !ow_streq(is, "1")) {
        ow_tsv_fault(t, P_IS_PATCH, "0 or 1 was expected");
        return false;
    }
    p->is_patch = is[0] == '1';
    if (hours[0] != '\0' && (!ow_parse_u64(hours, &h) || h == 0 || h > 24 * 31)) {
        ow_tsv_fault(t, P_PATCH_HOURS, "hours from 1 to 744 were expected");
        return false;
    }
    p->patch_hours = (int)h;
    if ((p->is_patch || p->form == OW_FORM_TRANSDERMAL) &&
        p->strength_unit != OW_STRENGTH_MG_HR) {
        ow_tsv_fault(t, P_UNIT, "the strength of a patch is a rate, MG/HR");
        return false;
    }
    if (p->has_form && p->strength_unit == OW_STRENGTH_MG_HR && !p->is_patch) {
        ow_tsv_fault(t, P_IS_PATCH, "a rate in MG/HR belongs to a patch");
        return false;
    }
    return true;
}

static bool er_la_read(struct ow_tsv *t, struct ow_product *p)
{
    const char *s = ow_tsv_field(t, P_ER_LA);

    if (s[0] != '\0' && !ow_streq(s, "vs") && !ow_streq(s, "form")) {
        ow_tsv_fault(t, P_ER_LA, "vs, form or nothing was expected");
        return false;
    }
    p->extended_release = s[0] != '\0';
    return true;
}

static bool product_read(struct ow_tsv *t, struct ow_product *p)
{
    bool good = true;

    p->rxcui = ow_tsv_field(t, P_RXCUI);
    p->tty = ow_tsv_field(t, P_TTY);
    p->name = ow_tsv_field(t, P_NAME);
    p->ingredient_rxcui = ow_tsv_field(t, P_INGREDIENT_RXCUI);
    p->ingredient = ow_tsv_field(t, P_INGREDIENT);
    p->co_ingredients = ow_tsv_field(t, P_CO_INGREDIENTS);
    p->source = ow_tsv_field(t, P_SOURCE);
    if (!kb_rxcui_valid(p->rxcui)) {
        ow_tsv_fault(t, P_RXCUI, "an RxNorm number was expected");
        good = false;
    }
    if (p->ingredient_rxcui[0] != '\0' && !kb_rxcui_valid(p->ingredient_rxcui)) {
        ow_tsv_fault(t, P_INGREDIENT_RXCUI, "an RxNorm number or nothing was expected");
        good = false;
    }
    if (p->name[0] == '\0' || p->ingredient[0] == '\0') {
        ow_tsv_fault(t, p->name[0] == '\0' ? P_NAME : P_INGREDIENT, "must not be empty");
        good = false;
    }
    good = strength_read(t, p) && good;
    good = form_read(t, p) && good;
    good = good && patch_read(t, p);
    return er_la_read(t, p) && good;
}

/* Put the newest row of a table into its index, unless its key is there already. */
static bool key_is_new(struct ow_tsv *t, size_t column, const void *found)
{
    if (found == NULL)
        return true;
    ow_tsv_fault(t, column, "%s is there twice", ow_tsv_field(t, column));
    return false;
}

size_t kb_lines(const struct ow_knowledge_file *f)
{
    const char *at = f->data, *end = f->data != NULL ? f->data + f->len : NULL;
    size_t n = 1;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        n++;
    }
    return n;
}

void kb_products_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                      struct ow_tsv_log *log)
{
    size_t most = kb_lines(f);
    struct ow_tsv t;

    kb_index_init(&kb->product_index, most, &kb->arena);
    kb->products = OW_NEW_N(&kb->arena, struct ow_product, most);
    if (!ow_tsv_open(&t, f, product_columns, P_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct ow_product p = { 0 };

        if (!product_read(&t, &p) ||
            !key_is_new(&t, P_RXCUI, ow_knowledge_product(kb, p.rxcui)))
            continue;
        kb->products[kb->n_products] = p;
        kb_index_put(&kb->product_index, kb_hash(KB_HASH, p.rxcui, strlen(p.rxcui)),
                     kb->n_products++);
    }
}

static bool sedative_read(struct ow_tsv *t, struct ow_sedative *s)
{
    const char *cls = ow_tsv_field(t, S_CLASS);
    uint64_t tier = 0;
    size_t i = 0;

    s->rxcui = ow_tsv_field(t, S_RXCUI);
    s->name = ow_tsv_field(t, S_NAME);
    s->ingredients = ow_tsv_field(t, S_INGREDIENTS);
    s->source = ow_tsv_field(t, S_SOURCE);
    if (s->rxcui[0] != '\0' && !kb_rxcui_valid(s->rxcui)) {
        ow_tsv_fault(t, S_RXCUI, "an RxNorm number or nothing was expected");
        return false;
    }
    if (s->name[0] == '\0') {
        ow_tsv_fault(t, S_NAME, "must not be empty");
        return false;
    }
    while (i < OW_SEDATIVE_N && !ow_streq(cls, sedative_classes[i]))
        i++;
    if (i == OW_SEDATIVE_N) {
        ow_tsv_fault(t, S_CLASS, "not a class of sedatives");
        return false;
    }
    if (!ow_parse_u64(ow_tsv_field(t, S_TIER), &tier) ||
        (tier != 1 && tier != 2 && tier != 3 && tier != 9)) {
        ow_tsv_fault(t, S_TIER, "1, 2, 3 or 9 was expected");
        return false;
    }
    s->cls = (enum ow_sedative_class)i;
    s->tier = (int)tier;
    return true;
}

void kb_sedatives_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log)
{
    size_t most = kb_lines(f);
    struct ow_tsv t;

    kb_index_init(&kb->sedative_index, most, &kb->arena);
    kb->sedatives = OW_NEW_N(&kb->arena, struct ow_sedative, most);
    if (!ow_tsv_open(&t, f, sedative_columns, S_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct ow_sedative s = { 0 };

        if (!sedative_read(&t, &s) ||
            !key_is_new(&t, S_RXCUI, ow_knowledge_sedative(kb, s.rxcui)))
            continue;
        kb->sedatives[kb->n_sedatives] = s;
        if (s.rxcui[0] != '\0')
            kb_index_put(&kb->sedative_index, kb_hash(KB_HASH, s.rxcui, strlen(s.rxcui)),
                         kb->n_sedatives);
        kb->n_sedatives++;
    }
}
