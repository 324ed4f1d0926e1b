/* The notifying side: each dialect sends what its server sends. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { Sim } from './client.mjs';
import { order } from './orders.mjs';
import { Receiver } from './receiver.mjs';

const HAPI = 'http://hapifhir.io/fhir/StructureDefinition/';
const MEDPLUM = 'https://www.medplum.com/fhir/StructureDefinition/';
const QUICK = { dialect: 'hapi', timeScale: 0.001, activationDelay: 5, matchDelay: 0, jitter: 0, notifyTimeout: 10_000 };

let sim;
let hook;
before(async () => {
  sim = await Sim.start({ data: true, ...QUICK });
  hook = await Receiver.start();
});
after(async () => {
  await sim.close();
  await hook.close();
});
beforeEach(async () => {
  await sim.settings(QUICK);
  await sim.reset();
  hook.clear();
});

function subscription(channel = {}, rest = {}) {
  return {
    resourceType: 'Subscription', status: 'requested', reason: 'test', criteria: 'MedicationRequest?', ...rest,
    channel: { type: 'rest-hook', endpoint: hook.endpoint, payload: 'application/fhir+json', header: ['Authorization: Bearer k9_2RzUe'], ...channel },
  };
}

async function subscribe(channel, rest) {
  const { body } = await sim.create(subscription(channel, rest));
  await sim.idle();
  return body.id;
}

const flag = (name) => ({ extension: [{ url: `${HAPI}${name}`, valueBoolean: true }] });

test('a_requested_subscription_becomes_active_a_little_later', async () => {
  await sim.settings({ activationDelay: 100 });
  const { body } = await sim.create(subscription());
  assert.equal((await sim.read(`Subscription/${body.id}`)).status, 'requested');
  await sim.idle();
  const active = await sim.read(`Subscription/${body.id}`);
  assert.deepEqual([active.status, active.meta.versionId], ['active', '2']);
  assert.deepEqual(active.meta.tag.map((t) => [t.system, t.code]), [[`${HAPI}subscription-matching-strategy`, 'IN_MEMORY']]);
});

test('hapi_refuses_a_subscription_it_cannot_process', async () => {
  const cases = [
    ['HAPI-0014', { criteria: 'MedicationRequest' }], ['HAPI-0013', { criteria: 'Nonsense?' }],
    ['HAPI-0021', { channel: { type: 'rest-hook' } }],
    ['HAPI-1985', { channel: { type: 'rest-hook', endpoint: hook.endpoint, payload: 'text/plain' } }],
  ];
  for (const [code, rest] of cases) {
    const reply = await sim.fhir('POST', 'Subscription', { ...subscription(), ...rest });
    assert.equal(reply.status, 422);
    assert.ok(reply.text.includes(code), `${code}: ${reply.text}`);
  }
});

test('hapi_sends_create_and_update_as_put_with_a_plain_if_match', async () => {
  await subscribe();
  await sim.put({ ...order({ patient: 'p1' }), id: 'rx9' });
  await sim.idle();
  await sim.stopOrder('rx9');
  await sim.idle();
  assert.equal(hook.got.length, 2);
  for (const [i, { method, url, headers, body }] of hook.got.entries()) {
    assert.deepEqual([method, url], ['PUT', '/hook/7f3c/MedicationRequest/rx9']);
    assert.equal(headers['content-type'], 'application/fhir+json; charset=UTF-8');
    assert.equal(headers['if-match'], `"${i + 1}"`);
    assert.equal(headers.authorization, 'Bearer k9_2RzUe');
    assert.match(headers['user-agent'], /^HAPI-FHIR\//);
    assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
    const { text } = await sim.fhir('GET', `MedicationRequest/rx9/_history/${i + 1}`);
    assert.equal(body, text);
  }
});

test('hapi_sends_deletes_only_when_asked_and_without_a_body', async () => {
  await subscribe();
  await sim.deleteOrder('rx-p2-1');
  await sim.idle();
  assert.equal(hook.got.length, 0);
  await subscribe(flag('subscription-send-delete-messages'));
  await sim.deleteOrder('rx-p3-1');
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => [g.method, g.url, g.body]), [['DELETE', '/hook/7f3c/MedicationRequest/rx-p3-1', '']]);
});

test('hapi_without_payload_posts_nothing_and_ignores_the_status', async () => {
  hook.reply = { status: 500 };
  await subscribe({ payload: undefined });
  await sim.order({ patient: 'p1' });
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => [g.method, g.url, g.body, g.headers['content-type'], g.headers['if-match']]),
    [['POST', '/hook/7f3c', '', 'application/x-www-form-urlencoded; charset=UTF-8', undefined]]);
  await sim.settings({ dialect: 'hapi-nopayload' });
  await subscribe();
  await sim.order({ patient: 'p2' });
  await sim.idle();
  assert.ok(hook.got.slice(1).every((g) => g.body === '' && g.method === 'POST'));
});

test('hapi_bundle_posts_a_transaction_and_wants_204_or_a_fhir_answer', async () => {
  await sim.settings({ dialect: 'hapi-bundle' });
  await subscribe();
  hook.reply = (_request, n) => (n < 3 ? { status: 200 } : { status: 200, headers: { 'Content-Type': 'application/fhir+json' }, body: '{"resourceType":"Bundle","type":"transaction-response"}' });
  await sim.stopOrder('rx-p4-1');
  await sim.idle();
  assert.equal(hook.got.length, 3);
  const { method, url, headers, body } = hook.got[2];
  assert.deepEqual([method, url, headers['content-type']], ['POST', '/hook/7f3c', 'application/fhir+json; charset=UTF-8']);
  const bundle = JSON.parse(body);
  assert.equal(bundle.type, 'transaction');
  assert.ok(bundle.entry.every((e) => e.request.method === 'PUT'));
  assert.deepEqual(bundle.entry.map((e) => e.request.url).sort(),
    ['Medication/med-morphine-er-30', 'MedicationRequest/rx-p4-1', 'Patient/p4', 'Practitioner/prac3']);
  hook.clear();
  hook.reply = { status: 204 };
  await sim.setStatus('rx-p4-1', 'active');
  await sim.idle();
  assert.equal(hook.got.length, 1);
});

test('hapi_chooses_the_bundle_by_the_search_criteria_extension', async () => {
  hook.reply = { status: 204 };
  await subscribe({}, { extension: [{ url: `${HAPI}subscription-payload-search-criteria`,
    valueString: 'MedicationRequest?_id=${matched_resource_id}&_include=MedicationRequest:medication' }] });
  await sim.stopOrder('rx-p4-1');
  await sim.idle();
  assert.deepEqual(JSON.parse(hook.got[0].body).entry.map((e) => e.request.url),
    ['MedicationRequest/rx-p4-1', 'Medication/med-morphine-er-30']);
});

test('hapi_tries_21_times_in_its_minute_and_then_forgets', async () => {
  hook.reply = { status: 503 };
  await subscribe();
  await sim.order({ patient: 'p1' });
  await sim.idle();
  assert.equal(hook.got.length, 21);
  const records = await sim.notifications();
  assert.deepEqual([records.length, records.at(-1).attempt, records.at(-1).result], [21, 21, 'refused; given up']);
});

test('hapi_reaches_an_endpoint_that_comes_back_in_time', async () => {
  await sim.settings({ timeScale: 0.05 });
  await subscribe();
  const { port } = hook;
  await hook.close();
  await sim.order({ patient: 'p1' });
  await new Promise((resolve) => setTimeout(resolve, 150));
  hook = await Receiver.start(port);
  await sim.idle();
  assert.equal(hook.got.length, 1);
  const records = await sim.notifications();
  assert.match(records[0].result, /^failed: .*ECONNREFUSED/);
  assert.equal(records.at(-1).result, 'delivered');
});

test('two_threads_deliver_everything_once_but_not_in_order', async () => {
  await sim.settings({ jitter: 10 });
  await sim.reset();
  await subscribe();
  const ids = Array.from({ length: 40 }, (_, i) => `rx-${String(i).padStart(2, '0')}`);
  await sim.transaction(ids.map((id) => ({ resource: { ...order({}), id }, request: { method: 'PUT', url: `MedicationRequest/${id}` } })));
  await sim.idle();
  const seen = hook.got.map((g) => g.url.split('/').at(-1));
  assert.deepEqual([...seen].sort(), ids);
  assert.notDeepEqual(seen, ids);
});

test('an_endpoint_that_hangs_costs_a_timeout_for_each_try', async () => {
  await sim.settings({ notifyTimeout: 50, timeScale: 0 });
  await subscribe();
  hook.reply = 'never';
  await sim.order({ patient: 'p1' });
  await sim.idle();
  assert.equal(hook.got.length, 21);
  assert.match((await sim.notifications())[0].result, /no answer in 50 ms/);
});

test('two_endpoints_that_hang_hold_up_everyone_else', async () => {
  await sim.settings({ notifyTimeout: 300 });
  await subscribe();
  hook.reply = (_request, n) => (n <= 2 ? 'never' : { status: 200 });
  for (const id of ['a', 'b', 'c']) {
    await sim.put({ ...order({}), id });
  }
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(hook.got.length, 2);
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => g.url.split('/').at(-1)).sort(), ['a', 'a', 'b', 'b', 'c']);
});

test('a_subscription_is_found_again_by_its_endpoint_and_criteria', async () => {
  const id = await subscribe();
  const found = async (query) => (await sim.search(`Subscription?${query}`)).map((e) => e.resource.id);
  const url = encodeURIComponent(hook.endpoint);
  assert.deepEqual(await found(`url=${url}`), [id]);
  assert.deepEqual(await found(`url=${url}&criteria=MedicationRequest%3F&type=rest-hook`), [id]);
  assert.deepEqual(await found(`url=${url}x`), []);
  assert.deepEqual(await found('status=error,off'), []);
});

test('hapi_writes_its_times_with_an_offset_and_a_raw_plus_is_refused', async () => {
  const { meta: { lastUpdated } } = await sim.read('MedicationRequest/rx-p2-1');
  assert.match(lastUpdated, /\+00:00$/);
  assert.equal((await sim.fhir('GET', `MedicationRequest?_lastUpdated=ge${lastUpdated}`)).status, 400);
  const { body } = await sim.fhir('GET', `MedicationRequest?_lastUpdated=ge${encodeURIComponent(lastUpdated)}&_id=rx-p2-1`);
  assert.equal(body.total, 1);
});

test('criteria_decide_and_only_active_subscriptions_count', async () => {
  await subscribe({}, { criteria: 'MedicationRequest?patient=Patient/p2&status=active' });
  const off = await subscribe({}, { criteria: 'MedicationRequest?patient=p3' });
  await sim.put({ ...await sim.read(`Subscription/${off}`), status: 'off' });
  await sim.order({ patient: 'p2' });
  await sim.order({ patient: 'p3' });
  await sim.stopOrder('rx-p2-1'); /* no longer matches: the stop is never told */
  await sim.put({ resourceType: 'Patient', id: 'p2' });
  await sim.idle();
  assert.equal(hook.got.length, 1);
  assert.equal(JSON.parse(hook.got[0].body).subject.reference, 'Patient/p2');
});

