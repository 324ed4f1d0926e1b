/*
 * Co-ingredient: acetaminophen a day, from tables, names and compounded medications
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/co_ingredient.h"
#include "alerts/named.h"
#include "alerts/roles.h"
#include "tests/support/build.h"

#define RX_NORCO_5  "857002" /* acetaminophen 325 MG / hydrocodone bitartrate 5 MG */
#define RX_HYCET    "856940" /* acetaminophen 21.7 MG/ML / hydrocodone 0.5 MG/ML */
#define RX_APAP_500 "198440" /* in no table of ours */
#define RX_APAP_160 "307675"
#define RX_ULTRACET "836395" /* acetaminophen 325 MG / tramadol 37.5 MG */
#define RX_FIORICET "993943" /* acetaminophen 325 MG and codeine, among others */

static struct build b;
static struct ow_judge j;

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

/* The judgement as far as roles and spans, as ow_evaluate has it. */
static void judge(void)
{
    size_t n = b.chart.n_orders;

    j = (struct ow_judge){
        .chart = &b.chart,
        .q = &b.q,
        .kb = b.q.knowledge,
        .policy = b.q.policy,
        .arena = &b.arena,
        .window = {b.q.at, ow_time_add(b.q.at, 90 * OW_DAY)},
        .v = OW_NEW(&b.arena, struct ow_verdict),
        .items = OW_NEW_N(&b.arena, struct ow_item, n),
        .n_items = n,
        .readings = OW_NEW_N(&b.arena, const struct ow_reading *, n),
    };
    j.all = j.items;
    j.n_all = n;
    for (size_t i = 0; i < n; i++) {
        j.items[i].order = &b.chart.orders[i];
        ow_identify(&b.chart.orders[i].medication, j.kb, j.arena, &j.items[i].drug);
        ow_role_stand(&j, &j.items[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (j.items[i].stands)
            ow_judge_read(&j, &j.items[i]);
    ow_roles_replace(&j);
}

static struct ow_co_ingredient ask_at(size_t i, ow_time at)
{
    struct ow_co_ingredient ret;

    ow_acetaminophen_at(&j, &j.items[i], at, &ret);
    return ret;
}

static struct ow_co_ingredient ask(size_t i)
{
    judge();
    return ask_at(i, b.q.at);
}

static void gives(size_t i, const char *mg, const char *words)
{
    struct ow_co_ingredient c = ask(i);

    if (c.state == OW_CO_UNKNOWN)
        fail_msg("%s", c.reason);
    assert_int_equal(c.state, OW_CO_KNOWN);
    assert_int_equal(ow_ratio_cmp(c.mg_day, build_ratio(mg)), 0);
    if (words != NULL)
        assert_string_equal(c.words, words);
}

static void gives_none(size_t i)
{
    assert_int_equal(ask(i).state, OW_CO_NONE);
}

static void is_unknown(size_t i, const char *why)
{
    struct ow_co_ingredient c = ask(i);

    assert_int_equal(c.state, OW_CO_UNKNOWN);
    if (strstr(c.reason, why) == NULL)
        fail_msg("%s", c.reason);
}

static struct ow_order *named(const char *id, const char *rxcui, const char *name)
{
    struct ow_order *o = build_order(&b, id, rxcui);

    o->medication.code = build_concept(&b, OW_SYSTEM_RXNORM, rxcui, name);
    return o;
}

static struct ow_quantity quantity(const char *value, const char *unit)
{
    return (struct ow_quantity){ .has_value = true,
                                 .value = build_ratio(value),
                                 .unit = unit,
                                 .system = OW_SYSTEM_UCUM,
                                 .code = unit };
}

static void ingredient(struct ow_order *o, const char *rxcui, const char *name,
                       const char *mg, const char *per, const char *unit)
{
    struct ow_ingredient *list = OW_NEW_N(&b.arena, struct ow_ingredient, 4);
    struct ow_ingredient *it = &list[o->medication.n_ingredients];

    for (size_t i = 0; i < o->medication.n_ingredients; i++)
        list[i] = o->medication.ingredients[i];
    it->item = build_concept(&b, OW_SYSTEM_RXNORM, rxcui, name);
    it->has_strength = mg != NULL;
    if (mg != NULL) {
        it->strength.numerator = quantity(mg, "mg");
        it->strength.denominator = quantity(per, unit);
    }
    o->medication.ingredients = list;
    o->medication.n_ingredients++;
}

/* ---- names ---- */

static void names_state_their_strength(void **state)
{
    static const struct {
        const char *name, *mg;
        bool per_ml, combined;
    } cases[] = {
        {"acetaminophen 500 MG Oral Tablet",                                              "500",  false, false},
        { "Acetaminophen 325 MG Oral Tablet [Tylenol]",                                   "325",  false, false},
        { "8 HR acetaminophen 650 MG Extended Release Oral Tablet",                       "650",  false, false},
        { "acetaminophen 32 MG/ML Oral Suspension",                                       "32",   true,  false},
        { "acetaminophen 160 mg/5 mL suspension",                                         "32",   true,  false},
        { "Acetaminophen 160 MG per 5 ML Oral Solution",                                  "32",   true,  false},
        { "paracetamol 80 mg in 0.8 mL drops",                                            "100",  true,  false},
        { "paracetamol 1 g tablets",                                                      "1000", false, false},
        { "acetaminophen 500000 MCG\tOral Tablet, 8 HR",                                  "500",  false, false},
        { "acetaminophen 500 gm powder in a packet of unusuallylongwordsthatgoonforever",
         "500000",                                                                                false, false},
        { "500000 ug acetaminophen tablets \xC2\xAE",                                     "500",  false, false},
        { "APAP 500mg tab",                                                               "500",  false, false},
        { "Tylenol Extra Strength 500 mg caplets",                                        "500",  false, false},
        { "acetaminophen (Tylenol) 500 mg",                                               "500",  false, false},
        { "acetaminophen 120 MG Rectal Suppository",                                      "120",  false, false},
        { "acetaminophen 500 MG / diphenhydramine hydrochloride 25 MG Oral Tablet",       "500",
         false,                                                                                          true },
        { "butalbital 50 MG / acetaminophen 325 MG / caffeine 40 MG Oral Tablet",         "325",
         false,                                                                                          true },
        { "acetaminophen 21.7 MG/ML / hydrocodone bitartrate 0.5 MG/ML Oral Solution",
         "21.7",                                                                                  true,  true },
        { "acetaminophen 500 MG 'Oral' {blue} a_b Tablet",                                "500",  false, false},
        { "acetaminophen 10 MG/ML Injectable Solution, 100 ML bag",                       "10",   true,  false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_product p;
        bool combined;

        if (ow_named_acetaminophen(cases[i].name, &p, &combined) != OW_NAMED_READ)
            fail_msg("%s", cases[i].name);
        if (ow_ratio_cmp(p.strength, build_ratio(cases[i].mg)) != 0 ||
            combined != cases[i].combined ||
            (p.strength_unit == OW_STRENGTH_MG_ML) != cases[i].per_ml)
            fail_msg("%s", cases[i].name);
    }
}

static void a_name_that_could_mean_another_drug_is_refused(void **state)
{
    static const char *const names[] = {
        "Tylenol",
        "acetaminophen",
        "Tylenol with Codeine 30 mg",
        "Tylenol #3",
        "codeine-acetaminophen 30 mg tablet",
        "acetaminophen and codeine 30 mg",
        "hydrocodone-acetaminophen 5-325 mg per tablet",
        "oxycodone/acetaminophen 5/325 mg",
        "oxycodone/acetaminophen 325 mg",
        "acetaminophen/codeine 300 mg/30 mg",
        "acetaminophen 1,000 mg tablet",
        "acetaminophen 1000 mg (2 x 500 mg tablets)",
        "acetaminophen 325 mg x 2 tablets",
        "acetaminophen 0 mg tablet",
        "acetaminophen 500. mg tablet",
        "acetaminophen 2 500 mg tablet",
        "acetaminophen 160 mg/1.2.3 mL",
        "acetaminophen suspension 160 mg per",
        "acetaminophen 500 mg oral solution",
        "acetaminophen 160 mg/0 mL",
        "acetaminophen 160 mg/5 mL tablet and acetaminophen 500 mg",
        "acetaminophen 325 mg / acetaminophen 500 mg",
        "acetaminophen 9500000000000000 g tablet",
        "acetaminophen 9000000000000000000 mg/0.001 mL",
    };
    static const char *const other[] = { "oxycodone 5 MG Oral Tablet", "apapane 5 mg",
                                         "" };
    char longer[500];
    struct ow_product p;
    bool combined;

    (void)state;
    for (size_t i = 0; i < OW_LEN(names); i++)
        if (ow_named_acetaminophen(names[i], &p, &combined) != OW_NAMED_UNREADABLE)
            fail_msg("%s", names[i]);
    for (size_t i = 0; i < OW_LEN(other); i++)
        assert_int_equal(ow_named_acetaminophen(other[i], &p, &combined), OW_NAMED_NOT);
    assert_int_equal(ow_named_acetaminophen(NULL, &p, &combined), OW_NAMED_NOT);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(ow_named_acetaminophen(longer, &p, &combined), OW_NAMED_NOT);
    memcpy(longer, "acetaminophen ", 14);
    assert_int_equal(ow_named_acetaminophen(longer, &p, &combined), OW_NAMED_UNREADABLE);
    memset(longer, '/', 399);
    longer[399] = '\0';
    memcpy(longer, "acetaminophen ", 14);
    assert_int_equal(ow_named_acetaminophen(longer, &p, &combined), OW_NAMED_UNREADABLE);
}

/* ---- opioids ---- */

static void two_tablets_every_six_hours_are_2600_mg(void **state)
{
    struct ow_order *o = build_order(&b, "a", RX_NORCO_5);
    struct ow_dosage *d = build_dose(&b, o, "2", "tablet", 1);

    (void)state;
    d->timing.period = (struct ow_number){ true, OW_RATIO(6, 1) };
    d->timing.period_unit = "h";
    gives(0, "2600", "40 mg/d, 325 mg for each 5 mg = 2600 mg/d");
}

static void a_dose_in_mg_of_the_opioid_gives_the_same(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_NORCO_5), "10", "mg", 4);
    gives(0, "2600", NULL);
}

static void a_liquid_gives_it_by_the_ml(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_HYCET), "15", "mL", 4);
    gives(0, "1302", "30 mg/d, 21.7 mg for each 0.5 mg = 1302 mg/d");
}

