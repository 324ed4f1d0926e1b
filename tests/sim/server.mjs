/*
 * Server: the HTTP front of the simulator
 *
 * One request's way: read whole (bounded), written into the journal, struck by
 * a fault or not, answered by /fhir or /sim. /sim itself never suffers faults,
 * but for the webhook sink.
 */
import http from 'node:http';
import { Control } from './control.mjs';
import { readData } from './data.mjs';
import { loadDefinitions } from './definitions.mjs';
import { Delivery } from './delivery.mjs';
import { Faults } from './faults.mjs';
import { Fhir } from './fhir.mjs';
import { Journal } from './journal.mjs';
import { outcome } from './outcome.mjs';
import { sendEndless, sendFhir, sendGarbage, sendJson } from './reply.mjs';
import { Store } from './store.mjs';
import { checkSubscription, Subscriptions } from './subscriptions.mjs';

const MAX_BODY = 16 * 1024 * 1024;
const NOTED = ['accept', 'accept-encoding', 'authorization', 'cache-control', 'content-type', 'content-length',
  'etag', 'if-match', 'if-none-exist', 'if-none-match', 'prefer', 'traceparent', 'user-agent', 'x-request-id'];

function readBody(req) {
  return new Promise((resolve, reject) => {
    const parts = [];
    let size = 0;
    req.on('data', (part) => {
      size += part.length;
      if (size <= MAX_BODY) {
        parts.push(part);
      }
    });
    req.on('end', () => (size > MAX_BODY ? reject(new Error('too large')) : resolve(Buffer.concat(parts).toString())));
    req.on('error', reject);
  });
}

function noted(headers) {
  return Object.fromEntries(NOTED.filter((name) => name in headers).map((name) => [name, headers[name]]));
}

export class Simulator {
  constructor(settings) {
    loadDefinitions();
    this.settings = settings;
    this.journal = new Journal();
    this.faults = new Faults();
    this.store = new Store({
      onChange: (change) => this.subscriptions.onChange(change),
      check: (resource) => this.checkResource(resource),
      clock: () => this.now(),
    });
    this.delivery = new Delivery({ settings, journal: this.journal, faults: this.faults,
      isStale: ({ type, id, versionId }) => this.store.versionsOf(type, id).at(-1)?.versionId !== versionId });
    this.subscriptions = new Subscriptions({ settings, store: this.store, delivery: this.delivery });
    this.fhir = new Fhir(this.store, settings);
    this.control = new Control(this);
    this.loadData();
  }

  checkResource(resource) {
    if (resource.resourceType === 'Subscription' && this.settings.dialect.startsWith('hapi')) {
      checkSubscription(resource);
    }
  }

  /* The present instant as this server writes it: HAPI with an offset, others with Z. */
  now() {
    const text = new Date().toISOString();
    return this.settings.dialect.startsWith('hapi') ? text.replace('Z', '+00:00') : text;
  }

  /* Deliveries, matches and activations still to come. */
  get pending() {
    return this.delivery.pending + this.subscriptions.pending;
  }

  /* As new: nothing stored but the data file, no rule, no record, nothing on its way. */
  reset() {
    this.subscriptions.reset();
    this.delivery.reset();
    this.store.clear();
    this.fhir.pages.clear();
    this.faults.clear();
    this.journal.clear();
    this.control.reset();
    this.loadData();
  }

  loadData() {
    if (this.settings.data) {
      readData(this.settings.data, this.settings.shiftDates)
        .forEach((resource) => this.store.createResourceSync(resource, undefined, true));
    }
  }

  /* Resolves to the port. */
  listen() {
    this.server = http.createServer((req, res) => this.onRequest(req, res));
    this.server.keepAliveTimeout = 65_000;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.settings.port, '127.0.0.1', () => resolve(this.server.address().port));
    });
  }

  close() {
    this.subscriptions.reset();
    this.delivery.stop();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async onRequest(req, res) {
    try {
      const body = await readBody(req);
      await this.answer(req, res, body);
    } catch (err) {
      if (!res.headersSent) {
        const status = err.message === 'too large' ? 413 : 500;
        sendFhir(res, status, outcome('fatal', 'exception', err.message));
      } else {
        res.destroy();
      }
    }
  }

  async answer(req, res, body) {
    const url = new URL(req.url, `http://${req.headers.host ?? '127.0.0.1'}`);
    const request = { method: req.method, path: url.pathname, params: url.searchParams, headers: req.headers, body,
      base: `http://${req.headers.host ?? url.host}/fhir` };
    const isFhir = /^\/(fhir|administration)(\/|$)/.test(url.pathname);
    if (!isFhir && !(url.pathname.startsWith('/sim/webhook/') && req.method !== 'GET')) {
      const { status, value } = await this.control.handle(request);
      sendJson(res, status, value);
      return;
    }
    const record = this.journal.add('request', { method: req.method, url: req.url, headers: noted(req.headers), body, status: null });
    const action = this.faults.pick('request', req.method, req.url);
    if (action) {
      record.fault = action;
    }
    res.on('close', () => {
      record.status ??= res.writableFinished ? res.statusCode : null;
      record.ended = res.writableFinished ? 'answered' : 'hung up';
    });
    await this.answerWith(action, request, res, isFhir);
  }

  async answerWith(action, request, res, isFhir) {
    if (action?.slowMs) {
      await new Promise((resolve) => setTimeout(resolve, action.slowMs));
    }
    if (this.strike(action, res)) {
      return;
    }
    if (!isFhir) {
      const { status, value } = this.control.webhook(request);
      this.finish(action, res, () => sendJson(res, status, value, {}, action));
      return;
    }
    const { status, headers, resource } = await this.answerFhir(action, request);
    this.misdirect(action, resource);
    this.finish(action, res, () => sendFhir(res, status, resource, headers, action));
  }

  /* Faults that keep the request from being carried out at all. */
  strike(action, res) {
    if (action?.hangupBefore) {
      res.destroy();
    } else if (action?.endless) {
      sendEndless(res);
    } else if (action?.garbage) {
      sendGarbage(res, action.status);
    } else if (action?.status) {
      const headers = action.retryAfter === undefined ? {} : { 'Retry-After': String(action.retryAfter) };
      sendFhir(res, action.status, outcome('error', 'transient', 'this answer was ordered by a test'), headers, action);
    } else {
      return false;
    }
    return true;
  }

  finish(action, res, reply) {
    if (action?.storeThenHangup) {
      res.destroy();
    } else {
      reply();
    }
  }

  misdirect(action, bundle) {
    const next = action?.nextLink && bundle?.link?.find((l) => l.relation === 'next');
    if (next) {
      next.url = action.nextLink;
    }
  }

  async answerFhir(action, request) {
    const { token } = this.settings;
    if (token && request.headers.authorization !== `Bearer ${token}`) {
      return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, resource: outcome('error', 'login', 'a valid bearer token is required') };
    }
    const tweaks = { cachedSearch: action?.cachedSearch, ignoreIfNoneExist: action?.ignoreIfNoneExist };
    if (action?.commitDelayMs) {
      tweaks.stamp = this.now();
      await new Promise((resolve) => setTimeout(resolve, action.commitDelayMs));
    }
    const administered = /^\/(fhir\/)?administration\//.test(request.path);
    const path = request.path.replace(/^\/fhir(\/|$)/, '').replace(/^\/?administration\//, '').replace(/\/$/, '');
    const reply = await this.fhir.handle({ ...request, path, tweaks });
    if (administered && reply.resource?.resourceType === 'Subscription') {
      this.subscriptions.administered.add(reply.resource.id);
    }
    return reply;
  }
}
