#include "daemon/tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "base/time.h"
#include "daemon/files.h"

enum {
    PATH_BYTES = 4096,
    TABLE_BYTES = 256 << 20, /* of one table */
    VERSION_BYTES = 64,
    ZONE_BYTES = 1 << 20,
    CHECKOUT_LEVELS = 3, /* build/tests/x stands two folders below the checkout */
};

static const char shared_root[] = "/usr/share/opiward";
static const char zone_folder[] = "/usr/share/zoneinfo";

/* --- where the tables are --- */

/* Does `folder`/`name` exist? Then it is the answer. */
static bool folder_try(const char *folder, const char *name, char *ret, size_t size)
{
    char path[PATH_BYTES];

    if (!ow_path_join(folder, name, path, sizeof path) || !ow_is_folder(path))
        return false;
    return ow_copy(ret, size, path) == strlen(path);
}

/* Beside the program: of an installation, else of a checkout that it was built in. */
static bool folder_of_program(const char *name, char *ret, size_t size)
{
    char self[PATH_BYTES], folder[PATH_BYTES], installed[128], built[128];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        return false;
    self[n] = '\0';
    snprintf(installed, sizeof installed, "../share/opiward/%s", name);
    snprintf(built, sizeof built, "conf/%s", name);
    for (int i = 0; i < CHECKOUT_LEVELS && strlen(self) > 1; i++) {
        if (!ow_path_folder(self, folder, sizeof folder))
            return false;
        if (folder_try(folder, i == 0 ? installed : built, ret, size))
            return true;
        ow_copy(self, sizeof self, folder);
    }
    return false;
}

void ow_shared_folder(const char *name, char *ret, size_t size)
{
    if (!folder_of_program(name, ret, size) &&
        !ow_path_join(shared_root, name, ret, size))
        ow_copy(ret, size, shared_root);
}

void ow_tables_folder(const struct ow_config *c, char *ret, size_t size)
{
    const char *name = c->knowledge_directory;
    char folder[PATH_BYTES] = ".";

    if (c->file && !ow_path_folder(c->file, folder, sizeof folder))
        ow_copy(folder, sizeof folder, ".");
    if (!ow_streq(name, "knowledge")) {
        if (!ow_path_join(folder, name, ret, size))
            ow_copy(ret, size, name); /* too long: opening it will say so */
        return;
    }
    if (c->file && folder_try(folder, name, ret, size))
        return;
    ow_shared_folder(name, ret, size);
}

/* --- loading --- */

enum {
    FACTORS,
    PRODUCTS,
    SEDATIVES,
    VALUESETS,
    TIMING_CODES,
    NDC,
    LOCAL_CODES,
    MAX_DOSES,
    PREFERRED_DRUGS,
    TABLES_N,
};

/* In the order of the hash. A table that may be left out is an empty one when absent. */
static const struct {
    const char *name;
    bool optional;
} table_files[TABLES_N] = {
    [FACTORS] = {"mme_factors.tsv",      false},
    [PRODUCTS] = { "opioid_products.tsv", false},
    [SEDATIVES] = { "sedatives.tsv",       false},
    [VALUESETS] = { "valuesets.tsv",       false},
    [TIMING_CODES] = { "timing_codes.tsv",    true },
    [NDC] = { "ndc.tsv",             true },
    [LOCAL_CODES] = { "local_codes.tsv",     true },
    [MAX_DOSES] = { "max_doses.tsv",       true },
    [PREFERRED_DRUGS] = { "preferred_drugs.tsv", true },
};

struct tables {
    char paths[TABLES_N][PATH_BYTES];
    char *data[TABLES_N];
    size_t len[TABLES_N];
    char version[VERSION_BYTES];
    char sha256[2 * EVP_MAX_MD_SIZE + 1];
};

/* One file of the folder; a fault is reported. */
static bool read_one(const char *folder, const char *name, size_t ceiling,
                     char path[PATH_BYTES], ow_config_report_fn *report, void *arg,
                     char **data, size_t *len)
{
    struct ow_err err = { "" };

    if (!ow_path_join(folder, name, path, PATH_BYTES)) {
        report(arg, name, 0, 0, "path of the knowledge folder is too long");
        return false;
    }
    if (ow_file_read(path, ceiling, data, len, &err) != OW_OK) {
        report(arg, path, 0, 0, err.text);
        return false;
    }
    return true;
}

