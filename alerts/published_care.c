/*
 * What the published rules look for in the record of care: plans, assessments, reviews,
 * treatment, and the dose.
 */
#include "alerts/published.h"

#include "base/text.h"

/* ---- plan, assessment, review ---- */

static bool recorded_by(const struct ow_pub *u, const char *who)
{
    for (const struct ow_pub_order *x = ow_pub_chronic(u, NULL); x != NULL && who != NULL;
         x = ow_pub_chronic(u, x))
        if (ow_streq(x->order->recorder, who))
            return true;
    return false;
}

static bool plan_touched(const struct ow_pub *u, const struct ow_record *r)
{
    int64_t day;

    if (r->has_recorded && ow_streq(r->recorded_of, "created") &&
        ow_pub_day(u, r->recorded, &day) && ow_pub_days(u, day, 90, 0))
        return true;
    return r->has_updated && ow_pub_day(u, r->updated, &day) &&
           ow_pub_days(u, day, 90, 0);
}

bool ow_pub_pain_plan(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;

    while ((r = ow_record_next(u->j, r, "CarePlan", NULL)) != NULL)
        if ((ow_streq(r->status, "active") || ow_streq(r->status, "completed")) &&
            ow_pub_category(u, r, OW_SET_PAIN_TREATMENT_PLAN) && plan_touched(u, r) &&
            recorded_by(u, r->author))
            return true;
    while ((r = ow_pub_record(u, r, "Procedure", OW_SET_PAIN_MANAGEMENT_PROCEDURE)) !=
           NULL)
        for (size_t i = 0; i < r->n_performers && ow_pub_on(u, r, 90, 0); i++)
            if (recorded_by(u, r->performers[i]))
                return true;
    return false;
}

bool ow_pub_assessed(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;

    while ((r = ow_pub_record(u, r, "Procedure",
                              OW_SET_OPIOID_MISUSE_ASSESSMENT_PROCEDURE)) != NULL)
        if (r->has_when && ow_ends_with(r->when_of, "Period") &&
            r->when.from != OW_TIME_MIN &&
            ow_pub_days(u, ow_zone_day(u->j->q->zone, r->when.from), 91, 1))
            return true;
    return false;
}

/* The Period of a procedure is compared with days as with instants, which decides nothing
 * on days 90 and 0. */
bool ow_pub_pdmp_reviewed(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;

    while ((r = ow_pub_record(u, r, "Procedure", OW_SET_PDMP_REVIEW_PROCEDURE)) != NULL)
        if (ow_streq(r->status, "completed") && ow_pub_within(u, r, 89, 1))
            return true;
    while ((r = ow_pub_record(u, r, "Observation", OW_SET_PDMP_DATA_REVIEWED_FINDING)) !=
           NULL)
        if ((ow_streq(r->status, "final") || ow_streq(r->status, "amended")) &&
            (ow_pub_on(u, r, 90, 0) || ow_pub_within(u, r, 90, 0)))
            return true;
    return false;
}

/* ---- opioid use disorder ---- */

static bool oud_treated(const struct ow_pub *u)
{
    for (size_t i = 0; i < u->n_orders; i++) {
        const struct ow_pub_order *x = &u->orders[i];

        if (x->order->kind == OW_REQUEST && !x->order->is_draft && x->by_code &&
            ow_sets_has(&x->drug, OW_SET_BUPRENORPHINE_AND_METHADONE_MEDICATIONS) &&
            (x->order->status == OW_STATUS_ACTIVE ||
             x->order->status == OW_STATUS_COMPLETED) &&
            x->dated && ow_pub_days(u, x->day, 90, 0))
            return true;
    }
    return false;
}

const struct ow_record *ow_pub_untreated_oud(const struct ow_pub *u)
{
    const struct ow_record *r = NULL;
    int64_t day;

    while ((r = ow_pub_condition(u, r, OW_SET_OPIOID_MISUSE_DISORDERS, true)) != NULL)
        if (r->has_recorded && ow_streq(r->recorded_of, "recordedDate") &&
            ow_pub_day(u, r->recorded, &day) && ow_pub_days(u, day, 90, 0))
            break;
    return r != NULL && !oud_treated(u) ? r : NULL;
}

/* ---- dose ---- */

/* Without a figure in either edition: tramadol and tapentadol, which their table of
 * factors lacks, and a dose written as a range, which their calculator loses. */
static bool left_out(const struct ow_item *it)
{
    if (ow_streq(it->drug.ingredient, "Tramadol") ||
        ow_streq(it->drug.ingredient, "Tapentadol"))
        return true;
    for (size_t i = 0; i < it->order->n_dosages; i++)
        for (size_t k = 0; k < it->order->dosages[i].n_doses; k++)
            if (it->order->dosages[i].doses[k].has_dose_range)
                return true;
    return false;
}

/* What the order is worth by our arithmetic, replaced by another order or not: they add
 * up every one. A replaced one may be without a factor. */
static bool worth_of(const struct ow_pub_order *x, struct ow_ratio *ret)
{
    const struct ow_item *it = x->item;
    struct ow_ratio high = OW_ZERO;

    if (it == NULL || left_out(it) || it->role == OW_ROLE_EXCLUDED ||
        it->role == OW_ROLE_UNREADABLE)
        return false;
    if (it->role == OW_ROLE_COUNTED) {
        *ret = it->med;
        return true;
    }
    for (size_t i = 0; it->has_dose && i < it->dose.n_steps; i++)
        if (ow_ratio_cmp(it->dose.steps[i].high, high) > 0)
            high = it->dose.steps[i].high;
    return ow_ratio_positive(high) && ow_ratio_positive(it->factor.value) &&
           ow_ratio_mul(high, it->factor.value, ret);
}

static bool adds(const struct ow_pub *u, const struct ow_pub_order *x, bool all)
{
    bool chronic = ow_pub_edition(u->j)->chronic(u, x);

    if (!ow_sets_has(&x->drug, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL))
        return false;
    return (x->community && chronic && ow_pub_triggers(u, x)) ||
           (ow_pub_active(u, x) && (all || chronic));
}

/* They add up a list of distinct figures: 30 and 30 are 30. */
static bool seen_before(const struct ow_pub *u, const struct ow_pub_order *x,
                        struct ow_ratio worth, bool all)
{
    struct ow_ratio other;

    for (const struct ow_pub_order *y = u->orders; y != x; y++)
        if (adds(u, y, all) && worth_of(y, &other) && ow_ratio_cmp(other, worth) == 0)
            return true;
    return false;
}

bool ow_pub_med(const struct ow_pub *u, bool all, struct ow_ratio *ret)
{
    struct ow_ratio sum = OW_ZERO, worth;
    bool any = false;

    for (const struct ow_pub_order *x = u->orders; x != u->orders + u->n_orders; x++) {
        if (!adds(u, x, all) || !worth_of(x, &worth) || seen_before(u, x, worth, all))
            continue;
        if (!ow_ratio_add(sum, worth, &sum))
            return false;
        any = true;
    }
    *ret = sum;
    return any;
}
