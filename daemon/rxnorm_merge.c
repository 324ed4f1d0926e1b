#include "daemon/rxnorm_merge.h"

#include <string.h>

#include "base/ratio.h"
#include "base/text.h"
#include "daemon/rxnorm_patch.h"

/* --- ingredients --- */

static void want(struct ow_rx_merge *m, struct ow_rx_ingredient *list, size_t *n,
                 const char *name, const char *rxcui, bool opioid)
{
    struct ow_rx_ingredient *in = NULL;
    uint64_t number_said = 0;

    (void)m;
    if (rxcui[0] != '\0' && !ow_parse_u64(rxcui, &number_said))
        number_said = 0;
    for (size_t i = 0; i < *n && in == NULL; i++)
        if (ow_strcaseeq(list[i].name, name))
            in = &list[i];
    if (in == NULL) {
        in = &list[(*n)++];
        in->name = name;
    }
    in->rxcui = in->rxcui == 0 ? number_said : in->rxcui;
    in->opioid = in->opioid || opioid;
    in->sedative = in->sedative || !opioid;
}

struct ow_rx_ingredient *ow_rx_wanted(struct ow_rx_merge *m,
                                      const struct ow_sheet *factors, size_t *n)
{
    size_t most = factors->n_rows + m->products.n_rows + m->sedatives.n_rows + 1;
    struct ow_rx_ingredient *ret = OW_NEW_N(&m->arena, struct ow_rx_ingredient, most);

    *n = 0;
    for (size_t i = 0; i < m->products.n_rows; i++)
        want(m, ret, n, ow_sheet_word(&m->products, i, "ingredient_name"),
             ow_sheet_word(&m->products, i, "ingredient_rxcui"), true);
    for (size_t i = 0; i < factors->n_rows; i++)
        if (ow_sheet_word(factors, i, "ingredient_rxcui")[0] != '\0')
            want(m, ret, n, ow_sheet_word(factors, i, "ingredient"),
                 ow_sheet_word(factors, i, "ingredient_rxcui"), true);
    for (size_t i = 0; i < m->sedatives.n_rows; i++)
        if (ow_streq(ow_sheet_word(&m->sedatives, i, "tty"), "IN"))
            want(m, ret, n, ow_sheet_word(&m->sedatives, i, "name"),
                 ow_sheet_word(&m->sedatives, i, "rxcui"), false);
    return ret;
}

/* --- opioid products --- */

/* Dose forms that the product table need not have a row of yet. */
static const struct {
    const char *form, *form_class, *route;
} more_forms[] = {
    {"Chewable Tablet",                        "oral_solid",  "oral"      },
    { "Chewable Extended Release Oral Tablet", "oral_solid",  "oral"      },
    { "Delayed Release Oral Capsule",          "oral_solid",  "oral"      },
    { "Delayed Release Oral Tablet",           "oral_solid",  "oral"      },
    { "Granules for Oral Suspension",          "oral_liquid", "oral"      },
    { "Powder for Oral Solution",              "oral_liquid", "oral"      },
    { "Powder for Oral Suspension",            "oral_liquid", "oral"      },
    { "Oral Drops",                            "oral_liquid", "oral"      },
    { "Nasal Solution",                        "nasal",       "nasal"     },
    { "Nasal Spray",                           "nasal",       "nasal"     },
    { "Nasal Powder",                          "nasal",       "nasal"     },
    { "Injectable Foam",                       "injectable",  "parenteral"},
    { "Pen Injector",                          "injectable",  "parenteral"},
    { "Inhalation Solution",                   "inhaled",     "inhaled"   },
    { "Topical Gel",                           "topical",     "topical"   },
    { "Topical Ointment",                      "topical",     "topical"   },
};

/* Class and route of a dose form, from the rows there are. A patch has a rate; the same
 * form without one is iontophoretic. */
static bool form_class(const struct ow_sheet *s, size_t n, const char *form,
                       const char *unit, const char **cls, const char **route)
{
    if (ow_streq(form, "Transdermal System")) {
        *cls = ow_streq(unit, "MG/HR") ? "transdermal" : "transdermal_iontophoretic";
        *route = "transdermal";
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        *cls = ow_sheet_word(s, i, "form_class");
        *route = ow_sheet_word(s, i, "route");
        if (ow_strcaseeq(ow_sheet_word(s, i, "dose_form"), form) && (*cls)[0] != '\0')
            return true;
    }
    for (size_t i = 0; i < OW_LEN(more_forms); i++) {
        *cls = more_forms[i].form_class;
        *route = more_forms[i].route;
        if (ow_strcaseeq(more_forms[i].form, form))
            return true;
    }
    return false;
}

/* Extended release or long-acting by its form, or as methadone by its ingredient. */
static const char *lasting(const struct ow_rx_drug *d, const char *ingredient,
                           const char *cls)
{
    bool oral = ow_starts_with(cls, "oral_solid") || ow_starts_with(cls, "oral_liquid");

    if (ow_streq(cls, "transdermal") || ow_contains_folded(d->form, "extended release") ||
        ow_contains_folded(d->inner_form, "extended release") ||
        (oral && ow_strcaseeq(ingredient, "methadone")))
        return "form";
    return "";
}

static bool same_number(const char *a, const char *b)
{
    struct ow_ratio x, y;

    return ow_ratio_parse(a, strlen(a), &x) && ow_ratio_parse(b, strlen(b), &y) &&
           ow_ratio_cmp(x, y) == 0;
}

