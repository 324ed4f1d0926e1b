/*
 * Wire: an HTTP request and its response as plain values
 *
 * What fhir/ plans and reads, and what daemon/ sends and receives. Nothing here owns
 * memory: strings and bodies are borrowed for the time the call says.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"

struct ow_header {
    const char *name, *value;
};

enum { OW_WIRE_HEADERS = 100 };

/* A request, in either direction. */
struct ow_request {
    const char *method; /* GET, POST, PUT, DELETE, OPTIONS, ... */
    const char *url;    /* outbound: absolute; inbound: NULL */
    const char *path;   /* inbound: percent-decoded, no query; always begins with / */
    const char *query;  /* inbound: raw, without the ?; "" when absent */
    const char *peer; /* inbound: address of the caller, for limits, never logged whole */
    const struct ow_header *headers;
    size_t n_headers;
    const char *body; /* followed by a NUL that does not count */
    size_t body_len;
    bool urgent; /* outbound: somebody waits, so it goes ahead in the line for its host */
    bool can_wait; /* outbound: it goes behind all that cannot */
};

/* A response, in either direction. */
struct ow_response {
    int status;
    const struct ow_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
};

/* Value of the first header of that name (ASCII case folded), or NULL. */
const char *ow_header_get(const struct ow_header *headers, size_t n, const char *name);

/* Is the media type of a Content-Type value `type` (parameters and case ignored)? */
bool ow_media_type_is(const char *content_type, const char *type);
/* application/fhir+json, application/json or application/json+fhir */
bool ow_media_type_is_json(const char *content_type);
