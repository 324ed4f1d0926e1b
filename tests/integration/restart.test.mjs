/*
 * Restart: stopping, starting, being away, and a server that forgot us
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';

let directory;
let sim;
let port;
let serial = 0;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'opiward-restart-'));
  const data = join(directory, 'data.json');
  writeFileSync(data, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [] }));
  sim = await Sim.start({ data, dialect: 'hapi', timeScale: 0.05, activationDelay: 2 });
  port = await freePort();
});

beforeEach(() => sim.reset());

const started = [];
after(async () => {
  await Promise.all(started.map((d) => d.kill()));
  await sim?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function freePort() {
  for (let p = 30_000 - (process.pid % 5000); ; p--) {
    const server = createServer();
    const got = await new Promise((r) => server.once('error', () => r(false)).listen(p, '127.0.0.1', () => r(true)));
    await new Promise((r) => server.close(r));
    if (got) {
      return p;
    }
  }
}

async function start(at, over = {}) {
  const d = await Daemon.start({ sim, directory: at, ...over, wait: false, settings: {
    listen: { port }, fhir: { catch_up_interval: '1h', check_interval: '1s' }, rules: DOSE_RULES, ...over.settings } });
  started.push(d);
  return over.wait === false ? d : d.ready();
}

const room = (name) => {
  const at = join(directory, name);
  mkdirSync(at);
  return at;
};
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

async function settle(d) {
  await sim.idle({ timeoutMs: 20_000, quietMs: 50 });
  await d.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
}

async function highDose() {
  const id = `r${++serial}`;
  await sim.put({ resourceType: 'Patient', id, birthDate: '1960-01-01' });
  await sim.order({ id: `rx-${id}`, patient: id, drug: 'oxycodone20', sig: { frequency: 4 } });
  return id;
}

async function onceEach(ids) {
  const stored = await sim.stored('DetectedIssue');
  for (const id of ids) {
    assert.equal(stored.filter((i) => i.patient.reference === `Patient/${id}`).length, 1, `alerts of ${id}`);
  }
  assert.deepEqual(await sim.duplicates('DetectedIssue'), []);
}

async function until(what, test, limitMs = 10_000) {
  const end = Date.now() + limitMs;
  while (!await test()) {
    assert.ok(Date.now() < end, `${what} did not come`);
    await sleep(20);
  }
}

test('a second daemon on the same directory ends at once with 75 and says why', async () => {
  const at = room('twice');
  const first = await start(at, { settings: { listen: { port: 0 } } });
  const began = Date.now();
  const second = await start(at, { wait: false, settings: { listen: { port: 0 } } });
  assert.equal((await second.ended).code, 75);
  assert.ok(Date.now() - began < 3000);
  const [line] = second.lines('store.failed');
  assert.match(line.reason, /another|in use|lock/i);
  await first.until((m) => m.inbox_waiting === 0);
  assert.equal(await first.stop(), 0);
});

test('a store of a newer opiward is refused with 78 and left alone', async () => {
  const at = room('newer');
  await (await start(at)).stop();
  const file = join(at, 'state', 'opiward.db');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const d = await start(at, { wait: false });
  assert.equal((await d.ended).code, 78);
  assert.match(d.lines('store.failed')[0].reason, /newer|version/i);
  const again = new DatabaseSync(file, { readOnly: true });
  assert.equal(again.prepare('PRAGMA user_version').get().user_version, 99);
  again.close();
});

test('wrong settings end with 78, a directory that cannot be with 73', async () => {
  const bad = await start(room('bad'), { wait: false, settings: { listen: { port: 99999 } } });
  assert.equal((await bad.ended).code, 78);
  assert.match(bad.log, /opiward\.yaml:\d+:\d+:/);
  const at = room('nowhere');
  writeFileSync(join(at, 'file'), '');
  const d = await start(at, { wait: false, settings: { store: { directory: join(at, 'file', 'state') } } });
  assert.equal((await d.ended).code, 73);
});

test('a port that is taken ends with 69', async () => {
  const server = createServer();
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  for (const which of ['listen', 'operations']) {
    const d = await start(room(`taken-${which}`), { wait: false, settings: { [which]: { port: server.address().port } } });
    assert.deepEqual(await d.ended, { code: 69, signal: null }, d.log);
    assert.match(d.lines('listen.failed')[0].reason, /in use/);
  }
  await new Promise((r) => server.close(r));
});

test('what changed while the daemon was away is found at the start', async () => {
  const at = room('away');
  let d = await start(at);
  await d.until((m) => m.subscription_active === 1);
  const before = await highDose();
  await settle(d);
  assert.equal(await d.stop(), 0);
  await sim.settings({ timeScale: 0 }); /* every retry fails at once */
  const during = await highDose();
  await sim.stopOrder(`rx-${before}`);
  await sim.idle({ timeoutMs: 20_000 });
  await sim.settings({ timeScale: 0.05 });
  d = await start(at);
  await d.until((m) => m.catch_ups_total >= 1);
  await settle(d);
  await onceEach([before, during]);
  const gone = (await sim.stored('DetectedIssue')).find((i) => i.patient.reference === `Patient/${before}`);
  assert.equal(gone.status, 'amended');
  assert.equal((await sim.stored('Subscription')).filter((s) => s.channel.endpoint.includes(`:${port}/`)).length, 1, 'its Subscription is found again');
  assert.equal(await d.stop(), 0);
});

test('a Subscription in error, off or deleted on the server is healed, and nothing is missed', async () => {
  const d = await start(room('healed'));
  await d.until((m) => m.subscription_active === 1);
  const ours = async () => (await sim.stored('Subscription')).filter((s) => s.channel.endpoint.includes(d.origin)).at(-1);
  const harm = {
    error: (s) => sim.put({ ...s, status: 'error', error: 'the endpoint did not answer' }),
    off: (s) => sim.put({ ...s, status: 'off' }),
    deleted: (s) => sim.delete(`Subscription/${s.id}`),
  };
  for (const [name, act] of Object.entries(harm)) {
    await act(await ours());
    const missed = await highDose();
    await until(`${name}: active again`, async () => (await ours())?.status === 'active');
    await until(`${name}: the alert`, async () => (await sim.stored('DetectedIssue')).some((i) => i.patient.reference === `Patient/${missed}`));
    await settle(d);
    const next = await highDose();
    await settle(d);
    await onceEach([missed, next]);
  }
  assert.equal(await d.stop(), 0);
});

test('SIGTERM under load: exit 0, and after the next start every alert is there once', async () => {
  const at = room('load');
  const ids = [];
  for (let round = 0; round < 3; round++) {
    const d = await start(at);
    await until('the Subscription', async () => (await sim.stored('Subscription')).some((s) => s.status === 'active'));
    const loading = (async () => {
      for (let i = 0; i < 40; i++) {
        ids.push(await highDose());
      }
    })();
    await sleep(60 + round * 90);
    const began = Date.now();
    assert.equal(await d.stop(), 0, d.log);
    assert.ok(Date.now() - began < 6000, 'the stop is bounded');
    await loading;
  }
  const d = await start(at);
  await until('the alerts', async () => (await sim.stored('DetectedIssue')).length >= ids.length, 20_000);
  await settle(d);
  await onceEach(ids);
  assert.equal(await d.stop(), 0);
});
