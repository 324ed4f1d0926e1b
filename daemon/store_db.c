/*
 * Opening. The version is read before anything is changed, so that a file of a newer
 * opiward or of another program stays as it was. A write-ahead log that still has content
 * means that nobody closed the database: then its structure is checked before use.
 *
 * Working. A batch is one transaction, begun by its first writing call. A call that fails
 * by its own fault is undone by its savepoint and the others go on. When the transaction
 * itself fails, no call that ran in it is acknowledged, not even one that only read,
 * because it may have read what was undone.
 *
 * A full disk leaves the connection sound: SQLite undoes the transaction without needing
 * space. The calls then run one by one, so that the small ones (a delivery was sent)
 * still succeed where the large ones (a new event) cannot.
 *
 * Any other I/O error, above all a failed sync, does not. The kernel may have dropped the
 * pages it could not write and call them clean, so a second sync would report success for
 * bytes that are nowhere. Therefore the connection is closed, and opening again ends with
 * a full checkpoint: every page in the log is written to the database and synced anew and
 * the log starts from nothing, so nothing later can rest on what was never written. A
 * commit that failed may turn out to have succeeded; its callers were told OW_AGAIN and
 * every call of store.h can be repeated.
 */
#include "daemon/store_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/clock.h"
#include "daemon/store_schema.h"

enum {
    LOG_PAGES_IDLE = 1000, /* worth a checkpoint when there is nothing else to do */
    LOG_PAGES_MOST = 8000, /* 32 MB: a checkpoint now, whatever waits */
    BUSY_MS = 2000,        /* for a person's shell on the same file */
};

static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA cache_size = -8192;"
                               "PRAGMA journal_size_limit = 67108864;";

static enum ow_code failed(struct ow_store_db *db, const char *what, struct ow_err *err)
{
    int rc = sqlite3_extended_errcode(db->conn);

    return ow_err_set(err, OW_AGAIN, "%s %s: %s (%d)", db->path, what,
                      sqlite3_errmsg(db->conn), rc);
}

static int on_commit(void *arg, sqlite3 *conn, const char *name, int pages)
{
    struct ow_store_db *db = arg;

    (void)conn;
    (void)name;
    db->log_pages = pages;
    return SQLITE_OK;
}

/* --- opening --- */

/* A log that outlives its connection is what marks a bad end: only a good one drops it.
 */
static void keep_log(struct ow_store_db *db, bool keep)
{
    (void)sqlite3_db_config(db->conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, NULL);
}

static enum ow_code connect_file(struct ow_store_db *db, struct ow_err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;

    if (sqlite3_open_v2(db->path, &db->conn, flags, db->vfs) != SQLITE_OK)
        return failed(db, "cannot be opened", err);
    sqlite3_busy_timeout(db->conn, BUSY_MS);
    keep_log(db, true);
    return OW_OK;
}

static enum ow_code configure(struct ow_store_db *db, struct ow_err *err)
{
    sqlite3_stmt *st = NULL;
    bool wal = false;

