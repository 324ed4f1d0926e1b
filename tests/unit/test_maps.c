/*
 * Maps: National Drug Codes, local codes and frequency codes stand for what they say
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/timing.h"
#include "base/buf.h"
#include "base/text.h"
#include "tests/support/build.h"

#define FACTORS                                                                          \
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"            \
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"       \
    "verified_2022\tsource_2016\tsource_2022\n"
#define PRODUCTS                                                                         \
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"         \
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"               \
    "co_ingredients\tsource\n"
#define NDC    "ndc\trxcui\tsource\n"
#define LOCAL  "system\tcode\trxcui\tsource\n"
#define TIMING "system\tcode\tdisplay\thours_shorter\thours_longer\tsource\tlicence\n"

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, text != NULL ? strlen(text) : 0 };
}

static void on_report(void *arg, const char *name, unsigned line, unsigned column,
                      const char *text)
{
    ow_buf_printf(arg, "%s:%u:%u: %s\n", name, line, column, text);
}

/* Knowledge of these maps and nothing else; NULL and the reports when it is refused. */
static struct ow_knowledge *load(const char *ndc, const char *local, const char *timing,
                                 struct ow_buf *reports)
{
    const struct ow_knowledge_files files = {
        .factors = file("f", FACTORS),
        .products = file("p", PRODUCTS),
        .sedatives = file("s", "rxcui\tname\tclass\ttier\tingredients\tsource\n"),
        .valuesets = file("v", "valueset\tsystem\tcode\n"),
        .ndc = file("ndc.tsv", ndc),
        .local_codes = file("local_codes.tsv", local),
        .timing_codes = file("timing_codes.tsv", timing),
    };
    struct ow_knowledge *kb = NULL;
    struct ow_err err;

    if (ow_knowledge_load(&files, on_report, reports, &kb, &err) != OW_OK)
        assert_null(kb);
    return kb;
}

static const char *rxcui_of(const struct ow_knowledge *kb, const char *ndc)
{
    const struct ow_mapping *m = ow_knowledge_ndc(kb, ndc);

    return m != NULL ? m->rxcui : "-";
}

static void an_ndc_is_one_code_in_all_its_forms(void **state)
{
    static const struct {
        const char *said, *full; /* NULL: cannot be brought to eleven digits */
    } cases[] = {
        {"00406051201",    "00406051201"},
        { "0406-0512-01",  "00406051201"}, /* 4-4-2 */
        { "63481-623-70",  "63481062370"}, /* 5-3-2 */
        { "12345-6789-1",  "12345678901"}, /* 5-4-1 */
        { "00406-0512-01", "00406051201"}, /* 5-4-2 */
        { "0406051201",    NULL         }, /* ten digits: ambiguous */
        { "0406-512-01",   NULL         }, /* two short parts */
        { "406-0512-01",   NULL         },
        { "00406051201x",  NULL         },
        { "0406051201x",   NULL         },
        { "123456-512-01", NULL         },
        { "12345-512-011", NULL         },
        { "0406--01",      NULL         },
        { "0406-0512",     NULL         }, /* a product without its package */
        { "0406-0512-01-", NULL         },
        { "0406 0512 01",  NULL         },
        { "000406051201",  NULL         },
        { "0040605120x",   NULL         },
        { "",              NULL         },
        { "-",             NULL         },
        { "--",            NULL         },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        char full[OW_NDC_SIZE] = "";

        assert_int_equal(ow_ndc_normal(cases[i].said, full), cases[i].full != NULL);
        if (cases[i].full != NULL)
            assert_string_equal(full, cases[i].full);
    }
}

static void a_table_of_ndcs_answers_in_any_form(void **state)
{
    struct ow_buf reports;
    struct ow_knowledge *kb;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    kb = load(NDC "00406051201\t1049683\tx\n63481-623-70\t1049621\ty\n", NULL, NULL,
              &reports);
    assert_non_null(kb);
    assert_string_equal(rxcui_of(kb, "00406051201"), "1049683");
    assert_string_equal(rxcui_of(kb, "0406-0512-01"), "1049683");
    assert_string_equal(rxcui_of(kb, "00406-0512-01"), "1049683");
    assert_string_equal(rxcui_of(kb, "63481062370"), "1049621");
    assert_string_equal(ow_knowledge_ndc(kb, "63481-623-70")->source, "y");
    assert_string_equal(rxcui_of(kb, "99999-623-70"), "-");
    assert_string_equal(rxcui_of(kb, "0406-0512"), "-");
    assert_string_equal(rxcui_of(kb, "0406051201x"), "-"); /* ten digits, and more */
    assert_string_equal(rxcui_of(kb, ""), "-");
    assert_string_equal(rxcui_of(kb, NULL), "-");
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
}

