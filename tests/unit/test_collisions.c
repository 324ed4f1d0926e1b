/*
 * Collisions: two keys of one hash are two keys
 *
 * The indexes of the knowledge compare 32 bits of a hash before they compare strings.
 * Here keys are sought that agree in those bits and begin their walk at one slot; each
 * answers for itself, and one that is not in the table is not found by way of the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/kb.h"
#include "base/text.h"

#define FACTORS                                                                          \
    "ingredient\tingredient_rxcui\tform_or_route\tform_classes\tunit_basis\t"            \
    "dose_low_mg_day\tdose_high_mg_day\tfactor_2016\tfactor_2022\tverified_2016\t"       \
    "verified_2022\tsource_2016\tsource_2022\n"
#define PRODUCTS                                                                         \
    "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"         \
    "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"               \
    "co_ingredients\tsource\n"
#define SEDATIVES "rxcui\tname\tclass\ttier\tingredients\tsource\n"
#define SETS      "valueset\tsystem\tcode\n"
#define LOCAL     "system\tcode\trxcui\tsource\n"
#define TIMING    "system\tcode\tdisplay\thours_shorter\thours_longer\tsource\tlicence\n"

/* An index begins with 16 slots; that of the set names, which the shipped ones fill, has
 * 256. */
enum { SLOTS = 16, SLOTS_OF_SETS = 256 };

struct key {
    uint64_t hash;
    unsigned n;
};

struct pair {
    char a[16], b[16];
};

/* The hash of the key `n` among other parts of a whole key: "set/system/#" has two in
 * front of it. All but the last are hashed with their ends. */
static uint64_t key_hash(const char *form, unsigned n, char text[16])
{
    uint64_t h = KB_HASH;
    char part[32];

    (void)snprintf(text, 16, "%llu",
                   1000000000ULL + n * 6364136223846793005ULL % 9000000000ULL);
    for (size_t len; *form != '\0'; form += len + (form[len] != '\0')) {
        len = strcspn(form, "/");
        if (*form == '#')
            (void)ow_copy(part, sizeof part, text);
        else
            (void)snprintf(part, sizeof part, "%.*s", (int)len, form);
        h = kb_hash(h, part, strlen(part) + (form[len] != '\0'));
    }
    return h;
}

static int by_hash(const void *x, const void *y)
{
    uint64_t a = ((const struct key *)x)->hash, b = ((const struct key *)y)->hash;

    return (a > b) - (a < b);
}

static struct pair pair_find(const char *form, unsigned slots)
{
    const unsigned n_keys = slots > SLOTS ? 1U << 21 : 1U << 20; /* a few pairs */
    struct key *keys = ow_alloc(n_keys * sizeof *keys);
    struct pair ret = { "", "" };

    for (unsigned n = 0; n < n_keys; n++) {
        uint64_t h = key_hash(form, n, ret.a);

        keys[n] = (struct key){ h >> 32 << 32 | (h & (slots - 1)), n };
    }
    qsort(keys, n_keys, sizeof *keys, by_hash);
    for (size_t i = 1; i < n_keys; i++)
        if (keys[i].hash == keys[i - 1].hash) {
            (void)key_hash(form, keys[i].n, ret.a);
            (void)key_hash(form, keys[i - 1].n, ret.b);
            free(keys);
            return ret;
        }
    fail_msg("no two keys of one hash");
    return ret;
}

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, strlen(text) };
}

static void on_report(void *arg, const char *name, unsigned line, unsigned column,
                      const char *text)
{
    (void)arg;
    print_error("%s:%u:%u: %s\n", name, line, column, text);
}

/* Knowledge of which one table has rows. */
static struct ow_knowledge *load(const char *products, const char *sedatives,
                                 const char *sets, const char *local, const char *timing)
{
    const struct ow_knowledge_files files = {
        .factors = file("factors", FACTORS),
        .products = file("products", products != NULL ? products : PRODUCTS),
        .sedatives = file("sedatives", sedatives != NULL ? sedatives : SEDATIVES),
        .valuesets = file("sets", sets != NULL ? sets : SETS),
        .local_codes = file("local", local != NULL ? local : LOCAL),
        .timing_codes = file("timing", timing != NULL ? timing : TIMING),
    };
    struct ow_knowledge *kb = NULL;
    struct ow_err err;

    if (ow_knowledge_load(&files, on_report, NULL, &kb, &err) != OW_OK)
        fail_msg("%s", err.text);
    return kb;
}

static void products_and_sedatives_of_one_hash_are_two(void **state)
{
    struct pair p = pair_find("#", SLOTS);
    struct ow_knowledge *kb;
    char products[1024], sedatives[1024];

    (void)state;
    (void)snprintf(products, sizeof products,
                   PRODUCTS "%s\tSCD\tone\t\tMorphine\t1\tMG\tOral Tablet\toral_solid\t0"
                            "\t\t\t\tx\n",
                   p.a);
    (void)snprintf(sedatives, sizeof sedatives,
                   SEDATIVES "%s\tone\tbenzodiazepine\t1\tone\tx\n"
                             "%s\ttwo\tbenzodiazepine\t1\ttwo\tx\n",
                   p.a, p.b);
    kb = load(products, sedatives, NULL, NULL, NULL);
    assert_string_equal(ow_knowledge_product(kb, p.a)->name, "one");
    assert_null(ow_knowledge_product(kb, p.b));
    assert_string_equal(ow_knowledge_sedative(kb, p.a)->name, "one");
    assert_string_equal(ow_knowledge_sedative(kb, p.b)->name, "two");
    ow_knowledge_free(kb);
}

