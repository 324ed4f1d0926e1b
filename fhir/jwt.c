#include "fhir/jwt.h"

#include <string.h>

#include "base/text.h"
#include "fhir/json.h"

static const struct ow_json_limits claim_limits = { .bytes = OW_JWS_BYTES,
                                                    .depth = 16,
                                                    .nodes = 1000 };

/* --- reading --- */

/* NumericDate (RFC 7519 2): seconds, maybe with a fraction. */
static bool date_read(const cJSON *claims, const char *key, ow_time *ret)
{
    struct ow_ratio r;

    if (!ow_json_ratio(claims, key, &r) || !ow_ratio_mul(r, OW_RATIO(OW_SECOND, 1), &r))
        return false;
    *ret = ow_ratio_floor(r);
    return *ret >= 0 && *ret < (ow_time)1 << 48;
}

static const char *claim_text(const cJSON *claims, const char *key)
{
    const char *s = ow_json_string(claims, key);
    size_t n = s ? strlen(s) : 0;

    return n > 0 && n <= OW_JWT_CLAIM_BYTES ? s : NULL;
}

/* One text or a list of them. */
static bool audience_read(const cJSON *claims, struct ow_jwt *t)
{
    const cJSON *aud = ow_json_get(claims, "aud"), *one;

    if (cJSON_IsString(aud)) {
        t->aud[t->n_aud++] = aud->valuestring;
        return true;
    }
    if (!cJSON_IsArray(aud))
        return false;
    cJSON_ArrayForEach(one, aud)
    {
        if (!cJSON_IsString(one) || t->n_aud == OW_JWT_AUDIENCES)
            return false;
        t->aud[t->n_aud++] = one->valuestring;
    }
    return t->n_aud > 0;
}

static bool claims_read(const cJSON *claims, struct ow_jwt *t)
{
    t->iss = claim_text(claims, "iss");
    t->jti = claim_text(claims, "jti");
    t->tenant = ow_json_string(claims, "tenant");
    t->nbf = OW_TIME_MIN;
    return t->iss && t->jti && audience_read(claims, t) &&
           date_read(claims, "exp", &t->exp) && date_read(claims, "iat", &t->iat) &&
           (!ow_json_get(claims, "nbf") || date_read(claims, "nbf", &t->nbf)) &&
           (!ow_json_get(claims, "tenant") || t->tenant);
}

enum ow_jwt_fault ow_jwt_read(struct ow_arena *a, const char *text, size_t len,
                              struct ow_jwt *ret)
{
    struct ow_jwt t = { .n_aud = 0 };
    enum ow_jwt_fault fault = ow_jws_read(a, text, len, &t.jws);
    const cJSON *claims;

    if (fault != OW_JWT_NONE)
        return fault;
    if (ow_json_parse(t.jws.payload, t.jws.payload_len, &claim_limits, a, &claims,
                      NULL) != OW_OK ||
        !cJSON_IsObject(claims))
        return OW_JWT_JSON;
    if (!claims_read(claims, &t))
        return OW_JWT_CLAIMS;
    *ret = t;
    return OW_JWT_NONE;
}

/* --- rules --- */

enum ow_jwt_fault ow_jwt_before(const struct ow_jwt *t, const struct ow_jwt_rules *rules)
{
    if (!(rules->algs & OW_JWS_BIT(t->jws.alg)))
        return OW_JWT_NOT_ALLOWED;
    if (t->jws.jku && !ow_streq(t->jws.jku, rules->jku))
        return OW_JWT_JKU;
    return OW_JWT_NONE;
}

/* The same but for one slash at the end? */
static bool same_url(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    n -= n > 0 && a[n - 1] == '/';
    m -= m > 0 && b[m - 1] == '/';
    return n == m && n > 0 && memcmp(a, b, n) == 0;
}

static bool audience_ours(const struct ow_jwt *t, const struct ow_jwt_rules *rules)
{
    for (size_t i = 0; i < t->n_aud; i++)
        for (size_t j = 0; j < rules->n_audiences; j++)
            if (same_url(t->aud[i], rules->audiences[j]))
                return true;
    return false;
}

static bool tenant_allowed(const char *tenant, const char *list)
{
    size_t n = tenant ? strlen(tenant) : 0;

    if (!list || !*list)
        return true;
    while (n && *list) {
        size_t len = strcspn(list, " ");

        if (len == n && memcmp(list, tenant, n) == 0)
            return true;
        list += len;
        list += strspn(list, " ");
    }
    return false;
}

enum ow_jwt_fault ow_jwt_after(const struct ow_jwt *t, const struct ow_jwt_rules *rules,
                               ow_time now)
{
    if (!audience_ours(t, rules))
        return OW_JWT_AUDIENCE;
    if (t->exp <= now - OW_JWT_SKEW)
        return OW_JWT_EXPIRED;
    if (t->iat > now + OW_JWT_SKEW)
        return OW_JWT_ISSUED;
    if (t->nbf != OW_TIME_MIN && t->nbf > now + OW_JWT_SKEW)
        return OW_JWT_NOT_BEFORE;
    if (t->exp <= t->iat || t->exp - t->iat > OW_JWT_LIFETIME_MOST)
        return OW_JWT_LIFETIME;
    if (!tenant_allowed(t->tenant, rules->tenants))
        return OW_JWT_TENANT;
    return OW_JWT_NONE;
}
