/*
 * Limits: the site's tables of highest doses and of preferred drugs, and their rules
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/support/build.h"

/* The tables that must be there, with one product. */
#define FACTORS                                                                          \
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"            \
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"       \
    "verified_2022\tsource_2016\tsource_2022\n"
#define PRODUCTS                                                                         \
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"         \
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"               \
    "co_ingredients\tsource\n"

#define ONE                                                                              \
    "1049621\tSCD\toxycodone 5\t7804\tOxycodone\t5\tMG\tOral Tablet\toral_solid\t0\t\t\t\ttest\n"
#define DOSES "ingredient\trelease\tage_from\tmg_per_day\tsource\n"
#define DRUGS "rxcui\trelease\tpreferred\tsource\n"

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, text != NULL ? strlen(text) : 0 };
}

static void on_report(void *arg, const char *name, unsigned line, unsigned column,
                      const char *text)
{
    ow_buf_printf(arg, "%s:%u:%u: %s\n", name, line, column, text);
}

static struct ow_knowledge *load(const char *doses, const char *drugs,
                                 struct ow_buf *reports)
{
    const struct ow_knowledge_files files = {
        .factors = file("f", FACTORS),
        .products = file("p", PRODUCTS ONE),
        .sedatives = file("s", "rxcui\tname\tclass\ttier\tingredients\tsource\n"),
        .valuesets = file("v", "valueset\tsystem\tcode\n"),
        .max_doses = file("max", doses),
        .preferred_drugs = file("preferred", drugs),
    };
    struct ow_knowledge *kb = NULL;
    struct ow_err err;

    if (ow_knowledge_load(&files, on_report, reports, &kb, &err) != OW_OK)
        assert_null(kb);
    return kb;
}

static void a_row_that_cannot_hold_is_named(void **state)
{
    static const struct {
        const char *doses, *drugs, *report;
    } cases[] = {
        {DOSES "Oxycodon\tany\t0\t100\tx\n",                             NULL,
         "max:2:1: ingredient: no opioid product has this ingredient\n"     },
        { DOSES "Oxycodone\tslow\t0\t100\tx\n",                          NULL,
         "max:2:11: release: any, immediate or extended was expected\n"     },
        { DOSES "Oxycodone\tany\t7.5\t100\tx\n",                         NULL,
         "max:2:15: age_from: whole years from 0 to 150 were expected\n"    },
        { DOSES "Oxycodone\tany\t0\t0\tx\n",                             NULL,
         "max:2:17: mg_per_day: mg above zero were expected\n"              },
        { DOSES "Oxycodone\tany\t0\t100\t\n",                            NULL,
         "max:2:21: source: must not be empty\n"                            },
        { DOSES "Oxycodone\tany\t0\t100\tx\nOxycodone\tany\t0\t90\tx\n", NULL,
         "max:3:1: ingredient: Oxycodone is there twice\n"                  },
        { NULL,                                                          DRUGS "7x\tany\tmorphine\tsite\n",
         "preferred:2:1: rxcui: an RxNorm number was expected\n"            },
        { NULL,                                                          DRUGS "7804\tany\t\tsite\n",
         "preferred:2:10: preferred: must not be empty\n"                   },
        { NULL,                                                          DRUGS "7804\tall\tmorphine\tsite\n",
         "preferred:2:6: release: any, immediate or extended was expected\n"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf reports;

        ow_buf_init(&reports, 1 << 16);
        assert_null(load(cases[i].doses, cases[i].drugs, &reports));
        assert_string_equal(ow_buf_cstr(&reports), cases[i].report);
        ow_buf_done(&reports);
    }
}

static void a_drug_that_is_not_preferred_is_told(void **state)
{
    static const char *const names[] = { "preferred-drug" };
    struct ow_buf reports;
    struct ow_knowledge *kb;
    struct build b;
    struct ow_order *o;
    const struct ow_finding *f;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    kb = load(NULL, DRUGS "7804\timmediate\tmorphine\tsite formulary\n", &reports);
    assert_non_null(kb);
    build_init(&b);
    build_rules(&b, names, OW_LEN(names));
    b.q.knowledge = kb;
    o = build_order(&b, "a", "1049621");
    build_dose(&b, o, "1", "tablet", 4);
    f = build_finding(build_judge(&b), "preferred-drug");
    assert_non_null(f);
    assert_int_equal(f->tier, OW_TIER_INFO);
    assert_non_null(strstr(f->reason, "morphine is preferred here"));
    assert_string_equal(f->cause, "MedicationRequest/a");
    assert_string_equal(f->evidence[0], "MedicationRequest/a");
    assert_string_equal(f->sources[0], "site-policy");
    ow_knowledge_free(kb);
    kb = load(NULL, DRUGS "7804\textended\tmorphine\tsite formulary\n", &reports);
    b.q.knowledge = kb;
    assert_null(build_finding(build_judge(&b), "preferred-drug"));
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
    build_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_cannot_hold_is_named),
        cmocka_unit_test(a_drug_that_is_not_preferred_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
