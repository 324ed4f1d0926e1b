/*
 * Card: findings to what people read
 *
 * One card for a patient: the strongest finding leads (by tier, then by the order of the
 * rules), the others are lines in its detail and stand in `suppressed` as held back by
 * rank. No finding, no card. Findings of tier info alone make no card for an event, and
 * one in a hook, where somebody is looking anyway; drugs that are merely unrecognised
 * never lead.
 *
 * The detail is GitHub-flavoured Markdown with every name escaped. It shows each order
 * with its arithmetic, the sum, the sedatives, and what was not counted and why, with the
 * tables and the policy that decided. No text orders a change of dose.
 */
#pragma once

#include "alerts/judge.h"

enum { OW_CARD_SUMMARY = 139 }; /* UTF-16 units; CDS Hooks allows fewer than 140 */

/* Cards of the verdict. Reads findings, lines and sedatives. */
void ow_cards_build(struct ow_judge *j);

/* `s` as one line of text: control characters become blanks. */
const char *ow_card_plain(struct ow_arena *arena, const char *s);

/* `s` as one line of plain Markdown text: what could be markup is escaped, control
 * characters become blanks. */
const char *ow_card_escape(struct ow_arena *arena, const char *s);

/* `s` cut to at most `units` UTF-16 units, on a grapheme boundary, with an ellipsis. */
const char *ow_card_cut(struct ow_arena *arena, const char *s, size_t units);
