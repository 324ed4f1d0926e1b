/*
 * Sheet: a knowledge table as its words, every column of it
 *
 * The judgement reads the columns it needs into structs; a pharmacist reads, compares
 * and extends the table as it stands. Everything lives in an arena.
 */
#pragma once

#include "base/arena.h"
#include "daemon/config.h"

struct ow_sheet {
    const char *name; /* "sedatives.tsv" */
    bool there;       /* false: the file is absent and the sheet empty */
    char sha256[65];
    const char **columns;
    size_t n_columns;
    const char ***rows; /* n_columns words each */
    size_t n_rows;
};

enum { OW_SHEETS = 9 };

/* Names of the tables in the order of the hash, and the columns that are a row's key,
 * with spaces between. */
extern const struct ow_sheet_kind {
    const char *name, *keys;
    const char *title; /* column that says to a person what the row is of */
    bool optional;
} ow_sheet_kinds[OW_SHEETS];

/* Every fault is reported; false when there was one. */
OW_MUST_USE bool ow_sheet_read(const char *folder, const struct ow_sheet_kind *kind,
                               struct ow_arena *arena, ow_config_report_fn *report,
                               void *arg, struct ow_sheet *ret);

/* Place of a column, SIZE_MAX when the sheet has none of that name. */
size_t ow_sheet_column(const struct ow_sheet *s, const char *name);
/* A row's word of the column; "" when the sheet has none of that name. */
const char *ow_sheet_word(const struct ow_sheet *s, size_t row, const char *column);
