/* The REST side: what a FHIR client may expect of the simulator. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Sim } from './client.mjs';
import { order } from './orders.mjs';

let sim;
before(async () => { sim = await Sim.start({ data: true, dialect: 'none' }); });
after(() => sim.close());
beforeEach(() => sim.reset());

const issue = (fields) => ({ resourceType: 'DetectedIssue', status: 'final', patient: { reference: 'Patient/p1' }, ...fields });
const named = (value) => ({ identifier: [{ system: 'urn:oid:2.999.7', value }] });
const CONDITION = 'identifier=urn%3Aoid%3A2.999.7%7C';

test('a_create_answers_201_with_location_etag_and_version_1', async () => {
  const reply = await sim.fhir('POST', 'DetectedIssue', issue());
  assert.equal(reply.status, 201);
  assert.equal(reply.headers.get('etag'), 'W/"1"');
  assert.equal(reply.headers.get('location'), `${sim.base}/DetectedIssue/${reply.body.id}/_history/1`);
  assert.equal(reply.body.meta.versionId, '1');
  assert.ok(Math.abs(Date.parse(reply.headers.get('date')) - Date.now()) < 5000);
  assert.ok(reply.headers.get('last-modified'));
  assert.match(reply.headers.get('content-type'), /^application\/fhir\+json/);
});

test('versions_count_up_by_one_for_each_resource_on_its_own', async () => {
  for (let n = 1; n <= 3; n++) {
    for (const id of ['rx-a', 'rx-b']) {
      const reply = await sim.put({ ...order({}), id });
      assert.equal(reply.status, n === 1 ? 201 : 200);
      assert.equal(reply.headers.get('etag'), `W/"${n}"`);
    }
  }
  const first = await sim.read('MedicationRequest/rx-a/_history/1');
  assert.equal(first.meta.versionId, '1');
});

test('if_match_guards_an_update', async () => {
  await sim.put({ ...order({}), id: 'rx-a' });
  const put = (etag) => sim.fhir('PUT', 'MedicationRequest/rx-a', { ...order({}), id: 'rx-a' }, { 'If-Match': etag });
  assert.equal((await put('W/"7"')).status, 412);
  assert.equal((await put('nonsense')).status, 400);
  assert.equal((await put('W/"1"')).headers.get('etag'), 'W/"2"');
  assert.equal((await put('"2"')).headers.get('etag'), 'W/"3"');
});

test('if_none_exist_creates_once_and_says_412_when_several_match', async () => {
  const post = () => sim.fhir('POST', 'DetectedIssue', issue(named('a')), { 'If-None-Exist': `${CONDITION}a` });
  const [first, second] = [await post(), await post()];
  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.equal(first.body.id, second.body.id);
  await sim.create(issue(named('a')));
  assert.equal((await post()).status, 412);
  assert.deepEqual((await sim.duplicates('DetectedIssue')).map((d) => d.identifier), ['urn:oid:2.999.7|a']);
});

function alertEntries(key) {
  return [
    { fullUrl: 'urn:uuid:7a0d5a3e-3d1b-4a51-9a9e-000000000001', resource: issue(named(`mme-${key}`)),
      request: { method: 'POST', url: 'DetectedIssue', ifNoneExist: `${CONDITION}mme-${key}` } },
    { fullUrl: 'urn:uuid:7a0d5a3e-3d1b-4a51-9a9e-000000000002',
      resource: { resourceType: 'Task', ...named(`task-${key}`), status: 'requested', intent: 'order',
        focus: { reference: 'urn:uuid:7a0d5a3e-3d1b-4a51-9a9e-000000000001' }, for: { reference: 'Patient/p1' } },
      request: { method: 'POST', url: 'Task', ifNoneExist: `${CONDITION}task-${key}` } },
  ];
}

test('a_transaction_rewrites_urn_uuid_and_repeats_harmlessly', async () => {
  const first = await sim.transaction(alertEntries('x'));
  const again = await sim.transaction(alertEntries('x'));
  assert.equal(first.type, 'transaction-response');
  assert.deepEqual(first.entry.map((e) => e.response.status), ['201 Created', '201 Created']);
  assert.deepEqual(again.entry.map((e) => e.response.status), ['200 OK', '200 OK']);
  assert.equal(first.entry[0].response.location, again.entry[0].response.location);
  assert.equal(first.entry[0].response.etag, 'W/"1"');
  const [task] = await sim.stored('Task');
  const [found] = await sim.stored('DetectedIssue');
  assert.equal(task.focus.reference, `DetectedIssue/${found.id}`);
});

test('a_failing_transaction_leaves_nothing_behind', async () => {
  const entry = alertEntries('x');
  entry[1].resource.bogus = 1;
  const reply = await sim.fhir('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
  assert.equal(reply.status, 422);
  assert.equal(reply.body.resourceType, 'OperationOutcome');
  assert.deepEqual(await sim.stored('DetectedIssue'), []);
  assert.equal((await sim.fhir('GET', 'DetectedIssue/_history')).body.total, 0);
});

test('a_batch_does_what_it_can', async () => {
  const entry = alertEntries('x');
  entry[1].resource.bogus = 1;
  const { body } = await sim.fhir('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
  assert.deepEqual(body.entry.map((e) => e.response.status), ['201 Created', '422 Unprocessable Entity']);
  assert.equal(body.entry[1].response.outcome.resourceType, 'OperationOutcome');
});

test('a_conditional_update_makes_then_changes_the_one_match', async () => {
  const path = `DetectedIssue?${CONDITION}cu`;
  const first = await sim.fhir('PUT', path, issue(named('cu')));
  const second = await sim.fhir('PUT', path, issue({ ...named('cu'), severity: 'high' }));
  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.equal(second.body.id, first.body.id);
  assert.equal(second.body.meta.versionId, '2');
  const entry = [{ resource: issue({ ...named('cu'), severity: 'low' }), request: { method: 'PUT', url: path } }];
  assert.equal((await sim.transaction(entry)).entry[0].response.status, '200 OK');
  assert.equal((await sim.read(`DetectedIssue/${first.body.id}`)).severity, 'low');
});

test('a_deleted_resource_is_410_and_an_unknown_one_404', async () => {
  await sim.delete('MedicationRequest/rx-p2-1');
  const gone = await sim.fhir('GET', 'MedicationRequest/rx-p2-1');
  const never = await sim.fhir('GET', 'MedicationRequest/never');
  assert.deepEqual([gone.status, never.status], [410, 404]);
  assert.equal(gone.body.resourceType, 'OperationOutcome');
  assert.equal(never.body.resourceType, 'OperationOutcome');
  assert.equal((await sim.fhir('DELETE', 'MedicationRequest/rx-p2-1')).status, 200);
  assert.equal((await sim.fhir('DELETE', 'MedicationRequest/never')).status, 404);
  assert.equal((await sim.fhir('GET', 'Nonsense/1')).status, 404);
  const back = await sim.put({ ...order({}), id: 'rx-p2-1' });
  assert.deepEqual([back.status, back.body.meta.versionId], [201, '3']);
});

test('bad_content_is_400_415_or_422_with_an_outcome', async () => {
  const cases = [
    [400, '{"resourceType":'], [400, '3'], [422, { resourceType: 'MedicationRequest', status: 'active' }],
    [422, { ...order({}), bogus: 1 }], [400, { resourceType: 'Patient' }],
  ];
  for (const [status, body] of cases) {
    const reply = await sim.fhir('POST', 'MedicationRequest', body);
    assert.equal(reply.status, status, JSON.stringify(body));
    assert.equal(reply.body.resourceType, 'OperationOutcome');
  }
  const plain = await sim.fhir('POST', 'Patient', '{"resourceType":"Patient"}', { 'Content-Type': 'text/plain' });
  assert.equal(plain.status, 415);
});

test('patient_matches_bare_and_typed_and_status_takes_a_list', async () => {
  const ids = async (query) => (await sim.search(query)).map((e) => e.resource.id);
  assert.deepEqual(await ids('MedicationRequest?patient=p5'), ['rx-p5-1', 'rx-p5-2']);
  assert.deepEqual(await ids('MedicationRequest?patient=Patient/p5'), ['rx-p5-1', 'rx-p5-2']);
  assert.deepEqual(await ids('MedicationRequest?subject=Patient/p5&_sort=-_id'), ['rx-p5-2', 'rx-p5-1']);
  await sim.setStatus('rx-p5-1', 'on-hold');
  assert.deepEqual(await ids('MedicationRequest?patient=p5&status=active'), ['rx-p5-2']);
  assert.deepEqual(await ids('MedicationRequest?patient=p5&status=active,on-hold&intent=order,plan'), ['rx-p5-1', 'rx-p5-2']);
  assert.deepEqual(await ids('MedicationRequest?patient=p1'), []);
});

test('codes_and_names_are_searched_by_the_routers_own_matcher', async () => {
  const ids = async (query) => (await sim.search(query)).map((e) => e.resource.id);
  assert.deepEqual(await ids('MedicationRequest?code=197901'), ['rx-p3-1']);
  assert.deepEqual(await ids('Patient?name=Vexmoor'), ['p5']);
  assert.deepEqual(await ids('MedicationRequest?subject:Patient.name=Vexmoor'), ['rx-p5-1', 'rx-p5-2']);
});

test('include_adds_the_medication_marked_as_such', async () => {
  const entries = await sim.search('MedicationRequest?patient=p4&_include=MedicationRequest:medication');
  assert.deepEqual(entries.map((e) => [e.search.mode, e.fullUrl]), [
    ['match', `${sim.base}/MedicationRequest/rx-p4-1`], ['include', `${sim.base}/Medication/med-morphine-er-30`]]);
});

test('an_empty_searchset_has_no_entry_member', async () => {
  const { body } = await sim.fhir('GET', 'MedicationRequest?patient=nobody');
  assert.equal(body.total, 0);
  assert.ok(!('entry' in body));
  assert.equal(body.link[0].relation, 'self');
});

test('last_updated_compares_instants_and_sorts', async () => {
  await sim.put({ ...order({}), id: 'rx-a' });
  const [{ resource }] = await sim.search('MedicationRequest?_id=rx-a');
  const at = resource.meta.lastUpdated;
  const second = `${at.slice(0, 19)}Z`;
  const later = new Date(Date.parse(second) + 1000).toISOString();
  const has = async (q) => (await sim.search(`MedicationRequest?${q}&_sort=_lastUpdated`)).some((e) => e.resource.id === 'rx-a');
  assert.equal(await has(`_lastUpdated=ge${second}`), true);
  assert.equal(await has(`_lastUpdated=ge${at}`), true);
  assert.equal(await has(`_lastUpdated=gt${at}`), false);
  assert.equal(await has(`_lastUpdated=ge${later}`), false);
  assert.equal(await has(`_lastUpdated=lt${second}`), false);
  const all = (await sim.search('MedicationRequest?_sort=-_lastUpdated')).map((e) => e.resource.meta.lastUpdated);
  assert.deepEqual(all, [...all].sort().reverse());
});

test('pages_hold_still_while_data_changes', async () => {
  const ids = Array.from({ length: 45 }, (_, i) => `rx-${String(i).padStart(2, '0')}`);
  for (const id of ids) {
    await sim.put({ ...order({ patient: 'p1' }), id });
  }
  const first = (await sim.fhir('GET', 'MedicationRequest?patient=p1')).body;
  assert.deepEqual([first.entry.length, first.total], [20, 45]);
  await sim.deleteOrder('rx-00');
  await sim.put({ ...order({ patient: 'p1' }), id: 'rx-000' });
  const next = first.link.find((l) => l.relation === 'next').url;
  const second = (await sim.fhir('GET', next)).body;
  assert.equal(second.entry[0].resource.id, 'rx-20');
  assert.ok(second.link.find((l) => l.relation === 'previous'));
  const entries = await sim.search('MedicationRequest?patient=p1&_count=7&_sort=status');
  assert.deepEqual(entries.map((e) => e.resource.id), ['rx-000', ...ids.slice(1)]);
  assert.equal((await sim.fhir('GET', `?_getpages=forgotten`)).status, 410);
});

test('unknown_parameters_are_left_out_of_self_or_refused_when_strict', async () => {
  const lenient = await sim.fhir('GET', 'MedicationRequest?patient=p5&bogus=1');
  assert.equal(lenient.body.total, 2);
  assert.ok(!lenient.body.link[0].url.includes('bogus'));
  const strict = await sim.fhir('GET', 'MedicationRequest?patient=p5&bogus=1', undefined, { Prefer: 'handling=strict' });
  assert.equal(strict.status, 400);
});

test('post_search_takes_a_form', async () => {
  const { body } = await sim.fhir('POST', 'MedicationRequest/_search', 'patient=p5&_count=1', { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.deepEqual([body.total, body.entry.length], [2, 1]);
});

test('type_history_shows_deletions_newest_first', async () => {
  const since = new Date().toISOString();
  await sim.put({ ...order({}), id: 'rx-a' });
  await sim.stopOrder('rx-a');
  await sim.deleteOrder('rx-a');
  const { body } = await sim.fhir('GET', `MedicationRequest/_history?_since=${since}&_count=2`);
  assert.equal(body.type, 'history');
  assert.equal(body.total, 3);
  assert.deepEqual(body.entry.map((e) => [e.request.method, e.response.etag, 'resource' in e]),
    [['DELETE', 'W/"3"', false], ['PUT', 'W/"2"', true]]);
  const rest = (await sim.fhir('GET', body.link.find((l) => l.relation === 'next').url)).body;
  assert.equal(rest.entry.length, 1);
  assert.equal((await sim.fhir('GET', 'MedicationRequest/rx-a/_history')).body.total, 3);
  assert.equal((await sim.fhir('GET', 'MedicationRequest/rx-a/_history/3')).status, 410);
});

test('metadata_tells_what_is_supported', async () => {
  const { status, body } = await sim.fhir('GET', 'metadata');
  assert.equal(status, 200);
  assert.deepEqual([body.resourceType, body.fhirVersion], ['CapabilityStatement', '4.0.1']);
  const rx = body.rest[0].resource.find((r) => r.type === 'MedicationRequest');
  assert.ok(rx.searchInclude.includes('MedicationRequest:medication'));
  assert.ok(rx.conditionalCreate);
});

test('a_bearer_token_is_required_when_one_is_set', async () => {
  await sim.settings({ token: 'k9_2RzUe' });
  const replies = [await sim.fhir('GET', 'Patient/p1'), await sim.fhir('GET', 'Patient/p1', undefined, { Authorization: 'Bearer k9_2RzUe' })];
  await sim.settings({ token: null });
  assert.deepEqual(replies.map((r) => r.status), [401, 200]);
});

test('a_read_can_be_conditional_and_a_write_can_prefer_silence', async () => {
  const { headers } = await sim.fhir('GET', 'Patient/p1');
  assert.equal((await sim.fhir('GET', 'Patient/p1', undefined, { 'If-None-Match': headers.get('etag') })).status, 304);
  const quiet = await sim.fhir('POST', 'DetectedIssue', issue(), { Prefer: 'return=minimal' });
  assert.deepEqual([quiet.status, quiet.text], [201, '']);
  assert.ok(quiet.headers.get('location'));
});

test('the_shipped_patients_are_a_valid_transaction_with_current_orders', async () => {
  const orders = await sim.stored('MedicationRequest');
  const today = new Date().toISOString().slice(0, 10);
  assert.equal((await sim.stored('Patient')).length, 6);
  assert.ok(orders.length >= 5);
  for (const { dispenseRequest: { validityPeriod: { start, end } } } of orders) {
    assert.ok(start <= today && today < end);
  }
  assert.equal(orders.filter((o) => o.medicationReference).length, 1);
});

test('a_file_of_resources_is_searched_fast', async () => {
  for (let i = 0; i < 300; i++) {
    await sim.put({ ...order({ patient: `p${1 + (i % 6)}` }), id: `rx-${i}` });
  }
  const start = performance.now();
  for (let i = 0; i < 50; i++) {
    await sim.fhir('GET', 'MedicationRequest?patient=p1&status=active&_include=MedicationRequest:medication&_count=200');
  }
  const each = (performance.now() - start) / 50;
  assert.ok(each < 50, `${each.toFixed(1)} ms a search`);
});

test('a_create_ignores_the_clients_id', async () => {
  const { body } = await sim.create({ ...issue(), id: 'mine' });
  assert.notEqual(body.id, 'mine');
});

test('parallel_conditional_creates_make_one', async () => {
  const replies = await Promise.all(Array.from({ length: 20 }, () =>
    sim.fhir('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: alertEntries('p') })));
  const said = replies.map((r) => r.body.entry[0].response.status);
  assert.deepEqual([said.filter((s) => s === '201 Created').length, said.filter((s) => s === '200 OK').length], [1, 19]);
  assert.deepEqual([await sim.duplicates('DetectedIssue'), await sim.duplicates('Task')], [[], []]);
});

test('a_json_patch_makes_a_new_version', async () => {
  const patch = [{ op: 'replace', path: '/status', value: 'stopped' }];
  const reply = await sim.fhir('PATCH', 'MedicationRequest/rx-p2-1', patch, { 'Content-Type': 'application/json-patch+json' });
  assert.deepEqual([reply.status, reply.body.status, reply.headers.get('etag')], [200, 'stopped', 'W/"2"']);
});

test('a_conditional_delete_deletes_its_match', async () => {
  await sim.create(issue(named('cd')));
  assert.equal((await sim.fhir('DELETE', `DetectedIssue?${CONDITION}cd`)).status, 200);
  assert.deepEqual(await sim.stored('DetectedIssue'), []);
});

test('revinclude_and_the_history_of_everything_work', async () => {
  const entries = await sim.search('Medication?_id=med-morphine-er-30&_revinclude=MedicationRequest:medication');
  assert.deepEqual(entries.map((e) => e.resource.id), ['med-morphine-er-30', 'rx-p4-1']);
  await sim.deleteOrder('rx-p4-1');
  const { body } = await sim.fhir('GET', '_history?_count=1');
  assert.deepEqual(body.entry.map((e) => [e.request.method, e.request.url]), [['DELETE', 'MedicationRequest/rx-p4-1']]);
});

test('a_body_over_16_MiB_is_413_and_an_unknown_method_405', async () => {
  const { status } = await sim.fhir('POST', 'Patient', ' '.repeat(17 * 1024 * 1024));
  assert.equal(status, 413);
  assert.equal((await sim.fhir('OPTIONS', 'Patient')).status, 405);
});
