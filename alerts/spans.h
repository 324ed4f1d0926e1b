/*
 * Spans: when an order is taken
 *
 * Starts at the start of its bounds, of its validity, or when it was authored; a draft
 * being signed starts at the asked instant or later. Ends with its bounds, else start +
 * days' supply x (1 + refills) (quantity over daily units where no days are given) or
 * with the last dispense that names it, whichever is later, else it is open; so it is,
 * too, when its directions name a later time than that. Half-open, UTC.
 *
 * A date that names no day is an interval: the order starts at its earliest instant, and
 * a length counts from its last day, so that no dose is lost to a guess.
 *
 * Bounds that ended put an order out of force. A supply that ended does not while the
 * order is active: it counts on, flagged, and after policy.stale_days as stale.
 */
#pragma once

#include "alerts/judge.h"

/* Set span, taken, has_length, flags; or role and reason where it is over. Reads dose. */
void ow_span_read(const struct ow_judge *j, struct ow_item *it);
