/*
 * A chain of blocks, each twice the size of the one before it up to a limit. The newest
 * serves; what is left of an older one is given up, which wastes at most the size of the
 * request that did not fit. Blocks come zeroed from calloc, so only the one that a reset
 * keeps has to be cleared by hand. It keeps the newest: a round that needs as much as the
 * one before it soon finds all of it in one block and asks malloc for nothing.
 *
 * Under AddressSanitizer the free part of a block is poisoned and every allocation is
 * followed by a gap, so that an overrun inside an arena is caught like one on the heap.
 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
enum { GAP = 0 };
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_FIRST = 8 * 1024, BLOCK_MOST = 256 * 1024, GROW_FIRST = 8 };

struct ow_arena_block {
    struct ow_arena_block *older;
    size_t size; /* of what follows */
    _Alignas(ALIGN) char data[];
};

void ow_arena_init(struct ow_arena *a, size_t ceiling)
{
    *a = (struct ow_arena){ .ceiling = ceiling };
}

static void block_free(struct ow_arena_block *b)
{
    UNPOISON(b->data, b->size);
    free(b);
}

void ow_arena_done(struct ow_arena *a)
{
    while (a->blocks) {
        struct ow_arena_block *older = a->blocks->older;

        block_free(a->blocks);
        a->blocks = older;
    }
    *a = (struct ow_arena){ .ceiling = a->ceiling };
}

void ow_arena_reset(struct ow_arena *a)
{
    struct ow_arena_block *keep = a->blocks;
    size_t dirty;

    if (!keep)
        return;
    while (keep->older && keep->size > BLOCK_MOST) { /* made for one large request */
        a->blocks = keep->older;
        block_free(keep);
        keep = a->blocks;
        a->at = keep->data + keep->size; /* how far it was used is forgotten */
    }
    while (keep->older) {
        struct ow_arena_block *older = keep->older;

        keep->older = older->older;
        block_free(older);
    }
    a->end = keep->data + keep->size;
    dirty = (size_t)(a->at - keep->data);
    UNPOISON(keep->data, dirty);
    memset(keep->data, 0, dirty);
    POISON(keep->data, dirty);
    a->at = keep->data;
    a->used = 0;
}

bool ow_arena_full(const struct ow_arena *a)
{
    return a->used > a->ceiling;
}

static void block_add(struct ow_arena *a, size_t need)
{
    size_t size = BLOCK_FIRST;
    struct ow_arena_block *b;

    if (a->blocks)
        size = a->blocks->size < BLOCK_MOST / 2 ? a->blocks->size * 2 : BLOCK_MOST;
    if (size < need)
        size = need;
    b = ow_alloc_zero(sizeof *b + size);
    b->older = a->blocks;
    b->size = size;
    a->blocks = b;
    a->at = b->data;
    a->end = b->data + size;
    POISON(b->data, size);
}

void *ow_arena_alloc(struct ow_arena *a, size_t size)
{
    size_t need;
    char *p;

    ow_assert(size <= SIZE_MAX / 2);
    need = ((size ? size : 1) + ALIGN - 1) / ALIGN * ALIGN;
    if (need + GAP > (size_t)(a->end - a->at))
        block_add(a, need + GAP);
    p = a->at;
    a->at += need + GAP;
    a->used += need;
    UNPOISON(p, size);
    return p;
}

void *ow_arena_array(struct ow_arena *a, size_t n, size_t size)
{
    ow_assert(size == 0 || n <= SIZE_MAX / 2 / size);
    return ow_arena_alloc(a, n * size);
}

char *ow_arena_strdup(struct ow_arena *a, const char *s)
{
    return s ? ow_arena_strndup(a, s, strlen(s)) : NULL;
}

char *ow_arena_strndup(struct ow_arena *a, const char *s, size_t n)
{
    char *p;

    if (!s)
        return NULL;
    n = strnlen(s, n);
    p = ow_arena_alloc(a, n + 1);
    return memcpy(p, s, n);
}

char *ow_arena_printf(struct ow_arena *a, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = ow_arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

char *ow_arena_vprintf(struct ow_arena *a, const char *fmt, va_list ap)
{
    char small[256], *s;
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(small, sizeof small, fmt, ap);
    ow_assert(n >= 0);
    s = ow_arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof small)
        memcpy(s, small, (size_t)n);
    else
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char *ow_arena_join(struct ow_arena *a, const char *const *parts, size_t n)
{
    size_t len = 0;
    char *s, *at;

    for (size_t i = 0; i < n; i++)
        len += strlen(parts[i]);
    s = at = ow_arena_alloc(a, len + 1);
    for (size_t i = 0; i < n; i++) {
        len = strlen(parts[i]);
        memcpy(at, parts[i], len);
        at += len;
    }
    return s;
}

void *ow_arena_grow(struct ow_arena *a, const void *old, size_t n, size_t *cap,
                    size_t size)
{
    void *grown;

    ow_assert(n <= *cap && *cap <= SIZE_MAX / 4);
    *cap = *cap ? *cap * 2 : GROW_FIRST;
    grown = ow_arena_array(a, *cap, size);
    if (n > 0)
        memcpy(grown, old, n * size);
    return grown;
}
