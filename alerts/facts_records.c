/*
 * One pass over the records. What joins two records (a diagnosis and its encounter) is
 * collected on the way and settled at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "alerts/fact.h"
#include "base/text.h"

struct names { /* references, sorted when `sorted` */
    const char **list;
    size_t n, cap;
};

struct pass {
    struct fact_book *b;
    const struct ow_record *r;
    struct ow_sets code, more, value; /* of the record in hand */
    struct ow_span when;              /* when it took place */
    bool dated;
    struct ow_span day_90, days_365, days_730, days_294; /* each until today */
    struct names cancers; /* what makes an encounter one of cancer: a diagnosis, a role */
    struct names visits;  /* encounters that a cancer diagnosis names */
    const struct ow_record **encounters; /* of the last 12 months, today left out */
    size_t n_encounters, cap_encounters;
    ow_time pregnant, ended; /* latest signs */
    const char *pregnant_by;
    bool has_pregnant, has_ended;
};

static const struct ow_span never_told = { OW_TIME_MIN, OW_TIME_MAX };

static void names_add(struct pass *p, struct names *n, const char *name)
{
    if (name == NULL)
        return;
    OW_ARENA_GROW(p->b->j->arena, n->list, n->n, n->cap);
    n->list[n->n++] = name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool names_have(const struct names *n, const char *name)
{
    return n->n > 0 && name != NULL &&
           bsearch(&name, n->list, n->n, sizeof *n->list, by_name) != NULL;
}

static bool any_of(const struct ow_sets *s, const enum ow_set *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ow_sets_has(s, list[i]))
            return true;
    return false;
}

#define ANY_OF(sets, ...)                                                                \
    any_of((sets), (const enum ow_set[]){ __VA_ARGS__ },                                 \
           sizeof((enum ow_set[]){ __VA_ARGS__ }) / sizeof(enum ow_set))

static bool is_status(const struct ow_record *r, const char *const *list)
{
    for (; r->status != NULL && *list != NULL; list++)
        if (ow_streq(r->status, *list))
            return true;
    return r->status == NULL;
}

#define STATUS(r, ...) is_status((r), (const char *const[]){ __VA_ARGS__, NULL })

/* The date of a server's last write says nothing of what the record is about. */
static bool by_meta(const struct ow_record *r)
{
    return ow_streq(r->recorded_of, "lastUpdated");
}

/* May the event have taken place in the window? */
static bool happened_in(const struct pass *p, struct ow_span within)
{
    struct ow_span s = p->when;

    if (!p->dated)
        return true;
    if (s.until == OW_TIME_MAX && s.from != OW_TIME_MIN)
        s.until = s.from + 1;
    return ow_span_meets(s, within);
}

/* ---- Condition ---- */

static bool coded_as(const struct ow_record *r, const char *category)
{
    for (size_t i = 0; i < r->n_categories; i++)
        for (size_t k = 0; k < r->categories[i].n_codings; k++)
            if (ow_streq(r->categories[i].codings[k].code, category))
                return true;
    return false;
}

/* Of one visit only; without a category it is taken for one of the problem list. */
static bool of_encounter_only(const struct ow_record *r)
{
    return coded_as(r, "encounter-diagnosis") && !coded_as(r, "problem-list-item") &&
           !coded_as(r, "health-concern");
}

static void cancer(struct pass *p)
{
    const struct ow_record *r = p->r;

    names_add(p, &p->cancers, r->reference);
    for (size_t i = 0; i < r->n_links; i++)
        if (ow_starts_with(r->links[i], "Encounter/"))
            names_add(p, &p->visits, r->links[i]);
    if (ow_record_current(r) && !of_encounter_only(r))
        fact_yes(p->b, OW_FACT_CANCER, r->reference);
}

static void pregnant(struct pass *p)
{
    ow_time at = p->dated && p->when.from != OW_TIME_MIN ? p->when.from : OW_TIME_MIN;

    if (p->dated && !happened_in(p, p->days_294))
        return;
    if (!p->has_pregnant || at > p->pregnant) {
        p->pregnant = at;
        p->pregnant_by = p->r->reference;
    }
    p->has_pregnant = true;
}