test('a_rolled_back_transaction_notifies_nobody', async () => {
  await subscribe();
  const entry = [order({}), { ...order({}), bogus: 1 }].map((resource) => ({ resource, request: { method: 'POST', url: 'MedicationRequest' } }));
  assert.equal((await sim.fhir('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status, 422);
  await sim.idle();
  assert.equal(hook.got.length, 0);
});

test('medplum_posts_with_its_headers_and_signs_the_body', async () => {
  await sim.settings({ dialect: 'medplum' });
  const id = await subscribe({ extension: undefined }, { extension: [{ url: `${MEDPLUM}subscription-secret`, valueString: 'open sesame' }] });
  await sim.put({ ...order({}), id: 'rx9' });
  await sim.idle();
  await sim.stopOrder('rx9');
  await sim.idle();
  await sim.deleteOrder('rx9');
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => [g.method, g.url, g.headers['x-medplum-interaction']]),
    [['POST', '/hook/7f3c', 'create'], ['POST', '/hook/7f3c', 'update']]);
  for (const { headers, body } of hook.got) {
    assert.equal(headers['x-signature'], createHmac('sha256', 'open sesame').update(body).digest('hex'));
    assert.equal(headers['x-medplum-subscription'], id);
    assert.ok(headers['x-trace-id']);
    assert.equal(JSON.parse(body).id, 'rx9');
  }
});

test('medplum_sends_deletes_on_demand_as_two_bytes', async () => {
  await sim.settings({ dialect: 'medplum' });
  await subscribe({}, { extension: [{ url: 'https://medplum.com/fhir/StructureDefinition/subscription-supported-interaction', valueCode: 'delete' }] });
  await sim.stopOrder('rx-p2-1');
  await sim.deleteOrder('rx-p2-1');
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => [g.body, g.headers['x-medplum-deleted-resource']]), [['{}', 'MedicationRequest/rx-p2-1']]);
});

