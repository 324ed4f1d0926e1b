/*
 * Compound: a product of the order's own, from its ingredients and its form
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/compound.h"
#include "alerts/identify.h"
#include "base/text.h"
#include "tests/support/build.h"

#define MORPHINE "7052"
#define FENTANYL "4337"

/* A site's tables, in which a transdermal system is a patch and nothing else. */
static const char factors[] =
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"
    "verified_2022\tsource_2016\tsource_2022\n";
static const char products[] =
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"
    "co_ingredients\tsource\n"
    "1\tSCD\ta\t7052\tMorphine\t15\tMG\tOral Tablet\toral_solid\t0\t\t\t\ts\n"
    "2\tSCD\tb\t7052\tMorphine\t2\tMG/ML\tOral Solution\toral_liquid\t0\t\t\t\ts\n"
    "3\tSCD\tc\t4337\tFentanyl\t0.025\tMG/HR\tPatch\ttransdermal\t1\t72\t\t\ts\n"
    "4\tSCD\td\t4337\tFentanyl\t0.1\tMG/ACTUAT\tNasal Spray\tnasal\t0\t\t\t\ts\n"
    "5\tSCD\te\t4337\tFentanyl\t0.1\tMG\tStick\toral_lozenge\t0\t\t\t\ts\n"
    "6\tSCD\tf\t4337\tFentanyl\t0.1\tMG\tTwofold\toral_lozenge\t0\t\t\t\ts\n"
    "7\tSCD\tg\t4337\tFentanyl\t0.1\tMG\tTwofold\tbuccal_film\t0\t\t\t\ts\n"
    "8\tSCD\th\t\tOpium\t0.1\tMG\t\toral_solid\t0\t\t\t\ts\n";

static struct ow_knowledge *kb;
static struct ow_arena arena;
static struct ow_coding form_coding, main_coding, part_coding[3];
static struct ow_ingredient parts[3];
static struct ow_medication med;

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, strlen(text) };
}

