/*
 * Knowledge: the shipped tables load and answer, broken ones are refused with the place
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/knowledge.h"
#include "base/buf.h"
#include "base/text.h"

struct reports {
    struct ow_buf text;
    unsigned n;
};

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    struct reports *r = arg;

    r->n++;
    ow_buf_printf(&r->text, "%s:%u:%u: %s\n", file, line, column, text);
}

static char *slurp(const char *name, size_t *len)
{
    char path[512];
    FILE *f;
    char *data;
    long n;

    (void)snprintf(path, sizeof path, "conf/knowledge/%s", name);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    assert_true(n > 0);
    rewind(f);
    data = ow_alloc((size_t)n + 1);
    assert_int_equal(fread(data, 1, (size_t)n, f), (size_t)n);
    data[n] = '\0';
    fclose(f);
    *len = (size_t)n;
    return data;
}

static char *tables[7];
static struct ow_knowledge_files files;
static struct ow_knowledge *kb;

static int setup(void **state)
{
    static const char *const names[] = { "mme_factors.tsv",  "opioid_products.tsv",
                                         "sedatives.tsv",    "valuesets.tsv",
                                         "timing_codes.tsv", "ndc.tsv",
                                         "local_codes.tsv" };
    struct ow_knowledge_file *f[] = { &files.factors,      &files.products,
                                      &files.sedatives,    &files.valuesets,
                                      &files.timing_codes, &files.ndc,
                                      &files.local_codes };
    struct reports r = { .n = 0 };
    struct ow_err err;
    size_t i;

    (void)state;
    ow_buf_init(&r.text, 1 << 20);
    for (i = 0; i < 7; i++) {
        f[i]->name = names[i];
        tables[i] = slurp(names[i], &f[i]->len);
        f[i]->data = tables[i];
    }
    files.version = "2025-02";
    files.sha256 = "00ff";
    if (ow_knowledge_load(&files, on_report, &r, &kb, &err) != OW_OK) {
        print_error("%s\n%s", err.text, ow_buf_cstr(&r.text));
        return -1;
    }
    ow_buf_done(&r.text);
    return 0;
}

static int teardown(void **state)
{
    size_t i;

    (void)state;
    ow_knowledge_free(kb);
    for (i = 0; i < 7; i++)
        free(tables[i]);
    return 0;
}

static const struct ow_product *product(const char *rxcui)
{
    const struct ow_product *p = ow_knowledge_product(kb, rxcui);

    if (p == NULL)
        fail_msg("no product %s", rxcui);
    return p;
}

static void every_row_of_the_shipped_tables_is_found_by_its_code(void **state)
{
    const char *at = tables[1];
    unsigned n = 0;

    (void)state;
    while ((at = strchr(at, '\n')) != NULL && at[1] != '\0') {
        char rxcui[16];
        size_t len = strcspn(++at, "\t");

        assert_true(len < sizeof rxcui);
        memcpy(rxcui, at, len);
        rxcui[len] = '\0';
        assert_string_equal(product(rxcui)->rxcui, rxcui);
        n++;
    }
    assert_int_equal(n, 1932);
    assert_null(ow_knowledge_product(kb, "99999999"));
    assert_null(ow_knowledge_product(kb, ""));
    assert_null(ow_knowledge_product(kb, NULL));
    assert_string_equal(ow_knowledge_version(kb), "2025-02");
    assert_string_equal(ow_knowledge_sha256(kb), "00ff");
}

static void a_product_row_becomes_a_struct(void **state)
{
    const struct ow_product *p = product("245134");

    (void)state;
    assert_string_equal(p->ingredient, "Fentanyl");
    assert_int_equal(ow_ratio_cmp(p->strength, OW_RATIO(1, 40)), 0);
    assert_int_equal(p->strength_unit, OW_STRENGTH_MG_HR);
    assert_true(p->is_patch);
    assert_int_equal(p->patch_hours, 72);
    assert_true(p->has_form);
    assert_int_equal(p->form, OW_FORM_TRANSDERMAL);
    assert_true(p->extended_release);
    p = product("993781");
    assert_string_equal(p->co_ingredients, "acetaminophen 300 MG");
    p = product("637540");
    assert_int_equal(ow_ratio_cmp(p->strength, OW_RATIO(122, 25)), 0);
    p = product("316409"); /* opium 30 MG, a component */
    assert_false(p->has_form);
    assert_int_equal(p->form, OW_FORM_UNKNOWN);
}