test('medplum_truncates_a_header_value_at_its_second_colon', async () => {
  await sim.settings({ dialect: 'medplum' });
  await subscribe({ header: ['Authorization: Bearer a:b'] });
  await sim.order({});
  await sim.idle();
  assert.equal(hook.got[0].headers.authorization, 'Bearer a');
});

test('medplum_tries_4_times_and_abandons_what_is_outdated', async () => {
  await sim.settings({ dialect: 'medplum' });
  await subscribe();
  hook.reply = { status: 500 };
  await sim.put({ ...order({}), id: 'rx9' });
  await sim.idle();
  assert.equal(hook.got.length, 4);
  hook.clear();
  hook.reply = (request) => ({ status: JSON.parse(request.body).meta.versionId === '2' ? 500 : 200 });
  await sim.settings({ timeScale: 0.2 });
  await sim.setStatus('rx9', 'on-hold');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await sim.stopOrder('rx9');
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => JSON.parse(g.body).meta.versionId), ['2', '3']);
  assert.ok((await sim.notifications()).some((r) => r.result.startsWith('abandoned')));
});

test('firely_acts_only_on_administration_and_sends_the_newest_once_a_period', async () => {
  await sim.settings({ dialect: 'firely', timeScale: 0.005 });
  await subscribe();
  assert.equal((await sim.stored('Subscription'))[0].status, 'requested');
  const reply = await sim.fhir('POST', `${sim.origin}/administration/Subscription`, subscription());
  assert.equal(reply.status, 201);
  await sim.idle();
  await sim.put({ ...order({}), id: 'rx9' });
  await sim.stopOrder('rx9');
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => [g.method, g.url, JSON.parse(g.body).status]), [['PUT', '/hook/7f3c/MedicationRequest/rx9', 'stopped']]);
});

