/*
 * JWT: each way to be wrong, in the order in which it is looked at
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/jwt.h"
#include "tests/support/jwtkit.h"

#define NOW   ((ow_time)1772438400 * OW_SECOND) /* 2026-03-02T08:00:00Z */
#define HEAD  "{\"alg\":\"ES384\",\"kid\":\"k\",\"typ\":\"JWT\"}"
#define URL   "https://mme.example.org/cds-services/opiward-order-sign"
#define FIRST "{\"iss\":\"https://ehr.example.org/fhir\",\"aud\":\"" URL "\","
#define TIMES "\"iat\":1772438400,\"exp\":1772438700,"
#define LAST  "\"jti\":\"j1\"}"

static const char *const audiences[] = { URL "/feedback", URL };
static const struct ow_jwt_rules rules = { .algs = OW_JWS_DEFAULT,
                                           .jku = "https://ehr.example.org/jwks",
                                           .audiences = audiences,
                                           .n_audiences = 2 };
static struct ow_jwks *set;

static int setup(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 1 << 16);
    jwtkit_set(&b, jwtkit_key("P-384"), "k", "");
    assert_int_equal(ow_jwks_parse(b.data, b.len, &set, NULL), OW_OK);
    ow_buf_done(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_jwks_free(set);
    jwtkit_done();
    return 0;
}

/* The whole of it, as the daemon does it. */
static enum ow_jwt_fault check_with(const char *token, const struct ow_jwt_rules *r,
                                    ow_time now)
{
    struct ow_arena arena;
    struct ow_jwt t;
    enum ow_jwt_fault f;

    ow_arena_init(&arena, 1 << 20);
    f = ow_jwt_read(&arena, token, strlen(token), &t);
    if (f == OW_JWT_NONE)
        f = ow_jwt_before(&t, r);
    if (f == OW_JWT_NONE)
        f = ow_jwks_verify(set, &t.jws);
    if (f == OW_JWT_NONE)
        f = ow_jwt_after(&t, r, now);
    ow_arena_done(&arena);
    return f;
}

static enum ow_jwt_fault said_with(const char *header, const char *claims,
                                   const struct ow_jwt_rules *r, ow_time now)
{
    struct ow_buf token;
    enum ow_jwt_fault f;

    jwtkit_sign(&token, jwtkit_key("P-384"), "SHA384", JWTKIT_RAW, header, claims);
    f = check_with(ow_buf_cstr(&token), r, now);
    ow_buf_done(&token);
    return f;
}

static void expect(const char *header, const char *claims, enum ow_jwt_fault wanted)
{
    enum ow_jwt_fault f = said_with(header, claims, &rules, NOW);

    if (f != wanted)
        fail_msg("%s %s: %s", header, claims, ow_jwt_fault_text(f));
}

static void claims_are_of_the_right_type(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{\"aud\":\"" URL "\"," TIMES LAST,
        "{\"iss\":7,\"aud\":\"" URL "\"," TIMES LAST,
        "{\"iss\":\"\",\"aud\":\"" URL "\"," TIMES LAST,
        "{\"iss\":\"a\"," TIMES LAST,
        "{\"iss\":\"a\",\"aud\":[]," TIMES LAST,
        "{\"iss\":\"a\",\"aud\":[\"" URL "\",7]," TIMES LAST,
        "{\"iss\":\"a\",\"aud\":{\"" URL "\":1}," TIMES LAST,
        FIRST "\"iat\":1772438400," LAST,
        FIRST "\"exp\":1772438700," LAST,
        FIRST "\"iat\":\"1772438400\",\"exp\":1772438700," LAST,
        FIRST "\"iat\":1772438400,\"exp\":\"1772438700\"," LAST,
        FIRST "\"iat\":-1,\"exp\":1772438700," LAST,
        FIRST "\"iat\":1772438400,\"exp\":9e28," LAST,
        FIRST "\"iat\":1772438400,\"exp\":17724387000000000," LAST,
        FIRST TIMES "\"nbf\":\"x\"," LAST,
        FIRST TIMES "\"nbf\":null," LAST,
        FIRST TIMES "\"tenant\":7," LAST,
        FIRST TIMES "\"jti\":\"\"}",
        FIRST TIMES "\"jti\":7}",
        FIRST "\"iat\":1772438400,\"exp\":1772438700}",
    };

    (void)state;
    expect(HEAD, FIRST TIMES LAST, OW_JWT_NONE);
    for (size_t i = 0; i < OW_LEN(wrong); i++)
        expect(HEAD, wrong[i], OW_JWT_CLAIMS);
}

