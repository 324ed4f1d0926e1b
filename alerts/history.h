/*
 * History: what the patient had, day by day, before the question
 *
 * The day of the question and the 366 local days before it, in the zone of the question.
 * Read when first asked for and kept for the evaluation; without a past opioid it costs a
 * look at each order.
 *
 * Basis. From dispenses when one of an opioid reaches into the policy's days of averages
 * (90); the days before the first of them are then told by orders, since nobody says that
 * dispenses were recorded that early. Else from orders, as an estimate: active, completed
 * and stopped ones from their start to the end of their supply or bounds; a stopped one
 * to the end it was to have, because no resource says when it was stopped. See past.h.
 *
 * What counts. `med` is the highest dose allowed, as for the totals. Buprenorphine,
 * methadone for opioid use disorder, and opioids whose dose cannot be had make a day one
 * with an opioid without adding to `med`; the last make its `med` "at least". Drafts,
 * cancelled orders, orders entered in error, proposals and plans do not count.
 *
 * What is missing. An order or dispense without a date, or ended without a length, is on
 * no day, and the whole is `incomplete`; so it is when part of the chart could not be
 * had. A day without anything is a day on which nothing is known of an opioid: whether
 * dispenses or past orders were looked for at all is told by chart.not_asked.
 */
#pragma once

#include "alerts/judge.h"

enum { OW_HISTORY_DAYS = 366 };

struct ow_history_day {
    struct ow_ratio med; /* MME */
    bool opioid;         /* any, counted or not */
    bool at_least;
};

struct ow_history {
    const char *basis; /* "dispenses", "orders"; NULL: no opioid on any day */
    bool incomplete;
    /* By days ago: [0] is the day of the question, [1] yesterday. NULL basis: all none.
     */
    const struct ow_history_day *day; /* OW_HISTORY_DAYS + 1 */
};

const struct ow_history *ow_history(struct ow_judge *j);
/* The same from orders alone: to be compared with totals, which are of orders. */
const struct ow_history *ow_history_ordered(struct ow_judge *j);

/* Days with an opioid from `most` to `least` days ago, both in it: (90, 1) are the 90
 * days before the day of the question. */
int64_t ow_history_opioid_days(const struct ow_history *h, int64_t most, int64_t least);
/* Days with `med` or more. */
int64_t ow_history_days_of(const struct ow_history *h, int64_t most, int64_t least,
                           struct ow_ratio med);
/* Mean over all these days, those without an opioid too. False: none, or inexact. */
OW_MUST_USE bool ow_history_mean(const struct ow_history *h, int64_t most, int64_t least,
                                 struct ow_ratio *ret);
/* An opioid on 21 of the 30 days of each of the last `months` times 30 days. */
bool ow_history_steady(const struct ow_history *h, int months);