    if (sqlite3_prepare_v2(db->conn, "PRAGMA journal_mode = WAL", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        wal = sqlite3_stricmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    sqlite3_finalize(st);
    if (!wal || sqlite3_exec(db->conn, settings, NULL, NULL, NULL) != SQLITE_OK)
        return failed(db, "cannot be prepared", err);
    sqlite3_wal_hook(db->conn, on_commit, db); /* instead of automatic checkpoints */
    return OW_OK;
}

static enum ow_code check(struct ow_store_db *db, struct ow_err *err)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = OW_OK;

    if (sqlite3_prepare_v2(db->conn, "PRAGMA quick_check(1)", -1, &st, NULL) !=
            SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        code = failed(db, "cannot be checked", err);
    else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
        code = ow_err_set(err, OW_AGAIN, "%s is damaged: %s; restore it from a backup",
                          db->path, (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return code;
}

/* Everything in the log goes to the database, is synced there, and the log is emptied. */
static enum ow_code empty_log(struct ow_store_db *db, struct ow_err *err)
{
    if (sqlite3_wal_checkpoint_v2(db->conn, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL) != SQLITE_OK)
        return failed(db, "cannot be brought up to date", err);
    db->log_pages = 0;
    return OW_OK;
}

static enum ow_code count(struct ow_store_db *db, const char *sql, int64_t *ret,
                          struct ow_err *err)
{
    sqlite3_stmt *st = NULL;
    enum ow_code code = OW_OK;

    if (sqlite3_prepare_v2(db->conn, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    else
        code = failed(db, "cannot be counted", err);
    sqlite3_finalize(st);
    return code;
}

static enum ow_code count_all(struct ow_store_db *db, struct ow_err *err)
{
    struct ow_store_tally t = { 0 };
    const struct {
        int64_t *n;
        const char *sql;
    } counts[] = {
        {&t.waiting,      "SELECT count(*) FROM event WHERE state = 0"   },
        { &t.parked,      "SELECT count(*) FROM event WHERE state = 2"   },
        { &t.judged,      "SELECT count(*) FROM event WHERE state = 1"   },
        { &t.due,         "SELECT count(*) FROM delivery WHERE state = 0"},
        { &t.sent,        "SELECT count(*) FROM delivery WHERE state = 1"},
        { &t.dead,        "SELECT count(*) FROM delivery WHERE state = 2"},
        { &t.open_alerts, "SELECT count(*) FROM alert WHERE state = 0"   },
        { &t.patients,    "SELECT count(*) FROM patient"                 },
        { &t.feedback,    "SELECT count(*) FROM feedback"                },
    };

    for (size_t i = 0; i < OW_LEN(counts); i++) {
        enum ow_code code = count(db, counts[i].sql, counts[i].n, err);

        if (code != OW_OK)
            return code;
    }
    db->tally = db->now = t;
    return OW_OK;
}

static void disconnect(struct ow_store_db *db)
{
    ow_sql_finalize(db);
    sqlite3_close(db->conn);
    db->conn = NULL;
    db->log_pages = 0;
}

/* `suspect`: the last connection did not end well. */
static enum ow_open_result open_file(struct ow_store_db *db, bool suspect,
                                     struct ow_err *err)
{
    enum ow_code code = connect_file(db, err);
    unsigned version = 0;

    if (code == OW_OK) {
        code = ow_store_version(db->conn, &version, err);
        if (code != OW_OK)
            code = ow_err_prefix(err, code, "%s", db->path);
    }
    if (code == OW_OK && version > ow_store_n_steps) {
        ow_err_set(err, OW_CONFIG,
                   "%s has version %u, this opiward knows only up to version %u: it was"
                   " written by a newer one",
                   db->path, version, ow_store_n_steps);
        disconnect(db);
        return OW_STORE_NEWER;
    }
    if (code == OW_OK)
        code = configure(db, err);
    if (code == OW_OK && suspect)
        code = check(db, err);
    if (code == OW_OK && suspect)
        code = empty_log(db, err);
    if (code == OW_OK) {
        code = ow_store_migrate(db->conn, ow_store_steps, ow_store_n_steps, err);
        if (code != OW_OK)
            code = ow_err_prefix(err, code, "%s", db->path);
    }
    if (code == OW_OK)
        code = count_all(db, err);
    if (code == OW_OK)
        return OW_STORE_OPENED;
    disconnect(db);
    return OW_STORE_FAILED;
}

/* The file exists with mode 0600 before SQLite sees it; log and index take its mode. */
static enum ow_code private_file(const char *path, struct ow_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return ow_err_set(err, OW_CONFIG, "%s cannot be created: %s", path,
                          strerror(errno));
    else if (chmod(path, 0600) != 0)
        return ow_err_set(err, OW_CONFIG, "%s cannot be made private: %s", path,
                          strerror(errno));
    return OW_OK;
}

static bool has_content(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0;
}

static char *join(const char *directory, const char *name)
{
    struct ow_buf b;

    ow_buf_init(&b, 64 * 1024);
    ow_buf_str(&b, directory);
    ow_buf_str(&b, name);
    ow_assert(!b.failed);
    return ow_buf_take(&b, NULL);
}

enum ow_open_result ow_store_db_init(struct ow_store_db *db, const char *directory,
                                     const char *vfs, struct ow_err *err)
{
    *db = (struct ow_store_db){ 0 };
    db->path = join(directory, "/opiward.db");
    db->log_path = join(directory, "/opiward.db-wal");
    db->vfs = ow_strdup(vfs);
    if (private_file(db->path, err) != OW_OK)
        return OW_STORE_FAILED;
    return open_file(db, has_content(db->log_path), err);
}

void ow_store_db_done(struct ow_store_db *db)
{
    if (db->conn)
        keep_log(db, false);
    disconnect(db);
    free(db->path);
    free(db->log_path);
    free(db->vfs);
}

/* --- working --- */

static enum ow_code control(struct ow_store_db *db, enum ow_sql which, struct ow_err *err)
{
    struct ow_query q = ow_query(db, which);

    ow_run(&q);
    return ow_query_end(&q, err);
}

/* One call inside the transaction. Anything but OW_OK leaves no trace of it. */
static void run_one(struct ow_store_db *db, struct ow_store_call *call)
{
    struct ow_store_tally before = db->now;
    bool save = call->op->writes && !call->op->single;
    struct ow_err err;
    enum ow_code code = OW_OK;

    call->err.text[0] = '\0';
    call->code = save ? control(db, OW_SQL_SAVE, &call->err) : OW_OK;
    if (call->code == OW_OK)
        call->code = call->op->run(db, call, &call->err);
    if (call->code != OW_OK)
        db->now = before;
    if (db->trouble || !save)
        return; /* all of it is about to be undone */
    if (call->code != OW_OK)
        code = control(db, OW_SQL_SAVE_UNDO, &err);
    if (code == OW_OK)
        code = control(db, OW_SQL_SAVE_END, &err);
    if (code != OW_OK) {
        call->code = code;
        call->err = err;
    }
}

static enum ow_code commit(struct ow_store_db *db, struct ow_err *err)
{
    int64_t before = db->timed ? ow_clock_mono_us() : 0;
    enum ow_code code = control(db, OW_SQL_COMMIT, err);

    if (code != OW_OK)
        return code;
    if (db->timed)
        db->last_sync_us = ow_clock_mono_us() - before;
    db->tally = db->now;
    return OW_OK;
}

static void fail_rest(struct ow_store_call *from, const struct ow_store_call *until,
                      enum ow_code code, const struct ow_err *err)
{
    for (; from != until; from = from->next) {
        if (from->refused)
            continue;
        from->code = code;
        from->err = *err;
    }
}

static void undo(struct ow_store_db *db)
{
    struct ow_err unused;

    db->now = db->tally;
    if (!sqlite3_get_autocommit(db->conn) &&
        control(db, OW_SQL_ROLLBACK, &unused) != OW_OK)
        db->trouble = OW_TROUBLE_BROKEN;
}

/*
 * Run the calls from `first` up to `end` as one transaction. False: `db->trouble` says
 * why, calls from `*from` on were undone or never ran and all end with the same error.
 */
static bool transaction(struct ow_store_db *db, struct ow_store_call *first,
                        const struct ow_store_call *end, struct ow_store_call **from)
{
    struct ow_store_call *call;
    struct ow_err err = { "" };
    enum ow_code code = OW_OK;
    bool begun = false;
    uint64_t n = 0;

    db->trouble = OW_TROUBLE_NONE;
    *from = first;
    for (call = first; call != end; call = call->next) {
        if (call->refused)
            continue;
        if (!begun)
            *from = call; /* what was read before stays true whatever comes */
        if (!begun && call->op->writes) {
            code = control(db, OW_SQL_BEGIN, &err);
            if (code != OW_OK)
                break;
            begun = true;
        }
        run_one(db, call);
        n += call->op->writes;
        if (db->trouble) {
            code = call->code;
            err = call->err;
            break;
        }
    }
    if (!db->trouble && begun)
        code = commit(db, &err);
    if (!db->trouble) {
        db->commits += begun;
        db->batched += n;
        return true;
    }
    undo(db);
    fail_rest(*from, end, code, &err);
    return false;
}

static void work_connected(struct ow_store_db *db, struct ow_store_call *first)
{
    struct ow_store_call *from, *next, *unused;

    if (transaction(db, first, NULL, &from) || db->trouble != OW_TROUBLE_FULL)
        return;
    for (; from && db->trouble <= OW_TROUBLE_FULL; from = next) {
        next = from->next;
        if (!from->refused)
            (void)transaction(db, from, next, &unused);
    }
}

void ow_store_db_work(struct ow_store_db *db, struct ow_store_list *batch)
{
    if (!db->conn && open_file(db, true, &db->why) != OW_STORE_OPENED) {
        fail_rest(batch->first, NULL, OW_AGAIN, &db->why);
        return;
    }
    work_connected(db, batch->first);
    if (db->trouble == OW_TROUBLE_BROKEN)
        disconnect(db);
}

/* A checkpoint that cannot finish is tried again later: the log still has everything. */
bool ow_store_db_rest(struct ow_store_db *db, bool idle)
{
    int pages = 0, moved = 0, rc;

    if (!db->conn || db->log_pages < LOG_PAGES_IDLE)
        return false;
    if (!idle && db->log_pages < LOG_PAGES_MOST)
        return true;
    rc = sqlite3_wal_checkpoint_v2(db->conn, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
                                   &moved);
    if (rc == SQLITE_OK) {
        db->log_pages = pages - moved;
    } else if ((rc & 0xff) != SQLITE_FULL && (rc & 0xff) != SQLITE_BUSY) {
        disconnect(db);
    }
    return false;
}
