#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void ow_assert_failed(const char *cond, const char *file, int line)
{
    char where[32];

    snprintf(where, sizeof where, ":%d: ", line);
    fputs(file, stderr);
    fputs(where, stderr);
    fputs("assertion failed: ", stderr);
    fputs(cond, stderr);
    fputs("\n", stderr);
    abort();
}

static void *or_abort(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

/* A size of zero still gives an address of its own, so that NULL never means success. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *ow_alloc(size_t size)
{
    return or_abort(malloc(at_least_one(size)));
}

void *ow_alloc_zero(size_t size)
{
    return or_abort(calloc(1, at_least_one(size)));
}

void *ow_realloc(void *old, size_t size)
{
    return or_abort(realloc(old, at_least_one(size)));
}

char *ow_strdup(const char *s)
{
    size_t size;

    if (!s)
        return NULL;
    size = strlen(s) + 1;
    return memcpy(ow_alloc(size), s, size);
}
