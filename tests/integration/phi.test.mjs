/*
 * Privacy: what identifies a patient stays out of log, metrics and answers
 *
 * Every field that could name a person carries the mark, ids and URLs too; then
 * everything that can go right and wrong is done at the most talkative log level.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { order } from '../sim/orders.mjs';
import { Daemon } from './daemon.mjs';

const MARK = 'Zq7-mark';
const id = (name) => `${MARK}-${name}`;
const started = [];
let directory;
let sim;
const heard = []; /* bodies of answers the daemon gave to errors */

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'opiward-privacy-'));
  const data = join(directory, 'data.json');
  writeFileSync(data, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [] }));
  sim = await Sim.start({ data, dialect: 'hapi', timeScale: 0.05, activationDelay: 2, token: `${MARK}-token` });
});

after(async () => {
  await Promise.all(started.map((d) => d.kill()));
  await sim?.close();
  rmSync(directory, { recursive: true, force: true });
});

function secret(name) {
  const file = join(directory, name);
  writeFileSync(file, `${MARK}-${name}\n`, { mode: 0o600 });
  return file;
}

async function start(base, over = {}) {
  const d = await Daemon.start({ base, settings: {
    fhir: { auth: 'bearer', secret_file: secret('token'), timeout: '500ms', check_interval: '1s', catch_up_interval: '1s', ...over.fhir },
    sinks: { webhook_url: sim.webhookUrl(), webhook_secret_file: secret('webhook') },
    outbox: { first_retry: '20ms', retry_cap: '100ms', breaker_pause: '100ms' },
    log: { level: 'debug' } } });
  started.push(d);
  return d;
}

/* Nothing of the mark in what the daemon lets out, in any case of letters. */
async function silent(d) {
  const metrics = await (await fetch(`${d.operations}/metrics`)).text();
  for (const [where, text] of [['log', d.log], ['metrics', metrics], ...heard.map((b) => ['answer', b])]) {
    const line = text.split('\n').find((l) => l.toLowerCase().includes(MARK.toLowerCase()));
    assert.equal(line, undefined, `in the ${where}`);
  }
  const channel = /\/notify\/(\w+)/.exec(await d.endpoint(sim) ?? '')?.[1];
  if (channel) {
    assert.ok(!d.log.includes(channel), 'the secret channel is in the log');
  }
}

const person = (name) => ({
  resourceType: 'Patient', id: id(name), birthDate: '1960-01-01',
  identifier: [{ system: `urn:${MARK}`, value: id('mrn') }],
  name: [{ family: id('family'), given: [id('given')], text: id('name') }],
  address: [{ line: [id('street')], city: id('city') }], telecom: [{ system: 'phone', value: id('phone') }],
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${MARK}</div>` },
});
const marked = (name, fields = {}) => order({
  id: id(`rx-${name}`), patient: id(name), requester: `Practitioner/${id('doc')}`, drug: 'oxycodone20', sig: { frequency: 4 },
  note: [{ text: id('note') }], identifier: [{ system: `urn:${MARK}`, value: id('order') }],
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${MARK}</div>` }, ...fields });

const token = { Authorization: `Bearer ${MARK}-token` };
const put = (resource) => sim.expect([200, 201], 'PUT', `${resource.resourceType}/${resource.id}`, resource, token);

async function settle(d) {
  await sim.idle({ timeoutMs: 20_000, quietMs: 100 });
  await d.until((m) => m.jobs === 0 && m.inbox_waiting === 0 && m.outbox_due === 0);
}

test('alerts, retries, dead letters and parked events tell no mark', async () => {
  const d = await start(sim.base);
  await d.until((m) => m.subscription_active === 1);
  await put(person('a'));
  await put(marked('a'));
  await put(marked('a', { id: id('free'), dosageInstruction: [{ text: `as ${MARK} says` }], medicationCodeableConcept: { text: `oxycodone ${MARK}` } }));
  await settle(d);
  assert.ok((await d.metrics()).alerts_opened_total >= 1);
  for (const [match, action, count] of [
    [{ method: 'POST', path: '^/fhir/?$' }, { storeThenHangup: true }, 1], [{ method: 'POST', path: '^/fhir/?$' }, { status: 503 }, 2],
    [{ method: 'POST', path: '^/fhir/?$' }, { status: 422 }, 1], [{ method: 'GET', path: 'MedicationRequest' }, { status: 503 }, 2],
    [{ method: 'GET', path: 'MedicationRequest' }, { garbage: true }, 1], [{ method: 'GET', path: 'MedicationRequest' }, { cut: 30 }, 1],
    [{ path: 'webhook' }, { status: 500 }, 2], [{ method: 'GET', path: 'MedicationRequest' }, { slowMs: 800 }, 1]]) {
    await sim.faults([{ match, action, count }]);
    const name = `p${randomUUID().slice(0, 8)}`;
    await put(person(name));
    await put(marked(name));
    await settle(d);
  }
  const poison = id('poison');
  await put(person('poison'));
  await sim.faults([{ match: { method: 'GET', path: `subject=|patient=` }, action: { status: 400 }, count: 20 }]);
  await put(marked('poison', { id: poison }));
  await d.until((m) => m.inbox_parked >= 1);
  await sim.clearFaults();
  await sim.expect([200, 204], 'DELETE', `MedicationRequest/${poison}`, undefined, token);
  await settle(d);
  await silent(d);
  assert.ok(d.log.length > 1000, 'it did talk');
});

