/*
 * The knowledge command: check, list, diff, lookup, and the import of an RxNorm release
 *
 * The release in tests/fixtures/rrf is invented: true columns, a few true ingredient
 * numbers, everything else made up, with one case of each kind that can go wrong.
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
#include "daemon/command.h"
#include "daemon/files.h"
#include "daemon/tables.h"

#define RRF "tests/fixtures/rrf"

static char folder[64]; /* of this test */
static char *out, *err; /* what the last command said */

static char *slurp(const char *path)
{
    char *data = NULL;
    struct ow_err why;
    size_t len;

    if (ow_file_read(path, 1 << 28, &data, &len, &why) != OW_OK)
        fail_msg("%s: %s", path, why.text);
    return data;
}

static const char *in(const char *name)
{
    static char path[4][192];
    static unsigned i;

    i = (i + 1) % 4;
    (void)snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
    return path[i];
}

/* Standard output and error to files while the command runs. */
static int redirected(int fd, const char *path)
{
    int keep = dup(fd);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(keep >= 0 && dup2(fileno(f), fd) == fd);
    fclose(f);
    return keep;
}

static int run(const char *first, ...)
{
    char *argv[12] = { (char *)(uintptr_t)first };
    int argc = 1, keep[2], status;
    va_list ap;

    va_start(ap, first);
    while ((argv[argc] = va_arg(ap, char *)) != NULL)
        argc++;
    va_end(ap);
    fflush(NULL);
    keep[0] = redirected(STDOUT_FILENO, in("stdout"));
    keep[1] = redirected(STDERR_FILENO, in("stderr"));
    status = ow_knowledge_main(argc, argv);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(keep[i], i + 1);
        close(keep[i]);
    }
    free(out);
    free(err);
    out = slurp(in("stdout"));
    err = slurp(in("stderr"));
    return status;
}

static void shell(const char *fmt, ...) OW_PRINTF(1, 2);

static void shell(const char *fmt, ...)
{
    char command[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in\n%.4000s", part, text);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in it", part);
}

static int begin(void **state)
{
    (void)state;
    ow_copy(folder, sizeof folder, "/tmp/ow-knowledge-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(out);
    free(err);
    out = err = NULL;
    shell("rm -r %s", folder);
    return 0;
}

/* ---- the tables there are ---- */

static void check_tells_every_error_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(run("check", "--from", "conf/knowledge", NULL), OW_EXIT_OK);
    assert_string_equal(out, "");
    assert_string_equal(err, "");
    shell("cp -r conf/knowledge %s", in("k"));
    shell("printf 'x\\ty\\tz\\tn\\n1\\t2\\tz\\tn\\n' >> %s%s", in("k"), "/ndc.tsv");
    assert_int_equal(run("--from", in("k"), "check", NULL), OW_EXIT_CONFIG);
    has(err, "/ndc.tsv:2:1: ndc: eleven digits, or three parts with hyphens\n");
    has(err, "/ndc.tsv:3:1: ndc: eleven digits");
    has(err, "opiward knowledge check: 2 errors\n");
    assert_int_equal(run("--json", "--from", in("k"), "check", NULL), OW_EXIT_CONFIG);
    has(out, "\"line\":2,\"column\":1,\"text\":\"ndc: eleven digits");
}

static void list_names_rows_hash_and_sources(void **state)
{
    (void)state;
    assert_int_equal(run("list", "--from", "conf/knowledge", NULL), OW_EXIT_OK);
    has(out, "conf/knowledge, version 2025-02\n");
    has(out, "opioid_products.tsv: 1932 rows, sha256 ");
    has(out, "     910  source: omtk-2020-10\n");
    assert_int_equal(run("list", "--json", "--from", "conf/knowledge", NULL), OW_EXIT_OK);
    has(out, "{\"table\":\"timing_codes.tsv\",\"version\":\"2025-02\",\"present\":true,"
             "\"rows\":21,\"sha256\":\"");
}

