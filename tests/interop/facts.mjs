/*
 * What a real FHIR server does, for everything the daemon relies upon
 *
 * Each fact names what we expect and records what was seen; a fact fails only where the daemon would break. The
 * table at the end, also left in target/facts.txt, is the record: "=" as expected, "!" different.
 *
 * Run with `tests/interop/run facts`, about two minutes: the server retries a refused notification for a minute and
 * reuses a search for a minute, and both are waited for, side by side with the rest.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXT, SYSTEM, call, count, create, diagnosis, fact, fresh, gaps, issue, key, listen, once, order, own, pause,
    subscribe, tableText, unsubscribe, use, versionOf } from './kit.mjs';
import { startServer } from './server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const slow = {};
let server, patient, serial = 0;

/* ---- what takes a minute runs beside the rest ---- */

async function refused(status) {
    const value = key('refused');
    const hook = await listen(() => ({ status }));
    const sub = await subscribe(hook.url, { criteria: own(value) });
    for (let i = 0; i < 4; i++) await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(75_000);
    const status_after = (await call('GET', `Subscription/${sub.id}`, undefined, fresh)).json.status;
    return { hook, status_after };
}

async function bundleAnswers(answer) {
    const value = key('bundle');
    const hook = await listen(() => answer);
    await subscribe(hook.url, { criteria: own(value), more: { extension: [{
        url: `${EXT}subscription-payload-search-criteria`,
        valueString: 'MedicationRequest?_id=${matched_resource_id}&_include=MedicationRequest:patient' }] } });
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(75_000);
    return hook.seen;
}

async function reuseLasts() {
    const query = `MedicationRequest?identifier=${encodeURIComponent(`${SYSTEM}|${key('lasts')}`)}`;
    const value = decodeURIComponent(query).split('|')[1];
    const began = Date.now();
    assert.equal((await call('GET', query)).json.entry, undefined);
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    while (Date.now() - began < 90_000) {
        if ((await call('GET', query)).json.entry) return (Date.now() - began) / 1000;
        await pause(1000);
    }
    return Infinity;
}

before(async () => {
    server = await startServer();
    patient = await use(server.base);
    slow.refused = refused(500);
    slow.denied = refused(401);
    slow.lasts = reuseLasts();
    slow.empty200 = bundleAnswers({ status: 200 });
    slow.empty204 = bundleAnswers({ status: 204 });
    slow.bundle200 = bundleAnswers({ status: 200, type: 'application/fhir+json',
        body: '{"resourceType":"Bundle","type":"collection"}' });
    for (const p of Object.values(slow)) p.catch(() => {}); // the test that awaits it reports it
}, { timeout: 900_000 });

after(async () => {
    const text = tableText();
    mkdirSync(join(here, 'target'), { recursive: true });
    writeFileSync(join(here, 'target', 'facts.txt'), text);
    console.log(text);
    if (server?.pid) {
        const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
        console.log(`server: ready after ${(server.startMs / 1000).toFixed(1)} s, ${Math.round(rss / 1024)} MiB resident`);
    }
    const code = await server?.stop();
    console.log(`server: exit code ${code}`);
    setTimeout(() => process.exit(), 200).unref();
});

/* ---- subscriptions ---- */

test('a subscription goes from requested to active and names how it matches', async () => {
    const hook = await listen();
    const sub = await subscribe(hook.url);
    fact('Subscription as answered to the create', 'requested', sub.first.status);
    fact('Subscription a moment later', 'active', sub.now.status);
    fact('time to active, immediate queueing', 'under 6 s', `${sub.ms} ms`, sub.ms < 6000);
    const tag = sub.now.meta.tag?.find((t) => t.system === `${EXT}subscription-matching-strategy`)?.code;
    assert.ok(fact('matching strategy tag for MedicationRequest?', 'IN_MEMORY', tag));
    fact('version after activation', '2', sub.now.meta.versionId);
    await unsubscribe(sub);
});

