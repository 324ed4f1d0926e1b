/*
 * Dosage: structured directions to an amount a day, or why not
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/dosage.h"
#include "alerts/doseline.h"
#include "alerts/timing.h"
#include "alerts/units.h"
#include "base/text.h"
#include "tests/support/build.h"

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
     "3",                                                                                        NULL,
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
        enum ow_code code = ow_timing_rate(build_knowledge(), &t, &r, &err);

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

static void snomed_frequencies_are_known(void **state)
{
    static const struct {
        const char *system, *code, *high, *low;
    } cases[] = {
        {OW_SYSTEM_SNOMED,  "229799001", "2",   "2"  },
        { OW_SYSTEM_SNOMED, "307468000", "4",   "4"  },
        { OW_SYSTEM_SNOMED, "225752000", "12",  "6"  },
        { OW_SYSTEM_SNOMED, "396126004", "2/3", "2/3"},
        { OW_SYSTEM_SNOMED, "1",         NULL,  NULL },
        { "urn:local",      "229799001", NULL,  NULL },
        { "urn:local",      "BID",       NULL,  NULL }, /* a site's own BID may be anything */
    };
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(cases); i++) {
        struct ow_coding c = { cases[i].system, cases[i].code, NULL };
        struct ow_timing t = {
            .code = {.codings = &c, .n_codings = 1}
        };
        struct ow_rate r;
        enum ow_code code = ow_timing_rate(build_knowledge(), &t, &r, NULL);

        assert_int_equal(code, cases[i].high != NULL ? OW_OK : OW_MISSING);
        if (code != OW_OK)
            continue;
        check_ratio(cases[i].code, cases[i].high, r.high);
        check_ratio(cases[i].code, cases[i].low, r.low);
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
    { &morphine_liquid,    "5 drop (0.05 mL)",           NULL,       QD,  "0.5",  NULL,
     "0.25 mL x 1/d x 2 mg/mL",                                                                                                   NULL,       NULL,   NULL,       0            },
    { &morphine_liquid,    "5 gtt of 0.05 mL",           NULL,       QD,  "0.5",  NULL,
     "0.25 mL x 1/d x 2 mg/mL",                                                                                                   NULL,       NULL,   NULL,       0            },
    { &morphine_liquid,    "5 drops = 0 mL",             NULL,       QD,  NULL,   NULL,
     "dose: drops tell no volume",                                                                                                NULL,       NULL,   NULL,       0            },
    { &morphine_liquid,    "5 drops (0.05 mg)",          NULL,       QD,  NULL,   NULL,
     "dose: drops tell no volume",                                                                                                NULL,       NULL,   NULL,       0            },
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
    return ow_dosage_read(build_knowledge(), &o, p, &arena, ret, err);
}

