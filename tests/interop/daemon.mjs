/*
 * The daemon against a real HAPI FHIR server: subscribe, create, update, stop, delete, a burst,
 * a kill and a stop of three seconds. The judge is the server itself: what it shows at the end.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DOSE_RULES, Daemon } from '../integration/daemon.mjs';
import { order } from '../sim/orders.mjs';
import { call, create, diagnosis, fresh, pause, use } from './kit.mjs';
import { startServer } from './server.mjs';

const BURST = Number(process.env.INTEROP_BURST ?? 100);
let server;
let daemon;
let directory;

async function start() {
  daemon = await Daemon.start({
    base: server.base, directory,
    settings: { fhir: { catch_up_interval: '2s', timeout: '30s', requests_max: 4 }, site: { id: 'interop' }, rules: DOSE_RULES },
  });
  await daemon.until((m) => m.subscription_active === 1, 60_000);
}

before(async () => {
  server = await startServer();
  await use(server.base);
  directory = mkdtempSync(join(tmpdir(), 'opiward-interop-'));
  await start();
}, { timeout: 900_000 });

after(async () => {
  const status = await daemon?.stop();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
  assert.equal(status, 0, daemon?.log.slice(-2000));
});

const newPatient = async (birthDate = '1970-01-01') => (await create({ resourceType: 'Patient', active: true, birthDate })).id;

function prescribe(patient, fields) {
  const { requester, ...resource } = order({ patient, ...fields }); /* this server wants to know whom it refers to */
  return create(resource);
}

const oxycodone = { drug: 'oxycodone20', sig: { frequency: 1, period: 6, periodUnit: 'h' } };

async function put(resource) {
  const r = await call('PUT', `${resource.resourceType}/${resource.id}`, resource);
  assert.ok(r.status < 300, diagnosis(r));
  return r.json;
}

async function entries(query) {
  const found = [];
  for (let next = query; next;) {
    const { json, status } = await call('GET', next, undefined, fresh);
    assert.equal(status, 200);
    found.push(...(json.entry ?? []).map((e) => e.resource));
    next = json.link?.find((l) => l.relation === 'next')?.url;
  }
  return found;
}

const issues = (patient) => entries(`DetectedIssue?patient=Patient/${patient}`);
const tasks = (patient) => entries(`Task?patient=Patient/${patient}`);

async function quiet(limitMs = 60_000) {
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0, limitMs);
}

/* Wait until the server shows `n` issues of a patient and the daemon has nothing left to do. */
async function shows(patient, n, limitMs = 30_000) {
  const until = Date.now() + limitMs;
  for (;;) {
    const found = await issues(patient);
    if (found.length === n) {
      await quiet();
      return issues(patient);
    }
    assert.ok(Date.now() < until, `${found.length} issues, expected ${n}\n${daemon.log.slice(-3000)}`);
    await pause(100);
  }
}

const open = (issue) => !issue.mitigation?.length;
let patient;

test('the subscription is active, and there is one', async () => {
  const found = (await entries('Subscription')).filter((s) => s.channel.endpoint.includes('/notify/'));
  assert.equal(found.length, 1);
  assert.equal(found[0].status, 'active');
});

test('a high dose shows as one DetectedIssue and one Task that points at it', async () => {
  patient = await newPatient();
  await prescribe(patient, oxycodone);
  const [issue] = await shows(patient, 1);
  const [task, ...more] = await tasks(patient);
  assert.equal(more.length, 0);
  assert.equal(task.focus.reference, `DetectedIssue/${issue.id}`);
  assert.match(issue.detail, /120 MME/);
});

test('an update without substance changes nothing; a second order is a second alert', async () => {
  const [rx] = await entries(`MedicationRequest?patient=Patient/${patient}`);
  await put({ ...rx, note: [{ text: 'synthetic' }] });
  await pause(1500);
  await quiet();
  assert.equal((await issues(patient)).length, 1);
  await prescribe(patient, { drug: 'lorazepam1' });
  await shows(patient, 2);
});

test('stop and delete resolve the alerts, without a new resource', async () => {
  const orders = await entries(`MedicationRequest?patient=Patient/${patient}`);
  const opioid = orders.find((o) => o.medicationCodeableConcept.coding[0].display.includes('oxycodone'));
  await put({ ...opioid, status: 'stopped' });
  await daemon.until((m) => m.alerts_resolved_total >= 2, 30_000);
  await quiet();
  const found = await issues(patient);
  assert.equal(found.length, 2);
  assert.deepEqual(found.map(open), [false, false]);
});

test('a deleted order counts no more', async () => {
  const p = await newPatient();
  const rx = await prescribe(p, oxycodone);
  await shows(p, 1);
  const resolved = (await daemon.metrics()).alerts_resolved_total;
  assert.ok((await call('DELETE', `MedicationRequest/${rx.id}`)).status < 300);
  await daemon.until((m) => m.alerts_resolved_total > resolved, 30_000);
  await quiet();
  assert.deepEqual((await issues(p)).map(open), [false]);
});

test(`a burst of ${BURST} orders of as many patients: each alerted once`, async () => {
  const patients = [];
  for (let i = 0; i < BURST; i++) {
    patients.push(await newPatient());
  }
  await Promise.all(patients.map((p) => prescribe(p, oxycodone)));
  for (const p of patients) {
    assert.equal((await shows(p, 1, 120_000)).length, 1);
    assert.equal((await tasks(p)).length, 1);
  }
});

test('killed in the middle of a burst and started again: nothing lost, nothing twice', async () => {
  const patients = [];
  for (let i = 0; i < 20; i++) {
    patients.push(await newPatient());
  }
  const orders = Promise.all(patients.map((p) => prescribe(p, oxycodone)));
  await pause(400);
  await daemon.kill('SIGKILL');
  await orders;
  await start();
  for (const p of patients) {
    assert.equal((await shows(p, 1, 120_000)).length, 1);
    assert.equal((await tasks(p)).length, 1);
  }
});

test('what changed while it was down is found', async () => {
  await daemon.kill('SIGTERM');
  const p = await newPatient();
  await prescribe(p, oxycodone);
  await pause(3000);
  await start();
  await shows(p, 1, 60_000);
});

test('the server holds no identifier twice', async () => {
  for (const type of ['DetectedIssue', 'Task']) {
    const seen = (await entries(type)).flatMap((r) => r.identifier ?? []).map((i) => `${i.system}|${i.value}`);
    assert.equal(new Set(seen).size, seen.length);
  }
  assert.equal((await entries('Subscription')).filter((s) => s.channel.endpoint.includes('/notify/')).length >= 1, true);
});