/* What an import may not change in a row that is there. */
static void keep_or_set(struct ow_rx_merge *m, const char **row, bool old,
                        const char *column, const char *said)
{
    const struct ow_sheet *s = &m->products;
    const char *was = ow_rx_get(s, row, column);

    if (!old || was[0] == '\0') {
        ow_rx_set(s, row, column, said);
    } else if (!ow_streq(was, said) && !same_number(was, said)) {
        ow_rx_tell(m, "%s %s: %s is %s in the table and %s in %s; kept", s->name,
                   ow_rx_get(s, row, "rxcui"), column, was,
                   said[0] != '\0' ? said : "empty", m->source);
        ow_rx_note_add(
            m, s, row,
            ow_arena_printf(&m->arena, "%s says %s %s", m->source, column, said));
    }
}

static bool product_fill(struct ow_rx_merge *m, size_t n_old, size_t concept,
                         const struct ow_rx_drug *d, const char **row, bool old)
{
    const struct ow_sheet *s = &m->products;
    const struct ow_rx_concept *c = &m->g->concepts[concept];
    const struct ow_rx_ingredient *in = &m->g->ingredients[d->ingredients[0]];
    const char *cls = "", *route = "", *inner = d->inner_form;
    bool patch;

    if (d->form[0] != '\0' && !form_class(s, n_old, inner[0] != '\0' ? inner : d->form,
                                          d->unit, &cls, &route)) {
        ow_rx_tell(m, "%llu %s: left out, no class is known for the dose form %s",
                   (unsigned long long)c->rxcui, c->name,
                   inner[0] != '\0' ? inner : d->form);
        return false;
    }
    /* the factor of sprays in a pack goes by the form class of packs */
    if (inner[0] != '\0' && ow_streq(cls, "mucosal_spray"))
        cls = "pack";
    patch = ow_streq(cls, "transdermal");
    ow_rx_set(s, row, "rxcui", ow_rx_number(m, c->rxcui));
    ow_rx_set(s, row, "tty", c->tty);
    ow_rx_set(s, row, "drug_name", c->name);
    ow_rx_set(s, row, "ingredient_rxcui", ow_rx_number(m, in->rxcui));
    if (!old)
        ow_rx_set(s, row, "ingredient_name", in->name);
    keep_or_set(m, row, old, "strength_value", d->strength);
    keep_or_set(m, row, old, "strength_unit", d->unit);
    keep_or_set(m, row, old, "form_class", cls);
    ow_rx_set(s, row, "dose_form", d->form);
    ow_rx_set(s, row, "dose_form_rxcui", ow_rx_number(m, d->form_rxcui));
    ow_rx_set(s, row, "co_ingredients", d->others);
    ow_rx_set(s, row, "strength_parts", d->parts);
    if (!old || ow_rx_get(s, row, "route")[0] == '\0')
        ow_rx_set(s, row, "route", route);
    if (!old) {
        ow_rx_set(s, row, "is_patch", patch ? "1" : "0");
        ow_rx_set(s, row, "er_la", lasting(d, in->name, cls));
        ow_rx_set(s, row, "in_opioid_vs_2025", "0");
        ow_rx_set(s, row, "in_any_vs_2025", "0");
    }
    if (!old && d->form[0] == '\0')
        ow_rx_set(s, row, "note",
                  "drug component without dose form, not an orderable product");
    if (patch && d->wear_hours > 0 && ow_rx_get(s, row, "patch_hours")[0] == '\0')
        ow_rx_set(s, row, "patch_hours", ow_rx_number(m, (uint64_t)d->wear_hours));
    ow_rx_set(s, row, "source", m->source);
    ow_rx_note_back(m, s, row);
    return true;
}

static int product_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;

    return ow_rx_number_order(ow_rx_get(s, x, "rxcui"), ow_rx_get(s, y, "rxcui"));
}

void ow_rx_merge_products(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->products;
    struct ow_rx_count *n = &m->counts[0];
    size_t n_old = s->n_rows;
    bool *seen = OW_NEW_N(&m->arena, bool, n_old + 1);

    n->old = n_old;
    ow_rx_rows_grow(m, s, m->g->n_concepts);
    for (size_t i = 0; i < m->g->n_concepts; i++) {
        struct ow_rx_drug d;
        const char *why = "", **row;
        enum ow_rx_answer answer = ow_rx_drug_read(m->g, i, true, &d, &why);
        bool old;

        if (answer == OW_RX_LEFT_OUT)
            ow_rx_left_out(m, n, i, why);
        if (answer != OW_RX_DRUG)
            continue;
        row = ow_rx_find(s, n_old, "rxcui", ow_rx_number(m, m->g->concepts[i].rxcui));
        old = row != NULL;
        if (!old)
            row = ow_rx_row_new(m, s, NULL);
        if (!product_fill(m, n_old, i, &d, row, old)) {
            n->left_out++;
            continue;
        }
        n->renewed += old;
        n->added += !old;
        if (old)
            seen[ow_rx_place(s, n_old, (const char *const *)row)] = true;
        else
            s->rows[s->n_rows++] = row;
    }
    ow_rx_note_rest(m, s, seen, n_old, NULL, n);
    ow_rx_sort(s, product_order);
}
