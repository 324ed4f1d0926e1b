/*
 * Published: the CDC opioid services as they were published, to compare with
 *
 * Two editions of the opioid-cds rules (2022: libraries 2022.1.0; 2016: 2016.4.0),
 * decided as they decide, with the contents of their value sets and their faults of
 * logic: each recommendation on its own hook, one finding and one card for each, and no
 * rule of ours. What an order is worth in MME stays ours; which orders are added up is
 * theirs. Silence where they are silent is meant here, and nowhere else.
 *
 * An edition is a table: number, hooks, the rule's name of ours, what silences it, title,
 * and a function that asks whether it holds. Only the files of the editions and the
 * rules' front include this.
 *
 * Days. "Day n" is the local day n days before that of the question; both ends of a range
 * are in it. Months and years before today go by the calendar. A time that is not known
 * to the day is on no day.
 */
#pragma once

#include "alerts/rule.h"

/* One MedicationRequest or MedicationDispense, as both editions look at it. */
struct ow_pub_order {
    const struct ow_order *order;
    const struct ow_item *item; /* its line, or NULL */
    struct ow_sets drug;        /* sets of its codings, in this edition */
    bool by_code; /* its drug is no reference: what a search by code finds */
    bool community;
    bool dated;
    int64_t day; /* of authoredOn or whenHandedOver, when dated */
    bool has_days;
    struct ow_ratio days; /* expectedSupplyDuration */
};

/* What a rule tells when it holds. */
struct ow_pub_case {
    const char *reason;
    const char **evidence;
    size_t n_evidence, cap_evidence;
};

struct ow_pub {
    struct ow_judge *j;
    int64_t today;
    const struct ow_pub_order *orders;
    size_t n_orders;
    bool view;               /* patient-view: the active orders stand for the drafts */
    const char *terminal;    /* resource that excludes by a terminal condition, or NULL */
    const char *end_of_life; /* resource that excludes at the end of life, or NULL */
};

enum {                          /* what silences a recommendation */
       OW_PUB_GENERAL = 1 << 0, /* age, sickle cell, cancer, terminal, palliative */
       OW_PUB_END_OF_LIFE = 1 << 1,
       OW_PUB_ADULT = 1 << 2, /* age alone; part of the general criteria */
};

enum { /* hooks of a recommendation */
       OW_PUB_VIEW = 1 << OW_HOOK_PATIENT_VIEW,
       OW_PUB_SELECT = 1 << OW_HOOK_ORDER_SELECT,
       OW_PUB_SIGN = 1 << OW_HOOK_ORDER_SIGN,
};

struct ow_pub_rule {
    const char *sources[2]; /* CDC-2022-R4, CDC-2022-R5 */
    unsigned hooks;
    enum ow_rule rule;
    unsigned silenced_by;
    enum ow_word title;
    bool (*holds)(struct ow_pub *u, struct ow_pub_case *c);
};

/* An edition: its rules and its general facts. */
struct ow_pub_edition {
    const struct ow_pub_rule *rules;
    size_t n_rules;
    /* fills facts and the exclusions */
    void (*read)(struct ow_pub *u, struct ow_fact *facts);
    bool (*chronic)(const struct ow_pub *u, const struct ow_pub_order *x);
};

extern const struct ow_pub_edition ow_pub_2022, ow_pub_2016;
const struct ow_pub_edition *ow_pub_edition(const struct ow_judge *j);

/* Facts and exclusions of the edition in force, then its findings by `keep`. */
struct ow_pub *ow_published_read(struct ow_judge *j);
struct verdict_lists;
typedef void ow_pub_keep_fn(struct ow_pending *p, struct ow_finding *f, enum ow_rule rule,
                            unsigned held, struct verdict_lists *l);
void ow_published_run(struct ow_pub *u, struct ow_pending *p, ow_pub_keep_fn *keep,
                      struct verdict_lists *l);

/*
 * ---- asking the chart, as both editions do (published_ask.c) ----
 */

void ow_pub_orders_read(struct ow_pub *u);
/* Sets of a concept's codings, with the contents of the edition in force. */
struct ow_sets ow_pub_sets(const struct ow_pub *u, const struct ow_concept *c);
bool ow_pub_in(const struct ow_pub *u, const struct ow_concept *c, enum ow_set set);
bool ow_pub_more_in(const struct ow_pub *u, const struct ow_record *r, const char *of,
                    enum ow_set set);

/* The local day of a time known to the day. */
bool ow_pub_day(const struct ow_pub *u, struct ow_span s, int64_t *ret);
/* The day so many calendar months before today. */
int64_t ow_pub_months_ago(const struct ow_pub *u, int months);
/* Is `day` between day `first` and day `last` before today, both in it? */
bool ow_pub_days(const struct ow_pub *u, int64_t day, int64_t first, int64_t last);
/* `when` is a dateTime on these days. */
bool ow_pub_on(const struct ow_pub *u, const struct ow_record *r, int64_t first,
               int64_t last);
