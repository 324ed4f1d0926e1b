/* Misbehaviour on command, the journal, the card sink, and the process itself. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Sim } from './client.mjs';
import { order } from './orders.mjs';
import { Receiver } from './receiver.mjs';

const RUN = join(dirname(fileURLToPath(import.meta.url)), 'run');
const QUICK = { dialect: 'hapi', timeScale: 0.001, activationDelay: 5, matchDelay: 0, jitter: 0 };

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

async function subscribe() {
  await sim.create({ resourceType: 'Subscription', status: 'requested', reason: 'test', criteria: 'MedicationRequest?',
    channel: { type: 'rest-hook', endpoint: hook.endpoint, payload: 'application/fhir+json' } });
  await sim.idle();
}

const get = (path = 'MedicationRequest?patient=p5', headers) => sim.fhir('GET', path, undefined, headers);

test('a_status_fault_hits_the_nth_match_count_times', async () => {
  await sim.faults([{ match: { method: 'GET', path: '/MedicationRequest', nth: 2 }, action: { status: 429, retryAfter: 7 }, count: 2 }]);
  const replies = [];
  for (let i = 0; i < 4; i++) {
    replies.push(await get());
  }
  assert.deepEqual(replies.map((r) => r.status), [200, 429, 429, 200]);
  assert.equal(replies[1].headers.get('retry-after'), '7');
  assert.equal(replies[1].body.resourceType, 'OperationOutcome');
  assert.equal((await get('Patient/p1')).status, 200);
});

test('an_erroneous_rule_is_refused_and_nothing_changes', async () => {
  for (const rule of [{ action: { explode: true } }, { action: {} }, { action: { status: '503' } }, { match: { when: 1 }, action: { status: 500 } },
    { match: { on: 'notify' }, action: { status: 500 } }, { action: { status: 500, drop: true } }, { match: { path: '(' }, action: { status: 500 } }]) {
    await assert.rejects(sim.faults([{ action: { status: 500 } }, rule]), /faults/);
  }
  assert.deepEqual((await sim.control('GET', 'faults')).rules, []);
});

test('faults_are_listed_with_their_hits_and_cleared', async () => {
  await sim.faults([{ action: { status: 500 }, count: 0 }]);
  await get();
  const { rules } = await sim.control('GET', 'faults');
  assert.deepEqual([rules[0].hits, rules[0].left], [1, null]);
  await sim.clearFaults();
  assert.equal((await get()).status, 200);
});

test('a_slow_answer_is_slow', async () => {
  await sim.faults([{ action: { slowMs: 120 } }]);
  const start = performance.now();
  assert.equal((await get()).status, 200);
  assert.ok(performance.now() - start >= 115);
});

test('a_cut_answer_promises_more_than_it_sends', async () => {
  await sim.faults([{ action: { cut: 100 }, count: 2 }]);
  await assert.rejects(get());
  const got = await new Promise((resolve) => {
    http.get(`${sim.base}/MedicationRequest?patient=p5`, (res) => {
      let size = 0;
      res.on('data', (part) => { size += part.length; });
      res.on('error', (err) => resolve({ size, promised: Number(res.headers['content-length']), code: err.code }));
    });
  });
  assert.equal(got.size, 100);
  assert.ok(got.promised > 100);
});

test('hang_up_before_does_nothing_and_store_then_hang_up_stores', async () => {
  const issue = { resourceType: 'DetectedIssue', status: 'final' };
  await sim.faults([{ match: { method: 'POST' }, action: { hangupBefore: true } }, { match: { method: 'POST' }, action: { storeThenHangup: true } }]);
  await assert.rejects(sim.create(issue));
  assert.equal((await sim.stored('DetectedIssue')).length, 0);
  await assert.rejects(sim.create(issue));
  assert.equal((await sim.stored('DetectedIssue')).length, 1);
  assert.deepEqual((await sim.requests({ method: 'POST' })).map((r) => r.ended), ['hung up', 'hung up']);
});

test('garbage_is_html_with_status_200', async () => {
  await sim.faults([{ action: { garbage: true } }]);
  const reply = await get();
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get('content-type'), /^text\/html/);
  assert.equal(reply.body, null);
});

test('an_endless_answer_goes_on_until_the_client_leaves', async () => {
  await sim.faults([{ action: { endless: true } }]);
  const size = await new Promise((resolve) => {
    http.get(`${sim.base}/MedicationRequest`, (res) => {
      let seen = 0;
      res.on('data', (part) => {
        seen += part.length;
        if (seen > 8 * 1024 * 1024) {
          res.destroy();
          resolve(seen);
        }
      });
    });
  });
  assert.ok(size > 8 * 1024 * 1024);
  assert.equal((await get()).status, 200);
});

test('a_chunked_answer_has_no_length', async () => {
  await sim.faults([{ action: { chunked: true } }]);
  const reply = await get();
  assert.equal(reply.headers.get('content-length'), null);
  assert.equal(reply.body.total, 2);
});

test('long_answers_are_gzipped_for_who_takes_it', async () => {
  const plain = await get('MedicationRequest', { 'Accept-Encoding': 'identity' });
  const packed = await get('MedicationRequest', { 'Accept-Encoding': 'gzip' });
  assert.deepEqual([plain.headers.get('content-encoding'), packed.headers.get('content-encoding')], [null, 'gzip']);
  assert.equal(plain.body.total, packed.body.total);
});

test('a_cached_search_is_stale_until_no_cache_is_asked', async () => {
  await sim.faults([{ match: { method: 'GET' }, action: { cachedSearch: 60 }, count: 0 }]);
  const ids = async (headers) => ((await get('MedicationRequest?patient=p5&status=active', headers)).body.entry ?? []).map((e) => [e.resource.id, e.resource.status]);
  await ids();
  await sim.stopOrder('rx-p5-1');
  await sim.put({ ...order({ patient: 'p5' }), id: 'rx-new' });
  assert.deepEqual(await ids(), [['rx-p5-1', 'stopped'], ['rx-p5-2', 'active']]);
  assert.deepEqual(await ids({ 'Cache-Control': 'no-cache' }), [['rx-new', 'active'], ['rx-p5-2', 'active']]);
});

test('a_cached_search_is_forgotten_after_its_seconds', async () => {
  await sim.faults([{ match: { method: 'GET' }, action: { cachedSearch: 0.1 }, count: 0 }]);
  const total = async () => (await get('MedicationRequest?patient=p5&status=active')).body.total;
  await total();
  await sim.stopOrder('rx-p5-1');
  assert.equal(await total(), 2);
  await new Promise((resolve) => setTimeout(resolve, 110));
  assert.equal(await total(), 1);
});

test('a_late_commit_carries_the_time_at_which_it_began', async () => {
  await sim.faults([{ match: { method: 'PUT' }, action: { commitDelayMs: 150 } }]);
  const begun = Date.now();
  const late = sim.put({ ...order({ patient: 'p1' }), id: 'rx-late' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await get('MedicationRequest/rx-late')).status, 404);
  const { body } = await late;
  assert.ok(Date.now() - begun >= 145);
  assert.ok(Date.parse(body.meta.lastUpdated) - begun < 100);
});

test('conditional_creates_can_race_into_duplicates', async () => {
  await sim.faults([{ match: { method: 'POST' }, action: { ignoreIfNoneExist: true }, count: 2 }]);
  const issue = { resourceType: 'DetectedIssue', status: 'final', identifier: [{ system: 'urn:x', value: 'a' }] };
  await sim.create(issue, { 'If-None-Exist': 'identifier=urn%3Ax%7Ca' });
  await sim.transaction([{ resource: issue, request: { method: 'POST', url: 'DetectedIssue', ifNoneExist: 'identifier=urn%3Ax%7Ca' } }]);
  const [{ identifier, ids }] = await sim.duplicates('DetectedIssue');
  assert.deepEqual([identifier, ids.length], ['urn:x|a', 2]);
});

test('a_next_link_can_lead_elsewhere', async () => {
  await sim.faults([{ action: { nextLink: 'http://127.0.0.1:9/evil' } }]);
  const { body } = await get('MedicationRequest?_count=1');
  assert.equal(body.link.find((l) => l.relation === 'next').url, 'http://127.0.0.1:9/evil');
});

test('notifications_can_be_repeated_dropped_and_reordered', async () => {
  await subscribe();
  const told = async (write) => {
    hook.clear();
    await write();
    await sim.idle();
    return hook.got.map((g) => g.url.split('/').at(-1));
  };
  await sim.faults([{ action: { duplicate: 3 } }, { action: { drop: true } }, { action: { reorder: true } }]);
  assert.deepEqual(await told(() => sim.put({ ...order({}), id: 'a' })), ['a', 'a', 'a']);
  assert.deepEqual(await told(() => sim.put({ ...order({}), id: 'b' })), []);
  assert.deepEqual(await told(async () => {
    await sim.put({ ...order({}), id: 'c' });
    await sim.put({ ...order({}), id: 'd' });
  }), ['d', 'c']);
  assert.ok((await sim.notifications()).some((r) => r.result === 'dropped by a fault' && r.focus === 'MedicationRequest/b'));
});

test('a_notification_can_be_late', async () => {
  await subscribe();
  await sim.faults([{ match: { path: 'MedicationRequest/late$' }, action: { delayMs: 150 } }]);
  await sim.put({ ...order({}), id: 'late' });
  await sim.put({ ...order({}), id: 'soon' });
  await sim.idle();
  assert.deepEqual(hook.got.map((g) => g.url.split('/').at(-1)), ['soon', 'late']);
});

test('a_notification_held_back_alone_still_goes_out', async () => {
  await subscribe();
  await sim.faults([{ match: { on: 'notify', method: 'create', path: 'MedicationRequest/c$' }, action: { reorder: true } }]);
  await sim.put({ ...order({}), id: 'c' });
  await sim.idle();
  assert.equal(hook.got.length, 1);
});

test('the_journal_shows_requests_and_notifications_with_bodies', async () => {
  await subscribe();
  await sim.put({ ...order({}), id: 'rx9' }, { Authorization: 'Bearer t', 'Cache-Control': 'no-cache' });
  await sim.idle();
  const [put] = await sim.requests({ method: 'PUT' });
  assert.deepEqual([put.url, put.status, put.headers.authorization, put.headers['cache-control'], JSON.parse(put.body).id],
    ['/fhir/MedicationRequest/rx9', 201, 'Bearer t', 'no-cache', 'rx9']);
  const [sent] = await sim.notifications();
  assert.deepEqual([sent.method, sent.focus, sent.status, sent.result, sent.attempt], ['PUT', 'MedicationRequest/rx9', 200, 'delivered', 1]);
  assert.deepEqual((await sim.log({ since: put.n })).map((r) => r.kind), ['notification']);
  assert.equal((await sim.requests({ path: '^/fhir/Subscription$' })).length, 1);
});

test('the_card_sink_keeps_what_it_is_given_and_suffers_faults', async () => {
  const post = (body) => fetch(sim.webhookUrl(), { method: 'POST', body }).then((r) => r.status);
  assert.equal(await post('{"cards":[{"summary":"x"}]}'), 200);
  assert.equal(await post('{"cards":'), 400);
  await sim.faults([{ match: { path: '^/sim/webhook/' }, action: { status: 503 } }]);
  assert.equal(await post('{}'), 503);
  const cards = await sim.cards();
  assert.deepEqual(cards.map((c) => [c.path, c.body]), [['/sim/webhook/cards', { cards: [{ summary: 'x' }] }]]);
});

test('a_raw_notification_goes_out_as_given', async () => {
  hook.reply = { status: 415, body: 'no' };
  const reply = await sim.notify({ url: `${hook.endpoint}/x`, method: 'PUT', headers: { 'Content-Type': 'text/odd' }, body: '{"a":1,"a":2}', count: 2 });
  assert.deepEqual([reply.status, reply.body, reply.replies.length], [415, 'no', 2]);
  assert.deepEqual(hook.got.map((g) => [g.method, g.headers['content-type'], g.body]), Array(2).fill(['PUT', 'text/odd', '{"a":1,"a":2}']));
});

test('log_and_sink_can_be_emptied_and_a_reset_keeps_the_settings', async () => {
  await fetch(sim.webhookUrl(), { method: 'POST', body: '{}' });
  await sim.control('DELETE', 'log');
  await sim.control('DELETE', 'webhook');
  assert.deepEqual([await sim.log(), await sim.cards()], [[], []]);
  await sim.settings({ pageSize: 3 });
  await sim.reset();
  const { pageSize } = await sim.control('GET', 'settings');
  assert.equal(pageSize, 3);
  await sim.settings({ pageSize: null });
  assert.equal((await sim.control('GET', 'settings')).pageSize, 20);
});

test('garbage_and_status_faults_take_their_details', async () => {
  const date = new Date(Date.now() + 5000).toUTCString();
  await sim.faults([{ action: { garbage: true, status: 502 } }, { action: { status: 503, retryAfter: date } }]);
  const [garbage, busy] = [await get(), await get()];
  assert.deepEqual([garbage.status, busy.status, busy.headers.get('retry-after')], [502, 503, date]);
});

test('quiet_waits_for_the_client_to_stop_asking', async () => {
  await get();
  const start = performance.now();
  await sim.idle({ quietMs: 100 });
  assert.ok(performance.now() - start >= 50);
});

test('unknown_routes_and_settings_are_refused', async () => {
  await assert.rejects(sim.control('GET', 'nothing'), /no route/);
  await assert.rejects(sim.settings({ port: 1 }), /cannot be changed/);
  await assert.rejects(sim.settings({ dialect: 'epic' }), /one of/);
  await assert.rejects(sim.control('GET', 'store'), /name a type/);
});

function start(args) {
  const child = spawn(RUN, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  const ready = new Promise((resolve) => child.stdout.on('data', (part) => {
    out += part;
    if (out.includes('\n')) {
      resolve(out);
    }
  }));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return { child, ready, ended };
}

test('the_process_writes_its_port_starts_soon_and_stops_on_sigterm', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fhirsim-'));
  const begun = performance.now();
  const { child, ready, ended } = start(['--port-file', join(dir, 'port')]);
  const line = await ready;
  const took = performance.now() - begun;
  assert.equal(line, `ready http://127.0.0.1:${readFileSync(join(dir, 'port'), 'utf8').trim()}/fhir\n`);
  child.stdin.end(); /* without --with-parent this changes nothing */
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(child.exitCode, null);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  rmSync(dir, { recursive: true });
  assert.ok(took < 5000, `${took.toFixed(0)} ms to start`);
});

test('with_parent_it_ends_with_its_standard_input', async () => {
  const { child, ready, ended } = start(['--with-parent']);
  await ready;
  child.stdin.end();
  assert.equal(await ended, 0);
});

test('a_data_file_that_cannot_be_used_ends_the_start', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fhirsim-'));
  const file = join(dir, 'data.json');
  writeFileSync(file, '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","bogus":1}}]}');
  for (const args of [['--data', join(dir, 'none.json')], ['--data', file], ['--data', file, '--shift-dates']]) {
    const { ended } = start(args);
    assert.equal(await ended, 1);
  }
  rmSync(dir, { recursive: true });
});

test('wrong_usage_is_told_and_exits_64', async () => {
  for (const args of [['--nonsense'], ['--time-scale', 'x'], ['--dialect=epic'], ['--port']]) {
    const { ended } = start(args);
    assert.equal(await ended, 64);
  }
});