/* The code says a drop; only a text that states its volume may speak for it. */
static void a_drop_is_read_by_the_volume_that_is_stated(void **state)
{
    static const struct {
        const char *unit, *want;
    } texts[] = {
        {"drop (0.04 mL)", "0.4"},
        { "drops",         NULL },
        { "mL",            NULL },
        { NULL,            NULL },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(texts); i++) {
        struct ow_quantity q = { .has_value = true,
                                 .value = OW_RATIO(5, 1),
                                 .unit = texts[i].unit,
                                 .system = OW_SYSTEM_UCUM,
                                 .code = "[drp]" };
        struct ow_dose_context ctx = { .kb = build_knowledge(),
                                       .product = &morphine_liquid,
                                       .arena = &arena };
        struct ow_amount a;
        struct ow_err err;
        enum ow_code code = ow_amount_read(&ctx, &q, 0, "dose", &a, &err);

        if (texts[i].want != NULL)
            check_ratio(texts[i].unit, texts[i].want, a.value);
        assert_int_equal(code, texts[i].want != NULL ? OW_OK : OW_MISSING);
    }
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

struct unit_case {
    const char *unit, *code, *system;
    enum ow_unit_kind kind;
    const char *scale; /* NULL: refused */
    const char *word;  /* or the reason */
};

#define FORMS "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"

static const struct unit_case unit_cases[] = {
    {NULL,                                                        NULL,           NULL,             OW_UNIT_COUNT,       "1",     NULL                                      },
    { NULL,                                                       "1",            UCUM,             OW_UNIT_COUNT,       "1",     NULL                                      },
    { "tablet",                                                   "1",            UCUM,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "tablet",                                                   "{tablet}",     UCUM,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "Tab",                                                      "{tbl}",        UCUM,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "tablet",                                                   "TAB",          FORMS,            OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { NULL,                                                       "TAB",          FORMS,            OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "patch",                                                    "patch",        FORMS,            OW_UNIT_COUNT,       "1",     "patch"                                   },
    { "tablet, extended release",                                 NULL,           NULL,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "12 HR Extended Release Oral Tablet",                       NULL,           NULL,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "film coated tablets",                                      NULL,           NULL,             OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "tablet",                                                   "385055001",    OW_SYSTEM_SNOMED, OW_UNIT_COUNT,       "1",     "tablet"                                  },
    { "Milligrams",                                               "mg",           UCUM,             OW_UNIT_MASS,        "1",     NULL                                      },
    { "mg morphine",                                              "mg{morphine}", UCUM,             OW_UNIT_MASS,        "1",     NULL                                      },
    { "MG",                                                       "mg",           NULL,             OW_UNIT_MASS,        "1",     NULL                                      },
    { "mcg",                                                      "ug",           UCUM,             OW_UNIT_MASS,        "0.001", NULL                                      },
    { "mL",                                                       "{mL}",         UCUM,             OW_UNIT_VOLUME,      "1",     NULL                                      },
    { "mcg/hr",                                                   "ug/h",         UCUM,             OW_UNIT_MASS_RATE,   "0.001", NULL                                      },
    { NULL,                                                       "mg/(24.h)",    UCUM,             OW_UNIT_MASS_RATE,   "1/24",  NULL                                      },
    { NULL,                                                       "mg/d",         UCUM,             OW_UNIT_MASS_RATE,   "1/24",  NULL                                      },
    { NULL,                                                       "mL/min",       UCUM,             OW_UNIT_VOLUME_RATE, "60",    NULL                                      },
    { "mcg",                                                      "mg",           UCUM,             0,                   NULL,    "the unit's text and its code differ"     },
    { "mg",                                                       "{tablet}",     UCUM,             0,                   NULL,    "the unit's text and its code differ"     },
    { "mg",                                                       "1",            UCUM,             0,                   NULL,    "the unit's text and its code differ"     },
    { "patch",                                                    "{tablet}",     UCUM,             0,                   NULL,    "the unit's text and its code differ"     },
    { "mg",                                                       "mg/kg",        UCUM,             0,                   NULL,    "a dose by body weight or surface"        },
    { "mg/kg",                                                    "mg",           UCUM,             0,                   NULL,    "a dose by body weight or surface"        },
    { "tablet",                                                   "meq",          UCUM,             0,                   NULL,    "the unit \"meq\" is not a known one"     },
    { "box",                                                      "1",            UCUM,             0,                   NULL,    "the unit \"box\" is not a known one"     },
    { "tablet bottle",                                            NULL,           NULL,             0,                   NULL,
     "the unit \"tablet bottle\" is not a known one"                                                                                                                        },
    { NULL,                                                       "mg/mL",        UCUM,             0,                   NULL,    "the unit \"mg/ml\" is not a known one"   },
    { NULL,                                                       "tablet/d",     NULL,             0,                   NULL,    "the unit \"tablet/d\" is not a known one"},
    { NULL,                                                       "mg/(0.h)",     UCUM,             0,                   NULL,    "the unit \"mg/(0.h)\" is not a known one"},
    { "a unit with a name that no unit of any system would have", NULL,           NULL,             0,                   NULL,
     "the unit is not a known one"                                                                                                                                          },
};

static void units_are_read_from_code_and_text(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(unit_cases); i++) {
        const struct unit_case *c = &unit_cases[i];
        struct ow_quantity q = { .unit = c->unit, .code = c->code, .system = c->system };
        struct ow_unit u;
        struct ow_err err = { "" };
        enum ow_code code = ow_unit_read(&q, &u, &err);

        if (c->scale == NULL) {
            if (code != OW_MISSING || !ow_streq(err.text, c->word))
                fail_msg("%zu: %s", i, code == OW_OK ? "read" : err.text);
            continue;
        }
        if (code != OW_OK)
            fail_msg("%zu: %s", i, err.text);
        assert_int_equal(u.kind, c->kind);
        check_ratio("scale", c->scale, u.scale);
        if (!ow_streq(u.word, c->word))
            fail_msg("%zu: %s", i, u.word ? u.word : "no word");
    }
}

static void durations_are_exact_lengths(void **state)
{
    static const struct {
        const char *value, *unit, *code, *comparator;
        int64_t ms; /* 0: refused */
    } cases[] = {
        {"30",    "days",    "d",   NULL, DAYS(30)      },
        { "30",   "days",    NULL,  NULL, DAYS(30)      },
        { "2",    "weeks",   "wk",  NULL, DAYS(14)      },
        { "1",    "mo",      "mo",  NULL, DAYS(30)      },
        { "1",    NULL,      "a",   NULL, DAYS(365)     },
        { "90",   "minutes", "min", NULL, 90 * OW_MINUTE},
        { "0.5",  "Hour",    NULL,  NULL, 30 * OW_MINUTE},
        { "10",   NULL,      "s",   NULL, 10 * OW_SECOND},
        { "30",   NULL,      NULL,  NULL, 0             },
        { "30",   "tablets", NULL,  NULL, 0             },
        { "30",   "days",    "wk",  NULL, 0             },
        { "0",    "days",    "d",   NULL, 0             },
        { "-1",   "days",    "d",   NULL, 0             },
        { "30",   "days",    "d",   "<",  0             },
        { "1e18", "days",    "d",   NULL, 0             },
    };
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(cases); i++) {
        struct ow_quantity q = { .has_value = true,
                                 .value = num(cases[i].value),
                                 .unit = cases[i].unit,
                                 .code = cases[i].code,
                                 .comparator = cases[i].comparator };
        int64_t ms = 0;

        assert_int_equal(ow_duration_ms(&q, &ms), cases[i].ms != 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void the_ordered_dose_is_picked_among_several(void **state)
{
    struct ow_dose_rate r[3] = {
        {.type = "calculated",    .has_dose = true, .dose = qty("3 tablet")},
        { .type = "admin-amount", .has_dose = true, .dose = qty("2 tablet")},
        { .type = "ordered",      .has_dose = true, .dose = qty("1 tablet")},
    };
    struct when w = QD;
    struct ow_dosage d = {
        .has_timing = true, .timing = timing(&w), .doses = r, .n_doses = 3
    };
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    check_ratio("ordered", "10", dose.steps[0].high);
    r[2].type = NULL;
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    r[1].type = "Ordered";
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "2 of 3 doseAndRate could be the ordered one");
    d.n_doses = 1; /* one alone counts, whatever it is called */
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    check_ratio("calculated", "30", dose.steps[0].high);
}

static void a_comparator_or_a_modifier_or_as_directed_is_no_dose(void **state)
{
    struct ow_dose_rate r = { .has_dose = true, .dose = qty("1 tablet") };
    struct when w = QD;
    struct ow_dosage d = {
        .has_timing = true, .timing = timing(&w), .doses = &r, .n_doses = 1
    };
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    r.dose.comparator = "<";
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "dose: \"less than\" or \"more than\" is no amount");
    d.refused = "a modifier extension that is not understood";
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_INPUT);
    assert_string_equal(err.text, "a modifier extension that is not understood");
    d = (struct ow_dosage){ .text = "as directed" };
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "free text: no dose: \"as directed\"");
    assert_int_equal(read_one(&oxycodone_10, &d, 0, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "no dosage");
    r.dose.comparator = NULL;
    d = (struct ow_dosage){ .doses = &r, .n_doses = 1, .text = "as directed" };
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "free text: no dose: \"as directed\"");
}

