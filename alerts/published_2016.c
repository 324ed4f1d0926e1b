/*
 * The rules of 2016 as published: libraries 2016.4.0, branch v2016.
 * [cqframework/opioid-cds-r4; conf/SOURCES.md]
 *
 * Chronic is a supply of 28 days and more, and nothing else; the validity of an order is
 * not looked at. There is no test of sickle cell disease.
 */
#include "alerts/published_screen.h"
#include "base/text.h"

/* ---- the general facts ---- */

static bool chronic(const struct ow_pub *u, const struct ow_pub_order *x)
{
    (void)u;
    return ow_pub_supply_28(x);
}

/* A visit names a diagnosis of cancer of any status, or an oncologist took part. */
static bool of_cancer(const struct ow_pub *u, const struct ow_record *e)
{
    const struct ow_record *c = NULL;

    if (ow_pub_more_in(u, e, "participant.type", OW_SET_ONCOLOGY_SPECIALTY_DESIGNATIONS))
        return true;
    while ((c = ow_pub_condition(u, c, OW_SET_CDC_MALIGNANT_CANCER_CONDITIONS, false)) !=
           NULL)
        for (size_t i = 0; i < e->n_links; i++)
            if (ow_starts_with(e->links[i], "Condition/") &&
                ow_pub_refers(e->links[i], c->reference))
                return true;
    return false;
}

static void read_cancer(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *encounters = &facts[OW_FACT_CANCER_ENCOUNTERS];
    const struct ow_record *e = NULL;

    while ((e = ow_record_next(u->j, e, "Encounter", NULL)) != NULL) {
        int64_t day;

        if (!e->has_when || !ow_streq(e->when_of, "period") ||
            e->when.from == OW_TIME_MIN ||
            !ow_pub_more_in(u, e, "type", OW_SET_OFFICE_VISIT))
            continue;
        day = ow_zone_day(u->j->q->zone, e->when.from);
        if (day >= ow_pub_months_ago(u, 12) && day < u->today && of_cancer(u, e)) {
            ow_pub_fact_by(u, encounters, e->reference);
            encounters->value = encounters->value < 0 ? 0 : 1;
        }
    }
    encounters->value = encounters->value == 1;
    facts[OW_FACT_CANCER].value = encounters->value;
    if (encounters->value == 0)
        return;
    facts[OW_FACT_CANCER].evidence = encounters->evidence;
    facts[OW_FACT_CANCER].n_evidence = encounters->n_evidence;
    ow_pub_exclude(u, OW_EXCLUDE_CANCER, ow_pub_first(encounters));
}

/* Intents looked for: `plan` is misspelt there, so a plan is not one. */
static bool palliative(const struct ow_pub *u, const struct ow_record *r)
{
    static const char *const intents[] = { "proposal",      "directive",
                                           "order",         "original-order",
                                           "reflex-order",  "filler-order",
                                           "instance-order" };
    bool intended = false;
    int64_t day;

    for (size_t i = 0; i < OW_LEN(intents); i++)
        intended |= ow_streq(r->intent, intents[i]);
    return intended &&
           (ow_streq(r->status, "active") || ow_streq(r->status, "completed")) &&
           r->has_recorded && ow_streq(r->recorded_of, "authoredOn") &&
           ow_pub_day(u, r->recorded, &day) && ow_pub_days(u, day, 90, 0);
}

static void read_palliative(struct ow_pub *u, struct ow_fact *f)
{
    const struct ow_record *r = NULL;

    f->value = 0;
    while ((r = ow_pub_record(u, r, "ServiceRequest",
                              OW_SET_THERAPIES_INDICATING_END_OF_LIFE_CARE)) != NULL)
        if (palliative(u, r)) {
            f->value = 1;
            ow_pub_fact_by(u, f, r->reference);
        }
    if (f->value == 1)
        ow_pub_exclude(u, OW_EXCLUDE_PALLIATIVE, ow_pub_first(f));
}

static void read_hospice(struct ow_pub *u, struct ow_fact *f)
{
    static const struct {
        const char *type, *status[2];
    } kinds[] = {
        {"Procedure",       { "in-progress", "completed" }},
        { "ServiceRequest", { "active", "completed" }     },
    };

    ow_pub_fact_encounters(u, f);
    for (size_t k = 0; k < OW_LEN(kinds); k++) {
        const struct ow_record *r = NULL;

        while ((r = ow_pub_record(u, r, kinds[k].type, OW_SET_HOSPICE_PROCEDURE)) != NULL)
            if (ow_streq(r->status, kinds[k].status[0]) ||
                ow_streq(r->status, kinds[k].status[1])) {
                f->value = 1;
                ow_pub_fact_by(u, f, r->reference);
            }
    }
}