static void sedatives_have_class_and_tier(void **state)
{
    const struct ow_sedative *s = ow_knowledge_sedative(kb, "596");

    (void)state;
    assert_non_null(s);
    assert_string_equal(s->name, "alprazolam");
    assert_int_equal(s->cls, OW_SEDATIVE_BENZODIAZEPINE);
    assert_int_equal(s->tier, 1);
    assert_null(ow_knowledge_sedative(kb, "1049683"));
    assert_null(ow_knowledge_sedative(kb, ""));
    s = ow_knowledge_sedative(kb, "994226"); /* carisoprodol with codeine: both */
    assert_non_null(s);
    assert_non_null(ow_knowledge_product(kb, "994226"));
    assert_string_equal(ow_sedative_class_name(OW_SEDATIVE_Z_HYPNOTIC), "z_hypnotic");
}

static void a_pack_is_what_it_holds_and_not_what_its_name_mentions(void **state)
{
    /* lamotrigine "for patients taking carbamazepine, phenytoin, phenobarbital, ..." */
    static const char *const packs[] = { "795774", "795778",  "900866",
                                         "900891", "2003797", "2003798" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(packs); i++) {
        const struct ow_sedative *s = ow_knowledge_sedative(kb, packs[i]);

        assert_non_null(s);
        assert_int_equal(s->cls, OW_SEDATIVE_NOT);
        assert_int_equal(s->tier, 9);
        assert_string_equal(s->ingredients, "lamotrigine");
    }
    /* a pack that does hold a sedative still is one */
    assert_int_equal(ow_knowledge_sedative(kb, "2398511")->tier, 1);
}

static void value_sets_answer_by_set_system_and_code(void **state)
{
    (void)state;
    assert_true(ow_knowledge_in_set(kb, "cocaine-urine-drug-screening-tests",
                                    OW_SYSTEM_LOINC, "3397-7"));
    assert_false(ow_knowledge_in_set(kb, "cocaine-urine-drug-screening-tests",
                                     OW_SYSTEM_SNOMED, "3397-7"));
    assert_false(ow_knowledge_in_set(kb, "anxiety", OW_SYSTEM_LOINC, "3397-7"));
    assert_false(ow_knowledge_in_set(kb, "anxiety", NULL, "3397-7"));
    assert_false(ow_knowledge_in_set(kb, "anxiety", OW_SYSTEM_LOINC, NULL));
}

/* One look answers for every shipped set at once, and says what the single look says. */
static void all_sets_of_a_code_come_in_one_look(void **state)
{
    static const char *const names[] = {
#define SET(id, name) name,
#include "alerts/sets.def"
#undef SET
    };
    static const struct {
        const char *system, *code;
    } codes[] = {
        {OW_SYSTEM_LOINC,   "3397-7"   },
        { OW_SYSTEM_ICD10,  "F11.21"   },
        { OW_SYSTEM_ICD10,  "D57.1"    },
        { OW_SYSTEM_SNOMED, "385763009"},
        { OW_SYSTEM_RXNORM, "351266"   },
        { OW_SYSTEM_LOINC,  "385763009"},
    };
    struct ow_sets none = ow_knowledge_sets(kb, NULL, "3397-7");
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(codes); i++) {
        struct ow_sets s = ow_knowledge_sets(kb, codes[i].system, codes[i].code);

        for (unsigned k = 0; k < OW_SET_N; k++) {
            assert_int_equal(
                ow_sets_has(&s, k),
                ow_knowledge_in_set(kb, names[k], codes[i].system, codes[i].code));
            assert_false(ow_sets_has(&none, k));
            found += ow_sets_has(&s, k);
        }
    }
    assert_true(found >= 9);
}

