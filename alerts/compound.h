/*
 * Compound: an opioid that is told by its ingredient
 *
 * Two kinds of order have no product of the table and still say enough: a compounded
 * medication, whose one opioid ingredient has a strength ("10 mg / 5 mL"), and an
 * ingredient with a dose form ("oxycodone", "Oral Tablet"), whose dose may be in mg. Both
 * become a product like one of the table, so that all else reads them alike.
 *
 * Never a guess: with two opioids, one that only a name gives away, a strength or a form
 * that cannot be read, there is no product. The form of an ingredient alone must be one
 * that is swallowed or a dose form of the table. A product without a strength has zero
 * for it, and only an amount in mg can be read for it. Its co_ingredients are the names
 * of the other active ingredients; how much of them is in it stands in the order.
 */
#pragma once

#include "alerts/knowledge.h"
#include "base/arena.h"

/* NULL when the medication does not say enough. `name` is what the order calls it. */
const struct ow_product *ow_compound_product(const struct ow_medication *m,
                                             const struct ow_knowledge *kb,
                                             const char *name, struct ow_arena *arena);

/* Dose form of a medication as far as it is told: dose_form, form_class, form, has_form
 * and extended_release of `p`. */
void ow_compound_form(const struct ow_concept *form, const struct ow_knowledge *kb,
                      struct ow_product *p);

/* Medication.ingredient.strength to strength and strength_unit of `p`, whose form it must
 * go with. */
OW_MUST_USE bool ow_compound_strength(const struct ow_fraction *f, struct ow_product *p);