static void read_facts(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *terminal = &facts[OW_FACT_TERMINAL];
    struct ow_fact *limited = &facts[OW_FACT_END_OF_LIFE];

    read_cancer(u, facts);
    read_palliative(u, &facts[OW_FACT_PALLIATIVE]);
    read_hospice(u, &facts[OW_FACT_HOSPICE]);
    ow_pub_fact_conditions(
        u, terminal, OW_SET_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING, true);
    ow_pub_fact_conditions(u, limited, OW_SET_LIMITED_LIFE_EXPECTANCY_CONDITIONS, true);
    u->terminal = terminal->value == 1  ? ow_pub_first(terminal)
                  : limited->value == 1 ? ow_pub_first(limited)
                                        : NULL;
    if (u->terminal != NULL)
        ow_pub_exclude(u, OW_EXCLUDE_END_OF_LIFE, u->terminal);
    u->end_of_life = u->terminal;
    if (u->end_of_life == NULL && facts[OW_FACT_HOSPICE].value == 1)
        u->end_of_life = ow_pub_first(&facts[OW_FACT_HOSPICE]);
}

/* ---- conditions of this edition ---- */

static bool not_counselled(struct ow_pub *u, struct ow_pub_case *c)
{
    const struct ow_record *r = NULL;

    if (!ow_pub_holds_chronic(u, c))
        return false;
    while ((r = ow_pub_record(u, r, "Procedure", OW_SET_OPIOID_COUNSELING_PROCEDURE)) !=
           NULL)
        if (ow_streq(r->status, "completed") && ow_pub_within(u, r, 90, 1))
            return false;
    while ((r = ow_pub_record(u, r, "ServiceRequest",
                              OW_SET_OPIOID_COUNSELING_PROCEDURE)) != NULL)
        if (ow_streq(r->when_of, "occurrencePeriod") && ow_pub_within(u, r, 90, 1))
            return false;
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_NOT_COUNSELLED);
    return true;
}

/* Over 7 days, or extended release of any length. */
static bool acute_long_or_extended(struct ow_pub *u, struct ow_pub_case *c)
{
    bool found = false;

    for (const struct ow_pub_order *x = ow_pub_prescribed(u, NULL); x != NULL;
         x = ow_pub_prescribed(u, x)) {
        bool extended = ow_sets_has(
            &x->drug, OW_SET_EXTENDED_RELEASE_OPIOID_WITH_AMBULATORY_MISUSE_POTENTIAL);

        if (!ow_pub_supply_below_28(x) ||
            (!extended && ow_ratio_cmp(x->days, OW_RATIO(7, 1)) <= 0))
            continue;
        if (!found)
            c->reason = ow_say(u->j->arena,
                               extended ? OW_WORD_PUB_SHORT_EXTENDED
                                        : OW_WORD_PUB_SHORT_LENGTH,
                               ow_pub_drug(u, x), ow_say_ratio(u->j->arena, x->days));
        found = true;
        ow_pub_evidence(u, c, x->order->reference);
    }
    return found;
}

/* Misuse of any substance, alcohol too, of any status and age. */
static const struct ow_record *misuse(const struct ow_pub *u)
{
    const struct ow_record *r =
        ow_pub_condition(u, NULL, OW_SET_CONDITIONS_DOCUMENTING_SUBSTANCE_MISUSE, false);

    if (r != NULL)
        return r;
    return ow_pub_record(u, NULL, "Procedure",
                         OW_SET_SUBSTANCE_MISUSE_BEHAVIORAL_COUNSELING);
}

static bool no_naloxone(struct ow_pub *u, struct ow_pub_case *c)
{
    const struct ow_pub_order *benzodiazepine;
    const struct ow_record *r;
    struct ow_ratio med;

    if (!ow_pub_holds_chronic(u, c) ||
        ow_pub_active_next(u, NULL, OW_SET_NALOXONE_MEDICATIONS) != NULL)
        return false;
    if (ow_pub_med(u, true, &med) && ow_ratio_cmp(med, OW_RATIO(50, 1)) >= 0) {
        c->reason = ow_say(u->j->arena, OW_WORD_PUB_DOSE, ow_say_ratio(u->j->arena, med));
        return true;
    }
    benzodiazepine = ow_pub_active_next(u, NULL, OW_SET_BENZODIAZEPINE_MEDICATIONS);
    if (benzodiazepine != NULL) {
        ow_pub_evidence(u, c, benzodiazepine->order->reference);
        c->reason = ow_say(u->j->arena, OW_WORD_PUB_WITH,
                           ow_pub_drug(u, ow_pub_chronic(u, NULL)),
                           ow_pub_drug(u, benzodiazepine));
        return true;
    }
    r = misuse(u);
    if (r == NULL)
        return false;
    ow_pub_evidence(u, c, r->reference);
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_MISUSE);
    return true;
}

