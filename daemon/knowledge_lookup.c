/*
 * knowledge lookup: all that the tables say of one drug, with the place it comes from
 *
 * A code is tried as what it can be: an NDC, an RxNorm number, a local code ("OXY5" or
 * "system|OXY5"), a code of the value sets; what is none of these is a part of a name.
 * Rows are printed as they stand in their tables, and behind a product the factor that
 * the engine takes under each table, or why it takes none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/knowledge_cmd.h"
#include "daemon/tables.h"

enum { FACTORS, PRODUCTS, SEDATIVES, VALUESETS, TIMINGS, NDCS, LOCALS, NAMES_MOST = 200 };

struct lookup {
    bool json;
    struct ow_sheet sheets[OW_SHEETS];
    struct ow_knowledge *kb;
    struct ow_arena arena;
    struct ow_buf b;
    size_t found;
};

static void tell(struct lookup *l, size_t table, size_t row)
{
    const struct ow_sheet *s = &l->sheets[table];
    struct ow_jw w;

    l->found++;
    if (!l->json) {
        printf("%s line %zu\n", s->name, row + 2);
        for (size_t i = 0; i < s->n_columns; i++)
            if (s->rows[row][i][0] != '\0')
                printf("    %s: %s\n", s->columns[i], s->rows[row][i]);
        return;
    }
    ow_jw_init(&w, &l->b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "table", s->name);
    ow_jw_kint(&w, "line", (int64_t)row + 2);
    ow_jw_key(&w, "row");
    ow_knowledge_row_json(&w, s, row);
    ow_jw_end(&w);
    ow_knowledge_line(&l->b);
}

/* Every row whose word of the column is `code`; gives how many. */
static size_t tell_where(struct lookup *l, size_t table, const char *column,
                         const char *code)
{
    const struct ow_sheet *s = &l->sheets[table];
    size_t at = ow_sheet_column(s, column), n = 0;

    for (size_t i = 0; at != SIZE_MAX && i < s->n_rows; i++) {
        if (ow_streq(s->rows[i][at], code)) {
            tell(l, table, i);
            n++;
        }
    }
    return n;
}

/* --- the factor of a product --- */

static void tell_factor(struct lookup *l, const struct ow_product *p, enum ow_table table,
                        const char *total)
{
    struct ow_ratio mg = OW_ZERO;
    char value[OW_RATIO_TEXT];
    struct ow_err err = { "" };
    struct ow_factor f;
    struct ow_jw w;
    bool has;

    if (total != NULL && !ow_ratio_parse(total, strlen(total), &mg))
        return;
    has = ow_knowledge_factor(l->kb, table, false, p, mg, &f, &err) == OW_OK;
    if (has)
        ow_ratio_format(f.value, 6, value);
    if (!l->json) {
        if (has)
            printf("%s: factor %s per %s, row \"%s\", source %s\n", ow_table_name(table),
                   value, ow_basis_unit(f.basis), f.row, f.source);
        else
            printf("%s: %s\n", ow_table_name(table), err.text);
        return;
    }
    ow_jw_init(&w, &l->b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "factorTable", ow_table_name(table));
    if (has) {
        ow_jw_kratio(&w, "factor", f.value, 6);
        ow_jw_kstring(&w, "per", ow_basis_unit(f.basis));
        ow_jw_kstring(&w, "factorRow", f.row);
        ow_jw_kstring(&w, "source", f.source);
    } else {
        ow_jw_kstring(&w, "reason", err.text);
    }
    ow_jw_end(&w);
    ow_knowledge_line(&l->b);
}

/* Under each table; where bands decide, one line for the upper end of each. */
static void tell_factors(struct lookup *l, const struct ow_product *p)
{
    const struct ow_sheet *s = &l->sheets[FACTORS];
    size_t bands = 0;

    tell_factor(l, p, OW_TABLE_CDC_2022, "1");
    for (size_t i = 0; i < s->n_rows; i++) {
        const char *low = ow_sheet_word(s, i, "dose_low_mg_day");

        if (low[0] == '\0' ||
            !ow_strcaseeq(ow_sheet_word(s, i, "ingredient"), p->ingredient))
            continue;
        low = ow_sheet_word(s, i, "dose_high_mg_day");
        tell_factor(l, p, OW_TABLE_CDC_2016, low[0] != '\0' ? low : "1000000");
        bands++;
    }
    if (bands == 0)
        tell_factor(l, p, OW_TABLE_CDC_2016, "1");
}

