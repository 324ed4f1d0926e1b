/*
 * Names: which words of a table give a drug away, and which are none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/knowledge.h"
#include "base/buf.h"
#include "base/text.h"

#define TEN   "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

#define PRODUCT(rxcui, name, ingredient)                                                 \
    rxcui "\tSCD\t" name "\t\t" ingredient                                               \
          "\t1\tMG\tOral Tablet\toral_solid\t0\t\t\t\ts\n"

static struct ow_knowledge *kb;

static struct ow_knowledge_file file(const char *name, const char *text)
{
    return (struct ow_knowledge_file){ name, text, strlen(text) };
}

static int load(void **state)
{
    static const char products[] =
        "rxcui\ttty\tdrug_name\tingredient_rxcui\tingredient_name\tstrength_value\t"
        "strength_unit\tdose_form\tform_class\tis_patch\tpatch_hours\ter_la\t"
        "co_ingredients\tsource\n" PRODUCT("1", "a [Long Brand Name]", "Opiumine")
            PRODUCT("2", "b [Open", SIXTY "xyz -")                   /* 63 letters */
        PRODUCT("3", "c [Kept Reformulated Mar 2010]", SIXTY "xyzw") /* 64 */
        PRODUCT("4", "d [Whole] Reformulated Mar 2010", SIXTY "zyx - w")
            PRODUCT("5", "e [xy]", "Opiumine");
    const struct ow_knowledge_files files = {
        .factors = file("f",
                        "ingredient\tingredient_rxcui\tform_or_route\tform_classes\t"
                        "unit_basis\tdose_low_mg_day\tdose_high_mg_day\tfactor_2016\t"
                        "factor_2022\tverified_2016\tverified_2022\tsource_2016\t"
                        "source_2022\n"),
        .products = file("p", products),
        .sedatives = file("s", "rxcui\tname\tclass\ttier\tingredients\tsource\n"
                               "\tlong\tbarbiturate\t1\tlong\ts\n"
                               "\tsleepy\tbarbiturate\t3\tsleepy\ts\n"
                               "\tslow 1 MG [Slowdown]\tbarbiturate\t2\tslow\ts\n"
                               "\t{2 (slow) } Pack [Packed]\tbarbiturate\t2\tslow\ts\n"),
        .valuesets = file("v", "valueset\tsystem\tcode\n"),
    };
    struct ow_err err;

    (void)state;
    return ow_knowledge_load(&files, NULL, NULL, &kb, &err) == OW_OK ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    ow_knowledge_free(kb);
    return 0;
}

static void a_name_counts_as_whole_words(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"OPIUMINE 5 mg",               "opiumine"       },
        { "opiumines",                  NULL             },
        { "5 (opiumine)",               "opiumine"       },
        { "Long-Brand: name",           "long brand name"},
        { "long brand",                 NULL             },
        { "long brand names",           NULL             },
        { "long boring name",           NULL             },
        { "open",                       NULL             }, /* no closing bracket */
        { "Kept",                       "kept"           },
        { "kept reformulated mar 2010", "kept"           },
        { "whole",                      "whole"          },
        { "xy",                         NULL             }, /* too short to mean it */
        { SIXTY "xyz",                  SIXTY "xyz"      },
        { SIXTY "xyzw",                 NULL             }, /* longer than any name */
        { SIXTY "zyx",                  NULL             },
        { "pethidine",                  "pethidine"      }, /* of no table */
        { " - ",                        NULL             },
        { NULL,                         NULL             },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_concept c = { .text = cases[i].text };
        const char *got = ow_knowledge_opioid_like(kb, &c);

        if (!ow_streq(got, cases[i].want))
            fail_msg("case %zu: %s", i, got != NULL ? got : "nothing");
    }
}

static void one_word_may_be_an_opioids_and_a_sedatives(void **state)
{
    struct ow_concept c = { .text = "long brand name" };

    (void)state;
    assert_string_equal(ow_knowledge_opioid_like(kb, &c), "long brand name");
    assert_string_equal(ow_knowledge_sedative_like(kb, &c)->name, "long");
    c.text = "Slowdown 1 mg";
    assert_non_null(ow_knowledge_sedative_like(kb, &c));
    assert_null(ow_knowledge_opioid_like(kb, &c));
    c.text = "sleepy"; /* of a tier that does not alert */
    assert_null(ow_knowledge_sedative_like(kb, &c));
    c.text = "packed"; /* of a pack */
    assert_null(ow_knowledge_sedative_like(kb, &c));
}

static void a_text_is_looked_at_as_far_as_it_goes(void **state)
{
    char text[6000];
    const struct ow_concept c = { .text = text };

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_null(ow_knowledge_opioid_like(kb, &c));
    memcpy(text + 4000, " opiumine ", 10);
    assert_string_equal(ow_knowledge_opioid_like(kb, &c), "opiumine");
    memcpy(text + 4090, " opiumine ", 10); /* beyond what is looked at */
    memcpy(text + 4000, "xxxxxxxxxx", 10);
    assert_null(ow_knowledge_opioid_like(kb, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_counts_as_whole_words),
        cmocka_unit_test(one_word_may_be_an_opioids_and_a_sedatives),
        cmocka_unit_test(a_text_is_looked_at_as_far_as_it_goes),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
