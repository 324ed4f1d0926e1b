#include "daemon/rxnorm_merge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ratio.h"
#include "base/text.h"

static void tell(struct ow_rx_merge *m, const char *fmt, ...) OW_PRINTF(2, 3);

static void tell(struct ow_rx_merge *m, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    m->tell(m->arg, ow_arena_vprintf(&m->arena, fmt, ap));
    va_end(ap);
}

/* --- rows --- */

static void set(const struct ow_sheet *s, const char **row, const char *column,
                const char *word)
{
    size_t i = ow_sheet_column(s, column);

    if (i != SIZE_MAX)
        row[i] = word;
}

static const char *get(const struct ow_sheet *s, const char *const *row,
                       const char *column)
{
    size_t i = ow_sheet_column(s, column);

    return i == SIZE_MAX ? "" : row[i];
}

static const char **row_new(struct ow_rx_merge *m, const struct ow_sheet *s,
                            const char *const *old)
{
    const char **ret = OW_NEW_N(&m->arena, const char *, s->n_columns);

    for (size_t i = 0; i < s->n_columns; i++)
        ret[i] = old != NULL ? old[i] : "";
    return ret;
}

static const char *number(struct ow_rx_merge *m, uint64_t n)
{
    return n == 0 ? "" : ow_arena_printf(&m->arena, "%llu", (unsigned long long)n);
}

static bool has_note(const char *note, const char *text)
{
    return ow_contains_folded(note, text);
}

/* One more remark behind those of a row. */
static void note_add(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row,
                     const char *text)
{
    const char *note = get(s, row, "note");

    if (!has_note(note, text))
        set(s, row, "note",
            note[0] == '\0' ? text : ow_arena_printf(&m->arena, "%s; %s", note, text));
}

/* Not in the release: said once, with the first release that lacks it. */
static void note_gone(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row)
{
    if (!has_note(get(s, row, "note"), "not in rxnorm-"))
        note_add(m, s, row, ow_arena_printf(&m->arena, "not in %s", m->source));
}

/* ... and it is back: what was said is taken off again. */
static void note_back(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row)
{
    const char *note = get(s, row, "note"), *at = strstr(note, "not in rxnorm-");
    size_t n;

    if (at == NULL)
        return;
    n = strcspn(at, ";");
    if (at[n] == ';')
        n += at[n + 1] == ' ' ? 2 : 1;
    else
        while (at > note && (at[-1] == ' ' || at[-1] == ';')) {
            at--;
            n++;
        }
    set(s, row, "note",
        ow_arena_printf(&m->arena, "%.*s%s", (int)(at - note), note, at + n));
}

static const char **find(const struct ow_sheet *s, size_t n, const char *column,
                         const char *word)
{
    size_t at = ow_sheet_column(s, column);

    for (size_t i = 0; at != SIZE_MAX && i < n; i++)
        if (ow_streq(s->rows[i][at], word))
            return s->rows[i];
    return NULL;
}

static size_t concept_of(const struct ow_rxnorm *g, const char *rxcui)
{
    uint64_t n;

    if (!ow_parse_u64(rxcui, &n))
        return SIZE_MAX;
    for (size_t i = 0; i < g->n_concepts; i++)
        if (g->concepts[i].rxcui == n)
            return i;
    return SIZE_MAX;
}

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
    const char *was = get(s, row, column);

    if (!old || was[0] == '\0') {
        set(s, row, column, said);
    } else if (!ow_streq(was, said) && !same_number(was, said)) {
        tell(m, "%s %s: %s is %s in the table and %s in %s; kept", s->name,
             get(s, row, "rxcui"), column, was, said[0] != '\0' ? said : "empty",
             m->source);
        note_add(m, s, row,
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
        tell(m, "%llu %s: left out, no class is known for the dose form %s",
             (unsigned long long)c->rxcui, c->name, inner[0] != '\0' ? inner : d->form);
        return false;
    }
    /* the factor of sprays in a pack goes by the form class of packs */
    if (inner[0] != '\0' && ow_streq(cls, "mucosal_spray"))
        cls = "pack";
    patch = ow_streq(cls, "transdermal");
    set(s, row, "rxcui", number(m, c->rxcui));
    set(s, row, "tty", c->tty);
    set(s, row, "drug_name", c->name);
    set(s, row, "ingredient_rxcui", number(m, in->rxcui));
    if (!old)
        set(s, row, "ingredient_name", in->name);
    keep_or_set(m, row, old, "strength_value", d->strength);
    keep_or_set(m, row, old, "strength_unit", d->unit);
    keep_or_set(m, row, old, "form_class", cls);
    set(s, row, "dose_form", d->form);
    set(s, row, "dose_form_rxcui", number(m, d->form_rxcui));
    set(s, row, "co_ingredients", d->others);
    set(s, row, "strength_parts", d->parts);
    if (!old || get(s, row, "route")[0] == '\0')
        set(s, row, "route", route);
    if (!old) {
        set(s, row, "is_patch", patch ? "1" : "0");
        set(s, row, "er_la", lasting(d, in->name, cls));
        set(s, row, "in_opioid_vs_2025", "0");
        set(s, row, "in_any_vs_2025", "0");
    }
    if (!old && d->form[0] == '\0')
        set(s, row, "note", "drug component without dose form, not an orderable product");
    if (patch && d->wear_hours > 0 && get(s, row, "patch_hours")[0] == '\0')
        set(s, row, "patch_hours", number(m, (uint64_t)d->wear_hours));
    set(s, row, "source", m->source);
    note_back(m, s, row);
    return true;
}