static void one_of_four_ingredients_is_found(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_FIORICET), "1", "capsule", 6);
    gives(0, "1950", NULL);
}

static void quantity_and_days_give_it_where_there_are_no_directions(void **state)
{
    (void)state;
    build_supply(build_order(&b, "a", RX_NORCO_5), "80", 10);
    gives(0, "2600", NULL);
}

static void the_step_of_a_taper_is_that_of_the_instant(void **state)
{
    struct ow_order *o = build_order(&b, "a", RX_NORCO_5);
    struct ow_dosage *d;

    (void)state;
    build_dose(&b, o, "2", "tablet", 4);
    build_dose(&b, o, "1", "tablet", 4);
    for (size_t i = 0; i < 2; i++) {
        d = (struct ow_dosage *)&o->dosages[i];
        d->has_sequence = true;
        d->sequence = (int64_t)i + 1;
        d->timing.bounds = OW_BOUNDS_DURATION;
        d->timing.bounds_duration = quantity("7", "d");
    }
    gives(0, "2600", NULL);
    assert_int_equal(ow_ratio_cmp(ask_at(0, ow_time_add(b.q.at, 8 * OW_DAY)).mg_day,
                                  OW_RATIO(1300, 1)),
                     0);
    assert_int_equal(ask_at(0, ow_time_add(b.q.at, 20 * OW_DAY)).state, OW_CO_NONE);
}