static void diff_reads_column_by_column(void **state)
{
    (void)state;
    shell("cp -r conf/knowledge %s", in("k"));
    shell("sed -i -e '/^104958\\t/d' -e 's/^\\(104957\\t.*\\t\\)0.2\\tMG/\\10.3\\tMG/' "
          "%s%s",
          in("k"), "/opioid_products.tsv");
    shell("printf '00406051201\\t1049621\\tsite\\t\\n' >> %s%s", in("k"), "/ndc.tsv");
    assert_int_equal(run("diff", "conf/knowledge", in("k"), NULL), OW_EXIT_OK);
    has(out, "~ 104957  Buprenorphine 0.2 MG Sublingual Tablet [Subutex]\n"
             "      strength_value: 0.2 -> 0.3\n");
    has(out, "- 104958  Buprenorphine 0.4 MG Sublingual Tablet [Subutex]\n");
    has(out, "opioid_products.tsv: 0 added, 1 removed, 1 changed\n");
    has(out, "+ 00406051201  1049621\n      source: site\n");
    has(out, "valuesets.tsv: 0 added, 0 removed, 0 changed\n");
    assert_int_equal(run("diff", "--json", "conf/knowledge", in("k"), NULL), OW_EXIT_OK);
    has(out,
        "{\"table\":\"opioid_products.tsv\",\"change\":\"changed\",\"key\":\"104957\","
        "\"columns\":[{\"column\":\"strength_value\",\"old\":\"0.2\",\"new\":\"0.3\"}]"
        "}\n");
    assert_int_equal(run("diff", "conf/knowledge", in("nowhere"), NULL), OW_EXIT_CONFIG);
}

static void lookup_tells_all_of_a_code(void **state)
{
    (void)state;
    shell("cp -r conf/knowledge %s", in("k"));
    shell("printf '0406-0512-01\\t864706\\tsite\\t\\n' >> %s%s", in("k"), "/ndc.tsv");
    shell("printf 'urn:a\\tM10\\t864706\\tm\\tsite\\t\\n' >> %s%s", in("k"),
          "/local_codes.tsv");
    assert_int_equal(run("lookup", "--from", in("k"), "864706", NULL), OW_EXIT_OK);
    has(out, "    drug_name: methadone hydrochloride 10 MG Oral Tablet\n");
    has(out, "    source: omtk-2020-10\n");
    has(out, "cdc-2022: factor 4.7 per mg, row \"Methadone, oral\", source CDC 2022");
    has(out, "cdc-2016: factor 12 per mg, row \"Methadone, oral, over 60 mg/d\"");
    has(out, "    valueset: methadone-medications\n");
    assert_int_equal(run("lookup", "--from", in("k"), "00406051201", NULL), OW_EXIT_OK);
    has(out, "ndc.tsv line 2\n");
    has(out, "    rxcui: 864706\n    tty: SCD\n");
    assert_int_equal(run("lookup", "--from", in("k"), "urn:a|M10", NULL), OW_EXIT_OK);
    has(out, "local_codes.tsv line 2\n");
    has(out, "    drug_name: methadone hydrochloride 10 MG Oral Tablet\n");
    assert_int_equal(run("lookup", "--from", in("k"), "urn:b|M10", NULL), OW_EXIT_DATA);
    assert_int_equal(run("lookup", "--json", "--from", in("k"), "795774", NULL),
                     OW_EXIT_OK);
    has(out, "\"class\":\"not_sedative_in_published_set\"");
    assert_int_equal(run("lookup", "--from", in("k"), "Subutex", NULL), OW_EXIT_OK);
    has(out, "Buprenorphine 0.2 MG Sublingual Tablet [Subutex]");
    assert_int_equal(run("lookup", "--from", in("k"), "nothing of it", NULL),
                     OW_EXIT_DATA);
    has(err, "no table knows 'nothing of it'");
}

static void wrong_usage_is_64(void **state)
{
    (void)state;
    assert_int_equal(run("dance", "--from", "conf/knowledge", NULL), OW_EXIT_USAGE);
    assert_int_equal(run("diff", "conf/knowledge", NULL), OW_EXIT_USAGE);
    assert_int_equal(run("lookup", "--from", "conf/knowledge", NULL), OW_EXIT_USAGE);
    assert_int_equal(run("list", "--from", NULL), OW_EXIT_USAGE);
    assert_int_equal(run("list", "--much", NULL), OW_EXIT_USAGE);
    assert_int_equal(run("list", "--from", "conf/knowledge", "--out", "x", NULL),
                     OW_EXIT_USAGE);
    assert_int_equal(
        run("import-rxnorm", "--from", "conf/knowledge", "--release", "May", RRF, NULL),
        OW_EXIT_USAGE);
    has(err, "--release is a month, YYYY-MM");
}

/* ---- the import ---- */

