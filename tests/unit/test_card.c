/*
 * Card: one a patient, exact arithmetic, nothing that breaks out of its Markdown
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/card.h"
#include "base/text.h"
#include "tests/support/build.h"

static struct build *fresh(void)
{
    static struct build b;
    static bool used;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    return &b;
}

/* UTF-16 units of a UTF-8 text. */
static size_t units(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
        n += (unsigned char)*s >= 0xf0;
    }
    return n;
}

static void a_card_tells_the_whole_arithmetic(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "rx9", RX_OXYCODONE_20);
    const struct ow_card *c;

    (void)state;
    build_dose(b, o, "1", "tablet", 4);
    build_dose(b, build_order(b, "rx5", RX_MORPHINE_15), "1", "tablet", 3);
    build_dose(b, build_order(b, "bup", RX_BUPRENORPHINE_8), "1", "tablet", 1);
    build_supply(build_order(b, "rx7", RX_LORAZEPAM_1), "30", 30);
    build_draft(b, o);
    c = build_judge(b)->cards;
    assert_non_null(c);
    assert_string_equal(
        c->summary, "165 MME/day reaches 90 with this order; lorazepam 1 MG Oral Tablet "
                    "alongside");
    assert_string_equal(
        c->detail,
        "**165 MME/d reaches 90**\n"
        "\n"
        "| order | how | MME/day |\n"
        "|---|---|---:|\n"
        "| oxycodone hydrochloride 20 MG Oral Tablet (MedicationRequest/rx9; this draft) "
        "| 1 tablet x 4/d x 20 mg x 1.5 = 120 MME/d (cdc-2022: Oxycodone, oral) | 120 |\n"
        "| morphine sulfate 15 MG Oral Tablet (MedicationRequest/rx5) "
        "| 1 tablet x 3/d x 15 mg x 1 = 45 MME/d (cdc-2022: Morphine, oral) | 45 |\n"
        "| **total now** | 120 + 45 = 165 MME/d | **165** |\n"
        "\n"
        "Sedatives in the same period:\n"
        "\n"
        "- lorazepam 1 MG Oral Tablet (benzodiazepine): 29 days together\n"
        "\n"
        "Not counted:\n"
        "\n"
        "- buprenorphine 8 MG Sublingual Tablet (MedicationRequest/bup): buprenorphine "
        "carries no MME\n"
        "\n"
        "Also found:\n"
        "\n"
        "- opioid and lorazepam 1 MG Oral Tablet (benzodiazepine) together for 29 days, "
        "165 MME/d\n"
        "\n"
        "Please weigh benefit and risk with the patient, and consider naloxone. This is "
        "no instruction to change a dose; fast reduction and sudden stops carry risks of "
        "their own.\n"
        "\n"
        "Treatment of opioid use disorder is not to be withheld or lowered because of "
        "these figures.\n"
        "\n"
        "Factors cdc-2022, products 2025-02, policy cdc-2022 1. MME compare doses; they "
        "do not serve to convert one opioid into another.\n");
    assert_int_equal(c->indicator, OW_TIER_CRITICAL);
    assert_string_equal(c->topic.code, "med-threshold");
    assert_string_equal(c->med_text, "165");
    assert_string_equal(c->key, "Patient/p1|med-threshold|");
    assert_int_equal(c->n_related, 4);
    assert_int_equal(c->n_suggestions, 2);
    assert_string_equal(c->suggestions[0].label, "Remove this draft");
    assert_int_equal(c->suggestions[0].actions[0].type, OW_ACTION_DELETE);
    assert_string_equal(c->suggestions[0].actions[0].resource_id,
                        "MedicationRequest/rx9");
}

static void there_is_one_card_and_the_rest_is_held_back_by_rank(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_order(b, "u", RX_MORPHINE_15);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    v = build_judge(b);
    assert_int_equal(v->n_cards, 1);
    assert_string_equal(v->cards[0].rule, "med-threshold");
    assert_int_equal(v->n_findings, 3);
    assert_int_equal(v->n_suppressed, 2);
    assert_string_equal(v->suppressed[0].rule, "sedative-coprescribing");
    assert_string_equal(v->suppressed[0].by, "rank");
    assert_null(v->suppressed[0].resource);
    assert_int_equal(v->cards[0].n_suggestions, 0); /* no hook, nothing to take back */
}

