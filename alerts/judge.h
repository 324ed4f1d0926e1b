/*
 * Judge: the working state of one evaluation
 *
 * Only the files of the judgement include this. ow_evaluate fills it in the order of the
 * declarations below; each step reads what the steps before it left and nothing else.
 */
#pragma once

#include "alerts/dosage.h"
#include "alerts/evaluate.h"
#include "alerts/identify.h"
#include "alerts/words.h"

/* One order on its way to a line. */
struct ow_item {
    const struct ow_order *order;
    struct ow_drug drug;
    enum ow_role role;
    const char *reason;
    bool stands; /* by status and intent it is in force, or being signed */
    unsigned flags;

    /* Dose from the directions, else from the supply; in units of `dose.basis`. */
    bool has_dose;
    struct ow_dose dose;
    bool has_supplied; /* `supplied` a day, from a dispense or the dispenseRequest */
    struct ow_ratio supplied;
    struct ow_factor factor;
    struct ow_ratio med, med_low; /* now, or when it starts */
    struct ow_ratio amount;       /* daily amount behind `med` */
    struct ow_ratio med_supplied;
    size_t step; /* of the dose, behind `med` */

    /* When. `span` is what the order says, `taken` when it adds to the total. */
    struct ow_span span, taken; /* `taken` is empty when it is not in force */
    bool has_length;            /* directions or supply say when it ends */
    bool bounded;               /* the directions do */
    bool unplaced;              /* its beginning is not known to the day */
    const struct ow_item *next; /* what replaces it, or cuts it short */
    uint32_t drug_key, id_key;  /* equal for the same product, for the same id */
    bool links;                 /* it names other orders, or shares names with them */
    struct ow_line *line;
};

/* Dose and factor of one order as they were read: the same for any window. */
struct ow_reading {
    const char *unreadable; /* why, or NULL */
    unsigned flags;
    bool has_dose, has_supplied;
    struct ow_dose dose;
    struct ow_ratio supplied;
    struct ow_factor factor;
};

/* The latest of what has to be done again and again, as the chart tells it. */
enum ow_event {
    OW_EVENT_PDMP,       /* review of the prescription monitoring programme */
    OW_EVENT_SCREEN,     /* drug screen */
    OW_EVENT_AGREEMENT,  /* treatment agreement */
    OW_EVENT_ASSESSMENT, /* of benefits, harms and risks */
    OW_EVENT_PLAN,       /* of pain treatment, with its goals */
    OW_EVENT_COUNSELING, /* about opioid safety */
    OW_EVENT_NALOXONE,   /* ordered or handed over */
    OW_EVENT_OUD,        /* active opioid use disorder, recorded */
    OW_EVENT_TONSILS,    /* tonsils or adenoids removed */
    OW_EVENT_N,
};

struct ow_latest {
    bool known;     /* it is in the chart */
    bool not_asked; /* nobody looked, so that its absence says nothing */
    ow_time at;     /* the asked instant where it has no date */
    const char *by;
};

struct ow_judge {
    const struct ow_chart *chart;
    const struct ow_question *q;
    const struct ow_knowledge *kb;
    const struct ow_policy *policy;
    struct ow_arena *arena;
    struct ow_span window; /* from the asked instant to the horizon */
    bool has_dispenses;
    bool has_drafts; /* some order is an entry of a hook's draftOrders */

    const struct ow_item *all; /* every order of the chart, with its drug */
    size_t n_all;
    const struct ow_reading **readings; /* of the chart's orders; NULL: not read yet */
    struct ow_item *items;              /* those that become lines */
    size_t n_items;

    struct ow_ratio lasting_peak; /* of the orders that are not acute */
    bool has_lasting;

    /* Facts, by enum ow_fact_id; what silences rules, with the resource that says so. */
    const struct ow_fact *facts;
    struct ow_latest latest[OW_EVENT_N];
    int age; /* whole years, at least; -1 unknown */
    unsigned excluded;
    const char *excluded_by[OW_EXCLUDE_N];

    const struct ow_history *history, *ordered; /* NULL: not read yet; see history.h */

    struct ow_finding *findings; /* those of the verdict, while they are ranked */
    struct ow_suppression *suppressed;
    size_t n_suppressed, cap_suppressed;

    struct ow_verdict *v;
    const char **notes;
    size_t n_notes, cap_notes;
};

/* Role, dose and span of a standing order by itself. */
void ow_judge_read(struct ow_judge *j, struct ow_item *it);

void ow_judge_note(struct ow_judge *j, const char *text);
/* A finding of `rule` was held back by `by` ("rank", "exclusion:..."), and `resource` is
 * what did it; NULL. */
void ow_judge_suppress(struct ow_judge *j, const char *rule, const char *by,
                       const char *resource);

/* Is it an opioid of the patient, whatever its dose? */
static inline bool ow_item_opioid(const struct ow_item *it)
{
    return it->role == OW_ROLE_COUNTED || it->role == OW_ROLE_UNREADABLE ||
           it->role == OW_ROLE_EXCLUDED;
}

/* Is it a sedative that the patient takes or will take? */
static inline bool ow_item_sedative(const struct ow_item *it)
{
    return it->drug.sedative != NULL && it->drug.sedative->cls != OW_SEDATIVE_NOT &&
           it->taken.until > it->taken.from;
}