static void import(const char *from, const char *to)
{
    int status = run("import-rxnorm", "--from", from, "--out", to, "--json", RRF, NULL);

    if (status != OW_EXIT_OK)
        fail_msg("%d: %s", status, err);
}

static void a_release_becomes_products_with_their_strength(void **state)
{
    char *text;

    (void)state;
    import("conf/knowledge", in("new"));
    has(out, "{\"table\":\"opioid_products.tsv\",");
    has(out, "\"source\":\"rxnorm-2025-03\",\"rows\":1944,\"new\":12,\"renewed\":2,"
             "\"kept\":1930,\"leftOut\":8,\"moved\":0}\n");
    text = slurp(in("new/opioid_products.tsv"));
    /* renewed: curated columns stay */
    has(text,
        "\n1049621\tSCD\toxycodone hydrochloride 5 MG Oral Tablet\t7804\tOxycodone\t5"
        "\tMG\tOral Tablet\t317541\toral_solid\toral\t0\t\t\t\t\t1\t1\t"
        "rxnorm-2025-03\t\n");
    /* new, with a co-ingredient */
    has(text, "\n9920001\tSCD\tacetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral "
              "Tablet\t7804\tOxycodone\t5\tMG\tOral Tablet\t317541\toral_solid\toral\t0\t"
              "\t\tacetaminophen 325 MG\t\t0\t0\trxnorm-2025-03\t\n");
    /* a brand that only says whose brand it is */
    has(text, "\n9920002\tSBD\toxycodone hydrochloride 5 MG Oral Tablet [Roxi, "
              "Invented]\t7804\tOxycodone\t5\tMG\tOral Tablet\t");
    /* a patch, its rate and its wear */
    has(text, "\n9920003\tSCD\t72 HR fentanyl 0.025 MG/HR Transdermal System\t4337\t"
              "Fentanyl\t0.025\tMG/HR\tTransdermal System\t316987\ttransdermal\t"
              "transdermal\t1\t72\tform\t");
    /* a strength that only the name of its component tells */
    has(text, "\n9920004\tSCD\toxycodone hydrochloride 7 MG Oral Tablet\t7804\tOxycodone"
              "\t7\tMG\t");
    /* two salts of one ingredient */
    has(text, "\tOxycodone\t5.5\tMG\tOral Tablet\t317541\toral_solid\toral\t0\t\t\t\t"
              "0.5+5\t");
    /* a component */
    has(text,
        "\n9910001\tSCDC\toxycodone hydrochloride 5 MG\t7804\tOxycodone\t5\tMG\t\t\t"
        "\t\t0\t");
    /* packs of one strength, also by their generic */
    has(text, "\n9930001\tGPCK\t{20 (oxycodone hydrochloride 5 MG Oral Tablet) } Pack\t"
              "7804\tOxycodone\t5\tMG\tPack\t746839\toral_solid\toral\t");
    has(text, "\n9930002\tBPCK\t");
    free(text);
}

static void what_cannot_be_a_row_is_told_and_left_out(void **state)
{
    static const char *const gone[] = {
        "\n9920005\t", /* suppressed */
        "\n9920006\t", /* for animals */
        "\n9920007\t", /* a strength in units */
        "\n9920008\t", /* two opioids */
        "\n9920009\t", /* a dose form of no class */
        "\n9920011\t", /* name and attribute disagree */
        "\n9920030\t", /* acetaminophen, by a suppressed relation */
        "\n9930003\t", /* a pack of two strengths */
        "\n9930004\t", /* a pack with another drug beside */
        "\n9940001\t", /* a brand name */
    };
    char *text;

    (void)state;
    import("conf/knowledge", in("new"));
    text = slurp(in("new/opioid_products.tsv"));
    for (size_t i = 0; i < OW_LEN(gone); i++)
        lacks(text, gone[i]);
    free(text);
    has(err, "9920007 morphine sulfate 100 UNT Oral Tablet: left out, its strength is "
             "not in MG, MG/ML, MG/HR or MG/ACTUAT\n");
    has(err, ": left out, two opioids\n");
    has(err, "left out, no class is known for the dose form Buccal Lollipop\n");
    has(err, "left out, the strength in its name is another than RXN_STRENGTH\n");
    has(err, ": left out, a pack of different strengths\n");
    has(err, ": left out, a pack that holds other drugs beside\n");
    lacks(err, "9920006");
    has(err, "ingredient Methadone: the release has none of that name and number\n");
}