static void a_member_given_twice_or_a_payload_that_is_no_object_is_refused(void **state)
{
    (void)state;
    expect(HEAD, FIRST TIMES "\"iss\":\"b\"," LAST, OW_JWT_JSON);
    expect(HEAD, FIRST TIMES "\"jti\":\"j0\"," LAST, OW_JWT_JSON);
    expect(HEAD, "[]", OW_JWT_JSON);
    expect(HEAD, "\"a\"", OW_JWT_JSON);
    expect(HEAD, "", OW_JWT_JSON);
    expect(HEAD, FIRST TIMES LAST "x", OW_JWT_JSON);
}

static void algorithm_and_address_of_keys_are_those_of_the_client(void **state)
{
    struct ow_jwt_rules own = rules;

    (void)state;
    own.algs = OW_JWS_BIT(OW_JWS_RS384);
    assert_int_equal(said_with(HEAD, FIRST TIMES LAST, &own, NOW), OW_JWT_NOT_ALLOWED);
    expect("{\"alg\":\"ES384\",\"kid\":\"k\",\"jku\":\"https://ehr.example.org/jwks\"}",
           FIRST TIMES LAST, OW_JWT_NONE);
    expect("{\"alg\":\"ES384\",\"kid\":\"k\",\"jku\":\"https://evil.example.org/jwks\"}",
           FIRST TIMES LAST, OW_JWT_JKU);
    expect("{\"alg\":\"ES384\",\"kid\":\"k\",\"jku\":\"https://ehr.example.org/jwks/\"}",
           FIRST TIMES LAST, OW_JWT_JKU);
    own = rules;
    own.jku = NULL; /* none is configured: a token may name none */
    assert_int_equal(said_with("{\"alg\":\"ES384\",\"kid\":\"k\",\"jku\":\"\"}",
                               FIRST TIMES LAST, &own, NOW),
                     OW_JWT_JKU);
}

/* The algorithm is looked at before anything that a forger could gain from. */
static void the_public_key_is_no_secret_to_sign_with(void **state)
{
    struct ow_buf b, token;

    (void)state;
    ow_buf_init(&b, 1 << 16);
    jwtkit_set(&b, jwtkit_key("P-384"), "k", "");
    jwtkit_hmac(&token, ow_buf_cstr(&b), "{\"alg\":\"HS256\",\"kid\":\"k\"}",
                FIRST TIMES LAST);
    assert_int_equal(check_with(ow_buf_cstr(&token), &rules, NOW), OW_JWT_ALGORITHM);
    ow_buf_done(&token);
    jwtkit_hmac(&token, ow_buf_cstr(&b), HEAD, FIRST TIMES LAST);
    assert_int_equal(check_with(ow_buf_cstr(&token), &rules, NOW), OW_JWT_SIGNATURE);
    ow_buf_done(&token);
    ow_buf_done(&b);
}

static void the_audience_is_one_url_or_a_list_and_a_slash_more_or_less(void **state)
{
    static const struct {
        const char *aud;
        enum ow_jwt_fault fault;
    } cases[] = {
        {"\"" URL "\"",                                                    OW_JWT_NONE    },
        { "\"" URL "/\"",                                                  OW_JWT_NONE    },
        { "\"" URL "/feedback\"",                                          OW_JWT_NONE    },
        { "[\"https://another.example.org\",\"" URL "\"]",                 OW_JWT_NONE    },
        { "[\"" URL "/\"]",                                                OW_JWT_NONE    },
        { "\"" URL "//\"",                                                 OW_JWT_AUDIENCE},
        { "\"https://mme.example.org\"",                                   OW_JWT_AUDIENCE},
        { "\"https://mme.example.org/cds-services\"",                      OW_JWT_AUDIENCE},
        { "\"http://mme.example.org/cds-services/opiward-order-sign\"",    OW_JWT_AUDIENCE},
        { "\"https://mme.example.org/cds-services/opiward-patient-view\"",
         OW_JWT_AUDIENCE                                                                  },
        { "\"" URL "?x\"",                                                 OW_JWT_AUDIENCE},
        { "\"\"",                                                          OW_JWT_AUDIENCE},
        { "\"/\"",                                                         OW_JWT_AUDIENCE},
    };
    char claims[600];

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        snprintf(claims, sizeof claims, "{\"iss\":\"a\",\"aud\":%s," TIMES LAST,
                 cases[i].aud);
        expect(HEAD, claims, cases[i].fault);
    }
}

