#include "alerts/tsv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void tsv_report(struct ow_tsv *t, unsigned column, const char *text)
{
    struct ow_tsv_log *log = t->log;
    int n = 1;

    if (log->errors == 0) /* cut where it is too long */
        n = snprintf(log->first, sizeof log->first, "%s:%u:%u: %s", t->name, t->line,
                     column, text);
    ow_assert(n > 0);
    log->errors++;
    if (log->report != NULL && log->errors <= OW_TSV_REPORTS)
        log->report(log->arg, t->name, t->line, column, text);
}

static void tsv_say(struct ow_tsv *t, unsigned column, const char *fmt, ...)
    OW_PRINTF(3, 4);

static void tsv_say(struct ow_tsv *t, unsigned column, const char *fmt, ...)
{
    struct ow_err e;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    tsv_report(t, column, e.text);
}

void ow_tsv_fault(struct ow_tsv *t, size_t i, const char *fmt, ...)
{
    struct ow_err e;
    va_list ap;
    int n;

    ow_assert(i < t->n_wanted);
    n = snprintf(e.text, sizeof e.text, "%s: ", t->wanted[i]);
    ow_assert(n > 0 && (size_t)n < sizeof e.text);
    va_start(ap, fmt);
    (void)vsnprintf(e.text + n, sizeof e.text - (size_t)n, fmt, ap);
    va_end(ap);
    tsv_report(t, t->columns[t->map[i]], e.text);
}

const char *ow_tsv_field(const struct ow_tsv *t, size_t i)
{
    ow_assert(i < t->n_wanted);
    return t->fields[t->map[i]];
}

/* Column of the first byte that is no text, or 0. */
static unsigned line_bad_byte(const char *s, size_t n)
{
    size_t i, len;

    for (i = 0; i < n; i += len) {
        len = ow_utf8_len(s + i, n - i);
        if (len == 0 || (len == 1 && (unsigned char)s[i] < 0x20 && s[i] != '\t') ||
            s[i] == 0x7f)
            return (unsigned)i + 1;
    }
    return 0;
}

/* Cut the next line out of the copy; NULL at the end. */
static char *tsv_line(struct ow_tsv *t, size_t *len)
{
    char *s = t->at, *nl;
    size_t n;

    if (s == t->end)
        return NULL;
    nl = memchr(s, '\n', (size_t)(t->end - s));
    n = nl != NULL ? (size_t)(nl - s) : (size_t)(t->end - s);
    t->at = nl != NULL ? nl + 1 : t->end;
    if (n > 0 && s[n - 1] == '\r')
        n--;
    s[n] = '\0'; /* the copy has a byte to spare behind its end */
    t->line++;
    *len = n;
    return s;
}

/* Cut a line into fields; gives how many there are, also beyond the ceiling. */
static size_t tsv_split(struct ow_tsv *t, char *s)
{
    char *start = s;
    size_t n = 0;

    for (;;) {
        char *tab = strchr(s, '\t');

        if (n < OW_TSV_COLUMNS) {
            t->fields[n] = s;
            t->columns[n] = (unsigned)(s - start) + 1;
        }
        n++;
        if (tab == NULL)
            return n;
        *tab = '\0';
        s = tab + 1;
    }
}

static bool header_find(struct ow_tsv *t, size_t i)
{
    size_t c, found = 0;

    for (c = 0; c < t->n_columns; c++) {
        if (!ow_streq(t->fields[c], t->wanted[i]))
            continue;
        t->map[i] = c;
        if (found++ > 0)
            tsv_say(t, t->columns[c], "column %s is there twice", t->wanted[i]);
    }
    if (found == 0)
        tsv_say(t, 1, "no column %s in the header", t->wanted[i]);
    return found == 1;
}

static bool tsv_header(struct ow_tsv *t)
{
    size_t len = 0, i;
    char *s = tsv_line(t, &len);
    bool good = true;
    unsigned bad;

    if (s == NULL) {
        t->line = 1;
        tsv_say(t, 1, "empty; a header line was expected");
        return false;
    }
    bad = line_bad_byte(s, len);
    if (bad != 0) {
        tsv_say(t, bad, "not UTF-8 text");
        return false;
    }
    t->n_columns = tsv_split(t, s);
    if (t->n_columns > OW_TSV_COLUMNS) {
        tsv_say(t, 1, "%zu columns; at most %d are read", t->n_columns, OW_TSV_COLUMNS);
        return false;
    }
    for (i = 0; i < t->n_wanted; i++)
        good = header_find(t, i) && good;
    return good;
}

bool ow_tsv_open(struct ow_tsv *t, const struct ow_knowledge_file *file,
                 const char *const *wanted, size_t n_wanted, struct ow_tsv_log *log,
                 struct ow_arena *arena)
{
    static const char bom[] = "\xEF\xBB\xBF";

    ow_assert(n_wanted <= OW_TSV_COLUMNS);
    memset(t, 0, sizeof *t);
    t->log = log;
    t->name = file->name;
    t->wanted = wanted;
    t->n_wanted = n_wanted;
    if (file->data == NULL || file->len > OW_TSV_BYTES) {
        t->line = 1;
        tsv_say(t, 1, file->data == NULL ? "no such table" : "larger than any table");
        return false;
    }
    t->at = ow_arena_alloc(arena, file->len + 1);
    memcpy(t->at, file->data, file->len);
    t->end = t->at + file->len;
    if (file->len >= 3 && memcmp(t->at, bom, 3) == 0)
        t->at += 3;
    return tsv_header(t);
}

/* Is this line usable? Reports what is wrong with it. */
static bool tsv_row(struct ow_tsv *t, char *s, size_t len)
{
    unsigned bad = line_bad_byte(s, len);
    size_t n, i;

    if (bad != 0) {
        tsv_say(t, bad, "not UTF-8 text");
        return false;
    }
    if (len == 0) {
        tsv_say(t, 1, "empty line");
        return false;
    }
    n = tsv_split(t, s);
    if (n != t->n_columns) {
        tsv_say(t, n < t->n_columns ? (unsigned)len + 1 : t->columns[t->n_columns - 1],
                "%zu fields where the header has %zu", n, t->n_columns);
        return false;
    }
    for (i = 0; i < n; i++) {
        if (strlen(t->fields[i]) > OW_TSV_FIELD) {
            tsv_say(t, t->columns[i], "field longer than %d bytes", OW_TSV_FIELD);
            return false;
        }
    }
    return true;
}

bool ow_tsv_next(struct ow_tsv *t)
{
    size_t len = 0;
    char *s;

    while ((s = tsv_line(t, &len)) != NULL) {
        if (t->line > OW_TSV_LINES) {
            tsv_say(t, 1, "more than %d lines", OW_TSV_LINES);
            return false;
        }
        if (tsv_row(t, s, len))
            return true;
    }
    return false;
}
