/*
 * JWS: a signed token in compact form, and the keys that verify it
 *
 * Pure: bytes in, a verdict out. Base64url is strict (RFC 7515: no padding, no stray
 * bits), the header is strict JSON, and only asymmetric algorithms exist here: `none` and
 * HMAC have no name, so nothing can select them. The key is chosen by kid among the keys
 * of a set that came from configuration; whatever key or address a token carries is never
 * used. An ECDSA signature is the raw pair r, s (RFC 7518 3.4); DER is refused.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum {
    OW_JWS_BYTES = 8 << 10,    /* of a token */
    OW_JWKS_BYTES = 256 << 10, /* of a key set */
    OW_JWKS_KEYS = 64,
    OW_JWS_KID_BYTES = 512,
};

enum ow_jws_alg {
    OW_JWS_ES384,
    OW_JWS_RS384,
    OW_JWS_ES256,
    OW_JWS_RS256,
    OW_JWS_PS384,
    OW_JWS_ALG_N,
};
#define OW_JWS_BIT(alg) (1u << (alg))
#define OW_JWS_DEFAULT  (OW_JWS_BIT(OW_JWS_ES384) | OW_JWS_BIT(OW_JWS_RS384))

const char *ow_jws_alg_name(enum ow_jws_alg alg);
/* Names are case-sensitive. */
OW_MUST_USE bool ow_jws_alg_find(const char *name, enum ow_jws_alg *ret);

enum ow_jwt_fault {
#define FAULT(name, label, text) OW_JWT_##name,
#include "fhir/jwt.def"
#undef FAULT
    OW_JWT_FAULT_N,
};
const char *ow_jwt_fault_label(enum ow_jwt_fault f);
const char *ow_jwt_fault_text(enum ow_jwt_fault f);

struct ow_jws {
    enum ow_jws_alg alg;
    const char *kid;  /* opaque; may hold + / = */
    const char *jku;  /* NULL: none */
    const char *text; /* what is signed: header, dot, payload; borrowed */
    size_t text_len;
    const uint8_t *signature;
    size_t signature_len;
    const char *payload; /* decoded, not looked at; a NUL follows */
    size_t payload_len;
};

/* Base64url without padding; the bytes are followed by a NUL. False: not that. */
OW_MUST_USE bool ow_base64url(struct ow_arena *a, const char *text, size_t n,
                              uint8_t **ret, size_t *len);

/* Take a token apart. `text` must live as long as `ret`. */
OW_MUST_USE enum ow_jwt_fault ow_jws_read(struct ow_arena *a, const char *text,
                                          size_t len, struct ow_jws *ret);

/* --- keys --- */

struct ow_jwks;

/*
 * A JWK set. Keys that cannot verify here (other types and curves, RSA below 2048 bits,
 * for encryption) stay in it as unfit, so that a kid is never taken for another's. A set
 * that is malformed, holds a secret or private key, or not one fit key is refused.
 */
OW_MUST_USE enum ow_code ow_jwks_parse(const char *text, size_t len, struct ow_jwks **ret,
                                       struct ow_err *err);
void ow_jwks_free(struct ow_jwks *set);
size_t ow_jwks_count(const struct ow_jwks *set); /* fit keys */

/* Choose the key and verify: NONE, or UNKNOWN_KEY, AMBIGUOUS_KEY, UNFIT_KEY, SIGNATURE.
 */
OW_MUST_USE enum ow_jwt_fault ow_jwks_verify(const struct ow_jwks *set,
                                             const struct ow_jws *jws);
