/* RxNorm others: sedatives and NDCs of a release laid over the tables. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/rxnorm_patch.h"

/* --- sedatives --- */

/* By tier, class, ingredients first (those without a number last, by name), number. */
static int sedative_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;
    bool xin = ow_streq(ow_rx_get(s, x, "tty"), "IN");
    bool yin = ow_streq(ow_rx_get(s, y, "tty"), "IN");
    const char *xn = ow_rx_get(s, x, "rxcui"), *yn = ow_rx_get(s, y, "rxcui");
    static const char *const columns[] = { "tier", "class" };
    int c;

    for (size_t i = 0; i < OW_LEN(columns); i++)
        if ((c = strcmp(ow_rx_get(s, x, columns[i]), ow_rx_get(s, y, columns[i]))) != 0)
            return c;
    if (xin != yin)
        return xin ? -1 : 1;
    if ((xn[0] == '\0') != (yn[0] == '\0'))
        return xn[0] == '\0' ? 1 : -1;
    c = ow_rx_number_order(xn, yn);
    return c != 0 ? c : strcmp(ow_rx_get(s, x, "name"), ow_rx_get(s, y, "name"));
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
        if (!ow_streq(ow_rx_get(s, s->rows[i], "ingredients"),
                      ow_rx_get(s, row, "ingredients")) ||
            !ow_streq(ow_rx_get(s, s->rows[i], "dose_form"),
                      ow_rx_get(s, row, "dose_form")))
            continue;
        ow_rx_set(s, row, "class", ow_rx_get(s, s->rows[i], "class"));
        ow_rx_set(s, row, "tier", ow_rx_get(s, s->rows[i], "tier"));
        return;
    }
    for (size_t k = 0; k < d->n_ingredients; k++) {
        const char **in = ow_rx_find(s, n_old, "name",
                                     m->g->ingredients[d->ingredients[k]].name);

        if (in == NULL ||
            (tier[0] != '\0' && strcmp(ow_rx_get(s, in, "tier"), tier) >= 0))
            continue;
        tier = ow_rx_get(s, in, "tier");
        ow_rx_set(s, row, "tier", tier);
        ow_rx_set(s, row, "class", ow_rx_get(s, in, "class"));
    }
}

static void sedative_fill(struct ow_rx_merge *m, size_t n_old, size_t concept,
                          const struct ow_rx_drug *d, const char **row, bool old)
{
    const struct ow_sheet *s = &m->sedatives;
    const struct ow_rx_concept *c = &m->g->concepts[concept];
    const struct ow_rx_ingredient *in[OW_RX_PARTS];
    const char *names = "", *numbers = "";

    ow_rx_set(s, row, "tty", c->tty);
    ow_rx_set(s, row, "name", c->name);
    ow_rx_set(s, row, "source", m->source);
    ow_rx_note_back(m, s, row);
    if (old)
        return;
    for (size_t k = 0; k < d->n_ingredients; k++)
        in[k] = &m->g->ingredients[d->ingredients[k]];
    qsort(in, d->n_ingredients, sizeof in[0], name_order);
    for (size_t k = 0; k < d->n_ingredients; k++) {
        names = ow_arena_printf(&m->arena, "%s%s%s", names, k > 0 ? "; " : "",
                                in[k]->name);
        numbers = ow_arena_printf(&m->arena, "%s%s%s", numbers, k > 0 ? "; " : "",
                                  ow_rx_number(m, in[k]->rxcui));
    }
    ow_rx_set(s, row, "rxcui", ow_rx_number(m, c->rxcui));
    ow_rx_set(s, row, "ingredients", names);
    ow_rx_set(s, row, "ingredient_rxcuis", numbers);
    ow_rx_set(s, row, "dose_form", d->form);
    ow_rx_set(s, row, "in_vs_2025", "0");
    for (size_t i = 0; i < n_old; i++)
        if (ow_streq(ow_rx_get(s, s->rows[i], "dose_form"), d->form))
            ow_rx_set(s, row, "route", ow_rx_get(s, s->rows[i], "route"));
    class_set(m, n_old, row, d);
}

