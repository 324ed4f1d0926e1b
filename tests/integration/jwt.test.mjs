/*
 * JWT: who may call CDS Hooks (the conformance rules 31 to 35, the real daemon)
 *
 * Every refusal is 401 with nothing in it; the reason stands in the log and in the metrics, and
 * nothing of a token stands anywhere.
 */
import assert from 'node:assert/strict';
import { constants, createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon } from './daemon.mjs';

const ISS = 'https://ehr.example.org/fhir';
const RSA = 'https://rsa.example.org/fhir';
const JKU = 'https://ehr.example.org/keys';
const PUBLIC = 'https://mme.example.org/proxy';
const SERVICE = '/cds-services/opiward-patient-view';
const KID = 'a+b/c==';
const folder = mkdtempSync(join(tmpdir(), 'opiward-jwt-'));
const sent = []; // every token that was ever shown
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
let daemon;

const jwk = (pair, kid = KID) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid });
const keys = (name, ...set) => {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, JSON.stringify({ keys: set }));
  renameSync(`${file}.new`, file);
  return file;
};
const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

function claims(more = {}) {
  const now = seconds();
  return { iss: ISS, aud: `${PUBLIC}${SERVICE}`, iat: now, exp: now + 300, jti: randomUUID(), ...more };
}

function token(payload = claims(), { header = {}, pair = ec, digest = 'sha384', ...how } = {}) {
  const text = `${b64({ alg: 'ES384', kid: KID, typ: 'JWT', ...header })}.${b64(payload)}`;
  const t = `${text}.${sign(digest, text, { key: pair.privateKey, dsaEncoding: 'ieee-p1363', ...how }).toString('base64url')}`;
  sent.push(t);
  return t;
}

const body = () => JSON.stringify({
  hook: 'patient-view', hookInstance: randomUUID(), context: { patientId: 'p1', userId: 'Practitioner/1' },
  prefetch: { patient: { resourceType: 'Patient', id: 'p1', birthDate: '1960-01-01' }, rx: { resourceType: 'Bundle', type: 'searchset', entry: [] } },
});

const call = (t, { path = SERVICE, method = 'POST', send = body(), d = daemon } = {}) => fetch(`${d.origin}${path}`, {
  method, body: method === 'GET' ? undefined : send,
  headers: { ...(t ? { Authorization: `Bearer ${t}` } : {}), ...(method === 'GET' ? {} : { 'Content-Type': 'application/json' }) },
});

async function denied(reply, fault, d = daemon) {
  assert.equal(reply.status, 401, `${fault}: ${await reply.clone().text()}`);
  assert.equal(await reply.text(), '');
  assert.equal(reply.headers.get('www-authenticate'), 'Bearer');
  const until = Date.now() + 5000;
  while (d.lines('hook.denied').at(-1)?.fault !== fault && Date.now() < until) {
    await new Promise((r) => setTimeout(r, 10));
  }
  assert.equal(d.lines('hook.denied').at(-1)?.fault, fault);
}

async function taken(reply) {
  assert.equal(reply.status, 200, `${await reply.clone().text()}\n${daemon.log.slice(-2000)}`);
  return reply;
}

const settings = (more = {}) => ({
  listen: { port: 0, public_url: PUBLIC }, sinks: { fhir: false },
  clients: {
    [ISS]: { jwks_file: keys('ec.json', jwk(ec)), jku: JKU },
    [RSA]: { jwks_file: keys('rsa.json', { ...jwk(rsa), alg: 'RS384', use: 'sig' }), fhir_server: RSA, tenants: 'north south' },
  },
  ...more,
});
const start = (more, directory) => Daemon.start({ settings: settings(more), directory });

before(async () => { daemon = await start({}, mkdtempSync(join(folder, 'state-'))); });
after(async () => {
  const status = await daemon?.stop();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(status, 0, daemon?.log);
});

