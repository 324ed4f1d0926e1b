#include "daemon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* All of `fd`, at most `ceiling` bytes; the size that stat gives is no promise. */
static enum ow_code read_all(int fd, size_t ceiling, char **ret, size_t *len,
                             struct ow_err *err)
{
    size_t n = 0, cap = 16384;
    char *data = ow_alloc(cap);

    for (;;) {
        ssize_t got = read(fd, data + n, cap - n - 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || n + (size_t)got > ceiling) {
            free(data);
            return got < 0
                       ? ow_err_set(err, OW_CONFIG, "cannot be read: %s", strerror(errno))
                       : ow_err_set(err, OW_CONFIG, "is larger than %zu bytes", ceiling);
        }
        n += (size_t)got;
        if (got == 0)
            break;
        if (cap - n < 2)
            data = ow_realloc(data, cap *= 2);
    }
    data[n] = '\0';
    *ret = data;
    *len = n;
    return OW_OK;
}

enum ow_code ow_file_read(const char *path, size_t ceiling, char **ret, size_t *len,
                          struct ow_err *err)
{
    /* Without waiting: the name may be that of a pipe nobody writes to. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    enum ow_code code;

    if (fd < 0)
        return ow_err_set(err, OW_CONFIG, "cannot be opened: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ow_err_set(err, OW_CONFIG, "is no regular file");
    }
    code = read_all(fd, ceiling, ret, len, err);
    close(fd);
    return code;
}

bool ow_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool ow_is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool ow_path_join(const char *folder, const char *name, char *ret, size_t size)
{
    int n;

    if (*name == '/' || *folder == '\0')
        n = snprintf(ret, size, "%s", name);
    else
        n = snprintf(ret, size, "%s%s%s", folder, ow_ends_with(folder, "/") ? "" : "/",
                     name);
    return n >= 0 && (size_t)n < size;
}

bool ow_path_folder(const char *path, char *ret, size_t size)
{
    const char *slash = strrchr(path, '/');
    int n;

    if (!slash)
        n = snprintf(ret, size, ".");
    else if (slash == path)
        n = snprintf(ret, size, "/");
    else
        n = snprintf(ret, size, "%.*s", (int)(slash - path), path);
    return n >= 0 && (size_t)n < size;
}
