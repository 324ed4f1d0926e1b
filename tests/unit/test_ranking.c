/*
 * Ranking and suggestions: who leads, what is held back and why, what can be done
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

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

/* Oxycodone 120 MME/d as a draft, and lorazepam beside it. */
static struct build *with_sedative(void)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "d", RX_OXYCODONE_20);

    build_dose(b, o, "1", "tablet", 4);
    build_draft(b, o);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    b->chart.hook = OW_HOOK_ORDER_SIGN;
    return b;
}

static const struct ow_suppression *suppressed(const struct ow_verdict *v,
                                               const char *rule)
{
    for (size_t i = 0; i < v->n_suppressed; i++)
        if (ow_streq(v->suppressed[i].rule, rule))
            return &v->suppressed[i];
    return NULL;
}

static void a_rule_in_shadow_is_recorded_and_tells_nobody(void **state)
{
    struct build *b = with_sedative();
    const struct ow_verdict *v;

    (void)state;
    b->policy.rules[OW_RULE_MED_THRESHOLD].mode = OW_MODE_SHADOW;
    v = build_judge(b);
    assert_non_null(build_finding(v, "med-threshold"));
    assert_string_equal(suppressed(v, "med-threshold")->by, "shadow");
    assert_int_equal(v->n_cards, 1);
    assert_string_equal(v->cards[0].rule, "sedative-coprescribing");
    assert_null(strstr(v->cards[0].detail, "reaches"));
    b->policy.rules[OW_RULE_SEDATIVE].mode = OW_MODE_SHADOW;
    v = build_judge(b);
    assert_int_equal(v->n_findings, 2);
    assert_int_equal(v->n_cards, 0);
}

static void every_finding_is_told_or_stands_among_the_suppressed(void **state)
{
    struct build *b = with_sedative();
    const struct ow_verdict *v = build_judge(b);

    (void)state;
    assert_int_equal(v->n_findings, 2);
    assert_int_equal(v->n_suppressed, 1);
    assert_string_equal(v->suppressed[0].rule, "sedative-coprescribing");
    assert_string_equal(v->suppressed[0].by, "rank");
}

static void an_info_with_nothing_to_do_interrupts_nobody(void **state)
{
    static const char *const only[] = { "pdmp-due" };
    struct build *b = with_sedative();
    const struct ow_verdict *v;

    (void)state;
    build_rules(b, only, OW_LEN(only));
    b->chart.hook = OW_HOOK_PATIENT_VIEW;
    b->orders[0].is_draft = b->orders[0].selected = false;
    b->orders[0].status = OW_STATUS_ACTIVE;
    v = build_judge(b);
    assert_non_null(build_finding(v, "pdmp-due"));
    assert_int_equal(v->n_cards, 0);
    assert_string_equal(suppressed(v, "pdmp-due")->by, "nothing-to-do");
}

/* What nobody is told hides nothing either, whether it stands before or behind. */
static void what_is_in_shadow_inhibits_nothing(void **state)
{
    static const char *const rules[] = { "med-threshold", "sedative-coprescribing",
                                         "unreadable-dose" };
    struct build *b = with_sedative();
    const struct ow_verdict *v;

    (void)state;
    build_rules(b, rules, OW_LEN(rules));
    build_order(b, "u", RX_MORPHINE_15);                          /* nobody can read it */
    b->policy.rules[OW_RULE_MED_THRESHOLD].mode = OW_MODE_SHADOW; /* before */
    v = build_judge(b);
    assert_null(build_finding(v, "unreadable-dose")->silent);
    assert_null(build_finding(v, "sedative-coprescribing")->silent);
    b->policy.rules[OW_RULE_MED_THRESHOLD].mode = OW_MODE_ON;
    b->policy.params[OW_PARAM_MED_THRESHOLD_CRITICAL] = build_ratio("500");
    b->policy.rules[OW_RULE_SEDATIVE].mode = OW_MODE_SHADOW; /* behind, critical */
    v = build_judge(b);
    assert_int_equal(build_finding(v, "sedative-coprescribing")->tier, OW_TIER_CRITICAL);
    assert_null(build_finding(v, "med-threshold")->silent);
}

