#include "fhir/jws.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "fhir/json.h"

enum {
    RSA_BITS_LEAST = 2048,
    RSA_BITS_MOST = 8192, /* a larger one only burns time */
    COORDINATE_MOST = 48,
    DER_MOST = 128,
};

static const struct algorithm {
    const char *name, *digest;
    const char *crv; /* ECDSA: the curve in a JWK; NULL: RSA */
    const char *group;
    size_t half; /* ECDSA: bytes of r and of s */
    bool pss;
} algorithms[OW_JWS_ALG_N] = {
    [OW_JWS_ES384] = {"ES384",  "SHA384", "P-384", "secp384r1",  48, false},
    [OW_JWS_RS384] = { "RS384", "SHA384", NULL,    NULL,         0,  false},
    [OW_JWS_ES256] = { "ES256", "SHA256", "P-256", "prime256v1", 32, false},
    [OW_JWS_RS256] = { "RS256", "SHA256", NULL,    NULL,         0,  false},
    [OW_JWS_PS384] = { "PS384", "SHA384", NULL,    NULL,         0,  true },
};

static const struct {
    const char *label, *text;
} faults[OW_JWT_FAULT_N] = {
#define FAULT(name, label, text) [OW_JWT_##name] = { label, text },
#include "fhir/jwt.def"
#undef FAULT
};

const char *ow_jws_alg_name(enum ow_jws_alg alg)
{
    ow_assert(alg < OW_JWS_ALG_N);
    return algorithms[alg].name;
}

bool ow_jws_alg_find(const char *name, enum ow_jws_alg *ret)
{
    for (unsigned i = 0; name && i < OW_JWS_ALG_N; i++)
        if (ow_streq(algorithms[i].name, name)) {
            *ret = (enum ow_jws_alg)i;
            return true;
        }
    return false;
}

const char *ow_jwt_fault_label(enum ow_jwt_fault f)
{
    ow_assert(f < OW_JWT_FAULT_N);
    return faults[f].label;
}

const char *ow_jwt_fault_text(enum ow_jwt_fault f)
{
    ow_assert(f < OW_JWT_FAULT_N);
    return faults[f].text;
}

/* --- base64url --- */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool ow_base64url(struct ow_arena *a, const char *text, size_t n, uint8_t **ret,
                  size_t *len)
{
    uint8_t *out;
    uint32_t held = 0;
    unsigned bits = 0;
    size_t o = 0;

    if (n % 4 == 1)
        return false;
    out = ow_arena_alloc(a, n / 4 * 3 + 4);
    for (size_t i = 0; i < n; i++) {
        int v = digit(text[i]);

        if (v < 0)
            return false;
        held = held << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[o++] = (uint8_t)(held >> bits);
            held &= (1u << bits) - 1;
        }
    }
    if (held != 0) /* bits that say nothing must say so: one spelling a token */
        return false;
    *ret = out;
    *len = o;
    return true;
}

/* --- the token --- */

static const struct ow_json_limits header_limits = { .bytes = OW_JWS_BYTES,
                                                     .depth = 8,
                                                     .nodes = 200 };

/* NULL when absent, of another type, empty or longer than `most`. */
static const char *short_text(const cJSON *object, const char *key, size_t most)
{
    const char *s = ow_json_string(object, key);
    size_t n = s ? strlen(s) : 0;

    return n > 0 && n <= most ? s : NULL;
}

static enum ow_jwt_fault header_read(const cJSON *h, struct ow_jws *ret)
{
    const char *typ = ow_json_string(h, "typ");

    if (ow_json_get(h, "crit"))
        return OW_JWT_CRITICAL;
    if (ow_json_get(h, "typ") && (!typ || !ow_strcaseeq(typ, "JWT")))
        return OW_JWT_TYPE;
    if (!ow_jws_alg_find(ow_json_string(h, "alg"), &ret->alg))
        return OW_JWT_ALGORITHM;
    ret->kid = short_text(h, "kid", OW_JWS_KID_BYTES);
    if (!ret->kid)
        return OW_JWT_KID;
    ret->jku = ow_json_string(h, "jku");
    if (ow_json_get(h, "jku") && !ret->jku)
        return OW_JWT_JKU;
    return OW_JWT_NONE;
}