test('create and update arrive as PUT of the whole resource', async () => {
    const hook = await listen();
    const sub = await subscribe(hook.url);
    const body = JSON.stringify(order()).replace('"intent"', '"dosageInstruction":[{"maxDosePerPeriod":{"numerator":'
        + '{"value":5.00},"denominator":{"value":1,"unit":"d"}}}],"intent"');
    const made = (await call('POST', 'MedicationRequest', body)).json;
    const answered = Date.now();
    const hit = await hook.until((h) => h.url.endsWith(made.id));
    assert.ok(hit, 'the create was delivered');
    fact('create: time from answer to delivery, changes looked for every 200 ms', 'below 1000 ms',
        `${hit.at - answered} ms`, hit.at - answered < 1000);
    fact('create: method and path', 'PUT {endpoint}/MedicationRequest/{id}',
        `${hit.method} ${hit.url.replace('/hook/7f3c', '{endpoint}').replace(made.id, '{id}')}`);
    fact('create: If-Match', '"1"', hit.headers['if-match']);
    assert.equal(versionOf(hit), 1);
    fact('create: Content-Type', 'application/fhir+json; charset=UTF-8', hit.headers['content-type']);
    fact('create: framing', 'Content-Length or chunked', hit.headers['transfer-encoding']
        ? `Transfer-Encoding: ${hit.headers['transfer-encoding']}` : `Content-Length: ${hit.headers['content-length']}`, true);
    fact('create: Authorization from channel.header', 'Bearer synthetic', hit.headers.authorization);
    fact('create: User-Agent begins', 'HAPI-FHIR/', hit.headers['user-agent'],
        hit.headers['user-agent']?.startsWith('HAPI-FHIR/'));
    fact('create: all header names', 'as listed in the source', Object.keys(hit.headers).join(' '), true);
    const got = JSON.parse(hit.body);
    fact('create: body carries', 'id, meta.versionId, meta.lastUpdated',
        [got.id && 'id', got.meta?.versionId && 'meta.versionId', got.meta?.lastUpdated && 'meta.lastUpdated'].join(', '));
    fact('create: other meta in the body', 'not stated', JSON.stringify({ ...got.meta, lastUpdated: undefined }), true);
    fact('decimal 5.00 in the notification', '5.00', /"value":(5[.0]*)/.exec(hit.body)?.[1]);
    fact('decimal 5.00 when read', '5.00',
        /"value":(5[.0]*)/.exec((await call('GET', `MedicationRequest/${made.id}`)).raw)?.[1]);

    await call('PUT', `MedicationRequest/${made.id}`, order({ id: made.id, status: 'stopped' }));
    const second = await hook.until((h) => h.url.endsWith(made.id) && versionOf(h) === 2);
    assert.ok(second, 'the update was delivered');
    assert.ok(fact('update: method, version, status in body', 'PUT 2 stopped',
        `${second.method} ${versionOf(second)} ${JSON.parse(second.body).status}`));

    await call('PUT', `MedicationRequest/${made.id}`, order({ id: made.id, status: 'stopped' }));
    await pause(1500);
    fact('update that changes nothing', 'no statement', `${hook.seen.filter((h) => h.url.endsWith(made.id)).length - 2}`
        + ' further deliveries', true);

    const named = key('rx');
    const put = await call('PUT', `MedicationRequest/${named}`, order({ id: named }));
    assert.ok(fact('PUT with an id of our own', 201, put.status));
    assert.ok(await hook.until((h) => h.url.endsWith(named)), 'it is delivered too');
    const numeric = await call('PUT', 'MedicationRequest/424242', order({ id: '424242' }));
    fact('PUT with a numeric id of our own', '4xx HAPI-0960', `${numeric.status} ${diagnosis(numeric).slice(0, 9)}`,
        /^4.. HAPI-0960/.test(`${numeric.status} ${diagnosis(numeric)}`));
    await unsubscribe(sub);
});

test('deletes arrive only when asked for', async () => {
    const [plain, asked] = [await listen(), await listen()];
    const a = await subscribe(plain.url);
    const b = await subscribe(asked.url, { extension: [
        { url: `${EXT}subscription-send-delete-messages`, valueBoolean: true }] });
    const made = await create(order());
    await asked.until((h) => h.url.endsWith(made.id));
    const gone = await call('DELETE', `MedicationRequest/${made.id}`);
    fact('DELETE answers', '200 or 204', gone.status, [200, 204].includes(gone.status));
    const hit = await asked.until((h) => h.method === 'DELETE', 5000);
    fact('delete with the extension, alone on the server or not', 'DELETE {endpoint}/MedicationRequest/{id}', hit
        ? `${hit.method} ${hit.url.replace('/hook/7f3c', '{endpoint}').replace(made.id, '{id}')}`
        : 'nothing while another subscription matches without the extension');
    if (hit) {
        fact('delete: body', 'empty', hit.body === '' ? 'empty' : hit.body);
        fact('delete: headers', 'as listed in the source', Object.keys(hit.headers).join(' '), true);
        fact('delete: Authorization from channel.header', 'Bearer synthetic', hit.headers.authorization ?? 'absent');
        fact('delete: If-Match', 'absent', hit.headers['if-match'] ?? 'absent');
    }
    fact('delete without the extension', 'nothing', plain.seen.some((h) => h.method === 'DELETE') ? 'DELETE' : 'nothing');
    await unsubscribe(a);

    const again = await create(order());
    await asked.until((h) => h.url.endsWith(again.id));
    await call('DELETE', `MedicationRequest/${again.id}`);
    const alone = await asked.until((h) => h.method === 'DELETE' && h.url.endsWith(again.id), 5000);
    assert.ok(fact('delete with the extension, no other subscription', 'DELETE', alone?.method ?? 'nothing'));
    const read = await call('GET', `MedicationRequest/${again.id}`);
    fact('reading what was deleted', 410, read.status);
    fact('its Location or ETag', 'not stated', read.headers.etag ?? read.headers.location ?? 'neither', true);
    const history = (await call('GET', `MedicationRequest/_history?_count=5`)).json;
    const del = history.entry.find((e) => e.request?.method === 'DELETE');
    fact('type history shows the delete', 'request.method=DELETE, no resource',
        `request.method=${del?.request.method}, ${del?.resource ? 'a resource' : 'no resource'}`);
    fact('its response', 'has lastModified', JSON.stringify(del?.response), Boolean(del?.response?.lastModified));
    await unsubscribe(b);
});

