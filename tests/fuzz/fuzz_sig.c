/*
 * Free-text directions from arbitrary bytes
 *
 * A reading prints, reads back and prints the same; it has a dose above zero in every
 * line, and the reader of structured directions takes every line or refuses it. A refusal
 * has a sentence.
 */
#include <stdlib.h>
#include <string.h>

#include "alerts/dosage.h"
#include "alerts/sig.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const struct ow_sig_line *l)
{
    const struct ow_dosage *d = &l->dosage;

    ow_assert(d->n_doses == 1 && (d->doses->has_dose || d->doses->has_dose_range));
    ow_assert(ow_ratio_positive(d->doses->has_dose ? d->doses->dose.value
                                                   : d->doses->dose_range.high.value));
    ow_assert(d->has_timing);
}

static void check_reading(const struct ow_sig *sig, struct ow_arena *arena)
{
    const char *words = ow_sig_print(sig, arena), *again;
    struct ow_sig back;
    struct ow_err err = { "" };

    for (size_t i = 0; i < sig->n; i++)
        check_line(&sig->lines[i]);
    if (strlen(words) > OW_SIG_MOST)
        return;
    ow_assert(ow_sig_read(words, arena, &back, &err) == OW_OK);
    again = ow_sig_print(&back, arena);
    ow_assert(ow_streq(words, again));
}

/* The same text as the only directions of an order. */
static void check_order(const char *text, struct ow_arena *arena)
{
    static const struct ow_product tablet = {
        .rxcui = "1",
        .name = "oxycodone hydrochloride 10 MG Oral Tablet",
        .ingredient = "Oxycodone",
        .strength = {10, 1},
        .strength_unit = OW_STRENGTH_MG,
        .dose_form = "Oral Tablet",
        .form = OW_FORM_ORAL_SOLID,
        .has_form = true,
    };
    struct ow_dosage d = { .text = text };
    struct ow_order o = { .dosages = &d, .n_dosages = 1 };
    struct ow_dose dose;
    struct ow_err err = { "" };

    if (ow_dosage_read(NULL, &o, &tablet, arena, &dose, &err) != OW_OK) {
        ow_assert(err.text[0] != '\0');
        return;
    }
    ow_assert((dose.flags & OW_FLAG_FROM_TEXT) != 0);
    for (size_t i = 0; i < dose.n_steps; i++)
        ow_assert(ow_ratio_positive(dose.steps[i].high) &&
                  ow_ratio_cmp(dose.steps[i].low, dose.steps[i].high) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_arena arena;
    struct ow_sig sig;
    struct ow_err err = { "" };
    char *text;

    if (size > 2 * OW_SIG_MOST)
        return 0;
    ow_arena_init(&arena, (size_t)4 << 20);
    text = ow_alloc(size + 1); /* of its exact size, for the sanitizer */
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (ow_sig_read(text, &arena, &sig, &err) == OW_OK)
        check_reading(&sig, &arena);
    else
        ow_assert(err.text[0] != '\0');
    (void)ow_sig_speaks(text, &arena);
    check_order(text, &arena);
    ow_arena_done(&arena);
    free(text);
    return 0;
}