struct factor_case {
    const char *rxcui, *total, *in_2016, *in_2022, *in_older;
};

/* NULL: no factor */
static const struct factor_case factor_cases[] = {
    {"1049683",  "40",    "1.5",  "1.5", "1.5" }, /* oxycodone tablet */
    { "897702",  "8",     "4",    "5",   "5"   }, /* hydromorphone */
    { "833709",  "100",   "0.1",  "0.2", "0.2" }, /* tramadol */
    { "864706",  "1",     "4",    "4.7", "4.7" }, /* methadone, its bands */
    { "864706",  "20",    "4",    "4.7", "4.7" },
    { "864706",  "20.5",  "8",    "4.7", "4.7" },
    { "864706",  "40",    "8",    "4.7", "4.7" },
    { "864706",  "40.01", "10",   "4.7", "4.7" },
    { "864706",  "60",    "10",   "4.7", "4.7" },
    { "864706",  "61",    "12",   "4.7", "4.7" },
    { "864706",  "1000",  "12",   "4.7", "4.7" },
    { "864706",  "0",     NULL,   "4.7", "4.7" },
    { "245134",  "0",     "2.4",  "2.4", "2.4" }, /* fentanyl patch, rate basis */
    { "668363",  "0",     "0.13", NULL,  "0.13"}, /* buccal tablet */
    { "858092",  "0",     "0.18", NULL,  "0.18"}, /* buccal film */
    { "310295",  "0",     "0.13", NULL,  "0.13"}, /* lozenge */
    { "1237057", "0",     "0.18", NULL,  "0.18"}, /* mucosal spray: CDC, not 0.16 */
    { "1115573", "0",     "0.16", NULL,  "0.16"}, /* nasal */
    { "1740007", "0",     "0.18", NULL,  "0.18"}, /* pack of sprays */
    { "1666831", "0",     NULL,   NULL,  NULL  }, /* iontophoretic */
    { "886634",  "0",     "7",    NULL,  "7"   }, /* butorphanol */
    { "312104",  "0",     "1",    NULL,  "1"   }, /* opium suppository */
    { "892603",  "0",     "1",    "1",   "1"   }, /* morphine suppository: oral factor */
    { "106500",  "0",     NULL,   NULL,  NULL  }, /* alfentanil */
    { "904880",  "0",     NULL,   NULL,  NULL  }, /* buprenorphine patch */
    { "1010600", "0",     NULL,   NULL,  NULL  }, /* buprenorphine film */
    { "104972",  "0",     NULL,   NULL,  NULL  }, /* dipipanone, number unknown */
    { "830195",  "0",     "1",    NULL,  "1"   }, /* opium 100 MG/ML, component */
    { "316409",  "0",     "1",    NULL,  "1"   }, /* opium 30 MG, component */
};

static void factor_is(const struct factor_case *c, enum ow_table table, bool older,
                      const char *want)
{
    struct ow_ratio total, w;
    struct ow_factor f;
    struct ow_err err = { "" };
    enum ow_code code;

    assert_true(ow_ratio_parse(c->total, strlen(c->total), &total));
    code = ow_knowledge_factor(kb, table, older, product(c->rxcui), total, &f, &err);
    if (want == NULL) {
        if (code != OW_MISSING)
            fail_msg("%s: a factor where none was expected", c->rxcui);
        assert_true(err.text[0] != '\0');
        return;
    }
    if (code != OW_OK)
        fail_msg("%s: %s", c->rxcui, err.text);
    assert_true(ow_ratio_parse(want, strlen(want), &w));
    if (ow_ratio_cmp(f.value, w) != 0)
        fail_msg("%s %s: not %s", c->rxcui, c->total, want);
    assert_int_equal(f.basis, ow_product_basis(product(c->rxcui)));
    assert_true(f.row[0] != '\0' && f.source[0] != '\0');
}

