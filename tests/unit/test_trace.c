/*
 * Trace: the steps from an order's words to its figure, and the sums of the totals
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

static int setup(void **state)
{
    static struct build b;

    build_init(&b);
    b.q.trace = true;
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    build_done(*state);
    return 0;
}

/* "step: in -> out; rule [table: row]" a line. */
static const char *told(struct build *b, const char *id)
{
    const struct ow_line *l = build_line(build_judge(b), id);
    const char *ret = "";

    for (size_t i = 0; i < l->n_trace; i++) {
        const struct ow_trace *t = &l->trace[i];

        ret = ow_arena_printf(&b->arena, "%s%s: %s%s%s%s%s", ret, t->step,
                              t->in != NULL ? t->in : "", t->in != NULL ? " -> " : "",
                              t->out, t->rule != NULL ? "; " : "",
                              t->rule != NULL ? t->rule : "");
        if (t->table != NULL)
            ret = ow_arena_printf(&b->arena, "%s [%s: %s]", ret, t->table, t->row);
        ret = ow_arena_printf(&b->arena, "%s\n", ret);
    }
    return ret;
}

static void an_order_tells_each_step(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_20);

    build_dose(b, o, "1", "tablet", 4)->text = "one tablet 4 times a day";
    build_supply(o, "60", 30);
    assert_string_equal(
        told(b, "a"),
        "drug: rxnorm 1049686 -> oxycodone hydrochloride 20 MG Oral Tablet "
        "[opioid_products 2025-02: 1049686]\n"
        "standing: status active, intent order -> in force\n"
        "dose: one tablet 4 times a day -> 1 tablet x 4/d x 20 mg = 80 mg/d; the highest "
        "dose it allows\n"
        "supply: quantity and days of supply -> 40 mg/d; quantity over days\n"
        "factor: Oxycodone, oral_solid -> 1.5 [cdc-2022: Oxycodone, oral]\n"
        "med: 80 mg/d x 1.5 -> 120 MME/d\n"
        "span: start and supply -> 2026-03-01 to 2026-03-31\n"
        "role: counted\n");
    b->q.trace = false;
    assert_int_equal(build_line(build_judge(b), "a")->n_trace, 0);
}

static void every_coding_of_a_drug_is_told(void **state)
{
    static const struct ow_coding codings[] = {
        {"urn:local",       "77",            NULL},
        { OW_SYSTEM_RXNORM, RX_OXYCODONE_20, NULL},
    };
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_OXYCODONE_20);

    o->medication.code = (struct ow_concept){ .codings = codings, .n_codings = 2 };
    build_dose(b, o, "1", "tablet", 4);
    assert_true(ow_starts_with(told(b, "a"), "drug: urn:local 77; rxnorm 1049686 -> "));
}

static void a_supply_alone_tells_its_own(void **state)
{
    struct build *b = *state;

    build_supply(build_order(b, "a", RX_OXYCODONE_10), "120", 30);
    assert_non_null(strstr(told(b, "a"), "supply: quantity and days of supply -> "));
    assert_non_null(strstr(told(b, "a"), " = 40 mg/d; quantity over days\n"));
    assert_null(strstr(told(b, "a"), "dose:"));
}

static void a_taper_tells_each_of_its_steps(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "t", RX_OXYCODONE_20);
    const char *text;

    for (int i = 1; i <= 2; i++) {
        struct ow_dosage *d = build_dose(b, o, "1", "tablet", i == 1 ? 4 : 2);

        d->has_sequence = true;
        d->sequence = i;
        d->text = i == 1 ? "first" : NULL;
        d->patient_instruction = "then";
        d->timing.bounds = OW_BOUNDS_DURATION;
        d->timing.bounds_duration = (struct ow_quantity){
            .has_value = true, .value = OW_RATIO(7, 1), .unit = "d", .code = "d"
        };
    }
    text = told(b, "t");
    assert_non_null(
        strstr(text, "dose: first; then -> 1 tablet x 4/d x 20 mg = 80 mg/d"));
    assert_non_null(strstr(text, "med: 80 mg/d x 1.5 -> 120 MME/d\n"
                                 "med: 40 mg/d x 1.5 -> 60 MME/d\n"
                                 "span: the directions -> 2026-03-01 to 2026-03-15\n"));
}

static void a_patch_is_in_micrograms_an_hour(void **state)
{
    struct build *b = *state;

    build_dose(b, build_order(b, "a", RX_FENTANYL_25), "1", "patch", 1);
    assert_non_null(strstr(told(b, "a"), "med: 25 ug/h x 2.4 -> 60 MME/d\n"));
}

static void an_older_factor_says_its_rule(void **state)
{
    struct build *b = *state;

    b->policy.older_factor = true;
    build_dose(b, build_order(b, "a", RX_LEVORPHANOL_2), "1", "tablet", 3);
    assert_non_null(
        strstr(told(b, "a"), "-> 11; the older table, by policy [cdc-2016: "));
}

