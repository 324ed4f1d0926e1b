/*
 * Text: strings without a locale
 *
 * Everything here is ASCII where letters matter and UTF-8 elsewhere.
 */
#pragma once

#include "base/base.h"

bool ow_streq(const char *a, const char *b);     /* NULL equals only NULL */
bool ow_strcaseeq(const char *a, const char *b); /* ASCII letters only */
bool ow_starts_with(const char *s, const char *prefix);
bool ow_ends_with(const char *s, const char *suffix);
/* Does `text` contain `word`, ASCII letters folded? */
bool ow_contains_folded(const char *text, const char *word);

/* Copy as much as fits, always terminated, cut on a UTF-8 boundary. Returns the length
 * written. */
size_t ow_copy(char *dst, size_t size, const char *src);

/* Whole-string decimal number into `ret`; false on anything else or overflow. */
OW_MUST_USE bool ow_parse_u64(const char *s, uint64_t *ret);
OW_MUST_USE bool ow_parse_i64(const char *s, int64_t *ret);

/* Length of the UTF-8 sequence at `s` (1 to 4), or 0 when it is not valid UTF-8
 * (overlong, surrogate, above U+10FFFF, cut short). `n` is what is left. */
size_t ow_utf8_len(const char *s, size_t n);
bool ow_utf8_valid(const char *s, size_t n);

/* Lower-case hexadecimal of `n` bytes into `ret`, which holds 2 * n + 1. */
void ow_hex(const void *data, size_t n, char *ret);
OW_MUST_USE bool ow_unhex(const char *hex, size_t n,
                          void *ret); /* n bytes from 2 * n digits */

/* SipHash-2-4 with a 128-bit key: for tables whose keys come from outside, and for
 * the keyed hash that stands for a patient in logs. */
uint64_t ow_siphash(const uint8_t key[16], const void *data, size_t n);
