/*
 * Dosage: structured directions to an amount a day, or why not
 *
 * Cases are strings of JSON-like shorthand would need a parser of their own; they are
 * structs instead, with the few fields that each case is about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosage.h"
#include "alerts/timing.h"
#include "base/text.h"

#define UCUM    OW_SYSTEM_UCUM
#define DAYS(n) ((int64_t)(n)*OW_DAY)

static struct ow_ratio num(const char *s)
{
    struct ow_ratio r = { 0, 1 };

    if (!ow_ratio_parse(s, strlen(s), &r))
        fail_msg("no number: %s", s);
    return r;
}

static struct ow_number maybe(const char *s)
{
    struct ow_number n = { .has_value = s != NULL };

    if (s != NULL)
        n.value = num(s);
    return n;
}

/* "5 mL", "1 {tablet}", "10": UCUM code where it looks like one, else only a text */
static struct ow_quantity qty(const char *s)
{
    static char pool[64][32];
    static unsigned at;
    struct ow_quantity q = { 0 };
    char *copy = pool[at++ % 64];
    char *space;

    if (s == NULL)
        return q;
    (void)ow_copy(copy, sizeof pool[0], s);
    space = strchr(copy, ' ');
    if (space != NULL) {
        *space = '\0';
        q.unit = space + 1;
    }
    q.has_value = true;
    q.value = num(copy);
    return q;
}

