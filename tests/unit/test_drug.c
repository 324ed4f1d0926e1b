/*
 * Drug: several codings, ingredients and names of one medication
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/identify.h"
#include "base/text.h"
#include "tests/support/build.h"

#define RX  OW_SYSTEM_RXNORM
#define OID "urn:oid:2.16.840.1.113883.6.88"

#define RX_COMPONENT_10  "1014598" /* Oxycodone Hydrochloride 10 MG, no form */
#define RX_COMPONENT_5   "1014614"
#define RX_COMPONENT_ML  "1049718" /* Oxycodone Hydrochloride 10 MG/ML */
#define RX_MORPHINE_2_ML "892589"  /* 2 MG/ML Oral Solution */
#define RX_BUPRENORPHINE "1819"
#define RX_METHADONE     "6813"
#define RX_METHADONE_INJ "1161619" /* methadone Injectable Product */
#define RX_BUP_PILL      "1151363" /* buprenorphine Pill */
#define RX_NALOXONE      "1010598" /* an antagonist */
#define RX_AMPHETAMINE   "1009145"

static struct ow_arena arena;
static struct ow_coding codings[4];
static struct ow_medication med;

static int begin(void **state)
{
    (void)state;
    ow_arena_init(&arena, 1 << 20);
    memset(codings, 0, sizeof codings);
    med = (struct ow_medication){ .code = { .codings = codings } };
    return 0;
}

static int end(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static void code(const char *system, const char *rxcui, const char *display)
{
    codings[med.code.n_codings++] = (struct ow_coding){ system, rxcui, display };
}

static struct ow_drug drug(void)
{
    struct ow_drug d;

    ow_identify(&med, build_knowledge(), &arena, &d);
    return d;
}

static void a_code_with_a_form_is_preferred_to_a_component(void **state)
{
    struct ow_drug d;

    (void)state;
    code(RX, RX_COMPONENT_10, NULL);
    code(OID, RX_OXYCODONE_10, NULL);
    d = drug();
    assert_string_equal(d.rxcui, RX_OXYCODONE_10);
    assert_null(d.other); /* one drug, told twice */
    codings[0].code = RX_COMPONENT_5;
    d = drug();
    assert_string_equal(d.rxcui, RX_OXYCODONE_10);
    assert_string_equal(d.other, "Oxycodone Hydrochloride 5 MG");
    code(RX, RX_MORPHINE_15, NULL); /* the first that disagreed stays the other */
    assert_string_equal(drug().other, "Oxycodone Hydrochloride 5 MG");
    codings[0].code = RX_OXYCODONE_10; /* the component behind the product */
    codings[1].code = codings[2].code = RX_COMPONENT_10;
    d = drug();
    assert_string_equal(d.rxcui, RX_OXYCODONE_10);
    assert_null(d.other);
    codings[0].code = RX_COMPONENT_10; /* two components */
    codings[1].code = codings[2].code = RX_COMPONENT_ML;
    d = drug();
    assert_string_equal(d.rxcui, RX_COMPONENT_10);
    assert_null(d.other);
}

static void the_first_of_several_codings_that_disagree_is_told(void **state)
{
    struct ow_drug d;

    (void)state;
    code(RX, RX_OXYCODONE_10, NULL);
    code(RX, RX_MORPHINE_15, NULL); /* another drug */
    code(RX, RX_OXYCODONE_20, NULL);
    d = drug();
    assert_string_equal(d.rxcui, RX_OXYCODONE_10);
    assert_true(ow_contains_folded(d.other, "morphine"));
    codings[1].code = RX_OXYCODONE_20; /* another strength */
    codings[2].code = RX_OXYCODONE_20;
    assert_true(ow_contains_folded(drug().other, "20 MG"));
    codings[0].code = RX_MORPHINE_15; /* another form */
    codings[1].code = codings[2].code = RX_MORPHINE_2_ML;
    assert_true(ow_contains_folded(drug().other, "Oral Solution"));
    codings[0].code = RX_MORPHINE_15; /* one of each unit: a strength of two */
    codings[1].code = codings[2].code = RX_MORPHINE_ER_15;
    assert_null(drug().other);
    codings[0].code = RX_COMPONENT_10; /* of a form, and of another strength */
    codings[1].code = RX_MORPHINE_15;
    codings[2].code = RX_OXYCODONE_10;
    d = drug();
    assert_string_equal(d.rxcui, RX_MORPHINE_15);
    assert_non_null(d.other);
}

static void the_sedative_of_the_lowest_tier_speaks(void **state)
{
    (void)state;
    code(RX, RX_HYDROXYZINE_10, NULL); /* tier 3 */
    code(RX, RX_LORAZEPAM_1, NULL);    /* tier 1 */
    code(RX, RX_PHENTERMINE, NULL);    /* tier 9 */
    assert_int_equal(drug().kind, OW_DRUG_OTHER);
    assert_int_equal(drug().sedative->tier, 1);
}

static void an_ingredient_alone_tells_which_opioid(void **state)
{
    static const struct {
        const char *rxcui, *display;
        bool buprenorphine, methadone;
    } cases[] = {
        {RX_BUPRENORPHINE,  NULL,                   true,  false},
        { RX_BUP_PILL,      NULL,                   false, false},
        { RX_BUP_PILL,      "Buprenorphine Pill",   true,  false},
        { RX_METHADONE,     NULL,                   false, true },
        { RX_METHADONE_INJ, "methadone Injectable", false, true },
        { RX_METHADONE_INJ, NULL,                   false, false}, /* as far as it says */
        { RX_OXYCODONE,     "oxycodone",            false, false},
    };

    (void)state;
    code(RX, NULL, NULL);
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_drug d;

        codings[0] = (struct ow_coding){ RX, cases[i].rxcui, cases[i].display };
        d = drug();
        assert_int_equal(d.kind, OW_DRUG_BARE);
        assert_int_equal(d.buprenorphine, cases[i].buprenorphine);
        assert_int_equal(d.methadone, cases[i].methadone);
        assert_non_null(d.reason);
    }
    code(RX, RX_METHADONE, "methadone"); /* the first that is one names it */
    assert_int_equal(drug().kind, OW_DRUG_BARE);
    assert_true(drug().methadone);
}