/* The three parts; `ret` holds what is signed and the two dots. */
static bool parts_find(const char *text, size_t len, const char **dot1, const char **dot2)
{
    *dot1 = memchr(text, '.', len);
    if (!*dot1)
        return false;
    *dot2 = memchr(*dot1 + 1, '.', len - (size_t)(*dot1 + 1 - text));
    return *dot2 && !memchr(*dot2 + 1, '.', len - (size_t)(*dot2 + 1 - text));
}

enum ow_jwt_fault ow_jws_read(struct ow_arena *a, const char *text, size_t len,
                              struct ow_jws *ret)
{
    struct ow_jws jws = { .text = text };
    const char *dot1, *dot2, *end = text + len;
    uint8_t *header, *payload, *signature;
    const cJSON *object;
    enum ow_jwt_fault fault;
    size_t n;

    if (len > OW_JWS_BYTES)
        return OW_JWT_SIZE;
    if (!parts_find(text, len, &dot1, &dot2))
        return OW_JWT_FORM;
    jws.text_len = (size_t)(dot2 - text);
    if (!ow_base64url(a, text, (size_t)(dot1 - text), &header, &n) ||
        !ow_base64url(a, dot1 + 1, (size_t)(dot2 - dot1 - 1), &payload,
                      &jws.payload_len) ||
        !ow_base64url(a, dot2 + 1, (size_t)(end - dot2 - 1), &signature,
                      &jws.signature_len))
        return OW_JWT_FORM;
    jws.payload = (const char *)payload;
    jws.signature = signature;
    if (ow_json_parse((const char *)header, n, &header_limits, a, &object, NULL) !=
            OW_OK ||
        !cJSON_IsObject(object))
        return OW_JWT_JSON;
    fault = header_read(object, &jws);
    if (fault == OW_JWT_NONE)
        *ret = jws;
    return fault;
}

/* --- keys --- */

struct key {
    const char *kid; /* NULL: none, so no token can name it */
    unsigned algs;   /* set of OW_JWS_BIT; 0: unfit */
    EVP_PKEY *pkey;
};

struct ow_jwks {
    struct ow_arena arena;
    struct key keys[OW_JWKS_KEYS];
    size_t n;
};

