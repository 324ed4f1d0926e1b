/*
 * Emitted: every card against a schema, every resource in one against FHIR R4
 *
 * The schema of CDS Hooks is of our own writing; the validator of FHIR is not.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv2020 from '../sim/node_modules/ajv/dist/2020.js';
import { faultsOf, loadDefinitions } from '../sim/definitions.mjs';
import { HOOKS, answer, charts } from './charts.mjs';

const schema = JSON.parse(readFileSync(new URL('cds-hooks.schema.json', import.meta.url)));
const ajv = new Ajv2020({ allErrors: true, strictRequired: false });
ajv.addSchema(schema);

loadDefinitions();

function schemaFaults(kind, value) {
  const check = ajv.getSchema(`${schema.$id}#/$defs/${kind}`);
  return check(value) ? [] : check.errors.map((e) => `${e.instancePath} ${e.message}`);
}

const seen = new Set();

for (const [name, chart] of Object.entries(charts)) {
  for (const hook of HOOKS) {
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