static void ten_digits_are_taken_only_when_one_reading_is_known(void **state)
{
    struct ow_buf reports;
    struct ow_knowledge *kb;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    /* 1234567890 may be 01234567890, 12345067890 or 12345678900 */
    kb = load(NDC "01234567890\t11\tx\n", NULL, NULL, &reports);
    assert_string_equal(rxcui_of(kb, "1234567890"), "11");
    ow_knowledge_free(kb);
    kb = load(NDC "12345067890\t12\tx\n", NULL, NULL, &reports);
    assert_string_equal(rxcui_of(kb, "1234567890"), "12");
    ow_knowledge_free(kb);
    kb = load(NDC "12345678900\t13\tx\n", NULL, NULL, &reports);
    assert_string_equal(rxcui_of(kb, "1234567890"), "13");
    assert_string_equal(rxcui_of(kb, "123456789"), "-");
    ow_knowledge_free(kb);
    kb = load(NDC "01234567890\t11\tx\n12345678900\t13\tx\n", NULL, NULL, &reports);
    assert_string_equal(rxcui_of(kb, "1234567890"), "-");
    assert_string_equal(rxcui_of(kb, "1234-5678-90"), "11");
    assert_string_equal(rxcui_of(kb, "12345-6789-0"), "13");
    ow_knowledge_free(kb);
    /* all digits alike: the three readings are one code */
    kb = load(NDC "00000000000\t14\tx\n", NULL, NULL, &reports);
    assert_string_equal(rxcui_of(kb, "0000000000"), "14");
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
}

static void a_local_code_belongs_to_its_system(void **state)
{
    struct ow_buf reports;
    struct ow_knowledge *kb;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    kb = load(NULL, LOCAL "urn:a\tOXY5\t1049621\tsite\nurn:b\tOXY5\t1049683\tsite\n",
              NULL, &reports);
    assert_non_null(kb);
    assert_string_equal(ow_knowledge_local(kb, "urn:a", "OXY5")->rxcui, "1049621");
    assert_string_equal(ow_knowledge_local(kb, "urn:b", "OXY5")->rxcui, "1049683");
    assert_null(ow_knowledge_local(kb, "urn:c", "OXY5"));
    assert_null(ow_knowledge_local(kb, "urn:a", "oxy5"));
    assert_null(ow_knowledge_local(kb, NULL, "OXY5"));
    assert_null(ow_knowledge_local(kb, "urn:a", NULL));
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
}

