/*
 * knowledge list: what is loaded, how much of it, and where it comes from
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/knowledge_cmd.h"

struct tally {
    const char *source;
    size_t rows;
};

static int tally_order(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return strcmp(x->source, y->source);
}

/* The sources of a column and how many rows name each, in order; gives how many. */
static size_t tally_up(const struct ow_sheet *s, size_t column, struct ow_arena *arena,
                       struct tally **ret)
{
    struct tally *all = OW_NEW_N(arena, struct tally, s->n_rows + 1);
    size_t n = 0;

    for (size_t i = 0; i < s->n_rows; i++)
        all[i] = (struct tally){ s->rows[i][column], 1 };
    if (s->n_rows > 0)
        qsort(all, s->n_rows, sizeof *all, tally_order);
    for (size_t i = 0; i < s->n_rows; i++) {
        if (n > 0 && ow_streq(all[n - 1].source, all[i].source))
            all[n - 1].rows++;
        else
            all[n++] = all[i];
    }
    *ret = all;
    return n;
}

static void list_json(const struct ow_sheet *s, const char *version,
                      struct ow_arena *arena, struct ow_buf *b)
{
    struct ow_jw w;

    ow_jw_init(&w, b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "table", s->name);
    ow_jw_kstring(&w, "version", version);
    ow_jw_kbool(&w, "present", s->there);
    ow_jw_kint(&w, "rows", (int64_t)s->n_rows);
    ow_jw_kstring_opt(&w, "sha256", s->sha256);
    ow_jw_karray(&w, "sources");
    for (size_t c = 0; c < s->n_columns; c++) {
        struct tally *t;
        size_t n;

        if (!ow_starts_with(s->columns[c], "source"))
            continue;
        n = tally_up(s, c, arena, &t);
        for (size_t i = 0; i < n; i++) {
            ow_jw_object(&w);
            ow_jw_kstring(&w, "column", s->columns[c]);
            ow_jw_kstring(&w, "source", t[i].source);
            ow_jw_kint(&w, "rows", (int64_t)t[i].rows);
            ow_jw_end(&w);
        }
    }
    ow_jw_end(&w);
    ow_jw_end(&w);
    ow_knowledge_line(b);
}

static void list_text(const struct ow_sheet *s, struct ow_arena *arena)
{
    if (!s->there) {
        printf("\n%s: not there, so empty\n", s->name);
        return;
    }
    printf("\n%s: %zu row%s, sha256 %s\n", s->name, s->n_rows, s->n_rows == 1 ? "" : "s",
           s->sha256);
    for (size_t c = 0; c < s->n_columns; c++) {
        struct tally *t;
        size_t n;

        if (!ow_starts_with(s->columns[c], "source"))
            continue;
        n = tally_up(s, c, arena, &t);
        for (size_t i = 0; i < n; i++)
            printf("  %6zu  %s: %s\n", t[i].rows, s->columns[c],
                   t[i].source[0] != '\0' ? t[i].source : "(none)");
    }
}

int ow_knowledge_list(const struct ow_knowledge_options *o, int argc, char **argv)
{
    struct ow_arena arena;
    struct ow_buf b;
    char version[128];
    int status = OW_EXIT_OK;

    (void)argc;
    (void)argv;
    ow_arena_init(&arena, SIZE_MAX);
    ow_buf_init(&b, 1 << 24);
    ow_knowledge_folder_version(o->folder, version, sizeof version);
    if (!o->json)
        printf("%s, version %s\n", o->folder, version[0] != '\0' ? version : "unknown");
    for (size_t i = 0; i < OW_SHEETS; i++) {
        struct ow_sheet s;

        if (!ow_sheet_read(o->folder, &ow_sheet_kinds[i], &arena, ow_knowledge_on_error,
                           NULL, &s))
            status = OW_EXIT_CONFIG;
        else if (o->json)
            list_json(&s, version, &arena, &b);
        else
            list_text(&s, &arena);
    }
    ow_buf_done(&b);
    ow_arena_done(&arena);
    return status;
}
