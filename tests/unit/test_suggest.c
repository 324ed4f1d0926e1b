/*
 * Suggest: what a prescriber can do with one click, and what is never offered
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/suggest.h"
#include "base/text.h"
#include "tests/support/build.h"

static struct build b;

static void begin(const char *const *rules, size_t n)
{
    static bool used;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    build_rules(&b, rules, n);
}

static const struct ow_suggestion *suggestion(const struct ow_card *c,
                                              enum ow_action_type type)
{
    for (size_t i = 0; i < c->n_suggestions; i++)
        if (c->suggestions[i].actions->type == type)
            return &c->suggestions[i];
    return NULL;
}

/* ---- shorter supply ---- */

static const char *const acute[] = { "acute-duration" };

/* Oxycodone 5 mg four times a day for 10 days, being signed. */
static struct ow_order *ten_days(void)
{
    struct ow_order *o;

    begin(acute, 1);
    o = build_order(&b, "d", RX_OXYCODONE_5);
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "40", 10);
    build_draft(&b, o);
    o->raw = o; /* only whether there is one counts here */
    return o;
}

static const struct ow_action *shortening(void)
{
    const struct ow_verdict *v = build_judge(&b);
    const struct ow_suggestion *s;

    assert_int_equal(v->n_cards, 1);
    s = suggestion(v->cards, OW_ACTION_UPDATE);
    return s != NULL ? s->actions : NULL;
}

static void a_long_acute_supply_can_be_shortened(void **state)
{
    struct ow_order *o = ten_days();
    const struct ow_action *a = shortening();

    (void)state;
    assert_non_null(a);
    assert_ptr_equal(a->order, o);
    assert_int_equal(a->days, 7);
    assert_int_equal(a->quantity, 28);
    assert_string_equal(a->description,
                        "Change draft oxycodone hydrochloride 5 MG Oral Tablet to a "
                        "quantity of 28 for 7 days");
    /* no part of a tablet */
    o = ten_days();
    build_supply(o, "41", 10);
    assert_int_equal(shortening()->quantity, 29); /* 28.7 */
    o = ten_days();
    o->has_refills = true; /* said to be none */
    assert_int_equal(shortening()->days, 7);
    o = ten_days();
    o->supply_quantity.value =
        build_ratio("9223372036854775807"); /* times 7: no number */
    assert_null(shortening());
    o = ten_days();
    o->supply_duration.unit = o->supply_duration.code = "fortnight"; /* 40 / 4 a day */
    assert_null(shortening());
}

/* The days of the rule that speaks, not those of another one, and never more than the
 * draft has. */
