/*
 * Loop: a prescription event in, an alert out, on the real daemon and a FHIR server
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';

let sim;
let daemon;

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  daemon = await Daemon.start({ sim, settings: { sinks: { webhook_url: sim.webhookUrl() }, fhir: { catch_up_interval: '1h' }, rules: DOSE_RULES } });
  await daemon.until((m) => m.subscription_active === 1);
});

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
});

async function settle() {
  await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
  await sim.idle({ timeoutMs: 10_000, quietMs: 50 });
}

const issues = async (patient) => (await sim.stored('DetectedIssue')).filter((i) => i.patient.reference === `Patient/${patient}`);
const lastCard = async (patient) => (await sim.cards()).map((c) => c.body).filter((b) => b.patient === `Patient/${patient}`).at(-1);
const stay = { days: 30 };

test('its subscription asks for every status, and points at an endpoint nobody can guess', async () => {
  const [s] = await sim.stored('Subscription');
  assert.equal(s.status, 'active');
  assert.equal(s.criteria, 'MedicationRequest?');
  assert.equal(s.channel.type, 'rest-hook');
  assert.match(s.channel.endpoint, /\/notify\/[0-9a-f]{48}$/);
});

test('a high dose becomes one DetectedIssue, one Task and one card with its arithmetic', async () => {
  await settle();
  await sim.order({ id: 'loop-1', patient: 'p6', drug: 'oxycodone20', sig: { frequency: 1, period: 6, periodUnit: 'h' }, ...stay });
  await settle();
  const [issue, ...more] = await issues('p6');
  assert.equal(more.length, 0);
  assert.equal(issue.severity, 'high');
  assert.deepEqual(issue.implicated.map((i) => i.reference), ['MedicationRequest/loop-1']);
  const tasks = (await sim.stored('Task')).filter((t) => t.focus.reference === `DetectedIssue/${issue.id}`);
  assert.equal(tasks.length, 1);
  const card = await lastCard('p6');
  assert.equal(card.cards.length, 1);
  assert.match(card.cards[0].summary, /120 MME/);
  assert.match(card.cards[0].detail, /1 tablet x 4\/d x 20 mg x 1\.5 = 120 MME\/d/);
});

test('the same event again is answered and tells nobody twice', async () => {
  const cards = (await sim.cards()).length;
  await sim.editOrder('loop-1', (r) => { r.note = [{ text: 'unchanged in substance' }]; });
  await settle();
  assert.equal((await sim.cards()).length, cards);
  assert.equal((await issues('p6')).length, 1);
});

test('a benzodiazepine on top is a second alert; a renewal that names its predecessor is none', async () => {
  await sim.order({ id: 'loop-2', patient: 'p6', drug: 'lorazepam1', requester: 'Practitioner/prac2', ...stay });
  await settle();
  assert.equal((await issues('p6')).length, 2);
  const cards = (await sim.cards()).length;
  await sim.order({ id: 'loop-3', patient: 'p6', drug: 'oxycodone20', sig: { frequency: 1, period: 6, periodUnit: 'h' }, priorPrescription: { reference: 'MedicationRequest/loop-1' }, ...stay });
  await settle();
  assert.equal((await issues('p6')).length, 2);
  assert.equal((await sim.cards()).length, cards);
});

test('when the cause is gone the alert says so, and a deleted order counts no more', async () => {
  await sim.stopOrder('loop-1');
  await sim.deleteOrder('loop-3');
  await settle();
  await daemon.until((m) => m.alerts_resolved_total >= 2);
  await settle();
  assert.equal((await issues('p6')).length, 2, 'resolved alerts are updated, not posted anew');
  const last = await lastCard('p6');
  assert.ok(last.alerts.some((a) => a.state === 'resolved'));
});

test('a Task that a person has finished stays finished when the cause is gone; an untouched one is cancelled', async () => {
  const task = async (patient) => (await sim.stored('Task')).filter((t) => t.for.reference === `Patient/${patient}`);
  for (const patient of ['t1', 't2']) {
    await sim.put({ resourceType: 'Patient', id: patient, birthDate: '1970-01-01' });
    await sim.order({ id: `loop-task-${patient}`, patient, drug: 'oxycodone20', sig: { frequency: 1, period: 6, periodUnit: 'h' }, ...stay });
  }
  await settle();
  const [taken, ...more] = await task('t1');
  assert.ok(taken && more.length === 0, 'one alert, one Task');
  await sim.put({ ...taken, status: 'completed', note: [{ text: 'called the prescriber' }] });
  for (const patient of ['t1', 't2']) {
    await sim.stopOrder(`loop-task-${patient}`);
  }
  await settle();
  await daemon.until((m) => m.alerts_resolved_total >= 4);
  await settle();
  const [done] = await task('t1');
  assert.equal(done.status, 'completed');
  assert.equal(done.note?.[0].text, 'called the prescriber');
  assert.deepEqual((await task('t2')).map((t) => t.status), ['cancelled']);
  for (const patient of ['t1', 't2']) {
    assert.deepEqual((await issues(patient)).map((i) => i.status), ['amended']);
  }
});

test('directions nobody can compute are unreadable, said with "at least", never zero', async () => {
  await sim.order({ id: 'loop-4', patient: 'p3', drug: 'morphineEr30', sig: 'use as discussed', dispenseRequest: undefined });
  await settle();
  const card = await lastCard('p3');
  assert.ok(card.alerts.some((a) => a.rule === 'unreadable-dose'), JSON.stringify(card.alerts));
  assert.ok(!/\b0 MME/.test(JSON.stringify(card)), 'no zero');
});

test('what is posted is valid FHIR and carries no duplicate identifier', async () => {
  for (const type of ['DetectedIssue', 'Task']) {
    assert.deepEqual(await sim.duplicates(type), []);
  }
  const refused = (await sim.requests({ method: 'POST' })).filter((r) => r.status >= 400);
  assert.deepEqual(refused.map((r) => [r.url, r.status]), []);
});
