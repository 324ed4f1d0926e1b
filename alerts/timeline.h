/*
 * Timeline: the sum of all orders, instant by instant
 *
 * MED at an instant is the sum over the counted orders whose time covers it, each with
 * the step of its dose in force then. Methadone is summed in mg first, and the factor of
 * that sum applies to the whole of it, because the 2016 table goes in bands of total
 * daily methadone. [CDC-2016 clinical table] The peak is the highest sum in the window
 * [asked instant, horizon), with its first instant.
 *
 * Three sums are kept: as written (directions only), as supplied (quantity over days),
 * and the total that rules use (directions, supply as fallback). Sums are exact: an order
 * whose figures would not fit is made unreadable before anything is added.
 */
#pragma once

#include "alerts/judge.h"

/* Make unreadable what cannot be added exactly. Reads doses and factors. */
void ow_timeline_admit(struct ow_judge *j);

/* The time of step `i` of the dose, within the time the order is taken. */
struct ow_span ow_timeline_step(const struct ow_item *it, size_t i);

/* The factor of a patient's whole daily methadone of `mg`. */
struct ow_ratio ow_timeline_banded(const struct ow_judge *j, const struct ow_item *it,
                                   struct ow_ratio mg);

/* Totals of the verdict, med of each item, lasting_peak. */
void ow_timeline_sum(struct ow_judge *j);
