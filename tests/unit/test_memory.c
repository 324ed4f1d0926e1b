/*
 * Memory: a snooze is kept and ended, a repeat does not interrupt, and what is new is
 * told
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/memory.h"
#include "base/text.h"
#include "tests/support/build.h"

/* Oxycodone 20 mg four times a day, 120 MME/d, signed by d in encounter e, and what was
 * told of it. */
struct scene {
    struct build b;
    struct ow_told told[2];
    struct ow_order *draft;
};

static struct scene *scene(const char *days_ago)
{
    static struct scene s;
    static bool used;

    if (used)
        build_done(&s.b);
    used = true;
    s = (struct scene){ 0 };
    build_init(&s.b);
    s.b.policy.memory_days = 30;
    s.b.policy.memory_critical_days = 7;
    s.b.policy.memory_override_days = 90;
    s.draft = build_order(&s.b, "a", RX_OXYCODONE_20);
    build_dose(&s.b, s.draft, "1", "tablet", 4);
    build_draft(&s.b, s.draft);
    s.b.chart.hook = OW_HOOK_ORDER_SIGN;
    s.b.q.prescriber = "Practitioner/d";
    s.b.q.encounter = "e";
    s.b.q.instance = "now";
    s.told[0] = (struct ow_told){
        .rule = "med-threshold",
        .cause = "",
        .tier = OW_TIER_CRITICAL,
        .at = build_time(days_ago).from,
        .has_med = true,
        .med = build_ratio("120"),
        .prescriber = "Practitioner/d",
        .encounter = "before",
        .prescribers = "Practitioner/d",
        .classes = "",
        .hook = OW_HOOK_ORDER_SIGN,
        .instance = "then",
        .card = "uuid-1",
    };
    s.b.q.told = s.told;
    s.b.q.n_told = 1;
    return &s;
}

static void snooze(struct scene *s, const char *until)
{
    s->told[0].answer = OW_ANSWER_OVERRIDDEN;
    s->told[0].answer_code = "snooze-3-months";
    s->told[0].has_until = true;
    s->told[0].until = build_time(until).from;
}

static const char *by_of(const struct ow_verdict *v, const char *rule,
                         const char **resource)
{
    for (size_t i = 0; i < v->n_suppressed; i++) {
        if (!ow_streq(v->suppressed[i].rule, rule))
            continue;
        if (resource)
            *resource = v->suppressed[i].resource;
        return v->suppressed[i].by;
    }
    return NULL;
}

static bool interrupts(const struct ow_verdict *v)
{
    return v->n_cards > 0 && v->cards[0].indicator > OW_TIER_INFO;
}

/* ---- repeats ---- */

static void a_repeat_is_told_in_full_and_interrupts_nobody(void **state)
{
    const struct ow_verdict *v = build_judge(&scene("2026-02-27T08:00:00Z")->b);
    const char *card = NULL;

    (void)state;
    assert_string_equal(by_of(v, "med-threshold", &card), "repeat");
    assert_string_equal(card, "uuid-1");
    assert_non_null(build_finding(v, "med-threshold"));
    assert_int_equal(v->n_cards, 1);
    assert_int_equal(v->cards[0].indicator, OW_TIER_INFO);
    assert_non_null(strstr(v->cards[0].summary, "120"));
}

