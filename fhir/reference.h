/*
 * Reference: what points at what
 *
 * References are compared only in their normal form, Type/id: relative, absolute and
 * versioned ones come down to it, since one daemon reads one record system at a time.
 * urn:uuid and other fullUrl references resolve inside the Bundle that they came in.
 */
#pragma once

#include "base/arena.h"

/* Type/id of a reference: last two path segments, /_history/n cut; NULL when it is not
 * one. Declared in read.h too. */
const char *ow_reference_normal(struct ow_arena *arena, const char *reference);

/* Is `id` a FHIR id: 1 to 64 of A-Z a-z 0-9 - . ? Longer ones are seen in the field and
 * taken up to 255, never cut; `_` likewise. */
bool ow_reference_id_ok(const char *id, size_t n);
bool ow_reference_type_ok(const char *type, size_t n);
