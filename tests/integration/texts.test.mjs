/*
 * Texts: a site that speaks Spanish, on both of its ways out
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { order } from '../sim/orders.mjs';
import { Sim } from '../sim/client.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';

let sim;
let daemon;

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  daemon = await Daemon.start({ sim, settings: { texts: { language: 'es' }, sinks: { webhook_url: sim.webhookUrl() }, fhir: { catch_up_interval: '1h' }, rules: DOSE_RULES } });
  await daemon.until((m) => m.subscription_active === 1);
});

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
});

function spanish(card) {
  assert.match(card.summary, /^120 MME\/día alcanza 90/);
  assert.match(card.detail, /\| orden \| cómo \| MME\/día \|\n\|---\|---\|---:\|\n/);
  assert.match(card.detail, /1 tablet x 4\/d x 20 mg x 1\.5 = 120 MME\/d/);
  assert.equal(card.source.topic.display, 'Dosis diaria equivalente de morfina');
  assert.equal(card.source.topic.code, 'med-threshold');
}

test('the answer to a CDS Hooks call is Spanish, its codes are those of every language', async () => {
  const draft = order({ id: 'draft-1', patient: 'h1', drug: 'oxycodone20', sig: { frequency: 4 }, status: 'draft' });
  const reply = await fetch(`${daemon.origin}/cds-services/opiward-order-sign`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      hook: 'order-sign',
      hookInstance: randomUUID(),
      context: { userId: 'Practitioner/prac1', patientId: 'h1', draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: draft }] } },
      prefetch: { patient: { resourceType: 'Patient', id: 'h1', birthDate: '1970-01-01' }, orders: { resourceType: 'Bundle', type: 'searchset', entry: [] } },
    }),
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(reply.status, 200);
  const [card, ...more] = (await reply.json()).cards;
  assert.equal(more.length, 0);
  spanish(card);
  assert.ok(card.suggestions.some((s) => s.label === 'Quitar este borrador'), JSON.stringify(card.suggestions));
  assert.ok(card.overrideReasons.some((r) => r.code === 'benefit-outweighs-risk' && r.display === 'Los beneficios superan los riesgos para este paciente'));
});

test('an event becomes a Spanish card at the webhook and a Spanish DetectedIssue', async () => {
  await sim.order({ id: 'texts-1', patient: 'p6', drug: 'oxycodone20', sig: { frequency: 4 }, days: 30 });
  await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0 && m.evaluations_total >= 1);
  await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
  const told = (await sim.cards()).map((c) => c.body).filter((b) => b.patient === 'Patient/p6').at(-1);
  spanish(told.cards[0]);
  const [issue] = (await sim.stored('DetectedIssue')).filter((i) => i.patient.reference === 'Patient/p6');
  assert.match(issue.detail, /MME\/día/);
});
