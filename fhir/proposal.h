/*
 * Proposal: what a suggestion would create or change, as a whole FHIR R4 resource
 *
 * An EHR takes the resource of an accepted suggestion as it is, so it has to be complete:
 * a draft, with its patient, who asked for it, the encounter and the day. A changed draft
 * is the resource that came in, every member and every digit of it, but for its quantity
 * and its days of supply. [CDS Hooks 2.0 actions]
 */
#pragma once

#include "alerts/verdict.h"
#include "base/jw.h"
#include "fhir/json.h"

enum { OW_PROPOSAL_DEPTH = 40 }; /* a resource that nests deeper is not given back */

/* May the resource be given back whole? */
bool ow_proposal_fits(const cJSON *resource);

void ow_proposal_create(struct ow_jw *w, const struct ow_verdict *v,
                        const struct ow_proposal *p);
/* `draft` with another quantity (in its own unit) and days of supply. */
void ow_proposal_shorten(struct ow_jw *w, const cJSON *draft, int64_t days,
                         int64_t quantity);