/* A birth, or an answer of no, in the same 42 weeks. */
static void pregnancy_over(struct pass *p)
{
    ow_time at = p->dated && p->when.from != OW_TIME_MIN ? p->when.from : p->b->j->q->at;

    if (!happened_in(p, p->days_294) || at > p->b->j->q->at)
        return;
    if (!p->has_ended || at > p->ended)
        p->ended = at;
    p->has_ended = true;
}

/* What is said of a person for good, whatever became of it. */
static void condition_ever(struct pass *p)
{
    struct fact_book *b = p->b;
    const char *by = p->r->reference;

    if (ow_sets_has(&p->code, OW_SET_CDC_MALIGNANT_CANCER_CONDITIONS))
        cancer(p);
    if (ow_sets_has(&p->code, OW_SET_SICKLE_CELL_ADDED) ||
        (ow_sets_has(&p->code, OW_SET_SICKLE_CELL_DISEASES) &&
         !ow_sets_has(&p->code, OW_SET_SICKLE_CELL_TRAIT)))
        fact_yes(b, OW_FACT_SICKLE_CELL, by);
    if (ANY_OF(&p->code, OW_SET_OPIOID_OVERDOSE_ICD10CM, OW_SET_OPIOID_OVERDOSE_SNOMED))
        fact_yes(b, OW_FACT_OVERDOSE, by);
    if (ANY_OF(&p->code, OW_SET_CONDITIONS_DOCUMENTING_SUBSTANCE_MISUSE,
               OW_SET_SUBSTANCE_USE_DISORDER))
        fact_yes(b, OW_FACT_SUBSTANCE_MISUSE, by);
    if (ow_sets_has(&p->code, OW_SET_PREGNANCY_ENDED))
        pregnancy_over(p);
}

static void oud(struct pass *p)
{
    const struct ow_record *r = p->r;

    if (!ow_sets_has(&p->code, OW_SET_OPIOID_MISUSE_DISORDERS) ||
        ow_sets_has(&p->code, OW_SET_OPIOID_MISUSE_NOT_ACTIVE))
        return;
    fact_yes(p->b, OW_FACT_OUD, r->reference);
    if (r->has_recorded && !by_meta(r))
        fact_event(p->b, OW_EVENT_OUD, r->recorded, r->reference);
    else if (r->has_when)
        fact_event(p->b, OW_EVENT_OUD, (struct ow_span){ r->when.from, r->when.from + 1 },
                   r->reference);
}

static void condition_now(struct pass *p)
{
    struct fact_book *b = p->b;
    const char *by = p->r->reference;

    if (ow_sets_has(&p->code, OW_SET_LIMITED_LIFE_EXPECTANCY_CONDITIONS))
        fact_yes(b, OW_FACT_END_OF_LIFE, by);
    if (ow_sets_has(&p->code, OW_SET_CONDITIONS_LIKELY_TERMINAL_FOR_OPIOID_PRESCRIBING))
        fact_yes(b, OW_FACT_TERMINAL, by);
    if (ow_sets_has(&p->code, OW_SET_HOSPICE_FINDING)) /* on the problem list */
        fact_yes(b, OW_FACT_HOSPICE, by);
    if (ANY_OF(&p->code, OW_SET_CONDITIONS_DOCUMENTING_SLEEP_DISORDERED_BREATHING,
               OW_SET_SLEEP_DISORDERED_BREATHING_AHRQ))
        fact_yes(b, OW_FACT_SLEEP_BREATHING, by);
    if (ANY_OF(&p->code, OW_SET_KIDNEY_FAILURE, OW_SET_LIVER_DISEASE,
               OW_SET_CHRONIC_LIVER_DISEASE))
        fact_yes(b, OW_FACT_RENAL_HEPATIC, by);
    if (ow_sets_has(&p->code, OW_SET_OBESITY))
        fact_yes(b, OW_FACT_OBESITY, by);
    if (ow_sets_has(&p->code, OW_SET_SEVERE_LUNG_DISEASE))
        fact_yes(b, OW_FACT_LUNG, by);
    if (ow_sets_has(&p->code, OW_SET_LOST_TOLERANCE_CONDITIONS) &&
        happened_in(p, p->days_365))
        fact_yes(b, OW_FACT_LOST_TOLERANCE, by);
    oud(p);
    if (ow_sets_has(&p->code, OW_SET_PREGNANCY) &&
        !ow_sets_has(&p->code, OW_SET_PREGNANCY_ENDED))
        pregnant(p);
}

