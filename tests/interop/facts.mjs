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
import { EXT, SYSTEM, call, create, fact, fresh, gaps, key, listen, order, own, pause, subscribe,
    tableText, use } from './kit.mjs';
import './facts-notify.mjs';
import './facts-rest.mjs';
import { startServer } from './server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const slow = {};
let server;

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
    await use(server.base);
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