static const struct ow_product oxycodone_10 = {
    .rxcui = "1049683",
    .name = "oxycodone hydrochloride 10 MG Oral Tablet",
    .ingredient = "Oxycodone",
    .ingredient_rxcui = "7804",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Oral Tablet",
    .form_class = "oral_solid",
    .form = OW_FORM_ORAL_SOLID,
    .has_form = true,
};
static const struct ow_product morphine_liquid = {
    .rxcui = "2",
    .name = "morphine 2 MG/ML Oral Solution",
    .ingredient = "Morphine",
    .strength = {2, 1},
    .strength_unit = OW_STRENGTH_MG_ML,
    .dose_form = "Oral Solution",
    .form_class = "oral_liquid",
    .form = OW_FORM_ORAL_LIQUID,
    .has_form = true,
};
static const struct ow_product morphine_injection = {
    .rxcui = "3",
    .name = "morphine 10 MG/ML Injectable Solution",
    .ingredient = "Morphine",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG_ML,
    .dose_form = "Injectable Solution",
    .form_class = "injectable",
    .form = OW_FORM_INJECTABLE,
    .has_form = true,
};
static const struct ow_product patch_25 = {
    .rxcui = "245134",
    .name = "72 HR fentanyl 0.025 MG/HR Transdermal System",
    .ingredient = "Fentanyl",
    .strength = {1, 40},
    .strength_unit = OW_STRENGTH_MG_HR,
    .dose_form = "Transdermal System",
    .form_class = "transdermal",
    .form = OW_FORM_TRANSDERMAL,
    .has_form = true,
    .is_patch = true,
    .patch_hours = 72,
};
static const struct ow_product lozenge_200 = {
    .rxcui = "310295",
    .name = "fentanyl 0.2 MG Oral Lozenge",
    .ingredient = "Fentanyl",
    .strength = {1, 5},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Oral Lozenge",
    .form_class = "oral_lozenge",
    .form = OW_FORM_ORAL_LOZENGE,
    .has_form = true,
};
static const struct ow_product film_200 = {
    .rxcui = "858092",
    .name = "fentanyl 0.2 MG Buccal Film",
    .ingredient = "Fentanyl",
    .strength = {1, 5},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Buccal Film",
    .form_class = "buccal_film",
    .form = OW_FORM_BUCCAL_FILM,
    .has_form = true,
};
static const struct ow_product nasal_1 = {
    .rxcui = "886634",
    .name = "butorphanol tartrate 1 MG/ACTUAT Metered Dose Nasal Spray",
    .ingredient = "Butorphanol",
    .strength = {1, 1},
    .strength_unit = OW_STRENGTH_MG_ACTUAT,
    .dose_form = "Metered Dose Nasal Spray",
    .form_class = "nasal",
    .form = OW_FORM_NASAL,
    .has_form = true,
};
static const struct ow_product spray_pack = {
    .rxcui = "1740007",
    .name = "{2 (fentanyl 0.6 MG/ACTUAT Mucosal Spray) } Pack",
    .ingredient = "Fentanyl",
    .strength = {3, 5},
    .strength_unit = OW_STRENGTH_MG_ACTUAT,
    .dose_form = "Pack",
    .form_class = "pack",
    .form = OW_FORM_PACK,
    .has_form = true,
};
static const struct ow_product suppository_30 = {
    .rxcui = "312104",
    .name = "opium 30 MG Rectal Suppository",
    .ingredient = "Opium",
    .strength = {30, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "Rectal Suppository",
    .form_class = "rectal",
    .form = OW_FORM_RECTAL,
    .has_form = true,
};
static const struct ow_product component_mg = {
    .rxcui = "9",
    .tty = "SCDC",
    .name = "oxycodone 10 MG",
    .ingredient = "Oxycodone",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG,
    .dose_form = "",
    .form_class = "",
};
static const struct ow_product component_ml = {
    .rxcui = "8",
    .tty = "SCDC",
    .name = "morphine 10 MG/ML",
    .ingredient = "Morphine",
    .strength = {10, 1},
    .strength_unit = OW_STRENGTH_MG_ML,
    .dose_form = "",
    .form_class = "",
};

/* Quick words for a timing. */
struct when {
    const char *f, *fmax, *p, *pmax, *u;
    const char *code; /* of v3-GTSAbbreviation */
    const char *text; /* timing.code.text */
    const char *when[3];
    const char *dow[4];
    const char *tod[4];
    const char *count, *dur, *dur_unit;
    bool event;
};

static struct ow_coding codings[8];
static unsigned n_codings;

static size_t strings(const char *const *list, size_t max)
{
    size_t n = 0;

    while (n < max && list[n] != NULL)
        n++;
    return n;
}

static struct ow_timing timing(const struct when *w)
{
    static const struct ow_span moment = { 0, 1 };
    struct ow_timing t = {
        .has_repeat = true,
        .frequency = maybe(w->f),
        .frequency_max = maybe(w->fmax),
        .period = maybe(w->p),
        .period_max = maybe(w->pmax),
        .period_unit = w->u,
        .count = maybe(w->count),
        .duration = maybe(w->dur),
        .duration_unit = w->dur_unit,
        .when = w->when,
        .n_when = strings(w->when, 3),
        .day_of_week = w->dow,
        .n_day_of_week = strings(w->dow, 4),
        .time_of_day = w->tod,
        .n_time_of_day = strings(w->tod, 4),
        .events = &moment,
        .n_events = w->event,
    };

    t.code.text = w->text;
    if (w->code != NULL) {
        struct ow_coding *c = &codings[n_codings++ % 8];

        *c = (struct ow_coding){
            "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", w->code, NULL
        };
        t.code.codings = c;
        t.code.n_codings = 1;
    }
    return t;
}

/* Compare with "2.5", "2/7" or a reason. */
static void check_ratio(const char *what, const char *want, struct ow_ratio got)
{
    char buf[32], *slash;
    struct ow_ratio w;

    (void)ow_copy(buf, sizeof buf, want);
    slash = strchr(buf, '/');
    if (slash != NULL)
        *slash = '\0';
    w = num(buf);
    if (slash != NULL)
        assert_true(ow_ratio_div(w, num(slash + 1), &w));
    if (ow_ratio_cmp(got, w) != 0)
        fail_msg("%s: %lld/%lld, not %s", what, (long long)got.num, (long long)got.den,
                 want);
}

struct timing_case {
    const char *name;
    struct when w;
    const char *high, *low; /* low NULL: as high; high NULL: refused */
    const char *why;
};

static const struct timing_case timing_cases[] = {
    {"qid",                              { .f = "4", .p = "1", .u = "d" },              "4",     NULL,  NULL},
    { "every 6 h",                       { .f = "1", .p = "6", .u = "h" },              "4",     NULL,  NULL},
    { "2 every 4 h",                     { .f = "2", .p = "4", .u = "h" },              "12",    NULL,  NULL},
    { "every 30 s",                      { .f = "1", .p = "30", .u = "s" },             "2880",  NULL,  NULL},
    { "every 5 h",                       { .f = "1", .p = "5", .u = "h" },              "4.8",   NULL,  NULL},
    { "twice a week",                    { .f = "2", .p = "1", .u = "wk" },             "2/7",   NULL,  NULL},
    { "monthly",                         { .f = "1", .p = "1", .u = "mo" },             "1/30",  NULL,  NULL},
    { "yearly",                          { .f = "1", .p = "1", .u = "a" },              "1/365", NULL,  NULL},
    { "hours spelt out",                 { .f = "1", .p = "12", .u = "hours" },         "2",     NULL,  NULL},
    { "days spelt out",                  { .f = "1", .p = "2", .u = "Days" },           "0.5",   NULL,  NULL},
    { "12.0 h",                          { .f = "1", .p = "12.0", .u = "h" },           "2",     NULL,  NULL},
    { "half a day",                      { .f = "1", .p = "0.5", .u = "d" },            "2",     NULL,  NULL},
    { "frequency left out",              { .p = "8", .u = "h" },                        "3",     NULL,  NULL},
    { "2 to 4 a day",                    { .f = "2", .fmax = "4", .p = "1", .u = "d" }, "4",     "2",   NULL},
    { "up to 4 a day",                   { .fmax = "4", .p = "1", .u = "d" },           "4",     "1",   NULL},
    { "every 6 to 8 h",                  { .f = "1", .p = "6", .pmax = "8", .u = "h" }, "4",     "3",   NULL},
    { "1-2 every 4-6 h",
     { .f = "1", .fmax = "2", .p = "4", .pmax = "6", .u = "h" },
     "12",                                                                                       "4",
     NULL                                                                                                   },
    { "three times of day",
     { .tod = { "08:00:00", "14:00:00", "22:00:00" } },
     "3",                                                                                        NULL,
     NULL                                                                                                   },
    { "morning and night",               { .when = { "MORN", "NIGHT" } },               "2",     NULL,  NULL},
    { "with meals",                      { .when = { "C" } },                           "3",     NULL,  NULL},
    { "before meals and at bedtime",     { .when = { "AC", "HS" } },                    "4",     NULL,  NULL},
    { "before breakfast",                { .when = { "ACM" } },                         "1",     NULL,  NULL},
    { "late in the morning",             { .when = { "MORN.late" } },                   "1",     NULL,  NULL},
    { "once a day with meals",
     { .f = "1", .p = "1", .u = "d", .when = { "C" } },
     "1",                                                                                        NULL,
     NULL                                                                                                   },
    { "3 a day with meals",
     { .f = "3", .p = "1", .u = "d", .when = { "C" } },
     "3",                                                                                        "1",
     NULL                                                                                                   },
    { "once a day, morning and evening",
     { .f = "1", .p = "1", .u = "d", .when = { "MORN", "EVE" } },
     "2",                                                                                        "1",
     NULL                                                                                                   },
    { "twice a day at two times",
     { .f = "2", .p = "1", .u = "d", .tod = { "08:00", "20:00" } },
     "2",                                                                                        NULL,
     NULL                                                                                                   },
    { "once a day at three times",
     { .f = "1", .p = "1", .u = "d", .tod = { "08:00", "14:00", "20:00" } },
     "3",                                                                                        "1",
     NULL                                                                                                   },
    { "every other day at 8",
     { .f = "1", .p = "2", .u = "d", .tod = { "08:00" } },
     "0.5",                                                                                      NULL,
     NULL                                                                                                   },
    { "Monday and Thursday",             { .dow = { "mon", "thu" } },                   "2/7",   NULL,  NULL},
    { "Monday twice is Monday",          { .dow = { "mon", "mon" } },                   "1/7",   NULL,  NULL},
    { "3 a day on 2 days",
     { .f = "3", .p = "1", .u = "d", .dow = { "mon", "thu" } },
     "6/7",                                                                                      NULL,
     NULL                                                                                                   },
    { "every 12 h on 3 days",
     { .f = "1", .p = "12", .u = "h", .dow = { "mon", "wed", "fri" } },
     "6/7",                                                                                      NULL,
     NULL                                                                                                   },
    { "once a week on Monday",
     { .f = "1", .p = "1", .u = "wk", .dow = { "mon" } },
     "1/7",                                                                                      NULL,
     NULL                                                                                                   },
    { "3 a week on 3 days",
     { .f = "3", .p = "1", .u = "wk", .dow = { "mon", "wed", "fri" } },
     "3/7",                                                                                      NULL,
     NULL                                                                                                   },
    { "once a week on 3 days",
     { .f = "1", .p = "1", .u = "wk", .dow = { "mon", "wed", "fri" } },
     "3/7",                                                                                      "1/7",
     NULL                                                                                                   },
    { "2 days, 2 times",
     { .dow = { "mon", "wed" }, .tod = { "08:00", "20:00" } },
     "4/7",                                                                                      NULL,
     NULL                                                                                                   },
    { "BID",                             { .code = "BID" },                             "2",     NULL,  NULL},
    { "TID",                             { .code = "TID" },                             "3",     NULL,  NULL},
    { "QID",                             { .code = "QID" },                             "4",     NULL,  NULL},
    { "QD",                              { .code = "QD" },                              "1",     NULL,  NULL},
    { "AM",                              { .code = "AM" },                              "1",     NULL,  NULL},
    { "PM",                              { .code = "PM" },                              "1",     NULL,  NULL},
    { "BED",                             { .code = "BED" },                             "1",     NULL,  NULL},
    { "QOD",                             { .code = "QOD" },                             "0.5",   NULL,  NULL},
    { "Q1H",                             { .code = "Q1H" },                             "24",    NULL,  NULL},
    { "Q2H",                             { .code = "Q2H" },                             "12",    NULL,  NULL},
    { "Q3H",                             { .code = "Q3H" },                             "8",     NULL,  NULL},
    { "Q4H",                             { .code = "Q4H" },                             "6",     NULL,  NULL},
    { "Q6H",                             { .code = "Q6H" },                             "4",     NULL,  NULL},
    { "Q8H",                             { .code = "Q8H" },                             "3",     NULL,  NULL},
    { "WK",                              { .code = "WK" },                              "1/7",   NULL,  NULL},
    { "MO",                              { .code = "MO" },                              "1/30",  NULL,  NULL},
    { "text BID",                        { .text = "bid" },                             "2",     NULL,  NULL},
    { "text q12h",                       { .text = "q12h" },                            "2",     NULL,  NULL},
    { "BID beside the same",
     { .code = "BID", .f = "2", .p = "1", .u = "d" },
     "2",                                                                                        NULL,
     NULL                                                                                                   },
    { "BID beside 3 a day",
     { .code = "BID", .f = "3", .p = "1", .u = "d" },
     "3",                                                                                        "2",
     NULL                                                                                                   },
    { "unknown code beside a repeat",
     { .code = "XYZ", .f = "3", .p = "1", .u = "d" },
     "3",                                                                                        NULL,
     NULL                                                                                                   },
    { "two doses in all, 4 a day",
     { .f = "4", .p = "1", .u = "d", .count = "2" },
     "2",                                                                                        NULL,
     NULL                                                                                                   },
    { "nothing",
     { .f = NULL },
     NULL,                                                                                       NULL,
     "no frequency: timing has neither repeat nor a known code"                                             },
    { "an event",
     { .event = true },
     NULL,                                                                                       NULL,
     "no frequency: timing.event names moments only"                                                        },
    { "a count",
     { .count = "1" },
     NULL,                                                                                       NULL,
     "no frequency: timing has a count and nothing else"                                                    },
    { "unknown code",
     { .code = "XYZ" },
     NULL,                                                                                       NULL,
     "no frequency: the timing code is not a known one"                                                     },
    { "text only",
     { .text = "as directed" },
     NULL,                                                                                       NULL,
     "no frequency: the timing code is not a known one"                                                     },
    { "Q0H",
     { .code = "Q0H" },
     NULL,                                                                                       NULL,
     "no frequency: the timing code is not a known one"                                                     },
    { "no unit",
     { .f = "4", .p = "1" },
     NULL,                                                                                       NULL,
     "timing.periodUnit is none of s, min, h, d, wk, mo, a"                                                 },
    { "mg for a unit",
     { .f = "10", .p = "1", .u = "mg" },
     NULL,                                                                                       NULL,
     "timing.periodUnit is none of s, min, h, d, wk, mo, a"                                                 },
    { "no period",
     { .f = "4", .u = "d" },
     NULL,                                                                                       NULL,
     "timing.frequency without a period"                                                                    },
    { "zero times",
     { .f = "0", .p = "1", .u = "d" },
     NULL,                                                                                       NULL,
     "timing.frequency is not above zero"                                                                   },
    { "minus times",
     { .f = "-1", .p = "1", .u = "d" },
     NULL,                                                                                       NULL,
     "timing.frequency is not above zero"                                                                   },
    { "in no time",
     { .f = "1", .p = "0", .u = "d" },
     NULL,                                                                                       NULL,
     "timing.period is not above zero"                                                                      },
    { "most below least",
     { .f = "4", .fmax = "2", .p = "1", .u = "d" },
     NULL,                                                                                       NULL,
     "timing.frequencyMax is below frequency"                                                               },
    { "longest below shortest",
     { .f = "1", .p = "8", .pmax = "6", .u = "h" },
     NULL,                                                                                       NULL,
     "timing.periodMax is below period"                                                                     },
    { "only a longest",
     { .f = "1", .pmax = "6", .u = "h" },
     NULL,                                                                                       NULL,
     "timing.periodMax without a period"                                                                    },
    { "unknown when",
     { .when = { "LUNCH" } },
     NULL,                                                                                       NULL,
     "timing.when has a code that is not known"                                                             },
    { "unknown day",
     { .dow = { "monday" } },
     NULL,                                                                                       NULL,
     "timing.dayOfWeek has a code that is not known"                                                        },
    { "days with 3 d",
     { .f = "1", .p = "3", .u = "d", .dow = { "mon" } },
     NULL,                                                                                       NULL,
     "timing.dayOfWeek with a period between a day and a week"                                              },
    { "count of zero",
     { .f = "1", .p = "1", .u = "d", .count = "0" },
     NULL,                                                                                       NULL,
     "timing.count is not above zero"                                                                       },
    { "overflow",
     { .f = "9000000000000000000", .p = "0.001", .u = "s" },
     NULL,                                                                                       NULL,
     "the numbers of the timing are out of range"                                                           },
};

static void timings_tell_how_often_a_day(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(timing_cases); i++) {
        const struct timing_case *c = &timing_cases[i];
        struct ow_timing t = timing(&c->w);
        struct ow_rate r;
        struct ow_err err = { "" };
        enum ow_code code = ow_timing_rate(&t, &r, &err);

        if (c->high == NULL) {
            if (code != OW_MISSING || !ow_streq(err.text, c->why))
                fail_msg("%s: %s", c->name, code == OW_OK ? "read" : err.text);
            continue;
        }
        if (code != OW_OK)
            fail_msg("%s: %s", c->name, err.text);
        check_ratio(c->name, c->high, r.high);
        check_ratio(c->name, c->low != NULL ? c->low : c->high, r.low);
    }
}

