/*
 * Refill: an order that goes on with what another supplied, also of a drug of the
 * pharmacy's own, which is known by what is in it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static struct build b;

static int begin(void **state)
{
    (void)state;
    build_init(&b);
    return 0;
}

static int end(void **state)
{
    (void)state;
    build_done(&b);
    return 0;
}

/* An order of so many mg of an opioid in a tablet, for thirty days from that day. */
static struct ow_order *made(const char *id, const char *rxcui, int mg, const char *form,
                             const char *day)
{
    struct ow_order *o = build_order(&b, id, NULL);
    struct ow_ingredient *it = OW_NEW(&b.arena, struct ow_ingredient);

    it->item = build_concept(&b, OW_SYSTEM_RXNORM, rxcui, NULL);
    it->has_strength = mg > 0;
    it->strength.numerator =
        (struct ow_quantity){ .has_value = true, .value = OW_RATIO(mg, 1), .unit = "mg" };
    it->strength.denominator = (struct ow_quantity){ .has_value = true,
                                                     .value = OW_RATIO(1, 1) };
    o->medication.code.text = "house mixture";
    o->medication.form.text = form;
    o->medication.ingredients = it;
    o->medication.n_ingredients = 1;
    o->authored = build_time(day);
    build_dose(&b, o, mg > 0 ? "1" : "10", mg > 0 ? "tablet" : "mg", 2);
    build_supply(o, mg > 0 ? "60" : "600", 30);
    return o;
}

static void roles(enum ow_role first, enum ow_role second)
{
    const struct ow_verdict *v = build_judge(&b);

    assert_int_equal(build_line(v, "a")->role, first);
    assert_int_equal(build_line(v, "b")->role, second);
}

#define MORPHINE "7052"
#define CODEINE  "2670"

static void the_same_mixture_after_half_its_supply_replaces_it(void **state)
{
    (void)state;
    made("a", MORPHINE, 10, "tablet", "2026-02-10");
    made("b", MORPHINE, 10, "tablet", "2026-03-01");
    roles(OW_ROLE_REPLACED, OW_ROLE_COUNTED);
}

static void a_mixture_of_another_strength_is_taken_beside_it(void **state)
{
    (void)state;
    made("a", MORPHINE, 10, "tablet", "2026-02-10");
    made("b", MORPHINE, 20, "tablet", "2026-03-01");
    roles(OW_ROLE_COUNTED, OW_ROLE_COUNTED);
}

static void a_lasting_mixture_is_taken_beside_a_quick_one(void **state)
{
    (void)state;
    made("a", MORPHINE, 10, "tablet", "2026-02-10");
    made("b", MORPHINE, 10, "extended release tablet", "2026-03-01");
    roles(OW_ROLE_COUNTED, OW_ROLE_COUNTED);
}

static void another_drug_of_that_strength_is_taken_beside_it(void **state)
{
    (void)state;
    made("a", MORPHINE, 10, "tablet", "2026-02-10");
    made("b", CODEINE, 10, "tablet", "2026-03-01");
    roles(OW_ROLE_COUNTED, OW_ROLE_COUNTED);
}

static void of_no_known_strength_nobody_knows_that_they_are_one(void **state)
{
    (void)state;
    made("a", MORPHINE, 0, "tablet", "2026-02-10");
    made("b", MORPHINE, 0, "tablet", "2026-03-01");
    roles(OW_ROLE_COUNTED, OW_ROLE_COUNTED);
}

/* Orders that could be linked are compared word by word. */
static void a_mixture_that_differs_in_one_thing_goes_beside(void **state)
{
    static const struct {
        const char *rxcui, *form;
        int num, den;
    } cases[] = {
        {MORPHINE,  "oral solution", 10, 1},
        { MORPHINE, "tablet",        10, 3},
        { MORPHINE, "tablet",        20, 1},
        { CODEINE,  "tablet",        10, 1},
    };

    (void)state;
    for (size_t i = 0; i <= OW_LEN(cases); i++) {
        bool same = i == OW_LEN(cases);
        struct ow_ingredient *it;
        const struct ow_verdict *v;
        struct ow_order *o;

        b.chart.n_orders = 0;
        memset(b.orders, 0, 2 * sizeof *b.orders);
        made("a", MORPHINE, 10, "tablet", "2026-02-10");
        o = made("b", same ? MORPHINE : cases[i].rxcui, 10,
                 same ? "tablet" : cases[i].form, "2026-03-01");
        o->group = "urn:g|1";
        it = (struct ow_ingredient *)o->medication.ingredients;
        if (!same)
            it->strength.numerator.value = OW_RATIO(cases[i].num, cases[i].den);
        v = build_judge(&b);
        if ((build_line(v, "a")->role == OW_ROLE_REPLACED) != same)
            fail_msg("case %zu: %s", i, build_line(v, "a")->reason);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_same_mixture_after_half_its_supply_replaces_it),
        TEST(a_mixture_of_another_strength_is_taken_beside_it),
        TEST(a_lasting_mixture_is_taken_beside_a_quick_one),
        TEST(another_drug_of_that_strength_is_taken_beside_it),
        TEST(of_no_known_strength_nobody_knows_that_they_are_one),
        TEST(a_mixture_that_differs_in_one_thing_goes_beside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
