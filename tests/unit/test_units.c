/*
 * Units: what the word beside a number means, and what is no unit at all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosage.h"
#include "alerts/units.h"
#include "base/text.h"
#include "base/time.h"

static struct ow_quantity quantity(const char *code, const char *unit)
{
    return (struct ow_quantity){
        .has_value = true, .value = {1, 1},
             .code = code, .unit = unit
    };
}

static void a_unit_is_read_however_it_is_written(void **state)
{
    static const struct {
        const char *unit, *word; /* word NULL: no count */
        enum ow_unit_kind kind;
        struct ow_ratio scale;
    } cases[] = {
        {" mg",                                 NULL,          OW_UNIT_MASS,        { 1, 1 }    },
        { "mg. ",                               NULL,          OW_UNIT_MASS,        { 1, 1 }    },
        { "MGS",                                NULL,          OW_UNIT_MASS,        { 1, 1 }    },
        { "\xC2\xB5g",                          NULL,          OW_UNIT_MASS,        { 1, 1000 } },
        { "\xCE\xBCg",                          NULL,          OW_UNIT_MASS,        { 1, 1000 } },
        { "mg{base}",                           NULL,          OW_UNIT_MASS,        { 1, 1 }    },
        { "{tablet}",                           "tablet",      OW_UNIT_COUNT,       { 1, 1 }    },
        { "tablet(s)",                          "tablet",      OW_UNIT_COUNT,       { 1, 1 }    },
        { "patch(es)",                          "patch",       OW_UNIT_COUNT,       { 1, 1 }    },
        { "patches",                            "patch",       OW_UNIT_COUNT,       { 1, 1 }    },
        { "Suppositories",                      "suppository", OW_UNIT_COUNT,       { 1, 1 }    },
        { "24 HR Extended Release Oral Tablet", "tablet",      OW_UNIT_COUNT,       { 1, 1 }    },
        { "tablet, coated",                     "tablet",      OW_UNIT_COUNT,       { 1, 1 }    },
        { "mg/h",                               NULL,          OW_UNIT_MASS_RATE,   { 1, 1 }    },
        { "mg/(24.h)",                          NULL,          OW_UNIT_MASS_RATE,   { 1, 24 }   },
        { "mg/24 h",                            NULL,          OW_UNIT_MASS_RATE,   { 1, 24 }   },
        { "ug/min",                             NULL,          OW_UNIT_MASS_RATE,   { 60, 1000 }},
        { "mL/d",                               NULL,          OW_UNIT_VOLUME_RATE, { 1, 24 }   },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_quantity q = quantity(NULL, cases[i].unit);
        struct ow_unit u;
        struct ow_err err;

        if (ow_unit_read(&q, &u, &err) != OW_OK)
            fail_msg("%s: %s", cases[i].unit, err.text);
        assert_int_equal(u.kind, cases[i].kind);
        assert_int_equal(ow_ratio_cmp(u.scale, cases[i].scale), 0);
        assert_true(cases[i].word == NULL ? u.word == NULL
                                          : ow_streq(u.word, cases[i].word));
    }
}

static void what_is_no_unit_is_refused_with_the_words(void **state)
{
    static const struct {
        const char *code, *unit, *why;
    } cases[] = {
        {"drops",                                                      NULL,                                               "drops tell no volume"                  },
        { "drop",                                                      NULL,                                               "drops tell no volume"                  },
        { NULL,                                                        "gtt",                                              "drops tell no volume"                  },
        { "[drp]",                                                     "drops",                                            "drops tell no volume"                  },
        { NULL,                                                        "drop (mL)",                                        "drops tell no volume"                  },
        { NULL,                                                        "drop (0 mL)",                                      "drops tell no volume"                  },
        { NULL,                                                        "drop (0.0.5 mL)",                                  "drops tell no volume"                  },
        { "[drp]",                                                     "a unit of more letters than any unit that exists",
         "drops tell no volume"                                                                                                                                    },
        { "a code of more letters than any code that exists anywhere", "drop (0.05 mL)",
         "the unit is not a known one"                                                                                                                             },
        { NULL,                                                        "mg/kg",                                            "a dose by body weight or surface"      },
        { NULL,                                                        "mg/m2",                                            "a dose by body weight or surface"      },
        { NULL,                                                        ".",                                                "the unit \"\" is not a known one"      },
        { NULL,                                                        "{}",                                               "the unit \"\" is not a known one"      },
        { NULL,                                                        "{a} {b}",                                          "is not a known one"                    },
        { NULL,                                                        "x}",                                               "the unit \"x}\" is not a known one"    },
        { NULL,                                                        "tab(x)",                                           "the unit \"tab(x)\" is not a known one"},
        { NULL,                                                        "es",                                               "the unit \"es\" is not a known one"    },
        { NULL,                                                        "xes",                                              "the unit \"xes\" is not a known one"   },
        { NULL,                                                        "boxes",                                            "the unit \"boxes\" is not a known one" },
        { NULL,                                                        "\xC2\xA0mg",                                       "is not a known one"                    },
        { NULL,                                                        "\xCE\xB1g",                                        "is not a known one"                    },
        { NULL,                                                        "oral mg",                                          "is not a known one"                    },
        { NULL,                                                        "oral",                                             "the unit \"oral\" is not a known one"  },
        { NULL,                                                        "oral each",                                        "is not a known one"                    },
        { NULL,                                                        "tablet capsule",                                   "is not a known one"                    },
        { NULL,                                                        "mg/",                                              "is not a known one"                    },
        { NULL,                                                        "mg/0h",                                            "is not a known one"                    },
        { NULL,                                                        "mg/lap",                                           "is not a known one"                    },
        { NULL,                                                        "tablet/d",                                         "is not a known one"                    },
        { NULL,                                                        "a unit of more letters than any unit that exists", "the unit is not"                       },
        { NULL,                                                        "mg/99999999999999999999h",                         "is not a known one"                    },
        { NULL,                                                        "mg/9000000000000000a",                             "is not a known one"                    },
        { NULL,                                                        "ng/9000000000000001s",                             "is not a known one"                    },
        { "mg",                                                        "mL",                                               "the unit's text and its code differ"   },
        { "{tablet}",                                                  "patch",                                            "the unit's text and its code differ"   },
        { "{blob}",                                                    "blob",                                             "the unit \"blob\" is not a known one"  },
        { "blob",                                                      "mg",                                               "the unit \"blob\" is not a known one"  },
        { "1",                                                         "blob",                                             "the unit \"blob\" is not a known one"  },
        { "mg",                                                        "mg/fortnight",                                     "is not a known one"                    },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_quantity q = quantity(cases[i].code, cases[i].unit);
        struct ow_unit u;
        struct ow_err err;

        if (ow_unit_read(&q, &u, &err) != OW_MISSING)
            fail_msg("%s %s was read", cases[i].code, cases[i].unit);
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("%s %s: %s", cases[i].code, cases[i].unit, err.text);
    }
}