static EVP_PKEY *pkey_make(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY *pkey = NULL;

    ow_assert(ctx && params);
    if (EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* The member as bytes; NULL when it is none. */
static uint8_t *member_bytes(struct ow_arena *a, const cJSON *jwk, const char *name,
                             size_t *len)
{
    const char *text = ow_json_string(jwk, name);
    uint8_t *bytes;

    return text && ow_base64url(a, text, strlen(text), &bytes, len) ? bytes : NULL;
}

static EVP_PKEY *rsa_make(struct ow_arena *a, const cJSON *jwk)
{
    size_t n_len, e_len;
    uint8_t *n = member_bytes(a, jwk, "n", &n_len);
    uint8_t *e = member_bytes(a, jwk, "e", &e_len);
    OSSL_PARAM_BLD *bld;
    BIGNUM *bn, *be;
    EVP_PKEY *pkey = NULL;

    if (!n || !e || n_len > RSA_BITS_MOST / 8 || e_len < 1 || e_len > 8)
        return NULL;
    bn = BN_bin2bn(n, (int)n_len, NULL);
    be = BN_bin2bn(e, (int)e_len, NULL);
    bld = OSSL_PARAM_BLD_new();
    ow_assert(bn && be && bld);
    if (BN_num_bits(bn) >= RSA_BITS_LEAST && BN_is_odd(bn) && BN_is_odd(be) &&
        !BN_is_one(be) && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        pkey = pkey_make("RSA", bld);
    OSSL_PARAM_BLD_free(bld);
    BN_free(bn);
    BN_free(be);
    return pkey;
}

/* Is the point on the curve, and not at infinity? */
static EVP_PKEY *point_check(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    bool good = ctx && EVP_PKEY_public_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (good)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *ec_make(struct ow_arena *a, const cJSON *jwk,
                         const struct algorithm *alg)
{
    uint8_t point[1 + 2 * COORDINATE_MOST] = { 0x04 };
    size_t x_len, y_len;
    uint8_t *x = member_bytes(a, jwk, "x", &x_len);
    uint8_t *y = member_bytes(a, jwk, "y", &y_len);
    OSSL_PARAM_BLD *bld;
    EVP_PKEY *pkey = NULL;

    if (!x || !y || x_len != alg->half || y_len != alg->half)
        return NULL;
    memcpy(point + 1, x, x_len);
    memcpy(point + 1 + x_len, y, y_len);
    bld = OSSL_PARAM_BLD_new();
    ow_assert(bld);
    if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, alg->group, 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * alg->half) == 1)
        pkey = point_check(pkey_make("EC", bld));
    OSSL_PARAM_BLD_free(bld);
    return pkey;
}

/* Which algorithms type and curve allow. */
static unsigned algs_of(const cJSON *jwk)
{
    const char *kty = ow_json_string(jwk, "kty"), *crv = ow_json_string(jwk, "crv");
    unsigned set = 0;

    for (unsigned i = 0; i < OW_JWS_ALG_N; i++) {
        const char *wanted = algorithms[i].crv;

        if (wanted ? ow_streq(kty, "EC") && ow_streq(crv, wanted) : ow_streq(kty, "RSA"))
            set |= OW_JWS_BIT(i);
    }
    return set;
}

/* Does the key say that it is for signatures, or say nothing? */
static bool for_signatures(const cJSON *jwk)
{
    const cJSON *ops = ow_json_array(jwk, "key_ops"), *op;
    bool verify = !ow_json_get(jwk, "key_ops");

    if (ow_json_get(jwk, "use") && !ow_streq(ow_json_string(jwk, "use"), "sig"))
        return false;
    cJSON_ArrayForEach(op, ops)
        verify = verify || (cJSON_IsString(op) && ow_streq(op->valuestring, "verify"));
    return verify;
}

static void key_take(struct ow_jwks *set, const cJSON *jwk)
{
    struct key *k = &set->keys[set->n++];
    unsigned algs = algs_of(jwk);
    enum ow_jws_alg only;

    k->kid = ow_arena_strdup(&set->arena, ow_json_string(jwk, "kid"));
    if (ow_json_get(jwk, "alg"))
        algs &= ow_jws_alg_find(ow_json_string(jwk, "alg"), &only) ? OW_JWS_BIT(only) : 0;
    if (!algs || !for_signatures(jwk))
        return;
    if (ow_streq(ow_json_string(jwk, "kty"), "RSA")) {
        k->pkey = rsa_make(&set->arena, jwk);
    } else {
        for (unsigned i = 0; i < OW_JWS_ALG_N && !k->pkey; i++)
            if (algs & OW_JWS_BIT(i))
                k->pkey = ec_make(&set->arena, jwk, &algorithms[i]);
    }
    k->algs = k->pkey ? algs : 0;
}

static enum ow_code keys_take(struct ow_jwks *set, const cJSON *root, struct ow_err *err)
{
    const cJSON *list = cJSON_IsObject(root) ? ow_json_array(root, "keys") : NULL, *jwk;

    if (!list)
        return ow_err_set(err, OW_INPUT, "expected a JWK set: an object with keys");
    cJSON_ArrayForEach(jwk, list)
    {
        if (set->n == OW_JWKS_KEYS)
            return ow_err_set(err, OW_INPUT, "more than %d keys", OW_JWKS_KEYS);
        if (!cJSON_IsObject(jwk))
            return ow_err_set(err, OW_INPUT, "a key is no object");
        if (ow_json_get(jwk, "d") || ow_json_get(jwk, "k"))
            return ow_err_set(
                err, OW_INPUT,
                "key %zu is private or secret: only public ones belong here", set->n + 1);
        key_take(set, jwk);
    }
    if (ow_jwks_count(set) == 0)
        return ow_err_set(err, OW_INPUT,
                          "no key that could be used: RSA of at least 2048 bits, P-384 "
                          "or P-256, for signatures, with a kid");
    return OW_OK;
}

enum ow_code ow_jwks_parse(const char *text, size_t len, struct ow_jwks **ret,
                           struct ow_err *err)
{
    static const struct ow_json_limits limits = { .bytes = OW_JWKS_BYTES,
                                                  .depth = 8,
                                                  .nodes = 10000 };
    struct ow_jwks *set = ow_alloc_zero(sizeof *set);
    const cJSON *root;
    enum ow_code code;

    ow_arena_init(&set->arena, SIZE_MAX);
    code = ow_json_parse(text, len, &limits, &set->arena, &root, err);
    if (code == OW_OK)
        code = keys_take(set, root, err);
    ERR_clear_error();
    if (code == OW_OK)
        *ret = set;
    else
        ow_jwks_free(set);
    return code;
}

void ow_jwks_free(struct ow_jwks *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        EVP_PKEY_free(set->keys[i].pkey);
    ow_arena_done(&set->arena);
    free(set);
}

size_t ow_jwks_count(const struct ow_jwks *set)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++)
        n += set->keys[i].algs != 0 && set->keys[i].kid;
    return n;
}

