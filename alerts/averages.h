/*
 * Averages: what was supplied in the days before, under four named denominators
 *
 * The window is the policy's number of local days that end with the day of the question.
 * From dispenses when one of an opioid reaches into it: quantity over days' supply, from
 * the day it was handed over. Else from orders, and then it is an estimate: every order
 * that is active, completed or stopped counts from its start to the end of its supply or
 * bounds, the same order of two servers once, a renewal from its own start on. Drafts do
 * not count, nor does what carries no MME.
 *
 * The total of MME in the window is divided by
 *   per-supply-day   the days' supply, added up over all supplies;
 *   per-opioid-day   the days with any opioid;
 *   per-window-day   all days of the window;
 * and highest-day is the day with the most. [CLINICAL decision: denominators]
 *
 * What cannot be computed or placed in time makes all of them "at least".
 */
#pragma once

#include "alerts/judge.h"

/* Sets averages of the verdict. Reads drugs and orders; changes no item. */
void ow_averages_build(struct ow_judge *j);