struct dose_case {
    const struct ow_product *product;
    const char *dose, *low; /* low: a range */
    struct when w;
    const char *want, *want_low; /* want NULL: refused; low NULL: as high */
    const char *words;           /* or the reason */
    const char *max_num, *max_den, *max_each;
    unsigned flags;
};

#define QID                                                                              \
    {                                                                                    \
        .f = "4", .p = "1", .u = "d"                                                     \
    }
#define BID                                                                              \
    {                                                                                    \
        .f = "2", .p = "1", .u = "d"                                                     \
    }
#define QD                                                                               \
    {                                                                                    \
        .f = "1", .p = "1", .u = "d"                                                     \
    }
#define Q72                                                                              \
    {                                                                                    \
        .f = "1", .p = "72", .u = "h"                                                    \
    }

static const struct dose_case dose_cases[] = {
    {&oxycodone_10,        "1 tablet",                   NULL,       QID, "40",   NULL, "1 tablet x 4/d x 10 mg",                 NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &oxycodone_10,       "2 {tbl}",                    NULL,       QID, "80",   NULL, "2 tablets x 4/d x 10 mg",                NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &oxycodone_10,       "1",                          NULL,       QID, "40",   NULL, "1 tablet x 4/d x 10 mg",                 NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "0.5 tab(s)",                 NULL,       QD,  "5",    NULL, "0.5 tablet x 1/d x 10 mg",               NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &oxycodone_10,       "1 CAP",                      NULL,       QD,  "10",   NULL, "1 capsule x 1/d x 10 mg",                NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "1 Tablets",                  NULL,       QD,  "10",   NULL, "1 tablet x 1/d x 10 mg",                 NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &oxycodone_10,       "15 mg",                      NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "15000 ug",                   NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,       "15000 \xC2\xB5g",            NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "15000 \xCE\xBCg",            NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "15000 mcg",                  NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,       "0.015 g",                    NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,       "15000000 ng",                NULL,       BID, "30",   NULL, "15 mg x 2/d",                            NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "2 tablet",                   "1 tablet", QID, "80",   "40",
     "up to 2 tablets x 4/d x 10 mg",                                                                                             NULL,       NULL,   NULL,       OW_FLAG_RANGE},
    { &oxycodone_10,       "2 tablet",                   "0 tablet", QID, "80",   "0",
     "up to 2 tablets x 4/d x 10 mg",                                                                                             NULL,       NULL,   NULL,       OW_FLAG_RANGE},
    { &oxycodone_10,
     "1 tablet",                                         NULL,
     { .f = "1", .p = "6", .pmax = "8", .u = "h" },
     "40",                                                                        "30",
     "up to 1 tablet x 4/d x 10 mg",                                                                                              NULL,
     NULL,                                                                                                                                            NULL,
     OW_FLAG_RANGE                                                                                                                                                             },
    { &oxycodone_10,
     "1 tablet",                                         NULL,
     { .f = "2", .p = "1", .u = "wk" },
     "20/7",                                                                      NULL,
     "1 tablet x 2 in 7 d x 10 mg",                                                                                               NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,
     "2 tablet",                                         NULL,
     { .f = "1", .p = "4", .u = "h" },
     "80",                                                                        NULL,
     "2 tablets x 6/d x 10 mg, at most 80 mg/d",                                                                                  "8 tablet",
     "1 d",                                                                                                                                           NULL,
     OW_FLAG_CAPPED                                                                                                                                                            },
    { &oxycodone_10,       "1 tablet",                   NULL,       QID, "40",   NULL, "1 tablet x 4/d x 10 mg",
     "8 tablet",                                                                                                                              "24 h", NULL,       0            },
    { &oxycodone_10,
     "1 tablet",                                         NULL,
     { .f = NULL },
     "60",                                                                        NULL,
     "at most 60 mg/d",                                                                                                           "6 tablet",
     "1 d",                                                                                                                                           NULL,
     OW_FLAG_CAPPED                                                                                                                                                            },
    { &oxycodone_10,       "3 tablet",                   "1 tablet", BID, "40",   "20",
     "up to 2 tablets x 2/d x 10 mg",                                                                                             NULL,       NULL,   "2 tablet",
     OW_FLAG_CAPPED | OW_FLAG_RANGE                                                                                                                                            },
    { &morphine_liquid,
     "7.5 mL",                                           NULL,
     { .f = "1", .p = "4", .u = "h" },
     "90",                                                                        NULL,
     "7.5 mL x 6/d x 2 mg/mL",                                                                                                    NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &morphine_liquid,    "5 {mL}",                     NULL,       BID, "20",   NULL, "5 mL x 2/d x 2 mg/mL",                   NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &morphine_liquid,    "1 teaspoon",                 NULL,       BID, "20",   NULL, "5 mL x 2/d x 2 mg/mL",                   NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &morphine_liquid,    "10 mg",                      NULL,       BID, "20",   NULL, "10 mg x 2/d",                            NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &lozenge_200,
     "200 ug",                                           NULL,
     { .f = "3", .p = "1", .u = "d" },
     "600",                                                                       NULL,
     "200 ug x 3/d",                                                                                                              NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &lozenge_200,        "1 {lozenge}",                NULL,       QID, "800",  NULL, "1 lozenge x 4/d x 200 ug",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &film_200,           "1 film",                     NULL,       QID, "800",  NULL, "1 film x 4/d x 200 ug",                  NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &nasal_1,            "1 {actuat}",                 NULL,       BID, "2",    NULL, "1 spray x 2/d x 1 mg",                   NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &spray_pack,         "1 pack",                     NULL,       QD,  "1200", NULL, "1 pack x 2 sprays x 1/d x 600 ug",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &spray_pack,         "2 spray",                    NULL,       QD,  "1200", NULL, "2 sprays x 1/d x 600 ug",                NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &suppository_30,     "1 {supp}",                   NULL,       QD,  "30",   NULL, "1 suppository x 1/d x 30 mg",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &patch_25,           "1 patch",                    NULL,       Q72, "25",   NULL, "1 patch x 25 ug/h",                      NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &patch_25,
     "1 patch",                                          NULL,
     { .f = "1", .p = "2", .u = "d" },
     "25",                                                                        NULL,
     "1 patch x 25 ug/h",                                                                                                         NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &patch_25,
     "2 {patch}",                                        NULL,
     { .f = "1", .p = "3", .u = "d" },
     "50",                                                                        NULL,
     "2 patches x 25 ug/h",                                                                                                       NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &patch_25,
     "1",                                                NULL,
     { .f = NULL },
     "25",                                                                        NULL,
     "1 patch x 25 ug/h",                                                                                                         NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &patch_25,
     "0.2 patch",                                        NULL,
     { .f = "1", .p = "12", .u = "d" },
     "5",                                                                         NULL,
     "0.2 patch x 25 ug/h",                                                                                                       NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &patch_25,           "37.5 ug/h",                  NULL,       Q72, "37.5", NULL, "37.5 ug/h",                              NULL,       NULL,   NULL,       0            },
    { &patch_25,           "0.025 mg/h",                 NULL,       Q72, "25",   NULL, "25 ug/h",                                NULL,       NULL,   NULL,       0            },
    { &patch_25,           "50 mcg/hr",                  NULL,       Q72, "50",   NULL, "50 ug/h",                                NULL,       NULL,   NULL,       0            },
    { &morphine_injection, "1 mL",                       NULL,       BID, "20",   NULL, "1 mL x 2/d x 10 mg/mL",                  NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &component_mg,       "1 tablet",                   NULL,       BID, "20",   NULL, "1 tablet x 2/d x 10 mg",                 NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &component_mg,       "10 mg",                      NULL,       BID, "20",   NULL, "10 mg x 2/d",                            NULL,       NULL,   NULL,       0            },

    { &oxycodone_10,       "1 patch",                    NULL,       QD,  NULL,   NULL,
     "dose: its unit does not go with the form of the product",                                                                   NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "5 mL",                       NULL,       QD,  NULL,   NULL,
     "dose: a volume, but the strength of the product is not per mL",                                                             NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,       "0.1 mg/kg",                  NULL,       QD,  NULL,   NULL,
     "dose: a dose by body weight or surface",                                                                                    NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "10 mg/h",                    NULL,       QD,  NULL,   NULL,
     "dose: a rate where an amount was expected",                                                                                 NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "1 bottle",                   NULL,       QD,  NULL,   NULL,
     "dose: the unit \"bottle\" is not a known one",                                                                              NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "1 dose",                     NULL,       QD,  NULL,   NULL,
     "dose: the unit \"dose\" is not a known one",                                                                                NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "5 %",                        NULL,       QD,  NULL,   NULL,
     "dose: the unit \"%\" is not a known one",                                                                                   NULL,       NULL,   NULL,       0            },
    { &morphine_liquid,    "5 [drp]",                    NULL,       QD,  NULL,   NULL, "dose: drops tell no volume",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &morphine_liquid,    "5 drops",                    NULL,       QD,  NULL,   NULL, "dose: drops tell no volume",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &morphine_liquid,    "5",                          NULL,       QD,  NULL,   NULL,
     "dose: mL or mg were expected for a product with a strength per mL",                                                         NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "0 tablet",                   NULL,       QD,  NULL,   NULL, "dose: not above zero",                   NULL,       NULL,
     NULL,                                                                                                                                                        0            },
    { &oxycodone_10,       "-1 tablet",                  NULL,       QD,  NULL,   NULL, "dose: not above zero",                   NULL,
     NULL,                                                                                                                                            NULL,       0            },
    { &oxycodone_10,       "1 tablet",                   "2 tablet", QD,  NULL,   NULL,
     "the dose range ends below its beginning",                                                                                   NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,       "1 tablet",                   NULL,       QD,  NULL,   NULL,
     "maxDosePerPeriod: its period is no length of time",                                                                         "8 tablet", "1 mg", NULL,       0            },
    { &oxycodone_10,       "9000000000000000000 tablet", NULL,       QID, NULL,   NULL,
     "dose: the number is out of range",                                                                                          NULL,       NULL,   NULL,       0            },
    { &oxycodone_10,
     "1 tablet",                                         NULL,
     { .f = NULL },
     NULL,                                                                        NULL,
     "no frequency: timing has neither repeat nor a known code",                                                                  NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,
     "1 tablet",                                         NULL,
     { .event = true },
     NULL,                                                                        NULL,
     "no frequency: timing.event names moments only",                                                                             NULL,
     NULL,                                                                                                                                            NULL,
     0                                                                                                                                                                         },
    { &oxycodone_10,       NULL,                         NULL,       QD,  NULL,   NULL, "no dose",                                NULL,       NULL,   NULL,       0            },
    { &patch_25,           "25 ug",                      NULL,       Q72, NULL,   NULL,
     "dose: a number of patches or a rate was expected for a patch",                                                              NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &patch_25,           "1 tablet",                   NULL,       Q72, NULL,   NULL,
     "dose: a number of patches or a rate was expected for a patch",                                                              NULL,       NULL,   NULL,
     0                                                                                                                                                                         },
    { &spray_pack,         "1",                          NULL,       QD,  NULL,   NULL, "dose: packs or sprays? no unit is said",
     NULL,                                                                                                                                    NULL,   NULL,       0            },
    { &component_mg,       "1 syringe",                  NULL,       BID, NULL,   NULL,
     "dose: its unit does not go with the form of the product",                                                                   NULL,       NULL,   NULL,       0            },
    { &component_ml,       "1 mL",                       NULL,       BID, NULL,   NULL,
     "a drug component with a strength per mL, and neither route nor form say that it "
      "is oral",                                                                                                                  NULL,       NULL,   NULL,       0            },
};

