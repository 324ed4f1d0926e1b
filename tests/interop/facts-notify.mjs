/*
 * Facts about subscriptions: what is sent, when, and what is refused
 *
 * Part of facts.mjs, which starts the server and prints the table.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXT, SYSTEM, base, call, create, diagnosis, fact, key, listen, once, order, own, pause, subscribe,
    unsubscribe, versionOf } from './kit.mjs';

test('a subscription goes from requested to active and names how it matches', async () => {
    const hook = await listen();
    const sub = await subscribe(hook.url);
    fact('Subscription as answered to the create', 'requested', sub.first.status);
    fact('Subscription a moment later', 'active', sub.now.status);
    fact('time to active, changes looked for every 200 ms', 'under 6 s', `${sub.ms} ms`, sub.ms < 6000);
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
    const ws = new WebSocket(`${base.replace('http', 'ws').replace('/fhir', '')}/websocket`);
    ws.onmessage = (m) => heard.push(m.data);
    await new Promise((r, x) => { ws.onopen = r; ws.onerror = () => x(new Error('no websocket')); });
    ws.send(`bind ${sub.id}`);
    await pause(1000);
    await create(order({ identifier: [{ system: SYSTEM, value }] }));
    await pause(2000);
    fact('websocket: after bind, then an event', `bound {id} / ping {id}`, heard.join(' / ').replaceAll(sub.id, '{id}'));
    ws.close();
    const bad = new WebSocket(`${base.replace('http', 'ws').replace('/fhir', '')}/websocket`);
    const closed = new Promise((r) => { bad.onclose = (e) => r(`${e.code} ${e.reason}`); });
    bad.onopen = () => bad.send('bind nonsense');
    const how = await Promise.race([closed, pause(4000).then(() => 'still open')]);
    fact('websocket: bind to an unknown id', 'closed with 1002', how, how.startsWith('1002'));
    await unsubscribe(sub);
});
