/*
 * Knowledge: factors, opioid products, sedatives and code sets, as data
 *
 * Parsed from the tab-separated tables of conf/knowledge/ (their columns are described in
 * the README there) out of memory; who reads files and computes hashes is daemon/. A
 * loaded knowledge is immutable and may be shared. Every row carries its source. Lookups
 * take no lock and allocate nothing.
 *
 * Factor arithmetic: MME/d = daily amount x factor, where the daily amount is mg/d, for
 * transdermal fentanyl the mcg/h worn at once, for other fentanyl mcg/d. [CDC-2022 MME
 * table; CDC-2016 clinical table, methadone in bands by total daily methadone]
 */
#pragma once

#include "alerts/chart.h"
#include "base/arena.h"
#include "base/err.h"

struct ow_knowledge;

enum ow_form { /* form_class of opioid_products.tsv */
               OW_FORM_UNKNOWN,
               OW_FORM_ORAL_SOLID,
               OW_FORM_ORAL_LIQUID,
               OW_FORM_RECTAL,
               OW_FORM_TRANSDERMAL,
               OW_FORM_BUCCAL_TABLET,
               OW_FORM_BUCCAL_FILM,
               OW_FORM_SUBLINGUAL_TABLET,
               OW_FORM_SUBLINGUAL_FILM,
               OW_FORM_ORAL_LOZENGE,
               OW_FORM_MUCOSAL_SPRAY,
               OW_FORM_NASAL,
               OW_FORM_INJECTABLE,
               OW_FORM_PACK,
               OW_FORM_OTHER, /* implant, topical, iontophoretic, inhaled, ... */
};

enum ow_strength_unit {
    OW_STRENGTH_MG, /* per dosage unit */
    OW_STRENGTH_MG_ML,
    OW_STRENGTH_MG_HR,     /* patch rate */
    OW_STRENGTH_MG_ACTUAT, /* per spray */
};

struct ow_product {
    const char *rxcui, *tty, *name;
    const char *ingredient_rxcui; /* "" where no source confirmed it */
    const char *ingredient;
    struct ow_ratio strength; /* zero: not known, of an order's own product only */
    enum ow_strength_unit strength_unit;
    const char *dose_form, *form_class; /* words of the table */
    enum ow_form form;
    bool is_patch;
    int patch_hours;            /* 0: not stated */
    bool extended_release;      /* er_la says vs or form */
    const char *co_ingredients; /* "acetaminophen 325 MG; ..." */
    bool has_form;              /* false for a drug component, which tells no dose form */
    const char *source;
};

enum ow_sedative_class {
    OW_SEDATIVE_BENZODIAZEPINE,
    OW_SEDATIVE_Z_HYPNOTIC,
    OW_SEDATIVE_MUSCLE_RELAXANT,
    OW_SEDATIVE_GABAPENTINOID,
    OW_SEDATIVE_BARBITURATE,
    OW_SEDATIVE_OTHER_HYPNOTIC,
    OW_SEDATIVE_OTHER_DEPRESSANT,
    OW_SEDATIVE_SIDE_EFFECT,
    OW_SEDATIVE_NOT, /* tier 9: in a published set, but no sedative for us */
    OW_SEDATIVE_N,
};

struct ow_sedative {
    const char *rxcui, *name, *ingredients;
    enum ow_sedative_class cls;
    int tier; /* 1, 2, 3 or 9 */
    const char *source;
};

/* A code that stands for an RxNorm concept: a row of ndc.tsv or local_codes.tsv. */
struct ow_mapping {
    const char *system; /* OW_SYSTEM_NDC, or that of the local code */
    const char *code;   /* an NDC as eleven digits */
    const char *rxcui, *source;
};

/* A dose form of the product table that stands for one form class. */
struct ow_dose_form {
    const char *name, *form_class; /* "Oral Tablet", "oral_solid" */
    enum ow_form form;
};

enum ow_release {
    OW_RELEASE_ANY,
    OW_RELEASE_IMMEDIATE,
    OW_RELEASE_EXTENDED,
};

/* A row of max_doses.tsv: the most of an opioid a day, from an age on. */
struct ow_max_dose {
    const char *ingredient;
    enum ow_release release;
    int age_from;
    struct ow_ratio mg_day;
    const char *source;
};

