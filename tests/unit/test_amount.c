/*
 * Amount: a quantity of a product, and the route or form that speaks against a component
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/doseline.h"
#include "base/text.h"
#include "tests/support/build.h"

#define MOST INT64_MAX

static struct ow_arena arena;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_product product(enum ow_form form, const char *dose_form,
                                 enum ow_strength_unit unit, const char *ingredient)
{
    return (struct ow_product){
        .rxcui = "1",
        .name = "a drug",
        .ingredient = ingredient,
        .strength = {10, 1},
        .strength_unit = unit,
        .dose_form = dose_form,
        .form_class = "",
        .form = form,
        .has_form = form != OW_FORM_UNKNOWN
    };
}

static struct ow_quantity quantity(int64_t num, int64_t den, const char *unit)
{
    return (struct ow_quantity){
        .has_value = true, .value = {num, den},
             .unit = unit
    };
}

static enum ow_code read_it(const struct ow_product *p, struct ow_quantity q,
                            unsigned flags, struct ow_amount *ret, struct ow_err *err)
{
    const struct ow_dose_context ctx = { .kb = build_knowledge(),
                                         .product = p,
                                         .basis = ow_product_basis(p),
                                         .arena = &arena };

    return ow_amount_read(&ctx, &q, flags, "dose", ret, err);
}

static void reads(const struct ow_product *p, struct ow_quantity q, const char *count,
                  int64_t value)
{
    struct ow_amount a;
    struct ow_err err;

    if (read_it(p, q, 0, &a, &err) != OW_OK)
        fail_msg("%s: %s", count, err.text);
    assert_string_equal(a.count, count);
    assert_int_equal(ow_ratio_cmp(a.value, OW_RATIO(value, 1)), 0);
}

static void refuses(const struct ow_product *p, struct ow_quantity q, const char *why)
{
    struct ow_amount a = { .count = "untouched" };
    struct ow_err err;

    if (read_it(p, q, 0, &a, &err) != OW_MISSING)
        fail_msg("%s: was read", why);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s, not %s", err.text, why);
    assert_string_equal(a.count, "untouched");
}

static void what_is_counted_is_called_by_its_name(void **state)
{
    static const struct {
        enum ow_form form;
        const char *dose_form, *unit, *one, *two;
    } cases[] = {
        {OW_FORM_RECTAL,       "Rectal Suppository", NULL,     "1 suppository",
         "2 suppositories"                                                                  },
        { OW_FORM_ORAL_SOLID,  "Oral Tablet",        NULL,     "1 tablet",      "2 tablets" },
        { OW_FORM_ORAL_SOLID,  "Oral Capsule",       "1",      "1 capsule",     "2 capsules"},
        { OW_FORM_BUCCAL_FILM, "Buccal Film",        "each",   "1 film",        "2 films"   },
        { OW_FORM_UNKNOWN,     "",                   NULL,     "1 unit",        "2 units"   },
        { OW_FORM_ORAL_SOLID,  "Oral Tablet",        "caplet", "1 caplet",      "2 caplets" },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_product p = product(cases[i].form, cases[i].dose_form, OW_STRENGTH_MG,
                                      "Morphine");

        reads(&p, quantity(1, 1, cases[i].unit), cases[i].one, 10);
        reads(&p, quantity(2, 1, cases[i].unit), cases[i].two, 20);
    }
}

static void a_spray_is_called_one_without_a_unit(void **state)
{
    struct ow_product p = product(OW_FORM_NASAL, "Metered Dose Nasal Spray",
                                  OW_STRENGTH_MG_ACTUAT, "Butorphanol");

    (void)state;
    reads(&p, quantity(2, 1, NULL), "2 sprays", 20);
}

static void a_pack_counts_by_the_sprays_its_name_tells(void **state)
{
    static const struct {
        const char *name, *want; /* NULL: refused */
        int64_t ug;
    } cases[] = {
        {"{2 (fentanyl 10 MG/ACTUAT Mucosal Spray) } Pack",   "1 pack x 2 sprays", 20000},
        { "{1 (fentanyl 10 MG/ACTUAT Mucosal Spray) } Pack",  "1 pack",            10000},
        { "{12 (fentanyl 10 MG/ACTUAT Mucosal Spray) } Pack", NULL,                0    },
        { "{0 (fentanyl 10 MG/ACTUAT Mucosal Spray) } Pack",  NULL,                0    },
        { "{x (fentanyl 10 MG/ACTUAT Mucosal Spray) } Pack",  NULL,                0    },
        { "fentanyl Pack",                                    NULL,                0    },
    };
    struct ow_product p = product(OW_FORM_PACK, "Pack", OW_STRENGTH_MG_ACTUAT,
                                  "Fentanyl");

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        p.name = cases[i].name;
        if (cases[i].want != NULL)
            reads(&p, quantity(1, 1, "pack"), cases[i].want, cases[i].ug);
        else
            refuses(&p, quantity(1, 1, "pack"), "what a pack holds is not known");
        reads(&p, quantity(1, 1, "spray"), "1 spray", 10000);
        refuses(&p, quantity(1, 1, NULL), "packs or sprays? no unit is said");
    }
    p.name = cases[0].name;
    refuses(&p, quantity(MOST, 1, "pack"), "out of range");
}