test('without a payload type an empty form is posted', async () => {
    const hook = await listen();
    const sub = await subscribe(hook.url, { payload: null });
    const made = await create(order());
    const hit = await hook.until(() => true);
    assert.ok(hit, 'something was delivered');
    fact('no payload: method and path', 'POST {endpoint}', `${hit.method} ${hit.url.replace('/hook/7f3c', '{endpoint}')}`);
    fact('no payload: Content-Type', 'application/x-www-form-urlencoded; charset=UTF-8', hit.headers['content-type'] ?? 'absent');
    fact('no payload: body', 'empty', hit.body === '' ? 'empty' : hit.body);
    fact('no payload: Authorization', 'Bearer synthetic', hit.headers.authorization ?? 'absent');
    const n = hook.seen.length;
    await call('DELETE', `MedicationRequest/${made.id}`);
    await pause(1500);
    fact('no payload, delete not asked for', 0, hook.seen.length - n);
    await unsubscribe(sub);

    const failing = await listen(() => ({ status: 500 }));
    const other = await subscribe(failing.url, { payload: null });
    await create(order());
    await pause(5000);
    fact('no payload and 500: attempts in 5 s', 1, failing.seen.length);
    await unsubscribe(other);
});

test('a burst may be seen out of order, and an equal subscription means a second copy', async () => {
    const value = key('burst');
    const hook = await listen();
    const sub = await subscribe(hook.url, { criteria: own(value) });
    const first = await create(order({ identifier: [{ system: SYSTEM, value }] }));
    for (let i = 0; i < 19; i++)
        await call('PUT', `MedicationRequest/${first.id}`, order({ id: first.id, identifier: [{ system: SYSTEM, value }],
            note: [{ text: `v${i}` }] }));
    await pause(4000);
    const versions = hook.seen.map(versionOf);
    fact('20 quick versions: deliveries', 20, versions.length);
    fact('20 quick versions: order', 'may differ', versions.every((v, i) => !i || v > versions[i - 1]) ? 'ascending'
        : versions.join(' '), true);
    assert.equal(new Set(versions).size, 20, 'every version was delivered');
    const twin = await subscribe(hook.url, { criteria: own(value) });
    hook.seen.length = 0;
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(2500);
    fact('two equal subscriptions: deliveries of one create', 2, hook.seen.length);
    await unsubscribe(twin);
    await pause(1500);
    hook.seen.length = 0;
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(2500);
    fact('the second deleted: deliveries of one create, 1.5 s later', 1, hook.seen.length);

    const off = { ...sub.now, status: 'off' };
    fact('PUT status=off', 200, (await call('PUT', `Subscription/${sub.id}`, off)).status);
    await pause(1500);
    hook.seen.length = 0;
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(2500);
    fact('status=off: deliveries of one create, 1.5 s later', 0, hook.seen.length);
    await call('PUT', `Subscription/${sub.id}`, { ...sub.now, status: 'requested' });
    await pause(2500);
    fact('off, then PUT status=requested', 'active', (await call('GET', `Subscription/${sub.id}`)).json.status);
    await unsubscribe(sub);
});

