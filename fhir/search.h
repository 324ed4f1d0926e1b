/*
 * Search: what one evaluation asks a FHIR server, fed page by page until the chart is
 * whole
 *
 * Says which requests to send and takes their responses in any order. Paging follows
 * `next` verbatim within the same origin as the base, with a ceiling and a loop guard;
 * every request carries Cache-Control: no-cache, since servers reuse searches. A part
 * that cannot be had ends in the chart's `missing`, never in a smaller total that looks
 * whole.
 */
#pragma once

#include "fhir/read.h"
#include "fhir/wire.h"

struct ow_search;

struct ow_search_options {
    const char *base_url; /* no slash at the end */
    const char *patient;  /* Patient/x */
    const char *source;
    const struct ow_zone *zone;
    const char *authorization; /* Authorization header, or NULL */
    unsigned page_size;        /* _count, default 200 */
    unsigned max_pages;        /* per question, default 50 */
    bool want_orders,
        want_patient;    /* what is still needed (a hook's prefetch had the rest) */
    unsigned want_kinds; /* OW_KIND_*: asked too, one search each */
    const struct ow_page
        *pages; /* of this origin, to go on with; those of orders in place
                 * of the whole search, which follows when they fail */
    size_t n_pages;
    bool lenient;  /* no failure but that of orders and the patient fails the search */
    uint32_t skip; /* types not to ask for: the server refused them before */
};

/* Types of resources beside orders, as sets: bit `i` is ow_search_type(i). */
struct ow_search_types {
    uint32_t answered, refused, lost; /* lost: no answer that can be used */
};

/* `reader` NULL: a new one; else the answers are added to it. */
struct ow_search *ow_search_new(struct ow_arena *arena,
                                const struct ow_search_options *opt,
                                struct ow_reader *reader);

/* The next request to send now, with a tag for its answer; false: none at the moment. */
bool ow_search_next(struct ow_search *s, struct ow_request *ret, unsigned *tag);

/*
 * A response. OW_AGAIN (503, 429, timeouts given as status 0): the whole search should be
 * tried later; `retry_after_ms` is set where the server said. OW_DENIED: 401, 403.
 * OW_MISSING: the patient was deleted (410). OW_INPUT: unreadable.
 */
OW_MUST_USE enum ow_code ow_search_feed(struct ow_search *s, unsigned tag,
                                        const struct ow_response *resp,
                                        int64_t *retry_after_ms, struct ow_err *err);
bool ow_search_complete(const struct ow_search *s);
/* No answer came. True: the rest goes on without it; false: the search has failed. */
bool ow_search_lost(struct ow_search *s, unsigned tag, const char *why);
/* Are the orders and the patient there, whatever else is still on its way? */
bool ow_search_essential(const struct ow_search *s);
/* OW_KIND_* that were asked for and answered. */
unsigned ow_search_answered(const struct ow_search *s);
unsigned ow_search_asked(const struct ow_search *s); /* whatever came of it */
struct ow_search_types ow_search_types(const struct ow_search *s);
const char *ow_search_type(unsigned i); /* NULL beyond the last */
struct ow_reader *ow_search_reader(struct ow_search *s);

/* Whose order is it? The request for one resource, and its answer: OW_OK with Patient/x,
 * or with NULL when it has no patient; else as ow_search_feed. */
void ow_order_read_request(struct ow_arena *arena, const char *base_url,
                           const char *authorization, const char *type, const char *id,
                           struct ow_request *ret);
OW_MUST_USE enum ow_code ow_order_subject(struct ow_arena *arena,
                                          const struct ow_response *resp,
                                          const char **patient, struct ow_err *err);

/* Retry-After as milliseconds from `now`: delta-seconds or HTTP-date; 0 when absent or
 * bad. */
int64_t ow_retry_after_ms(const struct ow_response *resp, ow_time now);
/* Short text of an OperationOutcome for logs: codes and paths, no diagnostics that may
 * hold patient data. "" when it is none. */
const char *ow_outcome_text(struct ow_arena *arena, const char *body, size_t len);
