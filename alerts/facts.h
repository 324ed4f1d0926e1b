/*
 * Facts: yes-or-no questions that rules ask of the chart
 *
 * Days are local ones of the question's zone: "90 days" is day 90 to today (day 0) for
 * what was done, and day 90 to yesterday for what makes a patient no longer opioid-naive,
 * since today's order is the one in question. 12 months are 365 days, 2 years 730.
 * A Period took place until its end, one without end when it began; what has no date
 * may have been today.
 *
 * Where these facts leave the published definitions [CLINICAL 2.3]: completed and stopped
 * orders end naivety, and so does a supply that reaches into the window; Procedures count
 * with a dateTime and with a Period; remission, single poisonings and the sickle-cell
 * trait are left out, D57.1 is in; a Condition without a category is one of the problem
 * list; encounters name their diagnosis from either side, or an oncologist.
 */
#pragma once

#include "alerts/judge.h"

enum ow_fact_id {
#define FACT(id, name) OW_FACT_##id,
#include "alerts/facts.def"
#undef FACT
    OW_FACT_N
};

/* Facts of the verdict, age, the latest of each event, and the exclusions that hold. */
void ow_facts_read(struct ow_judge *j);

/* 1, 0, or -1 when the chart does not decide it. After ow_facts_read. */
int ow_fact(const struct ow_judge *j, enum ow_fact_id id);
/* The first resource that decides it, or NULL. */
const char *ow_fact_by(const struct ow_judge *j, enum ow_fact_id id);

/* Has nothing of the kind been done from `days` days ago until now? 1, 0, or -1 when
 * nobody looked for it. */
int ow_event_due(const struct ow_judge *j, enum ow_event e, int64_t days);

/*
 * ---- what an order is ----
 */

/* Not for a stay in hospital only. */
bool ow_order_outpatient(const struct ow_order *o);
/* Naltrexone, whatever its strength, by code or name. */
bool ow_item_naltrexone(const struct ow_judge *j, const struct ow_item *it);
/*
 * Treatment of opioid use disorder: buprenorphine in a form that is not made for pain, or
 * given for that reason; methadone for that reason; naltrexone but for that with
 * bupropion or for alcohol. Looks at the drug and the reason, not whether it is in force.
 */
bool ow_item_treats_oud(const struct ow_judge *j, const struct ow_item *it);

/*
 * ---- asking the records of the chart ----
 */

/* Is a test with these codes a drug screen? */
bool ow_observation_screen(const struct ow_sets *s);
/* All shipped sets that hold a coding of the concept. */
struct ow_sets ow_concept_sets(const struct ow_judge *j, const struct ow_concept *c);
/* Is a coding of the concept in the value set? */
bool ow_concept_in(const struct ow_judge *j, const struct ow_concept *c, const char *set);
/* A Condition that is active, or says nothing of it, and is not refuted. */
bool ow_record_current(const struct ow_record *r);
/* The next record of a type coded in the set, after `after` (NULL: the first). `set`
 * NULL: whatever its code. */
const struct ow_record *ow_record_next(const struct ow_judge *j,
                                       const struct ow_record *after, const char *type,
                                       const char *set);
/* Whole local days from `first` to `last` days before the question, both in it:
 * ow_days_ago(j, 90, 1) is yesterday and the 89 days before it. */
struct ow_span ow_days_ago(const struct ow_judge *j, int64_t first, int64_t last);
/* May an instant of `s` lie in `within`? */
bool ow_span_meets(struct ow_span s, struct ow_span within);

/* Whole years of age at an instant, by civil dates of `zone`: the least and the most that
 * a partial date of birth allows. False when there is none. */
bool ow_age_years(const struct ow_patient *p, const struct ow_zone *zone, ow_time at,
                  int *least, int *most);

/* Reference of a Condition that is active (or says nothing of it), not refuted and coded
 * in the set; NULL when there is none, "" when it has no reference. */
const char *ow_fact_condition(const struct ow_judge *j, const char *set);