/* Steps that rise, and days between two of them. */
static void between_two_lines_there_is_none(void **state)
{
    struct ow_order *o = build_order(&b, "a", RX_NORCO_5);
    struct ow_dosage *d;

    (void)state;
    d = build_dose(&b, o, "1", "tablet", 4);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-03-01").from,
                                                build_time("2026-03-05").until };
    d = build_dose(&b, o, "2", "tablet", 4);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ build_time("2026-03-10").from,
                                                build_time("2026-03-15").until };
    gives(0, "1300", NULL);
    assert_int_equal(ask_at(0, build_time("2026-03-07").from).state, OW_CO_NONE);
    assert_int_equal(
        ow_ratio_cmp(ask_at(0, build_time("2026-03-11").from).mg_day, OW_RATIO(2600, 1)),
        0);
}

static void a_dose_too_large_for_exact_figures_is_unknown(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_NORCO_5), "10000000000000000", "tablet", 4);
    is_unknown(0, "too large");
}

static void strengths_per_tablet_and_per_ml_do_not_mix(void **state)
{
    struct ow_order *o = named("a", NULL, "house mixture");

    (void)state;
    o->dosages = NULL;
    ingredient(o, "5489", "hydrocodone", "7.5", "1", "{tablet}");
    ingredient(o, "161", "acetaminophen", "325", "15", "mL");
    build_dose(&b, o, "1", "tablet", 3);
    is_unknown(0, "how much acetaminophen");
    o = named("b", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");
    build_dose(&b, o, "1", "tablet", 3);
    o->medication.display = "acetaminophen 500 MG/ML Oral Solution";
    is_unknown(1, "how much acetaminophen");
}

static void an_opioid_alone_has_none(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_OXYCODONE_5), "2", "tablet", 4);
    gives_none(0);
}

