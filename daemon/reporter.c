#include "daemon/reporter.h"

#include <stdlib.h>

#include "base/text.h"

void ow_reporter_init(struct ow_reporter *r)
{
    *r = (struct ow_reporter){ .reports = NULL };
    ow_arena_init(&r->arena, SIZE_MAX);
}

void ow_reporter_done(struct ow_reporter *r)
{
    ow_arena_done(&r->arena);
    *r = (struct ow_reporter){ .reports = NULL };
}

/* Files come in the order in which they were first spoken of. */
static unsigned order_of(const struct ow_reporter *r, const char *file)
{
    unsigned next = 0;

    for (size_t i = r->n; i > 0; i--) {
        const struct ow_report *p = &r->reports[i - 1];

        if (ow_streq(p->file, file))
            return p->file_order;
        next = p->file_order >= next ? p->file_order + 1 : next;
    }
    return next;
}

void ow_reporter_add(struct ow_reporter *r, const char *file, unsigned line,
                     unsigned column, const char *text)
{
    struct ow_report add = { .file = ow_arena_strdup(&r->arena, file),
                             .text = ow_arena_strdup(&r->arena, text),
                             .file_order = order_of(r, file),
                             .line = line,
                             .column = column,
                             .order = (unsigned)r->n };

    for (size_t i = 0; i < r->n; i++) { /* a pack that two others extend is read twice */
        const struct ow_report *p = &r->reports[i];

        if (p->line == line && p->column == column && ow_streq(p->text, text) &&
            ow_streq(p->file, file))
            return;
    }
    OW_ARENA_GROW(&r->arena, r->reports, r->n, r->cap);
    r->reports[r->n++] = add;
}

void ow_reporter_on_report(void *arg, const char *file, unsigned line, unsigned column,
                           const char *text)
{
    ow_reporter_add(arg, file, line, column, text);
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
    const struct ow_report *x = a, *y = b;
    int c = compare(x->file_order, y->file_order);

    c = c ? c : compare(x->line, y->line);
    c = c ? c : compare(x->column, y->column);
    return c ? c : compare(x->order, y->order);
}

void ow_reporter_tell(struct ow_reporter *r, ow_config_report_fn *report, void *arg)
{
    if (r->n > 0)
        qsort(r->reports, r->n, sizeof *r->reports, by_place);
    for (size_t i = 0; report && i < r->n; i++)
        report(arg, r->reports[i].file, r->reports[i].line, r->reports[i].column,
               r->reports[i].text);
}
