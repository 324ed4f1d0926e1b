/*
 * Dosetext: free text to dose lines, beside what the structure says
 *
 * The structure decides where it says dose and frequency. Where one of them is missing,
 * the text fills it in; what both say must agree, else the higher counts as high and the
 * lower as low. A text that cannot be read changes nothing where the structure is whole,
 * and is the reason of the refusal where it is not. The same grammar reads the words of
 * a timing code that nobody knows.
 */
#pragma once

#include "alerts/doseline.h"

/* Has the dosage a text or a patientInstruction? */
bool ow_dose_text_says(const struct ow_dosage *d);

/* Is the dose, or how often, missing from the structure, so that a text may say it? */
bool ow_dose_text_wanted(const struct ow_dose_context *ctx, const struct ow_dosage *d);

/*
 * The lines that the texts of `d` give, with what its structure says of limits, bounds
 * and place in the sequence, and with its dose or frequency if it has one of them. All
 * have OW_FLAG_FROM_TEXT; OW_FLAG_TEXT_DIFFERS where dose or frequency of the structure
 * and of the text lead to different amounts. With `alone` the text only, for comparison.
 * OW_MISSING with the words that stopped it.
 */
OW_MUST_USE enum ow_code ow_dose_text_read(const struct ow_dose_context *ctx,
                                           const struct ow_dosage *d, bool alone,
                                           struct ow_dose_line **ret, size_t *n,
                                           struct ow_err *err);

/*
 * A timing whose only word on how often is the text of an unknown code ("every 6 hours"):
 * `d` with the structure that the text stands for. A text that has a dose, a limit or
 * steps of its own, or that cannot be read, is NULL with its words in `err`. Where the
 * timing says how often, or its code has no text, `d` itself.
 */
const struct ow_dosage *ow_dose_code_read(const struct ow_dose_context *ctx,
                                          const struct ow_dosage *d, struct ow_err *err);
