/*
 * Factors: rows of a table that cannot be right, and drugs that several rows fit
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/knowledge.h"
#include "base/buf.h"
#include "base/text.h"

#define F_HEAD                                                                           \
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"            \
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"       \
    "verified_2022\tsource_2016\tsource_2022\n"
#define P_HEAD                                                                           \
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"         \
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"               \
    "co_ingredients\tsource\n"
#define S_HEAD "rxcui\tname\tclass\ttier\tingredients\tsource\n"
/* a factor of both tables, so far as it is said */
#define ROW(ingredient, rxcui, classes, basis, low, high, y16, y22)                      \
    ingredient "\t" rxcui "\toral\t" classes "\t" basis "\t" low "\t" high "\t" y16      \
               "\t" y22 "\tdoc\tdoc\ts\ts\n"

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, text != NULL ? strlen(text) : 0 };
}

static void on_report(void *arg, const char *name, unsigned line, unsigned column,
                      const char *text)
{
    ow_buf_printf(arg, "%s:%u:%u: %s\n", name, line, column, text);
}

/* Knowledge of these tables; NULL when it is refused. */
static struct ow_knowledge *load(const char *factors, const char *products,
                                 const char *sedatives, struct ow_buf *reports)
{
    const struct ow_knowledge_files files = {
        .factors = file("f", factors),
        .products = file("p", products),
        .sedatives = file("s", sedatives),
        .valuesets = file("v", "valueset\tsystem\tcode\n"),
    };
    struct ow_knowledge *kb = NULL;
    struct ow_err err;

    if (ow_knowledge_load(&files, reports != NULL ? on_report : NULL, reports, &kb,
                          &err) != OW_OK)
        assert_null(kb);
    return kb;
}

