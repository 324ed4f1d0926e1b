/*
 * Faults: the other side errs, refuses, hangs up, lies; every outcome is the documented one
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { order } from '../sim/orders.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';

const HANGUPS = process.env.OPIWARD_SWEEP === 'full' ? 10_000 : 200;
const WRITE = { method: 'POST', path: '^/fhir/?$' };
const ORDERS = { method: 'GET', path: '/fhir/MedicationRequest\\?.*(patient|subject)=' };

let directory;
let sim;
let daemon;
let serial = 0;

const settings = (over = {}) => ({
  sinks: { webhook_url: sim.webhookUrl() },
  fhir: { catch_up_interval: '1h', check_interval: '1h', timeout: '1s' },
  outbox: { first_retry: '20ms', retry_cap: '100ms', breaker_failures: 1000, breaker_pause: '300ms' },
  rules: DOSE_RULES,
  ...over,
});

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'opiward-faults-'));
  const data = join(directory, 'data.json');
  writeFileSync(data, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [] }));
  sim = await Sim.start({ data, dialect: 'hapi', timeScale: 0.05, activationDelay: 2 });
  daemon = await Daemon.start({ sim, settings: settings() });
  await daemon.until((m) => m.subscription_active === 1);
});

beforeEach(() => sim.clearFaults());

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  assert.equal(status, 0, daemon?.log);
  rmSync(directory, { recursive: true, force: true });
});

async function settle(limitMs = 20_000) {
  await sim.idle({ timeoutMs: limitMs, quietMs: 50 });
  return daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0, limitMs);
}

async function patient() {
  const id = `f${++serial}`;
  await sim.put({ resourceType: 'Patient', id, birthDate: '1960-01-01' });
  return id;
}

/* A new patient with a dose that alerts. */
async function highDose() {
  const id = await patient();
  await sim.order({ id: `rx-${id}`, patient: id, drug: 'oxycodone20', sig: { frequency: 4 } });
  return id;
}

const issues = async (id) => (await sim.stored('DetectedIssue')).filter((i) => i.patient.reference === `Patient/${id}`);

async function onceEach(ids) {
  const stored = await sim.stored('DetectedIssue');
  for (const id of ids) {
    assert.equal(stored.filter((i) => i.patient.reference === `Patient/${id}`).length, 1, `alerts of ${id}`);
  }
  for (const type of ['DetectedIssue', 'Task']) {
    assert.deepEqual(await sim.duplicates(type), []);
  }
}

test(`the peer stores and hangs up, ${HANGUPS} times: nothing lost, nothing twice`, async () => {
  await settle();
  const had = await daemon.metrics();
  await sim.faults([{ match: WRITE, action: { storeThenHangup: true }, count: 0 }]);
  const ids = [];
  for (let i = 0; i < HANGUPS; i++) {
    ids.push(await highDose());
  }
  await sim.idle({ timeoutMs: 120_000 });
  const now = await settle(HANGUPS * 100 + 20_000);
  await onceEach(ids);
  assert.equal(now.deliveries_found_total - had.deliveries_found_total, HANGUPS);
  assert.equal(now.dead_letters, 0);
  console.log(`hang-ups ${HANGUPS}: lost 0, doubled 0`);
});

test('conditions ignored on top: the look-up alone keeps the alert single', async () => {
  await sim.faults([{ match: WRITE, action: { storeThenHangup: true } }, { match: WRITE, action: { ignoreIfNoneExist: true }, count: 0 }]);
  const id = await highDose();
  await settle();
  await onceEach([id]);
});

test('a later revision names what it updates, and the Task stays with its alert', async () => {
  const id = await highDose();
  await settle();
  const since = (await sim.log()).at(-1).n;
  await sim.faults([{ match: WRITE, action: { storeThenHangup: true } }]);
  await sim.stopOrder(`rx-${id}`);
  await settle();
  const [issue] = await issues(id);
  assert.equal(issue.status, 'amended');
  const sent = (await sim.requests({ since, method: 'POST', path: '^/fhir/?$' })).map((r) => JSON.parse(r.body).entry.map((e) => e.request));
  assert.ok(sent.length >= 2);
  for (const [first, second] of sent) {
    assert.deepEqual([first.method, first.url], ['PUT', `DetectedIssue/${issue.id}`]);
    assert.match(second?.url ?? 'Task/done', /^Task\/[^?]+$/, 'a Task that is over by then is left alone');
  }
  const [task] = (await sim.stored('Task')).filter((t) => t.for.reference === `Patient/${id}`);
  assert.equal(task.status, 'cancelled');
  assert.equal(task.focus.reference, `DetectedIssue/${issue.id}`);
  await onceEach([id]);
});

for (const status of [401, 403, 408, 409, 412, 423, 425, 429, 500, 502, 503, 504]) {
  test(`write-back refused with ${status}: tried again, delivered once`, async () => {
    await sim.faults([{ match: WRITE, action: { status }, count: 3 }]);
    const dead = (await daemon.metrics()).dead_letters;
    const id = await highDose();
    await settle();
    await onceEach([id]);
    assert.equal((await daemon.metrics()).dead_letters, dead);
  });
}

