/*
 * explain: why and why not, read beside the running daemon
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Sim } from '../sim/client.mjs';
import { order } from '../sim/orders.mjs';
import { Daemon, OPIWARD } from './daemon.mjs';

let sim;
let daemon;
before(async () => {
  sim = await Sim.start({ data: true, dialect: 'none' });
  daemon = await Daemon.start({ sim });
});
after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
});

const bundle = (...resources) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
async function explain(...words) {
  try {
    const { stdout, stderr } = await promisify(execFile)(OPIWARD, ['explain', '--config', daemon.config, ...words]);
    return { status: 0, stdout, stderr };
  } catch (err) {
    return { status: err.code, stdout: err.stdout, stderr: err.stderr };
  }
}

async function sign(patient, ...others) {
  const reply = await fetch(`${daemon.origin}/cds-services/opiward-order-sign`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, signal: AbortSignal.timeout(5000),
    body: JSON.stringify({ hook: 'order-sign', hookInstance: randomUUID(),
      context: { userId: 'Practitioner/a', patientId: patient, draftOrders: bundle(order({ id: 'd', patient, drug: 'oxycodone20', sig: { frequency: 4 }, status: 'draft' })) },
      prefetch: { p: { resourceType: 'Patient', id: patient, birthDate: '1970-01-01' }, m: bundle(...others), rest: null } }),
  });
  return (await reply.json()).cards;
}

test('a card is told by its uuid: rule, arithmetic, answer, and the rules that did not fire', async () => {
  const [card] = await sign('x1');
  await fetch(`${daemon.origin}/cds-services/opiward-order-sign/feedback`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ feedback: [{ card: card.uuid, outcome: 'overridden', overrideReason: { reason: { code: 'palliative' } }, outcomeTimestamp: new Date().toISOString() }] }) });
  const { status, stdout } = await explain(card.uuid);
  assert.equal(status, 0);
  assert.match(stdout, /asked by hook:order-sign/);
  assert.match(stdout, /the card was overridden: palliative/);
  assert.match(stdout, /MedicationRequest\/d, counted: .*= 120 MME\/d/);
  assert.match(stdout, /med-threshold fired, and leads a card\n +critical: 120 MME\/d reaches 90/);
  assert.match(stdout, /paediatric-contraindicated did not fire/);
});

test('a patient and an alert are told of the last verdict, as text and JSON', async () => {
  await sim.order({ id: 'ex', patient: 'p2', drug: 'oxycodone20', sig: { frequency: 6 } });
  await daemon.until((m) => m.alerts_opened_total > 0 && m.inbox_waiting === 0 && m.deliveries_sent_total > 0);
  let told;
  for (const until = Date.now() + 10_000; !(told?.verdict.med.now >= 180) && Date.now() < until;) {
    const patient = await explain('--json', '--rule', 'med-threshold', 'Patient/p2');
    told = patient.status === 0 ? JSON.parse(patient.stdout) : undefined;
  }
  assert.deepEqual(told.rules.map((r) => [r.rule, r.numbers.warning]), [['med-threshold', 50]]);
  assert.ok(told.verdict.med.now >= 180, 'every digit of the record');
  const [issue] = await sim.stored('DetectedIssue');
  const key = issue.identifier[0].value.slice(0, 32);
  const alert = await explain(key);
  assert.equal(alert.status, 0, `${key} ${alert.stderr}`);
  assert.match(alert.stdout, /the alert [a-z-]+ is (open|resolved)/);
});

test('what nobody knows, and wrong words, have their exit status', async () => {
  assert.equal((await explain('Patient/never-seen')).status, 65);
  assert.equal((await explain(randomUUID())).status, 65);
  assert.equal((await explain('rx9')).status, 64);
  assert.equal((await explain('--rule', 'no-such', 'Patient/p1')).status, 64);
  assert.equal((await explain()).status, 64);
});

test('a file is judged and told', async () => {
  const file = join(daemon.directory, 'bundle.json');
  writeFileSync(file, JSON.stringify(bundle(order({ id: 'f1', patient: 'f', drug: 'oxycodone20', sig: { frequency: 4 } }), { resourceType: 'Patient', id: 'f', birthDate: '1950-01-01' })));
  const { status, stdout } = await explain('--bundle', file, '--preset', 'wa-120', '--rule', 'med-threshold');
  assert.equal(status, 0);
  assert.match(stdout, /warning 120, critical 120/);
  writeFileSync(file, '{');
  assert.equal((await explain('--bundle', file)).status, 65);
});
