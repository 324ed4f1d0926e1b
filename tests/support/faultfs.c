#include "tests/support/faultfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fault_file {
    sqlite3_file base;
    char *path;
    sqlite3_file *real; /* behind this struct */
};

/* What a write replaced, newest first. */
struct undo {
    struct undo *older;
    char *path;
    sqlite3_int64 offset, old_size;
    bool lost; /* a failed sync: a later one does not save it */
    size_t n;
    unsigned char old[];
};

static struct {
    sqlite3_vfs vfs, *real;
    atomic_uint calls, nth;
    atomic_int kind;
    atomic_bool lasting, hit;
    struct undo *book;
} disk;

enum op { OP_OPEN, OP_DELETE, OP_READ, OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_SIZE, OP_LOCK };

/* Count the call; the kind of fault that it meets. */
static enum faultfs_kind meet(enum op op)
{
    enum faultfs_kind kind = (enum faultfs_kind)disk.kind;
    unsigned n;

    if (kind == FAULTFS_SYNC && op != OP_SYNC)
        return FAULTFS_NONE;
    n = ++disk.calls;
    if (kind == FAULTFS_NONE || n < disk.nth || (n > disk.nth && !disk.lasting))
        return FAULTFS_NONE;
    if (kind == FAULTFS_FULL && op != OP_WRITE && op != OP_OPEN)
        return FAULTFS_NONE;
    disk.hit = true;
    return kind;
}

static int code_for(enum faultfs_kind kind, int io)
{
    return kind == FAULTFS_FULL ? SQLITE_FULL : io;
}

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct fault_file *)f)->real;
}

/* --- the book of what is not synced --- */

static void note(struct fault_file *f, sqlite3_int64 offset, int n)
{
    struct undo *u = ow_alloc_zero(sizeof *u + (size_t)n);
    int rc;

    u->path = ow_strdup(f->path);
    u->offset = offset;
    u->n = (size_t)n;
    rc = f->real->pMethods->xFileSize(f->real, &u->old_size);
    ow_assert(rc == SQLITE_OK);
    rc = n ? f->real->pMethods->xRead(f->real, u->old, n, offset) : SQLITE_OK;
    ow_assert(rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ);
    u->older = disk.book;
    disk.book = u;
}

/* Take out what `gone` says of the entries of `path` (NULL: of all files). */
static void strike(const char *path,
                   bool (*gone)(const struct undo *u, const struct undo *by),
                   const struct undo *by)
{
    struct undo **at = &disk.book, *u;

    while ((u = *at)) {
        if ((path && strcmp(u->path, path) != 0) || (gone && !gone(u, by))) {
            at = &u->older;
            continue;
        }
        *at = u->older;
        free(u->path);
        free(u);
    }
}

static bool written_again(const struct undo *u, const struct undo *by)
{
    return u->lost && u->offset >= by->offset &&
           u->offset + (sqlite3_int64)u->n <= by->offset + (sqlite3_int64)by->n;
}

static bool saved(const struct undo *u, const struct undo *by)
{
    (void)by;
    return !u->lost;
}

/* A sync of `path` succeeded. */
static void save(const char *path)
{
    for (struct undo *u = disk.book; u; u = u->older)
        if (!u->lost && strcmp(u->path, path) == 0)
            strike(path, written_again, u);
    strike(path, saved, NULL);
}

/* A sync of `path` failed. */
static void lose(const char *path)
{
    for (struct undo *u = disk.book; u; u = u->older)
        if (strcmp(u->path, path) == 0)
            u->lost = true;
}

static void forget(const char *path)
{
    strike(path, NULL, NULL);
}

void faultfs_forget(void)
{
    forget(NULL);
}

void faultfs_cut(void)
{
    for (struct undo *u = disk.book; u; u = u->older) {
        int fd = open(u->path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            continue;
        ow_assert(pwrite(fd, u->old, u->n, u->offset) == (ssize_t)u->n);
        if (!u->lost) /* the size is not what was lost */
            ow_assert(ftruncate(fd, u->old_size) == 0);
        close(fd);
    }
    forget(NULL);
}

/* --- files --- */

static int f_close(sqlite3_file *f)
{
    struct fault_file *ff = (struct fault_file *)f;
    int rc = ff->real->pMethods ? ff->real->pMethods->xClose(ff->real) : SQLITE_OK;

    free(ff->path);
    return rc;
}

static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    if (meet(OP_READ))
        return SQLITE_IOERR_READ;
    return real(f)->pMethods->xRead(real(f), to, n, at);
}

