/*
 * Input: whatever a file holds, to charts
 *
 * Recognised by content: a FHIR Bundle of any type, a CDS Hooks request, a single
 * resource, or newline-delimited resources.
 */
#pragma once

#include "fhir/hooks.h"

/* A request whose prefetch holds something but no orders is judged by what it holds, and
 * its chart says that they are missing; one without any prefetch is for the caller to
 * turn down (hook.no_prefetch). */
struct ow_input {
    const struct ow_chart *charts; /* sorted by patient reference */
    size_t n_charts;
    bool is_hook;
    struct ow_hooks_request hook; /* when is_hook */
};

OW_MUST_USE enum ow_code ow_input_read(struct ow_arena *a, const char *data, size_t len,
                                       const struct ow_zone *zone, enum ow_hook hook,
                                       struct ow_input *ret, struct ow_err *err);
