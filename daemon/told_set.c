#include "daemon/told_set.h"

#include <stdlib.h>

#include "base/base.h"

enum { CAP_FIRST = 256 };

/* The slot that holds `hash`, or the free one where it belongs. */
static uint64_t *slot_of(const struct ow_told_set *s, uint64_t hash)
{
    size_t at = hash & (s->cap - 1);

    while (s->slots[at] != 0 && s->slots[at] != hash)
        at = (at + 1) & (s->cap - 1);
    return &s->slots[at];
}

static void grow(struct ow_told_set *s)
{
    struct ow_told_set bigger = { .cap = s->cap ? s->cap * 2 : CAP_FIRST };

    bigger.slots = ow_alloc_zero(bigger.cap * sizeof *bigger.slots);
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i] != 0)
            *slot_of(&bigger, s->slots[i]) = s->slots[i];
    bigger.n = s->n;
    free(s->slots);
    *s = bigger;
}

void ow_told_set_add(struct ow_told_set *s, uint64_t hash)
{
    uint64_t *slot;

    hash += hash == 0;
    if (s->gave_up)
        return;
    if (s->n >= s->cap / 2)
        grow(s);
    slot = slot_of(s, hash);
    if (*slot == hash)
        return;
    if (s->n == OW_TOLD_SET_MOST) {
        ow_told_set_done(s);
        s->gave_up = true;
        return;
    }
    *slot = hash;
    s->n++;
}

bool ow_told_set_may_have(const struct ow_told_set *s, uint64_t hash)
{
    hash += hash == 0;
    return s->gave_up || (s->cap > 0 && *slot_of(s, hash) == hash);
}

void ow_told_set_done(struct ow_told_set *s)
{
    free(s->slots);
    *s = (struct ow_told_set){ 0 };
}