struct infusion_case {
    const struct ow_product *product;
    const char *rate, *low, *num, *den; /* a rate, a range or a ratio */
    struct when w;
    const char *want, *want_low, *words;
};

static const struct infusion_case infusion_cases[] = {
    {&morphine_injection,
     "2 mg/h",                        NULL,
     NULL,                                                NULL,
     { .f = NULL },
     "48",                                                                   NULL,
     "2 mg/h x 24 h/d"                                                                      },
    { &morphine_injection,
     "0.2 mL/h",                      NULL,
     NULL,                                                NULL,
     { .f = NULL },
     "48",                                                                   NULL,
     "2 mg/h x 24 h/d"                                                                      },
    { &morphine_injection,
     "2 mg/h",                        "1 mg/h",
     NULL,                                                NULL,
     { .f = NULL },
     "48",                                                                   "24",
     "2 mg/h x 24 h/d"                                                                      },
    { &morphine_injection,
     NULL,                            NULL,
     "10 mg",                                             "5 h",
     { .f = NULL },
     "48",                                                                   NULL,
     "2 mg/h x 24 h/d"                                                                      },
    { &morphine_injection,
     NULL,                            NULL,
     "1 mL",                                              "5 h",
     { .f = NULL },
     "48",                                                                   NULL,
     "2 mg/h x 24 h/d"                                                                      },
    { &morphine_injection,
     "2 mg/h",                        NULL,
     NULL,                                                NULL,
     { .dur = "8", .dur_unit = "h" },
     "16",                                                                   NULL,
     "2 mg/h x 8 h/d"                                                                       },
    { &morphine_injection,
     "2 mg/h",                        NULL,
     NULL,                                                NULL,
     { .f = "2", .p = "1", .u = "d", .dur = "30", .dur_unit = "min" },
     "2",                                                                    NULL,
     "2 mg/h x 1 h/d"                                                                       },
    { &morphine_injection,
     "2 mg/h",                        NULL,
     NULL,                                                NULL,
     { .f = "2", .p = "1", .u = "d", .dur = "20", .dur_unit = "h" },
     "48",                                                                   NULL,
     "2 mg/h x 24 h/d"                                                                      },
    { &patch_25,           "25 ug/h", NULL,     NULL,     NULL,   Q72, "25", NULL, "25 ug/h"},
    { &patch_25,           NULL,      NULL,     "600 ug", "1 d",  Q72, "25", NULL, "25 ug/h"},
    { &morphine_injection,
     "2 mg",                          NULL,
     NULL,                                                NULL,
     { .f = NULL },
     NULL,                                                                   NULL,
     "rate: an amount in a time was expected"                                               },
    { &morphine_injection,
     "0 mg/h",                        NULL,
     NULL,                                                NULL,
     { .f = NULL },
     NULL,                                                                   NULL,
     "rate: a value above zero was expected"                                                },
    { &oxycodone_10,
     "5 mL/h",                        NULL,
     NULL,                                                NULL,
     { .f = NULL },
     NULL,                                                                   NULL,
     "rate: an amount in a time was expected"                                               },
    { &morphine_injection,
     NULL,                            NULL,
     "10 mg",                                             "5 mL",
     { .f = NULL },
     NULL,                                                                   NULL,
     "rate: its time is no length of time"                                                  },
    { &morphine_injection,
     "2 mg/h",                        NULL,
     NULL,                                                NULL,
     { .dur = "8" },
     NULL,                                                                   NULL,
     "timing.duration is no length of time"                                                 },
    { &morphine_injection,
     "1 mg/h",                        "2 mg/h",
     NULL,                                                NULL,
     { .f = NULL },
     NULL,                                                                   NULL,
     "the rate range ends below its beginning"                                              },
};

