/*
 * JWS: strict forms, keys that fit, signatures; and the public vectors of Wycheproof when
 * they are at hand (OW_SHARED, else ../shared beside the source).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/json.h"
#include "fhir/jws.h"
#include "tests/support/jwtkit.h"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

static struct ow_jwks *keys(const char *text)
{
    struct ow_jwks *set = NULL;
    struct ow_err err = { "" };

    if (ow_jwks_parse(text, strlen(text), &set, &err) != OW_OK)
        fail_msg("%s", err.text);
    return set;
}

static struct ow_jwks *keys_of(const char *kind, const char *kid, const char *more)
{
    struct ow_buf b;
    struct ow_jwks *set;

    ow_buf_init(&b, 1 << 16);
    jwtkit_set(&b, jwtkit_key(kind), kid, more);
    set = keys(ow_buf_cstr(&b));
    ow_buf_done(&b);
    return set;
}

static enum ow_jwt_fault check(const struct ow_jwks *set, const char *token)
{
    struct ow_jws jws;
    enum ow_jwt_fault f = ow_jws_read(&arena, token, strlen(token), &jws);

    if (f == OW_JWT_NONE)
        f = set ? ow_jwks_verify(set, &jws) : OW_JWT_NO_KEYS;
    return f;
}

static enum ow_jwt_fault signed_as(const char *kind, const char *digest,
                                   enum jwtkit_form form, const char *header,
                                   const struct ow_jwks *set)
{
    struct ow_buf token;
    enum ow_jwt_fault f;

    jwtkit_sign(&token, jwtkit_key(kind), digest, form, header, "{}");
    f = check(set, ow_buf_cstr(&token));
    ow_buf_done(&token);
    return f;
}

/* --- forms --- */

static void base64url_has_one_spelling(void **state)
{
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } cases[] = {
        {"",        ""   },
        { "Zg",     "f"  },
        { "Zm8",    "fo" },
        { "Zm9v",   "foo"},
        { "Z",      NULL },
        { "Zh",     NULL }, /* the same byte with a stray bit */
        { "Zm9",    NULL },
        { "Zg==",   NULL },
        { "Zm8=",   NULL },
        { "Zm9 v",  NULL },
        { "Zm9v\n", NULL },
        { "+/+/",   NULL },
    };
    uint8_t *got;
    size_t n;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        bool good = ow_base64url(&arena, cases[i].text, strlen(cases[i].text), &got, &n);

        if (good != (cases[i].bytes != NULL))
            fail_msg("'%s'", cases[i].text);
        if (good) {
            assert_int_equal(n, strlen(cases[i].bytes));
            assert_memory_equal(got, cases[i].bytes, n + 1);
        }
    }
}

