/*
 * Fuzz: tokens and key sets. First line a token, the rest a key set.
 */
#include <string.h>

#include "base/text.h"
#include "fhir/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token_try(struct ow_arena *a, const char *text, size_t n,
                      const struct ow_jwks *set)
{
    static const char *const audience[] = { "https://mme.test/cds-services" };
    static const struct ow_jwt_rules rules = { .algs = (1u << OW_JWS_ALG_N) - 1,
                                               .jku = "https://ehr.test/jwks",
                                               .tenants = "north south",
                                               .audiences = audience,
                                               .n_audiences = 1 };
    struct ow_jwt t;

    if (ow_jwt_read(a, text, n, &t) != OW_JWT_NONE)
        return;
    ow_assert(n <= OW_JWS_BYTES && t.n_aud > 0 && *t.iss && *t.jti && *t.jws.kid);
    ow_assert(ow_utf8_valid(t.jti, strlen(t.jti)));
    (void)ow_jwt_fault_text(ow_jwt_before(&t, &rules));
    (void)ow_jwt_fault_label(ow_jwt_after(&t, &rules, 1772438400000));
    if (set)
        ow_assert(ow_jwks_verify(set, &t.jws) != OW_JWT_NO_KEYS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t n = line ? (size_t)(line - data) : size;
    struct ow_jwks *set = NULL;
    struct ow_err err = { "" };
    struct ow_arena arena;

    ow_arena_init(&arena, (size_t)16 << 20);
    if (line && ow_jwks_parse((const char *)line + 1, size - n - 1, &set, &err) != OW_OK)
        ow_assert(*err.text && ow_utf8_valid(err.text, strlen(err.text)));
    token_try(&arena, (const char *)data, n, set);
    ow_jwks_free(set);
    ow_arena_done(&arena);
    return 0;
}