test('firely_tries_3_times', async () => {
  await sim.settings({ dialect: 'firely', timeScale: 0.001 });
  hook.reply = { status: 500 };
  await sim.fhir('POST', `${sim.base}/administration/Subscription`, subscription());
  await sim.idle();
  await sim.order({});
  await sim.idle();
  assert.equal(hook.got.length, 3);
});

test('a_server_without_an_engine_leaves_it_requested_for_ever', async () => {
  await sim.settings({ dialect: 'none' });
  const id = await subscribe();
  await sim.order({});
  await sim.idle();
  assert.equal((await sim.read(`Subscription/${id}`)).status, 'requested');
  assert.equal(hook.got.length, 0);
});

test('idle_waits_for_what_is_on_its_way', async () => {
  await sim.settings({ matchDelay: 200 });
  await subscribe();
  await sim.order({});
  await assert.rejects(sim.idle({ timeoutMs: 20 }), /not idle/);
  await sim.idle();
  assert.equal(hook.got.length, 1);
});

test('a_reset_drops_what_is_on_its_way', async () => {
  await subscribe();
  hook.reply = { status: 503 };
  await sim.settings({ timeScale: 10 });
  await sim.order({});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await sim.reset();
  await sim.idle({ timeoutMs: 500 });
  const before = hook.got.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(hook.got.length, before);
});

test('extensions_strip_versions_and_set_the_number_of_tries', async () => {
  await subscribe(flag('subscription-resthook-strip-version-ids'));
  await sim.put({ ...order({}), id: 'rx9' });
  await sim.idle();
  assert.equal(hook.got[0].headers['if-match'], undefined);
  assert.equal(JSON.parse(hook.got[0].body).meta.versionId, undefined);
  await sim.reset();
  hook.clear();
  hook.reply = { status: 500 };
  await sim.settings({ dialect: 'medplum' });
  await subscribe({}, { extension: [{ url: `${MEDPLUM}subscription-max-attempts`, valueInteger: 2 }] });
  await sim.order({});
  await sim.idle();
  assert.equal(hook.got.length, 2);
});

test('an_ended_or_deleted_subscription_is_silent', async () => {
  await subscribe({}, { end: '2020-01-01T00:00:00Z' });
  await sim.delete(`Subscription/${await subscribe()}`);
  await sim.order({});
  await sim.idle();
  assert.equal(hook.got.length, 0);
});
