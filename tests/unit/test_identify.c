/*
 * Identify: which drug an order is of, from whatever it is coded with
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/tables.h"
#include "tests/support/build.h"

static struct ow_knowledge *kb; /* the shipped tables with some maps */
static struct build b;

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    (void)arg;
    print_error("%s:%u:%u: %s\n", file, line, column, text);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int load(void **state)
{
    char folder[] = "/tmp/ow-identify-XXXXXX", command[128];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(command, sizeof command, "cp conf/knowledge/* %s/", folder);
    assert_int_equal(system(command), 0);
    put(folder, "ndc.tsv",
        "ndc\trxcui\tsource\tnote\n"
        "00406051201\t1049621\trxnorm-2025-03\t\n"  /* oxycodone 5 MG */
        "12345067890\t1049683\trxnorm-2025-03\t\n"  /* oxycodone 10 MG */
        "00228287811\t310431\trxnorm-2025-03\t\n"); /* gabapentin */
    put(folder, "local_codes.tsv",
        "system\tcode\trxcui\tdisplay\tsource\tnote\n"
        "urn:site\tMS15\t892582\tmorphine 15\tpharmacy 2025-03\t\n"
        "urn:site\tMORPH\t7052\tmorphine\tpharmacy 2025-03\t\n");
    assert_int_equal(ow_tables_load(folder, on_error, NULL, &kb), OW_OK);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    ow_knowledge_free(kb);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    build_init(&b);
    b.q.knowledge = kb;
    return 0;
}

static int end(void **state)
{
    (void)state;
    build_done(&b);
    return 0;
}

/* An order of that code, a tablet four times a day unless said otherwise. */
static struct ow_order *coded(const char *system, const char *code)
{
    struct ow_order *o = build_order(&b, "a", "1");

    o->medication.code = build_concept(&b, system, code, NULL);
    return o;
}

static const struct ow_line *judged(const struct ow_verdict **v)
{
    *v = build_judge(&b);
    assert_non_null(*v);
    return build_line(*v, "a");
}

static void counts(const struct ow_line *l, const char *med)
{
    if (l->role != OW_ROLE_COUNTED)
        fail_msg("%s", l->reason);
    assert_int_equal(ow_ratio_cmp(l->med, build_ratio(med)), 0);
}

static bool noted(const struct ow_verdict *v, const char *text)
{
    for (size_t i = 0; i < v->n_notes; i++)
        if (ow_contains_folded(v->notes[i], text))
            return true;
    return false;
}

static void an_ndc_is_a_product_in_each_of_its_forms(void **state)
{
    static const char *const said[] = { "00406051201", "0406-0512-01", "00406-0512-01" };
    const struct ow_verdict *v;

    (void)state;
    for (size_t i = 0; i < OW_LEN(said); i++) {
        const struct ow_line *l;

        build_dose(&b, coded(OW_SYSTEM_NDC, said[i]), "1", "tablet", 4);
        l = judged(&v);
        counts(l, "30");
        assert_string_equal(l->rxcui, "1049621");
        assert_true(noted(v, "code 00406051201 stands for RxNorm 1049621 "
                             "(rxnorm-2025-03)"));
        end(NULL);
        begin(NULL);
    }
    build_dose(&b, coded("urn:oid:2.16.840.1.113883.6.69", "1234567890"), "1", "tablet",
               4); /* ten digits, of which one reading is known */
    counts(judged(&v), "60");
}

static void an_ndc_that_no_table_knows_stays_unknown(void **state)
{
    const struct ow_verdict *v;
    struct ow_order *o = coded(OW_SYSTEM_NDC, "0406-0512-99");
    const struct ow_line *l;

    (void)state;
    build_dose(&b, o, "1", "tablet", 4);
    o->medication.code.text = "oxycodone 5 mg tab";
    l = judged(&v);
    assert_int_equal(l->role, OW_ROLE_UNKNOWN);
    assert_string_equal(l->reason,
                        "no table knows NDC 0406-0512-99; its name says oxycodone");
    assert_non_null(build_finding(v, "unknown-drug"));
}

static void a_sedative_by_its_ndc_is_one(void **state)
{
    const struct ow_verdict *v;

    (void)state;
    build_dose(&b, coded(OW_SYSTEM_NDC, "0228-2878-11"), "1", "capsule", 3);
    assert_int_equal(judged(&v)->role, OW_ROLE_NOT_OPIOID);
    assert_int_equal(v->n_sedatives, 1);
}

