/*
 * Dosetext: free text beside the structure
 *
 * The structure decides; a text fills in what it leaves out, widens what it says
 * otherwise, and is the reason where nothing can be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosage.h"
#include "alerts/verdict.h"
#include "base/text.h"

#define ORAL(name_, ingredient_, num, den, co)                                           \
    {                                                                                    \
        .rxcui = "1", .name = name_, .ingredient = ingredient_,                          \
        .strength = { num, den }, .strength_unit = OW_STRENGTH_MG,                       \
        .dose_form = "Oral Tablet", .form = OW_FORM_ORAL_SOLID, .has_form = true,        \
        .co_ingredients = co                                                             \
    }

static const struct ow_product oxycodone_5 = ORAL("oxycodone 5 MG Oral Tablet",
                                                  "Oxycodone", 5, 1, "");
static const struct ow_product percocet =
    ORAL("acetaminophen 325 MG / oxycodone 5 MG Oral Tablet", "Oxycodone", 5, 1,
         "Acetaminophen 325 MG");
static const struct ow_product patch_25 = {
    .rxcui = "2",
    .name = "fentanyl patch",
    .ingredient = "Fentanyl",
    .strength = {1, 40},
    .strength_unit = OW_STRENGTH_MG_HR,
    .dose_form = "Transdermal System",
    .form = OW_FORM_TRANSDERMAL,
    .has_form = true,
    .is_patch = true,
};
static const struct ow_product morphine_liquid = {
    .rxcui = "3",
    .name = "morphine 2 MG/ML Oral Solution",
    .ingredient = "Morphine",
    .strength = {2, 1},
    .strength_unit = OW_STRENGTH_MG_ML,
    .dose_form = "Oral Solution",
    .form = OW_FORM_ORAL_LIQUID,
    .has_form = true,
};

/* "one" structured dosage: so many of a unit so often, both or one of them. */
struct part {
    int dose, times; /* 0: not said */
    const char *unit;
    const char *text, *instruction;
    int cap;  /* tablets a day, of the structure */
    int days; /* boundsDuration */
    int sequence;
};

static struct ow_quantity quantity(int n, const char *unit)
{
    return (struct ow_quantity){
        .has_value = n > 0, .value = {n, 1},
               .unit = unit
    };
}

static void dosage_make(const struct part *p, struct ow_dose_rate *r,
                        struct ow_fraction *cap, struct ow_dosage *ret)
{
    *ret = (struct ow_dosage){ .text = p->text, .patient_instruction = p->instruction };
    if (p->dose > 0) {
        *r = (struct ow_dose_rate){ .has_dose = true,
                                    .dose = quantity(p->dose, p->unit) };
        ret->doses = r;
        ret->n_doses = 1;
    }
    if (p->times > 0) {
        ret->has_timing = ret->timing.has_repeat = true;
        ret->timing.frequency = (struct ow_number){
            true, {p->times, 1}
        };
        ret->timing.period = (struct ow_number){
            true, {1, 1}
        };
        ret->timing.period_unit = "d";
    }
    if (p->days > 0) {
        ret->has_timing = true;
        ret->timing.bounds = OW_BOUNDS_DURATION;
        ret->timing.bounds_duration = quantity(p->days, "d");
    }
    if (p->cap > 0) {
        *cap = (struct ow_fraction){ quantity(p->cap, "tablet"), quantity(1, "d") };
        ret->max_per_period = cap;
        ret->n_max_per_period = 1;
    }
    ret->has_sequence = p->sequence > 0;
    ret->sequence = p->sequence;
}

enum { PARTS = 3 };

struct text_case {
    const struct ow_product *product;
    struct part parts[PARTS];
    const char *want; /* every step: words [high/low], then flags; or the refusal */
    bool refused;
};

#define OXY &oxycodone_5

