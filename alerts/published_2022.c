/*
 * The rules of 2022 as published: libraries 2022.1.0, state of 2025-09-26.
 * [cqframework/opioid-cds-r4; conf/SOURCES.md]
 *
 * Acute is a supply of less than 28 days; longer pain one of 28 days and more, or a
 * validity of so many: an order can be both.
 */
#include "alerts/published_screen.h"
#include "base/text.h"

/* ---- the general facts ---- */

/* Whole days from the beginning of the validity to its end. */
static bool validity_28(const struct ow_pub *u, const struct ow_order *o)
{
    const struct ow_zone *zone = u->j->q->zone;
    ow_time from = o->validity.from, until = o->validity.until;

    if (!o->has_validity || from == OW_TIME_MIN || until == OW_TIME_MAX)
        return false;
    if (ow_zone_day_start(zone, until) == until) /* its last day is named, no time */
        return ow_zone_day(zone, until - 1) - ow_zone_day(zone, from) >= 28;
    return until - 1 - from >= 28 * OW_DAY;
}

static bool chronic(const struct ow_pub *u, const struct ow_pub_order *x)
{
    return ow_pub_supply_28(x) || validity_28(u, x->order);
}

/* Two visits in the 12 months to yesterday that encounter diagnoses of cancer refer to.
 */
static void read_cancer_encounters(struct ow_pub *u, struct ow_fact *f)
{
    const struct ow_record *e = NULL, *c;
    unsigned n = 0;

    while ((e = ow_record_next(u->j, e, "Encounter", NULL)) != NULL) {
        int64_t day;

        if (!e->has_when || !ow_streq(e->when_of, "period") ||
            e->when.from == OW_TIME_MIN || e->reference == NULL)
            continue;
        day = ow_zone_day(u->j->q->zone, e->when.from);
        if (day < ow_pub_months_ago(u, 12) || day >= u->today)
            continue;
        for (c = NULL;
             (c = ow_pub_record(u, c, "Condition",
                                OW_SET_CDC_MALIGNANT_CANCER_CONDITIONS)) != NULL;)
            if (ow_pub_category(u, c, OW_SET_CONDITION_ENCOUNTER_DIAGNOSIS_CATEGORY) &&
                ow_pub_refers(c->encounter, e->reference))
                break;
        if (c == NULL)
            continue;
        n++;
        ow_pub_fact_by(u, f, e->reference);
    }
    f->value = n >= 2;
}

static void read_cancer(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *cancer = &facts[OW_FACT_CANCER];
    struct ow_fact *encounters = &facts[OW_FACT_CANCER_ENCOUNTERS];
    const struct ow_record *r = NULL;

    read_cancer_encounters(u, encounters);
    while ((r = ow_pub_record(u, r, "Condition",
                              OW_SET_CDC_MALIGNANT_CANCER_CONDITIONS)) != NULL)
        if (ow_pub_category(u, r, OW_SET_CONDITION_PROBLEM_LIST_CATEGORY) &&
            ow_streq(r->status, "active"))
            ow_pub_fact_by(u, cancer, r->reference);
    cancer->value = encounters->value == 1 || cancer->n_evidence > 0;
    for (size_t i = 0; encounters->value == 1 && i < encounters->n_evidence; i++)
        ow_pub_fact_by(u, cancer, encounters->evidence[i]);
    if (cancer->value == 1)
        ow_pub_exclude(u, OW_EXCLUDE_CANCER, ow_pub_first(cancer));
}

/* A terminal condition of any status excludes everywhere; an active one, or active
 * limited life expectancy, or hospice, at the end of life. */
static void read_end(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *terminal = &facts[OW_FACT_TERMINAL];
    struct ow_fact *end = &facts[OW_FACT_END_OF_LIFE];

    ow_pub_fact_conditions(
        u, terminal, OW_SET_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING, false);
    ow_pub_fact_conditions(
        u, end, OW_SET_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING, true);
    ow_pub_fact_conditions(u, end, OW_SET_LIMITED_LIFE_EXPECTANCY_CONDITIONS, true);
    ow_pub_fact_encounters(u, &facts[OW_FACT_HOSPICE]);
    if (terminal->value == 1)
        ow_pub_exclude(u, OW_EXCLUDE_END_OF_LIFE, u->terminal = ow_pub_first(terminal));
    u->end_of_life = end->value == 1 ? ow_pub_first(end)
                     : facts[OW_FACT_HOSPICE].value == 1
                         ? ow_pub_first(&facts[OW_FACT_HOSPICE])
                         : NULL;
}

static void read_facts(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *sickle = &facts[OW_FACT_SICKLE_CELL];

    read_cancer(u, facts);
    read_end(u, facts);
    ow_pub_fact_conditions(u, sickle, OW_SET_SICKLE_CELL_DISEASES, false);
    if (sickle->value == 1)
        ow_pub_exclude(u, OW_EXCLUDE_SICKLE_CELL, ow_pub_first(sickle));
}

/* ---- conditions of this edition ---- */

static bool acute_of(struct ow_pub *u, struct ow_pub_case *c, struct ow_ratio above,
                     enum ow_word reason)
{
    bool found = false;

    for (const struct ow_pub_order *x = ow_pub_prescribed(u, NULL); x != NULL;
         x = ow_pub_prescribed(u, x)) {
        if (!ow_pub_supply_below_28(x) || ow_ratio_cmp(x->days, above) <= 0)
            continue;
        if (!found)
            c->reason = ow_say(u->j->arena, reason, ow_pub_drug(u, x),
                               ow_say_ratio(u->j->arena, x->days));
        found = true;
        ow_pub_evidence(u, c, x->order->reference);
    }
    return found;
}

