/*
 * Units: what one unit of a dose is
 *
 * Reads UCUM codes and the words and annotations that people put in their place ("mcg",
 * "{tablet}", "tab(s)", TAB of v3-orderableDrugForm). Letter case does not count, both
 * micro signs are one. A code and a text that contradict each other are refused, and so
 * is a unit with a body weight, a bottle, an unnamed "dose" or a drop, unless its text
 * states its volume ("drop (0.05 mL)"). A household spoon is 5 mL, a tablespoon 15 mL, as
 * US drug labels have it.
 */
#pragma once

#include "alerts/knowledge.h"

enum ow_unit_kind {
    OW_UNIT_COUNT, /* tablets, patches, sprays; or nothing said at all */
    OW_UNIT_MASS,
    OW_UNIT_VOLUME,
    OW_UNIT_MASS_RATE,
    OW_UNIT_VOLUME_RATE,
};

struct ow_unit {
    enum ow_unit_kind kind;
    struct ow_ratio scale; /* mg, mL, mg/h or mL/h in one unit; 1 for a count */
    const char *word;      /* of a count, in the singular; NULL: nothing said */
    unsigned forms; /* of a count: set of 1 << enum ow_form it can go with; 0: any */
};

/* OW_MISSING with the reason when it cannot be read. */
OW_MUST_USE enum ow_code ow_unit_read(const struct ow_quantity *q, struct ow_unit *ret,
                                      struct ow_err *err);

/* Milliseconds of a unit of time: UCUM or spelt-out s min h d wk mo a; a month is 30
 * days and a year 365. False for anything else. */
OW_MUST_USE bool ow_unit_time(const char *unit, int64_t *ret);
/* A positive amount of time, exact; false when it is none. */
OW_MUST_USE bool ow_duration_exact(const struct ow_quantity *q, struct ow_ratio *ret_ms);