static void a_supply_is_shortened_to_the_days_of_its_own_rule(void **state)
{
    static const struct {
        const char *over, *acute_days;
        int64_t days, quantity; /* 0: nothing is offered */
    } cases[] = {
        {"7",    "30", 7, 28},
        { "7",   "3",  7, 28},
        { "5",   "7",  5, 20},
        { "7.5", "7",  7, 28},
        { "0",   "7",  0, 0 },
        { "0.5", "7",  0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_action *a;

        ten_days();
        b.policy.params[OW_PARAM_ACUTE_DURATION_OVER] = build_ratio(cases[i].over);
        b.policy.params[OW_PARAM_MED_THRESHOLD_ACUTE_DAYS] =
            build_ratio(cases[i].acute_days);
        a = shortening();
        if ((a != NULL ? a->days : 0) != cases[i].days ||
            (a != NULL ? a->quantity : 0) != cases[i].quantity)
            fail_msg("case %zu", i);
    }
}

/* Where the rest of the draft would contradict it, nobody can shorten by rule. */
static void what_a_shorter_supply_would_contradict_is_left_alone(void **state)
{
    enum { RAW, QUANTITY, NOTHING, MORE_THAN, REFILLS, BOUNDS, COUNT, SEQUENCE, N };

    (void)state;
    for (int i = 0; i < N; i++) {
        struct ow_order *o = ten_days();
        struct ow_dosage *d = (struct ow_dosage *)o->dosages;

        switch (i) {
        case RAW:
            o->raw = NULL;
            break;
        case QUANTITY:
            o->supply_quantity.has_value = false;
            break;
        case NOTHING:
            o->supply_quantity.value = OW_ZERO;
            break;
        case MORE_THAN:
            o->supply_quantity.comparator = ">";
            break;
        case REFILLS:
            build_supply(o, "16", 4); /* with its refills 12 days */
            o->has_refills = true;
            o->refills = 2;
            break;
        case BOUNDS:
            d->timing.bounds = OW_BOUNDS_PERIOD;
            d->timing.bounds_period = (struct ow_span){ build_time("2026-03-02").from,
                                                        build_time("2026-03-12").from };
            break;
        case COUNT:
            d->timing.count = (struct ow_number){ true, OW_RATIO(40, 1) };
            break;
        default:
            d->has_sequence = true;
            d->sequence = 1;
        }
        if (shortening() != NULL)
            fail_msg("case %d", i);
    }
}

/* Ten days by its words, four by its supply: there is nothing to shorten. */
static void a_supply_is_never_made_longer(void **state)
{
    struct ow_order *o = ten_days();
    struct ow_dosage *d = OW_NEW(&b.arena, struct ow_dosage);

    (void)state;
    d->text = "take 1 tablet 4 times a day for 10 days";
    o->dosages = d;
    build_supply(o, "16", 4);
    assert_non_null(build_finding(build_judge(&b), "acute-duration"));
    assert_null(shortening());
}

static void words_that_say_how_long_are_not_contradicted(void **state)
{
    static const struct {
        const char *text;
        bool alone, offered;
    } cases[] = {
        {"take 1 tablet 4 times a day",              true,  true },
        { "take 1 tablet 4 times a day for 10 days", true,  false},
        { "take 1 tablet 4 times a day",             false, true },
        { "take 1 tablet 4 times a day for 10 days", false, false},
        { "as the leaflet says, until the 12th",     true,  false}, /* not understood */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_order *o = ten_days();
        struct ow_dosage *d = OW_NEW(&b.arena, struct ow_dosage);

        if (!cases[i].alone)
            *d = o->dosages[0];
        d->text = cases[i].text;
        o->dosages = d;
        if ((shortening() != NULL) != cases[i].offered)
            fail_msg("case %zu", i);
    }
    ten_days()->n_dosages = 0; /* no directions at all */
    assert_non_null(shortening());
    ((struct ow_dosage *)ten_days()->dosages)->patient_instruction = "for 10 days";
    assert_null(shortening());
}

static void a_draft_that_the_rule_does_not_name_is_not_shortened(void **state)
{
    struct ow_order *o;
    const struct ow_action *a;

    (void)state;
    ten_days();
    o = build_order(&b, "e", RX_MORPHINE_15);
    build_dose(&b, o, "1", "tablet", 4);
    build_supply(o, "20", 5);
    build_draft(&b, o);
    o->raw = o;
    a = shortening();
    assert_string_equal(a->order->id, "d");
    /* in shadow nobody is told, and nothing is offered */
    ten_days();
    b.policy.rules[OW_RULE_ACUTE_DURATION].mode = OW_MODE_SHADOW;
    assert_int_equal(build_judge(&b)->n_cards, 0);
}

/* A rule in shadow offers nothing on the card of another one. */
static void what_nobody_is_told_offers_nothing(void **state)
{
    static const char *const rules[] = { "acute-duration", "med-threshold" };
    const struct ow_verdict *v;

    (void)state;
    ten_days()->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, RX_OXYCODONE_20,
                                                NULL);
    build_rules(&b, rules, 2);
    v = build_judge(&b);
    assert_non_null(suggestion(v->cards, OW_ACTION_UPDATE));
    b.policy.rules[OW_RULE_ACUTE_DURATION].mode = OW_MODE_SHADOW;
    v = build_judge(&b);
    assert_int_equal(v->n_cards, 1);
    assert_null(suggestion(v->cards, OW_ACTION_UPDATE));
}

