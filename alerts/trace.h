/*
 * Trace: how each order came to its figure, step by step, for machines
 *
 * The same figures as the derivation, one step a row: what went in, what came out, and
 * the rule or the table and row that took the one to the other. Steps, in this order and
 * each at most once but for "dose" and "factor":
 *
 *   drug      codes or words -> product                 table of products, its row
 *   standing  status and intent -> in force, or why not
 *   dose      the order's own directions -> amount a day
 *   supply    quantity and days -> amount a day
 *   factor    ingredient and form -> factor             table of factors, its row
 *   med       amount x factor -> MME/d
 *   span      what told the time -> from and until
 *   role      -> role and reason
 *
 * Also the sums of the totals: "120 + 45 = 165 MME/d".
 */
#pragma once

#include "alerts/judge.h"

/* Sets the trace of every line, when the question asks for it. */
void ow_trace_build(struct ow_judge *j);

/* Sets the sums of the total now and at its peak. */
void ow_trace_sums(struct ow_judge *j);
