/*
 * Server: HTTP/1.1 listeners on the loop
 *
 * Parses, limits and answers; knows nothing of what is asked. A handler is called once
 * the whole request is there and may answer at once or later: the connection's parser
 * waits meanwhile, so a client that pipelines is served in order. Deadlines: a head that
 * is not whole in `head_ms`, a body slower than `body_rate`, an answer not read in
 * `write_ms`, an idle connection after `idle_ms`: closed.
 *
 * Refused by the server itself, with an OperationOutcome body and Connection: close where
 * the stream can no longer be trusted: 400 (syntax, smuggling: Content-Length with
 * Transfer-Encoding, two different lengths, bare LF or CR, continuation lines, no or
 * second Host), 408, 413, 414, 417, 431, 501, 503 (too many connections), 505.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "fhir/wire.h"

struct ow_server;
struct ow_exchange; /* one request that waits for its answer */

struct ow_server_limits {
    size_t head_bytes;     /* all of the head, default 16 KiB: 431 */
    size_t target_bytes;   /* default 8 KiB: 414 */
    unsigned headers;      /* default 100: 431 */
    size_t body_bytes;     /* default 4 MiB: 413 */
    unsigned connections;  /* default 1024: 503 beyond */
    unsigned per_peer;     /* connections of one address, default 256 */
    int64_t head_ms;       /* default 10 s */
    int64_t body_rate;     /* bytes per second a body must keep, default 500 */
    int64_t body_grace_ms; /* ... once this much has passed, default 10 s */
    int64_t write_ms;      /* default 30 s */
    int64_t idle_ms;       /* default 75 s */
    unsigned requests;     /* per connection, default 0: no limit */
};

struct ow_server_options {
    const char *address;            /* "127.0.0.1", "::", ... */
    int port;                       /* 0: any */
    int fd;                         /* a listening socket handed in by systemd, else -1 */
    const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
    const char *tls_client_ca;      /* PEM file; client certificates required when set */
    struct ow_server_limits limits;
};

/* Request and its strings live until the answer; `x` until ow_exchange_reply. */
typedef void ow_handler_fn(struct ow_exchange *x, const struct ow_request *req,
                           void *arg);

void ow_server_limits_default(struct ow_server_limits *ret);

/* From here on the process ignores SIGPIPE: libuv writes without MSG_NOSIGNAL. */
OW_MUST_USE enum ow_code ow_server_open(uv_loop_t *loop,
                                        const struct ow_server_options *opt,
                                        ow_handler_fn *handler, void *arg,
                                        struct ow_server **ret, struct ow_err *err);
int ow_server_port(const struct ow_server *s);

/* Stop accepting, answer what has begun with Connection: close, then call `drained`. */
void ow_server_drain(struct ow_server *s, void (*drained)(void *arg), void *arg);

/*
 * Close everything and free the server. `closed` is called when nothing of it is left on
 * the loop. An exchange that still waits must be answered all the same: that frees it.
 */
void ow_server_close(struct ow_server *s, void (*closed)(void *arg), void *arg);

/* New certificate and key for connections from now on; the old stay on failure. */
OW_MUST_USE enum ow_code ow_server_reload_tls(struct ow_server *s, struct ow_err *err);

/*
 * Answer. Copies everything; Content-Length, Date and Connection are added here. A client
 * that has gone meanwhile makes this a no-op. Exactly once per exchange, from the loop.
 */
void ow_exchange_reply(struct ow_exchange *x, const struct ow_response *resp);

/* Room for the handler's own state, freed with plain free() when the exchange ends. */
void ow_exchange_set_data(struct ow_exchange *x, void *data);
void *ow_exchange_data(const struct ow_exchange *x);

struct ow_server_stats {
    uint64_t accepted, requests, refused, timed_out;
    unsigned open;
};
struct ow_server_stats ow_server_stats(const struct ow_server *s);
