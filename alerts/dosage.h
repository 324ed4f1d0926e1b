/*
 * Dosage: one order to an amount of opioid a day, or why not
 *
 * Reads Dosage and Timing against the strength of the product. "High" is the most that
 * the order allows (frequencyMax with the shorter period, the upper end of a range,
 * as-needed in full, capped by maxDosePerPeriod); "low" the least it prescribes. Lines
 * without a sequence are concurrent and add up; lines with one follow each other. What is
 * not understood is a refusal with the words that stopped it, never a guess and never
 * zero. A month is 30 days and a year 365, as the published calculators have it. [MME,
 * CDS]
 */
#pragma once

#include "alerts/knowledge.h"
#include "alerts/verdict.h"
#include "base/arena.h"

/* An amount that holds for a while. Offsets count from the start of the order. */
struct ow_dose_step {
    int64_t from_ms, until_ms; /* until INT64_MAX: as long as the order lasts */
    struct ow_ratio high, low; /* in `unit` a day; for a patch the rate worn at once */
    const char *words;         /* "1 tablet x 4/d x 20 mg": everything but the factor */
};

struct ow_dose {
    enum ow_factor_basis basis; /* mg/d, mcg/d or mcg/h; chosen by ingredient and form */
    const char *unit;           /* "mg", "ug", "ug/h" */
    const struct ow_dose_step *steps; /* at least one, in order, not overlapping */
    size_t n_steps;
    unsigned flags;  /* OW_FLAG_PRN, _RANGE, _CAPPED, _FROM_SUPPLY */
    bool has_length; /* bounds, count or steps say how long it lasts */
    int64_t length_ms;
    int64_t last_ms;      /* the last beginning or end that is said; 0 when none is */
    int64_t backwards_ms; /* latest beginning of a line that ends before it; 0: none */
    bool has_bounds;      /* boundsPeriod: absolute */
    struct ow_span bounds;
};

/*
 * Dose of `order` for the opioid `product`. OW_MISSING with the reason when it cannot be
 * had from the dosage ("no frequency: timing has neither repeat nor a known code"): the
 * caller may try the supply. OW_INPUT when a dosage carries a modifier that nobody here
 * understands: then the supply must not stand in for it either, and the order is
 * unreadable. One line that cannot be read makes the whole order unreadable, never a
 * part of it a total.
 *
 * Patches count by the number worn at once, which is the dose quantity, and its rate;
 * how often they are changed does not enter, and need not be said. [CDC-2016, CDC-2022:
 * the factor is per mcg/h of all patches worn together]
 *
 * Lines with different sequence numbers follow each other. When one that is not the last
 * does not say how long it lasts, the lines are concurrent if each names its own times of
 * day (morning, bedtime), else from there on the order counts with the largest (high) and
 * the smallest (low) of that step and the later ones. A line that does not say when it
 * begins does so with the order, whatever the dates of the others. Offsets count from
 * bounds.from when `has_bounds`, else from the order's start.
 *
 * A drug component (no dose form) is read only when nothing in the order speaks against
 * a form that is swallowed or otherwise has the oral factor: a route or form with
 * intravenous, injection, nasal and the like, or a unit such as a syringe, is refused;
 * one with a strength per mL must name an oral route or form.
 */
OW_MUST_USE enum ow_code ow_dosage_read(const struct ow_knowledge *kb,
                                        const struct ow_order *order,
                                        const struct ow_product *product,
                                        struct ow_arena *arena, struct ow_dose *ret,
                                        struct ow_err *err);

/* When the directions are in force, whatever their dose: only the members from `flags` on
 * are set. What cannot be read of a line leaves it without an end. */
void ow_dosage_extent(const struct ow_knowledge *kb, const struct ow_order *order,
                      struct ow_arena *arena, struct ow_dose *ret);

/*
 * Dose from quantity and days' supply (dispenseRequest or dispense): quantity x strength
 * / days; patches by the number worn at once, quantity x wear hours / (24 x days), wear
 * 72 h where the product does not say. A quantity without a unit is in what the strength
 * is per: tablets, mL. OW_MISSING with the reason when either is absent.
 */
OW_MUST_USE enum ow_code ow_dosage_from_supply(const struct ow_knowledge *kb,
                                               const struct ow_order *order,
                                               const struct ow_product *product,
                                               struct ow_arena *arena,
                                               struct ow_dose *ret, struct ow_err *err);

/* What was supplied, in the unit of the product's basis (for patches ug/h if all were
 * worn at once); false when that is not said, or in a unit that does not go with the
 * form. */
OW_MUST_USE bool ow_supply_amount(const struct ow_knowledge *kb,
                                  const struct ow_order *order,
                                  const struct ow_product *product,
                                  struct ow_arena *arena, struct ow_ratio *ret);

/* Length of a Duration in ms: UCUM or spelt-out s min h d wk mo a. */
OW_MUST_USE bool ow_duration_ms(const struct ow_quantity *q, int64_t *ret);
/* How long a patch is worn: 72 hours where its product states none. */
int ow_patch_hours(const struct ow_product *p);
/* Days' supply of an order in days, from its duration, exact. */
OW_MUST_USE bool ow_supply_days(const struct ow_order *order, struct ow_ratio *ret);