static void an_import_changes_no_strength_and_drops_no_row(void **state)
{
    char *text;

    (void)state;
    import("conf/knowledge", in("new"));
    has(err, "opioid_products.tsv 1049683: strength_value is 10 in the table and 5 in "
             "rxnorm-2025-03; kept\n");
    text = slurp(in("new/opioid_products.tsv"));
    has(text,
        "\n1049683\tSCD\toxycodone hydrochloride 10 MG Oral Tablet\t7804\tOxycodone\t"
        "10\tMG\t");
    has(text, "\trxnorm-2025-03 says strength_value 5\n");
    has(text, "\n104957\tSBD\tBuprenorphine 0.2 MG Sublingual Tablet [Subutex]\t");
    has(text, "derived from the RxNorm name; not in rxnorm-2025-03\n");
    free(text);
    assert_int_equal(run("diff", "conf/knowledge", in("new"), NULL), OW_EXIT_OK);
    has(out, "opioid_products.tsv: 12 added, 0 removed, ");
    has(out, "valuesets.tsv: 0 added, 0 removed, 0 changed\n");
}

static void a_pack_is_the_sedative_that_it_contains(void **state)
{
    char *text;

    (void)state;
    import("conf/knowledge", in("new"));
    text = slurp(in("new/sedatives.tsv"));
    has(text, "\n9920020\tSCD\tlorazepam 1 MG Oral Tablet\tbenzodiazepine\t1\tlorazepam\t"
              "6470\tOral Tablet\toral\trxnorm-2025-03\t0\t\n");
    has(text, "\n9930006\tGPCK\t{7 (lorazepam 1 MG Oral Tablet) / ");
    lacks(text, "9930005"); /* lamotrigine for patients who take phenobarbital */
    lacks(text, "9920023"); /* a gel */
    /* an ingredient without a number gets one, and so its products */
    has(text,
        "\n9900001\tIN\tdaridorexant\tother_hypnotic\t2\tdaridorexant\t9900001\t\t\t"
        "rxnorm-2025-03\t0\t\n");
    has(text, "\n9920021\tSCD\tdaridorexant 25 MG Oral Tablet\tother_hypnotic\t2\t");
    /* tier 9 was not asked for */
    has(text, "\n200243\tSCD\tsevoflurane 1000 MG/ML Inhalation Solution\t");
    lacks(strstr(text, "\n200243\t"), "antiemetic; not in rxnorm");
    free(text);
}

static void ndcs_come_with_their_month(void **state)
{
    char *text;

    (void)state;
    shell("cp -r conf/knowledge %s", in("k"));
    shell("printf '00406051201\\t1049683\\trxnorm-2024-01\\t\\n00000000001\\t1049683\\t"
          "rxnorm-2024-01\\t\\n' >> %s%s",
          in("k"), "/ndc.tsv");
    import(in("k"), in("new"));
    text = slurp(in("new/ndc.tsv"));
    assert_string_equal(text, "ndc\trxcui\tsource\tnote\n"
                              "00000000001\t1049683\trxnorm-2024-01\t\n"
                              "00187006301\t9920020\trxnorm-2025-03\t\n"
                              "00406051201\t1049621\trxnorm-2025-03\t1049683 before "
                              "rxnorm-2025-03 (rxnorm-2024-01)\n"
                              "00406051262\t1049621\trxnorm-2025-03\t\n"
                              "33333333333\t9920001\trxnorm-2025-03\t\n"
                              "63481062370\t9920001\trxnorm-2025-03\t\n");
    free(text);
    has(err, "NDC 11111111111: left out, it stands for 2 concepts\n");
    text = slurp(in("new/VERSION"));
    assert_string_equal(text, "2025-03\n");
    free(text);
}

static void the_same_release_again_changes_nothing(void **state)
{
    (void)state;
    import("conf/knowledge", in("a"));
    import(in("a"), in("b"));
    shell("diff -r %s %s", in("a"), in("b"));
    /* nor does the order of its rows */
    shell("mkdir %s && cp " RRF "/RXNSAB.RRF %s/", in("r"), in("r"));
    shell("for f in RXNCONSO RXNREL RXNSAT; do tac " RRF "/$f.RRF > %s/$f.RRF; done",
          in("r"));
    assert_int_equal(
        run("import-rxnorm", "--from", "conf/knowledge", "--out", in("c"), in("r"), NULL),
        OW_EXIT_OK);
    shell("diff -r %s %s", in("a"), in("c"));
}