/* Of a Condition: its onset, else when somebody recorded it. */
static void condition(struct pass *p)
{
    const struct ow_record *r = p->r;

    if (ow_streq(r->verification, "refuted") ||
        ow_streq(r->verification, "entered-in-error"))
        return;
    if (p->when.from == OW_TIME_MIN || p->when.from == OW_TIME_MAX)
        p->dated = false;
    else
        p->when.until = p->when.from + 1; /* an onset Period goes on */
    condition_ever(p);
    if (ow_record_current(r))
        condition_now(p);
}

/* ---- Encounter ---- */

static void encounter(struct pass *p)
{
    const struct ow_record *r = p->r;
    struct ow_span year = ow_days_ago(p->b->j, 365, 1);
    bool dated = r->has_when && r->when.from != OW_TIME_MIN;

    if (ow_streq(r->status, "cancelled") || ow_streq(r->status, "entered-in-error"))
        return;
    if (ANY_OF(&p->more, OW_SET_HOSPICE_DISPOSITION, OW_SET_HOSPICE_DISPOSITION_HL7) &&
        (!dated || (r->when.from >= year.from && r->when.from <= p->b->j->q->at)))
        fact_yes(p->b, OW_FACT_HOSPICE, r->reference);
    if (!dated || r->when.from < year.from || r->when.from >= year.until)
        return;
    OW_ARENA_GROW(p->b->j->arena, p->encounters, p->n_encounters, p->cap_encounters);
    p->encounters[p->n_encounters++] = r;
}

static bool of_cancer(struct pass *p, const struct ow_record *r)
{
    if (names_have(&p->visits, r->reference))
        return true;
    for (size_t i = 0; i < r->n_links; i++)
        if (names_have(&p->cancers, r->links[i]))
            return true;
    for (size_t i = 0; i < r->n_more; i++) {
        struct ow_sets s = ow_concept_sets(p->b->j, &r->more[i]);

        if (ow_sets_has(&s, OW_SET_ONCOLOGY_SPECIALTY_DESIGNATIONS))
            return true;
    }
    return false;
}

/* Two or more visits for cancer in 12 months. [CDC opioid CDS 2022, and 2016's signs] */
static void encounters_settle(struct pass *p)
{
    const char *by[2] = { NULL, NULL };
    size_t n = 0;

    if (p->cancers.n > 1)
        qsort(p->cancers.list, p->cancers.n, sizeof *p->cancers.list, by_name);
    if (p->visits.n > 1)
        qsort(p->visits.list, p->visits.n, sizeof *p->visits.list, by_name);
    for (size_t i = 0; i < p->n_encounters && n < 2; i++)
        if (of_cancer(p, p->encounters[i]))
            by[n++] = p->encounters[i]->reference;
    for (size_t i = 0; n == 2 && i < n; i++) {
        fact_yes(p->b, OW_FACT_CANCER_ENCOUNTERS, by[i]);
        fact_yes(p->b, OW_FACT_CANCER, by[i]);
    }
}

/* ---- what was done or ordered ---- */

static struct ow_span event_time(const struct pass *p)
{
    return p->dated ? p->when : never_told;
}

static void event(struct pass *p, enum ow_event e)
{
    fact_event(p->b, e, event_time(p), p->r->reference);
}