static void rows_that_cannot_be_right_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *factors, *products, *sedatives, *want;
    } cases[] = {
        {F_HEAD ROW("Fentanyl",                    "1",         "nasal",             "mg",                                   "", "", "1", ""), NULL, NULL,
         "f:2:23: unit_basis: a factor is per mcg/h for patches, per mcg for other "
          "fentanyl, else per mg\n" },
        { F_HEAD ROW("Fentanyl",                                      "1",                                              "transdermal,nasal",                                                              "mcg",                                                                                                "", "", "1", ""), NULL,
         NULL, "f:2:35: unit_basis: a factor is per mcg/h for patches, per mcg for other "
          "fentanyl, else per mg\n" },
        { F_HEAD ROW("M",               "1",                         "transdermal,nasal",                       "mg",                     "", "", "1", ""), NULL, NULL,
         "f:2:28: unit_basis: a factor is per mcg/h for patches, per mcg for other "
          "fentanyl, else per mg\n" },
        { F_HEAD ROW("M",                                   "1",                                            "oral_solid","g","", "", "1", ""), NULL, NULL,
         "f:2:21: unit_basis: mg, mcg or mcg/h was expected\n" },
        { F_HEAD ROW("M",                                    "1",                                                  "oral_solid,x",                                   "mg",                                                                        "", "", "1", ""), NULL, NULL,
         "f:2:10: form_classes: x is not a form class\n" },
        { F_HEAD ROW("",                       "1","oral_solid","mg","", "", "1", ""), NULL, NULL,
         "f:2:1: ingredient: must not be empty\n" },
        { F_HEAD ROW("M",                                     "1",                                             "oral_solid",                                                            "mg",                                                                                              "-1", "", "1", ""), NULL, NULL,
         "f:2:24: dose_low_mg_day: mg a day, zero or more, were expected\n" },
        { F_HEAD ROW("M",                                       "1",                                    "oral_solid",                  "mg", "x", "", "1", ""), NULL, NULL,
         "f:2:24: dose_low_mg_day: mg a day, zero or more, were expected\n" },
        { F_HEAD ROW("M",                                      "1",                                               "oral_solid",                                                               "mg",                                                                                                                                                               "0", "x", "1", ""), NULL, NULL,
         "f:2:26: dose_high_mg_day: mg a day, zero or more, were expected\n" },
        { F_HEAD ROW("M",                                    "1", "oral_solid",                   "mg",                                           "5", "5", "1", ""), NULL, NULL,
         "f:2:26: dose_high_mg_day: the band ends before it begins\n" },
        { F_HEAD ROW("M",                          "1","","mg","", "", "1", "")
              ROW("M", "1", "rectal", "mg", "", "", "2", ""),
         NULL, NULL, "f:3:1: ingredient: the same doses as line 2 have a factor\n" },
        { F_HEAD ROW("M",                                     "1",                                            "rectal",                                                           "mg",                                                                    "", "", "1", "")
              ROW("m", "", "", "mg", "", "", "2", ""),
         NULL, NULL, "f:3:1: ingredient: the same doses as line 2 have a factor\n" },
        { F_HEAD,
         P_HEAD "12345678901\tSCD\tX\t7804\tO\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n"
                 "012\tSCD\tX\t7804\tO\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n"
                 "\tSCD\tX\t7804\tO\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n"
                 "12x\tSCD\tX\tx\tO\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n",             NULL,
         "p:2:1: rxcui: an RxNorm number was expected\n"
          "p:3:1: rxcui: an RxNorm number was expected\n"
          "p:4:1: rxcui: an RxNorm number was expected\n"
          "p:5:1: rxcui: an RxNorm number was expected\n"
          "p:5:11: ingredient_rxcui: an RxNorm number or nothing was expected\n"                                                                                },
        { F_HEAD,
         P_HEAD "1\tSCD\t\t7804\tO\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n"
                 "2\tSCD\tX\t7804\t\t5\tMG\tT\toral_solid\t0\t\t\t\ts\n"
                 "3\tSCD\tX\t7804\tO\t5\tMG/HR\tT\ttransdermal\t1\tx\t\t\ts\n"
                 "4\tSCD\tX\t7804\tO\t5\tMG/HR\tT\ttransdermal\t1\t745\t\t\ts\n"
                 "5\tSCD\tX\t7804\tO\t5\tMG/HR\tT\toral_solid\t0\t\t\t\ts\n"
                 "6\tSCD\tX\t7804\tO\t5\tMG\tT\toral_solid\t1\t\t\t\ts\n"
                 "8\tSCD\tX\t7804\tO\t5\tMG\tT\ttransdermal\t0\t\t\t\ts\n"
                 "7\tSCD\tX\t7804\tO\t5\tMG\tT\toral_solid\t2\t\t\t\ts\n",                                              NULL,
         "p:2:7: drug_name: must not be empty\n"
          "p:3:14: ingredient_name: must not be empty\n"
          "p:4:40: patch_hours: hours from 1 to 744 were expected\n"
          "p:5:40: patch_hours: hours from 1 to 744 were expected\n"
          "p:6:37: is_patch: a rate in MG/HR belongs to a patch\n"
          "p:7:18: strength_unit: the strength of a patch is a rate, MG/HR\n"
          "p:8:18: strength_unit: the strength of a patch is a rate, MG/HR\np:9:34: is_patch: 0 or 1 was expected\n"                                                                                               },
        { F_HEAD, NULL,
         S_HEAD "1\t\tbarbiturate\t1\ta\ts\nx\ta\tbarbiturate\t1\ta\ts\n"
                 "2\ta\tbarbiturate\tx\ta\ts\n",                "s:2:3: name: must not be empty\n"
          "s:3:1: rxcui: an RxNorm number or nothing was expected\n"
          "s:4:17: tier: 1, 2, 3 or 9 was expected\n"              },
        { F_HEAD,                                    NULL,                                           "rxcui\n",
         "s:1:1: no column name in the header\ns:1:1: no column class in the header\n"
          "s:1:1: no column tier in the header\n"
          "s:1:1: no column ingredients in the header\n"
          "s:1:1: no column source in the header\n"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf reports;

        ow_buf_init(&reports, 1 << 16);
        assert_null(
            load(cases[i].factors, cases[i].products != NULL ? cases[i].products : P_HEAD,
                 cases[i].sedatives != NULL ? cases[i].sedatives : S_HEAD, &reports));
        assert_string_equal(ow_buf_cstr(&reports), cases[i].want);
        ow_buf_done(&reports);
    }
}