/* --- the order of the files --- */

static int number_order(const char *a, const char *b)
{
    size_t x = strlen(a), y = strlen(b);

    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int product_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;

    return number_order(get(s, x, "rxcui"), get(s, y, "rxcui"));
}

/* By tier, class, ingredients first (those without a number last, by name), number. */
static int sedative_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;
    bool xin = ow_streq(get(s, x, "tty"), "IN");
    bool yin = ow_streq(get(s, y, "tty"), "IN");
    const char *xn = get(s, x, "rxcui"), *yn = get(s, y, "rxcui");
    static const char *const columns[] = { "tier", "class" };
    int c;

    for (size_t i = 0; i < OW_LEN(columns); i++)
        if ((c = strcmp(get(s, x, columns[i]), get(s, y, columns[i]))) != 0)
            return c;
    if (xin != yin)
        return xin ? -1 : 1;
    if ((xn[0] == '\0') != (yn[0] == '\0'))
        return xn[0] == '\0' ? 1 : -1;
    c = number_order(xn, yn);
    return c != 0 ? c : strcmp(get(s, x, "name"), get(s, y, "name"));
}

static int ndc_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;

    return strcmp(get(s, x, "ndc"), get(s, y, "ndc"));
}

static void sort(struct ow_sheet *s, int order(const void *, const void *, void *))
{
    if (s->n_rows > 0)
        qsort_r(s->rows, s->n_rows, sizeof *s->rows, order, s);
}

/* --- merging --- */

/* Room for the old rows and all that a release can add. */
static void rows_grow(struct ow_rx_merge *m, struct ow_sheet *s, size_t more)
{
    const char ***rows = OW_NEW_N(&m->arena, const char **, s->n_rows + more + 1);

    for (size_t i = 0; i < s->n_rows; i++)
        rows[i] = row_new(m, s, s->rows[i]);
    s->rows = rows;
}

static void left_out(struct ow_rx_merge *m, struct ow_rx_count *n, size_t concept,
                     const char *why)
{
    const struct ow_rx_concept *c = &m->g->concepts[concept];

    n->left_out++;
    tell(m, "%llu %s: left out, %s", (unsigned long long)c->rxcui, c->name, why);
}

/* Every row of the old table whose number is in `seen` was renewed; the rest is kept. */
static void note_rest(struct ow_rx_merge *m, struct ow_sheet *s, const bool *seen,
                      size_t n_old, bool ours(struct ow_rx_merge *, const char *const *),
                      struct ow_rx_count *n)
{
    for (size_t i = 0; i < n_old; i++) {
        if (seen[i])
            continue;
        n->kept++;
        if (ours == NULL || ours(m, s->rows[i]))
            note_gone(m, s, s->rows[i]);
    }
}

static size_t place(const struct ow_sheet *s, size_t n, const char *const *row)
{
    for (size_t i = 0; i < n; i++)
        if (s->rows[i] == row)
            return i;
    return SIZE_MAX;
}

void ow_rx_merge_products(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->products;
    struct ow_rx_count *n = &m->counts[0];
    size_t n_old = s->n_rows;
    bool *seen = OW_NEW_N(&m->arena, bool, n_old + 1);

    n->old = n_old;
    rows_grow(m, s, m->g->n_concepts);
    for (size_t i = 0; i < m->g->n_concepts; i++) {
        struct ow_rx_drug d;
        const char *why = "", **row;
        enum ow_rx_answer answer = ow_rx_drug_read(m->g, i, true, &d, &why);
        bool old;

        if (answer == OW_RX_LEFT_OUT)
            left_out(m, n, i, why);
        if (answer != OW_RX_DRUG)
            continue;
        row = find(s, n_old, "rxcui", number(m, m->g->concepts[i].rxcui));
        old = row != NULL;
        if (!old)
            row = row_new(m, s, NULL);
        if (!product_fill(m, n_old, i, &d, row, old)) {
            n->left_out++;
            continue;
        }
        n->renewed += old;
        n->added += !old;
        if (old)
            seen[place(s, n_old, (const char *const *)row)] = true;
        else
            s->rows[s->n_rows++] = row;
    }
    note_rest(m, s, seen, n_old, NULL, n);
    sort(s, product_order);
}

