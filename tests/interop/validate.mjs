/*
 * Every resource that opiward emits, against HAPI's validator with the definitions of FHIR R4
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HOOKS, answer, charts, proposed } from '../integration/charts.mjs';
import { Daemon } from '../integration/daemon.mjs';
import { Sim } from '../sim/client.mjs';

const run = fileURLToPath(new URL('run', import.meta.url));

function validated(resources) {
  const child = spawnSync(run, ['validate'], {
    input: resources.map((r) => JSON.stringify(r)).join('\n') + '\n', encoding: 'utf8', maxBuffer: 64 << 20, timeout: 300_000,
  });
  assert.equal(child.status, 0, child.stderr);
  return child.stdout.trim().split('\n').map((line, i) => ({
    resource: resources[i],
    faults: JSON.parse(line).issues.filter((x) => x.severity === 'error' || x.severity === 'fatal').map((x) => `${x.where}: ${x.text}`),
  }));
}

/* What is written to a FHIR server: of a dose, a sedative, an unreadable order, and one that ends. */
async function written() {
  const sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  const daemon = await Daemon.start({ sim, settings: { fhir: { catch_up_interval: '1h' } } });
  const settle = async () => {
    await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
    await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
  };
  try {
    await daemon.until((m) => m.subscription_active === 1);
    await sim.order({ id: 'v1', patient: 'p6', drug: 'oxycodone20', sig: { frequency: 4 }, days: 30 });
    await sim.order({ id: 'v2', patient: 'p6', drug: 'lorazepam1', days: 30 });
    await sim.order({ id: 'v3', patient: 'p7', drug: 'oxycodone20', sig: undefined, dosageInstruction: [{ text: 'as told' }] });
    await settle();
    const before = [...await sim.stored('DetectedIssue'), ...await sim.stored('Task'), ...await sim.stored('Subscription')];
    await sim.editOrder('v1', (r) => { r.status = 'stopped'; });
    await settle();
    return [...before, ...await sim.stored('DetectedIssue'), ...await sim.stored('Task')];
  } finally {
    await daemon.stop();
    await sim.close();
  }
}

test('the validator refuses what is wrong', () => {
  const [bad] = validated([{ resourceType: 'Task', status: 'open', intent: 'order', nothing: 1 }]);
  assert.ok(bad.faults.length >= 2, bad.faults.join('\n'));
});

test('every resource of every suggestion, and every resource written, is valid', async () => {
  const resources = [
    ...Object.values(charts).flatMap((c) => HOOKS.flatMap((h) => proposed(answer(c, h).verdict))),
    ...await written(),
  ];
  const kinds = new Set(resources.map((r) => r.resourceType));
  for (const kind of ['MedicationRequest', 'ServiceRequest', 'Task', 'DetectedIssue', 'Subscription']) {
    assert.ok(kinds.has(kind), `no ${kind} to validate`);
  }
  for (const { resource, faults } of validated(resources)) {
    assert.deepEqual(faults, [], JSON.stringify(resource));
  }
  console.log(`${resources.length} resources valid: ${[...kinds].join(', ')}`);
});
