/*
 * Lines: what was decided about each order, as the verdict shows it
 *
 * Also the sedatives with the days they share with an opioid: civil days of the site on
 * which both are taken, from the asked instant to the horizon. An overlap that never ends
 * is counted up to the horizon.
 */
#pragma once

#include "alerts/judge.h"

void ow_lines_build(struct ow_judge *j);
void ow_lines_sedatives(struct ow_judge *j);
