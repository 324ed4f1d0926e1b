/*
 * Read: FHIR resources to charts
 *
 * Takes resources and Bundles of FHIR R4, R4B and R5 as they come (searchset pages,
 * prefetch values, collections, transactions) and builds the chart of each patient in
 * them. Version differences, references (relative, absolute, versioned, contained,
 * urn:uuid, Bundle fullUrl) and partial dates end here. Resources of the same Type/id:
 * the highest versionId or lastUpdated wins, said in the notes when they differ.
 */
#pragma once

#include "alerts/chart.h"
#include "fhir/json.h"

struct ow_reader;

struct ow_reader_options {
    const struct ow_zone *zone; /* of dates without a zone; NULL: UTC */
    const char *source;         /* name of the server, or NULL */
    /* Keep only what belongs to this Patient/x; others are dropped and counted in notes.
     * NULL: every patient found. */
    const char *patient;
    enum ow_hook hook; /* what asks; goes into the charts */
};

struct ow_reader *ow_reader_new(struct ow_arena *arena,
                                const struct ow_reader_options *opt);

/*
 * Add a resource or Bundle. A resource that breaks FHIR where it matters is OW_INPUT with
 * its path; inside a Bundle the rest is still read and the error comes at the end, so the
 * caller decides. An OperationOutcome instead of data becomes an entry of `missing`.
 */
OW_MUST_USE enum ow_code ow_reader_add(struct ow_reader *r, const cJSON *resource,
                                       struct ow_err *err);
/* A hook's draft order: is_draft, and its subject is context.patientId whatever it says.
 */
OW_MUST_USE enum ow_code ow_reader_add_draft(struct ow_reader *r, const cJSON *resource,
                                             bool selected, struct ow_err *err);
/*
 * context.draftOrders: a Bundle or a bare resource. `selections`: context.selections of
 * order-select, an array of references; NULL selects every draft.
 */
OW_MUST_USE enum ow_code ow_reader_add_drafts(struct ow_reader *r, const cJSON *drafts,
                                              const cJSON *selections,
                                              struct ow_err *err);
/* Has a resource of that type been added, drafts aside? */
bool ow_reader_has(const struct ow_reader *r, const char *type);
/* Something that could not be had. */
void ow_reader_missing(struct ow_reader *r, const char *what);

size_t ow_reader_n_missing(const struct ow_reader *r);
/* For the trace: something left out or noticed. */
void ow_reader_note(struct ow_reader *r, const char *what);

/* OW_KIND_* of a resource type, 0 for orders, the patient and all others. */
unsigned ow_kind_of(const char *type);

/* A page that a Bundle says comes next. */
struct ow_page {
    const char *url;
    unsigned kind; /* of what it pages; 0: orders, or nobody can tell */
};

/* Next link of the last Bundle added, as written, or NULL. */
const char *ow_reader_next_link(const struct ow_reader *r);

/* References to Medications that are not in the data so far, Type/id. */
size_t ow_reader_unresolved(const struct ow_reader *r, const char *const **ret);

/* The charts, sorted by patient reference. Orders without a subject belong to the only
 * patient there is, else OW_INPUT. */
OW_MUST_USE enum ow_code ow_reader_charts(struct ow_reader *r,
                                          const struct ow_chart **ret, size_t *n,
                                          struct ow_err *err);

/* Type/id of a reference: last two path segments, /_history/n cut; NULL when it is not
 * one. */
const char *ow_reference_normal(struct ow_arena *arena, const char *reference);