static void a_card_has_room_for_five(void **state)
{
    static const char *const rules[] = { "acute-duration", "med-threshold",
                                         "unreadable-dose" };
    const struct ow_verdict *v;
    char id[8];

    (void)state;
    begin(rules, OW_LEN(rules));
    for (int i = 0; i < 9; i++) {
        struct ow_order *o;

        (void)snprintf(id, sizeof id, "d%d", i);
        o = build_order(&b, id, RX_OXYCODONE_20);
        build_dose(&b, o, "1", "tablet", 4);
        build_supply(o, "40", 10);
        build_draft(&b, o);
        o->raw = o;
    }
    v = build_judge(&b);
    assert_int_equal(v->cards->n_suggestions, OW_SUGGESTIONS);
    assert_null(suggestion(v->cards, OW_ACTION_DELETE)); /* shortening comes first */
    assert_null(suggestion(v->cards, OW_ACTION_CREATE));
    /* and of those to be taken back, the first five */
    for (size_t i = 0; i < b.chart.n_orders; i++)
        b.orders[i].raw = NULL;
    v = build_judge(&b);
    assert_int_equal(v->cards->n_suggestions, OW_SUGGESTIONS);
    assert_string_equal(v->cards->suggestions[4].actions->resource_id,
                        "MedicationRequest/d4");
    assert_false(v->cards->any);
}

/* ---- taking back ---- */

static void only_what_the_card_speaks_of_is_taken_back(void **state)
{
    static const char *const rules[] = { "med-threshold", "sedative-coprescribing",
                                         "unknown-drug" };
    static const struct {
        const char *rx, *name;
        bool offered;
    } cases[] = {
        {RX_LORAZEPAM_1,     NULL,              true },
        { RX_HYDROXYZINE_10, NULL,              false}, /* of tier 3 */
        { RX_LISINOPRIL,     NULL,              false},
        { "99999999",        "oxycodone thing", true },
        { "99999999",        "something else",  false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_verdict *v;
        struct ow_order *o;
        bool offered = false;

        begin(rules, OW_LEN(rules));
        b.chart.hook = OW_HOOK_ORDER_SIGN;
        o = build_order(&b, "a", RX_OXYCODONE_20);
        build_dose(&b, o, "1", "tablet", 4);
        build_draft(&b, o);
        o = build_order(&b, "x", cases[i].rx);
        if (cases[i].name != NULL)
            o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, cases[i].rx,
                                               cases[i].name);
        build_draft(&b, o);
        v = build_judge(&b);
        assert_int_equal(v->n_cards, 1);
        for (size_t k = 0; k < v->cards->n_suggestions; k++)
            offered |= ow_streq(v->cards->suggestions[k].actions->resource_id,
                                "MedicationRequest/x");
        if (offered != cases[i].offered)
            fail_msg("case %zu", i);
    }
}

static void a_draft_that_is_not_selected_or_has_no_id_stays(void **state)
{
    static const char *const rules[] = { "med-threshold" };
    struct ow_order *o;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct ow_verdict *v;

        begin(rules, 1);
        o = build_order(&b, "a", RX_OXYCODONE_20);
        build_dose(&b, o, "1", "tablet", 4);
        build_draft(&b, o);
        if (i == 0)
            o->reference = NULL;
        o = build_order(&b, "x", RX_OXYCODONE_20);
        build_dose(&b, o, "1", "tablet", 1);
        build_draft(&b, o);
        o->selected = false;
        v = build_judge(&b);
        assert_int_equal(v->n_cards, 1);
        for (size_t k = 0; k < v->cards->n_suggestions; k++)
            assert_string_not_equal(v->cards->suggestions[k].label,
                                    "Remove this draft: x");
        assert_int_equal(suggestion(v->cards, OW_ACTION_DELETE) != NULL, i == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_acute_supply_can_be_shortened),
        cmocka_unit_test(a_supply_is_shortened_to_the_days_of_its_own_rule),
        cmocka_unit_test(what_a_shorter_supply_would_contradict_is_left_alone),
        cmocka_unit_test(a_supply_is_never_made_longer),
        cmocka_unit_test(words_that_say_how_long_are_not_contradicted),
        cmocka_unit_test(a_draft_that_the_rule_does_not_name_is_not_shortened),
        cmocka_unit_test(what_nobody_is_told_offers_nothing),
        cmocka_unit_test(a_card_has_room_for_five),
        cmocka_unit_test(only_what_the_card_speaks_of_is_taken_back),
        cmocka_unit_test(a_draft_that_is_not_selected_or_has_no_id_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