static void infusions_count_by_rate_and_duration(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(infusion_cases); i++) {
        const struct infusion_case *c = &infusion_cases[i];
        struct ow_dose_rate r = { .has_rate = c->rate != NULL && c->low == NULL,
                                  .has_rate_range = c->low != NULL,
                                  .has_rate_ratio = c->num != NULL };
        struct ow_dosage d = {
            .has_timing = true, .timing = timing(&c->w), .doses = &r, .n_doses = 1
        };
        struct ow_dose dose;
        struct ow_err err;
        enum ow_code code;

        r.rate = r.rate_range.high = qty(c->rate);
        r.rate_range.low = qty(c->low);
        r.rate_ratio = (struct ow_fraction){ qty(c->num), qty(c->den) };
        code = read_one(c->product, &d, 1, &dose, &err);
        if (c->want == NULL) {
            if (code != OW_MISSING || !ow_streq(err.text, c->words))
                fail_msg("%zu: %s", i, code == OW_OK ? "read" : err.text);
            continue;
        }
        if (code != OW_OK)
            fail_msg("%zu: %s", i, err.text);
        check_ratio(c->words, c->want, dose.steps[0].high);
        check_ratio(c->words, c->want_low ? c->want_low : c->want, dose.steps[0].low);
        assert_string_equal(dose.steps[0].words, c->words);
    }
}

/* A line of a taper: tablets once a day, with a sequence number and a length. */
struct step {
    const char *tablets;
    int64_t sequence;    /* -1: none */
    const char *days;    /* bounds duration */
    int64_t from, until; /* bounds period in days; both 0: none */
    const char *when;
};

enum { STEPS = 4 };

struct taper {
    const char *name;
    struct step steps[STEPS];
    const char *want; /* "0-5:20 5-:10" days and mg/d */
    bool has_bounds;
    int64_t from, until; /* bounds in days; until -1: open */
    unsigned flags;
};

#define OPEN (-1)

