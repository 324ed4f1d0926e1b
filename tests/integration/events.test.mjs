/*
 * Events: what one event asks the server beside the orders, and what a server that does
 * not answer it changes
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { Daemon, OPIWARD } from './daemon.mjs';

let sim;
let daemon;

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  daemon = await Daemon.start({ sim, settings: { sinks: { webhook_url: sim.webhookUrl() }, fhir: { catch_up_interval: '1h', timeout: '700ms', first_load: 'new' } } });
  await daemon.until((m) => m.subscription_active === 1);
});

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
});

async function settle() {
  await sim.idle({ timeoutMs: 20_000, quietMs: 100 });
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
  await sim.idle({ timeoutMs: 20_000, quietMs: 50 });
}

const REST = ['CarePlan', 'Consent', 'DocumentReference', 'Encounter', 'Observation', 'Procedure', 'ServiceRequest'];
const FIRST = ['Condition', 'MedicationDispense', 'MedicationRequest', 'Patient'];
let orders = 0;

/* An order of a patient nobody has seen: what was asked about that patient, sorted. */
async function asked(patient, drug = 'oxycodone20') {
  await settle();
  const since = (await sim.requests()).at(-1)?.n ?? 0;
  const before = (await daemon.metrics()).evaluations_total;
  await sim.order({ id: `ev-${++orders}`, patient, drug, sig: { frequency: 4 }, days: 150, authoredOn: new Date(Date.now() - 120 * 86_400_000).toISOString() });
  await daemon.until((m) => m.evaluations_total > before);
  await settle();
  const all = await sim.requests({ since, path: '^/fhir' });
  return all.filter((r) => r.method === 'GET' && r.url.includes(patient)).map((r) => /\/fhir\/(\w+)/.exec(r.url)[1]).sort();
}

/* Create a patient without any order, and say the id. */
async function someone(id) {
  await sim.fhir('PUT', `Patient/${id}`, { resourceType: 'Patient', id, birthDate: '1970-01-01' });
  return id;
}

/* The rules that were told of this patient. */
const rules = async (patient) => (await sim.stored('DetectedIssue')).filter((i) => i.patient.reference === `Patient/${patient}`).map((i) => i.code.text).sort();

/* What a judgement says of one rule. */
const explained = (patient, rule) => execFileSync(OPIWARD, ['explain', '--config', daemon.config, `Patient/${patient}`], { encoding: 'utf8' }).split('\n').filter((l) => l.includes(rule)).join('\n');

test('an opioid: each kind once, eleven requests', async () => {
  assert.deepEqual(await asked(await someone('ev-p2')), [...FIRST, ...REST].sort());
  assert.match(explained('ev-p2', 'uds-due'), /uds-due fired/, 'looked for and not there');
});

test('no opioid and no sedative: four requests', async () => {
  assert.deepEqual(await asked(await someone('ev-p3'), ['314076', 'lisinopril 10 MG Oral Tablet']), FIRST);
});

test('a kind that hangs or fails is judged without, at once and not again', async () => {
  const before = await daemon.metrics();
  await sim.faults([{ match: { path: 'Observation' }, action: { slowMs: 3000 }, count: 0 }, { match: { path: 'CarePlan' }, action: { status: 503 }, count: 0 }]);
  assert.ok((await asked(await someone('ev-p4'))).includes('Observation'));
  await sim.clearFaults();
  const m = await daemon.metrics();
  assert.equal(m.evaluation_retries_total, before.evaluation_retries_total);
  assert.equal(m.fhir_kinds_lost_total, before.fhir_kinds_lost_total + 2);
  assert.equal(m.fhir_kinds_refused_total, before.fhir_kinds_refused_total);
  assert.match(explained('ev-p4', 'uds-due'), /did not fire/, 'nobody could look');
  assert.ok((await rules('ev-p4')).includes('med-threshold'));
});

test('a kind that the server does not offer is asked once for all patients, and said once', async () => {
  await sim.faults([{ match: { path: 'Observation' }, action: { status: 404 }, count: 0 }, { match: { path: 'MedicationDispense' }, action: { status: 403 }, count: 0 }]);
  assert.deepEqual(await asked(await someone('ev-p5')), [...FIRST, ...REST].sort(), 'and no kind twice');
  assert.match(explained('ev-p5', 'uds-due'), /did not fire/, 'nobody could look');
  assert.ok((await rules('ev-p5')).includes('med-threshold'));
  assert.deepEqual(await asked(await someone('ev-p6')), [...FIRST, ...REST].filter((t) => t !== 'Observation' && t !== 'MedicationDispense').sort());
  assert.match(explained('ev-p6', 'uds-due'), /did not fire/, 'nobody could look');
  assert.ok((await rules('ev-p6')).includes('med-threshold'));
  await sim.clearFaults();
  assert.deepEqual(daemon.lines('fetch.kind-refused').map((l) => l.type).sort(), ['MedicationDispense', 'Observation']);
  assert.equal((await daemon.metrics()).fhir_kinds_refused_total, 2);
  assert.equal((await daemon.metrics()).evaluation_retries_total, 0);
});

test('a chart whose rest does not fit into memory is judged by its orders', async () => {
  const patient = await someone('ev-large');
  const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${randomBytes(10_000).toString('hex')}</div>` };
  for (let i = 0; i < 80; i++) {
    await sim.fhir('PUT', `Observation/ev-large-${i}`, { resourceType: 'Observation', id: `ev-large-${i}`, status: 'final', text, code: { text: 'weight' }, subject: { reference: `Patient/${patient}` } });
  }
  const own = await Daemon.start({ sim, settings: { fhir: { subscribe: false, catch_up_interval: '1s', first_load: 'new' }, sinks: { fhir: false }, intake: { memory_max: '1MiB' } } });
  try {
    await sim.order({ id: 'ev-large', patient, drug: 'oxycodone20', sig: { frequency: 4 } });
    await own.until(() => own.lines('fetch.too-large').length === 1);
    const m = await own.until((n) => n.jobs === 0 && n.inbox_waiting === 0);
    assert.equal(m.events_parked_total, 0);
    const hash = own.lines('fetch.too-large')[0].patient;
    assert.ok(own.lines('verdict').some((l) => l.patient === hash && l.findings > 0));
  } finally {
    assert.equal(await own.stop(), 0);
  }
});