static void a_repeat_is_one_only_while_it_is_recent(void **state)
{
    static const struct {
        const char *at;
        enum ow_tier tier;
        const char *encounter;
        bool interrupts;
    } cases[] = {
        {"2026-02-23T08:00:01Z",  OW_TIER_CRITICAL, NULL,
         false                                                     }, /* a second under 7 d */
        { "2026-02-23T08:00:00Z", OW_TIER_CRITICAL, NULL,     true },
        { "2026-01-02T08:00:00Z", OW_TIER_CRITICAL, "e",      false}, /* this encounter */
        { "2026-01-02T08:00:00Z", OW_TIER_CRITICAL, "before", true },
        { "2026-01-31T08:00:01Z", OW_TIER_WARNING,  NULL,     false}, /* under 30 d */
        { "2026-01-31T08:00:00Z", OW_TIER_WARNING,  NULL,     true },
        { "2026-03-02T08:00:01Z", OW_TIER_CRITICAL, "e",      true }, /* not yet told */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct scene *s = scene(cases[i].at);

        s->told[0].encounter = cases[i].encounter;
        s->told[0].tier = cases[i].tier;
        if (cases[i].tier == OW_TIER_WARNING) {
            s->b.policy.params[OW_PARAM_MED_THRESHOLD_CRITICAL] = build_ratio("500");
        }
        assert_int_equal(interrupts(build_judge(&s->b)), cases[i].interrupts);
    }
}

static void what_is_new_is_told(void **state)
{
    struct scene *s;

    (void)state;
    s = scene("2026-03-01T08:00:00Z");
    s->told[0].med = build_ratio("109.1"); /* 120 is 9.99 % more */
    assert_false(interrupts(build_judge(&s->b)));
    s->told[0].med = build_ratio("109"); /* and here 10.09 % */
    assert_true(interrupts(build_judge(&s->b)));
    s = scene("2026-03-01T08:00:00Z");
    s->told[0].has_med = false;
    assert_true(interrupts(build_judge(&s->b)));
    s = scene("2026-03-01T08:00:00Z");
    s->told[0].tier = OW_TIER_WARNING;
    assert_true(interrupts(build_judge(&s->b)));
    s = scene("2026-03-01T08:00:00Z");
    s->told[0].prescribers = "Practitioner/x Practitioner/y";
    assert_true(interrupts(build_judge(&s->b)));
    s = scene("2026-03-01T08:00:00Z");
    build_dose(&s->b, build_order(&s->b, "l", RX_LORAZEPAM_1), "1", "tablet", 1);
    assert_null(
        by_of(build_judge(&s->b), "med-threshold", NULL) &&
                ow_streq(by_of(build_judge(&s->b), "med-threshold", NULL), "repeat")
            ? "held"
            : NULL);
    s->told[0].classes = "benzodiazepine";
    assert_string_equal(by_of(build_judge(&s->b), "med-threshold", NULL), "repeat");
}

/* What cannot be compared is new. */
static void a_dose_told_that_fits_no_number_holds_nothing(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");

    (void)state;
    s->told[0].med = build_ratio("9000000000000000000");
    assert_true(interrupts(build_judge(&s->b))); /* a tenth more does not fit */
    s->b.policy.memory_rise = build_ratio("2");
    assert_true(interrupts(build_judge(&s->b)));
}

static void classes_that_nobody_wrote_down_are_not_new(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");

    (void)state;
    s->told[0].classes = s->told[0].prescribers = NULL;
    assert_false(interrupts(build_judge(&s->b)));
}

static void a_rule_in_shadow_has_no_memory(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");
    const struct ow_verdict *v;

    (void)state;
    s->b.policy.rules[OW_RULE_MED_THRESHOLD].mode = OW_MODE_SHADOW;
    v = build_judge(&s->b);
    assert_null(build_finding(v, "med-threshold")->held);
    assert_string_equal(by_of(v, "med-threshold", NULL), "shadow");
}

static void only_who_was_told_is_spared(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");

    (void)state;
    s->told[0].prescriber = "Practitioner/other";
    assert_true(interrupts(build_judge(&s->b)));
    s->told[0].prescriber = NULL;
    assert_true(interrupts(build_judge(&s->b)));
    s->b.q.prescriber = NULL; /* an event: the episode is its memory */
    assert_true(interrupts(build_judge(&s->b)));
}

static void another_rule_or_cause_is_another_matter(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");

    (void)state;
    s->told[0].rule = "naloxone-offer";
    assert_true(interrupts(build_judge(&s->b)));
    s->told[0].rule = "med-threshold";
    s->told[0].cause = "another";
    assert_true(interrupts(build_judge(&s->b)));
}