static bool acute_naive(struct ow_pub *u, struct ow_pub_case *c)
{
    return ow_pub_naive(u) && acute_of(u, c, OW_RATIO(-1, 1), OW_WORD_PUB_SHORT_NAIVE);
}

static bool over_7_days(struct ow_pub *u, struct ow_pub_case *c)
{
    return acute_of(u, c, OW_RATIO(7, 1), OW_WORD_PUB_SHORT_LENGTH);
}

/* "benzodiazepine or CNS depressant and community" and "date and benzodiazepine or CNS
 * depressant", where `and` binds tighter: a benzodiazepine being ordered is of any
 * category, an active CNS depressant of any date. */
static bool sedative_ordered(const struct ow_pub *u, const struct ow_pub_order *x)
{
    return ow_pub_triggers(u, x) &&
           (ow_sets_has(&x->drug, OW_SET_BENZODIAZEPINE_MEDICATIONS) ||
            (x->community && ow_sets_has(&x->drug, OW_SET_CNS_DEPRESSANT_MEDICATIONS)));
}

static bool sedative_active(const struct ow_pub *u, const struct ow_pub_order *x)
{
    if (x->order->kind != OW_REQUEST || x->order->is_draft || !x->community ||
        x->order->status != OW_STATUS_ACTIVE)
        return false;
    return (ow_pub_active(u, x) &&
            ow_sets_has(&x->drug, OW_SET_BENZODIAZEPINE_MEDICATIONS)) ||
           ow_sets_has(&x->drug, OW_SET_CNS_DEPRESSANT_MEDICATIONS);
}

static bool with_sedative(struct ow_pub *u, struct ow_pub_case *c)
{
    return ow_pub_holds_together(u, c, sedative_ordered, sedative_active);
}

static bool untreated_oud(struct ow_pub *u, struct ow_pub_case *c)
{
    const struct ow_record *r = ow_pub_untreated_oud(u);

    if (r == NULL)
        return false;
    ow_pub_evidence(u, c, r->reference);
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_OUD);
    return true;
}

/* ---- the table ---- */

enum {
    BOTH = OW_PUB_GENERAL | OW_PUB_END_OF_LIFE,
};

static const struct ow_pub_rule rules[] = {
    {{ "CDC-2022-R1" },
     OW_PUB_SIGN,                 OW_RULE_NONOPIOID,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R1,
     acute_naive                                                                                  },
    { { "CDC-2022-R2" },
     OW_PUB_SIGN,                 OW_RULE_GOALS,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R2,
     ow_pub_holds_no_plan                                                                         },
    { { "CDC-2022-R3" },
     OW_PUB_SIGN,                 OW_RULE_ER_LA_NAIVE,
     BOTH,                                                      OW_WORD_PUB22_R3,
     ow_pub_holds_extended                                                                        },
    { { "CDC-2022-R4", "CDC-2022-R5" },
     OW_PUB_SIGN,                 OW_RULE_MED_THRESHOLD,
     BOTH,                                                      OW_WORD_PUB22_R4_R5,
     ow_pub_holds_dose                                                                            },
    { { "CDC-2022-R6" },
     OW_PUB_SIGN,                 OW_RULE_ACUTE_DURATION,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R6,
     over_7_days                                                                                  },
    { { "CDC-2022-R7" },
     OW_PUB_SIGN,                 OW_RULE_REASSESS,
     BOTH,                                                      OW_WORD_PUB22_R7,
     ow_pub_holds_reassess                                                                        },
    { { "CDC-2022-R8" },
     OW_PUB_SIGN,                 OW_RULE_NALOXONE,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R8,
     ow_pub_holds_chronic                                                                         },
    { { "CDC-2022-R9" },
     OW_PUB_SIGN,                 OW_RULE_PDMP,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R9,
     ow_pub_holds_pdmp                                                                            },
    { { "CDC-2022-R10" },
     OW_PUB_SIGN,                 OW_RULE_UDS_DUE,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R10A,
     ow_pub22_holds_no_screen                                                                     },
    { { "CDC-2022-R10" },
     OW_PUB_VIEW,                 OW_RULE_UDS_DUE,
     BOTH,                                                      OW_WORD_PUB22_R10A,
     ow_pub22_holds_no_screen                                                                     },
    { { "CDC-2022-R10" },
     OW_PUB_SIGN,                 OW_RULE_UDS_UNEXPECTED,
     OW_PUB_GENERAL,                                            OW_WORD_PUB22_R10B,
     ow_pub22_holds_unexpected                                                                    },
    { { "CDC-2022-R10" },
     OW_PUB_VIEW,                 OW_RULE_UDS_UNEXPECTED,
     BOTH,                                                      OW_WORD_PUB22_R10B,
     ow_pub22_holds_unexpected                                                                    },
    { { "CDC-2022-R11" },
     OW_PUB_SELECT | OW_PUB_VIEW,
     OW_RULE_SEDATIVE,                                    BOTH,
     OW_WORD_PUB22_R11,                                                              with_sedative},
    { { "CDC-2022-R12" },
     OW_PUB_VIEW,                 OW_RULE_OUD,
     OW_PUB_ADULT,                                              OW_WORD_PUB22_R12,
     untreated_oud                                                                                },
};

const struct ow_pub_edition ow_pub_2022 = { rules, OW_LEN(rules), read_facts, chronic };
