/*
 * Lines: what was decided about each order, as the verdict shows it
 *
 * Also the sedatives with the days they share with any opioid, from the asked instant to
 * the horizon; a part of a day counts as one.
 */
#pragma once

#include "alerts/judge.h"

void ow_lines_build(struct ow_judge *j);
void ow_lines_sedatives(struct ow_judge *j);
/* Days of `own`, within the window, on which any opioid is taken too. */
int64_t ow_lines_opioid_days(struct ow_judge *j, struct ow_span own);
