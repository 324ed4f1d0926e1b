/*
 * Talking to a FHIR server under test: requests, subscriptions, a receiver, and a table of what was seen
 *
 * Plain node:http, so that what is recorded is what was on the wire. Every reader of JSON here trusts the server: this
 * is for tests against our own loopback server only. `use(base)` comes first.
 */
import assert from 'node:assert/strict';
import http from 'node:http';

export const EXT = 'http://hapifhir.io/fhir/StructureDefinition/';
export const SYSTEM = 'urn:oid:1.2.3.4.5';
export const pause = (ms) => new Promise((r) => setTimeout(r, ms));
const table = [];
export let base, patient; // set by use()
let serial = 0;

/* Work against the server at `url`, with a patient of our own. */
export async function use(url) {
    base = url;
    patient = (await create({ resourceType: 'Patient', active: true })).id;
    return patient;
}

/* ---- the table ---- */

export function fact(topic, expected, seen, same = expected === seen) {
    table.push({ topic, expected: String(expected), seen: String(seen), same });
    return same;
}

export function tableText() {
    const lines = table.map((f) => `${f.same ? '=' : '!'} ${f.topic}\n    expected: ${f.expected}\n    seen:     ${f.seen}`);
    const odd = table.filter((f) => !f.same).length;
    return `${lines.join('\n')}\n\n${table.length} facts, ${odd} different from what was expected\n`;
}

/* ---- talking to the server ---- */

export function call(method, path, body, headers = {}) {
    const url = new URL(path.startsWith('http') ? path : `${base}/${path}`);
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const send = { Accept: 'application/fhir+json', ...headers };
    if (text !== undefined) {
        send['Content-Type'] ??= 'application/fhir+json';
        send['Content-Length'] = Buffer.byteLength(text);
    }
    return new Promise((resolve, reject) => {
        const req = http.request(url, { method, headers: send }, (res) => {
            const parts = [];
            res.on('data', (d) => parts.push(d));
            res.on('end', () => {
                const raw = Buffer.concat(parts).toString();
                let json = null;
                try { json = JSON.parse(raw); } catch { /* not JSON: `raw` tells */ }
                resolve({ status: res.statusCode, headers: res.headers, rawHeaders: res.rawHeaders, raw, json });
            });
        });
        req.on('error', reject);
        req.end(text);
    });
}

export const diagnosis = (r) => r.json?.issue?.[0]?.diagnostics ?? r.raw.slice(0, 120);
export const fresh = { 'Cache-Control': 'no-cache' };
export const count = async (query) => (await call('GET', `${query}&_summary=count`, undefined, fresh)).json.total;
export const key = (name) => `${name}-${process.pid}-${++serial}`;

export function order(extra = {}) {
    return {
        resourceType: 'MedicationRequest', status: 'active', intent: 'order',
        subject: { reference: `Patient/${patient}` }, medicationCodeableConcept: { text: 'synthetic' }, ...extra,
    };
}

export function issue(value) {
    return {
        resourceType: 'DetectedIssue', status: 'final', patient: { reference: `Patient/${patient}` },
        identifier: [{ system: SYSTEM, value }],
    };
}

export function once(value) {
    return { 'If-None-Exist': `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}` };
}

export async function create(resource) {
    const r = await call('POST', resource.resourceType, resource);
    assert.equal(r.status, 201, diagnosis(r));
    return r.json;
}

/* ---- a rest-hook receiver: `answer(seen, n)` gives {status, type, body} for the n-th request ---- */

export async function listen(answer = () => ({ status: 200 })) {
    const seen = [];
    const srv = http.createServer((req, res) => {
        const parts = [];
        req.on('data', (d) => parts.push(d));
        req.on('end', () => {
            const hit = { method: req.method, url: req.url, headers: req.headers,
                body: Buffer.concat(parts).toString(), at: Date.now() };
            seen.push(hit);
            const a = answer(hit, seen.length);
            res.writeHead(a.status, a.type ? { 'Content-Type': a.type } : {});
            res.end(a.body);
        });
    });
    await new Promise((r) => srv.listen(0, '127.0.0.1', r));
    srv.unref();
    const until = async (pred, ms = 15_000) => {
        for (const end = Date.now() + ms; Date.now() < end; await pause(20)) {
            const hit = seen.find(pred);
            if (hit) return hit;
        }
        return undefined;
    };
    return { seen, until, url: `http://127.0.0.1:${srv.address().port}/hook/7f3c`, close: () => srv.close() };
}

export async function subscribe(endpoint, { criteria = 'MedicationRequest?', extension, payload = 'application/fhir+json',
    header = ['Authorization: Bearer synthetic'], more = {}, type = 'rest-hook' } = {}) {
    const r = await call('POST', 'Subscription', {
        resourceType: 'Subscription', status: 'requested', reason: 'test', criteria, ...more,
        channel: { type, endpoint, payload: payload ?? undefined, header, extension },
    });
    assert.equal(r.status, 201, diagnosis(r));
    const at = Date.now();
    let now = r.json;
    while (now.status !== 'active' && Date.now() - at < 15_000) {
        await pause(50);
        now = (await call('GET', `Subscription/${r.json.id}`)).json;
    }
    assert.equal(now.status, 'active', 'the subscription became active');
    await pause(300); // active is stored a moment before the matcher knows
    return { id: now.id, first: r.json, now, ms: Date.now() - at - 300 };
}

export const unsubscribe = (s) => call('DELETE', `Subscription/${s.id}`);
export const own = (value) => `MedicationRequest?identifier=${SYSTEM}|${value}`;
export const versionOf = (hit) => Number(/^(?:W\/)?"(\d+)"$/.exec(hit.headers['if-match'] ?? '')?.[1]);
export const gaps = (hits) => hits.slice(1).map((h, i) => h.at - hits[i].at);
