/*
 * check: what it says, where it says it, and how it ends
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cJSON.h>
#include <cmocka.h>

#include "base/text.h"
#include "daemon/command.h"
#include "daemon/files.h"
#include "tests/support/pki.h"

struct place {
    char folder[64], config[80], out[80], err[80];
    char *out_text, *err_text;
};

static int place_make(void **state)
{
    struct place *p = ow_alloc_zero(sizeof *p);
    char template[] = "/tmp/opiward-check-XXXXXX";

    assert_non_null(mkdtemp(template));
    ow_copy(p->folder, sizeof p->folder, template);
    snprintf(p->config, sizeof p->config, "%s/a.yaml", p->folder);
    snprintf(p->out, sizeof p->out, "%s/out", p->folder);
    snprintf(p->err, sizeof p->err, "%s/err", p->folder);
    *state = p;
    return 0;
}

static int place_remove(void **state)
{
    struct place *p = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", p->folder);
    assert_int_equal(system(command), 0);
    free(p->out_text);
    free(p->err_text);
    free(p);
    return 0;
}

static int redirect(int fd, const char *path)
{
    int kept = dup(fd), to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    assert_true(kept >= 0 && to >= 0);
    dup2(to, fd);
    close(to);
    return kept;
}

static char *text_of(const char *path, char *old)
{
    char *text;
    size_t len;

    free(old);
    assert_int_equal(ow_file_read(path, 1 << 20, &text, &len, NULL), OW_OK);
    return text;
}

/* Run the command; what it wrote is in the place. */
static int check(struct place *p, int argc, char **argv)
{
    int out, err, status;

    fflush(stdout);
    out = redirect(STDOUT_FILENO, p->out);
    err = redirect(STDERR_FILENO, p->err);
    status = ow_check_main(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    p->out_text = text_of(p->out, p->out_text);
    p->err_text = text_of(p->err, p->err_text);
    return status;
}

static int check_text(struct place *p, const char *yaml, bool json)
{
    char *argv[] = { (char[]){ "--config" }, p->config, (char[]){ "--json" }, NULL };
    FILE *f = fopen(p->config, "w");

    assert_non_null(f);
    fputs(yaml, f);
    fclose(f);
    return check(p, json ? 3 : 2, argv);
}

static void the_shipped_configuration_is_fine(void **state)
{
    struct place *p = *state;
    char *argv[] = { (char[]){ "--config" }, (char[]){ "conf/opiward.yaml" }, NULL };

    assert_int_equal(check(p, 2, argv), OW_EXIT_OK);
    assert_string_equal(p->out_text, "");
    assert_string_equal(p->err_text, "");
}

static void every_error_is_a_line_and_the_status_is_78(void **state)
{
    struct place *p = *state;
    char expected[1024];

    assert_int_equal(check_text(p,
                                "log: {level: loud}\nknowledge: {directory: none}\n"
                                "fhir: {secret_file: gone, auth: bearer}\n",
                                false),
                     OW_EXIT_CONFIG);
    snprintf(
        expected, sizeof expected,
        "%s/a.yaml:1:14: log.level: expected one of debug, info, warning, error; found "
        "'loud'\n"
        "%s/a.yaml:3:21: fhir.secret_file: %s/gone cannot be read: No such file or "
        "directory\n"
        "%s/none/VERSION:0:0: cannot be opened: No such file or directory\n",
        p->folder, p->folder, p->folder, p->folder);
    assert_true(ow_starts_with(p->err_text, expected));
    assert_true(ow_ends_with(p->err_text, "\nopiward check: 7 errors\n"));
    assert_string_equal(p->out_text, "");
}

static void with_json_every_error_is_an_object(void **state)
{
    struct place *p = *state;
    char *rest, *line;
    unsigned n = 0;

    assert_int_equal(check_text(p, "log: {level: \"l\\\"oud\"}\nsite: {zone: X}\n", true),
                     OW_EXIT_CONFIG);
    rest = p->out_text;
    while ((line = strsep(&rest, "\n")) && *line) {
        cJSON *o = cJSON_Parse(line);

        assert_non_null(o);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(o, "file")),
                            p->config);
        assert_int_equal(cJSON_GetObjectItem(o, "line")->valueint, ++n);
        assert_int_equal(cJSON_GetObjectItem(o, "column")->valueint, 14);
        assert_true(cJSON_IsString(cJSON_GetObjectItem(o, "text")));
        assert_int_equal(cJSON_GetArraySize(o), 4);
        cJSON_Delete(o);
    }
    assert_int_equal(n, 2);
    assert_string_equal(p->err_text, "opiward check: 2 errors\n");
}

