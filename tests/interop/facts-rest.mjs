/*
 * Facts about reading and writing: searches, pages, versions, conditional writes, races
 *
 * Part of facts.mjs, which starts the server and prints the table.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SYSTEM, base, call, count, create, diagnosis, fact, fresh, issue, key, once, order, own,
    patient } from './kit.mjs';

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
    fact('next link', '{base}?_getpages={uuid}&…', shape?.replace(base, '{base}').replace(/[0-9a-f-]{36}/g, '{uuid}'),
        shape?.startsWith(`${base}?_getpages=`));
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
    const gone = await call('GET', `${base}?_getpages=00000000-0000-4000-8000-000000000000&_getpagesoffset=2&_count=2`);
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
    fact('self link for _count=1000', 'may be capped', cap.link.find((l) => l.relation === 'self').url.replace(base, '{base}'), true);
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
        made.headers.location?.replace(base, '{base}').replace(id, '{id}'));
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
    const which = two.json?.id === one.json.id ? 'the deleted one' : 'a new one';
    fact('If-None-Exist after the match was deleted', '201, a new one', `${two.status}, ${which}`);
});

let serial = 0;
function alert(value) {
    const uuid = `urn:uuid:00000000-0000-4000-8000-${String(++serial).padStart(12, '0')}`;
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
