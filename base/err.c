#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/*
 * Copy `src` as one clean line: control characters become spaces, bytes that are not
 * UTF-8 a question mark, and what does not fit is cut between two characters.
 */
static void line_copy(char dst[OW_ERR_SIZE], const char *src)
{
    size_t left = strlen(src), at = 0;

    while (left > 0) {
        size_t n = ow_utf8_len(src, left);
        bool plain = n > 0 && (unsigned char)*src >= 0x20 && *src != 0x7f;

        if (at + (n ? n : 1) >= OW_ERR_SIZE)
            break;
        if (plain)
            memcpy(dst + at, src, n);
        else
            dst[at] = n ? ' ' : '?';
        n = n ? n : 1;
        at += n;
        src += n;
        left -= n;
    }
    dst[at] = '\0';
}

/* Twice the size: the cut must fall in line_copy, which knows where characters end. */
enum { WIDE = 2 * OW_ERR_SIZE };

enum ow_code ow_err_set(struct ow_err *err, enum ow_code code, const char *fmt, ...)
{
    char wide[WIDE];
    va_list ap;

    if (!err)
        return code;
    va_start(ap, fmt);
    if (vsnprintf(wide, sizeof wide, fmt, ap) < 0)
        wide[0] = '\0';
    va_end(ap);
    line_copy(err->text, wide);
    return code;
}

enum ow_code ow_err_prefix(struct ow_err *err, enum ow_code code, const char *fmt, ...)
{
    char wide[WIDE];
    va_list ap;
    size_t n;

    if (!err)
        return code;
    va_start(ap, fmt);
    if (vsnprintf(wide, OW_ERR_SIZE, fmt, ap) < 0)
        wide[0] = '\0';
    va_end(ap);
    n = strlen(wide);
    snprintf(wide + n, sizeof wide - n, ": %s", err->text);
    line_copy(err->text, wide);
    return code;
}

const char *ow_code_name(enum ow_code code)
{
    switch (code) {
    case OW_OK:
        return "ok";
    case OW_AGAIN:
        return "again";
    case OW_DENIED:
        return "denied";
    case OW_INPUT:
        return "input";
    case OW_CONFIG:
        return "config";
    case OW_MISSING:
        return "missing";
    case OW_CANCELED:
        return "canceled";
    }
    return "unknown";
}