static void procedure(struct pass *p)
{
    if (!STATUS(p->r, "completed", "in-progress"))
        return;
    if (ow_sets_has(&p->code, OW_SET_PDMP_REVIEW_PROCEDURE))
        event(p, OW_EVENT_PDMP);
    if (ANY_OF(&p->code, OW_SET_OPIOID_TREATMENT_ASSESSMENT_PROCEDURE,
               OW_SET_OPIOID_MISUSE_ASSESSMENT_PROCEDURE))
        event(p, OW_EVENT_ASSESSMENT);
    if (ow_sets_has(&p->code, OW_SET_OPIOID_COUNSELING_PROCEDURE))
        event(p, OW_EVENT_COUNSELING);
    if (ANY_OF(&p->code, OW_SET_PAIN_MANAGEMENT_PROCEDURE, OW_SET_PAIN_TREATMENT_PLAN))
        event(p, OW_EVENT_PLAN);
    if (ow_sets_has(&p->code, OW_SET_OPIOID_TREATMENT_AGREEMENT))
        event(p, OW_EVENT_AGREEMENT);
    if (ow_sets_has(&p->code, OW_SET_TONSIL_ADENOID_REMOVAL))
        event(p, OW_EVENT_TONSILS);
    if (ow_sets_has(&p->code, OW_SET_HOSPICE_PROCEDURE) && happened_in(p, p->days_365))
        fact_yes(p->b, OW_FACT_HOSPICE, p->r->reference);
    if (ow_sets_has(&p->code, OW_SET_SUBSTANCE_MISUSE_BEHAVIORAL_COUNSELING))
        fact_yes(p->b, OW_FACT_SUBSTANCE_MISUSE, p->r->reference);
    if (ow_sets_has(&p->code, OW_SET_OPIOID_TAPERING_PROCEDURE) &&
        happened_in(p, p->days_730))
        fact_yes(p->b, OW_FACT_LOST_TOLERANCE, p->r->reference);
    if (ow_sets_has(&p->code, OW_SET_PREGNANCY_ENDED))
        pregnancy_over(p);
}

/* Ordered when it was written, whenever it is to take place. */
static void service_request(struct pass *p)
{
    const struct ow_record *r = p->r;

    if (!STATUS(r, "active", "completed") || ow_streq(r->intent, "proposal") ||
        ow_streq(r->intent, "option"))
        return;
    if (r->has_recorded && !by_meta(r)) {
        p->when = r->recorded;
        p->dated = true;
    }
    if (ow_sets_has(&p->code, OW_SET_THERAPIES_INDICATING_END_OF_LIFE_CARE) &&
        happened_in(p, p->day_90))
        fact_yes(p->b, OW_FACT_PALLIATIVE, r->reference);
    if (ow_sets_has(&p->code, OW_SET_HOSPICE_PROCEDURE) && happened_in(p, p->days_365))
        fact_yes(p->b, OW_FACT_HOSPICE, r->reference);
}

/* ---- Observation ---- */

static void observation(struct pass *p)
{
    if (!STATUS(p->r, "final", "amended", "corrected", "preliminary"))
        return;
    if (ow_observation_screen(&p->code))
        event(p, OW_EVENT_SCREEN);
    if (!STATUS(p->r, "final", "amended", "corrected"))
        return;
    if (ow_sets_has(&p->code, OW_SET_PDMP_DATA_REVIEWED_FINDING) ||
        ow_sets_has(&p->value, OW_SET_PDMP_DATA_REVIEWED_FINDING))
        event(p, OW_EVENT_PDMP);
    if (ow_sets_has(&p->code, OW_SET_OPIOID_TREATMENT_AGREEMENT))
        event(p, OW_EVENT_AGREEMENT);
    if (!ow_sets_has(&p->code, OW_SET_PREGNANCY_STATUS_OBSERVATION))
        return;
    if (ow_sets_has(&p->value, OW_SET_PREGNANCY_STATUS_OBSERVATION))
        pregnant(p);
    else if (ow_sets_has(&p->value, OW_SET_NOT_PREGNANT_FINDING))
        pregnancy_over(p);
}

bool ow_observation_screen(const struct ow_sets *s)
{
    return ANY_OF(s, OW_SET_OPIOID_URINE_DRUG_SCREENING,
                  OW_SET_NON_OPIOID_URINE_DRUG_SCREENING,
                  OW_SET_AMPHETAMINE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_BARBITURATE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_BENZODIAZEPINE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_BUPRENORPHINE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_CANNABINOID_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_FENTANYL_TYPE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_GENERAL_OPIATE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_HEROIN_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_METHADONE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_OPIATE_SPECIFIC_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_OXYCODONE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS,
                  OW_SET_SYNTHETIC_OPIOID_URINE_DRUG_SCREENING_TESTS);
}

/* ---- plans and agreements ---- */