static void certificate_and_key_have_to_be_a_pair(void **state)
{
    struct place *p = *state;
    struct pki pki;
    char yaml[512], expected[256];

    pki_make(&pki);
    chmod(pki.server_key, 0600);
    chmod(pki.other_key, 0600);
    snprintf(yaml, sizeof yaml, "listen:\n  tls_cert: %s\n  tls_key: %s\n",
             pki.server_cert, pki.server_key);
    assert_int_equal(check_text(p, yaml, false), OW_EXIT_OK);
    snprintf(yaml, sizeof yaml, "listen:\n  tls_cert: %s\n  tls_key: %s\n",
             pki.server_cert, pki.other_key);
    assert_int_equal(check_text(p, yaml, false), OW_EXIT_CONFIG);
    snprintf(expected, sizeof expected, "%s:2:13: listen.tls_cert: private key",
             p->config);
    assert_true(ow_starts_with(p->err_text, expected));
    chmod(pki.server_key, 0644);
    snprintf(yaml, sizeof yaml, "fhir:\n  cert_file: %s\n  key_file: %s\n",
             pki.server_cert, pki.server_key);
    assert_int_equal(check_text(p, yaml, false), OW_EXIT_CONFIG);
    assert_non_null(strstr(p->err_text, "mode 0644"));
    pki_remove(&pki);
}

static void a_secret_is_never_repeated(void **state)
{
    struct place *p = *state;
    char path[96];
    FILE *f;

    snprintf(path, sizeof path, "%s/secret", p->folder);
    f = fopen(path, "w");
    fputs("TOP\nSECRET\n", f);
    fclose(f);
    chmod(path, 0600);
    assert_int_equal(check_text(p,
                                "fhir: {auth: bearer, secret_file: secret,\n"
                                "  base_url: 'https://me:SECRET@ehr.example.org'}\n",
                                false),
                     OW_EXIT_CONFIG);
    assert_non_null(strstr(p->err_text, "opiward check: 2 errors"));
    assert_null(strstr(p->err_text, "SECRET"));
    assert_null(strstr(p->err_text, "TOP"));
}

/* Also those that are not in force. */
static void texts_are_looked_at_and_what_they_lack_is_counted(void **state)
{
    struct place *p = *state;
    char path[160], expected[400];
    FILE *f;

    assert_int_equal(check_text(p, "texts: {language: es}\n", false), OW_EXIT_OK);
    assert_string_equal(p->out_text, "");
    assert_true(ow_starts_with(p->err_text, "opiward check: note: texts 'es': "));
    assert_true(ow_ends_with(p->err_text, " stay in English\n"));

    snprintf(path, sizeof path, "%s/texts", p->folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/texts/fr.tsv", p->folder);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("key\ttext\nreaches\t{1} EMM\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(check_text(p, "site: {id: s}\n", false), OW_EXIT_CONFIG);
    snprintf(expected, sizeof expected,
             "%s:2:9: text: {2} is missing; in English: {1} MME/d reaches {2}\n"
             "opiward check: 1 error\n",
             path);
    assert_string_equal(p->err_text, expected);
}

static void the_texts_in_force_can_be_printed(void **state)
{
    struct place *p = *state;
    char *argv[] = { (char[]){ "--config" }, p->config, (char[]){ "--print-texts" },
                     NULL };
    char *english = text_of("conf/texts/en.tsv", NULL);

    assert_int_equal(check_text(p, "site: {id: s}\n", false), OW_EXIT_OK);
    assert_int_equal(check(p, 3, argv), OW_EXIT_OK);
    assert_string_equal(p->out_text, english);
    assert_int_equal(check_text(p, "texts: {language: es}\n", false), OW_EXIT_OK);
    assert_int_equal(check(p, 3, argv), OW_EXIT_OK);
    assert_non_null(
        strstr(p->out_text, "\nsummary-med\t{1} MME/día alcanza {2}\tcard; "));
    free(english);
}

static void wrong_usage_is_64(void **state)
{
    struct place *p = *state;
    char *unknown[] = { (char[]){ "--what" }, NULL };
    char *lacking[] = { (char[]){ "--config" }, NULL };

    assert_int_equal(check(p, 1, unknown), OW_EXIT_USAGE);
    assert_int_equal(check(p, 1, lacking), OW_EXIT_USAGE);
    assert_true(ow_starts_with(p->err_text, "usage: opiward check"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_shipped_configuration_is_fine),
        TEST(every_error_is_a_line_and_the_status_is_78),
        TEST(with_json_every_error_is_an_object),
        TEST(certificate_and_key_have_to_be_a_pair),
        TEST(a_secret_is_never_repeated),
        TEST(texts_are_looked_at_and_what_they_lack_is_counted),
        TEST(the_texts_in_force_can_be_printed),
        TEST(wrong_usage_is_64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
