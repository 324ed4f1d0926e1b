#include "tests/support/jwtkit.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/text.h"

enum { KEYS = 8, SIGNATURE = 1024, TOKEN = 1 << 16 };

struct jwtkit_key {
    char kind[16];
    EVP_PKEY *pkey;
};

static struct jwtkit_key keys[KEYS];
static size_t n_keys;

struct jwtkit_key *jwtkit_key(const char *kind)
{
    struct jwtkit_key *k;
    uint64_t bits;

    for (size_t i = 0; i < n_keys; i++)
        if (ow_streq(keys[i].kind, kind))
            return &keys[i];
    ow_assert(n_keys < KEYS);
    k = &keys[n_keys++];
    ow_copy(k->kind, sizeof k->kind, kind);
    if (ow_parse_u64(kind, &bits))
        k->pkey = EVP_RSA_gen((unsigned)bits);
    else /* "P-384", or "P-384 b" for a second one of the kind */
        k->pkey = EVP_EC_gen(ow_starts_with(kind, "P-384") ? "P-384" : "P-256");
    ow_assert(k->pkey);
    return k;
}

void jwtkit_done(void)
{
    while (n_keys > 0)
        EVP_PKEY_free(keys[--n_keys].pkey);
}

void jwtkit_base64url(struct ow_buf *out, const void *data, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *in = data;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;

        v |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
        v |= i + 2 < n ? (uint32_t)in[i + 2] : 0;
        ow_buf_char(out, digits[v >> 18]);
        ow_buf_char(out, digits[v >> 12 & 63]);
        if (i + 1 < n)
            ow_buf_char(out, digits[v >> 6 & 63]);
        if (i + 2 < n)
            ow_buf_char(out, digits[v & 63]);
    }
}

static void number(struct ow_buf *out, const struct jwtkit_key *k, const char *name,
                   size_t width)
{
    uint8_t bytes[SIGNATURE];
    BIGNUM *n = NULL;

    ow_assert(EVP_PKEY_get_bn_param(k->pkey, name, &n) == 1);
    width = width ? width : (size_t)BN_num_bytes(n);
    ow_assert(BN_bn2binpad(n, bytes, (int)width) == (int)width);
    jwtkit_base64url(out, bytes, width);
    BN_free(n);
}

static size_t half(const struct jwtkit_key *k)
{
    return ow_starts_with(k->kind, "P-384")   ? 48
           : ow_starts_with(k->kind, "P-256") ? 32
                                              : 0;
}

void jwtkit_jwk(struct ow_buf *out, const struct jwtkit_key *k)
{
    if (half(k)) {
        ow_buf_printf(out, "\"kty\":\"EC\",\"crv\":\"%.5s\",\"x\":\"", k->kind);
        number(out, k, OSSL_PKEY_PARAM_EC_PUB_X, half(k));
        ow_buf_str(out, "\",\"y\":\"");
        number(out, k, OSSL_PKEY_PARAM_EC_PUB_Y, half(k));
    } else {
        ow_buf_str(out, "\"kty\":\"RSA\",\"n\":\"");
        number(out, k, OSSL_PKEY_PARAM_RSA_N, 0);
        ow_buf_str(out, "\",\"e\":\"");
        number(out, k, OSSL_PKEY_PARAM_RSA_E, 0);
    }
    ow_buf_char(out, '"');
}

void jwtkit_set(struct ow_buf *out, const struct jwtkit_key *k, const char *kid,
                const char *more)
{
    ow_buf_str(out, "{\"keys\":[{");
    jwtkit_jwk(out, k);
    ow_buf_printf(out, ",\"kid\":\"%s\"%s}]}", kid, more);
}

static void parts(struct ow_buf *out, const char *header, const char *payload)
{
    jwtkit_base64url(out, header, strlen(header));
    ow_buf_char(out, '.');
    jwtkit_base64url(out, payload, strlen(payload));
}

static size_t raw(uint8_t *sig, size_t n, size_t width)
{
    const uint8_t *at = sig;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);

    ow_assert(pair);
    ow_assert(BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, (int)width) == (int)width);
    ow_assert(BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + width, (int)width) ==
              (int)width);
    ECDSA_SIG_free(pair);
    return 2 * width;
}

void jwtkit_sign(struct ow_buf *out, const struct jwtkit_key *k, const char *digest,
                 enum jwtkit_form form, const char *header, const char *payload)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx;
    uint8_t sig[SIGNATURE];
    size_t n = sizeof sig;

    ow_buf_init(out, TOKEN);
    parts(out, header, payload);
    ow_assert(EVP_DigestSignInit_ex(md, &ctx, digest, NULL, NULL, k->pkey, NULL) == 1);
    if (form == JWTKIT_PSS)
        ow_assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
    ow_assert(EVP_DigestSign(md, sig, &n, (const uint8_t *)out->data, out->len) == 1);
    EVP_MD_CTX_free(md);
    if (half(k) && form == JWTKIT_RAW)
        n = raw(sig, n, half(k));
    ow_buf_char(out, '.');
    jwtkit_base64url(out, sig, n);
}

void jwtkit_hmac(struct ow_buf *out, const char *secret, const char *header,
                 const char *payload)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    ow_buf_init(out, TOKEN);
    parts(out, header, payload);
    ow_assert(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)out->data,
                   out->len, mac, &n));
    ow_buf_char(out, '.');
    jwtkit_base64url(out, mac, n);
}