static const struct taper tapers[] = {
    {"concurrent lines add up",
     { { "1", -1, NULL, 0, 0, NULL }, { "2", -1, NULL, 0, 0, NULL } },
     "0-:30",                          false,
     0,   0,
     0            },
    { "the same number is concurrent",
     { { "1", 1, NULL, 0, 0, NULL }, { "2", 1, NULL, 0, 0, NULL } },
     "0-:30",                          false,
     0,   0,
     0            },
    { "a sequence with lengths is a taper",
     { { "3", 1, "5", 0, 0, NULL },
        { "2", 2, "5", 0, 0, NULL },
        { "1", 3, "5", 0, 0, NULL } },
     "0-5:30 5-10:20 10-15:10",        false,
     0,   0,
     0            },
    { "in whatever order they stand",
     { { "1", 30, NULL, 0, 0, NULL },
        { "3", 10, "5", 0, 0, NULL },
        { "2", 20, "5", 0, 0, NULL } },
     "0-5:30 5-10:20 10-:10",          false,
     0,   0,
     0            },
    { "two lines of one step",
     { { "1", 1, "3", 0, 0, NULL },
        { "1", 1, "5", 0, 0, NULL },
        { "4", 2, "1", 0, 0, NULL } },
     "0-3:20 3-5:10 5-6:40",           false,
     0,   0,
     0            },
    { "a sequence without lengths counts its largest step",
     { { "3", 1, NULL, 0, 0, NULL }, { "1", 2, NULL, 0, 0, NULL } },
     "0-:30/10",                       false,
     0,   0,
     OW_FLAG_RANGE},
    { "from the step without a length on, and not before",
     { { "3", 1, "5", 0, 0, NULL },
        { "1", 2, NULL, 0, 0, NULL },
        { "2", 3, "3", 0, 0, NULL } },
     "0-5:30 5-:20/10",                false,
     0,   0,
     OW_FLAG_RANGE},
    { "a later step is as likely as this one, whatever its length",
     { { "1", 1, NULL, 0, 0, NULL }, { "3", 2, "5", 0, 0, NULL } },
     "0-:30/10",                       false,
     0,   0,
     OW_FLAG_RANGE},
    { "a step lasts as long as those of its lines that say so",
     { { "1", 1, "4", 0, 0, NULL },
        { "2", 1, NULL, 0, 0, NULL },
        { "5", 2, NULL, 0, 0, NULL } },
     "0-4:30 4-:50/20",                false,
     0,   0,
     OW_FLAG_RANGE},
    { "unless each step has its time of day",
     { { "1", 1, NULL, 0, 0, "MORN" }, { "2", 2, NULL, 0, 0, "HS" } },
     "0-:30",                          false,
     0,   0,
     0            },
    { "but not when it is the same time of day",
     { { "2", 1, NULL, 0, 0, "HS" }, { "1", 2, NULL, 0, 0, "HS" } },
     "0-:20/10",                       false,
     0,   0,
     OW_FLAG_RANGE},
    { "lines without a number stand beside the sequence",
     { { "1", -1, NULL, 0, 0, NULL },
        { "3", 1, "5", 0, 0, NULL },
        { "2", 2, "5", 0, 0, NULL } },
     "0-5:40 5-10:30 10-:10",          false,
     0,   0,
     0            },
    { "different lengths side by side",
     { { "1", -1, "10", 0, 0, NULL }, { "2", -1, "3", 0, 0, NULL } },
     "0-3:30 3-10:10",                 false,
     0,   0,
     0            },
    { "dates make steps",
     { { "2", -1, NULL, 100, 110, NULL }, { "1", -1, NULL, 110, 120, NULL } },
     "0-10:20 10-20:10",               true,
     100, 120,
     0            },
    { "dates may overlap and leave gaps",
     { { "2", -1, NULL, 100, 110, NULL },
        { "1", -1, NULL, 105, 107, NULL },
        { "1", -1, NULL, 112, 120, NULL } },
     "0-5:20 5-7:30 7-10:20 12-20:10", true,
     100, 120,
     0            },
    { "an open end stays open",
     { { "2", 1, NULL, 100, 110, NULL }, { "1", 2, NULL, 110, OPEN, NULL } },
     "0-10:20 10-:10",                 true,
     100, OPEN,
     0            },
    { "a step after a dated one follows it",
     { { "2", 1, NULL, 100, 110, NULL }, { "1", 2, "5", 0, 0, NULL } },
     "0-10:20 10-15:10",               true,
     100, 115,
     0            },
};

static void days_text(const struct ow_dose *d, char *ret, size_t size)
{
    size_t i, n = 0;

    for (i = 0; i < d->n_steps; i++) {
        const struct ow_dose_step *s = &d->steps[i];
        char until[32] = "", low[64] = "", high[OW_RATIO_TEXT], text[OW_RATIO_TEXT];

        if (s->until_ms != INT64_MAX)
            (void)snprintf(until, sizeof until, "%d", (int)(s->until_ms / OW_DAY));
        if (ow_ratio_cmp(s->low, s->high) != 0)
            (void)snprintf(low, sizeof low, "/%s", ow_ratio_format(s->low, 6, text));
        n += (size_t)snprintf(ret + n, size - n, "%s%d-%s:%s%s", i ? " " : "",
                              (int)(s->from_ms / OW_DAY), until,
                              ow_ratio_format(s->high, 6, high), low);
    }
}