static void factors_follow_table_form_and_band(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(factor_cases); i++) {
        factor_is(&factor_cases[i], OW_TABLE_CDC_2016, false, factor_cases[i].in_2016);
        factor_is(&factor_cases[i], OW_TABLE_CDC_2022, false, factor_cases[i].in_2022);
        factor_is(&factor_cases[i], OW_TABLE_CDC_2022, true, factor_cases[i].in_older);
    }
}

static const char *reason(const char *rxcui, enum ow_table table, bool older)
{
    static struct ow_err err;
    struct ow_factor f;

    assert_int_equal(
        ow_knowledge_factor(kb, table, older, product(rxcui), OW_ZERO, &f, &err),
        OW_MISSING);
    return err.text;
}

static void a_missing_factor_says_why(void **state)
{
    (void)state;
    assert_string_equal(reason("1115573", OW_TABLE_CDC_2022, false),
                        "no factor in cdc-2022 for nasal fentanyl");
    assert_string_equal(reason("197873", OW_TABLE_CDC_2022, false),
                        "no factor in cdc-2022 for oral levorphanol");
    assert_string_equal(reason("1010600", OW_TABLE_CDC_2022, true),
                        "sublingual film buprenorphine is excluded from MME totals");
    assert_string_equal(
        reason("864706", OW_TABLE_CDC_2016, false),
        "the factor of oral methadone in cdc-2016 follows the total daily "
        "dose, which is not above zero");
}

static void a_factor_names_its_row_and_table(void **state)
{
    struct ow_factor f;
    struct ow_err err;

    (void)state;
    assert_int_equal(ow_knowledge_factor(kb, OW_TABLE_CDC_2016, false, product("864706"),
                                         OW_RATIO(30, 1), &f, &err),
                     OW_OK);
    assert_string_equal(f.row, "Methadone, oral, over 20 to 40 mg/d");
    assert_int_equal(f.table, OW_TABLE_CDC_2016);
    assert_false(f.older);
    assert_int_equal(ow_knowledge_factor(kb, OW_TABLE_CDC_2022, false, product("864706"),
                                         OW_RATIO(30, 1), &f, &err),
                     OW_OK);
    assert_string_equal(f.row, "Methadone, oral");
    assert_string_equal(f.source, "CDC 2022 guideline MME table");
    assert_int_equal(ow_knowledge_factor(kb, OW_TABLE_CDC_2022, true, product("668363"),
                                         OW_ZERO, &f, &err),
                     OW_OK);
    assert_true(f.older);
    assert_int_equal(f.table, OW_TABLE_CDC_2016);
    assert_string_equal(ow_table_name(f.table), "cdc-2016");
}

static void components_take_a_factor_only_where_their_forms_agree(void **state)
{
    struct ow_product p = { .rxcui = "1",
                            .ingredient = "Fentanyl",
                            .ingredient_rxcui = "4337",
                            .form_class = "",
                            .strength = OW_RATIO(1, 5),
                            .strength_unit = OW_STRENGTH_MG };
    struct ow_factor f;
    struct ow_err err;

    (void)state;
    assert_int_equal(
        ow_knowledge_factor(kb, OW_TABLE_CDC_2016, false, &p, OW_ZERO, &f, &err),
        OW_MISSING);
    assert_string_equal(
        err.text,
        "the factor in cdc-2016 of fentanyl without a dose form depends on the form");
    p.strength_unit = OW_STRENGTH_MG_ACTUAT;
    assert_int_equal(
        ow_knowledge_factor(kb, OW_TABLE_CDC_2016, false, &p, OW_ZERO, &f, &err),
        OW_MISSING);
    p.strength_unit = OW_STRENGTH_MG_HR;
    assert_int_equal(
        ow_knowledge_factor(kb, OW_TABLE_CDC_2022, false, &p, OW_ZERO, &f, &err), OW_OK);
    assert_int_equal(f.basis, OW_BASIS_MCG_HOUR);
    p.ingredient = "Oxycodone";
    p.ingredient_rxcui = "7804";
    p.strength_unit = OW_STRENGTH_MG;
    assert_int_equal(
        ow_knowledge_factor(kb, OW_TABLE_CDC_2022, false, &p, OW_ZERO, &f, &err), OW_OK);
    assert_int_equal(ow_ratio_cmp(f.value, OW_RATIO(3, 2)), 0);
}

