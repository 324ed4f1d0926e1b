/*
 * Record: any other resource of a patient to the one shape that rules ask of
 */
#pragma once

#include "fhir/order.h"

struct ow_record_list {
    struct ow_record *items; /* arena */
    size_t n, cap;
};

/*
 * Append `resource` as a record, and one more for each component of an Observation.
 * A resource with a modifierExtension is not understood and not appended: `note` says so.
 */
void ow_record_add(struct ow_arena *arena, const struct ow_zone *zone,
                   const cJSON *resource, const char *reference,
                   const struct ow_resolver *resolver, struct ow_record_list *list,
                   const char **note);

struct ow_patient ow_patient_of(struct ow_arena *arena, const struct ow_zone *zone,
                                const cJSON *resource, const char *reference);
