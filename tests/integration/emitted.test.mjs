/*
 * Emitted: every card against a schema, every resource in one against FHIR R4
 *
 * The schema of CDS Hooks is of our own writing; the validator of FHIR is not.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv2020 from '../sim/node_modules/ajv/dist/2020.js';
import { faultsOf, loadDefinitions } from '../sim/definitions.mjs';
import { order } from '../sim/orders.mjs';

const opiward = process.env.OPIWARD ?? fileURLToPath(new URL('../../build/opiward', import.meta.url));
const schema = JSON.parse(readFileSync(new URL('cds-hooks.schema.json', import.meta.url)));
const ajv = new Ajv2020({ allErrors: true, strictRequired: false });
ajv.addSchema(schema);
const NOW = '2026-03-02T08:00:00Z';

loadDefinitions();

export function schemaFaults(kind, value) {
  const check = ajv.getSchema(`${schema.$id}#/$defs/${kind}`);
  return check(value) ? [] : check.errors.map((e) => `${e.instancePath} ${e.message}`);
}

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

/* Charts that bring out each kind of suggestion. */
const charts = {
  'a high dose': { drafts: [draft({ drug: 'oxycodone20' })] },
  'a short supply that could be shorter': { drafts: [draft({ drug: 'oxycodone5', sig: { frequency: 2 }, days: 14, ...supply(28, 14) })] },
  'a sedative beside it': { drafts: [draft({ drug: 'oxycodone10' })], orders: [order({ id: 's', patient: 'h1', drug: 'lorazepam1', authoredOn: NOW })] },
  'nothing that can be read': { drafts: [draft({ drug: 'oxycodone5', sig: undefined, dosageInstruction: [{ text: 'as the doctor said' }] })] },
  'a drug that nobody knows': { drafts: [draft({ drug: ['999999999', 'Oxycodonix 20 mg'] })] },
  'several drafts': { drafts: [draft({ drug: 'methadone10' }), draft({ drug: 'fentanyl25', sig: { frequency: 1, period: 3 } }), draft({ drug: 'alprazolam05' })] },
  'buprenorphine and a full agonist': { drafts: [draft({ drug: 'oxycodone10' })], orders: [order({ id: 'b', patient: 'h1', drug: 'buprenorphine8', authoredOn: NOW })] },
  'a name of markup': { drafts: [draft({ drug: ['999999998', '<b>**Oxycodone**</b> | [x](http://y) \u{1F48A}\u{1F48A}'.repeat(9)] })] },
};

function answer({ drafts: list, orders = [] }, hook) {
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

const seen = new Set();

for (const [name, chart] of Object.entries(charts)) {
  for (const hook of ['order-sign', 'order-select', 'patient-view']) {
    test(`${hook} with ${name}: cards and resources are valid`, () => {
      const { verdict, body } = answer(chart, hook);
      assert.deepEqual(schemaFaults('response', { cards: verdict.cards }), []);
      for (const card of verdict.cards) {
        for (const { actions = [] } of card.suggestions ?? []) {
          for (const action of actions) {
            seen.add(`${action.type} ${action.resource?.resourceType ?? action.resourceId.split('/')[0]}`);
            if (action.type === 'delete') {
              assert.ok(body.context.draftOrders.entry.some((e) => action.resourceId === `MedicationRequest/${e.resource.id}`));
              continue;
            }
            assert.equal(faultsOf(action.resource), null);
            const about = action.resource.subject ?? action.resource.for;
            assert.equal(about.reference, 'Patient/h1');
            if (action.type === 'update') {
              const original = chart.drafts.find((d) => d.id === action.resource.id);
              assert.deepEqual({ ...action.resource, dispenseRequest: 0 }, { ...original, dispenseRequest: 0 });
              assert.equal(action.resource.dispenseRequest.expectedSupplyDuration.value, 7);
              assert.ok(action.resource.dispenseRequest.quantity.value < original.dispenseRequest.quantity.value);
            }
          }
        }
      }
    });
  }
}

test('the charts above brought out every kind of action', () => {
  for (const kind of ['delete MedicationRequest', 'create MedicationRequest', 'create ServiceRequest', 'create Task', 'update MedicationRequest']) {
    assert.ok(seen.has(kind), `${kind} missing among ${[...seen].join(', ')}`);
  }
});

test('the schema refuses what CDS Hooks forbids', () => {
  const card = { summary: 'x', indicator: 'info', source: { label: 'y' } };
  const bad = [
    { ...card, summary: 'x'.repeat(140) }, { ...card, indicator: 'hard-stop' }, { ...card, source: {} }, { ...card, links: [] },
    { ...card, suggestions: [{ label: 'a' }] },
    { ...card, selectionBehavior: 'any', suggestions: [{ label: 'a', actions: [{ type: 'delete', description: 'b' }] }] },
    { ...card, selectionBehavior: 'any', suggestions: [{ label: 'a', actions: [{ type: 'create', description: 'b' }] }] },
    { ...card, selectionBehavior: 'at-most-one', suggestions: [{ label: 'a', isRecommended: true }, { label: 'b', isRecommended: true }] },
    { ...card, overrideReasons: [{ code: 'a', system: 'urn:x' }] },
    { ...card, links: [{ label: 'a', url: 'https://x', type: 'absolute', appContext: 'b' }] },
    { ...card, detail: null },
  ];
  assert.deepEqual(schemaFaults('card', card), []);
  for (const b of bad) {
    assert.notDeepEqual(schemaFaults('card', b), [], JSON.stringify(b));
  }
});