static void numbers_that_leave_64_bits_are_refused(void **state)
{
    struct ow_product tablet = product(OW_FORM_ORAL_SOLID, "Oral Tablet", OW_STRENGTH_MG,
                                       "Morphine");
    struct ow_product liquid = product(OW_FORM_ORAL_LIQUID, "Oral Solution",
                                       OW_STRENGTH_MG_ML, "Morphine");
    struct ow_product lozenge = product(OW_FORM_ORAL_LOZENGE, "Oral Lozenge",
                                        OW_STRENGTH_MG, "Fentanyl");
    struct ow_product patch = product(OW_FORM_TRANSDERMAL, "Transdermal System",
                                      OW_STRENGTH_MG_HR, "Fentanyl");

    (void)state;
    refuses(&tablet, quantity(MOST, 1, "tablet"), "out of range");
    refuses(&tablet, quantity(MOST, 1, "g"), "out of range");
    refuses(&liquid, quantity(MOST, 1, "L"), "out of range");
    refuses(&liquid, quantity(MOST, 1, "mL"), "out of range");
    refuses(&lozenge, quantity(MOST, 1, "mg"), "out of range");
    refuses(&lozenge, quantity(MOST, 1, NULL), "out of range");
    refuses(&patch, quantity(MOST, 1, "g/h"), "out of range");
    refuses(&patch, quantity(MOST, 1, "mg/h"), "out of range");
    refuses(&patch, quantity(MOST, 1, "patch"), "out of range");
    lozenge.strength = OW_RATIO(MOST, 1);
    refuses(&lozenge, quantity(1, 1, NULL), "out of range");
}

static void a_supply_without_a_unit_is_in_what_the_strength_is_per(void **state)
{
    struct ow_product p = product(OW_FORM_ORAL_LIQUID, "Oral Solution", OW_STRENGTH_MG_ML,
                                  "Morphine");
    static const char *const nothing[] = { NULL, "", "1" };
    struct ow_amount a;
    struct ow_err err;

    (void)state;
    for (size_t i = 0; i < OW_LEN(nothing); i++) {
        struct ow_quantity q = quantity(3, 1, i == 1 ? "" : NULL);

        q.code = nothing[i];
        assert_int_equal(read_it(&p, q, OW_AMOUNT_SUPPLY, &a, &err), OW_OK);
        assert_string_equal(a.count, "3 mL");
        assert_int_equal(read_it(&p, q, 0, &a, &err), OW_MISSING);
    }
    assert_int_equal(read_it(&p, quantity(3, 1, "vial"), OW_AMOUNT_SUPPLY, &a, &err),
                     OW_MISSING);
}

/* ---- components ---- */

static const struct ow_coding iv = { NULL, "IV", NULL };
static const struct ow_coding by_mouth_text = { "urn:site", "7", "By mouth" };
static const struct ow_coding injected_text = { "urn:site", "8", "Subcutaneous" };
static const struct ow_coding po_text = { "urn:site", NULL, "PO" };
static const struct ow_coding snomed_oral = { OW_SYSTEM_SNOMED, "26643006", NULL };
static const struct ow_coding bare_oral = { NULL, "26643006", NULL };
static const struct ow_coding snomed_other = { OW_SYSTEM_SNOMED, "47625008", NULL };
static const struct ow_coding empty = { NULL, NULL, NULL };

static void a_component_is_read_by_what_route_and_form_say(void **state)
{
    static const struct {
        const struct ow_coding *coding;
        const char *text;
        bool against, oral;
    } cases[] = {
        {&iv,             NULL,           true,  false},
        { &injected_text, NULL,           true,  false},
        { NULL,           "IV",           true,  false},
        { NULL,           "by injection", true,  false},
        { &by_mouth_text, NULL,           false, true },
        { &po_text,       NULL,           false, true },
        { &snomed_oral,   NULL,           false, true },
        { &bare_oral,     NULL,           false, true },
        { NULL,           "po",           false, true },
        { NULL,           "orally",       false, true },
        { &snomed_other,  NULL,           false, false},
        { &empty,         NULL,           false, false},
        { NULL,           NULL,           false, false},
        { &snomed_oral,   "IV",           true,  false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases) * 2; i++) {
        size_t n = i / 2;
        bool as_form = i % 2 != 0;
        struct ow_concept c = { .codings = cases[n].coding,
                                .n_codings = cases[n].coding != NULL,
                                .text = cases[n].text };
        struct ow_dosage d = { .route = as_form ? (struct ow_concept){ 0 } : c };
        struct ow_order o = { .dosages = &d, .n_dosages = 1 };
        struct ow_product mg = product(OW_FORM_UNKNOWN, "", OW_STRENGTH_MG, "Morphine");
        struct ow_product ml = product(OW_FORM_UNKNOWN, "", OW_STRENGTH_MG_ML,
                                       "Morphine");
        struct ow_dose_context ctx = {
            .kb = build_knowledge(), .order = &o, .product = &mg, .arena = &arena
        };
        struct ow_err err;

        if (as_form)
            o.medication.form = c;
        if ((ow_component_check(&ctx, &err) != OW_OK) != cases[n].against)
            fail_msg("case %zu, mg", n);
        ctx.product = &ml; /* it has to be said that it is swallowed */
        if ((ow_component_check(&ctx, &err) == OW_OK) != cases[n].oral)
            fail_msg("case %zu, mg/mL", n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_counted_is_called_by_its_name, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_spray_is_called_one_without_a_unit, begin, end),
        cmocka_unit_test_setup_teardown(a_pack_counts_by_the_sprays_its_name_tells, begin,
                                        end),
        cmocka_unit_test_setup_teardown(numbers_that_leave_64_bits_are_refused, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            a_supply_without_a_unit_is_in_what_the_strength_is_per, begin, end),
        cmocka_unit_test_setup_teardown(a_component_is_read_by_what_route_and_form_say,
                                        begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