static void an_opioid_whose_dose_is_unreadable_leaves_it_unknown(void **state)
{
    (void)state;
    (void)build_order(&b, "a", RX_NORCO_5);
    is_unknown(0, "no dosage and no supply");
}

static void what_is_not_in_force_gives_none(void **state)
{
    struct ow_order *o = build_order(&b, "a", RX_NORCO_5);

    (void)state;
    build_dose(&b, o, "2", "tablet", 4);
    o->status = OW_STATUS_STOPPED;
    gives_none(0);
    o->status = OW_STATUS_ACTIVE;
    o->authored = build_time("2026-04-01");
    gives_none(0);
    assert_int_equal(ask_at(0, build_time("2026-04-01").from).state, OW_CO_KNOWN);
}

static void a_compounded_liquid_keeps_an_exact_ratio(void **state)
{
    struct ow_order *o = named("a", "C1", "house mixture");

    (void)state;
    o->medication.code.codings = NULL;
    o->medication.code.n_codings = 0;
    o->medication.code.text = "house mixture";
    o->medication.form.text = "Oral Solution";
    ingredient(o, "5489", "hydrocodone", "7.5", "15", "mL");
    ingredient(o, "161", "acetaminophen", "325", "15", "mL");
    build_dose(&b, o, "10", "mL", 3);
    gives(0, "650", NULL); /* 30 mL of 325/15 mg: exact, though 325/15 is no decimal */
    assert_string_equal(j.items[0].drug.product->co_ingredients, "acetaminophen");
}

static void a_compounded_strength_in_another_unit_is_unknown(void **state)
{
    struct ow_order *o = named("a", NULL, "house mixture");

    (void)state;
    o->medication.form.text = "Oral Solution";
    ingredient(o, "5489", "hydrocodone", "7.5", "15", "mL");
    ingredient(o, "161", NULL, "325", "1", "{tablet}");
    build_dose(&b, o, "10", "mL", 3);
    is_unknown(0, "how much acetaminophen");
}

static void the_name_of_an_ingredient_states_its_strength(void **state)
{
    struct ow_order *o = named("a", NULL, "house capsule");

    (void)state;
    ingredient(o, "5489", "hydrocodone", "5", "1", "{capsule}");
    ingredient(o, NULL, "acetaminophen 325 MG", NULL, NULL, NULL);
    build_dose(&b, o, "1", "capsule", 3);
    gives(0, "975", NULL);
}

static void a_compounded_ingredient_twice_is_unknown(void **state)
{
    struct ow_order *o = named("a", NULL, "house mixture");

    (void)state;
    o->medication.form.text = "Oral Solution";
    ingredient(o, "5489", "hydrocodone", "7.5", "15", "mL");
    ingredient(o, "161", NULL, "325", "15", "mL");
    ingredient(o, "161", NULL, "325", "15", "mL");
    build_dose(&b, o, "10", "mL", 3);
    is_unknown(0, "how much acetaminophen");
}

static void a_bare_combination_is_unknown(void **state)
{
    struct ow_order *o = named("a", "214182", "acetaminophen / hydrocodone");

    (void)state;
    build_dose(&b, o, "1", "tablet", 4);
    judge();
    assert_int_equal(ask(0).state, OW_CO_UNKNOWN);
}

/* ---- other drugs ---- */

static void tablets_that_are_no_opioid_count_by_their_name(void **state)
{
    (void)state;
    build_dose(&b, named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet"), "2",
               "tablet", 4);
    gives(0, "4000", "2 tablets x 4/d x 500 mg = 4000 mg/d");
}

static void as_needed_counts_in_full_and_a_limit_cuts(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");
    struct ow_dosage *d = build_dose(&b, o, "2", "tablet", 6);
    struct ow_fraction *f = OW_NEW(&b.arena, struct ow_fraction);

    (void)state;
    d->as_needed = true;
    gives(0, "6000", NULL);
    *f = (struct ow_fraction){ quantity("3000", "mg"), quantity("1", "d") };
    d->max_per_period = f;
    d->n_max_per_period = 1;
    gives(0, "3000", NULL);
}

