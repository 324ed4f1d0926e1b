/*
 * URL: what fhir/ asks for, and what every answer has in common
 */
#pragma once

#include "base/buf.h"
#include "fhir/json.h"
#include "fhir/wire.h"

/* Percent-encode everything but letters, digits and - . _ ~ */
void ow_url_encode(struct ow_buf *b, const char *s);

/* Same scheme, host and port, and not outside of it by way of user info? `url` may be
 * relative (then it is). Schemes and hosts fold case; default ports are the same as
 * none. */
bool ow_url_same_origin(const char *base, const char *url);

/* `url` as an absolute one: as it is, or against the base ("?x", "Type?x", "/a/b"). */
const char *ow_url_absolute(struct ow_arena *a, const char *base, const char *url);

/* Is the body HTML or XML, which no FHIR JSON begins like? */
bool ow_response_is_markup(const struct ow_response *resp);

/* A GET that asks for fresh FHIR JSON. Everything is copied into `a`. */
void ow_get_request(struct ow_arena *a, const char *url, const char *authorization,
                    struct ow_request *ret);

/*
 * What an answer means for whoever reads resources: OW_OK for 200 to 299; OW_AGAIN for
 * no answer (status 0), 408, 425, 429 and 5xx; OW_DENIED for 401 and 403; OW_MISSING for
 * 404 and 410, unless it is a page in markup, from a proxy whose server is away:
 * OW_AGAIN; OW_INPUT for the rest.
 */
enum ow_code ow_response_code(struct ow_arena *a, const struct ow_response *resp,
                              struct ow_err *err);
/* The same, and the JSON of a good one. */
OW_MUST_USE enum ow_code ow_response_json(struct ow_arena *a,
                                          const struct ow_response *resp,
                                          const cJSON **ret, struct ow_err *err);
/* The same, and it must be a Bundle. */
OW_MUST_USE enum ow_code ow_response_bundle(struct ow_arena *a,
                                            const struct ow_response *resp,
                                            const cJSON **ret, struct ow_err *err);
