/*
 * Fuzz: any bytes as one of the four knowledge tables
 *
 * The first byte chooses the table, the rest is it; the other three are small good ones.
 * Whatever loads has to answer for every product with a factor above zero or a reason.
 */
#include <string.h>

#include "alerts/knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char factors[] =
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"
    "verified_2022\tsource_2016\tsource_2022\n"
    "Oxycodone\t7804\toral\toral_solid\tmg\t\t\t1.5\t1.5\tdoc\tdoc\tx\ty\n";
static const char products[] =
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\tco_ingredients\t"
    "source\n"
    "1049683\tSCD\toxycodone 10 MG [X]\t7804\tOxycodone\t10\tMG\tOral Tablet\t"
    "oral_solid\t0\t\t\t\ts\n";
static const char sedatives[] =
    "rxcui\tname\tclass\ttier\tingredients\tsource\n596\talprazolam\tbenzodiazepine\t1\t"
    "alprazolam\tx\n";
static const char valuesets[] = "valueset\tsystem\tcode\nanxiety\tx\ty\n";

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    unsigned *n = arg;

    ow_assert(file != NULL && line > 0 && column > 0 && text[0] != '\0');
    ++*n;
}

static void ask(const struct ow_knowledge *kb)
{
    static const char *const rxcuis[] = { "1049683", "1", "12", "596", "" };
    struct ow_concept c = { .text = "Oxycodone 10 MG [X] methadone" };
    size_t i;

    (void)ow_knowledge_opioid_like(kb, &c);
    (void)ow_knowledge_in_set(kb, "anxiety", "x", "y");
    (void)ow_knowledge_timing(kb, OW_SYSTEM_SNOMED, "229797004");
    (void)ow_knowledge_local(kb, "urn:x", "y");
    (void)ow_knowledge_ndc(kb, "0406051201");
    for (i = 0; i < OW_LEN(rxcuis); i++) {
        const struct ow_product *p = ow_knowledge_product(kb, rxcuis[i]);
        struct ow_factor f;
        struct ow_err err = { "" };

        (void)ow_knowledge_sedative(kb, rxcuis[i]);
        if (p == NULL)
            continue;
        if (ow_knowledge_factor(kb, OW_TABLE_CDC_2022, true, p, OW_RATIO(25, 1), &f,
                                &err) == OW_OK)
            ow_assert(ow_ratio_positive(f.value) && f.basis == ow_product_basis(p));
        else
            ow_assert(err.text[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_knowledge_files files = {
        .factors = {"f",  factors,   sizeof factors - 1  },
        .products = { "p", products,  sizeof products - 1 },
        .sedatives = { "s", sedatives, sizeof sedatives - 1},
        .valuesets = { "v", valuesets, sizeof valuesets - 1},
    };
    struct ow_knowledge_file *const tables[] = { &files.factors,        &files.products,
                                                 &files.sedatives,      &files.valuesets,
                                                 &files.timing_codes,   &files.ndc,
                                                 &files.local_codes,    &files.max_doses,
                                                 &files.preferred_drugs };
    struct ow_knowledge *kb = NULL;
    struct ow_err err = { "" };
    unsigned reports = 0;
    size_t i;

    if (size == 0)
        return 0;
    i = data[0] % OW_LEN(tables);
    tables[i]->name = "it";
    tables[i]->data = (const char *)data + 1;
    tables[i]->len = size - 1;
    if (ow_knowledge_load(&files, on_report, &reports, &kb, &err) == OW_OK) {
        ow_assert(reports == 0);
        ask(kb);
        ow_knowledge_free(kb);
    } else {
        ow_assert(reports > 0 && err.text[0] != '\0');
    }
    return 0;
}
