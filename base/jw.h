/*
 * JSON writer: structure straight into a buffer
 *
 * Writes compact JSON with correct commas and escapes. The caller keeps the nesting
 * right; an assertion catches a value without its key or a bracket too many. Strings
 * must be UTF-8 (an invalid byte becomes U+FFFD). Numbers are written from exact
 * ratios or integers; there is no float.
 */
#pragma once

#include "base/buf.h"
#include "base/ratio.h"

enum { OW_JW_DEPTH = 64 };

struct ow_jw {
    struct ow_buf *out; /* borrowed */
    int depth;
    bool comma, after_key;
    char stack[OW_JW_DEPTH]; /* '{' or '[' */
};

void ow_jw_init(struct ow_jw *w, struct ow_buf *out);

void ow_jw_object(struct ow_jw *w); /* { */
void ow_jw_array(struct ow_jw *w);  /* [ */
void ow_jw_end(struct ow_jw *w);    /* the matching bracket */
void ow_jw_key(struct ow_jw *w, const char *key);

void ow_jw_string(struct ow_jw *w, const char *s); /* NULL writes null */
void ow_jw_string_n(struct ow_jw *w, const char *s, size_t n);
void ow_jw_int(struct ow_jw *w, int64_t v);
void ow_jw_bool(struct ow_jw *w, bool v);
void ow_jw_null(struct ow_jw *w);
void ow_jw_ratio(struct ow_jw *w, struct ow_ratio v, int places); /* ow_ratio_json */
void ow_jw_raw(struct ow_jw *w, const char *json, size_t n);      /* already JSON */

/* Key and value in one call; those with _opt write nothing for NULL or "". */
void ow_jw_kstring(struct ow_jw *w, const char *key, const char *s);
void ow_jw_kstring_opt(struct ow_jw *w, const char *key, const char *s);
void ow_jw_kint(struct ow_jw *w, const char *key, int64_t v);
void ow_jw_kbool(struct ow_jw *w, const char *key, bool v);
void ow_jw_kratio(struct ow_jw *w, const char *key, struct ow_ratio v, int places);
void ow_jw_kobject(struct ow_jw *w, const char *key);
void ow_jw_karray(struct ow_jw *w, const char *key);
