/*
 * Client: the public CDS Hooks sandbox, as it behaves on the wire
 *
 * A browser client: preflights, a JWT (ES384) on every call, prefetch read from the FHIR server by
 * POST _search and then GET, one draft that is called again with every change on the form, odd shapes
 * (`category` and `reasonCode` as objects, `{pill}`, no `intent` until the form is full, a dose without
 * a drug), the same card answered more than once.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Sim } from '../sim/client.mjs';
import { Daemon } from './daemon.mjs';

const ORIGIN = 'https://sandbox.example.org';
const PATIENT = 'p1';
const USER = 'Practitioner/COREPRACTITIONER1';
let sim;
let daemon;
let services;
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const folder = mkdtempSync(join(tmpdir(), 'opiward-keys-'));

/* With tokens required when client-jwt.test.mjs runs the same tests once more. */
function clients() {
  if (!process.env.OPIWARD_CLIENT_JWT) {
    return {};
  }
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES384' }] }));
  return { clients: { [ORIGIN]: { jwks_file: file, jku: `${ORIGIN}/.well-known/jwks.json` } } };
}

before(async () => {
  sim = await Sim.start({ data: true, dialect: 'none' });
  daemon = await Daemon.start({ sim, settings: { listen: { cors_origins: ORIGIN }, fhir: { subscribe: false }, hooks: { allow_http: true }, ...clients() } });
});

after(async () => {
  const status = await daemon?.stop();
  await sim?.close();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(status, 0, daemon?.log);
});

function jwt(aud) {
  const now = Math.round(Date.now() / 1000);
  const text = [{ alg: 'ES384', typ: 'JWT', kid: 'k', jku: `${ORIGIN}/.well-known/jwks.json` },
    { iss: ORIGIN, aud, exp: now + 300, iat: now, jti: randomUUID() }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha384', text, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/* What a browser does: ask first, then call, and look at the answer only if it may. */
async function browse(path, { method = 'GET', body, type = 'application/json' } = {}) {
  const url = `${daemon.origin}${path}`;
  const asked = await fetch(url, { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization,content-type' } });
  assert.equal(asked.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(asked.headers.get('access-control-allow-headers'), /authorization/i);
  assert.match(asked.headers.get('access-control-allow-methods'), new RegExp(method));
  const reply = await fetch(url, {
    method, body: body && JSON.stringify(body),
    headers: { Origin: ORIGIN, Accept: 'application/json', Authorization: `Bearer ${jwt(url)}`, ...(body ? { 'Content-Type': type } : {}) },
  });
  assert.equal(reply.headers.get('access-control-allow-origin'), ORIGIN);
  return reply;
}

async function prefetch(templates, context) {
  const got = {};
  for (const [key, template] of Object.entries(templates)) {
    const [path, query] = template.replaceAll(/\{\{\s*context\.(\w+)\s*\}\}/g, (all, name) => context[name] ?? all).split('?');
    if (`${path}${query}`.includes('{{')) {
      continue;
    }
    const headers = { Accept: 'application/json+fhir' };
    let reply = query ? await fetch(`${sim.base}/${path}/_search`, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }, body: query }) : null;
    if (!reply?.ok) {
      reply = await fetch(`${sim.base}/${path}${query ? `?${query}` : ''}`, { headers });
    }
    if (reply.ok) {
      got[key] = await reply.json();
    }
  }
  return got;
}

async function exchange(hook, extra = {}) {
  const service = services.find((s) => s.hook === hook);
  const context = { patientId: PATIENT, userId: USER, ...extra };
  const body = { hookInstance: randomUUID(), hook, fhirServer: sim.base, context };
  const found = await prefetch(service.prefetch ?? {}, context);
  if (Object.keys(found).length > 0) {
    body.prefetch = found;
  }
  const reply = await browse(`/cds-services/${service.id}`, { method: 'POST', body });
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()).cards;
}

/* The draft as the form builds it, field by field. */
function draft({ drug, instructions, days }) {
  const resource = { resourceType: 'MedicationRequest', id: 'request-123', status: 'draft', subject: { reference: `Patient/${PATIENT}` }, authoredOn: new Date().toISOString().slice(0, 10) };
  if (instructions) {
    resource.dosageInstruction = [{
      timing: { repeat: { frequency: instructions.frequency, period: 1, periodUnit: 'd' } },
      doseAndRate: [{ doseQuantity: { value: instructions.number, system: 'http://unitsofmeasure.org', code: '{pill}' } }],
    }];
  }
  if (days) {
    resource.dispenseRequest = { expectedSupplyDuration: { value: days, unit: 'days', system: 'http://unitsofmeasure.org', code: 'd' } };
    resource.intent = 'order';
    resource.category = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'community' }] };
  }
  if (drug) {
    resource.medicationCodeableConcept = { text: drug[1], coding: [{ display: drug[1], system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: drug[0] }] };
    resource.reasonCode = { coding: [{ system: 'http://snomed.info/sct', code: '82423001' }] };
  }
  return { resourceType: 'Bundle', entry: [{ resource }] };
}

