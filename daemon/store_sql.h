/*
 * Store SQL: every statement by name, prepared once, and a small way to run it
 *
 *     struct ow_query q = ow_query(db, OW_SQL_SETTING_GET);
 *     ow_bind_text(&q, key);
 *     if (ow_row(&q))
 *         value = ow_col_text(&q, 0, arena);
 *     return ow_query_end(&q, err);
 *
 * Values are bound in order. The first failure sticks to the query: later steps do
 * nothing and ow_query_end tells it. Strings handed to a bind must live until the end.
 */
#pragma once

#include <sqlite3.h>

#include "base/arena.h"
#include "base/err.h"

struct ow_store_db;

enum ow_sql {
#define OW_SQL(name, text) OW_SQL_##name,
#include "daemon/store_sql.def"
#undef OW_SQL
    OW_SQL_N
};

struct ow_query {
    struct ow_store_db *db;
    sqlite3_stmt *st;
    int rc; /* SQLITE_OK, SQLITE_ROW, SQLITE_DONE or the failure */
    int bound;
    int64_t changed; /* rows, after the last step */
};

struct ow_query ow_query(struct ow_store_db *db, enum ow_sql which);
void ow_bind_int(struct ow_query *q, int64_t v);
void ow_bind_text(struct ow_query *q, const char *s);              /* NULL: null */
void ow_bind_blob(struct ow_query *q, const void *data, size_t n); /* NULL: null */
bool ow_row(struct ow_query *q);                                   /* one more row? */
void ow_run(struct ow_query *q);                                   /* to the end */
enum ow_code ow_query_end(struct ow_query *q, struct ow_err *err);

/* Columns of the row, copied to `arena`. A null is NULL or 0. */
int64_t ow_col_int(struct ow_query *q, int column);
char *ow_col_text(struct ow_query *q, int column, struct ow_arena *arena);
char *ow_col_blob(struct ow_query *q, int column, struct ow_arena *arena, size_t *n);

/* What a result code of SQLite means for the caller, as a sentence without data. Notes in
 * `db` whether the connection can still be trusted. */
enum ow_code ow_sql_failed(struct ow_store_db *db, int rc, struct ow_err *err);

void ow_sql_finalize(struct ow_store_db *db);
