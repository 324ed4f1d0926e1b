/*
 * Datatype: FHIR's data types to the structs of the chart
 *
 * One `ow_rd` reads one resource. It knows where it is, so that the first thing that does
 * not fit is kept in words with its path ("MedicationRequest.dosageInstruction[0].timing.
 * repeat.frequency: expected a number") and the caller can refuse what it stands for
 * instead of losing it. JSON null counts as absent; a primitive that has only an
 * extension ("_frequency") does not: it was meant to say something.
 */
#pragma once

#include "alerts/chart.h"
#include "fhir/json.h"

enum { OW_RD_PATH = 200 };

struct ow_rd {
    struct ow_arena *arena;
    const struct ow_zone *zone;
    char path[OW_RD_PATH]; /* of the object in hand */
    size_t path_len;
    const char *refused; /* first thing that did not fit; arena */
};

void ow_rd_init(struct ow_rd *r, struct ow_arena *arena, const struct ow_zone *zone,
                const char *root);
/* Step into `key`, or into item `i` of it when i >= 0; gives what ow_rd_leave needs. */
size_t ow_rd_enter(struct ow_rd *r, const char *key, int i);
void ow_rd_leave(struct ow_rd *r, size_t mark);
/* Note that `key` (NULL: the object in hand) breaks an expectation. */
void ow_rd_refuse(struct ow_rd *r, const char *key, const char *what);

/* Members of a type; NULL or false when absent, and noted when of another type. */
const cJSON *ow_rd_object(struct ow_rd *r, const cJSON *o, const char *key);
const cJSON *ow_rd_array(struct ow_rd *r, const cJSON *o, const char *key);
const char *ow_rd_string(struct ow_rd *r, const cJSON *o, const char *key);
bool ow_rd_bool(struct ow_rd *r, const cJSON *o, const char *key, bool *ret);
bool ow_rd_int(struct ow_rd *r, const cJSON *o, const char *key, int64_t *ret);
bool ow_rd_number(struct ow_rd *r, const cJSON *o, const char *key,
                  struct ow_number *ret);
/* Array of strings. */
size_t ow_rd_strings(struct ow_rd *r, const cJSON *o, const char *key,
                     const char *const **ret);
/* A modifierExtension is on `o`: refuse it, since nobody here understands it. */
void ow_rd_modifier(struct ow_rd *r, const cJSON *o);

bool ow_rd_quantity(struct ow_rd *r, const cJSON *o, const char *key,
                    struct ow_quantity *ret);
bool ow_rd_range(struct ow_rd *r, const cJSON *o, const char *key, struct ow_range *ret);
bool ow_rd_fraction(struct ow_rd *r, const cJSON *o, const char *key,
                    struct ow_fraction *ret);
struct ow_fraction ow_rd_fraction_of(struct ow_rd *r, const cJSON *ratio);
/* date, dateTime or instant, and Period, as spans; an open side of a Period stays open */
bool ow_rd_time(struct ow_rd *r, const cJSON *o, const char *key, struct ow_span *ret);
bool ow_rd_period(struct ow_rd *r, const cJSON *o, const char *key, struct ow_span *ret);
/* CodeableConcept under `key`; an empty one when absent. */
bool ow_rd_concept(struct ow_rd *r, const cJSON *o, const char *key,
                   struct ow_concept *ret);
/* One CodeableConcept, or a lone Coding. */
struct ow_concept ow_rd_concept_of(struct ow_rd *r, const cJSON *node);
/* CodeableConcept, or an array of them; R5 CodeableReference is read by its concept. */
size_t ow_rd_concepts(struct ow_rd *r, const cJSON *o, const char *key,
                      const struct ow_concept **ret);
/* Reference.reference under `key`, as written; NULL when absent. */
const char *ow_rd_reference(struct ow_rd *r, const cJSON *o, const char *key);
/* Identifier as "system|value"; NULL when it has no value. */
const char *ow_rd_identifier(struct ow_rd *r, const cJSON *identifier);