test('subscriptions the server will not take say why', async () => {
    const base = { resourceType: 'Subscription', status: 'requested', reason: 'test', criteria: 'MedicationRequest?',
        channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/', payload: 'application/fhir+json' } };
    const tries = [
        ['status missing', '422 HAPI-0008', { ...base, status: undefined }],
        ['criteria blank', '422 HAPI-0011', { ...base, criteria: undefined }],
        ['criteria without "?"', '422 HAPI-0014', { ...base, criteria: 'MedicationRequest' }],
        ['criteria of an unknown type', '422 HAPI-0013', { ...base, criteria: 'Nonsense?' }],
        ['criteria with an unknown parameter', '422 or 400', { ...base, criteria: 'MedicationRequest?nonsense=1' }],
        ['channel.type missing', '422 HAPI-0020', { ...base, channel: { ...base.channel, type: undefined } }],
        ['endpoint missing', '422 HAPI-0021', { ...base, channel: { ...base.channel, endpoint: undefined } }],
        ['payload is no FHIR type', '422 HAPI-1985', { ...base, channel: { ...base.channel, payload: 'text/plain' } }],
        ['criteria of several types', '201', { ...base, criteria: '[MedicationRequest,Medication]' }],
        ['status=active at once', '201', { ...base, status: 'active' }],
        ['status=off at once', '201', { ...base, status: 'off' }],
    ];
    for (const [what, expected, body] of tries) {
        const r = await call('POST', 'Subscription', body);
        const seen = `${r.status} ${/HAPI-\d+/.exec(diagnosis(r) ?? '')?.[0] ?? ''}`.trim();
        fact(`Subscription with ${what}`, expected, `${seen}${r.status < 300 ? '' : ` (${diagnosis(r)})`}`,
            seen === expected || expected.split(' or ').some((e) => seen.startsWith(`${e} `)));
        if (r.json?.id) await call('DELETE', `Subscription/${r.json.id}`);
    }
    const mail = await call('POST', 'Subscription', { ...base, channel: { ...base.channel, type: 'email', endpoint: 'mailto:a@example.org' } });
    await pause(2000);
    fact('Subscription on a channel not enabled', 'stays requested', mail.json?.id
        ? `stays ${(await call('GET', `Subscription/${mail.json.id}`)).json.status}` : `${mail.status} ${diagnosis(mail)}`);
});

test('a topic subscription in the R4 backport form', async () => {
    const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
    const topic = `http://example.org/topics/${key('topic')}`;
    const X = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic';
    const X43 = 'http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic';
    const basic = await call('POST', 'Basic', {
        resourceType: 'Basic', code: { coding: [{ system: 'http://hl7.org/fhir/fhir-types', code: 'SubscriptionTopic' }] },
        modifierExtension: [{ url: `${X}.status`, valueCode: 'active' }],
        extension: [{ url: `${X}.url`, valueUri: topic }, { url: `${X43}.resourceTrigger`, extension: [
            { url: 'resource', valueUri: 'MedicationRequest' }, { url: 'supportedInteraction', valueCode: 'create' },
            { url: 'supportedInteraction', valueCode: 'update' }, { url: 'supportedInteraction', valueCode: 'delete' }] }],
    });
    assert.equal(basic.status, 201, diagnosis(basic));
    await pause(1500);
    const hook = await listen(() => ({ status: 200, type: 'application/fhir+json',
        body: '{"resourceType":"Bundle","type":"collection"}' }));
    const bare = await call('POST', 'Subscription', { resourceType: 'Subscription', status: 'requested', reason: 'test',
        criteria: topic, meta: { profile: [`${backport}backport-subscription`] },
        channel: { type: 'rest-hook', endpoint: hook.url, payload: 'application/fhir+json' } });
    fact('topic: Subscription without backport-filter-criteria', '201 (0..* in the guide)', `${bare.status} ${diagnosis(bare)}`,
        bare.status === 201);
    const sub = await subscribe(hook.url, { criteria: topic, more: { meta: { profile: [`${backport}backport-subscription`] },
        _criteria: { extension: [{ url: `${backport}backport-filter-criteria`, valueString: 'MedicationRequest?intent=order' }] } },
        extension: [{ url: `${backport}backport-heartbeat-period`, valueUnsignedInt: 2 }] });
    fact('topic: handshake within the activation', 'none', hook.seen.length ? hook.seen[0].body : 'none');
    const made = await create(order());
    const hit = await hook.until(() => true, 5000);
    fact('topic: method and path', 'POST {endpoint}', hit ? `${hit.method} ${hit.url.replace('/hook/7f3c', '{endpoint}')}` : 'nothing');
    if (hit) {
        const b = JSON.parse(hit.body);
        const status = b.entry[0].resource;
        fact('topic: Bundle type, first entry', 'history, Parameters without request',
            `${b.type}, ${status.resourceType} ${b.entry[0].request ? 'with' : 'without'} request`);
        fact('topic: status parameters', 'not stated', JSON.stringify(status.parameter), true);
        fact('topic: other entries', 'the resource', b.entry.slice(1).map((e) =>
            `${e.fullUrl?.replace(/.*fhir\//, '{base}/')} ${JSON.stringify(e.request)} ${e.resource?.resourceType}`).join('; '), true);
        hook.seen.length = 0;
        await call('DELETE', `MedicationRequest/${made.id}`);
        const gone = await hook.until(() => true, 4000);
        fact('topic: delete', 'entry with request.method=DELETE', gone ? JSON.stringify(JSON.parse(gone.body).entry.at(-1).request) : 'nothing',
            Boolean(gone?.body.includes('"DELETE"')));
        hook.seen.length = 0;
        await pause(3500);
        fact('topic: heartbeat (period 2 s) within 3.5 s', 'none', hook.seen.length ? 'some' : 'none');
    }
    await unsubscribe(sub);
});

test('the websocket binds, then pings', async (t) => {
    if (!globalThis.WebSocket) return t.skip('this Node has no WebSocket without --experimental-websocket');
    const value = key('ws');
    const sub = await subscribe(undefined, { criteria: own(value), type: 'websocket', payload: null, header: undefined });
    const heard = [];
    const ws = new WebSocket(`${server.base.replace('http', 'ws').replace('/fhir', '')}/websocket`);
    ws.onmessage = (m) => heard.push(m.data);
    await new Promise((r, x) => { ws.onopen = r; ws.onerror = () => x(new Error('no websocket')); });
    ws.send(`bind ${sub.id}`);
    await pause(1000);
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(2000);
    fact('websocket: after bind, then an event', `bound {id} / ping {id}`, heard.join(' / ').replaceAll(sub.id, '{id}'));
    ws.close();
    const bad = new WebSocket(`${server.base.replace('http', 'ws').replace('/fhir', '')}/websocket`);
    const closed = new Promise((r) => { bad.onclose = (e) => r(`${e.code} ${e.reason}`); });
    bad.onopen = () => bad.send('bind nonsense');
    const how = await Promise.race([closed, pause(4000).then(() => 'still open')]);
    fact('websocket: bind to an unknown id', 'closed with 1002', how, how.startsWith('1002'));
    await unsubscribe(sub);
});

/* ---- reading ---- */

test('identical searches are reused, and no-cache defeats it', async () => {
    const value = key('reuse');
    const query = `MedicationRequest?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;
    const hits = async (h) => (await call('GET', query, undefined, h)).json.entry?.length ?? 0;
    assert.equal(await hits(), 0);
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    fact('same search again after a create, plain', 0, await hits());
    assert.ok(fact('the same with Cache-Control: no-cache', 1, await hits(fresh)));
    fact('plain again after the no-cache one', 'not stated', await hits(), true);
    fact('with a different but equivalent query', 'not stated',
        (await call('GET', `${query}&_count=50`)).json.entry?.length ?? 0, true);
});

test('paging gives opaque next links on our own base', async () => {
    const value = key('page');
    for (let i = 0; i < 5; i++) await create(order({ identifier: [{ system: SYSTEM, value }] }));
    const query = `MedicationRequest?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}&_count=2&_sort=_lastUpdated`
        + '&_include=MedicationRequest:patient';
    let page = (await call('GET', query, undefined, fresh)).json;
    const shape = page.link.find((l) => l.relation === 'next')?.url;
    fact('next link', '{base}?_getpages={uuid}&…', shape?.replace(server.base, '{base}').replace(/[0-9a-f-]{36}/g, '{uuid}'),
        shape?.startsWith(`${server.base}?_getpages=`));
    fact('total on the first page', 'optional', page.total ?? 'absent', true);
    const sizes = [], modes = new Set(), ids = new Set();
    let pages = 0;
    for (;;) {
        pages++;
        sizes.push(page.entry?.length ?? 0);
        for (const e of page.entry ?? []) {
            modes.add(`${e.resource.resourceType}:${e.search?.mode}`);
            if (e.search?.mode === 'match') ids.add(e.resource.id);
        }
        const next = page.link.find((l) => l.relation === 'next')?.url;
        if (!next) break;
        page = (await call('GET', next)).json;
    }
    assert.ok(fact('5 matches, _count=2: pages / distinct matches', '3 / 5', `${pages} / ${ids.size}`));
    fact('entries a page, include on each', 'includes repeat across pages', sizes.join(' '), sizes.every((s) => s > 1));
    fact('search.mode', 'match and include', [...modes].sort().join(' '), modes.size === 2);
    const gone = await call('GET', `${server.base}?_getpages=00000000-0000-4000-8000-000000000000&_getpagesoffset=2&_count=2`);
    fact('a next link that expired', '410, 404 or 400', `${gone.status} ${diagnosis(gone)}`, [410, 404, 400].includes(gone.status));
    const none = (await call('GET', `MedicationRequest?identifier=nothing-like-it`)).json;
    fact('empty result', 'no entry member', 'entry' in none ? JSON.stringify(none.entry) : 'no entry member');
});

test('searches the daemon makes are understood', async () => {
    const made = await create(order({ medicationCodeableConcept: undefined, medicationReference: { reference: '#m' },
        contained: [{ resourceType: 'Medication', id: 'm', code: { text: 'synthetic' } }] }));
    const since = new Date(Date.now() - 60_000).toISOString();
    const tries = [
        ['patient=<bare id>', `MedicationRequest?patient=${patient}`],
        ['patient=Patient/<id>', `MedicationRequest?patient=Patient/${patient}`],
        ['status=active,on-hold', `MedicationRequest?patient=${patient}&status=active,on-hold`],
        ['intent=order', `MedicationRequest?patient=${patient}&intent=order`],
        ['_lastUpdated=ge…&_sort=_lastUpdated', `MedicationRequest?_lastUpdated=ge${since}&_sort=_lastUpdated&_count=200`],
        ['_include=MedicationRequest:medication', `MedicationRequest?patient=${patient}&_include=MedicationRequest:medication`],
        ['_history?_since', `MedicationRequest/_history?_since=${since}&_count=200`],
        ['$everything is not needed; _id', `MedicationRequest?_id=${made.id}`],
    ];
    for (const [what, path] of tries) {
        const r = await call('GET', path, undefined, fresh);
        assert.ok(fact(`search ${what}`, '200, hits', r.status === 200 && r.json.entry?.length ? '200, hits'
            : `${r.status}, ${r.json.entry?.length ?? 0} hits, ${diagnosis(r)}`));
    }
    const posted = await call('POST', 'MedicationRequest/_search', `patient=${patient}`,
        { 'Content-Type': 'application/x-www-form-urlencoded' });
    fact('POST _search', '200, hits', posted.json.entry?.length ? '200, hits' : `${posted.status} ${diagnosis(posted)}`);
    const odd = await call('GET', 'MedicationRequest?nonsense=1');
    fact('unknown search parameter, no Prefer', '200 ignored (lenient) or 400', `${odd.status} ${diagnosis(odd).slice(0, 60)}`,
        [200, 400].includes(odd.status));
    const cap = (await call('GET', `MedicationRequest?patient=${patient}&_count=1000`, undefined, fresh)).json;
    fact('self link for _count=1000', 'may be capped', cap.link.find((l) => l.relation === 'self').url.replace(server.base, '{base}'), true);
    const meta = (await call('GET', 'metadata')).json;
    const mr = meta.rest[0].resource.find((r) => r.type === 'MedicationRequest');
    fact('metadata: conditionalCreate, conditionalUpdate, versioning', 'true, true, versioned-update',
        `${mr.conditionalCreate}, ${mr.conditionalUpdate}, ${mr.versioning}`, mr.conditionalCreate === true);
    fact('metadata: rest-hook advertised', 'not stated', JSON.stringify(meta.rest[0].resource
        .find((r) => r.type === 'Subscription')?.extension ?? 'no'), true);
    fact('metadata: system interactions', 'transaction among them',
        meta.rest[0].interaction.map((i) => i.code).join(' '), meta.rest[0].interaction.some((i) => i.code === 'transaction'));
});

/* ---- writing ---- */

test('versions: ETag and If-Match', async () => {
    const made = await call('POST', 'DetectedIssue', issue(key('etag')));
    const { id } = made.json;
    assert.ok(fact('ETag of a create', 'W/"1"', made.headers.etag));
    fact('Location of a create', '{base}/DetectedIssue/{id}/_history/1',
        made.headers.location?.replace(server.base, '{base}').replace(id, '{id}'));
    const put = (match, n) => call('PUT', `DetectedIssue/${id}`, { ...made.json, meta: undefined, code: { text: `n${n}` } },
        { 'If-Match': match });
    const weak = await put('W/"1"', 1);
    assert.ok(fact('If-Match W/"1" on version 1', '200 W/"2"', `${weak.status} ${weak.headers.etag}`));
    const plain = await put('"2"', 2);
    fact('If-Match "2" on version 2', '200 W/"3"', `${plain.status} ${plain.headers.etag}`);
    const bare = await put('3', 3);
    fact('If-Match 3 (no quotes) on version 3', 'not stated', `${bare.status} ${bare.headers.etag}`, true);
    const stale = await put('W/"1"', 4);
    assert.ok(fact('stale If-Match', '409 or 412', stale.status, [409, 412].includes(stale.status)));
    fact('stale If-Match: diagnosis', 'version constraint failure', diagnosis(stale),
        /version constraint failure/i.test(diagnosis(stale)));
    const same = await call('GET', `DetectedIssue/${id}`, undefined, { 'If-None-Match': (await call('GET', `DetectedIssue/${id}`)).headers.etag });
    fact('GET with the current ETag', 304, same.status);
    const bodies = await Promise.all([...Array(8).keys()].map((i) =>
        call('PUT', `DetectedIssue/${id}`, { ...made.json, meta: undefined, code: { text: `race ${i}` } })));
    fact('8 parallel plain PUTs', '200 or 409', bodies.map((b) => b.status).sort().join(' '),
        bodies.every((b) => [200, 409].includes(b.status)));
    const bad = bodies.find((b) => b.status !== 200);
    if (bad) fact('the losing PUT says', 'version constraint failure', diagnosis(bad).slice(0, 160), /constraint/i.test(diagnosis(bad)));
    const wrong = await call('POST', 'DetectedIssue', { ...issue(key('w')), patient: { reference: 'Patient/not-there' } });
    fact('reference to a patient that is not there', '400 HAPI-1094', `${wrong.status} ${/HAPI-\d+/.exec(diagnosis(wrong))?.[0]}`);
    fact('header names repeated in that error', 'none', wrong.rawHeaders.filter((h, i, a) => i % 2 === 0
        && a.findIndex((x, j) => j % 2 === 0 && x.toLowerCase() === h.toLowerCase()) !== i).join(' ') || 'none');
    const bogus = await call('POST', 'DetectedIssue', { ...issue(key('w')), status: 'bogus' });
    fact('a code outside its binding', '4xx', `${bogus.status} ${bogus.status < 300 ? '' : diagnosis(bogus)}`, bogus.status >= 400);
});

test('conditional create: 201, then 200, then 412 when several match', async () => {
    const value = key('once');
    const first = await call('POST', 'DetectedIssue', issue(value), once(value));
    const again = await call('POST', 'DetectedIssue', issue(value), once(value));
    assert.ok(fact('If-None-Exist twice', '201 200', `${first.status} ${again.status}`));
    fact('the 200 names the resource', 'Location of the first', again.headers.location ?? again.headers['content-location'] ?? 'absent',
        (again.headers.location ?? again.headers['content-location'] ?? '').includes(`/DetectedIssue/${first.json.id}`));
    fact('the 200 has headers', 'Location, ETag', ['location', 'content-location', 'etag', 'last-modified'].filter((h) => again.headers[h]).join(' '), true);
    fact('the 200 body', 'the existing resource', `${again.json?.resourceType} ${again.json?.id === first.json.id ? 'same id' : ''}`,
        again.json?.id === first.json.id);
    assert.equal(await count(`DetectedIssue?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`), 1);
    const rawBar = await call('POST', 'DetectedIssue', issue(value), { 'If-None-Exist': `identifier=${SYSTEM}|${value}` });
    fact('If-None-Exist with a plain |', 200, rawBar.status);
    await create(issue(value));
    const several = await call('POST', 'DetectedIssue', issue(value), once(value));
    assert.ok(fact('If-None-Exist, two match', 412, several.status));
    fact('its diagnosis', 'not stated', diagnosis(several), true);
    await call('DELETE', `DetectedIssue/${first.json.id}`);
    const back = key('back');
    const one = await call('POST', 'DetectedIssue', issue(back), once(back));
    await call('DELETE', `DetectedIssue/${one.json.id}`);
    const two = await call('POST', 'DetectedIssue', issue(back), once(back));
    fact('If-None-Exist after the match was deleted', 201, `${two.status}`, two.status === 201);
});

function alert(value) {
    serial++;
    const uuid = `urn:uuid:00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`;
    const request = (type, v) => ({ method: 'POST', url: type, ifNoneExist: once(v)['If-None-Exist'] });
    return {
        resourceType: 'Bundle', type: 'transaction', entry: [
            { fullUrl: uuid, resource: issue(value), request: request('DetectedIssue', value) },
            { fullUrl: uuid.replace('urn:uuid:0', 'urn:uuid:1'), resource: {
                resourceType: 'Task', status: 'requested', intent: 'order', focus: { reference: uuid },
                identifier: [{ system: SYSTEM, value: `${value}-task` }], for: { reference: `Patient/${patient}` } },
            request: request('Task', `${value}-task`) }],
    };
}

test('the same transaction twice leaves one issue and one task', async () => {
    const value = key('tx');
    const bundle = alert(value);
    const a = await call('POST', '', bundle), b = await call('POST', '', bundle);
    const status = (r) => r.json.entry?.map((e) => e.response.status).join(', ') ?? diagnosis(r);
    fact('first: entry statuses', '201 Created, 201 Created', status(a));
    fact('second: entry statuses', '200 OK, 200 OK', status(b));
    fact('second: locations equal the first', 'yes', a.json.entry.every((e, i) =>
        e.response.location === b.json.entry[i].response.location) ? 'yes' : `${b.json.entry.map((e) => e.response.location)}`);
    fact('an entry response carries', 'status, location, etag, lastModified', Object.keys(b.json.entry[0].response).join(', '), true);
    fact('form of entry location and etag', 'Type/id/_history/1, plain or weak', `${a.json.entry[0].response.location} ${a.json.entry[0].response.etag}`, true);
    const q = (t, v) => count(`${t}?identifier=${encodeURIComponent(`${SYSTEM}|${v}`)}`);
    assert.ok(fact('stored DetectedIssue, Task', '1, 1', `${await q('DetectedIssue', value)}, ${await q('Task', `${value}-task`)}`));
    const id = a.json.entry[0].response.location.split('/').at(-3);
    const task = (await call('GET', a.json.entry[1].response.location)).json;
    assert.ok(fact('Task.focus', 'DetectedIssue/{id}', task.focus.reference.replace(id, '{id}')));
});

test('conditional update creates, then changes the one match', async () => {
    const value = key('upsert');
    const path = `DetectedIssue?identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;
    const a = await call('PUT', path, issue(value));
    const b = await call('PUT', path, { ...issue(value), status: 'amended' });
    const c = await call('PUT', path, { ...issue(value), status: 'amended' });
    assert.ok(fact('PUT DetectedIssue?identifier= twice', '201 200', `${a.status} ${b.status}`));
    fact('ETags of three, the last unchanged', 'W/"1" W/"2" W/"2"', [a, b, c].map((r) => r.headers.etag).join(' '));
    assert.equal(await count(path), 1);
    await create(issue(value));
    fact('conditional update, two match', 412, (await call('PUT', path, issue(value))).status);
});

