/*
 * JWT: who calls, by the token that a CDS Hooks client signs for each call
 *
 * The rules of HL7 CDS Hooks 2.0 "Trusting CDS Clients", in a fixed order: form,
 * algorithm, issuer, address of the keys, key, signature, audience, times, tenant. The
 * first that fails is the fault. Whether a token was used before is not known here.
 * Clocks may differ by a minute. Nothing of a token is ever put into a text.
 */
#pragma once

#include "base/time.h"
#include "fhir/jws.h"

enum {
    OW_JWT_SKEW = 60 * OW_SECOND,
    OW_JWT_LIFETIME_MOST = OW_HOUR,
    OW_JWT_AUDIENCES = 16,
    OW_JWT_CLAIM_BYTES = 1024,
};

struct ow_jwt {
    struct ow_jws jws;
    const char *iss, *jti;
    const char *tenant; /* NULL: none */
    const char *aud[OW_JWT_AUDIENCES];
    size_t n_aud;
    ow_time exp, iat, nbf; /* nbf OW_TIME_MIN: none */
};

struct ow_jwt_rules {
    unsigned algs;       /* set of OW_JWS_BIT */
    const char *jku;     /* NULL: a token may name none */
    const char *tenants; /* separated by blanks; "" or NULL: any */
    const char *const *audiences;
    size_t n_audiences;
};

/* Form, algorithm and types of the claims. `text` must live as long as `ret`. */
OW_MUST_USE enum ow_jwt_fault ow_jwt_read(struct ow_arena *a, const char *text,
                                          size_t len, struct ow_jwt *ret);
/* What the issuer's entry says before a key is looked at: algorithm, jku. */
OW_MUST_USE enum ow_jwt_fault ow_jwt_before(const struct ow_jwt *t,
                                            const struct ow_jwt_rules *rules);
/* Behind the signature (ow_jwks_verify): audience, times, tenant. */
OW_MUST_USE enum ow_jwt_fault ow_jwt_after(const struct ow_jwt *t,
                                           const struct ow_jwt_rules *rules, ow_time now);
