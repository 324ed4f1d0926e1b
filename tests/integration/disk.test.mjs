/*
 * Disk: what the real daemon does while its disk takes nothing
 *
 * A limit on the size of files stands for the full disk: each write of the store fails from one
 * moment on, until the limit is lifted.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { order } from '../sim/orders.mjs';
import { DOSE_RULES, Daemon } from './daemon.mjs';

let sim;
let daemon;
let endpoint;
let systemd; /* stands for it: what the daemon notifies */
let said = '';
let path;

/* Node has no datagram sockets of the local kind. */
const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)
`;

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'hapi', timeScale: 0.1, activationDelay: 10 });
  path = join(tmpdir(), `opiward-notify-${randomUUID()}`);
  systemd = spawn('python3', ['-c', LISTEN, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  systemd.stdout.on('data', (part) => { said += part; });
  while (!said.includes('bound')) {
    await new Promise((r) => setTimeout(r, 10));
  }
  /* without the signal a write beyond the limit is an error like any other */
  daemon = await Daemon.start({ sim, command: ['bash', '-c', 'trap "" XFSZ; exec "$@"', 'bash'], env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' }, settings: { fhir: { catch_up_interval: '1h' }, rules: DOSE_RULES } });
  await daemon.until((m) => m.subscription_active === 1);
  await settle();
  endpoint = await daemon.endpoint(sim);
});

after(async () => {
  assert.equal(await daemon?.stop(), 0, daemon?.log);
  await sim?.close();
  systemd?.kill();
  rmSync(path, { force: true });
});

async function settle() {
  await sim.idle({ timeoutMs: 10_000, quietMs: 100 });
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
}

const disk = (bytes) => execFileSync('prlimit', ['--pid', String(daemon.child.pid), `--fsize=${bytes}:unlimited`]);
const notify = (resource) => fetch(`${endpoint}/MedicationRequest/${resource.id}`, {
  method: 'PUT', headers: { 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(resource), signal: AbortSignal.timeout(5000) });
const rx = (id) => ({ ...order({ patient: 'p6', drug: 'oxycodone20', sig: { frequency: 1, period: 6, periodUnit: 'h' }, days: 30 }), id, meta: { versionId: '1' } });

test('a disk that takes nothing: 503 with Retry-After, hooks go on, and all is well again without a restart', async () => {
  disk(1);
  for (let i = 0; i < 3; i++) {
    const reply = await notify(rx('full-1'));
    assert.equal(reply.status, 503);
    assert.ok(Number(reply.headers.get('retry-after')) > 0);
    assert.equal((await reply.json()).resourceType, 'OperationOutcome');
  }
  const hook = await fetch(`${daemon.origin}/cds-services/opiward-patient-view`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, signal: AbortSignal.timeout(5000),
    body: JSON.stringify({ hook: 'patient-view', hookInstance: randomUUID(), context: { userId: 'Practitioner/prac1', patientId: 'p6' },
      prefetch: { p: { resourceType: 'Patient', id: 'p6' }, m: { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: rx('hook') }] } } }) });
  assert.equal(hook.status, 200);
  assert.match((await hook.json()).cards[0].summary, /120/);
  assert.ok(daemon.lines('event.not-stored').length >= 1);
  const pings = () => said.split('WATCHDOG=1').length;
  await new Promise((r) => setTimeout(r, 1200));
  const then = pings();
  await new Promise((r) => setTimeout(r, 1200));
  assert.ok(pings() > then, 'it lives, and says so: a restart would make no room');

  disk('unlimited');
  await sim.put(rx('full-1'));
  let reply;
  for (let i = 0; i < 50 && reply?.status !== 200; i++) {
    await new Promise((r) => setTimeout(r, 100));
    reply = await notify(rx('full-1'));
  }
  assert.equal(reply.status, 200);
  await settle();
  const issues = (await sim.stored('DetectedIssue')).filter((i) => i.patient.reference === 'Patient/p6');
  assert.equal(issues.length, 1);
  assert.equal(daemon.exit, undefined);
});

test('the disk is full while verdict and delivery are to be recorded: told once, as soon as there is room', async () => {
  const before = (await sim.stored('DetectedIssue')).length;
  await sim.put({ resourceType: 'Patient', id: 'full-p', birthDate: '1970-01-01' });
  await sim.faults([{ match: { method: 'GET', path: 'MedicationRequest' }, action: { slowMs: 300 }, count: 1 }]);
  await sim.put({ ...rx('full-2'), subject: { reference: 'Patient/full-p' } });
  await daemon.until((m) => m.jobs >= 1);
  disk(1);
  await new Promise((r) => setTimeout(r, 1500));
  assert.equal((await sim.stored('DetectedIssue')).length, before, 'nothing is told that is not recorded');
  disk('unlimited');
  await settle();
  await daemon.until((m) => m.jobs === 0 && m.inbox_waiting === 0);
  await settle();
  assert.equal((await sim.stored('DetectedIssue')).length, before + 1);
  assert.deepEqual(await sim.duplicates('DetectedIssue'), []);
});
