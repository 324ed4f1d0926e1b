/*
 * Base: the few words that every file here speaks
 *
 * Assertions are for our own bugs, stay on in every build and never look at
 * outside data. They abort, and so does running out of memory: the store is
 * durable, so a restart loses nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OW_MUST_USE         __attribute__((warn_unused_result))
#define OW_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define OW_LEN(array)       (sizeof(array) / sizeof((array)[0]))

#define ow_assert(cond) ((cond) ? (void)0 : ow_assert_failed(#cond, __FILE__, __LINE__))

_Noreturn void ow_assert_failed(const char *cond, const char *file, int line);

/* malloc, calloc and realloc that abort instead of returning NULL. */
void *ow_alloc(size_t size);
void *ow_alloc_zero(size_t size);
void *ow_realloc(void *old, size_t size);
char *ow_strdup(const char *s);
