#include "alerts/facts.h"

#include <string.h>

#include "alerts/fact.h"
#include "base/text.h"

static int years_between(struct ow_civil from, struct ow_civil to)
{
    int years = to.year - from.year;

    if (to.month < from.month || (to.month == from.month && to.day < from.day))
        years--;
    return years;
}

bool ow_age_years(const struct ow_patient *p, const struct ow_zone *zone, ow_time at,
                  int *least, int *most)
{
    struct ow_civil now = ow_zone_local(zone, at);

    if (!p->has_birth || p->birth.from == OW_TIME_MIN || p->birth.until == OW_TIME_MAX ||
        p->birth.from >= p->birth.until)
        return false;
    *most = years_between(ow_zone_local(zone, p->birth.from), now);
    *least = years_between(ow_zone_local(zone, p->birth.until - 1), now);
    return true;
}

/* ---- asking the records ---- */

bool ow_record_current(const struct ow_record *r)
{
    if (ow_streq(r->verification, "refuted") ||
        ow_streq(r->verification, "entered-in-error"))
        return false;
    return r->status == NULL || ow_streq(r->status, "active") ||
           ow_streq(r->status, "recurrence") || ow_streq(r->status, "relapse");
}

struct ow_sets ow_concept_sets(const struct ow_judge *j, const struct ow_concept *c)
{
    struct ow_sets ret = { { 0 } };

    for (size_t i = 0; i < c->n_codings; i++)
        ow_sets_join(&ret,
                     ow_knowledge_sets(j->kb, c->codings[i].system, c->codings[i].code));
    return ret;
}

bool ow_concept_in(const struct ow_judge *j, const struct ow_concept *c, const char *set)
{
    for (size_t i = 0; i < c->n_codings; i++)
        if (c->codings[i].system != NULL && c->codings[i].code != NULL &&
            ow_knowledge_in_set(j->kb, set, c->codings[i].system, c->codings[i].code))
            return true;
    return false;
}

const struct ow_record *ow_record_next(const struct ow_judge *j,
                                       const struct ow_record *after, const char *type,
                                       const char *set)
{
    size_t i = after != NULL ? (size_t)(after - j->chart->records) + 1 : 0;

    for (; i < j->chart->n_records; i++) {
        const struct ow_record *r = &j->chart->records[i];

        if (ow_streq(r->type, type) && (set == NULL || ow_concept_in(j, &r->code, set)))
            return r;
    }
    return NULL;
}

struct ow_span ow_days_ago(const struct ow_judge *j, int64_t first, int64_t last)
{
    const struct ow_zone *zone = j->q->zone;
    int64_t today = ow_zone_day(zone, j->q->at);

    return (struct ow_span){ ow_zone_day_at(zone, today - first),
                             ow_zone_day_at(zone, today - last + 1) };
}

bool ow_span_meets(struct ow_span s, struct ow_span within)
{
    return s.from < within.until && s.until > within.from;
}

const char *ow_fact_condition(const struct ow_judge *j, const char *set)
{
    for (const struct ow_record *r = ow_record_next(j, NULL, "Condition", set); r != NULL;
         r = ow_record_next(j, r, "Condition", set))
        if (ow_record_current(r))
            return r->reference != NULL ? r->reference : "";
    return NULL;
}

/* ---- the facts ---- */

static const char *const names[] = {
#define FACT(id, name) name,
#include "alerts/facts.def"
#undef FACT
};

int ow_fact(const struct ow_judge *j, enum ow_fact_id id)
{
    return j->facts[id].value;
}

const char *ow_fact_by(const struct ow_judge *j, enum ow_fact_id id)
{
    return j->facts[id].n_evidence > 0 ? j->facts[id].evidence[0] : NULL;
}

/* ---- writing them down ---- */

void fact_yes(struct fact_book *b, enum ow_fact_id id, const char *by)
{
    struct fact_draft *f = &b->f[id];

    f->yes = true;
    for (size_t i = 0; i < f->n_by; i++)
        if (ow_streq(f->by[i], by))
            return;
    if (by != NULL && f->n_by < FACT_EVIDENCE)
        f->by[f->n_by++] = by;
}

