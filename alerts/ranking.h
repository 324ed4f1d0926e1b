/*
 * Ranking: which findings people are told, and which one leads
 *
 * Opioid alerts are overridden nearly always, and each further reminder in one encounter
 * costs the next one acceptance; so findings are ranked, not shouted: the strongest
 * leads one card, the others are lines in it. A finding is held back from that when its
 * rule is in shadow, or when a critical one of the same cause says the same and more.
 * What is held back stays in the findings and stands in `suppressed` with the reason.
 * [CLINICAL decision: one card; fatigue figures A1, A11, A12]
 */
#pragma once

#include "alerts/judge.h"

/* Sets `silent` of the findings that nobody is told, and their suppressions. */
void ow_ranking_hold(struct ow_judge *j);

/* The finding that leads: the highest tier, then the order of the rules; in a hook, where
 * nothing else does, one that was told before and is told again as an info. NULL: none.
 */
const struct ow_finding *ow_ranking_lead(const struct ow_judge *j);