static struct ow_arena arena;

static enum ow_code read_one(const struct ow_product *p, const struct ow_dosage *d,
                             size_t n, struct ow_dose *ret, struct ow_err *err)
{
    struct ow_order o = { .dosages = d, .n_dosages = n };

    err->text[0] = '\0';
    ow_arena_reset(&arena);
    return ow_dosage_read(&o, p, &arena, ret, err);
}

static void doses_become_an_amount_a_day(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(dose_cases); i++) {
        const struct dose_case *c = &dose_cases[i];
        struct ow_dose_rate r = { .has_dose = c->dose != NULL && c->low == NULL,
                                  .has_dose_range = c->low != NULL };
        struct ow_fraction max = { qty(c->max_num), qty(c->max_den) };
        struct ow_dosage d = { .has_timing = true,
                               .timing = timing(&c->w),
                               .doses = &r,
                               .n_doses = c->dose != NULL,
                               .max_per_period = &max,
                               .n_max_per_period = c->max_num != NULL,
                               .has_max_per_administration = c->max_each != NULL,
                               .max_per_administration = qty(c->max_each) };
        struct ow_dose dose;
        struct ow_err err;
        enum ow_code code;

        r.dose = r.dose_range.high = qty(c->dose);
        r.dose_range.low = qty(c->low);
        code = read_one(c->product, &d, 1, &dose, &err);
        if (c->want == NULL) {
            if (code != OW_MISSING || !ow_streq(err.text, c->words))
                fail_msg("%zu: %s is not %s", i,
                         code == OW_OK ? dose.steps[0].words : err.text, c->words);
            continue;
        }
        if (code != OW_OK)
            fail_msg("%zu %s: %s", i, c->words, err.text);
        assert_int_equal(dose.n_steps, 1);
        check_ratio(c->words, c->want, dose.steps[0].high);
        check_ratio(c->words, c->want_low != NULL ? c->want_low : c->want,
                    dose.steps[0].low);
        assert_string_equal(dose.steps[0].words, c->words);
        assert_int_equal(dose.flags, c->flags);
        assert_string_equal(dose.unit, ow_basis_unit(ow_product_basis(c->product)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timings_tell_how_often_a_day),
        cmocka_unit_test(doses_become_an_amount_a_day),
    };
    int failed;

    ow_arena_init(&arena, 1 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    ow_arena_done(&arena);
    return failed;
}
