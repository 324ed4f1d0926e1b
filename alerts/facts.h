/*
 * Facts: yes-or-no questions that rules ask of the chart
 */
#pragma once

#include "alerts/judge.h"

enum ow_fact_id {
#define FACT(id, name) OW_FACT_##id,
#include "alerts/facts.def"
#undef FACT
    OW_FACT_N
};

/* Facts of the verdict, age, and the exclusions that hold. */
void ow_facts_read(struct ow_judge *j);

/* 1, 0, or -1 when the chart does not decide it. After ow_facts_read. */
int ow_fact(const struct ow_judge *j, enum ow_fact_id id);
/* The first resource that decides it, or NULL. */
const char *ow_fact_by(const struct ow_judge *j, enum ow_fact_id id);

/*
 * ---- asking the records of the chart ----
 */

/* Is a coding of the concept in the value set? */
bool ow_concept_in(const struct ow_judge *j, const struct ow_concept *c, const char *set);
/* Is the drug of an order (any of its codings) in the value set? */
bool ow_order_in(const struct ow_judge *j, const struct ow_order *o, const char *set);
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
