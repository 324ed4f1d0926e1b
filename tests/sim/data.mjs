/*
 * Data: the Bundle a simulator begins with
 *
 * Orders written for a fixed day grow stale. A data file names its day in
 * Bundle.timestamp; on request every date inside its MedicationRequests moves by
 * whole days, so that this day becomes today and the times of day stay.
 */
import { readFileSync } from 'node:fs';

const DAY_MS = 86_400_000;

function shifted(text, days) {
  const moved = new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`) + days * DAY_MS);
  return moved.toISOString().slice(0, 10) + text.slice(10);
}

function shiftDates(resource, days) {
  return JSON.parse(JSON.stringify(resource, (_key, value) =>
    (typeof value === 'string' && /^\d{4}-\d\d-\d\d(T|$)/.test(value) ? shifted(value, days) : value)));
}

/* The resources of a Bundle file, in its order. */
export function readData(path, shift) {
  const bundle = JSON.parse(readFileSync(path, 'utf8'));
  const resources = (bundle.entry ?? []).map((e) => e.resource);
  if (!shift) {
    return resources;
  }
  if (!bundle.timestamp) {
    throw new Error(`${path}: dates can only be moved when Bundle.timestamp names their day`);
  }
  const days = Math.floor(Date.now() / DAY_MS) - Math.floor(Date.parse(bundle.timestamp) / DAY_MS);
  return resources.map((r) => (r.resourceType === 'MedicationRequest' ? shiftDates(r, days) : r));
}
