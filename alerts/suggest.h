/*
 * Suggest: what a prescriber can do about a card with one click
 *
 * From the findings that are told: take back or shorten a draft, order naloxone, order a
 * drug screen or an assessment, refer, or ask the pharmacy. What is to be created is told
 * as a proposal with its code; fhir/ writes the whole resource. No suggestion lowers or
 * stops a treatment that is under way.
 *
 * Codes: naloxone RxNorm 1725059 (4 mg nasal spray) [naloxone-medications]; drug screen
 * SNOMED CT 310627008 and risk assessment 454281000124100 [the published services];
 * physical therapy 91251008 and mental health counselling 306227000 [SNOMED CT].
 */
#pragma once

#include "alerts/judge.h"

enum { OW_SUGGESTIONS = 6 }; /* at most so many on a card */

/* Suggestions of a card; none without a hook. Reads findings and items. */
void ow_suggest(struct ow_judge *j, struct ow_card *c);