static void the_strongest_finding_leads(void **state)
{
    struct build *b = fresh();
    const struct ow_verdict *v;

    (void)state;
    /* 30 MME/d, 70 years: the sedative is critical, the dose nothing */
    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    build_order(b, "u", RX_MORPHINE_15);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    b->chart.patient.has_birth = true;
    b->chart.patient.birth = build_time("1956-01-01");
    v = build_judge(b);
    assert_string_equal(v->cards[0].rule, "sedative-coprescribing");
    assert_string_equal(v->cards[0].summary,
                        "Opioid and lorazepam 1 MG Oral Tablet together for 90 days; at "
                        "least 30 MME/day");
}

static void info_alone_makes_a_card_in_a_hook_only(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_5);

    (void)state;
    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->authored = build_time("2025-12-01"); /* stale */
    assert_int_equal(build_judge(b)->n_cards, 0);
    b->chart.hook = OW_HOOK_PATIENT_VIEW;
    assert_int_equal(build_judge(b)->n_cards, 1);
    assert_int_equal(build_judge(b)->cards[0].indicator, OW_TIER_INFO);
}

static void merely_unrecognised_drugs_never_make_a_card(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", NULL);
    const struct ow_verdict *v;

    (void)state;
    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, RX_LISINOPRIL, "lisinopril");
    b->chart.hook = OW_HOOK_PATIENT_VIEW;
    v = build_judge(b);
    assert_int_equal(v->n_findings, 1);
    assert_int_equal(v->n_cards, 0);
    assert_int_equal(v->n_suppressed, 1);
}

static void names_cannot_break_out_of_the_markdown(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"oxycodone 0.5 MG",   "oxycodone 0.5 MG"               },
        { "a|b",               "a\\|b"                          },
        { "[x](http://e.org)", "\\[x\\](http\\://e.org)"        },
        { "<b>*x*_y_`z`~",     "\\<b\\>\\*x\\*\\_y\\_\\`z\\`\\~"},
        { "www.evil.example",  "www\\.evil.example"             },
        { "a\nb\r\tc\x7f",     "a b  c "                        },
        { "&lt;",              "\\&lt;"                         },
        { "back\\slash",       "back\\\\slash"                  },
        { "me@example.org",    "me\\@example.org"               },
        { "\xc2\xb5g",         "\xc2\xb5g"                      },
        { "a:b",               "a:b"                            },
        { "abc.d",             "abc.d"                          },
        { "abw.d",             "abw.d"                          },
        { "xww.d",             "xww.d"                          },
        { "W.d",               "W.d"                            },
        { "WwW.d",             "WwW\\.d"                        },
        { "",                  ""                               },
    };
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", NULL);
    const struct ow_verdict *v;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        assert_string_equal(ow_card_escape(&b->arena, cases[i].in), cases[i].out);

    o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999",
                                       "oxycodone | [x](http://e.org)\n# h");
    v = build_judge(b);
    assert_int_equal(v->n_cards, 1);
    assert_null(strstr(v->cards[0].detail, "\n# h"));
    assert_null(strstr(v->cards[0].detail, "| [x]"));
    assert_null(strchr(v->cards[0].summary, '\n'));
}