test('races: how many of eight parallel writes with one identifier are stored', async () => {
    for (const [what, send, type] of [
        ['conditional create', (v) => call('POST', 'DetectedIssue', issue(v), once(v)), 'DetectedIssue'],
        ['transaction with ifNoneExist', (v) => call('POST', '', alert(v)), 'DetectedIssue'],
        ['conditional update', (v) => call('PUT', `DetectedIssue?identifier=${encodeURIComponent(`${SYSTEM}|${v}`)}`, issue(v)), 'DetectedIssue'],
    ]) {
        const stored = [], answers = {}, why = new Set();
        for (let round = 0; round < 5; round++) {
            const v = key('race');
            for (const r of await Promise.all(Array.from({ length: 8 }, () => send(v)))) {
                answers[r.status] = (answers[r.status] ?? 0) + 1;
                if (r.status >= 400) why.add(diagnosis(r)?.replace(/\d{4,}/g, 'N').slice(0, 140));
            }
            stored.push(await count(`${type}?identifier=${encodeURIComponent(`${SYSTEM}|${v}`)}`));
        }
        fact(`8 parallel ${what}, 5 rounds: stored`, '1 1 1 1 1', stored.join(' '));
        fact(`8 parallel ${what}: answers`, '201 once, then 200, 409 or 412', JSON.stringify(answers), true);
        for (const w of why) fact(`8 parallel ${what}: refusal`, 'not stated', w, true);
    }
});

