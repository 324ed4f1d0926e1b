/*
 * Hooks: CDS Hooks 2.0 requests to charts, verdicts to responses
 *
 * Additions of 3.0 and members that nobody knows are ignored; what 2.0 requires is
 * required. Prefetch keys are names, not meaning: every value is read for what it holds.
 * null, and an empty Bundle, say that the client looked and found nothing; whether it
 * looked for orders is told by the Bundle's self link, else by a key that does not name
 * something else ("conditions": null says nothing about orders).
 *
 * Nothing standard ties a card to an order. Ours has
 *   "extension": {"org.opiward.orders": {"relatedOrders": ["MedicationRequest/rx9"],
 *                                        "medPerDay": "at least 120"}}
 * A card's uuid is UUID version 5 of its key, so feedback joins the alert episode.
 */
#pragma once

#include "alerts/verdict.h"
#include "base/buf.h"
#include "fhir/read.h"

struct ow_hooks_request {
    enum ow_hook hook;
    const char *hook_instance;
    const char *fhir_server; /* NULL: none */
    const char
        *authorization;  /* "Bearer ..." of fhirAuthorization, or NULL; never logged */
    const char *patient; /* Patient/x */
    const char *user, *encounter;
    struct ow_reader *reader; /* holds prefetch and drafts */
    /* What the prefetch did not hold: absent, an OperationOutcome, or a Bundle with more
     * pages. */
    bool lacks_orders, lacks_patient;
    bool no_prefetch;            /* there was none at all, or an empty one */
    const struct ow_page *pages; /* that paged prefetch Bundles go on with */
    size_t n_next_pages;
    bool pages_suffice; /* with them the orders are whole */
    unsigned asked;     /* OW_KIND_*: somebody looked for them */
};

/*
 * Read a request body for `service` ("opiward-order-sign"; NULL: the hook it names
 * decides). `allow_http`: fhirServer may be http. OW_INPUT with what was expected (HTTP
 * 400).
 */
OW_MUST_USE enum ow_code ow_hooks_read(struct ow_arena *a, const char *body, size_t len,
                                       const char *service, bool allow_http,
                                       const struct ow_zone *zone,
                                       struct ow_hooks_request *ret, struct ow_err *err);

/* Is this parsed JSON a CDS Hooks request? */
bool ow_hooks_looks_like(const cJSON *root);
/* The same of parsed JSON. `as` is asked in place of the hook that the request names
 * (OW_HOOK_NONE: that one); what such a request would have to hold may then be absent. */
OW_MUST_USE enum ow_code ow_hooks_read_json(struct ow_arena *a, const cJSON *root,
                                            const char *service, enum ow_hook as,
                                            bool allow_http, const struct ow_zone *zone,
                                            struct ow_hooks_request *ret,
                                            struct ow_err *err);

/* {"cards":[...]} */
void ow_hooks_response(const struct ow_verdict *v, struct ow_buf *out);
/* One card as JSON, as in the response; also what webhooks get. */
struct ow_jw;
void ow_hooks_card(struct ow_jw *w, const struct ow_verdict *v,
                   const struct ow_card *card);
void ow_hooks_discovery(struct ow_buf *out);
/* The hook of a service id, OW_HOOK_NONE when there is no such service. */
enum ow_hook ow_hooks_service(const char *id);

struct ow_hooks_feedback {
    const char *card, *outcome, *reason_code, *reason_system, *suggestions;
    bool has_at;
    ow_time at;
};
OW_MUST_USE enum ow_code ow_hooks_read_feedback(struct ow_arena *a, const char *body,
                                                size_t len,
                                                const struct ow_hooks_feedback **ret,
                                                size_t *n, struct ow_err *err);

/* OperationOutcome with one issue; `code` is a FHIR issue-type code. */
void ow_operation_outcome(struct ow_buf *out, const char *code, const char *text);