static void a_suspension_counts_by_its_volume(void **state)
{
    (void)state;
    build_dose(&b, named("a", RX_APAP_160, "acetaminophen 32 MG/ML Oral Suspension"),
               "10", "mL", 4);
    gives(0, "1280", "10 mL x 4/d x 32 mg/mL = 1280 mg/d");
}

static void free_text_is_read(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");
    struct ow_dosage *d = build_dose(&b, o, "1", "tablet", 1);

    (void)state;
    d->n_doses = 0;
    d->has_timing = false;
    d->timing = (struct ow_timing){ .has_repeat = false };
    d->text = "1-2 tabs po q6h prn pain";
    gives(0, "4000", NULL);
    d->text = "as directed";
    is_unknown(0, "free text");
}

static void a_supply_stands_in_for_directions(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");

    (void)state;
    build_supply(o, "60", 10);
    gives(0, "3000", NULL);
    o->refused = "a modifier";
    is_unknown(0, "a modifier");
}

static void a_mass_of_a_combination_is_unknown(void **state)
{
    struct ow_order *o =
        named("a", "1092189", "acetaminophen 500 MG / diphenhydramine 25 MG Oral Tablet");
    struct ow_dose_rate *rate;

    (void)state;
    build_dose(&b, o, "50", "mg", 1);
    is_unknown(0, "how much acetaminophen");
    rate = OW_NEW(&b.arena, struct ow_dose_rate);
    ((struct ow_dosage *)o->dosages)[0].doses = rate;
    rate->has_dose_range = true;
    rate->dose_range.low = quantity("50", "mg"); /* one end says it */
    is_unknown(0, "how much acetaminophen");
    rate->dose_range.high = rate->dose_range.low;
    rate->dose_range.low.has_value = false;
    is_unknown(0, "how much acetaminophen");
    rate->dose_range.high = quantity("2", "blob");
    is_unknown(0, "blob");
    o->dosages = NULL;
    o->n_dosages = 0;
    build_dose(&b, o, "2", "tablet", 1);
    gives(0, "1000", NULL);
}

