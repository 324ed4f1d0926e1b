#include "daemon/store_schema.h"

#include <stdio.h>

/*
 * Version 1. Strict tables: a column holds what it says. Instants are ms since 1970, UTC.
 *
 * event_key is what makes a repeated notification one event. Rows without a version carry
 * null there, and nulls never collide: their repeats are found by digest instead.
 *
 * delivery.head marks the oldest delivery of its sink and subject that is still due, the
 * only one of them that may leave. It is kept by every change, so that finding what is
 * due reads as many rows as it returns.
 */
static const char version_1[] =
    "CREATE TABLE setting("
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE verdict("
    "  id INTEGER PRIMARY KEY, source TEXT NOT NULL, patient TEXT NOT NULL,"
    "  at INTEGER NOT NULL, med_text TEXT, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX verdict_patient ON verdict(patient, at);"

    "CREATE TABLE event("
    "  id INTEGER PRIMARY KEY, source TEXT NOT NULL,"
    "  kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 2),"
    "  state INTEGER NOT NULL DEFAULT 0 CHECK(state BETWEEN 0 AND 2),"
    "  attempts INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL, parked INTEGER,"
    "  verdict INTEGER REFERENCES verdict(id), type TEXT, rid TEXT, version TEXT,"
    "  digest BLOB, patient TEXT, reason TEXT, body BLOB,"
    "  CHECK(kind = 2 OR (type IS NOT NULL AND rid IS NOT NULL))) STRICT;"
    "CREATE UNIQUE INDEX event_key ON event(rid, type, version, kind, source)"
    "  WHERE rid IS NOT NULL;"
    "CREATE INDEX event_waiting ON event(id) WHERE state = 0;"
    "CREATE INDEX event_hint ON event(source) WHERE state = 0 AND kind = 2;"

    "CREATE TABLE patient("
    "  patient TEXT PRIMARY KEY, source TEXT NOT NULL, med_text TEXT,"
    "  judged INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE alert("
    "  key TEXT PRIMARY KEY, patient TEXT NOT NULL, rule TEXT NOT NULL, cause TEXT,"
    "  episode INTEGER NOT NULL, tier INTEGER NOT NULL, revision INTEGER NOT NULL,"
    "  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 1), opened INTEGER NOT NULL,"
    "  changed INTEGER NOT NULL, reason TEXT) STRICT, WITHOUT ROWID;"
    "CREATE INDEX alert_patient ON alert(patient, rule, cause, episode);"
    "CREATE TABLE order_patient("
    "  source TEXT NOT NULL, reference TEXT NOT NULL, patient TEXT NOT NULL,"
    "  PRIMARY KEY(reference, source)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE delivery("
    "  id INTEGER PRIMARY KEY, sink TEXT NOT NULL, subject TEXT, alert_key TEXT,"
    "  priority INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0"
    "  CHECK(state BETWEEN 0 AND 2), head INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,"
    "  due INTEGER NOT NULL, unknown INTEGER NOT NULL DEFAULT 0, finished INTEGER,"
    "  verdict INTEGER NOT NULL REFERENCES verdict(id), digest INTEGER NOT NULL,"
    "  identity TEXT, last_error TEXT, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX delivery_ready ON delivery(sink, priority DESC, id, due)"
    "  WHERE head = 1;"
    "CREATE INDEX delivery_next ON delivery(sink, due) WHERE head = 1;"
    "CREATE INDEX delivery_queue ON delivery(subject, sink) WHERE state = 0;"
    "CREATE INDEX delivery_state ON delivery(state);"
    "CREATE INDEX delivery_identity ON delivery(identity, sink)"
    "  WHERE identity IS NOT NULL;"

    "CREATE TABLE feedback("
    "  card TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL, reason_code TEXT,"
    "  reason_system TEXT, suggestions TEXT, received INTEGER NOT NULL,"
    "  PRIMARY KEY(card, outcome, at)) STRICT, WITHOUT ROWID;";

/*
 * Version 2. What was told to whom: one row a finding that stood on a card, `lead` for
 * the one that the card is about, which is the one that feedback on the card answers.
 * `med` is an exact fraction. `verdict` is the record of that answer; both go when they
 * are old.
 */
static const char version_2[] =
    "CREATE TABLE told("
    "  id INTEGER PRIMARY KEY, patient TEXT NOT NULL, at INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, cause TEXT NOT NULL, tier INTEGER NOT NULL,"
    "  lead INTEGER NOT NULL, card TEXT NOT NULL, med TEXT, prescriber TEXT,"
    "  encounter TEXT, prescribers TEXT, classes TEXT, hook INTEGER NOT NULL,"
    "  instance TEXT, verdict INTEGER NOT NULL) STRICT;"
    "CREATE INDEX told_patient ON told(patient, at, id);"
    "CREATE INDEX told_card ON told(card, at);"
    "CREATE INDEX told_at ON told(at);";

/*
 * Version 3. Tokens of CDS Hooks callers that were used and could be used again: a digest
 * of issuer and jti, and until when they are refused for that.
 */
static const char version_3[] =
    "CREATE TABLE token("
    "  digest BLOB PRIMARY KEY, issuer TEXT NOT NULL, until INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX token_until ON token(until);";

const struct ow_store_step ow_store_steps[] = {
    { version_1 },
    { version_2 },
    { version_3 },
};
const unsigned ow_store_n_steps = OW_LEN(ow_store_steps);

static enum ow_code failed(sqlite3 *conn, const char *what, struct ow_err *err)
{
    int rc = sqlite3_extended_errcode(conn);

    return ow_err_set(err, rc == SQLITE_NOTADB ? OW_CONFIG : OW_AGAIN, "%s: %s (%d)",
                      what, sqlite3_errmsg(conn), rc);
}

static enum ow_code number(sqlite3 *conn, const char *sql, int64_t *ret,
                           struct ow_err *err)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = OW_OK;

    if (sqlite3_prepare_v2(conn, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    else
        code = failed(conn, "the database cannot be read", err);
    sqlite3_finalize(st);
    return code;
}

enum ow_code ow_store_version(sqlite3 *conn, unsigned *ret, struct ow_err *err)
{
    int64_t id = 0, version = 0, tables = 0;
    enum ow_code code = number(conn, "PRAGMA application_id", &id, err);

    if (code == OW_OK)
        code = number(conn, "PRAGMA user_version", &version, err);
    if (code == OW_OK)
        code = number(conn, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code != OW_OK)
        return code;
    if (id == 0 && version == 0 && tables == 0) {
        *ret = 0; /* new and empty */
        return OW_OK;
    }
    if (id != OW_STORE_APPLICATION_ID || version < 0 || version > INT32_MAX)
        return ow_err_set(err, OW_CONFIG,
                          "the database is of another program"
                          " (application id %#llx, not %#x)",
                          (unsigned long long)id, (unsigned)OW_STORE_APPLICATION_ID);
    *ret = (unsigned)version;
    return OW_OK;
}

static enum ow_code run(sqlite3 *conn, const char *sql, unsigned to, struct ow_err *err)
{
    if (sqlite3_exec(conn, sql, NULL, NULL, NULL) == SQLITE_OK)
        return OW_OK;
    return ow_err_set(err, OW_AGAIN, "the database cannot become version %u: %s", to,
                      sqlite3_errmsg(conn));
}

static enum ow_code step(sqlite3 *conn, const char *sql, unsigned to, struct ow_err *err)
{
    char stamp[96];
    enum ow_code code = run(conn, "BEGIN IMMEDIATE", to, err);

    if (code != OW_OK)
        return code;
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %u",
             OW_STORE_APPLICATION_ID, to);
    code = run(conn, sql, to, err);
    if (code == OW_OK)
        code = run(conn, stamp, to, err);
    if (code == OW_OK)
        code = run(conn, "COMMIT", to, err);
    if (code != OW_OK && !sqlite3_get_autocommit(conn))
        (void)sqlite3_exec(conn, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

enum ow_code ow_store_migrate(sqlite3 *conn, const struct ow_store_step *steps,
                              unsigned n, struct ow_err *err)
{
    unsigned version;
    enum ow_code code = ow_store_version(conn, &version, err);

    while (code == OW_OK && version < n) {
        code = step(conn, steps[version].sql, version + 1, err);
        version++;
    }
    return code;
}