static void nothing_is_written_over(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in("there"), 0700), 0);
    assert_int_equal(
        run("import-rxnorm", "--from", "conf/knowledge", "--out", in("there"), RRF, NULL),
        OW_EXIT_CREATE);
    has(err, "cannot be created: File exists");
}

static void malformed_rows_are_told_with_file_and_line(void **state)
{
    static const struct {
        const char *file, *edit, *want;
    } cases[] = {
        {"RXNCONSO.RRF",  "3s/|$//",
         "/RXNCONSO.RRF:3:1: 18 fields, each with a pipe behind it, expected\n"                                              },
        { "RXNCONSO.RRF", "2s/^161/x/",
         "/RXNCONSO.RRF:2:1: an RxNorm number was expected\n"                                                                },
        { "RXNREL.RRF",   "5s/^/|/",
         "/RXNREL.RRF:5:1: 16 fields, each with a pipe behind it, expected\n"                                                },
        { "RXNSAT.RRF",   "s/0406-0512-62/0406-512-62/",
         "an NDC of eleven digits was expected\n"                                                                            },
        { "RXNSAT.RRF",   "1s/^/\\x00/",                                           "/RXNSAT.RRF:1:1: a NUL byte in the row\n"},
        { "RXNCONSO.RRF", "s/oxycodone hydrochloride 7 MG Oral Tablet||/\\xff||/",
         ": the name is no text that a table can hold\n"                                                                     },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        char path[192];

        shell("rm -rf %s; cp -r " RRF " %s", in("r"), in("r"));
        (void)snprintf(path, sizeof path, "%s/r/%s", folder, cases[i].file);
        shell("LC_ALL=C sed -i '%s' %s", cases[i].edit, path);
        assert_int_equal(run("import-rxnorm", "--from", "conf/knowledge", "--out",
                             in("x"), in("r"), NULL),
                         OW_EXIT_DATA);
        has(err, cases[i].want);
        has(err, ": 1 malformed row; nothing was written\n");
        assert_false(ow_is_folder(in("x")));
    }
}

static void a_release_that_is_not_whole_is_refused(void **state)
{
    (void)state;
    shell("cp -r " RRF " %s; rm %s", in("r"), in("r/RXNSAT.RRF"));
    assert_int_equal(
        run("import-rxnorm", "--from", "conf/knowledge", "--out", in("x"), in("r"), NULL),
        OW_EXIT_DATA);
    has(err, "/RXNSAT.RRF: cannot be opened: No such file or directory; nothing was "
             "written\n");
    assert_false(ow_is_folder(in("x")));
}

static void a_release_without_a_name_needs_one(void **state)
{
    char *text;

    (void)state;
    shell("mkdir %s; cp -r " RRF " %s", in("full"), in("full/rrf")); /* as it unpacks */
    shell("rm %s", in("full/rrf/RXNSAB.RRF"));
    assert_int_equal(run("import-rxnorm", "--from", "conf/knowledge", "--out", in("x"),
                         in("full"), NULL),
                     OW_EXIT_USAGE);
    has(err, "say --release YYYY-MM\n");
    assert_int_equal(run("import-rxnorm", "--from", "conf/knowledge", "--out", in("x"),
                         "--release", "2026-01", in("full"), NULL),
                     OW_EXIT_OK);
    text = slurp(in("x/ndc.tsv"));
    has(text, "\trxnorm-2026-01\t");
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(check_tells_every_error_with_its_place),
        TEST(list_names_rows_hash_and_sources),
        TEST(diff_reads_column_by_column),
        TEST(lookup_tells_all_of_a_code),
        TEST(wrong_usage_is_64),
        TEST(a_release_becomes_products_with_their_strength),
        TEST(what_cannot_be_a_row_is_told_and_left_out),
        TEST(an_import_changes_no_strength_and_drops_no_row),
        TEST(a_pack_is_the_sedative_that_it_contains),
        TEST(ndcs_come_with_their_month),
        TEST(the_same_release_again_changes_nothing),
        TEST(nothing_is_written_over),
        TEST(malformed_rows_are_told_with_file_and_line),
        TEST(a_release_that_is_not_whole_is_refused),
        TEST(a_release_without_a_name_needs_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