static const struct text_case cases[] = {
  /* text alone */
    {OXY,
     { { .text = "take 1-2 tabs po q4-6h prn pain, max 6/day" } },
     "text: up to 2 tablets x 6/d x 5 mg, at most 30 mg/d [30/20] prn range capped from-text",
     false                                                                                                                                                    },
    { OXY,
     { { .instruction = "take one tablet twice daily" } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { OXY,
     { { .text = "as directed", .instruction = "take one tablet twice daily" } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { OXY,
     { { .text = "take one tablet twice daily", .instruction = "Do not drive." } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { OXY,
     { { .text = "take one tablet every 4 hours",
          .instruction = "max 4 tablets per day" } },
     "text: 1 tablet x 6/d x 5 mg, at most 20 mg/d [20/20] capped from-text",                                                                            false},
    { OXY,
     { { .text = "1 tab bid", .instruction = "Take 1 tablet 2 times a day" } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { OXY,
     { { .text = "1 tab bid", .instruction = "1 tab tid" } },
     "free text: text and patientInstruction differ",                                                                                                    true },
    { OXY,
     { { .text = "1 tab bid", .instruction = "take an extra one if needed" } },
     "free text: not understood: \"an extra\"",                                                                                                          true },
    { OXY,              { { .text = "as directed" } },                                     "free text: no dose: \"as directed\"",                        true },
    { OXY,              { { .text = "  " } },                                              "no dose",                                                    true },
    { OXY,
     { { .text = "1 tab qam and 2 tabs qhs" } },
     "text: 1 tablet x 1/d x 5 mg + text: 2 tablets x 1/d x 5 mg [15/15] from-text",                                                                     false},
    { OXY,
     { { .text = "2 tabs daily x3d, then 1 tab daily x3d" } },
     "text: 2 tablets x 1/d x 5 mg [10/10]; text: 1 tablet x 1/d x 5 mg [5/5] from-text",                                                                false},
 /* the unit and the product */
    { OXY,
     { { .text = "5 mL every 6 hours" } },
     "free text: dose: a volume, but the strength of the product is not per mL",                                                                         true },
    { OXY,
     { { .text = "1 patch every 72 hours" } },
     "free text: dose: its unit does not go with the form of the product",                                                                               true },
    { &morphine_liquid,
     { { .text = "take 1 tablet every 6 hours" } },
     "free text: dose: mL or mg were expected for a product with a strength per mL",                                                                     true },
    { &morphine_liquid,
     { { .text = "take 5 mL (10 mg) every 6 hours" } },
     "text: 5 mL x 4/d x 2 mg/mL [40/40] from-text",                                                                                                     false},
    { &morphine_liquid,
     { { .text = "take 5 mL (20 mg) every 6 hours" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
    { &patch_25,
     { { .text = "apply one 25 mcg patch every 72 hours" } },
     "text: 1 patch x 25 ug/h [25/25] from-text",                                                                                                        false},
    { &patch_25,
     { { .text = "apply one 50 mcg patch every 72 hours" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
    { &patch_25,
     { { .text = "apply 25 mcg/hr patch every 72 hours" } },
     "text: 25 ug/h [25/25] from-text",                                                                                                                  false},
 /* the dose said twice */
    { OXY,
     { { .text = "take 2 tablets (10 mg total) bid" } },
     "text: 2 tablets x 2/d x 5 mg [20/20] from-text",                                                                                                   false},
    { OXY,
     { { .text = "take 2 tablets (5 mg) bid" } },
     "text: 2 tablets x 2/d x 5 mg [20/20] from-text",                                                                                                   false},
    { OXY,
     { { .text = "take 2 tablets (15 mg) bid" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
    { OXY,
     { { .text = "take 10 mg (1 tablet) bid" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
    { OXY,
     { { .text = "take 1-2 tablets (5-10 mg) bid" } },
     "text: up to 2 tablets x 2/d x 5 mg [20/10] range from-text",                                                                                       false},
    { &percocet,
     { { .text = "take 1 tablet (5-325 mg) bid" } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { &percocet,
     { { .text = "take 1 tablet (10-325 mg) bid" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
    { OXY,
     { { .text = "take 1 tablet (5-325 mg) bid" } },
     "free text: the dose is said in two ways that do not agree",                                                                                        true },
 /* a mass of a combination is of an unknown drug, and so is its limit */
    { &percocet,
     { { .text = "take 650 mg bid" } },
     "free text: a mass, of which drug of the combination?",                                                                                             true },
    { &percocet,
     { { .text = "1 tab q4h, max 20 mg/day" } },
     "text: 1 tablet x 6/d x 5 mg [30/30] from-text",                                                                                                    false},
    { OXY,
     { { .text = "1 tab q4h, max 20 mg/day" } },
     "text: 1 tablet x 6/d x 5 mg, at most 20 mg/d [20/20] capped from-text",                                                                            false},
 /* a half of the structure */
    { OXY,
     { { .dose = 1, .unit = "tablet", .text = "take 1 tablet twice daily" } },
     "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                                                                    false},
    { OXY,
     { { .dose = 5, .unit = "mg", .text = "take 1 tablet twice daily" } },
     "text: 5 mg x 2/d [10/10] from-text",                                                                                                               false},
    { OXY,
     { { .dose = 2, .unit = "tablet", .text = "take 1 tablet twice daily" } },
     "text: 2 tablets x 2/d x 5 mg (or text: 1 tablet x 2/d x 5 mg) [20/10] range from-text text-differs",
     false                                                                                                                                                    },
    { OXY,
     { { .times = 4, .text = "take 1 tablet four times a day" } },
     "text: 1 tablet x 4/d x 5 mg [20/20] from-text",                                                                                                    false},
    { OXY,
     { { .times = 4, .text = "take 1 tablet six times a day" } },
     "text: 1 tablet x 6/d x 5 mg (or text: 1 tablet x 4/d x 5 mg) [30/20] range from-text text-differs",
     false                                                                                                                                                    },
    { OXY,
     { { .dose = 1, .unit = "tablet", .text = "1 tab qam and 2 tabs qhs" } },
     "free text: several doses beside a part of a structured one",                                                                                       true },
    { OXY,
     { { .dose = 1, .unit = "tablet", .text = "as directed" } },
     "free text: no dose: \"as directed\"",                                                                                                              true },
    { OXY,
     { { .cap = 3, .text = "take 1 tablet four times a day" } },
     "text: 1 tablet x 4/d x 5 mg, at most 15 mg/d [15/15] capped from-text",                                                                            false},
    { OXY,
     { { .days = 5, .text = "take 1 tablet four times a day" } },
     "text: 1 tablet x 4/d x 5 mg [20/20] from-text 5 d",                                                                                                false},
    { OXY,
     { { .days = 5, .text = "take 1 tablet four times a day for 3 days" } },
     "text: 1 tablet x 4/d x 5 mg [20/20] from-text 5 d",                                                                                                false},
    { OXY,
     { { .text = "take 1 tablet four times a day for 3 days" } },
     "text: 1 tablet x 4/d x 5 mg [20/20] from-text 3 d",                                                                                                false},
 /* a whole structure and a text */
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 4, .text = "1 tab qid" } },
     "1 tablet x 4/d x 5 mg [20/20]",                                                                                                                    false},
    { OXY,
     { { .dose = 5, .unit = "mg", .times = 4, .text = "1 tab every 6 hours" } },
     "5 mg x 4/d [20/20]",                                                                                                                               false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 4, .text = "see instructions" } },
     "1 tablet x 4/d x 5 mg [20/20]",                                                                                                                    false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 4, .text = "2 tabs qid" } },
     "text: 2 tablets x 4/d x 5 mg (structure: 1 tablet x 4/d x 5 mg) [40/20] range text-differs",
     false                                                                                                                                                    },
    { OXY,
     { { .dose = 2, .unit = "tablet", .times = 4, .text = "1 tab qid" } },
     "2 tablets x 4/d x 5 mg (text: 1 tablet x 4/d x 5 mg) [40/20] range text-differs",                                                                  false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 4, .text = "1 tab q6-8h" } },
     "1 tablet x 4/d x 5 mg [20/15] range",                                                                                                              false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 4, .text = "5 mL qid" } },
     "1 tablet x 4/d x 5 mg [20/20]",                                                                                                                    false},
    { OXY,
     { { .dose = 3, .unit = "tablet", .times = 1, .text = "1 tab qam and 2 tabs qhs" } },
     "3 tablets x 1/d x 5 mg [15/15]",                                                                                                                   false},
    { OXY,
     { { .dose = 3,
          .unit = "tablet",
          .times = 1,
          .days = 9,
          .text = "3 tabs x3d, then 2 tabs x3d, then 1 tab x3d" } },
     "3 tablets x 1/d x 5 mg [15/15]; "
      "3 tablets x 1/d x 5 mg (text: 2 tablets x 1/d x 5 mg) [15/10]; "
      "3 tablets x 1/d x 5 mg (text: 1 tablet x 1/d x 5 mg) [15/5] range text-differs 9 d",
     false                                                                                                                                                    },
    { &patch_25,
     { { .dose = 1, .unit = "patch", .text = "apply 2 patches every 72 hours" } },
     "text: 2 patches x 25 ug/h (structure: 1 patch x 25 ug/h) [50/25] range text-differs",
     false                                                                                                                                                    },
 /* several dosages */
    { OXY,
     { { .text = "one tablet in the morning" }, { .text = "two tablets at bedtime" } },
     "text: 1 tablet x 1/d x 5 mg + text: 2 tablets x 1/d x 5 mg [15/15] from-text",                                                                     false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 1, .text = "1 tab qam and 2 tabs qhs" },
        { .dose = 2, .unit = "tablet", .times = 1, .text = "1 tab qam and 2 tabs qhs" } },
     "1 tablet x 1/d x 5 mg + 2 tablets x 1/d x 5 mg [15/15]",                                                                                           false},
    { OXY,
     { { .dose = 1, .unit = "tablet", .times = 1, .text = "1 tab daily" },
        { .dose = 1, .unit = "tablet", .times = 1, .text = "2 tabs daily" } },
     "text: 1 tablet x 1/d x 5 mg + text: 2 tablets x 1/d x 5 mg (structure: 1 tablet x 1/d x 5 mg + 1 tablet x 1/d x 5 mg) [15/10] range text-differs",
     false                                                                                                                                                    },
    { OXY,
     { { .text = "2 tabs daily for 3 days", .sequence = 1 },
        { .text = "1 tab daily", .sequence = 2 } },
     "text: 2 tablets x 1/d x 5 mg [10/10]; text: 1 tablet x 1/d x 5 mg [5/5] from-text",                                                                false},
    { OXY,
     { { .text = "2 tabs x3d, then 1 tab x3d" }, { .text = "1 tab daily" } },
     "dosage line 1: free text: several steps in one dosage line",                                                                                       true },
    { OXY,
     { { .text = "1 tab daily" }, { .text = "as directed" } },
     "dosage line 2: free text: no dose: \"as directed\"",                                                                                               true },
};

/* Steps, flags and length as one line. */
static const char *told(const struct ow_dose *d, struct ow_arena *arena)
{
    const char *s = "";

    for (size_t i = 0; i < d->n_steps; i++) {
        char high[OW_RATIO_TEXT], low[OW_RATIO_TEXT];

        s = ow_arena_printf(arena, "%s%s%s [%s/%s]", s, i > 0 ? "; " : "",
                            d->steps[i].words, ow_ratio_format(d->steps[i].high, 6, high),
                            ow_ratio_format(d->steps[i].low, 6, low));
    }
    for (unsigned i = 0; i < OW_FLAG_N; i++)
        if ((d->flags & 1u << i) != 0)
            s = ow_arena_printf(arena, "%s %s", s, ow_flag_name(1u << i));
    if (d->n_steps == 1 && d->has_length)
        s = ow_arena_printf(arena, "%s %d d", s, (int)(d->length_ms / OW_DAY));
    else if (d->n_steps > 2 && d->has_length)
        s = ow_arena_printf(arena, "%s %d d", s, (int)(d->length_ms / OW_DAY));
    return s;
}

static void texts_and_structures_are_read_as_agreed(void **state)
{
    struct ow_arena arena;

    (void)state;
    ow_arena_init(&arena, (size_t)8 << 20);
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct text_case *c = &cases[i];
        struct ow_dosage d[PARTS];
        struct ow_dose_rate r[PARTS];
        struct ow_fraction cap[PARTS];
        struct ow_order o = { .dosages = d };
        struct ow_dose dose;
        struct ow_err err = { "" };
        const char *got;
        enum ow_code code;

        for (; o.n_dosages < PARTS; o.n_dosages++) {
            const struct part *p = &c->parts[o.n_dosages];

            if (p->text == NULL && p->instruction == NULL)
                break;
            dosage_make(p, &r[o.n_dosages], &cap[o.n_dosages], &d[o.n_dosages]);
        }
        code = ow_dosage_read(NULL, &o, c->product, &arena, &dose, &err);
        got = code == OW_OK ? told(&dose, &arena) : err.text;
        if ((code != OW_OK) != c->refused || !ow_streq(got, c->want))
            fail_msg("%zu: %s\n want %s\n got  %s", i,
                     c->parts[0].text != NULL ? c->parts[0].text
                                              : c->parts[0].instruction,
                     c->want, got);
    }
    ow_arena_done(&arena);
}

/* The text of a code that nobody knows, beside a dose of one tablet. */
static void a_timing_code_is_read_by_its_words(void **state)
{
    static const struct {
        const char *text, *want;
        bool refused;
    } codes[] = {
        {"every 6 hours",                          "text: 1 tablet x 4/d x 5 mg [20/20] from-text",           false},
        { "q6h prn",                               "text: 1 tablet x 4/d x 5 mg [20/20] prn from-text",       false},
        { "Every 4 to 6 hours as needed for pain",
         "text: up to 1 tablet x 6/d x 5 mg [30/20] prn range from-text",                                     false},
        { "three times a day for 5 days",
         "text: 1 tablet x 3/d x 5 mg [15/15] from-text 5 d",                                                 false},
        { "PO BID",                                "text: 1 tablet x 2/d x 5 mg [10/10] from-text",           false},
        { "in the morning and at bedtime",
         "text: 1 tablet x 2/d x 5 mg [10/10] from-text",                                                     false},
        { "cada 8 horas",                          "text: 1 tablet x 3/d x 5 mg [15/15] from-text",           false},
        { "BID",                                   "1 tablet x 2/d x 5 mg [10/10]",                           false},
        { "as directed",                           "no frequency: the timing code says \"as directed\"",      true },
        { "2 tablets bid",                         "no frequency: the timing code says \"2 tablets bid\"",    true },
        { "(5 mg) bid",                            "no frequency: the timing code says \"(5 mg) bid\"",       true },
        { "to 2 tablets bid",                      "no frequency: the timing code says \"to 2 tablets bid\"",
         true                                                                                                      },
        { "bid, max 2 tablets per dose",
         "no frequency: the timing code says \"bid, max 2 tablets per dose\"",                                true },
        { "(5-325 mg) bid",                        "no frequency: the timing code says \"(5-325 mg) bid\"",
         true                                                                                                      },
        { "tab (5 mg) bid",                        "no frequency: the timing code says \"tab (5 mg) bid\"",
         true                                                                                                      },
        { "or 2 tablets bid",                      "no frequency: the timing code says \"or 2 tablets bid\"",
         true                                                                                                      },
        { "or 2 bid",                              "no frequency: the timing code says \"or 2 bid\"",         true },
        { "to 2 bid",                              "no frequency: the timing code says \"to 2 bid\"",         true },
        { "- 2 tablets bid",                       "no frequency: the timing code says \"- 2 tablets bid\"",
         true                                                                                                      },
        { "-2 bid",                                "no frequency: the timing code says \"-2 bid\"",           true },
        { "up to 2 bid",                           "no frequency: the timing code says \"up to 2 bid\"",      true },
        { "2 bid",                                 "no frequency: the timing code says \"2 bid\"",            true },
        { "5 mg bid",                              "no frequency: the timing code says \"5 mg bid\"",         true },
        { "q6h max 3 a day",                       "no frequency: the timing code says \"q6h max 3 a day\"",
         true                                                                                                      },
        { "in the morning and 2 at bedtime",
         "no frequency: the timing code says \"in the morning and 2 at bedtime\"",                            true },
        { "daily x 3d, then bid x 3d",
         "no frequency: the timing code says \"daily x 3d, then bid x 3d\"",                                  true },
    };
    struct ow_arena arena;

    (void)state;
    ow_arena_init(&arena, (size_t)8 << 20);
    for (size_t i = 0; i < OW_LEN(codes); i++) {
        struct part p = { .dose = 1, .unit = "tablet" };
        struct ow_dose_rate r;
        struct ow_fraction cap;
        struct ow_dosage d;
        struct ow_order o = { .dosages = &d, .n_dosages = 1 };
        struct ow_dose dose;
        struct ow_err err = { "" };
        const char *got;
        enum ow_code code;

        dosage_make(&p, &r, &cap, &d);
        d.has_timing = true;
        d.timing.code.text = codes[i].text;
        code = ow_dosage_read(NULL, &o, &oxycodone_5, &arena, &dose, &err);
        got = code == OW_OK ? told(&dose, &arena) : err.text;
        if ((code != OW_OK) != codes[i].refused || !ow_streq(got, codes[i].want))
            fail_msg("%s\n want %s\n got  %s", codes[i].text, codes[i].want, got);
    }
    ow_arena_done(&arena);
}

/* Its length is that of the structure where both say one, and Dosage.text may still say
 * what the code does not. */
static void a_timing_code_stands_beside_bounds_and_text(void **state)
{
    struct part p = { .dose = 1, .unit = "tablet", .days = 9 };
    struct ow_dose_rate r;
    struct ow_fraction cap;
    struct ow_dosage d;
    struct ow_order o = { .dosages = &d, .n_dosages = 1 };
    struct ow_arena arena;
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    ow_arena_init(&arena, (size_t)1 << 20);
    dosage_make(&p, &r, &cap, &d);
    d.timing.code.text = "every 6 hours for 5 days";
    assert_int_equal(ow_dosage_read(NULL, &o, &oxycodone_5, &arena, &dose, &err), OW_OK);
    assert_true(dose.length_ms == 9 * OW_DAY);
    ow_dosage_extent(NULL, &o, &arena, &dose);
    assert_true(dose.length_ms == 9 * OW_DAY);
    d.timing.bounds = OW_BOUNDS_NONE;
    ow_dosage_extent(NULL, &o, &arena, &dose);
    assert_true(dose.length_ms == 5 * OW_DAY);
    d.timing.count = (struct ow_number){ true, OW_RATIO(8, 1) };
    d.timing.code.text = "every 6 hours";
    ow_dosage_extent(NULL, &o, &arena, &dose);
    assert_true(dose.length_ms == 2 * OW_DAY);
    d.timing.count.has_value = false;
    d.timing.code.text = "as directed";
    assert_int_equal(ow_dosage_read(NULL, &o, &oxycodone_5, &arena, &dose, NULL),
                     OW_MISSING); /* nor asks everybody why */
    d.timing.bounds = OW_BOUNDS_DURATION;
    ow_dosage_extent(NULL, &o, &arena, &dose); /* its length is told all the same */
    assert_true(dose.length_ms == 9 * OW_DAY);
    d.timing.bounds = OW_BOUNDS_NONE;
    d.text = "take 1 tablet twice a day";
    assert_int_equal(ow_dosage_read(NULL, &o, &oxycodone_5, &arena, &dose, &err), OW_OK);
    assert_int_equal(ow_ratio_cmp(dose.steps[0].high, OW_RATIO(10, 1)), 0);
    ow_arena_done(&arena);
}

static void a_modifier_is_not_read_around(void **state)
{
    struct ow_dosage d = { .text = "1 tab bid", .refused = "a modifier" };
    struct ow_order o = { .dosages = &d, .n_dosages = 1 };
    struct ow_arena arena;
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    ow_arena_init(&arena, (size_t)1 << 20);
    assert_int_equal(ow_dosage_read(NULL, &o, &oxycodone_5, &arena, &dose, &err),
                     OW_INPUT);
    ow_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_structures_are_read_as_agreed),
        cmocka_unit_test(a_timing_code_is_read_by_its_words),
        cmocka_unit_test(a_timing_code_stands_beside_bounds_and_text),
        cmocka_unit_test(a_modifier_is_not_read_around),
    };

    return cmocka_run_group_tests_name("dosetext", tests, NULL, NULL);
}