static void factors_refused(const char *factors, const char *want)
{
    struct ow_buf reports;

    ow_buf_init(&reports, 1 << 16);
    assert_null(load(factors, P_HEAD, S_HEAD, &reports));
    assert_string_equal(ow_buf_cstr(&reports), want);
    ow_buf_done(&reports);
}

static void factors_that_leave_gaps_or_meet_are_refused(void **state)
{
    (void)state;
    factors_refused(F_HEAD ROW("M", "1", "oral_solid", "mg", "", "", "x", ""),
                    "f:2:26: factor_2016: a factor above zero, or nothing, was "
                    "expected\n");
    factors_refused(F_HEAD ROW("M", "1", "oral_solid", "mg", "", "", "1", "-1"),
                    "f:2:28: factor_2022: a factor above zero, or nothing, was "
                    "expected\n");
    factors_refused(F_HEAD "M\t1\toral\toral_solid\tmg\t\t\t\t1\tdoc\tx\ts\ts\n",
                    "f:2:33: verified_2022: doc, code, doc+code or derived goes with a "
                    "factor\n");
    /* a band beside no band, two that meet, one within another */
    factors_refused(F_HEAD ROW("M", "1", "oral_solid", "mg", "0", "20", "1", "")
                        ROW("M", "1", "oral_solid", "mg", "", "", "2", ""),
                    "f:2:1: dose_low_mg_day: the band does not join its neighbour\n"
                    "f:3:1: ingredient: the same doses as line 2 have a factor\n");
    factors_refused(F_HEAD ROW("M", "1", "oral_solid", "mg", "0", "20", "1", "")
                        ROW("M", "1", "oral_solid", "mg", "10", "", "2", ""),
                    "f:2:1: dose_low_mg_day: the band does not join its neighbour\n"
                    "f:3:1: dose_low_mg_day: the band does not join its neighbour\n"
                    "f:3:1: ingredient: the same doses as line 2 have a factor\n");
    factors_refused(F_HEAD ROW("M", "1", "oral_solid", "mg", "20", "", "1", "")
                        ROW("M", "1", "oral_solid", "mg", "0", "20", "2", "")
                            ROW("M", "1", "oral_solid", "mg", "10", "15", "3", ""),
                    "f:4:1: dose_low_mg_day: the band does not join its neighbour\n"
                    "f:4:1: ingredient: the same doses as line 3 have a factor\n");
}

static void a_table_that_is_not_there_is_a_fault(void **state)
{
    struct ow_buf reports;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    assert_null(load(NULL, NULL, NULL, &reports));
    assert_string_equal(
        ow_buf_cstr(&reports),
        "f:1:1: no such table\np:1:1: no such table\ns:1:1: no such table\n");
    ow_buf_done(&reports);
    assert_null(load(F_HEAD, NULL, S_HEAD, NULL)); /* nobody asked for the reports */
}

static void a_table_of_more_factors_than_any_is_refused(void **state)
{
    struct ow_buf table, reports;

    (void)state;
    ow_buf_init(&table, 1 << 20);
    ow_buf_init(&reports, 1 << 16);
    ow_buf_str(&table, F_HEAD);
    for (int i = 0; i < 2001; i++)
        ow_buf_printf(&table, "D%d\t\toral\toral_solid\tmg\t\t\t1\t\tdoc\t\ts\ts\n", i);
    assert_null(load(ow_buf_cstr(&table), P_HEAD, S_HEAD, &reports));
    assert_string_equal(ow_buf_cstr(&reports),
                        "f:2002:1: ingredient: more than 2000 rows\n");
    ow_buf_done(&table);
    ow_buf_done(&reports);
}

