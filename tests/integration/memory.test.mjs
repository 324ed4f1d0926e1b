/*
 * Memory: what a prescriber was told before, snoozed or overrode, through restarts
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { order } from '../sim/orders.mjs';
import { Daemon } from './daemon.mjs';

let daemon;
const directory = mkdtempSync(join(tmpdir(), 'opiward-memory-'));
const start = () => Daemon.start({ directory, base: '', settings: { fhir: { subscribe: false } } });

before(async () => { daemon = await start(); });
after(async () => {
  assert.equal(await daemon?.stop(), 0, daemon?.log);
  rmSync(directory, { recursive: true, force: true });
});

const bundle = (...resources) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
let patients = 0;
const someone = () => `m${++patients}`;

async function post(path, body) {
  return fetch(`${daemon.origin}/cds-services/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) });
}

async function sign({ patient, user = 'Practitioner/a', encounterId, frequency = 4, instance = randomUUID(), hook = 'order-sign', others = [] }) {
  const draft = order({ id: 'd', patient, drug: 'oxycodone20', sig: { frequency }, status: 'draft', requester: user });
  const reply = await post(`opiward-${hook}`, {
    hook, hookInstance: instance,
    context: { userId: user, patientId: patient, encounterId, draftOrders: bundle(draft), ...(hook === 'order-select' ? { selections: ['MedicationRequest/d'] } : undefined) },
    prefetch: { p: { resourceType: 'Patient', id: patient, birthDate: '1970-01-01' }, m: bundle(...others) },
  });
  assert.equal(reply.status, 200);
  return (await reply.json()).cards;
}

const interrupts = (cards) => cards.some((c) => c.indicator !== 'info');
const answer = (card, code, more) => post('opiward-order-sign/feedback', { feedback: [{ card: card.uuid, outcome: 'overridden', overrideReason: { reason: { code } }, outcomeTimestamp: new Date().toISOString(), ...more }] });

test('a second call says the same in full and interrupts nobody; another prescriber is told', async () => {
  const patient = someone();
  const [first] = await sign({ patient });
  assert.equal(first.indicator, 'critical');
  const [second] = await sign({ patient });
  assert.equal(second.indicator, 'info');
  assert.equal(second.summary, first.summary);
  assert.equal(second.uuid, first.uuid, 'the same episode');
  const [other] = await sign({ patient, user: 'Practitioner/b' });
  assert.equal(other.indicator, 'critical');
  assert.notEqual(other.uuid, first.uuid, 'an answer is of one person');
});

test('the same call again has the same answer, however often', async () => {
  const patient = someone();
  const instance = randomUUID();
  const first = await sign({ patient, instance });
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await sign({ patient, instance }), first);
  }
});

test('a dose that rises by more than a tenth is told again', async () => {
  const patient = someone();
  assert.ok(interrupts(await sign({ patient, frequency: 4 })));
  assert.ok(!interrupts(await sign({ patient, frequency: 4 })));
  assert.ok(interrupts(await sign({ patient, frequency: 5 })));
  assert.ok(!interrupts(await sign({ patient, frequency: 4 })), 'less is not more');
});

test('signing is told in earnest after selecting', async () => {
  const patient = someone();
  assert.ok(interrupts(await sign({ patient, hook: 'order-select' })));
  assert.ok(interrupts(await sign({ patient })));
});

test('a snooze silences its rule for its prescriber until the dose rises, through a restart', async () => {
  const patient = someone();
  const [card] = await sign({ patient });
  assert.equal((await answer(card, 'snooze-3-months')).status, 200);
  const told = (cards) => cards.filter((c) => c.source.topic.code === 'med-threshold');
  assert.deepEqual(told(await sign({ patient })), []);
  assert.ok(told(await sign({ patient, user: 'Practitioner/b' })).length, 'not for others');
  assert.equal(await (async () => { daemon.ownsDirectory = false; return daemon.stop(); })(), 0);
  daemon = await start();
  assert.deepEqual(told(await sign({ patient })), []);
  assert.ok(interrupts(told(await sign({ patient, frequency: 6 }))));
});

test('feedback: repeated, mixed, unknown and bare entries are 200 and counted once', async () => {
  const a = await sign({ patient: someone() });
  const b = await sign({ patient: someone(), hook: 'order-select' });
  const was = await daemon.metrics();
  const feedback = { feedback: [
    { card: a[0].uuid, outcome: 'overridden', overrideReason: { reason: { code: 'palliative' } }, outcomeTimestamp: '2026-03-02T08:00:00Z' },
    { card: b[0].uuid, outcome: 'accepted', acceptedSuggestions: [{ id: randomUUID() }], outcomeTimestamp: '2026-03-02T08:00:00Z' },
    { card: randomUUID(), outcome: 'overridden', outcomeTimestamp: '2026-03-02T08:00:00Z' },
    { outcome: 'overridden', outcomeTimestamp: '2026-03-02T08:00:00Z' },
  ] };
  for (let i = 0; i < 3; i++) {
    assert.equal((await post('opiward-order-sign/feedback', feedback)).status, 200);
  }
  const text = await (await fetch(`${daemon.operations}/metrics`)).text();
  assert.match(text, /opiward_card_answers_total\{rule="med-threshold",outcome="overridden",reason="palliative"\} 1\n/);
  assert.match(text, /opiward_card_answers_total\{rule="med-threshold",outcome="accepted",reason="none"\} 1\n/);
  const is = await daemon.metrics();
  assert.equal(is.feedback_unknown_total - was.feedback_unknown_total, 6, 'two that nobody was told, three times');
});

test('an answer that comes while the patient is being judged counts the next time', async () => {
  const patient = someone();
  const [card] = await sign({ patient });
  await Promise.all([answer(card, 'snooze-1-year'), ...Array.from({ length: 8 }, () => sign({ patient }))]);
  assert.deepEqual((await sign({ patient })).filter((c) => c.source.topic.code === 'med-threshold'), []);
});

test('a patient seen first costs no read of the store, nor one just told of; after a restart one told of does', async () => {
  const reads = async () => (await daemon.metrics()).memory_reads_total;
  const known = someone();
  await sign({ patient: known });
  const before = await reads();
  for (let i = 0; i < 20; i++) {
    assert.ok(interrupts(await sign({ patient: someone() })), 'never told before');
  }
  assert.equal(await reads(), before);
  assert.ok(!interrupts(await sign({ patient: known })));
  assert.equal(await reads(), before, 'what was just told stands in memory');
  daemon.ownsDirectory = false;
  assert.equal(await daemon.stop(), 0);
  daemon = await start();
  assert.ok(!interrupts(await sign({ patient: known })), 'still remembered');
  assert.equal(await reads(), 1);
  const now = await reads();
  assert.ok(interrupts(await sign({ patient: someone() })));
  assert.equal(await reads(), now);
});
