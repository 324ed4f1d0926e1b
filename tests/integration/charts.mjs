/*
 * Charts: CDS Hooks requests that bring out each kind of suggestion
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { order } from '../sim/orders.mjs';

const opiward = process.env.OPIWARD ?? fileURLToPath(new URL('../../build/opiward', import.meta.url));
const NOW = '2026-03-02T08:00:00Z';

const bundle = (...resources) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const supply = (quantity, days) => ({
  dispenseRequest: {
    quantity: { value: quantity, unit: 'tablet', system: 'http://unitsofmeasure.org', code: '{tbl}' },
    expectedSupplyDuration: { value: days, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' },
  },
});

let drafts = 0;
function draft(fields) {
  return order({
    id: `draft-${++drafts}`, patient: 'h1', status: 'draft', authoredOn: NOW, sig: { frequency: 4 },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'community' }] }],
    ...fields,
  });
}

export const HOOKS = ['order-sign', 'order-select', 'patient-view'];

export const charts = {
  'a high dose': { drafts: [draft({ drug: 'oxycodone20' })] },
  'a short supply that could be shorter': { drafts: [draft({ drug: 'oxycodone5', sig: { frequency: 2, text: 'Take 1 tablet twice daily' }, days: 14, ...supply(28, 14) })] },
  'a sedative beside it': { drafts: [draft({ drug: 'oxycodone10' })], orders: [order({ id: 's', patient: 'h1', drug: 'lorazepam1', authoredOn: NOW })] },
  'nothing that can be read': { drafts: [draft({ drug: 'oxycodone5', sig: undefined, dosageInstruction: [{ text: 'as the doctor said' }] })] },
  'a drug that nobody knows': { drafts: [draft({ drug: ['999999999', 'Oxycodonix 20 mg'] })] },
  'several drafts': { drafts: [draft({ drug: 'methadone10' }), draft({ drug: 'fentanyl25', sig: { frequency: 1, period: 3 } }), draft({ drug: 'alprazolam05' })] },
  'buprenorphine and a full agonist': { drafts: [draft({ drug: 'oxycodone10' })], orders: [order({ id: 'b', patient: 'h1', drug: 'buprenorphine8', authoredOn: NOW })] },
  'a name of markup': { drafts: [draft({ drug: ['999999998', '<b>**Oxycodone**</b> | [x](http://y) \u{1F48A}\u{1F48A}'.repeat(9)] })] },
};

/* The verdict of the judgement offline, and the request that it answers. */
export function answer({ drafts: list, orders = [] }, hook) {
  const body = {
    hook,
    hookInstance: randomUUID(),
    context: { userId: 'Practitioner/prac1', patientId: 'h1', encounterId: 'e1' },
    prefetch: { patient: { resourceType: 'Patient', id: 'h1', birthDate: '1950-01-01' }, orders: bundle(...orders) },
  };
  if (hook === 'patient-view') {
    body.prefetch.orders = bundle(...orders, ...list.map((d) => ({ ...d, status: 'active' })));
  } else {
    body.context.draftOrders = bundle(...list);
    if (hook === 'order-select') {
      body.context.selections = list.map((d) => `MedicationRequest/${d.id}`);
    }
  }
  const run = spawnSync(opiward, ['evaluate', '--at', NOW, '-'], { input: JSON.stringify(body), encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return { verdict: JSON.parse(run.stdout), body };
}

/* Every resource that the cards would create or change. */
export function proposed(verdict) {
  return verdict.cards.flatMap((c) => c.suggestions ?? []).flatMap((s) => s.actions ?? []).map((a) => a.resource).filter(Boolean);
}