static bool benzodiazepine_ordered(const struct ow_pub *u, const struct ow_pub_order *x)
{
    return x->community && ow_sets_has(&x->drug, OW_SET_BENZODIAZEPINE_MEDICATIONS) &&
           ow_pub_triggers(u, x);
}

static bool benzodiazepine_active(const struct ow_pub *u, const struct ow_pub_order *x)
{
    return ow_sets_has(&x->drug, OW_SET_BENZODIAZEPINE_MEDICATIONS) &&
           ow_pub_active(u, x);
}

static bool with_benzodiazepine(struct ow_pub *u, struct ow_pub_case *c)
{
    return ow_pub_holds_together(u, c, benzodiazepine_ordered, benzodiazepine_active);
}

static bool counselled_for_misuse(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;

    while ((r = ow_pub_record(u, r, "Procedure",
                              OW_SET_SUBSTANCE_MISUSE_BEHAVIORAL_COUNSELING)) != NULL)
        if (ow_streq(r->status, "completed") &&
            (ow_pub_on(u, r, 90, 0) || ow_pub_within(u, r, 90, 0)))
            return true;
    return false;
}

static bool untreated_oud(struct ow_pub *u, struct ow_pub_case *c)
{
    const struct ow_record *r = ow_pub_untreated_oud(u);

    if (r == NULL || counselled_for_misuse(u))
        return false;
    ow_pub_evidence(u, c, r->reference);
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_OUD);
    return true;
}

/* ---- the table ---- */

enum {
    BOTH = OW_PUB_GENERAL | OW_PUB_END_OF_LIFE,
    ORDERS = OW_PUB_SIGN | OW_PUB_SELECT,
};

static const struct ow_pub_rule rules[] = {
    {{ "CDC-2016-R1" },
     OW_PUB_SIGN,                 OW_RULE_NONOPIOID,
     OW_PUB_GENERAL,                                            OW_WORD_PUB16_R1,
     ow_pub_holds_chronic_naive                                                                             },
    { { "CDC-2016-R2" },
     OW_PUB_SIGN,                 OW_RULE_GOALS,
     OW_PUB_GENERAL,                                            OW_WORD_PUB16_R2,
     ow_pub_holds_no_plan                                                                                   },
    { { "CDC-2016-R3" },
     OW_PUB_SIGN,                 OW_RULE_RISK,
     OW_PUB_GENERAL,                                            OW_WORD_PUB16_R3,
     not_counselled                                                                                         },
    { { "CDC-2016-R4" },
     OW_PUB_SIGN | OW_PUB_VIEW,
     OW_RULE_ER_LA_NAIVE,                                 BOTH,
     OW_WORD_PUB16_R4,                                                             ow_pub_holds_extended    },
    { { "CDC-2016-R5" },
     OW_PUB_SIGN,                 OW_RULE_MED_THRESHOLD,
     BOTH,                                                      OW_WORD_PUB16_R5,
     ow_pub_holds_dose                                                                                      },
    { { "CDC-2016-R6" },
     OW_PUB_SIGN,                 OW_RULE_ACUTE_DURATION,
     OW_PUB_GENERAL,                                            OW_WORD_PUB16_R6,
     acute_long_or_extended                                                                                 },
    { { "CDC-2016-R7" },
     OW_PUB_SIGN,                 OW_RULE_REASSESS,
     BOTH,                                                      OW_WORD_PUB16_R7,
     ow_pub_holds_reassess                                                                                  },
    { { "CDC-2016-R8" },  ORDERS, OW_RULE_NALOXONE,       BOTH, OW_WORD_PUB16_R8,  no_naloxone              },
    { { "CDC-2016-R9" },
     OW_PUB_SIGN,                 OW_RULE_PDMP,
     OW_PUB_GENERAL,                                            OW_WORD_PUB16_R9,
     ow_pub_holds_pdmp                                                                                      },
    { { "CDC-2016-R10" },
     ORDERS | OW_PUB_VIEW,
     OW_RULE_UDS_DUE,                                     BOTH,
     OW_WORD_PUB16_R10A,                                                           ow_pub16_holds_no_screen },
    { { "CDC-2016-R10" },
     ORDERS | OW_PUB_VIEW,
     OW_RULE_UDS_UNEXPECTED,                              0,
     OW_WORD_PUB16_R10B,                                                           ow_pub16_holds_unexpected},
    { { "CDC-2016-R11" },
     OW_PUB_SELECT | OW_PUB_VIEW,
     OW_RULE_SEDATIVE,                                    BOTH,
     OW_WORD_PUB16_R11,                                                            with_benzodiazepine      },
    { { "CDC-2016-R12" },
     OW_PUB_VIEW,                 OW_RULE_OUD,
     OW_PUB_ADULT,                                              OW_WORD_PUB16_R12,
     untreated_oud                                                                                          },
};

const struct ow_pub_edition ow_pub_2016 = { rules, OW_LEN(rules), read_facts, chronic };