static bool read_table(struct tables *t, size_t i, const char *folder,
                       ow_config_report_fn *report, void *arg)
{
    char path[PATH_BYTES];

    if (table_files[i].optional &&
        ow_path_join(folder, table_files[i].name, path, sizeof path) &&
        access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    return read_one(folder, table_files[i].name, TABLE_BYTES, t->paths[i], report, arg,
                    &t->data[i], &t->len[i]);
}

/* VERSION holds one word; it is printed with every verdict. */
static bool read_version(const char *folder, ow_config_report_fn *report, void *arg,
                         char ret[VERSION_BYTES])
{
    char path[PATH_BYTES], *text;
    size_t len, n;
    bool ok;

    if (!read_one(folder, "VERSION", VERSION_BYTES - 1, path, report, arg, &text, &len))
        return false;
    n = strcspn(text, "\r\n");
    ok = n > 0 && strspn(text + n, "\r\n") == len - n;
    for (size_t i = 0; i < n; i++)
        ok = ok && text[i] > ' ' && text[i] < 0x7f;
    if (ok)
        snprintf(ret, VERSION_BYTES, "%.*s", (int)n, text);
    else
        report(arg, path, 1, 1, "expected one word, such as 2025-02");
    free(text);
    return ok;
}

/* Over all files in the order of the table, one behind the other. */
static void hash_all(struct tables *t)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned n = 0;
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; i < TABLES_N; i++)
        ok = ok && (!t->data[i] || EVP_DigestUpdate(ctx, t->data[i], t->len[i]) == 1);
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &n) == 1;
    ow_assert(ok); /* memory and a digest that every build of OpenSSL has */
    EVP_MD_CTX_free(ctx);
    ow_hex(digest, n, t->sha256);
}

/* The judgement names a table by the name it was given: the whole path here. */
static struct ow_knowledge_file table_file(const struct tables *t, size_t i)
{
    return (struct ow_knowledge_file){ t->paths[i], t->data[i], t->len[i] };
}

static enum ow_code tables_parse(struct tables *t, ow_config_report_fn *report, void *arg,
                                 struct ow_knowledge **ret)
{
    struct ow_knowledge_files files = { .version = t->version, .sha256 = t->sha256 };
    struct ow_err err = { "" };

    hash_all(t);
    files.factors = table_file(t, FACTORS);
    files.products = table_file(t, PRODUCTS);
    files.sedatives = table_file(t, SEDATIVES);
    files.valuesets = table_file(t, VALUESETS);
    files.timing_codes = table_file(t, TIMING_CODES);
    files.ndc = table_file(t, NDC);
    files.local_codes = table_file(t, LOCAL_CODES);
    files.max_doses = table_file(t, MAX_DOSES);
    files.preferred_drugs = table_file(t, PREFERRED_DRUGS);
    return ow_knowledge_load(&files, report, arg, ret, &err);
}

enum ow_code ow_tables_load(const char *folder, ow_config_report_fn *report, void *arg,
                            struct ow_knowledge **ret)
{
    struct tables *t = ow_alloc_zero(sizeof *t);
    bool ok = read_version(folder, report, arg, t->version);
    enum ow_code code = OW_CONFIG;

    for (size_t i = 0; i < TABLES_N; i++)
        ok = read_table(t, i, folder, report, arg) && ok;
    if (ok)
        code = tables_parse(t, report, arg, ret);
    for (size_t i = 0; i < TABLES_N; i++)
        free(t->data[i]);
    free(t);
    return code;
}

/* --- zones --- */

/* Names of the zone database: parts of letters, digits, - + _ between slashes. What could
 * leave the folder ("..", a leading slash) has a character or an empty part too many. */
static bool zone_name_valid(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-+_";

    for (;;) {
        size_t n = strspn(name, letters);

        if (n == 0)
            return false;
        if (name[n] == '\0')
            return true;
        if (name[n] != '/')
            return false;
        name += n + 1;
    }
}

enum ow_code ow_zone_load(const char *name, struct ow_zone **ret, struct ow_err *err)
{
    char path[PATH_BYTES], *data;
    struct ow_err why = { "" };
    enum ow_code code;
    size_t len;

    if (ow_streq(name, "UTC")) {
        *ret = NULL;
        return OW_OK;
    }
    if (!zone_name_valid(name) || !ow_path_join(zone_folder, name, path, sizeof path))
        return ow_err_set(err, OW_CONFIG,
                          "'%.64s' is no name of a zone, such as America/Denver", name);
    if (ow_file_read(path, ZONE_BYTES, &data, &len, &why) != OW_OK)
        return ow_err_set(err, OW_CONFIG, "no zone '%s': %s %s", name, path, why.text);
    code = ow_zone_parse(name, data, len, ret, err);
    free(data);
    return code == OW_OK ? OW_OK : ow_err_prefix(err, OW_CONFIG, "zone %s", name);
}
