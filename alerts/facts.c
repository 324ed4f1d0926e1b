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

static bool is_current(const struct ow_record *r)
{
    if (ow_streq(r->verification, "refuted") ||
        ow_streq(r->verification, "entered-in-error"))
        return false;
    return r->status == NULL || ow_streq(r->status, "active") ||
           ow_streq(r->status, "recurrence") || ow_streq(r->status, "relapse");
}

static bool is_coded(const struct ow_judge *j, const struct ow_concept *c,
                     const char *set)
{
    for (size_t i = 0; i < c->n_codings; i++)
        if (c->codings[i].system != NULL && c->codings[i].code != NULL &&
            ow_knowledge_in_set(j->kb, set, c->codings[i].system, c->codings[i].code))
            return true;
    return false;
}

const char *ow_fact_condition(const struct ow_judge *j, const char *set)
{
    for (size_t i = 0; i < j->chart->n_records; i++) {
        const struct ow_record *r = &j->chart->records[i];

        if (ow_streq(r->type, "Condition") && is_current(r) && is_coded(j, &r->code, set))
            return r->reference != NULL ? r->reference : "";
    }
    return NULL;
}
