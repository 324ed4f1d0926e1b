/*
 * knowledge diff: two folders of tables, row by row, for a pharmacist to review
 *
 * A row is the same row when its key is (an RxCUI, a code in its system); its words are
 * compared column by column, so that a change of strength reads as one. Rows come in the
 * order of their keys, numbers as numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/knowledge_cmd.h"

struct keyed {
    const char *key;
    size_t row;
};

struct compared {
    const struct ow_sheet_kind *kind;
    struct ow_sheet s[2];
    struct keyed *keys[2];
    bool json;
    struct ow_buf b;
    size_t added, removed, changed;
};

static bool is_number(const char *s)
{
    return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static int key_order(const char *a, const char *b)
{
    if (is_number(a) && is_number(b) && strlen(a) != strlen(b))
        return strlen(a) < strlen(b) ? -1 : 1;
    return strcmp(a, b);
}

static int keyed_order(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int c = key_order(x->key, y->key);

    return c != 0 ? c : (x->row > y->row) - (x->row < y->row);
}

/* The words of the key columns, with a space between. A number that is its own key
 * needs no name behind it. */
static const char *key_of(const struct compared *c, const struct ow_sheet *s, size_t row,
                          struct ow_arena *arena)
{
    const char *names = c->kind->keys, *key = "";
    char column[64];

    while (*names != '\0') {
        size_t n = strcspn(names, " ");
        const char *word;

        ow_assert(n < sizeof column);
        memcpy(column, names, n);
        column[n] = '\0';
        names += n + (names[n] == ' ');
        word = ow_sheet_word(s, row, column);
        if (ow_streq(column, "rxcui") && is_number(word))
            return word;
        if (key[0] == '\0')
            key = word;
        else if (word[0] != '\0')
            key = ow_arena_printf(arena, "%s %s", key, word);
    }
    return key;
}

static void keys_build(struct compared *c, size_t side, struct ow_arena *arena)
{
    const struct ow_sheet *s = &c->s[side];

    c->keys[side] = OW_NEW_N(arena, struct keyed, s->n_rows + 1);
    for (size_t i = 0; i < s->n_rows; i++)
        c->keys[side][i] = (struct keyed){ key_of(c, s, i, arena), i };
    if (s->n_rows > 0)
        qsort(c->keys[side], s->n_rows, sizeof(struct keyed), keyed_order);
}

/* A row that only one side has. */
static void tell_row(struct compared *c, size_t side, const struct keyed *k)
{
    const struct ow_sheet *s = &c->s[side];
    struct ow_jw w;

    if (!c->json) {
        const char *title = ow_sheet_word(s, k->row, c->kind->title);

        printf("%c %s  %s\n", side == 1 ? '+' : '-', k->key, title);
        for (size_t i = 0; i < s->n_columns; i++)
            if (s->rows[k->row][i][0] != '\0' && s->rows[k->row][i] != title &&
                !ow_streq(s->rows[k->row][i], k->key))
                printf("      %s: %s\n", s->columns[i], s->rows[k->row][i]);
        return;
    }
    ow_jw_init(&w, &c->b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "table", c->kind->name);
    ow_jw_kstring(&w, "change", side == 1 ? "added" : "removed");
    ow_jw_kstring(&w, "key", k->key);
    ow_jw_key(&w, "row");
    ow_knowledge_row_json(&w, s, k->row);
    ow_jw_end(&w);
    ow_knowledge_line(&c->b);
}

/* The next column in which the two rows differ, from `at` on; columns of the second side
 * first, then those that only the first has. NULL at the end. */
static const char *next_change(const struct compared *c, size_t a, size_t b, size_t *at,
                               const char **was, const char **is)
{
    const struct ow_sheet *x = &c->s[0], *y = &c->s[1];

    for (; *at < y->n_columns + x->n_columns; ++*at) {
        bool second = *at < y->n_columns;
        const char *column = second ? y->columns[*at] : x->columns[*at - y->n_columns];

        if (!second && ow_sheet_column(y, column) != SIZE_MAX)
            continue;
        *was = ow_sheet_word(x, a, column);
        *is = ow_sheet_word(y, b, column);
        if (!ow_streq(*was, *is)) {
            ++*at;
            return column;
        }
    }
    return NULL;
}

static void tell_change(struct compared *c, const struct keyed *a, const struct keyed *b)
{
    const char *column, *was, *is;
    struct ow_jw w;
    size_t at = 0;

    column = next_change(c, a->row, b->row, &at, &was, &is);
    if (column == NULL)
        return;
    c->changed++;
    if (!c->json)
        printf("~ %s  %s\n", b->key, ow_sheet_word(&c->s[1], b->row, c->kind->title));
    ow_jw_init(&w, &c->b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "table", c->kind->name);
    ow_jw_kstring(&w, "change", "changed");
    ow_jw_kstring(&w, "key", b->key);
    ow_jw_karray(&w, "columns");
    for (; column != NULL; column = next_change(c, a->row, b->row, &at, &was, &is)) {
        if (!c->json)
            printf("      %s: %s -> %s\n", column, was[0] != '\0' ? was : "(empty)",
                   is[0] != '\0' ? is : "(empty)");
        ow_jw_object(&w);
        ow_jw_kstring(&w, "column", column);
        ow_jw_kstring(&w, "old", was);
        ow_jw_kstring(&w, "new", is);
        ow_jw_end(&w);
    }
    ow_jw_end(&w);
    ow_jw_end(&w);
    if (c->json)
        ow_knowledge_line(&c->b);
    else
        ow_buf_reset(&c->b);
}

static void compare(struct compared *c)
{
    size_t i = 0, k = 0;

    while (i < c->s[0].n_rows || k < c->s[1].n_rows) {
        const struct keyed *a = &c->keys[0][i], *b = &c->keys[1][k];
        int order = i == c->s[0].n_rows   ? 1
                    : k == c->s[1].n_rows ? -1
                                          : key_order(a->key, b->key);

        if (order < 0)
            tell_row(c, 0, a);
        else if (order > 0)
            tell_row(c, 1, b);
        else
            tell_change(c, a, b);
        c->removed += order < 0;
        c->added += order > 0;
        i += order <= 0;
        k += order >= 0;
    }
}

int ow_knowledge_diff(const struct ow_knowledge_options *o, int argc, char **argv)
{
    struct ow_arena arena;
    int status = OW_EXIT_OK;

    (void)argc;
    ow_arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < OW_SHEETS; i++) {
        struct compared c = { .kind = &ow_sheet_kinds[i], .json = o->json };
        bool ok = true;

        for (size_t side = 0; side < 2; side++)
            ok = ow_sheet_read(argv[side], c.kind, &arena, ow_knowledge_on_error, NULL,
                               &c.s[side]) &&
                 ok;
        if (!ok) {
            status = OW_EXIT_CONFIG;
            continue;
        }
        keys_build(&c, 0, &arena);
        keys_build(&c, 1, &arena);
        ow_buf_init(&c.b, 1 << 24);
        compare(&c);
        ow_buf_done(&c.b);
        if (!o->json)
            printf("%s: %zu added, %zu removed, %zu changed\n", c.kind->name, c.added,
                   c.removed, c.changed);
    }
    ow_arena_done(&arena);
    return status;
}
