/*
 * Fuzz: whatever a file may hold, to charts
 *
 * The same bytes give the same charts; every order has a name; an order that was refused
 * says why; nothing crashes on the way to the records.
 */
#include <string.h>

#include "base/text.h"
#include "fhir/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void chart_check(const struct ow_chart *c)
{
    ow_assert(c->patient.reference && *c->patient.reference);
    for (size_t i = 0; i < c->n_orders; i++) {
        const struct ow_order *o = &c->orders[i];

        ow_assert(o->reference && *o->reference);
        ow_assert(!o->refused || *o->refused);
        for (size_t k = 0; k < o->n_dosages; k++)
            ow_assert(!o->dosages[k].refused || *o->dosages[k].refused);
    }
    for (size_t i = 0; i < c->n_records; i++)
        ow_assert(c->records[i].type && c->records[i].reference);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ow_input in, again;
    struct ow_arena arena;
    struct ow_err err = { "" };
    enum ow_code code;

    ow_arena_init(&arena, (size_t)64 << 20);
    code = ow_input_read(&arena, text, size, NULL, OW_HOOK_NONE, &in, &err);
    if (code == OW_OK) {
        for (size_t i = 0; i < in.n_charts; i++) {
            chart_check(&in.charts[i]);
            ow_assert(i == 0 || strcmp(in.charts[i - 1].patient.reference,
                                       in.charts[i].patient.reference) < 0);
        }
        ow_assert(ow_input_read(&arena, text, size, NULL, OW_HOOK_NONE, &again, &err) ==
                  OW_OK);
        ow_assert(in.n_charts == again.n_charts);
    } else {
        ow_assert(*err.text && ow_utf8_valid(err.text, strlen(err.text)));
    }
    ow_arena_done(&arena);
    return 0;
}