static void what_is_known_to_be_no_opioid_is_quiet(void **state)
{
    (void)state;
    code(RX, RX_AMPHETAMINE, NULL);
    assert_int_equal(drug().kind, OW_DRUG_OTHER);
    code(RX, RX_NALOXONE, NULL);
    assert_int_equal(drug().kind, OW_DRUG_OTHER);
    codings[0].code = RX_LISINOPRIL;
    codings[1].code = RX_LISINOPRIL;
    assert_int_equal(drug().kind, OW_DRUG_UNKNOWN);
}

/* ---- names ---- */

static void a_medication_is_called_by_the_first_name_it_has(void **state)
{
    struct ow_coding part_code[2] = {
        {NULL,  NULL, NULL       },
        { NULL, NULL, "part code"}
    };
    struct ow_ingredient parts[2] = {
        { .item = { .codings = part_code, .n_codings = 2 } },
        { .item = { .text = "part text" } },
    };

    (void)state;
    assert_true(drug().nameless);
    med.ingredients = parts;
    med.n_ingredients = 2;
    assert_string_equal(drug().name, "part code");
    part_code[1].display = NULL;
    assert_string_equal(drug().name, "part text");
    med.display = "";
    assert_string_equal(drug().name, "part text");
    med.display = "reference";
    assert_string_equal(drug().name, "reference");
    code("urn:a", "1", "");
    assert_string_equal(drug().name, "reference");
    code("urn:a", "1", "second coding");
    assert_string_equal(drug().name, "second coding");
    med.code.text = "";
    assert_string_equal(drug().name, "second coding");
    med.code.text = "text";
    assert_string_equal(drug().name, "text");
    assert_false(drug().nameless);
}

static void a_name_longer_than_any_is_cut(void **state)
{
    char name[1000];

    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    med.code.text = name;
    assert_int_equal(strlen(drug().name), 399 + 3);
    assert_true(ow_ends_with(drug().name, "xx..."));
}

static void a_name_among_the_ingredients_gives_it_away(void **state)
{
    struct ow_ingredient parts[2] = {
        {.item = { .text = "Ativan" },     .inactive = true},
        { .item = { .text = "oxycodone" }, .inactive = true},
    };
    struct ow_drug d;

    (void)state;
    med.ingredients = parts;
    med.n_ingredients = 2;
    d = drug();
    assert_int_equal(d.kind, OW_DRUG_UNKNOWN);
    assert_null(d.like); /* what is not active is only carried along */
    assert_null(d.sedative);
    parts[0].inactive = parts[1].inactive = false;
    d = drug();
    assert_string_equal(d.like, "oxycodone");
    assert_non_null(d.sedative);
    assert_int_equal(d.kind, OW_DRUG_UNKNOWN);
}

static void a_code_that_nobody_knows_is_told_with_its_system(void **state)
{
    static const struct {
        const char *system, *want;
    } cases[] = {
        {RX,                                "RxNorm 0"    },
        { OID,                              "RxNorm 0"    },
        { OW_SYSTEM_NDC,                    "NDC 0"       },
        { "urn:oid:2.16.840.1.113883.6.69", "NDC 0"       },
        { OW_SYSTEM_SNOMED,                 "SNOMED CT 0" },
        { OW_SYSTEM_ATC,                    "ATC 0"       },
        { "urn:a",                          "local code 0"},
        { NULL,                             "local code 0"},
    };

    (void)state;
    code(NULL, NULL, NULL); /* a coding without a code is none */
    code(NULL, "0", NULL);
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_drug d;

        codings[1].system = cases[i].system;
        d = drug();
        assert_int_equal(d.kind, OW_DRUG_UNKNOWN);
        assert_non_null(strstr(d.reason, cases[i].want));
    }
}

static void a_reference_that_leads_nowhere_is_told(void **state)
{
    (void)state;
    med.unresolved = true;
    assert_non_null(drug().reason);
    med.reference = "Medication/m1";
    assert_non_null(strstr(drug().reason, "Medication/m1"));
    code("urn:a", "77", NULL); /* a code says more */
    assert_non_null(strstr(drug().reason, "local code 77"));
}

static void an_atc_code_counts_in_both_spellings_of_its_system(void **state)
{
    (void)state;
    code("urn:oid:2.16.840.1.113883.6.73", "N02AA05", NULL);
    assert_string_equal(drug().like, "N02AA05");
    codings[0].code = NULL;
    assert_null(drug().like);
    codings[0].system = "urn:a";
    codings[0].code = "N02AA05";
    assert_null(drug().like);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_code_with_a_form_is_preferred_to_a_component),
        TEST(the_first_of_several_codings_that_disagree_is_told),
        TEST(the_sedative_of_the_lowest_tier_speaks),
        TEST(an_ingredient_alone_tells_which_opioid),
        TEST(what_is_known_to_be_no_opioid_is_quiet),
        TEST(a_medication_is_called_by_the_first_name_it_has),
        TEST(a_name_longer_than_any_is_cut),
        TEST(a_name_among_the_ingredients_gives_it_away),
        TEST(a_code_that_nobody_knows_is_told_with_its_system),
        TEST(a_reference_that_leads_nowhere_is_told),
        TEST(an_atc_code_counts_in_both_spellings_of_its_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
