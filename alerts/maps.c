/*
 * Maps: codes that stand for something else
 *
 * National Drug Codes and a site's own codes stand for an RxNorm concept, frequency codes
 * for hours between doses. All three tables may be left out: an empty one knows nothing,
 * and an order whose code is in none is a drug that no table knows, or a frequency that
 * cannot be read, never a guess.
 *
 * An NDC has three parts, labeller, product and package. Printed with ten digits it is
 * 4-4-2, 5-3-2 or 5-4-1; the eleven digits of claims and RxNorm are 5-4-2, the short part
 * filled with a zero in front. Ten digits in a row do not tell which part is the short
 * one, so all three are looked up. [FDA 21 CFR 207.33; NLM, RXNSAT attribute NDC]
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum { NDC_DIGITS = OW_NDC_SIZE - 1 };

static uint64_t key_hash(const char *system, const char *code)
{
    uint64_t h = kb_hash(KB_HASH, system, strlen(system) + 1);

    return kb_hash(h, code, strlen(code));
}

static const struct ow_mapping *map_find(const struct kb_map *m, const char *system,
                                         const char *code)
{
    uint64_t h = key_hash(system, code);
    uint32_t at = 0;
    size_t row;

    while ((row = kb_index_next(&m->index, h, &at)) != SIZE_MAX) {
        if (strcmp(m->rows[row].code, code) == 0 &&
            strcmp(m->rows[row].system, system) == 0)
            return &m->rows[row];
    }
    return NULL;
}

/* --- National Drug Codes --- */

/* Lengths of the three parts; false when it is no NDC with two hyphens. */
static bool parts_of(const char *s, size_t len[3])
{
    for (size_t i = 0; i < 3; i++) {
        len[i] = strspn(s, "0123456789");
        s += len[i];
        if (*s != (i < 2 ? '-' : '\0'))
            return false;
        s += i < 2;
    }
    return true;
}

/* `n` digits behind so many zeros that they are `width`. */
static char *fill(char *to, const char *s, size_t n, size_t width)
{
    memset(to, '0', width - n);
    memcpy(to + width - n, s, n);
    return to + width;
}

bool ow_ndc_normal(const char *s, char ret[OW_NDC_SIZE])
{
    static const size_t width[3] = { 5, 4, 2 };
    size_t len[3], digits = 0;

    if (strspn(s, "0123456789") == NDC_DIGITS && s[NDC_DIGITS] == '\0') {
        memcpy(ret, s, OW_NDC_SIZE);
        return true;
    }
    if (!parts_of(s, len))
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (len[i] + 1 < width[i] || len[i] > width[i])
            return false;
        digits += len[i];
    }
    if (digits < NDC_DIGITS - 1) /* two parts are short */
        return false;
    for (size_t i = 0; i < 3; i++) {
        ret = fill(ret, s, len[i], width[i]);
        s += len[i] + 1;
    }
    *ret = '\0';
    return true;
}

/* Ten digits in a row: the one reading that is known. */
static const struct ow_mapping *ndc_ambiguous(const struct ow_knowledge *kb,
                                              const char *s)
{
    static const size_t zero_at[3] = { 0, 5, 9 }; /* 4-4-2, 5-3-2, 5-4-1 */
    const struct ow_mapping *found = NULL;
    char full[OW_NDC_SIZE];

    for (size_t i = 0; i < 3; i++) {
        const struct ow_mapping *m;

        memcpy(full, s, zero_at[i]);
        full[zero_at[i]] = '0';
        memcpy(full + zero_at[i] + 1, s + zero_at[i], NDC_DIGITS - zero_at[i]);
        m = map_find(&kb->ndc, OW_SYSTEM_NDC, full);
        if (m != NULL && found != NULL && m != found)
            return NULL;
        found = m != NULL ? m : found;
    }
    return found;
}

const struct ow_mapping *ow_knowledge_ndc(const struct ow_knowledge *kb, const char *ndc)
{
    char full[OW_NDC_SIZE];

    if (ndc == NULL)
        return NULL;
    if (ow_ndc_normal(ndc, full))
        return map_find(&kb->ndc, OW_SYSTEM_NDC, full);
    if (strspn(ndc, "0123456789") == NDC_DIGITS - 1 && ndc[NDC_DIGITS - 1] == '\0')
        return ndc_ambiguous(kb, ndc);
    return NULL;
}

const struct ow_mapping *ow_knowledge_local(const struct ow_knowledge *kb,
                                            const char *system, const char *code)
{
    if (system == NULL || code == NULL)
        return NULL;
    return map_find(&kb->local, system, code);
}

/* --- loading of the two maps --- */

static void map_init(struct ow_knowledge *kb, struct kb_map *m,
                     const struct ow_knowledge_file *f)
{
    size_t most = f->data != NULL ? kb_lines(f) : 1;

    kb_index_init(&m->index, most, &kb->arena);
    m->rows = OW_NEW_N(&kb->arena, struct ow_mapping, most);
}

/* The row goes in unless its key is there or its RxNorm number is none. */
static void map_put(struct kb_map *m, const struct ow_mapping *row, struct ow_tsv *t,
                    size_t code, size_t rxcui)
{
    if (!kb_rxcui_valid(row->rxcui)) {
        ow_tsv_fault(t, rxcui, "an RxNorm number was expected");
        return;
    }
    if (map_find(m, row->system, row->code) != NULL) {
        ow_tsv_fault(t, code, "%.64s is there twice", row->code);
        return;
    }
    m->rows[m->n] = *row;
    kb_index_put(&m->index, key_hash(row->system, row->code), m->n++);
}