/* --- codes --- */

static void tell_rxcui(struct lookup *l, const char *rxcui)
{
    const struct ow_product *p = ow_knowledge_product(l->kb, rxcui);

    tell_where(l, PRODUCTS, "rxcui", rxcui);
    if (p != NULL)
        tell_factors(l, p);
    tell_where(l, FACTORS, "ingredient_rxcui", rxcui);
    tell_where(l, SEDATIVES, "rxcui", rxcui);
    tell_where(l, VALUESETS, "code", rxcui);
}

static void tell_ndc(struct lookup *l, const struct ow_mapping *m)
{
    const struct ow_sheet *s = &l->sheets[NDCS];
    char full[OW_NDC_SIZE];

    for (size_t i = 0; i < s->n_rows; i++)
        if (ow_ndc_normal(ow_sheet_word(s, i, "ndc"), full) && ow_streq(full, m->code))
            tell(l, NDCS, i);
    tell_rxcui(l, m->rxcui);
}

static void tell_local(struct lookup *l, const char *code)
{
    const struct ow_sheet *s = &l->sheets[LOCALS];
    const char *bar = strrchr(code, '|');

    for (size_t i = 0; i < s->n_rows; i++) {
        const char *system = ow_sheet_word(s, i, "system");

        if (!ow_streq(ow_sheet_word(s, i, "code"), bar != NULL ? bar + 1 : code) ||
            (bar != NULL && (strlen(system) != (size_t)(bar - code) ||
                             strncmp(system, code, strlen(system)) != 0)))
            continue;
        tell(l, LOCALS, i);
        tell_rxcui(l, ow_sheet_word(s, i, "rxcui"));
    }
}

static void tell_names(struct lookup *l, const char *part)
{
    static const struct {
        size_t table;
        const char *column;
    } names[] = {
        {PRODUCTS,   "drug_name" },
        { SEDATIVES, "name"      },
        { FACTORS,   "ingredient"}
    };

    for (size_t k = 0; k < OW_LEN(names); k++) {
        const struct ow_sheet *s = &l->sheets[names[k].table];

        for (size_t i = 0; i < s->n_rows; i++) {
            if (!ow_contains_folded(ow_sheet_word(s, i, names[k].column), part))
                continue;
            if (l->found == NAMES_MOST) {
                fprintf(stderr,
                        "opiward knowledge lookup: more than %d rows; the first "
                        "are shown\n",
                        NAMES_MOST);
                return;
            }
            tell(l, names[k].table, i);
        }
    }
}

static void look(struct lookup *l, const char *code)
{
    const struct ow_mapping *ndc = ow_knowledge_ndc(l->kb, code);

    if (ndc != NULL)
        tell_ndc(l, ndc);
    tell_rxcui(l, code);
    tell_local(l, code);
    tell_where(l, TIMINGS, "code", code);
    if (l->found == 0)
        tell_names(l, code);
}

int ow_knowledge_lookup(const struct ow_knowledge_options *o, int argc, char **argv)
{
    struct lookup l = { .json = o->json };
    int status = OW_EXIT_CONFIG;
    bool ok = true;

    (void)argc;
    ow_arena_init(&l.arena, SIZE_MAX);
    ow_buf_init(&l.b, 1 << 20);
    for (size_t i = 0; i < OW_SHEETS && ok; i++)
        ok = ow_sheet_read(o->folder, &ow_sheet_kinds[i], &l.arena, ow_knowledge_on_error,
                           NULL, &l.sheets[i]);
    if (ok && ow_tables_load(o->folder, ow_knowledge_on_error, NULL, &l.kb) == OW_OK) {
        look(&l, argv[0]);
        status = l.found > 0 ? OW_EXIT_OK : OW_EXIT_DATA;
        if (l.found == 0)
            fprintf(stderr, "opiward knowledge lookup: no table knows '%s'\n", argv[0]);
        ow_knowledge_free(l.kb);
    }
    ow_buf_done(&l.b);
    ow_arena_done(&l.arena);
    return status;
}
