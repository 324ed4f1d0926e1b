/*
 * Fault disk: SQLite on a disk that fails where a test says
 *
 * A layer over SQLite's own disk (a VFS named "faultfs"). It counts every call that can
 * fail, makes the n-th fail once or from then on, and can lose power: after a stop
 * nothing reaches the files any more, and faultfs_cut also takes back what was not
 * synced.
 *
 * Nothing is really synced, so that a sweep over thousands of faults is quick; what a
 * sync promises is kept by this layer's own book. One store at a time.
 */
#pragma once

#include "base/base.h"

enum faultfs_kind {
    FAULTFS_NONE,
    FAULTFS_EIO,   /* input/output error, nothing done */
    FAULTFS_FULL,  /* no space: writes and growth fail, the rest works */
    FAULTFS_SHORT, /* half of a write arrives, then an error */
    FAULTFS_SYNC,  /* only syncs fail (and are the only calls counted) */
    FAULTFS_STOP,  /* the process was killed: from here on nothing happens */
};

#define FAULTFS_NAME "faultfs"

void faultfs_install(void);
/* The `nth` call from now on (from 1) fails; with `lasting`, all after it too. */
void faultfs_plan(enum faultfs_kind kind, unsigned nth, bool lasting);
void faultfs_clear(void);     /* the disk is well again */
unsigned faultfs_calls(void); /* since faultfs_plan */
bool faultfs_hit(void);       /* did anything fail since? */
/* Power loss: undo all writes that no sync saved. Files are closed. */
void faultfs_cut(void);
/* Forget the book: a new directory. */
void faultfs_forget(void);