static void injectables_never_take_the_oral_factor(void **state)
{
    const char *at = tables[1];
    unsigned n = 0;

    (void)state;
    while ((at = strchr(at, '\n')) != NULL && at[1] != '\0') {
        const struct ow_product *p;
        struct ow_factor f;
        char rxcui[16] = { 0 };

        memcpy(rxcui, at + 1, strcspn(at + 1, "\t"));
        at++;
        p = product(rxcui);
        if (!p->has_form || (p->form != OW_FORM_INJECTABLE && p->form != OW_FORM_OTHER))
            continue;
        n++;
        assert_int_equal(ow_knowledge_factor(kb, OW_TABLE_CDC_2022, true, p,
                                             OW_RATIO(10, 1), &f, NULL),
                         OW_MISSING);
    }
    assert_int_equal(n, 224 + 9);
}

static void buprenorphine_is_excluded_in_every_form(void **state)
{
    (void)state;
    assert_true(ow_knowledge_excluded(kb, product("904880")));
    assert_true(ow_knowledge_excluded(kb, product("1010600")));
    assert_false(ow_knowledge_excluded(kb, product("1049683")));
    assert_false(ow_knowledge_excluded(kb, product("245134")));
}

struct like_case {
    const char *text, *want;
};

static void names_and_atc_codes_give_an_opioid_away(void **state)
{
    static const struct like_case cases[] = {
        {"OxyCODONE HCl 10 mg tab (home supply)", "oxycodone"           },
        { "MS Contin 15mg",                       "ms contin"           },
        { "MS-CONTIN",                            "ms contin"           },
        { "Tylenol with Codeine #3",              "tylenol with codeine"},
        { "Tylenol 500 mg",                       NULL                  },
        { "apomorphine 10 mg/mL",                 NULL                  },
        { "dextromethorphan",                     NULL                  },
        { "naloxone nasal spray",                 NULL                  },
        { "Endodan tablets",                      "endodan"             },
        { "pethidine 50 mg",                      "pethidine"           },
        { "lisinopril 10 mg",                     NULL                  },
        { "",                                     NULL                  },
    };
    struct ow_coding coding = { "urn:x", "1", NULL };
    struct ow_concept c = { .codings = &coding, .n_codings = 1 };
    const char *got;
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(cases); i++) {
        coding.display = i % 2 ? cases[i].text : NULL;
        c.text = i % 2 ? NULL : cases[i].text;
        got = ow_knowledge_opioid_like(kb, &c);
        if (!ow_streq(got, cases[i].want))
            fail_msg("%s: %s", cases[i].text, got ? got : "nothing");
    }
    c.text = coding.display = NULL;
    coding.system = OW_SYSTEM_ATC;
    coding.code = "N02AA05";
    assert_string_equal(ow_knowledge_opioid_like(kb, &c), "N02AA05");
    coding.code = "N07BC51";
    assert_non_null(ow_knowledge_opioid_like(kb, &c));
    coding.code = "R05DA04";
    assert_non_null(ow_knowledge_opioid_like(kb, &c));
    coding.code = "N02BE01";
    assert_null(ow_knowledge_opioid_like(kb, &c));
}

/* Load with one table replaced; gives all reports. */
static char *reports_of(struct ow_knowledge_file *which, const char *text)
{
    struct ow_knowledge_file keep = *which;
    struct reports r = { .n = 0 };
    struct ow_knowledge *broken = NULL;
    struct ow_err err = { "" };
    enum ow_code code;
    char *out;

    ow_buf_init(&r.text, 1 << 20);
    which->data = text;
    which->len = strlen(text);
    code = ow_knowledge_load(&files, on_report, &r, &broken, &err);
    *which = keep;
    assert_int_equal(code, r.n > 0 ? OW_CONFIG : OW_OK);
    assert_true((r.n > 0) == (err.text[0] != '\0'));
    ow_knowledge_free(broken);
    ow_buf_str(&r.text, "");
    out = ow_buf_take(&r.text, NULL);
    return out != NULL ? out : ow_strdup("");
}

