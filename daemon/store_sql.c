#include "daemon/store_sql.h"

#include <string.h>

#include "daemon/store_db.h"

static const char *const texts[OW_SQL_N] = {
#define OW_SQL(name, text) [OW_SQL_##name] = (text),
#include "daemon/store_sql.def"
#undef OW_SQL
};

struct ow_query ow_query(struct ow_store_db *db, enum ow_sql which)
{
    struct ow_query q = { .db = db, .rc = SQLITE_OK };
    sqlite3_stmt **cached = &db->prepared[which];

    if (!*cached)
        q.rc = sqlite3_prepare_v3(db->conn, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                  cached, NULL);
    q.st = *cached;
    return q;
}

static void bound(struct ow_query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void ow_bind_int(struct ow_query *q, int64_t v)
{
    if (q->rc == SQLITE_OK)
        bound(q, sqlite3_bind_int64(q->st, ++q->bound, v));
}

void ow_bind_text(struct ow_query *q, const char *s)
{
    if (q->rc != SQLITE_OK)
        return;
    bound(q, s ? sqlite3_bind_text64(q->st, ++q->bound, s, strlen(s), SQLITE_STATIC,
                                     SQLITE_UTF8)
               : sqlite3_bind_null(q->st, ++q->bound));
}

void ow_bind_blob(struct ow_query *q, const void *data, size_t n)
{
    if (q->rc != SQLITE_OK)
        return;
    bound(q, data ? sqlite3_bind_blob64(q->st, ++q->bound, data, n, SQLITE_STATIC)
                  : sqlite3_bind_null(q->st, ++q->bound));
}

bool ow_row(struct ow_query *q)
{
    if (q->rc != SQLITE_OK && q->rc != SQLITE_ROW)
        return false;
    q->rc = sqlite3_step(q->st);
    q->changed = sqlite3_changes64(q->db->conn);
    return q->rc == SQLITE_ROW;
}

void ow_run(struct ow_query *q)
{
    while (ow_row(q))
        ;
}

enum ow_code ow_query_end(struct ow_query *q, struct ow_err *err)
{
    enum ow_code code = OW_OK;

    /* The sentence first: a reset may put another one in its place. */
    if (q->rc != SQLITE_OK && q->rc != SQLITE_ROW && q->rc != SQLITE_DONE)
        code = ow_sql_failed(q->db, q->rc, err);
    if (q->st) {
        sqlite3_reset(q->st);
        sqlite3_clear_bindings(q->st);
    }
    return code;
}

int64_t ow_col_int(struct ow_query *q, int column)
{
    return sqlite3_column_int64(q->st, column);
}

char *ow_col_blob(struct ow_query *q, int column, struct ow_arena *arena, size_t *n)
{
    const void *data;
    char *copy;

    if (n)
        *n = 0;
    if (sqlite3_column_type(q->st, column) == SQLITE_NULL)
        return NULL;
    data = sqlite3_column_blob(q->st, column);
    size_t len = (size_t)sqlite3_column_bytes(q->st, column);

    copy = ow_arena_alloc(arena, len + 1); /* zeroed: text ends by itself */
    if (len)
        memcpy(copy, data, len);
    if (n)
        *n = len;
    return copy;
}

char *ow_col_text(struct ow_query *q, int column, struct ow_arena *arena)
{
    return ow_col_blob(q, column, arena, NULL);
}

/*
 * Three kinds of failure. The call's own: it alone ends, with OW_INPUT. Nobody's fault
 * and over soon (locked, full): OW_AGAIN, the connection stays. The file's: whatever this
 * connection holds in memory may differ from the disk, so it must be opened anew.
 */
enum ow_code ow_sql_failed(struct ow_store_db *db, int rc, struct ow_err *err)
{
    const char *text = sqlite3_errstr(rc);

    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return ow_err_set(err, OW_INPUT, "the store refuses this record: %s (%d)", text,
                          rc);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        db->trouble = OW_TROUBLE_PASSING;
        return ow_err_set(err, OW_AGAIN, "the store is locked by another program (%d)",
                          rc);
    case SQLITE_FULL:
        db->trouble = OW_TROUBLE_FULL;
        return ow_err_set(err, OW_AGAIN, "the disk of the store is full");
    default:
        db->trouble = OW_TROUBLE_BROKEN;
        return ow_err_set(err, OW_AGAIN, "the store failed: %s (%d)", text, rc);
    }
}

void ow_sql_finalize(struct ow_store_db *db)
{
    for (size_t i = 0; i < OW_SQL_N; i++) {
        sqlite3_finalize(db->prepared[i]);
        db->prepared[i] = NULL;
    }
}
