/*
 * TSV: a table of tab-separated lines, read from memory
 *
 * One header line, no quoting, LF or CRLF, UTF-8. Columns are found by their names, so a
 * site may add some of its own or put them in another order. Every fault is reported
 * with line and column (both from 1, the column in bytes), and reading goes on behind
 * it, so that one run shows all of them. Ceilings: OW_TSV_* below.
 */
#pragma once

#include "alerts/knowledge.h"

enum {
    OW_TSV_COLUMNS = 32,
    OW_TSV_LINES = 2000000,
    OW_TSV_FIELD = 4096,      /* bytes of one field */
    OW_TSV_BYTES = 256 << 20, /* of a whole table */
    OW_TSV_REPORTS = 200,     /* errors reported for one load; the rest is counted */
};

/* Where the errors of a load go; shared by its tables. */
struct ow_tsv_log {
    ow_knowledge_report_fn *report; /* NULL: count only */
    void *arg;
    unsigned errors;
    char first[OW_ERR_SIZE]; /* "name:line:column: text" of the first one */
};

struct ow_tsv {
    struct ow_tsv_log *log;
    const char *name;
    char *at, *end; /* what is left of the copy in the arena */
    unsigned line;
    const char *const *wanted;
    size_t n_wanted;
    size_t n_columns;           /* of the header */
    size_t map[OW_TSV_COLUMNS]; /* wanted column to column of the file */
    char *fields[OW_TSV_COLUMNS];
    unsigned columns[OW_TSV_COLUMNS]; /* where each field of the line begins */
};

/*
 * Begin with `file`, whose bytes are copied into `arena`; `wanted` names the columns that
 * must be there. False (and reported) when the header cannot be used.
 */
OW_MUST_USE bool ow_tsv_open(struct ow_tsv *t, const struct ow_knowledge_file *file,
                             const char *const *wanted, size_t n_wanted,
                             struct ow_tsv_log *log, struct ow_arena *arena);
/* The next line that has as many fields as the header; bad ones are reported and
 * passed over. False at the end. */
OW_MUST_USE bool ow_tsv_next(struct ow_tsv *t);
/* Field of wanted column `i`, "" when empty; lives in the arena. */
const char *ow_tsv_field(const struct ow_tsv *t, size_t i);
/* Report a fault of wanted column `i` in this line. */
void ow_tsv_fault(struct ow_tsv *t, size_t i, const char *fmt, ...) OW_PRINTF(3, 4);