#define F_HEAD                                                                           \
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"            \
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"       \
    "verified_2022\tsource_2016\tsource_2022\n"
#define P_HEAD                                                                           \
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"         \
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"               \
    "co_ingredients\tsource\n"
#define P_GOOD "\tSCD\tX\t7804\tOxycodone\t10\tMG\tOral Tablet\toral_solid\t0\t\t\t\ts\n"

struct broken_case {
    char table; /* f, p, s, v */
    const char *text, *want;
};

static const struct broken_case broken_cases[] = {
    {'p',  "",                                                                         "opioid_products.tsv:1:1: empty; a header line was expected\n"             },
    { 'v', "valueset\tsystem\n",                                                       "valuesets.tsv:1:1: no column code in the header\n"                        },
    { 'v', "valueset\tsystem\tcode\tcode\n",
     "valuesets.tsv:1:22: column code is there twice\n"                                                                                                           },
    { 'v', "valueset\tsystem\tcode\na\tb\n",
     "valuesets.tsv:2:4: 2 fields where the header has 3\n"                                                                                                       },
    { 'v', "valueset\tsystem\tcode\na\tb\tc\td\n",
     "valuesets.tsv:2:5: 4 fields where the header has 3\n"                                                                                                       },
    { 'v', "valueset\tsystem\tcode\na\tb\tc\n\na\tb\td\n",
     "valuesets.tsv:3:1: empty line\n"                                                                                                                            },
    { 'v', "valueset\tsystem\tcode\r\na\tb\tc\r\na\tb\tc\r\n",
     "valuesets.tsv:3:5: code: c is there twice in this set\n"                                                                                                    },
    { 'v', "valueset\tsystem\tcode\na\t\tc\na\tb\t\xff\n",
     "valuesets.tsv:2:3: system: must not be empty\n"
      "valuesets.tsv:3:5: not UTF-8 text\n"                                                                                                                       },
    { 'p', P_HEAD "12" P_GOOD "12" P_GOOD "x" P_GOOD,
     "opioid_products.tsv:3:1: rxcui: 12 is there twice\n"
      "opioid_products.tsv:4:1: rxcui: an RxNorm number was expected\n"                                                                                           },
    { 'p',
     P_HEAD "12\tSCD\tX\t7804\tOxycodone\t0\tMG\tT\toral_solid\t0\t\t\t\ts\n"
             "13\tSCD\tX\t7804\tOxycodone\t5\tmg\tT\toral_solid\t0\t\t\t\ts\n"
             "14\tSCD\tX\t7804\tOxycodone\t5\tMG\tT\toral\t0\t\t\t\ts\n"
             "15\tSCD\tX\t7804\tOxycodone\t5\tMG\tT\ttransdermal\t1\t72\t\t\ts\n"
             "16\tSCD\tX\t7804\tOxycodone\t5\tMG/HR\tT\ttransdermal\t1\t0\t\t\ts\n"
             "17\tSCD\tX\t7804\tOxycodone\t5\tMG\tT\toral_solid\t0\t\tyes\t\ts\n",     "opioid_products.tsv:2:25: strength_value: a decimal above zero was expected\n"
      "opioid_products.tsv:3:27: strength_unit: MG, MG/ML, MG/HR or MG/ACTUAT was "
      "expected\n"
      "opioid_products.tsv:4:32: form_class: not a form class\n"
      "opioid_products.tsv:5:27: strength_unit: the strength of a patch is a rate, "
      "MG/HR\n"
      "opioid_products.tsv:6:49: patch_hours: hours from 1 to 744 were expected\n"
      "opioid_products.tsv:7:46: er_la: vs, form or nothing was expected\n"     },
    { 's',
     "rxcui\tname\tclass\ttier\tingredients\tsource\n"
      "1\ta\tbenzo\t1\ta\ts\n2\ta\tbarbiturate\t4\ta\ts\n\ta\tbarbiturate\t2\ta\ts\n", "sedatives.tsv:2:5: class: not a class of sedatives\n"
      "sedatives.tsv:3:17: tier: 1, 2, 3 or 9 was expected\n"               },
    { 'f', F_HEAD "M\t1\toral\toral_solid\tmg\t\t\t-1\t\tdoc\tdoc\ts\ts\n",
     "mme_factors.tsv:2:26: factor_2016: a factor above zero, or nothing, was "
      "expected\n"                                                                                                                                                },
    { 'f', F_HEAD "M\t1\toral\toral_solid\tmg\t\t\t1\t\tguess\tdoc\ts\ts\n",
     "mme_factors.tsv:2:29: verified_2016: doc, code, doc+code or derived goes with a "
      "factor\n"                                                                                                                                                  },
    { 'f', F_HEAD "M\t1\toral\toral_solid\tmcg\t\t\t1\t\tdoc\tdoc\ts\ts\n",
     "mme_factors.tsv:2:21: unit_basis: a factor is per mcg/h for patches, per mcg for "
      "other fentanyl, else per mg\n"                                                                                                                             },
    { 'f',
     F_HEAD "M\t1\toral\toral_solid\tmg\t0\t20\t4\t\tdoc\t\ts\ts\n"
             "M\t1\toral\toral_solid\tmg\t21\t\t8\t\tdoc\t\ts\ts\n",                   "mme_factors.tsv:2:1: dose_low_mg_day: the band does not join its neighbour\n"
      "mme_factors.tsv:3:1: dose_low_mg_day: the band does not join its neighbour\n"          },
    { 'f',
     F_HEAD "M\t1\toral\toral_solid\tmg\t\t\t4\t\tdoc\t\ts\ts\n"
             "M\t1\trectal\trectal,oral_solid\tmg\t\t\t8\t\tdoc\t\ts\ts\n",            "mme_factors.tsv:3:1: ingredient: the same doses as line 2 have a factor\n"},
};