void fact_event(struct fact_book *b, enum ow_event e, struct ow_span when, const char *by)
{
    struct ow_latest *l = &b->j->latest[e];
    ow_time at = when.until - 1;

    if (when.from > b->j->q->at)
        return;
    if (when.from == OW_TIME_MIN && when.until == OW_TIME_MAX)
        at = b->j->q->at;
    else if (when.until == OW_TIME_MAX)
        at = when.from;
    if (l->known && l->at >= at)
        return;
    *l = (struct ow_latest){ .known = true, .at = at, .by = by };
}

int ow_event_due(const struct ow_judge *j, enum ow_event e, int64_t days)
{
    const struct ow_latest *l = &j->latest[e];

    if (l->known && l->at >= ow_days_ago(j, days, 0).from)
        return 0;
    return l->not_asked ? -1 : 1;
}

static void fact_of_event(struct fact_book *b, enum ow_fact_id id, enum ow_event e,
                          int64_t days)
{
    if (ow_event_due(b->j, e, days) == 0)
        fact_yes(b, id, b->j->latest[e].by);
}

/* Which kinds could make a fact true: none of it is false only when they were looked
 * for. What orders alone decide is undecided when part of the chart could not be had. */
static const unsigned fact_kinds[OW_FACT_N] = {
    [OW_FACT_DISPENSE_90_DAYS] = OW_KIND_DISPENSE,
    [OW_FACT_CANCER] = OW_KIND_CONDITION | OW_KIND_ENCOUNTER,
    [OW_FACT_CANCER_ENCOUNTERS] = OW_KIND_ENCOUNTER,
    [OW_FACT_END_OF_LIFE] = OW_KIND_CONDITION,
    [OW_FACT_TERMINAL] = OW_KIND_CONDITION,
    [OW_FACT_HOSPICE] = OW_KIND_CONDITION | OW_KIND_ENCOUNTER | OW_KIND_PROCEDURE |
                        OW_KIND_SERVICE_REQUEST,
    [OW_FACT_PALLIATIVE] = OW_KIND_SERVICE_REQUEST,
    [OW_FACT_SICKLE_CELL] = OW_KIND_CONDITION,
    [OW_FACT_OUD] = OW_KIND_CONDITION,
    [OW_FACT_OVERDOSE] = OW_KIND_CONDITION,
    [OW_FACT_SUBSTANCE_MISUSE] = OW_KIND_CONDITION,
    [OW_FACT_SLEEP_BREATHING] = OW_KIND_CONDITION,
    [OW_FACT_RENAL_HEPATIC] = OW_KIND_CONDITION,
    [OW_FACT_LOST_TOLERANCE] = OW_KIND_CONDITION | OW_KIND_PROCEDURE,
    [OW_FACT_OBESITY] = OW_KIND_CONDITION,
    [OW_FACT_LUNG] = OW_KIND_CONDITION,
    [OW_FACT_PREGNANT] = OW_KIND_CONDITION | OW_KIND_OBSERVATION,
    [OW_FACT_PDMP_90_DAYS] = OW_KIND_PROCEDURE | OW_KIND_OBSERVATION,
    [OW_FACT_SCREEN_12_MONTHS] = OW_KIND_OBSERVATION,
    [OW_FACT_AGREEMENT_12_MONTHS] = OW_KIND_CONSENT,
};

static const unsigned event_kinds[OW_EVENT_N] = {
    [OW_EVENT_PDMP] = OW_KIND_PROCEDURE | OW_KIND_OBSERVATION,
    [OW_EVENT_SCREEN] = OW_KIND_OBSERVATION,
    [OW_EVENT_AGREEMENT] = OW_KIND_CONSENT,
    [OW_EVENT_ASSESSMENT] = OW_KIND_PROCEDURE,
    [OW_EVENT_PLAN] = OW_KIND_CARE_PLAN | OW_KIND_PROCEDURE,
    [OW_EVENT_COUNSELING] = OW_KIND_PROCEDURE,
    [OW_EVENT_OUD] = OW_KIND_CONDITION,
    [OW_EVENT_TONSILS] = OW_KIND_PROCEDURE,
};

static const enum ow_fact_id of_orders[] = {
    OW_FACT_ORDER_90_DAYS, OW_FACT_DISPENSE_90_DAYS, OW_FACT_CHRONIC,
    OW_FACT_OUD_TREATMENT, OW_FACT_NALOXONE_2_YEARS,
};

/* 18 years or more at the asked instant. Undecided without a birth date, or with one that
 * is too coarse. */