static void a_token_is_three_parts_and_its_header_says_what_it_must(void **state)
{
    static const struct {
        const char *header;
        enum ow_jwt_fault fault;
    } cases[] = {
        {"{\"alg\":\"ES384\",\"kid\":\"k\"}",                            OW_JWT_NONE     },
        { "{\"alg\":\"ES384\",\"kid\":\"k\",\"typ\":\"jwt\",\"x\":[1]}", OW_JWT_NONE     },
        { "{\"alg\":\"ES384\",\"kid\":\"a+b/c==\"}",                     OW_JWT_NONE     },
        { "{\"alg\":\"none\",\"kid\":\"k\"}",                            OW_JWT_ALGORITHM},
        { "{\"alg\":\"None\",\"kid\":\"k\"}",                            OW_JWT_ALGORITHM},
        { "{\"alg\":\"\",\"kid\":\"k\"}",                                OW_JWT_ALGORITHM},
        { "{\"alg\":null,\"kid\":\"k\"}",                                OW_JWT_ALGORITHM},
        { "{\"alg\":[\"ES384\"],\"kid\":\"k\"}",                         OW_JWT_ALGORITHM},
        { "{\"alg\":\"es384\",\"kid\":\"k\"}",                           OW_JWT_ALGORITHM},
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}",                           OW_JWT_ALGORITHM},
        { "{\"alg\":\"HS384\",\"kid\":\"k\"}",                           OW_JWT_ALGORITHM},
        { "{\"alg\":\"HS512\",\"kid\":\"k\"}",                           OW_JWT_ALGORITHM},
        { "{\"alg\":\"RS512\",\"kid\":\"k\"}",                           OW_JWT_ALGORITHM},
        { "{\"kid\":\"k\"}",                                             OW_JWT_ALGORITHM},
        { "{\"alg\":\"ES384\"}",                                         OW_JWT_KID      },
        { "{\"alg\":\"ES384\",\"kid\":\"\"}",                            OW_JWT_KID      },
        { "{\"alg\":\"ES384\",\"kid\":7}",                               OW_JWT_KID      },
        { "{\"alg\":\"ES384\",\"kid\":\"k\",\"jku\":7}",                 OW_JWT_JKU      },
        { "{\"alg\":\"ES384\",\"kid\":\"k\",\"crit\":[\"b64\"]}",        OW_JWT_CRITICAL },
        { "{\"alg\":\"ES384\",\"kid\":\"k\",\"typ\":\"at+jwt\"}",        OW_JWT_TYPE     },
        { "{\"alg\":\"ES384\",\"kid\":\"k\",\"typ\":1}",                 OW_JWT_TYPE     },
        { "{\"alg\":\"none\",\"alg\":\"ES384\",\"kid\":\"k\"}",          OW_JWT_JSON     },
        { "[\"ES384\"]",                                                 OW_JWT_JSON     },
        { "{\"alg\":\"ES384\",\"kid\":\"k\"} ",                          OW_JWT_NONE     },
        { "{\"alg\":\"ES384\",\"kid\":\"k\"}x",                          OW_JWT_JSON     },
        { "",                                                            OW_JWT_JSON     },
    };
    static const char *const forms[] = { "",
                                         ".",
                                         "..",
                                         "...",
                                         "a.b",
                                         "e30.e30.e30.e30",
                                         "e30=.e30.AA",
                                         "e30.e30.AA ",
                                         "e 0.e30.AA",
                                         "e30.e30=.AA",
                                         "e30.e30.AB" };
    struct ow_jws jws;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf b;
        enum ow_jwt_fault f;

        ow_buf_init(&b, 1 << 16);
        jwtkit_base64url(&b, cases[i].header, strlen(cases[i].header));
        ow_buf_str(&b, ".e30.AAAA");
        f = ow_jws_read(&arena, b.data, b.len, &jws);
        if (f != cases[i].fault)
            fail_msg("%s: %s", cases[i].header, ow_jwt_fault_text(f));
        ow_buf_done(&b);
    }
    for (size_t i = 0; i < OW_LEN(forms); i++) {
        enum ow_jwt_fault f = ow_jws_read(&arena, forms[i], strlen(forms[i]), &jws);

        if (f != OW_JWT_FORM && !(f == OW_JWT_JSON && ow_streq(forms[i], "..")))
            fail_msg("'%s': %s", forms[i], ow_jwt_fault_text(f));
    }
}

static void eight_kibibytes_are_the_longest_token(void **state)
{
    static const char head[] = "eyJhbGciOiJFUzM4NCIsImtpZCI6ImsifQ."; /* ES384, k */
    char token[OW_JWS_BYTES + 2];
    struct ow_jws jws;
    size_t n = sizeof head - 1;

    (void)state;
    memcpy(token, head, n);
    memset(token + n, 'A', sizeof token - n);
    token[n + 4] = '.';
    assert_int_not_equal(ow_jws_read(&arena, token, OW_JWS_BYTES, &jws), OW_JWT_SIZE);
    assert_int_equal(ow_jws_read(&arena, token, OW_JWS_BYTES + 1, &jws), OW_JWT_SIZE);
}

/* --- signatures --- */

static void each_algorithm_verifies_and_no_other_key_does(void **state)
{
    static const struct {
        const char *alg, *kind, *digest;
        enum jwtkit_form form;
    } cases[] = {
        {"ES384",  "P-384", "SHA384", JWTKIT_RAW},
        { "RS384", "2048",  "SHA384", JWTKIT_RAW},
        { "ES256", "P-256", "SHA256", JWTKIT_RAW},
        { "RS256", "2048",  "SHA256", JWTKIT_RAW},
        { "PS384", "2048",  "SHA384", JWTKIT_PSS},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_jwks *set = keys_of(cases[i].kind, "k+/=", "");
        char header[128];

        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"k+/=\"}",
                 cases[i].alg);
        assert_int_equal(
            signed_as(cases[i].kind, cases[i].digest, cases[i].form, header, set),
            OW_JWT_NONE);
        ow_jwks_free(set);
        for (size_t j = 0; j < OW_LEN(cases); j++) { /* the wrong kind, under that kid */
            if (ow_streq(cases[i].kind, cases[j].kind))
                continue;
            set = keys_of(cases[j].kind, "k+/=", "");
            assert_int_equal(
                signed_as(cases[i].kind, cases[i].digest, cases[i].form, header, set),
                OW_JWT_UNFIT_KEY);
            ow_jwks_free(set);
        }
    }
}