/* A row of preferred_drugs.tsv: instead of this drug the site prefers another. */
struct ow_preferred {
    const char *rxcui; /* of a product, or of an opioid ingredient */
    enum ow_release release;
    const char *preferred, *source;
};

/* A code for how often, as hours between two doses: a row of timing_codes.tsv. */
struct ow_timing_code {
    const char *system, *code, *display;
    struct ow_ratio shorter, longer;
    const char *source, *licence;
};

enum ow_table {
    OW_TABLE_CDC_2022,
    OW_TABLE_CDC_2016,
};

enum ow_factor_basis {
    OW_BASIS_MG_DAY,
    OW_BASIS_MCG_DAY,
    OW_BASIS_MCG_HOUR, /* patch: rate worn at once */
};

struct ow_factor {
    struct ow_ratio value;
    enum ow_factor_basis basis;
    enum ow_table table; /* the table it was found in */
    bool older;          /* found in an older table than asked for */
    const char *row;     /* "Methadone, oral, over 20 to 40 mg/d" */
    const char *source;
};

/* The tables as bytes. `name` is used in errors: name:line:column (column in bytes). */
struct ow_knowledge_file {
    const char *name, *data;
    size_t len;
};

struct ow_knowledge_files {
    struct ow_knowledge_file factors, products, sedatives, valuesets;
    /* These may be left out: a table without data is an empty one. */
    struct ow_knowledge_file timing_codes, ndc, local_codes, max_doses, preferred_drugs;
    const char *version; /* of the product table, "2025-02" */
    const char *sha256;  /* over all files in this order, hex, computed by the caller */
};

/* Every error is reported through `report` (it may be called often); OW_CONFIG if any. */
typedef void ow_knowledge_report_fn(void *arg, const char *file, unsigned line,
                                    unsigned column, const char *text);

OW_MUST_USE enum ow_code ow_knowledge_load(const struct ow_knowledge_files *files,
                                           ow_knowledge_report_fn *report, void *arg,
                                           struct ow_knowledge **ret, struct ow_err *err);
void ow_knowledge_free(struct ow_knowledge *kb);

const char *ow_knowledge_version(const struct ow_knowledge *kb);
const char *ow_knowledge_sha256(const struct ow_knowledge *kb);
const char *ow_table_name(enum ow_table t);                   /* "cdc-2022" */
const char *ow_sedative_class_name(enum ow_sedative_class c); /* "benzodiazepine" */

/* NULL when no table knows the code. */
const struct ow_product *ow_knowledge_product(const struct ow_knowledge *kb,
                                              const char *rxcui);
const struct ow_sedative *ow_knowledge_sedative(const struct ow_knowledge *kb,
                                                const char *rxcui);

/*
 * RxNorm concept of a National Drug Code: eleven digits, with hyphens 4-4-2, 5-3-2,
 * 5-4-1 or 5-4-2. Ten digits without hyphens may be any of the first three; they are
 * taken only when exactly one of these is known. NULL for everything else.
 */
const struct ow_mapping *ow_knowledge_ndc(const struct ow_knowledge *kb, const char *ndc);
const struct ow_mapping *ow_knowledge_local(const struct ow_knowledge *kb,
                                            const char *system, const char *code);
const struct ow_timing_code *ow_knowledge_timing(const struct ow_knowledge *kb,
                                                 const char *system, const char *code);

/* Name of an opioid ingredient of the product table, NULL for any other number. */
const char *ow_knowledge_ingredient(const struct ow_knowledge *kb, const char *rxcui);
/* Dose form by its name, ASCII case folded; NULL when the table has none. */
const struct ow_dose_form *ow_knowledge_dose_form(const struct ow_knowledge *kb,
                                                  const char *name);

/* All rows of a site's table, in its order. */
const struct ow_max_dose *ow_knowledge_max_doses(const struct ow_knowledge *kb,
                                                 size_t *n);
const struct ow_preferred *ow_knowledge_preferred(const struct ow_knowledge *kb,
                                                  size_t *n);
/* Is the product of that release? Without a product, of any only. */
bool ow_release_is(enum ow_release r, const struct ow_product *p);

enum { OW_NDC_SIZE = 12 };
/* The eleven digits of an NDC that is not ambiguous, with hyphens or without. */
OW_MUST_USE bool ow_ndc_normal(const char *s, char ret[OW_NDC_SIZE]);

