#include "tests/support/simwork.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { ORDERS_EACH = 5 };

static const struct {
    const char *rxcui, *name;
} drugs[] = {
    {"1049621",  "oxycodone hydrochloride 5 MG Oral Tablet"                      },
    { "1049683", "oxycodone hydrochloride 10 MG Oral Tablet"                     },
    { "1049686", "oxycodone hydrochloride 20 MG Oral Tablet"                     },
    { "857002",  "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet"},
    { "891888",  "morphine sulfate 30 MG Extended Release Oral Tablet"           },
    { "197901",  "lorazepam 1 MG Oral Tablet"                                    },
    { "197591",  "diazepam 5 MG Oral Tablet"                                     },
    { "308048",  "alprazolam 0.5 MG Oral Tablet"                                 },
};

struct slot { /* one order as the plan has it */
    char id[40];
    size_t patient, drug;
    unsigned tablets;
    bool there, active, unreadable;
    ow_time authored;
};

struct change { /* an order as it will be, or its deletion */
    struct slot slot;
    bool deleted;
};

struct simwork {
    struct simcore *core;
    struct simwork_options opt;
    uint64_t rng;
    struct slot *slots;
    struct change *changes;
    size_t n_slots, n, cap;
};

static uint64_t draw(struct simwork *wk, uint64_t n)
{
    wk->rng ^= wk->rng << 13;
    wk->rng ^= wk->rng >> 7;
    wk->rng ^= wk->rng << 17;
    return (wk->rng >> 11) % n;
}

static void patient_id(size_t i, char ret[40])
{
    snprintf(ret, 40, "p%zu", i);
}

static void on_change(void *arg, int64_t number)
{
    struct simwork *wk = arg;
    const struct change *c = &wk->changes[number];
    char patient[40];
    struct sim_order o = { .id = c->slot.id,
                           .patient = patient,
                           .rxcui = drugs[c->slot.drug].rxcui,
                           .drug = drugs[c->slot.drug].name,
                           .tablets = c->slot.tablets,
                           .per_day = 1 + (unsigned)c->slot.drug % 3,
                           .active = c->slot.active,
                           .unreadable = c->slot.unreadable,
                           .by_reference = c->slot.drug % 2 == 0,
                           .authored = c->slot.authored };

    patient_id(c->slot.patient, patient);
    if (c->deleted)
        simehr_delete(wk->core->ehr, c->slot.id);
    else
        simehr_order(wk->core->ehr, &o);
}

static void plan_add(struct simwork *wk, const struct slot *s, bool deleted, int64_t at)
{
    if (wk->n == wk->cap) {
        wk->cap = wk->cap ? wk->cap * 2 : 256;
        wk->changes = ow_realloc(wk->changes, wk->cap * sizeof *wk->changes);
    }
    wk->changes[wk->n] = (struct change){ .slot = *s, .deleted = deleted };
    simworld_after(wk->core->w, at, on_change, wk, (int64_t)wk->n);
    wk->n++;
}

static void slot_write(struct simwork *wk, struct slot *s, int64_t at)
{
    s->drug = draw(wk, OW_LEN(drugs));
    s->tablets = 1 + (unsigned)draw(wk, 3);
    s->active = true;
    s->unreadable = draw(wk, 12) == 0;
    s->authored = SIM_MORNING + at;
    s->there = true;
}

/* One change at `at`; true when it deleted the order. */
static bool slot_change(struct simwork *wk, struct slot *s, int64_t at)
{
    uint64_t dice = draw(wk, 100);

    if (!s->there || !s->active) {
        slot_write(wk, s, at);
    } else if (s->unreadable || dice < 40) {
        s->tablets = 1 + (unsigned)draw(wk, 4);
        s->unreadable = false;
    } else if (dice < 50 && wk->opt.deletes) {
        s->there = false;
        return true;
    } else if (dice < 55 && wk->opt.moves) {
        s->patient = draw(wk, wk->opt.patients);
    } else {
        s->active = false;
    }
    return false;
}

static void plan(struct simwork *wk)
{
    int64_t step = wk->opt.length_ms / (int64_t)wk->opt.changes, at = 1;

    for (size_t i = 0; i < wk->opt.changes; i++) {
        struct slot *s = &wk->slots[draw(wk, wk->n_slots)];
        bool deleted = slot_change(wk, s, at);

        plan_add(wk, s, deleted, at);
        if (draw(wk, 8)) /* else a burst: at the same instant */
            at += (int64_t)draw(wk, (uint64_t)(2 * step));
        if (at >= wk->opt.length_ms)
            at = wk->opt.length_ms - 1;
    }
    for (size_t i = 0; i < wk->n_slots; i++) {
        if (!wk->slots[i].there || !wk->slots[i].unreadable)
            continue;
        wk->slots[i].unreadable = false;
        plan_add(wk, &wk->slots[i], false, wk->opt.length_ms + (int64_t)i);
    }
}

struct simwork *simwork_new(struct simcore *s, const struct simwork_options *opt)
{
    struct simwork *wk = ow_alloc_zero(sizeof *wk);

    wk->core = s;
    wk->opt = *opt;
    wk->rng = opt->seed * 0x9e3779b97f4a7c15u + 88172645463325252u;
    wk->n_slots = opt->patients * ORDERS_EACH;
    wk->slots = ow_alloc_zero(wk->n_slots * sizeof *wk->slots);
    for (size_t i = 0; i < opt->patients; i++) {
        char id[40];

        patient_id(i, id);
        simehr_patient(s->ehr, id, i % 3 ? "1971-05-09" : "1944-11-30");
    }
    for (size_t i = 0; i < wk->n_slots; i++) {
        wk->slots[i].patient = i / ORDERS_EACH;
        snprintf(wk->slots[i].id, sizeof wk->slots[i].id, "rx%zu", i);
    }
    plan(wk);
    return wk;
}

void simwork_free(struct simwork *wk)
{
    if (!wk)
        return;
    free(wk->slots);
    free(wk->changes);
    free(wk);
}
