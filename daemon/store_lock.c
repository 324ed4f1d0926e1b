#include "daemon/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new directory is safe only when the one above it was synced too. */
static void sync_parent(const char *directory)
{
    char up[4096];
    int n = snprintf(up, sizeof up, "%s/..", directory);
    int fd;

    if (n < 0 || (size_t)n >= sizeof up)
        return;
    fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static enum ow_code make_directory(const char *directory, struct ow_err *err)
{
    struct stat st;

    if (mkdir(directory, 0700) == 0)
        sync_parent(directory);
    else if (errno != EEXIST)
        return ow_err_set(err, OW_CONFIG, "%s cannot be created: %s", directory,
                          strerror(errno));
    if (stat(directory, &st) != 0 || !S_ISDIR(st.st_mode))
        return ow_err_set(err, OW_CONFIG, "%s is not a directory", directory);
    return OW_OK;
}

static long holder(int fd)
{
    char text[32];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

static enum ow_code busy(const char *directory, int fd, struct ow_err *err)
{
    long pid = holder(fd);

    if (pid > 0)
        return ow_err_set(err, OW_AGAIN,
                          "%s is in use by process %ld: one opiward for one directory",
                          directory, pid);
    return ow_err_set(err, OW_AGAIN,
                      "%s is in use by another process: one opiward for one directory",
                      directory);
}

static void write_pid(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    /* For people only: a disk too full for it is no reason not to start. */
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
        (void)!ftruncate(fd, 0);
}

enum ow_code ow_store_lock(const char *directory, int *ret, struct ow_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/lock", directory);
    enum ow_code code;
    int fd;

    if (n < 0 || (size_t)n >= sizeof path)
        return ow_err_set(err, OW_CONFIG, "the store's directory has too long a name");
    code = make_directory(directory, err);
    if (code != OW_OK)
        return code;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ow_err_set(err, OW_CONFIG, "%s cannot be opened: %s", path,
                          strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        code = errno == EWOULDBLOCK
                   ? busy(directory, fd, err)
                   : ow_err_set(err, OW_CONFIG, "%s cannot be locked: %s", path,
                                strerror(errno));
        close(fd);
        return code;
    }
    write_pid(fd);
    *ret = fd;
    return OW_OK;
}