static void the_signature_of_another_key_scheme_or_form_is_refused(void **state)
{
    struct ow_jwks *ec = keys_of("P-384", "k", ""), *rsa = keys_of("2048", "k", "");

    (void)state;
    assert_int_equal(
        signed_as("P-384", "SHA384", JWTKIT_DER, "{\"alg\":\"ES384\",\"kid\":\"k\"}", ec),
        OW_JWT_SIGNATURE);
    assert_int_equal(signed_as("P-384 b", "SHA384", JWTKIT_RAW,
                               "{\"alg\":\"ES384\",\"kid\":\"k\"}", ec),
                     OW_JWT_SIGNATURE);
    assert_int_equal(
        signed_as("P-384", "SHA256", JWTKIT_RAW, "{\"alg\":\"ES384\",\"kid\":\"k\"}", ec),
        OW_JWT_SIGNATURE);
    assert_int_equal(
        signed_as("2048", "SHA384", JWTKIT_PSS, "{\"alg\":\"RS384\",\"kid\":\"k\"}", rsa),
        OW_JWT_SIGNATURE);
    assert_int_equal(
        signed_as("2048", "SHA256", JWTKIT_RAW, "{\"alg\":\"RS384\",\"kid\":\"k\"}", rsa),
        OW_JWT_SIGNATURE);
    ow_jwks_free(ec);
    ow_jwks_free(rsa);
}

/* Each bit of the signature and each letter of the rest counts. */
static void a_token_changed_anywhere_is_refused(void **state)
{
    struct ow_jwks *set = keys_of("P-384", "k", "");
    struct ow_buf token;

    (void)state;
    jwtkit_sign(&token, jwtkit_key("P-384"), "SHA384", JWTKIT_RAW,
                "{\"alg\":\"ES384\",\"kid\":\"k\"}", "{\"iss\":\"a\"}");
    assert_int_equal(check(set, token.data), OW_JWT_NONE);
    for (size_t i = 0; i < token.len; i++) {
        char was = token.data[i];

        token.data[i] = was == 'A' ? 'B' : 'A';
        if (check(set, token.data) == OW_JWT_NONE)
            fail_msg("letter %zu may be changed", i);
        token.data[i] = was;
    }
    memcpy(strrchr(token.data, '.') + 1, "", 1); /* none at all */
    assert_int_equal(check(set, token.data), OW_JWT_SIGNATURE);
    ow_jwks_free(set);
    ow_buf_done(&token);
}

/* --- keys --- */

static void use_ops_and_alg_of_a_key_are_kept(void **state)
{
    static const struct {
        const char *more;
        enum ow_jwt_fault fault;
    } cases[] = {
        {"",                                       OW_JWT_NONE     },
        { ",\"use\":\"sig\"",                      OW_JWT_NONE     },
        { ",\"alg\":\"ES384\"",                    OW_JWT_NONE     },
        { ",\"key_ops\":[\"verify\"]",             OW_JWT_NONE     },
        { ",\"key_ops\":[\"encrypt\",\"verify\"]", OW_JWT_NONE     },
        { ",\"use\":\"enc\"",                      OW_JWT_UNFIT_KEY},
        { ",\"use\":7",                            OW_JWT_UNFIT_KEY},
        { ",\"alg\":\"ES256\"",                    OW_JWT_UNFIT_KEY},
        { ",\"alg\":\"HS256\"",                    OW_JWT_UNFIT_KEY},
        { ",\"alg\":null",                         OW_JWT_UNFIT_KEY},
        { ",\"key_ops\":[\"encrypt\"]",            OW_JWT_UNFIT_KEY},
        { ",\"key_ops\":[]",                       OW_JWT_UNFIT_KEY},
        { ",\"key_ops\":\"verify\"",               OW_JWT_UNFIT_KEY},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_jwks *set;
        struct ow_buf b;
        enum ow_jwt_fault f;

        ow_buf_init(&b, 1 << 16);
        ow_buf_str(&b, "{\"keys\":[{");
        jwtkit_jwk(&b, jwtkit_key("P-384"));
        ow_buf_printf(&b, ",\"kid\":\"k\"%s},{", cases[i].more);
        jwtkit_jwk(&b, jwtkit_key("2048"));
        ow_buf_str(&b, ",\"kid\":\"another\"}]}");
        set = keys(ow_buf_cstr(&b));
        f = signed_as("P-384", "SHA384", JWTKIT_RAW, "{\"alg\":\"ES384\",\"kid\":\"k\"}",
                      set);
        if (f != cases[i].fault)
            fail_msg("%s: %s", cases[i].more, ow_jwt_fault_text(f));
        ow_jwks_free(set);
        ow_buf_done(&b);
    }
}