static int load(void **state)
{
    const struct ow_knowledge_files files = {
        .factors = file("f", factors),
        .products = file("p", products),
        .sedatives = file("s", "rxcui\tname\tclass\ttier\tingredients\tsource\n"),
        .valuesets = file("v", "valueset\tsystem\tcode\n"
                               "opioid-concepts-not-in-product-table\t" OW_SYSTEM_RXNORM
                               "\t777\nbuprenorphine-medications\t" OW_SYSTEM_RXNORM
                               "\t777\n"),
    };
    struct ow_err err;

    (void)state;
    return ow_knowledge_load(&files, NULL, NULL, &kb, &err) == OW_OK ? 0 : -1;
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
    ow_arena_init(&arena, 1 << 20);
    med = (struct ow_medication){ .ingredients = parts };
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_quantity quantity(int64_t num, int64_t den, const char *unit)
{
    return (struct ow_quantity){
        .has_value = true, .value = {num, den},
             .unit = unit
    };
}

/* So much in so much of an opioid. */
static struct ow_fraction *part(const char *rxcui, struct ow_quantity amount,
                                struct ow_quantity per)
{
    size_t i = med.n_ingredients++;

    part_coding[i] = (struct ow_coding){ OW_SYSTEM_RXNORM, rxcui, NULL };
    parts[i] = (struct ow_ingredient){
        .item = {.codings = &part_coding[i], .n_codings = 1},
        .has_strength = true,
        .strength = { amount,                    per           },
    };
    return &parts[i].strength;
}

static void form(const char *text)
{
    med.form.text = text;
}

static const struct ow_product *made(void)
{
    return ow_compound_product(&med, kb, "mixture", &arena);
}

static void is(enum ow_strength_unit unit, int64_t num, int64_t den)
{
    const struct ow_product *p = made();

    assert_non_null(p);
    assert_int_equal(p->strength_unit, unit);
    assert_int_equal(ow_ratio_cmp(p->strength, OW_RATIO(num, den)), 0);
}

static void a_liquid_has_a_strength_per_volume(void **state)
{
    (void)state;
    part(MORPHINE, quantity(1, 2, "g"), quantity(1, 4, "L"));
    form("oral solution");
    is(OW_STRENGTH_MG_ML, 2, 1);
    assert_string_equal(made()->form_class, "oral_liquid");
    form("Oral Tablet"); /* no tablet has one */
    assert_null(made());
    form("Nasal Spray");
    assert_null(made());
    form("Patch");
    assert_null(made());
    form(NULL); /* nothing speaks against it */
    is(OW_STRENGTH_MG_ML, 2, 1);
}

static void a_patch_has_a_strength_per_time(void **state)
{
    struct ow_fraction *f = part(FENTANYL, quantity(25, 1, "ug"), quantity(1, 1, "h"));

    (void)state;
    form("patch");
    is(OW_STRENGTH_MG_HR, 1, 40);
    assert_true(made()->is_patch);
    f->denominator.code = "";
    is(OW_STRENGTH_MG_HR, 1, 40);
    f->denominator = quantity(1, 1, NULL);
    f->denominator.code = "d";
    is(OW_STRENGTH_MG_HR, 1, 960);
    f->denominator = quantity(INT64_MAX, 1, "a");
    assert_null(made());
    f->denominator = quantity(1, 1, NULL); /* a patch: which rate has it? */
    assert_null(made());
    f->denominator = quantity(1, 1, "h");
    form("Oral Tablet");
    assert_null(made());
}

static void a_spray_has_a_strength_per_actuation(void **state)
{
    struct ow_fraction *f = part(FENTANYL, quantity(100, 1, "ug"),
                                 quantity(1, 1, "spray"));

    (void)state;
    form("Nasal Spray");
    is(OW_STRENGTH_MG_ACTUAT, 1, 10);
    assert_string_equal(made()->form_class, "nasal");
    f->denominator = quantity(2, 1, "puffs");
    is(OW_STRENGTH_MG_ACTUAT, 1, 20);
    form("Oral Tablet");
    assert_null(made());
    form("Nasal Spray");
    f->denominator.unit = "tablet";
    assert_null(made());
    f->denominator.unit = NULL;
    assert_null(made());
}

static void a_solid_has_a_strength_per_piece(void **state)
{
    struct ow_fraction *f = part(FENTANYL, quantity(100, 1, "ug"), quantity(1, 1, NULL));

    (void)state;
    form("Stick");
    is(OW_STRENGTH_MG, 1, 10);
    f->denominator.unit = "lozenge";
    is(OW_STRENGTH_MG, 1, 10);
    f->denominator.unit = "patch";
    assert_null(made());
    f->denominator.unit = "mg";
    assert_null(made());
    f->denominator.unit = "blob";
    assert_null(made());
    form("Twofold"); /* a form of two classes tells neither */
    f->denominator.unit = "lozenge";
    is(OW_STRENGTH_MG, 1, 10);
    assert_false(made()->has_form);
    form("");
    is(OW_STRENGTH_MG, 1, 10);
}

static void a_strength_that_is_none_makes_no_product(void **state)
{
    struct ow_fraction *f = part(MORPHINE, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    const struct ow_quantity mg = f->numerator, ml = f->denominator;

    (void)state;
    assert_non_null(made());
    f->numerator.comparator = "<";
    assert_null(made());
    f->numerator = mg;
    f->numerator.has_value = false;
    assert_null(made());
    f->numerator = quantity(0, 1, "mg");
    assert_null(made());
    f->numerator = quantity(1, 1, "blob");
    assert_null(made());
    f->numerator = quantity(1, 1, "mL");
    assert_null(made());
    f->numerator = quantity(INT64_MAX, 1, "g");
    assert_null(made());
    f->numerator = quantity(INT64_MAX, 1, "mg");
    f->denominator = quantity(1, 7, "mL");
    assert_null(made());
    f->numerator = mg;
    f->denominator = ml;
    f->denominator.comparator = ">";
    assert_null(made());
    f->denominator = ml;
    f->denominator.has_value = false;
    assert_null(made());
    f->denominator = quantity(0, 1, "mL");
    assert_null(made());
    f->denominator = quantity(INT64_MAX, 1, "L");
    assert_null(made());
}

static void one_opioid_makes_a_product_two_do_not(void **state)
{
    struct ow_fraction *f = part(MORPHINE, quantity(5, 1, "mg"), quantity(1, 1, "mL"));

    (void)state;
    assert_string_equal(made()->ingredient, "Morphine");
    part(RX_LISINOPRIL, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    assert_string_equal(made()->ingredient, "Morphine");
    parts[1].item.text = "oxycodone"; /* looks like one: nobody knows how much */
    assert_string_equal(made()->ingredient, "Morphine");
    parts[1].item.text = "Fentanyl citrate";
    assert_null(made());
    parts[1].inactive = true;
    assert_non_null(made());
    part(MORPHINE, f->numerator, f->denominator); /* twice: which of them? */
    assert_null(made());
    parts[2].inactive = true;
    main_coding = (struct ow_coding){ OW_SYSTEM_RXNORM, MORPHINE, NULL };
    med.code = (struct ow_concept){ .codings = &main_coding, .n_codings = 1 };
    assert_non_null(made());
    main_coding.code = FENTANYL; /* code and ingredient speak of two */
    assert_null(made());
    main_coding.code = "";
    assert_non_null(made());
    med.n_ingredients = 0;
    assert_null(made());
}

static void what_is_mixed_in_is_named(void **state)
{
    struct ow_coding nameless = { NULL, NULL, NULL };

    (void)state;
    part(MORPHINE, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    assert_string_equal(made()->co_ingredients, "");
    part(RX_LISINOPRIL, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    assert_string_equal(made()->co_ingredients, "another ingredient");
    part_coding[1].display = "lisinopril";
    part(RX_LISINOPRIL, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    parts[2].item.text = "syrup";
    assert_string_equal(made()->co_ingredients, "lisinopril; syrup");
    parts[1].inactive = true;
    assert_string_equal(made()->co_ingredients, "syrup");
    parts[2].item = (struct ow_concept){ .codings = &nameless, .n_codings = 1 };
    assert_string_equal(made()->co_ingredients, "another ingredient");
}

static void an_ingredient_without_a_strength_needs_a_form(void **state)
{
    (void)state;
    part(MORPHINE, quantity(5, 1, "mg"), quantity(1, 1, "mL"));
    parts[0].has_strength = false;
    assert_null(made());
    form("Oral Solution");
    assert_int_equal(made()->strength.num, 0);
    assert_string_equal(made()->form_class, "oral_liquid");
}

static void an_opioid_and_a_form_are_read_in_mg(void **state)
{
    static const struct {
        const char *text, *display;
        bool made, lasting, has_form;
    } cases[] = {
        {"Oral Tablet",           NULL,                    true,  false, true },
        { NULL,                   "oral tablet",           true,  false, true },
        { "blob",                 "Oral Solution",         true,  false, true },
        { NULL,                   "12 HR extended tablet", true,  true,  false},
        { "capsule",              NULL,                    true,  false, false},
        { "tablet",               "vaginal",               false, false, false},
        { "tablet for injection", NULL,                    false, false, false},
        { "blob",                 NULL,                    false, false, false},
        { NULL,                   NULL,                    false, false, false},
        { "Patch",                NULL,                    false, false, false},
    };

    (void)state;
    main_coding = (struct ow_coding){ OW_SYSTEM_RXNORM, MORPHINE, NULL };
    med.code = (struct ow_concept){ .codings = &main_coding, .n_codings = 1 };
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        form_coding = (struct ow_coding){ NULL, NULL, cases[i].display };
        med.form = (struct ow_concept){ &form_coding, 1, cases[i].text };
        if ((made() != NULL) != cases[i].made)
            fail_msg("case %zu", i);
        if (!cases[i].made)
            continue;
        assert_int_equal(made()->extended_release, cases[i].lasting);
        assert_int_equal(made()->has_form, cases[i].has_form);
        assert_int_equal(made()->strength.num, 0); /* not known */
    }
}

static void a_site_may_say_that_a_code_is_buprenorphine(void **state)
{
    struct ow_drug d;

    (void)state;
    main_coding = (struct ow_coding){ OW_SYSTEM_RXNORM, "777", NULL };
    med.code = (struct ow_concept){ .codings = &main_coding, .n_codings = 1 };
    ow_identify(&med, kb, &arena, &d);
    assert_int_equal(d.kind, OW_DRUG_BARE);
    assert_true(d.buprenorphine);
    med.code.codings = NULL; /* the word alone is enough to ask */
    med.code.n_codings = 0;
    med.display = "some opioid";
    ow_identify(&med, kb, &arena, &d);
    assert_int_equal(d.kind, OW_DRUG_UNKNOWN);
    assert_string_equal(d.like, "opioid");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_liquid_has_a_strength_per_volume),
        TEST(a_patch_has_a_strength_per_time),
        TEST(a_spray_has_a_strength_per_actuation),
        TEST(a_solid_has_a_strength_per_piece),
        TEST(a_strength_that_is_none_makes_no_product),
        TEST(one_opioid_makes_a_product_two_do_not),
        TEST(a_site_may_say_that_a_code_is_buprenorphine),
        TEST(what_is_mixed_in_is_named),
        TEST(an_ingredient_without_a_strength_needs_a_form),
        TEST(an_opioid_and_a_form_are_read_in_mg),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
