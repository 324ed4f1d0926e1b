/*
 * Store database: one connection, group commit, and what happens when the disk fails
 *
 * Used by one thread at a time. ow_store_db_work runs a batch of calls, the writing ones
 * in one transaction, and says OW_OK of them only after the commit was synced. When a
 * commit or any read or write of the file fails, the connection is closed; the next batch
 * first opens a new one, checks the file and writes the log into it, and until that
 * succeeds every call ends with OW_AGAIN.
 */
#pragma once

#include <sqlite3.h>

#include "daemon/store.h"
#include "daemon/store_queue.h"
#include "daemon/store_sql.h"

/* Rows by state, kept in memory so that a figure costs nothing: counted once on open,
 * changed with each transaction. */
struct ow_store_tally {
    int64_t waiting, parked, judged, due, dead, sent, open_alerts, patients, feedback;
};

enum ow_trouble { /* what the failure of a statement means for the connection */
                  OW_TROUBLE_NONE,
                  OW_TROUBLE_PASSING, /* locked: roll back, try later */
                  OW_TROUBLE_FULL,    /* no space: roll back, what is smaller may fit */
                  OW_TROUBLE_BROKEN,  /* close, open anew, check */
};

struct ow_store_db {
    char *path, *log_path; /* opiward.db and its write-ahead log */
    char *vfs;             /* NULL: SQLite's own */
    sqlite3 *conn;         /* NULL: broken, to be opened anew */
    sqlite3_stmt *prepared[OW_SQL_N];
    enum ow_trouble trouble;     /* of the batch that runs */
    struct ow_err why;           /* why there is no connection */
    bool timed;                  /* measure syncs; off where time is simulated */
    int log_pages;               /* in the write-ahead log, not yet in the database */
    struct ow_store_tally tally; /* as of the last commit */
    struct ow_store_tally now;   /* with what the open transaction changed */
    uint64_t commits, batched;
    int64_t last_sync_us;
};

OW_MUST_USE enum ow_open_result ow_store_db_init(struct ow_store_db *db,
                                                 const char *directory, const char *vfs,
                                                 struct ow_err *err);
void ow_store_db_done(struct ow_store_db *db);

void ow_store_db_work(struct ow_store_db *db, struct ow_store_list *batch);
/* Between batches: bring the log into the database when it is long, or when `idle`. True:
 * there is something to do once idle. */
bool ow_store_db_rest(struct ow_store_db *db, bool idle);
