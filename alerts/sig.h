/*
 * Sig: free-text directions to structured dosages, or why not
 *
 * Reads what people write in Dosage.text and patientInstruction ("1-2 tabs po q4-6h prn
 * pain, max 6/day") in English, the Latin of prescriptions and common Spanish, and gives
 * it in the shape of the structured directions, so that one reader judges both.
 *
 * Nothing is guessed. Every word must be accounted for: it says dose, frequency, length,
 * limit or need, or it stands on a closed list of words that change none of them. Any
 * other word, two statements that do not agree, or a dose without a frequency refuse the
 * whole text with the words that stopped it. A refusal is an answer; a wrong reading is a
 * fault.
 *
 * What a text means where custom and not the words say it:
 *   - "3 tabs x3d, then 2 tabs x3d": in a taper a dose without a frequency is a day's
 *     dose, unless another step has a frequency other than once a day.
 *   - "in the morning" and its like are one dose each; "with meals" alone is three.
 *   - "up to 4 times a day" beside "every 4 hours" is a limit of four doses a day.
 *   - "every 6 hours ... as directed" is read; "as directed" in place of a dose or a
 *     frequency is not.
 */
#pragma once

#include "alerts/chart.h"
#include "base/arena.h"
#include "base/err.h"

struct ow_sig_also { /* the dose said once more: "1 tablet (5 mg)" */
    struct ow_quantity low, high;
};

struct ow_sig_line {
    struct ow_dosage dosage; /* doses, timing, max_per_period, as_needed, sequence */
    struct ow_sig_also also[2];
    size_t n_also;
};

struct ow_sig {
    const struct ow_sig_line *lines; /* steps have a sequence; else all at once */
    size_t n;
};

enum { OW_SIG_MOST = 2000 }; /* bytes of a text */

/* OW_MISSING with the words that stopped it, which come from the text: the sentence is
 * for the verdict, never for a log. */
OW_MUST_USE enum ow_code ow_sig_read(const char *text, struct ow_arena *arena,
                                     struct ow_sig *ret, struct ow_err *err);

/* Does the text speak of an amount, a time or a change of dose at all? A text that does
 * not ("as directed", "take with food") can stand aside. */
bool ow_sig_speaks(const char *text, struct ow_arena *arena);

/*
 * The reading in a fixed form, which ow_sig_read reads back to the same:
 * "1-2 tablet; every 4-6 hour; prn; max 6 tablet per 1 day; for 5 day".
 */
const char *ow_sig_print(const struct ow_sig *sig, struct ow_arena *arena);
