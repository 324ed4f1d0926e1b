/*
 * Codes: the value sets, and the words by which an opioid that no table knows shows
 *
 * The published sets hold 13 000 codes; one index over (set, system, code) answers for
 * all of them.
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum {
    C_SET,
    C_SYSTEM,
    C_CODE,
    C_N,
};

static const char *const code_columns[C_N] = { "valueset", "system", "code" };

/* The sets of the shipped table, so that a misspelt name in a rule is noticed while a
 * site may empty one of them. Sorted. */
static const char *const shipped_sets[] = {
    "alcohol-urine-drug-screening-tests",
    "amphetamine-urine-drug-screening-tests",
    "amphetamines-class-medications",
    "anxiety",
    "barbiturate-medications",
    "barbiturate-urine-drug-screening-tests",
    "benzodiazepine-medications",
    "benzodiazepine-urine-drug-screening-tests",
    "buprenorphine-and-methadone-medications",
    "buprenorphine-medications",
    "buprenorphine-urine-drug-screening-tests",
    "cannabinoid-urine-drug-screening-tests",
    "cdc-malignant-cancer-conditions",
    "chronic-liver-disease",
    "chronic-pain-conditions",
    "cns-depressant-medications",
    "cocaine-urine-drug-screening-tests",
    "condition-clinical-status-active",
    "condition-encounter-diagnosis-category",
    "condition-problem-list-category",
    "condition-us-core-health-concern-category",
    "conditions-documenting-sleep-disordered-breathing",
    "conditions-documenting-substance-misuse",
    "conditions-likely-terminal-for-opioid-prescribing",
    "extended-release-opioid-with-ambulatory-misuse-potential",
    "fentanyl-type-medications",
    "fentanyl-type-urine-drug-screening-tests",
    "general-opiate-urine-drug-screening-tests",
    "heroin-urine-drug-screening-tests",
    "hospice-disposition",
    "hospice-finding",
    "hospice-procedure",
    "kidney-failure",
    "limited-life-expectancy-conditions",
    "liver-disease",
    "major-depression",
    "medicationrequest-category-community",
    "medicationrequest-status-active",
    "methadone-medications",
    "methadone-urine-drug-screening-tests",
    "naloxone-medications",
    "non-opioid-urine-drug-screening",
    "non-synthetic-opioid-medications",
    "observation-category-laboratory",
    "observation-category-procedure",
    "office-visit",
    "opiate-specific-urine-drug-screening-tests",
    "opioid-analgesics-with-ambulatory-misuse-potential",
    "opioid-antagonist-concepts",
    "opioid-concepts-not-in-product-table",
    "opioid-counseling-procedure",
    "opioid-misuse-assessment-procedure",
    "opioid-misuse-disorders",
    "opioid-overdose-icd10cm",
    "opioid-overdose-snomed",
    "opioid-tapering-procedure",
    "opioid-treatment-assessment-procedure",
    "opioid-urine-drug-screening",
    "oral-route",
    "oxycodone-medications",
    "oxycodone-urine-drug-screening-tests",
    "pain-assessment-observations",
    "pain-management-procedure",
    "pain-risk-assessments",
    "pain-treatment-plan",
    "pdmp-data-reviewed-finding",
    "pdmp-review-procedure",
    "phencyclidine-urine-drug-screening-tests",
    "pregnancy",
    "pregnancy-status-observation",
    "sickle-cell-diseases",
    "sleep-disordered-breathing-ahrq",
    "substance-misuse-behavioral-counseling",
    "substance-use-disorder",
    "suicide-attempt",
    "synthetic-opioid-medications",
    "synthetic-opioid-urine-drug-screening-tests",
    "therapies-indicating-end-of-life-care",
    "xylazine-urine-drug-screening-tests",
};

static uint64_t code_hash(const char *set, const char *system, const char *code)
{
    uint64_t h = kb_hash(KB_HASH, set, strlen(set) + 1);

    h = kb_hash(h, system, strlen(system) + 1);
    return kb_hash(h, code, strlen(code));
}

static bool code_find(const struct ow_knowledge *kb, const char *set, const char *system,
                      const char *code)
{
    uint64_t h = code_hash(set, system, code);
    uint32_t at = 0;
    size_t row;

    while ((row = kb_index_next(&kb->code_index, h, &at)) != SIZE_MAX) {
        const struct kb_code *c = &kb->codes[row];

        if (strcmp(c->code, code) == 0 && strcmp(c->set, set) == 0 &&
            strcmp(c->system, system) == 0)
            return true;
    }
    return false;
}

