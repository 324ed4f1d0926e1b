/*
 * Store schema: what the tables look like, and how they became so
 *
 * The version stands in the file (PRAGMA user_version). Each step takes it one up inside
 * one transaction, so a process that is killed leaves the old version or the new one.
 * Steps that were released never change: a new idea is a new step.
 */
#pragma once

#include <sqlite3.h>

#include "base/err.h"

enum {
    OW_STORE_APPLICATION_ID = 0x6f706977, /* "opiw", at offset 68 of the file */
};

struct ow_store_step {
    const char *sql; /* from version i to i + 1, where i is its place in the table */
};

extern const struct ow_store_step ow_store_steps[];
extern const unsigned ow_store_n_steps;

/* Version and kind of the file. OW_CONFIG: not a database of ours. */
OW_MUST_USE enum ow_code ow_store_version(sqlite3 *conn, unsigned *ret,
                                          struct ow_err *err);
/* Take the file from where it is to version `n`. */
OW_MUST_USE enum ow_code ow_store_migrate(sqlite3 *conn,
                                          const struct ow_store_step *steps, unsigned n,
                                          struct ow_err *err);
