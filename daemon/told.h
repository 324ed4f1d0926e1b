/*
 * Told: what people were told, in memory before the store
 *
 * A hook's answer depends on what was told before, and is given within milliseconds: so
 * the rows of the patients seen last are kept here (OW_TOLD_PATIENTS of them), and the
 * store is asked once for each. Of whom nobody was ever told anything stands in memory
 * too, read when the daemon starts, so that a patient seen first waits for no disk. What
 * was told is written after the answer left. When the
 * store cannot be read, nothing was told before: rather a card too many.
 */
#pragma once

#include "daemon/core.h"
#include "fhir/hooks.h"

struct ow_told_memory;
struct ow_told_wait;

enum { OW_TOLD_PATIENTS = 4096 };

struct ow_told_memory *ow_told_new(struct ow_core *core);
void ow_told_free(struct ow_told_memory *m); /* after the store was closed */

/* Fill told, n_told of `q` when the patient is known here; false: ow_told_load. What it
 * fills in lives until the next call of this module. */
bool ow_told_peek(struct ow_told_memory *m, const char *patient, struct ow_question *q);
/* Ask the store; `fn` when ow_told_peek will know, never inside the call. */
struct ow_told_wait *ow_told_load(struct ow_told_memory *m, const char *patient,
                                  void (*fn)(void *arg), void *arg);
void ow_told_cancel(struct ow_told_wait *w); /* its `fn` will not be called */

/* A verdict was answered to this request: remember what its cards say. */
void ow_told_tell(struct ow_told_memory *m, const struct ow_verdict *v,
                  const struct ow_question *q);
/* Somebody answered a card of this patient: read anew next time. */
void ow_told_answered(struct ow_told_memory *m, const char *patient);

/* Rows of the store as the judgement takes them. */
const struct ow_told *ow_told_of_rows(struct ow_arena *arena, const struct ow_zone *zone,
                                      const struct ow_told_row *rows, size_t n);