static void lines_run_side_by_side_or_one_after_the_other(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < OW_LEN(tapers); i++) {
        const struct taper *t = &tapers[i];
        struct ow_dose_rate r[STEPS] = { { .type = NULL } };
        struct ow_dosage d[STEPS] = { { .text = NULL } };
        struct when w[STEPS];
        struct ow_dose dose;
        struct ow_err err;
        char got[256] = "";

        for (k = 0; k < STEPS && t->steps[k].tablets != NULL; k++) {
            const struct step *s = &t->steps[k];

            w[k] = s->when != NULL ? (struct when){ .when = { s->when } }
                                   : (struct when)QD;
            r[k].has_dose = true;
            r[k].dose = qty(s->tablets);
            d[k].doses = &r[k];
            d[k].n_doses = 1;
            d[k].has_sequence = s->sequence >= 0;
            d[k].sequence = s->sequence;
            d[k].has_timing = true;
            d[k].timing = timing(&w[k]);
            if (s->days != NULL) {
                d[k].timing.bounds = OW_BOUNDS_DURATION;
                d[k].timing.bounds_duration = qty(s->days);
                d[k].timing.bounds_duration.code = "d";
            } else if (s->from != 0) {
                d[k].timing.bounds = OW_BOUNDS_PERIOD;
                d[k].timing.bounds_period.from = DAYS(s->from);
                d[k].timing.bounds_period.until = s->until == OPEN ? OW_TIME_MAX
                                                                   : DAYS(s->until);
            }
        }
        if (read_one(&oxycodone_10, d, k, &dose, &err) != OW_OK)
            fail_msg("%s: %s", t->name, err.text);
        days_text(&dose, got, sizeof got);
        if (!ow_streq(got, t->want))
            fail_msg("%s: %s, not %s", t->name, got, t->want);
        assert_int_equal(dose.flags, t->flags);
        assert_int_equal(dose.has_bounds, t->has_bounds);
        if (t->has_bounds) {
            assert_true(dose.bounds.from == DAYS(t->from));
            assert_true(dose.bounds.until ==
                        (t->until == OPEN ? OW_TIME_MAX : DAYS(t->until)));
        }
    }
}

static void one_bad_line_makes_the_order_unreadable(void **state)
{
    struct ow_dose_rate r[2] = {
        {.has_dose = true,  .dose = qty("1 tablet")},
        { .has_dose = true, .dose = qty("1 drop")  }
    };
    struct when w = QD;
    struct ow_dosage d[2] = {
        {.has_timing = true,  .timing = timing(&w), .doses = &r[0], .n_doses = 1},
        { .has_timing = true, .timing = timing(&w), .doses = &r[1], .n_doses = 1},
    };
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    assert_int_equal(read_one(&oxycodone_10, d, 2, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "dosage line 2: dose: drops tell no volume");
    d[1].refused = "a modifier"; /* comes before what the supply may stand for */
    r[0].dose = qty("1 drop");
    assert_int_equal(read_one(&oxycodone_10, d, 2, &dose, &err), OW_INPUT);
    assert_string_equal(err.text, "dosage line 2: a modifier");
    d[1].refused = NULL;
    r[0].dose = qty("1 tablet");
    d[1].timing.bounds = OW_BOUNDS_PERIOD;
    d[1].timing.bounds_period = (struct ow_span){ DAYS(2), DAYS(1) };
    r[1].dose = qty("1 tablet");
    assert_int_equal(read_one(&oxycodone_10, d, 2, &dose, &err), OW_MISSING);
    assert_string_equal(err.text, "dosage line 2: timing.bounds ends before it begins");
}

static void a_period_open_to_the_left_begins_with_the_order(void **state)
{
    struct ow_dose_rate r = { .has_dose = true, .dose = qty("1 tablet") };
    struct when w = QD;
    struct ow_dosage d[2] = {
        {.has_timing = true,  .timing = timing(&w), .doses = &r, .n_doses = 1},
        { .has_timing = true, .timing = timing(&w), .doses = &r, .n_doses = 1},
    };
    struct ow_order o = { .dosages = d, .n_dosages = 2 };
    struct ow_dose dose;
    struct ow_err err;
    char got[128];

    (void)state;
    d[0].timing.bounds = d[1].timing.bounds = OW_BOUNDS_PERIOD;
    d[0].timing.bounds_period = (struct ow_span){ OW_TIME_MIN, DAYS(110) };
    d[1].timing.bounds_period = (struct ow_span){ DAYS(105), DAYS(120) };
    ow_arena_reset(&arena);
    assert_int_equal(
        ow_dosage_read(build_knowledge(), &o, &oxycodone_10, &arena, &dose, &err),
        OW_MISSING);
    o.has_authored = true;
    o.authored = (struct ow_span){ DAYS(100), DAYS(101) };
    assert_int_equal(
        ow_dosage_read(build_knowledge(), &o, &oxycodone_10, &arena, &dose, &err), OW_OK);
    days_text(&dose, got, sizeof got);
    assert_string_equal(got, "0-5:10 5-10:20 10-20:10");
    assert_true(dose.bounds.from == DAYS(100) && dose.bounds.until == DAYS(120));
    o.n_dosages = 1; /* alone it needs no date */
    assert_int_equal(
        ow_dosage_read(build_knowledge(), &o, &oxycodone_10, &arena, &dose, &err), OW_OK);
    assert_true(dose.bounds.from == OW_TIME_MIN && dose.bounds.until == DAYS(110));
    assert_false(dose.has_length);
}

static void a_count_and_bounds_give_a_length(void **state)
{
    struct ow_dose_rate r = { .has_dose = true, .dose = qty("1 tablet") };
    struct when w = { .f = "2", .p = "1", .u = "d", .count = "20" };
    struct ow_dosage d = {
        .has_timing = true, .timing = timing(&w), .doses = &r, .n_doses = 1
    };
    struct ow_dose dose;
    struct ow_err err;

    (void)state;
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    assert_true(dose.has_length && dose.length_ms == DAYS(10));
    d.timing.count.has_value = false;
    d.timing.bounds = OW_BOUNDS_RANGE;
    d.timing.bounds_range.low = qty("3 d");
    d.timing.bounds_range.high = qty("5 d");
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    assert_true(dose.has_length && dose.length_ms == DAYS(5));
    d.as_needed = true;
    d.timing.bounds_range.high.has_value = false;
    assert_int_equal(read_one(&oxycodone_10, &d, 1, &dose, &err), OW_OK);
    assert_false(dose.has_length);
    assert_int_equal(dose.flags, OW_FLAG_PRN);
}

static void a_component_is_read_unless_the_order_says_injection(void **state)
{
    static const struct {
        const char *route, *form;
        bool ml, mg; /* may the component be read: per mL, per dosage unit? */
    } cases[] = {
        {NULL,                 NULL,                     false, true },
        { "Oral route",        NULL,                     true,  true },
        { "by mouth",          NULL,                     true,  true },
        { "PO",                NULL,                     true,  true },
        { NULL,                "Oral Solution",          true,  true },
        { "Rectal route",      NULL,                     false, true },
        { "Intravenous route", NULL,                     false, false},
        { "IV",                NULL,                     false, false},
        { "Subcutaneous",      NULL,                     false, false},
        { "intranasal",        NULL,                     false, false},
        { NULL,                "Injectable Solution",    false, false},
        { "Oral",              "Solution for injection", false, false},
    };
    struct ow_dose_rate r = { .has_dose = true, .dose = qty("10 mg") };
    struct when w = QD;
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(cases); i++) {
        struct ow_dosage d = { .has_timing = true,
                               .timing = timing(&w),
                               .doses = &r,
                               .n_doses = 1,
                               .route.text = cases[i].route };
        struct ow_order o = { .dosages = &d,
                              .n_dosages = 1,
                              .medication.form.text = cases[i].form };
        struct ow_dose dose;
        struct ow_err err;

        ow_arena_reset(&arena);
        assert_int_equal(
            ow_dosage_read(build_knowledge(), &o, &component_ml, &arena, &dose, &err),
            cases[i].ml ? OW_OK : OW_MISSING);
        assert_int_equal(
            ow_dosage_read(build_knowledge(), &o, &component_mg, &arena, &dose, &err),
            cases[i].mg ? OW_OK : OW_MISSING);
    }
}

