/*
 * Named: the strength of acetaminophen that a product's name states
 *
 * Reads names as RxNorm writes them ("acetaminophen 325 MG / codeine phosphate 30 MG Oral
 * Tablet", "acetaminophen 32 MG/ML Oral Suspension") and the common ones of people
 * ("Tylenol Extra Strength 500 mg caplet", "acetaminophen 160 mg/5 mL"). Never a guess:
 * between the name and its mass only words of a closed list may stand, a part of a
 * combination must state its own mass ("5-325 mg" is refused), and a second mass beside
 * the first refuses the name.
 */
#pragma once

#include "alerts/knowledge.h"

enum ow_named {
    OW_NAMED_NOT,        /* the name does not speak of it */
    OW_NAMED_UNREADABLE, /* it does, and its strength cannot be told */
    OW_NAMED_READ,
};

/*
 * Does `name` speak of acetaminophen (paracetamol, APAP, Tylenol), and how much is in one
 * unit or one mL? When READ, `ret` has strength (mg), strength_unit, form and has_form;
 * `combined` says whether the name has other parts.
 */
enum ow_named ow_named_acetaminophen(const char *name, struct ow_product *ret,
                                     bool *combined);