static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    enum faultfs_kind kind = meet(OP_WRITE);

    if (kind && kind != FAULTFS_SHORT)
        return code_for(kind, SQLITE_IOERR_WRITE);
    note((struct fault_file *)f, at, n);
    if (kind == FAULTFS_SHORT) {
        (void)real(f)->pMethods->xWrite(real(f), from, n / 2, at);
        return SQLITE_IOERR_WRITE;
    }
    return real(f)->pMethods->xWrite(real(f), from, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    sqlite3_int64 old = 0;

    if (meet(OP_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    if (real(f)->pMethods->xFileSize(real(f), &old) == SQLITE_OK && old > size)
        note((struct fault_file *)f, size, (int)(old - size));
    return real(f)->pMethods->xTruncate(real(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    if (meet(OP_SYNC)) {
        lose(((struct fault_file *)f)->path);
        return SQLITE_IOERR_FSYNC;
    }
    save(((struct fault_file *)f)->path);
    return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
    if (meet(OP_SIZE))
        return SQLITE_IOERR_FSTAT;
    return real(f)->pMethods->xFileSize(real(f), size);
}

static int f_lock(sqlite3_file *f, int level)
{
    if (meet(OP_LOCK))
        return SQLITE_IOERR_LOCK;
    return real(f)->pMethods->xLock(real(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int f_reserved(sqlite3_file *f, int *held)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), held);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int f_character(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend,
                     void volatile **where)
{
    if (meet(OP_OPEN))
        return SQLITE_IOERR_SHMMAP;
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, where);
}

static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    if (!(flags & SQLITE_SHM_UNLOCK) && meet(OP_LOCK))
        return SQLITE_IOERR_SHMLOCK;
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* no memory mapping: every access is a call */
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_character,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

/* --- the disk --- */

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct fault_file *ff = (struct fault_file *)f;
    int rc;

    (void)v;
    f->pMethods = NULL;
    if (meet(OP_OPEN))
        return SQLITE_CANTOPEN;
    ff->real = (sqlite3_file *)(ff + 1);
    rc = disk.real->xOpen(disk.real, name, ff->real, flags, out);
    if (rc != SQLITE_OK)
        return rc;
    ff->path = ow_strdup(name ? name : "");
    f->pMethods = &methods;
    return rc;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync)
{
    (void)v;
    if (meet(OP_DELETE))
        return SQLITE_IOERR_DELETE;
    forget(name);
    return disk.real->xDelete(disk.real, name, sync);
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
    (void)v;
    if (meet(OP_SIZE))
        return SQLITE_IOERR_ACCESS;
    return disk.real->xAccess(disk.real, name, flags, ret);
}

static int v_full(sqlite3_vfs *v, const char *name, int n, char *ret)
{
    (void)v;
    return disk.real->xFullPathname(disk.real, name, n, ret);
}

void faultfs_install(void)
{
    if (disk.real)
        return;
    disk.real = sqlite3_vfs_find(NULL);
    ow_assert(disk.real != NULL);
    disk.vfs = *disk.real;
    disk.vfs.pNext = NULL;
    disk.vfs.zName = FAULTFS_NAME;
    disk.vfs.szOsFile = (int)sizeof(struct fault_file) + disk.real->szOsFile;
    disk.vfs.xOpen = v_open;
    disk.vfs.xDelete = v_delete;
    disk.vfs.xAccess = v_access;
    disk.vfs.xFullPathname = v_full;
    ow_assert(sqlite3_vfs_register(&disk.vfs, 0) == SQLITE_OK);
}

void faultfs_plan(enum faultfs_kind kind, unsigned nth, bool lasting)
{
    disk.kind = FAULTFS_NONE;
    disk.calls = 0;
    disk.nth = nth;
    disk.lasting = lasting || kind == FAULTFS_STOP;
    disk.hit = false;
    disk.kind = (int)kind;
}

void faultfs_clear(void)
{
    disk.kind = FAULTFS_NONE;
}

unsigned faultfs_calls(void)
{
    return disk.calls;
}

bool faultfs_hit(void)
{
    return disk.hit;
}