static void between_two_lines_of_another_drug_there_is_none(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");
    static const char *const days[][2] = {
        {"2026-02-01",  "2026-02-20"},
        { "2026-03-20", "2026-03-30"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(days); i++) {
        struct ow_dosage *d = build_dose(&b, o, "2", "tablet", 4);

        d->timing.bounds = OW_BOUNDS_PERIOD;
        d->timing.bounds_period = (struct ow_span){ build_time(days[i][0]).from,
                                                    build_time(days[i][1]).until };
    }
    gives_none(0);
    build_at(&b, "2026-03-21T08:00:00Z");
    gives(0, "4000", NULL);
}

static void a_product_that_is_dosed_in_micrograms_gives_the_same(void **state)
{
    struct ow_order *o = named("a", NULL, "house tablet");

    (void)state;
    build_preset(&b, "cdc-2016");
    o->medication.form.text = "Buccal Tablet";
    ingredient(o, "4337", "fentanyl", "0.1", "1", "{tablet}");
    ingredient(o, "161", "acetaminophen", "325", "1", "{tablet}");
    build_dose(&b, o, "1", "tablet", 3);
    gives(0, "975", "0.3 mg/d, 325 mg for each 0.1 mg = 975 mg/d");
    assert_int_equal(j.items[0].dose.basis, OW_BASIS_MCG_DAY);
    o->dosages = NULL;
    o->n_dosages = 0;
    build_dose(&b, o, "1e-15", "ug", 1)->timing.period.value = OW_RATIO(11, 1);
    is_unknown(0, "too large or too fine");
}

static void a_dose_too_fine_to_divide_is_unknown(void **state)
{
    struct ow_order *o = build_order(&b, "a", RX_ULTRACET);

    (void)state; /* 1E-18 mg in 7 days: 13 / 2.8E17 mg, and that over 37.5 */
    build_dose(&b, o, "1e-18", "mg", 1)->timing.period.value = OW_RATIO(7, 1);
    is_unknown(0, "too large or too fine");
}

static void names_that_differ_are_unknown(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");

    (void)state;
    build_dose(&b, o, "1", "tablet", 1);
    o->medication.code.text = "Tylenol";
    gives(0, "500", NULL);
    o->medication.display = "Tylenol";
    gives(0, "500", NULL);
    o->medication.display = "paracetamol 0.5 g tablets"; /* the same in other words */
    gives(0, "500", NULL);
    o->medication.display = "paracetamol 500 mg/mL oral solution";
    is_unknown(0, "how much acetaminophen");
    o->medication.display = "acetaminophen 325 mg tablet";
    is_unknown(0, "how much acetaminophen");
    o->medication.code.text = "paracetamol 325 mg tablet"; /* two of three */
    is_unknown(0, "how much acetaminophen");
}

static void a_code_without_a_name_is_unknown(void **state)
{
    (void)state;
    build_dose(&b, named("a", "161", NULL), "500", "mg", 4);
    is_unknown(0, "how much acetaminophen");
}

static void a_compounded_suspension_counts_by_its_ratio(void **state)
{
    struct ow_order *o = named("a", NULL, "house suspension");

    (void)state;
    o->medication.form.text = "Oral Suspension";
    ingredient(o, "161", NULL, "160", "5", "mL");
    build_dose(&b, o, "5", "mL", 3);
    gives(0, "480", NULL);
    ((struct ow_ingredient *)o->medication.ingredients)[0].inactive = true;
    gives_none(0);
    o = named("b", NULL, "house capsule"); /* the name alone states its strength */
    ingredient(o, NULL, "acetaminophen 325 MG", NULL, NULL, NULL);
    build_dose(&b, o, "1", "capsule", 3);
    gives(1, "975", NULL);
}

static void a_dose_that_nobody_can_read_is_unknown(void **state)
{
    (void)state;
    build_dose(&b, named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet"), "1",
               "drop", 4);
    is_unknown(0, "drop");
}

static void a_refill_takes_the_place_of_the_order_before(void **state)
{
    struct ow_order *o = named("a", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");

    (void)state;
    build_dose(&b, o, "2", "tablet", 3);
    o->authored = build_time("2026-01-01");
    o->supply_duration = quantity("30", "d");
    o = named("b", RX_APAP_500, "acetaminophen 500 MG Oral Tablet");
    build_dose(&b, o, "2", "tablet", 3);
    o->authored = build_time("2026-02-01");
    gives_none(0);
    gives(1, "3000", NULL);
}

static void other_drugs_have_none(void **state)
{
    (void)state;
    build_dose(&b, build_order(&b, "a", RX_LORAZEPAM_1), "1", "tablet", 3);
    build_dose(&b, named("c", RX_LISINOPRIL, "lisinopril 10 MG Oral Tablet"), "1",
               "tablet", 1);
    gives_none(0);
    gives_none(1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(names_state_their_strength),
        T(a_name_that_could_mean_another_drug_is_refused),
        T(two_tablets_every_six_hours_are_2600_mg),
        T(a_dose_in_mg_of_the_opioid_gives_the_same),
        T(a_liquid_gives_it_by_the_ml),
        T(one_of_four_ingredients_is_found),
        T(quantity_and_days_give_it_where_there_are_no_directions),
        T(the_step_of_a_taper_is_that_of_the_instant),
        T(between_two_lines_there_is_none),
        T(a_dose_too_large_for_exact_figures_is_unknown),
        T(strengths_per_tablet_and_per_ml_do_not_mix),
        T(an_opioid_alone_has_none),
        T(between_two_lines_of_another_drug_there_is_none),
        T(a_product_that_is_dosed_in_micrograms_gives_the_same),
        T(a_dose_too_fine_to_divide_is_unknown),
        T(an_opioid_whose_dose_is_unreadable_leaves_it_unknown),
        T(what_is_not_in_force_gives_none),
        T(a_compounded_liquid_keeps_an_exact_ratio),
        T(a_compounded_strength_in_another_unit_is_unknown),
        T(the_name_of_an_ingredient_states_its_strength),
        T(a_compounded_ingredient_twice_is_unknown),
        T(a_bare_combination_is_unknown),
        T(tablets_that_are_no_opioid_count_by_their_name),
        T(as_needed_counts_in_full_and_a_limit_cuts),
        T(a_suspension_counts_by_its_volume),
        T(free_text_is_read),
        T(a_supply_stands_in_for_directions),
        T(a_mass_of_a_combination_is_unknown),
        T(names_that_differ_are_unknown),
        T(a_code_without_a_name_is_unknown),
        T(a_compounded_suspension_counts_by_its_ratio),
        T(a_dose_that_nobody_can_read_is_unknown),
        T(a_refill_takes_the_place_of_the_order_before),
        T(other_drugs_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