/* What a daily amount of the product is counted in, for dose and factor alike: the rate
 * of a patch in mcg/h, other fentanyl in mcg a day, everything else in mg a day. */
enum ow_factor_basis ow_product_basis(const struct ow_product *p);
const char *ow_basis_unit(enum ow_factor_basis b); /* "mg", "ug", "ug/h" */

/* Does the table of factors exclude the ingredient from every total (buprenorphine)? */
bool ow_knowledge_excluded(const struct ow_knowledge *kb, const struct ow_product *p);

/*
 * Factor of an ingredient in a form. `total_mg_day` is the patient's whole daily dose of
 * that ingredient, which chooses the band of methadone in the 2016 table. With `older`, a
 * form the 2022 table leaves out takes the 2016 factor and says so. OW_MISSING with the
 * reason ("no factor in cdc-2022 for nasal fentanyl") when there is none; never a zero.
 *
 * Never picked: the rows of the claims files ("dispensed-quantity basis", "research
 * files"). Injectable, implanted, topical and iontophoretic forms have no factor. A
 * rectal form takes the oral one (the caller flags it).
 *
 * A drug component (has_form false) takes the factor that all forms agree on in which its
 * strength can come: "oxycodone 5 MG" the oral one, "fentanyl 0.2 MG" none, since tablet
 * and film differ. Forms without a factor do not vote; whether the order speaks against
 * the oral route is asked by ow_dosage_read, which refuses it.
 */
OW_MUST_USE enum ow_code ow_knowledge_factor(const struct ow_knowledge *kb,
                                             enum ow_table table, bool older,
                                             const struct ow_product *p,
                                             struct ow_ratio total_mg_day,
                                             struct ow_factor *ret, struct ow_err *err);

/*
 * Is (system, code) in the named set of valuesets.tsv? A name that is neither in the
 * table nor among the sets of the shipped one is a bug and asserts; a shipped set that a
 * site emptied (say, for want of a SNOMED licence) has no members.
 */
bool ow_knowledge_in_set(const struct ow_knowledge *kb, const char *set,
                         const char *system, const char *code);

enum ow_set { /* the sets of the shipped table, OW_SET_N of them */
#define SET(id, name) OW_SET_##id,
#include "alerts/sets.def"
#undef SET
              OW_SET_N
};

enum { OW_SETS_WORDS = 3 };
struct ow_sets { /* a set of enum ow_set */
    uint64_t w[OW_SETS_WORDS];
};

/* All shipped sets that hold the code, in one look. NULL is in none. */
struct ow_sets ow_knowledge_sets(const struct ow_knowledge *kb, const char *system,
                                 const char *code);

static inline bool ow_sets_has(const struct ow_sets *s, enum ow_set set)
{
    return (s->w[set / 64] >> set % 64 & 1) != 0;
}

static inline void ow_sets_join(struct ow_sets *s, struct ow_sets more)
{
    for (unsigned i = 0; i < OW_SETS_WORDS; i++)
        s->w[i] |= more.w[i];
}

/*
 * Does a name or ATC code look like an opioid that no table knows? Gives the word that
 * made it look so ("oxycodone"), or NULL. ATC N02A*, N07BC*, R05DA* count. Looks at whole
 * words, ASCII case folded, from the opioid ingredient names of the tables and their
 * common brand names.
 */
const char *ow_knowledge_opioid_like(const struct ow_knowledge *kb,
                                     const struct ow_concept *c);

/* The same for a sedative that alerts, by ingredient or brand: "Ativan 1 mg" is the row
 * of that brand. NULL when no name is known. */
const struct ow_sedative *ow_knowledge_sedative_like(const struct ow_knowledge *kb,
                                                     const struct ow_concept *c);

/* The OMTK systems by their URIs. */
#define OW_SYSTEM_RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define OW_SYSTEM_UCUM   "http://unitsofmeasure.org"
#define OW_SYSTEM_NDC    "http://hl7.org/fhir/sid/ndc"
#define OW_SYSTEM_ATC    "http://www.whocc.no/atc"
#define OW_SYSTEM_SNOMED "http://snomed.info/sct"
#define OW_SYSTEM_ICD10  "http://hl7.org/fhir/sid/icd-10-cm"
#define OW_SYSTEM_LOINC  "http://loinc.org"
