/*
 * Client: libcurl on the loop
 *
 * One shared connection pool; at most `per_host` requests to one origin at a time, the
 * rest wait in order, urgent ones first, those that can wait last. TLS 1.2 or newer, host
 * names verified, no redirects, gzip decoded under a ceiling of size and ratio.
 * Idempotency and retries are the caller's matter.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "fhir/wire.h"

struct ow_client;
struct ow_call;

struct ow_client_options {
    unsigned per_host;                /* default 4 */
    int64_t connect_ms;               /* default 5 s */
    size_t max_body;                  /* of a response, default 16 MiB */
    unsigned max_ratio;               /* decoded to encoded bytes, default 100 */
    const char *ca_file;              /* NULL: the system's */
    const char *cert_file, *key_file; /* client certificate; NULL: none */
    bool allow_private;               /* may connect to private and loopback addresses */
    const char *user_agent;           /* "opiward/VERSION" */
};

/*
 * The end of a call, always on the loop, never inside ow_client_send. OW_OK: `resp` is a
 * whole response of any status, valid during the call. OW_AGAIN: nothing usable came
 * back; `sent` tells whether the peer may have acted on it (any byte of the request
 * left). OW_INPUT: the response breaks a ceiling. OW_CANCELED: by us.
 */
typedef void ow_reply_fn(void *arg, enum ow_code code, const struct ow_response *resp,
                         bool sent, const struct ow_err *err);

OW_MUST_USE enum ow_code ow_client_open(uv_loop_t *loop,
                                        const struct ow_client_options *opt,
                                        struct ow_client **ret, struct ow_err *err);

void ow_client_options_default(struct ow_client_options *ret);

/* Send `req` (url absolute; copied whole). The whole call, its wait for a free place
 * included, may take `timeout_ms`. Not while closing. */
struct ow_call *ow_client_send(struct ow_client *c, const struct ow_request *req,
                               int64_t timeout_ms, ow_reply_fn *fn, void *arg);
/* Forget a call: `fn` is not called any more. */
void ow_client_cancel(struct ow_client *c, struct ow_call *call);

/* Every open call ends with OW_CANCELED, at once; `closed` when nothing is left on the
 * loop and the client is freed. */
void ow_client_close(struct ow_client *c, void (*closed)(void *arg), void *arg);