static const char *set_find(const struct ow_knowledge *kb, const char *set)
{
    uint64_t h = kb_hash(KB_HASH, set, strlen(set));
    uint32_t at = 0;
    size_t row;

    while (kb->n_sets > 0 && (row = kb_index_next(&kb->set_index, h, &at)) != SIZE_MAX) {
        if (strcmp(kb->sets[row], set) == 0)
            return kb->sets[row];
    }
    return NULL;
}

bool ow_knowledge_in_set(const struct ow_knowledge *kb, const char *set,
                         const char *system, const char *code)
{
    if (system != NULL && code != NULL && code_find(kb, set, system, code))
        return true;
    ow_assert(set_find(kb, set) != NULL);
    return false;
}

static bool code_read(struct ow_tsv *t, struct kb_code *c)
{
    size_t i;

    c->set = ow_tsv_field(t, C_SET);
    c->system = ow_tsv_field(t, C_SYSTEM);
    c->code = ow_tsv_field(t, C_CODE);
    for (i = 0; i < C_N; i++) {
        if (ow_tsv_field(t, i)[0] == '\0') {
            ow_tsv_fault(t, i, "must not be empty");
            return false;
        }
    }
    return true;
}

/* Twice the room, and every name put in again. */
static void sets_grow(struct ow_knowledge *kb)
{
    size_t i;

    kb->sets = ow_arena_grow(&kb->arena, kb->sets, kb->n_sets, &kb->cap_sets,
                             sizeof *kb->sets);
    kb_index_init(&kb->set_index, kb->cap_sets, &kb->arena);
    for (i = 0; i < kb->n_sets; i++)
        kb_index_put(&kb->set_index, kb_hash(KB_HASH, kb->sets[i], strlen(kb->sets[i])),
                     i);
}

/* The name as the knowledge keeps it, noted when it is new. */
static const char *set_note(struct ow_knowledge *kb, const char *set)
{
    const char *kept = set_find(kb, set);

    if (kept != NULL)
        return kept;
    if (kb->n_sets == kb->cap_sets)
        sets_grow(kb);
    kept = ow_arena_strdup(&kb->arena, set);
    kb_index_put(&kb->set_index, kb_hash(KB_HASH, kept, strlen(kept)), kb->n_sets);
    kb->sets[kb->n_sets++] = kept;
    return kept;
}

/* Three of the table's columns, and names once: the file is several times as large. */
static void code_keep(struct ow_knowledge *kb, const struct kb_code *c)
{
    const struct kb_code *before = kb->n_codes > 0 ? &kb->codes[kb->n_codes - 1] : NULL;
    struct kb_code *kept = &kb->codes[kb->n_codes];

    kept->set = set_note(kb, c->set);
    kept->system = before != NULL && ow_streq(before->system, c->system)
                       ? before->system
                       : ow_arena_strdup(&kb->arena, c->system);
    kept->code = ow_arena_strdup(&kb->arena, c->code);
    kb_index_put(&kb->code_index, code_hash(c->set, c->system, c->code), kb->n_codes++);
}

static void codes_read(struct ow_knowledge *kb, struct ow_tsv *t)
{
    while (ow_tsv_next(t)) {
        struct kb_code c;

        if (!code_read(t, &c))
            continue;
        if (code_find(kb, c.set, c.system, c.code))
            ow_tsv_fault(t, C_CODE, "%s is there twice in this set", c.code);
        else
            code_keep(kb, &c);
    }
}

void kb_codes_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                   struct ow_tsv_log *log)
{
    size_t most = kb_lines(f), i;
    struct ow_arena scratch; /* the file's copy, given back */
    struct ow_tsv t;

    kb_index_init(&kb->code_index, most, &kb->arena);
    kb->codes = OW_NEW_N(&kb->arena, struct kb_code, most);
    for (i = 0; i < OW_LEN(shipped_sets); i++)
        (void)set_note(kb, shipped_sets[i]);
    ow_arena_init(&scratch, SIZE_MAX);
    if (ow_tsv_open(&t, f, code_columns, C_N, log, &scratch))
        codes_read(kb, &t);
    ow_arena_done(&scratch);
}