/* --- signatures --- */

/* The raw pair as the DER that OpenSSL wants; its length, 0: not of that size. */
static size_t pair_to_der(const struct ow_jws *jws, size_t half, uint8_t der[DER_MOST])
{
    ECDSA_SIG *sig;
    BIGNUM *r, *s;
    int n;

    if (jws->signature_len != 2 * half)
        return 0;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(jws->signature, (int)half, NULL);
    s = BN_bin2bn(jws->signature + half, (int)half, NULL);
    ow_assert(sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1);
    n = i2d_ECDSA_SIG(sig, NULL);
    ow_assert(n <= DER_MOST);
    if (n > 0)
        n = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

static bool verify(EVP_PKEY *pkey, const struct algorithm *alg, const struct ow_jws *jws,
                   const uint8_t *sig, size_t sig_len)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL; /* of `md` */
    bool good;

    ow_assert(md);
    good = EVP_DigestVerifyInit_ex(md, &ctx, alg->digest, NULL, NULL, pkey, NULL) == 1;
    if (good && alg->pss)
        good = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestVerify(md, sig, sig_len, (const uint8_t *)jws->text,
                                    jws->text_len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return good;
}

enum ow_jwt_fault ow_jwks_verify(const struct ow_jwks *set, const struct ow_jws *jws)
{
    const struct algorithm *alg = &algorithms[jws->alg];
    const struct key *found = NULL;
    uint8_t der[DER_MOST];
    const uint8_t *sig = jws->signature;
    size_t n = jws->signature_len;

    for (size_t i = 0; i < set->n; i++) {
        if (!ow_streq(set->keys[i].kid, jws->kid))
            continue;
        if (found)
            return OW_JWT_AMBIGUOUS_KEY;
        found = &set->keys[i];
    }
    if (!found)
        return OW_JWT_UNKNOWN_KEY;
    if (!(found->algs & OW_JWS_BIT(jws->alg)))
        return OW_JWT_UNFIT_KEY;
    if (alg->crv) {
        n = pair_to_der(jws, alg->half, der);
        sig = der;
    }
    return n > 0 && verify(found->pkey, alg, jws, sig, n) ? OW_JWT_NONE
                                                          : OW_JWT_SIGNATURE;
}