/* `when` is a Period with both ends, and both on these days. */
bool ow_pub_within(const struct ow_pub *u, const struct ow_record *r, int64_t first,
                   int64_t last);

/* The next record of a type (not a component) coded in the set; see ow_record_next. */
const struct ow_record *ow_pub_record(const struct ow_pub *u,
                                      const struct ow_record *after, const char *type,
                                      enum ow_set set);
/* The next Condition of the set that has one of the three categories looked at. */
const struct ow_record *ow_pub_condition(const struct ow_pub *u,
                                         const struct ow_record *after, enum ow_set set,
                                         bool active);
bool ow_pub_category(const struct ow_pub *u, const struct ow_record *r, enum ow_set set);
bool ow_pub_hospice_encounter(const struct ow_pub *u, const struct ow_record *r);

/* An order that is being signed or selected; in a patient view, or without a hook, an
 * active one too. Whether it is of the community is asked by ow_pub_prescribed. */
bool ow_pub_triggers(const struct ow_pub *u, const struct ow_pub_order *x);
/* The next such opioid of the community, after `x` (NULL: the first). */
const struct ow_pub_order *ow_pub_prescribed(const struct ow_pub *u,
                                             const struct ow_pub_order *x);
/* Active, of the community, written within two years. */
bool ow_pub_active(const struct ow_pub *u, const struct ow_pub_order *x);
const struct ow_pub_order *
ow_pub_active_next(const struct ow_pub *u, const struct ow_pub_order *x, enum ow_set set);
/* Supply of 28 days and more: false when it is not known. */
bool ow_pub_supply_28(const struct ow_pub_order *x);
bool ow_pub_supply_below_28(const struct ow_pub_order *x);
/* The first prescribed opioid for longer pain, as the edition has it; NULL. */
const struct ow_pub_order *ow_pub_chronic(const struct ow_pub *u,
                                          const struct ow_pub_order *after);

/* Was there no opioid on days 90 to 1? */
bool ow_pub_naive(const struct ow_pub *u);
const struct ow_pub_order *ow_pub_past_order(const struct ow_pub *u,
                                             const struct ow_pub_order *after);
const struct ow_pub_order *ow_pub_past_dispense(const struct ow_pub *u,
                                                const struct ow_pub_order *after);

/* Opioids on 7 of the last 10 days and an office visit, or 21 days in each of three
 * months. */
bool ow_pub_on_opioids(const struct ow_pub *u);
/* A pain treatment plan or a pain procedure, days 90 to 0, of who wrote the order. */
bool ow_pub_pain_plan(const struct ow_pub *u);
/* A risk assessment that began on days 91 to 1. */
bool ow_pub_assessed(const struct ow_pub *u);
bool ow_pub_pdmp_reviewed(const struct ow_pub *u);
/* An active opioid misuse disorder recorded on days 90 to 0, without a treatment order.
 */
const struct ow_record *ow_pub_untreated_oud(const struct ow_pub *u);

/* MME/d of the prescribed opioids for longer pain and of active ones; all active ones
 * with `all`, else those for longer pain. Equal figures count once, as there. False when
 * none has a figure. */
bool ow_pub_med(const struct ow_pub *u, bool all, struct ow_ratio *ret);

/*
 * ---- saying it ----
 */
void ow_pub_evidence(struct ow_pub *u, struct ow_pub_case *c, const char *reference);
void ow_pub_fact_by(struct ow_pub *u, struct ow_fact *f, const char *reference);
/* Conditions of the set, added to what the fact holds; 0 when there are none. */
void ow_pub_fact_conditions(struct ow_pub *u, struct ow_fact *f, enum ow_set set,
                            bool active);
/* Hospice, by the encounters. */
void ow_pub_fact_encounters(struct ow_pub *u, struct ow_fact *f);
/* The first resource behind a fact; "" when it has no name. */
const char *ow_pub_first(const struct ow_fact *f);
/* Does a reference end with the id of the resource? They compare no more than that. */
bool ow_pub_refers(const char *reference, const char *resource);
void ow_pub_exclude(struct ow_pub *u, unsigned exclusion, const char *by);
const char *ow_pub_drug(const struct ow_pub *u, const struct ow_pub_order *x);

/* Conditions that both editions share. */
bool ow_pub_holds_chronic_naive(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_no_plan(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_extended(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_dose(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_reassess(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_chronic(struct ow_pub *u, struct ow_pub_case *c);
bool ow_pub_holds_pdmp(struct ow_pub *u, struct ow_pub_case *c);

/* An opioid being ordered and a sedative active, or the reverse. */
typedef bool ow_pub_is_fn(const struct ow_pub *u, const struct ow_pub_order *x);
bool ow_pub_holds_together(struct ow_pub *u, struct ow_pub_case *c, ow_pub_is_fn *ordered,
                           ow_pub_is_fn *active);