static void exactly_one_key_has_the_kid(void **state)
{
    struct ow_jwks *set = keys_of("P-384", "k", "");
    struct ow_buf b;

    (void)state;
    assert_int_equal(signed_as("P-384", "SHA384", JWTKIT_RAW,
                               "{\"alg\":\"ES384\",\"kid\":\"K\"}", set),
                     OW_JWT_UNKNOWN_KEY);
    ow_jwks_free(set);
    ow_buf_init(&b, 1 << 16);
    ow_buf_str(&b, "{\"keys\":[{");
    jwtkit_jwk(&b, jwtkit_key("P-384"));
    ow_buf_str(&b, ",\"kid\":\"k\"},{");
    jwtkit_jwk(&b, jwtkit_key("2048"));
    ow_buf_str(&b, ",\"kid\":\"k\"}]}");
    set = keys(ow_buf_cstr(&b));
    assert_int_equal(ow_jwks_count(set), 2);
    assert_int_equal(signed_as("P-384", "SHA384", JWTKIT_RAW,
                               "{\"alg\":\"ES384\",\"kid\":\"k\"}", set),
                     OW_JWT_AMBIGUOUS_KEY);
    ow_jwks_free(set);
    ow_buf_done(&b);
}

static void set_refused(const char *text, const char *because)
{
    struct ow_jwks *set = NULL;
    struct ow_err err = { "" };

    if (ow_jwks_parse(text, strlen(text), &set, &err) == OW_OK)
        fail_msg("taken: %s", text);
    if (!strstr(err.text, because))
        fail_msg("%s: %s", text, err.text);
}

static void a_set_that_cannot_verify_is_refused_with_a_reason(void **state)
{
    struct ow_buf b;

    (void)state;
    set_refused("", "");
    set_refused("[]", "expected a JWK set");
    set_refused("{}", "expected a JWK set");
    set_refused("{\"keys\":{}}", "expected a JWK set");
    set_refused("{\"keys\":[]}", "no key that could be used");
    set_refused("{\"keys\":[7]}", "no object");
    set_refused("{\"keys\":[],\"keys\":[]}", "");
    set_refused("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"k\"}]}", "secret");
    set_refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"kid\":\"k\"}]}",
                "no key that could be used");
    ow_buf_init(&b, 1 << 16);
    jwtkit_set(&b, jwtkit_key("1024"), "k", "");
    set_refused(ow_buf_cstr(&b), "2048");
    ow_buf_reset(&b);
    jwtkit_set(&b, jwtkit_key("P-384"), "k", ",\"d\":\"AAAA\"");
    set_refused(ow_buf_cstr(&b), "private");
    ow_buf_reset(&b);
    ow_buf_str(&b, "{\"keys\":[{"); /* a key nobody can name */
    jwtkit_jwk(&b, jwtkit_key("P-384"));
    ow_buf_str(&b, "}]}");
    set_refused(ow_buf_cstr(&b), "kid");
    ow_buf_reset(&b);
    jwtkit_set(&b, jwtkit_key("P-384"), "k", "");
    memcpy(strstr(b.data, "\"x\":\"") + 5, "AAAA", 4); /* off the curve */
    set_refused(ow_buf_cstr(&b), "no key that could be used");
    ow_buf_done(&b);
}

/* --- Wycheproof --- */

struct tally {
    unsigned accepted, refused, not_ours, n;
};

/* Vectors that are valid in general and refused here, because of what is asked of keys:
 * one key for PS256 verifies a token of PS384. */
static bool stricter(const cJSON *key, const char *alg)
{
    const char *said = ow_json_string(key, "alg");

    return said && !ow_streq(said, alg);
}