static void adult(struct fact_book *b)
{
    struct ow_judge *j = b->j;
    struct fact_draft *f = &b->f[OW_FACT_ADULT];
    int least = -1, most = -1;

    j->age = -1;
    fact_yes(b, OW_FACT_ADULT, j->chart->patient.reference);
    f->undecided = true;
    if (!ow_age_years(&j->chart->patient, j->q->zone, j->q->at, &least, &most))
        return;
    j->age = least;
    f->yes = least >= 18;
    f->undecided = least < 18 && most >= 18;
}

static void undecide(struct fact_book *b)
{
    const struct ow_chart *c = b->j->chart;

    for (size_t i = 0; i < OW_FACT_N; i++)
        if ((c->not_asked & fact_kinds[i]) != 0)
            b->f[i].undecided |= !b->f[i].yes;
    for (size_t i = 0; i < OW_LEN(of_orders); i++)
        if (c->n_missing > 0)
            b->f[of_orders[i]].undecided |= !b->f[of_orders[i]].yes;
}

static struct ow_fact *book_close(struct fact_book *b)
{
    struct ow_arena *arena = b->j->arena;
    struct ow_fact *facts = OW_NEW_N(arena, struct ow_fact, OW_FACT_N);

    for (size_t i = 0; i < OW_FACT_N; i++) {
        const struct fact_draft *f = &b->f[i];
        const char **list = OW_NEW_N(arena, const char *, f->n_by);

        if (f->n_by > 0)
            memcpy(list, f->by, f->n_by * sizeof *list);
        facts[i] = (struct ow_fact){ .name = names[i],
                                     .value = f->undecided ? -1 : f->yes,
                                     .evidence = list,
                                     .n_evidence = f->n_by };
    }
    return facts;
}

/* ---- exclusions ---- */

/* The first of its facts that holds names the resource. [CLINICAL decision: exclusions]
 */
static const struct {
    enum ow_fact_id fact;
    unsigned exclusion;
} exclusions[] = {
    {OW_FACT_CANCER,       OW_EXCLUDE_CANCER     },
    { OW_FACT_END_OF_LIFE, OW_EXCLUDE_END_OF_LIFE},
    { OW_FACT_TERMINAL,    OW_EXCLUDE_END_OF_LIFE},
    { OW_FACT_HOSPICE,     OW_EXCLUDE_END_OF_LIFE},
    { OW_FACT_PALLIATIVE,  OW_EXCLUDE_PALLIATIVE },
    { OW_FACT_SICKLE_CELL, OW_EXCLUDE_SICKLE_CELL},
};

static void exclude(struct ow_judge *j, unsigned exclusion, const char *by)
{
    if ((j->excluded & exclusion) != 0)
        return;
    j->excluded |= exclusion;
    j->excluded_by[__builtin_ctz(exclusion)] = by;
}

static void exclusions_read(struct ow_judge *j)
{
    for (size_t i = 0; i < OW_LEN(exclusions); i++)
        if (ow_fact(j, exclusions[i].fact) == 1)
            exclude(j, exclusions[i].exclusion, ow_fact_by(j, exclusions[i].fact));
    if (ow_fact(j, OW_FACT_ADULT) == 0)
        exclude(j, OW_EXCLUDE_MINOR, j->chart->patient.reference);
}

void ow_facts_read(struct ow_judge *j)
{
    struct fact_book b = { .j = j };

    memset(j->latest, 0, sizeof j->latest);
    adult(&b);
    facts_of_records(&b);
    facts_of_orders(&b);
    for (size_t i = 0; i < OW_EVENT_N; i++)
        j->latest[i].not_asked = (j->chart->not_asked & event_kinds[i]) != 0;
    fact_of_event(&b, OW_FACT_PDMP_90_DAYS, OW_EVENT_PDMP, 90);
    fact_of_event(&b, OW_FACT_SCREEN_12_MONTHS, OW_EVENT_SCREEN, 365);
    fact_of_event(&b, OW_FACT_AGREEMENT_12_MONTHS, OW_EVENT_AGREEMENT, 365);
    fact_of_event(&b, OW_FACT_NALOXONE_2_YEARS, OW_EVENT_NALOXONE, 730);
    undecide(&b);
    j->facts = j->v->facts = book_close(&b);
    j->v->n_facts = OW_FACT_N;
    exclusions_read(j);
}