static void the_same_call_again_has_the_same_answer(void **state)
{
    struct scene *s = scene("2026-03-02T07:59:59Z");

    (void)state;
    s->told[0].instance = "now";
    assert_true(interrupts(build_judge(&s->b)));
}

static void signing_is_not_softened_by_what_selecting_said(void **state)
{
    struct scene *s = scene("2026-03-02T07:59:00Z");

    (void)state;
    s->told[0].hook = OW_HOOK_ORDER_SELECT;
    assert_true(interrupts(build_judge(&s->b)));
    s->b.chart.hook = OW_HOOK_ORDER_SELECT;
    assert_false(interrupts(build_judge(&s->b)));
}

static void the_latest_telling_decides(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");

    (void)state;
    s->told[1] = s->told[0];
    s->told[1].at = build_time("2026-02-28T08:00:00Z").from;
    s->told[1].med = build_ratio("60");
    s->b.q.n_told = 2;
    assert_false(interrupts(build_judge(&s->b)));
}

static void a_line_under_another_lead_stays_a_line(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");
    const struct ow_verdict *v;

    (void)state;
    build_dose(&s->b, build_order(&s->b, "l", RX_LORAZEPAM_1), "1", "tablet", 1);
    s->told[0].classes = "benzodiazepine";
    v = build_judge(&s->b);
    assert_string_equal(v->cards[0].rule, "sedative-coprescribing");
    assert_true(interrupts(v));
    assert_non_null(strstr(v->cards[0].detail, "120 MME/d reaches 90"));
}

/* ---- snoozes and overrides ---- */

static void a_snooze_is_silent_to_its_end(void **state)
{
    struct scene *s = scene("2026-01-15T08:00:00Z");
    const struct ow_verdict *v;
    const char *card = NULL;

    (void)state;
    snooze(s, "2026-04-15");
    v = build_judge(&s->b);
    assert_string_equal(by_of(v, "med-threshold", &card), "snooze:2026-04-15");
    assert_string_equal(card, "uuid-1");
    assert_null(build_finding(v, "med-threshold"));
    snooze(s, "2026-03-02T08:00:00Z"); /* this instant: over */
    assert_true(interrupts(build_judge(&s->b)));
    s->told[0].at = build_time("2026-03-01").from; /* over is over, however recent */
    assert_true(interrupts(build_judge(&s->b)));
}

static void a_snooze_ends_when_the_dose_rises(void **state)
{
    struct scene *s = scene("2026-01-15T08:00:00Z");

    (void)state;
    snooze(s, "2026-04-15");
    s->told[0].med = build_ratio("100");
    assert_true(interrupts(build_judge(&s->b)));
    s->b.policy.memory_rise = build_ratio("0.2"); /* 120 is not more than 120 */
    assert_null(build_finding(build_judge(&s->b), "med-threshold"));
}

static void an_override_with_a_reason_lasts_longer(void **state)
{
    struct scene *s = scene("2026-02-10T08:00:00Z"); /* 20 days */

    (void)state;
    assert_true(interrupts(build_judge(&s->b)));
    s->told[0].answer = OW_ANSWER_OVERRIDDEN;
    assert_true(interrupts(build_judge(&s->b)));
    s->told[0].answer_code = "palliative";
    assert_string_equal(by_of(build_judge(&s->b), "med-threshold", NULL),
                        "override:palliative");
    s->told[0].at = build_time("2026-01-31T08:00:00Z").from; /* critical: 30 days */
    assert_true(interrupts(build_judge(&s->b)));
}