static void a_summary_is_cut_between_characters_people_see(void **state)
{
    struct build *b = fresh();
    static const struct {
        const char *in;
        size_t units;
        const char *out;
    } cases[] = {
        {"abc",                                                               3, "abc"                             },
        { "abcd",                                                             3, "ab\xe2\x80\xa6"                  },
        { "ab d",                                                             3, "ab\xe2\x80\xa6"                  },
        { "\xe2\xe2"
          "cde",                                                     3, "\xe2\xe2\xe2\x80\xa6"            }, /* no UTF-8 */
        { "a\xcc\x81\xcc\x82z",                                               3, "\xe2\x80\xa6"                    }, /* a with two accents, then z */
        { "xa\xcc\x81zz",                                                     4, "xa\xcc\x81\xe2\x80\xa6"          },
        { "\xf0\x9f\x92\x8a\xf0\x9f\x92\x8a",                                 3, "\xf0\x9f\x92\x8a\xe2\x80\xa6"    },
        { "\xf0\x9f\x92\x8a\xf0\x9f\x92\x8a",                                 4, "\xf0\x9f\x92\x8a\xf0\x9f\x92\x8a"},
 /* a family joined by ZWJ is one character */
        { "a\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9zz",                  6, "a\xe2\x80\xa6"                   },
 /* two flags, four letters */
        { "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xf0\x9f\x87\xab\xf0\x9f\x87\xb7", 5,
         "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xe2\x80\xa6"                                                            },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *got = ow_card_cut(&b->arena, cases[i].in, cases[i].units);

        assert_string_equal(got, cases[i].out);
        assert_true(units(got) <= cases[i].units);
    }
}

static void a_summary_never_has_more_than_139_units(void **state)
{
    char name[400];

    (void)state;
    for (size_t n = 0; n < 180; n++) {
        struct build *b = fresh();
        struct ow_order *o = build_order(b, "a", NULL);
        const struct ow_verdict *v;

        memcpy(name, "oxycodone ", 11);
        for (size_t i = 0; i < n; i++)
            memcpy(name + 10 + 2 * i, "\xc3\xa4", 3);
        o->medication.code = build_concept(b, OW_SYSTEM_RXNORM, "99999999", name);
        v = build_judge(b);
        assert_int_equal(v->n_cards, 1);
        assert_true(units(v->cards[0].summary) <= OW_CARD_SUMMARY);
        assert_true(ow_utf8_valid(v->cards[0].summary, strlen(v->cards[0].summary)));
    }
}

static void answers_are_coded_and_the_first_is_no_catch_all(void **state)
{
    struct build *b = fresh();
    const struct ow_card *c;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    c = build_judge(b)->cards;
    assert_true(c->n_override_reasons >= 5);
    for (size_t i = 0; i < c->n_override_reasons; i++) {
        assert_non_null(c->override_reasons[i].system);
        assert_non_null(c->override_reasons[i].code);
        assert_string_not_equal(c->override_reasons[i].display, "");
        assert_null(strstr(c->override_reasons[i].display, "ther reason"));
    }
}

static void each_of_several_drafts_can_be_removed_by_name(void **state)
{
    struct build *b = fresh();
    struct ow_order *o;
    const struct ow_card *c;

    (void)state;
    o = build_order(b, "d1", RX_OXYCODONE_20);
    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    o = build_order(b, "d2", RX_LORAZEPAM_1);
    build_dose(b, o, "1", "tablet", 1);
    build_draft(b, o);
    o = build_order(b, "d3", RX_LISINOPRIL);
    build_draft(b, o);
    c = build_judge(b)->cards;
    assert_int_equal(c->n_suggestions, 3); /* and a referral */
    assert_string_equal(c->suggestions[1].label,
                        "Remove this draft: lorazepam 1 MG Oral Tablet");
}

static void a_long_history_does_not_flood_the_card(void **state)
{
    struct build *b = fresh();
    const char *detail;
    char id[16];

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(id, sizeof id, "old%d", i);
        build_order(b, id, RX_OXYCODONE_5)->status = OW_STATUS_COMPLETED;
    }
    build_order(b, "u", RX_MORPHINE_15);
    detail = build_judge(b)->cards[0].detail;
    assert_non_null(strstr(detail, "MedicationRequest/old4): completed\n"));
    assert_null(strstr(detail, "old5"));
    assert_non_null(strstr(detail, "MedicationRequest/u): no dosage"));
    assert_non_null(strstr(detail, "- 95 more that are over or replaced\n"));
}