static void a_local_code_is_what_the_site_says(void **state)
{
    const struct ow_verdict *v;

    (void)state;
    build_dose(&b, coded("urn:site", "MS15"), "1", "tablet", 4);
    counts(judged(&v), "60");
    assert_true(noted(v, "pharmacy 2025-03"));
}

static void codings_that_disagree_are_told(void **state)
{
    static const struct ow_coding codings[] = {
        {OW_SYSTEM_NDC,     "00406051201",   NULL},
        { OW_SYSTEM_RXNORM, RX_OXYCODONE_10, NULL},
    };
    const struct ow_verdict *v;
    struct ow_order *o = coded(OW_SYSTEM_NDC, "x");

    (void)state;
    o->medication.code = (struct ow_concept){ codings, 2, NULL };
    build_dose(&b, o, "1", "tablet", 4);
    counts(judged(&v), "30");
    assert_true(noted(v, "its codings name different products"));
}

/* ---- compounded, or an ingredient and its form ---- */

static struct ow_quantity quantity(const char *value, const char *unit)
{
    return (struct ow_quantity){ .has_value = value != NULL,
                                 .value = build_ratio(value != NULL ? value : "0"),
                                 .unit = unit,
                                 .system = unit != NULL ? OW_SYSTEM_UCUM : NULL,
                                 .code = unit };
}

/* One more ingredient: so many mg in so much. */
static void ingredient(struct ow_order *o, const char *rxcui, const char *mg,
                       const char *per, const char *unit)
{
    struct ow_ingredient *list = OW_NEW_N(&b.arena, struct ow_ingredient, 4);
    struct ow_ingredient *it = &list[o->medication.n_ingredients];

    for (size_t i = 0; i < o->medication.n_ingredients; i++)
        list[i] = o->medication.ingredients[i];
    it->item = build_concept(&b, OW_SYSTEM_RXNORM, rxcui, NULL);
    it->has_strength = mg != NULL;
    it->strength.numerator = quantity(mg, "mg");
    it->strength.denominator = quantity(per, unit);
    o->medication.ingredients = list;
    o->medication.n_ingredients++;
}

static struct ow_order *compounded(const char *form)
{
    struct ow_order *o = coded("urn:house", "C1");

    o->medication.code.text = "morphine mixture";
    o->medication.form.text = form;
    return o;
}

static void a_compounded_liquid_is_read_by_its_strength(void **state)
{
    struct ow_order *o = compounded("Oral Solution");
    const struct ow_verdict *v;
    const struct ow_line *l;

    (void)state;
    ingredient(o, "7052", "10", "5", "mL");
    build_dose(&b, o, "5", "mL", 6);
    l = judged(&v);
    counts(l, "60");
    assert_string_equal(l->derivation, "5 mL x 6/d x 2 mg/mL x 1 = 60 MME/d");
    assert_string_equal(l->drug, "morphine mixture");
    assert_string_equal(l->ingredient, "Morphine");
}

static void a_compounded_tablet_is_read_by_its_strength(void **state)
{
    struct ow_order *o = compounded(NULL);
    const struct ow_verdict *v;

    (void)state;
    ingredient(o, "7804", "10", "1", "{tablet}");
    build_dose(&b, o, "2", "tablet", 4);
    counts(judged(&v), "120");
}

static void a_strength_that_does_not_fit_the_form_is_refused(void **state)
{
    static const struct {
        const char *form, *mg, *per, *unit;
    } cases[] = {
        {"Oral Tablet",         "10", "5",  "mL"      },
        { "Oral Solution",      "10", "1",  "{tablet}"},
        { "Oral Solution",      "10", NULL, NULL      },
        { "Oral Solution",      "10", "0",  "mL"      },
        { "Oral Solution",      "0",  "5",  "mL"      },
        { "Oral Tablet",        "10", "1",  "g"       },
        { "Rectal Suppository", "10", "1",  "h"       },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o = compounded(cases[i].form);
        const struct ow_verdict *v;
        const struct ow_line *l;

        ingredient(o, "7052", cases[i].mg, cases[i].per, cases[i].unit);
        build_dose(&b, o, "1", "mL", 4);
        l = judged(&v);
        if (l->role != OW_ROLE_UNREADABLE)
            fail_msg("case %zu", i);
        assert_true(v->at_least);
        end(NULL);
        begin(NULL);
    }
}