/* ---- what took a minute ---- */

test('a Bundle notification wants an answer that is FHIR', async () => {
    const [empty, none, bundle] = [await slow.empty200, await slow.empty204, await slow.bundle200];
    const hit = empty[0];
    assert.ok(hit, 'a Bundle was delivered');
    const body = JSON.parse(hit.body);
    fact('payload search criteria: method, path, type', 'POST {endpoint}, Bundle transaction',
        `${hit.method} ${hit.url.replace('/hook/7f3c', '{endpoint}')}, ${body.resourceType} ${body.type}`);
    fact('its entries', 'request.method=PUT', body.entry?.map((e) => `${e.request?.method} ${e.request?.url?.replace(/\d+/g, 'n')}`).join(', '),
        body.entry?.every((e) => e.request?.method === 'PUT'));
    fact('answered 200 and no body: attempts', 'about 20 in 60 s',
        `${empty.length} in ${((empty.at(-1).at - empty[0].at) / 1000).toFixed(1)} s`, Math.abs(empty.length - 20) < 4);
    fact('answered 200 and no body: waits in ms', '1000, then x1.1', gaps(empty).slice(0, 24).join(' '), true);
    fact('answered 204: attempts', 1, none.length);
    assert.ok(fact('answered 200 and a Bundle: attempts', 1, bundle.length));
});