void kb_ndc_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                 struct ow_tsv_log *log)
{
    enum { N_NDC, N_RXCUI, N_SOURCE, N_N };
    static const char *const columns[N_N] = { "ndc", "rxcui", "source" };
    struct ow_tsv t;

    map_init(kb, &kb->ndc, f);
    if (f->data == NULL || !ow_tsv_open(&t, f, columns, N_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct ow_mapping row = { .system = OW_SYSTEM_NDC,
                                  .rxcui = ow_tsv_field(&t, N_RXCUI),
                                  .source = ow_tsv_field(&t, N_SOURCE) };
        char full[OW_NDC_SIZE];

        if (!ow_ndc_normal(ow_tsv_field(&t, N_NDC), full)) {
            ow_tsv_fault(&t, N_NDC, "eleven digits, or three parts with hyphens");
            continue;
        }
        row.code = ow_arena_strdup(&kb->arena, full);
        map_put(&kb->ndc, &row, &t, N_NDC, N_RXCUI);
    }
}

void kb_local_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                   struct ow_tsv_log *log)
{
    enum { L_SYSTEM, L_CODE, L_RXCUI, L_SOURCE, L_N };
    static const char *const columns[L_N] = { "system", "code", "rxcui", "source" };
    struct ow_tsv t;

    map_init(kb, &kb->local, f);
    if (f->data == NULL || !ow_tsv_open(&t, f, columns, L_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct ow_mapping row = { .system = ow_tsv_field(&t, L_SYSTEM),
                                  .code = ow_tsv_field(&t, L_CODE),
                                  .rxcui = ow_tsv_field(&t, L_RXCUI),
                                  .source = ow_tsv_field(&t, L_SOURCE) };

        if (row.system[0] == '\0' || row.code[0] == '\0')
            ow_tsv_fault(&t, row.system[0] == '\0' ? L_SYSTEM : L_CODE,
                         "must not be empty");
        else
            map_put(&kb->local, &row, &t, L_CODE, L_RXCUI);
    }
}

/* --- frequencies --- */

const struct ow_timing_code *ow_knowledge_timing(const struct ow_knowledge *kb,
                                                 const char *system, const char *code)
{
    uint64_t h;
    uint32_t at = 0;
    size_t row;

    if (system == NULL || code == NULL)
        return NULL;
    h = key_hash(system, code);
    while ((row = kb_index_next(&kb->timing_index, h, &at)) != SIZE_MAX) {
        const struct ow_timing_code *c = &kb->timings[row];

        if (strcmp(c->code, code) == 0 && strcmp(c->system, system) == 0)
            return c;
    }
    return NULL;
}

enum {
    T_SYSTEM,
    T_CODE,
    T_DISPLAY,
    T_SHORTER,
    T_LONGER,
    T_SOURCE,
    T_LICENCE,
    T_N,
    HOURS_MOST = 24 * 366,
};

static const char *const timing_columns[T_N] = {
    "system", "code", "display", "hours_shorter", "hours_longer", "source", "licence",
};

static bool hours_read(struct ow_tsv *t, size_t column, struct ow_ratio *ret)
{
    const char *s = ow_tsv_field(t, column);

    if (ow_ratio_parse(s, strlen(s), ret) && ow_ratio_positive(*ret) &&
        ow_ratio_cmp(*ret, OW_RATIO(HOURS_MOST, 1)) <= 0)
        return true;
    ow_tsv_fault(t, column, "hours above zero, at most %d, were expected", HOURS_MOST);
    return false;
}

static bool timing_read(struct ow_tsv *t, struct ow_timing_code *c)
{
    c->system = ow_tsv_field(t, T_SYSTEM);
    c->code = ow_tsv_field(t, T_CODE);
    c->display = ow_tsv_field(t, T_DISPLAY);
    c->source = ow_tsv_field(t, T_SOURCE);
    c->licence = ow_tsv_field(t, T_LICENCE);
    if (c->system[0] == '\0' || c->code[0] == '\0') {
        ow_tsv_fault(t, c->system[0] == '\0' ? T_SYSTEM : T_CODE, "must not be empty");
        return false;
    }
    if (!hours_read(t, T_SHORTER, &c->shorter) || !hours_read(t, T_LONGER, &c->longer))
        return false;
    if (ow_ratio_cmp(c->longer, c->shorter) < 0) {
        ow_tsv_fault(t, T_LONGER, "below hours_shorter");
        return false;
    }
    return true;
}

void kb_timings_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                     struct ow_tsv_log *log)
{
    size_t most = f->data != NULL ? kb_lines(f) : 1;
    struct ow_tsv t;

    kb_index_init(&kb->timing_index, most, &kb->arena);
    kb->timings = OW_NEW_N(&kb->arena, struct ow_timing_code, most);
    if (f->data == NULL || !ow_tsv_open(&t, f, timing_columns, T_N, log, &kb->arena))
        return;
    while (ow_tsv_next(&t)) {
        struct ow_timing_code c;

        if (!timing_read(&t, &c))
            continue;
        if (ow_knowledge_timing(kb, c.system, c.code) != NULL) {
            ow_tsv_fault(&t, T_CODE, "%.64s is there twice", c.code);
            continue;
        }
        kb->timings[kb->n_timings] = c;
        kb_index_put(&kb->timing_index, key_hash(c.system, c.code), kb->n_timings++);
    }
}