test('notifications and CDS Hooks calls that are refused tell no mark', async () => {
  const d = await start(sim.base);
  await d.until((m) => m.subscription_active === 1);
  const endpoint = await d.endpoint(sim);
  const fhir = { 'Content-Type': 'application/fhir+json' };
  const say = async (url, options) => {
    const reply = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(5000), ...options });
    const text = await reply.text();
    if (reply.status >= 400) {
      heard.push(text, JSON.stringify([...reply.headers]));
    }
    return reply.status;
  };
  assert.equal(await say(`${endpoint}/MedicationRequest/${id('x')}`, { method: 'PUT', headers: fhir, body: JSON.stringify(marked('y')) }), 400);
  assert.equal(await say(`${endpoint}/${MARK}/a%20b`, { method: 'PUT', headers: fhir, body: `{"resourceType":"${MARK}` }), 400);
  assert.equal(await say(`${endpoint}/MedicationRequest/${id('x')}`, { method: 'PUT', headers: fhir, body: `{"${MARK}":1,"${MARK}":2}` }), 400);
  assert.equal(await say(`${d.origin}/notify/${MARK}`, { headers: fhir, body: '{}' }), 404);
  assert.equal(await say(`${d.origin}/${MARK}?name=${MARK}`, { headers: { [MARK]: MARK } }), 404);
  const call = (over) => ({ headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${MARK}` }, body: JSON.stringify({
    hook: 'order-sign', hookInstance: randomUUID(), context: { userId: `Practitioner/${id('doc')}`, patientId: id('h'), encounterId: id('enc'),
      draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: marked('h', { status: 'draft' }) }] } },
    prefetch: { [MARK]: person('h') }, ...over }) });
  const service = `${d.origin}/cds-services/opiward-order-sign`;
  assert.equal(await say(service, call({ prefetch: { [MARK]: person('h'), orders: null } })), 200);
  assert.equal(await say(service, call({ fhirServer: `http://127.0.0.1:9/${MARK}` })), 412);
  assert.equal(await say(service, call({ fhirServer: `ftp://${MARK}`, fhirAuthorization: { access_token: MARK, token_type: 'Bearer', expires_in: 1, scope: MARK, subject: MARK } })), 400);
  assert.equal(await say(service, call({ hookInstance: MARK })), 400);
  assert.equal(await say(service, call({ hook: MARK })), 400);
  assert.equal(await say(service, call({ prefetch: MARK })), 400);
  assert.equal(await say(service, { headers: { 'Content-Type': 'application/json' }, body: `{"hook":"${MARK}` }), 400);
  assert.equal(await say(`${service}/feedback`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ feedback: [{ card: MARK, outcome: MARK }] }) }), 400);
  await say(service, call({})); /* asks the server for the orders */
  await settle(d);
  await silent(d);
});

/* A server that repeats every secret it can: in texts, headers, redirects, broken JSON. */
function gossip() {
  const outcome = (status) => [status, { 'Content-Type': 'application/fhir+json' }, JSON.stringify({ resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'processing', diagnostics: `Patient/${id('g')} ${MARK}`, details: { text: `${MARK} is unknown` }, expression: [MARK], location: [MARK] }] })];
  const answers = [outcome(400), outcome(404), outcome(410), outcome(422), outcome(500), outcome(200), outcome(401), outcome(403), outcome(409), outcome(412), outcome(429),
    [302, { Location: `http://127.0.0.1:9/${MARK}` }, ''], [200, { 'Content-Type': 'application/fhir+json' }, `{"resourceType":"${MARK}","${MARK}":`],
    [200, { 'Content-Type': `application/${MARK}` }, `<html>${MARK}</html>`],
    [200, { 'Content-Type': 'application/fhir+json' }, JSON.stringify({ resourceType: 'Bundle', type: 'searchset', link: [{ relation: 'next', url: `http://${MARK}.example.org/` }], entry: [{ resource: { resourceType: 'Patient', id: 'other', name: MARK } }] })],
    [200, { 'Content-Type': 'application/fhir+json', ETag: MARK }, JSON.stringify({ resourceType: MARK, id: MARK })],
    [201, { 'Content-Type': 'application/fhir+json', Location: `http://127.0.0.1/${MARK}` }, '']];
  let n = 0;
  const server = http.createServer((req, res) => {
    req.resume();
    const [status, headers, body] = answers[n++ % answers.length];
    res.writeHead(status, headers);
    res.end(body);
  });
  return new Promise((r) => server.listen(0, '127.0.0.1', () => r({ server, seen: () => n, base: `http://127.0.0.1:${server.address().port}/fhir` })));
}

test('a server that gossips in its answers finds no echo in the log', async () => {
  const { server, seen, base } = await gossip();
  try {
    const d = await start(base);
    const until = Date.now() + 6000;
    while (seen() < 60 && Date.now() < until) {
      const body = { hook: 'patient-view', hookInstance: randomUUID(), context: { userId: `Practitioner/${MARK}`, patientId: id('g') }, prefetch: {} };
      const reply = await fetch(`${d.origin}/cds-services/opiward-patient-view`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
      const text = await reply.text();
      if (reply.status >= 400) {
        heard.push(text);
      }
    }
    assert.ok(seen() >= 17, `${seen()} questions`);
    await silent(d);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