static const char *alg_of(const char *token)
{
    const char *dot = strchr(token, '.');
    const cJSON *header;
    uint8_t *text;
    size_t n;

    if (!dot || !ow_base64url(&arena, token, (size_t)(dot - token), &text, &n) ||
        ow_json_parse((const char *)text, n, NULL, &arena, &header, NULL) != OW_OK)
        return NULL;
    return ow_json_string(header, "alg");
}

static void vector(const cJSON *key, const struct ow_jwks *set, const cJSON *test,
                   struct tally *t)
{
    const char *token = ow_json_string(test, "jws");
    const char *alg = token ? alg_of(token) : NULL;
    bool valid = ow_streq(ow_json_string(test, "result"), "valid");
    enum ow_jwt_fault f = token ? check(set, token) : OW_JWT_FORM;
    enum ow_jws_alg ours;
    int64_t id = 0;

    (void)!ow_json_int(test, "tcId", &id);
    t->n++;
    if (valid && (!ow_jws_alg_find(alg, &ours) || stricter(key, alg))) {
        t->not_ours++;
        valid = false;
    }
    if ((f == OW_JWT_NONE) != valid)
        fail_msg("%d %s (%s): %s", (int)id, ow_json_string(test, "comment"),
                 ow_json_string(test, "result"), ow_jwt_fault_text(f));
    t->accepted += valid;
    t->refused += !valid;
}

static void vector_group(const cJSON *group, struct tally *t)
{
    const cJSON *key = ow_json_object(group, "public"), *test;
    struct ow_jwks *set = NULL;

    if (key) {
        char *one = cJSON_PrintUnformatted(key);
        struct ow_buf b;

        ow_buf_init(&b, 1 << 16);
        ow_buf_printf(&b, "{\"keys\":[%s]}", one);
        (void)!ow_jwks_parse(b.data, b.len, &set, NULL); /* none: no key of ours in it */
        ow_buf_done(&b);
        cJSON_free(one);
    } else {
        key = ow_json_object(group, "private");
    }
    cJSON_ArrayForEach(test, ow_json_array(group, "tests")) vector(key, set, test, t);
    ow_jwks_free(set);
}

static char *vectors_read(size_t *n)
{
    const char *shared = getenv("OW_SHARED"), *source = getenv("OW_SOURCE_DIR");
    char path[900], *text = NULL;
    FILE *f;

    snprintf(path, sizeof path, "%s%s/vectors/wycheproof_json_web_signature_test.json",
             shared   ? shared
             : source ? source
                      : ".",
             shared ? "" : "/../shared");
    f = fopen(path, "rb");
    if (!f) {
        print_message("not here: %s; set OW_SHARED\n", path);
        return NULL;
    }
    text = malloc(4 << 20);
    *n = fread(text, 1, 4 << 20, f);
    fclose(f);
    return text;
}

static void the_public_vectors_come_out_as_they_should(void **state)
{
    struct tally t = { 0 };
    const cJSON *root, *group;
    struct ow_err err;
    size_t n = 0;
    char *text = vectors_read(&n);

    (void)state;
    if (!text)
        skip();
    assert_int_equal(ow_json_parse(text, n, NULL, &arena, &root, &err), OW_OK);
    cJSON_ArrayForEach(group, ow_json_array(root, "testGroups")) vector_group(group, &t);
    free(text);
    print_message("Wycheproof JWS: %u of %u as expected; %u accepted, %u refused, %u of "
                  "those valid and not ours (HMAC, *512, PS256, a key for another alg)\n",
                  t.n, t.n, t.accepted, t.refused, t.not_ours);
    assert_true(t.n >= 401 && t.accepted >= 14);
}

static int done(void **state)
{
    (void)state;
    jwtkit_done();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(base64url_has_one_spelling),
        TEST(a_token_is_three_parts_and_its_header_says_what_it_must),
        TEST(eight_kibibytes_are_the_longest_token),
        TEST(each_algorithm_verifies_and_no_other_key_does),
        TEST(the_signature_of_another_key_scheme_or_form_is_refused),
        TEST(a_token_changed_anywhere_is_refused),
        TEST(use_ops_and_alg_of_a_key_are_kept),
        TEST(exactly_one_key_has_the_kid),
        TEST(a_set_that_cannot_verify_is_refused_with_a_reason),
        TEST(the_public_vectors_come_out_as_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