for (const status of [400, 410, 422, 501]) {
  test(`write-back refused with ${status}: a dead letter at once, and the rest flows`, async () => {
    await sim.faults([{ match: WRITE, action: { status }, count: 1 }]);
    const dead = (await daemon.metrics()).dead_letters;
    const refused = await highDose();
    await settle();
    const flows = await highDose();
    await settle();
    assert.equal((await issues(refused)).length, 0);
    assert.equal((await issues(flows)).length, 1);
    assert.equal((await daemon.metrics()).dead_letters, dead + 1);
    assert.equal(daemon.lines('delivery.dead').at(-1).sink, 'fhir');
  });
}

for (const [name, action] of [['a proxy page with 200', { garbage: true }], ['a proxy page with 404', { garbage: true, status: 404 }],
  ['an endless body', { endless: true }], ['a cut answer', { cut: 20 }], ['a hang-up before', { hangupBefore: true }], ['a slow answer', { slowMs: 1500 }]]) {
  test(`write-back meets ${name}: delivered once`, async () => {
    await sim.faults([{ match: WRITE, action, count: 2 }]);
    const id = await highDose();
    await settle(40_000);
    await onceEach([id]);
  });

  test(`read-back meets ${name}: healed, nothing parked`, async () => {
    const { inbox_parked: parked } = await daemon.metrics();
    await sim.faults([{ match: ORDERS, action, count: 2 }]);
    const id = await highDose();
    await settle(40_000);
    await onceEach([id]);
    assert.equal((await daemon.metrics()).inbox_parked, parked);
  });
}

test('a patient the server does not know: the orders are judged all the same', async () => {
  const id = `f${++serial}`;
  await sim.order({ id: `rx-${id}`, patient: id, drug: 'oxycodone20', sig: { frequency: 4 } });
  await settle();
  const rules = (await issues(id)).map((i) => i.code.text).sort();
  assert.deepEqual(rules, ['med-threshold', 'unreadable-dose'], 'the alert, and that something is missing');
});

test('a proxy page with 404 for patient and orders is no statement about them', async () => {
  for (const path of ['/fhir/Patient/', '/fhir/MedicationRequest']) {
    await sim.faults([{ match: { method: 'GET', path }, action: { garbage: true, status: 404 }, count: 2 }]);
    const id = await highDose();
    await settle();
    await onceEach([id]);
  }
});

test('Retry-After is kept within a second', async () => {
  await sim.faults([{ match: WRITE, action: { status: 429, retryAfter: 1 } }]);
  const id = await highDose();
  await settle();
  const tries = (await sim.requests({ method: 'POST', path: '^/fhir/?$' })).filter((r) => r.body.includes(`Patient/${id}`));
  const waited = Date.parse(tries[1].at) - Date.parse(tries[0].at);
  assert.ok(waited >= 990 && waited < 2500, `${waited} ms`);
  await onceEach([id]);
});

for (const status of [401, 403, 408, 429, 500, 502, 503, 504]) {
  test(`read-back refused with ${status}: put off, then judged`, async () => {
    await sim.faults([{ match: ORDERS, action: { status }, count: 3 }]);
    const id = await highDose();
    await settle();
    await onceEach([id]);
  });
}

test('a redirect is not followed: neither body nor credentials go elsewhere', async () => {
  const since = (await sim.log()).at(-1).n;
  await sim.faults([{ match: ORDERS, action: { status: 307 }, count: 1 }, { match: WRITE, action: { status: 308 }, count: 1 }]);
  await highDose();
  await settle();
  assert.deepEqual((await sim.requests({ since })).filter((r) => !/^\/(fhir|sim\/webhook)/.test(r.url)), []);
});

test('one patient whose orders are refused for good is parked, the others flow', async () => {
  const { inbox_parked: before } = await daemon.metrics();
  const poison = await patient();
  await sim.faults([{ match: { method: 'GET', path: `(patient|subject)=[^&]*${poison}\\b` }, action: { status: 400 }, count: 0 }]);
  await sim.order({ id: `rx-${poison}`, patient: poison, drug: 'oxycodone20', sig: { frequency: 4 } });
  const ids = [await highDose(), await highDose()];
  const now = await settle();
  await onceEach(ids);
  assert.equal(now.inbox_parked, before + 1);
  assert.equal((await issues(poison)).length, 0);
  assert.equal(daemon.lines('event.parked').at(-1).level, 'error');
});