/* Who lowers a high dose hears of the fall, and not that the dose is high. */
static void a_fast_fall_leads_over_a_high_dose_of_its_tier(void **state)
{
    static const char *const rules[] = { "med-threshold", "fast-taper" };
    struct build *b = fresh();
    struct ow_order *o;
    const struct ow_verdict *v;

    (void)state;
    build_rules(b, rules, OW_LEN(rules));
    o = build_order(b, "old", RX_OXYCODONE_10);
    build_dose(b, o, "1", "tablet", 5);
    build_supply(o, "3500", 700);
    o->has_authored = true;
    o->authored = build_time("2025-11-01");
    o = build_order(b, "new", RX_OXYCODONE_10);
    build_dose(b, o, "1", "tablet", 4);
    build_supply(o, "120", 30);
    o->prior = "MedicationRequest/old";
    build_draft(b, o);
    b->chart.hook = OW_HOOK_ORDER_SIGN;
    v = build_judge(b);
    assert_int_equal(build_finding(v, "med-threshold")->tier, OW_TIER_WARNING);
    assert_int_equal(build_finding(v, "fast-taper")->tier, OW_TIER_WARNING);
    assert_int_equal(v->n_cards, 1);
    assert_string_equal(v->cards[0].rule, "fast-taper");
}

static void what_cannot_be_read_offers_to_ask_the_pharmacy(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "d", RX_OXYCODONE_20);
    const struct ow_suggestion *s;

    (void)state;
    build_draft(b, o);
    b->chart.hook = OW_HOOK_ORDER_SIGN;
    s = build_judge(b)->cards[0].suggestions;
    assert_string_equal(s[0].label, "Ask the pharmacy to clarify");
    assert_int_equal(s[0].actions[0].type, OW_ACTION_CREATE);
    assert_string_equal(s[0].actions[0].proposal->type, "Task");
    assert_string_equal(s[0].actions[0].proposal->focus, "MedicationRequest/d");
}

static void answers_fit_what_the_card_is_about(void **state)
{
    struct build *b = fresh();
    struct ow_order *o = build_order(b, "d", RX_OXYCODONE_20);
    const struct ow_card *c;

    (void)state;
    build_draft(b, o);
    b->chart.hook = OW_HOOK_ORDER_SIGN;
    c = build_judge(b)->cards;
    assert_string_equal(c->override_reasons[0].code, "clarified");
    for (size_t i = 0; i < c->n_override_reasons; i++) {
        assert_string_not_equal(c->override_reasons[i].code, "benefit-outweighs-risk");
        assert_null(strstr(c->override_reasons[i].code, "snooze")); /* never a dose */
    }
    c = build_judge(with_sedative())->cards;
    assert_string_equal(c->override_reasons[0].code, "benefit-outweighs-risk");
    assert_string_equal(c->override_reasons[c->n_override_reasons - 1].code,
                        "snooze-3-months");
}

static void the_guideline_is_one_click_away(void **state)
{
    const struct ow_card *c = build_judge(with_sedative())->cards;

    (void)state;
    assert_int_equal(c->n_links, 1);
    assert_non_null(strstr(c->links[0].url, "/71/rr/rr7103a1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_in_shadow_is_recorded_and_tells_nobody),
        cmocka_unit_test(every_finding_is_told_or_stands_among_the_suppressed),
        cmocka_unit_test(an_info_with_nothing_to_do_interrupts_nobody),
        cmocka_unit_test(what_is_in_shadow_inhibits_nothing),
        cmocka_unit_test(a_fast_fall_leads_over_a_high_dose_of_its_tier),
        cmocka_unit_test(what_cannot_be_read_offers_to_ask_the_pharmacy),
        cmocka_unit_test(answers_fit_what_the_card_is_about),
        cmocka_unit_test(the_guideline_is_one_click_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