static void what_does_not_count_tells_why(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", NULL);

    assert_string_equal(told(b, "a"),
                        "drug: neither code nor name -> unnamed drug\n"
                        "standing: status active, intent order -> in force\n"
                        "span: no end is told -> 2026-03-01 to open\n"
                        "role: unknown; neither code nor name\n");
    o->medication.code.text = "Roxy";
    assert_true(ow_starts_with(told(b, "a"), "drug: Roxy -> Roxy\n"));
    o->medication.code.text = NULL;
    o->medication.display = "Roxy tablets";
    assert_true(ow_starts_with(told(b, "a"), "drug: Roxy tablets -> "));
    o->medication.display = NULL;
    o->medication.reference = "Medication/m1";
    o->medication.unresolved = true;
    assert_true(ow_starts_with(told(b, "a"), "drug: Medication/m1 -> "));
    o->medication.code = build_concept(b, "urn:local", NULL, NULL);
    assert_true(ow_starts_with(told(b, "a"), "drug: urn:local ? -> "));
    o->medication.code = build_concept(b, NULL, "77", NULL);
    assert_true(ow_starts_with(told(b, "a"), "drug: ? 77 -> "));
}

static void the_status_is_told_in_its_own_word(void **state)
{
    struct build *b = *state;
    struct ow_order *o = build_order(b, "a", RX_LORAZEPAM_1);

    o->status = OW_STATUS_OTHER;
    o->status_text = "paused";
    assert_non_null(strstr(told(b, "a"),
                           "standing: status paused, intent order -> not in "
                           "force\n"));
    assert_non_null(strstr(told(b, "a"), "[sedatives 2025-02: 197901]\n"));
    o->status_text = NULL;
    assert_non_null(strstr(told(b, "a"), "standing: status ?, intent order"));
    o->status = OW_STATUS_STOPPED;
    o->do_not_perform = true;
    assert_non_null(
        strstr(told(b, "a"), "status stopped, intent order, not to be given"));
    o->do_not_perform = false;
    build_draft(b, o);
    o->intent = OW_INTENT_PROPOSAL;
    assert_non_null(strstr(told(b, "a"), "status draft, intent proposal, being signed -> "
                                         "in force\n"));
}

static void a_replaced_order_names_what_stands_for_it(void **state)
{
    struct build *b = *state;
    struct ow_order *o;

    build_dose(b, build_order(b, "a", RX_OXYCODONE_5), "1", "tablet", 4);
    o = build_order(b, "b", RX_OXYCODONE_10);
    build_dose(b, o, "1", "tablet", 4);
    o->prior = "MedicationRequest/a";
    assert_non_null(strstr(told(b, "a"),
                           "role: MedicationRequest/b -> replaced; replaced "
                           "by MedicationRequest/b\n"));
}

/* ---- sums ---- */

static void the_total_shows_its_sum(void **state)
{
    struct build *b = *state;
    struct ow_order *o;
    const struct ow_verdict *v = build_judge(b);

    assert_null(v->sum_now);
    assert_null(v->sum_peak);
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    assert_string_equal(build_judge(b)->sum_now, "120 MME/d");
    build_dose(b, build_order(b, "b", RX_MORPHINE_15), "1", "tablet", 3);
    o = build_order(b, "c", RX_OXYCODONE_5);
    build_dose(b, o, "1", "tablet", 2);
    o->authored = build_time("2026-03-09");
    v = build_judge(b);
    assert_string_equal(v->sum_now, "120 + 45 = 165 MME/d");
    assert_string_equal(v->sum_peak, "120 + 45 + 15 = 180 MME/d");
    assert_non_null(strstr(v->cards[0].detail,
                           "| **total now** | 120 + 45 = 165 MME/d | **165** |\n"
                           "| **highest, from 2026-03-09** | 120 + 45 + 15 = 180 MME/d | "
                           "**180** |\n"));
}

static void methadone_in_the_sum_has_the_factor_of_the_day(void **state)
{
    struct build *b = *state;
    struct ow_order *o;

    build_preset(b, "cdc-2016");
    build_dose(b, build_order(b, "a", RX_METHADONE_10), "1", "tablet", 2);
    o = build_order(b, "b", RX_METHADONE_10);
    build_dose(b, o, "1", "tablet", 1);
    o->authored = build_time("2026-03-10");
    assert_string_equal(build_judge(b)->sum_now, "80 MME/d");
    assert_string_equal(build_judge(b)->sum_peak, "160 + 80 = 240 MME/d");
}

static void a_sum_that_pencil_and_paper_miss_by_rounding_says_so(void **state)
{
    struct build *b = *state;
    char id[16];

    for (int i = 0; i < 7; i++) { /* 5 mg a week, seven times: 1.0714... each */
        (void)snprintf(id, sizeof id, "w%d", i);
        build_dose(b, build_order(b, id, RX_OXYCODONE_5), "1", "tablet", 1)
            ->timing.period_unit = "wk";
    }
    assert_string_equal(build_judge(b)->sum_now,
                        "1.07 + 1.07 + 1.07 + 1.07 + 1.07 + 1.07 + 1.07 = 7.5 MME/d, "
                        "added exactly and rounded at the end");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_order_tells_each_step),
        T(every_coding_of_a_drug_is_told),
        T(a_supply_alone_tells_its_own),
        T(a_taper_tells_each_of_its_steps),
        T(a_patch_is_in_micrograms_an_hour),
        T(an_older_factor_says_its_rule),
        T(what_does_not_count_tells_why),
        T(the_status_is_told_in_its_own_word),
        T(a_replaced_order_names_what_stands_for_it),
        T(the_total_shows_its_sum),
        T(methadone_in_the_sum_has_the_factor_of_the_day),
        T(a_sum_that_pencil_and_paper_miss_by_rounding_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
