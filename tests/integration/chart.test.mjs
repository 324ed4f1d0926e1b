/*
 * Chart: what a hook's prefetch lacks is asked for, once, and nothing else
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { order } from '../sim/orders.mjs';
import { Daemon } from './daemon.mjs';

let sim;
let daemon;

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'none' });
  daemon = await Daemon.start({ sim, settings: { fhir: { subscribe: false, catch_up_interval: '1h', first_load: 'new' }, hooks: { deadline: '1500ms' } } });
  await sim.idle({ quietMs: 300 });
});

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
});

const bundle = (...resources) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const person = (id) => ({ resourceType: 'Patient', id, birthDate: '1970-01-01' });
const WHOLE = { conditions: null, observations: null, procedures: null, encounters: null, serviceRequests: null, carePlans: null, dispenses: null, consents: null };

function request({ patient = 'p2', hook = 'order-sign', user = `Practitioner/${randomUUID()}`, drug = 'oxycodone5', prefetch, ...over }) {
  return {
    hook, hookInstance: randomUUID(), prefetch,
    context: { userId: user, patientId: patient,
      ...(hook === 'patient-view' ? undefined : { draftOrders: bundle(order({ id: 'draft-c', patient, drug, sig: { frequency: 1 }, status: 'draft' })) }),
      ...(hook === 'order-select' ? { selections: ['MedicationRequest/draft-c'] } : undefined) },
    ...over,
  };
}

const call = (body) => fetch(`${daemon.origin}/cds-services/opiward-${body.hook}`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) });

/* What the daemon asked the server for during `work`: resource types, sorted. */
async function asked(work) {
  const since = (await sim.requests()).at(-1)?.n ?? 0;
  const reply = await work();
  assert.equal(reply.status, 200);
  const records = await sim.requests({ since, path: '^/fhir' });
  return records.map((r) => /\/fhir\/(\w+)/.exec(r.url)?.[1] ?? 'page').sort();
}

const KINDS = ['CarePlan', 'Condition', 'Consent', 'DocumentReference', 'Encounter', 'MedicationDispense', 'Observation', 'Procedure', 'ServiceRequest'];

test('5.6/26 a whole prefetch asks nothing', async () => {
  assert.deepEqual(await asked(() => call(request({ prefetch: { patient: person('p2'), medications: bundle(), ...WHOLE } }))), []);
});

test('5.6/26 of a partial prefetch only what is missing is asked', async () => {
  assert.deepEqual(await asked(() => call(request({ prefetch: { medications: bundle(), ...WHOLE } }))), ['Patient']);
  const { observations, ...rest } = WHOLE;
  assert.deepEqual(await asked(() => call(request({ prefetch: { patient: person('p2'), medications: bundle(), ...rest } }))), ['Observation']);
  assert.deepEqual(await asked(() => call(request({ prefetch: { patient: person('p2'), ...WHOLE } }))), ['MedicationRequest']);
});

test('5.6/26 nothing is fetched at all where the rest of the chart does not matter', async () => {
  assert.deepEqual(await asked(() => call(request({ drug: ['314076', 'lisinopril 10 MG Oral Tablet'], prefetch: { patient: person('nobody'), medications: bundle() }, patient: 'nobody' }))), []);
});

test('5.6/26 without any prefetch each kind is asked once', async () => {
  assert.deepEqual(await asked(() => call(request({}))), [...KINDS, 'MedicationRequest', 'Patient'].sort());
});

test('5.6/45 a key that tells nothing may have been any search', async () => {
  assert.deepEqual(await asked(() => call(request({ prefetch: { item1: person('p2'), item2: bundle(), item3: null } }))), []);
});

test('5.6/25 pages on the same host are fetched to the last, others never', async () => {
  const ids = ['pg1', 'pg2', 'pg3'];
  for (const id of ids) {
    await sim.order({ id, patient: 'p7', drug: 'morphineEr30', sig: { frequency: 1 }, authoredOn: new Date(Date.now() - 86_400_000).toISOString() });
  }
  const first = (await sim.fhir('GET', 'MedicationRequest?patient=Patient/p7&_count=1')).body;
  assert.ok(first.link.some((l) => l.relation === 'next'), 'the simulator pages');
  const pages = Math.max(...[first.total ?? ids.length]) - 1;
  const got = await asked(() => call(request({ patient: 'p7', prefetch: { patient: person('p7'), medications: first, ...WHOLE } })));
  assert.equal(got.length, pages, `${got}`);
  const elsewhere = { ...first, link: [{ relation: 'next', url: 'http://127.0.0.1:1/fhir?page=2' }] };
  const whole = await asked(() => call(request({ patient: 'p7', prefetch: { patient: person('p7'), medications: elsewhere, ...WHOLE } })));
  assert.deepEqual(whole, ['MedicationRequest'], 'all orders from our own server instead');
});

test('a kind that the server refuses or breaks changes no total', async () => {
  await sim.faults([{ match: { path: 'Observation' }, action: { status: 503 }, count: 0 }, { match: { path: 'Procedure' }, action: { status: 403 }, count: 0 }]);
  const reply = await call(request({ user: 'Practitioner/faults', drug: 'oxycodone20', patient: 'p8', prefetch: { patient: person('p8'), medications: bundle() } }));
  await sim.clearFaults();
  assert.equal(reply.status, 200);
  assert.doesNotMatch(JSON.stringify(await reply.json()), /at least/i);
});

test('5.6/44 a kind that hangs holds no answer beyond the deadline and changes no total', async () => {
  await sim.faults([{ match: { path: 'Observation' }, action: { slowMs: 4000 }, count: 0 }]);
  const began = Date.now();
  const reply = await call(request({ drug: 'oxycodone20', patient: 'p8', prefetch: { patient: person('p8'), medications: bundle() } }));
  await sim.clearFaults();
  assert.ok(Date.now() - began < 3500);
  assert.doesNotMatch(JSON.stringify(await reply.json()), /at least/i);
});

test('run-ahead: order-sign uses once what order-select of the same user fetched', async () => {
  const user = 'Practitioner/ahead';
  assert.ok((await asked(() => call(request({ user, hook: 'order-select', patient: 'p3' })))).length > 5);
  assert.deepEqual(await asked(() => call(request({ user, patient: 'p3' }))), [], 'everything was warm');
  assert.ok((await asked(() => call(request({ user, patient: 'p3' })))).length > 5, 'signing changed the chart');
});

test('run-ahead: never across users or tokens', async () => {
  const user = 'Practitioner/one';
  const auth = (access_token) => ({ fhirServer: sim.base, fhirAuthorization: { access_token, token_type: 'Bearer', expires_in: 300, scope: 's', subject: 'c' } });
  await call(request({ user, hook: 'order-select', patient: 'p4', ...auth('a') }));
  assert.ok((await asked(() => call(request({ user: 'Practitioner/two', patient: 'p4', ...auth('a') })))).length > 5);
  await call(request({ user, hook: 'order-select', patient: 'p4', ...auth('a') }));
  assert.ok((await asked(() => call(request({ user, patient: 'p4', ...auth('b') })))).length > 5);
  await call(request({ user, hook: 'order-select', patient: 'p4', ...auth('a') }));
  assert.deepEqual(await asked(() => call(request({ user, patient: 'p4', ...auth('a') }))), []);
});