/* A number for an ingredient whose row had none. */
static void ingredient_fill(struct ow_rx_merge *m, const char **row, bool *seen)
{
    const struct ow_sheet *s = &m->sedatives;

    for (size_t i = 0; i < m->g->n_ingredients; i++) {
        const struct ow_rx_ingredient *in = &m->g->ingredients[i];

        if (!in->confirmed || !ow_strcaseeq(in->name, ow_rx_get(s, row, "name")))
            continue;
        *seen = true;
        if (ow_rx_get(s, row, "rxcui")[0] != '\0')
            return;
        ow_rx_set(s, row, "rxcui", ow_rx_number(m, in->rxcui));
        ow_rx_set(s, row, "ingredient_rxcuis", ow_rx_number(m, in->rxcui));
        ow_rx_set(s, row, "source", m->source);
        ow_rx_set(s, row, "note", "");
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
    return !ow_streq(ow_rx_get(&m->sedatives, row, "tier"), "9");
}

void ow_rx_merge_sedatives(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->sedatives;
    struct ow_rx_count *n = &m->counts[1];
    size_t n_old = s->n_rows;
    bool *seen = OW_NEW_N(&m->arena, bool, n_old + 1);

    n->old = n_old;
    ow_rx_rows_grow(m, s, m->g->n_concepts);
    for (size_t i = 0; i < n_old; i++) {
        if (ow_streq(ow_rx_get(s, s->rows[i], "tty"), "IN"))
            ingredient_fill(m, s->rows[i], &seen[i]);
        n->renewed += seen[i];
    }
    for (size_t i = 0; i < m->g->n_concepts; i++) {
        struct ow_rx_drug d;
        const char *why = "", **row;
        enum ow_rx_answer answer = ow_rx_drug_read(m->g, i, false, &d, &why);

        if (answer == OW_RX_LEFT_OUT)
            ow_rx_left_out(m, n, i, why);
        if (answer != OW_RX_DRUG || d.form[0] == '\0' || on_skin(d.form))
            continue;
        row = ow_rx_find(s, n_old, "rxcui", ow_rx_number(m, m->g->concepts[i].rxcui));
        if (row != NULL) {
            sedative_fill(m, n_old, i, &d, row, true);
            seen[ow_rx_place(s, n_old, (const char *const *)row)] = true;
            n->renewed++;
        } else {
            row = ow_rx_row_new(m, s, NULL);
            sedative_fill(m, n_old, i, &d, row, false);
            s->rows[s->n_rows++] = row;
            n->added++;
        }
    }
    ow_rx_note_rest(m, s, seen, n_old, asked_for, n);
    ow_rx_sort(s, sedative_order);
}

static int ndc_order(const void *a, const void *b, void *sheet)
{
    const struct ow_sheet *s = sheet;
    const char *const *x = *(const char **const *)a, *const *y = *(const char **const *)b;

    return strcmp(ow_rx_get(s, x, "ndc"), ow_rx_get(s, y, "ndc"));
}

/* --- NDC --- */

/* Is the concept a product with a row, so that an NDC of it says something? */
static bool *concepts_with_rows(struct ow_rx_merge *m)
{
    const struct ow_sheet *sheets[] = { &m->products, &m->sedatives };
    bool *ret = OW_NEW_N(&m->arena, bool, m->g->n_concepts + 1);

    for (size_t k = 0; k < OW_LEN(sheets); k++) {
        for (size_t i = 0; i < sheets[k]->n_rows; i++) {
            size_t c = ow_rx_concept_of(m->g, ow_sheet_word(sheets[k], i, "rxcui"));

            if (c != SIZE_MAX)
                ret[c] = true;
        }
    }
    return ret;
}

static void ndc_put(struct ow_rx_merge *m, size_t n_old, const struct ow_rx_ndc *ndc)
{
    struct ow_sheet *s = &m->ndcs;
    const char *rxcui = ow_rx_number(m, m->g->concepts[ndc->concept].rxcui);
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
    if (row != NULL && !ow_streq(ow_rx_get(s, row, "rxcui"), rxcui)) {
        ow_rx_note_add(m, s, row,
                       ow_arena_printf(&m->arena, "%s before %s (%s)",
                                       ow_rx_get(s, row, "rxcui"), m->source,
                                       ow_rx_get(s, row, "source")));
        n->moved++;
    }
    n->renewed += row != NULL;
    n->added += row == NULL;
    if (row == NULL) {
        row = ow_rx_row_new(m, s, NULL);
        ow_rx_set(s, row, "ndc", ow_arena_strdup(&m->arena, ndc->ndc));
        s->rows[s->n_rows++] = row;
    }
    ow_rx_set(s, row, "rxcui", rxcui);
    ow_rx_set(s, row, "source", m->source);
}

void ow_rx_merge_ndcs(struct ow_rx_merge *m)
{
    struct ow_sheet *s = &m->ndcs;
    struct ow_rx_count *n = &m->counts[2];
    const bool *known = concepts_with_rows(m);
    size_t n_old = s->n_rows;

    n->old = n_old;
    ow_rx_rows_grow(m, s, m->g->n_ndcs);
    ow_rx_sort(s, ndc_order);
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
            ow_rx_tell(m, "NDC %s: left out, it stands for %zu concepts", first->ndc,
                       several);
        }
    }
    n->kept = n_old - n->renewed;
    ow_rx_sort(s, ndc_order);
}