struct supply_case {
    const struct ow_product *product;
    enum ow_order_kind kind;
    const char *quantity, *days;
    const char *want; /* NULL: refused */
    const char *words;
};

static const struct supply_case supply_cases[] = {
    {&oxycodone_10,     OW_REQUEST,  "120",       "30 d", "40",  "120 tablets / 30 d x 10 mg"        },
    { &oxycodone_10,    OW_REQUEST,  "120 {tbl}", "1 mo", "40",
     "120 tablets / 30 d x 10 mg"                                                                    },
    { &oxycodone_10,    OW_REQUEST,  "600 mg",    "30 d", "20",  "600 mg / 30 d"                     },
    { &oxycodone_10,    OW_DISPENSE, "90",        "30",   "30",  "90 tablets / 30 d x 10 mg"         },
    { &morphine_liquid, OW_REQUEST,  "120",       "60 d", "4",   "120 mL / 60 d x 2 mg/mL"           },
    { &morphine_liquid, OW_REQUEST,  "120 mL",    "60 d", "4",   "120 mL / 60 d x 2 mg/mL"           },
    { &patch_25,        OW_REQUEST,  "10",        "30 d", "25",  "10 patches x 72 h / 30 d x 25 ug/h"},
    { &patch_25,        OW_REQUEST,  "20 patch",  "30 d", "50",
     "20 patches x 72 h / 30 d x 25 ug/h"                                                            },
    { &lozenge_200,     OW_REQUEST,  "10",        "10 d", "200", "10 lozenges / 10 d x 200 ug"       },
    { &oxycodone_10,    OW_REQUEST,  "120",       "30",   NULL,
     "the days' supply is no length of time"                                                         },
    { &oxycodone_10,    OW_REQUEST,  NULL,        "30 d", NULL,  "no quantity supplied"              },
    { &oxycodone_10,    OW_REQUEST,  "120",       NULL,   NULL,  "no days' supply"                   },
    { &oxycodone_10,    OW_REQUEST,  "0",         "30 d", NULL,  "quantity supplied: not above zero" },
    { &oxycodone_10,    OW_REQUEST,  "120",       "0 d",  NULL,
     "the days' supply is no length of time"                                                         },
    { &oxycodone_10,    OW_REQUEST,  "1 bottle",  "30 d", NULL,
     "quantity supplied: the unit \"bottle\" is not a known one"                                     },
    { &patch_25,        OW_REQUEST,  "250 ug/h",  "30 d", NULL,
     "quantity supplied: no number of patches"                                                       },
};

