/*
 * FHIR kit: JSON with single quotes, and a chart told in lines
 *
 * Tests write {'resourceType':'Patient'} and compare the whole chart as text, so that a
 * case reads as what came in and what was understood.
 */
#pragma once

#include "fhir/read.h"

/* `text` with ' turned into "; in `a`. */
char *kit_json(struct ow_arena *a, const char *text);
/* The same, parsed; fails the test when it is no JSON. */
const cJSON *kit_parse(struct ow_arena *a, const char *text);

/*
 * One line each:
 *   Patient/p1 born 1980-05-06 female
 *   order MedicationRequest/rx9 active/order rxnorm|1049686 'Oxycodone' [d1; d2]
 *   record Condition/c1 active sct|254837009 when 2026-01-02
 *   missing: ...
 *   note: ...
 * A dosage: sequence, text, doses, timing, prn, refused, each only when there.
 */
const char *kit_tell(struct ow_arena *a, const struct ow_chart *charts, size_t n);
