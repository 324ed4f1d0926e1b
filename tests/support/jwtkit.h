/*
 * JWT kit: keys and tokens made on the spot
 *
 * What a client does, written against the RFCs and not against fhir/jws.c: sign any
 * header and payload with any key, and publish the public half as a JWK.
 */
#pragma once

#include "base/buf.h"

struct jwtkit_key;

/* "P-384", "P-256", or RSA of so many bits: "2048". Made once a name and kept. */
struct jwtkit_key *jwtkit_key(const char *kind);
void jwtkit_done(void);

/* The public JWK without its brackets: "kty":"EC",... */
void jwtkit_jwk(struct ow_buf *out, const struct jwtkit_key *k);
/* {"keys":[{...,"kid":kid}]} with `more` ("" or members such as ,"use":"sig") */
void jwtkit_set(struct ow_buf *out, const struct jwtkit_key *k, const char *kid,
                const char *more);

void jwtkit_base64url(struct ow_buf *out, const void *data, size_t n);

enum jwtkit_form {
    JWTKIT_RAW, /* ECDSA as RFC 7518 has it; RSA by PKCS #1 v1.5 */
    JWTKIT_DER, /* ECDSA as OpenSSL has it */
    JWTKIT_PSS, /* RSA-PSS */
};
/* Header and payload as they are, signed with `digest` ("SHA384"). */
void jwtkit_sign(struct ow_buf *out, const struct jwtkit_key *k, const char *digest,
                 enum jwtkit_form form, const char *header, const char *payload);
/* The same with HMAC-SHA-256 over `secret`, as an attacker has it. */
void jwtkit_hmac(struct ow_buf *out, const char *secret, const char *header,
                 const char *payload);