static void a_text_may_say_more_than_a_code_but_nothing_else(void **state)
{
    static const struct {
        const char *system, *code, *unit, *word;
    } cases[] = {
        {NULL,            "1",        "tablet", "tablet"},
        { NULL,           "{tablet}", "each",   "tablet"},
        { NULL,           "{blob}",   "tablet", "tablet"},
        { "urn:site",     "BLOB",     "tablet", "tablet"},
        { NULL,           "{tablet}", "blob",   "tablet"},
        { OW_SYSTEM_UCUM, "{tablet}", "",       "tablet"},
        { NULL,           "",         "tablet", "tablet"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_quantity q = quantity(cases[i].code, cases[i].unit);
        struct ow_unit u;
        struct ow_err err;

        q.system = cases[i].system;
        if (ow_unit_read(&q, &u, &err) != OW_OK)
            fail_msg("%s %s: %s", q.code, q.unit, err.text);
        assert_int_equal(u.kind, OW_UNIT_COUNT);
        assert_string_equal(u.word, cases[i].word);
    }
}

static void a_unit_of_time_has_a_length_or_none(void **state)
{
    static const struct {
        const char *unit;
        int64_t ms; /* 0: none */
    } cases[] = {
        {"h",                                                 OW_HOUR    },
        { "Hours",                                            OW_HOUR    },
        { "s",                                                OW_SECOND  },
        { "wks",                                              7 * OW_DAY },
        { "mo",                                               30 * OW_DAY},
        { "",                                                 0          },
        { "fort",                                             0          },
        { NULL,                                               0          },
        { "a unit of more letters than any unit that exists", 0          },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        int64_t ms = 0;

        assert_int_equal(ow_unit_time(cases[i].unit, &ms), cases[i].ms != 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void a_length_of_time_is_positive_and_of_one_unit(void **state)
{
    struct ow_quantity q = quantity("d", "days");
    struct ow_ratio ms;
    int64_t whole;

    (void)state;
    assert_true(ow_duration_exact(&q, &ms));
    assert_int_equal(ow_ratio_cmp(ms, OW_RATIO(OW_DAY, 1)), 0);
    q.value = OW_RATIO(1, 7);
    q.code = q.unit = "s";
    assert_true(ow_duration_ms(&q, &whole)); /* a part of a millisecond is one */
    assert_int_equal(whole, 143);
    q.value = OW_RATIO(INT64_MAX, 1);
    assert_false(ow_duration_exact(&q, &ms));
    assert_false(ow_duration_ms(&q, &whole));
    q.value = OW_ZERO;
    assert_false(ow_duration_exact(&q, &ms));
    q = quantity("d", "weeks");
    assert_false(ow_duration_exact(&q, &ms));
    q = quantity("fort", "weeks");
    assert_false(ow_duration_exact(&q, &ms));
    q = quantity(NULL, "fort");
    assert_false(ow_duration_exact(&q, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_is_read_however_it_is_written),
        cmocka_unit_test(what_is_no_unit_is_refused_with_the_words),
        cmocka_unit_test(a_text_may_say_more_than_a_code_but_nothing_else),
        cmocka_unit_test(a_unit_of_time_has_a_length_or_none),
        cmocka_unit_test(a_length_of_time_is_positive_and_of_one_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
