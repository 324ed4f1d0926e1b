/*
 * Past: what the patient had in local days before the question
 *
 * From dispenses: quantity over days' supply, from the day it was handed over. From
 * orders, and then it is an estimate: every order that is active, completed or stopped
 * counts from its start to the end of its supply or bounds, the same order of two servers
 * once, a renewal from its own start on. When an order was stopped nobody says, so a
 * stopped one counts to the end it was to have. Drafts do not count.
 *
 * A day that an opioid is taken on in part counts as one. Only averages and history
 * include this.
 */
#pragma once

#include "alerts/judge.h"

enum {                             /* how to read it, a set */
       OW_PAST_DISPENSES = 1 << 0, /* from dispenses, else from orders */
       OW_PAST_PLACED = 1 << 1, /* leave out what began nobody knows when; end a stopped
                                   order where the next of its ingredient begins */
};

struct past_event;

struct ow_past {
    struct ow_judge h; /* the judge of the past: its items are copies */
    bool dispenses;    /* the basis; else orders */
    bool placed;
    bool incomplete; /* something could not be computed or placed in time */
    int64_t first, last;
    int64_t supply_days; /* days of every supply, added up */
    struct past_event *events;
    size_t n;
    const struct ow_item *methadone;
};

/* Does the dispense of an opioid reach into the local days `first` to `last`? */
bool ow_past_any_dispense(const struct ow_judge *j, int64_t first, int64_t last);

/* Read the local days `first` to `last`, both in it, as `how` says.
 * Changes no item of `j`. */
void ow_past_read(struct ow_judge *j, int64_t first, int64_t last, unsigned how,
                  struct ow_past *ret);

/* Told once for every stretch of days with one sum above zero. False ends the sweep. */
typedef bool ow_past_fn(void *arg, int64_t first, int64_t until, struct ow_ratio med);
/* False when `fn` said so, or when the sums are too fine to be added exactly. */
OW_MUST_USE bool ow_past_sweep(struct ow_past *p, ow_past_fn *fn, void *arg);

/* The local days of `p` that `s` takes; *first >= *until when none is. */
void ow_past_days(const struct ow_past *p, struct ow_span s, int64_t *first,
                  int64_t *until);
