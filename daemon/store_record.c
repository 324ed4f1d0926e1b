#include "daemon/store_record.h"

#include <sqlite3.h>
#include <string.h>

#include "base/text.h"
#include "daemon/files.h"
#include "daemon/store_schema.h"

enum { BUSY_MS = 2000, PATH_BYTES = 4096 };

struct reading {
    sqlite3 *conn;
    struct ow_arena *arena;
    struct ow_err *err;
};

static enum ow_code failed(struct reading *r)
{
    return ow_err_set(r->err, OW_AGAIN, "the database cannot be read: %s",
                      sqlite3_errmsg(r->conn));
}

static enum ow_code connect(struct reading *r, const char *directory)
{
    char path[PATH_BYTES];
    unsigned version = 0;
    enum ow_code code;

    if (!ow_path_join(directory, "opiward.db", path, sizeof path) || !ow_is_file(path))
        return ow_err_set(r->err, OW_CONFIG, "there is no opiward.db in %s", directory);
    if (sqlite3_open_v2(path, &r->conn, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return failed(r);
    sqlite3_busy_timeout(r->conn, BUSY_MS);
    code = ow_store_version(r->conn, &version, r->err);
    if (code != OW_OK)
        return code;
    if (version != ow_store_n_steps)
        return ow_err_set(r->err, OW_CONFIG,
                          "the database has version %u, this opiward reads %u", version,
                          ow_store_n_steps);
    return OW_OK;
}

static const char *text(sqlite3_stmt *st, int column, struct ow_arena *arena)
{
    return ow_arena_strdup(arena, (const char *)sqlite3_column_text(st, column));
}

/* The first row of `sql` with `a` (and `b`) bound; NULL in *ret: there is none. */
static enum ow_code first_row(struct reading *r, const char *sql, const char *a,
                              int64_t b, sqlite3_stmt **ret)
{
    int rc;

    if (sqlite3_prepare_v2(r->conn, sql, -1, ret, NULL) != SQLITE_OK)
        return failed(r);
    if (a)
        sqlite3_bind_text(*ret, 1, a, -1, SQLITE_STATIC);
    else
        sqlite3_bind_int64(*ret, 1, b);
    rc = sqlite3_step(*ret);
    if (rc == SQLITE_ROW)
        return OW_OK;
    sqlite3_finalize(*ret);
    *ret = NULL;
    return rc == SQLITE_DONE ? OW_OK : failed(r);
}

static enum ow_code verdict_take(struct reading *r, const char *sql, const char *patient,
                                 int64_t id, struct ow_stored *ret)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = first_row(r, sql, patient, id, &st);

    if (code != OW_OK || !st)
        return code != OW_OK ? code
                             : ow_err_set(r->err, OW_MISSING, "no verdict is recorded");
    ret->source = text(st, 0, r->arena);
    ret->patient = text(st, 1, r->arena);
    ret->at = sqlite3_column_int64(st, 2);
    ret->len = (size_t)sqlite3_column_bytes(st, 3);
    ret->body = ow_arena_strndup(r->arena, sqlite3_column_blob(st, 3), ret->len);
    sqlite3_finalize(st);
    return OW_OK;
}

static enum ow_code of_patient(struct reading *r, const char *patient,
                               struct ow_stored *ret)
{
    return verdict_take(r,
                        "SELECT source, patient, at, body FROM verdict WHERE patient = ?"
                        " ORDER BY at DESC, id DESC LIMIT 1",
                        patient, 0, ret);
}

static enum ow_code of_alert(struct reading *r, const char *key, struct ow_stored *ret)
{
    const char *patient;
    sqlite3_stmt *st = NULL;
    enum ow_code code =
        first_row(r, "SELECT patient, rule, state FROM alert WHERE key = ?", key, 0, &st);

    if (code != OW_OK || !st)
        return code != OW_OK ? code
                             : ow_err_set(r->err, OW_MISSING, "no alert has that key");
    patient = text(st, 0, r->arena);
    ret->rule = text(st, 1, r->arena);
    ret->state = sqlite3_column_int(st, 2) == 0 ? "open" : "resolved";
    sqlite3_finalize(st);
    return of_patient(r, patient, ret);
}

static enum ow_code answer_take(struct reading *r, const char *card,
                                struct ow_stored *ret)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = first_row(r,
                                  "SELECT outcome, reason_code FROM feedback WHERE"
                                  " card = ? ORDER BY received DESC, at DESC LIMIT 1",
                                  card, 0, &st);

    if (code != OW_OK || !st)
        return code;
    ret->outcome = text(st, 0, r->arena);
    ret->answer_code = text(st, 1, r->arena);
    sqlite3_finalize(st);
    return OW_OK;
}

static enum ow_code of_card(struct reading *r, const char *card, struct ow_stored *ret)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = first_row(r,
                                  "SELECT verdict, rule FROM told WHERE card = ?"
                                  " ORDER BY at DESC, lead DESC LIMIT 1",
                                  card, 0, &st);
    int64_t verdict;

    if (code != OW_OK || !st)
        return code != OW_OK
                   ? code
                   : ow_err_set(r->err, OW_MISSING, "nobody was told that card");
    verdict = sqlite3_column_int64(st, 0);
    ret->rule = text(st, 1, r->arena);
    sqlite3_finalize(st);
    code = answer_take(r, card, ret);
    if (code != OW_OK)
        return code;
    return verdict_take(r, "SELECT source, patient, at, body FROM verdict WHERE id = ?",
                        NULL, verdict, ret);
}

static bool is_hex(const char *s, size_t n, const char *also)
{
    return strlen(s) == n && strspn(s, also) == n;
}

enum ow_code ow_store_record(const char *directory, const char *what,
                             struct ow_arena *arena, struct ow_stored *ret,
                             struct ow_err *err)
{
    struct reading r = { .arena = arena, .err = err };
    struct ow_stored record = { 0 };
    enum ow_code code;

    if (!ow_starts_with(what, "Patient/") && !is_hex(what, 32, "0123456789abcdef") &&
        !is_hex(what, 36, "0123456789abcdef-"))
        return ow_err_set(
            err, OW_INPUT,
            "expected Patient/id, the key of an alert or the uuid of a card");
    code = connect(&r, directory);
    if (code == OW_OK) {
        if (what[0] == 'P')
            code = of_patient(&r, what, &record);
        else
            code = strlen(what) == 32 ? of_alert(&r, what, &record)
                                      : of_card(&r, what, &record);
    }
    sqlite3_close(r.conn);
    if (code == OW_OK)
        *ret = record;
    return code;
}