static void care_plan(struct pass *p)
{
    struct ow_sets s = p->more;

    if (!STATUS(p->r, "active", "completed"))
        return;
    ow_sets_join(&s, p->code);
    for (size_t i = 0; i < p->r->n_categories; i++)
        ow_sets_join(&s, ow_concept_sets(p->b->j, &p->r->categories[i]));
    if (ow_sets_has(&s, OW_SET_PAIN_TREATMENT_PLAN))
        event(p, OW_EVENT_PLAN);
}

static bool words_of_agreement(const char *text)
{
    if (text == NULL ||
        (!ow_contains_folded(text, "agreement") && !ow_contains_folded(text, "contract")))
        return false;
    return ow_contains_folded(text, "opioid") || ow_contains_folded(text, "controlled") ||
           ow_contains_folded(text, "pain");
}

static bool is_agreement(const struct ow_judge *j, const struct ow_concept *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ow_sets s = ow_concept_sets(j, &c[i]);

        if (ow_sets_has(&s, OW_SET_OPIOID_TREATMENT_AGREEMENT) ||
            words_of_agreement(c[i].text))
            return true;
        for (size_t k = 0; k < c[i].n_codings; k++)
            if (words_of_agreement(c[i].codings[k].display))
                return true;
    }
    return false;
}

/*
 * A Consent (active) or DocumentReference (current) whose code, type or category is in
 * `opioid-treatment-agreement`, or whose words name an agreement or contract about
 * opioids, controlled substances or pain: there is no code for it that all sites use.
 */
static void agreement(struct pass *p)
{
    const struct ow_record *r = p->r;

    if (!STATUS(r, "active", "current"))
        return;
    if (is_agreement(p->b->j, &r->code, 1) || is_agreement(p->b->j, r->more, r->n_more) ||
        is_agreement(p->b->j, r->categories, r->n_categories))
        event(p, OW_EVENT_AGREEMENT);
}

/* ---- the pass ---- */

static void role(struct pass *p) /* who an encounter's participant is */
{
    if (ow_sets_has(&p->more, OW_SET_ONCOLOGY_SPECIALTY_DESIGNATIONS))
        names_add(p, &p->cancers, p->r->reference);
}

static const struct {
    const char *type;
    void (*read)(struct pass *p);
} readers[] = {
    {"Condition",          condition      },
    { "Observation",       observation    },
    { "Encounter",         encounter      },
    { "Procedure",         procedure      },
    { "ServiceRequest",    service_request},
    { "CarePlan",          care_plan      },
    { "Consent",           agreement      },
    { "DocumentReference", agreement      },
    { "PractitionerRole",  role           },
};

static void record(struct pass *p, const struct ow_record *r)
{
    const struct ow_judge *j = p->b->j;

    p->r = r;
    p->code = ow_concept_sets(j, &r->code);
    p->value = ow_concept_sets(j, &r->value);
    p->more = (struct ow_sets){ { 0 } };
    for (size_t i = 0; i < r->n_more; i++)
        ow_sets_join(&p->more, ow_concept_sets(j, &r->more[i]));
    p->dated = true;
    if (r->has_when)
        p->when = r->when;
    else if (r->has_recorded && !by_meta(r))
        p->when = r->recorded;
    else
        p->dated = false;
    for (size_t i = 0; i < OW_LEN(readers); i++)
        if (ow_streq(r->type, readers[i].type)) {
            readers[i].read(p);
            return;
        }
}

void facts_of_records(struct fact_book *b)
{
    const struct ow_chart *c = b->j->chart;
    struct pass p = { .b = b };

    if (c->n_records == 0)
        return;
    p.day_90 = ow_days_ago(b->j, 90, 0);
    p.days_294 = ow_days_ago(b->j, 294, 0);
    p.days_365 = ow_days_ago(b->j, 365, 0);
    p.days_730 = ow_days_ago(b->j, 730, 0);
    for (size_t i = 0; i < c->n_records; i++)
        record(&p, &c->records[i]);
    encounters_settle(&p);
    if (p.has_pregnant && !(p.has_ended && p.ended > p.pregnant))
        fact_yes(b, OW_FACT_PREGNANT, p.pregnant_by);
}