test('5.6/31 each way to be wrong is 401, empty, and has its reason in the log', async () => {
  const now = seconds();
  const none = `${b64({ alg: 'none', kid: KID })}.${b64(claims())}.`;
  const hsText = `${b64({ alg: 'HS256', kid: KID })}.${b64(claims())}`;
  const hs = `${hsText}.${createHmac('sha256', ec.publicKey.export({ type: 'spki', format: 'pem' })).update(hsText).digest('base64url')}`;
  sent.push(none, hs);
  const good = token();
  for (const [t, fault] of [
    [null, 'absent'],
    ['x', 'form'],
    [token(claims({ iat: now - 600, exp: now - 61 })), 'expired'],
    [none, 'algorithm'],
    [hs, 'algorithm'],
    [token(claims({ aud: 'https://another.example.org' })), 'audience'],
    [token(claims({ aud: `${PUBLIC}/cds-services/opiward-order-sign` })), 'audience'],
    [token(claims({ aud: `${PUBLIC}${SERVICE}/feedback` })), 'audience'],
    [token(claims({ iss: 'https://stranger.example.org' })), 'issuer'],
    [token(claims(), { header: { jku: 'https://stranger.example.org/keys' } }), 'jku'],
    [token(claims(), { header: { kid: 'another' } }), 'unknown_key'],
    [token(claims(), { pair: other }), 'signature'],
    [`${good.slice(0, -3)}AAA`, 'signature'],
    [token(claims(), { header: { alg: 'ES256' }, digest: 'sha256' }), 'algorithm_of_issuer'],
    [token(claims({ iss: RSA, tenant: 'north' })), 'unfit_key'],
    [token(claims({ iat: now + 120, exp: now + 300 })), 'issued'],
    [token(claims({ nbf: now + 120 })), 'not_before'],
    [token(claims({ exp: now + 7200 })), 'lifetime'],
    [token({ ...claims(), jti: undefined }), 'claims'],
    ['A'.repeat(9000), 'size'],
  ]) {
    await denied(await call(t), fault);
  }
  const { hooks_refused_total: refused } = await daemon.metrics();
  assert.ok(refused >= 20);
  const text = await (await fetch(`${daemon.operations}/metrics`)).text();
  assert.match(text, /opiward_hooks_denied_total\{reason="audience"\} 3/);
});

test('5.6/31 a token is taken once, before and after a restart of the daemon', async () => {
  const once = token();
  await taken(await call(once));
  await denied(await call(once), 'replayed');
  const both = token();
  const twin = await Promise.all([call(both), call(both)]);
  assert.deepEqual(twin.map((r) => r.status).sort(), [200, 401]);
  const last = token();
  await taken(await call(last));
  await daemon.kill(); // at once behind the answer
  const log = daemon.log;
  daemon = await start({}, daemon.directory);
  daemon.log = log + daemon.log;
  for (const t of [once, both, last]) {
    await denied(await call(t), 'replayed');
  }
  await taken(await call(token()));
});

test('5.6/32 ES384 and RS384 verify; an ECDSA signature in DER does not', async () => {
  await taken(await call(token(claims(), { header: { jku: JKU } })));
  const rs = { pair: rsa, header: { alg: 'RS384' } };
  await taken(await call(token(claims({ iss: RSA, tenant: 'north' }), rs)));
  await denied(await call(token(claims(), { dsaEncoding: 'der' })), 'signature');
  await denied(await call(token(claims({ iss: RSA, tenant: 'north' }), { ...rs, padding: constants.RSA_PKCS1_PSS_PADDING })), 'signature');
  await denied(await call(token(claims({ iss: RSA, tenant: 'east' }), rs)), 'tenant');
});

test('5.6/33 aud as a list, with a slash, under the name of the reverse proxy', async () => {
  await taken(await call(token(claims({ aud: ['https://another.example.org', `${PUBLIC}${SERVICE}`] }))));
  await taken(await call(token(claims({ aud: `${PUBLIC}${SERVICE}/` }))));
  await denied(await call(token(claims({ aud: `${daemon.origin}${SERVICE}` }))), 'audience');
  const feedback = { path: `${SERVICE}/feedback`, send: JSON.stringify({ feedback: [{ outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }] }) };
  await taken(await call(token(claims({ aud: `${PUBLIC}${SERVICE}/feedback` })), feedback));
  await taken(await call(token(claims({ aud: `${PUBLIC}${SERVICE}` })), feedback));
  await denied(await call(null, feedback), 'absent');
});

test('a client speaks for its own FHIR server only', async () => {
  const naming = (fhirServer) => ({ send: JSON.stringify({ ...JSON.parse(body()), fhirServer }) });
  const t = () => token(claims({ iss: RSA, tenant: 'south' }), { pair: rsa, header: { alg: 'RS384' } });
  await taken(await call(t(), naming(`${RSA}/`)));
  const reply = await call(t(), naming('https://internal.example.org/fhir'));
  assert.equal(reply.status, 400);
  assert.match(await reply.text(), /not the one of this client/);
});

test('keys in a file are read again when the file changes, and bad ones leave the old', async () => {
  keys('ec.json', jwk(ec), jwk(other, 'new'));
  await taken(await call(token(claims(), { pair: other, header: { kid: 'new' } })));
  writeFileSync(join(folder, 'ec.json'), '{"keys":[');
  await taken(await call(token(claims(), { pair: other, header: { kid: 'new' } })));
  assert.equal(daemon.lines('keys.bad').length, 1);
  keys('ec.json', jwk(ec));
  await denied(await call(token(claims(), { pair: other, header: { kid: 'new' } })), 'unknown_key');
});

