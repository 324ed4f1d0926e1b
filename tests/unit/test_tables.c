/*
 * Tables and zones from disk: the shipped ones load, broken ones are named with their
 * place, and a name of a zone cannot leave its folder
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/files.h"
#include "daemon/tables.h"
#include "tests/support/build.h"

struct folder {
    char path[64];
    struct ow_buf errors;
};

/* A command of the shell on the folder: before 'FOLDER' behind. */
static void run(const char *before, const struct folder *f, const char *behind)
{
    char command[512];

    snprintf(command, sizeof command, "%s '%s'%s", before, f->path, behind);
    assert_int_equal(system(command), 0);
}

static int folder_make(void **state)
{
    struct folder *f = ow_alloc_zero(sizeof *f);
    char template[] = "/tmp/opiward-tables-XXXXXX";

    assert_non_null(mkdtemp(template));
    ow_copy(f->path, sizeof f->path, template);
    ow_buf_init(&f->errors, 1 << 20);
    run("cp conf/knowledge/*", f, "");
    *state = f;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *f = *state;

    run("rm -r", f, "");
    ow_buf_done(&f->errors);
    free(f);
    return 0;
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    struct folder *f = arg;
    const char *name = ow_starts_with(file, f->path) ? file + strlen(f->path) + 1 : file;

    ow_buf_printf(&f->errors, "%s:%u:%u: %s\n", name, line, column, text);
}

