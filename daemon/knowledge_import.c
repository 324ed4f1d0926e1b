/*
 * knowledge import-rxnorm: a release of RxNorm laid over the tables
 *
 * Reads the tables there are and the release, writes a whole new folder of tables and
 * loads it once to see that it can be. Nothing that is there is written over, and nothing
 * is written when a row of the release was malformed: a table with a hole that nobody
 * sees is worse than last month's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/files.h"
#include "daemon/knowledge_cmd.h"
#include "daemon/rxnorm_merge.h"
#include "daemon/tables.h"

enum { PATH_BYTES = 4096, FACTORS = 0, PRODUCTS = 1, SEDATIVES = 2, NDCS = 5 };

struct import {
    const struct ow_knowledge_options *o;
    const char *from; /* the release */
    struct ow_rx_merge m;
    struct ow_rxnorm g;
    struct ow_sheet factors;
    char out[PATH_BYTES], source[32];
};

static void on_tell(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

static bool release_valid(const char *s)
{
    return strlen(s) == 7 && strspn(s, "0123456789") == 4 && s[4] == '-' &&
           strspn(s + 5, "0123456789") == 2;
}

/* The old tables; those without a file start with the columns of ours. */
static bool sheets_read(struct import *im)
{
    static const char *columns[] = { "ndc", "rxcui", "source", "note" };
    const char *folder = im->o->folder;
    struct ow_arena *arena = &im->m.arena;
    bool ok = true;

    ok = ow_sheet_read(folder, &ow_sheet_kinds[FACTORS], arena, ow_knowledge_on_error,
                       NULL, &im->factors) &&
         ok;
    ok = ow_sheet_read(folder, &ow_sheet_kinds[PRODUCTS], arena, ow_knowledge_on_error,
                       NULL, &im->m.products) &&
         ok;
    ok = ow_sheet_read(folder, &ow_sheet_kinds[SEDATIVES], arena, ow_knowledge_on_error,
                       NULL, &im->m.sedatives) &&
         ok;
    ok = ow_sheet_read(folder, &ow_sheet_kinds[NDCS], arena, ow_knowledge_on_error, NULL,
                       &im->m.ndcs) &&
         ok;
    if (ok && !im->m.ndcs.there) {
        im->m.ndcs.columns = columns;
        im->m.ndcs.n_columns = OW_LEN(columns);
    }
    return ok;
}

/* --- writing --- */

static int write_file(const char *folder, const char *name, const char *data, size_t len)
{
    char path[PATH_BYTES], temporary[PATH_BYTES + 8];
    FILE *f;
    bool ok;

    if (!ow_path_join(folder, name, path, sizeof path))
        return OW_EXIT_CREATE;
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    f = fopen(temporary, "wx");
    ok = f != NULL && fwrite(data, 1, len, f) == len && fflush(f) == 0 &&
         fsync(fileno(f)) == 0;
    ok = f != NULL && fclose(f) == 0 && ok;
    if (ok && rename(temporary, path) == 0)
        return OW_EXIT_OK;
    fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
    return errno == EEXIST ? OW_EXIT_CREATE : OW_EXIT_IO;
}

static int write_sheet(const char *folder, const struct ow_sheet *s)
{
    struct ow_buf b;
    int status;

    ow_buf_init(&b, (size_t)1 << 32);
    for (size_t i = 0; i < s->n_columns; i++)
        ow_buf_printf(&b, "%s%c", s->columns[i], i + 1 < s->n_columns ? '\t' : '\n');
    for (size_t r = 0; r < s->n_rows; r++) {
        for (size_t i = 0; i < s->n_columns; i++) {
            ow_buf_str(&b, s->rows[r][i]);
            ow_buf_char(&b, i + 1 < s->n_columns ? '\t' : '\n');
        }
    }
    status = write_file(folder, s->name, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return status;
}

/* A table that the import does not touch. */
static int copy_file(const struct import *im, const char *name, bool optional)
{
    char path[PATH_BYTES], *data;
    struct ow_err err = { "" };
    size_t len;
    int status;

    if (!ow_path_join(im->o->folder, name, path, sizeof path))
        return OW_EXIT_IO;
    if (optional && access(path, F_OK) != 0 && errno == ENOENT)
        return OW_EXIT_OK;
    if (ow_file_read(path, (size_t)1 << 30, &data, &len, &err) != OW_OK) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return OW_EXIT_IO;
    }
    status = write_file(im->out, name, data, len);
    free(data);
    return status;
}

static int write_all(struct import *im)
{
    const struct ow_sheet *ours[] = { &im->m.products, &im->m.sedatives, &im->m.ndcs };
    char version[32];
    int status = OW_EXIT_OK;

    if (mkdir(im->out, 0755) != 0) {
        fprintf(stderr, "%s: cannot be created: %s\n", im->out, strerror(errno));
        return OW_EXIT_CREATE;
    }
    for (size_t i = 0; i < OW_SHEETS && status == OW_EXIT_OK; i++)
        if (i != PRODUCTS && i != SEDATIVES && i != NDCS)
            status = copy_file(im, ow_sheet_kinds[i].name, ow_sheet_kinds[i].optional);
    for (size_t i = 0; i < OW_LEN(ours) && status == OW_EXIT_OK; i++)
        status = write_sheet(im->out, ours[i]);
    (void)snprintf(version, sizeof version, "%s\n", im->source + strlen("rxnorm-"));
    return status != OW_EXIT_OK
               ? status
               : write_file(im->out, "VERSION", version, strlen(version));
}

/* --- the whole --- */

static void tell_counts(const struct import *im)
{
    const struct ow_sheet *sheets[] = { &im->m.products, &im->m.sedatives, &im->m.ndcs };
    struct ow_buf b;

    ow_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < OW_LEN(sheets); i++) {
        const struct ow_rx_count *n = &im->m.counts[i];
        struct ow_jw w;

        if (!im->o->json) {
            printf("%s/%s: %zu rows; %zu new, %zu renewed, %zu kept that are not in %s, "
                   "%zu left out",
                   im->out, sheets[i]->name, sheets[i]->n_rows, n->added, n->renewed,
                   n->kept, im->source, n->left_out);
            printf(i == 2 ? ", %zu moved\n" : "\n", n->moved);
            continue;
        }
        ow_jw_init(&w, &b);
        ow_jw_object(&w);
        ow_jw_kstring(&w, "table", sheets[i]->name);
        ow_jw_kstring(&w, "folder", im->out);
        ow_jw_kstring(&w, "source", im->source);
        ow_jw_kint(&w, "rows", (int64_t)sheets[i]->n_rows);
        ow_jw_kint(&w, "new", (int64_t)n->added);
        ow_jw_kint(&w, "renewed", (int64_t)n->renewed);
        ow_jw_kint(&w, "kept", (int64_t)n->kept);
        ow_jw_kint(&w, "leftOut", (int64_t)n->left_out);
        ow_jw_kint(&w, "moved", (int64_t)n->moved);
        ow_jw_end(&w);
        ow_knowledge_line(&b);
    }
    ow_buf_done(&b);
}