test('5.6/34 a new kid is found by one fetch out of turn, and no more within the minute', async () => {
  let set = { keys: [jwk(ec, 'old')] };
  let fetched = 0;
  const server = createServer((req, res) => {
    fetched++;
    res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=3600' });
    res.end(JSON.stringify(set));
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const url = `http://127.0.0.1:${server.address().port}/keys`;
  const d = await start({ clients: { [ISS]: { jwks_url: url } } });
  try {
    await taken(await call(token(claims(), { header: { kid: 'old', jku: url } }), { d }));
    assert.equal(fetched, 1);
    set = { keys: [jwk(other, 'new')] };
    const fresh = () => call(token(claims(), { pair: other, header: { kid: 'new' } }), { d });
    const both = await Promise.all([fresh(), fresh()]); // one fetch for both
    assert.deepEqual(both.map((r) => r.status), [200, 200]);
    assert.equal(fetched, 2);
    await denied(await call(token(claims(), { header: { kid: 'old' } }), { d }), 'unknown_key', d);
    await denied(await call(token(claims(), { header: { kid: 'third' } }), { d }), 'unknown_key', d);
    assert.equal(fetched, 2);
    assert.equal((await d.metrics()).hooks_key_fetches_total, 2);
  } finally {
    assert.equal(await d.stop(), 0, d.log);
    server.close();
  }
});

test('a redirect, a page and a set too large are no key sets, and without keys calls are refused', async () => {
  const large = JSON.stringify({ keys: [jwk(ec)], more: 'x'.repeat(300 << 10) });
  for (const answer of [
    (res) => { res.writeHead(302, { Location: '/elsewhere' }); res.end(); },
    (res) => { res.writeHead(200); res.end('<html>'); },
    (res) => { res.writeHead(200); res.end(large); },
  ]) {
    const paths = [];
    const server = createServer((req, res) => { paths.push(req.url); answer(res); });
    await new Promise((r) => server.listen(0, '127.0.0.1', r));
    const d = await start({ clients: { [ISS]: { jwks_url: `http://127.0.0.1:${server.address().port}/keys` } } });
    try {
      await denied(await call(token(), { d }), 'no_keys', d);
      await denied(await call(token(), { d }), 'no_keys', d);
      assert.deepEqual([...new Set(paths)], ['/keys']);
      assert.ok(paths.length <= 2, 'at the start, and once out of turn');
      assert.equal(d.lines('keys.unreachable').length + d.lines('keys.bad').length, paths.length);
    } finally {
      assert.equal(await d.stop(), 0, d.log);
      server.close();
    }
  }
});

test('a daemon that waits for keys stops when it is told to', async () => {
  const server = createServer(() => {}); // never answers
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const d = await start({ clients: { [ISS]: { jwks_url: `http://127.0.0.1:${server.address().port}/` } } });
  const waiting = call(token(), { d }).then((r) => r.status, () => 'closed');
  await new Promise((r) => setTimeout(r, 200));
  assert.equal(await d.stop(), 0, d.log);
  assert.ok([401, 'closed'].includes(await waiting));
  server.closeAllConnections();
  server.close();
});

test('5.6/35 discovery needs a token of its own URL, or none where that is set', async () => {
  const path = '/cds-services';
  await denied(await call(null, { path, method: 'GET' }), 'absent');
  await denied(await call(token(), { path, method: 'GET' }), 'audience');
  const reply = await taken(await call(token(claims({ aud: `${PUBLIC}${path}` })), { path, method: 'GET' }));
  assert.ok((await reply.json()).services.length >= 3);
  const d = await start({ hooks: { jwt_on_discovery: false } });
  try {
    assert.equal((await call(null, { path, method: 'GET', d })).status, 200);
    await denied(await call(null, { d }), 'absent', d);
  } finally {
    assert.equal(await d.stop(), 0, d.log);
  }
});

test('hooks.require_jwt: no takes calls without a token although there are clients', async () => {
  const d = await start({ hooks: { require_jwt: 'no' } });
  try {
    assert.equal((await call(null, { d })).status, 200);
  } finally {
    assert.equal(await d.stop(), 0, d.log);
  }
});

test('nothing of a token stands in the log', () => {
  for (const t of sent) {
    for (const part of t.split('.').filter((p) => p.length > 20)) {
      assert.ok(!daemon.log.includes(part));
    }
    const jti = /"jti":"([^"]+)"/.exec(Buffer.from(t.split('.')[1], 'base64url').toString())?.[1];
    assert.ok(!jti || !daemon.log.includes(jti));
  }
});