static void local_codes_of_one_hash_are_two(void **state)
{
    struct pair code = pair_find("urn:a/#", SLOTS);
    struct pair system = pair_find("#/X", SLOTS);
    struct ow_knowledge *kb;
    char local[1024];

    (void)state;
    (void)snprintf(local, sizeof local, LOCAL "urn:a\t%s\t11\tx\n%s\tX\t13\tx\n", code.a,
                   system.a);
    kb = load(NULL, NULL, NULL, local, NULL);
    assert_string_equal(ow_knowledge_local(kb, "urn:a", code.a)->rxcui, "11");
    assert_null(ow_knowledge_local(kb, "urn:a", code.b));
    assert_string_equal(ow_knowledge_local(kb, system.a, "X")->rxcui, "13");
    assert_null(ow_knowledge_local(kb, system.b, "X"));
    ow_knowledge_free(kb);
}

static void frequencies_of_one_hash_are_two(void **state)
{
    struct pair code = pair_find("urn:a/#", SLOTS);
    struct pair system = pair_find("#/X", SLOTS);
    struct ow_knowledge *kb;
    char timing[1024];

    (void)state;
    (void)snprintf(timing, sizeof timing,
                   TIMING "urn:a\t%s\tx\t6\t6\tx\tx\n%s\tX\tx\t8\t8\tx\tx\n", code.a,
                   system.a);
    kb = load(NULL, NULL, NULL, NULL, timing);
    assert_int_equal(ow_knowledge_timing(kb, "urn:a", code.a)->shorter.num, 6);
    assert_null(ow_knowledge_timing(kb, "urn:a", code.b));
    assert_int_equal(ow_knowledge_timing(kb, system.a, "X")->shorter.num, 8);
    assert_null(ow_knowledge_timing(kb, system.b, "X"));
    ow_knowledge_free(kb);
}

static void members_of_one_hash_are_two(void **state)
{
    struct pair set = pair_find("#", SLOTS_OF_SETS);
    struct pair of_set = pair_find("#/u/X", SLOTS);
    struct pair system = pair_find("s/#/X", SLOTS), code = pair_find("s/urn:a/#", SLOTS);
    struct ow_knowledge *kb;
    char sets[1024];

    (void)state;
    (void)snprintf(sets, sizeof sets,
                   SETS "%s\tu\tX\n%s\tu\tY\ns\t%s\tX\ns\turn:a\t%s\n%s\tu\tX\n"
                        "%s\tu\tY\n",
                   set.a, set.b, system.a, code.a, of_set.a, of_set.b);
    kb = load(NULL, NULL, sets, NULL, NULL);
    assert_true(ow_knowledge_in_set(kb, set.a, "u", "X"));
    assert_false(ow_knowledge_in_set(kb, set.b, "u", "X"));
    assert_true(ow_knowledge_in_set(kb, set.b, "u", "Y"));
    assert_true(ow_knowledge_in_set(kb, of_set.a, "u", "X"));
    assert_false(ow_knowledge_in_set(kb, of_set.b, "u", "X"));
    assert_true(ow_knowledge_in_set(kb, "s", system.a, "X"));
    assert_false(ow_knowledge_in_set(kb, "s", system.b, "X"));
    assert_true(ow_knowledge_in_set(kb, "s", "urn:a", code.a));
    assert_false(ow_knowledge_in_set(kb, "s", "urn:a", code.b));
    ow_knowledge_free(kb);
}

static bool in_any(const struct ow_knowledge *kb, const char *system, const char *code)
{
    const struct ow_sets none = { { 0 } };
    struct ow_sets got = ow_knowledge_sets(kb, system, code);

    return memcmp(&got, &none, sizeof got) != 0;
}

static void codes_of_one_hash_are_in_sets_of_their_own(void **state)
{
    struct pair system = pair_find("#/X", SLOTS), code = pair_find("urn:a/#", SLOTS);
    struct ow_knowledge *kb;
    char sets[1024];

    (void)state;
    (void)snprintf(sets, sizeof sets,
                   SETS "opioid-misuse-disorders\t%s\tX\n"
                        "opioid-misuse-disorders\turn:a\t%s\n",
                   system.a, code.a);
    kb = load(NULL, NULL, sets, NULL, NULL);
    assert_true(in_any(kb, system.a, "X"));
    assert_false(in_any(kb, system.b, "X"));
    assert_true(in_any(kb, "urn:a", code.a));
    assert_false(in_any(kb, "urn:a", code.b));
    assert_false(in_any(kb, NULL, "X"));
    ow_knowledge_free(kb);
    kb = load(NULL, NULL, NULL, NULL, NULL); /* no sets at all */
    assert_false(in_any(kb, "urn:a", "X"));
    ow_knowledge_free(kb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_and_sedatives_of_one_hash_are_two),
        cmocka_unit_test(local_codes_of_one_hash_are_two),
        cmocka_unit_test(frequencies_of_one_hash_are_two),
        cmocka_unit_test(members_of_one_hash_are_two),
        cmocka_unit_test(codes_of_one_hash_are_in_sets_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
