/*
 * Arena: memory that is freed once
 *
 * One event, one job, one arena. An allocation never fails (out of memory aborts);
 * instead the arena notes when its ceiling is passed, and whoever feeds it outside
 * data asks ow_arena_full() after each piece and refuses the rest. Memory is zeroed
 * and aligned to 16 bytes. Not thread-safe.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct ow_arena_block;

struct ow_arena {
    struct ow_arena_block *blocks; /* newest first */
    char *at, *end;                /* free part of the newest block */
    size_t used, ceiling;          /* bytes */
    const void *texts;             /* what its owner attaches, never read here; or NULL */
};

void ow_arena_init(struct ow_arena *a, size_t ceiling);
void ow_arena_done(struct ow_arena *a);

/* Empty it and keep its newest block of ordinary size, for the next round of a loop. Its
 * ceiling and what is attached stay. */
void ow_arena_reset(struct ow_arena *a);

bool ow_arena_full(const struct ow_arena *a);

void *ow_arena_alloc(struct ow_arena *a, size_t size);
void *ow_arena_array(struct ow_arena *a, size_t n, size_t size);
char *ow_arena_strdup(struct ow_arena *a, const char *s); /* NULL gives NULL */
char *ow_arena_strndup(struct ow_arena *a, const char *s, size_t n);
char *ow_arena_printf(struct ow_arena *a, const char *fmt, ...) OW_PRINTF(2, 3);
char *ow_arena_vprintf(struct ow_arena *a, const char *fmt, va_list ap) OW_PRINTF(2, 0);

/* Texts one after the other, for those that are made often: OW_JOIN(arena, x, y, z). */
char *ow_arena_join(struct ow_arena *a, const char *const *parts, size_t n);
#define OW_JOIN(arena, ...)                                                              \
    ow_arena_join((arena), (const char *const[]){ __VA_ARGS__ },                         \
                  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define OW_NEW(a, type)      ((type *)ow_arena_alloc((a), sizeof(type)))
#define OW_NEW_N(a, type, n) ((type *)ow_arena_array((a), (n), sizeof(type)))

/*
 * Grow an array that lives in an arena: make room for one more element behind the
 * `n` there are. `items` is the array's name, `cap` its capacity; both are updated.
 */
#define OW_ARENA_GROW(a, items, n, cap)                                                  \
    ((n) < (cap)                                                                         \
         ? (void)0                                                                       \
         : (void)((items) = ow_arena_grow((a), (items), (n), &(cap), sizeof *(items))))
void *ow_arena_grow(struct ow_arena *a, const void *old, size_t n, size_t *cap,
                    size_t size);
