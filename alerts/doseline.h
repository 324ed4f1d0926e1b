/*
 * Doseline: one Dosage to an amount a day
 *
 * Amounts are in the unit of the product's basis (ow_product_basis): mg or ug a day, for
 * a patch ug/h worn at once.
 */
#pragma once

#include "alerts/dosage.h"
#include "alerts/timing.h"
#include "alerts/units.h"

struct ow_dose_context {
    const struct ow_knowledge *kb;
    const struct ow_order *order;
    const struct ow_product *product;
    enum ow_factor_basis basis;
    struct ow_arena *arena;
};

struct ow_dose_line {
    struct ow_ratio high, low;
    const char *words;
    unsigned flags;
    struct ow_extent extent;
    bool has_sequence;
    int64_t sequence;
    const struct ow_timing *timing; /* NULL: none */
};

struct ow_amount {         /* a quantity of the product, read */
    struct ow_ratio value; /* in the unit of the basis */
    const char *count;     /* "2 tablets", "5 mL", "10 mg" */
    const char *strength;  /* " x 20 mg", " x 4 mg/mL"; "" where it does not enter */
};

/*
 * What `q` of the product is. `bare` is what a quantity without any unit is in: a dosage
 * unit or, for a supply, whatever the strength is per. `what` names it in errors
 * ("dose"). Zero is refused unless `zero`.
 */
enum ow_amount_flags { OW_AMOUNT_ZERO = 1, OW_AMOUNT_SUPPLY = 2 };
OW_MUST_USE enum ow_code ow_amount_read(const struct ow_dose_context *ctx,
                                        const struct ow_quantity *q, unsigned flags,
                                        const char *what, struct ow_amount *ret,
                                        struct ow_err *err);

OW_MUST_USE enum ow_code ow_dose_line_read(const struct ow_dose_context *ctx,
                                           const struct ow_dosage *d,
                                           struct ow_dose_line *ret, struct ow_err *err);

/* May a drug component be read as one that is swallowed? Also true for every product
 * that has a form. OW_MISSING with what speaks against it. */
OW_MUST_USE enum ow_code ow_component_check(const struct ow_dose_context *ctx,
                                            struct ow_err *err);