static void times_are_kept_to_the_minute_of_skew(void **state)
{
    static const struct {
        const char *times;
        int64_t at; /* seconds after 1772438400 */
        enum ow_jwt_fault fault;
    } cases[] = {
        {"\"iat\":1772438400,\"exp\":1772438700,",                     300, OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772438700,",                    359, OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772438700,",                    360, OW_JWT_EXPIRED },
        { "\"iat\":1772438400,\"exp\":1772438700.5,",                  360, OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772438700,",                    -60, OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772438700,",                    -61, OW_JWT_ISSUED  },
        { "\"iat\":1772438400,\"nbf\":1772438460,\"exp\":1772438700,", 0,   OW_JWT_NONE    },
        { "\"iat\":1772438400,\"nbf\":1772438461,\"exp\":1772438700,", 0,
         OW_JWT_NOT_BEFORE                                                                 },
        { "\"iat\":1772438400,\"nbf\":1772438100,\"exp\":1772439300,", 0,   OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772442000,",                    0,   OW_JWT_NONE    },
        { "\"iat\":1772438400,\"exp\":1772442001,",                    0,   OW_JWT_LIFETIME},
        { "\"iat\":1772438400,\"exp\":1772438400,",                    0,   OW_JWT_LIFETIME},
        { "\"iat\":0,\"exp\":281474976710,",                           0,   OW_JWT_LIFETIME},
    };
    char claims[600];

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        enum ow_jwt_fault f;

        snprintf(claims, sizeof claims, FIRST "%s" LAST, cases[i].times);
        f = said_with(HEAD, claims, &rules, NOW + cases[i].at * OW_SECOND);
        if (f != cases[i].fault)
            fail_msg("%s at %d: %s", cases[i].times, (int)cases[i].at,
                     ow_jwt_fault_text(f));
    }
}

static void a_tenant_is_one_of_the_list_when_there_is_a_list(void **state)
{
    struct ow_jwt_rules own = rules;

    (void)state;
    expect(HEAD, FIRST TIMES "\"tenant\":\"any\"," LAST, OW_JWT_NONE);
    own.tenants = "north south";
    assert_int_equal(said_with(HEAD, FIRST TIMES "\"tenant\":\"south\"," LAST, &own, NOW),
                     OW_JWT_NONE);
    assert_int_equal(said_with(HEAD, FIRST TIMES "\"tenant\":\"sou\"," LAST, &own, NOW),
                     OW_JWT_TENANT);
    assert_int_equal(said_with(HEAD, FIRST TIMES "\"tenant\":\"\"," LAST, &own, NOW),
                     OW_JWT_TENANT);
    assert_int_equal(said_with(HEAD, FIRST TIMES LAST, &own, NOW), OW_JWT_TENANT);
}

/* Each fault beside all that would come after it: the first is the one that is told. */
static void the_first_fault_is_the_one_that_is_told(void **state)
{
    struct ow_jwt_rules own = { .algs = OW_JWS_BIT(OW_JWS_RS384), .tenants = "north" };

    (void)state;
#define BAD "{\"iss\":\"a\",\"aud\":\"b\",\"iat\":1,\"exp\":2,\"jti\":\"j\"}"
    assert_int_equal(said_with("{\"alg\":\"none\"}", "{}", &own, NOW), OW_JWT_ALGORITHM);
    assert_int_equal(said_with("{\"alg\":\"ES384\"}", "{}", &own, NOW), OW_JWT_KID);
    assert_int_equal(
        said_with("{\"alg\":\"ES384\",\"kid\":\"x\",\"jku\":\"e\"}", "{}", &own, NOW),
        OW_JWT_CLAIMS);
    assert_int_equal(
        said_with("{\"alg\":\"ES384\",\"kid\":\"x\",\"jku\":\"e\"}", BAD, &own, NOW),
        OW_JWT_NOT_ALLOWED);
    own.algs = OW_JWS_DEFAULT;
    assert_int_equal(
        said_with("{\"alg\":\"ES384\",\"kid\":\"x\",\"jku\":\"e\"}", BAD, &own, NOW),
        OW_JWT_JKU);
    assert_int_equal(said_with("{\"alg\":\"ES384\",\"kid\":\"x\"}", BAD, &own, NOW),
                     OW_JWT_UNKNOWN_KEY);
    assert_int_equal(said_with("{\"alg\":\"RS384\",\"kid\":\"k\"}", BAD, &own, NOW),
                     OW_JWT_UNFIT_KEY);
    assert_int_equal(said_with(HEAD, BAD, &own, NOW), OW_JWT_AUDIENCE);
    assert_int_equal(said_with(HEAD, FIRST "\"iat\":1,\"exp\":7200," LAST, &rules, NOW),
                     OW_JWT_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_of_the_right_type),
        cmocka_unit_test(a_member_given_twice_or_a_payload_that_is_no_object_is_refused),
        cmocka_unit_test(algorithm_and_address_of_keys_are_those_of_the_client),
        cmocka_unit_test(the_public_key_is_no_secret_to_sign_with),
        cmocka_unit_test(the_audience_is_one_url_or_a_list_and_a_slash_more_or_less),
        cmocka_unit_test(times_are_kept_to_the_minute_of_skew),
        cmocka_unit_test(a_tenant_is_one_of_the_list_when_there_is_a_list),
        cmocka_unit_test(the_first_fault_is_the_one_that_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