/* Name of the release, and of the folder that its tables go to. */
static int name_release(struct import *im)
{
    const char *release = im->o->release != NULL ? im->o->release : im->g.release;

    if (!release_valid(release)) {
        fputs("opiward knowledge import-rxnorm: the files do not say which release they "
              "are; say --release YYYY-MM\n",
              stderr);
        return OW_EXIT_USAGE;
    }
    (void)snprintf(im->source, sizeof im->source, "rxnorm-%s", release);
    (void)snprintf(im->out, sizeof im->out, "%s",
                   im->o->out != NULL ? im->o->out : im->source);
    im->m.source = im->source;
    return OW_EXIT_OK;
}

static void tell_ingredients(const struct import *im)
{
    for (size_t i = 0; i < im->g.n_ingredients; i++)
        if (!im->g.ingredients[i].confirmed)
            fprintf(stderr, "ingredient %s: the release has none of that name%s\n",
                    im->g.ingredients[i].name,
                    im->g.ingredients[i].rxcui != 0 ? " and number" : "");
}

static int import(struct import *im)
{
    struct ow_knowledge *kb = NULL;
    struct ow_err err = { "" };
    int status;

    if (!sheets_read(im))
        return OW_EXIT_CONFIG;
    im->g.ingredients = ow_rx_wanted(&im->m, &im->factors, &im->g.n_ingredients);
    if (ow_rxnorm_read(&im->g, im->from, ow_knowledge_on_error, NULL, &err) != OW_OK) {
        fprintf(stderr, "opiward knowledge import-rxnorm: %s; nothing was written\n",
                err.text);
        return OW_EXIT_DATA;
    }
    status = name_release(im);
    if (status != OW_EXIT_OK)
        return status;
    tell_ingredients(im);
    ow_rx_merge_products(&im->m);
    ow_rx_merge_sedatives(&im->m);
    ow_rx_merge_ndcs(&im->m);
    status = write_all(im);
    if (status != OW_EXIT_OK)
        return status;
    if (ow_tables_load(im->out, ow_knowledge_on_error, NULL, &kb) != OW_OK) {
        fprintf(stderr, "%s: these tables do not load\n", im->out);
        return OW_EXIT_INTERNAL;
    }
    ow_knowledge_free(kb);
    tell_counts(im);
    return OW_EXIT_OK;
}

int ow_knowledge_import(const struct ow_knowledge_options *o, int argc, char **argv)
{
    struct import *im = ow_alloc_zero(sizeof *im);
    int status;

    (void)argc;
    im->o = o;
    im->from = argv[0];
    im->m.g = &im->g;
    im->m.tell = on_tell;
    if (o->release != NULL && !release_valid(o->release)) {
        fputs("opiward knowledge import-rxnorm: --release is a month, YYYY-MM\n", stderr);
        free(im);
        return OW_EXIT_USAGE;
    }
    ow_arena_init(&im->m.arena, SIZE_MAX);
    status = import(im);
    ow_rxnorm_done(&im->g);
    ow_arena_done(&im->m.arena);
    free(im);
    return status;
}
