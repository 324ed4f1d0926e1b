#include "alerts/facts.h"

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

bool ow_concept_in(const struct ow_judge *j, const struct ow_concept *c, const char *set)
{
    for (size_t i = 0; i < c->n_codings; i++)
        if (c->codings[i].system != NULL && c->codings[i].code != NULL &&
            ow_knowledge_in_set(j->kb, set, c->codings[i].system, c->codings[i].code))
            return true;
    return false;
}

bool ow_order_in(const struct ow_judge *j, const struct ow_order *o, const char *set)
{
    return ow_concept_in(j, &o->medication.code, set);
}

const struct ow_record *ow_record_next(const struct ow_judge *j,
                                       const struct ow_record *after, const char *type,
                                       const char *set)
{
    const struct ow_record *end = j->chart->records + j->chart->n_records;

    for (const struct ow_record *r = after != NULL ? after + 1 : j->chart->records;
         r != end; r++)
        if (ow_streq(r->type, type) && (set == NULL || ow_concept_in(j, &r->code, set)))
            return r;
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

static void decide(struct ow_judge *j, struct ow_fact *f, int value, const char *by)
{
    const char **list = OW_NEW_N(j->arena, const char *, 1);

    f->value = value;
    if (by == NULL)
        return;
    list[0] = by;
    f->evidence = list;
    f->n_evidence = 1;
}

/* 18 years or more at the asked instant. Undecided without a birth date, or with one that
 * is too coarse. */
static void adult(struct ow_judge *j, struct ow_fact *f)
{
    int least = -1, most = -1, value = -1;

    j->age = -1;
    if (ow_age_years(&j->chart->patient, j->q->zone, j->q->at, &least, &most)) {
        value = least >= 18 ? 1 : most < 18 ? 0 : -1;
        j->age = least;
    }
    decide(j, f, value, j->chart->patient.reference);
}

static void exclude(struct ow_judge *j, unsigned exclusion, const char *by)
{
    j->excluded |= exclusion;
    j->excluded_by[__builtin_ctz(exclusion)] = by;
}

void ow_facts_read(struct ow_judge *j)
{
    struct ow_fact *facts = OW_NEW_N(j->arena, struct ow_fact, OW_FACT_N);

    j->facts = facts;
    for (size_t i = 0; i < OW_FACT_N; i++)
        facts[i] = (struct ow_fact){ .name = names[i], .value = -1 };
    adult(j, &facts[OW_FACT_ADULT]);
    if (facts[OW_FACT_ADULT].value == 0)
        exclude(j, OW_EXCLUDE_MINOR, j->chart->patient.reference);
    j->v->facts = facts;
    j->v->n_facts = OW_FACT_N;
}
