/*
 * TLS: OpenSSL over memory buffers, no sockets
 *
 * A context is one certificate and policy (TLS 1.2 or newer, http/1.1 by ALPN, no
 * renegotiation); sessions keep it alive, so a reload is a new context beside the old.
 * A session turns bytes of the wire into plain ones and back: give it what was read,
 * read plain bytes, write plain bytes, and send what it has for the wire after each.
 */
#pragma once

#include "base/err.h"

struct ow_tls_context;
struct ow_tls;

/* PEM files. With `client_ca` clients must show a certificate signed by it. */
OW_MUST_USE enum ow_code ow_tls_context_new(const char *cert, const char *key,
                                            const char *client_ca,
                                            struct ow_tls_context **ret,
                                            struct ow_err *err);
void ow_tls_context_free(struct ow_tls_context *ctx); /* sessions live on */

struct ow_tls *ow_tls_new(struct ow_tls_context *ctx); /* the server's side */
void ow_tls_free(struct ow_tls *t);

/* Bytes that came from the wire. */
void ow_tls_input(struct ow_tls *t, const char *data, size_t len);

enum ow_tls_state {
    OW_TLS_DATA,   /* plain bytes */
    OW_TLS_MORE,   /* needs more from the wire */
    OW_TLS_END,    /* the peer has said good-bye */
    OW_TLS_FAILED, /* send what there is for the wire (an alert), then close */
};

/* Plain bytes, at most `size`; drives the handshake too. */
enum ow_tls_state ow_tls_read(struct ow_tls *t, char *data, size_t size, size_t *ret);

/* Encrypt. False when the session has failed. */
OW_MUST_USE bool ow_tls_write(struct ow_tls *t, const char *data, size_t len);

/* Our good-bye. */
void ow_tls_shutdown(struct ow_tls *t);

/* What waits to be sent, and: it has been taken. */
size_t ow_tls_output(struct ow_tls *t, const char **data);
void ow_tls_output_taken(struct ow_tls *t);

bool ow_tls_established(const struct ow_tls *t);
