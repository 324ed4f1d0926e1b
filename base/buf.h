/*
 * Buffer: bytes that grow up to a ceiling
 *
 * Failure is sticky: past the ceiling nothing more is written and `failed` says so,
 * so that a writer checks once, at the end. The bytes are always followed by a NUL
 * that does not count.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct ow_buf {
    char *data; /* owned; NULL while empty */
    size_t len, cap, ceiling;
    bool failed;
};

void ow_buf_init(struct ow_buf *b, size_t ceiling);
void ow_buf_done(struct ow_buf *b);
void ow_buf_reset(struct ow_buf *b); /* empty, memory kept, failure forgotten */

void ow_buf_add(struct ow_buf *b, const void *data, size_t len);
void ow_buf_str(struct ow_buf *b, const char *s);
void ow_buf_char(struct ow_buf *b, char c);
void ow_buf_printf(struct ow_buf *b, const char *fmt, ...) OW_PRINTF(2, 3);
void ow_buf_vprintf(struct ow_buf *b, const char *fmt, va_list ap) OW_PRINTF(2, 0);

/* The bytes as a string ("" when empty). Valid until the next write. */
const char *ow_buf_cstr(const struct ow_buf *b);

/* Hand the bytes over to the caller, who frees them; the buffer is empty afterwards. */
char *ow_buf_take(struct ow_buf *b, size_t *len);
