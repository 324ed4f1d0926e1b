/*
 * Outcome: OperationOutcomes and the HTTP status each stands for
 *
 * The router derives a status from an outcome's id. The few cases it does not
 * know (422 on invalid content, for one) are raised with `refuse`, which ties
 * the status to the outcome object itself.
 */
import { getStatus, OperationOutcomeError } from '@medplum/core';

const statuses = new WeakMap();

export function outcome(severity, code, text) {
  return { resourceType: 'OperationOutcome', issue: [{ severity, code, diagnostics: text, details: { text } }] };
}

/* Tie `status` to `oo`; returns `oo`. */
export function withStatus(oo, status) {
  statuses.set(oo, status);
  return oo;
}

/* Build an error to throw: `status` with an issue of `code` saying `text`. */
export function refusal(status, code, text) {
  return new OperationOutcomeError(withStatus(outcome('error', code, text), status));
}

export function refusalWith(status, oo) {
  return new OperationOutcomeError(withStatus(oo, status));
}

export function statusOf(oo) {
  return statuses.get(oo) ?? getStatus(oo);
}

/* An outcome as sent: without the router's internal id. */
export function presentable(oo) {
  if (oo?.resourceType !== 'OperationOutcome') {
    return oo;
  }
  const { id, ...rest } = oo;
  return rest;
}
