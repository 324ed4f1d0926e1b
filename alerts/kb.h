/*
 * Kb: the inside of a loaded knowledge, for the files that build it
 *
 * Everything lives in the knowledge's own arena. An index is open addressing over row
 * numbers, at most half full, built once; keys are strings of the rows themselves.
 */
#pragma once

#include "alerts/knowledge.h"
#include "alerts/tsv.h"

struct kb_slot {
    uint32_t tag; /* upper half of the hash, so that strings are compared once */
    uint32_t row; /* 0: free; else row number + 1 */
};

struct kb_index {
    struct kb_slot *slots;
    uint32_t mask;
};

struct kb_factor {
    const char *ingredient, *rxcui, *form;
    unsigned forms; /* set of 1 << enum ow_form; 0: any */
    enum ow_factor_basis basis;
    bool claims; /* of the claims files: never picked */
    bool banded;
    struct ow_ratio low, high; /* mg/d; low exclusive, high inclusive */
    bool has_high;
    bool excluded;
    struct {
        bool has;
        struct ow_ratio value;
        const char *row, *source;
    } in[2]; /* by enum ow_table */
    unsigned line;
};

struct kb_code { /* a row of valuesets.tsv */
    const char *set, *system, *code;
};

struct kb_member { /* a code, with the shipped sets it is in */
    const char *system, *code;
    struct ow_sets sets;
};

struct kb_phrase { /* a name or brand, as folded words with one space between */
    const char *text;
    size_t len;
    const struct ow_sedative *sedative; /* whose it is; NULL: an opioid's */
};

struct kb_map { /* codes of other systems to RxNorm */
    struct ow_mapping *rows;
    size_t n;
    struct kb_index index;
};

struct ow_knowledge {
    struct ow_arena arena;
    const char *version, *sha256;
    struct ow_product *products;
    size_t n_products;
    struct kb_index product_index;
    struct ow_sedative *sedatives;
    size_t n_sedatives;
    struct kb_index sedative_index;
    struct kb_factor *factors;
    size_t n_factors;
    struct kb_code *codes;
    size_t n_codes;
    struct kb_index code_index;
    struct kb_member *members;
    size_t n_members;
    struct kb_index member_index;
    const char **sets; /* names of the table and of the shipped one */
    size_t n_sets, cap_sets;
    struct kb_index set_index;
    struct kb_map ndc, local;
    const struct ow_product **ingredients; /* the first product of each */
    size_t n_ingredients;
    struct ow_dose_form *dose_forms;
    size_t n_dose_forms;
    struct ow_timing_code *timings;
    size_t n_timings;
    struct kb_index timing_index;
    struct ow_max_dose *max_doses;
    size_t n_max_doses;
    struct ow_preferred *preferred;
    size_t n_preferred;
    struct kb_phrase *phrases;
    size_t n_phrases;
    struct kb_index phrase_index; /* by first word */
};

/* FNV-1a, going on from `h`; begin with KB_HASH. The keys come from our own tables, so
 * nobody can make them collide on purpose. */
#define KB_HASH 0xcbf29ce484222325ULL
uint64_t kb_hash(uint64_t h, const char *s, size_t n);

void kb_index_init(struct kb_index *x, size_t rows, struct ow_arena *a);
void kb_index_put(struct kb_index *x, uint64_t hash, size_t row);
/* Walk the rows that may have this hash: start with *at = 0; SIZE_MAX at the end. */
size_t kb_index_next(const struct kb_index *x, uint64_t hash, uint32_t *at);

/* The loaders of the single tables; faults go to `log`. */
void kb_factors_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                     struct ow_tsv_log *log);
void kb_products_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                      struct ow_tsv_log *log);
void kb_sedatives_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log);
void kb_codes_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                   struct ow_tsv_log *log);
void kb_timings_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                     struct ow_tsv_log *log);
void kb_ndc_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                 struct ow_tsv_log *log);
void kb_local_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                   struct ow_tsv_log *log);
/* Behind the products. */
void kb_max_doses_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log);
void kb_preferred_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log);
/* Rows a table can have at most: its lines. */
size_t kb_lines(const struct ow_knowledge_file *f);
/* An RxNorm number: one to ten digits, no zero in front. */
bool kb_rxcui_valid(const char *s);
/* Ingredients and dose forms out of the loaded products. */
void kb_distinct_build(struct ow_knowledge *kb);
/* Names and brands out of the loaded products. */
void kb_phrases_build(struct ow_knowledge *kb);

/* OW_FORM_UNKNOWN for a word that is no form class. */
enum ow_form kb_form_read(const char *word, size_t n);