static int name_order(const void *a, const void *b)
{
    return strcmp((*(const struct ow_rx_ingredient *const *)a)->name,
                  (*(const struct ow_rx_ingredient *const *)b)->name);
}

/* Class and tier of a new product: those of a row with the same ingredients and form,
 * else of its ingredient in the lowest tier. */
static void class_set(struct ow_rx_merge *m, size_t n_old, const char **row,
                      const struct ow_rx_drug *d)
{
    const struct ow_sheet *s = &m->sedatives;
    const char *tier = "";

    for (size_t i = 0; i < n_old; i++) {
        if (!ow_streq(get(s, s->rows[i], "ingredients"), get(s, row, "ingredients")) ||
            !ow_streq(get(s, s->rows[i], "dose_form"), get(s, row, "dose_form")))
            continue;
        set(s, row, "class", get(s, s->rows[i], "class"));
        set(s, row, "tier", get(s, s->rows[i], "tier"));
        return;
    }
    for (size_t k = 0; k < d->n_ingredients; k++) {
        const char **in = find(s, n_old, "name",
                               m->g->ingredients[d->ingredients[k]].name);

        if (in == NULL || (tier[0] != '\0' && strcmp(get(s, in, "tier"), tier) >= 0))
            continue;
        tier = get(s, in, "tier");
        set(s, row, "tier", tier);
        set(s, row, "class", get(s, in, "class"));
    }
}

static void sedative_fill(struct ow_rx_merge *m, size_t n_old, size_t concept,
                          const struct ow_rx_drug *d, const char **row, bool old)
{
    const struct ow_sheet *s = &m->sedatives;
    const struct ow_rx_concept *c = &m->g->concepts[concept];
    const struct ow_rx_ingredient *in[OW_RX_PARTS];
    const char *names = "", *numbers = "";

    set(s, row, "tty", c->tty);
    set(s, row, "name", c->name);
    set(s, row, "source", m->source);
    note_back(m, s, row);
    if (old)
        return;
    for (size_t k = 0; k < d->n_ingredients; k++)
        in[k] = &m->g->ingredients[d->ingredients[k]];
    qsort(in, d->n_ingredients, sizeof in[0], name_order);
    for (size_t k = 0; k < d->n_ingredients; k++) {
        names = ow_arena_printf(&m->arena, "%s%s%s", names, k > 0 ? "; " : "",
                                in[k]->name);
        numbers = ow_arena_printf(&m->arena, "%s%s%s", numbers, k > 0 ? "; " : "",
                                  number(m, in[k]->rxcui));
    }
    set(s, row, "rxcui", number(m, c->rxcui));
    set(s, row, "ingredients", names);
    set(s, row, "ingredient_rxcuis", numbers);
    set(s, row, "dose_form", d->form);
    set(s, row, "in_vs_2025", "0");
    for (size_t i = 0; i < n_old; i++)
        if (ow_streq(get(s, s->rows[i], "dose_form"), d->form))
            set(s, row, "route", get(s, s->rows[i], "route"));
    class_set(m, n_old, row, d);
}

/* A number for an ingredient whose row had none. */
static void ingredient_fill(struct ow_rx_merge *m, const char **row, bool *seen)
{
    const struct ow_sheet *s = &m->sedatives;

    for (size_t i = 0; i < m->g->n_ingredients; i++) {
        const struct ow_rx_ingredient *in = &m->g->ingredients[i];

        if (!in->confirmed || !ow_strcaseeq(in->name, get(s, row, "name")))
            continue;
        *seen = true;
        if (get(s, row, "rxcui")[0] != '\0')
            return;
        set(s, row, "rxcui", number(m, in->rxcui));
        set(s, row, "ingredient_rxcuis", number(m, in->rxcui));
        set(s, row, "source", m->source);
        set(s, row, "note", "");
        return;
    }
}

static bool on_skin(const char *form)
{
    return ow_contains_folded(form, "topical") ||
           ow_contains_folded(form, "ophthalmic") || ow_contains_folded(form, "otic ");
}

/* Rows whose ingredients were not asked for (tier 9) say nothing about the release. */
static bool asked_for(struct ow_rx_merge *m, const char *const *row)
{
    return !ow_streq(get(&m->sedatives, row, "tier"), "9");
}