test('a refused notification is retried for a minute, then lost', { timeout: 200_000 }, async () => {
    for (const [status, run] of [[500, slow.refused], [401, slow.denied]]) {
        const { hook, status_after } = await run;
        const per = new Map();
        for (const h of hook.seen) per.set(h.url, [...(per.get(h.url) ?? []), h]);
        const lists = [...per.values()];
        const span = (l) => ((l.at(-1).at - l[0].at) / 1000).toFixed(1);
        assert.ok(lists.some((l) => l.length > 1), 'it was retried');
        fact(`${status}: attempts of the first event`, 'about 20 in 60 s', `${lists[0].length} in ${span(lists[0])} s`,
            Math.abs(lists[0].length - 20) < 4);
        fact(`${status}: first waits in ms`, '1000, then x1.1', gaps(lists[0]).slice(0, 5).join(' '), true);
        fact(`${status}: of 4 events created together, seen within the first minute`, 2,
            lists.filter((l) => l[0].at - hook.seen[0].at < 55_000).length);
        fact(`${status}: first attempt of each event, s after the first`, 'waiting ones follow after the minute',
            lists.map((l) => ((l[0].at - hook.seen[0].at) / 1000).toFixed(1)).join(' '), true);
        fact(`${status}: Subscription.status after it gave up`, 'active', status_after);
        hook.close();
    }
});

test('a reused search result lasts about a minute', { timeout: 120_000 }, async () => {
    const s = await slow.lasts;
    fact('a plain repeated search stays stale for', 'about 60 s', `${s.toFixed(0)} s`, s > 50 && s < 75);
});