static void supply_over_days_is_the_second_way(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < OW_LEN(supply_cases); i++) {
        const struct supply_case *c = &supply_cases[i];
        struct ow_order o = { .kind = c->kind,
                              .supply_quantity = qty(c->quantity),
                              .supply_duration = qty(c->days) };
        struct ow_dose dose;
        struct ow_err err;
        enum ow_code code;

        ow_arena_reset(&arena);
        code = ow_dosage_from_supply(build_knowledge(), &o, c->product, &arena, &dose,
                                     &err);
        if (c->want == NULL) {
            if (code != OW_MISSING || !ow_streq(err.text, c->words))
                fail_msg("%zu: %s", i, code == OW_OK ? "read" : err.text);
            continue;
        }
        if (code != OW_OK)
            fail_msg("%s: %s", c->words, err.text);
        check_ratio(c->words, c->want, dose.steps[0].high);
        assert_string_equal(dose.steps[0].words, c->words);
        assert_int_equal(dose.flags, OW_FLAG_FROM_SUPPLY);
    }
}

/* The timings that a published calculator tests itself with. The vectors are not part of
 * the source; OW_SHARED names the folder they are in. */
static void published_timing_vectors_are_met(void **state)
{
    const char *shared = getenv("OW_SHARED");
    char path[512], line[256], f[32] = "", p[32] = "", u[32] = "", want[32] = "";
    char a[OW_RATIO_TEXT], b[OW_RATIO_TEXT];
    unsigned n = 0;
    FILE *in;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/cases/vectors/vectors-timing-a.json",
                   shared != NULL ? shared : "../shared");
    in = fopen(path, "r");
    if (in == NULL) {
        print_message("note: no %s; published vectors not compared\n", path);
        return;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        (void)sscanf(line, " \"frequency\": %31[0-9.]", f);
        (void)sscanf(line, " \"period\": %31[0-9.]", p);
        (void)sscanf(line, " \"periodUnit\": \"%31[^\"]\"", u);
        if (sscanf(line, " \"per_day\": %31[a-z0-9.]", want) == 1) {
            struct when w = { .f = f, .p = p, .u = u };
            struct ow_timing t = timing(&w);
            struct ow_rate r;
            enum ow_code code = ow_timing_rate(build_knowledge(), &t, &r, NULL);

            assert_int_equal(code, ow_streq(want, "null") ? OW_MISSING : OW_OK);
            if (code == OW_OK)
                assert_string_equal(ow_ratio_format(r.high, 6, a),
                                    ow_ratio_format(num(want), 6, b));
            n++;
        }
    }
    fclose(in);
    assert_true(n >= 5);
}

static void a_code_and_an_event_may_be_one_time_of_day(void **state)
{
    static const struct {
        const char *code, *when;
        bool apart;
    } cases[] = {
        {"AM",   "MORN", false},
        { "AM",  "HS",   true },
        { "PM",  "AFT",  false},
        { "BED", "HS",   false},
        { "BED", "MORN", true },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct when w = { .when = { cases[i].when } };
        struct ow_timing a = { .code.text = cases[i].code }, b = timing(&w);

        assert_int_equal(ow_timing_apart(build_knowledge(), &a, &b), cases[i].apart);
        assert_int_equal(ow_timing_apart(build_knowledge(), &b, &a), cases[i].apart);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timings_tell_how_often_a_day),
        cmocka_unit_test(snomed_frequencies_are_known),
        cmocka_unit_test(published_timing_vectors_are_met),
        cmocka_unit_test(units_are_read_from_code_and_text),
        cmocka_unit_test(durations_are_exact_lengths),
        cmocka_unit_test(a_drop_is_read_by_the_volume_that_is_stated),
        cmocka_unit_test(doses_become_an_amount_a_day),
        cmocka_unit_test(the_ordered_dose_is_picked_among_several),
        cmocka_unit_test(a_comparator_or_a_modifier_or_as_directed_is_no_dose),
        cmocka_unit_test(infusions_count_by_rate_and_duration),
        cmocka_unit_test(lines_run_side_by_side_or_one_after_the_other),
        cmocka_unit_test(one_bad_line_makes_the_order_unreadable),
        cmocka_unit_test(a_period_open_to_the_left_begins_with_the_order),
        cmocka_unit_test(a_count_and_bounds_give_a_length),
        cmocka_unit_test(a_component_is_read_unless_the_order_says_injection),
        cmocka_unit_test(supply_over_days_is_the_second_way),
        cmocka_unit_test(a_code_and_an_event_may_be_one_time_of_day),
    };
    int failed;

    ow_arena_init(&arena, 1 << 20);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    ow_arena_done(&arena);
    return failed;
}