static void put(const struct folder *f, const char *name, const char *text)
{
    char path[128];
    FILE *to;

    snprintf(path, sizeof path, "%s/%s", f->path, name);
    to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void refused(struct folder *f)
{
    struct ow_knowledge *kb = NULL;

    ow_buf_reset(&f->errors);
    assert_int_equal(ow_tables_load(f->path, on_error, f, &kb), OW_CONFIG);
    assert_null(kb);
    assert_true(f->errors.len > 0);
}

static void the_shipped_tables_load_with_version_and_hash(void **state)
{
    struct folder *f = *state;
    struct ow_knowledge *kb;
    char expected[80];
    FILE *from = popen("cd conf/knowledge && cat mme_factors.tsv opioid_products.tsv "
                       "sedatives.tsv valuesets.tsv timing_codes.tsv ndc.tsv "
                       "local_codes.tsv max_doses.tsv preferred_drugs.tsv | sha256sum",
                       "r");

    assert_non_null(from);
    assert_non_null(fgets(expected, sizeof expected, from));
    pclose(from);
    expected[64] = '\0';
    assert_int_equal(ow_tables_load("conf/knowledge", on_error, f, &kb), OW_OK);
    assert_string_equal(ow_knowledge_version(kb), "2025-02");
    assert_string_equal(ow_knowledge_sha256(kb), expected);
    assert_non_null(ow_knowledge_product(kb, "1049686"));
    ow_knowledge_free(kb);
}

static void one_byte_more_is_another_hash(void **state)
{
    struct folder *f = *state;
    struct ow_knowledge *a, *b;

    assert_int_equal(ow_tables_load("conf/knowledge", on_error, f, &a), OW_OK);
    run("printf '999999999\\tIN\\tx\\tbenzodiazepine\\t1\\tx\\t\\t\\t\\tx\\t0\\t\\n' >>",
        f, "/sedatives.tsv");
    assert_int_equal(ow_tables_load(f->path, on_error, f, &b), OW_OK);
    assert_string_not_equal(ow_knowledge_sha256(a), ow_knowledge_sha256(b));
    ow_knowledge_free(a);
    ow_knowledge_free(b);
}

static void an_empty_folder_names_every_missing_file(void **state)
{
    struct folder *f = *state;

    run("rm", f, "/*");
    refused(f);
    assert_string_equal(
        ow_buf_cstr(&f->errors),
        "VERSION:0:0: cannot be opened: No such file or directory\n"
        "mme_factors.tsv:0:0: cannot be opened: No such file or directory\n"
        "opioid_products.tsv:0:0: cannot be opened: No such file or directory\n"
        "sedatives.tsv:0:0: cannot be opened: No such file or directory\n"
        "valuesets.tsv:0:0: cannot be opened: No such file or directory\n");
}

static void tables_that_may_be_left_out_are_empty_then(void **state)
{
    struct folder *f = *state;
    struct ow_knowledge *kb;

    run("rm", f, "/timing_codes.tsv");
    run("rm", f, "/ndc.tsv");
    run("rm", f, "/local_codes.tsv");
    assert_int_equal(ow_tables_load(f->path, on_error, f, &kb), OW_OK);
    assert_null(ow_knowledge_timing(kb, OW_SYSTEM_SNOMED, "229797004"));
    ow_knowledge_free(kb);
    run("mkdir", f, "/ndc.tsv"); /* there, and no table */
    refused(f);
    assert_true(ow_starts_with(ow_buf_cstr(&f->errors), "ndc.tsv:0:0: "));
}

static void without_snomed_ct_everything_else_still_works(void **state)
{
    struct folder *f = *state;
    const struct ow_verdict *v;
    struct ow_knowledge *kb;
    struct ow_order *o;
    struct build b;

    run("sed -i '/\tSNOMED CT\t/d'", f, "/valuesets.tsv");
    run("sed -i '/\tSNOMED CT\t/d'", f, "/timing_codes.tsv");
    assert_int_equal(ow_tables_load(f->path, on_error, f, &kb), OW_OK);
    build_init(&b);
    b.q.knowledge = kb;
    o = build_order(&b, "a", RX_OXYCODONE_20);
    build_dose(&b, o, "1", "tablet", 4);
    o = build_order(&b, "b", RX_LORAZEPAM_1);
    build_dose(&b, o, "1", "tablet", 2);
    v = build_judge(&b);
    assert_int_equal(build_line(v, "a")->role, OW_ROLE_COUNTED);
    assert_non_null(build_finding(v, "med-threshold"));
    assert_non_null(build_finding(v, "sedative-coprescribing"));
    build_done(&b);
    ow_knowledge_free(kb);
}

static void a_bad_row_is_named_with_line_and_column(void **state)
{
    struct folder *f = *state;

    run("sed -i '2s/\\t0.2\\tMG/\\tnought\\tMG/'", f, "/opioid_products.tsv");
    refused(f);
    assert_true(ow_starts_with(ow_buf_cstr(&f->errors), "opioid_products.tsv:2:"));
}

static void the_version_is_one_word(void **state)
{
    static const char *const bad[] = { "",     "\n",     "two words\n",  "a\nb\n",
                                       " x\n", "\x01\n", "caf\xc3\xa9\n" };

    for (size_t i = 0; i < OW_LEN(bad); i++) {
        put(*state, "VERSION", bad[i]);
        refused(*state);
        assert_string_equal(ow_buf_cstr(&((struct folder *)*state)->errors),
                            "VERSION:1:1: expected one word, such as 2025-02\n");
    }
}

static void the_folder_is_looked_for_in_order(void **state)
{
    struct folder *f = *state;
    struct ow_config c = { .knowledge_directory = "knowledge" };
    char file[128], found[4096], expected[128];

    /* no file: this test's program stands in a checkout */
    ow_tables_folder(&c, found, sizeof found);
    assert_true(ow_ends_with(found, "/conf/knowledge") && ow_is_folder(found));
    /* a file without tables beside it */
    snprintf(file, sizeof file, "%s/a.yaml", f->path);
    c.file = file;
    ow_tables_folder(&c, found, sizeof found);
    assert_true(ow_ends_with(found, "/conf/knowledge"));
    /* with */
    snprintf(expected, sizeof expected, "%s/knowledge", f->path);
    assert_int_equal(mkdir(expected, 0700), 0);
    ow_tables_folder(&c, found, sizeof found);
    assert_string_equal(found, expected);
    /* said outright: no other is taken, be it there or not */
    c.knowledge_directory = "mine";
    snprintf(expected, sizeof expected, "%s/mine", f->path);
    ow_tables_folder(&c, found, sizeof found);
    assert_string_equal(found, expected);
    c.knowledge_directory = "/elsewhere";
    ow_tables_folder(&c, found, sizeof found);
    assert_string_equal(found, "/elsewhere");
    c.file = "opiward.yaml";
    c.knowledge_directory = "mine";
    ow_tables_folder(&c, found, sizeof found);
    assert_string_equal(found, "./mine");
}

static void zones_load_by_name(void **state)
{
    static const char *const names[] = { "America/Denver", "Europe/Berlin", "Etc/GMT+5",
                                         "America/Argentina/Buenos_Aires" };
    struct ow_zone *z;
    struct ow_err err;

    (void)state;
    if (!ow_is_folder("/usr/share/zoneinfo/America"))
        skip();
    for (size_t i = 0; i < OW_LEN(names); i++) {
        z = NULL;
        assert_int_equal(ow_zone_load(names[i], &z, &err), OW_OK);
        assert_string_equal(ow_zone_name(z), names[i]);
        ow_zone_free(z);
    }
    assert_int_equal(ow_zone_load("UTC", &z, &err), OW_OK);
    assert_null(z);
}

static void no_name_of_a_zone_leaves_the_folder(void **state)
{
    static const char *const bad[] = {
        "",  "/etc/passwd", "../passwd",     "America/..", "America//Denver", "America/",
        ".", "a\nb",        "posix/../../x", "America",    "zone.tab"
    };
    struct ow_zone *z = NULL;
    struct ow_err err;

    (void)state;
    for (size_t i = 0; i < OW_LEN(bad); i++) {
        err.text[0] = '\0';
        assert_int_equal(ow_zone_load(bad[i], &z, &err), OW_CONFIG);
        assert_null(z);
        assert_true(err.text[0] != '\0');
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_shipped_tables_load_with_version_and_hash),
        TEST(one_byte_more_is_another_hash),
        TEST(an_empty_folder_names_every_missing_file),
        TEST(tables_that_may_be_left_out_are_empty_then),
        TEST(without_snomed_ct_everything_else_still_works),
        TEST(a_bad_row_is_named_with_line_and_column),
        TEST(the_version_is_one_word),
        TEST(the_folder_is_looked_for_in_order),
        cmocka_unit_test(zones_load_by_name),
        cmocka_unit_test(no_name_of_a_zone_leaves_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
