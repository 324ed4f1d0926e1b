/*
 * Co-ingredient: how much acetaminophen a day an order gives
 *
 * For opioids that are combined with it, from the dose as it was read: mg of the opioid a
 * day, times mg of acetaminophen for each mg of opioid in one unit or mL of the product
 * (the table's co_ingredients, or the ingredients of a compounded medication). For every
 * other drug, from its own directions or its supply, when the name or the ingredients of
 * the product state the strength. "Hydrocodone/acetaminophen 5/325, 2 tablets every 6
 * hours" is 40 mg of hydrocodone a day, 325 mg for each 5 mg: 2600 mg.
 *
 * The most that the order allows, as for MED: as-needed in full, the upper end of ranges,
 * capped by maxDosePerPeriod. Exact; nothing is rounded. What cannot be told is UNKNOWN
 * with the reason, never zero.
 */
#pragma once

#include "alerts/judge.h"

enum ow_co_state {
    OW_CO_NONE,    /* no acetaminophen in it, or not in force at that instant */
    OW_CO_KNOWN,   /* mg_day and words are set */
    OW_CO_UNKNOWN, /* there is, and nobody knows how much a day: reason is set */
};

struct ow_co_ingredient {
    enum ow_co_state state;
    struct ow_ratio mg_day;
    const char *words;  /* "40 mg/d, 325 mg for each 5 mg = 2600 mg/d" */
    const char *reason; /* for people */
};

/*
 * Acetaminophen of one item at an instant, which may lie in the future: a taper gives the
 * step of that time. For a total ask every item of the judge at the same instants (the
 * asked one, and where each item's `taken` begins), and add the KNOWN ones; with an
 * UNKNOWN among them the total is "at least". Call it when the roles are settled
 * (ow_roles_replace); an order that another one replaces is NONE, other drugs than
 * opioids included: the refill takes the place of the old order.
 */
void ow_acetaminophen_at(const struct ow_judge *j, const struct ow_item *it, ow_time at,
                         struct ow_co_ingredient *ret);