void ow_rx_merge_sedatives(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->sedatives;
    struct ow_rx_count *n = &m->counts[1];
    size_t n_old = s->n_rows;
    bool *seen = OW_NEW_N(&m->arena, bool, n_old + 1);

    n->old = n_old;
    rows_grow(m, s, m->g->n_concepts);
    for (size_t i = 0; i < n_old; i++) {
        if (ow_streq(get(s, s->rows[i], "tty"), "IN"))
            ingredient_fill(m, s->rows[i], &seen[i]);
        n->renewed += seen[i];
    }
    for (size_t i = 0; i < m->g->n_concepts; i++) {
        struct ow_rx_drug d;
        const char *why = "", **row;
        enum ow_rx_answer answer = ow_rx_drug_read(m->g, i, false, &d, &why);

        if (answer == OW_RX_LEFT_OUT)
            left_out(m, n, i, why);
        if (answer != OW_RX_DRUG || d.form[0] == '\0' || on_skin(d.form))
            continue;
        row = find(s, n_old, "rxcui", number(m, m->g->concepts[i].rxcui));
        if (row != NULL) {
            sedative_fill(m, n_old, i, &d, row, true);
            seen[place(s, n_old, (const char *const *)row)] = true;
            n->renewed++;
        } else {
            row = row_new(m, s, NULL);
            sedative_fill(m, n_old, i, &d, row, false);
            s->rows[s->n_rows++] = row;
            n->added++;
        }
    }
    note_rest(m, s, seen, n_old, asked_for, n);
    sort(s, sedative_order);
}

/* --- NDC --- */

/* Is the concept a product with a row, so that an NDC of it says something? */
static bool *concepts_with_rows(struct ow_rx_merge *m)
{
    const struct ow_sheet *sheets[] = { &m->products, &m->sedatives };
    bool *ret = OW_NEW_N(&m->arena, bool, m->g->n_concepts + 1);

    for (size_t k = 0; k < OW_LEN(sheets); k++) {
        for (size_t i = 0; i < sheets[k]->n_rows; i++) {
            size_t c = concept_of(m->g, ow_sheet_word(sheets[k], i, "rxcui"));

            if (c != SIZE_MAX)
                ret[c] = true;
        }
    }
    return ret;
}

static void ndc_put(struct ow_rx_merge *m, size_t n_old, const struct ow_rx_ndc *ndc)
{
    struct ow_sheet *s = &m->ndcs;
    const char *rxcui = number(m, m->g->concepts[ndc->concept].rxcui);
    struct ow_rx_count *n = &m->counts[2];
    size_t low = 0, high = n_old, at = ow_sheet_column(s, "ndc");
    const char **row = NULL;

    while (low < high && row == NULL) { /* the old rows are in order */
        size_t middle = low + (high - low) / 2;
        int c = strcmp(s->rows[middle][at], ndc->ndc);

        if (c == 0)
            row = s->rows[middle];
        else if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (row != NULL && !ow_streq(get(s, row, "rxcui"), rxcui)) {
        note_add(m, s, row,
                 ow_arena_printf(&m->arena, "%s before %s (%s)", get(s, row, "rxcui"),
                                 m->source, get(s, row, "source")));
        n->moved++;
    }
    n->renewed += row != NULL;
    n->added += row == NULL;
    if (row == NULL) {
        row = row_new(m, s, NULL);
        set(s, row, "ndc", ow_arena_strdup(&m->arena, ndc->ndc));
        s->rows[s->n_rows++] = row;
    }
    set(s, row, "rxcui", rxcui);
    set(s, row, "source", m->source);
}

void ow_rx_merge_ndcs(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->ndcs;
    struct ow_rx_count *n = &m->counts[2];
    const bool *known = concepts_with_rows(m);
    size_t n_old = s->n_rows;

    n->old = n_old;
    rows_grow(m, s, m->g->n_ndcs);
    sort(s, ndc_order);
    for (size_t i = 0, k; i < m->g->n_ndcs; i = k) {
        const struct ow_rx_ndc *first = &m->g->ndcs[i], *one = NULL;
        size_t several = 0;

        for (k = i; k < m->g->n_ndcs && ow_streq(m->g->ndcs[k].ndc, first->ndc); k++) {
            if (!known[m->g->ndcs[k].concept])
                continue;
            one = &m->g->ndcs[k];
            several++;
        }
        if (several == 1) {
            ndc_put(m, n_old, one);
        } else if (several > 1) {
            n->left_out++;
            tell(m, "NDC %s: left out, it stands for %zu concepts", first->ndc, several);
        }
    }
    n->kept = n_old - n->renewed;
    sort(s, ndc_order);
}