/* A sedative that does not alert is not named, however long it is taken. */
static void the_summary_names_a_sedative_that_alerts(void **state)
{
    struct build *b = fresh();
    const struct ow_card *c;

    (void)state;
    build_dose(b, build_order(b, "h", RX_HYDROXYZINE_10), "1", "tablet", 1);
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_supply(build_order(b, "s", RX_LORAZEPAM_1), "5", 5);
    c = build_judge(b)->cards;
    assert_non_null(strstr(c->summary, "lorazepam 1 MG Oral Tablet alongside"));
    assert_non_null(strstr(c->detail, "Hydroxyzine"));
    assert_string_equal(ow_card_plain(&b->arena, "a\tb\x7f"
                                                 "c"),
                        "a b c");
}

/* A pack's name begins with a brace; there is nothing to be made a capital. */
static void a_reason_that_begins_with_a_sign_stays_as_it_is(void **state)
{
    static const char *const only[] = { "early-refill" };
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "a", "1740007");

    (void)state;
    build_rules(b, only, 1);
    b->chart.hook = OW_HOOK_ORDER_SIGN;
    o->authored = build_time("2026-02-20");
    build_supply(o, "30", 30);
    o = build_order(b, "d", "1740007");
    build_supply(o, "30", 30);
    build_draft(b, o);
    assert_true(ow_starts_with(build_judge(b)->cards->detail, "**{2 (fentanyl 0.6"));
}

static void what_was_told_of_a_published_rule_is_told_no_more(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "d", RX_OXYCODONE_20);
    struct ow_told told = { .tier = OW_TIER_WARNING,
                            .at = build_time("2026-03-01T08:00:00Z").from,
                            .prescriber = "Practitioner/d",
                            .has_med = true,
                            .med = build_ratio("120"),
                            .hook = OW_HOOK_ORDER_SIGN,
                            .card = "uuid-1" };
    size_t before;

    (void)state;
    build_preset(b, "cdc-2022-as-published");
    b->chart.patient.has_birth = true;
    b->chart.patient.birth = build_time("1970-01-01");
    build_supply(o, "120", 30);
    o->categories = OW_CATEGORY_COMMUNITY;
    build_draft(b, o);
    b->q.prescriber = "Practitioner/d";
    before = build_judge(b)->n_cards;
    assert_true(before > 1);
    told.rule = build_judge(b)->findings[0].rule;
    told.cause = build_judge(b)->findings[0].cause;
    b->policy.memory_days = 30;
    b->q.told = &told;
    b->q.n_told = 1;
    assert_int_equal(build_judge(b)->n_cards, before - 1);
    assert_string_equal(build_judge(b)->findings[0].held, "repeat");
}

static void no_text_orders_a_lower_dose(void **state)
{
    static const char *const orders[] = { "reduce the dose", "lower the dose", "taper",
                                          "discontinue", "stop the opioid" };
    struct build *b = fresh();
    const struct ow_card *c;

    (void)state;
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 6);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    c = build_judge(b)->cards;
    for (size_t i = 0; i < OW_LEN(orders); i++) {
        assert_false(ow_contains_folded(c->detail, orders[i]));
        assert_false(ow_contains_folded(c->summary, orders[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_tells_the_whole_arithmetic),
        cmocka_unit_test(there_is_one_card_and_the_rest_is_held_back_by_rank),
        cmocka_unit_test(the_strongest_finding_leads),
        cmocka_unit_test(info_alone_makes_a_card_in_a_hook_only),
        cmocka_unit_test(merely_unrecognised_drugs_never_make_a_card),
        cmocka_unit_test(names_cannot_break_out_of_the_markdown),
        cmocka_unit_test(a_summary_is_cut_between_characters_people_see),
        cmocka_unit_test(a_summary_never_has_more_than_139_units),
        cmocka_unit_test(answers_are_coded_and_the_first_is_no_catch_all),
        cmocka_unit_test(each_of_several_drafts_can_be_removed_by_name),
        cmocka_unit_test(a_long_history_does_not_flood_the_card),
        cmocka_unit_test(the_summary_names_a_sedative_that_alerts),
        cmocka_unit_test(a_reason_that_begins_with_a_sign_stays_as_it_is),
        cmocka_unit_test(what_was_told_of_a_published_rule_is_told_no_more),
        cmocka_unit_test(no_text_orders_a_lower_dose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
