/*
 * Memory: what people were told before, and what follows from it
 *
 * A finding that a prescriber answered with a snooze is silent until the snooze ends: it
 * leaves the findings and stands in `suppressed` as "snooze:2027-02-22" with the card
 * that was answered. One that the same prescriber was told before, in the same encounter
 * or not long ago, or overrode with a coded reason, stays a finding and does not
 * interrupt again: "repeat" or "override:short-course" in `held` and in `suppressed`.
 *
 * Both end early when something is new: a higher tier, a dose that rose by more than the
 * policy's share, a sedative class or a prescriber of opioids that was not there. The
 * dose is compared with the last time that it was told in earnest, so a creeping dose is
 * told in the end.
 *
 * Nobody asks (an event): nothing is held. Told by the very call that is asked again:
 * nothing is held, so a repeated call has the same answer. What order-select said never
 * softens order-sign: the answer at signing is complete in itself.
 */
#pragma once

#include "alerts/evaluate.h"

struct ow_judge;

/* Sedative classes and prescribers of the patient's opioids into the verdict; held
 * findings marked or moved. After the rules, before the cards. */
void ow_memory_apply(struct ow_judge *j);

/* Why this finding does not interrupt: NULL, "snooze:2027-02-22", "repeat" or
 * "override:short-course". `by` is what was told last, or NULL. */
const char *ow_memory_holds(struct ow_judge *j, const struct ow_finding *f,
                            const struct ow_told **by);

/* The end of a snooze given at `from` with the code "snooze-3-months" (days, weeks,
 * months, years; at most two years); false: no such code. Months are those of the
 * calendar in `zone`; it ends when the local day begins. */
bool ow_memory_snooze(const char *code, const struct ow_zone *zone, ow_time from,
                      ow_time *until);