const oxycodone = ['1049686', 'Oxycodone Hydrochloride 20 MG Oral Tablet'];
const select = (form) => exchange('order-select', { draftOrders: draft(form), selections: ['MedicationRequest/request-123'] });

test('discovery answers the client that asks for an unauthenticated preflight first', async () => {
  const reply = await browse('/cds-services');
  services = (await reply.json()).services;
  assert.ok(services.length >= 3);
});

test('patient-view of a chart without opioids says nothing', async () => {
  assert.deepEqual(await exchange('patient-view'), []);
});

test('a drug without a dose gets no figure, and a dose without a drug no card of a figure', async () => {
  for (const form of [{ drug: oxycodone }, { instructions: { number: 1, frequency: 4 } }]) {
    for (const card of await select(form)) {
      assert.doesNotMatch(card.summary, /\d+ MME/);
    }
  }
});

test('a full form at select and at sign: the dose with its arithmetic, whatever the shapes', async () => {
  const form = { drug: oxycodone, instructions: { number: 1, frequency: 4 }, days: 30 };
  const [selected] = await select(form);
  assert.match(selected.summary, /120 MME/);
  const [signed, ...more] = await exchange('order-sign', { draftOrders: draft(form) });
  assert.equal(more.length, 0);
  assert.equal(signed.indicator, 'critical');
  assert.match(signed.detail, /4\/d x 20 mg x 1\.5 = 120 MME\/d/);
  const remove = signed.suggestions.flatMap((s) => s.actions).find((a) => a.type === 'delete');
  assert.equal(remove.resourceId, 'MedicationRequest/request-123');
});

test('feedback as the client sends it: accepted, dismissed with and without a reason, without a card', async () => {
  const form = { drug: oxycodone, instructions: { number: 2, frequency: 4 }, days: 30 };
  const [card] = await exchange('order-sign', { draftOrders: draft(form) });
  const at = new Date().toISOString();
  const path = `/cds-services/${services.find((s) => s.hook === 'order-sign').id}/feedback`;
  for (const feedback of [
    { card: card.uuid, outcome: 'accepted', acceptedSuggestions: [{ id: card.suggestions[0].uuid }], outcomeTimestamp: at },
    { card: card.uuid, outcome: 'overridden', outcomeTimestamp: at },
    { card: card.uuid, outcome: 'overridden', outcomeTimestamp: at, overrideReason: { reason: { code: card.overrideReasons[0].code } } },
    { outcome: 'overridden', outcomeTimestamp: at },
  ]) {
    const reply = await browse(path, { method: 'POST', body: { feedback: [feedback] } });
    assert.equal(reply.status, 200, `${JSON.stringify(feedback)}: ${await reply.clone().text()}`);
  }
});

test('the older dialect of the client, MedicationOrder, is answered and breaks nothing', async () => {
  const old = { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'MedicationOrder', id: 'order-123', status: 'draft', patient: { reference: `Patient/${PATIENT}` }, medicationCodeableConcept: { text: oxycodone[1] } } }] };
  const service = services.find((s) => s.hook === 'order-sign');
  const reply = await browse(`/cds-services/${service.id}`, { method: 'POST', body: { hookInstance: randomUUID(), hook: 'order-sign', fhirServer: sim.base, context: { patientId: PATIENT, userId: USER, draftOrders: old }, prefetch: {} } });
  assert.ok([200, 400].includes(reply.status));
  assert.ok((await reply.json()) !== null);
});

test('whether the client needs its token is as the daemon was told', async () => {
  const reply = await fetch(`${daemon.origin}/cds-services`, { headers: { Origin: ORIGIN } });
  assert.equal(reply.status, process.env.OPIWARD_CLIENT_JWT ? 401 : 200);
  assert.equal(reply.headers.get('access-control-allow-origin'), ORIGIN);
});
