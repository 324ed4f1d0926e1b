/*
 * Outcome: an OperationOutcome in words that hold no patient data
 *
 * Severity, code, the coded details and the path; never diagnostics or free text.
 */
#pragma once

#include "fhir/json.h"

/* "error/exception at Patient.name; warning/..."; "" when it is no OperationOutcome. */
const char *ow_outcome_words(struct ow_arena *arena, const cJSON *outcome);
/* Does it say that data is missing: an issue of severity error or worse, a warning whose
 * code says so (incomplete, suppressed, ...), or none that can be read? */
bool ow_outcome_hurts(const cJSON *outcome);
