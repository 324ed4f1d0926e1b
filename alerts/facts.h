/*
 * Facts: yes-or-no questions that rules ask of the chart
 */
#pragma once

#include "alerts/judge.h"

/* Whole years of age at an instant, by civil dates of `zone`: the least and the most that
 * a partial date of birth allows. False when there is none. */
bool ow_age_years(const struct ow_patient *p, const struct ow_zone *zone, ow_time at,
                  int *least, int *most);

/* Reference of a Condition that is active (or says nothing of it), not refuted and coded
 * in the set; NULL when there is none, "" when it has no reference. */
const char *ow_fact_condition(const struct ow_judge *j, const char *set);