static void two_opioids_in_one_mixture_are_not_one_dose(void **state)
{
    struct ow_order *o = compounded("Oral Solution");
    const struct ow_verdict *v;

    (void)state;
    ingredient(o, "7052", "10", "5", "mL");
    ingredient(o, "6813", "1", "5", "mL");
    build_dose(&b, o, "5", "mL", 4);
    assert_int_equal(judged(&v)->role, OW_ROLE_UNREADABLE);
}

static void an_ingredient_with_a_form_is_read_in_mg(void **state)
{
    static const char *const forms[] = { "Oral Tablet", "Oral Solution", "Tablet",
                                         "Film-coated tablet",
                                         "Extended Release Oral Capsule" };
    const struct ow_verdict *v;

    (void)state;
    for (size_t i = 0; i < OW_LEN(forms); i++) {
        struct ow_order *o = coded(OW_SYSTEM_RXNORM, RX_OXYCODONE);

        o->medication.form.text = forms[i];
        build_dose(&b, o, "10", "mg", 4);
        counts(judged(&v), "60");
        end(NULL);
        begin(NULL);
    }
}

static void an_ingredient_whose_factor_depends_on_the_form_is_not(void **state)
{
    static const struct {
        const char *rxcui, *form, *value, *unit, *reason;
    } cases[] = {
        {"4337",  "Tablet",             "200", "ug",
         "no factor in cdc-2022 for fentanyl without a dose form"         },
        { "7804", NULL,                 "10",  "mg",
         "coded as unnamed drug only: no strength and no dose form"       },
        { "7804", "Injection",          "10",  "mg",
         "no factor in cdc-2022 for injectable oxycodone"                 },
        { "7804", "Powder",             "10",  "mg",
         "coded as unnamed drug only: no strength and no dose form"       },
        { "7804", "Oral Tablet",        "1",   "tablet",
         "dose: no strength is known, so only an amount in mg can be read"},
        { "4337", "Transdermal System", "25",  "ug/h",
         "coded as unnamed drug only: no strength and no dose form"       },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o = coded(OW_SYSTEM_RXNORM, cases[i].rxcui);
        const struct ow_verdict *v;
        const struct ow_line *l;

        o->medication.form.text = cases[i].form;
        build_dose(&b, o, cases[i].value, cases[i].unit, 4);
        l = judged(&v);
        assert_int_equal(l->role, OW_ROLE_UNREADABLE);
        if (!ow_starts_with(l->reason, cases[i].reason))
            fail_msg("case %zu: %s", i, l->reason);
        end(NULL);
        begin(NULL);
    }
}

static void two_orders_without_a_strength_are_both_counted(void **state)
{
    struct ow_order *x = build_order(&b, "a", RX_OXYCODONE);
    struct ow_order *y = build_order(&b, "z", RX_OXYCODONE);
    const struct ow_verdict *v;

    (void)state;
    x->medication.form.text = y->medication.form.text = "Oral Tablet";
    build_dose(&b, x, "20", "mg", 2);
    build_dose(&b, y, "5", "mg", 4);
    counts(judged(&v), "60");
    counts(build_line(v, "z"), "30");
}

static void an_atc_code_gives_an_opioid_away(void **state)
{
    static const char *const systems[] = { OW_SYSTEM_ATC,
                                           "urn:oid:2.16.840.1.113883.6.73" };
    const struct ow_verdict *v;

    (void)state;
    for (size_t i = 0; i < OW_LEN(systems); i++) {
        build_dose(&b, coded(systems[i], "N02AA05"), "1", "tablet", 4);
        assert_int_equal(judged(&v)->role, OW_ROLE_UNKNOWN);
        assert_true(v->at_least);
        assert_non_null(build_finding(v, "unknown-drug"));
        end(NULL);
        begin(NULL);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ndc_is_a_product_in_each_of_its_forms),
        TEST(an_ndc_that_no_table_knows_stays_unknown),
        TEST(a_sedative_by_its_ndc_is_one),
        TEST(a_local_code_is_what_the_site_says),
        TEST(codings_that_disagree_are_told),
        TEST(a_compounded_liquid_is_read_by_its_strength),
        TEST(a_compounded_tablet_is_read_by_its_strength),
        TEST(a_strength_that_does_not_fit_the_form_is_refused),
        TEST(two_opioids_in_one_mixture_are_not_one_dose),
        TEST(an_ingredient_with_a_form_is_read_in_mg),
        TEST(an_ingredient_whose_factor_depends_on_the_form_is_not),
        TEST(two_orders_without_a_strength_are_both_counted),
        TEST(an_atc_code_gives_an_opioid_away),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
