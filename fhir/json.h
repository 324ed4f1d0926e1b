/*
 * JSON: strict, bounded reading into an arena
 *
 * The tree has cJSON's nodes, but its parser does not build it, since it would take what
 * is refused here: surplus bytes, duplicate keys, invalid UTF-8, \u0000, lone surrogates,
 * raw control characters, numbers like 012 or 1., a BOM, nesting and node counts over the
 * limit. Errors name the position as line and column and the path
 * ("entry[3].resource.dosageInstruction[0]"), never a value.
 *
 * The tree is owned by the arena: there is no delete. A number node's valuestring holds
 * its exact text, so that decimals stay exact; valuedouble and valueint are not set.
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ratio.h"

struct ow_json_limits { /* 0 is the default */
    size_t bytes;       /* default 16 MiB */
    unsigned depth;     /* default 64, at most 256 */
    size_t nodes;       /* default 400,000 */
    /* Only what RFC 8259 forbids is refused: duplicate keys and \u0000 pass. For tests of
     * the grammar; with it a string may end early and a key occur twice. */
    bool grammar_only;
};

void ow_json_limits_default(struct ow_json_limits *ret);

/* OW_INPUT with the place. `limits` NULL: defaults. The text need not be NUL-terminated.
 */
OW_MUST_USE enum ow_code ow_json_parse(const char *text, size_t len,
                                       const struct ow_json_limits *limits,
                                       struct ow_arena *arena, const cJSON **ret,
                                       struct ow_err *err);

/*
 * Parse one value and stop behind it (newline-delimited resources): `used` is how many
 * bytes it took, white space behind it included.
 */
OW_MUST_USE enum ow_code ow_json_parse_next(const char *text, size_t len,
                                            const struct ow_json_limits *limits,
                                            struct ow_arena *arena, const cJSON **ret,
                                            size_t *used, struct ow_err *err);

/* Typed members. NULL or false when absent; a member of another type is absent too, and
 * readers that care ask ow_json_has first. Case-sensitive. */
const cJSON *ow_json_get(const cJSON *object, const char *key);
const cJSON *ow_json_object(const cJSON *object, const char *key);
const cJSON *ow_json_array(const cJSON *object, const char *key);
const char *ow_json_string(const cJSON *object, const char *key);
bool ow_json_bool(const cJSON *object, const char *key, bool *ret);
bool ow_json_ratio(const cJSON *object, const char *key,
                   struct ow_ratio *ret); /* exact */
bool ow_json_int(const cJSON *object, const char *key, int64_t *ret);
bool ow_json_value_ratio(const cJSON *node, struct ow_ratio *ret);
/* The same value, members in the same order? */
bool ow_json_same(const cJSON *a, const cJSON *b);
