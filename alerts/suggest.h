/*
 * Suggest: what a prescriber can do about a card with one click
 *
 * From the findings that are told: take back or shorten a draft, order naloxone, order a
 * drug screen or an assessment, refer, or ask the pharmacy. What is to be created is told
 * as a proposal with its code; fhir/ writes the whole resource. No suggestion lowers or
 * stops a treatment that is under way.
 *
 * Codes: naloxone RxNorm 1725059, 40 mg/mL nasal spray: devices of 0.1 mL, so 4 mg, which
 * spray once and are sold in pairs, so two sprays are one carton [naloxone-medications;
 * label of Narcan]; drug screen SNOMED CT 310627008 and risk assessment 454281000124100
 * [the published services]; physical therapy 91251008 [SNOMED CT Global Patient Set];
 * mental health counselling 306227000 [VSAC 2.16.840.1.113883.3.526.3.1571].
 */
#pragma once

#include "alerts/judge.h"

enum { OW_SUGGESTIONS = 5 }; /* at most so many on a card */

/* Suggestions of a card; none without a hook. Reads findings and items. */
void ow_suggest(struct ow_judge *j, struct ow_card *c);