static void faults_of_the_maps_are_told_with_their_place(void **state)
{
    static const struct {
        const char *ndc, *local, *timing, *want;
    } cases[] = {
        {NDC "0406051201\t1\tx\n00406051201\tx\tx\n",    NULL,                             NULL,
         "ndc.tsv:2:1: ndc: eleven digits, or three parts with hyphens\n"
          "ndc.tsv:3:13: rxcui: an RxNorm number was expected\n"                                                                                   },
        { NDC "00406051201\t1\tx\n0406-0512-01\t1\tx\n", NULL,                             NULL,
         "ndc.tsv:3:1: ndc: 00406051201 is there twice\n"                                                                                          },
        { NULL,                                          LOCAL "\ta\t1\tx\nb\t\t1\tx\n",   NULL,
         "local_codes.tsv:2:1: system: must not be empty\n"
          "local_codes.tsv:3:3: code: must not be empty\n"                                                                                         },
        { NULL,                                          LOCAL "a\tb\t1\tx\na\tb\t2\tx\n", NULL,
         "local_codes.tsv:3:3: code: b is there twice\n"                                                                                           },
        { NULL,                                          NULL,
         TIMING "s\t1\tx\t0\t8\ty\tz\ns\t2\tx\t8\t6\ty\tz\ns\t3\tx\t6\t\ty\tz\n"
                 "s\t4\tx\t6\t9000\ty\tz\n\t5\tx\t6\t8\ty\tz\ns\t6\tx\t6\t6\ty\tz\n"
                 "s\t6\tx\t6\t6\ty\tz\n",                                                        "timing_codes.tsv:2:7: hours_shorter: hours above zero, at most 8784, were "
          "expected\n"
          "timing_codes.tsv:3:9: hours_longer: below hours_shorter\n"
          "timing_codes.tsv:4:9: hours_longer: hours above zero, at most 8784, were "
          "expected\n"
          "timing_codes.tsv:5:9: hours_longer: hours above zero, at most 8784, were "
          "expected\n"
          "timing_codes.tsv:6:1: system: must not be empty\n"
          "timing_codes.tsv:8:3: code: 6 is there twice\n"                                                },
        { "x\n",                                         NULL,                             NULL,
         "ndc.tsv:1:1: no column ndc in the header\n"
          "ndc.tsv:1:1: no column rxcui in the header\n"
          "ndc.tsv:1:1: no column source in the header\n"                                                                                          },
        { "",                                            NULL,                             NULL, "ndc.tsv:1:1: empty; a header line was expected\n"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf reports;

        ow_buf_init(&reports, 1 << 16);
        assert_null(load(cases[i].ndc, cases[i].local, cases[i].timing, &reports));
        assert_string_equal(ow_buf_cstr(&reports), cases[i].want);
        ow_buf_done(&reports);
    }
}

static void a_site_without_a_snomed_licence_reads_everything_else(void **state)
{
    const struct ow_coding gts = { "http://terminology.hl7.org/CodeSystem/"
                                   "v3-GTSAbbreviation",
                                   "BID", NULL };
    const struct ow_coding sct = { OW_SYSTEM_SNOMED, "229799001", "Twice a day" };
    struct ow_timing t = {
        .code = {&gts, 1, NULL}
    };
    struct ow_buf reports;
    struct ow_knowledge *kb;
    struct ow_rate rate;
    struct ow_err err;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    kb = load(NULL, NULL, TIMING, &reports);
    assert_non_null(kb);
    assert_int_equal(ow_timing_rate(kb, &t, &rate, &err), OW_OK);
    assert_int_equal(ow_ratio_cmp(rate.high, OW_RATIO(2, 1)), 0);
    t.code.codings = &sct;
    assert_int_equal(ow_timing_rate(build_knowledge(), &t, &rate, &err), OW_OK);
    assert_int_equal(ow_ratio_cmp(rate.high, OW_RATIO(2, 1)), 0);
    assert_int_equal(ow_timing_rate(kb, &t, &rate, &err), OW_MISSING);
    assert_string_equal(err.text, "no frequency: the timing code is not a known one");
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
}

static void a_frequency_that_is_no_fraction_of_64_bits_is_not_known(void **state)
{
    const struct ow_coding fine = { "s", "fine", NULL },
                           long_fine = { "s", "long", NULL };
    struct ow_timing t = {
        .code = {&fine, 1, NULL}
    };
    struct ow_buf reports;
    struct ow_knowledge *kb;
    struct ow_rate rate;
    struct ow_err err;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    kb = load(NULL, NULL,
              TIMING "s\tfine\tx\t0.000000000000000001\t1\ty\tz\n"
                     "s\tlong\tx\t1\t1.000000000000000001\ty\tz\n",
              &reports);
    assert_non_null(kb);
    assert_int_equal(ow_timing_rate(kb, &t, &rate, &err), OW_MISSING);
    assert_string_equal(err.text, "no frequency: the timing code is not a known one");
    t.code.codings = &long_fine;
    assert_int_equal(ow_timing_rate(kb, &t, &rate, &err), OW_MISSING);
    assert_null(ow_knowledge_timing(kb, NULL, "fine"));
    assert_null(ow_knowledge_timing(kb, "s", NULL));
    assert_null(ow_knowledge_sedative(kb, NULL));
    ow_knowledge_free(kb);
    ow_buf_done(&reports);
}

static void a_map_needs_its_header_and_a_frequency_its_code(void **state)
{
    struct ow_buf reports;

    (void)state;
    ow_buf_init(&reports, 1 << 16);
    assert_null(
        load(NULL, "system\tcode\trxcui\n", TIMING "s\t\tx\t6\t6\ty\tz\n", &reports));
    assert_string_equal(ow_buf_cstr(&reports),
                        "timing_codes.tsv:2:3: code: must not be empty\n"
                        "local_codes.tsv:1:1: no column source in the header\n");
    ow_buf_reset(&reports);
    assert_null(load(NULL, NULL, "system\n", &reports));
    assert_true(reports.len > 0);
    ow_buf_done(&reports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ndc_is_one_code_in_all_its_forms),
        cmocka_unit_test(a_table_of_ndcs_answers_in_any_form),
        cmocka_unit_test(ten_digits_are_taken_only_when_one_reading_is_known),
        cmocka_unit_test(a_local_code_belongs_to_its_system),
        cmocka_unit_test(faults_of_the_maps_are_told_with_their_place),
        cmocka_unit_test(a_frequency_that_is_no_fraction_of_64_bits_is_not_known),
        cmocka_unit_test(a_map_needs_its_header_and_a_frequency_its_code),
        cmocka_unit_test(a_site_without_a_snomed_licence_reads_everything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