static void broken_tables_are_refused_with_line_and_column(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(broken_cases); i++) {
        const struct broken_case *c = &broken_cases[i];
        struct ow_knowledge_file *f = c->table == 'f'   ? &files.factors
                                      : c->table == 'p' ? &files.products
                                      : c->table == 's' ? &files.sedatives
                                                        : &files.valuesets;
        char *got = reports_of(f, c->text);

        assert_string_equal(got, c->want);
        free(got);
    }
}

static void a_flood_of_errors_is_counted_and_not_told(void **state)
{
    struct ow_buf b;
    char *got;
    const char *at;
    unsigned n = 0;
    int i;

    (void)state;
    ow_buf_init(&b, 1 << 20);
    ow_buf_str(&b, "valueset\tsystem\tcode\n");
    for (i = 0; i < 5000; i++)
        ow_buf_str(&b, "x\n");
    got = reports_of(&files.valuesets, ow_buf_cstr(&b));
    for (at = got; (at = strchr(at, '\n')) != NULL; at++)
        n++;
    assert_int_equal(n, 200);
    free(got);
    ow_buf_done(&b);
}

/* The factor of every ingredient and form that a published calculator tests itself with.
 * The vectors are not part of the source; OW_SHARED names the folder they are in. */
static void published_factor_vectors_are_met(void **state)
{
    const char *shared = getenv("OW_SHARED");
    char path[512], line[1024], ingredient[64] = "", rxcui[32] = "", cls[64] = "";
    char dose[32] = "", y16[32] = "", y22[32] = "";
    unsigned n = 0;
    FILE *f;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/cases/vectors/vectors-factors-a.json",
                   shared != NULL ? shared : "../shared");
    f = fopen(path, "r");
    if (f == NULL) {
        print_message("note: no %s; published vectors not compared\n", path);
        return;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        (void)sscanf(line, " \"ingredient\": \"%63[^\"]\"", ingredient);
        (void)sscanf(line, " \"ingredient_rxcui\": \"%31[^\"]\"", rxcui);
        (void)sscanf(line, " \"daily_dose\": %31[0-9.]", dose);
        (void)sscanf(line, " \"factor_2016\": %31[a-z0-9.]", y16);
        (void)sscanf(line, " \"factor_2022\": %31[a-z0-9.]", y22);
        if (sscanf(line, " \"form_class\": \"%63[^\"]\"", cls) == 1) {
            struct ow_product p = { .rxcui = "1",
                                    .ingredient = ingredient,
                                    .ingredient_rxcui = rxcui,
                                    .form_class = cls,
                                    .has_form = true };
            static const struct {
                const char *word;
                enum ow_form form;
            } forms[] = {
                {"oral_solid",     OW_FORM_ORAL_SOLID   },
                { "oral_liquid",   OW_FORM_ORAL_LIQUID  },
                { "transdermal",   OW_FORM_TRANSDERMAL  },
                { "buccal_tablet", OW_FORM_BUCCAL_TABLET},
                { "buccal_film",   OW_FORM_BUCCAL_FILM  },
                { "nasal",         OW_FORM_NASAL        },
                { "injectable",    OW_FORM_INJECTABLE   },
                { "other",         OW_FORM_OTHER        },
            };
            size_t i, k;

            for (i = 0; i < OW_LEN(forms) && !ow_streq(forms[i].word, cls); i++)
                ;
            assert_true(i < OW_LEN(forms));
            p.form = forms[i].form;
            for (k = 0; k < 2; k++) {
                const char *want = k == 0 ? y22 : y16;
                struct ow_ratio total, w;
                struct ow_factor got;
                struct ow_err err;
                enum ow_code code;

                assert_true(ow_ratio_parse(dose, strlen(dose), &total));
                code = ow_knowledge_factor(kb,
                                           k == 0 ? OW_TABLE_CDC_2022 : OW_TABLE_CDC_2016,
                                           false, &p, total, &got, &err);
                assert_int_equal(code, ow_streq(want, "null") ? OW_MISSING : OW_OK);
                if (code != OW_OK)
                    continue;
                assert_true(ow_ratio_parse(want, strlen(want), &w));
                assert_int_equal(ow_ratio_cmp(got.value, w), 0);
            }
            n++;
        }
    }
    fclose(f);
    assert_true(n > 30);
}

