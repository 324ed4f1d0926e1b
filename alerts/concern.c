#include "alerts/concern.h"

#include "alerts/judge.h"
#include "alerts/roles.h"

enum {
    LOOK_MOST = 200,
    /* Days since it was written, of an order that ended: the rules of stopping look 90
     * days back, and a supply lasts 30. */
    LATELY = 120,
};

static bool ended_lately(const struct ow_judge *j, const struct ow_order *o)
{
    return o->kind != OW_ADMINISTRATION && o->status != OW_STATUS_ENTERED_IN_ERROR &&
           o->status != OW_STATUS_CANCELLED && !o->do_not_perform &&
           (!o->has_authored ||
            o->authored.until > ow_time_add(j->q->at, -LATELY * OW_DAY));
}

static bool concerns(const struct ow_judge *j, const struct ow_order *o)
{
    struct ow_item it = { .order = o };

    ow_identify(&o->medication, j->kb, j->arena, &it.drug);
    if (it.drug.kind == OW_DRUG_OTHER && it.drug.sedative == NULL)
        return false;
    if (it.drug.kind == OW_DRUG_UNKNOWN && it.drug.like == NULL &&
        it.drug.sedative == NULL)
        return false;
    ow_role_stand(j, &it);
    if (it.stands)
        return true;
    return (it.drug.kind == OW_DRUG_OPIOID || it.drug.kind == OW_DRUG_BARE) &&
           ended_lately(j, o);
}

bool ow_concern(const struct ow_chart *chart, const struct ow_question *q,
                struct ow_arena *arena)
{
    struct ow_judge j = {
        .chart = chart, .q = q, .kb = q->knowledge, .policy = q->policy, .arena = arena
    };

    if (chart->n_orders > LOOK_MOST)
        return true;
    for (size_t i = 0; i < chart->n_orders; i++)
        j.has_drafts |= chart->orders[i].is_draft;
    for (size_t i = 0; i < chart->n_orders; i++)
        if (concerns(&j, &chart->orders[i]))
            return true;
    return false;
}
