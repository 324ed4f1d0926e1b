#include "daemon/rxnorm_patch.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void ow_rx_tell(struct ow_rx_merge *m, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    m->tell(m->arg, ow_arena_vprintf(&m->arena, fmt, ap));
    va_end(ap);
}

/* --- rows --- */

void ow_rx_set(const struct ow_sheet *s, const char **row, const char *column,
               const char *word)
{
    size_t i = ow_sheet_column(s, column);

    if (i != SIZE_MAX)
        row[i] = word;
}

const char *ow_rx_get(const struct ow_sheet *s, const char *const *row,
                      const char *column)
{
    size_t i = ow_sheet_column(s, column);

    return i == SIZE_MAX ? "" : row[i];
}

const char **ow_rx_row_new(struct ow_rx_merge *m, const struct ow_sheet *s,
                           const char *const *old)
{
    const char **ret = OW_NEW_N(&m->arena, const char *, s->n_columns);

    for (size_t i = 0; i < s->n_columns; i++)
        ret[i] = old != NULL ? old[i] : "";
    return ret;
}

const char *ow_rx_number(struct ow_rx_merge *m, uint64_t n)
{
    return n == 0 ? "" : ow_arena_printf(&m->arena, "%llu", (unsigned long long)n);
}

static bool has_note(const char *note, const char *text)
{
    return ow_contains_folded(note, text);
}

/* One more remark behind those of a row. */
void ow_rx_note_add(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row,
                    const char *text)
{
    const char *note = ow_rx_get(s, row, "note");

    if (!has_note(note, text))
        ow_rx_set(s, row, "note",
                  note[0] == '\0' ? text
                                  : ow_arena_printf(&m->arena, "%s; %s", note, text));
}

/* Not in the release: said once, with the first release that lacks it. */
static void note_gone(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row)
{
    if (!has_note(ow_rx_get(s, row, "note"), "not in rxnorm-"))
        ow_rx_note_add(m, s, row, ow_arena_printf(&m->arena, "not in %s", m->source));
}

/* ... and it is back: what was said is taken off again. */
void ow_rx_note_back(struct ow_rx_merge *m, const struct ow_sheet *s, const char **row)
{
    const char *note = ow_rx_get(s, row, "note"), *at = strstr(note, "not in rxnorm-");
    size_t n;

    if (at == NULL)
        return;
    n = strcspn(at, ";");
    if (at[n] == ';')
        n += at[n + 1] == ' ' ? 2 : 1;
    else
        while (at > note && (at[-1] == ' ' || at[-1] == ';')) {
            at--;
            n++;
        }
    ow_rx_set(s, row, "note",
              ow_arena_printf(&m->arena, "%.*s%s", (int)(at - note), note, at + n));
}

const char **ow_rx_find(const struct ow_sheet *s, size_t n, const char *column,
                        const char *word)
{
    size_t at = ow_sheet_column(s, column);

    for (size_t i = 0; at != SIZE_MAX && i < n; i++)
        if (ow_streq(s->rows[i][at], word))
            return s->rows[i];
    return NULL;
}

size_t ow_rx_concept_of(const struct ow_rxnorm *g, const char *rxcui)
{
    uint64_t n;

    if (!ow_parse_u64(rxcui, &n))
        return SIZE_MAX;
    for (size_t i = 0; i < g->n_concepts; i++)
        if (g->concepts[i].rxcui == n)
            return i;
    return SIZE_MAX;
}

int ow_rx_number_order(const char *a, const char *b)
{
    size_t x = strlen(a), y = strlen(b);

    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

void ow_rx_sort(struct ow_sheet *s, int order(const void *, const void *, void *))
{
    if (s->n_rows > 0)
        qsort_r(s->rows, s->n_rows, sizeof *s->rows, order, s);
}

/* Room for the old rows and all that a release can add. */
void ow_rx_rows_grow(struct ow_rx_merge *m, struct ow_sheet *s, size_t more)
{
    const char ***rows = OW_NEW_N(&m->arena, const char **, s->n_rows + more + 1);

    for (size_t i = 0; i < s->n_rows; i++)
        rows[i] = ow_rx_row_new(m, s, s->rows[i]);
    s->rows = rows;
}

void ow_rx_left_out(struct ow_rx_merge *m, struct ow_rx_count *n, size_t concept,
                    const char *why)
{
    const struct ow_rx_concept *c = &m->g->concepts[concept];

    n->left_out++;
    ow_rx_tell(m, "%llu %s: left out, %s", (unsigned long long)c->rxcui, c->name, why);
}

/* Every row of the old table whose number is in `seen` was renewed; the rest is kept. */
void ow_rx_note_rest(struct ow_rx_merge *m, struct ow_sheet *s, const bool *seen,
                     size_t n_old, bool ours(struct ow_rx_merge *, const char *const *),
                     struct ow_rx_count *n)
{
    for (size_t i = 0; i < n_old; i++) {
        if (seen[i])
            continue;
        n->kept++;
        if (ours == NULL || ours(m, s->rows[i]))
            note_gone(m, s, s->rows[i]);
    }
}

size_t ow_rx_place(const struct ow_sheet *s, size_t n, const char *const *row)
{
    for (size_t i = 0; i < n; i++)
        if (s->rows[i] == row)
            return i;
    return SIZE_MAX;
}
