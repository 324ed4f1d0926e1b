#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/config.h"
#include "daemon/files.h"
#include "daemon/setting.h"

enum { SECRET_BYTES = 65536 };

/* systemd sees to the rights of what it hands over; their mode shows its ACL. */
static bool is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t n = folder ? strlen(folder) : 0;

    return n > 0 && ow_starts_with(path, folder) && path[n] == '/' &&
           !strchr(path + n + 1, '/');
}

enum ow_code ow_secret_permitted(const char *path, struct ow_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return ow_err_set(err, OW_CONFIG, "%s cannot be opened", path);
    if (is_credential(path))
        return OW_OK;
    if ((st.st_mode & 077) != 0)
        return ow_err_set(err, OW_CONFIG,
                          "%s has mode %04o: others could read it, so give it 0600", path,
                          (unsigned)(st.st_mode & 07777));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return ow_err_set(err, OW_CONFIG, "%s belongs to another user", path);
    return OW_OK;
}

/* Trim in place. False when nothing is left or a control byte is inside, which could end
 * a header line. */
static bool trim(char *text, size_t len)
{
    size_t from = 0;

    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    from = strspn(text, " \t\r\n");
    memmove(text, text + from, len - from + 1);
    len -= from;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return len > 0;
}

enum ow_code ow_secret_read(const char *file, char **ret, struct ow_err *err)
{
    char path[4096], *text;
    struct ow_err why = { "" };
    size_t len;

    if (!ow_credential_path(file, path, sizeof path))
        ow_copy(path, sizeof path, file);
    if (ow_secret_permitted(path, err) != OW_OK)
        return OW_CONFIG;
    if (ow_file_read(path, SECRET_BYTES, &text, &len, &why) != OW_OK)
        return ow_err_set(err, OW_CONFIG, "%s %s", path, why.text);
    if (strlen(text) != len || !trim(text, len)) {
        explicit_bzero(text, len);
        free(text);
        return ow_err_set(err, OW_CONFIG, "%s: expected one line of text", path);
    }
    *ret = text;
    return OW_OK;
}

bool ow_credential_path(const char *name, char *ret, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    return folder && *folder == '/' && *name && !strchr(name, '/') && name[0] != '.' &&
           ow_path_join(folder, name, ret, size) && ow_is_file(ret);
}
