/*
 * Rules: timeline and lines to findings
 *
 * A table (rules.def): each rule has a name, a mode of the policy, the exclusions that
 * silence it, its numbers, and one small function that cites its source. Rules run in the
 * order of the table, whatever the patient; a finding that an exclusion holds back
 * becomes a note in `suppressed` with the resource that did it.
 *
 * In a hook with drafts a finding needs a selected draft that has part in it: a card
 * about what the user is not doing right now is noise. [CDS Hooks order-select]
 */
#pragma once

#include "alerts/judge.h"

/* Facts, findings, suppressed. Reads lines, sedatives and totals. */
void ow_rules_run(struct ow_judge *j);

/* Name of a rule for people. */
const char *ow_rule_topic(const struct ow_arena *arena, enum ow_rule rule);

/* skeletal_muscle_relaxant as people write it */
const char *ow_rule_class_words(struct ow_arena *arena, const char *cls);
