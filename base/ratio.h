/*
 * Ratio: exact numbers for doses
 *
 * A reduced fraction of two 64-bit integers, the denominator above zero. Intermediate
 * results are 128 bits wide; what does not fit back is an overflow, reported by a false
 * return, never wrapped and never rounded. Rounding happens once, in ow_ratio_format.
 * There is no binary floating point on this path.
 */
#pragma once

#include "base/base.h"

struct ow_ratio {
    int64_t num, den;
};

#define OW_RATIO(n, d) ((struct ow_ratio){ (n), (d) })
#define OW_ZERO        OW_RATIO(0, 1)

/*
 * Read a JSON or TSV decimal ("10", "0.5", "1e-3", "-2.50") of `n` bytes, exactly.
 * False when it is no number, has an exponent beyond +-30, or does not fit.
 */
OW_MUST_USE bool ow_ratio_parse(const char *s, size_t n, struct ow_ratio *ret);

OW_MUST_USE bool ow_ratio_make(int64_t num, int64_t den, struct ow_ratio *ret);
OW_MUST_USE bool ow_ratio_add(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret);
OW_MUST_USE bool ow_ratio_sub(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret);
OW_MUST_USE bool ow_ratio_mul(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret);
OW_MUST_USE bool ow_ratio_div(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret);

/* Exact comparison, any size: below, equal, above zero like strcmp. */
int ow_ratio_cmp(struct ow_ratio a, struct ow_ratio b);
bool ow_ratio_positive(struct ow_ratio a);

enum { OW_RATIO_TEXT = 48 };

/*
 * Decimal text with at most `places` (0 to 6) digits behind the point, rounded half up
 * (away from zero), trailing zeros cut: 120, 22.5, 2.86. A value that is not zero but
 * would print as 0 prints as "<0.01" (for two places). Returns `ret`.
 */
char *ow_ratio_format(struct ow_ratio a, int places, char ret[OW_RATIO_TEXT]);

/* The same for a JSON number: always a plain number, so a tiny value prints with as
 * many places as its first digit needs (at most 12). */
char *ow_ratio_json(struct ow_ratio a, int places, char ret[OW_RATIO_TEXT]);

/* The shortest decimal of at most six places that is exactly the value; without one, as
 * ow_ratio_format with six. */
char *ow_ratio_decimal(struct ow_ratio a, char ret[OW_RATIO_TEXT]);

/* The value rounded down or up to an integer. */
int64_t ow_ratio_floor(struct ow_ratio a);
int64_t ow_ratio_ceil(struct ow_ratio a);
