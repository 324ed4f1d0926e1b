#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 256 };

void ow_buf_init(struct ow_buf *b, size_t ceiling)
{
    *b = (struct ow_buf){ .ceiling = ceiling };
}

void ow_buf_done(struct ow_buf *b)
{
    free(b->data);
    *b = (struct ow_buf){ .ceiling = b->ceiling };
}

void ow_buf_reset(struct ow_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Make room for `more` bytes and the NUL, or fail for good. */
static bool buf_reserve(struct ow_buf *b, size_t more)
{
    size_t cap;

    if (b->failed || more > b->ceiling - b->len || more >= SIZE_MAX / 4 - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + more < b->cap)
        return true;
    cap = b->cap ? b->cap * 2 : CAP_FIRST;
    if (cap <= b->len + more)
        cap = b->len + more + 1;
    if (cap - 1 > b->ceiling)
        cap = b->ceiling + 1;
    b->data = ow_realloc(b->data, cap);
    b->cap = cap;
    return true;
}

void ow_buf_add(struct ow_buf *b, const void *data, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void ow_buf_str(struct ow_buf *b, const char *s)
{
    ow_buf_add(b, s, strlen(s));
}

void ow_buf_char(struct ow_buf *b, char c)
{
    ow_buf_add(b, &c, 1);
}

void ow_buf_printf(struct ow_buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ow_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void ow_buf_vprintf(struct ow_buf *b, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(small, sizeof small, fmt, ap);
    ow_assert(n >= 0);
    if ((size_t)n < sizeof small) {
        ow_buf_add(b, small, (size_t)n);
    } else if (buf_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

const char *ow_buf_cstr(const struct ow_buf *b)
{
    return b->data ? b->data : "";
}

/* A failure outlives the hand-over: whoever looks only afterwards still sees it. */
char *ow_buf_take(struct ow_buf *b, size_t *len)
{
    char *data = b->data ? b->data : ow_strdup("");

    if (len)
        *len = b->len;
    *b = (struct ow_buf){ .ceiling = b->ceiling, .failed = b->failed };
    return data;
}