static void a_snooze_code_is_read_by_the_calendar(void **state)
{
    static const struct {
        const char *code, *from, *until; /* NULL: no such code */
    } cases[] = {
        {"snooze-3-months",     "2026-11-22T23:30:00Z", "2027-02-22"},
        { "snooze-1-month",     "2026-01-31T08:00:00Z", "2026-02-28"},
        { "snooze-1-year",      "2028-02-29T08:00:00Z", "2029-02-28"},
        { "snooze-6-months",    "2026-08-31T00:00:00Z", "2027-02-28"},
        { "snooze-2-weeks",     "2026-12-25T08:00:00Z", "2027-01-08"},
        { "snooze-10-days",     "2026-03-02T08:00:00Z", "2026-03-12"},
        { "snooze-3-years",     "2026-03-02T08:00:00Z", NULL        },
        { "snooze-0-days",      "2026-03-02T08:00:00Z", NULL        },
        { "snooze-1-months",    "2026-03-02T08:00:00Z", NULL        },
        { "snooze-",            "2026-03-02T08:00:00Z", NULL        },
        { "snooze-3-moons",     "2026-03-02T08:00:00Z", NULL        },
        { "snooze-99999-days",  "2026-03-02T08:00:00Z", NULL        },
        { "snooze-1xdays",      "2026-03-02T08:00:00Z", NULL        },
        { "snooze-1 day",       "2026-03-02T08:00:00Z", NULL        },
        { "snooze-day",         "2026-03-02T08:00:00Z", NULL        },
        { "snooze-999999-days", "2026-03-02T08:00:00Z", NULL        },
        { "snooze-99999-day",   "2026-03-02T08:00:00Z", NULL        },
        { "palliative",         "2026-03-02T08:00:00Z", NULL        },
        { NULL,                 "2026-03-02T08:00:00Z", NULL        },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        char text[OW_TIME_TEXT];
        ow_time until;

        if (!cases[i].until) {
            assert_false(ow_memory_snooze(cases[i].code, NULL,
                                          build_time(cases[i].from).from, &until));
            continue;
        }
        assert_true(ow_memory_snooze(cases[i].code, NULL, build_time(cases[i].from).from,
                                     &until));
        assert_string_equal(ow_time_format_date(until, NULL, text), cases[i].until);
    }
}

/* ---- what the next time is compared with ---- */

static void the_verdict_tells_classes_and_prescribers(void **state)
{
    struct scene *s = scene("2026-03-01T08:00:00Z");
    struct ow_order *o = build_order(&s->b, "m", RX_MORPHINE_15);
    const struct ow_verdict *v;

    (void)state;
    build_dose(&s->b, o, "1", "tablet", 1);
    o->prescriber = "Practitioner/b";
    build_dose(&s->b, build_order(&s->b, "l", RX_LORAZEPAM_1), "1", "tablet", 1);
    v = build_judge(&s->b);
    assert_string_equal(v->classes, "benzodiazepine");
    assert_string_equal(v->prescribers, "Practitioner/b Practitioner/d");
    o->prescriber = "Practitioner/b c"; /* would read as two */
    assert_string_equal(build_judge(&s->b)->prescribers, "Practitioner/d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeat_is_told_in_full_and_interrupts_nobody),
        cmocka_unit_test(a_repeat_is_one_only_while_it_is_recent),
        cmocka_unit_test(what_is_new_is_told),
        cmocka_unit_test(a_dose_told_that_fits_no_number_holds_nothing),
        cmocka_unit_test(classes_that_nobody_wrote_down_are_not_new),
        cmocka_unit_test(a_rule_in_shadow_has_no_memory),
        cmocka_unit_test(only_who_was_told_is_spared),
        cmocka_unit_test(another_rule_or_cause_is_another_matter),
        cmocka_unit_test(the_same_call_again_has_the_same_answer),
        cmocka_unit_test(signing_is_not_softened_by_what_selecting_said),
        cmocka_unit_test(the_latest_telling_decides),
        cmocka_unit_test(a_line_under_another_lead_stays_a_line),
        cmocka_unit_test(a_snooze_is_silent_to_its_end),
        cmocka_unit_test(a_snooze_ends_when_the_dose_rises),
        cmocka_unit_test(an_override_with_a_reason_lasts_longer),
        cmocka_unit_test(a_snooze_code_is_read_by_the_calendar),
        cmocka_unit_test(the_verdict_tells_classes_and_prescribers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
