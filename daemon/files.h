/*
 * Files: whole files read with a ceiling, and paths put together
 */
#pragma once

#include "base/err.h"

/*
 * The bytes of a regular file, with a NUL behind them that does not count; the caller
 * frees. A file beyond `ceiling` or one that cannot be read is OW_CONFIG with the reason
 * (without the name, which the caller knows).
 */
OW_MUST_USE enum ow_code ow_file_read(const char *path, size_t ceiling, char **ret,
                                      size_t *len, struct ow_err *err);

bool ow_is_folder(const char *path);
bool ow_is_file(const char *path); /* regular, symbolic links followed */

/* `folder`/`name`, or `name` alone when it is absolute or there is no folder. False when
 * it does not fit. */
OW_MUST_USE bool ow_path_join(const char *folder, const char *name, char *ret,
                              size_t size);
/* The folder that holds `path`, "." when it names none. False when it does not fit. */
OW_MUST_USE bool ow_path_folder(const char *path, char *ret, size_t size);
