/*
 * Order: MedicationRequest, -Dispense, -Statement and -Administration to the chart
 *
 * R4, R4B and R5 alike. What would change the dose or the standing of an order and
 * cannot be read is in `refused`, with its path; what only describes it (supply, dates)
 * is left out and told to the caller as a note.
 */
#pragma once

#include "fhir/datatype.h"

/* How the reader finds what a reference points at. */
struct ow_resolver {
    /* The resource, or NULL. `from` is the one that holds the reference (for #contained
     * ids and its own Bundle's fullUrls); `type` is what is expected, or NULL. */
    const cJSON *(*find)(const void *arg, const cJSON *from, const char *reference);
    const char *(*normal)(const void *arg, const cJSON *from, const char *reference);
    const void *arg;
};

/* Is the resource type one of the four? */
bool ow_order_is(const char *resource_type);

/*
 * Read one. `reference` is the name it goes by in the chart. `note` gets what was left
 * out, in words, or NULL.
 */
struct ow_order ow_order_of(struct ow_arena *arena, const struct ow_zone *zone,
                            const cJSON *resource, const char *reference,
                            const struct ow_resolver *resolver, const char **note);

/* The medication of `order` is a reference to `ret` that may be fetched: Type/id. */
const char *ow_order_medication_wanted(struct ow_arena *arena, const cJSON *resource,
                                       const struct ow_resolver *resolver);

/* Why a resource is not R4, R4B or R5 ("MedicationOrder is FHIR DSTU2"), or NULL. */
const char *ow_order_too_old(const cJSON *resource);
