#include "daemon/sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alerts/tsv.h"
#include "base/text.h"
#include "daemon/files.h"

enum { PATH_BYTES = 4096 };

const struct ow_sheet_kind ow_sheet_kinds[OW_SHEETS] = {
    {"mme_factors.tsv",      "ingredient form_or_route dose_low_mg_day", "ingredient",
     false                                                                                  },
    { "opioid_products.tsv", "rxcui",                                    "drug_name",  false},
    { "sedatives.tsv",       "rxcui name",                               "name",       false},
    { "valuesets.tsv",       "valueset system code",                     "display",    false},
    { "timing_codes.tsv",    "system code",                              "display",    true },
    { "ndc.tsv",             "ndc",                                      "rxcui",      true },
    { "local_codes.tsv",     "system code",                              "display",    true },
    { "max_doses.tsv",       "ingredient release age_from",              "mg_per_day", true },
    { "preferred_drugs.tsv", "rxcui release",                            "preferred",  true },
};

static const char **words_keep(const struct ow_tsv *t, struct ow_arena *arena)
{
    const char **ret = OW_NEW_N(arena, const char *, t->n_columns);

    for (size_t i = 0; i < t->n_columns; i++)
        ret[i] = t->fields[i];
    return ret;
}

static bool sheet_parse(const char *path, const char *data, size_t len,
                        struct ow_arena *arena, ow_config_report_fn *report, void *arg,
                        struct ow_sheet *s)
{
    const struct ow_knowledge_file file = { path, data, len };
    struct ow_tsv_log log = { .report = report, .arg = arg };
    struct ow_tsv t;
    size_t cap = 0;

    if (!ow_tsv_open(&t, &file, NULL, 0, &log, arena))
        return false;
    s->n_columns = t.n_columns;
    s->columns = words_keep(&t, arena);
    while (ow_tsv_next(&t)) {
        OW_ARENA_GROW(arena, s->rows, s->n_rows, cap);
        s->rows[s->n_rows++] = words_keep(&t, arena);
    }
    return log.errors == 0;
}

bool ow_sheet_read(const char *folder, const struct ow_sheet_kind *kind,
                   struct ow_arena *arena, ow_config_report_fn *report, void *arg,
                   struct ow_sheet *ret)
{
    char path[PATH_BYTES], *data;
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct ow_err err = { "" };
    unsigned n = 0;
    size_t len;
    bool ok;

    *ret = (struct ow_sheet){ .name = kind->name };
    if (!ow_path_join(folder, kind->name, path, sizeof path)) {
        report(arg, kind->name, 0, 0, "path of the knowledge folder is too long");
        return false;
    }
    if (kind->optional && access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    if (ow_file_read(path, OW_TSV_BYTES, &data, &len, &err) != OW_OK) {
        report(arg, path, 0, 0, err.text);
        return false;
    }
    ok = EVP_Digest(data, len, digest, &n, EVP_sha256(), NULL) == 1;
    ow_assert(ok && n == 32);
    ow_hex(digest, n, ret->sha256);
    ret->there = true;
    ok = sheet_parse(ow_arena_strdup(arena, path), data, len, arena, report, arg, ret);
    free(data);
    return ok;
}

size_t ow_sheet_column(const struct ow_sheet *s, const char *name)
{
    for (size_t i = 0; i < s->n_columns; i++)
        if (ow_streq(s->columns[i], name))
            return i;
    return SIZE_MAX;
}

const char *ow_sheet_word(const struct ow_sheet *s, size_t row, const char *column)
{
    size_t i = ow_sheet_column(s, column);

    return i == SIZE_MAX ? "" : s->rows[row][i];
}
