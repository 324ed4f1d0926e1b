/*
 * Client: the simulator as tests and the demonstration hold it
 *
 *   const sim = await Sim.start({ dialect: 'hapi', timeScale: 0.01, data: true });
 *   const { body } = await sim.order({ patient: 'p1', drug: 'oxycodone20', sig: { frequency: 4 } });
 *   await sim.idle();
 *   await sim.close();
 *
 * Every call has a time limit and throws on an answer it did not expect; `fhir`
 * is the one that returns whatever came.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { order } from './orders.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const START_MS = 120_000; /* the first start may install packages */
const STOP_MS = 5000;
const CALL_MS = 30_000;

export const PATIENTS = join(here, 'patients.json');

function toOption([name, value]) {
  return `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}=${value}`;
}

/* The base address once the process says it is ready. */
function readiness(child) {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    const timer = setTimeout(() => reject(new Error(`simulator not ready: ${out}${err}`)), START_MS);
    child.stderr.on('data', (part) => { err = (err + part).slice(-10_000); });
    child.stdout.on('data', (part) => {
      out += part;
      const found = /^ready (\S+)$/m.exec(out);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`simulator ended with ${code}: ${err}`));
    });
  });
}

export class Sim {
  /* A simulator that runs already, at `base` (http://127.0.0.1:PORT/fhir). */
  constructor(base, child = null) {
    this.base = base;
    this.origin = new URL(base).origin;
    this.child = child;
  }

  /*
   * Start one. `options` are those of the command line; `data: true` loads
   * patients.json with its orders moved to today.
   */
  static async start(options = {}) {
    const given = { ...options, ...(options.data === true ? { data: PATIENTS, shiftDates: true } : undefined) };
    const args = Object.entries(given).filter(([, v]) => v !== undefined && v !== null).map(toOption);
    const child = spawn(join(here, 'run'), ['--with-parent', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    try {
      return new Sim(await readiness(child), child);
    } catch (err) {
      child.kill('SIGKILL');
      throw err;
    }
  }

  /* Stop it; resolves to its exit status. */
  async close() {
    const { child } = this;
    if (!child || child.exitCode !== null) {
      return child?.exitCode ?? 0;
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  /* ---- FHIR ---- */

  /* Any request under /fhir: {status, headers, text, body}. `path` may be a whole URL. */
  async fhir(method, path, resource, headers = {}) {
    const url = path.startsWith('http') ? path : `${this.base}/${path}`;
    const body = resource === undefined ? undefined : typeof resource === 'string' ? resource : JSON.stringify(resource);
    const reply = await fetch(url, {
      method,
      body,
      headers: { Accept: 'application/fhir+json', ...(body === undefined ? undefined : { 'Content-Type': 'application/fhir+json' }), ...headers },
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await reply.text();
    let parsed = null;
    try {
      parsed = JSON.parse(text);
    } catch {
      /* `text` tells */
    }
    return { status: reply.status, headers: reply.headers, text, body: parsed };
  }

  async expect(statuses, method, path, resource, headers) {
    const reply = await this.fhir(method, path, resource, headers);
    if (!statuses.includes(reply.status)) {
      throw new Error(`${method} ${path}: ${reply.status} ${reply.text.slice(0, 500)}`);
    }
    return reply;
  }

  create(resource, headers) {
    return this.expect([200, 201], 'POST', resource.resourceType, resource, headers);
  }

  put(resource, headers) {
    return this.expect([200, 201], 'PUT', `${resource.resourceType}/${resource.id}`, resource, headers);
  }

  read(reference) {
    return this.expect([200], 'GET', reference).then((r) => r.body);
  }

  delete(reference) {
    return this.expect([200, 204], 'DELETE', reference);
  }

  transaction(entry) {
    return this.expect([200], 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry }).then((r) => r.body);
  }

  /* Every entry of a search, all pages (at most `maxPages`). */
  async search(query, headers, maxPages = 1000) {
    const entries = [];
    let next = query;
    for (let page = 0; next; page++) {
      if (page === maxPages) {
        throw new Error(`more than ${maxPages} pages`);
      }
      const { body } = await this.expect([200], 'GET', next, undefined, headers);
      entries.push(...(body.entry ?? []));
      next = body.link?.find((l) => l.relation === 'next')?.url;
    }
    return entries;
  }

  /* ---- orders ---- */

  /* Create an order from orders.mjs; with `id` by PUT. Resolves to the stored resource. */
  async order(fields) {
    const resource = order(fields);
    const reply = await (resource.id ? this.put(resource) : this.create(resource));
    return reply.body;
  }

  /* Change an order: `edit` gets the present resource and changes it or returns another. */
  async editOrder(id, edit) {
    const present = await this.read(`MedicationRequest/${id}`);
    const { versionId } = present.meta;
    const changed = edit(present) ?? present;
    return (await this.put(changed, { 'If-Match': `W/"${versionId}"` })).body;
  }

  setStatus(id, status) {
    return this.editOrder(id, (r) => { r.status = status; });
  }

  stopOrder(id) {
    return this.setStatus(id, 'stopped');
  }

  deleteOrder(id) {
    return this.delete(`MedicationRequest/${id}`);
  }

  /* ---- control ---- */

  async control(method, path, value) {
    const reply = await fetch(`${this.origin}/sim/${path}`, {
      method,
      body: value === undefined ? undefined : JSON.stringify(value),
      signal: AbortSignal.timeout(150_000),
    });
    const answer = await reply.json();
    if (reply.status !== 200) {
      throw new Error(`${method} /sim/${path}: ${answer.error}`);
    }
    return answer;
  }

  faults(rules) {
    return this.control('POST', 'faults', rules).then((r) => r.rules);
  }

  clearFaults() {
    return this.control('DELETE', 'faults');
  }

  settings(wanted) {
    return this.control('POST', 'settings', wanted);
  }

  reset() {
    return this.control('POST', 'reset');
  }

  /* Wait until nothing is on its way (and no request for `quietMs`); throws after `timeoutMs`. */
  async idle({ timeoutMs = 10_000, quietMs = 0 } = {}) {
    const { idle, pending } = await this.control('POST', `idle?timeoutMs=${timeoutMs}&quietMs=${quietMs}`);
    if (!idle) {
      throw new Error(`not idle after ${timeoutMs} ms, ${pending} on their way`);
    }
  }

  /* Records of the journal: {since, kind, method, path (regular expression)}. */
  log(query = {}) {
    return this.control('GET', `log?${new URLSearchParams(query)}`).then((r) => r.records);
  }

  notifications(query = {}) {
    return this.log({ ...query, kind: 'notification' });
  }

  requests(query = {}) {
    return this.log({ ...query, kind: 'request' });
  }

  stored(type) {
    return this.control('GET', `store?type=${type}`).then((r) => r.resources);
  }

  /* Identifiers that more than one resource of `type` carries: [{identifier, ids}]. */
  async duplicates(type) {
    const owners = new Map();
    for (const resource of await this.stored(type)) {
      for (const { system = '', value } of [resource.identifier ?? []].flat()) {
        const key = `${system}|${value}`;
        owners.set(key, [...(owners.get(key) ?? []), resource.id]);
      }
    }
    return [...owners].filter(([, ids]) => ids.length > 1).map(([identifier, ids]) => ({ identifier, ids }));
  }

  notify(request) {
    return this.control('POST', 'notify', request);
  }

  /* What the card sink received, and its address for a configuration file. */
  cards() {
    return this.control('GET', 'webhook').then((r) => r.received);
  }

  webhookUrl(name = 'cards') {
    return `${this.origin}/sim/webhook/${name}`;
  }
}
