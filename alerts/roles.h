/*
 * Roles: which orders are in force, and which stand for another one
 *
 * An order stands by its status and intent: active ones with the intent of an order,
 * every draft that is being signed; where there are none of these, plain drafts when the
 * question says so. A status that cannot be told (absent, or no word of FHIR) makes an
 * opioid unreadable, not absent.
 *
 * An order is replaced when another standing one names it (priorPrescription, basedOn),
 * shares an identifier or the id with it, or goes on with the same drug, form and
 * strength after half of its supply has run. What starts later cuts it short only then.
 * Nothing is replaced by something that is no opioid (or sedative) itself, nor in a
 * circle. [CLINICAL decisions: current, renewals, drafts]
 */
#pragma once

#include "alerts/judge.h"

/* Does it stand? Sets `stands`, or role and reason. Reads the order and the drug. */
void ow_role_stand(const struct ow_judge *j, struct ow_item *it);

/* First role of a standing order by its drug: excluded, unreadable, unknown ... */
void ow_role_assign(const struct ow_judge *j, struct ow_item *it);

/* Is the reason for giving it opioid use disorder? */
bool ow_reason_is_oud(const struct ow_judge *j, const struct ow_order *o);

/* Do two orders of one kind share an identifier, or the id of one server? */
bool ow_roles_same(const struct ow_item *a, const struct ow_item *b);

/* Does `b` stand for `a`, by a link or as its refill? Behind ow_roles_replace. */
bool ow_roles_follows(const struct ow_item *a, const struct ow_item *b);

/* Find what replaces what, over all items. Reads the spans; sets role, reason, taken. */
void ow_roles_replace(struct ow_judge *j);
