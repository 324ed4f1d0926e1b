/*
 * Dosage: Dosage and Timing of R4 and R5 to the chart's form
 */
#pragma once

#include "fhir/datatype.h"

/*
 * One Dosage. What does not fit is in its `refused`, with the path; nothing is dropped
 * and nothing is guessed. `r` stands on the Dosage; its own `refused` is left as it was.
 */
struct ow_dosage ow_dosage_of(struct ow_rd *r, const cJSON *dosage);

/* All of `key` (dosageInstruction or dosage): an array, or the lone object of a
 * MedicationAdministration. */
size_t ow_dosages_of(struct ow_rd *r, const cJSON *resource, const char *key,
                     const struct ow_dosage **ret);
