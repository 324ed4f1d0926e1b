#include "alerts/knowledge.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum { KB_CEILING = 1 << 30 };

/* FNV-1a by words of eight bytes; what a product leaves in its upper half is folded into
 * the lower one, from which the index takes its slots. */
uint64_t kb_hash(uint64_t h, const char *s, size_t n)
{
    uint64_t word;

    for (; n >= sizeof word; s += sizeof word, n -= sizeof word) {
        memcpy(&word, s, sizeof word);
        h = (h ^ word) * 0x100000001b3ULL;
        h ^= h >> 32;
    }
    for (; n > 0; s++, n--)
        h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
    return h;
}

void kb_index_init(struct kb_index *x, size_t rows, struct ow_arena *a)
{
    size_t n = 16;

    while (n < rows * 2)
        n *= 2;
    ow_assert(n <= UINT32_MAX);
    x->slots = OW_NEW_N(a, struct kb_slot, n);
    x->mask = (uint32_t)n - 1;
}

void kb_index_put(struct kb_index *x, uint64_t hash, size_t row)
{
    uint32_t i = (uint32_t)hash & x->mask;

    while (x->slots[i].row != 0)
        i = (i + 1) & x->mask;
    x->slots[i] = (struct kb_slot){ (uint32_t)(hash >> 32), (uint32_t)row + 1 };
}

size_t kb_index_next(const struct kb_index *x, uint64_t hash, uint32_t *at)
{
    uint32_t i, tag = (uint32_t)(hash >> 32);

    for (;; ++*at) {
        i = ((uint32_t)hash + *at) & x->mask;
        if (x->slots[i].row == 0)
            return SIZE_MAX;
        if (x->slots[i].tag == tag) {
            ++*at;
            return x->slots[i].row - 1;
        }
    }
}

const struct ow_product *ow_knowledge_product(const struct ow_knowledge *kb,
                                              const char *rxcui)
{
    uint64_t h;
    uint32_t at = 0;
    size_t row;

    if (rxcui == NULL)
        return NULL;
    h = kb_hash(KB_HASH, rxcui, strlen(rxcui));
    while ((row = kb_index_next(&kb->product_index, h, &at)) != SIZE_MAX) {
        if (strcmp(kb->products[row].rxcui, rxcui) == 0)
            return &kb->products[row];
    }
    return NULL;
}

const struct ow_sedative *ow_knowledge_sedative(const struct ow_knowledge *kb,
                                                const char *rxcui)
{
    uint64_t h;
    uint32_t at = 0;
    size_t row;

    if (rxcui == NULL)
        return NULL;
    h = kb_hash(KB_HASH, rxcui, strlen(rxcui));
    while ((row = kb_index_next(&kb->sedative_index, h, &at)) != SIZE_MAX) {
        if (strcmp(kb->sedatives[row].rxcui, rxcui) == 0)
            return &kb->sedatives[row];
    }
    return NULL;
}

enum ow_code ow_knowledge_load(const struct ow_knowledge_files *files,
                               ow_knowledge_report_fn *report, void *arg,
                               struct ow_knowledge **ret, struct ow_err *err)
{
    struct ow_knowledge *kb = ow_alloc_zero(sizeof *kb);
    struct ow_tsv_log log = { .report = report, .arg = arg };

    ow_arena_init(&kb->arena, KB_CEILING);
    kb->version = ow_arena_strdup(&kb->arena, files->version ? files->version : "");
    kb->sha256 = ow_arena_strdup(&kb->arena, files->sha256 ? files->sha256 : "");
    kb_factors_load(kb, &files->factors, &log);
    kb_products_load(kb, &files->products, &log);
    kb_sedatives_load(kb, &files->sedatives, &log);
    kb_codes_load(kb, &files->valuesets, &log);
    kb_timings_load(kb, &files->timing_codes, &log);
    kb_ndc_load(kb, &files->ndc, &log);
    kb_local_load(kb, &files->local_codes, &log);
    kb_max_doses_load(kb, &files->max_doses, &log);
    kb_preferred_load(kb, &files->preferred_drugs, &log);
    if (log.errors > 0) {
        ow_knowledge_free(kb);
        return ow_err_set(err, OW_CONFIG, "%s%s", log.first,
                          log.errors > 1 ? " (and more)" : "");
    }
    kb_distinct_build(kb);
    kb_phrases_build(kb);
    *ret = kb;
    return OW_OK;
}

void ow_knowledge_free(struct ow_knowledge *kb)
{
    if (kb == NULL)
        return;
    ow_arena_done(&kb->arena);
    free(kb);
}

const char *ow_knowledge_version(const struct ow_knowledge *kb)
{
    return kb->version;
}

const char *ow_knowledge_sha256(const struct ow_knowledge *kb)
{
    return kb->sha256;
}

const char *ow_table_name(enum ow_table t)
{
    return t == OW_TABLE_CDC_2022 ? "cdc-2022" : "cdc-2016";
}

enum ow_factor_basis ow_product_basis(const struct ow_product *p)
{
    if (p->strength_unit == OW_STRENGTH_MG_HR)
        return OW_BASIS_MCG_HOUR;
    if (ow_strcaseeq(p->ingredient, "fentanyl"))
        return OW_BASIS_MCG_DAY;
    return OW_BASIS_MG_DAY;
}

const char *ow_basis_unit(enum ow_factor_basis b)
{
    static const char *const units[] = {
        [OW_BASIS_MG_DAY] = "mg",
        [OW_BASIS_MCG_DAY] = "ug",
        [OW_BASIS_MCG_HOUR] = "ug/h",
    };

    return units[b];
}