/* ---- which factor ---- */

static struct ow_knowledge *rows(const char *text)
{
    struct ow_buf reports;
    struct ow_knowledge *kb;

    ow_buf_init(&reports, 1 << 16);
    kb = load(text, P_HEAD, S_HEAD, &reports);
    if (kb == NULL)
        fail_msg("%s", ow_buf_cstr(&reports));
    ow_buf_done(&reports);
    return kb;
}

static void factor_is(const struct ow_knowledge *kb, const struct ow_product *p,
                      int mg_day, const char *want)
{
    struct ow_factor f;
    struct ow_err err;
    char text[OW_RATIO_TEXT];
    enum ow_code code = ow_knowledge_factor(kb, OW_TABLE_CDC_2016, false, p,
                                            OW_RATIO(mg_day, 1), &f, &err);

    if (code == OW_OK)
        assert_string_equal(ow_ratio_format(f.value, 6, text), want);
    else
        assert_string_equal(err.text, want);
}

static const struct ow_product component = {
    .name = "m 5 MG",
    .ingredient = "M 1",
    .ingredient_rxcui = "1",
    .strength = {5, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "",
    .form_class = "",
};

static struct ow_product with_form(enum ow_form form, const char *class)
{
    struct ow_product p = component;

    p.form = form;
    p.form_class = class;
    p.has_form = true;
    return p;
}

static void a_row_without_forms_is_for_all_of_them(void **state)
{
    struct ow_knowledge *kb = rows(F_HEAD ROW("M 1", "1", "", "mg", "", "", "3", ""));
    struct ow_product nasal = with_form(OW_FORM_NASAL, "nasal");
    struct ow_product unnumbered = nasal, other = nasal;

    (void)state;
    factor_is(kb, &nasal, 5, "3");
    factor_is(kb, &component, 5, "3");
    unnumbered.ingredient_rxcui = ""; /* by its name */
    unnumbered.ingredient = "m 1";
    factor_is(kb, &unnumbered, 5, "3");
    ow_knowledge_free(kb);
    kb = rows(F_HEAD ROW("M 1", "", "", "mg", "", "", "3", "")); /* of no number */
    factor_is(kb, &nasal, 5, "3");
    ow_knowledge_free(kb);
    kb = rows(F_HEAD ROW("M 1", "1", "", "mg", "", "", "3", ""));
    other.ingredient_rxcui = "2"; /* a number counts before a name */
    factor_is(kb, &other, 5, "no factor in cdc-2016 for nasal m 1");
    ow_knowledge_free(kb);
}

static void a_drug_without_a_factor_is_named_with_its_form(void **state)
{
    struct ow_knowledge *kb =
        rows(F_HEAD ROW("M 1", "1", "rectal", "mg", "", "", "3", ""));
    struct ow_product p = with_form(OW_FORM_ORAL_SOLID, "oral_solid");

    (void)state;
    factor_is(kb, &p, 5, "no factor in cdc-2016 for oral m 1");
    p = with_form(OW_FORM_ORAL_LIQUID, "oral_liquid");
    factor_is(kb, &p, 5, "no factor in cdc-2016 for oral m 1");
    p = with_form(OW_FORM_SUBLINGUAL_FILM, "sublingual_film");
    factor_is(kb, &p, 5, "no factor in cdc-2016 for sublingual film m 1");
    p = component;
    p.strength_unit = OW_STRENGTH_MG_ML;
    factor_is(kb, &p, 5, "no factor in cdc-2016 for m 1 without a dose form");
    ow_knowledge_free(kb);
}

static void a_component_whose_forms_differ_has_no_factor(void **state)
{
    struct ow_knowledge *kb = rows(
        F_HEAD ROW("M 1", "1", "oral_solid", "mg", "", "", "3", "")
            ROW("M 1", "1", "rectal", "mg", "", "", "2", ""));

    (void)state;
    factor_is(kb, &component, 5,
              "the factor in cdc-2016 of m 1 without a dose form depends on the form");
    ow_knowledge_free(kb);
}

static void bands_of_forms_that_differ_have_no_factor_together(void **state)
{
    struct ow_knowledge *kb = rows(
        F_HEAD ROW("M 1", "1", "oral_solid", "mg", "0", "20", "4", "")
            ROW("M 1", "1", "oral_solid", "mg", "20", "", "8", "")
                ROW("M 1", "1", "rectal", "mg", "0", "20", "4", "")
                    ROW("M 1", "1", "rectal", "mg", "20", "", "10", ""));

    (void)state;
    factor_is(kb, &component, 20, "4");
    factor_is(kb, &component, 21,
              "the factor in cdc-2016 of m 1 without a dose form depends on the form");
    factor_is(kb, &component, 0,
              "the factor of m 1 without a dose form in cdc-2016 follows the total daily "
              "dose, which is not above zero");
    ow_knowledge_free(kb);
}

/* Claims files count patches by the piece; a row of theirs is never picked, nor does one
 * in another unit make two of one. */
static void rows_of_claims_files_are_passed_over(void **state)
{
    struct ow_knowledge *kb = rows(
        F_HEAD
        "M 1\t1\tdispensed-quantity basis\toral_solid\tpatches\t0\t5\t9\t\tdoc\t\ts\ts\n" ROW(
            "M 1", "1", "oral_solid", "mg", "", "", "3", ""));

    (void)state;
    factor_is(kb, &component, 5, "3");
    ow_knowledge_free(kb);
}

static void two_units_of_one_number_are_two_factors(void **state)
{
    struct ow_knowledge *kb = rows(
        F_HEAD ROW("Fentanyl", "1", "oral_lozenge", "mcg", "", "", "2.4", "")
            ROW("M 1", "1", "rectal", "mg", "", "", "2.4", ""));

    (void)state;
    factor_is(kb, &component, 5,
              "the factor in cdc-2016 of m 1 without a dose form depends on the form");
    ow_knowledge_free(kb);
}

static void one_excluded_year_excludes_the_drug(void **state)
{
    struct ow_knowledge *kb = rows(
        F_HEAD "M 1\t1\toral\toral_solid\tmg\t\t\t\t\texcluded\t\ts\ts\n"
               "N\t2\toral\toral_solid\tmg\t\t\t\t\t\texcluded\ts\ts\n");
    struct ow_product n = component;

    (void)state;
    factor_is(kb, &component, 5, "m 1 without a dose form is excluded from MME totals");
    n.ingredient = "N";
    n.ingredient_rxcui = "2";
    factor_is(kb, &n, 5, "n without a dose form is excluded from MME totals");
    ow_knowledge_free(kb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_cannot_be_right_are_refused_with_their_place),
        cmocka_unit_test(factors_that_leave_gaps_or_meet_are_refused),
        cmocka_unit_test(a_table_that_is_not_there_is_a_fault),
        cmocka_unit_test(a_table_of_more_factors_than_any_is_refused),
        cmocka_unit_test(a_row_without_forms_is_for_all_of_them),
        cmocka_unit_test(a_drug_without_a_factor_is_named_with_its_form),
        cmocka_unit_test(a_component_whose_forms_differ_has_no_factor),
        cmocka_unit_test(bands_of_forms_that_differ_have_no_factor_together),
        cmocka_unit_test(rows_of_claims_files_are_passed_over),
        cmocka_unit_test(two_units_of_one_number_are_two_factors),
        cmocka_unit_test(one_excluded_year_excludes_the_drug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
