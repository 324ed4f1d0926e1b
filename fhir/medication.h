/*
 * Medication: medication[x] of an order, whatever form it has
 *
 * A codeable concept; a reference, relative, absolute, versioned, contained or urn:uuid;
 * a logical identifier or a mere display; R5's CodeableReference.
 */
#pragma once

#include "fhir/order.h"

struct ow_medication ow_medication_of(struct ow_rd *r, const cJSON *order,
                                      const struct ow_resolver *resolver);

/* Reference.reference of the medication, as written; NULL when it is none. */
const char *ow_medication_reference(const cJSON *order);
