/*
 * Store lock: one daemon for one directory
 *
 * Held through an open file, so the kernel lets go of it however the process ends. The
 * file stays behind; only its lock means anything, its content is for people.
 */
#pragma once

#include "base/err.h"

/* Create `directory` (mode 0700) when missing and lock it. On OW_OK `*ret` is a
 * descriptor to close. OW_AGAIN: another process holds it, and the sentence names it. */
OW_MUST_USE enum ow_code ow_store_lock(const char *directory, int *ret,
                                       struct ow_err *err);