test('the webhook is down for a while: FHIR flows, the breaker opens and probes, cards come late', async () => {
  const other = await Daemon.start({ base: sim.base, settings: settings({
    fhir: { subscribe: false, first_load: 'new', catch_up_interval: '1s' },
    site: { id: 'second' },
    outbox: { first_retry: '20ms', retry_cap: '50ms', breaker_failures: 3, breaker_pause: '250ms' } }) });
  try {
    await other.until((m) => m.catch_ups_total >= 1);
    await sim.faults([{ match: { path: '^/sim/webhook' }, action: { status: 503 }, count: 0 }]);
    const since = (await sim.log()).at(-1).n;
    const began = Date.now();
    const id = await highDose();
    await other.until((m) => m.breaker_opened_total >= 1);
    while ((await issues(id)).length < 2) { /* one of each site */
      assert.ok(Date.now() - began < 10_000, 'FHIR waits for the webhook');
      await new Promise((r) => setTimeout(r, 20));
    }
    await new Promise((r) => setTimeout(r, 1000));
    const tries = (await sim.requests({ since, path: '^/sim/webhook' })).filter((r) => r.body.includes(`Patient/${id}`)).length;
    assert.ok(tries <= 3 + 50 + Math.ceil((Date.now() - began) / 250), `${tries} tries`);
    await sim.clearFaults();
    await other.until((m) => m.outbox_due === 0);
    assert.ok(other.lines('breaker.closed').length >= 1);
    await settle();
    assert.ok((await sim.cards()).some((c) => c.body.patient === `Patient/${id}`));
  } finally {
    await other.stop();
  }
});

/* ---- notifications ---- */

const json = { 'Content-Type': 'application/fhir+json' };

test('notifications: what is wrong is said, what is right is stored', async () => {
  await settle();
  const endpoint = await daemon.endpoint(sim);
  const body = order({ id: 'n1', patient: 'nobody' });
  const send = async (method, path, payload, headers = json) => {
    const reply = await fetch(endpoint + path, { method, headers, body: payload === undefined ? undefined : typeof payload === 'string' ? payload : JSON.stringify(payload), signal: AbortSignal.timeout(5000) });
    return { status: reply.status, headers: reply.headers, text: await reply.text() };
  };
  assert.equal((await send('PUT', '/MedicationRequest/other', body)).status, 400, 'another id than in the path');
  assert.equal((await send('PUT', '/Patient/n1', body)).status, 400, 'another type than in the path');
  assert.equal((await send('PUT', '/MedicationRequest/n1', '{"resourceType":')).status, 400, 'cut');
  assert.equal((await send('PUT', '/MedicationRequest/n1', '{"resourceType":"MedicationRequest","id":"n1","id":"n2"}')).status, 400, 'a name twice');
  assert.equal((await send('PUT', '/MedicationRequest/..%2f', body)).status, 400, 'no id');
  assert.equal((await send('PUT', '/MedicationRequest/n1', '<MedicationRequest/>', { 'Content-Type': 'application/fhir+xml' })).status, 415);
  assert.equal((await send('PUT', '/MedicationRequest/n1', 'x', { ...json, 'Content-Encoding': 'gzip' })).status, 415);
  const get = await send('GET', '/MedicationRequest/n1');
  assert.equal(get.status, 405);
  assert.match(get.headers.get('allow'), /PUT.*POST.*DELETE/);
  const wrong = await fetch(`${endpoint.slice(0, -1)}${endpoint.endsWith('0') ? '1' : '0'}`, { method: 'POST', headers: json, body: JSON.stringify(body) });
  assert.equal(wrong.status, 404);
  for (const reply of [await send('PUT', '/MedicationRequest/other', body)]) {
    assert.equal(JSON.parse(reply.text).resourceType, 'OperationOutcome');
    assert.ok(!reply.text.includes('nobody'));
  }
  assert.equal((await send('PUT', '/MedicationRequest/n1', body)).status, 200);
  assert.equal((await send('DELETE', '/MedicationRequest/n1', undefined, {})).status, 200);
  const bundle = await send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: { ...body, id: 'n2' }, request: { method: 'PUT', url: 'MedicationRequest/n2' } }] });
  assert.equal(bundle.status, 200);
  assert.equal(JSON.parse(bundle.text).resourceType, 'Bundle');
});

test('an empty notification is a hint: the change is found by searching', async () => {
  await settle();
  const endpoint = await daemon.endpoint(sim);
  await sim.faults([{ match: { on: 'notify' }, action: { drop: true }, count: 0 }]);
  const id = await highDose();
  await sim.idle();
  assert.equal((await issues(id)).length, 0);
  const reply = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.equal(reply.status, 200);
  await daemon.until((m) => m.inbox_waiting === 0 && m.jobs === 0 && m.outbox_due === 0);
  await settle();
  await onceEach([id]);
});

test('a notification doubled, reordered and late changes nothing', async () => {
  await sim.faults([{ match: { on: 'notify' }, action: { duplicate: 5 }, count: 3 }, { match: { on: 'notify' }, action: { reorder: true }, count: 3 }]);
  const id = await highDose();
  await sim.editOrder(`rx-${id}`, (r) => { r.note = [{ text: 'edited' }]; });
  await sim.order({ id: `rx2-${id}`, patient: id, drug: 'hydrocodone5', sig: { frequency: 1 } });
  await settle();
  await onceEach([id]);
});