/* Not a promise of speed, which a shared machine cannot keep; it notices an index that
 * has become a walk over the table. */
static void a_lookup_does_not_walk_the_table(void **state)
{
    struct timespec a, b;
    size_t i, found = 0;
    double ns;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (i = 0; i < 200000; i++)
        found += ow_knowledge_product(kb, i % 2 ? "1049683" : "99999999") != NULL;
    clock_gettime(CLOCK_MONOTONIC, &b);
    ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 200000;
    assert_int_equal(found, 100000);
    print_message("product lookup: %.0f ns\n", ns);
    assert_true(ns < 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_shipped_tables_is_found_by_its_code),
        cmocka_unit_test(a_product_row_becomes_a_struct),
        cmocka_unit_test(sedatives_have_class_and_tier),
        cmocka_unit_test(a_pack_is_what_it_holds_and_not_what_its_name_mentions),
        cmocka_unit_test(value_sets_answer_by_set_system_and_code),
        cmocka_unit_test(all_sets_of_a_code_come_in_one_look),
        cmocka_unit_test(factors_follow_table_form_and_band),
        cmocka_unit_test(a_missing_factor_says_why),
        cmocka_unit_test(a_factor_names_its_row_and_table),
        cmocka_unit_test(components_take_a_factor_only_where_their_forms_agree),
        cmocka_unit_test(injectables_never_take_the_oral_factor),
        cmocka_unit_test(buprenorphine_is_excluded_in_every_form),
        cmocka_unit_test(names_and_atc_codes_give_an_opioid_away),
        cmocka_unit_test(broken_tables_are_refused_with_line_and_column),
        cmocka_unit_test(a_flood_of_errors_is_counted_and_not_told),
        cmocka_unit_test(published_factor_vectors_are_met),
        cmocka_unit_test(a_lookup_does_not_walk_the_table),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
